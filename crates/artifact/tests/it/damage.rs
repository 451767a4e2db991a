//! Damage by accident: every flipped bit, every missing end, anything appended.

use crate::fixed;
use vitalcast_artifact::{Artifact, ArtifactError};

#[test]
fn every_single_bit_flip_is_refused() {
    let good = fixed::artifact().to_bytes().unwrap();
    let mut file = good.clone();
    let mut mismatches = 0;
    for bit in 0..good.len() * 8 {
        file[bit / 8] ^= 1 << (bit % 8);
        let error = Artifact::from_bytes(&file).expect_err("a flipped bit");
        // Magic, version and length are looked at before the hash and say so themselves.
        match (bit / 8, error) {
            (0..8, ArtifactError::NotAnArtifact)
            | (8..10, ArtifactError::FormatTooNew { .. } | ArtifactError::FormatTooOld { .. })
            | (16..24, ArtifactError::Truncated { .. } | ArtifactError::TrailingBytes { .. }) => {}
            (10..16 | 24.., ArtifactError::HashMismatch { .. }) => mismatches += 1,
            (byte, other) => panic!("bit {} of byte {byte}: {other:?}", bit % 8),
        }
        file[bit / 8] ^= 1 << (bit % 8);
    }
    assert_eq!(file, good);
    assert_eq!(mismatches, (good.len() - 18) * 8);
}

#[test]
fn every_truncation_is_refused_as_truncation() {
    let good = fixed::artifact().to_bytes().unwrap();
    for length in 0..good.len() {
        match Artifact::from_bytes(&good[..length]) {
            Err(ArtifactError::Truncated { expected, found }) => {
                assert_eq!(found, length as u64);
                assert!(expected > found);
            }
            other => panic!("{length} of {} bytes: {other:?}", good.len()),
        }
    }
}

#[test]
fn trailing_bytes_are_refused() {
    let good = fixed::artifact().to_bytes().unwrap();
    for extra in [1, 7, 32, 5000] {
        let mut file = good.clone();
        file.resize(good.len() + extra, 0);
        let error = Artifact::from_bytes(&file).unwrap_err();
        assert!(
            matches!(error, ArtifactError::TrailingBytes { expected, found }
                if expected == good.len() as u64 && found - expected == extra as u64),
            "{error:?}"
        );
    }
}

#[test]
fn two_artifacts_in_a_row_are_refused() {
    let good = fixed::artifact().to_bytes().unwrap();
    let twice = [good.clone(), good].concat();
    assert!(matches!(
        Artifact::from_bytes(&twice),
        Err(ArtifactError::TrailingBytes { .. })
    ));
}

#[test]
fn other_files_are_not_artifacts() {
    for other in [
        &b"PK\x03\x04 a zip file"[..],
        b"{\"format\": 1}",
        b"\x89PNG\r\n\x1a\n",
        &[0; 4096],
    ] {
        assert!(matches!(
            Artifact::from_bytes(other),
            Err(ArtifactError::NotAnArtifact)
        ));
    }
}

#[test]
fn a_copy_through_a_text_mode_is_recognised() {
    let good = fixed::artifact().to_bytes().unwrap();
    let lossy: Vec<u8> = good.iter().copied().filter(|&byte| byte != b'\r').collect();
    assert!(matches!(
        Artifact::from_bytes(&lossy),
        Err(ArtifactError::NotAnArtifact)
    ));
}
