//! Sealing: epochs, frames, control messages, wraps, the introduction.
//!
//! An epoch secret is shared with all readers of a channel; everything a party sends there is
//! sealed under keys drawn from it. A seal keeps relays out and hides lengths. It proves nothing
//! about who wrote: any reader could have made it, so only signatures inside count.
//!
//! ```text
//!  epoch secret ─ K("detente/1/frame", log) ──────────▶ frame key, nonce = form ‖ count ‖ first index
//!               ├ K("detente/1/control/k", party, run) ▶ control key, nonce = form ‖ 0 ‖ message count
//!               └ K("detente/1/salt", log, index) ─────▶ salt of a leaf
//! ```
//!
//! Source: `spec/sealing.md`.

mod control;
mod epoch;
mod frame;
mod header;
mod wrap;

pub use control::{ControlSealer, MessageKind, open_control, seal_control};
pub use epoch::{Epoch, EpochName, LogSeal};
pub use frame::{FrameContent, FrameEntry, OpenFrameError, SealFrameError, open_frame, seal_frame};
pub use header::{BUCKETS, Bucket, Form, Header, HeaderError, Kind, Sender};
pub use wrap::{
    Introduction, Reader, SealedFor, Wrap, WrapError, cover, introduce, kem_id, open_introduction, uncover,
};
