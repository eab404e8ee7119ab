//! Names of tables: a small, closed set, fixed when an engine is opened.

/// Tables one engine holds at most: the set is small and closed.
pub const TABLES_MAX: usize = 64;

/// Names one table: a number that never changes, and a word for people and for the SQL schema.
///
/// Make them constants; an engine is opened with the closed list of them.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    id: u8,
    name: &'static str,
}

impl Table {
    /// Makes a table name. `name` is 1 to 32 of `a`–`z` and `_`.
    ///
    /// # Panics
    /// When the name breaks that rule; in a constant, at compile time.
    #[must_use]
    pub const fn new(id: u8, name: &'static str) -> Self {
        let bytes = name.as_bytes();
        assert!(!bytes.is_empty() && bytes.len() <= 32, "a table's name has 1 to 32 letters");
        let mut at = 0;
        while at < bytes.len() {
            assert!(bytes[at].is_ascii_lowercase() || bytes[at] == b'_', "a table's name is a-z and _");
            at += 1;
        }
        Self { id, name }
    }

    /// The number, part of every row's checksum.
    #[must_use]
    pub const fn id(self) -> u8 {
        self.id
    }

    /// The word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.name
    }
}

impl PartialEq for Table {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Table {}

/// Whether a list of tables can be one engine's: few, and no number or name twice.
pub(crate) fn tables_are_valid(tables: &[Table]) -> bool {
    let distinct = |(at, table): (usize, &Table)| {
        tables[..at].iter().all(|other| other.id != table.id && other.name != table.name)
    };
    tables.len() <= TABLES_MAX && tables.iter().enumerate().all(distinct)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_or_name_used_twice_is_no_closed_set() {
        assert!(tables_are_valid(&[Table::new(1, "leaves"), Table::new(2, "lines")]));
        assert!(!tables_are_valid(&[Table::new(1, "leaves"), Table::new(1, "lines")]));
        assert!(!tables_are_valid(&[Table::new(1, "leaves"), Table::new(2, "leaves")]));
    }
}
