//! Fields and values as numbered lines: `4.1.2. Radius: 40 nautical miles`.

use super::{Page, figures, language_key};
use crate::format::{Field, Kind};
use crate::language::Language;
use crate::message::Message;
use crate::terms::Level;
use crate::text::visible_line;
use crate::value::{Circle, DistanceUnit, FieldValue, Ocean, Point};
use crate::words::words;

/// Texts of at most so many characters stand behind their label; longer ones in a block.
const LINE_CHARS_MAX: usize = 80;

/// Every field that is given, under its number.
pub(super) fn fields(page: &mut Page, fields: &[Field], values: &[Option<FieldValue>], message: &Message) {
    record(page, fields, values, "", message.original_language());
}

fn record(
    page: &mut Page,
    fields: &[Field],
    values: &[Option<FieldValue>],
    prefix: &str,
    original: Option<Language>,
) {
    for (field, value) in fields.iter().zip(values) {
        if let Some(value) = value {
            let number = format!("{prefix}{}.", field.number);
            let label = field.label.get(page.language()).to_owned();
            entry(page, field, value, &number, &label, original);
        }
    }
}

/// One numbered value; its parts follow under longer numbers.
fn entry(
    page: &mut Page,
    field: &Field,
    value: &FieldValue,
    number: &str,
    label: &str,
    original: Option<Language>,
) {
    let colon = page.colon();
    match (&field.kind, value) {
        (Kind::Record(fields), FieldValue::Record(values)) => {
            // The item of a list has no label; its first field follows at once.
            if !label.is_empty() {
                page.line(format!("{number} {label}{colon}").trim_end());
            }
            record(page, fields, values, number, original);
        }
        (Kind::List { item, .. }, FieldValue::List(values)) => {
            page.line(format!("{number} {label}{colon}{}", values.len()).trim_end());
            for (index, value) in values.iter().enumerate() {
                entry(page, item, value, &format!("{number}{}.", index + 1), "", original);
            }
        }
        (Kind::OneOf(variants), FieldValue::OneOf(chosen, inner)) => {
            if let Some(variant) = variants.iter().find(|variant| variant.number == *chosen) {
                let name = variant.label.get(page.language());
                let label = if label.is_empty() { name.to_owned() } else { format!("{label}{colon}{name}") };
                entry(page, variant, inner, number, &label, original);
            }
        }
        (Kind::Text { max, .. }, FieldValue::Text(text)) if *max > LINE_CHARS_MAX => {
            let language = original.map_or("", |language| words(page.language()).get(language_key(language)));
            let language = if language.is_empty() { String::new() } else { format!(" [{language}]") };
            let colon = if label.is_empty() { "" } else { colon.trim_end() };
            page.line(format!("{number} {label}{language}{colon}").trim_end());
            page.block(text);
        }
        (_, FieldValue::Polygon(points)) => {
            let shape = words(page.language()).get("shape.polygon");
            let label = if label.is_empty() { shape.to_owned() } else { format!("{label}{colon}{shape}") };
            page.line(&format!("{number} {label}{colon}{}", points.len()));
            for (index, corner) in points.iter().enumerate() {
                let corner = page.isolated(&point(*corner, page.language()));
                page.line(&format!("{number}{}. {corner}", index + 1));
            }
        }
        _ => {
            let text = page.isolated(&plain(field, value, page.language()));
            let label = if label.is_empty() { String::new() } else { format!("{label}{colon}") };
            page.line(&format!("{number} {label}{text}"));
        }
    }
}

/// A value that stands on one line.
fn plain(field: &Field, value: &FieldValue, language: Language) -> String {
    let words = words(language);
    match value {
        FieldValue::Word => {
            field.word.as_ref().map_or_else(String::new, |(_, word)| word.get(language).to_owned())
        }
        FieldValue::Date(days) => figures::date(*days, language),
        FieldValue::DateTime(seconds) => figures::moment_seconds(*seconds, language),
        FieldValue::Time(minutes) => figures::time(*minutes),
        FieldValue::DailyHours(hours) => {
            words.fill("value.daily_hours", &[figures::time(hours.from), figures::time(hours.to)])
        }
        FieldValue::Bool(flag) => words.get(if *flag { "value.yes" } else { "value.no" }).to_owned(),
        FieldValue::Uint(count) => figures::count(*count, language),
        FieldValue::Decimal(number) => {
            let scale = if let Kind::Decimal { scale, .. } = field.kind { scale } else { 0 };
            figures::decimal(*number, scale, language)
        }
        FieldValue::Text(text) => visible_line(text),
        FieldValue::Choice(number) => match &field.kind {
            Kind::Choice(choices) => choices
                .iter()
                .find(|choice| choice.number == *number)
                .map_or_else(String::new, |choice| choice.label.get(language).to_owned()),
            _ => number.to_string(),
        },
        FieldValue::Point(place) => point(*place, language),
        FieldValue::Circle(area) => circle(area, language),
        FieldValue::OceanQuadrant(sector) => {
            let ocean = words.get(ocean_key(sector.ocean)).to_owned();
            words.fill("value.ocean_quadrant", &[ocean, sector.quadrant.to_string()])
        }
        FieldValue::Level(level) => words.get(level_key(*level)).to_owned(),
        FieldValue::Language(language) => words.get(language_key(*language)).to_owned(),
        FieldValue::Bytes(bytes) => figures::hex_groups(bytes),
        // These have lines of their own, above.
        FieldValue::Polygon(_) | FieldValue::OneOf(..) | FieldValue::List(_) | FieldValue::Record(_) => {
            String::new()
        }
    }
}

fn point(point: Point, language: Language) -> String {
    let words = words(language);
    let half = |parts: i32, positive: &'static str, negative: &'static str| {
        let degrees = figures::decimal(i64::from(parts.abs()), 4, language);
        words.fill(if parts < 0 { negative } else { positive }, &[degrees])
    };
    let lat = half(point.lat, "value.north", "value.south");
    let lon = half(point.lon, "value.east", "value.west");
    words.fill("value.position", &[lat, lon])
}

fn circle(circle: &Circle, language: Language) -> String {
    let radius = figures::decimal(i64::from(circle.radius_tenths), 1, language);
    let unit = match circle.unit {
        DistanceUnit::Kilometre => "value.kilometres",
        DistanceUnit::NauticalMile => "value.nautical_miles",
    };
    let radius = words(language).fill(unit, &[radius]);
    words(language).fill("value.circle", &[point(circle.center, language), radius])
}

fn ocean_key(ocean: Ocean) -> &'static str {
    match ocean {
        Ocean::Atlantic => "ocean.atlantic",
        Ocean::Pacific => "ocean.pacific",
        Ocean::Indian => "ocean.indian",
        Ocean::Arctic => "ocean.arctic",
        Ocean::Southern => "ocean.southern",
    }
}

fn level_key(level: Level) -> &'static str {
    match level {
        Level::HeadOfState => "level.head_of_state",
        Level::ForeignMinister => "level.foreign_minister",
        Level::DefenceMinister => "level.defence_minister",
        Level::Minister => "level.minister",
        Level::NationalSecurity => "level.national_security",
        Level::Military => "level.military",
        Level::SeniorOfficial => "level.senior_official",
        Level::Working => "level.working",
        Level::Expert => "level.expert",
        Level::Track15 => "level.track_1_5",
        Level::Track2 => "level.track_2",
    }
}
