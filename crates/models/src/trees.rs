//! Gradient-boosted regression trees (Friedman 2001) on tables with missing values.
//!
//! They are grown by the `forust-ml` crate and kept as plain arrays of nodes, which are small, read
//! back from bytes no one should trust, and forecast the same to the last bit.

use crate::error::{ModelError, within};
use forust_ml::data::Matrix;
use forust_ml::gradientbooster::GradientBooster;
use forust_ml::objective::ObjectiveType;
use serde::{Deserialize, Serialize};

/// Most values in a table: 2 GiB of f32.
const MAX_VALUES: usize = 1 << 29;
/// From this many values on, threads pay.
const PARALLEL_VALUES: usize = 100_000;

/// Rows of features, row by row; NaN is a missing value.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    rows: usize,
    columns: usize,
    values: Vec<f32>,
}

impl Table {
    /// Checks and keeps the values.
    ///
    /// # Errors
    ///
    /// [`ModelError::Empty`], [`ModelError::OutOfBounds`] for absurd sizes, [`ModelError::TableShape`],
    /// [`ModelError::CellInfinite`] naming row and column.
    pub fn new(rows: usize, columns: usize, values: Vec<f32>) -> Result<Self, ModelError> {
        for (what, size) in [("row", rows), ("column", columns)] {
            if size == 0 {
                return Err(ModelError::Empty(what));
            }
        }
        let expected = rows
            .checked_mul(columns)
            .filter(|size| *size <= MAX_VALUES)
            .ok_or(ModelError::OutOfBounds {
                field: "values of the table",
                low: 1.0,
                high: MAX_VALUES as f64,
                found: rows as f64 * columns as f64,
            })?;
        if values.len() != expected {
            return Err(ModelError::TableShape {
                found: values.len(),
                rows,
                columns,
            });
        }
        if let Some(place) = values.iter().position(|value| value.is_infinite()) {
            return Err(ModelError::CellInfinite {
                row: place / columns,
                column: place % columns,
            });
        }
        Ok(Self {
            rows,
            columns,
            values,
        })
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }
}

/// How trees are grown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TreeOptions {
    /// How many, 1 to 10,000.
    pub trees: usize,
    /// Splits from the root to a leaf, 1 to 16.
    pub depth: usize,
    /// What a tree counts, above 0 to 1.
    pub learning_rate: f32,
    /// Fewest rows in a leaf, at least 1.
    pub leaf_rows: usize,
    /// Penalty on the squares of leaf values, at least 0.
    pub l2: f32,
    /// Share of the rows each tree is grown on, above 0 to 1.
    pub row_share: f32,
    /// Seed of what is drawn.
    pub seed: u64,
}

impl Default for TreeOptions {
    /// A hundred shallow trees that learn slowly: little data, much noise.
    fn default() -> Self {
        Self {
            trees: 100,
            depth: 3,
            learning_rate: 0.05,
            leaf_rows: 5,
            l2: 1.0,
            row_share: 1.0,
            seed: 0,
        }
    }
}

impl TreeOptions {
    fn check(&self) -> Result<(), ModelError> {
        for (field, low, high, found) in [
            ("trees", 1.0, 10_000.0, self.trees as f64),
            ("depth", 1.0, 16.0, self.depth as f64),
            ("learning_rate", 1e-6, 1.0, f64::from(self.learning_rate)),
            ("leaf_rows", 1.0, 1e9, self.leaf_rows as f64),
            ("l2", 0.0, 1e9, f64::from(self.l2)),
            ("row_share", 1e-6, 1.0, f64::from(self.row_share)),
        ] {
            within(field, found, low, high)?;
        }
        Ok(())
    }
}

/// Boosted trees.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct BoostedTrees {
    columns: u32,
    base: f64,
    /// Place of each tree's root in `nodes`; a tree's nodes lie together, parents before children.
    roots: Vec<u32>,
    nodes: Vec<Node>,
}

/// A split, or a leaf, whose children are all 0.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Node {
    /// Column compared.
    pub(crate) column: u32,
    /// Below it goes left; of a leaf, the value.
    pub(crate) value: f32,
    pub(crate) left: u32,
    pub(crate) right: u32,
    /// Where a missing value goes.
    pub(crate) missing: u32,
}

impl Node {
    pub(crate) fn is_leaf(&self) -> bool {
        self.left == 0
    }
}

/// What bytes may hold.
#[derive(Deserialize)]
struct Unchecked {
    columns: u32,
    base: f64,
    roots: Vec<u32>,
    nodes: Vec<Node>,
}

impl TryFrom<Unchecked> for BoostedTrees {
    type Error = String;

    fn try_from(found: Unchecked) -> Result<Self, String> {
        let count = found.nodes.len();
        if !found.base.is_finite() {
            return Err("the base of the trees is not finite".to_owned());
        }
        if let Some(root) = found.roots.iter().find(|root| **root as usize >= count) {
            return Err(format!("a tree begins at node {root} of {count}"));
        }
        for (place, node) in found.nodes.iter().enumerate() {
            let children = [node.left, node.right, node.missing];
            // Children lie after their parent, so that every walk ends.
            let later = |child: &u32| (*child as usize) > place && (*child as usize) < count;
            let sound = if node.is_leaf() {
                children == [0; 3]
            } else {
                children.iter().all(later) && node.column < found.columns
            };
            if !sound || !node.value.is_finite() {
                return Err(format!("node {place} of the trees is not valid"));
            }
        }
        let Unchecked {
            columns,
            base,
            roots,
            nodes,
        } = found;
        Ok(Self {
            columns,
            base,
            roots,
            nodes,
        })
    }
}

impl BoostedTrees {
    /// Grows trees that forecast `targets`, one for each row. The same table, targets and options give
    /// the same trees, with any number of threads.
    ///
    /// # Errors
    ///
    /// [`ModelError::OutOfBounds`] naming an option, [`ModelError::Targets`],
    /// [`ModelError::TargetNotFinite`].
    pub fn fit(table: &Table, targets: &[f64], options: &TreeOptions) -> Result<Self, ModelError> {
        options.check()?;
        if targets.len() != table.rows {
            return Err(ModelError::Targets {
                expected: table.rows,
                found: targets.len(),
            });
        }
        if let Some(row) = targets.iter().position(|target| !target.is_finite()) {
            return Err(ModelError::TargetNotFinite(row));
        }
        let by_column: Vec<f64> = (0..table.columns)
            .flat_map(|column| table.values.iter().skip(column).step_by(table.columns))
            .map(|value| f64::from(*value))
            .collect();
        let mut booster = GradientBooster::default()
            .set_objective_type(ObjectiveType::SquaredLoss)
            .set_iterations(options.trees)
            .set_max_depth(options.depth)
            .set_max_leaves(usize::MAX)
            .set_learning_rate(options.learning_rate)
            .set_min_leaf_weight(options.leaf_rows as f32)
            .set_l2(options.l2)
            .set_subsample(options.row_share)
            .set_seed(options.seed)
            .set_initialize_base_score(true)
            .set_parallel(table.values.len() >= PARALLEL_VALUES);
        let matrix = Matrix::new(&by_column, table.rows, table.columns);
        booster
            .fit_unweighted(&matrix, targets, None)
            .map_err(|error| ModelError::Trees(error.to_string()))?;
        Self::from_booster(&booster, table.columns)
    }

    fn from_booster(booster: &GradientBooster, columns: usize) -> Result<Self, ModelError> {
        let mut roots = Vec::with_capacity(booster.trees.len());
        let mut nodes = Vec::new();
        for tree in &booster.trees {
            let first = nodes.len() as u32;
            roots.push(first);
            let place = |child: usize| first + child as u32;
            nodes.extend(tree.nodes.iter().map(|node| {
                if node.is_leaf {
                    Node {
                        column: 0,
                        value: node.weight_value,
                        left: 0,
                        right: 0,
                        missing: 0,
                    }
                } else {
                    Node {
                        column: node.split_feature as u32,
                        value: at_least(node.split_value),
                        left: place(node.left_child),
                        right: place(node.right_child),
                        missing: place(node.missing_node),
                    }
                }
            }));
        }
        Self::try_from(Unchecked {
            columns: columns as u32,
            base: booster.base_score,
            roots,
            nodes,
        })
        .map_err(ModelError::Trees)
    }

    /// Forecasts a row of features, NaN where one is missing; features left out at the end count as
    /// missing.
    pub fn predict_row(&self, row: &[f32]) -> f64 {
        let leaves = self.roots.iter().map(|&root| self.leaf(root, row));
        leaves.fold(self.base, |sum, leaf| sum + leaf)
    }

    /// The value of the leaf that a row falls into.
    fn leaf(&self, root: u32, row: &[f32]) -> f64 {
        let mut node = &self.nodes[root as usize];
        while !node.is_leaf() {
            let value = row.get(node.column as usize).copied().unwrap_or(f32::NAN);
            let child = if value.is_nan() {
                node.missing
            } else if value < node.value {
                node.left
            } else {
                node.right
            };
            node = &self.nodes[child as usize];
        }
        f64::from(node.value)
    }

    /// Forecasts every row.
    ///
    /// # Errors
    ///
    /// [`ModelError::Width`] for a table of another width.
    pub fn predict(&self, table: &Table) -> Result<Vec<f64>, ModelError> {
        if table.columns != self.columns() {
            return Err(ModelError::Width {
                expected: self.columns(),
                found: table.columns,
            });
        }
        // Tree by tree, so that a tree stays in the cache; each row adds up in the same order as alone.
        let mut sums = vec![self.base; table.rows];
        for &root in &self.roots {
            let rows = table.values.chunks_exact(table.columns);
            for (sum, row) in sums.iter_mut().zip(rows) {
                *sum += self.leaf(root, row);
            }
        }
        Ok(sums)
    }

    /// Features of a row.
    pub fn columns(&self) -> usize {
        self.columns as usize
    }

    /// Number of splits and leaves.
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// What is forecast before any tree.
    pub(crate) fn base(&self) -> f64 {
        self.base
    }

    /// Each tree's nodes, the root first, with the place of the first in the numbering of children.
    pub(crate) fn trees(&self) -> impl Iterator<Item = (u32, &[Node])> {
        let ends = self.roots.iter().skip(1).copied();
        let ends = ends.chain([self.nodes.len() as u32]);
        self.roots
            .iter()
            .zip(ends)
            .map(|(&root, end)| (root, &self.nodes[root as usize..end as usize]))
    }
}

/// The smallest f32 not below a number: an f32 is below the one exactly when it is below the other.
fn at_least(value: f64) -> f32 {
    let near = value as f32;
    if f64::from(near) < value {
        near.next_up()
    } else {
        near
    }
}

#[cfg(test)]
mod tests {
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
    fn our_nodes_forecast_what_the_library_forecasts() {
        let (table, targets) = data(200);
        let by_column: Vec<f64> = (0..3)
            .flat_map(|column| table.values.iter().skip(column).step_by(3))
            .map(|value| f64::from(*value))
            .collect();
        let matrix = Matrix::new(&by_column, 200, 3);
        let mut booster = GradientBooster::default()
            .set_objective_type(ObjectiveType::SquaredLoss)
            .set_iterations(40);
        booster.fit_unweighted(&matrix, &targets, None).unwrap();
        let ours = BoostedTrees::from_booster(&booster, 3).unwrap();
        assert_eq!(
            ours.predict(&table).unwrap(),
            booster.predict(&matrix, false)
        );
        assert_eq!(ours.trees().count(), 40);
    }

    #[test]
    fn the_same_seed_grows_the_same_trees_with_any_number_of_threads() {
        let rows = PARALLEL_VALUES / 3 + 1;
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
        let fit =
            |targets: &[f64], options| BoostedTrees::fit(&table, targets, &options).unwrap_err();
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
}
