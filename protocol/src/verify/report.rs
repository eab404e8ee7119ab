//! What a check found, as values, as JSON and as a text for people.

use core::fmt::{self, Write as _};
use std::collections::{BTreeMap, BTreeSet};

use crate::entry::Clause;
use crate::names::{ChannelId, EntryId, Lane, LogKey, PartyId};

/// What the check comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verdict {
    /// No fault, and the words of every party agree.
    Valid,
    /// No fault, but words of at least one party were not given.
    ConsistentOnly,
    /// There is a fault.
    #[default]
    Forged,
}

impl Verdict {
    /// The word in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::ConsistentOnly => "consistent_only",
            Self::Forged => "forged",
        }
    }
}

macro_rules! fault_kinds {
    ($($name:ident $word:literal $says:literal),* $(,)?) => {
        /// Kinds of faults. Source: `spec/export.md`, section 4.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum FaultKind {
            $(#[doc = $says] $name),*
        }

        impl FaultKind {
            /// The word in JSON.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $word),* }
            }

            /// What is wrong, for people.
            const fn says(self) -> &'static str {
                match self { $(Self::$name => $says),* }
            }
        }
    };
}

fault_kinds! {
    Export "export" "the list of logs is missing, damaged or names a log that is not of this channel",
    Charter "charter" "a charter is damaged or does not follow the one before",
    Missing "missing" "a file that the export needs is missing",
    Unexpected "unexpected" "there is a file that does not belong to an export",
    Credential "credential" "a credential is damaged, not signed by its root, or does not follow the one before",
    Roster "roster" "a change of release keys is damaged or not in force",
    Length "length" "the files of a log do not hold as many entries as the export says",
    Leaf "leaf" "an entry is not the one that was hashed",
    Note "note" "a signed note is damaged or about another log or size",
    Root "root" "a signature was made over other entries than these",
    Signature "signature" "a signature does not verify",
    Unsigned "unsigned" "the log goes on after the last size that its party signed",
    Proof "proof" "a release proof is damaged",
    Blob "blob" "an attachment is damaged",
    Equivocation "equivocation" "a proof of two histories proves nothing",
    Words "words" "the words of a party are not those of its root keys",
}

/// The first thing wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The log's name, or the file's path outside logs; none for words.
    pub log: Option<String>,
    /// The entry's index, where there is one.
    pub index: Option<u64>,
    /// What is wrong.
    pub kind: FaultKind,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.says())?;
        if let Some(log) = &self.log {
            write!(f, ": {log}")?;
        }
        if let Some(index) = self.index {
            write!(f, ", entry {index}")?;
        }
        Ok(())
    }
}

/// A party of the channel and its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartyReport {
    /// Who.
    pub party: PartyId,
    /// Its code in the newest credential; with `~` and four characters of its name where two share one.
    pub code: String,
    /// The eight words of its root keys.
    pub words: String,
    /// Whether words were given and agree.
    pub compared: bool,
}

/// How far a log is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogReport {
    /// Its name.
    pub log: String,
    /// The same, read.
    pub key: LogKey,
    /// Entries that its own party signed.
    pub signed: u64,
    /// Entries that its party signed with ML-DSA too.
    pub post_quantum: u64,
    /// Entries that each other party says to hold.
    pub cosigned: BTreeMap<PartyId, u64>,
    /// Entries that each other party says to hold with ML-DSA too.
    pub cosigned_post_quantum: BTreeMap<PartyId, u64>,
}

/// A cosigner whose clock went back without its party saying so. Noted, no fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noted {
    /// The log cosigned.
    pub log: String,
    /// The cosigner.
    pub by: PartyId,
    /// The size of the receipt with the lower time.
    pub size: u64,
    /// The time of the receipt before, in seconds.
    pub from_s: u64,
    /// The lower time, in seconds.
    pub to_s: u64,
}

/// Releases of the valid spoken entries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Releases {
    /// The proof is in the export and satisfies the rule.
    pub shown: u64,
    /// The proof is asked for and missing, or it does not satisfy the rule.
    pub not_shown: u64,
    /// Nobody asks for it, and it is not there.
    pub not_asked: u64,
}

/// What the entries of an export say, counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordCounts {
    /// Void entries and the first clause each breaks, by log and index.
    pub void: Vec<(EntryId, Clause)>,
    /// Entries that this version does not understand.
    pub not_yet_understood: Vec<EntryId>,
    /// Entries of logs whose beginning cannot be read without another log.
    pub waiting: u64,
    /// Erased leaves.
    pub erased: u64,
    /// Entries whose writer had seen another history than the one exported.
    pub check_failed: Vec<EntryId>,
    /// How the valid spoken entries are released.
    pub releases: Releases,
    /// Parties that said their clock was set.
    pub clock_set: BTreeSet<PartyId>,
}

/// What a check found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What it comes to.
    pub verdict: Verdict,
    /// The channel, where the list of logs could be read.
    pub channel: Option<ChannelId>,
    /// Entries that the export lists.
    pub entries: u64,
    /// The parties of the channel.
    pub parties: Vec<PartyReport>,
    /// The logs that hold, up to the first fault.
    pub logs: Vec<LogReport>,
    /// What the entries say; empty when there is a fault.
    pub record: RecordCounts,
    /// Times of receipts that fall.
    pub noted: Vec<Noted>,
    /// The first fault.
    pub first_fault: Option<Fault>,
}

impl Report {
    fn code(&self, party: PartyId) -> &str {
        self.parties.iter().find(|known| known.party == party).map_or("?", |known| &known.code)
    }

    fn sizes(&self, out: &mut String, sizes: &BTreeMap<PartyId, u64>) {
        for (place, (party, size)) in sizes.iter().enumerate() {
            out.push(if place == 0 { '{' } else { ',' });
            let _ = write!(out, "{}:{size}", quoted(self.code(*party)));
        }
        out.push_str(if sizes.is_empty() { "{}" } else { "}" });
    }

    fn name(&self, log: &LogKey) -> String {
        self.channel.map_or_else(String::new, |channel| log.name(channel))
    }

    /// The report as one JSON object on one line.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut out =
            format!("{{\"verdict\":\"{}\",\"entries\":{},\"logs\":", self.verdict.word(), self.entries);
        array(&mut out, &self.logs, |out, log| {
            let _ = write!(out, "{{\"log\":{},\"signed\":{},\"cosigned\":", quoted(&log.log), log.signed);
            self.sizes(out, &log.cosigned);
            let _ = write!(out, ",\"post_quantum\":{},\"cosigned_post_quantum\":", log.post_quantum);
            self.sizes(out, &log.cosigned_post_quantum);
            out.push('}');
        });
        out.push_str(",\"first_fault\":");
        match &self.first_fault {
            None => out.push_str("null"),
            Some(fault) => {
                let log = fault.log.as_deref().map_or_else(|| "null".to_owned(), quoted);
                let index = fault.index.map_or_else(|| "null".to_owned(), |index| index.to_string());
                let _ = write!(out, "{{\"log\":{log},\"index\":{index},\"what\":\"{}\"}}", fault.kind.word());
            }
        }
        out.push_str(",\"parties\":");
        array(&mut out, &self.parties, |out, party| {
            let (code, words) = (quoted(&party.code), quoted(&party.words));
            let _ = write!(
                out,
                "{{\"code\":{code},\"party\":\"{}\",\"words\":{words},\"compared\":{}}}",
                party.party, party.compared
            );
        });
        let place = |out: &mut String, id: &EntryId| {
            let _ = write!(out, "{{\"log\":{},\"index\":{}", quoted(&self.name(&id.log)), id.index);
        };
        out.push_str(",\"void\":");
        array(&mut out, &self.record.void, |out, (id, clause)| {
            place(out, id);
            let _ = write!(out, ",\"clause\":\"{clause}\"}}");
        });
        for (key, list) in [
            ("not_yet_understood", &self.record.not_yet_understood),
            ("check_failed", &self.record.check_failed),
        ] {
            let _ = write!(out, ",\"{key}\":");
            array(&mut out, list, |out, id| {
                place(out, id);
                out.push('}');
            });
        }
        let (record, releases) = (&self.record, &self.record.releases);
        let _ = write!(
            out,
            ",\"waiting\":{},\"erased\":{},\"releases\":{{\"shown\":{},\"not_shown\":{},\"not_asked\":{}}},\"noted\":",
            record.waiting, record.erased, releases.shown, releases.not_shown, releases.not_asked
        );
        array(&mut out, &self.noted, |out, noted| {
            let (log, by) = (quoted(&noted.log), quoted(self.code(noted.by)));
            let (size, from, to) = (noted.size, noted.from_s, noted.to_s);
            let _ =
                write!(out, "{{\"log\":{log},\"by\":{by},\"size\":{size},\"from_s\":{from},\"to_s\":{to}}}");
        });
        out.push('}');
        out
    }
}

/// The report for people; logs are summed up by party and lane.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.verdict {
            Verdict::Valid => writeln!(f, "valid: {} entries in {} logs", self.entries, self.logs.len())?,
            Verdict::ConsistentOnly => writeln!(
                f,
                "consistent_only: {} entries in {} logs, consistent under these root keys, which you must compare",
                self.entries,
                self.logs.len()
            )?,
            Verdict::Forged => writeln!(f, "forged")?,
        }
        if let Some(fault) = &self.first_fault {
            return writeln!(f, "The first fault: {fault}.");
        }
        for party in &self.parties {
            let said = if party.compared { "words agree" } else { "words not compared" };
            writeln!(f, "  {}: {} ({said})", party.code, party.words)?;
        }
        self.fmt_logs(f)?;
        self.fmt_record(f)
    }
}

/// Logs of one party and lane together.
#[derive(Default)]
struct Sum {
    logs: usize,
    signed: u64,
    post_quantum: u64,
    cosigned: BTreeMap<PartyId, u64>,
}

impl Report {
    fn fmt_logs(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut sums = BTreeMap::<(PartyId, Lane), Sum>::new();
        for log in &self.logs {
            let sum = sums.entry((log.key.party, log.key.lane)).or_default();
            sum.logs += 1;
            sum.signed += log.signed;
            sum.post_quantum += log.post_quantum;
            for (party, size) in &log.cosigned {
                *sum.cosigned.entry(*party).or_default() += size;
            }
        }
        for ((party, lane), sum) in sums {
            let logs = if sum.logs == 1 { "log" } else { "logs" };
            write!(f, "{} {}: {} {logs}, {} entries", self.code(party), lane.word(), sum.logs, sum.signed)?;
            for (by, size) in sum.cosigned {
                write!(f, ", {size} receipted by {}", self.code(by))?;
            }
            writeln!(f, ", {} also signed with ML-DSA", sum.post_quantum)?;
        }
        writeln!(f, "Nothing can be said about entries after these.")
    }

    fn fmt_record(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (record, releases) = (&self.record, &self.record.releases);
        writeln!(
            f,
            "Releases: {} shown, {} not shown, {} not asked for",
            releases.shown, releases.not_shown, releases.not_asked
        )?;
        for (count, says) in [
            (record.void.len() as u64, "void"),
            (record.not_yet_understood.len() as u64, "not yet understood"),
            (record.waiting, "waiting for another log"),
            (record.erased, "erased"),
            (record.check_failed.len() as u64, "written in sight of another history"),
            (self.noted.len() as u64, "receipts whose time falls"),
        ] {
            if count > 0 {
                writeln!(f, "  {says}: {count}")?;
            }
        }
        let mut clauses = BTreeMap::<Clause, u64>::new();
        for (_, clause) in &record.void {
            *clauses.entry(*clause).or_default() += 1;
        }
        for (clause, count) in clauses {
            writeln!(f, "  void by `{clause}`: {count}")?;
        }
        Ok(())
    }
}

fn array<T>(out: &mut String, items: &[T], mut write: impl FnMut(&mut String, &T)) {
    out.push('[');
    for (place, item) in items.iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        write(out, item);
    }
    out.push(']');
}

/// A JSON string (RFC 8259, section 7).
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
