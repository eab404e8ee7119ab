//! How fast an export is checked, and how fast release signatures are.

use std::path::Path;
use std::time::{Duration, Instant};

use detente_crypto::SUITE_1;
use detente_encoding::text::from_hex;
use detente_protocol::verify::{Verdict, verify};
use serde_json::{Value, json};

use super::stats::{Times, tenth};
use crate::answer::Failure;
use crate::commands::verify::Folder;

/// How often an export is checked; the middle time counts.
const CHECKS: usize = 3;
/// How long signatures of one kind are verified.
const SIGNATURES_FOR: Duration = Duration::from_millis(500);
/// Signatures between looks at the clock.
const SIGNATURES_AT_ONCE: u32 = 64;
/// RFC 6979, A.2.5: P-256, SHA-256, message "sample"; the public point compressed, the signature with
/// the lower of its two values of s.
const ES256_PUBLIC: &str = "0360fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6";
const ES256_SIGNATURE: &str = "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716\
                               0834e36ad29a83bf2bc9385e491d6099c8fdf9d1ed67aa7ea5f51f93782857a9";

/// Checks the export at `out` and verifies signatures on one core; answers the figures.
pub(super) fn run(out: &Path) -> Result<Value, Failure> {
    let folder = Folder::open(out)?;
    let mut times = Times::default();
    let mut entries = 0;
    for _ in 0..CHECKS {
        let begun = Instant::now();
        let report = verify(&folder, &[], SUITE_1);
        times.add(begun.elapsed());
        if report.verdict == Verdict::Forged {
            return Err(Failure::new(format!("{} does not verify, so its time says nothing", out.display())));
        }
        entries = report.entries;
    }
    let micros = times.median().unwrap_or(f64::INFINITY);
    #[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
    let per_s = entries as f64 / micros * 1e6;
    Ok(json!({
        "entries": entries,
        "verify_ms": tenth(micros / 1000.0),
        "entries_per_s": per_s.round(),
        "ed25519_per_s": ed25519()?.round(),
        "es256_per_s": es256()?.round(),
    }))
}

fn ed25519() -> Result<f64, Failure> {
    let signer = SUITE_1.ed25519_signer(&[3; 32]);
    let signature = signer.sign(b"sample");
    let verifier =
        SUITE_1.ed25519_verifier(signer.public()).map_err(|_| Failure::new("a good key is refused"))?;
    rate(|| verifier.verify(b"sample", &signature))
}

fn es256() -> Result<f64, Failure> {
    let public = from_hex(ES256_PUBLIC).and_then(|public| public.try_into().ok()).expect("33 bytes");
    let signature = from_hex(ES256_SIGNATURE).expect("hexadecimal");
    // As a proof carries it: r, then s.
    rate(|| SUITE_1.es256_verify(&public, b"sample", &signature))
}

/// How often `holds` is told in a second.
fn rate(mut holds: impl FnMut() -> bool) -> Result<f64, Failure> {
    let (begun, mut count) = (Instant::now(), 0_u32);
    while begun.elapsed() < SIGNATURES_FOR {
        for _ in 0..SIGNATURES_AT_ONCE {
            if !holds() {
                return Err(Failure::new("a good signature does not verify"));
            }
        }
        count += SIGNATURES_AT_ONCE;
    }
    Ok(f64::from(count) / begun.elapsed().as_secs_f64())
}

#[cfg(test)]
mod tests {
    #[test]
    fn both_kinds_of_good_signatures_hold() {
        assert!(super::ed25519().expect("holds") > 0.0);
        assert!(super::es256().expect("holds") > 0.0);
    }
}
