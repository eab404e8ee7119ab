//! Frames a second and processor time for each, over both kinds of link, on loopback.
//!
//! `cargo run --release -p detente-transport --example throughput -- [seconds] [frame bytes]`.
//! Both nodes live in this one process, so the processor time covers sending and receiving, both
//! ways. The round trip is measured alone, before the load.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use detente_transport::{
    Endpoint, EndpointConfig, Inbox, LinkKey, LinkSecret, Outgoing, PathEvent, PathKind, PeerLink, SendError,
    Urgency,
};
use tokio::time::{interval, sleep};

/// Frames each way, a second, in the paced run.
const PACE: u32 = 5_000;

struct Node {
    endpoint: Endpoint,
    inbox: Inbox,
    key: LinkKey,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let seconds: u64 = arguments.next().map_or(Ok(3), |text| text.parse())?;
    let frame_bytes: usize = arguments.next().map_or(Ok(600), |text| text.parse())?;
    let span = Duration::from_secs(seconds);
    for kind in [PathKind::Tcp, PathKind::Quic] {
        let (mut a, mut b) = linked(kind).await?;
        let mut trips: Vec<_> = Vec::new();
        for _ in 0..1000 {
            trips.push(round_trip(&mut a, &mut b, frame_bytes).await?);
        }
        trips.sort();
        println!("{kind}: round trip of {frame_bytes} bytes: p50 {:?}, p99 {:?}", trips[500], trips[990]);
        for pace in [Some(PACE), None] {
            let (wall, processor) = (Instant::now(), processor_time()?);
            let load =
                |from: &Node, to: LinkKey| send_load(from.endpoint.clone(), to, frame_bytes, pace, span);
            let senders = (tokio::spawn(load(&a, b.key)), tokio::spawn(load(&b, a.key)));
            let read = async |inbox: &mut Inbox| {
                let mut count = 0u64;
                while let Ok(report) = tokio::time::timeout(Duration::from_millis(300), inbox.next()).await {
                    count += u64::from(matches!(report.event, PathEvent::Frame { .. }));
                }
                count
            };
            let (at_a, at_b) = tokio::join!(read(&mut a.inbox), read(&mut b.inbox));
            let elapsed = wall.elapsed() - Duration::from_millis(300);
            let frames = at_a + at_b;
            let sent = senders.0.await? + senders.1.await?;
            println!(
                "{kind}: {}: {sent} sent, {frames} received, {:.0} frames/s both ways together, {:.1} µs of processor a frame",
                pace.map_or("as fast as it goes".to_owned(), |pace| format!("{pace} frames/s each way")),
                frames as f64 / elapsed.as_secs_f64(),
                (processor_time()? - processor).as_secs_f64() * 1e6 / frames as f64,
            );
        }
    }
    Ok(())
}

async fn send_load(
    endpoint: Endpoint,
    to: LinkKey,
    frame_bytes: usize,
    pace: Option<u32>,
    span: Duration,
) -> u64 {
    let frame = bytes::Bytes::from(vec![7; frame_bytes]);
    let (start, mut sent) = (Instant::now(), 0);
    let mut tick = interval(Duration::from_millis(1));
    while start.elapsed() < span {
        let due = match pace {
            Some(pace) => (start.elapsed().as_secs_f64() * f64::from(pace)) as u64,
            None => sent + 256,
        };
        while sent < due {
            match endpoint.send(&to, Outgoing { frame: frame.clone(), urgency: Urgency::Ordinary }) {
                Ok(_) => sent += 1,
                Err(SendError::EnvironmentFull) => sleep(Duration::from_millis(1)).await,
                Err(error) => panic!("{error}"),
            }
        }
        if pace.is_some() {
            tick.tick().await;
        } else {
            tokio::task::yield_now().await;
        }
    }
    sent
}

async fn round_trip(a: &mut Node, b: &mut Node, frame_bytes: usize) -> Result<Duration, SendError> {
    let frame = || Outgoing { frame: vec![7; frame_bytes].into(), urgency: Urgency::Ordinary };
    let start = Instant::now();
    a.endpoint.send(&b.key, frame())?;
    b.frame().await;
    b.endpoint.send(&a.key, frame())?;
    a.frame().await;
    Ok(start.elapsed())
}

impl Node {
    fn new(seed: u8, kind: PathKind) -> Result<Self, Box<dyn std::error::Error>> {
        let secret = LinkSecret::from_seed(&[seed; 32]);
        let key = secret.public();
        let listen = (Ipv4Addr::LOCALHOST, 0).into();
        let config = EndpointConfig { kinds: vec![kind], ..EndpointConfig::new(listen, secret) };
        let (endpoint, inbox) = Endpoint::bind(config)?;
        Ok(Self { endpoint, inbox, key })
    }

    async fn frame(&mut self) {
        while !matches!(self.inbox.next().await.event, PathEvent::Frame { .. }) {}
    }
}

async fn linked(kind: PathKind) -> Result<(Node, Node), Box<dyn std::error::Error>> {
    let (mut a, mut b) = (Node::new(1, kind)?, Node::new(2, kind)?);
    b.endpoint.set_peers(vec![PeerLink { key: a.key, addresses: Vec::new() }])?;
    let addresses = vec![b.endpoint.local_addr().to_string()];
    a.endpoint.set_peers(vec![PeerLink { key: b.key, addresses }])?;
    for node in [&mut a, &mut b] {
        while !matches!(node.inbox.next().await.event, PathEvent::Up { .. }) {}
    }
    Ok((a, b))
}

/// User and system time of this process so far (Linux, `/proc/self/stat`, in ticks of 10 ms).
fn processor_time() -> Result<Duration, Box<dyn std::error::Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let after_name = stat.rsplit_once(')').ok_or("no name in stat")?.1;
    let fields: Vec<_> = after_name.split_whitespace().collect();
    let ticks = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
    Ok(Duration::from_millis(ticks * 10))
}
