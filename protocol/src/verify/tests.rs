use super::*;
use crate::entry::{Kind, Payload};
use crate::export::{MemoryFiles, Object, log_folder};
use crate::names::{Lane, LogKey, Precedence};
use detente_crypto::{SUITE_1, sha256};
use detente_transparency::{
    Claim, Equivocation, Evidence, Head, KeyKind, LineEvidence, Name, SignedNote, leaf_hash,
};
use world::{Say, World};

pub(crate) mod world;

fn check(files: &MemoryFiles, words: &[(String, String)]) -> Report {
    let anchors: Vec<Anchor<'_>> = words.iter().map(|(code, words)| Anchor { code, words }).collect();
    verify(files, &anchors, SUITE_1)
}

/// A small channel: both lanes, an exchange, a second generation.
fn small() -> World {
    let mut world = World::open();
    let flash = Say { precedence: Precedence::Flash, ..Say::note("stop") };
    world.begin(0, Lane::Emergency, 1, &[]);
    let said = world.say(0, Lane::Emergency, flash);
    world.begin(1, Lane::Emergency, 1, &[]);
    let acknowledged = Say { precedence: Precedence::Flash, ..Say::answer(Kind::Acknowledgement, said) };
    world.say(1, Lane::Emergency, acknowledged);
    world.say(1, Lane::Ordinary, Say { keep_proof: false, ..Say::note("hello") });
    let (first, size) = (world.live(0, Lane::Ordinary), 2);
    world.receipt(1, first, size, 1_800_000_005);
    world.begin(0, Lane::Ordinary, 2, &[1]);
    world.say(0, Lane::Ordinary, Say { signers: vec![0], ..Say::note("one person") });
    world.objects.insert(Object::Blob(sha256(&[b"a file"])), b"a file".to_vec());
    world.sign_all();
    world
}

#[test]
fn a_true_export_is_valid_with_all_words_and_consistent_only_without() {
    let mut world = small();
    let files = world.export();
    let report = check(&files, &world.words());
    assert_eq!(report.first_fault, None);
    assert_eq!(report.verdict, Verdict::Valid);
    assert_eq!((report.logs.len(), report.entries), (5, world.logs.values().map(|l| l.tree.size()).sum()));
    for log in &report.logs {
        let size = world.logs[&log.key].tree.size();
        assert_eq!((log.signed, log.post_quantum), (size, size));
        assert_eq!(log.cosigned.values().copied().collect::<Vec<_>>(), [size]);
        assert!(!log.cosigned.contains_key(&log.key.party));
    }
    assert_eq!(report.record.void, []);
    assert_eq!(report.record.check_failed, []);
    assert_eq!((report.record.waiting, report.record.erased), (0, 0));
    // Two ratifications, flash and its acknowledgement shown; the routine note's proof is not there
    // and not asked for; one person's release is not enough.
    assert_eq!(report.record.releases, Releases { shown: 4, not_shown: 1, not_asked: 1 });
    let one = check(&files, &world.words()[..1]);
    assert_eq!((one.verdict, one.first_fault), (Verdict::ConsistentOnly, None));
    assert!(one.parties[0].compared ^ one.parties[1].compared);
}

#[test]
fn the_json_has_the_promised_shape() {
    let mut world = small();
    let files = world.export();
    let json = check(&files, &world.words()).to_json();
    assert!(
        json.starts_with("{\"verdict\":\"valid\",\"entries\":12,\"logs\":[{\"log\":\"detente/"),
        "{json}"
    );
    assert!(json.contains("\"cosigned\":{\"VEG\":3},\"post_quantum\":3,"), "{json}");
    assert!(json.contains("\"first_fault\":null,"), "{json}");
    assert!(json.contains("\"releases\":{\"shown\":4,\"not_shown\":1,\"not_asked\":1}"), "{json}");
    let wrong = [("ALT".to_owned(), "1 2 3 4 5 6 7 8".to_owned())];
    let json = check(&files, &wrong).to_json();
    assert!(json.contains("\"first_fault\":{\"log\":null,\"index\":null,\"what\":\"words\"}"), "{json}");
}

#[test]
fn the_text_sums_logs_up_by_party_and_lane() {
    let mut world = small();
    let files = world.export();
    let text = check(&files, &[]).to_string();
    assert!(text.contains("which you must compare"), "{text}");
    assert!(text.contains("ALT ordinary: 2 logs, 5 entries, 5 receipted by VEG, 5 also signed"), "{text}");
    assert!(text.contains("Nothing can be said about entries after these."), "{text}");
}

/// The fault's log or path, index and word.
fn fault(report: &Report) -> (Option<&str>, Option<u64>, &'static str) {
    assert_eq!(report.verdict, Verdict::Forged, "{:?}", report.first_fault);
    let fault = report.first_fault.as_ref().unwrap();
    (fault.log.as_deref(), fault.index, fault.kind.word())
}

fn ordinary(world: &World, place: usize) -> (LogKey, String, String) {
    let log = world.key(place, Lane::Ordinary, 1);
    (log, log.name(world.channel), log_folder(&log))
}

#[test]
fn words_that_differ_or_belong_to_nobody_are_a_fault() {
    let mut world = small();
    let files = world.export();
    let mut words = world.words();
    words[0].1 = words[1].1.clone();
    assert_eq!(fault(&check(&files, &words)), (None, None, "words"));
    assert_eq!(fault(&check(&files, &[("XYZ".into(), words[1].1.clone())])), (None, None, "words"));
}

#[test]
fn each_file_that_is_missing_or_too_much_is_named() {
    let mut world = small();
    let good = world.export();
    let (_, _, folder) = ordinary(&world, 0);
    for path in good.files.keys() {
        let mut files = good.clone();
        files.files.remove(path);
        let report = check(&files, &[]);
        let kind = match path.as_str() {
            "export" => "export",
            path if path.starts_with("charters") || path.starts_with("credentials") => "missing",
            path if path.starts_with("logs/") => "missing",
            // Nobody needs these: proofs and blobs may be missing, and the note is for people.
            _ => {
                assert_eq!(report.first_fault, None, "{path}");
                continue;
            }
        };
        assert_eq!(fault(&report), (Some(path.as_str()), None, kind));
    }
    let last = format!("{folder}entries~");
    for path in ["charters/01", "blobs/00", "x", "logs/y", last.as_str()] {
        let mut files = good.clone();
        files.files.insert(path.to_owned(), vec![]);
        assert_eq!(fault(&check(&files, &[])), (Some(path), None, "unexpected"));
    }
}

#[test]
fn a_changed_entry_is_named_by_its_index() {
    let mut world = small();
    let mut files = world.export();
    let (_, name, folder) = ordinary(&world, 1);
    let entries = files.files.get_mut(&format!("{folder}entries")).unwrap();
    let at = entries.len() - 1;
    entries[at] ^= 1;
    let last = world.logs[&world.key(1, Lane::Ordinary, 1)].tree.size() - 1;
    assert_eq!(fault(&check(&files, &[])), (Some(name.as_str()), Some(last), "leaf"));
}

/// Writes entries and leaves of a log anew, from these leaf data.
fn rewrite(files: &mut MemoryFiles, folder: &str, data: &[Vec<u8>]) {
    let mut entries = Vec::new();
    data.iter().for_each(|data| detente_transparency::write_leaf(data, &mut entries).unwrap());
    files.files.insert(format!("{folder}entries"), entries);
    let leaves = data.iter().flat_map(|data| leaf_hash(data).0).collect();
    files.files.insert(format!("{folder}leaves"), leaves);
}

#[test]
fn swapped_and_left_out_entries_break_the_root_even_with_leaves_made_to_fit() {
    let mut world = small();
    let good = world.export();
    let (log, name, folder) = ordinary(&world, 0);
    let data = world.logs[&log].data.clone();
    let mut swapped = data.clone();
    swapped.swap(0, 1);
    let mut files = good.clone();
    rewrite(&mut files, &folder, &swapped);
    // The receipt over the first two is unharmed by what follows; the swap is within it.
    assert_eq!(fault(&check(&files, &[])), (Some(name.as_str()), Some(1), "root"));
    let mut shorter = data.clone();
    shorter.pop();
    let mut files = good.clone();
    rewrite(&mut files, &folder, &shorter);
    assert_eq!(fault(&check(&files, &[])), (Some(name.as_str()), None, "length"));
    shorter.insert(1, vec![0; 20]);
    rewrite(&mut files, &folder, &shorter);
    assert_eq!(fault(&check(&files, &[])), (Some(name.as_str()), Some(1), "root"));
}

/// The export with the notes of one log put through `change`.
fn with_notes(good: &MemoryFiles, folder: &str, change: impl FnOnce(&mut Vec<SignedNote>)) -> MemoryFiles {
    let path = format!("{folder}notes");
    let mut notes: Vec<SignedNote> = SignedNote::parse_all(&good.files[&path]).map(Result::unwrap).collect();
    change(&mut notes);
    let text: String = notes.iter().map(|note| note.to_text() + "\n").collect();
    let mut files = good.clone();
    files.files.insert(path, text.into_bytes());
    files
}

#[test]
fn a_replaced_signature_is_named_by_the_last_entry_it_covers() {
    let mut world = small();
    let good = world.export();
    let (log, name, folder) = ordinary(&world, 0);
    let last = world.logs[&log].tree.size() - 1;
    for line in 0..4 {
        let files = with_notes(&good, &folder, |notes| {
            let note = notes.pop().unwrap();
            let mut lines = note.lines().to_vec();
            assert_eq!(lines.len(), 4);
            let end = lines[line].signature.len() - 1;
            lines[line].signature[end] ^= 1;
            notes.push(SignedNote::new(note.checkpoint().clone(), lines).unwrap());
        });
        assert_eq!(fault(&check(&files, &[])), (Some(name.as_str()), Some(last), "signature"));
    }
}

#[test]
fn entries_after_the_last_signature_are_unsigned() {
    let mut world = small();
    let good = world.export();
    let (_, name, folder) = ordinary(&world, 0);
    let files = with_notes(&good, &folder, |notes| {
        // The receipt over two entries alone is left: the log's own party signed nothing.
        notes.truncate(1);
    });
    assert_eq!(fault(&check(&files, &[])), (Some(name.as_str()), Some(0), "unsigned"));
}

#[test]
fn invented_roots_and_foreign_notes_are_refused() {
    let mut world = small();
    let good = world.export();
    let (log, name, folder) = ordinary(&world, 0);
    // The party signs a root over entries that are not these: its signature holds, the root does not.
    let head = Head { size: 1, root: world::NO_HASH };
    let line = world.line(KeyKind::LogEd25519, 0, &log, head, 0);
    world.logs.get_mut(&log).unwrap().lines = vec![line];
    let invented = world.export();
    let mut files = good.clone();
    let notes = format!("{folder}notes");
    files.files.insert(notes.clone(), invented.files[&notes].clone());
    assert_eq!(fault(&check(&files, &[])), (Some(name.as_str()), Some(0), "root"));
    let mut files = good.clone();
    let (_, _, other) = ordinary(&world, 1);
    files.files.insert(notes.clone(), good.files[&format!("{other}notes")].clone());
    assert_eq!(fault(&check(&files, &[])), (Some(name.as_str()), None, "note"));
    let files = with_notes(&good, &folder, |notes| notes.reverse());
    assert_eq!(fault(&check(&files, &[])), (Some(name.as_str()), None, "note"));
}

#[test]
fn objects_that_are_not_what_their_names_say_are_refused() {
    let mut world = small();
    let good = world.export();
    let veg = world.members[1].id;
    for (path, bytes, kind) in [
        (Object::Proof(sha256(&[b"x"])).path(), b"x".to_vec(), "proof"),
        (Object::Blob(sha256(&[b"x"])).path(), b"y".to_vec(), "blob"),
        (Object::Equivocation(1).path(), b"x".to_vec(), "equivocation"),
        (Object::Roster(veg, 1).path(), b"x".to_vec(), "roster"),
        (
            Object::Credential(veg, 2).path(),
            good.files[&Object::Credential(veg, 1).path()].clone(),
            "credential",
        ),
        (Object::Charter(2).path(), good.files["charters/1"].clone(), "charter"),
    ] {
        let mut files = good.clone();
        files.files.insert(path.clone(), bytes);
        assert_eq!(fault(&check(&files, &[])), (Some(path.as_str()), None, kind));
    }
}

#[test]
fn a_proof_of_two_histories_is_taken_and_a_false_one_is_not() {
    let mut world = small();
    let (log, name, _) = ordinary(&world, 0);
    let claim = |head: Head| {
        let signature = world.line(KeyKind::LogEd25519, 0, &log, head, 0).signature;
        let line = LineEvidence { kind: KeyKind::LogEd25519, time_s: 0, signature };
        Claim { head, evidence: Evidence::Line(line) }
    };
    let (first, second) = (world.head(&log, 2), Head { size: 2, root: world::NO_HASH });
    let party = detente_crypto::Hash(log.party.0);
    let proof =
        Equivocation::new(Name::new(&name).unwrap(), party, [claim(first), claim(second)], None).unwrap();
    let mut bytes = proof.to_bytes();
    world.objects.insert(Object::Equivocation(1), bytes.clone());
    assert_eq!(check(&world.export(), &[]).first_fault, None);
    let end = bytes.len() - 10;
    bytes[end] ^= 1;
    world.objects.insert(Object::Equivocation(1), bytes);
    assert_eq!(fault(&check(&world.export(), &[])), (Some("equivocations/1"), None, "equivocation"));
}

#[test]
fn a_cosigner_whose_clock_falls_is_noted_and_not_forged_unless_it_said_so() {
    for said in [false, true] {
        let mut world = World::open();
        let log = world.live(0, Lane::Ordinary);
        world.receipt(1, log, 1, 1_900_000_000);
        if said {
            let moment = detente_encoding::Timestamp::from_millis(world.now);
            world.machine(1, Lane::Ordinary, Payload::Clock { before: moment, after: moment });
        }
        world.sign_all();
        let report = check(&world.export(), &[]);
        assert_eq!(report.first_fault, None);
        assert_eq!(report.noted.len(), usize::from(!said));
    }
}

#[test]
fn void_and_unknown_entries_are_listed_and_do_not_make_an_export_forged() {
    let mut world = World::open();
    let log = world.live(0, Lane::Ordinary);
    world.put(log, b"junk");
    let unknown = detente_encoding::cbor::Value::Array(vec![39u64.into(), 5u64.into()]);
    world.put(log, &crate::fields::versioned(&unknown));
    world.say(0, Lane::Ordinary, Say { edition: 7, ..Say::note("under no edition") });
    world.sign_all();
    let report = check(&world.export(), &world.words());
    assert_eq!(report.verdict, Verdict::Valid);
    let void: Vec<_> = report.record.void.iter().map(|(id, clause)| (id.index, clause.word())).collect();
    assert_eq!(void, [(3, "cbor"), (5, "edition")]);
    let unknown: Vec<_> = report.record.not_yet_understood.iter().map(|id| id.index).collect();
    assert_eq!(unknown, [4]);
}

#[test]
fn an_erased_leaf_is_counted_and_nothing_else_changes() {
    let mut world = small();
    let good = world.export();
    let (log, _, folder) = ordinary(&world, 1);
    let mut data = world.logs[&log].data.clone();
    let mut files = good.clone();
    let last = data.len() - 1;
    data[last].clear();
    let mut entries = Vec::new();
    data.iter().for_each(|data| detente_transparency::write_leaf(data, &mut entries).unwrap());
    files.files.insert(format!("{folder}entries"), entries);
    let report = check(&files, &[]);
    assert_eq!(report.first_fault, None);
    assert_eq!((report.record.erased, report.record.void.len()), (1, 0));
}

/// What a reader learns of how far logs are signed.
fn signed(report: &Report) -> Vec<(u64, u64, Vec<u64>)> {
    let row = |log: &LogReport| {
        let cosigned = log.cosigned.values().chain(log.cosigned_post_quantum.values());
        (log.signed, log.post_quantum, cosigned.copied().collect())
    };
    report.logs.iter().map(row).collect()
}

#[test]
fn any_changed_byte_of_an_export_is_forged_or_takes_something_away() {
    let mut world = World::open();
    world.objects.insert(Object::Blob(sha256(&[b"a file"])), b"a file".to_vec());
    world.sign_all();
    let good = world.export();
    let whole = check(&good, &[]);
    assert_eq!(whole.first_fault, None);
    for (path, bytes) in &good.files {
        // Keys and long signatures are the same at every byte; entries, notes and lists are not.
        let step = if path.starts_with("credentials/") || path.ends_with("/notes") { 53 } else { 1 };
        for at in (0..bytes.len()).step_by(step) {
            let mut files = good.clone();
            files.files.get_mut(path).unwrap()[at] ^= 1 << (at % 7);
            let report = check(&files, &[]);
            if report.verdict == Verdict::Forged {
                continue;
            }
            match path.as_str() {
                "NOTE.txt" => {}
                // The exporter's name and moment are its own word; nothing signs them.
                "export" => assert!((37..79).contains(&at), "export, byte {at}"),
                // A line of another name or key id is a line of a stranger, and counts for nothing.
                path if path.ends_with("/notes") => {
                    assert_ne!(signed(&report), signed(&whole), "{path}, byte {at}");
                }
                _ => panic!("{path}, byte {at}: {:?}", report.verdict),
            }
        }
    }
}
