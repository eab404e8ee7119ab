//! Setting a node up: init, officers, credentials, peers, tokens.

use std::path::Path;

use detente_encoding::text::hex;
use detente_node::api::{OfficerView, PeerView};
use detente_node::folder::Folder;
use detente_node::folder::init::{InitOptions, init as make};
use detente_node::http::tokens;
use detente_node::officers::{NewOfficer, parse_roles};
use serde_json::json;

use super::store::{Access, absolute, access, held};
use crate::answer::{Done, Failure, Style, answer};
use crate::args::{CredentialArgs, InitArgs, OfficerArgs, PeerArgs, TokenArgs};
use crate::files;
use crate::remote::{block_on, keys};

/// A credential has a few kilobytes; more than this is another file.
const CREDENTIAL_BYTES_MAX: u64 = 1024 * 1024;

/// Makes a node's folder.
pub(crate) fn init(args: &InitArgs, style: Style) -> Result<Done, Failure> {
    let options = InitOptions {
        code: args.code.clone(),
        names: args.names.iter().cloned().collect(),
        listen: args.listen,
        http: args.http,
        test: args.test,
    };
    let folder = make(&args.dir, options)?;
    let config = &folder.config;
    let value = json!({
        "dir": args.dir, "code": config.code,
        "listen": config.listen.to_string(), "http": config.http.to_string(),
    });
    answer(style, &value, |_| {
        let dir = args.dir.display();
        format!(
            "{dir} is the folder of {}. Next: two officers (`detente officer add {dir} …`), then `detente credential export {dir} FILE`.",
            config.code
        )
    });
    Ok(Done::Done)
}

/// Adds, lists and removes officers.
pub(crate) fn officer(args: &OfficerArgs, style: Style) -> Result<Done, Failure> {
    match args {
        OfficerArgs::Add { dir, id, name, roles, key_file, releases } => {
            let roles = parse_roles(roles)?;
            let Some(key_file) = key_file else {
                return Err(Failure::new(
                    "passkeys are not built yet; add --key-file FILE for a file key (drills, automation, tests)",
                ));
            };
            let releases = keys(releases)?;
            let key_file = &absolute(key_file)?;
            let officer = held(dir)?.officer_add(&NewOfficer { id, name, roles, key_file }, &releases)?;
            show_officer(style, &officer, "added; the key is in the file named, readable by its owner alone");
        }
        OfficerArgs::List { dir } => {
            let list = super::store::officers(dir)?;
            answer(style, &json!({ "officers": list }), |_| {
                let line = |officer: &OfficerView| {
                    format!(
                        "key {:<4} {:<12} {}  ({}, {} key)",
                        officer.key,
                        officer.id,
                        officer.name,
                        officer.roles.join(", "),
                        officer.kind
                    )
                };
                match list.is_empty() {
                    true => "no officer yet; add two with `detente officer add`".to_owned(),
                    false => list.iter().map(line).collect::<Vec<_>>().join("\n"),
                }
            });
        }
        OfficerArgs::Remove { dir, id, releases } => {
            let releases = keys(releases)?;
            let officer = held(dir)?.officer_remove(id, &releases)?;
            show_officer(style, &officer, "removed; the number of the key is never used again");
        }
    }
    Ok(Done::Done)
}

fn show_officer(style: Style, officer: &OfficerView, what: &str) {
    answer(style, officer, |view| format!("{} (key {}): {what}", view.id, view.key));
}

/// Writes this party's credential.
pub(crate) fn credential(args: &CredentialArgs, style: Style) -> Result<Done, Failure> {
    let CredentialArgs::Export { dir, file } = args;
    if file.exists() {
        return Err(Failure::new(format!("{} is there already; name a new file", file.display())));
    }
    let held = held(dir)?;
    let (bytes, view) = held.credential_export()?;
    write_new(file, &bytes)?;
    answer(style, &view, |view| {
        format!(
            "{} (edition {}) is in {}.\nWords: {}\nNumbers: {}\nRead them out face to face. Then move {} away: the node never reads it.",
            view.code,
            view.edition,
            file.display(),
            view.words,
            view.numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
            held.folder.root().display(),
        )
    });
    Ok(Done::Done)
}

/// Writes a file that must be new.
fn write_new(file: &Path, bytes: &[u8]) -> Result<(), Failure> {
    use std::io::Write;
    let write = || -> std::io::Result<()> {
        let mut file = std::fs::File::create_new(file)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(|why| Failure::new(format!("{}: {why}", file.display())))
}

/// Accepts and lists other parties.
pub(crate) fn peer(args: &PeerArgs, style: Style) -> Result<Done, Failure> {
    match args {
        PeerArgs::Add { dir, file, words } => add_peer(dir, file, words, style),
        PeerArgs::List { dir } => {
            let list = super::store::peers(dir)?;
            answer(style, &json!({ "peers": list }), |_| {
                let line = |peer: &PeerView| {
                    format!(
                        "{}  edition {}  {}\n      {}",
                        peer.code,
                        peer.edition,
                        peer.endpoints.join(", "),
                        peer.words
                    )
                };
                match list.is_empty() {
                    true => "no other party yet; add one with `detente peer add`".to_owned(),
                    false => list.iter().map(line).collect::<Vec<_>>().join("\n"),
                }
            });
            Ok(Done::Done)
        }
    }
}

fn add_peer(dir: &Path, file: &Path, words: &str, style: Style) -> Result<Done, Failure> {
    Folder::open(dir)?;
    let bytes = files::read(file, CREDENTIAL_BYTES_MAX)?;
    let peer = match access(dir)? {
        Access::Held(held) => held.peer_add(&bytes, words)?,
        Access::Running(mut remote) => {
            let body = json!({ "credential": hex(&bytes), "words": words });
            block_on(async { Ok(remote.client.post("/api/v1/operator/peers", &body).await?) })?
        }
    };
    answer(style, &peer, |peer: &PeerView| {
        format!("{} is accepted: the words are those of its credential", peer.code)
    });
    Ok(Done::Done)
}

/// Makes a token for a program.
pub(crate) fn token(args: &TokenArgs, style: Style) -> Result<Done, Failure> {
    let folder = Folder::open(&args.dir)?;
    let scope = tokens::Scope::from_word(args.scope.word()).expect("both name the same two words");
    let token = tokens::make(&folder, scope)?;
    let value = json!({ "token": token, "scope": args.scope.word() });
    answer(style, &value, |_| {
        format!(
            "{token}\nShown once. Scope {}; its hash stands in {}/tokens: remove the line to end it.",
            args.scope.word(),
            args.dir.display()
        )
    });
    Ok(Done::Done)
}
