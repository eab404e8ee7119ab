//! Who of this process holds which lock on a file, and the shared memory of its write-ahead log.
//!
//! The rules are those of SQLite's own file system: `sqlite.org/lockingv3.html` for the file,
//! `sqlite.org/walformat.html`, section 2.3, for the eight lock slots of the shared memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Lock slots of the shared memory (`SQLITE_SHM_NLOCK`).
pub(crate) const SLOTS: usize = 8;

/// Levels of the file lock, as SQLite numbers them.
const SHARED: i32 = 1;
const RESERVED: i32 = 2;
const PENDING: i32 = 3;

#[derive(Default)]
struct State {
    /// Level by handle.
    levels: BTreeMap<u64, i32>,
    /// For each slot: who shares it, or who alone holds it.
    sharing: [Vec<u64>; SLOTS],
    alone: [Option<u64>; SLOTS],
    /// Regions of shared memory. What a box holds never moves, so its address stays good until the
    /// last user has left; atomics, because SQLite writes through it from several threads.
    regions: Vec<Box<[AtomicU64]>>,
    region_users: BTreeSet<u64>,
    next_handle: u64,
}

/// The locks and shared memory of one file.
#[derive(Default)]
pub(crate) struct Coordination {
    state: Mutex<State>,
}

impl Coordination {
    pub(crate) fn handle(&self) -> u64 {
        let mut state = self.lock();
        state.next_handle += 1;
        state.next_handle
    }

    /// Raises the file lock of `me`; `false` when somebody is in the way.
    pub(crate) fn raise(&self, me: u64, level: i32) -> bool {
        let mut state = self.lock();
        let others = state.levels.iter().filter(|(handle, _)| **handle != me).map(|(_, level)| *level);
        let highest = others.max().unwrap_or(0);
        let free = match level {
            SHARED => highest < PENDING,
            RESERVED => highest < RESERVED,
            _ => highest < SHARED,
        };
        if free {
            let mine = state.levels.entry(me).or_default();
            *mine = (*mine).max(level);
        } else if level > RESERVED && highest < RESERVED {
            // Readers are in the way: no new ones come in while they finish.
            state.levels.insert(me, PENDING);
        }
        free
    }

    pub(crate) fn lower(&self, me: u64, level: i32) {
        self.lock().levels.insert(me, level);
    }

    pub(crate) fn is_reserved(&self) -> bool {
        self.lock().levels.values().any(|level| *level >= RESERVED)
    }

    /// Takes slots `first..first + count` shared or alone; `false` when somebody is in the way.
    pub(crate) fn take_slots(&self, me: u64, first: usize, count: usize, alone: bool) -> bool {
        let mut state = self.lock();
        let slots = first..(first + count).min(SLOTS);
        let free = slots.clone().all(|slot| {
            let nobody_alone = state.alone[slot].is_none_or(|holder| holder == me);
            nobody_alone && (!alone || state.sharing[slot].iter().all(|holder| *holder == me))
        });
        if free {
            for slot in slots {
                if alone {
                    state.alone[slot] = Some(me);
                } else if !state.sharing[slot].contains(&me) {
                    state.sharing[slot].push(me);
                }
            }
        }
        free
    }

    pub(crate) fn release_slots(&self, me: u64, first: usize, count: usize) {
        let mut state = self.lock();
        for slot in first..(first + count).min(SLOTS) {
            state.sharing[slot].retain(|holder| *holder != me);
            state.alone[slot].take_if(|holder| *holder == me);
        }
    }

    /// The address of a region of shared memory, made of zeros when first asked for with `extend`.
    /// It holds until `me` calls [`Coordination::unmap`] or [`Coordination::leave`].
    pub(crate) fn region(&self, me: u64, index: usize, bytes: usize, extend: bool) -> Option<*mut u8> {
        let mut state = self.lock();
        state.region_users.insert(me);
        while state.regions.len() <= index && extend {
            state.regions.push((0..bytes.div_ceil(8)).map(|_| AtomicU64::new(0)).collect());
        }
        state.regions.get(index).map(|region| region.as_ptr().cast_mut().cast())
    }

    /// Ends the use of shared memory; the last user's leaving clears it, as after a restart.
    pub(crate) fn unmap(&self, me: u64) {
        self.release_slots(me, 0, SLOTS);
        let mut state = self.lock();
        if state.region_users.remove(&me) && state.region_users.is_empty() {
            state.regions.clear();
        }
    }

    /// Forgets everything `me` holds.
    pub(crate) fn leave(&self, me: u64) {
        self.unmap(me);
        self.lock().levels.remove(&me);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_writer_and_no_reader_beside_an_exclusive_lock() {
        let file = Coordination::default();
        let (a, b) = (file.handle(), file.handle());
        assert!(file.raise(a, SHARED) && file.raise(b, SHARED));
        assert!(file.raise(a, RESERVED) && !file.raise(b, RESERVED));
        assert!(!file.raise(a, 4), "a reader is in the way");
        file.lower(b, 0);
        assert!(!file.raise(b, SHARED), "a pending lock lets no new reader in");
        assert!(file.raise(a, 4));
        file.leave(a);
        assert!(file.raise(b, SHARED) && !file.is_reserved());
    }

    #[test]
    fn a_slot_is_shared_by_many_or_held_by_one() {
        let file = Coordination::default();
        let (a, b) = (file.handle(), file.handle());
        assert!(file.take_slots(a, 3, 1, false) && file.take_slots(b, 3, 1, false));
        assert!(!file.take_slots(a, 3, 1, true));
        file.release_slots(b, 3, 1);
        assert!(file.take_slots(a, 2, 2, true) && !file.take_slots(b, 3, 1, false));
    }
}
