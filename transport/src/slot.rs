//! The place of one link: one peer, one kind, at most one live link.
//!
//! Both sides may dial at once, and a peer may come back before its old connection is known to be
//! dead. Which of two links stays is decided alike on both sides, without an exchange, by what the
//! hellos say ([`Claim::prevails`]). Changes are reported in the order in which they happen.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use crate::framing::Hello;
use crate::inbox::Source;
use crate::key::LinkKey;
use crate::path::{
    DownReason, FRAME_BYTES_MAX, Outgoing, Path, PathEvent, PathKind, PathLimits, PathState, SendError,
};
use crate::queue::Queue;

/// What a new link says for itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claim {
    /// Whether this node dialled it.
    pub(crate) dialled_here: bool,
    /// What the peer said first.
    pub(crate) hello: Hello,
}

impl Claim {
    /// Whether this new link takes the place of `live`.
    ///
    /// A peer that started again, or that has had a link up since, dials because the old one is
    /// dead: the new one stays. So it does when the same side dialled both, since no side dials
    /// twice at a time. Else both dialled at once, and the link of the lower key stays.
    fn prevails(&self, live: &Self, own_key_is_lower: bool) -> bool {
        let peer_came_back =
            !self.dialled_here && (self.hello.run != live.hello.run || self.hello.ups > live.hello.ups);
        peer_came_back || self.dialled_here == live.dialled_here || self.dialled_here == own_key_is_lower
    }
}

/// What the handshake of a link showed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Negotiated {
    pub(crate) peer: LinkKey,
    pub(crate) group: u16,
    pub(crate) remote: SocketAddr,
}

/// A link that was let into its slot.
#[derive(Debug)]
pub(crate) struct Admitted {
    id: u64,
    /// Our half of the hello, as it was before this link was up.
    pub(crate) answer: Hello,
    pub(crate) queue: Arc<Queue>,
    pub(crate) pulse: Arc<Pulse>,
    /// Becomes `Some` when the link has to end.
    pub(crate) ended: watch::Receiver<Option<DownReason>>,
}

/// Signs of life of one link.
#[derive(Debug)]
pub(crate) struct Pulse {
    start: Instant,
    heard_ms: AtomicU64,
    waiting: AtomicU32,
}

impl Pulse {
    fn new() -> Self {
        Self { start: Instant::now(), heard_ms: AtomicU64::new(0), waiting: AtomicU32::new(0) }
    }

    /// Bytes came.
    pub(crate) fn beat(&self) {
        let now = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.heard_ms.store(now, Ordering::Relaxed);
    }

    /// Runs `report` while noting that it is we who do not read, so that the peer's silence means nothing.
    pub(crate) async fn while_waiting<T>(&self, report: impl Future<Output = T>) -> T {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let outcome = report.await;
        self.beat();
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        outcome
    }

    /// How long nothing has come although we listened.
    pub(crate) fn silence(&self) -> Duration {
        if self.waiting.load(Ordering::Relaxed) > 0 { Duration::ZERO } else { self.heard() }
    }

    fn heard(&self) -> Duration {
        self.start.elapsed().saturating_sub(Duration::from_millis(self.heard_ms.load(Ordering::Relaxed)))
    }

    fn heard_at(&self) -> Instant {
        self.start + Duration::from_millis(self.heard_ms.load(Ordering::Relaxed))
    }
}

#[derive(Debug)]
struct Live {
    id: u64,
    claim: Claim,
    queue: Arc<Queue>,
    pulse: Arc<Pulse>,
    end: watch::Sender<Option<DownReason>>,
    remote: SocketAddr,
}

#[derive(Debug)]
struct State {
    live: Option<Live>,
    changed: Instant,
    why_down: Option<DownReason>,
    heard: Option<Instant>,
    next_id: u64,
    ups: u32,
    removed: bool,
}

/// The place of one link; a [`Path`] for the layer above.
#[derive(Debug)]
pub(crate) struct Slot {
    kind: PathKind,
    peer: LinkKey,
    own_key_is_lower: bool,
    run: [u8; 8],
    source: Source,
    state: Mutex<State>,
    /// Held over a change and its report, so that reports come in order.
    order: tokio::sync::Mutex<()>,
    up: watch::Sender<bool>,
    pub(crate) nudge: Notify,
}

impl Slot {
    pub(crate) fn new(kind: PathKind, peer: LinkKey, own: LinkKey, run: [u8; 8], source: Source) -> Self {
        let state = State {
            live: None,
            changed: Instant::now(),
            why_down: None,
            heard: None,
            next_id: 0,
            ups: 0,
            removed: false,
        };
        Self {
            kind,
            peer,
            own_key_is_lower: own < peer,
            run,
            source,
            state: Mutex::new(state),
            order: tokio::sync::Mutex::new(()),
            up: watch::Sender::new(false),
            nudge: Notify::new(),
        }
    }

    /// Whether the link that this side dials stays when both dial at once.
    pub(crate) fn own_dial_stays(&self) -> bool {
        self.own_key_is_lower
    }

    /// The hello for dialling; `None` when a link is up and none is needed.
    pub(crate) fn dialling_hello(&self) -> Option<Hello> {
        let state = self.lock();
        state.live.is_none().then_some(Hello { run: self.run, ups: state.ups })
    }

    /// Lets a new link in, or not, and reports the change.
    pub(crate) async fn admit(&self, claim: Claim, negotiated: Negotiated) -> Option<Admitted> {
        let _order = self.order.lock().await;
        let (admitted, replaced) = self.install(claim, negotiated.remote)?;
        if replaced {
            self.report(PathEvent::Down { why: DownReason::Replaced }).await;
        }
        self.report(PathEvent::Up { group: Some(negotiated.group), remote: Some(negotiated.remote) }).await;
        self.up.send_replace(true);
        Some(admitted)
    }

    fn install(&self, claim: Claim, remote: SocketAddr) -> Option<(Admitted, bool)> {
        let mut state = self.lock();
        if state.removed
            || state.live.as_ref().is_some_and(|live| !claim.prevails(&live.claim, self.own_key_is_lower))
        {
            return None;
        }
        let replaced = state.live.take();
        if let Some(old) = &replaced {
            old.end.send_replace(Some(DownReason::Replaced));
        }
        let answer = Hello { run: self.run, ups: state.ups };
        state.ups = state.ups.saturating_add(1);
        let id = state.next_id;
        state.next_id += 1;
        state.changed = Instant::now();
        let (end, ended) = watch::channel(None);
        let (queue, pulse) = (Arc::new(Queue::default()), Arc::new(Pulse::new()));
        state.live = Some(Live { id, claim, queue: queue.clone(), pulse: pulse.clone(), end, remote });
        Some((Admitted { id, answer, queue, pulse, ended }, replaced.is_some()))
    }

    /// Reports that a link is gone, unless another has taken its place.
    pub(crate) async fn retire(&self, link: &Admitted, why: DownReason) {
        let _order = self.order.lock().await;
        {
            let mut state = self.lock();
            if state.live.as_ref().is_none_or(|live| live.id != link.id) {
                return;
            }
            state.live = None;
            state.changed = Instant::now();
            state.why_down = Some(why);
            state.heard = Some(link.pulse.heard_at());
        }
        link.queue.close();
        self.up.send_replace(false);
        self.report(PathEvent::Down { why }).await;
    }

    /// Ends the live link and lets no other in.
    pub(crate) fn remove(&self) {
        let mut state = self.lock();
        state.removed = true;
        if let Some(live) = &state.live {
            live.queue.close();
            live.end.send_replace(Some(DownReason::LocalRemoved));
        }
    }

    /// Hands `event` to the layer above, waiting while this path's budget there is used up.
    pub(crate) async fn report(&self, event: PathEvent) {
        // When nobody reads any more the endpoint is being dropped, and its links with it.
        let _ = self.source.report(event).await;
    }

    /// Waits until a link is up.
    pub(crate) async fn until_up(&self) {
        self.until(true).await;
    }

    /// Waits until no link is up.
    pub(crate) async fn until_down(&self) {
        self.until(false).await;
    }

    async fn until(&self, wanted: bool) {
        let mut up = self.up.subscribe();
        up.wait_for(|&up| up == wanted).await.expect("the sender lives in this slot");
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Path for Slot {
    fn name(&self) -> String {
        self.kind.to_string()
    }

    fn kind(&self) -> PathKind {
        self.kind
    }

    fn peer(&self) -> LinkKey {
        self.peer
    }

    fn limits(&self) -> PathLimits {
        // QUIC first: there an emergency frame has a stream of its own.
        let cost = if self.kind == PathKind::Quic { 1 } else { 2 };
        PathLimits {
            frame_bytes_max: FRAME_BYTES_MAX,
            bits_per_s: None,
            one_way: false,
            heartbeats: true,
            cost,
        }
    }

    fn state(&self) -> PathState {
        let state = self.lock();
        let since = state.changed.elapsed();
        match &state.live {
            Some(live) => PathState::Up { since, heard: live.pulse.heard(), remote: Some(live.remote) },
            None => PathState::Down { since, why: state.why_down, heard: state.heard.map(|at| at.elapsed()) },
        }
    }

    fn try_send(&self, outgoing: Outgoing) -> Result<(), SendError> {
        if outgoing.frame.is_empty() {
            return Err(SendError::LocalEmpty);
        }
        if outgoing.frame.len() > FRAME_BYTES_MAX {
            return Err(SendError::LocalTooLong { frame_bytes_max: FRAME_BYTES_MAX });
        }
        match &self.lock().live {
            Some(live) => live.queue.try_push(outgoing),
            None => Err(SendError::EnvironmentDown),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(dialled_here: bool, run: u8, ups: u32) -> Claim {
        Claim { dialled_here, hello: Hello { run: [run; 8], ups } }
    }

    /// Both sides dialled: `low` is the link that the lower key dialled, `high` the other.
    #[test]
    fn when_both_dial_at_once_both_keep_the_link_of_the_lower_key_in_any_order() {
        let at_low = (claim(true, 2, 0), claim(false, 2, 0));
        let at_high = (claim(false, 1, 0), claim(true, 1, 0));
        for ((low, high), own_key_is_lower) in [(at_low, true), (at_high, false)] {
            assert!(low.prevails(&high, own_key_is_lower));
            assert!(!high.prevails(&low, own_key_is_lower));
        }
    }

    #[test]
    fn a_peer_that_started_again_or_lost_its_link_takes_the_place_of_the_dead_one() {
        for own_key_is_lower in [true, false] {
            for live in [claim(true, 1, 3), claim(false, 1, 3)] {
                assert!(claim(false, 2, 0).prevails(&live, own_key_is_lower));
                assert!(claim(false, 1, 4).prevails(&live, own_key_is_lower));
            }
        }
    }

    #[test]
    fn a_side_that_dials_again_gave_up_what_it_dialled_before() {
        assert!(claim(false, 1, 0).prevails(&claim(false, 1, 0), true));
        assert!(claim(true, 1, 0).prevails(&claim(true, 1, 0), false));
    }
}
