//! A party that lies. It has its own real keys, the epochs that it may read, and a program of its own.
//!
//! Its node runs beside it and behaves; what is made here goes to the others past it, as bytes. All
//! of it must be survived, and what it signs twice must be proved against it.

use detente_crypto::{Ed25519Signer, Hash, MlDsaSigner, Suite};
use detente_encoding::cbor::{self, Value};
use detente_protocol::channel::NodeKeys;
use detente_protocol::names::{ChannelId, Generation, Lane, LogKey, PartyId, PartyIndex, Run};
use detente_protocol::sealing::{
    ControlSealer, Epoch, FrameContent, FrameEntry, Kind, LogSeal, Reader, Wrap, cover, seal_frame,
};
use detente_transparency::{
    Checkpoint, Head, MemoryTree, Name, ed25519_cosignature_message, ed25519_log_message, leaf_hash,
    mldsa_message,
};

use crate::Random;

/// What the liar can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lie {
    /// Another last entry of its own log, signed.
    Fork,
    /// A log of entries that break every clause of their shape.
    Junk,
    /// Receipts for what nobody wrote, and for another root.
    FalseReceipt,
    /// `Have` that claims everything.
    HoldsAll,
    /// Its ML-DSA line over another root than its Ed25519 line.
    TwoRoots,
    /// A frame of another party's log, sealed as any reader can, under no valid line.
    ForgedFrame,
    /// A wrap in another party's name, signed by nobody of it.
    ForgedWrap,
    /// Random bytes of every length.
    Garbage,
    /// Messages of the right seal and a wrong shape.
    WrongShape,
    /// A flood of generations.
    Generations,
}

impl Lie {
    pub(crate) const ALL: [Self; 10] = [
        Self::Fork,
        Self::Junk,
        Self::FalseReceipt,
        Self::HoldsAll,
        Self::TwoRoots,
        Self::ForgedFrame,
        Self::ForgedWrap,
        Self::Garbage,
        Self::WrongShape,
        Self::Generations,
    ];

    pub(crate) fn count(self) -> &'static str {
        match self {
            Self::Fork => "lie: two histories of one log",
            Self::Junk => "lie: entries that break clauses",
            Self::FalseReceipt => "lie: false receipts",
            Self::HoldsAll => "lie: have that claims everything",
            Self::TwoRoots => "lie: Ed25519 and ML-DSA over two roots",
            Self::ForgedFrame => "lie: frame in another's name",
            Self::ForgedWrap => "lie: wrap signed by nobody",
            Self::Garbage => "lie: random bytes",
            Self::WrongShape => "lie: sealed messages of a wrong shape",
            Self::Generations => "lie: flood of generations",
        }
    }
}

/// The liar's own tools.
pub(crate) struct Liar {
    suite: &'static dyn Suite,
    channel: ChannelId,
    parties: Vec<PartyId>,
    me: PartyId,
    epoch: Epoch,
    sealer: ControlSealer,
    log: Ed25519Signer,
    log_post_quantum: MlDsaSigner,
    cosigner: Ed25519Signer,
}

impl Liar {
    pub(crate) fn new(
        suite: &'static dyn Suite,
        channel: ChannelId,
        parties: Vec<PartyId>,
        me: PartyId,
        (seeds, epoch): (&[[u8; 32]; 4], [u8; 32]),
        random: &mut Random,
    ) -> Self {
        let NodeKeys { log, log_post_quantum, cosigner, .. } = NodeKeys::from_seeds(suite, seeds);
        let sealer = ControlSealer::new(me, Run(random.bytes()));
        let epoch = Epoch::new(suite, epoch);
        Self { suite, channel, parties, me, epoch, sealer, log, log_post_quantum, cosigner }
    }

    fn wire(&self, log: &LogKey) -> Value {
        let index = self.parties.iter().position(|party| *party == log.party).expect("of the channel");
        Value::Array(vec![
            Value::from(index as u64),
            Value::from(log.lane as u64),
            Value::from(u64::from(log.generation.number)),
            Value::bytes(&log.generation.run.0),
        ])
    }

    fn checkpoint(&self, log: &LogKey, size: u64, root: Hash) -> Checkpoint {
        let origin = Name::new(&log.name(self.channel)).expect("a log name");
        Checkpoint { origin, head: Head { size, root } }
    }

    fn control(&mut self, kind: Kind, value: &Value) -> Option<Vec<u8>> {
        self.sealer.seal(&self.epoch, kind, &cbor::encode(value))
    }

    /// Leaves from `first` on, under this party's own line.
    fn backfill(&mut self, log: &LogKey, before: &[Vec<u8>], new: &[Vec<u8>]) -> Option<Vec<u8>> {
        let mut tree = MemoryTree::default();
        for leaf in before.iter().chain(new) {
            tree.append(leaf_hash(leaf));
        }
        let (size, root) = (tree.size(), tree.root());
        let line = self.log.sign(&ed25519_log_message(&self.checkpoint(log, size, root)));
        let message = Value::Array(vec![
            self.wire(log),
            Value::from(before.len() as u64),
            Value::Array(new.iter().map(|leaf| Value::bytes(leaf)).collect()),
            Value::Array(vec![Value::from(size), Value::bytes(&root.0), Value::bytes(&line)]),
        ]);
        self.control(Kind::Backfill, &message)
    }

    /// Another entry in place of the last of its own log.
    pub(crate) fn fork(&mut self, log: &LogKey, leaves: &[Vec<u8>], random: &mut Random) -> Option<Vec<u8>> {
        let (last, before) = leaves.split_last()?;
        let mut other = last.clone();
        other[..16].copy_from_slice(&random.bytes::<16>());
        self.backfill(log, before, &[other])
    }

    /// The log of junk: always the same, so that it can be told again.
    pub(crate) fn junk(&mut self, lane: Lane) -> Option<(LogKey, u64, Vec<u8>)> {
        let generation = Generation { number: 900, run: Run([0x6a; 8]) };
        let log = LogKey { party: self.me, lane, generation };
        let entries: [Vec<u8>; 8] = [
            vec![0xff; 40],
            Vec::new(),
            // An array whose length is not in its shortest form.
            [&[0x98, 0x03][..], &[1, 2, 3]].concat(),
            // `seen` of 10^9 of a log that nobody has.
            cbor::encode(&Value::Array(vec![
                Value::from(32u64),
                Value::from(1u64),
                Value::Array(vec![Value::from(77u64), Value::from(1_000_000_000u64)]),
                Value::bytes(&[1; 8]),
            ])),
            vec![0x80; 4_096],
            // Arrays within arrays without end.
            vec![0x81; 2_000],
            cbor::encode(&Value::text("not an entry")),
            vec![0; 1],
        ];
        let leaves: Vec<Vec<u8>> = entries.iter().map(|entry| [&[9; 16][..], entry].concat()).collect();
        let bytes = self.backfill(&log, &[], &leaves)?;
        Some((log, leaves.len() as u64, bytes))
    }

    /// A generation with one unreadable entry.
    pub(crate) fn generation(&mut self, random: &mut Random) -> Option<Vec<u8>> {
        let generation = Generation { number: 901, run: Run(random.bytes()) };
        let log = LogKey { party: self.me, lane: Lane::Exercise, generation };
        self.backfill(&log, &[], &[vec![3; 30]])
    }

    /// A receipt for `size` of a log under any root.
    pub(crate) fn receipt(&mut self, log: &LogKey, size: u64, root: Hash, time_s: u64) -> Option<Vec<u8>> {
        let message = ed25519_cosignature_message(time_s, &self.checkpoint(log, size, root));
        let line = Value::Array(vec![
            Value::from(2u64),
            self.wire(log),
            Value::from(size),
            Value::bytes(&root.0),
            Value::from(time_s),
            Value::bytes(&self.cosigner.sign(&message)),
        ]);
        self.control(Kind::Line, &Value::Array(vec![line]))
    }

    /// An ML-DSA line of its own log over any root.
    pub(crate) fn two_roots(&mut self, log: &LogKey, size: u64, root: Hash) -> Option<Vec<u8>> {
        let checkpoint = self.checkpoint(log, size, root);
        let signature = self.log_post_quantum.sign(&mldsa_message(&checkpoint.origin, 0, &checkpoint));
        let line = Value::Array(vec![
            Value::from(1u64),
            self.wire(log),
            Value::from(size),
            Value::bytes(&root.0),
            Value::from(0u64),
            Value::bytes(&signature),
        ]);
        self.control(Kind::Line, &Value::Array(vec![line]))
    }

    /// Claims to hold `size` of each log.
    pub(crate) fn holds(&mut self, logs: &[LogKey], size: u64) -> Option<Vec<u8>> {
        let live = logs
            .iter()
            .map(|log| Value::Array(vec![self.wire(log), Value::from(size), Value::bytes(&[1; 32])]))
            .collect();
        self.control(Kind::Have, &Value::Array(vec![Value::Array(live), Value::Array(Vec::new())]))
    }

    /// An entry in another party's log, sealed under its epoch, which every reader has.
    pub(crate) fn forged_frame(
        &self,
        victim: [u8; 32],
        log: &LogKey,
        (first, entry): (u64, Vec<u8>),
    ) -> Option<Vec<u8>> {
        let epoch = Epoch::new(self.suite, victim);
        let seal = LogSeal::new(&epoch, self.channel, log);
        let entries = vec![FrameEntry { salt: Some([5; 16]), entry }];
        seal_frame(&epoch, &seal, log, &FrameContent { first, entries, line: [8; 64] }, true).ok()
    }

    /// A new epoch in another party's name.
    pub(crate) fn forged_wrap(
        &self,
        victim: PartyId,
        (index, reader, kem): (PartyIndex, PartyId, &[u8; 1216]),
        random: &mut Random,
    ) -> Option<Vec<u8>> {
        let epoch = Epoch::new(self.suite, random.bytes());
        let reader = Reader { index, party: reader, kem, randomness: random.bytes() };
        let stranger = self.suite.ed25519_signer(&random.bytes());
        let wrap =
            Wrap::seal(&epoch, self.channel, victim, Run(random.bytes()), &[reader], &stranger).ok()?;
        Some(cover(self.suite, &wrap, random.bytes()))
    }

    /// A sealed message of any kind around a value that is none of its kind.
    pub(crate) fn wrong_shape(&mut self, random: &mut Random) -> Option<Vec<u8>> {
        let kinds = [Kind::Line, Kind::Have, Kind::Want, Kind::Blob, Kind::Proof, Kind::Backfill];
        let kind = kinds[usize::try_from(random.below(6)).expect("below 6")];
        let number = Value::from(random.next_u64() >> 1);
        let value = match random.below(4) {
            0 => number,
            1 => Value::Array(vec![Value::bytes(&random.bytes::<32>()), number.clone(), number]),
            2 => Value::Array(vec![Value::Array(Vec::new()); 3_000]),
            _ => Value::bytes(&random.bytes::<200>()),
        };
        self.control(kind, &value)
    }
}
