//! What is asked of an entry again and again: its number, kind and time, for a bounded few.

use std::collections::{BTreeMap, VecDeque};

use detente_crypto::Hash;
use detente_encoding::Timestamp;
use detente_protocol::entry::{Entry, Kind};
use detente_protocol::names::{EntryId, Lane, PartyIndex, Precedence};
use detente_protocol::statement::FormatRef;

/// Entries kept at hand; others are read again.
const BRIEFS_MAX: usize = 2048;

/// An entry in brief.
#[derive(Clone, Debug)]
pub(crate) struct Brief {
    pub(crate) word: &'static str,
    pub(crate) kind: Option<Kind>,
    pub(crate) precedence: Option<Precedence>,
    pub(crate) format: Option<FormatRef>,
    /// Citation number; 0 for machine entries.
    pub(crate) number: u32,
    pub(crate) written: Timestamp,
    pub(crate) leaf: Hash,
    pub(crate) to: Vec<PartyIndex>,
}

impl Brief {
    pub(crate) fn of(entry: &Entry, leaf: Hash) -> Self {
        let mut brief = Self {
            word: entry.word(),
            kind: None,
            precedence: None,
            format: None,
            number: 0,
            written: entry.written(),
            leaf,
            to: Vec::new(),
        };
        if let Entry::Spoken(spoken) = entry {
            brief.kind = Some(spoken.statement.kind);
            brief.precedence = Some(spoken.statement.precedence);
            brief.format = spoken.statement.format;
            brief.number = spoken.placement.number;
            brief.to.clone_from(&spoken.statement.extras.to);
        }
        brief
    }

    /// Whether it is a message to people.
    pub(crate) fn is_message(&self) -> bool {
        self.kind.is_some_and(Kind::is_message)
    }

    /// `ALT/2027/0212`, in the exercise lane `ALT/EX/2027/0003`; `-` for machine entries.
    pub(crate) fn reference(&self, code: &str, lane: Lane) -> String {
        if self.number == 0 {
            return "-".to_owned();
        }
        let (year, ..) = self.written.date();
        match lane {
            Lane::Exercise => format!("{code}/EX/{year}/{:04}", self.number),
            _ => format!("{code}/{year}/{:04}", self.number),
        }
    }
}

/// The last entries met.
#[derive(Debug, Default)]
pub(crate) struct Briefs {
    by_entry: BTreeMap<EntryId, Brief>,
    order: VecDeque<EntryId>,
}

impl Briefs {
    pub(crate) fn keep(&mut self, id: EntryId, brief: Brief) {
        if self.by_entry.insert(id, brief).is_none() {
            self.order.push_back(id);
        }
        if self.order.len() > BRIEFS_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.by_entry.remove(&oldest);
        }
    }

    pub(crate) fn find(&self, id: &EntryId) -> Option<&Brief> {
        self.by_entry.get(id)
    }
}
