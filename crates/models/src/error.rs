//! Errors of models.

use crate::device::ComputeDevice;

/// Errors of models.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ModelError {
    /// A setting outside its bounds.
    #[error("{field} must be between {low} and {high}, but is {found}")]
    OutOfBounds {
        /// The setting.
        field: &'static str,
        /// Lowest allowed.
        low: f64,
        /// Highest allowed.
        high: f64,
        /// What was given.
        found: f64,
    },
    /// A required list is empty: windows, days, features, rows or columns.
    #[error("there is no {0}, expected at least one")]
    Empty(&'static str),
    /// A history that is too short.
    #[error("expected at least {needed} {what}, found {found}")]
    TooShort {
        /// The missing data.
        what: &'static str,
        /// Minimum number.
        needed: usize,
        /// How many there are.
        found: usize,
    },
    /// A day of a history that is infinite or not a number.
    #[error("the value of day {0} is not finite, expected None for a missing value")]
    DayNotFinite(usize),
    /// A number of values that is not rows × columns.
    #[error("there are {found} values, expected {rows} rows of {columns} columns")]
    TableShape {
        /// Values given.
        found: usize,
        /// Rows.
        rows: usize,
        /// Columns each.
        columns: usize,
    },
    /// An infinite value in a table.
    #[error(
        "the value of row {row}, column {column} is infinite, expected NaN for a missing value"
    )]
    CellInfinite {
        /// Which row.
        row: usize,
        /// Which column of it.
        column: usize,
    },
    /// Targets that do not stand beside the rows.
    #[error("there are {found} targets, expected {expected}: one for each row")]
    Targets {
        /// Rows given.
        expected: usize,
        /// Targets given.
        found: usize,
    },
    /// A target that is infinite or not a number.
    #[error("the target of row {0} is not finite")]
    TargetNotFinite(usize),
    /// Weights that do not stand beside the rows.
    #[error("there are {found} weights, expected {expected}: one for each row")]
    RowWeights {
        /// Rows given.
        expected: usize,
        /// Weights given.
        found: usize,
    },
    /// A weight below 0, infinite or not a number.
    #[error("the weight of row {0} is not a finite number of at least 0")]
    RowWeight(usize),
    /// Monotone rules that do not stand beside the columns.
    #[error("there are {found} monotone rules, expected none or {expected}: one for each column")]
    Monotone {
        /// Columns of the table.
        expected: usize,
        /// Rules given.
        found: usize,
    },
    /// Trees that cannot be grown, read or explained.
    #[error("the trees cannot be used: {0}")]
    Trees(String),
    /// A number of values that is not count × lookback × features.
    #[error(
        "there are {found} values, expected {count} windows of {lookback} days and {features} \
             features"
    )]
    Shape {
        /// Values given.
        found: usize,
        /// Windows.
        count: usize,
        /// Days each.
        lookback: usize,
        /// Features a day.
        features: usize,
    },
    /// A value that is infinite or not a number.
    #[error("the value of window {window}, day {day}, feature {feature} is not finite")]
    NotFinite {
        /// Which window.
        window: usize,
        /// Which day of it.
        day: usize,
        /// Which feature.
        feature: usize,
    },
    /// Windows of another width than the network reads.
    #[error("the windows have {found} features per day, expected {expected}")]
    Width {
        /// What the network reads.
        expected: usize,
        /// What was given.
        found: usize,
    },
    /// Too few windows to learn from at once.
    #[error("the number of windows of a batch is {0}, expected at least 2")]
    Batch(usize),
    /// Windows of another shape than those they are put beside: days and features.
    #[error(
        "windows of part {part} have {} days and {} features, expected {} and {} as in part 0",
        found.0, found.1, expected.0, expected.1
    )]
    Unequal {
        /// Which part.
        part: usize,
        /// Days and features of the first part.
        expected: (usize, usize),
        /// Days and features of this one.
        found: (usize, usize),
    },
    /// A device that cannot be used.
    #[error(
        "device {device} cannot be used: {why}; this build has {}",
        ComputeDevice::built_in()
    )]
    NoDevice {
        /// Which one.
        device: ComputeDevice,
        /// Why not.
        why: &'static str,
    },
    /// An instruction set that is unknown, or that this machine does not have.
    #[error(
        "instruction set {name} (VITALCAST_ISA) cannot be used, expected one of this machine: {}",
        .available.join(", ")
    )]
    InstructionSet {
        /// The name given.
        name: String,
        /// Names of those there are.
        available: Vec<&'static str>,
    },
    /// Bytes that are no safetensors file.
    #[error("not a safetensors file: {0}")]
    NotSafetensors(String),
    /// A file that is no PyTorch checkpoint.
    #[error("not a PyTorch checkpoint: {0}")]
    NotPytorch(String),
    /// A missing weight.
    #[error("weight {0} is missing")]
    MissingWeight(String),
    /// Another number of weights than the network has.
    #[error("there are {found} weights, expected {expected}")]
    WeightCount {
        /// What the network has.
        expected: usize,
        /// What was given.
        found: usize,
    },
    /// An unknown weight.
    #[error("weight {0} belongs to no part of this network")]
    UnknownWeight(String),
    /// A weight of another shape or type.
    #[error("weight {name} is {found}, expected f32 of shape {expected:?}")]
    WeightShape {
        /// Its name.
        name: String,
        /// The expected shape.
        expected: Vec<usize>,
        /// The actual type and shape.
        found: String,
    },
    /// A part of a model that an ONNX file cannot hold.
    #[error("{0} cannot be part of an ONNX file")]
    NoGraph(&'static str),
    /// A weight with a value that is infinite or not a number.
    #[error("weight {0} contains a value that is not finite")]
    WeightNotFinite(String),
}

/// Refuses a setting outside its bounds, and one that is not a number.
pub(crate) fn within(
    field: &'static str,
    found: f64,
    low: f64,
    high: f64,
) -> Result<(), ModelError> {
    if (low..=high).contains(&found) {
        Ok(())
    } else {
        Err(ModelError::OutOfBounds {
            field,
            low,
            high,
            found,
        })
    }
}
