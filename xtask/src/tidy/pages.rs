//! Pages and vectors: a decision has four headings, a link leads somewhere, a vector is JSON with a
//! name that can be said.

use super::files::Tree;

/// The headings of a page in `docs/decisions/`.
const HEADINGS: [&str; 4] = ["context", "options", "choice", "cost"];

/// One sentence for each page, link or vector that breaks a rule.
pub(crate) fn check(tree: &Tree) -> Vec<String> {
    let mut sentences = Vec::new();
    for (path, text) in &tree.files {
        if path.starts_with("docs/decisions/") && path.ends_with(".md") {
            sentences.extend(check_decision(path, text));
        }
        if path.ends_with(".md") {
            sentences.extend(check_links(tree, path, text));
        }
        if path.starts_with("spec/vectors/") && path.ends_with(".json") {
            sentences.extend(check_vector(path, text));
        }
    }
    sentences
}

fn check_decision(path: &str, text: &str) -> Vec<String> {
    let headings: Vec<String> =
        text.lines().filter_map(|line| line.strip_prefix("## ")).map(|h| h.trim().to_lowercase()).collect();
    let missing = HEADINGS.iter().filter(|heading| !headings.iter().any(|h| h == *heading));
    missing.map(|heading| format!("{path} has no heading `## {heading}`")).collect()
}

/// Links within the tree; addresses and places within a page are left to the reader.
fn check_links(tree: &Tree, path: &str, text: &str) -> Vec<String> {
    let mut sentences = Vec::new();
    for piece in text.split("](").skip(1) {
        let target = piece.split([')', '#', ' ']).next().unwrap_or_default();
        if target.is_empty() || target.contains("://") || target.starts_with("mailto:") {
            continue;
        }
        let goal = join(path, target);
        let folder = format!("{}/", goal.trim_end_matches('/'));
        if !tree.files.contains_key(&goal) && !tree.files.keys().any(|other| other.starts_with(&folder)) {
            sentences.push(format!("{path} links to {target}, which is not there"));
        }
    }
    sentences
}

/// The path of `target` as seen from the page at `path`.
fn join(path: &str, target: &str) -> String {
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    parts.join("/")
}

fn check_vector(path: &str, text: &str) -> Option<String> {
    let name = path.rsplit('/').next().unwrap_or_default();
    let sayable = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-.".contains(&b));
    if !sayable {
        return Some(format!("{path}: the name of a vector is its case or its defect, in lower case"));
    }
    let error = serde_json::from_str::<serde_json::Value>(text).err()?;
    Some(format!("{path} is not JSON: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_without_its_cost_is_named() {
        let good = "# A\n## Context\n## Options\n## Choice\n## Cost\n";
        let tree = Tree::fake(&[
            ("docs/decisions/a.md", good),
            ("docs/decisions/b.md", &good.replace("## Cost", "Cost")),
        ]);
        assert_eq!(check(&tree), ["docs/decisions/b.md has no heading `## cost`"]);
    }

    #[test]
    fn a_link_to_nowhere_is_named_and_others_are_not() {
        let page =
            "[a](b.md) [c](../spec/) [d](https://example.org/x) [e](#there) [f](b.md#here) [g](gone.md)";
        let tree = Tree::fake(&[("docs/a.md", page), ("docs/b.md", ""), ("spec/log.md", "")]);
        assert_eq!(check(&tree), ["docs/a.md links to gone.md, which is not there"]);
    }

    #[test]
    fn a_vector_must_be_json_with_a_name_that_can_be_said() {
        let tree = Tree::fake(&[
            ("spec/vectors/entry/good.json", "{}"),
            ("spec/vectors/entry/Bad Name.json", "{}"),
            ("spec/vectors/entry/torn.json", "{"),
        ]);
        let loud = check(&tree);
        assert_eq!(loud.len(), 2);
        assert!(loud[0].contains("Bad Name") && loud[1].contains("torn.json is not JSON"));
    }
}
