//! Mi Fitness: the account export of Xiaomi.
//!
//! `…_hlth_center_aggregated_fitness_data.csv` has the columns `Uid,Sid,Tag,Key,Time,Value,UpdateTime`. `Value`
//! is JSON in a cell, times are seconds since 1970. Rows with the tag `daily_report` are read: the raw rows of
//! all devices together would count steps twice. `Time` is the beginning of the local day, whose date follows
//! without the zone: at noon after it nearly everywhere has that date, unless it is midnight in the zone of
//! the person. Of two values for a day, that with
//! the later `UpdateTime` counts. A heart rate, an oxygen saturation or a stress of 0 was not measured.
//!
//! The tables of raw values and of workouts are known, counted, and not read.

use crate::batch::Importer;
use crate::error::ImportError;
use crate::format::{FormatReader, Gives, Reading as Files};
use crate::loose::number;
use crate::objects::parsed;
use crate::readings::{Night, Place, Reading};
use crate::report::{RejectReason, SkipReason};
use crate::sample::Confidence;
use crate::table::{Fault, Row, Table};
use crate::time::{Stamp, iso};
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use serde::Deserialize;
use std::path::Path;
use vitalcast_domain::MetricType as M;
use vitalcast_domain::{MetricType, UserId};

const SOURCE: &str = "mi-fitness";
const DAILY: &str = "daily_report";

/// Mi Fitness.
pub(crate) static READER: FormatReader = FormatReader {
    word: "mi-fitness",
    title: "Mi Fitness (Xiaomi)",
    export: "Xiaomi's account page: Privacy, Manage your data, Mi Fitness. The zip file has a password; unpack it \
             first.",
    gives: &[
        Gives {
            what: "STEPS, ACTIVE_CALORIES",
            from: "`…_aggregated_fitness_data.csv`, `daily_report`: `steps`, `calories`",
            unit: "count, kcal",
            note: "the app's own totals of all devices; the energy is taken for that of movement alone",
        },
        Gives {
            what: "RESTING_HEART_RATE",
            from: "`daily_report`: `heart_rate`, `avg_rhr`",
            unit: "bpm",
            note: "",
        },
        Gives {
            what: "SLEEP_DURATION and its parts",
            from: "`daily_report`: `sleep`",
            unit: "min",
            note: "deep, light and REM together, else the total; without bedtime and waking, known at noon",
        },
        Gives {
            what: "OXYGEN_SATURATION, STRESS_LEVEL",
            from: "`daily_report`: `spo2`, `avg_spo2`; `stress`, `avg_stress`",
            unit: "%, 0 to 100",
            note: "raw values, weights and workouts are not read",
        },
    ],
    recognises: |sample| {
        Confidence::certain_if(sample.is_table(|columns| {
            columns.has_all(&["Uid", "Sid", "Key", "Time", "Value", "UpdateTime"])
        }))
    },
    read: Files::Each(read),
};

/// What a cell with JSON may say.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Report {
    #[serde(deserialize_with = "number")]
    steps: Option<f64>,
    #[serde(deserialize_with = "number")]
    calories: Option<f64>,
    #[serde(deserialize_with = "number")]
    avg_rhr: Option<f64>,
    #[serde(deserialize_with = "number")]
    avg_spo2: Option<f64>,
    #[serde(deserialize_with = "number")]
    avg_stress: Option<f64>,
    #[serde(deserialize_with = "number")]
    total_duration: Option<f64>,
    #[serde(deserialize_with = "number")]
    sleep_deep_duration: Option<f64>,
    #[serde(deserialize_with = "number")]
    sleep_light_duration: Option<f64>,
    #[serde(deserialize_with = "number")]
    sleep_rem_duration: Option<f64>,
    #[serde(deserialize_with = "number")]
    sleep_awake_duration: Option<f64>,
}

fn read(importer: &mut Importer<'_>, path: &Path) -> Result<(), ImportError> {
    let user = importer.owner(path)?;
    let profile = importer.profile_of(&user);
    let mut table = Table::open(path, &READER)?;
    let tag = table.column(&["Tag"]);
    let key = table.required(&["Key"])?;
    let time = table.required(&["Time"])?;
    let value = table.required(&["Value"])?;
    let updated = table.column(&["UpdateTime"]);
    while let Some(row) = table.next(importer)? {
        if row.text(tag) != DAILY {
            importer.skip(SkipReason::OtherFile);
            continue;
        }
        let report = (|| {
            let begun = instant(&row, Some(time), "Time")?;
            let bad = || (RejectReason::BadTime, "Time is no time".to_owned());
            let ahead = TimeDelta::seconds(i64::from(profile.offset_seconds(begun)));
            let local = begun
                .naive_utc()
                .checked_add_signed(ahead)
                .ok_or_else(bad)?;
            // Midnight west or east of Greenwich, or that of UTC: noon after it has the date.
            let noon = begun.checked_add_signed(TimeDelta::hours(12));
            let noon = noon.ok_or_else(bad)?;
            let day = if local.time() == NaiveTime::MIN {
                local.date()
            } else {
                noon.date_naive()
            };
            let report: Report = parsed(row.text(Some(value)).as_bytes())?;
            let updated = instant(&row, updated, "UpdateTime").ok();
            Ok((day, report, updated))
        })();
        match report {
            Ok((day, report, updated)) => {
                let key = row.text(Some(key)).to_owned();
                add(importer, &user, row.place(), &key, (day, updated), &report)?;
            }
            Err(fault) => importer.reject(row.place().reject(fault))?,
        }
    }
    Ok(())
}

fn instant(row: &Row<'_>, column: Option<usize>, name: &str) -> Result<DateTime<Utc>, Fault> {
    match iso(row.text(column)) {
        Some(Stamp::Instant(at, _)) => Ok(at),
        Some(Stamp::Wall(_) | Stamp::Day(_)) | None => Err((
            RejectReason::BadTime,
            format!("{name} is not a number of seconds since 1970"),
        )),
    }
}

fn add(
    importer: &mut Importer<'_>,
    user: &UserId,
    place: Place<'_>,
    key: &str,
    (day, updated): (NaiveDate, Option<DateTime<Utc>>),
    report: &Report,
) -> Result<(), ImportError> {
    let measured = |value: Option<f64>| value.filter(|value| *value > 0.0);
    let (metric, value): (MetricType, Option<f64>) = match key {
        "steps" => (M::Steps, measured(report.steps)),
        "calories" => (M::ActiveCalories, measured(report.calories)),
        "heart_rate" => (M::RestingHeartRate, measured(report.avg_rhr)),
        "spo2" => (M::OxygenSaturation, measured(report.avg_spo2)),
        "stress" => (M::StressLevel, measured(report.avg_stress)),
        "sleep" => {
            let stages = [
                report.sleep_deep_duration,
                report.sleep_light_duration,
                report.sleep_rem_duration,
            ];
            let staged: f64 = stages.iter().flatten().sum();
            let asleep = measured(Some(staged)).or(measured(report.total_duration));
            if asleep.is_none() {
                importer.skip(SkipReason::Missing);
                return Ok(());
            }
            let night = Night {
                asleep,
                deep: report.sleep_deep_duration,
                rem: report.sleep_rem_duration,
                awake: report.sleep_awake_duration,
                updated_at: updated,
                ..Night::new(day.to_string(), day.into(), None)
            };
            return importer.dated_night(user, SOURCE, place, day, &night);
        }
        _ => {
            importer.skip(SkipReason::OtherFile);
            return Ok(());
        }
    };
    match value {
        Some(value) => {
            let mut reading = Reading::of_day(metric, value, metric.unit(), day).updated(updated);
            if metric.is_amount() {
                reading = reading.kind(importer.kind_of_total(user, day));
            }
            importer.reading(user, SOURCE, place, reading)
        }
        None => {
            importer.skip(SkipReason::Missing);
            Ok(())
        }
    }
}
