//! The worlds of CI: two hundred seeds, each a day, in parts that run side by side.

use std::collections::{BTreeMap, BTreeSet};

use detente_simulation::{Profile, Report, Weather, simulate};

/// Kinds of fault and states that the seeds must have met, so that none of them is only promised.
const MUST_BE_MET: [&str; 32] = [
    "acknowledged",
    "blob held",
    "entry valid",
    "entry void",
    "equivocation proved",
    "fault: backup taken",
    "fault: clock step of years",
    "fault: crash",
    "fault: crash at a sync",
    "fault: damaged",
    "fault: link cut one way",
    "fault: lost",
    "fault: old backup restored",
    "fault: power cut with unsynced writes",
    "fault: repeated",
    "fault: replayed to anybody",
    "fault: sent into a cut link",
    "flash with nothing in its way",
    "lie: Ed25519 and ML-DSA over two roots",
    "lie: entries that break clauses",
    "lie: false receipts",
    "lie: flood of generations",
    "lie: frame in another's name",
    "lie: have that claims everything",
    "lie: random bytes",
    "lie: sealed messages of a wrong shape",
    "lie: two histories of one log",
    "lie: wrap signed by nobody",
    "receipt",
    "refused to enter",
    "sent",
    "statement offered again",
];

fn play(seeds: std::ops::Range<u64>, profile: &Profile) -> Vec<Report> {
    let reports: Vec<Report> = seeds.map(|seed| simulate(seed, profile)).collect();
    let broken: Vec<String> =
        reports.iter().filter(|r| r.violation.is_some()).map(Report::to_string).collect();
    assert!(broken.is_empty(), "{} seeds broken:\n{}", broken.len(), broken.join("\n"));
    let traces: BTreeSet<[u8; 32]> = reports.iter().map(|report| report.trace).collect();
    assert_eq!(traces.len(), reports.len(), "distinct seeds are distinct worlds");
    reports
}

macro_rules! days_of {
    ($($name:ident $from:literal),*) => {$(
        #[test]
        fn $name() {
            play($from..$from + 23, &Profile::default());
        }
    )*};
}

days_of!(
    days_of_seeds_0_to_22_hold 0,
    days_of_seeds_23_to_45_hold 23,
    days_of_seeds_46_to_68_hold 46,
    days_of_seeds_69_to_91_hold 69,
    days_of_seeds_92_to_114_hold 92,
    days_of_seeds_115_to_137_hold 115,
    days_of_seeds_138_to_160_hold 138,
    days_of_seeds_161_to_183_hold 161
);

fn real() -> Profile {
    Profile { real_cryptography: true, ..Profile::default() }
}

#[test]
fn days_with_real_cryptography_hold_in_ten_seeds() {
    play(1_000..1_010, &real());
}

#[test]
fn days_with_real_cryptography_hold_in_ten_other_seeds() {
    play(1_010..1_020, &real());
}

#[test]
fn no_kind_of_fault_and_no_state_is_missing() {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    let liars = Profile { weather: Weather::Liar, ..Profile::default() };
    let mut reports = play(0..32, &Profile::default());
    reports.extend(play(0..8, &liars));
    for report in reports {
        for (name, count) in report.counts {
            *counts.entry(name).or_default() += count;
        }
    }
    let missing: Vec<_> = MUST_BE_MET.iter().filter(|name| !counts.contains_key(**name)).collect();
    assert!(missing.is_empty(), "never met: {missing:?}; met: {counts:#?}");
}

#[test]
fn the_same_seed_is_the_same_world() {
    for weather in [Weather::Stormy, Weather::Liar, Weather::Restore] {
        let profile = Profile { weather, ..Profile::default() };
        let (first, again) = (simulate(5, &profile), simulate(5, &profile));
        assert_eq!((first.trace, &first.counts), (again.trace, &again.counts));
    }
}

#[test]
fn every_profile_has_a_name_and_none_other_has() {
    assert!(Profile::NAMES.iter().all(|name| Profile::named(name).is_some()));
    assert_eq!(Profile::named("sunny"), None);
}

/// An old backup was put back at a reader. It judged a generation entry whose named log was itself
/// waiting for an older one, took the table of that log as empty, and called an honest entry void.
#[test]
fn a_log_that_names_logs_not_yet_held_waits_for_them() {
    play(42..43, &Profile::default());
}
