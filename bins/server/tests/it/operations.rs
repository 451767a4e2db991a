//! What operators are given says what is true of the service.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use vitalcast_server::{Config, Overrides};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

fn is_part(character: char) -> bool {
    character.is_ascii_lowercase() || character == '_'
}

/// Every name of a metric in a text, without the endings of a histogram's series.
fn metric_names(text: &str) -> BTreeSet<String> {
    text.split(|character: char| !is_part(character))
        .filter(|word| word.starts_with("vitalcast_") && !word.ends_with('_'))
        .map(|word| {
            ["_bucket", "_sum", "_count"]
                .into_iter()
                .find_map(|ending| word.strip_suffix(ending))
                .unwrap_or(word)
                .to_owned()
        })
        .collect()
}

/// Every metric the code names: texts that are such a name and nothing else. Names of crates are not
/// between quotes.
fn exported_metrics() -> BTreeSet<String> {
    let mut code = String::new();
    for folder in ["bins/server/src", "crates/vitalcast/src"] {
        sources(&root().join(folder), &mut code);
    }
    code.split('"')
        .filter(|word| word.starts_with("vitalcast_") && word.chars().all(is_part))
        .map(str::to_owned)
        .collect()
}

fn sources(folder: &Path, text: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, text);
        } else {
            text.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn dashboard_and_alerts_name_metrics_that_there_are() {
    let known = exported_metrics();
    assert!(known.len() > 5, "{known:?}");
    for file in [
        "deploy/grafana-dashboard.json",
        "deploy/prometheus-alerts.yml",
    ] {
        let named = metric_names(&read(file));
        assert!(named.len() > 2, "{file} names {named:?}");
        let unknown: Vec<_> = named.difference(&known).collect();
        assert!(unknown.is_empty(), "{file} names {unknown:?}");
    }
    serde_json::from_str::<serde_json::Value>(&read("deploy/grafana-dashboard.json")).unwrap();
}

#[test]
fn the_example_configuration_is_the_default_one() {
    let file = root().join("examples/service/vitalcast-server.toml");
    let loaded = Config::load(Some(&file), &Overrides::default()).unwrap();
    assert_eq!(loaded, Config::default());
}

#[test]
fn the_example_configuration_names_every_setting() {
    let text = read("examples/service/vitalcast-server.toml");
    let shown = serde_json::to_value(Config::default()).unwrap();
    for (name, value) in shown.as_object().unwrap() {
        assert!(text.contains(name.as_str()), "{name}");
        for inner in value
            .as_object()
            .into_iter()
            .flat_map(|fields| fields.keys())
        {
            assert!(text.contains(inner.as_str()), "{name}.{inner}");
        }
    }
}

#[test]
fn the_guide_names_every_setting_with_its_default_and_every_metric() {
    let text = read("docs/service.md");
    let shown = serde_json::to_value(Config::default()).unwrap();
    let check = |name: String, value: &serde_json::Value| {
        let row = text
            .lines()
            .find(|line| line.starts_with(&format!("| `{name}` |")));
        let row = row.unwrap_or_else(|| panic!("{name} has no row"));
        let is_plain = value.is_number() || value.is_string() && name != "data_dir";
        let shown = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        assert!(
            !is_plain || row.contains(&format!("| `{shown}` |")),
            "{row}"
        );
    };
    for (name, value) in shown.as_object().unwrap() {
        match value.as_object() {
            None => check(name.clone(), value),
            Some(fields) => {
                for (inner, value) in fields {
                    check(format!("{name}.{inner}"), value);
                }
            }
        }
    }
    for name in exported_metrics() {
        assert!(text.contains(&format!("`{name}`")), "{name}");
    }
}
