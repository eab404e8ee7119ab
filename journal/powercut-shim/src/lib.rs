//! Lets SQLite run on a disk written in safe Rust: the one place of this repository with `unsafe`.
//!
//! SQLite reaches files through a table of C functions (a *VFS*). This crate registers one such
//! table and passes every call to a [`Disk`], so that the power-cut disk of `detente-journal` is
//! ordinary safe code. Locks and the shared memory of the write-ahead log are kept here
//! in the process, as several connections of one process need them.
//!
//! It is linked by tests and soaks only. Why no published crate serves: `docs/decisions/`,
//! "SQLite and PostgreSQL".
//!
//! **Invariant:** nothing is decided here about what survives; that is the [`Disk`]'s.

mod lock;
mod vfs;

use lock::Coordination;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

/// The name under which SQLite knows this file system.
pub const VFS_NAME: &str = "detente-powercut";

/// Why a disk refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// There is no such file.
    NotFound,
    /// The operation failed; the power may be out.
    Io,
    /// No room is left.
    Full,
}

/// A number that a disk gives to an open file.
pub type FileId = u64;

/// What stores bytes. Called from several threads.
pub trait Disk: Send + Sync + 'static {
    /// Opens the file at `path`, making it when `create` says so.
    ///
    /// # Errors
    /// [`Fault::NotFound`] when it is neither there nor to be made.
    fn open(&self, path: &str, create: bool) -> Result<FileId, Fault>;
    /// Takes the name away; with `durable`, for good before this returns.
    ///
    /// # Errors
    /// [`Fault::NotFound`] when there is no such name.
    fn delete(&self, path: &str, durable: bool) -> Result<(), Fault>;
    /// Whether the name is there.
    fn exists(&self, path: &str) -> bool;
    /// Reads into `into`; returns how many bytes the file has there.
    ///
    /// # Errors
    /// [`Fault::Io`].
    fn read(&self, file: FileId, offset: u64, into: &mut [u8]) -> Result<usize, Fault>;
    /// Writes all of `bytes` at `offset`, extending the file if needed.
    ///
    /// # Errors
    /// [`Fault::Io`] or [`Fault::Full`].
    fn write(&self, file: FileId, offset: u64, bytes: &[u8]) -> Result<(), Fault>;
    /// Sets the length.
    ///
    /// # Errors
    /// [`Fault::Io`].
    fn truncate(&self, file: FileId, length: u64) -> Result<(), Fault>;
    /// Makes all writes to the file so far durable, and its name.
    ///
    /// # Errors
    /// [`Fault::Io`].
    fn sync(&self, file: FileId) -> Result<(), Fault>;
    /// The length.
    ///
    /// # Errors
    /// [`Fault::Io`].
    fn length(&self, file: FileId) -> Result<u64, Fault>;
}

/// A disk as SQLite sees it: the bytes, and who holds which lock.
struct Mounted {
    disk: Arc<dyn Disk>,
    files: Mutex<BTreeMap<String, Arc<Coordination>>>,
}

impl Mounted {
    fn coordination(&self, path: &str) -> Arc<Coordination> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(files.entry(path.to_owned()).or_default())
    }
}

/// Keeps a disk reachable until dropped. Connections that are still open keep their files.
pub struct Mount {
    number: u64,
    _mounted: Arc<Mounted>,
}

impl Mount {
    /// The path under which SQLite finds the file `name` of this disk.
    #[must_use]
    pub fn path(&self, name: &str) -> String {
        format!("/{}/{name}", self.number)
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        mounts().lock().unwrap_or_else(PoisonError::into_inner).remove(&self.number);
    }
}

/// Makes `disk` reachable through [`VFS_NAME`].
///
/// # Errors
/// The result code of SQLite, when it refuses to register the file system.
pub fn mount(disk: Arc<dyn Disk>) -> Result<Mount, i32> {
    static REGISTERED: OnceLock<Result<(), i32>> = OnceLock::new();
    static NEXT: AtomicU64 = AtomicU64::new(1);
    (*REGISTERED.get_or_init(vfs::register))?;
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let mounted = Arc::new(Mounted { disk, files: Mutex::default() });
    mounts().lock().unwrap_or_else(PoisonError::into_inner).insert(number, Arc::downgrade(&mounted));
    Ok(Mount { number, _mounted: mounted })
}

fn mounts() -> &'static Mutex<BTreeMap<u64, Weak<Mounted>>> {
    static MOUNTS: OnceLock<Mutex<BTreeMap<u64, Weak<Mounted>>>> = OnceLock::new();
    MOUNTS.get_or_init(Mutex::default)
}

/// Splits `/<number>/<name>` into the mounted disk and the name on it.
fn resolve(path: &str) -> Option<(Arc<Mounted>, &str)> {
    let (number, name) = path.strip_prefix('/')?.split_once('/')?;
    let number: u64 = number.parse().ok()?;
    let mounted = mounts().lock().unwrap_or_else(PoisonError::into_inner).get(&number)?.upgrade()?;
    Some((mounted, name))
}
