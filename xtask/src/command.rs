//! How tasks start other programs: without a keyboard, from the root of the tree, and read line by
//! line while the same lines go on to the screen.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Which of a program's two outputs is read on the way to the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// Standard output.
    Stdout,
    /// Standard error, where cargo-nextest writes its report.
    Stderr,
}

/// The root of the tree: the folder above this crate.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().expect("the crate stands in a folder of the tree").to_path_buf()
}

/// The folder of everything built, as cargo decides it.
pub(crate) fn target(root: &Path) -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root.join(folder),
        None => root.join("target"),
    }
}

/// Runs `command` to its end and calls `line` with each line of the `output` named, which is also
/// shown when `line` answers true. Returns whether the program ended well; a program that cannot be
/// started is reported and did not.
pub(crate) fn read_lines(command: &mut Command, output: Output, mut line: impl FnMut(&str) -> bool) -> bool {
    command.stdin(Stdio::null());
    match output {
        Output::Stdout => command.stdout(Stdio::piped()),
        Output::Stderr => command.stderr(Stdio::piped()),
    };
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            eprintln!("{} cannot be started: {error}", command.get_program().display());
            return false;
        }
    };
    let stream: Box<dyn std::io::Read> = match output {
        Output::Stdout => Box::new(child.stdout.take().expect("piped above")),
        Output::Stderr => Box::new(child.stderr.take().expect("piped above")),
    };
    for bytes in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
        let text = String::from_utf8_lossy(&bytes);
        if line(text.trim_end_matches('\r')) {
            match output {
                Output::Stdout => println!("{text}"),
                Output::Stderr => eprintln!("{text}"),
            }
        }
    }
    child.wait().is_ok_and(|status| status.success())
}

/// Runs `command` to its end, its output on the screen. Returns whether it ended well.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    match command.stdin(Stdio::null()).status() {
        Ok(status) => status.success(),
        Err(error) => {
            eprintln!("{} cannot be started: {error}", command.get_program().display());
            false
        }
    }
}

/// Whether `command` can be started and ends well; nothing is shown.
pub(crate) fn answers(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|s| s.success())
}

/// The trimmed output of a program, or `None` when it did not end well.
pub(crate) fn text(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

/// Cargo, as the toolchain that runs this task.
pub(crate) fn cargo(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_and_a_bad_end_is_told() {
        let mut lines = Vec::new();
        let ended =
            read_lines(Command::new("sh").args(["-c", "echo a; echo b; exit 3"]), Output::Stdout, |l| {
                lines.push(l.to_owned());
                false
            });
        assert_eq!(lines, ["a", "b"]);
        assert!(!ended);
    }

    #[test]
    fn a_program_that_is_not_there_did_not_end_well() {
        assert!(!read_lines(&mut Command::new("no-such-program-here"), Output::Stdout, |_| false));
        assert!(!answers(&mut Command::new("no-such-program-here")));
    }
}
