//! SHA-256 and the 32 bytes it gives.
//!
//! Hashes are names here (of logs, statements, texts, keys), so they have a type of their own and
//! print as hexadecimal. Input is given in parts, for almost every hashed text is a label followed
//! by a value, and joining them first would be a copy. Source: FIPS 180-4; `spec/crypto.md`, section 2.

use core::fmt;

use sha2::{Digest, Sha256};

/// How many bytes a hash has.
pub const HASH_BYTES: usize = 32;

/// A SHA-256 digest: 32 bytes. Ordered as bytes.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash(pub [u8; HASH_BYTES]);

impl Hash {
    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; HASH_BYTES] {
        &self.0
    }

    /// Takes exactly 32 bytes; `None` for any other length.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The first `N` bytes, as used for short names and check values.
    #[must_use]
    pub fn prefix<const N: usize>(&self) -> [u8; N] {
        const { assert!(N <= HASH_BYTES, "a prefix is at most the whole hash") }
        core::array::from_fn(|i| self.0[i])
    }
}

impl fmt::Display for Hash {
    /// 64 lower-case hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

impl AsRef<[u8]> for Hash {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl From<[u8; HASH_BYTES]> for Hash {
    fn from(bytes: [u8; HASH_BYTES]) -> Self {
        Self(bytes)
    }
}

/// SHA-256 over the concatenation of `parts`. Where parts of varying length meet, the caller's
/// encoding must keep them apart: the hash does not.
#[must_use]
pub fn sha256(parts: &[&[u8]]) -> Hash {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part);
    }
    Hash(digest.finalize().into())
}

/// `H(label, parts…)`: SHA-256 over the label, one zero byte and the parts one after the other. The
/// label keeps a hash made for one purpose from serving another (`spec/encoding.md`, section 2).
///
/// # Panics
/// If `label` does not start with `detente/` or holds a zero byte: labels are our own constants.
#[must_use]
pub fn labelled_hash(label: &str, parts: &[&[u8]]) -> Hash {
    assert!(label.starts_with("detente/") && !label.contains('\0'), "labels are our own constants");
    let mut digest = Sha256::new();
    digest.update(label.as_bytes());
    digest.update([0]);
    for part in parts {
        digest.update(part);
    }
    Hash(digest.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_published_function() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(&[b"abc"]).to_string(), abc); // FIPS 180-4, example "abc"
        assert_eq!(sha256(&[b"a", b"", b"bc"]).to_string(), abc);
        assert_ne!(sha256(&[b"abd"]).to_string(), abc);
    }

    #[test]
    fn a_label_is_followed_by_a_zero_byte() {
        assert_eq!(labelled_hash("detente/1/x", &[b"a", b"b"]), sha256(&[b"detente/1/x\0ab"]));
    }

    #[test]
    fn only_32_bytes_are_a_hash() {
        assert_eq!(Hash::from_slice(&[1; 32]), Some(Hash([1; 32])));
        assert_eq!(Hash::from_slice(&[1; 31]), None);
        assert_eq!(Hash::from_slice(&[1; 33]), None);
        assert_eq!(Hash([3; 32]).prefix::<8>(), [3; 8]);
    }
}
