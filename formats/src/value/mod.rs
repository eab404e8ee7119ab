//! The value of a field, in a type that cannot be wrong about shape; bounds are checked apart.
//!
//! Values come from message files (`json`) and from the wire (`wire`); both are held against the
//! bounds of their field (`bounds`). Positions are whole ten-thousandths of a degree and distances whole
//! tenths, so that two nodes can never read one number differently.

pub(crate) mod bounds;
pub(crate) mod file;
pub(crate) mod json;
pub(crate) mod wire;

pub use bounds::{CORNERS_MAX, is_citation};

use crate::format::{Field, Kind};
use crate::language::Language;
use crate::terms::Level;

/// Parts of a degree in one unit of a position.
pub const DEGREE: i32 = 10_000;

/// The value of one field.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FieldValue {
    /// Days since 1970-01-01.
    Date(i64),
    /// Seconds since 1970 UTC.
    DateTime(i64),
    /// Minutes since midnight UTC, under 1440.
    Time(u16),
    /// Hours of each day.
    DailyHours(DailyHours),
    /// Yes or no.
    Bool(bool),
    /// A count.
    Uint(u64),
    /// A number times ten to the scale of its field.
    Decimal(i64),
    /// Text, post, code or reference.
    Text(String),
    /// The number of a value of an enumeration.
    Choice(u16),
    /// A position.
    Point(Point),
    /// A circle.
    Circle(Circle),
    /// Corners of a closed line; the last is not repeated.
    Polygon(Vec<Point>),
    /// A sector of an ocean.
    OceanQuadrant(OceanQuadrant),
    /// Rank.
    Level(Level),
    /// Language.
    Language(Language),
    /// Number of the variant, and its value.
    OneOf(u16, Box<FieldValue>),
    /// Values of a list.
    List(Vec<FieldValue>),
    /// Values of a record, by position; `None` where nothing is given.
    Record(Vec<Option<FieldValue>>),
    /// Bytes.
    Bytes(Vec<u8>),
    /// The word of the field, such as "not provided", in place of a value.
    Word,
}

/// From and to each day, minutes since midnight UTC; `to` before `from` passes midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DailyHours {
    /// First minute.
    pub from: u16,
    /// First minute after.
    pub to: u16,
}

/// A position in ten-thousandths of a degree: north and east are positive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    /// Latitude, -900,000 to 900,000.
    pub lat: i32,
    /// Longitude, -1,800,000 to 1,800,000.
    pub lon: i32,
}

/// All within a distance of a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Circle {
    /// Centre.
    pub center: Point,
    /// Radius in tenths of the unit; not 0.
    pub radius_tenths: u32,
    /// Unit of the radius.
    pub unit: DistanceUnit,
}

/// Unit of a distance. Numbers are those of the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DistanceUnit {
    /// Kilometres.
    Kilometre = 0,
    /// International nautical miles of 1852 m.
    NauticalMile = 1,
}

impl DistanceUnit {
    /// Both units.
    pub const ALL: [Self; 2] = [Self::Kilometre, Self::NauticalMile];

    /// `km` or `nm`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kilometre => "km",
            Self::NauticalMile => "nm",
        }
    }
}

/// A 90-degree sector of an ocean, numbered 1 to 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OceanQuadrant {
    /// The ocean.
    pub ocean: Ocean,
    /// The sector, 1 to 4.
    pub quadrant: u8,
}

/// An ocean. Numbers are those of the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ocean {
    /// Atlantic.
    Atlantic = 0,
    /// Pacific.
    Pacific = 1,
    /// Indian.
    Indian = 2,
    /// Arctic.
    Arctic = 3,
    /// Southern.
    Southern = 4,
}

impl Ocean {
    /// Every ocean, in order of number.
    pub const ALL: [Self; 5] = [Self::Atlantic, Self::Pacific, Self::Indian, Self::Arctic, Self::Southern];

    /// Name in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Atlantic => "atlantic",
            Self::Pacific => "pacific",
            Self::Indian => "indian",
            Self::Arctic => "arctic",
            Self::Southern => "southern",
        }
    }
}

/// Everything that stands at `path`, through lists, records and variants, in order.
pub(crate) fn at_path<'a>(
    fields: &'a [Field],
    values: &'a [Option<FieldValue>],
    path: &str,
) -> Vec<(&'a Field, &'a FieldValue)> {
    let mut found = Vec::new();
    for (field, value) in fields.iter().zip(values) {
        if let Some(value) = value {
            descend(field, value, path, &mut found);
        }
    }
    found
}

fn descend<'a>(
    field: &'a Field,
    value: &'a FieldValue,
    path: &str,
    found: &mut Vec<(&'a Field, &'a FieldValue)>,
) {
    if field.path == path && !field.name.is_empty() {
        found.push((field, value));
        return;
    }
    if !path.starts_with(&field.path) {
        return;
    }
    match (&field.kind, value) {
        (Kind::Record(fields), FieldValue::Record(values)) => found.extend(at_path(fields, values, path)),
        (Kind::List { item, .. }, FieldValue::List(values)) => {
            for value in values {
                descend(item, value, path, found);
            }
        }
        (Kind::OneOf(variants), FieldValue::OneOf(number, value)) => {
            if let Some(variant) = variants.iter().find(|variant| variant.number == *number) {
                descend(variant, value, path, found);
            }
        }
        _ => {}
    }
}
