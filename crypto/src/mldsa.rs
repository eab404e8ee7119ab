//! ML-DSA-44: the second signature, which a quantum computer does not forge.
//!
//! The deterministic variant, so that equal inputs give equal bytes in tests, journals and other
//! teams' programs; the external interface with the empty context, as signed notes and everything
//! else here use it. Signing takes about a millisecond and must never stand in a message's way.
//! Source: FIPS 204, algorithms 2 and 3; `spec/crypto.md`, section 6.

use core::fmt;

use ml_dsa::signature::Keypair as _;
use ml_dsa::{MlDsa44, Signature, SigningKey, VerifyingKey};

use crate::suite::{MLDSA_PUBLIC_BYTES, MLDSA_SIGNATURE_BYTES, SEED_BYTES};

/// An ML-DSA-44 private key, expanded once. Overwritten when dropped; prints nothing.
#[derive(Clone)]
pub struct MlDsaSigner {
    public: Box<[u8; MLDSA_PUBLIC_BYTES]>,
    inner: Signer,
}

#[derive(Clone)]
enum Signer {
    Suite1(Box<SigningKey<MlDsa44>>),
    #[cfg(feature = "simulation")]
    Suite0,
}

impl MlDsaSigner {
    pub(crate) fn new(seed: &[u8; SEED_BYTES]) -> Self {
        let key = SigningKey::<MlDsa44>::from_seed(seed.into());
        let public = Box::new(key.verifying_key().encode().into());
        Self { public, inner: Signer::Suite1(Box::new(key)) }
    }

    #[cfg(feature = "simulation")]
    pub(crate) fn simulated(public: [u8; MLDSA_PUBLIC_BYTES]) -> Self {
        Self { public: Box::new(public), inner: Signer::Suite0 }
    }

    /// The public key.
    #[must_use]
    pub fn public(&self) -> &[u8; MLDSA_PUBLIC_BYTES] {
        &self.public
    }

    /// Signs. Equal messages give equal signatures.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; MLDSA_SIGNATURE_BYTES] {
        match &self.inner {
            Signer::Suite1(key) => {
                let signature = key.expanded_key().sign_deterministic(message, &[]);
                signature.expect("only a context beyond 255 bytes fails, and ours is empty").encode().into()
            }
            #[cfg(feature = "simulation")]
            Signer::Suite0 => crate::simulation::signature(&self.public[..], message),
        }
    }
}

impl fmt::Debug for MlDsaSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MlDsaSigner(..)")
    }
}

/// An ML-DSA-44 public key with its matrix expanded once (about 20 kB).
#[derive(Clone)]
pub struct MlDsaVerifier {
    public: Box<[u8; MLDSA_PUBLIC_BYTES]>,
    inner: Verifier,
}

#[derive(Clone)]
enum Verifier {
    Suite1(Box<VerifyingKey<MlDsa44>>),
    #[cfg(feature = "simulation")]
    Suite0,
}

impl MlDsaVerifier {
    pub(crate) fn new(public: &[u8; MLDSA_PUBLIC_BYTES]) -> Self {
        let key = VerifyingKey::<MlDsa44>::decode(public.into());
        Self { public: Box::new(*public), inner: Verifier::Suite1(Box::new(key)) }
    }

    #[cfg(feature = "simulation")]
    pub(crate) fn simulated(public: [u8; MLDSA_PUBLIC_BYTES]) -> Self {
        Self { public: Box::new(public), inner: Verifier::Suite0 }
    }

    /// The public key.
    #[must_use]
    pub fn public(&self) -> &[u8; MLDSA_PUBLIC_BYTES] {
        &self.public
    }

    /// Whether `signature` is one of this key over `message`. False for any length but 2,420.
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.inner {
            Verifier::Suite1(key) => Signature::<MlDsa44>::try_from(signature)
                .is_ok_and(|signature| key.verify_with_context(message, &[], &signature)),
            #[cfg(feature = "simulation")]
            Verifier::Suite0 => {
                crate::simulation::signature::<MLDSA_SIGNATURE_BYTES>(&self.public[..], message) == *signature
            }
        }
    }
}

impl fmt::Debug for MlDsaVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MlDsaVerifier({})", crate::sha256(&[&self.public[..]]))
    }
}
