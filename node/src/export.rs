//! Exports: the record of a channel, read from the store and written as plain files.
//!
//! Works from the store alone, beside a running node or without one. What an export holds is
//! [`detente_protocol::export`]'s to say; this page knows in which rows it lies.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use detente_crypto::{Hash, SUITE_1};
use detente_encoding::Timestamp;
use detente_encoding::cbor;
use detente_formats::Catalogue;
use detente_journal::{Engine, leaf_hash};
use detente_protocol::channel::{
    LEAVES, LINES, LOGS, LineKind, LogNumber, PROOFS, Record, RecordError, read_line,
};
use detente_protocol::entry::Entry;
use detente_protocol::export::{KeptLine, Leaf, Object, Sink, Source, explanation, write};
use detente_protocol::limits::SALT_BYTES;
use detente_protocol::names::{ChannelId, Generation, Lane, LogKey, PartyId, Run};
use detente_transparency::{Head, KeyKind};

use crate::api::{Found, JournalLine};
use crate::channels::{self, Known};
use crate::core::Brief;
use crate::credential::{self, Held};
use crate::refusal::Refusal;
use crate::store::{ANSWERS, Store};
use crate::{officers, peers};

/// Rows read at once.
const PAGE: usize = 1024;

/// What was exported.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Exported {
    /// Identity of the channel.
    pub channel: String,
    /// Where it lies.
    pub out: PathBuf,
    /// How many logs.
    pub logs: usize,
    /// How many entries.
    pub entries: u64,
}

/// The one channel of a store that a selector means: identity, unique prefix, or label; the only
/// channel where none is named.
///
/// # Errors
/// A [`Refusal`] when there is none, or several.
pub fn select(store: &Store, selector: Option<&str>) -> Result<Known, Refusal> {
    let all = channels::list(store)?;
    let named = |known: &Known| match selector {
        None => true,
        Some(selector) => {
            known.charter().label == selector
                || (selector.len() >= 3 && known.id.to_string().starts_with(selector))
        }
    };
    let mut found: Vec<Known> = all.into_iter().filter(named).collect();
    match (found.len(), selector) {
        (1, _) => Ok(found.remove(0)),
        (0, Some(selector)) => Err(Refusal::not_found(format!(
            "there is no channel {selector:?} here; `detente channel list` shows them"
        ))),
        (0, None) => Err(Refusal::not_found("there is no channel here yet")),
        (_, _) => {
            let names: Vec<String> = found.iter().map(|known| known.id.to_string()).collect();
            Err(Refusal::ambiguous(format!("--channel: name one of {}", names.join(", "))))
        }
    }
}

/// Writes the export of a channel into `out`, which must not exist. What could not be finished is
/// removed again.
///
/// # Errors
/// A [`Refusal`]; nothing stands at `out`.
pub fn export(store: &Store, known: &Known, out: &Path, at: Timestamp) -> Result<Exported, Refusal> {
    if out.symlink_metadata().is_ok() {
        return Err(Refusal::refused(format!("{} is there already; name a new folder", out.display())));
    }
    let own = credential::own(store)?.ok_or_else(|| {
        Refusal::refused("this party has no credential yet; make it with `detente credential export`")
    })?;
    let mut part = out.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let refuse = |error: std::io::Error| Refusal::unavailable(format!("{}: {error}", out.display()));
    if part.exists() {
        std::fs::remove_dir_all(&part).map_err(refuse)?;
    }
    let mut source = StoreSource::new(store, known, &own, at)?;
    let mut sink = FolderSink { root: part.clone(), open: None };
    let written = write(&mut source, &mut sink, SUITE_1, own.party(), at)
        .map_err(|error| Refusal::unavailable(error.to_string()))
        .and_then(|manifest| {
            sink.finish().and_then(|()| std::fs::rename(&part, out)).map_err(refuse)?;
            Ok(manifest)
        });
    let manifest = match written {
        Ok(manifest) => manifest,
        Err(refusal) => {
            let _ = std::fs::remove_dir_all(&part);
            return Err(refusal);
        }
    };
    Ok(Exported {
        channel: known.id.to_string(),
        out: out.to_path_buf(),
        logs: manifest.logs.len(),
        entries: manifest.logs.iter().map(|(_, size)| size).sum(),
    })
}

/// The journal of a channel by moment of writing, from the store alone.
///
/// # Errors
/// A [`Refusal`] when the record cannot be read.
pub fn lines(store: &Store, known: &Known) -> Result<Vec<JournalLine>, Refusal> {
    let own = credential::own(store)?.ok_or_else(|| {
        Refusal::refused("this party has no credential yet; make it with `detente credential export`")
    })?;
    let source = StoreSource::new(store, known, &own, Timestamp::default())?;
    let codes = source.codes();
    let mut lines = Vec::new();
    for (log, number) in &source.logs {
        let code = codes.iter().find(|(party, _)| *party == log.party).map_or("?", |(_, code)| code);
        let mut index = 0;
        source.each(LEAVES, number.at(0), &number.at(u64::MAX), |key, data| {
            let judged = judged(store, key)?;
            lines.push(line(known.id, log, index, code, data, judged));
            index += 1;
            Ok(())
        })?;
    }
    lines.sort_by_key(|(place, _)| *place);
    Ok(lines.into_iter().map(|(_, line)| line).collect())
}

/// What the record says of an entry: valid, or the clause it breaks.
fn judged(store: &Store, row: &[u8]) -> Result<String, RecordError> {
    let key = [row, b"!"].concat();
    let found = store.engine().read(ANSWERS, &key).map_err(|error| RecordError(error.to_string()))?;
    Ok(found.and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_else(|| "valid".to_owned()))
}

fn line(
    channel: ChannelId,
    log: &LogKey,
    index: u64,
    code: &str,
    data: &[u8],
    judged: String,
) -> ((Timestamp, LogKey, u64), JournalLine) {
    let entry = Entry::decode(data.get(SALT_BYTES..).unwrap_or_default()).ok();
    let written = entry.as_ref().map_or(Timestamp::default(), Entry::written);
    let brief = entry.as_ref().map(|entry| Brief::of(entry, Hash(leaf_hash(data))));
    let format = brief.as_ref().and_then(|brief| {
        let number = u16::try_from(brief.format?.number).ok()?;
        Catalogue::embedded().by_number(number).map(|format| format.code.clone())
    });
    let found = Found {
        entry: format!("{channel}/{code}/{}/{}.{index}", log.lane.word(), log.generation),
        reference: brief.as_ref().map_or_else(|| "-".to_owned(), |brief| brief.reference(code, log.lane)),
        log: log.name(channel),
        index,
        leaf: detente_encoding::text::hex(&leaf_hash(data)),
        kind: brief.as_ref().map_or("-", |brief| brief.word).to_owned(),
        lane: log.lane.word().to_owned(),
        precedence: brief
            .as_ref()
            .and_then(|brief| brief.precedence)
            .map(|precedence| precedence.word().to_owned()),
        format,
        written_at: written.to_string(),
    };
    ((written, *log, index), JournalLine { found, from: code.to_owned(), judged })
}

/// A channel's record in the store.
struct StoreSource<'a> {
    store: &'a Store,
    known: &'a Known,
    own: &'a Held,
    at: Timestamp,
    logs: BTreeMap<LogKey, LogNumber>,
    held: BTreeMap<PartyId, Vec<Held>>,
    equivocations: Vec<Vec<u8>>,
    /// What each entry says of itself, for the note.
    journal: Vec<(Timestamp, LogKey, u64, &'static str)>,
}

impl<'a> StoreSource<'a> {
    fn new(store: &'a Store, known: &'a Known, own: &'a Held, at: Timestamp) -> Result<Self, Refusal> {
        let mut held = peers::editions(store)?;
        held.retain(|party, _| known.charter().parties.contains(party));
        let mut source = Self {
            store,
            known,
            own,
            at,
            logs: BTreeMap::new(),
            held,
            equivocations: Vec::new(),
            journal: Vec::new(),
        };
        let (from, to) = (known.number.to_be_bytes().to_vec(), (known.number + 1).to_be_bytes().to_vec());
        let mut logs = BTreeMap::new();
        source.each(LOGS, from.clone(), &to, |key, value| {
            let number = key.get(4..8).and_then(|number| number.try_into().ok()).map(u32::from_be_bytes);
            let damaged = || RecordError("a row of a log is damaged".to_owned());
            let log = log_of(value).ok_or_else(damaged)?;
            logs.insert(log, LogNumber { channel: known.number, log: number.ok_or_else(damaged)? });
            Ok(())
        })?;
        source.logs = logs;
        let mut equivocations = Vec::new();
        source.each(PROOFS, from, &to, |_, value| {
            equivocations.push(value.to_vec());
            Ok(())
        })?;
        source.equivocations = equivocations;
        Ok(source)
    }

    /// Reads rows of a table page by page.
    fn each(
        &self,
        table: u8,
        mut from: Vec<u8>,
        to: &[u8],
        mut row: impl FnMut(&[u8], &[u8]) -> Result<(), RecordError>,
    ) -> Result<(), RecordError> {
        loop {
            let rows = self.store.scan(table, &from, to, PAGE)?;
            let Some((last, _)) = rows.last() else { return Ok(()) };
            from = [&last[..], &[0]].concat();
            for (key, value) in &rows {
                row(key, value)?;
            }
        }
    }

    fn codes(&self) -> Vec<(PartyId, String)> {
        let code = |party: &PartyId| {
            let held = self.held.get(party).and_then(|held| held.last());
            let own = Some(self.own).filter(|own| own.party() == *party);
            held.or(own).map_or_else(|| "?".to_owned(), |held| held.text.code.clone())
        };
        self.known.charter().parties.iter().map(|party| (*party, code(party))).collect()
    }
}

/// The log of a row of [`LOGS`]: its first four elements.
fn log_of(row: &[u8]) -> Option<LogKey> {
    let value = cbor::decode(row).ok()?;
    let [party, lane, number, run, ..] = value.as_array()? else { return None };
    Some(LogKey {
        party: PartyId(party.as_bytes()?.try_into().ok()?),
        lane: Lane::from_number(lane.as_u64()?)?,
        generation: Generation {
            number: u32::try_from(number.as_u64()?).ok()?,
            run: Run(run.as_bytes()?.try_into().ok()?),
        },
    })
}

impl Source for StoreSource<'_> {
    type Error = RecordError;

    fn channel(&self) -> ChannelId {
        self.known.id
    }

    fn objects(&mut self) -> Result<Vec<Object>, RecordError> {
        let edition =
            |charter: &detente_protocol::charter::Charter| Object::Charter(u64::from(charter.edition));
        let mut objects: Vec<Object> = self.known.charters.iter().map(edition).collect();
        let held = self.held.values().flatten().chain(std::iter::once(self.own));
        objects.extend(held.map(|held| Object::Credential(held.party(), u64::from(held.text.edition))));
        let changes = officers::changes(self.store).map_err(|error| RecordError(error.to_string()))?;
        for number in 1..=changes.len() as u64 {
            objects.push(Object::Roster(self.own.party(), number));
        }
        objects.extend((1..=self.equivocations.len() as u64).map(Object::Equivocation));
        let mut journal = Vec::new();
        for (log, number) in &self.logs {
            let mut index = 0;
            self.each(LEAVES, number.at(0), &number.at(u64::MAX), |_, data| {
                let entry = data.get(SALT_BYTES..).unwrap_or_default();
                match Entry::decode(entry) {
                    Ok(entry) => {
                        journal.push((entry.written(), *log, index, entry.word()));
                        if let Entry::Spoken(spoken) = &entry {
                            let blobs = spoken.statement.attachments.iter().map(|hash| Object::Blob(*hash));
                            for object in blobs.chain([Object::Proof(spoken.placement.proof)]) {
                                let (Object::Blob(hash) | Object::Proof(hash)) = object else { continue };
                                if self.store.blob(&hash)?.is_some() {
                                    objects.push(object);
                                }
                            }
                        }
                    }
                    Err(_) => journal.push((Timestamp::default(), *log, index, "-")),
                }
                index += 1;
                Ok(())
            })?;
        }
        journal.sort_unstable_by_key(|(written, log, index, _)| (*written, *log, *index));
        self.journal = journal;
        Ok(objects)
    }

    fn object(&mut self, object: &Object) -> Result<Vec<u8>, RecordError> {
        let missing = || RecordError(format!("{} is missing", object.path()));
        let number = |number: &u64| usize::try_from(*number).unwrap_or(usize::MAX);
        match object {
            Object::Charter(edition) => {
                let charter =
                    self.known.charters.iter().find(|charter| u64::from(charter.edition) == *edition);
                charter.map(detente_protocol::charter::Charter::encode).ok_or_else(missing)
            }
            Object::Credential(party, edition) => {
                let mut held = self.held.values().flatten().chain(std::iter::once(self.own));
                let held = held.find(|h| h.party() == *party && u64::from(h.text.edition) == *edition);
                held.map(|held| held.bytes.clone()).ok_or_else(missing)
            }
            Object::Roster(_, place) => {
                let changes =
                    officers::changes(self.store).map_err(|error| RecordError(error.to_string()))?;
                changes
                    .get(number(place) - 1)
                    .map(detente_protocol::roster::RosterChange::encode)
                    .ok_or_else(missing)
            }
            Object::Equivocation(place) => {
                self.equivocations.get(number(place) - 1).cloned().ok_or_else(missing)
            }
            Object::Proof(hash) | Object::Blob(hash) => self.store.blob(hash)?.ok_or_else(missing),
        }
    }

    fn logs(&mut self) -> Result<Vec<LogKey>, RecordError> {
        Ok(self.logs.keys().copied().collect())
    }

    fn lines(&mut self, log: &LogKey) -> Result<Vec<KeptLine>, RecordError> {
        let number = self.logs[log];
        let parties = &self.known.charter().parties;
        let mut lines = Vec::new();
        self.each(LINES, number.at(0), &number.at(u64::MAX), |key, value| {
            let line =
                read_line(*log, key, value).ok_or_else(|| RecordError("a line is damaged".to_owned()))?;
            let Some(signer) = parties.get(usize::from(line.signer.0)) else { return Ok(()) };
            lines.push(KeptLine {
                kind: match line.kind {
                    LineKind::Log => KeyKind::LogEd25519,
                    LineKind::LogPostQuantum => KeyKind::LogMlDsa,
                    LineKind::Receipt => KeyKind::CosignerEd25519,
                    LineKind::ReceiptPostQuantum => KeyKind::CosignerMlDsa,
                },
                signer: *signer,
                head: Head { size: line.size, root: line.root },
                time_s: line.time_s,
                signature: line.signature,
            });
            Ok(())
        })?;
        Ok(lines)
    }

    fn leaves(&mut self, log: &LogKey, from: u64) -> Result<Vec<Leaf>, RecordError> {
        let number = self.logs[log];
        let rows = self.store.scan(LEAVES, &number.at(from), &number.at(u64::MAX), PAGE)?;
        let leaf = |(_, data): (Vec<u8>, Vec<u8>)| Leaf { hash: Hash(leaf_hash(&data)), data };
        Ok(rows.into_iter().map(leaf).collect())
    }

    fn note(&mut self, piece: &mut dyn FnMut(&str)) -> Result<(), RecordError> {
        let codes = self.codes();
        piece(&explanation(self.known.id, self.known.charter(), &codes, self.at));
        for (written, log, index, word) in &self.journal {
            let code = codes.iter().find(|(party, _)| *party == log.party).map_or("?", |(_, code)| code);
            piece(&format!("{written}  {code}  {word}  {}.{index}\n", log.name(self.known.id)));
        }
        Ok(())
    }
}

/// Files below a folder, each synced before the next begins.
struct FolderSink {
    root: PathBuf,
    open: Option<std::io::BufWriter<std::fs::File>>,
}

impl FolderSink {
    fn finish(&mut self) -> std::io::Result<()> {
        match self.open.take() {
            None => Ok(()),
            Some(file) => file.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all(),
        }
    }
}

impl Sink for FolderSink {
    type Error = std::io::Error;

    fn create(&mut self, path: &str) -> std::io::Result<()> {
        self.finish()?;
        let path = self.root.join(path);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        self.open = Some(std::io::BufWriter::new(std::fs::File::create_new(path)?));
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.open.as_mut().map_or(Ok(()), |file| file.write_all(bytes))
    }
}
