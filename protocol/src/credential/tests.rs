use super::*;
use detente_crypto::{SUITE_1, Secret};

fn secret() -> RootSecret {
    RootSecret { ed25519: Secret::new([1; 32]), mldsa: Secret::new([2; 32]) }
}

fn text() -> CredentialText {
    let root = secret().public(SUITE_1);
    let roster = Roster { asks: 2, keys: vec![], number: 0, party: party_of(&root), previous: None };
    let ed25519 = |seed: u8| SUITE_1.ed25519_public(&[seed; 32]);
    CredentialText {
        code: "ALT".to_owned(),
        edition: 1,
        endpoints: vec!["watch.example.org:19630".to_owned()],
        issued: Timestamp::from_millis(1_800_000_000_000),
        kem: Box::new(SUITE_1.kem_public(&[3; 32])),
        names: [("en", "Altair"), ("zh", "牵牛星")].map(|(l, n)| (l.to_owned(), n.to_owned())).into(),
        node: NodeKeys {
            log_ed25519: ed25519(4),
            log_mldsa: Box::new([5; MLDSA_PUBLIC_BYTES]),
            cosigner_ed25519: ed25519(6),
            cosigner_mldsa: Box::new([7; MLDSA_PUBLIC_BYTES]),
            link: ed25519(8),
        },
        previous: None,
        recognised: vec![Recognised { channel: Hash([1; 32]), logs: Hash([2; 32]) }],
        root,
        roster: roster.encode(),
    }
}

#[test]
fn it_comes_back_and_verifies() {
    let credential = text().sign(&secret(), SUITE_1);
    let bytes = credential.encode();
    assert_eq!(bytes[0], 1);
    let read = Credential::decode(&bytes).unwrap();
    assert_eq!(read, credential);
    assert_eq!(read.verify(SUITE_1), Ok(text()));
    assert_eq!(read.text_hash(), sha256(&[&text().encode()]));
    assert_eq!(text().words().split(' ').count(), 8);
    assert_eq!(words::parse(&text().words()), Ok(word_numbers_of(&text().root)));
}

#[test]
fn another_root_or_one_changed_signature_is_refused() {
    let other = RootSecret { mldsa: Secret::new([9; 32]), ..secret() };
    assert_eq!(text().sign(&other, SUITE_1).verify(SUITE_1), Err(CredentialError::PeerSignature));
    let mut credential = text().sign(&secret(), SUITE_1);
    credential.signature.mldsa[100] ^= 1;
    assert_eq!(credential.verify(SUITE_1), Err(CredentialError::PeerSignature));
}

#[test]
fn a_bad_text_is_refused_by_the_field_that_is_wrong() {
    let refused = |change: fn(&mut CredentialText)| {
        let mut text = text();
        change(&mut text);
        CredentialText::decode(&text.encode()).err()
    };
    let field = |name| Some(CredentialError::PeerField(FieldError::Value(name)));
    assert_eq!(refused(|t| t.code = "1ALT".to_owned()), field("code"));
    assert_eq!(refused(|t| t.code = "alt".to_owned()), field("code"));
    assert_eq!(refused(|t| t.edition = 2), field("previous"));
    assert_eq!(refused(|t| t.endpoints = vec!["no port".to_owned()]), field("endpoints"));
    assert_eq!(refused(|t| t.endpoints = vec!["a:1".to_owned(); 9]), field("endpoints"));
    assert_eq!(refused(|t| drop(t.names.insert("en".to_owned(), "x".repeat(81)))), field("names"));
    assert_eq!(refused(|t| t.node.link = t.node.log_ed25519), Some(CredentialError::PeerKeyShared));
    assert_eq!(refused(|t| t.root.ed25519[0] ^= 1), field("roster"));
}

#[test]
fn the_list_of_recognised_logs_is_hashed_in_order_of_names() {
    use crate::names::{Generation, Lane, Run};
    let log = |number| LogKey {
        party: PartyId([1; 32]),
        lane: Lane::Ordinary,
        generation: Generation { number, run: Run([0; 8]) },
    };
    let rows = [(log(9), 1, Hash([1; 32])), (log(10), 2, Hash([2; 32]))];
    let reversed = [rows[1], rows[0]];
    let channel = ChannelId([3; 32]);
    assert_eq!(recognised_hash(channel, &rows), recognised_hash(channel, &reversed));
    assert_ne!(recognised_hash(channel, &rows), recognised_hash(ChannelId([4; 32]), &rows));
}
