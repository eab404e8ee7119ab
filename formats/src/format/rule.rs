//! What a format asks beyond single fields: limits of time, validity, rules over several fields.
//!
//! Paths are those of [`Field::path`](super::Field::path), such as `per_type.deployed`.

use detente_encoding::Timestamp;

/// A time limit. The date of receipt decides it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// What it counts from.
    pub from: LimitFrom,
    /// On which side of that moment receipt must lie.
    pub side: Side,
    /// How many units lie between; 0 for "before" without a figure.
    pub amount: u32,
    /// The unit.
    pub unit: LimitUnit,
    /// Whether the regime only recommends it.
    pub advisory: bool,
    /// Whether the figure was read at the source.
    pub source_checked: bool,
}

/// What a time limit counts from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LimitFrom {
    /// A date (its first moment, UTC) or date-time field.
    Field(String),
    /// The receipt of the first message referred to.
    ReferenceReceived,
}

/// On which side of the moment counted from receipt must lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Received no later than so long before.
    Before,
    /// Received no later than so long after.
    After,
}

/// Unit of a time limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitUnit {
    /// 60 minutes.
    Hours,
    /// 24 hours.
    Days,
    /// Days but Saturdays and Sundays, UTC.
    WorkingDays,
}

/// How long a notification holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validity {
    /// The field it counts from.
    pub from: String,
    /// Days.
    pub days: u32,
    /// Whether the figure was read at the source.
    pub source_checked: bool,
}

/// A rule over several fields. Paths are those of [`Field::path`](super::Field::path).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// `first` lies before `then`; if `or_equal` they may coincide.
    Order {
        /// The earlier field.
        first: String,
        /// The later field.
        then: String,
        /// Whether both may be the same.
        or_equal: bool,
    },
    /// From `first` to `then` it is so many days, bounds included.
    Span {
        /// The earlier field.
        first: String,
        /// The later field.
        then: String,
        /// Least count of days.
        days_min: u32,
        /// Greatest count of days.
        days_max: u32,
        /// Whether the figures were read at the source.
        source_checked: bool,
    },
    /// The sum over all `of` equals `total`, when both are given as figures.
    Sum {
        /// The parts; those that are not given at all count as nothing, but one path must be.
        of: Vec<String>,
        /// The total.
        total: String,
    },
    /// When `when` is one of `is`, `field` is needed and must be one of `among` (if any are named).
    Requires {
        /// The field that decides.
        when: String,
        /// Its deciding values; empty for any.
        is: Vec<String>,
        /// The field that is needed.
        field: String,
        /// Its allowed values or variants; empty for any.
        among: Vec<String>,
    },
    /// The field can only be `value`.
    Constant {
        /// The field.
        field: String,
        /// Its only value.
        value: bool,
    },
    /// The day is one of the days of the year, or one of the named dates.
    MonthDay {
        /// The field.
        field: String,
        /// Month and day.
        days: Vec<(u32, u32)>,
        /// Single dates allowed beside, by their first moment.
        also: Vec<Timestamp>,
    },
    /// The figure stays at or under an agreed limit from a date on. Above it the fact is raised to
    /// the reader and the drafter; the message still goes, for it may be the truth.
    Ceiling {
        /// The figure.
        field: String,
        /// The agreed limit.
        max: u64,
        /// The field with the date it is measured at.
        as_of: String,
        /// The first day on which the limit applies.
        since: Timestamp,
        /// Whether limit and date were read at the source.
        source_checked: bool,
    },
    /// No two values at the path are the same.
    Unique {
        /// The field.
        field: String,
    },
}
