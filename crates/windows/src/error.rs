//! Errors of windows, splits and scalers.

/// Errors of windows, splits and scalers.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum WindowError {
    /// A setting outside its bounds.
    #[error("{what} must be between {low} and {high}, but is {found}")]
    OutOfBounds {
        /// The setting.
        what: &'static str,
        /// Lowest allowed.
        low: usize,
        /// Highest allowed.
        high: usize,
        /// What was given.
        found: usize,
    },
    /// A number of values that does not fill the rows.
    #[error(
        "the number of values is {values}, expected a multiple of {columns}, the number of \
             columns"
    )]
    Shape {
        /// Values given.
        values: usize,
        /// Columns given.
        columns: usize,
    },
    /// Two columns of one name.
    #[error("column {0:?} occurs twice")]
    TwoColumns(String),
    /// A value that is infinite or not a number, or becomes so when it is scaled.
    #[error("the value in row {row}, column {column:?} is not finite")]
    NotFinite {
        /// Row, counted from 0.
        row: usize,
        /// Name of the column.
        column: String,
    },
    /// A later version of a row that the row cannot have.
    #[error(
        "row {row} has a later version from row {from}, expected a row of the matrix and a later \
         row than it, in order"
    )]
    NotLater {
        /// The row.
        row: usize,
        /// The first row that sees the version.
        from: usize,
    },
    /// A window that would begin before the first row or end after the last.
    #[error("a window of {lookback} days ending on row {last_row} does not fit into {rows} rows")]
    OutsideRows {
        /// Days read.
        lookback: usize,
        /// Last row read.
        last_row: usize,
        /// Rows there are.
        rows: usize,
    },
    /// A column that the matrix does not have.
    #[error("column {0:?} does not exist")]
    UnknownColumn(String),
    /// Series of different lengths.
    #[error("{what} has {found} rows, expected {expected}")]
    Length {
        /// Which series.
        what: &'static str,
        /// Its length.
        found: usize,
        /// The right length.
        expected: usize,
    },
    /// Fractions that leave nothing to train on.
    #[error("{what} must be a share from 0 to below 1, and some windows must be left for training")]
    Fraction {
        /// Which fraction.
        what: &'static str,
    },
    /// Too few windows for every part of a split.
    #[error(
        "{found} windows cannot be split into {parts} parts with at least {least} windows each to \
         train on and one for each other part: {missing} more are needed"
    )]
    TooFewWindows {
        /// Windows there are.
        found: usize,
        /// Parts asked for.
        parts: usize,
        /// Least number of training windows.
        least: usize,
        /// How many more are needed.
        missing: usize,
    },
    /// Windows that are not in the order of their targets.
    #[error("window {index} does not come after the one before it, expected windows in time order")]
    NotInOrder {
        /// Place of the window, counted from 0.
        index: usize,
    },
    /// A part of a split whose every window was dropped at the border.
    #[error(
        "each of the {windows} windows of the {part} part forecasts days that are targets of the \
         part before it: with a horizon of {horizon} days, {horizon} windows are enough"
    )]
    NothingBehindBorder {
        /// Which part.
        part: &'static str,
        /// Windows it had.
        windows: usize,
        /// Days from the last one read to the one forecast.
        horizon: usize,
    },
    /// A scaler without a single value to be fitted on.
    #[error("cannot fit a scaler: the training rows contain no observed value")]
    NothingToFit,
    /// A scaler read from elsewhere that no fitting gives.
    #[error("scaler column {column}: {what}")]
    BadScaler {
        /// Which column.
        column: usize,
        /// What is wrong.
        what: &'static str,
    },
}
