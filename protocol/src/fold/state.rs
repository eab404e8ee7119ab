//! What became of one message, as one value that a node stores.
//!
//! Everything in it follows from the record; what also depends on `now` (overdue, not released) is
//! asked with a moment. Source: `spec/record.md`, section 4; `spec/release.md`, section 4.

use std::collections::BTreeMap;

use detente_crypto::Hash;
use detente_encoding::Timestamp;
use detente_encoding::cbor::{self, Value};

use crate::entry::Kind;
use crate::names::{EntryId, Generation, Lane, LogKey, PartyId, PartyIndex, Precedence, Run};

/// When a party came to hold a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// By the time of its receipt or, while there is none, of its first entry that knows the message.
    pub at: Timestamp,
    /// Whether a receipt says so.
    pub receipted: bool,
    /// The date lies before the message was written, or well after the receipt arrived.
    pub disputed: bool,
}

/// An entry that did something to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deed {
    /// Where it stands.
    pub entry: EntryId,
    /// When it was written.
    pub at: Timestamp,
}

/// An answer to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Accept, counter-propose, decline, clarify or stand-by.
    pub kind: Kind,
    /// The answering entry.
    pub deed: Deed,
}

/// What is known of a release proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProofState {
    /// It is not held.
    Missing,
    /// It is held and satisfies the rule.
    Satisfied {
        /// The keys that signed, in order.
        keys: Vec<u16>,
        /// Since when it is held here.
        held: Timestamp,
    },
    /// It is held and does not.
    NotSatisfied,
}

/// How a message is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// Released by these keys, verified.
    Verified(Vec<u16>),
    /// The same, but the proof came after the deadline.
    VerifiedLate(Vec<u16>),
    /// Nobody asked for the proof.
    NotAsked,
    /// The proof may still come.
    NotYet,
    /// The deadline has passed without a proof, or the proof does not hold.
    NotReleased,
}

/// What became of a spoken entry: one statement, however often it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageState {
    /// The statement's hash.
    pub statement: Hash,
    /// Where it stands; of several places the lowest by log name and index.
    pub entry: EntryId,
    /// The other places.
    pub repeats: Vec<EntryId>,
    /// What it does.
    pub kind: Kind,
    /// How urgent it is.
    pub precedence: Precedence,
    /// Its citation number.
    pub number: u32,
    /// When it was written, at `entry`.
    pub written: Timestamp,
    /// Who is to acknowledge it; empty for what is no message.
    pub to: Vec<PartyIndex>,
    /// The other parties of the channel.
    pub others: Vec<PartyIndex>,
    /// Until when to acknowledge, and until when a proof may come.
    pub deadline: Timestamp,
    /// When an answer is asked for.
    pub answer_by: Option<Timestamp>,
    /// Whether the proof is asked for.
    pub proof_asked: bool,
    /// What is known of the proof.
    pub proof: ProofState,
    /// Who holds it.
    pub delivered: BTreeMap<PartyIndex, Delivery>,
    /// Who opened it first, by party.
    pub opened: BTreeMap<PartyIndex, Deed>,
    /// Whose office took it over, by party.
    pub acknowledged: BTreeMap<PartyIndex, Deed>,
    /// Answers in the order they were applied, repeats left out.
    pub answered: Vec<Answer>,
    /// The sender took it back.
    pub withdrawn: Option<Deed>,
    /// The sender replaced it.
    pub corrected: Option<Deed>,
}

/// The most answers kept of one message; the rest stand in the journal.
pub const ANSWERS_MAX: usize = 64;

impl MessageState {
    /// Whether nothing more is waited for: everybody's receipt and acknowledgement, an answer where
    /// one is asked for, the proof where it is asked for.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        let receipted = |party| self.delivered.get(party).is_some_and(|delivery| delivery.receipted);
        self.others.iter().all(receipted)
            && self.to.iter().all(|party| self.acknowledged.contains_key(party))
            && (self.answer_by.is_none() || !self.answered.is_empty())
            && (!self.proof_asked || self.proof != ProofState::Missing)
    }

    /// The addressees who have not acknowledged it though the time is over.
    pub fn overdue(&self, now: Timestamp) -> impl Iterator<Item = PartyIndex> {
        let late = now > self.deadline;
        self.to.iter().copied().filter(move |party| late && !self.acknowledged.contains_key(party))
    }

    /// How its release is shown.
    #[must_use]
    pub fn shown(&self, now: Timestamp) -> Shown {
        match &self.proof {
            ProofState::Satisfied { keys, held } if *held > self.deadline && self.proof_asked => {
                Shown::VerifiedLate(keys.clone())
            }
            ProofState::Satisfied { keys, .. } => Shown::Verified(keys.clone()),
            ProofState::NotSatisfied => Shown::NotReleased,
            ProofState::Missing if !self.proof_asked => Shown::NotAsked,
            ProofState::Missing if now <= self.deadline => Shown::NotYet,
            ProofState::Missing => Shown::NotReleased,
        }
    }

    /// The next moment at which something about it falls due.
    #[must_use]
    pub fn next_due(&self, now: Timestamp) -> Option<Timestamp> {
        let unacknowledged = self.to.iter().any(|party| !self.acknowledged.contains_key(party));
        let proof = self.proof_asked && self.proof == ProofState::Missing;
        let deadline = (unacknowledged || proof).then_some(self.deadline);
        let answer = self.answer_by.filter(|_| self.answered.is_empty());
        [deadline, answer].into_iter().flatten().filter(|due| *due >= now).min()
    }

    /// The state as a row of a store. Only this node reads it.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let party = |party: &PartyIndex| Value::from(u64::from(party.0));
        let parties = |list: &[PartyIndex]| Value::Array(list.iter().map(party).collect());
        let delivered = self.delivered.iter().map(|(by, delivery)| {
            let flags = u64::from(delivery.receipted) | u64::from(delivery.disputed) << 1;
            Value::Array(vec![party(by), delivery.at.millis().into(), flags.into()])
        });
        let deeds = |deeds: &BTreeMap<PartyIndex, Deed>| {
            let rows = deeds.iter().map(|(by, deed)| Value::Array(vec![party(by), write_deed(deed)]));
            Value::Array(rows.collect())
        };
        let answered = self
            .answered
            .iter()
            .map(|answer| Value::Array(vec![(answer.kind as u64).into(), write_deed(&answer.deed)]));
        let deed = |deed: &Option<Deed>| deed.as_ref().map_or(Value::Null, write_deed);
        let proof = match &self.proof {
            ProofState::Missing => Value::Null,
            ProofState::NotSatisfied => Value::Array(vec![]),
            ProofState::Satisfied { keys, held } => {
                let keys = keys.iter().map(|key| Value::from(u64::from(*key))).collect();
                Value::Array(vec![held.millis().into(), Value::Array(keys)])
            }
        };
        cbor::encode(&Value::Array(vec![
            Value::bytes(&self.statement.0),
            write_entry(&self.entry),
            Value::Array(self.repeats.iter().map(write_entry).collect()),
            (self.kind as u64).into(),
            (self.precedence as u64).into(),
            u64::from(self.number).into(),
            self.written.millis().into(),
            parties(&self.to),
            parties(&self.others),
            self.deadline.millis().into(),
            self.answer_by.map_or(Value::Null, |at| at.millis().into()),
            u64::from(self.proof_asked).into(),
            proof,
            Value::Array(delivered.collect()),
            deeds(&self.opened),
            deeds(&self.acknowledged),
            Value::Array(answered.collect()),
            deed(&self.withdrawn),
            deed(&self.corrected),
        ]))
    }

    /// Reads a row back. `None` when it is not one; make the views anew then.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let value = cbor::decode(bytes).ok()?;
        let items: &[Value; 19] = value.as_array()?.try_into().ok()?;
        let parties = |value: &Value| value.as_array()?.iter().map(read_party).collect::<Option<Vec<_>>>();
        let deeds = |value: &Value| -> Option<BTreeMap<PartyIndex, Deed>> {
            let rows = value.as_array()?.iter();
            rows.map(|row| match row.as_array()? {
                [by, deed] => Some((read_party(by)?, read_deed(deed)?)),
                _ => None,
            })
            .collect()
        };
        let optional = |value: &Value| if value.is_null() { Some(None) } else { read_deed(value).map(Some) };
        let delivered = items[13].as_array()?.iter().map(|row| match row.as_array()? {
            [by, at, flags] => {
                let flags = flags.as_u64()?;
                let (receipted, disputed) = (flags & 1 != 0, flags & 2 != 0);
                Some((read_party(by)?, Delivery { at: read_moment(at)?, receipted, disputed }))
            }
            _ => None,
        });
        let answered = items[16].as_array()?.iter().map(|row| match row.as_array()? {
            [kind, deed] => Some(Answer { kind: Kind::from_number(kind.as_u64()?)?, deed: read_deed(deed)? }),
            _ => None,
        });
        let proof = match &items[12] {
            Value::Null => ProofState::Missing,
            value => match value.as_array()? {
                [] => ProofState::NotSatisfied,
                [held, keys] => {
                    let keys = keys.as_array()?.iter().map(|key| u16::try_from(key.as_u64()?).ok());
                    ProofState::Satisfied { keys: keys.collect::<Option<_>>()?, held: read_moment(held)? }
                }
                _ => return None,
            },
        };
        Some(Self {
            statement: Hash::from_slice(items[0].as_bytes()?)?,
            entry: read_entry(&items[1])?,
            repeats: items[2].as_array()?.iter().map(read_entry).collect::<Option<_>>()?,
            kind: Kind::from_number(items[3].as_u64()?)?,
            precedence: Precedence::from_number(items[4].as_u64()?)?,
            number: u32::try_from(items[5].as_u64()?).ok()?,
            written: read_moment(&items[6])?,
            to: parties(&items[7])?,
            others: parties(&items[8])?,
            deadline: read_moment(&items[9])?,
            answer_by: if items[10].is_null() { None } else { Some(read_moment(&items[10])?) },
            proof_asked: items[11].as_u64()? == 1,
            proof,
            delivered: delivered.collect::<Option<_>>()?,
            opened: deeds(&items[14])?,
            acknowledged: deeds(&items[15])?,
            answered: answered.collect::<Option<_>>()?,
            withdrawn: optional(&items[17])?,
            corrected: optional(&items[18])?,
        })
    }
}

fn read_moment(value: &Value) -> Option<Timestamp> {
    value.as_i64().map(Timestamp::from_millis)
}

fn read_party(value: &Value) -> Option<PartyIndex> {
    u8::try_from(value.as_u64()?).ok().map(PartyIndex)
}

fn write_entry(entry: &EntryId) -> Value {
    Value::Array(vec![
        Value::bytes(&entry.log.party.0),
        (entry.log.lane as u64).into(),
        u64::from(entry.log.generation.number).into(),
        Value::bytes(&entry.log.generation.run.0),
        entry.index.into(),
    ])
}

fn read_entry(value: &Value) -> Option<EntryId> {
    let [party, lane, number, run, index] = value.as_array()? else { return None };
    let generation = Generation {
        number: u32::try_from(number.as_u64()?).ok()?,
        run: Run(run.as_bytes()?.try_into().ok()?),
    };
    let log = LogKey {
        party: PartyId(party.as_bytes()?.try_into().ok()?),
        lane: Lane::from_number(lane.as_u64()?)?,
        generation,
    };
    Some(EntryId { log, index: index.as_u64()? })
}

fn write_deed(deed: &Deed) -> Value {
    Value::Array(vec![write_entry(&deed.entry), deed.at.millis().into()])
}

fn read_deed(value: &Value) -> Option<Deed> {
    let [entry, at] = value.as_array()? else { return None };
    Some(Deed { entry: read_entry(entry)?, at: read_moment(at)? })
}
