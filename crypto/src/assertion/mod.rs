//! What an officer's key signed when a statement was released, and whether it holds.
//!
//! A *file key* signs the statement's hash under a label. A *passkey* signs what WebAuthn makes
//! it sign: data of the authenticator (which site, was a person there, was the person verified)
//! and the browser's account of the act, which holds the hash as its challenge. The receiver, the
//! exported journal's verifier and other teams' programs all judge it by these rules alone, so
//! this module needs no server framework and asks nobody.
//!
//! It says whether a key signed a statement. Which keys may, and how many, is the party's rule.
//! Source: `spec/release.md`; WebAuthn Level 3, section 7.2.

mod authenticator;
mod client_data;
mod proof;
mod release_key;
mod verify;

pub use authenticator::{AUTHENTICATOR_DATA_MAX, Flags};
pub use client_data::{CLIENT_DATA_MAX, ClientDataError};
pub use proof::{PROOF_BYTES_MAX, Proof, ProofDecodeError, SIGNATURES_MAX};
pub use release_key::{
    ORIGIN_BYTES_MAX, ORIGINS_MAX, Passkey, RP_ID_BYTES_MAX, ReleaseAlgorithm, ReleaseKey, ReleaseKeyError,
    ReleaseKeyKind, ReleasePublic,
};
pub use verify::{
    ReleaseEvidence, ReleaseSignature, ReleaseSignatureError, file_key_message, verify_release,
};
