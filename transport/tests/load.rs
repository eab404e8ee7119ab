//! Under load: memory stays bounded, nothing accepted is lost on a live link, emergencies overtake.

mod common;

use std::time::Duration;

use common::{BOTH, linked, node, ordinary, outgoing};
use detente_transport::bad_wire::{BadWire, Badness};
use detente_transport::{
    EMERGENCY_FRAMES_MAX, INBOX_BYTES_MAX, ORDINARY_BYTES_MAX, PathEvent, PathKind, SendError, Urgency,
};
use tokio::time::sleep;

const FRAME_BYTES: usize = 4096;
/// What may be under way in sockets and streams, both ends together, rounded up.
const UNDER_WAY_BYTES: usize = 4 << 20;

#[tokio::test]
async fn a_flood_meets_back_pressure_and_all_that_was_accepted_arrives() {
    for kind in BOTH {
        let (mut a, mut b) = linked(kind).await;
        let mut accepted = 0u32;
        let mut full_in_a_row = 0;
        // Nobody reads at b; the flood ends when there has been no room for a second.
        while full_in_a_row < 100 {
            let mut frame = vec![0; FRAME_BYTES];
            frame[..4].copy_from_slice(&accepted.to_be_bytes());
            match a.endpoint.send(&b.key, ordinary(frame)) {
                Ok(_) => (accepted, full_in_a_row) = (accepted + 1, 0),
                Err(SendError::EnvironmentFull) => {
                    full_in_a_row += 1;
                    sleep(Duration::from_millis(10)).await;
                }
                Err(error) => panic!("{kind}: {error}"),
            }
        }
        let bound = (ORDINARY_BYTES_MAX + INBOX_BYTES_MAX + UNDER_WAY_BYTES) / FRAME_BYTES;
        assert!((accepted as usize) < bound, "{kind}: {accepted} frames were taken");
        // An emergency still has room of its own.
        assert_eq!(a.endpoint.send(&b.key, outgoing(Urgency::Emergency, "flash")), Ok(kind));
        let mut next = 0u32;
        while next < accepted {
            let frame = b.until_frame().await;
            if frame != b"flash" {
                assert_eq!(frame[..4], next.to_be_bytes());
                next += 1;
            }
        }
        a.until(|event| *event == PathEvent::Writable).await;
        assert!(a.endpoint.send(&b.key, ordinary("more")).is_ok());
    }
}

#[tokio::test]
async fn an_emergency_overtakes_what_waits_on_a_slow_wire() {
    for kind in BOTH {
        let (mut a, mut b) = (node(1, &[kind]), node(2, &[kind]));
        let slow = Badness { bytes_per_s: 1_000_000, ..Badness::default() };
        let wire = BadWire::new(7, b.endpoint.local_addr(), slow).await.expect("a free port");
        b.set_peers(&[a.silent_peer()]);
        a.set_peers(&[b.peer_at(wire.local_addr())]);
        a.until_up().await;
        b.until_up().await;
        let ordinary_count = 1000;
        for _ in 0..ordinary_count {
            a.endpoint.send(&b.key, ordinary(vec![1; FRAME_BYTES])).expect("this many fit");
        }
        sleep(Duration::from_millis(200)).await;
        a.endpoint.send(&b.key, outgoing(Urgency::Emergency, "flash")).expect("room for emergencies");
        let mut before = 0;
        while b.until_frame().await != b"flash" {
            before += 1;
        }
        // 200 ms of the wire are 50 frames; the rest of the allowance is what its buffers hold.
        assert!(before < ordinary_count / 2, "{kind}: {before} ordinary frames came first");
    }
}

#[tokio::test]
async fn a_peer_that_reads_nothing_cannot_make_emergencies_pile_up() {
    let (a, b) = linked(PathKind::Tcp).await;
    let mut accepted = 0;
    for _ in 0..200 {
        while a.endpoint.send(&b.key, outgoing(Urgency::Emergency, vec![0; FRAME_BYTES])).is_ok() {
            accepted += 1;
        }
        sleep(Duration::from_millis(5)).await;
    }
    let bound = EMERGENCY_FRAMES_MAX + (INBOX_BYTES_MAX + UNDER_WAY_BYTES) / FRAME_BYTES;
    assert!(accepted < bound, "{accepted} emergency frames were taken");
}

#[tokio::test]
async fn quic_brings_all_frames_over_a_wire_that_loses_and_reorders() {
    let (mut a, mut b) = (node(1, &[PathKind::Quic]), node(2, &[PathKind::Quic]));
    let bad = Badness {
        delay: Duration::from_millis(10),
        jitter: Duration::from_millis(10),
        loss_per_mille: 30,
        ..Badness::default()
    };
    let wire = BadWire::new(42, b.endpoint.local_addr(), bad).await.expect("a free port");
    b.set_peers(&[a.silent_peer()]);
    a.set_peers(&[b.peer_at(wire.local_addr())]);
    a.until_up().await;
    b.until_up().await;
    for index in 0..300u32 {
        let urgency = if index % 10 == 0 { Urgency::Emergency } else { Urgency::Ordinary };
        a.endpoint.send(&b.key, outgoing(urgency, index.to_be_bytes().repeat(100))).expect("this many fit");
    }
    let mut seen = std::collections::BTreeSet::new();
    while seen.len() < 300 {
        assert!(seen.insert(b.until_frame().await), "no frame comes twice");
    }
}
