//! Merkle log, checkpoints, cosignatures, proofs and tiles (RFC 6962, C2SP).

pub mod edge;
mod hash;
pub mod proof;
pub mod tree;

pub use edge::{Edge, EdgeError};
pub use hash::{Hash, sha256};
pub use proof::*;
pub use tree::*;
