//! The fold of a whole record at once: for the journal as text and for views made anew.
//!
//! It holds every message in memory, which a live node does not. Tell it the entries in the joint
//! order ([`crate::order`]), then receipts and proofs, and ask for the lines.

use std::collections::BTreeMap;

use detente_crypto::Hash;
use detente_encoding::Timestamp;

use super::journal::{Codes, JournalEntry, Note, citations, line};
use super::state::MessageState;
use super::{Changed, Fold, Learned, Views};
use crate::charter::Charter;
use crate::entry::Clause;
use crate::judge::Verdict;
use crate::names::{ChannelId, EntryId, LogKey, PartyIndex};
use crate::release;

/// Stored messages in memory.
#[derive(Clone, Debug, Default)]
pub struct MemoryViews {
    states: BTreeMap<Hash, MessageState>,
    places: BTreeMap<EntryId, (Hash, Hash)>,
}

impl MemoryViews {
    /// Stores what changed. Answers nothing about it: the last state of a message counts.
    pub fn store(&mut self, changed: impl IntoIterator<Item = Changed>) {
        for Changed { state, leaf, .. } in changed {
            self.places.extend(leaf.map(|(entry, leaf)| (entry, (state.statement, leaf))));
            self.states.insert(state.statement, state);
        }
    }

    /// All messages, by statement.
    pub fn states(&self) -> impl Iterator<Item = &MessageState> {
        self.states.values()
    }
}

impl Views for MemoryViews {
    fn by_statement(&self, statement: &Hash) -> Option<MessageState> {
        self.states.get(statement).cloned()
    }

    fn by_entry(&self, entry: &EntryId) -> Option<(Hash, Hash)> {
        self.places.get(entry).copied()
    }
}

/// What a line says of an entry, apart from what became of it.
#[derive(Clone, Copy, Debug)]
enum Row {
    Valid,
    Void(Clause),
    NotYetUnderstood,
    Waiting,
}

/// A record and its journal.
#[derive(Clone, Debug)]
pub struct WholeRecord {
    channel: ChannelId,
    fold: Fold,
    views: MemoryViews,
    rows: Vec<(EntryId, Timestamp, &'static str, Row)>,
}

impl WholeRecord {
    /// Nothing yet, of a channel under these charter editions.
    ///
    /// # Panics
    /// If edition 1 is not the first of them: no channel is without one.
    #[must_use]
    pub fn new(charters: impl IntoIterator<Item = Charter>) -> Self {
        let mut charters = charters.into_iter();
        let first = charters.next().expect("a channel has a first charter");
        assert_eq!(first.edition, 1, "the first charter names the channel");
        let channel = first.channel_id();
        let mut fold = Fold::new(first);
        charters.for_each(|charter| fold.add_charter(charter));
        Self { channel, fold, views: MemoryViews::default(), rows: Vec::new() }
    }

    /// The next entry in the joint order.
    pub fn entry(&mut self, learned: Learned<'_>) {
        let entry = learned.judged.entry.as_ref();
        let written = entry.map_or(Timestamp::from_millis(0), crate::entry::Entry::written);
        let kind = entry.map_or("-", crate::entry::Entry::word);
        let row = match learned.judged.verdict {
            Verdict::Valid => Row::Valid,
            Verdict::Void(clause) => Row::Void(clause),
            Verdict::NotYetUnderstood => Row::NotYetUnderstood,
            Verdict::Waiting => Row::Waiting,
        };
        self.rows.push((learned.id, written, kind, row));
        self.views.store(self.fold.apply_entry(learned, &self.views));
    }

    /// A receipt, as [`Fold::apply_receipt`]; those of one log and party rising by size.
    pub fn receipt(&mut self, log: LogKey, by: PartyIndex, before: u64, size: u64, time_s: u64) {
        self.views.store(self.fold.apply_receipt(log, by, before, size, time_s, None));
    }

    /// The verdict on a statement's proof, held since `held`.
    pub fn proof(&mut self, statement: &Hash, verdict: &release::Verdict, held: Timestamp) {
        self.views.store(self.fold.apply_proof(statement, verdict, held, &self.views));
    }

    /// The messages of the record.
    #[must_use]
    pub fn views(&self) -> &MemoryViews {
        &self.views
    }

    /// What is still waited for: clocks, contact.
    #[must_use]
    pub fn fold(&self) -> &Fold {
        &self.fold
    }

    /// The canonical journal at `now`: one line for each entry, in the joint order, each ended by
    /// a line feed. Source: `spec/record.md`, section 6.
    pub fn journal(&self, codes: &Codes, now: Timestamp, mut each: impl FnMut(&str)) {
        let cited = citations(self.views.states(), codes);
        for (id, written, kind, row) in &self.rows {
            let state = self.views.by_entry(id).and_then(|(statement, _)| self.views.states.get(&statement));
            let note = match (row, state) {
                (Row::Valid, Some(state)) => Note::Spoken(state, cited.get(&state.statement)),
                (Row::Valid, None) => Note::Machine,
                (Row::Void(clause), _) => Note::Void(*clause),
                (Row::NotYetUnderstood, _) => Note::NotYetUnderstood,
                (Row::Waiting, _) => Note::Waiting,
            };
            let entry = JournalEntry { id: *id, written: *written, kind, note };
            let mut text = line(self.channel, &entry, codes, now);
            text.push('\n');
            each(&text);
        }
    }
}
