//! Which key signs what: log lines and receipts, each with Ed25519 and ML-DSA-44.
//!
//! A log's keys sign its checkpoints under the log's own name; another party's cosigner keys sign
//! that it holds the log, with the time. The bytes under each signature differ in kind, so no line can
//! pass for another. Sources: C2SP signed-note, Signature types; C2SP tlog-cosignature, Ed25519
//! signed message and ML-DSA-44 signed message; `spec/log.md`, section 2.

use std::sync::Arc;

use detente_crypto::{
    ED25519_PUBLIC_BYTES, ED25519_SIGNATURE_BYTES, Ed25519Verifier, MLDSA_PUBLIC_BYTES,
    MLDSA_SIGNATURE_BYTES, MlDsaVerifier, PublicKeyError, Suite,
};

use crate::{Checkpoint, Name, sha256};

/// The largest time a cosignature may bear, in seconds (C2SP tlog-cosignature, Format).
pub const TIME_S_MAX: u64 = i64::MAX as u64;

const TIME_BYTES: usize = 8;

/// What a key signs and how. The numbers are those of claims in `spec/log.md`, section 5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum KeyKind {
    /// A log's line, Ed25519: type 0x01, no time.
    LogEd25519 = 0,
    /// A log's line, ML-DSA-44: type 0x06 with time 0.
    LogMlDsa = 1,
    /// A receipt, Ed25519: type 0x04 with time.
    CosignerEd25519 = 2,
    /// A receipt, ML-DSA-44: type 0x06 with time.
    CosignerMlDsa = 3,
}

impl KeyKind {
    /// The kind with this number, if there is one.
    #[must_use]
    pub fn from_number(number: u64) -> Option<Self> {
        [Self::LogEd25519, Self::LogMlDsa, Self::CosignerEd25519, Self::CosignerMlDsa]
            .into_iter()
            .find(|kind| *kind as u64 == number)
    }

    /// The signature type byte (C2SP signed-note, Signature types).
    #[must_use]
    pub fn type_byte(self) -> u8 {
        match self {
            Self::LogEd25519 => 0x01,
            Self::CosignerEd25519 => 0x04,
            Self::LogMlDsa | Self::CosignerMlDsa => 0x06,
        }
    }

    /// Whether a log's own key, and not a cosigner's.
    #[must_use]
    pub fn is_log(self) -> bool {
        matches!(self, Self::LogEd25519 | Self::LogMlDsa)
    }

    /// Whether ML-DSA-44, and not Ed25519.
    #[must_use]
    pub fn is_post_quantum(self) -> bool {
        matches!(self, Self::LogMlDsa | Self::CosignerMlDsa)
    }

    /// Bytes of the bare signature: 64 or 2,420.
    #[must_use]
    pub fn signature_bytes(self) -> usize {
        if self.is_post_quantum() { MLDSA_SIGNATURE_BYTES } else { ED25519_SIGNATURE_BYTES }
    }

    /// Whether a line of this kind may bear `time_s`: 0 for a log's, 1 to [`TIME_S_MAX`] for a receipt.
    #[must_use]
    pub fn allows_time(self, time_s: u64) -> bool {
        if self.is_log() { time_s == 0 } else { (1..=TIME_S_MAX).contains(&time_s) }
    }

    fn carries_time(self) -> bool {
        self != Self::LogEd25519
    }
}

/// Computes a key id: the first four bytes of SHA-256 over name, line feed, type byte, public key.
#[must_use]
pub fn key_id(name: &Name, type_byte: u8, public: &[u8]) -> [u8; 4] {
    sha256(&[name.as_str().as_bytes(), b"\n", &[type_byte], public]).prefix()
}

/// The bytes under a log's Ed25519 line: the checkpoint's three lines.
#[must_use]
pub fn ed25519_log_message(checkpoint: &Checkpoint) -> Vec<u8> {
    checkpoint.body().into_bytes()
}

/// The bytes under an Ed25519 receipt: two header lines with the time, then the three lines.
#[must_use]
pub fn ed25519_cosignature_message(time_s: u64, checkpoint: &Checkpoint) -> Vec<u8> {
    format!("cosignature/v1\ntime {time_s}\n{}", checkpoint.body()).into_bytes()
}

/// The bytes under an ML-DSA-44 line: label (12 bytes), signer's name with its length in one byte,
/// time (8, big-endian), the log's name likewise, first index 0 (8), size (8), root (32).
#[must_use]
pub fn mldsa_message(signer: &Name, time_s: u64, checkpoint: &Checkpoint) -> Vec<u8> {
    let mut message = b"subtree/v1\n\0".to_vec();
    push_name(signer, &mut message);
    message.extend_from_slice(&time_s.to_be_bytes());
    push_name(&checkpoint.origin, &mut message);
    message.extend_from_slice(&0u64.to_be_bytes());
    message.extend_from_slice(&checkpoint.head.size.to_be_bytes());
    message.extend_from_slice(&checkpoint.head.root.0);
    message
}

fn push_name(name: &Name, message: &mut Vec<u8>) {
    message.push(u8::try_from(name.as_str().len()).expect("names have at most 255 bytes"));
    message.extend_from_slice(name.as_str().as_bytes());
}

/// Whose key it is: the log's own, or that of a party that mirrors it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Signs checkpoints of its own log, under the log's name.
    Log,
    /// Signs receipts for other logs, under the cosigner's name.
    Cosigner,
}

/// A prepared public key. Cheap to clone, so one key can stand under the names of many logs.
#[derive(Clone, Debug)]
pub enum PublicKey {
    /// 32 bytes.
    Ed25519(Ed25519Verifier),
    /// 1,312 bytes; about 20 kB when prepared.
    MlDsa(Arc<MlDsaVerifier>),
}

/// Why bytes are no public key. The credential that named them must not be accepted.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// Neither 32 nor 1,312 bytes.
    PeerLength,
    /// Not a key that the suite accepts.
    PeerUnusable(PublicKeyError),
}

impl core::fmt::Display for KeyError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::PeerLength => f.write_str("a public key has 32 or 1,312 bytes"),
            Self::PeerUnusable(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for KeyError {}

impl PublicKey {
    /// Prepares a key; its length tells the algorithm.
    ///
    /// # Errors
    /// [`KeyError`] for another length or a key that `suite` refuses.
    pub fn new(suite: &dyn Suite, bytes: &[u8]) -> Result<Self, KeyError> {
        if let Ok(bytes) = <&[u8; ED25519_PUBLIC_BYTES]>::try_from(bytes) {
            return suite.ed25519_verifier(bytes).map(Self::Ed25519).map_err(KeyError::PeerUnusable);
        }
        let bytes = <&[u8; MLDSA_PUBLIC_BYTES]>::try_from(bytes).map_err(|_| KeyError::PeerLength)?;
        Ok(Self::MlDsa(Arc::new(suite.mldsa_verifier(bytes))))
    }

    /// The key's bytes: 32 or 1,312.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Ed25519(key) => key.public(),
            Self::MlDsa(key) => key.public(),
        }
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Ed25519(key) => key.verify(message, signature),
            Self::MlDsa(key) => key.verify(message, signature),
        }
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

impl Eq for PublicKey {}

/// A public key under its name, as lines are checked against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    name: Name,
    kind: KeyKind,
    public: PublicKey,
    id: [u8; 4],
}

/// Why a line of a known key does not hold. It voids the note it stands in.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineError {
    /// The signature has not the length of the key's kind.
    PeerLength,
    /// A log's line bears a time, or a receipt bears 0 or more than [`TIME_S_MAX`] seconds.
    PeerTime,
    /// A log's key under the checkpoint of another log.
    PeerOrigin,
    /// The signature does not verify.
    PeerSignature,
}

impl core::fmt::Display for LineError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::PeerLength => "a signature line has not the length of its kind",
            Self::PeerTime => "a signature line bears a time its kind does not allow",
            Self::PeerOrigin => "a log key stands under the checkpoint of another log",
            Self::PeerSignature => "a signature line does not verify",
        })
    }
}

impl core::error::Error for LineError {}

impl Key {
    /// A key under its name: for a log's key the log's name, for a cosigner's the cosigner's.
    #[must_use]
    pub fn new(name: Name, role: Role, public: PublicKey) -> Self {
        let kind = match (role, &public) {
            (Role::Log, PublicKey::Ed25519(_)) => KeyKind::LogEd25519,
            (Role::Log, PublicKey::MlDsa(_)) => KeyKind::LogMlDsa,
            (Role::Cosigner, PublicKey::Ed25519(_)) => KeyKind::CosignerEd25519,
            (Role::Cosigner, PublicKey::MlDsa(_)) => KeyKind::CosignerMlDsa,
        };
        let id = key_id(&name, kind.type_byte(), public.bytes());
        Self { name, kind, public, id }
    }

    /// The name in its lines.
    #[must_use]
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// What it signs and how.
    #[must_use]
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The public key.
    #[must_use]
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The four bytes before its signatures.
    #[must_use]
    pub fn id(&self) -> [u8; 4] {
        self.id
    }

    /// The bytes this key signs for `checkpoint`; `time_s` is 0 for a log's key.
    #[must_use]
    pub fn message(&self, checkpoint: &Checkpoint, time_s: u64) -> Vec<u8> {
        match self.kind {
            KeyKind::LogEd25519 => ed25519_log_message(checkpoint),
            KeyKind::CosignerEd25519 => ed25519_cosignature_message(time_s, checkpoint),
            KeyKind::LogMlDsa | KeyKind::CosignerMlDsa => mldsa_message(&self.name, time_s, checkpoint),
        }
    }

    /// Checks a bare signature (64 or 2,420 bytes) made at `time_s`.
    ///
    /// # Errors
    /// [`LineError`] if the time or the log does not fit this kind of key, or the signature does not
    /// verify.
    pub fn verify(&self, checkpoint: &Checkpoint, time_s: u64, signature: &[u8]) -> Result<(), LineError> {
        if signature.len() != self.kind.signature_bytes() {
            return Err(LineError::PeerLength);
        }
        if !self.kind.allows_time(time_s) {
            return Err(LineError::PeerTime);
        }
        if self.kind.is_log() && self.name != checkpoint.origin {
            return Err(LineError::PeerOrigin);
        }
        let holds = self.public.verify(&self.message(checkpoint, time_s), signature);
        if holds { Ok(()) } else { Err(LineError::PeerSignature) }
    }

    /// Joins time and bare signature as a line carries them: 8 bytes big-endian seconds, then the
    /// signature; the signature alone for a log's Ed25519 line.
    #[must_use]
    pub(crate) fn with_time(&self, time_s: u64, signature: &[u8]) -> Vec<u8> {
        let time = if self.kind.carries_time() { &time_s.to_be_bytes()[..] } else { &[] };
        [time, signature].concat()
    }

    /// Takes a line's bytes apart into time and bare signature.
    ///
    /// # Errors
    /// [`LineError::PeerLength`] if they have not the length of this kind.
    pub(crate) fn split_time<'a>(&self, bytes: &'a [u8]) -> Result<(u64, &'a [u8]), LineError> {
        let time = if self.kind.carries_time() { TIME_BYTES } else { 0 };
        if bytes.len() != time + self.kind.signature_bytes() {
            return Err(LineError::PeerLength);
        }
        let (time, signature) = bytes.split_at(time);
        Ok((time.iter().fold(0, |seconds, byte| seconds << 8 | u64::from(*byte)), signature))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Hash, Head};
    use detente_crypto::SUITE_1;

    fn checkpoint() -> Checkpoint {
        let head = Head { size: 3, root: Hash([7; 32]) };
        Checkpoint { origin: Name::new("log").unwrap(), head }
    }

    #[test]
    fn the_key_id_of_the_specification_is_found() {
        // C2SP signed-note, Verifier keys, Example.
        let public = crate::base64::decode("AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k").unwrap();
        let public = PublicKey::new(SUITE_1, &public[1..]).unwrap();
        let key = Key::new(Name::new("example.com/foo").unwrap(), Role::Log, public);
        assert_eq!(key.id(), [0x53, 0x0d, 0x90, 0x3a]);
    }

    #[test]
    fn messages_are_laid_out_byte_by_byte() {
        let body = checkpoint().body();
        assert_eq!(ed25519_log_message(&checkpoint()), body.as_bytes());
        let cosigned = ed25519_cosignature_message(1_679_315_147, &checkpoint());
        assert_eq!(cosigned, format!("cosignature/v1\ntime 1679315147\n{body}").as_bytes());
        let mut expected = b"subtree/v1\n\0\x02vw\0\0\0\0\0\0\x01\x02\x03log".to_vec();
        expected.extend_from_slice(&[0; 8]);
        expected.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, 3]);
        expected.extend_from_slice(&[7; 32]);
        assert_eq!(mldsa_message(&Name::new("vw").unwrap(), 0x102, &checkpoint()), expected);
    }

    #[test]
    fn bytes_of_another_length_or_of_small_order_are_no_key() {
        assert_eq!(PublicKey::new(SUITE_1, &[0; 33]), Err(KeyError::PeerLength));
        assert_eq!(PublicKey::new(SUITE_1, &[0; 1311]), Err(KeyError::PeerLength));
        assert!(matches!(PublicKey::new(SUITE_1, &[0; 32]), Err(KeyError::PeerUnusable(_))));
    }

    #[test]
    fn only_receipts_bear_a_time() {
        for (kind, allowed) in [
            (KeyKind::LogEd25519, [true, false, false, false]),
            (KeyKind::LogMlDsa, [true, false, false, false]),
            (KeyKind::CosignerEd25519, [false, true, true, false]),
            (KeyKind::CosignerMlDsa, [false, true, true, false]),
        ] {
            assert_eq!([0, 1, TIME_S_MAX, TIME_S_MAX + 1].map(|time| kind.allows_time(time)), allowed);
            assert_eq!(KeyKind::from_number(kind as u64), Some(kind));
        }
        assert_eq!(KeyKind::from_number(4), None);
    }
}
