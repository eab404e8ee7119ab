//! A release key as a roster names it: a number, an algorithm, a public key, and where it lives.
//!
//! Source: `spec/keys.md`, section 4.

use core::fmt;

use crate::es256;
use crate::suite::{ED25519_PUBLIC_BYTES, PublicKeyError, Suite};

/// The most origins a passkey may be used at.
pub const ORIGINS_MAX: usize = 8;
/// The longest origin, in bytes.
pub const ORIGIN_BYTES_MAX: usize = 255;
/// The longest relying-party identifier (a host name), in bytes.
pub const RP_ID_BYTES_MAX: usize = 253;

/// The signature algorithm of a release key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReleaseAlgorithm {
    /// ECDSA over P-256 with SHA-256, number 1; what most passkeys have.
    Es256,
    /// Ed25519, number 0.
    Ed25519,
}

impl ReleaseAlgorithm {
    /// Its number in a roster: 0 or 1.
    #[must_use]
    pub const fn number(self) -> u64 {
        match self {
            Self::Ed25519 => 0,
            Self::Es256 => 1,
        }
    }

    /// The algorithm of a number in a roster, if there is one.
    #[must_use]
    pub const fn from_number(number: u64) -> Option<Self> {
        match number {
            0 => Some(Self::Ed25519),
            1 => Some(Self::Es256),
            _ => None,
        }
    }
}

/// The public half of a release key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReleasePublic {
    /// A compressed point of P-256: 33 bytes.
    Es256([u8; es256::PUBLIC_BYTES]),
    /// An Ed25519 public key.
    Ed25519([u8; ED25519_PUBLIC_BYTES]),
}

impl ReleasePublic {
    /// Reads a public key of `algorithm`; `None` for another length.
    #[must_use]
    pub fn from_slice(algorithm: ReleaseAlgorithm, bytes: &[u8]) -> Option<Self> {
        match algorithm {
            ReleaseAlgorithm::Es256 => bytes.try_into().ok().map(Self::Es256),
            ReleaseAlgorithm::Ed25519 => bytes.try_into().ok().map(Self::Ed25519),
        }
    }

    /// Which algorithm it is for.
    #[must_use]
    pub const fn algorithm(&self) -> ReleaseAlgorithm {
        match self {
            Self::Es256(_) => ReleaseAlgorithm::Es256,
            Self::Ed25519(_) => ReleaseAlgorithm::Ed25519,
        }
    }

    /// The bytes: 33 or 32.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Es256(bytes) => bytes,
            Self::Ed25519(bytes) => bytes,
        }
    }

    /// Whether `signature` (64 bytes) is one of this key over `message`.
    #[must_use]
    pub fn verify(&self, suite: &dyn Suite, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Es256(public) => suite.es256_verify(public, message, signature),
            Self::Ed25519(public) => suite.ed25519_verify(public, message, signature),
        }
    }
}

/// What holds the private half.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReleaseKeyKind {
    /// A file, as drills and automation have it; people see "file key".
    File,
    /// An authenticator, used in a browser.
    Passkey(Passkey),
}

/// What a passkey's assertions must show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passkey {
    /// The relying party's identifier: a host name, `watch.example.org`.
    pub rp_id: String,
    /// The origins at which it may be used, `https://watch.example.org`; a compact proof names one
    /// by its place, so the order stays.
    pub origins: Vec<String>,
    /// Whether the roster names it as one that may be copied to other devices (kind 2).
    pub backup_eligible_allowed: bool,
}

/// One release key of a roster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseKey {
    /// Its number in the roster; people see "key 3".
    pub number: u16,
    /// Its public half.
    pub public: ReleasePublic,
    /// Where its private half is.
    pub kind: ReleaseKeyKind,
}

impl ReleaseKey {
    /// Checks what a roster says of a key, before anything is verified with it.
    ///
    /// # Errors
    /// A [`ReleaseKeyError`]; a roster with such a key is refused as a whole.
    pub fn check(&self, suite: &dyn Suite) -> Result<(), ReleaseKeyError> {
        match &self.public {
            ReleasePublic::Ed25519(public) => {
                suite.ed25519_verifier(public).map_err(ReleaseKeyError::PeerPublicKey)?;
            }
            ReleasePublic::Es256(public) if !es256::is_public_key(public) => {
                return Err(ReleaseKeyError::PeerPublicKey(PublicKeyError::PeerNotAPoint));
            }
            ReleasePublic::Es256(_) => {}
        }
        match &self.kind {
            ReleaseKeyKind::File => Ok(()),
            ReleaseKeyKind::Passkey(passkey) => passkey.check(),
        }
    }
}

impl Passkey {
    fn check(&self) -> Result<(), ReleaseKeyError> {
        let host = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'.' || c == b'-';
        if self.rp_id.is_empty() || self.rp_id.len() > RP_ID_BYTES_MAX || !self.rp_id.bytes().all(host) {
            return Err(ReleaseKeyError::PeerRpId);
        }
        if self.origins.is_empty() || self.origins.len() > ORIGINS_MAX {
            return Err(ReleaseKeyError::PeerOriginCount);
        }
        if !self.origins.iter().all(|origin| is_plain_origin(origin)) {
            return Err(ReleaseKeyError::PeerOrigin);
        }
        Ok(())
    }
}

/// Printable ASCII without `"` and `\`, which a browser writes into JSON as they are.
fn is_plain_origin(origin: &str) -> bool {
    let plain = |c: u8| c.is_ascii_graphic() && c != b'"' && c != b'\\';
    !origin.is_empty() && origin.len() <= ORIGIN_BYTES_MAX && origin.bytes().all(plain)
}

/// Why a release key does not belong in a roster.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReleaseKeyError {
    /// The public key is none. Enrol the key again.
    PeerPublicKey(PublicKeyError),
    /// The relying-party identifier is no host name in lower case of at most 253 bytes.
    PeerRpId,
    /// No origin, or more than eight.
    PeerOriginCount,
    /// An origin that is not 1 to 255 printable ASCII characters without quotes or backslashes.
    PeerOrigin,
}

impl fmt::Display for ReleaseKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PeerPublicKey(error) => write!(f, "release key: {error}"),
            Self::PeerRpId => f.write_str("the relying-party identifier is not a host name in lower case"),
            Self::PeerOriginCount => write!(f, "a passkey needs one to {ORIGINS_MAX} origins"),
            Self::PeerOrigin => f.write_str("an origin is not plain printable ASCII of at most 255 bytes"),
        }
    }
}

impl core::error::Error for ReleaseKeyError {}
