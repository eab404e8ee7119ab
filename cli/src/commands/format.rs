//! `detente format`: what can be said, and whether a message says it. Needs no node.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use detente_encoding::Timestamp;
use detente_formats::format::{Field, Format, Kind};
use detente_formats::{Catalogue, CheckContext, Fault, Heading, Language, Message, check, render};
use serde_json::{Map, Value, json};

use crate::answer::{Done, Failure, Style, answer, print, print_json};
use crate::args::FormatArgs;
use crate::files;

/// Longest message file that is read; the formats say what may stand in it.
pub(crate) const MESSAGE_BYTES_MAX: u64 = detente_formats::message::MESSAGE_FILE_BYTES_MAX as u64;

/// Runs the command.
pub(crate) fn run(args: &FormatArgs, style: Style) -> Result<Done, Failure> {
    match args {
        FormatArgs::List => list(style),
        FormatArgs::Show { code } => answer(style, &show(find(code)?, style.lang), |_| {
            show_text(find(code).expect("found before"), style.lang)
        }),
        FormatArgs::Check { file } => return check_file(file, style),
        FormatArgs::Render { file } => {
            let message = read_message(file, style.lang)?;
            let text = rendered(&message, style.lang);
            answer(style, &json!({ "language": style.lang.code(), "text": text }), |_| text.clone());
        }
        FormatArgs::New { code } => {
            let file = template(find(code)?);
            let text = serde_json::to_string_pretty(&file).expect("a message file is JSON");
            answer(style, &file, |_| text);
        }
        FormatArgs::Diff { one, other } => return diff(one, other, style),
    }
    Ok(Done::Done)
}

/// The system's clock.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

fn find(code: &str) -> Result<&'static Format, Failure> {
    let catalogue = Catalogue::embedded();
    catalogue.format(code).map(|format| &**format).ok_or_else(|| {
        let codes = catalogue.codes().collect::<Vec<_>>().join(", ");
        Failure::new(format!("there is no format {code:?}; formats are {codes}"))
    })
}

fn list(style: Style) {
    let rows: Vec<Value> = Catalogue::embedded()
        .notifications()
        .map(|format| {
            json!({
                "code": format.code, "edition": format.edition, "number": format.number,
                "title": format.title(style.lang), "regime": format.regime.get(style.lang),
                "precedence": format.precedence_default.name(),
            })
        })
        .collect();
    if style.json {
        return print_json(&json!({ "formats": rows }));
    }
    for format in Catalogue::embedded().notifications() {
        let code = format!("{}/{}", format.code, format.edition);
        print(format_args!(
            "{code:<16} {:<9}  {}",
            format.precedence_default.name(),
            format.title(style.lang)
        ));
    }
}

/// The name of a type, for people.
fn kind_name(kind: &Kind) -> String {
    match kind {
        Kind::Date => "a date, as in 2027-03-15".to_owned(),
        Kind::DateTime => "a moment, as in 2027-03-15T06:00:00Z".to_owned(),
        Kind::Time => "a time of day, as in 06:00".to_owned(),
        Kind::DailyHours => "hours of each day: {\"from\": \"06:00\", \"to\": \"12:00\"}".to_owned(),
        Kind::Bool => "true or false".to_owned(),
        Kind::Uint { min, max } => format!("a whole number from {min} to {max}"),
        Kind::Decimal { scale, .. } => format!("a number with at most {scale} decimals"),
        Kind::Text { max, .. } => format!("text of at most {max} characters"),
        Kind::Choice(choices) => {
            format!(
                "one of {}",
                choices.iter().map(|choice| choice.name.as_str()).collect::<Vec<_>>().join(", ")
            )
        }
        Kind::Code { max } => format!("a code of at most {max} characters"),
        Kind::Post { max } => format!("an office of at most {max} characters"),
        Kind::Point => "a position: [latitude, longitude]".to_owned(),
        Kind::Circle => "a circle: {\"center\": [60.5, -17.9], \"radius\": 40, \"unit\": \"nm\"}".to_owned(),
        Kind::Polygon => "corners: [[60.5, -17.9], …], at least three".to_owned(),
        Kind::Area(shapes) => {
            format!("an area: {}", shapes.iter().map(|shape| shape.name()).collect::<Vec<_>>().join(" or "))
        }
        Kind::OceanQuadrant => "a sector: {\"ocean\": \"atlantic\", \"quadrant\": 1}".to_owned(),
        Kind::Level => "a level, such as head_of_state".to_owned(),
        Kind::Language => "a language: en, zh, ru, fr, ar or es".to_owned(),
        Kind::OneOf(variants) => {
            let names = variants.iter().map(|variant| variant.name.as_str()).collect::<Vec<_>>().join(", ");
            format!("one of several: {names}")
        }
        Kind::List { item, min, max } => format!("a list of {min} to {max}: {}", kind_name(&item.kind)),
        Kind::Record(_) => "fields of its own".to_owned(),
        Kind::Bytes { length } => format!("{length} bytes, hexadecimal"),
        Kind::Reference => "the number of a message, as in ALT/2027/0212".to_owned(),
    }
}

fn show(format: &Format, language: Language) -> Value {
    let fields: Vec<Value> = format.fields.iter().map(|field| field_json(field, language)).collect();
    json!({
        "code": format.code, "edition": format.edition, "number": format.number,
        "title": format.title(language), "regime": format.regime.get(language),
        "article": format.article.get(language),
        "precedence": format.precedence_default.name(),
        "precedences": format.precedence_allowed.iter().map(|allowed| allowed.name()).collect::<Vec<_>>(),
        "fields": fields, "source": format.source, "source_checked": format.source_checked,
    })
}

fn field_json(field: &Field, language: Language) -> Value {
    let mut row = json!({
        "number": field.number, "name": field.name, "required": field.required,
        "label": field.label.get(language), "type": kind_name(&field.kind),
    });
    let inner: Vec<Value> = field.kind.children().iter().map(|field| field_json(field, language)).collect();
    if !inner.is_empty() {
        row["fields"] = Value::Array(inner);
    }
    row
}

fn show_text(format: &Format, language: Language) -> String {
    let mut text = format!(
        "{}/{}  {}\n{}, {}\nPrecedence: {} (allowed: {})\nFields (* must be given):\n",
        format.code,
        format.edition,
        format.title(language),
        format.regime.get(language),
        format.article.get(language),
        format.precedence_default.name(),
        format.precedence_allowed.iter().map(|allowed| allowed.name()).collect::<Vec<_>>().join(", "),
    );
    fields_text(&format.fields, language, "  ", &mut text);
    text.push_str(&format!("Source: {}\n", format.source));
    text
}

fn fields_text(fields: &[Field], language: Language, indent: &str, text: &mut String) {
    for field in fields {
        let star = if field.required { "*" } else { " " };
        text.push_str(&format!(
            "{indent}{:>2}{star} {}: {} ({})\n",
            field.number,
            field.name,
            field.label.get(language),
            kind_name(&field.kind)
        ));
        fields_text(field.kind.children(), language, &format!("{indent}    "), text);
    }
}

/// The faults of a message file as one failure that lists them all.
pub(crate) fn faults_failure(place: &str, faults: &[Fault], language: Language) -> Failure {
    let lines: Vec<String> =
        faults.iter().filter(|fault| fault.refuses()).map(|fault| fault.text(language)).collect();
    match lines.as_slice() {
        [one] => Failure::new(format!("{place}: {one}")),
        _ => Failure::new(format!("{place} has {} faults:\n  {}", lines.len(), lines.join("\n  "))),
    }
}

/// Reads a message file.
pub(crate) fn read_message(file: &Path, language: Language) -> Result<Message, Failure> {
    let text = files::read_text(file, MESSAGE_BYTES_MAX)?;
    Message::from_json(&text, Catalogue::embedded())
        .map_err(|faults| faults_failure(&file.display().to_string(), &faults, language))
}

fn check_file(file: &Path, style: Style) -> Result<Done, Failure> {
    let text = files::read_text(file, MESSAGE_BYTES_MAX)?;
    let faults = match Message::from_json(&text, Catalogue::embedded()) {
        Ok(message) => check(&message, &CheckContext::at(now())),
        Err(faults) => faults,
    };
    let good = !faults.iter().any(Fault::refuses);
    if style.json {
        let rows: Vec<Value> = faults
            .iter()
            .map(|fault| {
                json!({ "path": fault.path, "code": fault.code.name(), "refuses": fault.refuses(),
                    "text": fault.text(style.lang) })
            })
            .collect();
        print_json(&json!({ "good": good, "faults": rows }));
    } else {
        for fault in &faults {
            print(fault.text(style.lang));
        }
        if faults.is_empty() {
            print("no fault");
        }
    }
    Ok(if good { Done::Done } else { Done::Found })
}

/// A draft as its readers will see it.
fn rendered(message: &Message, language: Language) -> String {
    let heading = Heading {
        reference: "-",
        lane: message.lane(),
        from: "-",
        to: &message.envelope.to,
        written_at: now(),
        received_at: None,
    };
    render(message, &heading, language)
}

/// A message file with a value in every field that must be given: shapes to be filled in.
fn template(format: &Format) -> Value {
    json!({
        "precedence": format.precedence_default.name(),
        "exercise": true,
        "subject": format.title(Language::En),
        "notification": {
            "format": format.code, "edition": format.edition, "fields": record(&format.fields),
        },
    })
}

fn record(fields: &[Field]) -> Value {
    let needed = fields.iter().filter(|field| field.required);
    Value::Object(needed.map(|field| (field.name.clone(), sample(field))).collect::<Map<_, _>>())
}

fn sample(field: &Field) -> Value {
    const DAYS_AHEAD_MS: i64 = 7 * 86_400_000;
    let then = Timestamp::from_millis((now().millis() + DAYS_AHEAD_MS) / 86_400_000 * 86_400_000);
    let circle = || json!({ "center": [0, 0], "radius": 1, "unit": "nm" });
    match &field.kind {
        Kind::Date => json!(then.to_string()[..10]),
        Kind::DateTime => json!(then.to_string()),
        Kind::Time => json!("12:00"),
        Kind::DailyHours => json!({ "from": "06:00", "to": "12:00" }),
        Kind::Bool => json!(true),
        Kind::Uint { min, .. } => json!(min),
        Kind::Decimal { min, .. } => json!((*min).max(0)),
        Kind::Text { .. } | Kind::Post { .. } => match field.label.get(Language::En) {
            "" => json!("text"),
            label => json!(label),
        },
        Kind::Choice(choices) => json!(choices.first().map_or("", |choice| &choice.name)),
        Kind::Code { .. } => json!("CODE"),
        Kind::Point => json!([0, 0]),
        Kind::Circle => circle(),
        Kind::Polygon => json!([[0, 0], [0, 1], [1, 1]]),
        Kind::Area(_) => json!({ "circle": circle() }),
        Kind::OceanQuadrant => json!({ "ocean": "atlantic", "quadrant": 1 }),
        Kind::Level => json!("working"),
        Kind::Language => json!("en"),
        Kind::OneOf(variants) => match variants.first() {
            Some(first) => json!({ first.name.as_str(): sample(first) }),
            None => Value::Null,
        },
        Kind::List { item, min, .. } => Value::Array(vec![sample(item); (*min).max(1)]),
        Kind::Record(fields) => record(fields),
        Kind::Bytes { length } => json!("00".repeat(*length)),
        Kind::Reference => json!("ALT/2027/0001"),
    }
}

fn diff(one: &Path, other: &Path, style: Style) -> Result<Done, Failure> {
    let flat = |file: &Path| -> Result<Vec<(String, String)>, Failure> {
        let mut rows = Vec::new();
        flatten("", &read_message(file, style.lang)?.to_json(), &mut rows);
        Ok(rows)
    };
    let (before, after) = (flat(one)?, flat(other)?);
    let value = |rows: &[(String, String)], path: &str| {
        rows.iter().find(|(known, _)| known == path).map(|(_, value)| value.clone())
    };
    let mut paths: Vec<&String> = before.iter().chain(&after).map(|(path, _)| path).collect();
    paths.sort();
    paths.dedup();
    let mut rows = Vec::new();
    for path in paths {
        let (old, new) = (value(&before, path), value(&after, path));
        if old != new {
            rows.push(json!({ "path": path, "one": old, "other": new }));
        }
    }
    let differ = !rows.is_empty();
    answer(style, &json!({ "differences": rows }), |_| {
        let line = |row: &Value| {
            let side = |key: &str| row[key].as_str().unwrap_or("(nothing)").to_owned();
            format!("{}: {} → {}", row["path"].as_str().unwrap_or_default(), side("one"), side("other"))
        };
        if rows.is_empty() {
            return "they say the same".to_owned();
        }
        rows.iter().map(line).collect::<Vec<_>>().join("\n")
    });
    Ok(if differ { Done::Found } else { Done::Done })
}

fn flatten(path: &str, value: &Value, rows: &mut Vec<(String, String)>) {
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, value)| flatten(&below(key), value, rows)),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .for_each(|(index, value)| flatten(&format!("{path}[{}]", index + 1), value, rows)),
        Value::String(text) => rows.push((path.to_owned(), text.clone())),
        other => rows.push((path.to_owned(), other.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_is_a_message_file_of_its_format() {
        for format in Catalogue::embedded().notifications() {
            let text = template(format).to_string();
            let read = Message::from_json(&text, Catalogue::embedded());
            let faults: Vec<_> =
                read.err().unwrap_or_default().iter().map(|fault| fault.text(Language::En)).collect();
            assert_eq!(faults, Vec::<String>::new(), "{}: {text}", format.code);
        }
    }
}
