//! Who and where: parties, channels, lanes, generations, logs.
//!
//! Identities are types, so that two can never be swapped. Source: `spec/encoding.md`, section 3.

use core::fmt;
use detente_encoding::text::{base32, from_base32, from_hex, hex};

/// A party: the hash of its root keys, 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartyId(pub [u8; 32]);

/// A channel: the hash of its first charter, 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelId(pub [u8; 32]);

/// Position of a party in the charter's list, 0 to 15.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartyIndex(pub u8);

/// The 8 random bytes of one run of one node process.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Run(pub [u8; 8]);

macro_rules! display_as {
    ($name:ident, $text:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&$text(&self.0))
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), $text(&self.0))
            }
        }
    };
}
display_as!(PartyId, base32);
display_as!(ChannelId, base32);
display_as!(Run, hex);

impl PartyId {
    /// Reads the 52 characters that [`fmt::Display`] writes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Some(Self(from_base32(text)?.try_into().ok()?))
    }
}

impl ChannelId {
    /// Reads the 52 characters that [`fmt::Display`] writes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Some(Self(from_base32(text)?.try_into().ok()?))
    }
}

/// Which of a party's three logs on a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// Routine and Priority messages, channel acts, tests.
    Ordinary = 0,
    /// Flash and Immediate: no suspension closes it, nothing stands before it.
    Emergency = 1,
    /// Drills: nothing in it can be taken for the others.
    Exercise = 2,
}

impl Lane {
    /// All three, in wire order.
    pub const ALL: [Self; 3] = [Self::Ordinary, Self::Emergency, Self::Exercise];

    /// The word in log names and statements.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ordinary => "ordinary",
            Self::Emergency => "emergency",
            Self::Exercise => "exercise",
        }
    }

    /// Reads the word that [`Self::word`] writes.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|lane| lane.word() == word)
    }

    /// Reads the number on the wire, 0 to 2.
    #[must_use]
    pub fn from_number(number: u64) -> Option<Self> {
        usize::try_from(number).ok().and_then(|n| Self::ALL.get(n).copied())
    }
}

/// How urgently people and queues treat a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Precedence {
    /// In the order of the day.
    Routine = 0,
    /// Before routine.
    Priority = 1,
    /// At once; the emergency lane.
    Immediate = 2,
    /// Before everything; the emergency lane.
    Flash = 3,
}

impl Precedence {
    /// All four, in wire order.
    pub const ALL: [Self; 4] = [Self::Routine, Self::Priority, Self::Immediate, Self::Flash];

    /// The word in message files.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Routine => "routine",
            Self::Priority => "priority",
            Self::Immediate => "immediate",
            Self::Flash => "flash",
        }
    }

    /// Reads the word that [`Self::word`] writes.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|precedence| precedence.word() == word)
    }

    /// Reads the number on the wire, 0 to 3.
    #[must_use]
    pub fn from_number(number: u64) -> Option<Self> {
        usize::try_from(number).ok().and_then(|n| Self::ALL.get(n).copied())
    }

    /// The lane a message of this precedence stands in outside drills.
    #[must_use]
    pub const fn lane(self) -> Lane {
        match self {
            Self::Routine | Self::Priority => Lane::Ordinary,
            Self::Immediate | Self::Flash => Lane::Emergency,
        }
    }
}

/// A generation: its number (from 1; may repeat) and the run that wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation {
    /// Number from 1. A label: two generations may bear one number.
    pub number: u32,
    /// The run's 8 bytes.
    pub run: Run,
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.number, self.run)
    }
}

/// A log within a channel: whose, which lane, which run. Orders as the joint order breaks ties.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogKey {
    /// Whose log.
    pub party: PartyId,
    /// Which of its three.
    pub lane: Lane,
    /// Which run of its writer.
    pub generation: Generation,
}

impl LogKey {
    /// The log's full name on `channel`: `detente/<channel>/<party>/<lane>/<number>-<run>`.
    #[must_use]
    pub fn name(&self, channel: ChannelId) -> String {
        format!("detente/{channel}/{}/{}/{}", self.party, self.lane.word(), self.generation)
    }

    /// Reads a full log name. `None` unless it is exactly what [`Self::name`] writes.
    #[must_use]
    pub fn parse(name: &str) -> Option<(ChannelId, Self)> {
        let mut parts = name.split('/');
        let ("detente", channel, party, lane, generation) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next()?)
        else {
            return None;
        };
        let (number, run) = generation.split_once('-')?;
        let key = Self {
            party: PartyId::parse(party)?,
            lane: Lane::from_word(lane)?,
            generation: Generation {
                number: number.parse().ok()?,
                run: Run(from_hex(run)?.try_into().ok()?),
            },
        };
        let channel = ChannelId::parse(channel)?;
        (parts.next().is_none() && key.generation.number > 0 && key.name(channel) == name)
            .then_some((channel, key))
    }
}

/// The key name of a party's receipts: `detente/<channel>/<party>/cosigner`.
#[must_use]
pub fn cosigner_name(channel: ChannelId, party: PartyId) -> String {
    format!("detente/{channel}/{party}/cosigner")
}

/// One entry: its log and its index from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId {
    /// The log it stands in.
    pub log: LogKey,
    /// Position from 0.
    pub index: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> LogKey {
        LogKey {
            party: PartyId([7; 32]),
            lane: Lane::Emergency,
            generation: Generation { number: 3, run: Run([0, 1, 2, 3, 4, 5, 6, 255]) },
        }
    }

    #[test]
    fn a_log_name_is_read_as_it_is_written() {
        let name = key().name(ChannelId([9; 32]));
        assert_eq!(LogKey::parse(&name), Some((ChannelId([9; 32]), key())));
        assert!(name.ends_with("/emergency/3-00010203040506ff"));
    }

    #[test]
    fn a_log_name_in_any_other_form_is_refused() {
        let name = key().name(ChannelId([9; 32]));
        for wrong in [
            name.replace("/3-", "/03-"),
            name.replace("/3-", "/+3-"),
            name.replace("/3-", "/0-"),
            name.replace("emergency", "Emergency"),
            name.replace("6ff", "6FF"),
            format!("{name}/"),
            name[..name.len() - 2].to_owned(),
        ] {
            assert_eq!(LogKey::parse(&wrong), None, "{wrong}");
        }
    }
}
