//! What came out: counts over all runners, and the sentences that explain failures and skips.

use std::collections::BTreeSet;
use std::fmt;

/// The sum over all runners.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Tests that held.
    pub(crate) passed: u64,
    /// Tests that did not, and runners that could not finish.
    pub(crate) failed: u64,
    /// Tests and runners that did not run.
    pub(crate) skipped: u64,
    sentences: Vec<String>,
}

impl Tally {
    /// Adds what one runner counted. A runner that ended badly without a failed test of its own (a
    /// build that broke, a crash) counts as one failure.
    pub(crate) fn add(&mut self, runner: &str, counts: Counts, ended_well: bool) {
        self.passed += counts.passed;
        self.failed += counts.failed;
        self.skipped += counts.skipped;
        if !ended_well && counts.failed == 0 {
            self.fail(format!("{runner} ended badly: see above"));
        }
    }

    /// Counts one failure that is not a test, with its sentence.
    pub(crate) fn fail(&mut self, sentence: String) {
        self.failed += 1;
        self.sentences.push(sentence);
    }

    /// Counts `what` as skipped because of `reason`, or as failed where it is required.
    pub(crate) fn skip(&mut self, required: &Required, what: &str, reason: &str) {
        if required.asks(what) {
            self.fail(format!("{what} is required by DETENTE_REQUIRE but did not run: {reason}"));
        } else {
            self.skipped += 1;
            self.sentences.push(format!("skipped: {what}: {reason}"));
        }
    }

    /// Why something failed or was skipped, in order.
    pub(crate) fn sentences(&self) -> &[String] {
        &self.sentences
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

/// What one runner counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

impl Counts {
    /// Adds the numbers of one line of a report, `11 passed (1 slow), 2 failed; 1 ignored`: each
    /// number counts under the word after it; words that are not known are left out.
    pub(crate) fn add_line(&mut self, line: &str) {
        for part in line.split([',', ';', '(', ')', '.', ':']) {
            let mut words = part.split_whitespace();
            let (Some(number), Some(word)) = (words.next(), words.next()) else { continue };
            let Ok(number) = number.parse::<u64>() else { continue };
            match (word, words.next()) {
                ("passed", _) => self.passed += number,
                ("failed", _) | ("exec", Some("failed")) | ("timed", Some("out")) => self.failed += number,
                ("skipped" | "ignored", _) => self.skipped += number,
                _ => {}
            }
        }
    }
}

/// What `DETENTE_REQUIRE` names.
#[derive(Debug, Default)]
pub(crate) struct Required(BTreeSet<String>);

impl Required {
    /// Reads the environment.
    pub(crate) fn from_environment() -> Required {
        Required::parse(&std::env::var("DETENTE_REQUIRE").unwrap_or_default())
    }

    /// Reads a list by comma.
    pub(crate) fn parse(list: &str) -> Required {
        Required(list.split(',').map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect())
    }

    /// Whether `what` must run.
    pub(crate) fn asks(&self, what: &str) -> bool {
        self.0.contains("all") || self.0.contains(what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(line: &str) -> (u64, u64, u64) {
        let mut counts = Counts::default();
        counts.add_line(line);
        (counts.passed, counts.failed, counts.skipped)
    }

    #[test]
    fn both_reports_of_rust_are_read() {
        assert_eq!(counted("11 passed (1 slow), 2 failed, 1 timed out, 3 skipped"), (11, 3, 3));
        assert_eq!(counted("12 passed, 1 exec failed, 0 skipped"), (12, 1, 0));
        assert_eq!(counted("ok. 7 passed; 0 failed; 2 ignored; 0 measured; 5 filtered out"), (7, 0, 2));
    }

    #[test]
    fn a_runner_that_ended_badly_is_a_failure_once() {
        let mut tally = Tally::default();
        tally.add("a", Counts { passed: 4, failed: 0, skipped: 1 }, false);
        tally.add("b", Counts { passed: 1, failed: 2, skipped: 0 }, false);
        tally.add("c", Counts { passed: 1, failed: 0, skipped: 0 }, true);
        assert_eq!(tally.to_string(), "6 passed, 3 failed, 1 skipped");
    }

    #[test]
    fn a_skip_is_counted_and_where_required_it_fails_with_a_sentence() {
        let mut tally = Tally::default();
        tally.skip(&Required::parse(""), "go", "no network");
        assert_eq!((tally.failed, tally.skipped), (0, 1));
        tally.skip(&Required::parse("chromium, go"), "go", "no network");
        assert_eq!((tally.failed, tally.skipped), (1, 1));
        tally.skip(&Required::parse("all"), "chromium", "no package");
        assert_eq!((tally.failed, tally.skipped), (2, 1));
        assert_eq!(tally.sentences()[1], "go is required by DETENTE_REQUIRE but did not run: no network");
    }
}
