//! Opening a channel from its record: a node starts where the last commit left it.
//!
//! Only logs are opened, not entries: each log's row holds its edge, its writer's table and its
//! acts. What was durable and not yet judged is judged after the start, by the same code.

use std::collections::BTreeMap;
use std::sync::Arc;

use detente_crypto::{Hash, Suite};
use detente_encoding::cbor::{self, Value};
use detente_transparency::Edge;

use super::log_state::{Cosigned, Log, MirrorLog, Role};
use super::message::LineKind;
use super::own::OwnLog;
use super::rows::{FACTS, LINES, LOGS, LogNumber, PROOFS, Record, RecordError, Row, read_line};
use super::{Channel, Counters, KemKey, NodeKeys, Now, PartyKeys, Peer};
use crate::charter::Charter;
use crate::entry::{Entry, Payload};
use crate::judge::{Act, Acts, LogJudge};
use crate::names::{Generation, Lane, LogKey, PartyId, PartyIndex, Run};
use crate::sealing::{ControlSealer, Epoch};

/// Rows read at once when a channel is opened.
const PAGE: usize = 512;

/// What is known of another party before anything is received.
#[derive(Debug)]
pub struct PeerSetup {
    /// Its public keys, one for each credential edition held, rising.
    pub keys: Vec<PartyKeys>,
    /// Its epochs kept in files, oldest first.
    pub epochs: Vec<Epoch>,
}

/// Everything a channel needs from its node.
pub struct Setup {
    /// The algorithms.
    pub suite: &'static dyn Suite,
    /// The channel's number in this record.
    pub number: u32,
    /// The charter editions held, rising; the first names the channel.
    pub charters: Vec<Charter>,
    /// This party.
    pub me: PartyId,
    /// This run's 8 random bytes.
    pub run: Run,
    /// This node's signing keys.
    pub keys: Arc<NodeKeys>,
    /// This party's own public keys, one for each credential edition, rising.
    pub own: Vec<PartyKeys>,
    /// The other parties.
    pub peers: BTreeMap<PartyId, PeerSetup>,
    /// This party's epoch; its secret is in a file already.
    pub epoch: Epoch,
    /// This party's KEM keys on this channel, oldest first; the credential's while it is kept.
    pub kems: Vec<KemKey>,
    /// How often things are done that time asks for.
    pub pace: Pace,
}

/// How often things are done that time asks for (milliseconds).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// A fresh receipt of every live mirror goes out.
    pub heartbeat_ms: u64,
    /// What is held is said, besides when a path comes up.
    pub have_ms: u64,
}

impl Default for Pace {
    /// That of links of some kilobits a second and more.
    fn default() -> Self {
        Self { heartbeat_ms: 10_000, have_ms: 60_000 }
    }
}

impl core::fmt::Debug for Setup {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Setup({:?})", self.me)
    }
}

/// Why a channel cannot be opened.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// No charter was given, or this party is not one of its parties.
    LocalCharter,
    /// The credential of a party of the charter is not held. Add it with `detente peer add`.
    LocalCredential(PartyId),
    /// A row of a log is damaged. `detente journal rebuild` makes it anew from the entries.
    EnvironmentLogRow(u32),
    /// The record cannot be read.
    EnvironmentRecord(RecordError),
}

impl core::fmt::Display for OpenError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::LocalCharter => f.write_str("the charter does not name this party"),
            Self::LocalCredential(party) => {
                write!(f, "the credential of party {party} is not held; add it with detente peer add")
            }
            Self::EnvironmentLogRow(number) => {
                write!(f, "the row of log {number} is damaged; run detente journal rebuild")
            }
            Self::EnvironmentRecord(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for OpenError {}

impl From<RecordError> for OpenError {
    fn from(error: RecordError) -> Self {
        Self::EnvironmentRecord(error)
    }
}

/// The row of a log: what it is, its edge, who signs it, its judge.
pub(crate) fn log_row(log: &Log, acts: &Acts) -> Row {
    let value = Value::Array(vec![
        Value::bytes(&log.key.party.0),
        Value::from(log.key.lane as u64),
        Value::from(u64::from(log.key.generation.number)),
        Value::bytes(&log.key.generation.run.0),
        Value::bytes(&log.edge.to_bytes()),
        log.edition.map_or(Value::Null, |edition| Value::from(u64::from(edition))),
        Value::from(log.frozen),
        log.judge.snapshot(acts),
    ]);
    Row { table: LOGS, key: log.number.prefix(), value: cbor::encode(&value) }
}

struct LogRow {
    key: LogKey,
    edge: Edge,
    edition: Option<u32>,
    frozen: bool,
    judge: Value,
}

fn read_log_row(bytes: &[u8]) -> Option<LogRow> {
    let value = cbor::decode(bytes).ok()?;
    let [party, lane, number, run, edge, edition, frozen, judge] = value.as_array()? else { return None };
    Some(LogRow {
        key: LogKey {
            party: PartyId(party.as_bytes()?.try_into().ok()?),
            lane: Lane::from_number(lane.as_u64()?)?,
            generation: Generation {
                number: u32::try_from(number.as_u64()?).ok()?,
                run: Run(run.as_bytes()?.try_into().ok()?),
            },
        },
        edge: Edge::from_bytes(edge.as_bytes()?).ok()?,
        edition: edition.as_u64().and_then(|edition| u32::try_from(edition).ok()),
        frozen: frozen.as_bool()?,
        judge: judge.clone(),
    })
}

impl Channel {
    /// Opens a channel as its record has it; `randomness` gives 64 fresh bytes at each call, for
    /// the wrap of this party's epoch.
    ///
    /// # Errors
    /// [`OpenError`]; nothing has been sent or written.
    pub fn open(
        setup: Setup,
        now: Now,
        record: &dyn Record,
        randomness: impl FnMut() -> [u8; 64],
    ) -> Result<Self, OpenError> {
        let first = setup.charters.first().ok_or(OpenError::LocalCharter)?;
        let my_index = first.party_index(setup.me).ok_or(OpenError::LocalCharter)?;
        let id = first.channel_id();
        let parties: Arc<[PartyId]> = first.parties.clone().into();
        let mut public = BTreeMap::from([(setup.me, setup.own)]);
        let mut peers = BTreeMap::new();
        let mut peer_epochs = BTreeMap::new();
        let mut held = setup.peers;
        for (index, party) in parties.iter().enumerate().filter(|(_, party)| **party != setup.me) {
            let index = PartyIndex(u8::try_from(index).expect("a charter has at most 16 parties"));
            let peer = held.remove(party).ok_or(OpenError::LocalCredential(*party))?;
            let newest = peer.keys.last().ok_or(OpenError::LocalCredential(*party))?;
            let kem = newest.kem.clone();
            let peer_state = Peer {
                kem,
                confirmed: None,
                wrap_again: 0,
                heard: 0,
                closed_asked: 0,
                backfill_left: 0,
                backfill_at: 0,
            };
            peers.insert(index, peer_state);
            public.insert(*party, peer.keys);
            peer_epochs.insert(*party, peer.epochs);
        }
        let mut channel = Self {
            suite: setup.suite,
            id,
            number: setup.number,
            charters: setup.charters,
            parties,
            me: setup.me,
            my_index,
            run: setup.run,
            keys: setup.keys,
            public,
            control: ControlSealer::new(setup.me, setup.run),
            epoch: setup.epoch,
            wrap: None,
            wrap_stale: false,
            kems: setup.kems,
            pace: setup.pace,
            peer_epochs,
            peers,
            logs: BTreeMap::new(),
            next_log_number: 0,
            live_own: [None; 3],
            acts: Acts::default(),
            tags: BTreeMap::new(),
            seals: BTreeMap::new(),
            unopened: Vec::new(),
            early: BTreeMap::new(),
            opened: BTreeMap::new(),
            opened_last: BTreeMap::new(),
            openings: (now.mono_ms, 0),
            proofs: Default::default(),
            statements: BTreeMap::new(),
            highest_number: [0; 2],
            last_receipt_s: 0,
            cosign_due: Default::default(),
            answer_again: Default::default(),
            blobs: Default::default(),
            timers: Default::default(),
            counters: Counters::default(),
            now_ms: now.mono_ms,
            pending: BTreeMap::new(),
            next_ticket: 0,
            outputs: Default::default(),
            #[cfg(feature = "simulation")]
            danger: None,
        };
        channel.load_logs(record)?;
        channel.load_facts(record)?;
        channel.load_wanted(now, record)?;
        channel.load_kems(record)?;
        channel.make_wrap(randomness);
        for party in channel.others() {
            channel.hurry(now, party);
        }
        channel.judge_all(now, record)?;
        Ok(channel)
    }

    fn load_logs(&mut self, record: &dyn Record) -> Result<(), OpenError> {
        let mut from = self.number.to_be_bytes().to_vec();
        let to = (self.number + 1).to_be_bytes();
        loop {
            let rows = record.scan(LOGS, &from, &to, PAGE)?;
            let Some((last, _)) = rows.last() else { break };
            from = [&last[..], &[0]].concat();
            for (key, value) in rows {
                let number =
                    key.get(4..8).and_then(|n| n.try_into().ok()).map_or(u32::MAX, u32::from_be_bytes);
                let row = read_log_row(&value).ok_or(OpenError::EnvironmentLogRow(number))?;
                self.load_log(number, row, record)?;
            }
        }
        self.close_named();
        let mirrored: Vec<LogKey> = self.logs.keys().filter(|key| key.party != self.me).copied().collect();
        for key in mirrored {
            self.learn_tags(key);
        }
        Ok(())
    }

    fn load_log(&mut self, number: u32, row: LogRow, record: &dyn Record) -> Result<(), OpenError> {
        let key = row.key;
        let role = if key.party == self.me {
            Role::Own(OwnLog::default())
        } else {
            Role::Mirror(MirrorLog::default())
        };
        let damaged = OpenError::EnvironmentLogRow(number);
        let parties = Arc::clone(&self.parties);
        let judge = LogJudge::resume(self.id, key, parties, &row.judge, &mut self.acts)
            .ok_or_else(|| damaged.clone())?;
        let log_number = LogNumber { channel: self.number, log: number };
        let mut log = Log::new(log_number, key, self.id, judge, role);
        log.durable = row.edge.size();
        log.remember_root(row.edge.size(), row.edge.root());
        log.edge = row.edge;
        log.edition = row.edition;
        log.frozen = row.frozen;
        self.load_lines(&mut log, record)?;
        self.next_log_number = self.next_log_number.max(number + 1);
        self.logs.insert(key, log);
        Ok(())
    }

    /// The newest lines of a log: who has cosigned how much. Older ones stay in the record.
    fn load_lines(&mut self, log: &mut Log, record: &dyn Record) -> Result<(), OpenError> {
        // Receipts stand at signed sizes; the last of each signer lie within the last sizes, or are
        // found by walking back further.
        let mut end = log.number.at(log.durable + 1);
        let mut back = 256;
        let wanted = self.parties.len() - 1;
        loop {
            let start_size = log.durable.saturating_sub(back);
            let start = log.number.at(start_size);
            let rows = record.scan(LINES, &start, &end, usize::MAX)?;
            for (key, value) in rows.iter().rev() {
                let Some(line) = read_line(log.key, key, value) else { continue };
                match line.kind {
                    LineKind::Log => {}
                    LineKind::LogPostQuantum => log.post_quantum = log.post_quantum.max(line.size),
                    LineKind::Receipt => {
                        let cosigned: &mut Cosigned = log.cosigned.entry(line.signer).or_default();
                        if line.size > cosigned.size {
                            cosigned.size = line.size;
                            cosigned.first = Some(line);
                        }
                    }
                    LineKind::ReceiptPostQuantum => {
                        let cosigned = log.cosigned.entry(line.signer).or_default();
                        cosigned.post_quantum = cosigned.post_quantum.max(line.size);
                    }
                }
            }
            let found = log.cosigned.values().filter(|cosigned| cosigned.size > 0).count();
            if start_size == 0 || found >= wanted {
                break;
            }
            end = start;
            back = back.saturating_mul(16);
        }
        let reached = log.cosigned.get(&self.my_index).map_or(0, |cosigned| cosigned.post_quantum);
        let durable = log.durable;
        match &mut log.role {
            Role::Mirror(mirror) => {
                mirror.post_quantum = reached;
                mirror.post_quantum_waits_since = (reached < durable).then_some(0);
            }
            // A former run's log gets no new lines: ML-DSA over the next generation entry reaches it.
            Role::Own(_) => {}
        }
        Ok(())
    }

    fn close_named(&mut self) {
        let mut closings = Vec::new();
        for log in self.logs.values() {
            for named in log.judge.generation().iter().flat_map(|generation| &generation.named) {
                closings.push((LogKey { generation: named.generation, ..log.key }, named.size));
            }
        }
        for (key, size) in closings {
            if let Some(log) = self.logs.get_mut(&key) {
                log.closed = Some(size);
            }
        }
    }

    /// The newest KEM key that each other party has announced: the wrap must not fall back to the
    /// credential's, which lives for years.
    fn load_kems(&mut self, record: &dyn Record) -> Result<(), OpenError> {
        let mut newest = BTreeMap::new();
        for (id, _) in self.acts.iter().filter(|(_, act)| matches!(act, Act::Key)) {
            let Some(log) = self.logs.get(&id.log).filter(|_| id.log.party != self.me) else { continue };
            let Some(item) = super::judging::read_leaf(log, id.index, record)? else { continue };
            let Ok(Entry::Machine(machine)) = Entry::decode(&item.entry) else { continue };
            if let Payload::Key(key) = machine.payload {
                let place = (machine.written, id.log.generation, id.index);
                let held = newest.entry(id.log.party).or_insert((place, key.kem.clone()));
                if held.0 < place {
                    *held = (place, key.kem);
                }
            }
        }
        for (party, (_, kem)) in newest {
            let index = self.index_of(party);
            if let Some(peer) = self.peers.get_mut(&index) {
                peer.kem = kem;
            }
        }
        Ok(())
    }

    fn load_facts(&mut self, record: &dyn Record) -> Result<(), OpenError> {
        let prefix = self.number.to_be_bytes();
        for slot in 0..2u8 {
            let key = [&prefix[..], b"n", &[slot]].concat();
            if let Some(value) = record.read(FACTS, &key)? {
                self.highest_number[usize::from(slot)] = value.try_into().map_or(0, u32::from_be_bytes);
            }
        }
        if let Some(value) = record.read(FACTS, &[&prefix[..], b"t"].concat())? {
            self.last_receipt_s = value.try_into().map_or(0, u64::from_be_bytes);
        }
        let end = (self.number + 1).to_be_bytes();
        let numbers: BTreeMap<LogNumber, LogKey> =
            self.logs.values().map(|log| (log.number, log.key)).collect();
        for (key, _) in record.scan(PROOFS, &prefix, &end, PAGE)? {
            let number = LogNumber {
                channel: self.number,
                log: key.get(4..8).and_then(|n| n.try_into().ok()).map_or(u32::MAX, u32::from_be_bytes),
            };
            let party = key.get(8..40).and_then(|party| party.try_into().ok()).map(PartyId);
            if let (Some(log), Some(party)) = (numbers.get(&number), party) {
                self.proofs.insert((*log, party));
            }
        }
        Ok(())
    }

    /// The root that this node knows for a log at a signed size.
    ///
    /// # Errors
    /// [`RecordError`] when the record cannot be read.
    pub fn root_at(&self, log: &LogKey, size: u64, record: &dyn Record) -> Result<Option<Hash>, RecordError> {
        self.logs.get(log).map_or(Ok(None), |log| log.root_at(size, record))
    }
}
