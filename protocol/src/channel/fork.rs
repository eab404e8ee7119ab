//! Two histories: finding, proving and freezing.
//!
//! A frame alone accuses nobody, for a co-reader could have made it. Two signed claims that
//! contradict each other are proof, and anybody can check it. Source: `spec/log.md`, section 5.

use detente_crypto::Hash;
use detente_transparency::{
    Claim, Equivocation, Evidence, Extension, Head, KeyKind, LineEvidence, MemoryTree, consistency_proof,
    leaf_hash,
};

use super::message::{Line, LineKind, Message};
use super::rows::{LEAVES, LINES, PROOFS, Record, RecordError, Row, read_line};
use super::{Channel, Event, Now, Output, Pending, Urgency};
use crate::names::{LogKey, PartyId, PartyIndex};
use crate::sealing::FrameContent;

/// Leaves read at once when a tree is made anew for a proof.
const PAGE: usize = 1024;

impl Channel {
    /// A frame of entries this mirror holds, under a line that does not fit them: if the line holds
    /// over *these* entries, the writer signed two histories.
    pub(crate) fn examine_fork(
        &mut self,
        now: Now,
        key: LogKey,
        content: &FrameContent,
        record: &dyn Record,
    ) -> Result<(), RecordError> {
        let Some(mut tree) = self.tree_of(&key, content.first, record)? else { return Ok(()) };
        for item in &content.entries {
            let salt = item.salt.unwrap_or_default();
            tree.append(leaf_hash(&[&salt[..], &item.entry].concat()));
        }
        let line = Line {
            kind: LineKind::Log,
            signer: self.index_of(key.party),
            log: key,
            size: tree.size(),
            root: tree.root(),
            time_s: 0,
            signature: content.line.to_vec(),
        };
        let checkpoint = self.logs[&key].checkpoint(line.size, line.root);
        let verifies = self.line_verifies(&checkpoint, &line);
        #[cfg(feature = "simulation")]
        let verifies = verifies || self.planted(super::Danger::FrameAccuses);
        if !verifies {
            self.counters.line_refused += 1;
            return Ok(());
        }
        self.contradiction(now, line.signer, &line, record)
    }

    /// `line` verifies and contradicts what is held at its size: makes, keeps and sends the proof.
    pub(crate) fn contradiction(
        &mut self,
        now: Now,
        from: PartyIndex,
        line: &Line,
        record: &dyn Record,
    ) -> Result<(), RecordError> {
        let key = line.log;
        let accused = self.parties[usize::from(line.signer.0)];
        let Some(own_claim) = self.claim_of(&key, accused, line.size, record)? else {
            // A cosigner contradicts the writer: one of the two forked. Their lines will tell.
            self.want(now, self.parties[usize::from(from.0)], super::message::Wish::Lines(key));
            self.outputs.push_back(Output::Event(Event::ReceiptContradicts { log: key, by: line.signer }));
            return Ok(());
        };
        let theirs = claim(line);
        let extension = if own_claim.head.size == line.size {
            None
        } else {
            let tree = self.tree_of(&key, own_claim.head.size, record)?;
            let Some(tree) = tree else { return Ok(()) };
            let Ok(path) = consistency_proof(&tree, line.size, own_claim.head.size) else { return Ok(()) };
            let Some(root) = self.root_from_leaves(&key, line.size, record)? else { return Ok(()) };
            Some(Extension { root, path })
        };
        let log = self.logs[&key].name.clone();
        let claims = [own_claim, theirs];
        let Ok(proof) = Equivocation::new(log, Hash(accused.0), claims, extension) else { return Ok(()) };
        self.convict(now, key, accused, &proof);
        Ok(())
    }

    /// A claim of `accused` about `key` at `size` or the next signed size above.
    fn claim_of(
        &self,
        key: &LogKey,
        accused: PartyId,
        size: u64,
        record: &dyn Record,
    ) -> Result<Option<Claim>, RecordError> {
        let log = &self.logs[key];
        let wanted = |line: &Line| {
            self.parties[usize::from(line.signer.0)] == accused
                && matches!(line.kind, LineKind::Log | LineKind::Receipt)
        };
        let rows = record.scan(LINES, &log.number.at(size), &log.number.at(log.durable + 1), 4096)?;
        let lines = rows.iter().filter_map(|(row, value)| read_line(*key, row, value));
        Ok(lines.into_iter().find(wanted).map(|line| claim(&line)))
    }

    fn convict(&mut self, _now: Now, key: LogKey, accused: PartyId, proof: &Equivocation) {
        let log = self.logs.get_mut(&key).expect("held logs only");
        #[cfg(feature = "simulation")]
        if self.danger == Some(super::Danger::ForkIgnored) {
            return;
        }
        let bytes = proof.to_bytes();
        let known = self.proofs.contains(&(key, accused));
        if known {
            return; // One proof a log and party: more would say nothing new.
        }
        log.frozen = log.key.party == accused || log.frozen;
        if log.frozen && self.live_own[key.lane as usize] == Some(key) {
            // Our own: whoever holds our key has forked it. The next write opens a new generation.
            self.live_own[key.lane as usize] = None;
        }
        let mut row_key = log.number.prefix();
        row_key.extend_from_slice(&accused.0);
        let row = Row { table: PROOFS, key: row_key, value: bytes.clone() };
        let state = super::open::log_row(log, &self.acts);
        self.proofs.insert((key, accused));
        self.commit(vec![row, state], Pending::Nothing);
        self.send_message(None, Urgency::Emergency, &Message::Proof(bytes));
        let party = self.index_of(accused);
        self.outputs.push_back(Output::Event(Event::Equivocation { party, log: key }));
    }

    /// Takes a proof object from another party; it convicts by itself or not at all.
    pub(crate) fn handle_proof(&mut self, now: Now, bytes: &[u8]) {
        let Ok(proof) = Equivocation::from_bytes(bytes) else {
            self.counters.malformed += 1;
            return;
        };
        let accused = PartyId(proof.party.0);
        let log = LogKey::parse(proof.log.as_str()).filter(|(channel, _)| *channel == self.id);
        let Some((_, key)) = log.filter(|(_, key)| self.logs.contains_key(key)) else { return };
        if !self.public.contains_key(&accused) || proof.verify(&self.accused(accused)).is_err() {
            self.counters.malformed += 1;
            return;
        }
        self.convict(now, key, accused, &proof);
    }

    /// The tree over the first `size` leaves held; `None` when they are not all held.
    fn tree_of(
        &self,
        key: &LogKey,
        size: u64,
        record: &dyn Record,
    ) -> Result<Option<MemoryTree>, RecordError> {
        let log = &self.logs[key];
        let mut tree = MemoryTree::default();
        while tree.size() < size {
            let rows = record.scan(LEAVES, &log.number.at(tree.size()), &log.number.at(size), PAGE)?;
            if rows.is_empty() {
                return Ok(None);
            }
            for (_, data) in rows {
                tree.append(leaf_hash(&data));
            }
        }
        Ok(Some(tree))
    }

    pub(crate) fn root_from_leaves(
        &self,
        key: &LogKey,
        size: u64,
        record: &dyn Record,
    ) -> Result<Option<Hash>, RecordError> {
        Ok(self.tree_of(key, size, record)?.map(|tree| tree.root()))
    }

    fn accused(&self, party: PartyId) -> super::keys::AccusedKeys {
        let editions = self.public.get(&party).map_or(&[][..], Vec::as_slice);
        super::keys::AccusedKeys::new(self.id, party, editions)
    }
}

fn claim(line: &Line) -> Claim {
    let kind = match line.kind {
        LineKind::Log => KeyKind::LogEd25519,
        LineKind::LogPostQuantum => KeyKind::LogMlDsa,
        LineKind::Receipt => KeyKind::CosignerEd25519,
        LineKind::ReceiptPostQuantum => KeyKind::CosignerMlDsa,
    };
    let evidence = LineEvidence { kind, time_s: line.time_s, signature: line.signature.clone() };
    Claim { head: Head { size: line.size, root: line.root }, evidence: Evidence::Line(evidence) }
}
