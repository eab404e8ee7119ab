//! A judge as bytes, so that a node starts without reading a million entries again.
//!
//! A snapshot is a view: it is made from the log's entries and can be made anew from them.

use std::sync::Arc;

use detente_crypto::Hash;
use detente_encoding::cbor::Value;

use super::{Act, Acts, LogJudge};
use crate::entry::{Cause, CredentialPayload, GenerationPayload, Named, RatifyBody};
use crate::names::{ChannelId, EntryId, Generation, Lane, LogKey, PartyId, PartyIndex, Run};
use crate::seen::SeenTable;

fn uint(number: u64) -> Value {
    Value::from(number)
}

fn log_value(log: &LogKey) -> Value {
    Value::Array(vec![
        Value::bytes(&log.party.0),
        uint(log.lane as u64),
        uint(u64::from(log.generation.number)),
        Value::bytes(&log.generation.run.0),
    ])
}

fn read_log(value: &Value) -> Option<LogKey> {
    let [party, lane, number, run] = value.as_array()? else { return None };
    Some(LogKey {
        party: PartyId(party.as_bytes()?.try_into().ok()?),
        lane: Lane::from_number(lane.as_u64()?)?,
        generation: Generation {
            number: u32::try_from(number.as_u64()?).ok()?,
            run: Run(run.as_bytes()?.try_into().ok()?),
        },
    })
}

fn hash_value(hash: Option<&Hash>) -> Value {
    hash.map_or(Value::Null, |hash| Value::bytes(&hash.0))
}

fn read_hash(value: &Value) -> Option<Hash> {
    Some(Hash(value.as_bytes()?.try_into().ok()?))
}

fn act_value(act: &Act) -> Value {
    Value::Array(match act {
        Act::Ratify(body) => vec![
            uint(0),
            uint(u64::from(body.edition)),
            Value::bytes(&body.charter.0),
            hash_value(body.previous.as_ref()),
        ],
        Act::Suspend => vec![uint(1)],
        Act::Restore { lifts } => {
            let lifts = lifts.iter().map(|id| Value::Array(vec![log_value(&id.log), uint(id.index)]));
            vec![uint(2), Value::Array(lifts.collect())]
        }
        Act::Close => vec![uint(3)],
        Act::Credential(named) => vec![
            uint(4),
            uint(u64::from(named.party.0)),
            uint(u64::from(named.edition)),
            Value::bytes(&named.text.0),
            uint(u64::from(named.roster_number)),
            Value::bytes(&named.roster.0),
        ],
        Act::Key => vec![uint(5)],
    })
}

fn read_act(value: &Value) -> Option<Act> {
    let (kind, rest) = value.as_array()?.split_first()?;
    Some(match (kind.as_u64()?, rest) {
        (0, [edition, charter, previous]) => Act::Ratify(RatifyBody {
            edition: u32::try_from(edition.as_u64()?).ok()?,
            charter: read_hash(charter)?,
            previous: if previous.is_null() { None } else { Some(read_hash(previous)?) },
        }),
        (1, []) => Act::Suspend,
        (2, [lifts]) => {
            let lifts = lifts.as_array()?.iter().map(|item| {
                let [log, index] = item.as_array()? else { return None };
                Some(EntryId { log: read_log(log)?, index: index.as_u64()? })
            });
            Act::Restore { lifts: lifts.collect::<Option<_>>()? }
        }
        (3, []) => Act::Close,
        (4, [party, edition, text, number, roster]) => Act::Credential(CredentialPayload {
            party: PartyIndex(u8::try_from(party.as_u64()?).ok()?),
            edition: u32::try_from(edition.as_u64()?).ok()?,
            text: read_hash(text)?,
            roster_number: u32::try_from(number.as_u64()?).ok()?,
            roster: read_hash(roster)?,
        }),
        (5, []) => Act::Key,
        _ => return None,
    })
}

impl LogJudge {
    /// This judge with the acts of its log so far.
    #[must_use]
    pub fn snapshot(&self, acts: &Acts) -> Value {
        let rows = self.table.iter().map(|(log, size)| Value::Array(vec![log_value(log), uint(size)]));
        let generation = self.generation.as_ref().map_or(Value::Null, |generation| {
            let named = generation.named.iter().map(|named| {
                Value::Array(vec![
                    uint(u64::from(named.generation.number)),
                    Value::bytes(&named.generation.run.0),
                    uint(named.size),
                    Value::bytes(&named.root.0),
                ])
            });
            Value::Array(vec![
                uint(generation.cause as u64),
                uint(u64::from(generation.suite)),
                uint(u64::from(generation.credential_edition)),
                Value::Array(named.collect()),
            ])
        });
        let acts = acts.between(self.log(), 0, self.index);
        let acts = acts.iter().map(|(index, act)| Value::Array(vec![uint(*index), act_value(act)]));
        Value::Array(vec![
            uint(self.index),
            Value::Array(rows.collect()),
            generation,
            Value::Array(acts.collect()),
        ])
    }

    /// A judge from its snapshot; the acts of its log are recorded in `acts`. `None` for anything
    /// that [`LogJudge::snapshot`] does not write: judge the log from its beginning then.
    #[must_use]
    pub fn resume(
        channel: ChannelId,
        log: LogKey,
        parties: Arc<[PartyId]>,
        snapshot: &Value,
        acts: &mut Acts,
    ) -> Option<Self> {
        let [index, rows, generation, own_acts] = snapshot.as_array()? else { return None };
        let rows = rows.as_array()?.iter().map(|row| {
            let [log, size] = row.as_array()? else { return None };
            Some((read_log(log)?, size.as_u64()?))
        });
        let rows: Vec<(LogKey, u64)> = rows.collect::<Option<_>>()?;
        let mut judge = Self::new(channel, log, parties)?;
        judge.table = SeenTable::inherit(log, &SeenTable::new(channel, log), &rows);
        judge.index = index.as_u64()?;
        judge.generation = match generation {
            Value::Null => None,
            generation => Some(read_generation(generation)?),
        };
        for item in own_acts.as_array()? {
            let [index, act] = item.as_array()? else { return None };
            acts.record(EntryId { log, index: index.as_u64()? }, read_act(act)?);
        }
        Some(judge)
    }
}

fn read_generation(value: &Value) -> Option<GenerationPayload> {
    let [cause, suite, edition, named] = value.as_array()? else { return None };
    let named = named.as_array()?.iter().map(|item| {
        let [number, run, size, root] = item.as_array()? else { return None };
        Some(Named {
            generation: Generation {
                number: u32::try_from(number.as_u64()?).ok()?,
                run: Run(run.as_bytes()?.try_into().ok()?),
            },
            size: size.as_u64()?,
            root: read_hash(root)?,
        })
    });
    Some(GenerationPayload {
        cause: [Cause::Start, Cause::Keys, Cause::Suite, Cause::LostStore]
            .into_iter()
            .find(|known| Some(*known as u64) == cause.as_u64())?,
        suite: u8::try_from(suite.as_u64()?).ok()?,
        credential_edition: u32::try_from(edition.as_u64()?).ok()?,
        named: named.collect::<Option<_>>()?,
    })
}
