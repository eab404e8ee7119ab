//! What a request that is not done gets: a status and one sentence as JSON.

use axum::response::{IntoResponse, Response};
use hyper::{StatusCode, header};
use serde::{Deserialize, Serialize};

use crate::refusal::{FaultLine, Refusal, RefusalKind};

/// The body of every reply that refuses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// One sentence that names the field, file or entry and says what to do.
    pub error: String,
    /// Path of the first field at fault; `null` when it is about no field.
    pub field: Option<String>,
    /// Whose matter it is.
    pub kind: RefusalKind,
    /// All faults of a message.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<FaultLine>,
}

impl From<Refusal> for ErrorBody {
    fn from(refusal: Refusal) -> Self {
        let field = refusal.faults.iter().find(|fault| fault.refuses).map(|fault| fault.path.clone());
        Self { error: refusal.reason, field, kind: refusal.kind, faults: refusal.faults }
    }
}

impl From<ErrorBody> for Refusal {
    fn from(body: ErrorBody) -> Self {
        Self { kind: body.kind, reason: body.error, faults: body.faults }
    }
}

/// A refusal on its way to a client.
#[derive(Debug)]
pub(crate) struct HttpError {
    status: StatusCode,
    body: ErrorBody,
}

impl HttpError {
    /// A refusal that HTTP itself has a status for.
    pub(crate) fn new(status: StatusCode, sentence: impl Into<String>) -> Self {
        Self { status, body: Refusal::refused(sentence).into() }
    }
}

impl From<Refusal> for HttpError {
    fn from(refusal: Refusal) -> Self {
        let status = match refusal.kind {
            RefusalKind::Refused => StatusCode::UNPROCESSABLE_ENTITY,
            RefusalKind::NotFound => StatusCode::NOT_FOUND,
            RefusalKind::Ambiguous => StatusCode::CONFLICT,
            RefusalKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self { status, body: refusal.into() }
    }
}

impl IntoResponse for HttpError {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self.body).expect("a refusal is JSON");
        (self.status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
    }
}
