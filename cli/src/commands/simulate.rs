//! `detente simulate`: one world, by seed.

use detente_encoding::text::hex;
use detente_simulation::{Profile, simulate};
use serde_json::json;

use crate::answer::{Done, Failure, Style, answer};

/// Runs the command.
pub fn run(seed: u64, days: u64, profile: &str, style: Style) -> Result<Done, Failure> {
    let real_cryptography = match profile {
        "quick" => false,
        "real" => true,
        other => return Err(Failure::usage(format!("--profile: {other:?} is none; profiles are quick and real"))),
    };
    let report = simulate(seed, &Profile { days, real_cryptography, plant: None });
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
