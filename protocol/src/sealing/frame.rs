//! Frames: entries of one log with the log line over the size they make, padded and sealed.

use super::epoch::{Epoch, LogSeal};
use super::header::{Bucket, COUNT_MAX, Form, Header, Kind, Sender};
use crate::names::LogKey;
use core::fmt;
use detente_encoding::cbor;

/// Bytes of the Ed25519 line at the end of a frame's content.
const LINE_BYTES: usize = 64;
const TAG_BYTES: usize = 16;

/// One entry in a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameEntry {
    /// Salt of its leaf; `None` when the epoch derives it.
    pub salt: Option<[u8; 16]>,
    /// The entry's bytes.
    pub entry: Vec<u8>,
}

/// What a frame says: entries from `first`, and the log line over the size they make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameContent {
    /// Index of the first entry.
    pub first: u64,
    /// 1 to 64 entries; all with salts or none.
    pub entries: Vec<FrameEntry>,
    /// Ed25519 signature over the checkpoint of size `first` + count.
    pub line: [u8; 64],
}

/// Why a frame cannot be made. A bug of the caller or an entry beyond the limits.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SealFrameError {
    /// No entries, or more than 64.
    LocalCount(usize),
    /// Longer than the largest bucket. Send fewer entries.
    LocalTooLong(usize),
}

impl fmt::Display for SealFrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LocalCount(count) => write!(f, "a frame holds 1 to {COUNT_MAX} entries, not {count}"),
            Self::LocalTooLong(bytes) => write!(f, "{bytes} bytes are more than the largest frame holds"),
        }
    }
}

impl core::error::Error for SealFrameError {}

/// Seals `content` of `log`. With `named`, number and run stand in clear, for readers who cannot
/// know the log yet.
///
/// # Errors
/// [`SealFrameError`]; nothing is made.
pub fn seal_frame(
    epoch: &Epoch,
    seal: &LogSeal,
    log: &LogKey,
    content: &FrameContent,
    named: bool,
) -> Result<Vec<u8>, SealFrameError> {
    let count = content.entries.len();
    let count_byte = u8::try_from(count).ok().filter(|c| (1..=COUNT_MAX).contains(c));
    let count_byte = count_byte.ok_or(SealFrameError::LocalCount(count))?;
    let explicit_salts = content.entries[0].salt.is_some();
    let mut body = Vec::new();
    for entry in &content.entries {
        body.extend_from_slice(entry.salt.as_ref().map_or(&[][..], |salt| &salt[..]));
        body.extend_from_slice(&entry.entry);
    }
    let header_bytes = if named { 26 } else { 16 };
    let overhead = header_bytes + LINE_BYTES + TAG_BYTES;
    let compressed = super::super::dictionary::compress(&body)
        .filter(|c| bucket_of(c.len() + 2 + overhead) < bucket_of(body.len() + overhead));
    let dictionary = compressed.is_some();
    let mut plaintext = match compressed {
        Some(compressed) => {
            let length = u16::try_from(compressed.len()).expect("shorter than a body in a bucket");
            [&length.to_be_bytes()[..], &compressed].concat()
        }
        None => body,
    };
    plaintext.extend_from_slice(&content.line);
    let total = plaintext.len() + header_bytes + TAG_BYTES;
    let bucket = Bucket::for_bytes(total).ok_or(SealFrameError::LocalTooLong(total))?;
    plaintext.resize(bucket.bytes() - header_bytes - TAG_BYTES, 0);
    let number = u16::try_from(log.generation.number).unwrap_or(u16::MAX);
    let header = Header {
        kind: Kind::Frame,
        form: Form { bucket, dictionary, explicit_salts, standalone: false, named },
        count: count_byte,
        tag: seal.tag,
        index: content.first,
        sender: if named { Sender::Named(number, log.generation.run) } else { Sender::ByTag },
    };
    let mut out = header.to_bytes();
    let sealed = epoch.suite().aead_seal(&seal.key, &header.nonce(), &out, &plaintext);
    out.extend_from_slice(&sealed);
    Ok(out)
}

fn bucket_of(bytes: usize) -> usize {
    Bucket::for_bytes(bytes).map_or(usize::MAX, Bucket::bytes)
}

/// Why a frame is not taken. The bytes are dropped; the sender repeats what was not received.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenFrameError {
    /// Not sealed under this key, or damaged on the way.
    PeerSeal,
    /// The seal holds, but what is inside breaks `spec/sealing.md`, section 4.
    PeerContent,
}

impl fmt::Display for OpenFrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PeerSeal => "the frame does not open under this log's key",
            Self::PeerContent => "the frame opens, but its content breaks the specification",
        })
    }
}

impl core::error::Error for OpenFrameError {}

/// Opens a frame whose header was parsed. Entries come back with their salts: those given, or
/// those the epoch derives.
///
/// # Errors
/// [`OpenFrameError`]. Every entry must be one deterministic value behind the version byte to be
/// told from the next; a frame of one entry also carries bytes that are not (they will be void).
pub fn open_frame(
    epoch: &Epoch,
    seal: &LogSeal,
    header: &Header,
    bytes: &[u8],
    header_bytes: usize,
) -> Result<FrameContent, OpenFrameError> {
    let (aad, sealed) = bytes.split_at_checked(header_bytes).ok_or(OpenFrameError::PeerSeal)?;
    let plaintext = epoch
        .suite()
        .aead_open(&seal.key, &header.nonce(), aad, sealed)
        .map_err(|_| OpenFrameError::PeerSeal)?;
    if header.form.standalone {
        return Err(OpenFrameError::PeerContent); // For narrow links, which this version does not serve yet.
    }
    if header.form.dictionary {
        let (&length, rest) = plaintext.split_first_chunk::<2>().ok_or(OpenFrameError::PeerContent)?;
        let length = usize::from(u16::from_be_bytes(length));
        let (compressed, tail) = rest.split_at_checked(length).ok_or(OpenFrameError::PeerContent)?;
        let body = super::super::dictionary::decompress(compressed).ok_or(OpenFrameError::PeerContent)?;
        let (entries, used) = split(epoch, seal, header, &body)?;
        if used != body.len() {
            return Err(OpenFrameError::PeerContent);
        }
        return finish(header, entries, tail);
    }
    let (entries, used) = split(epoch, seal, header, &plaintext)?;
    finish(header, entries, &plaintext[used..])
}

fn finish(header: &Header, entries: Vec<FrameEntry>, tail: &[u8]) -> Result<FrameContent, OpenFrameError> {
    let (line, padding) = tail.split_first_chunk::<64>().ok_or(OpenFrameError::PeerContent)?;
    if padding.iter().any(|&byte| byte != 0) {
        return Err(OpenFrameError::PeerContent);
    }
    Ok(FrameContent { first: header.index, entries, line: *line })
}

fn split(
    epoch: &Epoch,
    seal: &LogSeal,
    header: &Header,
    body: &[u8],
) -> Result<(Vec<FrameEntry>, usize), OpenFrameError> {
    let mut at = 0;
    let mut entries = Vec::with_capacity(usize::from(header.count));
    for position in 0..u64::from(header.count) {
        let salt = if header.form.explicit_salts {
            let salt = body.get(at..at + 16).ok_or(OpenFrameError::PeerContent)?;
            at += 16;
            <[u8; 16]>::try_from(salt).expect("16 bytes")
        } else {
            let index = header.index.checked_add(position).ok_or(OpenFrameError::PeerContent)?;
            epoch.salt(&seal.name, index)
        };
        let rest = &body[at..];
        let (&version, value) = rest.split_first().ok_or(OpenFrameError::PeerContent)?;
        if version != super::header::VERSION {
            return Err(OpenFrameError::PeerContent);
        }
        let length = cbor::skip(value).map_err(|_| OpenFrameError::PeerContent)?;
        entries.push(FrameEntry { salt: Some(salt), entry: rest[..=length].to_vec() });
        at += 1 + length;
    }
    Ok((entries, at))
}
