//! The one place that names algorithms: suite 1, and the verification of release assertions.
//!
//! Every other crate asks a [`Suite`] for what it needs and carries it as `&'static dyn Suite`;
//! nobody else names SHA-512, a curve or a lattice. There is no negotiation: a log is written in
//! one suite, and another suite is another generation.
//!
//! ```text
//!   protocol, transparency, node
//!        │ &'static dyn Suite
//!        ▼
//!   Suite ── Ed25519 · ML-DSA-44 · HPKE with X-Wing      Suite1 (and Suite0 in simulated worlds)
//!        └── HKDF-SHA-256 · ChaCha20-Poly1305 · ES256    the same in both
//!   root        both signatures of a party's root key must verify
//!   assertion   what a passkey or a file key signed when an officer released a statement
//! ```
//!
//! It deliberately does no I/O, reads no clock and draws no randomness: random bytes are arguments,
//! so the same call gives the same bytes. It stores no keys and does not decide who may release.
//!
//! ```
//! use detente_crypto::{SUITE_1, Suite as _, sha256};
//!
//! let signer = SUITE_1.ed25519_signer(&[7; 32]);
//! let signature = signer.sign(b"detente/1/example\0hello");
//! assert!(SUITE_1.ed25519_verify(signer.public(), b"detente/1/example\0hello", &signature));
//! assert!(!SUITE_1.ed25519_verify(signer.public(), b"detente/1/example\0hullo", &signature));
//! assert_eq!(sha256(&[b"hel", b"lo"]), sha256(&[b"hello"]));
//! ```
//!
//! Source: `spec/crypto.md`.

pub mod assertion;
mod ed25519;
pub mod es256;
mod hash;
mod hybrid;
mod mldsa;
pub mod root;
mod secret;
#[cfg(feature = "simulation")]
mod simulation;
mod suite;
mod symmetric;

pub use ed25519::{Ed25519Signer, Ed25519Verifier};
pub use hash::{HASH_BYTES, Hash, labelled_hash, sha256};
pub use mldsa::{MlDsaSigner, MlDsaVerifier};
pub use secret::Secret;
#[cfg(feature = "simulation")]
pub use simulation::{SUITE_0, Suite0};
pub use suite::{
    AEAD_KEY_BYTES, AEAD_NONCE_BYTES, AEAD_TAG_BYTES, ED25519_PUBLIC_BYTES, ED25519_SIGNATURE_BYTES,
    HPKE_INFO_MAX, HPKE_OVERHEAD_BYTES, KEM_ENCAPSULATION_BYTES, KEM_PUBLIC_BYTES, KEM_RANDOM_BYTES,
    MLDSA_PUBLIC_BYTES, MLDSA_SIGNATURE_BYTES, OpenError, PublicKeyError, SEED_BYTES, SUITE_1, SealError,
    Suite, Suite1,
};
