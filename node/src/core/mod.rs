//! The core thread: owner of every channel, and the one place where things happen in order.
//!
//! ```text
//!   frames, completions, commands ─▶ inbox ─▶ all that waits ─▶ channels ─▶ poll ─▶ commits, frames, events
//! ```
//! It takes everything that waits before it asks the channels what to do, so under load one commit,
//! one signature and one frame serve many entries. It never waits for disk, peer or client.

mod automatic;
mod brief;
mod inbox;
mod lookup;
mod open;
mod outputs;
mod status;
mod submit;
mod view;
mod views;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use detente_encoding::Timestamp;
use detente_journal::Engine;
use detente_protocol::channel::{Channel, Now};
use detente_protocol::names::{ChannelId, EntryId, PartyId, Run};
use detente_transport::{Endpoint, LinkKey};

use crate::channels::Known;
use crate::credential::Held;
use crate::events::Events;
use crate::folder::Folder;
use crate::house_log::HouseLog;
use crate::keys::KeyRing;
use crate::refusal::Refusal;
use crate::release::ReleaseDesk;
use crate::store::Store;

pub(crate) use brief::Brief;
pub(crate) use inbox::{FromPath, Inbox};
pub(crate) use open::Face;
pub(crate) use status::channel_view;
pub(crate) use views::Views;

/// Views and events are kept this long after they were told.
const KEEP_EVERY_MS: u64 = 250;
/// Automatic things are looked at this often.
const LOOK_EVERY_MS: u64 = 1_000;
/// New content is refused below twice the engine's reserve, so that what was accepted always fits.
const RESERVE_FACTOR: u64 = 2;

/// What other threads may look at without asking the core.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) folder: Folder,
    pub(crate) store: Store,
    pub(crate) events: Events,
    /// Channels by identity, as release checks need them.
    pub(crate) faces: std::sync::RwLock<BTreeMap<ChannelId, Arc<Face>>>,
    /// The roster in force; `None` before the first credential export.
    pub(crate) desk: std::sync::RwLock<Option<Arc<ReleaseDesk>>>,
    /// Why the node has halted, if so.
    pub(crate) halted: tokio::sync::watch::Sender<Option<String>>,
}

/// Everything the core thread owns.
pub(crate) struct Core {
    pub(crate) shared: Arc<Shared>,
    pub(crate) store: Store,
    pub(crate) keys: KeyRing,
    pub(crate) me: PartyId,
    pub(crate) own: Held,
    pub(crate) peers: BTreeMap<PartyId, Vec<Held>>,
    pub(crate) links: BTreeMap<LinkKey, PartyId>,
    pub(crate) endpoint: Endpoint,
    pub(crate) inbox: Arc<Inbox>,
    pub(crate) house: HouseLog,
    pub(crate) run: Run,
    pub(crate) started: Instant,
    pub(crate) channels: BTreeMap<u32, open::State>,
    pub(crate) views: views::Views,
    pub(crate) accepts: bool,
    pub(crate) alarms: Vec<String>,
    pub(crate) entries: u64,
    /// Bytes of frames handed to paths.
    pub(crate) sent_bytes: u64,
    pub(crate) looked_ms: u64,
    pub(crate) releases: Vec<String>,
    /// Who waits for entries to be durable.
    pub(crate) submitted: BTreeMap<(u32, EntryId), Vec<(crate::api::Submitted, submit::Answer)>>,
}

impl Core {
    /// Both clocks.
    pub(crate) fn now(&self) -> Now {
        let mono_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX) + 1;
        Now { wall: wall(), mono_ms }
    }

    /// Runs until told to stop or until the record fails.
    pub(crate) fn run(mut self) {
        let _ended = Ended(Arc::clone(&self.shared));
        let outcome = self.work();
        if let Err(refusal) = outcome {
            self.alarm(&format!("the node has halted: {refusal}"));
            self.shared.halted.send_replace(Some(refusal.reason));
        }
        self.shared.events.wake();
    }

    fn work(&mut self) -> Result<(), Refusal> {
        self.drain()?;
        loop {
            let waiting = self.inbox.take(self.pause());
            for (channel, ticket, outcome) in waiting.durable {
                outcome.map_err(|error| Refusal::unavailable(error.to_string()))?;
                let now = self.now();
                if let Some(state) = self.channels.get_mut(&channel)
                    && let Some(channel) = &mut state.channel
                {
                    state.touched = true;
                    channel.committed(now, ticket, &self.store)?;
                }
            }
            for item in waiting.paths {
                self.path_says(item)?;
            }
            for command in waiting.commands {
                command(self);
            }
            self.tick()?;
            self.drain()?;
            if waiting.stop {
                return self.finish();
            }
        }
    }

    /// How long nothing needs to be done, if nothing comes.
    fn pause(&self) -> Duration {
        let now = self.now().mono_ms;
        let mut next = self.looked_ms + LOOK_EVERY_MS;
        if self.views.dirty() {
            next = next.min(self.views.kept_ms + KEEP_EVERY_MS);
        }
        for state in self.channels.values() {
            if let Some(channel) = &state.channel {
                next = next.min(channel.deadline());
            }
        }
        // Not below a millisecond: a deadline in the past was looked at already.
        Duration::from_millis(next.saturating_sub(now).max(1))
    }

    fn tick(&mut self) -> Result<(), Refusal> {
        let now = self.now();
        for state in self.channels.values_mut() {
            if let Some(channel) = &mut state.channel
                && channel.deadline() <= now.mono_ms
            {
                state.touched = true;
                channel.tick(now, &self.store)?;
            }
        }
        if now.mono_ms >= self.looked_ms + LOOK_EVERY_MS {
            self.looked_ms = now.mono_ms;
            self.look(now)?;
        }
        if self.views.dirty() && now.mono_ms >= self.views.kept_ms + KEEP_EVERY_MS {
            self.keep_views(now)?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Refusal> {
        let now = self.now();
        // What was accepted becomes durable; what it causes is for the next run.
        let completion = self.keep_views(now)?;
        if let Some(completion) = completion {
            completion.wait().map_err(|error| Refusal::unavailable(error.to_string()))?;
        }
        Ok(())
    }

    fn path_says(&mut self, item: FromPath) -> Result<(), Refusal> {
        match item {
            FromPath::Frame(link, bytes) => self.frame(link, &bytes),
            FromPath::Changed(link, up, why) => self.path_changed(link, up, &why),
        }
    }

    fn frame(&mut self, link: LinkKey, bytes: &[u8]) -> Result<(), Refusal> {
        let Some(party) = self.links.get(&link).copied() else { return Ok(()) };
        if bytes.get(1) == Some(&9) {
            return self.introduced(bytes);
        }
        // Content waits at its sender while the disk is nearly full; receipts still come in.
        if !self.accepts && matches!(bytes.get(1), Some(1 | 5 | 7)) {
            return Ok(());
        }
        let now = self.now();
        let mut candidates: Vec<u32> = Vec::new();
        for (number, state) in &self.channels {
            if state.channel.is_some() && state.known.charter().parties.contains(&party) {
                candidates.push(*number);
            }
        }
        if candidates.len() > 1 {
            let recognises = |number: &u32| {
                self.channels[number].channel.as_ref().is_some_and(|channel| channel.recognises(bytes))
            };
            if let Some(found) = candidates.iter().copied().find(recognises) {
                candidates = vec![found];
            }
        }
        for number in candidates {
            if let Some(state) = self.channels.get_mut(&number)
                && let Some(channel) = &mut state.channel
            {
                state.touched = true;
                channel.handle(now, bytes, &self.store)?;
            }
        }
        Ok(())
    }

    fn path_changed(&mut self, link: LinkKey, up: bool, why: &str) -> Result<(), Refusal> {
        let Some(party) = self.links.get(&link).copied() else { return Ok(()) };
        let now = self.now();
        let numbers: Vec<u32> = self.channels.keys().copied().collect();
        for number in numbers {
            let Some(state) = self.channels.get_mut(&number) else { continue };
            let Some(index) = state.known.charter().party_index(party) else { continue };
            state.introduce_again.insert(party, 0);
            if up && let Some(channel) = &mut state.channel {
                state.touched = true;
                channel.path_up(now, index, &self.store)?;
            }
            let code = state.code(index);
            let detail = if up {
                format!("a path to {code} is up")
            } else {
                format!("a path to {code} is down: {why}")
            };
            self.tell_about(number, "line", Some(code), &detail);
        }
        self.introduce(now);
        Ok(())
    }

    /// An alarm that stands until the node is started anew.
    pub(crate) fn alarm(&mut self, what: &str) {
        if self.alarms.len() < 64 && !self.alarms.iter().any(|alarm| alarm == what) {
            self.alarms.push(what.to_owned());
        }
        self.shared.events.tell(crate::api::EventView {
            cursor: 0,
            kind: "alarm".to_owned(),
            channel: String::new(),
            entry: None,
            at: wall().to_string(),
            by: None,
            reference: None,
            what: None,
            precedence: None,
            leaf: None,
            answer: None,
            detail: Some(what.to_owned()),
        });
    }

    /// Looks at the disk: whether new content is accepted.
    pub(crate) fn look_at_disk(&mut self) {
        let accepts = self
            .store
            .engine()
            .space()
            .is_ok_and(|space| space.free_bytes >= space.reserve_bytes.saturating_mul(RESERVE_FACTOR));
        if self.accepts && !accepts {
            self.alarm("the disk is nearly full: no new messages are accepted until there is room");
        }
        if !self.accepts && accepts {
            self.alarms.retain(|alarm| !alarm.starts_with("the disk is nearly full"));
        }
        self.accepts = accepts;
    }

    pub(crate) fn open_channel_of(&mut self, id: ChannelId) -> Option<(u32, &mut Channel)> {
        let (number, state) = self.channels.iter_mut().find(|(_, state)| state.known.id == id)?;
        state.touched = true;
        state.channel.as_mut().map(|channel| (*number, channel))
    }

    pub(crate) fn known(&self) -> Vec<Known> {
        self.channels.values().map(|state| state.known.clone()).collect()
    }
}

/// Says that the core is gone if it ended by a panic: a node without it must not seem to run.
struct Ended(Arc<Shared>);

impl Drop for Ended {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let why = "a bug ended the core thread; what was acknowledged is safe, start the node again";
            self.0.halted.send_replace(Some(why.to_owned()));
        }
    }
}

/// What people's clocks say.
pub(crate) fn wall() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
