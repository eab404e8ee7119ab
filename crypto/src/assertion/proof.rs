//! A release proof: the signatures under one statement, in the order they were made.
//!
//! The version byte 0x01, then deterministic CBOR: an array of one to sixteen signatures, the
//! drafter's first:
//! ```text
//! [key number, 0, signature (64)]                                          file key
//! [key number, 1, flags, counter, origin index, signature (64)]            passkey, compact
//! [key number, 2, authenticator data, client data, signature (64)]         passkey, in full
//! ```
//! No key signs twice. Source: `spec/release.md`, section 2.

use core::fmt;

use detente_encoding::cbor::{self, DecodeError, Value};

use super::authenticator::{AUTHENTICATOR_DATA_MAX, Flags};
use super::client_data::CLIENT_DATA_MAX;
use super::verify::ReleaseSignature;
use crate::hash::{Hash, sha256};

/// The most signatures a proof has.
pub const SIGNATURES_MAX: usize = 16;

/// The longest proof in bytes: sixteen full assertions with the heads of their parts.
pub const PROOF_BYTES_MAX: usize =
    1 + 1 + SIGNATURES_MAX * (AUTHENTICATOR_DATA_MAX + CLIENT_DATA_MAX + 64 + 16);

/// The format version every proof begins with.
const VERSION: u8 = 1;

/// Signatures under one statement, in signing order: one to sixteen, no key twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof(Vec<(u16, ReleaseSignature)>);

impl Proof {
    /// Joins signatures in the order they were made. `None` when there is none, more than sixteen
    /// or a key twice.
    #[must_use]
    pub fn new(signatures: Vec<(u16, ReleaseSignature)>) -> Option<Self> {
        let distinct = signatures
            .iter()
            .enumerate()
            .all(|(index, (number, _))| signatures[..index].iter().all(|(earlier, _)| earlier != number));
        (distinct && (1..=SIGNATURES_MAX).contains(&signatures.len())).then_some(Self(signatures))
    }

    /// Key numbers and their signatures in signing order; the first is the drafter's.
    #[must_use]
    pub fn signatures(&self) -> &[(u16, ReleaseSignature)] {
        &self.0
    }

    /// SHA-256 of the encoded proof, as an entry names it.
    #[must_use]
    pub fn hash(&self) -> Hash {
        sha256(&[&self.encode()])
    }

    /// The proof as bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        let items = self.0.iter().map(|(number, signature)| item(*number, signature)).collect();
        cbor::encode_into(&Value::Array(items), &mut out);
        out
    }

    /// Reads a proof.
    ///
    /// # Errors
    /// A [`ProofDecodeError`] for anything but the one encoding of a proof.
    pub fn decode(bytes: &[u8]) -> Result<Self, ProofDecodeError> {
        if bytes.len() > PROOF_BYTES_MAX {
            return Err(ProofDecodeError::PeerTooLong);
        }
        let (&version, text) =
            bytes.split_first().ok_or(ProofDecodeError::PeerEncoding(DecodeError::Truncated))?;
        if version != VERSION {
            return Err(ProofDecodeError::PeerVersion(version));
        }
        let value = cbor::decode(text).map_err(ProofDecodeError::PeerEncoding)?;
        let items = value.as_array().ok_or(ProofDecodeError::PeerShape)?;
        if !(1..=SIGNATURES_MAX).contains(&items.len()) {
            return Err(ProofDecodeError::PeerCount);
        }
        let signatures: Option<Vec<_>> = items.iter().map(read_item).collect();
        Self::new(signatures.ok_or(ProofDecodeError::PeerShape)?).ok_or(ProofDecodeError::PeerKeyTwice)
    }
}

fn item(number: u16, signature: &ReleaseSignature) -> Value {
    let mut parts = vec![Value::from(u64::from(number))];
    match signature {
        ReleaseSignature::File { signature } => {
            parts.extend([Value::from(0u64), Value::bytes(signature)]);
        }
        ReleaseSignature::Compact { flags, counter, origin_index, signature } => parts.extend([
            Value::from(1u64),
            Value::from(u64::from(flags.0)),
            Value::from(u64::from(*counter)),
            Value::from(u64::from(*origin_index)),
            Value::bytes(signature),
        ]),
        ReleaseSignature::Full { authenticator_data, client_data, signature } => parts.extend([
            Value::from(2u64),
            Value::bytes(authenticator_data),
            Value::bytes(client_data),
            Value::bytes(signature),
        ]),
    }
    Value::Array(parts)
}

fn read_item(item: &Value) -> Option<(u16, ReleaseSignature)> {
    let (number, rest) = item.as_array()?.split_first()?;
    let (kind, rest) = rest.split_first()?;
    let signature = match (kind.as_u64()?, rest) {
        (0, [signature]) => ReleaseSignature::File { signature: bytes(signature)? },
        (1, [flags, counter, origin_index, signature]) => ReleaseSignature::Compact {
            flags: Flags(u8::try_from(flags.as_u64()?).ok()?),
            counter: u32::try_from(counter.as_u64()?).ok()?,
            origin_index: u8::try_from(origin_index.as_u64()?).ok()?,
            signature: bytes(signature)?,
        },
        (2, [authenticator_data, client_data, signature]) => ReleaseSignature::Full {
            authenticator_data: bounded(authenticator_data, AUTHENTICATOR_DATA_MAX)?,
            client_data: bounded(client_data, CLIENT_DATA_MAX)?,
            signature: bytes(signature)?,
        },
        _ => return None,
    };
    Some((u16::try_from(number.as_u64()?).ok()?, signature))
}

fn bytes(value: &Value) -> Option<[u8; 64]> {
    value.as_bytes()?.try_into().ok()
}

fn bounded(value: &Value, bytes_max: usize) -> Option<Vec<u8>> {
    value.as_bytes().filter(|bytes| bytes.len() <= bytes_max).map(<[u8]>::to_vec)
}

/// Why bytes are not a release proof. The statement counts as not shown to be released.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofDecodeError {
    /// More than [`PROOF_BYTES_MAX`] bytes.
    PeerTooLong,
    /// Begins with another format version. Read it again after an upgrade.
    PeerVersion(u8),
    /// Not deterministic CBOR.
    PeerEncoding(DecodeError),
    /// No signature, or more than sixteen.
    PeerCount,
    /// An item that is none of the three forms.
    PeerShape,
    /// One key signs twice.
    PeerKeyTwice,
}

impl fmt::Display for ProofDecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PeerTooLong => write!(f, "the proof is longer than {PROOF_BYTES_MAX} bytes"),
            Self::PeerVersion(version) => write!(f, "the proof is of format version {version}"),
            Self::PeerEncoding(error) => write!(f, "the proof: {error}"),
            Self::PeerCount => write!(f, "a proof has one to {SIGNATURES_MAX} signatures"),
            Self::PeerShape => f.write_str("a signature of the proof is none of the three forms"),
            Self::PeerKeyTwice => f.write_str("one key signs twice"),
        }
    }
}

impl core::error::Error for ProofDecodeError {}
