//! Events as a stream (Server-Sent Events), resumable by `Last-Event-ID` or `?since=`.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use hyper::body::{Bytes, Frame};
use hyper::header;
use tokio::sync::mpsc;

use crate::NodeHandle;

/// Pages under way to one client; a slow one is waited for, and costs no more.
const PAGES_MAX: usize = 4;
/// Events a page has at most.
const PAGE_EVENTS: usize = 256;
/// A comment goes this often, so that a client sees that the line is up.
const COMMENT_EVERY: Duration = Duration::from_secs(15);

/// The stream of events behind `cursor`, without end.
pub(crate) fn events(node: NodeHandle, cursor: u64) -> Response {
    let (sender, receiver) = mpsc::channel(PAGES_MAX);
    tokio::spawn(feed(node, cursor, sender));
    let headers = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-store")];
    (headers, Body::new(Pages(receiver))).into_response()
}

async fn feed(node: NodeHandle, mut cursor: u64, sender: mpsc::Sender<Bytes>) {
    let mut told = node.subscribe();
    // The head goes at once: a client that waits for it knows from then on that nothing is missed.
    if sender.send(Bytes::from_static(b":\n\n")).await.is_err() {
        return;
    }
    loop {
        told.mark_unchanged();
        let Ok(lines) = node.events_since(cursor, PAGE_EVENTS) else { return };
        if let Some(last) = lines.last() {
            cursor = last.cursor;
            let mut page = String::with_capacity(lines.len() * 320);
            for line in &lines {
                page.push_str(&format!("id: {}\ndata: {}\n\n", line.cursor, line.json));
            }
            if sender.send(Bytes::from(page)).await.is_err() {
                return;
            }
            continue;
        }
        let page = tokio::select! {
            changed = told.changed() => match changed {
                Ok(()) => continue,
                Err(_) => return,
            },
            () = tokio::time::sleep(COMMENT_EVERY) => Bytes::from_static(b":\n\n"),
            () = sender.closed() => return,
        };
        if sender.send(page).await.is_err() {
            return;
        }
    }
}

/// A body of pages as they come.
struct Pages(mpsc::Receiver<Bytes>);

impl hyper::body::Body for Pages {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.0.poll_recv(context).map(|page| page.map(|page| Ok(Frame::data(page))))
    }
}
