//! A channel whose logs are written by the rules or against them, and exported.
//!
//! The world is no judge: it keeps each writer's table and appends whatever it is told to. What the
//! entries are is for the two readers to say.

use std::collections::{BTreeMap, BTreeSet};

use detente_crypto::{Hash, SUITE_1, sha256};
use detente_encoding::Timestamp;
use detente_protocol::charter::{Charter, Level, Proofs};
use detente_protocol::entry::{Cause, Entry, GenerationPayload, MachineEntry, Named, Payload, Reference};
use detente_protocol::export::{KeptLine, Leaf, MemoryFiles, Object, Source, explanation, write};
use detente_protocol::names::{
    ChannelId, EntryId, Generation, Lane, LogKey, PartyId, Precedence, Run, cosigner_name,
};
use detente_protocol::release::Proof;
use detente_protocol::seen::{Check, Seen, SeenTable};
use detente_protocol::statement::{Placement, Statement};
use detente_transparency::{
    Checkpoint, Head, KeyKind, MemoryTree, Name, ed25519_cosignature_message, ed25519_log_message, leaf_hash,
    mldsa_message, root,
};

use crate::keys::{Member, NodeSigners, START};

/// One log as its writer has it.
#[derive(Default)]
pub(crate) struct Written {
    pub(crate) data: Vec<Vec<u8>>,
    pub(crate) erased: BTreeSet<usize>,
    pub(crate) tree: MemoryTree,
    pub(crate) lines: Vec<KeptLine>,
    /// Which credential edition signs it, counted from 0.
    edition: usize,
}

/// How a statement is released.
pub(crate) struct Signing {
    /// Places of the officers, in the order of signing.
    pub(crate) officers: Vec<usize>,
    pub(crate) flags: u8,
    pub(crate) full: bool,
    /// Whether the signatures are over this statement and not over another.
    pub(crate) true_hash: bool,
    /// Whether the proof is in the export.
    pub(crate) kept: bool,
}

pub(crate) struct World {
    pub(crate) members: Vec<Member>,
    pub(crate) charter: Charter,
    pub(crate) channel: ChannelId,
    pub(crate) logs: BTreeMap<LogKey, Written>,
    tables: BTreeMap<(LogKey, u64), SeenTable>,
    pub(crate) objects: BTreeMap<Object, Vec<u8>>,
    pub(crate) now: i64,
    pub(crate) count: u64,
    /// Logs that the export leaves out, though others have seen them.
    pub(crate) withheld: BTreeSet<LogKey>,
}

impl World {
    pub(crate) fn new(codes: &[(&str, u8)], random: [u8; 16]) -> Self {
        let mut made: Vec<(Member, Vec<u8>)> =
            codes.iter().map(|(code, seed)| Member::new(code, *seed)).collect();
        made.sort_by_key(|(member, _)| member.id);
        let parties: Vec<PartyId> = made.iter().map(|(member, _)| member.id).collect();
        let charter = Charter {
            acknowledge_s: [28_800, 1_800, 600, 120],
            edition: 1,
            formats: None,
            kem_keep_days: 35,
            label: "Risk reduction".into(),
            languages: parties.iter().map(|_| "en".into()).collect(),
            level: Level::Military,
            parties,
            previous: None,
            proofs: Proofs { precedences: vec![Precedence::Immediate, Precedence::Flash], formats: vec![10] },
            random,
            release_default: 2,
            release_duty: 1,
            silent_after_s: 86_400,
            subjects: vec!["space".into()],
            test_every_s: 0,
        };
        let mut objects = BTreeMap::from([(Object::Charter(1), charter.encode())]);
        objects.extend(made.iter().map(|(m, bytes)| (Object::Credential(m.id, 1), bytes.clone())));
        Self {
            channel: charter.channel_id(),
            members: made.into_iter().map(|(member, _)| member).collect(),
            charter,
            logs: BTreeMap::new(),
            tables: BTreeMap::new(),
            objects,
            now: START,
            count: 0,
            withheld: BTreeSet::new(),
        }
    }

    pub(crate) fn tick(&mut self) -> Timestamp {
        self.now += 1_000;
        Timestamp::from_millis(self.now)
    }

    /// The newest log of a party and lane.
    pub(crate) fn live(&self, place: usize, lane: Lane) -> Option<LogKey> {
        let party = self.members[place].id;
        let own = self.logs.keys().filter(|log| log.party == party && log.lane == lane);
        own.max_by_key(|log| log.generation).copied()
    }

    /// Begins a log that names others of its party and lane, each at the size given.
    pub(crate) fn begin(&mut self, place: usize, lane: Lane, number: u32, named: &[(LogKey, u64)]) -> LogKey {
        let member = &self.members[place];
        let run = Run([number as u8 ^ (lane as u8) << 6; 8]);
        let log = LogKey { party: member.id, lane, generation: Generation { number, run } };
        let edition = member.texts.len() - 1;
        let mut table = SeenTable::new(self.channel, log);
        if let Some(inherited) = named.first().and_then(|first| self.tables.get(first)) {
            table = SeenTable::inherit(log, inherited, named);
        }
        let named = named.iter().map(|(key, size)| {
            let root =
                self.logs.get(key).and_then(|log| root(&log.tree, *size).ok()).unwrap_or(Hash([5; 32]));
            Named { generation: key.generation, size: *size, root }
        });
        let credential_edition = edition as u32 + 1;
        let payload =
            GenerationPayload { cause: Cause::Start, suite: 1, credential_edition, named: named.collect() };
        self.logs.insert(log, Written { edition, ..Written::default() });
        self.tables.insert((log, 0), table);
        self.machine(log, Payload::Generation(payload), true);
        log
    }

    /// The writer's table now.
    pub(crate) fn table(&self, log: &LogKey) -> &SeenTable {
        &self.tables[&(*log, self.logs[log].tree.size())]
    }

    /// What the writer lists next when it looks, the check, and its table afterwards.
    pub(crate) fn seen(&self, log: &LogKey, look: bool) -> (Seen, Option<Check>, SeenTable) {
        let mut table = self.table(log).clone();
        if !look {
            return (Seen::default(), None, table);
        }
        let held = self.logs.iter().map(|(log, written)| (*log, written.tree.size()));
        let seen = table.next(held, &self.charter.parties);
        table.apply(&seen, &self.charter.parties).expect("a writer lists what its table allows");
        let check = table.check(|log, size| root(&self.logs.get(log)?.tree, size).ok()).unwrap_or([3; 8]);
        let check = (!seen.0.is_empty()).then_some(check);
        (seen, check, table)
    }

    pub(crate) fn machine(&mut self, log: LogKey, payload: Payload, look: bool) -> Reference {
        let (seen, check, table) = self.seen(&log, look);
        let written = self.tick();
        let entry = Entry::Machine(MachineEntry { written, seen, check, payload });
        self.append(log, &entry.encode(), table)
    }

    /// The bytes of a spoken entry, and the table after it. `None` when it refers to what its
    /// writer has not seen.
    pub(crate) fn spoken(
        &mut self,
        log: LogKey,
        statement: Statement,
        signing: &Signing,
        look: bool,
    ) -> Option<(Vec<u8>, SeenTable)> {
        let (seen, check, table) = self.seen(&log, look);
        let member = self.members.iter().find(|member| member.id == log.party)?;
        let mut hash = statement.hash(self.channel, log.party, log.lane);
        if !signing.true_hash {
            hash.0[0] ^= 1;
        }
        let sign = |&officer: &usize| {
            (officer as u16 + 1, member.officers[officer].sign(&hash, signing.flags, signing.full))
        };
        let proof = Proof::new(signing.officers.iter().map(sign).collect())?;
        self.count += 1;
        let placement = Placement { number: self.count as u32, delay: 500, seen, check, proof: proof.hash() };
        let entry = Entry::Spoken(statement.place(&table, placement).ok()?);
        if signing.kept {
            self.objects.insert(Object::Proof(proof.hash()), proof.encode());
        }
        Some((entry.encode(), table))
    }

    /// Appends an entry, whatever it says; `table` is the writer's from then on.
    pub(crate) fn append(&mut self, log: LogKey, entry: &[u8], table: SeenTable) -> Reference {
        let written = self.logs.get_mut(&log).expect("a log is begun before it is written");
        let index = written.tree.size();
        let salt = sha256(&[&self.now.to_be_bytes(), &index.to_be_bytes()]);
        let data = [&salt.0[..16], entry].concat();
        let leaf = leaf_hash(&data);
        written.data.push(data);
        written.tree.append(leaf);
        self.tables.insert((log, index + 1), table);
        Reference { channel: self.channel, entry: EntryId { log, index }, leaf }
    }

    /// Forgets the tables of a log but the newest: nobody will name it at a smaller size.
    pub(crate) fn forget_tables(&mut self, log: &LogKey) {
        let size = self.logs[log].tree.size();
        self.tables.remove(&(*log, size - 1));
    }

    pub(crate) fn head(&self, log: &LogKey, size: u64) -> Head {
        Head { size, root: root(&self.logs[log].tree, size).expect("the log is that long") }
    }

    fn signers(&self, kind: KeyKind, signer: usize, log: &LogKey) -> &NodeSigners {
        let nodes = &self.members[signer].nodes;
        if kind.is_log() { &nodes[self.logs[log].edition] } else { &nodes[nodes.len() - 1] }
    }

    /// One line by a party over any head of a log.
    pub(crate) fn line(
        &self,
        kind: KeyKind,
        signer: usize,
        log: &LogKey,
        head: Head,
        time_s: u64,
    ) -> KeptLine {
        let name = |text: &str| Name::new(text).expect("names are base32, words and digits");
        let origin = name(&log.name(self.channel));
        let checkpoint = Checkpoint { origin: origin.clone(), head };
        let id = self.members[signer].id;
        let cosigner = name(&cosigner_name(self.channel, id));
        let keys = self.signers(kind, signer, log);
        let time_s = if kind.is_log() { 0 } else { time_s };
        let signature = match kind {
            KeyKind::LogEd25519 => keys.log.sign(&ed25519_log_message(&checkpoint)).to_vec(),
            KeyKind::LogMlDsa => keys.log_mldsa.sign(&mldsa_message(&origin, 0, &checkpoint)).to_vec(),
            KeyKind::CosignerEd25519 => {
                keys.cosigner.sign(&ed25519_cosignature_message(time_s, &checkpoint)).to_vec()
            }
            KeyKind::CosignerMlDsa => {
                keys.cosigner_mldsa.sign(&mldsa_message(&cosigner, time_s, &checkpoint)).to_vec()
            }
        };
        KeptLine { kind, signer: id, head, time_s, signature }
    }

    /// Signs a log at a size and keeps the line.
    pub(crate) fn sign(&mut self, kind: KeyKind, signer: usize, log: LogKey, size: u64, time_s: u64) {
        let line = self.line(kind, signer, &log, self.head(&log, size), time_s);
        self.logs.get_mut(&log).expect("looked up for its head").lines.push(line);
    }

    pub(crate) fn export(&mut self, by: usize) -> MemoryFiles {
        let mut files = MemoryFiles::default();
        let (by, at) = (self.members[by].id, Timestamp::from_millis(self.now));
        let Ok(_) = write(self, &mut files, SUITE_1, by, at) else {
            unreachable!("memory holds every leaf it was given");
        };
        files
    }
}

impl Source for World {
    type Error = core::convert::Infallible;

    fn channel(&self) -> ChannelId {
        self.channel
    }

    fn objects(&mut self) -> Result<Vec<Object>, Self::Error> {
        Ok(self.objects.keys().copied().collect())
    }

    fn object(&mut self, object: &Object) -> Result<Vec<u8>, Self::Error> {
        Ok(self.objects[object].clone())
    }

    fn logs(&mut self) -> Result<Vec<LogKey>, Self::Error> {
        Ok(self.logs.keys().filter(|log| !self.withheld.contains(log)).copied().collect())
    }

    fn lines(&mut self, log: &LogKey) -> Result<Vec<KeptLine>, Self::Error> {
        Ok(self.logs[log].lines.clone())
    }

    fn leaves(&mut self, log: &LogKey, from: u64) -> Result<Vec<Leaf>, Self::Error> {
        let written = &self.logs[log];
        let leaf = |(index, data): (usize, &Vec<u8>)| {
            let hash = leaf_hash(data);
            Leaf { hash, data: if written.erased.contains(&index) { Vec::new() } else { data.clone() } }
        };
        Ok(written.data.iter().enumerate().skip(from as usize).take(1_024).map(leaf).collect())
    }

    fn note(&mut self, piece: &mut dyn FnMut(&str)) -> Result<(), Self::Error> {
        let codes: Vec<_> = self.members.iter().map(|m| (m.id, m.newest().code.clone())).collect();
        piece(&explanation(self.channel, &self.charter, &codes, Timestamp::from_millis(self.now)));
        Ok(())
    }
}
