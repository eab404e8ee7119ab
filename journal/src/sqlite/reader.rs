//! Reading: a few connections, taken in turn, each row verified.

use super::connection::{Opener, code_of};
use crate::engine::{ScrubCursor, ScrubStep};
use crate::error::ReadError;
use crate::row::{self, Content, Row};
use crate::scan::{Direction, PAGE_BYTES_MAX, PAGE_ROWS_MAX, Page, Scan};
use crate::table::Table;
use rusqlite::{Connection, ErrorCode, OptionalExtension, params};
use std::sync::{Condvar, Mutex, PoisonError};

/// Connections for reading, opened when first needed. More readers than this take turns.
const READERS_MAX: usize = 4;

#[derive(Default)]
struct Pool {
    idle: Vec<Connection>,
    open_count: usize,
}

pub(super) struct Readers {
    opener: Opener,
    pool: Mutex<Pool>,
    returned: Condvar,
}

/// A row as stored: key, value, checksum.
type Stored = (Vec<u8>, Option<Vec<u8>>, Vec<u8>);

impl Readers {
    pub(super) fn new(opener: Opener) -> Self {
        Self { opener, pool: Mutex::default(), returned: Condvar::new() }
    }

    pub(super) fn read_row(&self, table: Table, key: &[u8]) -> Result<Option<Content>, ReadError> {
        self.known(table)?;
        let sql = format!("SELECT value, checksum FROM {} WHERE key = ?1", table.name());
        let found = self.with(table, |connection| {
            connection
                .prepare_cached(&sql)?
                .query_row(params![key], |row| Ok((row.get(0)?, row.get::<_, Vec<u8>>(1)?)))
                .optional()
        })?;
        found
            .map(|(value, check)| row::verify(table, key, value, &check))
            .transpose()
            .map_err(ReadError::EnvironmentDamaged)
    }

    pub(super) fn scan(&self, scan: &Scan) -> Result<Page, ReadError> {
        self.known(scan.table)?;
        let (stored, more) = self.stored(scan)?;
        let verified = stored.into_iter().map(|(key, value, check)| {
            row::verify(scan.table, &key, value, &check).map(|content| Row { key, content })
        });
        let rows = verified.collect::<Result<_, _>>().map_err(ReadError::EnvironmentDamaged)?;
        Ok(Page { rows, more })
    }

    pub(super) fn scrub(&self, cursor: ScrubCursor, rows_max: usize) -> Result<ScrubStep, ReadError> {
        let tables = self.opener.tables();
        let Some(table) = tables.get(cursor.table_index).copied() else {
            return Ok(ScrubStep { rows: 0, damaged: Vec::new(), corrupt: None, next: None });
        };
        let scan = Scan { from: cursor.from.clone(), ..Scan::all(table) }.limit(rows_max.max(1));
        let (stored, more) = self.stored(&scan)?;
        let last = stored.last().map(|(key, ..)| key.clone()).filter(|_| more);
        let corrupt = if more || self.structure_is_sound(table)? { None } else { Some(table) };
        let rows = stored.len();
        let damaged = stored
            .into_iter()
            .filter_map(|(key, value, check)| row::verify(table, &key, value, &check).err())
            .collect();
        Ok(ScrubStep { rows, damaged, corrupt, next: cursor.next(last, tables.len()) })
    }

    /// Whether every byte of the table's pages is accounted for. A damaged page may hide rows, and
    /// a row that is not found has no checksum that could fail.
    fn structure_is_sound(&self, table: Table) -> Result<bool, ReadError> {
        let sql = format!("PRAGMA quick_check({})", table.name());
        let verdict =
            self.with(table, |connection| connection.query_row(&sql, [], |row| row.get::<_, String>(0)));
        match verdict {
            Ok(verdict) => Ok(verdict == "ok"),
            Err(ReadError::EnvironmentCorrupt { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Runs `read` on a connection of the pool, and gives it back.
    pub(super) fn with<T>(
        &self,
        table: Table,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, ReadError> {
        let connection = self.take().map_err(|error| read_error(table, &error))?;
        let answer = read(&connection);
        self.pool.lock().unwrap_or_else(PoisonError::into_inner).idle.push(connection);
        self.returned.notify_one();
        answer.map_err(|error| read_error(table, &error))
    }

    fn take(&self) -> rusqlite::Result<Connection> {
        let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(connection) = pool.idle.pop() {
                return Ok(connection);
            }
            if pool.open_count < READERS_MAX {
                let connection = self.opener.reader()?;
                pool.open_count += 1;
                return Ok(connection);
            }
            pool = self.returned.wait(pool).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The rows of one page as they are stored, unverified.
    fn stored(&self, scan: &Scan) -> Result<(Vec<Stored>, bool), ReadError> {
        let order = match scan.direction {
            Direction::Ascending => "ASC",
            Direction::Descending => "DESC",
        };
        let (end, limit) = (scan.to.as_ref().map_or("", |_| "AND key < ?2"), scan.limit.min(PAGE_ROWS_MAX));
        let sql = format!(
            "SELECT key, value, checksum FROM {} WHERE key >= ?1 {end} ORDER BY key {order}",
            scan.table.name()
        );
        self.with(scan.table, |connection| {
            let mut statement = connection.prepare_cached(&sql)?;
            let mut found = match &scan.to {
                Some(to) => statement.query(params![scan.from, to])?,
                None => statement.query(params![scan.from])?,
            };
            let (mut rows, mut bytes): (Vec<Stored>, usize) = (Vec::new(), 0);
            while let Some(row) = found.next()? {
                if rows.len() >= limit || bytes >= PAGE_BYTES_MAX {
                    return Ok((rows, true));
                }
                let stored: Stored = (row.get(0)?, row.get(1)?, row.get(2)?);
                bytes += stored.0.len() + stored.1.as_ref().map_or(0, Vec::len);
                rows.push(stored);
            }
            Ok((rows, false))
        })
    }

    fn known(&self, table: Table) -> Result<(), ReadError> {
        self.opener.tables().contains(&table).then_some(()).ok_or(ReadError::LocalUnknownTable(table))
    }
}

fn read_error(table: Table, error: &rusqlite::Error) -> ReadError {
    let code = code_of(error);
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            ReadError::EnvironmentCorrupt { table, code }
        }
        Some(_) => ReadError::EnvironmentIo { code },
        // A column of another type than the schema's: the bytes are not those that were written.
        None => ReadError::EnvironmentCorrupt { table, code },
    }
}
