//! Limits of time. The date of receipt decides; before release, how much notice is left.

use detente_encoding::Timestamp;

use super::CheckContext;
use crate::fault::{Arg, Fault, FaultCode, Faults};
use crate::format::{Limit, LimitFrom, LimitUnit, Side};
use crate::language::Language;
use crate::message::{Filled, Message};
use crate::render::figures;
use crate::value::FieldValue;
use crate::words::words;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// One time limit, applied to a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Path of the field it counts from, in the message file; `refs` for a reference.
    pub path: String,
    /// On which side of that moment receipt must lie.
    pub side: Side,
    /// The moment it counts from.
    pub from: Timestamp,
    /// The last moment at which receipt is in time.
    pub deadline: Timestamp,
    /// Notice given: from `now` to the moment counted from (before), or from that moment to `now`
    /// (after); milliseconds, negative when that moment lies on the other side.
    pub given_ms: i64,
    /// Whether receipt at `now` is in time. The deadline itself is.
    pub in_time: bool,
    /// Whether the regime only recommends it.
    pub advisory: bool,
    /// Whether the figure was read at the source.
    pub source_checked: bool,
}

impl Notice {
    /// One sentence for the drafter: how much notice is given, what is asked, until when.
    #[must_use]
    pub fn text(&self, language: Language) -> String {
        let asked = self.deadline.since(self.from).abs();
        let args = [
            figures::duration(self.given_ms, language),
            figures::duration(asked, language),
            figures::moment(self.deadline, language),
        ];
        let words = words(language);
        let sentence = words.fill(
            match self.side {
                Side::Before => "notice.before",
                Side::After => "notice.after",
            },
            &args,
        );
        if self.source_checked { sentence } else { format!("{sentence} {}", words.get("notice.unchecked")) }
    }
}

/// Every time limit that can be judged with what is known, for receipt at `context.now`.
#[must_use]
pub fn notices(message: &Message, context: &CheckContext<'_>) -> Vec<Notice> {
    let Some(filled) = message.filled() else { return Vec::new() };
    let limits = filled.format.limits.iter();
    limits.flat_map(|limit| applied(message, filled, limit, context)).collect()
}

fn applied(message: &Message, filled: &Filled, limit: &Limit, context: &CheckContext<'_>) -> Vec<Notice> {
    let moments: Vec<(String, Timestamp)> = match &limit.from {
        LimitFrom::Field(path) => {
            let found = filled.at(path).into_iter().filter_map(|(_, value)| moment(value));
            found.map(|moment| (format!("{}.{path}", message.fields_path()), moment)).collect()
        }
        LimitFrom::ReferenceReceived => {
            let received = context.references.first().and_then(|reference| reference.received_at);
            received.map(|moment| ("refs".to_owned(), moment)).into_iter().collect()
        }
    };
    moments.into_iter().map(|(path, from)| notice(path, from, limit, context.now)).collect()
}

fn notice(path: String, from: Timestamp, limit: &Limit, now: Timestamp) -> Notice {
    let deadline = deadline(from, limit);
    let given_ms = match limit.side {
        Side::Before => from.since(now),
        Side::After => now.since(from),
    };
    Notice {
        path,
        side: limit.side,
        from,
        deadline,
        given_ms,
        in_time: now <= deadline,
        advisory: limit.advisory,
        source_checked: limit.source_checked,
    }
}

/// The last moment at which receipt keeps a limit that counts from `from`.
#[must_use]
pub fn deadline(from: Timestamp, limit: &Limit) -> Timestamp {
    let step = match limit.side {
        Side::Before => -1,
        Side::After => 1,
    };
    let amount = i64::from(limit.amount);
    match limit.unit {
        LimitUnit::Hours => from.after(step * amount * HOUR_MS),
        LimitUnit::Days => from.after(step * amount * DAY_MS),
        LimitUnit::WorkingDays => {
            let mut moment = from;
            let mut left = amount;
            while left > 0 {
                moment = moment.after(step * DAY_MS);
                left -= i64::from(is_working_day(moment));
            }
            moment
        }
    }
}

/// Monday to Friday, UTC. 1970-01-01 was a Thursday.
fn is_working_day(moment: Timestamp) -> bool {
    (moment.days() + 3).rem_euclid(7) < 5
}

/// The moment of a value: of a date, its first one in UTC.
pub(super) fn moment(value: &FieldValue) -> Option<Timestamp> {
    match value {
        FieldValue::Date(days) => Some(Timestamp::from_millis(days.saturating_mul(DAY_MS))),
        FieldValue::DateTime(seconds) => Some(Timestamp::from_millis(seconds.saturating_mul(1000))),
        _ => None,
    }
}

/// The end of a notification's validity: the first moment at which it no longer holds.
#[must_use]
pub fn valid_until(message: &Message) -> Option<Timestamp> {
    let filled = message.filled()?;
    let validity = filled.format.validity.as_ref()?;
    let from = filled.at(&validity.from).first().and_then(|(_, value)| moment(value))?;
    Some(from.after(i64::from(validity.days) * DAY_MS))
}

/// Adds a fault for each limit that receipt at `context.now` breaks.
///
/// What lies before an event and is late stops the release, unless the caller accepts it; what
/// reports an event is never stopped: a late report is still owed.
pub(super) fn check(message: &Message, filled: &Filled, context: &CheckContext<'_>, faults: &mut Faults) {
    for limit in &filled.format.limits {
        for notice in applied(message, filled, limit, context) {
            if !notice.in_time {
                faults.add(fault(&notice, context));
            }
        }
    }
}

fn fault(notice: &Notice, context: &CheckContext<'_>) -> Fault {
    let asked = match notice.side {
        Side::Before => notice.from.since(notice.deadline),
        Side::After => notice.deadline.since(notice.from),
    };
    match notice.side {
        Side::Before => {
            let fault = Fault::new(&notice.path, FaultCode::Late)
                .with(Arg::Moment(notice.deadline))
                .with(Arg::Duration(asked))
                .with(Arg::Duration(notice.given_ms));
            if notice.advisory || context.accept_late { fault.warning() } else { fault }
        }
        Side::After => Fault::new(&notice.path, FaultCode::Overdue)
            .with(Arg::Moment(notice.deadline))
            .with(Arg::Duration(asked))
            .warning(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(side: Side, amount: u32, unit: LimitUnit) -> Limit {
        Limit {
            from: LimitFrom::ReferenceReceived,
            side,
            amount,
            unit,
            advisory: false,
            source_checked: true,
        }
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("a moment")
    }

    #[test]
    fn hours_and_days_do_not_feel_daylight_saving_and_leap_days_count() {
        let day = at("2028-03-01T00:00:00Z");
        assert_eq!(deadline(day, &limit(Side::Before, 24, LimitUnit::Hours)), at("2028-02-29T00:00:00Z"));
        assert_eq!(deadline(day, &limit(Side::Before, 2, LimitUnit::Days)), at("2028-02-28T00:00:00Z"));
        let year_end = at("2026-12-31T12:00:00Z");
        assert_eq!(deadline(year_end, &limit(Side::After, 48, LimitUnit::Hours)), at("2027-01-02T12:00:00Z"));
    }

    #[test]
    fn working_days_skip_saturday_and_sunday() {
        let friday = at("2027-03-12T10:00:00Z");
        assert_eq!(
            deadline(friday, &limit(Side::After, 1, LimitUnit::WorkingDays)),
            at("2027-03-15T10:00:00Z")
        );
        assert_eq!(
            deadline(friday, &limit(Side::After, 5, LimitUnit::WorkingDays)),
            at("2027-03-19T10:00:00Z")
        );
        let monday = at("2027-03-15T10:00:00Z");
        assert_eq!(deadline(monday, &limit(Side::Before, 1, LimitUnit::WorkingDays)), friday);
    }

    #[test]
    fn the_deadline_itself_is_in_time() {
        let limit = limit(Side::Before, 24, LimitUnit::Hours);
        let from = at("2027-03-15T00:00:00Z");
        assert!(notice(String::new(), from, &limit, at("2027-03-14T00:00:00Z")).in_time);
        assert!(!notice(String::new(), from, &limit, at("2027-03-14T00:00:00.001Z")).in_time);
    }
}
