//! Any bytes as the body of a message: a refusal, or a message with exactly this body that can be
//! checked, written and read aloud. The first two bytes choose kind and format.
#![no_main]

use detente_encoding::{Timestamp, cbor};
use detente_formats::{Catalogue, CheckContext, Encoded, Envelope, Heading, Lane, Language, Message, MessageKind};
use detente_formats::{Precedence, check, exercise_mark, render};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let [kind, format, bytes @ ..] = data else { return };
    let Ok(body) = cbor::decode(bytes) else { return };
    let kind = match kind % 4 {
        0 => MessageKind::Notification,
        1 => MessageKind::Note,
        2 => MessageKind::Dialogue,
        _ => MessageKind::Declaration,
    };
    let format = (kind == MessageKind::Notification).then_some((u16::from(*format), 1));
    let encoded = Encoded { kind, format, body };
    let envelope = Envelope::new(Precedence::Routine);
    let Ok(message) = Message::decode(envelope, &encoded, Catalogue::embedded()) else { return };
    assert_eq!(message.encode(), encoded);
    drop(check(&message, &CheckContext::at(Timestamp::from_millis(0))));
    drop(message.to_json());
    let heading = Heading {
        reference: "ALT/2027/0001",
        lane: Lane::Ordinary,
        from: "Altair",
        to: &[],
        written_at: Timestamp::from_millis(0),
        received_at: None,
    };
    for language in Language::ALL {
        let text = render(&message, &heading, language);
        assert!(text.lines().all(|line| line != exercise_mark(language)), "nothing imitates the mark");
    }
});
