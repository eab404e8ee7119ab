//! A disk in memory that loses what was not synced.
//!
//! It remembers, for each file, what the last sync made durable and every version of every
//! 512-byte sector written since. When the power goes, each such sector independently keeps its
//! durable content or takes one of those versions, in no order, as disks and their caches do; the
//! sector being written at that moment is torn: new bytes up to some point, old ones after it.
//! Bytes beside those written are never harmed (SQLite's own file system assumes the same).
//!
//! Names behave alike: a file made since its last sync may be missing, a deleted one may be back.

use super::file::{File, SECTOR_BYTES};
use super::random::Random;
use detente_powercut_shim::{Disk, Fault, FileId};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[derive(Debug, Default)]
struct State {
    files: BTreeMap<FileId, File>,
    names: BTreeMap<String, FileId>,
    /// Names deleted and not yet durably gone.
    deleted: BTreeMap<String, FileId>,
    next: FileId,
    /// Writes, truncations and syncs so far.
    operations: u64,
    cut_at: Option<u64>,
    /// Syncs still to succeed before the one in which the power goes.
    syncs_until_cut: Option<u64>,
    power_is_out: bool,
    /// The write that the cut interrupted: file, first byte, one past the last.
    interrupted: Option<(FileId, usize, usize)>,
    fail_next_sync: bool,
    room_bytes: Option<usize>,
    cut_in_sync: bool,
}

impl State {
    fn file(&mut self, file: FileId) -> Result<&mut File, Fault> {
        if self.power_is_out {
            return Err(Fault::Io);
        }
        self.files.get_mut(&file).ok_or(Fault::Io)
    }

    /// Counts one operation that changes something; `true` when the power goes out in it.
    fn power_goes_out(&mut self) -> bool {
        self.operations += 1;
        self.power_is_out |= self.cut_at.is_some_and(|at| self.operations >= at);
        self.power_is_out
    }
}

/// A disk whose power can be cut. Clones are the same disk.
#[derive(Debug, Clone, Default)]
pub struct PowerCutDisk {
    state: Arc<Mutex<State>>,
}

impl PowerCutDisk {
    /// An empty disk.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Cuts the power in the middle of the `operations`th write, truncation or sync from now.
    pub fn cut_after(&self, operations: u64) {
        let mut state = self.lock();
        state.cut_at = Some(state.operations + operations.max(1));
    }

    /// Cuts the power in the middle of the `syncs`th sync from now.
    pub fn cut_in_sync(&self, syncs: u64) {
        self.lock().syncs_until_cut = Some(syncs.max(1));
    }

    /// Cuts the power now, between two operations.
    pub fn cut(&self) {
        self.lock().power_is_out = true;
    }

    /// Whether the power is out.
    #[must_use]
    pub fn power_is_out(&self) -> bool {
        self.lock().power_is_out
    }

    /// Whether it went out in a sync, none of which then took effect.
    #[must_use]
    pub fn was_cut_in_sync(&self) -> bool {
        self.lock().cut_in_sync
    }

    /// Whether it went out in a write, which is then torn.
    #[must_use]
    pub fn was_cut_in_write(&self) -> bool {
        self.lock().interrupted.is_some()
    }

    /// Writes, truncations and syncs so far.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.lock().operations
    }

    /// Makes the next sync fail, as a dying disk does under Linux: what it should have made durable
    /// stays visible, is no longer known to be unwritten, and is lost with the power even when a
    /// later sync succeeds.
    pub fn fail_next_sync(&self) {
        self.lock().fail_next_sync = true;
    }

    /// Lets the files together have at most `bytes`; `None` lifts it.
    pub fn set_room(&self, bytes: Option<usize>) {
        self.lock().room_bytes = bytes;
    }

    /// Inverts one bit on the platters and in the cache of a file. Returns whether it is there.
    pub fn flip_bit(&self, name: &str, byte: usize, bit: u8) -> bool {
        let mut state = self.lock();
        let Some(file) = state.names.get(name).copied() else { return false };
        let Some(file) = state.files.get_mut(&file) else { return false };
        let live = file.live.get_mut(byte).map(|byte| *byte ^= 1 << bit);
        let durable = file.durable.get_mut(byte).map(|byte| *byte ^= 1 << bit);
        live.or(durable).is_some()
    }

    /// The content of a file as programs see it.
    #[must_use]
    pub fn content(&self, name: &str) -> Option<Vec<u8>> {
        let state = self.lock();
        state.names.get(name).and_then(|file| state.files.get(file)).map(|file| file.live.clone())
    }

    /// Writes a file's own bytes over themselves and syncs it; does nothing when it is not there.
    ///
    /// # Errors
    /// When the power is out, or goes out.
    pub fn rewrite(&self, name: &str) -> std::io::Result<()> {
        let Some(content) = self.content(name) else { return Ok(()) };
        let written = self.open(name, false).and_then(|file| {
            self.write(file, 0, &content)?;
            self.sync(file)
        });
        written.map_err(|fault| std::io::Error::other(format!("{fault:?}")))
    }

    /// The disk as it is found when the power comes back, drawn with `seed`. This one is out.
    #[must_use]
    pub fn survivor(&self, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let mut state = self.lock();
        state.power_is_out = true;
        let mut found = State { next: state.next, ..State::default() };
        let returning = state.deleted.iter().filter(|(name, _)| !state.names.contains_key(*name));
        let candidates: Vec<(&String, &FileId, bool)> = state
            .names
            .iter()
            .map(|(name, file)| (name, file, state.files[file].named))
            .chain(returning.map(|(name, file)| (name, file, false)))
            .collect();
        for (name, number, certain) in candidates {
            if !certain && random.below(2) == 0 {
                continue;
            }
            let file = &state.files[number];
            let torn = state.interrupted.filter(|(torn, ..)| torn == number).map(|(_, from, to)| {
                let sector = (from + random.below(to - from)) / SECTOR_BYTES;
                (sector, 1 + random.below(SECTOR_BYTES - 1))
            });
            found.files.insert(*number, file.survivor(torn, &mut random));
            found.names.insert(name.clone(), *number);
        }
        Self { state: Arc::new(Mutex::new(found)) }
    }

    /// The disk as another process finds it after this one was killed: nothing is lost, and what
    /// was not synced still is not. This one refuses everything from now on.
    #[must_use]
    pub fn after_kill(&self) -> Self {
        let mut state = self.lock();
        state.power_is_out = true;
        let found = State {
            files: state.files.clone(),
            names: state.names.clone(),
            deleted: state.deleted.clone(),
            next: state.next,
            ..State::default()
        };
        Self { state: Arc::new(Mutex::new(found)) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Disk for PowerCutDisk {
    fn open(&self, path: &str, create: bool) -> Result<FileId, Fault> {
        let mut state = self.lock();
        if state.power_is_out {
            return Err(Fault::Io);
        }
        if let Some(file) = state.names.get(path) {
            return Ok(*file);
        }
        if !create {
            return Err(Fault::NotFound);
        }
        state.next += 1;
        let file = state.next;
        state.files.insert(file, File::default());
        state.names.insert(path.to_owned(), file);
        Ok(file)
    }

    fn delete(&self, path: &str, durable: bool) -> Result<(), Fault> {
        let mut state = self.lock();
        if state.power_is_out {
            return Err(Fault::Io);
        }
        let file = state.names.remove(path).ok_or(Fault::NotFound)?;
        if durable {
            state.deleted.remove(path);
        } else if state.files.get(&file).is_some_and(|file| file.named) {
            state.deleted.insert(path.to_owned(), file);
        }
        Ok(())
    }

    fn exists(&self, path: &str) -> bool {
        self.lock().names.contains_key(path)
    }

    fn read(&self, file: FileId, offset: u64, into: &mut [u8]) -> Result<usize, Fault> {
        let mut state = self.lock();
        let file = state.file(file)?;
        let from = usize::try_from(offset).map_err(|_| Fault::Io)?.min(file.live.len());
        let to = from.saturating_add(into.len()).min(file.live.len());
        into[..to - from].copy_from_slice(&file.live[from..to]);
        Ok(to - from)
    }

    fn write(&self, file: FileId, offset: u64, bytes: &[u8]) -> Result<(), Fault> {
        let mut state = self.lock();
        let from = usize::try_from(offset).map_err(|_| Fault::Io)?;
        let to = from.checked_add(bytes.len()).ok_or(Fault::Io)?;
        let taken: usize =
            state.names.values().filter_map(|file| state.files.get(file)).map(|file| file.live.len()).sum();
        let room = state.room_bytes;
        let target = state.file(file)?;
        if room.is_some_and(|room| taken + to.saturating_sub(target.live.len()) > room) {
            return Err(Fault::Full);
        }
        let length = target.live.len().max(to);
        target.live.resize(length, 0);
        target.live[from..to].copy_from_slice(bytes);
        target.note(from, to);
        if state.power_goes_out() {
            state.interrupted = Some((file, from, to)).filter(|_| from < to);
            return Err(Fault::Io);
        }
        Ok(())
    }

    fn truncate(&self, file: FileId, length: u64) -> Result<(), Fault> {
        let mut state = self.lock();
        let length = usize::try_from(length).map_err(|_| Fault::Io)?;
        let target = state.file(file)?;
        let before = target.live.len();
        target.live.resize(length, 0);
        target.note(length.min(before), length.max(before));
        if state.power_goes_out() { Err(Fault::Io) } else { Ok(()) }
    }

    fn sync(&self, file: FileId) -> Result<(), Fault> {
        let mut state = self.lock();
        state.file(file)?;
        state.syncs_until_cut = state.syncs_until_cut.map(|syncs| syncs - 1);
        if state.syncs_until_cut == Some(0) {
            state.power_is_out = true;
        }
        if state.power_goes_out() {
            state.cut_in_sync = true;
            return Err(Fault::Io);
        }
        if std::mem::take(&mut state.fail_next_sync) {
            state.file(file)?.versions.clear();
            return Err(Fault::Io);
        }
        state.file(file)?.sync();
        // A durable name takes the place of the one deleted before it.
        let name = state.names.iter().find(|(_, number)| **number == file).map(|(name, _)| name.clone());
        if let Some(name) = name {
            state.deleted.remove(&name);
        }
        Ok(())
    }

    fn length(&self, file: FileId) -> Result<u64, Fault> {
        Ok(self.lock().file(file)?.live.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(syncs: bool) -> PowerCutDisk {
        let disk = PowerCutDisk::new();
        let file = disk.open("f", true).expect("opens");
        disk.write(file, 0, &[1; 4096]).expect("writes");
        disk.sync(file).expect("syncs");
        disk.write(file, 0, &[2; 4096]).expect("writes");
        if syncs {
            disk.sync(file).expect("syncs");
        }
        disk
    }

    #[test]
    fn what_was_synced_stays_and_what_was_not_stays_in_any_part() {
        let mut mixtures = 0;
        for seed in 0..100 {
            assert_eq!(written(true).survivor(seed).content("f"), Some(vec![2; 4096]));
            let found = written(false).survivor(seed).content("f").expect("its name was durable");
            assert_eq!(found.len(), 4096);
            assert!(
                found
                    .chunks(SECTOR_BYTES)
                    .all(|sector| sector == [1; SECTOR_BYTES] || sector == [2; SECTOR_BYTES])
            );
            mixtures += usize::from(found.contains(&1) && found.contains(&2));
        }
        assert!(mixtures > 30, "sectors survive one by one: {mixtures}");
    }

    #[test]
    fn the_interrupted_write_is_torn_inside_a_sector() {
        let torn = (0..100).filter(|seed| {
            let disk = written(true);
            disk.cut_after(1);
            let file = disk.open("f", false).expect("opens");
            assert_eq!(disk.write(file, 512, &[3; 1024]), Err(Fault::Io));
            assert_eq!(disk.read(file, 0, &mut [0]), Err(Fault::Io), "the power is out");
            let found = disk.survivor(*seed).content("f").expect("there");
            found[512..1536].chunks(SECTOR_BYTES).any(|sector| sector.contains(&2) && sector.contains(&3))
        });
        assert_eq!(torn.count(), 100);
    }

    #[test]
    fn a_name_never_synced_may_be_missing_and_a_deleted_one_may_return() {
        let outcomes: Vec<(bool, bool)> = (0..50)
            .map(|seed| {
                let disk = written(true);
                disk.open("new", true).expect("opens");
                disk.delete("f", false).expect("deletes");
                let found = disk.survivor(seed);
                (found.exists("new"), found.exists("f"))
            })
            .collect();
        assert!(outcomes.iter().any(|(new, _)| *new) && outcomes.iter().any(|(new, _)| !*new));
        assert!(outcomes.iter().any(|(_, old)| *old) && outcomes.iter().any(|(_, old)| !*old));
        let disk = written(true);
        disk.delete("f", true).expect("deletes");
        assert!((0..50).all(|seed| !disk.survivor(seed).exists("f")));
    }

    #[test]
    fn a_failed_sync_makes_nothing_durable() {
        let disk = written(false);
        disk.fail_next_sync();
        let file = disk.open("f", false).expect("opens");
        assert_eq!(disk.sync(file), Err(Fault::Io));
        assert_eq!(disk.sync(file), Ok(()), "a second attempt proves nothing");
        assert!((0..100).all(|seed| disk.survivor(seed).content("f") == Some(vec![1; 4096])));
    }
}
