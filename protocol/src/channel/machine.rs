//! Machine entries that refer to others, and the channel as the next own entry would see it.
//!
//! A reference inside an entry is an ordinal of its log's table, so only the channel can make one.

use super::rows::{LogNumber, Record, RecordError};
use super::{Channel, Now, WriteError};
use crate::entry::{Entry, LogRef, MachineEntry, Payload, Reference, WireReference};
use crate::judge::{Act, Standing};
use crate::names::{EntryId, Generation, Lane, LogKey, PartyId};
use crate::sealing::{Header, Kind, Sender};
use crate::seen::SeenTable;

impl Channel {
    /// Says that a person has opened the entry meant; stands in the lane of that entry.
    ///
    /// # Errors
    /// [`WriteError`]; nothing is written.
    pub fn write_opened(
        &mut self,
        now: Now,
        reference: &Reference,
        record: &dyn Record,
    ) -> Result<EntryId, WriteError> {
        self.write_referring(now, reference.entry.log.lane, reference, Payload::Opened, record)
    }

    /// Answers a test of another party.
    ///
    /// # Errors
    /// [`WriteError`]; nothing is written.
    pub fn write_test_answer(
        &mut self,
        now: Now,
        test: &Reference,
        record: &dyn Record,
    ) -> Result<EntryId, WriteError> {
        self.write_referring(now, Lane::Ordinary, test, Payload::TestAnswer, record)
    }

    fn write_referring(
        &mut self,
        now: Now,
        lane: Lane,
        reference: &Reference,
        payload: fn(WireReference) -> Payload,
        record: &dyn Record,
    ) -> Result<EntryId, WriteError> {
        let log = self.own_log(now, lane, record)?;
        let (seen, check) = self.next_seen(&log, record)?;
        let mut table = self.logs[&log].judge.table().clone();
        let _ = table.apply(&seen, &self.parties);
        let ordinal = table.ordinal(&reference.entry.log).ok_or(WriteError::LocalReference)?;
        let wire = WireReference {
            log: LogRef::Ordinal(ordinal),
            index: reference.entry.index,
            leaf: reference.leaf,
        };
        let entry = Entry::Machine(MachineEntry { written: now.wall, seen, check, payload: payload(wire) });
        self.append(log, &entry, Vec::new(), None, record).map(|(id, _)| id)
    }

    /// The channel as this party's next entry in the ordinary lane would see it.
    #[must_use]
    pub fn standing(&self) -> Standing {
        let nowhere = LogKey {
            party: self.me,
            lane: Lane::Ordinary,
            generation: Generation { number: u32::MAX, run: self.run },
        };
        let own = self.live_own[Lane::Ordinary as usize].unwrap_or(nowhere);
        let index = self.logs.get(&own).map_or(0, |log| log.judge.index());
        let mut table = SeenTable::new(self.id, own);
        loop {
            let held = self.logs.values().filter(|log| log.key != own);
            let next = table.next(held.map(|log| (log.key, log.judge.index())), &self.parties);
            if next.0.is_empty() || table.apply(&next, &self.parties).is_err() {
                return Standing::seen_by(&table, index, &self.acts, &self.parties);
            }
        }
    }

    /// The number under which the record keeps a log's rows.
    #[must_use]
    pub fn log_number(&self, log: &LogKey) -> Option<LogNumber> {
        self.logs.get(log).map(|log| log.number)
    }

    /// A reference inside an entry of `log` by full name. `None` when its ordinal is not known.
    #[must_use]
    pub fn resolve(&self, log: &LogKey, reference: &WireReference) -> Option<Reference> {
        reference.resolve(self.logs.get(log)?.judge.table())
    }

    /// Whether bytes from a path are sealed or covered for this channel, as far as their tag says.
    #[must_use]
    pub fn recognises(&self, bytes: &[u8]) -> bool {
        let Ok((header, _)) = Header::parse(bytes) else {
            return crate::sealing::uncover(self.suite, self.id, bytes).is_some();
        };
        match (header.kind, header.sender) {
            (Kind::Frame, _) => self.find_log(&header).is_some(),
            (kind, Sender::Control(run)) if kind.is_control() => {
                self.peer_epochs.iter().any(|(party, epochs)| {
                    epochs.iter().any(|epoch| epoch.control(kind as u8, *party, run).1 == header.tag)
                })
            }
            _ => crate::sealing::uncover(self.suite, self.id, bytes).is_some(),
        }
    }

    /// The parties that have ratified an edition, as far as this node has judged.
    #[must_use]
    pub fn ratified_by(&self, edition: u32) -> Vec<PartyId> {
        let ratifies = |act: &Act| matches!(act, Act::Ratify(body) if body.edition == edition);
        let mut parties: Vec<PartyId> = self
            .acts
            .logs()
            .filter(|log| self.acts.between(log, 0, u64::MAX).iter().any(|(_, act)| ratifies(act)))
            .map(|log| log.party)
            .collect();
        parties.sort_unstable();
        parties.dedup();
        parties
    }

    /// The leaf hash of an entry held here. `None` when it is not.
    ///
    /// # Errors
    /// [`RecordError`] when the record cannot be read.
    pub fn leaf_of(&self, entry: &EntryId, record: &dyn Record) -> Result<Option<Reference>, RecordError> {
        let Some(log) = self.logs.get(&entry.log).filter(|log| entry.index < log.durable) else {
            return Ok(None);
        };
        let leaf = super::judging::read_leaf(log, entry.index, record)?;
        Ok(leaf.map(|leaf| Reference { channel: self.id, entry: *entry, leaf: leaf.leaf }))
    }
}
