//! Who may ask what, before anything is read: the name asked for, the token, the size.

use std::net::SocketAddr;

use hyper::{HeaderMap, Method, StatusCode, header};

use super::error::HttpError;
use super::tokens::{Scope, Tokens};

/// Where a request came from.
#[derive(Clone, Debug)]
pub(crate) enum Entrance {
    /// The control socket: only the owner of the folder reaches it.
    Socket,
    /// Plain HTTP on a loopback address, with its port.
    Loopback(u16),
    /// TLS at the origin that `node.toml` names, such as `watch.example.org:8443`.
    Origin(String),
}

impl Entrance {
    /// The entrance at a TCP address.
    pub(crate) fn at(address: SocketAddr, origin: Option<&str>) -> Self {
        match origin {
            Some(origin) if !address.ip().is_loopback() => {
                Self::Origin(origin.trim_start_matches("https://").trim_end_matches('/').to_ascii_lowercase())
            }
            _ => Self::Loopback(address.port()),
        }
    }

    /// Refuses a request that was meant for another name: a page from elsewhere may have turned its
    /// own name to this address (DNS rebinding).
    pub(crate) fn check_host(&self, headers: &HeaderMap) -> Result<(), HttpError> {
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let host = host.to_ascii_lowercase();
        let (good, name) = match self {
            Self::Socket => return Ok(()),
            Self::Loopback(port) => {
                let name = host.strip_prefix("localhost").unwrap_or("no");
                let right = name.is_empty() || name.strip_prefix(':').is_some_and(|p| p.parse() == Ok(*port));
                (right, format!("http://localhost:{port}"))
            }
            Self::Origin(origin) => (host == *origin, format!("https://{origin}")),
        };
        if good {
            return Ok(());
        }
        let sentence = format!("Host: this node is served at {name} only; use that address");
        Err(HttpError::new(StatusCode::MISDIRECTED_REQUEST, sentence))
    }

    /// What whoever asks may do.
    pub(crate) fn scope(&self, headers: &HeaderMap, tokens: &Tokens) -> Option<Scope> {
        if matches!(self, Self::Socket) {
            return Some(Scope::Operator);
        }
        let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        tokens.scope(value.strip_prefix("Bearer ")?)
    }
}

/// What a request needs; `None` for what everybody may read.
fn needed(method: &Method, path: &str) -> Option<Scope> {
    match path {
        "/healthz" | "/api/openapi.json" => None,
        _ if method == Method::GET && !path.starts_with("/api/v1/operator/") => Some(Scope::Read),
        _ if path.starts_with("/api/v1/entries/") || path.starts_with("/api/v1/channels/") => {
            Some(Scope::Send)
        }
        _ => Some(Scope::Operator),
    }
}

/// Refuses a request that whoever asks may not make.
pub(crate) fn check_scope(method: &Method, path: &str, scope: Option<Scope>) -> Result<(), HttpError> {
    let Some(needed) = needed(method, path) else { return Ok(()) };
    match scope {
        Some(scope) if scope >= needed => Ok(()),
        None => Err(HttpError::new(
            StatusCode::UNAUTHORIZED,
            "Authorization: a bearer token is needed; make one with `detente token DIR --scope read`",
        )),
        Some(_) if needed == Scope::Send => Err(HttpError::new(
            StatusCode::FORBIDDEN,
            "Authorization: this token may only read; make one with `detente token DIR --scope send`",
        )),
        Some(_) => Err(HttpError::new(
            StatusCode::FORBIDDEN,
            "Authorization: no token allows this; use the command on the node's own machine",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(name: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, name.parse().expect("a header"));
        headers
    }

    #[test]
    fn a_name_turned_to_this_address_is_refused() {
        let entrance = Entrance::at("127.0.0.1:19631".parse().expect("address"), None);
        for good in ["localhost:19631", "LOCALHOST:19631", "localhost"] {
            assert!(entrance.check_host(&host(good)).is_ok(), "{good}");
        }
        for bad in ["evil.example:19631", "localhost.evil.example", "localhost:1", "127.0.0.1:19631", ""] {
            assert!(entrance.check_host(&host(bad)).is_err(), "{bad}");
        }
        let entrance = Entrance::at("10.0.0.1:443".parse().expect("address"), Some("https://watch.example"));
        assert!(entrance.check_host(&host("watch.example")).is_ok());
        assert!(entrance.check_host(&host("localhost")).is_err());
    }

    #[test]
    fn a_token_to_read_sends_nothing_and_none_reads_nothing() {
        let (get, post) = (Method::GET, Method::POST);
        let messages = "/api/v1/channels/x/messages";
        assert!(check_scope(&get, "/healthz", None).is_ok());
        assert!(check_scope(&get, "/api/v1/status", None).is_err());
        assert!(check_scope(&get, "/api/v1/status", Some(Scope::Read)).is_ok());
        assert!(check_scope(&post, messages, Some(Scope::Read)).is_err());
        assert!(check_scope(&post, messages, Some(Scope::Send)).is_ok());
        assert!(check_scope(&post, "/api/v1/channels", Some(Scope::Send)).is_err());
        assert!(check_scope(&post, "/api/v1/operator/peers", Some(Scope::Send)).is_err());
        assert!(check_scope(&get, "/api/v1/operator/officers", Some(Scope::Send)).is_err());
        assert!(check_scope(&post, "/api/v1/channels", Some(Scope::Operator)).is_ok());
    }
}
