//! What channels ask for, done: commits, frames, and what clients are told.

use detente_crypto::Hash;
use detente_protocol::channel::{self, Event, Output};
use detente_protocol::entry::{Entry, Kind, Payload, SpokenEntry, WireReference};
use detente_protocol::judge::{Judged, Verdict};
use detente_protocol::names::{EntryId, LogKey, PartyIndex};
use detente_protocol::release::proof_travels;
use detente_transport::{LinkKey, Outgoing, Urgency};

use super::brief::Brief;
use super::views::Unsettled;
use super::{Core, wall};
use crate::api::EventView;
use crate::refusal::Refusal;

impl Core {
    /// Does everything the channels ask for.
    pub(crate) fn drain(&mut self) -> Result<(), Refusal> {
        let touched: Vec<u32> =
            self.channels.iter().filter(|(_, state)| state.touched).map(|(number, _)| *number).collect();
        for number in touched {
            loop {
                let now = self.now();
                let Some(state) = self.channels.get_mut(&number) else { break };
                state.touched = false;
                let Some(channel) = &mut state.channel else { break };
                if channel.wants_new_wrap() {
                    channel.renew_wrap(|| {
                        crate::folder::secrets::random().expect("the system still gives randomness")
                    });
                }
                let Some(output) = channel.poll(now, &self.store)? else { break };
                self.output(number, output)?;
            }
        }
        self.shared.events.wake();
        Ok(())
    }

    fn output(&mut self, number: u32, output: Output) -> Result<(), Refusal> {
        match output {
            Output::Commit { ticket, rows } => {
                // Nothing waits for lines of receipts: they go with the next batch that something
                // waits for, so that their sync does not stand before an entry's.
                let lines = rows.iter().all(|row| matches!(row.table, channel::LINES | channel::FACTS));
                self.views.defer(number, ticket, rows);
                if !lines {
                    // What was accepted may use the reserve; new content is refused before it is accepted.
                    self.commit_deferred(detente_journal::Batch::receipt(), Box::new(|_| ()));
                }
                Ok(())
            }
            Output::KeepEpoch { ticket, party, epoch } => {
                let now = self.now();
                let Some(state) = self.channels.get_mut(&number) else { return Ok(()) };
                self.keys.keep_epoch(state.known.id, party, &epoch)?;
                if let Some(channel) = &mut state.channel {
                    channel.committed(now, ticket, &self.store)?;
                }
                Ok(())
            }
            Output::Transmit { to, urgency, bytes } => {
                let Some(party) = self
                    .channels
                    .get(&number)
                    .and_then(|state| state.known.charter().parties.get(usize::from(to.0)).copied())
                else {
                    return Ok(());
                };
                let Some(held) = self.peers.get(&party).and_then(|held| held.last()) else { return Ok(()) };
                let urgency = match urgency {
                    detente_protocol::channel::Urgency::Emergency => Urgency::Emergency,
                    _ => Urgency::Ordinary,
                };
                let outgoing = Outgoing { frame: bytes.into(), urgency };
                self.sent_bytes += outgoing.frame.len() as u64;
                // A path that is down or full: what no receipt covers is sent again.
                let _ = self.endpoint.send(&LinkKey(held.text.node.link), outgoing);
                Ok(())
            }
            Output::Event(event) => self.event(number, event),
        }
    }

    fn event(&mut self, number: u32, event: Event) -> Result<(), Refusal> {
        match event {
            Event::Entry { id, leaf, judged, own, .. } => {
                if own {
                    self.answer_submitters(number, &id);
                }
                self.entry(number, id, leaf, &judged)
            }
            Event::Receipt { log, by, size, time_s, .. } => {
                if log.party == self.me {
                    let at = i64::try_from(time_s).unwrap_or(i64::MAX / 1000).saturating_mul(1000);
                    self.delivered(
                        number,
                        log,
                        by,
                        size,
                        Some(detente_encoding::Timestamp::from_millis(at)),
                    )?;
                }
                Ok(())
            }
            Event::Blob { hash } => self.blob(number, &hash),
            Event::Equivocation { party, log } => {
                let code = self.code(number, party);
                let detail =
                    format!("{code} signed two histories of its {} log {}", log.lane.word(), log.generation);
                self.tell_about(number, "equivocation", Some(code), &detail);
                self.alarm(&detail);
                Ok(())
            }
            Event::CheckFailed { id } => {
                let name = self.name_of(number, &id);
                self.alarm(&format!("{name}: its writer has seen another history than this node holds"));
                Ok(())
            }
            Event::ReceiptContradicts { log, by } => {
                let code = self.code(number, by);
                self.alarm(&format!(
                    "a receipt of {code} contradicts the {} log {}; one of the two signed two histories",
                    log.lane.word(),
                    log.generation
                ));
                Ok(())
            }
            Event::OwnLogBeyond { log, size } => {
                self.alarm(&format!(
                    "another party holds {size} entries of our {} log {}, more than this node: its store is older than it was",
                    log.lane.word(),
                    log.generation
                ));
                Ok(())
            }
            Event::Presence { party, until } => {
                let code = self.code(number, party);
                if let Some(state) = self.channels.get_mut(&number) {
                    state.presence.insert(party, until);
                }
                self.tell_about(
                    number,
                    "presence",
                    Some(code),
                    &format!("the watch is attended until {until}"),
                );
                Ok(())
            }
            Event::Flooding { party, lane } => {
                let code = self.channels.get(&number).map(|state| state.code_of(party)).unwrap_or_default();
                self.alarm(&format!("{code} opens logs of the {} lane faster than is taken", lane.word()));
                Ok(())
            }
            Event::EpochEnded { party, epoch } => {
                let Some(id) = self.channels.get(&number).map(|state| state.known.id) else { return Ok(()) };
                if let Err(error) = self.keys.forget_epoch(id, party, epoch) {
                    self.alarm(&format!("an epoch secret could not be destroyed: {error}"));
                }
                Ok(())
            }
            Event::Signed { .. } => Ok(()),
        }
    }

    fn entry(&mut self, number: u32, id: EntryId, leaf: Hash, judged: &Judged) -> Result<(), Refusal> {
        let told = self.views.told.get(&(number, id.log)).map_or(0, |told| told.entries);
        // Judged once more, after a start or because acts became known: only a change is told.
        if id.index < told {
            let before = self.judged(number, &id)?;
            let verdict = verdict_text(&judged.verdict);
            if before == verdict {
                return Ok(());
            }
            if let Some(row) = self.row_of(number, &id).filter(|_| verdict == "valid") {
                self.views.valid_after_all(&row);
            }
        }
        self.entries += 1;
        self.entry_told(number, id, leaf, judged)
    }

    /// Takes an entry into views and tells what it means to people.
    pub(crate) fn entry_told(
        &mut self,
        number: u32,
        id: EntryId,
        leaf: Hash,
        judged: &Judged,
    ) -> Result<(), Refusal> {
        if self.views.heavy() {
            let now = self.now();
            self.keep_views(now)?;
        }
        let Some(row) = self.row_of(number, &id) else { return Ok(()) };
        let log_number = self.log_number(number, &id.log);
        if let Some(log_number) = log_number {
            let told = self.views.progress(number, log_number, id.log);
            told.entries = told.entries.max(id.index + 1);
        }
        if judged.verdict != Verdict::Valid {
            let verdict = verdict_text(&judged.verdict);
            self.views.not_valid(&row, &verdict);
            let detail = format!("{} is {verdict}", self.name_of(number, &id));
            let by = self.channels.get(&number).map(|state| state.code_of(id.log.party));
            self.tell_about(number, "alarm", by, &detail);
            return Ok(());
        }
        let Some(entry) = &judged.entry else { return Ok(()) };
        let brief = Brief::of(entry, leaf);
        if let Some(state) = self.channels.get_mut(&number) {
            state.briefs.keep(id, brief.clone());
        }
        match entry {
            Entry::Spoken(spoken) => self.spoken(number, id, spoken, &brief, &row, judged.edition),
            Entry::Machine(machine) => match &machine.payload {
                Payload::Opened(reference) => {
                    self.refers(number, id, &brief, reference, &row, "opened", 35);
                    Ok(())
                }
                Payload::Test(_) => {
                    self.test_came(number, id, leaf);
                    Ok(())
                }
                Payload::TestAnswer(reference) => {
                    self.test_answered(number, id, reference, brief.written);
                    Ok(())
                }
                _ => Ok(()),
            },
        }
    }

    fn spoken(
        &mut self,
        number: u32,
        id: EntryId,
        spoken: &SpokenEntry,
        brief: &Brief,
        row: &[u8],
        edition: u32,
    ) -> Result<(), Refusal> {
        let kind = spoken.statement.kind;
        if kind.is_channel_act() {
            let by = self.channels.get(&number).map(|state| state.code_of(id.log.party));
            let detail = format!("{} by {}", kind.word(), by.clone().unwrap_or_default());
            self.tell_entry(number, "standing", &id, brief, by, None, Some(detail));
            return Ok(());
        }
        for reference in &spoken.statement.references {
            let word = match kind {
                Kind::Acknowledgement => "acknowledged",
                Kind::Decline => "refused",
                _ => "answered",
            };
            if kind.refers_to_one() {
                self.refers(number, id, brief, reference, row, word, kind as u8);
            }
        }
        if kind.is_message() {
            self.message(number, id, spoken, brief, row, edition)?;
        }
        Ok(())
    }

    fn message(
        &mut self,
        number: u32,
        id: EntryId,
        spoken: &SpokenEntry,
        brief: &Brief,
        row: &[u8],
        edition: u32,
    ) -> Result<(), Refusal> {
        let Some(state) = self.channels.get_mut(&number) else { return Ok(()) };
        let charter = state.known.edition(edition);
        let Some(writer) = charter.party_index(id.log.party) else { return Ok(()) };
        let all = (0..charter.parties.len()).filter_map(|place| u8::try_from(place).ok());
        let waiting = all
            .filter(|place| *place != writer.0)
            .filter(|place| brief.to.is_empty() || brief.to.contains(&PartyIndex(*place)))
            .collect();
        let deadline = brief.written.after(charter.acknowledge_ms(spoken.statement.precedence));
        let message = Unsettled::new(row.to_vec(), brief.number, brief.written, deadline, waiting);
        self.views.open(number, id, message);
        let by = Some(state.code(writer));
        if id.log.party == self.me {
            self.tell_entry(number, "released", &id, brief, by, None, None);
            return Ok(());
        }
        let travels = proof_travels(
            charter,
            spoken.statement.kind,
            spoken.statement.precedence,
            id.log.lane,
            spoken.statement.format,
        );
        if travels {
            state.tests.await_proof(spoken.placement.proof, id);
        }
        self.tell_entry(number, "received", &id, brief, by, None, None);
        if travels && self.store.blob(&spoken.placement.proof)?.is_some() {
            self.blob(number, &spoken.placement.proof)?;
        }
        Ok(())
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "an answer is an entry, what it refers to and what it means"
    )]
    fn refers(
        &mut self,
        number: u32,
        id: EntryId,
        brief: &Brief,
        reference: &WireReference,
        row: &[u8],
        word: &str,
        kind: u8,
    ) {
        let Some(state) = self.channels.get(&number) else { return };
        let Some(channel) = &state.channel else { return };
        let Some(reference) = channel.resolve(&id.log, reference) else { return };
        let Some(by) = state.known.charter().party_index(id.log.party) else { return };
        let code = state.code(by);
        let target = reference.entry;
        let Ok(Some(to)) = self.brief(number, &target) else { return };
        if to.leaf != reference.leaf {
            return; // It refers to what another history says at that place.
        }
        if let Some(to_row) = self.row_of(number, &target) {
            self.views.answered(&to_row, row, kind);
        }
        if word == "acknowledged" {
            self.views.acknowledged(number, target, by);
        }
        let answer = Some(self.name_of(number, &id));
        let at = brief.written;
        let mut event = self.event_of(number, word, &target, &to, Some(code), answer, None);
        event.at = at.to_string();
        self.views.event();
        self.shared.events.tell(event);
    }

    /// Tells that a party holds an own log up to `size`.
    pub(crate) fn delivered(
        &mut self,
        number: u32,
        log: LogKey,
        by: PartyIndex,
        size: u64,
        at: Option<detente_encoding::Timestamp>,
    ) -> Result<(), Refusal> {
        let Some(log_number) = self.log_number(number, &log) else { return Ok(()) };
        let from = self.views.told.get(&(number, log)).and_then(|told| told.delivered.get(&by.0)).copied();
        let from = from.unwrap_or(0);
        if size <= from {
            return Ok(());
        }
        self.views.progress(number, log_number, log).delivered.insert(by.0, size);
        let code = self.code(number, by);
        for index in from..size {
            let id = EntryId { log, index };
            let Some(brief) = self.brief(number, &id)? else { continue };
            if brief.is_message() {
                let mut event =
                    self.event_of(number, "delivered", &id, &brief, Some(code.clone()), None, None);
                event.at = at.unwrap_or_else(wall).to_string();
                self.views.event();
                self.shared.events.tell(event);
            }
        }
        Ok(())
    }

    /// A blob came: if it is a proof that was waited for, its verdict is told.
    fn blob(&mut self, number: u32, hash: &Hash) -> Result<(), Refusal> {
        let Some(state) = self.channels.get_mut(&number) else { return Ok(()) };
        let Some(id) = state.tests.proof_came(hash) else { return Ok(()) };
        let Some(brief) = self.brief(number, &id)? else { return Ok(()) };
        let Some((Entry::Spoken(spoken), _)) = self.read_entry(number, &id)? else { return Ok(()) };
        let release = self.release_of(number, &id, &spoken)?;
        let by = self.channels.get(&number).map(|state| state.code_of(id.log.party));
        let keys = release.keys.iter().map(u16::to_string).collect::<Vec<_>>().join(" and ");
        let detail = match release.reason {
            None => format!("released by keys {keys}, {}", release.verdict),
            Some(reason) => format!("{}: {reason}", release.verdict),
        };
        self.tell_entry(number, "release_proof", &id, &brief, by, None, Some(detail));
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "the fields of an event, in their order")]
    pub(crate) fn tell_entry(
        &mut self,
        number: u32,
        kind: &str,
        id: &EntryId,
        brief: &Brief,
        by: Option<String>,
        answer: Option<String>,
        detail: Option<String>,
    ) {
        let event = self.event_of(number, kind, id, brief, by, answer, detail);
        self.views.event();
        self.shared.events.tell(event);
    }

    #[expect(clippy::too_many_arguments, reason = "the fields of an event, in their order")]
    fn event_of(
        &self,
        number: u32,
        kind: &str,
        id: &EntryId,
        brief: &Brief,
        by: Option<String>,
        answer: Option<String>,
        detail: Option<String>,
    ) -> EventView {
        let state = self.channels.get(&number);
        let code = state.map(|state| state.code_of(id.log.party)).unwrap_or_default();
        EventView {
            cursor: 0,
            kind: kind.to_owned(),
            channel: state.map(|state| state.known.id.to_string()).unwrap_or_default(),
            entry: Some(self.name_of(number, id)),
            at: brief.written.to_string(),
            by,
            reference: Some(brief.reference(&code, id.log.lane)),
            what: Some(brief.word.to_owned()),
            precedence: brief.precedence.map(|precedence| precedence.word().to_owned()),
            leaf: Some(detente_encoding::text::hex(&brief.leaf.0)),
            answer,
            detail,
        }
    }

    /// Tells something about a channel that has no entry.
    pub(crate) fn tell_about(&mut self, number: u32, kind: &str, by: Option<String>, detail: &str) {
        let channel = self.channels.get(&number).map(|state| state.known.id.to_string()).unwrap_or_default();
        self.views.event();
        self.shared.events.tell(EventView {
            cursor: 0,
            kind: kind.to_owned(),
            channel,
            entry: None,
            at: wall().to_string(),
            by,
            reference: None,
            what: None,
            precedence: None,
            leaf: None,
            answer: None,
            detail: Some(detail.to_owned()),
        });
    }

    pub(crate) fn code(&self, number: u32, index: PartyIndex) -> String {
        self.channels.get(&number).map(|state| state.code(index)).unwrap_or_default()
    }

    fn log_number(&self, number: u32, log: &LogKey) -> Option<detente_protocol::channel::LogNumber> {
        let channel = self.channels.get(&number)?.channel.as_ref()?;
        channel.log_number(log)
    }

    /// An entry in brief, from memory or the record.
    pub(crate) fn brief(&self, number: u32, id: &EntryId) -> Result<Option<Brief>, Refusal> {
        if let Some(brief) = self.channels.get(&number).and_then(|state| state.briefs.find(id)) {
            return Ok(Some(brief.clone()));
        }
        Ok(self.read_entry(number, id)?.map(|(entry, leaf)| Brief::of(&entry, leaf)))
    }

    /// The full name of an entry: `CHANNEL/ALT/emergency/<number>-<run>.<index>`.
    pub(crate) fn name_of(&self, number: u32, id: &EntryId) -> String {
        let Some(state) = self.channels.get(&number) else { return String::new() };
        let log = &id.log;
        let code = state.code_of(log.party);
        format!("{}/{code}/{}/{}.{}", state.known.id, log.lane.word(), log.generation, id.index)
    }
}

/// A verdict as journals write it.
pub(crate) fn verdict_text(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Valid => "valid".to_owned(),
        Verdict::Void(clause) => format!("void:{clause}"),
        Verdict::NotYetUnderstood => "not-yet-understood".to_owned(),
        Verdict::Waiting => "waiting".to_owned(),
    }
}
