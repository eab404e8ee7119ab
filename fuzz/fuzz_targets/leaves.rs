//! Any bytes as an entry bundle and as an export's `entries` file: refused, or written again the same.
#![no_main]

use detente_transparency::EntryBundle;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(bundle) = EntryBundle::parse(bytes) {
        assert_eq!(bundle.to_bytes().expect("leaves just read are short enough"), bytes);
    }
});
