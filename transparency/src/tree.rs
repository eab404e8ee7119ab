//! How leaves become one root: the Merkle tree hash of RFC 6962, section 2.1.
//!
//! A tree of `n` leaves splits at the largest power of two below `n`; leaves and inner nodes are
//! hashed under different prefixes, so that neither can be passed off as the other. A *node* here is
//! always complete: `node(level, index)` covers the `2^level` leaves from `index * 2^level` on, and
//! never changes once it exists. Everything that is not complete is hashed from nodes when needed.

use crate::{Hash, Head, sha256};

/// The most leaves a tree may have: 2^40, a million entries a second for twelve days. Larger sizes
/// from outside are refused, so that shifts and sums of sizes cannot overflow.
pub const SIZE_MAX: u64 = 1 << 40;

/// The level of the highest node a tree of [`SIZE_MAX`] leaves can have.
pub const LEVEL_MAX: u8 = 40;

const _: () = assert!(SIZE_MAX == 1 << LEVEL_MAX);

/// The root of the tree without leaves: SHA-256 of nothing (RFC 6962, section 2.1).
pub const EMPTY_ROOT: Hash = Hash([
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27,
    0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
]);

/// Hashes the data of one leaf: SHA-256 of `0x00` and the data.
#[must_use]
pub fn leaf_hash(data: &[u8]) -> Hash {
    sha256(&[&[0x00], data])
}

/// Hashes two subtrees into their parent: SHA-256 of `0x01`, the left and the right hash.
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut bytes = [0x01; 65];
    bytes[1..33].copy_from_slice(&left.0);
    bytes[33..].copy_from_slice(&right.0);
    sha256(&[&bytes])
}

/// Reads the complete nodes of a stored tree.
///
/// Leaves are at level 0. What a reader answers is trusted to be the tree's: a proof built from wrong
/// nodes does not verify, it does no other harm.
pub trait Tree {
    /// The hash over leaves `index * 2^level` to `(index + 1) * 2^level - 1`, if it is held.
    fn node(&self, level: u8, index: u64) -> Option<Hash>;
}

impl<T: Tree + ?Sized> Tree for &T {
    fn node(&self, level: u8, index: u64) -> Option<Hash> {
        (**self).node(level, index)
    }
}

/// Why a root or proof could not be built. Nothing is changed.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofError {
    /// The index or the smaller size lies outside the tree asked for, or the size above
    /// [`SIZE_MAX`]. Ask within the tree.
    LocalRange,
    /// The reader does not hold this node. Fetch it, or build the proof where the tree is whole.
    LocalMissing {
        /// Level of the missing node; leaves are 0.
        level: u8,
        /// Its place within the level.
        index: u64,
    },
}

impl core::fmt::Display for ProofError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::LocalRange => f.write_str("the index or size lies outside the tree"),
            Self::LocalMissing { level, index } => {
                write!(f, "the stored tree lacks node {index} of level {level}")
            }
        }
    }
}

impl core::error::Error for ProofError {}

/// Computes the root of the first `size` leaves from the stored nodes.
///
/// # Errors
/// [`ProofError`] if `size` is above [`SIZE_MAX`] or a node is missing.
pub fn root(tree: &impl Tree, size: u64) -> Result<Hash, ProofError> {
    match size {
        0 => Ok(EMPTY_ROOT),
        1..=SIZE_MAX => range_root(tree, Range { start: 0, count: size }),
        _ => Err(ProofError::LocalRange),
    }
}

/// Leaves `start` to `start + count - 1`, where `start` is a multiple of the smallest power of two
/// that is at least `count`: the shape of every subtree that RFC 6962's splitting makes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Range {
    pub(crate) start: u64,
    pub(crate) count: u64,
}

impl Range {
    /// Splits as RFC 6962, section 2.1 does: the left part is the largest power of two below `count`.
    ///
    /// # Panics
    /// If `count` is below 2; a single leaf has no parts.
    pub(crate) fn split(self) -> (Self, Self) {
        assert!(self.count > 1, "a single leaf cannot be split");
        let left = 1 << (self.count - 1).ilog2();
        (Self { start: self.start, count: left }, Self { start: self.start + left, count: self.count - left })
    }
}

/// The hash of one subtree: its own node if complete, else hashed from the nodes it consists of.
pub(crate) fn range_root(tree: &impl Tree, range: Range) -> Result<Hash, ProofError> {
    if range.count.is_power_of_two() {
        let level = range.count.ilog2() as u8;
        let index = range.start >> level;
        return tree.node(level, index).ok_or(ProofError::LocalMissing { level, index });
    }
    let (left, right) = range.split();
    Ok(node_hash(&range_root(tree, left)?, &range_root(tree, right)?))
}

/// A whole tree in memory, 64 bytes a leaf: for verifiers, simulations and tests.
#[derive(Clone, Debug, Default)]
pub struct MemoryTree {
    levels: Vec<Vec<Hash>>,
}

impl MemoryTree {
    /// Appends one leaf by its [`leaf_hash`].
    ///
    /// # Panics
    /// If the tree already has [`SIZE_MAX`] leaves.
    pub fn append(&mut self, leaf: Hash) {
        assert!(self.size() < SIZE_MAX, "a tree has at most 2^40 leaves");
        let mut hash = leaf;
        for level in 0.. {
            if self.levels.len() == level {
                self.levels.push(Vec::new());
            }
            let nodes = &mut self.levels[level];
            nodes.push(hash);
            if nodes.len() % 2 == 1 {
                return;
            }
            hash = node_hash(&nodes[nodes.len() - 2], &nodes[nodes.len() - 1]);
        }
    }

    /// How many leaves it has.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.levels.first().map_or(0, |leaves| leaves.len() as u64)
    }

    /// The root over all its leaves.
    ///
    /// # Panics
    /// Never: it holds every node below its own size.
    #[must_use]
    pub fn root(&self) -> Hash {
        root(self, self.size()).expect("a memory tree holds all its nodes")
    }

    /// Its size and root.
    #[must_use]
    pub fn head(&self) -> Head {
        Head { size: self.size(), root: self.root() }
    }
}

impl Tree for MemoryTree {
    fn node(&self, level: u8, index: u64) -> Option<Hash> {
        self.levels.get(usize::from(level))?.get(usize::try_from(index).ok()?).copied()
    }
}

impl FromIterator<Hash> for MemoryTree {
    /// Builds the tree from leaf hashes, first leaf first.
    fn from_iter<I: IntoIterator<Item = Hash>>(leaves: I) -> Self {
        let mut tree = Self::default();
        for leaf in leaves {
            tree.append(leaf);
        }
        tree
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_empty_root_is_the_hash_of_nothing() {
        assert_eq!(sha256(&[]), EMPTY_ROOT);
        assert_eq!(MemoryTree::default().root(), EMPTY_ROOT);
    }

    #[test]
    fn a_leaf_is_no_node() {
        let (left, right) = (leaf_hash(b"l"), leaf_hash(b"r"));
        let as_leaf = [left.0, right.0].concat();
        assert_ne!(leaf_hash(&as_leaf), node_hash(&left, &right));
    }

    #[test]
    fn a_missing_node_is_named() {
        let tree: MemoryTree = (0..3u8).map(|n| leaf_hash(&[n])).collect();
        assert_eq!(root(&tree, 4), Err(ProofError::LocalMissing { level: 2, index: 0 }));
        assert_eq!(root(&tree, SIZE_MAX + 1), Err(ProofError::LocalRange));
    }
}
