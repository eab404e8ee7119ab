//! A moment on the wire and in every state: whole milliseconds since 1970, UTC.
//!
//! The standard library's clocks can neither be stored nor made up in a test; this one can. Leap
//! seconds are not represented, as in POSIX time. Civil dates use the proleptic Gregorian calendar.

use core::fmt;

/// Milliseconds since 1970-01-01T00:00:00Z; negative before. Zero is that moment, not "never".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

const DAY_MS: i64 = 86_400_000;

impl Timestamp {
    /// Makes a timestamp from milliseconds since 1970 UTC.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970 UTC.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970 UTC, rounded towards the past.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The moment `millis` later (earlier when negative); stops at the ends of the range.
    #[must_use]
    pub const fn after(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// Milliseconds from `earlier` to `self`; negative when `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The first moment of a civil day, UTC. `None` when the day does not exist.
    #[must_use]
    pub fn from_date(year: i64, month: u32, day: u32) -> Option<Self> {
        if !(0..=9999).contains(&year) || !(1..=12).contains(&month) || day == 0 {
            return None;
        }
        if day > days_in_month(year, month) {
            return None;
        }
        Some(Self(days_from_civil(year, month, day) * DAY_MS))
    }

    /// Year, month (1–12) and day (1–31) in UTC.
    #[must_use]
    pub fn date(self) -> (i64, u32, u32) {
        civil_from_days(self.0.div_euclid(DAY_MS))
    }

    /// Hour, minute, second and millisecond of the UTC day.
    #[must_use]
    pub fn time_of_day(self) -> (u32, u32, u32, u32) {
        let ms = u32::try_from(self.0.rem_euclid(DAY_MS)).expect("a day has fewer than 2^32 ms");
        (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60, ms % 1000)
    }

    /// Whole days since 1970-01-01 UTC.
    #[must_use]
    pub const fn days(self) -> i64 {
        self.0.div_euclid(DAY_MS)
    }

    /// Reads RFC 3339 with a zone (`2027-03-14T11:00:00Z`, `…+03:00`); at most milliseconds.
    ///
    /// # Errors
    /// A [`TimeError`] that says what is wrong; a date-time without zone is refused.
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        let bytes = text.as_bytes();
        if !text.is_ascii() || bytes.len() < 19 {
            return Err(TimeError::Shape);
        }
        let shape_holds = bytes[4] == b'-'
            && bytes[7] == b'-'
            && (bytes[10] == b'T' || bytes[10] == b't')
            && bytes[13] == b':'
            && bytes[16] == b':';
        if !shape_holds {
            return Err(TimeError::Shape);
        }
        let day = parse_date(&text[..10])?;
        let (hour, minute, second) = (digits(&text[11..13])?, digits(&text[14..16])?, digits(&text[17..19])?);
        if hour > 23 || minute > 59 || second > 59 {
            return Err(TimeError::Range);
        }
        let (millis, zone) = fraction(&text[19..])?;
        let offset_minutes = offset(zone)?;
        let ms = ((hour * 60 + minute) * 60 + second) * 1000 + millis;
        Ok(day.after(ms - offset_minutes * 60_000))
    }
}

/// Reads a civil date `2027-03-14` as its first moment in UTC.
///
/// # Errors
/// A [`TimeError`] that says what is wrong.
pub(crate) fn parse_date(text: &str) -> Result<Timestamp, TimeError> {
    let bytes = text.as_bytes();
    if !text.is_ascii() || bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return Err(TimeError::Shape);
    }
    let (year, month, day) = (digits(&text[..4])?, digits(&text[5..7])?, digits(&text[8..10])?);
    let (month, day) = (u32::try_from(month), u32::try_from(day));
    match (month, day) {
        (Ok(month), Ok(day)) => Timestamp::from_date(year, month, day).ok_or(TimeError::Range),
        _ => Err(TimeError::Range),
    }
}

impl Timestamp {
    /// Reads a civil date `2027-03-14` as its first moment in UTC.
    ///
    /// # Errors
    /// A [`TimeError`] that says what is wrong.
    pub fn parse_date(text: &str) -> Result<Self, TimeError> {
        parse_date(text)
    }
}

/// Why a text is not a moment.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeError {
    /// Not of the form `2027-03-14T11:00:00Z` (or `2027-03-14` for a date). Write it so.
    Shape,
    /// A date-time without a zone. Add `Z` for UTC or an offset such as `+03:00`.
    NoZone,
    /// A month, day, hour, minute or second that does not exist. Correct it.
    Range,
}

impl fmt::Display for TimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Shape => "is not written as 2027-03-14T11:00:00Z",
            Self::NoZone => "has no zone; add Z for UTC or an offset such as +03:00",
            Self::Range => "names a day or time that does not exist",
        })
    }
}

impl core::error::Error for TimeError {}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC with `Z`; milliseconds only when they are not zero.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.date();
        let (hour, minute, second, millis) = self.time_of_day();
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        if millis != 0 {
            write!(f, ".{millis:03}")?;
        }
        f.write_str("Z")
    }
}

fn digits(text: &str) -> Result<i64, TimeError> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(TimeError::Shape);
    }
    text.parse().map_err(|_| TimeError::Range)
}

/// Splits `.123Z` into milliseconds and the zone. More than three digits are refused, not cut.
fn fraction(rest: &str) -> Result<(i64, &str), TimeError> {
    let Some(after) = rest.strip_prefix('.') else {
        return Ok((0, rest));
    };
    let end = after.bytes().position(|b| !b.is_ascii_digit()).unwrap_or(after.len());
    if end == 0 || end > 3 {
        return Err(TimeError::Shape);
    }
    let scale = [0, 100, 10, 1][end];
    Ok((digits(&after[..end])? * scale, &after[end..]))
}

fn offset(zone: &str) -> Result<i64, TimeError> {
    match zone.as_bytes() {
        [] => Err(TimeError::NoZone),
        [b'Z' | b'z'] => Ok(0),
        [sign @ (b'+' | b'-'), _, _, b':', _, _] => {
            let (hours, minutes) = (digits(&zone[1..3])?, digits(&zone[4..6])?);
            if hours > 23 || minutes > 59 {
                return Err(TimeError::Range);
            }
            let total = hours * 60 + minutes;
            Ok(if *sign == b'-' { -total } else { total })
        }
        _ => Err(TimeError::Shape),
    }
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in_month(year: i64, month: u32) -> u32 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

// Era arithmetic: years start in March, so that the leap day is the last of its year; an era is
// 400 years or 146,097 days.
fn days_from_civil(year: i64, month: u32, day: u32) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = i64::from((month + 9) % 12);
    let day_of_year = (153 * month_from_march + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn civil_from_days(days: i64) -> (i64, u32, u32) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = u32::try_from(day_of_year - (153 * month_from_march + 2) / 5 + 1).expect("1 to 31");
    let month = u32::try_from((month_from_march + 2) % 12 + 1).expect("1 to 12");
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_go_there_and_back_over_four_centuries() {
        for days in -146_097..146_097 {
            let (year, month, day) = civil_from_days(days);
            assert_eq!(days_from_civil(year, month, day), days);
        }
        assert_eq!(Timestamp::from_date(2000, 2, 29).map(Timestamp::days), Some(11_016));
        assert_eq!(Timestamp::from_date(1900, 2, 29), None);
    }

    #[test]
    fn a_moment_prints_as_it_is_read() {
        for text in ["2027-03-14T11:00:00Z", "1995-01-25T06:24:00.250Z", "2024-02-29T23:59:59Z"] {
            assert_eq!(Timestamp::parse(text).expect("valid").to_string(), text);
        }
        let moscow = Timestamp::parse("2027-03-14T14:00:00+03:00").expect("valid");
        assert_eq!(moscow.to_string(), "2027-03-14T11:00:00Z");
    }

    #[test]
    fn a_moment_without_zone_or_with_a_day_that_is_not_is_refused() {
        assert_eq!(Timestamp::parse("2027-03-14T11:00:00"), Err(TimeError::NoZone));
        assert_eq!(Timestamp::parse("2027-02-29T11:00:00Z"), Err(TimeError::Range));
        assert_eq!(Timestamp::parse("2027-02-28T24:00:00Z"), Err(TimeError::Range));
        assert_eq!(Timestamp::parse("yesterday"), Err(TimeError::Shape));
        assert_eq!(Timestamp::parse("2027-02-28T20:00:00.1234Z"), Err(TimeError::Shape));
    }
}
