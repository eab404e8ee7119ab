//! `cargo xtask test`: every test of every language, one build, one last line.
//!
//! What cannot run here is skipped and counted; nothing passes by being skipped. The environment
//! variable `DETENTE_REQUIRE` names what must run (`go`, `chromium`, `nothing-ignored`, by comma, or
//! `all`) and turns its skip into a failure with a sentence.

mod console;
mod go;
mod programs;
mod rust;
mod tally;

use std::path::Path;
use std::process::ExitCode;

use tally::{Required, Tally};

/// How much is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Everything.
    Everything,
    /// The tests in Rust alone, without examples in pages; the rest is counted as skipped.
    Fast,
}

/// Runs the tests and prints `N passed, N failed, N skipped` as the very last line.
pub(crate) fn run(root: &Path, extent: Extent) -> ExitCode {
    let required = Required::from_environment();
    let mut tally = Tally::default();
    rust::run(root, &mut tally, &required);
    if extent == Extent::Fast {
        for what in ["doc", "go", "programs", "chromium"] {
            tally.skip(&required, what, "left out by --fast");
        }
    } else {
        rust::run_doc(root, &mut tally);
        let go = go::run(root, &mut tally, &required);
        programs::run(root, go.as_ref(), &mut tally, &required);
        console::run(root, &mut tally, &required);
    }
    for sentence in tally.sentences() {
        eprintln!("{sentence}");
    }
    println!("{tally}");
    if tally.failed > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
