//! Any text as a message file: faults that name fields, or a message that survives its own bytes.
#![no_main]

use detente_formats::{Catalogue, Message};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let catalogue = Catalogue::embedded();
    match Message::from_json(text, catalogue) {
        Ok(message) => {
            let received = Message::decode(message.envelope.clone(), &message.encode(), catalogue);
            assert_eq!(received.as_ref(), Ok(&message), "what was sent is what is read");
        }
        Err(faults) => assert!(!faults.is_empty(), "a refusal names what is wrong"),
    }
});
