//! The rules of a channel: statements, release, logs, frames, replication, fold, verification.
