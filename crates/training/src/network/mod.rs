//! Fitting of networks: mini-batches, mean squared error, Adam, learning rate reduction on a plateau,
//! early stopping with the best weights.
//!
//! All random numbers come from the seed: the same windows, options and seed give the same weights.

mod adam;
mod error;
mod fit;
mod labels;
mod many;
mod plateau;

pub use error::FitError;
pub use fit::{
    EpochReport, FitOptions, FitOutcome, FittedNetwork, KeptEpoch, Loss, continue_network,
    fit_network,
};
pub use labels::LabelledWindows;
pub use many::{FitJob, fit_many};
pub use plateau::ReduceLrOnPlateau;
