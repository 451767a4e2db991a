//! The development people: the data sets, the series that are scored, and how they are read.

use chrono::{DateTime, Utc};
use std::error::Error;
use std::ops::ControlFlow;
use std::path::Path;
use vitalcast::{Engine, History, ImportSettings, PredictionMetric};

pub(crate) const DATA_SETS: [&str; 2] = ["lifesnaps", "t1d-uom"];
/// The place of a data set, and a metric of it.
pub(crate) const SERIES: [(usize, PredictionMetric); 6] = [
    (0, PredictionMetric::RestingHeartRate),
    (0, PredictionMetric::HeartRateVariabilityRmssd),
    (0, PredictionMetric::SleepDuration),
    (0, PredictionMetric::RecoveryScore),
    (1, PredictionMetric::RestingHeartRate),
    (1, PredictionMetric::SleepDuration),
];
/// Parts into which people are divided.
pub(crate) const FOLDS: usize = 5;

/// The people of a data set.
pub(crate) fn read(from: &Path, now: DateTime<Utc>) -> Result<Vec<History>, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let engine = Engine::open(folder.path())?;
    let go_on = &mut |_, _| ControlFlow::Continue(());
    engine.import(&[from.to_owned()], &ImportSettings::default(), now, go_on)?;
    let mut histories = Vec::new();
    for user in engine.users()? {
        histories.push(engine.load(&user.user_id)?);
    }
    Ok(histories)
}
