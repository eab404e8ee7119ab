//! Who may begin a handshake: a bounded number at a time, and strangers never in the way of peers.
//!
//! A handshake costs a millisecond of arithmetic and some kilobytes before the other side has
//! proved anything. Addresses at which a peer is dialled have places of their own; all others share
//! the rest, with a few for each network, so that one host that opens many and says nothing keeps
//! out only itself.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Handshakes at a time with addresses of peers.
pub const HANDSHAKES_KNOWN_MAX: usize = 64;
/// Handshakes at a time with all other addresses.
pub const HANDSHAKES_STRANGE_MAX: usize = 32;
/// Handshakes at a time with one other IPv4 address or IPv6 network (/64).
pub const HANDSHAKES_NETWORK_MAX: usize = 8;
/// From so many handshakes on, a QUIC client must prove its address first (RFC 9000, section 8.1.2).
pub const HANDSHAKES_UNPROVED_MAX: usize = 8;

/// Which addresses may open a link. The key decides in the end; this decides who may try.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AcceptFrom {
    /// Any: for peers behind changing addresses.
    #[default]
    Anywhere,
    /// Those at which a peer can be dialled. All others meet silence.
    PeerAddresses,
}

/// Counts the handshakes under way.
#[derive(Debug)]
pub(crate) struct Admission {
    from: AcceptFrom,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    known: usize,
    strange: usize,
    networks: BTreeMap<u128, usize>,
}

/// A handshake under way; gives its place back when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    admission: Arc<Admission>,
    /// `None`: one of those kept for peers.
    network: Option<u128>,
}

impl Admission {
    pub(crate) fn new(from: AcceptFrom) -> Arc<Self> {
        Arc::new(Self { from, counts: Mutex::default() })
    }

    /// Takes a place for `address`, if there is one. `known`: a peer is dialled there.
    pub(crate) fn enter(self: &Arc<Self>, address: IpAddr, known: bool) -> Option<Place> {
        let mut counts = self.lock();
        let network = if known {
            if counts.known == HANDSHAKES_KNOWN_MAX {
                return None;
            }
            counts.known += 1;
            None
        } else {
            let network = network(address);
            let there = counts.networks.get(&network).copied().unwrap_or(0);
            let full = counts.strange == HANDSHAKES_STRANGE_MAX || there == HANDSHAKES_NETWORK_MAX;
            if full || self.from == AcceptFrom::PeerAddresses {
                return None;
            }
            counts.strange += 1;
            counts.networks.insert(network, there + 1);
            Some(network)
        };
        drop(counts);
        Some(Place { admission: self.clone(), network })
    }

    /// Whether so much is under way that an address must be proved before it gets a place.
    pub(crate) fn is_busy(&self) -> bool {
        let counts = self.lock();
        counts.known + counts.strange >= HANDSHAKES_UNPROVED_MAX
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.admission.lock();
        let Some(network) = self.network else {
            counts.known -= 1;
            return;
        };
        counts.strange -= 1;
        if let Some(there) = counts.networks.get_mut(&network) {
            *there -= 1;
            if *there == 0 {
                counts.networks.remove(&network);
            }
        }
    }
}

/// An IPv4 address, or the first 64 bits of an IPv6 one.
fn network(address: IpAddr) -> u128 {
    match address.to_canonical() {
        IpAddr::V4(v4) => u128::from(v4.to_bits()),
        IpAddr::V6(v6) => v6.to_bits() & !u128::from(u64::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn one_network_cannot_take_all_places_and_gets_its_own_back() {
        let admission = Admission::new(AcceptFrom::Anywhere);
        let places: Vec<_> = (0..20).filter_map(|_| admission.enter(address(1), false)).collect();
        assert_eq!(places.len(), HANDSHAKES_NETWORK_MAX);
        assert!(admission.enter(address(2), false).is_some());
        drop(places);
        assert!(admission.enter(address(1), false).is_some());
        assert!(admission.lock().networks.is_empty());
    }

    #[test]
    fn strangers_never_take_the_places_of_peers() {
        let admission = Admission::new(AcceptFrom::Anywhere);
        let strangers: Vec<_> = (0..=255).filter_map(|last| admission.enter(address(last), false)).collect();
        assert_eq!(strangers.len(), HANDSHAKES_STRANGE_MAX);
        let peers: Vec<_> = (0..100).filter_map(|_| admission.enter(address(1), true)).collect();
        assert_eq!(peers.len(), HANDSHAKES_KNOWN_MAX);
        assert!(admission.is_busy());
    }

    #[test]
    fn where_only_peers_are_listened_to_strangers_have_no_place() {
        let admission = Admission::new(AcceptFrom::PeerAddresses);
        assert!(admission.enter(address(1), false).is_none());
        assert!(admission.enter(address(1), true).is_some());
    }

    #[test]
    fn neighbours_in_one_ipv6_network_share_its_places() {
        let admission = Admission::new(AcceptFrom::Anywhere);
        let host = |last: u16| IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, last]);
        let places: Vec<_> = (0..20).filter_map(|last| admission.enter(host(last), false)).collect();
        assert_eq!(places.len(), HANDSHAKES_NETWORK_MAX);
    }
}
