//! Links over TCP: TLS 1.3 on a socket that keeps little unsent data.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, CommonState, ServerConfig};
use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream};

use crate::framing::{HELLO_BYTES, Hello};
use crate::key::LinkKey;
use crate::link::Link;
use crate::queue::Serves;
use crate::slot::Negotiated;
use crate::tls::{ALPN, X25519MLKEM768};

/// Socket buffers, each way. On TCP an emergency frame waits behind what is already in them, so they
/// are kept small; at 100 ms of round trip they still allow 20 Mbit/s.
const SOCKET_BUFFER_BYTES: u32 = 256 << 10;
/// Bytes not yet on the wire that the system takes before it says "full" (Linux, TCP_NOTSENT_LOWAT).
const UNSENT_BYTES_MAX: u32 = 64 << 10;
/// Connections that may wait to be accepted.
const BACKLOG: u32 = 128;

/// A TCP link whose TLS handshake is done.
#[derive(Debug)]
pub(crate) struct TcpConnection {
    stream: TlsStream<TcpStream>,
    pub(crate) negotiated: Negotiated,
}

/// Opens the listening socket.
pub(crate) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = socket(address)?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Dials `address` and proves both keys.
pub(crate) async fn connect(
    address: SocketAddr,
    config: Arc<ClientConfig>,
    peer: LinkKey,
) -> io::Result<TcpConnection> {
    let stream = socket(address)?.connect(address).await?;
    prepare(&stream)?;
    let name = ServerName::try_from(peer.server_name()).map_err(io::Error::other)?;
    let stream = TlsConnector::from(config).connect(name, stream).await?;
    TcpConnection::new(stream.into(), address)
}

/// Proves both keys on an accepted socket.
pub(crate) async fn accept(
    stream: TcpStream,
    remote: SocketAddr,
    config: Arc<ServerConfig>,
) -> io::Result<TcpConnection> {
    prepare(&stream)?;
    let stream = TlsAcceptor::from(config).accept(stream).await?;
    TcpConnection::new(stream.into(), remote)
}

impl TcpConnection {
    fn new(stream: TlsStream<TcpStream>, remote: SocketAddr) -> io::Result<Self> {
        let negotiated = negotiated(stream.get_ref().1, remote)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "not a link of this protocol"))?;
        Ok(Self { stream, negotiated })
    }

    pub(crate) async fn send_hello(&mut self, hello: Hello) -> io::Result<()> {
        self.stream.write_all(&hello.encode()).await?;
        self.stream.flush().await
    }

    pub(crate) async fn hear_hello(&mut self) -> io::Result<Option<Hello>> {
        let mut bytes = [0; HELLO_BYTES];
        self.stream.read_exact(&mut bytes).await?;
        Ok(Hello::decode(&bytes))
    }

    pub(crate) async fn carry(self, link: &Link) {
        let (reader, writer) = tokio::io::split(self.stream);
        link.carry(link.read_frames(reader), link.write_frames(Serves::Both, writer)).await;
    }
}

/// What both sides agreed on, if it is what a link needs.
fn negotiated(tls: &CommonState, remote: SocketAddr) -> Option<Negotiated> {
    let group = u16::from(tls.negotiated_key_exchange_group()?.name());
    if tls.alpn_protocol() != Some(ALPN) || group != X25519MLKEM768 {
        return None;
    }
    let peer = LinkKey::from_spki(tls.peer_certificates()?.first()?)?;
    Some(Negotiated { peer, group, remote })
}

fn socket(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_send_buffer_size(SOCKET_BUFFER_BYTES)?;
    socket.set_recv_buffer_size(SOCKET_BUFFER_BYTES)?;
    Ok(socket)
}

fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    #[cfg(any(target_os = "linux", target_os = "android"))]
    SockRef::from(stream).set_tcp_notsent_lowat(UNSENT_BYTES_MAX)?;
    Ok(())
}
