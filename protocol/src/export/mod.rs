//! Exports: a channel's record as plain files that anybody can check without this software.
//!
//! [`write()`] streams them from whatever holds the record, [`crate::verify`] checks them. This page
//! knows their names and the one file that lists the rest; where they lie is the caller's to say,
//! through [`Files`] and [`Sink`]. Source: `spec/export.md`, section 1.

mod note;
mod write;

use std::borrow::Cow;
use std::collections::BTreeMap;

use detente_crypto::Hash;
use detente_encoding::Timestamp;
use detente_encoding::cbor::{self, Value};
use detente_encoding::text::{from_hex, hex};

use crate::entry::VERSION;
use crate::fields::versioned;
use crate::limits::{LOG_SIZE_MAX, MOMENT_MAX};
use crate::names::{ChannelId, LogKey, PartyId};

pub use note::explanation;
pub use write::{KeptLine, Leaf, Sink, Source, WriteError, write};

/// The files of an export, read whole.
pub trait Files: Sync {
    /// The paths of all files below the folder, with `/` between names; in any order.
    fn list(&self) -> Vec<String>;

    /// The bytes of one file; `None` when it is not there or cannot be read.
    fn read(&self, path: &str) -> Option<Cow<'_, [u8]>>;
}

/// An export in memory: for tests, and for channels small enough to be sent whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemoryFiles {
    /// Bytes by path.
    pub files: BTreeMap<String, Vec<u8>>,
    /// The file begun last.
    open: String,
}

impl Files for MemoryFiles {
    fn list(&self) -> Vec<String> {
        self.files.keys().cloned().collect()
    }

    fn read(&self, path: &str) -> Option<Cow<'_, [u8]>> {
        self.files.get(path).map(|bytes| Cow::Borrowed(&bytes[..]))
    }
}

/// The file for people; not checked.
pub const NOTE: &str = "NOTE.txt";
/// The file that lists the logs.
pub const MANIFEST: &str = "export";

/// What the file `export` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The channel exported.
    pub channel: ChannelId,
    /// Who says to have exported it. Nothing signs this.
    pub by: PartyId,
    /// When, by the exporter's word.
    pub at: Timestamp,
    /// The logs and how many leaves of each, rising by log name.
    pub logs: Vec<(LogKey, u64)>,
}

impl Manifest {
    /// The file's bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut rows: Vec<_> = self.logs.iter().map(|(log, size)| (log.name(self.channel), *size)).collect();
        rows.sort();
        let rows = rows.into_iter().map(|(name, size)| Value::Array(vec![Value::Text(name), size.into()]));
        versioned(&Value::Array(vec![
            Value::bytes(&self.channel.0),
            Value::bytes(&self.by.0),
            Value::from(self.at.millis()),
            Value::Array(rows.collect()),
        ]))
    }

    /// Reads the file. `None` for anything but the one encoding, for a log of another channel, of
    /// size 0 or out of order.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (&VERSION, rest) = bytes.split_first()? else { return None };
        let value = cbor::decode(rest).ok()?;
        let [channel, by, at, rows] = value.as_array()? else { return None };
        let channel = ChannelId(channel.as_bytes()?.try_into().ok()?);
        let mut last = "";
        let mut logs = Vec::new();
        for row in rows.as_array()? {
            let [name, size] = row.as_array()? else { return None };
            let (name, size) = (name.as_text()?, size.as_u64()?);
            let (of, log) = LogKey::parse(name)?;
            if of != channel || name <= last || !(1..=LOG_SIZE_MAX).contains(&size) {
                return None;
            }
            last = name;
            logs.push((log, size));
        }
        Some(Self {
            channel,
            by: PartyId(by.as_bytes()?.try_into().ok()?),
            at: Timestamp::from_millis(at.as_i64().filter(|ms| ms.abs() <= MOMENT_MAX)?),
            logs,
        })
    }
}

/// The folder of a log, with a slash behind it.
#[must_use]
pub fn log_folder(log: &LogKey) -> String {
    format!("logs/{}/{}/{}/", log.party, log.lane.word(), log.generation)
}

/// A file outside `logs/`, by its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Object {
    /// `charters/<edition>`.
    Charter(u64),
    /// `credentials/<party>-<edition>`.
    Credential(PartyId, u64),
    /// `rosters/<party>-<number>`.
    Roster(PartyId, u64),
    /// `proofs/<hash>`.
    Proof(Hash),
    /// `blobs/<hash>`.
    Blob(Hash),
    /// `equivocations/<n>`.
    Equivocation(u64),
}

impl Object {
    /// The path of the file.
    #[must_use]
    pub fn path(&self) -> String {
        match self {
            Self::Charter(edition) => format!("charters/{edition}"),
            Self::Credential(party, edition) => format!("credentials/{party}-{edition}"),
            Self::Roster(party, number) => format!("rosters/{party}-{number}"),
            Self::Proof(hash) => format!("proofs/{}", hex(&hash.0)),
            Self::Blob(hash) => format!("blobs/{}", hex(&hash.0)),
            Self::Equivocation(number) => format!("equivocations/{number}"),
        }
    }

    /// Reads a path. `None` unless it is exactly what [`Self::path`] writes.
    #[must_use]
    pub fn parse(path: &str) -> Option<Self> {
        let (folder, name) = path.split_once('/')?;
        let of_party = || {
            let (party, number) = name.split_once('-')?;
            Some((PartyId::parse(party)?, from_1(number)?))
        };
        let hash = || Hash::from_slice(&from_hex(name)?);
        let object = match folder {
            "charters" => Self::Charter(from_1(name)?),
            "credentials" => of_party().map(|(party, edition)| Self::Credential(party, edition))?,
            "rosters" => of_party().map(|(party, number)| Self::Roster(party, number))?,
            "proofs" => Self::Proof(hash()?),
            "blobs" => Self::Blob(hash()?),
            "equivocations" => Self::Equivocation(from_1(name)?),
            _ => return None,
        };
        (object.path() == path).then_some(object)
    }
}

fn from_1(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number| *number > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_read_as_it_is_written_and_in_no_other_form() {
        let party = PartyId([3; 32]);
        for object in [
            Object::Charter(10),
            Object::Credential(party, 1),
            Object::Roster(party, 2),
            Object::Proof(Hash([9; 32])),
            Object::Blob(Hash([8; 32])),
            Object::Equivocation(1),
        ] {
            assert_eq!(Object::parse(&object.path()), Some(object));
        }
        for wrong in
            ["charters/01", "charters/0", "charters/+1", "charters/1/", "proofs/00", "notes/1", "charters"]
        {
            assert_eq!(Object::parse(wrong), None, "{wrong}");
        }
        let upper = Object::Blob(Hash([0xab; 32])).path().to_uppercase().replace("BLOBS", "blobs");
        assert_eq!(Object::parse(&upper), None);
    }

    #[test]
    fn the_manifest_lists_logs_in_the_order_of_their_names() {
        let log = |party: u8, number| LogKey {
            party: PartyId([party; 32]),
            lane: crate::names::Lane::Ordinary,
            generation: crate::names::Generation { number, run: crate::names::Run([1; 8]) },
        };
        let manifest = Manifest {
            channel: ChannelId([1; 32]),
            by: PartyId([2; 32]),
            at: Timestamp::from_millis(-5),
            logs: vec![(log(2, 9), 4), (log(2, 10), 3), (log(1, 1), 2)],
        };
        let read = Manifest::decode(&manifest.encode()).unwrap();
        // "10-" stands before "9-" as text.
        assert_eq!(read.logs, [(log(1, 1), 2), (log(2, 10), 3), (log(2, 9), 4)]);
        assert_eq!(read.encode(), manifest.encode());
        let empty = Manifest { logs: vec![(log(1, 1), 0)], ..manifest };
        assert_eq!(Manifest::decode(&empty.encode()), None);
    }
}
