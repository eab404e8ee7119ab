//! One stored row and the checksum that travels with it.
//!
//! A disk may return other bytes than were written, or the right bytes at the wrong place. Each
//! row therefore carries a check over its table, its key and its value, verified on every read.
//!
//! ```text
//! plain row   16 bytes  SHA-256("detente/1/row" 00 ‖ table ‖ key length (4) ‖ key ‖ value), cut
//! log leaf    40 bytes  leaf hash = SHA-256(00 ‖ data), RFC 6962, section 2.1        (32)
//!                       SHA-256("detente/1/leaf-row" 00 ‖ table ‖ key length (4) ‖ key ‖ leaf hash), cut (8)
//! erased leaf 40 bytes  the same; the value is NULL
//! ```

use crate::error::Damage;
use crate::table::Table;
use sha2::{Digest, Sha256};

const PLAIN_BYTES: usize = 16;
const LEAF_HASH_BYTES: usize = 32;
const LEAF_PLACE_BYTES: usize = 8;
/// Length of the check of a leaf; no other row has it.
pub(crate) const LEAF_CHECK_BYTES: usize = LEAF_HASH_BYTES + LEAF_PLACE_BYTES;

/// What a row holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Bytes whose meaning is the caller's.
    Plain(Vec<u8>),
    /// A log leaf.
    Leaf {
        /// Its RFC 6962 hash, computed anew from `data` on this read.
        hash: [u8; 32],
        /// Leaf data: salt, then entry.
        data: Vec<u8>,
    },
    /// A log leaf whose data was erased by decision; the tree stays whole.
    Erased {
        /// Its RFC 6962 hash.
        hash: [u8; 32],
    },
}

impl Content {
    /// The bytes; `None` for an erased leaf.
    #[must_use]
    pub fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Plain(bytes) | Self::Leaf { data: bytes, .. } => Some(bytes),
            Self::Erased { .. } => None,
        }
    }

    /// The leaf hash; `None` for a plain row.
    #[must_use]
    pub const fn leaf_hash(&self) -> Option<[u8; 32]> {
        match self {
            Self::Plain(_) => None,
            Self::Leaf { hash, .. } | Self::Erased { hash } => Some(*hash),
        }
    }
}

/// A key and what stands under it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The key.
    pub key: Vec<u8>,
    /// What it holds, verified.
    pub content: Content,
}

/// Computes the hash of a log leaf: SHA-256(00 ‖ data). Source: RFC 6962, section 2.1.
#[must_use]
pub fn leaf_hash(data: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update([0]).chain_update(data).finalize().into()
}

pub(crate) fn plain_check(table: Table, key: &[u8], value: &[u8]) -> Vec<u8> {
    place(b"detente/1/row\0", table, key).chain_update(value).finalize()[..PLAIN_BYTES].to_vec()
}

pub(crate) fn leaf_check(table: Table, key: &[u8], hash: &[u8; 32]) -> Vec<u8> {
    let place = place(b"detente/1/leaf-row\0", table, key).chain_update(hash).finalize();
    [hash.as_slice(), &place[..LEAF_PLACE_BYTES]].concat()
}

/// Verifies a stored row; `value` is `None` for an erased leaf.
pub(crate) fn verify(
    table: Table,
    key: &[u8],
    value: Option<Vec<u8>>,
    check: &[u8],
) -> Result<Content, Damage> {
    let damage = || Damage::at(table, key);
    match (value, check.len()) {
        (Some(value), PLAIN_BYTES) if plain_check(table, key, &value) == check => Ok(Content::Plain(value)),
        (Some(data), _) => {
            let hash = leaf_hash(&data);
            (leaf_check(table, key, &hash) == check)
                .then_some(Content::Leaf { hash, data })
                .ok_or_else(damage)
        }
        (None, _) => {
            let hash = *check.first_chunk::<LEAF_HASH_BYTES>().ok_or_else(damage)?;
            (leaf_check(table, key, &hash) == check).then_some(Content::Erased { hash }).ok_or_else(damage)
        }
    }
}

fn place(label: &[u8], table: Table, key: &[u8]) -> Sha256 {
    let length = u32::try_from(key.len()).unwrap_or(u32::MAX).to_be_bytes();
    Sha256::new().chain_update(label).chain_update([table.id()]).chain_update(length).chain_update(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: Table = Table::new(3, "things");
    const OTHER: Table = Table::new(4, "others");

    #[test]
    fn a_plain_row_fails_under_another_table_key_or_value() {
        let check = plain_check(T, b"key", b"value");
        assert_eq!(verify(T, b"key", Some(b"value".to_vec()), &check), Ok(Content::Plain(b"value".to_vec())));
        assert!(verify(OTHER, b"key", Some(b"value".to_vec()), &check).is_err());
        assert!(verify(T, b"kez", Some(b"value".to_vec()), &check).is_err());
        assert!(verify(T, b"key", Some(b"valuf".to_vec()), &check).is_err());
        assert!(verify(T, b"keyv", Some(b"alue".to_vec()), &check).is_err());
        assert!(verify(T, b"key", None, &check).is_err());
    }

    #[test]
    fn a_leaf_carries_its_rfc_6962_hash_and_keeps_it_when_erased() {
        // The hash of the empty leaf, as in the test data of RFC 6962 implementations.
        assert_eq!(leaf_hash(b"")[..4], [0x6e, 0x34, 0x0b, 0x9c]);
        let hash = leaf_hash(b"entry");
        let check = leaf_check(T, b"key", &hash);
        assert_eq!(
            verify(T, b"key", Some(b"entry".to_vec()), &check),
            Ok(Content::Leaf { hash, data: b"entry".to_vec() })
        );
        assert_eq!(verify(T, b"key", None, &check), Ok(Content::Erased { hash }));
        assert!(verify(T, b"kex", None, &check).is_err());
        assert!(verify(T, b"key", Some(b"entrz".to_vec()), &check).is_err());
    }

    #[test]
    fn every_flipped_bit_of_a_check_is_seen() {
        let check = leaf_check(T, b"key", &leaf_hash(b"entry"));
        for bit in 0..check.len() * 8 {
            let mut bad = check.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(verify(T, b"key", Some(b"entry".to_vec()), &bad).is_err(), "bit {bit}");
            assert!(verify(T, b"key", None, &bad).is_err(), "bit {bit}");
        }
    }
}
