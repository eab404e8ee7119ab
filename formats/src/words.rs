//! The wordings that belong to no single format: headings, units, faults, in six languages.
//!
//! One file a language in `words/`, each with the same keys; a test compares them. They are drafts
//! until the parties of a channel approve them, and every rendering says so.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::language::Language;

static FILES: [&str; 6] = [
    include_str!("../words/en.toml"),
    include_str!("../words/zh.toml"),
    include_str!("../words/ru.toml"),
    include_str!("../words/fr.toml"),
    include_str!("../words/ar.toml"),
    include_str!("../words/es.toml"),
];

static WORDS: LazyLock<[Words; 6]> = LazyLock::new(|| FILES.map(Words::read));

/// The wordings of one language.
#[derive(Debug)]
pub(crate) struct Words {
    texts: BTreeMap<String, String>,
}

/// The wordings of `language`.
pub(crate) fn words(language: Language) -> &'static Words {
    &WORDS[language.index()]
}

impl Words {
    fn read(text: &str) -> Self {
        let tables: BTreeMap<String, BTreeMap<String, String>> =
            toml::from_str(text).expect("a test reads every embedded file of `words/`");
        let mut texts = BTreeMap::new();
        for (table, entries) in tables {
            texts.extend(entries.into_iter().map(|(key, text)| (format!("{table}.{key}"), text)));
        }
        Self { texts }
    }

    /// The wording of a key. A key without wording reads as itself: a hole in a translation must
    /// never hide a message.
    pub(crate) fn get<'a>(&'a self, key: &'a str) -> &'a str {
        self.texts.get(key).map_or(key, String::as_str)
    }

    /// The wording of a key with `{0}`, `{1}`… filled.
    pub(crate) fn fill(&self, key: &str, args: &[String]) -> String {
        let template = self.get(key);
        let mut text = String::with_capacity(template.len() + 32);
        let mut rest = template;
        while let Some(start) = rest.find('{') {
            text.push_str(&rest[..start]);
            rest = &rest[start..];
            let place = rest[1..].chars().next().and_then(|c| c.to_digit(10));
            match place.filter(|_| rest[2..].starts_with('}')) {
                Some(place) => {
                    text.push_str(args.get(place as usize).map_or("", String::as_str));
                    rest = &rest[3..];
                }
                None => {
                    text.push('{');
                    rest = &rest[1..];
                }
            }
        }
        text.push_str(rest);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::FaultCode;

    fn places(text: &str) -> Vec<&str> {
        let mut places: Vec<&str> =
            text.split('{').skip(1).filter_map(|part| part.split('}').next()).collect();
        places.sort_unstable();
        places.dedup();
        places
    }

    #[test]
    fn every_language_words_the_same_keys_with_the_same_places() {
        let english = &words(Language::En).texts;
        for language in Language::ALL {
            let texts = &words(language).texts;
            assert_eq!(texts.keys().collect::<Vec<_>>(), english.keys().collect::<Vec<_>>(), "{language:?}");
            for (key, text) in texts {
                assert!(!text.trim().is_empty(), "{language:?} {key}");
                assert_eq!(places(text), places(&english[key]), "{language:?} {key}");
            }
        }
    }

    #[test]
    fn every_fault_has_a_sentence() {
        for code in FaultCode::ALL {
            let key = format!("fault.{}", code.name());
            assert_ne!(words(Language::En).get(&key), key);
        }
    }

    #[test]
    fn braces_that_are_no_place_stay() {
        let words = Words { texts: [("a".to_owned(), "{x} {0} {".to_owned())].into() };
        assert_eq!(words.fill("a", &["1".to_owned()]), "{x} 1 {");
    }
}
