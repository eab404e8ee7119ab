//! What waits for the core thread: taken all at once, so that batches grow under load.
//!
//! Completions are bounded by what the engine takes, frames and commands by a named maximum each;
//! who brings more waits outside.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use detente_journal::CommitError;
use detente_protocol::channel::Ticket;
use detente_transport::LinkKey;
use tokio::sync::Notify;

use super::Core;

/// Frames that wait for the core thread at most.
pub(crate) const FRAMES_MAX: usize = 2048;
/// Commands that wait for the core thread at most.
pub(crate) const COMMANDS_MAX: usize = 4096;

/// Something that a client asks of the core.
pub(crate) type Command = Box<dyn FnOnce(&mut Core) + Send>;

/// What a path says.
#[derive(Debug)]
pub(crate) enum FromPath {
    /// Bytes.
    Frame(LinkKey, Vec<u8>),
    /// It came up or went down.
    Changed(LinkKey, bool, String),
}

/// Everything that waited.
#[derive(Default)]
pub(crate) struct Waiting {
    pub(crate) durable: Vec<(u32, Ticket, Result<(), CommitError>)>,
    pub(crate) paths: VecDeque<FromPath>,
    pub(crate) commands: VecDeque<Command>,
    pub(crate) stop: bool,
}

impl Waiting {
    fn is_empty(&self) -> bool {
        self.durable.is_empty() && self.paths.is_empty() && self.commands.is_empty() && !self.stop
    }
}

/// The core thread's one entrance.
#[derive(Default)]
pub(crate) struct Inbox {
    waiting: Mutex<Waiting>,
    something: Condvar,
    room: Notify,
}

impl Inbox {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Every statement leaves the queues whole, so a panicking holder leaves nothing half.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put<T>(&self, put: impl FnOnce(&mut Waiting) -> T) -> T {
        let mut waiting = self.lock();
        let idle = waiting.is_empty();
        let answer = put(&mut waiting);
        drop(waiting);
        if idle {
            self.something.notify_one();
        }
        answer
    }

    /// Brings the outcome of a commit for all it held.
    pub(crate) fn durable(&self, tickets: &[(u32, Ticket)], outcome: &Result<(), CommitError>) {
        let answer = |(channel, ticket): &(u32, Ticket)| (*channel, *ticket, outcome.clone());
        self.put(|waiting| waiting.durable.extend(tickets.iter().map(answer)));
    }

    /// Brings what a path says; waits while too much does.
    pub(crate) async fn path_says(&self, item: FromPath) {
        loop {
            let room = self.room.notified();
            let full = self.lock().paths.len() >= FRAMES_MAX;
            if !full {
                return self.put(|waiting| waiting.paths.push_back(item));
            }
            room.await;
        }
    }

    /// Brings a command; gives it back when too many wait or the core stops.
    pub(crate) fn command(&self, command: Command) -> Result<(), Command> {
        self.put(|waiting| {
            if waiting.stop || waiting.commands.len() >= COMMANDS_MAX {
                return Err(command);
            }
            waiting.commands.push_back(command);
            Ok(())
        })
    }

    pub(crate) fn stop(&self) {
        self.put(|waiting| waiting.stop = true);
    }

    /// Everything that waits; waits for something until `most` has passed.
    pub(crate) fn take(&self, most: Duration) -> Waiting {
        let mut waiting = self.lock();
        if waiting.is_empty() && !most.is_zero() {
            waiting = self
                .something
                .wait_timeout_while(waiting, most, |waiting| waiting.is_empty())
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        let stop = waiting.stop;
        let taken = std::mem::take(&mut *waiting);
        waiting.stop = stop;
        drop(waiting);
        self.room.notify_waiters();
        taken
    }
}
