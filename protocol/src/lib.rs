//! The rules of a channel: statements, release, logs, frames, replication, fold, verification.
//!
//! Everything a party says on a channel is an entry in its own log; delivery is replication of
//! that log; a receipt is the other party's cosignature on it; what people see is a fold over the
//! logs and cosignatures. This crate is those four sentences as code.
//!
//! It reads no clock, draws no randomness, opens no file and no socket: time and nonces are
//! arguments, and what must become durable or be sent is an output. The rules it implements stand
//! in `spec/`, and every module names its page.

pub mod channel;
pub mod charter;
pub mod credential;
mod cursor;
pub mod diagnosis;
mod dictionary;
pub mod entry;
pub mod export;
pub mod fields;
pub mod fold;
pub mod judge;
pub mod limits;
pub mod names;
pub mod order;
pub mod release;
pub mod roster;
pub mod sealing;
pub mod seen;
pub mod statement;
pub mod verify;
