//! One small file of each released format opens for ever.

use crate::builder::{Hostile, manifest_json};
use crate::fixed;
use vitalcast_artifact::{Artifact, FILE_EXTENSION, Manifest, SUPPORTED_FORMAT, encode_state};

fn golden(format: u16) -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(format!("format-{format}.{FILE_EXTENSION}"))
}

#[test]
fn golden_every_released_format_has_a_file_that_opens() {
    for format in 1..=SUPPORTED_FORMAT {
        Artifact::open(golden(format)).unwrap();
    }
}

#[test]
fn golden_format_1_holds_what_was_put_into_it() {
    let artifact = Artifact::open(golden(1)).unwrap();
    assert_eq!(artifact.manifest(), &fixed::manifest());
    assert_eq!(artifact.weights().unwrap(), fixed::weights());
    assert_eq!(
        artifact.decode_state::<fixed::FixedState>().unwrap(),
        fixed::state()
    );
}

#[test]
fn golden_writing_the_same_values_gives_the_same_bytes() {
    let released = std::fs::read(golden(1)).unwrap();
    assert_eq!(fixed::artifact().to_bytes().unwrap(), released);
    assert_eq!(
        Artifact::open(golden(1)).unwrap().to_bytes().unwrap(),
        released
    );
}

#[test]
fn golden_the_layout_is_the_one_drawn() {
    let sections = [
        (1, 1, manifest_json()),
        (2, 2, fixed::weights()),
        (3, 3, encode_state(&fixed::state()).unwrap()),
    ];
    let sections = sections
        .each_ref()
        .map(|(kind, codec, bytes)| (*kind, *codec, bytes.as_slice()));
    assert_eq!(
        Hostile::new(&sections).bytes(),
        std::fs::read(golden(1)).unwrap()
    );
}

#[test]
fn golden_the_manifest_is_legible_inside_the_file() {
    let released = std::fs::read(golden(1)).unwrap();
    let text = String::from_utf8_lossy(&released);
    assert!(text.contains("\"metric\": \"RESTING_HEART_RATE\""));
    assert!(text.contains("\"lookback_days\": 30"));
}

#[test]
fn a_field_added_by_a_later_release_is_passed_over() {
    let mut manifest = serde_json::to_value(fixed::manifest()).unwrap();
    manifest["added_later"] = serde_json::json!({ "deep": [1, 2, 3] });
    manifest["windows"]["embargo"] = serde_json::json!(4);
    let json = serde_json::to_vec(&manifest).unwrap();
    let artifact = Artifact::from_bytes(&Hostile::new(&[(1, 1, &json)]).bytes()).unwrap();
    assert_eq!(artifact.manifest(), &fixed::manifest());
}

#[test]
fn the_order_in_which_a_config_was_filled_does_not_show() {
    let mut config = serde_json::Map::new();
    for key in ["layers", "hidden_dim", "dropout", "bidirectional"] {
        config.insert(key.to_owned(), fixed::manifest().config[key].clone());
    }
    let manifest = Manifest {
        config: config.into(),
        ..fixed::manifest()
    };
    assert_eq!(
        Artifact::new(manifest, None, &())
            .unwrap()
            .to_bytes()
            .unwrap(),
        Artifact::new(fixed::manifest(), None, &())
            .unwrap()
            .to_bytes()
            .unwrap(),
    );
}
