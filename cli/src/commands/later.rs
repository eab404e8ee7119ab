//! Commands whose names are kept for what is not built yet. Each says so, and does nothing.

use crate::answer::{Done, Failure};

fn not_yet(what: &str) -> Result<Done, Failure> {
    Err(Failure::new(format!("{what}; docs/open.md lists what is not built yet")))
}

/// `detente release`.
pub(crate) fn release() -> Result<Done, Failure> {
    not_yet("the release desk is not built yet; release with key files: `detente send … --release KEYFILE`")
}

/// `detente chronicle`.
pub(crate) fn chronicle() -> Result<Done, Failure> {
    not_yet("the chronicle is not built yet")
}
