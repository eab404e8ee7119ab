//! The file for people: what an export is, how to check it, and the journal as text.

use detente_encoding::Timestamp;

use crate::charter::Charter;
use crate::names::{ChannelId, PartyId};

/// The text before the journal in `NOTE.txt`.
#[must_use]
pub fn explanation(
    channel: ChannelId,
    charter: &Charter,
    codes: &[(PartyId, String)],
    at: Timestamp,
) -> String {
    let mut text = format!(
        "This folder is an export of the channel \"{}\"\n{channel}\nmade at {at}.\n\n\
         It holds everything that the parties said on the channel, as signed by themselves, up to the\n\
         sizes that the file `export` lists. Nobody can alter, drop or reorder an entry that another\n\
         party has cosigned without the check showing it. The check does not read this file: what\n\
         stands below is only as true as the check of the rest.\n\n\
         How to check it: `detente verify FOLDER --party CODE=\"eight words\"`, once for each party, with\n\
         the words that the party itself gave you. Any other program can do the same from the pages\n\
         `export.md` and `log.md` of the specification: it needs SHA-256, Ed25519 and ML-DSA-44 only.\n\n\
         Parties:\n",
        charter.label,
    );
    for (party, code) in codes {
        text.push_str(&format!("  {code}  {party}\n"));
    }
    text.push_str("\nFiles:\n");
    for (path, holds) in FILES {
        text.push_str(&format!("  {path:<34}{holds}\n"));
    }
    text.push_str("\nThe journal, in the joint order of all logs:\n\n");
    text
}

const FILES: [(&str, &str); 8] = [
    ("export", "the logs in this export and how many entries of each"),
    ("charters/<edition>", "what the parties agreed"),
    ("credentials/<party>-<edition>", "each party's keys, signed by its root"),
    ("rosters/<party>-<number>", "who may release, where it changed"),
    ("logs/<party>/<lane>/<run>/", "entries, their hashes, and the signatures over them"),
    ("proofs/<hash>", "release proofs: which officers' keys signed"),
    ("blobs/<hash>", "attachments"),
    ("equivocations/<n>", "proofs that a party showed two histories"),
];
