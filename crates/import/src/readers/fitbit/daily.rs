//! Tables with one row per day or night.

use super::SOURCE;
use super::days::When;
use crate::format::Columns;
use vitalcast_domain::MetricType as M;
use vitalcast_domain::{MetricType, Unit};

/// Source of the readiness score, which is another one than the stress management score.
const READINESS: &str = "fitbit/readiness";
/// A table with one row per day or night.
#[derive(Debug, PartialEq)]
pub(super) struct DailyTable {
    /// Columns by which it is known.
    needs: &'static [&'static str],
    /// Beginning of its name, where another table has the same columns.
    pub(super) name: &'static str,
    /// The column with the day.
    pub(super) day: &'static str,
    pub(super) source: &'static str,
    /// Where two tables have a value of a day, that of the higher rank counts.
    pub(super) rank: u8,
    pub(super) values: &'static [Column],
}

#[derive(Debug, PartialEq)]
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) metric: MetricType,
    pub(super) unit: Unit,
    pub(super) when: When,
}

const fn morning(name: &'static str, metric: MetricType, unit: Unit) -> Column {
    Column {
        name,
        metric,
        unit,
        when: When::Morning,
    }
}

const fn evening(name: &'static str, metric: MetricType, unit: Unit) -> Column {
    Column {
        name,
        metric,
        unit,
        when: When::Evening,
    }
}

const fn table(needs: &'static [&'static str], rank: u8, values: &'static [Column]) -> DailyTable {
    DailyTable {
        needs,
        name: "",
        day: "timestamp",
        source: SOURCE,
        rank,
        values,
    }
}

static DAILY: &[DailyTable] = &[
    table(
        &["timestamp", "rmssd", "nremhr"],
        1,
        &[
            morning("rmssd", M::HeartRateVariabilityRmssd, Unit::Milliseconds),
            morning("nremhr", M::SleepingHeartRate, Unit::PerMinute),
        ],
    ),
    table(
        &["timestamp", "full_sleep_breathing_rate"],
        1,
        &[morning(
            "full_sleep_breathing_rate",
            M::RespiratoryRate,
            Unit::PerMinute,
        )],
    ),
    table(
        &["timestamp", "daily_respiratory_rate"],
        0,
        &[morning(
            "daily_respiratory_rate",
            M::RespiratoryRate,
            Unit::PerMinute,
        )],
    ),
    table(
        &["timestamp", "average_value", "lower_bound"],
        1,
        &[morning("average_value", M::OxygenSaturation, Unit::Percent)],
    ),
    DailyTable {
        day: "sleep_end",
        ..table(
            &["sleep_end", "nightly_temperature"],
            1,
            &[morning(
                "nightly_temperature",
                M::SkinTemperature,
                Unit::Celsius,
            )],
        )
    },
    DailyTable {
        day: "date",
        source: READINESS,
        ..table(
            &["date", "readiness_score_value"],
            1,
            &[morning(
                "readiness_score_value",
                M::RecoveryScore,
                Unit::Score,
            )],
        )
    },
    DailyTable {
        name: "daily_resting_heart_rate",
        ..table(
            &["timestamp", "beats per minute", "data source"],
            2,
            &[evening(
                "beats per minute",
                M::RestingHeartRate,
                Unit::PerMinute,
            )],
        )
    },
    table(
        &["timestamp", "average heart rate variability milliseconds"],
        2,
        &[
            morning(
                "average heart rate variability milliseconds",
                M::HeartRateVariabilityRmssd,
                Unit::Milliseconds,
            ),
            morning(
                "non rem heart rate beats per minute",
                M::SleepingHeartRate,
                Unit::PerMinute,
            ),
        ],
    ),
    DailyTable {
        name: "daily_respiratory_rate",
        ..table(
            &["timestamp", "breaths per minute", "data source"],
            2,
            &[morning(
                "breaths per minute",
                M::RespiratoryRate,
                Unit::PerMinute,
            )],
        )
    },
    table(
        &["timestamp", "average percentage", "lower bound percentage"],
        2,
        &[morning(
            "average percentage",
            M::OxygenSaturation,
            Unit::Percent,
        )],
    ),
    table(
        &["timestamp", "nightly temperature celsius"],
        2,
        &[morning(
            "nightly temperature celsius",
            M::SkinTemperature,
            Unit::Celsius,
        )],
    ),
    table(
        &["timestamp", "daily vo2 max value"],
        2,
        &[evening(
            "daily vo2 max value",
            M::Vo2Max,
            Unit::MillilitresPerKilogramMinute,
        )],
    ),
    DailyTable {
        source: READINESS,
        ..table(
            &["timestamp", "score", "readiness level"],
            2,
            &[morning("score", M::RecoveryScore, Unit::Score)],
        )
    },
];

/// The daily table with these columns.
pub(super) fn daily(columns: &Columns<'_>, name: &str) -> Option<&'static DailyTable> {
    let name = name.to_ascii_lowercase();
    let fits = |table: &&DailyTable| columns.has_all(table.needs) && name.starts_with(table.name);
    DAILY.iter().find(fits)
}
