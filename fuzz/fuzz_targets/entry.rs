//! Any bytes as an entry: refused, or one value with exactly this spelling.
#![no_main]

use detente_protocol::entry::Entry;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(value) = Entry::decode(bytes) {
        assert_eq!(value.encode(), bytes);
    }
});
