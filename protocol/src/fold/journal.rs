//! The journal as bytes: one line for each entry. Source: `spec/record.md`, section 6.

use core::fmt::Write as _;
use std::collections::BTreeMap;

use detente_encoding::Timestamp;

use super::citation::Citation;
use super::state::{MessageState, Shown};
use crate::entry::Clause;
use crate::names::{ChannelId, EntryId, PartyId, PartyIndex};

/// The codes of parties, by their place in the charter.
#[derive(Clone, Debug)]
pub struct Codes(pub Vec<(PartyId, String)>);

impl Codes {
    fn at(&self, party: PartyIndex) -> &str {
        self.0.get(usize::from(party.0)).map_or("?", |(_, code)| code)
    }

    /// The code of a party; `?` for one that the charter does not know.
    #[must_use]
    pub fn of(&self, party: PartyId) -> &str {
        self.0.iter().find(|(id, _)| *id == party).map_or("?", |(_, code)| code)
    }
}

/// What stands in place of states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note<'a> {
    /// A spoken entry and what became of it.
    Spoken(&'a MessageState, Option<&'a Citation>),
    /// A valid machine entry.
    Machine,
    /// The clause it breaks.
    Void(Clause),
    /// Of a kind not known here.
    NotYetUnderstood,
    /// Another log is needed to read it.
    Waiting,
}

/// An entry of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalEntry<'a> {
    /// Where it stands.
    pub id: EntryId,
    /// When it was written; 1970 where that cannot be read.
    pub written: Timestamp,
    /// The word of its kind; `-` where that cannot be read.
    pub kind: &'a str,
    /// What became of it.
    pub note: Note<'a>,
}

/// One line of the canonical journal at `now`, without its line feed.
#[must_use]
pub fn line(channel: ChannelId, entry: &JournalEntry<'_>, codes: &Codes, now: Timestamp) -> String {
    let citation = match &entry.note {
        Note::Spoken(_, Some(citation)) => citation.to_string(),
        _ => "-".to_owned(),
    };
    let kind = entry.kind.replace(' ', "-");
    let name = entry.id.log.name(channel);
    let mut out = format!("{} {citation} {kind} {name}.{} ", entry.written, entry.id.index);
    match &entry.note {
        Note::Spoken(state, _) => states(&mut out, state, codes, now),
        Note::Machine => out.push('-'),
        Note::Void(clause) => {
            let _ = write!(out, "void:{clause}");
        }
        Note::NotYetUnderstood => out.push_str("not-yet-understood"),
        Note::Waiting => out.push_str("waiting"),
    }
    out
}

/// The states in the order of `spec/record.md`, section 4, and within one by party and moment.
fn states(out: &mut String, state: &MessageState, codes: &Codes, now: Timestamp) {
    let own = codes.of(state.entry.log.party);
    let _ = write!(out, "released {own} {}", state.written);
    let mut push = |word: &str, code: &str, at: Timestamp| {
        let _ = write!(out, ";{word} {code} {at}");
    };
    for (party, delivery) in &state.delivered {
        push("delivered", codes.at(*party), delivery.at);
    }
    for (word, deeds) in [("opened", &state.opened), ("acknowledged", &state.acknowledged)] {
        for (party, deed) in deeds {
            push(word, codes.at(*party), deed.at);
        }
    }
    for answer in &state.answered {
        push(answer.kind.word(), codes.of(answer.deed.entry.log.party), answer.deed.at);
    }
    for (word, deed) in [("withdrawn", state.withdrawn), ("corrected", state.corrected)] {
        if let Some(deed) = deed {
            push(word, own, deed.at);
        }
    }
    for party in state.overdue(now) {
        push("overdue", codes.at(party), state.deadline);
    }
    match state.shown(now) {
        Shown::Verified(_) | Shown::VerifiedLate(_) | Shown::NotAsked => push("shown", own, state.written),
        Shown::NotYet => push("not-yet-shown", own, state.deadline),
        Shown::NotReleased => push("not-released", own, state.deadline),
    }
}

/// Gives each message its citation; where two statements share one, both get digits of their run.
#[must_use]
pub fn citations<'a>(
    messages: impl IntoIterator<Item = &'a MessageState>,
    codes: &Codes,
) -> BTreeMap<detente_crypto::Hash, Citation> {
    let mut by_citation = BTreeMap::<Citation, Vec<&MessageState>>::new();
    for state in messages {
        let code = codes.of(state.entry.log.party);
        let citation = Citation::of(code, &state.entry.log, state.written, state.number);
        by_citation.entry(citation).or_default().push(state);
    }
    let mut out = BTreeMap::new();
    for (citation, states) in by_citation {
        let shared = states.len() > 1;
        for state in states {
            let cited = citation.clone();
            let run = state.entry.log.generation.run;
            out.insert(state.statement, if shared { cited.with_run(run) } else { cited });
        }
    }
    out
}
