//! Equivocation proofs as bytes: 0x01, then one deterministic CBOR array.
//!
//! Shape: `spec/detente.cddl`, `equivocation` and `claim`. Reading checks shape and limits, nothing
//! else: what a proof proves is decided by [`Equivocation::verify`].

use detente_crypto::Hash;
use detente_encoding::cbor::{self, Value};

use crate::bundle::LEAF_BYTES_MAX;
use crate::equivocation::{Claim, Equivocation, Evidence, Extension, GenerationEntry, LineEvidence};
use crate::key::KeyKind;
use crate::proof::{Head, PATH_MAX};
use crate::tree::SIZE_MAX;
use crate::{Checkpoint, Name};

/// The most bytes of a proof: two generation entries of the largest size with their paths.
pub const EQUIVOCATION_BYTES_MAX: usize = 2 * (LEAF_BYTES_MAX + 4096) + 4096;

const FORMAT_VERSION: u8 = 1;

/// The number before a claim by generation entry (`spec/log.md`, section 5).
const GENERATION_ENTRY: u64 = 4;

/// Why bytes are no equivocation proof (`spec/log.md`, section 5).
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofDecodeError {
    /// Longer than [`EQUIVOCATION_BYTES_MAX`].
    PeerTooLong,
    /// Not format version 1.
    PeerVersion,
    /// Not deterministic CBOR.
    PeerEncoding(cbor::DecodeError),
    /// Not the shape of a proof, or a size, path or leaf beyond its limit.
    PeerShape,
}

impl core::fmt::Display for ProofDecodeError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::PeerTooLong => write!(f, "the proof is longer than {EQUIVOCATION_BYTES_MAX} bytes"),
            Self::PeerVersion => f.write_str("the proof is not of format version 1"),
            Self::PeerEncoding(error) => error.fmt(f),
            Self::PeerShape => f.write_str("the bytes have not the shape of an equivocation proof"),
        }
    }
}

impl core::error::Error for ProofDecodeError {}

impl Equivocation {
    /// The proof as bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let [first, second] = &self.claims;
        let extension = self.extension.as_ref();
        let value = Value::Array(vec![
            Value::text(self.log.as_str()),
            Value::bytes(&self.party.0),
            claim_value(first),
            claim_value(second),
            extension.map_or(Value::Null, |extension| Value::bytes(&extension.root.0)),
            extension.map_or(Value::Null, |extension| path_value(&extension.path)),
        ]);
        let mut bytes = vec![FORMAT_VERSION];
        cbor::encode_into(&value, &mut bytes);
        bytes
    }

    /// Reads a proof. It proves nothing before [`Equivocation::verify`].
    ///
    /// # Errors
    /// [`ProofDecodeError`] for anything that [`Equivocation::to_bytes`] would not write.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ProofDecodeError> {
        if bytes.len() > EQUIVOCATION_BYTES_MAX {
            return Err(ProofDecodeError::PeerTooLong);
        }
        let Some((&FORMAT_VERSION, rest)) = bytes.split_first() else {
            return Err(ProofDecodeError::PeerVersion);
        };
        let value = cbor::decode(rest).map_err(ProofDecodeError::PeerEncoding)?;
        proof(&value).ok_or(ProofDecodeError::PeerShape)
    }
}

fn claim_value(claim: &Claim) -> Value {
    let head = [Value::from(claim.head.size), Value::bytes(&claim.head.root.0)];
    let [size, root] = head;
    Value::Array(match &claim.evidence {
        Evidence::Line(line) => {
            vec![
                Value::from(line.kind as u64),
                size,
                root,
                Value::from(line.time_s),
                Value::bytes(&line.signature),
            ]
        }
        Evidence::GenerationEntry(entry) => {
            let checkpoint = &entry.checkpoint;
            let evidence = vec![
                Value::text(checkpoint.origin.as_str()),
                Value::bytes(&entry.leaf),
                Value::from(checkpoint.head.size),
                Value::bytes(&checkpoint.head.root.0),
                path_value(&entry.path),
                Value::bytes(&entry.signature),
            ];
            vec![Value::from(GENERATION_ENTRY), size, root, Value::Array(evidence)]
        }
    })
}

fn path_value(path: &[Hash]) -> Value {
    Value::Array(path.iter().map(|hash| Value::bytes(&hash.0)).collect())
}

fn proof(value: &Value) -> Option<Equivocation> {
    let [log, party, first, second, root, path] = value.as_array()? else { return None };
    let extension = match (root, path) {
        (Value::Null, Value::Null) => None,
        _ => Some(Extension { root: hash(root)?, path: read_path(path)? }),
    };
    Some(Equivocation {
        log: name(log)?,
        party: hash(party)?,
        claims: [claim(first)?, claim(second)?],
        extension,
    })
}

fn claim(value: &Value) -> Option<Claim> {
    match value.as_array()? {
        [kind, size, root, time, signature] => {
            let kind = KeyKind::from_number(kind.as_u64()?)?;
            let signature = signature.as_bytes()?.to_vec();
            if signature.len() != kind.signature_bytes() {
                return None;
            }
            let evidence = Evidence::Line(LineEvidence { kind, time_s: time.as_u64()?, signature });
            Some(Claim { head: head(size, root)?, evidence })
        }
        [number, size, root, evidence] if number.as_u64() == Some(GENERATION_ENTRY) => {
            let evidence = Evidence::GenerationEntry(Box::new(generation_entry(evidence)?));
            Some(Claim { head: head(size, root)?, evidence })
        }
        _ => None,
    }
}

fn generation_entry(value: &Value) -> Option<GenerationEntry> {
    let [origin, leaf, size, root, path, signature] = value.as_array()? else { return None };
    let leaf = leaf.as_bytes()?;
    let signature = signature.as_bytes()?;
    if leaf.len() > LEAF_BYTES_MAX || signature.len() != KeyKind::LogEd25519.signature_bytes() {
        return None;
    }
    Some(GenerationEntry {
        checkpoint: Checkpoint { origin: name(origin)?, head: head(size, root)? },
        leaf: leaf.to_vec(),
        path: read_path(path)?,
        signature: signature.to_vec(),
    })
}

fn head(size: &Value, root: &Value) -> Option<Head> {
    let size = size.as_u64().filter(|size| (1..=SIZE_MAX).contains(size))?;
    Some(Head { size, root: hash(root)? })
}

fn read_path(value: &Value) -> Option<Vec<Hash>> {
    let hashes = value.as_array()?;
    if hashes.len() > PATH_MAX { None } else { hashes.iter().map(hash).collect() }
}

fn hash(value: &Value) -> Option<Hash> {
    Hash::from_slice(value.as_bytes()?)
}

fn name(value: &Value) -> Option<Name> {
    Name::new(value.as_text()?).ok()
}
