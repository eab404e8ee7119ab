//! The nodes on their stage: folders, officers, credentials, channels, and what officers do.
//!
//! Each node is a real one, started from its own folder and speaking to the others over its links
//! alone. Only its owner's officers sign: with key files, as a drill may.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use detente_node::api::{Found, MessageView, Submitted};
use detente_node::compose::{Draft, FileKey};
use detente_node::folder::init::{InitOptions, init};
use detente_node::officers::{NewOfficer, parse_roles};
use detente_node::offline::Offline;
use detente_node::{NodeHandle, Refusal, StartOptions, start};
use detente_protocol::entry::Kind;

use super::cast::{self, Cast, Party};
use super::transcript::{Told, Transcript};
use crate::answer::Failure;

/// A party with its node.
#[derive(Debug)]
pub(crate) struct Actor {
    /// Who it is.
    pub(crate) cast: Party,
    /// The node's folder.
    pub(crate) dir: PathBuf,
    /// The eight words of its root keys.
    pub(crate) words: String,
    /// Keys of those who release, the drafter first.
    pub(crate) release: Vec<FileKey>,
    /// Key of the watch.
    pub(crate) watch: Vec<FileKey>,
    node: Option<NodeHandle>,
    credential: Vec<u8>,
}

/// A channel that all its parties have ratified.
#[derive(Debug)]
pub(crate) struct OpenChannel {
    /// What the scenes call it.
    pub(crate) id: String,
    /// Its identity.
    pub(crate) channel: String,
    /// Its label.
    pub(crate) label: String,
    /// Codes of its parties.
    pub(crate) parties: Vec<String>,
}

/// Everything that plays.
#[derive(Debug)]
pub(crate) struct Stage {
    /// The folder that holds all others.
    pub(crate) folder: PathBuf,
    /// The parties.
    pub(crate) actors: Vec<Actor>,
    /// The channels.
    pub(crate) channels: Vec<OpenChannel>,
}

impl Actor {
    /// Makes the folder, the officers' keys and the credential.
    fn new(cast: Party, root: &Path) -> Result<Self, Failure> {
        let dir = root.join(cast.name.to_lowercase());
        let keys = root.join(format!("{}-officers", cast.name.to_lowercase()));
        let any = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
        init(
            &dir,
            InitOptions {
                code: cast.code.clone(),
                names: cast.names.clone(),
                listen: Some(any),
                http: Some(any),
                test: true,
            },
        )?;
        std::fs::create_dir(&keys).map_err(|why| Failure::new(format!("{}: {why}", keys.display())))?;
        let offline = Offline::open(&dir)?;
        let add = |name: &str, roles: &str| -> Result<FileKey, Failure> {
            let (id, roles) = (name.to_lowercase(), parse_roles(roles)?);
            let key_file = keys.join(format!("{id}.key"));
            offline.officer_add(&NewOfficer { id: &id, name, roles, key_file: &key_file }, &[])?;
            Ok(FileKey::read(&key_file)?)
        };
        let release = vec![add(&cast.release[0], "draft,release")?, add(&cast.release[1], "release")?];
        let watch = vec![add(&cast.watch, "watch")?];
        let (credential, view) = offline.credential_export()?;
        Ok(Self { dir, words: view.words, release, watch, node: None, credential, cast })
    }

    /// Its running node.
    ///
    /// # Errors
    /// A sentence when it is away.
    pub(crate) fn node(&self) -> Result<&NodeHandle, Failure> {
        self.node.as_ref().ok_or_else(|| Failure::new(format!("the node of {} is away", self.cast.name)))
    }

    /// Whether its node runs.
    pub(crate) fn is_here(&self) -> bool {
        self.node.is_some()
    }

    /// Starts its node.
    ///
    /// # Errors
    /// Why it cannot be started.
    pub(crate) fn start(&mut self) -> Result<(), Failure> {
        self.node = Some(start(&self.dir, StartOptions::default())?);
        Ok(())
    }

    /// Stops its node.
    pub(crate) async fn stop(&mut self) {
        if let Some(node) = self.node.take() {
            node.shutdown().await;
        }
    }

    /// What a message is and what became of it, as this party's node says; none if it is not there.
    ///
    /// # Errors
    /// When the node does not answer.
    pub(crate) async fn message(&self, entry: &str) -> Result<Option<MessageView>, Failure> {
        let language = detente_formats::Language::from_code(&self.cast.language);
        match self.node()?.message(entry, language).await {
            Ok(view) => Ok(Some(view)),
            Err(refusal) if refusal.kind == detente_node::refusal::RefusalKind::NotFound => Ok(None),
            Err(refusal) => Err(refusal.into()),
        }
    }

    /// Drafts a message file, has it signed by both officers and hands it to the node. `cited` are
    /// the entries that its `refs` name.
    ///
    /// # Errors
    /// Every fault of the message, or why it is not released.
    pub(crate) async fn send(
        &self,
        channel: &str,
        message: &str,
        cited: &[Found],
    ) -> Result<Submitted, Failure> {
        let node = self.node()?;
        let context = node.context(channel).await?;
        let mut lookup = |citation: &str| {
            let found = cited.iter().find(|found| found.reference == citation).cloned();
            found.ok_or_else(|| Refusal::not_found(format!("there is no entry {citation}")))
        };
        let draft = Draft::message(message, Path::new("."), &context, &mut lookup)?;
        let request = draft.sign(&self.release, &context)?;
        Ok(node.submit(&context.channel, request).await?)
    }

    /// The watch takes a message over.
    ///
    /// # Errors
    /// Why the node refuses it.
    pub(crate) async fn acknowledge(&self, message: &MessageView) -> Result<Submitted, Failure> {
        let node = self.node()?;
        let context = node.context(&message.channel).await?;
        let draft = Draft::act(Kind::Acknowledgement, &message.found, None, Path::new("."), &context)?;
        Ok(node.submit(&context.channel, draft.sign(&self.watch, &context)?).await?)
    }
}

impl Stage {
    /// Makes the folders below `folder`, exchanges credentials, starts the nodes, opens the channels.
    ///
    /// # Errors
    /// The first thing that fails.
    pub(crate) async fn set(folder: &Path, transcript: &mut Transcript) -> Result<Self, Failure> {
        transcript.tell(&Told::Begin { folder: folder.display().to_string() });
        let Cast { parties, channels } = cast::cast()?;
        let mut actors = Vec::new();
        for party in parties {
            let actor = Actor::new(party, folder)?;
            transcript.tell(&Told::Party {
                party: actor.cast.code.clone(),
                name: actor.cast.name.clone(),
                about: actor.cast.about.clone(),
                language: actor.cast.language.clone(),
                words: actor.words.clone(),
            });
            actors.push(actor);
        }
        let credentials = acquaint(&actors)?;
        transcript.tell(&Told::Acquainted { credentials });
        let mut listen = BTreeMap::new();
        for actor in &mut actors {
            actor.start()?;
            listen.insert(actor.cast.code.clone(), actor.node()?.listen().to_string());
        }
        transcript.tell(&Told::Nodes { listen });
        let mut stage = Self { folder: folder.to_path_buf(), actors, channels: Vec::new() };
        for channel in &channels {
            stage.open(channel, transcript).await?;
        }
        Ok(stage)
    }

    /// One proposes the charter, all others find it and ratify it.
    async fn open(&mut self, channel: &cast::Channel, transcript: &mut Transcript) -> Result<(), Failure> {
        let proposer = self.actor(&channel.by)?;
        let (charter, context) = proposer.node()?.draft_charter(&channel.charter).await?;
        let ratification = Draft::ratify(&context)?.sign(&proposer.release, &context)?;
        proposer.node()?.propose(&charter, ratification).await?;
        let mut parties: Vec<String> = context.parties.iter().map(|party| party.code.clone()).collect();
        self.in_order(&mut parties);
        for code in parties.iter().filter(|code| **code != channel.by) {
            let actor = self.actor(code)?;
            let name = &actor.cast.name;
            self.standing(
                actor,
                &context.channel,
                "proposed",
                &format!("{name} to see the charter"),
                transcript,
            )
            .await?;
            let node = actor.node()?;
            let context = node.context(&context.channel).await?;
            let ratification = Draft::ratify(&context)?.sign(&actor.release, &context)?;
            node.submit(&context.channel, ratification).await?;
        }
        for code in &parties {
            let actor = self.actor(code)?;
            let what = format!("“{}” to open at {}", context.label, actor.cast.name);
            self.standing(actor, &context.channel, "open", &what, transcript).await?;
        }
        transcript.tell(&Told::Opened {
            label: context.label.clone(),
            channel: context.channel.clone(),
            parties: parties.clone(),
            names: self.names(&parties),
        });
        self.channels.push(OpenChannel {
            id: channel.id.clone(),
            channel: context.channel,
            label: context.label,
            parties,
        });
        Ok(())
    }

    async fn standing(
        &self,
        actor: &Actor,
        channel: &str,
        standing: &str,
        what: &str,
        transcript: &mut Transcript,
    ) -> Result<(), Failure> {
        transcript
            .until(what, async || {
                let all = actor.node()?.channels().await?;
                let found = all.iter().any(|view| view.channel == channel && view.standing == standing);
                Ok(found.then_some(()))
            })
            .await
    }

    /// A party by its code.
    ///
    /// # Errors
    /// A sentence when no such party plays.
    pub(crate) fn actor(&self, code: &str) -> Result<&Actor, Failure> {
        let found = self.actors.iter().find(|actor| actor.cast.code == code);
        found.ok_or_else(|| Failure::new(format!("no party {code} plays")))
    }

    /// The same, to be started or stopped.
    ///
    /// # Errors
    /// A sentence when no such party plays.
    pub(crate) fn actor_mut(&mut self, code: &str) -> Result<&mut Actor, Failure> {
        let found = self.actors.iter_mut().find(|actor| actor.cast.code == code);
        found.ok_or_else(|| Failure::new(format!("no party {code} plays")))
    }

    /// A channel by the name that the scenes give it, or by its identity.
    ///
    /// # Errors
    /// A sentence when there is none.
    pub(crate) fn channel(&self, id: &str) -> Result<&OpenChannel, Failure> {
        let found = self.channels.iter().find(|channel| channel.id == id || channel.channel == id);
        found.ok_or_else(|| Failure::new(format!("there is no channel {id}")))
    }

    /// Puts codes into the order of the cast; a charter orders its parties by their keys.
    pub(crate) fn in_order(&self, codes: &mut [String]) {
        codes.sort_by_key(|code| self.actors.iter().position(|actor| actor.cast.code == *code));
    }

    /// Names of parties by their codes.
    pub(crate) fn names(&self, codes: &[String]) -> Vec<String> {
        let name =
            |code: &String| self.actor(code).map_or_else(|_| code.clone(), |actor| actor.cast.name.clone());
        codes.iter().map(name).collect()
    }

    /// Stops all nodes at once.
    pub(crate) async fn close(self) {
        let mut leaving = tokio::task::JoinSet::new();
        for mut actor in self.actors {
            leaving.spawn(async move { actor.stop().await });
        }
        leaving.join_all().await;
    }
}

/// Every party takes in every other's credential. Answers how many were exchanged.
fn acquaint(actors: &[Actor]) -> Result<usize, Failure> {
    for actor in actors {
        let offline = Offline::open(&actor.dir)?;
        for other in actors.iter().filter(|other| other.cast.code != actor.cast.code) {
            offline.peer_add(&other.credential, &other.words)?;
        }
    }
    Ok(actors.len() * (actors.len() - 1))
}
