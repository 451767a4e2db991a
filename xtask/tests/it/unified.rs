//! Whatever is built, a dependency has the same features, so that nothing is compiled twice.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::cargo;

/// Every set of features that a dependency has within one selection of packages: one, or another one
/// where it runs at build time.
type Variants = BTreeMap<String, BTreeSet<String>>;

/// Not held to it: `vitalcast-client` is embedded alone, without the dependencies of the others.
const ALONE: &str = "vitalcast-client";

fn packages() -> Vec<String> {
    let text = cargo(&["metadata", "--no-deps", "--format-version", "1"]);
    let metadata: Value = serde_json::from_str(&text).unwrap();
    let packages = metadata["packages"].as_array().unwrap().iter();
    packages
        .map(|package| package["name"].as_str().unwrap().to_owned())
        .filter(|name| name != ALONE)
        .collect()
}

/// Dependencies with their features, of lines such as `libc v0.2.191|default,std (*)`.
fn read(tree: &str) -> Variants {
    let mut variants = Variants::new();
    for (package, features) in tree.lines().filter_map(|line| line.split_once('|')) {
        // The name and the version; for a package of ours its folder follows.
        let name: Vec<&str> = package.split_whitespace().take(2).collect();
        let features = features.trim_end_matches(" (*)");
        variants
            .entry(name.join(" "))
            .or_default()
            .insert(features.to_owned());
    }
    variants
}

fn resolved(selection: &[&str], edges: &str) -> Variants {
    let mut arguments = vec!["tree", "--prefix", "none", "--format", "{p}|{f}"];
    arguments.extend(["--edges", edges]);
    arguments.extend(selection);
    read(&cargo(&arguments))
}

/// Dependencies that have other features in one selection than in another, in words.
fn differences(selections: &BTreeMap<String, Variants>) -> Vec<String> {
    let mut all = Variants::new();
    for variants in selections.values() {
        for (dependency, sets) in variants {
            all.entry(dependency.clone())
                .or_default()
                .extend(sets.clone());
        }
    }
    let mut found = Vec::new();
    for (dependency, sets) in all {
        let of = |variants: &Variants| variants.get(&dependency).cloned();
        if selections.values().filter_map(of).any(|own| own == sets) {
            continue;
        }
        found.push(format!(
            "{dependency} has not the same features everywhere:"
        ));
        for set in sets {
            let with = |variants: &Variants| of(variants).is_some_and(|own| own.contains(&set));
            let names: Vec<&str> = selections
                .iter()
                .filter(|(_, variants)| with(variants))
                .map(|(name, _)| name.as_str())
                .collect();
            found.push(format!("    [{set}] in {}", names.join(", ")));
        }
    }
    found
}

/// What cargo resolves for the workspace and for each of its packages, with and without tests. What runs
/// at build time may have features of its own; among what is part of the programs nothing may.
fn all_selections() -> [BTreeMap<String, Variants>; 2] {
    let mut wanted = vec![("the workspace".to_owned(), vec!["--workspace".to_owned()])];
    for package in packages() {
        wanted.push((package.clone(), vec!["--package".to_owned(), package]));
    }
    std::thread::scope(|scope| {
        let threads: Vec<_> = wanted
            .chunks(wanted.len().div_ceil(4))
            .map(|chunk| {
                scope.spawn(move || {
                    let (mut all, mut programs) = (Vec::new(), Vec::new());
                    for (name, selection) in chunk {
                        let selection: Vec<&str> = selection.iter().map(String::as_str).collect();
                        let of = |edges| resolved(&selection, edges);
                        all.push((name.clone(), of("normal,build")));
                        all.push((format!("tests of {name}"), of("normal,build,dev")));
                        programs.push((name.clone(), of("normal,no-proc-macro")));
                    }
                    (all, programs)
                })
            })
            .collect();
        let mut found = [BTreeMap::new(), BTreeMap::new()];
        for thread in threads {
            let (all, programs) = thread.join().unwrap();
            found[0].extend(all);
            found[1].extend(programs);
        }
        found
    })
}

#[test]
fn a_dependency_has_the_same_features_whatever_is_built() {
    for selections in all_selections() {
        let found = differences(&selections);
        assert!(
            found.is_empty(),
            "name the larger set in crates/unified/Cargo.toml, or, where the crate that wants it \
             names the dependency itself, in [workspace.dependencies]:\n{}",
            found.join("\n")
        );
    }
}

#[test]
fn the_programs_contain_no_burn_unless_asked_for() {
    let of = |features: &[&str]| {
        let selection = [
            "--package",
            "vitalcast-cli",
            "--package",
            "vitalcast-server",
        ];
        let tree = resolved(&[&selection[..], features].concat(), "normal,build");
        tree.keys().filter(|name| name.starts_with("burn")).count()
    };
    assert_eq!(of(&[]), 0);
    // It is found where it is.
    assert!(of(&["--features", "vitalcast-cli/ndarray"]) > 5);
}

#[test]
fn a_dependency_with_other_features_in_one_selection_is_found() {
    let selections = |with: &str, without: &str| {
        BTreeMap::from([
            ("with".to_owned(), read(with)),
            ("without".to_owned(), read(without)),
        ])
    };
    let found = differences(&selections(
        "libc v0.2.191|default,std",
        "libc v0.2.191|default",
    ));
    assert_eq!(
        found,
        [
            "libc v0.2.191 has not the same features everywhere:",
            "    [default] in without",
            "    [default,std] in with"
        ]
    );
    // The same features, one of two versions, or a variant that runs at build time are no difference.
    for without in [
        "libc v0.2.191|default,std (*)",
        "libc v0.1.0|default",
        "libc v0.2.191|default\nlibc v0.2.191|default,std",
    ] {
        let found = differences(&selections("libc v0.2.191|default,std", without));
        assert!(found.is_empty(), "{found:?}");
    }
}
