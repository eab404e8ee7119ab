//! The lock of a node's folder: one process at a time writes its record.
//!
//! The lock is the system's (`flock`), so it ends with the process, however that ends. The file
//! holds the number of the process, for people.

use rustix::fs::{FlockOperation, flock};
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

/// Why the folder was not locked.
#[non_exhaustive]
#[derive(Debug)]
pub enum LockError {
    /// Another process has it. Stop that one, or talk to it over its control socket.
    LocalHeld {
        /// Its number, if the file says so.
        pid: Option<u32>,
    },
    /// The lock file cannot be made or locked.
    EnvironmentIo(std::io::Error),
}

impl fmt::Display for LockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LocalHeld { pid: Some(pid) } => write!(f, "process {pid} has this folder open"),
            Self::LocalHeld { pid: None } => f.write_str("another process has this folder open"),
            Self::EnvironmentIo(error) => write!(f, "the folder cannot be locked: {error}"),
        }
    }
}

impl std::error::Error for LockError {}

/// Holds the lock until dropped.
#[derive(Debug)]
pub struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Takes the lock whose file is `path`, making the file if needed. Does not wait.
    ///
    /// # Errors
    /// [`LockError::LocalHeld`] names the process that has it.
    pub fn acquire(path: &Path) -> Result<Self, LockError> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(LockError::EnvironmentIo)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                return Err(LockError::LocalHeld { pid: holder(&mut file) });
            }
            Err(error) => return Err(LockError::EnvironmentIo(error.into())),
        }
        write_holder(&mut file).map_err(LockError::EnvironmentIo)?;
        Ok(Self { _file: file })
    }
}

fn write_holder(file: &mut File) -> std::io::Result<()> {
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    writeln!(file, "{}", std::process::id())
}

fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    // A number has at most ten digits; the file may be anything.
    file.take(16).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_taker_is_told_who_has_it_and_may_have_it_afterwards() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lock");
        let held = FolderLock::acquire(&path).expect("free");
        match FolderLock::acquire(&path) {
            Err(LockError::LocalHeld { pid }) => assert_eq!(pid, Some(std::process::id())),
            other => panic!("locked twice: {other:?}"),
        }
        drop(held);
        FolderLock::acquire(&path).expect("free again");
    }
}
