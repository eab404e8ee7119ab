//! Every example of a format loads, checks clean, goes through the wire and comes back the same.

mod common;

use common::{code_of, example, faults_of, message_files};
use detente_encoding::cbor;
use detente_formats::{Catalogue, Content, Message};

#[test]
fn every_notification_has_an_example() {
    let files = message_files("examples");
    for code in Catalogue::embedded().codes() {
        assert!(files.iter().any(|file| file == code), "{code} has no example");
    }
    assert!(Catalogue::embedded().codes().count() >= 13);
}

#[test]
fn every_example_is_without_fault() {
    for name in message_files("examples") {
        let faults = faults_of(&example(&name), code_of(&name), None);
        assert!(faults.is_empty(), "{name}: {faults:?}");
    }
}

#[test]
fn every_example_survives_the_wire_and_the_file() {
    for name in message_files("examples") {
        let message = example(&name);
        let encoded = message.encode();
        // Through the very bytes, so that nothing lives only in memory.
        let body = cbor::decode(&cbor::encode(&encoded.body)).expect("deterministic");
        let again = detente_formats::Encoded { body, ..encoded };
        assert_eq!(
            Message::decode(message.envelope.clone(), &again, Catalogue::embedded()),
            Ok(message.clone()),
            "{name}"
        );
        let file = message.to_json().to_string();
        assert_eq!(Message::from_json(&file, Catalogue::embedded()), Ok(message), "{name}");
    }
}

#[test]
fn a_launch_with_a_circle_and_a_coded_area_takes_at_most_26_bytes() {
    let encoded = example("US-RU.BMLN").encode();
    let bytes = cbor::encode(&encoded.body);
    assert!(bytes.len() <= 26, "{} bytes", bytes.len());
    assert_eq!(encoded.format, Some((1, 1)));
}

#[test]
fn the_bytes_of_a_launch_are_these() {
    let bytes = cbor::encode(&example("US-RU.BMLN").encode().body);
    // fields; 2027-03-15; SLBM; sector 0 of the Atlantic; one area: circle, 60.5 N, 17.9 W, 40.0 nm
    let labelled = "84 19519c 01 820200 81 85021a00093b483a0002bb3719019001".replace(' ', "");
    assert_eq!(detente_encoding::text::hex(&bytes), labelled);
}

#[test]
fn bodies_are_as_small_as_their_contents() {
    // Free text has 120 characters: 120 bytes in Latin letters, about 225 in Cyrillic ones.
    for name in message_files("examples") {
        let bytes = cbor::encode(&example(&name).encode().body).len();
        let bound = match code_of(&name) {
            "NST.SEMI" => 200,
            _ if name.ends_with(".ru") => 300,
            _ => 192,
        };
        assert!(bytes <= bound, "{name}: {bytes} bytes");
    }
}

#[test]
fn free_texts_of_the_examples_have_120_characters() {
    let mut counted = 0;
    for name in message_files("examples") {
        let json = example(&name).to_json();
        let mut longest = 0;
        fn walk(value: &serde_json::Value, longest: &mut usize) {
            match value {
                serde_json::Value::String(text) => *longest = (*longest).max(text.chars().count()),
                serde_json::Value::Array(items) => items.iter().for_each(|item| walk(item, longest)),
                serde_json::Value::Object(map) => map.values().for_each(|item| walk(item, longest)),
                _ => {}
            }
        }
        walk(&json, &mut longest);
        let has_text = !matches!(code_of(&name), "US-RU.BMLN" | "NST.SEMI" | "POC.PING");
        assert!(!has_text || longest == 120, "{name}: {longest}");
        counted += usize::from(has_text);
    }
    assert_eq!(counted, 20, "ten formats with free text, in two scripts");
}

#[test]
fn a_note_a_dialogue_and_a_declaration_travel_too() {
    let files = [
        r#"{"precedence": "immediate", "subject": "Мост", "to": ["VEG"], "remarks": "a\nb", "confidential": true,
            "language": "ru", "supersedes": "ALT/2027/0001", "refs": ["VEG/2027/0007", "ALT/EX/2027/0003"],
            "answer_by": "2027-03-14T11:00:00+03:00", "note": {"lang": "ru", "text": "Первая строка.\nВторая."}}"#,
        r#"{"dialogue": {"level": "head_of_state", "kind": "video", "topics": ["nuclear"], "windows": "undated",
            "languages": ["en", "zh"], "max_minutes": 210}}"#,
        r#"{"declaration": {"obligation": "Observed limits", "as_of": "2026-03-01", "status": "observed_voluntarily",
            "form": "open", "counts": [{"category": "WARHEADS", "count": "not_provided", "limit": 1550}]}}"#,
    ];
    for file in files {
        let message = Message::from_json(file, Catalogue::embedded()).expect("no fault");
        let encoded = message.encode();
        assert_eq!(
            Message::decode(message.envelope.clone(), &encoded, Catalogue::embedded()),
            Ok(message.clone())
        );
        assert!(!matches!(message.content, Content::Notification(_)));
        assert_eq!(Message::from_json(&message.to_json().to_string(), Catalogue::embedded()), Ok(message));
    }
}
