//! The algorithms of a suite behind one trait.
//!
//! Object safe, without state: callers carry `&'static dyn Suite`. What a suite may choose are the
//! signatures and the public-key encryption; hashing, HKDF, ChaCha20-Poly1305 and ES256 are the
//! same in all of them, so they are provided methods. Keys that are used often are prepared once
//! ([`Ed25519Signer`], [`Ed25519Verifier`], …); the short forms prepare them at each call.
//! Source: `spec/crypto.md`, section 1.

use core::fmt;

use crate::ed25519::{Ed25519Signer, Ed25519Verifier};
use crate::mldsa::{MlDsaSigner, MlDsaVerifier};
use crate::{es256, hybrid, symmetric};

/// Bytes of every private seed: Ed25519, ML-DSA-44, X-Wing.
pub const SEED_BYTES: usize = 32;
/// Bytes of an Ed25519 public key (RFC 8032).
pub const ED25519_PUBLIC_BYTES: usize = 32;
/// Bytes of an Ed25519 signature: R, then S (RFC 8032).
pub const ED25519_SIGNATURE_BYTES: usize = 64;
/// Bytes of an ML-DSA-44 public key (FIPS 204, table 2).
pub const MLDSA_PUBLIC_BYTES: usize = 1312;
/// Bytes of an ML-DSA-44 signature (FIPS 204, table 2).
pub const MLDSA_SIGNATURE_BYTES: usize = 2420;
/// Bytes of an X-Wing public key: ML-KEM-768, then X25519.
pub const KEM_PUBLIC_BYTES: usize = 1216;
/// Bytes of an X-Wing encapsulation: ML-KEM-768, then X25519.
pub const KEM_ENCAPSULATION_BYTES: usize = 1120;
/// Random bytes one sealing takes: 32 for ML-KEM-768, then 32 for X25519.
pub const KEM_RANDOM_BYTES: usize = 64;
/// Bytes of a ChaCha20-Poly1305 key.
pub const AEAD_KEY_BYTES: usize = 32;
/// Bytes of a ChaCha20-Poly1305 nonce.
pub const AEAD_NONCE_BYTES: usize = 12;
/// Bytes by which sealing lengthens a plaintext.
pub const AEAD_TAG_BYTES: usize = 16;
/// Bytes by which HPKE lengthens a plaintext: encapsulation before it, tag behind it.
pub const HPKE_OVERHEAD_BYTES: usize = KEM_ENCAPSULATION_BYTES + AEAD_TAG_BYTES;
/// The longest HPKE `info`. Ours has about 300 bytes; the key schedule must frame its length.
pub const HPKE_INFO_MAX: usize = 4096;

const _: () = assert!(KEM_ENCAPSULATION_BYTES == 1088 + 32 && KEM_PUBLIC_BYTES == 1184 + 32);

/// The suite every party uses: Ed25519, ML-DSA-44, HPKE with X-Wing. It has no state.
#[derive(Clone, Copy, Debug, Default)]
pub struct Suite1;

/// Suite 1, ready to be passed around.
pub static SUITE_1: &dyn Suite = &Suite1;

/// The algorithms one log, one wrap or one credential is written with.
pub trait Suite: fmt::Debug + Send + Sync {
    /// The number that stands in a generation entry: 1 for [`Suite1`].
    fn number(&self) -> u8;

    /// Prepares an Ed25519 private key from its 32-byte seed (RFC 8032, section 5.1.5).
    fn ed25519_signer(&self, seed: &[u8; SEED_BYTES]) -> Ed25519Signer;

    /// Prepares an Ed25519 public key.
    ///
    /// # Errors
    /// [`PublicKeyError`] for bytes that are no canonical point or a point of small order.
    fn ed25519_verifier(
        &self,
        public: &[u8; ED25519_PUBLIC_BYTES],
    ) -> Result<Ed25519Verifier, PublicKeyError>;

    /// Prepares an ML-DSA-44 private key from its 32-byte seed (FIPS 204, algorithm 6).
    fn mldsa_signer(&self, seed: &[u8; SEED_BYTES]) -> MlDsaSigner;

    /// Prepares an ML-DSA-44 public key. Any 1,312 bytes are one.
    fn mldsa_verifier(&self, public: &[u8; MLDSA_PUBLIC_BYTES]) -> MlDsaVerifier;

    /// The public key of an X-Wing seed.
    fn kem_public(&self, seed: &[u8; SEED_BYTES]) -> [u8; KEM_PUBLIC_BYTES];

    /// Seals `plaintext` for the owner of `public` (HPKE base mode, one message): encapsulation
    /// (1,120 bytes), then ciphertext and tag. `randomness` must be fresh for each call.
    ///
    /// # Errors
    /// [`SealError`] when `public` is no usable key.
    ///
    /// # Panics
    /// If `info` is longer than [`HPKE_INFO_MAX`]: we write it ourselves.
    fn hpke_seal(
        &self,
        public: &[u8; KEM_PUBLIC_BYTES],
        info: &[u8],
        aad: &[u8],
        plaintext: &[u8],
        randomness: &[u8; KEM_RANDOM_BYTES],
    ) -> Result<Vec<u8>, SealError>;

    /// Opens what [`Suite::hpke_seal`] made for the owner of `seed`, with the same `info` and `aad`.
    ///
    /// # Errors
    /// [`OpenError`]; nothing of the plaintext is shown.
    ///
    /// # Panics
    /// If `info` is longer than [`HPKE_INFO_MAX`].
    fn hpke_open(
        &self,
        seed: &[u8; SEED_BYTES],
        info: &[u8],
        aad: &[u8],
        sealed: &[u8],
    ) -> Result<Vec<u8>, OpenError>;

    /// The Ed25519 public key of a seed.
    fn ed25519_public(&self, seed: &[u8; SEED_BYTES]) -> [u8; ED25519_PUBLIC_BYTES] {
        *self.ed25519_signer(seed).public()
    }

    /// Signs once. Keep an [`Ed25519Signer`] where more follow.
    fn ed25519_sign(&self, seed: &[u8; SEED_BYTES], message: &[u8]) -> [u8; ED25519_SIGNATURE_BYTES] {
        self.ed25519_signer(seed).sign(message)
    }

    /// Verifies once. False also for a public key that [`Suite::ed25519_verifier`] refuses and for
    /// a signature that is not 64 bytes long.
    fn ed25519_verify(&self, public: &[u8; ED25519_PUBLIC_BYTES], message: &[u8], signature: &[u8]) -> bool {
        self.ed25519_verifier(public).is_ok_and(|key| key.verify(message, signature))
    }

    /// The ML-DSA-44 public key of a seed.
    fn mldsa_public(&self, seed: &[u8; SEED_BYTES]) -> [u8; MLDSA_PUBLIC_BYTES] {
        *self.mldsa_signer(seed).public()
    }

    /// Signs once, in the deterministic variant, with the empty context.
    fn mldsa_sign(&self, seed: &[u8; SEED_BYTES], message: &[u8]) -> [u8; MLDSA_SIGNATURE_BYTES] {
        self.mldsa_signer(seed).sign(message)
    }

    /// Verifies once, with the empty context. False for a signature of another length.
    fn mldsa_verify(&self, public: &[u8; MLDSA_PUBLIC_BYTES], message: &[u8], signature: &[u8]) -> bool {
        self.mldsa_verifier(public).verify(message, signature)
    }

    /// Verifies ES256 (ECDSA over P-256 with SHA-256): `public` is a compressed point (33 bytes),
    /// `signature` is r, s (64 bytes) with s at most half the order. Used for release keys only.
    fn es256_verify(&self, public: &[u8; es256::PUBLIC_BYTES], message: &[u8], signature: &[u8]) -> bool {
        es256::verify(public, message, signature)
    }

    /// Fills `out` by HKDF-SHA-256 (RFC 5869: extract with `salt`, expand with `info`).
    ///
    /// # Panics
    /// If `out` is longer than 8,160 bytes, the most HKDF can give.
    fn hkdf(&self, secret: &[u8], salt: &[u8], info: &[u8], out: &mut [u8]) {
        symmetric::hkdf(secret, salt, info, out);
    }

    /// Seals with ChaCha20-Poly1305 (RFC 8439): ciphertext, then 16 bytes of tag. One key and nonce
    /// must never meet two plaintexts; the caller's nonce rule sees to that.
    fn aead_seal(
        &self,
        key: &[u8; AEAD_KEY_BYTES],
        nonce: &[u8; AEAD_NONCE_BYTES],
        aad: &[u8],
        plaintext: &[u8],
    ) -> Vec<u8> {
        symmetric::aead_seal(key, nonce, aad, plaintext)
    }

    /// Opens what [`Suite::aead_seal`] made.
    ///
    /// # Errors
    /// [`OpenError`]; nothing of the plaintext is shown.
    fn aead_open(
        &self,
        key: &[u8; AEAD_KEY_BYTES],
        nonce: &[u8; AEAD_NONCE_BYTES],
        aad: &[u8],
        sealed: &[u8],
    ) -> Result<Vec<u8>, OpenError> {
        symmetric::aead_open(key, nonce, aad, sealed)
    }
}

impl Suite for Suite1 {
    fn number(&self) -> u8 {
        1
    }

    fn ed25519_signer(&self, seed: &[u8; SEED_BYTES]) -> Ed25519Signer {
        Ed25519Signer::new(seed)
    }

    fn ed25519_verifier(
        &self,
        public: &[u8; ED25519_PUBLIC_BYTES],
    ) -> Result<Ed25519Verifier, PublicKeyError> {
        Ed25519Verifier::new(public)
    }

    fn mldsa_signer(&self, seed: &[u8; SEED_BYTES]) -> MlDsaSigner {
        MlDsaSigner::new(seed)
    }

    fn mldsa_verifier(&self, public: &[u8; MLDSA_PUBLIC_BYTES]) -> MlDsaVerifier {
        MlDsaVerifier::new(public)
    }

    fn kem_public(&self, seed: &[u8; SEED_BYTES]) -> [u8; KEM_PUBLIC_BYTES] {
        hybrid::public(seed)
    }

    fn hpke_seal(
        &self,
        public: &[u8; KEM_PUBLIC_BYTES],
        info: &[u8],
        aad: &[u8],
        plaintext: &[u8],
        randomness: &[u8; KEM_RANDOM_BYTES],
    ) -> Result<Vec<u8>, SealError> {
        assert!(info.len() <= HPKE_INFO_MAX, "HPKE info is written by us and short");
        hybrid::seal(public, info, aad, plaintext, randomness)
    }

    fn hpke_open(
        &self,
        seed: &[u8; SEED_BYTES],
        info: &[u8],
        aad: &[u8],
        sealed: &[u8],
    ) -> Result<Vec<u8>, OpenError> {
        assert!(info.len() <= HPKE_INFO_MAX, "HPKE info is written by us and short");
        hybrid::open(seed, info, aad, sealed)
    }
}

/// Why bytes are not a public key anybody should be known by. Refuse the credential or roster.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublicKeyError {
    /// The bytes are no point of the curve.
    PeerNotAPoint,
    /// The bytes are another spelling of a point: one key must have one name.
    PeerNotCanonical,
    /// A point of small order, for which signatures can be made without a private key.
    PeerSmallOrder,
}

impl fmt::Display for PublicKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PeerNotAPoint => "the public key is not a point of the curve",
            Self::PeerNotCanonical => "the public key is not written in its one canonical form",
            Self::PeerSmallOrder => "the public key is of small order and belongs to nobody",
        })
    }
}

impl core::error::Error for PublicKeyError {}

/// Why nothing could be sealed for a reader. Ask the reader's party for another KEM key.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SealError {
    /// The ML-KEM part is not reduced, or the X25519 part is of small order.
    PeerPublicKey,
}

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PeerPublicKey => f.write_str("the reader's KEM key cannot be used"),
        }
    }
}

impl core::error::Error for SealError {}

/// Why sealed bytes were not opened. Which byte is wrong cannot be told, by design.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// Shorter than what sealing adds.
    PeerTooShort,
    /// Damaged, forged, sealed for another key or under other surroundings.
    PeerNotAuthentic,
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PeerTooShort => "the sealed bytes are too short",
            Self::PeerNotAuthentic => "the sealed bytes do not open with this key",
        })
    }
}

impl core::error::Error for OpenError {}
