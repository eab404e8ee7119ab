//! Two parties on one machine: folders, officers with file keys, credentials, one open channel.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use detente_node::api::{ChannelContext, ChannelView, SubmitRequest, Submitted};
use detente_node::client::Client;
use detente_node::compose::{Draft, FileKey};
use detente_node::folder::Folder;
use detente_node::folder::init::{InitOptions, init};
use detente_node::http::tokens::{Scope, make};
use detente_node::officers::{NewOfficer, parse_roles};
use detente_node::offline::Offline;
use serde_json::{Value, json};

use super::process::Process;
use crate::answer::Failure;

/// How long the channel may take to open.
const OPEN_WITHIN: Duration = Duration::from_secs(30);

/// One party: its folder, its officers' keys, a token for its programs.
pub(super) struct Party {
    pub(super) code: &'static str,
    pub(super) dir: PathBuf,
    pub(super) token: String,
    /// The eight words of its root keys.
    pub(super) words: String,
}

impl Party {
    /// A new node with two releasing officers, of whom the first also keeps watch.
    fn new(base: &Path, code: &'static str) -> Result<Self, Failure> {
        let dir = base.join(code);
        let any: SocketAddr = ([127, 0, 0, 1], 0).into();
        let names = BTreeMap::from([("en".to_owned(), code.to_owned())]);
        init(
            &dir,
            InitOptions { code: code.to_owned(), names, listen: Some(any), http: Some(any), test: true },
        )?;
        let token = make(&Folder::open(&dir)?, Scope::Send)?;
        let mut party = Self { code, dir, token, words: String::new() };
        let offline = Offline::open(&party.dir)?;
        for (id, roles) in [("a", "draft,release,watch"), ("b", "release")] {
            let key_file = party.key(id);
            offline.officer_add(
                &NewOfficer { id, name: id, roles: parse_roles(roles)?, key_file: &key_file },
                &[],
            )?;
        }
        party.words = offline.credential_export()?.1.words;
        Ok(party)
    }

    pub(super) fn key(&self, id: &str) -> PathBuf {
        self.dir.with_file_name(format!("{}-{id}.key", self.code))
    }

    pub(super) fn keys(&self) -> Result<Vec<FileKey>, Failure> {
        ["a", "b"].iter().map(|id| FileKey::read(&self.key(id)).map_err(Failure::from)).collect()
    }

    pub(super) fn client(&self) -> Client {
        Client::of_folder(&self.dir)
    }

    /// Starts its node.
    pub(super) fn start(&self) -> Result<Process, Failure> {
        Process::start(&["node"], &self.dir)
    }
}

/// Two parties that have compared words.
pub(super) fn pair(base: &Path) -> Result<[Party; 2], Failure> {
    let parties = [Party::new(base, "ALT")?, Party::new(base, "VEG")?];
    let exported = |party: &Party| Offline::open(&party.dir)?.credential_export();
    let (a, b) = (exported(&parties[0])?, exported(&parties[1])?);
    Offline::open(&parties[0].dir)?.peer_add(&b.0, &b.1.words)?;
    Offline::open(&parties[1].dir)?.peer_add(&a.0, &a.1.words)?;
    Ok(parties)
}

/// Opens a channel between running nodes; answers what the first needs to write on it.
pub(super) async fn open_channel(parties: &[Party; 2], label: &str) -> Result<ChannelContext, Failure> {
    let charter = format!(
        "label = \"{label}\"\nparties = [\"ALT\", \"VEG\"]\nlevel = \"military\"\nsubjects = [\"nuclear\"]\n\
         languages = {{ ALT = \"en\", VEG = \"ru\" }}\nformats = \"all\"\n"
    );
    let (mut a, mut b) = (parties[0].client(), parties[1].client());
    let mut draft: Value = a.post("/api/v1/operator/charters", &json!({ "charter": charter })).await?;
    let context: ChannelContext = serde_json::from_value(draft["context"].take()).map_err(Failure::new)?;
    let ratification = Draft::ratify(&context)?.sign(&parties[0].keys()?, &context)?;
    let proposal = json!({ "charter": draft["charter"], "ratification": ratification });
    let _: Submitted = a.post("/api/v1/channels", &proposal).await?;
    let path = format!("/api/v1/channels/{}", context.channel);
    until("the charter does not arrive", async || b.get::<ChannelContext>(&path).await.is_ok()).await?;
    let theirs: ChannelContext = b.get(&path).await?;
    let ratification: SubmitRequest = Draft::ratify(&theirs)?.sign(&parties[1].keys()?, &theirs)?;
    let _: Submitted = b.post(&format!("{path}/acts"), &ratification).await?;
    for client in [&mut a, &mut b] {
        until("the channel does not open", async || {
            let listed: Result<Value, _> = client.get("/api/v1/channels").await;
            let views = listed
                .ok()
                .and_then(|mut all| serde_json::from_value::<Vec<ChannelView>>(all["channels"].take()).ok());
            let mine = |view: &ChannelView| view.channel == context.channel && view.standing == "open";
            views.is_some_and(|views| views.iter().any(mine))
        })
        .await?;
    }
    Ok(a.get(&path).await?)
}

async fn until(failure: &str, mut holds: impl AsyncFnMut() -> bool) -> Result<(), Failure> {
    let begun = Instant::now();
    while !holds().await {
        if begun.elapsed() > OPEN_WITHIN {
            return Err(Failure::new(failure));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}
