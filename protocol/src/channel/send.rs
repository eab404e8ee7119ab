//! Sending and sending again: what no signed receipt covers is repeated, for ever.
//!
//! Recent frames are repeated byte for byte as they were first sealed; what is older, or was
//! written by a former run, goes as backfill sealed in this run. So no key and nonce can meet two
//! plaintexts, whatever a restart or a new library version does.

use detente_crypto::Hash;

use super::log_state::{Log, Role};
use super::message::{BLOB_PART_BYTES_MAX, Message};
use super::rows::{LEAVES, LINES, Record, RecordError, read_line};
use super::{Channel, Now, Output, Urgency, blob_name};
use crate::names::{Lane, LogKey, PartyIndex};
use crate::sealing::Kind;

/// First wait for a receipt before sending again.
const RETRY_FIRST_MS: u64 = 250;
/// Longest wait between two repetitions.
const RETRY_MOST_MS: u64 = 10_000;
/// Frames repeated at once to one reader.
const REPEAT_FRAMES_MAX: usize = 16;
/// Bytes of backfill sent at once to one reader.
const BACKFILL_BYTES_MAX: usize = 400_000;
/// Bytes of backfill that a reader may ask for at once …
const BACKFILL_BUDGET_MAX: usize = 4 << 20;
/// … and how fast that grows again: about 8 MB a second.
const BACKFILL_BYTES_A_MS: usize = 8_192;
/// Bytes of leaves in one backfill message.
const BACKFILL_MESSAGE_BYTES_MAX: usize = 48_000;

/// What is under way to one reader of an own log.
#[derive(Debug, Default)]
pub(crate) struct Sending {
    /// When to send again what is not covered (monotonic ms).
    pub(crate) again: u64,
    pub(crate) wait: u64,
}

impl Channel {
    /// Sends the newest frame of `key` to every other party.
    pub(crate) fn send_new(&mut self, now: Now, key: LogKey) {
        let urgency = urgency_of(key.lane);
        let others = self.others();
        self.send_wraps(now, &others);
        let log = self.logs.get_mut(&key).expect("own logs stay");
        let Role::Own(own) = &mut log.role else { return };
        let Some(frame) = own.recent.back() else { return };
        for to in others {
            self.outputs.push_back(Output::Transmit { to, urgency, bytes: frame.bytes.clone() });
            let sending = own.sending.entry(to).or_default();
            if sending.again == 0 {
                (sending.again, sending.wait) = (now.mono_ms + RETRY_FIRST_MS, RETRY_FIRST_MS);
            }
        }
    }

    /// A receipt of `reader` on `log` came: the schedule ends or begins anew with what is left.
    pub(crate) fn receipt_came(&mut self, now: Now, log: LogKey, reader: PartyIndex) {
        let Some(log) = self.logs.get_mut(&log) else { return };
        let all = log.cosigned_by(reader) >= log.durable;
        let Some(own) = log.own_mut() else { return };
        if let Some(sending) = own.sending.get_mut(&reader) {
            *sending = if all {
                Sending::default()
            } else {
                Sending { again: now.mono_ms + RETRY_FIRST_MS, wait: RETRY_FIRST_MS }
            };
        }
    }

    /// Makes everything not covered by receipts of `reader` due at once: a path has come.
    pub(crate) fn hurry(&mut self, now: Now, reader: PartyIndex) {
        for log in self.logs.values_mut() {
            let behind = log.cosigned_by(reader) < log.durable;
            if let Some(own) = log.own_mut().filter(|_| behind) {
                own.sending.insert(reader, Sending { again: now.mono_ms.max(1), wait: RETRY_FIRST_MS });
            }
        }
    }

    /// Sends again what is due, emergency lane first.
    pub(crate) fn send_again(&mut self, now: Now, record: &dyn Record) -> Result<(), RecordError> {
        let mut due: Vec<(bool, LogKey, PartyIndex)> = Vec::new();
        for log in self.logs.values() {
            let Some(own) = log.own() else { continue };
            for (reader, sending) in &own.sending {
                if sending.again != 0 && sending.again <= now.mono_ms {
                    due.push((log.key.lane != Lane::Emergency, log.key, *reader));
                }
            }
        }
        due.sort_unstable();
        for (_, key, reader) in due {
            self.send_wraps(now, &[reader]);
            self.repeat(now, key, reader, record)?;
        }
        Ok(())
    }

    fn repeat(
        &mut self,
        now: Now,
        key: LogKey,
        reader: PartyIndex,
        record: &dyn Record,
    ) -> Result<(), RecordError> {
        let log = self.logs.get_mut(&key).expect("own logs stay");
        let from = log.cosigned_by(reader);
        let durable = log.durable;
        let Role::Own(own) = &mut log.role else { return Ok(()) };
        let Some(sending) = own.sending.get_mut(&reader) else { return Ok(()) };
        if from >= durable {
            *sending = Sending::default();
            return Ok(());
        }
        sending.wait = (sending.wait * 2).clamp(RETRY_FIRST_MS, RETRY_MOST_MS);
        sending.again = now.mono_ms + sending.wait;
        let in_ring = own.recent.iter().any(|frame| frame.first <= from && from < frame.end);
        if in_ring {
            let frames: Vec<Vec<u8>> = own
                .recent
                .iter()
                .filter(|frame| frame.end > from)
                .take(REPEAT_FRAMES_MAX)
                .map(|frame| frame.bytes.clone())
                .collect();
            for bytes in frames {
                self.outputs.push_back(Output::Transmit { to: reader, urgency: urgency_of(key.lane), bytes });
            }
            return Ok(());
        }
        self.backfill(reader, key, from, BACKFILL_BYTES_MAX, record)
    }

    /// Sends leaves of any held log from `from` on, each message up to a size the writer signed.
    pub(crate) fn backfill(
        &mut self,
        to: PartyIndex,
        key: LogKey,
        from: u64,
        bytes_most: usize,
        record: &dyn Record,
    ) -> Result<(), RecordError> {
        let mut at = from;
        let mut sent = 0;
        let bytes_most = self.backfill_budget(to).min(bytes_most);
        while sent < bytes_most {
            let log = &self.logs[&key];
            let Some((end, line)) = line_after(log, at, record)? else { return Ok(()) };
            let rows = record.scan(LEAVES, &log.number.at(at), &log.number.at(end), usize::MAX)?;
            if rows.len() as u64 != end - at {
                return Ok(()); // Erased leaves are never sent.
            }
            let leaves: Vec<Vec<u8>> = rows.into_iter().map(|(_, value)| value).collect();
            let bytes = leaves.iter().map(Vec::len).sum::<usize>();
            sent += bytes;
            if let Some(peer) = self.peers.get_mut(&to) {
                peer.backfill_left = peer.backfill_left.saturating_sub(bytes);
            }
            let message = Message::Backfill { log: key, first: at, leaves, line: Some(line) };
            self.send_message(Some(to), urgency_of(key.lane), &message);
            at = end;
        }
        Ok(())
    }

    /// Bytes of backfill that a reader may still be sent: wishes are cheap, and may be replayed.
    fn backfill_budget(&mut self, to: PartyIndex) -> usize {
        let now_ms = self.now_ms;
        let Some(peer) = self.peers.get_mut(&to) else { return 0 };
        let passed = usize::try_from(now_ms.saturating_sub(peer.backfill_at)).unwrap_or(usize::MAX);
        let gained = passed.saturating_mul(BACKFILL_BYTES_A_MS);
        peer.backfill_left = peer.backfill_left.saturating_add(gained).min(BACKFILL_BUDGET_MAX);
        peer.backfill_at = now_ms;
        peer.backfill_left
    }

    /// Sends a blob to all in parts.
    pub(crate) fn send_blob(&mut self, bytes: &[u8]) {
        let keyed = blob_name(self.id, &detente_crypto::sha256(&[bytes]));
        self.send_blob_part(None, keyed, bytes, 0);
    }

    pub(crate) fn send_blob_part(&mut self, to: Option<PartyIndex>, keyed: Hash, bytes: &[u8], offset: u64) {
        let Some(rest) = usize::try_from(offset).ok().and_then(|at| bytes.get(at..)) else { return };
        let part = &rest[..rest.len().min(BLOB_PART_BYTES_MAX)];
        let total = bytes.len() as u64;
        let message = Message::Blob { keyed, total, offset, bytes: part.to_vec() };
        self.send_message(to, Urgency::Background, &message);
    }

    /// Seals a message in this run and hands it out to one party or to all others.
    pub(crate) fn send_message(&mut self, to: Option<PartyIndex>, urgency: Urgency, message: &Message) {
        let kind = match message {
            Message::Line(_) => Kind::Line,
            Message::Have { .. } => Kind::Have,
            Message::Want(_) => Kind::Want,
            Message::Blob { .. } => Kind::Blob,
            Message::Proof(_) => Kind::Proof,
            Message::Backfill { .. } => Kind::Backfill,
        };
        let codec = super::message::Codec { parties: &self.parties };
        let content = codec.encode(message, self.my_index);
        #[cfg(feature = "simulation")]
        if self.planted(super::Danger::CountsReused) {
            self.control = crate::sealing::ControlSealer::new(self.me, self.run);
        }
        let Some(bytes) = self.control.seal(&self.epoch, kind, &content) else {
            self.counters.too_long += 1;
            return;
        };
        let recipients = to.map_or_else(|| self.others(), |to| vec![to]);
        for to in recipients {
            self.outputs.push_back(Output::Transmit { to, urgency, bytes: bytes.clone() });
        }
    }

    pub(crate) fn others(&self) -> Vec<PartyIndex> {
        (0..self.parties.len())
            .filter_map(|index| u8::try_from(index).ok().map(PartyIndex))
            .filter(|index| *index != self.my_index)
            .collect()
    }
}

/// How a lane's frames stand in the queues of a path.
pub(crate) fn urgency_of(lane: Lane) -> Urgency {
    if lane == Lane::Emergency { Urgency::Emergency } else { Urgency::Ordinary }
}

/// The writer's Ed25519 line at the largest signed size that one message from `at` can reach.
type SignedSize = (u64, (u64, Hash, [u8; 64]));

fn line_after(log: &Log, at: u64, record: &dyn Record) -> Result<Option<SignedSize>, RecordError> {
    // Leaves up to the message's bytes, then the last line within them (at least the first).
    let leaves = record.scan(LEAVES, &log.number.at(at), &log.number.at(log.durable), 256)?;
    let (mut bytes, mut reach) = (0, at);
    for (_, leaf) in &leaves {
        bytes += leaf.len() + 8;
        if bytes > BACKFILL_MESSAGE_BYTES_MAX && reach > at {
            break;
        }
        reach += 1;
    }
    let mut found = None;
    let rows = record.scan(LINES, &log.number.at(at + 1), &log.number.at(log.durable + 1), 4096)?;
    for (key, value) in rows {
        let Some(line) = read_line(log.key, &key, &value) else { continue };
        if line.kind != super::message::LineKind::Log {
            continue;
        }
        if line.size > reach && found.is_some() {
            break;
        }
        let signature = line.signature.try_into().expect("Ed25519 lines have 64 bytes");
        found = Some((line.size, (line.size, line.root, signature)));
    }
    Ok(found)
}
