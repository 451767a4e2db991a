//! One module per subcommand, each with a function that can be called from a test.

pub(crate) mod backtest;
pub(crate) mod cohort;
pub(crate) mod correlate;
pub(crate) mod counterfactual;
pub(crate) mod coverage;
pub(crate) mod data;
pub(crate) mod demo;
pub(crate) mod experiment;
pub(crate) mod explain;
pub(crate) mod features;
pub(crate) mod history;
pub(crate) mod import;
pub(crate) mod keys;
pub(crate) mod lags;
pub(crate) mod models;
pub(crate) mod people;
pub(crate) mod predict;
pub(crate) mod shell;
pub(crate) mod train;
pub(crate) mod trajectory;
pub(crate) mod tune;
pub(crate) mod users;
pub(crate) mod watch;
pub(crate) mod what_if;

use crate::args::Global;
use anyhow::Context;
use chrono::{DateTime, Utc};
use std::path::PathBuf;
use vitalcast::Engine;

impl Global {
    /// The current time of this run.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.now.unwrap_or_else(Utc::now)
    }

    /// Where the data is: `--data-dir`, else `VITALCAST_DATA_DIR`, else the platform's folder.
    pub(crate) fn data_dir(&self) -> anyhow::Result<PathBuf> {
        if let Some(folder) = &self.data_dir {
            return Ok(folder.clone());
        }
        let folders = directories::ProjectDirs::from("", "", "vitalcast")
            .context("this system has no default data folder: give one with --data-dir")?;
        Ok(folders.data_dir().to_owned())
    }

    /// The engine on that folder.
    pub(crate) fn engine(&self) -> anyhow::Result<Engine> {
        Ok(Engine::open(&self.data_dir()?)?)
    }
}
