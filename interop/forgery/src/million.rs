//! How long the check of a large export takes.

use std::time::Instant;

use detente_crypto::SUITE_1;
use detente_encoding::cbor::Value;
use detente_protocol::entry::{Extras, Kind, RatifyBody};
use detente_protocol::names::{Lane, Precedence};
use detente_protocol::statement::Statement;
use detente_protocol::verify::{Verdict, verify};
use detente_transparency::KeyKind;

use crate::world::{Signing, World};

/// One pair of logs with so many entries in all, 60 letters each, checked once.
pub(crate) fn measure(entries: u64) -> Result<String, String> {
    let mut world = World::new(&[("ALT", 1), ("VEG", 11)], [7; 16]);
    let ratify = RatifyBody { edition: 1, charter: world.charter.hash(), previous: None }.value();
    let logs = [0, 1].map(|place| world.begin(place, Lane::Ordinary, 1, &[]));
    let say = |world: &mut World, place: usize, kind, edition, body: &Value, look| {
        let drafted = world.tick();
        let statement = Statement {
            kind,
            edition,
            drafted,
            valid_minutes: 60,
            nonce: drafted.millis().to_be_bytes(),
            precedence: Precedence::Routine,
            format: None,
            references: vec![],
            body: body.clone(),
            extras: Extras::default(),
            attachments: vec![],
            drafter: 1,
        };
        let signing = Signing { officers: vec![0], flags: 0, full: false, true_hash: true, kept: false };
        let (bytes, table) =
            world.spoken(logs[place], statement, &signing, look).expect("it refers to nothing");
        world.append(logs[place], &bytes, table);
        world.forget_tables(&logs[place]);
    };
    for place in 0..2 {
        say(&mut world, place, Kind::Ratify, 0, &ratify, true);
    }
    let note = Value::Array(vec!["en".into(), "x".repeat(60).as_str().into()]);
    for round in 0..entries / 2 {
        for place in 0..2 {
            // The first looks at what the other said; then one look in eight entries, as in a quiet exchange.
            say(&mut world, place, Kind::Note, 1, &note, round % 8 == 0);
        }
    }
    for (place, log) in logs.into_iter().enumerate() {
        let size = world.logs[&log].data.len() as u64;
        world.sign(KeyKind::LogEd25519, place, log, size, 0);
        world.sign(KeyKind::CosignerEd25519, 1 - place, log, size, 1_800_000_000);
    }
    let files = world.export(0);
    let bytes: usize = files.files.values().map(Vec::len).sum();
    let start = Instant::now();
    let report = verify(&files, &[], SUITE_1);
    let took = start.elapsed();
    if report.verdict != Verdict::ConsistentOnly || !report.record.void.is_empty() {
        return Err(format!("the export does not hold: {:?}", report.first_fault));
    }
    Ok(format!("{} entries, {bytes} bytes: {took:?}", report.entries))
}
