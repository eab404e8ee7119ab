//! The one trait behind which the record is kept.
//!
//! An engine is an ordered map from (table, key) to bytes that grows by whole batches. It answers
//! a commit only after the batch is on stable storage, for a receipt that a power cut can still
//! take back would be a lie. It knows nothing of logs, channels or parties.
//!
//! Source: DESIGN section 7; PROTOCOL, "Journal first".

use crate::batch::Batch;
use crate::completion::{Completion, Done};
use crate::error::{CommitError, Damage, ReadError};
use crate::row::{Content, Row};
use crate::scan::{Page, Scan};
use crate::table::Table;
use std::ops::ControlFlow;

/// Batches that may wait for the disk. More are held back at their callers.
pub const QUEUE_BATCHES_MAX: usize = 4096;
/// Bytes that may wait for the disk. More are held back at their callers.
pub const QUEUE_BYTES_MAX: usize = 64 << 20;
/// Disk space kept free for receipts and alarms unless configured otherwise.
pub const RESERVE_BYTES_DEFAULT: u64 = 64 << 20;

/// How full the disk is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// Bytes the record takes, with its write-ahead log.
    pub used_bytes: u64,
    /// Bytes the disk still has for this process.
    pub free_bytes: u64,
    /// Bytes kept for receipts and alarms.
    pub reserve_bytes: u64,
}

impl Space {
    /// Whether ordinary batches are refused now.
    #[must_use]
    pub const fn below_reserve(&self) -> bool {
        self.free_bytes < self.reserve_bytes
    }
}

/// What an engine has done since it was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Batches durably committed.
    pub batches: u64,
    /// Times the disk was asked to sync for them; `syncs / batches` falls as load grows.
    pub syncs: u64,
    /// Times the write-ahead log was folded into the main file.
    pub checkpoints: u64,
}

/// Where a scrub goes on. Starts at the first row of the first table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScrubCursor {
    pub(crate) table_index: usize,
    pub(crate) from: Vec<u8>,
}

impl ScrubCursor {
    /// Where to go on behind `last` of the same table, or else at the next of `tables_count`.
    pub(crate) fn next(self, last: Option<Vec<u8>>, tables_count: usize) -> Option<Self> {
        if let Some(mut from) = last {
            from.push(0); // The next possible key in byte order.
            return Some(Self { from, ..self });
        }
        let table_index = self.table_index + 1;
        (table_index < tables_count).then_some(Self { table_index, from: Vec::new() })
    }
}

/// One step of a scrub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScrubStep {
    /// Rows whose checksum was computed.
    pub rows: usize,
    /// Rows that do not match theirs. To be fetched again from a peer's signed copy.
    pub damaged: Vec<Damage>,
    /// A table walked to its end whose own structure is damaged: rows may be hidden, and reads may
    /// not have noticed. Restore from a backup or a peer.
    pub corrupt: Option<Table>,
    /// Where to go on; `None` when every row has been seen.
    pub next: Option<ScrubCursor>,
}

/// A durable, ordered record. Object safe; used from threads and from any runtime.
///
/// Batches become durable in the order in which `submit` accepted them, each whole or not at all.
/// Reads see exactly the batches whose transaction has ended, never a part of one, and are not
/// held up by commits. A batch whose completion was answered is seen by every later read.
pub trait Engine: Send + Sync {
    /// Queues `batch`; `done` is called once it is durable or has failed, on the engine's thread,
    /// and must be short. Never waits for the disk.
    ///
    /// # Errors
    /// [`Busy`] gives both back when [`QUEUE_BATCHES_MAX`] or [`QUEUE_BYTES_MAX`] is reached.
    /// Every other refusal goes to `done`.
    fn submit(&self, batch: Batch, done: Done) -> Result<(), Busy>;

    /// Blocks until the queue has room (or the engine has halted).
    fn wait_for_room(&self);

    /// Reads one row.
    ///
    /// # Errors
    /// [`ReadError::EnvironmentDamaged`] when it does not match its checksum.
    fn read_row(&self, table: Table, key: &[u8]) -> Result<Option<Content>, ReadError>;

    /// Reads a page of rows in key order.
    ///
    /// # Errors
    /// [`ReadError::EnvironmentDamaged`] names the first row that does not match its checksum; no
    /// row is ever left out because of damage.
    fn scan(&self, scan: &Scan) -> Result<Page, ReadError>;

    /// Verifies up to `rows_max` rows from `cursor` on. Goes on behind damage, and lists it. The
    /// step that ends a table also verifies its structure, which takes as long as reading it.
    ///
    /// # Errors
    /// [`ReadError`] when rows cannot be read at all.
    fn scrub(&self, cursor: ScrubCursor, rows_max: usize) -> Result<ScrubStep, ReadError>;

    /// Answers how full the disk is.
    ///
    /// # Errors
    /// [`ReadError::EnvironmentIo`] when the disk does not say.
    fn space(&self) -> Result<Space, ReadError>;

    /// Answers what was done since the engine was opened.
    fn counters(&self) -> Counters;

    /// Why the engine takes no more commits, if so. It never starts again by itself.
    fn halted(&self) -> Option<CommitError>;

    /// Queues `batch` and calls `done` when it is durable or has failed. Blocks while the queue
    /// is full, so that a flood is held back at its source.
    fn commit_then(&self, mut batch: Batch, mut done: Done) {
        while let Err(busy) = self.submit(batch, done) {
            (batch, done) = (busy.batch, busy.done);
            self.wait_for_room();
        }
    }

    /// Queues `batch`; the answer can be waited for or awaited. Blocks while the queue is full.
    fn commit(&self, batch: Batch) -> Completion {
        let (done, completion) = Completion::pair();
        self.commit_then(batch, done);
        completion
    }

    /// Like [`Engine::commit`], but gives the batch back instead of blocking.
    ///
    /// # Errors
    /// The batch, when the queue is full.
    fn try_commit(&self, batch: Batch) -> Result<Completion, Batch> {
        let (done, completion) = Completion::pair();
        self.submit(batch, done).map(|()| completion).map_err(|busy| busy.batch)
    }

    /// Reads the bytes of one row: of a log leaf, its data.
    ///
    /// # Errors
    /// As [`Engine::read_row`]; [`ReadError::LocalErased`] when only the hash of a leaf is left.
    fn read(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
        match self.read_row(table, key)? {
            None => Ok(None),
            Some(Content::Plain(bytes) | Content::Leaf { data: bytes, .. }) => Ok(Some(bytes)),
            Some(Content::Erased { .. }) => Err(ReadError::LocalErased(Damage::at(table, key))),
        }
    }

    /// Reads the row with the highest key that begins with `prefix`.
    ///
    /// # Errors
    /// As [`Engine::scan`].
    fn last(&self, table: Table, prefix: &[u8]) -> Result<Option<Row>, ReadError> {
        let page = self.scan(&Scan::prefix(table, prefix).descending().limit(1))?;
        Ok(page.rows.into_iter().next())
    }

    /// Calls `visit` with every row of `scan` (its limit bounds a page, not the walk), page by
    /// page, until it breaks. Rows committed meanwhile may or may not be seen.
    ///
    /// # Errors
    /// As [`Engine::scan`].
    fn for_each(&self, scan: Scan, visit: &mut dyn FnMut(Row) -> ControlFlow<()>) -> Result<(), ReadError> {
        let mut scan = scan;
        loop {
            let page = self.scan(&scan)?;
            let last = page.rows.last().map(|row| row.key.clone());
            for row in page.rows {
                if visit(row).is_break() {
                    return Ok(());
                }
            }
            match last {
                Some(last) if page.more => scan = scan.after(&last),
                _ => return Ok(()),
            }
        }
    }
}

/// The queue is full; nothing was taken.
pub struct Busy {
    /// The batch, to be offered again.
    pub batch: Batch,
    /// Its callback, not called.
    pub done: Done,
}

impl std::fmt::Debug for Busy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Busy").field("batch", &self.batch).finish_non_exhaustive()
    }
}
