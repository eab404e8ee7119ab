//! The use of one epoch secret: its name and the keys drawn from it.

use crate::names::{ChannelId, LogKey, PartyId, Run};
use core::fmt;
use detente_crypto::{Secret, Suite, sha256};

/// The first 8 bytes of the hash of an epoch secret.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EpochName(pub [u8; 8]);

impl fmt::Debug for EpochName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EpochName({})", detente_encoding::text::hex(&self.0))
    }
}

/// An epoch secret with what is drawn from it. `Debug` shows the name only.
#[derive(Clone)]
pub struct Epoch {
    name: EpochName,
    secret: Secret<32>,
    suite: &'static dyn Suite,
}

impl fmt::Debug for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Epoch({:?})", self.name)
    }
}

impl Epoch {
    /// Takes a secret of 32 random bytes.
    #[must_use]
    pub fn new(suite: &'static dyn Suite, secret: [u8; 32]) -> Self {
        let hash = sha256(&[b"detente/1/epoch\0", &secret]);
        let name = EpochName(hash.0[..8].try_into().expect("8 of 32 bytes"));
        Self { name, secret: Secret::new(secret), suite }
    }

    /// The name under which wraps and confirmations speak of it.
    #[must_use]
    pub fn name(&self) -> EpochName {
        self.name
    }

    /// The secret, to be wrapped for a reader or kept in a file of its own.
    #[must_use]
    pub fn danger_secret(&self) -> &[u8; 32] {
        self.secret.expose()
    }

    /// The suite it is used with.
    #[must_use]
    pub fn suite(&self) -> &'static dyn Suite {
        self.suite
    }

    fn draw(&self, parts: &[&[u8]], out: &mut [u8]) {
        let info = parts.join(&0u8);
        self.suite.hkdf(self.secret.expose(), &[], &info, out);
    }

    /// The key of all frames of one log.
    #[must_use]
    pub(crate) fn frame_key(&self, log_name: &str) -> [u8; 32] {
        let mut key = [0; 32];
        self.draw(&[b"detente/1/frame", log_name.as_bytes()], &mut key);
        key
    }

    /// The four bytes by which readers find the log of a frame.
    #[must_use]
    pub fn frame_tag(&self, log_name: &str) -> [u8; 4] {
        let mut tag = [0; 4];
        self.draw(&[b"detente/1/tag", log_name.as_bytes()], &mut tag);
        tag
    }

    /// The salt of one leaf.
    #[must_use]
    pub fn salt(&self, log_name: &str, index: u64) -> [u8; 16] {
        let mut salt = [0; 16];
        self.draw(&[b"detente/1/salt", log_name.as_bytes(), &index.to_be_bytes()], &mut salt);
        salt
    }

    /// Key and tag of one kind of control message of one run.
    #[must_use]
    pub(crate) fn control(&self, kind: u8, party: PartyId, run: Run) -> ([u8; 32], [u8; 4]) {
        let (mut key, mut tag) = ([0; 32], [0; 4]);
        self.draw(&[format!("detente/1/control/{kind}").as_bytes(), &party.0, &run.0], &mut key);
        self.draw(&[format!("detente/1/control-tag/{kind}").as_bytes(), &party.0, &run.0], &mut tag);
        (key, tag)
    }
}

/// Key and tag of the cover that hides a wrap's names from relays.
pub(crate) fn cover_key(channel: ChannelId) -> ([u8; 32], [u8; 4]) {
    let key = sha256(&[b"detente/1/cover\0", &channel.0]).0;
    let tag = sha256(&[b"detente/1/cover-tag\0", &channel.0]).0;
    (key, tag[..4].try_into().expect("4 of 32 bytes"))
}

/// What a frame of `log` on `channel` is sealed for: its name and key, computed once.
#[derive(Clone)]
pub struct LogSeal {
    /// The log's full name.
    pub name: String,
    /// Key of its frames in one epoch.
    pub key: [u8; 32],
    /// Tag of its frames in one epoch.
    pub tag: [u8; 4],
}

impl fmt::Debug for LogSeal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LogSeal({})", self.name)
    }
}

impl LogSeal {
    /// Draws key and tag of `log` from `epoch`.
    #[must_use]
    pub fn new(epoch: &Epoch, channel: ChannelId, log: &LogKey) -> Self {
        let name = log.name(channel);
        let (key, tag) = (epoch.frame_key(&name), epoch.frame_tag(&name));
        Self { name, key, tag }
    }
}
