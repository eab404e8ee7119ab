//! The scenes, read from `scenarios/`: data, no code, so that a new case is a new file.
//!
//! Moments in a message are written relative to the start of the play, because a node rightly
//! refuses to announce what lies in the past; the real dates stand in the story.

use detente_encoding::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::answer::Failure;

/// The scenes, in the order in which they are played.
const FILES: [(&str, &str); 5] = [
    ("1_sounding_rocket", include_str!("../../../scenarios/1_sounding_rocket.toml")),
    ("2_danger_area", include_str!("../../../scenarios/2_danger_area.toml")),
    ("3_data_exchange", include_str!("../../../scenarios/3_data_exchange.toml")),
    ("4_accident", include_str!("../../../scenarios/4_accident.toml")),
    ("5_strategic_warning", include_str!("../../../scenarios/5_strategic_warning.toml")),
];

const SECOND_MS: i64 = 1000;
const DAY_MS: i64 = 86_400 * SECOND_MS;

/// One case.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scene {
    /// Name of its file.
    #[serde(skip)]
    pub(crate) name: &'static str,
    /// Its heading.
    pub(crate) title: String,
    /// What happened once, with real dates, and what is played.
    pub(crate) story: String,
    /// What is done, in order.
    #[serde(rename = "step")]
    pub(crate) steps: Vec<Step>,
}

/// One act of one party. Parties are named by code, messages by the name that `send` gave them.
#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Step {
    /// Two officers release a message; all addressees that are not away receive it.
    Send { by: String, channel: String, r#as: String, message: Value },
    /// A notification that was received is released anew on another channel, referring to the first.
    PassOn { by: String, channel: String, r#as: String, message: String },
    /// The watch opens a message and reads it in its own language.
    Read {
        by: String,
        message: String,
        /// It must refer to an entry of a channel that this reader does not hold.
        #[serde(default)]
        refers_elsewhere: bool,
    },
    /// The watch takes a message over.
    Acknowledge { by: String, message: String },
    /// The duty officer who sent a message is shown its receipts.
    Receipt { message: String },
    /// The clock of a message runs in the sight of both sides for some seconds.
    Clock { by: String, message: String, run_s: u64 },
    /// The clock has stopped in time.
    ClockMet { by: String, message: String },
    /// The parts of a data exchange are held against its sums.
    Sums { by: String, message: String },
    /// A node is stopped; another sees the line to it go down.
    Stop { party: String, seen_by: String },
    /// A node comes back and fetches what it missed.
    Start { party: String, catches_up: Vec<String> },
}

/// All scenes.
///
/// # Errors
/// A sentence that names the file.
pub(crate) fn scenes() -> Result<Vec<Scene>, Failure> {
    let read = |(name, text): &(&'static str, &str)| {
        let scene: Scene =
            toml::from_str(text).map_err(|why| Failure::new(format!("scenarios/{name}.toml: {why}")))?;
        Ok(Scene { name, ..scene })
    };
    FILES.iter().map(read).collect()
}

/// The message file of a `send`: every relative moment made absolute, in the exercise lane.
///
/// # Errors
/// A sentence that names the moment that cannot be read.
pub(crate) fn message_file(message: &Value, start: Timestamp) -> Result<Value, Failure> {
    let mut message = message.clone();
    absolute(&mut message, start)?;
    message["exercise"] = Value::Bool(true);
    if message["notification"].is_object() {
        message["notification"]["edition"] = Value::from(1);
    }
    Ok(message)
}

fn absolute(value: &mut Value, start: Timestamp) -> Result<(), Failure> {
    match value {
        Value::String(text) if text.starts_with('@') => {
            let found = moment(text, start);
            let found = found.ok_or_else(|| Failure::new(format!("the moment {text:?} cannot be read")))?;
            *text = found.to_string();
        }
        Value::Array(values) => values.iter_mut().try_for_each(|value| absolute(value, start))?,
        Value::Object(fields) => fields.values_mut().try_for_each(|value| absolute(value, start))?,
        _ => {}
    }
    Ok(())
}

/// Reads `@start+36h`, `@start-4min` or `@day+3 06:00` (an hour, UTC, of the third day from today).
fn moment(text: &str, start: Timestamp) -> Option<Timestamp> {
    // Date-times of a format have whole seconds.
    let now = start.millis().div_euclid(SECOND_MS) * SECOND_MS;
    if let Some(length) = text.strip_prefix("@start") {
        return Some(Timestamp::from_millis(now.checked_add(signed_length(length)?)?));
    }
    let (days, hour) = text.strip_prefix("@day+")?.split_once(' ')?;
    let (hours, minutes) = hour.split_once(':')?;
    let today = now.div_euclid(DAY_MS) * DAY_MS;
    let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
    let of_day = (hours * 60 + minutes) * 60 * SECOND_MS;
    let days: u16 = days.parse().ok()?;
    Some(Timestamp::from_millis(today + i64::from(days) * DAY_MS + of_day))
}

fn signed_length(text: &str) -> Option<i64> {
    let (sign, length) = match text.split_at_checked(1)? {
        ("+", length) => (1, length),
        ("-", length) => (-1, length),
        _ => return None,
    };
    Some(sign * i64::from(detente_node::charter_file::duration_s(length)?) * SECOND_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Option<String> {
        let start = Timestamp::parse("2027-03-13T09:30:02.250Z").expect("a moment");
        moment(text, start).map(|moment| moment.to_string())
    }

    #[test]
    fn moments_count_from_the_start() {
        assert_eq!(at("@start+30min").as_deref(), Some("2027-03-13T10:00:02Z"));
        assert_eq!(at("@start-4min").as_deref(), Some("2027-03-13T09:26:02Z"));
        assert_eq!(at("@day+2 05:30").as_deref(), Some("2027-03-15T05:30:00Z"));
        for wrong in ["@", "@start", "@start 4min", "@day+2", "@day-2 05:00", "@day+2 5"] {
            assert_eq!(at(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn every_scene_can_be_read_and_every_message_is_without_fault() {
        let start = Timestamp::parse("2027-03-13T09:30:02.250Z").expect("a moment");
        for scene in scenes().expect("they are ours") {
            for step in &scene.steps {
                let Step::Send { message, .. } = step else { continue };
                let file = message_file(message, start).expect("its moments can be read");
                let message = detente_node::compose::read_message(&file.to_string()).expect(scene.name);
                let context =
                    detente_formats::CheckContext { now: start, references: &[], accept_late: false };
                let faults = detente_formats::check(&message, &context);
                let refused: Vec<_> = faults.iter().filter(|fault| fault.refuses()).collect();
                assert!(refused.is_empty(), "{}: {refused:?}", scene.name);
            }
        }
    }
}
