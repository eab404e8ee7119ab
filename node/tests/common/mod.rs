//! Two parties in one process, each with a folder of its own, over loopback.
#![allow(clippy::unwrap_used, dead_code, unreachable_pub)]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use detente_node::api::{Found, Submitted};
use detente_node::compose::{Draft, FileKey};
use detente_node::folder::init::{InitOptions, init};
use detente_node::officers::{NewOfficer, parse_roles};
use detente_node::offline::Offline;
use detente_node::{NodeHandle, Refusal, StartOptions, start};
use detente_protocol::entry::Kind;
use detente_transport::PathKind;

/// A party's folder and its officers' keys.
pub struct Party {
    pub dir: PathBuf,
    pub keys: PathBuf,
    _temp: tempfile::TempDir,
}

impl Party {
    /// Makes a node with two releasing officers; `a` also keeps watch.
    pub fn new(code: &str) -> Self {
        let temp = tempfile::tempdir().unwrap();
        let (dir, keys) = (temp.path().join("node"), temp.path().to_path_buf());
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let names = BTreeMap::from([("en".to_owned(), code.to_owned())]);
        init(
            &dir,
            InitOptions { code: code.to_owned(), names, listen: Some(any), http: Some(any), test: true },
        )
        .unwrap();
        let party = Self { dir, keys, _temp: temp };
        let offline = Offline::open(&party.dir).unwrap();
        for (id, roles) in [("a", "draft,release,watch"), ("b", "release")] {
            let key_file = party.key(id);
            let roles = parse_roles(roles).unwrap();
            offline.officer_add(&NewOfficer { id, name: id, roles, key_file: &key_file }, &[]).unwrap();
        }
        party
    }

    pub fn key(&self, id: &str) -> PathBuf {
        self.keys.join(format!("{id}.key"))
    }

    pub fn file_keys(&self, ids: &[&str]) -> Vec<FileKey> {
        ids.iter().map(|id| FileKey::read(&self.key(id)).unwrap()).collect()
    }

    pub fn start(&self) -> NodeHandle {
        start(&self.dir, StartOptions::default()).unwrap()
    }

    /// Starts without QUIC, whose library keeps its port for a while: for a restart in one process.
    pub fn start_tcp(&self) -> NodeHandle {
        start(&self.dir, StartOptions { kinds: vec![PathKind::Tcp] }).unwrap()
    }

    /// Drafts, signs and submits a message.
    pub async fn send(&self, node: &NodeHandle, channel: &str, message: &str) -> Result<Submitted, Refusal> {
        let context = node.context(channel).await?;
        let mut none = |citation: &str| Err(Refusal::not_found(citation.to_owned()));
        let draft = Draft::message(message, Path::new("."), &context, &mut none)?;
        node.submit(&context.channel, draft.sign(&self.file_keys(&["a", "b"]), &context)?).await
    }

    pub async fn act(
        &self,
        node: &NodeHandle,
        channel: &str,
        kind: Kind,
        target: &Found,
        keys: &[&str],
    ) -> Result<Submitted, Refusal> {
        let context = node.context(channel).await?;
        let draft = Draft::act(kind, target, None, Path::new("."), &context)?;
        node.submit(&context.channel, draft.sign(&self.file_keys(keys), &context)?).await
    }

    pub async fn ratify(&self, node: &NodeHandle, channel: &str) -> Result<Submitted, Refusal> {
        let context = node.context(channel).await?;
        let draft = Draft::ratify(&context)?;
        node.submit(&context.channel, draft.sign(&self.file_keys(&["a", "b"]), &context)?).await
    }
}

/// Exchanges credentials, words compared.
pub fn acquaint(parties: &[&Party]) {
    let exported: Vec<_> =
        parties.iter().map(|party| Offline::open(&party.dir).unwrap().credential_export().unwrap()).collect();
    for (place, party) in parties.iter().enumerate() {
        let offline = Offline::open(&party.dir).unwrap();
        for (other, (bytes, view)) in exported.iter().enumerate() {
            if other != place {
                offline.peer_add(bytes, &view.words).unwrap();
            }
        }
    }
}

pub const CHARTER: &str = r#"
label = "Risk reduction"
parties = ["ALT", "VEG"]
level = "military"
subjects = ["nuclear"]
languages = { ALT = "en", VEG = "ru" }
formats = "all"
"#;

/// Proposes the charter at `a`; answers the channel.
pub async fn propose(party: &Party, node: &NodeHandle, charter: &str) -> String {
    let (charter, context) = node.draft_charter(charter).await.unwrap();
    let ratification =
        Draft::ratify(&context).unwrap().sign(&party.file_keys(&["a", "b"]), &context).unwrap();
    node.propose(&charter, ratification).await.unwrap();
    context.channel
}

/// Waits until `what` answers something.
pub async fn until<T, F: Future<Output = Option<T>>>(why: &str, mut what: impl FnMut() -> F) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = what().await {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "in vain: {why}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until the channel stands so at a node.
pub async fn standing(node: &NodeHandle, channel: &str, word: &str) {
    until(&format!("channel {word}"), || async {
        let channels = node.channels().await.unwrap();
        channels.into_iter().find(|view| view.channel == channel && view.standing == word)
    })
    .await;
}

pub fn event_kinds(node: &NodeHandle) -> Vec<String> {
    node.events_since(0, 1024).unwrap().iter().map(|line| line.view().unwrap().kind).collect()
}
