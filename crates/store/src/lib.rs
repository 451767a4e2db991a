#![doc = include_str!("../README.md")]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod content;
mod error;
mod rows;
mod sqlite;
mod store;

pub use error::StoreError;
pub use sqlite::SqliteStore;
pub use store::{
    NewForecast, NewModel, RegisteredModel, Store, StoredForecast, UserSummary, WriteReport,
};
