//! What the audience sees: one telling for people and for programs.
//!
//! [`Told`] is everything that can happen; with `--json` it is printed as it is, one object a line.
//! While something is waited for, the error output says what, so that a full second is never silent.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use serde::Serialize;

use super::paper::{COLUMNS, columns, wrap};
use crate::answer::{Failure, print, print_json};

/// How often a node is asked whether something has come true.
const ASK_EVERY: Duration = Duration::from_millis(20);
/// How long anything may take before the demonstration is given up.
const WITHIN: Duration = Duration::from_secs(30);
/// From when on waiting is shown.
const QUIET: Duration = Duration::from_millis(600);
/// Column at which what is told begins.
const MARGIN: usize = 19;

/// One thing that happened. Moments are RFC 3339 in UTC, as nodes give them.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "told", rename_all = "snake_case")]
pub(crate) enum Told {
    /// The beginning.
    Begin { folder: String },
    /// A party's folder was made, with its officers' keys, and its credential signed.
    Party { party: String, name: String, about: String, language: String, words: String },
    /// Credentials were exchanged and their words compared.
    Acquainted { credentials: usize },
    /// All nodes run; addresses of their links by party.
    Nodes { listen: BTreeMap<String, String> },
    /// All parties ratified a charter.
    Opened { label: String, channel: String, parties: Vec<String>, names: Vec<String> },
    /// A scene begins.
    Scene { number: usize, scene: String, title: String, story: String },
    /// Two officers let a message go.
    Released {
        party: String,
        name: String,
        officers: Vec<String>,
        reference: String,
        entry: String,
        format: String,
        precedence: String,
        lane: String,
        to: Vec<String>,
        names: Vec<String>,
        at: String,
        label: String,
    },
    /// A party's node holds it, by the receipt that the sender's node shows; and that node's verdict
    /// on the release.
    Delivered {
        party: String,
        name: String,
        reference: String,
        at: String,
        release: String,
        keys: Vec<u16>,
        file_key: bool,
    },
    /// A party has not received it: its node is away.
    NotDelivered { party: String, name: String, reference: String, shown_to: String },
    /// A person opened it and reads this.
    Read {
        party: String,
        name: String,
        officer: String,
        reference: String,
        language: String,
        exercise: bool,
        at: String,
        text: String,
    },
    /// What it refers to is nothing that this party holds.
    RefersElsewhere { party: String, name: String, reference: String, shown: String },
    /// A person has taken it over.
    Acknowledged {
        party: String,
        name: String,
        officer: String,
        reference: String,
        at: String,
        shown_to: String,
    },
    /// The duty officer who sent it sees who received it.
    Receipt {
        party: String,
        name: String,
        officer: String,
        reference: String,
        received_by: String,
        at: String,
    },
    /// The clock of a message runs.
    Clock { party: String, name: String, reference: String, due: String, left_s: i64 },
    /// It has stopped in time.
    ClockMet { party: String, name: String, reference: String, due: String, at: String, spare_s: i64 },
    /// Parts add up.
    Sum {
        party: String,
        name: String,
        reference: String,
        total: String,
        parts: Vec<u64>,
        sum: u64,
        told_sum: u64,
    },
    /// A node was stopped.
    Away { party: String, name: String },
    /// Another sees every path to it down: kind of path and why.
    PathsDown { party: String, name: String, to: String, paths: BTreeMap<String, String> },
    /// It is there again and holds what it missed.
    CaughtUp { party: String, name: String, references: Vec<String>, after_ms: u64 },
    /// The journal follows.
    Journal { label: String, shown_by: String },
    /// A line of the journal.
    JournalLine {
        at: String,
        reference: String,
        party: String,
        name: String,
        kind: String,
        format: Option<String>,
    },
    /// The journal was exported.
    Exported { folder: String, entries: u64, logs: usize },
    /// An export was checked.
    Verified { folder: String, verdict: String, entries: u64, logs: usize, parties: Vec<(String, String)> },
    /// One byte of a copy was altered.
    Altered {
        folder: String,
        file: String,
        offset: usize,
        from: u8,
        to: u8,
        reference: String,
        meaning: String,
    },
    /// The check of the copy names the entry.
    Found {
        verdict: String,
        log: String,
        index: u64,
        what: String,
        reference: String,
        name: String,
        lane: String,
        sentence: String,
    },
    /// The end.
    End { folder: Option<String> },
}

/// Where it is told.
#[derive(Debug)]
pub(crate) struct Transcript {
    json: bool,
    terminal: bool,
    started: Instant,
}

impl Transcript {
    /// Begins now.
    pub(crate) fn new(json: bool) -> Self {
        Self { json, terminal: std::io::stderr().is_terminal(), started: Instant::now() }
    }

    /// Tells one thing.
    pub(crate) fn tell(&mut self, told: &Told) {
        if self.json {
            let elapsed = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
            let mut value = serde_json::to_value(told).expect("it has only text and numbers");
            value["elapsed_ms"] = elapsed.into();
            print_json(&value);
        } else {
            self.show(told);
        }
    }

    /// Asks until there is an answer; says what is waited for when that takes a while.
    ///
    /// # Errors
    /// What the question answers, or a sentence when nothing came in time.
    pub(crate) async fn until<T>(
        &mut self,
        what: &str,
        mut ask: impl AsyncFnMut() -> Result<Option<T>, Failure>,
    ) -> Result<T, Failure> {
        let began = Instant::now();
        let mut shown = 0;
        loop {
            if let Some(found) = ask().await? {
                self.clear(shown > 0);
                return Ok(found);
            }
            let waited = began.elapsed();
            if waited > WITHIN {
                self.clear(shown > 0);
                return Err(Failure::new(format!("waited {} s in vain for {what}", WITHIN.as_secs())));
            }
            self.waiting(what, waited, &mut shown);
            tokio::time::sleep(ASK_EVERY).await;
        }
    }

    /// Shows that `what` is waited for; on a terminal ten times a second, else every five seconds.
    pub(crate) fn waiting(&self, what: &str, waited: Duration, shown: &mut u32) {
        let tenths = u32::try_from(waited.as_millis() / 100).unwrap_or(u32::MAX);
        let due = if self.terminal { tenths } else { 1 + tenths / 50 };
        if waited < QUIET || due <= *shown {
            return;
        }
        *shown = due;
        let seconds = waited.as_secs_f32();
        let mut out = std::io::stderr().lock();
        let _ = match self.terminal {
            true => write!(out, "\r\x1b[K{:MARGIN$}… {what}, {seconds:.1} s", ""),
            false => writeln!(out, "… {what}, {seconds:.1} s"),
        };
        let _ = out.flush(); // Progress that cannot be shown is no reason to stop.
    }

    /// Takes the line of waiting away again.
    pub(crate) fn clear(&self, shown: bool) {
        if shown && self.terminal {
            let mut out = std::io::stderr().lock();
            let _ = write!(out, "\r\x1b[K");
            let _ = out.flush();
        }
    }

    /// A line with the time since the start and who acts; what is long goes on below.
    fn line(&self, who: &str, what: &str) {
        let seconds = self.started.elapsed().as_secs_f32();
        let head = format!("{seconds:>6.1}  {who:<9}");
        let gap = MARGIN.saturating_sub(columns(&head));
        for (place, part) in wrap(what, COLUMNS - MARGIN).into_iter().enumerate() {
            match place {
                0 => print(format!("{head}{:gap$}{part}", "")),
                _ => print(format!("{:MARGIN$}{part}", "")),
            }
        }
    }

    fn paragraph(text: &str) {
        wrap(text, COLUMNS - 4).iter().for_each(|line| print(format!("  {line}")));
    }

    fn show(&self, told: &Told) {
        match told {
            Told::Begin { .. } => {
                print("Détente: a demonstration\n");
                Self::paragraph(
                    "Four nodes on this machine, each with its own folder, keys and journal, over TLS on \
                     QUIC and TCP. Every message is a drill and bears its mark. The first column counts \
                     seconds; everything told here was answered by a node.",
                );
                print("");
            }
            Told::Party { name, party, about, words, .. } => {
                self.line(name, &format!("{party}: {about}"));
                self.line("", &format!("words: {words}"));
            }
            Told::Acquainted { credentials } => {
                self.line("all", &format!("{credentials} credentials exchanged, their words compared"));
            }
            Told::Nodes { listen } => {
                self.line("all", &format!("{} nodes run, each in its folder", listen.len()));
            }
            Told::Opened { label, names, .. } => {
                self.line("all", &format!("channel “{label}” is open: ratified by {}", names.join(", ")));
            }
            Told::Scene { number, title, story, .. } => {
                print(format!("\n\n{number}. {title}\n"));
                Self::paragraph(story);
                print("");
            }
            Told::Released { name, officers, reference, format, precedence, label, names, .. } => {
                let (to, officers) = (names.join(", "), officers.join(" and "));
                self.line(name, &format!("{reference} released by {officers}"));
                self.line("", &format!("{format}, {precedence}, exercise lane of “{label}”, to {to}"));
            }
            Told::Delivered { name, reference, at, release, keys, file_key, .. } => {
                let keys: Vec<String> = keys.iter().map(u16::to_string).collect();
                let (keys, kind) = (keys.join(" and "), if *file_key { "file keys" } else { "keys" });
                self.line(name, &format!("{reference} received at {}", clock(at)));
                self.line("", &format!("release by {kind} {keys}: {release}"));
            }
            Told::NotDelivered { name, reference, shown_to, .. } => {
                self.line(name, &format!("{reference} not received; {shown_to} sees so"));
            }
            Told::Read { name, officer, language, at, text, .. } => {
                self.line(
                    name,
                    &format!("opened by {officer} at {}, in {}:", clock(at), language_name(language)),
                );
                print("");
                quote(text);
                print("");
            }
            Told::RefersElsewhere { name, shown, .. } => {
                self.line(
                    name,
                    &format!("what it refers to stands {shown}: the station sees that, and no more"),
                );
            }
            Told::Acknowledged { name, officer, reference, at, shown_to, .. } => {
                let seen = format!("{shown_to} sees it");
                self.line(name, &format!("{reference} taken over by {officer} at {}; {seen}", clock(at)));
            }
            Told::Receipt { name, officer, reference, received_by, at, .. } => {
                self.line(
                    name,
                    &format!(
                        "{officer} on watch sees: {reference} held by {received_by} since {}",
                        clock(at)
                    ),
                );
            }
            Told::Clock { name, due, left_s, .. } => {
                self.line("clock", &format!("{name} must take it over by {}: {left_s} s left", clock(due)));
            }
            Told::ClockMet { name, at, spare_s, .. } => {
                self.line("clock", &format!("met by {name} at {}, with {spare_s} s to spare", clock(at)));
            }
            Told::Sum { name, total, parts, sum, told_sum, .. } => {
                let parts: Vec<String> = parts.iter().map(u64::to_string).collect();
                let judged = if sum == told_sum { "as told" } else { "not as told" };
                self.line(name, &format!("{total}: {} = {sum}, {judged}", parts.join(" + ")));
            }
            Told::Away { name, .. } => self.line(name, "its node is stopped"),
            Told::PathsDown { name, to, paths, .. } => {
                let paths: Vec<String> = paths.iter().map(|(kind, why)| format!("{kind}: {why}")).collect();
                self.line(name, &format!("sees no path to {to} any more ({})", paths.join("; ")));
            }
            Told::CaughtUp { name, references, after_ms, .. } => {
                let seconds = *after_ms as f32 / 1000.0;
                let missed = references.join(", ");
                self.line(
                    name,
                    &format!("started again; after {seconds:.1} s it holds what it missed: {missed}"),
                );
            }
            Told::Journal { label, shown_by } => {
                print(format!("\n\nThe joint journal of “{label}”, as {shown_by} holds it\n"));
            }
            Told::JournalLine { at, reference, name, kind, format, .. } => {
                let what = format.as_deref().unwrap_or(kind);
                print(format!("  {}  {name:<8} {reference:<18} {what}", clock(at)));
            }
            Told::Exported { folder, entries, logs } => {
                print("\n\nThe proof\n");
                self.line(
                    "export",
                    &format!("{entries} entries of {logs} logs, with every receipt, in {folder}"),
                );
            }
            Told::Verified { verdict, entries, logs, parties, .. } => {
                self.line("verify", &format!("{verdict}: {entries} entries in {logs} logs"));
                for (code, words) in parties {
                    self.line("", &format!("{code}: {words} (words agree)"));
                }
            }
            Told::Altered { file, offset, from, to, reference, meaning, .. } => {
                self.line("forger", &format!("in a copy, one byte of {reference} is altered: {meaning}"));
                self.line("", &format!("{}, byte {offset}: {from:02x} is now {to:02x}", short(file)));
            }
            Told::Found { verdict, index, reference, name, lane, sentence, .. } => {
                self.line("verify", &format!("{verdict}: {}", short(sentence)));
                let which = format!("number {index} of that log, {reference}");
                self.line("", &format!("first bad entry: {which}, in {name}'s {lane} lane"));
            }
            Told::End { folder } => {
                let seconds = self.started.elapsed().as_secs_f32();
                print(format!("\nAll of it came true, in {seconds:.1} s."));
                if let Some(folder) = folder {
                    print(format!("The folders of the nodes and both exports stay in {folder}."));
                    print(format!(
                        "Look yourself: detente verify {folder}/export; the console comes with a later version."
                    ));
                }
            }
        }
    }
}

/// A rendered message behind a bar; what is long goes on indented.
fn quote(text: &str) {
    const BAR: &str = "      │ ";
    for line in text.lines() {
        for (place, part) in wrap(line, COLUMNS - columns(BAR) - 3).iter().enumerate() {
            let indent = if place == 0 { "" } else { "   " };
            print(format!("{BAR}{indent}{part}").trim_end());
        }
    }
}

/// A text in which long names of parties and channels are shortened: for the eye, never for a command.
fn short(text: &str) -> String {
    let part = |part: &str| match part.split_at_checked(8) {
        Some((begin, rest)) if part.len() == 52 && rest.is_ascii() => format!("{begin}…"),
        _ => part.to_owned(),
    };
    text.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// The clock time of a moment: `23:32:10 UTC`.
fn clock(at: &str) -> String {
    let time = at.split_once('T').map_or(at, |(_, time)| time);
    format!("{} UTC", time.get(..8).unwrap_or(time))
}

fn language_name(code: &str) -> &str {
    match code {
        "en" => "English",
        "ru" => "Russian",
        "zh" => "Chinese",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_shown_as_its_clock_time() {
        assert_eq!(clock("2027-03-13T09:30:02.250Z"), "09:30:02 UTC");
        assert_eq!(clock("2027-03-13T09:30:02Z"), "09:30:02 UTC");
    }

    #[test]
    fn what_is_told_names_itself_in_json() {
        let told = Told::Away { party: "RIG".to_owned(), name: "Rigel".to_owned() };
        assert_eq!(serde_json::to_value(&told).expect("text")["told"], "away");
    }
}
