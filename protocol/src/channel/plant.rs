//! Faults built in on purpose, which only simulated worlds can switch on, and a look at the bounds.
//!
//! A checker is worth what it catches. Each of these undoes one rule of the channel at its place;
//! the simulation must find it by its own seeds. Compiled with the feature `simulation` alone.

use super::Channel;

/// One rule undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Danger {
    /// A leaf that cannot be read is refused, so that what follows it is never taken.
    JunkRefused,
    /// A statement offered again is entered again.
    StatementTwice,
    /// What `Have` says counts as a receipt.
    HaveIsReceipt,
    /// A wrap counts without its sender's signature.
    WrapUnsigned,
    /// Receipts are dated an hour before they are given.
    ReceiptBackdated,
    /// The newest cosignature of a size is written over the first.
    NewestOverFirst,
    /// A cosigner's time follows its clock back.
    TimeFalls,
    /// A frame under a line that does not verify accuses the log's writer.
    FrameAccuses,
    /// An entry of the emergency lane may be as long as any.
    LongEmergency,
    /// Two signed histories are not told to anybody.
    ForkIgnored,
    /// The counts of control messages begin anew with each.
    CountsReused,
}

impl Channel {
    /// Undoes one rule from now on.
    pub fn danger_plant(&mut self, danger: Danger) {
        self.danger = Some(danger);
    }

    pub(crate) fn planted(&self, danger: Danger) -> bool {
        self.danger == Some(danger)
    }

    /// Each collection that a peer can make grow: its name, its size and the most it may have.
    #[must_use]
    pub fn danger_bounds(&self) -> Vec<(&'static str, usize, usize)> {
        let parties = self.parties.len();
        let mut bounds = vec![
            ("unopened messages", self.unopened.len(), 64),
            ("blobs before their entries", self.early.len(), super::schedule::BLOBS_MAX),
            ("blobs asked for", self.blobs.wanted_len(), super::schedule::BLOBS_MAX),
            ("equivocation proofs", self.proofs.len(), self.logs.len() * parties),
        ];
        for epochs in self.peer_epochs.values() {
            bounds.push(("epochs of a party", epochs.len(), crate::limits::LIVE_EPOCHS_MAX));
        }
        for log in self.logs.values() {
            bounds.push(("roots of a log", log.roots.len(), super::log_state::ROOTS_MAX));
            bounds.push(("entries not judged", log.unjudged.len(), super::log_state::UNJUDGED_MAX));
            if let super::log_state::Role::Mirror(mirror) = &log.role {
                bounds.push(("frames beyond a gap", mirror.beyond.len(), crate::limits::GAP_FRAMES_MAX));
            }
        }
        bounds
    }
}
