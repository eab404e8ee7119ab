//! The `detente` command: sets a node up, runs it, and speaks to it.
//!
//! Signing happens here, in the process that reads the key files, never in the node: a command asks
//! the node for the channel's context, composes the statement, signs it and hands it in. So a node
//! that was taken over can refuse to send, but can release nothing.

mod answer;
mod args;
mod bench;
mod commands;
mod demo;
mod files;
mod remote;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let args = args::Args::parse();
    match commands::run(&args) {
        Ok(done) => done.into(),
        Err(failure) => {
            eprintln!("detente: {}", failure.reason);
            failure.code()
        }
    }
}
