//! A connection of either kind between its handshake and its life as a link.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use crate::framing::Hello;
use crate::link::Link;
use crate::quic::QuicConnection;
use crate::slot::{Claim, Negotiated, Slot};
use crate::tcp::TcpConnection;

/// How long the hello of a listener may take.
pub(crate) const ANSWER_MAX: Duration = Duration::from_secs(4);

/// A connection on which both keys are proved.
#[derive(Debug)]
pub(crate) enum Connection {
    Tcp(Box<TcpConnection>),
    Quic(Box<QuicConnection>),
}

impl Connection {
    pub(crate) fn negotiated(&self) -> Negotiated {
        match self {
            Self::Tcp(tcp) => tcp.negotiated,
            Self::Quic(quic) => quic.negotiated,
        }
    }

    async fn send_hello(&mut self, hello: Hello) -> io::Result<()> {
        match self {
            Self::Tcp(tcp) => tcp.send_hello(hello).await,
            Self::Quic(quic) => quic.send_hello(hello).await,
        }
    }

    async fn hear_hello(&mut self) -> io::Result<Hello> {
        let hello = match self {
            Self::Tcp(tcp) => tcp.hear_hello().await?,
            Self::Quic(quic) => quic.hear_hello().await?,
        };
        hello.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "not a hello of this protocol"))
    }

    /// The dialler's half: it speaks first, and only the answer shows that it was let in. In TLS 1.3
    /// its own handshake is over before the listener has looked at its key.
    pub(crate) async fn greet(&mut self, hello: Hello) -> io::Result<Claim> {
        self.send_hello(hello).await?;
        Ok(Claim { dialled_here: true, hello: self.hear_hello().await? })
    }

    /// The listener's half, first: what the dialler says.
    pub(crate) async fn hear(&mut self) -> io::Result<Claim> {
        Ok(Claim { dialled_here: false, hello: self.hear_hello().await? })
    }

    /// The listener's half, second: lets the link in and answers, or does neither. Not to be
    /// cancelled: a link that was let in has to be carried or failed.
    pub(crate) async fn answer(&mut self, claim: Claim, slot: &Arc<Slot>) -> Option<Link> {
        let admitted = slot.admit(claim, self.negotiated()).await?;
        let answer = admitted.answer;
        let link = Link { slot: slot.clone(), admitted };
        if !matches!(timeout(ANSWER_MAX, self.send_hello(answer)).await, Ok(Ok(()))) {
            link.fail().await;
            return None;
        }
        Some(link)
    }

    /// Runs the link to its end.
    pub(crate) async fn carry(self, link: Link) {
        match self {
            Self::Tcp(tcp) => tcp.carry(&link).await,
            Self::Quic(quic) => quic.carry(&link).await,
        }
    }
}
