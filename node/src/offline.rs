//! What can be done with a folder whose node does not run: it is locked, opened and let go.

use std::path::Path;

use detente_journal::FolderLock;

use crate::api::{ChannelView, CredentialView, OfficerView, PeerView};
use crate::compose::FileKey;
use crate::core::wall;
use crate::credential;
use crate::folder::Folder;
use crate::house_log::HouseLog;
use crate::keys::KeyRing;
use crate::officers::{self, NewOfficer};
use crate::peers;
use crate::refusal::Refusal;
use crate::store::Store;

/// A folder held by this process, without a running node.
#[derive(Debug)]
pub struct Offline {
    /// The folder.
    pub folder: Folder,
    /// Its record.
    pub store: Store,
    _lock: FolderLock,
}

impl Offline {
    /// Locks and opens a folder.
    ///
    /// # Errors
    /// [`Refusal`]: no node's folder, open in another process, or a record that cannot be opened.
    pub fn open(path: &Path) -> Result<Self, Refusal> {
        let folder = Folder::open(path)?;
        let lock = folder.lock()?;
        let store = Store::open(&folder)?;
        Ok(Self { folder, store, _lock: lock })
    }

    fn note(&self, what: &str, about: &str) -> Result<(), Refusal> {
        let mut house = HouseLog::open(&self.store)?;
        let mut batch = detente_journal::Batch::receipt();
        house.add(&mut batch, wall(), what, about)?;
        Ok(self.store.commit(batch).wait().map_err(crate::store::StoreError::from)?)
    }

    /// All officers.
    ///
    /// # Errors
    /// [`Refusal`] when the record is damaged.
    pub fn officers(&self) -> Result<Vec<OfficerView>, Refusal> {
        Ok(officers::list(&self.store)?.iter().map(officers::Officer::view).collect())
    }

    /// Adds an officer with a new file key.
    ///
    /// # Errors
    /// [`Refusal`]; nothing is changed.
    pub fn officer_add(&self, new: &NewOfficer<'_>, releases: &[FileKey]) -> Result<OfficerView, Refusal> {
        let in_force = credential::roster_in_force(&self.store)?;
        let officer = officers::add(&self.store, in_force.as_ref(), new, releases)?;
        self.note("officer", &format!("added {} as key {}", officer.id, officer.number))?;
        Ok(officer.view())
    }

    /// Removes an officer.
    ///
    /// # Errors
    /// [`Refusal`]; nothing is changed.
    pub fn officer_remove(&self, id: &str, releases: &[FileKey]) -> Result<OfficerView, Refusal> {
        let in_force = credential::roster_in_force(&self.store)?;
        let officer = officers::remove(&self.store, in_force.as_ref(), id, releases)?;
        self.note("officer", &format!("removed {}, key {}", officer.id, officer.number))?;
        Ok(officer.view())
    }

    /// Exports the credential: its bytes and what to say of it. The first export signs it.
    ///
    /// # Errors
    /// [`Refusal`]; nothing is signed.
    pub fn credential_export(&self) -> Result<(Vec<u8>, CredentialView), Refusal> {
        let first = credential::own(&self.store)?.is_none();
        let keys = KeyRing::open(&self.folder)?;
        let held = credential::export(&self.folder, &self.store, &keys, wall())?;
        if first {
            self.note("credential", "edition 1 signed by the root")?;
        }
        let view = held.view();
        Ok((held.bytes, view))
    }

    /// Takes in another party's credential.
    ///
    /// # Errors
    /// [`Refusal`]; nothing is kept.
    pub fn peer_add(&self, bytes: &[u8], words: &str) -> Result<PeerView, Refusal> {
        let held = peers::add(&self.store, bytes, words)?;
        self.note("peer", &format!("{} with words {}", held.text.code, held.text.words()))?;
        let id = held.party().to_string();
        let listed = peers::list(&self.store)?;
        listed.into_iter().find(|peer| peer.id == id).ok_or_else(|| Refusal::not_found("it is not kept"))
    }

    /// Other parties.
    ///
    /// # Errors
    /// [`Refusal`] when the record is damaged.
    pub fn peers(&self) -> Result<Vec<PeerView>, Refusal> {
        Ok(peers::list(&self.store)?)
    }

    /// The channels, as last known; how they stand only the running node says.
    ///
    /// # Errors
    /// [`Refusal`] when the record is damaged.
    pub fn channels(&self) -> Result<Vec<ChannelView>, Refusal> {
        let peers = peers::editions(&self.store)?;
        let own = credential::own(&self.store)?;
        let view = |known: crate::channels::Known| {
            let charter = known.charter();
            let code = |party: &detente_protocol::names::PartyId| {
                let held = peers.get(party).and_then(|held| held.last());
                let own = own.as_ref().filter(|own| own.party() == *party);
                held.or(own).map_or_else(|| party.to_string()[..8].to_owned(), |held| held.text.code.clone())
            };
            ChannelView {
                channel: known.id.to_string(),
                label: charter.label.clone(),
                level: charter.level.word().to_owned(),
                parties: charter.parties.iter().map(code).collect(),
                standing: "unknown".to_owned(),
                ratified: Vec::new(),
                by: Vec::new(),
                problem: Some("the node is not running".to_owned()),
            }
        };
        Ok(crate::channels::list(&self.store)?.into_iter().map(view).collect())
    }
}
