//! Every example of a format loads, checks clean, goes through the wire and comes back the same.

use detente_encoding::cbor;
use detente_formats::{Catalogue, Message};

fn example(code: &str) -> Message {
    let path = format!("{}/examples/{code}.json", env!("CARGO_MANIFEST_DIR"));
    #[allow(clippy::disallowed_methods, reason = "a test reads its examples")]
    let text = std::fs::read_to_string(path).expect("the example is there");
    Message::from_json(&text, Catalogue::embedded()).expect("the example has no fault")
}

#[test]
fn a_launch_with_a_circle_and_a_coded_area_takes_at_most_26_bytes() {
    let encoded = example("US-RU.BMLN").encode();
    let bytes = cbor::encode(&encoded.body);
    assert!(bytes.len() <= 26, "{} bytes", bytes.len());
    assert_eq!(cbor::encode(&encoded.extras).len(), 1);
}
