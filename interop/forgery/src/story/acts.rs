//! Acts that change the channel, its parties and its logs; and proofs of two histories.

use detente_crypto::{Hash, SUITE_1, sha256};
use detente_encoding::cbor::Value;
use detente_protocol::charter::Charter;
use detente_protocol::entry::{CredentialPayload, Kind, Payload, RatifyBody};
use detente_protocol::export::Object;
use detente_protocol::names::{Lane, LogKey, PartyIndex, Precedence};
use detente_protocol::release::Proof;
use detente_protocol::roster::{Roster, RosterChange};
use detente_protocol::statement::FormatRef;
use detente_transparency::{
    Checkpoint, Claim, Equivocation, Evidence, Extension, GenerationEntry, Head, KeyKind, LineEvidence, Name,
    consistency_proof, inclusion_proof,
};

use super::Story;
use crate::world::Signing;

const NOTHING: Hash = Hash([0; 32]);

impl Story {
    /// A channel act of a party, properly released.
    pub(crate) fn act(&mut self, place: usize, kind: Kind, edition: u32, body: Value) {
        let log = self.log(place, Lane::Ordinary);
        let mut statement = self.statement(kind, Precedence::Routine);
        statement.edition = edition;
        statement.drafter = 1;
        if matches!(kind, Kind::Suspend | Kind::Restore) {
            statement.format = Some(FormatRef { number: 11, edition: 1 });
        }
        statement.body = body;
        let kept = !self.dice.one_in(10);
        let signing = Signing { officers: vec![0, 1], flags: 5, full: false, true_hash: true, kept };
        if let Some((bytes, table)) = self.world.spoken(log, statement, &signing, true) {
            self.world.append(log, &bytes, table);
        }
    }

    pub(crate) fn suspend_or_restore(&mut self, place: usize) {
        let edition = self.edition;
        let kind = if self.dice.one_in(3) { Kind::Restore } else { Kind::Suspend };
        self.act(place, kind, edition, Value::Array(vec![1u64.into()]));
        if kind == Kind::Suspend {
            let other = self.anyone();
            self.message(other);
            if !self.dice.one_in(4) {
                self.act(place, Kind::Restore, edition, Value::Array(vec![2u64.into()]));
            }
        }
    }

    /// A new charter edition, ratified by all; or two texts under one number, which spends it.
    pub(crate) fn next_edition(&mut self) {
        let mut number = self.edition + 1;
        let spend = self.dice.one_in(2);
        if spend {
            for place in 0..self.parties() {
                let mut body = self.ratification(number);
                body.charter = sha256(&[&[place as u8]]);
                let edition = self.edition;
                self.act(place, Kind::Ratify, edition, body.value());
            }
            if self.dice.one_in(3) {
                return;
            }
            number += 1;
        }
        let persons = 1 + self.dice.below(2) as u8;
        let previous = Some(self.charter_hash);
        let next =
            Charter { edition: number, previous, release_default: persons, ..self.world.charter.clone() };
        let body = RatifyBody { charter: next.hash(), ..self.ratification(number) };
        let edition = self.edition;
        for place in 0..self.parties() {
            self.act(place, Kind::Ratify, edition, body.value());
        }
        for place in 0..self.parties() {
            self.beat(place);
        }
        self.world.objects.insert(Object::Charter(u64::from(number)), next.encode());
        (self.edition, self.charter_hash) = (number, next.hash());
    }

    fn ratification(&self, edition: u32) -> RatifyBody {
        RatifyBody { edition, charter: NOTHING, previous: Some(self.charter_hash) }
    }

    /// A new run in each lane that has a log, naming one, two or none of the logs before.
    pub(crate) fn next_generation(&mut self, place: usize) {
        let party = self.world.members[place].id;
        let number = self
            .world
            .logs
            .keys()
            .filter(|l| l.party == party)
            .map(|l| l.generation.number)
            .max()
            .unwrap_or(0)
            + 1;
        for lane in [Lane::Ordinary, Lane::Emergency, Lane::Exercise] {
            let own: Vec<LogKey> = self
                .world
                .logs
                .keys()
                .filter(|log| log.party == party && log.lane == lane)
                .copied()
                .collect();
            let named: Vec<(LogKey, u64)> = match self.dice.below(6) {
                0 => own.iter().map(|log| (*log, self.world.logs[log].tree.size())).collect(),
                1 => Vec::new(),
                2 => own
                    .last()
                    .map(|log| (*log, self.world.logs[log].tree.size().div_ceil(2)))
                    .into_iter()
                    .collect(),
                _ => own.last().map(|log| (*log, self.world.logs[log].tree.size())).into_iter().collect(),
            };
            if !own.is_empty() {
                self.world.begin(place, lane, number, &named);
            }
        }
    }

    fn named(&self, place: usize, roster: &Roster) -> Payload {
        let member = &self.world.members[place];
        Payload::Credential(CredentialPayload {
            party: PartyIndex(place as u8),
            edition: member.newest().edition,
            text: sha256(&[&member.newest().encode()]),
            roster_number: roster.number,
            roster: roster.hash(),
        })
    }

    /// A roster without its second officer, put in force by a proof, by the root, or by both.
    pub(crate) fn next_roster(&mut self, place: usize) {
        let member = &self.world.members[place];
        let before = member.roster.clone();
        let mut next = Roster { number: before.number + 1, previous: Some(before.hash()), ..before.clone() };
        if next.keys.len() > 3 {
            next.keys.remove(1);
        }
        let hash = before.change_hash(&next);
        let sign = |key: &detente_protocol::roster::RosterKey| {
            let number = key.key.number;
            (number, member.officers[usize::from(number) - 1].sign(&hash, 5, false))
        };
        let proof =
            Proof::new(before.keys.iter().take(2).map(sign).collect()).expect("two keys, two numbers");
        let mut change = RosterChange::released(&next, &proof);
        let rooted = RosterChange::signed(&before, &next, &member.root, SUITE_1);
        match self.dice.below(4) {
            0 => change = rooted,
            1 => change.root = rooted.root,
            // Either suffices: a root signature over something else takes nothing from a good proof.
            2 => change.root = RosterChange::signed(&next, &before, &member.root, SUITE_1).root,
            _ => {}
        }
        let object = Object::Roster(member.id, u64::from(next.number));
        self.world.objects.insert(object, change.encode());
        self.world.members[place].roster = next.clone();
        let log = self.log(place, Lane::Ordinary);
        let payload = self.named(place, &next);
        self.world.machine(log, payload, true);
    }

    /// A second credential edition, under whose keys later runs write. A party with roster changes
    /// keeps its edition: those follow the newest one.
    pub(crate) fn next_credential(&mut self, place: usize) {
        let member = &mut self.world.members[place];
        if member.roster.number > 0 || member.texts.len() > 2 {
            return;
        }
        let code = member.newest().code.clone();
        let bytes = member.next_credential(&code);
        let (id, edition, roster) = (member.id, member.texts.len() as u64, member.roster.clone());
        self.world.objects.insert(Object::Credential(id, edition), bytes);
        let log = self.log(place, Lane::Ordinary);
        if !self.dice.one_in(3) {
            let payload = self.named(place, &roster);
            self.world.machine(log, payload, true);
        }
        self.next_generation(place);
    }

    /// Proofs that a party told two histories of a log.
    pub(crate) fn equivocate(&mut self) {
        let logs: Vec<LogKey> = self.world.logs.keys().copied().collect();
        for number in 1..=1 + self.dice.below(2) as u64 {
            let log = *self.dice.pick(&logs);
            let proof = match self.dice.below(4) {
                0 => self.two_lines(log, false),
                1 => self.two_lines(log, true),
                2 => self.two_sizes(log),
                _ => self.generation_claim(),
            };
            if let Some(proof) = proof {
                self.world.objects.insert(Object::Equivocation(number), proof.to_bytes());
            }
        }
    }

    fn line_claim(&self, kind: KeyKind, signer: usize, log: &LogKey, head: Head) -> Claim {
        let line = self.world.line(kind, signer, log, head, 1_800_000_100);
        let line = LineEvidence { kind, time_s: line.time_s, signature: line.signature };
        Claim { head, evidence: Evidence::Line(line) }
    }

    fn name(&self, log: &LogKey) -> Option<Name> {
        Name::new(&log.name(self.world.channel)).ok()
    }

    fn two_lines(&mut self, log: LogKey, receipts: bool) -> Option<Equivocation> {
        let own = self.world.members.iter().position(|member| member.id == log.party)?;
        let other = (own + 1) % self.parties();
        let (kinds, signer) = if receipts {
            ([KeyKind::CosignerEd25519, KeyKind::CosignerMlDsa], other)
        } else {
            ([KeyKind::LogEd25519, KeyKind::LogMlDsa], own)
        };
        let size = self.world.logs[&log].tree.size();
        let heads = [self.world.head(&log, size), Head { size, root: NOTHING }];
        let by = [*self.dice.pick(&kinds), *self.dice.pick(&kinds)];
        let claims = [0, 1].map(|place| self.line_claim(by[place], signer, &log, heads[place]));
        let party = Hash(self.world.members[signer].id.0);
        Equivocation::new(self.name(&log)?, party, claims, None).ok()
    }

    fn two_sizes(&mut self, log: LogKey) -> Option<Equivocation> {
        let own = self.world.members.iter().position(|member| member.id == log.party)?;
        let tree = &self.world.logs[&log].tree;
        let (low, high) = (1, self.world.logs[&log].data.len() as u64);
        let path = consistency_proof(tree, low, high).ok()?;
        let extension = Extension { root: self.world.head(&log, low).root, path };
        let heads = [Head { size: low, root: NOTHING }, self.world.head(&log, high)];
        let claims = heads.map(|head| self.line_claim(KeyKind::LogEd25519, own, &log, head));
        Equivocation::new(self.name(&log)?, Hash(log.party.0), claims, Some(extension)).ok()
    }

    /// A generation entry that names a log with one root, and a log line with another.
    fn generation_claim(&mut self) -> Option<Equivocation> {
        let second = self.world.logs.keys().find(|log| log.generation.number > 1).copied()?;
        let own = self.world.members.iter().position(|member| member.id == second.party)?;
        let data = &self.world.logs[&second].data[0];
        let Ok(detente_protocol::entry::Entry::Machine(entry)) =
            detente_protocol::entry::Entry::decode(data.get(16..)?)
        else {
            return None;
        };
        let Payload::Generation(generation) = entry.payload else { return None };
        let named = generation.named.first()?;
        let log = LogKey { generation: named.generation, ..second };
        let tree = &self.world.logs[&second].tree;
        let head = self.world.head(&second, self.world.logs[&second].data.len() as u64);
        let evidence = GenerationEntry {
            checkpoint: Checkpoint { origin: self.name(&second)?, head },
            leaf: data.clone(),
            path: inclusion_proof(tree, 0, head.size).ok()?,
            signature: self.world.line(KeyKind::LogEd25519, own, &second, head, 0).signature,
        };
        let claimed = Head { size: named.size, root: named.root };
        let first = Claim { head: claimed, evidence: Evidence::GenerationEntry(Box::new(evidence)) };
        let other = Head { size: named.size, root: NOTHING };
        let second_claim = self.line_claim(KeyKind::LogEd25519, own, &log, other);
        Equivocation::new(self.name(&log)?, Hash(log.party.0), [first, second_claim], None).ok()
    }
}
