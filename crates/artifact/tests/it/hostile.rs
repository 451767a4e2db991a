//! Damage on purpose: files whose hash is right and whose structure lies.

use crate::builder::{Hostile, manifest_json};
use crate::fixed;
use vitalcast_artifact::{Artifact, ArtifactError, MAX_ARTIFACT_BYTES};

#[track_caller]
fn refused(hostile: &Hostile) -> ArtifactError {
    Artifact::from_bytes(&hostile.bytes()).expect_err("a hostile file")
}

fn with_manifest_and_state() -> Hostile {
    Hostile::new(&[(1, 1, &manifest_json()), (3, 3, &[7; 16])])
}

#[test]
fn the_unchanged_file_is_accepted() {
    let artifact = Artifact::from_bytes(&with_manifest_and_state().bytes()).unwrap();
    assert_eq!(
        artifact.decode_state::<[u64; 2]>().unwrap(),
        [0x0707_0707_0707_0707; 2]
    );
}

#[test]
fn a_newer_version_is_refused_as_such() {
    for version in [2, 3, u16::MAX] {
        let mut file = with_manifest_and_state();
        file.version = version;
        assert!(matches!(
            refused(&file),
            ArtifactError::FormatTooNew { found, newest: 1 } if found == version
        ));
    }
}

#[test]
fn version_0_is_refused() {
    let mut file = with_manifest_and_state();
    file.version = 0;
    assert!(matches!(
        refused(&file),
        ArtifactError::FormatTooOld {
            found: 0,
            oldest: 1
        }
    ));
}

#[test]
fn unknown_flags_are_refused() {
    let mut file = with_manifest_and_state();
    file.flags = 0x8001;
    assert!(matches!(
        refused(&file),
        ArtifactError::UnknownFlags { flags: 0x8001 }
    ));
}

#[test]
fn a_wrong_total_length_is_refused() {
    let length = with_manifest_and_state().bytes().len() as u64;
    for (total, truncated) in [
        (0, false),
        (length - 1, false),
        (length + 1, true),
        (MAX_ARTIFACT_BYTES, true),
        (u64::MAX, true),
    ] {
        let mut file = with_manifest_and_state();
        file.total = Some(total);
        let error = refused(&file);
        let named = if truncated {
            matches!(error, ArtifactError::Truncated { expected, .. } if expected == total)
        } else {
            matches!(error, ArtifactError::TrailingBytes { expected, .. } if expected == total)
        };
        assert!(named, "{total}: {error:?}");
    }
}

#[test]
fn a_file_too_small_for_any_section_is_truncated() {
    let file = Hostile::new(&[]);
    assert_eq!(file.bytes().len(), 56);
    assert!(matches!(
        refused(&file),
        ArtifactError::Truncated {
            expected: 76,
            found: 56
        }
    ));
}

#[test]
fn section_counts_that_do_not_fit_are_refused() {
    for count in [0, 9, 1000, u32::MAX] {
        let mut file = with_manifest_and_state();
        file.count = Some(count);
        assert!(matches!(
            refused(&file),
            ArtifactError::SectionCount { found, most: 8 } if found == count
        ));
    }
    let mut small = Hostile::new(&[(3, 3, b"")]);
    small.count = Some(2);
    assert!(matches!(
        refused(&small),
        ArtifactError::SectionCount { found: 2, most: 1 }
    ));
}

#[test]
fn a_count_that_hides_a_section_leaves_a_gap() {
    let mut file = with_manifest_and_state();
    file.count = Some(1);
    assert!(matches!(
        refused(&file),
        ArtifactError::SectionGap {
            section: "manifest",
            offset: 64,
            expected: 44
        }
    ));
}

#[test]
fn a_duplicate_section_is_refused() {
    let file = Hostile::new(&[(1, 1, &manifest_json()), (1, 1, &manifest_json())]);
    assert!(matches!(
        refused(&file),
        ArtifactError::DuplicateSection {
            section: "manifest"
        }
    ));
}

#[test]
fn overlapping_sections_are_refused() {
    let mut file = with_manifest_and_state();
    file.entries[1].offset -= 4;
    assert!(matches!(
        refused(&file),
        ArtifactError::SectionOverlap {
            section: "state",
            ..
        }
    ));
    let mut file = with_manifest_and_state();
    file.entries[1] = crate::builder::Entry {
        kind: 3,
        codec: 3,
        ..file.entries[0]
    };
    assert!(matches!(
        refused(&file),
        ArtifactError::SectionOverlap {
            section: "state",
            offset: 64,
            ..
        }
    ));
}

#[test]
fn a_section_over_the_header_or_table_is_refused() {
    for offset in [0, 23, 24, 63] {
        let mut file = with_manifest_and_state();
        file.entries[0].offset = offset;
        assert!(matches!(
            refused(&file),
            ArtifactError::SectionOverlap {
                section: "manifest",
                expected: 64,
                ..
            }
        ));
    }
}

#[test]
fn bytes_between_sections_and_before_the_hash_are_refused() {
    let mut file = with_manifest_and_state();
    file.entries[0].length -= 1;
    assert!(matches!(
        refused(&file),
        ArtifactError::SectionGap {
            section: "state",
            ..
        }
    ));
    let mut file = with_manifest_and_state();
    file.contents.push(0);
    assert!(matches!(
        refused(&file),
        ArtifactError::SectionGap {
            section: "hash",
            ..
        }
    ));
}

#[test]
fn sections_out_of_bounds_are_refused() {
    let end = with_manifest_and_state().bytes().len() as u64 - 32;
    for (offset, length) in [
        (end, 1),
        (end - 16, 17),
        (end - 16, 48),
        (end + 1, 0),
        (64, u64::MAX),
        (u64::MAX, 1),
        (u64::MAX, u64::MAX),
        (1 << 63, 1 << 63),
    ] {
        let mut file = with_manifest_and_state();
        file.entries[1].offset = offset;
        file.entries[1].length = length;
        assert!(
            matches!(
                refused(&file),
                ArtifactError::SectionOutOfBounds { section: "state", offset: o, length: l, end: e }
                    if (o, l, e) == (offset, length, end)
            ),
            "{offset} {length}"
        );
    }
}

#[test]
fn sections_out_of_order_are_refused() {
    let mut file = with_manifest_and_state();
    file.entries.swap(0, 1);
    assert!(matches!(refused(&file), ArtifactError::SectionGap { .. }));
}

#[test]
fn an_unknown_section_is_refused() {
    for kind in [0, 4, u16::MAX] {
        let file = Hostile::new(&[(1, 1, &manifest_json()), (kind, 1, b"x")]);
        assert!(matches!(
            refused(&file),
            ArtifactError::UnknownSection { kind: found } if found == kind
        ));
    }
}

#[test]
fn an_unknown_or_misplaced_codec_is_refused() {
    for (kind, codec, name) in [
        (1, 3, "manifest"),
        (2, 1, "weights"),
        (3, 4, "state"),
        (3, 0, "state"),
    ] {
        let file = Hostile::new(&[(kind, codec, b"x")]);
        assert!(matches!(
            refused(&file),
            ArtifactError::UnknownCodec { section, codec: found, expected }
                if section == name && found == codec && expected == kind
        ));
    }
}

#[test]
fn a_file_without_manifest_is_refused() {
    let file = Hostile::new(&[(2, 2, &fixed::weights()), (3, 3, &[])]);
    assert!(matches!(
        refused(&file),
        ArtifactError::SectionMissing {
            section: "manifest"
        }
    ));
}

#[test]
fn a_manifest_that_is_no_json_is_refused() {
    let mut doubled = manifest_json();
    doubled.extend_from_slice(b"{}");
    let nested = "[".repeat(200_000);
    for json in [
        &b""[..],
        b"{",
        b"{}",
        b"null",
        b"\xff",
        nested.as_bytes(),
        &doubled,
    ] {
        assert!(matches!(
            refused(&Hostile::new(&[(1, 1, json)])),
            ArtifactError::BadManifest { .. }
        ));
    }
}

#[test]
fn a_manifest_over_a_mebibyte_is_refused_before_parsing() {
    let json = vec![b'['; 1024 * 1024 + 1];
    assert!(matches!(
        refused(&Hostile::new(&[(1, 1, &json)])),
        ArtifactError::SectionTooLarge {
            section: "manifest",
            ..
        }
    ));
}

#[test]
fn every_field_of_a_manifest_without_a_null_is_needed() {
    let manifest = serde_json::to_value(fixed::manifest()).unwrap();
    for field in manifest.as_object().unwrap().keys() {
        if ["skill", "baseline_name", "baseline_mae"].contains(&field.as_str()) {
            continue;
        }
        let mut without = manifest.clone();
        without.as_object_mut().unwrap().remove(field);
        let json = serde_json::to_vec(&without).unwrap();
        let error = refused(&Hostile::new(&[(1, 1, &json)]));
        assert!(
            matches!(error, ArtifactError::BadManifest { .. }),
            "{field}: {error:?}"
        );
    }
}

#[test]
fn an_unknown_word_in_a_manifest_is_refused() {
    let mut manifest = serde_json::to_value(fixed::manifest()).unwrap();
    manifest["architecture"] = "../../etc/passwd".into();
    let json = serde_json::to_vec(&manifest).unwrap();
    assert!(matches!(
        refused(&Hostile::new(&[(1, 1, &json)])),
        ArtifactError::UnknownWord { .. }
    ));
}

#[test]
fn a_kind_of_a_newer_release_was_an_error_of_json() {
    for (field, word) in [("architecture", "transformer"), ("metric", "MOOD")] {
        let mut manifest = serde_json::to_value(fixed::manifest()).unwrap();
        manifest[field] = word.into();
        let json = serde_json::to_vec(&manifest).unwrap();
        let error = refused(&Hostile::new(&[(1, 1, &json)])).to_string();
        for part in [field, word, "use a newer release"] {
            assert!(error.contains(part), "{error}");
        }
    }
}

#[test]
fn weights_that_are_not_safetensors_are_refused() {
    for weights in [&b""[..], b"abc", &[0; 100]] {
        let file = Hostile::new(&[(1, 1, &manifest_json()), (2, 2, weights)]);
        assert!(matches!(refused(&file), ArtifactError::BadWeights { .. }));
    }
}

/// A state that claims lengths no memory could hold, at every depth a state may have one.
#[test]
fn bincode_bombs_are_refused() {
    type Deep = std::collections::BTreeMap<String, Vec<Vec<Option<String>>>>;
    for claimed in [u64::MAX, 1 << 60, 1 << 40, 1 << 26, 1 << 21] {
        let claimed = claimed.to_le_bytes();
        let one = 1_u64.to_le_bytes();
        let mut deep = [one, 0_u64.to_le_bytes(), one, one].concat();
        deep.push(1);
        deep.extend_from_slice(&claimed);
        for bomb in [
            claimed.to_vec(),
            [one, claimed].concat(),
            [one, 0_u64.to_le_bytes(), claimed].concat(),
            [one, 0_u64.to_le_bytes(), one, claimed].concat(),
            deep,
        ] {
            let file = Hostile::new(&[(1, 1, &manifest_json()), (3, 3, &bomb)]);
            let artifact = Artifact::from_bytes(&file.bytes()).unwrap();
            assert!(matches!(
                artifact.decode_state::<Deep>(),
                Err(ArtifactError::StateLimit { .. } | ArtifactError::BadState { .. })
            ));
            assert!(matches!(
                artifact.decode_state::<String>(),
                Err(ArtifactError::StateLimit { .. }
                    | ArtifactError::BadState { .. }
                    | ArtifactError::StateNotConsumed { .. })
            ));
        }
    }
}

#[test]
fn a_state_with_bytes_left_over_is_refused() {
    let file = Hostile::new(&[(1, 1, &manifest_json()), (3, 3, &[0; 12])]);
    let artifact = Artifact::from_bytes(&file.bytes()).unwrap();
    assert!(matches!(
        artifact.decode_state::<u64>(),
        Err(ArtifactError::StateNotConsumed {
            consumed: 8,
            length: 12
        })
    ));
}

#[test]
fn a_state_of_another_type_is_refused() {
    let artifact = Artifact::new(fixed::manifest(), None, &(true, "text")).unwrap();
    for error in [
        artifact.decode_state::<fixed::FixedState>().unwrap_err(),
        artifact.decode_state::<(u8, u64)>().unwrap_err(),
    ] {
        assert!(matches!(
            error,
            ArtifactError::BadState { .. } | ArtifactError::StateNotConsumed { .. }
        ));
    }
}

#[test]
fn an_artifact_without_state_says_so() {
    let file = Hostile::new(&[(1, 1, &manifest_json())]);
    let artifact = Artifact::from_bytes(&file.bytes()).unwrap();
    assert!(matches!(
        artifact.decode_state::<u8>(),
        Err(ArtifactError::SectionMissing { section: "state" })
    ));
}
