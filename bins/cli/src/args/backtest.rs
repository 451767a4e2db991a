//! The options of `backtest`.

use super::{level, listed, metric, share};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use std::path::PathBuf;
use vitalcast::{PredictionMetric, ReplayModel, UserId};

/// Every model that can be replayed, listed in the help.
fn replay_model() -> impl TypedValueParser<Value = ReplayModel> {
    let all = ReplayModel::all().map(|model| listed(model.name(), model.description()));
    PossibleValuesParser::new(all).try_map(|word| word.parse::<ReplayModel>())
}

/// One horizon or a range: `1`, `1..7` or `1-7`.
fn horizon(text: &str) -> Result<std::ops::RangeInclusive<usize>, String> {
    let number = |text: &str| {
        text.parse::<usize>()
            .ok()
            .filter(|days| (1..=vitalcast::MAX_HORIZON_DAYS).contains(days))
            .ok_or_else(|| {
                let most = vitalcast::MAX_HORIZON_DAYS;
                format!("expected days from 1 to {most}, or a range such as 1..{most}")
            })
    };
    let ends = text.split_once("..").or_else(|| text.split_once('-'));
    let (first, last) = match ends {
        Some((first, last)) => (number(first)?, number(last.trim_start_matches('='))?),
        None => (number(text)?, number(text)?),
    };
    if first > last {
        return Err("the first day of the range lies after the last".to_owned());
    }
    Ok(first..=last)
}

/// See [`super::Command::Backtest`].
#[derive(Debug, Args)]
pub(crate) struct BacktestArgs {
    /// People whose last days are scored; separate several with commas [default: all]
    #[arg(
        long,
        visible_alias = "user",
        alias = "user-id",
        value_name = "ID",
        value_delimiter = ','
    )]
    pub(crate) users: Vec<String>,
    /// People whose whole history pooled models may learn from; of scored people only earlier days are
    /// used
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub(crate) fit_users: Vec<UserId>,
    /// Metric to forecast; separate several with commas
    #[arg(long, value_name = "METRIC", value_parser = metric, value_delimiter = ',', required = true)]
    pub(crate) metric: Vec<PredictionMetric>,
    /// Models; separate several with commas
    #[arg(long, visible_alias = "model", value_name = "MODEL", value_parser = replay_model(), value_delimiter = ',', default_values = ["auto", "naive", "moving_average", "exponential_smoothing"])]
    pub(crate) models: Vec<ReplayModel>,
    /// Share of each person's observed days that are scored, the last ones
    #[arg(long, value_name = "SHARE", default_value = "0.4", value_parser = share)]
    pub(crate) test_fraction: f64,
    /// Observed days that a scored person has at least
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(2..=36_500))]
    pub(crate) min_days: u32,
    /// Days ahead, 1 to 7, or a range such as 1..7
    #[arg(long, value_name = "DAYS", default_value = "1", value_parser = horizon)]
    pub(crate) horizon: std::ops::RangeInclusive<usize>,
    /// Nominal coverages of the intervals, per cent; separate several with commas
    #[arg(long, visible_alias = "interval-level", value_name = "LEVEL", value_parser = level, value_delimiter = ',', default_values = ["80", "90", "95"])]
    pub(crate) levels: Vec<f64>,
    /// Write one row per person, day, horizon and model to this .csv, .parquet or .arrow file; a run that
    /// was interrupted goes on from FILE.unfinished when it is started again
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Save a chart of the replay to this .svg or .png file (one person and metric only)
    #[arg(long, value_name = "FILE")]
    pub(crate) chart: Option<PathBuf>,
    /// Save a page with tables and charts to this .html file
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Random seed
    #[arg(long, value_name = "N", default_value_t = vitalcast::DEFAULT_SEED)]
    pub(crate) seed: u64,
}
