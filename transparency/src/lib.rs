//! Merkle log, checkpoints, cosignatures, proofs and tiles (RFC 6962, C2SP).
//!
//! Everything a party says stands in a log of its own, and delivery is that others hold and cosign
//! the log. This crate knows what that means in bytes: how leaves become one root, how a root is
//! signed, how a proof shows that a leaf is in the log or that the log only grew, and how two
//! signatures convict whoever showed two histories.
//!
//! ```text
//!  leaf data ─ leaf_hash ─▶ Edge ─ root ─▶ Checkpoint ─ Key::message ─▶ Line ─▶ SignedNote
//!                            │ nodes                                                │ open
//!                            ▼                                                      ▼
//!                  Tree: MemoryTree, Tiles ─▶ inclusion_proof, consistency_proof   Signed
//!                                                     │
//!                                 two claims that contradict each other ─▶ Equivocation
//! ```
//!
//! It deliberately does not know what entries mean, who the parties are, what time it is or where
//! anything is stored; whoever calls it does.
//!
//! ```
//! use detente_crypto::SUITE_1;
//! use detente_transparency::*;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let leaves = ["first", "second", "third"].map(|text| leaf_hash(text.as_bytes()));
//! let tree: MemoryTree = leaves.into_iter().collect();
//! let checkpoint = Checkpoint { origin: "detente/c/p/ordinary/1-00".parse()?, head: tree.head() };
//!
//! let log = SUITE_1.ed25519_signer(&[7; 32]);
//! let key = Key::new(checkpoint.origin.clone(), Role::Log, PublicKey::new(SUITE_1, log.public())?);
//! let line = Line::new(&key, 0, &log.sign(&key.message(&checkpoint, 0)));
//! let text = SignedNote::new(checkpoint, vec![line])?.to_text();
//!
//! let note = SignedNote::parse(text.as_bytes())?;
//! assert_eq!(note.open(&[key])?.len(), 1);
//! let path = inclusion_proof(&tree, 1, 3)?;
//! assert!(verify_inclusion(1, leaves[1], note.checkpoint().head, &path));
//! # Ok(())
//! # }
//! ```
//!
//! Sources: RFC 6962, section 2.1; C2SP signed-note, tlog-checkpoint, tlog-cosignature, tlog-tiles;
//! `spec/log.md`.

mod base64;
mod bundle;
mod checkpoint;
mod edge;
mod equivocation;
mod equivocation_codec;
mod key;
mod name;
mod note;
mod proof;
mod tile;
mod tree;

pub use bundle::{BundleError, EntryBundle, LEAF_BYTES_MAX, LeafTooLong, leaves, write_leaf};
pub use checkpoint::{CHECKPOINT_BYTES_MAX, Checkpoint, CheckpointError};
pub use detente_crypto::{Hash, sha256};
pub use edge::{Edge, EdgeError};
pub use equivocation::{
    Accused, Claim, Equivocation, EquivocationError, Evidence, Extension, GenerationEntry, LineEvidence,
    contradict,
};
pub use equivocation_codec::{EQUIVOCATION_BYTES_MAX, ProofDecodeError};
pub use key::{
    Key, KeyError, KeyKind, LineError, PublicKey, Role, TIME_S_MAX, ed25519_cosignature_message,
    ed25519_log_message, key_id, mldsa_message,
};
pub use name::{NAME_BYTES_MAX, Name, NameError};
pub use note::{
    LINES_MAX, Line, NOTE_BYTES_MAX, NoteError, OpenError, SIGNATURE_BYTES_MAX, Signed, SignedNote,
};
pub use proof::{
    Head, PATH_MAX, consistency_proof, inclusion_proof, root_of_inclusion, verify_consistency,
    verify_inclusion,
};
pub use tile::{TILE_HEIGHT, TILE_WIDTH, TileId, TileIdError, TileLengthError, Tiles, new_tiles};
pub use tree::{EMPTY_ROOT, LEVEL_MAX, MemoryTree, ProofError, SIZE_MAX, Tree, leaf_hash, node_hash, root};
