//! A simulated party: its keys, its disk, its run of the production channel.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use detente_crypto::assertion::{ReleaseSignature, file_key_message};
use detente_crypto::{Ed25519Signer, Hash, Suite};
use detente_encoding::Timestamp;
use detente_protocol::channel::{
    Channel, KemKey, NodeKeys, Now, Pace, PartyKeys, PeerSetup, PublicKeys, Released, Setup,
};
use detente_protocol::charter::Charter;
use detente_protocol::names::{EntryId, Lane, PartyId, Run};
use detente_protocol::release::Proof;
use detente_protocol::sealing::Epoch;
use detente_protocol::statement::Statement;

use crate::Random;
use crate::disk::Disk;

/// A fault built in on purpose, to see that the checkers catch it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Plant {
    /// Completions are told before the sync: a receipt may rest on nothing.
    CosignBeforeSync,
    /// The drafter signs as second person.
    DrafterAsSecond,
}

/// The seeds of a party's keys.
pub(crate) struct Secrets {
    node: [[u8; 32]; 4],
    kem: [u8; 32],
    /// Two officers' release keys.
    officers: [[u8; 32]; 2],
}

/// One party's node, running or not.
pub(crate) struct Party {
    pub(crate) id: PartyId,
    pub(crate) secrets: Secrets,
    pub(crate) disk: Disk,
    pub(crate) channel: Option<Channel>,
    pub(crate) runs: u64,
    /// Epochs kept in files: they survive crashes once kept.
    pub(crate) own_epoch: [u8; 32],
    pub(crate) peer_epochs: BTreeMap<PartyId, Vec<Epoch>>,
    /// What this party's wall clock shows beyond true time, milliseconds.
    pub(crate) clock_error_ms: i64,
    pub(crate) started_ms: u64,
    /// What people here have been shown, by entry.
    pub(crate) shown: BTreeMap<EntryId, Hash>,
    /// Entries of others this party's officers have yet to acknowledge, and when they will.
    pub(crate) to_acknowledge: BTreeSet<(u64, EntryId, [u8; 32])>,
    /// Entries this party's officers have taken over: their acknowledgement is durable.
    pub(crate) acknowledged: BTreeSet<EntryId>,
}

impl Party {
    pub(crate) fn new(suite: &'static dyn Suite, random: &mut Random) -> Self {
        let secrets = Secrets {
            node: core::array::from_fn(|_| random.bytes()),
            kem: random.bytes(),
            officers: core::array::from_fn(|_| random.bytes()),
        };
        // In simulated worlds a party is named by its log key: root keys stay at home here.
        let id = PartyId(detente_crypto::sha256(&[&suite.ed25519_public(&secrets.node[0])]).0);
        Self {
            id,
            secrets,
            disk: Disk::default(),
            channel: None,
            runs: 0,
            own_epoch: random.bytes(),
            peer_epochs: BTreeMap::new(),
            clock_error_ms: 0,
            started_ms: 0,
            shown: BTreeMap::new(),
            to_acknowledge: BTreeSet::new(),
            acknowledged: BTreeSet::new(),
        }
    }

    pub(crate) fn public(&self, suite: &'static dyn Suite) -> PartyKeys {
        let [log, log_pq, cosigner, cosigner_pq] = &self.secrets.node;
        let keys = PublicKeys {
            log: &suite.ed25519_public(log),
            log_post_quantum: &suite.mldsa_public(log_pq),
            cosigner: &suite.ed25519_public(cosigner),
            cosigner_post_quantum: &suite.mldsa_public(cosigner_pq),
            kem: &suite.kem_public(&self.secrets.kem),
        };
        PartyKeys::new(suite, self.id, 1, &keys).expect("keys made from seeds are keys")
    }

    /// Starts a new run from what the disk holds.
    pub(crate) fn start(
        &mut self,
        suite: &'static dyn Suite,
        charter: &Charter,
        public: &BTreeMap<PartyId, PartyKeys>,
        true_ms: u64,
        random: &mut Random,
    ) {
        self.runs += 1;
        self.started_ms = true_ms;
        let peers = public.iter().filter(|(party, _)| **party != self.id).map(|(party, keys)| {
            let epochs = self.peer_epochs.get(party).cloned().unwrap_or_default();
            (*party, PeerSetup { keys: vec![keys.clone()], epochs })
        });
        let kem_public = suite.kem_public(&self.secrets.kem);
        let setup = Setup {
            suite,
            number: 0,
            charters: vec![charter.clone()],
            me: self.id,
            run: Run(random.bytes()),
            keys: Arc::new(NodeKeys::from_seeds(suite, &self.secrets.node)),
            own: vec![public[&self.id].clone()],
            peers: peers.collect(),
            epoch: Epoch::new(suite, self.own_epoch),
            kems: vec![KemKey { id: Channel::kem_id(&kem_public), seed: self.secrets.kem }],
            pace: Pace { heartbeat_ms: 300_000, have_ms: 600_000 },
        };
        let now = self.now(true_ms);
        let channel = Channel::open(setup, now, &self.disk, || random.bytes());
        self.channel = Some(channel.expect("a record that this code wrote can be opened"));
    }

    /// Both clocks of this party at a true moment.
    pub(crate) fn now(&self, true_ms: u64) -> Now {
        let wall = i64::try_from(true_ms).expect("virtual time is small") + EPOCH_MS + self.clock_error_ms;
        Now { wall: Timestamp::from_millis(wall), mono_ms: true_ms - self.started_ms + 1 }
    }

    /// A statement released by this party's two officers.
    pub(crate) fn release(
        &self,
        suite: &'static dyn Suite,
        charter: &Charter,
        statement: Statement,
        lane: Lane,
        plant: Option<Plant>,
    ) -> Released {
        let hash = statement.hash(charter.channel_id(), self.id, lane);
        let order: [u16; 2] = if plant == Some(Plant::DrafterAsSecond) { [2, 1] } else { [1, 2] };
        let signatures = order.map(|number| {
            let signer = self.officer(suite, number);
            (number, ReleaseSignature::File { signature: signer.sign(&file_key_message(&hash)) })
        });
        let proof = Proof::new(signatures.to_vec()).expect("two distinct keys");
        let travels = detente_protocol::release::proof_travels(
            charter,
            statement.kind,
            statement.precedence,
            lane,
            statement.format,
        );
        Released { statement, lane, proof: proof.encode(), proof_travels: travels }
    }

    pub(crate) fn officer(&self, suite: &'static dyn Suite, number: u16) -> Ed25519Signer {
        suite.ed25519_signer(&self.secrets.officers[usize::from(number) - 1])
    }
}

/// Where virtual time begins: 2027-03-01T00:00:00Z.
pub(crate) const EPOCH_MS: i64 = 1_803_859_200_000;
