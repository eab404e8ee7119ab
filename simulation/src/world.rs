//! The world: one queue of things that happen, in the order of virtual time.

use std::collections::{BTreeMap, BinaryHeap, VecDeque};

use detente_crypto::{Hash, SUITE_0, SUITE_1, Suite, sha256};
use detente_encoding::cbor::Value;
use detente_protocol::channel::{Event, Output, Released, Ticket};
use detente_protocol::charter::{Charter, Level, Proofs};
use detente_protocol::entry::{Entry, Kind, RatifyBody, Reference};
use detente_protocol::judge::Verdict;
use detente_protocol::names::{EntryId, Lane, PartyIndex, Precedence};

use crate::checks::{Checker, Violation, name};
use crate::officers;
use crate::party::{Party, Plant};
use crate::{Profile, Random, Report};

/// Milliseconds of a day.
const DAY_MS: u64 = 86_400_000;
/// After the last fault everything has this long to heal before the last checks.
const HEAL_MS: u64 = 3_600_000;
/// Events kept for the report of a violation.
const LAST_EVENTS: usize = 20;
/// Decisions to send something, a day and party.
const NOTES_A_DAY: u64 = 40;

/// Something that happens at a moment to a party.
#[derive(Debug)]
enum Happening {
    /// Bytes arrive.
    Deliver(Vec<u8>),
    /// The disk of this party syncs.
    Sync,
    /// Something of the channel is due.
    Tick(u64),
    /// An officer sends something.
    Send,
    /// An officer looks at the watch and acknowledges what is due.
    Acknowledge,
    /// The node loses power.
    Crash,
    /// The node starts.
    Start,
    /// A link from this party to another goes down or comes up.
    Cut(usize),
    Heal(usize),
    /// The wall clock steps.
    ClockStep(i64),
}

struct Queued {
    at: u64,
    sequence: u64,
    party: usize,
    what: Happening,
}

impl PartialEq for Queued {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.sequence) == (other.at, other.sequence)
    }
}
impl Eq for Queued {}
impl PartialOrd for Queued {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Queued {
    /// The earliest first: the heap gives the greatest.
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (other.at, other.sequence).cmp(&(self.at, self.sequence))
    }
}

/// How a link treats what is sent over it.
#[derive(Clone, Copy, Debug)]
struct Link {
    delay_ms: u64,
    jitter_ms: u64,
    loss_in: u64,
    repeat_in: u64,
    damage_in: u64,
    up: bool,
}

pub(crate) struct World {
    suite: &'static dyn Suite,
    random: Random,
    profile: Profile,
    charter: Charter,
    public: BTreeMap<detente_protocol::names::PartyId, detente_protocol::channel::PartyKeys>,
    parties: Vec<Party>,
    links: BTreeMap<(usize, usize), Link>,
    queue: BinaryHeap<Queued>,
    sequence: u64,
    now_ms: u64,
    faults_end_ms: u64,
    checker: Checker,
    counts: BTreeMap<&'static str, u64>,
    trace: Hash,
    last_events: VecDeque<String>,
    violation: Option<Violation>,
    ticks: Vec<u64>,
}

/// Plays one world to its end or its first violation.
#[must_use]
pub fn simulate(seed: u64, profile: &Profile) -> Report {
    let mut world = World::new(seed, profile);
    world.play();
    Report {
        seed,
        trace: world.trace.0,
        counts: world.counts,
        violation: world.violation,
        last_events: world.last_events.into(),
    }
}

impl World {
    fn new(seed: u64, profile: &Profile) -> Self {
        let mut random = Random::new(seed);
        let suite = if profile.real_cryptography { SUITE_1 } else { SUITE_0 };
        let count = if random.one_in(3) { random.between(3, 4) } else { 2 };
        let mut parties: Vec<Party> = (0..count).map(|_| Party::new(suite, &mut random)).collect();
        parties.sort_by_key(|party| party.id);
        let public: BTreeMap<_, _> = parties.iter().map(|party| (party.id, party.public(suite))).collect();
        let charter = charter(&parties, &mut random);
        let mut links = BTreeMap::new();
        for from in 0..parties.len() {
            for to in (0..parties.len()).filter(|to| *to != from) {
                let link = Link {
                    delay_ms: random.between(1, 300),
                    jitter_ms: random.between(0, 200),
                    loss_in: [u64::MAX, 20, 5][usize::try_from(random.below(3)).expect("below 3")],
                    repeat_in: 30,
                    damage_in: 100,
                    up: true,
                };
                links.insert((from, to), link);
            }
        }
        let ticks = vec![0; parties.len()];
        let faults_end_ms = profile.days * DAY_MS;
        let mut world = Self {
            suite,
            random,
            profile: profile.clone(),
            charter,
            public,
            parties,
            links,
            queue: BinaryHeap::new(),
            sequence: 0,
            now_ms: 0,
            faults_end_ms,
            checker: Checker::default(),
            counts: BTreeMap::new(),
            trace: sha256(&[&seed.to_be_bytes()]),
            last_events: VecDeque::new(),
            violation: None,
            ticks,
        };
        world.plan();
        world
    }

    /// Lays out what will happen by itself: starts, officers, faults.
    fn plan(&mut self) {
        for party in 0..self.parties.len() {
            let at = self.random.below(5_000);
            self.happen(at, party, Happening::Start);
            for _ in 0..NOTES_A_DAY * self.profile.days {
                let at = self.random.between(60_000, self.faults_end_ms);
                self.happen(at, party, Happening::Send);
            }
            for minute in 0..self.profile.days * 24 * 12 + 12 {
                self.happen(minute * 300_000 + 7_000, party, Happening::Acknowledge);
            }
            for _ in 0..self.random.between(1, 6) * self.profile.days {
                let at = self.random.between(120_000, self.faults_end_ms);
                self.happen(at, party, Happening::Crash);
            }
            for other in (0..self.parties.len()).filter(|other| *other != party) {
                for _ in 0..self.random.between(0, 4) * self.profile.days {
                    let at = self.random.between(60_000, self.faults_end_ms);
                    let long = self.random.between(1_000, 7_200_000);
                    self.happen(at, party, Happening::Cut(other));
                    self.happen((at + long).min(self.faults_end_ms), party, Happening::Heal(other));
                }
            }
            if self.random.one_in(4) {
                let at = self.random.between(60_000, self.faults_end_ms);
                let years = i64::try_from(self.random.between(1, 20)).expect("small") - 10;
                self.happen(at, party, Happening::ClockStep(years * 31_557_600_000));
            }
        }
    }

    fn happen(&mut self, at: u64, party: usize, what: Happening) {
        self.sequence += 1;
        self.queue.push(Queued { at, sequence: self.sequence, party, what });
    }

    fn count(&mut self, name: &'static str) {
        *self.counts.entry(name).or_default() += 1;
    }

    fn note(&mut self, event: String) {
        self.trace = sha256(&[&self.trace.0, &self.now_ms.to_be_bytes(), event.as_bytes()]);
        if self.last_events.len() == LAST_EVENTS {
            self.last_events.pop_front();
        }
        self.last_events.push_back(format!("{:>10} {event}", self.now_ms));
    }

    fn violate(&mut self, violation: Violation) {
        self.violation.get_or_insert(violation);
    }

    fn play(&mut self) {
        let end = self.faults_end_ms + HEAL_MS;
        while let Some(next) = self.queue.pop() {
            if next.at > end || self.violation.is_some() {
                break;
            }
            self.now_ms = next.at;
            self.step(next.party, next.what);
        }
        if self.violation.is_none() {
            self.violation = self.checker.at_the_end(&self.parties);
        }
        let expected = 50 * self.profile.days;
        if self.violation.is_none() && self.checker.acknowledged < expected {
            self.violation = Some(Violation::TooQuiet(self.checker.acknowledged));
        }
    }

    fn step(&mut self, party: usize, what: Happening) {
        match what {
            Happening::Deliver(bytes) => {
                let now = self.parties[party].now(self.now_ms);
                let Party { channel: Some(channel), disk, .. } = &mut self.parties[party] else { return };
                let result = channel.handle(now, &bytes, disk);
                self.check_record(result.err());
            }
            Happening::Sync => self.sync(party),
            Happening::Tick(due) => {
                if self.ticks[party] != due {
                    return;
                }
                self.ticks[party] = 0;
                let now = self.parties[party].now(self.now_ms);
                let Party { channel: Some(channel), disk, .. } = &mut self.parties[party] else { return };
                let result = channel.tick(now, disk);
                self.check_record(result.err());
            }
            Happening::Send => self.send(party),
            Happening::Acknowledge => self.acknowledge(party),
            Happening::Crash => self.crash(party),
            Happening::Start => self.start(party),
            Happening::Cut(other) => {
                self.count("fault: link cut one way");
                self.links.get_mut(&(party, other)).expect("all links exist").up = false;
            }
            Happening::Heal(other) => {
                self.links.get_mut(&(party, other)).expect("all links exist").up = true;
                let index = self.index(other);
                let now = self.parties[party].now(self.now_ms);
                let Party { channel: Some(channel), disk, .. } = &mut self.parties[party] else { return };
                let result = channel.path_up(now, index, disk);
                self.check_record(result.err());
            }
            Happening::ClockStep(ms) => {
                self.count("fault: clock step of years");
                self.parties[party].clock_error_ms += ms;
            }
        }
        self.drain(party);
    }

    fn check_record(&mut self, error: Option<detente_protocol::channel::RecordError>) {
        if let Some(error) = error {
            self.violate(Violation::Record(error.to_string()));
        }
    }

    fn index(&self, party: usize) -> PartyIndex {
        PartyIndex(u8::try_from(party).expect("few parties"))
    }

    fn start(&mut self, party: usize) {
        let Self { suite, charter, public, now_ms, random, .. } = self;
        if self.parties[party].channel.is_some() {
            return;
        }
        self.parties[party].start(*suite, charter, public, *now_ms, random);
        self.ticks[party] = 0;
        self.note(format!("party {party} starts run {}", self.parties[party].runs));
        self.ratify(party);
        for other in (0..self.parties.len()).filter(|other| *other != party) {
            let index = self.index(other);
            let now = self.parties[party].now(self.now_ms);
            let Party { channel: Some(channel), disk, .. } = &mut self.parties[party] else { return };
            let result = channel.path_up(now, index, disk);
            self.check_record(result.err());
        }
    }

    /// Ratifies edition 1 once: the same statement after a crash is the same act.
    fn ratify(&mut self, party: usize) {
        let body = RatifyBody { edition: 1, charter: self.charter.hash(), previous: None }.value();
        let mut fixed = Random::new(party as u64);
        let mut statement = officers::statement(
            &self.parties[party],
            self.now_ms,
            &mut fixed,
            Kind::Ratify,
            Precedence::Routine,
            body,
            Vec::new(),
        );
        statement.edition = 0;
        self.enter(party, officers::Decision { statement, lane: Lane::Ordinary });
    }

    fn enter(&mut self, party: usize, decision: officers::Decision) -> bool {
        let plant = self.profile.plant;
        let released: Released =
            self.parties[party].release(self.suite, &self.charter, decision.statement, decision.lane, plant);
        let now = self.parties[party].now(self.now_ms);
        let Party { channel: Some(channel), disk, .. } = &mut self.parties[party] else { return false };
        match channel.write(now, released, disk) {
            Ok(_) => true,
            Err(error) => {
                self.count("refused to enter");
                self.note(format!("party {party} refuses: {error}"));
                false
            }
        }
    }

    fn send(&mut self, party: usize) {
        if self.parties[party].channel.is_none() {
            return;
        }
        let decision = officers::note(&self.parties[party], self.now_ms, &mut self.random);
        if self.enter(party, decision) {
            self.count("sent");
        }
    }

    fn acknowledge(&mut self, party: usize) {
        if self.parties[party].channel.is_none() {
            return;
        }
        let now_ms = self.now_ms;
        let due: Vec<_> =
            self.parties[party].to_acknowledge.iter().take_while(|(at, ..)| *at <= now_ms).copied().collect();
        for item in due {
            let (_, entry, leaf) = item;
            let reference = Reference { channel: self.charter.channel_id(), entry, leaf: Hash(leaf) };
            let precedence = Precedence::Routine;
            let statement = officers::statement(
                &self.parties[party],
                self.now_ms,
                &mut self.random,
                Kind::Acknowledgement,
                precedence,
                Value::Null,
                vec![reference],
            );
            self.parties[party].to_acknowledge.remove(&item);
            // What a crash takes back before it is durable is still on the screen: look again.
            let again = self.now_ms + 900_000;
            self.parties[party].to_acknowledge.insert((again, entry, leaf));
            self.enter(party, officers::Decision { statement, lane: entry.log.lane });
        }
    }

    fn crash(&mut self, party: usize) {
        if self.parties[party].channel.is_none() {
            return;
        }
        let reached = self.random.one_in(2);
        if self.parties[party].disk.has_waiting() {
            self.count("fault: power cut with unsynced writes");
        }
        self.count("fault: crash");
        self.note(format!("party {party} crashes"));
        let node = &mut self.parties[party];
        node.channel = None;
        node.disk.power_cut(reached);
        let at = self.now_ms + self.random.between(500, 120_000);
        self.happen(at, party, Happening::Start);
    }

    fn sync(&mut self, party: usize) {
        if self.parties[party].channel.is_none() || !self.parties[party].disk.has_waiting() {
            return;
        }
        // A crash at the sync itself, now and then: the group is on the disk, or not.
        if self.now_ms < self.faults_end_ms && self.random.one_in(400) {
            self.count("fault: crash at a sync");
            return self.crash(party);
        }
        let tickets = self.parties[party].disk.sync();
        self.completed(party, tickets);
    }

    fn completed(&mut self, party: usize, tickets: Vec<Ticket>) {
        for ticket in tickets {
            let now = self.parties[party].now(self.now_ms);
            let Party { channel: Some(channel), disk, .. } = &mut self.parties[party] else { return };
            let result = channel.committed(now, ticket, disk);
            self.check_record(result.err());
        }
    }

    /// Does what the channel of `party` asks for, and plans its next deadline.
    fn drain(&mut self, party: usize) {
        loop {
            let now = self.parties[party].now(self.now_ms);
            let Party { channel: Some(channel), disk, .. } = &mut self.parties[party] else { return };
            match channel.poll(now, disk) {
                Ok(Some(output)) => self.output(party, output),
                Ok(None) => break,
                Err(error) => return self.violate(Violation::Record(error.to_string())),
            }
        }
        let Some(channel) = &self.parties[party].channel else { return };
        let due = self.parties[party].started_ms + channel.deadline().saturating_sub(1);
        let due = due.max(self.now_ms + 1);
        if self.ticks[party] == 0 || due < self.ticks[party] {
            self.ticks[party] = due;
            self.happen(due, party, Happening::Tick(due));
        }
    }

    fn output(&mut self, party: usize, output: Output) {
        match output {
            Output::Commit { ticket, rows } => {
                let first = !self.parties[party].disk.has_waiting();
                self.parties[party].disk.commit(ticket, rows);
                if self.profile.plant == Some(Plant::CosignBeforeSync) {
                    self.completed(party, vec![ticket]);
                }
                if first {
                    let at = self.now_ms + self.random.between(1, 20);
                    self.happen(at, party, Happening::Sync);
                }
            }
            Output::KeepEpoch { ticket, party: of, epoch } => {
                self.parties[party].peer_epochs.entry(of).or_default().push(epoch);
                self.completed(party, vec![ticket]);
            }
            Output::Transmit { to, bytes, .. } => self.transmit(party, usize::from(to.0), bytes),
            Output::Event(event) => self.event(party, event),
        }
    }

    fn transmit(&mut self, from: usize, to: usize, bytes: Vec<u8>) {
        let link = self.links[&(from, to)];
        let faulty = self.now_ms < self.faults_end_ms;
        if !link.up {
            self.count("fault: sent into a cut link");
            return;
        }
        if faulty && link.loss_in != u64::MAX && self.random.one_in(link.loss_in) {
            self.count("fault: lost");
            return;
        }
        let mut copies = 1;
        if faulty && self.random.one_in(link.repeat_in) {
            self.count("fault: repeated");
            copies = 2;
        }
        for _ in 0..copies {
            let mut bytes = bytes.clone();
            if faulty && self.random.one_in(link.damage_in) {
                self.count("fault: damaged");
                let at = usize::try_from(self.random.below(bytes.len() as u64)).expect("an index");
                bytes[at] ^= 1 << self.random.below(8);
            }
            let at = self.now_ms + link.delay_ms + self.random.between(0, link.jitter_ms);
            self.happen(at, to, Happening::Deliver(bytes));
        }
    }

    fn event(&mut self, party: usize, event: Event) {
        match event {
            Event::Entry { id, leaf, entry, judged, .. } => {
                self.note(format!("party {party} holds {} {:?}", name(&id), judged.verdict));
                let _ = entry;
                self.entry_shown(party, id, leaf, &judged.verdict, judged.entry.as_ref());
            }
            Event::Receipt { log, by, size, .. } => {
                self.count("receipt");
                let by = &self.parties[usize::from(by.0)];
                if let Some(violation) = self.checker.receipt(&self.parties, &log, by, size) {
                    self.violate(violation);
                }
            }
            Event::Equivocation { party: accused, .. } => {
                let id = self.parties[usize::from(accused.0)].id;
                self.violate(Violation::HonestAccused(id));
            }
            Event::CheckFailed { id } => self.violate(Violation::RecordsDiffer(name(&id))),
            Event::Blob { .. } => self.count("blob held"),
            Event::ReceiptContradicts { .. } => self.count("receipt contradicts"),
            Event::OwnLogBeyond { .. } => self.count("own log beyond"),
            Event::Signed { .. }
            | Event::Presence { .. }
            | Event::Flooding { .. }
            | Event::EpochEnded { .. } => {}
        }
    }

    fn entry_shown(
        &mut self,
        party: usize,
        id: EntryId,
        leaf: Hash,
        verdict: &Verdict,
        entry: Option<&Entry>,
    ) {
        if let Some(before) = self.parties[party].shown.insert(id, leaf)
            && before != leaf
        {
            return self.violate(Violation::ShownTwice(name(&id)));
        }
        let own = self.parties[party].id == id.log.party;
        if own {
            self.checker.entered.insert(id, leaf);
        }
        match verdict {
            Verdict::Valid => self.count("entry valid"),
            Verdict::Void(_) => self.count("entry void"),
            Verdict::NotYetUnderstood => self.count("entry not yet understood"),
            Verdict::Waiting => self.count("entry waiting"),
        }
        let Some(Entry::Spoken(spoken)) = entry else { return };
        if *verdict != Verdict::Valid {
            return;
        }
        let kind = spoken.statement.kind;
        if own && kind == Kind::Acknowledgement {
            let Some(Party { channel: Some(channel), .. }) = self.parties.get(party) else { return };
            let Some(taken) = channel.resolve(&id.log, &spoken.statement.references[0]) else { return };
            let taken = taken.entry;
            let node = &mut self.parties[party];
            node.to_acknowledge.retain(|(_, entry, _)| *entry != taken);
            if node.acknowledged.insert(taken) {
                self.count("acknowledged");
                self.checker.acknowledged += 1;
            }
        }
        if !own && kind.is_message() && !self.parties[party].acknowledged.contains(&id) {
            let at = self.now_ms + self.random.between(1_000, 600_000);
            let node = &mut self.parties[party];
            node.to_acknowledge.retain(|(_, entry, _)| *entry != id);
            node.to_acknowledge.insert((at, id, leaf.0));
        }
    }
}

fn charter(parties: &[Party], random: &mut Random) -> Charter {
    Charter {
        acknowledge_s: [28_800, 1_800, 600, 120],
        edition: 1,
        formats: None,
        kem_keep_days: 35,
        label: "Simulated".to_owned(),
        languages: vec!["en".to_owned(); parties.len()],
        level: Level::Military,
        parties: parties.iter().map(|party| party.id).collect(),
        previous: None,
        proofs: Proofs { precedences: vec![Precedence::Immediate, Precedence::Flash], formats: Vec::new() },
        random: random.bytes(),
        release_default: 2,
        release_duty: 1,
        silent_after_s: 2_592_000,
        subjects: vec!["tests".to_owned()],
        test_every_s: 3_600,
    }
}
