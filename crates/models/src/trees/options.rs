//! How trees are grown.

use super::loss::TreeLoss;
use crate::error::{ModelError, within};
use serde::{Deserialize, Serialize};

/// Most columns of a table that trees are grown on.
pub(crate) const MAX_COLUMNS: usize = 1 << 16;
/// Most leaves of a tree.
const MAX_LEAVES: usize = 1 << 16;

/// How trees are grown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
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
    /// Share of the columns each tree may split on, above 0 to 1; at least one column.
    pub column_share: f32,
    /// What a wrong forecast costs.
    pub loss: TreeLoss,
    /// Which leaf is split next.
    pub growth: TreeGrowth,
    /// Most bins that the values of a column are put into, 2 to 255; missing values have one more.
    pub bins: usize,
    /// Fewest rows in a bin, at least 1.
    pub bin_rows: usize,
    /// For each column whether the forecast may only rise or fall with it; empty when none is bound.
    pub monotone: Vec<Monotone>,
}

/// Which leaf is split next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum TreeGrowth {
    /// All that may be split, down to the depth.
    #[default]
    DepthWise,
    /// The one that lowers the loss most (Shi 2007), down to the depth.
    LeafWise {
        /// Most leaves of a tree, 2 to 65,536.
        leaves: usize,
    },
}

/// What a forecast may do when a column grows and all others stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Monotone {
    /// Rise and fall.
    #[default]
    Free,
    /// Stay or rise.
    Rising,
    /// Stay or fall.
    Falling,
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
            column_share: 1.0,
            loss: TreeLoss::Squared,
            growth: TreeGrowth::DepthWise,
            bins: 255,
            bin_rows: 3,
            monotone: Vec::new(),
        }
    }
}

impl TreeOptions {
    pub(super) fn check(&self, columns: usize) -> Result<(), ModelError> {
        let leaves = self.leaves().min(MAX_LEAVES + 1);
        for (field, low, high, found) in [
            ("trees", 1.0, 10_000.0, self.trees as f64),
            ("depth", 1.0, 16.0, self.depth as f64),
            ("learning_rate", 1e-6, 1.0, f64::from(self.learning_rate)),
            ("leaf_rows", 1.0, 1e9, self.leaf_rows as f64),
            ("l2", 0.0, 1e9, f64::from(self.l2)),
            ("row_share", 1e-6, 1.0, f64::from(self.row_share)),
            ("column_share", 1e-6, 1.0, f64::from(self.column_share)),
            ("leaves", 2.0, MAX_LEAVES as f64, leaves as f64),
            ("bins", 2.0, 255.0, self.bins as f64),
            ("bin_rows", 1.0, 1e9, self.bin_rows as f64),
            (
                "columns of the table",
                1.0,
                MAX_COLUMNS as f64,
                columns as f64,
            ),
        ] {
            within(field, found, low, high)?;
        }
        self.loss.check()?;
        if !self.monotone.is_empty() && self.monotone.len() != columns {
            return Err(ModelError::Monotone {
                expected: columns,
                found: self.monotone.len(),
            });
        }
        Ok(())
    }

    /// Most leaves of a tree.
    pub(super) fn leaves(&self) -> usize {
        match self.growth {
            TreeGrowth::DepthWise => MAX_LEAVES,
            TreeGrowth::LeafWise { leaves } => leaves,
        }
    }

    /// The rule of a column.
    pub(super) fn rule(&self, column: usize) -> Monotone {
        self.monotone.get(column).copied().unwrap_or_default()
    }
}
