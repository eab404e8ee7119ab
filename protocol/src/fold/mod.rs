//! What people see: states of messages, clocks, standing and contact, made from the record.
//!
//! A [`Fold`] is told entries, receipts and proofs in any order in which a node learns them and
//! answers what changed. It keeps only what is still waited for; a settled message is a row that
//! the caller stores and hands back through [`Views`] when something refers to it again. So a
//! journal of any length costs the memory of its open exchanges. The same record told in another
//! order comes to the same states. Source: `spec/record.md`, sections 4 and 5.

mod citation;
mod journal;
mod standing;
mod state;
mod whole;

use std::collections::{BTreeMap, BTreeSet};

use detente_crypto::Hash;
use detente_encoding::Timestamp;

pub use citation::{Citation, year};
pub use journal::{Codes, JournalEntry, Note, citations, line};
pub use standing::{ChannelStanding, Contact};
pub use state::{ANSWERS_MAX, Answer, Deed, Delivery, MessageState, ProofState, Shown};
pub use whole::{MemoryViews, WholeRecord};

use crate::charter::Charter;
use crate::entry::{Entry, Kind, MachineEntry, Payload, Reference, SpokenEntry, WireReference};
use crate::judge::{Judged, Verdict};
use crate::names::{ChannelId, EntryId, LogKey, PartyId, PartyIndex};
use crate::release;
use crate::seen::{SeenLog, SeenTable};

/// The settled messages that the caller stores.
pub trait Views {
    /// The state of a statement, if it was stored.
    fn by_statement(&self, statement: &Hash) -> Option<MessageState>;

    /// The statement that stands at an entry, with the entry's leaf hash.
    fn by_entry(&self, entry: &EntryId) -> Option<(Hash, Hash)>;
}

/// An entry as a node learns it.
#[derive(Clone, Copy, Debug)]
pub struct Learned<'a> {
    /// Where it stands.
    pub id: EntryId,
    /// Its leaf hash.
    pub leaf: Hash,
    /// What it is.
    pub judged: &'a Judged,
    /// The table of its log at or after it: ordinals never change their meaning.
    pub table: &'a SeenTable,
}

/// What an event did to a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It stands in its party's log.
    Released,
    /// It was written once more.
    Repeated,
    /// A party holds it.
    Delivered(PartyIndex),
    /// When it was delivered to a party is known better than before.
    Dated(PartyIndex),
    /// A person of this party opened it.
    Opened(PartyIndex),
    /// This party's office took it over.
    Acknowledged(PartyIndex),
    /// It was answered.
    Answered(PartyIndex, Kind),
    /// The sender took it back.
    Withdrawn,
    /// The sender replaced it.
    Corrected,
    /// Its proof was judged.
    Proof,
}

/// A changed message, to be stored, and what changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// The message as it is now.
    pub state: MessageState,
    /// The leaf hash at `state.entry`, to be stored for [`Views::by_entry`]; set with
    /// [`Change::Released`] and [`Change::Repeated`], together with the entry it belongs to.
    pub leaf: Option<(EntryId, Hash)>,
    /// What changed.
    pub change: Change,
}

/// One clock that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Clock {
    /// When it ends.
    pub due: Timestamp,
    /// For which statement.
    pub statement: Hash,
    /// Who is to acknowledge; none for "answer by".
    pub party: Option<PartyIndex>,
}

/// A deed on an entry that is not held yet.
#[derive(Clone, Debug)]
struct Early {
    leaf: Hash,
    by: PartyIndex,
    what: What,
    deed: Deed,
}

/// What an entry does to the one it refers to.
#[derive(Clone, Copy, Debug)]
enum What {
    Refers,
    Opens,
    Acknowledges,
    Answers(Kind),
    Withdraws,
    Corrects,
}

/// States of messages, clocks and contact of one channel.
#[derive(Clone, Debug)]
pub struct Fold {
    channel: ChannelId,
    parties: Vec<PartyId>,
    charters: BTreeMap<u32, Charter>,
    open: BTreeMap<Hash, MessageState>,
    /// Entries of open messages, with statement and leaf hash.
    places: BTreeMap<EntryId, (Hash, Hash)>,
    early: BTreeMap<EntryId, Vec<Early>>,
    /// By log and party the sizes that its entries have seen, and when: the newest [`TAIL_MAX`].
    seen: BTreeMap<(LogKey, PartyIndex), BTreeMap<u64, Timestamp>>,
    /// By log and party the sizes receipted, when, and when that arrived: the newest [`TAIL_MAX`].
    receipts: BTreeMap<(LogKey, PartyIndex), BTreeMap<u64, Receipt>>,
    last_word: BTreeMap<PartyIndex, (Timestamp, EntryId)>,
    /// Messages that the entry being applied may have settled.
    touched: Vec<Hash>,
}

/// Minutes that a receipt's date may lie after its arrival before it is disputed.
const CLOCKS_APART_MS: i64 = 120_000;

/// When a receipt was given and when it arrived here, where that is known.
type Receipt = (Timestamp, Option<Timestamp>);

/// Sizes remembered of a log and party for entries that are applied after what covers them.
const TAIL_MAX: usize = 64;

impl Fold {
    /// The fold of a channel of which nothing is known yet.
    #[must_use]
    pub fn new(charter: Charter) -> Self {
        Self {
            channel: charter.channel_id(),
            parties: charter.parties.clone(),
            charters: BTreeMap::from([(charter.edition, charter)]),
            open: BTreeMap::new(),
            places: BTreeMap::new(),
            early: BTreeMap::new(),
            seen: BTreeMap::new(),
            receipts: BTreeMap::new(),
            last_word: BTreeMap::new(),
            touched: Vec::new(),
        }
    }

    /// Makes a later edition known. Do so before its first entry is applied.
    pub fn add_charter(&mut self, charter: Charter) {
        self.charters.insert(charter.edition, charter);
    }

    /// Takes up an open message that was stored, with the leaf hashes of its places.
    pub fn resume(&mut self, state: MessageState, leaves: &[(EntryId, Hash)]) {
        let by = self.index(state.entry.log.party);
        self.last_word(by, state.written, state.entry);
        if !state.is_settled() {
            self.places.extend(leaves.iter().map(|(entry, leaf)| (*entry, (state.statement, *leaf))));
            self.open.insert(state.statement, state);
        }
    }

    fn index(&self, party: PartyId) -> PartyIndex {
        let place = self.parties.binary_search(&party).expect("logs belong to parties of the channel");
        PartyIndex(place as u8)
    }

    fn last_word(&mut self, by: PartyIndex, at: Timestamp, entry: EntryId) {
        let last = self.last_word.entry(by).or_insert((at, entry));
        *last = (*last).max((at, entry));
    }

    /// Applies an entry: what it has seen, what it refers to, what it says. One that is not valid
    /// changes nothing. What is answered must be stored before anything else is applied.
    pub fn apply_entry(&mut self, learned: Learned<'_>, views: &dyn Views) -> Vec<Changed> {
        let (Verdict::Valid, Some(entry)) = (learned.judged.verdict, &learned.judged.entry) else {
            return Vec::new();
        };
        let by = self.index(learned.id.log.party);
        let deed = Deed { entry: learned.id, at: entry.written() };
        let mut changed = Vec::new();
        for item in &entry.seen().0 {
            let log = match item.log {
                SeenLog::Known(ordinal) => learned.table.log(ordinal).copied(),
                SeenLog::New(log) => log.key(&self.parties),
            };
            if let Some(log) = log {
                self.covered(&log, item.size, by, deed.at, &mut changed);
            }
        }
        match entry {
            Entry::Machine(MachineEntry { payload: Payload::Opened(reference), .. }) => {
                self.refer(reference, What::Opens, by, deed, &learned, views, &mut changed);
            }
            Entry::Machine(_) => {}
            Entry::Spoken(spoken) => self.apply_spoken(spoken, by, deed, &learned, views, &mut changed),
        }
        // Only now: until the caller has stored what changed, the views do not know it.
        for statement in core::mem::take(&mut self.touched) {
            self.put_away(&statement);
        }
        changed
    }

    fn apply_spoken(
        &mut self,
        spoken: &SpokenEntry,
        by: PartyIndex,
        deed: Deed,
        learned: &Learned<'_>,
        views: &dyn Views,
        changed: &mut Vec<Changed>,
    ) {
        self.last_word(by, deed.at, deed.entry);
        let kind = spoken.statement.kind;
        let what = match kind {
            Kind::Acknowledgement => What::Acknowledges,
            Kind::Accept | Kind::CounterPropose | Kind::Decline | Kind::Clarify | Kind::StandBy => {
                What::Answers(kind)
            }
            Kind::Withdraw => What::Withdraws,
            Kind::Correct => What::Corrects,
            _ => What::Refers,
        };
        for reference in &spoken.statement.references {
            self.refer(reference, what, by, deed, learned, views, changed);
        }
        let log = learned.id.log;
        let Some(statement) = spoken.statement.resolve(learned.table) else { return };
        let hash = statement.hash(self.channel, log.party, log.lane);
        let known = self.open.get(&hash).cloned().or_else(|| views.by_statement(&hash));
        let change = if known.is_some() { Change::Repeated } else { Change::Released };
        let mut state = match known {
            Some(state) => state,
            None => self.new_state(spoken, hash, by, learned.judged.edition, deed),
        };
        if state.entry != learned.id && !state.repeats.contains(&learned.id) {
            let mut place = learned.id;
            // Numbers stand in log names as text: names, not keys, say which is lower.
            if (place.log.name(self.channel), place.index)
                < (state.entry.log.name(self.channel), state.entry.index)
            {
                core::mem::swap(&mut place, &mut state.entry);
                (state.written, state.number) = (deed.at, spoken.placement.number);
            }
            state.repeats.push(place);
            state.repeats.sort_unstable();
        }
        self.places.insert(learned.id, (hash, learned.leaf));
        self.open.insert(hash, state);
        self.deliver_by_what_is_known(&learned.id);
        self.changed(hash, change, Some((learned.id, learned.leaf)), changed);
        for early in self.early.remove(&learned.id).unwrap_or_default() {
            if early.leaf == learned.leaf {
                self.done(hash, early.what, early.by, early.deed, views, changed);
            }
        }
        self.touched.push(hash);
    }

    fn new_state(
        &self,
        spoken: &SpokenEntry,
        hash: Hash,
        by: PartyIndex,
        edition: u32,
        deed: Deed,
    ) -> MessageState {
        let statement = &spoken.statement;
        let charter = self.charters.get(&edition).or_else(|| self.charters.values().next());
        let charter = charter.expect("a fold begins with a charter");
        let count = u8::try_from(self.parties.len()).expect("a channel has at most 16 parties");
        let others: Vec<PartyIndex> = (0..count).map(PartyIndex).filter(|party| *party != by).collect();
        let to = match (statement.kind.is_message(), &statement.extras.to[..]) {
            (false, _) => Vec::new(),
            (true, []) => others.clone(),
            (true, to) => to.to_vec(),
        };
        let lane = deed.entry.log.lane;
        MessageState {
            statement: hash,
            entry: deed.entry,
            repeats: Vec::new(),
            kind: statement.kind,
            precedence: statement.precedence,
            number: spoken.placement.number,
            written: deed.at,
            to,
            others,
            deadline: deed.at.after(charter.acknowledge_ms(statement.precedence)),
            answer_by: statement.extras.answer_by,
            proof_asked: release::proof_travels(
                charter,
                statement.kind,
                statement.precedence,
                lane,
                statement.format,
            ),
            proof: ProofState::Missing,
            delivered: BTreeMap::new(),
            opened: BTreeMap::new(),
            acknowledged: BTreeMap::new(),
            answered: Vec::new(),
            withdrawn: None,
            corrected: None,
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one call from two places; the parts belong to one entry")]
    fn refer(
        &mut self,
        reference: &WireReference,
        what: What,
        by: PartyIndex,
        deed: Deed,
        learned: &Learned<'_>,
        views: &dyn Views,
        changed: &mut Vec<Changed>,
    ) {
        let Some(Reference { channel, entry, leaf }) = reference.resolve(learned.table) else { return };
        if channel != self.channel {
            return;
        }
        match self.places.get(&entry).copied().or_else(|| views.by_entry(&entry)) {
            // A reference to another leaf means another history: it says nothing about this one.
            Some((_, held)) if held != leaf => {}
            Some((statement, _)) => self.done(statement, what, by, deed, views, changed),
            None => self.early.entry(entry).or_default().push(Early { leaf, by, what, deed }),
        }
    }

    fn done(
        &mut self,
        statement: Hash,
        what: What,
        by: PartyIndex,
        deed: Deed,
        views: &dyn Views,
        changed: &mut Vec<Changed>,
    ) {
        let stored = || views.by_statement(&statement);
        let Some(mut state) = self.open.remove(&statement).or_else(stored) else { return };
        let own = self.parties.get(usize::from(by.0)) == Some(&state.entry.log.party);
        let earliest = |deeds: &mut BTreeMap<PartyIndex, Deed>| {
            let first = deeds.entry(by).or_insert(deed);
            if (deed.at, deed.entry) < (first.at, first.entry) {
                *first = deed;
            }
        };
        let first_of = |known: &mut Option<Deed>| {
            let first = known.get_or_insert(deed);
            if (deed.at, deed.entry) < (first.at, first.entry) {
                *first = deed;
            }
        };
        let change = match what {
            What::Refers => None,
            What::Opens if !own => {
                earliest(&mut state.opened);
                Some(Change::Opened(by))
            }
            What::Acknowledges if !own => {
                earliest(&mut state.acknowledged);
                Some(Change::Acknowledged(by))
            }
            What::Answers(kind) => {
                let answer = Answer { kind, deed };
                if !state.answered.contains(&answer) && state.answered.len() < ANSWERS_MAX {
                    state.answered.push(answer);
                    state.answered.sort_by_key(|answer| (answer.deed.at, answer.deed.entry));
                }
                Some(Change::Answered(by, kind))
            }
            What::Withdraws if own => {
                first_of(&mut state.withdrawn);
                Some(Change::Withdrawn)
            }
            What::Corrects if own => {
                first_of(&mut state.corrected);
                Some(Change::Corrected)
            }
            _ => None,
        };
        let delivered = if own { None } else { deliver(&mut state, by, deed.at, None) };
        self.open.insert(statement, state);
        for change in [delivered, change].into_iter().flatten() {
            self.changed(statement, change, None, changed);
        }
        self.touched.push(statement);
    }

    /// Reports an open message as changed, and forgets it when it is settled.
    fn changed(
        &mut self,
        statement: Hash,
        change: Change,
        leaf: Option<(EntryId, Hash)>,
        out: &mut Vec<Changed>,
    ) {
        if let Some(state) = self.open.get(&statement) {
            out.push(Changed { state: state.clone(), leaf, change });
        }
    }

    fn put_away(&mut self, statement: &Hash) {
        if self.open.get(statement).is_some_and(MessageState::is_settled)
            && let Some(state) = self.open.remove(statement)
        {
            for place in state.repeats.iter().chain([&state.entry]) {
                self.places.remove(place);
            }
        }
    }

    /// Open messages in the first `size` entries of a log became known to a party by its entry.
    fn covered(&mut self, log: &LogKey, size: u64, by: PartyIndex, at: Timestamp, out: &mut Vec<Changed>) {
        if self.parties.get(usize::from(by.0)) == Some(&log.party) {
            return;
        }
        let known = self.seen.entry((*log, by)).or_default();
        let first = known.entry(size).or_insert(at);
        *first = (*first).min(at);
        if known.len() > TAIL_MAX {
            known.pop_first();
        }
        for statement in self.open_between(log, 0, size) {
            let Some(state) = self.open.get_mut(&statement) else { continue };
            if let Some(change) = deliver(state, by, at, None) {
                self.changed(statement, change, None, out);
            }
        }
    }

    fn open_between(&self, log: &LogKey, from: u64, to: u64) -> BTreeSet<Hash> {
        let place = |index| EntryId { log: *log, index };
        self.places.range(place(from)..place(to.max(from))).map(|(_, (statement, _))| *statement).collect()
    }

    /// Applies a receipt: `by` says at `time_s` that it holds the first `size` entries of `log`, and
    /// had said so of `before`. `arrived` is when it came, where that is known.
    pub fn apply_receipt(
        &mut self,
        log: LogKey,
        by: PartyIndex,
        before: u64,
        size: u64,
        time_s: u64,
        arrived: Option<Timestamp>,
    ) -> Vec<Changed> {
        let at = Timestamp::from_millis(i64::try_from(time_s).unwrap_or(i64::MAX).saturating_mul(1000));
        let known = self.receipts.entry((log, by)).or_default();
        known.insert(size, (at, arrived));
        if known.len() > TAIL_MAX {
            known.pop_first();
        }
        let mut changed = Vec::new();
        for statement in self.open_between(&log, before, size) {
            let Some(state) = self.open.get_mut(&statement) else { continue };
            if let Some(change) = deliver(state, by, at, Some(arrived)) {
                self.changed(statement, change, None, &mut changed);
            }
            self.put_away(&statement);
        }
        changed
    }

    /// What covers an entry may be known before it: receipts, and entries of others that saw it.
    fn deliver_by_what_is_known(&mut self, entry: &EntryId) {
        let Some((statement, _)) = self.places.get(entry) else { return };
        let Some(state) = self.open.get_mut(statement) else { return };
        for by in state.others.clone() {
            let seen = self.seen.get(&(entry.log, by));
            if let Some(at) = seen.and_then(|seen| seen.range(entry.index + 1..).map(|(_, at)| *at).min()) {
                deliver(state, by, at, None);
            }
            let receipts = self.receipts.get(&(entry.log, by));
            if let Some((_, (at, arrived))) = receipts.and_then(|r| r.range(entry.index + 1..).next()) {
                deliver(state, by, *at, Some(*arrived));
            }
        }
    }

    /// Applies the verdict on a statement's release proof, held since `held`.
    pub fn apply_proof(
        &mut self,
        statement: &Hash,
        verdict: &release::Verdict,
        held: Timestamp,
        views: &dyn Views,
    ) -> Vec<Changed> {
        let stored = || views.by_statement(statement);
        let Some(mut state) = self.open.remove(statement).or_else(stored) else { return Vec::new() };
        state.proof = match (verdict, &state.proof) {
            // Once satisfied it stays so, since the moment it was first held.
            (_, satisfied @ ProofState::Satisfied { .. }) => satisfied.clone(),
            (release::Verdict::Satisfied { keys }, _) => ProofState::Satisfied { keys: keys.clone(), held },
            (release::Verdict::NotSatisfied(_), _) => ProofState::NotSatisfied,
        };
        let mut changed = Vec::new();
        self.open.insert(*statement, state);
        self.changed(*statement, Change::Proof, None, &mut changed);
        self.put_away(statement);
        changed
    }

    /// The messages on which something is still waited for.
    pub fn open(&self) -> impl Iterator<Item = &MessageState> {
        self.open.values()
    }

    /// The state of a message, open or stored.
    #[must_use]
    pub fn state(&self, statement: &Hash, views: &dyn Views) -> Option<MessageState> {
        self.open.get(statement).cloned().or_else(|| views.by_statement(statement))
    }

    /// The statement at an entry, open or stored.
    #[must_use]
    pub fn statement_at(&self, entry: &EntryId, views: &dyn Views) -> Option<Hash> {
        self.places.get(entry).copied().or_else(|| views.by_entry(entry)).map(|(statement, _)| statement)
    }

    /// All clocks that run, the earliest first; those below `now` are overdue.
    #[must_use]
    pub fn clocks(&self) -> BTreeSet<Clock> {
        let mut clocks = BTreeSet::new();
        for state in self.open.values() {
            let statement = state.statement;
            for party in state.to.iter().filter(|party| !state.acknowledged.contains_key(party)) {
                clocks.insert(Clock { due: state.deadline, statement, party: Some(*party) });
            }
            if let Some(due) = state.answer_by.filter(|_| state.answered.is_empty()) {
                clocks.insert(Clock { due, statement, party: None });
            }
        }
        clocks
    }

    /// The next moment from `now` on at which something falls due.
    #[must_use]
    pub fn next_due(&self, now: Timestamp) -> Option<Timestamp> {
        self.open.values().filter_map(|state| state.next_due(now)).min()
    }

    /// Who spoke last and whether the channel is silent under the newest charter known.
    #[must_use]
    pub fn contact(&self, now: Timestamp) -> Contact {
        let silent_after_s = self.charters.values().next_back().map_or(0, |charter| charter.silent_after_s);
        Contact::new(&self.last_word, silent_after_s, now)
    }
}

/// Notes that a party holds a message. A receipt outweighs what its entries show; of two receipts
/// or two entries the earlier counts.
fn deliver(
    state: &mut MessageState,
    by: PartyIndex,
    at: Timestamp,
    receipt: Option<Option<Timestamp>>,
) -> Option<Change> {
    let receipted = receipt.is_some();
    let late = receipt.flatten().is_some_and(|arrived| at > arrived.after(CLOCKS_APART_MS));
    let disputed = receipted && (late || at.after(999) < state.written);
    let delivery = Delivery { at, receipted, disputed };
    let known = state.delivered.get(&by).copied();
    let better = known
        .is_none_or(|known| receipted && !known.receipted || receipted == known.receipted && at < known.at);
    if !better {
        return None;
    }
    state.delivered.insert(by, delivery);
    Some(if known.is_none() { Change::Delivered(by) } else { Change::Dated(by) })
}

#[cfg(test)]
mod tests;
