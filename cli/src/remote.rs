//! Speaking to the running node of a folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use detente_node::Refusal;
use detente_node::api::{ChannelContext, Found, SubmitRequest, Submitted};
use detente_node::client::{Client, ClientError, percent};
use detente_node::compose::FileKey;
use detente_node::folder::Folder;
use serde_json::json;

use crate::answer::{Done, Failure, Style, answer};

/// How long to wait before a node that went away is offered the statement again.
const OFFER_AGAIN: Duration = Duration::from_millis(200);

/// Runs a future on a runtime of one thread: commands start fast and wait for one thing.
pub(crate) fn block_on<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|why| Failure::new(format!("no runtime can be started: {why}")))?.block_on(future)
}

/// The node of a folder.
#[derive(Debug)]
pub(crate) struct Remote {
    /// Requests go here.
    pub(crate) client: Client,
}

impl Remote {
    /// The node of the folder at `dir`. Nothing is sent yet.
    pub(crate) fn of(dir: &Path) -> Result<Self, Failure> {
        let folder = Folder::open(dir)?;
        Ok(Self { client: Client::of_folder(folder.path()) })
    }

    /// What one must know to write on a channel, which is named by id, beginning or label.
    pub(crate) async fn context(&mut self, channel: &str) -> Result<ChannelContext, Failure> {
        Ok(self.client.get(&format!("/api/v1/channels/{}", percent(channel))).await?)
    }

    /// The one entry that a citation means.
    pub(crate) async fn find(&mut self, entry: &str) -> Result<Found, Failure> {
        Ok(self.client.get(&format!("/api/v1/entries/{}", percent(entry))).await?)
    }

    /// The entries that citations mean.
    pub(crate) async fn find_all(
        &mut self,
        citations: &[String],
    ) -> Result<BTreeMap<String, Found>, Failure> {
        let mut found = BTreeMap::new();
        for citation in citations {
            found.insert(citation.clone(), self.find(citation).await?);
        }
        Ok(found)
    }

    /// Hands a statement in. A node that goes away is offered the same statement again until `until`:
    /// entered twice it is one act. `None` when it did not come back.
    pub(crate) async fn submit(
        &mut self,
        path: &str,
        request: &SubmitRequest,
        until: Instant,
    ) -> Result<Option<Submitted>, Failure> {
        self.offer(path, request, until).await
    }

    /// As [`Self::submit`], for any body that holds a statement.
    pub(crate) async fn offer(
        &mut self,
        path: &str,
        body: &impl serde::Serialize,
        until: Instant,
    ) -> Result<Option<Submitted>, Failure> {
        loop {
            match self.client.post(path, body).await {
                Ok(submitted) => return Ok(Some(submitted)),
                Err(
                    ClientError::EnvironmentLost
                    | ClientError::EnvironmentNotRunning(_)
                    | ClientError::EnvironmentConnect(_),
                ) => {}
                Err(error) => return Err(error.into()),
            }
            if Instant::now() + OFFER_AGAIN >= until {
                return Ok(None);
            }
            tokio::time::sleep(OFFER_AGAIN).await;
        }
    }
}

/// Looks citations up among those found before.
pub(crate) fn lookup(found: &BTreeMap<String, Found>) -> impl FnMut(&str) -> Result<Found, Refusal> + '_ {
    |citation| {
        found
            .get(citation)
            .cloned()
            .ok_or_else(|| Refusal::not_found(format!("there is no entry {citation}")))
    }
}

/// Reads key files in the order of signing.
pub(crate) fn keys(files: &[PathBuf]) -> Result<Vec<FileKey>, Failure> {
    files.iter().map(|file| FileKey::read(file).map_err(Failure::from)).collect()
}

/// The answer of a command that entered something, or could not know whether it did.
pub(crate) fn submitted(style: Style, submitted: Option<Submitted>) -> Done {
    match submitted {
        Some(submitted) => {
            answer(style, &submitted, |submitted| format!("{}  {}", submitted.reference, submitted.entry));
            Done::Done
        }
        None => {
            answer(style, &json!({ "entry": null, "reference": null }), |_| {
                "the node went away before it answered; do not send again, ask `detente journal show`"
                    .to_owned()
            });
            Done::NotInTime
        }
    }
}
