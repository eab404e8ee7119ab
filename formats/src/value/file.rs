//! Field values to the message file, so that they read back the same.

use detente_encoding::{Timestamp, text};
use serde_json::{Map, Number, Value, json};

use super::{FieldValue, Point};
use crate::format::{Field, Kind};

/// The fields of a record as they stand in a file; what is not given is left out.
pub(crate) fn write_record(fields: &[Field], values: &[Option<FieldValue>]) -> Map<String, Value> {
    let given = fields.iter().zip(values).filter_map(|(field, value)| Some((field, value.as_ref()?)));
    given.map(|(field, value)| (field.name.clone(), write(field, value))).collect()
}

fn write(field: &Field, value: &FieldValue) -> Value {
    match (&field.kind, value) {
        (_, FieldValue::Word) => json!(field.word.as_ref().map(|(word, _)| word)),
        (_, FieldValue::Date(days)) => json!(date_text(*days)),
        (_, FieldValue::DateTime(seconds)) => json!(moment_text(*seconds)),
        (_, FieldValue::Time(minutes)) => json!(time_text(*minutes)),
        (_, FieldValue::DailyHours(hours)) => {
            json!({"from": time_text(hours.from), "to": time_text(hours.to)})
        }
        (_, FieldValue::Bool(flag)) => json!(flag),
        (_, FieldValue::Uint(count)) => json!(count),
        (Kind::Decimal { scale, .. }, FieldValue::Decimal(number)) => unscaled(*number, *scale),
        (_, FieldValue::Decimal(number)) => json!(number),
        (_, FieldValue::Text(text)) => json!(text),
        (Kind::Choice(choices), FieldValue::Choice(number)) => {
            json!(choices.iter().find(|choice| choice.number == *number).map(|choice| &choice.name))
        }
        (_, FieldValue::Choice(number)) => json!(number),
        (Kind::Area(_), FieldValue::Point(_)) => json!({"point": shape(value)}),
        (Kind::Area(_), FieldValue::Circle(_)) => json!({"circle": shape(value)}),
        (Kind::Area(_), FieldValue::Polygon(_)) => json!({"polygon": shape(value)}),
        (_, FieldValue::Point(_) | FieldValue::Circle(_) | FieldValue::Polygon(_)) => shape(value),
        (_, FieldValue::OceanQuadrant(sector)) => {
            json!({"ocean": sector.ocean.name(), "quadrant": sector.quadrant})
        }
        (_, FieldValue::Level(level)) => json!(level.name()),
        (_, FieldValue::Language(language)) => json!(language.code()),
        (Kind::OneOf(variants), FieldValue::OneOf(number, inner)) => {
            match variants.iter().find(|variant| variant.number == *number) {
                Some(variant) if matches!(variant.kind, Kind::OceanQuadrant) => write(variant, inner),
                Some(variant) => json!({ variant.name.as_str(): write(variant, inner) }),
                None => Value::Null,
            }
        }
        (Kind::List { item, .. }, FieldValue::List(values)) => {
            Value::Array(values.iter().map(|value| write(item, value)).collect())
        }
        (Kind::Record(fields), FieldValue::Record(values)) => Value::Object(write_record(fields, values)),
        (_, FieldValue::Bytes(bytes)) => json!(text::hex(bytes)),
        (_, FieldValue::OneOf(..) | FieldValue::List(_) | FieldValue::Record(_)) => Value::Null,
    }
}

fn shape(value: &FieldValue) -> Value {
    match value {
        FieldValue::Point(point) => point_json(point),
        FieldValue::Circle(circle) => json!({
            "center": point_json(&circle.center),
            "radius": unscaled(i64::from(circle.radius_tenths), 1),
            "unit": circle.unit.name(),
        }),
        FieldValue::Polygon(points) => Value::Array(points.iter().map(point_json).collect()),
        _ => Value::Null,
    }
}

fn point_json(point: &Point) -> Value {
    Value::Array(vec![unscaled(i64::from(point.lat), 4), unscaled(i64::from(point.lon), 4)])
}

/// A scaled whole number as a decimal one, with no more digits than it has.
fn unscaled(number: i64, scale: u8) -> Value {
    let power = 10_i64.pow(u32::from(scale));
    if number % power == 0 {
        return json!(number / power);
    }
    #[allow(clippy::cast_precision_loss, reason = "bounds of fields keep it under 2^53")]
    let number = number as f64 / power as f64;
    Number::from_f64(number).map_or(Value::Null, Value::Number)
}

/// `2027-03-15`.
pub(crate) fn date_text(days: i64) -> String {
    let (year, month, day) = Timestamp::from_millis(days.saturating_mul(86_400_000)).date();
    format!("{year:04}-{month:02}-{day:02}")
}

/// `2027-03-15T11:00:00Z`.
pub(crate) fn moment_text(seconds: i64) -> String {
    Timestamp::from_millis(seconds.saturating_mul(1000)).to_string()
}

/// `02:00`.
pub(crate) fn time_text(minutes: u16) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}
