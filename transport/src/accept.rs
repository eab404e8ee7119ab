//! Taking in links that peers dial.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

use crate::admission::Place;
use crate::connection::Connection;
use crate::context::{Context, HANDSHAKE_MAX};
use crate::path::PathKind;
use crate::quic::QuicConnection;
use crate::slot::Claim;
use crate::tcp;

/// After the system refused to accept (no file descriptors left), so long until the next try.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How long a failed handshake keeps its place.
const FAILURE_PAUSE: Duration = Duration::from_secs(1);

/// Accepts TCP links until the task is aborted.
pub(crate) async fn tcp(context: Arc<Context>, listener: TcpListener, config: Arc<ServerConfig>) {
    loop {
        let Ok((stream, remote)) = listener.accept().await else {
            sleep(ACCEPT_PAUSE).await;
            continue;
        };
        // Without a place the socket is closed without a byte.
        let Some(place) = enter(&context, remote) else { continue };
        let handshake = tcp_handshake(stream, remote, config.clone());
        context.tasks.spawn(take_in(context.clone(), place, PathKind::Tcp, handshake));
    }
}

async fn tcp_handshake(
    stream: TcpStream,
    remote: SocketAddr,
    config: Arc<ServerConfig>,
) -> io::Result<Connection> {
    Ok(Connection::Tcp(Box::new(tcp::accept(stream, remote, config).await?)))
}

/// Accepts QUIC links until the endpoint closes.
pub(crate) async fn quic(context: Arc<Context>, endpoint: quinn::Endpoint) {
    while let Some(incoming) = endpoint.accept().await {
        if !incoming.remote_address_validated() && context.admission.is_busy() {
            // The answer is no longer than the question and keeps no state here.
            let _ = incoming.retry();
            continue;
        }
        let Some(place) = enter(&context, incoming.remote_address()) else {
            incoming.ignore();
            continue;
        };
        context.tasks.spawn(take_in(context.clone(), place, PathKind::Quic, quic_handshake(incoming)));
    }
}

async fn quic_handshake(incoming: quinn::Incoming) -> io::Result<Connection> {
    let connection = incoming.accept()?.await?;
    Ok(Connection::Quic(Box::new(QuicConnection::new(connection).await?)))
}

fn enter(context: &Context, remote: SocketAddr) -> Option<Place> {
    let known = context.peers.knows_address(remote.ip());
    let place = context.admission.enter(remote.ip(), known);
    if place.is_none() {
        context.refused_capacity.fetch_add(1, Ordering::Relaxed);
    }
    place
}

/// Finishes a handshake within its time and runs the link to its end.
async fn take_in(
    context: Arc<Context>,
    place: Place,
    kind: PathKind,
    handshake: impl Future<Output = io::Result<Connection>>,
) {
    let Ok(Ok((mut connection, claim))) = timeout(HANDSHAKE_MAX, until_hello(handshake)).await else {
        context.refused_handshakes.fetch_add(1, Ordering::Relaxed);
        // The place stays taken for a while, so that who fails cannot fail a thousand times a second.
        sleep(FAILURE_PAUSE).await;
        return;
    };
    drop(place);
    let peer = context.peers.find(&connection.negotiated().peer);
    // The peer may have been taken off the list meanwhile.
    let Some(slot) = peer.and_then(|peer| peer.slot(kind)) else { return };
    if let Some(link) = connection.answer(claim, &slot).await {
        connection.carry(link).await;
    }
}

async fn until_hello(
    handshake: impl Future<Output = io::Result<Connection>>,
) -> io::Result<(Connection, Claim)> {
    let mut connection = handshake.await?;
    let claim = connection.hear().await?;
    Ok((connection, claim))
}
