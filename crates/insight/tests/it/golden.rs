//! Statistics against SciPy's and statsmodels'.

use serde_json::Value;
use std::path::PathBuf;
use vitalcast_insight::{Coefficient, benjamini_hochberg, granger, kendall, pearson, spearman};

const STATISTIC: f64 = 1e-10;
const P_VALUE: f64 = 1e-8;

fn reference() -> Value {
    let folder = std::env::var_os("VITALCAST_GOLDEN_DIR").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/golden"),
        PathBuf::from,
    );
    let text = std::fs::read_to_string(folder.join("correlations.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    let list = value.as_array().unwrap();
    list.iter().map(|number| number.as_f64().unwrap()).collect()
}

/// Relative where numbers are large, absolute where they are small.
#[track_caller]
fn check(ours: f64, theirs: f64, tolerance: f64) {
    let scale = theirs.abs().max(1.0);
    assert!(
        (ours - theirs).abs() <= tolerance * scale,
        "{ours} instead of {theirs}"
    );
}

/// Small p values must agree in their digits too, not only in being small.
#[track_caller]
fn check_p_value(ours: f64, theirs: f64) {
    assert!(
        (ours - theirs).abs() <= P_VALUE * theirs.max(f64::MIN_POSITIVE),
        "{ours} instead of {theirs}"
    );
}

#[test]
fn golden_coefficients_and_p_values() {
    let reference = reference();
    let pairs = reference["pairs"].as_array().unwrap();
    assert!(!pairs.is_empty());
    for pair in pairs {
        let (x, y) = (numbers(&pair["x"]), numbers(&pair["y"]));
        let compare = |name: &str, ours: Coefficient| {
            let theirs = numbers(&pair[name]);
            check(ours.value, theirs[0], STATISTIC);
            check_p_value(ours.p_value, theirs[1]);
        };
        compare("pearson", pearson(&x, &y).unwrap());
        compare("spearman", spearman(&x, &y).unwrap());
        compare("kendall_tau_b", kendall(&x, &y).unwrap());
    }
}

#[test]
fn golden_granger_tests() {
    let reference = reference();
    let cases = reference["granger"].as_array().unwrap();
    assert!(!cases.is_empty());
    for case in cases {
        let series = |name: &str| numbers(&case[name]).into_iter().map(Some).collect();
        let (x, y): (Vec<_>, Vec<_>) = (series("x_causes"), series("y"));
        for (lags, theirs) in case["lags"].as_object().unwrap() {
            let ours = granger(&x, &y, lags.parse().unwrap()).unwrap();
            check(ours.f, theirs["F"].as_f64().unwrap(), STATISTIC);
            check_p_value(ours.p_value, theirs["p"].as_f64().unwrap());
            check(
                ours.df_numerator as f64,
                theirs["df_num"].as_f64().unwrap(),
                0.0,
            );
            check(
                ours.df_denominator as f64,
                theirs["df_denom"].as_f64().unwrap(),
                0.0,
            );
        }
    }
}

#[test]
fn golden_benjamini_hochberg() {
    let reference = &reference()["benjamini_hochberg"];
    let ours = benjamini_hochberg(&numbers(&reference["p"])).unwrap();
    let theirs = numbers(&reference["adjusted"]);
    assert_eq!(ours.len(), theirs.len());
    for (ours, theirs) in ours.into_iter().zip(theirs) {
        check(ours, theirs, STATISTIC);
    }
}
