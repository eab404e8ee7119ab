//! Tests with a client of our own making: right in most things and wrong in one.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::{default_provider, kx_group};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::framing::Hello;
use crate::{
    DownReason, Endpoint, EndpointConfig, FRAME_BYTES_MAX, Inbox, LinkKey, LinkSecret, PathEvent, PathKind,
    PeerLink, quic, tls,
};

const PATIENCE: Duration = Duration::from_secs(10);

fn listener() -> (Endpoint, Inbox, LinkSecret, LinkKey) {
    let (own, peer) = (LinkSecret::from_seed(&[1; 32]), LinkSecret::from_seed(&[2; 32]));
    let key = own.public();
    let listen = (Ipv4Addr::LOCALHOST, 0).into();
    let (endpoint, inbox) = Endpoint::bind(EndpointConfig::new(listen, own)).unwrap();
    endpoint.set_peers(vec![PeerLink { key: peer.public(), addresses: Vec::new() }]).unwrap();
    (endpoint, inbox, peer, key)
}

async fn dial(
    provider: CryptoProvider,
    secret: &LinkSecret,
    key: LinkKey,
    name: &str,
    address: SocketAddr,
) -> std::io::Result<TlsStream<TcpStream>> {
    let config = tls::client_config_with(provider, secret, key);
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let stream = TcpStream::connect(address).await.unwrap();
    timeout(PATIENCE, TlsConnector::from(config).connect(name, stream)).await.unwrap()
}

/// A link that was let in, up to and with the answer to its hello.
async fn let_in(endpoint: &Endpoint, secret: &LinkSecret, key: LinkKey) -> TlsStream<TcpStream> {
    let address = endpoint.local_addr();
    let mut stream = dial(tls::provider(), secret, key, &key.server_name(), address).await.unwrap();
    stream.write_all(&Hello { run: [5; 8], ups: 0 }.encode()).await.unwrap();
    stream.read_exact(&mut [0; 20]).await.unwrap();
    stream
}

async fn why_down(inbox: &mut Inbox) -> DownReason {
    loop {
        if let PathEvent::Down { why } = timeout(PATIENCE, inbox.next()).await.unwrap().event {
            return why;
        }
    }
}

#[tokio::test]
async fn a_client_without_the_hybrid_group_is_refused_over_tcp() {
    let (endpoint, mut inbox, secret, key) = listener();
    for groups in
        [vec![kx_group::X25519], vec![kx_group::SECP256R1, kx_group::SECP384R1], vec![kx_group::MLKEM768]]
    {
        let provider = CryptoProvider { kx_groups: groups, ..default_provider() };
        let outcome = dial(provider, &secret, key, &key.server_name(), endpoint.local_addr()).await;
        assert!(outcome.is_err());
    }
    assert_eq!(inbox.try_next(), None);
    assert_eq!(endpoint.refusals().handshakes, 3);
    assert_eq!(endpoint.refusals().unknown_keys, 0, "the key was right; the group was refused");
}

#[tokio::test]
async fn a_client_that_also_offers_classical_groups_negotiates_the_hybrid_one() {
    let (endpoint, _inbox, secret, key) = listener();
    let provider = CryptoProvider {
        kx_groups: vec![kx_group::X25519, kx_group::SECP256R1, kx_group::X25519MLKEM768],
        ..default_provider()
    };
    let stream = dial(provider, &secret, key, &key.server_name(), endpoint.local_addr()).await.unwrap();
    let group = stream.get_ref().1.negotiated_key_exchange_group().unwrap().name();
    assert_eq!(u16::from(group), tls::X25519MLKEM768);
}

#[tokio::test]
async fn a_client_without_the_hybrid_group_is_refused_over_quic() {
    let (endpoint, mut inbox, secret, key) = listener();
    let provider = CryptoProvider { kx_groups: vec![kx_group::X25519], ..default_provider() };
    let config = quic::client_config(tls::client_config_with(provider, &secret, key));
    let client = quinn::Endpoint::client((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let connecting = client.connect_with(config, endpoint.local_addr(), &key.server_name()).unwrap();
    assert!(timeout(PATIENCE, connecting).await.unwrap().is_err());
    assert_eq!(inbox.try_next(), None);
}

#[tokio::test]
async fn who_does_not_ask_for_this_nodes_key_learns_nothing() {
    let (endpoint, _inbox, secret, key) = listener();
    assert!(dial(tls::provider(), &secret, key, "example.org", endpoint.local_addr()).await.is_err());
    assert!(dial(tls::provider(), &secret, key, "192.0.2.1", endpoint.local_addr()).await.is_err());
}

#[tokio::test]
async fn another_application_protocol_is_refused() {
    let (endpoint, mut inbox, secret, key) = listener();
    for protocols in [vec![], vec![b"h3".to_vec()]] {
        let mut config = Arc::unwrap_or_clone(tls::client_config(&secret, key));
        config.alpn_protocols = protocols;
        let name = ServerName::try_from(key.server_name()).unwrap();
        let stream = TcpStream::connect(endpoint.local_addr()).await.unwrap();
        if let Ok(mut stream) = TlsConnector::from(Arc::new(config)).connect(name, stream).await {
            let _ = stream.write_all(&Hello { run: [5; 8], ups: 0 }.encode()).await;
            let answer = timeout(PATIENCE, stream.read_exact(&mut [0; 20])).await.unwrap();
            assert!(answer.is_err(), "no answer to a hello of another protocol");
        }
    }
    assert_eq!(inbox.try_next(), None);
}

#[tokio::test]
async fn a_key_that_is_not_listed_never_gets_the_first_byte() {
    let (endpoint, mut inbox, _, key) = listener();
    let stranger = LinkSecret::from_seed(&[3; 32]);
    let stream = dial(tls::provider(), &stranger, key, &key.server_name(), endpoint.local_addr()).await;
    // In TLS 1.3 the client may believe itself connected before the listener has seen its key.
    if let Ok(mut stream) = stream {
        let _ = stream.write_all(&Hello { run: [5; 8], ups: 0 }.encode()).await;
        assert!(timeout(PATIENCE, stream.read_exact(&mut [0; 20])).await.unwrap().is_err());
    }
    assert_eq!(inbox.try_next(), None);
    assert_eq!(endpoint.refusals().unknown_keys, 1);
}

#[tokio::test]
async fn a_length_beyond_the_limit_ends_the_link_before_its_bytes_come() {
    for word in [FRAME_BYTES_MAX as u32 + 1, 0x7fff_ffff, 0xffff_ffff] {
        let (endpoint, mut inbox, secret, key) = listener();
        let mut stream = let_in(&endpoint, &secret, key).await;
        stream.write_all(&word.to_be_bytes()).await.unwrap();
        assert_eq!(why_down(&mut inbox).await, DownReason::PeerMalformed);
    }
}

#[tokio::test]
async fn a_peer_that_says_another_hello_gets_no_link() {
    let (endpoint, mut inbox, secret, key) = listener();
    let mut stream =
        dial(tls::provider(), &secret, key, &key.server_name(), endpoint.local_addr()).await.unwrap();
    stream.write_all(b"detente\x02 something else").await.unwrap();
    assert!(timeout(PATIENCE, stream.read_exact(&mut [0; 20])).await.unwrap().is_err());
    assert_eq!(inbox.try_next(), None);
}

#[tokio::test]
async fn a_peer_that_comes_back_takes_its_place_at_once_and_the_dead_link_goes() {
    let (endpoint, mut inbox, secret, key) = listener();
    let first = let_in(&endpoint, &secret, key).await;
    let second = let_in(&endpoint, &secret, key).await;
    let mut events = Vec::new();
    while events.len() < 3 {
        events.push(timeout(PATIENCE, inbox.next()).await.unwrap().event);
    }
    assert!(matches!(
        events.as_slice(),
        [PathEvent::Up { .. }, PathEvent::Down { why: DownReason::Replaced }, PathEvent::Up { .. }]
    ));
    let up =
        endpoint.status().into_iter().filter(|status| matches!(status.state, crate::PathState::Up { .. }));
    assert_eq!(up.map(|status| status.kind).collect::<Vec<_>>(), [PathKind::Tcp]);
    drop((first, second));
}

#[tokio::test]
async fn a_cut_frame_is_never_handed_on() {
    let (endpoint, mut inbox, secret, key) = listener();
    let mut stream = let_in(&endpoint, &secret, key).await;
    stream.write_all(&100u32.to_be_bytes()).await.unwrap();
    stream.write_all(&[7; 99]).await.unwrap();
    stream.shutdown().await.unwrap();
    assert_eq!(why_down(&mut inbox).await, DownReason::PeerClosed);
    assert_eq!(inbox.try_next(), None);
}

#[tokio::test]
async fn where_only_peers_are_listened_to_a_stranger_meets_silence() {
    let (own, peer) = (LinkSecret::from_seed(&[1; 32]), LinkSecret::from_seed(&[2; 32]));
    let key = own.public();
    let listen = (Ipv4Addr::LOCALHOST, 0).into();
    let config =
        EndpointConfig { accept_from: crate::AcceptFrom::PeerAddresses, ..EndpointConfig::new(listen, own) };
    let (endpoint, _inbox) = Endpoint::bind(config).unwrap();
    let listed = |addresses| vec![PeerLink { key: peer.public(), addresses }];
    endpoint.set_peers(listed(vec!["192.0.2.1:19630".into()])).unwrap();
    let mut stream = TcpStream::connect(endpoint.local_addr()).await.unwrap();
    let mut bytes = Vec::new();
    // Closed or reset, but without a byte.
    let _ = timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.unwrap();
    assert!(bytes.is_empty());
    assert_eq!(endpoint.refusals().capacity, 1);
    endpoint.set_peers(listed(vec!["127.0.0.1:9".into()])).unwrap();
    drop(let_in(&endpoint, &peer, key).await);
}

#[tokio::test]
async fn under_load_a_quic_client_proves_its_address_and_gets_in() {
    let (endpoint, mut inbox, secret, key) = listener();
    let mut mute = Vec::new();
    for _ in 0..crate::HANDSHAKES_NETWORK_MAX {
        mute.push(TcpStream::connect(endpoint.local_addr()).await.unwrap());
    }
    // The peer is dialled here, so its place is not among those that are taken.
    let addresses = vec!["127.0.0.1:9".to_owned()];
    tokio::time::sleep(Duration::from_millis(200)).await;
    endpoint.set_peers(vec![PeerLink { key: secret.public(), addresses }]).unwrap();
    let (dialler, _reports) = Endpoint::bind(EndpointConfig {
        kinds: vec![PathKind::Quic],
        ..EndpointConfig::new((Ipv4Addr::LOCALHOST, 0).into(), secret)
    })
    .unwrap();
    let addresses = vec![endpoint.local_addr().to_string()];
    dialler.set_peers(vec![PeerLink { key, addresses }]).unwrap();
    let report = timeout(Duration::from_secs(5), inbox.next()).await.unwrap();
    assert_eq!(report.kind, PathKind::Quic);
    assert!(matches!(report.event, PathEvent::Up { .. }));
}
