//! Asking for rows in key order, a bounded page at a time.

use crate::row::Row;
use crate::table::Table;

/// Rows one page of a scan holds at most.
pub const PAGE_ROWS_MAX: usize = 4096;
/// Bytes of values after which a page of a scan ends (it holds at least one row).
pub const PAGE_BYTES_MAX: usize = 4 << 20;

/// Which way a scan walks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the lowest key up.
    Ascending,
    /// From the highest key down.
    Descending,
}

/// What a scan asks for: the keys `from <= key < to` of one table, byte order.
#[derive(Debug, Clone)]
pub struct Scan {
    /// The table.
    pub table: Table,
    /// Lowest key included; empty: from the first.
    pub from: Vec<u8>,
    /// Lowest key above `from` that is no longer included; `None`: to the end.
    pub to: Option<Vec<u8>>,
    /// Rows wanted at most; capped by [`PAGE_ROWS_MAX`].
    pub limit: usize,
    /// Which end comes first.
    pub direction: Direction,
}

impl Scan {
    /// Asks for a whole table, ascending.
    #[must_use]
    pub const fn all(table: Table) -> Self {
        Self { table, from: Vec::new(), to: None, limit: PAGE_ROWS_MAX, direction: Direction::Ascending }
    }

    /// Asks for all keys that begin with `prefix`, ascending.
    #[must_use]
    pub fn prefix(table: Table, prefix: &[u8]) -> Self {
        Self { from: prefix.to_vec(), to: after_prefix(prefix), ..Self::all(table) }
    }

    /// Asks for `from <= key < to`, ascending.
    #[must_use]
    pub fn range(table: Table, from: &[u8], to: &[u8]) -> Self {
        Self { from: from.to_vec(), to: Some(to.to_vec()), ..Self::all(table) }
    }

    /// The same, with at most `limit` rows.
    #[must_use]
    pub const fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// The same, highest key first.
    #[must_use]
    pub const fn descending(mut self) -> Self {
        self.direction = Direction::Descending;
        self
    }

    /// The same scan, going on behind the last key of `page`.
    pub(crate) fn after(mut self, last: &[u8]) -> Self {
        match self.direction {
            Direction::Ascending => {
                self.from = last.to_vec();
                self.from.push(0); // The next possible key in byte order.
            }
            Direction::Descending => self.to = Some(last.to_vec()),
        }
        self
    }
}

/// Answers the lowest key above all keys that begin with `prefix`; `None` if there is none.
#[must_use]
pub fn after_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let kept = prefix.iter().rposition(|byte| *byte != 0xff)?;
    let mut end = prefix[..=kept].to_vec();
    end[kept] += 1;
    Some(end)
}

/// One answer to a scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Rows in the order asked for, each with its checksum verified.
    pub rows: Vec<Row>,
    /// Whether rows of the range were left out because of a limit.
    pub more: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_prefix_carries_over_full_bytes() {
        assert_eq!(after_prefix(&[1, 2]), Some(vec![1, 3]));
        assert_eq!(after_prefix(&[1, 0xff, 0xff]), Some(vec![2]));
        assert_eq!(after_prefix(&[0xff]), None);
        assert_eq!(after_prefix(&[]), None);
    }
}
