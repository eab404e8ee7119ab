//! Faults built in on purpose: each must be caught by the seeds of CI, for what it breaks.

use detente_simulation::{Danger, Plant, Profile, Violation, Weather, simulate};

/// Plays seeds until one catches the plant; says which and by what.
fn caught(plant: Plant, weather: Weather, expected: fn(&Violation) -> bool) {
    let seeds = 0..24;
    let mut otherwise = Vec::new();
    for seed in seeds.clone() {
        let profile = Profile { plant: Some(plant), weather, ..Profile::default() };
        let Some(violation) = simulate(seed, &profile).violation else { continue };
        if expected(&violation) {
            println!("{plant:?}: caught by seed {seed} ({weather:?}): {violation}");
            let clean = Profile { plant: None, ..profile };
            assert_eq!(simulate(seed, &clean).violation, None, "seed {seed} holds without the plant");
            return;
        }
        otherwise.push(format!("seed {seed}: {violation}"));
    }
    panic!("{plant:?} was not caught as expected by seeds {seeds:?}: {otherwise:#?}");
}

macro_rules! plants {
    ($($name:ident: $plant:expr, $weather:ident, $expected:pat,)*) => {$(
        #[test]
        fn $name() {
            caught($plant, Weather::$weather, |violation| matches!(violation, $expected));
        }
    )*};
}

plants! {
    cosign_before_sync_is_caught:
        Plant::CosignBeforeSync, PowerCuts, Violation::ReceiptWithoutDisk { .. } | Violation::Record(_),
    drafter_as_second_is_caught:
        Plant::DrafterAsSecond, Quiet, Violation::NotReleased(_),
    a_run_used_again_after_a_restart_is_caught:
        Plant::RunReused, Stormy, Violation::NonceReused(_),
    counts_used_again_are_caught:
        Plant::Channel(Danger::CountsReused), Quiet, Violation::NonceReused(_),
    an_acknowledgement_without_leaf_hash_is_caught:
        Plant::AcknowledgedWithoutLeaf, Quiet, Violation::WrongReference(_),
    a_charter_ratified_without_proof_is_caught:
        Plant::RatifiedWithoutProof, Quiet, Violation::NotReleased(_),
    a_disk_that_forgets_is_caught:
        Plant::DiskForgotten, Stormy, Violation::Lost { .. } | Violation::ReceiptWithoutDisk { .. } | Violation::EnteredTwice(_),
    junk_refused_instead_of_void_is_caught:
        Plant::Channel(Danger::JunkRefused), Liar, Violation::Lost { .. },
    a_statement_entered_twice_is_caught:
        Plant::Channel(Danger::StatementTwice), Quiet, Violation::EnteredTwice(_),
    a_have_taken_for_a_receipt_is_caught:
        Plant::Channel(Danger::HaveIsReceipt), Liar, Violation::ReceiptWithoutDisk { .. },
    a_wrap_signed_by_nobody_is_caught:
        Plant::Channel(Danger::WrapUnsigned), Liar, Violation::ForgedEpoch(_),
    a_receipt_dated_before_writing_is_caught:
        Plant::Channel(Danger::ReceiptBackdated), Quiet, Violation::ReceiptTime { .. },
    the_newest_cosignature_over_the_first_is_caught:
        Plant::Channel(Danger::NewestOverFirst), Quiet, Violation::RecordOverwritten(_),
    a_cosigner_with_a_falling_clock_is_caught:
        Plant::Channel(Danger::TimeFalls), Stormy, Violation::ReceiptTime { .. },
    a_long_emergency_entry_is_caught:
        Plant::Channel(Danger::LongEmergency), Quiet, Violation::HonestVoid(_),
    two_histories_told_to_nobody_are_caught:
        Plant::Channel(Danger::ForkIgnored), Liar, Violation::NotAccused(_),
}
