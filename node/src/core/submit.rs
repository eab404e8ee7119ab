//! Entering what was released, and answering when it is durable.

use detente_crypto::sha256;
use detente_protocol::channel::WriteError;
use detente_protocol::entry::Clause;
use detente_protocol::names::{EntryId, Lane};
use tokio::sync::oneshot;

use super::{Core, wall};
use crate::api::Submitted;
use crate::refusal::Refusal;
use crate::release::Checked;

/// Who waits for an entry to be durable.
pub(crate) type Answer = oneshot::Sender<Result<Submitted, Refusal>>;

impl Core {
    /// Enters a statement; `answer` is given when its entry is durable, or at once when it is refused.
    pub(crate) fn submit(&mut self, checked: Checked, blobs: Vec<Vec<u8>>, answer: Answer) {
        match self.enter(checked, blobs) {
            Ok((number, id, submitted)) => {
                let durable = self.channels[&number]
                    .channel
                    .as_ref()
                    .is_some_and(|channel| channel.durable_size(&id.log) > id.index);
                if durable {
                    let _ = answer.send(Ok(submitted)); // The caller may have gone.
                } else {
                    self.submitted.entry((number, id)).or_default().push((submitted, answer));
                }
            }
            Err(refusal) => {
                let noted = self.note_in_house("refusal", &refusal.reason);
                let _ = answer.send(Err(noted.err().unwrap_or(refusal)));
            }
        }
    }

    fn enter(&mut self, checked: Checked, blobs: Vec<Vec<u8>>) -> Result<(u32, EntryId, Submitted), Refusal> {
        let Checked { released, channel: id, keys } = checked;
        if !self.accepts && released.lane != Lane::Emergency {
            return Err(Refusal::unavailable(
                "the disk is nearly full: only the emergency lane is accepted until there is room",
            ));
        }
        let (now, lane) = (self.now(), released.lane);
        for hash in &released.statement.attachments {
            let given = blobs.iter().any(|blob| sha256(&[blob]) == *hash);
            if !given && self.store.blob(hash)?.is_none() {
                return Err(Refusal::refused("attachments: the statement names a file that was not given"));
            }
        }
        let store = self.store.clone();
        let hash = released.statement.hash(id, self.me, lane);
        let (number, channel) = self.open_channel_of(id).ok_or_else(|| {
            Refusal::refused(
                "the channel waits for the credential of another party; see `detente channel list`",
            )
        })?;
        let written = channel.write(now, released, &store).map_err(|error| sentence(&error))?;
        for blob in blobs {
            channel.keep_blob(blob);
        }
        let code = self.own.text.code.clone();
        let (year, ..) = wall().date();
        let reference = if written.repeated {
            self.brief(number, &written.entry)?.map(|brief| brief.reference(&code, lane))
        } else {
            None
        };
        let series = if lane == Lane::Exercise { "EX/" } else { "" };
        let reference = reference.unwrap_or_else(|| format!("{code}/{series}{year}/{:04}", written.number));
        if !written.repeated {
            let keys = keys.iter().map(u16::to_string).collect::<Vec<_>>().join(",");
            self.releases.push(format!("{reference} statement {hash} keys {keys}"));
        }
        let entry = self.name_of(number, &written.entry);
        Ok((number, written.entry, Submitted { entry, reference, repeated: written.repeated }))
    }

    /// Answers those who wait for an entry that is durable now.
    pub(crate) fn answer_submitters(&mut self, number: u32, id: &EntryId) {
        for (submitted, answer) in self.submitted.remove(&(number, *id)).unwrap_or_default() {
            let _ = answer.send(Ok(submitted)); // The caller may have gone.
        }
    }
}

fn sentence(error: &WriteError) -> Refusal {
    let refuse = |reason: &str| Refusal::refused(reason);
    match error {
        WriteError::LocalVoid(Clause::Suspended) => refuse(
            "the channel is suspended: only flash and immediate messages, answers and channel acts go through; see `detente status`",
        ),
        WriteError::LocalVoid(Clause::Closed) => {
            refuse("the channel is closed: only acknowledgements go through")
        }
        WriteError::LocalVoid(Clause::Edition) => refuse(
            "edition: the statement was signed under another charter edition than the one in force, or no charter is in force yet; draft it anew",
        ),
        WriteError::LocalVoid(Clause::Ratify) => {
            refuse("this party has ratified the charter already, or another edition is next")
        }
        WriteError::LocalVoid(Clause::Restore) => {
            refuse("this party has no suspension in force; who suspended the channel restores it")
        }
        WriteError::EnvironmentBusy | WriteError::EnvironmentRecord(_) => {
            Refusal::unavailable(error.to_string())
        }
        _ => Refusal::refused(error.to_string()),
    }
}
