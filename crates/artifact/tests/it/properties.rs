//! What holds for any bytes and any values.

use crate::builder::{Entry, Hostile, manifest_json};
use crate::fixed;
use proptest::prelude::*;
use std::collections::BTreeMap;
use vitalcast_artifact::{
    Artifact, Calibration, LeadCalibration, Manifest, ReportedMetrics, ResidualQuantile,
    WindowCounts, decode_state, encode_state,
};
use vitalcast_domain::{ModelArchitecture, PredictionMetric};
use vitalcast_evaluation::highest_level;

fn finite() -> impl Strategy<Value = f64> {
    any::<f64>().prop_filter("finite", |value| value.is_finite())
}

fn error_measure() -> impl Strategy<Value = Option<f64>> {
    prop::option::of(finite().prop_map(f64::abs))
}

fn json(depth: u32) -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<u64>().prop_map(Into::into),
        finite().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    leaf.prop_recursive(depth, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            prop::collection::btree_map(any::<String>(), inner, 0..4)
                .prop_map(|fields| serde_json::Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn lead() -> impl Strategy<Value = (usize, f64, Vec<f64>)> {
    (
        1_usize..1000,
        finite().prop_map(f64::abs),
        prop::collection::vec(0.0_f64..10.0, 0..6),
    )
}

fn calibration() -> impl Strategy<Value = Calibration> {
    prop::collection::vec(lead(), 0..=7).prop_map(|leads| Calibration {
        leads: leads
            .into_iter()
            .enumerate()
            .map(|(index, (residual_count, mae, steps))| {
                let mut width = 0.0;
                let quantiles = steps
                    .iter()
                    .enumerate()
                    .map(|(rank, step)| {
                        width += step;
                        ResidualQuantile {
                            level: (rank + 1) as f64 / 7.0,
                            lower: -width / 3.0,
                            upper: width,
                        }
                    })
                    .collect();
                LeadCalibration {
                    lead_days: index + 1,
                    residual_count,
                    mae,
                    quantiles,
                }
            })
            .collect(),
    })
}

fn outcome() -> impl Strategy<Value = ReportedMetrics> {
    (
        [error_measure(), error_measure(), error_measure()],
        [finite().prop_map(f64::abs), finite().prop_map(f64::abs)],
        [error_measure(), error_measure()],
        prop::option::of(finite()),
        any::<usize>(),
        any::<bool>(),
    )
        .prop_map(
            |(losses, errors, relative, r2_score, epochs_trained, early_stopped)| {
                let [train_loss, val_loss, best_val_loss] = losses;
                let [mae, rmse] = errors;
                let [mape, mase] = relative;
                ReportedMetrics {
                    train_loss,
                    val_loss,
                    best_val_loss,
                    mae,
                    rmse,
                    r2_score,
                    mape,
                    mase,
                    epochs_trained,
                    early_stopped,
                }
            },
        )
}

prop_compose! {
    fn manifest()(
        metric in prop::sample::select(PredictionMetric::ALL.to_vec()),
        architecture in prop::sample::select(ModelArchitecture::ALL.to_vec()),
        config in json(4),
        features in prop::collection::btree_set("[a-z_]{1,40}", 0..60),
        request in json(2),
        (lookback_days, horizon_days, history_days) in (1_usize..=366, 1_usize..=7, 1_usize..4000),
        calibration in calibration(),
        counts in any::<[usize; 4]>(),
        metrics in outcome(),
        (skill, baseline_mae) in (prop::option::of(finite()), error_measure()),
        baseline_name in prop::option::of(any::<String>()),
        quality_issues in prop::collection::vec(any::<String>(), 0..3),
        (seed, threads) in (any::<u64>(), 1_usize..1000),
    ) -> Manifest {
        let [train, validation, calibration_windows, test] = counts;
        Manifest {
            metric,
            architecture,
            config,
            feature_names: features.into_iter().collect(),
            request,
            lookback_days,
            horizon_days,
            history_days,
            calibration,
            windows: WindowCounts { train, validation, calibration: calibration_windows, test },
            metrics,
            skill,
            baseline_name,
            baseline_mae,
            is_production_ready: quality_issues.is_empty(),
            quality_issues,
            seed,
            threads,
            ..fixed::manifest()
        }
    }
}

type State = (BTreeMap<String, Vec<f64>>, Option<i64>, Vec<(bool, String)>);

fn state() -> impl Strategy<Value = State> {
    (
        prop::collection::btree_map(any::<String>(), prop::collection::vec(finite(), 0..5), 0..5),
        any::<Option<i64>>(),
        prop::collection::vec(any::<(bool, String)>(), 0..5),
    )
}

/// Whatever comes out, nothing panics on the way, and what is accepted can be written again.
fn read(file: &[u8]) -> Result<(), TestCaseError> {
    if let Ok(artifact) = Artifact::from_bytes(file) {
        let _ = artifact.decode_state::<State>();
        let _ = artifact.decode_state::<fixed::FixedState>();
        prop_assert!(artifact.to_bytes().is_ok());
    }
    Ok(())
}

proptest! {
    #[test]
    fn intervals_from_residuals_are_nested_and_widen_with_the_lead(
        residuals in prop::collection::vec(prop::collection::vec(-50.0_f64..50.0, 1..40), 1..=7),
        (low, high) in (0.001_f64..0.999, 0.001_f64..0.999),
    ) {
        let leads: Vec<_> = residuals
            .iter()
            .enumerate()
            .map(|(index, residuals)| LeadCalibration::from_residuals(index + 1, residuals).unwrap())
            .collect();
        let calibration = Calibration::widening(leads).unwrap();
        let (low, high) = (low.min(high), low.max(high));
        let mut before = (0.0, 0.0);
        for lead in &calibration.leads {
            let (inner, outer) = (lead.interval(low).unwrap(), lead.interval(high).unwrap());
            prop_assert!(inner.lower >= outer.lower - 1e-12 && inner.upper <= outer.upper + 1e-12);
            prop_assert!(before.0 >= outer.lower - 1e-12 && before.1 <= outer.upper + 1e-12);
            prop_assert!(outer.level <= highest_level(lead.residual_count));
            before = (outer.lower, outer.upper);
        }
        let manifest = Manifest { calibration, ..fixed::manifest() };
        prop_assert!(manifest.validate().is_ok());
    }

    #[test]
    fn what_is_written_is_what_is_read(
        manifest in manifest(), state in state(), has_weights in any::<bool>(),
    ) {
        let weights = has_weights.then(fixed::weights);
        let artifact = Artifact::new(manifest, weights, &state).unwrap();
        let bytes = artifact.to_bytes().unwrap();
        let back = Artifact::from_bytes(&bytes).unwrap();
        prop_assert_eq!(&back, &artifact);
        prop_assert_eq!(back.to_bytes().unwrap(), bytes);
        prop_assert_eq!(back.decode_state::<State>().unwrap(), state);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        read(&bytes)?;
    }

    #[test]
    fn arbitrary_structure_behind_a_correct_hash_never_panics(
        (version, flags) in (0_u16..3, prop_oneof![Just(0), any::<u16>()]),
        count in prop::option::of(prop_oneof![0_u32..12, any::<u32>()]),
        entries in prop::collection::vec(
            (0_u16..5, 0_u16..5, prop_oneof![0_u64..400, any::<u64>()],
             prop_oneof![0_u64..400, any::<u64>()]),
            0..10,
        ),
        contents in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let entries = entries
            .into_iter()
            .map(|(kind, codec, offset, length)| Entry { kind, codec, offset, length })
            .collect();
        let file = Hostile { version, flags, count, entries, contents, ..Hostile::new(&[]) };
        read(&file.bytes())?;
    }

    #[test]
    fn arbitrary_sections_behind_a_correct_hash_never_panic(
        manifest in prop_oneof![
            Just(manifest_json()),
            prop::collection::vec(any::<u8>(), 0..200),
            json(6).prop_map(|value| serde_json::to_vec(&value).unwrap()),
        ],
        weights in prop::collection::vec(any::<u8>(), 0..200),
        state in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        read(&Hostile::new(&[(1, 1, &manifest), (2, 2, &weights), (3, 3, &state)]).bytes())?;
        read(&Hostile::new(&[(1, 1, &manifest), (3, 3, &state)]).bytes())?;
    }

    #[test]
    fn changed_bytes_behind_a_correct_hash_never_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut file = fixed::artifact().to_bytes().unwrap();
        file.truncate(file.len() - 32);
        for (index, byte) in changes {
            let index = index.index(file.len());
            file[index] = byte;
        }
        let hash = blake3::hash(&file);
        file.extend(hash.as_bytes());
        read(&file)?;
    }

    #[test]
    fn a_state_decodes_only_to_what_encodes_to_it(bytes in prop::collection::vec(0_u8..4, 0..64)) {
        if let Ok(state) = decode_state::<(Vec<u32>, Option<bool>, String)>(&bytes) {
            prop_assert_eq!(encode_state(&state).unwrap(), bytes);
        }
    }
}
