//! A node: clock, randomness, disk, sockets and the pure crates, joined.
//!
//! ```text
//!   commands, HTTP ──▶ NodeHandle ──▶ one core thread ◀── frames ── transport
//!                        │ checks releases   │ owns all channels
//!                        ▼                   ▼
//!                   events, views ◀──── one record (SQLite), group commit
//! ```
//!
//! One thread owns every channel, so there is one order of things; it never waits for the disk, for
//! a peer or for a client. What costs time (release signatures, reading views) runs beside it.
//! A node never reads the root key after the first credential export.

pub mod api;
pub mod archive;
pub mod channels;
pub mod charter_file;
pub mod client;
pub mod compose;
mod core;
pub mod credential;
pub mod events;
pub mod export;
pub mod folder;
pub mod house_log;
pub mod http;
pub mod keys;
pub mod node;
pub mod officers;
pub mod offline;
pub mod peers;
pub mod refusal;
pub mod release;
pub mod store;

pub use folder::Folder;
pub use node::{NodeHandle, StartOptions, start};
pub use refusal::Refusal;
