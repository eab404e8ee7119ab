//! Prints how long signing, verifying and sealing take on one core.
//!
//! ```text
//! cargo run --release -p detente-crypto --features testing --example speed
//! ```
//! The figure that matters: at least 20,000 Ed25519 verifications a second and core.
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "measuring time is what this program does"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use detente_crypto::{SUITE_1, es256};

const MESSAGE: &[u8] = &[0x42; 200];

fn main() {
    let ed25519 = SUITE_1.ed25519_signer(&[1; 32]);
    let signature = ed25519.sign(MESSAGE);
    let verifier = SUITE_1.ed25519_verifier(ed25519.public()).expect("our own key is good");
    measure("Ed25519 sign, key prepared", || black_box(ed25519.sign(MESSAGE))[0]);
    measure("Ed25519 verify, key prepared", || u8::from(verifier.verify(MESSAGE, &signature)));
    measure("Ed25519 verify, key as bytes", || {
        u8::from(SUITE_1.ed25519_verify(ed25519.public(), MESSAGE, &signature))
    });

    let es256 = es256::TestSigner::from_scalar(&[1; 32]).expect("a small number is below the group order");
    let (public, signature) = (es256.public(), es256.sign(MESSAGE));
    measure("ES256 sign", || es256.sign(MESSAGE)[0]);
    measure("ES256 verify", || u8::from(es256::verify(&public, MESSAGE, &signature)));

    let mldsa = SUITE_1.mldsa_signer(&[1; 32]);
    let verifier = SUITE_1.mldsa_verifier(mldsa.public());
    let signature = mldsa.sign(MESSAGE);
    measure("ML-DSA-44 sign, key prepared", || mldsa.sign(MESSAGE)[0]);
    measure("ML-DSA-44 verify, key prepared", || u8::from(verifier.verify(MESSAGE, &signature)));
    measure("ML-DSA-44 verify, key as bytes", || {
        u8::from(SUITE_1.mldsa_verify(mldsa.public(), MESSAGE, &signature))
    });

    let kem = SUITE_1.kem_public(&[1; 32]);
    let sealed = SUITE_1.hpke_seal(&kem, b"info", b"aad", &[7; 32], &[2; 64]).expect("our own key is usable");
    measure("HPKE seal", || {
        SUITE_1.hpke_seal(&kem, b"info", b"aad", &[7; 32], &[2; 64]).map_or(0, |sealed| sealed[0])
    });
    measure("HPKE open", || SUITE_1.hpke_open(&[1; 32], b"info", b"aad", &sealed).map_or(0, |text| text[0]));
    measure("ChaCha20-Poly1305 seal, 200 bytes", || {
        SUITE_1.aead_seal(&[1; 32], &[2; 12], b"aad", MESSAGE)[0]
    });
    measure("SHA-256, 200 bytes", || detente_crypto::sha256(&[black_box(MESSAGE)]).0[0]);
}

/// Runs `work` for about half a second in ten parts and prints the median part: other programs may
/// share the core.
fn measure(name: &str, mut work: impl FnMut() -> u8) {
    let mut parts: Vec<f64> = (0..10)
        .map(|_| {
            let (start, mut count) = (Instant::now(), 0u32);
            while start.elapsed() < Duration::from_millis(50) {
                black_box(work());
                count += 1;
            }
            start.elapsed().as_secs_f64() / f64::from(count)
        })
        .collect();
    parts.sort_by(f64::total_cmp);
    let (median, best) = (parts[parts.len() / 2], parts[0]);
    println!("{name:36} {:9.2} µs {:9.0} a second   best {:9.0}", median * 1e6, 1.0 / median, 1.0 / best);
}
