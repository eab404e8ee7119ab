//! How many messages a second two nodes in one process exchange and acknowledge, on this machine.
//!
//! A profile of the nodes without HTTP and without other processes: `detente bench line` is the
//! figure that counts. Arguments: messages (default 5000), in flight (default 64).

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use detente_node::api::Found;
use detente_node::compose::{Draft, FileKey};
use detente_node::folder::init::{InitOptions, init};
use detente_node::officers::{NewOfficer, parse_roles};
use detente_node::offline::Offline;
use detente_node::{NodeHandle, Refusal, StartOptions, start};
use detente_protocol::entry::Kind;

const CHARTER: &str =
    "label = \"Line\"\nparties = [\"ALT\", \"VEG\"]\nlevel = \"military\"\ntests = { every = \"1h\" }\n";
const NOTE: &str = r#"{ "precedence": "routine", "note": { "lang": "en", "text": "A routine note of some length, such as people write to each other on a quiet day." } }"#;

type Outcome<T> = Result<T, Refusal>;

fn party(dir: &Path, code: &str) -> Outcome<Vec<FileKey>> {
    let any: SocketAddr = SocketAddr::from(([127, 0, 0, 1], 0));
    let names = BTreeMap::from([("en".to_owned(), code.to_owned())]);
    let options =
        InitOptions { code: code.to_owned(), names, listen: Some(any), http: Some(any), test: true };
    init(&dir.join(code), options)?;
    let offline = Offline::open(&dir.join(code))?;
    let mut keys = Vec::new();
    for id in ["a", "b"] {
        let key_file = dir.join(format!("{code}-{id}.key"));
        let roles = parse_roles("draft,release,watch")?;
        offline.officer_add(&NewOfficer { id, name: id, roles, key_file: &key_file }, &[])?;
        keys.push(FileKey::read(&key_file)?);
    }
    Ok(keys)
}

async fn open(node: &NodeHandle, channel: &str, word: &str) -> Outcome<()> {
    while !node.channels().await?.iter().any(|view| view.channel == channel && view.standing == word) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

/// Acknowledges what arrives, until `count` are.
async fn watch(node: NodeHandle, channel: String, keys: Vec<FileKey>, count: usize) -> Outcome<()> {
    let (mut cursor, mut done, mut told) = (node.subscribe().borrow().to_owned(), 0, node.subscribe());
    while done < count {
        for line in node.events_since(cursor, 256)? {
            cursor = line.cursor;
            let Some(event) = line.view().filter(|event| event.kind == "received") else { continue };
            let context = node.context(&channel).await?;
            let (Some(entry), Some(leaf)) = (event.entry, event.leaf) else { continue };
            let found = Found { leaf, ..node.find(None, &entry).await? };
            let draft = Draft::act(Kind::Acknowledgement, &found, None, Path::new("."), &context)?;
            let request = draft.sign(&keys[..1], &context)?;
            let (node, channel) = (node.clone(), channel.clone());
            tokio::spawn(async move { node.submit(&channel, request).await });
            done += 1;
        }
        let waiting = told.wait_for(|last| *last > cursor);
        let _ = tokio::time::timeout(Duration::from_secs(1), waiting).await;
    }
    Ok(())
}

async fn run(count: usize, in_flight: usize) -> Outcome<()> {
    let dir = std::env::temp_dir().join(format!("detente-line-{}", std::process::id()));
    let (a_keys, b_keys) = (party(&dir, "ALT")?, party(&dir, "VEG")?);
    let (a_dir, b_dir) = (dir.join("ALT"), dir.join("VEG"));
    let (a_bytes, a_view) = Offline::open(&a_dir)?.credential_export()?;
    let (b_bytes, b_view) = Offline::open(&b_dir)?.credential_export()?;
    Offline::open(&a_dir)?.peer_add(&b_bytes, &b_view.words)?;
    Offline::open(&b_dir)?.peer_add(&a_bytes, &a_view.words)?;
    let (a, b) = (start(&a_dir, StartOptions::default())?, start(&b_dir, StartOptions::default())?);
    let (charter, context) = a.draft_charter(CHARTER).await?;
    a.propose(&charter, Draft::ratify(&context)?.sign(&a_keys, &context)?).await?;
    let channel = context.channel;
    open(&b, &channel, "proposed").await?;
    let context = b.context(&channel).await?;
    b.submit(&channel, Draft::ratify(&context)?.sign(&b_keys, &context)?).await?;
    open(&a, &channel, "open").await?;

    let context = a.context(&channel).await?;
    let mut none = |citation: &str| Err(Refusal::not_found(citation.to_owned()));
    let mut prepared = VecDeque::with_capacity(count);
    for _ in 0..count {
        let draft = Draft::message(NOTE, Path::new("."), &context, &mut none)?;
        prepared.push_back(draft.sign(&a_keys, &context)?);
    }
    let watching = tokio::spawn(watch(b.clone(), channel.clone(), b_keys, count));
    let places = Arc::new(tokio::sync::Semaphore::new(in_flight));
    let (mut cursor, mut told) = (a.subscribe().borrow().to_owned(), a.subscribe());
    let (begun, mut acknowledged) = (Instant::now(), 0);
    let sender = {
        let (node, channel, places) = (a.clone(), channel.clone(), Arc::clone(&places));
        tokio::spawn(async move {
            while let Some(request) = prepared.pop_front() {
                let Ok(place) = places.acquire().await else { return };
                place.forget();
                let (node, channel) = (node.clone(), channel.clone());
                tokio::spawn(async move { node.submit(&channel, request).await });
            }
        })
    };
    while acknowledged < count {
        for line in a.events_since(cursor, 1024)? {
            cursor = line.cursor;
            if line.json.contains("\"kind\":\"acknowledged\"") {
                acknowledged += 1;
                places.add_permits(1);
            }
        }
        let waiting = told.wait_for(|last| *last > cursor);
        let _ = tokio::time::timeout(Duration::from_secs(1), waiting).await;
    }
    let seconds = begun.elapsed().as_secs_f64();
    let status = a.status().await?;
    println!(
        "{count} messages, {in_flight} in flight: {:.0} acknowledged a second, {:.3} ms each, {:.3} syncs a message",
        count as f64 / seconds,
        seconds * 1000.0 * in_flight as f64 / count as f64,
        status.syncs as f64 / count as f64,
    );
    let _ = (sender.await, watching.await);
    a.shutdown().await;
    b.shutdown().await;
    let _ = std::fs::remove_dir_all(&dir);
    Ok(())
}

fn main() {
    let mut numbers = std::env::args().skip(1).filter_map(|text| text.parse().ok());
    let (count, in_flight) = (numbers.next().unwrap_or(5000), numbers.next().unwrap_or(64));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let outcome = runtime.expect("a runtime").block_on(run(count, in_flight));
    if let Err(refusal) = outcome {
        eprintln!("{refusal}");
        std::process::exit(1);
    }
}
