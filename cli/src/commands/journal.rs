//! `detente journal`: showing, exporting and rebuilding the joint journal.

use std::path::Path;

use detente_node::api::JournalLine;
use detente_node::client::percent;
use detente_node::export::{Exported, export, select};
use serde::Deserialize;
use serde_json::json;

use super::format::now;
use super::store::{Access, absolute, access, channels, held};
use crate::answer::{Done, Failure, Style, answer, print, print_json};
use crate::args::JournalArgs;
use crate::remote::{Remote, block_on};

/// Runs the command.
pub(crate) fn run(args: &JournalArgs, style: Style) -> Result<Done, Failure> {
    match args {
        JournalArgs::Show(args) => show(&args.dir, args.channel.as_deref(), style),
        JournalArgs::Export { dir, channel, out } => export_to(dir, channel.as_deref(), out, style),
        JournalArgs::Rebuild { dir } => rebuild(dir),
    }
}

#[derive(Deserialize)]
struct Page {
    lines: Vec<JournalLine>,
    next: Option<u64>,
}

fn show(dir: &Path, channel: Option<&str>, style: Style) -> Result<Done, Failure> {
    let mut remote = match access(dir)? {
        Access::Running(remote) => remote,
        Access::Held(held) => {
            let known = select(&held.store, channel)?;
            let lines = detente_node::export::lines(&held.store, &known)?;
            if style.json {
                print_json(&json!({ "lines": lines }));
            } else {
                lines.iter().for_each(|line| print(text(line)));
            }
            return Ok(Done::Done);
        }
    };
    let channel = match channel {
        Some(channel) => channel.to_owned(),
        None => only_channel(dir)?,
    };
    block_on(async {
        let mut from = 0;
        let mut all = Vec::new();
        loop {
            let page = next_page(&mut remote, &channel, from).await?;
            match style.json {
                true => all.extend(page.lines),
                false => page.lines.iter().for_each(|line| print(text(line))),
            }
            match page.next {
                Some(next) => from = next,
                None => break,
            }
        }
        if style.json {
            print_json(&json!({ "lines": all }));
        }
        Ok(Done::Done)
    })
}

async fn next_page(remote: &mut Remote, channel: &str, from: u64) -> Result<Page, Failure> {
    Ok(remote.client.get(&format!("/api/v1/channels/{}/journal?from={from}", percent(channel))).await?)
}

/// The channel meant where none is named.
fn only_channel(dir: &Path) -> Result<String, Failure> {
    let all = channels(dir)?;
    match all.as_slice() {
        [one] => Ok(one.channel.clone()),
        [] => Err(Failure::new("there is no channel here yet")),
        _ => {
            let names: Vec<&str> = all.iter().map(|channel| channel.label.as_str()).collect();
            Err(Failure::new(format!("--channel: name one of {}", names.join(", "))))
        }
    }
}

fn text(line: &JournalLine) -> String {
    let found = &line.found;
    let judged = if line.judged == "valid" { String::new() } else { format!("  {}", line.judged) };
    let what = found.format.as_deref().unwrap_or(&found.kind);
    format!("{}  {:<16} {}  {what}  {}{judged}", found.written_at, found.reference, line.from, found.entry)
}

fn export_to(dir: &Path, channel: Option<&str>, out: &Path, style: Style) -> Result<Done, Failure> {
    let out = absolute(out)?;
    let exported: Exported = match access(dir)? {
        Access::Held(held) => export(&held.store, &select(&held.store, channel)?, &out, now())?,
        Access::Running(mut remote) => {
            let body = json!({ "channel": channel, "out": out });
            block_on(async { Ok(remote.client.post("/api/v1/operator/export", &body).await?) })?
        }
    };
    answer(style, &exported, |exported| {
        format!(
            "{} entries of {} logs are in {}; check them with `detente verify {}`",
            exported.entries,
            exported.logs,
            exported.out.display(),
            exported.out.display()
        )
    });
    Ok(Done::Done)
}

fn rebuild(dir: &Path) -> Result<Done, Failure> {
    held(dir)?;
    Err(Failure::new(
        "journal rebuild is not built yet; docs/open.md lists what is not built yet. Nothing was changed",
    ))
}
