//! Prints what this crate signs, seals and packs, for another implementation to judge.
//!
//! ```text
//! cargo run -p detente-crypto --features testing --example write_vectors | (cd interop/go-check && go run .)
//! ```
//! Each case says whether it must be accepted; the altered ones keep the reader from saying yes to
//! everything.

use detente_crypto::assertion::{Passkey, Proof, ReleaseSignature, file_key_message};
use detente_crypto::root::RootSecret;
use detente_crypto::{SUITE_1, Secret, es256, sha256};
use detente_encoding::text::hex;
use serde_json::{Value, json};

fn main() {
    let mut cases = Vec::new();
    for round in 0..20u8 {
        let seed = sha256(&[b"write_vectors", &[round]]).0;
        let message = vec![round; usize::from(round) * 37];
        signatures(&mut cases, &seed, &message);
        sealing(&mut cases, &seed, &message);
    }
    releases(&mut cases);
    println!("{}", json!({ "cases": cases }));
}

fn signatures(cases: &mut Vec<Value>, seed: &[u8; 32], message: &[u8]) {
    let signature = SUITE_1.ed25519_sign(seed, message).to_vec();
    add(cases, "ed25519", &SUITE_1.ed25519_public(seed), message, &signature);
    let signature = SUITE_1.mldsa_sign(seed, message).to_vec();
    add(cases, "mldsa44", &SUITE_1.mldsa_public(seed), message, &signature);
    let signer =
        es256::TestSigner::from_scalar(seed).expect("a hash is below the group order but by a miracle");
    add(cases, "es256", &signer.public(), message, &signer.sign(message));
}

/// One case as it is and one with a bit of the signature turned.
fn add(cases: &mut Vec<Value>, kind: &str, public: &[u8], message: &[u8], signature: &[u8]) {
    let mut altered = signature.to_vec();
    let middle = altered.len() / 2;
    altered[middle] ^= 1;
    for (signature, accept) in [(signature, true), (&altered, false)] {
        cases.push(json!({
            "kind": kind, "public": hex(public), "message": hex(message), "signature": hex(signature), "accept": accept,
        }));
    }
}

fn sealing(cases: &mut Vec<Value>, seed: &[u8; 32], plaintext: &[u8]) {
    let random = [sha256(&[seed, b"1"]).0, sha256(&[seed, b"2"]).0].concat();
    let random = random.try_into().expect("two hashes are 64 bytes");
    let public = SUITE_1.kem_public(seed);
    let sealed =
        SUITE_1.hpke_seal(&public, b"info", b"aad", plaintext, &random).expect("our own key is usable");
    for (aad, accept) in [("aad", true), ("add", false)] {
        cases.push(json!({
            "kind": "hpke", "seed": hex(seed), "public": hex(&public), "info": hex(b"info"), "aad": hex(aad.as_bytes()),
            "sealed": hex(&sealed), "plaintext": hex(plaintext), "accept": accept,
        }));
    }
}

/// A root signature and a release proof of each kind, which Go takes apart by `spec/crypto.md` alone.
fn releases(cases: &mut Vec<Value>) {
    let root = RootSecret { ed25519: Secret::new([1; 32]), mldsa: Secret::new([2; 32]) };
    let signature = root.sign(SUITE_1, "detente/1/credential", b"edition");
    let public = root.public(SUITE_1);
    cases.push(json!({
        "kind": "root", "ed25519": hex(&public.ed25519), "mldsa": hex(&public.mldsa[..]),
        "party": public.party().to_string(), "words": public.words_hash().to_string(), "label": "detente/1/credential", "message": hex(b"edition"),
        "ed25519_signature": hex(&signature.ed25519), "mldsa_signature": hex(&signature.mldsa[..]), "accept": true,
    }));

    let statement = sha256(&[b"a statement"]);
    let file = SUITE_1.ed25519_signer(&[3; 32]);
    let passkey = es256::TestSigner::from_scalar(&[4; 32]).expect("a small number is below the group order");
    let roster = Passkey {
        rp_id: "localhost".to_owned(),
        origins: vec!["http://localhost:19631".to_owned()],
        backup_eligible_allowed: false,
    };
    let full = |extra: &str| {
        let data = [sha256(&[b"localhost"]).as_ref(), &[0x05], &7u32.to_be_bytes()].concat();
        let client = format!(
            r#"{{"type":"webauthn.get","challenge":"{}","origin":"http://localhost:19631","crossOrigin":false{extra}}}"#,
            base64url(statement.as_ref())
        );
        let signature = passkey.sign(&[&data[..], sha256(&[client.as_bytes()]).as_ref()].concat());
        ReleaseSignature::from_assertion(&roster, &statement, &data, client.as_bytes(), signature)
    };
    let proof = Proof::new(vec![
        (9, ReleaseSignature::File { signature: file.sign(&file_key_message(&statement)) }),
        (3, full("")),
        (4, full(r#","other_keys_can_be_added_here":"x""#)),
    ])
    .expect("three distinct keys");
    for (statement, accept) in [(statement, true), (sha256(&[b"another statement"]), false)] {
        cases.push(json!({
            "kind": "proof", "statement": statement.to_string(), "proof": hex(&proof.encode()), "accept": accept,
            "file_key": hex(file.public()), "passkey": hex(&passkey.public()),
            "rp_id": roster.rp_id, "origin": roster.origins[0],
        }));
    }
}

fn base64url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits: Vec<u8> = bytes.iter().flat_map(|b| (0..8).rev().map(move |i| b >> i & 1)).collect();
    bits.chunks(6)
        .map(|six| (0..6).fold(0, |n, i| n << 1 | usize::from(*six.get(i).unwrap_or(&0))))
        .map(|digit| char::from(ALPHABET[digit]))
        .collect()
}
