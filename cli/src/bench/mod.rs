//! `detente bench`: what the line costs, measured between real processes on a real disk.
//!
//! `line` measures a message from release to acknowledgement, against a floor that is measured in
//! the same run; `journal` makes a large record and measures a node that opens it; `verify` measures
//! the check of a large export.

mod check;
mod count;
mod floor;
mod http;
mod line;
mod messages;
mod parties;
mod process;
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
        BenchArgs::Line { messages, in_flight, lane, seconds, folder } => {
            let plan = line::Plan {
                messages: usize::try_from(*messages).map_err(Failure::usage)?,
                in_flight: *in_flight as usize,
                lane: messages::Lane::from_word(lane)?,
                seconds: seconds.map(Duration::from_secs),
            };
            let base = Base::make(folder.as_deref())?;
            let figures = block_on(async {
                tokio::task::LocalSet::new().run_until(line::run(&plan, &base.path, notice)).await
            })?;
            answer(style, &figures, |figures| serde_json::to_string_pretty(figures).expect("figures are JSON"));
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

/// A folder of this run alone, removed at its end.
struct Base {
    path: PathBuf,
}

impl Base {
    fn make(folder: Option<&Path>) -> Result<Self, Failure> {
        let folder = folder.map_or_else(std::env::temp_dir, Path::to_path_buf);
        let path = folder.join(format!("detente-bench-{}", std::process::id()));
        std::fs::create_dir_all(&path).map_err(|why| Failure::new(format!("{}: {why}", path.display())))?;
        let path = path.canonicalize().map_err(Failure::new)?;
        Ok(Self { path })
    }
}

impl Drop for Base {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.path); // What is left is in a folder named after us.
    }
}
