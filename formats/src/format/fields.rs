//! Reading the fields of a format file: numbers without gaps, every label in every language.

use super::file::Wordings;
use super::section::{Fault, Section};
use super::{Choice, FIELDS_MAX, Field, Kind, Shape};
use crate::language::Phrase;

/// Characters of a text when the file names no bound.
const TEXT_CHARS_DEFAULT: usize = 500;
/// Greatest bound a file may name: a field is not a document.
const TEXT_CHARS_MAX: usize = 4000;
/// Greatest count of items of a list.
const ITEMS_MAX: usize = 4096;
/// Deepest nesting of fields; the wire adds at most two levels to each.
const DEPTH_MAX: usize = 4;

/// Reads `[[field]]` tables that stand under `parent`.
pub(super) fn read(sections: Vec<Section>, parent: &str, words: &mut Wordings) -> Result<Vec<Field>, Fault> {
    let depth = parent.split('.').filter(|part| !part.is_empty()).count();
    let mut fields: Vec<Field> = Vec::with_capacity(sections.len());
    for (index, mut section) in sections.into_iter().enumerate() {
        if index >= FIELDS_MAX || depth >= DEPTH_MAX {
            return Err(section.fault("number", "is one field too many, or nested too deep"));
        }
        let number: u16 = section.uint("number")?;
        if usize::from(number) != index + 1 {
            return Err(
                section.fault("number", format!("must be {}: fields count from 1 without gaps", index + 1))
            );
        }
        let name = section.text("name")?;
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if name.len() > 40 || !name.chars().all(is_name) || fields.iter().any(|field| field.name == name) {
            return Err(
                section.fault("name", "must be lower case letters, figures and '_', and not used before")
            );
        }
        let path = if parent.is_empty() { name.clone() } else { format!("{parent}.{name}") };
        fields.push(field(section, number, name, path, words)?);
    }
    Ok(fields)
}

fn field(
    mut section: Section,
    number: u16,
    name: String,
    path: String,
    words: &mut Wordings,
) -> Result<Field, Fault> {
    let label = words.take(&path)?;
    let hint = words.take_if_given(&format!("{path}?"))?;
    let required = section.flag("required")?;
    let kind = kind(&mut section, &path, words)?;
    let word = word(&mut section, &path, &kind, words)?;
    section.finish()?;
    Ok(Field { number, name, path, kind, required, word, label, hint })
}

/// A word in place of the value. Refused where a file could not tell it from a value.
fn word(
    section: &mut Section,
    path: &str,
    kind: &Kind,
    words: &mut Wordings,
) -> Result<Option<(String, Phrase)>, Fault> {
    let Some(word) = section.text_if_given("word")? else { return Ok(None) };
    let ambiguous = matches!(
        kind,
        Kind::Bool
            | Kind::Text { .. }
            | Kind::Choice(_)
            | Kind::Code { .. }
            | Kind::Post { .. }
            | Kind::Level
            | Kind::Language
            | Kind::Bytes { .. }
    );
    if ambiguous {
        return Err(section.fault("word", "cannot be told from a value of this type; remove it"));
    }
    let wording = words.take(&format!("{path}={word}"))?;
    Ok(Some((word, wording)))
}

fn kind(section: &mut Section, path: &str, words: &mut Wordings) -> Result<Kind, Fault> {
    let name = section.text("type")?;
    Ok(match name.as_str() {
        "date" => Kind::Date,
        "datetime" => Kind::DateTime,
        "time" => Kind::Time,
        "daily_hours" => Kind::DailyHours,
        "bool" => Kind::Bool,
        "uint" => {
            let min = section.uint_if_given("min")?.unwrap_or(0);
            let max = section.uint("max")?;
            Kind::Uint { min, max }
        }
        "decimal" => decimal(section)?,
        "text" => Kind::Text { max: chars(section, TEXT_CHARS_DEFAULT)?, lines: section.flag("lines")? },
        "enum" => choices(section, path, words)?,
        "code" => Kind::Code { max: chars(section, 24)? },
        "post" => Kind::Post { max: chars(section, 80)? },
        "point" => Kind::Point,
        "circle" => Kind::Circle,
        "polygon" => Kind::Polygon,
        "area" => area(section)?,
        "ocean_quadrant" => Kind::OceanQuadrant,
        "level" => Kind::Level,
        "language" => Kind::Language,
        "oneof" => {
            let variants = read(section.sections("variant")?, path, words)?;
            if variants.is_empty() || variants.iter().any(|variant| variant.word.is_some()) {
                return Err(section.fault("variant", "must list at least one, none of them with a word"));
            }
            Kind::OneOf(variants)
        }
        "record" => Kind::Record(read(section.sections("field")?, path, words)?),
        "list" => list(section, path, words)?,
        "bytes" => Kind::Bytes { length: section.uint("length")? },
        "reference" => Kind::Reference,
        _ => return Err(section.fault("type", "is not a known type; see the list in `format/mod.rs`")),
    })
}

fn chars(section: &mut Section, default: usize) -> Result<usize, Fault> {
    let max = section.uint_if_given("max")?.unwrap_or(default);
    if max == 0 || max > TEXT_CHARS_MAX {
        return Err(section.fault("max", format!("must be 1 to {TEXT_CHARS_MAX} characters")));
    }
    Ok(max)
}

fn decimal(section: &mut Section) -> Result<Kind, Fault> {
    let scale: u8 = section.uint("scale")?;
    if !(1..=6).contains(&scale) {
        return Err(section.fault("scale", "must be 1 to 6 decimals"));
    }
    let min = section.int_if_given("min")?.unwrap_or(0);
    let max = section.uint("max")?;
    Ok(Kind::Decimal { scale, min, max })
}

fn choices(section: &mut Section, path: &str, words: &mut Wordings) -> Result<Kind, Fault> {
    let mut choices = Vec::new();
    for (number, name) in section.texts("values")?.into_iter().enumerate() {
        let label = words.take(&format!("{path}={name}"))?;
        let number = u16::try_from(number).map_err(|_| section.fault("values", "has too many values"))?;
        choices.push(Choice { number, name, label });
    }
    if choices.is_empty() {
        return Err(section.fault("values", "must list at least one value"));
    }
    Ok(Kind::Choice(choices))
}

fn area(section: &mut Section) -> Result<Kind, Fault> {
    let mut shapes = Vec::new();
    for name in section.texts("shapes")? {
        let shape = Shape::ALL.into_iter().find(|shape| shape.name() == name);
        shapes.push(shape.ok_or_else(|| section.fault("shapes", "must name polygon, circle or point"))?);
    }
    if shapes.is_empty() {
        shapes = Shape::ALL.to_vec();
    }
    Ok(Kind::Area(shapes))
}

fn list(section: &mut Section, path: &str, words: &mut Wordings) -> Result<Kind, Fault> {
    let min = section.uint_if_given("min")?.unwrap_or(1);
    let max = section.uint("max")?;
    if max == 0 || max > ITEMS_MAX || min > max {
        return Err(section.fault("max", format!("must be at least min and at most {ITEMS_MAX}")));
    }
    let mut item = section.section("item")?;
    let kind = kind(&mut item, path, words)?;
    if matches!(kind, Kind::List { .. }) {
        return Err(item.fault("type", "a list of lists cannot be read over a telephone; use a record"));
    }
    item.finish()?;
    let item = Field {
        number: 1,
        name: String::new(),
        path: path.to_owned(),
        kind,
        required: true,
        word: None,
        label: Phrase::default(),
        hint: Phrase::default(),
    };
    Ok(Kind::List { item: Box::new(item), min, max })
}
