//! Merkle log, checkpoints, cosignatures, proofs and tiles (RFC 6962, C2SP).
