//! Names of logs and keys.
//!
//! A log is named by the first line of its checkpoint and a key by the word before its signature.
//! Both follow one rule, so that a log's name can be its key's name: C2SP signed-note forbids spaces
//! and plus in key names, tlog-cosignature allows 1 to 255 bytes.

use core::fmt;

/// The most bytes a name may have (C2SP tlog-cosignature, ML-DSA-44 signed message).
pub const NAME_BYTES_MAX: usize = 255;

/// A log's origin or a key's name: 1 to 255 bytes of UTF-8 without Unicode spaces, control
/// characters or plus.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

/// Why text is no name.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameError {
    /// It is empty or longer than [`NAME_BYTES_MAX`].
    Length,
    /// It holds a space, a control character or a plus.
    Character,
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Length => "a name has 1 to 255 bytes",
            Self::Character => "a name has no space, control character or plus",
        })
    }
}

impl core::error::Error for NameError {}

impl Name {
    /// Takes `text` as a name.
    ///
    /// # Errors
    /// [`NameError`] if it breaks the rule.
    pub fn new(text: &str) -> Result<Self, NameError> {
        if text.is_empty() || text.len() > NAME_BYTES_MAX {
            return Err(NameError::Length);
        }
        if text.chars().any(|c| c.is_whitespace() || c.is_control() || c == '+') {
            return Err(NameError::Character);
        }
        Ok(Self(text.to_owned()))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for Name {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl core::str::FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_to_the_rule() {
        assert!(Name::new("detente/ab/cd/ordinary/1-00ff").is_ok());
        assert!(Name::new(&"n".repeat(255)).is_ok());
        assert_eq!(Name::new(""), Err(NameError::Length));
        assert_eq!(Name::new(&"n".repeat(256)), Err(NameError::Length));
        for text in ["a b", "a+b", "a\nb", "a\u{a0}b", "a\u{3000}b", "a\u{7f}b"] {
            assert_eq!(Name::new(text), Err(NameError::Character), "{text:?}");
        }
    }
}
