//! Values against the bounds of their field. The same check for files and for the wire.

use super::{FieldValue, Point};
use crate::fault::{Arg, Fault, FaultCode, Faults};
use crate::format::{Field, Kind, Shape};
use crate::value::json::join;

/// Most corners of a polygon.
pub const CORNERS_MAX: usize = 64;
/// Last day that can be written with four figures of the year, 9999-12-31.
const DAYS_MAX: i64 = 2_932_896;

/// Checks the fields of a record; `path` is where it stands in the message file.
pub(crate) fn check_record(fields: &[Field], values: &[Option<FieldValue>], path: &str, faults: &mut Faults) {
    for (field, value) in fields.iter().zip(values) {
        let path = join(path, &field.name);
        match value {
            Some(value) => check(field, value, &path, faults),
            None if field.required => faults.add(Fault::new(path, FaultCode::Missing).with(Arg::text(""))),
            None => {}
        }
    }
}

fn check(field: &Field, value: &FieldValue, path: &str, faults: &mut Faults) {
    match (&field.kind, value) {
        (_, FieldValue::Word) if field.word.is_some() => {}
        (Kind::Record(fields), FieldValue::Record(values)) => check_record(fields, values, path, faults),
        (Kind::List { item, min, max }, FieldValue::List(values)) => {
            if values.len() < *min || values.len() > *max {
                let fault = Fault::new(path, FaultCode::Count);
                faults.add(fault.with(Arg::Number(*min as u64)).with(Arg::Number(*max as u64)));
            }
            for (index, value) in values.iter().enumerate() {
                check(item, value, &format!("{path}[{}]", index + 1), faults);
            }
        }
        (Kind::OneOf(variants), FieldValue::OneOf(number, value)) => {
            match variants.iter().find(|variant| variant.number == *number) {
                // In the file a sector stands without the name of its variant.
                Some(variant) if matches!(variant.kind, Kind::OceanQuadrant) => {
                    check(variant, value, path, faults)
                }
                Some(variant) => check(variant, value, &join(path, &variant.name), faults),
                None => faults.add(Fault::new(path, FaultCode::NotOneOf).with(Arg::text(""))),
            }
        }
        (kind, value) => {
            let shape = if matches!(kind, Kind::Area(_)) { shape_of(value) } else { None };
            let path = &shape.map_or_else(|| path.to_owned(), |shape| join(path, shape.name()));
            if let Some(fault) = plain(kind, value, path) {
                faults.add(fault);
            }
        }
    }
}

/// The fault of a value without parts; a value of another type than the field's is one too.
fn plain(kind: &Kind, value: &FieldValue, path: &str) -> Option<Fault> {
    let fault = |code| Some(Fault::new(path, code));
    let too_long = |max: usize| fault(FaultCode::TooLong).map(|fault| fault.with(Arg::Number(max as u64)));
    match (kind, value) {
        (Kind::Date, FieldValue::Date(days)) if (0..=DAYS_MAX).contains(days) => None,
        (Kind::Date, FieldValue::Date(_)) => fault(FaultCode::BadDate),
        (Kind::DateTime, FieldValue::DateTime(seconds)) if (0..(DAYS_MAX + 1) * 86_400).contains(seconds) => {
            None
        }
        (Kind::DateTime, FieldValue::DateTime(_)) => fault(FaultCode::BadDateTime),
        (Kind::Time, FieldValue::Time(minutes)) if *minutes < 1440 => None,
        (Kind::Time, FieldValue::Time(_)) => fault(FaultCode::BadTime),
        (Kind::DailyHours, FieldValue::DailyHours(hours)) => {
            if hours.from < 1440 && hours.to < 1440 && hours.from != hours.to {
                None
            } else {
                fault(FaultCode::BadDailyHours)
            }
        }
        (Kind::Bool, FieldValue::Bool(_)) | (Kind::Level, FieldValue::Level(_)) => None,
        (Kind::Language, FieldValue::Language(_)) => None,
        (Kind::Uint { min, max }, FieldValue::Uint(count)) => {
            if (min..=max).contains(&count) {
                None
            } else {
                fault(FaultCode::Range).map(|f| f.with(Arg::Number(*min)).with(Arg::Number(*max)))
            }
        }
        (Kind::Decimal { scale, min, max }, FieldValue::Decimal(number)) => {
            if (min..=max).contains(&number) {
                None
            } else {
                let decimal = |number: i64| Arg::Decimal(number, *scale);
                fault(FaultCode::Range).map(|f| f.with(decimal(*min)).with(decimal(*max)))
            }
        }
        (Kind::Text { max, .. } | Kind::Post { max }, FieldValue::Text(text)) => {
            if text.trim().is_empty() {
                fault(FaultCode::Empty)
            } else if text.chars().count() > *max {
                too_long(*max)
            } else {
                None
            }
        }
        (Kind::Code { max }, FieldValue::Text(text)) => {
            let known = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || "-./_".contains(c);
            if text.len() > *max {
                too_long(*max)
            } else if text.is_empty() || !text.chars().all(known) {
                fault(FaultCode::BadCode)
            } else {
                None
            }
        }
        (Kind::Reference, FieldValue::Text(text)) => {
            if is_citation(text) {
                None
            } else {
                fault(FaultCode::BadReference)
            }
        }
        (Kind::Choice(choices), FieldValue::Choice(number)) => {
            if choices.iter().any(|choice| choice.number == *number) {
                None
            } else {
                fault(FaultCode::NotOneOf).map(|f| f.with(Arg::text("")))
            }
        }
        (Kind::Bytes { length }, FieldValue::Bytes(bytes)) => {
            if bytes.len() == *length {
                None
            } else {
                fault(FaultCode::ByteCount).map(|f| f.with(Arg::Number(*length as u64)))
            }
        }
        (Kind::OceanQuadrant, FieldValue::OceanQuadrant(sector)) => {
            if (1..=4).contains(&sector.quadrant) {
                None
            } else {
                fault(FaultCode::BadQuadrant)
            }
        }
        (Kind::Point, FieldValue::Point(_)) => place(value).and_then(fault),
        (Kind::Circle, FieldValue::Circle(_)) => place(value).and_then(fault),
        (Kind::Polygon, FieldValue::Polygon(_)) => place(value).and_then(fault),
        (Kind::Area(shapes), value) => match (shape_of(value), place(value)) {
            (Some(shape), _) if !shapes.contains(&shape) => fault(FaultCode::BadShape),
            (Some(_), code) => code.and_then(fault),
            (None, _) => fault(FaultCode::BadShape),
        },
        _ => fault(FaultCode::BadShape),
    }
}

/// The shape a value is, if it is one.
pub(crate) fn shape_of(value: &FieldValue) -> Option<Shape> {
    match value {
        FieldValue::Polygon(_) => Some(Shape::Polygon),
        FieldValue::Circle(_) => Some(Shape::Circle),
        FieldValue::Point(_) => Some(Shape::Point),
        _ => None,
    }
}

/// Greatest radius: no circle on Earth is larger than half its circumference, 20,004 km.
const RADIUS_TENTHS_MAX: u32 = 200_040;

fn place(value: &FieldValue) -> Option<FaultCode> {
    let on_earth = |point: &Point| point.lat.abs() <= 900_000 && point.lon.abs() <= 1_800_000;
    match value {
        FieldValue::Point(point) => (!on_earth(point)).then_some(FaultCode::BadPosition),
        FieldValue::Circle(circle) if !on_earth(&circle.center) => Some(FaultCode::BadPosition),
        FieldValue::Circle(circle) => {
            (!(1..=RADIUS_TENTHS_MAX).contains(&circle.radius_tenths)).then_some(FaultCode::BadRadius)
        }
        FieldValue::Polygon(points) if !points.iter().all(on_earth) => Some(FaultCode::BadPosition),
        FieldValue::Polygon(points) => {
            let closed_twice = points.first() == points.last();
            ((3..=CORNERS_MAX).contains(&points.len()) && !closed_twice)
                .then_some(())
                .map_or(Some(FaultCode::BadPolygon), |()| None)
        }
        _ => None,
    }
}

/// Whether a text is the number of a message: `ALT/2027/0212`, in the exercise lane
/// `ALT/EX/2027/0003`.
#[must_use]
pub fn is_citation(text: &str) -> bool {
    let parts: Vec<&str> = text.split('/').collect();
    let (party, year, number) = match parts.as_slice() {
        [party, "EX", year, number] | [party, year, number] => (party, year, number),
        _ => return false,
    };
    let figures = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    (2..=12).contains(&party.len())
        && party.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-')
        && year.len() == 4
        && figures(year)
        && (4..=8).contains(&number.len())
        && figures(number)
}
