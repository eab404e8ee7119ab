//! The worlds of the other tests as files, for whoever writes another reader.
//!
//! `DETENTE_WRITE_VECTORS=1 cargo test -p detente-protocol judge` writes them anew; without it the
//! files are read and judged once more, so that a change of behaviour shows as a changed file.
#![allow(clippy::disallowed_methods, reason = "tests read and write the vectors beside the specification")]

use super::*;
use detente_encoding::text::{from_hex, hex};
use std::path::PathBuf;

/// One entry and what it was judged to be.
pub(super) struct Step {
    pub(super) log: LogKey,
    pub(super) entry: Vec<u8>,
    pub(super) verdict: Verdict,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../spec/vectors/entry")
}

fn word(verdict: Verdict) -> String {
    match verdict {
        Verdict::Valid => "valid".to_owned(),
        Verdict::Void(clause) => format!("void:{clause}"),
        Verdict::NotYetUnderstood => "not-yet-understood".to_owned(),
        Verdict::Waiting => "waiting".to_owned(),
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let wanted = std::env::var_os("DETENTE_WRITE_VECTORS").is_some() && !std::thread::panicking();
        let test = std::thread::current().name().map(str::to_owned);
        let (true, Some(test)) = (wanted, test) else { return };
        let name = test.rsplit("::").next().unwrap_or("unnamed").to_owned();
        let parties: Vec<String> = self.parties.iter().map(|party| format!("\"{party}\"")).collect();
        let steps: Vec<String> = self
            .steps
            .iter()
            .map(|step| {
                format!(
                    "    {{\"log\": \"{}\", \"verdict\": \"{}\", \"entry\": \"{}\"}}",
                    step.log.name(CHANNEL),
                    word(step.verdict),
                    hex(&step.entry)
                )
            })
            .collect();
        let text = format!(
            "{{\n  \"channel\": \"{CHANNEL}\",\n  \"parties\": [{}],\n  \"judged_in_this_order\": [\n{}\n  ]\n}}\n",
            parties.join(", "),
            steps.join(",\n")
        );
        let mut path = folder().join(format!("{name}.json"));
        let mut copy = 2;
        while path.exists() && std::fs::read_to_string(&path).is_ok_and(|held| held != text) && copy < 100 {
            path = folder().join(format!("{name}_{copy}.json"));
            copy += 1;
        }
        std::fs::write(path, text).expect("the folder of the vectors can be written");
    }
}

/// The value of `"key": "…"` in a line that this file wrote.
fn field<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    let (_, rest) = line.split_once(&format!("\"{key}\": \""))?;
    rest.split_once('"').map(|(value, _)| value)
}

#[test]
fn the_vectors_are_judged_as_they_say() {
    let mut files = 0;
    let mut clauses = std::collections::BTreeSet::new();
    for file in std::fs::read_dir(folder()).expect("the vectors are there") {
        let path = file.expect("readable").path();
        let text = std::fs::read_to_string(&path).expect("readable");
        let parties: Arc<[PartyId]> = text
            .lines()
            .find(|line| line.contains("\"parties\""))
            .expect("names its parties")
            .split('"')
            .filter_map(PartyId::parse)
            .collect();
        let mut world = World {
            parties,
            judges: BTreeMap::new(),
            tables: BTreeMap::new(),
            acts: Acts::default(),
            steps: Vec::new(),
        };
        for line in text.lines().filter(|line| line.contains("\"entry\"")) {
            let (_, log) = LogKey::parse(field(line, "log").expect("a log")).expect("a log name");
            let entry = from_hex(field(line, "entry").expect("an entry")).expect("hexadecimal");
            let verdict = word(world.put_bytes(log, &entry));
            assert_eq!(Some(verdict.as_str()), field(line, "verdict"), "{}: {line}", path.display());
            clauses.insert(verdict);
        }
        // Read vectors are not written again.
        std::mem::forget(world);
        files += 1;
    }
    assert!(files >= 15, "only {files} vectors");
    for clause in Clause::ALL {
        assert!(clauses.contains(&format!("void:{clause}")), "no vector breaks clause {clause}");
    }
}
