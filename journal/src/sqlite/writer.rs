//! The one thread that writes.
//!
//! It takes all that waits, writes it in one transaction, and answers after the sync. The first
//! error of a transaction halts it for good: after a failed sync the system may have thrown away
//! pages it could not write, so a second attempt could succeed without the first one's data.

use super::FreeBytes;
use super::connection::{LOCK_WAIT, code_of};
use super::queue::{Queue, Waiting};
use crate::batch::{Change, Importance, Operation};
use crate::error::CommitError;
use crate::row::LEAF_CHECK_BYTES;
use crate::table::Table;
use rusqlite::hooks::Wal;
use rusqlite::{Connection, params};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

/// A log this many times longer than folding asks for is started anew, waiting for readers: it
/// therefore stays near this, however readers' snapshots overlap.
const RESET_FACTOR: i32 = 4;

/// How long the writer waits for readers in order to start the log anew; no commit waits longer
/// for them.
const RESET_WAIT: Duration = Duration::from_millis(20);

/// When the writer refuses and when it tidies up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) reserve_bytes: u64,
    pub(super) checkpoint_pages: i32,
}

/// The statements of one table.
struct Statements {
    put: String,
    delete: String,
    erase: String,
}

impl Statements {
    fn new(table: Table) -> Self {
        let name = table.name();
        Self {
            put: format!(
                "INSERT INTO {name}(key, value, checksum) VALUES (?1, ?2, ?3)
                 ON CONFLICT(key) DO UPDATE SET value = excluded.value, checksum = excluded.checksum"
            ),
            delete: format!("DELETE FROM {name} WHERE key = ?1"),
            // A plain row has nothing that could stay.
            erase: format!(
                "UPDATE {name} SET value = NULL WHERE key = ?1 AND length(checksum) = {LEAF_CHECK_BYTES}"
            ),
        }
    }
}

pub(super) struct Writer {
    connection: Connection,
    queue: Arc<Queue>,
    /// By table number.
    statements: Vec<Option<Statements>>,
    free_bytes: FreeBytes,
    limits: Limits,
    /// Pages in the write-ahead log after the last commit, as SQLite tells.
    log_pages: Arc<AtomicI32>,
    pages_before: i32,
    /// Pages at which the log is folded next.
    fold_at: i32,
}

/// Halts the queue if the writer ends by a panic, so that nobody waits for ever.
struct HaltOnPanic(Arc<Queue>);

impl Drop for HaltOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.halt(CommitError::EnvironmentCommit { code: 0 });
        }
    }
}

impl Writer {
    pub(super) fn new(
        mut connection: Connection,
        queue: Arc<Queue>,
        tables: &[Table],
        free_bytes: FreeBytes,
        limits: Limits,
    ) -> rusqlite::Result<Self> {
        let mut statements: Vec<Option<Statements>> = (0..=u8::MAX).map(|_| None).collect();
        for table in tables {
            statements[usize::from(table.id())] = Some(Statements::new(*table));
        }
        let log_pages = Arc::new(AtomicI32::new(0));
        let told = Arc::clone(&log_pages);
        connection.wal_hook(Some(move |_: &mut Wal, pages| {
            told.store(pages, Ordering::Relaxed);
            Ok(())
        }))?;
        Ok(Self {
            connection,
            queue,
            statements,
            free_bytes,
            limits,
            log_pages,
            pages_before: 0,
            fold_at: limits.checkpoint_pages,
        })
    }

    /// Runs until the queue is closed and empty, or a commit fails.
    pub(super) fn run(mut self) {
        let _guard = HaltOnPanic(Arc::clone(&self.queue));
        while let Some(group) = self.queue.next_group() {
            let group = self.admit(group);
            if group.is_empty() {
                continue;
            }
            if let Err(error) = self.write(&group) {
                let reason = CommitError::EnvironmentCommit { code: code_of(&error) };
                // Whoever is told of the failure must already find the engine halted.
                self.queue.halt(reason.clone());
                for Waiting { done, .. } in group {
                    done(Err(reason.clone()));
                }
                return;
            }
            self.queue.count(|counters| {
                counters.batches += group.len() as u64;
                counters.syncs += 1;
            });
            for Waiting { done, .. } in group {
                done(Ok(()));
            }
            if let Err(error) = self.fold_log() {
                self.queue.halt(CommitError::EnvironmentCommit { code: code_of(&error) });
                return;
            }
        }
    }

    /// Refuses ordinary batches when the disk would be left with less than the reserve.
    fn admit(&self, group: Vec<Waiting>) -> Vec<Waiting> {
        if group.iter().all(|waiting| waiting.batch.importance() == Importance::Receipt) {
            return group;
        }
        // A disk that does not say how much it has is taken to be full.
        let free_bytes = (self.free_bytes)().unwrap_or(0);
        let ordinary_bytes: usize = group
            .iter()
            .filter(|waiting| waiting.batch.importance() == Importance::Ordinary)
            .map(|waiting| waiting.batch.bytes())
            .sum();
        if free_bytes.saturating_sub(ordinary_bytes as u64) >= self.limits.reserve_bytes {
            return group;
        }
        let refusal =
            CommitError::EnvironmentDiskFull { free_bytes, reserve_bytes: self.limits.reserve_bytes };
        let (ordinary, receipts): (Vec<_>, Vec<_>) =
            group.into_iter().partition(|waiting| waiting.batch.importance() == Importance::Ordinary);
        for Waiting { done, .. } in ordinary {
            done(Err(refusal.clone()));
        }
        receipts
    }

    fn write(&self, group: &[Waiting]) -> rusqlite::Result<()> {
        self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        for operation in group.iter().flat_map(|waiting| &waiting.batch.operations) {
            self.apply(operation)?;
        }
        self.connection.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    }

    fn apply(&self, operation: &Operation) -> rusqlite::Result<()> {
        let statements = self.statements[usize::from(operation.table.id())]
            .as_ref()
            .expect("submit refuses tables that the engine was not opened with");
        let key = &operation.key;
        match &operation.change {
            Change::Put { value, check } => {
                self.connection.prepare_cached(&statements.put)?.execute(params![key, value, check])?
            }
            Change::Delete => self.connection.prepare_cached(&statements.delete)?.execute(params![key])?,
            Change::EraseLeaf => self.connection.prepare_cached(&statements.erase)?.execute(params![key])?,
        };
        Ok(())
    }

    /// Folds a long log into the file; a very long one is started anew.
    ///
    /// A reader whose snapshot lasts (a backup) keeps the log from being started anew. It is then
    /// tried again only after the log has grown by as much again, so that commits do not wait for
    /// it each time.
    fn fold_log(&mut self) -> rusqlite::Result<()> {
        let pages = self.log_pages.load(Ordering::Relaxed);
        if pages < self.pages_before {
            self.fold_at = self.limits.checkpoint_pages; // The log was started anew.
        }
        self.pages_before = pages;
        if pages < self.fold_at {
            return Ok(());
        }
        self.fold_at = pages.saturating_add(self.limits.checkpoint_pages);
        let mode = if pages < self.limits.checkpoint_pages * RESET_FACTOR { "PASSIVE" } else { "RESTART" };
        self.connection.busy_timeout(RESET_WAIT)?;
        self.connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |_| Ok(()))?;
        self.connection.busy_timeout(LOCK_WAIT)?;
        self.queue.count(|counters| counters.checkpoints += 1);
        Ok(())
    }
}
