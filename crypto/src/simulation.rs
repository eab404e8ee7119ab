//! Suite 0: a keyed hash where suite 1 has signatures and key encapsulation.
//!
//! Thousands of simulated days would otherwise be spent in lattices. Everything has the size it
//! has in suite 1, so frames have equal lengths, and any altered byte is still refused. But whoever
//! knows a public key can sign for it and open what was sealed to it: this module exists only under
//! the feature `simulation`, and no other build knows the suite's number.

use crate::ed25519::{Ed25519Signer, Ed25519Verifier};
use crate::hash::sha256;
use crate::mldsa::{MlDsaSigner, MlDsaVerifier};
use crate::suite::{
    AEAD_NONCE_BYTES, ED25519_PUBLIC_BYTES, HPKE_INFO_MAX, HPKE_OVERHEAD_BYTES, KEM_ENCAPSULATION_BYTES,
    KEM_PUBLIC_BYTES, KEM_RANDOM_BYTES, MLDSA_PUBLIC_BYTES, OpenError, PublicKeyError, SEED_BYTES, SealError,
    Suite,
};
use crate::symmetric;

/// The suite of simulated worlds. It protects nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Suite0;

/// Suite 0, ready to be passed around.
pub static SUITE_0: &dyn Suite = &Suite0;

impl Suite for Suite0 {
    fn number(&self) -> u8 {
        0
    }

    fn ed25519_signer(&self, seed: &[u8; SEED_BYTES]) -> Ed25519Signer {
        Ed25519Signer::simulated(public_key::<ED25519_PUBLIC_BYTES>(b"ed25519", seed))
    }

    fn ed25519_verifier(
        &self,
        public: &[u8; ED25519_PUBLIC_BYTES],
    ) -> Result<Ed25519Verifier, PublicKeyError> {
        Ok(Ed25519Verifier::simulated(*public))
    }

    fn mldsa_signer(&self, seed: &[u8; SEED_BYTES]) -> MlDsaSigner {
        MlDsaSigner::simulated(public_key::<MLDSA_PUBLIC_BYTES>(b"mldsa", seed))
    }

    fn mldsa_verifier(&self, public: &[u8; MLDSA_PUBLIC_BYTES]) -> MlDsaVerifier {
        MlDsaVerifier::simulated(*public)
    }

    fn kem_public(&self, seed: &[u8; SEED_BYTES]) -> [u8; KEM_PUBLIC_BYTES] {
        public_key::<KEM_PUBLIC_BYTES>(b"kem", seed)
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
        let mut out =
            repeat::<KEM_ENCAPSULATION_BYTES>(sha256(&[b"detente/0/encapsulation\0", randomness]).as_bytes())
                .to_vec();
        let key = shared(public, &out, info);
        out.extend_from_slice(&symmetric::aead_seal(&key, &[0; AEAD_NONCE_BYTES], aad, plaintext));
        Ok(out)
    }

    fn hpke_open(
        &self,
        seed: &[u8; SEED_BYTES],
        info: &[u8],
        aad: &[u8],
        sealed: &[u8],
    ) -> Result<Vec<u8>, OpenError> {
        assert!(info.len() <= HPKE_INFO_MAX, "HPKE info is written by us and short");
        if sealed.len() < HPKE_OVERHEAD_BYTES {
            return Err(OpenError::PeerTooShort);
        }
        let (encapsulation, ciphertext) = sealed.split_at(KEM_ENCAPSULATION_BYTES);
        let key = shared(&self.kem_public(seed), encapsulation, info);
        symmetric::aead_open(&key, &[0; AEAD_NONCE_BYTES], aad, ciphertext)
    }
}

/// SHA-256 over public key and message, repeated to the length of the signature it stands for.
pub(crate) fn signature<const N: usize>(public: &[u8], message: &[u8]) -> [u8; N] {
    repeat(sha256(&[b"detente/0/signature\0", public, message]).as_bytes())
}

fn public_key<const N: usize>(label: &[u8], seed: &[u8; SEED_BYTES]) -> [u8; N] {
    repeat(sha256(&[b"detente/0/public\0", label, seed]).as_bytes())
}

fn shared(public: &[u8; KEM_PUBLIC_BYTES], encapsulation: &[u8], info: &[u8]) -> [u8; 32] {
    sha256(&[b"detente/0/shared\0", public, encapsulation, info]).0
}

fn repeat<const N: usize>(block: &[u8; 32]) -> [u8; N] {
    core::array::from_fn(|i| block[i % 32])
}
