//! Both readers on every export, and where they first differ.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use detente_crypto::SUITE_1;
use detente_protocol::export::MemoryFiles;
use detente_protocol::verify::{Anchor, verify};
use serde_json::{Value, json};

use crate::dice::Dice;
use crate::mutate::{KINDS, mutate};
use crate::story::{Export, tell};

/// What to compare.
pub(crate) struct Plan {
    pub(crate) reader: PathBuf,
    pub(crate) work: PathBuf,
    /// The command `detente`, asked about every tenth export too.
    pub(crate) detente: Option<PathBuf>,
    pub(crate) good: u64,
    pub(crate) mutated: u64,
    pub(crate) from: u64,
}

/// One export, and what the first reader says.
struct Case {
    seed: u64,
    what: String,
    folder: PathBuf,
    words: Vec<(String, String)>,
    ours: Value,
}

/// Compares; answers what was seen.
pub(crate) fn run(plan: &Plan) -> Result<String, String> {
    fs::create_dir_all(&plan.work).map_err(|error| format!("{}: {error}", plan.work.display()))?;
    let cases = make_all(plan)?;
    let theirs = ask_reader(plan, &cases)?;
    let mut seen = Seen::default();
    let apart: Vec<&Case> = cases
        .iter()
        .zip(&theirs)
        .filter(|(case, theirs)| case.ours != **theirs)
        .map(|(case, _)| case)
        .collect();
    if apart.len() > 1 {
        let seeds: Vec<u64> = apart.iter().map(|case| case.seed).collect();
        eprintln!("They differ on {} exports, seeds {seeds:?}. The first:", apart.len());
    }
    for (case, theirs) in cases.iter().zip(&theirs) {
        agree(case, "the reader in Go", theirs)?;
        if let Some(detente) = plan.detente.as_ref().filter(|_| case.seed.is_multiple_of(10)) {
            agree(case, "detente verify", &ask_detente(detente, case)?)?;
            seen.asked += 1;
        }
        seen.count(case);
    }
    for case in &cases {
        let _ = fs::remove_dir_all(&case.folder);
    }
    seen.demand(plan)
}

/// Makes and judges all exports, on all cores.
fn make_all(plan: &Plan) -> Result<Vec<Case>, String> {
    let total = plan.good + plan.mutated;
    let (next, made) = (AtomicU64::new(0), Mutex::new(Vec::new()));
    let work = || loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= total {
            return;
        }
        let case = make(plan, number);
        made.lock().expect("no thread panics while it holds the list").push((number, case));
    };
    std::thread::scope(|scope| {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    let mut made = made.into_inner().expect("all threads have ended");
    made.sort_by_key(|(number, _)| *number);
    made.into_iter().map(|(_, case)| case).collect()
}

fn make(plan: &Plan, number: u64) -> Result<Case, String> {
    let seed = plan.from + number;
    let Export { mut files, words, true_words } = tell(seed);
    let mut what = "good".to_owned();
    if number >= plan.good {
        let mut dice = Dice::new(!seed);
        let kind = (number - plan.good) as usize % KINDS;
        // What one export does not have, another draw finds.
        let done = (0..64).find_map(|_| mutate(&mut files, kind, &mut dice));
        what = done.ok_or_else(|| format!("seed {seed}: nothing to do mutation {kind} to"))?;
    } else if !true_words {
        "good, but the words are another's".clone_into(&mut what);
    }
    let anchors: Vec<Anchor<'_>> = words.iter().map(|(code, words)| Anchor { code, words }).collect();
    let ours = normal(&verify(&files, &anchors, SUITE_1).to_json())?;
    let folder = plan.work.join(format!("{seed:06}"));
    store(&files, &folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(Case { seed, what, folder, words, ours })
}

fn store(files: &MemoryFiles, folder: &Path) -> std::io::Result<()> {
    // What an earlier run left would be read as part of this export.
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    for (path, bytes) in &files.files {
        let path = folder.join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, bytes)?;
    }
    Ok(())
}

/// A verdict as both readers print it: lists in one order, and without what only people read.
fn normal(text: &str) -> Result<Value, String> {
    let mut value: Value = serde_json::from_str(text).map_err(|error| format!("no JSON: {error}: {text}"))?;
    let object = value.as_object_mut().ok_or_else(|| format!("no object: {text}"))?;
    object.remove("parties");
    for list in ["void", "not_yet_understood", "check_failed", "noted"] {
        if let Some(items) = object.get_mut(list).and_then(Value::as_array_mut) {
            items.sort_by_key(Value::to_string);
        }
    }
    Ok(value)
}

fn ask_reader(plan: &Plan, cases: &[Case]) -> Result<Vec<Value>, String> {
    let list = plan.work.join("list");
    let write = || -> std::io::Result<()> {
        let mut file = std::io::BufWriter::new(fs::File::create(&list)?);
        for case in cases {
            let words: serde_json::Map<String, Value> =
                case.words.iter().map(|(code, words)| (code.clone(), words.as_str().into())).collect();
            writeln!(file, "{}", json!({ "dir": case.folder, "words": words }))?;
        }
        file.flush()
    };
    write().map_err(|error| format!("{}: {error}", list.display()))?;
    let output = Command::new(&plan.reader).arg("verify").arg("--batch").arg(&list).output();
    let output = output.map_err(|error| format!("{}: {error}", plan.reader.display()))?;
    let _ = fs::remove_file(&list);
    let said = String::from_utf8_lossy(&output.stdout);
    let answers: Vec<Value> = said.lines().map(normal).collect::<Result<_, _>>()?;
    if answers.len() != cases.len() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        return Err(format!("the reader answered {} of {} exports: {complaint}", answers.len(), cases.len()));
    }
    Ok(answers)
}

fn ask_detente(detente: &Path, case: &Case) -> Result<Value, String> {
    let mut command = Command::new(detente);
    command.arg("verify").arg(&case.folder).arg("--json");
    for (code, words) in &case.words {
        command.arg("--party").arg(format!("{code}={words}"));
    }
    let output = command.output().map_err(|error| format!("{}: {error}", detente.display()))?;
    normal(String::from_utf8_lossy(&output.stdout).trim())
        .map_err(|error| format!("{error} {}", String::from_utf8_lossy(&output.stderr)))
}

/// An error that tells the difference.
fn agree(case: &Case, who: &str, theirs: &Value) -> Result<(), String> {
    if case.ours == *theirs {
        return Ok(());
    }
    let mut text = format!("Seed {}, {}: {}\n", case.seed, case.folder.display(), case.what);
    let (Some(ours), Some(others)) = (case.ours.as_object(), theirs.as_object()) else { return Err(text) };
    for key in ours.keys().chain(others.keys().filter(|key| !ours.contains_key(*key))) {
        let (ours, others) = (ours.get(key), others.get(key));
        if ours != others {
            let say = |value: Option<&Value>| value.map_or_else(|| "nothing".to_owned(), Value::to_string);
            text += &format!("  {key}\n    protocol::verify: {}\n    {who}: {}\n", say(ours), say(others));
        }
    }
    Err(text)
}

/// What the exports held: a check that met nothing would prove nothing.
#[derive(Default)]
struct Seen {
    asked: u64,
    forged: u64,
    entries: u64,
    good_forged: Vec<u64>,
    kinds: std::collections::BTreeMap<String, u64>,
}

impl Seen {
    fn add(&mut self, kind: &str, count: u64) {
        *self.kinds.entry(kind.to_owned()).or_default() += count;
    }

    fn count(&mut self, case: &Case) {
        let said = &case.ours;
        self.entries += said["entries"].as_u64().unwrap_or(0);
        let forged = said["verdict"] == "forged";
        if case.what == "good" && forged {
            self.good_forged.push(case.seed);
        }
        if forged {
            self.forged += 1;
            self.add(&format!("fault {}", said["first_fault"]["what"].as_str().unwrap_or("?")), 1);
            return;
        }
        for void in said["void"].as_array().into_iter().flatten() {
            self.add(&format!("void {}", void["clause"].as_str().unwrap_or("?")), 1);
        }
        for list in ["not_yet_understood", "check_failed", "noted"] {
            self.add(list, said[list].as_array().map_or(0, |items| items.len() as u64));
        }
        for count in ["waiting", "erased"] {
            self.add(count, said[count].as_u64().unwrap_or(0));
        }
        for count in ["shown", "not_shown", "not_asked"] {
            self.add(count, said["releases"][count].as_u64().unwrap_or(0));
        }
        let behind = |log: &&Value| log["post_quantum"].as_u64() < log["signed"].as_u64();
        let pending = said["logs"].as_array().into_iter().flatten().filter(behind).count();
        self.add("logs with ML-DSA pending", pending as u64);
        let files = |folder: &str| fs_count(&case.folder.join(folder));
        self.add("equivocations", files("equivocations"));
        self.add("roster changes", files("rosters"));
        self.add("exports of three parties", u64::from(files("credentials") > 2));
    }

    /// Both agreed; did they see enough?
    fn demand(&self, plan: &Plan) -> Result<String, String> {
        let mut text = format!(
            "{} exports of {} entries, {} forged; {} also asked of the command\n",
            plan.good + plan.mutated,
            self.entries,
            self.forged,
            self.asked
        );
        for (kind, count) in &self.kinds {
            text += &format!("  {kind}: {count}\n");
        }
        if !self.good_forged.is_empty() {
            return Err(format!("{text}Good exports were called forged: seeds {:?}", self.good_forged));
        }
        let wanted = [
            "void size",
            "void cbor",
            "void shape",
            "void generation",
            "void lane",
            "void seen",
            "void reference",
            "void to",
            "void expired",
            "void edition",
            "void ratify",
            "void suspended",
            "void restore",
            "void closed",
            "not_yet_understood",
            "check_failed",
            "noted",
            "waiting",
            "erased",
            "shown",
            "not_shown",
            "not_asked",
            "logs with ML-DSA pending",
            "equivocations",
            "roster changes",
            "exports of three parties",
            "fault leaf",
            "fault root",
            "fault signature",
            "fault note",
            "fault length",
            "fault words",
        ];
        let absent: Vec<&str> =
            wanted.into_iter().filter(|kind| self.kinds.get(*kind).is_none_or(|count| *count == 0)).collect();
        if plan.good >= 500 && plan.mutated >= 500 && !absent.is_empty() {
            return Err(format!("{text}No export held: {}", absent.join(", ")));
        }
        Ok(text + "Both readers agree on all.")
    }
}

fn fs_count(folder: &Path) -> u64 {
    fs::read_dir(folder).map_or(0, |entries| entries.count() as u64)
}
