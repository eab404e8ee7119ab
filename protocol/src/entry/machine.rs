//! Entries that carry no words: generations, keys, credentials, opened, tests, clock steps.
//! Source: `spec/entry.md`, section 3.

use detente_crypto::Hash;
use detente_encoding::Timestamp;

use super::reference::{WireReference, WriteReference as _};
use crate::cursor::{Cursor, Unfit, write};
use crate::limits::{LOG_SIZE_MAX, NAMED_LOGS_MAX, PARTIES_MAX};
use crate::names::{Generation, PartyIndex, Run};
use crate::seen::{Check, Seen};

/// A machine entry: `[kind, written, seen, check, payload]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MachineEntry {
    /// When it was written.
    pub written: Timestamp,
    /// What the writer had seen since its entry before.
    pub seen: Seen,
    /// The check over all it had seen; present exactly when `seen` is not empty.
    pub check: Option<Check>,
    /// What it says.
    pub payload: Payload,
}

/// What a machine entry says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// Entry 0 of every log: which logs it closes, and why it was begun.
    Generation(GenerationPayload),
    /// A KEM key for wraps to come.
    Key(KeyPayload),
    /// A credential or roster that counts from here on.
    Credential(CredentialPayload),
    /// A person has opened the entry meant.
    Opened(WireReference),
    /// A test of the line; 8 random bytes.
    Test([u8; 8]),
    /// The answer to a test.
    TestAnswer(WireReference),
    /// The clock was set.
    Clock {
        /// What it showed before.
        before: Timestamp,
        /// What it shows now.
        after: Timestamp,
    },
}

/// Why a generation was begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The process was started.
    Start = 0,
    /// Other keys.
    Keys = 1,
    /// Another suite.
    Suite = 2,
    /// The store was lost.
    LostStore = 3,
}

/// A log of the same party and lane that a generation entry closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Named {
    /// Which run.
    pub generation: Generation,
    /// Its size as the party knows it, from 1.
    pub size: u64,
    /// Its root at that size.
    pub root: Hash,
}

/// Payload of a generation entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GenerationPayload {
    /// Why it was begun.
    pub cause: Cause,
    /// The suite of its signatures; always 1 in this version, 0 in simulated worlds only.
    pub suite: u8,
    /// The credential edition whose log keys sign it.
    pub credential_edition: u32,
    /// The logs it closes, rising by number and run, at most 64.
    pub named: Vec<Named>,
}

/// Payload of a key entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPayload {
    /// X-Wing public key.
    pub kem: Box<[u8; 1216]>,
    /// Root of the party's house log, salted, so that nobody can rewrite it unseen.
    pub house_root: Option<Hash>,
}

/// Payload of a credential entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CredentialPayload {
    /// Whose credential.
    pub party: PartyIndex,
    /// Its edition, from 1.
    pub edition: u32,
    /// SHA-256 of its text.
    pub text: Hash,
    /// Number of the roster in force with it.
    pub roster_number: u32,
    /// SHA-256 of that roster's bytes.
    pub roster: Hash,
}

impl Payload {
    /// The kind's number on the wire.
    #[must_use]
    pub const fn kind(&self) -> u8 {
        match self {
            Self::Generation(_) => 32,
            Self::Key(_) => 33,
            Self::Credential(_) => 34,
            Self::Opened(_) => 35,
            Self::Test(_) => 36,
            Self::TestAnswer(_) => 37,
            Self::Clock { .. } => 38,
        }
    }

    /// The word in journals.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Generation(_) => "generation",
            Self::Key(_) => "key",
            Self::Credential(_) => "credential",
            Self::Opened(_) => "opened",
            Self::Test(_) => "test",
            Self::TestAnswer(_) => "test answer",
            Self::Clock { .. } => "clock",
        }
    }

    /// The entry it refers to, if its kind refers to one.
    #[must_use]
    pub const fn reference(&self) -> Option<&WireReference> {
        match self {
            Self::Opened(reference) | Self::TestAnswer(reference) => Some(reference),
            _ => None,
        }
    }

    fn read(kind: u64, cursor: &mut Cursor<'_>) -> Result<Self, Unfit> {
        match kind {
            32 => GenerationPayload::read(cursor).map(Self::Generation),
            33 => {
                cursor.array_of(2)?;
                let kem = cursor.byte_string()?.to_vec().try_into().map_err(|_| Unfit)?;
                Ok(Self::Key(KeyPayload { kem, house_root: cursor.optional(Cursor::hash)? }))
            }
            34 => CredentialPayload::read(cursor).map(Self::Credential),
            35 => WireReference::read(cursor).map(Self::Opened),
            36 => cursor.bytes().map(Self::Test),
            37 => WireReference::read(cursor).map(Self::TestAnswer),
            38 => {
                cursor.array_of(2)?;
                Ok(Self::Clock { before: cursor.moment()?, after: cursor.moment()? })
            }
            _ => Err(Unfit),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Generation(generation) => generation.write(out),
            Self::Key(key) => {
                write::array(2, out);
                write::bytes(&key.kem[..], out);
                write::optional(key.house_root, out, |root, out| write::bytes(&root.0, out));
            }
            Self::Credential(credential) => credential.write(out),
            Self::Opened(reference) | Self::TestAnswer(reference) => reference.write(out),
            Self::Test(random) => write::bytes(random, out),
            Self::Clock { before, after } => {
                write::array(2, out);
                write::int(before.millis(), out);
                write::int(after.millis(), out);
            }
        }
    }
}

impl GenerationPayload {
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Unfit> {
        cursor.array_of(4)?;
        let cause = match cursor.uint()? {
            0 => Cause::Start,
            1 => Cause::Keys,
            2 => Cause::Suite,
            3 => Cause::LostStore,
            _ => return Err(Unfit),
        };
        let suite = cursor.u8()?;
        if suite != 1 && !(cfg!(feature = "simulation") && suite == 0) {
            return Err(Unfit);
        }
        let credential_edition = cursor.within(1, u64::from(u32::MAX))? as u32;
        let count = cursor.array()?;
        if count > NAMED_LOGS_MAX as u64 {
            return Err(Unfit);
        }
        let mut named = Vec::<Named>::with_capacity(count as usize);
        for _ in 0..count {
            let next = Named::read(cursor)?;
            if named.last().is_some_and(|last| last.generation >= next.generation) {
                return Err(Unfit);
            }
            named.push(next);
        }
        Ok(Self { cause, suite, credential_edition, named })
    }

    fn write(&self, out: &mut Vec<u8>) {
        write::array(4, out);
        write::uint(self.cause as u64, out);
        write::uint(u64::from(self.suite), out);
        write::uint(u64::from(self.credential_edition), out);
        write::array(self.named.len(), out);
        for named in &self.named {
            write::array(4, out);
            write::uint(u64::from(named.generation.number), out);
            write::bytes(&named.generation.run.0, out);
            write::uint(named.size, out);
            write::bytes(&named.root.0, out);
        }
    }
}

impl Named {
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Unfit> {
        cursor.array_of(4)?;
        Ok(Self {
            generation: Generation {
                number: cursor.within(1, u64::from(u32::MAX))? as u32,
                run: Run(cursor.bytes()?),
            },
            size: cursor.within(1, LOG_SIZE_MAX)?,
            root: cursor.hash()?,
        })
    }
}

impl CredentialPayload {
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Unfit> {
        cursor.array_of(5)?;
        Ok(Self {
            party: PartyIndex(cursor.within(0, PARTIES_MAX as u64 - 1)? as u8),
            edition: cursor.within(1, u64::from(u32::MAX))? as u32,
            text: cursor.hash()?,
            roster_number: cursor.u32()?,
            roster: cursor.hash()?,
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        write::array(5, out);
        write::uint(u64::from(self.party.0), out);
        write::uint(u64::from(self.edition), out);
        write::bytes(&self.text.0, out);
        write::uint(u64::from(self.roster_number), out);
        write::bytes(&self.roster.0, out);
    }
}

impl MachineEntry {
    /// The bytes after the version byte.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        write::array(5, out);
        write::uint(u64::from(self.payload.kind()), out);
        write::int(self.written.millis(), out);
        self.seen.write(out);
        write::optional(self.check, out, |check, out| write::bytes(&check, out));
        self.payload.write(out);
    }

    /// Reads what follows the kind.
    pub(crate) fn read(kind: u64, cursor: &mut Cursor<'_>) -> Result<Self, Unfit> {
        let written = cursor.moment()?;
        let seen = Seen::read(cursor)?;
        let check = cursor.optional(Cursor::bytes)?;
        let payload = Payload::read(kind, cursor)?;
        if seen.0.is_empty() != check.is_none() {
            return Err(Unfit);
        }
        Ok(Self { written, seen, check, payload })
    }
}
