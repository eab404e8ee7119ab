//! What few statements carry: subject, addressees, answer by, remarks. Source: `spec/entry.md`, section 2.

use detente_encoding::Timestamp;

use super::reference::{WireReference, WriteReference};
use crate::cursor::{Cursor, Unfit, write};
use crate::limits::PARTIES_MAX;
use crate::names::PartyIndex;

/// The optional parts of a statement. The default says nothing and takes one byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extras<R> {
    /// What it is about, one line.
    pub subject: Option<String>,
    /// To whom it is addressed, rising; empty means all other parties. All parties can read it.
    pub to: Vec<PartyIndex>,
    /// When an answer is asked for.
    pub answer_by: Option<Timestamp>,
    /// Language of its free text, where it is not the writer's.
    pub language: Option<String>,
    /// Free text beside the fields.
    pub remarks: Option<String>,
    /// Asks the readers not to pass it on.
    pub confidential: bool,
    /// An earlier message that this one replaces.
    pub supersedes: Option<R>,
}

impl<R> Default for Extras<R> {
    fn default() -> Self {
        Self {
            subject: None,
            to: Vec::new(),
            answer_by: None,
            language: None,
            remarks: None,
            confidential: false,
            supersedes: None,
        }
    }
}

const SUBJECT: u64 = 0;
const TO: u64 = 1;
const ANSWER_BY: u64 = 2;
const LANGUAGE: u64 = 3;
const REMARKS: u64 = 4;
const CONFIDENTIAL: u64 = 5;
const SUPERSEDES: u64 = 6;

impl<R> Extras<R> {
    /// The same with its reference, if any, put through `f`.
    pub(crate) fn try_map<S>(&self, f: impl FnOnce(&R) -> Option<S>) -> Option<Extras<S>> {
        Some(Extras {
            subject: self.subject.clone(),
            to: self.to.clone(),
            answer_by: self.answer_by,
            language: self.language.clone(),
            remarks: self.remarks.clone(),
            confidential: self.confidential,
            supersedes: match &self.supersedes {
                Some(reference) => Some(f(reference)?),
                None => None,
            },
        })
    }

    fn count(&self) -> usize {
        usize::from(self.subject.is_some())
            + usize::from(!self.to.is_empty())
            + usize::from(self.answer_by.is_some())
            + usize::from(self.language.is_some())
            + usize::from(self.remarks.is_some())
            + usize::from(self.confidential)
            + usize::from(self.supersedes.is_some())
    }
}

#[expect(private_bounds, reason = "there are two forms of reference and no others")]
impl<R: WriteReference> Extras<R> {
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let count = self.count();
        if count == 0 {
            return write::null(out);
        }
        write::map(count, out);
        let text = |key: u64, value: &Option<String>, out: &mut Vec<u8>| {
            if let Some(value) = value {
                write::uint(key, out);
                write::text(value, out);
            }
        };
        text(SUBJECT, &self.subject, out);
        if !self.to.is_empty() {
            write::uint(TO, out);
            write::array(self.to.len(), out);
            self.to.iter().for_each(|party| write::uint(u64::from(party.0), out));
        }
        if let Some(moment) = self.answer_by {
            write::uint(ANSWER_BY, out);
            write::int(moment.millis(), out);
        }
        text(LANGUAGE, &self.language, out);
        text(REMARKS, &self.remarks, out);
        if self.confidential {
            write::uint(CONFIDENTIAL, out);
            out.push(0xf5);
        }
        if let Some(reference) = &self.supersedes {
            write::uint(SUPERSEDES, out);
            reference.write(out);
        }
    }
}

impl Extras<WireReference> {
    /// Reads extras; the flag says whether a key was met that this version does not know.
    pub(crate) fn read(cursor: &mut Cursor<'_>) -> Result<(Self, bool), Unfit> {
        let mut extras = Self::default();
        if cursor.null() {
            return Ok((extras, false));
        }
        let count = cursor.map()?;
        if count == 0 {
            return Err(Unfit);
        }
        let (mut unknown, mut previous) = (false, None);
        for _ in 0..count {
            // Encoded keys rise as these pairs do: the negative ones follow the others.
            let (negative, key) = cursor.integer()?;
            if previous.is_some_and(|previous| previous >= (negative, key)) {
                return Err(Unfit);
            }
            previous = Some((negative, key));
            match key {
                _ if negative => {
                    cursor.value(2)?;
                    unknown = true;
                }
                SUBJECT => extras.subject = Some(text(cursor)?),
                TO => extras.to = to(cursor)?,
                ANSWER_BY => extras.answer_by = Some(cursor.moment()?),
                LANGUAGE => extras.language = Some(text(cursor)?),
                REMARKS => extras.remarks = Some(text(cursor)?),
                CONFIDENTIAL => {
                    cursor.is_true()?;
                    extras.confidential = true;
                }
                SUPERSEDES => extras.supersedes = Some(WireReference::read(cursor)?),
                _ => {
                    cursor.value(2)?;
                    unknown = true;
                }
            }
        }
        Ok((extras, unknown))
    }
}

fn text(cursor: &mut Cursor<'_>) -> Result<String, Unfit> {
    // The empty text is the default, and no default is written.
    cursor.text().and_then(|text| if text.is_empty() { Err(Unfit) } else { Ok(text.to_owned()) })
}

fn to(cursor: &mut Cursor<'_>) -> Result<Vec<PartyIndex>, Unfit> {
    let count = cursor.array()?;
    if !(1..PARTIES_MAX as u64).contains(&count) {
        return Err(Unfit);
    }
    let mut to = Vec::with_capacity(count as usize);
    for _ in 0..count {
        let party = PartyIndex(cursor.within(0, PARTIES_MAX as u64 - 1)? as u8);
        if to.last().is_some_and(|last| *last >= party) {
            return Err(Unfit);
        }
        to.push(party);
    }
    Ok(to)
}
