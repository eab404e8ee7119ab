//! The signed notes of a log. Source: `spec/export.md`, section 2, check 6.3; `spec/log.md`, 2 and 3.

use std::collections::BTreeMap;

use detente_crypto::Suite;
use detente_transparency::{Key, KeyKind, Name, OpenError, PublicKey, Role, SignedNote, root};

use super::logs::Log;
use super::objects::Objects;
use super::report::{Fault, FaultKind};
use crate::names::{LogKey, PartyId, cosigner_name};

/// A line that holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    pub(super) kind: KeyKind,
    pub(super) signer: PartyId,
    pub(super) size: u64,
    pub(super) time_s: u64,
}

/// The notes of a log up to the first that cannot be right, and what is wrong with that one.
pub(super) fn read(log: &Log<'_>, bytes: &[u8]) -> (Vec<SignedNote>, Option<Fault>) {
    let fault = |kind, index| Fault { log: Some(log.name.clone()), index, kind };
    let mut notes: Vec<SignedNote> = Vec::new();
    for parsed in SignedNote::parse_all(bytes) {
        let last = notes.last().map_or(0, |note| note.checkpoint().head.size);
        let note = parsed.ok().filter(|note| {
            let checkpoint = note.checkpoint();
            let in_order = checkpoint.head.size > last && checkpoint.head.size <= log.data.len() as u64;
            checkpoint.origin.as_str() == log.name && in_order
        });
        let Some(note) = note else { return (notes, Some(fault(FaultKind::Note, None))) };
        let head = note.checkpoint().head;
        if root(&log.tree, head.size) != Ok(head.root) {
            return (notes, Some(fault(FaultKind::Root, Some(head.size - 1))));
        }
        notes.push(note);
    }
    (notes, None)
}

/// All node keys in the export, prepared once.
pub(super) struct Prepared(BTreeMap<PartyId, Vec<[PublicKey; 4]>>);

impl Prepared {
    pub(super) fn new(objects: &Objects, suite: &dyn Suite) -> Self {
        let edition = |text: &crate::credential::CredentialText| {
            let key = |bytes: &[u8]| PublicKey::new(suite, bytes).ok();
            let node = &text.node;
            Some([
                key(&node.log_ed25519)?,
                key(&node.log_mldsa[..])?,
                key(&node.cosigner_ed25519)?,
                key(&node.cosigner_mldsa[..])?,
            ])
        };
        let parties = objects.credentials.iter();
        Self(
            parties
                .map(|(party, editions)| (*party, editions.values().filter_map(edition).collect()))
                .collect(),
        )
    }

    /// The keys known for a log: its party's log keys, the cosigner keys of all others.
    pub(super) fn keys_of(&self, log: LogKey, objects: &Objects) -> Keys {
        let channel = objects.manifest.channel;
        let (mut keys, mut signers) = (Vec::new(), Vec::new());
        for (party, editions) in &self.0 {
            let (name, role, from) = if *party == log.party {
                (log.name(channel), Role::Log, 0)
            } else {
                (cosigner_name(channel, *party), Role::Cosigner, 2)
            };
            let name = Name::new(&name).expect("names of logs and cosigners are base32, words and digits");
            for public in editions.iter().flat_map(|edition| &edition[from..from + 2]) {
                keys.push(Key::new(name.clone(), role, public.clone()));
                signers.push(*party);
            }
        }
        Keys { keys, signers }
    }
}

/// The keys known for one log, and whose they are.
pub(super) struct Keys {
    keys: Vec<Key>,
    signers: Vec<PartyId>,
}

impl Keys {
    /// The lines of known keys; an error when one of them does not hold.
    pub(super) fn open(&self, note: &SignedNote) -> Result<Vec<Mark>, ()> {
        match note.open(&self.keys) {
            Ok(signed) => Ok(signed.iter().map(|line| self.mark(note, line.key, line.time_s)).collect()),
            Err(OpenError::PeerUnknown) => Ok(Vec::new()),
            Err(_) => Err(()),
        }
    }

    fn mark(&self, note: &SignedNote, key: &Key, time_s: u64) -> Mark {
        let place = self.keys.iter().position(|own| core::ptr::eq(own, key)).expect("a known key held");
        let size = note.checkpoint().head.size;
        Mark { kind: key.kind(), signer: self.signers[place], size, time_s }
    }
}
