//! A format: the agreed, numbered list of fields of one notification, with its rules.
//!
//! One TOML file a format, in `data/`; [`parse`](Format::parse) reads it and refuses what it does
//! not know. Nothing here knows any format by name: all that is special about one stands in its file.

mod fields;
mod file;
mod rule;
mod rules;
mod section;

pub use file::FormatError;
pub use rule::{Limit, LimitFrom, LimitUnit, Rule, Side, Validity};

use crate::language::{Language, Phrase};
use crate::terms::Precedence;

/// Most fields of a record, and of a format.
pub const FIELDS_MAX: usize = 64;

/// One format in one edition.
#[derive(Clone, Debug)]
pub struct Format {
    /// Code that people cite, such as `US-RU.BMLN`.
    pub code: String,
    /// Number on the wire, unique in a catalogue. 1 to 999 are notifications of the common
    /// catalogue; see [`crate::message`] for the reserved ones.
    pub number: u16,
    /// Edition; both sides render from the edition that the message names.
    pub edition: u16,
    /// What kind of content uses it.
    pub kind: ContentKind,
    /// Title.
    pub title: Phrase,
    /// Agreement or practice under which it is sent.
    pub regime: Phrase,
    /// Article, section or paragraph.
    pub article: Phrase,
    /// Precedence proposed to the drafter.
    pub precedence_default: Precedence,
    /// Precedences that may be chosen.
    pub precedence_allowed: Vec<Precedence>,
    /// Who may release it.
    pub release: ReleaseBy,
    /// What the receiving side is asked to do.
    pub acknowledge: Acknowledge,
    /// Fields, numbered from 1 without gaps.
    pub fields: Vec<Field>,
    /// Time limits.
    pub limits: Vec<Limit>,
    /// How long the notification holds.
    pub validity: Option<Validity>,
    /// Rules over several fields.
    pub rules: Vec<Rule>,
    /// Least number of earlier messages it must refer to.
    pub references_min: usize,
    /// Formats of which the first reference must be one; empty for any.
    pub references_formats: Vec<String>,
    /// Where its duty and fields were read.
    pub source: String,
    /// Whether duty and main limit were read at that source.
    pub source_checked: bool,
}

/// Which key of the message file holds the fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentKind {
    /// `notification`: a format named by code.
    Notification,
    /// `dialogue`: request or proposal to talk.
    Dialogue,
    /// `declaration`: forces against agreed limits.
    Declaration,
}

/// Who may release a message of a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReleaseBy {
    /// The release rule of the charter.
    Rule,
    /// A duty officer, by the charter's rule for incident templates.
    DutyOfficer,
}

/// What a format asks of the receiving side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledge {
    /// The act that is asked for.
    pub by: AcknowledgeBy,
    /// Minutes after receipt; `None` leaves it to the charter's clock for the precedence.
    pub within_minutes: Option<u32>,
    /// Whether the duration was read at the source.
    pub source_checked: bool,
}

/// The act that a format asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AcknowledgeBy {
    /// Receipt by the node is enough.
    None,
    /// An officer on watch takes it over.
    Office,
    /// An answer in substance.
    Reply,
}

/// One field, or one variant of a choice between types, or the item of a list.
#[derive(Clone, Debug)]
pub struct Field {
    /// Number, from 1; position in the body.
    pub number: u16,
    /// Name in the message file.
    pub name: String,
    /// Path from the format, such as `per_type.deployed`: how labels, rules and faults name it.
    pub path: String,
    /// Type and bounds.
    pub kind: Kind,
    /// Whether it must be given.
    pub required: bool,
    /// A word that may stand in place of the value, such as `not_provided`, and its wording.
    pub word: Option<(String, Phrase)>,
    /// Label; empty only for the item of a list.
    pub label: Phrase,
    /// What to write, for the drafter; may be empty.
    pub hint: Phrase,
}

/// Type of a field with its bounds.
#[derive(Clone, Debug)]
pub enum Kind {
    /// A day, UTC.
    Date,
    /// A moment in whole seconds, UTC.
    DateTime,
    /// A time of day in minutes, UTC.
    Time,
    /// From and to each day, UTC; may pass midnight.
    DailyHours,
    /// Yes or no.
    Bool,
    /// A count, bounds included.
    Uint {
        /// Least.
        min: u64,
        /// Greatest.
        max: u64,
    },
    /// A number with a fixed count of decimals; bounds are scaled and included.
    Decimal {
        /// Decimals, 1 to 6.
        scale: u8,
        /// Least, times ten to the `scale`.
        min: i64,
        /// Greatest, times ten to the `scale`.
        max: i64,
    },
    /// Text of at most `max` characters; one line unless `lines`.
    Text {
        /// Greatest count of characters.
        max: usize,
        /// Whether line breaks may stand in it.
        lines: bool,
    },
    /// One of named values.
    Choice(Vec<Choice>),
    /// Capitals, figures, `-`, `.`, `/` and `_`, at most `max`.
    Code {
        /// Greatest count of characters.
        max: usize,
    },
    /// An office that can be called; one line.
    Post {
        /// Greatest count of characters.
        max: usize,
    },
    /// A position.
    Point,
    /// A circle.
    Circle,
    /// A closed line of at least three positions; the last is not repeated.
    Polygon,
    /// One of the shapes named.
    Area(Vec<Shape>),
    /// A 90-degree sector of an ocean.
    OceanQuadrant,
    /// Rank of a dialogue.
    Level,
    /// One of the six languages.
    Language,
    /// One of several types.
    OneOf(Vec<Field>),
    /// Values of one type.
    List {
        /// Type of each.
        item: Box<Field>,
        /// Least count.
        min: usize,
        /// Greatest count.
        max: usize,
    },
    /// Fields under one heading.
    Record(Vec<Field>),
    /// Exactly so many bytes, hexadecimal in files.
    Bytes {
        /// Count.
        length: usize,
    },
    /// The number of another message, such as `ALT/2027/0212`.
    Reference,
}

/// One value of an enumeration.
#[derive(Clone, Debug)]
pub struct Choice {
    /// Number on the wire.
    pub number: u16,
    /// Name in the message file.
    pub name: String,
    /// Wording.
    pub label: Phrase,
}

/// A shape on the Earth's surface. Numbers are those of the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A closed line.
    Polygon = 1,
    /// A circle.
    Circle = 2,
    /// A position.
    Point = 3,
}

impl Shape {
    /// Every shape.
    pub const ALL: [Self; 3] = [Self::Polygon, Self::Circle, Self::Point];

    /// Name in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Polygon => "polygon",
            Self::Circle => "circle",
            Self::Point => "point",
        }
    }
}

impl Format {
    /// Title in a language.
    #[must_use]
    pub fn title(&self, language: Language) -> &str {
        self.title.get(language)
    }

    /// Code and edition as charters name them: `US-RU.BMLN/1`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}/{}", self.code, self.edition)
    }

    /// The field at a path such as `launch_area.ocean_quadrant`.
    #[must_use]
    pub fn field(&self, path: &str) -> Option<&Field> {
        fn find<'a>(fields: &'a [Field], path: &str) -> Option<&'a Field> {
            for field in fields {
                if field.path == path {
                    return Some(field);
                }
                if path.starts_with(&field.path)
                    && let Some(found) = find(field.kind.children(), path)
                {
                    return Some(found);
                }
            }
            None
        }
        find(&self.fields, path)
    }
}

impl Kind {
    /// Fields one step further down; empty for plain types.
    #[must_use]
    pub fn children(&self) -> &[Field] {
        match self {
            Self::Record(fields) | Self::OneOf(fields) => fields,
            Self::List { item, .. } => item.kind.children(),
            _ => &[],
        }
    }
}
