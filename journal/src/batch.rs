//! What a caller wants to become durable at once.
//!
//! Checksums are computed here, on the caller's thread, so that the single writer only writes.

use crate::row;
use crate::table::Table;

/// Longest key in bytes.
pub const KEY_BYTES_MAX: usize = 512;
/// Longest value in bytes. Larger things are files, named by their hash.
pub const VALUE_BYTES_MAX: usize = 1 << 20;
/// Rows one batch changes at most.
pub const BATCH_ROWS_MAX: usize = 16_384;
/// Bytes of keys and values one batch holds at most.
pub const BATCH_BYTES_MAX: usize = 16 << 20;

const _: () = assert!(BATCH_BYTES_MAX <= crate::engine::QUEUE_BYTES_MAX);

/// Who may still write when the disk is nearly full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Importance {
    /// New content. Refused while the disk has less than the reserve.
    #[default]
    Ordinary,
    /// Receipts, alarms, and what closes something: written as long as the disk takes it.
    Receipt,
}

/// One change of one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// Writes value and check, replacing what was there.
    Put { value: Vec<u8>, check: Vec<u8> },
    /// Takes the row away.
    Delete,
    /// Takes the data of a leaf away and leaves its hash.
    EraseLeaf,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Operation {
    pub(crate) table: Table,
    pub(crate) key: Vec<u8>,
    pub(crate) change: Change,
}

/// Changes that become durable together or not at all, applied in the order given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Batch {
    pub(crate) operations: Vec<Operation>,
    pub(crate) bytes: usize,
    pub(crate) importance: Importance,
    pub(crate) too_large: bool,
}

impl Batch {
    /// An empty batch of new content.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty batch that may use the reserve: a receipt or an alarm.
    #[must_use]
    pub fn receipt() -> Self {
        Self { importance: Importance::Receipt, ..Self::default() }
    }

    /// Writes `value` under `key`, replacing what was there.
    pub fn put(&mut self, table: Table, key: &[u8], value: &[u8]) -> &mut Self {
        let check = row::plain_check(table, key, value);
        self.push(table, key, Change::Put { value: value.to_vec(), check })
    }

    /// Writes a log leaf under `key` with its RFC 6962 hash, which is answered.
    pub fn put_leaf(&mut self, table: Table, key: &[u8], data: &[u8]) -> [u8; 32] {
        let hash = row::leaf_hash(data);
        let check = row::leaf_check(table, key, &hash);
        self.push(table, key, Change::Put { value: data.to_vec(), check });
        hash
    }

    /// Takes the row away; nothing happens if there is none.
    pub fn delete(&mut self, table: Table, key: &[u8]) -> &mut Self {
        self.push(table, key, Change::Delete)
    }

    /// Takes the data of a leaf away and leaves its hash; nothing happens if there is no leaf.
    pub fn erase_leaf(&mut self, table: Table, key: &[u8]) -> &mut Self {
        self.push(table, key, Change::EraseLeaf)
    }

    /// Appends all changes of `other`; the batch is a receipt if both are.
    pub fn append(&mut self, other: Self) -> &mut Self {
        self.operations.extend(other.operations);
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.too_large |= other.too_large;
        if other.importance == Importance::Ordinary {
            self.importance = Importance::Ordinary;
        }
        self
    }

    /// Bytes of keys and values.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether it changes nothing. Committing it still waits for a sync.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }

    /// Whether it may use the reserve.
    #[must_use]
    pub const fn importance(&self) -> Importance {
        self.importance
    }

    /// Whether every limit of this page is kept.
    pub(crate) fn within_limits(&self) -> bool {
        !self.too_large && self.operations.len() <= BATCH_ROWS_MAX && self.bytes <= BATCH_BYTES_MAX
    }

    fn push(&mut self, table: Table, key: &[u8], change: Change) -> &mut Self {
        let value_bytes = match &change {
            Change::Put { value, .. } => value.len(),
            Change::Delete | Change::EraseLeaf => 0,
        };
        self.too_large |= key.len() > KEY_BYTES_MAX || value_bytes > VALUE_BYTES_MAX;
        self.bytes = self.bytes.saturating_add(key.len()).saturating_add(value_bytes);
        self.operations.push(Operation { table, key: key.to_vec(), change });
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: Table = Table::new(0, "things");

    #[test]
    fn a_key_or_value_beyond_its_limit_spoils_the_batch() {
        assert!(Batch::new().put(T, &[0; KEY_BYTES_MAX], b"v").within_limits());
        assert!(!Batch::new().put(T, &[0; KEY_BYTES_MAX + 1], b"v").within_limits());
        assert!(!Batch::new().put(T, b"k", &vec![0; VALUE_BYTES_MAX + 1]).within_limits());
    }

    #[test]
    fn ordinary_content_appended_to_a_receipt_loses_the_right_to_the_reserve() {
        let mut receipt = Batch::receipt();
        receipt.append(Batch::receipt());
        assert_eq!(receipt.importance(), Importance::Receipt);
        receipt.append(Batch::new());
        assert_eq!(receipt.importance(), Importance::Ordinary);
    }
}
