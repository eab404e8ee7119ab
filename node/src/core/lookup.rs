//! Finding what people mean: channels by identity, prefix or label; entries by what they cite.

use detente_encoding::text::hex;
use detente_formats::Catalogue;
use detente_protocol::names::{EntryId, Lane, LogKey};

use super::Core;
use super::brief::Brief;
use crate::api::Found;
use crate::refusal::Refusal;

/// Machine entries passed over in a row while a number is sought.
const STEPS_MAX: u64 = 4096;
/// Entries listed in the sentence of an ambiguous citation.
const LISTED_MAX: usize = 8;

impl Core {
    /// The one channel that a selector means: identity, unique prefix of it, or label.
    pub(crate) fn channel_number(&self, selector: &str) -> Result<u32, Refusal> {
        let matching = |test: &dyn Fn(&super::open::State) -> bool| -> Vec<u32> {
            self.channels.iter().filter(|(_, state)| test(state)).map(|(number, _)| *number).collect()
        };
        let mut found = matching(&|state| state.known.charter().label == selector);
        if found.is_empty() && selector.len() >= 3 {
            found = matching(&|state| state.known.id.to_string().starts_with(selector));
        }
        match found[..] {
            [number] => Ok(number),
            [] => Err(Refusal::not_found(format!(
                "there is no channel {selector:?} here; `detente channel list` shows them"
            ))),
            _ => {
                let names: Vec<_> =
                    found.iter().map(|number| self.channels[number].known.id.to_string()).collect();
                Err(Refusal::ambiguous(format!(
                    "{selector:?} means {}; name one in full",
                    names.join(" or ")
                )))
            }
        }
    }

    /// The one entry that a citation means: a number such as `VEG/2027/0007`, or a name such as
    /// `CHANNEL/VEG/emergency/3-0011223344556677.5`, whose beginning and generation may be shortened
    /// to what is unique. `channel` narrows it to one channel.
    pub(crate) fn find(&self, channel: Option<u32>, citation: &str) -> Result<(u32, EntryId), Refusal> {
        let parts: Vec<&str> = citation.split('/').collect();
        let [.., code, lane, last] = parts[..] else { return Err(not_a_citation(citation)) };
        let mut found = Vec::new();
        let before: usize;
        if let (Some(lane), Some((generation, index))) = (Lane::from_word(lane), last.rsplit_once('.')) {
            let index: u64 = index.parse().map_err(|_| not_a_citation(citation))?;
            before = parts.len() - 3;
            for number in self.channels_for(channel, &parts[..before])? {
                self.by_name(number, code, lane, generation, index, &mut found);
            }
        } else {
            let (digits, run) = last.split_once('~').unwrap_or((last, ""));
            let number: u32 = digits.parse().map_err(|_| not_a_citation(citation))?;
            let year: i64 = lane.parse().map_err(|_| not_a_citation(citation))?;
            let exercise = code == "EX" && parts.len() > 3;
            before = parts.len() - if exercise { 4 } else { 3 };
            let code = parts[before];
            for channel in self.channels_for(channel, &parts[..before])? {
                self.by_number(channel, (code, exercise), (year, number), run, &mut found)?;
            }
        }
        match found[..] {
            [one] => Ok(one),
            [] => Err(Refusal::not_found(format!("no entry {citation} is held here"))),
            _ => {
                let names: Vec<_> =
                    found.iter().take(LISTED_MAX).map(|(number, id)| self.name_of(*number, id)).collect();
                Err(Refusal::ambiguous(format!(
                    "{citation} means {} entries: {}; name one of them",
                    found.len(),
                    names.join(", ")
                )))
            }
        }
    }

    fn channels_for(&self, channel: Option<u32>, named: &[&str]) -> Result<Vec<u32>, Refusal> {
        if named.is_empty() {
            return Ok(channel.map_or_else(|| self.channels.keys().copied().collect(), |number| vec![number]));
        }
        self.channel_number(&named.join("/")).map(|number| vec![number])
    }

    fn logs_of(&self, number: u32, code: &str) -> Vec<(LogKey, u64)> {
        let Some(state) = self.channels.get(&number) else { return Vec::new() };
        let Some(place) = state.codes.iter().position(|known| known == code) else { return Vec::new() };
        let party = state.known.charter().parties[place];
        let logs = state.channel.iter().flat_map(|channel| channel.logs());
        logs.filter(|(log, ..)| log.party == party).map(|(log, _, size)| (*log, size)).collect()
    }

    fn by_name(
        &self,
        number: u32,
        code: &str,
        lane: Lane,
        generation: &str,
        index: u64,
        found: &mut Vec<(u32, EntryId)>,
    ) {
        let all = self.logs_of(number, code);
        let logs = all.iter().filter(|(log, size)| log.lane == lane && index < *size).filter(|(log, _)| {
            let name = log.generation.to_string();
            generation.is_empty()
                || name == generation
                || log.generation.number.to_string() == generation
                || (generation.contains('-') && name.starts_with(generation))
        });
        found.extend(logs.map(|(log, _)| (number, EntryId { log: *log, index })));
    }

    /// Numbers rise within a log, so each log is searched by halves.
    fn by_number(
        &self,
        channel: u32,
        (code, exercise): (&str, bool),
        (year, wanted): (i64, u32),
        run: &str,
        found: &mut Vec<(u32, EntryId)>,
    ) -> Result<(), Refusal> {
        for (log, size) in self.logs_of(channel, code) {
            if (log.lane == Lane::Exercise) != exercise || !log.generation.run.to_string().starts_with(run) {
                continue;
            }
            let (mut low, mut high) = (0, size);
            while low < high {
                let middle = low + (high - low) / 2;
                // The next spoken entry from the middle on, if there is one before the end.
                let mut at = middle;
                let mut met = None;
                while at < high && at - middle < STEPS_MAX {
                    let id = EntryId { log, index: at };
                    if let Some(brief) = self.brief(channel, &id)?.filter(|brief| brief.number > 0) {
                        met = Some((id, brief));
                        break;
                    }
                    at += 1;
                }
                match met {
                    None => high = middle,
                    Some((_, brief)) if brief.number < wanted => low = at + 1,
                    Some((_, brief)) if brief.number > wanted => high = middle,
                    Some((id, brief)) => {
                        if brief.written.date().0 == year {
                            found.push((channel, id));
                        }
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    /// An entry as clients cite it.
    pub(crate) fn found(&self, number: u32, id: &EntryId, brief: &Brief) -> Found {
        let state = &self.channels[&number];
        let code = state.code_of(id.log.party);
        let format = brief.format.and_then(|format| {
            let number = u16::try_from(format.number).ok()?;
            Catalogue::embedded().by_number(number).map(|format| format.code.clone())
        });
        Found {
            entry: self.name_of(number, id),
            reference: brief.reference(&code, id.log.lane),
            log: id.log.name(state.known.id),
            index: id.index,
            leaf: hex(&brief.leaf.0),
            kind: brief.word.to_owned(),
            lane: id.log.lane.word().to_owned(),
            precedence: brief.precedence.map(|precedence| precedence.word().to_owned()),
            format,
            written_at: brief.written.to_string(),
        }
    }
}

fn not_a_citation(citation: &str) -> Refusal {
    Refusal::refused(format!(
        "{citation:?} is no entry; write a number such as VEG/2027/0007 or a name such as CHANNEL/VEG/emergency/1.5"
    ))
}
