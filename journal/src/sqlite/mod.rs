//! The embedded engine: one SQLite file, one writer thread, readers beside it.
//!
//! Write-ahead log with `synchronous=FULL`: a transaction is answered after its log is synced.
//! All batches that arrive while one transaction syncs share the next one, over all channels
//! (group commit), so load lowers the syncs per message and never raises the wait by more than
//! one sync. Readers have connections of their own and wait for nobody.
//!
//! ```text
//! submit ─▶ queue (bounded) ─▶ writer: BEGIN, all that waits, COMMIT + sync ─▶ completions
//!                                 └─ then folds a long log into the file (checkpoint)
//! read, scan, scrub ─▶ a small pool of read-only connections
//! ```
//! Each table of the record is an SQL table `name(key, value, checksum)`, so the file opens in any
//! SQLite tool.

mod backup;
mod connection;
mod queue;
mod reader;
mod writer;

pub use backup::{BackupError, Copied, RestoreError, restore};

use crate::batch::Batch;
use crate::completion::Done;
use crate::engine::{Busy, Counters, Engine, RESERVE_BYTES_DEFAULT, ScrubCursor, ScrubStep, Space};
use crate::error::{CommitError, OpenError, ReadError};
use crate::lock::FolderLock;
use crate::row::Content;
use crate::scan::{Page, Scan};
use crate::table::Table;
use connection::Opener;
use queue::Queue;
use reader::Readers;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

/// Asks the disk how many bytes it has free for this process.
pub type FreeBytes = Arc<dyn Fn() -> std::io::Result<u64> + Send + Sync>;

/// Writes a file's own bytes over themselves and syncs it; does nothing when it is not there.
pub type Rewrite = Arc<dyn Fn(&Path) -> std::io::Result<()> + Send + Sync>;

/// How strictly SQLite syncs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Synchronous {
    /// Every commit is on stable storage before it is answered.
    #[default]
    Full,
    /// Commits are answered while they may still be lost. Only to prove that the power-cut suite
    /// notices; available to no configuration file.
    DangerOff,
}

/// Pages of 4 KiB that the write-ahead log holds before it is folded into the file: 16 MiB. Long
/// enough that the hot pages of busy logs are folded once for many commits; short enough that
/// the replay at a start takes a few milliseconds.
pub const CHECKPOINT_PAGES_DEFAULT: u16 = 4096;

/// Bytes of a log that are written anew at a time.
const REWRITE_BYTES: usize = 1 << 20;

/// How to open a record.
#[derive(Clone)]
pub struct SqliteOptions {
    /// Bytes of the disk kept free for receipts and alarms.
    pub reserve_bytes: u64,
    /// How strictly to sync.
    pub synchronous: Synchronous,
    /// The name of a registered SQLite file system; `None` is the system's.
    pub vfs: Option<String>,
    /// Pages in the write-ahead log after which it is folded into the file; at four times as many
    /// the writer waits for readers, shortly, in order to start it anew.
    pub checkpoint_pages: u16,
    /// How to learn the free space; `None` asks the system about the file's folder.
    pub free_bytes: Option<FreeBytes>,
    /// How to write the log of an earlier process anew; `None` uses the system's files.
    pub rewrite: Option<Rewrite>,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            reserve_bytes: RESERVE_BYTES_DEFAULT,
            synchronous: Synchronous::Full,
            vfs: None,
            checkpoint_pages: CHECKPOINT_PAGES_DEFAULT,
            free_bytes: None,
            rewrite: None,
        }
    }
}

impl fmt::Debug for SqliteOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteOptions")
            .field("reserve_bytes", &self.reserve_bytes)
            .field("synchronous", &self.synchronous)
            .field("vfs", &self.vfs)
            .finish_non_exhaustive()
    }
}

/// A record in one SQLite file. Dropping it commits what is queued and closes the file.
///
/// A file beside it, `…-lock`, is locked meanwhile: no second engine opens the same record.
pub struct SqliteEngine {
    path: PathBuf,
    opener: Opener,
    free_bytes: FreeBytes,
    reserve_bytes: u64,
    queue: Arc<Queue>,
    readers: Readers,
    writer: Option<JoinHandle<()>>,
    /// Held until all connections are closed (fields are dropped in order).
    _lock: Option<FolderLock>,
}

impl SqliteEngine {
    /// Opens the record at `path`, or makes an empty one. `tables` is the closed set of its tables.
    ///
    /// After a crash or power cut SQLite replays its log here; nothing else is repaired. All that
    /// can be read afterwards is durable, also what a killed process wrote and never synced.
    ///
    /// # Errors
    /// [`OpenError`]; nothing is changed.
    pub fn open(path: &Path, tables: &[Table], options: SqliteOptions) -> Result<Self, OpenError> {
        if !crate::table::tables_are_valid(tables) {
            return Err(OpenError::LocalTables);
        }
        // Before anything is written: a log that another process writes must not be touched.
        let lock = match options.vfs {
            None => Some(FolderLock::acquire(&connection::beside(path, "-lock")).map_err(OpenError::from)?),
            Some(_) => None,
        };
        let rewrite = options.rewrite.as_ref().map_or_else(|| Arc::new(rewrite_file) as Rewrite, Arc::clone);
        // What a killed process wrote and never synced would be taken for durable when it is read
        // again. After a failed sync the system may even believe it written (and a sync would do
        // nothing), so the log is not only synced but written anew.
        rewrite(&connection::beside(path, "-wal")).map_err(OpenError::EnvironmentIo)?;
        let opener = Opener::new(path, tables, &options);
        let connection = opener.writer()?;
        let free_bytes = options.free_bytes.unwrap_or_else(|| free_bytes_of(path));
        let queue = Arc::new(Queue::default());
        let limits = writer::Limits {
            reserve_bytes: options.reserve_bytes,
            checkpoint_pages: i32::from(options.checkpoint_pages),
        };
        let writer =
            writer::Writer::new(connection, Arc::clone(&queue), tables, Arc::clone(&free_bytes), limits)
                .map_err(|error| OpenError::EnvironmentFile { code: connection::code_of(&error) })?;
        let handle = std::thread::Builder::new()
            .name("journal-writer".into())
            .spawn(move || writer.run())
            .map_err(OpenError::EnvironmentIo)?;
        Ok(Self {
            path: path.to_path_buf(),
            readers: Readers::new(opener.clone()),
            opener,
            free_bytes,
            reserve_bytes: options.reserve_bytes,
            queue,
            writer: Some(handle),
            _lock: lock,
        })
    }

    fn knows(&self, batch: &Batch) -> Result<(), CommitError> {
        if !batch.within_limits() {
            return Err(CommitError::LocalTooLarge);
        }
        let unknown =
            batch.operations.iter().find(|operation| !self.opener.tables().contains(&operation.table));
        unknown.map_or(Ok(()), |operation| Err(CommitError::LocalUnknownTable(operation.table)))
    }
}

impl Engine for SqliteEngine {
    fn submit(&self, batch: Batch, done: Done) -> Result<(), Busy> {
        match self.knows(&batch) {
            Ok(()) => self.queue.push(batch, done),
            Err(error) => {
                done(Err(error));
                Ok(())
            }
        }
    }

    fn wait_for_room(&self) {
        self.queue.wait_for_room();
    }

    fn read_row(&self, table: Table, key: &[u8]) -> Result<Option<Content>, ReadError> {
        self.readers.read_row(table, key)
    }

    fn scan(&self, scan: &Scan) -> Result<Page, ReadError> {
        self.readers.scan(scan)
    }

    fn scrub(&self, cursor: ScrubCursor, rows_max: usize) -> Result<ScrubStep, ReadError> {
        self.readers.scrub(cursor, rows_max)
    }

    fn space(&self) -> Result<Space, ReadError> {
        let io = |error: std::io::Error| ReadError::EnvironmentIo { code: error.raw_os_error().unwrap_or(0) };
        let length = |path: &Path| std::fs::metadata(path).map_or(0, |metadata| metadata.len());
        Ok(Space {
            used_bytes: length(&self.path) + length(&connection::beside(&self.path, "-wal")),
            free_bytes: (self.free_bytes)().map_err(io)?,
            reserve_bytes: self.reserve_bytes,
        })
    }

    fn counters(&self) -> Counters {
        self.queue.counters()
    }

    fn halted(&self) -> Option<CommitError> {
        self.queue.halted()
    }
}

impl Drop for SqliteEngine {
    fn drop(&mut self) {
        self.queue.close();
        if let Some(writer) = self.writer.take()
            && writer.thread().id() != std::thread::current().id()
        {
            // A panic of the writer has already been answered to every caller as a halt.
            let _ = writer.join();
        }
    }
}

impl fmt::Debug for SqliteEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteEngine").field("tables", &self.opener.tables().len()).finish_non_exhaustive()
    }
}

fn free_bytes_of(path: &Path) -> FreeBytes {
    let folder = connection::folder_of(path);
    Arc::new(move || {
        let figures = rustix::fs::statvfs(&folder)?;
        Ok(figures.f_bavail.saturating_mul(figures.f_frsize))
    })
}

fn rewrite_file(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::FileExt;
    let mut file = match std::fs::File::options().read(true).write(true).open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        opened => opened?,
    };
    let (mut chunk, mut at) = (vec![0; REWRITE_BYTES], 0);
    loop {
        let read = std::io::Read::read(&mut file, &mut chunk)?;
        if read == 0 {
            return file.sync_all();
        }
        file.write_all_at(&chunk[..read], at)?;
        at += read as u64;
    }
}
