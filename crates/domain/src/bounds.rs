//! The bounds of the settings of requests: one home for their check, the API and its document.

use crate::error::FieldError;

/// The smallest and the largest value of a setting.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds<T> {
    /// The smallest value.
    pub low: T,
    /// The largest value.
    pub high: T,
}

const fn bounds<T: Copy>(low: T, high: T) -> Bounds<T> {
    Bounds { low, high }
}

/// Days of history used for training.
pub const LOOKBACK_DAYS: Bounds<i64> = bounds(30, 365);
/// Days of input for one forecast.
pub const SEQUENCE_LENGTH: Bounds<i64> = bounds(7, 60);
/// Maximum number of epochs.
pub const EPOCHS: Bounds<i64> = bounds(10, 200);
/// Batch size in windows.
pub const BATCH_SIZE: Bounds<i64> = bounds(8, 128);
/// Learning rate of Adam.
pub const LEARNING_RATE: Bounds<f64> = bounds(0.0001, 0.1);
/// Share of windows for validation.
pub const VALIDATION_SPLIT: Bounds<f64> = bounds(0.1, 0.3);
/// Hidden size of an LSTM.
pub const HIDDEN_DIM: Bounds<i64> = bounds(32, 512);
/// Number of stacked LSTM layers.
pub const NUM_LAYERS: Bounds<i64> = bounds(1, 4);
/// Dropout rate.
pub const DROPOUT: Bounds<f64> = bounds(0.0, 0.5);
/// Splits from the root of a tree to a leaf.
pub const TREE_DEPTH: Bounds<i64> = bounds(1, 8);
/// What each tree counts.
pub const TREE_SHRINKAGE: Bounds<f64> = bounds(0.005, 0.5);
/// Fewest days in a leaf of a tree.
pub const TREE_LEAF_ROWS: Bounds<i64> = bounds(1, 100);
/// Share of the days each tree is grown on.
pub const TREE_ROW_SHARE: Bounds<f64> = bounds(0.3, 1.0);
/// Number of days of the metric in a correlation.
pub const CORRELATION_DAYS: Bounds<i64> = bounds(14, 180);
/// Significance level.
pub const SIGNIFICANCE: Bounds<f64> = bounds(0.001, 0.1);
/// Smallest absolute correlation to list.
pub const MIN_CORRELATION: Bounds<f64> = bounds(0.0, 1.0);
/// Maximum number of correlations to list; the API allows fewer.
pub const TOP_K: Bounds<i64> = bounds(1, 1_000);
/// Maximum number of features to list in an explanation.
pub const TOP_FEATURES: Bounds<i64> = bounds(1, 51);
/// Forecasts that an explanation of one forecast may compute.
pub const EVALUATIONS: Bounds<i64> = bounds(64, 10_000);
/// Forecasts that an explanation of a model may compute for each day.
pub const EVALUATIONS_OF_DAY: Bounds<i64> = bounds(64, 2_048);
/// Maximum lag, hours.
pub const MAX_LAG_HOURS: Bounds<i64> = bounds(6, 168);
/// Step between lags, hours.
pub const LAG_STEP_HOURS: Bounds<i64> = bounds(1, 24);
/// Days of a block of an experiment.
pub const BLOCK_DAYS: Bounds<i64> = bounds(1, 28);
/// Pairs of blocks of an experiment.
pub const PAIRS: Bounds<i64> = bounds(2, 60);
/// Days from what is done in an experiment to the value that shows it.
pub const OUTCOME_LAG: Bounds<i64> = bounds(0, 3);
/// Power of an experiment.
pub const EXPERIMENT_POWER: Bounds<f64> = bounds(0.5, 0.99);
/// Largest smallest difference of interest of an experiment, in the metric's unit.
pub const EXPERIMENT_EFFECT: f64 = 1_000.0;
/// Most days of an experiment.
pub const EXPERIMENT_DAYS: usize = 366;
/// Most characters of the question of an experiment, and of a remark on one of its days.
pub const EXPERIMENT_QUESTION: usize = 300;
/// Most characters of the name of a condition.
pub const EXPERIMENT_LABEL: usize = 80;

/// Bytes of the name of a source, and of an id within it.
pub const SOURCE_LENGTH: Bounds<i64> = bounds(1, 200);
/// Characters of the name of a meal.
pub const MEAL_NAME_LENGTH: Bounds<i64> = bounds(1, 500);
/// Characters of the name of a tag.
pub const TAG_NAME_LENGTH: Bounds<i64> = bounds(1, 500);
/// Characters of what a person wrote beside a tag.
pub const NOTE_LENGTH: Bounds<i64> = bounds(1, 4_000);
/// Characters of a unit.
pub const UNIT_LENGTH: Bounds<i64> = bounds(1, 40);
/// A reading in any unit; each metric type has narrower bounds in its own.
pub const READING: Bounds<f64> = bounds(-1e5, 1e10);
/// Local hour at which a day begins.
pub const DAY_BEGINS_HOUR: Bounds<i64> = bounds(0, 23);
/// Most zones of a profile, most sources of a metric's order, and most cycles.
pub const LISTED: usize = 500;

impl Bounds<i64> {
    /// Notes a fault when the value is outside the bounds.
    pub(crate) fn check(self, faults: &mut Vec<FieldError>, field: &'static str, value: usize) {
        let Self { low, high } = self;
        if !i64::try_from(value).is_ok_and(|value| (low..=high).contains(&value)) {
            faults.push(fault(field, low, high, value));
        }
    }
}

impl Bounds<f64> {
    /// Notes a fault when the value is outside the bounds or not a number.
    pub(crate) fn check(self, faults: &mut Vec<FieldError>, field: &'static str, value: f64) {
        let Self { low, high } = self;
        if !(low..=high).contains(&value) {
            faults.push(fault(field, low, high, value));
        }
    }
}

fn fault<L: std::fmt::Display>(
    field: &'static str,
    low: L,
    high: L,
    value: impl std::fmt::Display,
) -> FieldError {
    FieldError {
        field,
        message: format!("must be between {low} and {high}, but is {value}"),
    }
}
