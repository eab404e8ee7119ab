//! A connection of either kind between its handshake and its life as a link.

use std::io;
use std::sync::Arc;

use crate::framing::Hello;
use crate::link::Link;
use crate::quic::QuicConnection;
use crate::slot::{Claim, Negotiated, Slot};
use crate::tcp::TcpConnection;

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

    /// The listener's half: answers only a link that it keeps.
    pub(crate) async fn answer(&mut self, slot: &Arc<Slot>) -> io::Result<Option<Link>> {
        let claim = Claim { dialled_here: false, hello: self.hear_hello().await? };
        let Some(admitted) = slot.admit(claim, self.negotiated()).await else { return Ok(None) };
        let answer = admitted.answer;
        let link = Link { slot: slot.clone(), admitted };
        if let Err(error) = self.send_hello(answer).await {
            link.fail().await;
            return Err(error);
        }
        Ok(Some(link))
    }

    /// Runs the link to its end.
    pub(crate) async fn carry(self, link: Link) {
        match self {
            Self::Tcp(tcp) => tcp.carry(&link).await,
            Self::Quic(quic) => quic.carry(&link).await,
        }
    }
}
