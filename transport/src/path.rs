//! The contract of a path: one way of getting frames to one peer.
//!
//! A frame is opaque here: sealed and authenticated end to end by the layer above. A path may lose
//! it, delay it and change the order of frames; it carries each at most once, whole, or not at all.
//! Only signed facts in the layer above end a retry, so a path never promises delivery and
//! `try_send` answering `Ok` means no more than "queued". A second transmission, over this or
//! another path, is always harmless.
//!
//! Relays, bundles (RFC 9171), radios and files implement the same trait. What differs between
//! them is said in [`PathLimits`], and the layer above must read it before it composes: on a line
//! that takes 222 bytes at 75 bit/s it sends one bare frame, no heartbeat, and the post-quantum
//! signature later. A path never splits a frame and never joins two.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;

use crate::key::LinkKey;

/// Largest frame any path carries, in bytes: leaf data of 65,535 with its header, signatures and seal.
pub const FRAME_BYTES_MAX: usize = 66_200;

/// What carries a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum PathKind {
    /// QUIC over UDP (RFC 9000).
    Quic,
    /// TLS over TCP.
    Tcp,
    /// A mailbox at a relay that both sides can reach.
    Relay,
    /// Store and forward (RFC 9171).
    Bundle,
    /// A radio channel with small frames.
    Radio,
    /// Files or printed codes, carried by hand.
    File,
}

impl fmt::Display for PathKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Quic => "quic",
            Self::Tcp => "tcp",
            Self::Relay => "relay",
            Self::Bundle => "bundle",
            Self::Radio => "radio",
            Self::File => "file",
        })
    }
}

/// How frames queue: an emergency frame overtakes every ordinary one that is not yet on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Urgency {
    /// All that is not an emergency.
    Ordinary,
    /// Frames of the emergency lane, and the receipts of such frames.
    Emergency,
}

/// A frame to send. Cloning copies no bytes, so one frame may go over several paths.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// 1 to [`FRAME_BYTES_MAX`] bytes, or fewer where [`PathLimits::frame_bytes_max`] says so.
    pub frame: Bytes,
    /// Which queue it joins.
    pub urgency: Urgency,
}

/// What a path can carry. Constant while the path exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathLimits {
    /// Largest frame, in bytes. A longer one is refused with [`SendError::LocalTooLong`].
    pub frame_bytes_max: usize,
    /// Roughly how many bits pass in a second; `None` where the line is never what one waits for.
    /// At 75 bit/s a frame of 222 bytes takes 24 s: send what matters, once, and in the right order.
    pub bits_per_s: Option<u64>,
    /// Nothing comes back this way (a broadcast, a diode): expect no receipt over it, and do not
    /// take silence for absence.
    pub one_way: bool,
    /// Whether heartbeats may be sent. Where not, only tests and messages measure the line.
    pub heartbeats: bool,
    /// Order of preference among paths that are up: the lowest first. Equal costs are used alike.
    pub cost: u32,
}

impl PathLimits {
    /// The narrowest line the product is designed for: 222 bytes a frame at 75 bit/s, both ways.
    /// A path with these limits is what any composing code must be tested against.
    pub const NARROW: Self =
        Self { frame_bytes_max: 222, bits_per_s: Some(75), one_way: false, heartbeats: false, cost: 100 };
}

/// One way of getting frames to one peer.
///
/// All methods answer at once; none waits for the network. What happens on the path comes as
/// [`Report`]s through the [`Source`](crate::Source) that was given when the path was made, in this
/// order: `Up`, then frames, then `Down`, and so on. Frames received before a `Down` may come after
/// it, since changes of state overtake frames.
pub trait Path: Send + Sync {
    /// A name for operators, unique among the paths to one peer; without keys or addresses.
    fn name(&self) -> String;

    /// What carries it.
    fn kind(&self) -> PathKind;

    /// The peer at its other end. For a relay that is the peer behind it, not the relay.
    fn peer(&self) -> LinkKey;

    /// What it can carry.
    fn limits(&self) -> PathLimits;

    /// How it is now.
    fn state(&self) -> PathState;

    /// Queues a frame.
    ///
    /// # Errors
    /// [`SendError`]; the frame is then not queued, and the path is as it was.
    fn try_send(&self, outgoing: Outgoing) -> Result<(), SendError>;
}

/// Why a frame was not queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendError {
    /// The path is down, or the peer unknown. Offer the frame again after [`PathEvent::Up`], or to another path.
    EnvironmentDown,
    /// The queue of this urgency is full: the peer or the line is slower than what is sent. Offer
    /// the frame again after [`PathEvent::Writable`].
    EnvironmentFull,
    /// The frame is longer than this path carries. Another path may take it.
    LocalTooLong {
        /// What the path carries, in bytes.
        frame_bytes_max: usize,
    },
    /// A frame has at least one byte.
    LocalEmpty,
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EnvironmentDown => f.write_str("the path is down"),
            Self::EnvironmentFull => f.write_str("the queue of the path is full"),
            Self::LocalTooLong { frame_bytes_max } => {
                write!(f, "the path carries at most {frame_bytes_max} bytes")
            }
            Self::LocalEmpty => f.write_str("a frame has at least one byte"),
        }
    }
}

impl std::error::Error for SendError {}

/// How a path is at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathState {
    /// It has a live link, or for paths without links: it may be used.
    Up {
        /// How long it has been so.
        since: Duration,
        /// How long ago the last byte came from the peer; at most [`SILENCE_MAX`](crate::SILENCE_MAX) on a link.
        heard: Duration,
        /// The peer's address, where there is one.
        remote: Option<SocketAddr>,
    },
    /// It cannot be used now.
    Down {
        /// How long it has been so.
        since: Duration,
        /// Why it went down; `None` before the first link.
        why: Option<DownReason>,
        /// How long ago the last byte came from the peer; `None` if never since the start.
        heard: Option<Duration>,
    },
}

/// Something that happened on a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The peer, known by its link key, at the other end.
    pub peer: LinkKey,
    /// Which of the paths to it.
    pub kind: PathKind,
    /// What happened.
    pub event: PathEvent,
}

/// What happened on a path.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PathEvent {
    /// Both sides have proved their keys and the first bytes have come back.
    Up {
        /// The negotiated key exchange group (IANA number); [`X25519MLKEM768`](crate::X25519MLKEM768)
        /// on every link. `None` for paths without a handshake of their own.
        group: Option<u16>,
        /// The peer's address, where there is one.
        remote: Option<SocketAddr>,
    },
    /// The link is gone; frames that were queued or under way may be lost.
    Down {
        /// Why.
        why: DownReason,
    },
    /// After [`SendError::EnvironmentFull`]: there is room again.
    Writable,
    /// A frame came: 1 to [`FRAME_BYTES_MAX`] bytes. Authentic only as far as its seal says.
    Frame {
        /// What the sender said it was; it only orders queues.
        urgency: Urgency,
        /// The bytes as they were handed to `try_send` on the other side.
        frame: Vec<u8>,
    },
}

/// Why a path is down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DownReason {
    /// The peer ended the link in good order (it stops, or no longer lists us).
    PeerClosed,
    /// The peer sent what no node sends: a frame too long or an unknown kind.
    PeerMalformed,
    /// The connection broke: reset, cut, unreachable.
    EnvironmentBroken,
    /// Nothing came for [`SILENCE_MAX`](crate::SILENCE_MAX).
    EnvironmentSilent,
    /// A newer link to the same peer took its place; `Up` follows at once.
    Replaced,
    /// The peer was taken off the list, or the endpoint closed.
    LocalRemoved,
}

impl fmt::Display for DownReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PeerClosed => "closed by the peer",
            Self::PeerMalformed => "the peer sent what no node sends",
            Self::EnvironmentBroken => "connection broken",
            Self::EnvironmentSilent => "silent",
            Self::Replaced => "replaced by a newer link",
            Self::LocalRemoved => "taken off the list",
        })
    }
}
