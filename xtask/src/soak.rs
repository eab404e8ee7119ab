//! `cargo xtask soak`: long runs that go on where they stopped.
//!
//! The state of each kind stands in `target/soak/<kind>.json`: the next number, what passed, what
//! failed. `--from` begins anew at a number; without it the run goes on. `--record` adds the figure,
//! with date, commit and command, to the last table of `docs/figures.md`.

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::command;

/// What is run for long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Simulated worlds, one a seed.
    Simulate,
    /// Fuzz targets, one a number.
    Fuzz,
    /// Power cuts under the journal, one a seed.
    Power,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Kind::Simulate => "simulate",
            Kind::Fuzz => "fuzz",
            Kind::Power => "power",
        }
    }

    /// How many numbers a run has unless told otherwise.
    fn count_default(self) -> u64 {
        match self {
            Kind::Simulate => 2_000,
            Kind::Fuzz => u64::MAX,
            Kind::Power => 10_000,
        }
    }
}

/// One run as asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Request {
    kind: Kind,
    from: Option<u64>,
    count: u64,
    seconds: u64,
    record: bool,
}

impl Request {
    /// Reads the words after `soak`.
    ///
    /// # Errors
    /// A sentence that names the word that was not understood.
    pub(crate) fn parse(words: &[&str]) -> Result<Request, String> {
        let (first, rest) = words.split_first().ok_or("soak needs a kind: simulate, fuzz or power")?;
        let kind = match *first {
            "simulate" => Kind::Simulate,
            "fuzz" => Kind::Fuzz,
            "power" => Kind::Power,
            other => return Err(format!("soak does not know {other}: simulate, fuzz or power")),
        };
        let mut request =
            Request { kind, from: None, count: kind.count_default(), seconds: 600, record: false };
        let mut rest = rest.iter();
        while let Some(word) = rest.next() {
            if *word == "--record" {
                request.record = true;
                continue;
            }
            let value = rest.next().and_then(|text| text.parse::<u64>().ok());
            let value = value.ok_or_else(|| format!("{word} needs a number"))?;
            match *word {
                "--from" => request.from = Some(value),
                "--count" => request.count = value,
                "--seconds" => request.seconds = value,
                other => return Err(format!("soak does not know {other}")),
            }
        }
        Ok(request)
    }
}

/// How far a run has come.
#[derive(Debug, Default, PartialEq, Eq)]
struct State {
    first: u64,
    next: u64,
    passed: u64,
    failed: Vec<String>,
}

impl State {
    fn read(path: &Path) -> State {
        let value: Value = std::fs::read(path)
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default();
        let number = |key: &str| value[key].as_u64().unwrap_or_default();
        let failed = value["failed"].as_array().into_iter().flatten().filter_map(Value::as_str);
        State {
            first: number("first"),
            next: number("next"),
            passed: number("passed"),
            failed: failed.map(str::to_owned).collect(),
        }
    }

    fn write(&self, path: &Path) {
        let value =
            json!({"first": self.first, "next": self.next, "passed": self.passed, "failed": self.failed});
        let folder = path.parent().expect("the state stands in a folder");
        let written = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(path, value.to_string()));
        if let Err(error) = written {
            eprintln!("{} cannot be written, so this run cannot be resumed: {error}", path.display());
        }
    }
}

/// Runs, shows progress at most once a second, and prints the figure.
pub(crate) fn run(root: &Path, request: &Request) -> ExitCode {
    let work = match Work::prepare(root, request) {
        Ok(work) => work,
        Err(reason) => {
            eprintln!("soak: {reason}");
            return ExitCode::FAILURE;
        }
    };
    let path = command::target(root).join("soak").join(format!("{}.json", request.kind.word()));
    let mut state = match request.from {
        Some(from) => State { first: from, next: from, ..State::default() },
        None => State::read(&path),
    };
    let end = state.next.saturating_add(request.count).min(work.end());
    let (begun, mut shown) = (Instant::now(), Instant::now());
    while state.next < end {
        let batch: Vec<u64> = (state.next..end).take(work.side_by_side()).collect();
        for (name, held) in work.run(&batch) {
            if held {
                state.passed += 1;
            } else {
                println!("FAILED: {name}");
                state.failed.push(name);
            }
        }
        state.next += batch.len() as u64;
        state.write(&path);
        if shown.elapsed() >= Duration::from_secs(1) {
            shown = Instant::now();
            let seconds = begun.elapsed().as_secs();
            println!(
                "{} of {end}: {} passed, {} failed, {seconds} s",
                state.next,
                state.passed,
                state.failed.len()
            );
        }
    }
    report(root, request, &state);
    if state.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What one kind needs in order to run one number.
enum Work {
    Simulate { detente: std::path::PathBuf },
    Fuzz { root: std::path::PathBuf, targets: Vec<String>, seconds: u64 },
    Power { example: std::path::PathBuf },
}

/// Power cuts that one start of the example makes, so that starting it does not dominate.
const CUTS_A_START: usize = 100;

impl Work {
    fn prepare(root: &Path, request: &Request) -> Result<Work, String> {
        let build = |arguments: &[&str]| {
            let mut cargo = command::cargo(root);
            command::succeeds(cargo.args(["build", "--release", "--locked"]).args(arguments))
        };
        let release = command::target(root).join("release");
        match request.kind {
            Kind::Simulate => {
                let built = build(&["--package", "detente-cli"]);
                built
                    .then(|| Work::Simulate { detente: release.join("detente") })
                    .ok_or("detente does not build".into())
            }
            Kind::Power => {
                let built = build(&["--package", "detente-journal", "--example", "powercut"]);
                let example = release.join("examples/powercut");
                built
                    .then_some(Work::Power { example })
                    .ok_or("the journal's example powercut does not build".into())
            }
            Kind::Fuzz => {
                let targets = fuzz_targets(root);
                if targets.is_empty() {
                    return Err("no target stands in fuzz/fuzz_targets/".into());
                }
                let here = || command::answers(command::cargo(root).args(["fuzz", "--version"]));
                if !here()
                    && !command::succeeds(command::cargo(root).args(["install", "--locked", "cargo-fuzz"]))
                {
                    return Err("cargo-fuzz is not installed and cannot be".into());
                }
                Ok(Work::Fuzz { root: root.to_path_buf(), targets, seconds: request.seconds })
            }
        }
    }

    /// The number after the last one that exists.
    fn end(&self) -> u64 {
        match self {
            Work::Fuzz { targets, .. } => targets.len() as u64,
            Work::Simulate { .. } | Work::Power { .. } => u64::MAX,
        }
    }

    fn side_by_side(&self) -> usize {
        match self {
            Work::Simulate { .. } => std::thread::available_parallelism().map_or(1, usize::from),
            Work::Fuzz { .. } => 1,
            Work::Power { .. } => CUTS_A_START,
        }
    }

    /// Runs the numbers of one batch. Each answer is a name and whether it held.
    fn run(&self, batch: &[u64]) -> Vec<(String, bool)> {
        match self {
            Work::Simulate { detente } => std::thread::scope(|scope| {
                let one = |seed: u64| {
                    let mut world = Command::new(detente);
                    (format!("seed {seed}"), command::answers(world.args(["simulate", &seed.to_string()])))
                };
                let worlds: Vec<_> = batch.iter().map(|&seed| scope.spawn(move || one(seed))).collect();
                worlds
                    .into_iter()
                    .map(|world| world.join().expect("a world does not panic in this process"))
                    .collect()
            }),
            Work::Fuzz { root, targets, seconds } => {
                let one = |index: u64| {
                    let target = targets[usize::try_from(index).expect("an index of this list")].clone();
                    let mut fuzz = Command::new("cargo");
                    fuzz.current_dir(root).args(["+nightly", "fuzz", "run", &target, "--"]);
                    // Cargo names its own toolchain to its children, which would overrule the nightly one.
                    fuzz.env_remove("CARGO")
                        .env_remove("RUSTUP_TOOLCHAIN")
                        .arg(format!("-max_total_time={seconds}"));
                    let held = command::succeeds(&mut fuzz);
                    (format!("target {target}"), held)
                };
                batch.iter().map(|&index| one(index)).collect()
            }
            Work::Power { example } => {
                let (first, count) = (batch.first().copied().unwrap_or_default(), batch.len().to_string());
                let mut cuts = Command::new(example);
                let held = command::succeeds(cuts.args(["--from", &first.to_string(), "--count", &count]));
                batch.iter().map(|seed| (format!("cut {seed}"), held)).collect()
            }
        }
    }
}

/// The names of the fuzz targets, in order.
fn fuzz_targets(root: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(root.join("fuzz/fuzz_targets")).into_iter().flatten().flatten();
    let names =
        entries.filter_map(|entry| entry.file_name().to_str()?.strip_suffix(".rs").map(str::to_owned));
    let mut targets: Vec<String> = names.collect();
    targets.sort();
    targets
}

fn report(root: &Path, request: &Request, state: &State) {
    let kind = request.kind.word();
    let git = |arguments: &[&str]| command::text(Command::new("git").current_dir(root).args(arguments));
    let mut commit = git(&["rev-parse", "--short=12", "HEAD"]).unwrap_or_else(|| "unknown".into());
    if git(&["status", "--porcelain", "--untracked-files=no"]).is_none_or(|changes| !changes.is_empty()) {
        commit.push('+');
    }
    let date = command::text(Command::new("date").args(["-u", "+%F"])).unwrap_or_else(|| "unknown".into());
    let seconds =
        if request.kind == Kind::Fuzz { format!(", {} s each", request.seconds) } else { String::new() };
    let value = format!(
        "{} passed, {} failed ({} to {}{seconds})",
        state.passed,
        state.failed.len(),
        state.first,
        state.next.saturating_sub(1)
    );
    let row = format!("| soak {kind} | {value} | {date} | {commit} | `cargo xtask soak {kind}` |");
    println!("{row}");
    if request.record {
        let path = root.join("docs/figures.md");
        let written =
            std::fs::read_to_string(&path).and_then(|page| std::fs::write(&path, with_row(&page, &row)));
        if let Err(error) = written {
            eprintln!("{} cannot be written: {error}", path.display());
        }
    }
}

/// The page with the row after the last line of its last table.
fn with_row(page: &str, row: &str) -> String {
    let mut lines: Vec<&str> = page.lines().collect();
    let place = lines.iter().rposition(|line| line.starts_with('|')).map_or(lines.len(), |last| last + 1);
    lines.insert(place, row);
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_and_a_wrong_word_is_named() {
        let request = Request::parse(&["simulate", "--from", "7", "--count", "20", "--record"])
            .expect("all words are known");
        assert_eq!(
            request,
            Request { kind: Kind::Simulate, from: Some(7), count: 20, seconds: 600, record: true }
        );
        assert_eq!(
            Request::parse(&["sleep"]),
            Err("soak does not know sleep: simulate, fuzz or power".into())
        );
        assert_eq!(Request::parse(&["fuzz", "--count"]), Err("--count needs a number".into()));
    }

    #[test]
    fn a_state_read_again_is_the_same() {
        let folder = std::env::temp_dir().join(format!("detente-soak-{}", std::process::id()));
        let path = folder.join("state.json");
        let state = State { first: 3, next: 9, passed: 5, failed: vec!["seed 4".into()] };
        state.write(&path);
        assert_eq!(State::read(&path), state);
        std::fs::remove_dir_all(&folder).expect("the folder was made above");
        assert_eq!(State::read(&path), State::default());
    }

    #[test]
    fn a_figure_goes_to_the_end_of_the_last_table() {
        let page = "# Figures\n\n| a |\n|---|\n| 1 |\n\nWords.\n";
        assert_eq!(with_row(page, "| 2 |"), "# Figures\n\n| a |\n|---|\n| 1 |\n| 2 |\n\nWords.\n");
    }
}
