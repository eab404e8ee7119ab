//! Any bytes as a charter: refused, or one value with exactly this spelling.
#![no_main]

use detente_protocol::charter::Charter;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(value) = Charter::decode(bytes) {
        assert_eq!(value.encode(), bytes);
    }
});
