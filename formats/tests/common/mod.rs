//! The examples and what is known of them, for all tests.
#![allow(dead_code, reason = "each test binary uses its own part")]
#![allow(clippy::disallowed_methods, reason = "tests read the example files")]

use std::path::PathBuf;

use detente_encoding::Timestamp;
use detente_formats::{Catalogue, CheckContext, Fault, Message, ReferenceFacts, check};

/// A path under the package.
pub(crate) fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The text of a file under the package.
pub(crate) fn text(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Names of the message files of a folder, without `.json`, in order.
pub(crate) fn message_files(folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(path(folder)).expect("the folder is there");
    let names = entries.map(|entry| entry.expect("listed").file_name().into_string().expect("ASCII"));
    let mut names: Vec<String> =
        names.filter_map(|name| name.strip_suffix(".json").map(str::to_owned)).collect();
    names.sort();
    names
}

/// The code of the format of an example or bad example.
pub(crate) fn code_of(name: &str) -> &str {
    name.split("--").next().expect("split gives one").trim_end_matches(".ru")
}

/// When an example is checked and what it refers to.
pub(crate) struct Context {
    pub(crate) now: Timestamp,
    pub(crate) references: Vec<ReferenceFacts>,
}

/// The context of a format's examples.
pub(crate) fn context(code: &str) -> Context {
    let table: toml::Table = toml::from_str(&text("examples/context.toml")).expect("TOML");
    let entry =
        table.get(code).unwrap_or_else(|| panic!("{code} has no context")).as_table().expect("a table");
    let get = |key: &str| entry.get(key).and_then(toml::Value::as_str);
    let moment = |text: &str| Timestamp::parse(text).expect("a moment");
    let reference = get("reference_received").map(|received| ReferenceFacts {
        format: get("reference_format").map(str::to_owned),
        received_at: Some(moment(received)),
    });
    Context { now: moment(get("now").expect("now")), references: reference.into_iter().collect() }
}

/// An example, read.
pub(crate) fn example(name: &str) -> Message {
    let text = text(&format!("examples/{name}.json"));
    Message::from_json(&text, Catalogue::embedded()).unwrap_or_else(|faults| panic!("{name}: {faults:?}"))
}

/// The faults of a message in the context of its format, at `now` if given.
pub(crate) fn faults_of(message: &Message, code: &str, now: Option<Timestamp>) -> Vec<Fault> {
    let context = context(code);
    let now = now.unwrap_or(context.now);
    check(message, &CheckContext { now, references: &context.references, accept_late: false })
}
