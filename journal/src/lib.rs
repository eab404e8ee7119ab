//! The durable record behind one trait: engines, group commit, faults.
pub mod batch;
pub mod completion;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod engine;
pub mod error;
pub mod lock;
pub mod memory;
#[cfg(feature = "conformance")]
pub mod powercut;
pub mod row;
pub mod sqlite;

pub use batch::{Batch, Importance};
pub use completion::{Completion, Done};
pub use engine::{
    Busy, Counters, Direction, Engine, Page, RESERVE_BYTES_DEFAULT, Scan, ScrubCursor, ScrubStep, Space,
    Table,
};
pub use error::{CommitError, Damage, OpenError, ReadError};
pub use lock::{FolderLock, LockError};
pub use memory::MemoryEngine;
pub use row::{Content, Row, leaf_hash};
pub use sqlite::{SqliteEngine, SqliteOptions};
