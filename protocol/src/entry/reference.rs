//! How one entry points at another: by log, index and leaf hash.
//!
//! On the wire the log is an ordinal of the writer's table, or a full name when it belongs to
//! another channel. Officers sign full names, so a statement means the same in every log.
//! Source: `spec/entry.md`, section 2.

use detente_crypto::Hash;

use crate::cursor::{Cursor, Unfit, write};
use crate::limits::REFERENCES_MAX;
use crate::names::{ChannelId, EntryId, LogKey};

/// The log of a reference as it stands in an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogRef {
    /// A log of this channel, by its place in the writer's table; 0 is the writer's own log.
    Ordinal(u64),
    /// A log of another channel, by its full name.
    Named(ChannelId, LogKey),
}

/// A reference as it stands in an entry: `[log, index, leaf hash]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WireReference {
    /// Which log.
    pub log: LogRef,
    /// Index from 0 in that log.
    pub index: u64,
    /// Leaf hash of the entry meant (RFC 6962): a reference can not change its meaning.
    pub leaf: Hash,
}

/// A reference by full name, as officers sign it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The channel of the entry meant.
    pub channel: ChannelId,
    /// The entry meant.
    pub entry: EntryId,
    /// Its leaf hash.
    pub leaf: Hash,
}

/// Either form of a reference, as a statement holds it.
pub(crate) trait WriteReference {
    fn write(&self, out: &mut Vec<u8>);
}

impl WriteReference for WireReference {
    fn write(&self, out: &mut Vec<u8>) {
        write::array(3, out);
        match &self.log {
            LogRef::Ordinal(ordinal) => write::uint(*ordinal, out),
            LogRef::Named(channel, log) => write::text(&log.name(*channel), out),
        }
        write::uint(self.index, out);
        write::bytes(&self.leaf.0, out);
    }
}

impl WriteReference for Reference {
    fn write(&self, out: &mut Vec<u8>) {
        write::array(3, out);
        write::text(&self.entry.log.name(self.channel), out);
        write::uint(self.entry.index, out);
        write::bytes(&self.leaf.0, out);
    }
}

impl WireReference {
    pub(crate) fn read(cursor: &mut Cursor<'_>) -> Result<Self, Unfit> {
        cursor.array_of(3)?;
        let log = if cursor.is_text() {
            let (channel, log) = LogKey::parse(cursor.text()?).ok_or(Unfit)?;
            LogRef::Named(channel, log)
        } else {
            LogRef::Ordinal(cursor.uint()?)
        };
        Ok(Self { log, index: cursor.uint()?, leaf: cursor.hash()? })
    }
}

/// `null` for none, else an array of 1 to 16.
pub(crate) fn read_references(cursor: &mut Cursor<'_>) -> Result<Vec<WireReference>, Unfit> {
    if cursor.null() {
        return Ok(Vec::new());
    }
    match cursor.array()? {
        count if (1..=REFERENCES_MAX as u64).contains(&count) => {
            (0..count).map(|_| WireReference::read(cursor)).collect()
        }
        _ => Err(Unfit),
    }
}

pub(crate) fn write_references<R: WriteReference>(references: &[R], out: &mut Vec<u8>) {
    if references.is_empty() {
        return write::null(out);
    }
    write::array(references.len(), out);
    for reference in references {
        reference.write(out);
    }
}
