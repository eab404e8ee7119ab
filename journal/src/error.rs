//! What can go wrong, one enum per operation.
//!
//! No message names the content of a row: keys are shown in hex, values never.

use crate::lock::LockError;
use crate::table::Table;
use std::fmt;

/// Names a row by table and key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The table.
    pub table: Table,
    /// The key as the disk returned it.
    pub key: Vec<u8>,
}

impl Damage {
    pub(crate) fn at(table: Table, key: &[u8]) -> Self {
        Self { table, key: key.to_vec() }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/", self.table.name())?;
        self.key.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Why a batch did not become durable. Nothing of it is in the record, except where said.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommitError {
    /// The disk has less free than the reserve, and the batch is no receipt. Free some space; the
    /// engine goes on by itself.
    EnvironmentDiskFull {
        /// Bytes the disk has.
        free_bytes: u64,
        /// Bytes kept for receipts and alarms.
        reserve_bytes: u64,
    },
    /// The disk refused a write or a sync. Whether this batch is durable is unknown until the
    /// record is opened again; the engine has halted. Look at the disk, then start the node anew.
    EnvironmentCommit {
        /// The extended result code of SQLite, or 0 where there is none.
        code: i32,
    },
    /// An earlier commit failed, so nothing more is taken: after a failed sync the system may
    /// have dropped what it could not write, and a second attempt would prove nothing.
    EnvironmentHalted,
    /// A key, value or batch exceeds its limit in `batch`. A bug of the caller.
    LocalTooLarge,
    /// The batch names a table that the engine was not opened with. A bug of the caller.
    LocalUnknownTable(Table),
    /// The engine was closed before it took the batch.
    LocalClosed,
}

impl fmt::Display for CommitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EnvironmentDiskFull { free_bytes, reserve_bytes } => {
                write!(
                    f,
                    "the disk has {free_bytes} bytes free, less than the {reserve_bytes} kept for receipts and alarms"
                )
            }
            Self::EnvironmentCommit { code } => {
                write!(f, "the disk refused a write or sync (SQLite code {code}); the journal has halted")
            }
            Self::EnvironmentHalted => {
                f.write_str("the journal has halted after a failed write or sync; restart the node")
            }
            Self::LocalTooLarge => f.write_str("a key, value or batch is larger than the journal takes"),
            Self::LocalUnknownTable(table) => write!(f, "the journal has no table {}", table.name()),
            Self::LocalClosed => f.write_str("the journal is closed"),
        }
    }
}

impl std::error::Error for CommitError {}

/// Why rows could not be read.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadError {
    /// The row does not match its checksum: the disk returned other bytes than were written.
    /// Fetch it again from a peer's signed copy; look at the disk.
    EnvironmentDamaged(Damage),
    /// The file's own structure is damaged where this table was read. Restore from a peer or a
    /// backup; look at the disk.
    EnvironmentCorrupt {
        /// The table that was read.
        table: Table,
        /// The extended result code of SQLite.
        code: i32,
    },
    /// The disk or the system refused to read.
    EnvironmentIo {
        /// The extended result code of SQLite, or the system's error number.
        code: i32,
    },
    /// Only the hash of this leaf is left: its data was erased by decision.
    LocalErased(Damage),
    /// The engine was not opened with this table. A bug of the caller.
    LocalUnknownTable(Table),
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EnvironmentDamaged(damage) => write!(f, "row {damage} does not match its checksum"),
            Self::EnvironmentCorrupt { table, code } => {
                write!(f, "the file is damaged in table {} (SQLite code {code})", table.name())
            }
            Self::EnvironmentIo { code } => write!(f, "the disk refused to read (code {code})"),
            Self::LocalErased(damage) => write!(f, "the data of {damage} was erased"),
            Self::LocalUnknownTable(table) => write!(f, "the journal has no table {}", table.name()),
        }
    }
}

impl std::error::Error for ReadError {}

/// Why a record could not be opened. Nothing was changed.
#[non_exhaustive]
#[derive(Debug)]
pub enum OpenError {
    /// The file or its folder cannot be read or written.
    EnvironmentIo(std::io::Error),
    /// SQLite refuses the file: damaged, locked by another process, or not a database.
    EnvironmentFile {
        /// The extended result code of SQLite.
        code: i32,
    },
    /// Another process, or this one, has the record open. Stop that one first.
    LocalHeld {
        /// The process, if its lock file says so.
        pid: Option<u32>,
    },
    /// The file is a database of another program.
    LocalForeignFile,
    /// The file was written by a later version of this software.
    LocalLaterVersion(i32),
    /// The file holds a table that this version does not know.
    LocalUnknownTable(String),
    /// The list of tables names a number or a name twice, or too many. A bug of the caller.
    LocalTables,
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EnvironmentIo(error) => write!(f, "the journal cannot be opened: {error}"),
            Self::EnvironmentFile { code } => {
                write!(f, "SQLite refuses the journal (code {code}): damaged, or in use")
            }
            Self::LocalHeld { pid: Some(pid) } => write!(f, "process {pid} has the journal open"),
            Self::LocalHeld { pid: None } => f.write_str("another process has the journal open"),
            Self::LocalForeignFile => f.write_str("this file is a database of another program"),
            Self::LocalLaterVersion(version) => {
                write!(f, "the journal has layout {version}, written by a later version")
            }
            Self::LocalUnknownTable(name) => {
                write!(f, "the journal has a table {name} that this version does not know")
            }
            Self::LocalTables => f.write_str("the list of tables names one twice, or too many"),
        }
    }
}

impl std::error::Error for OpenError {}

impl From<LockError> for OpenError {
    fn from(error: LockError) -> Self {
        match error {
            LockError::LocalHeld { pid } => Self::LocalHeld { pid },
            LockError::EnvironmentIo(error) => Self::EnvironmentIo(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_is_named_by_table_and_key() {
        let error = ReadError::EnvironmentDamaged(Damage::at(Table::new(1, "leaves"), &[0, 0xab]));
        assert_eq!(error.to_string(), "row leaves/00ab does not match its checksum");
    }
}
