//! The arguments of `vitalcast data`.

use super::moment;
use chrono::{DateTime, NaiveDate, Utc};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use std::path::PathBuf;
use vitalcast::{MetricType, RecordKind, UserId};

/// See [`Command::Data`](super::Command::Data).
#[derive(Debug, Args)]
pub(crate) struct DataArgs {
    #[command(subcommand)]
    pub(crate) command: DataCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DataCommand {
    /// List records in their current version
    List(DataListArgs),
    /// Show the values of one day, and the source of each
    Day(DataDayArgs),
    /// Delete records; they can be restored and do not come back with an import
    Delete(DataDeleteArgs),
    /// Restore deleted records
    Restore(DataRestoreArgs),
    /// Show which days have data, by metric and source, and what can be forecast
    Coverage(DataCoverageArgs),
}

/// Records of a person, by kind, days and source.
#[derive(Debug, Args)]
pub(crate) struct RecordArgs {
    /// Person
    #[arg(long, alias = "user-id", value_name = "ID")]
    pub(crate) user: UserId,
    /// Kind of the records [default: all kinds]
    #[arg(long, value_name = "KIND", value_parser = record_kind())]
    pub(crate) kind: Option<RecordKind>,
    /// Only readings of this metric type, for example STEPS
    #[arg(long, value_name = "TYPE", value_parser = metric_type)]
    pub(crate) metric: Option<MetricType>,
    /// Only records of this source
    #[arg(long, value_name = "SOURCE")]
    pub(crate) source: Option<String>,
    /// Only the record with this id within its source
    #[arg(long, value_name = "ID")]
    pub(crate) id: Option<String>,
}

/// See [`DataCommand::List`].
#[derive(Debug, Args)]
pub(crate) struct DataListArgs {
    #[command(flatten)]
    pub(crate) records: RecordArgs,
    /// First local day [default: the first with data]
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) from: Option<NaiveDate>,
    /// Last local day [default: the last with data]
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) to: Option<NaiveDate>,
    /// List the deleted records that can be restored
    #[arg(long)]
    pub(crate) deleted: bool,
    /// Maximum number of records per kind
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: u32,
}

/// See [`DataCommand::Day`].
#[derive(Debug, Args)]
pub(crate) struct DataDayArgs {
    /// Person
    #[arg(long, alias = "user-id", value_name = "ID")]
    pub(crate) user: UserId,
    /// Local day [default: the last day with data]
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) date: Option<NaiveDate>,
    /// Use only data known at this time [default: now]
    #[arg(long, value_name = "RFC3339", value_parser = moment)]
    pub(crate) as_of: Option<DateTime<Utc>>,
}

/// See [`DataCommand::Delete`].
#[derive(Debug, Args)]
pub(crate) struct DataDeleteArgs {
    #[command(flatten)]
    pub(crate) records: RecordArgs,
    /// First local day
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) from: NaiveDate,
    /// Last local day [default: the first]
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) to: Option<NaiveDate>,
    /// Delete for ever: the records cannot be restored
    #[arg(long)]
    pub(crate) permanently: bool,
}

/// See [`DataCommand::Restore`].
#[derive(Debug, Args)]
pub(crate) struct DataRestoreArgs {
    #[command(flatten)]
    pub(crate) records: RecordArgs,
    /// First local day [default: the first with data]
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) from: Option<NaiveDate>,
    /// Last local day [default: the last with data]
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) to: Option<NaiveDate>,
}

/// See [`DataCommand::Coverage`].
#[derive(Debug, Args)]
pub(crate) struct DataCoverageArgs {
    /// Person
    #[arg(long, alias = "user-id", value_name = "ID")]
    pub(crate) user: UserId,
    /// Use only data known at this time [default: now]
    #[arg(long, value_name = "RFC3339", value_parser = moment)]
    pub(crate) as_of: Option<DateTime<Utc>>,
    /// Save the calendar to this .svg or .png file
    #[arg(long, value_name = "FILE")]
    pub(crate) chart: Option<PathBuf>,
    /// Save a page with the calendar and tables to this .html file
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
}

fn record_kind() -> impl TypedValueParser<Value = RecordKind> {
    PossibleValuesParser::new(RecordKind::WORDS).try_map(|word| word.parse::<RecordKind>())
}

fn metric_type(text: &str) -> Result<MetricType, String> {
    let parsed = text.to_ascii_uppercase().parse::<MetricType>();
    parsed.map_err(|error| error.to_string())
}
