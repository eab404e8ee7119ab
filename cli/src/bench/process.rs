//! Processes of the measurement: started from our own executable, watched through `/proc`, ended.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::answer::Failure;

/// Ticks a second of `/proc/PID/stat`; Linux has told user space 100 on every architecture since 2.6.
const TICKS_PER_S: u64 = 100;
/// How long a child may take until it says that it is ready.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// How long a node may take to stop before it is killed.
const STOP_WITHIN: Duration = Duration::from_secs(20);

/// A child process that has said it is ready.
pub(super) struct Process {
    child: Child,
    /// What it said.
    pub(super) ready: Value,
    /// From start to that line.
    pub(super) startup: Duration,
}

impl Process {
    /// Starts our own executable with `args` and waits for its first line, one JSON object.
    pub(super) fn start(args: &[&str], folder: &Path) -> Result<Self, Failure> {
        let own = std::env::current_exe().map_err(Failure::new)?;
        let begun = Instant::now();
        let mut command = Command::new(own);
        let command = command.args(args).arg(folder).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(Failure::new)?;
        let mut out = BufReader::new(child.stdout.take().expect("piped above"));
        let (told, telling) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            let read = out.read_line(&mut line);
            let _ = told.send(read.map(|_| (Instant::now(), line))); // Nobody waits after the timeout.
            let _ = std::io::copy(&mut out, &mut std::io::sink());
        });
        let failed = |child: &mut Child, why: &str| {
            let _ = child.kill();
            let _ = child.wait();
            Failure::new(format!("`detente {}` {why}", args.join(" ")))
        };
        let Ok(Ok((at, line))) = telling.recv_timeout(READY_WITHIN) else {
            return Err(failed(&mut child, "does not become ready"));
        };
        let Ok(ready) = serde_json::from_str(&line) else {
            return Err(failed(&mut child, "ended before it was ready"));
        };
        Ok(Self { child, ready, startup: at - begun })
    }

    /// Processor time it has used so far.
    pub(super) fn cpu(&self) -> Duration {
        cpu_of(&self.child.id().to_string())
    }

    /// Its proportional share of memory.
    pub(super) fn pss_kb(&self) -> u64 {
        let path = format!("/proc/{}/smaps_rollup", self.child.id());
        let text = std::fs::read_to_string(path).unwrap_or_default();
        pss(&text).unwrap_or(0)
    }

    /// Asks it to end, and waits.
    pub(super) fn stop(mut self) {
        // By the system's own command: our crates have no unsafe code, and the standard library only kills.
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let until = Instant::now() + STOP_WITHIN;
        while Instant::now() < until {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // A measurement that fails leaves nothing running.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Processor time this process has used so far.
pub(super) fn own_cpu() -> Duration {
    cpu_of("self")
}

fn cpu_of(process: &str) -> Duration {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    Duration::from_millis(ticks(&text).unwrap_or(0) * 1000 / TICKS_PER_S)
}

/// `utime` and `stime` of `/proc/PID/stat`; the name in brackets before them may hold anything.
fn ticks(stat: &str) -> Option<u64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

fn pss(smaps: &str) -> Option<u64> {
    smaps.lines().find_map(|line| line.strip_prefix("Pss:")?.trim().strip_suffix("kB")?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_found_behind_any_name() {
        let stat = "42 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20 0 4 0 1 2 3";
        assert_eq!(ticks(stat), Some(300));
        assert_eq!(ticks(""), None);
    }

    #[test]
    fn the_share_of_memory_is_read() {
        assert_eq!(pss("Rss:  99 kB\nPss:      31234 kB\nPss_Dirty: 3 kB\n"), Some(31234));
    }
}
