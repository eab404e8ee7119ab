//! A party's root key: two keys of two kinds, and both signatures must verify.
//!
//! It is kept offline, signs credential editions, and eight words stand for it when people
//! compare. A forger must break Ed25519 *and* ML-DSA-44. What is signed is
//! `label ‖ 0x00 ‖ message`, so that no signature made for one purpose serves another.
//! Source: `spec/keys.md`, sections 1 to 3.

use core::fmt;

use crate::hash::{Hash, labelled_hash};
use crate::secret::Secret;
use crate::suite::{
    ED25519_PUBLIC_BYTES, ED25519_SIGNATURE_BYTES, MLDSA_PUBLIC_BYTES, MLDSA_SIGNATURE_BYTES, SEED_BYTES,
    Suite,
};

/// What every label starts with.
pub const LABEL_PREFIX: &str = "detente/1/";

/// The private halves of a root key. Overwritten when dropped.
#[derive(Clone, Debug)]
pub struct RootSecret {
    /// The Ed25519 seed.
    pub ed25519: Secret<SEED_BYTES>,
    /// The ML-DSA-44 seed.
    pub mldsa: Secret<SEED_BYTES>,
}

impl RootSecret {
    /// The public halves.
    #[must_use]
    pub fn public(&self, suite: &dyn Suite) -> Root {
        Root {
            ed25519: suite.ed25519_public(self.ed25519.expose()),
            mldsa: Box::new(suite.mldsa_public(self.mldsa.expose())),
        }
    }

    /// Signs `message` under `label` with both keys.
    ///
    /// # Panics
    /// If `label` does not start with [`LABEL_PREFIX`] or holds a zero byte.
    #[must_use]
    pub fn sign(&self, suite: &dyn Suite, label: &str, message: &[u8]) -> RootSignature {
        let text = labelled(label, message);
        RootSignature {
            ed25519: suite.ed25519_sign(self.ed25519.expose(), &text),
            mldsa: Box::new(suite.mldsa_sign(self.mldsa.expose(), &text)),
        }
    }
}

/// The public halves of a root key: the name and trust anchor of a party.
#[derive(Clone, PartialEq, Eq)]
pub struct Root {
    /// The Ed25519 public key.
    pub ed25519: [u8; ED25519_PUBLIC_BYTES],
    /// The ML-DSA-44 public key.
    pub mldsa: Box<[u8; MLDSA_PUBLIC_BYTES]>,
}

impl Root {
    /// The party's name in bytes: `H("detente/1/party", ed25519, mldsa)`.
    #[must_use]
    pub fn party(&self) -> Hash {
        labelled_hash("detente/1/party", &[&self.ed25519, &self.mldsa[..]])
    }

    /// What the eight words are made of: `H("detente/1/words", ed25519, mldsa)`.
    #[must_use]
    pub fn words_hash(&self) -> Hash {
        labelled_hash("detente/1/words", &[&self.ed25519, &self.mldsa[..]])
    }

    /// The eight words two people compare.
    #[must_use]
    pub fn words(&self) -> String {
        detente_encoding::words::words(self.words_hash().as_bytes())
    }

    /// Whether both signatures over `message` under `label` verify.
    ///
    /// # Panics
    /// If `label` does not start with [`LABEL_PREFIX`] or holds a zero byte.
    #[must_use]
    pub fn verify(&self, suite: &dyn Suite, label: &str, message: &[u8], signature: &RootSignature) -> bool {
        let text = labelled(label, message);
        suite.ed25519_verify(&self.ed25519, &text, &signature.ed25519)
            && suite.mldsa_verify(&self.mldsa, &text, &signature.mldsa[..])
    }
}

impl fmt::Debug for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Root({})", self.party())
    }
}

/// Two signatures over one text.
#[derive(Clone, PartialEq, Eq)]
pub struct RootSignature {
    /// The Ed25519 signature.
    pub ed25519: [u8; ED25519_SIGNATURE_BYTES],
    /// The ML-DSA-44 signature.
    pub mldsa: Box<[u8; MLDSA_SIGNATURE_BYTES]>,
}

impl RootSignature {
    /// Takes both from slices; `None` unless they have 64 and 2,420 bytes.
    #[must_use]
    pub fn from_slices(ed25519: &[u8], mldsa: &[u8]) -> Option<Self> {
        let mldsa: Box<[u8]> = mldsa.into();
        Some(Self { ed25519: ed25519.try_into().ok()?, mldsa: mldsa.try_into().ok()? })
    }
}

impl fmt::Debug for RootSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RootSignature(..)")
    }
}

/// `label ‖ 0x00 ‖ message`, the bytes that both keys sign.
fn labelled(label: &str, message: &[u8]) -> Vec<u8> {
    assert!(label.starts_with(LABEL_PREFIX) && !label.contains('\0'), "labels are our own constants");
    [label.as_bytes(), &[0], message].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SUITE_1;

    const LABEL: &str = "detente/1/credential";

    fn secret() -> RootSecret {
        RootSecret { ed25519: Secret::new([1; 32]), mldsa: Secret::new([2; 32]) }
    }

    #[test]
    fn one_good_signature_of_two_is_none() {
        let root = secret().public(SUITE_1);
        let good = secret().sign(SUITE_1, LABEL, b"edition 1");
        assert!(root.verify(SUITE_1, LABEL, b"edition 1", &good));

        let mut bad = good.clone();
        bad.ed25519[5] ^= 1;
        assert!(!root.verify(SUITE_1, LABEL, b"edition 1", &bad));
        let mut bad = good.clone();
        bad.mldsa[5] ^= 1;
        assert!(!root.verify(SUITE_1, LABEL, b"edition 1", &bad));
    }

    #[test]
    fn a_signature_serves_one_label_and_one_text() {
        let root = secret().public(SUITE_1);
        let good = secret().sign(SUITE_1, LABEL, b"edition 1");
        assert!(!root.verify(SUITE_1, LABEL, b"edition 2", &good));
        assert!(!root.verify(SUITE_1, "detente/1/roster", b"edition 1", &good));
    }

    #[test]
    fn both_halves_are_in_the_name_and_no_secret_is_printed() {
        let root = secret().public(SUITE_1);
        let other = RootSecret { ed25519: Secret::new([1; 32]), mldsa: Secret::new([3; 32]) }.public(SUITE_1);
        assert_eq!(root.ed25519, other.ed25519);
        assert_ne!(root.party(), other.party());
        assert_ne!(root.words(), other.words());
        assert_ne!(root.party(), root.words_hash());
        assert_eq!(format!("{:?}", secret()), "RootSecret { ed25519: Secret(..), mldsa: Secret(..) }");
    }
}
