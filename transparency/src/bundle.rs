//! Entry bundles: up to 256 leaves one after the other, each behind its length.
//!
//! The length has two bytes, so a leaf has at most 65,535; a longer one could be hashed but never
//! carried, and is refused before it enters a log. Source: C2SP tlog-tiles, Log entries.

use crate::tile::TILE_WIDTH;

/// The most bytes of leaf data: what the two bytes of length can say.
pub const LEAF_BYTES_MAX: usize = u16::MAX as usize;

/// Leaf data is longer than [`LEAF_BYTES_MAX`]. Nothing was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeafTooLong;

impl core::fmt::Display for LeafTooLong {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("leaf data has at most 65,535 bytes")
    }
}

impl core::error::Error for LeafTooLong {}

/// Why bytes are no entry bundle (C2SP tlog-tiles, Log entries).
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BundleError {
    /// The bytes end inside the entry at this place, counted from 0.
    PeerTruncated(usize),
    /// It holds no entry or more than [`TILE_WIDTH`].
    PeerCount,
}

impl core::fmt::Display for BundleError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::PeerTruncated(place) => write!(f, "the bytes end inside entry {place}"),
            Self::PeerCount => f.write_str("a bundle holds 1 to 256 entries"),
        }
    }
}

impl core::error::Error for BundleError {}

/// Appends one leaf to `out`: its length in 2 bytes, big-endian, then its data.
///
/// # Errors
/// [`LeafTooLong`]; `out` is unchanged.
pub fn write_leaf(leaf: &[u8], out: &mut Vec<u8>) -> Result<(), LeafTooLong> {
    let length = u16::try_from(leaf.len()).map_err(|_| LeafTooLong)?;
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(leaf);
    Ok(())
}

/// Reads leaves one after the other, as many as there are, without copying: a bundle, or the
/// `entries` file of an export (`spec/export.md`, section 1). Ends after the first error.
pub fn leaves(bytes: &[u8]) -> impl Iterator<Item = Result<&[u8], BundleError>> {
    let mut rest = bytes;
    let mut place = 0;
    core::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let leaf = rest.split_first_chunk::<2>().and_then(|(length, after)| {
            let length = usize::from(u16::from_be_bytes(*length));
            after.split_at_checked(length)
        });
        place += 1;
        let Some((leaf, after)) = leaf else {
            rest = &[];
            return Some(Err(BundleError::PeerTruncated(place - 1)));
        };
        rest = after;
        Some(Ok(leaf))
    })
}

/// The leaves of one tile of level 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryBundle {
    leaves: Vec<Vec<u8>>,
}

impl EntryBundle {
    /// A bundle of these leaves.
    ///
    /// # Errors
    /// [`BundleError::PeerCount`] unless there are 1 to [`TILE_WIDTH`].
    pub fn new(leaves: Vec<Vec<u8>>) -> Result<Self, BundleError> {
        if leaves.is_empty() || leaves.len() > usize::from(TILE_WIDTH) {
            return Err(BundleError::PeerCount);
        }
        Ok(Self { leaves })
    }

    /// The leaves, first first.
    #[must_use]
    pub fn leaves(&self) -> &[Vec<u8>] {
        &self.leaves
    }

    /// The bundle as bytes.
    ///
    /// # Errors
    /// [`LeafTooLong`] if a leaf cannot be framed.
    pub fn to_bytes(&self) -> Result<Vec<u8>, LeafTooLong> {
        let mut bytes = Vec::new();
        for leaf in &self.leaves {
            write_leaf(leaf, &mut bytes)?;
        }
        Ok(bytes)
    }

    /// Reads a bundle.
    ///
    /// # Errors
    /// [`BundleError`] if the bytes end inside an entry or the count is wrong; no more than
    /// [`TILE_WIDTH`] entries are read.
    pub fn parse(bytes: &[u8]) -> Result<Self, BundleError> {
        let read = leaves(bytes).take(usize::from(TILE_WIDTH) + 1);
        Self::new(read.map(|leaf| leaf.map(<[u8]>::to_vec)).collect::<Result<_, _>>()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lengths_stand_before_the_leaves() {
        let bundle = EntryBundle::new(vec![b"ab".to_vec(), Vec::new()]).unwrap();
        assert_eq!(bundle.to_bytes().unwrap(), b"\0\x02ab\0\0");
    }

    #[test]
    fn the_longest_leaf_fits_and_no_longer_one() {
        let longest = EntryBundle::new(vec![vec![1; LEAF_BYTES_MAX]]).unwrap();
        assert_eq!(EntryBundle::parse(&longest.to_bytes().unwrap()), Ok(longest));
        assert_eq!(EntryBundle::new(vec![vec![1; LEAF_BYTES_MAX + 1]]).unwrap().to_bytes(), Err(LeafTooLong));
    }

    #[test]
    fn cut_and_overfull_bundles_are_refused() {
        assert_eq!(EntryBundle::parse(b"\0\x01a\0\x02b"), Err(BundleError::PeerTruncated(1)));
        assert_eq!(EntryBundle::parse(b"\0"), Err(BundleError::PeerTruncated(0)));
        assert_eq!(EntryBundle::parse(b""), Err(BundleError::PeerCount));
        assert_eq!(EntryBundle::parse(&[0; 2 * 257]), Err(BundleError::PeerCount));
        assert!(EntryBundle::parse(&[0; 2 * 256]).is_ok());
    }

    proptest! {
        #[test]
        fn what_is_read_is_written_the_same(bytes: Vec<u8>) {
            if let Ok(bundle) = EntryBundle::parse(&bytes) {
                prop_assert_eq!(bundle.to_bytes(), Ok(bytes));
            }
        }
    }
}
