//! What can be said: formats as data files, checks, time limits, rendering in six languages.
//!
//! A *format* is an agreed, numbered list of fields (`data/US-RU.BMLN.toml`). A *message* is what a
//! drafter fills in. This crate reads both strictly, says everything that is wrong with a message at
//! once, tells how much notice it gives, turns it into few bytes and back, and renders it as plain
//! text that can be read over a telephone in English, Chinese, Russian, French, Arabic and Spanish.
//!
//! ```text
//!  data/*.toml ─▶ Catalogue ─┬─▶ Message::from_json ─▶ check ─▶ encode ─▶ (statement, log, link)
//!  words/*.toml ─────────────┤                                               │
//!                            └─▶ render ◀── Message::decode ◀────────────────┘
//! ```
//!
//! It deliberately knows no log, no signature, no clock and no disk: time is an argument and the
//! files are embedded. A new format is a new file in `data/`, and no code.
//!
//! ```
//! use detente_encoding::Timestamp;
//! use detente_formats::{Catalogue, CheckContext, Language, Message, check};
//!
//! let file = r#"{ "notification": { "format": "US-RU.BMLN", "fields": {
//!     "launch_date": "2027-03-15", "vehicle": "SLBM",
//!     "launch_area": {"ocean": "atlantic", "quadrant": 1},
//!     "impact_areas": [ {"circle": {"center": [60.5, -17.9], "radius": 40, "unit": "nm"}} ] } } }"#;
//! let message = Message::from_json(file, Catalogue::embedded()).expect("no fault");
//! let received = Message::decode(message.envelope.clone(), &message.encode(), Catalogue::embedded());
//! assert_eq!(received, Ok(message.clone()));
//!
//! let evening_before = Timestamp::parse("2027-03-14T18:00:00Z").expect("a moment");
//! let faults = check(&message, &CheckContext::at(evening_before));
//! assert_eq!(faults[0].path, "notification.fields.launch_date");
//! assert_eq!(faults[0].code.name(), "late");
//! println!("{}", faults[0].text(Language::Es));
//! ```

mod catalogue;
pub mod check;
mod fault;
pub mod format;
mod language;
pub mod message;
pub mod render;
pub mod telephone;
mod terms;
mod text;
pub mod value;
mod words;

pub use catalogue::Catalogue;
pub use check::{CheckContext, Notice, ReferenceFacts, check, notices, valid_until};
pub use fault::{Arg, FAULTS_MAX, Fault, FaultCode, Severity};
pub use format::{Format, FormatError};
pub use language::{Language, Phrase};
pub use message::{Content, DecodeError, Encoded, Envelope, Filled, Message, MessageKind, Note};
pub use render::{Heading, render};
pub use terms::{Lane, Level, Precedence};
pub use text::exercise_mark;
pub use value::FieldValue;
