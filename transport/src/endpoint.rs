//! The endpoint: this node's one address for links, over UDP and TCP, and its peers.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};

use crate::admission::{AcceptFrom, Admission};
use crate::context::{Context, Tasks};
use crate::inbox::{Inbox, Sources, inbox};
use crate::key::{LinkKey, LinkSecret};
use crate::path::{Outgoing, Path, PathKind, PathState, SendError, Urgency};
use crate::peers::{Changes, Peer, PeerLink, Peers, TooManyPeers};
use crate::{accept, dial, quic, tcp, tls};

/// With port 0, how often a port is sought that is free for both UDP and TCP.
const PORT_ATTEMPTS_MAX: usize = 16;
/// How long a farewell may take.
const CLOSE_MAX: Duration = Duration::from_secs(1);
/// How long the library takes to let go of the UDP socket.
const SOCKET_FREE_AFTER: Duration = Duration::from_millis(10);

/// What an endpoint is made of.
#[derive(Clone, Debug)]
pub struct EndpointConfig {
    /// The address for both UDP and TCP. Port 0 takes any port that is free for both.
    pub listen: SocketAddr,
    /// This node's link key.
    pub secret: LinkSecret,
    /// Which kinds of link to use: QUIC, TCP, or both (usual).
    pub kinds: Vec<PathKind>,
    /// Who may try to open a link.
    pub accept_from: AcceptFrom,
}

impl EndpointConfig {
    /// Both kinds, from anywhere.
    pub fn new(listen: SocketAddr, secret: LinkSecret) -> Self {
        Self { listen, secret, kinds: vec![PathKind::Quic, PathKind::Tcp], accept_from: AcceptFrom::Anywhere }
    }
}

/// Why an endpoint could not be made.
#[derive(Debug)]
#[non_exhaustive]
pub enum BindError {
    /// The address cannot be bound: in use, not of this machine, or not permitted.
    EnvironmentAddress(io::Error),
    /// The system gives no randomness.
    EnvironmentRandomness,
    /// A kind that is neither QUIC nor TCP, or none at all.
    LocalKinds,
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EnvironmentAddress(error) => write!(f, "the address for links cannot be bound: {error}"),
            Self::EnvironmentRandomness => f.write_str("the system gives no randomness"),
            Self::LocalKinds => f.write_str("an endpoint has links over QUIC, over TCP, or over both"),
        }
    }
}

impl std::error::Error for BindError {}

/// One path as [`Endpoint::status`] lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathStatus {
    /// The peer at its other end.
    pub peer: LinkKey,
    /// Which of the paths to it.
    pub kind: PathKind,
    /// How it is.
    pub state: PathState,
}

/// What was refused since the endpoint was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Refusals {
    /// Clients that presented a key that is not on the list.
    pub unknown_keys: u64,
    /// Handshakes that failed or took too long, those with unknown keys among them.
    pub handshakes: u64,
    /// Connections for which there was no place.
    pub capacity: u64,
}

/// Links to all peers. Cloning gives another handle; with the last one all links end.
#[derive(Clone, Debug)]
pub struct Endpoint {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    context: Arc<Context>,
    sources: Sources,
    local: SocketAddr,
}

impl Endpoint {
    /// Listens, with no peers yet. All reports of all paths come out of the [`Inbox`].
    /// Must be called within a Tokio runtime.
    ///
    /// # Errors
    /// [`BindError`]; nothing is then left open.
    pub fn bind(config: EndpointConfig) -> Result<(Self, Inbox), BindError> {
        let supported = |kind: &PathKind| matches!(kind, PathKind::Quic | PathKind::Tcp);
        if config.kinds.is_empty() || !config.kinds.iter().all(supported) {
            return Err(BindError::LocalKinds);
        }
        let mut run = [0; 8];
        aws_lc_rs::rand::fill(&mut run).map_err(|_| BindError::EnvironmentRandomness)?;
        let mut kinds = config.kinds.clone();
        kinds.sort();
        kinds.dedup();
        let (sources, reports) = inbox();
        let peers = Arc::new(Peers::new(config.secret.public(), run, kinds, sources.clone()));
        let server = tls::server_config(&config.secret, peers.clone());
        let sockets = Sockets::bind(&config, &server).map_err(BindError::EnvironmentAddress)?;
        let context = Arc::new(Context {
            secret: config.secret,
            peers,
            admission: Admission::new(config.accept_from),
            udp: sockets.udp.clone(),
            tasks: Tasks::default(),
            refused_handshakes: AtomicU64::new(0),
            refused_capacity: AtomicU64::new(0),
        });
        if let Some(udp) = sockets.udp {
            context.tasks.spawn(accept::quic(context.clone(), udp));
        }
        if let Some(listener) = sockets.tcp {
            context.tasks.spawn(accept::tcp(context.clone(), listener, server));
        }
        Ok((Self { inner: Arc::new(Inner { context, sources, local: sockets.local }) }, reports))
    }

    /// The address that is listened on, with its port.
    pub fn local_addr(&self) -> SocketAddr {
        self.inner.local
    }

    /// Makes `peers` the list of those that may have links. Links to peers no longer listed end
    /// now; new ones are dialled now; all others stay as they are. This node's own key is passed over.
    ///
    /// # Errors
    /// [`TooManyPeers`]; the list is then as it was.
    pub fn set_peers(&self, peers: Vec<PeerLink>) -> Result<(), TooManyPeers> {
        let context = &self.inner.context;
        let Changes { new, gone } = context.peers.set(peers)?;
        gone.iter().for_each(|peer| peer.remove());
        new.iter().for_each(|peer| dial_from_now(context, peer));
        Ok(())
    }

    /// Dials at once whatever is down, without waiting for the pause between attempts to pass: for
    /// when the network has come back, or a person asks.
    pub fn nudge(&self) {
        for peer in self.inner.context.peers.all() {
            peer.slots.iter().for_each(|slot| slot.nudge.notify_one());
        }
    }

    /// The paths to a peer, best first. Empty for a peer that is not listed.
    pub fn paths(&self, peer: &LinkKey) -> Vec<Arc<dyn Path>> {
        let slots = self.inner.context.peers.find(peer).map(|peer| peer.slots.clone()).unwrap_or_default();
        slots.into_iter().map(|slot| slot as Arc<dyn Path>).collect()
    }

    /// Queues a frame on the best path that is up, and says which. An emergency frame for which
    /// that path has no room goes to the next; an ordinary one does not, since the path that is
    /// full is the one that is moving.
    ///
    /// # Errors
    /// [`SendError`] of the best path that is up; the frame is then queued nowhere.
    pub fn send(&self, peer: &LinkKey, outgoing: Outgoing) -> Result<PathKind, SendError> {
        let mut refusal = SendError::EnvironmentDown;
        for path in self.paths(peer) {
            match path.try_send(outgoing.clone()) {
                Ok(()) => return Ok(path.kind()),
                Err(SendError::EnvironmentDown) => {}
                Err(SendError::EnvironmentFull) if outgoing.urgency == Urgency::Emergency => {
                    refusal = SendError::EnvironmentFull;
                }
                Err(error) => return Err(error),
            }
        }
        Err(refusal)
    }

    /// How every path is now.
    pub fn status(&self) -> Vec<PathStatus> {
        let slots = self.inner.context.peers.all().into_iter().flat_map(|peer| peer.slots.clone());
        slots.map(|slot| PathStatus { peer: slot.peer(), kind: slot.kind(), state: slot.state() }).collect()
    }

    /// What was refused so far.
    pub fn refusals(&self) -> Refusals {
        let context = &self.inner.context;
        Refusals {
            unknown_keys: context.peers.unknown_keys.load(Ordering::Relaxed),
            handshakes: context.refused_handshakes.load(Ordering::Relaxed),
            capacity: context.refused_capacity.load(Ordering::Relaxed),
        }
    }

    /// A source for a path of another kind, so that its reports come out of the same inbox.
    pub fn sources(&self) -> Sources {
        self.inner.sources.clone()
    }

    /// Takes leave of all peers and ends everything, within about a second.
    pub async fn close(self) {
        let context = &self.inner.context;
        let Changes { gone, .. } = context.peers.set(Vec::new()).unwrap_or_default();
        gone.iter().for_each(|peer| peer.remove());
        // The links say farewell by themselves; this only gives them the time.
        let farewell = gone.iter().flat_map(|peer| &peer.slots).map(|slot| slot.until_down());
        let all = async {
            for one in farewell {
                one.await;
            }
        };
        let _ = timeout(CLOSE_MAX, all).await;
        context.tasks.shutdown().await;
        if let Some(udp) = &context.udp {
            udp.close(quinn::VarInt::from_u32(0), b"");
            let _ = timeout(CLOSE_MAX, udp.wait_idle()).await;
        }
        drop(self);
        // The UDP socket belongs to a task of the library, which ends after its last handle is gone.
        sleep(SOCKET_FREE_AFTER).await;
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.context.tasks.abort_all();
        if let Some(udp) = &self.context.udp {
            udp.close(quinn::VarInt::from_u32(0), b"");
        }
    }
}

fn dial_from_now(context: &Arc<Context>, peer: &Arc<Peer>) {
    for slot in &peer.slots {
        let task = context.tasks.spawn(dial::keep_up(context.clone(), peer.clone(), slot.clone()));
        peer.dialling.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(task);
    }
}

struct Sockets {
    udp: Option<quinn::Endpoint>,
    tcp: Option<TcpListener>,
    local: SocketAddr,
}

impl Sockets {
    fn bind(config: &EndpointConfig, server: &Arc<rustls::ServerConfig>) -> io::Result<Self> {
        let mut attempt = 1;
        loop {
            match Self::bind_once(config, server) {
                // The free port of one protocol may be taken in the other.
                Err(error) if error.kind() == io::ErrorKind::AddrInUse && config.listen.port() == 0 => {
                    if attempt == PORT_ATTEMPTS_MAX {
                        return Err(error);
                    }
                    attempt += 1;
                }
                outcome => return outcome,
            }
        }
    }

    fn bind_once(config: &EndpointConfig, server: &Arc<rustls::ServerConfig>) -> io::Result<Self> {
        let mut local = config.listen;
        let tcp = if config.kinds.contains(&PathKind::Tcp) {
            let listener = tcp::listen(local)?;
            local = listener.local_addr()?;
            Some(listener)
        } else {
            None
        };
        let udp = if config.kinds.contains(&PathKind::Quic) {
            let endpoint = quic::bind(local, &config.secret, server.clone())?;
            local = endpoint.local_addr()?;
            Some(endpoint)
        } else {
            None
        };
        Ok(Self { udp, tcp, local })
    }
}
