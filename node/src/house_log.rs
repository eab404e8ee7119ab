//! The house log: a party's own transparency log of people, roles, drafts, releases and refusals.
//!
//! One log across runs, mirrored by nobody. Each KEM announcement names its root, so that nobody
//! in the house can rewrite it unseen. A leaf is 16 random bytes and `cbor([moment, what, about])`.

use detente_crypto::{Hash, sha256};
use detente_encoding::Timestamp;
use detente_encoding::cbor::{self, Value};
use detente_journal::{Batch, Engine, Scan};
use detente_transparency::{Edge, leaf_hash};

use crate::folder::secrets::random;
use crate::store::{HOUSE, NODE, Store, StoreError};

const EDGE: &[u8] = b"house/edge";

/// The house log as its one writer has it.
#[derive(Debug)]
pub struct HouseLog {
    edge: Edge,
}

/// One line of the house log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HouseEntry {
    /// Position from 0.
    pub index: u64,
    /// When it was written.
    pub at: Timestamp,
    /// What happened: `officer`, `roster`, `credential`, `peer`, `channel`, `release`, `refusal`.
    pub what: String,
    /// About whom or what, in words.
    pub about: String,
}

impl HouseLog {
    /// Opens it as the store has it.
    ///
    /// # Errors
    /// [`StoreError`]; a damaged edge is never written over.
    pub fn open(store: &Store) -> Result<Self, StoreError> {
        let edge = match store.engine().read(NODE, EDGE)? {
            Some(bytes) => {
                Edge::from_bytes(&bytes).map_err(|_| StoreError::EnvironmentRow("the house log"))?
            }
            None => Edge::new(),
        };
        Ok(Self { edge })
    }

    /// Adds a line to `batch`; it is durable with it.
    ///
    /// # Errors
    /// [`StoreError::EnvironmentFile`] when there is no randomness for its salt.
    pub fn add(
        &mut self,
        batch: &mut Batch,
        at: Timestamp,
        what: &str,
        about: &str,
    ) -> Result<(), StoreError> {
        let salt: [u8; 16] = random()?;
        let value = Value::Array(vec![Value::from(at.millis()), Value::text(what), Value::text(about)]);
        let leaf = [&salt[..], &cbor::encode(&value)].concat();
        batch.put_leaf(HOUSE, &self.edge.size().to_be_bytes(), &leaf);
        self.edge.append(leaf_hash(&leaf));
        batch.put(NODE, EDGE, &self.edge.to_bytes());
        Ok(())
    }

    /// The root as others may see it: salted, so that it says nothing about how busy a house is.
    ///
    /// # Errors
    /// [`StoreError::EnvironmentFile`] when there is no randomness.
    pub fn announced_root(&self) -> Result<Hash, StoreError> {
        let salt: [u8; 16] = random()?;
        Ok(sha256(&[b"detente/1/house\0", &salt, &self.edge.root().0]))
    }

    /// Lines from `from` on.
    ///
    /// # Errors
    /// [`StoreError::EnvironmentRead`].
    pub fn lines(store: &Store, from: u64, limit: usize) -> Result<Vec<HouseEntry>, StoreError> {
        let scan = Scan { from: from.to_be_bytes().to_vec(), ..Scan::all(HOUSE) }.limit(limit);
        let page = store.engine().scan(&scan)?;
        let read = |row: &detente_journal::Row| {
            let value = cbor::decode(row.content.bytes()?.get(16..)?).ok()?;
            let [at, what, about] = value.as_array()? else { return None };
            Some(HouseEntry {
                index: u64::from_be_bytes(row.key.as_slice().try_into().ok()?),
                at: Timestamp::from_millis(at.as_i64()?),
                what: what.as_text()?.to_owned(),
                about: about.as_text()?.to_owned(),
            })
        };
        Ok(page.rows.iter().filter_map(read).collect())
    }
}
