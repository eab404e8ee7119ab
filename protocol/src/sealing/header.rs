//! The header of everything handed to a path: 16 bytes, 26 when named, 24 for control messages.

use crate::names::Run;
use core::fmt;

/// Format version, the first byte of every frame.
pub(crate) const VERSION: u8 = 1;

/// Total lengths a frame is padded to, in bytes as handed to the path. The first is the figure
/// for a launch notification without free text; the last holds the largest entry.
pub const BUCKETS: [usize; 16] =
    [222, 288, 340, 400, 512, 600, 800, 1100, 1600, 2400, 4096, 8192, 16_384, 32_768, 49_152, 66_200];

/// Index into [`BUCKETS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bucket(u8);

impl Bucket {
    /// The smallest bucket that holds `bytes`. `None` above 66,200.
    #[must_use]
    pub fn for_bytes(bytes: usize) -> Option<Self> {
        let index = BUCKETS.iter().position(|&limit| bytes <= limit)?;
        Some(Self(u8::try_from(index).expect("16 buckets")))
    }

    /// Total bytes of a frame in it.
    #[must_use]
    pub fn bytes(self) -> usize {
        BUCKETS[usize::from(self.0)]
    }
}

/// What may vary when a frame is made; part of the nonce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form {
    /// Total length.
    pub bucket: Bucket,
    /// The body is compressed with `dictionary/1`.
    pub dictionary: bool,
    /// Salts stand before the entries.
    pub explicit_salts: bool,
    /// One entry with its inclusion path.
    pub standalone: bool,
    /// Generation number and run stand in the header.
    pub named: bool,
}

impl Form {
    pub(crate) fn byte(self) -> u8 {
        self.bucket.0
            | u8::from(self.dictionary) << 4
            | u8::from(self.explicit_salts) << 5
            | u8::from(self.standalone) << 6
            | u8::from(self.named) << 7
    }

    pub(crate) fn from_byte(byte: u8) -> Self {
        Self {
            bucket: Bucket(byte & 15),
            dictionary: byte & 16 != 0,
            explicit_salts: byte & 32 != 0,
            standalone: byte & 64 != 0,
            named: byte & 128 != 0,
        }
    }
}

/// What stands behind a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Entries of the sender's own log.
    Frame = 1,
    /// Lines: late signatures, receipts, heartbeats, presence.
    Line = 2,
    /// What the sender holds.
    Have = 3,
    /// What the sender asks for.
    Want = 4,
    /// Part of a blob.
    Blob = 5,
    /// An equivocation proof.
    Proof = 6,
    /// Entries of any log.
    Backfill = 7,
    /// An epoch secret for its readers.
    Wrap = 8,
    /// The charter of a channel not yet known to the reader.
    Introduction = 9,
}

impl Kind {
    fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            1 => Self::Frame,
            2 => Self::Line,
            3 => Self::Have,
            4 => Self::Want,
            5 => Self::Blob,
            6 => Self::Proof,
            7 => Self::Backfill,
            8 => Self::Wrap,
            9 => Self::Introduction,
            _ => return None,
        })
    }

    /// Whether it is sealed under a control key (kinds 2 to 7).
    #[must_use]
    pub fn is_control(self) -> bool {
        (Self::Line..=Self::Backfill).contains(&self)
    }
}

/// What stands in clear behind the 16 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// Nothing: the log is found by its tag.
    ByTag,
    /// Generation number (2 bytes) and run of a named frame.
    Named(u16, Run),
    /// Run of a control message's sender.
    Control(Run),
}

/// A header, parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// What follows.
    pub kind: Kind,
    /// How it was made.
    pub form: Form,
    /// Entries of a frame, 1 to 64; 0 elsewhere.
    pub count: u8,
    /// By which readers find key and log.
    pub tag: [u8; 4],
    /// First index of a frame, message count of a control message.
    pub index: u64,
    /// Who, where it is said.
    pub sender: Sender,
}

/// Why bytes have no header of this version. They are dropped and counted.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderError {
    /// Shorter than its header.
    PeerTruncated,
    /// First byte is not 1.
    PeerVersion(u8),
    /// A kind this version does not know.
    PeerKind(u8),
    /// A count that its kind does not allow.
    PeerCount(u8),
    /// Total length is not the bucket's.
    PeerLength,
    /// A first index beyond any log (2^40).
    PeerIndex(u64),
}

impl fmt::Display for HeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PeerTruncated => f.write_str("the frame is shorter than its header"),
            Self::PeerVersion(version) => write!(f, "format version {version} is not known"),
            Self::PeerKind(kind) => write!(f, "frame kind {kind} is not known"),
            Self::PeerCount(count) => write!(f, "a frame of this kind cannot hold {count} entries"),
            Self::PeerLength => f.write_str("the frame's length is not that of its bucket"),
            Self::PeerIndex(index) => write!(f, "no log reaches index {index}"),
        }
    }
}

impl core::error::Error for HeaderError {}

/// Entries one frame holds at most (`spec/README.md`, limits).
pub(crate) const COUNT_MAX: u8 = 64;

impl Header {
    /// The bytes, all of them associated data of the seal.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = vec![VERSION, self.kind as u8, self.form.byte(), self.count];
        out.extend_from_slice(&self.tag);
        out.extend_from_slice(&self.index.to_be_bytes());
        match self.sender {
            Sender::ByTag => {}
            Sender::Named(number, run) => {
                out.extend_from_slice(&number.to_be_bytes());
                out.extend_from_slice(&run.0);
            }
            Sender::Control(run) => out.extend_from_slice(&run.0),
        }
        out
    }

    /// Reads the header of a frame or control message; returns it and where the sealed part begins.
    /// Wraps and introductions have their own ([`super::uncover`], [`super::open_introduction`]).
    ///
    /// # Errors
    /// [`HeaderError`]; the length is checked against the bucket before anything else is done.
    pub fn parse(bytes: &[u8]) -> Result<(Self, usize), HeaderError> {
        let kind = Self::kind_of(bytes)?;
        let fixed: &[u8; 16] = bytes.first_chunk().ok_or(HeaderError::PeerTruncated)?;
        let form = Form::from_byte(fixed[2]);
        let count = fixed[3];
        let count_allowed = match kind {
            Kind::Frame => (1..=COUNT_MAX).contains(&count) && (!form.standalone || count == 1),
            _ => count == 0,
        };
        if !count_allowed {
            return Err(HeaderError::PeerCount(count));
        }
        if bytes.len() != form.bucket.bytes() {
            return Err(HeaderError::PeerLength);
        }
        let index = u64::from_be_bytes(fixed[8..].try_into().expect("8 bytes"));
        if kind == Kind::Frame && index > crate::limits::LOG_SIZE_MAX - u64::from(COUNT_MAX) {
            return Err(HeaderError::PeerIndex(index));
        }
        let rest = &bytes[16..];
        let run_at = |at: usize| -> Result<Run, HeaderError> {
            let slice = rest.get(at..at + 8).ok_or(HeaderError::PeerTruncated)?;
            Ok(Run(slice.try_into().expect("8 bytes")))
        };
        let (sender, length) = match kind {
            Kind::Frame if form.named => {
                let number = u16::from_be_bytes([rest[0], rest[1]]);
                (Sender::Named(number, run_at(2)?), 26)
            }
            Kind::Frame => (Sender::ByTag, 16),
            _ => (Sender::Control(run_at(0)?), 24),
        };
        let header = Self { kind, form, count, tag: fixed[4..8].try_into().expect("4 bytes"), index, sender };
        Ok((header, length))
    }

    /// The kind of any frame, wraps and introductions included.
    ///
    /// # Errors
    /// [`HeaderError`] for another version or kind.
    pub fn kind_of(bytes: &[u8]) -> Result<Kind, HeaderError> {
        match bytes {
            [VERSION, kind, ..] => Kind::from_byte(*kind).ok_or(HeaderError::PeerKind(*kind)),
            [version, _, ..] => Err(HeaderError::PeerVersion(*version)),
            _ => Err(HeaderError::PeerTruncated),
        }
    }

    /// Nonce: form, count, index in 10 bytes.
    pub(crate) fn nonce(&self) -> [u8; 12] {
        let mut nonce = [0; 12];
        nonce[0] = self.form.byte();
        nonce[1] = self.count;
        nonce[4..].copy_from_slice(&self.index.to_be_bytes());
        nonce
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(kind: Kind, sender: Sender) -> Header {
        let form = Form {
            bucket: Bucket(2),
            dictionary: false,
            explicit_salts: true,
            standalone: false,
            named: matches!(sender, Sender::Named(..)),
        };
        Header { kind, form, count: u8::from(kind == Kind::Frame) * 3, tag: [1, 2, 3, 4], index: 77, sender }
    }

    #[test]
    fn a_header_is_read_as_it_is_written() {
        for header in [
            header(Kind::Frame, Sender::ByTag),
            header(Kind::Frame, Sender::Named(5, Run([9; 8]))),
            header(Kind::Want, Sender::Control(Run([8; 8]))),
        ] {
            let mut bytes = header.to_bytes();
            let length = bytes.len();
            bytes.resize(340, 0);
            assert_eq!(Header::parse(&bytes), Ok((header, length)));
        }
    }

    #[test]
    fn every_prefix_and_wrong_count_is_refused() {
        let mut bytes = header(Kind::Frame, Sender::Named(5, Run([9; 8]))).to_bytes();
        bytes.resize(340, 0);
        for cut in 0..340 {
            assert!(Header::parse(&bytes[..cut]).is_err());
        }
        for count in [0, 65, 255] {
            bytes[3] = count;
            assert_eq!(Header::parse(&bytes), Err(HeaderError::PeerCount(count)));
        }
    }

    #[test]
    fn the_nonce_names_everything_that_may_vary() {
        let base = header(Kind::Frame, Sender::ByTag);
        let mut seen = std::collections::BTreeSet::new();
        for byte in 0..=255 {
            assert!(seen.insert(Header { form: Form::from_byte(byte), ..base }.nonce()));
        }
        for count in 4..=COUNT_MAX {
            assert!(seen.insert(Header { count, ..base }.nonce()));
        }
        assert!(seen.insert(Header { index: 78, ..base }.nonce()));
    }
}
