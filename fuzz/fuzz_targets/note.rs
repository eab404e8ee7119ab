//! Any bytes as signed notes and checkpoints: refused, or written again the same.
#![no_main]

use detente_transparency::{Checkpoint, SignedNote};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(note) = SignedNote::parse(bytes) {
        assert_eq!(note.to_text().as_bytes(), bytes);
    }
    for note in SignedNote::parse_all(bytes) {
        drop(note);
    }
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(checkpoint) = Checkpoint::parse(text)
    {
        assert_eq!(checkpoint.body(), text);
    }
});
