//! A message: what one side's people tell the other's, with its envelope.
//!
//! [`Message::from_json`] reads the message file and lists every fault at once; [`Message::encode`]
//! gives the body that a statement holds, and [`Message::decode`] takes it back. The envelope is
//! written by whoever builds the statement: it alone can turn party codes into indexes and the
//! numbers of messages into hashes.
//!
//! A file's values are parsed into types that cannot be wrong in shape. Whether they make sense
//! together, and in time, is asked of [`check`](crate::check::check).

mod file;
mod strict;
mod wire;

use std::sync::Arc;

pub use file::MESSAGE_FILE_BYTES_MAX;
pub use wire::{DecodeError, Encoded, MessageKind};

use crate::fault::{Arg, Fault, FaultCode, Faults};
use crate::format::{Field, Format, Kind};
use crate::language::Language;
use crate::terms::{Lane, Precedence};
use crate::text;
use crate::value::bounds::{check_record, is_citation};
use crate::value::{FieldValue, at_path};

/// Characters of a subject.
pub const SUBJECT_CHARS_MAX: usize = 120;
/// Characters of remarks.
pub const REMARKS_CHARS_MAX: usize = 2000;
/// Characters of a note. Longer texts are attachments.
pub const NOTE_CHARS_MAX: usize = 16_000;
/// Addressees, references and attachments: at most so many each.
pub const LIST_MAX: usize = 16;

/// A message, as drafted or as received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// What stands around it.
    pub envelope: Envelope,
    /// What it says.
    pub content: Content,
}

/// What stands around the content of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// How urgent it is.
    pub precedence: Precedence,
    /// Whether it belongs to a drill. Not on the wire: the lane says it.
    pub exercise: bool,
    /// Subject, one line.
    pub subject: Option<String>,
    /// Codes of the addressees; empty for every other party of the channel.
    pub to: Vec<String>,
    /// Numbers of earlier messages it refers to.
    pub refs: Vec<String>,
    /// When an answer is asked for, in seconds since 1970 UTC.
    pub answer_by: Option<i64>,
    /// Language of its free texts.
    pub language: Option<Language>,
    /// Free remarks; may have several lines.
    pub remarks: Option<String>,
    /// Whether its parties agreed not to publish it.
    pub confidential: bool,
    /// Number of the message that it replaces.
    pub supersedes: Option<String>,
    /// Paths of files to attach; of a received message empty, for its statement names blobs.
    pub attachments: Vec<String>,
}

impl Envelope {
    /// An envelope that says nothing but the precedence.
    #[must_use]
    pub const fn new(precedence: Precedence) -> Self {
        Self {
            precedence,
            exercise: false,
            subject: None,
            to: Vec::new(),
            refs: Vec::new(),
            answer_by: None,
            language: None,
            remarks: None,
            confidential: false,
            supersedes: None,
            attachments: Vec::new(),
        }
    }
}

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A notification of a format.
    Notification(Filled),
    /// Free text in a declared language.
    Note(Note),
    /// A proposal to talk.
    Dialogue(Filled),
    /// Forces against agreed limits.
    Declaration(Filled),
}

/// Free text in a declared language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Its language.
    pub language: Language,
    /// The text; may have several lines.
    pub text: String,
}

/// A format with the values of its fields, by position.
#[derive(Clone, Debug)]
pub struct Filled {
    /// The format, in the edition that the message names.
    pub format: Arc<Format>,
    /// One value a field; `None` where nothing is given.
    pub values: Vec<Option<FieldValue>>,
}

impl PartialEq for Filled {
    fn eq(&self, other: &Self) -> bool {
        (self.format.number, self.format.edition, &self.values)
            == (other.format.number, other.format.edition, &other.values)
    }
}

impl Eq for Filled {}

impl Filled {
    /// Everything that stands at a path such as `per_type.deployed`, through lists and records.
    #[must_use]
    pub fn at(&self, path: &str) -> Vec<(&Field, &FieldValue)> {
        at_path(&self.format.fields, &self.values, path)
    }
}

impl Message {
    /// The format and values, if the content has a format.
    #[must_use]
    pub fn filled(&self) -> Option<&Filled> {
        match &self.content {
            Content::Notification(filled) | Content::Dialogue(filled) | Content::Declaration(filled) => {
                Some(filled)
            }
            Content::Note(_) => None,
        }
    }

    /// The path of the fields in the message file, for faults.
    pub(crate) fn fields_path(&self) -> &'static str {
        match self.content {
            Content::Notification(_) => "notification.fields",
            Content::Note(_) => "note",
            Content::Dialogue(_) => "dialogue",
            Content::Declaration(_) => "declaration",
        }
    }

    /// The lane it goes to.
    #[must_use]
    pub fn lane(&self) -> Lane {
        self.envelope.precedence.lane(self.envelope.exercise)
    }

    /// The language of its free texts: declared, or the note's.
    #[must_use]
    pub fn original_language(&self) -> Option<Language> {
        match &self.content {
            Content::Note(note) => Some(note.language),
            _ => self.envelope.language,
        }
    }

    /// Everything that is wrong with the message by itself: bounds and texts.
    pub(crate) fn own_faults(&self, faults: &mut Faults) {
        self.envelope_faults(faults);
        self.content_faults(faults);
        self.text_faults(faults);
    }

    /// Values of the content outside their bounds.
    fn content_faults(&self, faults: &mut Faults) {
        if let Content::Note(note) = &self.content {
            check_text(&note.text, "note.text", NOTE_CHARS_MAX, faults);
        } else if let Some(filled) = self.filled() {
            check_record(&filled.format.fields, &filled.values, self.fields_path(), faults);
        }
    }

    fn envelope_faults(&self, faults: &mut Faults) {
        if let Some(subject) = &self.envelope.subject {
            check_text(subject, "subject", SUBJECT_CHARS_MAX, faults);
        }
        if let Some(remarks) = &self.envelope.remarks {
            check_text(remarks, "remarks", REMARKS_CHARS_MAX, faults);
        }
        let lists = [
            ("to", &self.envelope.to),
            ("refs", &self.envelope.refs),
            ("attachments", &self.envelope.attachments),
        ];
        for (path, list) in lists {
            if list.len() > LIST_MAX {
                let fault = Fault::new(path, FaultCode::Count).with(Arg::Number(0));
                faults.add(fault.with(Arg::Number(LIST_MAX as u64)));
            }
        }
        for (index, code) in self.envelope.to.iter().enumerate() {
            let known = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-';
            if !(2..=12).contains(&code.len()) || !code.chars().all(known) {
                faults.add(Fault::new(format!("to[{}]", index + 1), FaultCode::BadCode));
            }
        }
        for (index, citation) in self.envelope.refs.iter().enumerate() {
            if !is_citation(citation) {
                faults.add(Fault::new(format!("refs[{}]", index + 1), FaultCode::BadReference));
            }
        }
        if self.envelope.supersedes.as_deref().is_some_and(|citation| !is_citation(citation)) {
            faults.add(Fault::new("supersedes", FaultCode::BadReference));
        }
    }

    /// Faults of texts that only a drafter can mend; on receipt they are shown, never refused.
    fn text_faults(&self, faults: &mut Faults) {
        let mut systems = 0;
        let mut last = String::new();
        self.each_text(&mut |path, text, lines| {
            for code in text::faults(text, lines) {
                faults.add(Fault::new(path, code));
            }
            if let Some(word) = text::mixed_word(text) {
                faults.add(Fault::new(path, FaultCode::MixedScript).with(Arg::text(word)).warning());
            }
            let before = systems;
            systems |= text::digit_systems(text);
            if systems != before {
                path.clone_into(&mut last);
            }
        });
        if systems.count_ones() > 1 {
            faults.add(Fault::new(last, FaultCode::MixedDigits));
        }
    }

    /// Calls `each` with path, text and whether lines may break, for every free text.
    fn each_text(&self, each: &mut dyn FnMut(&str, &str, bool)) {
        if let Some(subject) = &self.envelope.subject {
            each("subject", subject, false);
        }
        if let Some(remarks) = &self.envelope.remarks {
            each("remarks", remarks, true);
        }
        match &self.content {
            Content::Note(note) => each("note.text", &note.text, true),
            _ => {
                if let Some(filled) = self.filled() {
                    record_texts(&filled.format.fields, &filled.values, self.fields_path(), each);
                }
            }
        }
    }
}

fn check_text(text: &str, path: &str, chars_max: usize, faults: &mut Faults) {
    if text.trim().is_empty() {
        faults.add(Fault::new(path, FaultCode::Empty));
    }
    if text.chars().count() > chars_max {
        faults.add(Fault::new(path, FaultCode::TooLong).with(Arg::Number(chars_max as u64)));
    }
}

fn record_texts(
    fields: &[Field],
    values: &[Option<FieldValue>],
    path: &str,
    each: &mut dyn FnMut(&str, &str, bool),
) {
    for (field, value) in fields.iter().zip(values) {
        if let Some(value) = value {
            value_texts(field, value, &crate::value::json::join(path, &field.name), each);
        }
    }
}

fn value_texts(field: &Field, value: &FieldValue, path: &str, each: &mut dyn FnMut(&str, &str, bool)) {
    match (&field.kind, value) {
        (Kind::Text { lines, .. }, FieldValue::Text(text)) => each(path, text, *lines),
        (_, FieldValue::Text(text)) => each(path, text, false),
        (Kind::Record(fields), FieldValue::Record(values)) => record_texts(fields, values, path, each),
        (Kind::List { item, .. }, FieldValue::List(values)) => {
            for (index, value) in values.iter().enumerate() {
                value_texts(item, value, &format!("{path}[{}]", index + 1), each);
            }
        }
        (Kind::OneOf(variants), FieldValue::OneOf(number, inner)) => {
            if let Some(variant) = variants.iter().find(|variant| variant.number == *number) {
                value_texts(variant, inner, &crate::value::json::join(path, &variant.name), each);
            }
        }
        _ => {}
    }
}
