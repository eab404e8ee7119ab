//! What happens in a world: a short life of a channel that a seed decides, with everything in it
//! that a reader may meet and should not stumble over.

mod acts;
mod entries;

use detente_encoding::cbor::Value;
use detente_protocol::entry::{Kind, RatifyBody, Reference};
use detente_protocol::export::MemoryFiles;
use detente_protocol::names::{Lane, LogKey};
use detente_transparency::KeyKind;

use crate::dice::Dice;
use crate::world::World;

/// An export and the words of its parties.
pub(crate) struct Export {
    pub(crate) files: MemoryFiles,
    /// Codes and words, as people would give them.
    pub(crate) words: Vec<(String, String)>,
    /// Whether these words are those of the parties.
    pub(crate) true_words: bool,
}

/// A world in the course of its story.
pub(crate) struct Story {
    pub(crate) world: World,
    pub(crate) dice: Dice,
    /// The charter edition in force, as the writers believe.
    pub(crate) edition: u32,
    pub(crate) charter_hash: detente_crypto::Hash,
    /// Spoken entries so far.
    pub(crate) said: Vec<Reference>,
}

/// Makes the good export of a seed.
pub(crate) fn tell(seed: u64) -> Export {
    let mut dice = Dice::new(seed);
    let third = if dice.one_in(4) { "ALT" } else { "RIG" };
    let parties = [("ALT", 1 + dice.below(4) as u8), ("VEG", 11 + dice.below(4) as u8), (third, 21)];
    let count = if dice.one_in(3) { 3 } else { 2 };
    let world = World::new(&parties[..count], dice.bytes());
    let charter_hash = world.charter.hash();
    let mut story = Story { world, dice, edition: 1, charter_hash, said: Vec::new() };
    story.open();
    for _ in 0..4 + story.dice.below(18) {
        story.step();
    }
    if story.dice.one_in(3) {
        story.equivocate();
    }
    story.sign();
    story.erase();
    story.export()
}

impl Story {
    pub(crate) fn parties(&self) -> usize {
        self.world.members.len()
    }

    pub(crate) fn anyone(&mut self) -> usize {
        let parties = self.parties();
        self.dice.below(parties)
    }

    /// The party's newest log of the lane, begun when there is none.
    pub(crate) fn log(&mut self, place: usize, lane: Lane) -> LogKey {
        self.world.live(place, lane).unwrap_or_else(|| self.world.begin(place, lane, 1, &[]))
    }

    /// Everyone begins and ratifies; nearly always.
    fn open(&mut self) {
        let first = RatifyBody { edition: 1, charter: self.charter_hash, previous: None };
        for place in 0..self.parties() {
            self.world.begin(place, Lane::Ordinary, 1, &[]);
            if !self.dice.one_in(40) {
                self.act(place, Kind::Ratify, 0, first.value());
            }
        }
        for place in 0..self.parties() {
            self.beat(place);
        }
    }

    /// Receipts of everybody for everything, now and then with a clock that was set back.
    fn receipts(&mut self) {
        let logs: Vec<LogKey> = self.world.logs.keys().copied().collect();
        for log in logs {
            let size = self.world.logs[&log].tree.size();
            for signer in 0..self.parties() {
                if self.world.members[signer].id == log.party || self.dice.one_in(3) {
                    continue;
                }
                let back = if self.dice.one_in(12) { 5_000 } else { 0 };
                let time_s = (self.world.now / 1_000 - back) as u64;
                self.world.sign(KeyKind::CosignerEd25519, signer, log, size, time_s);
                if self.dice.one_in(4) {
                    self.world.sign(KeyKind::CosignerEd25519, signer, log, size, time_s + 3);
                }
                if self.dice.one_in(3) {
                    self.world.sign(KeyKind::CosignerMlDsa, signer, log, size, time_s);
                }
            }
        }
    }

    fn step(&mut self) {
        let place = self.anyone();
        match self.dice.below(24) {
            0..=6 => self.message(place),
            7..=9 => self.answer(place),
            10 => self.opened(place),
            11 => self.machine(place),
            12 | 13 => self.receipts(),
            14 => self.suspend_or_restore(place),
            15 => self.next_edition(),
            16 => self.next_generation(place),
            17 => self.next_roster(place),
            18 => self.next_credential(place),
            19..=21 => self.twisted(place),
            22 => self.later_version(place),
            _ if self.dice.one_in(6) => {
                let edition = self.edition;
                self.act(place, Kind::Close, edition, Value::Null);
            }
            _ => self.false_check(place),
        }
        self.world.now += 1_000 * self.dice.below(90) as i64;
    }

    /// The last lines: all entries signed, ML-DSA sometimes still to come.
    fn sign(&mut self) {
        self.receipts();
        let logs: Vec<LogKey> = self.world.logs.keys().copied().collect();
        for log in logs {
            let size = self.world.logs[&log].tree.size();
            let Some(own) = self.world.members.iter().position(|member| member.id == log.party) else {
                continue;
            };
            self.world.sign(KeyKind::LogEd25519, own, log, size, 0);
            match self.dice.below(4) {
                0 => {}
                1 => self.world.sign(KeyKind::LogMlDsa, own, log, size.div_ceil(2), 0),
                _ => self.world.sign(KeyKind::LogMlDsa, own, log, size, 0),
            }
            if self.world.logs.len() > 3 && self.dice.one_in(40) {
                self.world.withheld.insert(log);
            }
        }
    }

    /// Takes the data of a few leaves away; their hashes stay.
    fn erase(&mut self) {
        if !self.dice.one_in(3) {
            return;
        }
        for _ in 0..=self.dice.below(2) {
            let logs: Vec<LogKey> = self.world.logs.keys().copied().collect();
            let log = *self.dice.pick(&logs);
            let size = self.world.logs[&log].data.len();
            // The first entry of a log is a machine's and holds nothing of a person; rarely it goes all the same.
            let least = usize::from(size > 1 && !self.dice.one_in(8));
            let index = least + self.dice.below(size - least);
            self.world.logs.get_mut(&log).expect("picked from its keys").erased.insert(index);
        }
    }

    fn export(mut self) -> Export {
        let by = self.anyone();
        let files = self.world.export(by);
        let codes: Vec<&str> = self.world.members.iter().map(|m| m.newest().code.as_str()).collect();
        let mut words: Vec<(String, String)> = Vec::new();
        for member in &self.world.members {
            let code = &member.newest().code;
            let twice = codes.iter().filter(|other| *other == code).count() > 1;
            let label = if twice { format!("{code}~{}", &member.id.to_string()[..4]) } else { code.clone() };
            words.push((label, member.newest().words()));
        }
        let mut true_words = true;
        match self.dice.below(12) {
            0..=3 => {}
            4 | 5 => words.truncate(1),
            6 => {
                words[0].1 = words[1].1.clone();
                true_words = false;
            }
            7 if self.dice.one_in(2) => {
                words[0].0 = "NOBODY".into();
                true_words = false;
            }
            _ => words.clear(),
        }
        Export { files, words, true_words }
    }
}
