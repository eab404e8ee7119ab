//! The charter file: what people write, read strictly into the charter that parties ratify.

use std::collections::BTreeMap;

use detente_formats::Catalogue;
use detente_protocol::charter::{Charter, Level, Proofs};
use detente_protocol::names::{PartyId, Precedence};
use detente_protocol::statement::FormatRef;
use serde::Deserialize;

use crate::refusal::Refusal;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    label: String,
    parties: Vec<String>,
    level: String,
    #[serde(default)]
    subjects: Vec<String>,
    #[serde(default)]
    languages: BTreeMap<String, String>,
    #[serde(default)]
    formats: Formats,
    #[serde(default)]
    acknowledge_within: Deadlines,
    #[serde(default)]
    release: Release,
    #[serde(default)]
    tests: Tests,
    #[serde(default = "thirty_days")]
    silent_after: String,
    #[serde(default = "kem_keep_days")]
    kem_keep_days: u32,
}

#[derive(Debug, Default, Deserialize)]
#[serde(untagged)]
enum Formats {
    #[default]
    None,
    Word(String),
    List(Vec<String>),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Deadlines {
    flash: String,
    immediate: String,
    priority: String,
    routine: String,
}

impl Default for Deadlines {
    fn default() -> Self {
        let text = str::to_owned;
        Self { flash: text("2min"), immediate: text("10min"), priority: text("30min"), routine: text("8h") }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Release {
    default: u8,
    proofs: Vec<String>,
    incident_template: u8,
}

impl Default for Release {
    fn default() -> Self {
        let proofs = ["flash", "immediate", "SWN"].map(str::to_owned).to_vec();
        Self { default: 2, proofs, incident_template: 1 }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Tests {
    every: String,
}

impl Default for Tests {
    fn default() -> Self {
        Self { every: "1h".to_owned() }
    }
}

fn thirty_days() -> String {
    "30d".to_owned()
}

const fn kem_keep_days() -> u32 {
    35
}

/// Reads a charter file into edition 1. `parties` are the codes known here, this party's among them;
/// `random` are 16 fresh bytes.
///
/// # Errors
/// A [`Refusal`] that names the key.
pub fn read(
    text: &str,
    parties: &BTreeMap<String, PartyId>,
    me: PartyId,
    random: [u8; 16],
) -> Result<Charter, Refusal> {
    let refuse = |what: String| Refusal::refused(format!("the charter file: {what}"));
    let file: File =
        toml::from_str(text).map_err(|error| refuse(error.to_string().trim().replace('\n', " ")))?;
    let mut named: Vec<(PartyId, String)> = Vec::new();
    for code in &file.parties {
        let party = parties.get(code).ok_or_else(|| {
            refuse(format!(
                "parties names {code}, whose credential is not held; add it with `detente peer add`"
            ))
        })?;
        named.push((*party, file.languages.get(code).cloned().unwrap_or_else(|| "en".to_owned())));
    }
    named.sort();
    if named.windows(2).any(|pair| pair[0].0 == pair[1].0) {
        return Err(refuse("parties names one party twice".to_owned()));
    }
    if !(2..=16).contains(&named.len()) || !named.iter().any(|(party, _)| *party == me) {
        return Err(refuse("parties must name 2 to 16 parties, this one among them".to_owned()));
    }
    if let Some(code) = file.languages.keys().find(|code| !file.parties.contains(code)) {
        return Err(refuse(format!("languages names {code}, which is not in parties")));
    }
    let level = Level::from_word(&file.level)
        .ok_or_else(|| refuse(format!("level {:?} is not known; one of {}", file.level, levels())))?;
    let seconds = |key: &str, text: &str| {
        duration_s(text)
            .ok_or_else(|| refuse(format!("{key} = {text:?} is no length of time such as 2min, 8h, 30d")))
    };
    let deadlines = &file.acknowledge_within;
    let charter = Charter {
        acknowledge_s: [
            seconds("acknowledge_within.routine", &deadlines.routine)?,
            seconds("acknowledge_within.priority", &deadlines.priority)?,
            seconds("acknowledge_within.immediate", &deadlines.immediate)?,
            seconds("acknowledge_within.flash", &deadlines.flash)?,
        ],
        edition: 1,
        formats: formats(&file.formats).map_err(refuse)?,
        kem_keep_days: file.kem_keep_days,
        label: file.label,
        languages: named.iter().map(|(_, language)| language.clone()).collect(),
        level,
        parties: named.iter().map(|(party, _)| *party).collect(),
        previous: None,
        proofs: proofs(&file.release.proofs).map_err(refuse)?,
        random,
        release_default: file.release.default,
        release_duty: file.release.incident_template,
        silent_after_s: seconds("silent_after", &file.silent_after)?,
        subjects: file.subjects,
        test_every_s: seconds("tests.every", &file.tests.every)?,
    };
    // What the strict reader of the wire refuses must not be proposed.
    Charter::decode(&charter.encode()).map_err(|error| refuse(error.to_string()))
}

fn levels() -> String {
    Level::ALL.map(Level::word).join(", ")
}

/// Reads `90s`, `2min`, `8h`, `30d` as seconds.
#[must_use]
pub fn duration_s(text: &str) -> Option<u32> {
    let split = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(split);
    let factor = match unit.trim() {
        "s" => 1,
        "min" | "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return None,
    };
    number.parse::<u32>().ok()?.checked_mul(factor)
}

fn formats(formats: &Formats) -> Result<Option<Vec<FormatRef>>, String> {
    let list = match formats {
        Formats::None => return Ok(None),
        Formats::Word(word) if word == "all" => return Ok(None),
        Formats::Word(word) => return Err(format!("formats = {word:?}; write \"all\" or a list")),
        Formats::List(list) => list,
    };
    let mut found = Vec::new();
    for text in list {
        let (code, edition) = text.split_once('/').unwrap_or((text, "1"));
        let format = Catalogue::embedded().format(code).filter(|_| edition.parse::<u32>().is_ok());
        let format = format.ok_or_else(|| {
            format!("formats names {text:?}, which is not known; see `detente format list`")
        })?;
        found.push(FormatRef { number: u32::from(format.number), edition: edition.parse().unwrap_or(1) });
    }
    found.sort_unstable();
    found.dedup();
    Ok(Some(found))
}

fn proofs(words: &[String]) -> Result<Proofs, String> {
    let mut proofs = Proofs::default();
    for word in words {
        if let Some(precedence) = Precedence::from_word(word) {
            proofs.precedences.push(precedence);
        } else if let Some(format) = Catalogue::embedded().format(word) {
            proofs.formats.push(u32::from(format.number));
        } else {
            return Err(format!("release.proofs names {word:?}, which is neither a precedence nor a format"));
        }
    }
    proofs.precedences.sort_unstable();
    proofs.precedences.dedup();
    proofs.formats.sort_unstable();
    proofs.formats.dedup();
    Ok(proofs)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
label = "Risk reduction"
parties = ["ALT", "VEG"]
level = "military"
subjects = ["nuclear"]
languages = { ALT = "en", VEG = "ru" }
formats = ["US-RU.BMLN/1", "SWN/1"]
acknowledge_within = { flash = "2min", immediate = "10min", priority = "30min", routine = "8h" }
release = { default = 2, proofs = ["flash", "immediate", "SWN"], incident_template = 1 }
tests = { every = "1h" }
silent_after = "30d"
kem_keep_days = 35
"#;

    fn parties() -> BTreeMap<String, PartyId> {
        BTreeMap::from([("ALT".to_owned(), PartyId([9; 32])), ("VEG".to_owned(), PartyId([1; 32]))])
    }

    #[test]
    fn languages_follow_their_parties_into_the_order_of_names() {
        let charter = read(TEXT, &parties(), PartyId([9; 32]), [7; 16]).expect("it is whole");
        assert_eq!(charter.parties, [PartyId([1; 32]), PartyId([9; 32])]);
        assert_eq!(charter.languages, ["ru", "en"]);
        assert_eq!(charter.acknowledge_s, [28_800, 1800, 600, 120]);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (from, to, named) in [
            ("level", "levle", "levle"),
            ("\"ALT\", \"VEG\"", "\"ALT\", \"RIG\"", "RIG"),
            ("military", "colonels", "colonels"),
            ("8h", "eight hours", "routine"),
            ("SWN/1", "SWM/1", "SWM/1"),
        ] {
            let error =
                read(&TEXT.replacen(from, to, 1), &parties(), PartyId([9; 32]), [7; 16]).expect_err(to);
            assert!(error.reason.contains(named), "{error}");
        }
    }
}
