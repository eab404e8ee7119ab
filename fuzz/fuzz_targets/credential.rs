//! Any bytes as a credential: refused, or one value with exactly this spelling.
#![no_main]

use detente_protocol::credential::Credential;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(value) = Credential::decode(bytes) {
        assert_eq!(value.encode(), bytes);
    }
});
