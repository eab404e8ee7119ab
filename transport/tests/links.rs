//! Two nodes that list each other exchange frames over each kind of link; others get nowhere.

mod common;

use std::time::Duration;

use common::{BOTH, Node, linked, loopback, node, ordinary, outgoing};
use detente_transport::{
    DownReason, FRAME_BYTES_MAX, LinkSecret, PathEvent, PathKind, PathState, PeerLink, SendError, Urgency,
    X25519MLKEM768,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

#[tokio::test]
async fn frames_of_any_length_arrive_as_they_were_sent_both_ways() {
    for kind in BOTH {
        let (mut a, mut b) = linked(kind).await;
        for length in [1, 222, 4092, 65_535, FRAME_BYTES_MAX] {
            let frame: Vec<u8> = (0..length).map(|index| index as u8).collect();
            assert_eq!(a.endpoint.send(&b.key, ordinary(frame.clone())), Ok(kind));
            assert_eq!(b.until_frame().await, frame);
            assert_eq!(b.endpoint.send(&a.key, outgoing(Urgency::Emergency, frame.clone())), Ok(kind));
            assert_eq!(a.until_frame().await, frame);
        }
    }
}

#[tokio::test]
async fn every_link_reports_the_hybrid_group() {
    for kind in BOTH {
        let (mut a, mut b) = (node(1, &[kind]), node(2, &[kind]));
        a.set_peers(&[b.peer()]);
        b.set_peers(&[a.peer()]);
        for report in [a.until_up().await, b.until_up().await] {
            let PathEvent::Up { group, remote } = report.event else { unreachable!("until_up answers this") };
            assert_eq!((report.kind, group, remote.is_some()), (kind, Some(X25519MLKEM768), true));
        }
    }
}

#[tokio::test]
async fn quic_is_preferred_and_tcp_serves_where_there_is_no_quic() {
    let (mut a, both, tcp) = (node(1, &BOTH), node(2, &BOTH), node(3, &[PathKind::Tcp]));
    for peer in [&both, &tcp] {
        peer.set_peers(&[a.silent_peer()]);
    }
    a.set_peers(&[both.peer(), tcp.peer()]);
    for _ in 0..3 {
        a.until_up().await;
    }
    for (mut peer, kind) in [(both, PathKind::Quic), (tcp, PathKind::Tcp)] {
        assert_eq!(a.endpoint.send(&peer.key, ordinary("x")), Ok(kind));
        assert_eq!(peer.until_frame().await, b"x");
    }
}

#[tokio::test]
async fn what_a_path_cannot_carry_is_refused_at_once() {
    let (a, b) = linked(PathKind::Tcp).await;
    let send = |frame: Vec<u8>| a.endpoint.send(&b.key, ordinary(frame));
    assert_eq!(send(Vec::new()), Err(SendError::LocalEmpty));
    let too_long = SendError::LocalTooLong { frame_bytes_max: FRAME_BYTES_MAX };
    assert_eq!(send(vec![0; FRAME_BYTES_MAX + 1]), Err(too_long));
    let stranger = LinkSecret::from_seed(&[9; 32]).public();
    assert_eq!(a.endpoint.send(&stranger, ordinary("x")), Err(SendError::EnvironmentDown));
}

#[tokio::test]
async fn a_key_that_is_not_listed_gets_no_link_and_is_counted() {
    for kind in BOTH {
        let (mut listener, mut stranger) = (node(1, &[kind]), node(2, &[kind]));
        stranger.set_peers(&[listener.peer()]);
        let up = |event: &PathEvent| matches!(event, PathEvent::Up { .. });
        assert!(stranger.nothing(Duration::from_millis(1500), up).await, "{kind}: the dialler saw a link");
        assert!(listener.nothing(Duration::ZERO, up).await);
        assert!(listener.endpoint.refusals().unknown_keys > 0);
    }
}

#[tokio::test]
async fn a_listener_with_another_key_than_the_pinned_one_gets_no_link() {
    for kind in BOTH {
        let (mut dialler, mut impostor) = (node(1, &[kind]), node(2, &[kind]));
        impostor.set_peers(&[dialler.silent_peer()]);
        let expected = LinkSecret::from_seed(&[3; 32]).public();
        let addresses = vec![impostor.endpoint.local_addr().to_string()];
        dialler.set_peers(&[PeerLink { key: expected, addresses }]);
        let up = |event: &PathEvent| matches!(event, PathEvent::Up { .. });
        assert!(dialler.nothing(Duration::from_millis(1500), up).await);
        assert!(impostor.nothing(Duration::ZERO, up).await);
    }
}

#[tokio::test]
async fn a_peer_taken_off_the_list_loses_its_link_and_gets_none() {
    for kind in BOTH {
        let (mut a, mut b) = linked(kind).await;
        b.set_peers(&[]);
        assert_eq!(b.until_down().await.event, PathEvent::Down { why: DownReason::LocalRemoved });
        assert_eq!(a.until_down().await.event, PathEvent::Down { why: DownReason::PeerClosed });
        let up = |event: &PathEvent| matches!(event, PathEvent::Up { .. });
        assert!(a.nothing(Duration::from_secs(1), up).await);
        b.set_peers(&[a.silent_peer()]);
        a.until_up().await;
        b.until_up().await;
    }
}

#[tokio::test]
async fn the_state_of_a_path_says_since_when_and_last_heard() {
    let (mut a, b) = linked(PathKind::Tcp).await;
    let [status] = a.endpoint.status().try_into().expect("one path");
    assert!(matches!(status.state, PathState::Up { heard, .. } if heard < Duration::from_secs(5)));
    b.endpoint.close().await;
    a.until_down().await;
    let [status] = a.endpoint.status().try_into().expect("one path");
    let PathState::Down { why, heard, .. } = status.state else { panic!("the peer closed: {status:?}") };
    assert_eq!(why, Some(DownReason::PeerClosed));
    assert!(heard.is_some());
}

#[tokio::test]
async fn garbage_from_anybody_does_no_harm() {
    let (mut a, mut b) = (node(1, &BOTH), node(2, &BOTH));
    b.set_peers(&[a.peer()]);
    let address = b.endpoint.local_addr();
    let udp = UdpSocket::bind(loopback(0)).await.expect("a free port");
    for length in [0, 1, 20, 1200, 1452] {
        for first in [0x00, 0x40, 0xc0, 0xff] {
            let mut packet = vec![0xa5; length];
            packet.iter_mut().take(1).for_each(|byte| *byte = first);
            udp.send_to(&packet, address).await.expect("loopback takes packets");
        }
    }
    for garbage in
        [vec![], vec![0; 100_000], b"GET / HTTP/1.1\r\n\r\n".to_vec(), vec![0x16, 3, 1, 0xff, 0xff]]
    {
        let mut stream = TcpStream::connect(address).await.expect("the listener is there");
        // The listener may close before all is written.
        let _ = stream.write_all(&garbage).await;
        let _ = stream.shutdown().await;
        let _ = timeout(Duration::from_secs(2), stream.read_to_end(&mut Vec::new())).await;
    }
    // Some that connect and say nothing at all.
    let mut mute = Vec::new();
    for _ in 0..200 {
        mute.push(TcpStream::connect(address).await);
    }
    a.set_peers(&[b.peer()]);
    both_up(&mut a).await;
    both_up(&mut b).await;
    assert_eq!(a.endpoint.send(&b.key, ordinary("x")), Ok(PathKind::Quic));
    assert_eq!(b.until_frame().await, b"x");
}

async fn both_up(node: &mut Node) {
    node.until_up().await;
    node.until_up().await;
}
