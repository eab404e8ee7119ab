//! Everything of an export but its logs: manifest, charters, credentials, rosters, proofs, blobs.
//! Source: `spec/export.md`, section 2, checks 1 to 5, 7 and 8.

use std::collections::{BTreeMap, BTreeSet};

use detente_crypto::{Hash, Suite, sha256};

use super::claims;
use super::report::{Fault, FaultKind, PartyReport, Report};
use crate::charter::Charter;
use crate::credential::{Credential, CredentialText};
use crate::export::{Files, MANIFEST, Manifest, NOTE, Object, log_folder};
use crate::names::PartyId;
use crate::release::Proof;
use crate::roster::{Roster, RosterChange};

/// What the checks before the logs have shown to hold.
pub(super) struct Objects {
    pub(super) manifest: Manifest,
    /// By edition; edition 1 is there.
    pub(super) charters: BTreeMap<u64, Charter>,
    /// By edition, each party of the charter.
    pub(super) credentials: BTreeMap<PartyId, BTreeMap<u64, CredentialText>>,
    /// By the hash of their bytes.
    pub(super) rosters: BTreeMap<Hash, Roster>,
    /// Release proofs by the hash in their names; checked after the logs.
    pub(super) proofs: BTreeMap<Hash, Vec<u8>>,
    /// Objects outside `logs/`, by path.
    listed: Vec<(String, Object)>,
}

impl Objects {
    pub(super) fn charter(&self) -> &Charter {
        &self.charters[&1]
    }

    /// The newest credential edition of a party of the charter.
    pub(super) fn newest(&self, party: PartyId) -> &CredentialText {
        self.credentials[&party].values().next_back().expect("no party is listed without an edition")
    }

    pub(super) fn read(files: &dyn Files, suite: &dyn Suite, report: &mut Report) -> Result<Self, Fault> {
        let manifest = read_manifest(files)?;
        report.channel = Some(manifest.channel);
        report.entries = manifest.logs.iter().map(|(_, size)| size).sum();
        let listed = check_files(files, &manifest)?;
        let charters = read_charters(files, &listed)?;
        let credentials = read_credentials(files, &listed, &charters[&1], suite)?;
        let rosters = read_rosters(files, &listed, &credentials, suite)?;
        let proofs = listed.iter().filter_map(|(path, object)| match object {
            Object::Proof(hash) => Some((*hash, files.read(path)?.into_owned())),
            _ => None,
        });
        let proofs = proofs.collect();
        let objects = Self { manifest, charters, credentials, rosters, proofs, listed };
        report.parties = objects.party_reports();
        Ok(objects)
    }

    /// Parties under their codes; where two bear one code, four characters of the name tell them apart.
    fn party_reports(&self) -> Vec<PartyReport> {
        let parties = &self.charter().parties;
        let codes: Vec<&str> = parties.iter().map(|party| self.newest(*party).code.as_str()).collect();
        let label = |(party, code): (&PartyId, &&str)| {
            let twice = codes.iter().filter(|other| *other == code).count() > 1;
            let code = if twice { format!("{code}~{}", &party.to_string()[..4]) } else { (*code).to_owned() };
            PartyReport { party: *party, code, words: self.newest(*party).words(), compared: false }
        };
        parties.iter().zip(&codes).map(label).collect()
    }
}

fn fault(kind: FaultKind, path: &str) -> Fault {
    Fault { log: Some(path.to_owned()), index: None, kind }
}

fn read_manifest(files: &dyn Files) -> Result<Manifest, Fault> {
    let manifest = files.read(MANIFEST).and_then(|bytes| Manifest::decode(&bytes));
    let manifest = manifest.ok_or_else(|| fault(FaultKind::Export, MANIFEST))?;
    let first = Object::Charter(1).path();
    match files.read(&first) {
        Some(charter) if sha256(&[&charter]).0 != manifest.channel.0 => {
            Err(fault(FaultKind::Charter, &first))
        }
        _ => Ok(manifest),
    }
}

/// Check 2; answers the objects outside `logs/` by path.
fn check_files(files: &dyn Files, manifest: &Manifest) -> Result<Vec<(String, Object)>, Fault> {
    let paths: BTreeSet<String> = files.list().into_iter().collect();
    let of_logs: BTreeSet<String> = manifest
        .logs
        .iter()
        .flat_map(|(log, _)| ["entries", "leaves", "notes"].map(|file| log_folder(log) + file))
        .collect();
    let first = Object::Charter(1).path();
    let mut missing: BTreeSet<String> = of_logs.difference(&paths).cloned().collect();
    if !paths.contains(&first) {
        missing.insert(first.clone());
    }
    let listed: Vec<(String, Object)> =
        paths.iter().filter_map(|path| Some((path.clone(), Object::parse(path)?))).collect();
    if let Some(charter) = files.read(&first).and_then(|bytes| Charter::decode(&bytes).ok()) {
        for party in charter.parties {
            if !listed.iter().any(|(_, object)| matches!(object, Object::Credential(of, _) if *of == party)) {
                missing.insert(Object::Credential(party, 1).path());
            }
        }
    }
    if let Some(path) = missing.first() {
        return Err(fault(FaultKind::Missing, path));
    }
    let known = |path: &String| {
        path == NOTE || path == MANIFEST || of_logs.contains(path) || Object::parse(path).is_some()
    };
    match paths.iter().find(|path| !known(path)) {
        Some(path) => Err(fault(FaultKind::Unexpected, path)),
        None => Ok(listed),
    }
}

fn read_charters(files: &dyn Files, listed: &[(String, Object)]) -> Result<BTreeMap<u64, Charter>, Fault> {
    let mut read = BTreeMap::new();
    let mut hashes = BTreeMap::new();
    for (path, object) in listed {
        let Object::Charter(edition) = object else { continue };
        let bytes = files.read(path).unwrap_or_default();
        hashes.insert(sha256(&[&bytes]), *edition);
        read.insert(*edition, (path, Charter::decode(&bytes)));
    }
    let first = read.get(&1).and_then(|(_, charter)| charter.as_ref().ok());
    for (path, object) in listed {
        let Object::Charter(edition) = object else { continue };
        let holds = match (&read[edition].1, first) {
            (Ok(charter), Some(first)) => {
                u64::from(charter.edition) == *edition
                    && charter.parties == first.parties
                    && charter.random == first.random
                    && charter.previous.is_none_or(|hash| hashes.get(&hash).is_some_and(|of| of < edition))
            }
            _ => false,
        };
        if !holds {
            return Err(fault(FaultKind::Charter, path));
        }
    }
    Ok(read.into_iter().filter_map(|(edition, (_, charter))| Some((edition, charter.ok()?))).collect())
}

type Credentials = BTreeMap<PartyId, BTreeMap<u64, CredentialText>>;

fn read_credentials(
    files: &dyn Files,
    listed: &[(String, Object)],
    charter: &Charter,
    suite: &dyn Suite,
) -> Result<Credentials, Fault> {
    let mut texts = BTreeMap::new();
    for (path, object) in listed {
        let Object::Credential(party, edition) = object else { continue };
        let credential = Credential::decode(&files.read(path).unwrap_or_default()).ok();
        let hash = credential.as_ref().map(Credential::text_hash);
        let text = credential.and_then(|credential| credential.verify(suite).ok());
        let text = text.filter(|text| {
            charter.party_index(*party).is_some()
                && text.party_id() == *party
                && u64::from(text.edition) == *edition
        });
        texts.insert((*party, *edition), (hash, text));
    }
    let mut credentials = Credentials::new();
    for (path, object) in listed {
        let Object::Credential(party, edition) = object else { continue };
        let text = texts[&(*party, *edition)].1.clone().ok_or_else(|| fault(FaultKind::Credential, path))?;
        let before = texts.get(&(*party, edition - 1)).and_then(|(hash, _)| *hash);
        if text.previous != before {
            return Err(fault(FaultKind::Credential, path));
        }
        credentials.entry(*party).or_default().insert(*edition, text);
    }
    Ok(credentials)
}

fn read_rosters(
    files: &dyn Files,
    listed: &[(String, Object)],
    credentials: &Credentials,
    suite: &dyn Suite,
) -> Result<BTreeMap<Hash, Roster>, Fault> {
    let mut rosters = BTreeMap::new();
    let mut newest = BTreeMap::new();
    for (party, editions) in credentials {
        for text in editions.values() {
            if let Ok(roster) = text.roster() {
                newest.insert(*party, (roster.clone(), &text.root));
                rosters.insert(sha256(&[&text.roster]), roster);
            }
        }
    }
    // By number, not by path: each must be in force before the next can be.
    let mut changes: Vec<_> = listed
        .iter()
        .filter_map(|(path, object)| match object {
            Object::Roster(party, number) => Some((*party, *number, path)),
            _ => None,
        })
        .collect();
    changes.sort_unstable();
    let mut faults = BTreeSet::new();
    for (party, number, path) in changes {
        let next = newest.get(&party).and_then(|(before, root)| {
            let change = RosterChange::decode(&files.read(path)?).ok()?;
            change.verify(before, root, suite).ok().filter(|next| u64::from(next.number) == number)
        });
        match (next, newest.get_mut(&party)) {
            (Some(next), Some((held, _))) => {
                rosters.insert(next.hash(), next.clone());
                *held = next;
            }
            _ => {
                faults.insert(path.clone());
            }
        }
    }
    match faults.first() {
        Some(path) => Err(fault(FaultKind::Roster, path)),
        None => Ok(rosters),
    }
}

/// Checks 7 and 8.
pub(super) fn check_attached(files: &dyn Files, objects: &Objects, suite: &dyn Suite) -> Option<Fault> {
    for (path, object) in &objects.listed {
        let Object::Proof(hash) = object else { continue };
        let bytes = objects.proofs.get(hash)?;
        if sha256(&[bytes]) != *hash || Proof::decode(bytes).is_err() {
            return Some(fault(FaultKind::Proof, path));
        }
    }
    for (path, object) in &objects.listed {
        let Object::Blob(hash) = object else { continue };
        if files.read(path).is_none_or(|bytes| sha256(&[&bytes]) != *hash) {
            return Some(fault(FaultKind::Blob, path));
        }
    }
    for (path, object) in &objects.listed {
        let Object::Equivocation(_) = object else { continue };
        if files.read(path).is_none_or(|bytes| !claims::holds(&bytes, objects, suite)) {
            return Some(fault(FaultKind::Equivocation, path));
        }
    }
    None
}
