//! Any valid message of any format goes through the wire and the file and comes back the same, and
//! any bytes at all are a message or a refusal.

mod common;

use std::sync::Arc;

use detente_encoding::{Timestamp, cbor};
use detente_formats::format::{Field, Format, Kind, Shape};
use detente_formats::value::{Circle, DailyHours, DistanceUnit, FieldValue, Ocean, OceanQuadrant, Point};
use detente_formats::{
    Catalogue, Content, Encoded, Envelope, Filled, Heading, Lane, Language, Level, Message, MessageKind,
    Precedence, exercise_mark, render,
};
use proptest::prelude::*;

type Values = Vec<Option<FieldValue>>;

fn record(fields: &[Field]) -> BoxedStrategy<Values> {
    fields.iter().map(optional).collect::<Vec<_>>().boxed()
}

fn optional(field: &Field) -> BoxedStrategy<Option<FieldValue>> {
    let value = of_field(field);
    if field.required { value.prop_map(Some).boxed() } else { proptest::option::of(value).boxed() }
}

fn of_field(field: &Field) -> BoxedStrategy<FieldValue> {
    let value = of_kind(&field.kind);
    if field.word.is_some() { prop_oneof![4 => value, 1 => Just(FieldValue::Word)].boxed() } else { value }
}

fn point() -> impl Strategy<Value = Point> {
    (-900_000..=900_000_i32, -1_800_000..=1_800_000_i32).prop_map(|(lat, lon)| Point { lat, lon })
}

fn circle() -> impl Strategy<Value = Circle> {
    (point(), 1..=200_040_u32, any::<bool>()).prop_map(|(center, radius_tenths, nautical)| Circle {
        center,
        radius_tenths,
        unit: if nautical { DistanceUnit::NauticalMile } else { DistanceUnit::Kilometre },
    })
}

fn polygon() -> impl Strategy<Value = Vec<Point>> {
    let open = |corners: &Vec<Point>| corners.first() != corners.last();
    prop::collection::vec(point(), 3..12).prop_filter("the first corner is not repeated", open)
}

fn text(max: usize) -> impl Strategy<Value = String> {
    let pattern =
        "[A-Za-z\u{410}-\u{44F}\u{4E00}-\u{4FFF}\u{627}-\u{63A}][ A-Za-z\u{410}-\u{44F}0-9,.:;-]{0,60}";
    pattern.prop_map(move |text| text.chars().take(max).collect())
}

fn of_kind(kind: &Kind) -> BoxedStrategy<FieldValue> {
    match kind {
        Kind::Date => (0..80_000_i64).prop_map(FieldValue::Date).boxed(),
        Kind::DateTime => (0..4_000_000_000_i64).prop_map(FieldValue::DateTime).boxed(),
        Kind::Time => (0..1440_u16).prop_map(FieldValue::Time).boxed(),
        Kind::DailyHours => (0..1440_u16, 1..1440_u16)
            .prop_map(|(from, hours)| FieldValue::DailyHours(DailyHours { from, to: (from + hours) % 1440 }))
            .boxed(),
        Kind::Bool => any::<bool>().prop_map(FieldValue::Bool).boxed(),
        Kind::Uint { min, max } => (*min..=*max).prop_map(FieldValue::Uint).boxed(),
        Kind::Decimal { min, max, .. } => (*min..=*max).prop_map(FieldValue::Decimal).boxed(),
        Kind::Text { max, .. } | Kind::Post { max } => text(*max).prop_map(FieldValue::Text).boxed(),
        Kind::Code { max } => {
            let max = *max;
            "[A-Z0-9./_-]{1,24}"
                .prop_map(move |code| FieldValue::Text(code.chars().take(max).collect()))
                .boxed()
        }
        Kind::Reference => "[A-Z]{3}/(EX/)?20[0-9]{2}/[0-9]{4}".prop_map(FieldValue::Text).boxed(),
        Kind::Choice(choices) => {
            prop::sample::select(choices.iter().map(|choice| choice.number).collect::<Vec<_>>())
                .prop_map(FieldValue::Choice)
                .boxed()
        }
        Kind::Point => point().prop_map(FieldValue::Point).boxed(),
        Kind::Circle => circle().prop_map(FieldValue::Circle).boxed(),
        Kind::Polygon => polygon().prop_map(FieldValue::Polygon).boxed(),
        Kind::Area(shapes) => {
            let kinds = shapes.iter().map(|shape| match shape {
                Shape::Polygon => of_kind(&Kind::Polygon),
                Shape::Circle => of_kind(&Kind::Circle),
                Shape::Point => of_kind(&Kind::Point),
            });
            proptest::strategy::Union::new(kinds).boxed()
        }
        Kind::OceanQuadrant => (prop::sample::select(Ocean::ALL.to_vec()), 1..=4_u8)
            .prop_map(|(ocean, quadrant)| FieldValue::OceanQuadrant(OceanQuadrant { ocean, quadrant }))
            .boxed(),
        Kind::Level => prop::sample::select(Level::ALL.to_vec()).prop_map(FieldValue::Level).boxed(),
        Kind::Language => prop::sample::select(Language::ALL.to_vec()).prop_map(FieldValue::Language).boxed(),
        Kind::OneOf(variants) => {
            let variants = variants.iter().map(|variant| {
                let number = variant.number;
                of_field(variant).prop_map(move |value| FieldValue::OneOf(number, Box::new(value))).boxed()
            });
            proptest::strategy::Union::new(variants).boxed()
        }
        Kind::List { item, min, max } => prop::collection::vec(of_field(item), *min..=(*max).min(*min + 5))
            .prop_map(FieldValue::List)
            .boxed(),
        Kind::Record(fields) => record(fields).prop_map(FieldValue::Record).boxed(),
        Kind::Bytes { length } => {
            prop::collection::vec(any::<u8>(), *length).prop_map(FieldValue::Bytes).boxed()
        }
    }
}

fn content(format: Arc<Format>) -> BoxedStrategy<Content> {
    let notification = format.kind == detente_formats::format::ContentKind::Notification;
    let dialogue = format.kind == detente_formats::format::ContentKind::Dialogue;
    record(&format.fields)
        .prop_map(move |values| {
            let filled = Filled { format: format.clone(), values };
            match (notification, dialogue) {
                (true, _) => Content::Notification(filled),
                (_, true) => Content::Dialogue(filled),
                _ => Content::Declaration(filled),
            }
        })
        .boxed()
}

fn message() -> impl Strategy<Value = Message> {
    let contents = Catalogue::embedded().all().map(|format| content(format.clone()));
    let envelope = (
        prop::sample::select(Precedence::ALL.to_vec()),
        any::<bool>(),
        proptest::option::of(text(100)),
        proptest::option::of("[A-Z]{3}"),
        prop::collection::vec("[A-Z]{3}/20[0-9]{2}/[0-9]{4}", 0..3),
        proptest::option::of(0..4_000_000_000_i64),
        proptest::option::of(prop::sample::select(Language::ALL.to_vec())),
        proptest::option::of(text(200)),
        any::<bool>(),
        proptest::option::of("[A-Z]{3}/20[0-9]{2}/[0-9]{4}"),
    );
    (proptest::strategy::Union::new(contents), envelope).prop_map(|(content, envelope)| {
        let (precedence, exercise, subject, to, refs, answer_by, language, remarks, confidential, supersedes) =
            envelope;
        let envelope = Envelope {
            precedence,
            exercise,
            subject,
            to: to.into_iter().collect(),
            refs,
            answer_by,
            language,
            remarks,
            confidential,
            supersedes,
            attachments: Vec::new(),
        };
        Message { envelope, content }
    })
}

fn over_the_wire(encoded: &Encoded) -> Encoded {
    let through = |value: &cbor::Value| cbor::decode(&cbor::encode(value)).expect("deterministic");
    Encoded { body: through(&encoded.body), ..encoded.clone() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_message_comes_back_the_same_from_wire_and_file(message in message()) {
        let received = Message::decode(message.envelope.clone(), &over_the_wire(&message.encode()), Catalogue::embedded());
        prop_assert_eq!(received.as_ref(), Ok(&message));
        let file = message.to_json().to_string();
        prop_assert_eq!(Message::from_json(&file, Catalogue::embedded()), Ok(message));
    }

    #[test]
    fn the_mark_frames_a_message_if_and_only_if_it_is_an_exercise(message in message()) {
        let lane = message.lane();
        let heading = Heading {
            reference: "ALT/2027/0001", lane, from: "Altair", to: &[],
            written_at: Timestamp::from_millis(0), received_at: None,
        };
        for language in Language::ALL {
            let text = render(&message, &heading, language);
            let mark = Some(exercise_mark(language));
            let exercise = lane == Lane::Exercise;
            prop_assert_eq!(text.lines().next() == mark, exercise);
            prop_assert_eq!(text.lines().last() == mark, exercise);
            prop_assert_eq!(text.lines().filter(|line| Some(*line) == mark).count(), if exercise { 2 } else { 0 });
        }
    }

    #[test]
    fn any_bytes_are_a_message_or_a_refusal(bytes in prop::collection::vec(any::<u8>(), 0..64), format in 0..320_u16) {
        if let Ok(body) = cbor::decode(&bytes) {
            let kind = [MessageKind::Notification, MessageKind::Note, MessageKind::Dialogue, MessageKind::Declaration]
                [usize::from(format % 4)];
            let format = (kind == MessageKind::Notification).then_some((format / 4, 1));
            let encoded = Encoded { kind, format, body };
            if let Ok(message) = Message::decode(Envelope::new(Precedence::Routine), &encoded, Catalogue::embedded()) {
                prop_assert_eq!(message.encode(), encoded);
            }
        }
    }

    #[test]
    fn a_changed_body_is_another_message_or_a_refusal(message in message(), at in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let encoded = message.encode();
        let mut bytes = cbor::encode(&encoded.body);
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        if let Ok(body) = cbor::decode(&bytes) {
            let changed = Encoded { body, ..encoded };
            if let Ok(received) = Message::decode(message.envelope.clone(), &changed, Catalogue::embedded()) {
                prop_assert_ne!(received, message);
            }
        }
    }
}
