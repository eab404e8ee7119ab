//! The message file: read strictly, with every fault at once; written so that it reads back the same.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{Content, Envelope, Filled, Message, Note, strict};
use crate::catalogue::Catalogue;
use crate::fault::{Arg, Fault, FaultCode, Faults};
use crate::format::{ContentKind, Format};
use crate::language::Language;
use crate::terms::Precedence;
use crate::value::file::{moment_text, write_record};
use crate::value::json::{read_moment, read_record};

/// Largest message file that is read: 256 KiB. Longer texts are attachments.
pub const MESSAGE_FILE_BYTES_MAX: usize = 256 * 1024;

const ENVELOPE_KEYS: [&str; 11] = [
    "precedence",
    "exercise",
    "subject",
    "to",
    "refs",
    "answer_by",
    "language",
    "remarks",
    "confidential",
    "supersedes",
    "attachments",
];
const CONTENT_KEYS: [&str; 4] = ["notification", "note", "dialogue", "declaration"];

impl Message {
    /// Reads a message file.
    ///
    /// # Errors
    /// Every fault of shape, type, bound and text that the file has, each with its path. Rules over
    /// several fields, limits of time and warnings are asked of [`check`](crate::check::check)
    /// afterwards.
    pub fn from_json(text: &str, catalogue: &Catalogue) -> Result<Self, Vec<Fault>> {
        let mut faults = Faults::default();
        let message = read(text, catalogue, &mut faults);
        if let Some(message) = &message {
            message.own_faults(&mut faults);
        }
        match message {
            Some(message) if !faults.refuse() => Ok(message),
            _ => Err(faults.into_vec()),
        }
    }

    /// Writes the message file: keys without value are left out.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut file = Map::new();
        let mut put = |key: &str, value: Value| {
            file.insert(key.to_owned(), value);
        };
        put("precedence", json!(self.envelope.precedence.name()));
        put("exercise", json!(self.envelope.exercise));
        if let Some(subject) = &self.envelope.subject {
            put("subject", json!(subject));
        }
        for (key, list) in [
            ("to", &self.envelope.to),
            ("refs", &self.envelope.refs),
            ("attachments", &self.envelope.attachments),
        ] {
            if !list.is_empty() {
                put(key, json!(list));
            }
        }
        if let Some(seconds) = self.envelope.answer_by {
            put("answer_by", json!(moment_text(seconds)));
        }
        if let Some(language) = self.envelope.language {
            put("language", json!(language.code()));
        }
        if let Some(remarks) = &self.envelope.remarks {
            put("remarks", json!(remarks));
        }
        if self.envelope.confidential {
            put("confidential", json!(true));
        }
        if let Some(citation) = &self.envelope.supersedes {
            put("supersedes", json!(citation));
        }
        let (key, content) = self.content_json();
        put(key, content);
        Value::Object(file)
    }

    fn content_json(&self) -> (&'static str, Value) {
        let fields = |filled: &Filled| Value::Object(write_record(&filled.format.fields, &filled.values));
        match &self.content {
            Content::Notification(filled) => (
                "notification",
                json!({
                    "format": filled.format.code,
                    "edition": filled.format.edition,
                    "fields": fields(filled),
                }),
            ),
            Content::Note(note) => ("note", json!({"lang": note.language.code(), "text": note.text})),
            Content::Dialogue(filled) => ("dialogue", fields(filled)),
            Content::Declaration(filled) => ("declaration", fields(filled)),
        }
    }
}

fn read(text: &str, catalogue: &Catalogue, faults: &mut Faults) -> Option<Message> {
    if text.len() > MESSAGE_FILE_BYTES_MAX {
        faults.add(Fault::new("", FaultCode::TooLarge).with(Arg::Number(MESSAGE_FILE_BYTES_MAX as u64)));
        return None;
    }
    let (value, twice) = match strict::parse(text) {
        Ok(read) => read,
        Err(error) => {
            faults.add(Fault::new("", FaultCode::Syntax).with(Arg::text(error.to_string())));
            return None;
        }
    };
    for path in twice {
        faults.add(Fault::new(path, FaultCode::DuplicateKey));
    }
    let Value::Object(file) = value else {
        faults.add(Fault::new("", FaultCode::WrongType).with(Arg::Word("expect.message")));
        return None;
    };
    let known = ENVELOPE_KEYS.iter().chain(&CONTENT_KEYS);
    for key in file.keys().filter(|key| !known.clone().any(|known| known == key)) {
        let names = known.clone().copied().collect::<Vec<_>>().join(", ");
        faults.add(Fault::new(key.as_str(), FaultCode::UnknownKey).with(Arg::text(names)));
    }
    let content = read_content(&file, catalogue, faults);
    let mut envelope = EnvelopeReader { file: &file, faults };
    // Every part of the envelope is read before content decides, so that all faults are listed.
    let precedence = envelope.precedence();
    let exercise = envelope.flag("exercise");
    let subject = envelope.text("subject");
    let (to, refs, attachments) =
        (envelope.texts("to"), envelope.texts("refs"), envelope.texts("attachments"));
    let answer_by = envelope.moment("answer_by");
    let language = envelope.language("language");
    let remarks = envelope.text("remarks");
    let confidential = envelope.flag("confidential");
    let supersedes = envelope.text("supersedes");
    let content = content?;
    let default = match &content {
        Content::Note(_) => Precedence::Routine,
        Content::Notification(filled) | Content::Dialogue(filled) | Content::Declaration(filled) => {
            filled.format.precedence_default
        }
    };
    let envelope = Envelope {
        precedence: precedence.unwrap_or(default),
        exercise,
        subject,
        to,
        refs,
        answer_by,
        language,
        remarks,
        confidential,
        supersedes,
        attachments,
    };
    Some(Message { envelope, content })
}

/// The envelope keys of a message file, each read with its own fault.
struct EnvelopeReader<'a> {
    file: &'a Map<String, Value>,
    faults: &'a mut Faults,
}

impl EnvelopeReader<'_> {
    fn given(&self, key: &str) -> Option<&Value> {
        self.file.get(key).filter(|value| !value.is_null())
    }

    fn wrong(&mut self, key: &str, expected: &'static str) {
        self.faults.add(Fault::new(key, FaultCode::WrongType).with(Arg::Word(expected)));
    }

    fn text(&mut self, key: &str) -> Option<String> {
        match self.given(key)? {
            Value::String(text) => return Some(text.clone()),
            _ => self.wrong(key, "expect.text"),
        }
        None
    }

    fn flag(&mut self, key: &str) -> bool {
        match self.given(key) {
            None => false,
            Some(Value::Bool(flag)) => *flag,
            Some(_) => {
                self.wrong(key, "expect.bool");
                false
            }
        }
    }

    fn texts(&mut self, key: &str) -> Vec<String> {
        let Some(value) = self.given(key) else { return Vec::new() };
        let texts = value.as_array().and_then(|items| {
            items.iter().map(|item| item.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
        });
        if texts.is_none() {
            self.wrong(key, "expect.texts");
        }
        texts.unwrap_or_default()
    }

    fn moment(&mut self, key: &str) -> Option<i64> {
        let text = self.text(key)?;
        match read_moment(&text) {
            Ok(seconds) => Some(seconds),
            Err(code) => {
                self.faults.add(Fault::new(key, code));
                None
            }
        }
    }

    fn language(&mut self, key: &str) -> Option<Language> {
        let code = self.text(key)?;
        let language = Language::from_code(&code);
        if language.is_none() {
            let codes = Language::ALL.map(Language::code).join(", ");
            self.faults.add(Fault::new(key, FaultCode::NotOneOf).with(Arg::text(codes)));
        }
        language
    }

    fn precedence(&mut self) -> Option<Precedence> {
        let name = self.text("precedence")?;
        let precedence = Precedence::from_name(&name);
        if precedence.is_none() {
            let names = Precedence::ALL.iter().map(|known| known.name()).collect::<Vec<_>>().join(", ");
            self.faults.add(Fault::new("precedence", FaultCode::NotOneOf).with(Arg::text(names)));
        }
        precedence
    }
}

fn read_content(file: &Map<String, Value>, catalogue: &Catalogue, faults: &mut Faults) -> Option<Content> {
    let given: Vec<&str> = CONTENT_KEYS.into_iter().filter(|key| file.contains_key(*key)).collect();
    if given.len() != 1 {
        faults.add(Fault::new("", FaultCode::OneContent).with(Arg::text(CONTENT_KEYS.join(", "))));
    }
    let mut read = None;
    for key in given {
        let Value::Object(object) = &file[key] else {
            faults.add(Fault::new(key, FaultCode::WrongType).with(Arg::Word("expect.record")));
            continue;
        };
        let content = match key {
            "notification" => read_notification(object, catalogue, faults),
            "note" => read_note(object, faults),
            "dialogue" => read_reserved(ContentKind::Dialogue, key, object, catalogue, faults),
            _ => read_reserved(ContentKind::Declaration, key, object, catalogue, faults),
        };
        read = read.or(content);
    }
    read
}

fn unknown_keys(object: &Map<String, Value>, known: &[&str], path: &str, faults: &mut Faults) {
    for key in object.keys().filter(|key| !known.contains(&key.as_str())) {
        let fault = Fault::new(format!("{path}.{key}"), FaultCode::UnknownKey);
        faults.add(fault.with(Arg::text(known.join(", "))));
    }
}

fn read_notification(
    object: &Map<String, Value>,
    catalogue: &Catalogue,
    faults: &mut Faults,
) -> Option<Content> {
    unknown_keys(object, &["format", "edition", "fields"], "notification", faults);
    let format = find_format(object, catalogue, faults);
    let fields = match object.get("fields") {
        Some(Value::Object(fields)) => Some(fields),
        None | Some(Value::Null) => {
            let fault = Fault::new("notification.fields", FaultCode::Missing);
            faults.add(fault.with(Arg::Word("expect.record")));
            None
        }
        Some(_) => {
            let fault = Fault::new("notification.fields", FaultCode::WrongType);
            faults.add(fault.with(Arg::Word("expect.record")));
            None
        }
    };
    let (format, fields) = (format?, fields?);
    let values = read_record(&format.fields, fields, "notification.fields", faults);
    Some(Content::Notification(Filled { format, values }))
}

fn find_format(
    object: &Map<String, Value>,
    catalogue: &Catalogue,
    faults: &mut Faults,
) -> Option<Arc<Format>> {
    let path = "notification.format";
    let Some(code) = object.get("format").and_then(Value::as_str) else {
        let code = if object.contains_key("format") { FaultCode::WrongType } else { FaultCode::Missing };
        faults.add(Fault::new(path, code).with(Arg::Word("expect.format")));
        return None;
    };
    let Some(newest) = catalogue.format(code).filter(|format| format.kind == ContentKind::Notification)
    else {
        let codes = catalogue.codes().collect::<Vec<_>>().join(", ");
        faults.add(Fault::new(path, FaultCode::UnknownFormat).with(Arg::text(code)).with(Arg::text(codes)));
        return None;
    };
    let edition = match object.get("edition") {
        None | Some(Value::Null) => return Some(newest.clone()),
        Some(edition) => edition.as_u64().and_then(|edition| u16::try_from(edition).ok()),
    };
    let found = edition.and_then(|edition| catalogue.edition(newest.number, edition));
    if found.is_none() {
        let fault = Fault::new("notification.edition", FaultCode::UnknownEdition).with(Arg::text(code));
        faults.add(fault.with(Arg::Number(u64::from(newest.edition))));
    }
    found.cloned()
}

fn read_note(object: &Map<String, Value>, faults: &mut Faults) -> Option<Content> {
    unknown_keys(object, &["lang", "text"], "note", faults);
    let language = object.get("lang").and_then(Value::as_str).and_then(Language::from_code);
    if language.is_none() {
        let code = if object.contains_key("lang") { FaultCode::NotOneOf } else { FaultCode::Missing };
        faults
            .add(Fault::new("note.lang", code).with(Arg::text(Language::ALL.map(Language::code).join(", "))));
    }
    let text = object.get("text").and_then(Value::as_str);
    if text.is_none() {
        let code = if object.contains_key("text") { FaultCode::WrongType } else { FaultCode::Missing };
        faults.add(Fault::new("note.text", code).with(Arg::Word("expect.text")));
    }
    Some(Content::Note(Note { language: language?, text: text?.to_owned() }))
}

/// A dialogue or declaration: its fields stand directly under the key.
fn read_reserved(
    kind: ContentKind,
    path: &str,
    object: &Map<String, Value>,
    catalogue: &Catalogue,
    faults: &mut Faults,
) -> Option<Content> {
    let Some(format) = catalogue.reserved(kind).cloned() else {
        faults.add(Fault::new(path, FaultCode::UnknownFormat).with(Arg::text(path)).with(Arg::text("")));
        return None;
    };
    let values = read_record(&format.fields, object, path, faults);
    let filled = Filled { format, values };
    Some(if kind == ContentKind::Dialogue { Content::Dialogue(filled) } else { Content::Declaration(filled) })
}
