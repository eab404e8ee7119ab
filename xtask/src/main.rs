//! The project's own tasks: `cargo xtask tidy | test | soak`.
//!
//! | Command | Does |
//! |---|---|
//! | `tidy` | reads the dependency graph and the tree, and fails with a sentence for each broken rule |
//! | `test [--fast]` | runs every test of every language; the last line is `N passed, N failed, N skipped` |
//! | `soak simulate\|fuzz\|power [--from N] [--count N] [--seconds S] [--record]` | long runs, resumable |
//!
//! It deliberately depends on none of the product's crates: it must build, and speak, when they do
//! not. Everything runs without a keyboard.

mod command;
mod soak;
mod test;
mod tidy;

use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask tidy | test [--fast] | soak simulate|fuzz|power [--from N] [--count N] \
                     [--seconds S] [--record]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let root = command::root();
    match words.as_slice() {
        ["tidy"] => tidy::run(&root),
        ["test"] => test::run(&root, test::Extent::Everything),
        ["test", "--fast"] => test::run(&root, test::Extent::Fast),
        ["soak", rest @ ..] => match soak::Request::parse(rest) {
            Ok(request) => soak::run(&root, &request),
            Err(reason) => usage(&reason),
        },
        ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            ExitCode::SUCCESS
        }
        _ => usage("this is not a task"),
    }
}

fn usage(reason: &str) -> ExitCode {
    eprintln!("{reason}\n{USAGE}");
    ExitCode::from(2)
}
