//! Who plays: parties, officers and channels, read from `scenarios/cast.toml`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::answer::Failure;

/// The whole cast.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cast {
    /// Parties, each with a node of its own.
    #[serde(rename = "party")]
    pub(crate) parties: Vec<Party>,
    /// Channels between them.
    #[serde(rename = "channel")]
    pub(crate) channels: Vec<Channel>,
}

/// A party.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Party {
    /// Its code.
    pub(crate) code: String,
    /// What the transcript calls it.
    pub(crate) name: String,
    /// A few words on it.
    pub(crate) about: String,
    /// What its watch reads.
    pub(crate) language: String,
    /// Its names by language.
    pub(crate) names: BTreeMap<String, String>,
    /// Who drafts and who releases with them.
    pub(crate) release: [String; 2],
    /// Who keeps watch.
    pub(crate) watch: String,
}

/// A channel.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Channel {
    /// What the scenes call it.
    pub(crate) id: String,
    /// Who proposes it.
    pub(crate) by: String,
    /// Its charter file.
    pub(crate) charter: String,
}

/// Reads the cast.
///
/// # Errors
/// A sentence that names the key.
pub(crate) fn cast() -> Result<Cast, Failure> {
    let text = include_str!("../../../scenarios/cast.toml");
    toml::from_str(text).map_err(|why| Failure::new(format!("scenarios/cast.toml: {why}")))
}
