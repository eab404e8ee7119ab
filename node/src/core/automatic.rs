//! What a node does by itself: tests of the line, keys that rotate, credentials named, clocks.

use std::collections::{BTreeMap, VecDeque};

use detente_crypto::Hash;
use detente_encoding::Timestamp;
use detente_journal::Engine;
use detente_protocol::channel::Now;
use detente_protocol::entry::{CredentialPayload, KeyPayload, Payload, Reference, WireReference};
use detente_protocol::judge::Standing;
use detente_protocol::names::{EntryId, Lane, PartyId, PartyIndex};

use super::Core;
use crate::folder::secrets::random;
use crate::refusal::Refusal;

/// Own epochs and KEM keys are in use for this long.
const ROTATE_MS: u64 = 86_400_000;
/// Proofs waited for at once.
const PROOFS_MAX: usize = 1024;
/// Tests whose answers are waited for at once.
const TESTS_MAX: usize = 16;

/// Tests of one channel's line, and proofs that are on their way.
#[derive(Debug, Default)]
pub(crate) struct Tests {
    last_ms: Option<u64>,
    to_answer: VecDeque<Reference>,
    /// Own tests, by whom they are not answered yet.
    waiting: VecDeque<(EntryId, Vec<PartyId>)>,
    answered_at: BTreeMap<PartyId, Timestamp>,
    proofs: BTreeMap<Hash, EntryId>,
}

impl Tests {
    pub(crate) fn await_proof(&mut self, hash: Hash, id: EntryId) {
        if self.proofs.len() < PROOFS_MAX {
            self.proofs.insert(hash, id);
        }
    }

    pub(crate) fn proof_came(&mut self, hash: &Hash) -> Option<EntryId> {
        self.proofs.remove(hash)
    }

    /// How many own tests a party has not answered, and when it last answered one.
    pub(crate) fn of(&self, party: PartyId) -> (u32, Option<Timestamp>) {
        let waiting = self.waiting.iter().filter(|(_, parties)| parties.contains(&party)).count();
        (u32::try_from(waiting).unwrap_or(u32::MAX), self.answered_at.get(&party).copied())
    }
}

impl Core {
    /// Looks once a second at everything that time asks for.
    pub(crate) fn look(&mut self, now: Now) -> Result<(), Refusal> {
        if let Some(error) = self.store.engine().halted() {
            return Err(Refusal::unavailable(error.to_string()));
        }
        self.look_at_disk();
        self.introduce(now);
        let numbers: Vec<u32> = self.channels.keys().copied().collect();
        for number in numbers {
            let Some(standing) = self.channels.get(&number).and_then(|state| state.channel.as_ref()) else {
                continue;
            };
            let standing = standing.standing();
            self.standing_changed(number, &standing);
            if standing.edition > 0 && standing.closed.is_none() && self.accepts {
                self.announce(number, now)?;
                self.rotate(number, now)?;
                self.test(number, now);
            }
        }
        self.overdue(now);
        Ok(())
    }

    fn standing_changed(&mut self, number: u32, standing: &Standing) {
        let Some(state) = self.channels.get_mut(&number) else { return };
        let word = super::status::standing_word(standing);
        if state.standing == word {
            return;
        }
        let first = std::mem::replace(&mut state.standing, word.to_owned()).is_empty();
        if !first {
            self.tell_about(number, "standing", None, &format!("the channel is {word}"));
        }
    }

    /// Names the credentials in force on the channel: its own, and those held of the others.
    fn announce(&mut self, number: u32, now: Now) -> Result<(), Refusal> {
        if self.channels.get(&number).is_none_or(|state| state.announced) {
            return Ok(());
        }
        let Some(state) = self.channels.get_mut(&number) else { return Ok(()) };
        state.announced = true;
        let mut payloads = Vec::new();
        let mut fingerprint = Vec::new();
        let own_roster = crate::credential::roster_in_force(&self.store)?;
        for (place, party) in state.known.charter().parties.iter().enumerate() {
            let held = if *party == self.me {
                &self.own
            } else {
                let Some(held) = self.peers.get(party).and_then(|held| held.last()) else { continue };
                held
            };
            let roster = match &own_roster {
                Some(roster) if *party == self.me => roster.clone(),
                _ => held.text.roster().map_err(|error| Refusal::unavailable(error.to_string()))?,
            };
            let payload = CredentialPayload {
                party: PartyIndex(u8::try_from(place).expect("at most 16 parties")),
                edition: held.text.edition,
                text: held.hash,
                roster_number: roster.number,
                roster: roster.hash(),
            };
            fingerprint.extend_from_slice(&held.hash.0);
            fingerprint.extend_from_slice(&payload.roster.0);
            payloads.push(payload);
        }
        let key = format!("announced/{number:010}");
        if self.store.fact(&key)?.as_deref() == Some(&fingerprint[..]) {
            return Ok(());
        }
        let Some(channel) = &mut state.channel else { return Ok(()) };
        state.touched = true;
        for payload in payloads {
            if channel.write_machine(now, Lane::Ordinary, Payload::Credential(payload), &self.store).is_err()
            {
                state.announced = false;
                return Ok(()); // Too many entries wait for the disk: again at the next look.
            }
        }
        self.views.batch.put(crate::store::NODE, key.as_bytes(), &fingerprint);
        Ok(())
    }

    /// The first KEM key of the channel at once, a new one and a new epoch every day.
    fn rotate(&mut self, number: u32, now: Now) -> Result<(), Refusal> {
        let Some(state) = self.channels.get_mut(&number) else { return Ok(()) };
        let first = state.kem_number == 0;
        if !first && now.mono_ms < state.epoch_since_ms + ROTATE_MS {
            return Ok(());
        }
        let Some(channel) = &mut state.channel else { return Ok(()) };
        state.touched = true;
        let (kem, public) = self.keys.new_kem(state.known.id, state.kem_number + 1)?;
        state.kem_number += 1;
        channel.add_kem(kem);
        let payload = KeyPayload { kem: public, house_root: Some(self.house.announced_root()?) };
        let written = channel.write_machine(now, Lane::Ordinary, Payload::Key(payload), &self.store);
        if let Err(error) = written {
            self.alarm(&format!("a KEM key could not be announced: {error}"));
            return Ok(());
        }
        if !first {
            let (epoch, epoch_number) = self.keys.new_epoch(state.known.id, state.epoch_number + 1)?;
            state.epoch_number = epoch_number;
            state.epoch_since_ms = now.mono_ms;
            channel.begin_epoch(epoch, || random().expect("the system still gives randomness"));
        }
        Ok(())
    }

    fn test(&mut self, number: u32, now: Now) {
        let Some(state) = self.channels.get_mut(&number) else { return };
        let Some(channel) = &mut state.channel else { return };
        while let Some(test) = state.tests.to_answer.pop_front() {
            state.touched = true;
            // A test that cannot be answered now is missed, and the other side sees that.
            let _ = channel.write_test_answer(now, &test, &self.store);
        }
        let every_ms = u64::from(state.known.charter().test_every_s) * 1000;
        let last = *state.tests.last_ms.get_or_insert(now.mono_ms);
        if every_ms == 0 || now.mono_ms < last + every_ms {
            return;
        }
        state.tests.last_ms = Some(now.mono_ms);
        state.touched = true;
        let Ok(bytes) = random() else { return };
        if let Ok(id) = channel.write_machine(now, Lane::Ordinary, Payload::Test(bytes), &self.store) {
            let others = state.known.charter().parties.iter().filter(|p| **p != self.me).copied().collect();
            state.tests.waiting.push_back((id, others));
            if state.tests.waiting.len() > TESTS_MAX {
                state.tests.waiting.pop_front();
            }
        }
    }

    /// A test of another party came: it is answered at the next look.
    pub(crate) fn test_came(&mut self, number: u32, id: EntryId, leaf: Hash) {
        let Some(state) = self.channels.get_mut(&number) else { return };
        if id.log.party != self.me && state.tests.to_answer.len() < TESTS_MAX {
            let channel = state.known.id;
            state.tests.to_answer.push_back(Reference { channel, entry: id, leaf });
        }
    }

    /// A test was answered.
    pub(crate) fn test_answered(&mut self, number: u32, id: EntryId, test: &WireReference, at: Timestamp) {
        let Some(state) = self.channels.get_mut(&number) else { return };
        let Some(channel) = &state.channel else { return };
        let Some(reference) = channel.resolve(&id.log, test) else { return };
        if id.log.party == self.me || reference.entry.log.party != self.me {
            return;
        }
        state.tests.answered_at.insert(id.log.party, at);
        for (test, waiting) in &mut state.tests.waiting {
            if *test <= reference.entry {
                waiting.retain(|party| *party != id.log.party);
            }
        }
        state.tests.waiting.retain(|(_, waiting)| !waiting.is_empty());
    }

    /// Tells which deadlines have passed.
    fn overdue(&mut self, now: Now) {
        let late: Vec<(u32, EntryId)> = self
            .views
            .unsettled
            .iter()
            .filter(|(_, message)| !message.told && message.deadline < now.wall)
            .map(|(id, _)| *id)
            .take(256)
            .collect();
        for (number, id) in late {
            if let Some(message) = self.views.unsettled.get_mut(&(number, id)) {
                message.told = true;
            }
            let waiting: Vec<u8> = self.views.unsettled[&(number, id)].waiting.iter().copied().collect();
            let Ok(Some(brief)) = self.brief(number, &id) else { continue };
            for place in waiting {
                let by = Some(self.code(number, PartyIndex(place)));
                self.tell_entry(number, "overdue", &id, &brief, by, None, None);
            }
        }
    }
}
