//! Reading deterministic CBOR field by field, without building a tree.
//!
//! Entries come by the million; most of their fields are small numbers in fixed places. A cursor
//! reads them where they stand and refuses whatever is not there in its one encoding. It does not
//! say whether the bytes are bad CBOR or a good value of another shape: [`Unfit`] means "ask the
//! general decoder", which a bad entry alone has to pay for.

use detente_crypto::Hash;
use detente_encoding::Timestamp;
use detente_encoding::cbor::{self, Value};

use crate::limits::MOMENT_MAX;

/// The bytes here are not the value expected here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unfit;

/// A place in one encoded value.
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
}

const UINT: u8 = 0;
const NEGATIVE: u8 = 1;
const BYTES: u8 = 2;
const TEXT: u8 = 3;
const ARRAY: u8 = 4;
const MAP: u8 = 5;
const NULL: u8 = 0xf6;

impl<'a> Cursor<'a> {
    pub(crate) const fn new(input: &'a [u8]) -> Self {
        Self { rest: input }
    }

    pub(crate) fn end(&self) -> Result<(), Unfit> {
        if self.rest.is_empty() { Ok(()) } else { Err(Unfit) }
    }

    /// Reads a head of the given major type in its shortest form.
    fn head(&mut self, major: u8) -> Result<u64, Unfit> {
        let (&initial, rest) = self.rest.split_first().ok_or(Unfit)?;
        if initial >> 5 != major {
            return Err(Unfit);
        }
        let (length, least) = match initial & 31 {
            info @ 0..=23 => {
                self.rest = rest;
                return Ok(u64::from(info));
            }
            24 => (1, 24),
            25 => (2, 0x100),
            26 => (4, 0x1_0000),
            27 => (8, 0x1_0000_0000),
            _ => return Err(Unfit),
        };
        let (digits, rest) = rest.split_at_checked(length).ok_or(Unfit)?;
        let number = digits.iter().fold(0u64, |n, &byte| n << 8 | u64::from(byte));
        self.rest = rest;
        if number < least { Err(Unfit) } else { Ok(number) }
    }

    fn take(&mut self, length: u64) -> Result<&'a [u8], Unfit> {
        let length = usize::try_from(length).map_err(|_| Unfit)?;
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Unfit)?;
        self.rest = rest;
        Ok(taken)
    }

    fn next_is(&self, major: u8) -> bool {
        self.rest.first().is_some_and(|initial| initial >> 5 == major)
    }

    pub(crate) fn is_text(&self) -> bool {
        self.next_is(TEXT)
    }

    pub(crate) fn is_array(&self) -> bool {
        self.next_is(ARRAY)
    }

    pub(crate) fn uint(&mut self) -> Result<u64, Unfit> {
        self.head(UINT)
    }

    /// A number from `least` to `most`.
    pub(crate) fn within(&mut self, least: u64, most: u64) -> Result<u64, Unfit> {
        let number = self.uint()?;
        if (least..=most).contains(&number) { Ok(number) } else { Err(Unfit) }
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Unfit> {
        u8::try_from(self.uint()?).map_err(|_| Unfit)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, Unfit> {
        u16::try_from(self.uint()?).map_err(|_| Unfit)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Unfit> {
        u32::try_from(self.uint()?).map_err(|_| Unfit)
    }

    /// An integer of any size: whether it is negative, and the number of its head.
    pub(crate) fn integer(&mut self) -> Result<(bool, u64), Unfit> {
        let negative = self.next_is(NEGATIVE);
        Ok((negative, self.head(if negative { NEGATIVE } else { UINT })?))
    }

    pub(crate) fn int(&mut self) -> Result<i64, Unfit> {
        if self.next_is(NEGATIVE) {
            let number = i64::try_from(self.head(NEGATIVE)?).map_err(|_| Unfit)?;
            return Ok(-1 - number);
        }
        i64::try_from(self.uint()?).map_err(|_| Unfit)
    }

    /// A moment; `spec/encoding.md`, section 4.
    pub(crate) fn moment(&mut self) -> Result<Timestamp, Unfit> {
        let millis = self.int()?;
        if (-MOMENT_MAX..=MOMENT_MAX).contains(&millis) {
            Ok(Timestamp::from_millis(millis))
        } else {
            Err(Unfit)
        }
    }

    /// A byte string of any length.
    pub(crate) fn byte_string(&mut self) -> Result<&'a [u8], Unfit> {
        let length = self.head(BYTES)?;
        self.take(length)
    }

    /// A byte string of exactly `N` bytes.
    pub(crate) fn bytes<const N: usize>(&mut self) -> Result<[u8; N], Unfit> {
        self.byte_string()?.try_into().map_err(|_| Unfit)
    }

    pub(crate) fn hash(&mut self) -> Result<Hash, Unfit> {
        self.bytes().map(Hash)
    }

    pub(crate) fn text(&mut self) -> Result<&'a str, Unfit> {
        let length = self.head(TEXT)?;
        core::str::from_utf8(self.take(length)?).map_err(|_| Unfit)
    }

    /// The count of items of an array, which then follow.
    pub(crate) fn array(&mut self) -> Result<u64, Unfit> {
        self.head(ARRAY)
    }

    /// An array of exactly `count` items, which then follow.
    pub(crate) fn array_of(&mut self, count: u64) -> Result<(), Unfit> {
        if self.array()? == count { Ok(()) } else { Err(Unfit) }
    }

    /// The count of pairs of a map, which then follow.
    pub(crate) fn map(&mut self) -> Result<u64, Unfit> {
        self.head(MAP)
    }

    pub(crate) fn is_true(&mut self) -> Result<(), Unfit> {
        if self.rest.first() == Some(&0xf5) {
            self.rest = &self.rest[1..];
            return Ok(());
        }
        Err(Unfit)
    }

    /// Whether `null` stood here; it is then read.
    pub(crate) fn null(&mut self) -> bool {
        let null = self.rest.first() == Some(&NULL);
        if null {
            self.rest = &self.rest[1..];
        }
        null
    }

    /// `null`, or what `read` reads.
    pub(crate) fn optional<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Unfit>,
    ) -> Result<Option<T>, Unfit> {
        if self.null() { Ok(None) } else { read(self).map(Some) }
    }

    /// Any value; `depth` is how many arrays and maps are around it.
    pub(crate) fn value(&mut self, depth: usize) -> Result<Value, Unfit> {
        let (value, used) = cbor::decode_nested(self.rest, depth).map_err(|_| Unfit)?;
        self.rest = &self.rest[used..];
        Ok(value)
    }
}

/// Writing the same fields.
pub(crate) mod write {
    use super::{ARRAY, BYTES, NEGATIVE, NULL, TEXT, UINT};
    use detente_encoding::cbor::write_head;

    pub(crate) fn uint(number: u64, out: &mut Vec<u8>) {
        write_head(UINT, number, out);
    }

    pub(crate) fn int(number: i64, out: &mut Vec<u8>) {
        match u64::try_from(number) {
            Ok(number) => uint(number, out),
            // -1 - n of a negative n is its complement, and never negative.
            Err(_) => write_head(NEGATIVE, (!number).unsigned_abs(), out),
        }
    }

    pub(crate) fn bytes(bytes: &[u8], out: &mut Vec<u8>) {
        write_head(BYTES, bytes.len() as u64, out);
        out.extend_from_slice(bytes);
    }

    pub(crate) fn text(text: &str, out: &mut Vec<u8>) {
        write_head(TEXT, text.len() as u64, out);
        out.extend_from_slice(text.as_bytes());
    }

    pub(crate) fn array(count: usize, out: &mut Vec<u8>) {
        write_head(ARRAY, count as u64, out);
    }

    pub(crate) fn map(count: usize, out: &mut Vec<u8>) {
        write_head(super::MAP, count as u64, out);
    }

    pub(crate) fn null(out: &mut Vec<u8>) {
        out.push(NULL);
    }

    pub(crate) fn optional<T>(value: Option<T>, out: &mut Vec<u8>, write: impl FnOnce(T, &mut Vec<u8>)) {
        match value {
            Some(value) => write(value, out),
            None => null(out),
        }
    }
}
