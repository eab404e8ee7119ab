//! `cargo xtask tidy`: the rules of the tree that no compiler checks.
//!
//! Every check answers with sentences, one per broken rule; no sentence means the tree is tidy. All
//! checks run, so that one run names everything.

mod arrows;
mod files;
mod graph;
mod pages;
mod pure;
mod words;

use std::path::Path;
use std::process::{Command, ExitCode};

/// Runs all checks and prints the sentences.
pub(crate) fn run(root: &Path) -> ExitCode {
    let graph = match graph::Graph::of_workspace(root) {
        Ok(graph) => graph,
        Err(reason) => {
            eprintln!("tidy: {reason}");
            return ExitCode::FAILURE;
        }
    };
    let tree = files::Tree::read(root);
    let mut sentences = arrows::check(&graph);
    sentences.extend(pure::check_dependencies(&graph));
    sentences.extend(pure::check_bans(&tree));
    sentences.extend(files::check(&tree));
    sentences.extend(words::check(&tree));
    sentences.extend(pages::check(&tree));
    sentences.extend(check_lock(root, &tree));
    for sentence in &sentences {
        eprintln!("tidy: {sentence}");
    }
    if sentences.is_empty() {
        println!("tidy: {} crates and {} files, nothing to say", graph.crates().count(), tree.files.len());
        return ExitCode::SUCCESS;
    }
    eprintln!("tidy: {} broken", sentences.len());
    ExitCode::FAILURE
}

/// The lock file is part of the source: without it two builds of one commit differ.
fn check_lock(root: &Path, tree: &files::Tree) -> Vec<String> {
    if !tree.files.contains_key("Cargo.lock") {
        return vec![
            "Cargo.lock is missing: commit it, so that two builds of one commit are one build".into(),
        ];
    }
    let in_git = root.join(".git").exists();
    let tracked = || {
        let mut git = Command::new("git");
        crate::command::answers(git.current_dir(root).args(["ls-files", "--error-unmatch", "Cargo.lock"]))
    };
    if in_git && !tracked() {
        return vec!["Cargo.lock is not committed".into()];
    }
    Vec::new()
}
