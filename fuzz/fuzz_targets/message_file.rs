//! Any text as a message file: faults that name fields, or a message that survives its own bytes.
#![no_main]

use detente_formats::{Catalogue, Message};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let catalogue = Catalogue::embedded();
    match Message::from_json(text, catalogue) {
        Ok(message) => drop(Message::decode(&message.encode(), false, catalogue)),
        Err(faults) => assert!(!faults.is_empty(), "a refusal names what is wrong"),
    }
});
