//! The bounded queue of frames that wait for one link.
//!
//! Two queues, so that an emergency frame overtakes every ordinary one. A writer takes as much as
//! fits one batch: many small frames cost one write and one flush, and no more than one batch of
//! ordinary frames ([`BATCH_BYTES`]) can stand before an emergency frame that comes meanwhile.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::{Bytes, BytesMut};
use tokio::sync::Notify;

use crate::framing::{PREFIX_BYTES, put_frame};
use crate::path::{FRAME_BYTES_MAX, Outgoing, SendError, Urgency};

/// Ordinary frames that may wait for one link. Enough for 0.2 s at 5,000 frames a second.
pub const ORDINARY_FRAMES_MAX: usize = 1024;
/// Bytes of ordinary frames that may wait for one link.
pub const ORDINARY_BYTES_MAX: usize = 4 << 20;
/// Emergency frames that may wait for one link; they are short (1,024 bytes of entry).
pub const EMERGENCY_FRAMES_MAX: usize = 256;
/// Bytes of emergency frames that may wait for one link.
pub const EMERGENCY_BYTES_MAX: usize = 1 << 20;
/// A batch ends with the frame that reaches this size; a frame that would pass it starts the next one.
pub(crate) const BATCH_BYTES: usize = 64 << 10;

const _: () = assert!(EMERGENCY_BYTES_MAX > FRAME_BYTES_MAX, "any frame fits an empty queue");

/// Which queues a writer serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Serves {
    /// Both into one stream, the emergency queue first (TCP).
    Both,
    /// One queue, into a stream of its own (QUIC).
    One(Urgency),
}

impl Serves {
    fn takes(self, urgency: Urgency) -> bool {
        match self {
            Self::Both => true,
            Self::One(one) => one == urgency,
        }
    }
}

/// What [`Queue::fill`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Filled {
    /// The batch holds at least one frame. `writable`: a sender was refused before and there is room now.
    Batch {
        /// Whether to report [`PathEvent::Writable`](crate::PathEvent::Writable).
        writable: bool,
    },
    /// Closed, and nothing is left.
    Closed,
}

#[derive(Debug, Default)]
struct Lane {
    frames: VecDeque<Bytes>,
    bytes: usize,
}

#[derive(Debug, Default)]
struct State {
    ordinary: Lane,
    emergency: Lane,
    refused: bool,
    closed: bool,
}

/// Frames that wait for one link.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    state: Mutex<State>,
    filled: Notify,
}

impl Queue {
    /// Queues a frame within the limits, or says why not. The length was checked by the caller.
    pub(crate) fn try_push(&self, outgoing: Outgoing) -> Result<(), SendError> {
        let mut state = self.lock();
        if state.closed {
            return Err(SendError::EnvironmentDown);
        }
        let (frames_max, bytes_max) = match outgoing.urgency {
            Urgency::Ordinary => (ORDINARY_FRAMES_MAX, ORDINARY_BYTES_MAX),
            Urgency::Emergency => (EMERGENCY_FRAMES_MAX, EMERGENCY_BYTES_MAX),
        };
        let lane = state.lane(outgoing.urgency);
        if lane.frames.len() == frames_max || lane.bytes + outgoing.frame.len() > bytes_max {
            state.refused = true;
            return Err(SendError::EnvironmentFull);
        }
        lane.bytes += outgoing.frame.len();
        lane.frames.push_back(outgoing.frame);
        drop(state);
        self.filled.notify_waiters();
        Ok(())
    }

    /// Waits for frames and moves one batch of them, with their prefixes, into the empty `buffer`.
    /// Cancelling it loses nothing.
    pub(crate) async fn fill(&self, serves: Serves, buffer: &mut BytesMut) -> Filled {
        loop {
            let mut filled = pin!(self.filled.notified());
            filled.as_mut().enable();
            if let Some(outcome) = self.try_fill(serves, buffer) {
                return outcome;
            }
            filled.await;
        }
    }

    fn try_fill(&self, serves: Serves, buffer: &mut BytesMut) -> Option<Filled> {
        let mut state = self.lock();
        for urgency in [Urgency::Emergency, Urgency::Ordinary] {
            if serves.takes(urgency) {
                state.lane(urgency).drain_into(urgency, buffer);
            }
        }
        if buffer.is_empty() {
            return state.closed.then_some(Filled::Closed);
        }
        let writable = state.refused && state.has_room();
        state.refused &= !writable;
        Some(Filled::Batch { writable })
    }

    /// Takes no more; what waits may still be written.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.filled.notify_waiters();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn lane(&mut self, urgency: Urgency) -> &mut Lane {
        match urgency {
            Urgency::Ordinary => &mut self.ordinary,
            Urgency::Emergency => &mut self.emergency,
        }
    }

    /// Half empty, so that a refused sender comes back for many frames and not for one.
    fn has_room(&self) -> bool {
        self.ordinary.frames.len() <= ORDINARY_FRAMES_MAX / 2
            && self.ordinary.bytes <= ORDINARY_BYTES_MAX / 2
            && self.emergency.frames.len() <= EMERGENCY_FRAMES_MAX / 2
            && self.emergency.bytes <= EMERGENCY_BYTES_MAX / 2
    }
}

impl Lane {
    fn drain_into(&mut self, urgency: Urgency, buffer: &mut BytesMut) {
        while let Some(frame) = self.frames.front() {
            if !buffer.is_empty() && buffer.len() + PREFIX_BYTES + frame.len() > BATCH_BYTES {
                return;
            }
            put_frame(buffer, urgency, frame);
            self.bytes -= frame.len();
            self.frames.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framing::take_frame;

    fn outgoing(urgency: Urgency, bytes: Vec<u8>) -> Outgoing {
        Outgoing { frame: bytes.into(), urgency }
    }

    fn batch(queue: &Queue, serves: Serves) -> Vec<(Urgency, Vec<u8>)> {
        let mut buffer = BytesMut::new();
        queue.try_fill(serves, &mut buffer);
        std::iter::from_fn(|| take_frame(&mut buffer).unwrap()).collect()
    }

    #[test]
    fn an_emergency_frame_overtakes_all_that_waits() {
        let queue = Queue::default();
        for index in 0..100 {
            queue.try_push(outgoing(Urgency::Ordinary, vec![index])).unwrap();
        }
        queue.try_push(outgoing(Urgency::Emergency, vec![255])).unwrap();
        let frames = batch(&queue, Serves::Both);
        assert_eq!(frames.len(), 101, "one batch takes many small frames");
        assert_eq!(frames[0], (Urgency::Emergency, vec![255]));
    }

    #[test]
    fn a_batch_holds_one_long_frame_or_up_to_64_kib_of_short_ones() {
        let queue = Queue::default();
        queue.try_push(outgoing(Urgency::Ordinary, vec![0; FRAME_BYTES_MAX])).unwrap();
        for _ in 0..100 {
            queue.try_push(outgoing(Urgency::Ordinary, vec![0; 1000])).unwrap();
        }
        assert_eq!(batch(&queue, Serves::Both).len(), 1);
        assert_eq!(batch(&queue, Serves::Both).len(), BATCH_BYTES / 1004);
    }

    #[test]
    fn a_full_queue_refuses_keeps_emergencies_room_and_says_when_there_is_room_again() {
        let queue = Queue::default();
        for _ in 0..ORDINARY_FRAMES_MAX {
            queue.try_push(outgoing(Urgency::Ordinary, vec![0; 100])).unwrap();
        }
        let one_more = outgoing(Urgency::Ordinary, vec![1]);
        assert_eq!(queue.try_push(one_more), Err(SendError::EnvironmentFull));
        queue.try_push(outgoing(Urgency::Emergency, vec![2])).unwrap();
        let mut buffer = BytesMut::new();
        let emergencies = Serves::One(Urgency::Emergency);
        assert_eq!(queue.try_fill(emergencies, &mut buffer), Some(Filled::Batch { writable: false }));
        buffer.clear();
        assert_eq!(queue.try_fill(Serves::Both, &mut buffer), Some(Filled::Batch { writable: true }));
        buffer.clear();
        assert_eq!(queue.try_fill(Serves::Both, &mut buffer), Some(Filled::Batch { writable: false }));
    }

    #[test]
    fn bytes_are_bounded_as_well_as_frames() {
        let queue = Queue::default();
        let accepted = (0..ORDINARY_FRAMES_MAX)
            .take_while(|_| queue.try_push(outgoing(Urgency::Ordinary, vec![0; FRAME_BYTES_MAX])).is_ok())
            .count();
        assert_eq!(accepted, ORDINARY_BYTES_MAX / FRAME_BYTES_MAX);
    }

    #[test]
    fn a_closed_queue_gives_what_it_holds_and_takes_no_more() {
        let queue = Queue::default();
        queue.try_push(outgoing(Urgency::Ordinary, vec![1])).unwrap();
        queue.close();
        assert_eq!(queue.try_push(outgoing(Urgency::Ordinary, vec![2])), Err(SendError::EnvironmentDown));
        let mut buffer = BytesMut::new();
        assert_eq!(queue.try_fill(Serves::Both, &mut buffer), Some(Filled::Batch { writable: false }));
        buffer.clear();
        assert_eq!(queue.try_fill(Serves::Both, &mut buffer), Some(Filled::Closed));
    }
}
