//! Officers: the people who draft, release and watch, and the roster made of their keys.
//!
//! Before the first credential export officers come and go freely; from then on a change is a new
//! roster, released by as many persons as the roster before asks for.

use std::path::Path;

use detente_crypto::assertion::{ReleaseKey, ReleaseKeyKind, ReleasePublic};
use detente_crypto::{Hash, SUITE_1};
use detente_encoding::text::{from_hex, hex};
use detente_protocol::names::PartyId;
use detente_protocol::release::Proof;
use detente_protocol::roster::{Roles, Roster, RosterChange, RosterKey};
use serde::{Deserialize, Serialize};

use crate::api::OfficerView;
use crate::compose::{FileKey, sign_hash};
use crate::folder::secrets::{random, write_private};
use crate::refusal::Refusal;
use crate::store::{Store, StoreError};

const FACT: &str = "officers";
/// Rosters after roster 0: `roster/<number, 10 digits>`.
const ROSTERS: &str = "roster/";

/// The roles by name.
pub const ROLES: [(&str, Roles); 6] = [
    ("draft", Roles::DRAFT),
    ("release", Roles::RELEASE),
    ("watch", Roles::WATCH),
    ("interpret", Roles::INTERPRET),
    ("audit", Roles::AUDIT),
    ("admin", Roles::ADMIN),
];

/// An officer as kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Officer {
    /// Identifier: a-z, 0-9, `-`, `.`, `_`.
    pub id: String,
    /// Name.
    pub name: String,
    /// Bits of roles.
    pub roles: u8,
    /// Number of the key and of the person.
    pub number: u16,
    /// Ed25519 public key of a file key, hexadecimal.
    pub public: String,
}

impl Officer {
    /// For lists.
    #[must_use]
    pub fn view(&self) -> OfficerView {
        OfficerView {
            id: self.id.clone(),
            name: self.name.clone(),
            roles: role_words(Roles(self.roles)),
            key: self.number,
            kind: "file".to_owned(),
        }
    }
}

/// The words for roles.
#[must_use]
pub fn role_words(roles: Roles) -> Vec<String> {
    ROLES.iter().filter(|(_, role)| roles.has(*role)).map(|(word, _)| (*word).to_owned()).collect()
}

/// Reads `draft,release,watch`.
///
/// # Errors
/// A [`Refusal`] that names the unknown role.
pub fn parse_roles(text: &str) -> Result<Roles, Refusal> {
    let mut roles = Roles::default();
    for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
        let known = ROLES.iter().find(|(name, _)| *name == word);
        let (_, role) = known.ok_or_else(|| {
            Refusal::refused(format!(
                "--roles: {word:?} is no role; roles are draft, release, watch, interpret, audit, admin"
            ))
        })?;
        roles = roles.and(*role);
    }
    if roles == Roles::default() {
        return Err(Refusal::refused("--roles is empty; name at least one, as in draft,release"));
    }
    Ok(roles)
}

/// All officers, by number.
///
/// # Errors
/// [`StoreError`].
pub fn list(store: &Store) -> Result<Vec<Officer>, StoreError> {
    match store.fact(FACT)? {
        Some(bytes) => serde_json::from_slice(&bytes).map_err(|_| StoreError::EnvironmentRow("the officers")),
        None => Ok(Vec::new()),
    }
}

/// A roster of these officers.
///
/// # Errors
/// [`StoreError::EnvironmentRow`] when a kept key is none.
pub fn roster_of(
    officers: &[Officer],
    party: PartyId,
    number: u32,
    previous: Option<Hash>,
) -> Result<Roster, StoreError> {
    let keys = officers.iter().map(|officer| {
        let public: [u8; 32] = from_hex(&officer.public)?.try_into().ok()?;
        let key = ReleaseKey {
            number: officer.number,
            public: ReleasePublic::Ed25519(public),
            kind: ReleaseKeyKind::File,
        };
        Some(RosterKey { key, person: officer.number, roles: Roles(officer.roles) })
    });
    let mut keys: Vec<RosterKey> =
        keys.collect::<Option<_>>().ok_or(StoreError::EnvironmentRow("the officers"))?;
    keys.sort_by_key(|key| key.key.number);
    Ok(Roster { asks: 2, keys, number, party, previous })
}

/// The rosters after roster 0, as blobs of their changes, rising.
///
/// # Errors
/// [`StoreError`].
pub fn changes(store: &Store) -> Result<Vec<RosterChange>, StoreError> {
    let decode = |(_, bytes): (String, Vec<u8>)| RosterChange::decode(&bytes).ok();
    let changes: Option<Vec<_>> = store.facts(ROSTERS)?.into_iter().map(decode).collect();
    changes.ok_or(StoreError::EnvironmentRow("the rosters"))
}

/// What an operator asks for.
#[derive(Clone, Debug)]
pub struct NewOfficer<'a> {
    /// Identifier.
    pub id: &'a str,
    /// Name.
    pub name: &'a str,
    /// Roles.
    pub roles: Roles,
    /// Where the new file key is written.
    pub key_file: &'a Path,
}

/// Adds an officer with a new key in a file. `in_force` is the roster in force, if a credential has
/// been exported; `releases` are then the keys of those who release the change.
///
/// # Errors
/// A [`Refusal`]; no file is left behind unless the officer is in the record.
pub fn add(
    store: &Store,
    in_force: Option<&Roster>,
    new: &NewOfficer<'_>,
    releases: &[FileKey],
) -> Result<Officer, Refusal> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-._".contains(c);
    if new.id.is_empty() || new.id.len() > 40 || !new.id.chars().all(plain) {
        return Err(Refusal::refused(format!("ID {:?} must be 1 to 40 of a-z, 0-9, '-', '.', '_'", new.id)));
    }
    if new.name.trim().is_empty() || new.name.chars().count() > 80 {
        return Err(Refusal::refused("--name must have 1 to 80 characters"));
    }
    let mut officers = list(store)?;
    if officers.iter().any(|officer| officer.id == new.id) {
        return Err(Refusal::refused(format!("officer {:?} is there already; remove it first", new.id)));
    }
    if new.key_file.exists() {
        return Err(Refusal::refused(format!(
            "{} is there already; name a new file",
            new.key_file.display()
        )));
    }
    let number = next_number(store, &officers)?;
    let seed = random::<32>()?;
    let public = hex(&SUITE_1.ed25519_public(&seed));
    let officer =
        Officer { id: new.id.to_owned(), name: new.name.to_owned(), roles: new.roles.0, number, public };
    officers.push(officer.clone());
    // The key first: an officer in the roster whose key does not exist could never sign.
    write_private(new.key_file, &seed)?;
    if let Err(refusal) = keep(store, in_force, &officers, releases) {
        let _ = std::fs::remove_file(new.key_file);
        return Err(refusal);
    }
    Ok(officer)
}

/// Removes an officer; the number of the key is never used again.
///
/// # Errors
/// A [`Refusal`]; nothing is changed.
pub fn remove(
    store: &Store,
    in_force: Option<&Roster>,
    id: &str,
    releases: &[FileKey],
) -> Result<Officer, Refusal> {
    let mut officers = list(store)?;
    let place = officers.iter().position(|officer| officer.id == id);
    let place = place.ok_or_else(|| Refusal::not_found(format!("there is no officer {id:?}")))?;
    let gone = officers.remove(place);
    keep(store, in_force, &officers, releases)?;
    Ok(gone)
}

fn next_number(store: &Store, officers: &[Officer]) -> Result<u16, Refusal> {
    let used = match store.fact("officers/last")? {
        Some(bytes) => bytes.try_into().map_or(0, u16::from_be_bytes),
        None => 0,
    };
    let highest = officers.iter().map(|officer| officer.number).max().unwrap_or(0).max(used);
    highest.checked_add(1).ok_or_else(|| Refusal::refused("all key numbers of the roster are used"))
}

fn keep(
    store: &Store,
    in_force: Option<&Roster>,
    officers: &[Officer],
    releases: &[FileKey],
) -> Result<(), Refusal> {
    let bytes = serde_json::to_vec(officers).expect("officers are text and numbers");
    let highest = officers.iter().map(|officer| officer.number).max().unwrap_or(0);
    let mut facts = vec![(FACT.to_owned(), bytes)];
    if store.fact("officers/last")?.is_none_or(|last| last.as_slice() < &highest.to_be_bytes()[..]) {
        facts.push(("officers/last".to_owned(), highest.to_be_bytes().to_vec()));
    }
    if let Some(before) = in_force {
        let next = roster_of(officers, before.party, before.number + 1, Some(before.hash()))?;
        let hash = before.change_hash(&next);
        let signatures =
            releases.iter().map(|key| sign_hash(before, key, &hash)).collect::<Result<_, _>>()?;
        let proof = Proof::new(signatures).ok_or_else(|| {
            Refusal::refused(format!(
                "a change of officers after the first credential export needs {} releases; add --release KEYFILE for each, no key twice",
                before.asks
            ))
        })?;
        detente_protocol::release::roster_change_satisfied(&proof, &hash, before, SUITE_1).map_err(
            |reason| Refusal::refused(format!("the change of officers is not released: {reason}")),
        )?;
        let change = RosterChange::released(&next, &proof);
        facts.push((format!("{ROSTERS}{:010}", next.number), change.encode()));
    }
    Ok(store.keep_facts(&facts)?)
}
