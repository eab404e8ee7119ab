//! Nothing that was answered is lost when the power goes, and the suite can tell.

use detente_journal::powercut::{Plan, soak};
use detente_journal::sqlite::Synchronous;

#[test]
fn three_hundred_power_cuts_lose_nothing() {
    let plan = Plan { rounds: 0..150, seed: 42, synchronous: Synchronous::Full };
    let report = soak(&plan, &mut |_| ());
    assert!(report.is_clean(), "{report:#?}");
    // The rounds are worth something only if they reach what they are meant to reach.
    assert!(report.power_cuts >= 300, "{report:#?}");
    assert!(
        report.cuts_in_write > 100
            && report.cuts_in_sync > 25
            && report.kills > 20
            && report.failed_syncs > 20,
        "{report:#?}"
    );
    assert!(
        report.acknowledged > 3000 && report.shared_syncs > 100 && report.unanswered_found > 0,
        "{report:#?}"
    );
}

#[test]
fn a_build_that_does_not_sync_loses_answered_batches_in_the_same_suite() {
    let plan = Plan { rounds: 0..30, seed: 42, synchronous: Synchronous::DangerOff };
    let report = soak(&plan, &mut |_| ());
    assert!(report.lost > 0, "{report:#?}");
}
