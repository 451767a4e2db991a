//! The options of `tune`.

use super::{metric, one_of, share};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use std::path::PathBuf;
use vitalcast::{ModelArchitecture, PredictionMetric, Search, Setting, UserId};

/// The architectures with settings to search, listed in the help.
fn tunable() -> impl TypedValueParser<Value = ModelArchitecture> {
    let all = ModelArchitecture::ALL.iter().copied();
    one_of(all.filter(|architecture| !Setting::of(*architecture).is_empty()))
}

fn search() -> impl TypedValueParser<Value = Search> {
    PossibleValuesParser::new(["tpe", "random"]).map(|word| {
        if word == "tpe" {
            Search::Tpe
        } else {
            Search::Random
        }
    })
}

/// See [`super::Command::Tune`].
#[derive(Debug, Args)]
pub(crate) struct TuneArgs {
    /// People whose days are replayed; separate several with commas [default: all]
    #[arg(
        long,
        visible_alias = "user",
        alias = "user-id",
        value_name = "ID",
        value_delimiter = ','
    )]
    pub(crate) users: Vec<UserId>,
    /// Metric to forecast
    #[arg(long, value_name = "METRIC", value_parser = metric)]
    pub(crate) metric: PredictionMetric,
    /// Model whose settings are searched
    #[arg(long, value_name = "NAME", value_parser = tunable(), default_value = "xgboost")]
    pub(crate) architecture: ModelArchitecture,
    /// Settings to try
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) trials: u32,
    /// Try nothing new after this time [default: no limit]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) seconds: Option<u64>,
    /// How settings are proposed: tpe (from those that were good) or random
    #[arg(long, value_name = "HOW", value_parser = search(), default_value = "tpe")]
    pub(crate) search: Search,
    /// Share of each person's observed days, the last ones, that no trial sees; at most 0.5
    #[arg(long, value_name = "SHARE", default_value = "0.3", value_parser = share)]
    pub(crate) test_fraction: f64,
    /// Observed days that a person has at least
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(2..=36_500))]
    pub(crate) min_days: u32,
    /// Random seed
    #[arg(long, value_name = "N", default_value_t = vitalcast::DEFAULT_SEED)]
    pub(crate) seed: u64,
    /// Save a picture of the settings that mattered to this .svg or .png file
    #[arg(long, value_name = "FILE")]
    pub(crate) chart: Option<PathBuf>,
    /// Save a page with tables and charts to this .html file
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
}
