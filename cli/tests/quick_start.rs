//! The quick start of the README, with the real command: from two empty folders to a record that
//! somebody who trusts neither has checked.

mod common;

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use common::{Pair, command, detente, done, launch, wait_for};
use serde_json::Value;

/// An officer at VEG who takes over what comes: another process watches `events`.
fn watch(pair: &Pair) -> std::thread::JoinHandle<String> {
    let (folder, key) = (pair.veg.folder().to_owned(), pair.veg.key().to_owned());
    let mut events =
        command(&["events", &folder, "--since", "0"]).stdout(Stdio::piped()).spawn().expect("it starts");
    std::thread::spawn(move || {
        let lines = BufReader::new(events.stdout.take().expect("piped")).lines();
        let mut taken = None;
        for line in lines {
            let event: Value = serde_json::from_str(&line.expect("text")).expect("JSON");
            if event["kind"] == "received" && event["what"] == "notification" {
                let entry = event["entry"].as_str().expect("an entry").to_owned();
                done(&["acknowledge", &folder, &entry, "--release", &key]);
                taken = Some(entry);
                break;
            }
        }
        events.kill().expect("it was running");
        events.wait().expect("it ended");
        taken.expect("a message came")
    })
}

#[test]
fn a_notification_is_sent_taken_over_exported_and_verified() {
    let pair = Pair::new();
    let watch = watch(&pair);
    let message = pair.file("notice.json", &launch(7));
    let answer = pair.send(&message, &["--wait", "acknowledged", "--timeout", "25s"]);
    assert_eq!(answer.code, 0, "{answer:?}");
    let sent = answer.json();
    assert!(sent["reference"].as_str().is_some_and(|reference| reference.starts_with("ALT/")), "{sent}");
    assert!(sent["delivered_at"].is_string() && sent["acknowledged_at"].is_string(), "{sent}");
    let taken = watch.join().expect("the watch ended well");
    assert_eq!(sent["entry"], taken.as_str(), "both sides name the entry alike");

    let out = pair.root.path().join("record");
    let out = out.to_str().expect("UTF-8");
    done(&["journal", "export", pair.alt.folder(), out]);
    let (alt, veg) = (format!("ALT={}", pair.alt.words), format!("VEG={}", pair.veg.words));
    let valid = done(&["verify", out, "--party", &alt, "--party", &veg, "--json"]).json();
    assert_eq!(valid["verdict"], "valid", "{valid}");
    let consistent = done(&["verify", out, "--json"]).json();
    assert_eq!(consistent["verdict"], "consistent_only");
    assert_eq!(consistent["entries"], valid["entries"]);

    alter_one_byte(&pair.root.path().join("record"));
    let forged = detente(&["verify", out, "--party", &alt, "--party", &veg, "--json"]);
    assert_eq!(forged.code, 1, "{forged:?}");
    assert_eq!(forged.json()["verdict"], "forged");
    assert!(forged.json()["first_fault"]["what"].is_string());
}

/// Alters a byte in the middle of the largest file below `logs/`.
fn alter_one_byte(out: &std::path::Path) {
    let mut folders = vec![out.join("logs")];
    let mut largest = (0, std::path::PathBuf::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let entry = entry.expect("an entry");
            let size = entry.metadata().expect("a size").len();
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else if size > largest.0 {
                largest = (size, entry.path());
            }
        }
    }
    let mut bytes = std::fs::read(&largest.1).expect("readable");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&largest.1, bytes).expect("writable");
}

#[test]
fn what_was_accepted_while_the_other_side_was_away_arrives_when_it_is_back() {
    let mut pair = Pair::new();
    pair.veg.kill();
    let message = pair.file("notice.json", &launch(7));
    let answer = pair.send(&message, &["--wait", "delivered", "--timeout", "1s"]);
    assert_eq!(answer.code, 3, "{answer:?}");
    let sent = answer.json();
    assert!(sent["entry"].is_string() && sent["delivered_at"].is_null() && sent["acknowledged_at"].is_null());
    pair.veg.start();
    wait_for("the message at VEG", || (pair.veg.entries("notification") == 1).then_some(()));
}

#[test]
fn a_suspension_stops_messages_until_its_author_lifts_it() {
    let pair = Pair::new();
    let alt = &pair.alt;
    let act = |act: &str| {
        done(&["channel", act, alt.folder(), "Line", "--release", alt.key(), "--release", alt.second()])
    };
    act("suspend");
    let message = pair.file("notice.json", &launch(7));
    let refused = pair.send(&message, &[]);
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.err.contains("suspen"), "{refused:?}");
    assert_eq!(alt.entries("notification"), 0);
    act("restore");
    assert_eq!(pair.send(&message, &[]).code, 0);
}

#[test]
fn events_go_on_behind_a_cursor_over_a_crash_of_the_node() {
    let mut pair = Pair::new();
    let message = pair.file("notice.json", &launch(7));
    assert_eq!(pair.send(&message, &["--wait", "delivered"]).code, 0);
    let first = received(&pair, 0, |_| true);
    let cursor = first["cursor"].as_u64().expect("a cursor");
    // At once: what the node told and had not kept yet may be told again, but nothing is left out.
    pair.veg.kill();
    let answer = pair.send(&message, &[]);
    assert_eq!(answer.code, 0, "{answer:?}");
    pair.veg.start();
    let sent = answer.json()["entry"].clone();
    let second = received(&pair, cursor, |event| event["entry"] == sent);
    assert!(second["cursor"].as_u64().is_some_and(|later| later > cursor), "{second}");
}

/// The first message that VEG is told of behind a cursor and that is wanted.
fn received(pair: &Pair, cursor: u64, wanted: impl Fn(&Value) -> bool) -> Value {
    let cursor = cursor.to_string();
    let mut events = command(&["events", pair.veg.folder(), "--since", &cursor])
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let (told, heard) = std::sync::mpsc::channel();
    let lines = BufReader::new(events.stdout.take().expect("piped")).lines();
    std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| told.send(line)));
    let found = loop {
        let line = heard.recv_timeout(common::WITHIN).expect("the message is told");
        let event: Value = serde_json::from_str(&line).expect("JSON");
        if event["kind"] == "received" && event["what"] == "notification" && wanted(&event) {
            break event;
        }
    };
    events.kill().expect("it was running");
    events.wait().expect("it ended");
    found
}

#[test]
fn a_backup_is_restored_without_private_keys_and_goes_on_with_them() {
    let mut pair = Pair::new();
    let message = pair.file("notice.json", &launch(7));
    assert_eq!(pair.send(&message, &["--wait", "delivered"]).code, 0);
    let (backup, again) = (pair.root.path().join("backup"), pair.root.path().join("again"));
    let text = |path: &std::path::Path| path.to_str().expect("UTF-8").to_owned();
    done(&["backup", pair.alt.folder(), &text(&backup)]);
    assert!(!backup.join("keys").exists() && !backup.join("root").exists());
    pair.alt.kill();
    done(&["restore", &text(&backup), &text(&again)]);
    let without = detente(&["node", &text(&again)]);
    assert_eq!(without.code, 1, "{without:?}");
    assert!(without.err.contains("keys"), "{without:?}");
    std::fs::remove_dir(again.join("keys")).expect("it is empty");
    std::fs::rename(pair.alt.dir.join("keys"), again.join("keys")).expect("moved");
    pair.alt.dir = again;
    pair.alt.start();
    assert_eq!(pair.alt.entries("notification"), 1);
    let sent = pair.send(&message, &["--wait", "delivered"]);
    assert_eq!(sent.code, 0, "{sent:?}");
}

#[test]
fn one_line_in_is_one_result_out_and_a_refused_message_ends_no_stream() {
    use std::io::Write;
    let pair = Pair::new();
    let alt = &pair.alt;
    let args = [
        "send",
        alt.folder(),
        "--channel",
        "Line",
        "--stream",
        "--release",
        alt.key(),
        "--release",
        alt.second(),
    ];
    let mut stream = command(&args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let good = launch(7).replace('\n', " ");
    let mut input = stream.stdin.take().expect("piped");
    write!(input, "{good}\n{{}}\n{good}\n").expect("taken");
    drop(input);
    let output = stream.wait_with_output().expect("it ends with its input");
    let lines: Vec<Value> = String::from_utf8(output.stdout)
        .expect("UTF-8")
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(lines[0]["entry"].is_string() && lines[2]["entry"].is_string());
    assert!(lines[1]["entry"].is_null() && lines[1]["error"].is_string());
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(alt.entries("notification"), 2);
}
