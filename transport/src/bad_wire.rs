//! A bad wire for tests: a proxy for TCP and UDP on one loopback port that delays, loses, slows and cuts.
//!
//! Only tests use it (feature `bad-wire`). What it does is drawn from a seed; when it does it is up to
//! the system's clock and scheduler, so a run is alike, not identical, from one time to the next.
//!
//! TCP bytes are delayed and slowed in order, never lost: the system would send them again. UDP
//! packets are lost and delayed one by one, and so change their order. A cut wire swallows all and
//! answers nothing, as a line does from which somebody pulled the plug: connections through it stay
//! open and silent, and new ones get no further than this proxy.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpSocket, TcpStream, UdpSocket};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

/// Pieces of TCP data under way in one direction; more hold up the sender.
const UNDER_WAY_MAX: usize = 32;
/// Socket buffers of the proxy: what is in them has left the sender and cannot be overtaken.
const SOCKET_BUFFER_BYTES: u32 = 32 << 10;
/// UDP clients that one wire serves.
const CLIENTS_MAX: usize = 64;
/// Largest UDP packet.
const PACKET_BYTES_MAX: usize = 65_535;

/// How bad a wire is; the default is a perfect one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Badness {
    /// One way.
    pub delay: Duration,
    /// Up to so much more for each piece, drawn evenly.
    pub jitter: Duration,
    /// Of 1,000 UDP packets, so many are lost.
    pub loss_per_mille: u16,
    /// Bytes a second in each direction of each connection; 0: unlimited.
    pub bytes_per_s: u64,
    /// Nothing passes.
    pub cut: bool,
}

/// A proxy in front of one address. Dropping it ends all that goes through it.
#[derive(Debug)]
pub struct BadWire {
    local: SocketAddr,
    badness: watch::Sender<Badness>,
    _tasks: JoinSet<()>,
}

#[derive(Clone, Debug)]
struct Shared {
    target: SocketAddr,
    badness: watch::Receiver<Badness>,
    random: Arc<Mutex<u64>>,
}

impl BadWire {
    /// Stretches a wire to `target`. Must be called within a Tokio runtime.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn new(seed: u64, target: SocketAddr, badness: Badness) -> io::Result<Self> {
        let (listener, udp) = bind_both().await?;
        let local = listener.local_addr()?;
        let (sender, receiver) = watch::channel(badness);
        let shared = Shared { target, badness: receiver, random: Arc::new(Mutex::new(seed)) };
        let mut tasks = JoinSet::new();
        tasks.spawn(carry_tcp(shared.clone(), listener));
        tasks.spawn(carry_udp(shared, Arc::new(udp)));
        Ok(Self { local, badness: sender, _tasks: tasks })
    }

    /// Where to connect to get through the wire.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Makes the wire better or worse from now on.
    pub fn set(&self, badness: Badness) {
        self.badness.send_replace(badness);
    }

    /// Cuts it, or mends it.
    pub fn cut(&self, cut: bool) {
        self.badness.send_modify(|badness| badness.cut = cut);
    }
}

impl Shared {
    fn now(&self) -> Badness {
        *self.badness.borrow()
    }

    /// Evenly from 0 to `below`, exclusive (SplitMix64).
    fn random(&self, below: u64) -> u64 {
        let mut state = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = *state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below.max(1)
    }

    fn arrival(&self) -> Instant {
        let badness = self.now();
        let jitter = self.random(u64::try_from(badness.jitter.as_micros()).unwrap_or(u64::MAX));
        Instant::now() + badness.delay + Duration::from_micros(jitter)
    }

    async fn until_mended(&self) {
        let mut badness = self.badness.clone();
        if badness.wait_for(|badness| !badness.cut).await.is_err() {
            std::future::pending().await
        }
    }
}

/// A port that is free for both.
async fn bind_both() -> io::Result<(TcpListener, UdpSocket)> {
    loop {
        let socket = small_socket()?;
        socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
        let listener = socket.listen(64)?;
        match UdpSocket::bind(listener.local_addr()?).await {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            udp => return Ok((listener, udp?)),
        }
    }
}

fn small_socket() -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(SOCKET_BUFFER_BYTES)?;
    socket.set_send_buffer_size(SOCKET_BUFFER_BYTES)?;
    Ok(socket)
}

async fn carry_tcp(shared: Shared, listener: TcpListener) {
    let mut connections = JoinSet::new();
    while let Ok((near, _)) = listener.accept().await {
        while connections.try_join_next().is_some() {}
        connections.spawn(carry_connection(shared.clone(), near));
    }
}

async fn carry_connection(shared: Shared, near: TcpStream) {
    shared.until_mended().await;
    let Ok(socket) = small_socket() else { return };
    let Ok(far) = socket.connect(shared.target).await else { return };
    // Without this the proxy would add a delay that no wire has; where it fails, it does.
    let _ = (near.set_nodelay(true), far.set_nodelay(true));
    let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
    tokio::join!(carry_bytes(&shared, near_in, far_out), carry_bytes(&shared, far_in, near_out));
}

async fn carry_bytes(shared: &Shared, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
    let (sender, mut under_way) = mpsc::channel::<(Instant, Vec<u8>)>(UNDER_WAY_MAX);
    let take = async move {
        let mut piece = vec![0; 4096];
        while let Ok(count @ 1..) = from.read(&mut piece).await {
            if sender.send((shared.arrival(), piece[..count].to_vec())).await.is_err() {
                return;
            }
        }
    };
    let give = async move {
        while let Some((arrival, piece)) = under_way.recv().await {
            sleep_until(arrival).await;
            shared.until_mended().await;
            let bytes_per_s = shared.now().bytes_per_s;
            if bytes_per_s > 0 {
                sleep(Duration::from_secs_f64(piece.len() as f64 / bytes_per_s as f64)).await;
            }
            if to.write_all(&piece).await.is_err() {
                return;
            }
        }
    };
    tokio::join!(take, give);
}

async fn carry_udp(shared: Shared, near: Arc<UdpSocket>) {
    let mut clients: BTreeMap<SocketAddr, mpsc::Sender<Vec<u8>>> = BTreeMap::new();
    let mut tasks = JoinSet::new();
    let mut packet = vec![0; PACKET_BYTES_MAX];
    loop {
        let Ok((count, client)) = near.recv_from(&mut packet).await else { continue };
        if clients.len() == CLIENTS_MAX && !clients.contains_key(&client) {
            clients.pop_first();
        }
        let sender = clients.entry(client).or_insert_with(|| {
            let (sender, packets) = mpsc::channel(UNDER_WAY_MAX);
            tasks.spawn(carry_client(shared.clone(), near.clone(), client, packets));
            sender
        });
        // A full wire loses packets; so does this one.
        let _ = sender.try_send(packet[..count].to_vec());
    }
}

async fn carry_client(
    shared: Shared,
    near: Arc<UdpSocket>,
    client: SocketAddr,
    mut packets: mpsc::Receiver<Vec<u8>>,
) {
    let Ok(far) = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await else { return };
    let far = Arc::new(far);
    let mut flights = JoinSet::new();
    let mut packet = vec![0; PACKET_BYTES_MAX];
    loop {
        let (bytes, socket, to) = tokio::select! {
            sent = packets.recv() => match sent {
                Some(bytes) => (bytes, far.clone(), shared.target),
                None => return,
            },
            Ok((count, _)) = far.recv_from(&mut packet) => (packet[..count].to_vec(), near.clone(), client),
        };
        while flights.try_join_next().is_some() {}
        let badness = shared.now();
        let lost = shared.random(1000) < u64::from(badness.loss_per_mille);
        if lost || badness.cut {
            continue;
        }
        if badness.bytes_per_s > 0 {
            sleep(Duration::from_secs_f64(bytes.len() as f64 / badness.bytes_per_s as f64)).await;
        }
        let arrival = shared.arrival();
        flights.spawn(async move {
            sleep_until(arrival).await;
            // A packet the system does not take is one more that is lost.
            let _ = socket.send_to(&bytes, to).await;
        });
    }
}
