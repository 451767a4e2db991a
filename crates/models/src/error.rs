//! Why a model could not be made, read or run.

/// Why a model could not be made, read or run.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
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
    /// Windows without a row, a day or a feature.
    #[error("windows need at least one {0}")]
    Empty(&'static str),
    /// A number of values that is not count × lookback × features.
    #[error("{found} values are not {count} windows of {lookback} days and {features} features")]
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
    #[error("the network reads {expected} features a day, the windows have {found}")]
    Width {
        /// What the network reads.
        expected: usize,
        /// What was given.
        found: usize,
    },
    /// Bytes that are no safetensors file.
    #[error("not a safetensors file: {0}")]
    NotSafetensors(String),
    /// A weight that is not there.
    #[error("weight {0} is missing")]
    MissingWeight(String),
    /// A weight the network has no place for.
    #[error("weight {0} belongs to no part of this network")]
    UnknownWeight(String),
    /// A weight of another shape or type.
    #[error("weight {name} should be f32 of shape {expected:?}, but is {found}")]
    WeightShape {
        /// Its name.
        name: String,
        /// What the network needs.
        expected: Vec<usize>,
        /// What was found.
        found: String,
    },
    /// A weight with a value that is infinite or not a number.
    #[error("weight {0} holds a value that is not finite")]
    WeightNotFinite(String),
}
