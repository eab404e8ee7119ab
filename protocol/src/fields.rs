//! Reading maps with exactly the keys a page of `spec/` lists: charters, credentials, rosters.

use core::fmt;

use detente_encoding::cbor::{self, Value};

/// What is wrong with a map. The names are those of `spec/`.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldError {
    /// It is no map, or has a key too many or too few.
    Keys,
    /// This key is missing.
    Missing(&'static str),
    /// The value of this key has another type or lies outside its range.
    Value(&'static str),
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keys => f.write_str("it does not have exactly the keys it must have"),
            Self::Missing(name) => write!(f, "`{name}` is missing"),
            Self::Value(name) => write!(f, "`{name}` is not as it must be"),
        }
    }
}

impl core::error::Error for FieldError {}

/// A map that has exactly as many keys as it must.
pub(crate) struct Fields<'a>(&'a Value);

impl<'a> Fields<'a> {
    pub(crate) fn new(value: &'a Value, keys: &[&'static str]) -> Result<Self, FieldError> {
        let Value::Map(pairs) = value else { return Err(FieldError::Keys) };
        if let Some(missing) = keys.iter().find(|key| value.get(key).is_none()) {
            return Err(FieldError::Missing(missing));
        }
        // Keys are distinct, so with all of them there a like count leaves no room for others.
        if pairs.len() == keys.len() { Ok(Self(value)) } else { Err(FieldError::Keys) }
    }

    /// The value under `name` as `read` reads it.
    pub(crate) fn read<T>(
        &self,
        name: &'static str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<T, FieldError> {
        let value = self.0.get(name).ok_or(FieldError::Missing(name))?;
        read(value).ok_or(FieldError::Value(name))
    }

    /// As [`Self::read`]; `None` where `null` stands.
    pub(crate) fn optional<T>(
        &self,
        name: &'static str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, FieldError> {
        self.read(name, |value| if value.is_null() { Some(None) } else { read(value).map(Some) })
    }

    /// An array of at most `most` items.
    pub(crate) fn list<T>(
        &self,
        name: &'static str,
        most: usize,
        read: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<Vec<T>, FieldError> {
        self.read(name, |value| {
            let items = value.as_array().filter(|items| items.len() <= most)?;
            items.iter().map(read).collect()
        })
    }
}

/// `v1(value)`: the version byte, then the encoding.
pub(crate) fn versioned(value: &Value) -> Vec<u8> {
    let mut out = vec![crate::entry::VERSION];
    cbor::encode_into(value, &mut out);
    out
}
