//! Text on a terminal: how wide it is, and where a line may be broken.
//!
//! Chinese characters take two columns and may be broken anywhere; other text breaks at spaces.

/// Columns of a line of the transcript.
pub(crate) const COLUMNS: usize = 96;

/// How many columns a character takes.
fn width(character: char) -> usize {
    match character {
        '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200f}' | '\u{2066}'..='\u{2069}' => 0,
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{303e}'
        | '\u{3041}'..='\u{33ff}'
        | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}'
        | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    }
}

/// How many columns a text takes.
#[must_use]
pub(crate) fn columns(text: &str) -> usize {
    text.chars().map(width).sum()
}

/// Breaks one line into lines of at most `limit` columns. A word that is longer alone is broken too.
#[must_use]
pub(crate) fn wrap(text: &str, limit: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let (mut line, mut used) = (String::new(), 0);
    for piece in pieces(text) {
        let wide = columns(piece.trim_end());
        if used > 0 && used + wide > limit {
            lines.push(std::mem::take(&mut line).trim_end().to_owned());
            used = 0;
        }
        for character in piece.chars() {
            if used + width(character) > limit && character != ' ' {
                lines.push(std::mem::take(&mut line).trim_end().to_owned());
                used = 0;
            }
            line.push(character);
            used += width(character);
        }
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line.trim_end().to_owned());
    }
    lines
}

/// Parts that stay together, each with the spaces behind it.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let (mut from, mut before) = (0, None);
    for (at, character) in text.char_indices() {
        let breaks = match before {
            None => false,
            Some(' ') => character != ' ',
            // No line begins with a closing mark.
            Some(before) => {
                (width(before) == 2 || width(character) == 2)
                    && !"，。、；：）》」！？".contains(character)
                    && !"（《「".contains(before)
                    && character != ' '
            }
        };
        if breaks {
            pieces.push(&text[from..at]);
            from = at;
        }
        before = Some(character);
    }
    pieces.push(&text[from..]);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chinese_character_takes_two_columns() {
        assert_eq!(columns("Вега"), 4);
        assert_eq!(columns("织女星"), 6);
        assert_eq!(columns("第1版，"), 7);
    }

    #[test]
    fn lines_are_broken_where_each_script_allows_it() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("危险区警告", 6), ["危险区", "警告"]);
        assert_eq!(wrap("危险区，警告", 6), ["危险", "区，警", "告"]);
        assert_eq!(wrap("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(wrap("", 3), [""]);
    }

    #[test]
    fn nothing_is_lost_and_nothing_is_too_wide() {
        for text in
            ["Уведомление о пуске: 15 марта 2027 года", "发：织女星（VEG），等级：平急 UTC 12:00", "a  b   c"]
        {
            for limit in 2..40 {
                let lines = wrap(text, limit);
                assert!(lines.iter().all(|line| columns(line) <= limit), "{limit}: {lines:?}");
                let bare = |text: &str| text.replace(' ', "");
                assert_eq!(bare(&lines.concat()), bare(text), "{limit}");
            }
        }
    }
}
