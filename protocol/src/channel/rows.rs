//! What a channel keeps: rows in an ordered record that grows by whole batches.
//!
//! The record is given from outside, for this crate opens no file. Logs and lines are the truth;
//! views are made from them and may be made anew. All keys begin with the channel's number in this
//! node's record (4 bytes) and, where they speak of a log, the log's number in it (4 bytes).

use detente_crypto::Hash;

use super::message::{Line, LineKind};
use crate::names::{LogKey, PartyIndex};

/// Leaf data by log and index (8 bytes, big-endian). Rows of this table carry their leaf hash.
pub const LEAVES: u8 = 1;
/// State of each log: names, size, edge, table of what its writer had seen.
pub const LOGS: u8 = 2;
/// Lines by log, size (8 bytes), kind (1 byte) and signer (1 byte).
pub const LINES: u8 = 3;
/// Blobs by hash: release proofs, attachments, charters. Without channel number.
pub const BLOBS: u8 = 4;
/// Small facts of a channel: the highest citation number, the last cosigner's time.
pub const FACTS: u8 = 5;
/// Equivocation proofs by log.
pub const PROOFS: u8 = 6;
/// Views: what can be rebuilt from the tables above.
pub const VIEWS: u8 = 7;

/// One row to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// One of the tables above.
    pub table: u8,
    /// Key within the table.
    pub key: Vec<u8>,
    /// Value; for [`LEAVES`] the leaf data.
    pub value: Vec<u8>,
}

/// Why the record could not be read. Stop: what a node cannot read it must not speak for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordError(pub String);

impl core::fmt::Display for RecordError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "the record cannot be read: {}", self.0)
    }
}

impl core::error::Error for RecordError {}

/// Keys and values of a scan, in rising order of keys.
pub type KeyedValues = Vec<(Vec<u8>, Vec<u8>)>;

/// The durable record, as far as this crate reads it.
pub trait Record {
    /// The value under `key`, if there is one.
    ///
    /// # Errors
    /// [`RecordError`] when the disk or a checksum fails.
    fn read(&self, table: u8, key: &[u8]) -> Result<Option<Vec<u8>>, RecordError>;

    /// Rows with `from <= key < to` in rising order, at most `limit`.
    ///
    /// # Errors
    /// [`RecordError`] when the disk or a checksum fails.
    fn scan(&self, table: u8, from: &[u8], to: &[u8], limit: usize) -> Result<KeyedValues, RecordError>;
}

/// The numbers under which a log's rows stand: its channel's and its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogNumber {
    /// Number of the channel in this record.
    pub channel: u32,
    /// Number of the log in the channel, in the order of first sight.
    pub log: u32,
}

impl LogNumber {
    /// The first 8 bytes of its rows' keys.
    #[must_use]
    pub fn prefix(self) -> Vec<u8> {
        [self.channel.to_be_bytes(), self.log.to_be_bytes()].concat()
    }

    /// Key of one of its leaves, or of the lines of one size.
    #[must_use]
    pub fn at(self, position: u64) -> Vec<u8> {
        [&self.prefix()[..], &position.to_be_bytes()].concat()
    }
}

/// Distinguishes the last receipt before a growth from the first after one.
const LAST_BEFORE_GROWTH: u8 = 0x80;

/// The row of a line. Of receipts the first at a size and the last before the next are kept.
pub(crate) fn line_row(number: LogNumber, line: &Line, last_before_growth: bool) -> Row {
    let mut key = number.at(line.size);
    key.push(line.kind as u8 | if last_before_growth { LAST_BEFORE_GROWTH } else { 0 });
    key.push(line.signer.0);
    let mut value = line.time_s.to_be_bytes().to_vec();
    value.extend_from_slice(&line.root.0);
    value.extend_from_slice(&line.signature);
    Row { table: LINES, key, value }
}

/// Reads a row of [`LINES`] back. `None` when it is damaged in a way that checksums do not show.
#[must_use]
pub fn read_line(log: LogKey, key: &[u8], value: &[u8]) -> Option<Line> {
    let size = u64::from_be_bytes(key.get(8..16)?.try_into().ok()?);
    let &[kind, signer] = key.get(16..)? else { return None };
    let kind = LineKind::from_number(u64::from(kind & !LAST_BEFORE_GROWTH))?;
    let (time_s, rest) = value.split_first_chunk::<8>()?;
    let (root, signature) = rest.split_first_chunk::<32>()?;
    (signature.len() == kind.signature_bytes()).then(|| Line {
        kind,
        signer: PartyIndex(signer),
        log,
        size,
        root: Hash(*root),
        time_s: u64::from_be_bytes(*time_s),
        signature: signature.to_vec(),
    })
}
