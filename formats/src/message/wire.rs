//! The body of a statement, from a message and back.
//!
//! The body is deterministic CBOR; the same content always gives the same bytes. A notification
//! names its format and edition beside its body; a note, dialogue or declaration has none there, so
//! the latter two begin with the edition of their fields. Source: `spec/formats.md`.

use core::fmt;

use detente_encoding::cbor::Value;

use super::{Content, Envelope, Filled, Message, Note};
use crate::catalogue::Catalogue;
use crate::fault::{FaultCode, Faults};
use crate::format::ContentKind;
use crate::language::Language;
use crate::value::wire::{decode_record, encode_record};

/// What kind of message a statement holds. Numbers are those of `spec/entry.md`, section 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MessageKind {
    /// A notification of a format.
    Notification = 0,
    /// Free text.
    Note = 1,
    /// A proposal to talk.
    Dialogue = 2,
    /// Forces against agreed limits.
    Declaration = 3,
}

/// The content of a message as it stands in a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// Kind of message.
    pub kind: MessageKind,
    /// Number and edition of the format; `None` for all but notifications.
    pub format: Option<(u16, u16)>,
    /// The fields, or language and text of a note: one array.
    pub body: Value,
}

/// Why a body is no message.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// A format or edition that this catalogue does not have: not yet understood. Read it again
    /// after an upgrade.
    PeerUnknownFormat {
        /// Number of the format; that of the reserved one for dialogue and declaration.
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
    /// The content as it stands in a statement.
    #[must_use]
    pub fn encode(&self) -> Encoded {
        match &self.content {
            Content::Note(note) => {
                let language = Value::text(note.language.code());
                let body = Value::Array(vec![language, Value::text(&note.text)]);
                Encoded { kind: MessageKind::Note, format: None, body }
            }
            Content::Notification(filled) => Encoded {
                kind: MessageKind::Notification,
                format: Some((filled.format.number, filled.format.edition)),
                body: encode_record(&filled.format.fields, &filled.values),
            },
            Content::Dialogue(filled) => with_edition(MessageKind::Dialogue, filled),
            Content::Declaration(filled) => with_edition(MessageKind::Declaration, filled),
        }
    }

    /// The message that a statement holds, with the envelope that its reader gives.
    ///
    /// Texts are taken as they are: what a drafter here could not have written is made visible when
    /// it is shown. Types and bounds of the content must hold; of the envelope nothing is asked, for
    /// it was judged with the statement.
    ///
    /// # Errors
    /// A [`DecodeError`]; an unknown format or edition is apart, for it says nothing against the
    /// peer.
    pub fn decode(envelope: Envelope, encoded: &Encoded, catalogue: &Catalogue) -> Result<Self, DecodeError> {
        let message = Self { content: decode_content(encoded, catalogue)?, envelope };
        message.within_bounds()?;
        if message.encode() != *encoded {
            return Err(DecodeError::PeerNotCanonical);
        }
        Ok(message)
    }

    /// Bounds as for files; faults of spelling are for drafters and do not count here.
    fn within_bounds(&self) -> Result<(), DecodeError> {
        let mut faults = Faults::default();
        self.content_faults(&mut faults);
        match faults.into_vec().into_iter().next() {
            None => Ok(()),
            Some(fault) => Err(DecodeError::PeerBounds(fault.path, fault.code)),
        }
    }
}

/// A dialogue or declaration: its edition, then its fields.
fn with_edition(kind: MessageKind, filled: &Filled) -> Encoded {
    let mut items = vec![Value::from(u64::from(filled.format.edition))];
    if let Value::Array(fields) = encode_record(&filled.format.fields, &filled.values) {
        items.extend(fields);
    }
    Encoded { kind, format: None, body: Value::Array(items) }
}

fn decode_content(encoded: &Encoded, catalogue: &Catalogue) -> Result<Content, DecodeError> {
    match (encoded.kind, encoded.format) {
        (MessageKind::Notification, Some((number, edition))) => {
            let unknown = DecodeError::PeerUnknownFormat { format: number, edition };
            let known = catalogue.edition(number, edition).filter(|f| f.kind == ContentKind::Notification);
            let format = known.cloned().ok_or(unknown)?;
            let values = decode_record(&format.fields, &encoded.body, "notification.fields");
            let values = values.map_err(DecodeError::PeerType)?;
            Ok(Content::Notification(Filled { format, values }))
        }
        (MessageKind::Note, None) => decode_note(&encoded.body),
        (MessageKind::Dialogue, None) => {
            decode_reserved(ContentKind::Dialogue, "dialogue", &encoded.body, catalogue)
                .map(Content::Dialogue)
        }
        (MessageKind::Declaration, None) => {
            decode_reserved(ContentKind::Declaration, "declaration", &encoded.body, catalogue)
                .map(Content::Declaration)
        }
        _ => Err(DecodeError::PeerType("format".to_owned())),
    }
}

fn decode_reserved(
    kind: ContentKind,
    path: &str,
    body: &Value,
    catalogue: &Catalogue,
) -> Result<Filled, DecodeError> {
    let wrong = || DecodeError::PeerType(path.to_owned());
    let (edition, fields) = body.as_array().and_then(<[Value]>::split_first).ok_or_else(wrong)?;
    let edition = edition.as_u64().and_then(|n| u16::try_from(n).ok()).ok_or_else(wrong)?;
    let newest = catalogue.reserved(kind).ok_or_else(wrong)?;
    let unknown = DecodeError::PeerUnknownFormat { format: newest.number, edition };
    let format = catalogue.edition(newest.number, edition).cloned().ok_or(unknown)?;
    let values = decode_record(&format.fields, &Value::Array(fields.to_vec()), path);
    Ok(Filled { values: values.map_err(DecodeError::PeerType)?, format })
}

fn decode_note(body: &Value) -> Result<Content, DecodeError> {
    let wrong = || DecodeError::PeerType("note".to_owned());
    let Some([language, text]) = body.as_array() else { return Err(wrong()) };
    let language = language.as_text().and_then(Language::from_code).ok_or_else(wrong)?;
    let text = text.as_text().ok_or_else(wrong)?.to_owned();
    Ok(Content::Note(Note { language, text }))
}
