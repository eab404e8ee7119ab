//! Every engine passes the suite, on a disk that can be made to fail.

use detente_journal::conformance::{self, Harness, TABLES};
use detente_journal::powercut::{PowerCutDisk, RECORD_NAME, attach};
use detente_journal::sqlite::SqliteEngine;
use detente_journal::{Engine, MemoryEngine, Table};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

struct Memory(Arc<MemoryEngine>);

impl Harness for Memory {
    fn fresh(&mut self) -> Arc<dyn Engine> {
        self.0 = Arc::new(MemoryEngine::new(TABLES));
        Arc::clone(&self.0) as _
    }

    fn restart(&mut self, engine: Arc<dyn Engine>) -> Arc<dyn Engine> {
        drop(engine);
        self.0 = Arc::new(self.0.power_cut(0));
        Arc::clone(&self.0) as _
    }

    fn settle(&self) {
        self.0.sync();
    }

    fn set_free_bytes(&self, bytes: u64) {
        self.0.set_free_bytes(bytes);
    }

    fn fail_next_sync(&self) {
        self.0.fail_next_sync();
    }

    fn rot(&self, table: Table, key: &[u8]) {
        assert!(self.0.danger_flip_bit(table, key, 0));
    }
}

#[test]
fn the_reference_engine_keeps_every_promise() {
    conformance::run(&mut Memory(Arc::new(MemoryEngine::new(TABLES))));
}

/// SQLite on a disk in memory whose syncs, room and bits are the test's.
struct Sqlite {
    disk: PowerCutDisk,
    free: Arc<AtomicU64>,
    mount: Option<detente_powercut_shim::Mount>,
}

impl Sqlite {
    fn open(&mut self) -> Arc<dyn Engine> {
        let (mount, path, mut options) = attach(&self.disk);
        let free = Arc::clone(&self.free);
        options.free_bytes = Some(Arc::new(move || Ok(free.load(Ordering::SeqCst))));
        self.mount = Some(mount);
        Arc::new(SqliteEngine::open(&path, TABLES, options).expect("opens"))
    }
}

impl Harness for Sqlite {
    fn fresh(&mut self) -> Arc<dyn Engine> {
        self.disk = PowerCutDisk::new();
        self.free.store(1 << 40, Ordering::SeqCst);
        self.open()
    }

    fn restart(&mut self, engine: Arc<dyn Engine>) -> Arc<dyn Engine> {
        drop(engine);
        self.disk = self.disk.survivor(7);
        self.open()
    }

    fn settle(&self) {}

    fn set_free_bytes(&self, bytes: u64) {
        self.free.store(bytes, Ordering::SeqCst);
    }

    fn fail_next_sync(&self) {
        self.disk.fail_next_sync();
    }

    fn rot(&self, table: Table, key: &[u8]) {
        // A cell of a WITHOUT ROWID table holds key, value and check one after the other.
        let value: &[u8] = if table.name() == "leaves" { b"stored leaf data" } else { b"stored plain data" };
        let cell = [key, value].concat();
        let content = self.disk.content(RECORD_NAME).expect("the record is there");
        let at =
            content.windows(cell.len()).rposition(|bytes| bytes == cell).expect("the row is in the file");
        assert!(self.disk.flip_bit(RECORD_NAME, at + key.len(), 0));
    }
}

#[test]
fn the_sqlite_engine_keeps_every_promise() {
    let free = Arc::new(AtomicU64::new(1 << 40));
    conformance::run(&mut Sqlite { disk: PowerCutDisk::new(), free, mount: None });
}
