//! Other parties: their credentials, taken in after people compared eight words.

use std::collections::BTreeMap;

use detente_crypto::SUITE_1;
use detente_encoding::words;
use detente_protocol::credential::{Credential, word_numbers_of};
use detente_protocol::names::PartyId;

use crate::api::PeerView;
use crate::credential::{self, Held};
use crate::refusal::Refusal;
use crate::store::{Store, StoreError};

/// `credential/peer/<party>/<edition, 10 digits>`.
const PEERS: &str = "credential/peer/";
/// A credential file is no longer than this: keys, names and a roster of 256 keys.
pub const CREDENTIAL_BYTES_MAX: usize = 256 * 1024;

/// Takes in another party's credential. `said` are the words that the other side read out.
///
/// # Errors
/// A [`Refusal`] that says what differs; nothing is kept.
pub fn add(store: &Store, bytes: &[u8], said: &str) -> Result<Held, Refusal> {
    if bytes.len() > CREDENTIAL_BYTES_MAX {
        return Err(Refusal::refused("the file is too long for a credential"));
    }
    let credential = Credential::decode(bytes).map_err(|error| Refusal::refused(error.to_string()))?;
    let text = credential.verify(SUITE_1).map_err(|error| Refusal::refused(error.to_string()))?;
    let said = words::parse(said).map_err(|error| Refusal::refused(format!("--words: {error}")))?;
    if said != word_numbers_of(&text.root) {
        return Err(Refusal::refused(format!(
            "--words: these are not the words of this credential ({}); compare them again, face to face: if they still differ, the file is not theirs",
            text.code
        )));
    }
    let party = text.party_id();
    if credential::own(store)?.is_some_and(|own| own.party() == party) {
        return Err(Refusal::refused("this is the credential of this party itself; add those of others"));
    }
    let held = editions(store)?;
    if let Some(other) =
        held.values().flatten().find(|held| held.text.code == text.code && held.party() != party)
    {
        return Err(Refusal::refused(format!(
            "the code {} is taken by another party whose words are \"{}\"; agree on another code",
            text.code,
            other.text.words()
        )));
    }
    if let Some(newest) = held.get(&party).and_then(|held| held.last()) {
        let follows = text.edition == newest.text.edition + 1 && text.previous == Some(newest.hash);
        if newest.hash != credential.text_hash() && !follows {
            return Err(Refusal::refused(format!(
                "edition {} of {} does not follow edition {}, which is held; add the editions between",
                text.edition, text.code, newest.text.edition
            )));
        }
    }
    let key = format!("{PEERS}{party}/{:010}", text.edition);
    store.keep_facts(&[(key, bytes.to_vec())])?;
    Ok(Held { hash: credential.text_hash(), text, bytes: bytes.to_vec() })
}

/// All credentials of other parties, by party, editions rising.
///
/// # Errors
/// [`StoreError`].
pub fn editions(store: &Store) -> Result<BTreeMap<PartyId, Vec<Held>>, StoreError> {
    let mut found: BTreeMap<PartyId, Vec<Held>> = BTreeMap::new();
    for (_, bytes) in store.facts(PEERS)? {
        let held = Held::read(bytes)?;
        found.entry(held.party()).or_default().push(held);
    }
    Ok(found)
}

/// The newest credential of each, for people.
///
/// # Errors
/// [`StoreError`].
pub fn list(store: &Store) -> Result<Vec<PeerView>, StoreError> {
    let view = |held: &Held| PeerView {
        id: held.party().to_string(),
        code: held.text.code.clone(),
        names: held.text.names.clone(),
        words: held.text.words(),
        edition: held.text.edition,
        endpoints: held.text.endpoints.clone(),
    };
    Ok(editions(store)?.values().filter_map(|held| held.last()).map(view).collect())
}
