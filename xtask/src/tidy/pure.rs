//! The pure crates: what they may not reach through dependencies, and the bans that their
//! `clippy.toml` must repeat (the nearest file wins, so each has its own).

use super::files::Tree;
use super::graph::Graph;

/// Crates that know no clock, file, socket, thread or runtime.
pub(crate) const PURE: [&str; 5] = ["encoding", "crypto", "formats", "transparency", "protocol"];

/// Packages through which a crate would reach a runtime, a disk or a socket.
const UNREACHABLE: [&str; 9] =
    ["tokio", "rusqlite", "quinn", "mio", "rustls", "socket2", "rustix", "async-std", "reqwest"];

/// Types that a pure crate's `clippy.toml` must ban.
const BANNED_TYPES: [&str; 7] = [
    "std::time::Instant",
    "std::time::SystemTime",
    "std::collections::HashMap",
    "std::collections::HashSet",
    "std::fs::File",
    "std::net::TcpStream",
    "std::net::UdpSocket",
];

/// One sentence for each way from a pure crate to a runtime, a disk or a socket.
pub(crate) fn check_dependencies(graph: &Graph) -> Vec<String> {
    let mut sentences = Vec::new();
    for name in PURE.iter().filter(|name| graph.is_crate(name)) {
        for banned in UNREACHABLE {
            if let Some(way) = graph.way(name, banned) {
                sentences.push(format!("{name} is pure but reaches {banned}: {}", way.join(" → ")));
            }
        }
    }
    sentences
}

/// One sentence for each ban that is missing in a pure crate.
pub(crate) fn check_bans(tree: &Tree) -> Vec<String> {
    let mut sentences = Vec::new();
    for name in PURE {
        let path = format!("{name}/clippy.toml");
        let Some(text) = tree.files.get(&path) else {
            sentences.push(format!(
                "{path} is missing: {name} is pure and must ban clocks, files, sockets and hash maps"
            ));
            continue;
        };
        let banned = |what: &str| {
            text.lines().any(|line| line.contains(&format!("\"{what}\"")) && line.contains("reason"))
        };
        for what in BANNED_TYPES.iter().filter(|what| !banned(what)) {
            sentences.push(format!("{path} does not ban {what} with a reason"));
        }
    }
    sentences
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runtime_behind_two_others_is_found() {
        let graph = Graph::fake(&[
            ("protocol", &["formats"], &[]),
            ("formats", &["handy"], &[]),
            ("other:handy", &["tokio"], &[]),
            ("node", &["tokio"], &[]),
        ]);
        let loud = check_dependencies(&graph);
        assert_eq!(
            loud,
            [
                "formats is pure but reaches tokio: formats → handy → tokio",
                "protocol is pure but reaches tokio: protocol → formats → handy → tokio",
            ]
        );
    }

    #[test]
    fn a_missing_file_and_a_missing_ban_are_named() {
        let all: String =
            BANNED_TYPES.iter().map(|t| format!("{{ path = \"{t}\", reason = \"no\" }},\n")).collect();
        let some = all.replace("\"std::fs::File\"", "\"std::fs::Other\"");
        let tree = Tree::fake(&[
            ("encoding/clippy.toml", &all),
            ("crypto/clippy.toml", &some),
            ("formats/clippy.toml", &all),
            ("transparency/clippy.toml", &all),
        ]);
        let loud = check_bans(&tree);
        assert_eq!(loud.len(), 2);
        assert_eq!(loud[0], "crypto/clippy.toml does not ban std::fs::File with a reason");
        assert!(loud[1].starts_with("protocol/clippy.toml is missing"));
    }
}
