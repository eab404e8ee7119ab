//! The parts of a statement that a message fills, and back.
//!
//! Body and extras are deterministic CBOR; the same message always gives the same bytes. Whoever
//! builds the statement turns the citations into references with log, index and hash, and gives
//! them back as citations when decoding. Source: `spec/formats.md`.

use core::fmt;

use detente_encoding::cbor::Value;

use super::{Content, Filled, Message, Note};
use crate::catalogue::Catalogue;
use crate::fault::{FaultCode, Faults};
use crate::format::ContentKind;
use crate::language::Language;
use crate::terms::Precedence;
use crate::value::wire::{decode_record, encode_record};

/// Number that stands for a note where others have the number of a format.
pub const NOTE_FORMAT: u16 = 0;

// Keys of the extras.
const SUBJECT: u64 = 1;
const TO: u64 = 2;
const ANSWER_BY: u64 = 3;
const LANGUAGE: u64 = 4;
const REMARKS: u64 = 5;
const CONFIDENTIAL: u64 = 6;
const SUPERSEDES: u64 = 7;

/// What of a message stands in its statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// Precedence.
    pub precedence: Precedence,
    /// Number of the format; [`NOTE_FORMAT`] for a note.
    pub format: u16,
    /// Edition of the format; 1 for a note.
    pub edition: u16,
    /// The fields: one array.
    pub body: Value,
    /// What the envelope adds: a map with small keys, or null when it adds nothing (one byte).
    pub extras: Value,
    /// Numbers of the messages referred to, in order. When the extras say so, the last is the
    /// message that this one replaces.
    pub references: Vec<String>,
}

/// Why the parts of a statement are no message.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// A format or edition that this catalogue does not have: not yet understood. Read it again
    /// after an upgrade.
    PeerUnknownFormat {
        /// Number of the format.
        format: u16,
        /// Its edition.
        edition: u16,
    },
    /// A value that has not the type of its field, at this path. The message breaks its format.
    PeerType(String),
    /// A value outside its bounds, at this path.
    PeerBounds(String, FaultCode),
    /// The same values have another, shorter encoding.
    PeerNotCanonical,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PeerUnknownFormat { format, edition } => {
                write!(f, "format {format} in edition {edition} is not in this catalogue")
            }
            Self::PeerType(path) => write!(f, "{path} has not the type of its field"),
            Self::PeerBounds(path, code) => write!(f, "{path} breaks its bounds ({})", code.name()),
            Self::PeerNotCanonical => f.write_str("the body is not in its shortest form"),
        }
    }
}

impl core::error::Error for DecodeError {}

impl Message {
    /// The parts that stand in a statement.
    #[must_use]
    pub fn encode(&self) -> Encoded {
        let (format, edition, body) = match &self.content {
            Content::Note(note) => {
                let language = Value::from(u64::from(note.language.number()));
                (NOTE_FORMAT, 1, Value::Array(vec![language, Value::text(&note.text)]))
            }
            Content::Notification(filled) | Content::Dialogue(filled) | Content::Declaration(filled) => (
                filled.format.number,
                filled.format.edition,
                encode_record(&filled.format.fields, &filled.values),
            ),
        };
        let references = self.refs.iter().chain(&self.supersedes).cloned().collect();
        Encoded { precedence: self.precedence, format, edition, body, extras: self.extras(), references }
    }

    fn extras(&self) -> Value {
        let mut pairs = Vec::new();
        let mut put = |key: u64, value: Value| pairs.push((Value::from(key), value));
        if let Some(subject) = &self.subject {
            put(SUBJECT, Value::text(subject));
        }
        if !self.to.is_empty() {
            put(TO, Value::Array(self.to.iter().map(|code| Value::text(code)).collect()));
        }
        if let Some(seconds) = self.answer_by {
            put(ANSWER_BY, Value::from(seconds));
        }
        if let Some(language) = self.language {
            put(LANGUAGE, Value::from(u64::from(language.number())));
        }
        if let Some(remarks) = &self.remarks {
            put(REMARKS, Value::text(remarks));
        }
        if self.confidential {
            put(CONFIDENTIAL, Value::Bool(true));
        }
        if self.supersedes.is_some() {
            put(SUPERSEDES, Value::Bool(true));
        }
        if pairs.is_empty() { Value::Null } else { Value::map(pairs) }
    }

    /// The message that a statement holds. `exercise` is whether it stands in the exercise lane.
    ///
    /// Texts are taken as they are: what a drafter here could not have written is made visible when
    /// it is shown. Types and bounds must hold.
    ///
    /// # Errors
    /// A [`DecodeError`]; an unknown format or edition is apart, for it says nothing against the
    /// peer.
    pub fn decode(encoded: &Encoded, exercise: bool, catalogue: &Catalogue) -> Result<Self, DecodeError> {
        let content = decode_content(encoded, catalogue)?;
        let mut message = Self {
            precedence: encoded.precedence,
            exercise,
            subject: None,
            to: Vec::new(),
            refs: encoded.references.clone(),
            answer_by: None,
            language: None,
            remarks: None,
            confidential: false,
            supersedes: None,
            attachments: Vec::new(),
            content,
        };
        message.take_extras(&encoded.extras)?;
        message.within_bounds()?;
        let again = message.encode();
        if again.body != encoded.body || again.extras != encoded.extras {
            return Err(DecodeError::PeerNotCanonical);
        }
        Ok(message)
    }

    fn take_extras(&mut self, extras: &Value) -> Result<(), DecodeError> {
        let pairs = match extras {
            Value::Null => return Ok(()),
            Value::Map(pairs) => pairs,
            _ => return Err(DecodeError::PeerType("extras".to_owned())),
        };
        for (key, value) in pairs {
            let key = key.as_u64().unwrap_or(0);
            self.take_extra(key, value).ok_or_else(|| DecodeError::PeerType(format!("extras.{key}")))?;
        }
        Ok(())
    }

    fn take_extra(&mut self, key: u64, value: &Value) -> Option<()> {
        match key {
            SUBJECT => self.subject = Some(value.as_text()?.to_owned()),
            TO => {
                let codes = value.as_array()?.iter().map(|code| code.as_text().map(str::to_owned));
                self.to = codes.collect::<Option<_>>()?;
            }
            ANSWER_BY => self.answer_by = Some(value.as_i64()?),
            LANGUAGE => self.language = Some(Language::from_number(value.as_u64()?)?),
            REMARKS => self.remarks = Some(value.as_text()?.to_owned()),
            CONFIDENTIAL => self.confidential = value.as_bool().filter(|flag| *flag)?,
            SUPERSEDES => {
                value.as_bool().filter(|flag| *flag)?;
                self.supersedes = Some(self.refs.pop()?);
            }
            _ => return None,
        }
        Some(())
    }

    /// Bounds as for files; faults of spelling are for drafters and do not count here, nor do
    /// citations, which are labels that the record gives.
    fn within_bounds(&self) -> Result<(), DecodeError> {
        let mut faults = Faults::default();
        self.own_faults(&mut faults);
        let spelling = [
            FaultCode::NotNfc,
            FaultCode::Bidi,
            FaultCode::Invisible,
            FaultCode::Control,
            FaultCode::ExerciseMark,
            FaultCode::MixedDigits,
        ];
        let is_label = |path: &str| path.starts_with("refs") || path == "supersedes";
        match faults.into_vec().into_iter().find(|f| !spelling.contains(&f.code) && !is_label(&f.path)) {
            None => Ok(()),
            Some(fault) => Err(DecodeError::PeerBounds(fault.path, fault.code)),
        }
    }
}

fn decode_content(encoded: &Encoded, catalogue: &Catalogue) -> Result<Content, DecodeError> {
    let (number, edition) = (encoded.format, encoded.edition);
    let unknown = DecodeError::PeerUnknownFormat { format: number, edition };
    if number == NOTE_FORMAT {
        return if edition == 1 { decode_note(&encoded.body) } else { Err(unknown) };
    }
    let format = catalogue.edition(number, edition).cloned().ok_or(unknown)?;
    let (path, make): (_, fn(Filled) -> Content) = match format.kind {
        ContentKind::Notification => ("notification.fields", Content::Notification),
        ContentKind::Dialogue => ("dialogue", Content::Dialogue),
        ContentKind::Declaration => ("declaration", Content::Declaration),
    };
    let values = decode_record(&format.fields, &encoded.body, path).map_err(DecodeError::PeerType)?;
    Ok(make(Filled { format, values }))
}

fn decode_note(body: &Value) -> Result<Content, DecodeError> {
    let wrong = || DecodeError::PeerType("note".to_owned());
    let Some([language, text]) = body.as_array() else { return Err(wrong()) };
    let language = language.as_u64().and_then(Language::from_number).ok_or_else(wrong)?;
    let text = text.as_text().ok_or_else(wrong)?.to_owned();
    Ok(Content::Note(Note { language, text }))
}
