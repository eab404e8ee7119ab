//! What the channels say, compared with what the world knows.

use detente_crypto::Hash;
use detente_protocol::channel::Event;
use detente_protocol::entry::{Entry, Kind, SpokenEntry};
use detente_protocol::judge::Verdict;
use detente_protocol::names::{EntryId, Lane};
use detente_protocol::release::proof_travels;
use detente_protocol::statement::Statement;

use super::{LATE_FLASH_MS, World};
use crate::checks::{Violation, log_name, name};
use crate::party::Party;

impl World {
    pub(super) fn event(&mut self, party: usize, event: Event) {
        match event {
            Event::Entry { id, leaf, judged, own, .. } => {
                self.note(format!("party {party} holds {} {:?}", name(&id), judged.verdict));
                self.entry_shown(party, (id, leaf), own, &judged.verdict, judged.entry.as_ref());
            }
            Event::Receipt { log, by, size, time_s, .. } => {
                self.count("receipt");
                let index = usize::from(by.0);
                if self.liar_index == Some(index) {
                    // It signs what it likes, but only for what the writer wrote can a receipt be told.
                    let written = self.parties.iter().map(|party| party.disk.size(&log)).max();
                    if written.is_some_and(|written| written < size) {
                        let by = self.parties[index].id;
                        self.violate(Violation::ReceiptWithoutDisk { log: log_name(&log), by });
                    }
                    return;
                }
                let by = (index, &self.parties[index]);
                if let Some(violation) = self.checker.receipt(by, &log, size, time_s) {
                    self.violate(violation);
                }
            }
            Event::Equivocation { party: accused, log } => {
                let index = usize::from(accused.0);
                let id = self.parties[index].id;
                self.count("equivocation proved");
                self.note(format!("party {party} has proof against party {index} about {}", log_name(&log)));
                if self.liar_index != Some(index) {
                    return self.violate(Violation::HonestAccused(id));
                }
                self.parties[party].accused.insert(id);
                self.parties[party].accused_logs.insert(log);
            }
            Event::CheckFailed { id } => {
                // Whoever had seen a forked log may have seen another history of it.
                self.count("check failed");
                if self.liar_index.is_none() && !self.parties.iter().any(|party| party.restored) {
                    self.violate(Violation::RecordsDiffer(name(&id)));
                }
            }
            Event::Blob { .. } => self.count("blob held"),
            Event::ReceiptContradicts { .. } => self.count("receipt contradicts"),
            Event::OwnLogBeyond { .. } => self.count("own log beyond"),
            Event::Flooding { .. } => self.count("flood of generations held back"),
            Event::Signed { .. } | Event::Presence { .. } | Event::EpochEnded { .. } => {}
        }
    }

    fn entry_shown(
        &mut self,
        party: usize,
        (id, leaf): (EntryId, Hash),
        written_now: bool,
        verdict: &Verdict,
        entry: Option<&Entry>,
    ) {
        let before = self.parties[party].shown.insert(id, (leaf, *verdict));
        let writer = self.parties.iter().position(|party| party.id == id.log.party);
        let by_liar = self.liar_index.is_some() && writer == self.liar_index;
        if before.is_some_and(|(before, _)| before != leaf) && !by_liar && self.liar_index != Some(party) {
            return self.violate(Violation::ShownTwice(name(&id)));
        }
        let own = self.parties[party].id == id.log.party;
        let first = written_now && !self.checker.entered_at.contains_key(&id);
        if first && !by_liar {
            self.checker.entered.insert(id, leaf);
            self.checker.entered_at.insert(id, self.now_ms);
        }
        if matches!(verdict, Verdict::Void(_)) && !by_liar {
            return self
                .violate(Violation::HonestVoid(format!("{} {verdict:?} at party {party}", name(&id))));
        }
        self.flash(party, writer, &id);
        match verdict {
            Verdict::Valid => self.count("entry valid"),
            Verdict::Void(_) => self.count("entry void"),
            Verdict::NotYetUnderstood => self.count("entry not yet understood"),
            Verdict::Waiting => self.count("entry waiting"),
        }
        let Some(Entry::Spoken(spoken)) = entry else { return };
        if *verdict != Verdict::Valid {
            return;
        }
        if !by_liar && self.liar_index != Some(party) {
            self.released(party, &id, spoken, first);
        }
        let kind = spoken.statement.kind;
        if own && kind == Kind::Acknowledgement {
            let Some(Party { channel: Some(channel), .. }) = self.parties.get(party) else { return };
            let Some(taken) = channel.resolve(&id.log, &spoken.statement.references[0]) else { return };
            let shown = self.parties[party].shown.get(&taken.entry).map(|(leaf, _)| *leaf);
            if shown.is_some_and(|shown| shown != taken.leaf) {
                return self.violate(Violation::WrongReference(name(&id)));
            }
            let taken = taken.entry;
            let node = &mut self.parties[party];
            node.to_acknowledge.retain(|(_, entry, _)| *entry != taken);
            if node.acknowledged.insert(taken) {
                self.count("acknowledged");
                self.checker.acknowledged += 1;
            }
        }
        if !own && kind.is_message() && !self.parties[party].acknowledged.contains(&id) {
            let at = self.now_ms + self.random.between(1_000, 600_000);
            let node = &mut self.parties[party];
            node.to_acknowledge.retain(|(_, entry, _)| *entry != id);
            node.to_acknowledge.insert((at, id, leaf.0));
        }
    }

    /// An entry of the emergency lane comes at once when nothing is in its way.
    fn flash(&mut self, party: usize, writer: Option<usize>, id: &EntryId) {
        let (Some(writer), Some(&at)) = (writer, self.checker.entered_at.get(id)) else { return };
        if id.log.lane != Lane::Emergency || writer == party {
            return;
        }
        let disturbed = self.parties[writer].disturbed_ms.max(self.parties[party].disturbed_ms);
        let settled =
            disturbed + 60_000 < at && self.links[&(writer, party)].up && self.links[&(party, writer)].up;
        if settled {
            self.count("flash with nothing in its way");
            if self.now_ms > at + LATE_FLASH_MS {
                self.violate(Violation::LateFlash(name(id)));
            }
        }
    }

    /// A valid statement: entered once, and its proof must come to everybody.
    fn released(&mut self, party: usize, id: &EntryId, spoken: &SpokenEntry, first: bool) {
        let Some(channel) = &self.parties[party].channel else { return };
        let resolve = |reference: &_| channel.resolve(&id.log, reference);
        let Some(statement) = spoken.statement.with_references(resolve) else { return };
        let hash = statement.hash(self.charter.channel_id(), id.log.party, id.log.lane);
        if self.parties[party].id == id.log.party {
            let restored = self.parties[party].restored;
            if first && let Some(violation) = self.checker.own_statement(hash, *id, restored) {
                self.violate(violation);
            }
            return;
        }
        let Statement { kind, precedence, format, .. } = statement;
        if proof_travels(&self.charter, kind, precedence, id.log.lane, format) {
            self.checker.await_proof(party, *id, (spoken.placement.proof, hash), statement);
        }
    }
}
