//! The channels a node knows: their charters and the numbers under which the record keeps them.

use std::collections::BTreeMap;

use detente_protocol::charter::Charter;
use detente_protocol::names::{ChannelId, PartyId};

use crate::store::{Store, StoreError};

/// `channel/<number, 10 digits>/<edition, 10 digits>`: charter bytes.
const CHANNELS: &str = "channel/";
/// Channels of one node at most: each holds keys, tables and a place in every loop.
pub const CHANNELS_MAX: usize = 1024;

/// A channel as kept.
#[derive(Clone, Debug)]
pub struct Known {
    /// Its number in this record.
    pub number: u32,
    /// Its identity.
    pub id: ChannelId,
    /// Charter editions held, rising.
    pub charters: Vec<Charter>,
}

impl Known {
    /// The newest charter held.
    #[must_use]
    pub fn charter(&self) -> &Charter {
        self.charters.last().expect("a known channel has its first charter")
    }

    /// The charter of an edition; that of edition 1 while none is in force.
    #[must_use]
    pub fn edition(&self, edition: u32) -> &Charter {
        let found = self.charters.iter().rev().find(|charter| charter.edition <= edition.max(1));
        found.unwrap_or(&self.charters[0])
    }
}

/// All channels, by number.
///
/// # Errors
/// [`StoreError`].
pub fn list(store: &Store) -> Result<Vec<Known>, StoreError> {
    let damaged = || StoreError::EnvironmentRow("the charters");
    let mut found: BTreeMap<u32, Vec<Charter>> = BTreeMap::new();
    for (key, bytes) in store.facts(CHANNELS)? {
        let number = key[CHANNELS.len()..].split('/').next().and_then(|number| number.parse().ok());
        let charter = Charter::decode(&bytes).map_err(|_| damaged())?;
        found.entry(number.ok_or_else(damaged)?).or_default().push(charter);
    }
    Ok(found
        .into_iter()
        .map(|(number, charters)| Known { number, id: charters[0].channel_id(), charters })
        .collect())
}

/// Keeps a new channel's charter; answers the channel as it is then known.
///
/// # Errors
/// [`StoreError`]; nothing is kept.
pub fn keep(store: &Store, known: &[Known], charter: Charter) -> Result<Known, StoreError> {
    let number = known.iter().map(|known| known.number + 1).max().unwrap_or(1);
    store.keep_facts(&[(format!("{CHANNELS}{number:010}/{:010}", charter.edition), charter.encode())])?;
    Ok(Known { number, id: charter.channel_id(), charters: vec![charter] })
}

/// The parties of a charter whose credentials are missing.
pub fn missing<'a>(
    charter: &'a Charter,
    held: impl Fn(&PartyId) -> bool + 'a,
) -> impl Iterator<Item = &'a PartyId> {
    charter.parties.iter().filter(move |party| !held(party))
}
