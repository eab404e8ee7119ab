//! Proof that a party said two things about one log that cannot both be true.
//!
//! Two signed claims are enough: one size with two roots; or two sizes where the later tree, as the
//! party signed it, provably begins with another root than it signed for the earlier size. The proof
//! stands alone: whoever has the party's credential can check it. Source: `spec/log.md`, section 5.

use detente_crypto::Hash;

use crate::key::{Key, KeyKind, LineError, PublicKey, Role};
use crate::proof::{Head, verify_consistency, verify_inclusion};
use crate::tree::leaf_hash;
use crate::{Checkpoint, Name};

/// The later tree as it was at the earlier size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// The root that the later tree had at the earlier size; differs from the one claimed.
    pub root: Hash,
    /// The consistency path from that root to the later one.
    pub path: Vec<Hash>,
}

/// Whether two claimed heads of one log contradict each other.
///
/// For equal sizes the roots must differ and `extension` be absent. Else `earlier` must be the smaller
/// one, and the extension lead from another root of its size to `later`. Size 0 claims nothing.
#[must_use]
pub fn contradict(earlier: Head, later: Head, extension: Option<&Extension>) -> bool {
    if earlier.size == 0 || earlier.size > later.size {
        return false;
    }
    match extension {
        None => earlier.size == later.size && earlier.root != later.root,
        Some(Extension { root, path }) => {
            let beginning = Head { size: earlier.size, root: *root };
            earlier.size < later.size && *root != earlier.root && verify_consistency(beginning, later, path)
        }
    }
}

/// One thing the party signed about the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The size and root it claims.
    pub head: Head,
    /// What shows that the party claims it.
    pub evidence: Evidence,
}

/// What shows that a party claims a head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// A log line or a receipt.
    Line(LineEvidence),
    /// Entry 0 of another log of the party, which names this log.
    GenerationEntry(Box<GenerationEntry>),
}

/// A signature over the log's checkpoint with the claimed head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineEvidence {
    /// Which kind of line.
    pub kind: KeyKind,
    /// Its time in seconds; 0 for a log's line.
    pub time_s: u64,
    /// The bare signature, 64 or 2,420 bytes.
    pub signature: Vec<u8>,
}

/// Entry 0 of a log, shown to be in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GenerationEntry {
    /// Name, size and root of the log it opens.
    pub checkpoint: Checkpoint,
    /// Its leaf data: salt and entry.
    pub leaf: Vec<u8>,
    /// The inclusion path of leaf 0 in that log.
    pub path: Vec<Hash>,
    /// That log's Ed25519 line over its checkpoint: 64 bytes.
    pub signature: Vec<u8>,
}

/// Two claims of one party about one log that contradict each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Equivocation {
    /// The log both claims are about.
    pub log: Name,
    /// The party that made both.
    pub party: Hash,
    /// The claims, the lower by (size, root) first.
    pub claims: [Claim; 2],
    /// Present exactly if the sizes differ.
    pub extension: Option<Extension>,
}

/// What the rules of channels say about the party that a proof accuses.
pub trait Accused {
    /// The log keys of all its credential editions.
    fn log_keys(&self) -> &[PublicKey];
    /// The cosigner keys of all its credential editions.
    fn cosigner_keys(&self) -> &[PublicKey];
    /// The name in its receipts on the channel of `log`.
    fn cosigner_name(&self, log: &Name) -> Option<Name>;
    /// Whether `log` is one of its own.
    fn owns(&self, log: &Name) -> bool;
    /// The head that a generation entry (leaf data) claims for `log`, if it names it.
    fn named(&self, leaf: &[u8], log: &Name) -> Option<Head>;
}

/// Why a proof accuses nobody.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EquivocationError {
    /// The claims do not contradict each other, or stand in the wrong order.
    PeerNoContradiction,
    /// The claim at this place (0 or 1) is not signed by the party.
    PeerClaim(usize, LineError),
    /// The claim at this place is about a log that is not the party's, though its kind says so.
    PeerForeignLog(usize),
    /// The generation entry of the claim at this place is not in its log or does not name this head.
    PeerGeneration(usize),
}

impl core::fmt::Display for EquivocationError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::PeerNoContradiction => f.write_str("the two claims do not contradict each other"),
            Self::PeerClaim(place, error) => write!(f, "claim {}: {error}", place + 1),
            Self::PeerForeignLog(place) => write!(f, "claim {}: the log is not the party's", place + 1),
            Self::PeerGeneration(place) => {
                write!(f, "claim {}: the generation entry does not claim this", place + 1)
            }
        }
    }
}

impl core::error::Error for EquivocationError {}

impl Equivocation {
    /// Joins two contradicting claims, in either order.
    ///
    /// # Errors
    /// [`EquivocationError::PeerNoContradiction`] if they do not contradict each other. Signatures are
    /// not checked here.
    pub fn new(
        log: Name,
        party: Hash,
        mut claims: [Claim; 2],
        extension: Option<Extension>,
    ) -> Result<Self, EquivocationError> {
        claims.sort_by_key(|claim| (claim.head.size, claim.head.root));
        let proof = Self { log, party, claims, extension };
        if proof.contradicts() { Ok(proof) } else { Err(EquivocationError::PeerNoContradiction) }
    }

    fn contradicts(&self) -> bool {
        let [earlier, later] = [self.claims[0].head, self.claims[1].head];
        let in_order = (earlier.size, earlier.root) < (later.size, later.root);
        in_order && contradict(earlier, later, self.extension.as_ref())
    }

    /// Checks the proof against the party it accuses. The caller has found `accused` by
    /// [`Equivocation::party`] and knows the log's channel.
    ///
    /// # Errors
    /// [`EquivocationError`] if it proves nothing.
    pub fn verify(&self, accused: &impl Accused) -> Result<(), EquivocationError> {
        if !self.contradicts() {
            return Err(EquivocationError::PeerNoContradiction);
        }
        for (place, claim) in self.claims.iter().enumerate() {
            match &claim.evidence {
                Evidence::Line(line) => self.verify_line(place, claim.head, line, accused)?,
                Evidence::GenerationEntry(entry) => {
                    self.verify_generation(place, claim.head, entry, accused)?
                }
            }
        }
        Ok(())
    }

    fn verify_line(
        &self,
        place: usize,
        head: Head,
        line: &LineEvidence,
        accused: &impl Accused,
    ) -> Result<(), EquivocationError> {
        let foreign = EquivocationError::PeerForeignLog(place);
        let (role, name, keys) = if line.kind.is_log() {
            let name = accused.owns(&self.log).then(|| self.log.clone()).ok_or(foreign)?;
            (Role::Log, name, accused.log_keys())
        } else {
            (Role::Cosigner, accused.cosigner_name(&self.log).ok_or(foreign)?, accused.cosigner_keys())
        };
        let checkpoint = Checkpoint { origin: self.log.clone(), head };
        let keys = keys.iter().map(|public| Key::new(name.clone(), role, public.clone()));
        let mut failed = LineError::PeerSignature;
        for key in keys.filter(|key| key.kind() == line.kind) {
            match key.verify(&checkpoint, line.time_s, &line.signature) {
                Ok(()) => return Ok(()),
                Err(error) => failed = error,
            }
        }
        Err(EquivocationError::PeerClaim(place, failed))
    }

    fn verify_generation(
        &self,
        place: usize,
        head: Head,
        entry: &GenerationEntry,
        accused: &impl Accused,
    ) -> Result<(), EquivocationError> {
        let origin = &entry.checkpoint.origin;
        if !accused.owns(origin) || !accused.owns(&self.log) || *origin == self.log {
            return Err(EquivocationError::PeerForeignLog(place));
        }
        let included = verify_inclusion(0, leaf_hash(&entry.leaf), entry.checkpoint.head, &entry.path);
        if !included || accused.named(&entry.leaf, &self.log) != Some(head) {
            return Err(EquivocationError::PeerGeneration(place));
        }
        let mut keys =
            accused.log_keys().iter().map(|public| Key::new(origin.clone(), Role::Log, public.clone()));
        let signed = keys.any(|key| {
            key.kind() == KeyKind::LogEd25519 && key.verify(&entry.checkpoint, 0, &entry.signature).is_ok()
        });
        if signed { Ok(()) } else { Err(EquivocationError::PeerClaim(place, LineError::PeerSignature)) }
    }
}
