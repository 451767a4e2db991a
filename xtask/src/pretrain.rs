//! The models of many people that are part of the release, fitted again from the full data sets.

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::Context;

use crate::built::built;
use crate::step::{Outcome, outcome_from};

/// Where the release keeps these models.
const MODELS: &str = "crates/inference/population";

/// Fits all models from the data sets in `from` and writes them into the tree. The same data give the
/// same bytes, so that `git status` shows whether anything has changed.
pub(crate) fn run(from: &Path) -> anyhow::Result<ExitCode> {
    let root = crate::root()?;
    let program = built("vitalcast-benches", "vitalcast-bench")?;
    // Its lines go where ours go.
    let status = Command::new(program)
        .arg("pretrain")
        .arg(from)
        .arg(root.join(MODELS))
        .status()
        .context("starting pretrain")?;
    match outcome_from(status) {
        Outcome::Failed(code) => Ok(ExitCode::from(code)),
        Outcome::Passed | Outcome::NotDone(_) => Ok(ExitCode::SUCCESS),
    }
}
