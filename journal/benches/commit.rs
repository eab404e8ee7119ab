//! How long a commit takes, beside the least this disk can do, and how many fit in a second.
//!
//! ```text
//! cargo bench -p detente-journal --bench commit -- [FOLDER] [ENTRIES]
//! ```
//! FOLDER (default: a temporary one) decides which disk is measured. With ENTRIES, that many are
//! stored first, and the memory of the process that opens them again is printed.

use detente_journal::{Batch, Completion, Engine, SqliteEngine, SqliteOptions, Table};
use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const LEAVES: Table = Table::new(1, "leaves");
const LINES: Table = Table::new(2, "lines");
const HEADS: Table = Table::new(3, "heads");
const TABLES: &[Table] = &[LEAVES, LINES, HEADS];

const CHANNELS: u64 = 10;
const SINGLE: usize = 500;
const IN_FLIGHT: usize = 64;
const LOADED: Duration = Duration::from_secs(10);

/// What a node writes for one entry: leaf, signed line, head of the log.
fn entry(number: u64) -> Batch {
    let log = (number % CHANNELS).to_be_bytes();
    let key = [log, (number / CHANNELS).to_be_bytes()].concat();
    let mut batch = Batch::new();
    batch.put_leaf(LEAVES, &key, &[number.to_le_bytes()[0]; 400]);
    batch.put(LINES, &log, &[number.to_le_bytes()[0]; 180]);
    batch.put(HEADS, &log, &[number.to_le_bytes()[0]; 700]);
    batch
}

fn open(path: &Path) -> SqliteEngine {
    SqliteEngine::open(path, TABLES, SqliteOptions::default()).expect("opens")
}

fn timed(mut work: impl FnMut()) -> u64 {
    let start = Instant::now();
    work();
    u64::try_from(start.elapsed().as_micros()).expect("shorter than ages")
}

fn percentiles(name: &str, mut times: Vec<u64>) -> u64 {
    times.sort_unstable();
    let at = |part: usize| times[(times.len() * part / 100).min(times.len() - 1)];
    println!("{name}: p50 {} µs, p95 {} µs, p99 {} µs", at(50), at(95), at(99));
    at(50)
}

/// One at a time, interleaved with the least that any durable write costs here.
fn single(engine: &SqliteEngine, floor_file: &mut File, first: u64) {
    let (mut floor, mut commits) = (Vec::new(), Vec::new());
    for number in 0..SINGLE as u64 {
        floor.push(timed(|| {
            floor_file.write_all(&[7; 4096]).expect("appends");
            floor_file.sync_all().expect("syncs");
        }));
        commits.push(timed(|| engine.commit(entry(first + number)).wait().expect("commits")));
    }
    let floor = percentiles("append 4 KiB + fsync", floor);
    let commit = percentiles("one commit", commits);
    println!("one commit / floor: {:.2}", commit as f64 / floor as f64);
}

fn loaded(engine: &SqliteEngine, first: u64, until: impl Fn(u64, Duration) -> bool) -> u64 {
    let (start, before) = (Instant::now(), engine.counters());
    let mut waiting: VecDeque<(Instant, Completion)> = VecDeque::new();
    let (mut number, mut times) = (0, Vec::new());
    while until(number, start.elapsed()) {
        if waiting.len() == IN_FLIGHT {
            settle(&mut waiting, &mut times);
        }
        waiting.push_back((Instant::now(), engine.commit(entry(first + number))));
        number += 1;
    }
    while !waiting.is_empty() {
        settle(&mut waiting, &mut times);
    }
    let (took, after) = (start.elapsed(), engine.counters());
    println!(
        "{IN_FLIGHT} in flight: {:.0} batches/s, {:.4} syncs per batch, {} checkpoints in {took:.1?}",
        number as f64 / took.as_secs_f64(),
        (after.syncs - before.syncs) as f64 / (after.batches - before.batches) as f64,
        after.checkpoints - before.checkpoints,
    );
    percentiles("answer under load", times);
    first + number
}

fn settle(waiting: &mut VecDeque<(Instant, Completion)>, times: &mut Vec<u64>) {
    if let Some((since, completion)) = waiting.pop_front() {
        completion.wait().expect("commits");
        times.push(u64::try_from(since.elapsed().as_micros()).expect("shorter than ages"));
    }
}

/// Proportional memory of this process in KiB, as the system counts it; 0 where it does not.
fn pss_kib() -> u64 {
    let rollup = std::fs::read_to_string("/proc/self/smaps_rollup").unwrap_or_default();
    let line = rollup.lines().find(|line| line.starts_with("Pss:"));
    line.and_then(|line| line.split_whitespace().nth(1)).and_then(|figure| figure.parse().ok()).unwrap_or(0)
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let folder = tempfile::tempdir().expect("a folder");
    let folder = arguments.first().map_or_else(|| folder.path().to_path_buf(), PathBuf::from);
    let path = folder.join("bench-journal.sqlite");
    let entries: u64 = arguments.get(1).map_or(0, |figure| figure.parse().expect("a number of entries"));

    let engine = open(&path);
    let mut first = 0;
    if entries > 0 {
        first = loaded(&engine, first, |number, _| number < entries);
    }
    let mut floor_file =
        OpenOptions::new().create(true).append(true).open(folder.join("bench-floor")).expect("opens");
    single(&engine, &mut floor_file, first);
    first += SINGLE as u64;
    loaded(&engine, first, |_, elapsed| elapsed < LOADED);
    drop(engine);

    let start = Instant::now();
    let engine = open(&path);
    let opened = start.elapsed();
    let last = engine.last(LEAVES, &0_u64.to_be_bytes()).expect("reads");
    let space = engine.space().expect("says");
    println!(
        "opened in {opened:.1?}, last row after {:.1?}; {} MiB on disk, PSS {} KiB",
        start.elapsed(),
        space.used_bytes >> 20,
        pss_kib()
    );
    assert!(last.is_some());
}
