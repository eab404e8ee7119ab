//! `detente node`: being the node of a folder until told to stop.

use std::path::Path;

use detente_node::http::serve;
use detente_node::{StartOptions, start};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use crate::answer::{Done, Failure, print_json};

/// Threads that serve links and HTTP; the core and the disk have their own.
const WORKERS: usize = 2;

/// Runs the command.
pub(crate) fn run(dir: &Path) -> Result<Done, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build();
    let runtime = runtime.map_err(|why| Failure::new(format!("no runtime can be started: {why}")))?;
    let done = runtime.block_on(serve_until_stopped(dir));
    // Streams of events end with their connections; nothing else is waited for.
    runtime.shutdown_background();
    done
}

async fn serve_until_stopped(dir: &Path) -> Result<Done, Failure> {
    let refuse = |why| Failure::new(format!("signals cannot be taken: {why}"));
    let mut term = signal(SignalKind::terminate()).map_err(refuse)?;
    let mut int = signal(SignalKind::interrupt()).map_err(refuse)?;
    let node = start(dir, StartOptions::default())?;
    let server = match serve(node.folder(), node.clone()).await {
        Ok(server) => server,
        Err(why) => {
            node.shutdown().await;
            return Err(Failure::new(why));
        }
    };
    print_json(&json!({
        "ready": true,
        "party": node.folder().config.code,
        "http": server.url,
        "listen": node.listen().to_string(),
    }));
    let mut halted = node.halted();
    let failed = tokio::select! {
        _ = term.recv() => None,
        _ = int.recv() => None,
        why = halted.wait_for(Option::is_some) => Some(why.ok().and_then(|why| why.clone()).unwrap_or_default()),
    };
    drop(server);
    let _ = std::fs::remove_file(node.folder().control_socket());
    node.shutdown().await;
    match failed {
        None => Ok(Done::Done),
        Some(why) => Err(Failure::new(format!("the node has halted: {why}"))),
    }
}
