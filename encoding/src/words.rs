//! Eight words over a key, for two people to compare aloud.
//!
//! Eight words of a list of 2,048 carry the first 88 bits of a hash. They can be said as words or
//! as eight numbers from 0 to 2047, for people without a common alphabet. Source:
//! `spec/keys.md`, section "Eight words"; the list is `spec/words.txt` (that of BIP-39, English).

/// How many words stand for a key: 88 bits.
pub const WORDS: usize = 8;

static LIST: &str = include_str!("../../spec/words.txt");

/// The first 88 bits of `hash` as eight numbers from 0 to 2047.
#[must_use]
pub fn numbers(hash: &[u8; 32]) -> [u16; WORDS] {
    core::array::from_fn(|i| {
        (0..11).fold(0, |value, bit| {
            let at = i * 11 + bit;
            value << 1 | u16::from(hash[at / 8] >> (7 - at % 8) & 1)
        })
    })
}

/// The eight words of `hash`, separated by one space.
#[must_use]
pub fn words(hash: &[u8; 32]) -> String {
    let list: Vec<&str> = LIST.lines().collect();
    numbers(hash).map(|n| list[usize::from(n)]).join(" ")
}

/// Reads eight words or eight numbers, in any case, separated by spaces, commas or hyphens.
///
/// # Errors
/// A [`WordsError`] naming the position and the word that is not understood.
pub fn parse(text: &str) -> Result<[u16; WORDS], WordsError> {
    let given: Vec<&str> =
        text.split(|c: char| c.is_whitespace() || c == ',' || c == '-').filter(|w| !w.is_empty()).collect();
    if given.len() != WORDS {
        return Err(WordsError::Count(given.len()));
    }
    let mut out = [0; WORDS];
    for (index, word) in given.iter().enumerate() {
        out[index] = number_of(word)
            .ok_or_else(|| WordsError::Unknown { position: index + 1, word: (*word).to_owned() })?;
    }
    Ok(out)
}

fn number_of(word: &str) -> Option<u16> {
    if let Ok(number) = word.parse::<u16>() {
        return (number < 2048).then_some(number);
    }
    let lower = word.to_lowercase();
    LIST.lines().position(|w| w == lower).and_then(|n| u16::try_from(n).ok())
}

/// Why a text is not eight words.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WordsError {
    /// Not eight of them; the count found. Read all eight from the other side's screen.
    Count(usize),
    /// A word that is not in the list and no number from 0 to 2047. Compare it again.
    Unknown {
        /// Which word, counted from 1.
        position: usize,
        /// The word as given.
        word: String,
    },
}

impl core::fmt::Display for WordsError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Count(found) => write!(f, "eight words or numbers are needed, {found} were given"),
            Self::Unknown { position, word } => {
                write!(f, "word {position} (\"{word}\") is not in the list and is no number from 0 to 2047")
            }
        }
    }
}

impl core::error::Error for WordsError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_numbers_name_the_same_88_bits() {
        let hash: [u8; 32] = core::array::from_fn(|i| (i as u8).wrapping_mul(91).wrapping_add(7));
        let numbers = numbers(&hash);
        assert_eq!(parse(&words(&hash)), Ok(numbers));
        let spoken = numbers.map(|n| n.to_string()).join(", ");
        assert_eq!(parse(&spoken), Ok(numbers));
        assert_eq!(LIST.lines().count(), 2048);
    }

    #[test]
    fn a_word_that_is_not_in_the_list_is_named() {
        let error = parse("zoo zoo zoo detente zoo zoo zoo zoo").expect_err("not a word");
        assert_eq!(error, WordsError::Unknown { position: 4, word: "detente".to_owned() });
        assert_eq!(parse("zoo zoo"), Err(WordsError::Count(2)));
    }
}
