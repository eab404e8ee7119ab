//! The run: messages go out of one node and come back acknowledged by the other.
//!
//! ```text
//!   this process ──POST──▶ node ALT ══QUIC══▶ node VEG ──event──▶ the watch's process
//!        ▲                   │  ▲                ▲                      │ signs
//!        └──── event ────────┘  └════════════════┴──────────POST────────┘
//! ```
//! The clock of a message runs from its POST to the `acknowledged` event here.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::check::check;
use super::count::{Counted, Snapshot, counted};
use super::floor::Floor;
use super::http::Connection;
use super::messages::{Lane, Prepared, Releaser};
use super::parties::{Party, open_channel, pair};
use super::process::Process;
use super::sender::Sender;
use super::stats::tenth;
use crate::answer::Failure;

/// Before the clock of a run in seconds.
const WARM_UP: Duration = Duration::from_secs(10);
/// Messages by which the rate is guessed, to know how many to release beforehand.
const TRIAL_MESSAGES: usize = 2000;
/// Messages before the clock of a run in messages.
const FIRST_MESSAGES: usize = 100;
/// How many more messages are released than the trial's rate asks for: a run grows faster as it warms.
const RESERVE: f64 = 2.0;
/// Until memory of nodes without work is read.
const IDLE_AFTER: Duration = Duration::from_secs(3);
/// Until memory of the node that was started again is read.
const REOPENED_IDLE: Duration = Duration::from_secs(10);

/// What is to be measured.
pub(super) struct Plan {
    pub(super) messages: usize,
    pub(super) in_flight: usize,
    pub(super) lane: Lane,
    pub(super) seconds: Option<Duration>,
}

/// Runs the plan in `base`; answers the figures.
pub(super) async fn run(plan: &Plan, base: &Path, notice: impl Fn(&str)) -> Result<Value, Failure> {
    notice("two parties, their officers and keys");
    let parties = pair(base)?;
    let nodes = [parties[0].start()?, parties[1].start()?];
    let context = open_channel(&parties, "bench").await?;
    tokio::time::sleep(IDLE_AFTER).await;
    let idle = nodes.each_ref().map(Process::pss_kb);
    let watch = start_watch(&parties[1], &nodes[1], &context.channel, plan.in_flight)?;
    let echo = address(&watch.ready, "echo")?;
    let channel = context.channel.clone();
    let mut releaser = Releaser::new(plan.lane, context, parties[0].keys()?)?;
    let sender = Sender::open(http_of(&nodes[0])?, &parties[0].token, &channel, plan.in_flight).await?;
    let mut floor = Floor::new(&parties[0].dir, echo)?;
    floor.sample()?;

    notice("a first few messages");
    let first = if plan.seconds.is_some() { TRIAL_MESSAGES } else { FIRST_MESSAGES.max(plan.in_flight) };
    let begun = std::time::Instant::now();
    sender.go.notify_one();
    sender.drive(prepare(&mut releaser, first)?, None, None).await?;
    let wanted = match plan.seconds {
        None => plan.messages,
        Some(seconds) => enough(first, begun.elapsed(), seconds + WARM_UP),
    };
    notice(&format!("{wanted} messages are released before the clock"));
    let pool = prepare(&mut releaser, wanted)?;
    notice("the clock runs");
    // One at a time the floor is measured between messages; else beside them.
    let (between, beside) = if plan.in_flight == 1 { (Some(floor), None) } else { (None, Some(floor)) };
    let (warm_up, run) = plan.seconds.map(|run| (WARM_UP, run)).unzip();
    sender.done.set(false);
    let drive = sender.drive(pool, between, warm_up.zip(run).map(|(warm_up, run)| warm_up + run));
    let count = counted(&sender, &parties, &nodes, &watch, warm_up.zip(run), beside);
    let (between, counted) = tokio::join!(drive, count);
    let between = between?;
    let Counted { before, after, peak, floor } = counted?;
    let floor = floor.or(between).ok_or_else(|| Failure::new("the floor was not measured"))?;
    drop(watch);

    notice("both exports are written and checked");
    let taken = sender.taken.take();
    let exports = check(&parties, &taken, base).await?;
    let mut figures = figures(&before, &after, &sender, floor);
    figures["messages"] = json!(wanted);
    figures["in_flight"] = json!(plan.in_flight);
    figures["lane"] = json!(plan.lane.word());
    figures["statement_bytes"] = json!(releaser.statement_bytes());
    figures["pss_idle_kb"] = json!({ "a": idle[0], "b": idle[1] });
    figures["pss_peak_kb"] = json!({ "a": peak[0], "b": peak[1] });
    let startup = u64::try_from(nodes[0].startup.as_millis()).unwrap_or(u64::MAX);
    figures["startup_ms"] = json!(startup);
    figures["exports"] = exports;
    for node in nodes {
        node.stop();
    }
    notice("a node opens what was recorded");
    figures["reopened"] = reopened(&parties[0], &mut releaser, &channel).await?;
    Ok(figures)
}

/// A node that opens the record of the run: until it is ready, until it has a message durable, and
/// its memory once it has been idle.
async fn reopened(party: &Party, releaser: &mut Releaser, channel: &str) -> Result<Value, Failure> {
    let message = releaser.next()?.body();
    let begun = std::time::Instant::now();
    let node = party.start()?;
    let mut connection = Connection::open(http_of(&node)?, &party.token).await?;
    connection.post(&format!("/api/v1/channels/{channel}/messages"), &message).await?;
    let sent = begun.elapsed();
    tokio::time::sleep(REOPENED_IDLE).await;
    let figures = json!({
        "ready_ms": u64::try_from(node.startup.as_millis()).unwrap_or(u64::MAX),
        "first_durable_ms": u64::try_from(sent.as_millis()).unwrap_or(u64::MAX),
        "pss_idle_kb": node.pss_kb(),
    });
    node.stop();
    Ok(figures)
}

/// What follows from counters before and after, from times and floor.
#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn figures(before: &Snapshot, after: &Snapshot, sender: &Sender, mut floor: Floor) -> Value {
    let acknowledged = after.acknowledged - before.acknowledged;
    let seconds = (after.at - before.at).as_secs_f64();
    let each = |value: f64| value / acknowledged.max(1) as f64;
    let cpu = |of: fn(&Snapshot) -> Duration| tenth(each((of(after) - of(before)).as_secs_f64() * 1e6));
    let mut latency = sender.latency.borrow_mut();
    let p50 = latency.median();
    let times_floor = p50.map(|p50| (p50 / floor.latency_us() * 100.0).round() / 100.0);
    json!({
        "acknowledged": acknowledged,
        "seconds": tenth(seconds),
        "latency_us": {
            "p50": p50.map(tenth),
            "p95": latency.percentile(95.0).map(tenth),
            "p99": latency.percentile(99.0).map(tenth),
        },
        "throughput_per_s": tenth(acknowledged as f64 / seconds),
        "syncs_per_message": (each(after.syncs - before.syncs) * 1000.0).round() / 1000.0,
        "cpu_us_per_message": { "a": cpu(|s| s.cpu[0]), "b": cpu(|s| s.cpu[1]), "clients": cpu(|s| s.clients) },
        "wire_bytes_per_message": after.wire.zip(before.wire).map(|(after, before)| tenth(each(after - before))),
        "floor": floor.json(),
        "times_floor": times_floor,
    })
}

/// More messages than are likely to go in that time.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a guess"
)]
fn enough(sent: usize, took: Duration, time: Duration) -> usize {
    (sent as f64 / took.as_secs_f64() * time.as_secs_f64() * RESERVE) as usize + TRIAL_MESSAGES
}

fn prepare(releaser: &mut Releaser, count: usize) -> Result<VecDeque<Prepared>, Failure> {
    (0..count).map(|_| releaser.next()).collect()
}

fn http_of(node: &Process) -> Result<SocketAddr, Failure> {
    let url = node.ready["http"].as_str().unwrap_or_default();
    let port = url.rsplit(':').next().and_then(|port| port.parse().ok());
    let port: u16 = port.ok_or_else(|| Failure::new("the node names no HTTP port"))?;
    Ok(([127, 0, 0, 1], port).into())
}

fn address(ready: &Value, key: &str) -> Result<SocketAddr, Failure> {
    ready[key].as_str().unwrap_or_default().parse().map_err(|_| Failure::new(format!("no address {key}")))
}

fn start_watch(party: &Party, node: &Process, channel: &str, in_flight: usize) -> Result<Process, Failure> {
    let (http, connections) = (http_of(node)?.to_string(), in_flight.to_string());
    let key = party.key("a");
    let key = key.to_str().ok_or_else(|| Failure::new("--folder: a name in UTF-8 is needed"))?;
    let args = [
        "bench",
        "watch",
        "--http",
        &http,
        "--token",
        &party.token,
        "--key",
        key,
        "--channel",
        channel,
        "--connections",
        &connections,
    ];
    Process::start(&args, &party.dir)
}
