//! Any bytes: refused, or one value with exactly this spelling.
#![no_main]

use detente_encoding::cbor;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(value) = cbor::decode(bytes) {
        assert_eq!(cbor::encode(&value), bytes);
        assert_eq!(cbor::skip(bytes), Ok(bytes.len()));
    }
});
