//! The HTTP interface: for programs over TCP with a token, for commands over the control socket.
//!
//! ```text
//!   TCP (localhost, or TLS at the origin) ─┐   name and token          ┌─ messages: read, checked, entered
//!   run/control.sock (the folder's owner) ─┴─▶ checked before the body ┼─ views: one question each
//!                                                                      └─ events: a stream
//! ```
//! Nothing here gives a right to release: a statement is entered when the signatures of persons
//! satisfy the rule, whoever brings it. Loopback serves plain HTTP at the name `localhost` alone;
//! every other address needs a certificate and its origin in `node.toml`, or the node does not start.

pub mod error;
mod guard;
mod keys;
mod metrics;
mod openapi;
mod routes;
mod serve;
mod stream;
pub mod tokens;

pub use serve::{ServeError, Server, serve};
