//! The bytes that officers sign, as a document: a statement on its way from a drafter to a node.

use super::{Statement, WireReference};
use crate::cursor::{Cursor, Unfit, write};
use crate::entry::{Kind, LogRef, Reference};
use crate::names::{ChannelId, EntryId, Lane, PartyId};

/// The label at the beginning of the signed array.
const LABEL: &str = "detente/1/release";

/// A statement with what it is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// The channel it was drafted for.
    pub channel: ChannelId,
    /// The party that speaks.
    pub party: PartyId,
    /// The lane it was signed for.
    pub lane: Lane,
    /// What it says.
    pub statement: Statement,
}

impl Bound {
    /// The bytes whose hash officers sign. Source: `spec/entry.md`, section 2.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        self.statement.signed_bytes(self.channel, self.party, self.lane)
    }

    /// Reads what [`Self::encode`] writes; `None` for anything but that one encoding.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let bound = read(bytes).ok()?;
        (bound.encode() == bytes).then_some(bound)
    }
}

fn read(bytes: &[u8]) -> Result<Bound, Unfit> {
    let mut cursor = Cursor::new(bytes);
    cursor.array_of(17)?;
    if cursor.text()? != LABEL {
        return Err(Unfit);
    }
    let (channel, party) = (ChannelId(cursor.bytes()?), PartyId(cursor.bytes()?));
    let lane = Lane::from_word(cursor.text()?).ok_or(Unfit)?;
    let edition = cursor.u32()?;
    let kind = Kind::from_number(cursor.uint()?).ok_or(Unfit)?;
    let (statement, unknown) = Statement::read_common(kind, edition, &mut cursor)?;
    cursor.end()?;
    if unknown {
        return Err(Unfit);
    }
    let statement = statement.map(full).ok_or(Unfit)?;
    Ok(Bound { channel, party, lane, statement })
}

/// In a signed statement every reference bears the full log name.
fn full(reference: &WireReference) -> Option<Reference> {
    match reference.log {
        LogRef::Ordinal(_) => None,
        LogRef::Named(channel, log) => {
            let entry = EntryId { log, index: reference.index };
            Some(Reference { channel, entry, leaf: reference.leaf })
        }
    }
}

impl Statement {
    /// The array that officers sign, encoded.
    #[must_use]
    pub fn signed_bytes(&self, channel: ChannelId, party: PartyId, lane: Lane) -> Vec<u8> {
        let mut out = Vec::with_capacity(512);
        write::array(17, &mut out);
        write::text(LABEL, &mut out);
        write::bytes(&channel.0, &mut out);
        write::bytes(&party.0, &mut out);
        write::text(lane.word(), &mut out);
        write::uint(u64::from(self.edition), &mut out);
        write::uint(self.kind as u64, &mut out);
        self.write_common(&mut out);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::Extras;
    use crate::names::{Generation, LogKey, Precedence, Run};
    use detente_crypto::{Hash, sha256};
    use detente_encoding::Timestamp;
    use detente_encoding::cbor::Value;

    #[test]
    fn a_statement_is_read_as_it_was_signed_and_nothing_else_is() {
        let log = LogKey {
            party: PartyId([2; 32]),
            lane: Lane::Emergency,
            generation: Generation { number: 1, run: Run([3; 8]) },
        };
        let reference =
            Reference { channel: ChannelId([1; 32]), entry: EntryId { log, index: 7 }, leaf: Hash([4; 32]) };
        let statement = Statement {
            kind: Kind::Acknowledgement,
            edition: 1,
            drafted: Timestamp::from_millis(1_800_000_000_000),
            valid_minutes: 15,
            nonce: [5; 8],
            precedence: Precedence::Flash,
            format: None,
            references: vec![reference],
            body: Value::Null,
            extras: Extras::default(),
            attachments: Vec::new(),
            drafter: 1,
        };
        let bound =
            Bound { channel: ChannelId([1; 32]), party: PartyId([6; 32]), lane: Lane::Emergency, statement };
        let bytes = bound.encode();
        assert_eq!(Bound::decode(&bytes).as_ref(), Some(&bound));
        assert_eq!(sha256(&[&bytes]), bound.statement.hash(bound.channel, bound.party, bound.lane));
        for end in 0..bytes.len() {
            assert_eq!(Bound::decode(&bytes[..end]), None);
        }
    }
}
