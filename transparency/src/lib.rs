//! Merkle log, checkpoints, cosignatures, proofs and tiles (RFC 6962, C2SP).

mod base64;
mod checkpoint;
mod edge;
mod hash;
mod key;
mod name;
mod note;
mod proof;
mod suite_standin;
mod tree;

pub use checkpoint::{CHECKPOINT_BYTES_MAX, Checkpoint, CheckpointError};
pub use edge::{Edge, EdgeError};
pub use hash::{Hash, sha256};
pub use key::{
    Key, KeyKind, KeyLengthError, LineError, TIME_S_MAX, ed25519_cosignature_message, ed25519_log_message,
    key_id, mldsa_message,
};
pub use name::{NAME_BYTES_MAX, Name, NameError};
pub use note::{
    LINES_MAX, Line, NOTE_BYTES_MAX, NoteError, OpenError, SIGNATURE_BYTES_MAX, Signed, SignedNote,
};
pub use proof::{
    Head, PATH_MAX, consistency_proof, inclusion_proof, root_of_inclusion, verify_consistency,
    verify_inclusion,
};
pub use suite_standin::Suite;
pub use tree::{EMPTY_ROOT, LEVEL_MAX, MemoryTree, ProofError, SIZE_MAX, Tree, leaf_hash, node_hash, root};
