//! Two readers of one specification must agree.
//!
//! Makes exports from seeds, good ones and forged ones, lets [`detente_protocol::verify`] and the
//! reader in Go judge each, and ends at the first difference: verdict, place and kind of the first
//! fault, sizes signed and cosigned, entries void, waiting, not understood or erased, releases,
//! falling times. What it does not do: judge which of the two is right. `spec/export.md` does.
//!
//! ```text
//! seed ─▶ story ─▶ world ─▶ export ─▶ (mutate) ─┬▶ verify ──┬▶ compare
//!                                               └▶ go-reader ┘
//! ```

mod compare;
mod dice;
mod keys;
mod million;
mod mutate;
mod story;
mod world;

use std::path::PathBuf;
use std::process::ExitCode;

const USAGE: &str = "\
Usage:
  detente-forgery check --go-reader PROGRAM --work FOLDER [--detente PROGRAM] [--good N] [--mutated N] [--from SEED]
  detente-forgery million [ENTRIES]

check makes N good exports and N mutated ones and compares both readers on each; the first that
they judge differently stays in FOLDER. Exit 0: they agree on all; 1: they do not; 2: wrong usage.
million prints how long the check of a large export takes (build with --release).
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let answer = match args.split_first() {
        Some((verb, rest)) if verb == "check" => plan(rest).map(|plan| compare::run(&plan)),
        Some((verb, rest)) if verb == "million" => entries(rest).map(million::measure),
        _ => None,
    };
    match answer {
        None => {
            eprint!("{USAGE}");
            ExitCode::from(2)
        }
        Some(Ok(said)) => {
            println!("{said}");
            ExitCode::SUCCESS
        }
        Some(Err(said)) => {
            eprintln!("{said}");
            ExitCode::FAILURE
        }
    }
}

fn entries(args: &[String]) -> Option<u64> {
    match args {
        [] => Some(1_000_000),
        [count] => count.parse().ok(),
        _ => None,
    }
}

fn plan(args: &[String]) -> Option<compare::Plan> {
    let mut plan = compare::Plan {
        reader: PathBuf::new(),
        work: PathBuf::new(),
        detente: None,
        good: 500,
        mutated: 600,
        from: 1,
    };
    for pair in args.chunks(2) {
        let [name, value] = pair else { return None };
        match name.as_str() {
            "--go-reader" => plan.reader = value.into(),
            "--work" => plan.work = value.into(),
            "--detente" => plan.detente = Some(value.into()),
            "--good" => plan.good = value.parse().ok()?,
            "--mutated" => plan.mutated = value.parse().ok()?,
            "--from" => plan.from = value.parse().ok()?,
            _ => return None,
        }
    }
    (!plan.reader.as_os_str().is_empty() && !plan.work.as_os_str().is_empty()).then_some(plan)
}
