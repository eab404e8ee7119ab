//! What the tasks of one endpoint share.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::{AbortHandle, JoinSet};

use crate::admission::Admission;
use crate::key::LinkSecret;
use crate::peers::Peers;

/// How long a handshake may take, hello included: four round trips over two satellites.
pub const HANDSHAKE_MAX: Duration = Duration::from_secs(8);

/// Shared by all tasks; the tasks are ended by the endpoint, which owns it.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) secret: LinkSecret,
    pub(crate) peers: Arc<Peers>,
    pub(crate) admission: Arc<Admission>,
    pub(crate) udp: Option<quinn::Endpoint>,
    pub(crate) tasks: Tasks,
    pub(crate) refused_handshakes: AtomicU64,
    pub(crate) refused_capacity: AtomicU64,
}

impl Context {
    /// Four random bytes, for jitter.
    pub(crate) fn random(&self) -> u32 {
        let mut bytes = [0; 4];
        // Jitter is no secret: without randomness the pauses merely keep step.
        let _ = aws_lc_rs::rand::fill(&mut bytes);
        u32::from_be_bytes(bytes)
    }
}

/// The tasks of an endpoint; forgotten as they end, aborted together.
#[derive(Debug, Default)]
pub(crate) struct Tasks {
    set: Mutex<JoinSet<()>>,
}

impl Tasks {
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
        let mut set = self.set.lock().unwrap_or_else(PoisonError::into_inner);
        while set.try_join_next().is_some() {}
        set.spawn(task)
    }

    pub(crate) fn abort_all(&self) {
        self.set.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
    }

    /// Aborts all and waits until they are gone.
    pub(crate) async fn shutdown(&self) {
        let mut set = std::mem::take(&mut *self.set.lock().unwrap_or_else(PoisonError::into_inner));
        set.shutdown().await;
    }
}
