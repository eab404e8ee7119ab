//! This party's credential: made and signed once by the root, then held as public bytes.

use detente_crypto::SUITE_1;
use detente_crypto::root::RootSecret;
use detente_encoding::{Timestamp, words};
use detente_protocol::channel::{PartyKeys, PublicKeys};
use detente_protocol::credential::{Credential, CredentialText, NodeKeys, party_of};
use detente_protocol::names::PartyId;
use detente_protocol::roster::{Roles, Roster};

use crate::api::CredentialView;
use crate::folder::init::ROOT_KEYS;
use crate::folder::{Folder, secrets::read_seed};
use crate::keys::KeyRing;
use crate::officers;
use crate::refusal::Refusal;
use crate::store::{Store, StoreError};

const OWN: &str = "credential/own/0000000001";

/// A credential that was verified when it was taken in.
#[derive(Clone, Debug)]
pub struct Held {
    /// Its text.
    pub text: CredentialText,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Hash of the text.
    pub hash: detente_crypto::Hash,
}

impl Held {
    /// Reads kept bytes back.
    ///
    /// # Errors
    /// [`StoreError::EnvironmentRow`] when they are no credential any more.
    pub fn read(bytes: Vec<u8>) -> Result<Self, StoreError> {
        let damaged = |_| StoreError::EnvironmentRow("a credential");
        let credential = Credential::decode(&bytes).map_err(damaged)?;
        let text = CredentialText::decode(&credential.text_bytes).map_err(damaged)?;
        Ok(Self { text, hash: credential.text_hash(), bytes })
    }

    /// The party.
    #[must_use]
    pub fn party(&self) -> PartyId {
        self.text.party_id()
    }

    /// Its node's keys, prepared.
    ///
    /// # Errors
    /// [`StoreError::EnvironmentRow`] when a key is none.
    pub fn keys(&self) -> Result<PartyKeys, StoreError> {
        let node = &self.text.node;
        let public = PublicKeys {
            log: &node.log_ed25519,
            log_post_quantum: &node.log_mldsa,
            cosigner: &node.cosigner_ed25519,
            cosigner_post_quantum: &node.cosigner_mldsa,
            kem: &self.text.kem,
        };
        PartyKeys::new(SUITE_1, self.party(), self.text.edition, &public)
            .map_err(|_| StoreError::EnvironmentRow("a credential"))
    }

    /// For people.
    #[must_use]
    pub fn view(&self) -> CredentialView {
        let root = &self.text.root;
        CredentialView {
            id: self.party().to_string(),
            code: self.text.code.clone(),
            edition: self.text.edition,
            words: self.text.words(),
            numbers: words::numbers(&root.words_hash().0).to_vec(),
        }
    }
}

/// The own credential, if it was exported before.
///
/// # Errors
/// [`StoreError`].
pub fn own(store: &Store) -> Result<Option<Held>, StoreError> {
    store.fact(OWN)?.map(Held::read).transpose()
}

/// Exports the credential. The first export signs edition 1, with the officers of that moment as
/// roster 0, by the root key; later ones give the same bytes and need no root.
///
/// # Errors
/// A [`Refusal`]; nothing is signed.
pub fn export(folder: &Folder, store: &Store, keys: &KeyRing, now: Timestamp) -> Result<Held, Refusal> {
    if let Some(held) = own(store)? {
        return Ok(held);
    }
    let officers = officers::list(store)?;
    let root_file = |name: &str| {
        read_seed(&folder.root().join(name)).map_err(|error| {
            Refusal::refused(format!("the first credential export needs the root key in root/: {error}"))
        })
    };
    let secret = RootSecret { ed25519: root_file(ROOT_KEYS[0])?, mldsa: root_file(ROOT_KEYS[1])? };
    let root = secret.public(SUITE_1);
    let roster = officers::roster_of(&officers, party_of(&root), 0, None)?;
    let releasing = roster.persons(Roles::RELEASE);
    if releasing < 2 {
        return Err(Refusal::refused(format!(
            "{releasing} officers have the role release, and two must release; add officers with `detente officer add`"
        )));
    }
    let [log, log_mldsa, cosigner, cosigner_mldsa] = keys.signing_seeds();
    let text = CredentialText {
        code: folder.config.code.clone(),
        edition: 1,
        endpoints: folder.config.reached_at(),
        issued: now,
        kem: Box::new(SUITE_1.kem_public(keys.kem_seed())),
        names: folder.config.names.clone(),
        node: NodeKeys {
            log_ed25519: SUITE_1.ed25519_public(log),
            log_mldsa: Box::new(SUITE_1.mldsa_public(log_mldsa)),
            cosigner_ed25519: SUITE_1.ed25519_public(cosigner),
            cosigner_mldsa: Box::new(SUITE_1.mldsa_public(cosigner_mldsa)),
            link: SUITE_1.ed25519_public(keys.link_seed()),
        },
        previous: None,
        recognised: Vec::new(),
        root,
        roster: roster.encode(),
    };
    let credential = text.sign(&secret, SUITE_1);
    let bytes = credential.encode();
    store.keep_facts(&[(OWN.to_owned(), bytes.clone())])?;
    Ok(Held { text, hash: credential.text_hash(), bytes })
}

/// The roster of this party that is in force: roster 0, or the last released change. `None` before
/// the first export.
///
/// # Errors
/// [`StoreError`]; a kept change that does not follow is damage.
pub fn roster_in_force(store: &Store) -> Result<Option<Roster>, StoreError> {
    let Some(held) = own(store)? else { return Ok(None) };
    let damaged = StoreError::EnvironmentRow("the rosters");
    let Ok(mut roster) = held.text.roster() else { return Err(damaged) };
    for change in officers::changes(store)? {
        match change.verify(&roster, &held.text.root, SUITE_1) {
            Ok(next) => roster = next,
            Err(_) => return Err(damaged),
        }
    }
    Ok(Some(roster))
}
