//! What a notification costs on the narrowest link: bytes as handed to the path.
//!
//! The examples are fixed files, measured as they are: a `seen` of three logs listed before and
//! above 65,536, a proof hash, a citation number of two bytes, two parties, wraps gone ahead.

#![allow(clippy::disallowed_methods, reason = "tests read the examples")]

use detente_crypto::{Hash, SUITE_1, sha256};
use detente_encoding::Timestamp;
use detente_formats::{Catalogue, Content, Message};
use detente_protocol::entry::{Entry, Extras, Kind, Reference};
use detente_protocol::names::{ChannelId, EntryId, Generation, Lane, LogKey, PartyId, Precedence, Run};
use detente_protocol::sealing::{Epoch, FrameContent, FrameEntry, Header, LogSeal, open_frame, seal_frame};
use detente_protocol::seen::SeenTable;
use detente_protocol::statement::{FormatRef, Placement, Statement};

const CHANNEL: ChannelId = ChannelId([7; 32]);
const PARTIES: [PartyId; 2] = [PartyId([1; 32]), PartyId([2; 32])];

fn log(party: usize, lane: Lane) -> LogKey {
    // Real runs are random; a hash stands for them.
    let run = sha256(&[&PARTIES[party].0, &[lane as u8]]).0[..8].try_into().expect("8 bytes");
    LogKey { party: PARTIES[party], lane, generation: Generation { number: 212, run: Run(run) } }
}

/// Bytes of the frame of an example, and whether it opens to the same entry again.
fn frame_bytes(text: &str, code: &str) -> usize {
    let message = Message::from_json(text, Catalogue::embedded()).expect(code);
    assert!(matches!(message.content, Content::Notification(_)), "{code}");
    let encoded = message.encode();
    let precedence = Precedence::from_number(message.envelope.precedence as u64).expect("the same four");
    let own = log(0, precedence.lane());
    let seen_logs = [log(1, Lane::Ordinary), log(1, Lane::Emergency), log(0, Lane::Exercise)];
    let mut table = SeenTable::new(CHANNEL, own);
    let before = table.next(seen_logs.map(|log| (log, 65_537)), &PARTIES);
    table.apply(&before, &PARTIES).expect("lists three logs");
    let seen = table.next(seen_logs.map(|log| (log, 70_000)), &PARTIES);
    let drafted = Timestamp::parse("2027-03-14T09:00:00.417Z").expect("a moment");
    let leaf = sha256(&[b"what it refers to"]);
    let entry = EntryId { log: log(1, own.lane), index: 69_999 };
    let references = if message.envelope.refs.is_empty() {
        Vec::new()
    } else {
        vec![Reference { channel: CHANNEL, entry, leaf }]
    };
    let format = encoded
        .format
        .map(|(number, edition)| FormatRef { number: u32::from(number), edition: u32::from(edition) });
    let statement = Statement {
        kind: Kind::Notification,
        edition: 1,
        drafted,
        valid_minutes: 15,
        nonce: leaf.0[..8].try_into().expect("8 bytes"),
        precedence,
        format,
        references,
        body: encoded.body,
        extras: Extras::default(),
        attachments: Vec::new(),
        drafter: 1,
    };
    let mut placed = table.clone();
    placed.apply(&seen, &PARTIES).expect("grows three logs");
    let check = placed.check(|log, size| Some(sha256(&[&log.party.0, &size.to_be_bytes()])));
    let placement = Placement { number: 212 + 256, delay: 252_417, seen, check, proof: Hash([9; 32]) };
    let spoken = statement.place(&placed, placement).expect("references stand in the table");
    let bytes = Entry::Spoken(spoken).encode();
    let secret = sha256(&[b"an epoch secret"]).0;
    let epoch = Epoch::new(SUITE_1, secret);
    let seal = LogSeal::new(&epoch, CHANNEL, &own);
    let line: [u8; 64] = core::array::from_fn(|i| leaf.0[i % 32].wrapping_mul(i as u8 | 1));
    let entries = vec![FrameEntry { salt: None, entry: bytes.clone() }];
    let content = FrameContent { first: 70_123, entries, line };
    let frame = seal_frame(&epoch, &seal, &own, &content, false).expect("fits a frame");
    let (header, header_bytes) = Header::parse(&frame).expect("our own header");
    let opened = open_frame(&epoch, &seal, &header, &frame, header_bytes).expect("our own frame");
    assert_eq!(opened.entries[0].entry, bytes, "{code} comes back as it went");
    frame.len()
}

fn most(code: &str, russian: bool) -> usize {
    match code {
        "US-RU.BMLN" => 222,
        "NST.SEMI" => 600,
        _ if russian => 400,
        _ => 340,
    }
}

#[test]
fn every_example_fits_its_figure() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../formats/examples");
    let mut over = Vec::new();
    let mut measured = 0;
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .expect("the examples are there")
        .map(|file| file.expect("readable").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    for path in files {
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let (code, russian) = match name.strip_suffix(".ru") {
            Some(code) => (code, true),
            None => (name.as_str(), false),
        };
        let text = std::fs::read_to_string(&path).expect("readable");
        let bytes = frame_bytes(&text, &name);
        println!("| {name} | {bytes} | {} |", most(code, russian));
        measured += 1;
        if bytes > most(code, russian) {
            over.push((name, bytes));
        }
    }
    assert!(measured >= 13, "only {measured} examples were found");
    assert_eq!(over, Vec::new());
}
