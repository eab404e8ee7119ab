//! Wraps bring an epoch secret to its readers; introductions bring a charter to a party that does
//! not know the channel yet. Both are signed: what is sealed to a key proves nothing by itself.

use super::epoch::{Epoch, EpochName, cover_key};
use super::header::VERSION;
use crate::names::{ChannelId, PartyId, PartyIndex, Run};
use core::fmt;
use detente_crypto::{Ed25519Signer, KEM_PUBLIC_BYTES, Suite, sha256};
use detente_encoding::cbor::{self, Value};

/// First bytes of a covered wrap and of an introduction.
const WRAP_HEADER: [u8; 4] = [VERSION, 8, 0, 0];
const INTRODUCTION_HEADER: [u8; 4] = [VERSION, 9, 0, 0];

/// An epoch secret sealed to one KEM key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedFor {
    /// For whom.
    pub reader: PartyIndex,
    /// First 8 bytes of SHA-256 of the KEM public key.
    pub kem: [u8; 8],
    /// Encapsulated key and ciphertext, 1,168 bytes.
    pub sealed: Vec<u8>,
}

/// One object for all readers of an epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrap {
    /// The channel.
    pub channel: ChannelId,
    /// Whose epoch.
    pub party: PartyId,
    /// The epoch's name.
    pub epoch: EpochName,
    /// One per KEM key.
    pub readers: Vec<SealedFor>,
    /// The run whose process made it.
    pub run: Run,
    /// Ed25519 by the sender's log key.
    pub signature: [u8; 64],
}

/// Why a wrap or an introduction is refused. Nothing is changed.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WrapError {
    /// Not of the specified shape, or not for this channel or reader.
    PeerShape,
    /// Not signed by the party it names.
    PeerSignature,
    /// Opens to a secret that does not hash to the epoch's name.
    PeerSecret,
    /// Sealed to a KEM key that this party no longer holds. Ask the sender to wrap it again.
    LocalKemForgotten,
    /// A reader's KEM public key is unusable.
    PeerKemKey(PartyIndex),
}

impl fmt::Display for WrapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PeerShape => f.write_str("the wrap breaks spec/sealing.md, section 2"),
            Self::PeerSignature => f.write_str("the wrap is not signed by the party it names"),
            Self::PeerSecret => f.write_str("the wrap's secret does not hash to the epoch's name"),
            Self::LocalKemForgotten => {
                f.write_str("the wrap is sealed to a key that this node no longer holds")
            }
            Self::PeerKemKey(reader) => write!(f, "the KEM key of party {} is unusable", reader.0),
        }
    }
}

impl core::error::Error for WrapError {}

/// First 8 bytes of SHA-256 of a KEM public key.
#[must_use]
pub fn kem_id(public: &[u8; KEM_PUBLIC_BYTES]) -> [u8; 8] {
    sha256(&[public]).0[..8].try_into().expect("8 of 32 bytes")
}

fn wrap_info(channel: ChannelId, sender: PartyId, reader: PartyId, kem: &[u8; 8]) -> Vec<u8> {
    let context =
        Value::Array([&channel.0[..], &sender.0, &reader.0, kem].into_iter().map(Value::bytes).collect());
    [b"detente/1/wrap\0".as_slice(), &cbor::encode(&context)].concat()
}

/// A reader of a wrap to be made: who, its KEM public key, and 64 fresh random bytes.
#[derive(Debug)]
pub struct Reader<'a> {
    /// Position in the charter.
    pub index: PartyIndex,
    /// Its party.
    pub party: PartyId,
    /// Its newest KEM public key.
    pub kem: &'a [u8; KEM_PUBLIC_BYTES],
    /// Fresh randomness for the encapsulation.
    pub randomness: [u8; 64],
}

impl Wrap {
    /// Wraps `epoch` for `readers`, signed by the log key.
    ///
    /// # Errors
    /// [`WrapError::PeerKemKey`] names the reader whose key is unusable; nothing is made.
    pub fn seal(
        epoch: &Epoch,
        channel: ChannelId,
        party: PartyId,
        run: Run,
        readers: &[Reader<'_>],
        signer: &Ed25519Signer,
    ) -> Result<Self, WrapError> {
        let mut sealed_for = Vec::with_capacity(readers.len());
        for reader in readers {
            let kem = kem_id(reader.kem);
            let info = wrap_info(channel, party, reader.party, &kem);
            let sealed = epoch
                .suite()
                .hpke_seal(reader.kem, &info, &epoch.name().0, epoch.danger_secret(), &reader.randomness)
                .map_err(|_| WrapError::PeerKemKey(reader.index))?;
            sealed_for.push(SealedFor { reader: reader.index, kem, sealed });
        }
        let mut wrap =
            Self { channel, party, epoch: epoch.name(), readers: sealed_for, run, signature: [0; 64] };
        wrap.signature = signer.sign(&wrap.signed_bytes());
        Ok(wrap)
    }

    fn items(&self) -> Vec<Value> {
        let readers = self.readers.iter().map(|r| {
            Value::Array(vec![
                Value::from(u64::from(r.reader.0)),
                Value::bytes(&r.kem),
                Value::bytes(&r.sealed),
            ])
        });
        vec![
            Value::bytes(&self.channel.0),
            Value::bytes(&self.party.0),
            Value::bytes(&self.epoch.0),
            Value::Array(readers.collect()),
            Value::bytes(&self.run.0),
        ]
    }

    fn signed_bytes(&self) -> Vec<u8> {
        [b"detente/1/wrap-signature\0".as_slice(), &cbor::encode(&Value::Array(self.items()))].concat()
    }

    /// The object's bytes, without cover.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut items = self.items();
        items.push(Value::bytes(&self.signature));
        [&[VERSION][..], &cbor::encode(&Value::Array(items))].concat()
    }

    /// Reads the object.
    ///
    /// # Errors
    /// [`WrapError::PeerShape`].
    pub fn decode(bytes: &[u8]) -> Result<Self, WrapError> {
        Self::read(bytes).ok_or(WrapError::PeerShape)
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let value = cbor::decode(bytes.strip_prefix(&[VERSION])?).ok()?;
        let [channel, party, epoch, readers, run, signature] = value.as_array()? else { return None };
        let readers = readers.as_array()?;
        if readers.len() > 64 {
            return None; // 16 parties with at most 4 wraps each.
        }
        let readers = readers.iter().map(|item| {
            let [reader, kem, sealed] = item.as_array()? else { return None };
            Some(SealedFor {
                reader: PartyIndex(u8::try_from(reader.as_u64()?).ok().filter(|&r| r < 16)?),
                kem: kem.as_bytes()?.try_into().ok()?,
                sealed: sealed.as_bytes()?.to_vec(),
            })
        });
        Some(Self {
            channel: ChannelId(channel.as_bytes()?.try_into().ok()?),
            party: PartyId(party.as_bytes()?.try_into().ok()?),
            epoch: EpochName(epoch.as_bytes()?.try_into().ok()?),
            readers: readers.collect::<Option<_>>()?,
            run: Run(run.as_bytes()?.try_into().ok()?),
            signature: signature.as_bytes()?.try_into().ok()?,
        })
    }

    /// Whether the log key `public` of its party signed it.
    #[must_use]
    pub fn is_signed_by(&self, suite: &dyn Suite, public: &[u8; 32]) -> bool {
        suite.ed25519_verify(public, &self.signed_bytes(), &self.signature)
    }

    /// Opens the part for `reader` with the KEM seed that `seed_of` answers for a key id.
    ///
    /// # Errors
    /// [`WrapError`]; check the signature first.
    pub fn open(
        &self,
        suite: &'static dyn Suite,
        (index, reader): (PartyIndex, PartyId),
        seed_of: impl Fn(&[u8; 8]) -> Option<[u8; 32]>,
    ) -> Result<Epoch, WrapError> {
        let mine = self.readers.iter().filter(|r| r.reader == index);
        let Some((part, seed)) = mine.filter_map(|part| Some((part, seed_of(&part.kem)?))).next() else {
            return Err(WrapError::LocalKemForgotten);
        };
        let info = wrap_info(self.channel, self.party, reader, &part.kem);
        let secret =
            suite.hpke_open(&seed, &info, &self.epoch.0, &part.sealed).map_err(|_| WrapError::PeerSecret)?;
        let epoch = Epoch::new(suite, secret.try_into().map_err(|_| WrapError::PeerSecret)?);
        if epoch.name() == self.epoch { Ok(epoch) } else { Err(WrapError::PeerSecret) }
    }
}

/// Covers a wrap for the way: relays see a tag and a length.
#[must_use]
pub fn cover(suite: &dyn Suite, wrap: &Wrap, nonce: [u8; 12]) -> Vec<u8> {
    let (key, tag) = cover_key(wrap.channel);
    let mut out = WRAP_HEADER.to_vec();
    out.extend_from_slice(&tag);
    let sealed = suite.aead_seal(&key, &nonce, &out, &wrap.encode());
    out.extend_from_slice(&nonce);
    out.extend_from_slice(&sealed);
    out
}

/// Reads a covered wrap if it is of `channel`; `None` otherwise.
#[must_use]
pub fn uncover(suite: &dyn Suite, channel: ChannelId, bytes: &[u8]) -> Option<Wrap> {
    let (key, tag) = cover_key(channel);
    let (header, rest) = bytes.split_at_checked(8)?;
    if header[..4] != WRAP_HEADER || header[4..] != tag {
        return None;
    }
    let (nonce, sealed) = rest.split_first_chunk::<12>()?;
    let wrap = Wrap::decode(&suite.aead_open(&key, nonce, header, sealed).ok()?).ok()?;
    (wrap.channel == channel).then_some(wrap)
}

/// A charter on its way to a party that does not know the channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Introduction {
    /// Charter bytes of edition 1.
    pub charter: Vec<u8>,
    /// Who proposes it.
    pub sender: PartyId,
    /// Ed25519 by the sender's log key.
    pub signature: [u8; 64],
}

fn introduction_tag(reader: PartyId) -> [u8; 4] {
    let hash = sha256(&[b"detente/1/introduction-tag\0", &reader.0]);
    hash.0[..4].try_into().expect("4 of 32 bytes")
}

fn introduction_message(charter: &[u8]) -> Vec<u8> {
    [b"detente/1/introduction\0".as_slice(), charter].concat()
}

/// Seals a charter to the credential KEM key of `reader`.
///
/// # Errors
/// [`WrapError::PeerKemKey`] when that key is unusable.
pub fn introduce(
    suite: &dyn Suite,
    charter: &[u8],
    sender: PartyId,
    signer: &Ed25519Signer,
    reader: &Reader<'_>,
) -> Result<Vec<u8>, WrapError> {
    let signature = signer.sign(&introduction_message(charter));
    let value = Value::Array(vec![Value::bytes(charter), Value::bytes(&sender.0), Value::bytes(&signature)]);
    let plaintext = [&[VERSION][..], &cbor::encode(&value)].concat();
    let info = [b"detente/1/introduction\0".as_slice(), &reader.party.0].concat();
    let sealed = suite
        .hpke_seal(reader.kem, &info, &[], &plaintext, &reader.randomness)
        .map_err(|_| WrapError::PeerKemKey(reader.index))?;
    let mut out = INTRODUCTION_HEADER.to_vec();
    out.extend_from_slice(&introduction_tag(reader.party));
    out.extend_from_slice(&[0; 12]);
    out.extend_from_slice(&sealed);
    Ok(out)
}

/// Opens an introduction sealed to `reader`. The signature is the caller's to check with
/// [`Introduction::is_signed_by`], for it knows the sender's credential.
///
/// # Errors
/// [`WrapError::PeerShape`] when it is not for this reader or not of the shape.
pub fn open_introduction(
    suite: &dyn Suite,
    reader: PartyId,
    kem_seed: &[u8; 32],
    bytes: &[u8],
) -> Result<Introduction, WrapError> {
    let read = || {
        let (header, rest) = bytes.split_at_checked(20)?;
        if header[..4] != INTRODUCTION_HEADER || header[4..8] != introduction_tag(reader) {
            return None;
        }
        let info = [b"detente/1/introduction\0".as_slice(), &reader.0].concat();
        let plaintext = suite.hpke_open(kem_seed, &info, &[], rest).ok()?;
        let value = cbor::decode(plaintext.strip_prefix(&[VERSION])?).ok()?;
        let [charter, sender, signature] = value.as_array()? else { return None };
        Some(Introduction {
            charter: charter.as_bytes()?.to_vec(),
            sender: PartyId(sender.as_bytes()?.try_into().ok()?),
            signature: signature.as_bytes()?.try_into().ok()?,
        })
    };
    read().ok_or(WrapError::PeerShape)
}

impl Introduction {
    /// Whether the log key `public` of its sender signed it.
    #[must_use]
    pub fn is_signed_by(&self, suite: &dyn Suite, public: &[u8; 32]) -> bool {
        suite.ed25519_verify(public, &introduction_message(&self.charter), &self.signature)
    }
}
