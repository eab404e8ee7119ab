//! A channel: one value that is told things and then asked what to do.
//!
//! ```text
//!   write, write_machine ──▶┐                        ┌──▶ Commit    make durable, then committed()
//!   handle (bytes of peers) ─┤  Channel (no I/O) ─────┼──▶ KeepEpoch keep in a file, then committed()
//!   committed (it is durable)┤                        ├──▶ Transmit  hand to a path
//!   tick (time has passed) ──┘                        └──▶ Event     raise to fold, watch, clients
//! ```
//!
//! Nothing leaves before what it rests on is durable: an entry's frame after its commit, a receipt
//! after the mirror's. All inputs are values, so the same inputs give the same outputs. The record
//! is read through [`Record`]; it is written only by answering [`Output::Commit`].
//! Source: `spec/replication.md`, `spec/sealing.md`.

mod catch_up;
mod epochs;
mod fork;
mod judging;
mod keys;
mod log_state;
mod machine;
mod message;
mod mirror;
mod own;
#[cfg(feature = "simulation")]
mod plant;
mod receipts;
mod rows;
mod schedule;
mod send;

pub(crate) mod open;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use detente_crypto::{Hash, Suite, sha256};
use detente_encoding::Timestamp;
use detente_encoding::cbor::{self, Value};

pub use epochs::KemKey;
pub use keys::{AccusedKeys, NodeKeys, PartyKeys, PublicKeys};
pub use message::{Line, LineKind};
pub use open::{OpenError, Pace, PeerSetup, Setup};
pub use own::{Released, WriteError, Written};
#[cfg(feature = "simulation")]
pub use plant::Danger;
pub use rows::{
    BLOBS, FACTS, KeyedValues, LEAVES, LINES, LOGS, LogNumber, PROOFS, Record, RecordError, Row, VIEWS,
    read_line,
};

use crate::judge::{Acts, Judged};
use crate::names::{ChannelId, EntryId, Lane, LogKey, PartyId, PartyIndex, Run};
use crate::sealing::{ControlSealer, Epoch, EpochName, Header, Kind, LogSeal, Sender, open_control};
use crate::seen::{Check, Seen, SeenTable};
use log_state::{Log, Role};
use message::{Codec, Message, Wish};

/// The two clocks: the wall's, which people read and which may step, and one that only goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// What people's clocks say.
    pub wall: Timestamp,
    /// Milliseconds since any moment before this process began; above 0, never steps back.
    pub mono_ms: u64,
}

/// How a frame stands in the queues of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// Before everything: the emergency lane, its receipts, wraps.
    Emergency,
    /// In order.
    Ordinary,
    /// Behind everything: blobs.
    Background,
}

/// Names a commit or a kept epoch until it is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(u64);

/// What a channel asks its node to do.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "handed out one by one and taken apart at once")]
pub enum Output {
    /// Make these rows durable as one, in the order of tickets; then call [`Channel::committed`].
    Commit {
        /// To be given back.
        ticket: Ticket,
        /// All or none of them.
        rows: Vec<Row>,
    },
    /// Keep another party's epoch secret in a file of its own; then call [`Channel::committed`].
    KeepEpoch {
        /// To be given back.
        ticket: Ticket,
        /// Whose epoch.
        party: PartyId,
        /// The secret.
        epoch: Epoch,
    },
    /// Hand these bytes to a path towards a party. They may be lost.
    Transmit {
        /// Which party.
        to: PartyIndex,
        /// Which queue.
        urgency: Urgency,
        /// A frame of 222 to 66,200 bytes.
        bytes: Vec<u8>,
    },
    /// Something people or programs may want to know.
    Event(Event),
}

/// What became known. Everything in it is durable, except where it says so.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "handed out one by one and taken apart at once")]
pub enum Event {
    /// An entry is durable here and has been judged.
    Entry {
        /// Where it stands.
        id: EntryId,
        /// Its leaf hash, as references cite it.
        leaf: Hash,
        /// Its bytes.
        entry: Vec<u8>,
        /// What it says, or the clause it breaks.
        judged: Judged,
        /// Written by this run.
        own: bool,
    },
    /// An own log has a durable line of this size.
    Signed {
        /// Which log.
        log: LogKey,
        /// Size signed.
        size: u64,
    },
    /// A party's receipt covers more of a log than before.
    Receipt {
        /// Which log.
        log: LogKey,
        /// Who holds it.
        by: PartyIndex,
        /// Size covered before.
        before: u64,
        /// Size covered now.
        size: u64,
        /// The cosigner's time, seconds.
        time_s: u64,
        /// When it arrived here.
        arrived: Timestamp,
    },
    /// A blob is held: a release proof or an attachment.
    Blob {
        /// SHA-256 of its bytes.
        hash: Hash,
    },
    /// An entry's `check` differs from what is held: the writer has seen another history.
    CheckFailed {
        /// Which entry.
        id: EntryId,
    },
    /// Proof that a party signed two histories. On every screen.
    Equivocation {
        /// Who.
        party: PartyIndex,
        /// Of which log.
        log: LogKey,
    },
    /// A party's receipt names another root than the writer's line; which of the two forked is open.
    ReceiptContradicts {
        /// Of which log.
        log: LogKey,
        /// The cosigner.
        by: PartyIndex,
    },
    /// A party signs for more of an own log than this node holds: its store is older than it was.
    OwnLogBeyond {
        /// Which log.
        log: LogKey,
        /// Size the other side holds.
        size: u64,
    },
    /// A party's watch is attended until then, confirmed by a person there.
    Presence {
        /// Which party.
        party: PartyIndex,
        /// Until when.
        until: Timestamp,
    },
    /// A party opens generations faster than the limit; one at a time is taken.
    Flooding {
        /// Who.
        party: PartyId,
        /// In which lane.
        lane: Lane,
    },
    /// An epoch of another party is no longer live; its file may be destroyed.
    EpochEnded {
        /// Whose.
        party: PartyId,
        /// Which.
        epoch: EpochName,
    },
}

/// What a ticket stands for.
#[derive(Debug)]
enum Pending {
    Own(Box<own::Batch>),
    Mirror { log: LogKey, end: u64 },
    Epoch { party: PartyId, epoch: Epoch },
    Blob { hash: Hash },
    Nothing,
}

/// What is known of another party's node.
#[derive(Debug)]
struct Peer {
    kem: Box<[u8; 1216]>,
    confirmed: Option<EpochName>,
    wrap_again: u64,
    heard: u64,
    closed_asked: u64,
    backfill_left: usize,
    backfill_at: u64,
}

/// Things dropped or refused, by reason. They are shown, for silence about them would hide attacks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Bytes that break the specification.
    pub malformed: u64,
    /// Frames of no known log or epoch.
    pub unknown_tag: u64,
    /// Lines that do not verify.
    pub line_refused: u64,
    /// Frames beyond a gap and beyond its bound.
    pub beyond_gap: u64,
    /// Generations beyond the day's bound.
    pub generations_held_back: u64,
    /// Own messages too long for any frame.
    pub too_long: u64,
}

/// One process's view of one channel.
pub struct Channel {
    suite: &'static dyn Suite,
    id: ChannelId,
    number: u32,
    charters: Vec<crate::charter::Charter>,
    parties: Arc<[PartyId]>,
    me: PartyId,
    my_index: PartyIndex,
    run: Run,
    keys: Arc<NodeKeys>,
    public: BTreeMap<PartyId, Vec<PartyKeys>>,
    epoch: Epoch,
    control: ControlSealer,
    wrap: Option<Vec<u8>>,
    wrap_stale: bool,
    kems: Vec<KemKey>,
    pace: Pace,
    peer_epochs: BTreeMap<PartyId, Vec<Epoch>>,
    peers: BTreeMap<PartyIndex, Peer>,
    logs: BTreeMap<LogKey, Log>,
    next_log_number: u32,
    live_own: [Option<LogKey>; 3],
    acts: Acts,
    tags: BTreeMap<[u8; 4], (LogKey, EpochName)>,
    seals: BTreeMap<(LogKey, EpochName), LogSeal>,
    unopened: Vec<Vec<u8>>,
    early: BTreeMap<Hash, Vec<u8>>,
    opened: BTreeMap<(PartyId, Lane), (u64, u32)>,
    opened_last: BTreeMap<(PartyId, Lane), u64>,
    openings: (u64, u32),
    proofs: BTreeSet<(LogKey, PartyId)>,
    statements: BTreeMap<Hash, (EntryId, u32)>,
    highest_number: [u32; 2],
    last_receipt_s: u64,
    cosign_due: BTreeSet<LogKey>,
    answer_again: BTreeSet<LogKey>,
    blobs: schedule::Blobs,
    timers: schedule::Timers,
    counters: Counters,
    /// The monotonic clock as last told.
    now_ms: u64,
    pending: BTreeMap<Ticket, Pending>,
    next_ticket: u64,
    outputs: VecDeque<Output>,
    #[cfg(feature = "simulation")]
    danger: Option<plant::Danger>,
}

impl core::fmt::Debug for Channel {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Channel({:?}, {} logs)", self.id, self.logs.len())
    }
}

impl Channel {
    /// The channel's name.
    #[must_use]
    pub fn id(&self) -> ChannelId {
        self.id
    }

    /// All parties in the charter's order.
    #[must_use]
    pub fn parties(&self) -> &[PartyId] {
        &self.parties
    }

    /// This party's place in it.
    #[must_use]
    pub fn my_index(&self) -> PartyIndex {
        self.my_index
    }

    /// What was dropped or refused since the start.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Monotonic ms when something authentic last came from a party; 0 for never in this run.
    #[must_use]
    pub fn heard_ms(&self, party: PartyIndex) -> u64 {
        self.peers.get(&party).map_or(0, |peer| peer.heard)
    }

    /// Size of a log that is durable here.
    #[must_use]
    pub fn durable_size(&self, log: &LogKey) -> u64 {
        self.logs.get(log).map_or(0, |log| log.durable)
    }

    /// Size of a log that a party has cosigned, as far as this node knows.
    #[must_use]
    pub fn cosigned_size(&self, log: &LogKey, by: PartyIndex) -> u64 {
        self.logs.get(log).map_or(0, |log| log.cosigned_by(by))
    }

    /// All logs held, with their numbers in the record and durable sizes.
    pub fn logs(&self) -> impl Iterator<Item = (&LogKey, LogNumber, u64)> {
        self.logs.values().map(|log| (&log.key, log.number, log.durable))
    }

    /// Takes bytes that came over a path. `from` is the party whose link they came over, if known.
    ///
    /// # Errors
    /// [`RecordError`] when the record cannot be read: stop. Whatever a peer did wrong is counted,
    /// and nothing is changed by it.
    pub fn handle(&mut self, now: Now, bytes: &[u8], record: &dyn Record) -> Result<(), RecordError> {
        self.now_ms = now.mono_ms;
        match Header::kind_of(bytes) {
            Ok(Kind::Frame) => self.handle_frame(now, bytes, record),
            Ok(Kind::Wrap) => {
                self.handle_wrap(now, bytes);
                Ok(())
            }
            Ok(kind) if kind.is_control() => self.handle_control(now, bytes, record),
            _ => {
                self.counters.malformed += 1;
                Ok(())
            }
        }
    }

    fn handle_control(&mut self, now: Now, bytes: &[u8], record: &dyn Record) -> Result<(), RecordError> {
        let Ok((header, _)) = Header::parse(bytes) else {
            self.counters.malformed += 1;
            return Ok(());
        };
        let Some((from, content)) = self.open_message(&header, bytes) else {
            self.counters.unknown_tag += 1;
            if matches!(header.sender, Sender::Control(_)) {
                self.keep_unopened(bytes);
                self.ask_for_more(now);
            }
            return Ok(());
        };
        self.heard(self.parties[usize::from(from.0)], now);
        let codec = Codec { parties: &self.parties };
        match codec.decode(header.kind, from, &content) {
            Some(Message::Line(items)) => self.handle_lines(now, from, items, record),
            Some(Message::Have { live, closed }) => self.handle_have(now, from, &live, &closed, record),
            Some(Message::Want(wishes)) => self.handle_want(now, from, wishes, record),
            Some(Message::Blob { keyed, total, offset, bytes }) => {
                self.handle_blob(now, from, keyed, total, offset, &bytes);
                Ok(())
            }
            Some(Message::Proof(bytes)) => {
                self.handle_proof(now, &bytes);
                Ok(())
            }
            Some(Message::Backfill { log, first, leaves, line }) => {
                self.handle_backfill(now, log, first, leaves, line, record)
            }
            None => {
                self.counters.malformed += 1;
                Ok(())
            }
        }
    }

    fn open_message(&mut self, header: &Header, bytes: &[u8]) -> Option<(PartyIndex, Vec<u8>)> {
        let (mut found, parties) = (None, &self.parties);
        for (party, epochs) in &mut self.peer_epochs {
            for place in (0..epochs.len()).rev() {
                let Some(content) = open_control(&epochs[place], *party, header, bytes) else { continue };
                // The epochs in use stay last, so that a replayed wrap can never push them out.
                let used = epochs.remove(place);
                epochs.push(used);
                let index = parties.iter().position(|known| known == party)?;
                found = Some((PartyIndex(u8::try_from(index).ok()?), content));
                break;
            }
            if found.is_some() {
                break;
            }
        }
        found
    }

    fn handle_backfill(
        &mut self,
        now: Now,
        log: LogKey,
        first: u64,
        leaves: Vec<Vec<u8>>,
        line: Option<(u64, Hash, [u8; 64])>,
        record: &dyn Record,
    ) -> Result<(), RecordError> {
        let Some((size, _, signature)) = line else { return Ok(()) };
        // Taken when its own line covers exactly what it brings; other pieces are asked for again.
        if leaves.is_empty() || first.checked_add(leaves.len() as u64) != Some(size) {
            return Ok(());
        }
        let mut entries = Vec::with_capacity(leaves.len());
        for leaf in leaves {
            let Some((salt, entry)) = leaf.split_first_chunk::<16>() else { return Ok(()) };
            entries.push(crate::sealing::FrameEntry { salt: Some(*salt), entry: entry.to_vec() });
        }
        let content = crate::sealing::FrameContent { first, entries, line: signature };
        self.take(now, log, content, record)
    }

    /// What a ticket stood for is durable.
    ///
    /// # Errors
    /// [`RecordError`] when the record cannot be read: stop.
    pub fn committed(&mut self, now: Now, ticket: Ticket, record: &dyn Record) -> Result<(), RecordError> {
        match self.pending.remove(&ticket) {
            Some(Pending::Own(batch)) => {
                self.own_durable(now, *batch);
                // What others wrote may have waited for what this entry settles.
                self.judge_all(now, record)
            }
            Some(Pending::Mirror { log, end }) => self.mirror_durable(now, log, end, record),
            Some(Pending::Epoch { party, epoch }) => self.epoch_kept(now, party, epoch, record),
            Some(Pending::Blob { hash }) => {
                self.outputs.push_back(Output::Event(Event::Blob { hash }));
                Ok(())
            }
            Some(Pending::Nothing) | None => Ok(()),
        }
    }

    /// The next thing to do; call until it answers `None`, after every input.
    ///
    /// # Errors
    /// [`RecordError`] when the record cannot be read: stop.
    pub fn poll(&mut self, now: Now, record: &dyn Record) -> Result<Option<Output>, RecordError> {
        if self.outputs.is_empty() {
            self.flush();
            self.send_receipts(now, record)?;
            self.keep_wanted();
        }
        Ok(self.outputs.pop_front())
    }

    fn ticket(&mut self, pending: Pending) -> Ticket {
        let ticket = Ticket(self.next_ticket);
        self.next_ticket += 1;
        self.pending.insert(ticket, pending);
        ticket
    }

    fn commit(&mut self, rows: Vec<Row>, pending: Pending) {
        let ticket = self.ticket(pending);
        self.outputs.push_back(Output::Commit { ticket, rows });
    }

    fn insert_log(&mut self, key: LogKey, role: Role) {
        let number = LogNumber { channel: self.number, log: self.next_log_number };
        self.next_log_number += 1;
        let parties = Arc::clone(&self.parties);
        let judge = crate::judge::LogJudge::new(self.id, key, parties)
            .expect("logs belong to parties of the channel");
        self.logs.insert(key, Log::new(number, key, self.id, judge, role));
    }

    fn log_keys(&self, party: PartyId, edition: Option<u32>) -> Option<&PartyKeys> {
        let editions = self.public.get(&party)?;
        match edition {
            Some(edition) => editions.iter().find(|keys| keys.edition == edition),
            None => editions.last(),
        }
    }

    fn my_edition(&self) -> u32 {
        self.public.get(&self.me).and_then(|editions| editions.last()).map_or(1, |keys| keys.edition)
    }

    /// What the writer of `log` lists next, and the check over it.
    fn next_seen(&self, log: &LogKey, record: &dyn Record) -> Result<(Seen, Option<Check>), RecordError> {
        self.seen_from(self.logs[log].judge.table(), log, record)
    }

    fn seen_from(
        &self,
        table: &SeenTable,
        own: &LogKey,
        record: &dyn Record,
    ) -> Result<(Seen, Option<Check>), RecordError> {
        let held = self.logs.values().filter(|log| log.key != *own).map(|log| (log.key, log.durable));
        let seen = table.next(held, &self.parties);
        if seen.0.is_empty() {
            return Ok((seen, None));
        }
        let mut after = table.clone();
        if after.apply(&seen, &self.parties).is_err() {
            return Ok((Seen::default(), None));
        }
        let mut failed = None;
        let check = after.check(|log, size| match self.logs.get(log)?.root_at(size, record) {
            Ok(root) => root,
            Err(error) => {
                failed = Some(error);
                None
            }
        });
        match failed {
            Some(error) => Err(error),
            // A log seen and no longer held (lost store): list nothing rather than a false check.
            None if check.is_none() => Ok((Seen::default(), None)),
            None => Ok((seen, check)),
        }
    }

    fn ask_for_more(&mut self, now: Now) {
        if now.mono_ms >= self.timers.have_asked + 2_000 {
            self.timers.have_asked = now.mono_ms;
            self.timers.have_due = now.mono_ms;
            // Bytes of no epoch known here: the sender may believe that we hold one we lost.
            let wish = Wish::Wrap(EpochName([0; 8]));
            self.send_message(None, Urgency::Ordinary, &Message::Want(vec![wish]));
        }
    }

    fn beyond_own(&mut self, _now: Now, line: &Line) {
        self.outputs.push_back(Output::Event(Event::OwnLogBeyond { log: line.log, size: line.size }));
        let wish = Wish::Entries { log: line.log, from: self.durable_size(&line.log), count: 4096 };
        self.send_message(Some(line.signer), Urgency::Ordinary, &Message::Want(vec![wish]));
    }
}

/// The name under which a blob is asked for: readers of the channel know it, relays do not.
pub(crate) fn blob_name(channel: ChannelId, hash: &Hash) -> Hash {
    sha256(&[b"detente/1/blob\0", &channel.0, &hash.0])
}

fn confirm_message(channel: ChannelId, epoch: EpochName) -> Vec<u8> {
    [b"detente/1/confirm\0".as_slice(), &channel.0, &epoch.0].concat()
}

fn presence_message(channel: ChannelId, party: PartyId, expiry_ms: i64) -> Vec<u8> {
    let value = Value::Array(vec![Value::bytes(&channel.0), Value::bytes(&party.0), Value::from(expiry_ms)]);
    [b"detente/1/presence\0".as_slice(), &cbor::encode(&value)].concat()
}
