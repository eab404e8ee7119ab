//! The tests of the console, in a browser. They exist from the day `console/package.json` does; until
//! then there is nothing to run, and nothing is counted.

use std::path::Path;
use std::process::Command;

use super::tally::{Counts, Required, Tally};
use crate::command;

const BROWSER: &str = "chromium";

/// Runs `npm test` of the console, with a Chromium of the system.
pub(crate) fn run(root: &Path, tally: &mut Tally, required: &Required) {
    let console = root.join("console");
    if !console.join("package.json").is_file() {
        return;
    }
    if !browser_is_here() {
        return tally.skip(required, BROWSER, "it is not installed, and apt-get could not install it");
    }
    let npm =
        |arguments: &[&str]| command::succeeds(Command::new("npm").current_dir(&console).args(arguments));
    let held = npm(&["ci", "--ignore-scripts", "--no-audit", "--no-fund"]) && npm(&["test"]);
    tally.add("the console", Counts { passed: u64::from(held), failed: u64::from(!held), skipped: 0 }, held);
}

fn browser_is_here() -> bool {
    let answers = || command::answers(Command::new(BROWSER).arg("--version"));
    let install = || {
        command::succeeds(Command::new("apt-get").args(["install", "-y", "--no-install-recommends", BROWSER]))
    };
    answers() || (install() && answers())
}
