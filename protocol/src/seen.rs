//! What a writer had seen of the other logs when it wrote: the table of a log, and what changes it.
//!
//! Every log has a table of the logs its writer has seen, each under a small number, its ordinal.
//! An entry's `seen` lists only what changed since the entry before, so causality costs a few
//! bytes; the table turns ordinals back into names. Source: `spec/entry.md`, section 4.

use core::fmt;
use std::collections::BTreeMap;

use detente_crypto::{Hash, sha256};

use crate::cursor::{Cursor, Unfit, write};
use crate::limits::{LOG_SIZE_MAX, PARTIES_MAX, SEEN_LOGS_MAX};
use crate::names::{ChannelId, Generation, Lane, LogKey, PartyId, PartyIndex, Run};

/// A log of this channel in its short form; orders as new logs stand in a `seen`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogDescription {
    /// Whose log, by place in the charter.
    pub party: PartyIndex,
    /// Which of its three.
    pub lane: Lane,
    /// Which run.
    pub generation: Generation,
}

impl LogDescription {
    /// The log it describes; `None` when the charter has no such party.
    #[must_use]
    pub fn key(&self, parties: &[PartyId]) -> Option<LogKey> {
        let party = *parties.get(usize::from(self.party.0))?;
        Some(LogKey { party, lane: self.lane, generation: self.generation })
    }

    /// Describes `log`; `None` when its party is not in `parties`.
    #[must_use]
    pub fn of(log: &LogKey, parties: &[PartyId]) -> Option<Self> {
        let party = PartyIndex(u8::try_from(parties.binary_search(&log.party).ok()?).ok()?);
        Some(Self { party, lane: log.lane, generation: log.generation })
    }
}

/// Which log an item of `seen` speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeenLog {
    /// One listed before, by its ordinal.
    Known(u64),
    /// One listed for the first time; it gets the next ordinal.
    New(LogDescription),
}

/// One log and the size seen of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeenItem {
    /// Which log.
    pub log: SeenLog,
    /// How many of its entries the writer had seen.
    pub size: u64,
}

/// What changed since the writer's entry before; empty (`null` on the wire) when nothing did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen(pub Vec<SeenItem>);

/// The first 8 bytes of the hash over everything seen.
pub type Check = [u8; 8];

impl Seen {
    pub(crate) fn read(cursor: &mut Cursor<'_>) -> Result<Self, Unfit> {
        if cursor.null() {
            return Ok(Self::default());
        }
        let count = cursor.array()?;
        if count == 0 || count % 2 != 0 || count > 2 * SEEN_LOGS_MAX as u64 {
            return Err(Unfit);
        }
        (0..count / 2).map(|_| SeenItem::read(cursor)).collect::<Result<_, _>>().map(Self)
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        if self.0.is_empty() {
            return write::null(out);
        }
        write::array(2 * self.0.len(), out);
        for item in &self.0 {
            match &item.log {
                SeenLog::Known(ordinal) => write::uint(*ordinal, out),
                SeenLog::New(log) => {
                    write::array(4, out);
                    write::uint(u64::from(log.party.0), out);
                    write::uint(log.lane as u64, out);
                    write::uint(u64::from(log.generation.number), out);
                    write::bytes(&log.generation.run.0, out);
                }
            }
            write::uint(item.size, out);
        }
    }
}

impl SeenItem {
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Unfit> {
        let log = if cursor.is_array() {
            cursor.array_of(4)?;
            SeenLog::New(LogDescription {
                party: PartyIndex(cursor.within(0, PARTIES_MAX as u64 - 1)? as u8),
                lane: Lane::from_number(cursor.uint()?).ok_or(Unfit)?,
                generation: Generation {
                    number: cursor.within(1, u64::from(u32::MAX))? as u32,
                    run: Run(cursor.bytes()?),
                },
            })
        } else {
            SeenLog::Known(cursor.uint()?)
        };
        Ok(Self { log, size: cursor.within(1, LOG_SIZE_MAX)? })
    }
}

/// A log of the table.
#[derive(Clone, Debug)]
struct Row {
    log: LogKey,
    name: Box<str>,
    size: u64,
}

/// The logs that the writer of one log has seen, with sizes, by ordinal.
///
/// Ordinal 0 is the log itself and has no row here: its size is the index of the entry judged.
#[derive(Clone, Debug)]
pub struct SeenTable {
    channel: ChannelId,
    own: LogKey,
    rows: Vec<Row>,
    ordinals: BTreeMap<LogKey, usize>,
    /// Positions in `rows` in the order of their log names, in which the check hashes them.
    by_name: Vec<usize>,
}

/// Why a `seen` breaks the clause `seen`. The table is unchanged.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeenError {
    /// No log of this table has this ordinal, or it is 0, the log itself.
    PeerOrdinal(u64),
    /// The size is not greater than before.
    PeerSize(u64),
    /// Ordinals do not rise, a known log follows a new one, or new ones are out of order.
    PeerOrder,
    /// A log listed as new is in the table already.
    PeerTwice,
    /// The charter has no party with this index.
    PeerParty(PartyIndex),
    /// The log lists itself.
    PeerItself,
}

impl fmt::Display for SeenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PeerOrdinal(ordinal) => write!(f, "ordinal {ordinal} is not in the table"),
            Self::PeerSize(size) => write!(f, "size {size} is not greater than before"),
            Self::PeerOrder => f.write_str("the logs are not in order"),
            Self::PeerTwice => f.write_str("a log is listed as new that was listed before"),
            Self::PeerParty(party) => write!(f, "the channel has no party {}", party.0),
            Self::PeerItself => f.write_str("the log lists itself"),
        }
    }
}

impl core::error::Error for SeenError {}

impl SeenTable {
    /// The empty table of `own`.
    #[must_use]
    pub const fn new(channel: ChannelId, own: LogKey) -> Self {
        Self { channel, own, rows: Vec::new(), ordinals: BTreeMap::new(), by_name: Vec::new() }
    }

    /// The table a generation entry of `own` begins with, when it names logs: that of the first
    /// one at the size named, then each named log that is not in it, with the sizes named.
    #[must_use]
    pub fn inherit(own: LogKey, first: &Self, named: &[(LogKey, u64)]) -> Self {
        let mut table = Self { own, ..first.clone() };
        for (log, size) in named {
            match table.ordinals.get(log) {
                Some(&row) => table.rows[row].size = *size,
                None => table.append(*log, *size),
            }
        }
        table
    }

    /// The channel whose logs these are.
    #[must_use]
    pub const fn channel(&self) -> ChannelId {
        self.channel
    }

    /// The log whose table this is.
    #[must_use]
    pub const fn own(&self) -> &LogKey {
        &self.own
    }

    /// The log with this ordinal; 0 is the log itself.
    #[must_use]
    pub fn log(&self, ordinal: u64) -> Option<&LogKey> {
        match usize::try_from(ordinal).ok()?.checked_sub(1) {
            None => Some(&self.own),
            Some(row) => self.rows.get(row).map(|row| &row.log),
        }
    }

    /// The ordinal of a log, when it is this one or has been listed.
    #[must_use]
    pub fn ordinal(&self, log: &LogKey) -> Option<u64> {
        if *log == self.own {
            return Some(0);
        }
        self.ordinals.get(log).map(|&row| row as u64 + 1)
    }

    /// How much of another log has been seen; 0 for none. The log itself is not asked for here.
    #[must_use]
    pub fn size(&self, log: &LogKey) -> u64 {
        self.ordinals.get(log).map_or(0, |&row| self.rows[row].size)
    }

    /// All logs seen with their sizes, by ordinal from 1.
    pub fn iter(&self) -> impl Iterator<Item = (&LogKey, u64)> {
        self.rows.iter().map(|row| (&row.log, row.size))
    }

    /// Applies an entry's `seen`, wholly or not at all. `parties` are the charter's, in its order.
    ///
    /// # Errors
    /// A [`SeenError`]; the table is unchanged.
    pub fn apply(&mut self, seen: &Seen, parties: &[PartyId]) -> Result<(), SeenError> {
        self.examine(seen, parties)?;
        for item in &seen.0 {
            match item.log {
                SeenLog::Known(ordinal) => self.rows[ordinal as usize - 1].size = item.size,
                SeenLog::New(log) => {
                    let log = log.key(parties).expect("examined above");
                    self.append(log, item.size);
                }
            }
        }
        Ok(())
    }

    fn examine(&self, seen: &Seen, parties: &[PartyId]) -> Result<(), SeenError> {
        let (mut last_known, mut last_new) = (0, None);
        for item in &seen.0 {
            match item.log {
                SeenLog::Known(ordinal) => {
                    if ordinal == 0 {
                        return Err(SeenError::PeerItself);
                    }
                    if last_new.is_some() || ordinal <= last_known {
                        return Err(SeenError::PeerOrder);
                    }
                    last_known = ordinal;
                    let row = usize::try_from(ordinal - 1).ok().and_then(|row| self.rows.get(row));
                    if row.ok_or(SeenError::PeerOrdinal(ordinal))?.size >= item.size {
                        return Err(SeenError::PeerSize(item.size));
                    }
                }
                SeenLog::New(log) => {
                    if last_new.is_some_and(|last| last >= log) {
                        return Err(SeenError::PeerOrder);
                    }
                    last_new = Some(log);
                    let key = log.key(parties).ok_or(SeenError::PeerParty(log.party))?;
                    if key == self.own {
                        return Err(SeenError::PeerItself);
                    }
                    if self.ordinals.contains_key(&key) {
                        return Err(SeenError::PeerTwice);
                    }
                }
            }
        }
        Ok(())
    }

    /// What a writer lists next, given the sizes it holds now: known logs that grew, ordinals
    /// rising, then new ones in order; at most 48, the rest in the entry after. Logs of size 0 and
    /// of parties outside the channel are left out.
    #[must_use]
    pub fn next(&self, held: impl IntoIterator<Item = (LogKey, u64)>, parties: &[PartyId]) -> Seen {
        let (mut known, mut new) = (Vec::new(), Vec::new());
        for (log, size) in held {
            if log == self.own || size == 0 {
                continue;
            }
            match self.ordinals.get(&log) {
                Some(&row) if self.rows[row].size < size => known.push((row as u64 + 1, size)),
                Some(_) => {}
                None => new.extend(LogDescription::of(&log, parties).map(|log| (log, size))),
            }
        }
        known.sort_unstable();
        known.dedup_by_key(|(ordinal, _)| *ordinal);
        new.sort_unstable();
        new.dedup_by_key(|(log, _)| *log);
        let known = known.into_iter().map(|(ordinal, size)| SeenItem { log: SeenLog::Known(ordinal), size });
        let new = new.into_iter().map(|(log, size)| SeenItem { log: SeenLog::New(log), size });
        Seen(known.chain(new).take(SEEN_LOGS_MAX).collect())
    }

    /// The check over everything seen; `root` gives the root of a log at a size. `None` when one
    /// of them is not held, so that nothing can be said.
    pub fn check(&self, mut root: impl FnMut(&LogKey, u64) -> Option<Hash>) -> Option<Check> {
        // One hash over a buffer: rows are few, and each is a name, a zero byte, a size and a root.
        let mut bytes = Vec::with_capacity(self.rows.len() * 216);
        for &row in &self.by_name {
            let row = &self.rows[row];
            if row.size == 0 {
                continue;
            }
            let root = root(&row.log, row.size)?;
            bytes.extend_from_slice(row.name.as_bytes());
            bytes.push(0);
            bytes.extend_from_slice(&row.size.to_be_bytes());
            bytes.extend_from_slice(&root.0);
        }
        Some(sha256(&[&bytes]).prefix())
    }

    fn append(&mut self, log: LogKey, size: u64) {
        let name = log.name(self.channel).into_boxed_str();
        let row = self.rows.len();
        let place = self.by_name.partition_point(|&other| self.rows[other].name < name);
        self.by_name.insert(place, row);
        self.ordinals.insert(log, row);
        self.rows.push(Row { log, name, size });
    }
}

#[cfg(test)]
mod tests;
