//! A node's folder: what lies where, with which permissions, and who may have it open.
//!
//! ```text
//! node.toml         what the operator decides (strict)
//! journal.sqlite    the record of all channels
//! blobs/ab/…        large blobs by hash
//! keys/             0700: node keys, KEM keys and epoch secrets as files; never in the database
//! root/             0700: the root key, to be moved away after the first credential export
//! run/              lock and control socket of the running node
//! ```

pub mod config;
pub mod init;
pub mod secrets;

use std::fmt;
use std::path::{Path, PathBuf};

use detente_journal::{FolderLock, LockError};

pub use config::Config;

/// A node's folder, checked to be one.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
    /// What `node.toml` says.
    pub config: Config,
}

/// Why a folder cannot be used. Nothing was changed.
#[non_exhaustive]
#[derive(Debug)]
pub enum FolderError {
    /// There is no `node.toml`: not a node's folder.
    LocalNotANode(PathBuf),
    /// `node.toml` cannot be used; the sentence names the line or key.
    LocalConfig(String),
    /// The folder for a new node is not empty.
    LocalNotEmpty(PathBuf),
    /// An option given is not usable; the sentence says which and why.
    LocalOption(String),
    /// A file of secrets can be read by others, is missing or has the wrong length.
    LocalSecret(PathBuf, &'static str),
    /// A process has the folder open; its number, if known.
    LocalHeld(PathBuf, Option<u32>),
    /// A file or folder cannot be read or written.
    EnvironmentFile(PathBuf, std::io::Error),
    /// The system gives no randomness.
    EnvironmentRandomness,
}

impl fmt::Display for FolderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LocalNotANode(path) => write!(
                f,
                "{} is not a node's folder (it has no node.toml); make one with `detente init`",
                path.display()
            ),
            Self::LocalConfig(what) => write!(f, "node.toml: {what}"),
            Self::LocalNotEmpty(path) => {
                write!(f, "{} is not empty; name a folder that does not exist yet", path.display())
            }
            Self::LocalOption(what) => f.write_str(what),
            Self::LocalSecret(path, what) => write!(f, "{}: {what}", path.display()),
            Self::LocalHeld(path, Some(pid)) => write!(
                f,
                "{} is open in process {pid}; stop that node or speak to it while it runs",
                path.display()
            ),
            Self::LocalHeld(path, None) => {
                write!(f, "{} is open in another process; stop that one first", path.display())
            }
            Self::EnvironmentFile(path, error) => write!(f, "{}: {error}", path.display()),
            Self::EnvironmentRandomness => f.write_str("the system gives no randomness"),
        }
    }
}

impl std::error::Error for FolderError {}

impl Folder {
    /// Opens the folder of a node and reads its configuration.
    ///
    /// # Errors
    /// [`FolderError`] in one sentence that says what to do.
    pub fn open(path: &Path) -> Result<Self, FolderError> {
        let file = path.join("node.toml");
        let text = match std::fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error)
                if matches!(
                    error.kind(),
                    std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory
                ) =>
            {
                return Err(FolderError::LocalNotANode(path.to_path_buf()));
            }
            Err(error) => return Err(FolderError::EnvironmentFile(file, error)),
        };
        let config = Config::parse(&text).map_err(FolderError::LocalConfig)?;
        let folder = Self { path: path.to_path_buf(), config };
        secrets::check_private(&folder.keys())?;
        Ok(folder)
    }

    /// The folder itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Folder of the node's secrets.
    #[must_use]
    pub fn keys(&self) -> PathBuf {
        self.path.join("keys")
    }

    /// Folder of the root key.
    #[must_use]
    pub fn root(&self) -> PathBuf {
        self.path.join("root")
    }

    /// The record.
    #[must_use]
    pub fn journal(&self) -> PathBuf {
        self.path.join("journal.sqlite")
    }

    /// Folder of large blobs.
    #[must_use]
    pub fn blobs(&self) -> PathBuf {
        self.path.join("blobs")
    }

    /// The socket over which commands speak to the running node.
    #[must_use]
    pub fn control_socket(&self) -> PathBuf {
        self.path.join("run").join("control.sock")
    }

    /// Takes the folder for this process, until dropped.
    ///
    /// # Errors
    /// [`FolderError::LocalHeld`] names the process that has it.
    pub fn lock(&self) -> Result<FolderLock, FolderError> {
        let run = self.path.join("run");
        secrets::make_private_folder(&run)?;
        FolderLock::acquire(&run.join("lock")).map_err(|error| match error {
            LockError::LocalHeld { pid } => FolderError::LocalHeld(self.path.clone(), pid),
            LockError::EnvironmentIo(error) => FolderError::EnvironmentFile(run.join("lock"), error),
            other => FolderError::LocalOption(other.to_string()),
        })
    }
}
