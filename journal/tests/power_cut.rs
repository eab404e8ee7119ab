//! Nothing that was answered is lost when the power goes, and the suite can tell.

use detente_journal::powercut::{Plan, PowerCutDisk, attach, soak};
use detente_journal::sqlite::Synchronous;
use detente_journal::{Batch, CommitError, Engine, Scan, SqliteEngine, Table};

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

/// The reserve is there so that this never happens; another program may still fill the disk.
#[test]
fn a_disk_that_runs_full_under_the_engine_halts_it_and_loses_nothing() {
    const ROWS: Table = Table::new(1, "rows");
    let disk = PowerCutDisk::new();
    let (mount, path, options) = attach(&disk);
    let engine = SqliteEngine::open(&path, &[ROWS], options).expect("opens");
    disk.set_room(Some(200_000));
    let batch = |number: u32| {
        let mut batch = Batch::receipt();
        batch.put(ROWS, &number.to_be_bytes(), &[1; 3000]);
        batch
    };
    let written = (0..1000).take_while(|number| engine.commit(batch(*number)).wait().is_ok()).count();
    assert!((5..100).contains(&written), "{written}");
    assert!(matches!(engine.halted(), Some(CommitError::EnvironmentCommit { .. })));
    disk.set_room(None);
    assert_eq!(
        engine.commit(batch(0)).wait(),
        Err(CommitError::EnvironmentHalted),
        "room alone starts nothing"
    );
    drop((engine, mount));

    let disk = disk.survivor(1);
    let (_mount, path, options) = attach(&disk);
    let engine = SqliteEngine::open(&path, &[ROWS], options).expect("opens");
    assert_eq!(engine.scan(&Scan::all(ROWS)).expect("reads").rows.len(), written);
}
