//! Proofs over a tree: that a leaf is in it, and that it only ever grew.
//!
//! Both are short lists of hashes, bottom first. The verifier derives from the sizes alone how many
//! hashes there must be and on which side each stands, so a path of any other length is refused
//! before anything is hashed. Source: RFC 6962, sections 2.1.1 and 2.1.2; the verification is that
//! of RFC 9162, sections 2.1.3.2 and 2.1.4.2.

use crate::Hash;
use crate::tree::{EMPTY_ROOT, LEVEL_MAX, ProofError, Range, SIZE_MAX, Tree, node_hash, range_root};

/// The most hashes a path can have: one a level, and for consistency one more to start from.
pub const PATH_MAX: usize = LEVEL_MAX as usize + 1;

/// Builds the proof that leaf `index` is in the tree of the first `size` leaves, bottom hash first.
///
/// # Errors
/// [`ProofError`] if the index lies outside the tree or a node is missing.
pub fn inclusion_proof(tree: &impl Tree, index: u64, size: u64) -> Result<Vec<Hash>, ProofError> {
    if index >= size || size > SIZE_MAX {
        return Err(ProofError::LocalRange);
    }
    let mut path = Vec::new();
    let mut range = Range { start: 0, count: size };
    while range.count > 1 {
        let (left, right) = range.split();
        let (inside, beside) = if index < right.start { (left, right) } else { (right, left) };
        path.push(range_root(tree, beside)?);
        range = inside;
    }
    path.reverse();
    Ok(path)
}

/// Builds the proof that the tree of the first `old` leaves is the beginning of that of the first
/// `new`. Empty if `old` is 0 or equals `new`.
///
/// # Errors
/// [`ProofError`] if `old` is above `new` or a node is missing.
pub fn consistency_proof(tree: &impl Tree, old: u64, new: u64) -> Result<Vec<Hash>, ProofError> {
    if old > new || new > SIZE_MAX {
        return Err(ProofError::LocalRange);
    }
    if old == 0 || old == new {
        return Ok(Vec::new());
    }
    let mut path = Vec::new();
    let mut range = Range { start: 0, count: new };
    // Down to the subtree that ends where the old tree ends: everything beside the way is proof.
    while range.start + range.count != old {
        let (left, right) = range.split();
        let (inside, beside) = if old <= right.start { (left, right) } else { (right, left) };
        path.push(range_root(tree, beside)?);
        range = inside;
    }
    // If that subtree is the whole old tree, the verifier has its hash: the old root.
    if range.start != 0 {
        path.push(range_root(tree, range)?);
    }
    path.reverse();
    Ok(path)
}

/// A tree head: what a checkpoint or cosignature claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// How many leaves.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
}

/// Computes the root that `leaf` at `index` and `path` give for a tree of `size` leaves; `None` if the
/// sizes are out of range or the path has not exactly the length they ask for.
#[must_use]
pub fn root_of_inclusion(index: u64, size: u64, leaf: Hash, path: &[Hash]) -> Option<Hash> {
    if index >= size || size > SIZE_MAX {
        return None;
    }
    // Up to the level where the way to this leaf leaves the right edge, either side may be next;
    // above it the tree's last leaf lies below us, so only left neighbours remain, one per set bit.
    let inner = (u64::BITS - (index ^ (size - 1)).leading_zeros()) as usize;
    let border = (index >> inner).count_ones() as usize;
    if path.len() != inner + border {
        return None;
    }
    let below = path[..inner].iter().enumerate().fold(leaf, |hash, (level, beside)| {
        if index >> level & 1 == 0 { node_hash(&hash, beside) } else { node_hash(beside, &hash) }
    });
    Some(path[inner..].iter().fold(below, |hash, beside| node_hash(beside, &hash)))
}

/// Whether `path` proves that `leaf` (a leaf hash) stands at `index` of the tree `head`.
#[must_use]
pub fn verify_inclusion(index: u64, leaf: Hash, head: Head, path: &[Hash]) -> bool {
    root_of_inclusion(index, head.size, leaf, path) == Some(head.root)
}

/// Whether `path` proves that tree `old` is the beginning of tree `new`.
///
/// Size 0 is the beginning of every tree, with [`EMPTY_ROOT`] and an empty path; a tree is the
/// beginning of itself with an empty path.
#[must_use]
pub fn verify_consistency(old: Head, new: Head, path: &[Hash]) -> bool {
    if old.size > new.size || new.size > SIZE_MAX {
        return false;
    }
    if old.size == 0 {
        let new_is_sound = new.size > 0 || new.root == EMPTY_ROOT;
        return path.is_empty() && old.root == EMPTY_ROOT && new_is_sound;
    }
    if old.size == new.size {
        return path.is_empty() && old.root == new.root;
    }
    // The largest subtree that ends where the old tree ends; from it both roots are hashed.
    let level = old.size.trailing_zeros() as usize;
    let (start, path) = if old.size.is_power_of_two() {
        (old.root, path)
    } else {
        let Some((first, rest)) = path.split_first() else { return false };
        (*first, rest)
    };
    let index = (old.size - 1) >> level;
    let last = (new.size - 1) >> level;
    let inner = (u64::BITS - (index ^ last).leading_zeros()) as usize;
    let border = (index >> inner).count_ones() as usize;
    if path.len() != inner + border {
        return false;
    }
    let (mut old_hash, mut new_hash) = (start, start);
    for (level, beside) in path.iter().enumerate() {
        if level >= inner || index >> level & 1 == 1 {
            old_hash = node_hash(beside, &old_hash);
            new_hash = node_hash(beside, &new_hash);
        } else {
            // To the right of the old tree: only the new one has it.
            new_hash = node_hash(&new_hash, beside);
        }
    }
    old_hash == old.root && new_hash == new.root
}
