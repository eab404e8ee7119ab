//! Any bytes as a release proof: refused, or one value with exactly this spelling.
#![no_main]

use detente_protocol::release::Proof;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(value) = Proof::decode(bytes) {
        assert_eq!(value.encode(), bytes);
    }
});
