//! Checks by other programs: every folder under `interop/` may hold an executable file `check`, which
//! compares our bytes with another implementation's. One that ends well is one test passed. It finds
//! Go in `$GO`, and the command in `$DETENTE_BIN`.

use std::path::Path;
use std::process::Command;

use super::go::{Go, folders_with};
use super::tally::{Counts, Required, Tally};
use crate::command;

/// Runs every `interop/*/check`.
pub(crate) fn run(root: &Path, go: Option<&Go>, tally: &mut Tally, required: &Required) {
    for folder in folders_with(&root.join("interop"), "check") {
        let name = format!("{}/check", folder.strip_prefix(root).unwrap_or(&folder).display());
        let Some(go) = go else {
            tally.skip(required, &name, "it needs Go");
            continue;
        };
        let held = command::succeeds(go.equip(Command::new("./check").current_dir(&folder)));
        println!("{name}: {}", if held { "held" } else { "FAILED" });
        tally.add(&name, Counts { passed: u64::from(held), failed: u64::from(!held), skipped: 0 }, held);
    }
}
