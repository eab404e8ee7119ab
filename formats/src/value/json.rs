//! Field values from the message file.
//!
//! Reading goes on after a fault, so that the drafter sees all of them at once; a value that could
//! not be read is left out.

use detente_encoding::{Timestamp, text};
use serde_json::{Map, Value};

use super::{Circle, DEGREE, DailyHours, DistanceUnit, FieldValue, Ocean, OceanQuadrant, Point};
use crate::fault::{Arg, Fault, FaultCode, Faults};
use crate::format::{Field, Kind, Shape};
use crate::language::Language;
use crate::terms::Level;

/// Reads the fields of a record. `path` is where the record stands in the file.
pub(crate) fn read_record(
    fields: &[Field],
    object: &Map<String, Value>,
    path: &str,
    faults: &mut Faults,
) -> Vec<Option<FieldValue>> {
    for key in object.keys() {
        if !fields.iter().any(|field| field.name == *key) {
            let known = fields.iter().map(|field| field.name.as_str()).collect::<Vec<_>>().join(", ");
            faults.add(Fault::new(join(path, key), FaultCode::UnknownKey).with(Arg::text(known)));
        }
    }
    fields
        .iter()
        .map(|field| match object.get(&field.name) {
            None | Some(Value::Null) if field.required => {
                faults
                    .add(Fault::new(join(path, &field.name), FaultCode::Missing).with(expected(&field.kind)));
                None
            }
            None | Some(Value::Null) => None,
            Some(value) => read(field, value, &join(path, &field.name), faults),
        })
        .collect()
}

/// The path of `name` under `path`.
pub(crate) fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// What to write for a type, as the code of a wording in `words/`.
fn expected(kind: &Kind) -> Arg {
    Arg::Word(match kind {
        Kind::Date => "expect.date",
        Kind::DateTime => "expect.datetime",
        Kind::Time => "expect.time",
        Kind::DailyHours => "expect.daily_hours",
        Kind::Bool => "expect.bool",
        Kind::Uint { .. } => "expect.uint",
        Kind::Decimal { .. } => "expect.decimal",
        Kind::Text { .. } | Kind::Post { .. } => "expect.text",
        Kind::Choice(_) | Kind::Level | Kind::Language => "expect.choice",
        Kind::Code { .. } => "expect.code",
        Kind::Point => "expect.point",
        Kind::Circle => "expect.circle",
        Kind::Polygon => "expect.polygon",
        Kind::Area(_) => "expect.area",
        Kind::OceanQuadrant => "expect.ocean_quadrant",
        Kind::OneOf(_) => "expect.oneof",
        Kind::List { .. } => "expect.list",
        Kind::Record(_) => "expect.record",
        Kind::Bytes { .. } => "expect.bytes",
        Kind::Reference => "expect.reference",
    })
}

/// Reads one value. `None` after a fault was added.
fn read(field: &Field, value: &Value, path: &str, faults: &mut Faults) -> Option<FieldValue> {
    if let Some((word, _)) = &field.word
        && value.as_str() == Some(word)
    {
        return Some(FieldValue::Word);
    }
    match &field.kind {
        Kind::OneOf(variants) => return read_variant(variants, value, path, faults),
        Kind::List { item, .. } => return read_list(item, value, path, faults),
        Kind::Record(fields) => {
            let object = value.as_object();
            if object.is_none() {
                faults.add(Fault::new(path, FaultCode::WrongType).with(expected(&field.kind)));
            }
            return Some(FieldValue::Record(read_record(fields, object?, path, faults)));
        }
        Kind::Area(shapes) => return read_area(shapes, value, path, faults),
        _ => {}
    }
    match read_plain(&field.kind, value) {
        Ok(value) => Some(value),
        Err(Refusal::Type) => {
            faults.add(Fault::new(path, FaultCode::WrongType).with(expected(&field.kind)));
            None
        }
        Err(Refusal::Code(code, arg)) => {
            faults.add(Fault { args: arg.into_iter().collect(), ..Fault::new(path, code) });
            None
        }
    }
}

/// Why a plain value cannot be read.
enum Refusal {
    Type,
    Code(FaultCode, Option<Arg>),
}

impl From<FaultCode> for Refusal {
    fn from(code: FaultCode) -> Self {
        Self::Code(code, None)
    }
}

fn read_plain(kind: &Kind, value: &Value) -> Result<FieldValue, Refusal> {
    let text = || value.as_str().ok_or(Refusal::Type);
    Ok(match kind {
        Kind::Date => {
            FieldValue::Date(Timestamp::parse_date(text()?).map_err(|_| FaultCode::BadDate)?.days())
        }
        Kind::DateTime => FieldValue::DateTime(read_moment(text()?)?),
        Kind::Time => FieldValue::Time(read_time(text()?)?),
        Kind::DailyHours => {
            let (from, to) = (text_in(value, "from")?, text_in(value, "to")?);
            only_keys(value, &["from", "to"])?;
            FieldValue::DailyHours(DailyHours { from: read_time(from)?, to: read_time(to)? })
        }
        Kind::Bool => FieldValue::Bool(value.as_bool().ok_or(Refusal::Type)?),
        Kind::Uint { .. } => FieldValue::Uint(value.as_u64().ok_or(Refusal::Type)?),
        Kind::Decimal { scale, .. } => FieldValue::Decimal(scaled(value, *scale)?),
        Kind::Text { .. } | Kind::Post { .. } | Kind::Code { .. } | Kind::Reference => {
            FieldValue::Text(text()?.to_owned())
        }
        Kind::Choice(choices) => {
            let name = text()?;
            let choice = choices
                .iter()
                .find(|choice| choice.name == name)
                .ok_or_else(|| not_one_of(choices.iter().map(|choice| choice.name.as_str()).collect()))?;
            FieldValue::Choice(choice.number)
        }
        Kind::Level => FieldValue::Level(
            Level::from_name(text()?)
                .ok_or_else(|| not_one_of(Level::ALL.iter().map(|level| level.name()).collect()))?,
        ),
        Kind::Language => FieldValue::Language(
            Language::from_code(text()?)
                .ok_or_else(|| not_one_of(Language::ALL.iter().map(|language| language.code()).collect()))?,
        ),
        Kind::Point => FieldValue::Point(read_point(value)?),
        Kind::Circle => FieldValue::Circle(read_circle(value)?),
        Kind::Polygon => FieldValue::Polygon(read_polygon(value)?),
        Kind::OceanQuadrant => FieldValue::OceanQuadrant(read_quadrant(value)?),
        Kind::Bytes { .. } => FieldValue::Bytes(text::from_hex(text()?).ok_or(Refusal::Type)?),
        Kind::Area(_) | Kind::OneOf(_) | Kind::List { .. } | Kind::Record(_) => return Err(Refusal::Type),
    })
}

fn not_one_of(names: Vec<&str>) -> Refusal {
    Refusal::Code(FaultCode::NotOneOf, Some(Arg::text(names.join(", "))))
}

/// Reads a moment in whole seconds.
pub(crate) fn read_moment(text: &str) -> Result<i64, FaultCode> {
    let moment = Timestamp::parse(text).map_err(|error| match error {
        detente_encoding::TimeError::NoZone => FaultCode::NoZone,
        _ => FaultCode::BadDateTime,
    })?;
    if moment.millis() % 1000 != 0 {
        return Err(FaultCode::BadDateTime);
    }
    Ok(moment.seconds())
}

fn read_time(text: &str) -> Result<u16, FaultCode> {
    let (hours, minutes) = text.split_once(':').ok_or(FaultCode::BadTime)?;
    let two_digits = |part: &str| match part.as_bytes() {
        [a @ b'0'..=b'9', b @ b'0'..=b'9'] => Ok(u16::from(a - b'0') * 10 + u16::from(b - b'0')),
        _ => Err(FaultCode::BadTime),
    };
    let (hours, minutes) = (two_digits(hours)?, two_digits(minutes)?);
    if hours > 23 || minutes > 59 {
        return Err(FaultCode::BadTime);
    }
    Ok(hours * 60 + minutes)
}

fn text_in<'a>(value: &'a Value, key: &str) -> Result<&'a str, Refusal> {
    value.get(key).and_then(Value::as_str).ok_or(Refusal::Type)
}

fn only_keys(value: &Value, known: &[&str]) -> Result<(), Refusal> {
    let object = value.as_object().ok_or(Refusal::Type)?;
    match object.keys().find(|key| !known.contains(&key.as_str())) {
        None => Ok(()),
        Some(_) => Err(Refusal::Code(FaultCode::UnknownKey, Some(Arg::text(known.join(", "))))),
    }
}

/// A number times ten to `scale`; more decimals than that are refused, not rounded.
fn scaled(value: &Value, scale: u8) -> Result<i64, Refusal> {
    let Value::Number(number) = value else { return Err(Refusal::Type) };
    scaled_text(&number.to_string(), scale)
        .ok_or(Refusal::Code(FaultCode::Precision, Some(Arg::Number(u64::from(scale)))))
}

fn scaled_text(text: &str, scale: u8) -> Option<i64> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let decimals = if decimals == "0" { "" } else { decimals };
    let missing = usize::from(scale).checked_sub(decimals.len())?;
    let digits = format!("{whole}{decimals}{}", "0".repeat(missing));
    digits.parse().ok()
}

fn read_point(value: &Value) -> Result<Point, Refusal> {
    let Some([lat, lon]) = value.as_array().map(Vec::as_slice) else { return Err(Refusal::Type) };
    let degrees = |value: &Value, bound: i32| {
        let parts = i32::try_from(scaled(value, 4)?).ok().filter(|parts| parts.abs() <= bound * DEGREE);
        parts.ok_or(Refusal::Code(FaultCode::BadPosition, None))
    };
    Ok(Point { lat: degrees(lat, 90)?, lon: degrees(lon, 180)? })
}

fn read_circle(value: &Value) -> Result<Circle, Refusal> {
    only_keys(value, &["center", "radius", "unit"])?;
    let center = read_point(value.get("center").ok_or(Refusal::Type)?)?;
    let radius = scaled(value.get("radius").ok_or(Refusal::Type)?, 1)?;
    let unit = text_in(value, "unit")?;
    let unit = DistanceUnit::ALL.into_iter().find(|known| known.name() == unit);
    Ok(Circle {
        center,
        radius_tenths: u32::try_from(radius).map_err(|_| FaultCode::BadRadius)?,
        unit: unit.ok_or_else(|| not_one_of(vec!["km", "nm"]))?,
    })
}

fn read_polygon(value: &Value) -> Result<Vec<Point>, Refusal> {
    value.as_array().ok_or(Refusal::Type)?.iter().map(read_point).collect()
}

fn read_quadrant(value: &Value) -> Result<OceanQuadrant, Refusal> {
    only_keys(value, &["ocean", "quadrant"])?;
    let name = text_in(value, "ocean")?;
    let ocean = Ocean::ALL.into_iter().find(|ocean| ocean.name() == name);
    let ocean = ocean.ok_or_else(|| not_one_of(Ocean::ALL.iter().map(|ocean| ocean.name()).collect()))?;
    let quadrant = value.get("quadrant").and_then(Value::as_u64).ok_or(Refusal::Type)?;
    let quadrant = u8::try_from(quadrant).map_err(|_| FaultCode::BadQuadrant)?;
    Ok(OceanQuadrant { ocean, quadrant })
}

fn read_area(shapes: &[Shape], value: &Value, path: &str, faults: &mut Faults) -> Option<FieldValue> {
    let Some((name, inner)) = single(value) else {
        faults.add(Fault::new(path, FaultCode::WrongType).with(Arg::Word("expect.area")));
        return None;
    };
    let Some(shape) = shapes.iter().find(|shape| shape.name() == name) else {
        let names = shapes.iter().map(|shape| shape.name()).collect::<Vec<_>>().join(", ");
        faults.add(Fault::new(path, FaultCode::NotOneOf).with(Arg::text(names)));
        return None;
    };
    let kind = match shape {
        Shape::Polygon => Kind::Polygon,
        Shape::Circle => Kind::Circle,
        Shape::Point => Kind::Point,
    };
    read(&plain(kind), inner, &join(path, name), faults)
}

/// A field of a bare type, for the shape inside an area.
fn plain(kind: Kind) -> Field {
    let none = crate::language::Phrase::default();
    Field {
        number: 1,
        name: String::new(),
        path: String::new(),
        kind,
        required: true,
        word: None,
        label: none.clone(),
        hint: none,
    }
}

fn single(value: &Value) -> Option<(&String, &Value)> {
    let object = value.as_object()?;
    if object.len() == 1 { object.iter().next() } else { None }
}

/// `{"variant": value}`; a sector of an ocean may also stand without the name of its variant.
fn read_variant(variants: &[Field], value: &Value, path: &str, faults: &mut Faults) -> Option<FieldValue> {
    let named = single(value).and_then(|(name, inner)| {
        variants.iter().find(|variant| variant.name == *name).map(|variant| (variant, inner))
    });
    if let Some((variant, inner)) = named {
        let inner = read(variant, inner, &join(path, &variant.name), faults)?;
        return Some(FieldValue::OneOf(variant.number, Box::new(inner)));
    }
    let bare = variants.iter().find(|variant| matches!(variant.kind, Kind::OceanQuadrant));
    if let (Some(variant), true) = (bare, value.get("ocean").is_some() || value.get("quadrant").is_some()) {
        let inner = read(variant, value, path, faults)?;
        return Some(FieldValue::OneOf(variant.number, Box::new(inner)));
    }
    let names = variants.iter().map(|variant| variant.name.as_str()).collect::<Vec<_>>().join(", ");
    faults.add(Fault::new(path, FaultCode::NotOneOf).with(Arg::text(names)));
    None
}

fn read_list(item: &Field, value: &Value, path: &str, faults: &mut Faults) -> Option<FieldValue> {
    let Some(items) = value.as_array() else {
        faults.add(Fault::new(path, FaultCode::WrongType).with(Arg::Word("expect.list")));
        return None;
    };
    let mut values = Vec::with_capacity(items.len());
    for (index, value) in items.iter().enumerate() {
        values.push(read(item, value, &format!("{path}[{}]", index + 1), faults));
    }
    values.into_iter().collect::<Option<Vec<_>>>().map(FieldValue::List)
}
