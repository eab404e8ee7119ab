use super::*;
use detente_crypto::assertion::{ReleaseSignature, file_key_message};
use detente_crypto::root::RootSecret;
use detente_crypto::{SUITE_1, Secret};

/// A file key of `person` whose seed repeats its number.
fn key(number: u16, person: u16, roles: Roles) -> RosterKey {
    let public = ReleasePublic::Ed25519(SUITE_1.ed25519_public(&[number as u8; 32]));
    RosterKey { key: ReleaseKey { number, public, kind: ReleaseKeyKind::File }, person, roles }
}

fn roster() -> Roster {
    let keys = vec![key(1, 1, Roles::RELEASE), key(2, 2, Roles::RELEASE), key(3, 3, Roles::DRAFT)];
    Roster { asks: 2, keys, number: 0, party: PartyId([1; 32]), previous: None }
}

fn next() -> Roster {
    let mut next = Roster { number: 1, previous: Some(roster().hash()), ..roster() };
    next.keys.push(key(4, 4, Roles::WATCH));
    next
}

fn proof(keys: &[u16], hash: &Hash) -> Proof {
    let sign = |number: &u16| {
        let signature = SUITE_1.ed25519_sign(&[*number as u8; 32], &file_key_message(hash));
        (*number, ReleaseSignature::File { signature })
    };
    Proof::new(keys.iter().map(sign).collect()).unwrap()
}

fn root() -> RootSecret {
    RootSecret { ed25519: Secret::new([41; 32]), mldsa: Secret::new([42; 32]) }
}

#[test]
fn it_comes_back_as_it_was_written() {
    let mut roster = roster();
    let origins = vec!["https://watch.example.org".to_owned()];
    for (number, backup_eligible_allowed) in [(4, false), (5, true)] {
        let passkey = Passkey {
            rp_id: "watch.example.org".to_owned(),
            origins: origins.clone(),
            backup_eligible_allowed,
        };
        let mut key = key(number, 4, Roles::RELEASE.and(Roles::WATCH));
        key.key.kind = ReleaseKeyKind::Passkey(passkey);
        roster.keys.push(key);
    }
    assert_eq!(Roster::decode(&roster.encode()), Ok(roster));
}

#[test]
fn keys_out_of_order_and_a_wrong_chain_are_refused() {
    let refused = |change: fn(&mut Roster)| {
        let mut roster = roster();
        change(&mut roster);
        Roster::decode(&roster.encode()).err()
    };
    let field = |name| Some(RosterError::PeerField(FieldError::Value(name)));
    assert_eq!(refused(|r| r.keys.reverse()), field("keys"));
    assert_eq!(refused(|r| r.keys[1].key.number = 1), field("keys"));
    assert_eq!(refused(|r| r.keys[0].person = 0), field("keys"));
    assert_eq!(refused(|r| r.keys[0].roles = Roles(64)), field("keys"));
    assert_eq!(refused(|r| r.asks = 0), field("asks"));
    assert_eq!(refused(|r| r.number = 1), field("previous"));
}

#[test]
fn the_next_roster_needs_as_many_persons_as_this_one_asks_for() {
    let (before, next, root) = (roster(), next(), root().public(SUITE_1));
    let hash = before.change_hash(&next);
    let verify =
        |keys: &[u16]| RosterChange::released(&next, &proof(keys, &hash)).verify(&before, &root, SUITE_1);
    assert_eq!(verify(&[1, 2]), Ok(next.clone()));
    let few = NotSatisfied::PeerPersons { counted: 1, needed: 2 };
    assert_eq!(verify(&[1]), Err(RosterChangeError::PeerNotReleased(few.clone())));
    // A key without the role does not count; a key of the new roster is not known yet.
    assert_eq!(verify(&[1, 3]), Err(RosterChangeError::PeerNotReleased(few)));
    let unknown = NotSatisfied::PeerUnknownKey(4);
    assert_eq!(verify(&[1, 2, 4]), Err(RosterChangeError::PeerNotReleased(unknown)));
}

#[test]
fn the_root_may_change_it_alone() {
    let (before, next) = (roster(), next());
    let change = RosterChange::signed(&before, &next, &root(), SUITE_1);
    let change = RosterChange::decode(&change.encode()).unwrap();
    assert_eq!(change.verify(&before, &root().public(SUITE_1), SUITE_1), Ok(next.clone()));
    let other = RootSecret { ed25519: Secret::new([43; 32]), ..root() };
    let wrong = change.verify(&before, &other.public(SUITE_1), SUITE_1);
    assert_eq!(wrong, Err(RosterChangeError::PeerNotSigned));
    let bare = RosterChange { root: None, ..change };
    assert_eq!(bare.verify(&before, &root().public(SUITE_1), SUITE_1), Err(RosterChangeError::PeerNotSigned));
}

#[test]
fn a_number_is_never_given_to_another_key_and_none_is_left_out_of_the_chain() {
    let before = roster();
    let verify = |next: Roster| {
        RosterChange::signed(&before, &next, &root(), SUITE_1).verify(
            &before,
            &root().public(SUITE_1),
            SUITE_1,
        )
    };
    let mut reused = next();
    reused.keys[0].key.public = key(9, 1, Roles::RELEASE).key.public;
    assert_eq!(verify(reused), Err(RosterChangeError::PeerKey));
    assert_eq!(verify(Roster { number: 2, ..next() }), Err(RosterChangeError::PeerSequence));
    assert_eq!(
        verify(Roster { previous: Some(Hash([1; 32])), ..next() }),
        Err(RosterChangeError::PeerSequence)
    );
    assert_eq!(verify(Roster { party: PartyId([2; 32]), ..next() }), Err(RosterChangeError::PeerSequence));
}
