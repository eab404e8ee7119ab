//! The same messages, found again in both exports, both of which verify.

use std::collections::HashSet;
use std::path::Path;

use detente_crypto::SUITE_1;
use detente_node::export::Exported;
use detente_protocol::export::Files;
use detente_protocol::verify::{Anchor, verify};
use serde_json::{Value, json};

use super::parties::Party;
use super::sender::Acknowledged;
use crate::answer::Failure;
use crate::commands::verify::Folder;

/// Exports at both parties, checks both, and looks for every message in them.
pub(super) async fn check(
    parties: &[Party; 2],
    taken: &[Acknowledged],
    base: &Path,
) -> Result<Value, Failure> {
    let words: Vec<(&str, String)> = parties.iter().map(|party| (party.code, party.words.clone())).collect();
    let anchors: Vec<Anchor<'_>> = words.iter().map(|(code, words)| Anchor { code, words }).collect();
    let mut found = json!({});
    for party in parties {
        let out = base.join(format!("export-{}", party.code));
        let exported: Exported =
            party.client().post("/api/v1/operator/export", &json!({ "out": out })).await?;
        let folder = Folder::open(&out)?;
        let report = verify(&folder, &anchors, SUITE_1);
        let held = leaves(&folder);
        let messages = taken.iter().filter(|message| held.contains(&message.leaf)).count();
        if messages != taken.len() {
            return Err(Failure::new(format!(
                "{} of {} acknowledged messages are missing in the export of {}",
                taken.len() - messages,
                taken.len(),
                party.code
            )));
        }
        found[party.code] = json!({ "verdict": report.verdict.word(), "entries": exported.entries, "messages_found": messages });
        if let Some(fault) = report.first_fault {
            return Err(Failure::new(format!("the export of {} does not verify: {fault}", party.code)));
        }
    }
    Ok(found)
}

/// The leaf hashes of all logs of an export, hexadecimal; the check has compared them with the entries.
fn leaves(folder: &Folder) -> HashSet<String> {
    let files =
        folder.list().into_iter().filter(|path| path.starts_with("logs/") && path.ends_with("/leaves"));
    let hashes = files.filter_map(|path| folder.read(&path).map(|bytes| bytes.into_owned()));
    hashes
        .flat_map(|bytes| bytes.chunks_exact(32).map(detente_encoding::text::hex).collect::<Vec<_>>())
        .collect()
}
