//! What all paths report, in one bounded stream for the layer above.
//!
//! Each path has a [`Source`] with a budget of its own. A source whose budget is used up waits,
//! and with it the peer behind it: memory is bounded and a flooding peer holds up only itself.
//! The reader is served changes of state first, then emergency frames, then ordinary ones, each
//! source in turn; after [`EMERGENCY_RUN_MAX`] emergency frames an ordinary one comes between,
//! so that a peer that calls everything an emergency cannot silence the others.

use std::collections::{BTreeMap, VecDeque};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::key::LinkKey;
use crate::path::{PathEvent, PathKind, Report, Urgency};

/// Frames of one urgency that may wait from one source.
pub const INBOX_FRAMES_MAX: usize = 512;
/// Bytes of frames of one urgency that may wait from one source; one frame may go beyond it.
pub const INBOX_BYTES_MAX: usize = 1 << 20;
/// Changes of state that may wait from one source.
pub const INBOX_CHANGES_MAX: usize = 16;
/// Emergency frames served in a row while ordinary ones wait.
pub const EMERGENCY_RUN_MAX: usize = 32;

/// The reader of all reports; there is one.
#[derive(Debug)]
pub struct Inbox {
    shared: Arc<Shared>,
}

/// Where one path puts its reports. Its budget is freed when it is dropped and its reports are read.
#[derive(Debug)]
pub struct Source {
    shared: Arc<Shared>,
    index: u64,
    peer: LinkKey,
    kind: PathKind,
    space: Arc<Notify>,
}

/// The inbox was dropped: nobody reads any more, so the path may end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InboxClosed;

/// Makes sources; held by whoever makes paths.
#[derive(Clone, Debug)]
pub struct Sources {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    readable: Notify,
}

#[derive(Debug, Default)]
struct State {
    lanes: BTreeMap<u64, Lanes>,
    /// For each class, the sources that have something, in the order of their turn.
    turns: [VecDeque<u64>; CLASS_COUNT],
    next_index: u64,
    emergency_run: usize,
    closed: bool,
}

#[derive(Debug)]
struct Lanes {
    waiting: [VecDeque<Report>; CLASS_COUNT],
    bytes: [usize; CLASS_COUNT],
    space: Arc<Notify>,
    source_gone: bool,
}

const CLASS_COUNT: usize = 3;
const CHANGES: usize = 0;
const EMERGENCY: usize = 1;
const ORDINARY: usize = 2;

/// Makes an inbox and the maker of its sources.
pub fn inbox() -> (Sources, Inbox) {
    let shared = Arc::new(Shared::default());
    (Sources { shared: shared.clone() }, Inbox { shared })
}

impl Sources {
    /// A source for one path to one peer.
    pub fn source(&self, peer: LinkKey, kind: PathKind) -> Source {
        let space = Arc::new(Notify::new());
        let mut state = self.shared.lock();
        let index = state.next_index;
        state.next_index += 1;
        let lanes = Lanes {
            waiting: Default::default(),
            bytes: [0; CLASS_COUNT],
            space: space.clone(),
            source_gone: false,
        };
        state.lanes.insert(index, lanes);
        Source { shared: self.shared.clone(), index, peer, kind, space }
    }
}

impl Source {
    /// Reports `event`, waiting while the budget of its class is used up. Cancelling it reports nothing.
    ///
    /// # Errors
    /// [`InboxClosed`]: nobody reads any more.
    pub async fn report(&self, event: PathEvent) -> Result<(), InboxClosed> {
        let mut event = Some(event);
        loop {
            let mut space = pin!(self.space.notified());
            space.as_mut().enable();
            match self.try_report(&mut event) {
                Some(outcome) => return outcome,
                None => space.await,
            }
        }
    }

    /// Takes `event` and answers, or leaves it and answers `None` when there is no room.
    fn try_report(&self, event: &mut Option<PathEvent>) -> Option<Result<(), InboxClosed>> {
        let mut state = self.shared.lock();
        if state.closed {
            return Some(Err(InboxClosed));
        }
        let (class, bytes) = class_and_bytes(event.as_ref().expect("taken only when the loop ends"));
        let lanes = state.lanes.get_mut(&self.index).expect("lanes live as long as their source");
        if !lanes.has_room(class) {
            return None;
        }
        let event = event.take().expect("taken only here");
        lanes.bytes[class] += bytes;
        lanes.waiting[class].push_back(Report { peer: self.peer, kind: self.kind, event });
        if lanes.waiting[class].len() == 1 {
            state.turns[class].push_back(self.index);
        }
        drop(state);
        self.shared.readable.notify_one();
        Some(Ok(()))
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        if let Some(lanes) = state.lanes.get_mut(&self.index) {
            lanes.source_gone = true;
        }
        state.forget_if_done(self.index);
    }
}

impl Inbox {
    /// The next report; waits for one. Cancelling it loses nothing.
    pub async fn next(&mut self) -> Report {
        loop {
            if let Some(report) = self.try_next() {
                return report;
            }
            self.shared.readable.notified().await;
        }
    }

    /// The next report, if one waits: for taking many at once into one commit.
    pub fn try_next(&mut self) -> Option<Report> {
        self.shared.lock().take()
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.closed = true;
        for lanes in state.lanes.values() {
            lanes.space.notify_waiters();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take(&mut self) -> Option<Report> {
        let class = self.next_class()?;
        self.emergency_run = if class == EMERGENCY { self.emergency_run + 1 } else { 0 };
        let index = self.turns[class].pop_front()?;
        let lanes = self.lanes.get_mut(&index)?;
        let had_room = lanes.has_room(class);
        let report = lanes.waiting[class].pop_front()?;
        lanes.bytes[class] -= class_and_bytes(&report.event).1;
        if !had_room {
            lanes.space.notify_waiters();
        }
        if !lanes.waiting[class].is_empty() {
            self.turns[class].push_back(index);
        }
        self.forget_if_done(index);
        Some(report)
    }

    fn next_class(&self) -> Option<usize> {
        let ordinary_is_due = self.emergency_run >= EMERGENCY_RUN_MAX && !self.turns[ORDINARY].is_empty();
        let order =
            if ordinary_is_due { [CHANGES, ORDINARY, EMERGENCY] } else { [CHANGES, EMERGENCY, ORDINARY] };
        order.into_iter().find(|&class| !self.turns[class].is_empty())
    }

    fn forget_if_done(&mut self, index: u64) {
        let done = |lanes: &Lanes| lanes.source_gone && lanes.waiting.iter().all(VecDeque::is_empty);
        if self.lanes.get(&index).is_some_and(done) {
            self.lanes.remove(&index);
        }
    }
}

impl Lanes {
    fn has_room(&self, class: usize) -> bool {
        let count_max = if class == CHANGES { INBOX_CHANGES_MAX } else { INBOX_FRAMES_MAX };
        self.waiting[class].len() < count_max && self.bytes[class] < INBOX_BYTES_MAX
    }
}

fn class_and_bytes(event: &PathEvent) -> (usize, usize) {
    match event {
        PathEvent::Frame { urgency: Urgency::Emergency, frame } => (EMERGENCY, frame.len()),
        PathEvent::Frame { urgency: Urgency::Ordinary, frame } => (ORDINARY, frame.len()),
        _ => (CHANGES, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::DownReason;
    use std::time::Duration;
    use tokio::time::timeout;

    fn frame(urgency: Urgency, byte: u8) -> PathEvent {
        PathEvent::Frame { urgency, frame: vec![byte] }
    }

    #[tokio::test]
    async fn a_source_that_floods_waits_and_the_others_do_not() {
        let (sources, mut inbox) = inbox();
        let flood = sources.source(LinkKey([1; 32]), PathKind::Tcp);
        let other = sources.source(LinkKey([2; 32]), PathKind::Tcp);
        for _ in 0..INBOX_FRAMES_MAX {
            flood.report(frame(Urgency::Ordinary, 1)).await.unwrap();
        }
        let one_more = flood.report(frame(Urgency::Ordinary, 1));
        assert!(timeout(Duration::from_millis(50), one_more).await.is_err());
        flood.report(frame(Urgency::Emergency, 3)).await.unwrap();
        other.report(frame(Urgency::Ordinary, 2)).await.unwrap();
        assert_eq!(inbox.next().await.event, frame(Urgency::Emergency, 3));
        assert_eq!(inbox.next().await.event, frame(Urgency::Ordinary, 1));
        assert_eq!(inbox.next().await.event, frame(Urgency::Ordinary, 2));
        flood.report(frame(Urgency::Ordinary, 1)).await.unwrap();
    }

    #[tokio::test]
    async fn who_calls_everything_an_emergency_does_not_silence_the_others() {
        let (sources, mut inbox) = inbox();
        let loud = sources.source(LinkKey([1; 32]), PathKind::Tcp);
        let quiet = sources.source(LinkKey([2; 32]), PathKind::Tcp);
        quiet.report(frame(Urgency::Ordinary, 2)).await.unwrap();
        for _ in 0..INBOX_FRAMES_MAX {
            loud.report(frame(Urgency::Emergency, 1)).await.unwrap();
        }
        let mut before = 0;
        while inbox.next().await.event != frame(Urgency::Ordinary, 2) {
            before += 1;
        }
        assert_eq!(before, EMERGENCY_RUN_MAX);
    }

    #[tokio::test]
    async fn bytes_are_bounded_and_freed_by_reading() {
        let (sources, mut inbox) = inbox();
        let source = sources.source(LinkKey([1; 32]), PathKind::Quic);
        let long = || PathEvent::Frame { urgency: Urgency::Ordinary, frame: vec![0; 60_000] };
        let mut accepted = 0;
        while timeout(Duration::from_millis(50), source.report(long())).await.is_ok() {
            accepted += 1;
        }
        assert_eq!(accepted, INBOX_BYTES_MAX / 60_000 + 1);
        inbox.next().await;
        source.report(long()).await.unwrap();
    }

    #[tokio::test]
    async fn what_a_source_reported_is_read_after_it_is_gone_and_its_budget_freed() {
        let (sources, mut inbox) = inbox();
        let source = sources.source(LinkKey([1; 32]), PathKind::Quic);
        source.report(PathEvent::Down { why: DownReason::LocalRemoved }).await.unwrap();
        drop(source);
        assert_eq!(inbox.next().await.event, PathEvent::Down { why: DownReason::LocalRemoved });
        assert!(inbox.shared.lock().lanes.is_empty());
    }

    #[tokio::test]
    async fn nobody_waits_for_an_inbox_that_is_gone() {
        let (sources, inbox) = inbox();
        let source = sources.source(LinkKey([1; 32]), PathKind::Quic);
        drop(inbox);
        assert_eq!(source.report(PathEvent::Writable).await, Err(InboxClosed));
    }
}
