#![doc = include_str!("../README.md")]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod content;
mod error;
mod experiments;
mod jobs;
mod rows;
mod sqlite;
mod store;

pub use error::StoreError;
pub use experiments::{AddedExperiment, Experiments, StoredExperiment};
pub use jobs::{JobOutcome, Jobs, Keys, NewJob, StoredJob};
pub use sqlite::{ChangeMark, SqliteStore};
pub use store::{
    Deletion, ErasedUser, Generation, Listed, ModelList, NewForecast, NewModel, RecordFilter,
    RegisteredModel, Store, StoredForecast, Unreadable, UnreadableModel, UserSummary, WriteReport,
};
