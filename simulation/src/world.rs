//! The world: one queue of things that happen, in the order of virtual time.

mod events;
mod plan;

use std::collections::{BTreeMap, BinaryHeap, VecDeque};

use detente_crypto::{Hash, SUITE_0, SUITE_1, Suite, sha256};
use detente_encoding::cbor::Value;
use detente_protocol::channel::{Danger, Output, Released, Ticket};
use detente_protocol::charter::Charter;
use detente_protocol::entry::{Kind, RatifyBody, Reference};
use detente_protocol::names::{Lane, PartyIndex, Precedence};
use detente_protocol::release::{Proof, Verdict as ReleaseVerdict, satisfies};
use detente_protocol::sealing::Epoch;

use crate::checks::{Checker, Violation};
use crate::liar::{Liar, Lie};
use crate::officers;
use crate::party::{Party, Plant};
use crate::{Profile, Random, Report, Weather};

/// Milliseconds of a day.
const DAY_MS: u64 = 86_400_000;
/// After the last fault everything has this long to heal before the last checks.
const HEAL_MS: u64 = 3_600_000;
/// Events kept for the report of a violation.
const LAST_EVENTS: usize = 20;
/// A Flash with nothing in its way is at the other side after this long, also under loss.
const LATE_FLASH_MS: u64 = 60_000;
/// Decisions to send something, a day.
const NOTES_A_DAY: u64 = 80;

/// Something that happens at a moment to a party.
#[derive(Debug)]
pub(crate) enum Happening {
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
    /// A copy of the disk is taken; the disk dies and the copy is put back.
    Backup,
    Restore,
    /// The liar acts.
    Lie(Lie),
    /// Two signed histories must be known to everybody by now.
    MustBeAccused,
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
    pub(crate) random: Random,
    pub(crate) profile: Profile,
    weather: Weather,
    charter: Charter,
    pub(crate) public: BTreeMap<detente_protocol::names::PartyId, detente_protocol::channel::PartyKeys>,
    pub(crate) parties: Vec<Party>,
    links: BTreeMap<(usize, usize), Link>,
    queue: BinaryHeap<Queued>,
    sequence: u64,
    pub(crate) now_ms: u64,
    faults_end_ms: u64,
    pub(crate) checker: Checker,
    pub(crate) liar: Option<Liar>,
    pub(crate) liar_index: Option<usize>,
    pub(crate) forked: bool,
    recorded: Vec<Vec<u8>>,
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
        let weather = profile.weather.of(seed);
        let few = profile.real_cryptography && !random.one_in(4);
        let rare = if profile.weather == Weather::Liar { 3 } else { 8 };
        let count = if random.one_in(rare) && !few { 3 + u64::from(random.one_in(4)) } else { 2 };
        let mut parties: Vec<Party> = (0..count).map(|_| Party::new(suite, &mut random)).collect();
        parties.sort_by_key(|party| party.id);
        let public: BTreeMap<_, _> = parties.iter().map(|party| (party.id, party.public(suite))).collect();
        let charter = plan::charter(&parties, &mut random);
        let mut links = BTreeMap::new();
        for from in 0..parties.len() {
            for to in (0..parties.len()).filter(|to| *to != from) {
                let loss_in = [u64::MAX, 20, 5][usize::try_from(random.below(3)).expect("below 3")];
                let (delay_ms, jitter_ms) = (random.between(1, 300), random.between(0, 200));
                let stormy = Link { delay_ms, jitter_ms, loss_in, repeat_in: 30, damage_in: 100, up: true };
                let link = match weather {
                    Weather::Quiet => {
                        Link { loss_in: u64::MAX, repeat_in: u64::MAX, damage_in: u64::MAX, ..stormy }
                    }
                    Weather::Narrow => Link { delay_ms: 4_000, jitter_ms: 6_000, loss_in: 2, ..stormy },
                    _ => stormy,
                };
                links.insert((from, to), link);
            }
        }
        let ticks = vec![0; parties.len()];
        let faults_end_ms = profile.days * DAY_MS;
        let liar_index = (weather == Weather::Liar).then_some(0);
        let liar = liar_index.map(|index: usize| {
            let ids = parties.iter().map(|party| party.id).collect();
            let Party { id, secrets, own_epoch, .. } = &parties[index];
            Liar::new(suite, charter.channel_id(), ids, *id, (&secrets.node, *own_epoch), &mut random)
        });
        let mut world = Self {
            suite,
            random,
            weather,
            liar,
            liar_index,
            forked: false,
            recorded: Vec::new(),
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

    pub(crate) fn happen(&mut self, at: u64, party: usize, what: Happening) {
        self.sequence += 1;
        self.queue.push(Queued { at, sequence: self.sequence, party, what });
    }

    pub(crate) fn count(&mut self, name: &'static str) {
        *self.counts.entry(name).or_default() += 1;
    }

    pub(crate) fn note(&mut self, event: String) {
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
            self.look_at(next.party);
        }
        if self.violation.is_none() {
            self.violation =
                self.checker.at_the_end(&self.parties, self.liar_index, &self.charter, self.suite);
        }
        let expected = 50 * self.profile.days;
        if self.violation.is_none() && self.checker.acknowledged < expected {
            self.violation = Some(Violation::TooQuiet(self.checker.acknowledged));
        }
    }

    /// What can be seen of a party after each step: its record only grows, its memory is bounded.
    fn look_at(&mut self, party: usize) {
        let node = &self.parties[party];
        if node.disk.overwritten {
            let id = node.id;
            return self.violate(Violation::RecordOverwritten(id));
        }
        if self.sequence.is_multiple_of(64)
            && let Some(channel) = &node.channel
            && let Some((what, ..)) = channel.danger_bounds().into_iter().find(|(_, size, most)| size > most)
        {
            self.violate(Violation::Unbounded(what));
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
            Happening::Backup => self.backup(party),
            Happening::Restore => self.restore(party),
            Happening::Lie(lie) => self.lie(party, lie),
            Happening::MustBeAccused => {
                if let Some(violation) = self.must_be_accused() {
                    self.violate(violation);
                }
            }
            Happening::Cut(other) => {
                self.disturb(party, other);
                self.count("fault: link cut one way");
                self.links.get_mut(&(party, other)).expect("all links exist").up = false;
            }
            Happening::Heal(other) => {
                self.disturb(party, other);
                self.links.get_mut(&(party, other)).expect("all links exist").up = true;
                let index = self.index(other);
                let now = self.parties[party].now(self.now_ms);
                let Party { channel: Some(channel), disk, .. } = &mut self.parties[party] else { return };
                let result = channel.path_up(now, index, disk);
                self.check_record(result.err());
            }
            Happening::ClockStep(ms) => {
                self.count("fault: clock step of years");
                let node = &mut self.parties[party];
                node.clock_error_ms += ms;
                node.clock_least_ms = node.clock_least_ms.min(node.clock_error_ms);
            }
        }
        self.drain(party);
    }

    fn disturb(&mut self, party: usize, other: usize) {
        self.parties[party].disturbed_ms = self.now_ms;
        self.parties[other].disturbed_ms = self.now_ms;
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
        let plant = self.profile.plant;
        self.parties[party].start(*suite, charter, public, *now_ms, random, plant);
        self.parties[party].disturbed_ms = *now_ms;
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
        let id = self.parties[party].id;
        let hash = released.statement.hash(self.charter.channel_id(), id, released.lane);
        let roster = self.parties[party].roster(self.suite);
        let proof = Proof::decode(&released.proof).expect("made here");
        let verdict = satisfies(&proof, &hash, &released.statement, &roster, &self.charter, self.suite);
        if !matches!(verdict, ReleaseVerdict::Satisfied { .. }) {
            self.violate(Violation::NotReleased(format!("a statement of {id}")));
        }
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
        // A client that got no answer offers the same statement again.
        if self.random.one_in(8)
            && let Some((statement, lane)) = self.parties[party].last_sent.clone()
        {
            self.count("statement offered again");
            self.enter(party, officers::Decision { statement, lane });
        }
        let long = self.profile.plant == Some(Plant::Channel(Danger::LongEmergency));
        let decision = officers::note(&self.parties[party], self.now_ms, &mut self.random, long);
        self.parties[party].last_sent = Some((decision.statement.clone(), decision.lane));
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
            let silent = self.profile.plant == Some(Plant::AcknowledgedWithoutLeaf);
            let cited = if silent { Hash([0; 32]) } else { Hash(leaf) };
            let reference = Reference { channel: self.charter.channel_id(), entry, leaf: cited };
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

    fn sync(&mut self, party: usize) {
        if self.parties[party].channel.is_none() || !self.parties[party].disk.has_waiting() {
            return;
        }
        // A crash at the sync itself, now and then: the group is on the disk, or not.
        let one_in = match self.weather {
            Weather::Quiet => u64::MAX,
            Weather::PowerCuts => 60,
            _ => 400,
        };
        if self.now_ms < self.faults_end_ms && self.random.one_in(one_in) {
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
                let index = self.parties.iter().position(|party| party.id == of).expect("of the channel");
                if epoch.name() != Epoch::new(self.suite, self.parties[index].own_epoch).name() {
                    self.violate(Violation::ForgedEpoch(of));
                }
                self.parties[party].peer_epochs.entry(of).or_default().push(epoch);
                self.completed(party, vec![ticket]);
            }
            Output::Transmit { to, bytes, .. } => self.transmit(party, usize::from(to.0), bytes),
            Output::Event(event) => self.event(party, event),
        }
    }

    fn transmit(&mut self, from: usize, to: usize, bytes: Vec<u8>) {
        if let Some(violation) = self.checker.sent(from, self.parties[from].id, &bytes) {
            self.violate(violation);
        }
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
        if faulty && self.weather != Weather::Quiet && self.random.one_in(100) {
            self.replay(&bytes);
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

    /// Somebody on the way keeps what passes and sends it again, later and to anybody.
    fn replay(&mut self, bytes: &[u8]) {
        if self.recorded.len() < 64 {
            self.recorded.push(bytes.to_vec());
        }
        let which = usize::try_from(self.random.below(self.recorded.len() as u64)).expect("an index");
        let to = usize::try_from(self.random.below(self.parties.len() as u64)).expect("an index");
        let old = std::mem::replace(&mut self.recorded[which], bytes.to_vec());
        self.count("fault: replayed to anybody");
        let at = self.now_ms + self.random.between(1, 600_000);
        self.happen(at, to, Happening::Deliver(old));
    }
}
