//! `detente send`: a message, from its file to what became of it.

use std::io::BufRead;
use std::path::Path;
use std::time::{Duration, Instant};

use detente_formats::{Catalogue, CheckContext, Fault, Language, Message, check};
use detente_node::api::MessageView;
use detente_node::client::percent;
use detente_node::compose::{Draft, FileKey};
use serde_json::{Value, json};

use super::format::{MESSAGE_BYTES_MAX, faults_failure, now};
use crate::answer::{Done, Failure, Style, print_json};
use crate::args::{SendArgs, Wait};
use crate::files;
use crate::remote::{Remote, block_on, keys, lookup};

/// How often the state is asked for when no event says that it changed.
const ASK_EVERY: Duration = Duration::from_millis(500);
/// How soon it is asked for again behind an event: an event may be told before the view shows it.
const ASK_SOON: Duration = Duration::from_millis(5);

/// Runs the command.
pub(crate) fn run(args: &SendArgs, style: Style) -> Result<Done, Failure> {
    let keys = keys(&args.releases)?;
    let remote = Remote::of(&args.dir)?;
    if args.stream {
        return block_on(stream(args, remote, &keys, style.lang));
    }
    let file =
        args.message.as_deref().ok_or_else(|| Failure::usage("--message FILE or --stream is needed"))?;
    let text = files::read_text(file, MESSAGE_BYTES_MAX)?;
    let folder = file.parent().unwrap_or_else(|| Path::new("."));
    let mut sender = Sender { args, remote, keys: &keys, lang: style.lang };
    let (done, result) = block_on(async { sender.send(&text, folder).await })?;
    print_json(&result);
    Ok(done)
}

/// One message a line in, one result a line out. A message that is refused does not end the stream.
async fn stream(args: &SendArgs, remote: Remote, keys: &[FileKey], lang: Language) -> Result<Done, Failure> {
    let mut sender = Sender { args, remote, keys, lang };
    let mut all = Done::Done;
    for line in std::io::stdin().lock().lines() {
        let line = line.map_err(|why| Failure::new(format!("the standard input: {why}")))?;
        if line.trim().is_empty() {
            continue;
        }
        match sender.send(&line, Path::new(".")).await {
            Ok((Done::Done, result)) => print_json(&result),
            Ok((done, result)) => {
                print_json(&result);
                if all == Done::Done {
                    all = done;
                }
            }
            Err(failure) => {
                eprintln!("detente: {}", failure.reason);
                print_json(&json!({ "entry": null, "reference": null, "error": failure.reason }));
                all = Done::Found;
            }
        }
    }
    Ok(all)
}

struct Sender<'a> {
    args: &'a SendArgs,
    remote: Remote,
    keys: &'a [FileKey],
    lang: Language,
}

impl Sender<'_> {
    async fn send(&mut self, text: &str, folder: &Path) -> Result<(Done, Value), Failure> {
        let until = Instant::now() + self.args.timeout;
        let message = self.checked(text)?;
        let context = self.remote.context(&self.args.channel).await?;
        let mut citations = message.envelope.refs.clone();
        citations.extend(message.envelope.supersedes.clone());
        let found = self.remote.find_all(&citations).await?;
        let mut draft = Draft::message(text, folder, &context, &mut lookup(&found))?;
        draft.accept_late = self.args.accept_late;
        let request = draft.sign(self.keys, &context)?;
        let path = format!("/api/v1/channels/{}/messages", context.channel);
        let Some(submitted) = self.remote.submit(&path, &request, until).await? else {
            return Ok((Done::NotInTime, result(None, None)));
        };
        let Some(wait) = self.args.wait else {
            return Ok((Done::Done, result(Some((&submitted.entry, &submitted.reference)), None)));
        };
        let view = self.wait(&submitted.entry, wait, until).await?;
        let done =
            if view.as_ref().is_some_and(|view| reached(view, wait)) { Done::Done } else { Done::NotInTime };
        Ok((done, result(Some((&submitted.entry, &submitted.reference)), view.as_ref())))
    }

    /// Reads and checks a message before the node does: faults come at once and in the reader's language.
    fn checked(&self, text: &str) -> Result<Message, Failure> {
        let refuse = |faults: &[Fault]| faults_failure("the message", faults, self.lang);
        let message = Message::from_json(text, Catalogue::embedded()).map_err(|faults| refuse(&faults))?;
        let context = CheckContext { now: now(), references: &[], accept_late: self.args.accept_late };
        let faults = check(&message, &context);
        match faults.iter().any(Fault::refuses) {
            true => Err(refuse(&faults)),
            false => Ok(message),
        }
    }

    /// The message's state when it is as waited for, or the last one known at `until`.
    async fn wait(
        &mut self,
        entry: &str,
        wait: Wait,
        until: Instant,
    ) -> Result<Option<MessageView>, Failure> {
        let path = format!("/api/v1/entries/{}", percent(entry));
        let mut events = self.remote.client.events(None).await.ok();
        let mut last = None;
        let mut pause = ASK_EVERY;
        loop {
            // A node that went away may come back: what was accepted stays accepted.
            if let Ok(view) = self.remote.client.get::<MessageView>(&path).await {
                let reached = reached(&view, wait);
                last = Some(view);
                if reached {
                    return Ok(last);
                }
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(last);
            }
            let sleep = tokio::time::sleep(left.min(pause));
            pause = (pause * 2).min(ASK_EVERY);
            let Some(stream) = &mut events else {
                sleep.await;
                events = self.remote.client.events(None).await.ok();
                continue;
            };
            tokio::select! {
                () = sleep => {}
                event = about(stream, entry) => match event {
                    Some(()) => pause = ASK_SOON,
                    None => events = None,
                },
            }
        }
    }
}

/// Waits for the next event about an entry; `None` when the stream ended.
async fn about(stream: &mut detente_node::client::EventStream, entry: &str) -> Option<()> {
    loop {
        let event = stream.next().await.ok()??;
        if event.contains(entry) {
            return Some(());
        }
    }
}

fn reached(view: &MessageView, wait: Wait) -> bool {
    match wait {
        Wait::Delivered => view.delivered_at.is_some(),
        Wait::Acknowledged => view.acknowledged_at.is_some(),
    }
}

fn result(entry: Option<(&str, &str)>, view: Option<&MessageView>) -> Value {
    json!({
        "entry": entry.map(|(entry, _)| entry),
        "reference": entry.map(|(_, reference)| reference),
        "delivered_at": view.and_then(|view| view.delivered_at.as_deref()),
        "acknowledged_at": view.and_then(|view| view.acknowledged_at.as_deref()),
    })
}
