//! The arguments of `vitalcast experiment`.

use chrono::NaiveDate;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use std::path::PathBuf;
use vitalcast::{ExperimentId, Measure, PredictionMetric, StopRule, UserId};

/// See [`Command::Experiment`](super::Command::Experiment).
#[derive(Debug, Args)]
pub(crate) struct ExperimentArgs {
    #[command(subcommand)]
    pub(crate) command: ExperimentCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ExperimentCommand {
    /// Plan an experiment: two conditions in pairs of blocks, in random order
    Plan(Box<ExperimentPlanArgs>),
    /// List the experiments of a person
    List(ExperimentOfArgs),
    /// Show an experiment: what was seen, and all its days
    Show(ExperimentShowArgs),
    /// Show what is due today
    Today(ExperimentOfArgs),
    /// Record whether you did what was due on a day
    Record(ExperimentRecordArgs),
    /// Show what an experiment has shown
    Analyse(ExperimentIdArgs),
    /// Stop an experiment; its days so far stay
    Stop(ExperimentIdArgs),
    /// Delete an experiment; your records stay
    Delete(ExperimentIdArgs),
}

/// See [`ExperimentCommand::Plan`].
#[derive(Debug, Args)]
pub(crate) struct ExperimentPlanArgs {
    /// Person
    #[arg(long, alias = "user-id", value_name = "ID")]
    pub(crate) user: UserId,
    /// Metric to look at
    #[arg(long, value_name = "METRIC", value_parser = super::metric)]
    pub(crate) metric: PredictionMetric,
    /// What you want to know [default: made from the conditions]
    #[arg(long, value_name = "TEXT")]
    pub(crate) question: Option<String>,
    /// What you do on days of condition A, for example "no food after 20:00"
    #[arg(long, value_name = "TEXT")]
    pub(crate) a: String,
    /// What you do on days of condition B
    #[arg(long, value_name = "TEXT", default_value = "as usual")]
    pub(crate) b: String,
    /// Read from the records whether a day was one of condition A: no_food_after=HH:MM, bedtime_before=HH:MM,
    /// steps_at_least=N, workout or no_workout
    #[arg(long, value_name = "MEASURE", value_parser = measure)]
    pub(crate) measure: Option<Measure>,
    /// Smallest difference of interest, in the metric's unit [default: a noticeable one]
    #[arg(long, value_name = "N")]
    pub(crate) effect: Option<f64>,
    /// Probability to find it, 0.5 to 0.99
    #[arg(long, value_name = "P", default_value_t = 0.8)]
    pub(crate) power: f64,
    /// Days of a block, 1 to 28
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub(crate) block_days: usize,
    /// First days of each block that are not counted [default: 1, or 0 in blocks of one day]
    #[arg(long, value_name = "N")]
    pub(crate) washout: Option<usize>,
    /// Pairs of blocks, 2 to 60 [default: as many as the power needs]
    #[arg(long, value_name = "N")]
    pub(crate) pairs: Option<usize>,
    /// First day [default: tomorrow]
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) start: Option<NaiveDate>,
    /// Days from what you do to the value that shows it, 0 to 3
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) outcome_lag: usize,
    /// When it may end early: none, clear_effect (as soon as the difference is clear) or futility (when little
    /// hope is left)
    #[arg(long, value_name = "RULE", value_parser = stop_rule(), default_value = "none")]
    pub(crate) stop_rule: StopRule,
    /// Random seed of the order of the blocks [default: from person, metric, day and conditions]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32))]
    pub(crate) seed: Option<u32>,
    /// Plan it although another experiment has days in common
    #[arg(long)]
    pub(crate) allow_overlap: bool,
    /// Show the plan, and store nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// A person.
#[derive(Debug, Args)]
pub(crate) struct ExperimentOfArgs {
    /// Person
    #[arg(long, alias = "user-id", value_name = "ID")]
    pub(crate) user: UserId,
}

/// An experiment of a person.
#[derive(Debug, Args)]
pub(crate) struct ExperimentIdArgs {
    /// Experiment
    #[arg(value_name = "EXPERIMENT_ID")]
    pub(crate) experiment: ExperimentId,
    /// Person
    #[arg(long, alias = "user-id", value_name = "ID")]
    pub(crate) user: UserId,
}

/// See [`ExperimentCommand::Show`].
#[derive(Debug, Args)]
pub(crate) struct ExperimentShowArgs {
    #[command(flatten)]
    pub(crate) of: ExperimentIdArgs,
    /// Save the timeline to this .svg or .png file
    #[arg(long, value_name = "FILE")]
    pub(crate) chart: Option<PathBuf>,
    /// Save a page with the result, the timeline and the days to this .html file
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
}

/// See [`ExperimentCommand::Record`].
#[derive(Debug, Args)]
pub(crate) struct ExperimentRecordArgs {
    #[command(flatten)]
    pub(crate) of: ExperimentIdArgs,
    /// Day [default: today]
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) date: Option<NaiveDate>,
    /// Whether you did what was due
    #[arg(long, value_name = "YES|NO", value_parser = ["yes", "no"])]
    pub(crate) followed: String,
    /// A remark
    #[arg(long, value_name = "TEXT")]
    pub(crate) note: Option<String>,
}

fn measure(text: &str) -> Result<Measure, String> {
    text.parse::<Measure>().map_err(|error| error.to_string())
}

fn stop_rule() -> impl TypedValueParser<Value = StopRule> {
    PossibleValuesParser::new(StopRule::WORDS).try_map(|word| word.parse::<StopRule>())
}
