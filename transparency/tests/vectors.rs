//! The vectors of `spec/vectors/transparency`, written by `interop/go-vectors/tree` with Go's standard
//! library: the same roots, proofs, tiles and signatures, and the same refusals for the same reasons.
#![allow(clippy::disallowed_methods, reason = "vectors are files")]

use std::collections::BTreeMap;
use std::fs;

use detente_crypto::SUITE_1;
use detente_encoding::text::{from_hex, hex};
use detente_transparency::{
    Accused, Edge, EntryBundle, Equivocation, EquivocationError, Hash, Head, Key, MemoryTree, Name,
    OpenError, PublicKey, Role, SignedNote, leaf_hash, new_tiles, root, sha256, verify_consistency,
    verify_inclusion,
};
use serde_json::Value;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../spec/vectors/transparency");

/// Runs `check` on every vector of `kind`; there must be at least `least`, so none is lost unseen.
fn each(kind: &str, least: usize, mut check: impl FnMut(&str, &Value)) {
    let mut count = 0;
    let mut files: Vec<_> =
        fs::read_dir(FOLDER).expect("the folder is there").map(|f| f.expect("readable").path()).collect();
    files.sort();
    for file in files {
        let vector: Value =
            serde_json::from_slice(&fs::read(&file).expect("readable")).expect("a vector is JSON");
        if vector["kind"] == kind {
            check(&file.file_stem().expect("a file has a name").to_string_lossy(), &vector);
            count += 1;
        }
    }
    assert!(count >= least, "{count} vectors of kind {kind}, {least} expected");
}

fn bytes(value: &Value) -> Vec<u8> {
    from_hex(value.as_str().expect("hex is text")).expect("hex")
}

fn hash(value: &Value) -> Hash {
    Hash::from_slice(&bytes(value)).expect("a hash has 32 bytes")
}

fn path(value: &Value) -> Vec<Hash> {
    value.as_array().expect("a path is a list").iter().map(hash).collect()
}

fn number(value: &Value) -> u64 {
    value.as_u64().expect("a number")
}

fn name(value: &Value) -> Name {
    value.as_str().expect("text").parse().expect("a name")
}

fn leaves(count: u64) -> impl Iterator<Item = Hash> {
    (0..count).map(|n| leaf_hash(&n.to_be_bytes()))
}

fn known_keys() -> Vec<Key> {
    let mut keys = Vec::new();
    each("keys", 1, |_, vector| {
        for key in vector["keys"].as_array().expect("a list") {
            let role = if key["role"] == "log" { Role::Log } else { Role::Cosigner };
            let public = PublicKey::new(SUITE_1, &bytes(&key["public"])).expect("a public key");
            let made = Key::new(name(&key["name"]), role, public);
            assert_eq!(made.id().to_vec(), bytes(&key["key_id"]));
            keys.push(made);
        }
    });
    keys
}

#[test]
fn roots_agree() {
    each("roots", 1, |_, vector| {
        let sizes = vector["sizes"].as_array().expect("sizes").iter().map(number);
        let expected: BTreeMap<u64, Hash> = sizes.zip(path(&vector["roots"])).collect();
        let largest = *expected.keys().max().expect("not empty");
        let tree: MemoryTree = leaves(largest).collect();
        let mut edge = Edge::new();
        for (size, expected) in expected {
            leaves(size).skip(edge.size() as usize).for_each(|leaf| edge.append(leaf));
            assert_eq!(edge.root(), expected, "size {size}");
            assert_eq!(root(&tree, size), Ok(expected), "size {size}");
        }
    });
}

#[test]
fn inclusion_proofs_agree() {
    each("inclusion", 16, |file, vector| {
        let head = Head { size: number(&vector["size"]), root: hash(&vector["root"]) };
        let path = path(&vector["path"]);
        let holds = verify_inclusion(number(&vector["index"]), hash(&vector["leaf_hash"]), head, &path);
        assert_eq!(vector["valid"], holds, "{file}");
    });
}

#[test]
fn consistency_proofs_agree() {
    each("consistency", 19, |file, vector| {
        let old = Head { size: number(&vector["old_size"]), root: hash(&vector["old_root"]) };
        let new = Head { size: number(&vector["new_size"]), root: hash(&vector["new_root"]) };
        assert_eq!(vector["valid"], verify_consistency(old, new, &path(&vector["path"])), "{file}");
    });
}

#[test]
fn notes_open_or_fail_for_the_same_reason() {
    let keys = known_keys();
    each("note", 69, |file, vector| {
        let text = match &vector["note_hex"] {
            Value::Null => vector["note"].as_str().expect("text").as_bytes().to_vec(),
            hex => bytes(hex),
        };
        let note = match SignedNote::parse(&text) {
            Ok(note) => note,
            Err(error) => return assert_eq!(vector["fault"], "note", "{file}: {error}"),
        };
        assert_eq!(note.to_text().as_bytes(), text, "{file}: what is read is written the same");
        match note.open(&keys) {
            Ok(signed) => {
                let found: Vec<Value> = signed
                    .iter()
                    .map(|s| serde_json::json!({"name": s.key.name().as_str(), "type": s.key.kind().type_byte(), "time": s.time_s}))
                    .collect();
                assert_eq!(vector["fault"], Value::Null, "{file}");
                assert_eq!(vector["signed"], Value::Array(found), "{file}");
                let head = note.checkpoint().head;
                assert_eq!((number(&vector["size"]), hash(&vector["root"])), (head.size, head.root));
            }
            Err(OpenError::PeerUnknown) => assert_eq!(vector["fault"], "unknown", "{file}"),
            Err(error) => assert_eq!(vector["fault"], "signature", "{file}: {error}"),
        }
    });
}

#[test]
fn tiles_agree() {
    each("tiles", 5, |file, vector| {
        let tree: MemoryTree = leaves(number(&vector["size"])).collect();
        let found: serde_json::Map<String, Value> = new_tiles(0, tree.size())
            .map(|tile| {
                (tile.path(), hex(&sha256(&[&tile.data(&tree).expect("the tree is whole")]).0).into())
            })
            .collect();
        assert_eq!(vector["tiles"], Value::Object(found), "{file}");
    });
}

#[test]
fn bundles_agree() {
    each("bundle", 6, |file, vector| {
        let bundle = EntryBundle::parse(&bytes(&vector["bundle"]));
        assert_eq!(vector["valid"], bundle.is_ok(), "{file}");
        if let Ok(bundle) = bundle {
            assert_eq!(number(&vector["count"]), bundle.leaves().len() as u64, "{file}");
        }
    });
}

struct Party {
    keys: [Vec<PublicKey>; 2],
    cosigner: Name,
    own_logs: Vec<Name>,
    entry: Vec<u8>,
    names: (Name, Head),
}

impl Accused for Party {
    fn log_keys(&self) -> &[PublicKey] {
        &self.keys[0]
    }

    fn cosigner_keys(&self) -> &[PublicKey] {
        &self.keys[1]
    }

    fn cosigner_name(&self, _log: &Name) -> Option<Name> {
        Some(self.cosigner.clone())
    }

    fn owns(&self, log: &Name) -> bool {
        self.own_logs.contains(log)
    }

    fn named(&self, leaf: &[u8], log: &Name) -> Option<Head> {
        (leaf == self.entry && *log == self.names.0).then_some(self.names.1)
    }
}

#[test]
fn equivocation_proofs_convict_or_fail_for_the_same_reason() {
    let keys = known_keys();
    let public =
        |log| keys.iter().filter(|key| key.kind().is_log() == log).map(|key| key.public().clone()).collect();
    each("equivocation", 32, |file, vector| {
        let generation = &vector["generation_entry"];
        let names = Head { size: number(&generation["size"]), root: hash(&generation["root"]) };
        let party = Party {
            keys: [public(true), public(false)],
            cosigner: name(&vector["cosigner"]),
            own_logs: vector["own_logs"].as_array().expect("a list").iter().map(name).collect(),
            entry: bytes(&generation["leaf"]),
            names: (name(&vector["log"]), names),
        };
        let proof = match Equivocation::from_bytes(&bytes(&vector["proof"])) {
            Ok(proof) => proof,
            Err(error) => return assert_eq!(vector["fault"], "bytes", "{file}: {error}"),
        };
        assert_eq!(proof.to_bytes(), bytes(&vector["proof"]), "{file}: what is read is written the same");
        assert_eq!((&proof.log, proof.party), (&party.names.0, hash(&vector["party"])), "{file}");
        let fault = match proof.verify(&party) {
            Ok(()) => Value::Null,
            Err(EquivocationError::PeerNoContradiction) => "contradiction".into(),
            Err(EquivocationError::PeerClaim(..)) => "claim".into(),
            Err(EquivocationError::PeerGeneration(_)) => "generation".into(),
            Err(error) => panic!("{file}: {error}"),
        };
        assert_eq!(vector["fault"], fault, "{file}");
    });
}
