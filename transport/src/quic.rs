//! Links over QUIC: one connection, two one-way streams each way.
//!
//! The first stream of each side carries the hello, emergency frames and signs of life, and has
//! priority; the second carries ordinary frames. A loss on one does not hold up the other.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use quinn::congestion::CubicConfig;
use quinn::crypto::rustls::HandshakeData;
use quinn::{
    ClientConfig, Connection, Endpoint, EndpointConfig, RecvStream, SendStream, ServerConfig, TokioRuntime,
    TransportConfig, VarInt,
};
use quinn_proto::HashedConnectionIdGenerator;
use rustls::pki_types::CertificateDer;
use socket2::{Domain, Protocol, Socket, Type};

use crate::framing::{HELLO_BYTES, Hello};
use crate::key::{LinkKey, LinkSecret};
use crate::link::{Link, SILENCE_MAX};
use crate::path::{DownReason, Urgency};
use crate::queue::Serves;
use crate::slot::Negotiated;
use crate::tls::{self, ALPN, X25519MLKEM768};

/// Bytes of one stream that may be under way unread.
const STREAM_WINDOW_BYTES: u32 = 1 << 20;
/// Bytes that may be under way unacknowledged: bounds what the library keeps for sending again.
const SEND_WINDOW_BYTES: u64 = 2 << 20;
/// Buffers of the UDP socket: some milliseconds of bursts from all peers together.
const SOCKET_BUFFER_BYTES: usize = 2 << 20;
/// Handshakes the library keeps before this crate has looked at them, and bytes for each.
const INCOMING_MAX: usize = 256;
const INCOMING_BYTES_MAX: u64 = 16 << 10;
/// Streams a peer may open: the two there are.
const STREAMS: u8 = 2;

/// A QUIC link whose handshake is done.
#[derive(Debug)]
pub(crate) struct QuicConnection {
    connection: Connection,
    urgent_in: Option<RecvStream>,
    urgent_out: SendStream,
    pub(crate) negotiated: Negotiated,
}

/// Opens the UDP socket for listening and dialling.
pub(crate) fn bind(
    address: SocketAddr,
    secret: &LinkSecret,
    tls: Arc<rustls::ServerConfig>,
) -> io::Result<Endpoint> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    // The system may give less, and says nothing then: smaller bursts, no other loss.
    socket.set_recv_buffer_size(SOCKET_BUFFER_BYTES)?;
    socket.set_send_buffer_size(SOCKET_BUFFER_BYTES)?;
    socket.bind(&address.into())?;
    let key = secret.connection_id_key;
    let mut config = EndpointConfig::new(secret.reset_key.clone());
    config.cid_generator(move || Box::new(HashedConnectionIdGenerator::from_key(key)));
    let mut server = ServerConfig::with_crypto(Arc::new(tls::quic_server_config(tls)));
    server
        .transport_config(transport())
        .max_incoming(INCOMING_MAX)
        .incoming_buffer_size(INCOMING_BYTES_MAX)
        .incoming_buffer_size_total(INCOMING_BYTES_MAX * INCOMING_MAX as u64);
    Endpoint::new(config, Some(server), socket.into(), Arc::new(TokioRuntime))
}

/// What a dialler needs for one peer.
pub(crate) fn client_config(tls: Arc<rustls::ClientConfig>) -> ClientConfig {
    let mut config = ClientConfig::new(Arc::new(tls::quic_client_config(tls)));
    config.transport_config(transport());
    config
}

fn transport() -> Arc<TransportConfig> {
    let mut config = TransportConfig::default();
    config
        .max_idle_timeout(Some(SILENCE_MAX.try_into().expect("12 s are a QUIC timeout")))
        .max_concurrent_bidi_streams(VarInt::from_u32(0))
        .max_concurrent_uni_streams(VarInt::from(STREAMS))
        .stream_receive_window(VarInt::from_u32(STREAM_WINDOW_BYTES))
        .receive_window(VarInt::from_u32(STREAM_WINDOW_BYTES * u32::from(STREAMS)))
        .send_window(SEND_WINDOW_BYTES)
        .datagram_receive_buffer_size(None)
        .initial_rtt(Duration::from_millis(200))
        .congestion_controller_factory(Arc::new(CubicConfig::default()));
    Arc::new(config)
}

impl QuicConnection {
    /// Takes over a connection on which both keys are proved.
    pub(crate) async fn new(connection: Connection) -> io::Result<Self> {
        let negotiated = negotiated(&connection)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "not a link of this protocol"))?;
        let urgent_out = connection.open_uni().await?;
        urgent_out.set_priority(1)?;
        Ok(Self { connection, urgent_in: None, urgent_out, negotiated })
    }

    pub(crate) async fn send_hello(&mut self, hello: Hello) -> io::Result<()> {
        Ok(self.urgent_out.write_all(&hello.encode()).await?)
    }

    pub(crate) async fn hear_hello(&mut self) -> io::Result<Option<Hello>> {
        let mut stream = self.connection.accept_uni().await?;
        let mut bytes = [0; HELLO_BYTES];
        stream.read_exact(&mut bytes).await.map_err(io::Error::other)?;
        self.urgent_in = Some(stream);
        Ok(Hello::decode(&bytes))
    }

    pub(crate) async fn carry(self, link: &Link) {
        let Self { connection, urgent_in, urgent_out, .. } = self;
        let urgent_in = urgent_in.expect("a link is carried after its hello was heard");
        let read = read(&connection, urgent_in, link);
        let write = write(&connection, urgent_out, link);
        link.carry(read, write).await;
        connection.close(VarInt::from_u32(0), b"");
    }
}

/// Reads both streams; ends when one breaks, or when both have ended in good order.
async fn read(connection: &Connection, urgent: RecvStream, link: &Link) -> DownReason {
    let ordinary = async {
        match connection.accept_uni().await {
            Ok(stream) => good_order(link.read_frames(stream).await),
            Err(_) => Err(DownReason::EnvironmentBroken),
        }
    };
    let urgent = async { good_order(link.read_frames(urgent).await) };
    let why = match tokio::try_join!(urgent, ordinary) {
        Ok(_) => DownReason::PeerClosed,
        Err(why) => why,
    };
    // The streams only say "broken"; the connection knows whether the peer said farewell.
    match connection.close_reason() {
        Some(quinn::ConnectionError::ApplicationClosed(_)) => DownReason::PeerClosed,
        Some(quinn::ConnectionError::TimedOut) => DownReason::EnvironmentSilent,
        _ => why,
    }
}

fn good_order(why: DownReason) -> Result<(), DownReason> {
    if why == DownReason::PeerClosed { Ok(()) } else { Err(why) }
}

/// Writes both streams, and waits until the peer has all of them.
async fn write(connection: &Connection, urgent: SendStream, link: &Link) -> Result<(), DownReason> {
    let ordinary = connection.open_uni().await.map_err(|_| DownReason::EnvironmentBroken)?;
    let written = tokio::try_join!(
        write_stream(urgent, Urgency::Emergency, link),
        write_stream(ordinary, Urgency::Ordinary, link)
    );
    written.map(|_| ())
}

async fn write_stream(mut stream: SendStream, urgency: Urgency, link: &Link) -> Result<(), DownReason> {
    link.write_frames(Serves::One(urgency), &mut stream).await?;
    stream.stopped().await.map(|_| ()).map_err(|_| DownReason::EnvironmentBroken)
}

/// What both sides agreed on, if it is what a link needs.
fn negotiated(connection: &Connection) -> Option<Negotiated> {
    let data = connection.handshake_data()?.downcast::<HandshakeData>().ok()?;
    let group = u16::from(data.negotiated_key_exchange_group);
    if data.protocol.as_deref() != Some(ALPN) || group != X25519MLKEM768 {
        return None;
    }
    let identity = connection.peer_identity()?.downcast::<Vec<CertificateDer<'static>>>().ok()?;
    let peer = LinkKey::from_spki(identity.first()?)?;
    Some(Negotiated { peer, group, remote: connection.remote_address() })
}
