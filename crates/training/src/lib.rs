#![doc = include_str!("../README.md")]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod cohort;
mod error;
mod kinds;
mod network;
mod pipeline;
mod pooled;
mod pooled_lstm;
mod replay;
mod replayed;
mod report;
mod settings;
mod tuning;

pub use error::TrainingError;
pub use network::{
    EpochReport, FitError, FitJob, FitOptions, FitOutcome, FittedNetwork, KeptEpoch,
    LabelledWindows, Loss, ReduceLrOnPlateau, continue_network, fit_many, fit_network,
};
pub use pipeline::{Trained, train, train_among};
pub use pooled::{ManyPeople, PooledTraining, fit_pooled};
pub use replay::{
    AgainstBaseline, Choice, FinishedPerson, ModelReport, NoRecord, ReplayAnswer, ReplayModel,
    ReplayRecord, ReplayRequest, ReplayRow, replay_people,
};
pub use settings::{SearchRange, Setting, Settings};
pub use tuning::{
    Evaluation, Matter, OnUnseenDays, Proceed, Search, Trial, TuningAnswer, TuningProgress,
    TuningRequest, tune,
};
