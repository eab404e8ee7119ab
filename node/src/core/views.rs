//! Views of the record: how far each log was told, who answered what, what is not settled yet.
//!
//! They are gathered in one batch and kept a few times a second. What a crash takes of them is made
//! again at the start from the entries behind the progress that was kept.

use std::collections::{BTreeMap, BTreeSet};

use detente_encoding::Timestamp;
use detente_encoding::cbor::{self, Value};
use detente_journal::{Batch, Completion, Done, Engine, Scan};
use detente_protocol::channel::{LogNumber, Now, Row, Ticket};
use detente_protocol::entry::Entry;
use detente_protocol::judge::{Judged, Verdict};
use detente_protocol::names::{EntryId, LogKey, PartyIndex};

use super::Core;
use crate::refusal::Refusal;
use crate::store::{ANSWERS, NODE, UNSETTLED};

/// Changes after which views are kept at once: far below what one batch of the record takes.
const CHANGES_MAX: usize = 4096;
/// Releases in one line of the house log: far below the longest row.
const RELEASES_MAX: usize = 1024;
/// Unsettled messages of one channel whose clocks are watched.
const UNSETTLED_MAX: usize = 65_536;

/// A message that somebody has yet to acknowledge.
#[derive(Clone, Debug)]
pub(crate) struct Unsettled {
    pub(crate) row: Vec<u8>,
    pub(crate) number: u32,
    pub(crate) written: Timestamp,
    pub(crate) deadline: Timestamp,
    /// Places of the parties that have not acknowledged.
    pub(crate) waiting: BTreeSet<u8>,
    pub(crate) told: bool,
    kept: bool,
}

/// How far a log was told.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    pub(crate) entries: u64,
    /// Size up to which delivery to each party was told.
    pub(crate) delivered: BTreeMap<u8, u64>,
}

/// Everything waiting to be kept.
#[derive(Default)]
pub(crate) struct Views {
    pub(crate) batch: Batch,
    pub(crate) kept_ms: u64,
    pub(crate) told: BTreeMap<(u32, LogKey), Told>,
    pub(crate) unsettled: BTreeMap<(u32, EntryId), Unsettled>,
    answers: BTreeSet<Vec<u8>>,
    answers_new: BTreeSet<Vec<u8>>,
    changed_logs: BTreeMap<(u32, LogKey), LogNumber>,
    changed_messages: BTreeSet<(u32, EntryId)>,
    events: usize,
    deferred: Vec<Row>,
    tickets: Vec<(u32, Ticket)>,
}

impl Views {
    pub(crate) fn dirty(&self) -> bool {
        self.events > 0
            || !self.batch.is_empty()
            || !self.tickets.is_empty()
            || !self.changed_logs.is_empty()
            || !self.changed_messages.is_empty()
    }

    pub(crate) fn event(&mut self) {
        self.events += 1;
    }

    /// Takes rows of a channel that are kept with the next commit, in the order of tickets.
    pub(crate) fn defer(&mut self, channel: u32, ticket: Ticket, rows: Vec<Row>) {
        self.deferred.extend(rows);
        self.tickets.push((channel, ticket));
    }

    /// Whether so much has gathered that it is kept now.
    pub(crate) fn heavy(&self) -> bool {
        self.events + self.answers_new.len() + self.changed_messages.len() + self.deferred.len() > CHANGES_MAX
    }

    pub(crate) fn progress(&mut self, channel: u32, number: LogNumber, log: LogKey) -> &mut Told {
        self.changed_logs.insert((channel, log), number);
        self.told.entry((channel, log)).or_default()
    }

    pub(crate) fn open(&mut self, channel: u32, id: EntryId, message: Unsettled) {
        if self.unsettled.len() < UNSETTLED_MAX && !message.waiting.is_empty() {
            self.unsettled.insert((channel, id), message);
            self.changed_messages.insert((channel, id));
        }
    }

    pub(crate) fn acknowledged(&mut self, channel: u32, id: EntryId, by: PartyIndex) {
        let Some(message) = self.unsettled.get_mut(&(channel, id)) else { return };
        message.waiting.remove(&by.0);
        if !message.waiting.is_empty() {
            self.changed_messages.insert((channel, id));
            return;
        }
        if message.kept {
            self.batch.delete(UNSETTLED, &message.row);
        }
        self.unsettled.remove(&(channel, id));
        self.changed_messages.remove(&(channel, id));
    }

    /// Notes that the entry at `by` refers to the one at `to`.
    pub(crate) fn answered(&mut self, to: &[u8], by: &[u8], kind: u8) {
        let key = [to, by].concat();
        self.batch.put(ANSWERS, &key, &[kind]);
        self.answers_new.insert(key);
    }

    /// Keys of answers to the entry at `to` that may not be in the record yet.
    pub(crate) fn answers_waiting(&self, to: &[u8]) -> Vec<Vec<u8>> {
        let of = |set: &BTreeSet<Vec<u8>>| -> Vec<Vec<u8>> {
            set.range(to.to_vec()..).take_while(|key| key.starts_with(to)).cloned().collect()
        };
        [of(&self.answers), of(&self.answers_new)].concat()
    }

    /// Notes that an entry is not valid.
    pub(crate) fn not_valid(&mut self, at: &[u8], verdict: &str) {
        self.batch.put(ANSWERS, &[at, b"!"].concat(), verdict.as_bytes());
    }

    /// An entry that was not valid is, now that more is known.
    pub(crate) fn valid_after_all(&mut self, at: &[u8]) {
        self.batch.delete(ANSWERS, &[at, b"!"].concat());
    }

    fn gather(&mut self) -> Batch {
        for ((channel, log), number) in std::mem::take(&mut self.changed_logs) {
            let told = &self.told[&(channel, log)];
            let delivered =
                told.delivered.iter().flat_map(|(p, s)| [Value::from(u64::from(*p)), Value::from(*s)]);
            let value = Value::Array([Value::from(told.entries)].into_iter().chain(delivered).collect());
            let key = [b"told/".as_slice(), &number.prefix()].concat();
            self.batch.put(NODE, &key, &cbor::encode(&value));
        }
        for id in std::mem::take(&mut self.changed_messages) {
            let Some(message) = self.unsettled.get_mut(&id) else { continue };
            message.kept = true;
            self.batch.put(UNSETTLED, &message.row, &message.encode());
        }
        // Those of the batch before are in the record by now, or the node has halted.
        self.answers = std::mem::take(&mut self.answers_new);
        std::mem::take(&mut self.batch)
    }
}

impl Unsettled {
    pub(crate) fn new(
        row: Vec<u8>,
        number: u32,
        written: Timestamp,
        deadline: Timestamp,
        waiting: BTreeSet<u8>,
    ) -> Self {
        Self { row, number, written, deadline, waiting, told: false, kept: false }
    }

    fn encode(&self) -> Vec<u8> {
        let mut items = vec![
            Value::from(u64::from(self.number)),
            Value::from(self.written.millis()),
            Value::from(self.deadline.millis()),
            Value::from(self.told),
        ];
        items.extend(self.waiting.iter().map(|place| Value::from(u64::from(*place))));
        cbor::encode(&Value::Array(items))
    }

    fn decode(row: &[u8], bytes: &[u8]) -> Option<Self> {
        let value = cbor::decode(bytes).ok()?;
        let [number, written, deadline, told, waiting @ ..] = value.as_array()? else { return None };
        let place = |value: &Value| u8::try_from(value.as_u64()?).ok();
        Some(Self {
            row: row.to_vec(),
            number: u32::try_from(number.as_u64()?).ok()?,
            written: Timestamp::from_millis(written.as_i64()?),
            deadline: Timestamp::from_millis(deadline.as_i64()?),
            waiting: waiting.iter().map(place).collect::<Option<_>>()?,
            told: told.as_bool()?,
            kept: true,
        })
    }
}

impl Core {
    /// Keeps what has gathered; answers what to wait for, if anything was to be kept.
    pub(crate) fn keep_views(&mut self, now: Now) -> Result<Option<Completion>, Refusal> {
        self.views.kept_ms = now.mono_ms;
        if !self.releases.is_empty() {
            for lines in std::mem::take(&mut self.releases).chunks(RELEASES_MAX) {
                self.house.add(&mut self.views.batch, now.wall, "release", &lines.join("\n"))?;
            }
        }
        if !self.views.dirty() {
            return Ok(None);
        }
        self.views.events = 0;
        let mut batch = Batch::receipt();
        batch.append(self.views.gather());
        self.shared.events.keep(&mut batch);
        self.shared.events.forget_old(&self.store, &mut batch)?;
        let mut receipt = Batch::receipt();
        receipt.append(batch);
        let (done, completion) = Completion::pair();
        self.commit_deferred(receipt, done);
        Ok(Some(completion))
    }

    /// Commits `batch` with all rows of channels that wait; their channels hear of it.
    pub(crate) fn commit_deferred(&mut self, batch: Batch, done: Done) {
        let rows = std::mem::take(&mut self.views.deferred);
        let tickets = std::mem::take(&mut self.views.tickets);
        let inbox = std::sync::Arc::clone(&self.inbox);
        let told: Done = Box::new(move |outcome| {
            inbox.durable(&tickets, &outcome);
            done(outcome);
        });
        self.store.commit_rows(rows, batch, told);
    }

    /// Tells what happened behind the progress that was kept: after a crash, or of a new channel.
    pub(crate) fn catch_up(&mut self, number: u32) -> Result<(), Refusal> {
        let Some(state) = self.channels.get(&number) else { return Ok(()) };
        let Some(channel) = &state.channel else { return Ok(()) };
        let logs: Vec<(LogKey, LogNumber, u64)> =
            channel.logs().map(|(key, number, size)| (*key, number, size)).collect();
        let others: Vec<(PartyIndex, Vec<u64>)> = (0..state.codes.len())
            .filter_map(|place| u8::try_from(place).ok().map(PartyIndex))
            .map(|index| (index, logs.iter().map(|(log, ..)| channel.cosigned_size(log, index)).collect()))
            .collect();
        for (place, (log, log_number, size)) in logs.iter().enumerate() {
            let key = [b"told/".as_slice(), &log_number.prefix()].concat();
            let told = self.store.engine().read(NODE, &key).map_err(crate::store::StoreError::from)?;
            let told = told.and_then(|bytes| read_told(&bytes)).unwrap_or_default();
            let from = told.entries;
            self.views.told.insert((number, *log), told);
            for index in from..*size {
                self.tell_again(number, EntryId { log: *log, index })?;
            }
            if log.party == self.me {
                for (by, sizes) in &others {
                    self.delivered(number, *log, *by, sizes[place], None)?;
                }
            }
        }
        self.load_unsettled(number, &logs)
    }

    fn tell_again(&mut self, number: u32, id: EntryId) -> Result<(), Refusal> {
        let Some((entry, leaf)) = self.read_entry(number, &id)? else { return Ok(()) };
        let judged = Judged { verdict: Verdict::Valid, entry: Some(entry), act: None, edition: 1 };
        self.entry_told(number, id, leaf, &judged)
    }

    /// An entry as the record has it, with its leaf hash.
    pub(crate) fn read_entry(
        &self,
        number: u32,
        id: &EntryId,
    ) -> Result<Option<(Entry, detente_crypto::Hash)>, Refusal> {
        use detente_protocol::channel::Record;
        let Some(row) = self.row_of(number, id) else { return Ok(None) };
        let Some(data) = self.store.read(detente_protocol::channel::LEAVES, &row)? else { return Ok(None) };
        let leaf = detente_transparency::leaf_hash(&data);
        Ok(Entry::decode(data.get(16..).unwrap_or_default()).ok().map(|entry| (entry, leaf)))
    }

    /// The key of an entry's rows: channel, log, index.
    pub(crate) fn row_of(&self, number: u32, id: &EntryId) -> Option<Vec<u8>> {
        let channel = self.channels.get(&number)?.channel.as_ref()?;
        Some(channel.log_number(&id.log)?.at(id.index))
    }

    fn load_unsettled(&mut self, number: u32, logs: &[(LogKey, LogNumber, u64)]) -> Result<(), Refusal> {
        let mut found = Vec::new();
        let scan = Scan::prefix(UNSETTLED, &number.to_be_bytes());
        let walk = self.store.engine().for_each(scan, &mut |row| {
            if let Some(message) = row.content.bytes().and_then(|bytes| Unsettled::decode(&row.key, bytes)) {
                found.push((row.key, message));
            }
            std::ops::ControlFlow::Continue(())
        });
        walk.map_err(crate::store::StoreError::from)?;
        for (key, message) in found {
            let log = logs.iter().find(|(_, log, _)| key.starts_with(&log.prefix()));
            let index = key.get(8..16).and_then(|index| index.try_into().ok()).map(u64::from_be_bytes);
            if let (Some((log, ..)), Some(index)) = (log, index) {
                self.views.unsettled.entry((number, EntryId { log: *log, index })).or_insert(message);
            }
        }
        Ok(())
    }
}

fn read_told(bytes: &[u8]) -> Option<Told> {
    let value = cbor::decode(bytes).ok()?;
    let (entries, delivered) = value.as_array()?.split_first()?;
    let mut told = Told { entries: entries.as_u64()?, delivered: BTreeMap::new() };
    for pair in delivered.chunks_exact(2) {
        told.delivered.insert(u8::try_from(pair[0].as_u64()?).ok()?, pair[1].as_u64()?);
    }
    Some(told)
}
