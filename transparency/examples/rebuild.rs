//! Measures how long one core takes to rebuild a tree from its leaves, as verification of an export
//! does: `cargo run --release -p detente-transparency --example rebuild [LEAVES [BYTES]]`.
#![allow(clippy::disallowed_types, reason = "a measurement reads the clock")]

use std::time::Instant;

use detente_transparency::{Edge, MemoryTree, leaf_hash};

fn main() {
    let mut arguments =
        std::env::args().skip(1).map(|text| text.parse().expect("arguments are whole numbers"));
    let count: u64 = arguments.next().unwrap_or(1_000_000);
    let bytes = arguments.next().unwrap_or(250).max(8) as usize;
    let mut data = vec![0x5a; bytes];

    let start = Instant::now();
    let mut edge = Edge::new();
    for n in 0..count {
        data[..8].copy_from_slice(&n.to_be_bytes());
        edge.append(leaf_hash(&data));
    }
    let root = edge.root();
    println!("edge    {count} leaves of {bytes} bytes  {:>6} ms", start.elapsed().as_millis());

    let start = Instant::now();
    let tree: MemoryTree = (0..count)
        .map(|n| {
            data[..8].copy_from_slice(&n.to_be_bytes());
            leaf_hash(&data)
        })
        .collect();
    println!("memory  {count} leaves of {bytes} bytes  {:>6} ms", start.elapsed().as_millis());
    assert_eq!(tree.root(), root, "both ways give one root");
}
