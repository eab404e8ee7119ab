//! Copies of the record: a backup while it runs, and the way back.
//!
//! A backup is a record of its own, without free pages (what was erased is not in it) and without
//! any key (the record holds none). It reaches its name only when it is whole and synced.

use super::connection::{beside, code_of, folder_of, sync_folder};
use super::{SqliteEngine, SqliteOptions};
use crate::batch::{Batch, Change, Importance, Operation};
use crate::engine::Engine;
use crate::error::{CommitError, OpenError, ReadError};
use crate::row::{self, Content, Row};
use crate::scan::Scan;
use crate::table::Table;
use std::fmt;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// Bytes of rows that a restore commits at once.
const CHUNK_BYTES: usize = 4 << 20;

/// What was copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// Rows, each verified against its checksum.
    pub rows: u64,
}

/// Why no backup was made. Nothing stands under its name.
#[non_exhaustive]
#[derive(Debug)]
pub enum BackupError {
    /// Something already has the name. Choose another, or move it away.
    LocalExists,
    /// The folder cannot be written or synced.
    EnvironmentIo(std::io::Error),
    /// The record could not be read or the copy not be written.
    EnvironmentRead(ReadError),
}

impl fmt::Display for BackupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LocalExists => f.write_str("a file of this name exists"),
            Self::EnvironmentIo(error) => write!(f, "the backup cannot be written: {error}"),
            Self::EnvironmentRead(error) => write!(f, "the journal cannot be copied: {error}"),
        }
    }
}

impl std::error::Error for BackupError {}

/// Why a backup was not restored. Nothing stands under the new name.
#[non_exhaustive]
#[derive(Debug)]
pub enum RestoreError {
    /// Something already has the name. A restore never overwrites a record.
    LocalExists,
    /// The backup, or the new file, cannot be opened.
    EnvironmentOpen(OpenError),
    /// The backup cannot be read, or a row does not match its checksum.
    EnvironmentRead(ReadError),
    /// The copy could not be written.
    EnvironmentCommit(CommitError),
    /// The folder cannot be written or synced.
    EnvironmentIo(std::io::Error),
}

impl fmt::Display for RestoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LocalExists => {
                f.write_str("a file of this name exists; a restore never overwrites a journal")
            }
            Self::EnvironmentOpen(error) => write!(f, "the backup cannot be opened: {error}"),
            Self::EnvironmentRead(error) => write!(f, "the backup cannot be read: {error}"),
            Self::EnvironmentCommit(error) => write!(f, "the restored journal cannot be written: {error}"),
            Self::EnvironmentIo(error) => write!(f, "the restored journal cannot be written: {error}"),
        }
    }
}

impl std::error::Error for RestoreError {}

impl SqliteEngine {
    /// Writes a consistent copy to `out` while the engine goes on: all batches committed before
    /// the call are in it, and none in part.
    ///
    /// The write-ahead log is not started anew while the copy runs, so it grows by what is
    /// committed meanwhile.
    ///
    /// # Errors
    /// [`BackupError`]; nothing stands at `out`.
    pub fn backup(&self, out: &Path) -> Result<(), BackupError> {
        if out.symlink_metadata().is_ok() {
            return Err(BackupError::LocalExists);
        }
        let part = part_of(out);
        remove_record(&part).map_err(BackupError::EnvironmentIo)?;
        let written =
            self.write_copy(&part).and_then(|()| publish(&part, out).map_err(BackupError::EnvironmentIo));
        if written.is_err() {
            // What is left of a failed copy only takes room; the error to report is the first.
            let _ = remove_record(&part);
        }
        written
    }

    fn write_copy(&self, part: &Path) -> Result<(), BackupError> {
        let io = |code| BackupError::EnvironmentRead(ReadError::EnvironmentIo { code });
        let name = part
            .to_str()
            .ok_or_else(|| BackupError::EnvironmentIo(std::io::ErrorKind::InvalidFilename.into()))?;
        // A connection of its own: a long copy must not take a place in the readers' pool.
        let connection = self.opener.reader().map_err(|error| io(code_of(&error)))?;
        // `query_only` also forbids writing the copy.
        connection.pragma_update(None, "query_only", false).map_err(|error| io(code_of(&error)))?;
        connection.execute("VACUUM INTO ?1", [name]).map_err(|error| io(code_of(&error)))?;
        Ok(())
    }
}

/// Makes a new record at `target` from the backup `from`, verifying every row on the way.
///
/// # Errors
/// [`RestoreError`]; nothing stands at `target`. A damaged row is named.
pub fn restore(from: &Path, target: &Path, tables: &[Table]) -> Result<Copied, RestoreError> {
    if target.symlink_metadata().is_ok() {
        return Err(RestoreError::LocalExists);
    }
    if !from.is_file() {
        let error = std::io::Error::from(std::io::ErrorKind::NotFound);
        return Err(RestoreError::EnvironmentOpen(OpenError::EnvironmentIo(error)));
    }
    let part = part_of(target);
    remove_record(&part).map_err(RestoreError::EnvironmentIo)?;
    let copied = copy_rows(from, &part, tables)
        .and_then(|copied| publish(&part, target).map(|()| copied).map_err(RestoreError::EnvironmentIo));
    if copied.is_err() {
        // What is left of a failed copy only takes room; the error to report is the first.
        let _ = remove_record(&part);
    }
    copied
}

fn copy_rows(from: &Path, part: &Path, tables: &[Table]) -> Result<Copied, RestoreError> {
    let source =
        SqliteEngine::open(from, tables, SqliteOptions::default()).map_err(RestoreError::EnvironmentOpen)?;
    let copy =
        SqliteEngine::open(part, tables, SqliteOptions::default()).map_err(RestoreError::EnvironmentOpen)?;
    let mut rows = 0;
    for table in tables {
        let (mut batch, mut failed) = (Batch::new(), None);
        source
            .for_each(Scan::all(*table), &mut |row| {
                rows += 1;
                put_verified(&mut batch, *table, row);
                if batch.bytes() < CHUNK_BYTES && batch.operations.len() < crate::batch::BATCH_ROWS_MAX / 2 {
                    return ControlFlow::Continue(());
                }
                match copy.commit(std::mem::take(&mut batch)).wait() {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(error) => {
                        failed = Some(error);
                        ControlFlow::Break(())
                    }
                }
            })
            .map_err(RestoreError::EnvironmentRead)?;
        failed.map_or_else(|| copy.commit(batch).wait(), Err).map_err(RestoreError::EnvironmentCommit)?;
    }
    Ok(Copied { rows })
}

/// Copies a row as it is, erased leaves included.
fn put_verified(batch: &mut Batch, table: Table, row: Row) {
    debug_assert_eq!(batch.importance(), Importance::Ordinary);
    match row.content {
        Content::Plain(value) => {
            batch.put(table, &row.key, &value);
        }
        Content::Leaf { data, .. } => {
            batch.put_leaf(table, &row.key, &data);
        }
        Content::Erased { hash } => {
            let check = row::leaf_check(table, &row.key, &hash);
            let change = Change::Put { value: Vec::new(), check };
            batch.operations.push(Operation { table, key: row.key.clone(), change });
            batch.erase_leaf(table, &row.key);
        }
    }
}

/// Syncs a finished copy and gives it its name.
fn publish(part: &Path, name: &Path) -> std::io::Result<()> {
    std::fs::File::open(part)?.sync_all()?;
    std::fs::rename(part, name)?;
    // The lock of the copy under its former name; the copy itself has moved.
    remove_record(part)?;
    sync_folder(&folder_of(name))
}

fn part_of(path: &Path) -> PathBuf {
    beside(path, ".part")
}

/// Removes a file and what SQLite keeps beside it.
fn remove_record(path: &Path) -> std::io::Result<()> {
    for suffix in ["", "-wal", "-shm", "-journal", "-lock"] {
        match std::fs::remove_file(beside(path, suffix)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}
