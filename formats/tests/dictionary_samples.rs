//! The samples for the compression dictionary are texts that could be sent, and none is an example.

mod common;

use common::{example, message_files, text};
use detente_formats::{Catalogue, Language, Message};

#[test]
fn sixty_sentences_a_language_that_a_drafter_could_write() {
    for language in Language::ALL {
        let samples = text(&format!("dictionary/{}.txt", language.code()));
        assert_eq!(samples.lines().count(), 60, "{language:?}");
        for line in samples.lines() {
            let file = serde_json::json!({"note": {"lang": language.code(), "text": line}});
            let read = Message::from_json(&file.to_string(), Catalogue::embedded());
            assert!(read.is_ok(), "{language:?} {line}: {read:?}");
        }
    }
}

#[test]
fn no_example_shares_a_clause_with_the_samples() {
    // Six words in a row would be a clause that the dictionary was fitted to.
    let mut clauses = std::collections::BTreeSet::new();
    for language in Language::ALL {
        let samples = text(&format!("dictionary/{}.txt", language.code()));
        for line in samples.lines() {
            let words: Vec<String> = line.split_whitespace().map(str::to_lowercase).collect();
            clauses.extend(words.windows(6).map(|clause| clause.join(" ")));
        }
    }
    for name in message_files("examples") {
        let file = example(&name).to_json().to_string().to_lowercase();
        let words: Vec<&str> = file.split_whitespace().collect();
        for clause in words.windows(6) {
            assert!(!clauses.contains(&clause.join(" ")), "{name}: {clause:?}");
        }
    }
}
