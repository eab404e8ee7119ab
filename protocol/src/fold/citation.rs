//! How people cite an entry: `ALT/2027/0212`, in drills `ALT/EX/2027/0003`.
//!
//! A citation is a label, not an identity: a lost disk may give one number twice. Then four
//! digits of the run tell the two apart. Source: `spec/record.md`, section 6.

use core::fmt;

use detente_encoding::Timestamp;

use crate::names::{Lane, LogKey, Run};

/// A citation, or the beginning of one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Citation {
    /// The party's code.
    pub code: String,
    /// Whether it stands in the exercise lane.
    pub exercise: bool,
    /// The year it was written in, UTC.
    pub year: i64,
    /// Its number.
    pub number: u32,
    /// The first four hexadecimal digits of the run, where two entries share the rest.
    pub run: Option<String>,
}

/// The year of a moment, UTC.
#[must_use]
pub fn year(at: Timestamp) -> i64 {
    at.date().0
}

impl Citation {
    /// The citation of an entry with this number, without digits of its run.
    #[must_use]
    pub fn of(code: &str, log: &LogKey, written: Timestamp, number: u32) -> Self {
        let exercise = log.lane == Lane::Exercise;
        Self { code: code.to_owned(), exercise, year: year(written), number, run: None }
    }

    /// The same with digits of the run behind it.
    #[must_use]
    pub fn with_run(self, run: Run) -> Self {
        Self { run: Some(run.to_string()[..4].to_owned()), ..self }
    }

    /// Reads a citation. `None` for anything that is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (text, run) = match text.split_once('~') {
            Some((text, run)) => (text, Some(run)),
            None => (text, None),
        };
        let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
        if run.is_some_and(|run| run.len() != 4 || !run.chars().all(hex)) {
            return None;
        }
        let parts: Vec<&str> = text.split('/').collect();
        let (code, exercise, year, number) = match parts[..] {
            [code, year, number] => (code, false, year, number),
            [code, "EX", year, number] => (code, true, year, number),
            _ => return None,
        };
        let digits = |text: &str| text.len() >= 4 && text.bytes().all(|b| b.is_ascii_digit());
        if code.is_empty() || !digits(year) || !digits(number) {
            return None;
        }
        let number = number.parse().ok().filter(|number| *number > 0)?;
        let (code, run) = (code.to_owned(), run.map(str::to_owned));
        Some(Self { code, exercise, year: year.parse().ok()?, number, run })
    }
}

impl fmt::Display for Citation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exercise = if self.exercise { "EX/" } else { "" };
        write!(f, "{}/{exercise}{:04}/{:04}", self.code, self.year, self.number)?;
        match &self.run {
            Some(run) => write!(f, "~{run}"),
            None => Ok(()),
        }
    }
}
