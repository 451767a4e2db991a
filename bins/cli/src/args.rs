//! The command line.

use chrono::{DateTime, NaiveDate, Utc};
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;
use vitalcast::{
    ActivityLevel, ComputeDevice, CorrelationMethod, HealthMetricTarget, KeyId, ModelArchitecture,
    ModelId, PredictionMetric, Scope, UserId, Zone,
};

const AFTER_HELP: &str = "\
Exit codes: 0 done, 1 failure, 2 wrong usage, 3 not found (user, model, file), 4 invalid data or too \
little of it, 5 not allowed, 6 busy, 7 storage unavailable (read-only, full), 130 interrupted.

Metrics: RESTING_HEART_RATE (rhr), HEART_RATE_VARIABILITY_SDNN (sdnn), HEART_RATE_VARIABILITY_RMSSD \
(rmssd), SLEEP_DURATION (sleep), RECOVERY_SCORE (recovery).

Vitalcast is a wellness tool, not a medical device.";

/// Forecasts what your body will show tomorrow, from your own history.
#[derive(Debug, Parser)]
#[command(name = "vitalcast", version, about, after_help = AFTER_HELP, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// Folder that holds the data; without it, the platform's data folder
    #[arg(long, global = true, value_name = "DIR", env = "VITALCAST_DATA_DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Print JSON for programs instead of text for people
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Print results only: no progress, no notes
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Say more about what happens (-vv: still more)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// The present moment, for replays and repeatable runs [default: the clock]
    #[arg(long, global = true, value_name = "RFC3339", env = "VITALCAST_NOW")]
    pub(crate) now: Option<DateTime<Utc>>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the whole way on real people's data: import, train, backtest, forecast, report
    Demo(DemoArgs),
    /// Read an export into the data folder; doing it twice changes nothing
    Import(ImportArgs),
    /// List the people in the data folder
    Users(UsersArgs),
    /// Show a person's features of a day, or the matrix of several days
    Features(FeaturesArgs),
    /// Train a model for one person and metric
    Train(TrainArgs),
    /// Forecast one or several metrics for a day
    Predict(PredictArgs),
    /// Replay past days and compare the model with simple baselines
    Backtest(BacktestArgs),
    /// Find what goes with a metric: features of a day beside the next day's value
    Correlate(CorrelateArgs),
    /// Find how long after a feature a metric answers
    Lags(LagsArgs),
    /// List, show, delete, export or activate trained models
    Models(ModelsArgs),
    /// Show past forecasts beside what came true
    History(HistoryArgs),
    /// Show or change what a person told about themselves
    Profile(ProfileArgs),
    /// Take everything of a person out, as a zip file
    Export(ExportArgs),
    /// Erase a person with everything of theirs, for good
    Erase(EraseArgs),
    /// Make, list or revoke keys to the HTTP service
    Keys(KeysArgs),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
    /// Print the manual page, or write one page per command
    Man(ManArgs),
}

/// See [`Command::Demo`].
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Fresh folder for the demo's data and report [default: ./vitalcast-demo, numbered if taken]
    #[arg(long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
}

/// See [`Command::Import`].
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// File or folder to read
    #[arg(value_name = "PATH")]
    pub(crate) path: PathBuf,
    /// What it is; recognised by its content when not given
    #[arg(long, value_name = "FORMAT", value_parser = ["reference", "lifesnaps", "t1d-uom"])]
    pub(crate) format: Option<String>,
    /// IANA zone of the people in it, such as Europe/Athens
    #[arg(long, value_name = "ZONE")]
    pub(crate) zone: Option<Zone>,
    /// Only this user; for tables without a user column, whose they are
    #[arg(long, alias = "user-id", value_name = "ID")]
    pub(crate) user: Option<UserId>,
    /// When rows count as known: `created` trusts createdAt, `observed` the time of the reading
    #[arg(long, value_name = "RULE", value_parser = ["auto", "observed", "created"], default_value = "auto")]
    pub(crate) known_at: String,
    /// Where refused rows are listed [default: rejects-….csv in the data folder]
    #[arg(long, value_name = "FILE")]
    pub(crate) rejects: Option<PathBuf>,
}

/// See [`Command::Users`].
#[derive(Debug, Args)]
pub(crate) struct UsersArgs {}

/// See [`Command::Features`].
#[derive(Debug, Args)]
pub(crate) struct FeaturesArgs {
    /// Whose features
    #[arg(long, alias = "user-id", value_name = "ID")]
    pub(crate) user: UserId,
    /// The day [default: the last day with data]
    #[arg(long, alias = "target-date", value_name = "YYYY-MM-DD")]
    pub(crate) date: Option<NaiveDate>,
    /// Days up to that one; more than one prints a matrix
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=3650))]
    pub(crate) days: u32,
    /// Only what was known at this moment [default: all that is known]
    #[arg(long, value_name = "RFC3339")]
    pub(crate) as_of: Option<DateTime<Utc>>,
    /// Only the 51 inputs of the models
    #[arg(long)]
    pub(crate) inputs: bool,
    /// Write the matrix as CSV to this file (`-` for standard output)
    #[arg(long, value_name = "FILE")]
    pub(crate) csv: Option<PathBuf>,
}

fn metric(text: &str) -> Result<PredictionMetric, String> {
    PredictionMetric::parse_loose(text).map_err(|error| error.to_string())
}

fn architecture(text: &str) -> Result<ModelArchitecture, String> {
    text.parse::<ModelArchitecture>()
        .map_err(|error| error.to_string())
}

/// Settings of a training; bounds are those of the HTTP contract, and what is of no use to the model is
/// refused unless it is the default.
#[derive(Debug, Args)]
pub(crate) struct TrainingSettings {
    /// lstm, lstm_attention, multi_task, linear, xgboost (boosted trees), ridge, ets, theta, average
    /// (of ets, theta and the 7-day mean), naive, seasonal_naive, moving_average or exponential_smoothing
    #[arg(long, value_name = "NAME", value_parser = architecture, default_value = "lstm")]
    pub(crate) architecture: ModelArchitecture,
    /// Days of history to learn from, 30 to 365
    #[arg(long, value_name = "DAYS", default_value_t = 90)]
    pub(crate) lookback_days: usize,
    /// Days the model reads before it forecasts, 7 to 60
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    pub(crate) sequence_length: usize,
    /// Most passes over the training windows, 10 to 200 (networks; two trees each for xgboost)
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) epochs: usize,
    /// Windows per step, 8 to 128 (networks)
    #[arg(long, value_name = "N", default_value_t = 32)]
    pub(crate) batch_size: usize,
    /// Step size, 0.0001 to 0.1 (networks)
    #[arg(long, value_name = "RATE", default_value_t = 0.001)]
    pub(crate) learning_rate: f64,
    /// Share of windows for early stopping, 0.1 to 0.3; as many again are kept for the test
    #[arg(long, value_name = "SHARE", default_value_t = 0.2)]
    pub(crate) validation_split: f64,
    /// Width of the LSTM's state, 32 to 512 (LSTM networks)
    #[arg(long, value_name = "N", default_value_t = 128)]
    pub(crate) hidden_dim: usize,
    /// Stacked LSTM layers, 1 to 4 (LSTM networks)
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub(crate) num_layers: usize,
    /// Dropout probability, 0 to 0.5 (LSTM networks)
    #[arg(long, value_name = "P", default_value_t = 0.2)]
    pub(crate) dropout: f64,
    /// Read each window in both directions (LSTM networks)
    #[arg(long)]
    pub(crate) bidirectional: bool,
    /// Seed of everything random
    #[arg(long, value_name = "N", default_value_t = vitalcast::DEFAULT_SEED)]
    pub(crate) seed: u64,
}

/// See [`Command::Train`].
#[derive(Debug, Args)]
pub(crate) struct TrainArgs {
    /// Whose history
    #[arg(long, alias = "user-id", value_name = "ID")]
    pub(crate) user: UserId,
    /// What to forecast; several with commas
    #[arg(long, value_name = "METRIC", value_parser = metric, value_delimiter = ',', required = true)]
    pub(crate) metric: Vec<PredictionMetric>,
    /// Learn only from what was known at this moment [default: now]
    #[arg(long, value_name = "RFC3339")]
    pub(crate) as_of: Option<DateTime<Utc>>,
    /// Train even when an equal model of the same data exists
    #[arg(long)]
    pub(crate) force: bool,
    /// Where networks are fitted: flex (the CPU), ndarray or wgpu (a GPU), as far as built in
    #[arg(long, value_name = "DEVICE", default_value_t)]
    pub(crate) device: ComputeDevice,
    #[command(flatten)]
    pub(crate) settings: TrainingSettings,
}

/// See [`Command::Predict`].
#[derive(Debug, Args)]
pub(crate) struct PredictArgs {
    /// For whom
    #[arg(long, alias = "user-id", value_name = "ID")]
    pub(crate) user: UserId,
    /// What; several with commas [default: every metric with a model]
    #[arg(long, value_name = "METRIC", value_parser = metric, value_delimiter = ',')]
    pub(crate) metric: Vec<PredictionMetric>,
    /// For which day; a past day sees only what was known the evening before [default: the day
    /// after the last one known]
    #[arg(long, alias = "target-date", value_name = "YYYY-MM-DD")]
    pub(crate) date: Option<NaiveDate>,
    /// Nominal coverage of the interval, for example 0.8
    #[arg(long, value_name = "LEVEL", default_value_t = 0.95)]
    pub(crate) interval_level: f64,
    /// How the interval is made
    #[arg(long, value_name = "METHOD", value_parser = ["residual_quantiles", "reference_mae"], default_value = "residual_quantiles")]
    pub(crate) interval_method: String,
    /// A version such as v1.0.2 instead of the active one
    #[arg(long, value_name = "VERSION")]
    pub(crate) model_version: Option<String>,
    /// Only models of this architecture
    #[arg(long, value_name = "NAME", value_parser = architecture)]
    pub(crate) architecture: Option<ModelArchitecture>,
    /// Draw history and forecast into this .svg or .png file (one metric only)
    #[arg(long, value_name = "FILE")]
    pub(crate) chart: Option<PathBuf>,
}

/// See [`Command::Backtest`].
#[derive(Debug, Args)]
pub(crate) struct BacktestArgs {
    /// Whose history; repeat it or use --all for a table of people
    #[arg(
        long,
        alias = "user-id",
        value_name = "ID",
        value_delimiter = ',',
        required_unless_present = "all"
    )]
    pub(crate) user: Vec<UserId>,
    /// Everyone with enough data
    #[arg(long, conflicts_with = "user")]
    pub(crate) all: bool,
    /// What to forecast; several with commas
    #[arg(long, value_name = "METRIC", value_parser = metric, value_delimiter = ',', required = true)]
    pub(crate) metric: Vec<PredictionMetric>,
    /// Last days of the history that are replayed
    #[arg(long, value_name = "N", default_value_t = 21, value_parser = clap::value_parser!(u32).range(1..=730))]
    pub(crate) days: u32,
    /// Fit again after this many days (0: once, before the first)
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=730))]
    pub(crate) refit_every: u32,
    /// Nominal coverage of the interval
    #[arg(long, value_name = "LEVEL", default_value_t = 0.95)]
    pub(crate) interval_level: f64,
    /// Draw the replay into this .svg or .png file (one person and metric only)
    #[arg(long, value_name = "FILE")]
    pub(crate) chart: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) settings: TrainingSettings,
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
    /// Whose days
    #[arg(long, alias = "user-id", value_name = "ID")]
    pub(crate) user: UserId,
    /// What features are compared with; several with commas
    #[arg(long, alias = "target-metric", value_name = "METRIC", value_parser = target, value_delimiter = ',', required = true)]
    pub(crate) metric: Vec<HealthMetricTarget>,
    /// pearson, spearman, kendall, granger; several with commas
    #[arg(long, alias = "methods", value_name = "METHOD", value_parser = method, value_delimiter = ',', default_values = ["pearson", "spearman"])]
    pub(crate) method: Vec<CorrelationMethod>,
    /// Days of the metric, 14 to 180
    #[arg(long, alias = "lookback-days", value_name = "N", default_value_t = 90)]
    pub(crate) days: usize,
    /// Last of these days [default: the last day with data]
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) last_day: Option<NaiveDate>,
    /// Compare values of the same day instead of the next day's metric
    #[arg(long)]
    pub(crate) same_day: bool,
    /// Level at which something stands out, 0.001 to 0.1
    #[arg(
        long,
        alias = "significance-threshold",
        value_name = "P",
        default_value_t = 0.05
    )]
    pub(crate) significance: f64,
    /// Weaker correlations are not listed, 0 to 1
    #[arg(long, value_name = "R", default_value_t = 0.3)]
    pub(crate) min_correlation: f64,
    /// Most correlations listed
    #[arg(long, alias = "top-k", value_name = "N", default_value_t = 20)]
    pub(crate) top: usize,
    /// List what does not stand out too, however weak
    #[arg(long)]
    pub(crate) all: bool,
    /// Draw a heat map into this .svg or .png file
    #[arg(long, value_name = "FILE")]
    pub(crate) chart: Option<PathBuf>,
    /// Write a page with tables and pictures into this .html file
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
}

/// See [`Command::Lags`].
#[derive(Debug, Args)]
pub(crate) struct LagsArgs {
    /// Whose days
    #[arg(long, alias = "user-id", value_name = "ID")]
    pub(crate) user: UserId,
    /// What the feature is compared with
    #[arg(long, alias = "target-metric", value_name = "METRIC", value_parser = target)]
    pub(crate) metric: HealthMetricTarget,
    /// A feature with its category, such as nutrition_late_night_carbs; `features` lists them
    #[arg(long, alias = "feature-name", value_name = "NAME")]
    pub(crate) feature: String,
    /// How to compare
    #[arg(long, value_name = "METHOD", value_parser = method, default_value = "pearson")]
    pub(crate) method: CorrelationMethod,
    /// Days of the metric, 14 to 180
    #[arg(long, alias = "lookback-days", value_name = "N", default_value_t = 90)]
    pub(crate) days: usize,
    /// Last of these days [default: the last day with data]
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) last_day: Option<NaiveDate>,
    /// Longest lag, 6 to 168 hours
    #[arg(long, value_name = "HOURS", default_value_t = 168)]
    pub(crate) max_lag_hours: usize,
    /// Hours from one lag to the next, 1 to 24, with --hours
    #[arg(long, value_name = "HOURS", default_value_t = 6)]
    pub(crate) lag_step_hours: usize,
    /// Count hours before falling asleep, from the times of records, instead of whole days
    #[arg(long)]
    pub(crate) hours: bool,
    /// Level at which a lag stands out, 0.001 to 0.1
    #[arg(
        long,
        alias = "significance-threshold",
        value_name = "P",
        default_value_t = 0.05
    )]
    pub(crate) significance: f64,
    /// Draw the lags into this .svg or .png file
    #[arg(long, value_name = "FILE")]
    pub(crate) chart: Option<PathBuf>,
    /// Write a page with the table and the picture into this .html file
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
        /// Only this person's
        #[arg(long, alias = "user-id", value_name = "ID")]
        user: Option<UserId>,
        /// Only of this metric
        #[arg(long, value_name = "METRIC", value_parser = metric)]
        metric: Option<PredictionMetric>,
    },
    /// Show what a model is, learned from, and achieved
    Show {
        /// Which model
        #[arg(value_name = "MODEL_ID")]
        model: ModelId,
    },
    /// Delete a model; the newest one left becomes active
    Delete {
        /// Which model
        #[arg(value_name = "MODEL_ID")]
        model: ModelId,
    },
    /// Show how a model's forecasts fared once their days had come
    Performance {
        /// Which model
        #[arg(value_name = "MODEL_ID")]
        model: ModelId,
    },
    /// Make forecasts use the version before the active one
    Rollback {
        /// Whose model
        #[arg(long, alias = "user-id", value_name = "ID")]
        user: UserId,
        /// Of which metric
        #[arg(long, value_name = "METRIC", value_parser = metric)]
        metric: PredictionMetric,
    },
    /// Make forecasts use this model
    Activate {
        /// Which model
        #[arg(value_name = "MODEL_ID")]
        model: ModelId,
    },
    /// Copy a model out of the data folder
    Export {
        /// Which model
        #[arg(value_name = "MODEL_ID")]
        model: ModelId,
        /// Where to: .vcm for the whole artifact, .safetensors for the weights alone, .onnx for the graph
        /// with its scaling, for other languages
        #[arg(value_name = "FILE")]
        to: PathBuf,
    },
}

/// See [`Command::History`].
#[derive(Debug, Args)]
pub(crate) struct HistoryArgs {
    /// Whose
    #[arg(long, alias = "user-id", value_name = "ID")]
    pub(crate) user: UserId,
    /// Which metric
    #[arg(long, value_name = "METRIC", value_parser = metric)]
    pub(crate) metric: PredictionMetric,
    /// Last days to show
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=3650))]
    pub(crate) days: u32,
    /// Draw it into this .svg or .png file
    #[arg(long, value_name = "FILE")]
    pub(crate) chart: Option<PathBuf>,
}

/// See [`Command::Completions`].
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// Which shell
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
    /// Whose profile
    #[arg(long, alias = "user-id", value_name = "ID")]
    pub(crate) user: UserId,
    /// IANA zone in which the person's days begin and end
    #[arg(long, value_name = "ZONE")]
    pub(crate) zone: Option<Zone>,
    /// Body weight, kg
    #[arg(long, value_name = "KG")]
    pub(crate) weight: Option<f64>,
    /// Height, cm
    #[arg(long, value_name = "CM")]
    pub(crate) height: Option<f64>,
    /// Energy aimed at per day, kcal
    #[arg(long, value_name = "KCAL")]
    pub(crate) goal_energy: Option<f64>,
    /// How active an ordinary day is
    #[arg(long, value_name = "LEVEL", value_parser = activity_level)]
    pub(crate) activity_level: Option<ActivityLevel>,
}

fn activity_level(text: &str) -> Result<ActivityLevel, String> {
    text.parse::<ActivityLevel>()
        .map_err(|error| error.to_string())
}

/// See [`Command::Export`].
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// Whose data
    #[arg(long, alias = "user-id", value_name = "ID")]
    pub(crate) user: UserId,
    /// The zip file to write
    #[arg(value_name = "FILE")]
    pub(crate) to: PathBuf,
}

/// See [`Command::Erase`].
#[derive(Debug, Args)]
pub(crate) struct EraseArgs {
    /// Whose data
    #[arg(long, alias = "user-id", value_name = "ID")]
    pub(crate) user: UserId,
    /// Do not ask
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
    /// Make a key; its secret is shown this once
    Create {
        /// What it is for
        #[arg(long, value_name = "TEXT")]
        name: String,
        /// Whose data it opens, again for each person [default: everyone's]
        #[arg(long, alias = "user-id", value_name = "ID")]
        user: Vec<UserId>,
        /// What it may do, again for each: read, ingest, train, erase, admin
        #[arg(long, value_name = "SCOPE", value_parser = scope, value_delimiter = ',', required = true)]
        scope: Vec<Scope>,
        /// When it stops working by itself
        #[arg(long, value_name = "RFC3339")]
        expires: Option<DateTime<Utc>>,
    },
    /// List keys, without their secrets
    List,
    /// Revoke a key; it opens nothing from now on
    Revoke {
        /// Which key
        #[arg(value_name = "KEY_ID")]
        key: KeyId,
    },
}

fn scope(text: &str) -> Result<Scope, String> {
    text.parse::<Scope>().map_err(|error| error.to_string())
}
