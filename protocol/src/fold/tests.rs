use super::*;
use crate::names::{Lane, Precedence};
use crate::verify::tests::world::{START, Say, World};
use detente_encoding::cbor::Value;
use proptest::prelude::*;

const FAR: Timestamp = Timestamp::from_millis(START + 10_000_000_000);

/// What a node stores: every changed state.
#[derive(Default)]
struct Store {
    states: BTreeMap<Hash, Vec<u8>>,
    places: BTreeMap<EntryId, (Hash, Hash)>,
}

impl Views for Store {
    fn by_statement(&self, statement: &Hash) -> Option<MessageState> {
        self.states.get(statement).map(|row| MessageState::decode(row).unwrap())
    }
    fn by_entry(&self, entry: &EntryId) -> Option<(Hash, Hash)> {
        self.places.get(entry).copied()
    }
}

struct Node {
    fold: Fold,
    store: Store,
    changes: Vec<Change>,
}

impl Node {
    fn new(world: &World) -> Self {
        Self { fold: Fold::new(world.charter.clone()), store: Store::default(), changes: Vec::new() }
    }

    fn keep(&mut self, changed: Vec<Changed>) {
        for Changed { state, leaf, change } in changed {
            assert_eq!(MessageState::decode(&state.encode()).as_ref(), Some(&state));
            self.store.places.extend(leaf.map(|(entry, leaf)| (entry, (state.statement, leaf))));
            self.store.states.insert(state.statement, state.encode());
            self.changes.push(change);
        }
    }

    fn tell(&mut self, world: &World, place: usize) {
        let (id, leaf, judged) = &world.told[place];
        let table = world.judges[&id.log].table();
        let changed = self.fold.apply_entry(Learned { id: *id, leaf: *leaf, judged, table }, &self.store);
        self.keep(changed);
    }

    fn receipt(&mut self, log: LogKey, by: u8, before: u64, size: u64, time_s: u64) {
        let changed = self.fold.apply_receipt(log, PartyIndex(by), before, size, time_s, None);
        self.keep(changed);
    }

    fn all(world: &World) -> Self {
        let mut node = Self::new(world);
        (0..world.told.len()).for_each(|place| node.tell(world, place));
        node
    }

    fn at(&self, reference: &Reference) -> MessageState {
        let statement = self.fold.statement_at(&reference.entry, &self.store).unwrap();
        self.fold.state(&statement, &self.store).unwrap()
    }
}

/// An exchange: a message, opened, acknowledged, answered; one taken back; one without any answer.
fn exchange() -> (World, Vec<Reference>) {
    let mut world = World::open();
    let asked = world.say(0, Lane::Ordinary, Say::note("shall we meet?"));
    world.opened(1, Lane::Ordinary, asked);
    world.say(1, Lane::Ordinary, Say::answer(Kind::Acknowledgement, asked));
    world.say(1, Lane::Ordinary, Say { signers: vec![0, 1], ..Say::answer(Kind::Accept, asked) });
    let back = world.say(0, Lane::Ordinary, Say::note("not meant"));
    world.say(0, Lane::Ordinary, Say { signers: vec![0, 1], ..Say::answer(Kind::Withdraw, back) });
    let alone = world.say(1, Lane::Ordinary, Say::note("anybody?"));
    (world, vec![asked, back, alone])
}

#[test]
fn a_message_goes_through_its_states_by_entries_and_receipts() {
    let (world, said) = exchange();
    let mut node = Node::all(&world);
    let state = node.at(&said[0]);
    let veg = PartyIndex(1);
    assert!(state.opened.contains_key(&veg) && state.acknowledged.contains_key(&veg));
    assert_eq!(state.answered.iter().map(|answer| answer.kind).collect::<Vec<_>>(), [Kind::Accept]);
    // Known by the entry that refers to it; a receipt with its own time then outweighs that.
    assert!(!state.delivered[&veg].receipted);
    assert!(!state.is_settled());
    let time_s = (state.written.millis() / 1000 + 1) as u64;
    let size = said[0].entry.index + 1;
    node.receipt(said[0].entry.log, 1, 0, size, time_s);
    let state = node.at(&said[0]);
    assert!(state.delivered[&veg].receipted && state.is_settled());
    assert!(node.at(&said[1]).withdrawn.is_some());
    assert!(!node.at(&said[2]).acknowledged.contains_key(&PartyIndex(0)));
}

#[test]
fn settled_messages_leave_memory_and_come_back_when_spoken_of() {
    let (mut world, said) = exchange();
    let mut node = Node::all(&world);
    let log = said[0].entry.log;
    node.receipt(log, 1, 0, said[0].entry.index + 1, 1_900_000_000);
    let statement = node.at(&said[0]).statement;
    assert!(node.fold.open().all(|state| state.statement != statement));
    world.say(1, Lane::Ordinary, Say { signers: vec![0], ..Say::answer(Kind::Clarify, said[0]) });
    node.tell(&world, world.told.len() - 1);
    assert_eq!(node.at(&said[0]).answered.len(), 2);
    assert!(node.fold.open().all(|state| state.statement != statement));
}

#[test]
fn a_reference_with_another_leaf_acknowledges_nothing() {
    let mut world = World::open();
    let said = world.say(0, Lane::Ordinary, Say::note("hello"));
    let forked = Reference { leaf: Hash([5; 32]), ..said };
    world.say(1, Lane::Ordinary, Say::answer(Kind::Acknowledgement, forked));
    assert_eq!(Node::all(&world).at(&said).acknowledged.len(), 0);
}

#[test]
fn clocks_run_until_acknowledged_and_overdue_depends_on_the_moment_asked() {
    let (world, said) = exchange();
    let node = Node::all(&world);
    let state = node.at(&said[2]);
    assert_eq!(state.deadline, state.written.after(28_800_000));
    assert_eq!(state.overdue(state.deadline).count(), 0);
    assert_eq!(state.overdue(state.deadline.after(1)).collect::<Vec<_>>(), [PartyIndex(0)]);
    let clocks = node.fold.clocks();
    assert!(clocks.contains(&Clock {
        due: state.deadline,
        statement: state.statement,
        party: Some(PartyIndex(0)),
    }));
    let answered = node.at(&said[0]).statement;
    assert!(clocks.iter().all(|clock| clock.statement != answered));
    let earliest = clocks.first().unwrap().due;
    assert!(node.fold.next_due(Timestamp::from_millis(START)).unwrap() <= earliest);
    assert_eq!(node.fold.next_due(FAR), None);
}

#[test]
fn a_proof_that_is_asked_for_decides_how_a_message_is_shown() {
    let mut world = World::open();
    world.begin(0, Lane::Emergency, 1, &[]);
    world.now += 10_000;
    let flash = Say { precedence: Precedence::Flash, ..Say::note("now") };
    let said = world.say(0, Lane::Emergency, flash);
    let mut node = Node::all(&world);
    let state = node.at(&said);
    assert_eq!(state.shown(state.deadline), Shown::NotYet);
    assert_eq!(state.shown(state.deadline.after(1)), Shown::NotReleased);
    let verdict = release::Verdict::Satisfied { keys: vec![1, 2] };
    let mut late = Node::all(&world);
    let changed = late.fold.apply_proof(&state.statement, &verdict, state.deadline.after(5), &late.store);
    late.keep(changed);
    assert_eq!(late.at(&said).shown(FAR), Shown::VerifiedLate(vec![1, 2]));
    let changed = node.fold.apply_proof(&state.statement, &verdict, state.written, &node.store);
    node.keep(changed);
    assert_eq!(node.at(&said).shown(FAR), Shown::Verified(vec![1, 2]));
    let missing = release::Verdict::NotSatisfied(release::NotSatisfied::PeerUnknownKey(9));
    let changed = node.fold.apply_proof(&state.statement, &missing, FAR, &node.store);
    node.keep(changed);
    assert_eq!(node.at(&said).shown(FAR), Shown::Verified(vec![1, 2]));
}

#[test]
fn a_receipt_dated_before_the_message_is_disputed() {
    let mut world = World::open();
    let said = world.say(0, Lane::Ordinary, Say::note("hello"));
    let mut node = Node::all(&world);
    node.receipt(said.entry.log, 1, 0, said.entry.index + 1, (START / 1000 - 60) as u64);
    assert!(node.at(&said).delivered[&PartyIndex(1)].disputed);
}

#[test]
fn standing_and_contact_follow_from_the_record() {
    let mut world = World::of(&[("ALT", 1), ("VEG", 2)]);
    let parties = world.charter.parties.clone();
    assert_eq!(ChannelStanding::of(&world.acts, &parties).word(), "proposed");
    world = World::open();
    assert_eq!(ChannelStanding::of(&world.acts, &parties), ChannelStanding::Open(1));
    let close = Say { kind: Kind::Close, body: Value::Null, ..Say::note("") };
    let closed = world.say(1, Lane::Ordinary, close);
    assert_eq!(ChannelStanding::of(&world.acts, &parties), ChannelStanding::Closed(closed.entry));
    let node = Node::all(&world);
    assert!(!node.fold.contact(Timestamp::from_millis(world.now)).silent);
    let contact = node.fold.contact(FAR);
    assert!(contact.silent);
    assert_eq!(contact.last[&PartyIndex(1)].1, closed.entry);
}

#[test]
fn a_line_of_the_journal_says_all_of_it() {
    let (world, said) = exchange();
    let node = Node::all(&world);
    let codes = Codes(world.members.iter().map(|m| (m.id, m.text.code.clone())).collect());
    let states: Vec<MessageState> = said.iter().map(|reference| node.at(reference)).collect();
    let cited = citations(&states, &codes);
    let entry = |state: &MessageState, kind: &'static str| {
        let note = Note::Spoken(state, cited.get(&state.statement));
        line(
            world.channel,
            &JournalEntry { id: state.entry, written: state.written, kind, note },
            &codes,
            FAR,
        )
    };
    let text = entry(&states[0], "note");
    let own = codes.of(said[0].entry.log.party);
    assert!(text.contains(&format!(" {own}/2027/0003 note detente/")), "{text}");
    assert!(text.contains(&format!("released {own} 2027-")), "{text}");
    assert!(text.contains(";accept ") && text.contains(";opened ") && text.ends_with('Z'), "{text}");
    assert!(entry(&states[2], "note").contains(";overdue "), "{text}");
    let void = JournalEntry {
        id: said[0].entry,
        written: Timestamp::from_millis(0),
        kind: "-",
        note: Note::Void(crate::entry::Clause::Cbor),
    };
    assert!(line(world.channel, &void, &codes, FAR).ends_with(" void:cbor"));
}

#[test]
fn the_journal_of_a_whole_record_has_a_line_for_each_entry_and_depends_on_the_moment_alone() {
    let (mut world, said) = exchange();
    world.put(said[0].entry.log, b"junk");
    let codes = Codes(world.members.iter().map(|m| (m.id, m.text.code.clone())).collect());
    let journal = |now| {
        let mut whole = WholeRecord::new([world.charter.clone()]);
        for (id, leaf, judged) in &world.told {
            let table = world.judges[&id.log].table();
            whole.entry(Learned { id: *id, leaf: *leaf, judged, table });
        }
        for (by, place) in [(1, 0), (0, 1)] {
            let log = world.key(place, Lane::Ordinary, 1);
            whole.receipt(log, PartyIndex(by), 0, world.logs[&log].tree.size(), 1_800_000_100);
        }
        let mut text = String::new();
        whole.journal(&codes, now, |line| text.push_str(line));
        text
    };
    let soon = journal(Timestamp::from_millis(world.now));
    assert_eq!(soon.lines().count(), world.told.len());
    assert_eq!(soon, journal(Timestamp::from_millis(world.now)));
    assert!(soon.ends_with(" void:cbor\n") && !soon.contains("overdue"), "{soon}");
    // A settled message is in the journal like any other.
    assert!(soon.contains("VEG 2027-01-15T08:01:40Z;opened VEG "), "{soon}");
    assert!(journal(FAR).contains(";overdue "));
}

#[test]
fn two_messages_under_one_number_are_told_apart_by_their_runs() {
    let (world, said) = exchange();
    let node = Node::all(&world);
    let codes = Codes(world.members.iter().map(|m| (m.id, m.text.code.clone())).collect());
    let first = node.at(&said[0]);
    let mut second = MessageState { statement: Hash([1; 32]), ..first.clone() };
    second.entry.log.generation.run = crate::names::Run([0xab; 8]);
    let cited = citations([&first, &second], &codes);
    assert!(cited[&second.statement].to_string().ends_with("~abab"));
    assert!(cited[&first.statement].to_string().ends_with("~0101"));
    for citation in cited.values() {
        assert_eq!(Citation::parse(&citation.to_string()).as_ref(), Some(citation));
    }
    for wrong in
        ["ALT/2027", "ALT/27/0001", "ALT/2027/001", "ALT/2027/0001~AB12", "/2027/0001", "ALT/2027/0000"]
    {
        assert_eq!(Citation::parse(wrong), None, "{wrong}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_same_record_in_any_order_comes_to_the_same_states(seed in any::<u64>()) {
        let (world, said) = exchange();
        let receipts = |node: &mut Node| {
            for (by, place) in [(1, 0), (0, 1)] {
                let log = world.key(place, Lane::Ordinary, 1);
                let size = world.logs[&log].tree.size();
                node.receipt(log, by, 0, size, 1_900_000_000);
            }
        };
        let mut straight = Node::all(&world);
        receipts(&mut straight);
        let mut order: Vec<usize> = (0..world.told.len()).collect();
        let mut random = seed;
        for place in (1..order.len()).rev() {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            order.swap(place, (random >> 33) as usize % (place + 1));
        }
        let mut shuffled = Node::new(&world);
        let cut = (seed % (order.len() as u64 + 1)) as usize;
        for (step, place) in order.iter().enumerate() {
            if step == cut {
                receipts(&mut shuffled);
            }
            shuffled.tell(&world, *place);
        }
        if cut == order.len() {
            receipts(&mut shuffled);
        }
        for reference in &said {
            prop_assert_eq!(straight.at(reference), shuffled.at(reference));
        }
        prop_assert_eq!(straight.fold.clocks(), shuffled.fold.clocks());
        prop_assert_eq!(straight.fold.contact(FAR), shuffled.fold.contact(FAR));
    }
}
