//! What will happen by itself, drawn before the world begins: starts, officers, faults.

use detente_protocol::charter::{Charter, Level, Proofs};
use detente_protocol::names::Precedence;

use super::{Happening, NOTES_A_DAY, World};
use crate::liar::Lie;
use crate::party::Party;
use crate::{Random, Weather};

impl World {
    /// Lays out what will happen by itself: starts, officers, faults.
    pub(super) fn plan(&mut self) {
        for party in 0..self.parties.len() {
            let at = self.random.below(5_000);
            self.happen(at, party, Happening::Start);
            for _ in 0..NOTES_A_DAY * self.profile.days / self.parties.len() as u64 {
                let at = self.random.between(60_000, self.faults_end_ms);
                self.happen(at, party, Happening::Send);
            }
            for minute in 0..self.profile.days * 24 * 12 + 12 {
                self.happen(minute * 300_000 + 7_000, party, Happening::Acknowledge);
            }
            self.plan_faults(party);
        }
    }

    fn plan_faults(&mut self, party: usize) {
        let (days, end) = (self.profile.days, self.faults_end_ms);
        if self.weather == Weather::Quiet {
            return;
        }
        for _ in 0..self.random.between(1, 6) * days {
            let at = self.random.between(120_000, end);
            self.happen(at, party, Happening::Crash);
        }
        for other in (0..self.parties.len()).filter(|other| *other != party) {
            for _ in 0..self.random.between(0, 4) * days {
                let at = self.random.between(60_000, end);
                let long = self.random.between(1_000, 7_200_000);
                self.happen(at, party, Happening::Cut(other));
                self.happen((at + long).min(end), party, Happening::Heal(other));
            }
        }
        if self.random.one_in(4) {
            let at = self.random.between(60_000, end);
            let years = i64::try_from(self.random.between(1, 20)).expect("small") - 10;
            self.happen(at, party, Happening::ClockStep(years * 31_557_600_000));
        }
        if self.weather == Weather::Restore && (party == 0 || self.random.one_in(2)) {
            for _ in 0..days {
                let at = self.random.between(3_600_000, end / 2);
                let later = self.random.between(60_000, end / 2 - 60_000);
                self.happen(at, party, Happening::Backup);
                self.happen(at + later, party, Happening::Restore);
            }
        }
        if self.liar_index == Some(party) {
            for _ in 0..30 * days {
                let lie = Lie::ALL[usize::try_from(self.random.below(10)).expect("below 10")];
                let signs_twice = matches!(lie, Lie::Fork | Lie::TwoRoots);
                // Two histories late in the day: the log is frozen afterwards.
                let at = self.random.between(if signs_twice { end * 9 / 10 } else { 600_000 }, end);
                self.happen(at, party, Happening::Lie(lie));
            }
            // When everything has healed, once more, and then all must know.
            self.happen(end + 900_000, party, Happening::Lie(Lie::Junk));
            self.happen(end + 1_000_000, party, Happening::Lie(Lie::Fork));
            self.happen(end + 1_060_000, party, Happening::MustBeAccused);
        }
    }
}

pub(super) fn charter(parties: &[Party], random: &mut Random) -> Charter {
    Charter {
        acknowledge_s: [28_800, 1_800, 600, 120],
        edition: 1,
        formats: None,
        kem_keep_days: 35,
        label: "Simulated".to_owned(),
        languages: vec!["en".to_owned(); parties.len()],
        level: Level::Military,
        parties: parties.iter().map(|party| party.id).collect(),
        previous: None,
        proofs: Proofs { precedences: vec![Precedence::Immediate, Precedence::Flash], formats: Vec::new() },
        random: random.bytes(),
        release_default: 2,
        release_duty: 1,
        silent_after_s: 2_592_000,
        subjects: vec!["tests".to_owned()],
        test_every_s: 3_600,
    }
}
