//! Why a network could not be fitted.

/// Why a network could not be fitted.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FitError {
    /// Labels that do not stand beside the windows.
    #[error("{labels} labels stand beside {windows} windows")]
    Labels {
        /// Labels given.
        labels: usize,
        /// Windows given.
        windows: usize,
    },
    /// A label that is infinite or not a number.
    #[error("label {0} is not finite")]
    LabelNotFinite(usize),
    /// Too few windows for batch norm.
    #[error("{0} training window is too few: batch norm needs two")]
    TooFewWindows(usize),
    /// An option outside its bounds.
    #[error("{field} must be {expected}, but is {found}")]
    Option {
        /// The option.
        field: &'static str,
        /// What would be right.
        expected: &'static str,
        /// What was given.
        found: f64,
    },
    /// The loss ran away.
    #[error(
        "the loss of epoch {epoch} is not finite: a smaller learning rate than {learning_rate} would be right"
    )]
    Diverged {
        /// In which epoch.
        epoch: usize,
        /// At which step size.
        learning_rate: f64,
    },
    /// The caller asked to stop.
    #[error("cancelled after epoch {0}")]
    Cancelled(usize),
    /// The network refused its configuration or windows.
    #[error(transparent)]
    Model(#[from] vitalcast_models::ModelError),
}
