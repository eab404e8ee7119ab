//! The joint order: in which order people read the entries of all logs.
//!
//! Each log is in order already, so only its next entry can be next of all. It is free when what
//! its writer had seen is placed; the earliest free one is taken, and when forged times or lying
//! `seen` leave none free, the earliest of the rest: the order never stops. Only the next entry of
//! each log is held here, so a million entries cost no more memory than their logs.
//! Source: `spec/record.md`, section 1.

use std::collections::{BTreeMap, BTreeSet};

use detente_encoding::Timestamp;

use crate::names::{EntryId, Generation, Lane, LogKey, PartyId, Run};

/// The place of an entry among those of which none must come first.
type Rank = (Timestamp, LogKey, u64);

/// The next entry of a log.
#[derive(Debug)]
struct Next {
    rank: Rank,
    /// What must be placed before, as far as it is not yet.
    waits: BTreeSet<(LogKey, u64)>,
}

/// Merges logs into their joint order. Offer the first entry of every log, then [`Self::next`],
/// [`Self::place`], and offer the one after, until nothing is left.
#[derive(Debug, Default)]
pub struct JointOrder {
    held: BTreeMap<LogKey, u64>,
    placed: BTreeMap<LogKey, u64>,
    next: BTreeMap<LogKey, Next>,
    free: BTreeSet<Rank>,
    rest: BTreeSet<Rank>,
    /// By the place waited for, which logs' next entries wait.
    waiting: BTreeSet<(LogKey, u64, LogKey)>,
}

impl JointOrder {
    /// The order of logs of which so many entries are held.
    #[must_use]
    pub fn new(held: BTreeMap<LogKey, u64>) -> Self {
        Self { held, ..Self::default() }
    }

    /// Offers the next entry of its log. `after` are the sizes of other logs that come before it:
    /// what its `seen` lists and its check proves, and for an entry 0 the logs it names. What is
    /// not held is no reason to wait. Offering an entry again replaces what was said of it.
    pub fn offer(
        &mut self,
        entry: EntryId,
        written: Timestamp,
        after: impl IntoIterator<Item = (LogKey, u64)>,
    ) {
        self.withdraw(&entry.log);
        let waits: BTreeSet<(LogKey, u64)> = after
            .into_iter()
            .filter(|(log, size)| {
                *log != entry.log && *size <= count(&self.held, log) && *size > count(&self.placed, log)
            })
            .collect();
        let rank = (written, entry.log, entry.index);
        let place = if waits.is_empty() { &mut self.free } else { &mut self.rest };
        place.insert(rank);
        self.waiting.extend(waits.iter().map(|(log, size)| (*log, *size, entry.log)));
        self.next.insert(entry.log, Next { rank, waits });
    }

    /// Whether an entry of this log waits to be placed.
    #[must_use]
    pub fn is_offered(&self, log: &LogKey) -> bool {
        self.next.contains_key(log)
    }

    /// The entry that comes next; `None` when all offered are placed.
    #[must_use]
    pub fn next(&self) -> Option<EntryId> {
        let (_, log, index) = self.free.first().or_else(|| self.rest.first())?;
        Some(EntryId { log: *log, index: *index })
    }

    /// Whether the entry that comes next waits for others in a circle.
    #[must_use]
    pub fn is_forced(&self) -> bool {
        self.free.is_empty() && !self.rest.is_empty()
    }

    /// Places the next entry of `log` and frees what waited for it.
    pub fn place(&mut self, log: &LogKey) {
        let Some(next) = self.withdraw(log) else { return };
        let size = next.rank.2 + 1;
        self.placed.insert(*log, size);
        let reached: Vec<_> = self
            .waiting
            .range((*log, 0, LEAST)..)
            .take_while(|(of, at, _)| of == log && *at <= size)
            .copied()
            .collect();
        for waiter in reached {
            self.waiting.remove(&waiter);
            let (of, at, who) = waiter;
            let Some(next) = self.next.get_mut(&who) else { continue };
            next.waits.remove(&(of, at));
            if next.waits.is_empty() {
                self.rest.remove(&next.rank);
                self.free.insert(next.rank);
            }
        }
    }

    fn withdraw(&mut self, log: &LogKey) -> Option<Next> {
        let next = self.next.remove(log)?;
        self.free.remove(&next.rank);
        self.rest.remove(&next.rank);
        for (of, at) in &next.waits {
            self.waiting.remove(&(*of, *at, *log));
        }
        Some(next)
    }
}

fn count(sizes: &BTreeMap<LogKey, u64>, log: &LogKey) -> u64 {
    sizes.get(log).copied().unwrap_or(0)
}

/// A log no other sorts before.
const LEAST: LogKey = LogKey {
    party: PartyId([0; 32]),
    lane: Lane::Ordinary,
    generation: Generation { number: 0, run: Run([0; 8]) },
};

#[cfg(test)]
mod tests;
