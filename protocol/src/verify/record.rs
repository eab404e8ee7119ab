//! What the entries of an export say: judged in the joint order, their releases counted.
//! Source: `spec/entry.md`, section 5; `spec/record.md`, section 1; `spec/release.md`.

use std::collections::BTreeMap;
use std::sync::Arc;

use detente_crypto::{Hash, Suite};
use detente_encoding::Timestamp;
use detente_transparency::root;

use super::logs::Log;
use super::objects::Objects;
use super::report::RecordCounts;
use crate::entry::{Clause, Entry, Payload, SpokenEntry};
use crate::judge::{Acts, Context, Judged, LogJudge, Verdict};
use crate::limits::SALT_BYTES;
use crate::names::{EntryId, LogKey, PartyId};
use crate::order::JointOrder;
use crate::release::{self, Proof};
use crate::roster::Roster;
use crate::seen::SeenTable;
use crate::statement::Statement;

/// What the judges of all logs share.
struct Shared {
    acts: Acts,
    /// Tables at the sizes that generation entries name; `None` until judged so far.
    tables: BTreeMap<(LogKey, u64), Option<SeenTable>>,
}

impl Context for Shared {
    fn acts(&self) -> &Acts {
        &self.acts
    }

    fn table_at(&self, log: &LogKey, size: u64) -> Option<SeenTable> {
        self.tables.get(&(*log, size))?.clone()
    }
}

/// A proof to be checked against a statement.
struct ReleaseJob<'a> {
    hash: Hash,
    statement: Statement,
    proof: &'a [u8],
    roster: Option<&'a Roster>,
    edition: u32,
}

/// One log while it is judged.
struct Reading<'a> {
    log: &'a Log<'a>,
    judge: LogJudge,
    /// Whether the next entry's `seen` was taken into the order; of an entry 0 it is known late.
    offered_whole: bool,
    /// Whether an erased leaf stands before, and no check has agreed with the table since.
    unsure: bool,
    /// The entry whose check agreed while the table was unsure.
    sure_at: Option<u64>,
    /// Roots computed last, by log: most rows of a table do not change from entry to entry.
    roots: BTreeMap<LogKey, (u64, Hash)>,
}

/// All logs while they are judged.
pub(super) struct Judging<'a> {
    objects: &'a Objects,
    parties: Arc<[PartyId]>,
    readings: BTreeMap<LogKey, Reading<'a>>,
    order: JointOrder,
    shared: Shared,
    counts: RecordCounts,
    jobs: Vec<ReleaseJob<'a>>,
}

impl<'a> Judging<'a> {
    pub(super) fn new(objects: &'a Objects, logs: &'a [Log<'a>]) -> Self {
        let parties: Arc<[PartyId]> = objects.charter().parties.clone().into();
        let channel = objects.manifest.channel;
        let readings = logs.iter().filter_map(|log| {
            let judge = LogJudge::new(channel, log.key, Arc::clone(&parties))?;
            Some((
                log.key,
                Reading {
                    log,
                    judge,
                    offered_whole: false,
                    unsure: false,
                    sure_at: None,
                    roots: BTreeMap::new(),
                },
            ))
        });
        let held = logs.iter().map(|log| (log.key, log.data.len() as u64)).collect();
        let mut shared = Shared { acts: Acts::default(), tables: BTreeMap::new() };
        for log in logs {
            shared.tables.extend(named(log).into_iter().map(|named| (named, None)));
        }
        Self {
            objects,
            parties: Arc::clone(&parties),
            readings: readings.collect(),
            order: JointOrder::new(held),
            shared,
            counts: RecordCounts::default(),
            jobs: Vec::new(),
        }
    }

    pub(super) fn run(mut self) -> Self {
        let logs: Vec<LogKey> = self.readings.keys().copied().collect();
        for log in &logs {
            self.offer(log, 0);
        }
        while let Some(id) = self.order.next() {
            let reading = self.readings.get_mut(&id.log).expect("only logs read are offered");
            if !reading.offered_whole {
                // An entry 0 whose named logs are placed: now its ordinals mean something.
                self.offer(&id.log, id.index);
                continue;
            }
            self.judge(id);
            self.order.place(&id.log);
            self.offer(&id.log, id.index + 1);
        }
        self.judge_again(&logs);
        self
    }

    /// Logs that waited for one placed after them are judged once that is judged.
    fn judge_again(&mut self, logs: &[LogKey]) {
        loop {
            let mut went_on = false;
            for log in logs {
                let size = self.readings[log].log.data.len() as u64;
                while self.readings[log].judge.index() < size {
                    let index = self.readings[log].judge.index();
                    self.judge(EntryId { log: *log, index });
                    if self.readings[log].judge.index() == index {
                        break;
                    }
                    went_on = true;
                }
            }
            if !went_on {
                break;
            }
        }
        for reading in self.readings.values() {
            let left = &reading.log.data[reading.judge.index() as usize..];
            let erased = left.iter().filter(|data| data.is_empty()).count();
            self.counts.erased += erased as u64;
            self.counts.waiting += (left.len() - erased) as u64;
        }
    }

    /// Offers the entry at `index` to the joint order, with what must stand before it.
    fn offer(&mut self, log: &LogKey, index: u64) {
        let reading = &self.readings[log];
        let Some(bytes) = entry_bytes(reading.log, index) else { return };
        let id = EntryId { log: *log, index };
        let entry = Entry::decode(bytes).ok();
        let written = entry.as_ref().map_or(Timestamp::from_millis(0), Entry::written);
        let mut after = Vec::new();
        let mut whole = true;
        if index == 0 {
            after = named(reading.log);
            whole = after.iter().all(|named| self.shared.tables.get(named).is_some_and(Option::is_some))
                || self.order.is_offered(log);
        }
        if whole && let Some(entry) = &entry {
            match self.seen_targets(log, index, entry) {
                Some(targets) => after.extend(targets),
                None => self.counts.check_failed.push(id),
            }
        }
        self.readings.get_mut(log).expect("looked up above").offered_whole = whole;
        self.order.offer(id, written, after);
    }

    /// What an entry's `seen` proves to come before it. Empty for a void `seen`; `None` when the
    /// check fails. After an erased leaf only a check that agrees proves anything.
    fn seen_targets(&mut self, log: &LogKey, index: u64, entry: &Entry) -> Option<Vec<(LogKey, u64)>> {
        let seen = entry.seen();
        if seen.0.is_empty() {
            return Some(Vec::new());
        }
        let reading = &self.readings[log];
        if reading.judge.index() != index {
            return Some(Vec::new());
        }
        let mut table = match (index, named(reading.log).first()) {
            (0, Some(first)) => match self.shared.table_at(&first.0, first.1) {
                Some(inherited) => SeenTable::inherit(*log, &inherited, &named(reading.log)),
                None => return Some(Vec::new()),
            },
            _ => reading.judge.table().clone(),
        };
        let before: Vec<u64> = table.iter().map(|(_, size)| size).collect();
        if table.apply(seen, &self.parties).is_err() {
            return Some(Vec::new());
        }
        let targets = table.iter().enumerate();
        let targets = targets.filter(|(row, (_, size))| before.get(*row).is_none_or(|old| old < size));
        let targets: Vec<(LogKey, u64)> = targets.map(|(_, (log, size))| (*log, size)).collect();
        let mut roots = std::mem::take(&mut self.readings.get_mut(log).expect("looked up above").roots);
        let check = table.check(|of, size| {
            if let Some((at, root)) = roots.get(of)
                && *at == size
            {
                return Some(*root);
            }
            let tree = &self.readings.get(of)?.log.tree;
            let root = root(tree, size).ok()?;
            roots.insert(*of, (size, root));
            Some(root)
        });
        let reading = self.readings.get_mut(log).expect("looked up above");
        reading.roots = roots;
        match (check, entry.check()) {
            _ if reading.unsure => {
                let agrees = check.is_some() && check == entry.check();
                reading.sure_at = agrees.then_some(index);
                Some(if agrees { targets } else { Vec::new() })
            }
            (Some(computed), Some(said)) if computed != said => None,
            // A log that is not held proves nothing either way: what is held still came before.
            _ => Some(targets),
        }
    }

    /// Judges the entry at `id`, when its log is not stuck before it.
    fn judge(&mut self, id: EntryId) {
        let reading = self.readings.get_mut(&id.log).expect("only logs read are judged");
        if reading.judge.index() != id.index {
            return;
        }
        let data = reading.log.data[id.index as usize];
        let judged = reading.judge.judge(data.get(SALT_BYTES..).unwrap_or_default(), &self.shared);
        if judged.verdict == Verdict::Waiting {
            return;
        }
        let early = match judged.verdict {
            Verdict::Void(clause) => clause < Clause::Seen,
            verdict => verdict == Verdict::NotYetUnderstood,
        };
        reading.unsure |= data.is_empty();
        if reading.unsure && !early && reading.sure_at == Some(id.index) {
            reading.unsure = false;
        }
        let unsure = reading.unsure;
        if let Some(table) = self.shared.tables.get_mut(&(id.log, id.index + 1)) {
            *table = (!unsure).then(|| reading.judge.table().clone());
        }
        if data.is_empty() {
            self.counts.erased += 1;
            return;
        }
        if unsure && !early {
            self.counts.waiting += 1;
            return;
        }
        match judged.verdict {
            Verdict::Void(clause) => self.counts.void.push((id, clause)),
            Verdict::NotYetUnderstood => self.counts.not_yet_understood.push(id),
            Verdict::Valid => self.valid(id, judged),
            Verdict::Waiting => {}
        }
    }

    fn valid(&mut self, id: EntryId, judged: Judged) {
        match &judged.entry {
            Some(Entry::Spoken(spoken)) => self.released(id, spoken, judged.edition),
            Some(Entry::Machine(machine)) if matches!(machine.payload, Payload::Clock { .. }) => {
                self.counts.clock_set.insert(id.log.party);
            }
            _ => {}
        }
        if let Some(act) = judged.act {
            self.shared.acts.record(id, act);
        }
    }

    fn released(&mut self, id: EntryId, spoken: &SpokenEntry, edition: u32) {
        let statement = &spoken.statement;
        let charter = self.objects.charters.get(&u64::from(edition)).unwrap_or(self.objects.charter());
        let Some(proof) = self.objects.proofs.get(&spoken.placement.proof) else {
            let asked = release::proof_travels(
                charter,
                statement.kind,
                statement.precedence,
                id.log.lane,
                statement.format,
            );
            let releases = &mut self.counts.releases;
            *if asked { &mut releases.not_shown } else { &mut releases.not_asked } += 1;
            return;
        };
        let judge = &self.readings[&id.log].judge;
        let Some(statement) = statement.resolve(judge.table()) else {
            self.counts.releases.not_shown += 1;
            return;
        };
        self.jobs.push(ReleaseJob {
            hash: statement.hash(self.objects.manifest.channel, id.log.party, id.log.lane),
            statement,
            proof,
            roster: self.roster(id.log.party, judge),
            edition,
        });
    }

    /// The roster in force for the entry judged last. Source: `spec/release.md`, section 3.
    fn roster(&self, party: PartyId, judge: &LogJudge) -> Option<&'a Roster> {
        let hash = match &judge.standing().roster {
            Some(named) => named.roster,
            None => {
                let edition = judge.generation()?.credential_edition;
                let text = self.objects.credentials.get(&party)?.get(&u64::from(edition))?;
                detente_crypto::sha256(&[&text.roster])
            }
        };
        self.objects.rosters.get(&hash)
    }
}

/// The entry without its salt.
fn entry_bytes<'a>(log: &Log<'a>, index: u64) -> Option<&'a [u8]> {
    let data = log.data.get(usize::try_from(index).ok()?)?;
    Some(data.get(SALT_BYTES..).unwrap_or_default())
}

/// The logs that the first entry of a log names, with the sizes named.
fn named(log: &Log<'_>) -> Vec<(LogKey, u64)> {
    let Some(Ok(Entry::Machine(machine))) = entry_bytes(log, 0).map(Entry::decode) else { return Vec::new() };
    let Payload::Generation(generation) = machine.payload else { return Vec::new() };
    let named = generation.named.iter();
    named.map(|named| (LogKey { generation: named.generation, ..log.key }, named.size)).collect()
}

/// Checks the proofs found, on all cores, and adds them up.
pub(super) fn count_releases(judging: Judging<'_>, objects: &Objects, suite: &dyn Suite) -> RecordCounts {
    let Judging { mut counts, jobs, .. } = judging;
    let shown = |job: &ReleaseJob<'_>| {
        let charter = objects.charters.get(&u64::from(job.edition)).unwrap_or(objects.charter());
        let Some(roster) = job.roster else { return false };
        Proof::decode(job.proof).is_ok_and(|proof| {
            let verdict = release::satisfies(&proof, &job.hash, &job.statement, roster, charter, suite);
            matches!(verdict, release::Verdict::Satisfied { .. })
        })
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from).clamp(1, 8);
    let shown: u64 = std::thread::scope(|scope| {
        let parts = jobs.chunks(jobs.len().div_ceil(threads).max(1));
        let helpers: Vec<_> = parts
            .map(|part| scope.spawn(move || part.iter().filter(|job| shown(job)).count() as u64))
            .collect();
        helpers.into_iter().map(|helper| helper.join().expect("checking a proof does not panic")).sum()
    });
    counts.releases.shown += shown;
    counts.releases.not_shown += jobs.len() as u64 - shown;
    counts
}
