//! Ultrahuman's daily CSV: a row per day with scores, movement, sleep in minutes, and the averages of the ring.
//!
//! The night has no times; its values are known at noon. It is not certain over which hours the averages of
//! resting heart rate and HRV are taken, so they are known when the day is over. The average temperature has
//! no certain unit and is not read, nor are the raw tables of the account export (`timestamp_epoch,data_type,
//! value`), whose words are not known.

use crate::batch::Importer;
use crate::error::ImportError;
use crate::format::{FormatReader, Gives, Reading as Files};
use crate::readings::{Night, Reading};
use crate::report::{RejectReason, SkipReason};
use crate::sample::Confidence;
use crate::table::{Fault, Row, Table};
use crate::time::{Stamp, iso};
use chrono::NaiveDate;
use std::path::Path;
use vitalcast_domain::MetricType as M;
use vitalcast_domain::{MetricType, Unit, UserId};

const SOURCE: &str = "ultrahuman";

/// Ultrahuman.
pub(crate) static READER: FormatReader = FormatReader {
    word: "ultrahuman",
    title: "Ultrahuman",
    export: "The daily CSV of the app's data export (`Date,Sleep Score,Recovery Score,Movement Score,…`).",
    gives: &[
        Gives {
            what: "RECOVERY_SCORE, SLEEP_SCORE",
            from: "`Recovery Score`, `Sleep Score`",
            unit: "0 to 100",
            note: "known at noon; the movement score is not read",
        },
        Gives {
            what: "SLEEP_DURATION and its parts, SLEEP_EFFICIENCY",
            from: "`Total Sleep`, `Deep Sleep`, `REM Sleep`, `Sleep Awake Time`, `Sleep Efficiency`",
            unit: "min, %",
            note: "without bedtime and waking",
        },
        Gives {
            what: "RESTING_HEART_RATE, HEART_RATE_VARIABILITY_RMSSD",
            from: "`Average RHR`, `Average HRV`",
            unit: "bpm, ms",
            note: "the HRV is taken for RMSSD, as rings measure it",
        },
        Gives {
            what: "STEPS, TOTAL_CALORIES",
            from: "`Total Steps`, `Total Calories`",
            unit: "count, kcal",
            note: "a day without steps was not worn",
        },
    ],
    recognises: |sample| {
        Confidence::certain_if(sample.is_table(|columns| {
            columns.has_all(&["Date", "Sleep Score", "Recovery Score", "Movement Score"])
        }))
    },
    read: Files::Each(read),
};

struct Columns {
    date: usize,
    sleep: Option<usize>,
    deep: Option<usize>,
    rem: Option<usize>,
    awake: Option<usize>,
    efficiency: Option<usize>,
    sleep_score: Option<usize>,
    recovery: Option<usize>,
    resting: Option<usize>,
    variability: Option<usize>,
    steps: Option<usize>,
    energy: Option<usize>,
}

fn read(importer: &mut Importer<'_>, path: &Path) -> Result<(), ImportError> {
    let user = importer.owner(path)?;
    let mut table = Table::open(path, &READER)?;
    let columns = Columns {
        date: table.required(&["Date"])?,
        sleep: table.column(&["Total Sleep"]),
        deep: table.column(&["Deep Sleep"]),
        rem: table.column(&["REM Sleep"]),
        awake: table.column(&["Sleep Awake Time"]),
        efficiency: table.column(&["Sleep Efficiency"]),
        sleep_score: table.column(&["Sleep Score"]),
        recovery: table.column(&["Recovery Score"]),
        resting: table.column(&["Average RHR"]),
        variability: table.column(&["Average HRV"]),
        steps: table.column(&["Total Steps"]),
        energy: table.column(&["Total Calories"]),
    };
    while let Some(row) = table.next(importer)? {
        match values(&row, &columns) {
            Ok(values) => add(importer, &user, &row, values)?,
            Err(fault) => importer.reject(row.place().reject(fault))?,
        }
    }
    Ok(())
}

/// What a row says.
struct Values {
    day: NaiveDate,
    night: Night,
    recovery: Option<f64>,
    averages: [(MetricType, Option<f64>); 2],
    steps: Option<f64>,
    energy: Option<f64>,
}

fn values(row: &Row<'_>, columns: &Columns) -> Result<Values, Fault> {
    let day = match iso(row.text(Some(columns.date))) {
        Some(Stamp::Day(day)) => day,
        Some(Stamp::Wall(local)) => local.date(),
        Some(Stamp::Instant(..)) | None => {
            let message = "Date is not a day, expected for example 2024-05-01".to_owned();
            return Err((RejectReason::BadTime, message));
        }
    };
    let number = |column, name| row.number(column, name);
    Ok(Values {
        day,
        night: Night {
            asleep: number(columns.sleep, "Total Sleep")?,
            deep: number(columns.deep, "Deep Sleep")?,
            rem: number(columns.rem, "REM Sleep")?,
            awake: number(columns.awake, "Sleep Awake Time")?,
            efficiency: number(columns.efficiency, "Sleep Efficiency")?,
            score: number(columns.sleep_score, "Sleep Score")?,
            ..Night::new(day.to_string(), day.into(), None)
        },
        recovery: number(columns.recovery, "Recovery Score")?,
        averages: [
            (M::RestingHeartRate, number(columns.resting, "Average RHR")?),
            (
                M::HeartRateVariabilityRmssd,
                number(columns.variability, "Average HRV")?,
            ),
        ],
        steps: number(columns.steps, "Total Steps")?,
        energy: number(columns.energy, "Total Calories")?,
    })
}

fn add(
    importer: &mut Importer<'_>,
    user: &UserId,
    row: &Row<'_>,
    values: Values,
) -> Result<(), ImportError> {
    let (day, place) = (values.day, row.place());
    if values.night.asleep.is_some_and(|asleep| asleep > 0.0) {
        importer.dated_night(user, SOURCE, place, day, &values.night)?;
    } else {
        importer.skip(SkipReason::Missing);
    }
    if let Some(score) = values.recovery {
        let reading = Reading::of_morning(M::RecoveryScore, score, Unit::Score, day);
        importer.reading(user, SOURCE, place, reading.id(format!("recovery-{day}")))?;
    }
    for (metric, value) in values.averages {
        if let Some(value) = value {
            let reading = Reading::of_day(metric, value, metric.unit(), day);
            importer.reading(user, SOURCE, place, reading)?;
        }
    }
    if !values.steps.is_some_and(|steps| steps > 0.0) {
        importer.skip(SkipReason::NotWorn);
        return Ok(());
    }
    for value in [
        (M::Steps, values.steps, Unit::Count),
        (M::TotalCalories, values.energy, Unit::Kilocalories),
    ] {
        importer.day_total(user, SOURCE, place, day, value)?;
    }
    Ok(())
}
