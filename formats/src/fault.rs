//! What is wrong with a message: where, what, and what to do, in the reader's language.
//!
//! A fault names the path of its field in the message file, so that a drafter, a program and a
//! screen find the same place. All faults of a message are collected; none hides another.

use crate::language::Language;
use crate::render::figures;
use crate::words::words;
use detente_encoding::Timestamp;

/// Most faults listed for one message; what follows a hopeless file helps nobody.
pub const FAULTS_MAX: usize = 200;

/// One fault of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where, as the path in the message file: `notification.fields.launch_date`; empty for the
    /// file as a whole.
    pub path: String,
    /// What.
    pub code: FaultCode,
    /// Whether it stops the message.
    pub severity: Severity,
    /// What fills the places of its sentence.
    pub args: Vec<Arg>,
}

/// Whether a fault stops a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Shown to the drafter and the reader; the message may go. A late report of an event, or a
    /// figure above a limit, must still be told.
    Warning,
    /// The message is not released.
    Refusal,
}

/// What fills a place in the sentence of a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arg {
    /// Names and codes, the same in every language.
    Text(String),
    /// A wording of `words/` by its key.
    Word(&'static str),
    /// A count.
    Number(u64),
    /// A number times ten to the scale given.
    Decimal(i64, u8),
    /// A moment.
    Moment(Timestamp),
    /// A length of time in milliseconds, shown in hours or days.
    Duration(i64),
}

impl Arg {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }
}

/// Declares the codes with their names, which are the keys `fault.NAME` of `words/`.
macro_rules! codes {
    ($($(#[$inner:meta])* $variant:ident $name:literal,)+) => {
        /// Kinds of faults. The name is stable; programs may stand on it.
        #[non_exhaustive]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum FaultCode { $($(#[$inner])* $variant,)+ }

        impl FaultCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The stable name, such as `no_zone`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The key of the sentence in `words/`.
            const fn key(self) -> &'static str {
                match self { $(Self::$variant => concat!("fault.", $name),)+ }
            }
        }
    };
}

codes! {
    /// The file is no JSON. Correct it at the line named.
    Syntax "syntax",
    /// The file is too large. Send long texts as attachments.
    TooLarge "too_large",
    /// A key stands twice. Remove one.
    DuplicateKey "duplicate_key",
    /// A key that does not exist here. Remove it or correct its name.
    UnknownKey "unknown_key",
    /// A required value is not given. Add it.
    Missing "missing",
    /// A value of another type. Write what is asked for.
    WrongType "wrong_type",
    /// A name that is not one of those allowed.
    NotOneOf "not_one_of",
    /// Not exactly one kind of content.
    OneContent "one_content",
    /// No such format in this catalogue.
    UnknownFormat "unknown_format",
    /// The format exists, but not in this edition.
    UnknownEdition "unknown_edition",
    /// Not a day of the calendar.
    BadDate "bad_date",
    /// Not a moment in whole seconds.
    BadDateTime "bad_date_time",
    /// A date-time without zone. Add `Z` for UTC.
    NoZone "no_zone",
    /// Not a time of day.
    BadTime "bad_time",
    /// Daily hours that begin and end at one time.
    BadDailyHours "bad_daily_hours",
    /// A number outside its bounds.
    Range "range",
    /// More decimals than the field has.
    Precision "precision",
    /// A text without content. Leave the field out.
    Empty "empty",
    /// A text with too many characters.
    TooLong "too_long",
    /// Characters that a code cannot have.
    BadCode "bad_code",
    /// Not the number of a message.
    BadReference "bad_reference",
    /// Not a position on Earth.
    BadPosition "bad_position",
    /// A radius of nothing, or larger than the Earth.
    BadRadius "bad_radius",
    /// Too few or too many corners, or the first repeated.
    BadPolygon "bad_polygon",
    /// A sector that does not exist.
    BadQuadrant "bad_quadrant",
    /// A shape the field does not take.
    BadShape "bad_shape",
    /// Not as many bytes as the field has.
    ByteCount "byte_count",
    /// Too few or too many items.
    Count "count",
    /// Text that is not in normalization form C.
    NotNfc "not_nfc",
    /// Characters that turn the direction of text.
    Bidi "bidi",
    /// Characters that cannot be seen.
    Invisible "invisible",
    /// Control characters, or a line break where there can be none.
    Control "control",
    /// A line that is the exercise mark.
    ExerciseMark "exercise_mark",
    /// Digits of two systems in one message.
    MixedDigits "mixed_digits",
    /// Letters of two scripts in one word: some look alike. The message may go.
    MixedScript "mixed_script",
    /// A precedence that the format does not allow.
    PrecedenceNotAllowed "precedence_not_allowed",
    /// Fewer references than the format asks for.
    ReferenceMissing "reference_missing",
    /// The first reference is not to a format that is asked for.
    ReferenceFormat "reference_format",
    /// Less notice than the agreement asks for.
    Late "late",
    /// Later after an event than the agreement allows. The report still goes.
    Overdue "overdue",
    /// A later field lies before an earlier one.
    Order "order",
    /// A window of another length than agreed.
    Span "span",
    /// Parts do not add up to the total.
    Sum "sum",
    /// A field that another one makes necessary.
    Requires "requires",
    /// A field that can only have one value.
    Constant "constant",
    /// Not one of the days agreed.
    MonthDay "month_day",
    /// A figure above an agreed limit. The report still goes.
    Ceiling "ceiling",
    /// A value that stands twice.
    NotUnique "not_unique",
    /// An answer asked for before the message can be sent.
    AnswerPast "answer_past",
}

impl Fault {
    /// A refusal at a path.
    pub(crate) fn new(path: impl Into<String>, code: FaultCode) -> Self {
        Self { path: path.into(), code, severity: Severity::Refusal, args: Vec::new() }
    }

    /// Fills the next place of the sentence.
    pub(crate) fn with(mut self, arg: Arg) -> Self {
        self.args.push(arg);
        self
    }

    /// Turns a refusal into a warning.
    pub(crate) fn warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    /// Whether the message may not be released.
    #[must_use]
    pub fn refuses(&self) -> bool {
        self.severity == Severity::Refusal
    }

    /// One sentence that names the place, says what is wrong and what to do.
    #[must_use]
    pub fn text(&self, language: Language) -> String {
        let words = words(language);
        let args: Vec<String> = self.args.iter().map(|arg| arg.text_in(language)).collect();
        let sentence = words.fill(self.code.key(), &args);
        if self.path.is_empty() { sentence } else { format!("{}: {sentence}", self.path) }
    }
}

impl Arg {
    fn text_in(&self, language: Language) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Word(key) => words(language).get(key).to_owned(),
            Self::Number(number) => number.to_string(),
            Self::Decimal(number, scale) => figures::decimal(*number, *scale, language),
            Self::Moment(moment) => figures::moment(*moment, language),
            Self::Duration(millis) => figures::duration(*millis, language),
        }
    }
}

/// Faults as they are found, up to [`FAULTS_MAX`].
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault) {
        let known = |known: &Fault| match fault.code {
            // A value that could not be read is not missing as well.
            FaultCode::Missing => {
                let rest = known.path.strip_prefix(&fault.path);
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
            }
            code => known.path == fault.path && known.code == code,
        };
        if self.0.len() < FAULTS_MAX && !self.0.iter().any(known) {
            self.0.push(fault);
        }
    }

    /// Whether any of them stops the message.
    pub(crate) fn refuse(&self) -> bool {
        self.0.iter().any(Fault::refuses)
    }

    pub(crate) fn into_vec(self) -> Vec<Fault> {
        self.0
    }
}
