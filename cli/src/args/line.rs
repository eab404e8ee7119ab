//! Options of the commands that use a channel: send, the officers' acts, channels, journal, events.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

/// `detente send`.
#[derive(Debug, Args)]
pub(crate) struct SendArgs {
    /// The node's folder
    pub(crate) dir: PathBuf,
    /// The channel: its id, a unique beginning of it, or its label
    #[arg(long)]
    pub(crate) channel: String,
    /// The message file (JSON); `detente format new CODE` prints one to fill in
    #[arg(long, value_name = "FILE", required_unless_present = "stream")]
    pub(crate) message: Option<PathBuf>,
    /// A key file of one who releases it, repeatable; the first is the drafter
    #[arg(long = "release", value_name = "KEYFILE", required = true)]
    pub(crate) releases: Vec<PathBuf>,
    /// Waits until every addressee's node holds it, or an officer there has taken it over
    #[arg(long)]
    pub(crate) wait: Option<Wait>,
    /// How long to wait, and to offer the statement again to a node that went away: 500ms, 30s, 2min, 1h
    #[arg(long, default_value = "30s", value_parser = duration)]
    pub(crate) timeout: Duration,
    /// Reads one message a line from the standard input and prints one result a line
    #[arg(long, conflicts_with = "message")]
    pub(crate) stream: bool,
    /// Sends a notification that is later than the agreement asks
    #[arg(long)]
    pub(crate) accept_late: bool,
}

/// A state to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Wait {
    /// Every addressee's node holds it durably
    Delivered,
    /// An officer of every addressee has taken it over
    Acknowledged,
}

/// An officer's act on an entry.
#[derive(Debug, Args)]
pub(crate) struct ActArgs {
    /// The node's folder
    pub(crate) dir: PathBuf,
    /// The entry: `CHANNEL/ALT/emergency/<run>.<index>` as other commands print it, or ALT/2027/0212
    pub(crate) entry: String,
    /// A message file with what is said, where the act says something
    #[arg(long, value_name = "FILE")]
    pub(crate) message: Option<PathBuf>,
    /// A key file of one who releases it, repeatable; the first is the drafter
    #[arg(long = "release", value_name = "KEYFILE", required = true)]
    pub(crate) releases: Vec<PathBuf>,
    /// How long the statement is offered again to a node that went away
    #[arg(long, default_value = "30s", value_parser = duration)]
    pub(crate) timeout: Duration,
}

/// `detente channel`.
#[derive(Debug, Subcommand)]
pub(crate) enum ChannelArgs {
    /// Makes a channel from a charter and ratifies it for this party
    Propose {
        /// The node's folder
        dir: PathBuf,
        /// The charter (TOML)
        charter: PathBuf,
        /// A key file of one who releases it, repeatable; the first is the drafter
        #[arg(long = "release", value_name = "KEYFILE", required = true)]
        releases: Vec<PathBuf>,
    },
    /// Ratifies the charter that another party proposed; `channel list` shows it
    Ratify(ChannelAct),
    /// Stops messages in the ordinary and exercise lanes; the emergency lane stays open
    Suspend(ChannelAct),
    /// Ends this party's own suspension
    Restore(ChannelAct),
    /// Closes the channel for good
    Close(ChannelAct),
    /// Lists the channels (also while the node is down)
    List {
        /// The node's folder
        dir: PathBuf,
    },
}

/// An act on a channel.
#[derive(Debug, Args)]
pub(crate) struct ChannelAct {
    /// The node's folder
    pub(crate) dir: PathBuf,
    /// The channel: its id, a unique beginning of it, or its label
    pub(crate) channel: String,
    /// The reason, shown to the other parties
    #[arg(long)]
    pub(crate) reason: Option<String>,
    /// A key file of one who releases it, repeatable; the first is the drafter
    #[arg(long = "release", value_name = "KEYFILE", required = true)]
    pub(crate) releases: Vec<PathBuf>,
    /// How long the statement is offered again to a node that went away
    #[arg(long, default_value = "30s", value_parser = duration)]
    pub(crate) timeout: Duration,
}

/// `detente events`.
#[derive(Debug, Args)]
pub(crate) struct EventsArgs {
    /// The node's folder
    pub(crate) dir: PathBuf,
    /// Goes on behind this cursor; without it, from now on. 0: from the beginning
    #[arg(long, value_name = "CURSOR")]
    pub(crate) since: Option<u64>,
}

/// `detente journal`.
#[derive(Debug, Subcommand)]
pub(crate) enum JournalArgs {
    /// Shows the joint journal (also while the node is down)
    Show(JournalAct),
    /// Writes a self-contained export for `detente verify` (also while the node is down)
    Export {
        /// The node's folder
        dir: PathBuf,
        /// The channel; not needed when there is one
        #[arg(long)]
        channel: Option<String>,
        /// The folder to write; it must not exist
        out: PathBuf,
    },
    /// Makes every view anew from logs and cosignatures (while the node is down)
    Rebuild {
        /// The node's folder
        dir: PathBuf,
    },
}

/// What of the journal.
#[derive(Debug, Args)]
pub(crate) struct JournalAct {
    /// The node's folder
    pub(crate) dir: PathBuf,
    /// The channel; not needed when there is one
    #[arg(long)]
    pub(crate) channel: Option<String>,
}

/// `detente verify`.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The export
    pub(crate) out: PathBuf,
    /// A party's code and the eight words its own people read out, repeatable: ALT="eight words"
    #[arg(long = "party", value_name = "CODE=WORDS", value_parser = party)]
    pub(crate) parties: Vec<(String, String)>,
}

fn party(text: &str) -> Result<(String, String), String> {
    let (code, words) =
        text.split_once('=').ok_or("a party is given with its words, as in ALT=\"eight words\"")?;
    Ok((code.to_owned(), words.to_owned()))
}

/// Reads `500ms`, `30s`, `2min` or `1h`.
fn duration(text: &str) -> Result<Duration, String> {
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let unit_ms = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        _ => return Err("a duration is a number with ms, s, min or h, as in 30s".to_owned()),
    };
    let number: u64 =
        number.parse().map_err(|_| "a duration is a number with its unit, as in 30s".to_owned())?;
    number.checked_mul(unit_ms).map(Duration::from_millis).ok_or_else(|| "that is too long".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_a_unit() {
        assert_eq!(duration("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(duration("2min"), Ok(Duration::from_mins(2)));
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        for wrong in ["30", "s", "-1s", "1d", "99999999999999999h"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
