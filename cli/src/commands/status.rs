//! `detente status`: each channel's standing, line with evidence, contact, clocks.

use std::fmt::Write as _;
use std::path::Path;

use detente_node::api::{ChannelStatus, Status};
use serde_json::json;

use super::format::now;
use super::store::{Access, access};
use crate::answer::{Done, Failure, Style, answer};
use crate::remote::block_on;

/// Runs the command.
pub(crate) fn run(dir: &Path, style: Style) -> Result<Done, Failure> {
    match access(dir)? {
        Access::Running(mut remote) => {
            let status: Status = block_on(async { Ok(remote.client.get("/api/v1/status").await?) })?;
            answer(style, &status, text);
        }
        // The line is measured by a running node alone; what the record says is still said.
        Access::Held(held) => {
            let channels = held.channels()?;
            let value = json!({
                "party": held.folder.config.code, "running": false, "now": now().to_string(), "channels": channels,
            });
            answer(style, &value, |_| {
                let mut out = format!(
                    "{} is not running; start it with `detente node {}`\n",
                    held.folder.config.code,
                    dir.display()
                );
                for channel in &channels {
                    let _ = writeln!(out, "{}  {}", channel.channel, channel.label);
                }
                out
            });
        }
    }
    Ok(Done::Done)
}

fn text(status: &Status) -> String {
    let mut out = format!("{} at {} (running {} s)\n", status.party, status.now, status.running_s);
    for alarm in &status.alarms {
        let _ = writeln!(out, "ALARM: {alarm}");
    }
    if !status.disk.accepts {
        let _ = writeln!(
            out,
            "ALARM: the disk is nearly full ({} bytes free); new messages are refused",
            status.disk.free_bytes
        );
    }
    if status.channels.is_empty() {
        out.push_str("no channel yet; propose one with `detente channel propose`\n");
    }
    for channel in &status.channels {
        channel_text(&mut out, channel);
    }
    out
}

fn channel_text(out: &mut String, status: &ChannelStatus) {
    let channel = &status.channel;
    let by = if channel.by.is_empty() { String::new() } else { format!(" by {}", channel.by.join(", ")) };
    let _ = writeln!(
        out,
        "\n{} ({}…): {}{by}",
        channel.label,
        &channel.channel[..8.min(channel.channel.len())],
        channel.standing
    );
    if let Some(problem) = &channel.problem {
        let _ = writeln!(out, "  {problem}");
    }
    for line in &status.line {
        let _ =
            writeln!(out, "  line to {}: {}. {}", line.party, line.verdict.replace('_', " "), line.evidence);
    }
    for (party, spoke) in &status.contact {
        let spoke = spoke.as_deref().unwrap_or("never");
        let _ = writeln!(out, "  {party} last spoke: {spoke}");
    }
    for clock in &status.clocks {
        let late = if clock.overdue { "OVERDUE" } else { "due" };
        let _ =
            writeln!(out, "  {late} {}: {} must {} {}", clock.due, clock.party, clock.what, clock.reference);
    }
}
