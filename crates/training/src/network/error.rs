//! Why a network could not be fitted.

/// Why a network could not be fitted.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FitError {
    /// Labels that do not stand beside the windows.
    #[error("{labels} labels stand beside {windows} windows, expected {outputs} of each")]
    Labels {
        /// Labels given.
        labels: usize,
        /// Windows given.
        windows: usize,
        /// Labels expected of each window.
        outputs: usize,
    },
    /// An output that no window has a label for.
    #[error("output {0} has no label at all")]
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
    /// Threads to fit many networks on.
    #[error("no threads can be had: {0}")]
    Threads(String),
    /// The caller asked to stop.
    #[error("cancelled after epoch {0}")]
    Cancelled(usize),
    /// The network refused its configuration or windows.
    #[error(transparent)]
    Model(#[from] vitalcast_models::ModelError),
}
