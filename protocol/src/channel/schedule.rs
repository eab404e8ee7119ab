//! What time brings: heartbeats, repetitions, late ML-DSA lines, tests, blobs asked for again.

use std::collections::BTreeMap;

use detente_crypto::{Hash, sha256};

use super::log_state::Role;
use super::message::{Line, LineItem, LineKind, Message, Wish};
use super::rows::{BLOBS, Record, RecordError, Row, line_row};
use super::{Channel, Now, Pending, Urgency, blob_name};
use crate::limits::BLOB_MAX;
use crate::names::{LogKey, PartyIndex};

/// The ML-DSA line follows after this long, or …
const POST_QUANTUM_MS: u64 = 1_000;
/// … after so many entries.
const POST_QUANTUM_ENTRIES: u64 = 256;
/// A blob not yet held is asked for again after this long.
const BLOB_AGAIN_MS: u64 = 2_000;
/// Blobs asked for or arriving at once.
pub(crate) const BLOBS_MAX: usize = 256;

/// When the next of each is due (monotonic ms).
#[derive(Debug, Default)]
pub(crate) struct Timers {
    pub(crate) heartbeat_due: u64,
    pub(crate) have_due: u64,
    pub(crate) have_asked: u64,
    /// Before this no tree is made anew for a line at a size that its writer did not sign.
    pub(crate) tree_again: u64,
    /// Before this the beginning of an unknown log is not asked for again.
    pub(crate) beginning_again: u64,
}

/// Blobs named by entries and not yet held.
#[derive(Debug, Default)]
pub(crate) struct Blobs {
    wanted: BTreeMap<Hash, Wanted>,
    /// The list changed since it was last written: a restart must go on asking.
    changed: bool,
}

#[derive(Debug)]
struct Wanted {
    hash: Hash,
    from: PartyIndex,
    parts: Vec<u8>,
    again: u64,
}

#[cfg(feature = "simulation")]
impl Blobs {
    pub(crate) fn wanted_len(&self) -> usize {
        self.wanted.len()
    }
}

impl Channel {
    /// Does what time asks for. Call at [`Channel::deadline`], or more often.
    ///
    /// # Errors
    /// [`RecordError`] when the record cannot be read: stop.
    pub fn tick(&mut self, now: Now, record: &dyn Record) -> Result<(), RecordError> {
        self.now_ms = now.mono_ms;
        self.send_again(now, record)?;
        self.heartbeat(now, record)?;
        if now.mono_ms >= self.timers.have_due {
            self.timers.have_due = now.mono_ms + self.pace.have_ms;
            let others = self.others();
            self.send_wraps(now, &others);
            self.send_have(None, record)?;
        }
        self.post_quantum_lines(now, record)?;
        self.ask_for_named(now, record)?;
        self.ask_for_blobs(now);
        Ok(())
    }

    /// When [`Channel::tick`] has something to do next (monotonic ms).
    #[must_use]
    pub fn deadline(&self) -> u64 {
        let mut next = self.timers.heartbeat_due.min(self.timers.have_due);
        for log in self.logs.values() {
            let waits = match &log.role {
                Role::Own(own) => {
                    let repeat =
                        own.sending.values().map(|sending| sending.again).filter(|&again| again != 0);
                    next = repeat.min().map_or(next, |again| next.min(again));
                    own.post_quantum_waits_since
                }
                Role::Mirror(mirror) => {
                    if log.waits_for_named() {
                        next = next.min(mirror.ask_again);
                    }
                    mirror.post_quantum_waits_since
                }
            };
            next = waits.map_or(next, |since| next.min(since + POST_QUANTUM_MS));
        }
        self.blobs.wanted.values().map(|wanted| wanted.again).fold(next, u64::min)
    }

    /// A path towards a party came up: everything it may lack goes out at once.
    ///
    /// # Errors
    /// [`RecordError`] when the record cannot be read: stop.
    pub fn path_up(&mut self, now: Now, party: PartyIndex, record: &dyn Record) -> Result<(), RecordError> {
        if let Some(peer) = self.peers.get_mut(&party) {
            peer.wrap_again = 0;
        }
        self.send_wraps(now, &[party]);
        self.send_have(Some(party), record)?;
        self.hurry(now, party);
        self.timers.heartbeat_due = now.mono_ms;
        self.tick(now, record)
    }

    /// Fresh receipts of all live mirrors: the other side's proof that this node holds them now.
    fn heartbeat(&mut self, now: Now, record: &dyn Record) -> Result<(), RecordError> {
        if now.mono_ms < self.timers.heartbeat_due {
            return Ok(());
        }
        self.timers.heartbeat_due = now.mono_ms + self.pace.heartbeat_ms;
        let mirrors: Vec<LogKey> = self
            .logs
            .values()
            .filter(|log| matches!(log.role, Role::Mirror(_)) && log.closed.is_none())
            .map(|log| log.key)
            .collect();
        let mut items = Vec::new();
        for key in mirrors {
            items.extend(self.cosign(now, key, record)?.map(LineItem::Line));
        }
        self.send_lines(None, Urgency::Ordinary, items);
        Ok(())
    }

    /// The ML-DSA lines that follow: of own logs, and of receipts.
    fn post_quantum_lines(&mut self, now: Now, record: &dyn Record) -> Result<(), RecordError> {
        let due: Vec<LogKey> = self
            .logs
            .values()
            .filter(|log| {
                let (since, reached) = match &log.role {
                    Role::Own(own) => (own.post_quantum_waits_since, log.post_quantum),
                    Role::Mirror(mirror) => (mirror.post_quantum_waits_since, mirror.post_quantum),
                };
                since.is_some_and(|since| {
                    now.mono_ms >= since + POST_QUANTUM_MS || log.durable >= reached + POST_QUANTUM_ENTRIES
                })
            })
            .map(|log| log.key)
            .collect();
        for key in due {
            if let Some(line) = self.post_quantum_line(key, record)? {
                self.send_lines(None, Urgency::Background, vec![LineItem::Line(line)]);
            }
        }
        Ok(())
    }

    fn post_quantum_line(&mut self, key: LogKey, record: &dyn Record) -> Result<Option<Line>, RecordError> {
        let me = self.my_index;
        let log = &self.logs[&key];
        let line = match &log.role {
            Role::Own(_) => {
                let (size, root) = (log.durable, log.durable_root(record)?);
                let checkpoint = log.checkpoint(size, root);
                let signature = self.keys.sign(LineKind::LogPostQuantum, log.name.as_str(), &checkpoint, 0);
                Line {
                    kind: LineKind::LogPostQuantum,
                    signer: me,
                    log: key,
                    size,
                    root,
                    time_s: 0,
                    signature,
                }
            }
            // Ed25519 and ML-DSA lines of one receipt bear one time: that of the first at its size.
            Role::Mirror(_) => match log.cosigned.get(&me).and_then(|cosigned| cosigned.first.clone()) {
                Some(first) => {
                    self.sign_receipt(LineKind::ReceiptPostQuantum, key, first.size, first.root, first.time_s)
                }
                None => return Ok(None),
            },
        };
        let log = self.logs.get_mut(&key).expect("looked up above");
        let number = log.number;
        match &mut log.role {
            Role::Own(own) => {
                own.post_quantum_waits_since = None;
                log.post_quantum = line.size;
            }
            Role::Mirror(mirror) => {
                mirror.post_quantum_waits_since = None;
                mirror.post_quantum = line.size;
            }
        }
        self.commit(vec![line_row(number, &line, false)], Pending::Nothing);
        Ok(Some(line))
    }

    /// Notes that an entry of `from` names a blob; it is asked for until it is held.
    pub(crate) fn want_blob(&mut self, now: Now, from: PartyIndex, hash: Hash) {
        let keyed = blob_name(self.id, &hash);
        if self.blobs.wanted.len() < BLOBS_MAX {
            // The sender hands small ones out by itself; only what does not come is asked for.
            let again = now.mono_ms + BLOB_AGAIN_MS;
            let wanted = Wanted { hash, from, parts: Vec::new(), again };
            self.blobs.wanted.entry(keyed).or_insert(wanted);
            self.blobs.changed = true;
        }
    }

    /// Asks a party for a blob it should hold, because a proof or an attachment is missing here.
    ///
    /// # Errors
    /// [`RecordError`] when the record cannot be read: stop.
    pub fn fetch_blob(
        &mut self,
        now: Now,
        from: PartyIndex,
        hash: Hash,
        record: &dyn Record,
    ) -> Result<(), RecordError> {
        if record.read(BLOBS, &hash.0)?.is_none() {
            self.want_blob(now, from, hash);
        }
        Ok(())
    }

    /// Keeps a blob of this party (an attachment) and hands it out when asked.
    pub fn keep_blob(&mut self, bytes: Vec<u8>) -> Hash {
        let hash = sha256(&[&bytes]);
        let row = self.keyed_row(&hash);
        let rows = vec![Row { table: BLOBS, key: hash.0.to_vec(), value: bytes }, row];
        self.commit(rows, Pending::Blob { hash });
        hash
    }

    /// Writes the list of blobs asked for, if it changed: one small row, at most 256 items.
    pub(crate) fn keep_wanted(&mut self) {
        if !std::mem::take(&mut self.blobs.changed) {
            return;
        }
        let mut value = Vec::with_capacity(33 * self.blobs.wanted.len());
        for wanted in self.blobs.wanted.values() {
            value.extend_from_slice(&wanted.hash.0);
            value.push(wanted.from.0);
        }
        let key = [&self.number.to_be_bytes()[..], b"w"].concat();
        self.commit(vec![Row { table: super::rows::FACTS, key, value }], Pending::Nothing);
    }

    /// Goes on asking for what the run before had asked for.
    pub(crate) fn load_wanted(&mut self, now: Now, record: &dyn Record) -> Result<(), RecordError> {
        let key = [&self.number.to_be_bytes()[..], b"w"].concat();
        let value = record.read(super::rows::FACTS, &key)?.unwrap_or_default();
        for item in value.chunks_exact(33) {
            let hash = Hash(item[..32].try_into().expect("32 of 33 bytes"));
            if usize::from(item[32]) < self.parties.len() {
                self.fetch_blob(now, PartyIndex(item[32]), hash, record)?;
            }
        }
        Ok(())
    }

    fn ask_for_blobs(&mut self, now: Now) {
        let mut wishes: Vec<(PartyIndex, Wish)> = Vec::new();
        for (keyed, wanted) in &mut self.blobs.wanted {
            if wanted.again <= now.mono_ms {
                wanted.again = now.mono_ms + BLOB_AGAIN_MS;
                let offset = wanted.parts.len() as u64;
                wishes.push((wanted.from, Wish::Blob { keyed: *keyed, offset }));
            }
        }
        for (to, wish) in wishes {
            self.send_message(Some(to), Urgency::Background, &Message::Want(vec![wish]));
        }
    }

    /// Takes a part of a blob that an entry names; others are dropped.
    pub(crate) fn handle_blob(
        &mut self,
        now: Now,
        from: PartyIndex,
        keyed: Hash,
        total: u64,
        offset: u64,
        bytes: &[u8],
    ) {
        let Some(wanted) = self.blobs.wanted.get_mut(&keyed) else {
            self.early_blob(keyed, total, offset, bytes);
            return;
        };
        if offset == 0 && total == bytes.len() as u64 {
            // Whole in one part: its hash alone decides, whatever somebody else sent before.
            if sha256(&[bytes]) == wanted.hash {
                let hash = wanted.hash;
                self.blobs.wanted.remove(&keyed);
                self.store_blob(hash, bytes.to_vec());
            }
            return;
        }
        if total > BLOB_MAX as u64 || offset != wanted.parts.len() as u64 || bytes.is_empty() {
            return;
        }
        wanted.parts.extend_from_slice(bytes);
        wanted.again = now.mono_ms + BLOB_AGAIN_MS;
        if (wanted.parts.len() as u64) < total {
            let wish = Wish::Blob { keyed, offset: wanted.parts.len() as u64 };
            self.send_message(Some(from), Urgency::Background, &Message::Want(vec![wish]));
            return;
        }
        let wanted = self.blobs.wanted.remove(&keyed).expect("looked up above");
        self.blobs.changed = true;
        if sha256(&[&wanted.parts]) != wanted.hash {
            self.counters.malformed += 1;
            let (hash, from) = (wanted.hash, wanted.from);
            self.want_blob(now, from, hash);
            return;
        }
        self.store_blob(wanted.hash, wanted.parts);
    }

    /// A small blob may overtake the entry that names it: keep a few until that is judged.
    fn early_blob(&mut self, keyed: Hash, total: u64, offset: u64, bytes: &[u8]) {
        if offset == 0 && total == bytes.len() as u64 {
            if self.early.len() >= BLOBS_MAX {
                self.early.pop_first();
            }
            self.early.insert(keyed, bytes.to_vec());
        }
    }

    /// The entry that names `hash` is judged: takes the blob if it came before.
    pub(crate) fn take_early_blob(&mut self, hash: Hash) -> bool {
        let Some(bytes) = self.early.remove(&blob_name(self.id, &hash)) else { return false };
        if sha256(&[&bytes]) != hash {
            return false;
        }
        self.store_blob(hash, bytes);
        true
    }

    fn store_blob(&mut self, hash: Hash, bytes: Vec<u8>) {
        let row = self.keyed_row(&hash);
        let rows = vec![Row { table: BLOBS, key: hash.0.to_vec(), value: bytes }, row];
        self.commit(rows, Pending::Blob { hash });
    }

    /// Tells the others that a person has confirmed the watch here, until `expiry_ms`.
    pub fn announce_presence(&mut self, expiry_ms: i64) {
        let message = super::presence_message(self.id, self.me, expiry_ms);
        let signature = self.keys.log.sign(&message);
        self.send_lines(None, Urgency::Ordinary, vec![LineItem::Presence { expiry_ms, signature }]);
    }
}
