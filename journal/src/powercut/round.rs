//! One round: a disk lives through a few ends, and after each the record is compared.

use super::random::Random;
use super::{Plan, PowerCutDisk, Report, attach};
use crate::completion::Completion;
use crate::engine::Engine;
use crate::row::Row;
use crate::scan::Scan;
use crate::sqlite::SqliteEngine;
use crate::table::Table;
use crate::{Batch, ReadError};
use detente_powercut_shim::Mount;
use std::collections::VecDeque;

const LEAVES: Table = Table::new(1, "leaves");
const LINES: Table = Table::new(2, "lines");
const HEADS: Table = Table::new(3, "heads");
const PENDING: Table = Table::new(4, "pending");
const TABLES: &[Table] = &[LEAVES, LINES, HEADS, PENDING];

/// Ends that one disk lives through.
const LIVES: usize = 3;
/// Batches that one life submits at most.
const BATCHES_MAX: usize = 120;
/// Channels over which the leaves are spread.
const CHANNELS: u64 = 5;
/// A batch takes away the pending row that the one this many before it has put.
const PENDING_KEPT: u64 = 3;

/// What one round expects of its disk.
struct Expected {
    /// Batches that must be there: answered with `Ok`, or shown by an earlier start.
    required: u64,
    /// Batches submitted at all.
    submitted: u64,
}

pub(super) fn run(plan: &Plan, round: u64, report: &mut Report) {
    let mut random = Random::new(plan.seed ^ round.wrapping_mul(0xd6e8_feb8_6659_fd93));
    let mut disk = PowerCutDisk::new();
    let mut expected = Expected { required: 0, submitted: 0 };
    for life in 1..=LIVES {
        live(plan, &disk, &mut expected, &mut random, report);
        disk = end(&disk, life == LIVES || random.below(4) > 0, &mut random, report);
        // What a start has shown may have been acted upon, so a second cut must not take it back.
        for _ in 0..2 {
            if let Err(fault) = compare(plan, &disk, &mut expected, report) {
                report.note(round, &fault);
                return;
            }
            disk = end(&disk, true, &mut random, report);
        }
    }
}

/// Compares what is there with what must be; from then on all that is there must stay.
fn compare(
    plan: &Plan,
    disk: &PowerCutDisk,
    expected: &mut Expected,
    report: &mut Report,
) -> Result<(), Fault> {
    let found = inspect(plan, disk, expected.submitted);
    let present = *found.as_ref().unwrap_or(&0);
    report.lost += expected.required.saturating_sub(present);
    report.unanswered_found += present.saturating_sub(expected.required);
    match &found {
        Err(Fault::Damaged(_)) => report.damaged += 1,
        Err(_) => report.half += 1,
        Ok(present) if *present < expected.required => {
            return Err(Fault::Lost(format!(
                "of {} answered batches {present} are there",
                expected.required
            )));
        }
        Ok(_) => {}
    }
    *expected = Expected { required: present, submitted: present };
    found.map(|_| ())
}

/// Commits batches until the power goes or the life is over.
fn live(plan: &Plan, disk: &PowerCutDisk, expected: &mut Expected, random: &mut Random, report: &mut Report) {
    // Some cuts fall into the opening, most into the work; a third of them into a sync.
    match random.below(6) {
        0 => disk.cut_after(1 + random.below(40) as u64),
        1 | 2 => disk.cut_in_sync(1 + random.below(60) as u64),
        _ => disk.cut_after(1 + random.below(900) as u64),
    }
    let Some(opened) = open(plan, disk, 8 + random.below(56)) else { return };
    let engine = &opened.engine;
    let (batches, in_flight) = (1 + random.below(BATCHES_MAX), 1 + random.below(32));
    let mut waiting: VecDeque<Completion> = VecDeque::new();
    let failing = if random.below(5) == 0 { random.below(batches) } else { batches };
    for number in 0..batches {
        if number == failing {
            disk.fail_next_sync();
            report.failed_syncs += 1;
        }
        if waiting.len() >= in_flight && !settle(waiting.pop_front(), expected, report) {
            break;
        }
        waiting.push_back(engine.commit(batch(expected.submitted)));
        expected.submitted += 1;
    }
    while let Some(completion) = waiting.pop_front() {
        settle(Some(completion), expected, report);
    }
    let counters = engine.counters();
    report.shared_syncs += counters.batches.saturating_sub(counters.syncs);
    // Half of the lives that get so far also close the record in order.
    if random.below(2) == 0 {
        disk.cut();
    }
}

/// Waits for one answer; `false` when the engine has stopped.
fn settle(completion: Option<Completion>, expected: &mut Expected, report: &mut Report) -> bool {
    let answered = completion.is_some_and(|completion| completion.wait().is_ok());
    if answered {
        expected.required += 1;
        report.acknowledged += 1;
    }
    answered
}

/// Ends a life: the power goes, or only the process.
fn end(disk: &PowerCutDisk, power_cut: bool, random: &mut Random, report: &mut Report) -> PowerCutDisk {
    if !power_cut {
        report.kills += 1;
        return disk.after_kill();
    }
    report.power_cuts += 1;
    report.cuts_in_sync += u64::from(disk.was_cut_in_sync());
    report.cuts_in_write += u64::from(disk.was_cut_in_write());
    disk.survivor(random.next())
}

/// An engine, and after it (fields are dropped in order) what keeps its disk reachable.
struct Opened {
    engine: SqliteEngine,
    _mount: Mount,
}

fn open(plan: &Plan, disk: &PowerCutDisk, checkpoint_pages: usize) -> Option<Opened> {
    let (mount, path, mut options) = attach(disk);
    options.synchronous = plan.synchronous;
    options.checkpoint_pages = u16::try_from(checkpoint_pages).unwrap_or(u16::MAX);
    let engine = SqliteEngine::open(&path, TABLES, options).ok()?;
    Some(Opened { engine, _mount: mount })
}

/// Why a record is not what was promised.
enum Fault {
    /// Answered batches are gone.
    Lost(String),
    /// No sequence of whole batches leaves this.
    Half(String),
    /// The record cannot be read.
    Damaged(String),
}

impl From<ReadError> for Fault {
    fn from(error: ReadError) -> Self {
        Self::Damaged(error.to_string())
    }
}

/// Reads the whole record; answers how many batches it holds.
fn inspect(plan: &Plan, disk: &PowerCutDisk, submitted: u64) -> Result<u64, Fault> {
    let opened = open(plan, disk, 1000).ok_or_else(|| Fault::Damaged("the record does not open".into()))?;
    let engine = &opened.engine;
    let head = engine.read(HEADS, b"head")?;
    let present = head.map_or(0, |head| u64::from_be_bytes(head.try_into().unwrap_or([0xff; 8])) + 1);
    if present > submitted {
        return Err(Fault::Half(format!("the head is {present}, beyond all that was submitted")));
    }
    let mut leaves: Vec<Row> = engine.scan(&Scan::all(LEAVES))?.rows;
    leaves.sort_by(|one, other| one.key[8..].cmp(&other.key[8..]));
    let lines = engine.scan(&Scan::all(LINES))?.rows;
    let pending = engine.scan(&Scan::all(PENDING))?.rows;

    let same = |rows: &[Row], table, numbers: std::ops::Range<u64>| {
        rows.len() as u64 == numbers.end - numbers.start
            && rows.iter().zip(numbers).all(|(row, number)| {
                row.key == key(table, number)
                    && row.content.bytes() == Some(content(table, number).as_slice())
            })
    };
    // The power goes while the record is open: closing it in order would fold its log.
    disk.cut();
    let whole = same(&leaves, LEAVES, 0..present)
        && same(&lines, LINES, 0..present)
        && same(&pending, PENDING, present.saturating_sub(PENDING_KEPT)..present);
    if !whole {
        let counts = (leaves.len(), lines.len(), pending.len());
        return Err(Fault::Half(format!("rows {counts:?} do not make {present} batches")));
    }
    Ok(present)
}

fn batch(number: u64) -> Batch {
    let mut batch = Batch::new();
    batch.put_leaf(LEAVES, &key(LEAVES, number), &content(LEAVES, number));
    batch.put(LINES, &key(LINES, number), &content(LINES, number));
    batch.put(HEADS, b"head", &number.to_be_bytes());
    batch.put(PENDING, &key(PENDING, number), &content(PENDING, number));
    if let Some(old) = number.checked_sub(PENDING_KEPT) {
        batch.delete(PENDING, &key(PENDING, old));
    }
    batch
}

fn key(table: Table, number: u64) -> Vec<u8> {
    let channel = if table == LEAVES { (number % CHANNELS).to_be_bytes().to_vec() } else { Vec::new() };
    [channel, number.to_be_bytes().to_vec()].concat()
}

/// Bytes that only this batch has; a few fill several pages.
fn content(table: Table, number: u64) -> Vec<u8> {
    let mut random = Random::new(number << 8 | u64::from(table.id()));
    let bytes = if random.below(16) == 0 { random.below(9000) } else { random.below(700) };
    (0..bytes).map(|_| random.next().to_be_bytes()[0]).collect()
}

impl Report {
    fn note(&mut self, round: u64, fault: &Fault) {
        let (Fault::Lost(what) | Fault::Half(what) | Fault::Damaged(what)) = fault;
        self.first_failure.get_or_insert_with(|| format!("round {round}: {what}"));
    }
}
