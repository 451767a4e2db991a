//! A crate depends only on lower layers, never sideways, and heavy dependencies have one home.

use serde_json::{Value, json};

use crate::{cargo, root};

/// Every package of `crates/` and `bins/` and its layer; the same table stands in
/// `ARCHITECTURE.md`. Packages not here (benches, fuzz, xtask) are above all and nobody's dependency.
const LAYERS: [(&str, u8); 18] = [
    ("vitalcast-domain", 0),
    ("vitalcast-evaluation", 0),
    ("vitalcast-models", 1),
    ("vitalcast-windows", 1),
    ("vitalcast-client", 1),
    ("vitalcast-features", 1),
    ("vitalcast-import", 1),
    ("vitalcast-artifact", 1),
    ("vitalcast-store", 1),
    ("vitalcast-charts", 1),
    ("vitalcast-cohort", 2),
    ("vitalcast-pooled", 2),
    ("vitalcast-inference", 3),
    ("vitalcast-training", 4),
    ("vitalcast-insight", 4),
    ("vitalcast", 5),
    ("vitalcast-server", 6),
    ("vitalcast-cli", 6),
];

/// Below every layer: no code, only features of dependencies. Everyone but `vitalcast-client`, which is
/// embedded alone, depends on it.
const UNIFIED: &str = "vitalcast-unified";

/// Above every layer: they may use anything, and no crate may use them.
const OUTSIDE: [&str; 3] = ["vitalcast-benches", "vitalcast-fuzz", "xtask"];

/// Who may name a dependency, by the first part of its name (`clap` stands for `clap_complete`
/// too). Also for tests, so that no test reaches behind a seam; `vitalcast-benches` may name any.
const HOMES: [(&str, &[&str]); 11] = [
    ("burn", &["vitalcast-models"]),
    ("arrow", &["vitalcast-cohort"]),
    ("parquet", &["vitalcast-cohort"]),
    // Phones and watches export databases; they are only read, and made for fuzzing.
    (
        "rusqlite",
        &["vitalcast-import", "vitalcast-store", "vitalcast-fuzz"],
    ),
    ("sqlx", &["vitalcast-store"]),
    ("axum", &["vitalcast-server"]),
    ("clap", &["vitalcast-cli", "vitalcast-server"]),
    ("bincode", &["vitalcast-artifact"]),
    ("plotters", &["vitalcast-charts"]),
    ("redis", &["vitalcast-server"]),
    // Libraries have an error enum each.
    ("anyhow", &["vitalcast-cli", "vitalcast-server", "xtask"]),
];

fn layer_of(name: &str) -> Option<u8> {
    LAYERS
        .iter()
        .find(|(package, _)| *package == name)
        .map(|(_, layer)| *layer)
}

fn metadata() -> Value {
    let text = cargo(&["metadata", "--no-deps", "--format-version", "1"]);
    serde_json::from_str(&text).unwrap()
}

/// Whether `dependency` is `family` or one of its parts, as `burn-nn` is of `burn`.
fn belongs_to(dependency: &str, family: &str) -> bool {
    dependency
        .strip_prefix(family)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '_']))
}

/// Every place where `metadata` breaks a rule, in words.
fn violations(metadata: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        let layer = layer_of(name);
        if layer.is_none() && !OUTSIDE.contains(&name) && name != UNIFIED {
            found.push(format!(
                "{name} has no layer: give it one in this test and in ARCHITECTURE.md"
            ));
        }
        for dependency in package["dependencies"].as_array().unwrap() {
            let below = dependency["name"].as_str().unwrap();
            let is_dev = dependency["kind"] == "dev";
            if name == UNIFIED && layer_of(below).is_some() {
                found.push(format!("{name} must not depend on {below}"));
            }
            if OUTSIDE.contains(&below) {
                found.push(format!("{name} must not depend on {below}"));
            }
            if let (Some(layer), Some(lower), false) = (layer, layer_of(below), is_dev)
                && lower >= layer
            {
                found.push(format!(
                    "{name} (layer {layer}) must not depend on {below} (layer {lower})"
                ));
            }
            for (family, homes) in HOMES {
                if belongs_to(below, family) && !homes.contains(&name) && name != OUTSIDE[0] {
                    found.push(format!("{name} must not name {below}, only {homes:?} may"));
                }
            }
        }
    }
    found
}

/// Violations of a workspace of one package with one dependency.
fn violations_of(package: &str, dependency: &str, kind: Option<&str>) -> Vec<String> {
    violations(&json!({"packages": [
        {"name": package, "dependencies": [{"name": dependency, "kind": kind}]}
    ]}))
}

#[test]
fn every_crate_keeps_to_its_layer_and_every_heavy_dependency_to_its_home() {
    let found = violations(&metadata());
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn architecture_shows_the_layers_enforced_here() {
    let text = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let metadata = metadata();
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        let Some(layer) = layer_of(name) else {
            continue;
        };
        let manifest = package["manifest_path"].as_str().unwrap();
        let folder = std::path::Path::new(manifest).parent().unwrap();
        let folder = folder.strip_prefix(root()).unwrap();
        let shown = folder.strip_prefix("crates").unwrap_or(folder).display();
        let row = format!("| {layer} | `{shown}` |");
        assert!(
            text.contains(&row),
            "ARCHITECTURE.md has no row that starts with: {row}"
        );
    }
}

#[test]
fn a_crate_that_reaches_up_is_found() {
    assert_eq!(
        violations_of("vitalcast-domain", "vitalcast-store", None),
        ["vitalcast-domain (layer 0) must not depend on vitalcast-store (layer 1)"]
    );
}

#[test]
fn a_crate_that_reaches_sideways_is_found() {
    assert_eq!(
        violations_of("vitalcast-evaluation", "vitalcast-windows", None).len(),
        1
    );
    assert_eq!(
        violations_of("vitalcast-evaluation", "vitalcast-windows", Some("build")).len(),
        1
    );
}

#[test]
fn tests_may_reach_sideways_but_not_behind_a_seam() {
    assert!(violations_of("vitalcast-evaluation", "vitalcast-windows", Some("dev")).is_empty());
    assert_eq!(
        violations_of("vitalcast-import", "parquet", Some("dev")).len(),
        1
    );
}

#[test]
fn a_part_of_a_family_has_the_same_home() {
    assert_eq!(violations_of("vitalcast", "burn-tensor", None).len(), 1);
    assert_eq!(
        violations_of("vitalcast-import", "clap_complete", None).len(),
        1
    );
    assert!(violations_of("vitalcast-cli", "clap_mangen", None).is_empty());
    assert!(violations_of("vitalcast-cli", "burnish", None).is_empty());
}

#[test]
fn the_crate_below_all_layers_stays_below() {
    assert_eq!(violations_of(UNIFIED, "vitalcast-domain", None).len(), 1);
    assert!(violations_of("vitalcast-domain", UNIFIED, None).is_empty());
}

#[test]
fn benches_may_name_anything_and_are_named_by_nobody() {
    assert!(violations_of("vitalcast-benches", "burn", Some("dev")).is_empty());
    assert_eq!(
        violations_of("vitalcast-cli", "vitalcast-benches", Some("dev")).len(),
        1
    );
}

#[test]
fn a_new_crate_needs_a_layer() {
    assert_eq!(violations_of("vitalcast-novelty", "serde", None).len(), 1);
}
