//! Renderings: snapshots of every example in six languages, marks, and what a peer may not imitate.

mod common;

use common::{example, message_files};
use detente_encoding::Timestamp;
use detente_formats::{Catalogue, Heading, Lane, Language, Message, exercise_mark, render};

fn names(language: Language) -> (&'static str, String) {
    match language {
        Language::En => ("Altair", "Vega".to_owned()),
        Language::Zh => ("牵牛星", "织女星".to_owned()),
        Language::Ru => ("Альтаир", "Вега".to_owned()),
        Language::Fr => ("Altaïr", "Véga".to_owned()),
        Language::Ar => ("النسر الطائر", "النسر الواقع".to_owned()),
        Language::Es => ("Altair", "Vega".to_owned()),
    }
}

fn rendered(message: &Message, lane: Lane, language: Language) -> String {
    let (from, to) = names(language);
    let heading = Heading {
        reference: if lane == Lane::Exercise { "ALT/EX/2027/0003" } else { "ALT/2027/0212" },
        lane,
        from,
        to: &[to],
        written_at: Timestamp::parse("2027-03-13T09:30:00Z").expect("a moment"),
        received_at: Some(Timestamp::parse("2027-03-13T09:30:02Z").expect("a moment")),
    };
    render(message, &heading, language)
}

/// Compares with `snapshots/NAME.LANG.txt`; with `UPDATE_SNAPSHOTS=1` writes it instead.
#[allow(clippy::disallowed_methods, reason = "a test reads and, when asked, writes its snapshots")]
fn compare(name: &str, language: Language, text: &str) {
    let file = common::path(&format!("snapshots/{name}.{}.txt", language.code()));
    if std::env::var("UPDATE_SNAPSHOTS").is_ok() {
        std::fs::write(&file, text).expect("written");
    }
    let known = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(known, text, "{} differs; look, then run with UPDATE_SNAPSHOTS=1", file.display());
}

#[test]
fn every_example_reads_as_its_snapshot_in_six_languages() {
    for name in message_files("examples") {
        if name.ends_with(".ru") {
            continue;
        }
        let message = example(&name);
        let lane = if name == "DCL.TEST" { Lane::Exercise } else { message.lane() };
        for language in Language::ALL {
            compare(&name, language, &rendered(&message, lane, language));
        }
    }
}

#[test]
fn the_mark_is_first_and_last_in_the_exercise_lane_and_nowhere_else() {
    for name in message_files("examples") {
        let message = example(&name);
        for language in Language::ALL {
            let mark = exercise_mark(language);
            let drill = rendered(&message, Lane::Exercise, language);
            assert_eq!((drill.lines().next(), drill.lines().last()), (Some(mark), Some(mark)), "{name}");
            let real = rendered(&message, Lane::Ordinary, language);
            assert!(real.lines().all(|line| line != mark), "{name}");
        }
    }
}

#[test]
fn the_number_of_the_message_stands_first_and_last() {
    let text = rendered(&example("SWN"), Lane::Emergency, Language::En);
    assert_eq!(text.lines().next(), Some("ALT/2027/0212"));
    assert_eq!(text.lines().last(), Some("End of message ALT/2027/0212"));
}

#[test]
fn a_peer_cannot_write_a_line_of_ours() {
    let mut message = example("VD.UMA");
    let mark = exercise_mark(Language::En);
    message.envelope.remarks = Some(format!("{mark}\n1. Cause of concern: none\n\u{202E}reversed"));
    let encoded = message.encode();
    let received = Message::decode(message.envelope.clone(), &encoded, Catalogue::embedded())
        .expect("texts void nothing");
    let text = rendered(&received, Lane::Ordinary, Language::En);
    assert!(text.contains(&format!("   | {mark}\n")), "{text}");
    assert!(text.contains("   | [U+202E]reversed\n"), "{text}");
    assert!(text.lines().all(|line| line != mark));
    assert_eq!(text.lines().filter(|line| line.starts_with("1. Cause of concern")).count(), 1);
}

#[test]
fn neither_a_subject_nor_a_name_can_break_its_line() {
    let mut message = example("US-SU.ACC");
    let mark = exercise_mark(Language::En);
    message.envelope.subject = Some(format!("Drill\n{mark}"));
    message.envelope.refs = vec![format!("ALT/2027/0001\n{mark}")];
    let from = format!("Altair\n{mark}\u{2067}");
    let heading = Heading {
        reference: "ALT/2027/0212",
        lane: Lane::Emergency,
        from: &from,
        to: &[format!("Vega\u{2028}{mark}")],
        written_at: Timestamp::from_millis(0),
        received_at: None,
    };
    let text = render(&message, &heading, Language::En);
    assert!(text.lines().all(|line| line.trim() != mark), "{text}");
    assert!(text.contains("From: Altair[U+000A]*** EXERCISE ***[U+2067]\n"), "{text}");
}

#[test]
fn right_to_left_text_is_isolated_both_ways() {
    let note = r#"{"note": {"lang": "ar", "text": "نص"}}"#;
    let message = Message::from_json(note, Catalogue::embedded()).expect("no fault");
    assert!(rendered(&message, Lane::Ordinary, Language::En).contains("\u{2068}نص\u{2069}"));
    for line in rendered(&example("US-RU.BMLN"), Lane::Ordinary, Language::Ar).lines() {
        let opened = line.matches('\u{2068}').count();
        assert_eq!(opened, line.matches('\u{2069}').count(), "{line}");
    }
}
