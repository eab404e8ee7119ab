//! Entries: what a log holds, byte by byte.
//!
//! An entry is the version byte and one array, whose first element says what follows. It is read
//! strictly: anything but the one encoding of a known shape is void or not yet understood, never
//! repaired. Reading says nothing about whether an entry is right where it stands; that is
//! [`crate::judge`]'s to say. Source: `spec/entry.md`.

mod clause;
mod extras;
mod kind;
mod machine;
mod reference;

use detente_encoding::Timestamp;
use detente_encoding::cbor::{self, Value};

pub use clause::Clause;
pub use extras::Extras;
pub use kind::Kind;
pub use machine::{Cause, CredentialPayload, GenerationPayload, KeyPayload, MachineEntry, Named, Payload};
pub use reference::{LogRef, Reference, WireReference};
pub(crate) use reference::{WriteReference, read_references, write_references};

use crate::cursor::{Cursor, Unfit, write};
use crate::limits::DELAY_MAX;
use crate::seen::Seen;
use crate::statement::{Placement, Statement};

/// The format version, first byte of every entry.
pub const VERSION: u8 = 1;

/// One entry of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "nearly all entries are spoken; a box would cost each of them")]
pub enum Entry {
    /// A statement that officers released, with where it stands.
    Spoken(SpokenEntry),
    /// What the node itself has to say.
    Machine(MachineEntry),
}

/// A statement in a log, its references by ordinals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpokenEntry {
    /// What officers signed.
    pub statement: Statement<WireReference>,
    /// What the writer added.
    pub placement: Placement,
}

/// Why bytes are no entry of this version.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// They break [`Clause::Cbor`] or [`Clause::Shape`].
    Void(Clause),
    /// A kind or an extra that this version does not know. Keep it and read it after an upgrade.
    NotYetUnderstood,
}

impl core::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Void(clause) => write!(f, "the entry is void: it breaks `{clause}`"),
            Self::NotYetUnderstood => f.write_str("the entry is of a kind this version does not know"),
        }
    }
}

impl core::error::Error for Unreadable {}

impl Entry {
    /// Reads an entry without its salt.
    ///
    /// # Errors
    /// [`Unreadable`], with the first clause broken.
    pub fn decode(bytes: &[u8]) -> Result<Self, Unreadable> {
        match Self::read(bytes) {
            Ok((entry, false)) => Ok(entry),
            Ok((_, true)) => Err(Unreadable::NotYetUnderstood),
            Err(Unfit) => Err(why_unfit(bytes)),
        }
    }

    fn read(bytes: &[u8]) -> Result<(Self, bool), Unfit> {
        let (&VERSION, rest) = bytes.split_first().ok_or(Unfit)? else { return Err(Unfit) };
        let mut cursor = Cursor::new(rest);
        let count = cursor.array()?;
        let number = cursor.uint()?;
        let read = match (Kind::from_number(number), count) {
            (Some(kind), 18) => {
                let (entry, unknown) = SpokenEntry::read(kind, &mut cursor)?;
                (Self::Spoken(entry), unknown)
            }
            (None, 5) => (Self::Machine(MachineEntry::read(number, &mut cursor)?), false),
            _ => return Err(Unfit),
        };
        cursor.end()?;
        Ok(read)
    }

    /// The one encoding of this entry, with its version byte.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        out.push(VERSION);
        match self {
            Self::Spoken(entry) => entry.write(&mut out),
            Self::Machine(entry) => entry.write(&mut out),
        }
        out
    }

    /// When it was written, by its writer's clock.
    #[must_use]
    pub const fn written(&self) -> Timestamp {
        match self {
            Self::Spoken(entry) => entry.written(),
            Self::Machine(entry) => entry.written,
        }
    }

    /// What its writer had seen since the entry before.
    #[must_use]
    pub const fn seen(&self) -> &Seen {
        match self {
            Self::Spoken(entry) => &entry.placement.seen,
            Self::Machine(entry) => &entry.seen,
        }
    }

    /// The check over all its writer had seen; present exactly when [`Self::seen`] is not empty.
    #[must_use]
    pub const fn check(&self) -> Option<crate::seen::Check> {
        match self {
            Self::Spoken(entry) => entry.placement.check,
            Self::Machine(entry) => entry.check,
        }
    }

    /// The word for its kind in journals.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Spoken(entry) => entry.statement.kind.word(),
            Self::Machine(entry) => entry.payload.word(),
        }
    }
}

impl SpokenEntry {
    /// When it was written: drafted plus delay.
    #[must_use]
    pub const fn written(&self) -> Timestamp {
        self.statement.drafted.after(self.placement.delay)
    }

    fn write(&self, out: &mut Vec<u8>) {
        let (statement, placement) = (&self.statement, &self.placement);
        write::array(18, out);
        write::uint(statement.kind as u64, out);
        write::uint(u64::from(statement.edition), out);
        statement.write_common(out);
        write::uint(u64::from(placement.number), out);
        write::int(placement.delay, out);
        placement.seen.write(out);
        write::optional(placement.check, out, |check, out| write::bytes(&check, out));
        write::bytes(&placement.proof.0, out);
    }

    fn read(kind: Kind, cursor: &mut Cursor<'_>) -> Result<(Self, bool), Unfit> {
        let (statement, unknown) = Statement::read(kind, cursor)?;
        let number = cursor.within(1, u64::from(u32::MAX))? as u32;
        let delay = cursor.int()?;
        if !(-DELAY_MAX..=DELAY_MAX).contains(&delay) {
            return Err(Unfit);
        }
        let seen = Seen::read(cursor)?;
        let check = cursor.optional(Cursor::bytes)?;
        let proof = cursor.hash()?;
        if seen.0.is_empty() != check.is_none()
            || !body_fits(kind, statement.format.is_some(), &statement.body)
        {
            return Err(Unfit);
        }
        let placement = Placement { number, delay, seen, check, proof };
        Ok((Self { statement, placement }, unknown))
    }
}

/// Whether a body has the shape of its kind; what the fields of a format may hold is not asked.
fn body_fits(kind: Kind, has_format: bool, body: &Value) -> bool {
    let fields = has_format && body.as_array().is_some();
    match kind {
        Kind::Notification | Kind::Suspend | Kind::Restore => fields,
        Kind::Note => is_note(body),
        Kind::Dialogue | Kind::Declaration => true,
        Kind::Acknowledgement | Kind::StandBy => body.is_null(),
        Kind::Accept
        | Kind::CounterPropose
        | Kind::Decline
        | Kind::Clarify
        | Kind::Withdraw
        | Kind::Correct => body.is_null() || fields || is_note(body),
        Kind::Ratify => RatifyBody::read(body).is_some(),
        Kind::Close => body.is_null() || is_note(body),
    }
}

fn is_note(body: &Value) -> bool {
    matches!(body.as_array(), Some([Value::Text(_), Value::Text(_)]))
}

/// The body of a `ratify`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RatifyBody {
    /// The edition ratified, from 1.
    pub edition: u32,
    /// SHA-256 of its charter bytes.
    pub charter: detente_crypto::Hash,
    /// SHA-256 of the charter in force before; `None` for the first.
    pub previous: Option<detente_crypto::Hash>,
}

impl RatifyBody {
    /// Reads a body; `None` when it has another shape.
    #[must_use]
    pub fn read(body: &Value) -> Option<Self> {
        let hash = |value: &Value| detente_crypto::Hash::from_slice(value.as_bytes()?);
        let [edition, charter, previous] = body.as_array()? else { return None };
        let edition = u32::try_from(edition.as_u64()?).ok().filter(|edition| *edition > 0)?;
        let previous = if previous.is_null() { None } else { Some(hash(previous)?) };
        Some(Self { edition, charter: hash(charter)?, previous })
    }

    /// The body as a value.
    #[must_use]
    pub fn value(&self) -> Value {
        let previous = self.previous.map_or(Value::Null, |hash| Value::bytes(&hash.0));
        Value::Array(vec![u64::from(self.edition).into(), Value::bytes(&self.charter.0), previous])
    }
}

/// The number of an entry's kind, where the bytes are a deterministic array with an integer first.
fn kind_number(bytes: &[u8]) -> Option<i128> {
    let (&VERSION, rest) = bytes.split_first()? else { return None };
    match cbor::decode(rest).ok()?.as_array()?.first()? {
        Value::Int(number) => Some(*number),
        _ => None,
    }
}

fn why_unfit(bytes: &[u8]) -> Unreadable {
    match kind_number(bytes) {
        None => Unreadable::Void(Clause::Cbor),
        Some(0..=15 | 32..=38) => Unreadable::Void(Clause::Shape),
        Some(_) => Unreadable::NotYetUnderstood,
    }
}

/// The `seen` of an entry that is not yet understood, found by its place: so the ordinals of what
/// follows it stay known. `None` when it stands in no known place.
pub(crate) fn seen_of_unknown(bytes: &[u8]) -> Option<Seen> {
    let value = cbor::decode(bytes.get(1..)?).ok()?;
    let items = value.as_array()?;
    let place = match (items.first()?, items.len()) {
        (Value::Int(0..=31), 18) => 15,
        (Value::Int(32..=63), 5) => 2,
        _ => return None,
    };
    let bytes = cbor::encode(&items[place]);
    Seen::read(&mut Cursor::new(&bytes)).ok()
}

#[cfg(test)]
mod tests;
