//! The command line.

mod backtest;
mod data;
mod experiment;
mod explain;
mod train;
mod tune;
mod what_if;

pub(crate) use backtest::BacktestArgs;
pub(crate) use data::{
    DataArgs, DataCommand, DataCoverageArgs, DataDayArgs, DataDeleteArgs, DataListArgs,
    DataRestoreArgs, RecordArgs,
};
pub(crate) use explain::ExplainArgs;
pub(crate) use train::{TrainArgs, TrainingSettings};
pub(crate) use tune::TuneArgs;
pub(crate) use what_if::{CounterfactualArgs, TrajectoryArgs, WhatIfArgs};

pub(crate) use experiment::{
    ExperimentArgs, ExperimentCommand, ExperimentIdArgs, ExperimentPlanArgs, ExperimentRecordArgs,
    ExperimentShowArgs,
};

use chrono::{DateTime, NaiveDate, Utc};
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;
use vitalcast::{
    ActivityLevel, ColumnMap, CorrelationMethod, Format, HealthMetricTarget, KeyId, MetricType,
    ModelArchitecture, ModelId, PredictionMetric, Scope, UserId, Zone, ZoneFrom,
};

const AFTER_HELP: &str = "\
Exit codes: 0 done, 1 failure, 2 wrong usage, 3 not found (user, model, file), 4 invalid data or too \
little of it, 5 not allowed, 6 busy, 7 storage not available (read-only, full), 130 interrupted.

Metrics: RESTING_HEART_RATE (rhr), HEART_RATE_VARIABILITY_SDNN (sdnn), HEART_RATE_VARIABILITY_RMSSD \
(rmssd), SLEEP_DURATION (sleep), RECOVERY_SCORE (recovery).

Vitalcast is a wellness tool, not a medical device.";

/// Forecast what your body will show tomorrow, from your own history
#[derive(Debug, Parser)]
#[command(name = "vitalcast", version, after_help = AFTER_HELP, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// Data folder [default: the platform's folder for application data]
    #[arg(long, global = true, value_name = "DIR", env = "VITALCAST_DATA_DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Print JSON instead of text
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Print only results, without progress and notes
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Log more (-vv: even more)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Time to use as "now", for repeatable runs [default: the system clock]
    #[arg(long, global = true, value_name = "RFC3339", value_parser = moment, env = "VITALCAST_NOW")]
    pub(crate) now: Option<DateTime<Utc>>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run every step on data of real people: import, train, backtest, forecast, report
    Demo(DemoArgs),
    /// Import an export into the data folder; importing it again changes nothing
    Import(ImportArgs),
    /// List the people in the data folder
    Users(UsersArgs),
    /// Show a person's days and records, delete records and restore them
    Data(DataArgs),
    /// Show a person's features for one day, or a matrix for several days
    Features(FeaturesArgs),
    /// Train a model for one person and metric
    Train(TrainArgs),
    /// Forecast one or several metrics for a day
    Predict(PredictArgs),
    /// Explain a forecast or a model: what goes with it, and how much
    Explain(ExplainArgs),
    /// Replay past days and compare the model with simple baselines
    Backtest(BacktestArgs),
    /// Search settings of a model, and compare them with the defaults on days that the search has not seen
    Tune(TuneArgs),
    /// Correlate the features of a day with a metric on the next day
    Correlate(CorrelateArgs),
    /// Find after how many hours or days a feature shows in a metric
    Lags(LagsArgs),
    /// Forecast a day again as if the day before it had been another
    WhatIf(WhatIfArgs),
    /// Find few changes of a day that bring the forecast of the next to a value
    Counterfactual(CounterfactualArgs),
    /// Simulate how a metric goes on for some weeks, with a change on every day
    Trajectory(TrajectoryArgs),
    /// Plan an experiment on yourself, record what you did, and see what it shows
    Experiment(ExperimentArgs),
    /// List, show, delete, export or activate trained models
    Models(ModelsArgs),
    /// Compare past forecasts with the values measured later
    History(HistoryArgs),
    /// Show or change a person's profile
    Profile(ProfileArgs),
    /// Export all data of a person to a zip file
    Export(ExportArgs),
    /// Erase a person and all of their data permanently
    Erase(EraseArgs),
    /// Create, list or revoke API keys of the HTTP service
    Keys(KeysArgs),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
    /// Print the manual page, or write one page per command
    Man(ManArgs),
}

/// See [`Command::Demo`].
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// New folder for data and report [default: ./vitalcast-demo, with a number if it exists]
    #[arg(long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
}

/// See [`Command::Import`].
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// Exports as they were downloaded: zip files, folders or single files, several at once
    #[arg(value_name = "PATH", required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// Show what would be imported, and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// What the columns of your own table are: TARGET=COLUMN or TARGET=COLUMN:UNIT, separated by commas. Targets are
    /// date, time, user, tag, rhr, hrv, sdnn, sleep, recovery and all metric types, for example
    /// date=Datum,rhr=Ruhepuls,sleep=Schlaf:h,tag=Alkohol. It is remembered for tables with the same columns
    #[arg(long, value_name = "MAP", conflicts_with = "format")]
    pub(crate) map: Option<ColumnMap>,
    /// Keep watching the paths, and import them again when a file is new or has changed
    #[arg(long, conflicts_with_all = ["dry_run", "mirror"])]
    pub(crate) watch: bool,
    /// Seconds between two looks at the watched paths
    #[arg(long, value_name = "N", default_value_t = 30, requires = "watch", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) every: u64,
    /// Format of the export [default: recognised by its content]
    #[arg(long, value_name = "FORMAT", value_parser = PossibleValuesParser::new(Format::WORDS))]
    pub(crate) format: Option<String>,
    /// IANA time zone of the people in the export, for example Europe/Athens [default: as the export says,
    /// else that of this computer]
    #[arg(long, value_name = "ZONE")]
    pub(crate) zone: Option<Zone>,
    /// Import only this user; for exports that do not say whose they are, the user they belong to [default:
    /// the only user, or a new one, `me`]
    #[arg(long, alias = "user-id", value_name = "ID")]
    pub(crate) user: Option<UserId>,
    /// Time from which a row counts as known: `created` uses createdAt, `observed` the time of the reading
    #[arg(long, value_name = "RULE", value_parser = ["auto", "observed", "created"], default_value = "auto")]
    pub(crate) known_at: String,
    /// The export is complete: delete stored records of its sources and days that it does not contain (they
    /// can be restored)
    #[arg(long)]
    pub(crate) mirror: bool,
    /// File for the list of rejected rows [default: rejects-….csv in the data folder]
    #[arg(long, value_name = "FILE")]
    pub(crate) rejects: Option<PathBuf>,
}

/// See [`Command::Users`].
#[derive(Debug, Args)]
pub(crate) struct UsersArgs {}

/// See [`Command::Features`].
#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of its own"
)]
pub(crate) struct FeaturesArgs {
    /// Person
    #[arg(
        long,
        alias = "user-id",
        value_name = "ID",
        required_unless_present = "all"
    )]
    pub(crate) user: Option<UserId>,
    /// All people: writes a table with one row per person and day to --output
    #[arg(long, conflicts_with_all = ["user", "date", "days", "inputs", "csv"], requires = "output")]
    pub(crate) all: bool,
    /// Day [default: the last day with data]
    #[arg(long, alias = "target-date", value_name = "YYYY-MM-DD")]
    pub(crate) date: Option<NaiveDate>,
    /// Number of days up to that day; more than one prints a matrix
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=3650))]
    pub(crate) days: u32,
    /// Show the days as known at this time [default: as known now]
    #[arg(long, value_name = "RFC3339", value_parser = moment)]
    pub(crate) as_of: Option<DateTime<Utc>>,
    /// Show each day as known on its own evening: without what came late
    #[arg(long)]
    pub(crate) as_known_each_evening: bool,
    /// Show only the 51 model inputs
    #[arg(long)]
    pub(crate) inputs: bool,
    /// Also show the daily values that the features are made of, and the source of each
    #[arg(long, conflicts_with = "csv", conflicts_with = "days")]
    pub(crate) explain: bool,
    /// Write the matrix to this CSV file (`-` for standard output)
    #[arg(long, value_name = "FILE")]
    pub(crate) csv: Option<PathBuf>,
    /// Table of --all: Parquet (.parquet), or Arrow IPC (.arrow, .feather)
    #[arg(long, value_name = "FILE", requires = "all")]
    pub(crate) output: Option<PathBuf>,
    /// First day of the table of --all [default: each person's first day with data]
    #[arg(long, value_name = "YYYY-MM-DD", requires = "all")]
    pub(crate) from: Option<NaiveDate>,
    /// Last day of the table of --all [default: each person's last day with data]
    #[arg(long, value_name = "YYYY-MM-DD", requires = "all")]
    pub(crate) to: Option<NaiveDate>,
}

fn moment(text: &str) -> Result<DateTime<Utc>, String> {
    text.parse()
        .map_err(|_| "expected a date and a time, such as 2026-03-01T21:00:00Z".to_owned())
}

fn metric(text: &str) -> Result<PredictionMetric, String> {
    PredictionMetric::parse_loose(text).map_err(|error| error.to_string())
}

/// A share above 0 and below 1.
fn share(text: &str) -> Result<f64, String> {
    text.parse::<f64>()
        .ok()
        .filter(|share| *share > 0.0 && *share < 1.0)
        .ok_or_else(|| "expected a share above 0 and below 1, such as 0.4".to_owned())
}

/// A level in per cent or as a share: `95` and `0.95` are the same. `1` could be either, and is none.
fn level(text: &str) -> Result<f64, String> {
    text.trim_end_matches('%')
        .parse::<f64>()
        .ok()
        .map(|level| if level > 1.0 { level / 100.0 } else { level })
        .filter(|level| *level > 0.0 && *level < 1.0)
        .ok_or_else(|| "expected a level above 0 % and below 100 %, such as 95 or 0.95".to_owned())
}

/// Every architecture there is, listed in the help.
fn architecture() -> impl TypedValueParser<Value = ModelArchitecture> {
    one_of(ModelArchitecture::ALL.iter().copied())
}

/// Architectures, listed in the help with what each is.
fn one_of(
    architectures: impl Iterator<Item = ModelArchitecture>,
) -> impl TypedValueParser<Value = ModelArchitecture> {
    let listed = architectures.map(|of| listed(of.as_str(), of.description()));
    PossibleValuesParser::new(listed).try_map(|word| word.parse::<ModelArchitecture>())
}

/// A value in the help, described without the full stop, as everything there.
fn listed(name: &'static str, description: &'static str) -> PossibleValue {
    PossibleValue::new(name).help(description.trim_end_matches('.'))
}

/// See [`Command::Predict`].
#[derive(Debug, Args)]
pub(crate) struct PredictArgs {
    /// Person
    #[arg(long, alias = "user-id", value_name = "ID")]
    pub(crate) user: UserId,
    /// Metric; separate several with commas [default: every metric that can be forecast]
    #[arg(long, value_name = "METRIC", value_parser = metric, value_delimiter = ',')]
    pub(crate) metric: Vec<PredictionMetric>,
    /// Day to forecast; for a past day, only data known on the evening before are used [default: the day
    /// after the last day with data]
    #[arg(long, alias = "target-date", value_name = "YYYY-MM-DD")]
    pub(crate) date: Option<NaiveDate>,
    /// Nominal coverage of the interval, for example 0.8 or 80; the answer says if the model's errors support
    /// less
    #[arg(long, value_name = "LEVEL", default_value = "0.95", value_parser = level, allow_negative_numbers = true)]
    pub(crate) interval_level: f64,
    /// Method for the interval
    #[arg(long, value_name = "METHOD", value_parser = ["residual_quantiles", "reference_mae"], default_value = "residual_quantiles")]
    pub(crate) interval_method: String,
    /// Model version, for example v1.0.2 [default: the active one]
    #[arg(long, value_name = "VERSION")]
    pub(crate) model_version: Option<String>,
    /// Use only models of this architecture
    #[arg(long, value_name = "NAME", value_parser = architecture())]
    pub(crate) architecture: Option<ModelArchitecture>,
    /// Save a chart of history and forecast to this .svg or .png file (one metric only)
    #[arg(long, value_name = "FILE")]
    pub(crate) chart: Option<PathBuf>,
}

fn target(text: &str) -> Result<HealthMetricTarget, String> {
    HealthMetricTarget::parse_loose(text).map_err(|error| error.to_string())
}

fn method(text: &str) -> Result<CorrelationMethod, String> {
    text.parse::<CorrelationMethod>()
        .map_err(|error| error.to_string())
}

/// See [`Command::Correlate`].
#[derive(Debug, Args)]
pub(crate) struct CorrelateArgs {
    /// Person
    #[arg(long, alias = "user-id", value_name = "ID")]
    pub(crate) user: UserId,
    /// Metric to correlate with; separate several with commas
    #[arg(long, alias = "target-metric", value_name = "METRIC", value_parser = target, value_delimiter = ',', required = true)]
    pub(crate) metric: Vec<HealthMetricTarget>,
    /// pearson, spearman, kendall or granger; separate several with commas
    #[arg(long, alias = "methods", value_name = "METHOD", value_parser = method, value_delimiter = ',', default_values = ["pearson", "spearman"])]
    pub(crate) method: Vec<CorrelationMethod>,
    /// Number of days of the metric, 14 to 180
    #[arg(long, alias = "lookback-days", value_name = "N", default_value_t = 90)]
    pub(crate) days: usize,
    /// Last of these days [default: the last day with data]
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) last_day: Option<NaiveDate>,
    /// Correlate with the metric on the same day instead of the next day
    #[arg(long)]
    pub(crate) same_day: bool,
    /// Significance level, 0.001 to 0.1
    #[arg(
        long,
        alias = "significance-threshold",
        value_name = "P",
        default_value_t = 0.05
    )]
    pub(crate) significance: f64,
    /// Smallest correlation to list, 0 to 1
    #[arg(long, value_name = "R", default_value_t = 0.3)]
    pub(crate) min_correlation: f64,
    /// Maximum number of correlations to list
    #[arg(long, alias = "top-k", value_name = "N", default_value_t = 20)]
    pub(crate) top: usize,
    /// List all correlations, also those that are not significant
    #[arg(long)]
    pub(crate) all: bool,
    /// Save a heat map to this .svg or .png file
    #[arg(long, value_name = "FILE")]
    pub(crate) chart: Option<PathBuf>,
    /// Save a page with tables and charts to this .html file
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
}

/// See [`Command::Lags`].
#[derive(Debug, Args)]
pub(crate) struct LagsArgs {
    /// Person
    #[arg(long, alias = "user-id", value_name = "ID")]
    pub(crate) user: UserId,
    /// Metric to correlate with
    #[arg(long, alias = "target-metric", value_name = "METRIC", value_parser = target)]
    pub(crate) metric: HealthMetricTarget,
    /// Feature, for example nutrition_late_night_carbs (`vitalcast features` lists them), or a tag:
    /// tag:alcohol
    #[arg(long, alias = "feature-name", value_name = "NAME")]
    pub(crate) feature: String,
    /// Correlation method: pearson, spearman, kendall or granger
    #[arg(long, value_name = "METHOD", value_parser = method, default_value = "pearson")]
    pub(crate) method: CorrelationMethod,
    /// Number of days of the metric, 14 to 180
    #[arg(long, alias = "lookback-days", value_name = "N", default_value_t = 90)]
    pub(crate) days: usize,
    /// Last of these days [default: the last day with data]
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) last_day: Option<NaiveDate>,
    /// Longest lag, 6 to 168 hours
    #[arg(long, value_name = "HOURS", default_value_t = 168)]
    pub(crate) max_lag_hours: usize,
    /// Step between lags, 1 to 24 hours (with --hours)
    #[arg(long, value_name = "HOURS", default_value_t = 6)]
    pub(crate) lag_step_hours: usize,
    /// Use lags in hours before falling asleep instead of whole days
    #[arg(long)]
    pub(crate) hours: bool,
    /// Significance level, 0.001 to 0.1
    #[arg(
        long,
        alias = "significance-threshold",
        value_name = "P",
        default_value_t = 0.05
    )]
    pub(crate) significance: f64,
    /// Save a chart of the lags to this .svg or .png file
    #[arg(long, value_name = "FILE")]
    pub(crate) chart: Option<PathBuf>,
    /// Save a page with the table and the chart to this .html file
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
}

/// See [`Command::Models`].
#[derive(Debug, Args)]
pub(crate) struct ModelsArgs {
    #[command(subcommand)]
    pub(crate) command: ModelsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ModelsCommand {
    /// List models, newest first
    List {
        /// Only models of this person
        #[arg(long, alias = "user-id", value_name = "ID")]
        user: Option<UserId>,
        /// Only models of this metric
        #[arg(long, value_name = "METRIC", value_parser = metric)]
        metric: Option<PredictionMetric>,
    },
    /// Show a model: its settings, its training data and its accuracy
    Show {
        /// Model
        #[arg(value_name = "MODEL_ID")]
        model: ModelId,
    },
    /// Delete a model; the newest remaining one becomes active
    Delete {
        /// Model
        #[arg(value_name = "MODEL_ID")]
        model: ModelId,
    },
    /// Show the accuracy of the forecasts a model has made
    Performance {
        /// Model
        #[arg(value_name = "MODEL_ID")]
        model: ModelId,
    },
    /// Activate the version before the active one
    Rollback {
        /// Person
        #[arg(long, alias = "user-id", value_name = "ID")]
        user: UserId,
        /// Metric
        #[arg(long, value_name = "METRIC", value_parser = metric)]
        metric: PredictionMetric,
    },
    /// Activate a model: forecasts use it from now on
    Activate {
        /// Model
        #[arg(value_name = "MODEL_ID")]
        model: ModelId,
    },
    /// Export a model to a file
    Export {
        /// Model
        #[arg(value_name = "MODEL_ID")]
        model: ModelId,
        /// File: .vcm for the whole model, .safetensors for the weights, .onnx for the network with its
        /// scaling
        #[arg(value_name = "FILE")]
        to: PathBuf,
    },
}

/// See [`Command::History`].
#[derive(Debug, Args)]
pub(crate) struct HistoryArgs {
    /// Person
    #[arg(long, alias = "user-id", value_name = "ID")]
    pub(crate) user: UserId,
    /// Metric
    #[arg(long, value_name = "METRIC", value_parser = metric)]
    pub(crate) metric: PredictionMetric,
    /// Number of days to show
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=3650))]
    pub(crate) days: u32,
    /// Show what was known at this time, and the forecasts made by then [default: as known now]
    #[arg(long, value_name = "RFC3339", value_parser = moment)]
    pub(crate) as_of: Option<DateTime<Utc>>,
    /// Save a chart to this .svg or .png file
    #[arg(long, value_name = "FILE")]
    pub(crate) chart: Option<PathBuf>,
}

/// See [`Command::Completions`].
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// Shell
    #[arg(value_name = "SHELL")]
    pub(crate) shell: clap_complete::Shell,
}

/// See [`Command::Man`].
#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// Write one page per command into this folder
    #[arg(long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}

/// See [`Command::Profile`].
#[derive(Debug, Args)]
pub(crate) struct ProfileArgs {
    /// Person
    #[arg(long, alias = "user-id", value_name = "ID")]
    pub(crate) user: UserId,
    /// IANA time zone of the person's days, for example Europe/Athens
    #[arg(long, value_name = "ZONE")]
    pub(crate) zone: Option<Zone>,
    /// Another time zone from a day on (a move, a journey), for example 2026-03-10=America/New_York; can be
    /// repeated
    #[arg(long = "move", value_name = "DAY=ZONE", value_parser = zone_from)]
    pub(crate) moves: Vec<ZoneFrom>,
    /// Forget all moves
    #[arg(long)]
    pub(crate) no_moves: bool,
    /// Local hour at which a day begins, for people who work at night; 0 is midnight
    #[arg(long, value_name = "HOUR", value_parser = clap::value_parser!(u32).range(0..=23))]
    pub(crate) day_begins: Option<u32>,
    /// Preferred sources of a metric type, best first, for example STEPS=watch,phone; can be repeated, an
    /// empty list removes the preference
    #[arg(long, value_name = "TYPE=SOURCE,…", value_parser = preference)]
    pub(crate) prefer: Vec<(MetricType, Vec<String>)>,
    /// Body weight, kg
    #[arg(long, value_name = "KG")]
    pub(crate) weight: Option<f64>,
    /// Height, cm
    #[arg(long, value_name = "CM")]
    pub(crate) height: Option<f64>,
    /// Energy goal per day, kcal
    #[arg(long, value_name = "KCAL")]
    pub(crate) goal_energy: Option<f64>,
    /// Activity level of an ordinary day
    #[arg(long, value_name = "LEVEL", value_parser = activity_level)]
    pub(crate) activity_level: Option<ActivityLevel>,
}

fn zone_from(text: &str) -> Result<ZoneFrom, String> {
    let (day, zone) = text
        .split_once('=')
        .ok_or("expected DAY=ZONE, for example 2026-03-10=America/New_York")?;
    Ok(ZoneFrom {
        from: day
            .parse()
            .map_err(|_| format!("{day:?} is not a day, expected for example 2026-03-10"))?,
        zone: zone
            .parse()
            .map_err(|error: vitalcast::DomainError| error.to_string())?,
    })
}

fn preference(text: &str) -> Result<(MetricType, Vec<String>), String> {
    let (metric, sources) = text
        .split_once('=')
        .ok_or("expected TYPE=SOURCE,…, for example STEPS=watch,phone")?;
    let metric = metric
        .to_ascii_uppercase()
        .parse()
        .map_err(|error: vitalcast::DomainError| error.to_string())?;
    let sources = sources
        .split(',')
        .map(str::trim)
        .filter(|source| !source.is_empty())
        .map(str::to_owned)
        .collect();
    Ok((metric, sources))
}

fn activity_level(text: &str) -> Result<ActivityLevel, String> {
    text.parse::<ActivityLevel>()
        .map_err(|error| error.to_string())
}

/// See [`Command::Export`].
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// Person
    #[arg(long, alias = "user-id", value_name = "ID")]
    pub(crate) user: UserId,
    /// Zip file to write
    #[arg(value_name = "FILE")]
    pub(crate) to: PathBuf,
}

/// See [`Command::Erase`].
#[derive(Debug, Args)]
pub(crate) struct EraseArgs {
    /// Person
    #[arg(long, alias = "user-id", value_name = "ID")]
    pub(crate) user: UserId,
    /// Do not ask for confirmation
    #[arg(long)]
    pub(crate) yes: bool,
}

/// See [`Command::Keys`].
#[derive(Debug, Args)]
pub(crate) struct KeysArgs {
    #[command(subcommand)]
    pub(crate) command: KeysCommand,
}

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Create a key; its secret is shown only once
    Create {
        /// Name of the key, for example the app that uses it
        #[arg(long, value_name = "TEXT")]
        name: String,
        /// Person whose data the key can access; repeat for several [default: everyone]
        #[arg(long, alias = "user-id", value_name = "ID")]
        user: Vec<UserId>,
        /// Scope: read, ingest, train, erase or admin; separate several with commas
        #[arg(long, value_name = "SCOPE", value_parser = scope, value_delimiter = ',', required = true)]
        scope: Vec<Scope>,
        /// Time at which the key expires
        #[arg(long, value_name = "RFC3339", value_parser = moment)]
        expires: Option<DateTime<Utc>>,
    },
    /// List keys, without their secrets
    List,
    /// Revoke a key immediately
    Revoke {
        /// Key
        #[arg(value_name = "KEY_ID")]
        key: KeyId,
    },
}

fn scope(text: &str) -> Result<Scope, String> {
    text.parse::<Scope>().map_err(|error| error.to_string())
}
