//! The values inside control messages: lines, what is held, what is wanted, blobs, backfill.
//!
//! Only lines and backfilled leaves with their line carry signatures; the rest are hints. The
//! decoder refuses whatever breaks the shape, and bounds every list before it is walked.
//! Source: `spec/replication.md`.

use crate::names::{Generation, Lane, LogKey, PartyId, PartyIndex, Run};
use crate::sealing::EpochName;
use detente_crypto::Hash;
use detente_encoding::cbor::{self, Value};

/// Lines in one message at most.
pub(crate) const LINES_MAX: usize = 64;
/// Logs in one `Have` at most: 16 parties, 3 lanes, 32 generations.
pub(crate) const HAVE_MAX: usize = 1536;
/// Wishes in one `Want` at most.
pub(crate) const WANT_MAX: usize = 64;
/// Leaves in one `Backfill` at most.
pub(crate) const BACKFILL_MAX: usize = 4096;
/// Bytes of a blob in one message at most.
pub(crate) const BLOB_PART_BYTES_MAX: usize = 32_768;

/// Which line of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LineKind {
    /// The writer's Ed25519 log line.
    Log = 0,
    /// The writer's ML-DSA-44 log line.
    LogPostQuantum = 1,
    /// A party's Ed25519 receipt.
    Receipt = 2,
    /// A party's ML-DSA-44 receipt.
    ReceiptPostQuantum = 3,
}

impl LineKind {
    pub(crate) fn from_number(number: u64) -> Option<Self> {
        Some(match number {
            0 => Self::Log,
            1 => Self::LogPostQuantum,
            2 => Self::Receipt,
            3 => Self::ReceiptPostQuantum,
            _ => return None,
        })
    }

    /// Whether a cosigner made it.
    #[must_use]
    pub fn is_receipt(self) -> bool {
        matches!(self, Self::Receipt | Self::ReceiptPostQuantum)
    }

    pub(crate) fn signature_bytes(self) -> usize {
        match self {
            Self::Log | Self::Receipt => detente_crypto::ED25519_SIGNATURE_BYTES,
            Self::LogPostQuantum | Self::ReceiptPostQuantum => detente_crypto::MLDSA_SIGNATURE_BYTES,
        }
    }
}

/// One signature on one checkpoint of one log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Which.
    pub kind: LineKind,
    /// Whose signature: the log's party, or the cosigner.
    pub signer: PartyIndex,
    /// On which log.
    pub log: LogKey,
    /// Size signed.
    pub size: u64,
    /// Root signed.
    pub root: Hash,
    /// Seconds since 1970; 0 for log lines.
    pub time_s: u64,
    /// 64 or 2,420 bytes.
    pub signature: Vec<u8>,
}

/// An item of a `Line` message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LineItem {
    /// A line or receipt.
    Line(Line),
    /// The sender holds this epoch; Ed25519 by its log key.
    Confirm { epoch: EpochName, signature: [u8; 64] },
    /// The watch is attended until `expiry_ms`; Ed25519 by the log key.
    Presence { expiry_ms: i64, signature: [u8; 64] },
}

/// A wish; any may be answered or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    Entries { log: LogKey, from: u64, count: u64 },
    Wrap(EpochName),
    Blob { keyed: Hash, offset: u64 },
    ClosedLogs(PartyIndex),
    Lines(LogKey),
    WrapAgain { epoch: EpochName, kem: [u8; 8] },
}

/// Size and root of a log as its holder knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) log: LogKey,
    pub(crate) size: u64,
    pub(crate) root: Hash,
}

/// A control message's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Message {
    Line(Vec<LineItem>),
    Have { live: Vec<Held>, closed: Vec<(PartyIndex, Hash)> },
    Want(Vec<Wish>),
    Blob { keyed: Hash, total: u64, offset: u64, bytes: Vec<u8> },
    Proof(Vec<u8>),
    Backfill { log: LogKey, first: u64, leaves: Vec<Vec<u8>>, line: Option<(u64, Hash, [u8; 64])> },
}

/// Writes and reads parties as their position in the charter.
pub(crate) struct Codec<'a> {
    pub(crate) parties: &'a [PartyId],
}

fn uint(number: u64) -> Value {
    Value::from(number)
}

fn hash_of(value: &Value) -> Option<Hash> {
    Some(Hash(value.as_bytes()?.try_into().ok()?))
}

impl Codec<'_> {
    fn index_of(&self, party: PartyId) -> u64 {
        self.parties.iter().position(|&p| p == party).expect("logs of a channel belong to its parties") as u64
    }

    fn log(&self, log: &LogKey) -> Value {
        Value::Array(vec![
            uint(self.index_of(log.party)),
            uint(log.lane as u64),
            uint(u64::from(log.generation.number)),
            Value::bytes(&log.generation.run.0),
        ])
    }

    fn read_log(&self, value: &Value) -> Option<LogKey> {
        let [party, lane, number, run] = value.as_array()? else { return None };
        Some(LogKey {
            party: *self.parties.get(usize::try_from(party.as_u64()?).ok()?)?,
            lane: Lane::from_number(lane.as_u64()?)?,
            generation: Generation {
                number: u32::try_from(number.as_u64()?).ok().filter(|&n| n > 0)?,
                run: Run(run.as_bytes()?.try_into().ok()?),
            },
        })
    }

    fn read_party(&self, value: &Value) -> Option<PartyIndex> {
        let index = u8::try_from(value.as_u64()?).ok()?;
        (usize::from(index) < self.parties.len()).then_some(PartyIndex(index))
    }

    fn line_item(&self, item: &LineItem, sender: PartyIndex) -> Value {
        match item {
            LineItem::Line(line) => {
                let value = Value::Array(vec![
                    uint(line.kind as u64),
                    self.log(&line.log),
                    uint(line.size),
                    Value::bytes(&line.root.0),
                    uint(line.time_s),
                    Value::bytes(&line.signature),
                ]);
                if line.kind.is_receipt() && line.signer != sender {
                    return Value::Array(vec![uint(6), uint(u64::from(line.signer.0)), value]);
                }
                value
            }
            LineItem::Confirm { epoch, signature } => {
                Value::Array(vec![uint(4), Value::bytes(&epoch.0), Value::bytes(signature)])
            }
            LineItem::Presence { expiry_ms, signature } => {
                Value::Array(vec![uint(5), Value::from(*expiry_ms), Value::bytes(signature)])
            }
        }
    }

    fn read_line_item(&self, value: &Value, sender: PartyIndex) -> Option<LineItem> {
        match value.as_array()? {
            [kind, log, size, root, time, signature] => {
                let kind = LineKind::from_number(kind.as_u64()?)?;
                let log = self.read_log(log)?;
                let signer = if kind.is_receipt() {
                    sender
                } else {
                    PartyIndex(u8::try_from(self.index_of(log.party)).ok()?)
                };
                let time_s = time.as_u64().filter(|&t| kind.is_receipt() || t == 0)?;
                let signature = signature.as_bytes().filter(|s| s.len() == kind.signature_bytes())?;
                Some(LineItem::Line(Line {
                    kind,
                    signer,
                    log,
                    size: size.as_u64().filter(|&size| size <= detente_transparency::SIZE_MAX)?,
                    root: hash_of(root)?,
                    time_s,
                    signature: signature.to_vec(),
                }))
            }
            [kind, signer, inner] if kind.as_u64() == Some(6) => {
                let signer = self.read_party(signer)?;
                match self.read_line_item(inner, signer)? {
                    LineItem::Line(line) if line.kind.is_receipt() => Some(LineItem::Line(line)),
                    _ => None,
                }
            }
            [kind, epoch, signature] if kind.as_u64() == Some(4) => Some(LineItem::Confirm {
                epoch: EpochName(epoch.as_bytes()?.try_into().ok()?),
                signature: signature.as_bytes()?.try_into().ok()?,
            }),
            [kind, expiry, signature] if kind.as_u64() == Some(5) => Some(LineItem::Presence {
                expiry_ms: expiry.as_i64()?,
                signature: signature.as_bytes()?.try_into().ok()?,
            }),
            _ => None,
        }
    }

    fn wish(&self, wish: &Wish) -> Value {
        Value::Array(match wish {
            Wish::Entries { log, from, count } => vec![uint(0), self.log(log), uint(*from), uint(*count)],
            Wish::Wrap(epoch) => vec![uint(1), Value::bytes(&epoch.0)],
            Wish::Blob { keyed, offset } => vec![uint(2), Value::bytes(&keyed.0), uint(*offset)],
            Wish::ClosedLogs(party) => vec![uint(3), uint(u64::from(party.0))],
            Wish::Lines(log) => vec![uint(4), self.log(log)],
            Wish::WrapAgain { epoch, kem } => vec![uint(5), Value::bytes(&epoch.0), Value::bytes(kem)],
        })
    }

    fn read_wish(&self, value: &Value) -> Option<Wish> {
        let (kind, rest) = value.as_array()?.split_first()?;
        Some(match (kind.as_u64()?, rest) {
            (0, [log, from, count]) => {
                Wish::Entries { log: self.read_log(log)?, from: from.as_u64()?, count: count.as_u64()? }
            }
            (1, [epoch]) => Wish::Wrap(EpochName(epoch.as_bytes()?.try_into().ok()?)),
            (2, [keyed, offset]) => Wish::Blob { keyed: hash_of(keyed)?, offset: offset.as_u64()? },
            (3, [party]) => Wish::ClosedLogs(self.read_party(party)?),
            (4, [log]) => Wish::Lines(self.read_log(log)?),
            (5, [epoch, kem]) => Wish::WrapAgain {
                epoch: EpochName(epoch.as_bytes()?.try_into().ok()?),
                kem: kem.as_bytes()?.try_into().ok()?,
            },
            _ => return None,
        })
    }

    /// The value's bytes, to be sealed.
    pub(crate) fn encode(&self, message: &Message, sender: PartyIndex) -> Vec<u8> {
        let value = match message {
            Message::Line(items) => {
                Value::Array(items.iter().map(|item| self.line_item(item, sender)).collect())
            }
            Message::Have { live, closed } => {
                let live = live.iter().map(|held| {
                    Value::Array(vec![self.log(&held.log), uint(held.size), Value::bytes(&held.root.0)])
                });
                let closed = closed
                    .iter()
                    .map(|(party, hash)| Value::Array(vec![uint(u64::from(party.0)), Value::bytes(&hash.0)]));
                Value::Array(vec![Value::Array(live.collect()), Value::Array(closed.collect())])
            }
            Message::Want(wishes) => Value::Array(wishes.iter().map(|wish| self.wish(wish)).collect()),
            Message::Blob { keyed, total, offset, bytes } => {
                Value::Array(vec![Value::bytes(&keyed.0), uint(*total), uint(*offset), Value::bytes(bytes)])
            }
            Message::Proof(bytes) => Value::bytes(bytes),
            Message::Backfill { log, first, leaves, line } => Value::Array(vec![
                self.log(log),
                uint(*first),
                Value::Array(leaves.iter().map(|leaf| Value::bytes(leaf)).collect()),
                line.as_ref().map_or(Value::Null, |(size, root, signature)| {
                    Value::Array(vec![uint(*size), Value::bytes(&root.0), Value::bytes(signature)])
                }),
            ]),
        };
        cbor::encode(&value)
    }

    /// Reads the value of a message of `kind` from `sender`. `None` when it breaks the shape.
    pub(crate) fn decode(
        &self,
        kind: crate::sealing::Kind,
        sender: PartyIndex,
        bytes: &[u8],
    ) -> Option<Message> {
        use crate::sealing::Kind;
        let value = cbor::decode(bytes).ok()?;
        Some(match kind {
            Kind::Line => {
                let items = bounded(&value, LINES_MAX)?;
                Message::Line(items.iter().map(|i| self.read_line_item(i, sender)).collect::<Option<_>>()?)
            }
            Kind::Have => {
                let [live, closed] = value.as_array()? else { return None };
                let live = bounded(live, HAVE_MAX)?.iter().map(|item| {
                    let [log, size, root] = item.as_array()? else { return None };
                    Some(Held { log: self.read_log(log)?, size: size.as_u64()?, root: hash_of(root)? })
                });
                let closed = bounded(closed, self.parties.len())?.iter().map(|item| {
                    let [party, hash] = item.as_array()? else { return None };
                    Some((self.read_party(party)?, hash_of(hash)?))
                });
                Message::Have { live: live.collect::<Option<_>>()?, closed: closed.collect::<Option<_>>()? }
            }
            Kind::Want => {
                let wishes = bounded(&value, WANT_MAX)?;
                Message::Want(wishes.iter().map(|w| self.read_wish(w)).collect::<Option<_>>()?)
            }
            Kind::Blob => {
                let [keyed, total, offset, bytes] = value.as_array()? else { return None };
                Message::Blob {
                    keyed: hash_of(keyed)?,
                    total: total.as_u64()?,
                    offset: offset.as_u64()?,
                    bytes: bytes.as_bytes().filter(|b| b.len() <= BLOB_PART_BYTES_MAX)?.to_vec(),
                }
            }
            Kind::Proof => Message::Proof(value.as_bytes()?.to_vec()),
            Kind::Backfill => {
                let [log, first, leaves, line] = value.as_array()? else { return None };
                let leaves = bounded(leaves, BACKFILL_MAX)?;
                let line = match line {
                    Value::Null => None,
                    line => {
                        let [size, root, signature] = line.as_array()? else { return None };
                        Some((size.as_u64()?, hash_of(root)?, signature.as_bytes()?.try_into().ok()?))
                    }
                };
                Message::Backfill {
                    log: self.read_log(log)?,
                    first: first.as_u64().filter(|&first| first <= crate::limits::LOG_SIZE_MAX)?,
                    leaves: leaves.iter().map(|l| Some(l.as_bytes()?.to_vec())).collect::<Option<_>>()?,
                    line,
                }
            }
            Kind::Frame | Kind::Wrap | Kind::Introduction => return None,
        })
    }
}

fn bounded(value: &Value, most: usize) -> Option<&[Value]> {
    value.as_array().filter(|items| items.len() <= most)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sealing::Kind;

    const PARTIES: [PartyId; 3] = [PartyId([1; 32]), PartyId([2; 32]), PartyId([3; 32])];

    fn log(party: usize) -> LogKey {
        let generation = Generation { number: 2, run: Run([5; 8]) };
        LogKey { party: PARTIES[party], lane: Lane::Exercise, generation }
    }

    #[test]
    fn every_message_is_read_as_it_is_written() {
        let codec = Codec { parties: &PARTIES };
        let sender = PartyIndex(1);
        let line = |kind: LineKind, signer| {
            LineItem::Line(Line {
                kind,
                signer: PartyIndex(signer),
                log: log(0),
                size: 9,
                root: Hash([4; 32]),
                time_s: if kind.is_receipt() { 1_900_000_000 } else { 0 },
                signature: vec![7; kind.signature_bytes()],
            })
        };
        let messages = [
            (
                Kind::Line,
                Message::Line(vec![
                    line(LineKind::Log, 0),
                    line(LineKind::LogPostQuantum, 0),
                    line(LineKind::Receipt, 1),
                    line(LineKind::Receipt, 2),
                    line(LineKind::ReceiptPostQuantum, 2),
                    LineItem::Confirm { epoch: EpochName([1; 8]), signature: [2; 64] },
                    LineItem::Presence { expiry_ms: 17, signature: [3; 64] },
                ]),
            ),
            (
                Kind::Have,
                Message::Have {
                    live: vec![Held { log: log(2), size: 3, root: Hash([1; 32]) }],
                    closed: vec![(PartyIndex(0), Hash([9; 32]))],
                },
            ),
            (
                Kind::Want,
                Message::Want(vec![
                    Wish::Entries { log: log(1), from: 3, count: 4 },
                    Wish::Wrap(EpochName([4; 8])),
                    Wish::Blob { keyed: Hash([1; 32]), offset: 32_768 },
                    Wish::ClosedLogs(PartyIndex(2)),
                    Wish::Lines(log(1)),
                    Wish::WrapAgain { epoch: EpochName([4; 8]), kem: [6; 8] },
                ]),
            ),
            (Kind::Blob, Message::Blob { keyed: Hash([1; 32]), total: 9, offset: 0, bytes: vec![1; 9] }),
            (Kind::Proof, Message::Proof(vec![1, 2])),
            (
                Kind::Backfill,
                Message::Backfill {
                    log: log(0),
                    first: 0,
                    leaves: vec![vec![0; 20], vec![]],
                    line: Some((2, Hash([1; 32]), [3; 64])),
                },
            ),
        ];
        for (kind, message) in messages {
            let bytes = codec.encode(&message, sender);
            assert_eq!(codec.decode(kind, sender, &bytes), Some(message.clone()));
            for cut in 0..bytes.len() {
                assert_eq!(codec.decode(kind, sender, &bytes[..cut]), None, "{message:?} cut at {cut}");
            }
        }
    }

    #[test]
    fn a_party_out_of_range_is_refused() {
        let codec = Codec { parties: &PARTIES };
        let bytes = codec.encode(&Message::Want(vec![Wish::Lines(log(2))]), PartyIndex(0));
        assert_eq!(Codec { parties: &PARTIES[..2] }.decode(Kind::Want, PartyIndex(0), &bytes), None);
    }
}
