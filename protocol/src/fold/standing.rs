//! Whether a channel is open, and who spoke last. Source: `spec/record.md`, section 5.

use std::collections::{BTreeMap, BTreeSet};

use detente_encoding::Timestamp;

use crate::judge::{Act, Acts};
use crate::names::{EntryId, PartyId, PartyIndex};

/// What the parties have declared about a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChannelStanding {
    /// Not all have ratified the first edition; those who have.
    Proposed(BTreeSet<PartyId>),
    /// Under this edition.
    Open(u32),
    /// By these entries, which say by whom, since when, on what ground and in what scope.
    Suspended(Vec<EntryId>),
    /// By this entry, for good.
    Closed(EntryId),
}

impl ChannelStanding {
    /// The standing that all acts of a record come to.
    #[must_use]
    pub fn of(acts: &Acts, parties: &[PartyId]) -> Self {
        let mut ratified = BTreeMap::<_, BTreeSet<PartyId>>::new();
        let (mut suspended, mut lifted, mut closed) = (Vec::new(), BTreeSet::new(), None);
        for (entry, act) in acts.iter() {
            match act {
                Act::Ratify(body) => {
                    ratified.entry((body.edition, body.charter)).or_default().insert(entry.log.party);
                }
                Act::Suspend => suspended.push(entry),
                Act::Restore { lifts } => lifted.extend(lifts.iter().copied()),
                Act::Close => closed = closed.or(Some(entry)),
                Act::Credential(_) | Act::Key => {}
            }
        }
        suspended.retain(|entry| !lifted.contains(entry));
        let in_force = ratified.iter().rev().find(|(_, by)| by.len() == parties.len());
        match (closed, in_force) {
            (Some(entry), _) => Self::Closed(entry),
            (None, None) => {
                let first = ratified.into_iter().filter(|((edition, _), _)| *edition == 1);
                Self::Proposed(first.flat_map(|(_, by)| by).collect())
            }
            (None, Some(_)) if !suspended.is_empty() => Self::Suspended(suspended),
            (None, Some(((edition, _), _))) => Self::Open(*edition),
        }
    }

    /// The word in status and journal.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Proposed(_) => "proposed",
            Self::Open(_) => "open",
            Self::Suspended(_) => "suspended",
            Self::Closed(_) => "closed",
        }
    }
}

/// The contact between people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// The last spoken entry of each party, by its own time.
    pub last: BTreeMap<PartyIndex, (Timestamp, EntryId)>,
    /// Nobody spoke within the time that the charter calls silence.
    pub silent: bool,
}

impl Contact {
    pub(super) fn new(
        last: &BTreeMap<PartyIndex, (Timestamp, EntryId)>,
        silent_after_s: u32,
        now: Timestamp,
    ) -> Self {
        let since = now.after(-i64::from(silent_after_s) * 1000);
        let silent = last.values().all(|(at, _)| *at < since);
        Self { last: last.clone(), silent }
    }
}
