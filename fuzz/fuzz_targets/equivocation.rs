//! Any bytes as an equivocation proof: refused, or written again the same.
#![no_main]

use detente_transparency::Equivocation;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(proof) = Equivocation::from_bytes(bytes) {
        assert_eq!(proof.to_bytes(), bytes);
    }
});
