//! Catching up: saying what is held, asking for what is missing, helping others with theirs.
//!
//! `Have` and `Want` are hints. They can only cause sending; nothing on screen follows from them.

use detente_crypto::{Hash, sha256};
use detente_encoding::cbor::{self, Value};

use super::message::{Held, LineItem, Message, Wish};
use super::rows::{BLOBS, LINES, Record, RecordError, VIEWS, read_line};
use super::{Channel, Now, Urgency};
use crate::names::{LogKey, PartyIndex};

/// A party not heard for so long is helped by others who hold its logs.
const ABSENT_MS: u64 = 30_000;
/// Backfill sent for one wish.
const WISH_BYTES_MAX: usize = 400_000;
/// Entries asked for at once.
const WISH_ENTRIES: u64 = 4096;

impl Channel {
    /// Sends what is held to one party or to all.
    pub(crate) fn send_have(
        &mut self,
        to: Option<PartyIndex>,
        record: &dyn Record,
    ) -> Result<(), RecordError> {
        let live = self.held(|log| log.closed.is_none(), record)?;
        let mut closed = Vec::new();
        for index in 0..self.parties.len() {
            let index = PartyIndex(u8::try_from(index).expect("at most 16 parties"));
            closed.push((index, self.closed_hash(index, record)?));
        }
        for part in live.chunks(super::message::HAVE_MAX / 4) {
            let message = Message::Have { live: part.to_vec(), closed: closed.clone() };
            self.send_message(to, Urgency::Ordinary, &message);
        }
        if live.is_empty() {
            self.send_message(to, Urgency::Ordinary, &Message::Have { live, closed });
        }
        Ok(())
    }

    fn held(
        &self,
        which: impl Fn(&super::log_state::Log) -> bool,
        record: &dyn Record,
    ) -> Result<Vec<Held>, RecordError> {
        let logs = self.logs.values().filter(|log| log.durable > 0 && which(log));
        logs.map(|log| Ok(Held { log: log.key, size: log.durable, root: log.durable_root(record)? }))
            .collect()
    }

    fn closed_hash(&self, index: PartyIndex, record: &dyn Record) -> Result<Hash, RecordError> {
        let party = self.parties[usize::from(index.0)];
        let mut held = self.held(|log| log.closed.is_some() && log.key.party == party, record)?;
        let name = |held: &Held| self.logs[&held.log].name.as_str();
        held.sort_by(|a, b| name(a).cmp(name(b)));
        let list = held.iter().map(|held| {
            Value::Array(vec![Value::text(name(held)), Value::from(held.size), Value::bytes(&held.root.0)])
        });
        Ok(sha256(&[b"detente/1/closed\0", &cbor::encode(&Value::Array(list.collect()))]))
    }

    /// Compares what a party says it holds with what is held here; a difference is followed up.
    pub(crate) fn handle_have(
        &mut self,
        now: Now,
        from: PartyIndex,
        live: &[Held],
        closed: &[(PartyIndex, Hash)],
        record: &dyn Record,
    ) -> Result<(), RecordError> {
        for theirs in live {
            self.compare(now, from, theirs, record)?;
        }
        let named: std::collections::BTreeSet<LogKey> = live.iter().map(|held| held.log).collect();
        let missing: Vec<LogKey> = self
            .logs
            .values()
            .filter(|log| log.durable > 0 && log.closed.is_none() && !named.contains(&log.key))
            .map(|log| log.key)
            .collect();
        for key in missing {
            self.help(now, from, key, 0, record)?;
        }
        for (party, hash) in closed {
            if self.closed_hash(*party, record)? != *hash {
                let theirs = self.held(
                    |log| log.closed.is_some() && log.key.party == self.parties[usize::from(party.0)],
                    record,
                )?;
                // Both sides see the difference; each tells its list and asks for the other's.
                let peer = self.peers.get_mut(&from);
                if peer.is_some_and(|peer| {
                    std::mem::replace(&mut peer.closed_asked, now.mono_ms) + 5_000 < now.mono_ms
                }) {
                    self.send_message(
                        Some(from),
                        Urgency::Ordinary,
                        &Message::Have { live: theirs, closed: Vec::new() },
                    );
                    self.send_message(
                        Some(from),
                        Urgency::Ordinary,
                        &Message::Want(vec![Wish::ClosedLogs(*party)]),
                    );
                }
            }
        }
        Ok(())
    }

    fn compare(
        &mut self,
        now: Now,
        from: PartyIndex,
        theirs: &Held,
        record: &dyn Record,
    ) -> Result<(), RecordError> {
        let key = theirs.log;
        let Some(log) = self.logs.get(&key) else {
            let count = theirs.size.min(WISH_ENTRIES);
            self.send_wish(from, Wish::Entries { log: key, from: 0, count });
            return Ok(());
        };
        #[cfg(feature = "simulation")]
        if self.planted(super::Danger::HaveIsReceipt) && theirs.size > log.cosigned_by(from) {
            let (before, size) = (log.cosigned_by(from), theirs.size);
            let (time_s, arrived) = (u64::try_from(now.wall.seconds()).unwrap_or(1), now.wall);
            let event = super::Event::Receipt { log: key, by: from, before, size, time_s, arrived };
            self.outputs.push_back(super::Output::Event(event));
            return Ok(());
        }
        if theirs.size > log.durable {
            // Beyond what is on its way to this disk already.
            let at = log.edge.size();
            if theirs.size > at && log.own().is_none_or(|own| !own.live) {
                let count = (theirs.size - at).min(WISH_ENTRIES);
                self.send_wish(from, Wish::Entries { log: key, from: at, count });
            }
            return Ok(());
        }
        if let Some(root) = log.root_at(theirs.size, record)?
            && root != theirs.root
            && theirs.size > 0
        {
            self.send_wish(from, Wish::Lines(key));
            return self.send_log_lines(from, key, record);
        }
        if theirs.size < log.durable {
            self.help(now, from, key, theirs.size, record)?;
        }
        Ok(())
    }

    /// Sends `from` what it lacks of `key`: of own logs by the schedule, of others' when their
    /// writer is away or is `from` itself, which has lost its store.
    fn help(
        &mut self,
        now: Now,
        to: PartyIndex,
        key: LogKey,
        at: u64,
        record: &dyn Record,
    ) -> Result<(), RecordError> {
        if key.party == self.me {
            let behind = self.logs[&key].cosigned_by(to) < self.logs[&key].durable;
            if behind {
                return Ok(()); // The schedule of repetition has it.
            }
            return self.backfill(to, key, at, WISH_BYTES_MAX, record);
        }
        let writer = self.index_of(key.party);
        let absent = self
            .peers
            .get(&writer)
            .is_some_and(|peer| peer.heard + ABSENT_MS < now.mono_ms || peer.heard == 0);
        if writer == to || absent {
            self.backfill(to, key, at, WISH_BYTES_MAX, record)?;
        }
        Ok(())
    }

    fn send_wish(&mut self, to: PartyIndex, wish: Wish) {
        self.send_message(Some(to), Urgency::Ordinary, &Message::Want(vec![wish]));
    }

    /// Answers wishes, each within its bound.
    pub(crate) fn handle_want(
        &mut self,
        now: Now,
        from: PartyIndex,
        wishes: Vec<Wish>,
        record: &dyn Record,
    ) -> Result<(), RecordError> {
        for wish in wishes {
            match wish {
                Wish::Entries { log, from: at, .. } => {
                    if self.logs.get(&log).is_some_and(|log| at < log.durable) {
                        self.backfill(from, log, at, WISH_BYTES_MAX, record)?;
                    }
                }
                Wish::Wrap(_) | Wish::WrapAgain { .. } => {
                    if let Some(peer) = self.peers.get_mut(&from) {
                        peer.confirmed = None;
                        peer.wrap_again = 0;
                    }
                    self.send_wraps(now, &[from]);
                }
                Wish::Blob { keyed, offset } => self.answer_blob(from, keyed, offset, record)?,
                Wish::ClosedLogs(party) => {
                    let party = self.parties[usize::from(party.0)];
                    let live = self.held(|log| log.closed.is_some() && log.key.party == party, record)?;
                    let message = Message::Have { live, closed: Vec::new() };
                    self.send_message(Some(from), Urgency::Ordinary, &message);
                }
                Wish::Lines(log) => self.send_log_lines(from, log, record)?,
            }
        }
        Ok(())
    }

    /// Sends the kept lines of a log, the newest first signed sizes last, at most one message.
    fn send_log_lines(
        &mut self,
        to: PartyIndex,
        key: LogKey,
        record: &dyn Record,
    ) -> Result<(), RecordError> {
        let Some(log) = self.logs.get(&key) else { return Ok(()) };
        let prefix = log.number.prefix();
        let from = log.number.at(log.durable.saturating_sub(4096));
        let mut end = prefix.clone();
        end.extend_from_slice(&[0xff; 11]);
        let rows = record.scan(LINES, &from, &end, 8192)?;
        let lines = rows.iter().rev().filter_map(|(row_key, value)| read_line(key, row_key, value));
        let items: Vec<LineItem> = lines
            .filter(|line| line.signature.len() == detente_crypto::ED25519_SIGNATURE_BYTES)
            .take(super::message::LINES_MAX)
            .map(LineItem::Line)
            .collect();
        self.send_lines(Some(to), Urgency::Ordinary, items);
        Ok(())
    }

    fn answer_blob(
        &mut self,
        to: PartyIndex,
        keyed: Hash,
        offset: u64,
        record: &dyn Record,
    ) -> Result<(), RecordError> {
        let key = [&self.number.to_be_bytes()[..], b"k", &keyed.0].concat();
        let Some(hash) = record.read(VIEWS, &key)? else { return Ok(()) };
        if let Some(bytes) = record.read(BLOBS, &hash)? {
            self.send_blob_part(Some(to), keyed, &bytes, offset);
        }
        Ok(())
    }
}
