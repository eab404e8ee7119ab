//! Messages released before the clock starts: one notification of 400 bytes, each time a statement of its own.

use std::path::Path;

use detente_encoding::Timestamp;
use detente_encoding::text::hex;
use detente_node::Refusal;
use detente_node::api::ChannelContext;
use detente_node::compose::{Draft, FileKey};
use serde_json::json;

use crate::answer::Failure;

/// Bytes of the signed statement.
const STATEMENT_BYTES: usize = 400;

/// The lane that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lane {
    Ordinary,
    Emergency,
}

impl Lane {
    pub(super) fn from_word(word: &str) -> Result<Self, Failure> {
        match word {
            "ordinary" => Ok(Self::Ordinary),
            "emergency" => Ok(Self::Emergency),
            other => {
                Err(Failure::usage(format!("--lane {other}: lanes measured are ordinary and emergency")))
            }
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Ordinary => "ordinary",
            Self::Emergency => "emergency",
        }
    }

    fn precedence(self) -> &'static str {
        match self {
            Self::Ordinary => "priority",
            Self::Emergency => "immediate",
        }
    }
}

/// A statement with its release proof, as bytes: many of them wait at once.
pub(super) struct Prepared {
    statement: Box<[u8]>,
    proof: Box<[u8]>,
}

impl Prepared {
    /// The body of its POST.
    pub(super) fn body(&self) -> String {
        format!(r#"{{"statement":"{}","proof":"{}"}}"#, hex(&self.statement), hex(&self.proof))
    }
}

/// Drafts and signs messages.
pub(super) struct Releaser {
    draft: Draft,
    keys: Vec<FileKey>,
    context: ChannelContext,
    nonce: u64,
}

impl Releaser {
    pub(super) fn new(lane: Lane, context: ChannelContext, keys: Vec<FileKey>) -> Result<Self, Failure> {
        let mut remarks = 1;
        let draft = loop {
            let draft = draft(lane, &context, remarks)?;
            let length = draft.bound.encode().len();
            match STATEMENT_BYTES.checked_sub(length) {
                None | Some(0) => break draft,
                Some(missing) => remarks += missing.div_ceil(2),
            }
        };
        Ok(Self { draft, keys, context, nonce: 0 })
    }

    /// Bytes of one statement.
    pub(super) fn statement_bytes(&self) -> usize {
        self.draft.bound.encode().len()
    }

    /// The next message, released now: it must be handed in within a quarter of an hour.
    pub(super) fn next(&mut self) -> Result<Prepared, Failure> {
        let mut draft = self.draft.clone();
        self.nonce += 1;
        let statement = &mut draft.bound.statement;
        statement.nonce[..8].copy_from_slice(&self.nonce.to_be_bytes());
        statement.drafted = now();
        let signed = draft.sign(&self.keys, &self.context)?;
        let bytes = |text: &str| {
            detente_encoding::text::from_hex(text)
                .map(Vec::into_boxed_slice)
                .ok_or_else(|| Failure::new("no hexadecimal"))
        };
        Ok(Prepared { statement: bytes(&signed.statement)?, proof: bytes(&signed.proof)? })
    }
}

/// The wall clock, as drafts bear it.
pub(super) fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

fn draft(lane: Lane, context: &ChannelContext, remarks: usize) -> Result<Draft, Failure> {
    let message = json!({
        "precedence": lane.precedence(),
        "remarks": "All is as it was told before. ".chars().cycle().take(remarks - 1).chain(['.']).collect::<String>(),
        "notification": { "format": "US-RU.BMLN", "edition": 1, "fields": {
            "launch_date": "2099-03-15", "vehicle": "SLBM",
            "launch_area": { "ocean": "atlantic", "quadrant": 1 },
            "impact_areas": [ { "circle": { "center": [60.5, -17.9], "radius": 40, "unit": "nm" } } ],
        } },
    });
    let mut none = |citation: &str| Err(Refusal::not_found(citation.to_owned()));
    Ok(Draft::message(&message.to_string(), Path::new("."), context, &mut none)?)
}
