//! A checkpoint with its signature lines: the form in which heads of logs are exported.
//!
//! Three lines, an empty line, then one line for each signature. Everybody may add lines, so lines of
//! unknown keys say nothing; but a line that claims a known key and does not verify means somebody
//! damaged or forged this note, and nothing in it is used. Sources: C2SP signed-note, Format and
//! Signatures; `spec/log.md`, section 2.

use crate::checkpoint::CHECKPOINT_BYTES_MAX;
use crate::key::{Key, LineError};
use crate::name::NAME_BYTES_MAX;
use crate::{Checkpoint, CheckpointError, Name, base64};

/// The most signature lines of one note: what C2SP signed-note asks every verifier to accept.
pub const LINES_MAX: usize = 16;

/// The most bytes behind the key id of a line: nearly twice an ML-DSA-44 signature with its time,
/// so that lines of larger kinds can still be read past.
pub const SIGNATURE_BYTES_MAX: usize = 4_900;

/// The most bytes of a note; longer input is refused before it is read.
pub const NOTE_BYTES_MAX: usize =
    CHECKPOINT_BYTES_MAX + 1 + LINES_MAX * (NAME_BYTES_MAX + 6 + (SIGNATURE_BYTES_MAX + 4).div_ceil(3) * 4);

/// One signature line, not yet checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The name of the key that signed.
    pub name: Name,
    /// The first four bytes: which key of that name.
    pub key_id: [u8; 4],
    /// The rest, at least one byte: for known kinds the time, if any, and the signature.
    pub signature: Vec<u8>,
}

impl Line {
    /// The line of `key` for a bare signature made at `time_s` (0 for a log's key).
    #[must_use]
    pub fn new(key: &Key, time_s: u64, signature: &[u8]) -> Self {
        Self { name: key.name().clone(), key_id: key.id(), signature: key.with_time(time_s, signature) }
    }

    fn is_of(&self, key: &Key) -> bool {
        self.key_id == key.id() && self.name == *key.name()
    }

    fn write(&self, text: &mut String) {
        let bytes = [&self.key_id[..], &self.signature].concat();
        text.push_str("\u{2014} ");
        text.push_str(self.name.as_str());
        text.push(' ');
        text.push_str(&base64::encode(&bytes));
        text.push('\n');
    }

    fn parse(line: &str) -> Result<Self, NoteError> {
        let (name, signature) = line
            .strip_prefix("\u{2014} ")
            .and_then(|rest| rest.split_once(' '))
            .ok_or(NoteError::PeerLine)?;
        let bytes = base64::decode(signature).ok_or(NoteError::PeerLine)?;
        let (key_id, signature) = bytes.split_first_chunk::<4>().ok_or(NoteError::PeerLine)?;
        if signature.is_empty() || signature.len() > SIGNATURE_BYTES_MAX {
            return Err(NoteError::PeerLine);
        }
        let name = Name::new(name).map_err(|_| NoteError::PeerLine)?;
        Ok(Self { name, key_id: *key_id, signature: signature.to_vec() })
    }
}

/// A checkpoint and its signature lines. Reading it checks no signature; [`SignedNote::open`] does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedNote {
    checkpoint: Checkpoint,
    lines: Vec<Line>,
}

/// Why bytes are no signed note (C2SP signed-note, Format).
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoteError {
    /// Longer than [`NOTE_BYTES_MAX`].
    PeerTooLong,
    /// Not UTF-8.
    PeerNotUtf8,
    /// No empty line between text and signatures, or the last line is not ended.
    PeerShape,
    /// The text is no checkpoint.
    PeerCheckpoint(CheckpointError),
    /// A signature line is not dash, name and strict base64 of at least five bytes, one space between.
    PeerLine,
    /// No signature line, or more than [`LINES_MAX`].
    PeerLineCount,
}

impl core::fmt::Display for NoteError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::PeerTooLong => write!(f, "the note is longer than {NOTE_BYTES_MAX} bytes"),
            Self::PeerNotUtf8 => f.write_str("the note is not UTF-8"),
            Self::PeerShape => f.write_str("the note is not a text, an empty line and signature lines"),
            Self::PeerCheckpoint(error) => error.fmt(f),
            Self::PeerLine => f.write_str("a signature line is not dash, name and strict base64"),
            Self::PeerLineCount => write!(f, "the note has not 1 to {LINES_MAX} signature lines"),
        }
    }
}

impl core::error::Error for NoteError {}

/// Why nothing in a note may be used.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// The line at this place (from 0) claims a known key and does not hold. Alert: forged or damaged.
    PeerLine(usize, LineError),
    /// No line is of a known key. Ask for the credential that names the key.
    PeerUnknown,
}

impl core::fmt::Display for OpenError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::PeerLine(place, error) => write!(f, "signature line {}: {error}", place + 1),
            Self::PeerUnknown => f.write_str("no signature line is of a known key"),
        }
    }
}

impl core::error::Error for OpenError {}

/// A line that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signed<'a> {
    /// The key that signed.
    pub key: &'a Key,
    /// When, in seconds since 1970 UTC; 0 for a log's own line.
    pub time_s: u64,
}

impl SignedNote {
    /// A note of these lines, in this order.
    ///
    /// # Errors
    /// [`NoteError::PeerLineCount`] if there is no line or more than [`LINES_MAX`].
    pub fn new(checkpoint: Checkpoint, lines: Vec<Line>) -> Result<Self, NoteError> {
        if lines.is_empty() || lines.len() > LINES_MAX {
            return Err(NoteError::PeerLineCount);
        }
        Ok(Self { checkpoint, lines })
    }

    /// What the lines sign. Means nothing until [`SignedNote::open`] succeeds.
    #[must_use]
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The lines, unchecked, in their order.
    #[must_use]
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// The note as text: three lines, an empty line, the signature lines.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = self.checkpoint.body();
        text.push('\n');
        for line in &self.lines {
            line.write(&mut text);
        }
        text
    }

    /// Reads one note that fills `bytes`.
    ///
    /// # Errors
    /// [`NoteError`] for anything that [`SignedNote::to_text`] would not write.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > NOTE_BYTES_MAX {
            return Err(NoteError::PeerTooLong);
        }
        let text = core::str::from_utf8(bytes).map_err(|_| NoteError::PeerNotUtf8)?;
        // Neither a checkpoint nor a signature line is empty: the only empty line divides them.
        let (body, lines) = text.split_once("\n\n").ok_or(NoteError::PeerShape)?;
        let checkpoint = Checkpoint::parse(&text[..body.len() + 1]).map_err(NoteError::PeerCheckpoint)?;
        if lines.is_empty() {
            return Err(NoteError::PeerLineCount);
        }
        let lines = lines.strip_suffix('\n').ok_or(NoteError::PeerShape)?;
        if lines.split('\n').count() > LINES_MAX {
            return Err(NoteError::PeerLineCount);
        }
        let lines = lines.split('\n').map(Line::parse).collect::<Result<_, _>>()?;
        Self::new(checkpoint, lines)
    }

    /// Reads notes one after the other, an empty line after each (`spec/export.md`, section 1).
    /// The iterator ends after the first error.
    pub fn parse_all(bytes: &[u8]) -> impl Iterator<Item = Result<Self, NoteError>> {
        let mut rest = bytes;
        core::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let note =
                note_length(rest).and_then(|length| Self::parse(&rest[..length]).map(|note| (note, length)));
            rest = note.as_ref().map_or(&[], |(_, length)| &rest[length + 1..]);
            Some(note.map(|(note, _)| note))
        })
    }

    /// Checks the lines of `known` keys and returns them in their order; lines of other keys are passed
    /// over. One key may have several lines, each with its own time; all must hold.
    ///
    /// # Errors
    /// [`OpenError`] if one line of a known key does not hold, or no line is of a known key. Nothing of
    /// the note may be used then.
    pub fn open<'a>(&self, known: &'a [Key]) -> Result<Vec<Signed<'a>>, OpenError> {
        let mut signed = Vec::new();
        for (place, line) in self.lines.iter().enumerate() {
            let mut candidates = known.iter().filter(|key| line.is_of(key)).peekable();
            if candidates.peek().is_none() {
                continue;
            }
            signed.push(
                line_holds(candidates, &self.checkpoint, &line.signature)
                    .map_err(|error| OpenError::PeerLine(place, error))?,
            );
        }
        if signed.is_empty() { Err(OpenError::PeerUnknown) } else { Ok(signed) }
    }
}

/// Ids have four bytes, so two known keys may share one: the line holds if it holds for either.
fn line_holds<'a>(
    candidates: impl Iterator<Item = &'a Key>,
    checkpoint: &Checkpoint,
    bytes: &[u8],
) -> Result<Signed<'a>, LineError> {
    let mut failed = LineError::PeerSignature;
    for key in candidates {
        let held = key
            .split_time(bytes)
            .and_then(|(time_s, signature)| key.verify(checkpoint, time_s, signature).map(|()| time_s));
        match held {
            Ok(time_s) => return Ok(Signed { key, time_s }),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

/// Where the first of several notes ends: before the second empty line, which must be there.
fn note_length(bytes: &[u8]) -> Result<usize, NoteError> {
    let bytes = &bytes[..bytes.len().min(NOTE_BYTES_MAX + 2)];
    let empty_lines: Vec<usize> =
        bytes.windows(2).enumerate().filter(|(_, pair)| pair == b"\n\n").map(|(at, _)| at).take(2).collect();
    match empty_lines[..] {
        [_, end] => Ok(end + 1),
        _ if bytes.len() > NOTE_BYTES_MAX => Err(NoteError::PeerTooLong),
        _ => Err(NoteError::PeerShape),
    }
}
