//! Errors of measurements.

/// Errors of measurements.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum EvaluationError {
    /// No values.
    #[error("there are no {0}, expected at least one")]
    Empty(&'static str),
    /// Two series have different lengths.
    #[error(
        "there are {actual} actual values and {predicted} predicted ones, expected the same number"
    )]
    Lengths {
        /// Actual values.
        actual: usize,
        /// Predicted values.
        predicted: usize,
    },
    /// A value that is infinite or not a number.
    #[error("{what} number {index} is not finite")]
    NotFinite {
        /// The series.
        what: &'static str,
        /// Index, counted from 0.
        index: usize,
    },
    /// A nominal level that is no share.
    #[error("level {0} is not above 0 and below 1")]
    Level(f64),
    /// A level that is not above the one before it.
    #[error("level {0} is not above the level before it")]
    LevelOrder(f64),
    /// An interval that does not contain the central value and the intervals of all lower levels.
    #[error(
        "the interval of level {0} does not contain the central value or a lower level's interval"
    )]
    NotNested(f64),
    /// Factors of gaps that do not start at 1, or fall.
    #[error("the factors of gaps do not rise from 1")]
    GapOrder,
    /// A number that is not finite and above 0.
    #[error("the {0} is not finite and above 0")]
    NotPositive(&'static str),
    /// A number below 0.
    #[error("the {0} is below 0")]
    Negative(&'static str),
}

/// Refuses empty series, different lengths and values that are not finite.
pub(crate) fn check_pair(actual: &[f64], predicted: &[f64]) -> Result<(), EvaluationError> {
    if actual.len() != predicted.len() {
        return Err(EvaluationError::Lengths {
            actual: actual.len(),
            predicted: predicted.len(),
        });
    }
    check_series("actual value", actual)?;
    check_series("predicted value", predicted)
}

pub(crate) fn check_series(what: &'static str, values: &[f64]) -> Result<(), EvaluationError> {
    if values.is_empty() {
        return Err(EvaluationError::Empty(what));
    }
    check_finite(what, values)
}

pub(crate) fn check_finite(what: &'static str, values: &[f64]) -> Result<(), EvaluationError> {
    match values.iter().position(|value| !value.is_finite()) {
        Some(index) => Err(EvaluationError::NotFinite { what, index }),
        None => Ok(()),
    }
}

pub(crate) fn check_level(level: f64) -> Result<(), EvaluationError> {
    // NaN fails both comparisons, so it is refused too.
    if level > 0.0 && level < 1.0 {
        Ok(())
    } else {
        Err(EvaluationError::Level(level))
    }
}
