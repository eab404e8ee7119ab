//! Reading: frames and backfilled leaves of other parties become mirrors of their logs.
//!
//! Bytes first, meaning after: a mirror takes every leaf that the writer's line covers, makes it
//! durable, cosigns it, and only then judges what it says.

use detente_transparency::leaf_hash;

use super::log_state::{MirrorLog, Role, UNJUDGED_MAX, Unjudged};
use super::message::{Line, LineKind, Message, Wish};
use super::rows::{LEAVES, Record, RecordError, Row, line_row};
use super::{Channel, Event, Now, Output, Pending};
use crate::limits::{GAP_FRAMES_MAX, GENERATIONS_PER_DAY, LEAF_DATA_MAX};
use crate::names::{Generation, LogKey, PartyId, PartyIndex};
use crate::sealing::{Epoch, FrameContent, Header, LogSeal, Sender, open_frame};

/// A gap is asked for again after this long without what fills it.
pub(crate) const ASK_AGAIN_MS: u64 = 1_000;
/// The beginning of a log not held yet is asked for at most this often.
const BEGINNING_AGAIN_MS: u64 = 100;
/// Frames kept that open under no key known yet.
const UNOPENED_MAX: usize = 64;

impl Channel {
    /// Takes a frame of entries. What does not open is kept for a while: its epoch may be on the way.
    pub(crate) fn handle_frame(
        &mut self,
        now: Now,
        bytes: &[u8],
        record: &dyn Record,
    ) -> Result<(), RecordError> {
        let Ok((header, header_bytes)) = Header::parse(bytes) else {
            self.counters.malformed += 1;
            return Ok(());
        };
        let Some((key, epoch, seal)) = self.find_log(&header) else {
            self.counters.unknown_tag += 1;
            self.keep_unopened(bytes);
            self.ask_for_more(now);
            return Ok(());
        };
        match open_frame(&epoch, &seal, &header, bytes, header_bytes) {
            Ok(content) => {
                self.heard(key.party, now);
                self.take(now, key, content, record)
            }
            Err(_) => {
                self.counters.malformed += 1;
                Ok(())
            }
        }
    }

    /// Finds log, epoch and key of a frame by its tag, or by the names it bears.
    pub(crate) fn find_log(&self, header: &Header) -> Option<(LogKey, Epoch, LogSeal)> {
        if let Sender::Named(number, run) = header.sender {
            let generation = Generation { number: u32::from(number), run };
            for (party, epochs) in &self.peer_epochs {
                for lane in crate::names::Lane::ALL {
                    let key = LogKey { party: *party, lane, generation };
                    for epoch in epochs {
                        let seal = LogSeal::new(epoch, self.id, &key);
                        if seal.tag == header.tag {
                            return Some((key, epoch.clone(), seal));
                        }
                    }
                }
            }
            return None;
        }
        let (key, epoch_name) = self.tags.get(&header.tag)?;
        let epoch = self.peer_epochs.get(&key.party)?.iter().find(|e| e.name() == *epoch_name)?;
        let seal = self.seals.get(&(*key, *epoch_name))?;
        Some((*key, epoch.clone(), seal.clone()))
    }

    /// Learns the tags of a log in all epochs of its party.
    pub(crate) fn learn_tags(&mut self, key: LogKey) {
        for epoch in self.peer_epochs.get(&key.party).into_iter().flatten() {
            let seal = LogSeal::new(epoch, self.id, &key);
            self.tags.insert(seal.tag, (key, epoch.name()));
            self.seals.insert((key, epoch.name()), seal);
        }
    }

    /// Keeps bytes that open under no key known yet; the oldest make room.
    pub(crate) fn keep_unopened(&mut self, bytes: &[u8]) {
        if self.unopened.len() >= UNOPENED_MAX {
            self.unopened.remove(0);
        }
        self.unopened.push(bytes.to_vec());
    }

    /// Tries again what did not open, after an epoch or a log became known.
    pub(crate) fn retry_unopened(&mut self, now: Now, record: &dyn Record) -> Result<(), RecordError> {
        for bytes in std::mem::take(&mut self.unopened) {
            self.handle(now, &bytes, record)?;
        }
        Ok(())
    }

    /// Takes entries with the line over the size they make.
    pub(crate) fn take(
        &mut self,
        now: Now,
        key: LogKey,
        content: FrameContent,
        record: &dyn Record,
    ) -> Result<(), RecordError> {
        if !self.logs.contains_key(&key) && !self.begin_mirror(now, key, &content) {
            return Ok(());
        }
        let log = self.logs.get_mut(&key).expect("opened above");
        let (size, frozen) = (log.edge.size(), log.frozen);
        // A former run's log that an old store holds too little of grows again, under our own line.
        if frozen || log.own().is_some_and(|own| own.live) {
            return Ok(());
        }
        let end = content.first + content.entries.len() as u64;
        if end <= size {
            return self.already_held(now, key, &content, record);
        }
        if content.first > size {
            let Some(mirror) = log.mirror_mut() else { return Ok(()) };
            if mirror.beyond.len() < GAP_FRAMES_MAX {
                mirror.beyond.insert(content.first, content);
            } else {
                self.counters.beyond_gap += 1;
            }
            self.ask_for_entries(now, key, end);
            return Ok(());
        }
        if self.grow(now, key, content) {
            self.take_beyond(now, key, record)?;
        }
        Ok(())
    }

    fn take_beyond(&mut self, now: Now, key: LogKey, record: &dyn Record) -> Result<(), RecordError> {
        let log = self.logs.get_mut(&key).expect("it has just grown");
        let size = log.edge.size();
        let Some(mirror) = log.mirror_mut() else { return Ok(()) };
        let next = mirror.beyond.first_entry().filter(|entry| *entry.key() <= size);
        match next.map(|entry| entry.remove()) {
            Some(content) => self.take(now, key, content, record),
            None => Ok(()),
        }
    }

    /// Appends what is new in `content` when the writer's line holds over the result.
    fn grow(&mut self, now: Now, key: LogKey, content: FrameContent) -> bool {
        let log = &self.logs[&key];
        let first_new = log.edge.size();
        let mut edge = log.edge.clone();
        let (mut rows, mut unjudged) = (Vec::new(), Vec::new());
        let skip = usize::try_from(first_new - content.first).expect("within a frame");
        for (index, item) in (first_new..).zip(content.entries.into_iter().skip(skip)) {
            let salt = item.salt.unwrap_or_default();
            let data = [&salt[..], &item.entry].concat();
            if data.len() > LEAF_DATA_MAX {
                self.counters.malformed += 1;
                return false;
            }
            #[cfg(feature = "simulation")]
            if self.planted(super::Danger::JunkRefused) && crate::entry::Entry::decode(&item.entry).is_err() {
                return false;
            }
            let leaf = leaf_hash(&data);
            edge.append(leaf);
            rows.push(Row { table: LEAVES, key: log.number.at(index), value: data });
            unjudged.push(Unjudged { index, leaf, entry: item.entry });
        }
        let edition = log.edition.or_else(|| super::judging::edition_named(&unjudged.first()?.entry));
        let (end, root) = (edge.size(), edge.root());
        let checkpoint = log.checkpoint(end, root);
        let holds = self
            .log_keys(key.party, edition)
            .is_some_and(|keys| keys.verify(LineKind::Log, self.id, &checkpoint, 0, &content.line));
        if !holds {
            // Damaged, forged by a co-reader, or a fork: a frame alone accuses nobody. Ask for lines.
            self.counters.line_refused += 1;
            self.want(now, key.party, Wish::Lines(key));
            return false;
        }
        let signer = self.index_of(key.party);
        let number = log.number;
        let line = Line {
            kind: LineKind::Log,
            signer,
            log: key,
            size: end,
            root,
            time_s: 0,
            signature: content.line.to_vec(),
        };
        rows.push(line_row(number, &line, false));
        let log = self.logs.get_mut(&key).expect("looked up above");
        log.edge = edge;
        log.edition = edition;
        log.remember_root(end, root);
        rows.push(super::open::log_row(log, &self.acts));
        for item in unjudged {
            if log.unjudged.len() < UNJUDGED_MAX {
                log.unjudged.push_back(item);
            }
        }
        self.commit(rows, Pending::Mirror { log: key, end });
        true
    }

    /// The mirror is durable up to `end`: now, and only now, it may be cosigned and judged.
    pub(crate) fn mirror_durable(
        &mut self,
        now: Now,
        key: LogKey,
        end: u64,
        record: &dyn Record,
    ) -> Result<(), RecordError> {
        let log = self.logs.get_mut(&key).expect("mirrors stay");
        log.durable = log.durable.max(end);
        if let Some(mirror) = log.mirror_mut() {
            mirror.post_quantum_waits_since.get_or_insert(now.mono_ms);
        }
        self.cosign_due.insert(key);
        self.judge_all(now, record)
    }

    fn already_held(
        &mut self,
        now: Now,
        key: LogKey,
        content: &FrameContent,
        record: &dyn Record,
    ) -> Result<(), RecordError> {
        let log = &self.logs[&key];
        let end = content.first + content.entries.len() as u64;
        let held = log.root_at(end, record)?;
        let same = held.is_some_and(|root| {
            let checkpoint = log.checkpoint(end, root);
            self.log_keys(key.party, log.edition)
                .is_some_and(|keys| keys.verify(LineKind::Log, self.id, &checkpoint, 0, &content.line))
        });
        if same {
            if self.logs[&key].durable >= end {
                self.answer_again.insert(key);
            }
            return Ok(());
        }
        self.examine_fork(now, key, content, record)
    }

    /// Begins a log first heard of, once its writer's line holds over entries from the first on:
    /// what a co-reader makes up must not spend the writer's generations or name our own logs.
    fn begin_mirror(&mut self, now: Now, key: LogKey, content: &FrameContent) -> bool {
        if content.first != 0 {
            if now.mono_ms >= self.timers.beginning_again {
                self.timers.beginning_again = now.mono_ms + BEGINNING_AGAIN_MS;
                self.want(now, key.party, Wish::Entries { log: key, from: 0, count: content.first });
            }
            return false;
        }
        let Some(name) = detente_transparency::Name::new(&key.name(self.id)).ok() else { return false };
        let mut edge = detente_transparency::Edge::new();
        for item in &content.entries {
            edge.append(leaf_hash(&[&item.salt.unwrap_or_default()[..], &item.entry].concat()));
        }
        let edition = content.entries.first().and_then(|item| super::judging::edition_named(&item.entry));
        let head = detente_transparency::Head { size: edge.size(), root: edge.root() };
        let checkpoint = detente_transparency::Checkpoint { origin: name, head };
        let holds = self
            .log_keys(key.party, edition)
            .is_some_and(|keys| keys.verify(LineKind::Log, self.id, &checkpoint, 0, &content.line));
        if !holds {
            self.counters.line_refused += 1;
            return false;
        }
        self.open_mirror(now, key)
    }

    /// Opens a mirror for a log first heard of, within the day's bound on generations.
    fn open_mirror(&mut self, now: Now, key: LogKey) -> bool {
        let (since, count) = self.opened.entry((key.party, key.lane)).or_insert((now.mono_ms, 0));
        if now.mono_ms.saturating_sub(*since) > 86_400_000 {
            (*since, *count) = (now.mono_ms, 0);
        }
        let pause = if key.lane == crate::names::Lane::Emergency { 10_000 } else { 600_000 };
        let too_many = *count as usize >= GENERATIONS_PER_DAY
            && self.opened_last.get(&(key.party, key.lane)).is_some_and(|last| now.mono_ms < last + pause);
        if too_many {
            self.counters.generations_held_back += 1;
            self.outputs.push_back(Output::Event(Event::Flooding { party: key.party, lane: key.lane }));
            return false;
        }
        *count += 1;
        self.opened_last.insert((key.party, key.lane), now.mono_ms);
        let own = key.party == self.me;
        let role =
            if own { Role::Own(super::own::OwnLog::default()) } else { Role::Mirror(MirrorLog::default()) };
        self.insert_log(key, role);
        self.learn_tags(key);
        true
    }

    fn ask_for_entries(&mut self, now: Now, key: LogKey, up_to: u64) {
        let log = self.logs.get_mut(&key).expect("asked for held logs only");
        let from = log.edge.size();
        let Some(mirror) = log.mirror_mut() else { return };
        if now.mono_ms < mirror.ask_again {
            return;
        }
        mirror.ask_again = now.mono_ms + ASK_AGAIN_MS;
        self.want(now, key.party, Wish::Entries { log: key, from, count: up_to - from });
    }

    pub(crate) fn want(&mut self, _now: Now, from: PartyId, wish: Wish) {
        let to = self.index_of(from);
        self.send_message(Some(to), super::Urgency::Ordinary, &Message::Want(vec![wish]));
    }

    /// Marks a party as heard: something authentic to its channel came from it.
    pub(crate) fn heard(&mut self, party: PartyId, now: Now) {
        let index = self.index_of(party);
        if let Some(peer) = self.peers.get_mut(&index) {
            peer.heard = now.mono_ms;
        }
    }

    pub(crate) fn index_of(&self, party: PartyId) -> PartyIndex {
        let index =
            self.parties.iter().position(|&p| p == party).expect("logs belong to parties of the channel");
        PartyIndex(u8::try_from(index).expect("at most 16 parties"))
    }
}
