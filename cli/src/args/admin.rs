//! Options of the commands that set a node up: init, officers, credentials, formats, tokens.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// `detente init`.
#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// The folder to make; an existing one must be empty
    pub(crate) dir: PathBuf,
    /// The party's code, a label of 2 to 8 of A-Z and 0-9, beginning with a letter: ALT
    #[arg(long)]
    pub(crate) code: String,
    /// The party's name in a language, repeatable: en=Altair
    #[arg(long = "name", value_name = "LANG=NAME", required = true, value_parser = name)]
    pub(crate) names: Vec<(String, String)>,
    /// Where links from other nodes are accepted (UDP and TCP) [default: 127.0.0.1:19630]
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<SocketAddr>,
    /// Where the HTTP interface is served [default: 127.0.0.1:19631]
    #[arg(long, value_name = "ADDR")]
    pub(crate) http: Option<SocketAddr>,
    /// A node for tests: port 0 is allowed
    #[arg(long)]
    pub(crate) test: bool,
}

fn name(text: &str) -> Result<(String, String), String> {
    let (language, name) =
        text.split_once('=').ok_or("a name is given with its language, as in en=Altair")?;
    Ok((language.to_owned(), name.to_owned()))
}

/// `detente officer`.
#[derive(Debug, Subcommand)]
pub(crate) enum OfficerArgs {
    /// Adds an officer; before the first credential export freely, afterwards with two releases
    Add {
        /// The node's folder
        dir: PathBuf,
        /// A short identifier: 1 to 40 of a-z, 0-9, '-', '.', '_'
        id: String,
        /// The officer's name
        #[arg(long)]
        name: String,
        /// Roles with commas between: draft, release, watch, interpret, audit, admin
        #[arg(long)]
        roles: String,
        /// Makes a file key (drills, automation, tests) and writes it to this new file
        #[arg(long, value_name = "FILE")]
        key_file: Option<PathBuf>,
        /// A key file of one who releases this change, repeatable
        #[arg(long = "release", value_name = "KEYFILE")]
        releases: Vec<PathBuf>,
    },
    /// Lists the officers with their roles and key numbers
    List {
        /// The node's folder
        dir: PathBuf,
    },
    /// Removes an officer; the key's number is never used again
    Remove {
        /// The node's folder
        dir: PathBuf,
        /// The officer's identifier
        id: String,
        /// A key file of one who releases this change, repeatable
        #[arg(long = "release", value_name = "KEYFILE")]
        releases: Vec<PathBuf>,
    },
}

/// `detente credential`.
#[derive(Debug, Subcommand)]
pub(crate) enum CredentialArgs {
    /// Writes the credential and prints its eight words. The first export reads root/: move it away afterwards
    Export {
        /// The node's folder
        dir: PathBuf,
        /// The file to write
        file: PathBuf,
    },
}

/// `detente peer`.
#[derive(Debug, Subcommand)]
pub(crate) enum PeerArgs {
    /// Accepts another party's credential
    Add {
        /// The node's folder
        dir: PathBuf,
        /// The other party's credential
        file: PathBuf,
        /// The eight words that the other party read out, or the same as eight numbers from 0 to 2047
        #[arg(long)]
        words: String,
    },
    /// Lists the parties whose credentials are held
    List {
        /// The node's folder
        dir: PathBuf,
    },
}

/// `detente format`.
#[derive(Debug, Subcommand)]
pub(crate) enum FormatArgs {
    /// Lists the formats
    List,
    /// Shows a format: fields, limits, rules, source
    Show {
        /// Its code, such as US-RU.BMLN
        code: String,
    },
    /// Names every fault of a message file at once
    Check {
        /// The message file
        file: PathBuf,
    },
    /// Prints a message file as its readers see it, in the language of --lang
    Render {
        /// The message file
        file: PathBuf,
    },
    /// Prints a message file of a format to fill in
    New {
        /// The format's code
        code: String,
    },
    /// Says what differs between two message files, field by field
    Diff {
        /// The one
        one: PathBuf,
        /// The other
        other: PathBuf,
    },
}

/// `detente token`.
#[derive(Debug, Args)]
pub(crate) struct TokenArgs {
    /// The node's folder
    pub(crate) dir: PathBuf,
    /// What a program may do: read, or send what officers have released
    #[arg(long)]
    pub(crate) scope: Scope,
}

/// What a token allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scope {
    /// Reading
    Read,
    /// Reading, and handing in what officers have released
    Send,
}

impl Scope {
    /// The word.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Send => "send",
        }
    }
}
