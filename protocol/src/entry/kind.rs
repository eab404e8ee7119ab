//! The closed list of what an entry can be. Source: `spec/entry.md`, section 1.

use crate::names::{Lane, Precedence};

/// What a spoken entry does: its number on the wire is its position here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A message whose body follows an agreed list of fields.
    Notification = 0,
    /// A message in free text.
    Note = 1,
    /// A message that asks for or arranges talks.
    Dialogue = 2,
    /// A message that declares, commits or reveals.
    Declaration = 3,
    /// A person on watch has taken a message over.
    Acknowledgement = 4,
    /// An answer will come.
    StandBy = 5,
    /// Agreed.
    Accept = 6,
    /// Something else is offered.
    CounterPropose = 7,
    /// Refused, with or without a reason.
    Decline = 8,
    /// Asks what is meant.
    Clarify = 9,
    /// Takes an own message back; it stays readable.
    Withdraw = 10,
    /// A message that replaces an own one, which stays readable.
    Correct = 11,
    /// Ratifies a charter edition.
    Ratify = 12,
    /// Suspends messages on the channel, never the emergency lane.
    Suspend = 13,
    /// Ends an own suspension.
    Restore = 14,
    /// Closes the channel for good.
    Close = 15,
}

impl Kind {
    /// All kinds in wire order.
    pub const ALL: [Self; 16] = [
        Self::Notification,
        Self::Note,
        Self::Dialogue,
        Self::Declaration,
        Self::Acknowledgement,
        Self::StandBy,
        Self::Accept,
        Self::CounterPropose,
        Self::Decline,
        Self::Clarify,
        Self::Withdraw,
        Self::Correct,
        Self::Ratify,
        Self::Suspend,
        Self::Restore,
        Self::Close,
    ];

    /// The kind with this number on the wire.
    #[must_use]
    pub fn from_number(number: u64) -> Option<Self> {
        usize::try_from(number).ok().and_then(|n| Self::ALL.get(n).copied())
    }

    /// The word in journals and commands.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Notification => "notification",
            Self::Note => "note",
            Self::Dialogue => "dialogue",
            Self::Declaration => "declaration",
            Self::Acknowledgement => "acknowledgement",
            Self::StandBy => "stand-by",
            Self::Accept => "accept",
            Self::CounterPropose => "counter-propose",
            Self::Decline => "decline",
            Self::Clarify => "clarify",
            Self::Withdraw => "withdraw",
            Self::Correct => "correct",
            Self::Ratify => "ratify",
            Self::Suspend => "suspend",
            Self::Restore => "restore",
            Self::Close => "close",
        }
    }

    /// Whether it carries content for the other side's people (0 to 3, and corrections).
    #[must_use]
    pub const fn is_message(self) -> bool {
        matches!(self, Self::Notification | Self::Note | Self::Dialogue | Self::Declaration | Self::Correct)
    }

    /// Whether it answers or withdraws another entry (4 to 10).
    #[must_use]
    pub const fn is_answer(self) -> bool {
        matches!(self as u8, 4..=10)
    }

    /// Whether it changes the channel itself (12 to 15).
    #[must_use]
    pub const fn is_channel_act(self) -> bool {
        self as u8 >= 12
    }

    /// Whether it refers to exactly one entry.
    #[must_use]
    pub const fn refers_to_one(self) -> bool {
        matches!(self as u8, 4..=11)
    }

    /// Whether it may stand in `lane` with `precedence`; the lane of an answer depends on its reference.
    #[must_use]
    pub fn fits(self, lane: Lane, precedence: Precedence) -> bool {
        if self.is_message() {
            lane == Lane::Exercise || lane == precedence.lane()
        } else {
            !self.is_channel_act() || lane == Lane::Ordinary
        }
    }
}
