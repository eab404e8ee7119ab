//! Entries: messages, answers, machine entries, and those that break a rule.

use detente_crypto::sha256;
use detente_encoding::Timestamp;
use detente_encoding::cbor::{self, Value};
use detente_protocol::entry::{Extras, GenerationPayload, Kind, LogRef, Payload, Reference, WireReference};
use detente_protocol::export::Object;
use detente_protocol::names::{ChannelId, EntryId, Lane, LogKey, PartyIndex, Precedence};
use detente_protocol::seen::SeenTable;
use detente_protocol::statement::{FormatRef, Statement};

use super::Story;
use crate::world::Signing;

const LANES: [Lane; 3] = [Lane::Ordinary, Lane::Emergency, Lane::Exercise];
const PRECEDENCES: [Precedence; 4] =
    [Precedence::Routine, Precedence::Priority, Precedence::Immediate, Precedence::Flash];

impl Story {
    pub(crate) fn signing(&mut self) -> Signing {
        const ORDERS: [&[usize]; 8] =
            [&[0, 1], &[0, 1], &[0, 2], &[0, 3, 4], &[1, 4], &[0], &[1, 0], &[2, 3]];
        let flags = *self.dice.pick(&[0x05, 0x05, 0x05, 0x1d, 0x0d, 0x04, 0x45, 0x15]);
        Signing {
            officers: self.dice.pick(&ORDERS).to_vec(),
            flags,
            full: self.dice.one_in(3),
            true_hash: !self.dice.one_in(12),
            kept: !self.dice.one_in(4),
        }
    }

    pub(crate) fn statement(&mut self, kind: Kind, precedence: Precedence) -> Statement {
        let drafted = self.world.tick();
        let body = Value::Array(vec!["en".into(), "A line that a person may read.".into()]);
        Statement {
            kind,
            edition: if self.dice.one_in(40) { self.edition + 1 } else { self.edition },
            drafted,
            valid_minutes: 60,
            nonce: self.dice.bytes(),
            precedence,
            format: None,
            references: vec![],
            body,
            extras: Extras::default(),
            attachments: vec![],
            drafter: *self.dice.pick(&[1, 1, 1, 2, 0, 9]),
        }
    }

    pub(crate) fn put(&mut self, log: LogKey, statement: Statement, signing: &Signing) {
        let look = !self.dice.one_in(5);
        if let Some((bytes, table)) = self.world.spoken(log, statement, signing, look) {
            let reference = self.world.append(log, &bytes, table);
            self.said.push(reference);
        }
    }

    /// A log of another channel.
    fn foreign(&mut self, like: LogKey) -> Reference {
        let lane = if self.dice.one_in(6) { *self.dice.pick(&LANES) } else { like.lane };
        let entry = EntryId { log: LogKey { lane, ..like }, index: 7 };
        Reference { channel: ChannelId([9; 32]), entry, leaf: sha256(&[b"elsewhere"]) }
    }

    pub(crate) fn message(&mut self, place: usize) {
        let precedence = *self.dice.pick(&PRECEDENCES);
        let lane = if self.dice.one_in(4) { Lane::Exercise } else { precedence.lane() };
        let lane = if self.dice.one_in(30) { *self.dice.pick(&LANES) } else { lane };
        let kinds =
            [Kind::Note, Kind::Note, Kind::Notification, Kind::Dialogue, Kind::Declaration, Kind::Correct];
        let kind = *self.dice.pick(&kinds);
        let log = self.log(place, lane);
        let mut statement = self.statement(kind, precedence);
        if kind == Kind::Notification || self.dice.one_in(8) {
            statement.format = Some(FormatRef { number: *self.dice.pick(&[1, 10, 12]), edition: 1 });
        }
        if kind == Kind::Notification {
            statement.body = Value::Array(vec![5u64.into(), Value::Null, "sea".into()]);
        }
        let own_only = kind == Kind::Correct && !self.dice.one_in(5);
        let fitting: Vec<Reference> = self
            .said
            .iter()
            .filter(|r| (r.entry.log.lane == lane) && (!own_only || r.entry.log.party == log.party))
            .copied()
            .collect();
        if !fitting.is_empty() && (kind == Kind::Correct || self.dice.one_in(3)) {
            statement.references.push(*self.dice.pick(&fitting));
        }
        if self.dice.one_in(8) {
            let foreign = self.foreign(log);
            statement.references.push(foreign);
        }
        if self.dice.one_in(4) {
            statement.extras.subject = Some("A subject".into());
            statement.extras.confidential = self.dice.one_in(2);
            statement.extras.answer_by = Some(Timestamp::from_millis(self.world.now + 1));
        }
        if self.dice.one_in(8) {
            statement.extras.to = vec![PartyIndex(self.dice.below(4) as u8)];
        }
        if self.dice.one_in(8) && !fitting.is_empty() {
            statement.extras.supersedes = Some(*self.dice.pick(&fitting));
        }
        if self.dice.one_in(6) {
            let blob: [u8; 24] = self.dice.bytes();
            statement.attachments.push(sha256(&[&blob]));
            if self.dice.one_in(2) {
                self.world.objects.insert(Object::Blob(sha256(&[&blob])), blob.to_vec());
            }
        }
        let signing = self.signing();
        self.put(log, statement, &signing);
    }

    pub(crate) fn answer(&mut self, place: usize) {
        if self.said.is_empty() {
            return;
        }
        let reference = *self.dice.pick(&self.said.clone());
        let log = self.log(place, reference.entry.log.lane);
        let kinds =
            [Kind::Acknowledgement, Kind::Acknowledgement, Kind::StandBy, Kind::Accept, Kind::Decline];
        let more = [Kind::CounterPropose, Kind::Clarify, Kind::Withdraw];
        let kind = if self.dice.one_in(3) { *self.dice.pick(&more) } else { *self.dice.pick(&kinds) };
        let precedence = *self.dice.pick(&PRECEDENCES);
        let mut statement = self.statement(kind, precedence);
        statement.references.push(reference);
        statement.body = Value::Null;
        let mut signing = self.signing();
        if self.dice.one_in(2) {
            signing.officers.truncate(1);
        }
        self.put(log, statement, &signing);
    }

    fn reference(&mut self, log: &LogKey, table: &SeenTable) -> Option<WireReference> {
        let reference = *self.said.get(self.dice.below(self.said.len().max(1)))?;
        let ordinal = if reference.entry.log == *log { 0 } else { table.ordinal(&reference.entry.log)? };
        Some(WireReference {
            log: LogRef::Ordinal(ordinal),
            index: reference.entry.index,
            leaf: reference.leaf,
        })
    }

    pub(crate) fn opened(&mut self, place: usize) {
        let lane = *self.dice.pick(&LANES);
        let log = self.log(place, lane);
        self.world.machine(log, Payload::Test([1; 8]), true);
        let table = self.world.table(&log).clone();
        let Some(reference) = self.reference(&log, &table) else { return };
        let payload =
            if self.dice.one_in(4) { Payload::TestAnswer(reference) } else { Payload::Opened(reference) };
        let look = self.dice.one_in(2);
        self.world.machine(log, payload, look);
    }

    /// A test in the ordinary lane, after a look at all logs.
    pub(crate) fn beat(&mut self, place: usize) {
        let log = self.log(place, Lane::Ordinary);
        self.world.machine(log, Payload::Test([2; 8]), true);
    }

    pub(crate) fn machine(&mut self, place: usize) {
        let log = self.log(place, Lane::Ordinary);
        let now = Timestamp::from_millis(self.world.now);
        let payload = if self.dice.one_in(2) {
            Payload::Clock { before: now, after: now }
        } else {
            let house_root = None;
            Payload::Key(detente_protocol::entry::KeyPayload { kem: Box::new([4; 1216]), house_root })
        };
        self.world.machine(log, payload, true);
    }

    /// An entry with one element replaced, or with bytes that are no entry.
    pub(crate) fn twisted(&mut self, place: usize) {
        let lane = *self.dice.pick(&LANES);
        let log = self.log(place, lane);
        let table = self.world.table(&log).clone();
        if self.dice.one_in(12) {
            let junk: [u8; 40] = self.dice.bytes();
            let long = vec![0x40; 1_200];
            let junk = if self.dice.one_in(3) { &long[..] } else { &junk[..self.dice.below(40)] };
            self.world.append(log, junk, table);
            return;
        }
        if self.dice.one_in(12) {
            let (cause, named) = (detente_protocol::entry::Cause::Start, Vec::new());
            let again = GenerationPayload { cause, suite: 1, credential_edition: 1, named };
            self.world.machine(log, Payload::Generation(again), false);
            return;
        }
        let look = self.dice.one_in(4);
        let mut statement = self.statement(Kind::Note, Precedence::Routine);
        statement.references.extend(self.said.last().filter(|r| table.ordinal(&r.entry.log).is_some()));
        let signing = self.signing();
        let Some((bytes, after)) = self.world.spoken(log, statement, &signing, look) else { return };
        let Ok(Value::Array(mut elements)) = cbor::decode(&bytes[1..]) else { return };
        if self.dice.one_in(3) {
            let payload = self.payload();
            let numbers = [34u64, 36, 37, 35, 38, 32, 33];
            let kind = *self.dice.pick(&numbers);
            elements =
                vec![kind.into(), elements[2].clone(), elements[15].clone(), elements[16].clone(), payload];
        }
        let at = self.dice.below(elements.len());
        if elements.len() == 18 && self.dice.one_in(10) {
            // A millisecond after the hour for which it was valid.
            elements[14] = 3_600_001u64.into();
        } else {
            elements[at] = self.value(at, &elements);
        }
        let mut bytes = vec![1];
        cbor::encode_into(&Value::Array(elements), &mut bytes);
        if self.dice.one_in(20) {
            bytes.push(0);
        }
        self.world.append(log, &bytes, if self.dice.one_in(2) { table } else { after });
    }

    fn payload(&mut self) -> Value {
        match self.dice.below(4) {
            0 => Value::bytes(&[1; 8]),
            1 => Value::Array(vec![0u64.into(), 1u64.into(), Value::bytes(&[6; 32])]),
            2 => Value::Array(vec![5u64.into(), 6u64.into()]),
            _ => Value::Array(vec![
                (self.dice.below(3) as u64).into(),
                1u64.into(),
                Value::bytes(&[6; 32]),
                (self.dice.below(2) as u64).into(),
                Value::bytes(&[7; 32]),
            ]),
        }
    }

    /// A value that may or may not fit at this place.
    fn value(&mut self, at: usize, elements: &[Value]) -> Value {
        let number = |n: usize| Value::from(n as u64);
        match self.dice.below(16) {
            0 => Value::Null,
            1 => number(self.dice.below(50)),
            2 => Value::from(-1 - self.dice.below(100) as i64),
            3 => Value::bytes(&self.dice.bytes::<32>()),
            4 => Value::bytes(&self.dice.bytes::<8>()),
            5 => "text".into(),
            6 => Value::Array(vec![]),
            7 => Value::Array(vec![number(self.dice.below(4)), number(1 + self.dice.below(9))]),
            8 => Value::Array(vec![Value::Array(vec![
                number(self.dice.below(3)),
                number(self.dice.below(4)),
                Value::bytes(&[6; 32]),
            ])]),
            9 => Value::map(vec![(number(self.dice.below(9)), "text".into())]),
            10 => Value::map(vec![(number(1), Value::Array(vec![number(self.dice.below(4))]))]),
            11 => Value::from(1u64 << self.dice.below(63)),
            12 => true.into(),
            // Kinds between those of messages, and delays beyond what is valid.
            13 if at == 0 => number(self.dice.below(16)),
            13 | 14 if at == 14 => number(3_600_001),
            13 => Value::map(vec![(5u64.into(), true.into()), (number(6 + self.dice.below(3)), Value::Null)]),
            _ => elements[self.dice.below(elements.len())].clone(),
        }
    }

    /// An entry that only a later version understands; it may hold a `seen` where today's stands.
    pub(crate) fn later_version(&mut self, place: usize) {
        let lane = *self.dice.pick(&LANES);
        let log = self.log(place, lane);
        let look = self.dice.one_in(2);
        let (seen, check, after) = self.world.seen(&log, look);
        let before = self.world.table(&log).clone();
        let written = self.world.tick();
        let test =
            detente_protocol::entry::MachineEntry { written, seen, check, payload: Payload::Test([3; 8]) };
        let bytes = detente_protocol::entry::Entry::Machine(test).encode();
        let Ok(Value::Array(mut elements)) = cbor::decode(&bytes[1..]) else { return };
        elements[0] = (*self.dice.pick(&[39u64, 63, 64, 16, 1 << 40])).into();
        let known = elements[0].as_u64().is_some_and(|kind| (32..64).contains(&kind));
        let cut = self.dice.one_in(4);
        if cut {
            elements.pop();
        }
        let mut bytes = vec![1];
        cbor::encode_into(&Value::Array(elements), &mut bytes);
        self.world.append(log, &bytes, if known && !cut { after } else { before });
    }

    /// An entry whose writer had seen another history than the one exported.
    pub(crate) fn false_check(&mut self, place: usize) {
        let log = self.log(place, Lane::Ordinary);
        let (seen, check, table) = self.world.seen(&log, true);
        let written = self.world.tick();
        let check = check.map(|_| self.dice.bytes());
        let payload = Payload::Test([5; 8]);
        let entry = detente_protocol::entry::MachineEntry { written, seen, check, payload };
        let bytes = detente_protocol::entry::Entry::Machine(entry).encode();
        self.world.append(log, &bytes, table);
    }
}
