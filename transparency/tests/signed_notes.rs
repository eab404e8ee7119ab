//! Notes as an export holds them, and notes from hands that are not to be trusted.

use detente_crypto::SUITE_1;
use detente_transparency::{
    Checkpoint, Hash, Head, Key, LINES_MAX, Line, LineError, NOTE_BYTES_MAX, NoteError, OpenError, PublicKey,
    Role, SIGNATURE_BYTES_MAX, SignedNote,
};
use proptest::prelude::*;

const SEED: [u8; 32] = [7; 32];

fn key() -> Key {
    let public = PublicKey::new(SUITE_1, &SUITE_1.ed25519_public(&SEED)).expect("a public key");
    Key::new("log".parse().expect("a name"), Role::Log, public)
}

fn checkpoint(size: u64) -> Checkpoint {
    Checkpoint { origin: "log".parse().expect("a name"), head: Head { size, root: Hash([size as u8; 32]) } }
}

fn line(size: u64) -> Line {
    let key = key();
    Line::new(&key, 0, &SUITE_1.ed25519_sign(&SEED, &key.message(&checkpoint(size), 0)))
}

fn note(size: u64) -> SignedNote {
    SignedNote::new(checkpoint(size), vec![line(size)]).expect("one line")
}

#[test]
fn notes_stand_one_after_the_other_with_an_empty_line_after_each() {
    let notes: Vec<SignedNote> = (1..=5).map(note).collect();
    let text: String = notes.iter().map(|note| note.to_text() + "\n").collect();
    let read: Result<Vec<_>, _> = SignedNote::parse_all(text.as_bytes()).collect();
    assert_eq!(read, Ok(notes));
    assert_eq!(SignedNote::parse_all(b"").count(), 0);
}

#[test]
fn reading_notes_ends_at_the_first_fault() {
    let text = note(1).to_text() + "\n" + &note(2).to_text();
    let read: Vec<_> = SignedNote::parse_all(text.as_bytes()).collect();
    assert_eq!(read, [Ok(note(1)), Err(NoteError::PeerShape)], "the last note lacks its empty line");
    let read: Vec<_> = SignedNote::parse_all(b"\n\n\n\n").collect();
    assert!(matches!(read[..], [Err(_)]));
    let endless = vec![b'a'; NOTE_BYTES_MAX * 2];
    assert_eq!(SignedNote::parse_all(&endless).collect::<Vec<_>>(), [Err(NoteError::PeerTooLong)]);
}

#[test]
fn the_largest_note_is_read_and_no_larger_one() {
    let name = "n".repeat(255).parse().expect("a name");
    let largest = Line { name, key_id: [0; 4], signature: vec![0; SIGNATURE_BYTES_MAX] };
    let note = SignedNote::new(checkpoint(1), vec![largest; LINES_MAX]).expect("sixteen lines");
    assert!(note.to_text().len() <= NOTE_BYTES_MAX);
    assert_eq!(SignedNote::parse(note.to_text().as_bytes()), Ok(note));
    assert_eq!(SignedNote::parse(&vec![b'a'; NOTE_BYTES_MAX + 1]), Err(NoteError::PeerTooLong));
    assert_eq!(SignedNote::new(checkpoint(1), vec![line(1); 17]), Err(NoteError::PeerLineCount));
    assert_eq!(SignedNote::new(checkpoint(1), Vec::new()), Err(NoteError::PeerLineCount));
}

#[test]
fn a_bad_line_of_a_known_key_voids_the_note_and_is_named() {
    let mixed = SignedNote::new(checkpoint(1), vec![line(1), line(2)]).expect("two lines");
    assert_eq!(mixed.open(&[key()]), Err(OpenError::PeerLine(1, LineError::PeerSignature)));
    assert_eq!(mixed.open(&[]), Err(OpenError::PeerUnknown));
    assert_eq!(note(1).open(&[key()]).map(|signed| signed.len()), Ok(1));
}

proptest! {
    #[test]
    fn no_altered_byte_of_a_signed_note_goes_unseen(place in any::<prop::sample::Index>(), bit in 0u8..8) {
        let mut text = note(3).to_text().into_bytes();
        let place = place.index(text.len());
        text[place] ^= 1 << bit;
        let opened = SignedNote::parse(&text).map(|note| note.open(&[key()]).is_ok());
        prop_assert_ne!(opened, Ok(true));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
        prop_assert!(SignedNote::parse(&bytes).map_or(true, |note| note.to_text().as_bytes() == bytes));
        prop_assert!(SignedNote::parse_all(&bytes).count() <= bytes.len());
    }

    #[test]
    fn text_in_the_shape_of_a_note_is_read_or_refused(
        text in "[a-z ]{0,4}\n[0-9+]{0,3}\n[A-Za-z+/]{42}[AEI048]=\n\n?(\u{2014} [a-z+]{0,3} [A-Za-z0-9+/]{0,12}=?=?\n){0,3}",
    ) {
        if let Ok(note) = SignedNote::parse(text.as_bytes()) {
            prop_assert_eq!(note.to_text(), text);
        }
    }
}
