//! The least of an HTTP client: POSTs over one connection that stays open.
//!
//! The client shares the machine with what is measured, so it does nothing it need not: a request
//! is written with one call, a reply is read until its length is there.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::answer::Failure;

/// Largest reply that is taken.
const REPLY_BYTES_MAX: usize = 64 * 1024;

/// A connection to a node's HTTP interface.
pub(super) struct Connection {
    stream: TcpStream,
    head: String,
    request: Vec<u8>,
    reply: Vec<u8>,
}

impl Connection {
    pub(super) async fn open(address: SocketAddr, token: &str) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address).await.map_err(Failure::new)?;
        stream.set_nodelay(true).map_err(Failure::new)?;
        let head = format!(
            "Host: localhost:{}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n",
            address.port()
        );
        Ok(Self { stream, head, request: Vec::new(), reply: Vec::new() })
    }

    /// Posts `body`; answers the body of a reply that says it was done.
    pub(super) async fn post(&mut self, path: &str, body: &str) -> Result<&str, Failure> {
        self.request.clear();
        let length = body.len();
        self.request.extend_from_slice(
            format!("POST {path} HTTP/1.1\r\n{}Content-Length: {length}\r\n\r\n{body}", self.head).as_bytes(),
        );
        self.stream.write_all(&self.request).await.map_err(Failure::new)?;
        self.reply.clear();
        loop {
            let read = self.stream.read_buf(&mut self.reply).await.map_err(Failure::new)?;
            if read == 0 || self.reply.len() > REPLY_BYTES_MAX {
                return Err(Failure::new("the node broke a reply off"));
            }
            if let Some((status, body)) = whole(&self.reply) {
                let body = std::str::from_utf8(&self.reply[body]).map_err(Failure::new)?;
                return if (200..300).contains(&status) { Ok(body) } else { Err(Failure::new(body)) };
            }
        }
    }
}

/// Status and place of the body, once all of it is there.
fn whole(reply: &[u8]) -> Option<(u16, std::ops::Range<usize>)> {
    let end = reply.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&reply[..end]).ok()?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    })?;
    let body = end + 4..end + 4 + length;
    (reply.len() >= body.end).then_some((status, body))
}

/// The text value of a key in one flat JSON object whose values need no unescaping.
pub(super) fn text_of<'a>(json: &'a str, key: &str) -> Option<&'a str> {
    let at = json.find(&format!("\"{key}\":\""))? + key.len() + 4;
    json[at..].split('"').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_whole_when_its_length_is_there() {
        let reply = b"HTTP/1.1 201 Created\r\nContent-Length: 4\r\n\r\nabcd";
        assert_eq!(whole(reply), Some((201, reply.len() - 4..reply.len())));
        for short in 0..reply.len() {
            assert_eq!(whole(&reply[..short]), None);
        }
    }

    #[test]
    fn a_text_value_is_found() {
        let json = r#"{"cursor":7,"kind":"received","entry":"a/b.1"}"#;
        assert_eq!(text_of(json, "kind"), Some("received"));
        assert_eq!(text_of(json, "entry"), Some("a/b.1"));
        assert_eq!(text_of(json, "leaf"), None);
    }
}
