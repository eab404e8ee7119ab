//! Commands that work with the folder's record whether or not its node runs.

use std::path::Path;

use detente_node::api::{ChannelView, OfficerView, PeerView};
use detente_node::folder::Folder;
use detente_node::offline::Offline;
use detente_node::{archive, folder};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::answer::{Done, Failure, Style, answer};
use crate::remote::{Remote, block_on};

/// The folder held by this process, or the node that holds it.
pub(crate) enum Access {
    /// Nobody else has it.
    Held(Box<Offline>),
    /// Its node runs.
    Running(Box<Remote>),
}

/// Opens a folder under its lock; where its node runs, speaks to that.
pub(crate) fn access(dir: &Path) -> Result<Access, Failure> {
    let folder = Folder::open(dir)?;
    // Let go at once and taken anew below; between the two, at worst a node starts and is named.
    match folder.lock().map(drop) {
        Ok(()) => Ok(Access::Held(Box::new(Offline::open(dir)?))),
        Err(folder::FolderError::LocalHeld(..)) => Ok(Access::Running(Box::new(Remote::of(dir)?))),
        Err(error) => Err(error.into()),
    }
}

/// What only works while the node is down, in one sentence if it is up.
pub(crate) fn held(dir: &Path) -> Result<Offline, Failure> {
    Ok(Offline::open(dir)?)
}

#[derive(Deserialize)]
struct Channels {
    channels: Vec<ChannelView>,
}

/// The channels of a folder.
pub(crate) fn channels(dir: &Path) -> Result<Vec<ChannelView>, Failure> {
    match access(dir)? {
        Access::Held(held) => Ok(held.channels()?),
        Access::Running(mut remote) => {
            block_on(async { Ok(remote.client.get::<Channels>("/api/v1/channels").await?.channels) })
        }
    }
}

#[derive(Deserialize)]
struct Peers {
    peers: Vec<PeerView>,
}

/// The other parties that a folder knows.
pub(crate) fn peers(dir: &Path) -> Result<Vec<PeerView>, Failure> {
    match access(dir)? {
        Access::Held(held) => Ok(held.peers()?),
        Access::Running(mut remote) => {
            block_on(async { Ok(remote.client.get::<Peers>("/api/v1/operator/peers").await?.peers) })
        }
    }
}

#[derive(Deserialize)]
struct Officers {
    officers: Vec<OfficerView>,
}

/// The officers of a folder.
pub(crate) fn officers(dir: &Path) -> Result<Vec<OfficerView>, Failure> {
    match access(dir)? {
        Access::Held(held) => Ok(held.officers()?),
        Access::Running(mut remote) => {
            block_on(async { Ok(remote.client.get::<Officers>("/api/v1/operator/officers").await?.officers) })
        }
    }
}

/// A path that means the same in the node's process.
pub(crate) fn absolute(path: &Path) -> Result<std::path::PathBuf, Failure> {
    std::path::absolute(path).map_err(|why| Failure::new(format!("{}: {why}", path.display())))
}

/// `detente backup`.
pub(crate) fn backup(dir: &Path, out: &Path, with_keys: bool, style: Style) -> Result<Done, Failure> {
    if with_keys {
        return Err(Failure::new(
            "--with-keys is not built yet; make the backup without it and copy keys/ to a safe place yourself",
        ));
    }
    let out = absolute(out)?;
    match access(dir)? {
        Access::Held(held) => archive::backup(&held.folder, &held.store, &out)?,
        Access::Running(mut remote) => {
            let body = json!({ "out": out });
            let _: Value =
                block_on(async { Ok(remote.client.post("/api/v1/operator/backup", &body).await?) })?;
        }
    }
    answer(style, &json!({ "out": out }), |_| {
        format!("{} holds the record without private keys; keep {}/keys apart", out.display(), dir.display())
    });
    Ok(Done::Done)
}

/// `detente restore`.
pub(crate) fn restore(out: &Path, dir: &Path, style: Style) -> Result<Done, Failure> {
    archive::restore(out, dir)?;
    answer(style, &json!({ "dir": dir }), |_| {
        format!("{0} is restored; put its keys back into {0}/keys before you start it", dir.display())
    });
    Ok(Done::Done)
}

/// One thing that `doctor` looked at.
fn finding(what: &str, outcome: Result<String, String>) -> Value {
    match outcome {
        Ok(found) => json!({ "what": what, "good": true, "found": found }),
        Err(wrong) => json!({ "what": what, "good": false, "found": wrong }),
    }
}

/// `detente doctor`.
pub(crate) fn doctor(dir: &Path, style: Style) -> Result<Done, Failure> {
    let folder = Folder::open(dir)?;
    let mut findings = vec![
        finding("clock", clock()),
        finding("root", root(&folder)),
        finding("permissions", permissions(&folder)),
    ];
    match access(dir)? {
        Access::Held(held) => {
            findings.push(finding(
                "node",
                Ok(format!("not running; start it with `detente node {}`", dir.display())),
            ));
            findings.push(finding("links", port_free("listen", folder.config.listen, true)));
            findings.push(finding("http", port_free("http", folder.config.http, false)));
            findings.push(finding("record", Ok("it opens".to_owned())));
            findings.extend(parties(&held.peers()?));
        }
        Access::Running(mut remote) => {
            let status: Result<detente_node::api::Status, _> =
                block_on(async { Ok(remote.client.get("/api/v1/status").await?) });
            findings.push(finding(
                "node",
                match &status {
                    Ok(status) => Ok(format!("running for {} s", status.running_s)),
                    Err(failure) => Err(failure.reason.clone()),
                },
            ));
            if let Ok(status) = status {
                let disk = &status.disk;
                let found = format!(
                    "{} bytes free, {} of them kept for receipts",
                    disk.free_bytes, disk.reserve_bytes
                );
                findings.push(finding(
                    "disk",
                    if disk.accepts {
                        Ok(found)
                    } else {
                        Err(format!("{found}: new messages are refused; make room"))
                    },
                ));
                findings.extend(status.alarms.iter().map(|alarm| finding("alarm", Err(alarm.clone()))));
            }
            findings.extend(parties(&peers(dir)?));
        }
    }
    let good = findings.iter().all(|finding| finding["good"] == true);
    answer(style, &json!({ "good": good, "findings": findings }), |_| {
        let line = |finding: &Value| {
            let mark = if finding["good"] == true { "ok   " } else { "WRONG" };
            let text = |key: &str| finding[key].as_str().unwrap_or_default().to_owned();
            format!("{mark} {}: {}", text("what"), text("found"))
        };
        findings.iter().map(line).collect::<Vec<_>>().join("\n")
    });
    Ok(if good { Done::Done } else { Done::Found })
}

fn clock() -> Result<String, String> {
    // No record can be older than the software that writes it.
    const SOFTWARE_MS: i64 = 1_767_225_600_000;
    let now = super::format::now();
    match now.millis() > SOFTWARE_MS {
        true => Ok(format!("{now}; compare it with another clock")),
        false => Err(format!("{now} lies before this software was made; set the clock")),
    }
}

fn root(folder: &Folder) -> Result<String, String> {
    let exported = folder.path().join("journal.sqlite").exists();
    let there = std::fs::read_dir(folder.root()).is_ok_and(|mut files| files.next().is_some());
    Ok(match (there, exported) {
        (true, _) => format!(
            "the root key is still in {}; after the first credential export move it away",
            folder.root().display()
        ),
        (false, _) => "the root key is not on this machine".to_owned(),
    })
}

fn permissions(folder: &Folder) -> Result<String, String> {
    let mut folders = vec![folder.keys()];
    if folder.root().exists() {
        folders.push(folder.root());
    }
    for path in folders {
        folder::secrets::check_private(&path).map_err(|error| error.to_string())?;
        for file in
            std::fs::read_dir(&path).map_err(|error| format!("{}: {error}", path.display()))?.flatten()
        {
            folder::secrets::check_private(&file.path()).map_err(|error| error.to_string())?;
        }
    }
    Ok("secrets are readable by their owner alone".to_owned())
}

fn port_free(key: &str, address: std::net::SocketAddr, udp: bool) -> Result<String, String> {
    let busy = |error: std::io::Error| format!("{key} = {address} cannot be used: {error}");
    std::net::TcpListener::bind(address).map_err(busy)?;
    if udp {
        std::net::UdpSocket::bind(address).map_err(busy)?;
    }
    Ok(format!("{address} is free"))
}

fn parties(peers: &[PeerView]) -> Vec<Value> {
    peers.iter().map(|peer| finding(&peer.code, Ok(format!("words {}", peer.words)))).collect()
}
