//! One live link: bytes in, bytes out, signs of life, and why it ended.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{sleep, timeout};

use crate::framing::{put_sign_of_life, take_frame};
use crate::path::{DownReason, PathEvent, Urgency};
use crate::queue::{Filled, Serves};
use crate::slot::{Admitted, Slot};

/// After so long without a frame to send, a sign of life goes out. It also finds out, at the next
/// one at the latest, that a peer was killed and has started again (RFC 9000, section 10.3).
pub const SIGN_OF_LIFE_EVERY: Duration = Duration::from_secs(2);
/// After so long without a byte a link is taken for dead: six signs of life missed, and well
/// within the 30 s after which the line counts as degraded.
pub const SILENCE_MAX: Duration = Duration::from_secs(12);
/// What a link that was replaced still gets, to deliver what is under way.
const DRAIN_MAX: Duration = Duration::from_secs(2);
/// What a link that was ended here gets for its farewell.
const FAREWELL_MAX: Duration = Duration::from_millis(300);
/// How often silence is looked at.
const WATCH_EVERY: Duration = Duration::from_secs(1);
/// Bytes asked for in one read.
const READ_BYTES: usize = 32 << 10;

/// A live link in its slot.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) slot: Arc<Slot>,
    pub(crate) admitted: Admitted,
}

impl Link {
    /// Runs the link to its end and reports it. `read` ends when the peer's bytes do, `write` when
    /// the queue is closed and written out.
    pub(crate) async fn carry(
        &self,
        read: impl Future<Output = DownReason>,
        write: impl Future<Output = Result<(), DownReason>>,
    ) {
        let (mut read, mut write) = (pin!(read), pin!(write));
        // In this order: when a connection breaks, the reader knows best why.
        let why = tokio::select! {
            biased;
            why = &mut read => why,
            written = &mut write => written.err().unwrap_or(DownReason::LocalRemoved),
            why = self.ended() => {
                self.admitted.queue.close();
                if why == DownReason::Replaced {
                    let _ = timeout(DRAIN_MAX, async { tokio::join!(&mut read, &mut write) }).await;
                } else {
                    let _ = timeout(FAREWELL_MAX, &mut write).await;
                }
                why
            }
            () = self.silence() => DownReason::EnvironmentSilent,
        };
        self.slot.retire(&self.admitted, why).await;
    }

    /// Reports the end of a link that broke before it carried anything.
    pub(crate) async fn fail(&self) {
        self.slot.retire(&self.admitted, DownReason::EnvironmentBroken).await;
    }

    /// Reads frames until the stream ends.
    pub(crate) async fn read_frames(&self, mut stream: impl AsyncRead + Unpin) -> DownReason {
        let mut buffer = BytesMut::with_capacity(READ_BYTES);
        loop {
            match take_frame(&mut buffer) {
                Err(_) => return DownReason::PeerMalformed,
                Ok(Some((urgency, frame))) => {
                    let report = self.slot.report(PathEvent::Frame { urgency, frame });
                    self.admitted.pulse.while_waiting(report).await;
                }
                Ok(None) => {
                    buffer.reserve(READ_BYTES);
                    match stream.read_buf(&mut buffer).await {
                        Ok(0) => return DownReason::PeerClosed,
                        Ok(_) => self.admitted.pulse.beat(),
                        Err(error) => return broken(&error),
                    }
                }
            }
        }
    }

    /// Writes what queues, and signs of life where nothing does, until the queue is closed.
    pub(crate) async fn write_frames(
        &self,
        serves: Serves,
        mut stream: impl AsyncWrite + Unpin,
    ) -> Result<(), DownReason> {
        let mut buffer = BytesMut::new();
        loop {
            buffer.clear();
            match timeout(SIGN_OF_LIFE_EVERY, self.admitted.queue.fill(serves, &mut buffer)).await {
                // One stream of a link shows that it lives.
                Err(_) if serves == Serves::One(Urgency::Ordinary) => continue,
                Err(_) => put_sign_of_life(&mut buffer),
                Ok(Filled::Batch { writable: true }) => self.slot.report(PathEvent::Writable).await,
                Ok(Filled::Batch { writable: false }) => {}
                Ok(Filled::Closed) => return stream.shutdown().await.map_err(|error| broken(&error)),
            }
            stream.write_all(&buffer).await.map_err(|error| broken(&error))?;
            stream.flush().await.map_err(|error| broken(&error))?;
        }
    }

    async fn ended(&self) -> DownReason {
        let mut ended = self.admitted.ended.clone();
        match ended.wait_for(Option::is_some).await {
            Ok(why) => why.unwrap_or(DownReason::LocalRemoved),
            // The slot let go of this link without a word: it was retired, or is gone.
            Err(_) => DownReason::LocalRemoved,
        }
    }

    async fn silence(&self) {
        while self.admitted.pulse.silence() < SILENCE_MAX {
            sleep(WATCH_EVERY).await;
        }
    }
}

/// A link that ends without a farewell is broken, whatever the system calls it.
fn broken(_error: &io::Error) -> DownReason {
    DownReason::EnvironmentBroken
}
