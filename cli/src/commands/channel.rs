//! `detente channel`: proposing, ratifying, suspending, restoring, closing, listing.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use detente_node::api::{ChannelContext, ChannelView};
use detente_node::compose::Draft;
use detente_protocol::entry::Kind;
use serde::Deserialize;
use serde_json::{Value, json};

use super::format::now;
use crate::answer::{Done, Failure, Style, answer};
use crate::args::{ChannelAct, ChannelArgs};
use crate::files;
use crate::remote::{Remote, block_on, keys, submitted};

/// A charter is a page of text.
const CHARTER_BYTES_MAX: u64 = 64 * 1024;
/// How long a proposal is offered again to a node that went away.
const PROPOSE_WITHIN: Duration = Duration::from_secs(30);

/// Runs the command.
pub(crate) fn run(args: &ChannelArgs, style: Style) -> Result<Done, Failure> {
    match args {
        ChannelArgs::Propose { dir, charter, releases } => propose(dir, charter, releases, style),
        ChannelArgs::Ratify(args) => act(args, Kind::Ratify, style),
        ChannelArgs::Suspend(args) => act(args, Kind::Suspend, style),
        ChannelArgs::Restore(args) => act(args, Kind::Restore, style),
        ChannelArgs::Close(args) => act(args, Kind::Close, style),
        ChannelArgs::List { dir } => list(dir, style),
    }
}

/// A charter as the node read it, with the context in which its proposer ratifies it.
#[derive(Deserialize)]
struct Drafted {
    charter: String,
    context: ChannelContext,
}

fn propose(dir: &Path, charter: &Path, releases: &[PathBuf], style: Style) -> Result<Done, Failure> {
    let keys = keys(releases)?;
    let text = files::read_text(charter, CHARTER_BYTES_MAX)?;
    let mut remote = Remote::of(dir)?;
    let until = Instant::now() + PROPOSE_WITHIN;
    block_on(async {
        let Drafted { charter, context } =
            remote.client.post("/api/v1/operator/charters", &json!({ "charter": text })).await?;
        let ratification = Draft::ratify(&context)?.sign(&keys, &context)?;
        let body = json!({ "charter": charter, "ratification": ratification });
        let Some(done) = remote.offer("/api/v1/channels", &body, until).await? else {
            return Ok(submitted(style, None));
        };
        let value = json!({ "channel": context.channel, "label": context.label, "entry": done.entry });
        answer(style, &value, |_| {
            format!("proposed and ratified for this party: {}  {}", context.label, context.channel)
        });
        Ok(Done::Done)
    })
}

fn act(args: &ChannelAct, kind: Kind, style: Style) -> Result<Done, Failure> {
    let keys = keys(&args.releases)?;
    let mut remote = Remote::of(&args.dir)?;
    let until = Instant::now() + args.timeout;
    let done = block_on(async {
        let context = remote.context(&args.channel).await?;
        let text = words(kind, args.reason.as_deref(), &context).map(|message| message.to_string());
        let draft = match kind {
            Kind::Ratify => Draft::ratify(&context)?,
            _ => Draft::channel_act(kind, text.as_deref(), &context)?,
        };
        let request = draft.sign(&keys, &context)?;
        remote.submit(&format!("/api/v1/channels/{}/acts", context.channel), &request, until).await
    })?;
    Ok(submitted(style, done))
}

/// The message file that an act on a channel carries.
fn words(kind: Kind, reason: Option<&str>, context: &ChannelContext) -> Option<Value> {
    let own = context.parties.iter().find(|party| party.own);
    let language = own.map_or("en", |party| party.language.as_str());
    match kind {
        Kind::Suspend | Kind::Restore => {
            let action = if kind == Kind::Suspend { "suspend" } else { "restore" };
            // Whole seconds: a date-time of a format has no more.
            let effective = detente_encoding::Timestamp::from_millis(now().seconds() * 1000);
            let mut fields = json!({
                "channel": context.label, "action": action, "effective": effective.to_string(),
                "scope": "all", "emergency_lane": true,
            });
            if let Some(reason) = reason {
                fields["reason"] = json!(reason);
            }
            Some(json!({ "notification": { "format": "CHN.SUSP", "edition": 1, "fields": fields } }))
        }
        Kind::Close => reason.map(|reason| json!({ "note": { "lang": language, "text": reason } })),
        _ => None,
    }
}

fn list(dir: &Path, style: Style) -> Result<Done, Failure> {
    let channels = super::store::channels(dir)?;
    answer(style, &json!({ "channels": channels }), |_| {
        if channels.is_empty() {
            return "no channel yet; propose one with `detente channel propose`".to_owned();
        }
        channels.iter().map(line).collect::<Vec<_>>().join("\n")
    });
    Ok(Done::Done)
}

fn line(channel: &ChannelView) -> String {
    let mut line = format!(
        "{}  {:<10} {}  ({})",
        channel.channel,
        channel.standing,
        channel.label,
        channel.parties.join(", ")
    );
    if channel.standing == "proposed" {
        line.push_str(&format!("  ratified by: {}", channel.ratified.join(", ")));
    }
    if let Some(problem) = &channel.problem {
        line.push_str(&format!("  ({problem})"));
    }
    line
}
