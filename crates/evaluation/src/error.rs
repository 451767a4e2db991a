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
    match values.iter().position(|value| !value.is_finite()) {
        Some(index) => Err(EvaluationError::NotFinite { what, index }),
        None => Ok(()),
    }
}
