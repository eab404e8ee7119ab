//! A simulated party: its keys, its disk, its run of the production channel.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use detente_crypto::assertion::{
    ReleaseKey, ReleaseKeyKind, ReleasePublic, ReleaseSignature, file_key_message,
};
use detente_crypto::{Ed25519Signer, Hash, Suite};
use detente_encoding::Timestamp;
use detente_protocol::channel::{
    Channel, Danger, KemKey, NodeKeys, Now, Pace, PartyKeys, PeerSetup, PublicKeys, Released, Setup,
};
use detente_protocol::charter::Charter;
use detente_protocol::entry::Kind;
use detente_protocol::judge::Verdict;
use detente_protocol::names::{EntryId, Lane, LogKey, PartyId, Run};
use detente_protocol::release::Proof;
use detente_protocol::roster::{Roles, Roster, RosterKey};
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
    /// Each start of a node draws the same 8 bytes: generations and nonces repeat.
    RunReused,
    /// Acknowledgements do not say which leaf they mean.
    AcknowledgedWithoutLeaf,
    /// A charter is ratified, and the proof of it stays at home.
    RatifiedWithoutProof,
    /// A node comes up without what its disk holds.
    DiskForgotten,
    /// One rule of the channel undone at its place.
    Channel(Danger),
}

/// The seeds of a party's keys.
pub(crate) struct Secrets {
    pub(crate) node: [[u8; 32]; 4],
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
    /// The least that its clock ever showed beyond true time.
    pub(crate) clock_least_ms: i64,
    /// An old copy of its disk, and whether it was ever put back.
    pub(crate) backup: Option<Disk>,
    pub(crate) restored: bool,
    /// The most it ever held of each log before a backup was put back.
    pub(crate) ever_held: BTreeMap<LogKey, u64>,
    /// Parties it knows to have signed two histories, and of which logs.
    pub(crate) accused: BTreeSet<PartyId>,
    pub(crate) accused_logs: BTreeSet<LogKey>,
    /// What its officers sent last: a client that got no answer offers it again.
    pub(crate) last_sent: Option<(Statement, Lane)>,
    /// When it last started, stopped or had a link go down or up.
    pub(crate) disturbed_ms: u64,
    /// What this party's wall clock shows beyond true time, milliseconds.
    pub(crate) clock_error_ms: i64,
    pub(crate) started_ms: u64,
    /// What people here have been shown, by entry.
    pub(crate) shown: BTreeMap<EntryId, (Hash, Verdict)>,
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
            clock_least_ms: 0,
            backup: None,
            restored: false,
            ever_held: BTreeMap::new(),
            accused: BTreeSet::new(),
            accused_logs: BTreeSet::new(),
            last_sent: None,
            disturbed_ms: 0,
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
        plant: Option<Plant>,
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
            run: if plant == Some(Plant::RunReused) { Run([7; 8]) } else { Run(random.bytes()) },
            keys: Arc::new(NodeKeys::from_seeds(suite, &self.secrets.node)),
            own: vec![public[&self.id].clone()],
            peers: peers.collect(),
            epoch: Epoch::new(suite, self.own_epoch),
            kems: vec![KemKey { id: Channel::kem_id(&kem_public), seed: self.secrets.kem }],
            pace: Pace { heartbeat_ms: 300_000, have_ms: 600_000 },
        };
        let now = self.now(true_ms);
        let channel = Channel::open(setup, now, &self.disk, || random.bytes());
        let mut channel = channel.expect("a record that this code wrote can be opened");
        if let Some(Plant::Channel(danger)) = plant {
            channel.danger_plant(danger);
        }
        self.channel = Some(channel);
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
        let hidden = plant == Some(Plant::RatifiedWithoutProof) && statement.kind == Kind::Ratify;
        Released { statement, lane, proof: proof.encode(), proof_travels: travels && !hidden }
    }

    /// The roster in force: two officers who draft, release and keep the watch.
    pub(crate) fn roster(&self, suite: &'static dyn Suite) -> Roster {
        let roles = Roles::DRAFT.and(Roles::RELEASE).and(Roles::WATCH);
        let keys = [1, 2].map(|number| {
            let public = suite.ed25519_public(&self.secrets.officers[usize::from(number) - 1]);
            let key =
                ReleaseKey { number, public: ReleasePublic::Ed25519(public), kind: ReleaseKeyKind::File };
            RosterKey { key, person: number, roles }
        });
        Roster { asks: 2, keys: keys.to_vec(), number: 0, party: self.id, previous: None }
    }

    pub(crate) fn officer(&self, suite: &'static dyn Suite, number: u16) -> Ed25519Signer {
        suite.ed25519_signer(&self.secrets.officers[usize::from(number) - 1])
    }
}

/// Where virtual time begins: 2027-03-01T00:00:00Z.
pub(crate) const EPOCH_MS: i64 = 1_803_859_200_000;
