//! Backups: a consistent copy of a node's record, and a folder made from one.
//!
//! A backup holds the configuration, the record and its large blobs. Private keys are never in it:
//! who restores puts `keys/` back beside it.

use std::path::{Path, PathBuf};

use detente_journal::sqlite;

use crate::folder::{Folder, secrets};
use crate::refusal::Refusal;
use crate::store::{Store, TABLES};

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Refusal {
    let path = path.to_path_buf();
    move |error| Refusal::unavailable(format!("{}: {error}", path.display()))
}

fn new_folder(path: &Path) -> Result<PathBuf, Refusal> {
    if path.symlink_metadata().is_ok() {
        return Err(Refusal::refused(format!("{} is there already; name a new folder", path.display())));
    }
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    if part.exists() {
        std::fs::remove_dir_all(&part).map_err(io(&part))?;
    }
    secrets::make_private_folder(&part)?;
    Ok(part)
}

/// Runs `fill` on a folder that takes the name `path` only when it is whole.
fn whole(path: &Path, fill: impl FnOnce(&Path) -> Result<(), Refusal>) -> Result<(), Refusal> {
    let part = new_folder(path)?;
    let filled = fill(&part).and_then(|()| std::fs::rename(&part, path).map_err(io(path)));
    if filled.is_err() {
        // What is left of a failed copy only takes room; the error to report is the first.
        let _ = std::fs::remove_dir_all(&part);
    }
    filled
}

/// Copies the record of `folder` into the new folder `out`, consistent while the node goes on.
///
/// # Errors
/// A [`Refusal`]; nothing stands at `out`.
pub fn backup(folder: &Folder, store: &Store, out: &Path) -> Result<(), Refusal> {
    whole(out, |part| {
        // The record first: a blob that it names is then in the copy too, for blobs are written before.
        store
            .engine()
            .backup(&part.join("journal.sqlite"))
            .map_err(|error| Refusal::unavailable(format!("{}: {error}", out.display())))?;
        copy_blobs(&folder.blobs(), &part.join("blobs"))?;
        copy(&folder.path().join("node.toml"), &part.join("node.toml"))
    })
}

/// Makes a node's folder from a backup, every row verified on the way. `keys/` is empty.
///
/// # Errors
/// A [`Refusal`]; nothing stands at `path`.
pub fn restore(backup: &Path, path: &Path) -> Result<(), Refusal> {
    let config = backup.join("node.toml");
    if !config.is_file() {
        return Err(Refusal::refused(format!(
            "{} is no backup (it has no node.toml); name a folder that `detente backup` wrote",
            backup.display()
        )));
    }
    whole(path, |part| {
        sqlite::restore(&backup.join("journal.sqlite"), &part.join("journal.sqlite"), &TABLES).map_err(
            |error| Refusal::refused(format!("{}: {error}", backup.join("journal.sqlite").display())),
        )?;
        for private in ["keys", "run", "blobs"] {
            secrets::make_private_folder(&part.join(private))?;
        }
        copy_blobs(&backup.join("blobs"), &part.join("blobs"))?;
        copy(&config, &part.join("node.toml"))
    })
}

fn copy_blobs(from: &Path, to: &Path) -> Result<(), Refusal> {
    secrets::make_private_folder(to)?;
    if !from.exists() {
        return Ok(());
    }
    for group in std::fs::read_dir(from).map_err(io(from))? {
        let group = group.map_err(io(from))?;
        if !group.path().is_dir() {
            continue;
        }
        let target = to.join(group.file_name());
        secrets::make_private_folder(&target)?;
        for blob in std::fs::read_dir(group.path()).map_err(io(&group.path()))? {
            let blob = blob.map_err(io(&group.path()))?;
            // A blob under way bears this ending; the record names it only when it has its name.
            if blob.path().extension().is_none_or(|ending| ending != "new") {
                copy(&blob.path(), &target.join(blob.file_name()))?;
            }
        }
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<(), Refusal> {
    let bytes = std::fs::read(from).map_err(io(from))?;
    Ok(secrets::write_private(to, &bytes)?)
}
