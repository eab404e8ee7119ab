//! Cuts the power many times and says what was lost.
//!
//! ```text
//! cargo run --release -p detente-journal --features conformance --example powercut -- \
//!     [--from ROUND] [--count ROUNDS] [--seed SEED] [--danger-off]
//! ```
//! Round by round the same seed draws the same faults, so a long soak is continued with `--from`.
//! `--danger-off` plants a build that does not sync, which must lose some. Exit 1 when anything
//! was lost, 2 for an argument that was not understood.

use detente_journal::powercut::{Plan, soak};
use detente_journal::sqlite::Synchronous;
use std::process::ExitCode;
use std::time::Instant;

/// Rounds between two lines of progress.
const PROGRESS: u64 = 500;

fn plan(mut arguments: impl Iterator<Item = String>) -> Option<Plan> {
    let (mut from, mut count, mut seed, mut synchronous) = (0, 10_000, 42, Synchronous::Full);
    while let Some(argument) = arguments.next() {
        let mut figure = || arguments.next().and_then(|text| text.parse::<u64>().ok());
        match argument.as_str() {
            "--from" => from = figure()?,
            "--count" => count = figure()?,
            "--seed" => seed = figure()?,
            "--danger-off" => synchronous = Synchronous::DangerOff,
            _ => return None,
        }
    }
    Some(Plan { rounds: from..from.checked_add(count)?, seed, synchronous })
}

fn main() -> ExitCode {
    let Some(plan) = plan(std::env::args().skip(1)) else {
        eprintln!("usage: powercut [--from ROUND] [--count ROUNDS] [--seed SEED] [--danger-off]");
        return ExitCode::from(2);
    };
    let start = Instant::now();
    let report = soak(&plan, &mut |report| {
        if report.rounds % PROGRESS == 0 {
            eprintln!("{} rounds, {} lost, {:.0?}", report.rounds, report.lost, start.elapsed());
        }
    });
    println!("{report:#?}\n{:.1?}", start.elapsed());
    if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
