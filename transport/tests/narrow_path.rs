//! A path of another kind: what a radio of 222 bytes a frame needs, with nothing but the public contract.

mod common;

use std::sync::Mutex;

use common::{node, ordinary};
use detente_transport::{
    LinkKey, LinkSecret, Outgoing, Path, PathEvent, PathKind, PathLimits, PathState, SendError, Source,
    Urgency,
};

/// A radio whose air is a list.
struct Radio {
    peer: LinkKey,
    air: Mutex<Vec<Outgoing>>,
    source: Source,
}

impl Path for Radio {
    fn name(&self) -> String {
        "radio".into()
    }

    fn kind(&self) -> PathKind {
        PathKind::Radio
    }

    fn peer(&self) -> LinkKey {
        self.peer
    }

    fn limits(&self) -> PathLimits {
        PathLimits::NARROW
    }

    fn state(&self) -> PathState {
        PathState::Down { since: std::time::Duration::ZERO, why: None, heard: None }
    }

    fn try_send(&self, outgoing: Outgoing) -> Result<(), SendError> {
        let frame_bytes_max = self.limits().frame_bytes_max;
        if outgoing.frame.len() > frame_bytes_max {
            return Err(SendError::LocalTooLong { frame_bytes_max });
        }
        self.air.lock().expect("no test thread panicked").push(outgoing);
        Ok(())
    }
}

#[tokio::test]
async fn a_radio_reports_into_the_same_inbox_and_its_limit_is_known_before_sending() {
    let mut node = node(1, &[PathKind::Tcp]);
    let peer = LinkSecret::from_seed(&[2; 32]).public();
    let source = node.endpoint.sources().source(peer, PathKind::Radio);
    let radio = Radio { peer, air: Mutex::default(), source };
    let path: &dyn Path = &radio;
    let limits = path.limits();
    assert!(limits.frame_bytes_max >= 222 && !limits.heartbeats);
    assert_eq!(path.try_send(ordinary(vec![0; 222])), Ok(()));
    assert_eq!(path.try_send(ordinary(vec![0; 223])), Err(SendError::LocalTooLong { frame_bytes_max: 222 }));
    let frame = PathEvent::Frame { urgency: Urgency::Emergency, frame: vec![1; 222] };
    radio.source.report(frame.clone()).await.expect("the inbox is open");
    let report = node.next().await;
    assert_eq!((report.peer, report.kind, report.event), (peer, PathKind::Radio, frame));
}
