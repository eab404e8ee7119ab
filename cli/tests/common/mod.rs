//! Two parties on this machine, each a folder and processes of the real command.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Longest wait for anything that should come.
pub(crate) const WITHIN: Duration = Duration::from_secs(30);

/// The command with these arguments.
pub(crate) fn command<I: AsRef<std::ffi::OsStr>>(args: &[I]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_detente"));
    command.args(args).stdin(Stdio::null());
    command
}

/// What a command answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Answer {
    fn of(output: Output) -> Self {
        Self {
            code: output.status.code().expect("it ended by itself"),
            out: String::from_utf8(output.stdout).expect("UTF-8"),
            err: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }

    /// The one JSON object it printed.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }
}

/// Runs the command to its end.
pub(crate) fn detente<I: AsRef<std::ffi::OsStr>>(args: &[I]) -> Answer {
    Answer::of(command(args).output().expect("the command starts"))
}

/// Runs the command, which must succeed.
pub(crate) fn done<I: AsRef<std::ffi::OsStr> + std::fmt::Debug>(args: &[I]) -> Answer {
    let answer = detente(args);
    assert_eq!(answer.code, 0, "{args:?}: {answer:?}");
    answer
}

/// Asks until the answer is there.
pub(crate) fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + WITHIN;
    loop {
        if let Some(found) = ask() {
            return found;
        }
        assert!(Instant::now() < until, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A party's folder with two officers and, when started, its node.
pub(crate) struct Party {
    pub(crate) dir: PathBuf,
    pub(crate) code: &'static str,
    pub(crate) words: String,
    pub(crate) one: PathBuf,
    pub(crate) two: PathBuf,
    /// The HTTP address for people.
    pub(crate) http: String,
    node: Option<Child>,
}

impl Party {
    /// A folder with officers `anna` (draft, release, watch) and `ben` (release, watch), credential exported.
    pub(crate) fn new(root: &Path, code: &'static str) -> Self {
        let dir = root.join(code);
        let name = format!("en={code}");
        let path = |path: &Path| path.to_str().expect("UTF-8").to_owned();
        done(&[
            "init",
            &path(&dir),
            "--code",
            code,
            "--name",
            &name,
            "--test",
            "--listen",
            "127.0.0.1:0",
            "--http",
            "127.0.0.1:0",
        ]);
        let (one, two) = (root.join(format!("{code}-anna.key")), root.join(format!("{code}-ben.key")));
        done(&[
            "officer",
            "add",
            &path(&dir),
            "anna",
            "--name",
            "Anna",
            "--roles",
            "draft,release,watch",
            "--key-file",
            &path(&one),
        ]);
        done(&[
            "officer",
            "add",
            &path(&dir),
            "ben",
            "--name",
            "Ben",
            "--roles",
            "draft,release,watch",
            "--key-file",
            &path(&two),
        ]);
        let credential = root.join(format!("{code}.credential"));
        let answer = done(&["credential", "export", &path(&dir), &path(&credential), "--json"]);
        let words = answer.json()["words"].as_str().expect("words").to_owned();
        Self { dir, code, words, one, two, http: String::new(), node: None }
    }

    pub(crate) fn folder(&self) -> &str {
        self.dir.to_str().expect("UTF-8")
    }

    pub(crate) fn key(&self) -> &str {
        self.one.to_str().expect("UTF-8")
    }

    pub(crate) fn second(&self) -> &str {
        self.two.to_str().expect("UTF-8")
    }

    /// Accepts the other's credential.
    pub(crate) fn knows(&self, other: &Self) {
        let credential = self.dir.with_file_name(format!("{}.credential", other.code));
        done(&["peer", "add", self.folder(), credential.to_str().expect("UTF-8"), "--words", &other.words]);
    }

    /// Starts the node and waits for its first line.
    pub(crate) fn start(&mut self) {
        let mut node = command(&["node", self.folder()]).stdout(Stdio::piped()).spawn().expect("it starts");
        let mut line = String::new();
        let mut out = BufReader::new(node.stdout.take().expect("piped"));
        out.read_line(&mut line).expect("a line");
        let ready: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error} in {line:?}"));
        assert_eq!(ready["ready"], true);
        assert_eq!(ready["party"], self.code);
        self.http = ready["http"].as_str().expect("an address").to_owned();
        self.node = Some(node);
    }

    /// Ends the node without a word, as a power cut would.
    pub(crate) fn kill(&mut self) {
        if let Some(mut node) = self.node.take() {
            node.kill().expect("it was running");
            node.wait().expect("it ended");
        }
    }

    /// How many entries the journal has.
    pub(crate) fn entries(&self, kind: &str) -> usize {
        let answer = done(&["journal", "show", self.folder(), "--json"]);
        let lines = answer.json()["lines"].as_array().expect("lines").clone();
        lines.iter().filter(|line| line["kind"] == kind).count()
    }
}

impl Drop for Party {
    fn drop(&mut self) {
        if let Some(node) = &mut self.node {
            let _ = node.kill();
            let _ = node.wait();
        }
    }
}

/// Two parties that know each other, with running nodes and an open channel "Line".
pub(crate) struct Pair {
    pub(crate) alt: Party,
    pub(crate) veg: Party,
    pub(crate) root: tempfile::TempDir,
}

impl Pair {
    pub(crate) fn new() -> Self {
        let root = tempfile::tempdir().expect("a folder");
        let mut alt = Party::new(root.path(), "ALT");
        let mut veg = Party::new(root.path(), "VEG");
        alt.knows(&veg);
        veg.knows(&alt);
        alt.start();
        veg.start();
        let charter = root.path().join("charter.toml");
        std::fs::write(&charter, CHARTER).expect("written");
        let charter = charter.to_str().expect("UTF-8");
        done(&[
            "channel",
            "propose",
            alt.folder(),
            charter,
            "--release",
            alt.key(),
            "--release",
            alt.second(),
        ]);
        wait_for("the proposal at VEG", || {
            let list = done(&["channel", "list", veg.folder(), "--json"]).json();
            list["channels"].as_array()?.first().map(|_| ())
        });
        done(&["channel", "ratify", veg.folder(), "Line", "--release", veg.key(), "--release", veg.second()]);
        for party in [&alt, &veg] {
            wait_for("the channel to open", || {
                let list = done(&["channel", "list", party.folder(), "--json"]).json();
                (list["channels"][0]["standing"] == "open").then_some(())
            });
        }
        Self { alt, veg, root }
    }

    /// A file in the test's folder.
    pub(crate) fn file(&self, name: &str, text: &str) -> String {
        let path = self.root.path().join(name);
        std::fs::write(&path, text).expect("written");
        path.to_str().expect("UTF-8").to_owned()
    }

    /// `send` from ALT with both officers and these further arguments.
    pub(crate) fn send(&self, message: &str, further: &[&str]) -> Answer {
        let alt = &self.alt;
        let mut args = vec!["send", alt.folder(), "--channel", "Line", "--message", message];
        args.extend(["--release", alt.key(), "--release", alt.second()]);
        args.extend(further);
        detente(&args)
    }
}

const CHARTER: &str = r#"
label = "Line"
parties = ["ALT", "VEG"]
level = "military"
subjects = ["nuclear", "tests"]
languages = { ALT = "en", VEG = "ru" }
formats = "all"
acknowledge_within = { flash = "2min", immediate = "10min", priority = "30min", routine = "8h" }
release = { default = 2 }
tests = { every = "1h" }
silent_after = "30d"
"#;

/// A launch notification a week from now, or so many days.
pub(crate) fn launch(days: i64) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    let day =
        detente_encoding::Timestamp::from_millis(now.as_millis() as i64 + days * 86_400_000).to_string();
    let date = &day[..10];
    format!(
        r#"{{ "precedence": "priority", "notification": {{ "format": "US-RU.BMLN", "edition": 1, "fields": {{
        "launch_date": "{date}", "vehicle": "SLBM", "launch_area": {{"ocean": "atlantic", "quadrant": 1}},
        "impact_areas": [ {{"circle": {{"center": [60.5, -17.9], "radius": 40, "unit": "nm"}}}} ] }} }} }}"#
    )
}
