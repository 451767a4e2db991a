//! Garmin's account export ("Export Your Data"): JSON files below `DI_CONNECT`, found by their content.
//!
//! - `UDSFile_….json`: a row per day: steps, energy, resting heart rate, minutes of intensity, stress.
//! - `…_sleepData.json`: a row per night; `calendarDate` is the day of waking, times are UTC, durations are
//!   seconds. Time asleep is deep, light and REM together. A night without stages, or with the watch off the
//!   wrist, was not measured.
//! - `…_healthStatusData.json`: a list of metrics per day; the HRV is the RMSSD of the night.
//! - `TrainingReadinessDTO_….json`: several scores a day; that after waking counts.
//! - `…_summarizedActivities.json`: workouts; distances in centimetres, durations in milliseconds,
//!   `startTimeLocal` a time on the person's clock that is written as if it were UTC.
//!
//! `restingHeartRate` is the one that Garmin shows, smoothed over about a week; `currentDayRestingHeartRate`
//! is not read. A weekly average of the HRV never stands for a night. Stress below 0 was not measured. Body
//! battery is a level that runs down over the day, no score, and is not read.

use crate::batch::Importer;
use crate::dates::{local_day, minutes_of, utc};
use crate::error::ImportError;
use crate::format::{Columns, FormatReader, Gives, Reading as Files};
use crate::json::Rows;
use crate::loose::{number, or_nothing, text};
use crate::objects::{each_row, each_text, parsed};
use crate::readings::{Night, Place, Reading};
use crate::report::{RejectReason, SkipReason};
use crate::sample::{Confidence, Content};
use crate::sports::sport;
use crate::table::Fault;
use crate::workouts::Workout;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::path::Path;
use vitalcast_domain::MetricType as M;
use vitalcast_domain::{ActivityType, MetricType, Moment, Unit, UserId};

const SOURCE: &str = "garmin";
/// What the scores of training readiness after waking are called.
const MORNING: &str = "AFTER_WAKEUP_RESET";
/// What stands for no HRV: the largest number of FIT, 65535, by its scale of 128 is 511.99 ms.
const NO_VARIABILITY: f64 = 511.0;
const ACTIVITIES: &str = "summarizedActivitiesExport";
/// Largest difference between a local time and UTC, and what it is a multiple of, seconds.
const LARGEST_OFFSET: i64 = 14 * 3_600;
const OFFSET_STEP: i64 = 900;

/// Garmin.
pub(crate) static READER: FormatReader = FormatReader {
    word: "garmin",
    title: "Garmin",
    export: "Garmin's account page: Export Your Data. The zip file comes by mail; give it as it is.",
    gives: &[
        Gives {
            what: "RESTING_HEART_RATE",
            from: "`UDSFile_….json`: `restingHeartRate`",
            unit: "bpm",
            note: "as Garmin shows it, smoothed over about a week; `currentDayRestingHeartRate` is not read",
        },
        Gives {
            what: "STEPS, ACTIVE_CALORIES, TOTAL_CALORIES, minutes of moderate and vigorous activity, \
                   EXERCISE_MINUTES",
            from: "`UDSFile_….json`",
            unit: "count, kcal, min",
            note: "exercise is the sum of both intensities, not doubled",
        },
        Gives {
            what: "STRESS_LEVEL",
            from: "`UDSFile_….json`: `allDayStress`, `TOTAL`",
            unit: "0 to 100",
            note: "body battery is not read",
        },
        Gives {
            what: "SLEEP_DURATION and its parts, SLEEP_SCORE, BEDTIME, WAKE_TIME",
            from: "`…_sleepData.json`",
            unit: "s",
            note: "times are UTC: set the person's time zone",
        },
        Gives {
            what: "HEART_RATE_VARIABILITY_RMSSD, RESPIRATORY_RATE, OXYGEN_SATURATION",
            from: "`…_healthStatusData.json`: `HRV`, `RESPIRATION`, `SPO2`; HRV status: `lastNightAvg`",
            unit: "ms, breaths/min, %",
            note: "of the night, known at noon; weekly averages are not read, nor is the `HR` of this file",
        },
        Gives {
            what: "RECOVERY_SCORE",
            from: "`TrainingReadinessDTO_….json`: `score` with `AFTER_WAKEUP_RESET`",
            unit: "0 to 100",
            note: "Garmin's training readiness; not every watch has it",
        },
        Gives {
            what: "activity",
            from: "`…_summarizedActivities.json`",
            unit: "ms, cm, bpm",
            note: "energy is not read: its unit is not certain",
        },
    ],
    recognises: |sample| {
        let is_known = match &sample.content {
            Content::Json(keys) => keys.has(ACTIVITIES) || keys.pass(|keys| kind(keys).is_some()),
            Content::Table(_) | Content::Xml(_) | Content::Sqlite(_) | Content::Fit => false,
        };
        Confidence::certain_if(is_known)
    },
    read: Files::Each(read),
};

/// The kinds of rows that are of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Day,
    Sleep,
    Status,
    Readiness,
    Variability,
}

/// What a row with these fields is.
fn kind(keys: &Columns<'_>) -> Option<Kind> {
    if !keys.has("calendarDate") {
        None
    } else if keys.has("sleepStartTimestampGMT") {
        Some(Kind::Sleep)
    } else if keys.has_all(&["score", "inputContext"]) {
        Some(Kind::Readiness)
    } else if keys.has("lastNightAvg") {
        Some(Kind::Variability)
    } else if ["totalSteps", "totalKilocalories", "restingHeartRate"]
        .iter()
        .any(|name| keys.has(name))
    {
        Some(Kind::Day)
    } else if keys.has("metrics") {
        Some(Kind::Status)
    } else {
        None
    }
}

fn read(importer: &mut Importer<'_>, path: &Path) -> Result<(), ImportError> {
    let user = importer.owner(path)?;
    let has_activities = {
        let mut text = crate::text::Text::open(path)?;
        let head = text.chunk()?;
        memchr::memmem::find(head, ACTIVITIES.as_bytes()).is_some()
    };
    if has_activities {
        let rows = Rows::of_inner_lists(path)?;
        return each_row(importer, path, rows, |importer, place, row| {
            match parsed(row).and_then(workout) {
                Ok(workout) => importer.workout(&user, SOURCE, place, workout).map(Ok),
                Err(fault) => Ok(Err(fault)),
            }
        });
    }
    let known = |keys: &Columns<'_>| kind(keys).is_some();
    each_text(importer, path, &known, |importer, place, row| {
        let keys: serde_json::Map<String, Value> = match parsed(row) {
            Ok(keys) => keys,
            Err(fault) => return Ok(Err(fault)),
        };
        let names: Vec<&str> = keys.keys().map(String::as_str).collect();
        let outcome = match kind(&Columns(&names)) {
            None => {
                importer.skip(SkipReason::OtherFile);
                Ok(())
            }
            Some(kind) => match (dated(row), kind) {
                (Err(fault), _) => return Ok(Err(fault)),
                (Ok(day), Kind::Day) => {
                    with(row, |row| whole_day(importer, &user, place, day, &row))
                }
                (Ok(day), Kind::Sleep) => with(row, |row| sleep(importer, &user, place, day, &row)),
                (Ok(day), Kind::Status) => {
                    with(row, |row| status(importer, &user, place, day, &row))
                }
                (Ok(day), Kind::Readiness) => {
                    with(row, |row| readiness(importer, &user, place, day, &row))
                }
                (Ok(day), Kind::Variability) => {
                    with(row, |row| variability(importer, &user, place, day, &row))
                }
            }?,
        };
        Ok(outcome)
    })
}

type Outcome = Result<Result<(), Fault>, ImportError>;

/// Reads a row of a type.
fn with<T: serde::de::DeserializeOwned>(row: &[u8], read: impl FnOnce(T) -> Outcome) -> Outcome {
    match parsed(row) {
        Ok(row) => read(row),
        Err(fault) => Ok(Err(fault)),
    }
}

#[derive(Deserialize)]
struct Dated {
    #[serde(rename = "calendarDate", deserialize_with = "date")]
    day: Option<String>,
}

/// Reads a date: a text, or an object that has it as `date` in older exports.
fn date<'de, D: Deserializer<'de>>(source: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(source)? {
        Value::String(text) => Some(text),
        Value::Object(parts) => parts.get("date").and_then(Value::as_str).map(str::to_owned),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => None,
    })
}

/// The day of a row.
fn dated(row: &[u8]) -> Result<NaiveDate, Fault> {
    let dated: Dated = parsed(row)?;
    local_day(dated.day.as_deref().unwrap_or(""), "calendarDate")
}

/// A row of `UDSFile`.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct WholeDay {
    #[serde(deserialize_with = "number")]
    total_steps: Option<f64>,
    #[serde(deserialize_with = "number")]
    total_kilocalories: Option<f64>,
    #[serde(deserialize_with = "number")]
    active_kilocalories: Option<f64>,
    #[serde(deserialize_with = "number")]
    resting_heart_rate: Option<f64>,
    #[serde(deserialize_with = "number")]
    moderate_intensity_minutes: Option<f64>,
    #[serde(deserialize_with = "number")]
    vigorous_intensity_minutes: Option<f64>,
    #[serde(deserialize_with = "or_nothing")]
    all_day_stress: Stress,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Stress {
    #[serde(deserialize_with = "or_nothing")]
    aggregator_list: Vec<StressPart>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct StressPart {
    #[serde(rename = "type", deserialize_with = "text")]
    kind: Option<String>,
    #[serde(deserialize_with = "number")]
    average_stress_level: Option<f64>,
}

fn whole_day(
    importer: &mut Importer<'_>,
    user: &UserId,
    place: Place<'_>,
    day: NaiveDate,
    row: &WholeDay,
) -> Outcome {
    if let Some(rate) = row.resting_heart_rate {
        let reading = Reading::of_day(M::RestingHeartRate, rate, Unit::PerMinute, day);
        importer.reading(user, SOURCE, place, reading)?;
    }
    let is_total = |part: &&StressPart| part.kind.as_deref() == Some("TOTAL");
    let stress = row.all_day_stress.aggregator_list.iter().find(is_total);
    if let Some(level) = stress.and_then(|part| part.average_stress_level) {
        let reading = Reading::of_day(M::StressLevel, level, Unit::Score, day);
        importer.reading(user, SOURCE, place, reading)?;
    }
    let moved = |value: Option<f64>| value.is_some_and(|value| value > 0.0);
    if !moved(row.total_steps) && !moved(row.active_kilocalories) {
        importer.skip(SkipReason::NotWorn);
        return Ok(Ok(()));
    }
    let (moderate, vigorous) = (
        row.moderate_intensity_minutes,
        row.vigorous_intensity_minutes,
    );
    let exercise = match (moderate, vigorous) {
        (None, None) => None,
        (moderate, vigorous) => Some(moderate.unwrap_or(0.0) + vigorous.unwrap_or(0.0)),
    };
    for value in [
        (M::Steps, row.total_steps, Unit::Count),
        (
            M::ActiveCalories,
            row.active_kilocalories,
            Unit::Kilocalories,
        ),
        (M::TotalCalories, row.total_kilocalories, Unit::Kilocalories),
        (M::ModerateActivityMinutes, moderate, Unit::Minutes),
        (M::VigorousActivityMinutes, vigorous, Unit::Minutes),
        (M::ExerciseMinutes, exercise, Unit::Minutes),
    ] {
        importer.day_total(user, SOURCE, place, day, value)?;
    }
    Ok(Ok(()))
}

/// A row of `sleepData`.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct NightRow {
    #[serde(rename = "sleepStartTimestampGMT", deserialize_with = "text")]
    start: Option<String>,
    #[serde(rename = "sleepEndTimestampGMT", deserialize_with = "text")]
    end: Option<String>,
    #[serde(deserialize_with = "number")]
    deep_sleep_seconds: Option<f64>,
    #[serde(deserialize_with = "number")]
    light_sleep_seconds: Option<f64>,
    #[serde(deserialize_with = "number")]
    rem_sleep_seconds: Option<f64>,
    #[serde(deserialize_with = "number")]
    awake_sleep_seconds: Option<f64>,
    #[serde(deserialize_with = "text")]
    sleep_window_confirmation_type: Option<String>,
    #[serde(deserialize_with = "number")]
    overall_sleep_score: Option<f64>,
    #[serde(deserialize_with = "or_nothing")]
    sleep_scores: Scores,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Scores {
    #[serde(deserialize_with = "number")]
    overall_score: Option<f64>,
    #[serde(deserialize_with = "or_nothing")]
    overall: Score,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Score {
    #[serde(deserialize_with = "number")]
    value: Option<f64>,
}

fn sleep(
    importer: &mut Importer<'_>,
    user: &UserId,
    place: Place<'_>,
    day: NaiveDate,
    row: &NightRow,
) -> Outcome {
    let stages = [
        row.deep_sleep_seconds,
        row.light_sleep_seconds,
        row.rem_sleep_seconds,
    ];
    let asleep: f64 = stages.iter().flatten().sum();
    let is_off = row.sleep_window_confirmation_type.as_deref() == Some("OFF_WRIST");
    if asleep <= 0.0 || is_off {
        importer.skip(SkipReason::Missing);
        return Ok(Ok(()));
    }
    let times = (instant(row.start.as_deref()), instant(row.end.as_deref()));
    let (Some(start), Some(end)) = times else {
        return Ok(Err((
            RejectReason::BadTime,
            "sleepStartTimestampGMT or sleepEndTimestampGMT is not a time".to_owned(),
        )));
    };
    let minutes = |seconds: Option<f64>| seconds.map(|seconds| seconds / 60.0);
    let night = Night {
        day: Some(day),
        asleep: Some(asleep / 60.0),
        deep: minutes(row.deep_sleep_seconds),
        rem: minutes(row.rem_sleep_seconds),
        awake: minutes(row.awake_sleep_seconds),
        in_bed: Some(minutes_of(end - start)),
        score: row
            .overall_sleep_score
            .or(row.sleep_scores.overall_score)
            .or(row.sleep_scores.overall.value),
        // The person may have changed the times of a night; its day stays.
        ..Night::new(
            day.to_string(),
            Moment::instant(start),
            Some(Moment::instant(end)),
        )
    };
    importer.compare_waking(user, "Garmin", day, end);
    importer.night(user, SOURCE, place, &night)?;
    Ok(Ok(()))
}

/// A time that is UTC.
fn instant(text: Option<&str>) -> Option<DateTime<Utc>> {
    utc(text?)
}

/// A row of `healthStatusData`.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Status {
    #[serde(deserialize_with = "or_nothing")]
    metrics: Vec<StatusMetric>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct StatusMetric {
    #[serde(rename = "type", deserialize_with = "text")]
    kind: Option<String>,
    #[serde(deserialize_with = "number")]
    value: Option<f64>,
}

fn status(
    importer: &mut Importer<'_>,
    user: &UserId,
    place: Place<'_>,
    day: NaiveDate,
    row: &Status,
) -> Outcome {
    let mut found = false;
    for metric in &row.metrics {
        let wanted = match metric.kind.as_deref() {
            Some("HRV") => M::HeartRateVariabilityRmssd,
            Some("RESPIRATION") => M::RespiratoryRate,
            Some("SPO2") => M::OxygenSaturation,
            Some(_) | None => continue,
        };
        if let Some(value) = metric.value {
            found = true;
            of_night(importer, user, place, day, (wanted, value))?;
        }
    }
    if !found {
        importer.skip(SkipReason::Missing);
    }
    Ok(Ok(()))
}

/// A value of the night before a day.
fn of_night(
    importer: &mut Importer<'_>,
    user: &UserId,
    place: Place<'_>,
    day: NaiveDate,
    (metric, value): (MetricType, f64),
) -> Result<(), ImportError> {
    if metric == M::HeartRateVariabilityRmssd && value >= NO_VARIABILITY {
        importer.skip(SkipReason::Missing);
        return Ok(());
    }
    let id = format!("{}-{day}", metric.as_str().to_ascii_lowercase());
    let reading = Reading::of_morning(metric, value, metric.unit(), day).id(id);
    importer.reading(user, SOURCE, place, reading)
}

/// A score of training readiness.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Readiness {
    #[serde(deserialize_with = "number")]
    score: Option<f64>,
    #[serde(deserialize_with = "text")]
    input_context: Option<String>,
}

fn readiness(
    importer: &mut Importer<'_>,
    user: &UserId,
    place: Place<'_>,
    day: NaiveDate,
    row: &Readiness,
) -> Outcome {
    let is_morning = row.input_context.as_deref() == Some(MORNING);
    match row.score {
        Some(score) if is_morning => {
            of_night(importer, user, place, day, (M::RecoveryScore, score))?;
        }
        Some(_) => importer.skip(SkipReason::Repeated),
        None => importer.skip(SkipReason::Missing),
    }
    Ok(Ok(()))
}

/// A night of the HRV status.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Variability {
    #[serde(deserialize_with = "number")]
    last_night_avg: Option<f64>,
}

fn variability(
    importer: &mut Importer<'_>,
    user: &UserId,
    place: Place<'_>,
    day: NaiveDate,
    row: &Variability,
) -> Outcome {
    match row.last_night_avg {
        Some(value) => {
            of_night(
                importer,
                user,
                place,
                day,
                (M::HeartRateVariabilityRmssd, value),
            )?;
        }
        None => importer.skip(SkipReason::Missing),
    }
    Ok(Ok(()))
}

/// A workout of `summarizedActivities`.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Summary {
    #[serde(deserialize_with = "text")]
    activity_id: Option<String>,
    #[serde(deserialize_with = "text")]
    activity_type: Option<String>,
    #[serde(deserialize_with = "text")]
    start_time_gmt: Option<String>,
    #[serde(deserialize_with = "text")]
    begin_timestamp: Option<String>,
    #[serde(deserialize_with = "text")]
    start_time_local: Option<String>,
    /// Milliseconds.
    #[serde(deserialize_with = "number")]
    duration: Option<f64>,
    /// Centimetres.
    #[serde(deserialize_with = "number")]
    distance: Option<f64>,
    #[serde(deserialize_with = "number")]
    avg_hr: Option<f64>,
    #[serde(deserialize_with = "number")]
    max_hr: Option<f64>,
}

fn workout(row: Summary) -> Result<Workout, Fault> {
    let bad = || {
        let message = "startTimeGmt, beginTimestamp and startTimeLocal are not times".to_owned();
        (RejectReason::BadTime, message)
    };
    let utc = instant(whole(row.start_time_gmt.as_deref()))
        .or_else(|| instant(whole(row.begin_timestamp.as_deref())));
    let local = instant(whole(row.start_time_local.as_deref()));
    let offset = |at: DateTime<Utc>| {
        let offset = (local? - at).num_seconds();
        let is_one = offset.abs() <= LARGEST_OFFSET && offset % OFFSET_STEP == 0;
        is_one.then_some(offset as i32)
    };
    let at = match (utc, local) {
        (Some(at), _) => Moment::Instant {
            at,
            offset_seconds: offset(at),
        },
        (None, Some(local)) => Moment::Clock(local.naive_utc()),
        (None, None) => return Err(bad()),
    };
    let length = row
        .duration
        .filter(|duration| (0.0..=172_800_000.0).contains(duration));
    let after = |time: Moment| {
        let length = TimeDelta::milliseconds(length? as i64);
        Some(match time {
            Moment::Instant { at, offset_seconds } => Moment::Instant {
                at: at.checked_add_signed(length)?,
                offset_seconds,
            },
            Moment::Clock(local) => Moment::Clock(local.checked_add_signed(length)?),
            Moment::Date(_) => return None,
        })
    };
    let id = row.activity_id.unwrap_or_else(|| at.id());
    let name = row.activity_type.unwrap_or_default();
    let last_word = || name.rsplit('_').next().and_then(sport);
    Ok(Workout {
        until: after(at),
        minutes: row.duration.map(|milliseconds| milliseconds / 60_000.0),
        meters: row.distance.map(|centimetres| centimetres / 100.0),
        mean_rate: row.avg_hr,
        highest_rate: row.max_hr,
        ..Workout::new(
            format!("workout-{id}"),
            sport(&name)
                .or_else(last_word)
                .unwrap_or(ActivityType::Other),
            at,
        )
    })
}

/// Milliseconds since 1970 that are written with a fraction, without it.
fn whole(text: Option<&str>) -> Option<&str> {
    text.map(|text| text.strip_suffix(".0").unwrap_or(text))
}
