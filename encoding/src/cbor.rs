//! Deterministic CBOR: one value, one encoding, and nothing else is accepted.
//!
//! Entries, statements, charters and proofs are hashed and signed as bytes, so a value must have
//! exactly one encoding. This is RFC 8949, section 4.2.1, restricted further: integers, byte
//! strings, text, arrays, maps with keys in order, `false`, `true` and `null`. No floats, no tags,
//! no indefinite lengths, at most [`DEPTH_MAX`] deep. The decoder refuses; it never repairs.
//! Source: `spec/encoding.md`, section 1.

use core::fmt;

/// How deep arrays and maps may nest. Deeper input is refused before it can exhaust the stack.
pub const DEPTH_MAX: usize = 12;

/// A decoded value. Maps keep their (strictly rising) encoded key order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A whole number from -2^63 to 2^64-1.
    Int(i128),
    /// A byte string.
    Bytes(Vec<u8>),
    /// Text in UTF-8.
    Text(String),
    /// An array.
    Array(Vec<Value>),
    /// A map; keys in strictly rising order of their encoded bytes.
    Map(Vec<(Value, Value)>),
    /// `false` or `true`.
    Bool(bool),
    /// `null`: absent.
    Null,
}

/// Why bytes are not a deterministic value. Offsets count from the start of the input.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// The input ends inside a value.
    Truncated,
    /// Bytes follow the value.
    Trailing(usize),
    /// A length or integer is not written in its shortest form.
    NotShortest(usize),
    /// Map keys are repeated or out of order.
    KeyOrder(usize),
    /// A float, tag, indefinite length, undefined or other simple value.
    Unsupported(usize),
    /// Text is not UTF-8.
    NotUtf8(usize),
    /// An integer below -2^63.
    Range(usize),
    /// Nested deeper than [`DEPTH_MAX`].
    TooDeep(usize),
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => f.write_str("the bytes end inside a value"),
            Self::Trailing(at) => write!(f, "bytes follow the value at offset {at}"),
            Self::NotShortest(at) => write!(f, "a number at offset {at} is not in its shortest form"),
            Self::KeyOrder(at) => write!(f, "map keys at offset {at} are repeated or out of order"),
            Self::Unsupported(at) => write!(f, "a kind of value that is not allowed at offset {at}"),
            Self::NotUtf8(at) => write!(f, "text at offset {at} is not UTF-8"),
            Self::Range(at) => write!(f, "an integer at offset {at} is below -2^63"),
            Self::TooDeep(at) => write!(f, "values nest deeper than {DEPTH_MAX} at offset {at}"),
        }
    }
}

impl core::error::Error for DecodeError {}

impl Value {
    /// A byte string value.
    #[must_use]
    pub fn bytes(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.to_vec())
    }

    /// A text value.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    /// A map with its keys put in order; of two equal keys the later given is dropped.
    #[must_use]
    pub fn map(mut pairs: Vec<(Value, Value)>) -> Self {
        pairs.sort_by_cached_key(|(key, _)| encode(key));
        pairs.dedup_by(|later, earlier| later.0 == earlier.0);
        Self::Map(pairs)
    }

    /// The integer, if it is one that fits `u64`.
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        match self {
            Self::Int(n) => u64::try_from(*n).ok(),
            _ => None,
        }
    }

    /// The integer, if it is one that fits `i64`.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Int(n) => i64::try_from(*n).ok(),
            _ => None,
        }
    }

    /// The bytes of a byte string.
    #[must_use]
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The text of a text string.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The truth value.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The items of an array.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Value]> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The value under a text key of a map.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        match self {
            Self::Map(pairs) => {
                pairs.iter().find(|(key, _)| key.as_text() == Some(name)).map(|(_, value)| value)
            }
            _ => None,
        }
    }

    /// Whether this is `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

impl From<u64> for Value {
    fn from(n: u64) -> Self {
        Self::Int(i128::from(n))
    }
}

impl From<i64> for Value {
    fn from(n: i64) -> Self {
        Self::Int(i128::from(n))
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

/// The one encoding of `value`.
///
/// # Panics
/// If an [`Value::Int`] lies outside -2^63 to 2^64-1, which no constructor from outside makes.
#[must_use]
pub fn encode(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    encode_into(value, &mut out);
    out
}

/// Appends the one encoding of `value` to `out`.
///
/// # Panics
/// As [`encode`].
pub fn encode_into(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Int(n) => write_int(*n, out),
        Value::Bytes(bytes) => {
            write_head(2, bytes.len() as u64, out);
            out.extend_from_slice(bytes);
        }
        Value::Text(text) => {
            write_head(3, text.len() as u64, out);
            out.extend_from_slice(text.as_bytes());
        }
        Value::Array(items) => {
            write_head(4, items.len() as u64, out);
            for item in items {
                encode_into(item, out);
            }
        }
        Value::Map(pairs) => {
            write_head(5, pairs.len() as u64, out);
            for (key, value) in pairs {
                encode_into(key, out);
                encode_into(value, out);
            }
        }
        Value::Bool(false) => out.push(0xf4),
        Value::Bool(true) => out.push(0xf5),
        Value::Null => out.push(0xf6),
    }
}

fn write_int(n: i128, out: &mut Vec<u8>) {
    if n >= 0 {
        write_head(0, u64::try_from(n).expect("integers are at most 2^64-1"), out);
    } else {
        write_head(1, u64::try_from(-1 - n).expect("integers are at least -2^63"), out);
    }
}

/// Appends the head of a value: major type and its number in the shortest form.
pub fn write_head(major: u8, number: u64, out: &mut Vec<u8>) {
    let major = major << 5;
    match number {
        0..=23 => out.push(major | number as u8),
        24..=0xff => out.extend_from_slice(&[major | 24, number as u8]),
        0x100..=0xffff => {
            out.push(major | 25);
            out.extend_from_slice(&(number as u16).to_be_bytes());
        }
        0x1_0000..=0xffff_ffff => {
            out.push(major | 26);
            out.extend_from_slice(&(number as u32).to_be_bytes());
        }
        _ => {
            out.push(major | 27);
            out.extend_from_slice(&number.to_be_bytes());
        }
    }
}

/// Decodes exactly one value that fills `input`.
///
/// # Errors
/// A [`DecodeError`] for anything but the one encoding of an allowed value.
pub fn decode(input: &[u8]) -> Result<Value, DecodeError> {
    let (value, used) = decode_prefix(input)?;
    if used == input.len() { Ok(value) } else { Err(DecodeError::Trailing(used)) }
}

/// Decodes one value at the start of `input`; returns it with the count of bytes it takes.
///
/// # Errors
/// A [`DecodeError`] for anything but the one encoding of an allowed value.
pub fn decode_prefix(input: &[u8]) -> Result<(Value, usize), DecodeError> {
    decode_nested(input, 0)
}

/// As [`decode_prefix`], for a value that stands `depth` arrays or maps deep in a larger one.
///
/// # Errors
/// As [`decode_prefix`]; offsets count from the start of `input`.
pub fn decode_nested(input: &[u8], depth: usize) -> Result<(Value, usize), DecodeError> {
    let mut reader = Reader { input, at: 0 };
    let value = reader.value(depth)?;
    Ok((value, reader.at))
}

/// Checks one value at the start of `input` as strictly as [`decode_prefix`], without building it;
/// returns the count of bytes it takes.
///
/// # Errors
/// A [`DecodeError`] for anything but the one encoding of an allowed value.
pub fn skip(input: &[u8]) -> Result<usize, DecodeError> {
    let mut reader = Reader { input, at: 0 };
    reader.skip(0)?;
    Ok(reader.at)
}

struct Reader<'a> {
    input: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn value(&mut self, depth: usize) -> Result<Value, DecodeError> {
        let start = self.at;
        if depth > DEPTH_MAX {
            return Err(DecodeError::TooDeep(start));
        }
        let initial = self.take(1)?[0];
        let (major, info) = (initial >> 5, initial & 31);
        if major == 7 {
            return match info {
                20 => Ok(Value::Bool(false)),
                21 => Ok(Value::Bool(true)),
                22 => Ok(Value::Null),
                _ => Err(DecodeError::Unsupported(start)),
            };
        }
        let number = self.number(info, start)?;
        match major {
            0 => Ok(Value::Int(i128::from(number))),
            1 if number <= i64::MAX as u64 => Ok(Value::Int(-1 - i128::from(number))),
            1 => Err(DecodeError::Range(start)),
            2 => Ok(Value::Bytes(self.take_long(number)?.to_vec())),
            3 => {
                let text =
                    core::str::from_utf8(self.take_long(number)?).map_err(|_| DecodeError::NotUtf8(start))?;
                Ok(Value::Text(text.to_owned()))
            }
            4 => self.array(number, depth),
            5 => self.map(number, depth),
            _ => Err(DecodeError::Unsupported(start)),
        }
    }

    fn skip(&mut self, depth: usize) -> Result<(), DecodeError> {
        let start = self.at;
        if depth > DEPTH_MAX {
            return Err(DecodeError::TooDeep(start));
        }
        let initial = self.take(1)?[0];
        let (major, info) = (initial >> 5, initial & 31);
        if major == 7 {
            return if (20..=22).contains(&info) { Ok(()) } else { Err(DecodeError::Unsupported(start)) };
        }
        let number = self.number(info, start)?;
        match major {
            0 => Ok(()),
            1 if number <= i64::MAX as u64 => Ok(()),
            1 => Err(DecodeError::Range(start)),
            2 => self.take_long(number).map(|_| ()),
            3 => core::str::from_utf8(self.take_long(number)?)
                .map(|_| ())
                .map_err(|_| DecodeError::NotUtf8(start)),
            4 => {
                self.holds(number, 1)?;
                (0..number).try_for_each(|_| self.skip(depth + 1))
            }
            5 => self.skip_map(number, depth),
            _ => Err(DecodeError::Unsupported(start)),
        }
    }

    /// Refuses a count of items that the rest of the input cannot hold, each at least `least` bytes.
    fn holds(&self, count: u64, least: usize) -> Result<usize, DecodeError> {
        let count = usize::try_from(count).map_err(|_| DecodeError::Truncated)?;
        if count > (self.input.len() - self.at) / least { Err(DecodeError::Truncated) } else { Ok(count) }
    }

    fn skip_map(&mut self, count: u64, depth: usize) -> Result<(), DecodeError> {
        self.holds(count, 2)?;
        let mut previous: &[u8] = &[];
        for _ in 0..count {
            let start = self.at;
            self.skip(depth + 1)?;
            let encoded = &self.input[start..self.at];
            if encoded <= previous {
                return Err(DecodeError::KeyOrder(start));
            }
            previous = encoded;
            self.skip(depth + 1)?;
        }
        Ok(())
    }

    fn array(&mut self, count: u64, depth: usize) -> Result<Value, DecodeError> {
        // Each item takes at least a byte, so a count beyond the input is refused before allocation.
        let count = self.holds(count, 1)?;
        // Reserves little: a hostile count must not buy memory that the items do not fill.
        let mut items = Vec::with_capacity(count.min(64));
        for _ in 0..count {
            items.push(self.value(depth + 1)?);
        }
        Ok(Value::Array(items))
    }

    fn map(&mut self, count: u64, depth: usize) -> Result<Value, DecodeError> {
        let count = self.holds(count, 2)?;
        let mut pairs = Vec::with_capacity(count.min(64));
        let mut previous: &[u8] = &[];
        for _ in 0..count {
            let start = self.at;
            let key = self.value(depth + 1)?;
            let encoded = &self.input[start..self.at];
            if encoded <= previous {
                return Err(DecodeError::KeyOrder(start));
            }
            previous = encoded;
            pairs.push((key, self.value(depth + 1)?));
        }
        Ok(Value::Map(pairs))
    }

    fn number(&mut self, info: u8, start: usize) -> Result<u64, DecodeError> {
        let (number, least) = match info {
            0..=23 => return Ok(u64::from(info)),
            24 => (u64::from(self.take(1)?[0]), 24),
            25 => (self.big_endian(2)?, 0x100),
            26 => (self.big_endian(4)?, 0x1_0000),
            27 => (self.big_endian(8)?, 0x1_0000_0000),
            _ => return Err(DecodeError::Unsupported(start)),
        };
        if number < least { Err(DecodeError::NotShortest(start)) } else { Ok(number) }
    }

    fn big_endian(&mut self, length: usize) -> Result<u64, DecodeError> {
        Ok(self.take(length)?.iter().fold(0, |n, &byte| n << 8 | u64::from(byte)))
    }

    fn take_long(&mut self, length: u64) -> Result<&'a [u8], DecodeError> {
        self.take(usize::try_from(length).map_err(|_| DecodeError::Truncated)?)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], DecodeError> {
        let end = self.at.checked_add(length).ok_or(DecodeError::Truncated)?;
        let slice = self.input.get(self.at..end).ok_or(DecodeError::Truncated)?;
        self.at = end;
        Ok(slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            proptest::collection::vec(any::<u8>(), 0..40).prop_map(Value::Bytes),
            ".{0,12}".prop_map(Value::Text),
            any::<bool>().prop_map(Value::Bool),
            Just(Value::Null),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
                proptest::collection::vec((inner.clone(), inner), 0..6).prop_map(Value::map),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_value_has_one_encoding_and_comes_back(value in values()) {
            prop_assert_eq!(decode(&encode(&value)), Ok(value));
        }

        #[test]
        fn bytes_are_refused_or_are_the_one_encoding(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let decoded = decode_prefix(&bytes);
            prop_assert_eq!(skip(&bytes), decoded.clone().map(|(_, used)| used));
            if let Ok((value, used)) = decoded {
                prop_assert_eq!(encode(&value), &bytes[..used]);
            }
        }
    }

    #[test]
    fn every_other_encoding_is_refused_by_name() {
        let cases: [(&[u8], DecodeError); 12] = [
            (&[], DecodeError::Truncated),
            (&[0x18, 0x17], DecodeError::NotShortest(0)),
            (&[0x19, 0x00, 0xff], DecodeError::NotShortest(0)),
            (&[0x81, 0x58, 0x01, 0x00], DecodeError::NotShortest(1)),
            (&[0x9f, 0xff], DecodeError::Unsupported(0)),
            (&[0xc0, 0x00], DecodeError::Unsupported(0)),
            (&[0xf9, 0x00, 0x00], DecodeError::Unsupported(0)),
            (&[0xa2, 0x02, 0x00, 0x01, 0x00], DecodeError::KeyOrder(3)),
            (&[0xa2, 0x01, 0x00, 0x01, 0x00], DecodeError::KeyOrder(3)),
            (&[0x61, 0xff], DecodeError::NotUtf8(0)),
            (&[0x00, 0x00], DecodeError::Trailing(1)),
            (&[0x3b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], DecodeError::Range(0)),
        ];
        for (bytes, error) in cases {
            assert_eq!(decode(bytes), Err(error), "{bytes:02x?}");
            if !matches!(error, DecodeError::Trailing(_)) {
                assert_eq!(skip(bytes), Err(error), "{bytes:02x?}");
            }
        }
    }

    #[test]
    fn hostile_counts_and_depths_cost_nothing() {
        assert_eq!(
            decode(&[0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
            Err(DecodeError::Truncated)
        );
        assert_eq!(
            decode(&[0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
            Err(DecodeError::Truncated)
        );
        let deep = vec![0x81; 10_000];
        assert_eq!(decode(&deep), Err(DecodeError::TooDeep(DEPTH_MAX + 1)));
    }
}
