//! The other side's watch, a process of its own: hears each message and acknowledges it.
//!
//! Each acknowledgement is drafted and signed when its message is heard, with a file key, as a
//! program on a watch floor would for a drill.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use detente_crypto::Hash;
use detente_encoding::text::from_hex;
use detente_node::api::{ChannelContext, Found};
use detente_node::client::{Address, Client, percent};
use detente_node::compose::{Draft, FileKey};
use detente_protocol::entry::Kind;
use serde_json::json;
use tokio::sync::{Mutex, mpsc};

use super::floor;
use super::http::{Connection, text_of};
use super::messages::now;
use crate::answer::{Done, Failure, print_json};
use crate::remote::block_on;

/// What the other side's client is started with.
pub(super) struct Watch {
    pub(super) dir: PathBuf,
    pub(super) http: SocketAddr,
    pub(super) token: String,
    pub(super) key: PathBuf,
    pub(super) channel: String,
    /// Acknowledgements under way at once.
    pub(super) connections: u32,
}

/// Something to acknowledge.
struct Heard {
    entry: String,
    leaf: Hash,
}

/// Runs until it is stopped.
pub(super) fn run(watch: &Watch) -> Result<Done, Failure> {
    block_on(async {
        let echo = floor::serve_echo()?;
        let address = Address::Tcp { address: watch.http, token: watch.token.clone() };
        let mut events = Client::new(address).events(None).await?;
        let context: ChannelContext =
            Client::of_folder(&watch.dir).get(&format!("/api/v1/channels/{}", watch.channel)).await?;
        let (heard, hearing) = mpsc::unbounded_channel();
        let hearing = Arc::new(Mutex::new(hearing));
        for _ in 0..watch.connections {
            let connection = Connection::open(watch.http, &watch.token).await?;
            let acknowledger = Acknowledger {
                dir: watch.dir.clone(),
                keys: vec![FileKey::read(&watch.key)?],
                context: context.clone(),
                connection,
                draft: None,
            };
            tokio::spawn(acknowledge_all(acknowledger, Arc::clone(&hearing)));
        }
        print_json(&json!({ "ready": true, "echo": echo.to_string() }));
        while let Some(json) = events.next().await? {
            if text_of(&json, "kind") != Some("received") {
                continue;
            }
            let leaf = text_of(&json, "leaf").and_then(from_hex).and_then(|leaf| Hash::from_slice(&leaf));
            if let (Some(entry), Some(leaf)) = (text_of(&json, "entry"), leaf) {
                let _ = heard.send(Heard { entry: entry.to_owned(), leaf }); // Ends with the process.
            }
        }
        Ok(Done::Done)
    })
}

async fn acknowledge_all(
    mut acknowledger: Acknowledger,
    hearing: Arc<Mutex<mpsc::UnboundedReceiver<Heard>>>,
) {
    loop {
        let next = hearing.lock().await.recv().await;
        let Some(heard) = next else { return };
        if let Err(failure) = acknowledger.acknowledge(&heard).await {
            eprintln!("detente bench: {}: {}", heard.entry, failure.reason);
        }
    }
}

struct Acknowledger {
    dir: PathBuf,
    keys: Vec<FileKey>,
    context: ChannelContext,
    connection: Connection,
    /// The draft of the acknowledgement before, with the name of its log: most of it stays.
    draft: Option<(String, Draft)>,
}

impl Acknowledger {
    async fn acknowledge(&mut self, heard: &Heard) -> Result<(), Failure> {
        let (log, index) =
            heard.entry.rsplit_once('.').ok_or_else(|| Failure::new("an entry without index"))?;
        let index = index.parse().map_err(Failure::new)?;
        let mut draft = match &self.draft {
            Some((known, draft)) if known == log => draft.clone(),
            _ => {
                let path = format!("/api/v1/entries/{}", percent(&heard.entry));
                let found: Found = Client::of_folder(&self.dir).get(&path).await?;
                let draft = Draft::act(Kind::Acknowledgement, &found, None, Path::new("."), &self.context)?;
                self.draft = Some((log.to_owned(), draft.clone()));
                draft
            }
        };
        let statement = &mut draft.bound.statement;
        statement.drafted = now();
        statement.nonce[..8].copy_from_slice(&heard.leaf.0[..8]);
        let reference = &mut statement.references[0];
        reference.entry.index = index;
        reference.leaf = heard.leaf;
        let request = draft.sign(&self.keys, &self.context)?;
        let body = serde_json::to_string(&request).map_err(Failure::new)?;
        let path = format!("/api/v1/entries/{}/acknowledgement", percent(&heard.entry));
        self.connection.post(&path, &body).await.map(|_| ())
    }
}
