//! The tests in Rust: by cargo-nextest where it is installed (each test in a process of its own),
//! else by cargo itself. Both share one build with the examples in pages.

use std::path::Path;

use super::tally::{Counts, Required, Tally};
use crate::command::{self, Output};

/// Runs unit tests and behaviours of all crates.
pub(crate) fn run(root: &Path, tally: &mut Tally, required: &Required) {
    let mut counts = Counts::default();
    let mut cargo = command::cargo(root);
    cargo.env("CARGO_TERM_COLOR", "never");
    let nextest = command::answers(command::cargo(root).args(["nextest", "--version"]));
    let ended_well = if nextest {
        cargo.args(["nextest", "run", "--workspace", "--locked", "--no-fail-fast", "--no-tests=pass"]);
        cargo.args(["--status-level", "slow", "--final-status-level", "fail"]);
        command::read_lines(&mut cargo, Output::Stderr, |line| {
            add_nextest(&mut counts, line);
            true
        })
    } else {
        cargo.args([
            "test",
            "--workspace",
            "--locked",
            "--no-fail-fast",
            "--lib",
            "--bins",
            "--tests",
            "--examples",
        ]);
        command::read_lines(&mut cargo, Output::Stdout, |line| {
            add_cargo(&mut counts, line);
            true
        })
    };
    tally.add("the tests in Rust", counts, ended_well);
    if counts.skipped > 0 && required.asks("nothing-ignored") {
        tally.fail(format!(
            "{} tests in Rust did not run, and DETENTE_REQUIRE lets none be left out",
            counts.skipped
        ));
    }
}

/// Runs the examples in pages.
pub(crate) fn run_doc(root: &Path, tally: &mut Tally) {
    let mut counts = Counts::default();
    let mut cargo = command::cargo(root);
    cargo.env("CARGO_TERM_COLOR", "never");
    cargo.args(["test", "--workspace", "--locked", "--no-fail-fast", "--doc"]);
    let ended_well = command::read_lines(&mut cargo, Output::Stdout, |line| {
        add_cargo(&mut counts, line);
        let noise =
            line.is_empty() || line.starts_with("running ") || line.starts_with("test result: ok. 0 passed");
        !noise
    });
    tally.add("the examples in pages", counts, ended_well);
}

/// `     Summary [   0.005s] 12 tests run: 11 passed (1 slow), 1 failed, 2 skipped`
fn add_nextest(counts: &mut Counts, line: &str) {
    if let Some((_, rest)) =
        line.trim_start().strip_prefix("Summary [").and_then(|rest| rest.split_once(" run: "))
    {
        counts.add_line(rest);
    }
}

/// `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s`
fn add_cargo(counts: &mut Counts, line: &str) {
    if let Some(rest) = line.strip_prefix("test result: ") {
        counts.add_line(rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_summary_counts() {
        let mut counts = Counts::default();
        add_nextest(&mut counts, "        PASS [   0.004s] (1/3) a tests::seven_passed");
        add_nextest(
            &mut counts,
            "     Summary [   1.005s] 3 tests run: 2 passed (1 slow), 1 failed, 4 skipped",
        );
        assert_eq!(counts, Counts { passed: 2, failed: 1, skipped: 4 });
    }

    #[test]
    fn a_run_that_was_broken_off_still_counts() {
        let mut counts = Counts::default();
        add_nextest(&mut counts, "     Summary [   0.100s] 5/9 tests run: 4 passed, 1 timed out, 0 skipped");
        assert_eq!(counts, Counts { passed: 4, failed: 1, skipped: 0 });
    }

    #[test]
    fn results_of_several_crates_are_summed() {
        let mut counts = Counts::default();
        for line in [
            "test a ... ok",
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.00s",
            "test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
        ] {
            add_cargo(&mut counts, line);
        }
        assert_eq!(counts, Counts { passed: 4, failed: 2, skipped: 1 });
    }
}
