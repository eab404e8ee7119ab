//! The arrows of the architecture: who may know whom.
//!
//! Crates stand in one order and know only those before them. Three sentences narrow that: storage
//! and paths carry bytes and know nothing of what they mean; a node does not contain the world that
//! tests it; the stand-in cryptography of simulated worlds is switched on by the simulation alone.

use super::graph::Graph;

/// All crates of the product, lowest first. A new crate is entered here, which is a decision.
const ORDER: [&str; 12] = [
    "encoding",
    "crypto",
    "formats",
    "transparency",
    "protocol",
    "journal",
    "transport",
    "simulation",
    "node",
    "console",
    "cli",
    // A check under `interop/`: nobody may know it, so it stands last.
    "forgery",
];

/// Members of the workspace outside the architecture: they may know nobody of [`ORDER`].
const OUTSIDE: [&str; 1] = ["xtask"];

/// What a crate may know at most, where the order alone would allow more, and why.
const NARROWER: [(&str, &[&str], &str); 7] = [
    ("forgery", &["encoding", "crypto", "transparency", "protocol"], "it compares readers and needs no node"),
    ("journal", &["encoding", "crypto"], "it keeps bytes and must not know what they mean"),
    ("transport", &["encoding", "crypto"], "it carries bytes and must not know what they mean"),
    ("formats", &["encoding"], "what can be said does not depend on how it is signed"),
    ("transparency", &["encoding", "crypto"], "a log does not know what stands in it"),
    (
        "node",
        &["encoding", "crypto", "formats", "transparency", "protocol", "journal", "transport"],
        "a node must not contain the world that tests it",
    ),
    (
        "console",
        &["encoding", "crypto", "formats", "transparency", "protocol"],
        "the node takes its files as a parameter",
    ),
];

/// Shims: members that hold the only `unsafe` code of a crate, and that nobody else may know.
pub(crate) const SHIMS: [(&str, &str); 1] = [("powercut-shim", "journal")];

/// Features of our crates that weaken a guarantee. Only [`WORLD`]'s normal build may switch them on; a
/// feature of the same name may pass one on.
const GUARDED: [&str; 4] = ["simulation", "testing", "conformance", "bad-wire"];

/// The crate that makes up a world, and needs weaker parts to do so.
const WORLD: &str = "simulation";

/// One sentence for each arrow that turns round.
pub(crate) fn check(graph: &Graph) -> Vec<String> {
    let mut sentences = Vec::new();
    for (name, package) in graph.crates() {
        for switch in package.switches_on.iter().filter(|switch| name != WORLD && is_guarded(graph, switch)) {
            sentences.push(format!("{name} switches on {switch}, which only {WORLD} and tests may"));
        }
        if SHIMS.iter().any(|(shim, _)| *shim == name) {
            sentences.extend(check_reach(graph, name, "is a shim and must know nothing of the product"));
            continue;
        }
        let Some(place) = ORDER.iter().position(|other| *other == name) else {
            sentences.extend(check_outside(graph, name));
            continue;
        };
        for need in package.needs.iter().filter(|need| graph.is_crate(need)) {
            if SHIMS.contains(&(need.as_str(), name)) {
                continue;
            }
            let before = ORDER.iter().position(|other| other == need).is_some_and(|other| other < place);
            let narrower = NARROWER.iter().find(|(crate_name, ..)| *crate_name == name);
            match narrower {
                _ if !before => {
                    sentences.push(format!(
                        "{name} depends on {need}, which does not stand below it: the arrow turns round"
                    ));
                }
                Some((_, allowed, why)) if !allowed.contains(&need.as_str()) => {
                    sentences.push(format!("{name} depends on {need}, but {why}"));
                }
                _ => {}
            }
        }
    }
    sentences
}

fn is_guarded(graph: &Graph, switch: &str) -> bool {
    switch.split_once('/').is_some_and(|(owner, feature)| graph.is_crate(owner) && GUARDED.contains(&feature))
}

fn check_outside(graph: &Graph, name: &str) -> Vec<String> {
    if !OUTSIDE.contains(&name) {
        return vec![format!(
            "{name} has no place in the order of crates: give it one in xtask/src/tidy/arrows.rs"
        )];
    }
    check_reach(graph, name, "must build without the product")
}

fn check_reach(graph: &Graph, name: &str, rule: &str) -> Vec<String> {
    let ways = ORDER.iter().filter_map(|other| graph.way(name, other));
    ways.map(|way| format!("{name} {rule}, but reaches it: {}", way.join(" → "))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentences(members: &[(&str, &[&str], &[&str])]) -> Vec<String> {
        check(&Graph::fake(members))
    }

    #[test]
    fn arrows_that_point_down_the_order_are_silent() {
        let quiet = sentences(&[
            ("encoding", &[], &[]),
            ("crypto", &["encoding", "sha2"], &[]),
            ("protocol", &["encoding", "crypto"], &[]),
            ("simulation", &["protocol"], &["crypto/simulation"]),
            ("cli", &["simulation", "protocol"], &[]),
            ("xtask", &["serde_json"], &[]),
            ("other:sha2", &[], &[]),
        ]);
        assert_eq!(quiet, Vec::<String>::new());
    }

    #[test]
    fn an_arrow_that_turns_round_is_named() {
        let loud = sentences(&[("formats", &["protocol"], &[]), ("protocol", &[], &[])]);
        assert_eq!(
            loud,
            ["formats depends on protocol, which does not stand below it: the arrow turns round"]
        );
    }

    #[test]
    fn storage_and_paths_know_nothing_of_meaning() {
        let loud = sentences(&[
            ("protocol", &[], &[]),
            ("journal", &["protocol"], &[]),
            ("transport", &["protocol"], &[]),
        ]);
        assert_eq!(loud.len(), 2);
        assert!(loud[0].starts_with("journal depends on protocol, but it keeps bytes"));
        assert!(loud[1].starts_with("transport depends on protocol, but it carries bytes"));
    }

    #[test]
    fn a_node_does_not_contain_the_simulation() {
        let loud = sentences(&[("simulation", &[], &[]), ("node", &["simulation"], &[])]);
        assert_eq!(loud, ["node depends on simulation, but a node must not contain the world that tests it"]);
    }

    #[test]
    fn only_the_simulation_switches_on_what_weakens() {
        let loud = sentences(&[
            ("crypto", &[], &[]),
            ("protocol", &[], &["protocol/simulation"]),
            ("simulation", &[], &["crypto/simulation"]),
            ("node", &[], &["crypto/simulation", "sha2/testing"]),
        ]);
        assert_eq!(
            loud,
            [
                "node switches on crypto/simulation, which only simulation and tests may",
                "protocol switches on protocol/simulation, which only simulation and tests may",
            ]
        );
    }

    #[test]
    fn a_new_crate_must_be_given_a_place() {
        assert!(sentences(&[("helpers", &[], &[])])[0].starts_with("helpers has no place in the order"));
    }

    #[test]
    fn a_shim_is_known_to_its_owner_alone() {
        let shim: (&str, &[&str], &[&str]) = ("powercut-shim", &[], &[]);
        assert_eq!(sentences(&[shim, ("journal", &["powercut-shim"], &[])]), Vec::<String>::new());
        assert_eq!(sentences(&[shim, ("node", &["powercut-shim"], &[])]).len(), 1);
    }

    #[test]
    fn the_tasks_build_without_the_product() {
        let loud = sentences(&[
            ("encoding", &[], &[]),
            ("other:between", &["encoding"], &[]),
            ("xtask", &["between"], &[]),
        ]);
        assert_eq!(
            loud,
            ["xtask must build without the product, but reaches it: xtask → between → encoding"]
        );
    }
}
