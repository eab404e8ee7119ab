//! The logs of an export: that they are what their writers and cosigners signed.
//! Source: `spec/export.md`, section 2, check 6.

use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::borrow::Cow;
use std::collections::BTreeMap;

use detente_crypto::{Hash, Suite};
use detente_transparency::{KeyKind, MemoryTree, SignedNote, leaf_hash, leaves};

use super::notes::{self, Keys, Mark};
use super::objects::Objects;
use super::record::{self, Judging};
use super::report::{Fault, FaultKind, LogReport, RecordCounts};
use crate::export::{Files, log_folder};
use crate::names::{LogKey, PartyId};

/// The three files of a log.
pub(super) struct Bytes<'a> {
    entries: Cow<'a, [u8]>,
    leaves: Cow<'a, [u8]>,
    notes: Cow<'a, [u8]>,
}

impl<'a> Bytes<'a> {
    pub(super) fn read(files: &'a dyn Files, log: &LogKey) -> Self {
        let folder = log_folder(log);
        let read = |file| files.read(&format!("{folder}{file}")).unwrap_or_default();
        Self { entries: read("entries"), leaves: read("leaves"), notes: read("notes") }
    }
}

/// A log whose files have the right lengths.
pub(super) struct Log<'a> {
    pub(super) key: LogKey,
    pub(super) name: String,
    pub(super) data: Vec<&'a [u8]>,
    pub(super) tree: MemoryTree,
    pub(super) hashes: Vec<Hash>,
    notes: &'a [u8],
}

impl<'a> Log<'a> {
    pub(super) fn open(
        objects: &Objects,
        key: LogKey,
        size: u64,
        bytes: &'a Bytes<'_>,
    ) -> Result<Self, Fault> {
        let name = key.name(objects.manifest.channel);
        let fault = |kind| Fault { log: Some(name.clone()), index: None, kind };
        if objects.charter().party_index(key.party).is_none() {
            return Err(fault(FaultKind::Export));
        }
        let data: Result<Vec<&[u8]>, _> = leaves(&bytes.entries).collect();
        let data = data.ok().filter(|data| data.len() as u64 == size);
        let data = data.ok_or_else(|| fault(FaultKind::Length))?;
        let (hashes, rest) = bytes.leaves.as_chunks::<32>();
        if hashes.len() != data.len() || !rest.is_empty() {
            return Err(fault(FaultKind::Length));
        }
        let hashes: Vec<Hash> = hashes.iter().copied().map(Hash).collect();
        let tree = hashes.iter().copied().collect();
        Ok(Self { key, name, data, tree, hashes, notes: &bytes.notes })
    }
}

/// How far a log that holds is signed and by whom.
#[derive(Default)]
pub(super) struct Signed {
    signed: u64,
    post_quantum: u64,
    cosigned: BTreeMap<PartyId, u64>,
    cosigned_post_quantum: BTreeMap<PartyId, u64>,
    /// Ed25519 receipts: cosigner, size, time in seconds; rising.
    pub(super) receipts: Vec<(PartyId, u64, u64)>,
}

impl Signed {
    pub(super) fn report(&self, log: &Log<'_>, objects: &Objects) -> LogReport {
        let others: Vec<PartyId> =
            objects.charter().parties.iter().copied().filter(|party| *party != log.key.party).collect();
        let of_others = |sizes: &BTreeMap<PartyId, u64>| {
            others.iter().map(|party| (*party, sizes.get(party).copied().unwrap_or(0))).collect()
        };
        LogReport {
            log: log.name.clone(),
            key: log.key,
            signed: self.signed,
            post_quantum: self.post_quantum,
            cosigned: of_others(&self.cosigned),
            cosigned_post_quantum: of_others(&self.cosigned_post_quantum),
        }
    }
}

/// Leaves hashed, or notes checked, in one go: enough to make fetching the next piece cheap.
const LEAVES_AT_ONCE: usize = 8_192;
const NOTES_AT_ONCE: usize = 32;
/// More helpers than this gain nothing on machines that people verify on.
const THREADS_MAX: usize = 8;

/// One piece of work.
#[derive(Clone, Copy)]
enum Piece {
    Leaves { log: usize, from: usize },
    Notes { log: usize, from: usize },
}

/// What is known of one log while its pieces are worked on: the lowest places of what does not hold.
struct Findings {
    notes: Vec<SignedNote>,
    /// The first note that cannot be right whatever its signatures say, and why.
    note_fault: Option<Fault>,
    keys: Keys,
    bad_leaf: AtomicU64,
    bad_note: AtomicU64,
}

/// Checks all logs; with `judge`, also what their entries say, at the same time.
pub(super) fn check(
    objects: &Objects,
    logs: &[Log<'_>],
    suite: &dyn Suite,
    judge: bool,
) -> (Vec<Result<Signed, Fault>>, Option<RecordCounts>) {
    let prepared = notes::Prepared::new(objects, suite);
    let findings: Vec<Findings> = logs
        .iter()
        .map(|log| {
            let (notes, note_fault) = notes::read(log, log.notes);
            let keys = prepared.keys_of(log.key, objects);
            let none = || AtomicU64::new(u64::MAX);
            Findings { notes, note_fault, keys, bad_leaf: none(), bad_note: none() }
        })
        .collect();
    let mut pieces = Vec::new();
    for (log, finding) in findings.iter().enumerate() {
        let leaves = (0..logs[log].data.len()).step_by(LEAVES_AT_ONCE);
        pieces.extend(leaves.map(|from| Piece::Leaves { log, from }));
        let notes = (0..finding.notes.len()).step_by(NOTES_AT_ONCE);
        pieces.extend(notes.map(|from| Piece::Notes { log, from }));
    }
    let next = AtomicUsize::new(0);
    let work = || work(logs, &findings, &pieces, &next);
    let (marks, counts) = std::thread::scope(|scope| {
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(THREADS_MAX);
        let helpers: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let judging = judge.then(|| Judging::new(objects, logs).run());
        let mut marks = work();
        for helper in helpers {
            marks.extend(helper.join().expect("a piece of work does not panic"));
        }
        (marks, judging)
    });
    let counts = counts.map(|judging| record::count_releases(judging, objects, suite));
    let results = logs.iter().zip(&findings).enumerate();
    (results.map(|(place, (log, finding))| conclude(place, log, finding, &marks)).collect(), counts)
}

fn work(logs: &[Log<'_>], findings: &[Findings], pieces: &[Piece], next: &AtomicUsize) -> Vec<(usize, Mark)> {
    let mut marks = Vec::new();
    while let Some(piece) = pieces.get(next.fetch_add(1, Ordering::Relaxed)) {
        match *piece {
            Piece::Leaves { log, from } => {
                let to = (from + LEAVES_AT_ONCE).min(logs[log].data.len());
                let bad = (from..to).find(|&index| {
                    let data = logs[log].data[index];
                    !data.is_empty() && leaf_hash(data) != logs[log].hashes[index]
                });
                if let Some(bad) = bad {
                    findings[log].bad_leaf.fetch_min(bad as u64, Ordering::Relaxed);
                }
            }
            Piece::Notes { log, from } => {
                let finding = &findings[log];
                let to = (from + NOTES_AT_ONCE).min(finding.notes.len());
                for place in from..to {
                    match finding.keys.open(&finding.notes[place]) {
                        Ok(found) => marks.extend(found.into_iter().map(|mark| (log, mark))),
                        Err(()) => {
                            finding.bad_note.fetch_min(place as u64, Ordering::Relaxed);
                            break;
                        }
                    }
                }
            }
        }
    }
    marks
}

fn conclude(
    place: usize,
    log: &Log<'_>,
    finding: &Findings,
    marks: &[(usize, Mark)],
) -> Result<Signed, Fault> {
    let fault = |kind, index| Fault { log: Some(log.name.clone()), index: Some(index), kind };
    let bad_leaf = finding.bad_leaf.load(Ordering::Relaxed);
    if bad_leaf != u64::MAX {
        return Err(fault(FaultKind::Leaf, bad_leaf));
    }
    // Notes after the first impossible one were not read, so a bad signature stands before it.
    if let Some(note) = finding.notes.get(finding.bad_note.load(Ordering::Relaxed) as usize) {
        return Err(fault(FaultKind::Signature, note.checkpoint().head.size - 1));
    }
    if let Some(fault) = &finding.note_fault {
        return Err(fault.clone());
    }
    let mut signed = Signed::default();
    for (_, mark) in marks.iter().filter(|(of, _)| *of == place) {
        let reached = match mark.kind {
            KeyKind::LogEd25519 => &mut signed.signed,
            KeyKind::LogMlDsa => &mut signed.post_quantum,
            KeyKind::CosignerEd25519 => {
                signed.receipts.push((mark.signer, mark.size, mark.time_s));
                signed.cosigned.entry(mark.signer).or_default()
            }
            KeyKind::CosignerMlDsa => signed.cosigned_post_quantum.entry(mark.signer).or_default(),
        };
        *reached = (*reached).max(mark.size);
    }
    signed.receipts.sort_unstable();
    if signed.signed < log.data.len() as u64 {
        return Err(fault(FaultKind::Unsigned, signed.signed));
    }
    Ok(signed)
}
