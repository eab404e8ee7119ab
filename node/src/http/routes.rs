//! Which address does what. Every answer is JSON but the event stream and the metrics.

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRef, Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use detente_encoding::text::from_hex;
use detente_formats::Language;
use detente_protocol::entry::Kind;
use detente_protocol::limits::{ATTACHMENTS_MAX, BLOB_MAX};
use detente_protocol::statement::Bound;
use hyper::body::Bytes;
use hyper::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::error::HttpError;
use super::keys::Keys;
use super::{metrics, openapi, stream};
use crate::api::SubmitRequest;
use crate::compose::reference_to;
use crate::{NodeHandle, Refusal};

/// Largest request: a statement with all its attachments, hexadecimal.
const BODY_BYTES_MAX: usize = 2 * ATTACHMENTS_MAX * BLOB_MAX + 256 * 1024;
/// Lines of a journal in one answer, unless fewer are asked for.
const JOURNAL_LINES: usize = 1000;

/// What handlers share.
#[derive(Clone)]
struct Site {
    node: NodeHandle,
    keys: Arc<Keys>,
}

impl FromRef<Site> for NodeHandle {
    fn from_ref(site: &Site) -> Self {
        site.node.clone()
    }
}

type Node = State<NodeHandle>;
type Answer = Result<Response, HttpError>;

/// The router of one node.
pub(super) fn router(node: NodeHandle) -> Router {
    Router::new()
        .route("/healthz", get(health))
        .route("/metrics", get(metrics::metrics))
        .route("/api/openapi.json", get(openapi::openapi))
        .route("/api/v1/status", get(status))
        .route("/api/v1/events", get(events))
        .route("/api/v1/channels", get(channels).post(propose))
        .route("/api/v1/channels/{channel}", get(context))
        .route("/api/v1/channels/{channel}/journal", get(journal))
        .route("/api/v1/channels/{channel}/messages", post(message))
        .route("/api/v1/channels/{channel}/acts", post(channel_act))
        .route("/api/v1/entries/{entry}", get(entry))
        .route("/api/v1/entries/{entry}/{act}", post(act))
        .route("/api/v1/operator/charters", post(draft_charter))
        .route("/api/v1/operator/peers", get(peers).post(add_peer))
        .route("/api/v1/operator/officers", get(officers))
        .route("/api/v1/operator/export", post(export))
        .route("/api/v1/operator/backup", post(backup))
        .fallback(async || {
            HttpError::new(StatusCode::NOT_FOUND, "there is nothing at this address; see /api/openapi.json")
        })
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(Site { node, keys: Arc::default() })
}

fn json_answer(status: StatusCode, value: &impl Serialize) -> Response {
    let body = serde_json::to_vec(value).expect("answers are JSON");
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

fn ok(value: &impl Serialize) -> Answer {
    Ok(json_answer(StatusCode::OK, value))
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, HttpError> {
    serde_json::from_slice(body).map_err(|error| {
        HttpError::new(StatusCode::BAD_REQUEST, format!("the body is not as described: {error}"))
    })
}

async fn health(State(node): Node) -> Response {
    let halted = node.halted().borrow().clone();
    match halted {
        None => json_answer(StatusCode::OK, &json!({ "ok": true })),
        Some(why) => json_answer(StatusCode::SERVICE_UNAVAILABLE, &json!({ "ok": false, "error": why })),
    }
}

async fn status(State(node): Node) -> Answer {
    ok(&node.status().await?)
}

async fn channels(State(node): Node) -> Answer {
    ok(&json!({ "channels": node.channels().await? }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Proposal {
    charter: String,
    ratification: SubmitRequest,
}

async fn propose(State(node): Node, body: Bytes) -> Answer {
    let proposal: Proposal = read(&body)?;
    ok(&node.propose(&proposal.charter, proposal.ratification).await?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CharterFile {
    charter: String,
}

async fn draft_charter(State(node): Node, body: Bytes) -> Answer {
    let file: CharterFile = read(&body)?;
    let (charter, context) = node.draft_charter(&file.charter).await?;
    ok(&json!({ "charter": charter, "context": context }))
}

async fn context(State(node): Node, Path(channel): Path<String>) -> Answer {
    ok(&node.context(&channel).await?)
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    from: usize,
    limit: Option<usize>,
}

async fn journal(State(node): Node, Path(channel): Path<String>, Query(page): Query<Page>) -> Answer {
    let limit = page.limit.unwrap_or(JOURNAL_LINES).clamp(1, JOURNAL_LINES);
    let lines = node.journal(&channel, page.from, limit).await?;
    let next = (lines.len() == limit).then(|| page.from + lines.len());
    ok(&json!({ "lines": lines, "next": next }))
}

async fn message(
    State(site): State<Site>,
    Path(channel): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let request: SubmitRequest = read(&body)?;
    submit(&site, request, key_of(&headers)?, |bound| {
        if !bound.statement.kind.is_message() || bound.statement.kind == Kind::Correct {
            return Err(format!(
                "statement: {} is no message; its address is another",
                bound.statement.kind.word()
            ));
        }
        // A label or beginning is resolved by the node; only a whole identity can contradict.
        let named = bound.channel.to_string();
        match channel.len() == named.len() && channel != named {
            true => Err("statement: it was signed for another channel than the address names".to_owned()),
            false => Ok(()),
        }
    })
    .await
}

async fn channel_act(State(site): State<Site>, headers: HeaderMap, body: Bytes) -> Answer {
    let request: SubmitRequest = read(&body)?;
    submit(&site, request, key_of(&headers)?, |bound| match bound.statement.kind.is_channel_act() {
        true => Ok(()),
        false => Err(format!("statement: {} is no act on a channel", bound.statement.kind.word())),
    })
    .await
}

#[derive(Deserialize)]
struct Reader {
    lang: Option<String>,
}

async fn entry(State(node): Node, Path(entry): Path<String>, Query(reader): Query<Reader>) -> Answer {
    let language = match reader.lang.as_deref() {
        None => None,
        Some(code) => Some(Language::from_code(code).ok_or_else(|| {
            HttpError::new(StatusCode::BAD_REQUEST, "lang: languages are en, zh, ru, fr, ar and es")
        })?),
    };
    ok(&node.message(&entry, language).await?)
}

/// The kind of statement that an act's address takes.
fn kind_of(act: &str) -> Option<Kind> {
    match act {
        "counter" => Some(Kind::CounterPropose),
        act => Kind::ALL.into_iter().find(|kind| kind.refers_to_one() && kind.word() == act),
    }
}

async fn act(
    State(site): State<Site>,
    Path((entry, act)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    if act == "opened" {
        site.node.mark_opened(&entry).await?;
        return ok(&json!({ "entry": entry }));
    }
    let kind = kind_of(&act).ok_or_else(|| {
        HttpError::new(StatusCode::NOT_FOUND, format!("{act}: there is no such act on an entry"))
    })?;
    let request: SubmitRequest = read(&body)?;
    let named = from_hex(&request.statement).and_then(|document| Bound::decode(&document));
    let named = named.and_then(|bound| bound.statement.references.into_iter().next());
    let target = match named.filter(|reference| site.node.is_full_name(&entry, reference)) {
        Some(target) => target,
        None => reference_to(&site.node.find(None, &entry).await?)?,
    };
    submit(&site, request, key_of(&headers)?, |bound| {
        if bound.statement.kind != kind {
            return Err(format!("statement: it is {}, not {}", bound.statement.kind.word(), kind.word()));
        }
        match bound.statement.references.first() == Some(&target) {
            true => Ok(()),
            false => Err("statement: it refers to another entry than the address names".to_owned()),
        }
    })
    .await
}

/// The `Idempotency-Key`, if there is one.
fn key_of(headers: &HeaderMap) -> Result<Option<&str>, HttpError> {
    let Some(key) = headers.get("idempotency-key") else { return Ok(None) };
    let fits = key.to_str().ok().filter(|key| (1..=128).contains(&key.len()));
    fits.map(Some).ok_or_else(|| {
        HttpError::new(
            StatusCode::BAD_REQUEST,
            "Idempotency-Key: 1 to 128 printable ASCII characters are taken",
        )
    })
}

/// Enters a statement that `fits` the address it came to. A statement is its own key: entered twice
/// it is one act; `Idempotency-Key` refuses another statement under a key that was used.
async fn submit(
    site: &Site,
    request: SubmitRequest,
    key: Option<&str>,
    fits: impl FnOnce(&Bound) -> Result<(), String>,
) -> Answer {
    let document =
        from_hex(&request.statement).ok_or_else(|| Refusal::refused("statement: it is not hexadecimal"))?;
    let bound = Bound::decode(&document)
        .ok_or_else(|| Refusal::refused("statement: it is not a statement of this version"))?;
    fits(&bound).map_err(Refusal::refused)?;
    if let Some(key) = key {
        site.keys.check(key, &document)?;
    }
    let submitted = site.node.submit(&bound.channel.to_string(), request).await?;
    let status = if submitted.repeated { StatusCode::OK } else { StatusCode::CREATED };
    Ok(json_answer(status, &submitted))
}

#[derive(Deserialize)]
struct Since {
    since: Option<String>,
}

async fn events(State(node): Node, Query(since): Query<Since>, headers: HeaderMap) -> Answer {
    let header = headers.get("last-event-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
    let cursor = match header.or(since.since) {
        None => *node.subscribe().borrow(),
        Some(text) => text.parse().map_err(|_| {
            HttpError::new(
                StatusCode::BAD_REQUEST,
                format!("since: {text:?} is no cursor; a cursor is a number"),
            )
        })?,
    };
    Ok(stream::events(node, cursor))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPeer {
    credential: String,
    words: String,
}

async fn add_peer(State(node): Node, body: Bytes) -> Answer {
    let peer: NewPeer = read(&body)?;
    let bytes =
        from_hex(&peer.credential).ok_or_else(|| Refusal::refused("credential: it is not hexadecimal"))?;
    ok(&node.peer_add(bytes, &peer.words).await?)
}

async fn peers(State(node): Node) -> Answer {
    ok(&json!({ "peers": crate::peers::list(node.store()).map_err(Refusal::from)? }))
}

async fn officers(State(node): Node) -> Answer {
    let officers = crate::officers::list(node.store()).map_err(Refusal::from)?;
    ok(&json!({ "officers": officers.iter().map(crate::officers::Officer::view).collect::<Vec<_>>() }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Export {
    channel: Option<String>,
    out: PathBuf,
}

/// Runs what reads the disk for long beside the tasks that serve.
async fn beside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
) -> Result<T, HttpError> {
    let done = tokio::task::spawn_blocking(work).await;
    Ok(done.map_err(|_| Refusal::unavailable("the node is stopping"))??)
}

async fn export(State(node): Node, body: Bytes) -> Answer {
    let wanted: Export = read(&body)?;
    let store = node.store().clone();
    ok(&beside(move || {
        let known = crate::export::select(&store, wanted.channel.as_deref())?;
        crate::export::export(&store, &known, &wanted.out, crate::core::wall())
    })
    .await?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Out {
    out: PathBuf,
}

async fn backup(State(node): Node, body: Bytes) -> Answer {
    let Out { out } = read(&body)?;
    let (folder, store, target) = (node.folder().clone(), node.store().clone(), out.clone());
    beside(move || crate::archive::backup(&folder, &store, &target)).await?;
    ok(&json!({ "out": out }))
}
