//! Speaking to a running node: over its control socket, or over TCP with a token.
//!
//! One connection, kept alive, one request at a time; events take a connection of their own. A
//! reply of the node that refuses comes back as the [`Refusal`] it was. Whether a request that was
//! sent took effect when the connection broke cannot be known: that is [`ClientError::EnvironmentLost`],
//! and what may be sent again is the caller's to know (a statement may).

use std::fmt;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Method, Request, Response, StatusCode, header};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

use crate::refusal::Refusal;

/// Largest reply that is read; a journal is longer and comes in pages.
const REPLY_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Why a request has no reply.
#[non_exhaustive]
#[derive(Debug)]
pub enum ClientError {
    /// Nobody listens there. Start the node.
    EnvironmentNotRunning(PathBuf),
    /// The connection cannot be made; nothing was sent.
    EnvironmentConnect(std::io::Error),
    /// The node went away after the request may have reached it.
    EnvironmentLost,
    /// The node refuses, and says why.
    PeerRefused(Refusal),
    /// The answer is not what this version expects: the node may be of another version.
    PeerUnreadable(String),
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EnvironmentNotRunning(folder) => {
                write!(f, "the node of {0} does not run; start it with `detente node {0}`", folder.display())
            }
            Self::EnvironmentConnect(error) => write!(f, "the node cannot be reached: {error}"),
            Self::EnvironmentLost => f.write_str("the node went away before it answered"),
            Self::PeerRefused(refusal) => refusal.fmt(f),
            Self::PeerUnreadable(what) => write!(f, "the node's answer is not understood ({what})"),
        }
    }
}

impl std::error::Error for ClientError {}

impl From<Refusal> for ClientError {
    fn from(refusal: Refusal) -> Self {
        Self::PeerRefused(refusal)
    }
}

/// Where a node is spoken to.
#[derive(Clone, Debug)]
pub enum Address {
    /// The control socket of the node in this folder.
    Folder(PathBuf),
    /// Its HTTP interface, with a token.
    Tcp {
        /// Address and port.
        address: SocketAddr,
        /// A token of `detente token`.
        token: String,
    },
}

/// A client of one node.
#[derive(Debug)]
pub struct Client {
    address: Address,
    connection: Option<SendRequest<Full<Bytes>>>,
}

impl Client {
    /// A client of the node in `folder`, over its control socket. Connects at the first request.
    #[must_use]
    pub fn of_folder(folder: &Path) -> Self {
        Self::new(Address::Folder(folder.to_path_buf()))
    }

    /// A client of the node at `address`. Connects at the first request.
    #[must_use]
    pub const fn new(address: Address) -> Self {
        Self { address, connection: None }
    }

    /// Asks for `path` and reads the JSON of the reply.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn get<T: DeserializeOwned>(&mut self, path: &str) -> Result<T, ClientError> {
        let reply = self.send(Method::GET, path, Vec::new()).await?;
        serde_json::from_slice(&reply).map_err(|error| ClientError::PeerUnreadable(error.to_string()))
    }

    /// Posts `body` as JSON to `path` and reads the JSON of the reply.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn post<T: DeserializeOwned>(
        &mut self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        let body = serde_json::to_vec(body).expect("our own structures are JSON");
        let reply = self.send(Method::POST, path, body).await?;
        serde_json::from_slice(&reply).map_err(|error| ClientError::PeerUnreadable(error.to_string()))
    }

    /// The reply to one request, whole.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn send(&mut self, method: Method, path: &str, body: Vec<u8>) -> Result<Bytes, ClientError> {
        let response = self.exchange(method, path, body).await?;
        let status = response.status();
        let limited = http_body_util::Limited::new(response.into_body(), REPLY_BYTES_MAX);
        let bytes = match limited.collect().await {
            Ok(body) => body.to_bytes(),
            Err(_) => {
                self.connection = None;
                return Err(ClientError::EnvironmentLost);
            }
        };
        if status.is_success() { Ok(bytes) } else { Err(refused(status, &bytes)) }
    }

    /// Events after `since` (from now on without), as they come. The stream has a connection of its own.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn events(&self, since: Option<&str>) -> Result<EventStream, ClientError> {
        let path = since.map_or_else(
            || "/api/v1/events".to_owned(),
            |since| format!("/api/v1/events?since={}", percent(since)),
        );
        let mut client = Self::new(self.address.clone());
        let response = client.exchange(Method::GET, &path, Vec::new()).await?;
        let status = response.status();
        if status.is_success() {
            return Ok(EventStream {
                body: response.into_body(),
                unread: Vec::new(),
                read: 0,
                _client: client,
            });
        }
        let bytes =
            response.into_body().collect().await.map_err(|_| ClientError::EnvironmentLost)?.to_bytes();
        Err(refused(status, &bytes))
    }

    async fn exchange(
        &mut self,
        method: Method,
        path: &str,
        body: Vec<u8>,
    ) -> Result<Response<Incoming>, ClientError> {
        let mut sender = match self.connection.take().filter(|sender| !sender.is_closed()) {
            Some(sender) => sender,
            None => self.connect().await?,
        };
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, "localhost");
        if let Address::Tcp { token, .. } = &self.address {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        if !body.is_empty() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let request = request
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| ClientError::PeerUnreadable(error.to_string()))?;
        sender.ready().await.map_err(|_| ClientError::EnvironmentLost)?;
        let response = sender.send_request(request).await.map_err(|_| ClientError::EnvironmentLost)?;
        self.connection = Some(sender);
        Ok(response)
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, ClientError> {
        let stream = match &self.address {
            Address::Folder(folder) => {
                let socket = folder.join("run").join("control.sock");
                let stream = UnixStream::connect(&socket).await.map_err(|error| match error.kind() {
                    ErrorKind::NotFound | ErrorKind::ConnectionRefused => {
                        ClientError::EnvironmentNotRunning(folder.clone())
                    }
                    _ => ClientError::EnvironmentConnect(error),
                })?;
                Stream::Unix(stream)
            }
            Address::Tcp { address, .. } => {
                let stream = TcpStream::connect(address).await.map_err(ClientError::EnvironmentConnect)?;
                // A request is one small write; waiting for more would add 40 ms to each.
                stream.set_nodelay(true).map_err(ClientError::EnvironmentConnect)?;
                Stream::Tcp(stream)
            }
        };
        let (sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|_| ClientError::EnvironmentLost)?;
        tokio::spawn(connection);
        Ok(sender)
    }
}

fn refused(status: StatusCode, body: &[u8]) -> ClientError {
    match serde_json::from_slice::<crate::http::error::ErrorBody>(body) {
        Ok(body) => ClientError::PeerRefused(body.into()),
        Err(_) => ClientError::PeerUnreadable(format!("status {}", status.as_u16())),
    }
}

/// Percent-encodes a part of a path or query, so that `/`, `#` and spaces in it stay its own.
#[must_use]
pub fn percent(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let mut out = String::with_capacity(text.len() * 3);
    for byte in text.bytes() {
        if plain(byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// Events of a node, in order.
#[derive(Debug)]
pub struct EventStream {
    body: Incoming,
    unread: Vec<u8>,
    /// Bytes of `unread` already given out.
    read: usize,
    _client: Client,
}

/// Longest line of the event stream that is taken.
const EVENT_BYTES_MAX: usize = 1024 * 1024;

impl EventStream {
    /// The JSON text of the next event; `None` when the node ended the stream.
    ///
    /// # Errors
    /// [`ClientError::EnvironmentLost`] when the connection broke: go on with the last cursor.
    pub async fn next(&mut self) -> Result<Option<String>, ClientError> {
        loop {
            while let Some(line) = self.line() {
                if let Some(data) = line.strip_prefix("data:") {
                    return Ok(Some(data.trim_start().to_owned()));
                }
            }
            if self.unread.len() > EVENT_BYTES_MAX {
                return Err(ClientError::PeerUnreadable("an event without end".to_owned()));
            }
            match self.body.frame().await {
                None => return Ok(None),
                Some(Err(_)) => return Err(ClientError::EnvironmentLost),
                Some(Ok(frame)) => {
                    if let Ok(bytes) = frame.into_data() {
                        self.unread.extend_from_slice(&bytes);
                    }
                }
            }
        }
    }

    fn line(&mut self) -> Option<String> {
        let rest = &self.unread[self.read..];
        let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
            self.unread.drain(..self.read);
            self.read = 0;
            return None;
        };
        let line = String::from_utf8_lossy(&rest[..end]).into_owned();
        self.read += end + 1;
        Some(line)
    }
}

/// Either kind of connection.
enum Stream {
    Unix(UnixStream),
    Tcp(TcpStream),
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        match self.get_mut() {
            Self::Unix(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Tcp(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        match self.get_mut() {
            Self::Unix(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Tcp(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        match self.get_mut() {
            Self::Unix(stream) => Pin::new(stream).poll_flush(context),
            Self::Tcp(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        match self.get_mut() {
            Self::Unix(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_citation_is_one_part_of_a_path() {
        assert_eq!(percent("ALT/emergency/3-00ff.7"), "ALT%2Femergency%2F3-00ff.7");
        assert_eq!(percent("Risk reduction"), "Risk%20reduction");
    }
}
