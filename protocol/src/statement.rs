//! A statement: what officers sign, before and after it stands in a log.
//!
//! A statement is bound to one channel, party and lane by its hash, and does not change when it
//! is written: only the way its references name logs does. So it is one type with two forms of
//! reference, full names for officers and ordinals for the wire. Source: `spec/entry.md`, section 2.

mod signed;

use core::fmt;

pub use signed::Bound;

use detente_crypto::{Hash, sha256};
use detente_encoding::Timestamp;
use detente_encoding::cbor::{Value, encode_into, write_head};

use crate::cursor::{Cursor, Unfit, write};
use crate::entry::{Extras, Kind, LogRef, Reference, SpokenEntry, WireReference};
use crate::entry::{WriteReference, read_references, write_references};
use crate::limits::{ATTACHMENTS_MAX, MOMENT_MAX, VALID_MINUTES_MAX};
use crate::names::{ChannelId, EntryId, Lane, PartyId, Precedence};
use crate::seen::{Check, Seen, SeenTable};

/// A format and its edition, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FormatRef {
    /// The format's number.
    pub number: u32,
    /// Its edition, from 1.
    pub edition: u32,
}

/// What officers sign. `R` is the form of its references: [`Reference`] or [`WireReference`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement<R = Reference> {
    /// What it does.
    pub kind: Kind,
    /// The charter edition it stands under; 0 while none is in force.
    pub edition: u32,
    /// When it was drafted; not before 1970.
    pub drafted: Timestamp,
    /// For how many minutes after drafting it may be entered, 1 to 1,440.
    pub valid_minutes: u16,
    /// 8 random bytes: two equal texts are two statements.
    pub nonce: [u8; 8],
    /// How urgently it is treated.
    pub precedence: Precedence,
    /// The agreed list of fields its body follows, if any.
    pub format: Option<FormatRef>,
    /// The entries it refers to, at most 16.
    pub references: Vec<R>,
    /// What it says; its shape depends on the kind.
    pub body: Value,
    /// Subject, addressees and what else is seldom said.
    pub extras: Extras<R>,
    /// SHA-256 of each attached blob, at most 16.
    pub attachments: Vec<Hash>,
    /// Number of the drafter's key in the roster; 0 when the drafter has none.
    pub drafter: u16,
}

/// What the writer of a log adds to a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// The citation number, from 1.
    pub number: u32,
    /// Written minus drafted, in milliseconds; negative when the drafter's clock was ahead.
    pub delay: i64,
    /// What the writer had seen since its entry before.
    pub seen: Seen,
    /// The check over all it had seen; present exactly when `seen` is not empty.
    pub check: Option<Check>,
    /// SHA-256 of the release proof's bytes.
    pub proof: Hash,
}

/// Why a statement cannot be written into a log.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaceError {
    /// It refers to a log that this one's table does not have: list it in `seen` first.
    LocalUnseen(EntryId),
}

impl fmt::Display for PlaceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LocalUnseen(entry) => {
                write!(f, "the statement refers to a log not seen yet: generation {}", entry.log.generation)
            }
        }
    }
}

impl core::error::Error for PlaceError {}

impl<R> Statement<R> {
    /// The last moment at which it may be entered.
    #[must_use]
    pub const fn valid_until(&self) -> Timestamp {
        self.drafted.after(self.valid_minutes as i64 * 60_000)
    }

    fn map<S>(&self, f: impl Fn(&R) -> Option<S>) -> Option<Statement<S>> {
        Some(Statement {
            kind: self.kind,
            edition: self.edition,
            drafted: self.drafted,
            valid_minutes: self.valid_minutes,
            nonce: self.nonce,
            precedence: self.precedence,
            format: self.format,
            references: self.references.iter().map(&f).collect::<Option<_>>()?,
            body: self.body.clone(),
            extras: self.extras.try_map(&f)?,
            attachments: self.attachments.clone(),
            drafter: self.drafter,
        })
    }
}

impl Statement {
    /// The hash that officers sign. Source: `spec/entry.md`, section 2.
    #[must_use]
    pub fn hash(&self, channel: ChannelId, party: PartyId, lane: Lane) -> Hash {
        sha256(&[&self.signed_bytes(channel, party, lane)])
    }

    /// The entry that holds this statement in the log whose table is `table`. The table must
    /// already have the placement's own `seen` applied.
    ///
    /// # Errors
    /// [`PlaceError`] when a reference names a log of this channel that the table does not have.
    pub fn place(&self, table: &SeenTable, placement: Placement) -> Result<SpokenEntry, PlaceError> {
        let shorten = |reference: &Reference| {
            let log = if reference.channel == table.channel() {
                LogRef::Ordinal(table.ordinal(&reference.entry.log)?)
            } else {
                LogRef::Named(reference.channel, reference.entry.log)
            };
            Some(WireReference { log, index: reference.entry.index, leaf: reference.leaf })
        };
        let unseen = || {
            let all = self.references.iter().chain(&self.extras.supersedes);
            all.filter(|reference| shorten(reference).is_none()).map(|reference| reference.entry).next()
        };
        match self.map(shorten) {
            Some(statement) => Ok(SpokenEntry { statement, placement }),
            None => Err(PlaceError::LocalUnseen(unseen().expect("a reference could not be shortened"))),
        }
    }
}

impl Statement<WireReference> {
    /// The statement with each reference as `resolve` gives it; `None` when one cannot be given.
    #[must_use]
    pub fn with_references(
        &self,
        resolve: impl Fn(&WireReference) -> Option<Reference>,
    ) -> Option<Statement> {
        self.map(resolve)
    }

    /// The statement by full names, as officers signed it, given the table of its log with the
    /// entry's own `seen` applied. `None` when it uses an ordinal the table does not have.
    #[must_use]
    pub fn resolve(&self, table: &SeenTable) -> Option<Statement> {
        self.map(|reference| reference.resolve(table))
    }

    /// Reads elements 2 to 12 of a spoken entry; the flag says whether extras have an unknown key.
    pub(crate) fn read(kind: Kind, cursor: &mut Cursor<'_>) -> Result<(Self, bool), Unfit> {
        let edition = cursor.u32()?;
        Self::read_common(kind, edition, cursor)
    }

    /// Reads from `drafted` to `drafter`: the part that entry and signed document have in common.
    pub(crate) fn read_common(
        kind: Kind,
        edition: u32,
        cursor: &mut Cursor<'_>,
    ) -> Result<(Self, bool), Unfit> {
        let drafted = Timestamp::from_millis(cursor.within(0, MOMENT_MAX as u64)? as i64);
        let valid_minutes = cursor.within(1, u64::from(VALID_MINUTES_MAX))? as u16;
        let nonce = cursor.bytes()?;
        let precedence = Precedence::from_number(cursor.uint()?).ok_or(Unfit)?;
        let format = match (cursor.optional(Cursor::u32)?, cursor.optional(Cursor::u32)?) {
            (Some(number), Some(edition)) if edition > 0 => Some(FormatRef { number, edition }),
            (None, None) => None,
            _ => return Err(Unfit),
        };
        let references = read_references(cursor)?;
        let body = cursor.value(1)?;
        let (extras, unknown) = Extras::read(cursor)?;
        let attachments = read_attachments(cursor)?;
        let drafter = cursor.u16()?;
        let statement = Self {
            kind,
            edition,
            drafted,
            valid_minutes,
            nonce,
            precedence,
            format,
            references,
            body,
            extras,
            attachments,
            drafter,
        };
        Ok((statement, unknown))
    }
}

impl WireReference {
    /// This reference by full name; `None` when the table does not have its ordinal.
    #[must_use]
    pub fn resolve(&self, table: &SeenTable) -> Option<Reference> {
        let (channel, log) = match self.log {
            LogRef::Ordinal(ordinal) => (table.channel(), *table.log(ordinal)?),
            LogRef::Named(channel, log) => (channel, log),
        };
        Some(Reference { channel, entry: EntryId { log, index: self.index }, leaf: self.leaf })
    }
}

#[expect(private_bounds, reason = "there are two forms of reference and no others")]
impl<R: WriteReference> Statement<R> {
    /// From `drafted` to `drafter`: the part that entry and signed hash have in common.
    pub(crate) fn write_common(&self, out: &mut Vec<u8>) {
        write::int(self.drafted.millis(), out);
        write::uint(u64::from(self.valid_minutes), out);
        write::bytes(&self.nonce, out);
        write::uint(self.precedence as u64, out);
        write::optional(self.format, out, |format, out| write::uint(u64::from(format.number), out));
        write::optional(self.format, out, |format, out| write::uint(u64::from(format.edition), out));
        write_references(&self.references, out);
        encode_into(&self.body, out);
        self.extras.write(out);
        if self.attachments.is_empty() {
            write::null(out);
        } else {
            write_head(4, self.attachments.len() as u64, out);
            self.attachments.iter().for_each(|hash| write::bytes(&hash.0, out));
        }
        write::uint(u64::from(self.drafter), out);
    }
}

fn read_attachments(cursor: &mut Cursor<'_>) -> Result<Vec<Hash>, Unfit> {
    if cursor.null() {
        return Ok(Vec::new());
    }
    match cursor.array()? {
        count if (1..=ATTACHMENTS_MAX as u64).contains(&count) => (0..count).map(|_| cursor.hash()).collect(),
        _ => Err(Unfit),
    }
}

#[cfg(test)]
mod tests;
