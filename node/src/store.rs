//! The record of a node as its channels read it: tables, facts about the node, large blobs as files.
//!
//! Tables 1 to 7 belong to the channels; those above to this crate. Views among them can be made
//! anew from the others.

use std::path::PathBuf;
use std::sync::Arc;

use detente_crypto::Hash;
use detente_encoding::text::hex;
use detente_journal::{
    Batch, CommitError, Completion, Done, Engine, OpenError, ReadError, Scan, SqliteEngine, SqliteOptions,
    Table,
};
use detente_protocol::channel::{self, Record, RecordError, Row};

use crate::folder::{Folder, FolderError, secrets};

const LEAVES: Table = Table::new(channel::LEAVES, "leaves");
const LOGS: Table = Table::new(channel::LOGS, "logs");
const LINES: Table = Table::new(channel::LINES, "lines");
const BLOBS: Table = Table::new(channel::BLOBS, "blobs");
const FACTS: Table = Table::new(channel::FACTS, "facts");
const PROOFS: Table = Table::new(channel::PROOFS, "proofs");
const VIEWS: Table = Table::new(channel::VIEWS, "views");
/// Facts about the node: officers, credentials, charters, what was counted.
pub(crate) const NODE: Table = Table::new(16, "node");
/// What was told to clients, by number of the first event of each row.
pub(crate) const EVENTS: Table = Table::new(17, "events");
/// Which entries refer to an entry.
pub(crate) const ANSWERS: Table = Table::new(18, "answers");
/// Leaves of the house log.
pub(crate) const HOUSE: Table = Table::new(19, "house");

/// Messages that somebody has yet to acknowledge.
pub(crate) const UNSETTLED: Table = Table::new(20, "unsettled");

/// All tables of a node's record.
pub const TABLES: [Table; 12] =
    [LEAVES, LOGS, LINES, BLOBS, FACTS, PROOFS, VIEWS, NODE, EVENTS, ANSWERS, HOUSE, UNSETTLED];

/// Blobs longer than this are files; shorter ones are rows.
const BLOB_ROW_BYTES_MAX: usize = 32 * 1024;

fn table(number: u8) -> Option<Table> {
    TABLES.into_iter().find(|table| table.id() == number)
}

/// The node's record, shared by its threads.
#[derive(Clone, Debug)]
pub struct Store {
    engine: Arc<SqliteEngine>,
    blobs: PathBuf,
}

/// Why the store failed.
#[non_exhaustive]
#[derive(Debug)]
pub enum StoreError {
    /// The record cannot be opened.
    EnvironmentOpen(OpenError),
    /// Something did not become durable.
    EnvironmentCommit(CommitError),
    /// Something cannot be read.
    EnvironmentRead(ReadError),
    /// A row cannot be understood: it was written by another version, or is damaged.
    EnvironmentRow(&'static str),
    /// A file cannot be written.
    EnvironmentFile(FolderError),
}

impl std::fmt::Display for StoreError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::EnvironmentOpen(error) => error.fmt(f),
            Self::EnvironmentCommit(error) => error.fmt(f),
            Self::EnvironmentRead(error) => error.fmt(f),
            Self::EnvironmentRow(what) => write!(f, "the record of {what} is damaged; run detente doctor"),
            Self::EnvironmentFile(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for StoreError {}

impl From<CommitError> for StoreError {
    fn from(error: CommitError) -> Self {
        Self::EnvironmentCommit(error)
    }
}

impl From<ReadError> for StoreError {
    fn from(error: ReadError) -> Self {
        Self::EnvironmentRead(error)
    }
}

impl From<FolderError> for StoreError {
    fn from(error: FolderError) -> Self {
        Self::EnvironmentFile(error)
    }
}

impl Store {
    /// Opens the record of a folder; the folder's lock is the caller's to hold.
    ///
    /// # Errors
    /// [`StoreError::EnvironmentOpen`].
    pub fn open(folder: &Folder) -> Result<Self, StoreError> {
        let engine = SqliteEngine::open(&folder.journal(), &TABLES, SqliteOptions::default())
            .map_err(StoreError::EnvironmentOpen)?;
        Ok(Self { engine: Arc::new(engine), blobs: folder.blobs() })
    }

    /// The engine below.
    #[must_use]
    pub fn engine(&self) -> &SqliteEngine {
        &self.engine
    }

    /// The fact about the node under `key`.
    ///
    /// # Errors
    /// [`StoreError::EnvironmentRead`].
    pub fn fact(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.engine.read(NODE, key.as_bytes())?)
    }

    /// All facts whose keys begin with `prefix`, in order of key.
    ///
    /// # Errors
    /// [`StoreError::EnvironmentRead`].
    pub fn facts(&self, prefix: &str) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        let mut found = Vec::new();
        self.engine.for_each(Scan::prefix(NODE, prefix.as_bytes()), &mut |row| {
            if let (Ok(key), Some(bytes)) = (String::from_utf8(row.key), row.content.bytes()) {
                found.push((key, bytes.to_vec()));
            }
            std::ops::ControlFlow::Continue(())
        })?;
        Ok(found)
    }

    /// Keeps facts about the node, durably, all or none.
    ///
    /// # Errors
    /// [`StoreError::EnvironmentCommit`].
    pub fn keep_facts(&self, facts: &[(String, Vec<u8>)]) -> Result<(), StoreError> {
        let mut batch = Batch::receipt();
        for (key, value) in facts {
            batch.put(NODE, key.as_bytes(), value);
        }
        Ok(self.commit(batch).wait()?)
    }

    pub(crate) fn commit(&self, batch: Batch) -> Completion {
        self.engine.commit(batch)
    }

    /// Commits a channel's rows; large blobs become files first.
    pub(crate) fn commit_rows(&self, rows: Vec<Row>, mut batch: Batch, done: Done) {
        for row in rows {
            let Some(table) = table(row.table) else { continue };
            if table == LEAVES {
                batch.put_leaf(table, &row.key, &row.value);
            } else if table == BLOBS && row.value.len() > BLOB_ROW_BYTES_MAX {
                if let Err(error) = self.write_blob_file(&row.key, &row.value) {
                    tracing_file_failure(&error);
                    return done(Err(CommitError::EnvironmentHalted));
                }
                batch.put(table, &row.key, &[]);
            } else {
                batch.put(table, &row.key, &row.value);
            }
        }
        self.engine.commit_then(batch, done);
    }

    fn blob_path(&self, hash: &[u8]) -> PathBuf {
        let name = hex(hash);
        self.blobs.join(&name[..2.min(name.len())]).join(name)
    }

    fn write_blob_file(&self, hash: &[u8], bytes: &[u8]) -> Result<(), FolderError> {
        let path = self.blob_path(hash);
        if let Some(parent) = path.parent() {
            secrets::make_private_folder(parent)?;
        }
        secrets::write_private(&path, bytes)
    }

    /// A blob held here: a release proof, an attachment.
    ///
    /// # Errors
    /// [`RecordError`] when the disk or a checksum fails.
    pub fn blob(&self, hash: &Hash) -> Result<Option<Vec<u8>>, RecordError> {
        self.read(channel::BLOBS, &hash.0)
    }
}

/// A file that cannot be written halts the node as a failed sync does; the sentence goes to traces.
fn tracing_file_failure(error: &FolderError) {
    eprintln!("detente: a blob cannot be kept: {error}");
}

impl Record for Store {
    fn read(&self, number: u8, key: &[u8]) -> Result<Option<Vec<u8>>, RecordError> {
        let Some(table) = table(number) else { return Ok(None) };
        let read = match self.engine.read(table, key) {
            Err(ReadError::LocalErased(_)) => None,
            read => read.map_err(|error| RecordError(error.to_string()))?,
        };
        match read {
            Some(empty) if table == BLOBS && empty.is_empty() => {
                let path = self.blob_path(key);
                std::fs::read(&path)
                    .map(Some)
                    .map_err(|error| RecordError(format!("{}: {error}", path.display())))
            }
            read => Ok(read),
        }
    }

    fn scan(
        &self,
        number: u8,
        from: &[u8],
        to: &[u8],
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Vec<u8>)>, RecordError> {
        let Some(table) = table(number) else { return Ok(Vec::new()) };
        if from >= to || limit == 0 {
            return Ok(Vec::new());
        }
        let mut rows = Vec::new();
        let walk = self.engine.for_each(Scan::range(table, from, to).limit(limit), &mut |row| {
            if let Some(bytes) = row.content.bytes() {
                rows.push((row.key, bytes.to_vec()));
            }
            if rows.len() >= limit {
                return std::ops::ControlFlow::Break(());
            }
            std::ops::ControlFlow::Continue(())
        });
        walk.map_err(|error| RecordError(error.to_string()))?;
        Ok(rows)
    }
}
