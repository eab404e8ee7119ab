//! Channels of the running node: opening them, introducing them, hearing of new ones.

use std::collections::BTreeMap;
use std::sync::Arc;

use detente_crypto::SUITE_1;
use detente_protocol::channel::{Channel, Pace, PeerSetup, Setup};
use detente_protocol::charter::Charter;
use detente_protocol::names::{PartyId, PartyIndex};
use detente_protocol::sealing::{Reader, introduce, open_introduction};
use detente_transport::{LinkKey, Outgoing, PeerLink, Urgency};

use super::brief::Briefs;
use super::{Core, wall};
use crate::channels::{self, CHANNELS_MAX, Known};
use crate::folder::secrets::random;
use crate::refusal::Refusal;

/// An introduction that was not answered is repeated after this long.
const INTRODUCE_EVERY_MS: u64 = 5_000;

/// What release checks and contexts need of a channel, away from the core.
#[derive(Debug)]
pub(crate) struct Face {
    pub(crate) known: Known,
    pub(crate) codes: Vec<String>,
}

/// A channel as the core has it.
pub(crate) struct State {
    pub(crate) known: Known,
    pub(crate) codes: Vec<String>,
    /// `None` while a credential is missing.
    pub(crate) channel: Option<Channel>,
    pub(crate) problem: Option<String>,
    /// Something was put in since it was last asked what to do.
    pub(crate) touched: bool,
    pub(crate) briefs: Briefs,
    /// When a party is introduced to the channel again (monotonic ms); empty once it has spoken.
    pub(crate) introduce_again: BTreeMap<PartyId, u64>,
    pub(crate) epoch_number: u32,
    pub(crate) epoch_since_ms: u64,
    pub(crate) kem_number: u32,
    pub(crate) announced: bool,
    pub(crate) tests: super::automatic::Tests,
    pub(crate) presence: BTreeMap<PartyIndex, detente_encoding::Timestamp>,
    pub(crate) standing: String,
}

impl State {
    /// The code of a party of the channel.
    pub(crate) fn code(&self, index: PartyIndex) -> String {
        self.codes.get(usize::from(index.0)).cloned().unwrap_or_default()
    }

    /// The code of a party by its identity.
    pub(crate) fn code_of(&self, party: PartyId) -> String {
        self.known.charter().party_index(party).map_or_else(String::new, |index| self.code(index))
    }
}

fn fresh() -> [u8; 64] {
    random().expect("a system that gave randomness at the start still gives it")
}

impl Core {
    /// Opens every known channel that is not open yet.
    pub(crate) fn open_known(&mut self, known: Vec<Known>) -> Result<(), Refusal> {
        for known in known {
            let number = known.number;
            if self.channels.get(&number).is_some_and(|state| state.channel.is_some()) {
                continue;
            }
            let state = self.open_one(known)?;
            let face = Face { known: state.known.clone(), codes: state.codes.clone() };
            let mut faces = self.shared.faces.write().unwrap_or_else(std::sync::PoisonError::into_inner);
            faces.insert(face.known.id, Arc::new(face));
            drop(faces);
            self.channels.insert(number, state);
            self.catch_up(number)?;
        }
        Ok(())
    }

    fn open_one(&mut self, known: Known) -> Result<State, Refusal> {
        let charter = known.charter();
        let code = |party: &PartyId| {
            if *party == self.me {
                return self.own.text.code.clone();
            }
            let held = self.peers.get(party).and_then(|held| held.last());
            held.map_or_else(|| party.to_string()[..8].to_owned(), |held| held.text.code.clone())
        };
        let codes: Vec<String> = charter.parties.iter().map(code).collect();
        let missing: Vec<String> =
            channels::missing(charter, |party| *party == self.me || self.peers.contains_key(party))
                .map(|party| party.to_string()[..8].to_owned())
                .collect();
        let problem = (!missing.is_empty()).then(|| {
            format!(
                "the credential of {} is not held; compare the words and add it with `detente peer add`",
                missing.join(", ")
            )
        });
        let mut state = State {
            briefs: Briefs::default(),
            introduce_again: charter.parties.iter().filter(|p| **p != self.me).map(|p| (*p, 0)).collect(),
            known,
            codes,
            channel: None,
            problem,
            touched: true,
            epoch_number: 0,
            epoch_since_ms: self.now().mono_ms,
            kem_number: 0,
            announced: false,
            tests: super::automatic::Tests::default(),
            presence: BTreeMap::new(),
            standing: String::new(),
        };
        if state.problem.is_none() {
            self.open_channel(&mut state)?;
        }
        Ok(state)
    }

    fn open_channel(&mut self, state: &mut State) -> Result<(), Refusal> {
        let keys = self.keys.channel(state.known.id)?;
        let mut epochs = keys.peers;
        let mut peers = BTreeMap::new();
        for party in state.known.charter().parties.iter().filter(|party| **party != self.me) {
            let editions = self.peers.get(party).map(Vec::as_slice).unwrap_or_default();
            let keys = editions.iter().map(crate::credential::Held::keys).collect::<Result<_, _>>()?;
            let epochs = epochs.remove(party).unwrap_or_default();
            peers.insert(*party, PeerSetup { keys, epochs });
        }
        state.epoch_number = keys.epoch_number;
        state.kem_number = u32::try_from(keys.kems.len().saturating_sub(1)).unwrap_or(u32::MAX);
        let setup = Setup {
            suite: SUITE_1,
            number: state.known.number,
            charters: state.known.charters.clone(),
            me: self.me,
            run: self.run,
            keys: Arc::clone(&self.keys.node),
            own: vec![self.own.keys()?],
            peers,
            epoch: keys.epoch,
            kems: keys.kems,
            pace: Pace::default(),
        };
        let channel = Channel::open(setup, self.now(), &self.store, fresh);
        state.channel = Some(channel.map_err(|error| Refusal::unavailable(error.to_string()))?);
        Ok(())
    }

    /// Introduces channels to parties that have not spoken on them.
    pub(crate) fn introduce(&mut self, now: detente_protocol::channel::Now) {
        for state in self.channels.values_mut() {
            let charter = state.known.charters[0].clone();
            for (place, party) in charter.parties.iter().enumerate() {
                let index = PartyIndex(u8::try_from(place).expect("at most 16 parties"));
                if state.channel.as_ref().is_some_and(|channel| channel.heard_ms(index) > 0) {
                    state.introduce_again.remove(party);
                }
                let due = state.introduce_again.get(party).is_some_and(|again| *again <= now.mono_ms);
                let Some(held) = self.peers.get(party).and_then(|held| held.last()).filter(|_| due) else {
                    continue;
                };
                state.introduce_again.insert(*party, now.mono_ms + INTRODUCE_EVERY_MS);
                let reader = Reader { index, party: *party, kem: &held.text.kem, randomness: fresh() };
                let made = introduce(SUITE_1, &charter.encode(), self.me, &self.keys.node.log, &reader);
                if let Ok(bytes) = made {
                    let link = LinkKey(held.text.node.link);
                    let outgoing = Outgoing { frame: bytes.into(), urgency: Urgency::Ordinary };
                    let _ = self.endpoint.send(&link, outgoing); // It is repeated.
                }
            }
        }
    }

    /// Takes a charter that another party proposes.
    pub(crate) fn introduced(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        let Ok(introduction) = open_introduction(SUITE_1, self.me, self.keys.kem_seed(), bytes) else {
            return Ok(());
        };
        let signed = self.peers.get(&introduction.sender).is_some_and(|held| {
            held.iter().any(|held| introduction.is_signed_by(SUITE_1, &held.text.node.log_ed25519))
        });
        let Ok(charter) = Charter::decode(&introduction.charter) else { return Ok(()) };
        let ours = charter.party_index(self.me).is_some()
            && charter.party_index(introduction.sender).is_some()
            && charter.edition == 1;
        let id = charter.channel_id();
        if !signed
            || !ours
            || self.channels.len() >= CHANNELS_MAX
            || self.channels.values().any(|state| state.known.id == id)
        {
            return Ok(());
        }
        let label = charter.label.clone();
        let known = channels::keep(&self.store, &self.known(), charter)?;
        let number = known.number;
        self.note_in_house("channel", &format!("{id} {label:?} was proposed to us"))?;
        self.open_known(vec![known])?;
        let by = self.channels.get(&number).map(|state| state.code_of(introduction.sender));
        self.tell_about(
            number,
            "proposed",
            by,
            &format!("channel {label:?} is proposed; ratify it if you agree"),
        );
        self.peers_changed();
        Ok(())
    }

    /// Takes in credentials that were added, and opens what waited for them.
    pub(crate) fn reload_peers(&mut self) -> Result<(), Refusal> {
        self.peers = crate::peers::editions(&self.store)?;
        self.peers_changed();
        let waiting: Vec<Known> = self
            .channels
            .values()
            .filter(|state| state.channel.is_none())
            .map(|state| state.known.clone())
            .collect();
        self.open_known(waiting)?;
        let now = self.now();
        self.introduce(now);
        Ok(())
    }

    /// Tells the endpoint who may have links.
    pub(crate) fn peers_changed(&mut self) {
        let newest = self.peers.values().filter_map(|held| held.last());
        let links: Vec<PeerLink> = newest
            .clone()
            .map(|held| PeerLink {
                key: LinkKey(held.text.node.link),
                addresses: held.text.endpoints.clone(),
            })
            .collect();
        self.links = newest.map(|held| (LinkKey(held.text.node.link), held.party())).collect();
        if let Err(error) = self.endpoint.set_peers(links) {
            self.alarm(&error.to_string());
        }
    }

    /// Adds a line to the house log, durably with the next views.
    pub(crate) fn note_in_house(&mut self, what: &str, about: &str) -> Result<(), Refusal> {
        Ok(self.house.add(&mut self.views.batch, wall(), what, about)?)
    }
}
