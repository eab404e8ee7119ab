//! Paths between nodes: TLS 1.3 over TCP and QUIC, between keys that are known beforehand.
//!
//! ```text
//!  frames, sealed ──▶ Path::try_send ──▶ queue ──▶ link ═══ TLS 1.3 ═══▶ link ──▶ Inbox ──▶ frames, sealed
//!  (with urgency)                        (two)     (QUIC or TCP)                  (fair)
//! ```
//!
//! A node makes one [`Endpoint`], gives it its peers, sends frames and reads [`Report`]s. Links come
//! up by themselves and come back by themselves; both sides may dial, one link of each kind stays.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use detente_transport::{Endpoint, EndpointConfig, LinkSecret, Outgoing, PathEvent, PeerLink, Urgency};
//!
//! let (altair, vega) = (LinkSecret::from_seed(&[1; 32]), LinkSecret::from_seed(&[2; 32]));
//! let (altair_key, vega_key) = (altair.public(), vega.public());
//! let any_port = "127.0.0.1:0".parse()?;
//! let (altair, mut altair_inbox) = Endpoint::bind(EndpointConfig::new(any_port, altair))?;
//! let (vega, mut vega_inbox) = Endpoint::bind(EndpointConfig::new(any_port, vega))?;
//! vega.set_peers(vec![PeerLink { key: altair_key, addresses: vec![altair.local_addr().to_string()] }])?;
//! altair.set_peers(vec![PeerLink { key: vega_key, addresses: vec![vega.local_addr().to_string()] }])?;
//!
//! while !matches!(altair_inbox.next().await.event, PathEvent::Up { .. }) {}
//! altair.send(&vega_key, Outgoing { frame: b"sealed".to_vec().into(), urgency: Urgency::Ordinary })?;
//! loop {
//!     let report = vega_inbox.next().await;
//!     if let PathEvent::Frame { frame, .. } = report.event {
//!         assert_eq!((report.peer, frame.as_slice()), (altair_key, b"sealed".as_slice()));
//!         break;
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! What this crate deliberately does not do: it does not read frames, does not promise delivery,
//! does not retry a frame and keeps nothing on disk. It sees sizes and times, never
//! contents: those are sealed end to end before they come here. What a link adds is knowing which
//! machine one talks to, and keeping from the network which frame is which.
//!
//! - Keys: raw Ed25519 keys (RFC 7250), pinned; no certificates, no names, no dates.
//! - Key exchange: X25519MLKEM768 and nothing else. No resumption, no 0-RTT.
//! - Bounds: every queue has a named maximum, see the constants.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod accept;
mod admission;
#[cfg(feature = "bad-wire")]
pub mod bad_wire;
mod connection;
mod context;
mod dial;
mod endpoint;
mod framing;
#[cfg(test)]
mod hostile;
mod inbox;
mod key;
mod link;
mod path;
mod peers;
mod queue;
mod quic;
mod slot;
mod tcp;
mod tls;

pub use admission::{
    AcceptFrom, HANDSHAKES_KNOWN_MAX, HANDSHAKES_NETWORK_MAX, HANDSHAKES_STRANGE_MAX, HANDSHAKES_UNPROVED_MAX,
};
pub use context::HANDSHAKE_MAX;
pub use dial::REDIAL_MAX;
pub use endpoint::{BindError, Endpoint, EndpointConfig, PathStatus, Refusals};
pub use inbox::{
    EMERGENCY_RUN_MAX, INBOX_BYTES_MAX, INBOX_CHANGES_MAX, INBOX_FRAMES_MAX, Inbox, InboxClosed, Source,
    Sources, inbox,
};
pub use key::{LinkKey, LinkSecret};
pub use link::{SIGN_OF_LIFE_EVERY, SILENCE_MAX};
pub use path::{
    DownReason, FRAME_BYTES_MAX, Outgoing, Path, PathEvent, PathKind, PathLimits, PathState, Report,
    SendError, Urgency,
};
pub use peers::{ADDRESSES_MAX, PEERS_MAX, PeerLink, TooManyPeers};
pub use queue::{EMERGENCY_BYTES_MAX, EMERGENCY_FRAMES_MAX, ORDINARY_BYTES_MAX, ORDINARY_FRAMES_MAX};
pub use tls::{ALPN, X25519MLKEM768};
