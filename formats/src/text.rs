//! What may stand in a text: one spelling, nothing hidden, nothing that imitates our own marks.
//!
//! A reader in another language and a listener on a telephone must get what the drafter saw. So text
//! is refused in any form but NFC, with characters that turn direction, cannot be seen or control a
//! screen, with a line that is the exercise mark, and with digits of two systems in one message.
//! What a peer sends is never refused for this (its signature holds); it is shown with such
//! characters made visible ([`visible`]). Source: `spec/formats.md`.

use unicode_normalization::is_nfc;

use crate::fault::FaultCode;
use crate::language::Language;
use crate::words::words;

/// Whether a character turns the direction of text around it.
fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Whether a character has no shape of its own, or none that two systems share.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{00AD}' | '\u{034F}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
        | '\u{200B}'..='\u{200D}' | '\u{2060}'..='\u{2065}' | '\u{206A}'..='\u{206F}' | '\u{3164}'
        | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{FFFE}' | '\u{FFFF}'
        | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' | '\u{E000}'..='\u{F8FF}'
        | '\u{E0000}'..='\u{10FFFF}')
}

/// Whether a character commands a screen or breaks a line in an unusual way.
fn is_control(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// The faults of one text. `lines` says whether line breaks may stand in it.
pub(crate) fn faults(text: &str, lines: bool) -> Vec<FaultCode> {
    let mut found = Vec::new();
    let mut when = |condition: bool, code| {
        if condition {
            found.push(code);
        }
    };
    when(!is_nfc(text), FaultCode::NotNfc);
    when(text.chars().any(is_bidi_control), FaultCode::Bidi);
    when(text.chars().any(is_invisible), FaultCode::Invisible);
    when(text.chars().any(|c| is_control(c) && !(lines && c == '\n')), FaultCode::Control);
    when(text.lines().any(is_exercise_mark), FaultCode::ExerciseMark);
    found
}

/// Whether a line is the exercise mark of any language, whatever its spaces, stars and case.
pub(crate) fn is_exercise_mark(line: &str) -> bool {
    let bare = bare_mark(line);
    line.contains('*') && Language::ALL.iter().any(|language| bare == bare_mark(exercise_mark(*language)))
}

fn bare_mark(line: &str) -> String {
    let letters = line.chars().filter(|c| !c.is_whitespace() && *c != '*' && !is_bidi_control(*c));
    letters.filter(|c| !is_invisible(*c)).flat_map(char::to_uppercase).collect()
}

/// The line that stands first and last in everything from the exercise lane.
#[must_use]
pub fn exercise_mark(language: Language) -> &'static str {
    words(language).get("mark.exercise")
}

/// First characters of the digit systems that a keyboard of our languages can produce, and of those
/// that imitate them.
const DIGIT_ZEROS: [char; 9] =
    ['0', '\u{0660}', '\u{06F0}', '\u{07C0}', '\u{0966}', '\u{09E6}', '\u{FF10}', '\u{1D7CE}', '\u{1D7D8}'];

/// Which digit systems stand in a text, as a set of bits.
pub(crate) fn digit_systems(text: &str) -> u16 {
    let system =
        |c: char| DIGIT_ZEROS.iter().position(|zero| (*zero as u32..=*zero as u32 + 9).contains(&(c as u32)));
    text.chars().filter_map(system).fold(0, |systems, system| systems | 1 << system)
}

/// The first word that mixes letters of Latin, Greek and Cyrillic, which look alike (UTS 39): in
/// `Sоuth` with a Cyrillic `о`, two readers see one word and search for two.
pub(crate) fn mixed_word(text: &str) -> Option<&str> {
    let script = |c: char| match c {
        'A'..='Z' | 'a'..='z' | '\u{00C0}'..='\u{024F}' => 1_u8,
        '\u{0370}'..='\u{03FF}' => 2,
        '\u{0400}'..='\u{052F}' => 4,
        _ => 0,
    };
    text.split(|c: char| !c.is_alphabetic()).find(|word| {
        let scripts = word.chars().fold(0, |scripts, c| scripts | script(c));
        scripts.count_ones() > 1
    })
}

/// The text of a peer as it may be shown: what a drafter here could not have written is spelled out.
pub(crate) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_bidi_control(c) || is_invisible(c) || (is_control(c) && c != '\n') {
            shown.push_str(&format!("[U+{:04X}]", c as u32));
        } else {
            shown.push(c);
        }
    }
    shown
}

/// As [`visible`], for what stands on one line: a line break is spelled out too.
pub(crate) fn visible_line(text: &str) -> String {
    visible(text).replace('\n', "[U+000A]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_and_turning_characters_are_refused_by_name() {
        assert_eq!(faults("a\u{202E}b", false), [FaultCode::Bidi]);
        assert_eq!(faults("a\u{200B}b", false), [FaultCode::Invisible]);
        assert_eq!(faults("a\u{7}b", true), [FaultCode::Control]);
        assert_eq!(faults("a\nb", false), [FaultCode::Control]);
        assert_eq!(faults("a\nb", true), []);
        assert_eq!(faults("e\u{301}", false), [FaultCode::NotNfc]);
        assert_eq!(faults("учение, 演习, تمرين, exercise", false), []);
    }

    #[test]
    fn the_mark_is_a_line_and_the_word_is_free() {
        for language in Language::ALL {
            let mark = exercise_mark(language);
            assert_eq!(
                faults(&format!("a\n  {}  \nb", mark.to_lowercase()), true),
                [FaultCode::ExerciseMark]
            );
        }
        assert_eq!(faults("***exercise***", true), [FaultCode::ExerciseMark]);
        assert_eq!(faults("This exercise ends today.\nEXERCISE", true), []);
    }

    #[test]
    fn a_word_of_two_scripts_is_pointed_out_and_a_text_of_two_is_not() {
        assert_eq!(mixed_word("the S\u{043E}uth pass"), Some("S\u{043E}uth"));
        assert_eq!(mixed_word("радар AN/FPS-132 и 5П-27, ICBM-МБР"), None);
    }

    #[test]
    fn what_a_peer_hides_is_shown() {
        assert_eq!(visible("launch \u{202E}tomorrow"), "launch [U+202E]tomorrow");
        assert_eq!(digit_systems("1 ٢").count_ones(), 2);
    }
}
