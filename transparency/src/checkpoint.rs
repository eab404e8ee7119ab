//! What a log says it is: its name, its size and its root, in three lines.
//!
//! These lines are signed, so there is one spelling: decimal without leading zeros, strict base64,
//! one line feed at the end of each. C2SP allows further lines; nothing here writes them, and a
//! checkpoint with them is refused, since no ML-DSA signature would cover them.
//! Source: C2SP tlog-checkpoint, Note text.

use crate::tree::{EMPTY_ROOT, SIZE_MAX};
use crate::{Hash, Head, Name, base64};

/// The most bytes the three lines can have: a name of 255, 13 digits, 44 letters, three line feeds.
pub const CHECKPOINT_BYTES_MAX: usize = 255 + 13 + 44 + 3;

/// Origin, size and root of a log: the text under log lines and cosignatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's name.
    pub origin: Name,
    /// How many leaves it has, and the root over them.
    pub head: Head,
}

/// Why text is no checkpoint (C2SP tlog-checkpoint, Note text).
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckpointError {
    /// Not exactly three lines, each ended by one line feed.
    PeerLines,
    /// The first line is no [`Name`].
    PeerOrigin,
    /// The size is not plain decimal without leading zeros, or above [`SIZE_MAX`].
    PeerSize,
    /// The root is not the strict base64 of 32 bytes, or size 0 has another root than the empty one.
    PeerRoot,
}

impl core::fmt::Display for CheckpointError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::PeerLines => "the checkpoint has not exactly three lines",
            Self::PeerOrigin => "the checkpoint's first line is no name of a log",
            Self::PeerSize => "the checkpoint's size is not a plain number up to 2^40",
            Self::PeerRoot => "the checkpoint's root is not 32 bytes in strict base64",
        })
    }
}

impl core::error::Error for CheckpointError {}

impl Checkpoint {
    /// The three lines, exactly as signed.
    #[must_use]
    pub fn body(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.head.size, base64::encode(&self.head.root.0))
    }

    /// Reads the three lines.
    ///
    /// # Errors
    /// [`CheckpointError`] for anything that [`Checkpoint::body`] would not write.
    pub fn parse(body: &str) -> Result<Self, CheckpointError> {
        let mut lines = body.strip_suffix('\n').ok_or(CheckpointError::PeerLines)?.split('\n');
        let (Some(origin), Some(size), Some(root), None) =
            (lines.next(), lines.next(), lines.next(), lines.next())
        else {
            return Err(CheckpointError::PeerLines);
        };
        let origin = Name::new(origin).map_err(|_| CheckpointError::PeerOrigin)?;
        let head = Head { size: parse_size(size)?, root: parse_root(root)? };
        if head.size == 0 && head.root != EMPTY_ROOT {
            return Err(CheckpointError::PeerRoot);
        }
        Ok(Self { origin, head })
    }
}

fn parse_size(text: &str) -> Result<u64, CheckpointError> {
    // The number parser accepts a sign and leading zeros; the format does not.
    let plain = text.bytes().all(|digit| digit.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    let size = text.parse().map_err(|_| CheckpointError::PeerSize)?;
    if plain && size <= SIZE_MAX { Ok(size) } else { Err(CheckpointError::PeerSize) }
}

fn parse_root(text: &str) -> Result<Hash, CheckpointError> {
    let bytes = base64::decode(text).ok_or(CheckpointError::PeerRoot)?;
    bytes.try_into().map(Hash).map_err(|_| CheckpointError::PeerRoot)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ROOT: &str = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";

    #[test]
    fn the_example_of_the_specification_reads_and_writes_the_same() {
        let body = format!("example.com/behind-the-sofa\n20852163\n{ROOT}\n");
        let checkpoint = Checkpoint::parse(&body).unwrap();
        assert_eq!(checkpoint.head.size, 20_852_163);
        assert_eq!(checkpoint.body(), body);
    }

    #[test]
    fn every_other_spelling_is_refused() {
        use CheckpointError::*;
        let cases = [
            (format!("log\n1\n{ROOT}"), PeerLines),
            (format!("log\n1\n{ROOT}\nextension\n"), PeerLines),
            (format!("log\n1\n{ROOT}\n\n"), PeerLines),
            ("log\n1\n".to_owned(), PeerLines),
            (format!("\n1\n{ROOT}\n"), PeerOrigin),
            (format!("a log\n1\n{ROOT}\n"), PeerOrigin),
            (format!("log\n01\n{ROOT}\n"), PeerSize),
            (format!("log\n+1\n{ROOT}\n"), PeerSize),
            (format!("log\n\n{ROOT}\n"), PeerSize),
            (format!("log\n1 \n{ROOT}\n"), PeerSize),
            (format!("log\n1\r\n{ROOT}\n"), PeerSize),
            (format!("log\n1099511627777\n{ROOT}\n"), PeerSize),
            (format!("log\n18446744073709551616\n{ROOT}\n"), PeerSize),
            (format!("log\n0\n{ROOT}\n"), PeerRoot),
            (format!("log\n1\n{}\n", ROOT.trim_end_matches('=')), PeerRoot),
            (format!("log\n1\n{ROOT} \n"), PeerRoot),
            ("log\n1\nAAAA\n".to_owned(), PeerRoot),
            (format!("log\n1\n{}J=\n", &ROOT[..42]), PeerRoot),
        ];
        for (body, error) in cases {
            assert_eq!(Checkpoint::parse(&body), Err(error), "{body:?}");
        }
    }

    proptest! {
        #[test]
        fn a_checkpoint_comes_back(origin in "[a-z/0-9-]{1,255}", size in 1..=SIZE_MAX, root: [u8; 32]) {
            let head = Head { size, root: Hash(root) };
            let checkpoint = Checkpoint { origin: Name::new(&origin).unwrap(), head };
            prop_assert!(checkpoint.body().len() <= CHECKPOINT_BYTES_MAX);
            prop_assert_eq!(Checkpoint::parse(&checkpoint.body()), Ok(checkpoint));
        }
    }
}
