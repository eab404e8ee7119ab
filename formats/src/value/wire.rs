//! Field values as deterministic CBOR: an array by position, as short as it can be.
//!
//! Absent is `null`, and trailing `null`s are cut. A word such as "not provided" is `false`. A
//! variant or the shape of an area is an array that begins with its number; what is itself an array
//! follows in the same array, which saves a byte on every area. Source: `spec/formats.md`.

use detente_encoding::cbor::Value;

use super::{Circle, DailyHours, DistanceUnit, FieldValue, Ocean, OceanQuadrant, Point};
use crate::format::{Field, Kind, Shape};
use crate::language::Language;
use crate::terms::Level;
use crate::value::bounds::shape_of;
use crate::value::json::join;

/// Encodes the fields of a record.
pub(crate) fn encode_record(fields: &[Field], values: &[Option<FieldValue>]) -> Value {
    let given = values.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
    let pairs = fields.iter().zip(&values[..given]);
    Value::Array(
        pairs.map(|(field, value)| value.as_ref().map_or(Value::Null, |v| encode(field, v))).collect(),
    )
}

fn int(number: impl Into<i128>) -> Value {
    Value::Int(number.into())
}

fn encode(field: &Field, value: &FieldValue) -> Value {
    match (&field.kind, value) {
        (Kind::Area(_), value) => match shape_of(value) {
            Some(shape) => tagged(shape as u16, encode_plain(value)),
            None => encode_plain(value),
        },
        (Kind::Record(fields), FieldValue::Record(values)) => encode_record(fields, values),
        (Kind::List { item, .. }, FieldValue::List(values)) => {
            Value::Array(values.iter().map(|value| encode(item, value)).collect())
        }
        (Kind::OneOf(variants), FieldValue::OneOf(number, inner)) => {
            let variant = variants.iter().find(|variant| variant.number == *number);
            tagged(*number, variant.map_or(Value::Null, |variant| encode(variant, inner)))
        }
        _ => encode_plain(value),
    }
}

fn encode_plain(value: &FieldValue) -> Value {
    match value {
        FieldValue::Date(number) | FieldValue::DateTime(number) | FieldValue::Decimal(number) => int(*number),
        FieldValue::Time(minutes) => int(*minutes),
        FieldValue::DailyHours(hours) => Value::Array(vec![int(hours.from), int(hours.to)]),
        FieldValue::Bool(flag) => Value::Bool(*flag),
        FieldValue::Uint(count) => int(*count),
        FieldValue::Text(text) => Value::text(text),
        FieldValue::Choice(number) => int(*number),
        FieldValue::Point(point) => Value::Array(vec![int(point.lat), int(point.lon)]),
        FieldValue::Circle(circle) => Value::Array(vec![
            int(circle.center.lat),
            int(circle.center.lon),
            int(circle.radius_tenths),
            int(circle.unit as u8),
        ]),
        FieldValue::Polygon(points) => encode_corners(points),
        FieldValue::OceanQuadrant(sector) => int(sector.ocean as u8 * 4 + sector.quadrant.saturating_sub(1)),
        FieldValue::Level(level) => int(level.number()),
        FieldValue::Language(language) => int(language.number()),
        FieldValue::Bytes(bytes) => Value::bytes(bytes),
        FieldValue::Word => Value::Bool(false),
        // Parts are encoded with their fields, above; alone they have no form.
        FieldValue::OneOf(..) | FieldValue::List(_) | FieldValue::Record(_) => Value::Null,
    }
}

/// The first corner, then each one's difference from the one before: two bytes shorter a figure.
fn encode_corners(points: &[Point]) -> Value {
    let mut before = Point { lat: 0, lon: 0 };
    let mut numbers = Vec::with_capacity(points.len() * 2);
    for point in points {
        numbers.push(int(i64::from(point.lat) - i64::from(before.lat)));
        numbers.push(int(i64::from(point.lon) - i64::from(before.lon)));
        before = *point;
    }
    Value::Array(numbers)
}

fn decode_corners(numbers: &[i64]) -> Option<FieldValue> {
    let mut before = Point { lat: 0, lon: 0 };
    let mut points = Vec::with_capacity(numbers.len() / 2);
    for pair in numbers.chunks_exact(2) {
        let lat = i64::from(before.lat).checked_add(pair[0])?;
        let lon = i64::from(before.lon).checked_add(pair[1])?;
        before = Point { lat: i32::try_from(lat).ok()?, lon: i32::try_from(lon).ok()? };
        points.push(before);
    }
    Some(FieldValue::Polygon(points))
}

/// An array that begins with a number.
fn tagged(number: u16, inner: Value) -> Value {
    let mut items = vec![int(number)];
    match inner {
        Value::Array(inner) => items.extend(inner),
        inner => items.push(inner),
    }
    Value::Array(items)
}

/// Whether a type is encoded as an array, and so follows its tag in the same array.
fn is_array(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::DailyHours
            | Kind::Point
            | Kind::Circle
            | Kind::Polygon
            | Kind::Area(_)
            | Kind::OneOf(_)
            | Kind::List { .. }
            | Kind::Record(_)
    )
}

/// Decodes the fields of a record. The error is the path of the value that has not the type of its
/// field, or of a position beyond the last field.
pub(crate) fn decode_record(
    fields: &[Field],
    value: &Value,
    path: &str,
) -> Result<Vec<Option<FieldValue>>, String> {
    decode_items(fields, value.as_array().ok_or_else(|| path.to_owned())?, path)
}

fn decode_items(fields: &[Field], items: &[Value], path: &str) -> Result<Vec<Option<FieldValue>>, String> {
    if items.len() > fields.len() {
        return Err(join(path, &(fields.len() + 1).to_string()));
    }
    let absent = Value::Null;
    let padded = items.iter().chain(core::iter::repeat(&absent));
    fields
        .iter()
        .zip(padded)
        .map(|(field, value)| match value {
            Value::Null => Ok(None),
            value => decode(field, value, &join(path, &field.name)).map(Some),
        })
        .collect()
}

fn decode(field: &Field, value: &Value, path: &str) -> Result<FieldValue, String> {
    if field.word.is_some() && *value == Value::Bool(false) {
        return Ok(FieldValue::Word);
    }
    match (&field.kind, value) {
        (kind, Value::Array(items)) if is_array(kind) => decode_array(field, items, path),
        (kind, value) => decode_plain(kind, value).ok_or_else(|| path.to_owned()),
    }
}

fn decode_array(field: &Field, items: &[Value], path: &str) -> Result<FieldValue, String> {
    let wrong = || path.to_owned();
    match &field.kind {
        Kind::Record(fields) => decode_items(fields, items, path).map(FieldValue::Record),
        Kind::List { item, .. } => {
            let values = items.iter().enumerate();
            let values = values.map(|(index, value)| decode(item, value, &format!("{path}[{}]", index + 1)));
            values.collect::<Result<_, _>>().map(FieldValue::List)
        }
        Kind::OneOf(variants) => {
            let (number, rest) = items.split_first().ok_or_else(wrong)?;
            let number = number.as_u64().and_then(|n| u16::try_from(n).ok()).ok_or_else(wrong)?;
            let variant = variants.iter().find(|variant| variant.number == number).ok_or_else(wrong)?;
            let path = join(path, &variant.name);
            let inner = if is_array(&variant.kind) {
                decode_array(variant, rest, &path)?
            } else {
                let [inner] = rest else { return Err(path) };
                decode(variant, inner, &path)?
            };
            Ok(FieldValue::OneOf(number, Box::new(inner)))
        }
        Kind::Area(_) => {
            let (number, rest) = items.split_first().ok_or_else(wrong)?;
            let shape = Shape::ALL.into_iter().find(|shape| number.as_u64() == Some(*shape as u64));
            let kind = match shape.ok_or_else(wrong)? {
                Shape::Polygon => Kind::Polygon,
                Shape::Circle => Kind::Circle,
                Shape::Point => Kind::Point,
            };
            decode_numbers(&kind, rest).ok_or_else(wrong)
        }
        kind => decode_numbers(kind, items).ok_or_else(wrong),
    }
}

/// A type whose array holds nothing but whole numbers.
fn decode_numbers(kind: &Kind, items: &[Value]) -> Option<FieldValue> {
    let numbers: Vec<i64> = items.iter().map(Value::as_i64).collect::<Option<_>>()?;
    let point =
        |lat: i64, lon: i64| Some(Point { lat: i32::try_from(lat).ok()?, lon: i32::try_from(lon).ok()? });
    match (kind, numbers.as_slice()) {
        (Kind::DailyHours, [from, to]) => Some(FieldValue::DailyHours(DailyHours {
            from: u16::try_from(*from).ok()?,
            to: u16::try_from(*to).ok()?,
        })),
        (Kind::Point, [lat, lon]) => point(*lat, *lon).map(FieldValue::Point),
        (Kind::Circle, [lat, lon, radius, unit]) => Some(FieldValue::Circle(Circle {
            center: point(*lat, *lon)?,
            radius_tenths: u32::try_from(*radius).ok()?,
            unit: *DistanceUnit::ALL.get(usize::try_from(*unit).ok()?)?,
        })),
        (Kind::Polygon, numbers) if numbers.len() % 2 == 0 => decode_corners(numbers),
        _ => None,
    }
}

fn decode_plain(kind: &Kind, value: &Value) -> Option<FieldValue> {
    match kind {
        Kind::Date => value.as_i64().map(FieldValue::Date),
        Kind::DateTime => value.as_i64().map(FieldValue::DateTime),
        Kind::Decimal { .. } => value.as_i64().map(FieldValue::Decimal),
        Kind::Time => value.as_u64().and_then(|n| u16::try_from(n).ok()).map(FieldValue::Time),
        Kind::Bool => value.as_bool().map(FieldValue::Bool),
        Kind::Uint { .. } => value.as_u64().map(FieldValue::Uint),
        Kind::Text { .. } | Kind::Code { .. } | Kind::Post { .. } | Kind::Reference => {
            value.as_text().map(|text| FieldValue::Text(text.to_owned()))
        }
        Kind::Choice(_) => value.as_u64().and_then(|n| u16::try_from(n).ok()).map(FieldValue::Choice),
        Kind::OceanQuadrant => {
            let coded = value.as_u64()?;
            let ocean = *Ocean::ALL.get(usize::try_from(coded / 4).ok()?)?;
            let quadrant = u8::try_from(coded % 4).ok()? + 1;
            Some(FieldValue::OceanQuadrant(OceanQuadrant { ocean, quadrant }))
        }
        Kind::Level => value.as_u64().and_then(Level::from_number).map(FieldValue::Level),
        Kind::Language => value.as_u64().and_then(Language::from_number).map(FieldValue::Language),
        Kind::Bytes { .. } => value.as_bytes().map(|bytes| FieldValue::Bytes(bytes.to_vec())),
        Kind::DailyHours
        | Kind::Point
        | Kind::Circle
        | Kind::Polygon
        | Kind::Area(_)
        | Kind::OneOf(_)
        | Kind::List { .. }
        | Kind::Record(_) => None,
    }
}
