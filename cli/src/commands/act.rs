//! The officers' acts on an entry: acknowledge, stand by, accept, … correct.

use std::path::Path;
use std::time::Instant;

use detente_node::client::percent;
use detente_node::compose::Draft;
use detente_protocol::entry::Kind;

use super::format::MESSAGE_BYTES_MAX;
use crate::answer::{Done, Failure, Style};
use crate::args::ActArgs;
use crate::files;
use crate::remote::{Remote, block_on, keys, submitted};

/// The last part of an act's address.
fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::CounterPropose => "counter",
        other => other.word(),
    }
}

/// Runs one of the commands.
pub(crate) fn run(kind: Kind, args: &ActArgs, style: Style) -> Result<Done, Failure> {
    let keys = keys(&args.releases)?;
    let text = args.message.as_deref().map(|file| files::read_text(file, MESSAGE_BYTES_MAX)).transpose()?;
    let folder = args.message.as_deref().and_then(Path::parent).unwrap_or_else(|| Path::new("."));
    let mut remote = Remote::of(&args.dir)?;
    let until = Instant::now() + args.timeout;
    let done = block_on(async {
        let target = remote.find(&args.entry).await?;
        // The full name of a log begins `detente/CHANNEL/`.
        let channel = target.log.split('/').nth(1).unwrap_or_default().to_owned();
        let context = remote.context(&channel).await?;
        let draft = Draft::act(kind, &target, text.as_deref(), folder, &context)?;
        let request = draft.sign(&keys, &context)?;
        let path = format!("/api/v1/entries/{}/{}", percent(&target.entry), word(kind));
        remote.submit(&path, &request, until).await
    })?;
    Ok(submitted(style, done))
}
