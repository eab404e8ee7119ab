use super::*;
use crate::names::{Generation, LogKey, Run};
use detente_encoding::cbor;

const CHANNEL: ChannelId = ChannelId([9; 32]);

fn log(lane: Lane) -> LogKey {
    let generation = Generation { number: 1, run: Run([1; 8]) };
    LogKey { party: PartyId([2; 32]), lane, generation }
}

fn statement() -> Statement {
    let reference = |index| Reference {
        channel: CHANNEL,
        entry: EntryId { log: log(Lane::Ordinary), index },
        leaf: Hash([4; 32]),
    };
    Statement {
        kind: Kind::Note,
        edition: 3,
        drafted: Timestamp::from_millis(1_000),
        valid_minutes: 15,
        nonce: [1; 8],
        precedence: Precedence::Priority,
        format: None,
        references: vec![reference(5)],
        body: Value::Array(vec!["en".into(), "hello".into()]),
        extras: Extras { supersedes: Some(reference(6)), ..Extras::default() },
        attachments: vec![Hash([6; 32])],
        drafter: 2,
    }
}

#[test]
fn the_signed_hash_is_over_the_list_the_page_gives() {
    let reference = |index: u64| {
        let name = log(Lane::Ordinary).name(CHANNEL);
        Value::Array(vec![Value::Text(name), index.into(), Value::bytes(&[4; 32])])
    };
    let list = Value::Array(vec![
        "detente/1/release".into(),
        Value::bytes(&CHANNEL.0),
        Value::bytes(&[7; 32]),
        "emergency".into(),
        3u64.into(),
        1u64.into(),
        1_000u64.into(),
        15u64.into(),
        Value::bytes(&[1; 8]),
        1u64.into(),
        Value::Null,
        Value::Null,
        Value::Array(vec![reference(5)]),
        Value::Array(vec!["en".into(), "hello".into()]),
        Value::Map(vec![(6u64.into(), reference(6))]),
        Value::Array(vec![Value::bytes(&[6; 32])]),
        2u64.into(),
    ]);
    let hash = statement().hash(CHANNEL, PartyId([7; 32]), Lane::Emergency);
    assert_eq!(hash, sha256(&[&cbor::encode(&list)]));
}

#[test]
fn a_statement_is_bound_to_channel_party_and_lane() {
    let statement = statement();
    let party = PartyId([7; 32]);
    let hash = statement.hash(CHANNEL, party, Lane::Ordinary);
    assert_ne!(hash, statement.hash(ChannelId([8; 32]), party, Lane::Ordinary));
    assert_ne!(hash, statement.hash(CHANNEL, PartyId([8; 32]), Lane::Ordinary));
    assert_ne!(hash, statement.hash(CHANNEL, party, Lane::Exercise));
}

#[test]
fn a_log_not_seen_cannot_be_referred_to() {
    let table = SeenTable::new(CHANNEL, LogKey { party: PartyId([1; 32]), ..log(Lane::Ordinary) });
    let placement =
        Placement { number: 1, delay: 0, seen: Seen::default(), check: None, proof: Hash([0; 32]) };
    let unseen = EntryId { log: log(Lane::Ordinary), index: 5 };
    assert_eq!(statement().place(&table, placement.clone()), Err(PlaceError::LocalUnseen(unseen)));
    // On another channel the log is named in full, and no table is asked.
    let elsewhere = SeenTable::new(ChannelId([1; 32]), *table.own());
    let placed = statement().place(&elsewhere, placement).unwrap();
    assert_eq!(placed.statement.resolve(&elsewhere), Some(statement()));
}
