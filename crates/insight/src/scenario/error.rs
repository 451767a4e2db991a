//! Why a change cannot be made.

/// Why a change of a day cannot be made. The texts hold names and bounds, never a value of the person.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScenarioError {
    /// A name that is no feature and no metric type.
    #[error(
        "{name:?} is no feature that can be set: name one such as nutrition_protein_daily, \
         activity_steps_daily or a metric type such as STEPS"
    )]
    UnknownFeature {
        /// The name, cut to 80 characters.
        name: String,
    },
    /// A feature that follows from others.
    #[error("{feature} follows from other values and cannot be set: {instead}")]
    Follows {
        /// The feature.
        feature: &'static str,
        /// What to change instead.
        instead: &'static str,
    },
    /// A value that no day can have.
    #[error("{feature} must be between {low} and {high} {unit}")]
    OutOfRange {
        /// What was set.
        feature: &'static str,
        /// Lowest value.
        low: f64,
        /// Highest value.
        high: f64,
        /// Unit of both.
        unit: &'static str,
    },
    /// Something that is set twice.
    #[error("{0} is set twice")]
    Twice(&'static str),
    /// Changes that cannot all hold.
    #[error("the changes contradict each other: {0}")]
    Contradictory(&'static str),
    /// A change for which the day lacks something.
    #[error("{feature} cannot be set on this day: {why}")]
    Impossible {
        /// What was set.
        feature: &'static str,
        /// What is missing.
        why: &'static str,
    },
    /// A record that is added and not plausible.
    #[error("what is added is not plausible")]
    Record(#[source] vitalcast_domain::DomainError),
    /// The features of the day cannot be computed.
    #[error(transparent)]
    Features(#[from] vitalcast_features::FeaturesError),
}
