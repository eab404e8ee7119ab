//! Reading a message aloud: figures one by one, codes letter by letter.
//!
//! For watch officers who compare a notification by voice when nothing else is left. The words are
//! those of each language; Latin letters stay letters, spaced, for each side knows its own spelling
//! alphabet.

use crate::language::Language;
use crate::words::words;

const DIGITS: [&str; 10] = [
    "digit.0", "digit.1", "digit.2", "digit.3", "digit.4", "digit.5", "digit.6", "digit.7", "digit.8",
    "digit.9",
];

/// Figures as words, in groups of three from the left, parted by commas: `060512` becomes
/// `zero six zero, five one two`. Other characters are left as they are.
#[must_use]
pub fn spell_figures(text: &str, language: Language) -> String {
    let mut spoken = String::new();
    let mut run = Vec::new();
    for c in text.chars().chain([' ']) {
        match c.to_digit(10) {
            Some(digit) => run.push(words(language).get(DIGITS[digit as usize])),
            None => {
                if !run.is_empty() {
                    let groups: Vec<String> = run.chunks(3).map(|group| group.join(" ")).collect();
                    spoken.push_str(&groups.join(", "));
                    run.clear();
                }
                spoken.push(c);
            }
        }
    }
    spoken.pop();
    spoken
}

/// A code or message number, sign by sign: `ALT/2027/0212` becomes
/// `A L T, stroke, two zero two seven, …`.
#[must_use]
pub fn spell_code(code: &str, language: Language) -> String {
    let words = words(language);
    let mut parts: Vec<String> = Vec::new();
    let mut run: Vec<String> = Vec::new();
    for c in code.chars() {
        let sign = match c {
            '/' => Some("sign.stroke"),
            '-' => Some("sign.dash"),
            '.' => Some("sign.point"),
            _ => None,
        };
        match sign {
            Some(key) => {
                parts.extend((!run.is_empty()).then(|| run.join(" ")));
                run.clear();
                parts.push(words.get(key).to_owned());
            }
            None => run.push(match c.to_digit(10) {
                Some(digit) => words.get(DIGITS[digit as usize]).to_owned(),
                None => c.to_string(),
            }),
        }
    }
    parts.extend((!run.is_empty()).then(|| run.join(" ")));
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_one_by_one_in_groups() {
        assert_eq!(spell_figures("060512", Language::En), "zero six zero, five one two");
        assert_eq!(spell_figures("60.5° N", Language::Fr), "six zéro.cinq° N");
    }

    #[test]
    fn a_number_of_a_message_is_read_sign_by_sign() {
        assert_eq!(
            spell_code("ALT/2027/0212", Language::En),
            "A L T, stroke, two zero two seven, stroke, zero two one two"
        );
    }
}
