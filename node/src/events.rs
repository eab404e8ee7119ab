//! What clients are told: one stream of events with rising cursors, resumable over restarts.
//!
//! An event is told at once and kept a little later, with the views that follow from it. Cursors of
//! a new run begin beyond all that the run before can have told; what it told and did not keep is
//! told again under a new cursor. So a client that goes on behind its cursor misses nothing.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use detente_journal::{Batch, Engine, Scan};
use tokio::sync::watch;

use crate::api::EventView;
use crate::store::{EVENTS, Store, StoreError};

/// Events kept in memory; older ones are read from the record.
const RECENT_MAX: usize = 8192;
/// Events kept in the record; a client away for longer begins with the oldest of them.
const KEPT_MAX: u64 = 200_000;
/// Bytes of events in one row.
const ROW_BYTES: usize = 256 * 1024;
/// Cursors of a run begin at the next multiple of this, so that runs never share one.
const RUN_STEP: u64 = 1 << 20;
/// Where the cursors of the last run began.
const BEGAN: &str = "events/began";
/// Events one call answers at most.
pub const PAGE_MAX: usize = 1024;

/// An event as its stream carries it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventLine {
    /// Its cursor.
    pub cursor: u64,
    /// [`EventView`] as one line of JSON.
    pub json: Arc<str>,
}

impl EventLine {
    /// The event as a value.
    #[must_use]
    pub fn view(&self) -> Option<EventView> {
        serde_json::from_str(&self.json).ok()
    }
}

#[derive(Debug, Default)]
struct State {
    recent: VecDeque<EventLine>,
    unkept: VecDeque<EventLine>,
    next: u64,
}

/// The stream, shared by the core thread and all clients.
#[derive(Debug)]
pub struct Events {
    state: Mutex<State>,
    told: watch::Sender<u64>,
}

impl Events {
    pub(crate) fn open(store: &Store) -> Result<Self, StoreError> {
        let last = store.engine().last(EVENTS, &[])?;
        let kept = last.and_then(|row| {
            let text = String::from_utf8(row.content.bytes()?.to_vec()).ok()?;
            Some(cursor_of(text.lines().next_back()?))
        });
        // A run may end before it kept anything, so where each begins is kept before it tells.
        let began = store.fact(BEGAN)?.and_then(|bytes| Some(u64::from_be_bytes(bytes.try_into().ok()?)));
        let next = kept.max(began).map_or(1, |last| (last / RUN_STEP + 2) * RUN_STEP);
        store.keep_facts(&[(BEGAN.to_owned(), next.to_be_bytes().to_vec())])?;
        Ok(Self { state: Mutex::new(State { next, ..State::default() }), told: watch::Sender::new(next - 1) })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells an event; its cursor is given here.
    pub(crate) fn tell(&self, mut event: EventView) {
        let mut state = self.lock();
        let cursor = state.next;
        state.next += 1;
        event.cursor = cursor;
        let json = serde_json::to_string(&event).expect("events are text and numbers").into();
        let line = EventLine { cursor, json };
        state.unkept.push_back(line.clone());
        state.recent.push_back(line);
        if state.recent.len() > RECENT_MAX {
            state.recent.pop_front();
        }
    }

    /// Wakes those that wait, once for many events.
    pub(crate) fn wake(&self) {
        let last = self.lock().next - 1;
        self.told.send_if_modified(|told| std::mem::replace(told, last) != last);
    }

    /// Puts what is not kept yet into `batch`.
    pub(crate) fn keep(&self, batch: &mut Batch) {
        let unkept = std::mem::take(&mut self.lock().unkept);
        let (mut row, mut first) = (Vec::new(), 0);
        for line in &unkept {
            if row.is_empty() {
                first = line.cursor;
            }
            row.extend_from_slice(line.json.as_bytes());
            row.push(b'\n');
            if row.len() >= ROW_BYTES {
                batch.put(EVENTS, &first.to_be_bytes(), &std::mem::take(&mut row));
            }
        }
        if !row.is_empty() {
            batch.put(EVENTS, &first.to_be_bytes(), &row);
        }
    }

    /// Puts into `batch` the removal of rows that are older than the record keeps.
    pub(crate) fn forget_old(&self, store: &Store, batch: &mut Batch) -> Result<(), StoreError> {
        let oldest = self.lock().next.saturating_sub(KEPT_MAX);
        let page = store.engine().scan(&Scan::range(EVENTS, &[], &oldest.to_be_bytes()).limit(64))?;
        for row in page.rows.iter().rev().skip(1) {
            batch.delete(EVENTS, &row.key);
        }
        Ok(())
    }

    /// Changes with every event; its value is the last cursor told.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.told.subscribe()
    }

    /// The last cursor told.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.lock().next - 1
    }

    /// Events behind `cursor`, oldest first, at most `limit` and [`PAGE_MAX`].
    ///
    /// # Errors
    /// [`StoreError`] when old ones cannot be read.
    pub fn since(&self, store: &Store, cursor: u64, limit: usize) -> Result<Vec<EventLine>, StoreError> {
        let limit = limit.min(PAGE_MAX);
        {
            let state = self.lock();
            let whole = state.recent.front().map_or(state.next, |front| front.cursor);
            if cursor + 1 >= whole {
                let start = state.recent.partition_point(|line| line.cursor <= cursor);
                return Ok(state.recent.iter().skip(start).take(limit).cloned().collect());
            }
        }
        let mut found = self.kept_since(store, cursor, limit)?;
        let last = found.last().map_or(cursor, |line| line.cursor);
        if found.len() < limit {
            let state = self.lock();
            // Told and not kept yet: they follow without a gap, for keeping begins with the oldest.
            let start = state.recent.partition_point(|line| line.cursor <= last);
            found.extend(state.recent.iter().skip(start).take(limit - found.len()).cloned());
        }
        Ok(found)
    }

    fn kept_since(&self, store: &Store, cursor: u64, limit: usize) -> Result<Vec<EventLine>, StoreError> {
        // The row that holds the next event may begin before it.
        let before = Scan::range(EVENTS, &[], &(cursor + 1).to_be_bytes()).descending().limit(1);
        let first = store.engine().scan(&before)?.rows.pop().map(|row| row.key);
        let from = first.unwrap_or_else(|| (cursor + 1).to_be_bytes().to_vec());
        let mut found = Vec::new();
        let scan = Scan { from, ..Scan::all(EVENTS) }.limit(4);
        store.engine().for_each(scan, &mut |row| {
            let text = row.content.bytes().map(String::from_utf8_lossy).unwrap_or_default();
            for json in text.lines() {
                let at = cursor_of(json);
                if at > cursor && found.len() < limit {
                    found.push(EventLine { cursor: at, json: json.into() });
                }
            }
            if found.len() >= limit {
                return std::ops::ControlFlow::Break(());
            }
            std::ops::ControlFlow::Continue(())
        })?;
        Ok(found)
    }
}

/// The cursor is the first key of every line that [`Events::tell`] writes.
fn cursor_of(json: &str) -> u64 {
    let digits = json.strip_prefix("{\"cursor\":").unwrap_or_default();
    digits.split(',').next().and_then(|digits| digits.parse().ok()).unwrap_or(0)
}
