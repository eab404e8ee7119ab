//! The command line: every command and option, with the text that `--help` shows.

mod admin;
mod line;

use clap::{Parser, Subcommand};
use detente_formats::Language;

pub(crate) use admin::{CredentialArgs, FormatArgs, InitArgs, OfficerArgs, PeerArgs, TokenArgs};
pub(crate) use line::{
    ActArgs, ChannelAct, ChannelArgs, EventsArgs, JournalArgs, SendArgs, VerifyArgs, Wait,
};

/// A direct line between parties that do not trust each other, nor any third party.
#[derive(Debug, Parser)]
#[command(
    name = "detente",
    version,
    max_term_width = 110,
    after_help = "Exit status: 0 done; 1 refused or failed, and the reason is on the error output; 2 wrong usage; 3 accepted, but \
the state waited for was not reached in time (never send again: ask `detente status` or `detente events`).\n\
Commands on a folder speak to its running node; where noted they also work while the node is down."
)]
pub(crate) struct Args {
    /// Prints one JSON object (for streams, one a line) on the standard output
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Language of messages and faults: en, zh, ru, fr, ar or es
    #[arg(long, global = true, value_name = "LANG", default_value = "en", value_parser = language)]
    pub(crate) lang: Language,
    /// What to do; without a command, the guided demonstration
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

fn language(text: &str) -> Result<Language, String> {
    Language::from_code(text).ok_or_else(|| "languages are en, zh, ru, fr, ar and es".to_owned())
}

/// A command.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Makes a node's folder: fresh keys, an empty record
    Init(InitArgs),
    /// Adds, lists and removes officers (also while the node is down)
    #[command(subcommand)]
    Officer(OfficerArgs),
    /// Writes this party's credential for others (also while the node is down)
    #[command(subcommand)]
    Credential(CredentialArgs),
    /// Accepts another party's credential after its words were compared (also while the node is down)
    #[command(subcommand)]
    Peer(PeerArgs),
    /// Proposes, ratifies, suspends, restores, closes and lists channels
    #[command(subcommand)]
    Channel(ChannelArgs),
    /// Runs the node of a folder until SIGTERM or SIGINT
    Node {
        /// The node's folder
        dir: std::path::PathBuf,
    },
    /// Checks, releases and sends a message
    Send(SendArgs),
    /// Takes a message over: the watch has it (role watch, one person)
    Acknowledge(ActArgs),
    /// Says that an answer will come (role watch, one person)
    StandBy(ActArgs),
    /// Agrees to what a message proposes (release rule)
    Accept(ActArgs),
    /// Offers something else instead (release rule)
    Counter(ActArgs),
    /// Declines; a reason may stand in --message (release rule)
    Decline(ActArgs),
    /// Asks what is meant (role watch, one person)
    Clarify(ActArgs),
    /// Takes an own message back; it stays readable (release rule)
    Withdraw(ActArgs),
    /// Replaces an own message, which stays readable (release rule)
    Correct(ActArgs),
    /// Prints what happens, one JSON object a line, until it is stopped
    Events(EventsArgs),
    /// Shows each channel: standing, line with evidence, contact, clocks
    Status {
        /// The node's folder
        dir: std::path::PathBuf,
    },
    /// The joint journal: shows it, exports it, makes its views anew
    #[command(subcommand)]
    Journal(JournalArgs),
    /// Checks an export offline, trusting neither party
    Verify(VerifyArgs),
    /// Copies a node's record, consistent while it runs; private keys are left out
    Backup {
        /// The node's folder
        dir: std::path::PathBuf,
        /// The folder to write; it must not exist
        out: std::path::PathBuf,
        /// Puts private keys in, sealed with a passphrase
        #[arg(long)]
        with_keys: bool,
    },
    /// Makes a node's folder from a backup; put its keys/ back afterwards
    Restore {
        /// The backup
        out: std::path::PathBuf,
        /// The node's folder to make; it must not exist
        dir: std::path::PathBuf,
    },
    /// Looks at clock, disk, ports, permissions and peers' words, and says what to do
    Doctor {
        /// The node's folder
        dir: std::path::PathBuf,
    },
    /// The formats: list, show, check and render messages, begin a new one, compare editions
    #[command(subcommand)]
    Format(FormatArgs),
    /// Makes a token with which a program may use the HTTP interface
    Token(TokenArgs),
    /// Plays one deterministic world of many nodes and checks what must always hold
    Simulate {
        /// Decides everything: the same seed prints the same trace hash
        seed: u64,
        /// Simulated days
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=3660))]
        days: u64,
        /// `quick` (keyed hash in place of signatures) or `real` (the real cryptography)
        #[arg(long, default_value = "quick")]
        profile: String,
    },
    /// Measures the line between two node processes
    #[command(subcommand)]
    Bench(BenchArgs),
    /// The guided demonstration
    Demo {
        /// Ends after the transcript
        #[arg(long)]
        once: bool,
    },
    /// The release desk
    Release,
    /// The chronicle of past exchanges
    Chronicle {
        /// import, ask or claim
        what: Vec<String>,
    },
}

/// What can be measured.
#[derive(Debug, Subcommand)]
pub(crate) enum BenchArgs {
    /// Latency and throughput from release to acknowledgement
    Line {
        /// Messages to send
        #[arg(long, default_value_t = 1000)]
        messages: u64,
        /// Messages under way at once
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=200))]
        in_flight: u32,
        /// The lane: ordinary or emergency
        #[arg(long, default_value = "ordinary")]
        lane: String,
        /// Seconds to go on for after a warm-up of ten, in place of a number of messages
        #[arg(long)]
        seconds: Option<u64>,
        /// A folder on the disk to measure; what is made there is removed [default: for temporary files]
        #[arg(long)]
        folder: Option<std::path::PathBuf>,
        /// Keeps what was made there, with both exports
        #[arg(long)]
        keep: bool,
    },
    /// How fast an export is checked, and how fast release signatures are
    Verify {
        /// The export
        out: std::path::PathBuf,
    },
    /// The other side's client of `line`, a process of its own
    #[command(hide = true)]
    Watch {
        /// The node's folder
        dir: std::path::PathBuf,
        /// Its HTTP interface
        #[arg(long)]
        http: std::net::SocketAddr,
        /// A token for it
        #[arg(long)]
        token: String,
        /// The watch officer's key file
        #[arg(long)]
        key: std::path::PathBuf,
        /// The channel's identity
        #[arg(long)]
        channel: String,
        /// Acknowledgements under way at once
        #[arg(long)]
        connections: u32,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn global_options_may_stand_behind_the_command() {
        let args =
            Args::try_parse_from(["detente", "status", "dir", "--json", "--lang", "zh"]).expect("good");
        assert!(args.json);
        assert_eq!(args.lang, Language::Zh);
    }
}
