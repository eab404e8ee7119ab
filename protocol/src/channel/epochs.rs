//! Epochs: this party's secret for the channel, those of the others, and how they get there.

use std::sync::Arc;

use detente_crypto::KEM_PUBLIC_BYTES;

use super::message::LineItem;
use super::rows::{Record, RecordError};
use super::{Channel, Event, Now, Output, Pending, Urgency};
use crate::names::{PartyId, PartyIndex};
use crate::sealing::{Epoch, EpochName, LogSeal, Reader, Wrap, cover, kem_id, uncover};

/// Live epochs kept of one sender.
const EPOCHS_MAX: usize = 4;
/// A wrap not confirmed is repeated with what is sent, at most this often.
const WRAP_AGAIN_MS: u64 = 500;
/// HPKE openings a minute: each costs about as much as a hundred messages.
const OPENINGS_A_MINUTE_MAX: u32 = 10;

/// A KEM key of this node on this channel.
#[derive(Clone)]
pub struct KemKey {
    /// First 8 bytes of the hash of the public key.
    pub id: [u8; 8],
    /// The private seed.
    pub seed: [u8; 32],
}

impl core::fmt::Debug for KemKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "KemKey({})", detente_encoding::text::hex(&self.id))
    }
}

impl Channel {
    /// Makes the present epoch's wrap for all other parties' newest KEM keys. Needs 64 fresh random
    /// bytes for each of them; readers whose key is unusable are left out and counted.
    pub(crate) fn make_wrap(&mut self, mut randomness: impl FnMut() -> [u8; 64]) {
        let parties = Arc::clone(&self.parties);
        let mut readers: Vec<Reader<'_>> = Vec::new();
        for (index, party) in parties.iter().enumerate().filter(|(_, party)| **party != self.me) {
            let index = PartyIndex(u8::try_from(index).expect("at most 16 parties"));
            let Some(kem) = self.peers.get(&index).map(|peer| &*peer.kem) else { continue };
            readers.push(Reader { index, party: *party, kem, randomness: randomness() });
        }
        match Wrap::seal(&self.epoch, self.id, self.me, self.run, &readers, &self.keys.log) {
            Ok(wrap) => {
                let hash = detente_crypto::sha256(&[&wrap.encode()]);
                let nonce = hash.0[..12].try_into().expect("12 of 32 bytes");
                self.wrap = Some(cover(self.suite, &wrap, nonce));
            }
            Err(_) => self.counters.malformed += 1,
        }
    }

    /// Sends the wrap to those of `readers` that have not confirmed it.
    pub(crate) fn send_wraps(&mut self, now: Now, readers: &[PartyIndex]) {
        let Some(wrap) = &self.wrap else { return };
        for to in readers {
            let Some(peer) = self.peers.get_mut(to) else { continue };
            if peer.confirmed == Some(self.epoch.name()) || now.mono_ms < peer.wrap_again {
                continue;
            }
            peer.wrap_again = now.mono_ms + WRAP_AGAIN_MS;
            self.outputs.push_back(Output::Transmit {
                to: *to,
                urgency: Urgency::Emergency,
                bytes: wrap.clone(),
            });
        }
    }

    /// Takes a wrap of another party: its epoch is kept in a file first, confirmed afterwards.
    pub(crate) fn handle_wrap(&mut self, now: Now, bytes: &[u8]) {
        let Some(wrap) = uncover(self.suite, self.id, bytes) else {
            self.counters.malformed += 1;
            return;
        };
        let signed = self.public.get(&wrap.party).is_some_and(|editions| {
            editions.iter().any(|keys| wrap.is_signed_by(self.suite, &keys.log_bytes))
        });
        #[cfg(feature = "simulation")]
        let signed = signed || self.planted(super::Danger::WrapUnsigned);
        if !signed || wrap.party == self.me {
            self.counters.malformed += 1;
            return;
        }
        self.heard(wrap.party, now);
        let known =
            self.peer_epochs.get(&wrap.party).is_some_and(|e| e.iter().any(|e| e.name() == wrap.epoch));
        if known {
            self.confirm(wrap.party, wrap.epoch);
            return;
        }
        if !self.may_open(now) {
            return;
        }
        let seeds = &self.kems;
        let seed_of = |id: &[u8; 8]| seeds.iter().find(|kem| kem.id == *id).map(|kem| kem.seed);
        match wrap.open(self.suite, (self.my_index, self.me), seed_of) {
            Ok(epoch) => {
                let ticket = self.ticket(Pending::Epoch { party: wrap.party, epoch: epoch.clone() });
                self.outputs.push_back(Output::KeepEpoch { ticket, party: wrap.party, epoch });
            }
            Err(crate::sealing::WrapError::LocalKemForgotten) => {
                if let Some(kem) = self.kems.last() {
                    let (epoch, kem) = (wrap.epoch, kem.id);
                    self.want(now, wrap.party, super::message::Wish::WrapAgain { epoch, kem });
                }
            }
            Err(_) => self.counters.malformed += 1,
        }
    }

    fn may_open(&mut self, now: Now) -> bool {
        if now.mono_ms.saturating_sub(self.openings.0) > 60_000 {
            self.openings = (now.mono_ms, 0);
        }
        self.openings.1 += 1;
        self.openings.1 <= OPENINGS_A_MINUTE_MAX * u32::try_from(self.parties.len()).expect("at most 16")
    }

    /// The epoch is in its file: use it, confirm it, and try what waited for it.
    pub(crate) fn epoch_kept(
        &mut self,
        now: Now,
        party: PartyId,
        epoch: Epoch,
        record: &dyn Record,
    ) -> Result<(), RecordError> {
        let name = epoch.name();
        let epochs = self.peer_epochs.entry(party).or_default();
        let known = epochs.iter().any(|known| known.name() == name);
        while !known && epochs.len() >= EPOCHS_MAX {
            let gone = epochs.remove(0).name();
            self.seals.retain(|(_, epoch), _| *epoch != gone);
            self.tags.retain(|_, (_, epoch)| *epoch != gone);
            self.outputs.push_back(Output::Event(Event::EpochEnded { party, epoch: gone }));
        }
        // It stands first, the next to go, until something opens under it: old wraps may be replayed
        // by anybody, and must not push out the epochs in use.
        if !known {
            epochs.insert(0, epoch);
        }
        let logs: Vec<_> = self.logs.keys().filter(|key| key.party == party).copied().collect();
        for key in logs {
            self.learn_tags(key);
        }
        self.confirm(party, name);
        self.retry_unopened(now, record)
    }

    fn confirm(&mut self, party: PartyId, epoch: EpochName) {
        let signature = self.keys.log.sign(&super::confirm_message(self.id, epoch));
        let to = self.index_of(party);
        self.send_lines(Some(to), Urgency::Emergency, vec![LineItem::Confirm { epoch, signature }]);
    }

    pub(crate) fn handle_confirm(
        &mut self,
        now: Now,
        from: PartyIndex,
        epoch: EpochName,
        signature: &[u8; 64],
    ) {
        let party = self.parties[usize::from(from.0)];
        let message = super::confirm_message(self.id, epoch);
        let holds = self
            .public
            .get(&party)
            .is_some_and(|editions| editions.iter().any(|keys| keys.verify_notice(&message, signature)));
        if !holds || epoch != self.epoch.name() {
            return;
        }
        let Some(peer) = self.peers.get_mut(&from) else { return };
        if peer.confirmed != Some(epoch) {
            peer.confirmed = Some(epoch);
            self.hurry(now, from);
        }
    }

    /// Begins a new epoch of this party; the node has kept its secret in a file already.
    pub fn begin_epoch(&mut self, epoch: Epoch, randomness: impl FnMut() -> [u8; 64]) {
        self.epoch = epoch;
        for log in self.logs.values_mut() {
            let key = log.key;
            if let Some(own) = log.own_mut().filter(|own| own.live) {
                own.seal = Some(LogSeal::new(&self.epoch, self.id, &key));
            }
        }
        self.make_wrap(randomness);
    }

    /// Takes a new own KEM key; enter its `key` entry with [`Channel::write_machine`].
    pub fn add_kem(&mut self, kem: KemKey) {
        self.kems.push(kem);
    }

    /// A `key` entry of another party was judged valid: the next wrap uses it.
    pub(crate) fn learn_kem(&mut self, party: PartyId, public: &[u8; KEM_PUBLIC_BYTES]) {
        let index = self.index_of(party);
        if let Some(peer) = self.peers.get_mut(&index) {
            *peer.kem = *public;
            peer.confirmed = None;
            self.wrap_stale = true;
        }
    }

    /// Whether the wrap should be made anew for a newer KEM key of a reader.
    #[must_use]
    pub fn wants_new_wrap(&self) -> bool {
        self.wrap_stale || self.wrap.is_none()
    }

    /// Makes the wrap anew for the readers' newest KEM keys.
    pub fn renew_wrap(&mut self, randomness: impl FnMut() -> [u8; 64]) {
        self.wrap_stale = false;
        self.make_wrap(randomness);
    }

    /// Key id of a KEM public key.
    #[must_use]
    pub fn kem_id(public: &[u8; KEM_PUBLIC_BYTES]) -> [u8; 8] {
        kem_id(public)
    }
}
