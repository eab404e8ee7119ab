//! What must always hold (DESIGN, section 8), watched from outside all parties.
//!
//! The checker knows what every disk holds, which no party does.

use std::collections::btree_map::Entry as Slot;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher};

use detente_crypto::{Hash, Suite};
use detente_protocol::channel::{BLOBS, Record};
use detente_protocol::charter::Charter;
use detente_protocol::names::{EntryId, LogKey, PartyId};
use detente_protocol::release::{Proof, Verdict, satisfies};
use detente_protocol::sealing::Header;
use detente_protocol::statement::Statement;

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
    /// A statement was entered twice by a node that had lost nothing.
    EnteredTwice(String),
    /// A receipt covers what its party's disk does not hold, or what it never signed.
    ReceiptWithoutDisk {
        /// Which log and size.
        log: String,
        /// Whose receipt.
        by: PartyId,
    },
    /// A receipt bears a time before its entry was written, or times fall as sizes grow.
    ReceiptTime {
        /// Which log.
        log: String,
        /// Whose receipt.
        by: PartyId,
    },
    /// A leaf or a line of a record was overwritten by another value.
    RecordOverwritten(PartyId),
    /// One key and nonce met two plaintexts.
    NonceReused(PartyId),
    /// An epoch was taken as a party's that is not its own.
    ForgedEpoch(PartyId),
    /// Two parties that hold the same logs differ in what they show.
    RecordsDiffer(String),
    /// An honest party was accused.
    HonestAccused(PartyId),
    /// A party signed two histories, and another one that had met it does not know.
    NotAccused(PartyId),
    /// A statement was entered or shown without a release that satisfies the rule.
    NotReleased(String),
    /// An honest party's entry was void.
    HonestVoid(String),
    /// An acknowledgement refers to another leaf than the one shown to its signer.
    WrongReference(String),
    /// An entry of the emergency lane came late though nothing stood in its way.
    LateFlash(String),
    /// A collection that a peer can make grow is above its bound.
    Unbounded(&'static str),
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
            Self::EnteredTwice(entry) => write!(f, "the statement of {entry} was entered twice"),
            Self::ReceiptWithoutDisk { log, by } => {
                write!(f, "the receipt of {by} on {log} covers what its disk does not hold")
            }
            Self::ReceiptTime { log, by } => write!(f, "the receipt of {by} on {log} bears a wrong time"),
            Self::RecordOverwritten(party) => write!(f, "{party} overwrote a leaf or a line of its record"),
            Self::NonceReused(party) => write!(f, "{party} sealed two messages under one nonce"),
            Self::ForgedEpoch(party) => write!(f, "an epoch that is not of {party} was taken for its own"),
            Self::RecordsDiffer(what) => write!(f, "two parties with one record differ: {what}"),
            Self::HonestAccused(party) => write!(f, "the honest party {party} was accused"),
            Self::NotAccused(party) => write!(f, "{party} signed two histories and is not accused"),
            Self::NotReleased(entry) => write!(f, "{entry} stands without a release that satisfies the rule"),
            Self::HonestVoid(entry) => write!(f, "the entry {entry} of an honest party is void"),
            Self::WrongReference(entry) => write!(f, "{entry} refers to another leaf than was shown"),
            Self::LateFlash(entry) => write!(f, "{entry} came late though nothing stood in its way"),
            Self::Unbounded(what) => write!(f, "more {what} are kept than their bound allows"),
            Self::TooQuiet(count) => write!(f, "only {count} messages were acknowledged"),
            Self::Record(error) => write!(f, "{error}"),
        }
    }
}

/// A proof that has to come to a party and satisfy the rule there.
struct Awaited {
    at: usize,
    entry: EntryId,
    proof: Hash,
    hash: Hash,
    statement: Statement,
}

/// What the checker has noted of the world so far.
#[derive(Default)]
pub(crate) struct Checker {
    /// Entries of honest parties that were told as entered and durable, with their leaf hash.
    pub(crate) entered: BTreeMap<EntryId, Hash>,
    /// When they were (true milliseconds).
    pub(crate) entered_at: BTreeMap<EntryId, u64>,
    pub(crate) acknowledged: u64,
    statements: BTreeMap<Hash, EntryId>,
    sealed: HashMap<(usize, Vec<u8>), u64>,
    receipt_times: BTreeMap<(LogKey, usize), (u64, u64)>,
    awaited: Vec<Awaited>,
    /// Logs of the liar that everybody must hold to this size in the end, however void.
    pub(crate) junk: BTreeMap<LogKey, u64>,
}

impl Checker {
    /// One header, as sender and reader derive the nonce from it, names one ciphertext.
    pub(crate) fn sent(&mut self, from: usize, party: PartyId, bytes: &[u8]) -> Option<Violation> {
        let (_, header) = Header::parse(bytes).ok()?;
        let mut hasher = DefaultHasher::new();
        bytes.hash(&mut hasher);
        let digest = hasher.finish();
        let before = *self.sealed.entry((from, bytes[..header].to_vec())).or_insert(digest);
        (before != digest).then_some(Violation::NonceReused(party))
    }

    /// A receipt of an honest `by` covers `size` of `log`: its disk held as much, and the time fits.
    pub(crate) fn receipt(
        &mut self,
        (index, by): (usize, &Party),
        log: &LogKey,
        size: u64,
        time_s: u64,
    ) -> Option<Violation> {
        let held = by.disk.size(log).max(by.ever_held.get(log).copied().unwrap_or(0));
        if held < size {
            return Some(Violation::ReceiptWithoutDisk { log: log_name(log), by: by.id });
        }
        let wrong = Some(Violation::ReceiptTime { log: log_name(log), by: by.id });
        let written = self.entered_at.get(&EntryId { log: *log, index: size - 1 });
        let clock = |at: u64| crate::party::EPOCH_MS + i64::try_from(at).expect("small") + by.clock_least_ms;
        let time_ms = i64::try_from(time_s).unwrap_or(i64::MAX).saturating_mul(1_000);
        if written.is_some_and(|&at| time_ms + 2_000 < clock(at)) {
            return wrong;
        }
        if by.restored {
            return None;
        }
        let (largest, last) = *self.receipt_times.entry((*log, index)).or_insert((size, time_s));
        if size > largest {
            self.receipt_times.insert((*log, index), (size, time_s));
            if time_s < last {
                return wrong;
            }
        }
        None
    }

    /// A party's own statement stands at `entry`.
    pub(crate) fn own_statement(&mut self, hash: Hash, entry: EntryId, restored: bool) -> Option<Violation> {
        match self.statements.entry(hash) {
            Slot::Vacant(slot) => {
                slot.insert(entry);
                None
            }
            Slot::Occupied(slot) => {
                (*slot.get() != entry && !restored).then(|| Violation::EnteredTwice(name(&entry)))
            }
        }
    }

    /// The proof of this statement has to come to party `at`.
    pub(crate) fn await_proof(
        &mut self,
        at: usize,
        entry: EntryId,
        (proof, hash): (Hash, Hash),
        statement: Statement,
    ) {
        self.awaited.push(Awaited { at, entry, proof, hash, statement });
    }

    /// After everything healed: what was released is everywhere, judged alike, with its proofs.
    pub(crate) fn at_the_end(
        &self,
        parties: &[Party],
        liar: Option<usize>,
        charter: &Charter,
        suite: &'static dyn Suite,
    ) -> Option<Violation> {
        let honest: Vec<&Party> =
            parties.iter().enumerate().filter(|(index, _)| Some(*index) != liar).map(|(_, p)| p).collect();
        for (entry, leaf) in &self.entered {
            let writer = honest.iter().find(|party| party.id == entry.log.party)?;
            let holders = honest.iter().filter(|party| party.disk.size(&entry.log) > entry.index).count();
            // What a restored store lost and nobody else had was never receipted.
            let lost_by_all = writer.restored && holders == 0;
            for party in honest.iter().filter(|_| !lost_by_all) {
                if party.disk.size(&entry.log) <= entry.index {
                    return Some(Violation::Lost { entry: name(entry), at: party.id });
                }
                if party.shown.get(entry).is_none_or(|(shown, _)| shown != leaf) {
                    return Some(Violation::RecordsDiffer(name(entry)));
                }
            }
        }
        for (log, size) in &self.junk {
            if let Some(party) = honest.iter().find(|party| party.disk.size(log) < *size) {
                return Some(Violation::Lost { entry: log_name(log), at: party.id });
            }
        }
        self.verdicts_agree(&honest).or_else(|| self.proofs_came(parties, liar, charter, suite))
    }

    /// Who holds one record judges it alike. Forked logs are two records.
    fn verdicts_agree(&self, honest: &[&Party]) -> Option<Violation> {
        let forked: BTreeSet<LogKey> = honest.iter().flat_map(|party| party.accused_logs.clone()).collect();
        let (first, rest) = honest.split_first()?;
        for (entry, (leaf, verdict)) in first.shown.iter().filter(|(entry, _)| !forked.contains(&entry.log)) {
            for other in rest {
                let differs = other.shown.get(entry).is_some_and(|(l, v)| (l, v) != (leaf, verdict));
                if differs {
                    return Some(Violation::RecordsDiffer(name(entry)));
                }
            }
        }
        None
    }

    fn proofs_came(
        &self,
        parties: &[Party],
        liar: Option<usize>,
        charter: &Charter,
        suite: &'static dyn Suite,
    ) -> Option<Violation> {
        for awaited in self.awaited.iter().filter(|awaited| Some(awaited.at) != liar) {
            let party = &parties[awaited.at];
            let wrong = || Some(Violation::NotReleased(name(&awaited.entry)));
            let writer = parties.iter().find(|party| party.id == awaited.entry.log.party)?;
            if writer.restored || party.restored {
                continue;
            }
            let Ok(Some(bytes)) = party.disk.read(BLOBS, &awaited.proof.0) else { return wrong() };
            let Ok(proof) = Proof::decode(&bytes) else { return wrong() };
            let roster = writer.roster(suite);
            let verdict = satisfies(&proof, &awaited.hash, &awaited.statement, &roster, charter, suite);
            if !matches!(verdict, Verdict::Satisfied { .. }) {
                return wrong();
            }
        }
        None
    }
}

pub(crate) fn log_name(log: &LogKey) -> String {
    format!("{}/{}/{}", log.party, log.lane.word(), log.generation)
}

pub(crate) fn name(entry: &EntryId) -> String {
    format!("{}.{}", log_name(&entry.log), entry.index)
}
