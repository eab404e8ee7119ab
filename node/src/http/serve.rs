//! Listening: the TCP address of `node.toml` and the control socket, one router behind both.

use std::fmt;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, header};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tower_service::Service;

use super::guard::{Entrance, check_scope};
use super::routes;
use super::tokens::Tokens;
use crate::NodeHandle;
use crate::folder::Folder;

/// TCP connections served at once; further ones wait.
const CONNECTIONS_MAX: usize = 256;
/// A client that has not sent the head of its request by then is let go.
const HEAD_WITHIN: Duration = Duration::from_secs(30);

/// Why the HTTP interface cannot be served. The node does not start.
#[non_exhaustive]
#[derive(Debug)]
pub enum ServeError {
    /// The address cannot be listened at; another program has the port, or the address is not ours.
    EnvironmentListen(SocketAddr, std::io::Error),
    /// The control socket cannot be made.
    EnvironmentSocket(std::io::Error),
    /// The certificate or its key cannot be used; the sentence says which and why.
    LocalTls(String),
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EnvironmentListen(address, error) if error.kind() == std::io::ErrorKind::AddrInUse => {
                write!(
                    f,
                    "http: port {} is busy; stop the program that has it, or name another port in node.toml",
                    address.port()
                )
            }
            Self::EnvironmentListen(address, error) => {
                write!(f, "http: {address} cannot be listened at: {error}")
            }
            Self::EnvironmentSocket(error) => write!(f, "run/control.sock cannot be made: {error}"),
            Self::LocalTls(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for ServeError {}

/// The interface as it is being served.
#[derive(Debug)]
pub struct Server {
    /// The TCP address, with its port where 0 was asked for.
    pub address: SocketAddr,
    /// The address for people, such as `http://localhost:19631`.
    pub url: String,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.tasks.iter().for_each(tokio::task::JoinHandle::abort);
    }
}

/// Serves the interface of `node` until the server is dropped.
///
/// # Errors
/// [`ServeError`]; nothing is served.
pub async fn serve(folder: &Folder, node: NodeHandle) -> Result<Server, ServeError> {
    let config = &folder.config;
    let refuse = |error| ServeError::EnvironmentListen(config.http, error);
    let tls = if config.http.ip().is_loopback() { None } else { Some(acceptor(folder)?) };
    let tcp = TcpListener::bind(config.http).await.map_err(refuse)?;
    let address = tcp.local_addr().map_err(refuse)?;
    let socket = control_socket(&folder.control_socket()).map_err(ServeError::EnvironmentSocket)?;
    let origin = config.origin.as_deref();
    let url = match (&tls, origin) {
        (Some(_), Some(origin)) => origin.to_owned(),
        _ => format!("http://localhost:{}", address.port()),
    };
    let site = |entrance| {
        Arc::new(Site { entrance, tokens: Tokens::of(folder), router: routes::router(node.clone()) })
    };
    let tasks = vec![
        tokio::spawn(accept_tcp(tcp, tls, site(Entrance::at(address, origin)))),
        tokio::spawn(accept_socket(socket, site(Entrance::Socket))),
    ];
    Ok(Server { address, url, tasks })
}

/// What stands behind one entrance.
struct Site {
    entrance: Entrance,
    tokens: Tokens,
    router: Router,
}

impl Site {
    async fn answer(&self, request: Request<Incoming>) -> Response {
        if let Err(error) = self.entrance.check_host(request.headers()) {
            return error.into_response();
        }
        let scope = self.entrance.scope(request.headers(), &self.tokens);
        if let Err(error) = check_scope(request.method(), request.uri().path(), scope) {
            return error.into_response();
        }
        let mut router = self.router.clone();
        let Ok(response) = router.call(request.map(Body::new)).await;
        response
    }
}

/// A socket left by a run before is no one's: the folder's lock is held by this process.
fn control_socket(path: &Path) -> std::io::Result<UnixListener> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let socket = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(socket)
}

fn acceptor(folder: &Folder) -> Result<TlsAcceptor, ServeError> {
    let refuse = |key: &str, why: String| ServeError::LocalTls(format!("node.toml: {key}: {why}"));
    let path = |key: &str, file: &Option<String>| {
        file.as_ref()
            .map(|file| folder.path().join(file))
            .ok_or_else(|| refuse(key, "it is missing".to_owned()))
    };
    let (cert, key) = (path("tls_cert", &folder.config.tls_cert)?, path("tls_key", &folder.config.tls_key)?);
    let chain = CertificateDer::pem_file_iter(&cert)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| refuse("tls_cert", format!("{}: {error}", cert.display())))?;
    let private = PrivateKeyDer::from_pem_file(&key)
        .map_err(|error| refuse("tls_key", format!("{}: {error}", key.display())))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|error| refuse("tls_cert", error.to_string()))?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(|error| refuse("tls_cert", error.to_string()))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// After a failed accept (no descriptors left) the next try waits, or it would only burn the processor.
const ACCEPT_AGAIN: Duration = Duration::from_millis(50);

async fn accept_tcp(listener: TcpListener, tls: Option<TlsAcceptor>, site: Arc<Site>) {
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(place) = room.clone().acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(ACCEPT_AGAIN).await;
            continue;
        };
        // Replies are one small write each; waiting for more would add 40 ms to them.
        let _ = stream.set_nodelay(true);
        let (tls, site) = (tls.clone(), site.clone());
        tokio::spawn(async move {
            match tls {
                None => connection(stream, site).await,
                Some(tls) => {
                    if let Ok(Ok(stream)) = tokio::time::timeout(HEAD_WITHIN, tls.accept(stream)).await {
                        connection(stream, site).await;
                    }
                }
            }
            drop(place);
        });
    }
}

async fn accept_socket(listener: UnixListener, site: Arc<Site>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(connection(stream, site.clone()));
            }
            Err(_) => tokio::time::sleep(ACCEPT_AGAIN).await,
        }
    }
}

async fn connection(stream: impl AsyncRead + AsyncWrite + Unpin, site: Arc<Site>) {
    let service = service_fn(move |request| {
        let site = site.clone();
        async move {
            let mut response = site.answer(request).await;
            response
                .headers_mut()
                .insert(header::X_CONTENT_TYPE_OPTIONS, header::HeaderValue::from_static("nosniff"));
            Ok::<_, std::convert::Infallible>(response)
        }
    });
    // A client that breaks off is no event of ours.
    let _ = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}
