//! Examples printed in the standards themselves.

use detente_crypto::{OpenError, SUITE_1, es256};
use detente_encoding::text::{from_hex, hex};

fn from<const N: usize>(text: &str) -> [u8; N] {
    from_hex(text).and_then(|bytes| bytes.try_into().ok()).expect("hexadecimal of the right length")
}

#[test]
fn ed25519_of_rfc_8032() {
    // Section 7.1, tests 1 and 2.
    let seed = from("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
    let public: [u8; 32] = from("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    let signature: [u8; 64] = from(
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    );
    assert_eq!(SUITE_1.ed25519_public(&seed), public);
    assert_eq!(SUITE_1.ed25519_sign(&seed, b""), signature);
    assert!(SUITE_1.ed25519_verify(&public, b"", &signature));
    let seed = from("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
    assert_eq!(
        hex(&SUITE_1.ed25519_public(&seed)),
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
    );
}

#[test]
fn hkdf_of_rfc_5869() {
    // Appendix A.1.
    let mut out = [0; 42];
    let salt: [u8; 13] = from("000102030405060708090a0b0c");
    let info: [u8; 10] = from("f0f1f2f3f4f5f6f7f8f9");
    SUITE_1.hkdf(&[0x0b; 22], &salt, &info, &mut out);
    assert_eq!(
        hex(&out),
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
    );
}

#[test]
fn chacha20_poly1305_of_rfc_8439() {
    // Section 2.8.2.
    let key: [u8; 32] = core::array::from_fn(|i| 0x80 + i as u8);
    let nonce: [u8; 12] = from("070000004041424344454647");
    let aad: [u8; 12] = from("50515253c0c1c2c3c4c5c6c7");
    let text = b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.";
    let sealed = SUITE_1.aead_seal(&key, &nonce, &aad, text);
    assert_eq!(hex(&sealed[..16]), "d31a8d34648e60db7b86afbc53ef7ec2");
    assert_eq!(hex(&sealed[text.len()..]), "1ae10b594f09e26a7e902ecbd0600691");
    assert_eq!(SUITE_1.aead_open(&key, &nonce, &aad, &sealed).unwrap(), text);
}

#[test]
fn chacha20_poly1305_opens_nothing_altered() {
    let (key, nonce) = ([1; 32], [2; 12]);
    let sealed = SUITE_1.aead_seal(&key, &nonce, b"header", b"text");
    for at in 0..sealed.len() {
        let mut altered = sealed.clone();
        altered[at] ^= 0x10;
        assert_eq!(
            SUITE_1.aead_open(&key, &nonce, b"header", &altered),
            Err(OpenError::PeerNotAuthentic),
            "{at}"
        );
    }
    assert!(SUITE_1.aead_open(&[3; 32], &nonce, b"header", &sealed).is_err());
    assert!(SUITE_1.aead_open(&key, &[3; 12], b"header", &sealed).is_err());
    assert!(SUITE_1.aead_open(&key, &nonce, b"Header", &sealed).is_err());
    assert!(SUITE_1.aead_open(&key, &nonce, b"header", &[&sealed[..], &[0]].concat()).is_err());
    assert_eq!(SUITE_1.aead_open(&key, &nonce, b"header", &sealed[..15]), Err(OpenError::PeerTooShort));
    assert!(
        SUITE_1.aead_open(&key, &nonce, b"", &SUITE_1.aead_seal(&key, &nonce, b"", b"")).unwrap().is_empty()
    );
}

#[test]
fn the_generator_of_p256_is_compressed_as_sec_1_says() {
    // FIPS 186-5 and SP 800-186, section 3.2.1.3: G of P-256, whose y is odd.
    let x = "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296";
    let y = "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";
    let whole = from_hex(&format!("04{x}{y}")).unwrap();
    assert_eq!(hex(&es256::compress(&whole).unwrap()), format!("03{x}"));
    let mut off_curve = whole.clone();
    off_curve[64] ^= 1;
    assert_eq!(es256::compress(&off_curve), None);
    assert_eq!(es256::compress(&whole[..64]), None);
    assert_eq!(es256::compress(&es256::compress(&whole).unwrap()), None);
}
