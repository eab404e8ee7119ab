//! Writing an export, file by file, without holding it in memory.
//!
//! Leaves come in pieces and go out at once; of a log only its leaf hashes are held meanwhile,
//! 32 bytes each. Log lines are thinned to the last of each kind, for that one signs all before
//! it; receipts are all kept, for each bears a date.

use core::fmt;
use std::collections::BTreeMap;

use detente_crypto::{Hash, Suite};
use detente_encoding::Timestamp;
use detente_transparency::{
    Checkpoint, Head, Key, KeyKind, Line, Name, PublicKey, Role, SignedNote, write_leaf,
};

use super::{MANIFEST, Manifest, NOTE, Object, log_folder};
use crate::credential::{Credential, CredentialText};
use crate::limits::NOTE_LINES_MAX;
use crate::names::{ChannelId, LogKey, PartyId, cosigner_name};

/// Where the files go. Files are written one after the other.
pub trait Sink {
    /// Why nothing more can be written.
    type Error;

    /// Begins a file; what was begun before is complete.
    ///
    /// # Errors
    /// When it cannot be made.
    fn create(&mut self, path: &str) -> Result<(), Self::Error>;

    /// Appends to the file begun last.
    ///
    /// # Errors
    /// When it cannot be written.
    fn write(&mut self, bytes: &[u8]) -> Result<(), Self::Error>;
}

impl Sink for super::MemoryFiles {
    type Error = core::convert::Infallible;

    fn create(&mut self, path: &str) -> Result<(), Self::Error> {
        self.files.insert(path.to_owned(), Vec::new());
        self.open = path.to_owned();
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Self::Error> {
        self.files.entry(self.open.clone()).or_default().extend_from_slice(bytes);
        Ok(())
    }
}

/// A line kept of a log: one signature on one of its checkpoints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptLine {
    /// Log line or receipt, by which algorithm.
    pub kind: KeyKind,
    /// Whose signature.
    pub signer: PartyId,
    /// Size and root signed.
    pub head: Head,
    /// Seconds since 1970; 0 for log lines.
    pub time_s: u64,
    /// 64 or 2,420 bytes.
    pub signature: Vec<u8>,
}

/// A leaf: its hash, and its data unless it was erased (then empty).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// The leaf hash.
    pub hash: Hash,
    /// Salt and entry; empty for an erased leaf.
    pub data: Vec<u8>,
}

/// What holds the record of a channel.
pub trait Source {
    /// Why it cannot be read.
    type Error;

    /// The channel's name.
    fn channel(&self) -> ChannelId;

    /// Bytes of all objects of these kinds that belong to the channel: charters, credentials,
    /// roster changes, proofs, attachments, equivocations; in any order.
    ///
    /// # Errors
    /// When the store fails.
    fn objects(&mut self) -> Result<Vec<Object>, Self::Error>;

    /// The bytes of one of them.
    ///
    /// # Errors
    /// When the store fails.
    fn object(&mut self, object: &Object) -> Result<Vec<u8>, Self::Error>;

    /// All logs held, in any order.
    ///
    /// # Errors
    /// When the store fails.
    fn logs(&mut self) -> Result<Vec<LogKey>, Self::Error>;

    /// All lines kept of a log, in any order.
    ///
    /// # Errors
    /// When the store fails.
    fn lines(&mut self, log: &LogKey) -> Result<Vec<KeptLine>, Self::Error>;

    /// The next leaves of a log from index `from`: at least one.
    ///
    /// # Errors
    /// When the store fails.
    fn leaves(&mut self, log: &LogKey, from: u64) -> Result<Vec<Leaf>, Self::Error>;

    /// The text of `NOTE.txt`, in pieces; the journal may be long.
    ///
    /// # Errors
    /// When the store fails.
    fn note(&mut self, piece: &mut dyn FnMut(&str)) -> Result<(), Self::Error>;
}

/// Why an export was not written. What was written is incomplete and must be removed.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteError<S, K> {
    /// The record could not be read.
    EnvironmentSource(S),
    /// A file could not be written.
    EnvironmentSink(K),
    /// The store holds fewer leaves of this log than its own party signed.
    LocalLeaves(Box<LogKey>),
    /// A leaf is longer than its length can say.
    LocalLeafTooLong(Box<LogKey>),
}

impl<S: fmt::Display, K: fmt::Display> fmt::Display for WriteError<S, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EnvironmentSource(error) => error.fmt(f),
            Self::EnvironmentSink(error) => error.fmt(f),
            Self::LocalLeaves(log) => {
                write!(f, "the store holds fewer leaves of generation {} than were signed", log.generation)
            }
            Self::LocalLeafTooLong(log) => write!(f, "a leaf of generation {} is too long", log.generation),
        }
    }
}

impl<S: fmt::Debug + fmt::Display, K: fmt::Debug + fmt::Display> core::error::Error for WriteError<S, K> {}

/// The public keys of a party, each credential edition's.
type Editions = BTreeMap<PartyId, Vec<CredentialText>>;

/// Writes the export of a channel as `by` knows it at `at`.
///
/// # Errors
/// [`WriteError`]; the files written so far are no export.
pub fn write<S: Source, K: Sink>(
    source: &mut S,
    sink: &mut K,
    suite: &dyn Suite,
    by: PartyId,
    at: Timestamp,
) -> Result<Manifest, WriteError<S::Error, K::Error>> {
    let mut objects = source.objects().map_err(WriteError::EnvironmentSource)?;
    objects.sort_unstable();
    objects.dedup();
    let mut editions = Editions::new();
    for object in objects {
        let bytes = source.object(&object).map_err(WriteError::EnvironmentSource)?;
        if let Object::Credential(party, _) = object {
            let text =
                Credential::decode(&bytes).ok().and_then(|c| CredentialText::decode(&c.text_bytes).ok());
            editions.entry(party).or_default().extend(text);
        }
        file(sink, &object.path(), &bytes)?;
    }
    let channel = source.channel();
    let mut manifest = Manifest { channel, by, at, logs: Vec::new() };
    let mut logs = source.logs().map_err(WriteError::EnvironmentSource)?;
    logs.sort_unstable_by_key(|log| log.name(channel));
    for log in logs {
        let lines = source.lines(&log).map_err(WriteError::EnvironmentSource)?;
        let signed = lines.iter().filter(|line| line.kind == KeyKind::LogEd25519).map(|line| line.head.size);
        let Some(size) = signed.max().filter(|size| *size > 0) else { continue };
        leaves(source, sink, &log, size)?;
        let notes = notes(channel, &log, size, lines, &editions, suite);
        file(sink, &format!("{}notes", log_folder(&log)), notes.as_bytes())?;
        manifest.logs.push((log, size));
    }
    file(sink, MANIFEST, &manifest.encode())?;
    sink.create(NOTE).map_err(WriteError::EnvironmentSink)?;
    let mut written = Ok(());
    source
        .note(&mut |piece| {
            if written.is_ok() {
                written = sink.write(piece.as_bytes());
            }
        })
        .map_err(WriteError::EnvironmentSource)?;
    written.map_err(WriteError::EnvironmentSink)?;
    Ok(manifest)
}

fn file<S, K: Sink>(sink: &mut K, path: &str, bytes: &[u8]) -> Result<(), WriteError<S, K::Error>> {
    sink.create(path).and_then(|()| sink.write(bytes)).map_err(WriteError::EnvironmentSink)
}

fn leaves<S: Source, K: Sink>(
    source: &mut S,
    sink: &mut K,
    log: &LogKey,
    size: u64,
) -> Result<(), WriteError<S::Error, K::Error>> {
    let folder = log_folder(log);
    sink.create(&format!("{folder}entries")).map_err(WriteError::EnvironmentSink)?;
    let (mut hashes, mut index) = (Vec::new(), 0);
    while index < size {
        let piece = source.leaves(log, index).map_err(WriteError::EnvironmentSource)?;
        if piece.is_empty() {
            return Err(WriteError::LocalLeaves(Box::new(*log)));
        }
        let mut out = Vec::new();
        for leaf in piece.iter().take(usize::try_from(size - index).unwrap_or(usize::MAX)) {
            write_leaf(&leaf.data, &mut out).map_err(|_| WriteError::LocalLeafTooLong(Box::new(*log)))?;
            hashes.extend_from_slice(&leaf.hash.0);
            index += 1;
        }
        sink.write(&out).map_err(WriteError::EnvironmentSink)?;
    }
    file(sink, &format!("{folder}leaves"), &hashes)
}

/// The notes of a log: one for each size, at most 16 lines in each, log lines first.
fn notes(
    channel: ChannelId,
    log: &LogKey,
    size: u64,
    mut lines: Vec<KeptLine>,
    editions: &Editions,
    suite: &dyn Suite,
) -> String {
    let newest =
        |kind| lines.iter().filter(|l| l.kind == kind && l.head.size <= size).map(|l| l.head.size).max();
    let (ed25519, mldsa) = (newest(KeyKind::LogEd25519), newest(KeyKind::LogMlDsa));
    lines.retain(|line| match line.kind {
        KeyKind::LogEd25519 => Some(line.head.size) == ed25519,
        KeyKind::LogMlDsa => Some(line.head.size) == mldsa,
        _ => (1..=size).contains(&line.head.size) && line.signer != log.party,
    });
    lines.sort_by_key(|line| (line.head.size, line.kind, line.signer, line.time_s));
    lines.dedup_by(|a, b| (a.head, a.kind, a.signer, a.time_s) == (b.head, b.kind, b.signer, b.time_s));
    let origin = Name::new(&log.name(channel)).expect("log names are base32, words and digits");
    let mut text = String::new();
    for lines in lines.chunk_by(|a, b| a.head.size == b.head.size) {
        let checkpoint = Checkpoint { origin: origin.clone(), head: lines[0].head };
        let signed: Vec<Line> = lines
            .iter()
            .filter_map(|line| signed_line(channel, log, &checkpoint, line, editions, suite))
            .take(NOTE_LINES_MAX)
            .collect();
        if let Ok(note) = SignedNote::new(checkpoint, signed) {
            text.push_str(&note.to_text());
            text.push('\n');
        }
    }
    text
}

/// The line under the key of the credential edition that made it. `None` when no edition did.
fn signed_line(
    channel: ChannelId,
    log: &LogKey,
    checkpoint: &Checkpoint,
    line: &KeptLine,
    editions: &Editions,
    suite: &dyn Suite,
) -> Option<Line> {
    let (name, role) = if line.kind.is_log() {
        (log.name(channel), Role::Log)
    } else {
        (cosigner_name(channel, line.signer), Role::Cosigner)
    };
    let name = Name::new(&name).ok()?;
    let editions = editions.get(&line.signer)?;
    let keys = editions.iter().filter_map(|text| {
        let bytes = match line.kind {
            KeyKind::LogEd25519 => &text.node.log_ed25519[..],
            KeyKind::LogMlDsa => &text.node.log_mldsa[..],
            KeyKind::CosignerEd25519 => &text.node.cosigner_ed25519,
            KeyKind::CosignerMlDsa => &text.node.cosigner_mldsa[..],
        };
        Some(Key::new(name.clone(), role, PublicKey::new(suite, bytes).ok()?))
    });
    // A node verified the line before it kept it: only which edition's key it was is open.
    let mut keys = keys
        .filter(|key| editions.len() == 1 || key.verify(checkpoint, line.time_s, &line.signature).is_ok());
    keys.next().map(|key| Line::new(&key, line.time_s, &line.signature))
}
