//! What a new user would get wrong: one sentence that names the place, the right exit status, and
//! nothing half-done.

mod common;

use std::io::{Read, Write};
use std::net::TcpStream;

use common::{Answer, Pair, Party, detente, done, launch};
use serde_json::{Value, json};

/// Refused with status 1 and one message that names these things.
fn refused(answer: &Answer, names: &[&str]) {
    assert_eq!(answer.code, 1, "{answer:?}");
    assert!(answer.out.is_empty(), "{answer:?}");
    for name in names {
        assert!(answer.err.contains(name), "{name:?} is not in {answer:?}");
    }
}

#[test]
fn wrong_usage_is_status_2() {
    assert_eq!(detente(&["send"]).code, 2);
    assert_eq!(detente(&["no-such-command"]).code, 2);
    assert_eq!(detente(&["status", "x", "--lang", "de"]).code, 2);
    assert_eq!(
        detente(&["send", "x", "--channel", "c", "--message", "m", "--release", "k", "--timeout", "30"]).code,
        2
    );
}

#[test]
fn a_folder_that_is_no_node_is_named() {
    let root = tempfile::tempdir().expect("a folder");
    let dir = root.path().to_str().expect("UTF-8");
    for command in
        [&["node", dir][..], &["status", dir], &["events", dir], &["channel", "list", dir], &["doctor", dir]]
    {
        refused(&detente(command), &[dir, "not a node's folder", "detente init"]);
    }
    refused(&detente(&["node", "/no/such/folder"]), &["/no/such/folder", "detente init"]);
    assert_eq!(std::fs::read_dir(root.path()).expect("readable").count(), 0, "nothing was made in it");
}

#[test]
fn init_refuses_a_folder_with_something_in_it_and_port_0() {
    let root = tempfile::tempdir().expect("a folder");
    std::fs::write(root.path().join("letter"), "dear").expect("written");
    let dir = root.path().to_str().expect("UTF-8");
    refused(&detente(&["init", dir, "--code", "ALT", "--name", "en=Altair"]), &[dir, "not empty"]);
    let new = root.path().join("new");
    let new_dir = new.to_str().expect("UTF-8");
    let port_0 =
        detente(&["init", new_dir, "--code", "ALT", "--name", "en=Altair", "--listen", "127.0.0.1:0"]);
    refused(&port_0, &["--listen", "port 0"]);
    refused(&detente(&["init", new_dir, "--code", "alt air", "--name", "en=Altair"]), &["code"]);
    assert!(!new.exists());
}

#[test]
fn a_node_that_does_not_run_is_named_with_the_command_that_starts_it() {
    let root = tempfile::tempdir().expect("a folder");
    let party = Party::new(root.path(), "ALT");
    let message = root.path().join("notice.json");
    std::fs::write(&message, launch(7)).expect("written");
    let message = message.to_str().expect("UTF-8");
    let send = ["send", party.folder(), "--channel", "Line", "--message", message, "--release", party.key()];
    refused(&detente(&send), &["start it with `detente node"]);
    refused(&detente(&["events", party.folder()]), &["start it with `detente node"]);
    done(&["channel", "list", party.folder()]);
    done(&["status", party.folder()]);
    done(&["doctor", party.folder()]);
}

#[test]
fn wrong_words_let_no_peer_in() {
    let root = tempfile::tempdir().expect("a folder");
    let (alt, veg) = (Party::new(root.path(), "ALT"), Party::new(root.path(), "VEG"));
    let credential = root.path().join("VEG.credential");
    let credential = credential.to_str().expect("UTF-8");
    let add = |file: &str, words: &str| detente(&["peer", "add", alt.folder(), file, "--words", words]);
    refused(&add(credential, &alt.words), &["--words", "VEG"]);
    refused(&add(credential, "zoo zoo"), &["--words", "eight"]);
    refused(&add(credential, "zoo zoo zoo zoo zoo zoo zoo detente"), &["--words", "detente"]);
    refused(&add("missing.credential", &veg.words), &["missing.credential", "no such file"]);
    let peers = done(&["peer", "list", alt.folder(), "--json"]).json();
    assert_eq!(peers["peers"], json!([]));
    alt.knows(&veg);
}

#[test]
fn a_message_with_faults_is_not_entered() {
    let pair = Pair::new();
    let alt = &pair.alt;
    refused(&pair.send("missing.json", &[]), &["missing.json", "no such file"]);

    let unknown = pair.file("unknown.json", r#"{"notification": {"format": "US-RU.XXX", "fields": {}}}"#);
    refused(&pair.send(&unknown, &[]), &["notification.format", "US-RU.XXX", "US-RU.BMLN"]);

    let tomorrow = pair.file("tomorrow.json", &launch(1));
    refused(&pair.send(&tomorrow, &[]), &["notification.fields.launch_date"]);

    let russian = pair.send(&tomorrow, &["--lang", "ru"]);
    refused(&russian, &["notification.fields.launch_date"]);
    assert!(russian.err.contains('и'), "{russian:?}");

    let mut window: Value =
        serde_json::from_str(include_str!("../../formats/examples/HCOC.PLN.json")).expect("JSON");
    let fields = window["notification"]["fields"].as_object_mut().expect("fields");
    let (start, end) = (fields["window_start"].clone(), fields["window_end"].clone());
    fields["window_start"] = end;
    fields["window_end"] = start;
    let window = pair.file("window.json", &window.to_string());
    refused(&pair.send(&window, &[]), &["notification.fields.window_end"]);

    let good = pair.file("good.json", &launch(7));
    let twice = [
        "send",
        alt.folder(),
        "--channel",
        "Line",
        "--message",
        &good,
        "--release",
        alt.key(),
        "--release",
        alt.key(),
    ];
    refused(&detente(&twice), &["--release", "one key"]);
    let once = ["send", alt.folder(), "--channel", "Line", "--message", &good, "--release", alt.key()];
    refused(&detente(&once), &["1 of 2 persons"]);
    let elsewhere =
        ["send", alt.folder(), "--channel", "No line", "--message", &good, "--release", alt.key()];
    refused(&detente(&elsewhere), &["No line"]);
    refused(
        &detente(&["acknowledge", alt.folder(), "VEG/2027/0001", "--release", alt.key()]),
        &["VEG/2027/0001"],
    );

    assert_eq!(alt.entries("notification"), 0);
    assert_eq!(pair.veg.entries("notification"), 0);
}

#[test]
fn a_wait_in_vain_is_status_3_with_nulls() {
    let pair = Pair::new();
    let message = pair.file("notice.json", &launch(7));
    let answer = pair.send(&message, &["--wait", "acknowledged", "--timeout", "1s"]);
    assert_eq!(answer.code, 3, "{answer:?}");
    let sent = answer.json();
    assert!(sent["entry"].is_string() && sent["acknowledged_at"].is_null(), "{sent}");
    assert_eq!(pair.alt.entries("notification"), 1, "accepted once");
}

#[test]
fn a_busy_port_is_named_and_nothing_runs() {
    let root = tempfile::tempdir().expect("a folder");
    let party = Party::new(root.path(), "ALT");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port();
    let file = party.dir.join("node.toml");
    let text = std::fs::read_to_string(&file).expect("readable");
    let busy = text.replace("http = \"127.0.0.1:0\"", &format!("http = \"127.0.0.1:{port}\""));
    assert_ne!(text, busy);
    std::fs::write(&file, busy).expect("writable");
    refused(&detente(&["node", party.folder()]), &[&port.to_string(), "busy"]);
    assert!(!party.dir.join("run/control.sock").exists());
}

/// One request over TCP, as a program would make it.
fn http(
    party: &Party,
    method: &str,
    path: &str,
    token: &str,
    host: Option<&str>,
    body: &str,
) -> (u16, Value) {
    let authority = party.http.strip_prefix("http://").expect("plain HTTP");
    let port = authority.strip_prefix("localhost:").expect("at the name localhost");
    let mut stream = TcpStream::connect(format!("127.0.0.1:{port}")).expect("it listens");
    let host = host.unwrap_or(authority);
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).expect("written");
    let mut reply = String::new();
    stream.read_to_string(&mut reply).expect("a reply");
    let (head, body) = reply.split_once("\r\n\r\n").expect("a head and a body");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    (status, serde_json::from_str(body).unwrap_or(Value::Null))
}

#[test]
fn over_http_a_token_reads_and_only_persons_release() {
    let pair = Pair::new();
    let alt = &pair.alt;
    let token = |scope: &str| {
        let answer = done(&["token", alt.folder(), "--scope", scope, "--json"]).json();
        answer["token"].as_str().expect("a token").to_owned()
    };
    let (read, send) = (token("read"), token("send"));
    // The node looks at the folder's tokens once a second.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let get = |path: &str, token: &str| http(alt, "GET", path, token, None, "");
    assert_eq!(get("/healthz", "none").0, 200);
    assert_eq!(get("/api/v1/status", "none").0, 401);
    assert_eq!(get("/api/v1/status", &read).0, 200);
    assert_eq!(get("/metrics", &read).0, 200);
    assert_eq!(get("/api/openapi.json", "none").1["openapi"], "3.1.0");
    let (status, body) = http(alt, "GET", "/api/v1/status", &read, Some("evil.example"), "");
    assert_eq!((status, body["error"].is_string()), (421, true));

    let path = "/api/v1/channels/Line/messages";
    assert_eq!(http(alt, "POST", path, &read, None, "{}").0, 403);
    assert_eq!(
        http(alt, "POST", "/api/v1/channels", &send, None, "{}").0,
        403,
        "no token proposes a channel"
    );
    assert_eq!(http(alt, "POST", path, &send, None, "{").0, 400);

    let context = serde_json::from_value(get("/api/v1/channels/Line", &read).1).expect("a context");
    let keys = [&alt.one, &alt.two].map(|file| detente_node::compose::FileKey::read(file).expect("a key"));
    let draft = || {
        let none = |_: &str| Err(detente_node::Refusal::not_found("none"));
        detente_node::compose::Draft::message(&launch(7), pair.root.path(), &context, &mut { none })
            .expect("good")
    };
    let post = |request: &detente_node::api::SubmitRequest| {
        http(alt, "POST", path, &send, None, &serde_json::to_string(request).expect("JSON"))
    };
    // The drafter as second: signed rightly, then the order of signatures turned round.
    let mut second = draft().sign(&keys, &context).expect("signed");
    second.proof = turned(&second.proof);
    let (status, body) = post(&second);
    assert_eq!(status, 422, "{body}");
    assert!(body["error"].as_str().expect("a sentence").contains("first"), "{body}");

    let mut old = draft();
    let drafted = old.bound.statement.drafted;
    old.bound.statement.drafted = drafted.after(-16 * 60_000);
    let (status, body) = post(&old.sign(&keys, &context).expect("signed"));
    assert_eq!(status, 422, "{body}");
    assert!(body["error"].as_str().expect("a sentence").contains("expired"), "{body}");
    assert_eq!(alt.entries("notification"), 0);

    let good = draft().sign(&keys, &context).expect("signed");
    let (status, first) = post(&good);
    assert_eq!(status, 201, "{first}");
    let (status, again) = post(&good);
    assert_eq!((status, &again["entry"]), (200, &first["entry"]), "a statement is entered once");
    assert_eq!(alt.entries("notification"), 1);
}

/// A proof with its two signatures in the other order.
fn turned(proof: &str) -> String {
    use detente_protocol::release::Proof;
    let bytes = detente_encoding::text::from_hex(proof).expect("hexadecimal");
    let proof = Proof::decode(&bytes).expect("a proof");
    let mut signatures = proof.signatures().to_vec();
    signatures.reverse();
    detente_encoding::text::hex(&Proof::new(signatures).expect("two keys").encode())
}

#[test]
fn an_export_that_is_none_is_named() {
    refused(&detente(&["verify", "/no/such/export"]), &["/no/such/export", "no such folder"]);
    let root = tempfile::tempdir().expect("a folder");
    let answer = detente(&["verify", root.path().to_str().expect("UTF-8"), "--party", "ALT=zoo zoo"]);
    refused(&answer, &["--party ALT", "eight"]);
    let empty = detente(&["verify", root.path().to_str().expect("UTF-8"), "--json"]);
    assert_eq!((empty.code, &empty.json()["verdict"]), (1, &json!("forged")));
}
