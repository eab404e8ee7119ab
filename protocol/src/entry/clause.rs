//! The clauses an entry can break, in the order they are asked. Source: `spec/entry.md`, section 5.

use core::fmt;

/// The first clause that a void entry breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Clause {
    /// Longer than 1,024 bytes in the emergency lane.
    Size,
    /// Not the version byte and one deterministic array with an integer first.
    Cbor,
    /// Count, type or range of an element.
    Shape,
    /// Entry 0 and no generation entry, or the other way round.
    Generation,
    /// A lane its kind or precedence may not stand in.
    Lane,
    /// What it says its writer had seen.
    Seen,
    /// What it refers to.
    Reference,
    /// To whom it is addressed.
    To,
    /// Written after its validity had ended.
    Expired,
    /// The charter edition it stands under.
    Edition,
    /// A ratification out of turn.
    Ratify,
    /// A message under a suspension that binds it.
    Suspended,
    /// Nothing to restore.
    Restore,
    /// The channel is closed for it.
    Closed,
}

impl Clause {
    /// All clauses, in order.
    pub const ALL: [Self; 14] = [
        Self::Size,
        Self::Cbor,
        Self::Shape,
        Self::Generation,
        Self::Lane,
        Self::Seen,
        Self::Reference,
        Self::To,
        Self::Expired,
        Self::Edition,
        Self::Ratify,
        Self::Suspended,
        Self::Restore,
        Self::Closed,
    ];

    /// The word in journals.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Size => "size",
            Self::Cbor => "cbor",
            Self::Shape => "shape",
            Self::Generation => "generation",
            Self::Lane => "lane",
            Self::Seen => "seen",
            Self::Reference => "reference",
            Self::To => "to",
            Self::Expired => "expired",
            Self::Edition => "edition",
            Self::Ratify => "ratify",
            Self::Suspended => "suspended",
            Self::Restore => "restore",
            Self::Closed => "closed",
        }
    }
}

impl fmt::Display for Clause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
