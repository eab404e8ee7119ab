use super::*;
use proptest::prelude::*;

fn log(party: u8) -> LogKey {
    LogKey { party: PartyId([party; 32]), ..LEAST }
}

/// Written, and the sizes seen of other logs, for each entry of each log.
type Record = BTreeMap<LogKey, Vec<(i64, Vec<(LogKey, u64)>)>>;

fn order(record: &Record, begin: impl IntoIterator<Item = LogKey>) -> Vec<EntryId> {
    let held = record.iter().map(|(log, entries)| (*log, entries.len() as u64)).collect();
    let mut order = JointOrder::new(held);
    let offer = |order: &mut JointOrder, log: LogKey, index: u64| {
        if let Some((written, after)) = record[&log].get(index as usize) {
            let at = Timestamp::from_millis(*written);
            order.offer(EntryId { log, index }, at, after.iter().copied());
        }
    };
    begin.into_iter().for_each(|log| offer(&mut order, log, 0));
    let mut placed = Vec::new();
    while let Some(next) = order.next() {
        placed.push(next);
        order.place(&next.log);
        offer(&mut order, next.log, next.index + 1);
    }
    placed
}

/// The rule of `spec/record.md`, section 1, word by word.
fn by_the_book(record: &Record) -> Vec<EntryId> {
    let mut placed = BTreeMap::<LogKey, u64>::new();
    let mut out = Vec::new();
    loop {
        let next: Vec<_> = record
            .iter()
            .filter_map(|(log, entries)| {
                let index = placed.get(log).copied().unwrap_or(0);
                let (written, after) = entries.get(index as usize)?;
                let free = after.iter().all(|(of, size)| {
                    of == log
                        || *size > record.get(of).map_or(0, |entries| entries.len() as u64)
                        || *size <= placed.get(of).copied().unwrap_or(0)
                });
                Some((!free, *written, *log, index))
            })
            .collect();
        let Some((_, _, log, index)) = next.into_iter().min() else { return out };
        *placed.entry(log).or_default() += 1;
        out.push(EntryId { log, index });
    }
}

fn record() -> impl Strategy<Value = Record> {
    let entry = (0i64..20, proptest::collection::vec((0u8..4, 1u64..6), 0..3));
    let entry = entry.prop_map(|(written, after)| {
        (written, after.into_iter().map(|(party, size)| (log(party), size)).collect())
    });
    proptest::collection::vec(proptest::collection::vec(entry, 0..5), 4)
        .prop_map(|logs| logs.into_iter().enumerate().map(|(n, entries)| (log(n as u8), entries)).collect())
}

proptest! {
    #[test]
    fn the_order_is_that_of_the_rule_even_with_circles_and_lies(record in record()) {
        prop_assert_eq!(order(&record, record.keys().copied()), by_the_book(&record));
    }

    #[test]
    fn it_does_not_depend_on_which_log_is_offered_first(record in record()) {
        let forward = order(&record, record.keys().copied());
        prop_assert_eq!(&forward, &order(&record, record.keys().rev().copied()));
        // Every entry stands once, each log in its own order.
        let total: usize = record.values().map(Vec::len).sum();
        prop_assert_eq!(forward.len(), total);
        for (log, entries) in &record {
            let own: Vec<u64> = forward.iter().filter(|id| id.log == *log).map(|id| id.index).collect();
            prop_assert_eq!(own, (0..entries.len() as u64).collect::<Vec<_>>());
        }
    }
}

#[test]
fn what_was_seen_comes_first_whatever_the_clocks_say() {
    let record =
        Record::from([(log(0), vec![(500, vec![])]), (log(1), vec![(1, vec![(log(0), 1)]), (2, vec![])])]);
    let first = order(&record, record.keys().copied())[0];
    assert_eq!(first, EntryId { log: log(0), index: 0 });
}

#[test]
fn a_circle_is_broken_at_its_earliest_entry() {
    let record =
        Record::from([(log(0), vec![(9, vec![(log(1), 1)])]), (log(1), vec![(3, vec![(log(0), 1)])])]);
    let placed: Vec<u8> = order(&record, record.keys().copied()).iter().map(|id| id.log.party.0[0]).collect();
    assert_eq!(placed, [1, 0]);
}
