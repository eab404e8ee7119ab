//! The keys a channel works with: this node's private ones, every party's public ones.

use core::fmt;
use std::sync::Arc;

use detente_crypto::{Ed25519Signer, Ed25519Verifier, MlDsaSigner, MlDsaVerifier, PublicKeyError, Suite};
use detente_transparency::{Accused, Checkpoint, Head, PublicKey};
use detente_transparency::{Name, ed25519_cosignature_message, ed25519_log_message, mldsa_message};

use super::message::LineKind;
use crate::names::{ChannelId, LogKey, PartyId, cosigner_name};

/// A node's signing keys. None of them can release anything.
pub struct NodeKeys {
    /// Signs checkpoints of own logs, wraps, notices.
    pub log: Ed25519Signer,
    /// The same, post-quantum.
    pub log_post_quantum: MlDsaSigner,
    /// Signs receipts on logs of others.
    pub cosigner: Ed25519Signer,
    /// The same, post-quantum.
    pub cosigner_post_quantum: MlDsaSigner,
}

impl NodeKeys {
    /// Prepares them from four seeds of 32 bytes, in the order of the fields.
    #[must_use]
    pub fn from_seeds(suite: &dyn Suite, seeds: &[[u8; 32]; 4]) -> Self {
        Self {
            log: suite.ed25519_signer(&seeds[0]),
            log_post_quantum: suite.mldsa_signer(&seeds[1]),
            cosigner: suite.ed25519_signer(&seeds[2]),
            cosigner_post_quantum: suite.mldsa_signer(&seeds[3]),
        }
    }

    /// Makes one line of this node on `checkpoint`. Log lines bear no time.
    pub(crate) fn sign(&self, kind: LineKind, signer: &str, checkpoint: &Checkpoint, time_s: u64) -> Vec<u8> {
        match kind {
            LineKind::Log => self.log.sign(&ed25519_log_message(checkpoint)).to_vec(),
            LineKind::Receipt => {
                self.cosigner.sign(&ed25519_cosignature_message(time_s, checkpoint)).to_vec()
            }
            LineKind::LogPostQuantum => {
                self.log_post_quantum.sign(&mldsa_message(&name(signer), time_s, checkpoint)).to_vec()
            }
            LineKind::ReceiptPostQuantum => {
                self.cosigner_post_quantum.sign(&mldsa_message(&name(signer), time_s, checkpoint)).to_vec()
            }
        }
    }
}

impl fmt::Debug for NodeKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NodeKeys(..)")
    }
}

fn name(text: &str) -> Name {
    Name::new(text).expect("log and cosigner names are base32, digits and slashes")
}

/// A party's public keys, prepared for verification.
#[derive(Clone)]
pub struct PartyKeys {
    /// Whose.
    pub party: PartyId,
    /// Credential edition they stand in.
    pub edition: u32,
    /// Ed25519 log key.
    pub log_bytes: [u8; 32],
    log: Arc<Ed25519Verifier>,
    log_post_quantum: Arc<MlDsaVerifier>,
    cosigner: Arc<Ed25519Verifier>,
    cosigner_post_quantum: Arc<MlDsaVerifier>,
    /// The credential's KEM key, for the first wrap.
    pub kem: Box<[u8; 1216]>,
}

impl fmt::Debug for PartyKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PartyKeys({:?}, edition {})", self.party, self.edition)
    }
}

/// The public keys of one party as its credential lists them.
#[derive(Debug)]
pub struct PublicKeys<'a> {
    /// Ed25519 log key.
    pub log: &'a [u8; 32],
    /// ML-DSA-44 log key.
    pub log_post_quantum: &'a [u8; 1312],
    /// Ed25519 cosigner key.
    pub cosigner: &'a [u8; 32],
    /// ML-DSA-44 cosigner key.
    pub cosigner_post_quantum: &'a [u8; 1312],
    /// X-Wing key of the credential.
    pub kem: &'a [u8; 1216],
}

impl PartyKeys {
    /// Prepares the keys of a credential edition.
    ///
    /// # Errors
    /// [`PublicKeyError`] when an Ed25519 key is none.
    pub fn new(
        suite: &dyn Suite,
        party: PartyId,
        edition: u32,
        keys: &PublicKeys<'_>,
    ) -> Result<Self, PublicKeyError> {
        Ok(Self {
            party,
            edition,
            log_bytes: *keys.log,
            log: Arc::new(suite.ed25519_verifier(keys.log)?),
            log_post_quantum: Arc::new(suite.mldsa_verifier(keys.log_post_quantum)),
            cosigner: Arc::new(suite.ed25519_verifier(keys.cosigner)?),
            cosigner_post_quantum: Arc::new(suite.mldsa_verifier(keys.cosigner_post_quantum)),
            kem: Box::new(*keys.kem),
        })
    }

    /// Whether `signature` is this party's line of `kind` on `checkpoint`.
    pub(crate) fn verify(
        &self,
        kind: LineKind,
        channel: ChannelId,
        checkpoint: &Checkpoint,
        time_s: u64,
        signature: &[u8],
    ) -> bool {
        match kind {
            LineKind::Log => self.log.verify(&ed25519_log_message(checkpoint), signature),
            LineKind::LogPostQuantum => {
                let message = mldsa_message(&checkpoint.origin, 0, checkpoint);
                self.log_post_quantum.verify(&message, signature)
            }
            LineKind::Receipt => {
                self.cosigner.verify(&ed25519_cosignature_message(time_s, checkpoint), signature)
            }
            LineKind::ReceiptPostQuantum => {
                let signer = name(&cosigner_name(channel, self.party));
                self.cosigner_post_quantum.verify(&mldsa_message(&signer, time_s, checkpoint), signature)
            }
        }
    }

    /// Whether the log key signed `message` (confirmations, presence).
    pub(crate) fn verify_notice(&self, message: &[u8], signature: &[u8]) -> bool {
        self.log.verify(message, signature)
    }
}

/// A party's keys as an equivocation proof is checked against them.
#[derive(Debug)]
pub struct AccusedKeys {
    channel: ChannelId,
    party: PartyId,
    log: Vec<PublicKey>,
    cosigner: Vec<PublicKey>,
}

impl AccusedKeys {
    /// The keys of all credential editions of `party`.
    #[must_use]
    pub fn new(channel: ChannelId, party: PartyId, editions: &[PartyKeys]) -> Self {
        let (mut log, mut cosigner) = (Vec::new(), Vec::new());
        for keys in editions {
            log.push(PublicKey::Ed25519((*keys.log).clone()));
            log.push(PublicKey::MlDsa(Arc::clone(&keys.log_post_quantum)));
            cosigner.push(PublicKey::Ed25519((*keys.cosigner).clone()));
            cosigner.push(PublicKey::MlDsa(Arc::clone(&keys.cosigner_post_quantum)));
        }
        Self { channel, party, log, cosigner }
    }
}

impl Accused for AccusedKeys {
    fn log_keys(&self) -> &[PublicKey] {
        &self.log
    }

    fn cosigner_keys(&self) -> &[PublicKey] {
        &self.cosigner
    }

    fn cosigner_name(&self, log: &Name) -> Option<Name> {
        let (channel, _) = LogKey::parse(log.as_str())?;
        (channel == self.channel).then(|| name(&cosigner_name(channel, self.party)))
    }

    fn owns(&self, log: &Name) -> bool {
        LogKey::parse(log.as_str())
            .is_some_and(|(channel, key)| channel == self.channel && key.party == self.party)
    }

    fn named(&self, leaf: &[u8], log: &Name) -> Option<Head> {
        let (_, key) = LogKey::parse(log.as_str())?;
        let named = super::judging::named_heads(&key, leaf.get(16..)?);
        let (_, size, root) = named.into_iter().find(|(named, ..)| *named == key)?;
        Some(Head { size, root })
    }
}
