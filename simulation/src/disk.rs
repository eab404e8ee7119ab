//! A disk that keeps what was synced and loses the rest.
//!
//! Batches become durable whole and in order, some at a time, as the engine's group commits do.
//! A crash keeps the synced ones and, of the group under way, all or nothing.

use std::collections::{BTreeMap, VecDeque};

use detente_protocol::channel::{Record, RecordError, Row, Ticket};

/// The record of one simulated node.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk {
    durable: BTreeMap<(u8, Vec<u8>), Vec<u8>>,
    waiting: VecDeque<(Ticket, Vec<Row>)>,
    pub(crate) syncs: u64,
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
        self.syncs += 1;
        let batches = std::mem::take(&mut self.waiting);
        let mut tickets = Vec::with_capacity(batches.len());
        for (ticket, rows) in batches {
            for row in rows {
                self.durable.insert((row.table, row.key), row.value);
            }
            tickets.push(ticket);
        }
        tickets
    }

    /// The power goes: what waits is lost, or, if the group had reached the disk, kept unseen.
    pub(crate) fn power_cut(&mut self, group_reached_the_disk: bool) {
        if group_reached_the_disk {
            self.sync();
        }
        self.waiting.clear();
    }
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

impl Disk {
    /// How many durable rows a range has.
    pub(crate) fn count(&self, table: u8, from: &[u8], to: &[u8]) -> u64 {
        self.durable.range((table, from.to_vec())..(table, to.to_vec())).count() as u64
    }
}
