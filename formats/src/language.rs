//! The six languages in which every title, label, value and fault exists.

/// A working language of a message or of a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Language {
    /// English.
    En,
    /// Chinese.
    Zh,
    /// Russian.
    Ru,
    /// French.
    Fr,
    /// Arabic, written from right to left.
    Ar,
    /// Spanish.
    Es,
}

impl Language {
    /// Every language, in order of number.
    pub const ALL: [Self; 6] = [Self::En, Self::Zh, Self::Ru, Self::Fr, Self::Ar, Self::Es];

    /// The two-letter code (ISO 639-1), lower case.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Zh => "zh",
            Self::Ru => "ru",
            Self::Fr => "fr",
            Self::Ar => "ar",
            Self::Es => "es",
        }
    }

    /// Reads a two-letter code. `None` for any other language.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.code() == code)
    }

    /// The number on the wire, 0 to 5, in the order of [`Language::ALL`].
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The language of a number on the wire.
    #[must_use]
    pub fn from_number(number: u64) -> Option<Self> {
        Self::ALL.get(usize::try_from(number).ok()?).copied()
    }

    /// Whether lines run from right to left.
    #[must_use]
    pub const fn is_right_to_left(self) -> bool {
        matches!(self, Self::Ar)
    }

    /// Position in a [`Phrase`].
    pub(crate) const fn index(self) -> usize {
        self as usize
    }
}

/// One wording in all six languages, in the order of [`Language::ALL`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Phrase([String; 6]);

impl Phrase {
    /// Makes a phrase from its six wordings, in the order of [`Language::ALL`].
    #[must_use]
    pub fn new(wordings: [String; 6]) -> Self {
        Self(wordings)
    }

    /// The wording in `language`; empty if the phrase has none.
    #[must_use]
    pub fn get(&self, language: Language) -> &str {
        &self.0[language.index()]
    }

    /// Whether there is no wording at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(String::is_empty)
    }
}
