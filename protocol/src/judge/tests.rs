use super::*;
use crate::entry::{Cause, Extras, KeyPayload, Named, Reference};
use crate::names::{Generation, Precedence, Run};
use crate::seen::SeenItem;
use crate::statement::{FormatRef, Placement, Statement};
use detente_crypto::Hash;
use detente_encoding::Timestamp;
use detente_encoding::cbor::Value;
use std::collections::BTreeMap;

mod vectors;

const CHANNEL: ChannelId = ChannelId([9; 32]);
const OTHER_CHANNEL: ChannelId = ChannelId([8; 32]);

fn log(party: u8, lane: Lane, number: u32) -> LogKey {
    LogKey {
        party: PartyId([party; 32]),
        lane,
        generation: Generation { number, run: Run([number as u8; 8]) },
    }
}

/// A channel of two parties, 1 and 2, with as many logs as a test writes to.
struct World {
    parties: Arc<[PartyId]>,
    judges: BTreeMap<LogKey, LogJudge>,
    tables: BTreeMap<(LogKey, u64), SeenTable>,
    acts: Acts,
    /// Everything judged, in order: what the vectors hold.
    steps: Vec<vectors::Step>,
}

impl Context for World {
    fn acts(&self) -> &Acts {
        &self.acts
    }
    fn table_at(&self, log: &LogKey, size: u64) -> Option<SeenTable> {
        self.tables.get(&(*log, size)).cloned()
    }
}

impl World {
    /// With all parties' logs begun and edition 1 in force for all who look.
    fn open() -> Self {
        let mut world = Self::of(2);
        for party in [1, 2] {
            world.valid(log(party, Lane::Ordinary, 1), &spoken(Kind::Ratify).edition(0).entry());
        }
        for party in [1, 2] {
            for lane in Lane::ALL {
                world.look(log(party, lane, 1));
            }
        }
        world
    }

    fn of(parties: u8) -> Self {
        let parties: Arc<[PartyId]> = (1..=parties).map(|party| PartyId([party; 32])).collect();
        let mut world = Self {
            parties,
            judges: BTreeMap::new(),
            tables: BTreeMap::new(),
            acts: Acts::default(),
            steps: Vec::new(),
        };
        for party in world.parties.clone().iter() {
            for lane in Lane::ALL {
                world.valid(log(party.0[0], lane, 1), &generation(&[]));
            }
        }
        world
    }

    fn put_bytes(&mut self, log: LogKey, bytes: &[u8]) -> Verdict {
        let mut judge = match self.judges.remove(&log) {
            Some(judge) => judge,
            None => LogJudge::new(CHANNEL, log, self.parties.clone()).unwrap(),
        };
        let index = judge.index();
        let judged = judge.judge(bytes, self);
        if let Some(act) = judged.act {
            assert_eq!(judged.verdict, Verdict::Valid);
            self.acts.record(EntryId { log, index }, act);
        }
        self.tables.insert((log, judge.index()), judge.table().clone());
        self.judges.insert(log, judge);
        self.steps.push(vectors::Step { log, entry: bytes.to_vec(), verdict: judged.verdict });
        judged.verdict
    }

    fn put(&mut self, log: LogKey, entry: &Entry) -> Verdict {
        self.put_bytes(log, &entry.encode())
    }

    #[track_caller]
    fn valid(&mut self, log: LogKey, entry: &Entry) {
        assert_eq!(self.put(log, entry), Verdict::Valid);
    }

    #[track_caller]
    fn void(&mut self, log: LogKey, entry: &Entry, clause: Clause) {
        assert_eq!(self.put(log, entry), Verdict::Void(clause));
    }

    /// What a writer of `log` would list now.
    fn seen(&self, log: LogKey) -> Seen {
        let sizes = self.judges.iter().map(|(log, judge)| (*log, judge.index()));
        self.judges[&log].table().next(sizes, &self.parties)
    }

    /// Writes an entry into `log` that has seen everything.
    fn look(&mut self, log: LogKey) {
        let seen = self.seen(log);
        if seen.0.is_empty() {
            return;
        }
        let entry = match log.lane {
            Lane::Ordinary => machine(seen, Payload::Test([0; 8])),
            // An opened entry is the machine entry that may stand in any lane; it refers to entry 0.
            _ => machine(seen, Payload::Opened(at(0, 0))),
        };
        self.valid(log, &entry);
    }
}

fn machine(seen: Seen, payload: Payload) -> Entry {
    let check = (!seen.0.is_empty()).then_some([7; 8]);
    Entry::Machine(MachineEntry { written: Timestamp::from_millis(5), seen, check, payload })
}

fn generation(named: &[(u32, u64)]) -> Entry {
    let named = named
        .iter()
        .map(|(number, size)| Named {
            generation: Generation { number: *number, run: Run([*number as u8; 8]) },
            size: *size,
            root: Hash([3; 32]),
        })
        .collect();
    let payload = GenerationPayload { cause: Cause::Start, suite: 1, credential_edition: 1, named };
    machine(Seen::default(), Payload::Generation(payload))
}

fn at(ordinal: u64, index: u64) -> WireReference {
    WireReference { log: LogRef::Ordinal(ordinal), index, leaf: Hash([4; 32]) }
}

fn elsewhere(channel: ChannelId, log: LogKey) -> WireReference {
    WireReference { log: LogRef::Named(channel, log), index: 3, leaf: Hash([4; 32]) }
}

struct Draft(SpokenEntry);

fn spoken(kind: Kind) -> Draft {
    let (format, body) = match kind {
        Kind::Notification | Kind::Suspend | Kind::Restore => {
            (Some(FormatRef { number: 1, edition: 1 }), Value::Array(vec![]))
        }
        Kind::Note => (None, Value::Array(vec!["en".into(), "hello".into()])),
        Kind::Ratify => {
            let body = RatifyBody { edition: 1, charter: Hash(CHANNEL.0), previous: None };
            (None, body.value())
        }
        _ => (None, Value::Null),
    };
    let references = if kind.refers_to_one() { vec![at(0, 0)] } else { vec![] };
    let statement = Statement {
        kind,
        edition: 1,
        drafted: Timestamp::from_millis(1_000_000),
        valid_minutes: 60,
        nonce: [1; 8],
        precedence: Precedence::Routine,
        format,
        references,
        body,
        extras: Extras::default(),
        attachments: vec![],
        drafter: 1,
    };
    let placement =
        Placement { number: 1, delay: 5, seen: Seen::default(), check: None, proof: Hash([2; 32]) };
    Draft(SpokenEntry { statement, placement })
}

impl Draft {
    fn with(mut self, change: impl FnOnce(&mut SpokenEntry)) -> Self {
        change(&mut self.0);
        self
    }
    fn edition(self, edition: u32) -> Self {
        self.with(|entry| entry.statement.edition = edition)
    }
    fn seen(self, seen: Seen) -> Self {
        self.with(|entry| {
            entry.placement.check = (!seen.0.is_empty()).then_some([7; 8]);
            entry.placement.seen = seen;
        })
    }
    fn refers(self, references: Vec<WireReference>) -> Self {
        self.with(|entry| entry.statement.references = references)
    }
    fn precedence(self, precedence: Precedence) -> Self {
        self.with(|entry| entry.statement.precedence = precedence)
    }
    fn entry(self) -> Entry {
        Entry::Spoken(self.0)
    }
}

fn a() -> LogKey {
    log(1, Lane::Ordinary, 1)
}
fn b() -> LogKey {
    log(2, Lane::Ordinary, 1)
}

#[test]
fn good_entries_of_every_kind_are_valid() {
    let mut world = World::open();
    let emergency = log(1, Lane::Emergency, 1);
    let exercise = log(1, Lane::Exercise, 1);
    for kind in [Kind::Notification, Kind::Note, Kind::Dialogue, Kind::Declaration, Kind::Correct] {
        world.valid(a(), &spoken(kind).entry());
        world.valid(emergency, &spoken(kind).precedence(Precedence::Flash).entry());
        world.valid(exercise, &spoken(kind).precedence(Precedence::Flash).entry());
    }
    for kind in Kind::ALL.into_iter().filter(|kind| kind.is_answer()) {
        world.valid(a(), &spoken(kind).entry());
        world.valid(emergency, &spoken(kind).entry());
        world.valid(exercise, &spoken(kind).entry());
    }
    let seen = Seen::default;
    let peer = world.judges[&a()].table().ordinal(&b()).unwrap();
    world.valid(a(), &machine(seen(), Payload::Opened(at(peer, 0))));
    world.valid(a(), &machine(seen(), Payload::TestAnswer(at(0, 0))));
    world.valid(
        a(),
        &machine(seen(), Payload::Key(KeyPayload { kem: Box::new([1; 1216]), house_root: None })),
    );
    let moment = Timestamp::from_millis(-3);
    world.valid(a(), &machine(seen(), Payload::Clock { before: moment, after: moment }));
    world.valid(a(), &spoken(Kind::Suspend).entry());
    world.valid(a(), &spoken(Kind::Restore).entry());
    world.valid(a(), &spoken(Kind::Close).entry());
}

#[test]
fn size() {
    let mut world = World::open();
    let long = |length: usize| {
        let note = Value::Array(vec!["en".into(), Value::Text("x".repeat(length))]);
        spoken(Kind::Note).precedence(Precedence::Flash).with(|entry| entry.statement.body = note).entry()
    };
    let fits = (0..1_024).rev().map(long).find(|entry| entry.encode().len() == 1_024).unwrap();
    world.valid(log(1, Lane::Emergency, 1), &fits);
    world.void(log(1, Lane::Emergency, 1), &long(1_024), Clause::Size);
    let exercise = long(1_024);
    world.valid(log(1, Lane::Exercise, 1), &exercise);
}

#[test]
fn cbor() {
    let mut world = World::open();
    let good = spoken(Kind::Note).entry().encode();
    let mut trailing = good.clone();
    trailing.push(0);
    let mut version = good.clone();
    version[0] = 2;
    // The kind 1 written in two bytes.
    let mut longer = vec![1, good[1], 0x18, 1];
    longer.extend_from_slice(&good[3..]);
    for bytes in
        [&trailing[..], &version, &longer, &good[..good.len() - 1], &[], &[1], &[1, 0x80], &[1, 0x81, 0xf6]]
    {
        assert_eq!(world.put_bytes(a(), bytes), Verdict::Void(Clause::Cbor), "{bytes:02x?}");
    }
    assert_eq!(world.put_bytes(a(), &good), Verdict::Valid);
}

#[test]
fn shape() {
    let mut world = World::open();
    let bad: [fn(&mut SpokenEntry); 12] = [
        |entry| entry.statement.valid_minutes = 0,
        |entry| entry.statement.valid_minutes = 1_441,
        |entry| entry.statement.drafted = Timestamp::from_millis(-1),
        |entry| entry.statement.body = Value::Null,
        |entry| entry.statement.body = Value::Array(vec![1u64.into(), "x".into()]),
        |entry| entry.statement.references = vec![at(0, 0); 17],
        |entry| entry.statement.attachments = vec![Hash([0; 32]); 17],
        |entry| entry.statement.extras.to = vec![PartyIndex(1), PartyIndex(0)],
        |entry| entry.statement.extras.subject = Some(String::new()),
        |entry| entry.placement.number = 0,
        |entry| entry.placement.delay = (1 << 40) + 1,
        |entry| entry.placement.check = Some([0; 8]),
    ];
    for (number, change) in bad.into_iter().enumerate() {
        let entry = spoken(Kind::Note).with(change).entry();
        assert_eq!(world.put(a(), &entry), Verdict::Void(Clause::Shape), "change {number}");
    }
    world.void(
        a(),
        &spoken(Kind::Notification).with(|entry| entry.statement.format = None).entry(),
        Clause::Shape,
    );
    // One element too few: 17 of a spoken entry.
    assert_eq!(world.put_bytes(a(), &[1, 0x82, 1, 1]), Verdict::Void(Clause::Shape));
}

#[test]
fn generation_entry_stands_first_and_only_there() {
    let mut world = World::open();
    world.void(a(), &generation(&[]), Clause::Generation);
    world.void(log(1, Lane::Ordinary, 7), &spoken(Kind::Note).entry(), Clause::Generation);
    assert_eq!(world.judges[&log(1, Lane::Ordinary, 7)].table().iter().count(), 0);
}

#[test]
fn lane() {
    let mut world = World::open();
    let (ordinary, emergency) = (a(), log(1, Lane::Emergency, 1));
    world.void(ordinary, &spoken(Kind::Note).precedence(Precedence::Immediate).entry(), Clause::Lane);
    world.void(emergency, &spoken(Kind::Note).precedence(Precedence::Priority).entry(), Clause::Lane);
    world.void(emergency, &spoken(Kind::Suspend).entry(), Clause::Lane);
    world.void(log(1, Lane::Exercise, 1), &spoken(Kind::Close).entry(), Clause::Lane);
    world.void(emergency, &machine(Seen::default(), Payload::Test([0; 8])), Clause::Lane);
}

#[test]
fn seen() {
    let mut world = World::open();
    let item = |log, size| SeenItem { log, size };
    let size = world.judges[&a()].table().size(&b());
    let known = world.judges[&a()].table().ordinal(&b()).unwrap();
    let mut bad = vec![
        Seen(vec![item(SeenLog::Known(0), 99)]),
        Seen(vec![item(SeenLog::Known(77), 1)]),
        Seen(vec![item(SeenLog::Known(known), size)]),
        Seen(vec![item(SeenLog::Known(2), 99), item(SeenLog::Known(1), 99)]),
    ];
    let new = |party, run| {
        let generation = Generation { number: 1, run: Run([run; 8]) };
        SeenLog::New(crate::seen::LogDescription {
            party: PartyIndex(party),
            lane: Lane::Ordinary,
            generation,
        })
    };
    bad.push(Seen(vec![item(new(1, 1), 99)]));
    bad.push(Seen(vec![item(new(0, 1), 99)]));
    bad.push(Seen(vec![item(new(2, 5), 1)]));
    bad.push(Seen(vec![item(new(1, 6), 1), item(new(1, 5), 1)]));
    bad.push(Seen(vec![item(new(1, 5), 1), item(new(1, 5), 1)]));
    bad.push(Seen(vec![item(new(1, 5), 1), item(SeenLog::Known(known), 99)]));
    for seen in bad {
        let text = format!("{seen:?}");
        assert_eq!(
            world.put(a(), &spoken(Kind::Note).seen(seen).entry()),
            Verdict::Void(Clause::Seen),
            "{text}"
        );
    }
    assert_eq!(world.judges[&a()].table().size(&b()), size, "a void `seen` changes nothing");
    world.valid(a(), &spoken(Kind::Note).seen(Seen(vec![item(SeenLog::Known(known), 1 << 30)])).entry());
    let own = generation(&[(9, 1)]);
    world.void(log(1, Lane::Ordinary, 9), &own, Clause::Seen);
}

#[test]
fn reference() {
    let mut world = World::open();
    let table = world.judges[&a()].table();
    let (peer, size) = (table.ordinal(&b()).unwrap(), table.size(&b()));
    let emergency = table.ordinal(&log(2, Lane::Emergency, 1)).unwrap();
    let own = world.judges[&a()].index();
    world.valid(a(), &spoken(Kind::Note).refers(vec![at(peer, size - 1), at(0, own - 1)]).entry());
    world.valid(a(), &spoken(Kind::Note).refers(vec![elsewhere(OTHER_CHANNEL, b())]).entry());
    let own = own + 2;
    for (kind, references) in [
        (Kind::Note, vec![at(77, 0)]),
        (Kind::Note, vec![at(peer, size)]),
        (Kind::Note, vec![at(0, own + 99)]),
        (Kind::Note, vec![at(emergency, 0)]),
        (Kind::Note, vec![elsewhere(CHANNEL, b())]),
        (Kind::Note, vec![elsewhere(OTHER_CHANNEL, log(2, Lane::Exercise, 1))]),
        (Kind::Accept, vec![]),
        (Kind::Accept, vec![at(peer, 0), at(peer, 0)]),
        (Kind::Suspend, vec![at(peer, 0)]),
        (Kind::Withdraw, vec![at(peer, 0)]),
        (Kind::Correct, vec![at(peer, 0)]),
    ] {
        let text = format!("{kind:?} {references:?}");
        let entry = spoken(kind).refers(references).entry();
        assert_eq!(world.put(a(), &entry), Verdict::Void(Clause::Reference), "{text}");
    }
    world.void(a(), &machine(Seen::default(), Payload::Opened(at(peer, size))), Clause::Reference);
    let supersedes = spoken(Kind::Note).with(|entry| entry.statement.extras.supersedes = Some(at(77, 0)));
    world.void(a(), &supersedes.entry(), Clause::Reference);
}

#[test]
fn to() {
    let mut world = World::of(3);
    let to = |parties: &[u8]| {
        let parties = parties.iter().map(|party| PartyIndex(*party)).collect();
        spoken(Kind::Note).with(|entry| entry.statement.extras.to = parties).entry()
    };
    // No edition is in force, so a good address is void by the later clause `edition`.
    world.void(a(), &to(&[2]), Clause::Edition);
    for bad in [&[0][..], &[3], &[1, 2]] {
        world.void(a(), &to(bad), Clause::To);
    }
}

#[test]
fn expired() {
    let mut world = World::open();
    world.valid(a(), &spoken(Kind::Note).with(|entry| entry.placement.delay = 3_600_000).entry());
    world.void(
        a(),
        &spoken(Kind::Note).with(|entry| entry.placement.delay = 3_600_001).entry(),
        Clause::Expired,
    );
}

#[test]
fn edition() {
    let mut world = World::of(2);
    world.void(a(), &spoken(Kind::Note).entry(), Clause::Edition);
    world.void(a(), &spoken(Kind::Note).edition(0).entry(), Clause::Edition);
    world.valid(a(), &machine(Seen::default(), Payload::Test([0; 8])));
    world.valid(a(), &spoken(Kind::Ratify).edition(0).entry());
    world.valid(b(), &spoken(Kind::Ratify).edition(0).entry());
    // Ratified by both, but this log has not seen it.
    world.void(a(), &spoken(Kind::Note).entry(), Clause::Edition);
    let seen = world.seen(a());
    world.valid(a(), &spoken(Kind::Note).seen(seen).entry());
    world.void(a(), &spoken(Kind::Note).edition(2).entry(), Clause::Edition);
}

#[test]
fn ratify() {
    let mut world = World::open();
    let body =
        |edition, text, previous: Option<Hash>| RatifyBody { edition, charter: Hash([text; 32]), previous };
    let ratify = |body: RatifyBody| spoken(Kind::Ratify).with(|entry| entry.statement.body = body.value());
    let first = Some(Hash(CHANNEL.0));
    world.void(a(), &ratify(body(3, 5, first)).entry(), Clause::Ratify);
    world.void(a(), &ratify(body(1, 9, None)).entry(), Clause::Ratify);
    world.void(a(), &ratify(body(2, 5, None)).entry(), Clause::Ratify);
    world.void(a(), &ratify(body(2, 5, Some(Hash([1; 32])))).entry(), Clause::Ratify);
    world.valid(a(), &ratify(body(2, 5, first)).entry());
    world.void(a(), &ratify(body(2, 5, first)).entry(), Clause::Ratify);
    // The other party ratifies another text under the same number: it is spent, and 3 is next.
    world.valid(b(), &ratify(body(2, 6, first)).entry());
    world.look(a());
    assert_eq!(world.judges[&a()].standing_now(&world.acts).edition, 1);
    world.valid(a(), &ratify(body(3, 7, first)).entry());
    world.look(b());
    world.valid(b(), &ratify(body(3, 7, first)).entry());
    assert_eq!(world.judges[&b()].standing_now(&world.acts).edition, 3);
    world.void(b(), &spoken(Kind::Note).entry(), Clause::Edition);
    world.valid(b(), &spoken(Kind::Note).edition(3).entry());

    let mut fresh = World::of(2);
    let wrong = body(1, 5, None);
    fresh.void(a(), &ratify(wrong).edition(0).entry(), Clause::Ratify);
}

#[test]
fn suspended() {
    let mut world = World::open();
    world.valid(b(), &spoken(Kind::Suspend).entry());
    world.void(b(), &spoken(Kind::Note).entry(), Clause::Suspended);
    // What crossed it stays valid; from the first entry that has seen it, messages are void.
    world.valid(a(), &spoken(Kind::Note).entry());
    let seen = world.seen(a());
    world.void(a(), &spoken(Kind::Note).seen(seen).entry(), Clause::Suspended);
    world.void(a(), &spoken(Kind::Correct).entry(), Clause::Suspended);
    world.valid(a(), &spoken(Kind::Acknowledgement).entry());
    world.valid(a(), &spoken(Kind::Withdraw).entry());
    world.valid(a(), &machine(Seen::default(), Payload::Test([0; 8])));
    let (emergency, exercise) = (log(1, Lane::Emergency, 1), log(1, Lane::Exercise, 1));
    world.look(emergency);
    world.valid(emergency, &spoken(Kind::Note).precedence(Precedence::Flash).entry());
    world.valid(exercise, &spoken(Kind::Note).entry());
    world.look(exercise);
    world.void(exercise, &spoken(Kind::Note).entry(), Clause::Suspended);
    // Lifted by its author, for those who have seen that.
    world.valid(b(), &spoken(Kind::Restore).entry());
    world.valid(b(), &spoken(Kind::Note).entry());
    world.void(a(), &spoken(Kind::Note).entry(), Clause::Suspended);
    world.look(a());
    world.valid(a(), &spoken(Kind::Note).entry());
}

#[test]
fn restore() {
    let mut world = World::open();
    world.void(a(), &spoken(Kind::Restore).entry(), Clause::Restore);
    world.valid(b(), &spoken(Kind::Suspend).entry());
    world.look(a());
    // A suspension is lifted by its author alone.
    world.void(a(), &spoken(Kind::Restore).entry(), Clause::Restore);
    // A later suspension is not lifted by a restore that had not seen it.
    let second = log(2, Lane::Ordinary, 2);
    world.valid(second, &generation(&[]));
    world.look(second);
    world.valid(second, &spoken(Kind::Suspend).entry());
    world.valid(b(), &spoken(Kind::Restore).entry());
    world.look(a());
    world.void(a(), &spoken(Kind::Note).entry(), Clause::Suspended);
}

#[test]
fn closed() {
    let mut world = World::open();
    world.valid(b(), &spoken(Kind::Close).entry());
    world.void(b(), &spoken(Kind::Note).entry(), Clause::Closed);
    world.valid(a(), &spoken(Kind::Note).entry());
    let seen = world.seen(a());
    world.void(a(), &spoken(Kind::Accept).seen(seen).entry(), Clause::Closed);
    world.valid(a(), &spoken(Kind::Acknowledgement).entry());
    world.valid(a(), &machine(Seen::default(), Payload::Opened(at(0, 0))));
    world.void(a(), &machine(Seen::default(), Payload::Test([0; 8])), Clause::Closed);
    let size = world.judges[&a()].index();
    world.valid(log(1, Lane::Ordinary, 2), &generation(&[(1, size)]));
    let emergency = log(1, Lane::Emergency, 1);
    let seen = world.seen(emergency);
    world.void(
        emergency,
        &spoken(Kind::Note).precedence(Precedence::Flash).seen(seen).entry(),
        Clause::Closed,
    );
}

#[test]
fn what_is_not_yet_understood_is_no_fault_and_keeps_ordinals_known() {
    let mut world = World::open();
    assert_eq!(world.put_bytes(a(), &[1, 0x81, 0x18, 39]), Verdict::NotYetUnderstood);
    assert_eq!(world.put_bytes(a(), &[1, 0x81, 20]), Verdict::NotYetUnderstood);
    assert_eq!(world.put_bytes(a(), &[1, 0x81, 0x20]), Verdict::NotYetUnderstood);
    // A probe of a later version that lists a new log.
    world.valid(log(2, Lane::Ordinary, 2), &generation(&[]));
    let seen = world.seen(a());
    let mut bytes = machine(seen, Payload::Test([0; 8])).encode();
    assert_eq!(&bytes[..4], &[1, 0x85, 0x18, 36]);
    bytes[3] = 39;
    assert_eq!(world.put_bytes(a(), &bytes), Verdict::NotYetUnderstood);
    assert!(world.judges[&a()].table().ordinal(&log(2, Lane::Ordinary, 2)).is_some());
    // An extra of a later version.
    let entry = spoken(Kind::Note).with(|entry| entry.statement.extras.confidential = true).entry();
    let mut bytes = entry.encode();
    let place = bytes.windows(3).position(|part| part == [0xa1, 5, 0xf5]).unwrap();
    bytes[place + 1] = 9;
    assert_eq!(world.put_bytes(a(), &bytes), Verdict::NotYetUnderstood);
    bytes[place + 1] = 0x60;
    assert_eq!(world.put_bytes(a(), &bytes), Verdict::Void(Clause::Shape));
}

#[test]
fn a_generation_inherits_the_table_of_the_first_log_it_names_or_waits() {
    let mut world = World::open();
    let second = log(1, Lane::Ordinary, 2);
    let size = world.judges[&a()].index();
    assert_eq!(world.put(second, &generation(&[(1, size + 1)])), Verdict::Waiting);
    world.valid(second, &generation(&[(1, size)]));
    let (old, new) = (world.judges[&a()].table().clone(), world.judges[&second].table());
    for (other, _) in old.iter() {
        assert_eq!(old.ordinal(other), new.ordinal(other));
    }
    assert_eq!(new.size(&a()), size);
    assert_eq!(new.ordinal(&a()), Some(old.iter().count() as u64 + 1));
    // The edition in force and the own acts before are known through it.
    world.valid(second, &spoken(Kind::Note).entry());
}

#[test]
fn a_restatement_by_full_names_is_what_officers_signed() {
    let world = World::open();
    let table = world.judges[&a()].table();
    let reference =
        Reference { channel: CHANNEL, entry: EntryId { log: b(), index: 1 }, leaf: Hash([4; 32]) };
    let signed =
        Statement { references: vec![reference], ..spoken(Kind::Note).0.statement.resolve(table).unwrap() };
    let placed = signed.place(table, spoken(Kind::Note).0.placement).unwrap();
    assert_eq!(placed.statement.references[0].log, LogRef::Ordinal(table.ordinal(&b()).unwrap()));
    assert_eq!(placed.statement.resolve(table), Some(signed));
}
