//! Deterministic CBOR, names, words and time: the bytes that are hashed and signed.
//!
//! Everything two independent teams must agree on before any cryptography starts: how a value
//! becomes bytes ([`cbor`]), how bytes become names people can copy ([`text`]), how a key becomes
//! eight words people can compare ([`words`]), and what a moment is ([`Timestamp`]).
//!
//! It deliberately knows no algorithm, no channel and no format. Source: `spec/encoding.md`.

pub mod cbor;
pub mod text;
mod time;
pub mod words;

pub use time::{TimeError, Timestamp};
