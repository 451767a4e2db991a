//! The options of `explain`.

use super::{architecture, metric};
use chrono::NaiveDate;
use clap::Args;
use std::path::PathBuf;
use vitalcast::{
    EXPLANATION_SEED, ExplanationGrouping, ImportanceMethod, ModelArchitecture, ModelId,
    PredictionMetric, TreeBackground, UserId, bounds,
};

fn method(text: &str) -> Result<ImportanceMethod, String> {
    text.parse::<ImportanceMethod>()
        .map_err(|error| error.to_string())
}

fn grouping(text: &str) -> Result<ExplanationGrouping, String> {
    text.parse::<ExplanationGrouping>()
        .map_err(|error| error.to_string())
}

fn trees(text: &str) -> Result<TreeBackground, String> {
    text.replace('-', "_")
        .parse::<TreeBackground>()
        .map_err(|error| error.to_string())
}

/// See [`super::Command::Explain`].
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// Person
    #[arg(
        long,
        alias = "user-id",
        value_name = "ID",
        required_unless_present = "model"
    )]
    pub(crate) user: Option<UserId>,
    /// Metric that is forecast
    #[arg(long, value_name = "METRIC", value_parser = metric, required_unless_present = "model")]
    pub(crate) metric: Option<PredictionMetric>,
    /// Day that is forecast; for a past day, only data known on the evening before are used [default: the day
    /// after the last day with data]
    #[arg(long, alias = "target-date", value_name = "YYYY-MM-DD")]
    pub(crate) date: Option<NaiveDate>,
    /// Explain a whole model instead of one forecast: over the last test days of its person, or for a model of
    /// many people over the people of the folder
    #[arg(long, value_name = "MODEL_ID", conflicts_with_all = ["user", "metric", "date", "by", "trees", "architecture", "model_version", "check"])]
    pub(crate) model: Option<ModelId>,
    /// How importances are computed: shap (what each feature adds), lime (a linear model around the forecast),
    /// permutation (against the values of other days), attention (weights of days)
    #[arg(long, value_name = "METHOD", value_parser = method, default_value = "shap")]
    pub(crate) method: ImportanceMethod,
    /// Also explain by day, or by feature and days (both)
    #[arg(long, value_name = "GROUPING", value_parser = grouping, default_value = "feature")]
    pub(crate) by: ExplanationGrouping,
    /// What boosted trees are explained against: path-dependent or interventional
    #[arg(long, value_name = "GAME", value_parser = trees, default_value = "path-dependent")]
    pub(crate) trees: TreeBackground,
    /// Model version, for example v1.0.2 [default: the active one]
    #[arg(long, value_name = "VERSION")]
    pub(crate) model_version: Option<String>,
    /// Use only models of this architecture
    #[arg(long, value_name = "NAME", value_parser = architecture())]
    pub(crate) architecture: Option<ModelArchitecture>,
    /// Forecasts that may be computed; more make the amounts surer [default: 2048; with --model 512 a day]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(bounds::EVALUATIONS.low..=bounds::EVALUATIONS.high))]
    pub(crate) samples: Option<u32>,
    /// Random seed
    #[arg(long, value_name = "N", default_value_t = EXPLANATION_SEED)]
    pub(crate) seed: u64,
    /// Number of features to list [default: 10; with --model 20]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(bounds::TOP_FEATURES.low..=bounds::TOP_FEATURES.high))]
    pub(crate) top: Option<u32>,
    /// Also compute integrated gradients, as a check on the Shapley values of a network
    #[arg(long)]
    pub(crate) check: bool,
    /// Save a chart to this .svg or .png file
    #[arg(long, value_name = "FILE")]
    pub(crate) chart: Option<PathBuf>,
    /// Save a page with charts and tables to this .html file
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
}
