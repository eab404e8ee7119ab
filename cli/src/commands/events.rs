//! `detente events`: what happens, one JSON object a line, resumable by cursor.

use std::time::Duration;

use detente_node::client::ClientError;
use serde_json::Value;

use crate::answer::{Done, Failure, print};
use crate::args::EventsArgs;
use crate::remote::{Remote, block_on};

/// How long to wait before a node that went away is asked again.
const ASK_AGAIN: Duration = Duration::from_millis(250);

/// Runs the command until it is stopped. A node that goes away is waited for: the stream goes on
/// behind the last cursor, so nothing is left out.
pub(crate) fn run(args: &EventsArgs) -> Result<Done, Failure> {
    let remote = Remote::of(&args.dir)?;
    let mut since = args.since.map(|cursor| cursor.to_string());
    block_on(async {
        let mut connected = false;
        loop {
            match remote.client.events(since.as_deref()).await {
                Ok(mut stream) => {
                    connected = true;
                    while let Ok(Some(event)) = stream.next().await {
                        if let Some(cursor) = cursor_of(&event) {
                            since = Some(cursor);
                        }
                        print(event);
                    }
                }
                // At the start a node that does not run is a mistake worth a sentence.
                Err(error) if !connected => return Err(error.into()),
                Err(ClientError::PeerRefused(refusal)) => return Err(refusal.into()),
                Err(_) => {}
            }
            tokio::time::sleep(ASK_AGAIN).await;
        }
    })
}

fn cursor_of(event: &str) -> Option<String> {
    let event: Value = serde_json::from_str(event).ok()?;
    Some(event.get("cursor")?.to_string())
}
