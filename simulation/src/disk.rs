//! A disk that keeps what was synced and loses the rest.
//!
//! Batches become durable whole and in order, some at a time, as the engine's group commits do.
//! A crash keeps the synced ones and, of the group under way, all or nothing. The disk also sees
//! what a node never may do: write another value over a leaf or a line.

use std::collections::{BTreeMap, VecDeque};

use detente_encoding::cbor;
use detente_protocol::channel::{LEAVES, LINES, LOGS, Record, RecordError, Row, Ticket};
use detente_protocol::names::{Generation, Lane, LogKey, PartyId, Run};

/// The record of one simulated node.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk {
    durable: BTreeMap<(u8, Vec<u8>), Vec<u8>>,
    waiting: VecDeque<(Ticket, Vec<Row>)>,
    /// What the keys of a log's rows begin with.
    prefixes: BTreeMap<LogKey, Vec<u8>>,
    /// Leaves held under each prefix: leaves are dense, so this is the size.
    leaves: BTreeMap<Vec<u8>, u64>,
    /// A leaf or line was overwritten by another value.
    pub(crate) overwritten: bool,
}

impl Disk {
    /// Takes a batch; it is durable after a sync.
    pub(crate) fn commit(&mut self, ticket: Ticket, rows: Vec<Row>) {
        self.waiting.push_back((ticket, rows));
    }

    pub(crate) fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Makes everything waiting durable; answers the tickets in order.
    pub(crate) fn sync(&mut self) -> Vec<Ticket> {
        let batches = std::mem::take(&mut self.waiting);
        let mut tickets = Vec::with_capacity(batches.len());
        for (ticket, rows) in batches {
            for row in rows {
                self.put(row);
            }
            tickets.push(ticket);
        }
        tickets
    }

    fn put(&mut self, Row { table, key, value }: Row) {
        if table == LOGS && !self.durable.contains_key(&(table, key.clone())) {
            let log = read_log(&value).expect("the channel reads these rows itself");
            self.prefixes.insert(log, key.clone());
        }
        if table == LEAVES || table == LINES {
            match self.durable.get(&(table, key.clone())) {
                Some(before) => self.overwritten |= *before != value,
                None if table == LEAVES => *self.leaves.entry(key[..8].to_vec()).or_default() += 1,
                None => {}
            }
        }
        self.durable.insert((table, key), value);
    }

    /// The power goes: what waits is lost, or, if the group had reached the disk, kept unseen.
    pub(crate) fn power_cut(&mut self, group_reached_the_disk: bool) {
        if group_reached_the_disk {
            self.sync();
        }
        self.waiting.clear();
    }

    /// Durable leaves of a log.
    pub(crate) fn size(&self, log: &LogKey) -> u64 {
        self.prefixes.get(log).and_then(|prefix| self.leaves.get(prefix)).copied().unwrap_or(0)
    }

    /// All logs with durable rows.
    pub(crate) fn logs(&self) -> impl Iterator<Item = (&LogKey, u64)> {
        self.prefixes.iter().map(|(log, prefix)| (log, self.leaves.get(prefix).copied().unwrap_or(0)))
    }

    /// The first `size` leaves of a log.
    pub(crate) fn leaves(&self, log: &LogKey, size: u64) -> Vec<Vec<u8>> {
        let Some(prefix) = self.prefixes.get(log) else { return Vec::new() };
        let at = |index: u64| (LEAVES, [&prefix[..], &index.to_be_bytes()].concat());
        self.durable.range(at(0)..at(size)).map(|(_, value)| value.clone()).collect()
    }
}

fn read_log(row: &[u8]) -> Option<LogKey> {
    let value = cbor::decode(row).ok()?;
    let [party, lane, number, run, ..] = value.as_array()? else { return None };
    Some(LogKey {
        party: PartyId(party.as_bytes()?.try_into().ok()?),
        lane: Lane::from_number(lane.as_u64()?)?,
        generation: Generation {
            number: u32::try_from(number.as_u64()?).ok()?,
            run: Run(run.as_bytes()?.try_into().ok()?),
        },
    })
}

impl Record for Disk {
    fn read(&self, table: u8, key: &[u8]) -> Result<Option<Vec<u8>>, RecordError> {
        Ok(self.durable.get(&(table, key.to_vec())).cloned())
    }

    fn scan(
        &self,
        table: u8,
        from: &[u8],
        to: &[u8],
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Vec<u8>)>, RecordError> {
        if from >= to {
            return Ok(Vec::new());
        }
        let range = self.durable.range((table, from.to_vec())..(table, to.to_vec()));
        Ok(range.take(limit).map(|((_, key), value)| (key.clone(), value.clone())).collect())
    }
}
