//! The few entries that change what other entries may do, by where they stand.
//!
//! A node with a million entries keeps only these in memory: ratifications, suspensions, their
//! ends, closings, credentials, keys. Source: `spec/record.md`, sections 2 and 3.

use std::collections::BTreeMap;

use crate::entry::{CredentialPayload, RatifyBody};
use crate::names::{EntryId, LogKey};

/// A valid entry that other entries are judged by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Its party ratified this edition.
    Ratify(RatifyBody),
    /// Its party suspended the channel.
    Suspend,
    /// Its party ended these suspensions of its own: those its log had seen in force.
    Restore {
        /// The `suspend` entries lifted.
        lifts: Vec<EntryId>,
    },
    /// Its party closed the channel.
    Close,
    /// Its party named a credential and roster.
    Credential(CredentialPayload),
    /// Its party announced a KEM key.
    Key,
}

/// The acts of all logs of a channel, as far as they were judged.
#[derive(Clone, Debug, Default)]
pub struct Acts {
    logs: BTreeMap<LogKey, Vec<(u64, Act)>>,
    changes: u64,
}

impl Acts {
    /// Records an act; a second one at the same place replaces the first.
    pub fn record(&mut self, entry: EntryId, act: Act) {
        let acts = self.logs.entry(entry.log).or_default();
        match acts.binary_search_by_key(&entry.index, |(index, _)| *index) {
            Ok(place) => acts[place].1 = act,
            Err(place) => acts.insert(place, (entry.index, act)),
        }
        self.changes += 1;
    }

    /// Forgets the acts of `log` from `index` on, because they are about to be judged again.
    pub fn forget(&mut self, log: &LogKey, index: u64) {
        if let Some(acts) = self.logs.get_mut(log) {
            acts.truncate(acts.partition_point(|(at, _)| *at < index));
            self.changes += 1;
        }
    }

    /// The acts of `log` with indexes from `from` to below `to`, rising.
    #[must_use]
    pub fn between(&self, log: &LogKey, from: u64, to: u64) -> &[(u64, Act)] {
        let acts = self.logs.get(log).map_or(&[][..], Vec::as_slice);
        let start = acts.partition_point(|(index, _)| *index < from);
        let end = acts.partition_point(|(index, _)| *index < to);
        acts.get(start..end).unwrap_or_default()
    }

    /// All acts, by log and index.
    pub fn iter(&self) -> impl Iterator<Item = (EntryId, &Act)> {
        self.logs.iter().flat_map(|(log, acts)| {
            acts.iter().map(|(index, act)| (EntryId { log: *log, index: *index }, act))
        })
    }

    /// The logs that have acts.
    pub(crate) fn logs(&self) -> impl Iterator<Item = &LogKey> {
        self.logs.keys()
    }

    /// Counts changes, so that what was derived from these acts knows when it is out of date.
    #[must_use]
    pub const fn changes(&self) -> u64 {
        self.changes
    }
}
