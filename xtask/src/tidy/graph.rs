//! The dependency graph as `cargo metadata` tells it, reduced to what the rules ask.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

/// The packages of the workspace and everything that they reach.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    /// By package name; the product's crates lose their prefix: `protocol`, not `detente-protocol`.
    packages: BTreeMap<String, Package>,
}

/// One package. Names as in [`Graph`].
#[derive(Debug, Default)]
pub(crate) struct Package {
    /// Whether it is a member of the workspace.
    pub(crate) member: bool,
    /// What it needs to run or to build; dev-dependencies are not arrows of the architecture.
    pub(crate) needs: BTreeSet<String>,
    /// Features that it switches on in others for its normal build, as `crypto/simulation`.
    pub(crate) switches_on: BTreeSet<String>,
}

const PREFIX: &str = "detente-";

impl Graph {
    /// Asks cargo for the graph of the workspace at `root`.
    ///
    /// # Errors
    /// A sentence when cargo cannot be asked or answers something else.
    pub(crate) fn of_workspace(root: &Path) -> Result<Graph, String> {
        let mut cargo = crate::command::cargo(root);
        cargo.args(["metadata", "--format-version", "1", "--locked"]);
        let output = cargo.output().map_err(|error| format!("cargo cannot be started: {error}"))?;
        if !output.status.success() {
            let reason = String::from_utf8_lossy(&output.stderr);
            return Err(format!("cargo metadata --locked failed: {}", reason.trim()));
        }
        let value =
            serde_json::from_slice(&output.stdout).map_err(|error| format!("cargo metadata: {error}"))?;
        Graph::from_metadata(&value).ok_or_else(|| "cargo metadata has another shape than expected".into())
    }

    /// Reads the answer of `cargo metadata --format-version 1`.
    pub(crate) fn from_metadata(metadata: &Value) -> Option<Graph> {
        let members: BTreeSet<&str> =
            metadata["workspace_members"].as_array()?.iter().filter_map(Value::as_str).collect();
        let mut graph = Graph::default();
        let mut names = BTreeMap::new();
        for package in metadata["packages"].as_array()? {
            let (id, name) = (package["id"].as_str()?, short(package["name"].as_str()?));
            names.insert(id, name);
            let entry = graph.packages.entry(name.to_owned()).or_default();
            if members.contains(id) {
                entry.member = true;
                entry.switches_on = switched_on(package)?;
            }
        }
        for node in metadata["resolve"]["nodes"].as_array()? {
            let name = names.get(node["id"].as_str()?)?;
            for dependency in node["deps"].as_array()? {
                let kinds = dependency["dep_kinds"].as_array()?;
                if kinds.iter().any(|kind| kind["kind"] != "dev") {
                    let target = names.get(dependency["pkg"].as_str()?)?;
                    graph.packages.get_mut(*name)?.needs.insert((*target).to_owned());
                }
            }
        }
        Some(graph)
    }

    /// The members of the workspace, in order of name.
    pub(crate) fn crates(&self) -> impl Iterator<Item = (&str, &Package)> {
        self.packages.iter().filter(|(_, p)| p.member).map(|(name, package)| (name.as_str(), package))
    }

    /// Whether `name` is a member of the workspace.
    pub(crate) fn is_crate(&self, name: &str) -> bool {
        self.packages.get(name).is_some_and(|package| package.member)
    }

    /// The shortest way from `from` to `to` over what packages need, both ends included.
    pub(crate) fn way(&self, from: &str, to: &str) -> Option<Vec<String>> {
        let mut came_from: BTreeMap<String, String> = BTreeMap::new();
        let mut edge = vec![from.to_owned()];
        while !edge.is_empty() {
            let mut next = Vec::new();
            for name in edge {
                if name == to {
                    return Some(walked(&came_from, from, to));
                }
                for need in self.packages.get(&name).into_iter().flat_map(|p| &p.needs) {
                    if need != from && !came_from.contains_key(need) {
                        came_from.insert(need.clone(), name.clone());
                        next.push(need.clone());
                    }
                }
            }
            edge = next;
        }
        None
    }

    /// A graph made by hand: each line a member, what it needs, and the features it switches on.
    #[cfg(test)]
    pub(crate) fn fake(members: &[(&str, &[&str], &[&str])]) -> Graph {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let packages = members.iter().map(|(name, needs, features)| {
            let member = !name.starts_with("other:");
            let name = name.trim_start_matches("other:").to_owned();
            (name, Package { member, needs: owned(needs), switches_on: owned(features) })
        });
        Graph { packages: packages.collect() }
    }
}

fn short(name: &str) -> &str {
    name.strip_prefix(PREFIX).unwrap_or(name)
}

fn walked(came_from: &BTreeMap<String, String>, from: &str, to: &str) -> Vec<String> {
    let mut way = vec![to.to_owned()];
    let mut here = to;
    while here != from {
        here = &came_from[here];
        way.push(here.to_owned());
    }
    way.reverse();
    way
}

/// `crate/feature` for each feature that the manifest switches on in a normal or build dependency,
/// in the dependency's own line, by default, or through a feature of this package under another name.
/// A feature that passes on one of its own name decides nothing: whoever switches it on does.
fn switched_on(package: &Value) -> Option<BTreeSet<String>> {
    let mut on = BTreeSet::new();
    for dependency in package["dependencies"].as_array()? {
        let name = dependency["name"].as_str()?;
        if dependency["kind"] == "dev" {
            continue;
        }
        for feature in dependency["features"].as_array()?.iter().filter_map(Value::as_str) {
            on.insert(format!("{}/{feature}", short(name)));
        }
    }
    let own = short(package["name"].as_str()?);
    for (name, switches) in package["features"].as_object()? {
        for switch in switches.as_array()?.iter().filter_map(Value::as_str) {
            match switch.split_once('/') {
                Some((_, feature)) if feature == name => {}
                Some((other, feature)) => {
                    _ = on.insert(format!("{}/{feature}", short(other.trim_end_matches('?'))))
                }
                None if name == "default" => _ = on.insert(format!("{own}/{switch}")),
                None => {}
            }
        }
    }
    Some(on)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn metadata() -> Value {
        json!({
            "workspace_members": ["a", "b"],
            "packages": [
                {"id": "a", "name": "detente-node", "features": {"drill": ["detente-crypto/simulation"], "testing": ["detente-crypto/testing"],
                              "default": ["drill"]},
                 "dependencies": [{"name": "detente-crypto", "kind": null, "features": ["fast"]}]},
                {"id": "b", "name": "detente-crypto", "features": {},
                 "dependencies": [{"name": "detente-crypto", "kind": "dev", "features": ["simulation"]}]},
                {"id": "c", "name": "sha2", "features": {}, "dependencies": []},
            ],
            "resolve": {"nodes": [
                {"id": "a", "deps": [{"pkg": "b", "dep_kinds": [{"kind": null}]}]},
                {"id": "b", "deps": [{"pkg": "c", "dep_kinds": [{"kind": "dev"}, {"kind": "build"}]},
                                     {"pkg": "a", "dep_kinds": [{"kind": "dev"}]}]},
                {"id": "c", "deps": []},
            ]},
        })
    }

    #[test]
    fn arrows_are_normal_and_build_dependencies() {
        let graph = Graph::from_metadata(&metadata()).expect("the shape is cargo's");
        assert_eq!(graph.way("node", "sha2"), Some(vec!["node".into(), "crypto".into(), "sha2".into()]));
        assert_eq!(graph.way("crypto", "node"), None);
        assert!(graph.is_crate("crypto") && !graph.is_crate("sha2"));
    }

    #[test]
    fn features_count_by_the_line_and_by_a_feature_but_not_for_tests() {
        let graph = Graph::from_metadata(&metadata()).expect("the shape is cargo's");
        let on = |name: &str| graph.packages[name].switches_on.iter().cloned().collect::<Vec<_>>();
        assert_eq!(on("node"), ["crypto/fast", "crypto/simulation", "node/drill"]);
        assert_eq!(on("crypto"), Vec::<String>::new());
    }

    #[test]
    fn another_shape_is_refused() {
        assert!(Graph::from_metadata(&json!({"packages": []})).is_none());
    }
}
