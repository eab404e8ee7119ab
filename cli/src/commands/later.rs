//! Commands whose names are kept for what is not built yet. Each says so, and does nothing.

use crate::answer::{Done, Failure};

fn not_yet(what: &str) -> Result<Done, Failure> {
    Err(Failure::new(format!("{what}; docs/open.md lists what is not built yet")))
}

/// `detente demo`, and no command at all.
pub fn demo() -> Result<Done, Failure> {
    not_yet("the guided demonstration is not built yet; `detente --help` lists what there is")
}

/// `detente release`.
pub fn release() -> Result<Done, Failure> {
    not_yet("the release desk is not built yet; release with key files: `detente send … --release KEYFILE`")
}

/// `detente chronicle`.
pub fn chronicle() -> Result<Done, Failure> {
    not_yet("the chronicle is not built yet")
}
