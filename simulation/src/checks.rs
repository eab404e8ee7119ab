//! What must always hold (DESIGN, section 8), watched from outside all parties.
//!
//! The checker knows what every disk holds, which no party does.

use std::collections::BTreeMap;
use std::fmt;

use detente_crypto::Hash;
use detente_protocol::channel::{LEAVES, Record};
use detente_protocol::names::{EntryId, LogKey, PartyId};

use crate::party::Party;

/// Something that must always hold and did not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Violation {
    /// A released entry is missing at a party after everything healed.
    Lost {
        /// Which entry.
        entry: String,
        /// Where it is missing.
        at: PartyId,
    },
    /// One place in a log was shown with two contents.
    ShownTwice(String),
    /// A receipt covers what its party's disk does not hold.
    ReceiptWithoutDisk {
        /// Which log and size.
        log: String,
        /// Whose receipt.
        by: PartyId,
    },
    /// Two parties that hold the same logs differ in what they show.
    RecordsDiffer(String),
    /// An honest party was accused.
    HonestAccused(PartyId),
    /// A statement was entered or shown without a release that satisfies the rule.
    NotReleased(String),
    /// Fewer messages were acknowledged than a working channel brings.
    TooQuiet(u64),
    /// A record could not be read.
    Record(String),
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost { entry, at } => write!(f, "released entry {entry} is missing at {at}"),
            Self::ShownTwice(entry) => write!(f, "{entry} was shown with two contents"),
            Self::ReceiptWithoutDisk { log, by } => {
                write!(f, "the receipt of {by} on {log} covers what its disk does not hold")
            }
            Self::RecordsDiffer(what) => write!(f, "two parties with one record differ: {what}"),
            Self::HonestAccused(party) => write!(f, "the honest party {party} was accused"),
            Self::NotReleased(entry) => write!(f, "{entry} stands without a release that satisfies the rule"),
            Self::TooQuiet(count) => write!(f, "only {count} messages were acknowledged"),
            Self::Record(error) => write!(f, "{error}"),
        }
    }
}

/// What the checker has noted of the world so far.
#[derive(Debug, Default)]
pub(crate) struct Checker {
    /// Entries that a party was told are entered and durable, with their leaf hash.
    pub(crate) entered: BTreeMap<EntryId, Hash>,
    pub(crate) acknowledged: u64,
}

impl Checker {
    /// A receipt of `by` covers `size` of `log`: its disk must hold as much, now.
    pub(crate) fn receipt(
        &self,
        parties: &[Party],
        log: &LogKey,
        by: &Party,
        size: u64,
    ) -> Option<Violation> {
        let held = held_leaves(by, log);
        let _ = parties;
        (held < size).then(|| Violation::ReceiptWithoutDisk { log: log.generation.to_string(), by: by.id })
    }

    /// After everything healed: all entered entries are at all parties, with the same bytes.
    pub(crate) fn at_the_end(&self, parties: &[Party]) -> Option<Violation> {
        for (entry, leaf) in &self.entered {
            for party in parties {
                match party.shown.get(entry) {
                    None => return Some(Violation::Lost { entry: name(entry), at: party.id }),
                    Some(shown) if shown != leaf => return Some(Violation::RecordsDiffer(name(entry))),
                    Some(_) => {}
                }
            }
        }
        None
    }
}

pub(crate) fn name(entry: &EntryId) -> String {
    format!("{}/{}/{}.{}", entry.log.party, entry.log.lane.word(), entry.log.generation, entry.index)
}

/// How many leaves of `log` the disk of a party holds.
fn held_leaves(party: &Party, log: &LogKey) -> u64 {
    let prefix = 0u32.to_be_bytes();
    let rows = party.disk.scan(detente_protocol::channel::LOGS, &prefix, &1u32.to_be_bytes(), usize::MAX);
    for (key, value) in rows.unwrap_or_default() {
        let Ok(value) = detente_encoding::cbor::decode(&value) else { continue };
        let Some([owner, lane, number, run, ..]) = value.as_array() else { continue };
        let same = owner.as_bytes() == Some(&log.party.0[..])
            && lane.as_u64() == Some(log.lane as u64)
            && number.as_u64() == Some(u64::from(log.generation.number))
            && run.as_bytes() == Some(&log.generation.run.0[..]);
        if !same {
            continue;
        }
        // Leaves are dense: the last key tells how many there are.
        let mut end = key.clone();
        end.extend_from_slice(&[0xff; 9]);
        let leaves = party.disk.count(LEAVES, &key, &end);
        return leaves;
    }
    0
}
