//! What a simulated world was made of, and what it showed.

use std::collections::BTreeMap;
use std::fmt;

use crate::Violation;
use crate::party::Plant;

/// What kind of world a seed decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Simulated days.
    pub days: u64,
    /// Real cryptography (suite 1) in place of the keyed hash (suite 0).
    pub real_cryptography: bool,
    /// A fault built in on purpose.
    pub plant: Option<Plant>,
    /// What goes wrong in this world.
    pub weather: Weather,
}

/// What goes wrong in a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weather {
    /// One of the others, as the seed decides.
    BySeed,
    /// Delays and nothing else.
    Quiet,
    /// Loss, repetition, damage, cut links, crashes, clock steps.
    Stormy,
    /// Stormy, and one group of writes in sixty ends in a power cut.
    PowerCuts,
    /// Stormy, and old backups are restored.
    Restore,
    /// Stormy, and one party lies.
    Liar,
    /// Links of some bytes a second: seconds of delay, every second frame lost.
    Narrow,
}

impl Weather {
    /// The weather of a seed: the kinds take turns.
    pub(crate) fn of(self, seed: u64) -> Self {
        match (self, seed % 8) {
            (Self::BySeed, 0) => Self::Quiet,
            (Self::BySeed, 1) => Self::PowerCuts,
            (Self::BySeed, 2 | 6) => Self::Restore,
            (Self::BySeed, 3 | 7) => Self::Liar,
            (Self::BySeed, 4) => Self::Narrow,
            (Self::BySeed, _) => Self::Stormy,
            (weather, _) => weather,
        }
    }
}

impl Default for Profile {
    fn default() -> Self {
        Self { days: 1, real_cryptography: false, plant: None, weather: Weather::BySeed }
    }
}

impl Profile {
    /// The names of the profiles, as `detente simulate --profile` takes them.
    pub const NAMES: [&'static str; 8] =
        ["quick", "real", "quiet", "stormy", "power-cuts", "restore", "liar", "narrow"];

    /// A profile of one day by its name; `None` for a name that is none. `quick` and `real` let the
    /// seed decide what goes wrong, and `real` uses real cryptography.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let weather = match name {
            "quick" | "real" => Weather::BySeed,
            "quiet" => Weather::Quiet,
            "stormy" => Weather::Stormy,
            "power-cuts" => Weather::PowerCuts,
            "restore" => Weather::Restore,
            "liar" => Weather::Liar,
            "narrow" => Weather::Narrow,
            _ => return None,
        };
        Some(Self { weather, real_cryptography: name == "real", ..Self::default() })
    }
}

/// What happened in a world.
#[derive(Clone, Debug)]
pub struct Report {
    /// The seed that decided it.
    pub seed: u64,
    /// Hash over all events in order: equal seeds, equal hashes.
    pub trace: [u8; 32],
    /// How often each kind of fault and each state was seen, by name.
    pub counts: BTreeMap<&'static str, u64>,
    /// The first thing that must always hold and did not.
    pub violation: Option<Violation>,
    /// The last events before the end or the violation.
    pub last_events: Vec<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}  trace {}", self.seed, detente_encoding::text::hex(&self.trace))?;
        for (name, count) in &self.counts {
            writeln!(f, "  {count:>8}  {name}")?;
        }
        if let Some(violation) = &self.violation {
            writeln!(f, "VIOLATED: {violation}")?;
            for event in &self.last_events {
                writeln!(f, "  {event}")?;
            }
        }
        Ok(())
    }
}
