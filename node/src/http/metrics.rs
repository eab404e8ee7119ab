//! `/metrics`: the node's state as numbers, in the text format of Prometheus (version 0.0.4).

use std::fmt::Write as _;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use hyper::header;

use super::error::HttpError;
use crate::NodeHandle;
use crate::api::Status;

/// Answers `/metrics`.
pub(super) async fn metrics(State(node): State<NodeHandle>) -> Result<Response, HttpError> {
    let text = text(&node.status().await?);
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response())
}

/// A label's value, with what would end it escaped.
fn label(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

fn family(out: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(out, "# HELP detente_{name} {help}\n# TYPE detente_{name} {kind}");
}

fn single(out: &mut String, name: &str, kind: &str, help: &str, value: u64) {
    family(out, name, kind, help);
    let _ = writeln!(out, "detente_{name} {value}");
}

fn text(status: &Status) -> String {
    let mut out = String::with_capacity(4096);
    let disk = &status.disk;
    single(&mut out, "running_seconds", "gauge", "Seconds since the node started.", status.running_s);
    single(&mut out, "entries_total", "counter", "Entries handled since the start.", status.entries);
    single(&mut out, "commits_total", "counter", "Batches made durable since the start.", status.commits);
    single(&mut out, "syncs_total", "counter", "Syncs of the disk since the start.", status.syncs);
    single(&mut out, "sent_bytes_total", "counter", "Bytes of frames handed to paths.", status.sent_bytes);
    single(&mut out, "disk_free_bytes", "gauge", "Bytes the disk has free.", disk.free_bytes);
    single(&mut out, "disk_reserve_bytes", "gauge", "Bytes kept for receipts.", disk.reserve_bytes);
    single(&mut out, "record_bytes", "gauge", "Bytes of the record.", disk.used_bytes);
    single(&mut out, "accepts", "gauge", "1 while new messages are accepted.", u64::from(disk.accepts));
    single(&mut out, "alarms", "gauge", "Alarms that stand.", status.alarms.len() as u64);
    family(&mut out, "line_up", "gauge", "1 while the line to a party is up.");
    each_line(status, |channel, line| {
        let up = u8::from(line.verdict == "up");
        let _ =
            writeln!(out, "detente_line_up{{channel=\"{channel}\",party=\"{}\"}} {up}", label(&line.party));
    });
    family(&mut out, "heard_seconds", "gauge", "Seconds since something authentic came from a party.");
    each_line(status, |channel, line| {
        if let Some(heard) = line.heard_s {
            let _ = writeln!(
                out,
                "detente_heard_seconds{{channel=\"{channel}\",party=\"{}\"}} {heard}",
                label(&line.party)
            );
        }
    });
    family(&mut out, "clocks", "gauge", "Things due on a channel.");
    for channel in &status.channels {
        let overdue = channel.clocks.iter().filter(|clock| clock.overdue).count();
        let name = label(&channel.channel.channel);
        let running = channel.clocks.len() - overdue;
        let _ = writeln!(out, "detente_clocks{{channel=\"{name}\",state=\"running\"}} {running}");
        let _ = writeln!(out, "detente_clocks{{channel=\"{name}\",state=\"overdue\"}} {overdue}");
    }
    family(&mut out, "dropped_total", "counter", "Things dropped or refused since the start, by reason.");
    for channel in &status.channels {
        let name = label(&channel.channel.channel);
        for (reason, count) in &channel.counters {
            let reason = label(reason);
            let _ = writeln!(out, "detente_dropped_total{{channel=\"{name}\",reason=\"{reason}\"}} {count}");
        }
    }
    out
}

fn each_line(status: &Status, mut each: impl FnMut(&str, &crate::api::LineView)) {
    for channel in &status.channels {
        let name = label(&channel.channel.channel);
        channel.line.iter().for_each(|line| each(&name, line));
    }
}
