use super::*;
use crate::charter::{Level, Proofs};
use crate::entry::{Extras, Reference};
use crate::names::PartyId;
use crate::roster::RosterKey;
use detente_crypto::assertion::{
    ReleaseKey, ReleaseKeyKind, ReleasePublic, ReleaseSignature, file_key_message,
};
use detente_crypto::{SUITE_1, sha256};
use detente_encoding::Timestamp;
use detente_encoding::cbor::Value;

const S: Hash = Hash([7; 32]);

fn charter() -> Charter {
    Charter {
        acknowledge_s: [4, 3, 2, 1],
        edition: 1,
        formats: None,
        kem_keep_days: 35,
        label: "test".to_owned(),
        languages: vec!["en".to_owned(); 2],
        level: Level::Working,
        parties: vec![PartyId([1; 32]), PartyId([2; 32])],
        previous: None,
        proofs: Proofs { precedences: vec![Precedence::Flash], formats: vec![10] },
        random: [0; 16],
        release_default: 2,
        release_duty: 1,
        silent_after_s: 1,
        subjects: vec![],
        test_every_s: 0,
    }
}

/// Keys 1 and 2 of person 1, key 3 of person 2, all with `release`; 4 drafts, 5 keeps watch.
fn roster() -> Roster {
    let key = |number: u16, person, roles| {
        let public = ReleasePublic::Ed25519(SUITE_1.ed25519_public(&[number as u8; 32]));
        RosterKey { key: ReleaseKey { number, public, kind: ReleaseKeyKind::File }, person, roles }
    };
    let keys = vec![
        key(1, 1, Roles::RELEASE),
        key(2, 1, Roles::RELEASE),
        key(3, 2, Roles::RELEASE),
        key(4, 3, Roles::DRAFT),
        key(5, 4, Roles::WATCH),
        key(6, 5, Roles::RELEASE),
    ];
    Roster { asks: 2, keys, number: 0, party: PartyId([1; 32]), previous: None }
}

fn statement(kind: Kind, format: Option<u32>, drafter: u16) -> Statement<Reference> {
    Statement {
        kind,
        edition: 1,
        drafted: Timestamp::from_millis(0),
        valid_minutes: 15,
        nonce: [0; 8],
        precedence: Precedence::Routine,
        format: format.map(|number| FormatRef { number, edition: 1 }),
        references: vec![],
        body: Value::Null,
        extras: Extras::default(),
        attachments: vec![],
        drafter,
    }
}

fn signed(keys: &[u16]) -> Proof {
    let sign = |number: &u16| {
        let signature = SUITE_1.ed25519_sign(&[*number as u8; 32], &file_key_message(&S));
        (*number, ReleaseSignature::File { signature })
    };
    Proof::new(keys.iter().map(sign).collect()).unwrap()
}

fn verdict(keys: &[u16], kind: Kind, format: Option<u32>, drafter: u16) -> Verdict {
    satisfies(&signed(keys), &S, &statement(kind, format, drafter), &roster(), &charter(), SUITE_1)
}

fn too_few(counted: u16, needed: u16) -> Verdict {
    Verdict::NotSatisfied(NotSatisfied::PeerPersons { counted, needed })
}

#[test]
fn two_distinct_persons_release() {
    let note = |keys: &[u16]| verdict(keys, Kind::Note, None, 0);
    assert_eq!(note(&[1, 3]), Verdict::Satisfied { keys: vec![1, 3] });
    assert_eq!(note(&[1]), too_few(1, 2));
    assert_eq!(note(&[1, 2]), too_few(1, 2));
    assert_eq!(note(&[1, 5]), too_few(1, 2));
    assert_eq!(note(&[1, 99]), Verdict::NotSatisfied(NotSatisfied::PeerUnknownKey(99)));
}

#[test]
fn the_drafter_may_be_first_and_never_second() {
    assert_eq!(verdict(&[4, 1], Kind::Note, None, 4), Verdict::Satisfied { keys: vec![4, 1] });
    assert_eq!(
        verdict(&[1, 4], Kind::Note, None, 4),
        Verdict::NotSatisfied(NotSatisfied::PeerDrafterNotFirst(4))
    );
    // Nor by another key of the same person, nor as a third.
    assert_eq!(
        verdict(&[3, 6, 2], Kind::Note, None, 1),
        Verdict::NotSatisfied(NotSatisfied::PeerDrafterNotFirst(2))
    );
    // Another person's draft role counts for nothing.
    assert_eq!(
        verdict(&[4, 1], Kind::Note, None, 1).clone(),
        Verdict::NotSatisfied(NotSatisfied::PeerDrafterNotFirst(1))
    );
    assert_eq!(verdict(&[4, 1], Kind::Note, None, 0), too_few(1, 2));
}

#[test]
fn one_person_on_watch_acknowledges_and_a_duty_officer_may_report_an_accident() {
    assert_eq!(verdict(&[5], Kind::Acknowledgement, None, 5), Verdict::Satisfied { keys: vec![5] });
    assert_eq!(verdict(&[1], Kind::Acknowledgement, None, 0), too_few(0, 1));
    assert_eq!(verdict(&[5], Kind::Accept, None, 0), too_few(0, 2));
    let accident = Some(DUTY_FORMAT);
    assert_eq!(verdict(&[1], Kind::Notification, accident, 0), Verdict::Satisfied { keys: vec![1] });
    assert_eq!(verdict(&[1], Kind::Correct, accident, 0), too_few(1, 2));
}

#[test]
fn a_signature_over_another_statement_does_not_hold() {
    let proof = signed(&[1, 3]);
    let other = Hash([8; 32]);
    let verdict = satisfies(&proof, &other, &statement(Kind::Note, None, 0), &roster(), &charter(), SUITE_1);
    assert!(matches!(verdict, Verdict::NotSatisfied(NotSatisfied::PeerSignature(1, _))));
}

#[test]
fn proofs_travel_for_acts_urgent_acknowledgements_and_what_the_charter_names() {
    use Lane::{Emergency, Exercise, Ordinary};
    use Precedence::{Flash, Immediate, Routine};
    let charter = charter();
    let swn = Some(FormatRef { number: 10, edition: 1 });
    let travels = |kind, precedence, lane, format| proof_travels(&charter, kind, precedence, lane, format);
    assert!(travels(Kind::Suspend, Routine, Ordinary, None));
    assert!(travels(Kind::Acknowledgement, Routine, Emergency, None));
    assert!(travels(Kind::Acknowledgement, Immediate, Exercise, None));
    assert!(!travels(Kind::Acknowledgement, Routine, Ordinary, None));
    assert!(travels(Kind::Note, Flash, Emergency, None));
    assert!(!travels(Kind::Note, Immediate, Emergency, None));
    assert!(travels(Kind::Notification, Routine, Ordinary, swn));
}

#[test]
fn a_proof_comes_back_and_begins_with_its_version() {
    let proof = signed(&[1, 3]);
    let bytes = proof.encode();
    assert_eq!(bytes[..2], [1, 0x82]);
    assert_eq!(proof.hash(), sha256(&[&bytes]));
    assert_eq!(Proof::decode(&bytes), Ok(proof));
    assert_eq!(Proof::decode(&bytes[1..]), Err(ProofDecodeError::PeerVersion(0x82)));
    assert!(Proof::decode(&bytes[..bytes.len() - 1]).is_err());
}
