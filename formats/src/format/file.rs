//! Reading a format file: strict, and every error names the file and the key.

use core::fmt;
use std::collections::BTreeMap;

use super::section::{Fault, Section};
use super::{Acknowledge, AcknowledgeBy, ContentKind, Format, ReleaseBy, fields, rules};
use crate::language::{Language, Phrase};
use crate::terms::Precedence;

/// Why a format file is refused. Nothing of the file is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormatError {
    /// Name of the file, without folder.
    pub file: String,
    /// The key at fault, with the tables it stands in; empty if the file is no TOML at all.
    pub key: String,
    /// What is wrong and what to write.
    pub problem: String,
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.key.is_empty() {
            write!(f, "{}: {}", self.file, self.problem)
        } else {
            write!(f, "{}: {} {}", self.file, self.key, self.problem)
        }
    }
}

impl core::error::Error for FormatError {}

/// The wordings of one file: six tables, from which each part takes its own.
pub(super) struct Wordings {
    tables: [BTreeMap<String, String>; 6],
}

impl Wordings {
    fn read(root: &mut Section) -> Result<Self, Fault> {
        let mut texts = root.section("text")?;
        let mut tables: [BTreeMap<String, String>; 6] = Default::default();
        for language in Language::ALL {
            tables[language.index()] = texts.section(language.code())?.all_texts()?;
        }
        texts.finish()?;
        Ok(Self { tables })
    }

    /// Takes a wording that every language must have.
    pub(super) fn take(&mut self, key: &str) -> Result<Phrase, Fault> {
        let mut wordings: [String; 6] = Default::default();
        for language in Language::ALL {
            let text = self.tables[language.index()].remove(key);
            wordings[language.index()] = text.ok_or_else(|| Fault {
                key: format!("text.{}.\"{key}\"", language.code()),
                problem: "is missing; write the wording in this language".into(),
            })?;
        }
        Ok(Phrase::new(wordings))
    }

    /// Takes a wording that may be left out, but then in every language.
    pub(super) fn take_if_given(&mut self, key: &str) -> Result<Phrase, Fault> {
        if self.tables.iter().any(|table| table.contains_key(key)) {
            self.take(key)
        } else {
            Ok(Phrase::default())
        }
    }

    fn finish(self) -> Result<(), Fault> {
        for language in Language::ALL {
            if let Some(key) = self.tables[language.index()].keys().next() {
                return Err(Fault {
                    key: format!("text.{}.\"{key}\"", language.code()),
                    problem: "words nothing in this format; remove it or correct its path".into(),
                });
            }
        }
        Ok(())
    }
}

impl Format {
    /// Reads the text of a format file. `file` is only for the error.
    ///
    /// # Errors
    /// A [`FormatError`] for the first key that is unknown, missing or wrong.
    pub fn parse(file: &str, text: &str) -> Result<Self, FormatError> {
        let table: toml::Table = toml::from_str(text).map_err(|error| FormatError {
            file: file.to_owned(),
            key: String::new(),
            problem: error.to_string().trim_end().to_owned(),
        })?;
        read(Section::new("", table)).map_err(|fault| FormatError {
            file: file.to_owned(),
            key: fault.key,
            problem: fault.problem,
        })
    }
}

fn read(mut root: Section) -> Result<Format, Fault> {
    let mut words = Wordings::read(&mut root)?;
    let code = root.text("code")?;
    let is_code = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-' || c == '.';
    if code.len() > 24 || !code.chars().all(is_code) {
        return Err(root.fault("code", "must be capitals, figures, '-' and '.', at most 24"));
    }
    let (precedence_default, precedence_allowed) = precedence(&mut root)?;
    let (references_min, references_formats) = references(&mut root)?;
    let format = Format {
        code,
        number: root.uint("number")?,
        edition: root.uint("edition")?,
        kind: kind(&mut root)?,
        title: words.take("title")?,
        regime: words.take("regime")?,
        article: words.take("article")?,
        precedence_default,
        precedence_allowed,
        release: release(&mut root)?,
        acknowledge: acknowledge(&mut root)?,
        fields: fields::read(root.sections("field")?, "", &mut words)?,
        limits: rules::limits(&mut root)?,
        validity: rules::validity(&mut root)?,
        rules: rules::rules(&mut root)?,
        references_min,
        references_formats,
        source: root.text("source")?,
        source_checked: root.checked()?,
    };
    root.finish()?;
    words.finish()?;
    rules::verify(&format)?;
    Ok(format)
}

fn kind(root: &mut Section) -> Result<ContentKind, Fault> {
    match root.text_if_given("kind")?.as_deref() {
        None | Some("notification") => Ok(ContentKind::Notification),
        Some("dialogue") => Ok(ContentKind::Dialogue),
        Some("declaration") => Ok(ContentKind::Declaration),
        Some(_) => Err(root.fault("kind", "must be notification, dialogue or declaration")),
    }
}

fn precedence(root: &mut Section) -> Result<(Precedence, Vec<Precedence>), Fault> {
    let mut section = root.section("precedence")?;
    let problem = "must be flash, immediate, priority or routine";
    let default = section.text("default")?;
    let default = Precedence::from_name(&default).ok_or_else(|| section.fault("default", problem))?;
    let mut allowed = Vec::new();
    for name in section.texts("allowed")? {
        allowed.push(Precedence::from_name(&name).ok_or_else(|| section.fault("allowed", problem))?);
    }
    if !allowed.contains(&default) {
        return Err(section.fault("allowed", "must contain the default"));
    }
    section.finish()?;
    Ok((default, allowed))
}

fn references(root: &mut Section) -> Result<(usize, Vec<String>), Fault> {
    let Some(mut section) = root.section_if_given("references")? else {
        return Ok((0, Vec::new()));
    };
    let min = section.uint("min")?;
    let formats = section.texts("formats")?;
    section.finish()?;
    Ok((min, formats))
}

fn release(root: &mut Section) -> Result<ReleaseBy, Fault> {
    match root.text("release")?.as_str() {
        "rule" => Ok(ReleaseBy::Rule),
        "duty_officer" => Ok(ReleaseBy::DutyOfficer),
        _ => Err(root.fault("release", "must be rule or duty_officer")),
    }
}

fn acknowledge(root: &mut Section) -> Result<Acknowledge, Fault> {
    let mut section = root.section("acknowledge")?;
    let by = match section.text("by")?.as_str() {
        "none" => AcknowledgeBy::None,
        "office" => AcknowledgeBy::Office,
        "reply" => AcknowledgeBy::Reply,
        _ => return Err(section.fault("by", "must be none, office or reply")),
    };
    let within_minutes = section.uint_if_given("within_minutes")?;
    let source_checked = section.checked()?;
    section.finish()?;
    Ok(Acknowledge { by, within_minutes, source_checked })
}
