//! `detente bench`: what the line costs, measured between real processes on a real disk.
//!
//! `line` measures a message from release to acknowledgement, against a floor that is measured in
//! the same run, and how the node opens the record that was made; `verify` measures the check of an
//! export and of release signatures.

mod check;
mod count;
mod floor;
mod http;
mod line;
mod messages;
mod parties;
mod process;
mod rates;
mod sender;
mod stats;
mod watch;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::answer::{Done, Failure, Style, answer};
use crate::args::BenchArgs;
use crate::remote::block_on;

/// Runs one of the measurements.
pub(crate) fn run(args: &BenchArgs, style: Style) -> Result<Done, Failure> {
    match args {
        BenchArgs::Line { messages, in_flight, lane, seconds, folder, keep } => {
            let plan = line::Plan {
                messages: usize::try_from(*messages).map_err(Failure::usage)?,
                in_flight: *in_flight as usize,
                lane: messages::Lane::from_word(lane)?,
                seconds: seconds.map(Duration::from_secs),
            };
            let base = Base::make(folder.as_deref(), *keep)?;
            let figures = block_on(async {
                tokio::task::LocalSet::new().run_until(line::run(&plan, &base.path, notice)).await
            })?;
            answer(style, &figures, |figures| {
                serde_json::to_string_pretty(figures).expect("figures are JSON")
            });
        }
        BenchArgs::Verify { out } => {
            let figures = rates::run(out)?;
            answer(style, &figures, |figures| {
                serde_json::to_string_pretty(figures).expect("figures are JSON")
            });
        }
        BenchArgs::Watch { dir, http, token, key, channel, connections } => {
            return watch::run(&watch::Watch {
                dir: dir.clone(),
                http: *http,
                token: token.clone(),
                key: key.clone(),
                channel: channel.clone(),
                connections: *connections,
            });
        }
    }
    Ok(Done::Done)
}

/// What is being done, for whoever waits; figures alone go to the standard output.
fn notice(what: &str) {
    eprintln!("detente bench: {what}");
}

/// A folder of this run alone, removed at its end unless it is to be kept.
struct Base {
    path: PathBuf,
    keep: bool,
}

impl Base {
    fn make(folder: Option<&Path>, keep: bool) -> Result<Self, Failure> {
        let folder = folder.map_or_else(std::env::temp_dir, Path::to_path_buf);
        let path = folder.join(format!("detente-bench-{}", std::process::id()));
        std::fs::create_dir_all(&path).map_err(|why| Failure::new(format!("{}: {why}", path.display())))?;
        let path = path.canonicalize().map_err(Failure::new)?;
        Ok(Self { path, keep })
    }
}

impl Drop for Base {
    fn drop(&mut self) {
        if self.keep {
            return notice(&format!("kept: {}", self.path.display()));
        }
        let _ = std::fs::remove_dir_all(&self.path); // What is left is in a folder named after us.
    }
}
