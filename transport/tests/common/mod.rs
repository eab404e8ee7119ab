//! Two nodes on loopback, and waiting for what they report.
#![allow(dead_code, unreachable_pub, missing_docs, reason = "each test file uses a part of it")]

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use detente_transport::{
    Endpoint, EndpointConfig, Inbox, LinkKey, LinkSecret, Outgoing, PathEvent, PathKind, PeerLink, Report,
    Urgency,
};
use tokio::time::timeout;

/// Long for loopback, and short for somebody who waits for a test that fails.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub const BOTH: [PathKind; 2] = [PathKind::Quic, PathKind::Tcp];

pub struct Node {
    pub endpoint: Endpoint,
    pub inbox: Inbox,
    pub key: LinkKey,
}

pub fn loopback(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

/// A node with the key of `seed` on any free port.
pub fn node(seed: u8, kinds: &[PathKind]) -> Node {
    node_at(seed, kinds, loopback(0))
}

pub fn node_at(seed: u8, kinds: &[PathKind], listen: SocketAddr) -> Node {
    let secret = LinkSecret::from_seed(&[seed; 32]);
    let key = secret.public();
    let config = EndpointConfig { kinds: kinds.to_vec(), ..EndpointConfig::new(listen, secret) };
    let (endpoint, inbox) = Endpoint::bind(config).expect("loopback has free ports");
    Node { endpoint, inbox, key }
}

impl Node {
    /// This node as a peer that can be dialled.
    pub fn peer(&self) -> PeerLink {
        self.peer_at(self.endpoint.local_addr())
    }

    pub fn peer_at(&self, address: SocketAddr) -> PeerLink {
        PeerLink { key: self.key, addresses: vec![address.to_string()] }
    }

    /// This node as a peer that only dials.
    pub fn silent_peer(&self) -> PeerLink {
        PeerLink { key: self.key, addresses: Vec::new() }
    }

    pub fn set_peers(&self, peers: &[PeerLink]) {
        self.endpoint.set_peers(peers.to_vec()).expect("few peers");
    }

    pub async fn next(&mut self) -> Report {
        timeout(PATIENCE, self.inbox.next()).await.expect("a report within the time")
    }

    pub async fn until(&mut self, wanted: impl Fn(&PathEvent) -> bool) -> Report {
        loop {
            let report = self.next().await;
            if wanted(&report.event) {
                return report;
            }
        }
    }

    pub async fn until_up(&mut self) -> Report {
        self.until(|event| matches!(event, PathEvent::Up { .. })).await
    }

    pub async fn until_down(&mut self) -> Report {
        self.until(|event| matches!(event, PathEvent::Down { .. })).await
    }

    pub async fn until_frame(&mut self) -> Vec<u8> {
        match self.until(|event| matches!(event, PathEvent::Frame { .. })).await.event {
            PathEvent::Frame { frame, .. } => frame,
            _ => unreachable!("until() answers what was wanted"),
        }
    }

    /// Whether nothing wanted comes within `quiet`.
    pub async fn nothing(&mut self, quiet: Duration, unwanted: impl Fn(&PathEvent) -> bool) -> bool {
        let wait = async {
            loop {
                if unwanted(&self.inbox.next().await.event) {
                    return;
                }
            }
        };
        timeout(quiet, wait).await.is_err()
    }
}

pub fn outgoing(urgency: Urgency, frame: impl Into<Vec<u8>>) -> Outgoing {
    Outgoing { frame: frame.into().into(), urgency }
}

pub fn ordinary(frame: impl Into<Vec<u8>>) -> Outgoing {
    outgoing(Urgency::Ordinary, frame)
}

/// Two nodes of one kind with a link between them; `a` dials.
pub async fn linked(kind: PathKind) -> (Node, Node) {
    let (mut a, mut b) = (node(1, &[kind]), node(2, &[kind]));
    b.set_peers(&[a.silent_peer()]);
    a.set_peers(&[b.peer()]);
    a.until_up().await;
    b.until_up().await;
    (a, b)
}
