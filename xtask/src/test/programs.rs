//! Checks by other programs: every folder under `interop/` may hold an executable file `check`, which
//! compares our bytes with another implementation's. One that ends well is one test passed.

use std::path::Path;
use std::process::Command;

use super::go::folders_with;
use super::tally::{Counts, Tally};
use crate::command;

/// Runs every `interop/*/check`.
pub(crate) fn run(root: &Path, tally: &mut Tally) {
    for folder in folders_with(&root.join("interop"), "check") {
        let name = folder.strip_prefix(root).unwrap_or(&folder).display().to_string();
        let held = command::succeeds(Command::new("./check").current_dir(&folder));
        println!("{name}/check: {}", if held { "held" } else { "FAILED" });
        tally.add(&name, Counts { passed: u64::from(held), failed: u64::from(!held), skipped: 0 }, held);
    }
}
