use super::*;

const CHANNEL: ChannelId = ChannelId([9; 32]);

fn log(party: u8, number: u32) -> LogKey {
    let generation = Generation { number, run: Run([number as u8; 8]) };
    LogKey { party: PartyId([party; 32]), lane: Lane::Ordinary, generation }
}

fn parties() -> Vec<PartyId> {
    (1..=3).map(|party| PartyId([party; 32])).collect()
}

#[test]
fn known_logs_come_first_and_new_ones_in_order() {
    let mut table = SeenTable::new(CHANNEL, log(1, 1));
    let first = table.next([(log(3, 1), 4), (log(2, 2), 1), (log(1, 1), 9), (log(2, 1), 0)], &parties());
    assert_eq!(first.0.len(), 2, "neither the log itself nor an empty one is listed");
    table.apply(&first, &parties()).unwrap();
    assert_eq!((table.ordinal(&log(2, 2)), table.ordinal(&log(3, 1))), (Some(1), Some(2)));

    let second = table.next([(log(2, 1), 1), (log(3, 1), 5), (log(2, 2), 1)], &parties());
    assert!(matches!(
        second.0[..],
        [SeenItem { log: SeenLog::Known(2), size: 5 }, SeenItem { log: SeenLog::New(_), size: 1 }]
    ));
    table.apply(&second, &parties()).unwrap();
    assert_eq!(table.log(3), Some(&log(2, 1)));
    assert_eq!(table.log(0), Some(&log(1, 1)));
    assert!(table.next([(log(3, 1), 5), (log(3, 1), 2)], &parties()).0.is_empty());
}

#[test]
fn what_does_not_fit_follows_in_the_next() {
    let mut table = SeenTable::new(CHANNEL, log(1, 1));
    let held: Vec<_> = (1..=60).map(|number| (log(2, number), 1)).collect();
    for expected in [48, 12, 0] {
        let seen = table.next(held.clone(), &parties());
        assert_eq!(seen.0.len(), expected);
        table.apply(&seen, &parties()).unwrap();
    }
}

#[test]
fn the_check_is_over_names_sizes_and_roots_in_order_of_names() {
    let mut table = SeenTable::new(CHANNEL, log(1, 1));
    // Name order is that of text: generation 10 stands before 9.
    let seen = table.next([(log(2, 9), 4), (log(2, 10), 5)], &parties());
    table.apply(&seen, &parties()).unwrap();
    let root = |log: &LogKey, size: u64| Some(Hash([log.generation.number as u8 + size as u8; 32]));
    let mut bytes = Vec::new();
    for (number, size) in [(10u32, 5u64), (9, 4)] {
        bytes.extend_from_slice(log(2, number).name(CHANNEL).as_bytes());
        bytes.push(0);
        bytes.extend_from_slice(&size.to_be_bytes());
        bytes.extend_from_slice(&[number as u8 + size as u8; 32]);
    }
    assert_eq!(table.check(root), Some(sha256(&[&bytes]).prefix()));
    assert_eq!(table.check(|log, _| (log.generation.number == 9).then_some(Hash([1; 32]))), None);
}

#[test]
fn a_successor_keeps_ordinals_and_adds_the_logs_it_names() {
    let mut table = SeenTable::new(CHANNEL, log(1, 1));
    let seen = table.next([(log(2, 1), 4), (log(1, 2), 3)], &parties());
    table.apply(&seen, &parties()).unwrap();
    let next = SeenTable::inherit(log(1, 3), &table, &[(log(1, 1), 7), (log(1, 2), 8)]);
    assert_eq!(next.log(0), Some(&log(1, 3)));
    assert_eq!(next.log(1), table.log(1));
    assert_eq!((next.ordinal(&log(1, 1)), next.size(&log(1, 1))), (Some(3), 7));
    assert_eq!((next.ordinal(&log(1, 2)), next.size(&log(1, 2))), (table.ordinal(&log(1, 2)), 8));
}

#[test]
fn a_bad_seen_changes_nothing() {
    let mut table = SeenTable::new(CHANNEL, log(1, 1));
    let seen = table.next([(log(2, 1), 4)], &parties());
    table.apply(&seen, &parties()).unwrap();
    let known = SeenItem { log: SeenLog::Known(1), size: 9 };
    let unknown = SeenItem { log: SeenLog::Known(2), size: 9 };
    assert_eq!(table.apply(&Seen(vec![known, unknown]), &parties()), Err(SeenError::PeerOrdinal(2)));
    assert_eq!(table.size(&log(2, 1)), 4);
    let falls = SeenItem { log: SeenLog::Known(1), size: 4 };
    assert_eq!(table.apply(&Seen(vec![falls]), &parties()), Err(SeenError::PeerSize(4)));
}
