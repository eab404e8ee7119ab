use super::*;
use crate::names::{Precedence, Run};
use crate::seen::{SeenItem, SeenLog};
use crate::statement::FormatRef;
use detente_crypto::Hash;
use proptest::prelude::*;

/// US-RU.BMLN as a narrow link carries it: a body of 26 bytes, three known logs above 65,536.
fn narrow() -> SpokenEntry {
    let body = Value::Array(vec![Value::Bytes(vec![7; 23]), 1u64.into()]);
    let seen = (1..=3).map(|n| SeenItem { log: SeenLog::Known(n), size: 70_000 + n }).collect();
    SpokenEntry {
        statement: Statement {
            kind: Kind::Notification,
            edition: 1,
            drafted: Timestamp::from_millis(1_805_000_000_000),
            valid_minutes: 15,
            nonce: [3; 8],
            precedence: Precedence::Immediate,
            format: Some(FormatRef { number: 1, edition: 1 }),
            references: vec![],
            body,
            extras: Extras::default(),
            attachments: vec![],
            drafter: 3,
        },
        placement: Placement {
            number: 30_212,
            delay: 200_000,
            seen: Seen(seen),
            check: Some([5; 8]),
            proof: Hash([6; 32]),
        },
    }
}

#[test]
fn a_launch_notice_fits_a_frame_of_222_bytes() {
    let entry = narrow();
    assert_eq!(cbor::encode(&entry.statement.body).len(), 26);
    let entry = Entry::Spoken(entry).encode();
    assert_eq!(entry.len(), 126);
    // Header, entry (its salt is derived, not sent), Ed25519 line, tag.
    assert_eq!(16 + entry.len() + 64 + 16, 222);
}

fn references() -> impl Strategy<Value = WireReference> {
    (any::<u64>(), any::<u64>(), any::<[u8; 32]>()).prop_map(|(ordinal, index, leaf)| WireReference {
        log: LogRef::Ordinal(ordinal),
        index,
        leaf: Hash(leaf),
    })
}

fn extras() -> impl Strategy<Value = Extras<WireReference>> {
    let text = || proptest::option::of(".{1,20}");
    (
        text(),
        text(),
        text(),
        any::<bool>(),
        proptest::option::of(references()),
        proptest::option::of(-9i64..9),
    )
        .prop_map(|(subject, language, remarks, confidential, supersedes, answer_by)| Extras {
            subject,
            to: vec![],
            answer_by: answer_by.map(Timestamp::from_millis),
            language,
            remarks,
            confidential,
            supersedes,
        })
}

proptest! {
    #[test]
    fn an_entry_comes_back_as_it_was_written(
        extras in extras(),
        references in proptest::collection::vec(references(), 0..5),
        attachments in proptest::collection::vec(any::<[u8; 32]>(), 0..3),
        delay in -(1i64 << 40)..1 << 40,
        number in 1u32..,
    ) {
        let mut entry = narrow();
        entry.statement.extras = extras;
        entry.statement.references = references;
        entry.statement.attachments = attachments.into_iter().map(Hash).collect();
        entry.placement.delay = delay;
        entry.placement.number = number;
        let entry = Entry::Spoken(entry);
        prop_assert_eq!(Entry::decode(&entry.encode()), Ok(entry));
    }

    #[test]
    fn altered_bytes_are_refused_or_are_the_one_encoding(place in 0usize..126, bit in 0u8..8) {
        let mut bytes = Entry::Spoken(narrow()).encode();
        let place = place % bytes.len();
        bytes[place] ^= 1 << bit;
        if let Ok(entry) = Entry::decode(&bytes) {
            prop_assert_eq!(entry.encode(), bytes);
        }
    }

    #[test]
    fn any_bytes_are_judged_without_a_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        let _ = Entry::decode(&bytes);
        bytes.splice(0..0, [1, 0x92]);
        let _ = Entry::decode(&bytes);
    }
}

#[test]
fn machine_entries_come_back_as_they_were_written() {
    let reference = WireReference { log: LogRef::Ordinal(2), index: 5, leaf: Hash([1; 32]) };
    let generation = crate::names::Generation { number: 4, run: Run([8; 8]) };
    let named = vec![Named { generation, size: 9, root: Hash([2; 32]) }];
    let payloads = [
        Payload::Generation(GenerationPayload {
            cause: Cause::LostStore,
            suite: 1,
            credential_edition: 2,
            named,
        }),
        Payload::Key(KeyPayload { kem: Box::new([1; 1216]), house_root: Some(Hash([3; 32])) }),
        Payload::Credential(CredentialPayload {
            party: crate::names::PartyIndex(1),
            edition: 1,
            text: Hash([4; 32]),
            roster_number: 0,
            roster: Hash([5; 32]),
        }),
        Payload::Opened(reference),
        Payload::Test([9; 8]),
        Payload::TestAnswer(reference),
        Payload::Clock { before: Timestamp::from_millis(-1), after: Timestamp::from_millis(1) },
    ];
    for payload in payloads {
        let entry = Entry::Machine(MachineEntry {
            written: Timestamp::from_millis(-500),
            seen: Seen::default(),
            check: None,
            payload,
        });
        assert_eq!(Entry::decode(&entry.encode()), Ok(entry));
    }
}

#[test]
fn another_suite_is_no_generation_of_this_version() {
    let generation =
        GenerationPayload { cause: Cause::Start, suite: 2, credential_edition: 1, named: vec![] };
    let payload = Payload::Generation(generation);
    let entry =
        MachineEntry { written: Timestamp::from_millis(0), seen: Seen::default(), check: None, payload };
    assert_eq!(Entry::decode(&Entry::Machine(entry).encode()), Err(Unreadable::Void(Clause::Shape)));
}

#[test]
fn seventeen_named_logs_fit_a_generation_entry_of_the_emergency_lane() {
    let named = |number| Named {
        generation: crate::names::Generation { number: u32::MAX - number, run: Run([8; 8]) },
        size: crate::limits::LOG_SIZE_MAX,
        root: Hash([2; 32]),
    };
    let named = (0..17).rev().map(named).collect();
    let generation = GenerationPayload { cause: Cause::Start, suite: 1, credential_edition: u32::MAX, named };
    let entry = Entry::Machine(MachineEntry {
        written: Timestamp::from_millis(crate::limits::MOMENT_MAX),
        seen: Seen::default(),
        check: None,
        payload: Payload::Generation(generation),
    });
    let bytes = entry.encode();
    assert!(bytes.len() <= crate::limits::EMERGENCY_ENTRY_MAX, "{}", bytes.len());
    assert_eq!(Entry::decode(&bytes), Ok(entry));
}
