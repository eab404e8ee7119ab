//! A channel of parties with real keys, whose logs tests write and export.

use std::collections::BTreeMap;
use std::sync::Arc;

use detente_crypto::assertion::file_key_message;
use detente_crypto::assertion::{
    ReleaseAlgorithm, ReleaseKey, ReleaseKeyKind, ReleasePublic, ReleaseSignature,
};
use detente_crypto::root::RootSecret;
use detente_crypto::{Ed25519Signer, Hash, MlDsaSigner, SUITE_1, Secret, sha256};
use detente_encoding::Timestamp;
use detente_encoding::cbor::Value;
use detente_transparency::{
    Checkpoint, Head, KeyKind, MemoryTree, Name, ed25519_cosignature_message, ed25519_log_message, leaf_hash,
    mldsa_message, root,
};

use crate::charter::{Charter, Level, Proofs};
use crate::credential::{CredentialText, NodeKeys};
use crate::entry::{
    Cause, Entry, Extras, GenerationPayload, Kind, MachineEntry, Named, Payload, RatifyBody, Reference,
};
use crate::export::{KeptLine, Leaf, MemoryFiles, Object, Source};
use crate::judge::{Acts, Context, Judged, LogJudge, Verdict};
use crate::names::{ChannelId, EntryId, Generation, Lane, LogKey, PartyId, Precedence, Run, cosigner_name};
use crate::release::Proof;
use crate::roster::{Roles, Roster, RosterKey};
use crate::seen::{Seen, SeenTable};
use crate::statement::{Placement, Statement};

/// The first moment of the world.
pub(crate) const START: i64 = 1_800_000_000_000;

pub(crate) struct Member {
    pub(crate) id: PartyId,
    pub(crate) text: CredentialText,
    credential: Vec<u8>,
    log: Ed25519Signer,
    log_mldsa: MlDsaSigner,
    cosigner: Ed25519Signer,
    cosigner_mldsa: MlDsaSigner,
    officers: Vec<Ed25519Signer>,
}

fn member(code: &str, seed: u8) -> Member {
    let secret = |n: u8| [seed.wrapping_mul(16).wrapping_add(n); 32];
    let root = RootSecret {
        ed25519: Secret::from_slice(&secret(0)).unwrap(),
        mldsa: Secret::from_slice(&secret(1)).unwrap(),
    };
    let (log, cosigner) = (SUITE_1.ed25519_signer(&secret(2)), SUITE_1.ed25519_signer(&secret(4)));
    let (log_mldsa, cosigner_mldsa) = (SUITE_1.mldsa_signer(&secret(3)), SUITE_1.mldsa_signer(&secret(5)));
    let officers: Vec<_> = [8, 9].map(|n| SUITE_1.ed25519_signer(&secret(n))).into();
    let public = root.public(SUITE_1);
    let id = crate::credential::party_of(&public);
    let key = |(place, officer): (usize, &Ed25519Signer)| RosterKey {
        key: ReleaseKey {
            number: place as u16 + 1,
            public: ReleasePublic::from_slice(ReleaseAlgorithm::Ed25519, officer.public()).unwrap(),
            kind: ReleaseKeyKind::File,
        },
        person: place as u16 + 1,
        roles: Roles::RELEASE.and(Roles::DRAFT).and(Roles::WATCH),
    };
    let keys = officers.iter().enumerate().map(key).collect();
    let roster = Roster { asks: 2, keys, number: 0, party: id, previous: None };
    let text = CredentialText {
        code: code.to_owned(),
        edition: 1,
        endpoints: vec![],
        issued: Timestamp::from_millis(START),
        kem: Box::new([seed; 1216]),
        names: BTreeMap::new(),
        node: NodeKeys {
            log_ed25519: *log.public(),
            log_mldsa: Box::new(*log_mldsa.public()),
            cosigner_ed25519: *cosigner.public(),
            cosigner_mldsa: Box::new(*cosigner_mldsa.public()),
            link: *SUITE_1.ed25519_signer(&secret(6)).public(),
        },
        previous: None,
        recognised: vec![],
        root: public,
        roster: roster.encode(),
    };
    let credential = text.sign(&root, SUITE_1).encode();
    Member { id, text, credential, log, log_mldsa, cosigner, cosigner_mldsa, officers }
}

#[derive(Default)]
pub(crate) struct Written {
    pub(crate) data: Vec<Vec<u8>>,
    pub(crate) tree: MemoryTree,
    pub(crate) lines: Vec<KeptLine>,
}

pub(crate) struct World {
    pub(crate) members: Vec<Member>,
    pub(crate) charter: Charter,
    pub(crate) channel: ChannelId,
    pub(crate) logs: BTreeMap<LogKey, Written>,
    pub(crate) judges: BTreeMap<LogKey, LogJudge>,
    pub(crate) tables: BTreeMap<(LogKey, u64), SeenTable>,
    pub(crate) objects: BTreeMap<Object, Vec<u8>>,
    pub(crate) acts: Acts,
    pub(crate) now: i64,
    /// What was put, in that order; not kept of a million entries.
    pub(crate) told: Vec<(EntryId, Hash, Judged)>,
    nonce: u64,
}

impl Context for World {
    fn acts(&self) -> &Acts {
        &self.acts
    }
    fn table_at(&self, log: &LogKey, size: u64) -> Option<SeenTable> {
        self.tables.get(&(*log, size)).cloned()
    }
}

/// What a test says of a spoken entry.
pub(crate) struct Say {
    pub(crate) kind: Kind,
    pub(crate) edition: u32,
    pub(crate) precedence: Precedence,
    pub(crate) references: Vec<Reference>,
    pub(crate) body: Value,
    pub(crate) signers: Vec<usize>,
    pub(crate) keep_proof: bool,
}

impl Say {
    pub(crate) fn note(text: &str) -> Self {
        let body = Value::Array(vec!["en".into(), text.into()]);
        Self {
            kind: Kind::Note,
            edition: 1,
            precedence: Precedence::Routine,
            references: vec![],
            body,
            signers: vec![0, 1],
            keep_proof: true,
        }
    }

    pub(crate) fn answer(kind: Kind, reference: Reference) -> Self {
        Self { kind, references: vec![reference], body: Value::Null, signers: vec![0], ..Self::note("") }
    }
}

impl World {
    /// Two parties, both of whose lanes are open, edition 1 ratified by both and seen by both.
    pub(crate) fn open() -> Self {
        let mut world = Self::of(&[("ALT", 1), ("VEG", 2)]);
        for place in 0..2 {
            world.begin(place, Lane::Ordinary, 1, &[]);
            let body = RatifyBody { edition: 1, charter: world.charter.hash(), previous: None }.value();
            world.say(place, Lane::Ordinary, Say { kind: Kind::Ratify, edition: 0, body, ..Say::note("") });
        }
        world.machine(0, Lane::Ordinary, Payload::Test([1; 8]));
        world
    }

    pub(crate) fn of(codes: &[(&str, u8)]) -> Self {
        let mut members: Vec<Member> = codes.iter().map(|(code, seed)| member(code, *seed)).collect();
        members.sort_by_key(|member| member.id);
        let charter = Charter {
            acknowledge_s: [28_800, 1_800, 600, 120],
            edition: 1,
            formats: None,
            kem_keep_days: 35,
            label: "Risk reduction".into(),
            languages: members.iter().map(|_| "en".into()).collect(),
            level: Level::Military,
            parties: members.iter().map(|member| member.id).collect(),
            previous: None,
            proofs: Proofs { precedences: vec![Precedence::Immediate, Precedence::Flash], formats: vec![] },
            random: [7; 16],
            release_default: 2,
            release_duty: 1,
            silent_after_s: 86_400,
            subjects: vec![],
            test_every_s: 0,
        };
        let channel = charter.channel_id();
        let mut objects = BTreeMap::from([(Object::Charter(1), charter.encode())]);
        objects.extend(members.iter().map(|m| (Object::Credential(m.id, 1), m.credential.clone())));
        Self {
            members,
            charter,
            channel,
            logs: BTreeMap::new(),
            judges: BTreeMap::new(),
            tables: BTreeMap::new(),
            objects,
            acts: Acts::default(),
            now: START,
            told: Vec::new(),
            nonce: 0,
        }
    }

    pub(crate) fn parties(&self) -> Arc<[PartyId]> {
        self.charter.parties.clone().into()
    }

    pub(crate) fn key(&self, place: usize, lane: Lane, number: u32) -> LogKey {
        let generation = Generation { number, run: Run([number as u8; 8]) };
        LogKey { party: self.members[place].id, lane, generation }
    }

    /// The newest log of a party and lane.
    pub(crate) fn live(&self, place: usize, lane: Lane) -> LogKey {
        let party = self.members[place].id;
        let own = self.judges.keys().filter(|log| log.party == party && log.lane == lane);
        *own.max_by_key(|log| log.generation.number).unwrap()
    }

    pub(crate) fn begin(&mut self, place: usize, lane: Lane, number: u32, named: &[u32]) {
        let log = self.key(place, lane, number);
        let named = named.iter().map(|number| {
            let key = self.key(place, lane, *number);
            let tree = &self.logs[&key].tree;
            Named { generation: key.generation, size: tree.size(), root: tree.root() }
        });
        let named: Vec<Named> = named.collect();
        let mut table = SeenTable::new(self.channel, log);
        if let Some(first) = named.first() {
            let key = |named: &Named| LogKey { generation: named.generation, ..log };
            let inherited = self.tables[&(key(first), first.size)].clone();
            let rows: Vec<_> = named.iter().map(|named| (key(named), named.size)).collect();
            table = SeenTable::inherit(log, &inherited, &rows);
        }
        self.judges.insert(log, LogJudge::new(self.channel, log, self.parties()).unwrap());
        self.logs.insert(log, Written::default());
        let payload = Payload::Generation(GenerationPayload {
            cause: Cause::Start,
            suite: 1,
            credential_edition: 1,
            named,
        });
        let (seen, check, _) = self.seen(&log, table);
        let written = Timestamp::from_millis(self.tick());
        let entry = Entry::Machine(MachineEntry { written, seen, check, payload });
        self.put(log, &entry.encode());
    }

    fn seen(&self, log: &LogKey, mut table: SeenTable) -> (Seen, Option<crate::seen::Check>, SeenTable) {
        let held = self.logs.iter().map(|(log, written)| (*log, written.tree.size()));
        let seen = table.next(held, &self.charter.parties);
        table.apply(&seen, &self.charter.parties).unwrap();
        let check = table.check(|log, size| root(&self.logs[log].tree, size).ok()).unwrap();
        let check = (!seen.0.is_empty()).then_some(check);
        let _ = log;
        (seen, check, table)
    }

    pub(crate) fn tick(&mut self) -> i64 {
        self.now += 1_000;
        self.now
    }

    pub(crate) fn machine(&mut self, place: usize, lane: Lane, payload: Payload) -> Reference {
        let log = self.live(place, lane);
        let (seen, check, _) = self.seen(&log, self.judges[&log].table().clone());
        let written = Timestamp::from_millis(self.tick());
        self.put(log, &Entry::Machine(MachineEntry { written, seen, check, payload }).encode())
    }

    pub(crate) fn opened(&mut self, place: usize, lane: Lane, reference: Reference) -> Reference {
        let log = self.live(place, lane);
        let (seen, check, table) = self.seen(&log, self.judges[&log].table().clone());
        let wire = crate::entry::WireReference {
            log: crate::entry::LogRef::Ordinal(table.ordinal(&reference.entry.log).unwrap()),
            index: reference.entry.index,
            leaf: reference.leaf,
        };
        let written = Timestamp::from_millis(self.tick());
        let payload = Payload::Opened(wire);
        self.put(log, &Entry::Machine(MachineEntry { written, seen, check, payload }).encode())
    }

    pub(crate) fn say(&mut self, place: usize, lane: Lane, say: Say) -> Reference {
        let log = self.live(place, lane);
        let (seen, check, table) = self.seen(&log, self.judges[&log].table().clone());
        self.nonce += 1;
        let (signers, keep_proof) = (say.signers.clone(), say.keep_proof);
        let statement = self.statement(say);
        let party = self.members[place].id;
        let hash = statement.hash(self.channel, party, lane);
        let sign = |&officer: &usize| {
            let signature = self.members[place].officers[officer].sign(&file_key_message(&hash));
            (officer as u16 + 1, ReleaseSignature::File { signature })
        };
        let proof = Proof::new(signers.iter().map(sign).collect()).unwrap();
        if keep_proof {
            self.objects.insert(Object::Proof(proof.hash()), proof.encode());
        }
        let number = self.nonce as u32;
        let placement = Placement { number, delay: 500, seen, check, proof: proof.hash() };
        let entry = Entry::Spoken(statement.place(&table, placement).unwrap());
        self.put(log, &entry.encode())
    }

    fn statement(&mut self, say: Say) -> Statement {
        let drafted = Timestamp::from_millis(self.tick());
        Statement {
            kind: say.kind,
            edition: say.edition,
            drafted,
            valid_minutes: 60,
            nonce: self.nonce.to_be_bytes(),
            precedence: say.precedence,
            format: None,
            references: say.references,
            body: say.body,
            extras: Extras::default(),
            attachments: vec![],
            drafter: 1,
        }
    }

    /// Appends an entry whatever it says.
    pub(crate) fn put(&mut self, log: LogKey, entry: &[u8]) -> Reference {
        let (reference, _) = self.put_judged(log, entry);
        reference
    }

    pub(crate) fn put_judged(&mut self, log: LogKey, entry: &[u8]) -> (Reference, Judged) {
        let mut judge = self.judges.remove(&log).unwrap();
        let index = judge.index();
        let judged = judge.judge(entry, self);
        assert_ne!(judged.verdict, Verdict::Waiting);
        if let Some(act) = judged.act.clone() {
            self.acts.record(EntryId { log, index }, act);
        }
        self.tables.insert((log, judge.index()), judge.table().clone());
        self.judges.insert(log, judge);
        let salt = &sha256(&[&self.nonce.to_be_bytes(), &index.to_be_bytes()]).0[..16];
        let data = [salt, entry].concat();
        let leaf = leaf_hash(&data);
        let written = self.logs.get_mut(&log).unwrap();
        written.data.push(data);
        written.tree.append(leaf);
        self.told.push((EntryId { log, index }, leaf, judged.clone()));
        (Reference { channel: self.channel, entry: EntryId { log, index }, leaf }, judged)
    }

    pub(crate) fn head(&self, log: &LogKey, size: u64) -> Head {
        Head { size, root: root(&self.logs[log].tree, size).unwrap() }
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
        let origin = Name::new(&log.name(self.channel)).unwrap();
        let checkpoint = Checkpoint { origin: origin.clone(), head };
        let member = &self.members[signer];
        let cosigner = Name::new(&cosigner_name(self.channel, member.id)).unwrap();
        let signature = match kind {
            KeyKind::LogEd25519 => member.log.sign(&ed25519_log_message(&checkpoint)).to_vec(),
            KeyKind::LogMlDsa => member.log_mldsa.sign(&mldsa_message(&origin, 0, &checkpoint)).to_vec(),
            KeyKind::CosignerEd25519 => {
                member.cosigner.sign(&ed25519_cosignature_message(time_s, &checkpoint)).to_vec()
            }
            KeyKind::CosignerMlDsa => {
                member.cosigner_mldsa.sign(&mldsa_message(&cosigner, time_s, &checkpoint)).to_vec()
            }
        };
        KeptLine { kind, signer: member.id, head, time_s, signature }
    }

    pub(crate) fn receipt(&mut self, signer: usize, log: LogKey, size: u64, time_s: u64) {
        let head = self.head(&log, size);
        let line = self.line(KeyKind::CosignerEd25519, signer, &log, head, time_s);
        self.logs.get_mut(&log).unwrap().lines.push(line);
    }

    /// Signs all logs as they are: both log lines, and both receipts of every other party.
    pub(crate) fn sign_all(&mut self) {
        let logs: Vec<LogKey> = self.logs.keys().copied().collect();
        for log in logs {
            let head = self.logs[&log].tree.head();
            let time_s = (self.tick() / 1000) as u64;
            for signer in 0..self.members.len() {
                let own = self.members[signer].id == log.party;
                let kinds = if own {
                    [KeyKind::LogEd25519, KeyKind::LogMlDsa]
                } else {
                    [KeyKind::CosignerEd25519, KeyKind::CosignerMlDsa]
                };
                for kind in kinds {
                    let line = self.line(kind, signer, &log, head, if own { 0 } else { time_s });
                    self.logs.get_mut(&log).unwrap().lines.push(line);
                }
            }
        }
    }

    pub(crate) fn export(&mut self) -> MemoryFiles {
        let mut files = MemoryFiles::default();
        let by = self.members[0].id;
        let at = Timestamp::from_millis(self.now);
        crate::export::write(self, &mut files, SUITE_1, by, at).unwrap();
        files
    }

    pub(crate) fn words(&self) -> Vec<(String, String)> {
        self.members.iter().map(|m| (m.text.code.clone(), m.text.words())).collect()
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
        Ok(self.logs.keys().copied().collect())
    }

    fn lines(&mut self, log: &LogKey) -> Result<Vec<KeptLine>, Self::Error> {
        Ok(self.logs[log].lines.clone())
    }

    fn leaves(&mut self, log: &LogKey, from: u64) -> Result<Vec<Leaf>, Self::Error> {
        let leaf = |data: &Vec<u8>| Leaf { hash: leaf_hash(data), data: data.clone() };
        Ok(self.logs[log].data[from as usize..].iter().take(3).map(leaf).collect())
    }

    fn note(&mut self, piece: &mut dyn FnMut(&str)) -> Result<(), Self::Error> {
        let codes: Vec<_> = self.members.iter().map(|m| (m.id, m.text.code.clone())).collect();
        let at = Timestamp::from_millis(self.now);
        piece(&crate::export::explanation(self.channel, &self.charter, &codes, at));
        Ok(())
    }
}

/// A proof that does not hold would be a poor test: this hash is of nothing.
pub(crate) const NO_HASH: Hash = Hash([0; 32]);
