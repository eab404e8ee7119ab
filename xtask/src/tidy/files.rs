//! The files of the tree, and what can be said of each alone: length, crate page, manifest, marks of
//! unfinished work.

use std::collections::BTreeMap;
use std::path::Path;

use super::arrows::SHIMS;

/// The longest a source file may be. A page that long no longer fits in one mind.
const LINES_MAX: usize = 600;

/// Endings of source files.
const SOURCE: [&str; 4] = [".rs", ".go", ".ts", ".svelte"];

/// Folders that are built, fetched or found by machines.
const NOT_OURS: [&str; 7] = [".git", "target", "node_modules", "corpus", "artifacts", "coverage", "dist"];

/// All text files of the tree by path (with `/`), in order.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    /// Path and text.
    pub(crate) files: BTreeMap<String, String>,
}

impl Tree {
    /// Reads the tree at `root`. Files that are not UTF-8 are no text and are left out.
    pub(crate) fn read(root: &Path) -> Tree {
        let mut tree = Tree::default();
        tree.read_folder(root, "");
        tree
    }

    fn read_folder(&mut self, folder: &Path, prefix: &str) {
        let Ok(entries) = std::fs::read_dir(folder) else { return };
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = format!("{prefix}{name}");
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() && !NOT_OURS.contains(&name.as_str()) {
                self.read_folder(&entry.path(), &format!("{path}/"));
            } else if kind.is_file()
                && let Ok(text) = std::fs::read_to_string(entry.path())
            {
                self.files.insert(path, text);
            }
        }
    }

    /// The files whose path ends in one of the endings of source files.
    pub(crate) fn sources(&self) -> impl Iterator<Item = (&str, &str)> {
        let source = |path: &str| SOURCE.iter().any(|ending| path.ends_with(ending));
        self.files
            .iter()
            .filter(move |(path, _)| source(path))
            .map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// A tree made by hand.
    #[cfg(test)]
    pub(crate) fn fake(files: &[(&str, &str)]) -> Tree {
        Tree { files: files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect() }
    }
}

/// One sentence for each file that breaks a rule.
pub(crate) fn check(tree: &Tree) -> Vec<String> {
    let mut sentences = Vec::new();
    for (path, text) in tree.sources() {
        let lines = text.lines().count();
        if lines > LINES_MAX {
            sentences.push(format!(
                "{path} has {lines} lines, more than {LINES_MAX}: give each idea its own file"
            ));
        }
        sentences.extend(unfinished(path, text));
        sentences.extend(stand_in_suite(path, text));
    }
    for (path, text) in tree.files.iter().filter(|(path, _)| is_crate_page(path)) {
        if !text.starts_with("//!") {
            sentences.push(format!("{path} does not begin with `//!`: say what the crate is"));
        }
    }
    for (path, text) in tree.files.iter().filter(|(path, _)| is_member_manifest(path)) {
        // A shim exists because it cannot take them: its one interface needs `unsafe`.
        let shim = SHIMS.iter().any(|(shim, owner)| path == &format!("{owner}/{shim}/Cargo.toml"));
        if !shim && !text.contains("[lints]\nworkspace = true") {
            sentences.push(format!("{path} does not take the lints of the workspace, which forbid `unsafe`"));
        }
    }
    sentences
}

/// Marks of unfinished work. Spelt in two halves, so that this file does not name itself.
const UNFINISHED: [&str; 5] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("todo", "!("),
    concat!("unimplemented", "!("),
    concat!("#[ig", "nore"),
];

fn unfinished(path: &str, text: &str) -> Vec<String> {
    let mut sentences = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if let Some(mark) = UNFINISHED.iter().find(|mark| line.contains(**mark)) {
            sentences.push(format!("{path}:{} says `{mark}`: open work stands in docs/open.md", number + 1));
        }
    }
    sentences
}

/// The stand-in suite may be named where it is made, where worlds are simulated, and in tests.
fn stand_in_suite(path: &str, text: &str) -> Option<String> {
    let folder = path.split('/').next().unwrap_or_default();
    let allowed =
        matches!(folder, "crypto" | "simulation") || path.contains("/tests/") || path.contains("/benches/");
    let production = text.split("#[cfg(test)]").next().unwrap_or_default();
    let named = [concat!("SUITE", "_0"), concat!("Suite", "0")].iter().any(|name| production.contains(name));
    (named && !allowed)
        .then(|| format!("{path} names the stand-in suite of simulated worlds outside of tests"))
}

fn is_crate_page(path: &str) -> bool {
    let mut parts = path.split('/').rev();
    matches!(parts.next(), Some("lib.rs" | "main.rs")) && parts.next() == Some("src")
}

fn is_member_manifest(path: &str) -> bool {
    path.ends_with("/Cargo.toml") && !path.starts_with("fuzz/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_good_file_is_silent() {
        let tree = Tree::fake(&[
            ("node/src/lib.rs", "//! A page.\n"),
            ("node/Cargo.toml", "[package]\n\n[lints]\nworkspace = true\n"),
        ]);
        assert_eq!(check(&tree), Vec::<String>::new());
    }

    #[test]
    fn a_file_of_six_hundred_and_one_lines_is_named() {
        let long = "x\n".repeat(601);
        let tree = Tree::fake(&[("a/src/b.rs", &long), ("a/src/c.rs", &long[2..]), ("a/words.txt", &long)]);
        assert_eq!(check(&tree), ["a/src/b.rs has 601 lines, more than 600: give each idea its own file"]);
    }

    #[test]
    fn a_crate_without_a_page_is_named() {
        let tree = Tree::fake(&[("a/src/lib.rs", "pub mod b;\n"), ("a/src/b.rs", "fn x() {}\n")]);
        assert_eq!(check(&tree), ["a/src/lib.rs does not begin with `//!`: say what the crate is"]);
    }

    #[test]
    fn a_manifest_without_the_lints_is_named() {
        let tree = Tree::fake(&[("a/Cargo.toml", "[package]\n"), ("fuzz/Cargo.toml", "[package]\n")]);
        assert_eq!(
            check(&tree),
            ["a/Cargo.toml does not take the lints of the workspace, which forbid `unsafe`"]
        );
    }

    #[test]
    fn marks_of_unfinished_work_are_named_with_their_line() {
        for mark in UNFINISHED {
            let tree = Tree::fake(&[("a/src/b.rs", &format!("fine\n// {mark} later\n"))]);
            let loud = check(&tree);
            assert_eq!(loud.len(), 1, "{mark}");
            assert!(loud[0].starts_with("a/src/b.rs:2 says"), "{}", loud[0]);
        }
    }

    #[test]
    fn the_stand_in_suite_is_named_only_where_it_belongs() {
        let text = concat!("use detente_crypto::SUITE", "_0;\n");
        let in_tests = format!("fn x() {{}}\n#[cfg(test)]\nmod tests {{ {text} }}\n");
        let tree = Tree::fake(&[
            ("node/src/a.rs", text),
            ("node/src/b.rs", &in_tests),
            ("node/tests/c.rs", text),
            ("simulation/src/d.rs", text),
        ]);
        assert_eq!(
            check(&tree),
            ["node/src/a.rs names the stand-in suite of simulated worlds outside of tests"]
        );
    }
}
