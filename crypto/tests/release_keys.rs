//! Passkeys and file keys: what counts as a release, and each way in which it does not.

use detente_crypto::assertion::{
    Flags, Passkey, Proof, ProofDecodeError, ReleaseAlgorithm, ReleaseKey, ReleaseKeyError, ReleaseKeyKind,
    ReleasePublic, ReleaseSignature, ReleaseSignatureError as Error, file_key_message, verify_release,
};
use detente_crypto::{Hash, SUITE_1, es256, sha256};
use proptest::prelude::*;

const RP_ID: &str = "watch.example";
const ORIGIN: &str = "https://watch.example";
/// UP and UV.
const GOOD: u8 = 0x05;

/// What a browser and an authenticator make of a challenge, with every part open to change.
struct Authenticator {
    rp_id: String,
    flags: u8,
    counter: u32,
    extensions: Vec<u8>,
    client_data: String,
}

fn challenge(statement: &Hash) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits: Vec<u8> = statement.0.iter().flat_map(|b| (0..8).rev().map(move |i| b >> i & 1)).collect();
    bits.chunks(6)
        .map(|six| (0..6).fold(0, |n, i| n << 1 | usize::from(*six.get(i).unwrap_or(&0))))
        .map(|digit| char::from(ALPHABET[digit]))
        .collect()
}

impl Authenticator {
    fn new(statement: &Hash) -> Self {
        let client_data = format!(
            r#"{{"type":"webauthn.get","challenge":"{}","origin":"{ORIGIN}","crossOrigin":false}}"#,
            challenge(statement)
        );
        Self { rp_id: RP_ID.to_owned(), flags: GOOD, counter: 41, extensions: Vec::new(), client_data }
    }

    fn data(&self) -> Vec<u8> {
        let hash = sha256(&[self.rp_id.as_bytes()]);
        [hash.as_ref(), &[self.flags], &self.counter.to_be_bytes(), &self.extensions].concat()
    }

    /// An assertion in full, signed by the ES256 key below as authenticators do: in DER.
    fn assert(&self) -> ReleaseSignature {
        let message = [&self.data()[..], sha256(&[self.client_data.as_bytes()]).as_ref()].concat();
        let signature =
            es256::der_to_raw_low_s(&es256_signer().sign_der(&message)).expect("a signature of ours is one");
        ReleaseSignature::Full {
            authenticator_data: self.data(),
            client_data: self.client_data.clone().into_bytes(),
            signature,
        }
    }
}

fn es256_signer() -> es256::TestSigner {
    es256::TestSigner::from_scalar(&[7; 32]).expect("a small number is a key")
}

fn passkey() -> Passkey {
    Passkey {
        rp_id: RP_ID.to_owned(),
        origins: vec!["http://localhost:19631".to_owned(), ORIGIN.to_owned()],
        backup_eligible_allowed: false,
    }
}

fn key(kind: ReleaseKeyKind) -> ReleaseKey {
    ReleaseKey { number: 3, public: ReleasePublic::Es256(es256_signer().public()), kind }
}

fn statement() -> Hash {
    sha256(&[b"statement"])
}

fn judge(change: impl FnOnce(&mut Authenticator)) -> Result<(), Error> {
    let mut authenticator = Authenticator::new(&statement());
    change(&mut authenticator);
    let key = key(ReleaseKeyKind::Passkey(passkey()));
    verify_release(SUITE_1, &key, &statement(), &authenticator.assert()).map(|_| ())
}

#[test]
fn a_passkey_releases_and_shows_flags_and_counter() {
    let key = key(ReleaseKeyKind::Passkey(passkey()));
    let evidence =
        verify_release(SUITE_1, &key, &statement(), &Authenticator::new(&statement()).assert()).unwrap();
    assert_eq!((evidence.flags, evidence.counter), (Some(Flags(GOOD)), 41));
}

#[test]
fn an_ordinary_assertion_packs_small_and_an_odd_one_travels_whole() {
    let pack = |authenticator: &Authenticator| {
        let ReleaseSignature::Full { authenticator_data, client_data, signature } = authenticator.assert()
        else {
            panic!("assertions are made in full");
        };
        ReleaseSignature::from_assertion(
            &passkey(),
            &statement(),
            &authenticator_data,
            &client_data,
            signature,
        )
    };
    let key = key(ReleaseKeyKind::Passkey(passkey()));
    let ordinary = pack(&Authenticator::new(&statement()));
    assert!(matches!(
        ordinary,
        ReleaseSignature::Compact { flags: Flags(GOOD), counter: 41, origin_index: 1, .. }
    ));
    assert!(verify_release(SUITE_1, &key, &statement(), &ordinary).is_ok());
    assert_eq!(Proof::new(vec![(3, ordinary.clone())]).unwrap().encode().len(), 75);

    let mut chromium = Authenticator::new(&statement());
    chromium.client_data = chromium.client_data.replace('}', r#","other_keys_can_be_added_here":"x"}"#);
    let odd = pack(&chromium);
    assert!(matches!(odd, ReleaseSignature::Full { .. }));
    assert!(verify_release(SUITE_1, &key, &statement(), &odd).is_ok());

    // A compact proof is bound to its statement, its origin and its flags by the signature alone.
    let ReleaseSignature::Compact { flags, counter, origin_index, signature } = ordinary else {
        unreachable!()
    };
    let with =
        |flags, counter, origin_index| ReleaseSignature::Compact { flags, counter, origin_index, signature };
    let verify = |signature| verify_release(SUITE_1, &key, &statement(), &signature).map(|_| ());
    assert_eq!(verify(with(flags, counter, 0)), Err(Error::PeerSignature));
    assert_eq!(verify(with(flags, counter, 2)), Err(Error::PeerOriginIndex));
    assert_eq!(verify(with(flags, counter + 1, 1)), Err(Error::PeerSignature));
    assert_eq!(verify(with(Flags(0x01), counter, 1)), Err(Error::PeerUserVerification));
    assert_eq!(verify(with(Flags(0x85), counter, 1)), Err(Error::PeerAuthenticatorData));
    let other = sha256(&[b"other"]);
    let whole = with(flags, counter, origin_index);
    assert_eq!(verify_release(SUITE_1, &key, &other, &whole), Err(Error::PeerSignature));
}

#[test]
fn each_broken_rule_has_its_name() {
    let replace = |from: &str, to: &str| {
        let (from, to) = (from.to_owned(), to.to_owned());
        judge(move |a| {
            assert!(a.client_data.contains(&from));
            a.client_data = a.client_data.replace(&from, &to);
        })
    };
    assert_eq!(judge(|_| {}), Ok(()));
    assert_eq!(replace("webauthn.get", "webauthn.create"), Err(Error::PeerType));
    assert_eq!(replace(&challenge(&statement()), &challenge(&sha256(&[b"x"]))), Err(Error::PeerChallenge));
    assert_eq!(
        replace(&challenge(&statement()), &format!("{}=", challenge(&statement()))),
        Err(Error::PeerChallenge)
    );
    assert_eq!(replace(ORIGIN, "https://watch.example.evil"), Err(Error::PeerOrigin));
    assert_eq!(replace(ORIGIN, "https://watch.example/"), Err(Error::PeerOrigin));
    assert_eq!(replace(r#""crossOrigin":false"#, r#""crossOrigin":true"#), Err(Error::PeerCrossOrigin));
    assert_eq!(
        replace(r#"false}"#, r#"false,"topOrigin":"https://watch.example"}"#),
        Err(Error::PeerCrossOrigin)
    );
    assert_eq!(replace(r#"false}"#, r#"false,"topOrigin":null}"#), Err(Error::PeerCrossOrigin));
    assert_eq!(replace(r#","crossOrigin":false"#, ""), Ok(()));
    assert!(matches!(replace("}", "}}"), Err(Error::PeerClientData(_))));
    assert_eq!(judge(|a| a.rp_id = "example".to_owned()), Err(Error::PeerRpId));
    assert_eq!(judge(|a| a.flags = 0x04), Err(Error::PeerUserPresence));
    assert_eq!(judge(|a| a.flags = 0x01), Err(Error::PeerUserVerification));
    assert_eq!(judge(|a| a.flags = GOOD | 0x08), Err(Error::PeerBackupEligible));
    assert_eq!(judge(|a| a.flags = GOOD | 0x10), Err(Error::PeerFlags));
    assert_eq!(judge(|a| a.flags = GOOD | 0x40), Err(Error::PeerFlags));
    assert_eq!(judge(|a| a.flags = GOOD | 0x80), Err(Error::PeerAuthenticatorData));
    assert_eq!(judge(|a| a.extensions = vec![0xa0]), Err(Error::PeerAuthenticatorData));
    let extended = |a: &mut Authenticator| (a.flags, a.extensions) = (GOOD | 0x80, vec![0xa0]);
    assert_eq!(judge(extended), Ok(()));
    assert_eq!(judge(|a| a.counter = 0), Ok(()));
}

#[test]
fn backup_eligible_keys_release_where_the_charter_allows_them() {
    let allowed = Passkey { backup_eligible_allowed: true, ..passkey() };
    for flags in [GOOD | 0x08, GOOD | 0x18] {
        let mut authenticator = Authenticator::new(&statement());
        authenticator.flags = flags;
        let key = key(ReleaseKeyKind::Passkey(allowed.clone()));
        assert!(verify_release(SUITE_1, &key, &statement(), &authenticator.assert()).is_ok());
    }
}

#[test]
fn an_altered_signature_or_another_key_releases_nothing() {
    let ReleaseSignature::Full { authenticator_data, client_data, mut signature } =
        Authenticator::new(&statement()).assert()
    else {
        unreachable!()
    };
    let good = ReleaseSignature::Full {
        authenticator_data: authenticator_data.clone(),
        client_data: client_data.clone(),
        signature,
    };
    signature[40] ^= 1;
    let bad = ReleaseSignature::Full { authenticator_data, client_data, signature };
    let mut key = key(ReleaseKeyKind::Passkey(passkey()));
    assert_eq!(verify_release(SUITE_1, &key, &statement(), &bad), Err(Error::PeerSignature));
    key.public = ReleasePublic::Es256(es256::TestSigner::from_scalar(&[8; 32]).unwrap().public());
    assert_eq!(verify_release(SUITE_1, &key, &statement(), &good), Err(Error::PeerSignature));
}

#[test]
fn file_keys_of_both_algorithms_sign_the_labelled_hash() {
    let statement = statement();
    let ed25519 = SUITE_1.ed25519_signer(&[1; 32]);
    let message = file_key_message(&statement);
    assert_eq!(message, [&b"detente/1/release-key\0"[..], statement.as_ref()].concat());
    let pairs = [
        (ReleasePublic::Ed25519(*ed25519.public()), ed25519.sign(&message), ed25519.sign(statement.as_ref())),
        (
            ReleasePublic::Es256(es256_signer().public()),
            es256_signer().sign(&message),
            es256_signer().sign(statement.as_ref()),
        ),
    ];
    for (public, labelled, bare) in pairs {
        let key = ReleaseKey { number: 1, public, kind: ReleaseKeyKind::File };
        let verify =
            |signature| verify_release(SUITE_1, &key, &statement, &ReleaseSignature::File { signature });
        assert_eq!(verify(labelled).unwrap().flags, None);
        assert_eq!(verify(bare), Err(Error::PeerSignature));
    }
}

#[test]
fn a_key_of_one_kind_cannot_sign_as_the_other() {
    let file = ReleaseSignature::File { signature: es256_signer().sign(&file_key_message(&statement())) };
    let passkey = key(ReleaseKeyKind::Passkey(passkey()));
    assert_eq!(verify_release(SUITE_1, &passkey, &statement(), &file), Err(Error::PeerKind));
    let assertion = Authenticator::new(&statement()).assert();
    assert_eq!(
        verify_release(SUITE_1, &key(ReleaseKeyKind::File), &statement(), &assertion),
        Err(Error::PeerKind)
    );
}

#[test]
fn a_roster_takes_only_keys_that_can_be_judged() {
    let with = |change: fn(&mut Passkey)| {
        let mut passkey = passkey();
        change(&mut passkey);
        key(ReleaseKeyKind::Passkey(passkey)).check(SUITE_1)
    };
    assert_eq!(with(|_| {}), Ok(()));
    assert_eq!(with(|p| p.rp_id = "Watch.example".to_owned()), Err(ReleaseKeyError::PeerRpId));
    assert_eq!(with(|p| p.rp_id.clear()), Err(ReleaseKeyError::PeerRpId));
    assert_eq!(with(|p| p.origins.clear()), Err(ReleaseKeyError::PeerOriginCount));
    assert_eq!(with(|p| p.origins = vec![ORIGIN.to_owned(); 9]), Err(ReleaseKeyError::PeerOriginCount));
    for origin in ["https://a\"b", "https://a\\b", "https://é", "", "https://a b"] {
        let mut passkey = passkey();
        passkey.origins.push(origin.to_owned());
        let verdict = key(ReleaseKeyKind::Passkey(passkey)).check(SUITE_1);
        assert_eq!(verdict, Err(ReleaseKeyError::PeerOrigin), "{origin}");
    }
    let mut off_curve = es256_signer().public();
    off_curve[0] = 4;
    let publics = [ReleasePublic::Es256(off_curve), ReleasePublic::Ed25519([0; 32])];
    for public in publics {
        let key = ReleaseKey { number: 1, public, kind: ReleaseKeyKind::File };
        assert!(matches!(key.check(SUITE_1), Err(ReleaseKeyError::PeerPublicKey(_))));
    }
    for algorithm in [ReleaseAlgorithm::Es256, ReleaseAlgorithm::Ed25519] {
        assert_eq!(ReleaseAlgorithm::from_number(algorithm.number()), Some(algorithm));
    }
}

#[test]
fn a_proof_keeps_the_signing_order_and_no_key_twice() {
    let file = |byte| ReleaseSignature::File { signature: [byte; 64] };
    let proof = Proof::new(vec![(7, file(1)), (3, file(2))]).unwrap();
    let again = Proof::decode(&proof.encode()).unwrap();
    assert_eq!(again.signatures().iter().map(|(number, _)| *number).collect::<Vec<_>>(), [7, 3]);
    assert_eq!(again.hash(), sha256(&[&proof.encode()]));
    assert!(Proof::new(vec![(7, file(1)), (7, file(2))]).is_none());
    assert!(Proof::new(Vec::new()).is_none());
    assert!(Proof::new((0..16).map(|n| (n, file(0))).collect()).is_some());
    assert!(Proof::new((0..17).map(|n| (n, file(0))).collect()).is_none());
}

#[test]
fn other_bytes_are_no_proof() {
    let proof = Proof::new(vec![(7, ReleaseSignature::File { signature: [1; 64] })]).unwrap().encode();
    assert_eq!(proof[..6], [0x01, 0x81, 0x83, 0x07, 0x00, 0x58]);
    assert_eq!(Proof::decode(&[0x01, 0x80]), Err(ProofDecodeError::PeerCount));
    assert_eq!(Proof::decode(&[0x01, 0x00]), Err(ProofDecodeError::PeerShape));
    let mut other_kind = proof.clone();
    other_kind[4] = 3;
    assert_eq!(Proof::decode(&other_kind), Err(ProofDecodeError::PeerShape));
    let twice = [&[0x01, 0x82][..], &proof[2..], &proof[2..]].concat();
    assert_eq!(Proof::decode(&twice), Err(ProofDecodeError::PeerKeyTwice));
    assert_eq!(Proof::decode(&proof[1..]), Err(ProofDecodeError::PeerVersion(0x81)));
    assert!(matches!(Proof::decode(&[]), Err(ProofDecodeError::PeerEncoding(_))));
    assert!(matches!(Proof::decode(&[&proof[..], &[0]].concat()), Err(ProofDecodeError::PeerEncoding(_))));
    assert_eq!(Proof::decode(&[0; 40_000]), Err(ProofDecodeError::PeerTooLong));
    let too_many = [&[0x01, 0x91][..], &[0x00; 17]].concat();
    assert_eq!(Proof::decode(&too_many), Err(ProofDecodeError::PeerCount));
}

fn any_signature() -> impl Strategy<Value = ReleaseSignature> {
    let signature = any::<[u8; 32]>().prop_map(|half| core::array::from_fn(|i| half[i % 32]));
    prop_oneof![
        signature.clone().prop_map(|signature| ReleaseSignature::File { signature }),
        (any::<u8>(), any::<u32>(), any::<u8>(), signature.clone()).prop_map(
            |(flags, counter, origin_index, signature)| ReleaseSignature::Compact {
                flags: Flags(flags),
                counter,
                origin_index,
                signature
            }
        ),
        (prop::collection::vec(any::<u8>(), 0..1024), prop::collection::vec(any::<u8>(), 0..1024), signature)
            .prop_map(|(authenticator_data, client_data, signature)| ReleaseSignature::Full {
                authenticator_data,
                client_data,
                signature
            }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_encoded_is_decoded(signatures in prop::collection::btree_map(any::<u16>(), any_signature(), 1..=16)) {
        let proof = Proof::new(signatures.into_iter().collect()).unwrap();
        prop_assert_eq!(Proof::decode(&proof.encode()), Ok(proof));
    }

    #[test]
    fn what_is_decoded_was_encoded_so(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(proof) = Proof::decode(&bytes) {
            prop_assert_eq!(proof.encode(), bytes);
        }
    }

    #[test]
    fn no_client_data_panics_and_none_but_the_true_one_releases(junk in "\\PC{0,60}", at in 0usize..140) {
        let mut authenticator = Authenticator::new(&statement());
        let at = (0..=at.min(authenticator.client_data.len())).rev().find(|i| authenticator.client_data.is_char_boundary(*i)).unwrap();
        authenticator.client_data.insert_str(at, &junk);
        let key = key(ReleaseKeyKind::Passkey(passkey()));
        let _ = verify_release(SUITE_1, &key, &statement(), &authenticator.assert());
        let other = sha256(&[b"other"]);
        prop_assert!(verify_release(SUITE_1, &key, &other, &authenticator.assert()).is_err());
    }
}
