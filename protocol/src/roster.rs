//! Rosters: which keys may release, and how the list of them changes without the root.
//!
//! A roster numbers release keys and says whose they are and what they may do. The next one is
//! released by as many persons of this one as it asks for, or signed by the root: officers come
//! and go, and a taken-over node can add none. Source: `spec/keys.md`, section 4.

use core::fmt;

use detente_crypto::assertion::{Passkey, ReleaseAlgorithm, ReleaseKey, ReleaseKeyKind, ReleasePublic};
use detente_crypto::root::{Root, RootSignature};
use detente_crypto::{Hash, Suite, sha256};
use detente_encoding::cbor::{self, DecodeError, Value};

use crate::fields::{FieldError, Fields, versioned};
use crate::limits::{ORIGINS_MAX, ROSTER_KEYS_MAX};
use crate::names::PartyId;
use crate::release::{self, NotSatisfied, Proof};

/// What a key may do; bits as on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Roles(pub u8);

impl Roles {
    /// May draft.
    pub const DRAFT: Self = Self(1);
    /// May release.
    pub const RELEASE: Self = Self(2);
    /// Keeps watch: acknowledges, stands by, asks for clarification.
    pub const WATCH: Self = Self(4);
    /// Interprets.
    pub const INTERPRET: Self = Self(8);
    /// Audits.
    pub const AUDIT: Self = Self(16);
    /// Administers the node.
    pub const ADMIN: Self = Self(32);
    const ALL: u8 = 63;

    /// Whether all of `roles` are among these.
    #[must_use]
    pub const fn has(self, roles: Self) -> bool {
        self.0 & roles.0 == roles.0
    }

    /// These and `other` together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// A release key and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RosterKey {
    /// The key; its number is 1 to 65,535 and never used again for another.
    pub key: ReleaseKey,
    /// The person, 1 to 65,535: keys of one person never count as two.
    pub person: u16,
    /// What it may do.
    pub roles: Roles,
}

/// The release keys of a party.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roster {
    /// How many persons must release the next roster, from 1.
    pub asks: u16,
    /// At most 256 keys, numbers rising.
    pub keys: Vec<RosterKey>,
    /// From 0.
    pub number: u32,
    /// Whose roster.
    pub party: PartyId,
    /// SHA-256 of the bytes of the roster before; `None` for number 0.
    pub previous: Option<Hash>,
}

/// Why bytes are no roster. The roster before stays in force.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RosterError {
    /// Not the version byte and one deterministic value.
    PeerEncoding(DecodeError),
    /// Another format version.
    PeerVersion,
    /// A field is missing, unknown or not as `spec/keys.md` says.
    PeerField(FieldError),
}

impl fmt::Display for RosterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PeerEncoding(error) => write!(f, "the roster: {error}"),
            Self::PeerVersion => f.write_str("the roster is of another format version"),
            Self::PeerField(error) => write!(f, "the roster: {error}"),
        }
    }
}

impl core::error::Error for RosterError {}

impl From<FieldError> for RosterError {
    fn from(error: FieldError) -> Self {
        Self::PeerField(error)
    }
}

impl Roster {
    /// Reads roster bytes. Whether its keys are usable is [`Self::check`]'s to say.
    ///
    /// # Errors
    /// [`RosterError`] for anything but the one encoding of a roster.
    pub fn decode(bytes: &[u8]) -> Result<Self, RosterError> {
        let Some((&crate::entry::VERSION, rest)) = bytes.split_first() else {
            return Err(RosterError::PeerVersion);
        };
        let value = cbor::decode(rest).map_err(RosterError::PeerEncoding)?;
        let fields = Fields::new(&value, &["asks", "keys", "number", "party", "previous"])?;
        let roster = Self {
            asks: fields.read("asks", from_1)?,
            keys: fields.list("keys", ROSTER_KEYS_MAX, read_key)?,
            number: fields.read("number", |v| u32::try_from(v.as_u64()?).ok())?,
            party: fields.read("party", |v| Some(PartyId(v.as_bytes()?.try_into().ok()?)))?,
            previous: fields.optional("previous", |v| Hash::from_slice(v.as_bytes()?))?,
        };
        if !roster.keys.is_sorted_by(|a, b| a.key.number < b.key.number) {
            return Err(FieldError::Value("keys").into());
        }
        if roster.previous.is_none() != (roster.number == 0) {
            return Err(FieldError::Value("previous").into());
        }
        Ok(roster)
    }

    /// The roster bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        versioned(&Value::map(vec![
            ("asks".into(), Value::from(u64::from(self.asks))),
            ("keys".into(), Value::Array(self.keys.iter().map(key_value).collect())),
            ("number".into(), Value::from(u64::from(self.number))),
            ("party".into(), Value::bytes(&self.party.0)),
            ("previous".into(), self.previous.map_or(Value::Null, |hash| Value::bytes(&hash.0))),
        ]))
    }

    /// SHA-256 of the roster bytes.
    #[must_use]
    pub fn hash(&self) -> Hash {
        sha256(&[&self.encode()])
    }

    /// The key with this number.
    #[must_use]
    pub fn key(&self, number: u16) -> Option<&RosterKey> {
        let place = self.keys.binary_search_by_key(&number, |key| key.key.number).ok()?;
        self.keys.get(place)
    }

    /// Whether every key is one that anything should be verified with.
    #[must_use]
    pub fn check(&self, suite: &dyn Suite) -> bool {
        self.keys.iter().all(|key| key.key.check(suite).is_ok())
    }

    /// How many persons have a key with `roles`.
    #[must_use]
    pub fn persons(&self, roles: Roles) -> usize {
        let persons: std::collections::BTreeSet<u16> =
            self.keys.iter().filter(|key| key.roles.has(roles)).map(|key| key.person).collect();
        persons.len()
    }

    /// What is signed when `next` is to follow this roster: the value, encoded.
    fn change_text(&self, next: &Self) -> Vec<u8> {
        cbor::encode(&Value::Array(vec![
            Value::bytes(&next.party.0),
            Value::from(u64::from(next.number)),
            Value::bytes(&self.hash().0),
            Value::bytes(&next.hash().0),
        ]))
    }

    /// The hash that release keys sign when `next` is to follow this roster.
    #[must_use]
    pub fn change_hash(&self, next: &Self) -> Hash {
        sha256(&[b"detente/1/roster\0", &self.change_text(next)])
    }
}

fn from_1(value: &Value) -> Option<u16> {
    u16::try_from(value.as_u64()?).ok().filter(|number| *number > 0)
}

fn read_key(value: &Value) -> Option<RosterKey> {
    let [number, person, roles, algorithm, public, kind, rp_id, origins] = value.as_array()? else {
        return None;
    };
    let algorithm = match algorithm.as_u64()? {
        0 => ReleaseAlgorithm::Ed25519,
        1 => ReleaseAlgorithm::Es256,
        _ => return None,
    };
    let kind = match (kind.as_u64()?, rp_id.is_null() && origins.is_null()) {
        (0, true) => ReleaseKeyKind::File,
        (kind @ 1..=2, false) => {
            let origins: Option<Vec<String>> =
                origins.as_array()?.iter().map(|origin| origin.as_text().map(str::to_owned)).collect();
            ReleaseKeyKind::Passkey(Passkey {
                rp_id: rp_id.as_text()?.to_owned(),
                origins: origins.filter(|origins| (1..=ORIGINS_MAX).contains(&origins.len()))?,
                backup_eligible_allowed: kind == 2,
            })
        }
        _ => return None,
    };
    let roles = u8::try_from(roles.as_u64()?).ok().filter(|roles| *roles <= Roles::ALL)?;
    Some(RosterKey {
        key: ReleaseKey {
            number: from_1(number)?,
            public: ReleasePublic::from_slice(algorithm, public.as_bytes()?)?,
            kind,
        },
        person: from_1(person)?,
        roles: Roles(roles),
    })
}

fn key_value(key: &RosterKey) -> Value {
    let algorithm = match key.key.public.algorithm() {
        ReleaseAlgorithm::Ed25519 => 0u64,
        ReleaseAlgorithm::Es256 => 1,
    };
    let (kind, rp_id, origins) = match &key.key.kind {
        ReleaseKeyKind::File => (0u64, Value::Null, Value::Null),
        ReleaseKeyKind::Passkey(passkey) => (
            if passkey.backup_eligible_allowed { 2 } else { 1 },
            Value::text(&passkey.rp_id),
            Value::Array(passkey.origins.iter().map(|origin| Value::text(origin)).collect()),
        ),
    };
    Value::Array(vec![
        Value::from(u64::from(key.key.number)),
        Value::from(u64::from(key.person)),
        Value::from(u64::from(key.roles.0)),
        Value::from(algorithm),
        Value::bytes(key.key.public.as_bytes()),
        Value::from(kind),
        rp_id,
        origins,
    ])
}

/// A roster that follows another, with what puts it in force: a blob of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RosterChange {
    /// The new roster's bytes.
    pub roster: Vec<u8>,
    /// Bytes of a release proof by persons of the roster before, if that is what puts it in force.
    pub proof: Option<Vec<u8>>,
    /// The root's signatures, if they do.
    pub root: Option<RootSignature>,
}

/// Why a roster change is not in force. The roster before stays.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RosterChangeError {
    /// The blob has another shape.
    PeerShape,
    /// The new roster cannot be read.
    PeerRoster(RosterError),
    /// It does not follow: another party, not the next number, or another roster before.
    PeerSequence,
    /// A key is not usable, or a number now means another key.
    PeerKey,
    /// The proof does not satisfy what the roster before asks for.
    PeerNotReleased(NotSatisfied),
    /// The root's signatures do not verify, or neither proof nor signatures are there.
    PeerNotSigned,
}

impl fmt::Display for RosterChangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PeerShape => f.write_str("the bytes are no roster change"),
            Self::PeerRoster(error) => write!(f, "{error}"),
            Self::PeerSequence => f.write_str("the roster does not follow the one in force"),
            Self::PeerKey => f.write_str("the roster has a key that cannot be used, or gives a number again"),
            Self::PeerNotReleased(reason) => write!(f, "the roster is not released: {reason}"),
            Self::PeerNotSigned => f.write_str("the roster is neither released nor signed by the root"),
        }
    }
}

impl core::error::Error for RosterChangeError {}

/// The label under which the root signs a roster change.
const ROOT_LABEL: &str = "detente/1/roster-root";

impl RosterChange {
    /// The change to `next` by a release proof.
    #[must_use]
    pub fn released(next: &Roster, proof: &Proof) -> Self {
        Self { roster: next.encode(), proof: Some(proof.encode()), root: None }
    }

    /// The change from `before` to `next` by the root.
    #[must_use]
    pub fn signed(
        before: &Roster,
        next: &Roster,
        root: &detente_crypto::root::RootSecret,
        suite: &dyn Suite,
    ) -> Self {
        let signature = root.sign(suite, ROOT_LABEL, &before.change_text(next));
        Self { roster: next.encode(), proof: None, root: Some(signature) }
    }

    /// Reads the blob.
    ///
    /// # Errors
    /// [`RosterChangeError::PeerShape`] for anything but the one encoding of a roster change.
    pub fn decode(bytes: &[u8]) -> Result<Self, RosterChangeError> {
        Self::read(bytes).ok_or(RosterChangeError::PeerShape)
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (&crate::entry::VERSION, rest) = bytes.split_first()? else { return None };
        let value = cbor::decode(rest).ok()?;
        let [roster, proof, ed25519, mldsa] = value.as_array()? else { return None };
        let root = match (ed25519.is_null(), mldsa.is_null()) {
            (true, true) => None,
            (false, false) => Some(RootSignature::from_slices(ed25519.as_bytes()?, mldsa.as_bytes()?)?),
            _ => return None,
        };
        let proof = if proof.is_null() { None } else { Some(proof.as_bytes()?.to_vec()) };
        Some(Self { roster: roster.as_bytes()?.to_vec(), proof, root })
    }

    /// The blob's bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let bytes = |bytes: Option<&[u8]>| bytes.map_or(Value::Null, Value::bytes);
        versioned(&Value::Array(vec![
            Value::bytes(&self.roster),
            bytes(self.proof.as_deref()),
            bytes(self.root.as_ref().map(|root| &root.ed25519[..])),
            bytes(self.root.as_ref().map(|root| &root.mldsa[..])),
        ]))
    }

    /// The new roster, when it follows `before` and is in force by its proof or by `root`.
    ///
    /// # Errors
    /// [`RosterChangeError`]; `before` stays in force.
    pub fn verify(
        &self,
        before: &Roster,
        root: &Root,
        suite: &dyn Suite,
    ) -> Result<Roster, RosterChangeError> {
        let next = Roster::decode(&self.roster).map_err(RosterChangeError::PeerRoster)?;
        if next.party != before.party
            || Some(next.number) != before.number.checked_add(1)
            || next.previous != Some(before.hash())
        {
            return Err(RosterChangeError::PeerSequence);
        }
        let same_keys = before
            .keys
            .iter()
            .all(|old| next.key(old.key.number).is_none_or(|new| new.key.public == old.key.public));
        if !same_keys || !next.check(suite) {
            return Err(RosterChangeError::PeerKey);
        }
        // Either suffices, so a root signature over something else takes nothing from a good proof.
        let rooted = |signature| root.verify(suite, ROOT_LABEL, &before.change_text(&next), signature);
        if self.root.as_ref().is_some_and(rooted) {
            return Ok(next);
        }
        let proof = self.proof.as_deref().ok_or(RosterChangeError::PeerNotSigned)?;
        let proof = Proof::decode(proof).map_err(|_| RosterChangeError::PeerNotSigned)?;
        release::roster_change_satisfied(&proof, &before.change_hash(&next), before, suite)
            .map_err(RosterChangeError::PeerNotReleased)?;
        Ok(next)
    }
}

#[cfg(test)]
mod tests;
