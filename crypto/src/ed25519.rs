//! Ed25519 with exactly one verdict for each key, message and signature.
//!
//! Implementations disagree about odd inputs, and a journal whose validity depends on the reader's
//! library is worth nothing. Our rule is that of Go's `crypto/ed25519` plus a check of the key:
//! the key is a canonical point not of small order; S < L; no cofactor; k is reduced modulo L; and
//! R is compared as bytes with the encoding of [S]B − [k]A. So R may be of small order (only the
//! key's owner can make such a signature) and `verify_strict` of the library, which refuses it,
//! must not be used; nor may batches, which multiply by the cofactor.
//! Source: RFC 8032; `spec/crypto.md`, section 5.

use core::fmt;

use ed25519_dalek::{Signature, Signer as _, SigningKey, Verifier as _, VerifyingKey};

use crate::suite::{ED25519_PUBLIC_BYTES, ED25519_SIGNATURE_BYTES, PublicKeyError, SEED_BYTES};

/// An Ed25519 private key, expanded once. Overwritten when dropped; prints its public key only.
#[derive(Clone)]
pub struct Ed25519Signer {
    public: [u8; ED25519_PUBLIC_BYTES],
    inner: Signer,
}

#[derive(Clone)]
enum Signer {
    Suite1(Box<SigningKey>),
    #[cfg(feature = "simulation")]
    Suite0,
}

impl Ed25519Signer {
    pub(crate) fn new(seed: &[u8; SEED_BYTES]) -> Self {
        let key = SigningKey::from_bytes(seed);
        Self { public: key.verifying_key().to_bytes(), inner: Signer::Suite1(Box::new(key)) }
    }

    #[cfg(feature = "simulation")]
    pub(crate) fn simulated(public: [u8; ED25519_PUBLIC_BYTES]) -> Self {
        Self { public, inner: Signer::Suite0 }
    }

    /// The public key.
    #[must_use]
    pub const fn public(&self) -> &[u8; ED25519_PUBLIC_BYTES] {
        &self.public
    }

    /// Signs. Equal messages give equal signatures.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; ED25519_SIGNATURE_BYTES] {
        match &self.inner {
            Signer::Suite1(key) => key.sign(message).to_bytes(),
            #[cfg(feature = "simulation")]
            Signer::Suite0 => crate::simulation::signature(&self.public, message),
        }
    }
}

impl fmt::Debug for Ed25519Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ed25519Signer({})", detente_encoding::text::hex(&self.public))
    }
}

/// An Ed25519 public key, checked and decoded once.
#[derive(Clone, PartialEq, Eq)]
pub struct Ed25519Verifier {
    public: [u8; ED25519_PUBLIC_BYTES],
    inner: Verifier,
}

#[derive(Clone, PartialEq, Eq)]
enum Verifier {
    Suite1(Box<VerifyingKey>),
    #[cfg(feature = "simulation")]
    Suite0,
}

impl Ed25519Verifier {
    pub(crate) fn new(public: &[u8; ED25519_PUBLIC_BYTES]) -> Result<Self, PublicKeyError> {
        let key = VerifyingKey::from_bytes(public).map_err(|_| PublicKeyError::PeerNotAPoint)?;
        // The library reads y ≥ p and "minus zero"; written again they come out differently.
        if key.to_edwards().compress().as_bytes() != public {
            return Err(PublicKeyError::PeerNotCanonical);
        }
        if key.is_weak() {
            return Err(PublicKeyError::PeerSmallOrder);
        }
        Ok(Self { public: *public, inner: Verifier::Suite1(Box::new(key)) })
    }

    #[cfg(feature = "simulation")]
    pub(crate) fn simulated(public: [u8; ED25519_PUBLIC_BYTES]) -> Self {
        Self { public, inner: Verifier::Suite0 }
    }

    /// The public key.
    #[must_use]
    pub const fn public(&self) -> &[u8; ED25519_PUBLIC_BYTES] {
        &self.public
    }

    /// Whether `signature` is one of this key over `message`. False for any length but 64.
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.inner {
            Verifier::Suite1(key) => Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
            #[cfg(feature = "simulation")]
            Verifier::Suite0 => {
                crate::simulation::signature::<ED25519_SIGNATURE_BYTES>(&self.public, message) == *signature
            }
        }
    }
}

impl fmt::Debug for Ed25519Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ed25519Verifier({})", detente_encoding::text::hex(&self.public))
    }
}
