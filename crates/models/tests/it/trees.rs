//! Boosted trees against LightGBM and the shap package, what holds of all of them, and what older
//! releases wrote.

use crate::golden::golden_folder;
use proptest::prelude::*;
use serde::Deserialize;
use vitalcast_models::{
    BoostedTrees, ModelError, Monotone, Table, TreeGrowth, TreeLoss, TreeOptions, TreeRows,
};

/// Trees of the first release, grown by the library it used (forust 0.8), and what they said.
#[derive(Deserialize)]
struct FirstRelease {
    trees: BoostedTrees,
    /// Missing values are `None`.
    rows: Vec<Vec<Option<f32>>>,
    forecasts: Vec<f64>,
}

/// `fixtures/golden/trees.json`.
#[derive(Deserialize)]
struct Reference {
    learn: usize,
    check: usize,
    tables: Vec<Settings>,
    explanations: Explanations,
}

#[derive(Deserialize)]
struct Settings {
    name: String,
    loss: TreeLoss,
    depth: usize,
    leaves: Option<usize>,
    trees: usize,
    leaf_rows: usize,
    l2: f32,
    /// Mean losses of LightGBM.
    learned: f64,
    checked: f64,
    first_target: f64,
}

#[derive(Deserialize)]
struct Explanations {
    forest: BoostedTrees,
    rows: Vec<Vec<Option<f32>>>,
    background: Vec<Vec<Option<f32>>>,
    path_dependent: Values,
    interventional: Values,
}

#[derive(Deserialize)]
struct Values {
    base: f64,
    values: Vec<Vec<f64>>,
}

fn reference() -> Reference {
    let text = std::fs::read_to_string(golden_folder().join("trees.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn table_of(rows: &[Vec<Option<f32>>]) -> Table {
    let values = rows.iter().flatten();
    let values = values.map(|value| value.unwrap_or(f32::NAN)).collect();
    Table::new(rows.len(), rows[0].len(), values).unwrap()
}

/// A number from 0 to below 1, for table, row and column, as `benches/peers/trees_reference.py` has it.
fn unit(number: usize, row: usize, column: usize) -> f64 {
    let state = number as u64 * 1_000_003 + row as u64 * 64 + column as u64;
    let mut state = state.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^= state >> 31;
    (state >> 40) as f64 / f64::from(1 << 24)
}

struct Data {
    table: Table,
    targets: Vec<f64>,
    weights: Option<Vec<f64>>,
}

impl Data {
    /// Six columns, the third in twelve steps, the sixth noise alone; from table 1 on a seventh of the
    /// values missing. Table 1 has weights.
    fn new(number: usize, first: usize, count: usize) -> Self {
        let mut values = Vec::new();
        let mut targets = Vec::new();
        for row in first..first + count {
            let mut known = [0, 1, 2, 3, 4, 5].map(|column| unit(number, row, column));
            known[2] = (known[2] * 12.0).floor() / 12.0;
            let missing = [0, 1, 2, 3, 4, 5]
                .map(|column| number >= 1 && unit(number, row, 8 + column) < 1.0 / 7.0);
            for column in 0..6 {
                values.push(if missing[column] {
                    f32::NAN
                } else {
                    known[column] as f32
                });
            }
            let read =
                [0, 1, 2, 3, 4].map(|column| if missing[column] { 0.3 } else { known[column] });
            let mut noise = unit(number, row, 20) + unit(number, row, 21) - 1.0;
            if unit(number, row, 22) < 0.05 {
                noise *= 8.0;
            }
            let parabola = 3.0 * (read[2] - 0.5) * (read[2] - 0.5);
            let cube = 2.0 * read[3] * read[3] * read[3];
            let curve = 4.0 * read[0] * read[1] + parabola - cube;
            let step = if read[4] > 0.6 { 1.0 } else { 0.0 };
            targets.push(60.0 + curve + step + noise);
        }
        let weight = |row| 0.25 + unit(number, row, 23);
        Self {
            table: Table::new(count, 6, values).unwrap(),
            targets,
            weights: (number == 1).then(|| (first..first + count).map(weight).collect()),
        }
    }

    fn rows(&self) -> TreeRows<'_> {
        TreeRows {
            table: &self.table,
            targets: &self.targets,
            weights: self.weights.as_deref(),
        }
    }

    fn mean_loss(&self, loss: TreeLoss, trees: &BoostedTrees) -> f64 {
        let forecasts = trees.predict(&self.table).unwrap();
        let (mut sum, mut count) = (0.0, 0.0);
        for (row, (forecast, target)) in forecasts.iter().zip(&self.targets).enumerate() {
            let weight = self.weights.as_ref().map_or(1.0, |weights| weights[row]);
            sum += weight * loss.of(*forecast, *target);
            count += weight;
        }
        sum / count
    }
}

fn options() -> TreeOptions {
    TreeOptions {
        trees: 25,
        depth: 4,
        learning_rate: 0.2,
        ..TreeOptions::default()
    }
}

#[test]
fn golden_trees_of_the_first_release_forecast_what_they_did() {
    let golden: FirstRelease =
        serde_json::from_str(include_str!("../data/trees_of_forust.json")).unwrap();
    assert_eq!(golden.rows.len(), 40);
    let together = golden.trees.predict(&table_of(&golden.rows)).unwrap();
    assert_eq!(together, golden.forecasts);
    for (row, expected) in golden.rows.iter().zip(&golden.forecasts) {
        let row: Vec<f32> = row.iter().map(|value| value.unwrap_or(f32::NAN)).collect();
        assert_eq!(golden.trees.predict_row(&row), *expected);
    }
}

#[test]
fn golden_trees_of_the_first_release_are_explained_against_a_background() {
    let golden: FirstRelease =
        serde_json::from_str(include_str!("../data/trees_of_forust.json")).unwrap();
    assert!(matches!(
        golden.trees.explainer(),
        Err(ModelError::Trees(_))
    ));
    let table = table_of(&golden.rows);
    let explainer = golden.trees.explainer_against(&table).unwrap();
    let mean = golden.forecasts.iter().sum::<f64>() / golden.forecasts.len() as f64;
    for (row, forecast) in golden.rows.iter().zip(&golden.forecasts) {
        let row: Vec<f32> = row.iter().map(|value| value.unwrap_or(f32::NAN)).collect();
        let found = explainer.explain(&row);
        assert!((found.base - mean).abs() < 1e-9);
        let sum: f64 = found.contributions.iter().sum();
        assert!((found.base + sum - forecast).abs() < 1e-9);
    }
}

#[test]
fn golden_losses_are_within_a_hundredth_of_lightgbms() {
    let reference = reference();
    assert_eq!(reference.tables.len(), 5);
    for (number, settings) in reference.tables.iter().enumerate() {
        let learn = Data::new(number, 0, reference.learn);
        let check = Data::new(number, reference.learn, reference.check);
        assert_eq!(learn.targets[0], settings.first_target, "{}", settings.name);
        let options =
            TreeOptions {
                trees: settings.trees,
                depth: settings.depth,
                learning_rate: 0.1,
                leaf_rows: settings.leaf_rows,
                l2: settings.l2,
                loss: settings.loss,
                growth: settings.leaves.map_or(TreeGrowth::DepthWise, |leaves| {
                    TreeGrowth::LeafWise { leaves }
                }),
                ..TreeOptions::default()
            };
        let trees = BoostedTrees::fit_rows(&learn.rows(), &options).unwrap();
        for (what, found, expected) in [
            (
                "learned",
                learn.mean_loss(settings.loss, &trees),
                settings.learned,
            ),
            (
                "checked",
                check.mean_loss(settings.loss, &trees),
                settings.checked,
            ),
        ] {
            let ratio = found / expected;
            assert!(
                (ratio - 1.0).abs() < 0.01,
                "{}, {what}: {found}, LightGBM {expected}, ratio {ratio}",
                settings.name
            );
        }
    }
}

#[test]
fn golden_explanations_are_those_of_the_shap_package() {
    let Explanations {
        forest,
        rows,
        background,
        path_dependent,
        interventional,
    } = reference().explanations;
    let along = forest.explainer().unwrap();
    let against = forest.explainer_against(&table_of(&background)).unwrap();
    for (explainer, expected) in [(along, path_dependent), (against, interventional)] {
        assert_eq!(rows.len(), expected.values.len());
        let of_table = explainer.explain_rows(&table_of(&rows));
        for ((row, values), of_table) in rows.iter().zip(&expected.values).zip(of_table) {
            let row: Vec<f32> = row.iter().map(|value| value.unwrap_or(f32::NAN)).collect();
            let found = explainer.explain(&row);
            assert_eq!(found, of_table);
            assert!((found.base - expected.base).abs() < 1e-6, "{}", found.base);
            assert_eq!(found.contributions.len(), values.len());
            for (found, value) in found.contributions.iter().zip(values) {
                assert!((found - value).abs() < 1e-6, "{found} {value}");
            }
        }
    }
}

#[test]
fn an_explanation_adds_up_and_gives_nothing_to_what_is_not_read() {
    let data = Data::new(1, 0, 500);
    let mut values = Vec::new();
    let rows = 0..500;
    let row = |row| (0..6).map(move |column| unit(1, row, column) as f32);
    for index in rows.clone() {
        values.extend(row(index));
        // The same in every row, so that no tree can read it.
        values.push(7.0);
    }
    let table = Table::new(500, 7, values).unwrap();
    let deep = TreeOptions {
        depth: 9,
        leaf_rows: 2,
        ..options()
    };
    let trees = BoostedTrees::fit(&table, &data.targets, &deep).unwrap();
    let background = Data::new(1, 900, 50).table;
    assert!(matches!(
        trees.explainer_against(&background),
        Err(ModelError::Width {
            expected: 7,
            found: 6
        })
    ));
    let explainers = [
        trees.explainer().unwrap(),
        trees.explainer_against(&table).unwrap(),
    ];
    for index in rows.step_by(50) {
        let row: Vec<f32> = row(index).collect();
        for explainer in &explainers {
            let found = explainer.explain(&row);
            let sum = found.base + found.contributions.iter().sum::<f64>();
            assert!((sum - trees.predict_row(&row)).abs() < 1e-9);
            assert_eq!(found.contributions[6], 0.0);
        }
    }
}

#[test]
fn a_weight_of_two_is_the_row_twice_and_a_weight_of_zero_is_none() {
    for loss in [
        TreeLoss::Squared,
        TreeLoss::Absolute,
        TreeLoss::Huber { delta: 0.5 },
        TreeLoss::Quantile { level: 0.3 },
    ] {
        let data = Data::new(2, 0, 300);
        let weights: Vec<f64> = (0..300).map(|row| f64::from(row % 3)).collect();
        let mut values = Vec::new();
        let mut targets = Vec::new();
        for (row, weight) in weights.iter().enumerate() {
            for _ in 0..*weight as usize {
                values.extend((0..6).map(|column| value_of(2, row, column)));
                targets.push(data.targets[row]);
            }
        }
        let repeated = Table::new(targets.len(), 6, values).unwrap();
        // As many bins as there are values, so that both tables have the same.
        let options = TreeOptions {
            loss,
            leaf_rows: 1,
            l2: 3.0,
            depth: 3,
            bin_rows: 1,
            ..options()
        };
        let rows = TreeRows {
            weights: Some(&weights),
            ..data.rows()
        };
        let weighted = BoostedTrees::fit_rows(&rows, &options).unwrap();
        let twice = BoostedTrees::fit(&repeated, &targets, &options).unwrap();
        for row in 0..300 {
            let row: Vec<f32> = (0..6).map(|column| value_of(2, row, column)).collect();
            let (one, other) = (weighted.predict_row(&row), twice.predict_row(&row));
            assert!((one - other).abs() < 1e-4, "{loss:?}: {one} {other}");
        }
    }
}

fn value_of(number: usize, row: usize, column: usize) -> f32 {
    let known = unit(number, row, column);
    if number >= 1 && unit(number, row, 8 + column) < 1.0 / 7.0 {
        f32::NAN
    } else if column == 2 {
        ((known * 12.0).floor() / 12.0) as f32
    } else {
        known as f32
    }
}

#[test]
fn what_must_rise_or_fall_does() {
    let data = Data::new(0, 0, 600);
    for (loss, growth) in [
        (TreeLoss::Squared, TreeGrowth::DepthWise),
        (TreeLoss::Absolute, TreeGrowth::LeafWise { leaves: 12 }),
    ] {
        // The third column's part is a parabola, so this is not what the data say.
        let mut monotone = vec![Monotone::Free; 6];
        (monotone[0], monotone[2], monotone[3]) =
            (Monotone::Rising, Monotone::Falling, Monotone::Falling);
        let options = TreeOptions {
            loss,
            growth,
            monotone,
            depth: 6,
            leaf_rows: 2,
            ..options()
        };
        let trees = BoostedTrees::fit(&data.table, &data.targets, &options).unwrap();
        for row in 0..40 {
            let mut row: Vec<f32> = (0..6).map(|column| value_of(0, row, column)).collect();
            for (column, sign) in [(0, 1.0), (2, -1.0), (3, -1.0)] {
                let kept = row[column];
                let mut before = f64::NEG_INFINITY;
                for step in 0..=60 {
                    row[column] = step as f32 / 60.0;
                    let now = sign * trees.predict_row(&row);
                    assert!(now >= before - 1e-6, "{column}: {before} {now}");
                    before = now;
                }
                row[column] = kept;
            }
        }
    }
}

#[test]
fn growing_stops_where_other_rows_gain_nothing() {
    let learn = Data::new(3, 0, 300);
    let check = Data::new(3, 300, 300);
    let options = TreeOptions {
        trees: 400,
        depth: 5,
        leaf_rows: 1,
        ..options()
    };
    let loss = |trees: &BoostedTrees| check.mean_loss(TreeLoss::Squared, trees);
    let all = BoostedTrees::fit(&learn.table, &learn.targets, &options).unwrap();
    let found = BoostedTrees::fit_checked(&learn.rows(), &check.rows(), 20, &options).unwrap();
    assert!(found.tree_count() < 100, "{}", found.tree_count());
    assert!(loss(&found) < loss(&all));
    // As many trees as are best, and the same ones.
    for trees in [
        found.tree_count() - 1,
        found.tree_count(),
        found.tree_count() + 1,
    ] {
        let options = TreeOptions {
            trees,
            ..options.clone()
        };
        let other = BoostedTrees::fit(&learn.table, &learn.targets, &options).unwrap();
        assert!(loss(&found) <= loss(&other));
        assert_eq!(found == other, trees == found.tree_count());
    }
}

#[test]
fn leaves_are_counted() {
    let data = Data::new(0, 0, 2000);
    for leaves in [2, 3, 7, 20] {
        let options = TreeOptions {
            trees: 3,
            depth: 10,
            growth: TreeGrowth::LeafWise { leaves },
            ..options()
        };
        let trees = BoostedTrees::fit(&data.table, &data.targets, &options).unwrap();
        assert_eq!(trees.node_count(), 3 * (2 * leaves - 1));
    }
}

#[test]
fn a_split_off_column_is_drawn_for_each_tree() {
    let data = Data::new(0, 0, 500);
    let options = TreeOptions {
        trees: 40,
        column_share: 0.01,
        ..options()
    };
    let trees = BoostedTrees::fit(&data.table, &data.targets, &options).unwrap();
    let json = serde_json::to_value(&trees).unwrap();
    let nodes = json["nodes"].as_array().unwrap();
    let roots: Vec<usize> = serde_json::from_value(json["roots"].clone()).unwrap();
    let mut columns = std::collections::BTreeSet::new();
    for (index, first) in roots.iter().enumerate() {
        let last = roots.get(index + 1).copied().unwrap_or(nodes.len());
        let splits = nodes[*first..last].iter().filter(|node| node["left"] != 0);
        let used: std::collections::BTreeSet<u64> = splits
            .map(|node| node["column"].as_u64().unwrap())
            .collect();
        assert_eq!(used.len(), 1);
        columns.extend(used);
    }
    assert!(columns.len() >= 4, "{columns:?}");
}

#[test]
fn weights_and_draws_give_the_same_trees_with_any_number_of_threads() {
    let data = Data::new(1, 0, 40_000);
    let options = TreeOptions {
        trees: 4,
        row_share: 0.7,
        column_share: 0.6,
        seed: 11,
        ..options()
    };
    let grown = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.unwrap().install(|| {
            let plain = BoostedTrees::fit(&data.table, &data.targets, &options).unwrap();
            let forecasts = plain.predict(&data.table).unwrap();
            let weighted = BoostedTrees::fit_rows(&data.rows(), &options).unwrap();
            (plain, weighted, forecasts)
        })
    };
    let one = grown(1);
    assert_eq!(one, grown(2));
    assert_eq!(one, grown(5));
    let other_seed = TreeOptions {
        seed: 12,
        ..options.clone()
    };
    let other = BoostedTrees::fit(&data.table, &data.targets, &other_seed).unwrap();
    assert_ne!(one.0, other);
}

#[test]
fn what_cannot_be_learned_is_refused_by_name() {
    let data = Data::new(1, 0, 40);
    let refused = |weights: &[f64], targets: &[f64], options: &TreeOptions| {
        let rows = TreeRows {
            table: &data.table,
            targets,
            weights: Some(weights),
        };
        BoostedTrees::fit_rows(&rows, options)
            .unwrap_err()
            .to_string()
    };
    let ones = [1.0; 40];
    let targets = &data.targets;
    let mut one_below = ones;
    one_below[7] = -1.0;
    let depth_zero = TreeOptions {
        depth: 0,
        ..options()
    };
    let one_leaf = TreeOptions {
        growth: TreeGrowth::LeafWise { leaves: 1 },
        ..options()
    };
    let one_rule = TreeOptions {
        monotone: vec![Monotone::Rising],
        ..options()
    };
    let no_level = TreeOptions {
        loss: TreeLoss::Quantile { level: f64::NAN },
        ..options()
    };
    for (found, expected) in [
        (
            refused(&ones[..3], targets, &options()),
            "there are 3 weights, expected 40: one for each row",
        ),
        (
            refused(&one_below, targets, &options()),
            "the weight of row 7 is not a finite number of at least 0",
        ),
        (
            refused(&[0.0; 40], targets, &options()),
            "there is no row with a weight above 0, expected at least one",
        ),
        (
            refused(&ones, &[1e300; 40], &options()),
            "targets must be between -1000000000000000000000000000000 and \
             1000000000000000000000000000000, but is",
        ),
        (
            refused(&ones, targets, &depth_zero),
            "depth must be between 1 and 16, but is 0",
        ),
        (
            refused(&ones, targets, &one_leaf),
            "leaves must be between 2 and 65536, but is 1",
        ),
        (
            refused(&ones, targets, &one_rule),
            "there are 1 monotone rules, expected none or 6: one for each column",
        ),
        (refused(&ones, targets, &no_level), "level must be between"),
    ] {
        assert!(found.starts_with(expected), "{found}");
    }
}

#[test]
fn a_table_without_a_difference_is_forecast_by_the_constant() {
    let options = TreeOptions {
        bins: 255,
        leaf_rows: 1,
        ..options()
    };
    for value in [f32::NAN, 3.0] {
        let table = Table::new(4, 2, vec![value; 8]).unwrap();
        let trees = BoostedTrees::fit(&table, &[1.0, 2.0, 3.0, 6.0], &options).unwrap();
        assert_eq!(trees.predict(&table).unwrap(), [3.0; 4]);
        let found = trees.explainer().unwrap().explain(&[value; 2]);
        assert_eq!((found.base, found.contributions), (3.0, vec![0.0; 2]));
    }
    // One row, and more bins than values.
    let table = Table::new(1, 2, vec![1.0, 2.0]).unwrap();
    let trees = BoostedTrees::fit(&table, &[-7.25], &options).unwrap();
    assert_eq!(trees.predict_row(&[9.0]), -7.25);
}

#[test]
fn options_of_the_first_release_are_read() {
    let json = r#"{"trees": 10, "depth": 2, "learning_rate": 0.5, "leaf_rows": 4, "l2": 0.0,
        "row_share": 1.0, "seed": 3}"#;
    let options: TreeOptions = serde_json::from_str(json).unwrap();
    assert_eq!(
        (options.trees, options.bins, options.loss),
        (10, 255, TreeLoss::Squared)
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Rows together and alone, in the form for few leaves and for many.
    #[test]
    fn a_row_is_forecast_alone_as_in_a_table(
        seed in 0_u64..1000, depth in 1_usize..8, rows in 30_usize..300, share in 0.3_f32..1.0,
    ) {
        let number = 1 + seed as usize;
        let data = Data::new(number, 0, rows);
        let options = TreeOptions {
            trees: 6, depth, leaf_rows: 1, row_share: share, seed, ..options()
        };
        let trees = BoostedTrees::fit(&data.table, &data.targets, &options).unwrap();
        let together = trees.predict(&data.table).unwrap();
        for (row, together) in together.iter().enumerate() {
            let row: Vec<f32> = (0..6).map(|column| value_of(number, row, column)).collect();
            prop_assert_eq!(trees.predict_row(&row), *together);
        }
    }

    /// No table breaks growing, and none is learned worse than by a constant.
    #[test]
    fn any_table_is_learned_no_worse_than_by_a_constant(
        columns in 1_usize..4,
        cells in prop::collection::vec(
            prop_oneof![Just(f32::NAN), Just(0.0), Just(-0.0), Just(f32::MAX), Just(f32::MIN),
                Just(f32::MIN_POSITIVE), -3.0_f32..3.0],
            3..120,
        ),
        targets in prop::collection::vec(-5.0_f64..5.0, 40),
        kind in 0_usize..3,
        depth in 1_usize..6,
        bins in 2_usize..12,
    ) {
        let rows = cells.len() / columns;
        let values = cells[..rows * columns].to_vec();
        let table = Table::new(rows, columns, values).unwrap();
        let targets: Vec<f64> = targets.iter().copied().cycle().take(rows).collect();
        let loss = [TreeLoss::Squared, TreeLoss::Absolute, TreeLoss::Quantile { level: 0.7 }][kind];
        let options = TreeOptions {
            trees: 5, depth, bins, loss, leaf_rows: 1, l2: 0.0, learning_rate: 1.0, ..options()
        };
        let trees = BoostedTrees::fit(&table, &targets, &options).unwrap();
        let forecasts = trees.predict(&table).unwrap();
        let of = |forecast: &dyn Fn(usize) -> f64| -> f64 {
            let rows = targets.iter().enumerate();
            rows.map(|(row, target)| loss.of(forecast(row), *target)).sum()
        };
        let mean = targets.iter().sum::<f64>() / rows as f64;
        let constants = targets.iter().chain([&mean]);
        let best = constants.map(|constant| of(&|_| *constant)).fold(f64::INFINITY, f64::min);
        prop_assert!(of(&|row| forecasts[row]) <= best + 1e-4);
        let explained = trees.explainer().unwrap().explain(&cells[..columns]);
        let sum = explained.base + explained.contributions.iter().sum::<f64>();
        prop_assert!((sum - trees.predict_row(&cells[..columns])).abs() < 1e-5);
    }
}
