//! Errors of statistics.

/// An error in the input of a statistic. The text does not contain the values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InsightError {
    /// Two series of different length.
    #[error("the series have {left} and {right} values, expected the same number")]
    Unpaired {
        /// Length of the first.
        left: usize,
        /// Length of the second.
        right: usize,
    },
    /// Fewer values than the statistic needs.
    #[error("expected at least {least} values, found {got}")]
    TooFew {
        /// Number of values.
        got: usize,
        /// Minimum number of values.
        least: usize,
    },
    /// Too few days on which a tag applies, or on which it does not.
    #[error("expected at least {least} days of yes and {least} of no, found {yes} and {no}")]
    TooFewOfEach {
        /// Days of yes.
        yes: usize,
        /// Days of no.
        no: usize,
        /// Minimum number of each.
        least: usize,
    },
    /// A constant series.
    #[error("a constant series has no correlation")]
    Constant,
    /// A value that is infinite or not a number.
    #[error("value {0} is not a finite number")]
    NotFinite(usize),
    /// A probability below 0 or above 1.
    #[error("value {0} is not a probability, expected 0 to 1")]
    NotAProbability(usize),
    /// The feature follows from the history of the target.
    #[error("the feature follows from earlier days of the target, so it adds no information")]
    NothingOfItsOwn,
    /// The history of the target explains it completely.
    #[error("the target is explained completely without the feature, so there is nothing to test")]
    NothingLeft,
}

/// Checks that two series have the same length, and returns it.
pub(crate) fn check_pairs(x: &[f64], y: &[f64], least: usize) -> Result<(), InsightError> {
    if x.len() != y.len() {
        return Err(InsightError::Unpaired {
            left: x.len(),
            right: y.len(),
        });
    }
    if x.len() < least {
        return Err(InsightError::TooFew {
            got: x.len(),
            least,
        });
    }
    for (index, (x, y)) in x.iter().zip(y).enumerate() {
        if !x.is_finite() || !y.is_finite() {
            return Err(InsightError::NotFinite(index));
        }
    }
    Ok(())
}
