//! `detente simulate`: one world, by seed.

use detente_encoding::text::hex;
use detente_simulation::{Profile, simulate};
use serde_json::json;

use crate::answer::{Done, Failure, Style, answer};

/// Runs the command.
pub(crate) fn run(seed: u64, days: u64, profile: &str, style: Style) -> Result<Done, Failure> {
    let found = Profile::named(profile).ok_or_else(|| {
        Failure::usage(format!("--profile: {profile:?} is none; profiles are {}", Profile::NAMES.join(", ")))
    })?;
    let report = simulate(seed, &Profile { days, ..found });
    let value = json!({
        "seed": report.seed,
        "trace": hex(&report.trace),
        "counts": report.counts,
        "violation": report.violation.as_ref().map(ToString::to_string),
        "last_events": if report.violation.is_some() { report.last_events.clone() } else { Vec::new() },
    });
    answer(style, &value, |_| report.to_string());
    Ok(if report.violation.is_some() { Done::Found } else { Done::Done })
}
