//! What the acts a log has seen make of the channel, for that log.
//!
//! Nothing here is global: each log lives under the editions, suspensions and closings that its
//! writer had seen, so a verdict never depends on what crossed it. Source: `spec/record.md`,
//! sections 2 and 3.

use std::collections::{BTreeMap, BTreeSet};

use detente_crypto::Hash;

use super::acts::{Act, Acts};
use crate::entry::CredentialPayload;
use crate::names::{EntryId, PartyId, PartyIndex};
use crate::seen::SeenTable;

/// The channel as one log has seen it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The edition in force; 0 while there is none.
    pub edition: u32,
    /// SHA-256 of the charter in force.
    pub charter: Option<Hash>,
    /// The number that the next ratification must bear: the lowest above `edition` that is not spent.
    pub next_edition: u32,
    /// Editions that this log's own party has ratified.
    pub ratified: BTreeSet<u32>,
    /// Suspensions in force, of any party.
    pub suspensions: BTreeSet<EntryId>,
    /// The first closing seen, by order of logs.
    pub closed: Option<EntryId>,
    /// The newest credential and roster that this log's party has named for itself; without one,
    /// roster 0 of the credential edition of the generation entry counts.
    pub roster: Option<CredentialPayload>,
}

impl Standing {
    /// What `acts` are for the log of `table` before its entry `index`.
    #[must_use]
    pub fn seen_by(table: &SeenTable, index: u64, acts: &Acts, parties: &[PartyId]) -> Self {
        let own = table.own();
        let mut standing = Self::default();
        let mut ratifications = BTreeMap::<u32, BTreeMap<Hash, BTreeSet<PartyId>>>::new();
        let mut lifted = BTreeSet::new();
        for log in acts.logs() {
            let seen = if log == own { index } else { table.size(log) };
            for (at, act) in acts.between(log, 0, seen) {
                let entry = EntryId { log: *log, index: *at };
                match act {
                    Act::Ratify(body) => {
                        let texts = ratifications.entry(body.edition).or_default();
                        texts.entry(body.charter).or_default().insert(log.party);
                        if log.party == own.party {
                            standing.ratified.insert(body.edition);
                        }
                    }
                    Act::Suspend => {
                        standing.suspensions.insert(entry);
                    }
                    Act::Restore { lifts } => lifted.extend(lifts.iter().copied()),
                    Act::Close => standing.closed = standing.closed.or(Some(entry)),
                    Act::Credential(named)
                        if log.party == own.party && is(named.party, own.party, parties) =>
                    {
                        let newest = |named: &CredentialPayload| (named.edition, named.roster_number);
                        if standing.roster.as_ref().is_none_or(|held| newest(held) < newest(named)) {
                            standing.roster = Some(*named);
                        }
                    }
                    Act::Credential(_) | Act::Key => {}
                }
            }
        }
        standing.suspensions.retain(|suspension| !lifted.contains(suspension));
        standing.put_in_force(&ratifications, parties.len());
        standing
    }

    fn put_in_force(
        &mut self,
        ratifications: &BTreeMap<u32, BTreeMap<Hash, BTreeSet<PartyId>>>,
        parties: usize,
    ) {
        for (edition, texts) in ratifications {
            if let Some((charter, _)) = texts.iter().find(|(_, by)| by.len() == parties) {
                self.edition = *edition;
                self.charter = Some(*charter);
            }
        }
        // Two texts under one number, neither ratified by all: ratifications are final, so neither
        // can be any more, and the number is spent.
        let spent = |edition: u32| ratifications.get(&edition).is_some_and(|texts| texts.len() > 1);
        self.next_edition = self.edition.saturating_add(1);
        while spent(self.next_edition) {
            self.next_edition = self.next_edition.saturating_add(1);
        }
    }

    /// The suspensions in force that `party` made and could end.
    pub fn suspensions_of(&self, party: PartyId) -> impl Iterator<Item = &EntryId> {
        self.suspensions.iter().filter(move |suspension| suspension.log.party == party)
    }
}

fn is(index: PartyIndex, party: PartyId, parties: &[PartyId]) -> bool {
    parties.get(usize::from(index.0)) == Some(&party)
}
