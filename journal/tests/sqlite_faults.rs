//! What the embedded engine does when the disk, the file or its owner misbehaves.

use detente_journal::sqlite::{self, FreeBytes};
use detente_journal::{
    Batch, CommitError, Engine, OpenError, ReadError, Scan, ScrubCursor, SqliteEngine, SqliteOptions, Table,
};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

const LEAVES: Table = Table::new(1, "leaves");
const HEADS: Table = Table::new(2, "heads");
const TABLES: &[Table] = &[LEAVES, HEADS];

fn open(path: &Path) -> SqliteEngine {
    SqliteEngine::open(path, TABLES, SqliteOptions::default()).expect("opens")
}

fn leaf(index: u32) -> Batch {
    let mut batch = Batch::new();
    batch.put_leaf(LEAVES, &index.to_be_bytes(), format!("entry {index}").as_bytes());
    batch.put(HEADS, b"log", &index.to_be_bytes());
    batch
}

/// Changes the stored bytes behind the engine's back.
fn rot(path: &Path, sql: &str) {
    let connection = rusqlite::Connection::open(path).expect("opens");
    assert_eq!(connection.execute(sql, []).expect("changes"), 1);
}

#[test]
fn a_record_survives_its_process() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal.sqlite");
    let engine = open(&path);
    for index in 0..100 {
        engine.commit(leaf(index)).wait().expect("commits");
    }
    drop(engine);
    let engine = open(&path);
    assert_eq!(engine.scan(&Scan::all(LEAVES)).expect("reads").rows.len(), 100);
    assert_eq!(engine.read(HEADS, b"log").expect("reads"), Some(99_u32.to_be_bytes().to_vec()));
}

#[test]
fn a_record_is_opened_once_at_a_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal.sqlite");
    let engine = open(&path);
    let second = SqliteEngine::open(&path, TABLES, SqliteOptions::default());
    assert!(matches!(second, Err(OpenError::LocalHeld { pid: Some(pid) }) if pid == std::process::id()));
    drop(engine);
    open(&path);
}

/// A process that is killed leaves a log behind; the next one writes it anew and reads it.
#[test]
fn a_log_left_behind_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal.sqlite");
    let engine = open(&path);
    for index in 0..100 {
        engine.commit(leaf(index)).wait().expect("commits");
    }
    let killed = folder.path().join("killed.sqlite");
    for suffix in ["", "-wal"] {
        let name = |stem: &str| folder.path().join(format!("{stem}.sqlite{suffix}"));
        std::fs::copy(name("journal"), name("killed")).expect("copies");
    }
    assert!(std::fs::metadata(folder.path().join("killed.sqlite-wal")).expect("a log").len() > 100 * 4096);
    assert_eq!(open(&killed).scan(&Scan::all(LEAVES)).expect("reads").rows.len(), 100);
}

#[test]
fn a_rotten_row_is_named_and_never_skipped() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal.sqlite");
    let engine = open(&path);
    for index in 0..10 {
        engine.commit(leaf(index)).wait().expect("commits");
    }
    rot(&path, "UPDATE leaves SET value = CAST('entry 8' AS BLOB) WHERE key = x'00000009'");
    let expected = |error| match error {
        ReadError::EnvironmentDamaged(damage) => {
            assert_eq!((damage.table, damage.key), (LEAVES, 9_u32.to_be_bytes().to_vec()));
        }
        other => panic!("{other}"),
    };
    expected(engine.read(LEAVES, &9_u32.to_be_bytes()).expect_err("damaged"));
    expected(engine.scan(&Scan::all(LEAVES)).expect_err("damaged"));
    expected(engine.last(LEAVES, b"").expect_err("damaged"));
    assert!(engine.read(LEAVES, &8_u32.to_be_bytes()).is_ok());
}

#[test]
fn the_log_stays_short_while_readers_overlap() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal.sqlite");
    let options = SqliteOptions { checkpoint_pages: 16, ..SqliteOptions::default() };
    let engine = SqliteEngine::open(&path, TABLES, options).expect("opens");
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !stop.load(Ordering::SeqCst) {
                    engine.scan(&Scan::all(LEAVES)).expect("reads");
                }
            });
        }
        for index in 0..1000 {
            engine.commit(leaf(index)).wait().expect("commits");
        }
        stop.store(true, Ordering::SeqCst);
    });
    let log_bytes = std::fs::metadata(folder.path().join("journal.sqlite-wal")).expect("a log").len();
    // Without being started anew it would hold at least two pages for each commit.
    assert!(log_bytes < 400 * 4120, "{} pages", log_bytes / 4120);
}

/// A rotten page header can hide rows: no checksum fails, for nothing is found that could.
#[test]
fn rows_hidden_by_a_rotten_page_are_noticed_by_the_scrub() {
    const PAGE_BYTES: usize = 4096;
    const INDEX_LEAF: u8 = 0x0a;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal.sqlite");
    let engine = open(&path);
    for index in 0..500 {
        engine.commit(leaf(index)).wait().expect("commits");
    }
    drop(engine);
    let mut bytes = std::fs::read(&path).expect("reads");
    let page = bytes.chunks_mut(PAGE_BYTES).skip(1).rfind(|page| page[0] == INDEX_LEAF && page[4] > 10);
    page.expect("a leaf page with rows")[4] -= 5;
    std::fs::write(&path, bytes).expect("writes");

    let engine = open(&path);
    assert!(engine.scan(&Scan::all(LEAVES)).is_ok_and(|page| page.rows.len() < 500), "a scan cannot notice");
    let step = engine.scrub(ScrubCursor::default(), 1000).expect("scrubs");
    assert_eq!((step.corrupt, step.damaged), (Some(LEAVES), Vec::new()));
}

#[test]
fn a_full_disk_refuses_new_content_and_takes_receipts() {
    let folder = tempfile::tempdir().expect("a folder");
    let free = Arc::new(AtomicU64::new(1 << 30));
    let probe: FreeBytes = Arc::new({
        let free = Arc::clone(&free);
        move || Ok(free.load(Ordering::SeqCst))
    });
    let options = SqliteOptions { free_bytes: Some(probe), ..SqliteOptions::default() };
    let engine = SqliteEngine::open(&folder.path().join("journal.sqlite"), TABLES, options).expect("opens");
    engine.commit(leaf(0)).wait().expect("commits");

    free.store(60 << 20, Ordering::SeqCst);
    let refused = engine.commit(leaf(1)).wait().expect_err("refused");
    assert_eq!(refused, CommitError::EnvironmentDiskFull { free_bytes: 60 << 20, reserve_bytes: 64 << 20 });
    let mut receipt = Batch::receipt();
    receipt.put(HEADS, b"receipt", b"1");
    engine.commit(receipt).wait().expect("a receipt goes on");
    assert!(engine.space().expect("says").below_reserve());
    assert_eq!(engine.read(LEAVES, &1_u32.to_be_bytes()).expect("reads"), None);

    free.store(1 << 30, Ordering::SeqCst);
    engine.commit(leaf(1)).wait().expect("goes on by itself");
}

#[test]
fn a_backup_made_under_load_is_whole_and_restores() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = open(&folder.path().join("journal.sqlite"));
    for index in 0..50 {
        engine.commit(leaf(index)).wait().expect("commits");
    }
    let mut erase = Batch::new();
    erase.erase_leaf(LEAVES, &7_u32.to_be_bytes());
    engine.commit(erase).wait().expect("erases");
    let later: Vec<_> = (50..500).map(|index| engine.commit(leaf(index))).collect();
    let out = folder.path().join("backup.sqlite");
    engine.backup(&out).expect("copies");
    assert!(matches!(engine.backup(&out), Err(sqlite::BackupError::LocalExists)));
    later.into_iter().for_each(|completion| completion.wait().expect("commits"));

    let restored = folder.path().join("restored.sqlite");
    let copied = sqlite::restore(&out, &restored, TABLES).expect("restores");
    let copy = open(&restored);
    let rows = copy.scan(&Scan::all(LEAVES)).expect("reads").rows;
    assert!(rows.len() >= 50, "what was committed before the backup is in it");
    assert_eq!(copied.rows, rows.len() as u64 + 1);
    // No batch is there in part: the head names the last leaf.
    let head = copy.read(HEADS, b"log").expect("reads").expect("is there");
    assert_eq!(rows.last().expect("rows").key, head);
    assert_eq!(rows[7].content.bytes(), None, "an erased leaf stays erased");
    assert!(matches!(sqlite::restore(&out, &restored, TABLES), Err(sqlite::RestoreError::LocalExists)));
}

#[test]
fn a_damaged_backup_is_not_restored() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = open(&folder.path().join("journal.sqlite"));
    engine.commit(leaf(1)).wait().expect("commits");
    let out = folder.path().join("backup.sqlite");
    engine.backup(&out).expect("copies");
    rot(&out, "UPDATE heads SET value = x'00000002'");
    let target = folder.path().join("restored.sqlite");
    match sqlite::restore(&out, &target, TABLES) {
        Err(sqlite::RestoreError::EnvironmentRead(ReadError::EnvironmentDamaged(damage))) => {
            assert_eq!(damage.to_string(), "heads/6c6f67");
        }
        other => panic!("{other:?}"),
    }
    assert!(!target.exists());
}

#[test]
fn foreign_later_and_unknown_files_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let try_open = |path: &Path| SqliteEngine::open(path, TABLES, SqliteOptions::default());

    let foreign = folder.path().join("foreign.sqlite");
    rusqlite::Connection::open(&foreign).expect("opens").execute_batch("CREATE TABLE t(x)").expect("makes");
    assert!(matches!(try_open(&foreign), Err(OpenError::LocalForeignFile)));

    let text = folder.path().join("text");
    std::fs::write(&text, "this is not a database, whatever its name may say. ".repeat(40)).expect("writes");
    assert!(matches!(try_open(&text), Err(OpenError::EnvironmentFile { .. })));

    let ours = folder.path().join("ours.sqlite");
    drop(open(&ours));
    let connection = rusqlite::Connection::open(&ours).expect("opens");
    connection.execute_batch("CREATE TABLE later(x)").expect("makes");
    assert!(matches!(try_open(&ours), Err(OpenError::LocalUnknownTable(name)) if name == "later"));
    connection.execute_batch("DROP TABLE later; PRAGMA user_version = 2").expect("makes");
    assert!(matches!(try_open(&ours), Err(OpenError::LocalLaterVersion(2))));
}
