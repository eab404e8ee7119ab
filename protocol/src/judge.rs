//! Judging the entries of a log: valid, void and by which clause, or not yet understood.
//!
//! Bytes first, meaning after: whatever a log holds is mirrored and cosigned; this module says
//! what it means. A [`LogJudge`] is told the entries of one log in order and keeps only the
//! writer's table and the few facts that follow from acts seen. The verdict depends on the bytes,
//! the entries before, and the acts seen, so every node and every reader comes to the same one.
//!
//! Entries of different logs are judged in their joint order; an act counts for an entry when it
//! was judged before and its index lies below the size the entry's log has seen.
//! Source: `spec/entry.md`, section 5; `spec/record.md`, sections 2 and 3.

mod acts;
mod snapshot;
mod standing;

use std::sync::Arc;

pub use acts::{Act, Acts};
pub use standing::Standing;

use crate::entry::{
    Clause, Entry, GenerationPayload, Kind, LogRef, MachineEntry, Payload, RatifyBody, SpokenEntry,
    Unreadable, WireReference, seen_of_unknown,
};
use crate::limits::EMERGENCY_ENTRY_MAX;
use crate::names::{ChannelId, EntryId, Lane, LogKey, PartyId, PartyIndex};
use crate::seen::{Seen, SeenLog, SeenTable};

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It says what it says.
    Valid,
    /// Kept and listed with the first clause it breaks; without effect.
    Void(Clause),
    /// Of a kind or with an extra that this version does not know. Raise it to the watch.
    NotYetUnderstood,
    /// It closes a log whose entries are not held up to the size it names, so its ordinals cannot
    /// be known. Judge it again when they are; nothing has changed.
    Waiting,
}

/// A verdict and what follows from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// What the entry is.
    pub verdict: Verdict,
    /// The entry as read, where it could be read, void or not.
    pub entry: Option<Entry>,
    /// What to [`Acts::record`] at its place, when it is valid and other entries are judged by it.
    pub act: Option<Act>,
    /// The charter edition in force for it; 0 for none.
    pub edition: u32,
}

/// What other logs contribute to a verdict.
pub trait Context {
    /// The acts of all logs of the channel judged so far.
    fn acts(&self) -> &Acts;

    /// The table of another log of the channel after its first `size` entries; `None` while they
    /// are not all held and judged.
    fn table_at(&self, log: &LogKey, size: u64) -> Option<SeenTable>;
}

/// Judges the entries of one log, in order.
#[derive(Clone, Debug)]
pub struct LogJudge {
    parties: Arc<[PartyId]>,
    own: PartyIndex,
    table: SeenTable,
    index: u64,
    generation: Option<GenerationPayload>,
    standing: Standing,
    /// [`Acts::changes`] and index when `standing` was derived; `None` when it must be derived anew.
    derived: Option<(u64, u64)>,
}

impl LogJudge {
    /// A judge of `log` before its first entry. `None` when its party is not of the channel.
    /// `parties` are the charter's, in its order.
    #[must_use]
    pub fn new(channel: ChannelId, log: LogKey, parties: Arc<[PartyId]>) -> Option<Self> {
        let own = PartyIndex(u8::try_from(parties.binary_search(&log.party).ok()?).ok()?);
        Some(Self {
            parties,
            own,
            table: SeenTable::new(channel, log),
            index: 0,
            generation: None,
            standing: Standing::default(),
            derived: None,
        })
    }

    /// The log judged.
    #[must_use]
    pub const fn log(&self) -> &LogKey {
        self.table.own()
    }

    /// How many entries were judged; the index of the next.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// The writer's table after the entries judged.
    #[must_use]
    pub const fn table(&self) -> &SeenTable {
        &self.table
    }

    /// What the generation entry said, when it was valid.
    #[must_use]
    pub const fn generation(&self) -> Option<&GenerationPayload> {
        self.generation.as_ref()
    }

    /// The channel as this log had seen it when its last entry was judged.
    #[must_use]
    pub const fn standing(&self) -> &Standing {
        &self.standing
    }

    /// The channel as this log sees it for its next entry, if that lists nothing new.
    #[must_use]
    pub fn standing_now(&self, acts: &Acts) -> Standing {
        Standing::seen_by(&self.table, self.index, acts, &self.parties)
    }

    /// Judges the next entry. Only [`Verdict::Waiting`] leaves the judge before that entry.
    pub fn judge(&mut self, bytes: &[u8], context: &dyn Context) -> Judged {
        let (verdict, entry) = self.examine(bytes, context);
        let act = match (&verdict, &entry) {
            (Verdict::Valid, Some(entry)) => self.act(entry),
            _ => None,
        };
        let edition = self.standing.edition;
        if verdict != Verdict::Waiting {
            self.index += 1;
        }
        Judged { verdict, entry, act, edition }
    }

    fn examine(&mut self, bytes: &[u8], context: &dyn Context) -> (Verdict, Option<Entry>) {
        if self.log().lane == Lane::Emergency && bytes.len() > EMERGENCY_ENTRY_MAX {
            return (Verdict::Void(Clause::Size), None);
        }
        let entry = match Entry::decode(bytes) {
            Ok(entry) => entry,
            Err(Unreadable::Void(clause)) => return (Verdict::Void(clause), None),
            Err(Unreadable::NotYetUnderstood) => {
                // What it had seen is still known by its place, so that later ordinals are too.
                if let Some(seen) = seen_of_unknown(bytes) {
                    let _ = self.apply(&seen, context.acts());
                }
                return (Verdict::NotYetUnderstood, None);
            }
        };
        let verdict = match self.examine_entry(&entry, context) {
            Ok(true) => Verdict::Valid,
            Ok(false) => Verdict::Waiting,
            Err(clause) => Verdict::Void(clause),
        };
        (verdict, Some(entry))
    }

    /// `Ok(false)` means waiting.
    fn examine_entry(&mut self, entry: &Entry, context: &dyn Context) -> Result<bool, Clause> {
        let generation = match entry {
            Entry::Machine(MachineEntry { payload: Payload::Generation(generation), .. }) => Some(generation),
            _ => None,
        };
        if generation.is_some() != (self.index == 0) {
            return Err(Clause::Generation);
        }
        if !fits_lane(entry, self.log().lane) {
            return Err(Clause::Lane);
        }
        match generation {
            Some(generation) => {
                if !self.begin(generation, entry.seen(), context)? {
                    return Ok(false);
                }
            }
            None => self.apply(entry.seen(), context.acts())?,
        }
        self.derive(context.acts());
        match entry {
            Entry::Spoken(spoken) => self.examine_spoken(spoken)?,
            Entry::Machine(machine) => self.examine_machine(machine)?,
        }
        Ok(true)
    }

    /// Takes over the table of the first log named, then applies the entry's own `seen`. `false`
    /// while that table is not known.
    fn begin(
        &mut self,
        generation: &GenerationPayload,
        seen: &Seen,
        context: &dyn Context,
    ) -> Result<bool, Clause> {
        let own = *self.log();
        let named: Vec<(LogKey, u64)> = generation
            .named
            .iter()
            .map(|named| (LogKey { generation: named.generation, ..own }, named.size))
            .collect();
        if named.iter().any(|(log, _)| *log == own) {
            return Err(Clause::Seen);
        }
        let mut table = SeenTable::new(self.table.channel(), own);
        if let Some((first, size)) = named.first() {
            let Some(inherited) = context.table_at(first, *size) else { return Ok(false) };
            table = SeenTable::inherit(own, &inherited, &named);
        }
        table.apply(seen, &self.parties).map_err(|_| Clause::Seen)?;
        self.table = table;
        self.generation = Some(generation.clone());
        self.derived = None;
        Ok(true)
    }

    /// Applies a `seen`; when it reaches over an act, the standing must be derived anew.
    fn apply(&mut self, seen: &Seen, acts: &Acts) -> Result<(), Clause> {
        let mut reaches = false;
        for item in &seen.0 {
            let (log, from) = match item.log {
                SeenLog::Known(ordinal) => {
                    let log = *self.table.log(ordinal).ok_or(Clause::Seen)?;
                    (Some(log), self.table.size(&log))
                }
                SeenLog::New(log) => (log.key(&self.parties), 0),
            };
            reaches |= log.is_some_and(|log| {
                log.lane == Lane::Ordinary && !acts.between(&log, from, item.size).is_empty()
            });
        }
        self.table.apply(seen, &self.parties).map_err(|_| Clause::Seen)?;
        if reaches {
            self.derived = None;
        }
        Ok(())
    }

    fn derive(&mut self, acts: &Acts) {
        let current = self.derived.is_some_and(|(changes, index)| {
            // When a log is judged once more, its own acts are there already and come into sight one by one.
            let own_acts =
                self.log().lane == Lane::Ordinary && !acts.between(self.log(), index, self.index).is_empty();
            changes == acts.changes() && !own_acts
        });
        if !current {
            self.standing = Standing::seen_by(&self.table, self.index, acts, &self.parties);
            self.derived = Some((acts.changes(), self.index));
        }
    }

    fn examine_spoken(&self, spoken: &SpokenEntry) -> Result<(), Clause> {
        let statement = &spoken.statement;
        let kind = statement.kind;
        let count = statement.references.len();
        if kind.refers_to_one() && count != 1 || kind.is_channel_act() && count != 0 {
            return Err(Clause::Reference);
        }
        let own_only = matches!(kind, Kind::Withdraw | Kind::Correct);
        for reference in &statement.references {
            self.examine_reference(reference, own_only)?;
        }
        if let Some(reference) = &statement.extras.supersedes {
            self.examine_reference(reference, false)?;
        }
        self.examine_to(&statement.extras.to)?;
        if spoken.placement.delay > i64::from(statement.valid_minutes) * 60_000 {
            return Err(Clause::Expired);
        }
        let standing = &self.standing;
        if statement.edition != standing.edition || standing.edition == 0 && !kind.is_channel_act() {
            return Err(Clause::Edition);
        }
        if kind == Kind::Ratify && !self.may_ratify(RatifyBody::read(&statement.body)) {
            return Err(Clause::Ratify);
        }
        let lane = self.log().lane;
        if kind.is_message() && lane != Lane::Emergency && !standing.suspensions.is_empty() {
            return Err(Clause::Suspended);
        }
        if kind == Kind::Restore && standing.suspensions_of(self.log().party).next().is_none() {
            return Err(Clause::Restore);
        }
        if standing.closed.is_some() && kind != Kind::Acknowledgement {
            return Err(Clause::Closed);
        }
        Ok(())
    }

    fn examine_machine(&self, machine: &MachineEntry) -> Result<(), Clause> {
        if let Some(reference) = machine.payload.reference() {
            self.examine_reference(reference, false)?;
        }
        let may_follow_closing = matches!(machine.payload, Payload::Opened(_) | Payload::Generation(_));
        if self.standing.closed.is_some() && !may_follow_closing {
            return Err(Clause::Closed);
        }
        Ok(())
    }

    fn examine_reference(&self, reference: &WireReference, own_only: bool) -> Result<(), Clause> {
        let own = self.log();
        let (party, fits) = match &reference.log {
            LogRef::Ordinal(ordinal) => {
                let log = self.table.log(*ordinal).ok_or(Clause::Reference)?;
                let size = if *ordinal == 0 { self.index } else { self.table.size(log) };
                (log.party, reference.index < size && log.lane == own.lane)
            }
            LogRef::Named(channel, log) => {
                let both_or_neither = (log.lane == Lane::Exercise) == (own.lane == Lane::Exercise);
                (log.party, *channel != self.table.channel() && both_or_neither)
            }
        };
        if fits && (!own_only || party == own.party) { Ok(()) } else { Err(Clause::Reference) }
    }

    fn examine_to(&self, to: &[PartyIndex]) -> Result<(), Clause> {
        let others = self.parties.len() - 1;
        let known = to.iter().all(|party| usize::from(party.0) <= others && *party != self.own);
        if known && to.len() < others { Ok(()) } else { Err(Clause::To) }
    }

    fn may_ratify(&self, body: Option<RatifyBody>) -> bool {
        let standing = &self.standing;
        body.is_some_and(|body| {
            body.edition == standing.next_edition
                && !standing.ratified.contains(&body.edition)
                && body.previous == standing.charter
                && (body.edition > 1 || body.charter.0 == self.table.channel().0)
        })
    }

    fn act(&self, entry: &Entry) -> Option<Act> {
        match entry {
            Entry::Spoken(spoken) => match spoken.statement.kind {
                Kind::Ratify => RatifyBody::read(&spoken.statement.body).map(Act::Ratify),
                Kind::Suspend => Some(Act::Suspend),
                Kind::Restore => {
                    let lifts: Vec<EntryId> =
                        self.standing.suspensions_of(self.log().party).copied().collect();
                    Some(Act::Restore { lifts })
                }
                Kind::Close => Some(Act::Close),
                _ => None,
            },
            Entry::Machine(machine) => match &machine.payload {
                Payload::Credential(named) => Some(Act::Credential(*named)),
                Payload::Key(_) => Some(Act::Key),
                _ => None,
            },
        }
    }
}

/// Whether a kind may stand in a lane. Source: `spec/entry.md`, section 1.
fn fits_lane(entry: &Entry, lane: Lane) -> bool {
    match entry {
        Entry::Spoken(spoken) => spoken.statement.kind.fits(lane, spoken.statement.precedence),
        Entry::Machine(machine) => {
            lane == Lane::Ordinary || matches!(machine.payload, Payload::Generation(_) | Payload::Opened(_))
        }
    }
}

#[cfg(test)]
mod tests;
