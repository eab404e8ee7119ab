//! `/api/openapi.json`: what the interface takes and answers (OpenAPI 3.1).

use axum::response::{IntoResponse, Response};
use hyper::header;

/// The description, written by hand beside the routes.
const DESCRIPTION: &str = include_str!("openapi.json");

/// Answers `/api/openapi.json`.
pub(super) async fn openapi() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], DESCRIPTION).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_route_is_described_and_nothing_else() {
        let description: serde_json::Value = serde_json::from_str(DESCRIPTION).expect("it is JSON");
        let described: BTreeSet<String> =
            description["paths"].as_object().expect("paths").keys().cloned().collect();
        let routes = include_str!("routes.rs").lines().filter_map(|line| {
            let (path, _) = line.trim().strip_prefix(".route(\"")?.split_once('"')?;
            Some(path.to_owned())
        });
        assert_eq!(described, routes.collect());
    }

    #[test]
    fn every_reference_within_it_leads_somewhere() {
        let description: serde_json::Value = serde_json::from_str(DESCRIPTION).expect("it is JSON");
        for part in DESCRIPTION.split("\"$ref\": \"#").skip(1) {
            let pointer = part.split('"').next().expect("a closed string");
            assert!(description.pointer(pointer).is_some(), "{pointer}");
        }
    }
}
