//! Gradient-boosted regression trees (Friedman 2001) on tables with missing values.
//!
//! Values are put into at most 255 bins, and trees are grown from sums by bin (`histogram`). They are
//! kept as plain arrays of nodes, which are small, read back from bytes no one should trust, and
//! forecast the same to the last bit.
//!
//! The same table, targets and options give the same trees, with any number of threads: see
//! `histogram` for why.

mod bins;
mod boost;
mod explain;
mod grow;
mod histogram;
mod loss;
mod options;
mod predict;
mod split;
mod table;
#[cfg(test)]
mod tests;

pub use boost::TreeRows;
pub use explain::{TreeExplainer, TreeExplanation};
pub use loss::TreeLoss;
pub use options::{Monotone, TreeGrowth, TreeOptions};
pub use table::Table;

use crate::error::ModelError;
use serde::{Deserialize, Serialize};

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
    /// Column compared; of a leaf, the bits of its cover as f32. Trees of the first release have 0
    /// there: this is where a cover fits without another format.
    pub(crate) column: u32,
    /// Below it goes left; of a leaf, the value.
    pub(crate) value: f32,
    pub(crate) left: u32,
    pub(crate) right: u32,
    /// Where a missing value goes.
    pub(crate) missing: u32,
}

impl Node {
    /// A leaf with the sum of the weights of the rows it was learned from.
    fn leaf(value: f32, cover: f32) -> Self {
        Self {
            column: cover.max(f32::MIN_POSITIVE).to_bits(),
            value,
            left: 0,
            right: 0,
            missing: 0,
        }
    }

    pub(crate) fn is_leaf(&self) -> bool {
        self.left == 0
    }

    /// How much a leaf was learned from; `None` where nobody wrote it down.
    fn cover(&self) -> Option<f32> {
        (self.is_leaf() && self.column != 0).then(|| f32::from_bits(self.column))
    }

    /// With its children `by` places later.
    fn moved(self, by: u32) -> Self {
        if self.is_leaf() {
            return self;
        }
        Self {
            left: self.left + by,
            right: self.right + by,
            missing: self.missing + by,
            ..self
        }
    }

    /// Where a split sends a row.
    #[inline]
    fn child(&self, row: &[f32]) -> u32 {
        let value = row.get(self.column as usize).copied().unwrap_or(f32::NAN);
        if value.is_nan() {
            self.missing
        } else if value < self.value {
            self.left
        } else {
            self.right
        }
    }
}

/// The value of the leaf a row falls into, of one tree's nodes, whose children are numbered from
/// `first`.
fn leaf_value(nodes: &[Node], first: u32, row: &[f32]) -> f64 {
    let mut node = &nodes[0];
    while !node.is_leaf() {
        node = &nodes[(node.child(row) - first) as usize];
    }
    f64::from(node.value)
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
        let Unchecked {
            columns,
            base,
            roots,
            nodes,
        } = found;
        let trees = Self {
            columns,
            base,
            roots,
            nodes,
        };
        trees.check()?;
        Ok(trees)
    }
}

impl BoostedTrees {
    /// Grows trees that forecast `targets`, one for each row. The same table, targets and options give
    /// the same trees, with any number of threads.
    ///
    /// Targets that do not differ are forecast as they are. Columns on which no rows differ are never
    /// split on.
    ///
    /// # Errors
    ///
    /// [`ModelError::OutOfBounds`] naming an option, [`ModelError::Monotone`],
    /// [`ModelError::Targets`], [`ModelError::TargetNotFinite`].
    pub fn fit(table: &Table, targets: &[f64], options: &TreeOptions) -> Result<Self, ModelError> {
        Self::fit_rows(&TreeRows::new(table, targets), options)
    }

    /// Grows trees on rows that may have weights. A row of weight 0 is one that is not there.
    ///
    /// # Errors
    ///
    /// As [`Self::fit`]; [`ModelError::RowWeights`], [`ModelError::RowWeight`],
    /// [`ModelError::Empty`] where no row has a weight above 0.
    pub fn fit_rows(rows: &TreeRows<'_>, options: &TreeOptions) -> Result<Self, ModelError> {
        boost::fit(rows, None, options)
    }

    /// Grows trees on `learn` and keeps the number of them that is best on `check`; stops when
    /// `patience` trees in a row (at least 1) make nothing better there.
    ///
    /// # Errors
    ///
    /// As [`Self::fit_rows`], of both; [`ModelError::Width`] where their tables differ in width.
    pub fn fit_checked(
        learn: &TreeRows<'_>,
        check: &TreeRows<'_>,
        patience: usize,
        options: &TreeOptions,
    ) -> Result<Self, ModelError> {
        boost::fit(learn, Some((check, patience)), options)
    }

    /// Forecasts a row of features, NaN where one is missing; features left out at the end count as
    /// missing.
    pub fn predict_row(&self, row: &[f32]) -> f64 {
        let trees = self.trees();
        let leaves = trees.map(|(first, nodes)| leaf_value(nodes, first, row));
        leaves.fold(self.base, |sum, leaf| sum + leaf)
    }

    /// Forecasts every row; the same numbers as [`Self::predict_row`].
    ///
    /// # Errors
    ///
    /// [`ModelError::Width`] for a table of another width.
    pub fn predict(&self, table: &Table) -> Result<Vec<f64>, ModelError> {
        self.fits(table)?;
        let mut sums = vec![self.base; table.rows()];
        self.add_rows(table, &mut sums);
        Ok(sums)
    }

    fn fits(&self, table: &Table) -> Result<(), ModelError> {
        if table.columns() == self.columns() {
            return Ok(());
        }
        Err(ModelError::Width {
            expected: self.columns(),
            found: table.columns(),
        })
    }

    /// Features of a row.
    pub fn columns(&self) -> usize {
        self.columns as usize
    }

    /// Number of splits and leaves.
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// Number of trees.
    pub fn tree_count(&self) -> usize {
        self.roots.len()
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

    /// Keeps the first trees.
    fn truncate(&mut self, trees: usize) {
        if let Some(end) = self.roots.get(trees) {
            self.nodes.truncate(*end as usize);
            self.roots.truncate(trees);
        }
    }

    fn checked(self) -> Result<Self, ModelError> {
        self.check().map_err(ModelError::Trees)?;
        Ok(self)
    }

    /// Holds what was read to what every walk and every explanation relies on.
    fn check(&self) -> Result<(), String> {
        let count = self.nodes.len();
        if !self.base.is_finite() {
            return Err("the base of the trees is not finite".to_owned());
        }
        if let Some(root) = self.roots.iter().find(|root| **root as usize >= count) {
            return Err(format!("a tree begins at node {root} of {count}"));
        }
        if !self.roots.is_sorted_by(|a, b| a < b)
            || self.roots.first().is_some_and(|root| *root > 0)
        {
            return Err("the trees do not lie one behind the other".to_owned());
        }
        let mut has_parent = vec![false; count];
        for (first, nodes) in self.trees() {
            let last = first as usize + nodes.len();
            for (place, node) in (first as usize..).zip(nodes) {
                let invalid = || format!("node {place} of the trees is not valid");
                if !node.value.is_finite() {
                    return Err(invalid());
                }
                let mut children = [node.left, node.right, node.missing];
                if node.is_leaf() {
                    let covered = node.column == 0
                        || node
                            .cover()
                            .is_some_and(|cover| cover > 0.0 && cover.is_finite());
                    if children != [0; 3] || !covered {
                        return Err(invalid());
                    }
                    continue;
                }
                if node.column >= self.columns || node.left == node.right {
                    return Err(invalid());
                }
                if node.missing == node.left || node.missing == node.right {
                    children[2] = node.left;
                }
                for (index, child) in children.into_iter().enumerate() {
                    let child = child as usize;
                    // Children lie after their parent, so that every walk ends, and have no other.
                    let known = index == 2 && children[2] == children[0];
                    if child <= place || child >= last || (has_parent[child] && !known) {
                        return Err(invalid());
                    }
                    has_parent[child] = true;
                }
            }
        }
        let covers = self.nodes.iter().filter(|node| node.is_leaf());
        let mut covers = covers.map(|leaf| leaf.cover().is_some());
        let first = covers.next();
        if covers.any(|cover| Some(cover) != first) {
            return Err("some leaves have a cover and some have none".to_owned());
        }
        Ok(())
    }
}
