//! The reference engine: ordered maps, and a disk that syncs when it is told to.
//!
//! For the simulation and for comparing engines. It starts no thread, reads no clock and draws no
//! randomness: what is submitted waits until [`MemoryEngine::sync`], and a power cut keeps as much
//! of what waits as the caller says. Callbacks run inside `sync`, in the order of submission, when
//! the lock is free again, so they may submit and read.

use crate::batch::{Batch, Change, Importance, Operation};
use crate::completion::Done;
use crate::engine::{
    Busy, Counters, Engine, QUEUE_BATCHES_MAX, RESERVE_BYTES_DEFAULT, ScrubCursor, ScrubStep, Space,
};
use crate::error::{CommitError, Damage, ReadError};
use crate::row::{self, Content, LEAF_CHECK_BYTES, Row};
use crate::scan::{Direction, PAGE_BYTES_MAX, PAGE_ROWS_MAX, Page, Scan};
use crate::table::Table;
use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Free space that a new reference engine claims to have.
const FREE_BYTES_DEFAULT: u64 = 1 << 40;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Stored {
    value: Option<Vec<u8>>,
    check: Vec<u8>,
}

type Rows = BTreeMap<Vec<u8>, Stored>;

/// What stands on the platters: rows by table number.
#[derive(Debug, Clone, Default)]
struct Disk {
    tables: BTreeMap<u8, Rows>,
    used_bytes: u64,
}

impl Disk {
    fn apply(&mut self, batch: &Batch) {
        for Operation { table, key, change } in &batch.operations {
            let rows = self.tables.entry(table.id()).or_default();
            match change {
                Change::Put { value, check } => {
                    rows.insert(key.clone(), Stored { value: Some(value.clone()), check: check.clone() });
                }
                Change::Delete => {
                    rows.remove(key);
                }
                Change::EraseLeaf => {
                    if let Some(stored) =
                        rows.get_mut(key).filter(|stored| stored.check.len() == LEAF_CHECK_BYTES)
                    {
                        stored.value = None;
                    }
                }
            }
        }
        self.used_bytes += batch.bytes() as u64;
    }
}

#[derive(Default)]
struct State {
    disk: Disk,
    waiting: VecDeque<(Batch, Done)>,
    /// Callbacks of a process that lost its power.
    never_called: Vec<Done>,
    free_bytes: u64,
    fail_next_sync: bool,
    answer_before_sync: bool,
    halted: Option<CommitError>,
    counters: Counters,
}

/// A record in memory whose syncs and faults are the caller's.
pub struct MemoryEngine {
    tables: Vec<Table>,
    reserve_bytes: u64,
    state: Mutex<State>,
}

impl MemoryEngine {
    /// An empty record with the closed set `tables`.
    ///
    /// # Panics
    /// When `tables` names a number or a name twice.
    #[must_use]
    pub fn new(tables: &[Table]) -> Self {
        Self::with_disk(tables, Disk::default())
    }

    fn with_disk(tables: &[Table], disk: Disk) -> Self {
        assert!(crate::table::tables_are_valid(tables), "a table's number and name are its own");
        let state = State { disk, free_bytes: FREE_BYTES_DEFAULT, ..State::default() };
        Self { tables: tables.to_vec(), reserve_bytes: RESERVE_BYTES_DEFAULT, state: Mutex::new(state) }
    }

    /// Batches that wait for a sync.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.lock().waiting.len()
    }

    /// Makes all that waits durable and answers it; returns how many batches were made durable.
    /// What callbacks submit waits for the next sync.
    pub fn sync(&self) -> usize {
        let mut state = self.lock();
        if state.waiting.is_empty() {
            return 0;
        }
        if std::mem::take(&mut state.fail_next_sync) {
            drop(state);
            self.halt(CommitError::EnvironmentCommit { code: 0 });
            return 0;
        }
        let waiting = std::mem::take(&mut state.waiting);
        waiting.iter().for_each(|(batch, _)| state.disk.apply(batch));
        state.counters.batches += waiting.len() as u64;
        state.counters.syncs += 1;
        drop(state);
        let count = waiting.len();
        waiting.into_iter().for_each(|(_, done)| done(Ok(())));
        count
    }

    /// Cuts the power: the first `kept` of the waiting batches reached the disk, the others did
    /// not, and nobody is answered. Returns the record as it is found at the next start; this one
    /// takes nothing more.
    ///
    /// A disk that syncs in order can keep any prefix and nothing else; that is the promise of
    /// [`Engine`].
    #[must_use]
    pub fn power_cut(&self, kept: usize) -> Self {
        let mut state = self.lock();
        let waiting = std::mem::take(&mut state.waiting);
        waiting.iter().take(kept).for_each(|(batch, _)| state.disk.apply(batch));
        let survivor =
            Self { reserve_bytes: self.reserve_bytes, ..Self::with_disk(&self.tables, state.disk.clone()) };
        state.halted.get_or_insert(CommitError::EnvironmentHalted);
        drop(state);
        // A callback of a dead process runs nowhere, so these are not even dropped while it is kept.
        self.lock().never_called.extend(waiting.into_iter().map(|(_, done)| done));
        survivor
    }

    /// A copy of what is durable now: a backup, to be restored later in place of the record.
    #[must_use]
    pub fn snapshot(&self) -> Self {
        Self { reserve_bytes: self.reserve_bytes, ..Self::with_disk(&self.tables, self.lock().disk.clone()) }
    }

    /// Sets what the disk says it has free.
    pub fn set_free_bytes(&self, free_bytes: u64) {
        self.lock().free_bytes = free_bytes;
    }

    /// Makes the next sync that has something to do fail, which halts the engine.
    pub fn fail_next_sync(&self) {
        self.lock().fail_next_sync = true;
    }

    /// Plants a fault: batches are answered when submitted, before any sync. For proving that
    /// checkers notice.
    pub fn danger_answer_before_sync(&self, planted: bool) {
        self.lock().answer_before_sync = planted;
    }

    /// Plants bit rot: inverts one bit of a stored value. Returns whether there was such a bit.
    pub fn danger_flip_bit(&self, table: Table, key: &[u8], bit: usize) -> bool {
        let mut state = self.lock();
        let stored = state.disk.tables.get_mut(&table.id()).and_then(|rows| rows.get_mut(key));
        let byte = stored.and_then(|stored| stored.value.as_mut()).and_then(|value| value.get_mut(bit / 8));
        byte.map(|byte| *byte ^= 1 << (bit % 8)).is_some()
    }

    fn halt(&self, reason: CommitError) {
        let mut state = self.lock();
        state.halted = Some(reason.clone());
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        waiting.into_iter().for_each(|(_, done)| done(Err(reason.clone())));
    }

    /// Why a batch cannot be taken, if so.
    fn refusal(&self, state: &State, batch: &Batch) -> Option<CommitError> {
        if !batch.within_limits() {
            return Some(CommitError::LocalTooLarge);
        }
        if let Some(operation) =
            batch.operations.iter().find(|operation| !self.tables.contains(&operation.table))
        {
            return Some(CommitError::LocalUnknownTable(operation.table));
        }
        if state.halted.is_some() {
            return Some(CommitError::EnvironmentHalted);
        }
        let left = state.free_bytes.saturating_sub(batch.bytes() as u64);
        (batch.importance() == Importance::Ordinary && left < self.reserve_bytes).then_some(
            CommitError::EnvironmentDiskFull {
                free_bytes: state.free_bytes,
                reserve_bytes: self.reserve_bytes,
            },
        )
    }

    fn known(&self, table: Table) -> Result<(), ReadError> {
        self.tables.contains(&table).then_some(()).ok_or(ReadError::LocalUnknownTable(table))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Callbacks run outside the lock and every change is whole, so poison means nothing here.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine for MemoryEngine {
    fn submit(&self, batch: Batch, done: Done) -> Result<(), Busy> {
        let mut state = self.lock();
        let refusal = self.refusal(&state, &batch);
        if refusal.is_none() && state.waiting.len() >= QUEUE_BATCHES_MAX {
            return Err(Busy { batch, done });
        }
        if refusal.is_none() && !state.answer_before_sync {
            state.waiting.push_back((batch, done));
            return Ok(());
        }
        if refusal.is_none() {
            state.waiting.push_back((batch, Box::new(|_| ())));
        }
        drop(state);
        done(refusal.map_or(Ok(()), Err));
        Ok(())
    }

    /// Syncs: there is no other thread that would.
    fn wait_for_room(&self) {
        self.sync();
    }

    fn read_row(&self, table: Table, key: &[u8]) -> Result<Option<Content>, ReadError> {
        self.known(table)?;
        let stored = self.lock().disk.tables.get(&table.id()).and_then(|rows| rows.get(key)).cloned();
        stored
            .map(|stored| row::verify(table, key, stored.value, &stored.check))
            .transpose()
            .map_err(ReadError::EnvironmentDamaged)
    }

    fn scan(&self, scan: &Scan) -> Result<Page, ReadError> {
        self.known(scan.table)?;
        let (stored, more) = page(&self.lock().disk, scan);
        let verified = stored.into_iter().map(|(key, Stored { value, check })| {
            row::verify(scan.table, &key, value, &check).map(|content| Row { key, content })
        });
        let rows = verified.collect::<Result<_, _>>().map_err(ReadError::EnvironmentDamaged)?;
        Ok(Page { rows, more })
    }

    fn scrub(&self, cursor: ScrubCursor, rows_max: usize) -> Result<ScrubStep, ReadError> {
        let Some(table) = self.tables.get(cursor.table_index).copied() else {
            return Ok(ScrubStep { rows: 0, damaged: Vec::new(), corrupt: None, next: None });
        };
        let scan = Scan { from: cursor.from.clone(), ..Scan::all(table) }.limit(rows_max.max(1));
        let (stored, more) = page(&self.lock().disk, &scan);
        let last = stored.last().map(|(key, _)| key.clone()).filter(|_| more);
        let rows = stored.len();
        let damaged: Vec<Damage> = stored
            .into_iter()
            .filter_map(|(key, Stored { value, check })| row::verify(table, &key, value, &check).err())
            .collect();
        Ok(ScrubStep { rows, damaged, corrupt: None, next: cursor.next(last, self.tables.len()) })
    }

    fn space(&self) -> Result<Space, ReadError> {
        let state = self.lock();
        Ok(Space {
            used_bytes: state.disk.used_bytes,
            free_bytes: state.free_bytes,
            reserve_bytes: self.reserve_bytes,
        })
    }

    fn counters(&self) -> Counters {
        self.lock().counters
    }

    fn halted(&self) -> Option<CommitError> {
        self.lock().halted.clone()
    }
}

/// The rows of one page as they are stored, unverified, and whether more would follow.
fn page(disk: &Disk, scan: &Scan) -> (Vec<(Vec<u8>, Stored)>, bool) {
    let end = scan.to.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
    let empty_range = scan.to.as_ref().is_some_and(|to| *to <= scan.from);
    let Some(rows) = disk.tables.get(&scan.table.id()).filter(|_| !empty_range) else {
        return (Vec::new(), false);
    };
    let range = rows.range::<Vec<u8>, _>((Bound::Included(&scan.from), end));
    let mut ordered: Box<dyn Iterator<Item = _>> = match scan.direction {
        Direction::Ascending => Box::new(range),
        Direction::Descending => Box::new(range.rev()),
    };
    let (limit, mut bytes, mut page) = (scan.limit.min(PAGE_ROWS_MAX), 0, Vec::new());
    while page.len() < limit && bytes < PAGE_BYTES_MAX {
        let Some((key, stored)) = ordered.next() else { return (page, false) };
        bytes += key.len() + stored.value.as_ref().map_or(0, Vec::len);
        page.push((key.clone(), stored.clone()));
    }
    let more = ordered.next().is_some();
    (page, more)
}

impl std::fmt::Debug for MemoryEngine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryEngine").field("waiting", &self.waiting()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::completion::Completion;
    use std::sync::Arc;

    const T: Table = Table::new(1, "things");

    fn thing(key: u8) -> Batch {
        let mut batch = Batch::new();
        batch.put(T, &[key], &[key]);
        batch
    }

    #[test]
    fn nothing_is_answered_or_seen_before_the_sync() {
        let engine = MemoryEngine::new(&[T]);
        let first = engine.commit(thing(1));
        assert_eq!((first.outcome(), engine.read(T, &[1])), (None, Ok(None)));
        assert_eq!(engine.sync(), 1);
        assert_eq!((first.outcome(), engine.read(T, &[1])), (Some(Ok(())), Ok(Some(vec![1]))));
        assert_eq!(engine.sync(), 0);
    }

    #[test]
    fn a_power_cut_keeps_a_prefix_and_answers_nobody() {
        let engine = MemoryEngine::new(&[T]);
        let completions: Vec<Completion> = (0..4).map(|key| engine.commit(thing(key))).collect();
        let survivor = engine.power_cut(2);
        assert!(completions.iter().all(|completion| completion.outcome().is_none()));
        assert_eq!(survivor.scan(&Scan::all(T)).expect("reads").rows.len(), 2);
        assert_eq!(engine.commit(thing(9)).outcome(), Some(Err(CommitError::EnvironmentHalted)));
        assert!(survivor.halted().is_none());
    }

    #[test]
    fn the_planted_fault_answers_what_a_cut_still_takes() {
        let engine = MemoryEngine::new(&[T]);
        engine.danger_answer_before_sync(true);
        assert_eq!(engine.commit(thing(1)).outcome(), Some(Ok(())));
        assert_eq!(engine.power_cut(0).read(T, &[1]), Ok(None));
    }

    #[test]
    fn a_callback_may_submit_and_read() {
        let engine = Arc::new(MemoryEngine::new(&[T]));
        let inner = Arc::clone(&engine);
        engine.commit_then(
            thing(1),
            Box::new(move |outcome| {
                assert_eq!((outcome, inner.read(T, &[1])), (Ok(()), Ok(Some(vec![1]))));
                let _later = inner.commit(thing(2));
            }),
        );
        assert_eq!((engine.sync(), engine.waiting(), engine.sync()), (1, 1, 1));
    }
}
