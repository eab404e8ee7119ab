//! The suite that every engine must pass.
//!
//! Each check is one promise of [`Engine`], or one fault and what must follow. A check that fails
//! panics with the promise it broke. Run it from a test of the engine: see `tests/engines.rs`.

use crate::batch::{BATCH_ROWS_MAX, Batch, KEY_BYTES_MAX, VALUE_BYTES_MAX};
use crate::completion::Completion;
use crate::engine::{Engine, ScrubCursor};
use crate::error::{CommitError, ReadError};
use crate::row::{Content, leaf_hash};
use crate::scan::{PAGE_ROWS_MAX, Page, Scan};
use crate::table::Table;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// A table of log leaves.
pub const LEAVES: Table = Table::new(1, "leaves");
/// A table of plain rows.
pub const PLAIN: Table = Table::new(7, "plain");
/// The tables with which a harness opens its engines.
pub const TABLES: &[Table] = &[LEAVES, PLAIN];
const UNKNOWN: Table = Table::new(99, "unknown");

/// What the suite needs to know about the engine under test.
pub trait Harness {
    /// Opens an empty record on a disk of its own, with [`TABLES`] and the default reserve.
    fn fresh(&mut self) -> Arc<dyn Engine>;
    /// Ends the process that holds the present record, and opens the record again.
    fn restart(&mut self, engine: Arc<dyn Engine>) -> Arc<dyn Engine>;
    /// Lets an engine that syncs only when told to sync. Others do nothing.
    fn settle(&self);
    /// Sets what the disk of the present record says it has free.
    fn set_free_bytes(&self, bytes: u64);
    /// Makes the next sync of the disk fail.
    fn fail_next_sync(&self);
    /// Changes a stored value behind the engine's back: inverts its first bit.
    fn rot(&self, table: Table, key: &[u8]);
}

/// Runs every check on fresh records of `harness`.
///
/// # Panics
/// When a promise is broken.
pub fn run(harness: &mut dyn Harness) {
    let checks: [(&str, Check); 13] = [
        ("a batch is seen whole, in the order of its changes", batch_order),
        ("scans agree with an ordered map", scans_agree_with_a_map),
        ("pages are bounded and a walk sees all", pages_are_bounded),
        ("leaves carry their hash and can be erased", leaves),
        ("batches are answered in the order of submission", answers_in_order),
        ("bugs of the caller are refused without harm", bugs_are_refused),
        ("many threads commit, and fewer syncs than batches serve them", many_threads),
        ("what was answered is there after a restart", restart),
        ("below the reserve only receipts are taken", full_disk),
        ("a failed sync halts for good", failed_sync),
        ("rot is named and never skipped", rot),
        ("a scrub sees every row and goes on behind damage", scrub),
        ("an engine can be shared and awaited", awaited),
    ];
    for (promise, check) in checks {
        let engine = harness.fresh();
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(harness, engine)));
        assert!(outcome.is_ok(), "broken promise: {promise}");
    }
}

type Check = fn(&mut dyn Harness, Arc<dyn Engine>);

fn outcome(harness: &dyn Harness, completion: Completion) -> Result<(), CommitError> {
    harness.settle();
    completion.wait()
}

fn commit(harness: &dyn Harness, engine: &dyn Engine, batch: Batch) {
    let completion = engine.commit(batch);
    outcome(harness, completion).expect("commits");
}

fn put(key: &[u8], value: &[u8]) -> Batch {
    let mut batch = Batch::new();
    batch.put(PLAIN, key, value);
    batch
}

fn batch_order(harness: &mut dyn Harness, engine: Arc<dyn Engine>) {
    assert_eq!(engine.read(PLAIN, b"a"), Ok(None));
    assert_eq!(engine.last(PLAIN, b"").map(|row| row.is_none()), Ok(true));
    let mut batch = Batch::new();
    batch.put(PLAIN, b"a", b"1").put(PLAIN, b"b", b"2").delete(PLAIN, b"a").put(PLAIN, b"b", b"3");
    batch.delete(PLAIN, b"never").put(PLAIN, b"", b"").put(LEAVES, b"b", b"other table");
    commit(harness, &*engine, batch);
    assert_eq!(engine.read(PLAIN, b"a"), Ok(None));
    assert_eq!(engine.read(PLAIN, b"b"), Ok(Some(b"3".to_vec())));
    assert_eq!(engine.read(PLAIN, b""), Ok(Some(Vec::new())), "an empty key and value are a row");
    assert_eq!(engine.read(LEAVES, b"b"), Ok(Some(b"other table".to_vec())));
    commit(harness, &*engine, Batch::new());
}

/// A few keys that differ in length, prefix and the highest byte.
fn keys() -> Vec<Vec<u8>> {
    let letters = [0x00, 0x01, b'a', 0xfe, 0xff];
    let mut keys = vec![Vec::new()];
    for length in 1..=3_u32 {
        for number in 0..5_usize.pow(length) {
            keys.push((0..length).map(|at| letters[number / 5_usize.pow(at) % 5]).collect());
        }
    }
    keys
}

fn scans_agree_with_a_map(harness: &mut dyn Harness, engine: Arc<dyn Engine>) {
    let (keys, mut map, mut batch) = (keys(), BTreeMap::new(), Batch::new());
    for (at, key) in keys.iter().enumerate().filter(|(at, _)| at % 3 != 0) {
        batch.put(PLAIN, key, &at.to_be_bytes());
        map.insert(key.clone(), at.to_be_bytes().to_vec());
    }
    commit(harness, &*engine, batch);
    for (at, from) in keys.iter().enumerate() {
        let to = &keys[(at * 7 + 3) % keys.len()];
        let limit = 1 + at % 9;
        let inside = |key: &Vec<u8>| *key >= *from && *key < *to;
        let mut expected: Vec<&Vec<u8>> = map.keys().filter(|key| inside(key)).collect();
        for descending in [false, true] {
            let scan = Scan::range(PLAIN, from, to).limit(limit);
            let page = engine.scan(&if descending { scan.descending() } else { scan }).expect("scans");
            let found: Vec<&Vec<u8>> = page.rows.iter().map(|row| &row.key).collect();
            assert_eq!(
                found,
                expected[..expected.len().min(limit)],
                "{from:x?} to {to:x?}, descending {descending}"
            );
            assert_eq!(page.more, expected.len() > limit);
            assert!(page.rows.iter().all(|row| row.content.bytes() == map.get(&row.key).map(Vec::as_slice)));
            expected.reverse();
        }
        let mut with_prefix = map.keys().filter(|key| key.starts_with(from));
        assert_eq!(
            engine.last(PLAIN, from).expect("reads").map(|row| row.key).as_ref(),
            with_prefix.next_back()
        );
    }
}

fn pages_are_bounded(harness: &mut dyn Harness, engine: Arc<dyn Engine>) {
    let mut batch = Batch::new();
    for number in 0..PAGE_ROWS_MAX as u32 + 10 {
        batch.put(PLAIN, &number.to_be_bytes(), b"");
    }
    commit(harness, &*engine, batch);
    let page = engine.scan(&Scan::all(PLAIN).limit(usize::MAX)).expect("scans");
    assert_eq!((page.rows.len(), page.more), (PAGE_ROWS_MAX, true));
    assert_eq!(engine.scan(&Scan::all(PLAIN).limit(0)), Ok(Page { rows: Vec::new(), more: true }));
    for scan in [Scan::all(PLAIN).limit(1000), Scan::all(PLAIN).limit(1000).descending()] {
        let mut seen = Vec::new();
        let all = engine.for_each(scan, &mut |row| {
            seen.push(row.key);
            ControlFlow::Continue(())
        });
        all.expect("walks");
        assert_eq!(seen.len(), PAGE_ROWS_MAX + 10);
        assert!(seen.is_sorted() || seen.iter().rev().is_sorted());
    }
}

fn leaves(harness: &mut dyn Harness, engine: Arc<dyn Engine>) {
    let mut batch = Batch::new();
    let hash = batch.put_leaf(LEAVES, b"leaf", b"salt and entry");
    assert_eq!(hash, leaf_hash(b"salt and entry"));
    batch.put(PLAIN, b"plain", b"stays");
    commit(harness, &*engine, batch);
    let held = Content::Leaf { hash, data: b"salt and entry".to_vec() };
    assert_eq!(engine.read_row(LEAVES, b"leaf"), Ok(Some(held)));

    let mut erase = Batch::new();
    erase.erase_leaf(LEAVES, b"leaf").erase_leaf(LEAVES, b"none").erase_leaf(PLAIN, b"plain");
    commit(harness, &*engine, erase);
    assert_eq!(engine.read_row(LEAVES, b"leaf"), Ok(Some(Content::Erased { hash })));
    assert!(matches!(engine.read(LEAVES, b"leaf"), Err(ReadError::LocalErased(_))));
    assert_eq!(engine.read(LEAVES, b"none"), Ok(None));
    assert_eq!(engine.read(PLAIN, b"plain"), Ok(Some(b"stays".to_vec())), "a plain row is not erased");
}

fn answers_in_order(harness: &mut dyn Harness, engine: Arc<dyn Engine>) {
    let answers = Arc::new(Mutex::new(Vec::new()));
    for number in 0..300_u32 {
        let (answers, reader) = (Arc::clone(&answers), Arc::downgrade(&engine));
        let done = move |outcome: Result<(), CommitError>| {
            assert_eq!(outcome, Ok(()));
            let seen = reader.upgrade().map(|engine| engine.read(PLAIN, &number.to_be_bytes()));
            assert_eq!(seen, Some(Ok(Some(Vec::new()))), "an answered batch is seen");
            answers.lock().unwrap_or_else(PoisonError::into_inner).push(number);
        };
        engine.commit_then(put(&number.to_be_bytes(), b""), Box::new(done));
    }
    commit(harness, &*engine, put(b"last", b""));
    assert_eq!(*answers.lock().unwrap_or_else(PoisonError::into_inner), (0..300).collect::<Vec<_>>());
}

fn bugs_are_refused(harness: &mut dyn Harness, engine: Arc<dyn Engine>) {
    let mut many = Batch::new();
    for number in 0..=BATCH_ROWS_MAX as u32 {
        many.put(PLAIN, &number.to_be_bytes(), b"");
    }
    let long_key = put(&[0; KEY_BYTES_MAX + 1], b"");
    let long_value = put(b"k", &vec![0; VALUE_BYTES_MAX + 1]);
    for batch in [many, long_key, long_value] {
        assert_eq!(outcome(harness, engine.commit(batch)), Err(CommitError::LocalTooLarge));
    }
    let mut batch = put(b"k", b"v");
    batch.put(UNKNOWN, b"k", b"v");
    assert_eq!(outcome(harness, engine.commit(batch)), Err(CommitError::LocalUnknownTable(UNKNOWN)));
    assert_eq!(engine.read(PLAIN, b"k"), Ok(None), "nothing of a refused batch is written");
    assert_eq!(engine.read(UNKNOWN, b"k"), Err(ReadError::LocalUnknownTable(UNKNOWN)));
    assert_eq!(engine.scan(&Scan::all(UNKNOWN)), Err(ReadError::LocalUnknownTable(UNKNOWN)));
    commit(harness, &*engine, put(&[0; KEY_BYTES_MAX], &vec![0; VALUE_BYTES_MAX]));
}

fn many_threads(harness: &mut dyn Harness, engine: Arc<dyn Engine>) {
    const THREADS: u8 = 8;
    const EACH: u32 = 50;
    let completions: Vec<Completion> = thread::scope(|scope| {
        let threads = (0..THREADS).map(|thread| {
            let engine = &engine;
            scope.spawn(move || {
                let key = |number: u32| [&[thread][..], &number.to_be_bytes()].concat();
                (0..EACH).map(|number| engine.commit(put(&key(number), b"v"))).collect::<Vec<_>>()
            })
        });
        let threads: Vec<_> = threads.collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("the thread ends")).collect()
    });
    harness.settle();
    completions.into_iter().for_each(|completion| completion.wait().expect("commits"));
    let batches = u64::from(THREADS) * u64::from(EACH);
    assert_eq!(engine.scan(&Scan::all(PLAIN)).expect("scans").rows.len() as u64, batches);
    let counters = engine.counters();
    assert_eq!(counters.batches, batches);
    assert!(counters.syncs < batches, "{counters:?}");
}

fn restart(harness: &mut dyn Harness, engine: Arc<dyn Engine>) {
    for number in 0..20_u32 {
        commit(harness, &*engine, put(&number.to_be_bytes(), b"v"));
    }
    let engine = harness.restart(engine);
    assert_eq!(engine.scan(&Scan::all(PLAIN)).expect("scans").rows.len(), 20);
    commit(harness, &*engine, put(b"after", b"v"));
}

fn full_disk(harness: &mut dyn Harness, engine: Arc<dyn Engine>) {
    let reserve_bytes = engine.space().expect("says").reserve_bytes;
    harness.set_free_bytes(reserve_bytes - 1);
    assert!(engine.space().expect("says").below_reserve());
    let refusal = CommitError::EnvironmentDiskFull { free_bytes: reserve_bytes - 1, reserve_bytes };
    assert_eq!(outcome(harness, engine.commit(put(b"new", b"v"))), Err(refusal));
    let mut receipt = Batch::receipt();
    receipt.put(PLAIN, b"receipt", b"v");
    commit(harness, &*engine, receipt);
    assert_eq!(engine.read(PLAIN, b"new"), Ok(None));
    assert_eq!(engine.halted(), None, "a full disk is no fault of the disk");
    harness.set_free_bytes(reserve_bytes + (1 << 20));
    commit(harness, &*engine, put(b"new", b"v"));
    // The batch that would take the disk below the reserve is refused as well.
    assert!(outcome(harness, engine.commit(put(b"large", &vec![0; VALUE_BYTES_MAX]))).is_err());
}

fn failed_sync(harness: &mut dyn Harness, engine: Arc<dyn Engine>) {
    commit(harness, &*engine, put(b"before", b"v"));
    harness.fail_next_sync();
    let failed = outcome(harness, engine.commit(put(b"failed", b"v")));
    assert!(matches!(failed, Err(CommitError::EnvironmentCommit { .. })), "{failed:?}");
    assert!(engine.halted().is_some());
    for _ in 0..3 {
        assert_eq!(outcome(harness, engine.commit(put(b"after", b"v"))), Err(CommitError::EnvironmentHalted));
    }
    engine.wait_for_room();
    assert_eq!(engine.read(PLAIN, b"before"), Ok(Some(b"v".to_vec())), "reading goes on");
    let engine = harness.restart(engine);
    assert_eq!(engine.read(PLAIN, b"before"), Ok(Some(b"v".to_vec())));
    assert_eq!(engine.read(PLAIN, b"after"), Ok(None));
    commit(harness, &*engine, put(b"again", b"v"));
}

fn rot(harness: &mut dyn Harness, engine: Arc<dyn Engine>) {
    let mut batch = Batch::new();
    for number in 0..5_u8 {
        batch.put_leaf(LEAVES, &[number], b"stored leaf data");
        batch.put(PLAIN, &[number], b"stored plain data");
    }
    commit(harness, &*engine, batch);
    let engine = harness.restart(engine);
    harness.rot(LEAVES, &[2]);
    for error in [
        engine.read(LEAVES, &[2]).expect_err("rotten"),
        engine.scan(&Scan::all(LEAVES)).expect_err("rotten"),
        engine.last(LEAVES, &[2]).expect_err("rotten"),
    ] {
        match error {
            ReadError::EnvironmentDamaged(damage) => {
                assert_eq!((damage.table, damage.key), (LEAVES, vec![2]))
            }
            other => panic!("{other}"),
        }
    }
    assert!(engine.read(LEAVES, &[1]).is_ok() && engine.read(PLAIN, &[2]).is_ok());
    // A row fetched again from a peer takes the place of the rotten one.
    let mut repair = Batch::new();
    repair.put_leaf(LEAVES, &[2], b"stored leaf data");
    commit(harness, &*engine, repair);
    assert_eq!(engine.scan(&Scan::all(LEAVES)).expect("whole again").rows.len(), 5);
}

fn scrub(harness: &mut dyn Harness, engine: Arc<dyn Engine>) {
    let mut batch = Batch::new();
    for number in 0..25_u8 {
        batch.put_leaf(LEAVES, &[number], b"stored leaf data");
        batch.put(PLAIN, &[number], b"stored plain data");
    }
    commit(harness, &*engine, batch);
    let engine = harness.restart(engine);
    harness.rot(PLAIN, &[3]);
    harness.rot(LEAVES, &[24]);
    let (mut cursor, mut rows, mut damaged) = (Some(ScrubCursor::default()), 0, Vec::new());
    while let Some(at) = cursor {
        let step = engine.scrub(at, 7).expect("scrubs");
        assert!(step.rows <= 7 && step.corrupt.is_none());
        rows += step.rows;
        damaged.extend(step.damaged.into_iter().map(|damage| (damage.table.name(), damage.key)));
        cursor = step.next;
    }
    assert_eq!((rows, damaged), (50, vec![("leaves", vec![24]), ("plain", vec![3])]));
}

fn awaited(harness: &mut dyn Harness, engine: Arc<dyn Engine>) {
    struct Unpark(thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Arc::new(Unpark(thread::current())).into();
    let mut completion = std::pin::pin!(engine.try_commit(put(b"k", b"v")).expect("the queue has room"));
    let mut context = std::task::Context::from_waker(&waker);
    harness.settle();
    loop {
        match completion.as_mut().poll(&mut context) {
            std::task::Poll::Ready(outcome) => break assert_eq!(outcome, Ok(())),
            std::task::Poll::Pending => thread::park(),
        }
    }
}
