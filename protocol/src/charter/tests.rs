use super::*;

fn charter() -> Charter {
    Charter {
        acknowledge_s: [28_800, 1_800, 600, 120],
        edition: 1,
        formats: Some(vec![FormatRef { number: 1, edition: 1 }, FormatRef { number: 12, edition: 2 }]),
        kem_keep_days: 35,
        label: "Risk reduction".to_owned(),
        languages: vec!["en".to_owned(), "ru".to_owned()],
        level: Level::Military,
        parties: vec![PartyId([1; 32]), PartyId([2; 32])],
        previous: None,
        proofs: Proofs { precedences: vec![Precedence::Immediate, Precedence::Flash], formats: vec![10] },
        random: [5; 16],
        release_default: 2,
        release_duty: 1,
        silent_after_s: 2_592_000,
        subjects: vec!["nuclear".to_owned()],
        test_every_s: 3_600,
    }
}

fn refused(change: impl FnOnce(&mut Charter)) -> Option<CharterError> {
    let mut charter = charter();
    change(&mut charter);
    Charter::decode(&charter.encode()).err()
}

#[test]
fn it_comes_back_as_it_was_written() {
    for charter in [charter(), Charter { formats: None, ..charter() }] {
        assert_eq!(Charter::decode(&charter.encode()), Ok(charter));
    }
}

#[test]
fn its_first_bytes_name_the_channel() {
    let bytes = charter().encode();
    assert_eq!(bytes[0], 1);
    assert_eq!(charter().channel_id(), ChannelId(sha256(&[&bytes]).0));
    assert_eq!(charter().party_index(PartyId([2; 32])), Some(PartyIndex(1)));
    assert_eq!(charter().party_index(PartyId([3; 32])), None);
    assert_eq!(charter().acknowledge_ms(Precedence::Flash), 120_000);
}

#[test]
fn any_other_charter_is_refused_by_the_field_that_is_wrong() {
    let field = |name| Some(CharterError::PeerField(FieldError::Value(name)));
    assert_eq!(refused(|c| c.parties.reverse()), field("parties"));
    assert_eq!(refused(|c| c.parties.truncate(1)), field("parties"));
    assert_eq!(refused(|c| c.parties = (0..17).map(|n| PartyId([n; 32])).collect()), field("parties"));
    assert_eq!(refused(|c| c.languages.truncate(1)), field("languages"));
    assert_eq!(refused(|c| c.label.clear()), field("label"));
    assert_eq!(refused(|c| c.label = "x".repeat(81)), field("label"));
    assert_eq!(refused(|c| c.edition = 0), field("edition"));
    assert_eq!(refused(|c| c.edition = 2), field("previous"));
    assert_eq!(refused(|c| c.release_default = 0), field("release"));
    assert_eq!(refused(|c| c.subjects = vec!["x".to_owned(); 33]), field("subjects"));
    assert_eq!(refused(|c| c.proofs.formats = vec![3, 3]), field("proofs"));
    assert_eq!(refused(|c| c.formats = Some(vec![FormatRef { number: 1, edition: 0 }])), field("formats"));
    let mut bytes = charter().encode();
    bytes[0] = 2;
    assert_eq!(Charter::decode(&bytes), Err(CharterError::PeerVersion));
    bytes[0] = 1;
    bytes.push(0);
    assert!(matches!(Charter::decode(&bytes), Err(CharterError::PeerEncoding(_))));
}

#[test]
fn a_later_edition_keeps_parties_and_random_bytes() {
    let first = charter();
    let next = Charter { edition: 2, previous: Some(first.hash()), ..charter() };
    assert!(first.may_be_followed_by(&next));
    assert_eq!(Charter::decode(&next.encode()), Ok(next.clone()));
    assert!(!first.may_be_followed_by(&Charter { random: [6; 16], ..next.clone() }));
    assert!(
        !first.may_be_followed_by(&Charter {
            parties: vec![PartyId([1; 32]), PartyId([3; 32])],
            ..next.clone()
        })
    );
    assert!(!first.may_be_followed_by(&Charter { previous: None, ..next }));
}
