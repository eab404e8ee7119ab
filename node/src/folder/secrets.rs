//! Secret files: 0600 in folders of 0700, written whole or not at all.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use detente_crypto::Secret;

use super::FolderError;

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> FolderError {
    let path = path.to_path_buf();
    move |error| FolderError::EnvironmentFile(path, error)
}

/// Fresh random bytes from the system.
///
/// # Errors
/// [`FolderError::EnvironmentRandomness`].
pub fn random<const N: usize>() -> Result<[u8; N], FolderError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| FolderError::EnvironmentRandomness)?;
    Ok(bytes)
}

/// Makes a folder that only its owner can enter; nothing happens if it is there.
///
/// # Errors
/// [`FolderError::EnvironmentFile`].
pub fn make_private_folder(path: &Path) -> Result<(), FolderError> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(io(path))
}

/// Refuses a folder or file of secrets that others can read.
///
/// # Errors
/// [`FolderError::LocalSecret`] says what to do.
pub fn check_private(path: &Path) -> Result<(), FolderError> {
    let mode = std::fs::metadata(path).map_err(io(path))?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(FolderError::LocalSecret(
            path.to_path_buf(),
            "others can read it; run chmod go-rwx on it",
        ));
    }
    Ok(())
}

/// Writes a file whole: a new file, synced, takes the name, and the folder is synced.
///
/// # Errors
/// [`FolderError::EnvironmentFile`]; the old file, if any, is still there.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<(), FolderError> {
    let parent = path.parent().unwrap_or_else(|| Path::new("."));
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    let new = Path::new(&new);
    let write = || -> std::io::Result<()> {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(new, path)?;
        File::open(parent)?.sync_all()
    };
    write().map_err(io(path))
}

/// Reads 32 secret bytes, kept as they are.
///
/// # Errors
/// [`FolderError`] when the file is missing, of another length, or can be read by others.
pub fn read_seed(path: &Path) -> Result<Secret<32>, FolderError> {
    let mut bytes = std::fs::read(path).map_err(io(path))?;
    check_private(path)?;
    let seed = Secret::from_slice(&bytes);
    bytes.fill(0);
    seed.ok_or_else(|| FolderError::LocalSecret(path.to_path_buf(), "a secret key has 32 bytes"))
}
