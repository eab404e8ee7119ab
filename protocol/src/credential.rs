//! Credentials: who a party is, in its own root's hand.
//!
//! A credential names the party's node keys, first KEM key and first roster, and is signed by both
//! root keys. Parties exchange it face to face and compare eight words over the root keys; from
//! there on everything else follows by signatures. Source: `spec/keys.md`, section 2.

use core::fmt;
use std::collections::BTreeMap;

use detente_crypto::root::{Root, RootSecret, RootSignature};
use detente_crypto::{Hash, KEM_PUBLIC_BYTES, MLDSA_PUBLIC_BYTES, Suite, sha256};
use detente_encoding::cbor::{self, DecodeError, Value};
use detente_encoding::{Timestamp, words};

use crate::fields::{FieldError, Fields, versioned};
use crate::limits::{ENDPOINTS_MAX, MOMENT_MAX, NAME_CHARS_MAX};
use crate::names::{ChannelId, LogKey, PartyId};
use crate::roster::{Roster, RosterError};

/// The keys of a party's node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeKeys {
    /// Signs checkpoints, wraps and notices at once.
    pub log_ed25519: [u8; 32],
    /// Signs checkpoints, later.
    pub log_mldsa: Box<[u8; MLDSA_PUBLIC_BYTES]>,
    /// Cosigns the logs of others.
    pub cosigner_ed25519: [u8; 32],
    /// Cosigns, later.
    pub cosigner_mldsa: Box<[u8; MLDSA_PUBLIC_BYTES]>,
    /// Authenticates links (RFC 7250).
    pub link: [u8; 32],
}

/// Hash of a channel's list of logs that an edition recognises, under a keyed name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recognised {
    /// [`keyed_channel`] of the channel.
    pub channel: Hash,
    /// [`recognised_hash`] of the list.
    pub logs: Hash,
}

/// What a credential says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialText {
    /// 2 to 8 of A–Z and 0–9, beginning with a letter. A label, not an identity.
    pub code: String,
    /// From 1.
    pub edition: u32,
    /// Where its node listens, `host:port`, at most 8.
    pub endpoints: Vec<String>,
    /// When it was signed.
    pub issued: Timestamp,
    /// X-Wing public key for the first wrap of each channel.
    pub kem: Box<[u8; KEM_PUBLIC_BYTES]>,
    /// Names by language, each at most 80 characters.
    pub names: BTreeMap<String, String>,
    /// The node's keys.
    pub node: NodeKeys,
    /// SHA-256 of the text of the edition before; `None` for edition 1.
    pub previous: Option<Hash>,
    /// The logs it recognises, per channel; empty for all.
    pub recognised: Vec<Recognised>,
    /// The root keys.
    pub root: Root,
    /// Bytes of roster 0 of this edition.
    pub roster: Vec<u8>,
}

/// A credential: its text as signed, and both signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// The text's bytes, exactly as signed.
    pub text_bytes: Vec<u8>,
    /// Both signatures of the root.
    pub signature: RootSignature,
}

/// Why a credential is refused. Nothing is changed.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CredentialError {
    /// Not the version byte and one deterministic value.
    PeerEncoding(DecodeError),
    /// Another format version.
    PeerVersion,
    /// Not a text and two signatures.
    PeerShape,
    /// A field is missing, unknown or not as `spec/keys.md` says.
    PeerField(FieldError),
    /// Its roster is no roster 0 of this party.
    PeerRoster(RosterError),
    /// A root signature does not verify: forged or damaged.
    PeerSignature,
    /// One key serves in two places.
    PeerKeyShared,
}

impl fmt::Display for CredentialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PeerEncoding(error) => write!(f, "the credential: {error}"),
            Self::PeerVersion => f.write_str("the credential is of another format version"),
            Self::PeerShape => f.write_str("the bytes are no credential"),
            Self::PeerField(error) => write!(f, "the credential: {error}"),
            Self::PeerRoster(error) => write!(f, "the credential: {error}"),
            Self::PeerSignature => f.write_str("a root signature of the credential does not verify"),
            Self::PeerKeyShared => f.write_str("the credential uses one key in two places"),
        }
    }
}

impl core::error::Error for CredentialError {}

impl From<FieldError> for CredentialError {
    fn from(error: FieldError) -> Self {
        Self::PeerField(error)
    }
}

const LABEL: &str = "detente/1/credential";

/// The party of a root key. Source: `spec/encoding.md`, section 3.
#[must_use]
pub fn party_of(root: &Root) -> PartyId {
    PartyId(root.party().0)
}

/// The eight words that people compare. Source: `spec/keys.md`, section 3.
#[must_use]
pub fn words_of(root: &Root) -> String {
    root.words()
}

/// The eight words as numbers from 0 to 2,047.
#[must_use]
pub fn word_numbers_of(root: &Root) -> [u16; words::WORDS] {
    words::numbers(&root.words_hash().0)
}

/// The name under which a credential speaks of a channel without naming it.
#[must_use]
pub fn keyed_channel(channel: ChannelId) -> Hash {
    sha256(&[b"detente/1/recognised-channel\0", &channel.0])
}

/// The hash of a channel's list of logs, sizes and roots.
#[must_use]
pub fn recognised_hash(channel: ChannelId, logs: &[(LogKey, u64, Hash)]) -> Hash {
    let mut rows: Vec<_> = logs.iter().map(|(log, size, root)| (log.name(channel), *size, *root)).collect();
    rows.sort();
    let rows = rows
        .into_iter()
        .map(|(name, size, root)| Value::Array(vec![Value::Text(name), size.into(), Value::bytes(&root.0)]));
    sha256(&[b"detente/1/recognised\0", &cbor::encode(&Value::Array(rows.collect()))])
}

/// Whether `code` is one: 2 to 8 of A–Z and 0–9, beginning with a letter.
#[must_use]
pub fn is_code(code: &str) -> bool {
    (2..=8).contains(&code.len())
        && code.starts_with(|c: char| c.is_ascii_uppercase())
        && code.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

impl CredentialText {
    /// The party it speaks of.
    #[must_use]
    pub fn party_id(&self) -> PartyId {
        party_of(&self.root)
    }

    /// The eight words of its root keys.
    #[must_use]
    pub fn words(&self) -> String {
        words_of(&self.root)
    }

    /// Signs this text with the root.
    #[must_use]
    pub fn sign(&self, root: &RootSecret, suite: &dyn Suite) -> Credential {
        let text_bytes = self.encode();
        let signature = root.sign(suite, LABEL, &text_bytes);
        Credential { text_bytes, signature }
    }

    /// The text's bytes: one deterministic map, without a version byte.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let pair = |a: &[u8], b: &[u8]| Value::Array(vec![Value::bytes(a), Value::bytes(b)]);
        let names = self.names.iter().map(|(language, name)| (Value::text(language), Value::text(name)));
        let node = [
            &self.node.log_ed25519[..],
            &self.node.log_mldsa[..],
            &self.node.cosigner_ed25519,
            &self.node.cosigner_mldsa[..],
            &self.node.link,
        ];
        cbor::encode(&Value::map(vec![
            ("code".into(), Value::text(&self.code)),
            ("edition".into(), Value::from(u64::from(self.edition))),
            ("endpoints".into(), Value::Array(self.endpoints.iter().map(|e| Value::text(e)).collect())),
            ("issued".into(), Value::from(self.issued.millis())),
            ("kem".into(), Value::bytes(&self.kem[..])),
            ("names".into(), Value::map(names.collect())),
            ("node".into(), Value::Array(node.into_iter().map(Value::bytes).collect())),
            ("previous".into(), self.previous.map_or(Value::Null, |hash| Value::bytes(&hash.0))),
            (
                "recognised".into(),
                Value::Array(self.recognised.iter().map(|r| pair(&r.channel.0, &r.logs.0)).collect()),
            ),
            ("root".into(), pair(&self.root.ed25519, &self.root.mldsa[..])),
            ("roster".into(), Value::bytes(&self.roster)),
        ]))
    }

    /// Reads a text's bytes.
    ///
    /// # Errors
    /// [`CredentialError`] for anything but the one encoding of a credential's text.
    pub fn decode(bytes: &[u8]) -> Result<Self, CredentialError> {
        let value = cbor::decode(bytes).map_err(CredentialError::PeerEncoding)?;
        let fields = Fields::new(&value, &KEYS)?;
        let text = Self {
            code: fields.read("code", |v| v.as_text().filter(|code| is_code(code)).map(str::to_owned))?,
            edition: fields.read("edition", |v| u32::try_from(v.as_u64()?).ok().filter(|n| *n > 0))?,
            endpoints: fields.list("endpoints", ENDPOINTS_MAX, endpoint)?,
            issued: fields.read("issued", |v| {
                v.as_i64().filter(|ms| ms.abs() <= MOMENT_MAX).map(Timestamp::from_millis)
            })?,
            kem: fields.read("kem", exact)?,
            names: fields.read("names", names)?,
            node: fields.read("node", node_keys)?,
            previous: fields.optional("previous", |v| Hash::from_slice(v.as_bytes()?))?,
            recognised: fields.list("recognised", RECOGNISED_MAX, recognised)?,
            root: fields.read("root", |v| match v.as_array()? {
                [ed25519, mldsa] => Some(Root { ed25519: *exact(ed25519)?, mldsa: exact(mldsa)? }),
                _ => None,
            })?,
            roster: fields.read("roster", |v| v.as_bytes().map(<[u8]>::to_vec))?,
        };
        if text.previous.is_none() != (text.edition == 1) {
            return Err(FieldError::Value("previous").into());
        }
        let roster = Roster::decode(&text.roster).map_err(CredentialError::PeerRoster)?;
        if roster.number != 0 || roster.party != text.party_id() {
            return Err(FieldError::Value("roster").into());
        }
        let keys = [text.root.ed25519, text.node.log_ed25519, text.node.cosigner_ed25519, text.node.link];
        let shared = (1..keys.len()).any(|index| keys[..index].contains(&keys[index]));
        let lattice = [&text.root.mldsa, &text.node.log_mldsa, &text.node.cosigner_mldsa];
        let released = roster.keys.iter().any(|key| keys.iter().any(|own| key.key.public.as_bytes() == own));
        if shared || released || (1..3).any(|index| lattice[..index].contains(&lattice[index])) {
            return Err(CredentialError::PeerKeyShared);
        }
        Ok(text)
    }

    /// Roster 0 of this edition.
    ///
    /// # Errors
    /// [`RosterError`]; never for a text that was decoded.
    pub fn roster(&self) -> Result<Roster, RosterError> {
        Roster::decode(&self.roster)
    }
}

impl Credential {
    /// Reads a credential; says nothing about its signatures.
    ///
    /// # Errors
    /// [`CredentialError`] for anything but the one encoding of a credential.
    pub fn decode(bytes: &[u8]) -> Result<Self, CredentialError> {
        let Some((&crate::entry::VERSION, rest)) = bytes.split_first() else {
            return Err(CredentialError::PeerVersion);
        };
        let value = cbor::decode(rest).map_err(CredentialError::PeerEncoding)?;
        let parts = value.as_array().and_then(|parts| match parts {
            [text, ed25519, mldsa] => {
                let signature = RootSignature::from_slices(ed25519.as_bytes()?, mldsa.as_bytes()?)?;
                Some(Self { text_bytes: text.as_bytes()?.to_vec(), signature })
            }
            _ => None,
        });
        parts.ok_or(CredentialError::PeerShape)
    }

    /// The credential's bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        versioned(&Value::Array(vec![
            Value::bytes(&self.text_bytes),
            Value::bytes(&self.signature.ed25519),
            Value::bytes(&self.signature.mldsa[..]),
        ]))
    }

    /// The text, when both root signatures over it verify and its keys are usable. That the root
    /// is the right one only the eight words can say.
    ///
    /// # Errors
    /// [`CredentialError`] with the first reason.
    pub fn verify(&self, suite: &dyn Suite) -> Result<CredentialText, CredentialError> {
        let text = CredentialText::decode(&self.text_bytes)?;
        if !text.root.verify(suite, LABEL, &self.text_bytes, &self.signature) {
            return Err(CredentialError::PeerSignature);
        }
        for key in [&text.node.log_ed25519, &text.node.cosigner_ed25519, &text.node.link] {
            if suite.ed25519_verifier(key).is_err() {
                return Err(FieldError::Value("node").into());
            }
        }
        match text.roster() {
            Ok(roster) if roster.check(suite) => Ok(text),
            Ok(_) => Err(FieldError::Value("roster").into()),
            Err(error) => Err(CredentialError::PeerRoster(error)),
        }
    }

    /// SHA-256 of the text, as the next edition and `credential` entries name it.
    #[must_use]
    pub fn text_hash(&self) -> Hash {
        sha256(&[&self.text_bytes])
    }
}

const KEYS: [&str; 11] = [
    "code",
    "edition",
    "endpoints",
    "issued",
    "kem",
    "names",
    "node",
    "previous",
    "recognised",
    "root",
    "roster",
];
/// Channels of one party: far more than any desk holds.
const RECOGNISED_MAX: usize = 4_096;
/// Languages of a name.
const LANGUAGES_MAX: usize = 64;
/// A host name has at most 253 characters, a port five.
const ENDPOINT_BYTES_MAX: usize = 260;

fn exact<const N: usize>(value: &Value) -> Option<Box<[u8; N]>> {
    value.as_bytes()?.to_vec().try_into().ok()
}

fn endpoint(value: &Value) -> Option<String> {
    let text = value.as_text().filter(|text| text.len() <= ENDPOINT_BYTES_MAX)?;
    let (host, port) = text.rsplit_once(':')?;
    (!host.is_empty() && port.parse::<u16>().is_ok()).then(|| text.to_owned())
}

fn names(value: &Value) -> Option<BTreeMap<String, String>> {
    let Value::Map(pairs) = value else { return None };
    let short = |text: &str| (1..=NAME_CHARS_MAX).contains(&text.chars().count());
    let names = pairs.iter().map(|(language, name)| {
        let (language, name) = (language.as_text()?, name.as_text()?);
        (short(language) && short(name)).then(|| (language.to_owned(), name.to_owned()))
    });
    names.collect::<Option<_>>().filter(|_| pairs.len() <= LANGUAGES_MAX)
}

fn node_keys(value: &Value) -> Option<NodeKeys> {
    let [log_ed25519, log_mldsa, cosigner_ed25519, cosigner_mldsa, link] = value.as_array()? else {
        return None;
    };
    Some(NodeKeys {
        log_ed25519: *exact(log_ed25519)?,
        log_mldsa: exact(log_mldsa)?,
        cosigner_ed25519: *exact(cosigner_ed25519)?,
        cosigner_mldsa: exact(cosigner_mldsa)?,
        link: *exact(link)?,
    })
}

fn recognised(value: &Value) -> Option<Recognised> {
    let [channel, logs] = value.as_array()? else { return None };
    Some(Recognised {
        channel: Hash::from_slice(channel.as_bytes()?)?,
        logs: Hash::from_slice(logs.as_bytes()?)?,
    })
}

#[cfg(test)]
mod tests;
