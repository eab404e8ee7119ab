//! Our verdict on every vector that Go made is Go's (`interop/go-vectors`).

use detente_crypto::{PublicKeyError, SUITE_1, SealError, Suite as _, Suite1, es256};
use detente_encoding::text::{from_hex, hex};
use serde_json::Value;

#[test]
fn ed25519_agrees_on_every_odd_key_scalar_and_nonce() {
    let cases = cases(include_str!("../../spec/vectors/crypto/ed25519.json"));
    for case in &cases {
        let public: [u8; 32] = array(case, "public");
        let key = match SUITE_1.ed25519_verifier(&public) {
            Ok(_) => "good",
            Err(PublicKeyError::PeerNotAPoint) => "not_a_point",
            Err(PublicKeyError::PeerNotCanonical) => "not_canonical",
            Err(PublicKeyError::PeerSmallOrder) => "small_order",
            Err(other) => panic!("{other}"),
        };
        assert_eq!(key, text(case, "key"), "{}", case["name"]);
        let verdict = SUITE_1.ed25519_verify(&public, &bytes(case, "message"), &bytes(case, "signature"));
        assert_eq!(verdict, flag(case, "valid"), "{}", case["name"]);
    }
    // Each way to disagree must stay among the cases, or the test proves less than it says.
    for kind in ["not_a_point", "not_canonical", "small_order"] {
        assert!(cases.iter().any(|case| text(case, "key") == kind), "{kind}");
    }
    for name in
        ["r_neutral", "key_of_mixed_order_cofactor_only_1", "key_and_r_of_mixed_order", "s_plus_order"]
    {
        assert!(cases.iter().any(|case| text(case, "name").starts_with(name)), "{name}");
    }
}

#[test]
fn mldsa_agrees_and_signs_the_same_bytes() {
    for case in &cases(include_str!("../../spec/vectors/crypto/mldsa44.json")) {
        let signer = SUITE_1.mldsa_signer(&array(case, "seed"));
        if case.get("public").is_some() {
            assert_eq!(hex(signer.public()), text(case, "public"));
        }
        let (message, signature) = (bytes(case, "message"), bytes(case, "signature"));
        let verdict = SUITE_1.mldsa_verify(signer.public(), &message, &signature);
        assert_eq!(verdict, flag(case, "valid"), "{}", case["name"]);
        if verdict {
            assert_eq!(signer.sign(&message)[..], signature, "{}", case["name"]);
        }
    }
}

#[test]
fn es256_agrees_on_every_odd_key_and_scalar() {
    for case in &cases(include_str!("../../spec/vectors/crypto/es256.json")) {
        let public = array(case, "public");
        assert_eq!(es256::is_public_key(&public), text(case, "key") == "good", "{}", case["name"]);
        let verdict = Suite1.es256_verify(&public, &bytes(case, "message"), &bytes(case, "signature"));
        assert_eq!(verdict, flag(case, "valid"), "{}", case["name"]);
    }
}

#[test]
fn der_signatures_become_low_s_or_nothing() {
    for case in &cases(include_str!("../../spec/vectors/crypto/es256_der.json")) {
        let raw = es256::der_to_raw_low_s(&bytes(case, "der")).map(|raw| hex(&raw)).unwrap_or_default();
        assert_eq!(raw, text(case, "raw"), "{}", case["name"]);
    }
}

#[test]
fn hkdf_gives_the_same_bytes() {
    for case in &cases(include_str!("../../spec/vectors/crypto/hkdf.json")) {
        let expected = bytes(case, "out");
        let mut out = vec![0; expected.len()];
        SUITE_1.hkdf(&bytes(case, "secret"), &bytes(case, "salt"), &bytes(case, "info"), &mut out);
        assert_eq!(out, expected, "{}", case["name"]);
    }
}

#[test]
fn hpke_opens_what_go_sealed_and_nothing_else() {
    for case in &cases(include_str!("../../spec/vectors/crypto/hpke_open.json")) {
        let (info, aad, sealed) = (bytes(case, "info"), bytes(case, "aad"), bytes(case, "sealed"));
        let opened = SUITE_1.hpke_open(&array(case, "seed"), &info, &aad, &sealed).ok();
        assert_eq!(opened.map(|text| hex(&text)).as_deref(), case["plaintext"].as_str(), "{}", case["name"]);
    }
}

#[test]
fn hpke_seals_to_the_keys_go_seals_to() {
    for case in &cases(include_str!("../../spec/vectors/crypto/hpke_public.json")) {
        let public = array(case, "public");
        let sealed = SUITE_1.hpke_seal(&public, b"info", b"", b"text", &[9; 64]);
        assert_eq!(sealed.is_ok(), flag(case, "usable"), "{}", case["name"]);
        if let Some(seed) = case["seed"].as_str().filter(|seed| !seed.is_empty()) {
            let seed = from_hex(seed).unwrap().try_into().unwrap();
            assert_eq!(SUITE_1.kem_public(&seed), public);
            assert_eq!(SUITE_1.hpke_open(&seed, b"info", b"", &sealed.unwrap()).unwrap(), b"text");
        } else if !flag(case, "usable") {
            assert_eq!(sealed, Err(SealError::PeerPublicKey), "{}", case["name"]);
        }
    }
}

/// The cases of a vector file; a file without cases would be a test that cannot fail.
fn cases(text: &str) -> Vec<Value> {
    let file: Value = serde_json::from_str(text).expect("a vector file is JSON");
    let cases = file["cases"].as_array().expect("a vector file has cases").clone();
    assert!(cases.len() > 3, "the file has lost its cases");
    cases
}

fn text<'a>(case: &'a Value, member: &str) -> &'a str {
    case[member].as_str().unwrap_or_else(|| panic!("{} has no {member}", case["name"]))
}

fn bytes(case: &Value, member: &str) -> Vec<u8> {
    from_hex(text(case, member)).expect("hexadecimal")
}

fn array<const N: usize>(case: &Value, member: &str) -> [u8; N] {
    bytes(case, member).try_into().expect("the length the primitive has")
}

fn flag(case: &Value, member: &str) -> bool {
    case[member].as_bool().expect("a truth value")
}
