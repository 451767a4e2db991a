//! What holds of all trees.

use super::*;

/// A table of three columns of which the first counts, with holes; and its targets.
fn data(rows: usize) -> (Table, Vec<f64>) {
    let mut values = Vec::new();
    let mut targets = Vec::new();
    for row in 0..rows {
        let first = ((row * 37) % 101) as f32 / 10.1;
        let missing = row % 7 == 0;
        values.extend([
            if missing { f32::NAN } else { first },
            ((row * 53) % 17) as f32,
            f32::NAN,
        ]);
        targets.push(if missing {
            20.0
        } else {
            f64::from(first).sin() * 3.0
        });
    }
    (Table::new(rows, 3, values).unwrap(), targets)
}

#[test]
fn a_curve_and_what_missing_means_are_learned() {
    let (table, targets) = data(300);
    let trees = BoostedTrees::fit(&table, &targets, &TreeOptions::default()).unwrap();
    let forecasts = trees.predict(&table).unwrap();
    let error: f64 = forecasts
        .iter()
        .zip(&targets)
        .map(|(forecast, target)| (forecast - target).abs())
        .sum::<f64>()
        / 300.0;
    assert!(error < 0.3, "{error}");
    assert!((trees.predict_row(&[f32::NAN, 3.0]) - 20.0).abs() < 0.5);
}

#[test]
fn the_same_seed_grows_the_same_trees_with_any_number_of_threads() {
    let rows = bins::PARALLEL_VALUES + 1;
    let (table, targets) = data(rows);
    let options = TreeOptions {
        trees: 5,
        row_share: 0.5,
        seed: 3,
        ..TreeOptions::default()
    };
    let grown = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| BoostedTrees::fit(&table, &targets, &options).unwrap())
    };
    assert_eq!(grown(1), grown(3));
}

#[test]
fn a_constant_target_is_forecast() {
    let (table, _) = data(30);
    let trees = BoostedTrees::fit(&table, &[7.5; 30], &TreeOptions::default()).unwrap();
    assert!((trees.predict_row(&[1.0, 2.0, 3.0]) - 7.5).abs() < 1e-6);
}

#[test]
fn what_cannot_be_used_is_refused_by_name() {
    let refused = |error: ModelError| error.to_string();
    assert_eq!(
        refused(Table::new(0, 1, vec![]).unwrap_err()),
        "there is no row, expected at least one"
    );
    assert!(matches!(
        Table::new(usize::MAX, 2, vec![]),
        Err(ModelError::OutOfBounds { .. })
    ));
    assert_eq!(
        refused(Table::new(1, 2, vec![1.0, f32::INFINITY]).unwrap_err()),
        "the value of row 0, column 1 is infinite, expected NaN for a missing value"
    );
    let (table, mut targets) = data(30);
    let fit = |targets: &[f64], options| BoostedTrees::fit(&table, targets, &options).unwrap_err();
    assert_eq!(
        refused(fit(&targets[..3], TreeOptions::default())),
        "there are 3 targets, expected 30: one for each row"
    );
    let deep = TreeOptions {
        depth: 100,
        ..TreeOptions::default()
    };
    assert_eq!(
        refused(fit(&targets, deep)),
        "depth must be between 1 and 16, but is 100"
    );
    targets[4] = f64::NAN;
    assert_eq!(
        refused(fit(&targets, TreeOptions::default())),
        "the target of row 4 is not finite"
    );
}

#[test]
fn nodes_that_never_end_or_point_nowhere_are_refused() {
    let (table, targets) = data(60);
    let trees = BoostedTrees::fit(&table, &targets, &TreeOptions::default()).unwrap();
    let read = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut json = serde_json::to_value(&trees).unwrap();
        change(&mut json);
        serde_json::from_value::<BoostedTrees>(json)
    };
    assert_eq!(read(&|_| {}).unwrap(), trees);
    assert!(read(&|json| json["nodes"][0]["left"] = 0.into()).is_err());
    assert!(read(&|json| json["nodes"][1]["left"] = 1.into()).is_err());
    assert!(read(&|json| json["nodes"][0]["right"] = 1_000_000.into()).is_err());
    assert!(read(&|json| json["nodes"][0]["column"] = 3.into()).is_err());
    assert!(read(&|json| json["roots"][0] = 1_000_000.into()).is_err());
}
