//! The list of peers: who may open a link, and where each can be dialled.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use tokio::task::AbortHandle;

use crate::inbox::Sources;
use crate::key::LinkKey;
use crate::path::PathKind;
use crate::slot::Slot;
use crate::tls::AllowList;

/// Peers an endpoint can have: each has budgets of memory of its own.
pub const PEERS_MAX: usize = 256;
/// Addresses of one peer that are dialled, in turn; more are passed over.
pub const ADDRESSES_MAX: usize = 16;

/// A peer, as its credential and endpoint notice give it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerLink {
    /// The Ed25519 key it must prove.
    pub key: LinkKey,
    /// Where to dial it: `host:port`, names or numbers, tried in turn over both QUIC and TCP.
    /// Empty: this node only waits for the peer to dial.
    pub addresses: Vec<String>,
}

/// A peer with its slots and the tasks that dial it.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) slots: Vec<Arc<Slot>>,
    addresses: Mutex<Vec<String>>,
    /// Addresses that names of this peer stood for when last dialled.
    resolved: Mutex<Vec<IpAddr>>,
    pub(crate) dialling: Mutex<Vec<AbortHandle>>,
}

impl Peer {
    pub(crate) fn slot(&self, kind: PathKind) -> Option<Arc<Slot>> {
        self.slots.iter().find(|slot| crate::path::Path::kind(slot.as_ref()) == kind).cloned()
    }

    pub(crate) fn addresses(&self) -> Vec<String> {
        self.addresses.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Remembers what `addresses` stand for, so that the peer is known when it dials from there.
    pub(crate) fn resolved(&self, addresses: &[SocketAddr]) {
        let mut resolved = self.resolved.lock().unwrap_or_else(PoisonError::into_inner);
        for address in addresses {
            if resolved.len() < ADDRESSES_MAX && !resolved.contains(&address.ip()) {
                resolved.push(address.ip());
            }
        }
    }

    fn set_addresses(&self, mut addresses: Vec<String>) {
        addresses.truncate(ADDRESSES_MAX);
        let literal = addresses.iter().filter_map(|address| address.parse::<SocketAddr>().ok());
        *self.resolved.lock().unwrap_or_else(PoisonError::into_inner) = literal.map(|a| a.ip()).collect();
        *self.addresses.lock().unwrap_or_else(PoisonError::into_inner) = addresses;
    }

    /// Ends its links and its dialling.
    pub(crate) fn remove(&self) {
        for task in self.dialling.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            task.abort();
        }
        for slot in &self.slots {
            slot.remove();
        }
    }
}

/// All peers of an endpoint.
#[derive(Debug)]
pub(crate) struct Peers {
    own: LinkKey,
    run: [u8; 8],
    kinds: Vec<PathKind>,
    sources: Sources,
    table: RwLock<BTreeMap<LinkKey, Arc<Peer>>>,
    pub(crate) unknown_keys: AtomicU64,
}

/// What a new list of peers changed.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    pub(crate) new: Vec<Arc<Peer>>,
    pub(crate) gone: Vec<Arc<Peer>>,
}

/// More peers than [`PEERS_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManyPeers;

impl std::fmt::Display for TooManyPeers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "an endpoint has at most {PEERS_MAX} peers")
    }
}

impl std::error::Error for TooManyPeers {}

impl Peers {
    pub(crate) fn new(own: LinkKey, run: [u8; 8], kinds: Vec<PathKind>, sources: Sources) -> Self {
        let (table, unknown_keys) = (RwLock::default(), AtomicU64::new(0));
        Self { own, run, kinds, sources, table, unknown_keys }
    }

    /// Makes the list `wanted`; answers with the peers that are new and those that are gone.
    /// This node's own key is passed over; of two entries with one key the last counts.
    pub(crate) fn set(&self, wanted: Vec<PeerLink>) -> Result<Changes, TooManyPeers> {
        let mut wanted: BTreeMap<_, _> = wanted.into_iter().map(|peer| (peer.key, peer.addresses)).collect();
        wanted.remove(&self.own);
        if wanted.len() > PEERS_MAX {
            return Err(TooManyPeers);
        }
        let mut table = self.write();
        let gone: Vec<_> =
            table.extract_if(.., |key, _| !wanted.contains_key(key)).map(|(_, peer)| peer).collect();
        let mut new = Vec::new();
        for (key, addresses) in wanted {
            let peer = table.entry(key).or_insert_with(|| {
                let peer = Arc::new(self.peer(key));
                new.push(peer.clone());
                peer
            });
            if peer.addresses() != addresses {
                peer.set_addresses(addresses);
                peer.slots.iter().for_each(|slot| slot.nudge.notify_one());
            }
        }
        Ok(Changes { new, gone })
    }

    fn peer(&self, key: LinkKey) -> Peer {
        let slot = |&kind: &PathKind| {
            Arc::new(Slot::new(kind, key, self.own, self.run, self.sources.source(key, kind)))
        };
        Peer {
            slots: self.kinds.iter().map(slot).collect(),
            addresses: Mutex::default(),
            resolved: Mutex::default(),
            dialling: Mutex::default(),
        }
    }

    pub(crate) fn find(&self, key: &LinkKey) -> Option<Arc<Peer>> {
        self.read().get(key).cloned()
    }

    pub(crate) fn all(&self) -> Vec<Arc<Peer>> {
        self.read().values().cloned().collect()
    }

    /// Whether a peer can be dialled at `address`, so that it may well dial from there.
    pub(crate) fn knows_address(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.read()
            .values()
            .any(|peer| peer.resolved.lock().unwrap_or_else(PoisonError::into_inner).contains(&address))
    }

    fn read(&self) -> RwLockReadGuard<'_, BTreeMap<LinkKey, Arc<Peer>>> {
        self.table.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, BTreeMap<LinkKey, Arc<Peer>>> {
        self.table.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AllowList for Peers {
    fn allows(&self, key: &LinkKey) -> bool {
        let known = self.read().contains_key(key);
        if !known {
            self.unknown_keys.fetch_add(1, Ordering::Relaxed);
        }
        known
    }
}
