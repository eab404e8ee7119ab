//! What waits for the writer: bounded, first in first out, closed at a halt.

use crate::batch::Batch;
use crate::completion::Done;
use crate::engine::{Busy, Counters, QUEUE_BATCHES_MAX, QUEUE_BYTES_MAX};
use crate::error::CommitError;
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Batches one transaction takes at most, so that the first of them does not wait for thousands.
pub(super) const GROUP_BATCHES_MAX: usize = 1024;
/// Bytes after which a transaction takes no further batch.
pub(super) const GROUP_BYTES_MAX: usize = 8 << 20;

/// A batch and whom to tell.
pub(super) struct Waiting {
    pub(super) batch: Batch,
    pub(super) done: Done,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Waiting>,
    bytes: usize,
    halted: Option<CommitError>,
    closed: bool,
    counters: Counters,
}

impl State {
    fn is_full(&self) -> bool {
        self.waiting.len() >= QUEUE_BATCHES_MAX || self.bytes >= QUEUE_BYTES_MAX
    }
}

#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    work: Condvar,
    room: Condvar,
}

impl Queue {
    /// Takes a batch, or answers it at once when the engine takes no more.
    pub(super) fn push(&self, batch: Batch, done: Done) -> Result<(), Busy> {
        let mut state = self.lock();
        let refused = match (&state.halted, state.closed) {
            (Some(_), _) => Some(CommitError::EnvironmentHalted),
            (None, true) => Some(CommitError::LocalClosed),
            (None, false) => None,
        };
        if let Some(error) = refused {
            drop(state);
            done(Err(error));
            return Ok(());
        }
        if state.is_full() {
            return Err(Busy { batch, done });
        }
        state.bytes += batch.bytes();
        state.waiting.push_back(Waiting { batch, done });
        drop(state);
        self.work.notify_one();
        Ok(())
    }

    /// Blocks until a batch can be taken or will be refused for good.
    pub(super) fn wait_for_room(&self) {
        let mut state = self.lock();
        while state.is_full() && state.halted.is_none() && !state.closed {
            state = self.room.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Blocks until something waits; answers the next group, or `None` when closed and empty.
    pub(super) fn next_group(&self) -> Option<Vec<Waiting>> {
        let mut state = self.lock();
        while state.waiting.is_empty() {
            if state.closed {
                return None;
            }
            state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let (mut group, mut bytes) = (Vec::new(), 0);
        while group.len() < GROUP_BATCHES_MAX && bytes < GROUP_BYTES_MAX {
            let Some(next) = state.waiting.pop_front() else { break };
            bytes += next.batch.bytes();
            group.push(next);
        }
        state.bytes -= bytes;
        drop(state);
        self.room.notify_all();
        Some(group)
    }

    /// Takes nothing more; what waits is still written.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.work.notify_all();
        self.room.notify_all();
    }

    /// Takes nothing more and answers everything that waits. Only the first reason is kept.
    pub(super) fn halt(&self, reason: CommitError) {
        let mut state = self.lock();
        state.halted.get_or_insert(reason);
        state.bytes = 0;
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        self.room.notify_all();
        for Waiting { done, .. } in waiting {
            done(Err(CommitError::EnvironmentHalted));
        }
    }

    pub(super) fn halted(&self) -> Option<CommitError> {
        self.lock().halted.clone()
    }

    pub(super) fn counters(&self) -> Counters {
        self.lock().counters
    }

    pub(super) fn count(&self, change: impl FnOnce(&mut Counters)) {
        change(&mut self.lock().counters);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Callbacks run outside the lock and every change is whole, so poison means nothing here.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
