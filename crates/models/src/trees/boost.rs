//! Tree after tree: gradients, draws, leaf values, and when to stop.

use super::bins::{Binned, PARALLEL_VALUES};
use super::grow::{Grower, Grown};
use super::histogram::{Cell, MAX_PACKED_ROWS};
use super::loss::quantile;
use super::loss::quantile_of_equals;
use super::options::TreeOptions;
use super::table::Table;
use super::{BoostedTrees, Node, leaf_value};
use crate::error::ModelError;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

/// Largest target and weight.
const LARGEST: f64 = 1e30;
/// Rows that a thread takes at a time.
const CHUNK: usize = 1 << 14;

/// Rows to learn from, or to check on.
#[derive(Debug, Clone, Copy)]
pub struct TreeRows<'a> {
    /// The features.
    pub table: &'a Table,
    /// What should be forecast, one for each row.
    pub targets: &'a [f64],
    /// How much each row counts, at least 0; `None` when all count the same. Whole weights are the same
    /// as rows repeated, except that `leaf_rows` and bins count rows.
    pub weights: Option<&'a [f64]>,
}

impl<'a> TreeRows<'a> {
    /// Rows that all count the same.
    pub fn new(table: &'a Table, targets: &'a [f64]) -> Self {
        Self {
            table,
            targets,
            weights: None,
        }
    }

    fn check(&self) -> Result<(), ModelError> {
        let expected = self.table.rows();
        let found = self.targets.len();
        if found != expected {
            return Err(ModelError::Targets { expected, found });
        }
        if let Some(row) = self.targets.iter().position(|target| !target.is_finite()) {
            return Err(ModelError::TargetNotFinite(row));
        }
        let Some(weights) = self.weights else {
            return Self::within("targets", self.targets);
        };
        let found = weights.len();
        if found != expected {
            return Err(ModelError::RowWeights { expected, found });
        }
        let counts = |weight: &f64| weight.is_finite() && *weight >= 0.0;
        if let Some(row) = weights.iter().position(|weight| !counts(weight)) {
            return Err(ModelError::RowWeight(row));
        }
        if weights.iter().all(|weight| *weight == 0.0) {
            return Err(ModelError::Empty("row with a weight above 0"));
        }
        Self::within("weights", weights)?;
        Self::within("targets", self.targets)
    }

    fn within(field: &'static str, values: &[f64]) -> Result<(), ModelError> {
        let low = values.iter().copied().fold(0.0, f64::min);
        let high = values.iter().copied().fold(0.0, f64::max);
        crate::error::within(field, low, -LARGEST, LARGEST)?;
        crate::error::within(field, high, -LARGEST, LARGEST)
    }

    fn loss(&self, options: &TreeOptions, forecasts: &[f64]) -> f64 {
        let mut sum = 0.0;
        let mut count = 0.0;
        for (row, (forecast, target)) in forecasts.iter().zip(self.targets).enumerate() {
            let weight = self.weights.map_or(1.0, |weights| weights[row]);
            sum += weight * options.loss.of(*forecast, *target);
            count += weight;
        }
        sum / count
    }
}

/// Grows trees on `learn`. With rows to check on, the trees after the best number of them are dropped,
/// and growing ends when `patience` trees in a row bring nothing.
pub(super) fn fit(
    learn: &TreeRows<'_>,
    check: Option<(&TreeRows<'_>, usize)>,
    options: &TreeOptions,
) -> Result<BoostedTrees, ModelError> {
    options.check(learn.table.columns())?;
    learn.check()?;
    if let Some((check, _)) = check {
        check.check()?;
        if check.table.columns() != learn.table.columns() {
            return Err(ModelError::Width {
                expected: learn.table.columns(),
                found: check.table.columns(),
            });
        }
    }
    let Some(weights) = learn.weights else {
        return if learn.table.rows() > MAX_PACKED_ROWS {
            Boosting::<[i64; 3]>::new(learn, check, options).run()
        } else {
            Boosting::<i64>::new(learn, check, options).run()
        };
    };
    if weights.iter().all(|weight| *weight > 0.0) {
        return Boosting::<[i64; 3]>::new(learn, check, options).run();
    }
    // A row of weight 0 is one that is not there.
    let counted = || (0..weights.len()).filter(|row| weights[*row] > 0.0);
    let values: Vec<f32> = counted()
        .flat_map(|row| learn.table.row(row))
        .copied()
        .collect();
    let table = Table::new(counted().count(), learn.table.columns(), values)?;
    let targets: Vec<f64> = counted().map(|row| learn.targets[row]).collect();
    let weights: Vec<f64> = counted().map(|row| weights[row]).collect();
    let learn = TreeRows {
        table: &table,
        targets: &targets,
        weights: Some(&weights),
    };
    Boosting::<[i64; 3]>::new(&learn, check, options).run()
}

/// What boosting remembers.
struct Boosting<'a, C> {
    learn: &'a TreeRows<'a>,
    check: Option<Checking<'a>>,
    options: &'a TreeOptions,
    parallel: bool,
    trees: BoostedTrees,
    /// What the trees so far forecast for each row.
    forecasts: Vec<f64>,
    cells: Vec<C>,
    random: ChaCha8Rng,
}

/// Trees measured on other rows.
struct Checking<'a> {
    rows: &'a TreeRows<'a>,
    patience: usize,
    forecasts: Vec<f64>,
    best_loss: f64,
    best_trees: usize,
}

impl<'a, C: Cell> Boosting<'a, C> {
    fn new(
        learn: &'a TreeRows<'a>,
        check: Option<(&'a TreeRows<'a>, usize)>,
        options: &'a TreeOptions,
    ) -> Self {
        let base = options.loss.base(learn.targets, learn.weights);
        let check = check.map(|(rows, patience)| {
            let forecasts = vec![base; rows.targets.len()];
            Checking {
                rows,
                patience,
                best_loss: rows.loss(options, &forecasts),
                best_trees: 0,
                forecasts,
            }
        });
        let rows = learn.targets.len();
        Self {
            learn,
            check,
            options,
            parallel: rows >= PARALLEL_VALUES && rayon::current_num_threads() > 1,
            trees: BoostedTrees {
                columns: learn.table.columns() as u32,
                base,
                roots: Vec::new(),
                nodes: Vec::new(),
            },
            forecasts: vec![base; rows],
            cells: vec![C::ZERO; rows],
            random: ChaCha8Rng::seed_from_u64(options.seed),
        }
    }

    fn run(mut self) -> Result<BoostedTrees, ModelError> {
        let options = self.options;
        let binned = Binned::new(self.learn.table, options);
        let mut grower = Grower::<C>::new(&binned, options);
        let drawn_each = options.row_share < 1.0 || options.column_share < 1.0;
        for _ in 0..options.trees {
            let drawn = (options.row_share < 1.0)
                .then(|| draw(&mut self.random, binned.rows, options.row_share));
            let allowed = if options.column_share < 1.0 {
                let count = binned.columns.len();
                let mut allowed = vec![false; count];
                for column in draw(&mut self.random, count, options.column_share) {
                    allowed[column as usize] = true;
                }
                allowed
            } else {
                Vec::new()
            };
            let scale = self.set_cells();
            let mut sum = C::ZERO;
            match &drawn {
                Some(rows) => rows
                    .iter()
                    .for_each(|row| sum.add(self.cells[*row as usize])),
                None => self.cells.iter().for_each(|cell| sum.add(*cell)),
            }
            let total = sum.sums(&scale);
            let mut grown = grower.grow(drawn.as_deref(), &allowed, &self.cells, scale, total);
            if grown.leaves.len() < 2 {
                if drawn_each {
                    continue;
                }
                // Every later tree would find the same.
                break;
            }
            self.renew(&mut grown, grower.rows());
            self.update(&grown, grower.rows(), drawn.as_deref());
            self.push(grown.nodes);
            if self.checked_enough() {
                break;
            }
        }
        if let Some(check) = &self.check {
            self.trees.truncate(check.best_trees);
        }
        if self.trees.roots.is_empty() {
            let cover = self
                .learn
                .weights
                .map_or(binned.rows as f64, |w| w.iter().sum());
            self.push(vec![Node::leaf(0.0, cover as f32)]);
        }
        // What was grown is held to what is read: no value may be infinite.
        self.trees.checked()
    }

    /// One row's gradient, weighted, and its weight.
    #[inline]
    fn gradient(&self, row: usize, forecast: f64) -> (f64, f64) {
        let gradient = self
            .options
            .loss
            .gradient(forecast, self.learn.targets[row]);
        match self.learn.weights {
            None => (gradient, 1.0),
            Some(weights) => (gradient * weights[row], weights[row]),
        }
    }

    /// Gradients as integers.
    fn set_cells(&mut self) -> super::histogram::Scale {
        let mut cells = std::mem::take(&mut self.cells);
        let this = &*self;
        let largest = |(chunk, forecasts): (usize, &[f64])| {
            let rows = (chunk * CHUNK..).zip(forecasts);
            rows.fold((0.0_f64, 0.0_f64), |(most, heaviest), (row, forecast)| {
                let (gradient, weight) = this.gradient(row, *forecast);
                (most.max(gradient.abs()), heaviest.max(weight))
            })
        };
        let either = |a: (f64, f64), b: (f64, f64)| (a.0.max(b.0), a.1.max(b.1));
        let (gradient, weight) = if self.parallel {
            let chunks = self.forecasts.par_chunks(CHUNK).enumerate();
            chunks.map(largest).reduce(|| (0.0, 0.0), either)
        } else {
            let chunks = self.forecasts.chunks(CHUNK).enumerate();
            chunks.map(largest).fold((0.0, 0.0), either)
        };
        let scale = C::scale(cells.len(), gradient, weight);
        let set = |(chunk, (cells, forecasts)): (usize, (&mut [C], &[f64]))| {
            for (row, (cell, forecast)) in (chunk * CHUNK..).zip(cells.iter_mut().zip(forecasts)) {
                let (gradient, weight) = this.gradient(row, *forecast);
                *cell = C::of(gradient, weight, &scale);
            }
        };
        if self.parallel {
            let chunks = cells.par_chunks_mut(CHUNK);
            let chunks = chunks.zip(self.forecasts.par_chunks(CHUNK));
            chunks.enumerate().for_each(set);
        } else {
            let chunks = cells.chunks_mut(CHUNK);
            let chunks = chunks.zip(self.forecasts.chunks(CHUNK));
            chunks.enumerate().for_each(set);
        }
        self.cells = cells;
        scale
    }

    /// Puts quantiles of what is left into the leaves, for losses whose gradients only say on which
    /// side the target is.
    fn renew(&self, grown: &mut Grown, rows: &[u32]) {
        let Some(level) = self.options.loss.renewed_level() else {
            return;
        };
        let left = |row: u32| self.learn.targets[row as usize] - self.forecasts[row as usize];
        let best = |leaf: &super::grow::Leaf| {
            let rows = &rows[leaf.first..leaf.last];
            let best = match self.learn.weights {
                None => {
                    let mut values: Vec<f64> = rows.iter().map(|row| left(*row)).collect();
                    quantile_of_equals(&mut values, level)
                }
                Some(weights) => {
                    let weight = |row: u32| weights[row as usize];
                    let mut values: Vec<(f64, f64)> =
                        rows.iter().map(|row| (left(*row), weight(*row))).collect();
                    quantile(&mut values, level)
                }
            };
            let best = best.clamp(leaf.bounds.low, leaf.bounds.high);
            (f64::from(self.options.learning_rate) * best) as f32
        };
        let values: Vec<f32> = if self.parallel {
            grown.leaves.par_iter().map(best).collect()
        } else {
            grown.leaves.iter().map(best).collect()
        };
        for (leaf, value) in grown.leaves.iter().zip(values) {
            grown.nodes[leaf.node].value = value;
        }
    }

    /// Adds a tree to the forecasts.
    fn update(&mut self, grown: &Grown, rows: &[u32], drawn: Option<&[u32]>) {
        let nodes = &grown.nodes;
        if self.parallel && grown.leaves.len() <= 1024 {
            // A leaf's rows are in order, so each thread finds its own.
            let add = |(chunk, forecasts): (usize, &mut [f64])| {
                let first = chunk * CHUNK;
                let after = first + forecasts.len();
                for leaf in &grown.leaves {
                    let rows = &rows[leaf.first..leaf.last];
                    let begin = rows.partition_point(|row| (*row as usize) < first);
                    let end = rows.partition_point(|row| (*row as usize) < after);
                    let value = f64::from(nodes[leaf.node].value);
                    for row in &rows[begin..end] {
                        forecasts[*row as usize - first] += value;
                    }
                }
            };
            let chunks = self.forecasts.par_chunks_mut(CHUNK).enumerate();
            chunks.for_each(add);
        } else {
            for leaf in &grown.leaves {
                let value = f64::from(nodes[leaf.node].value);
                for row in &rows[leaf.first..leaf.last] {
                    self.forecasts[*row as usize] += value;
                }
            }
        }
        let table = self.learn.table;
        if let Some(drawn) = drawn {
            let mut drawn = drawn.iter().peekable();
            for (row, forecast) in self.forecasts.iter_mut().enumerate() {
                if drawn.next_if(|next| **next as usize == row).is_none() {
                    *forecast += leaf_value(nodes, 0, table.row(row));
                }
            }
        }
        if let Some(check) = &mut self.check {
            for (row, forecast) in check.forecasts.iter_mut().enumerate() {
                *forecast += leaf_value(nodes, 0, check.rows.table.row(row));
            }
        }
    }

    fn push(&mut self, nodes: Vec<Node>) {
        let first = self.trees.nodes.len() as u32;
        self.trees.roots.push(first);
        let placed = nodes.into_iter().map(|node| node.moved(first));
        self.trees.nodes.extend(placed);
    }

    /// Whether the trees have stopped to get better on the rows to check on.
    fn checked_enough(&mut self) -> bool {
        let trees = self.trees.roots.len();
        let Some(check) = &mut self.check else {
            return false;
        };
        let loss = check.rows.loss(self.options, &check.forecasts);
        if loss < check.best_loss {
            check.best_loss = loss;
            check.best_trees = trees;
        }
        trees - check.best_trees >= check.patience.max(1)
    }
}

/// A share of the numbers below `count`, at least one, in order: each share of this size is drawn as
/// often as any other (selection sampling, Knuth, volume 2, 3.4.2).
fn draw(random: &mut ChaCha8Rng, count: usize, share: f32) -> Vec<u32> {
    let mut wanted = ((count as f64 * f64::from(share)).round() as usize).clamp(1, count.max(1));
    let mut drawn = Vec::with_capacity(wanted);
    for number in 0..count {
        let rest = (count - number) as u64;
        if (u64::from(random.next_u32()) * rest) >> 32 < wanted as u64 {
            drawn.push(number as u32);
            wanted -= 1;
        }
    }
    drawn
}
