//! What a command answers: text for people or JSON for programs, an exit status, or one sentence why not.

use std::fmt::Display;
use std::io::Write;
use std::process::ExitCode;

use detente_formats::Language;
use detente_node::Refusal;
use detente_node::client::ClientError;
use detente_node::folder::FolderError;

/// How answers are to look.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    /// JSON on the standard output.
    pub(crate) json: bool,
    /// The reader's language.
    pub(crate) lang: Language,
}

/// How a command ended, when it did not fail.
#[expect(clippy::enum_variant_names, reason = "a command that is done is done")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Done {
    /// As asked.
    Done,
    /// It ran, and what it looked at is not as it should be; it has said so.
    Found,
    /// Accepted, but the state waited for was not reached in time.
    NotInTime,
}

impl From<Done> for ExitCode {
    fn from(done: Done) -> Self {
        match done {
            Done::Done => Self::SUCCESS,
            Done::Found => Self::from(1),
            Done::NotInTime => Self::from(3),
        }
    }
}

/// Why a command failed: one sentence that names field, file or entry and says what to do.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The sentence, or several lines where a message has several faults.
    pub(crate) reason: String,
    /// Whether the command line was wrong.
    pub(crate) usage: bool,
}

impl Failure {
    /// Refused or failed.
    pub(crate) fn new(reason: impl Display) -> Self {
        Self { reason: reason.to_string(), usage: false }
    }

    /// Wrong usage.
    pub(crate) fn usage(reason: impl Display) -> Self {
        Self { reason: reason.to_string(), usage: true }
    }

    /// The exit status.
    pub(crate) fn code(&self) -> ExitCode {
        ExitCode::from(if self.usage { 2 } else { 1 })
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let faults: Vec<&str> =
            refusal.faults.iter().filter(|fault| fault.refuses).map(|fault| fault.text.as_str()).collect();
        match faults.len() {
            0 | 1 => Self::new(refusal.reason),
            count => Self::new(format!("the message has {count} faults:\n  {}", faults.join("\n  "))),
        }
    }
}

impl From<FolderError> for Failure {
    fn from(error: FolderError) -> Self {
        Self::new(error)
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::PeerRefused(refusal) => refusal.into(),
            other => Self::new(other),
        }
    }
}

/// Prints one line. A reader that has gone (`| head`) ends the command without a word.
pub(crate) fn print(line: impl Display) {
    let mut out = std::io::stdout().lock();
    if writeln!(out, "{line}").and_then(|()| out.flush()).is_err() {
        std::process::exit(0);
    }
}

/// Prints one JSON value on one line.
pub(crate) fn print_json(value: &impl serde::Serialize) {
    print(serde_json::to_string(value).expect("answers are JSON"));
}

/// The answer of a command: JSON or text, as asked.
pub(crate) fn answer<T: serde::Serialize>(style: Style, value: &T, text: impl FnOnce(&T) -> String) {
    if style.json {
        print_json(value);
    } else {
        let text = text(value);
        print(text.trim_end_matches('\n'));
    }
}
