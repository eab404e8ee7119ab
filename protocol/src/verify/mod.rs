//! Checking an export: whether it is what the parties signed, and what it says.
//!
//! The checks run in the order of `spec/export.md`, section 2, and the first fault ends them. What
//! holds is then judged, entry by entry in the joint order, and its release proofs are counted.
//!
//! This is the one place of the crate that uses threads: hashing a million leaves and judging them
//! are independent, and a reader waits for both. Threads are scoped, share no lock and only ever
//! lower an index, so the report does not depend on who comes first.

mod claims;
mod logs;
mod notes;
mod objects;
mod record;
mod report;

use detente_crypto::Suite;
use detente_encoding::words;

use crate::export::Files;
use crate::names::PartyId;

use logs::Log;
use objects::Objects;
pub use report::{Fault, FaultKind, LogReport, Noted, PartyReport, RecordCounts, Releases, Report, Verdict};

/// Eight words of a party, as its own people gave them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchor<'a> {
    /// The party's code in the export, such as `ALT`.
    pub code: &'a str,
    /// Its words, or the same as numbers.
    pub words: &'a str,
}

/// Checks an export against the words of its parties. Never fails: what cannot be read is a fault
/// of the export.
#[must_use]
pub fn verify(files: &dyn Files, anchors: &[Anchor<'_>], suite: &dyn Suite) -> Report {
    let mut report = Report::default();
    let fault = examine(files, anchors, suite, &mut report);
    report.verdict = match &fault {
        Some(_) => Verdict::Forged,
        None if report.parties.iter().all(|party| party.compared) => Verdict::Valid,
        None => Verdict::ConsistentOnly,
    };
    report.first_fault = fault;
    report
}

fn examine(
    files: &dyn Files,
    anchors: &[Anchor<'_>],
    suite: &dyn Suite,
    report: &mut Report,
) -> Option<Fault> {
    let objects = match Objects::read(files, suite, report) {
        Ok(objects) => objects,
        Err(fault) => return Some(fault),
    };
    let data: Vec<_> = objects.manifest.logs.iter().map(|(log, _)| logs::Bytes::read(files, log)).collect();
    let mut logs = Vec::with_capacity(data.len());
    let mut early = None;
    for ((log, size), bytes) in objects.manifest.logs.iter().zip(&data) {
        match Log::open(&objects, *log, *size, bytes) {
            Ok(log) => logs.push(log),
            // Logs before this one may hold an earlier fault.
            Err(fault) => {
                early = Some(fault);
                break;
            }
        }
    }
    let (checked, counts) = logs::check(&objects, &logs, suite, early.is_none());
    let mut receipts = Vec::new();
    for (log, checked) in logs.iter().zip(checked) {
        match checked {
            Ok(signed) => {
                let row = signed.report(log, &objects);
                receipts.extend(signed.receipts.into_iter().map(|receipt| (report.logs.len(), receipt)));
                report.logs.push(row);
            }
            Err(fault) => return Some(fault),
        }
    }
    let fault = early.or_else(|| objects::check_attached(files, &objects, suite));
    if fault.is_some() {
        return fault;
    }
    let fault = compare_words(&objects, anchors, report);
    // What a forged export says is nobody's word.
    if let (None, Some(counts)) = (&fault, counts) {
        report.noted = falling_times(report, &receipts, &counts);
        report.record = counts;
    }
    fault
}

/// Check 9: cosigners whose times fall as sizes grow, without a `clock` entry that says why.
fn falling_times(
    report: &Report,
    receipts: &[(usize, (PartyId, u64, u64))],
    counts: &RecordCounts,
) -> Vec<Noted> {
    let mut noted = Vec::new();
    for pair in receipts.windows(2) {
        let [(log, (by, size, time_s)), (next_log, (next_by, next_size, next_s))] = pair else { continue };
        let same = log == next_log && by == next_by && size < next_size;
        if same && next_s < time_s && !counts.clock_set.contains(by) {
            let log = report.logs[*log].log.clone();
            noted.push(Noted { log, by: *by, size: *next_size, from_s: *time_s, to_s: *next_s });
        }
    }
    noted
}

/// Words that differ, or belong to no party of the export, are a fault: the reader meant another.
fn compare_words(objects: &Objects, anchors: &[Anchor<'_>], report: &mut Report) -> Option<Fault> {
    let fault = Some(Fault { log: None, index: None, kind: FaultKind::Words });
    for anchor in anchors {
        let Some(place) = report.parties.iter().position(|party| party.code == anchor.code) else {
            return fault;
        };
        let text = objects.newest(report.parties[place].party);
        if words::parse(anchor.words).ok() != Some(crate::credential::word_numbers_of(&text.root)) {
            return fault;
        }
        report.parties[place].compared = true;
    }
    None
}

#[cfg(test)]
pub(crate) mod tests;
