//! Equivocation proofs in an export. Source: `spec/log.md`, section 5.

use detente_crypto::{Hash, Suite};
use detente_transparency::{Accused, Equivocation, Evidence, Head, Name, PublicKey};

use super::objects::Objects;
use crate::entry::{Entry, Payload};
use crate::limits::SALT_BYTES;
use crate::names::{ChannelId, LogKey, PartyId, cosigner_name};

/// Whether the bytes prove that a party of the channel contradicted itself about a log of it.
pub(super) fn holds(bytes: &[u8], objects: &Objects, suite: &dyn Suite) -> bool {
    let Ok(proof) = Equivocation::from_bytes(bytes) else { return false };
    let channel = objects.manifest.channel;
    let of_channel = LogKey::parse(proof.log.as_str())
        .is_some_and(|(of, log)| of == channel && objects.charter().party_index(log.party).is_some());
    let party = PartyId(proof.party.0);
    let Some(editions) = objects.credentials.get(&party) else { return false };
    let keys = |of: fn(&crate::credential::NodeKeys) -> [&[u8]; 2]| -> Vec<PublicKey> {
        let bytes = editions.values().flat_map(|text| of(&text.node));
        bytes.filter_map(|bytes| PublicKey::new(suite, bytes).ok()).collect()
    };
    let accused = Party {
        channel,
        party,
        log_keys: keys(|node| [&node.log_ed25519, &node.log_mldsa[..]]),
        cosigner_keys: keys(|node| [&node.cosigner_ed25519, &node.cosigner_mldsa[..]]),
    };
    // A run opens logs of one number in several lanes; a generation entry names those of its own.
    let same_lane = proof.claims.iter().all(|claim| match &claim.evidence {
        Evidence::Line(_) => true,
        Evidence::GenerationEntry(entry) => {
            let lane = |name: &Name| LogKey::parse(name.as_str()).map(|(_, log)| log.lane);
            lane(&entry.checkpoint.origin) == lane(&proof.log)
        }
    });
    of_channel && same_lane && proof.verify(&accused).is_ok()
}

/// The party a proof accuses.
struct Party {
    channel: ChannelId,
    party: PartyId,
    log_keys: Vec<PublicKey>,
    cosigner_keys: Vec<PublicKey>,
}

impl Party {
    fn log(&self, name: &Name) -> Option<LogKey> {
        let (channel, log) = LogKey::parse(name.as_str())?;
        (channel == self.channel).then_some(log)
    }
}

impl Accused for Party {
    fn log_keys(&self) -> &[PublicKey] {
        &self.log_keys
    }

    fn cosigner_keys(&self) -> &[PublicKey] {
        &self.cosigner_keys
    }

    fn cosigner_name(&self, log: &Name) -> Option<Name> {
        self.log(log)?;
        Name::new(&cosigner_name(self.channel, self.party)).ok()
    }

    fn owns(&self, log: &Name) -> bool {
        self.log(log).is_some_and(|log| log.party == self.party)
    }

    fn named(&self, leaf: &[u8], log: &Name) -> Option<Head> {
        let Ok(Entry::Machine(entry)) = Entry::decode(leaf.get(SALT_BYTES..)?) else { return None };
        let Payload::Generation(generation) = entry.payload else { return None };
        let key = self.log(log)?;
        let named = generation.named.iter().find(|named| named.generation == key.generation)?;
        Some(Head { size: named.size, root: Hash(named.root.0) })
    }
}
