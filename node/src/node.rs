//! A running node and the handle by which HTTP, commands and tests speak to it.
//!
//! The handle is cheap to clone. Release checks run in the caller's task; everything else is asked
//! of the core thread and answered once it is true: a submission is answered when it is durable.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::Instant;

use detente_crypto::sha256;
use detente_encoding::Timestamp;
use detente_encoding::text::{from_hex, hex};
use detente_formats::Language;
use detente_journal::FolderLock;
use detente_protocol::charter::Charter;
use detente_protocol::entry::Reference;
use detente_protocol::names::{EntryId, PartyIndex, Run};
use detente_transport::{Endpoint, EndpointConfig, LinkSecret, PathEvent, PathKind};
use tokio::sync::{oneshot, watch};

use crate::api::{
    ChannelContext, ChannelView, Found, JournalLine, MessageView, PeerView, Status, SubmitRequest, Submitted,
};
use crate::channels::Known;
use crate::core::{Core, Face, FromPath, Inbox, Shared, wall};
use crate::events::{EventLine, Events};
use crate::folder::{Folder, secrets::random};
use crate::house_log::HouseLog;
use crate::keys::KeyRing;
use crate::refusal::Refusal;
use crate::release::{Offer, ReleaseDesk};
use crate::store::Store;
use crate::{channels, charter_file, credential, officers, peers};

/// How a node is started.
#[derive(Clone, Debug)]
pub struct StartOptions {
    /// Kinds of links to use.
    pub kinds: Vec<PathKind>,
}

impl Default for StartOptions {
    fn default() -> Self {
        Self { kinds: vec![PathKind::Quic, PathKind::Tcp] }
    }
}

/// How often, and with what pause between, a stopping node looks whether its port is free: 8 s.
const PORT_FREE_TRIES: u32 = 400;
const PORT_FREE_PAUSE: std::time::Duration = std::time::Duration::from_millis(20);

/// A running node. Clones speak to the same one.
#[derive(Clone)]
pub struct NodeHandle {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
    inbox: Arc<Inbox>,
    listen: std::net::SocketAddr,
    thread: Mutex<Option<JoinHandle<()>>>,
    pump: tokio::task::JoinHandle<()>,
    /// What is let go at the end: the links, then the folder.
    held: Mutex<Option<(Endpoint, FolderLock)>>,
}

impl std::fmt::Debug for NodeHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NodeHandle({})", self.inner.shared.folder.config.code)
    }
}

/// Starts the node of a folder. Must be called within a Tokio runtime, on which its links then run.
///
/// # Errors
/// A [`Refusal`] that says what to do; nothing is left running.
pub fn start(path: &Path, options: StartOptions) -> Result<NodeHandle, Refusal> {
    let folder = Folder::open(path)?;
    let lock = folder.lock()?;
    let store = Store::open(&folder)?;
    let keys = KeyRing::open(&folder)?;
    let own = credential::own(&store)?.ok_or_else(|| {
        Refusal::refused("this party has no credential yet; make it with `detente credential export`")
    })?;
    let config = EndpointConfig {
        kinds: options.kinds,
        ..EndpointConfig::new(folder.config.listen, LinkSecret::from_seed(keys.link_seed()))
    };
    let listen = folder.config.listen;
    let (endpoint, mut reports) = Endpoint::bind(config).map_err(|error| {
        Refusal::unavailable(format!("listen = {listen} in node.toml: {error}; is the port in use?"))
    })?;
    let shared = Arc::new(Shared {
        folder,
        events: Events::open(&store)?,
        store: store.clone(),
        faces: RwLock::default(),
        desk: RwLock::default(),
        halted: watch::Sender::new(None),
    });
    let inbox = Arc::new(Inbox::default());
    let mut core = Core {
        shared: Arc::clone(&shared),
        house: HouseLog::open(&store)?,
        peers: peers::editions(&store)?,
        me: own.party(),
        own,
        store,
        keys,
        links: BTreeMap::new(),
        endpoint: endpoint.clone(),
        inbox: Arc::clone(&inbox),
        run: Run(random()?),
        started: Instant::now(),
        channels: BTreeMap::new(),
        views: crate::core::Views::default(),
        accepts: true,
        alarms: Vec::new(),
        entries: 0,
        sent_bytes: 0,
        looked_ms: 0,
        releases: Vec::new(),
        submitted: BTreeMap::new(),
    };
    core.reload_desk()?;
    core.look_at_disk();
    let known = channels::list(&core.store)?;
    core.open_known(known)?;
    core.peers_changed();
    let pump_inbox = Arc::clone(&inbox);
    let pump = tokio::spawn(async move {
        loop {
            let report = reports.next().await;
            let item = match report.event {
                PathEvent::Frame { frame, .. } => FromPath::Frame(report.peer, frame),
                PathEvent::Up { .. } => FromPath::Changed(report.peer, true, report.kind.to_string()),
                PathEvent::Down { why } => FromPath::Changed(report.peer, false, why.to_string()),
                _ => continue,
            };
            pump_inbox.path_says(item).await;
        }
    });
    let thread = std::thread::Builder::new().name("core".to_owned()).spawn(move || core.run());
    let thread =
        thread.map_err(|error| Refusal::unavailable(format!("no thread can be started: {error}")))?;
    let listen = endpoint.local_addr();
    let (thread, held) = (Mutex::new(Some(thread)), Mutex::new(Some((endpoint, lock))));
    let inner = Inner { shared, inbox, listen, thread, pump, held };
    Ok(NodeHandle { inner: Arc::new(inner) })
}

impl NodeHandle {
    /// The node's folder and configuration.
    #[must_use]
    pub fn folder(&self) -> &Folder {
        &self.inner.shared.folder
    }

    /// The address of its links, with its port.
    #[must_use]
    pub fn listen(&self) -> std::net::SocketAddr {
        self.inner.listen
    }

    /// The record, for reading beside the core.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.inner.shared.store
    }

    fn tell(&self, command: impl FnOnce(&mut Core) + Send + 'static) -> Result<(), Refusal> {
        let busy = |_| Refusal::unavailable("the node is stopping or has too much to do; try again shortly");
        self.inner.inbox.command(Box::new(command)).map_err(busy)
    }

    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Core) -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        let (answer, answered) = oneshot::channel();
        self.tell(move |core| {
            let _ = answer.send(question(core)); // Nobody waits any more: the caller went away.
        })?;
        answered.await.map_err(|_| Refusal::unavailable("the node has stopped"))
    }

    /// All channels.
    ///
    /// # Errors
    /// [`Refusal`] when the node is stopping, as of every method here.
    pub async fn channels(&self) -> Result<Vec<ChannelView>, Refusal> {
        self.ask(|core| core.channels.values().map(crate::core::channel_view).collect()).await
    }

    /// What a drafter needs of a channel: identity, unique prefix of it, or label.
    ///
    /// # Errors
    /// [`Refusal`] when there is none or several.
    pub async fn context(&self, channel: &str) -> Result<ChannelContext, Refusal> {
        let channel = channel.to_owned();
        self.ask(move |core| core.context(core.channel_number(&channel)?)).await?
    }

    /// Reads a charter file and answers the charter it would be, in hexadecimal, with the context in
    /// which its proposer ratifies it. Nothing is kept.
    ///
    /// # Errors
    /// [`Refusal`] that names the key.
    pub async fn draft_charter(&self, text: &str) -> Result<(String, ChannelContext), Refusal> {
        let text = text.to_owned();
        self.ask(move |core| {
            let held = core.peers.values().filter_map(|held| held.last()).chain(std::iter::once(&core.own));
            let codes: BTreeMap<_, _> = held.map(|held| (held.text.code.clone(), held.party())).collect();
            let charter = charter_file::read(&text, &codes, core.me, random()?)?;
            let code = |party| codes.iter().find(|(_, id)| *id == party).map(|(code, _)| code.clone());
            let names: Vec<String> = charter.parties.iter().filter_map(code).collect();
            let id = charter.channel_id().to_string();
            Ok((hex(&charter.encode()), core.context_of(&charter, &names, id, 0)))
        })
        .await?
    }

    /// Proposes a charter with the proposer's ratification of it.
    ///
    /// # Errors
    /// [`Refusal`]; nothing is kept.
    pub async fn propose(&self, charter: &str, ratification: SubmitRequest) -> Result<Submitted, Refusal> {
        let bytes = from_hex(charter).ok_or_else(|| Refusal::refused("charter: not hexadecimal"))?;
        let charter =
            Charter::decode(&bytes).map_err(|error| Refusal::refused(format!("charter: {error}")))?;
        let known = Known { number: 0, id: charter.channel_id(), charters: vec![charter.clone()] };
        let face = Arc::new(Face { known, codes: Vec::new() });
        let checked = self.check(&face, &ratification)?;
        if checked.released.statement.kind != detente_protocol::entry::Kind::Ratify {
            return Err(Refusal::refused("statement: a proposal comes with its proposer's ratification"));
        }
        let id = face.known.id;
        self.ask(move |core| core.propose(charter)).await??;
        self.submit(&id.to_string(), ratification).await
    }

    fn check(&self, face: &Face, request: &SubmitRequest) -> Result<crate::release::Checked, Refusal> {
        let shared = &self.inner.shared;
        let desk = shared.desk.read().unwrap_or_else(PoisonError::into_inner).clone();
        let desk = desk.ok_or_else(|| Refusal::unavailable("no roster is in force"))?;
        let document = from_hex(&request.statement)
            .ok_or_else(|| Refusal::refused("statement: not hexadecimal in lower case"))?;
        let proof = from_hex(&request.proof)
            .ok_or_else(|| Refusal::refused("proof: not hexadecimal in lower case"))?;
        let offer = Offer { document, proof, accept_late: request.accept_late };
        desk.check(offer, &face.known, &face.codes, wall())
    }

    /// Checks a statement against the party's rule and enters it. Answers when it is durable; a
    /// statement entered before answers the same entry.
    ///
    /// # Errors
    /// [`Refusal`] that says what to correct; it is noted in the house log, and nothing is entered.
    pub async fn submit(&self, channel: &str, request: SubmitRequest) -> Result<Submitted, Refusal> {
        let face = self.face(channel).await?;
        let outcome = self.check(&face, &request).and_then(|checked| {
            let decode = |text: &String| from_hex(text);
            let blobs: Option<Vec<Vec<u8>>> = request.attachments.iter().map(decode).collect();
            let blobs = blobs.ok_or_else(|| Refusal::refused("attachments: not hexadecimal"))?;
            let named = &checked.released.statement.attachments;
            if !blobs.is_empty()
                && (blobs.len() != named.len() || blobs.iter().zip(named).any(|(b, h)| sha256(&[b]) != *h))
            {
                return Err(Refusal::refused("attachments: they are not those that the statement names"));
            }
            Ok((checked, blobs))
        });
        let (checked, blobs) = match outcome {
            Ok(checked) => checked,
            Err(refusal) => {
                let about = refusal.reason.clone();
                let _ = self.ask(move |core| core.note_in_house("refusal", &about)).await;
                return Err(refusal);
            }
        };
        let (answer, answered) = oneshot::channel();
        // One answer, when it is durable: to hear before that it was taken would wake the caller twice.
        self.tell(move |core| core.submit(checked, blobs, answer))?;
        let gone = "the node stopped before the statement was durable; offer the same statement again";
        answered.await.map_err(|_| Refusal::unavailable(gone))?
    }

    /// Whether `citation` is the full name of the entry that `reference` means, told without asking
    /// the core: what programs answer to, they have from an event. `false` says nothing.
    pub(crate) fn is_full_name(&self, citation: &str, reference: &Reference) -> bool {
        let faces = self.inner.shared.faces.read().unwrap_or_else(PoisonError::into_inner);
        let Some(face) = faces.get(&reference.channel) else { return false };
        let log = &reference.entry.log;
        let Some(place) = face.known.charter().party_index(log.party) else { return false };
        let Some(code) = face.codes.get(usize::from(place.0)) else { return false };
        if face.codes.iter().filter(|other| *other == code).count() != 1 {
            return false; // Two parties with one code: the core tells them apart.
        }
        let (id, lane, index) = (face.known.id, log.lane.word(), reference.entry.index);
        citation == format!("{id}/{code}/{lane}/{}.{index}", log.generation)
    }

    async fn face(&self, channel: &str) -> Result<Arc<Face>, Refusal> {
        let id = detente_protocol::names::ChannelId::parse(channel);
        if let Some(id) = id {
            let faces = self.inner.shared.faces.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(face) = faces.get(&id) {
                return Ok(Arc::clone(face));
            }
        }
        let selector = channel.to_owned();
        let id = self
            .ask(move |core| core.channel_number(&selector).map(|number| core.channels[&number].known.id))
            .await??;
        let faces = self.inner.shared.faces.read().unwrap_or_else(PoisonError::into_inner);
        faces
            .get(&id)
            .cloned()
            .ok_or_else(|| Refusal::not_found(format!("there is no channel {channel:?} here")))
    }

    /// Finds the one entry that a citation means, on one channel or on all.
    ///
    /// # Errors
    /// [`Refusal`] when there is none, or several, which it lists.
    pub async fn find(&self, channel: Option<&str>, citation: &str) -> Result<Found, Refusal> {
        let (channel, citation) = (channel.map(str::to_owned), citation.to_owned());
        self.ask(move |core| {
            let channel = channel.map(|channel| core.channel_number(&channel)).transpose()?;
            let (number, id) = core.find(channel, &citation)?;
            let brief = core.brief(number, &id)?;
            let brief =
                brief.ok_or_else(|| Refusal::not_found(format!("no entry {citation} is held here")))?;
            Ok(core.found(number, &id, &brief))
        })
        .await?
    }

    /// A message with what became of it; its text in `language`, if one is given.
    ///
    /// # Errors
    /// [`Refusal`] when the citation means no entry, or several.
    pub async fn message(&self, citation: &str, language: Option<Language>) -> Result<MessageView, Refusal> {
        let citation = citation.to_owned();
        self.ask(move |core| {
            let (number, id) = core.find(None, &citation)?;
            core.message_view(number, &id, language)
        })
        .await?
    }

    /// Notes that a person here has opened an entry of another party; a repetition changes nothing.
    ///
    /// # Errors
    /// [`Refusal`] when there is no such entry.
    pub async fn mark_opened(&self, citation: &str) -> Result<(), Refusal> {
        let citation = citation.to_owned();
        self.ask(move |core| core.mark_opened(&citation)).await?
    }

    /// Tells the others that a person has confirmed the watch here, until `until`.
    ///
    /// # Errors
    /// [`Refusal`] when there is no such channel.
    pub async fn presence(&self, channel: &str, until: Timestamp) -> Result<(), Refusal> {
        let channel = channel.to_owned();
        self.ask(move |core| {
            let number = core.channel_number(&channel)?;
            let state = core.channels.get_mut(&number);
            if let Some(state) = state
                && let Some(channel) = &mut state.channel
            {
                state.touched = true;
                channel.announce_presence(until.millis());
            }
            Ok(())
        })
        .await?
    }

    /// Events behind `cursor`, oldest first, at most `limit`.
    ///
    /// # Errors
    /// [`Refusal`] when old events cannot be read.
    pub fn events_since(&self, cursor: u64, limit: usize) -> Result<Vec<EventLine>, Refusal> {
        Ok(self.inner.shared.events.since(&self.inner.shared.store, cursor, limit)?)
    }

    /// Changes with every event; its value is the last cursor.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.inner.shared.events.subscribe()
    }

    /// Why the node has halted, once it has: the disk failed. The process should then end with 1.
    #[must_use]
    pub fn halted(&self) -> watch::Receiver<Option<String>> {
        self.inner.shared.halted.subscribe()
    }

    /// The whole state.
    ///
    /// # Errors
    /// [`Refusal`] when the disk does not say.
    pub async fn status(&self) -> Result<Status, Refusal> {
        self.ask(|core| core.status()).await?
    }

    /// Lines of a channel's journal from `from` on, in order of writing; the joint order is that of
    /// an export.
    ///
    /// # Errors
    /// [`Refusal`] when there is no such channel.
    pub async fn journal(
        &self,
        channel: &str,
        from: usize,
        limit: usize,
    ) -> Result<Vec<JournalLine>, Refusal> {
        let channel = channel.to_owned();
        self.ask(move |core| core.journal(&channel, from, limit)).await?
    }

    /// Takes in another party's credential after its words were compared.
    ///
    /// # Errors
    /// [`Refusal`]; nothing is kept.
    pub async fn peer_add(&self, bytes: Vec<u8>, words: &str) -> Result<PeerView, Refusal> {
        let words = words.to_owned();
        self.ask(move |core| {
            let held = peers::add(&core.store, &bytes, &words)?;
            core.note_in_house("peer", &format!("{} with words {}", held.text.code, held.text.words()))?;
            core.reload_peers()?;
            let listed = peers::list(&core.store)?;
            let id = held.party().to_string();
            listed.into_iter().find(|peer| peer.id == id).ok_or_else(|| Refusal::not_found("it is not kept"))
        })
        .await?
    }

    /// Officers were changed in the record: the roster in force is read anew.
    ///
    /// # Errors
    /// [`Refusal`] when it cannot be read.
    pub async fn officers_changed(&self) -> Result<(), Refusal> {
        self.ask(|core| {
            core.reload_desk()?;
            for state in core.channels.values_mut() {
                state.announced = false;
            }
            Ok(())
        })
        .await?
    }

    /// Stops as [`NodeHandle::shutdown`] does, and waits until its port can be bound again: for who
    /// starts the node anew in the same process. Takes some seconds when a peer is away.
    pub async fn shutdown_for_restart(self) {
        let listen = self.inner.listen;
        self.shutdown().await;
        port_free(listen).await;
    }

    /// Stops: what was accepted is durable, links take leave.
    pub async fn shutdown(self) {
        self.inner.inbox.stop();
        let thread = self.inner.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
        self.inner.pump.abort();
        let held = self.inner.held.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((endpoint, lock)) = held {
            // The last of its handles: the port is free when it is gone.
            endpoint.close().await;
            drop(lock);
        }
    }
}

/// The QUIC library keeps its socket until connections that were begun have run out, also towards
/// peers that are away: about three seconds.
async fn port_free(listen: std::net::SocketAddr) {
    for _ in 0..PORT_FREE_TRIES {
        if std::net::UdpSocket::bind(listen).is_ok() {
            return;
        }
        tokio::time::sleep(PORT_FREE_PAUSE).await;
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.inbox.stop();
        self.pump.abort();
    }
}

impl Core {
    /// Reads the roster in force and prepares its keys.
    pub(crate) fn reload_desk(&mut self) -> Result<(), Refusal> {
        let Some(roster) = credential::roster_in_force(&self.store)? else { return Ok(()) };
        let officers = officers::list(&self.store)?;
        let names =
            officers.into_iter().map(|officer| (officer.number, (officer.id, officer.name))).collect();
        let desk = ReleaseDesk::new(roster, self.shared.folder.config.file_keys, names);
        let mut held = self.shared.desk.write().unwrap_or_else(PoisonError::into_inner);
        *held = Some(Arc::new(desk));
        Ok(())
    }

    fn propose(&mut self, charter: Charter) -> Result<(), Refusal> {
        let id = charter.channel_id();
        if self.channels.values().any(|state| state.known.id == id) {
            return Ok(());
        }
        if self.channels.len() >= channels::CHANNELS_MAX {
            return Err(Refusal::refused("this node has as many channels as it can have"));
        }
        let label = charter.label.clone();
        let known = channels::keep(&self.store, &self.known(), charter)?;
        self.note_in_house("channel", &format!("{id} {label:?} is proposed by us"))?;
        self.open_known(vec![known])?;
        let now = self.now();
        self.introduce(now);
        Ok(())
    }

    fn mark_opened(&mut self, citation: &str) -> Result<(), Refusal> {
        let (number, id) = self.find(None, citation)?;
        if id.log.party == self.me || self.opened_here(number, &id)? {
            return Ok(());
        }
        let now = self.now();
        let Some(state) = self.channels.get_mut(&number) else { return Ok(()) };
        let Some(channel) = &mut state.channel else { return Ok(()) };
        state.touched = true;
        let missing = || Refusal::not_found(format!("no entry {citation} is held here"));
        let reference = channel.leaf_of(&id, &self.store)?.ok_or_else(missing)?;
        let written = channel.write_opened(now, &reference, &self.store);
        written.map(|_| ()).map_err(|error| Refusal::unavailable(error.to_string()))
    }

    fn opened_here(&self, number: u32, id: &EntryId) -> Result<bool, Refusal> {
        let view = self.message_view(number, id, None)?;
        let own = self.own.text.code.as_str();
        Ok(view.parties.iter().any(|party| party.party == own && party.opened_at.is_some()))
    }

    fn journal(&self, channel: &str, from: usize, limit: usize) -> Result<Vec<JournalLine>, Refusal> {
        let number = self.channel_number(channel)?;
        let state = &self.channels[&number];
        let mut heads: Vec<(EntryId, u64)> = Vec::new();
        for (log, _, size) in state.channel.iter().flat_map(|channel| channel.logs()) {
            heads.push((EntryId { log: *log, index: 0 }, size));
        }
        let mut lines = Vec::new();
        let mut passed = 0;
        // A merge of the logs by time: each head is looked at in brief.
        loop {
            let mut first: Option<(Timestamp, usize)> = None;
            for (place, (id, size)) in heads.iter().enumerate().filter(|(_, (id, size))| id.index < *size) {
                let _ = size;
                let written = self.brief(number, id)?.map_or(Timestamp::default(), |brief| brief.written);
                if first.is_none_or(|(earliest, _)| written < earliest) {
                    first = Some((written, place));
                }
            }
            let Some((_, place)) = first else { return Ok(lines) };
            let id = heads[place].0;
            heads[place].0.index += 1;
            passed += 1;
            if passed > from {
                if let Some(brief) = self.brief(number, &id)? {
                    let from = state.code_of(id.log.party);
                    let judged = self.judged(number, &id)?;
                    lines.push(JournalLine { found: self.found(number, &id, &brief), from, judged });
                }
                if lines.len() >= limit {
                    return Ok(lines);
                }
            }
        }
    }
}

/// The place of a party as the protocol counts it.
#[must_use]
pub fn party_index(place: usize) -> Option<PartyIndex> {
    u8::try_from(place).ok().filter(|place| *place < 16).map(PartyIndex)
}
