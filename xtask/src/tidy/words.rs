//! Words that must not stand in the tree: they speak of one machine or one build farm, not of the
//! product, and are wrong on every other machine.

use super::files::Tree;

/// The banned words, each with what it betrays. Add here. They are spelt in two halves, so that this
/// file does not name itself.
const BANNED: [(&str, &str); 11] = [
    (concat!("/wo", "rk/"), "a path of one machine"),
    (concat!("/ro", "ot/"), "a path of one machine"),
    (concat!("/Us", "ers/"), "a path of one machine"),
    (concat!("/fa", "rm/"), "a path of one machine"),
    (concat!("/tmp/", "h/"), "a path of one machine"),
    (concat!("/tmp/", "t/"), "a path of one machine"),
    (concat!("../sha", "red"), "a folder that is not part of the tree"),
    (concat!("static.cra", "tes.io"), "a host of a registry"),
    (concat!("registry.np", "mjs"), "a host of a registry"),
    (concat!("files.python", "hosted"), "a host of a registry"),
    (concat!("deb.deb", "ian.org"), "a host of a registry"),
];

/// Files written by machines, in which such words are data.
const EXEMPT: [&str; 3] = ["Cargo.lock", "package-lock.json", "go.sum"];

/// One sentence for each line with a banned word.
pub(crate) fn check(tree: &Tree) -> Vec<String> {
    let mut sentences = Vec::new();
    for (path, text) in &tree.files {
        if EXEMPT.iter().any(|name| path == name || path.ends_with(&format!("/{name}"))) {
            continue;
        }
        for (number, line) in text.lines().enumerate() {
            for (word, betrays) in BANNED.iter().filter(|(word, _)| line.contains(word)) {
                sentences.push(format!("{path}:{} says `{word}`, {betrays}", number + 1));
            }
        }
    }
    sentences
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_banned_word_is_named_with_its_line() {
        for (word, _) in BANNED {
            let tree = Tree::fake(&[("docs/a.md", &format!("fine\nsee {word}x\n"))]);
            assert!(check(&tree)[0].starts_with("docs/a.md:2 says"), "{word}");
        }
    }

    #[test]
    fn lock_files_may_name_where_packages_come_from() {
        let text = concat!("\"resolved\": \"https://registry.np", "mjs.org/x\"\n");
        assert_eq!(check(&Tree::fake(&[("console/package-lock.json", text)])), Vec::<String>::new());
        assert_eq!(check(&Tree::fake(&[("console/package.json", text)])).len(), 1);
    }
}
