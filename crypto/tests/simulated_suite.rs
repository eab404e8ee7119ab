//! Suite 0 stands in for suite 1: every length is equal, and every altered byte is refused.

use detente_crypto::{SUITE_0, SUITE_1, Suite};

fn lengths(suite: &dyn Suite) -> Vec<usize> {
    let seed = [5; 32];
    let sealed = suite
        .hpke_seal(&suite.kem_public(&seed), b"info", b"aad", b"secret", &[6; 64])
        .expect("our own key is usable");
    let aead = suite.aead_seal(&[1; 32], &[2; 12], b"aad", b"text");
    vec![
        suite.ed25519_public(&seed).len(),
        suite.ed25519_sign(&seed, b"m").len(),
        suite.mldsa_public(&seed).len(),
        suite.mldsa_sign(&seed, b"m").len(),
        suite.kem_public(&seed).len(),
        sealed.len(),
        aead.len(),
    ]
}

#[test]
fn it_has_the_sizes_of_suite_1_and_another_number() {
    assert_eq!(lengths(SUITE_0), lengths(SUITE_1));
    assert_eq!((SUITE_0.number(), SUITE_1.number()), (0, 1));
}

#[test]
fn both_suites_refuse_each_altered_byte_of_a_signature() {
    for suite in [SUITE_0, SUITE_1] {
        let signer = suite.ed25519_signer(&[5; 32]);
        let verifier = suite.ed25519_verifier(signer.public()).unwrap();
        let good = signer.sign(b"message");
        assert!(verifier.verify(b"message", &good));
        assert!(!verifier.verify(b"massage", &good) && !verifier.verify(b"message", &good[..63]));
        for at in 0..good.len() {
            let mut altered = good;
            altered[at] ^= 1;
            assert!(!verifier.verify(b"message", &altered), "{suite:?} {at}");
        }
        let signer = suite.mldsa_signer(&[5; 32]);
        let verifier = suite.mldsa_verifier(signer.public());
        let good = signer.sign(b"message");
        assert!(verifier.verify(b"message", &good) && !verifier.verify(b"massage", &good));
        for at in (0..good.len()).step_by(97) {
            let mut altered = good;
            altered[at] ^= 1;
            assert!(!verifier.verify(b"message", &altered), "{suite:?} {at}");
        }
    }
}

#[test]
fn both_suites_open_for_the_reader_alone() {
    for suite in [SUITE_0, SUITE_1] {
        let sealed =
            suite.hpke_seal(&suite.kem_public(&[5; 32]), b"info", b"aad", b"secret", &[6; 64]).unwrap();
        assert_eq!(suite.hpke_open(&[5; 32], b"info", b"aad", &sealed).unwrap(), b"secret");
        assert!(suite.hpke_open(&[4; 32], b"info", b"aad", &sealed).is_err());
        assert!(suite.hpke_open(&[5; 32], b"inf0", b"aad", &sealed).is_err());
        assert!(suite.hpke_open(&[5; 32], b"info", b"aaD", &sealed).is_err());
        for at in (0..sealed.len()).step_by(61) {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            assert!(suite.hpke_open(&[5; 32], b"info", b"aad", &altered).is_err(), "{suite:?} {at}");
        }
        let again =
            suite.hpke_seal(&suite.kem_public(&[5; 32]), b"info", b"aad", b"secret", &[7; 64]).unwrap();
        assert_ne!(again[..1120], sealed[..1120]);
    }
}

#[test]
fn a_signature_of_one_suite_is_none_of_the_other() {
    let (zero, one) = (SUITE_0.ed25519_signer(&[5; 32]), SUITE_1.ed25519_signer(&[5; 32]));
    assert!(!SUITE_1.ed25519_verify(one.public(), b"m", &zero.sign(b"m")));
    assert!(!SUITE_0.ed25519_verify(zero.public(), b"m", &one.sign(b"m")));
}
