//! One log as this node holds it: its tree's edge, what is durable, who has cosigned how much.

use std::collections::{BTreeMap, VecDeque};

use detente_crypto::Hash;
use detente_transparency::{Checkpoint, Edge, Head, Name};

use super::message::Line;
use super::own::OwnLog;
use super::rows::{LINES, LogNumber, Record, RecordError};
use crate::judge::LogJudge;
use crate::names::{ChannelId, LogKey, PartyIndex};
use crate::sealing::FrameContent;

/// Roots of signed sizes kept in memory, for `seen` and receipts; older ones are in the record.
pub(crate) const ROOTS_MAX: usize = 1024;
/// Entries durable but not judged yet that stay in memory; the rest is read again when its turn comes.
pub(crate) const UNJUDGED_MAX: usize = 1024;

/// What one party has cosigned of a log.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cosigned {
    /// Size of its largest receipt.
    pub(crate) size: u64,
    /// The first receipt at that size.
    pub(crate) first: Option<Line>,
    /// The last receipt at that size, not yet in the record.
    pub(crate) last: Option<Line>,
    /// Size of its largest ML-DSA receipt.
    pub(crate) post_quantum: u64,
}

/// An entry that is durable or about to be, and waits for judgement.
#[derive(Clone, Debug)]
pub(crate) struct Unjudged {
    pub(crate) index: u64,
    pub(crate) leaf: Hash,
    pub(crate) entry: Vec<u8>,
}

/// What a log is to this node.
#[derive(Debug)]
pub(crate) enum Role {
    /// Written by this party, in this run or a former one.
    Own(OwnLog),
    /// A copy of another party's.
    Mirror(MirrorLog),
}

/// What only mirrors have.
#[derive(Debug, Default)]
pub(crate) struct MirrorLog {
    /// Frames beyond a gap, by first index; at most 64.
    pub(crate) beyond: BTreeMap<u64, FrameContent>,
    /// Size of this node's last own receipt.
    pub(crate) cosigned: u64,
    /// When the gap may be asked for again (monotonic ms).
    pub(crate) ask_again: u64,
    /// The wait before that, while logs named by the first entry are missing.
    pub(crate) ask_wait: u64,
    /// When the last fresh receipt went out (monotonic ms).
    pub(crate) heartbeat_sent: u64,
    /// Size of this node's last own ML-DSA receipt, and since when more is waiting.
    pub(crate) post_quantum: u64,
    pub(crate) post_quantum_waits_since: Option<u64>,
}

/// A log held by this node.
#[derive(Debug)]
pub(crate) struct Log {
    pub(crate) number: LogNumber,
    pub(crate) key: LogKey,
    pub(crate) name: Name,
    /// Includes what is on its way to the disk.
    pub(crate) edge: Edge,
    pub(crate) durable: u64,
    /// Size at which a later generation closed it.
    pub(crate) closed: Option<u64>,
    /// Frozen by an equivocation proof: nothing is taken or cosigned any more.
    pub(crate) frozen: bool,
    pub(crate) roots: BTreeMap<u64, Hash>,
    /// Size its writer's ML-DSA lines reach.
    pub(crate) post_quantum: u64,
    pub(crate) cosigned: BTreeMap<PartyIndex, Cosigned>,
    pub(crate) judge: LogJudge,
    /// The judge before the first entry that was judged without all its writer had seen.
    pub(crate) provisional: Option<Box<LogJudge>>,
    pub(crate) unjudged: VecDeque<Unjudged>,
    /// Credential edition whose keys sign it; known once its generation entry is.
    pub(crate) edition: Option<u32>,
    pub(crate) role: Role,
}

impl Log {
    pub(crate) fn new(
        number: LogNumber,
        key: LogKey,
        channel: ChannelId,
        judge: LogJudge,
        role: Role,
    ) -> Self {
        let name = Name::new(&key.name(channel)).expect("log names are base32, digits and slashes");
        Self {
            number,
            key,
            name,
            edge: Edge::new(),
            durable: 0,
            closed: None,
            frozen: false,
            roots: BTreeMap::new(),
            post_quantum: 0,
            cosigned: BTreeMap::new(),
            judge,
            provisional: None,
            unjudged: VecDeque::new(),
            edition: None,
            role,
        }
    }

    pub(crate) fn checkpoint(&self, size: u64, root: Hash) -> Checkpoint {
        Checkpoint { origin: self.name.clone(), head: Head { size, root } }
    }

    pub(crate) fn remember_root(&mut self, size: u64, root: Hash) {
        self.roots.insert(size, root);
        while self.roots.len() > ROOTS_MAX {
            self.roots.pop_first();
        }
    }

    /// The root at a signed size, or at the size held. `None` when no line for it is known.
    pub(crate) fn root_at(&self, size: u64, record: &dyn Record) -> Result<Option<Hash>, RecordError> {
        if size == 0 {
            return Ok(Some(detente_transparency::EMPTY_ROOT));
        }
        if let Some(root) = self.roots.get(&size) {
            return Ok(Some(*root));
        }
        if size > self.durable {
            return Ok(None);
        }
        let from = self.number.at(size);
        let to = self.number.at(size + 1);
        let rows = record.scan(LINES, &from, &to, 1)?;
        Ok(rows.first().and_then(|(_, value)| Some(Hash(value.get(8..40)?.try_into().ok()?))))
    }

    /// The root of what is durable.
    pub(crate) fn durable_root(&self, record: &dyn Record) -> Result<Hash, RecordError> {
        if self.edge.size() == self.durable {
            return Ok(self.edge.root());
        }
        let root = self.root_at(self.durable, record)?;
        root.ok_or_else(|| RecordError(format!("{} has no line for size {}", self.name, self.durable)))
    }

    pub(crate) fn own(&self) -> Option<&OwnLog> {
        match &self.role {
            Role::Own(own) => Some(own),
            Role::Mirror(_) => None,
        }
    }

    pub(crate) fn own_mut(&mut self) -> Option<&mut OwnLog> {
        match &mut self.role {
            Role::Own(own) => Some(own),
            Role::Mirror(_) => None,
        }
    }

    pub(crate) fn mirror(&self) -> Option<&MirrorLog> {
        match &self.role {
            Role::Mirror(mirror) => Some(mirror),
            Role::Own(_) => None,
        }
    }

    /// Entries are held, and not even the first could be judged.
    pub(crate) fn waits_for_named(&self) -> bool {
        self.durable > 0 && self.judge.index() == 0 && !self.frozen
    }

    pub(crate) fn mirror_mut(&mut self) -> Option<&mut MirrorLog> {
        match &mut self.role {
            Role::Mirror(mirror) => Some(mirror),
            Role::Own(_) => None,
        }
    }

    pub(crate) fn cosigned_by(&self, party: PartyIndex) -> u64 {
        self.cosigned.get(&party).map_or(0, |cosigned| cosigned.size)
    }
}
