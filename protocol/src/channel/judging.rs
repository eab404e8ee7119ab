//! Judging what became durable, and what this node does by itself about it.
//!
//! Entries are judged in the order of their log, as far as this node holds what their writer had
//! seen. What was judged while something was missing is judged again when that comes.

use detente_transparency::leaf_hash;

use super::log_state::{Log, Unjudged};
use super::rows::{LEAVES, Record, RecordError};
use super::{Channel, Event, Now, Output};
use crate::entry::{Clause, Entry, MachineEntry, Named, Payload};
use crate::judge::{Acts, Context, Judged, LogJudge, Verdict};
use crate::names::{EntryId, Lane, LogKey, PartyIndex};
use crate::seen::SeenTable;

/// Longest wait between two requests for the logs that a generation entry names.
const ASK_NAMED_MOST_MS: u64 = 60_000;

/// What other logs contribute to a verdict, with the record for tables of the past.
pub(crate) struct Held<'a> {
    channel: &'a Channel,
    record: &'a dyn Record,
}

impl Context for Held<'_> {
    fn acts(&self) -> &Acts {
        &self.channel.acts
    }

    fn table_at(&self, log: &LogKey, size: u64) -> Option<SeenTable> {
        let held = self.channel.logs.get(log)?;
        if held.judge.index() == size {
            return Some(held.judge.table().clone());
        }
        if held.judge.index() < size {
            return None;
        }
        // Named at a size below what is held (a restored backup): judge the beginning once more.
        let mut judge = LogJudge::new(self.channel.id, *log, self.channel.parties.clone())?;
        for index in 0..size {
            let item = read_leaf(held, index, self.record).ok()??;
            if judge.judge(&item.entry, self).verdict == Verdict::Waiting {
                return None; // It names logs of its own that are not held yet.
            }
        }
        Some(judge.table().clone())
    }
}

impl Channel {
    pub(crate) fn context<'a>(&'a self, record: &'a dyn Record) -> Held<'a> {
        Held { channel: self, record }
    }

    /// The table with which a new log of this party begins.
    pub(crate) fn inherited_table(
        &self,
        own: LogKey,
        named: &[Named],
        record: &dyn Record,
    ) -> Result<Option<SeenTable>, RecordError> {
        let Some(first) = named.first() else { return Ok(Some(SeenTable::new(self.id, own))) };
        let log = |named: &Named| LogKey { generation: named.generation, ..own };
        let named_logs: Vec<_> = named.iter().map(|named| (log(named), named.size)).collect();
        let table = self.context(record).table_at(&log(first), first.size);
        Ok(table.map(|table| SeenTable::inherit(own, &table, &named_logs)))
    }

    /// Forgets a log that got no entry.
    pub(crate) fn forget_log(&mut self, key: &LogKey) {
        self.logs.remove(key);
        self.live_own[key.lane as usize] = None;
    }

    /// Records what other entries are judged by, and which logs a generation entry closes.
    pub(crate) fn note_act(&mut self, id: &EntryId, judged: &Judged) {
        if let Some(act) = &judged.act {
            self.acts.record(*id, act.clone());
        }
        if judged.verdict != Verdict::Valid {
            return;
        }
        if let Some(Entry::Machine(MachineEntry { payload: Payload::Generation(generation), .. })) =
            &judged.entry
        {
            for named in &generation.named {
                let key = LogKey { generation: named.generation, ..id.log };
                if let Some(log) = self.logs.get_mut(&key) {
                    log.closed = Some(named.size);
                }
            }
        }
    }

    /// Judges what has become judgeable in any log, until nothing more can be.
    pub(crate) fn judge_all(&mut self, now: Now, record: &dyn Record) -> Result<(), RecordError> {
        loop {
            let changes = self.acts.changes();
            let mut progressed = false;
            let behind: Vec<LogKey> = self
                .logs
                .values()
                .filter(|log| log.own().is_none_or(|own| !own.live) && log.judge.index() < log.durable)
                .map(|log| log.key)
                .collect();
            for key in behind {
                progressed |= self.judge_log(now, key, record)?;
            }
            if changes != self.acts.changes() {
                self.judge_again(now, record)?;
            }
            if !progressed {
                return Ok(());
            }
        }
    }

    /// A log whose first entry names others that are not held cannot be read: they are asked for at
    /// once, not when somebody next says what it holds. A Flash may stand in it.
    pub(crate) fn ask_for_named(&mut self, now: Now, record: &dyn Record) -> Result<(), RecordError> {
        let waiting: Vec<LogKey> = self
            .logs
            .values()
            .filter(|log| log.waits_for_named() && log.mirror().is_some_and(|m| m.ask_again <= now.mono_ms))
            .map(|log| log.key)
            .collect();
        for key in waiting {
            if let Some(mirror) = self.logs.get_mut(&key).and_then(Log::mirror_mut) {
                mirror.ask_wait = (mirror.ask_wait * 2).clamp(super::mirror::ASK_AGAIN_MS, ASK_NAMED_MOST_MS);
                mirror.ask_again = now.mono_ms + mirror.ask_wait;
            }
            let Some(first) = read_leaf(&self.logs[&key], 0, record)? else { continue };
            for (log, size, _) in named_heads(&key, &first.entry) {
                let from = self.logs.get(&log).map_or(0, |log| log.edge.size());
                if from < size {
                    self.want(
                        now,
                        key.party,
                        super::message::Wish::Entries { log, from, count: size - from },
                    );
                }
            }
        }
        Ok(())
    }

    fn judge_log(&mut self, now: Now, key: LogKey, record: &dyn Record) -> Result<bool, RecordError> {
        let mut progressed = false;
        loop {
            let log = &self.logs[&key];
            let index = log.judge.index();
            if index >= log.durable {
                return Ok(progressed);
            }
            let item = match log.unjudged.iter().find(|item| item.index == index) {
                Some(item) => item.clone(),
                None => match read_leaf(log, index, record)? {
                    Some(item) => item,
                    None => return Ok(progressed),
                },
            };
            let before = log.judge.clone();
            let mut judge = before.clone();
            let judged = judge.judge(&item.entry, &self.context(record));
            let missing = self.lacks_what_was_seen(&judge);
            if judged.verdict == Verdict::Waiting || missing && depends_on_acts(judged.verdict) {
                return Ok(progressed);
            }
            let log = self.logs.get_mut(&key).expect("looked up above");
            log.judge = judge;
            if missing && log.provisional.is_none() {
                log.provisional = Some(Box::new(before));
            }
            while log.unjudged.front().is_some_and(|front| front.index <= index) {
                log.unjudged.pop_front();
            }
            let id = EntryId { log: key, index };
            self.note_act(&id, &judged);
            self.react(now, &id, &judged, record)?;
            self.examine_check(&id, &judged, record)?;
            let Unjudged { leaf, entry, .. } = item;
            self.outputs.push_back(Output::Event(Event::Entry { id, leaf, entry, judged, own: false }));
            progressed = true;
        }
    }

    /// Whether a log's writer had seen entries in ordinary lanes that are not held and judged here.
    fn lacks_what_was_seen(&self, judge: &LogJudge) -> bool {
        judge.table().iter().any(|(log, size)| {
            log.lane == Lane::Ordinary && self.logs.get(log).is_none_or(|held| held.judge.index() < size)
        })
    }

    /// Acts became known: what was judged without them is judged again, and changes are told.
    fn judge_again(&mut self, _now: Now, record: &dyn Record) -> Result<(), RecordError> {
        let keys: Vec<LogKey> =
            self.logs.values().filter(|log| log.provisional.is_some()).map(|log| log.key).collect();
        for key in keys {
            let log = &self.logs[&key];
            let Some(start) = log.provisional.clone() else { continue };
            let end = log.judge.index();
            let mut judge = *start;
            self.acts.forget(&key, judge.index());
            let mut settled = None;
            while judge.index() < end {
                let index = judge.index();
                let Some(item) = read_leaf(&self.logs[&key], index, record)? else { break };
                let before = judge.clone();
                let judged = judge.judge(&item.entry, &self.context(record));
                if settled.is_none() && self.lacks_what_was_seen(&judge) {
                    settled = Some(Box::new(before));
                }
                if judged.verdict == Verdict::Waiting {
                    break;
                }
                let id = EntryId { log: key, index };
                self.note_act(&id, &judged);
                // It was told as valid before, or as void for a reason of its own; only a change is news.
                if judged.verdict != Verdict::Valid {
                    let Unjudged { leaf, entry, .. } = item;
                    self.outputs.push_back(Output::Event(Event::Entry {
                        id,
                        leaf,
                        entry,
                        judged,
                        own: false,
                    }));
                }
            }
            let log = self.logs.get_mut(&key).expect("looked up above");
            if judge.index() == end {
                log.judge = judge;
            }
            log.provisional = settled;
        }
        Ok(())
    }

    /// Compares an entry's check with what is held; a difference is an alarm, never a verdict.
    fn examine_check(
        &mut self,
        id: &EntryId,
        judged: &Judged,
        record: &dyn Record,
    ) -> Result<(), RecordError> {
        let Some(entry) = &judged.entry else { return Ok(()) };
        let (Some(check), false) = (entry.check(), entry.seen().0.is_empty()) else { return Ok(()) };
        let mut failed = None;
        let table = self.logs[&id.log].judge.table();
        let expected = table.check(|log, size| match self.logs.get(log)?.root_at(size, record) {
            Ok(root) => root,
            Err(error) => {
                failed = Some(error);
                None
            }
        });
        if let Some(error) = failed {
            return Err(error);
        }
        if expected.is_some_and(|expected| expected != check) {
            self.outputs.push_back(Output::Event(Event::CheckFailed { id: *id }));
        }
        Ok(())
    }

    /// What this node does by itself when an entry of another party is judged.
    fn react(
        &mut self,
        now: Now,
        id: &EntryId,
        judged: &Judged,
        record: &dyn Record,
    ) -> Result<(), RecordError> {
        if judged.verdict != Verdict::Valid || id.log.party == self.me {
            return Ok(());
        }
        let from: PartyIndex = self.index_of(id.log.party);
        match &judged.entry {
            Some(Entry::Machine(machine)) => {
                if let Payload::Key(key) = &machine.payload {
                    self.learn_kem(id.log.party, &key.kem);
                }
            }
            Some(Entry::Spoken(spoken)) => {
                let charter = self.charters.iter().rev().find(|c| c.edition <= judged.edition.max(1));
                let travels = charter.is_some_and(|charter| {
                    crate::release::proof_travels(
                        charter,
                        spoken.statement.kind,
                        spoken.statement.precedence,
                        id.log.lane,
                        spoken.statement.format,
                    )
                });
                let mut hashes = spoken.statement.attachments.clone();
                if travels {
                    hashes.push(spoken.placement.proof);
                }
                for hash in hashes {
                    if !self.take_early_blob(hash) {
                        self.fetch_blob(now, from, hash, record)?;
                    }
                }
            }
            None => {}
        }
        Ok(())
    }
}

/// Whether a verdict could change once more acts are known.
fn depends_on_acts(verdict: Verdict) -> bool {
    matches!(
        verdict,
        Verdict::Void(
            Clause::Edition | Clause::Ratify | Clause::Suspended | Clause::Restore | Clause::Closed
        )
    )
}

/// The credential edition that a log's first entry names, if it is a generation entry.
pub(crate) fn edition_named(entry: &[u8]) -> Option<u32> {
    match Entry::decode(entry) {
        Ok(Entry::Machine(MachineEntry { payload: Payload::Generation(generation), .. })) => {
            Some(generation.credential_edition)
        }
        _ => None,
    }
}

/// The heads that a generation entry of a log beside `near` claims for logs of its party and lane.
pub(crate) fn named_heads(near: &LogKey, entry: &[u8]) -> Vec<(LogKey, u64, detente_crypto::Hash)> {
    match Entry::decode(entry) {
        Ok(Entry::Machine(MachineEntry { payload: Payload::Generation(generation), .. })) => generation
            .named
            .iter()
            .map(|named| (LogKey { generation: named.generation, ..*near }, named.size, named.root))
            .collect(),
        _ => Vec::new(),
    }
}

pub(crate) fn read_leaf(log: &Log, index: u64, record: &dyn Record) -> Result<Option<Unjudged>, RecordError> {
    let Some(data) = record.read(LEAVES, &log.number.at(index))? else { return Ok(None) };
    let leaf = leaf_hash(&data);
    let entry = data.get(16..).unwrap_or_default().to_vec();
    Ok(Some(Unjudged { index, leaf, entry }))
}
