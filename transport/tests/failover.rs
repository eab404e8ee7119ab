//! Links come back: after a peer was stopped or killed, after a wire was cut, and when both dial at once.

mod common;

use std::time::{Duration, Instant};

use common::{BOTH, Node, linked, node, node_at, ordinary};
use detente_transport::bad_wire::{BadWire, Badness};
use detente_transport::{DownReason, PathEvent, PathKind, PathState, SILENCE_MAX};
use tokio::task::JoinSet;
use tokio::time::sleep;

/// What "at once" means for a link that comes back.
const SOON: Duration = Duration::from_secs(3);

#[tokio::test]
async fn a_listener_that_stops_and_returns_has_its_link_back_within_three_seconds() {
    for kind in BOTH {
        let (mut a, b) = linked(kind).await;
        let address = b.endpoint.local_addr();
        b.endpoint.close().await;
        a.until_down().await;
        sleep(Duration::from_secs(4)).await;
        let returned = Instant::now();
        let mut b = node_at(2, &[kind], address);
        b.set_peers(&[a.silent_peer()]);
        a.until_up().await;
        assert!(returned.elapsed() < SOON, "{kind}: {:?}", returned.elapsed());
        a.endpoint.send(&b.key, ordinary("again")).expect("the path is up");
        assert_eq!(b.until_frame().await, b"again");
    }
}

/// A killed process says no farewell over UDP, and its successor knows nothing of its connections.
/// Here the wire is cut while it goes, so that its farewell is lost.
#[tokio::test]
async fn a_killed_peer_that_started_again_is_noticed_before_its_silence_is() {
    let (mut a, mut b) = (node(1, &[PathKind::Quic]), node(2, &[PathKind::Quic]));
    let address = b.endpoint.local_addr();
    let wire = BadWire::new(1, address, Badness::default()).await.expect("a free port");
    b.set_peers(&[a.silent_peer()]);
    a.set_peers(&[b.peer_at(wire.local_addr())]);
    a.until_up().await;
    b.until_up().await;
    wire.cut(true);
    b.endpoint.close().await;
    let b = node_at(2, &[PathKind::Quic], address);
    b.set_peers(&[a.silent_peer()]);
    wire.cut(false);
    let mended = Instant::now();
    assert_eq!(a.until_down().await.event, PathEvent::Down { why: DownReason::EnvironmentBroken });
    a.until_up().await;
    assert!(mended.elapsed() < SOON, "{:?}", mended.elapsed());
}

#[tokio::test]
async fn a_peer_that_dials_again_needs_not_wait_until_its_dead_link_is_noticed() {
    for kind in BOTH {
        let (a, mut b) = linked(kind).await;
        let wire_less = b.peer();
        // Forgets all and starts again, as after a power cut, while the old process still holds its socket.
        let mut again = node(1, &[kind]);
        again.set_peers(&[wire_less]);
        again.until_up().await;
        assert_eq!(b.until_down().await.event, PathEvent::Down { why: DownReason::Replaced });
        b.until_up().await;
        drop(a);
    }
}

#[tokio::test]
async fn a_cut_wire_is_noticed_by_silence_and_a_mended_one_at_once() {
    let (tcp, quic) = tokio::join!(cut_and_mend(PathKind::Tcp), cut_and_mend(PathKind::Quic));
    for (noticed, back) in [tcp, quic] {
        assert!(noticed < SILENCE_MAX + Duration::from_secs(3), "noticed after {noticed:?}");
        assert!(back < SOON, "back after {back:?}");
    }
}

/// How long until the cut was noticed, and until the link was back after the wire was mended.
async fn cut_and_mend(kind: PathKind) -> (Duration, Duration) {
    let (mut a, mut b) = (node(1, &[kind]), node(2, &[kind]));
    let wire = BadWire::new(1, b.endpoint.local_addr(), Badness::default()).await.expect("a free port");
    b.set_peers(&[a.silent_peer()]);
    a.set_peers(&[b.peer_at(wire.local_addr())]);
    a.until_up().await;
    b.until_up().await;
    wire.cut(true);
    let cut = Instant::now();
    assert_eq!(a.until_down().await.event, PathEvent::Down { why: DownReason::EnvironmentSilent });
    assert_eq!(b.until_down().await.event, PathEvent::Down { why: DownReason::EnvironmentSilent });
    let noticed = cut.elapsed();
    sleep(Duration::from_secs(5)).await;
    wire.cut(false);
    let mended = Instant::now();
    a.until_up().await;
    b.until_up().await;
    (noticed, mended.elapsed())
}

#[tokio::test]
async fn a_nudge_dials_without_waiting_for_the_pause_to_pass() {
    let (mut a, mut b) = (node(1, &[PathKind::Tcp]), node(2, &[PathKind::Tcp]));
    a.set_peers(&[b.peer()]);
    sleep(Duration::from_secs(4)).await;
    b.set_peers(&[a.silent_peer()]);
    let nudged = Instant::now();
    a.endpoint.nudge();
    a.until_up().await;
    b.until_up().await;
    assert!(nudged.elapsed() < Duration::from_millis(500), "{:?}", nudged.elapsed());
}

#[tokio::test]
async fn when_both_dial_at_once_exactly_one_link_stays_and_both_know_which() {
    let mut rounds = JoinSet::new();
    for kind in BOTH {
        for delays_ms in [(0, 0), (150, 150), (150, 20), (20, 150), (300, 250)] {
            rounds.spawn(both_dial(kind, delays_ms));
        }
    }
    while let Some(round) = rounds.join_next().await {
        round.expect("exactly one link stayed");
    }
}

async fn both_dial(kind: PathKind, delays_ms: (u64, u64)) {
    let (mut a, mut b) = (node(1, &[kind]), node(2, &[kind]));
    let wire = async |to: &Node, delay_ms| {
        let badness = Badness { delay: Duration::from_millis(delay_ms), ..Badness::default() };
        BadWire::new(delay_ms, to.endpoint.local_addr(), badness).await.expect("a free port")
    };
    let (to_a, to_b) = (wire(&a, delays_ms.0).await, wire(&b, delays_ms.1).await);
    a.set_peers(&[b.peer_at(to_b.local_addr())]);
    b.set_peers(&[a.peer_at(to_a.local_addr())]);
    sleep(Duration::from_secs(4)).await;
    for node in [&mut a, &mut b] {
        let mut balance = 0;
        while let Some(report) = node.inbox.try_next() {
            balance += match report.event {
                PathEvent::Up { .. } => 1,
                PathEvent::Down { .. } => -1,
                _ => 0,
            };
        }
        assert_eq!(balance, 1, "{kind}, {delays_ms:?}: one link is up");
        let [status] = node.endpoint.status().try_into().expect("one path");
        assert!(matches!(status.state, PathState::Up { since, .. } if since > Duration::from_millis(500)));
    }
    a.endpoint.send(&b.key, ordinary("to b")).expect("the path is up");
    b.endpoint.send(&a.key, ordinary("to a")).expect("the path is up");
    assert_eq!(b.until_frame().await, b"to b");
    assert_eq!(a.until_frame().await, b"to a");
}

#[tokio::test]
async fn when_udp_is_lost_on_the_way_tcp_serves() {
    let (mut a, mut b) = (node(1, &BOTH), node(2, &BOTH));
    let wire = BadWire::new(1, b.endpoint.local_addr(), Badness::default()).await.expect("a free port");
    b.set_peers(&[a.silent_peer()]);
    a.set_peers(&[b.peer_at(wire.local_addr())]);
    a.until_up().await;
    a.until_up().await;
    wire.set(Badness { loss_per_mille: 1000, ..Badness::default() });
    assert_eq!(a.until_down().await.kind, PathKind::Quic);
    assert_eq!(a.endpoint.send(&b.key, ordinary("by tcp")), Ok(PathKind::Tcp));
    assert_eq!(b.until_frame().await, b"by tcp");
    wire.set(Badness::default());
    assert_eq!(a.until_up().await.kind, PathKind::Quic);
}
