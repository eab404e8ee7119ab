//! One file a command, or a few that belong together.

mod act;
mod channel;
mod events;
pub(crate) mod format;
mod journal;
mod later;
mod node;
mod people;
mod send;
mod simulate;
mod status;
mod store;
pub(crate) mod verify;

use crate::answer::{Done, Failure, Style};
use crate::args::{Args, Command};
use detente_protocol::entry::Kind;

/// Runs what the command line asks for.
pub(crate) fn run(args: &Args) -> Result<Done, Failure> {
    let style = Style { json: args.json, lang: args.lang };
    let Some(command) = &args.command else { return crate::demo::run(false, style) };
    match command {
        Command::Init(args) => people::init(args, style),
        Command::Officer(args) => people::officer(args, style),
        Command::Credential(args) => people::credential(args, style),
        Command::Peer(args) => people::peer(args, style),
        Command::Channel(args) => channel::run(args, style),
        Command::Node { dir } => node::run(dir),
        Command::Send(args) => send::run(args, style),
        Command::Acknowledge(args) => act::run(Kind::Acknowledgement, args, style),
        Command::StandBy(args) => act::run(Kind::StandBy, args, style),
        Command::Accept(args) => act::run(Kind::Accept, args, style),
        Command::Counter(args) => act::run(Kind::CounterPropose, args, style),
        Command::Decline(args) => act::run(Kind::Decline, args, style),
        Command::Clarify(args) => act::run(Kind::Clarify, args, style),
        Command::Withdraw(args) => act::run(Kind::Withdraw, args, style),
        Command::Correct(args) => act::run(Kind::Correct, args, style),
        Command::Events(args) => events::run(args),
        Command::Status { dir } => status::run(dir, style),
        Command::Journal(args) => journal::run(args, style),
        Command::Verify(args) => verify::run(args, style),
        Command::Backup { dir, out, with_keys } => store::backup(dir, out, *with_keys, style),
        Command::Restore { out, dir } => store::restore(out, dir, style),
        Command::Doctor { dir } => store::doctor(dir, style),
        Command::Format(args) => format::run(args, style),
        Command::Token(args) => people::token(args, style),
        Command::Simulate { seed, days, profile } => simulate::run(*seed, *days, profile, style),
        Command::Bench(args) => crate::bench::run(args, style),
        Command::Demo { once } => crate::demo::run(*once, style),
        Command::Release => later::release(),
        Command::Chronicle { .. } => later::chronicle(),
    }
}
