//! Boosted trees: what older releases wrote stays readable.

use serde::Deserialize;
use vitalcast_models::BoostedTrees;

/// Trees of the first release, grown by the library it used (forust 0.8), and what they said.
#[derive(Deserialize)]
struct Golden {
    trees: BoostedTrees,
    /// Missing values are `None`.
    rows: Vec<Vec<Option<f32>>>,
    forecasts: Vec<f64>,
}

#[test]
fn golden_trees_of_the_first_release_forecast_what_they_did() {
    let golden: Golden =
        serde_json::from_str(include_str!("../data/trees_of_forust.json")).unwrap();
    assert_eq!(golden.rows.len(), 40);
    for (row, expected) in golden.rows.iter().zip(&golden.forecasts) {
        let row: Vec<f32> = row.iter().map(|value| value.unwrap_or(f32::NAN)).collect();
        assert_eq!(golden.trees.predict_row(&row), *expected);
    }
}
