//! The right edge of a growing tree: all that is needed to go on and to know the root.
//!
//! A tree of `n` leaves is a row of complete subtrees, one for each bit set in `n`, largest first.
//! Their hashes are the edge: at most forty, 1.3 kB. Whoever holds the edge at `n` can append leaf
//! `n` and compute every later root without the leaves before it; so a node stores the edge with each
//! commit and opens a log of any length at once.

use crate::tree::{EMPTY_ROOT, SIZE_MAX, node_hash};
use crate::{Hash, Head};

/// The complete subtrees of a tree, largest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edge {
    size: u64,
    // One hash for each bit set in `size`, from the highest bit down.
    subtrees: Vec<Hash>,
}

/// Why stored bytes are no edge. Rebuild the edge from the stored leaves.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EdgeError {
    /// Not 8 bytes and exactly one hash for each bit set in the size.
    EnvironmentLength,
    /// The size is above [`SIZE_MAX`].
    EnvironmentSize,
}

impl core::fmt::Display for EdgeError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::EnvironmentLength => "the stored tree edge has not the length its size asks for",
            Self::EnvironmentSize => "the stored tree edge claims more leaves than a tree may have",
        })
    }
}

impl core::error::Error for EdgeError {}

impl Edge {
    /// The edge of the tree without leaves.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many leaves the tree has.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends one leaf by its [`leaf_hash`](crate::leaf_hash).
    ///
    /// # Panics
    /// If the tree already has [`SIZE_MAX`] leaves; callers close a log long before.
    pub fn append(&mut self, leaf: Hash) {
        self.append_with(leaf, |_, _, _| ());
    }

    /// As [`Edge::append`], and reports each node that this leaf completes, the leaf itself first,
    /// as level, index and hash: what a store of tiles or nodes has to write.
    ///
    /// # Panics
    /// As [`Edge::append`].
    pub fn append_with(&mut self, leaf: Hash, mut completed: impl FnMut(u8, u64, &Hash)) {
        assert!(self.size < SIZE_MAX, "a tree has at most 2^40 leaves");
        let mut hash = leaf;
        completed(0, self.size, &hash);
        // Each trailing one bit of the size is a subtree that this leaf completes to twice its size.
        for level in 1..=self.size.trailing_ones() {
            let left = self.subtrees.pop().expect("one hash for each bit set in the size");
            hash = node_hash(&left, &hash);
            completed(level as u8, self.size >> level, &hash);
        }
        self.subtrees.push(hash);
        self.size += 1;
    }

    /// The root of the tree: [`EMPTY_ROOT`] without leaves.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut subtrees = self.subtrees.iter().rev();
        let Some(last) = subtrees.next() else { return EMPTY_ROOT };
        subtrees.fold(*last, |right, left| node_hash(left, &right))
    }

    /// Size and root of the tree.
    #[must_use]
    pub fn head(&self) -> Head {
        Head { size: self.size, root: self.root() }
    }

    /// The stored form: 8 bytes size, big-endian, then the hashes of 32 bytes, largest subtree first.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(8 + 32 * self.subtrees.len());
        bytes.extend_from_slice(&self.size.to_be_bytes());
        for hash in &self.subtrees {
            bytes.extend_from_slice(&hash.0);
        }
        bytes
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// [`EdgeError`] if the bytes have not exactly the length that the size asks for.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EdgeError> {
        let (size, hashes) = bytes.split_first_chunk::<8>().ok_or(EdgeError::EnvironmentLength)?;
        let size = u64::from_be_bytes(*size);
        if size > SIZE_MAX {
            return Err(EdgeError::EnvironmentSize);
        }
        let (subtrees, rest) = hashes.as_chunks::<32>();
        if !rest.is_empty() || subtrees.len() as u32 != size.count_ones() {
            return Err(EdgeError::EnvironmentLength);
        }
        Ok(Self { size, subtrees: subtrees.iter().map(|bytes| Hash(*bytes)).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{MemoryTree, Tree, leaf_hash};

    #[test]
    fn a_stored_edge_goes_on_as_if_never_stored() {
        let mut edge = Edge::new();
        let mut whole = MemoryTree::default();
        for n in 0..300u64 {
            assert_eq!(edge.root(), whole.root());
            assert_eq!(Edge::from_bytes(&edge.to_bytes()), Ok(edge.clone()));
            edge = Edge::from_bytes(&edge.to_bytes()).unwrap();
            let leaf = leaf_hash(&n.to_be_bytes());
            whole.append(leaf);
            edge.append_with(leaf, |level, index, hash| assert_eq!(whole.node(level, index), Some(*hash)));
            assert_eq!(edge.size(), n + 1);
        }
    }

    #[test]
    fn each_node_is_reported_once() {
        let mut edge = Edge::new();
        let mut count = 0;
        for n in 0..64u8 {
            edge.append_with(leaf_hash(&[n]), |_, _, _| count += 1);
        }
        assert_eq!(count, 64 + 32 + 16 + 8 + 4 + 2 + 1);
    }

    #[test]
    fn wrong_lengths_and_sizes_are_refused() {
        let mut edge = Edge::new();
        (0..5u8).for_each(|n| edge.append(leaf_hash(&[n])));
        let bytes = edge.to_bytes();
        assert_eq!(bytes.len(), 8 + 2 * 32);
        assert_eq!(Edge::from_bytes(&bytes[..bytes.len() - 1]), Err(EdgeError::EnvironmentLength));
        assert_eq!(Edge::from_bytes(&bytes[..40]), Err(EdgeError::EnvironmentLength));
        assert_eq!(
            Edge::from_bytes(&[bytes.as_slice(), &[0; 32]].concat()),
            Err(EdgeError::EnvironmentLength)
        );
        assert_eq!(Edge::from_bytes(&[]), Err(EdgeError::EnvironmentLength));
        let huge = [&(SIZE_MAX << 1).to_be_bytes()[..], &[0; 32]].concat();
        assert_eq!(Edge::from_bytes(&huge), Err(EdgeError::EnvironmentSize));
    }
}
