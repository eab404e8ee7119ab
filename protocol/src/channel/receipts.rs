//! Receipts: what this node cosigns of others' logs, and what others cosign of any log.

use detente_transparency::Checkpoint;

use super::log_state::Cosigned;
use super::message::{LINES_MAX, Line, LineItem, LineKind, Message};
use super::rows::{FACTS, Record, RecordError, Row, line_row};
use super::{Channel, Event, Now, Output, Pending, Urgency};
use crate::names::{Lane, LogKey, PartyIndex, cosigner_name};

impl Channel {
    /// Cosigns every mirror that grew and answers repetitions, with one message to all.
    pub(crate) fn send_receipts(&mut self, now: Now, record: &dyn Record) -> Result<(), RecordError> {
        let due = std::mem::take(&mut self.cosign_due);
        let again = std::mem::take(&mut self.answer_again);
        let mut items = Vec::new();
        let mut urgency = Urgency::Ordinary;
        for key in due.iter().chain(again.difference(&due)) {
            if key.lane == Lane::Emergency {
                urgency = Urgency::Emergency;
            }
            let me = self.my_index;
            let first = self.logs[key].cosigned.get(&me).and_then(|c| c.first.clone());
            if again.contains(key) && !due.contains(key) {
                items.extend(first.map(LineItem::Line));
            }
            items.extend(self.cosign(now, *key, record)?.map(LineItem::Line));
        }
        self.send_lines(None, urgency, items);
        Ok(())
    }

    /// A fresh receipt of the size held durably. `None` for an empty or frozen mirror.
    pub(crate) fn cosign(
        &mut self,
        now: Now,
        key: LogKey,
        record: &dyn Record,
    ) -> Result<Option<Line>, RecordError> {
        let log = &self.logs[&key];
        if log.durable == 0 || log.frozen || log.own().is_some() {
            return Ok(None);
        }
        let (size, root) = (log.durable, log.durable_root(record)?);
        let time_s = self.receipt_time(now);
        let line = self.sign_receipt(LineKind::Receipt, key, size, root, time_s);
        let me = self.my_index;
        let rows = self.keep_receipt(&line, me);
        if !rows.is_empty() {
            let mut rows = rows;
            rows.push(Row {
                table: FACTS,
                key: [&self.number.to_be_bytes()[..], b"t"].concat(),
                value: time_s.to_be_bytes().to_vec(),
            });
            self.commit(rows, Pending::Nothing);
        }
        if let Some(mirror) = self.logs.get_mut(&key).and_then(super::log_state::Log::mirror_mut) {
            mirror.cosigned = size;
            mirror.heartbeat_sent = now.mono_ms;
        }
        Ok(Some(line))
    }

    /// The time of a receipt: the clock's, but never below the last one given.
    fn receipt_time(&mut self, now: Now) -> u64 {
        let clock = u64::try_from(now.wall.seconds()).unwrap_or(0).max(1);
        #[cfg(feature = "simulation")]
        match self.danger {
            Some(super::Danger::ReceiptBackdated) => return clock.saturating_sub(3_600),
            Some(super::Danger::TimeFalls) => return clock,
            _ => {}
        }
        self.last_receipt_s = self.last_receipt_s.max(clock);
        self.last_receipt_s
    }

    pub(crate) fn sign_receipt(
        &self,
        kind: LineKind,
        log: LogKey,
        size: u64,
        root: detente_crypto::Hash,
        time_s: u64,
    ) -> Line {
        let checkpoint = self.logs[&log].checkpoint(size, root);
        let signature = self.keys.sign(kind, &cosigner_name(self.id, self.me), &checkpoint, time_s);
        Line { kind, signer: self.my_index, log, size, root, time_s, signature }
    }

    /// Sends lines, at most 64 a message, to one party or to all.
    pub(crate) fn send_lines(&mut self, to: Option<PartyIndex>, urgency: Urgency, items: Vec<LineItem>) {
        // ML-DSA lines are long: a message is also closed before it outgrows the largest frame.
        let mut rest = items.into_iter().peekable();
        while rest.peek().is_some() {
            let (mut part, mut bytes) = (Vec::new(), 0);
            while let Some(item) = rest.next_if(|_| part.len() < LINES_MAX && bytes < 48_000) {
                bytes += match &item {
                    LineItem::Line(line) => 128 + line.signature.len(),
                    LineItem::Confirm { .. } | LineItem::Presence { .. } => 96,
                };
                part.push(item);
            }
            self.send_message(to, urgency, &Message::Line(part));
        }
    }

    /// Takes lines: late signatures of writers, receipts, confirmations, presence.
    pub(crate) fn handle_lines(
        &mut self,
        now: Now,
        from: PartyIndex,
        items: Vec<LineItem>,
        record: &dyn Record,
    ) -> Result<(), RecordError> {
        for item in items {
            match item {
                LineItem::Line(line) => self.handle_line(now, from, line, record)?,
                LineItem::Confirm { epoch, signature } => self.handle_confirm(now, from, epoch, &signature),
                LineItem::Presence { expiry_ms, signature } => {
                    self.handle_presence(from, expiry_ms, &signature);
                }
            }
        }
        Ok(())
    }

    fn handle_line(
        &mut self,
        now: Now,
        from: PartyIndex,
        line: Line,
        record: &dyn Record,
    ) -> Result<(), RecordError> {
        let Some(log) = self.logs.get(&line.log) else { return Ok(()) };
        if !self.line_verifies(&log.checkpoint(line.size, line.root), &line) {
            self.counters.line_refused += 1;
            return Ok(());
        }
        let log = &self.logs[&line.log];
        if line.size > log.durable {
            // A receipt for more than this node holds: nothing to compare it with yet.
            if log.key.party == self.me && line.kind == LineKind::Receipt {
                self.beyond_own(now, &line);
            }
            return Ok(());
        }
        match log.root_at(line.size, record)? {
            Some(root) if root == line.root => self.accept_line(now, line),
            Some(_) => self.contradiction(now, from, &line, record)?,
            // No line of the writer at this size: the tree itself answers, but not more than once a
            // second, for a signature costs its maker nothing and the tree costs us all its leaves.
            None if now.mono_ms < self.timers.tree_again => {}
            None => {
                self.timers.tree_again = now.mono_ms + 1_000;
                let root = self.root_from_leaves(&line.log, line.size, record)?;
                if root == Some(line.root) {
                    self.accept_line(now, line);
                } else if root.is_some() {
                    self.contradiction(now, from, &line, record)?;
                }
            }
        }
        Ok(())
    }

    pub(crate) fn line_verifies(&self, checkpoint: &Checkpoint, line: &Line) -> bool {
        let party = self.parties[usize::from(line.signer.0)];
        let edition = if line.kind.is_receipt() { None } else { self.logs[&line.log].edition };
        let verify = |keys: &super::keys::PartyKeys| {
            keys.verify(line.kind, self.id, checkpoint, line.time_s, &line.signature)
        };
        match edition {
            Some(_) => self.log_keys(party, edition).is_some_and(verify),
            None => self.public.get(&party).is_some_and(|editions| editions.iter().any(verify)),
        }
    }

    fn accept_line(&mut self, now: Now, line: Line) {
        let signer = line.signer;
        match line.kind {
            LineKind::Log => {}
            LineKind::LogPostQuantum => {
                let log = self.logs.get_mut(&line.log).expect("looked up by the caller");
                if line.size > log.post_quantum {
                    log.post_quantum = line.size;
                    let row = line_row(log.number, &line, false);
                    self.commit(vec![row], Pending::Nothing);
                }
            }
            LineKind::Receipt => {
                let before = self.logs[&line.log].cosigned_by(signer);
                let rows = self.keep_receipt(&line, signer);
                if !rows.is_empty() {
                    self.commit(rows, Pending::Nothing);
                }
                if line.size > before {
                    let (log, time_s) = (line.log, line.time_s);
                    self.receipt_came(now, log, signer);
                    let event = Event::Receipt {
                        log,
                        by: signer,
                        before,
                        size: line.size,
                        time_s,
                        arrived: now.wall,
                    };
                    self.outputs.push_back(Output::Event(event));
                }
            }
            LineKind::ReceiptPostQuantum => {
                let log = self.logs.get_mut(&line.log).expect("looked up by the caller");
                let number = log.number;
                let cosigned = log.cosigned.entry(signer).or_default();
                if line.size > cosigned.post_quantum {
                    cosigned.post_quantum = line.size;
                    let row = line_row(number, &line, false);
                    self.commit(vec![row], Pending::Nothing);
                }
            }
        }
    }

    /// Keeps the first receipt at a growth and the last before it; answers the rows to be written.
    pub(crate) fn keep_receipt(&mut self, line: &Line, signer: PartyIndex) -> Vec<Row> {
        let log = self.logs.get_mut(&line.log).expect("looked up by the caller");
        let number = log.number;
        let cosigned: &mut Cosigned = log.cosigned.entry(signer).or_default();
        if line.size < cosigned.size {
            return Vec::new();
        }
        if line.size == cosigned.size && cosigned.first.is_some() {
            cosigned.last = Some(line.clone());
            #[cfg(feature = "simulation")]
            if self.danger == Some(super::Danger::NewestOverFirst) {
                return vec![line_row(number, line, false)];
            }
            return Vec::new();
        }
        let mut rows: Vec<Row> =
            cosigned.last.take().iter().map(|last| line_row(number, last, true)).collect();
        rows.push(line_row(number, line, false));
        cosigned.size = line.size;
        cosigned.first = Some(line.clone());
        rows
    }

    fn handle_presence(&mut self, from: PartyIndex, expiry_ms: i64, signature: &[u8; 64]) {
        let party = self.parties[usize::from(from.0)];
        let message = super::presence_message(self.id, party, expiry_ms);
        let holds = self
            .public
            .get(&party)
            .is_some_and(|editions| editions.iter().any(|keys| keys.verify_notice(&message, signature)));
        if holds {
            let until = detente_encoding::Timestamp::from_millis(expiry_ms);
            self.outputs.push_back(Output::Event(Event::Presence { party: from, until }));
        }
    }
}
