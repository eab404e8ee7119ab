//! What goes wrong: crashes, restored backups, and what the liar does.

use detente_crypto::Hash;
use detente_protocol::names::{Lane, LogKey, PartyIndex};

use crate::disk::Disk;
use crate::liar::Lie;
use crate::party::Plant;
use crate::world::{Happening, World};

impl World {
    pub(crate) fn crash(&mut self, party: usize) {
        if self.parties[party].channel.is_none() {
            return;
        }
        let reached = self.random.one_in(2);
        if self.parties[party].disk.has_waiting() {
            self.count("fault: power cut with unsynced writes");
        }
        self.count("fault: crash");
        self.note(format!("party {party} crashes"));
        let node = &mut self.parties[party];
        node.channel = None;
        node.disturbed_ms = self.now_ms;
        node.disk.power_cut(reached);
        if self.profile.plant == Some(Plant::DiskForgotten) {
            node.disk = Disk::default();
        }
        let at = self.now_ms + self.random.between(500, 120_000);
        self.happen(at, party, Happening::Start);
    }

    /// Takes a copy of a disk, as an operator's backup does while the node runs.
    pub(crate) fn backup(&mut self, party: usize) {
        self.count("fault: backup taken");
        let mut copy = self.parties[party].disk.clone();
        copy.power_cut(false);
        self.parties[party].backup = Some(copy);
    }

    /// The disk dies; the operator puts the old copy back.
    pub(crate) fn restore(&mut self, party: usize) {
        let Some(copy) = self.parties[party].backup.clone() else { return };
        self.crash(party);
        self.count("fault: old backup restored");
        self.note(format!("party {party} gets an old backup"));
        let node = &mut self.parties[party];
        let held: Vec<(LogKey, u64)> = node.disk.logs().map(|(log, size)| (*log, size)).collect();
        for (log, size) in held {
            let most = node.ever_held.entry(log).or_default();
            *most = size.max(*most);
        }
        node.disk = copy;
        node.restored = true;
    }

    /// The liar acts. What it makes reaches everybody who is up.
    pub(crate) fn lie(&mut self, me: usize, lie: Lie) {
        let victim = (me + 1) % self.parties.len();
        let Some(mut liar) = self.liar.take() else { return };
        let mut random = self.random.clone();
        random.next_u64();
        let newest = |party: usize, lane: Lane, least: u64| {
            let logs = self.parties[party].disk.logs();
            logs.filter(|(log, size)| {
                log.party == self.parties[party].id && log.lane == lane && *size >= least
            })
            .map(|(log, size)| (*log, size))
            .max_by_key(|(log, _)| log.generation)
        };
        let mut to: Vec<usize> = (0..self.parties.len()).filter(|party| *party != me).collect();
        let mut messages = Vec::new();
        match lie {
            Lie::Fork => {
                if let Some((log, size)) = newest(me, Lane::Ordinary, 2) {
                    let leaves = self.parties[me].disk.leaves(&log, size);
                    messages.extend(liar.fork(&log, &leaves, &mut random));
                    self.forked = true;
                }
            }
            Lie::Junk => {
                // Not in the exercise lane: the flood of generations uses that lane's budget up.
                for lane in [Lane::Ordinary, Lane::Emergency] {
                    if let Some((log, size, bytes)) = liar.junk(lane) {
                        self.checker.junk.insert(log, size);
                        messages.push(bytes);
                    }
                }
            }
            Lie::FalseReceipt => {
                if let Some((log, size)) = newest(victim, Lane::Ordinary, 1) {
                    messages.extend(liar.receipt(&log, size + 1_000, Hash([6; 32]), 1_900_000_000));
                    messages.extend(liar.receipt(&log, size, Hash([6; 32]), 1_900_000_000));
                }
            }
            Lie::HoldsAll => {
                let logs: Vec<LogKey> =
                    self.parties[victim].disk.logs().map(|(log, _)| *log).take(64).collect();
                messages.extend(liar.holds(&logs, 1_000_000_000));
            }
            Lie::TwoRoots => {
                if let Some((log, size)) = newest(me, Lane::Ordinary, 1) {
                    messages.extend(liar.two_roots(&log, size, Hash([7; 32])));
                    self.forked = true;
                }
            }
            Lie::ForgedFrame => {
                // To a third party: the victim itself reads no frames of its own log.
                to.retain(|party| *party != victim);
                if let Some((log, size)) = newest(victim, Lane::Ordinary, 1) {
                    let entry = vec![0x81, 0x80];
                    let epoch = self.parties[victim].own_epoch;
                    messages.extend(liar.forged_frame(epoch, &log, (size - 1, entry)));
                }
            }
            Lie::ForgedWrap => {
                to.retain(|party| *party != victim);
                if let Some(reader) = to.first().copied() {
                    let index = PartyIndex(u8::try_from(reader).expect("few parties"));
                    let reader = self.parties[reader].id;
                    let kem = self.public[&reader].kem.clone();
                    let victim = self.parties[victim].id;
                    messages.extend(liar.forged_wrap(victim, (index, reader, &kem), &mut random));
                }
            }
            Lie::Garbage => {
                for _ in 0..8 {
                    let length = usize::try_from(random.below(70_000)).expect("small");
                    let mut bytes = vec![random.bytes::<1>()[0]; length];
                    for byte in bytes.iter_mut().take(40) {
                        *byte = random.bytes::<1>()[0];
                    }
                    messages.push(bytes);
                }
            }
            Lie::WrongShape => messages.extend((0..16).filter_map(|_| liar.wrong_shape(&mut random))),
            Lie::Generations => messages.extend((0..36).filter_map(|_| liar.generation(&mut random))),
        }
        self.random = random;
        self.liar = Some(liar);
        if !messages.is_empty() && !to.is_empty() {
            self.count(lie.count());
            self.note(format!("party {me} lies: {lie:?}"));
        }
        for bytes in messages {
            for to in &to {
                self.happen(self.now_ms + 5, *to, Happening::Deliver(bytes.clone()));
            }
        }
    }

    /// Whoever was up and met two histories of the liar's must have accused it.
    pub(crate) fn must_be_accused(&self) -> Option<crate::Violation> {
        let liar = self.parties.get(self.liar_index?).filter(|_| self.forked)?;
        let others = self.parties.iter().filter(|party| party.id != liar.id);
        let unaware = others.filter(|party| !party.accused.contains(&liar.id)).count();
        (unaware > 0).then_some(crate::Violation::NotAccused(liar.id))
    }
}
