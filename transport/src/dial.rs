//! Keeping a link up: dialling whenever there is none.
//!
//! A new attempt starts at the latest 2 s after the one before, while that one may still go on: a
//! packet lost on a cut line is sent again by the system ever more rarely, and a path that returns
//! is then found by the next attempt, not by the end of a long wait.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::connection::{ANSWER_MAX, Connection};
use crate::context::{Context, HANDSHAKE_MAX};
use crate::link::Link;
use crate::path::{Path, PathKind};
use crate::peers::Peer;
use crate::quic::QuicConnection;
use crate::slot::Slot;
use crate::{quic, tcp, tls};

/// First pause between two attempts; doubles up to [`REDIAL_MAX`].
const REDIAL_MIN: Duration = Duration::from_millis(50);
/// Longest pause between two attempts.
pub const REDIAL_MAX: Duration = Duration::from_secs(2);
/// Attempts under way at a time for one link: as many as start while one may last, so that there is
/// never a gap between two on a line that swallows everything.
const ATTEMPTS_MAX: usize = 8;

const _: () = assert!(
    ATTEMPTS_MAX as u128 * REDIAL_MAX.as_millis() / 2 >= HANDSHAKE_MAX.as_millis(),
    "pauses are at least half of REDIAL_MAX in the long run"
);

/// Addresses of one name that are tried.
const RESOLVED_MAX: usize = 4;
/// A link that lived so long was a good one: the next dial starts without a pause.
const GOOD_LINK: Duration = Duration::from_secs(2);
/// The side whose link would give way when both dial leaves the other this long to be first.
const COURTESY: Duration = Duration::from_millis(100);

/// Dials `slot` whenever it has no link. Never ends; the task is aborted with its peer.
pub(crate) async fn keep_up(context: Arc<Context>, peer: Arc<Peer>, slot: Arc<Slot>) {
    let mut backoff = Backoff::default();
    loop {
        let since = Instant::now();
        slot.until_down().await;
        if since.elapsed() >= GOOD_LINK {
            backoff = Backoff::default();
        }
        let connection = tokio::select! {
            () = slot.until_up() => continue,
            connection = first_to_connect(&context, &peer, &slot, &mut backoff) => connection,
        };
        if !bring_up(&context, &slot, connection).await {
            // Refused, or the other side's link was first: the slot shows which within a moment.
            tokio::select! {
                () = slot.until_up() => {}
                () = slot.nudge.notified() => backoff = Backoff::default(),
                () = sleep(backoff.next(context.random())) => {}
            }
        }
    }
}

/// Greets, and runs the link in a task of its own. Whether it was let in.
async fn bring_up(context: &Arc<Context>, slot: &Arc<Slot>, mut connection: Connection) -> bool {
    let Some(hello) = slot.dialling_hello() else { return false };
    let Ok(Ok(claim)) = timeout(ANSWER_MAX, connection.greet(hello)).await else { return false };
    let Some(admitted) = slot.admit(claim, connection.negotiated()).await else { return false };
    let link = Link { slot: slot.clone(), admitted };
    context.tasks.spawn(connection.carry(link));
    true
}

/// The first connection that comes about, of attempts that start one after the other.
async fn first_to_connect(
    context: &Arc<Context>,
    peer: &Arc<Peer>,
    slot: &Arc<Slot>,
    backoff: &mut Backoff,
) -> Connection {
    let mut attempts = JoinSet::new();
    if !slot.own_dial_stays() {
        sleep(COURTESY).await;
    }
    for turn in 0.. {
        let addresses = peer.addresses();
        if !addresses.is_empty() && attempts.len() < ATTEMPTS_MAX {
            let address = addresses[turn % addresses.len()].clone();
            let attempt = connect(context.clone(), peer.clone(), slot.clone(), address);
            attempts.spawn(timeout(HANDSHAKE_MAX, attempt));
        }
        let pause = sleep(backoff.next(context.random()));
        tokio::pin!(pause);
        loop {
            tokio::select! {
                () = &mut pause => break,
                () = slot.nudge.notified() => {
                    *backoff = Backoff::default();
                    break;
                }
                Some(outcome) = attempts.join_next(), if !attempts.is_empty() => {
                    if let Ok(Ok(Ok(connection))) = outcome {
                        return connection;
                    }
                }
            }
        }
    }
    unreachable!("the turns never end")
}

async fn connect(
    context: Arc<Context>,
    peer: Arc<Peer>,
    slot: Arc<Slot>,
    address: String,
) -> io::Result<Connection> {
    let addresses: Vec<SocketAddr> = tokio::net::lookup_host(&address).await?.take(RESOLVED_MAX).collect();
    peer.resolved(&addresses);
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name stands for no address");
    for address in addresses {
        match connect_one(&context, &slot, address).await {
            Ok(connection) => return Ok(connection),
            Err(error) => last = error,
        }
    }
    Err(last)
}

async fn connect_one(context: &Context, slot: &Slot, address: SocketAddr) -> io::Result<Connection> {
    let key = slot.peer();
    let config = tls::client_config(&context.secret, key);
    match (slot.kind(), &context.udp) {
        (PathKind::Quic, Some(udp)) => {
            let connecting = udp
                .connect_with(quic::client_config(config), address, &key.server_name())
                .map_err(io::Error::other)?;
            Ok(Connection::Quic(Box::new(QuicConnection::new(connecting.await?).await?)))
        }
        _ => Ok(Connection::Tcp(Box::new(tcp::connect(address, config, key).await?))),
    }
}

/// Pauses that double, each shortened by up to half at random, so that two nodes that lost each
/// other do not keep step.
#[derive(Debug, Default)]
struct Backoff {
    count: u32,
}

impl Backoff {
    fn next(&mut self, random: u32) -> Duration {
        let pause = REDIAL_MIN.saturating_mul(1 << self.count).min(REDIAL_MAX);
        self.count = (self.count + 1).min(6);
        pause - pause.mul_f64(f64::from(random) / f64::from(u32::MAX) / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_two_seconds_and_no_further() {
        let mut backoff = Backoff::default();
        let pauses: Vec<_> = (0..10).map(|_| backoff.next(0)).collect();
        assert_eq!(pauses[0], REDIAL_MIN);
        assert_eq!(pauses[9], REDIAL_MAX);
        assert!(pauses.is_sorted());
        assert_eq!(backoff.next(u32::MAX), REDIAL_MAX / 2);
    }
}
