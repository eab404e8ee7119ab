//! The durable record of a node, behind one trait.
//!
//! A record is an ordered map from (table, key) to bytes, changed by whole batches. A batch is
//! answered only when it is on stable storage: a receipt that a power cut could still take back
//! would be a lie. Every row carries a checksum that is verified on every read; of a log leaf it is
//! the RFC 6962 hash, so the tree can be rebuilt from what was read.
//!
//! ```text
//! callers ─ Batch ─▶ Engine::commit ─▶ queue (bounded) ─▶ one transaction, one sync ─▶ Completion
//! callers ◀─ rows, verified ─ Engine::read, scan ◀─ connections of their own
//! ```
//!
//! - [`SqliteEngine`]: one file, group commit over all channels. What a node uses.
//! - [`MemoryEngine`]: the reference; syncs when told to. What the simulation uses.
//! - `conformance` and `powercut` (feature `conformance`): what every engine must pass.
//!
//! **Faults.** A nearly full disk refuses new content and keeps room for receipts and alarms
//! ([`Importance`]). A failed write or sync halts the engine for good; only a new start may go on.
//! Rot is an error that names table and key, is never skipped, and never taken for a torn tail.
//!
//! It knows nothing of logs, channels or parties, holds no keys, and needs no runtime.
//!
//! ```
//! use detente_journal::{Batch, Engine, MemoryEngine, Table};
//!
//! const LEAVES: Table = Table::new(1, "leaves");
//! let engine = MemoryEngine::new(&[LEAVES]);
//! let mut batch = Batch::new();
//! let leaf_hash = batch.put_leaf(LEAVES, b"log/0", b"salt and entry");
//! let durable = engine.commit(batch);
//! engine.sync(); // The reference engine syncs when told to; SqliteEngine does by itself.
//! durable.wait()?;
//! let row = engine.read_row(LEAVES, b"log/0")?.expect("it is durable");
//! assert_eq!(row.leaf_hash(), Some(leaf_hash));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

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
pub mod scan;
pub mod sqlite;
pub mod table;

pub use batch::{Batch, Importance};
pub use completion::{Completion, Done};
pub use engine::{Busy, Counters, Engine, RESERVE_BYTES_DEFAULT, ScrubCursor, ScrubStep, Space};
pub use error::{CommitError, Damage, OpenError, ReadError};
pub use lock::{FolderLock, LockError};
pub use memory::MemoryEngine;
pub use row::{Content, Row, leaf_hash};
pub use scan::{Direction, Page, Scan};
pub use sqlite::{SqliteEngine, SqliteOptions};
pub use table::Table;
