//! A message with what became of it: who holds it, opened it, took it over, answered.

use detente_crypto::SUITE_1;
use detente_encoding::Timestamp;
use detente_formats::{Heading, Language, render};
use detente_journal::{Engine, Scan};
use detente_protocol::channel::{LINES, LineKind, LogNumber, Record, read_line};
use detente_protocol::entry::{Entry, Kind, SpokenEntry};
use detente_protocol::names::{EntryId, LogKey, PartyIndex};
use detente_protocol::release::{Proof, Verdict, proof_travels, satisfies};

use super::{Core, wall};
use crate::api::{AnswerView, MessageView, PartyState, ReleaseView};
use crate::compose::message_of;
use crate::refusal::Refusal;
use crate::store::{ANSWERS, StoreError};

/// Answers listed of one message.
const ANSWERS_MAX: usize = 1024;

impl Core {
    /// A message as people ask for it, its text in `language`.
    pub(crate) fn message_view(
        &self,
        number: u32,
        id: &EntryId,
        language: Option<Language>,
    ) -> Result<MessageView, Refusal> {
        let name = self.name_of(number, id);
        let missing = || Refusal::not_found(format!("no entry {name} is held here"));
        let brief = self.brief(number, id)?.ok_or_else(missing)?;
        let (entry, _) = self.read_entry(number, id)?.ok_or_else(missing)?;
        let state = &self.channels[&number];
        let answers = self.answers(number, id)?;
        let mut view = MessageView {
            found: self.found(number, id, &brief),
            channel: state.known.id.to_string(),
            from: state.code_of(id.log.party),
            to: Vec::new(),
            judged: self.judged(number, id)?,
            delivered_at: None,
            acknowledged_at: None,
            parties: Vec::new(),
            answers: Vec::new(),
            release: ReleaseView {
                verdict: "not_asked_for".to_owned(),
                keys: Vec::new(),
                file_key: false,
                reason: None,
            },
            message: None,
            text: None,
            attachments: Vec::new(),
        };
        let Entry::Spoken(spoken) = &entry else { return Ok(view) };
        view.release = self.release_of(number, id, spoken)?;
        for place in 0..state.codes.len() {
            let index = PartyIndex(u8::try_from(place).expect("at most 16 parties"));
            let party = state.known.charter().parties[place];
            if party != id.log.party && (brief.to.is_empty() || brief.to.contains(&index)) {
                view.parties.push(self.party_state(number, id, spoken, index, &answers)?);
            }
        }
        view.to = view.parties.iter().map(|party| party.party.clone()).collect();
        view.delivered_at = last(&view.parties, |party| party.delivered_at.as_ref());
        view.acknowledged_at = last(&view.parties, |party| party.acknowledged_at.as_ref());
        for attachment in &spoken.statement.attachments {
            view.attachments.push((attachment.to_string(), self.store.blob(attachment)?.is_some()));
        }
        for answer in &answers {
            let code = state.code_of(answer.id.log.party);
            view.answers.push(AnswerView {
                entry: self.name_of(number, &answer.id),
                reference: answer.brief.reference(&code, answer.id.log.lane),
                kind: answer.brief.word.to_owned(),
                party: code,
                at: answer.brief.written.to_string(),
            });
        }
        self.words(number, id, spoken, language, &mut view);
        Ok(view)
    }

    fn words(
        &self,
        number: u32,
        id: &EntryId,
        spoken: &SpokenEntry,
        language: Option<Language>,
        view: &mut MessageView,
    ) {
        let state = &self.channels[&number];
        let cite = |reference: &detente_protocol::entry::WireReference| {
            let target = state.channel.as_ref().and_then(|channel| channel.resolve(&id.log, reference));
            let Some(target) = target else { return "?".to_owned() };
            if target.channel != state.known.id {
                return self.on_another_channel(&target);
            }
            let brief = self.brief(number, &target.entry).ok().flatten();
            let code = state.code_of(target.entry.log.party);
            brief.map_or_else(|| "?".to_owned(), |brief| brief.reference(&code, target.entry.log.lane))
        };
        if !spoken.statement.kind.is_message() && spoken.statement.body.is_null() {
            return;
        }
        let Ok(message) = message_of(&spoken.statement, id.log.lane, &state.codes, cite) else { return };
        view.message = Some(message.to_json());
        let Some(language) = language else { return };
        let name = |code: &str| self.party_name(code, language);
        let to: Vec<String> = view.to.iter().map(|code| name(code)).collect();
        let heading = Heading {
            reference: &view.found.reference,
            lane: detente_formats::Lane::from_number(id.log.lane as u64).expect("the same three lanes"),
            from: &name(&view.from),
            to: &to,
            written_at: spoken.written(),
            received_at: None,
        };
        view.text = Some(render(&message, &heading, language));
    }

    fn on_another_channel(&self, target: &detente_protocol::entry::Reference) -> String {
        let state = self.channels.iter().find(|(_, state)| state.known.id == target.channel);
        match state {
            Some((number, state)) => {
                let brief = self.brief(*number, &target.entry).ok().flatten();
                let code = state.code_of(target.entry.log.party);
                brief.map_or_else(|| "?".to_owned(), |brief| brief.reference(&code, target.entry.log.lane))
            }
            None => "on a channel not held here".to_owned(),
        }
    }

    /// A party's name in a language; English, any other, or its code where it has none.
    fn party_name(&self, code: &str, language: Language) -> String {
        let own = std::iter::once(&self.own);
        let held = own.chain(self.peers.values().filter_map(|held| held.last()));
        let names = held.map(|held| &held.text).find(|text| text.code == code).map(|text| &text.names);
        let name = names.and_then(|names| {
            names.get(language.code()).or_else(|| names.get("en")).or_else(|| names.values().next())
        });
        name.map_or_else(|| code.to_owned(), |name| format!("{name} ({code})"))
    }

    fn party_state(
        &self,
        number: u32,
        id: &EntryId,
        spoken: &SpokenEntry,
        party: PartyIndex,
        answers: &[Answer],
    ) -> Result<PartyState, Refusal> {
        let state = &self.channels[&number];
        let of = state.known.charter().parties[usize::from(party.0)];
        let theirs = || answers.iter().filter(|answer| answer.id.log.party == of);
        let acknowledgement = theirs().find(|answer| answer.brief.kind == Some(Kind::Acknowledgement));
        let deadline = spoken
            .written()
            .after(state.known.edition(spoken.statement.edition).acknowledge_ms(spoken.statement.precedence));
        let mut delivered = self.receipt(number, id, party)?;
        if let Some(first) = theirs().map(|answer| answer.brief.written).min() {
            delivered = Some(delivered.map_or(first, |receipt| receipt.min(first)));
        }
        let acknowledged_at = acknowledgement.map(|answer| answer.brief.written);
        let needs = spoken.statement.kind.is_message();
        Ok(PartyState {
            party: state.code(party),
            delivered_at: delivered.map(|at| at.to_string()),
            opened_at: theirs()
                .filter(|answer| answer.brief.kind.is_none())
                .map(|answer| answer.brief.written)
                .min()
                .map(|at| at.to_string()),
            acknowledged_at: acknowledged_at.map(|at| at.to_string()),
            acknowledgement: acknowledgement.map(|answer| self.name_of(number, &answer.id)),
            deadline: needs.then(|| deadline.to_string()),
            overdue: needs && acknowledged_at.is_none() && wall() > deadline,
        })
    }

    /// The first receipt of a party that covers an entry.
    fn receipt(&self, number: u32, id: &EntryId, party: PartyIndex) -> Result<Option<Timestamp>, Refusal> {
        let Some(channel) = &self.channels[&number].channel else { return Ok(None) };
        let Some(log) = channel.log_number(&id.log) else { return Ok(None) };
        if channel.cosigned_size(&id.log, party) <= id.index {
            return Ok(None);
        }
        let mut from = log.at(id.index + 1);
        let to = [&log.prefix()[..], &[0xff; 9]].concat();
        loop {
            let rows = self.store.scan(LINES, &from, &to, 256)?;
            let Some((last, _)) = rows.last() else { return Ok(None) };
            from = [&last[..], &[0]].concat();
            let line = rows.iter().find_map(|(key, value)| {
                read_line(id.log, key, value)
                    .filter(|line| line.kind == LineKind::Receipt && line.signer == party)
            });
            if let Some(line) = line {
                let seconds = i64::try_from(line.time_s).unwrap_or(i64::MAX / 1000);
                return Ok(Some(Timestamp::from_millis(seconds.saturating_mul(1000))));
            }
        }
    }

    /// What the record says of an entry: valid, or the clause it breaks.
    pub(crate) fn judged(&self, number: u32, id: &EntryId) -> Result<String, Refusal> {
        let Some(row) = self.row_of(number, id) else { return Ok("waiting".to_owned()) };
        let key = [&row[..], b"!"].concat();
        let found = self.store.engine().read(ANSWERS, &key).map_err(StoreError::from)?;
        Ok(found.and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_else(|| "valid".to_owned()))
    }

    fn answers(&self, number: u32, id: &EntryId) -> Result<Vec<Answer>, Refusal> {
        let Some(row) = self.row_of(number, id) else { return Ok(Vec::new()) };
        let channel = self.channels[&number].channel.as_ref();
        let logs: Vec<(LogKey, LogNumber)> =
            channel.iter().flat_map(|c| c.logs()).map(|(log, number, _)| (*log, number)).collect();
        let page = self
            .store
            .engine()
            .scan(&Scan::prefix(ANSWERS, &row).limit(ANSWERS_MAX))
            .map_err(StoreError::from)?;
        let mut keys: Vec<Vec<u8>> = page.rows.into_iter().map(|row| row.key).collect();
        // What was told and is not kept yet stands in the batch; it is at most a moment old.
        keys.extend(self.views.answers_waiting(&row));
        keys.sort();
        keys.dedup();
        let mut found = Vec::new();
        for key in keys {
            let Some(by) = key.get(16..32) else { continue };
            let log = logs.iter().find(|(_, number)| by.starts_with(&number.prefix()));
            let index = by.get(8..16).and_then(|index| index.try_into().ok()).map(u64::from_be_bytes);
            let (Some((log, _)), Some(index)) = (log, index) else { continue };
            let id = EntryId { log: *log, index };
            if let Some(brief) = self.brief(number, &id)? {
                found.push(Answer { id, brief });
            }
        }
        found.sort_by_key(|answer| (answer.brief.written, answer.id));
        Ok(found)
    }

    /// Whether an entry is shown to be released.
    pub(crate) fn release_of(
        &self,
        number: u32,
        id: &EntryId,
        spoken: &SpokenEntry,
    ) -> Result<ReleaseView, Refusal> {
        let state = &self.channels[&number];
        let statement = &spoken.statement;
        let charter = state.known.edition(statement.edition);
        let travels =
            proof_travels(charter, statement.kind, statement.precedence, id.log.lane, statement.format);
        let answer = |verdict: &str, keys: Vec<u16>, file_key: bool, reason: Option<String>| ReleaseView {
            verdict: verdict.to_owned(),
            keys,
            file_key,
            reason,
        };
        let own = id.log.party == self.me;
        let Some(bytes) = self.store.blob(&spoken.placement.proof)? else {
            let deadline = spoken.written().after(charter.acknowledge_ms(statement.precedence));
            return Ok(match (own, travels, wall() > deadline) {
                (true, ..) => answer("own", Vec::new(), false, None),
                (_, false, _) => answer("not_asked_for", Vec::new(), false, None),
                (_, true, false) => answer("not_yet_shown", Vec::new(), false, None),
                (_, true, true) => {
                    answer("not_released", Vec::new(), false, Some("its proof has not come".to_owned()))
                }
            });
        };
        let held =
            if own { Some(&self.own) } else { self.peers.get(&id.log.party).and_then(|held| held.last()) };
        let roster = match held {
            Some(_) if own => crate::credential::roster_in_force(&self.store)?,
            Some(held) => held.text.roster().ok(),
            None => None,
        };
        let full = state
            .channel
            .as_ref()
            .and_then(|channel| statement.with_references(|reference| channel.resolve(&id.log, reference)));
        let (Some(roster), Some(full), Ok(proof)) = (roster, full, Proof::decode(&bytes)) else {
            let reason = "its proof or its references cannot be read".to_owned();
            return Ok(answer("not_released", Vec::new(), false, Some(reason)));
        };
        let hash = full.hash(state.known.id, id.log.party, id.log.lane);
        Ok(match satisfies(&proof, &hash, &full, &roster, charter, SUITE_1) {
            Verdict::Satisfied { keys } => {
                let file = |number: &u16| {
                    roster
                        .key(*number)
                        .is_some_and(|key| key.key.kind == detente_crypto::assertion::ReleaseKeyKind::File)
                };
                let file_key = keys.iter().any(file);
                answer("verified", keys, file_key, None)
            }
            Verdict::NotSatisfied(reason) => {
                answer("not_released", Vec::new(), false, Some(reason.to_string()))
            }
        })
    }
}

struct Answer {
    id: EntryId,
    brief: super::brief::Brief,
}

/// The latest of all, if every one has it.
fn last<'a>(
    parties: &'a [PartyState],
    moment: impl Fn(&'a PartyState) -> Option<&'a String>,
) -> Option<String> {
    let all: Option<Vec<&String>> = parties.iter().map(moment).collect();
    let parse = |text: &&String| Timestamp::parse(text).map_or(i64::MIN, Timestamp::millis);
    all?.into_iter().max_by_key(parse).cloned()
}
