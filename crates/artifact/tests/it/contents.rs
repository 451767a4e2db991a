//! Contents that are well-formed and still not to be trusted, on writing and on reading.

use crate::builder::Hostile;
use crate::fixed;
use vitalcast_artifact::{Artifact, ArtifactError, MAX_LOOKBACK_DAYS, Manifest};

/// The change is refused before writing, and in a file that holds it, with a text that names it.
#[track_caller]
fn invalid(named: &str, change: impl FnOnce(&mut Manifest)) {
    let mut manifest = fixed::manifest();
    change(&mut manifest);
    let refused = |error: &ArtifactError| {
        let ArtifactError::InvalidContents {
            section: "manifest",
            what,
        } = error
        else {
            panic!("{error:?}");
        };
        assert!(what.contains(named), "{what:?} does not name {named:?}");
    };
    refused(&Artifact::new(manifest.clone(), None, &()).unwrap_err());
    // JSON has no infinity: such a manifest turns into another one or into none.
    let json = serde_json::to_vec(&manifest).unwrap();
    if serde_json::from_slice::<Manifest>(&json).is_ok_and(|read| read == manifest) {
        refused(&Artifact::from_bytes(&Hostile::new(&[(1, 1, &json)]).bytes()).unwrap_err());
    }
}

#[test]
fn numbers_that_are_not_finite_are_refused() {
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        invalid("train_loss", |m| m.metrics.train_loss = Some(bad));
        invalid("val_loss", |m| m.metrics.val_loss = Some(bad));
        invalid("best_val_loss", |m| m.metrics.best_val_loss = Some(bad));
        invalid("metrics.mae", |m| m.metrics.mae = bad);
        invalid("rmse", |m| m.metrics.rmse = bad);
        invalid("r2_score", |m| m.metrics.r2_score = Some(bad));
        invalid("mape", |m| m.metrics.mape = Some(bad));
        invalid("mase", |m| m.metrics.mase = Some(bad));
        invalid("skill is", |m| m.skill = Some(bad));
        invalid("baseline_mae", |m| m.baseline_mae = Some(bad));
        invalid("lead 2: mae", |m| m.calibration.leads[1].mae = bad);
        invalid("lead 1: level", |m| {
            m.calibration.leads[0].quantiles[1].level = bad;
        });
        invalid("lower bound", |m| {
            m.calibration.leads[0].quantiles[1].lower = bad;
        });
        invalid("upper bound", |m| {
            m.calibration.leads[0].quantiles[1].upper = bad;
        });
    }
}

#[test]
fn negative_errors_are_refused() {
    invalid("metrics.mae is -1", |m| m.metrics.mae = -1.0);
    invalid("baseline_mae is -1", |m| m.baseline_mae = Some(-1.0));
    invalid("lead 7: mae is -0.5", |m| m.calibration.leads[2].mae = -0.5);
}

#[test]
fn counts_of_days_out_of_range_are_refused() {
    invalid("lookback_days is 0", |m| m.lookback_days = 0);
    invalid("lookback_days is 367", |m| {
        m.lookback_days = MAX_LOOKBACK_DAYS + 1;
    });
    invalid("horizon_days is 0", |m| m.horizon_days = 0);
    invalid("horizon_days is 8", |m| m.horizon_days = 8);
    invalid("history_days is 0", |m| m.history_days = 0);
    invalid("history_days is 18446744073709551615", |m| {
        m.history_days = usize::MAX;
    });
    invalid("threads is 0", |m| m.threads = 0);
}

#[test]
fn feature_names_are_unique_and_short() {
    invalid("\"activity_steps_daily\" occurs twice", |m| {
        m.feature_names.push("activity_steps_daily".to_owned());
    });
    invalid("feature name 0 is 0 bytes", |m| m.feature_names[0].clear());
    invalid("feature name 1 is 129 bytes", |m| {
        m.feature_names[1] = "x".repeat(129);
    });
    invalid("4097 feature names", |m| {
        m.feature_names = (0..4097).map(|index| index.to_string()).collect();
    });
}

#[test]
fn intervals_are_nested_and_in_order() {
    invalid("levels are not in order: 0.8 after 0.8", |m| {
        m.calibration.leads[0].quantiles[1].level = 0.8;
    });
    invalid("level 1 is not", |m| {
        m.calibration.leads[0].quantiles[2].level = 1.0;
    });
    invalid("level 0 is not", |m| {
        m.calibration.leads[0].quantiles[0].level = 0.0;
    });
    invalid("0.95 does not contain that of level 0.9", |m| {
        m.calibration.leads[1].quantiles[2].lower = 0.0;
    });
    invalid("0.9 does not contain that of level 0.8", |m| {
        m.calibration.leads[1].quantiles[1].upper = 0.0;
    });
    invalid("lower bound 9 is above the upper bound", |m| {
        m.calibration.leads[0].quantiles[0].lower = 9.0;
    });
}

#[test]
fn leads_are_in_order_and_within_a_week() {
    invalid("not in order: 2 after 2", |m| {
        m.calibration.leads[0].lead_days = 2;
    });
    invalid("not in order: 0 after 0", |m| {
        m.calibration.leads[0].lead_days = 0;
    });
    invalid("lead_days is 8", |m| m.calibration.leads[2].lead_days = 8);
    invalid("lead 1: no residuals", |m| {
        m.calibration.leads[0].residual_count = 0;
    });
}

#[test]
fn identity_fields_are_checked() {
    invalid("code_version is empty", |m| m.code_version.clear());
    invalid("before it begins", |m| {
        m.last_day = "2024-01-31".parse().unwrap();
    });
}

#[test]
fn a_baseline_needs_no_features_weights_or_calibration() {
    let mut manifest = fixed::manifest();
    manifest.feature_names.clear();
    manifest.calibration.leads.clear();
    manifest.config = serde_json::Value::Null;
    let artifact = Artifact::new(manifest, None, &57.5_f64).unwrap();
    let read = Artifact::from_bytes(&artifact.to_bytes().unwrap()).unwrap();
    assert_eq!(read, artifact);
    assert_eq!(read.weights(), None);
    assert_eq!(read.decode_state::<f64>().unwrap(), 57.5);
}

#[test]
fn a_state_may_be_empty() {
    let artifact = Artifact::new(fixed::manifest(), None, &()).unwrap();
    let read = Artifact::from_bytes(&artifact.to_bytes().unwrap()).unwrap();
    read.decode_state::<()>().unwrap();
}

#[test]
fn a_config_too_deep_to_read_back_is_not_written() {
    let mut config = serde_json::Value::Null;
    for _ in 0..200 {
        config = serde_json::json!([config]);
    }
    let manifest = Manifest {
        config,
        ..fixed::manifest()
    };
    let error = Artifact::new(manifest, None, &())
        .unwrap()
        .to_bytes()
        .unwrap_err();
    assert!(
        matches!(error, ArtifactError::BadManifest { .. }),
        "{error:?}"
    );
}

#[test]
fn weights_are_checked_when_they_are_added() {
    assert!(matches!(
        Artifact::new(fixed::manifest(), Some(vec![0; 9]), &()),
        Err(ArtifactError::BadWeights { .. })
    ));
}

#[test]
fn a_state_that_checks_itself_is_refused_by_its_own_rule() {
    #[derive(Debug, serde::Deserialize)]
    #[serde(try_from = "f64")]
    struct Scale(f64);
    impl TryFrom<f64> for Scale {
        type Error = &'static str;
        fn try_from(scale: f64) -> Result<Self, &'static str> {
            if scale > 0.0 {
                Ok(Self(scale))
            } else {
                Err("a scale must be above 0")
            }
        }
    }
    let with_state = |state: f64| Artifact::new(fixed::manifest(), None, &state).unwrap();
    let good = with_state(0.5);
    assert_eq!(good.decode_state::<Scale>().unwrap().0, 0.5);
    for bad in [0.0, f64::NAN] {
        let bad = with_state(bad);
        assert!(matches!(
            bad.decode_state::<Scale>(),
            Err(ArtifactError::BadState { .. })
        ));
    }
}

#[test]
fn debug_output_shows_sizes_and_no_contents() {
    let text = format!("{:?}", fixed::artifact());
    assert!(text.contains("weight_bytes"));
    assert!(text.len() < 200, "{text}");
}

#[test]
fn facts_name_what_a_person_asks_for() {
    let facts = fixed::manifest().facts();
    let value = |name: &str| {
        let fact = facts.iter().find(|(known, _)| known == name);
        fact.map(|(_, value)| value.as_str())
    };
    assert_eq!(value("architecture"), Some("lstm"));
    assert_eq!(value("history"), Some("2024-02-01 to 2024-04-30"));
    assert_eq!(
        value("reads"),
        Some("the last 30 days of 2 features and of the metric")
    );
    assert_eq!(value("skill against this baseline"), Some("-4.8 %"));
    assert_eq!(value("epochs"), Some("23, stopped early"));
    assert_eq!(value("MASE"), None);
    assert!(value("MAE").unwrap().starts_with("1.100 "));
}

#[test]
fn metrics_and_a_time_make_the_answer_of_the_contract() {
    let answer = fixed::manifest().metrics.with_time(2.5);
    assert_eq!(
        (answer.mae, answer.rmse, answer.mase),
        (Some(1.1), Some(1.4), None)
    );
    assert_eq!(
        (answer.epochs_trained, answer.training_time_seconds),
        (23, 2.5)
    );
}
