//! Standing, line, contact and clocks: what the watch sees at a glance.

use std::collections::BTreeMap;

use detente_encoding::text::hex;
use detente_journal::Engine;
use detente_protocol::judge::Standing;
use detente_protocol::names::PartyIndex;
use detente_transport::{LinkKey, PathState, PathStatus};

use super::open::State;
use super::{Core, wall};
use crate::api::{
    ChannelContext, ChannelStatus, ChannelView, ClockView, DiskView, LineView, PartyView, PathView,
    RosterKeyView, Status,
};
use crate::officers::role_words;
use crate::refusal::Refusal;

/// Without anything authentic for so long the line is degraded; for twice as long unreachable.
const DEGRADED_MS: u64 = 30_000;
const UNREACHABLE_MS: u64 = 60_000;
/// Tests in a row without an answer after which the line is unreachable.
const TESTS_MISSED: u32 = 2;
/// Clocks listed of one channel.
const CLOCKS_MAX: usize = 256;

/// The word for a channel's standing.
pub(crate) fn standing_word(standing: &Standing) -> &'static str {
    if standing.closed.is_some() {
        "closed"
    } else if standing.edition == 0 {
        "proposed"
    } else if !standing.suspensions.is_empty() {
        "suspended"
    } else {
        "open"
    }
}

/// A channel in a list, given how it stands.
pub(crate) fn channel_view(state: &State) -> ChannelView {
    let charter = state.known.charter();
    let standing = state.channel.as_ref().map(detente_protocol::channel::Channel::standing);
    let mut by: Vec<String> = Vec::new();
    let mut word = "proposed";
    if let Some(standing) = &standing {
        word = standing_word(standing);
        let acts = standing.closed.iter().chain(&standing.suspensions);
        by = acts.map(|act| state.code_of(act.log.party)).collect();
        by.sort();
        by.dedup();
    }
    let ratified = state.channel.as_ref().map(|channel| channel.ratified_by(1)).unwrap_or_default();
    ChannelView {
        channel: state.known.id.to_string(),
        label: charter.label.clone(),
        level: charter.level.word().to_owned(),
        parties: state.codes.clone(),
        standing: word.to_owned(),
        ratified: ratified.into_iter().map(|party| state.code_of(party)).collect(),
        by,
        problem: state.problem.clone(),
    }
}

impl Core {
    /// The node's whole state.
    pub(crate) fn status(&self) -> Result<Status, Refusal> {
        let space = self.store.engine().space().map_err(crate::store::StoreError::from)?;
        let counters = self.store.engine().counters();
        let paths = self.endpoint.status();
        let channels =
            self.channels.iter().map(|(number, state)| self.channel_status(*number, state, &paths));
        Ok(Status {
            party: self.own.text.code.clone(),
            id: self.me.to_string(),
            now: wall().to_string(),
            running_s: self.started.elapsed().as_secs(),
            listen: self.endpoint.local_addr().to_string(),
            disk: DiskView {
                free_bytes: space.free_bytes,
                reserve_bytes: space.reserve_bytes,
                used_bytes: space.used_bytes,
                accepts: self.accepts,
            },
            commits: counters.batches,
            syncs: counters.syncs,
            sent_bytes: self.sent_bytes,
            entries: self.entries,
            alarms: self.alarms.clone(),
            channels: channels.collect(),
        })
    }

    fn channel_status(&self, number: u32, state: &State, paths: &[PathStatus]) -> ChannelStatus {
        let others = state.known.charter().parties.iter().enumerate().filter(|(_, party)| **party != self.me);
        let line = others.map(|(place, _)| {
            let index = PartyIndex(u8::try_from(place).expect("at most 16 parties"));
            self.line(state, index, paths)
        });
        let counters = state.channel.as_ref().map(|channel| channel.counters()).unwrap_or_default();
        let counters = BTreeMap::from([
            ("malformed".to_owned(), counters.malformed),
            ("unknown_tag".to_owned(), counters.unknown_tag),
            ("line_refused".to_owned(), counters.line_refused),
            ("beyond_gap".to_owned(), counters.beyond_gap),
            ("generations_held_back".to_owned(), counters.generations_held_back),
            ("too_long".to_owned(), counters.too_long),
        ]);
        ChannelStatus {
            channel: channel_view(state),
            line: line.collect(),
            contact: self.contact(number, state),
            clocks: self.clocks(number, state),
            counters,
        }
    }

    /// When each party last spoke: the last spoken entry of its logs.
    fn contact(&self, number: u32, state: &State) -> BTreeMap<String, Option<String>> {
        let mut contact: BTreeMap<String, Option<String>> =
            state.codes.iter().map(|code| (code.clone(), None)).collect();
        let logs = state.channel.iter().flat_map(|channel| channel.logs());
        for (log, _, size) in logs {
            // The newest logs count; a few entries back are enough, machine entries between them.
            for index in (size.saturating_sub(16)..size).rev() {
                let id = detente_protocol::names::EntryId { log: *log, index };
                let Ok(Some(brief)) = self.brief(number, &id) else { continue };
                if brief.number > 0 {
                    let spoke = contact.entry(state.code_of(log.party)).or_default();
                    let at = brief.written.to_string();
                    if spoke.as_ref().is_none_or(|known| *known < at) {
                        *spoke = Some(at);
                    }
                    break;
                }
            }
        }
        contact
    }

    fn clocks(&self, number: u32, state: &State) -> Vec<ClockView> {
        let now = wall();
        let mut clocks = Vec::new();
        for ((_, id), message) in
            self.views.unsettled.iter().filter(|((channel, _), _)| *channel == number).take(CLOCKS_MAX)
        {
            let code = state.code_of(id.log.party);
            let (year, ..) = message.written.date();
            let series = if id.log.lane == detente_protocol::names::Lane::Exercise { "EX/" } else { "" };
            for place in &message.waiting {
                clocks.push(ClockView {
                    entry: self.name_of(number, id),
                    reference: format!("{code}/{series}{year}/{:04}", message.number),
                    party: state.code(PartyIndex(*place)),
                    what: "acknowledge".to_owned(),
                    due: message.deadline.to_string(),
                    overdue: message.deadline < now,
                });
            }
        }
        clocks.sort_by(|a, b| a.due.cmp(&b.due));
        clocks.truncate(CLOCKS_MAX);
        clocks
    }

    fn line(&self, state: &State, index: PartyIndex, paths: &[PathStatus]) -> LineView {
        let party = state.known.charter().parties[usize::from(index.0)];
        let link =
            self.peers.get(&party).and_then(|held| held.last()).map(|held| LinkKey(held.text.node.link));
        let paths: Vec<PathView> =
            paths.iter().filter(|path| Some(path.peer) == link).map(path_view).collect();
        let heard = state.channel.as_ref().map_or(0, |channel| channel.heard_ms(index));
        let heard_ms = (heard > 0).then(|| self.now().mono_ms.saturating_sub(heard));
        let (tests_unanswered, answered) = state.tests.of(party);
        let up = paths.iter().any(|path| path.up);
        let code = state.code(index);
        let (verdict, evidence) = match (up, heard_ms) {
            _ if state.channel.is_none() => ("not_yet_heard", state.problem.clone().unwrap_or_default()),
            (_, Some(ms)) if ms < DEGRADED_MS && tests_unanswered < TESTS_MISSED => {
                ("up", format!("a receipt or message of {code} came {} s ago", ms / 1000))
            }
            (false, _) => ("path_down", format!("no path to {code} is up")),
            (true, None) => ("not_yet_heard", format!("a path to {code} is up, and nothing has come yet")),
            (true, Some(ms)) if ms >= UNREACHABLE_MS || tests_unanswered >= TESTS_MISSED => (
                "unreachable",
                format!(
                    "the last receipt of {code} came {} s ago; {tests_unanswered} tests are unanswered",
                    ms / 1000
                ),
            ),
            (true, Some(ms)) => ("degraded", format!("the last receipt of {code} came {} s ago", ms / 1000)),
        };
        LineView {
            party: code,
            verdict: verdict.to_owned(),
            evidence,
            paths,
            heard_s: heard_ms.map(|ms| ms / 1000),
            watch_until: state.presence.get(&index).filter(|until| **until > wall()).map(ToString::to_string),
            tests_unanswered,
            test_answered_at: answered.map(|at| at.to_string()),
        }
    }

    /// What a drafter needs of a channel.
    pub(crate) fn context(&self, number: u32) -> Result<ChannelContext, Refusal> {
        let state = &self.channels[&number];
        let charter = state.known.charter();
        let edition = state.channel.as_ref().map_or(0, |channel| channel.standing().edition);
        Ok(self.context_of(charter, &state.codes, state.known.id.to_string(), edition))
    }

    pub(crate) fn context_of(
        &self,
        charter: &detente_protocol::charter::Charter,
        codes: &[String],
        channel: String,
        edition: u32,
    ) -> ChannelContext {
        let party = |(place, id): (usize, &detente_protocol::names::PartyId)| {
            let own = *id == self.me;
            let text = if own { Some(&self.own) } else { self.peers.get(id).and_then(|held| held.last()) };
            PartyView {
                id: id.to_string(),
                code: codes.get(place).cloned().unwrap_or_default(),
                names: text.map(|held| held.text.names.clone()).unwrap_or_default(),
                language: charter.languages[place].clone(),
                own,
            }
        };
        let catalogue = detente_formats::Catalogue::embedded();
        let format = |format: &detente_protocol::statement::FormatRef| {
            let known = u16::try_from(format.number).ok().and_then(|number| catalogue.by_number(number));
            let code = known.map_or_else(|| format.number.to_string(), |known| known.code.clone());
            format!("{code}/{}", format.edition)
        };
        let desk = self.shared.desk.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        let keys = desk.iter().flat_map(|desk| {
            desk.roster.keys.iter().map(|key| {
                let (officer, name) = desk.officers.get(&key.key.number).cloned().unwrap_or_default();
                let file = key.key.kind == detente_crypto::assertion::ReleaseKeyKind::File;
                RosterKeyView {
                    number: key.key.number,
                    person: key.person,
                    officer,
                    name,
                    roles: role_words(key.roles),
                    kind: if file { "file" } else { "passkey" }.to_owned(),
                    public: hex(key.key.public.as_bytes()),
                }
            })
        });
        ChannelContext {
            channel,
            label: charter.label.clone(),
            party: self.me.to_string(),
            edition,
            charter: hex(&charter.hash().0),
            parties: charter.parties.iter().enumerate().map(party).collect(),
            formats: charter.formats.as_ref().map(|formats| formats.iter().map(format).collect()),
            release_default: charter.release_default,
            keys: keys.collect(),
            file_keys: self.shared.folder.config.file_keys,
            now: wall().to_string(),
        }
    }
}

fn path_view(path: &PathStatus) -> PathView {
    let kind = path.kind.to_string();
    match &path.state {
        PathState::Up { since, heard, .. } => {
            PathView { kind, up: true, since_s: since.as_secs(), heard_s: Some(heard.as_secs()), why: None }
        }
        PathState::Down { since, why, heard } => PathView {
            kind,
            up: false,
            since_s: since.as_secs(),
            heard_s: heard.map(|heard| heard.as_secs()),
            why: why.map(|why| why.to_string()),
        },
    }
}
