//! The proof: the journal exported, checked, and one altered byte found.

use std::collections::BTreeMap;
use std::path::Path;

use detente_crypto::SUITE_1;
use detente_protocol::export::log_folder;
use detente_protocol::names::LogKey;
use detente_protocol::verify::{Anchor, Report, Verdict, verify};

use super::play::Sent;
use super::stage::Stage;
use super::transcript::{Told, Transcript};
use crate::answer::Failure;
use crate::commands::verify::Folder;

/// The channel whose journal is exported, and who exports it.
const CHANNEL: &str = "stars";
const EXPORTER: &str = "ALT";
/// The message that is forged, and the figure in it: 1,457 warheads become 1,456.
const FORGED: &str = "data";
const FIGURE: u16 = 1457;
/// Journal lines read.
const LINES_MAX: usize = 4096;

/// Shows the journal, exports it, checks it with the parties' words, alters a copy and checks that.
///
/// # Errors
/// A sentence when a verdict is not as it should be.
pub(crate) async fn prove(
    stage: &Stage,
    messages: &BTreeMap<String, Sent>,
    transcript: &mut Transcript,
) -> Result<(), Failure> {
    let (channel, actor) = (stage.channel(CHANNEL)?, stage.actor(EXPORTER)?);
    let node = actor.node()?;
    transcript.tell(&Told::Journal { label: channel.label.clone(), shown_by: actor.cast.name.clone() });
    for line in node.journal(&channel.channel, 0, LINES_MAX).await? {
        // Machine entries carry no words; the spoken ones tell the story.
        if line.found.reference != "-" {
            transcript.tell(&Told::JournalLine {
                at: line.found.written_at,
                reference: line.found.reference,
                name: stage.actor(&line.from)?.cast.name.clone(),
                party: line.from,
                kind: line.found.kind,
                format: line.found.format,
            });
        }
    }
    let out = stage.folder.join("export");
    let known = detente_node::export::select(node.store(), Some(&channel.channel))?;
    let exported = detente_node::export::export(node.store(), &known, &out, crate::commands::format::now())?;
    transcript.tell(&Told::Exported {
        folder: out.display().to_string(),
        entries: exported.entries,
        logs: exported.logs,
    });
    let mut anchors = Vec::new();
    for code in &channel.parties {
        anchors.push((code.clone(), stage.actor(code)?.words.clone()));
    }
    sound(&out, &anchors, transcript)?;
    let sent = messages.get(FORGED).ok_or_else(|| Failure::new(format!("no message {FORGED:?} was sent")))?;
    let found = node.find(None, &sent.entry).await?;
    let copy = stage.folder.join("export-altered");
    alter(&out, &copy, &found, transcript)?;
    let report = check(&copy, &anchors)?;
    let fault = report.first_fault.as_ref();
    let named = fault.and_then(|fault| Some((fault.log.clone()?, fault.index?)));
    match (named, fault) {
        (Some((log, index)), Some(fault)) if log == found.log && index == found.index => {
            transcript.tell(&Told::Found {
                verdict: report.verdict.word().to_owned(),
                log,
                index,
                what: fault.kind.word().to_owned(),
                reference: sent.reference.clone(),
                name: stage.actor(&sent.by)?.cast.name.clone(),
                lane: found.lane.clone(),
                sentence: format!("{fault}."),
            });
            Ok(())
        }
        _ => Err(Failure::new(format!("the altered byte of {} was not found: {report}", sent.entry))),
    }
}

fn check(folder: &Path, anchors: &[(String, String)]) -> Result<Report, Failure> {
    let anchors: Vec<Anchor<'_>> = anchors.iter().map(|(code, words)| Anchor { code, words }).collect();
    Ok(verify(&Folder::open(folder)?, &anchors, SUITE_1))
}

fn sound(folder: &Path, anchors: &[(String, String)], transcript: &mut Transcript) -> Result<(), Failure> {
    let report = check(folder, anchors)?;
    transcript.tell(&Told::Verified {
        folder: folder.display().to_string(),
        verdict: report.verdict.word().to_owned(),
        entries: report.entries,
        logs: report.logs.len(),
        parties: report
            .parties
            .iter()
            .filter(|party| party.compared)
            .map(|party| (party.code.clone(), party.words.clone()))
            .collect(),
    });
    let void = report.record.void.len();
    match report.verdict {
        Verdict::Valid if void == 0 => Ok(()),
        _ => Err(Failure::new(format!("the export should be valid without void entries: {report}"))),
    }
}

/// Copies the export and lowers the figure in the entry by one: one byte.
fn alter(
    from: &Path,
    to: &Path,
    found: &detente_node::api::Found,
    transcript: &mut Transcript,
) -> Result<(), Failure> {
    let refuse = |path: &Path, why: std::io::Error| Failure::new(format!("{}: {why}", path.display()));
    copy(from, to).map_err(|why| refuse(to, why))?;
    let (_, log) = LogKey::parse(&found.log)
        .ok_or_else(|| Failure::new(format!("the node answered {:?} for a log", found.log)))?;
    let name = format!("{}entries", log_folder(&log));
    let path = to.join(&name);
    let mut bytes = std::fs::read(&path).map_err(|why| refuse(&path, why))?;
    let offset = figure_at(&bytes, found.index).ok_or_else(|| {
        Failure::new(format!("{name} does not hold the figure {FIGURE} in entry {}", found.index))
    })?;
    let before = bytes[offset];
    bytes[offset] = before.wrapping_sub(1);
    std::fs::write(&path, &bytes).map_err(|why| refuse(&path, why))?;
    transcript.tell(&Told::Altered {
        folder: to.display().to_string(),
        file: name,
        offset,
        from: before,
        to: bytes[offset],
        reference: found.reference.clone(),
        meaning: format!("{FIGURE} warheads become {}", FIGURE - 1),
    });
    Ok(())
}

/// Where the low byte of the figure stands: behind each length (2 bytes) lies one entry, and in it the
/// figure as CBOR writes it (`spec/export.md`, section 1; RFC 8949, section 3).
fn figure_at(bytes: &[u8], index: u64) -> Option<usize> {
    let mut at = 0;
    for _ in 0..index {
        at += 2 + usize::from(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
    }
    let length = usize::from(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
    let entry = bytes.get(at + 2..at + 2 + length)?;
    let [high, low] = FIGURE.to_be_bytes();
    let place = entry.windows(3).position(|three| three == [0x19, high, low])?;
    Some(at + 2 + place + 2)
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        match entry.file_type()?.is_dir() {
            true => copy(&entry.path(), &target)?,
            false => std::fs::copy(entry.path(), &target).map(|_| ())?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figure_is_found_in_its_entry_alone() {
        let file = [&[0, 3, 0x19, 0x05, 0xb1][..], &[0, 4, 7, 0x19, 0x05, 0xb1]].concat();
        assert_eq!(figure_at(&file, 0), Some(4));
        assert_eq!(figure_at(&file, 1), Some(10));
        assert_eq!(figure_at(&file, 2), None);
        assert_eq!(figure_at(&[0, 9, 1], 0), None);
    }
}
