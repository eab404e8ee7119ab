//! A message as plain text in the reader's language.
//!
//! Lines are short and numbered, so that two people can go through them over a telephone; the
//! number of the message stands first and last, which guards against a torn sheet. In the exercise
//! lane the mark is the first and the last line, and nothing else can be: every line of a text from
//! outside stands behind a bar. Right-to-left text is isolated, so that neither direction disturbs
//! the other.

pub(crate) mod figures;
mod values;

use detente_encoding::Timestamp;

use crate::check::valid_until;
use crate::language::Language;
use crate::message::{Content, Filled, Message};
use crate::terms::Lane;
use crate::text::{exercise_mark, visible, visible_line};
use crate::words::words;

/// What stands above a message: given by the caller, who knows the log.
#[derive(Clone, Debug)]
pub struct Heading<'a> {
    /// Number of the message, such as `ALT/2027/0212`.
    pub reference: &'a str,
    /// The lane of its log.
    pub lane: Lane,
    /// Name of the sending party and office, in the reader's language.
    pub from: &'a str,
    /// Names of the addressees, in the reader's language.
    pub to: &'a [String],
    /// When it was written.
    pub written_at: Timestamp,
    /// When it was received, if that is known.
    pub received_at: Option<Timestamp>,
}

/// The message as plain text; lines end with `\n`.
#[must_use]
pub fn render(message: &Message, heading: &Heading<'_>, language: Language) -> String {
    let mut page = Page { language, text: String::new() };
    let exercise = heading.lane == Lane::Exercise || message.envelope.exercise;
    if exercise {
        page.line(exercise_mark(language));
    }
    head(&mut page, message, heading);
    page.line("");
    match &message.content {
        Content::Note(note) => {
            page.pair("head.original", words(language).get(language_key(note.language)));
            page.block(&note.text);
        }
        Content::Notification(filled) | Content::Dialogue(filled) | Content::Declaration(filled) => {
            values::fields(&mut page, &filled.format.fields, &filled.values, message);
        }
    }
    tail(&mut page, message, heading);
    if exercise {
        page.line(exercise_mark(language));
    }
    page.text
}

fn head(page: &mut Page, message: &Message, heading: &Heading<'_>) {
    let language = page.language;
    page.line(&page.isolated(heading.reference));
    page.pair("head.from", heading.from);
    if !heading.to.is_empty() {
        page.pair("head.to", &heading.to.join(", "));
    }
    page.pair("head.precedence", words(language).get(precedence_key(message)));
    page.pair("head.date", &figures::moment(heading.written_at, language));
    if let Some(received) = heading.received_at {
        page.pair("head.received", &figures::moment(received, language));
    }
    if let Some(filled) = message.filled() {
        about(page, filled);
    } else {
        page.pair("head.kind", words(language).get("kind.note"));
    }
    if let Some(subject) = &message.envelope.subject {
        page.pair("head.subject", subject);
    }
    if !message.envelope.refs.is_empty() {
        page.pair("head.refs", &message.envelope.refs.join(", "));
    }
    if let Some(citation) = &message.envelope.supersedes {
        page.pair("head.supersedes", citation);
    }
    if let Some(seconds) = message.envelope.answer_by {
        let moment = Timestamp::from_millis(seconds.saturating_mul(1000));
        page.pair("head.answer_by", &figures::moment(moment, language));
    }
    if message.envelope.confidential {
        page.line(words(language).get("head.confidential"));
    }
    if let Some(until) = valid_until(message) {
        page.pair("head.valid_until", &figures::moment(until, language));
    }
    page.line(words(language).get("head.draft_translation"));
}

fn about(page: &mut Page, filled: &Filled) {
    let (format, words) = (&filled.format, words(page.language));
    let code = page.isolated(&format.code);
    let title = format.title(page.language).to_owned();
    page.pair_raw("head.kind", &words.fill("value.format", &[title, code, format.edition.to_string()]));
    let under = [format.regime.get(page.language).to_owned(), format.article.get(page.language).to_owned()];
    page.pair("head.under", &words.fill("value.under", &under));
}

fn tail(page: &mut Page, message: &Message, heading: &Heading<'_>) {
    if let Some(remarks) = &message.envelope.remarks {
        let original =
            message.original_language().map(|language| words(page.language).get(language_key(language)));
        page.pair("head.remarks", original.unwrap_or_default());
        page.block(remarks);
    }
    page.line("");
    let end = words(page.language).fill("head.end", &[page.isolated(heading.reference)]);
    page.line(&end);
}

fn precedence_key(message: &Message) -> &'static str {
    use crate::terms::Precedence::{Flash, Immediate, Priority, Routine};
    match message.envelope.precedence {
        Flash => "precedence.flash",
        Immediate => "precedence.immediate",
        Priority => "precedence.priority",
        Routine => "precedence.routine",
    }
}

pub(crate) fn language_key(language: Language) -> &'static str {
    match language {
        Language::En => "language.en",
        Language::Zh => "language.zh",
        Language::Ru => "language.ru",
        Language::Fr => "language.fr",
        Language::Ar => "language.ar",
        Language::Es => "language.es",
    }
}

/// A text under way, in one language.
pub(crate) struct Page {
    language: Language,
    text: String,
}

impl Page {
    pub(crate) fn language(&self) -> Language {
        self.language
    }

    pub(crate) fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// A heading word and its value, isolated. Values come from parties, names too: none may break
    /// the line.
    fn pair(&mut self, key: &str, value: &str) {
        let value = self.isolated(&visible_line(value));
        self.pair_raw(key, &value);
    }

    fn pair_raw(&mut self, key: &str, value: &str) {
        let label = words(self.language).get(key).to_owned();
        self.line(format!("{label}{}{value}", self.colon()).trim_end());
    }

    /// What stands between a label and its value.
    pub(crate) fn colon(&self) -> &'static str {
        match self.language {
            Language::Zh => "：",
            Language::Fr => " : ",
            _ => ": ",
        }
    }

    /// Every line of a text from a party behind a bar: none of them can be a line of ours.
    pub(crate) fn block(&mut self, text: &str) {
        for line in visible(text).split('\n') {
            let line = self.isolated(line);
            self.line(format!("   | {line}").trim_end());
        }
    }

    /// The text so that its direction does not disturb the line around it (UAX 9, FSI and PDI).
    pub(crate) fn isolated(&self, text: &str) -> String {
        let right_to_left = |c: char| matches!(c, '\u{0590}'..='\u{08FF}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFC}');
        if text.is_empty() || !(self.language.is_right_to_left() || text.chars().any(right_to_left)) {
            return text.to_owned();
        }
        format!("\u{2068}{text}\u{2069}")
    }
}
