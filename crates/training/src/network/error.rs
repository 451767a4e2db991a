//! Errors of fitting networks.

/// Errors of fitting networks.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FitError {
    /// A number of labels that does not match the windows.
    #[error("there are {labels} labels for {windows} windows, expected {outputs} per window")]
    Labels {
        /// Labels given.
        labels: usize,
        /// Windows given.
        windows: usize,
        /// Labels expected of each window.
        outputs: usize,
    },
    /// An output that no window has a label for.
    #[error("output {0} has no labels, expected at least one")]
    Unlabelled(usize),
    /// Windows with another number of labels than the network has outputs.
    #[error("the network has {expected} outputs, the windows have {found} labels each")]
    Outputs {
        /// Outputs of the network.
        expected: usize,
        /// Labels of a window.
        found: usize,
    },
    /// A label that is infinite or not a number.
    #[error("label {0} is not finite")]
    LabelNotFinite(usize),
    /// Too few windows for batch norm.
    #[error("the number of training windows is {0}, expected at least 2 for batch normalisation")]
    TooFewWindows(usize),
    /// An option outside its bounds.
    #[error("{field} must be {expected}, but is {found}")]
    Option {
        /// The option.
        field: &'static str,
        /// What was expected.
        expected: &'static str,
        /// What was given.
        found: f64,
    },
    /// The loss diverged.
    #[error("the loss of epoch {epoch} is not finite: use a learning rate below {learning_rate}")]
    Diverged {
        /// The epoch.
        epoch: usize,
        /// The learning rate.
        learning_rate: f64,
    },
    /// Threads to fit many networks on.
    #[error("cannot start threads: {0}")]
    Threads(String),
    /// The caller asked to stop.
    #[error("cancelled after epoch {0}")]
    Cancelled(usize),
    /// The network refused its configuration or windows.
    #[error(transparent)]
    Model(#[from] vitalcast_models::ModelError),
}
