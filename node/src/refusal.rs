//! Why something that a person or program asked for is not done: one sentence that names the place.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::folder::FolderError;
use crate::store::StoreError;

/// Whose matter a refusal is; programs may stand on the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalKind {
    /// What was asked for is not allowed or not complete: correct it.
    Refused,
    /// There is no such channel, entry, officer or file.
    NotFound,
    /// A label, prefix or number means several: the sentence lists them.
    Ambiguous,
    /// The node cannot do it now: disk, full queue, stopping.
    Unavailable,
}

/// A refusal. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Whose matter it is.
    pub kind: RefusalKind,
    /// One sentence that names the field, file or entry and says what to do.
    pub reason: String,
    /// All faults of a message, each with its path; empty for other refusals.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<FaultLine>,
}

/// One fault of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultLine {
    /// Path of the field in the message file.
    pub path: String,
    /// Stable name of the fault.
    pub code: String,
    /// One sentence.
    pub text: String,
    /// Whether it stops the message.
    pub refuses: bool,
}

impl Refusal {
    /// Not allowed or not complete.
    #[must_use]
    pub fn refused(reason: impl Into<String>) -> Self {
        Self { kind: RefusalKind::Refused, reason: reason.into(), faults: Vec::new() }
    }

    /// No such thing.
    #[must_use]
    pub fn not_found(reason: impl Into<String>) -> Self {
        Self { kind: RefusalKind::NotFound, ..Self::refused(reason) }
    }

    /// Several such things.
    #[must_use]
    pub fn ambiguous(reason: impl Into<String>) -> Self {
        Self { kind: RefusalKind::Ambiguous, ..Self::refused(reason) }
    }

    /// Not now.
    #[must_use]
    pub fn unavailable(reason: impl Into<String>) -> Self {
        Self { kind: RefusalKind::Unavailable, ..Self::refused(reason) }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Refusal {}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::unavailable(error.to_string())
    }
}

impl From<FolderError> for Refusal {
    fn from(error: FolderError) -> Self {
        Self::refused(error.to_string())
    }
}

impl From<detente_protocol::channel::RecordError> for Refusal {
    fn from(error: detente_protocol::channel::RecordError) -> Self {
        Self::unavailable(error.to_string())
    }
}
