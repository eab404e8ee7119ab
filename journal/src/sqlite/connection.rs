//! Opening connections: pragmas, layout, and the check that the file is ours.

use super::{SqliteOptions, Synchronous};
use crate::error::OpenError;
use crate::table::Table;
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// "DTNT": marks the file as a record of this software (shown by `file` and SQLite tools).
const APPLICATION_ID: i32 = 0x4454_4e54;
/// Layout of the file. A later one is refused, an earlier one would be migrated here.
const LAYOUT: i32 = 1;
/// Page cache of the writer in KiB: the hot edge of a few dozen logs.
const WRITER_CACHE_KIB: i32 = 4096;
/// Page cache of each reader in KiB.
const READER_CACHE_KIB: i32 = 512;
/// How long a connection waits for a lock. Ours last microseconds; another program's, such as that of
/// an operator looking into the file, should not halt a node at once.
pub(super) const LOCK_WAIT: Duration = Duration::from_secs(10);

/// Opens connections to one file with one set of tables.
#[derive(Debug, Clone)]
pub(super) struct Opener {
    path: PathBuf,
    tables: Arc<[Table]>,
    vfs: Option<String>,
    synchronous: Synchronous,
}

impl Opener {
    pub(super) fn new(path: &Path, tables: &[Table], options: &SqliteOptions) -> Self {
        Self {
            path: path.to_path_buf(),
            tables: tables.into(),
            vfs: options.vfs.clone(),
            synchronous: options.synchronous,
        }
    }

    pub(super) fn tables(&self) -> &[Table] {
        &self.tables
    }

    /// Opens the one connection that writes, and makes or checks the layout.
    pub(super) fn writer(&self) -> Result<Connection, OpenError> {
        let connection =
            self.connect(OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE).map_err(file)?;
        let owner: i32 =
            connection.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(file)?;
        let empty = connection
            .query_row("SELECT 1 FROM sqlite_schema LIMIT 1", [], |_| Ok(()))
            .optional()
            .map_err(file)?
            .is_none();
        match (owner, empty) {
            (APPLICATION_ID, _) | (0, true) => {}
            _ => return Err(OpenError::LocalForeignFile),
        }
        let layout: i32 =
            connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(file)?;
        if layout > LAYOUT {
            return Err(OpenError::LocalLaterVersion(layout));
        }
        self.refuse_unknown_tables(&connection)?;
        self.prepare(&connection).map_err(file)?;
        if self.vfs.is_none() {
            // The new file's name must survive a power cut as well as its bytes.
            sync_folder(&folder_of(&self.path)).map_err(OpenError::EnvironmentIo)?;
        }
        Ok(connection)
    }

    /// Opens a connection that cannot write.
    pub(super) fn reader(&self) -> rusqlite::Result<Connection> {
        let connection = self.connect(OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        connection.pragma_update(None, "query_only", true)?;
        connection.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
        Ok(connection)
    }

    fn connect(&self, flags: OpenFlags) -> rusqlite::Result<Connection> {
        // Each connection is used by one thread at a time, so SQLite's own mutexes are not needed.
        let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = match &self.vfs {
            None => Connection::open_with_flags(&self.path, flags)?,
            Some(vfs) => Connection::open_with_flags_and_vfs(&self.path, flags, vfs.as_str())?,
        };
        connection.busy_timeout(LOCK_WAIT)?;
        connection.set_prepared_statement_cache_capacity(self.tables.len() * 4 + 8);
        Ok(connection)
    }

    fn refuse_unknown_tables(&self, connection: &Connection) -> Result<(), OpenError> {
        let mut names = names_of_tables(connection).map_err(file)?.into_iter();
        let unknown = names.find(|name| !self.tables.iter().any(|table| table.name() == name));
        unknown.map_or(Ok(()), |name| Err(OpenError::LocalUnknownTable(name)))
    }

    /// Writes nothing when all is there: an opened record that is only read stays as it was.
    fn make_missing_tables(&self, connection: &Connection) -> rusqlite::Result<()> {
        let there = names_of_tables(connection)?;
        let missing: Vec<&Table> =
            self.tables.iter().filter(|table| there.iter().all(|name| name != table.name())).collect();
        if missing.is_empty() {
            return Ok(());
        }
        connection.execute_batch("BEGIN IMMEDIATE")?;
        for table in missing {
            connection.execute_batch(&format!(
                "CREATE TABLE {}(key BLOB PRIMARY KEY NOT NULL, value BLOB, checksum BLOB NOT NULL) WITHOUT ROWID, STRICT",
                table.name()
            ))?;
        }
        connection.pragma_update(None, "application_id", APPLICATION_ID)?;
        connection.pragma_update(None, "user_version", LAYOUT)?;
        connection.execute_batch("COMMIT")
    }

    fn prepare(&self, connection: &Connection) -> rusqlite::Result<()> {
        let (making, running) = match self.synchronous {
            Synchronous::Full => ("EXTRA", "FULL"),
            Synchronous::DangerOff => ("OFF", "OFF"),
        };
        // A new file is made with a rollback journal. Only EXTRA syncs the folder after deleting
        // it; else a power cut much later could bring it back, and it would undo everything.
        connection.pragma_update(None, "synchronous", making)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", running)?;
        connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
        // The writer folds the log itself, after it has answered its callers.
        connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        // What is erased by decision shall not linger in free pages.
        connection.pragma_update(None, "secure_delete", true)?;
        self.make_missing_tables(connection)
    }
}

fn names_of_tables(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")?;
    statement.query_map([], |row| row.get(0))?.collect()
}

/// The extended result code of an SQLite error; 0 where it has none.
pub(super) fn code_of(error: &rusqlite::Error) -> i32 {
    error.sqlite_error().map_or(0, |error| error.extended_code)
}

/// The folder in which a file lies.
pub(super) fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

/// The file beside `path` whose name has `suffix` more.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Makes names created in `folder` durable.
pub(super) fn sync_folder(folder: &Path) -> std::io::Result<()> {
    std::fs::File::open(folder)?.sync_all()
}

fn file(error: rusqlite::Error) -> OpenError {
    OpenError::EnvironmentFile { code: code_of(&error) }
}
