//! The node's own secrets at work: signing keys, KEM keys, epochs. Read from files at the start.
//!
//! ```text
//! keys/log.ed25519 …                       32 bytes each
//! keys/channels/<channel>/own-<n>          epoch secrets of this party, rising
//! keys/channels/<channel>/kem-<n>          KEM seeds of this party on the channel, rising
//! keys/channels/<channel>/<party>-<n>      epoch secrets of other parties, in the order of arrival
//! ```

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use detente_crypto::{SUITE_1, Secret};
use detente_protocol::channel::{Channel, KemKey, NodeKeys};
use detente_protocol::names::{ChannelId, PartyId};
use detente_protocol::sealing::{Epoch, EpochName};

use crate::folder::init::NODE_KEYS;
use crate::folder::secrets::{make_private_folder, random, read_seed, write_private};
use crate::folder::{Folder, FolderError};

/// Epochs kept of each sender, as the protocol keeps them.
const EPOCHS_KEPT: usize = 4;

/// Private keys of the node.
pub struct KeyRing {
    folder: PathBuf,
    seeds: Vec<Secret<32>>,
    /// Signing keys, prepared.
    pub node: Arc<NodeKeys>,
}

impl std::fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyRing(..)")
    }
}

/// Secrets of one channel.
#[derive(Debug)]
pub struct ChannelKeys {
    /// This party's epoch.
    pub epoch: Epoch,
    /// Its number.
    pub epoch_number: u32,
    /// KEM keys, oldest first, the credential's before all.
    pub kems: Vec<KemKey>,
    /// Epochs of other parties, oldest first.
    pub peers: BTreeMap<PartyId, Vec<Epoch>>,
}

impl KeyRing {
    /// Reads the node's keys.
    ///
    /// # Errors
    /// [`FolderError`] names the file that is missing or not private.
    pub fn open(folder: &Folder) -> Result<Self, FolderError> {
        let read = |name: &&str| read_seed(&folder.keys().join(name));
        let seeds: Vec<_> = NODE_KEYS.iter().map(read).collect::<Result<_, _>>()?;
        let four = core::array::from_fn(|index| *seeds[index].expose());
        Ok(Self { folder: folder.keys(), seeds, node: Arc::new(NodeKeys::from_seeds(SUITE_1, &four)) })
    }

    /// Seed of the link key.
    #[must_use]
    pub fn link_seed(&self) -> &[u8; 32] {
        self.seeds[4].expose()
    }

    /// Seed of the credential's KEM key.
    #[must_use]
    pub fn kem_seed(&self) -> &[u8; 32] {
        self.seeds[5].expose()
    }

    /// Seeds of the log and cosigner keys: log Ed25519 and ML-DSA, cosigner Ed25519 and ML-DSA.
    pub(crate) fn signing_seeds(&self) -> [&[u8; 32]; 4] {
        core::array::from_fn(|index| self.seeds[index].expose())
    }

    fn channel_folder(&self, channel: ChannelId) -> PathBuf {
        self.folder.join("channels").join(channel.to_string())
    }

    /// The secrets of a channel; makes its first epoch.
    ///
    /// # Errors
    /// [`FolderError`].
    pub fn channel(&self, channel: ChannelId) -> Result<ChannelKeys, FolderError> {
        let folder = self.channel_folder(channel);
        make_private_folder(&folder)?;
        let mut files: BTreeMap<(String, u32), PathBuf> = BTreeMap::new();
        let io = |error| FolderError::EnvironmentFile(folder.clone(), error);
        for entry in std::fs::read_dir(&folder).map_err(io)? {
            let path = entry.map_err(io)?.path();
            let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.rsplit_once('-'));
            if let Some((who, Ok(number))) = name.map(|(who, number)| (who, number.parse::<u32>())) {
                files.insert((who.to_owned(), number), path.clone());
            }
        }
        let (mut own, mut kems, mut peers) = (None, vec![kem_key(self.kem_seed())], BTreeMap::new());
        for ((who, number), path) in files {
            let seed = read_seed(&path)?;
            match who.as_str() {
                "own" => own = Some((Epoch::new(SUITE_1, *seed.expose()), number)),
                "kem" => kems.push(kem_key(seed.expose())),
                party => {
                    if let Some(party) = PartyId::parse(party) {
                        let epochs: &mut Vec<Epoch> = peers.entry(party).or_default();
                        epochs.push(Epoch::new(SUITE_1, *seed.expose()));
                        if epochs.len() > EPOCHS_KEPT {
                            epochs.remove(0);
                        }
                    }
                }
            }
        }
        let (epoch, epoch_number) = match own {
            Some(own) => own,
            None => self.new_epoch(channel, 1)?,
        };
        Ok(ChannelKeys { epoch, epoch_number, kems, peers })
    }

    /// Draws an epoch of this party and keeps it in a file.
    ///
    /// # Errors
    /// [`FolderError`].
    pub fn new_epoch(&self, channel: ChannelId, number: u32) -> Result<(Epoch, u32), FolderError> {
        let secret = random::<32>()?;
        write_private(&self.channel_folder(channel).join(format!("own-{number}")), &secret)?;
        Ok((Epoch::new(SUITE_1, secret), number))
    }

    /// Draws a KEM key for the channel and keeps it in a file; answers the public key too.
    ///
    /// # Errors
    /// [`FolderError`].
    pub fn new_kem(&self, channel: ChannelId, number: u32) -> Result<(KemKey, Box<[u8; 1216]>), FolderError> {
        let seed = random::<32>()?;
        write_private(&self.channel_folder(channel).join(format!("kem-{number}")), &seed)?;
        Ok((kem_key(&seed), Box::new(SUITE_1.kem_public(&seed))))
    }

    /// Keeps another party's epoch in a file.
    ///
    /// # Errors
    /// [`FolderError`].
    pub fn keep_epoch(&self, channel: ChannelId, party: PartyId, epoch: &Epoch) -> Result<(), FolderError> {
        let folder = self.channel_folder(channel);
        let last = self.numbers_of(&folder, &party.to_string())?.into_iter().max().unwrap_or(0);
        write_private(&folder.join(format!("{party}-{}", last + 1)), epoch.danger_secret())
    }

    /// Destroys the file of another party's epoch that is no longer live.
    ///
    /// # Errors
    /// [`FolderError`]; it is tried again when the next epoch ends.
    pub fn forget_epoch(
        &self,
        channel: ChannelId,
        party: PartyId,
        epoch: EpochName,
    ) -> Result<(), FolderError> {
        let folder = self.channel_folder(channel);
        for number in self.numbers_of(&folder, &party.to_string())? {
            let path = folder.join(format!("{party}-{number}"));
            if Epoch::new(SUITE_1, *read_seed(&path)?.expose()).name() == epoch {
                std::fs::remove_file(&path).map_err(|error| FolderError::EnvironmentFile(path, error))?;
            }
        }
        Ok(())
    }

    fn numbers_of(&self, folder: &Path, who: &str) -> Result<Vec<u32>, FolderError> {
        let io = |error| FolderError::EnvironmentFile(folder.to_path_buf(), error);
        let mut numbers = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(io)? {
            let name = entry.map_err(io)?.file_name();
            let number: Option<u32> =
                name.to_str().and_then(|name| name.strip_prefix(who)?.strip_prefix('-')?.parse().ok());
            numbers.extend(number);
        }
        Ok(numbers)
    }
}

fn kem_key(seed: &[u8; 32]) -> KemKey {
    KemKey { id: Channel::kem_id(&SUITE_1.kem_public(seed)), seed: *seed }
}
