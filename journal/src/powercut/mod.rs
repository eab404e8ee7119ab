//! Power cuts: a disk that loses unsynced sectors, and a soak that proves nothing answered is lost.
//!
//! SQLite runs unchanged on [`PowerCutDisk`], with the same pragmas, threads and connections as on
//! a real one. A round commits batches, cuts the power in the middle of some write or sync, opens
//! what is left, and compares it with what was answered. The planted build with `synchronous=OFF`
//! runs through the same rounds and must be caught.

mod disk;
mod file;
mod random;
mod round;

pub use disk::PowerCutDisk;

use crate::sqlite::Synchronous;
use detente_powercut_shim::{Mount, VFS_NAME, mount};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

/// The name of the record on a power-cut disk.
pub const RECORD_NAME: &str = "journal.sqlite";

/// The name of its write-ahead log.
const LOG_NAME: &str = "journal.sqlite-wal";

/// What a soak does.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Which rounds; each is drawn from the seed and its number, so a long soak can be continued.
    pub rounds: Range<u64>,
    /// What the rounds are drawn from.
    pub seed: u64,
    /// [`Synchronous::DangerOff`] plants the fault that the soak must notice.
    pub synchronous: Synchronous,
}

/// What a soak has seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Rounds finished.
    pub rounds: u64,
    /// Times the power was cut.
    pub power_cuts: u64,
    /// Of these, cuts in the middle of a write.
    pub cuts_in_write: u64,
    /// Of these, cuts in the middle of a sync. The others fell between two operations.
    pub cuts_in_sync: u64,
    /// Times only the process was killed.
    pub kills: u64,
    /// Times a sync was made to fail.
    pub failed_syncs: u64,
    /// Batches whose completion was `Ok`.
    pub acknowledged: u64,
    /// Of these (or of what an earlier start had shown), those no longer there: must be 0.
    pub lost: u64,
    /// Ends after which a batch was there in part, or a later one without an earlier: must be 0.
    pub half: u64,
    /// Ends after which a row failed its checksum or the record did not open: must be 0.
    pub damaged: u64,
    /// Batches found that were never answered: allowed, and a sign that cuts hit commits.
    pub unanswered_found: u64,
    /// Batches that shared the sync of another: a sign that group commit was at work.
    pub shared_syncs: u64,
    /// The first failure, in words, with its round.
    pub first_failure: Option<String>,
}

impl Report {
    /// Whether every promise was kept.
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        self.lost == 0 && self.half == 0 && self.damaged == 0
    }
}

/// Runs the rounds of `plan`, calling `progress` after each.
///
/// # Panics
/// When SQLite refuses to register the file system.
#[must_use]
pub fn soak(plan: &Plan, progress: &mut dyn FnMut(&Report)) -> Report {
    let mut report = Report::default();
    for round in plan.rounds.clone() {
        round::run(plan, round, &mut report);
        report.rounds += 1;
        progress(&report);
    }
    report
}

/// Makes `disk` reachable for SQLite; returns what keeps it so, the record's path, and the options
/// to open it with.
///
/// # Panics
/// When SQLite refuses to register the file system.
#[must_use]
pub fn attach(disk: &PowerCutDisk) -> (Mount, PathBuf, crate::SqliteOptions) {
    let mounted = mount(Arc::new(disk.clone())).expect("SQLite takes another file system");
    let path = PathBuf::from(mounted.path(RECORD_NAME));
    let log = disk.clone();
    let options = crate::SqliteOptions {
        vfs: Some(VFS_NAME.to_owned()),
        free_bytes: Some(Arc::new(|| Ok(1 << 40))),
        rewrite: Some(Arc::new(move |_| log.rewrite(LOG_NAME))),
        ..crate::SqliteOptions::default()
    };
    (mounted, path, options)
}
