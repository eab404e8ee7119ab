//! What is counted beside the messages: processor time, syncs, bytes, memory, the floor.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use detente_node::client::Client;
use serde_json::Value;

use super::floor::Floor;
use super::parties::Party;
use super::process::{Process, own_cpu};
use super::sender::Sender;
use crate::answer::Failure;

/// Between samples of the floor, where messages overlap.
const FLOOR_EVERY: Duration = Duration::from_millis(200);
/// Between looks at memory: each walks all pages of a process.
const MEMORY_EVERY: Duration = Duration::from_secs(1);

/// Counters of all that takes part, at one moment.
pub(super) struct Snapshot {
    pub(super) at: Instant,
    pub(super) acknowledged: usize,
    pub(super) cpu: [Duration; 2],
    pub(super) clients: Duration,
    /// Syncs of both nodes.
    pub(super) syncs: f64,
    /// Bytes that both nodes handed to paths.
    pub(super) wire: Option<f64>,
}

/// What was counted.
pub(super) struct Counted {
    pub(super) before: Snapshot,
    pub(super) after: Snapshot,
    pub(super) peak: [u64; 2],
    pub(super) floor: Option<Floor>,
}

/// Lets the sender go, and counts from the end of the warm-up to the end of the run; without times,
/// from the first message to the last.
pub(super) async fn counted(
    sender: &Sender,
    parties: &[Party; 2],
    nodes: &[Process; 2],
    watch: &Process,
    clock: Option<(Duration, Duration)>,
    floor: Option<Floor>,
) -> Result<Counted, Failure> {
    if let Some((warm_up, _)) = clock {
        sender.go.notify_one();
        tokio::time::sleep(warm_up).await;
    }
    let mut clients = [parties[0].client(), parties[1].client()];
    let before = snapshot(sender, &mut clients, nodes, watch).await?;
    sender.counts.set(true);
    sender.go.notify_one();
    let (ending, end) = channel::<()>();
    let sampler = floor.map(|mut floor| {
        std::thread::spawn(move || {
            while end.recv_timeout(FLOOR_EVERY) == Err(RecvTimeoutError::Timeout) {
                floor.sample()?;
            }
            Ok::<Floor, Failure>(floor)
        })
    });
    let until = clock.map(|(_, run)| before.at + run);
    let mut peak = nodes.each_ref().map(Process::pss_kb);
    let mut looked = Instant::now();
    while !sender.done.get() && until.is_none_or(|until| Instant::now() < until) {
        tokio::time::sleep(Duration::from_millis(1)).await;
        if looked.elapsed() > MEMORY_EVERY {
            looked = Instant::now();
            let now = nodes.each_ref().map(Process::pss_kb);
            peak = [peak[0].max(now[0]), peak[1].max(now[1])];
        }
    }
    let after = snapshot(sender, &mut clients, nodes, watch).await?;
    sender.counts.set(false);
    drop(ending);
    let floor = match sampler.map(std::thread::JoinHandle::join) {
        None => None,
        Some(Ok(floor)) => Some(floor?),
        Some(Err(_)) => return Err(Failure::new("the floor's thread has failed")),
    };
    Ok(Counted { before, after, peak, floor })
}

async fn snapshot(
    sender: &Sender,
    clients: &mut [Client; 2],
    nodes: &[Process; 2],
    watch: &Process,
) -> Result<Snapshot, Failure> {
    let (mut syncs, mut wire) = (0.0, Some(0.0));
    for client in clients {
        let status: Value = client.get("/api/v1/status").await?;
        syncs += status["syncs"].as_f64().ok_or_else(|| Failure::new("the node does not count its syncs"))?;
        wire = wire.zip(status["sent_bytes"].as_f64()).map(|(sum, bytes)| sum + bytes);
    }
    Ok(Snapshot {
        at: Instant::now(),
        acknowledged: sender.taken.borrow().len(),
        cpu: nodes.each_ref().map(Process::cpu),
        clients: own_cpu() + watch.cpu(),
        syncs,
        wire,
    })
}
