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
}

impl Default for Profile {
    fn default() -> Self {
        Self { days: 1, real_cryptography: false, plant: None }
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
