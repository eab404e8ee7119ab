//! The charter: the document that all parties of a channel ratified.
//!
//! Its first edition names the channel; later ones may change what was agreed, never who agreed.
//! Two charters with one meaning and other bytes are two charters, so the bytes are read strictly
//! and written in one way. Source: `spec/charter.md`.

use core::fmt;

use detente_crypto::{Hash, sha256};
use detente_encoding::cbor::{self, DecodeError, Value};

use crate::fields::{FieldError, Fields};
use crate::limits::{PARTIES_MAX, PARTIES_MIN, SUBJECTS_MAX};
use crate::names::{ChannelId, PartyId, PartyIndex, Precedence};
use crate::statement::FormatRef;

/// At which level the parties speak. One enumeration everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Heads of state or government.
    HeadOfState = 0,
    /// Foreign ministers.
    ForeignMinister = 1,
    /// Defence ministers.
    DefenceMinister = 2,
    /// Other ministers.
    Minister = 3,
    /// National security advisers.
    NationalSecurity = 4,
    /// Military commands.
    Military = 5,
    /// Senior officials.
    SeniorOfficial = 6,
    /// Working level.
    Working = 7,
    /// Experts.
    Expert = 8,
    /// Officials in a private capacity, with others.
    Track15 = 9,
    /// Without officials.
    Track2 = 10,
}

impl Level {
    /// All levels, in wire order.
    pub const ALL: [Self; 11] = [
        Self::HeadOfState,
        Self::ForeignMinister,
        Self::DefenceMinister,
        Self::Minister,
        Self::NationalSecurity,
        Self::Military,
        Self::SeniorOfficial,
        Self::Working,
        Self::Expert,
        Self::Track15,
        Self::Track2,
    ];

    /// The word in charter files.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::HeadOfState => "head_of_state",
            Self::ForeignMinister => "foreign_minister",
            Self::DefenceMinister => "defence_minister",
            Self::Minister => "minister",
            Self::NationalSecurity => "national_security",
            Self::Military => "military",
            Self::SeniorOfficial => "senior_official",
            Self::Working => "working",
            Self::Expert => "expert",
            Self::Track15 => "track_1_5",
            Self::Track2 => "track_2",
        }
    }

    /// Reads the word that [`Self::word`] writes.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.word() == word)
    }
}

/// A charter edition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charter {
    /// Within how many seconds to acknowledge, by precedence from routine to flash.
    pub acknowledge_s: [u32; 4],
    /// From 1.
    pub edition: u32,
    /// The formats agreed, rising; `None` for all.
    pub formats: Option<Vec<FormatRef>>,
    /// For how many days of running time a KEM key is kept at most.
    pub kem_keep_days: u32,
    /// What people call the channel, 1 to 80 characters.
    pub label: String,
    /// The language of each party, in the order of `parties`.
    pub languages: Vec<String>,
    /// At which level the parties speak.
    pub level: Level,
    /// The parties, 2 to 16, rising; the same in all editions.
    pub parties: Vec<PartyId>,
    /// SHA-256 of the edition before; `None` for the first.
    pub previous: Option<Hash>,
    /// Precedences and formats whose release proofs travel, beside those that always do.
    pub proofs: Proofs,
    /// 16 random bytes, the same in all editions.
    pub random: [u8; 16],
    /// Persons needed to release, by default, 1 to 16.
    pub release_default: u8,
    /// Persons needed for formats that a duty officer may release, 1 to 16.
    pub release_duty: u8,
    /// After how many seconds without a word the channel counts as silent.
    pub silent_after_s: u32,
    /// What is spoken of, at most 32.
    pub subjects: Vec<String>,
    /// Every how many seconds the line is tested; 0 for never.
    pub test_every_s: u32,
}

/// Which release proofs travel, beside those that always do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proofs {
    /// Rising.
    pub precedences: Vec<Precedence>,
    /// Format numbers, rising.
    pub formats: Vec<u32>,
}

/// Why bytes are no charter. Nothing is changed; a proposal of such bytes cannot be ratified.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CharterError {
    /// Not the version byte and one deterministic value.
    PeerEncoding(DecodeError),
    /// Another format version.
    PeerVersion,
    /// A field is missing, unknown or not as `spec/charter.md` says.
    PeerField(FieldError),
}

impl fmt::Display for CharterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PeerEncoding(error) => write!(f, "the charter: {error}"),
            Self::PeerVersion => f.write_str("the charter is of another format version"),
            Self::PeerField(error) => write!(f, "the charter: {error}"),
        }
    }
}

impl core::error::Error for CharterError {}

impl From<FieldError> for CharterError {
    fn from(error: FieldError) -> Self {
        Self::PeerField(error)
    }
}

/// Format numbers stand in `proofs` above the four precedences.
const PROOF_FORMATS_FROM: u64 = 4;

impl Charter {
    /// Reads charter bytes.
    ///
    /// # Errors
    /// [`CharterError`] for anything but the one encoding of a charter.
    pub fn decode(bytes: &[u8]) -> Result<Self, CharterError> {
        let Some((&crate::entry::VERSION, rest)) = bytes.split_first() else {
            return Err(CharterError::PeerVersion);
        };
        let value = cbor::decode(rest).map_err(CharterError::PeerEncoding)?;
        let fields = Fields::new(&value, &KEYS)?;
        let charter = Self {
            acknowledge_s: fields.read("acknowledge", |v| {
                let seconds: Option<Vec<u32>> = v.as_array()?.iter().map(small).collect();
                seconds?.try_into().ok()
            })?,
            edition: fields.read("edition", |v| small(v).filter(|edition| *edition > 0))?,
            formats: fields.optional("formats", formats)?,
            kem_keep_days: fields.read("kem_keep_days", small)?,
            label: fields.read("label", |v| text(v, LABEL_CHARS_MAX))?,
            languages: fields.list("languages", PARTIES_MAX, |v| text(v, LANGUAGE_CHARS_MAX))?,
            level: fields.read("level", |v| Level::ALL.get(usize::try_from(v.as_u64()?).ok()?).copied())?,
            parties: fields
                .list("parties", PARTIES_MAX, |v| Some(PartyId(v.as_bytes()?.try_into().ok()?)))?,
            previous: fields.optional("previous", |v| Hash::from_slice(v.as_bytes()?))?,
            proofs: fields.read("proofs", proofs)?,
            random: fields.read("random", |v| v.as_bytes()?.try_into().ok())?,
            release_default: fields.read("release", |v| persons(v, 0))?,
            release_duty: fields.read("release", |v| persons(v, 1))?,
            silent_after_s: fields.read("silent_after", small)?,
            subjects: fields.list("subjects", SUBJECTS_MAX, |v| text(v, LABEL_CHARS_MAX))?,
            test_every_s: fields.read("test_every", small)?,
        };
        charter.check()?;
        Ok(charter)
    }

    fn check(&self) -> Result<(), FieldError> {
        if self.parties.len() < PARTIES_MIN || !self.parties.is_sorted_by(|a, b| a < b) {
            return Err(FieldError::Value("parties"));
        }
        if self.languages.len() != self.parties.len() {
            return Err(FieldError::Value("languages"));
        }
        if self.previous.is_none() != (self.edition == 1) {
            return Err(FieldError::Value("previous"));
        }
        Ok(())
    }

    /// The charter bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let number = |n: u32| Value::from(u64::from(n));
        let hash = |h: Hash| Value::bytes(&h.0);
        let texts = |list: &[String]| Value::Array(list.iter().map(|t| Value::text(t)).collect());
        let pair = |format: &FormatRef| Value::Array(vec![number(format.number), number(format.edition)]);
        let proofs = self.proofs.precedences.iter().map(|p| Value::from(*p as u64));
        let proof_formats =
            self.proofs.formats.iter().map(|format| Value::from(u64::from(*format) + PROOF_FORMATS_FROM));
        let release = [self.release_default, self.release_duty].map(|n| Value::from(u64::from(n)));
        let value = Value::map(vec![
            ("acknowledge".into(), Value::Array(self.acknowledge_s.into_iter().map(number).collect())),
            ("edition".into(), number(self.edition)),
            (
                "formats".into(),
                self.formats.as_ref().map_or(Value::Null, |f| Value::Array(f.iter().map(pair).collect())),
            ),
            ("kem_keep_days".into(), number(self.kem_keep_days)),
            ("label".into(), Value::text(&self.label)),
            ("languages".into(), texts(&self.languages)),
            ("level".into(), Value::from(self.level as u64)),
            ("parties".into(), Value::Array(self.parties.iter().map(|p| Value::bytes(&p.0)).collect())),
            ("previous".into(), self.previous.map_or(Value::Null, hash)),
            ("proofs".into(), Value::Array(proofs.chain(proof_formats).collect())),
            ("random".into(), Value::bytes(&self.random)),
            ("release".into(), Value::Array(release.to_vec())),
            ("silent_after".into(), number(self.silent_after_s)),
            ("subjects".into(), texts(&self.subjects)),
            ("test_every".into(), number(self.test_every_s)),
        ]);
        crate::fields::versioned(&value)
    }

    /// SHA-256 of the charter bytes; of edition 1, the channel's name.
    #[must_use]
    pub fn hash(&self) -> Hash {
        sha256(&[&self.encode()])
    }

    /// The channel this edition founds. Only edition 1 names a channel; of a later one this is
    /// the hash alone, and the channel is that of its first edition.
    #[must_use]
    pub fn channel_id(&self) -> ChannelId {
        ChannelId(self.hash().0)
    }

    /// A party's place in the charter.
    #[must_use]
    pub fn party_index(&self, party: PartyId) -> Option<PartyIndex> {
        self.parties.binary_search(&party).ok().and_then(|index| u8::try_from(index).ok()).map(PartyIndex)
    }

    /// Within how many milliseconds an addressee must acknowledge.
    #[must_use]
    pub fn acknowledge_ms(&self, precedence: Precedence) -> i64 {
        i64::from(self.acknowledge_s[precedence as usize]) * 1000
    }

    /// Whether `next` may follow this edition: its number, parties, random bytes and hash before.
    #[must_use]
    pub fn may_be_followed_by(&self, next: &Self) -> bool {
        next.edition > self.edition
            && next.parties == self.parties
            && next.random == self.random
            && next.previous == Some(self.hash())
    }

    /// Whether messages of this format and edition are agreed.
    #[must_use]
    pub fn allows(&self, format: FormatRef) -> bool {
        self.formats.as_ref().is_none_or(|formats| formats.binary_search(&format).is_ok())
    }
}

const LABEL_CHARS_MAX: usize = 80;
const LANGUAGE_CHARS_MAX: usize = 16;

/// All keys, in the order of their encoding (shorter first, as CBOR orders them).
const KEYS: [&str; 15] = [
    "acknowledge",
    "edition",
    "formats",
    "kem_keep_days",
    "label",
    "languages",
    "level",
    "parties",
    "previous",
    "proofs",
    "random",
    "release",
    "silent_after",
    "subjects",
    "test_every",
];

fn small(value: &Value) -> Option<u32> {
    u32::try_from(value.as_u64()?).ok()
}

fn text(value: &Value, chars_max: usize) -> Option<String> {
    let text = value.as_text()?;
    (1..=chars_max).contains(&text.chars().count()).then(|| text.to_owned())
}

fn formats(value: &Value) -> Option<Vec<FormatRef>> {
    let formats: Option<Vec<_>> = value
        .as_array()?
        .iter()
        .map(|pair| match pair.as_array()? {
            [number, edition] => Some(FormatRef { number: small(number)?, edition: small(edition)? }),
            _ => None,
        })
        .collect();
    formats.filter(|formats| {
        formats.is_sorted_by(|a, b| a < b) && formats.iter().all(|format| format.edition > 0)
    })
}

fn proofs(value: &Value) -> Option<Proofs> {
    let numbers: Option<Vec<u64>> = value.as_array()?.iter().map(Value::as_u64).collect();
    let numbers = numbers.filter(|numbers| numbers.is_sorted_by(|a, b| a < b))?;
    let split = numbers.partition_point(|number| *number < PROOF_FORMATS_FROM);
    let (precedences, formats) = numbers.split_at(split);
    Some(Proofs {
        precedences: precedences.iter().filter_map(|n| Precedence::from_number(*n)).collect(),
        formats: formats
            .iter()
            .map(|number| u32::try_from(number - PROOF_FORMATS_FROM).ok())
            .collect::<Option<_>>()?,
    })
}

fn persons(value: &Value, place: usize) -> Option<u8> {
    let persons = value.as_array().filter(|list| list.len() == 2)?[place].as_u64()?;
    u8::try_from(persons).ok().filter(|persons| (1..=16).contains(persons))
}

#[cfg(test)]
mod tests;
