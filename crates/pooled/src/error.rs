//! Errors of pooled models.

/// Errors of pooled models.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PooledError {
    /// Too few people with enough days.
    #[error(
        "a pooled model needs at least {needed} people with {days} readings each, found {found}"
    )]
    TooFewPeople {
        /// How many are needed.
        needed: usize,
        /// How many there are.
        found: usize,
        /// Readings each of them needs.
        days: usize,
    },
    /// A person whose covariates are not those of the design.
    #[error("person {person} has {found} covariates, expected {expected} as in the design")]
    Covariates {
        /// Place of the person in the list.
        person: usize,
        /// What the design has.
        expected: usize,
        /// What was given.
        found: usize,
    },
    /// A person whose series differ in length, or whose targets lie beyond the last day.
    #[error("person {person} has {days} days, but not in all series, or targets beyond them")]
    Days {
        /// Place of the person in the list.
        person: usize,
        /// Days of the series that is forecast.
        days: usize,
    },
    /// A penalty that is not finite and above 0.
    #[error("a penalty is not finite and above 0")]
    Penalty,
    /// A setting outside its bounds.
    #[error("{field} must be between {low} and {high}")]
    OutOfBounds {
        /// The setting.
        field: &'static str,
        /// Lowest allowed.
        low: usize,
        /// Highest allowed.
        high: usize,
    },
    /// Errors of forecasts that are no numbers.
    #[error("the errors of the forecasts cannot be used: {0}")]
    Evaluation(#[from] vitalcast_evaluation::EvaluationError),
    /// Numbers read from a file that are no model.
    #[error("the pooled model cannot be used: {0}")]
    Unusable(&'static str),
}
