//! Every root and proof is compared with the recursive definitions of RFC 6962, section 2.1, written
//! here word for word and as slowly as they read.

use detente_transparency::{
    Edge, Hash, Head, MemoryTree, SIZE_MAX, consistency_proof, inclusion_proof, leaf_hash, node_hash, root,
    sha256, verify_consistency, verify_inclusion,
};
use proptest::prelude::*;

/// MTH of RFC 6962, section 2.1, over leaf hashes.
fn naive_root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => sha256(&[]),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(largest_power_below(leaves.len()));
            node_hash(&naive_root(left), &naive_root(right))
        }
    }
}

/// PATH of RFC 6962, section 2.1.1.
fn naive_path(index: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(largest_power_below(leaves.len()));
    let (mut path, beside) = if index < left.len() {
        (naive_path(index, left), right)
    } else {
        (naive_path(index - left.len(), right), left)
    };
    path.push(naive_root(beside));
    path
}

/// SUBPROOF of RFC 6962, section 2.1.2.
fn naive_subproof(old: usize, leaves: &[Hash], known: bool) -> Vec<Hash> {
    if old == leaves.len() {
        return if known { Vec::new() } else { vec![naive_root(leaves)] };
    }
    let (left, right) = leaves.split_at(largest_power_below(leaves.len()));
    let (mut path, beside) = if old <= left.len() {
        (naive_subproof(old, left, known), right)
    } else {
        (naive_subproof(old - left.len(), right, false), left)
    };
    path.push(naive_root(beside));
    path
}

fn largest_power_below(n: usize) -> usize {
    let mut k = 1;
    while k * 2 < n {
        k *= 2;
    }
    k
}

fn leaves(count: usize, seed: u64) -> Vec<Hash> {
    (0..count as u64).map(|n| leaf_hash(&[seed.to_be_bytes(), n.to_be_bytes()].concat())).collect()
}

fn head(leaves: &[Hash]) -> Head {
    Head { size: leaves.len() as u64, root: naive_root(leaves) }
}

#[test]
fn roots_and_edges_follow_the_definition_for_all_sizes_to_200() {
    let leaves = leaves(200, 0);
    let tree: MemoryTree = leaves.iter().copied().collect();
    let mut edge = Edge::new();
    for size in 0..=leaves.len() {
        let expected = naive_root(&leaves[..size]);
        assert_eq!(root(&tree, size as u64), Ok(expected));
        assert_eq!(edge.root(), expected, "size {size}");
        if let Some(leaf) = leaves.get(size) {
            edge.append(*leaf);
        }
    }
}

#[test]
fn inclusion_proofs_follow_the_definition_for_all_sizes_to_200() {
    let leaves = leaves(200, 1);
    let tree: MemoryTree = leaves.iter().copied().collect();
    for size in 1..=leaves.len() {
        let head = head(&leaves[..size]);
        for index in 0..size {
            let path = inclusion_proof(&tree, index as u64, size as u64).expect("the tree is whole");
            if index % 7 == size % 7 {
                assert_eq!(path, naive_path(index, &leaves[..size]), "leaf {index} of {size}");
            }
            assert!(verify_inclusion(index as u64, leaves[index], head, &path), "leaf {index} of {size}");
            assert!(!verify_inclusion(index as u64, leaf_hash(b"other"), head, &path));
        }
    }
}

#[test]
fn consistency_proofs_follow_the_definition_for_all_sizes_to_200() {
    let leaves = leaves(200, 2);
    let tree: MemoryTree = leaves.iter().copied().collect();
    let heads: Vec<Head> = (0..=leaves.len()).map(|size| head(&leaves[..size])).collect();
    for new in 0..=leaves.len() {
        for old in 0..=new {
            let path = consistency_proof(&tree, old as u64, new as u64).expect("the tree is whole");
            if old > 0 && old % 7 == new % 7 {
                assert_eq!(path, naive_subproof(old, &leaves[..new], true), "{old} to {new}");
            }
            assert!(verify_consistency(heads[old], heads[new], &path), "{old} to {new}");
        }
    }
}

#[test]
fn a_path_verifies_at_no_other_place() {
    let leaves = leaves(33, 3);
    let tree: MemoryTree = leaves.iter().copied().collect();
    for size in 1..=33u64 {
        let root = naive_root(&leaves[..size as usize]);
        for index in 0..size {
            let path = inclusion_proof(&tree, index, size).expect("the tree is whole");
            let leaf = leaves[index as usize];
            for other in (0..size + 2).filter(|other| *other != index) {
                assert!(!verify_inclusion(other, leaf, Head { size, root }, &path));
            }
        }
    }
}

#[test]
fn ranges_outside_the_tree_are_refused() {
    let leaves = leaves(8, 4);
    let tree: MemoryTree = leaves.iter().copied().collect();
    assert!(inclusion_proof(&tree, 8, 8).is_err());
    assert!(consistency_proof(&tree, 5, 4).is_err());
    assert!(inclusion_proof(&tree, 0, SIZE_MAX + 1).is_err());
    let huge = Head { size: u64::MAX, root: naive_root(&leaves) };
    assert!(!verify_inclusion(0, leaves[0], huge, &[leaves[0]; 64]));
    assert!(!verify_consistency(head(&leaves), huge, &[leaves[0]; 64]));
    assert!(!verify_consistency(huge, huge, &[]));
}

#[test]
fn proofs_reach_the_largest_tree() {
    // A tree whose leaves are all one hash: every node of a level is the same, so none is stored.
    struct Uniform(Vec<Hash>);
    impl detente_transparency::Tree for Uniform {
        fn node(&self, level: u8, _index: u64) -> Option<Hash> {
            self.0.get(usize::from(level)).copied()
        }
    }
    let mut nodes = vec![leaf_hash(b"")];
    for level in 0..40 {
        nodes.push(node_hash(&nodes[level], &nodes[level]));
    }
    let tree = Uniform(nodes);
    let (old, new) = (SIZE_MAX / 3, SIZE_MAX - 1);
    let heads = [old, new].map(|size| Head { size, root: root(&tree, size).expect("all nodes are known") });
    let path = consistency_proof(&tree, old, new).expect("all nodes are known");
    assert!(verify_consistency(heads[0], heads[1], &path));
    let path = inclusion_proof(&tree, old, new).expect("all nodes are known");
    assert!(verify_inclusion(old, leaf_hash(b""), heads[1], &path));
    assert!(path.len() <= detente_transparency::PATH_MAX);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn larger_trees_follow_the_definition(count in 1usize..3000, a in any::<prop::sample::Index>(), b in any::<prop::sample::Index>(), seed: u64) {
        let leaves = leaves(count, seed);
        let tree: MemoryTree = leaves.iter().copied().collect();
        let (index, old) = (a.index(count), b.index(count) + 1);
        let new = head(&leaves);
        prop_assert_eq!(tree.root(), new.root);
        let path = inclusion_proof(&tree, index as u64, new.size).expect("the tree is whole");
        prop_assert_eq!(&path, &naive_path(index, &leaves));
        prop_assert!(verify_inclusion(index as u64, leaves[index], new, &path));
        let path = consistency_proof(&tree, old as u64, new.size).expect("the tree is whole");
        prop_assert_eq!(&path, &naive_subproof(old, &leaves, true));
        prop_assert!(verify_consistency(head(&leaves[..old]), new, &path));
    }

    #[test]
    fn a_damaged_path_never_verifies(count in 2usize..400, a in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), bit in 0usize..256, kind in 0u8..5) {
        let leaves = leaves(count, 9);
        let tree: MemoryTree = leaves.iter().copied().collect();
        let index = a.index(count - 1) + 1;
        let (old, new) = (head(&leaves[..index]), head(&leaves));
        let inclusion = inclusion_proof(&tree, index as u64, new.size).expect("the tree is whole");
        let consistency = consistency_proof(&tree, index as u64, new.size).expect("the tree is whole");
        let damage = |path: &[Hash]| {
            let mut path = path.to_vec();
            let place = at.index(path.len());
            match kind {
                0 => path[place].0[bit / 8] ^= 1 << (bit % 8),
                1 => { path.remove(place); }
                2 => path.insert(place, Hash([0; 32])),
                3 => path.push(new.root),
                _ => path.clear(),
            }
            path
        };
        prop_assert!(!verify_inclusion(index as u64, leaves[index], new, &damage(&inclusion)));
        prop_assert!(!verify_consistency(old, new, &damage(&consistency)));
    }

    #[test]
    fn a_forked_tree_is_never_consistent(count in 2usize..300, a in any::<prop::sample::Index>(), b in any::<prop::sample::Index>()) {
        let honest = leaves(count, 5);
        let old = a.index(count - 1) + 1;
        let changed = b.index(old);
        let mut forked = honest.clone();
        forked[changed] = leaf_hash(b"forked");
        let tree: MemoryTree = forked.iter().copied().collect();
        let path = consistency_proof(&tree, old as u64, count as u64).expect("the tree is whole");
        prop_assert!(verify_consistency(head(&forked[..old]), head(&forked), &path));
        prop_assert!(!verify_consistency(head(&honest[..old]), head(&forked), &path));
    }
}
