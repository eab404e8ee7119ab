//! Any bytes as a roster: refused, or one value with exactly this spelling.
#![no_main]

use detente_protocol::roster::Roster;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(value) = Roster::decode(bytes) {
        assert_eq!(value.encode(), bytes);
    }
});
