//! Writing: this party's own logs of this run.
//!
//! An entry waits in a batch until the batch before it is on its way to the disk; then the batch
//! gets one log line, becomes one commit, and leaves as one frame once it is durable. Under load
//! batches grow by themselves, and one signature serves many entries.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use detente_crypto::Hash;
use detente_transparency::leaf_hash;

use super::log_state::{Log, Role};
use super::message::{Line, LineKind};
use super::rows::{BLOBS, FACTS, LEAVES, Record, RecordError, Row, VIEWS, line_row};
use super::{Channel, Event, Now, Output, Pending, blob_name};
use crate::entry::{Cause, Entry, GenerationPayload, MachineEntry, Named, Payload, SpokenEntry};
use crate::judge::{Judged, Verdict};
use crate::limits::{EMERGENCY_ENTRY_MAX, LEAF_DATA_MAX};
use crate::names::{EntryId, Generation, Lane, LogKey, PartyIndex};
use crate::sealing::{EpochName, FrameContent, FrameEntry, LogSeal, seal_frame};
use crate::statement::{Placement, Statement};

/// Entries of one batch, and so of one frame, at most.
const BATCH_ENTRIES_MAX: usize = 64;
/// Bytes of one batch after which it is closed: below the largest frame with one largest entry.
const BATCH_BYTES_MAX: usize = 48_000;
/// Batches of one log on their way to the disk at once; more would only make them smaller.
const BATCHES_IN_FLIGHT_MAX: usize = 2;
/// Sealed frames kept for repetition; older entries are sent again as backfill.
const RECENT_FRAMES_MAX: usize = 128;
/// Largest generation number written: a named frame has two bytes for it.
const GENERATION_NUMBER_MAX: u32 = 65_535;
/// Entries that may wait to be written in one lane.
const WAITING_MAX: usize = 8192;

/// What only own logs have.
#[derive(Debug, Default)]
pub(crate) struct OwnLog {
    /// Written by this run; former runs' logs are only sent again.
    pub(crate) live: bool,
    pub(crate) seal: Option<LogSeal>,
    pub(crate) waiting: VecDeque<Waiting>,
    pub(crate) in_flight: usize,
    pub(crate) recent: VecDeque<RecentFrame>,
    pub(crate) sending: BTreeMap<PartyIndex, super::send::Sending>,
    pub(crate) post_quantum_waits_since: Option<u64>,
}

/// An entry written and not yet in a batch.
#[derive(Debug)]
pub(crate) struct Waiting {
    entry: Vec<u8>,
    salt: [u8; 16],
    epoch: EpochName,
    leaf: Hash,
    judged: Judged,
    rows: Vec<Row>,
    proof: Option<Vec<u8>>,
}

/// A frame as it was first sent.
#[derive(Debug)]
pub(crate) struct RecentFrame {
    pub(crate) first: u64,
    pub(crate) end: u64,
    pub(crate) bytes: Vec<u8>,
}

/// A batch on its way to the disk.
#[derive(Debug)]
pub(crate) struct Batch {
    log: LogKey,
    content: FrameContent,
    end: u64,
    root: Hash,
    /// The epoch that derives all its salts, if one does.
    epoch: Option<EpochName>,
    line: Vec<u8>,
    judged: Vec<(Hash, Vec<u8>, Judged)>,
    proofs: Vec<Vec<u8>>,
}

/// What [`Channel::write`] answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// Where the statement stands.
    pub entry: EntryId,
    /// Citation number.
    pub number: u32,
    /// It had been entered before; nothing new was written.
    pub repeated: bool,
}

/// A statement to be entered, with its release.
#[derive(Clone, Debug)]
pub struct Released {
    /// What officers signed.
    pub statement: Statement,
    /// Lane it was signed for.
    pub lane: Lane,
    /// Bytes of the release proof, checked by the node against the party's rule.
    pub proof: Vec<u8>,
    /// Whether the proof goes along to the other parties.
    pub proof_travels: bool,
}

/// Why a statement is not entered. Nothing is written.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteError {
    /// Written so, the entry would be void. The clause says why; correct the draft.
    LocalVoid(crate::entry::Clause),
    /// Longer than its lane allows: bytes found, bytes allowed. Shorten it or attach a file.
    LocalTooLong {
        /// Bytes the entry would have.
        bytes: usize,
        /// Bytes it may have.
        most: usize,
    },
    /// A reference speaks of an entry this node has not seen.
    LocalReference,
    /// Too many entries wait for the disk. Try again when it has caught up.
    EnvironmentBusy,
    /// The record cannot be read.
    EnvironmentRecord(RecordError),
}

impl core::fmt::Display for WriteError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::LocalVoid(clause) => {
                write!(f, "entered so it would be void (clause {clause}); correct the draft")
            }
            Self::LocalTooLong { bytes, most } => {
                write!(f, "it has {bytes} bytes, its lane allows {most}; shorten it or attach a file")
            }
            Self::LocalReference => f.write_str("it refers to an entry that this node does not hold"),
            Self::EnvironmentBusy => f.write_str("too many entries wait for the disk; try again shortly"),
            Self::EnvironmentRecord(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for WriteError {}

impl From<RecordError> for WriteError {
    fn from(error: RecordError) -> Self {
        Self::EnvironmentRecord(error)
    }
}

impl Channel {
    /// Enters a released statement in this party's log. It is durable, and goes out, when the
    /// commit that follows is; the `Entry` event says so.
    ///
    /// # Errors
    /// [`WriteError`]; nothing is written.
    pub fn write(
        &mut self,
        now: Now,
        released: Released,
        record: &dyn Record,
    ) -> Result<Written, WriteError> {
        let Released { statement, lane, proof, proof_travels } = released;
        let hash = statement.hash(self.id, self.me, lane);
        if let Some((entry, number)) = self.entered(&hash, record)? {
            return Ok(Written { entry, number, repeated: true });
        }
        let log = self.own_log(now, lane, record)?;
        let number = self.highest_number[usize::from(lane == Lane::Exercise)].saturating_add(1);
        let proof_hash = detente_crypto::sha256(&[&proof]);
        let delay = now.wall.since(statement.drafted);
        let (seen, check) = self.next_seen(&log, record)?;
        let mut table = self.logs[&log].judge.table().clone();
        let _ = table.apply(&seen, &self.parties);
        let placement = Placement { number, delay, seen, check, proof: proof_hash };
        let spoken: SpokenEntry =
            statement.place(&table, placement).map_err(|_| WriteError::LocalReference)?;
        let mut rows = Vec::new();
        if proof_travels {
            rows.push(Row { table: BLOBS, key: proof_hash.0.to_vec(), value: proof.clone() });
            rows.push(self.keyed_row(&proof_hash));
        }
        let (entry, _) =
            self.append(log, &Entry::Spoken(spoken), rows, proof_travels.then_some(proof), record)?;
        let slot = usize::from(lane == Lane::Exercise);
        self.highest_number[slot] = number;
        self.statements.insert(hash, (entry, number));
        let own = self.logs.get_mut(&log).and_then(Log::own_mut).expect("an own log was just appended to");
        let waiting = own.waiting.back_mut().expect("the entry was just put there");
        waiting.rows.push(Row {
            table: VIEWS,
            key: [&self.number.to_be_bytes()[..], b"s", &hash.0].concat(),
            value: statement_row(&entry, number),
        });
        waiting.rows.push(Row {
            table: FACTS,
            key: [&self.number.to_be_bytes()[..], b"n", &[u8::try_from(slot).expect("0 or 1")]].concat(),
            value: number.to_be_bytes().to_vec(),
        });
        Ok(Written { entry, number, repeated: false })
    }

    /// Enters a machine entry in the log of `lane`.
    ///
    /// # Errors
    /// [`WriteError`]; nothing is written.
    pub fn write_machine(
        &mut self,
        now: Now,
        lane: Lane,
        payload: Payload,
        record: &dyn Record,
    ) -> Result<EntryId, WriteError> {
        let log = self.own_log(now, lane, record)?;
        let (seen, check) = self.next_seen(&log, record)?;
        let entry = Entry::Machine(MachineEntry { written: now.wall, seen, check, payload });
        self.append(log, &entry, Vec::new(), None, record).map(|(id, _)| id)
    }

    /// The entry of a statement entered before, by this run or a former one.
    fn entered(&self, hash: &Hash, record: &dyn Record) -> Result<Option<(EntryId, u32)>, RecordError> {
        #[cfg(feature = "simulation")]
        if self.planted(super::Danger::StatementTwice) {
            return Ok(None);
        }
        if let Some(known) = self.statements.get(hash) {
            return Ok(Some(*known));
        }
        let key = [&self.number.to_be_bytes()[..], b"s", &hash.0].concat();
        Ok(record.read(VIEWS, &key)?.and_then(|value| read_statement_row(&value)))
    }

    /// The log of this run in `lane`; opened by a generation entry at its first write.
    pub(crate) fn own_log(
        &mut self,
        now: Now,
        lane: Lane,
        record: &dyn Record,
    ) -> Result<LogKey, WriteError> {
        if let Some(log) = self.live_own[lane as usize] {
            return Ok(log);
        }
        let mut named = Vec::new();
        let mut number = 0;
        for log in self.logs.values().filter(|log| log.key.party == self.me && log.key.lane == lane) {
            number = number.max(log.key.generation.number);
            // Frozen logs are never named: readers hold them only to where the two histories part.
            let whole = log.durable > 0 && log.judge.index() == log.durable;
            if log.closed.is_none() && !log.frozen && whole {
                let root = log.durable_root(record)?;
                named.push(Named { generation: log.key.generation, size: log.durable, root });
            }
        }
        named.sort_by_key(|named| named.generation);
        // Numbers are labels and may repeat; they stay within the two bytes of a named frame.
        let generation = Generation { number: number % GENERATION_NUMBER_MAX + 1, run: self.run };
        let key = LogKey { party: self.me, lane, generation };
        let seal = LogSeal::new(&self.epoch, self.id, &key);
        let own = OwnLog { live: true, seal: Some(seal), ..OwnLog::default() };
        self.insert_log(key, Role::Own(own));
        self.live_own[lane as usize] = Some(key);
        let payload = Payload::Generation(GenerationPayload {
            cause: Cause::Start,
            suite: self.suite.number().max(1),
            credential_edition: self.my_edition(),
            named: named.clone(),
        });
        let Some(inherited) = self.inherited_table(key, &named, record)? else {
            self.forget_log(&key);
            return Err(WriteError::LocalReference);
        };
        let (seen, check) = self.seen_from(&inherited, &key, record)?;
        let entry = Entry::Machine(MachineEntry { written: now.wall, seen, check, payload });
        match self.append(key, &entry, Vec::new(), None, record) {
            Ok(_) => Ok(key),
            Err(error) => {
                // Without its generation entry there is no log; the next write tries again.
                self.forget_log(&key);
                Err(error)
            }
        }
    }

    pub(crate) fn append(
        &mut self,
        key: LogKey,
        entry: &Entry,
        rows: Vec<Row>,
        proof: Option<Vec<u8>>,
        record: &dyn Record,
    ) -> Result<(EntryId, Hash), WriteError> {
        let bytes = entry.encode();
        let most = if key.lane == Lane::Emergency { EMERGENCY_ENTRY_MAX } else { LEAF_DATA_MAX - 16 };
        #[cfg(feature = "simulation")]
        let most = if self.planted(super::Danger::LongEmergency) { LEAF_DATA_MAX - 16 } else { most };
        if bytes.len() > most {
            return Err(WriteError::LocalTooLong { bytes: bytes.len(), most });
        }
        let log = &self.logs[&key];
        let own = log.own().expect("appended to own logs only");
        if own.waiting.len() >= WAITING_MAX {
            return Err(WriteError::EnvironmentBusy);
        }
        let index = log.edge.size() + own.waiting.len() as u64;
        let salt = self.epoch.salt(log.name.as_str(), index);
        let leaf = leaf_hash(&[&salt[..], &bytes].concat());
        // Judged before it is written: what would be void is refused, not entered.
        let mut judge = log.judge.clone();
        let judged = judge.judge(&bytes, &self.context(record));
        match judged.verdict {
            #[cfg(feature = "simulation")]
            Verdict::Void(crate::entry::Clause::Size) if self.planted(super::Danger::LongEmergency) => {}
            Verdict::Void(clause) => return Err(WriteError::LocalVoid(clause)),
            Verdict::Waiting => return Err(WriteError::LocalReference),
            Verdict::Valid | Verdict::NotYetUnderstood => {}
        }
        let id = EntryId { log: key, index };
        self.note_act(&id, &judged);
        let log = self.logs.get_mut(&key).expect("looked up above");
        log.judge = judge;
        if log.edition.is_none() {
            log.edition = log.judge.generation().map(|generation| generation.credential_edition);
        }
        let own = log.own_mut().expect("appended to own logs only");
        let epoch = self.epoch.name();
        own.waiting.push_back(Waiting { entry: bytes, salt, epoch, leaf, judged, rows, proof });
        Ok((id, leaf))
    }

    /// Closes batches that may go, emergency lane first.
    pub(crate) fn flush(&mut self) {
        for lane in [Lane::Emergency, Lane::Ordinary, Lane::Exercise] {
            while let Some(key) = self.live_own[lane as usize] {
                let own = self.logs[&key].own().expect("live own logs are own");
                if own.waiting.is_empty() || own.in_flight >= BATCHES_IN_FLIGHT_MAX {
                    break;
                }
                self.close_batch(key);
            }
        }
    }

    fn close_batch(&mut self, key: LogKey) {
        let channel_number = self.number;
        let log = self.logs.get_mut(&key).expect("live own logs are held");
        let number = log.number;
        let Role::Own(own) = &mut log.role else { return };
        let first = log.edge.size();
        let (mut bytes, mut rows) = (0, Vec::new());
        let mut content = FrameContent { first, entries: Vec::new(), line: [0; 64] };
        let (mut judged, mut proofs, mut epochs) = (Vec::new(), Vec::new(), BTreeSet::new());
        while let Some(next) = own.waiting.front() {
            let full = content.entries.len() >= BATCH_ENTRIES_MAX
                || (bytes > 0 && bytes + next.entry.len() > BATCH_BYTES_MAX);
            if full {
                break;
            }
            let waiting = own.waiting.pop_front().expect("looked at above");
            bytes += waiting.entry.len();
            let index = log.edge.size();
            log.edge.append(waiting.leaf);
            let value = [&waiting.salt[..], &waiting.entry].concat();
            rows.push(Row { table: LEAVES, key: number.at(index), value });
            rows.extend(waiting.rows);
            proofs.extend(waiting.proof);
            judged.push((waiting.leaf, waiting.entry.clone(), waiting.judged));
            epochs.insert(waiting.epoch);
            content.entries.push(FrameEntry { salt: Some(waiting.salt), entry: waiting.entry });
        }
        own.in_flight += 1;
        let (end, root) = (log.edge.size(), log.edge.root());
        let checkpoint = log.checkpoint(end, root);
        let line = self.keys.sign(LineKind::Log, log.name.as_str(), &checkpoint, 0);
        content.line.copy_from_slice(&line);
        log.remember_root(end, root);
        let signer = self.my_index;
        let stored = Line {
            kind: LineKind::Log,
            signer,
            log: key,
            size: end,
            root,
            time_s: 0,
            signature: line.clone(),
        };
        rows.push(line_row(number, &stored, false));
        debug_assert_eq!(number.channel, channel_number);
        rows.push(super::open::log_row(log, &self.acts));
        let epoch = epochs.pop_first().filter(|_| epochs.is_empty());
        let batch = Batch { log: key, content, end, root, epoch, line, judged, proofs };
        self.commit(rows, Pending::Own(Box::new(batch)));
    }

    /// The batch is durable: it becomes an event here and a frame for everybody else.
    pub(crate) fn own_durable(&mut self, now: Now, mut batch: Batch) {
        // Salts that the present epoch derives are not sent; others stand in the frame.
        if batch.epoch == Some(self.epoch.name()) {
            batch.content.entries.iter_mut().for_each(|entry| entry.salt = None);
        }
        let key = batch.log;
        let log = self.logs.get_mut(&key).expect("own logs stay");
        log.durable = batch.end;
        let named = log.cosigned.len() + 1 < self.parties.len() || log.cosigned.values().any(|c| c.size == 0);
        let Role::Own(own) = &mut log.role else { return };
        own.in_flight -= 1;
        own.post_quantum_waits_since.get_or_insert(now.mono_ms);
        let seal = own.seal.as_ref().expect("live logs have a seal");
        let frame = seal_frame(&self.epoch, seal, &key, &batch.content, named);
        match frame {
            Ok(bytes) => {
                let first = batch.content.first;
                own.recent.push_back(RecentFrame { first, end: batch.end, bytes });
                while own.recent.len() > RECENT_FRAMES_MAX {
                    own.recent.pop_front();
                }
            }
            // Cannot be framed (never for what this node writes): it travels as backfill.
            Err(_) => own.recent.clear(),
        }
        let line = (batch.end, batch.root, batch.line);
        for (index, (leaf, entry, judged)) in (batch.content.first..).zip(batch.judged) {
            let id = EntryId { log: key, index };
            self.outputs.push_back(Output::Event(Event::Entry { id, leaf, entry, judged, own: true }));
        }
        self.outputs.push_back(Output::Event(Event::Signed { log: key, size: line.0 }));
        self.send_new(now, key);
        for proof in batch.proofs {
            self.send_blob(&proof);
        }
    }

    pub(crate) fn keyed_row(&self, hash: &Hash) -> Row {
        let keyed = blob_name(self.id, hash);
        let key = [&self.number.to_be_bytes()[..], b"k", &keyed.0].concat();
        Row { table: VIEWS, key, value: hash.0.to_vec() }
    }
}

fn statement_row(entry: &EntryId, number: u32) -> Vec<u8> {
    let mut out = number.to_be_bytes().to_vec();
    out.extend_from_slice(&entry.log.party.0);
    out.push(entry.log.lane as u8);
    out.extend_from_slice(&entry.log.generation.number.to_be_bytes());
    out.extend_from_slice(&entry.log.generation.run.0);
    out.extend_from_slice(&entry.index.to_be_bytes());
    out
}

fn read_statement_row(bytes: &[u8]) -> Option<(EntryId, u32)> {
    let (number, rest) = bytes.split_first_chunk::<4>()?;
    let (party, rest) = rest.split_first_chunk::<32>()?;
    let (&[lane], rest) = rest.split_first_chunk::<1>()?;
    let (generation, rest) = rest.split_first_chunk::<4>()?;
    let (run, rest) = rest.split_first_chunk::<8>()?;
    let log = LogKey {
        party: crate::names::PartyId(*party),
        lane: Lane::from_number(u64::from(lane))?,
        generation: Generation { number: u32::from_be_bytes(*generation), run: crate::names::Run(*run) },
    };
    let index = u64::from_be_bytes(rest.try_into().ok()?);
    Some((EntryId { log, index }, u32::from_be_bytes(*number)))
}
