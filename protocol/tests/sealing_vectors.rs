//! Sealed bytes as files, for whoever writes another node: good ones, and bad ones by their defect.
//!
//! `DETENTE_WRITE_VECTORS=1 cargo test -p detente-protocol --test sealing_vectors` writes them anew;
//! without it a difference between code and files is a failure. A snapshot of bytes changes only
//! together with `spec/` and the version.
#![allow(clippy::disallowed_methods, reason = "tests read and write the vectors beside the specification")]

use std::path::PathBuf;

use detente_crypto::SUITE_1;
use detente_encoding::cbor::{self, Value};
use detente_encoding::text::hex;
use detente_protocol::names::{ChannelId, Generation, Lane, LogKey, PartyId, PartyIndex, Run};
use detente_protocol::sealing::{
    Epoch, FrameContent, FrameEntry, Header, Kind, LogSeal, Reader, Wrap, cover, introduce, open_control,
    open_frame, open_introduction, seal_frame, uncover,
};

const CHANNEL: ChannelId = ChannelId([0x11; 32]);
const WRITER: PartyId = PartyId([0x22; 32]);
const READER: PartyId = PartyId([0x33; 32]);
const SECRET: [u8; 32] = [0x44; 32];
const LOG_SEED: [u8; 32] = [0x55; 32];
const KEM_SEED: [u8; 32] = [0x66; 32];

fn log() -> LogKey {
    LogKey { party: WRITER, lane: Lane::Emergency, generation: Generation { number: 3, run: Run([0x77; 8]) } }
}

fn epoch() -> Epoch {
    Epoch::new(SUITE_1, SECRET)
}

fn entry(text: &str) -> Vec<u8> {
    [&[1u8][..], &cbor::encode(&Value::Array(vec![Value::from(1u64), Value::text(text)]))].concat()
}

fn content(texts: &[&str], salts: bool) -> FrameContent {
    let salt = salts.then_some([0x88; 16]);
    let entries = texts.iter().map(|text| FrameEntry { salt, entry: entry(text) }).collect();
    FrameContent { first: 258, entries, line: [0x99; 64] }
}

fn frame(texts: &[&str], salts: bool, named: bool) -> Vec<u8> {
    let seal = LogSeal::new(&epoch(), CHANNEL, &log());
    seal_frame(&epoch(), &seal, &log(), &content(texts, salts), named).expect("fits")
}

fn reader(kem: &[u8; 1216]) -> Reader<'_> {
    Reader { index: PartyIndex(1), party: READER, kem, randomness: [0xaa; 64] }
}

fn wrap() -> Vec<u8> {
    let kem = SUITE_1.kem_public(&KEM_SEED);
    let signer = SUITE_1.ed25519_signer(&LOG_SEED);
    let wrap = Wrap::seal(&epoch(), CHANNEL, WRITER, Run([0x77; 8]), &[reader(&kem)], &signer);
    cover(SUITE_1, &wrap.expect("a good key"), [0xbb; 12])
}

fn introduction() -> Vec<u8> {
    let kem = SUITE_1.kem_public(&KEM_SEED);
    let signer = SUITE_1.ed25519_signer(&LOG_SEED);
    introduce(SUITE_1, b"\x01charter", WRITER, &signer, &reader(&kem)).expect("a good key")
}

/// All vectors: name, bytes, and whether a reader takes them.
fn vectors() -> Vec<(&'static str, Vec<u8>, bool)> {
    let long = "The radar of the northern sector is switched off for repair of its cooling. ".repeat(3);
    let plain = frame(&["all quiet"], false, false);
    let changed = |at: usize| {
        let mut bytes = plain.clone();
        bytes[at] ^= 1;
        bytes
    };
    vec![
        ("frame_good", plain.clone(), true),
        ("frame_good_three_entries", frame(&["one", "two", "three"], false, false), true),
        ("frame_good_named", frame(&["all quiet"], false, true), true),
        ("frame_good_explicit_salts", frame(&["one", "two"], true, false), true),
        ("frame_good_dictionary", frame(&[&long], false, false), true),
        ("frame_version", changed(0), false),
        ("frame_form_changed", changed(2), false),
        ("frame_count_changed", changed(3), false),
        ("frame_tag_changed", changed(4), false),
        ("frame_index_changed", changed(15), false),
        ("frame_sealed_bit_changed", changed(100), false),
        ("frame_truncated", plain[..plain.len() - 1].to_vec(), false),
        ("frame_trailing_byte", [&plain[..], &[0]].concat(), false),
        ("wrap_good", wrap(), true),
        ("wrap_sealed_bit_changed", flip(wrap(), 300), false),
        ("introduction_good", introduction(), true),
        ("introduction_sealed_bit_changed", flip(introduction(), 300), false),
    ]
}

fn flip(mut bytes: Vec<u8>, at: usize) -> Vec<u8> {
    bytes[at] ^= 1;
    bytes
}

/// Whether a reader with the right keys takes the bytes.
fn taken(bytes: &[u8]) -> bool {
    match Header::kind_of(bytes) {
        Ok(Kind::Frame) => {
            let Ok((header, length)) = Header::parse(bytes) else { return false };
            let seal = LogSeal::new(&epoch(), CHANNEL, &log());
            header.tag == seal.tag && open_frame(&epoch(), &seal, &header, bytes, length).is_ok()
        }
        Ok(Kind::Wrap) => {
            let Some(wrap) = uncover(SUITE_1, CHANNEL, bytes) else { return false };
            let signed = wrap.is_signed_by(SUITE_1, &SUITE_1.ed25519_public(&LOG_SEED));
            let opened = wrap.open(SUITE_1, (PartyIndex(1), READER), |_| Some(KEM_SEED));
            signed && opened.is_ok_and(|opened| opened.name() == epoch().name())
        }
        Ok(Kind::Introduction) => open_introduction(SUITE_1, READER, &KEM_SEED, bytes)
            .is_ok_and(|said| said.is_signed_by(SUITE_1, &SUITE_1.ed25519_public(&LOG_SEED))),
        Ok(_) => {
            let Ok((header, _)) = Header::parse(bytes) else { return false };
            open_control(&epoch(), WRITER, &header, bytes).is_some()
        }
        Err(_) => false,
    }
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../spec/vectors/sealing")
}

#[test]
fn sealed_bytes_are_those_of_the_vectors() {
    let name = log().name(CHANNEL);
    let inputs = format!(
        "{{\n  \"epoch_secret\": \"{}\",\n  \"epoch_name\": \"{}\",\n  \"log\": \"{name}\",\n  \"frame_tag\": \"{}\",\n  \
         \"salt_258\": \"{}\",\n  \"log_key_seed\": \"{}\",\n  \"kem_seed\": \"{}\",\n  \"reader\": \"{READER}\"\n}}\n",
        hex(&SECRET),
        hex(&epoch().name().0),
        hex(&epoch().frame_tag(&name)),
        hex(&epoch().salt(&name, 258)),
        hex(&LOG_SEED),
        hex(&KEM_SEED),
    );
    let mut files = vec![("inputs".to_owned(), inputs)];
    for (name, bytes, good) in vectors() {
        assert_eq!(taken(&bytes), good, "{name}");
        files.push((
            name.to_owned(),
            format!("{{\n  \"taken\": {good},\n  \"bytes\": \"{}\"\n}}\n", hex(&bytes)),
        ));
    }
    let writing = std::env::var_os("DETENTE_WRITE_VECTORS").is_some();
    for (name, text) in files {
        let path = folder().join(format!("{name}.json"));
        if writing {
            std::fs::create_dir_all(folder()).expect("can be made");
            std::fs::write(&path, text).expect("can be written");
        } else {
            let held = std::fs::read_to_string(&path).unwrap_or_default();
            assert_eq!(held, text, "{} differs from what the code makes", path.display());
        }
    }
}

#[test]
fn no_bytes_make_a_reader_panic() {
    let good = vectors();
    for (_, bytes, _) in &good {
        for at in 0..bytes.len().min(400) {
            let _ = taken(&flip(bytes.clone(), at));
            let _ = taken(&bytes[..at]);
        }
    }
}
