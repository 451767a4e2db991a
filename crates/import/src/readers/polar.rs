//! Polar: the account export, a folder of JSON files, and the CSV of one session from Polar Flow.
//!
//! - `activity-<date>-….json`: a day; without `summary` nothing is known of it, and the steps of its samples
//!   count. `physicalInformation.restingHeartRate` is a setting and is not read.
//! - `sleep_result_….json`: a list of nights with `night`, the day of waking as Polar says it, ISO durations, and
//!   times with the person's offset. `sleep_score_….json`: the scores of nights.
//! - `nightly_recovery_….json`: a list with RMSSD, interval between beats and between breaths (ms) of about
//!   four hours early in the night. `recoveryIndicator` goes from 1 to 6 and `ansStatus` from -10 to 10: neither
//!   is a recovery score.
//! - `training-session_….json`: a workout; its times are on the person's clock, and `timezoneOffsetMinutes` may
//!   be missing. The parts in `exercises` are not added. Sports are numbers without names.
//! - `247ohr_….json`: heart rates of days, in seconds since the midnight of the person's clock.
//! - The CSV has a header and one row, then a second table with samples, which is not read. Dates are
//!   `DD-MM-YYYY`, distances kilometres or miles as the header says. `HR max` is a setting of the person.

use crate::amounts::HeartRates;
use crate::batch::Importer;
use crate::dates::{local_day, minutes_between};
use crate::error::ImportError;
use crate::format::{Columns, FormatReader, Gives, Reading as Files};
use crate::loose::{number, or_nothing, text};
use crate::numbers::{Span, span};
use crate::objects::{document, each_text, parsed};
use crate::readings::{Night, Place, Reading};
use crate::report::{RejectReason, SkipReason};
use crate::sample::{Confidence, Content, Sample};
use crate::sports::sport;
use crate::table::{Fault, Row, Table};
use crate::time::{DateOrder, NoTime, Stamp, iso, read as read_time};
use crate::workouts::Workout;
use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use serde::Deserialize;
use serde_json::Value;
use std::path::Path;
use vitalcast_domain::MetricType as M;
use vitalcast_domain::{ActivityType, MetricType, Moment, Profile, Unit, UserId};

const SOURCE: &str = "polar";
const MILLISECONDS_PER_MINUTE: f64 = 60_000.0;
const SECONDS_PER_DAY: f64 = 86_400.0;

/// Polar.
pub(crate) static READER: FormatReader = FormatReader {
    word: "polar",
    title: "Polar",
    export: "Polar's account page: Download your data (a zip file of JSON files). Or, for one session, Export \
             session as CSV in Polar Flow.",
    gives: &[
        Gives {
            what: "HEART_RATE_VARIABILITY_RMSSD, RESTING_HEART_RATE, RESPIRATORY_RATE",
            from: "`nightly_recovery_….json`: `meanNightlyRecoveryRmssd`, `…Rri`, `…RespirationInterval`",
            unit: "ms",
            note: "of about four hours of the night, known at noon; the resting heart rate is the mean heart \
                   rate of these hours. `recoveryIndicator` (1 to 6) is no recovery score and is not read",
        },
        Gives {
            what: "SLEEP_DURATION and its parts, SLEEP_EFFICIENCY, BEDTIME, WAKE_TIME",
            from: "`sleep_result_….json`",
            unit: "ISO durations, %",
            note: "",
        },
        Gives {
            what: "SLEEP_SCORE",
            from: "`sleep_score_….json`: `sleepScore`",
            unit: "0 to 100",
            note: "",
        },
        Gives {
            what: "STEPS, TOTAL_CALORIES",
            from: "`activity-….json`: `summary`",
            unit: "count, kcal",
            note: "the resting heart rate in this file is a setting and is not read",
        },
        Gives {
            what: "AVERAGE_HEART_RATE, LOWEST_HEART_RATE",
            from: "`247ohr_….json`: `deviceDays`, `samples`",
            unit: "bpm",
            note: "means of half hours; the lowest is no resting heart rate",
        },
        Gives {
            what: "activity",
            from: "`training-session_….json`, or the CSV of a session",
            unit: "ms, m, kcal, bpm",
            note: "sports are numbers in the account export: the type is OTHER; heart rates by the second are \
                   not read",
        },
    ],
    recognises,
    read: Files::Each(read),
};

fn recognises(sample: &Sample<'_>) -> Confidence {
    let is_known = match &sample.content {
        Content::Table(columns) => is_session(columns),
        Content::Json(keys) => {
            let has_summary = keys.has_at(1, "summary") && keys.has_at(2, "stepCount");
            let is_activity = keys.has_at(1, "date")
                && (has_summary || sample.file_name().starts_with("activity-"));
            let is_training = keys.has_at(1, "startTime")
                && keys.has_at(1, "stopTime")
                && (keys.has_at(1, "durationMillis") || keys.has_at(1, "exercises"));
            let is_rates = keys.has_at(1, "deviceDays") && keys.has("secondsFromDayStart");
            is_activity || is_training || is_rates || keys.pass(is_night)
        }
        Content::Xml(_) | Content::Sqlite(_) | Content::Fit => false,
    };
    Confidence::certain_if(is_known)
}

/// Whether rows with these fields are of a night.
fn is_night(keys: &Columns<'_>) -> bool {
    keys.has("night")
        && [
            "evaluation",
            "sleepResult",
            "sleepScore",
            "sleepScoreResult",
            "meanNightlyRecoveryRmssd",
            "meanNightlyRecoveryRri",
        ]
        .iter()
        .any(|name| keys.has(name))
}

fn is_session(columns: &Columns<'_>) -> bool {
    columns.has_all(&["Name", "Sport", "Date", "Start time", "Duration"])
        && (columns.has("Total distance (km)")
            || columns.has("Total distance (mi)")
            || columns.has("Average heart rate (bpm)"))
}

fn read(importer: &mut Importer<'_>, path: &Path) -> Result<(), ImportError> {
    let first = {
        let mut text = crate::text::Text::open(path)?;
        text.chunk()?.trim_ascii_start().first().copied()
    };
    match first {
        Some(b'{') => {
            let Some(file) = document::<File>(importer, path)? else {
                return Ok(());
            };
            let weight = file.physical_information.weight_kg;
            let describe = |profile: &mut Profile| {
                profile.weight_kg = weight.filter(|weight| (2.0..=700.0).contains(weight));
            };
            let user = importer.owner_like(path, describe)?;
            let place = Place {
                file: path,
                line: 1,
            };
            let outcome = if !file.device_days.is_empty() {
                heart_rates(importer, &user, place, &file.device_days)?
            } else if file.start_time.is_some() {
                training(importer, &user, place, &file)?
            } else {
                activity(importer, &user, place, &file)?
            };
            outcome.or_else(|fault| importer.reject(place.reject(fault)))
        }
        Some(b'[') => {
            let user = importer.owner(path)?;
            each_text(
                importer,
                path,
                &is_night,
                |importer, place, row| match parsed::<OfNight>(row) {
                    Ok(row) => of_night(importer, &user, place, &row),
                    Err(fault) => Ok(Err(fault)),
                },
            )
        }
        Some(_) | None => session(importer, path),
    }
}

type Outcome = Result<Result<(), Fault>, ImportError>;

/// A file that is one object: a day of activity, a training session, or the heart rates of days.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct File {
    #[serde(deserialize_with = "text")]
    date: Option<String>,
    #[serde(deserialize_with = "or_nothing")]
    summary: Option<Summary>,
    #[serde(deserialize_with = "or_nothing")]
    samples: Samples,
    #[serde(deserialize_with = "or_nothing")]
    physical_information: Physical,
    #[serde(deserialize_with = "text")]
    start_time: Option<String>,
    #[serde(deserialize_with = "text")]
    stop_time: Option<String>,
    #[serde(deserialize_with = "number")]
    timezone_offset_minutes: Option<f64>,
    #[serde(deserialize_with = "number")]
    duration_millis: Option<f64>,
    #[serde(deserialize_with = "number")]
    distance_meters: Option<f64>,
    #[serde(deserialize_with = "number")]
    calories: Option<f64>,
    #[serde(deserialize_with = "number")]
    hr_avg: Option<f64>,
    #[serde(deserialize_with = "number")]
    hr_max: Option<f64>,
    #[serde(deserialize_with = "or_nothing")]
    sport: Value,
    #[serde(deserialize_with = "text")]
    modified: Option<String>,
    device_days: Vec<DeviceDay>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct DeviceDay {
    #[serde(deserialize_with = "text")]
    date: Option<String>,
    samples: Vec<RateSample>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct RateSample {
    #[serde(deserialize_with = "number")]
    heart_rate: Option<f64>,
    #[serde(deserialize_with = "number")]
    seconds_from_day_start: Option<f64>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Summary {
    #[serde(deserialize_with = "number")]
    step_count: Option<f64>,
    #[serde(deserialize_with = "number")]
    calories: Option<f64>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Samples {
    #[serde(deserialize_with = "or_nothing")]
    steps: Vec<StepSample>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct StepSample {
    #[serde(deserialize_with = "number")]
    value: Option<f64>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Physical {
    #[serde(rename = "weight, kg", deserialize_with = "number")]
    weight_kg: Option<f64>,
}

fn activity(importer: &mut Importer<'_>, user: &UserId, place: Place<'_>, file: &File) -> Outcome {
    let day = match day(file.date.as_deref(), "date") {
        Ok(day) => day,
        Err(fault) => return Ok(Err(fault)),
    };
    let steps = || {
        let samples = file.samples.steps.iter();
        let counted: Vec<f64> = samples.filter_map(|sample| sample.value).collect();
        (!counted.is_empty()).then(|| counted.iter().sum())
    };
    let summary = file.summary.as_ref();
    let steps = summary
        .and_then(|summary| summary.step_count)
        .or_else(steps);
    let energy = summary.and_then(|summary| summary.calories);
    if !steps.is_some_and(|steps: f64| steps > 0.0) {
        importer.skip(SkipReason::NotWorn);
        return Ok(Ok(()));
    }
    for value in [
        (M::Steps, steps, Unit::Count),
        (M::TotalCalories, energy, Unit::Kilocalories),
    ] {
        importer.day_total(user, SOURCE, place, day, value)?;
    }
    Ok(Ok(()))
}

fn heart_rates(
    importer: &mut Importer<'_>,
    user: &UserId,
    place: Place<'_>,
    days: &[DeviceDay],
) -> Outcome {
    let profile = importer.profile_of(user);
    let mut rates = HeartRates::default();
    for device_day in days {
        let day = match day(device_day.date.as_deref(), "date") {
            Ok(day) => day,
            Err(fault) => {
                importer.reject(place.reject(fault))?;
                continue;
            }
        };
        for sample in &device_day.samples {
            let seconds = sample.seconds_from_day_start;
            let seconds = seconds.filter(|seconds| (0.0..SECONDS_PER_DAY).contains(seconds));
            let (Some(seconds), Some(rate)) = (seconds, sample.heart_rate) else {
                importer.skip(SkipReason::Missing);
                continue;
            };
            let local = day.and_time(NaiveTime::MIN) + TimeDelta::seconds(seconds as i64);
            rates.add(profile.instant_of(local), rate);
        }
    }
    rates.finish(importer, user, SOURCE, place)?;
    Ok(Ok(()))
}

fn day(text: Option<&str>, name: &str) -> Result<NaiveDate, Fault> {
    local_day(text.unwrap_or(""), name)
}

fn training(importer: &mut Importer<'_>, user: &UserId, place: Place<'_>, file: &File) -> Outcome {
    let offset = file
        .timezone_offset_minutes
        .filter(|minutes| minutes.abs() <= 14.0 * 60.0)
        .map(|minutes| minutes as i32 * 60);
    let moment = |text: Option<&str>| -> Option<(Moment, NaiveDateTime)> {
        match iso(text?)? {
            Stamp::Wall(local) => {
                let moment = match offset {
                    Some(seconds) => Moment::Instant {
                        at: local
                            .checked_sub_signed(TimeDelta::seconds(i64::from(seconds)))?
                            .and_utc(),
                        offset_seconds: Some(seconds),
                    },
                    None => Moment::Clock(local),
                };
                Some((moment, local))
            }
            Stamp::Instant(at, offset_seconds) => {
                let moment = Moment::Instant { at, offset_seconds };
                Some((
                    moment,
                    moment.written_local_time().unwrap_or(at.naive_utc()),
                ))
            }
            Stamp::Day(_) => None,
        }
    };
    let Some((at, local)) = moment(file.start_time.as_deref()) else {
        let message =
            "startTime is not a time, expected for example 2024-05-01T18:00:00".to_owned();
        return Ok(Err((RejectReason::BadTime, message)));
    };
    let until = moment(file.stop_time.as_deref()).map(|(until, _)| until);
    let modified = file.modified.as_deref().and_then(iso);
    let workout = Workout {
        until,
        minutes: file
            .duration_millis
            .map(|milliseconds| milliseconds / MILLISECONDS_PER_MINUTE)
            .or_else(|| minutes_between(at, until?)),
        kilocalories: file.calories,
        mean_rate: file.hr_avg,
        highest_rate: file.hr_max,
        meters: file.distance_meters,
        updated_at: modified.and_then(|modified| match modified {
            Stamp::Instant(at, _) => Some(at),
            Stamp::Wall(utc) => Some(utc.and_utc()),
            Stamp::Day(_) => None,
        }),
        ..Workout::new(
            workout_id(local),
            file.sport
                .as_str()
                .and_then(sport)
                .unwrap_or(ActivityType::Other),
            at,
        )
    };
    importer.workout(user, SOURCE, place, workout).map(Ok)
}

/// The beginning on the person's clock: the CSV and the account export have it both.
fn workout_id(local: NaiveDateTime) -> String {
    format!("workout-{}", local.format("%Y-%m-%dT%H:%M:%S"))
}

/// A row of a list of nights: sleep, score or recovery.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct OfNight {
    #[serde(deserialize_with = "text")]
    night: Option<String>,
    #[serde(deserialize_with = "or_nothing")]
    evaluation: Evaluation,
    #[serde(deserialize_with = "or_nothing")]
    sleep_result: SleepResult,
    #[serde(deserialize_with = "number")]
    sleep_score: Option<f64>,
    #[serde(deserialize_with = "or_nothing")]
    sleep_score_result: Score,
    #[serde(deserialize_with = "number")]
    mean_nightly_recovery_rmssd: Option<f64>,
    #[serde(deserialize_with = "number")]
    mean_nightly_recovery_rri: Option<f64>,
    #[serde(deserialize_with = "number")]
    mean_nightly_recovery_respiration_interval: Option<f64>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Evaluation {
    #[serde(deserialize_with = "text")]
    sleep_span: Option<String>,
    #[serde(deserialize_with = "text")]
    asleep_duration: Option<String>,
    #[serde(deserialize_with = "or_nothing")]
    analysis: Analysis,
    #[serde(deserialize_with = "or_nothing")]
    phase_durations: Phases,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Analysis {
    #[serde(deserialize_with = "number")]
    efficiency_percent: Option<f64>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Phases {
    #[serde(deserialize_with = "text")]
    wake: Option<String>,
    #[serde(deserialize_with = "text")]
    rem: Option<String>,
    #[serde(deserialize_with = "text")]
    deep: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct SleepResult {
    #[serde(deserialize_with = "or_nothing")]
    hypnogram: Hypnogram,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Hypnogram {
    #[serde(deserialize_with = "text")]
    sleep_start: Option<String>,
    #[serde(deserialize_with = "text")]
    sleep_end: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Score {
    #[serde(deserialize_with = "number")]
    sleep_score: Option<f64>,
}

fn of_night(
    importer: &mut Importer<'_>,
    user: &UserId,
    place: Place<'_>,
    row: &OfNight,
) -> Outcome {
    let day = match day(row.night.as_deref(), "night") {
        Ok(day) => day,
        Err(fault) => return Ok(Err(fault)),
    };
    let is_sleep = row.evaluation.asleep_duration.is_some();
    if is_sleep {
        let night = night(row, day);
        if night.at.has_time() {
            importer.night(user, SOURCE, place, &night)?;
        } else {
            importer.dated_night(user, SOURCE, place, day, &night)?;
        }
    }
    let rate = |milliseconds: Option<f64>| {
        milliseconds
            .filter(|milliseconds| *milliseconds > 0.0)
            .map(|milliseconds| MILLISECONDS_PER_MINUTE / milliseconds)
    };
    let beats = rate(row.mean_nightly_recovery_rri);
    let breaths = rate(row.mean_nightly_recovery_respiration_interval);
    let score = row.sleep_score.or(row.sleep_score_result.sleep_score);
    let values: [(&str, MetricType, Option<f64>); 4] = [
        ("sleep-score", M::SleepScore, score),
        (
            "hrv",
            M::HeartRateVariabilityRmssd,
            row.mean_nightly_recovery_rmssd,
        ),
        ("resting-heart-rate", M::RestingHeartRate, beats),
        ("respiratory-rate", M::RespiratoryRate, breaths),
    ];
    if beats.is_some() {
        importer.note(
            "Polar: the resting heart rate is the mean heart rate of about four hours of the night"
                .to_owned(),
        );
    }
    if !is_sleep && values.iter().all(|(_, _, value)| value.is_none()) {
        importer.skip(SkipReason::Missing);
    }
    for (name, metric, value) in values {
        if let Some(value) = value {
            let reading = Reading::of_morning(metric, value, metric.unit(), day);
            importer.reading(user, SOURCE, place, reading.id(format!("{name}-{day}")))?;
        }
    }
    Ok(Ok(()))
}

fn night(row: &OfNight, day: NaiveDate) -> Night {
    let minutes = |text: &Option<String>| match span(text.as_deref()?)? {
        Span::Seconds(seconds) => Some(seconds / 60.0),
        Span::Pair(..) => None,
    };
    let moment = |text: &Option<String>| match iso(text.as_deref()?)? {
        Stamp::Instant(at, offset_seconds) => Some(Moment::Instant { at, offset_seconds }),
        Stamp::Wall(local) => Some(Moment::Clock(local)),
        Stamp::Day(_) => None,
    };
    let hypnogram = &row.sleep_result.hypnogram;
    let (at, until) = match (moment(&hypnogram.sleep_start), moment(&hypnogram.sleep_end)) {
        (Some(start), Some(end)) => (start, Some(end)),
        (_, _) => (Moment::Date(day), None),
    };
    let evaluation = &row.evaluation;
    let phases = &evaluation.phase_durations;
    Night {
        day: Some(day),
        asleep: minutes(&evaluation.asleep_duration),
        deep: minutes(&phases.deep),
        rem: minutes(&phases.rem),
        awake: minutes(&phases.wake),
        in_bed: minutes(&evaluation.sleep_span),
        efficiency: evaluation.analysis.efficiency_percent,
        ..Night::new(day.to_string(), at, until)
    }
}

/// The CSV of a session: its first row.
fn session(importer: &mut Importer<'_>, path: &Path) -> Result<(), ImportError> {
    let user = importer.owner(path)?;
    let mut table = Table::open(path, &READER)?;
    let columns = SessionColumns {
        sport: table.required(&["Sport"])?,
        date: table.required(&["Date"])?,
        start: table.required(&["Start time"])?,
        duration: table.required(&["Duration"])?,
        kilometres: table.column(&["Total distance (km)"]),
        miles: table.column(&["Total distance (mi)"]),
        mean_rate: table.column(&["Average heart rate (bpm)"]),
        calories: table.column(&["Calories"]),
    };
    let Some(row) = table.next(importer)? else {
        return Ok(());
    };
    let place = row.place();
    match session_of(&row, &columns) {
        Ok(workout) => importer.workout(&user, SOURCE, place, workout)?,
        Err(fault) => importer.reject(place.reject(fault))?,
    }
    let read = table.position();
    importer.progress(path, read)
}

struct SessionColumns {
    sport: usize,
    date: usize,
    start: usize,
    duration: usize,
    kilometres: Option<usize>,
    miles: Option<usize>,
    mean_rate: Option<usize>,
    calories: Option<usize>,
}

fn session_of(row: &Row<'_>, columns: &SessionColumns) -> Result<Workout, Fault> {
    let date = row.text(Some(columns.date));
    // With dashes the day comes first; with slashes that depends on the account.
    let order = if date.contains('-') {
        DateOrder::DayFirst
    } else {
        DateOrder::Unknown
    };
    let start = format!("{date} {}", row.text(Some(columns.start)));
    let local = match read_time(&start, order) {
        Ok(Stamp::Wall(local)) => local,
        Err(NoTime::Ambiguous) => {
            let message = "Date may have day or month first; export it with dashes".to_owned();
            return Err((RejectReason::BadTime, message));
        }
        Ok(Stamp::Day(_) | Stamp::Instant(..)) | Err(NoTime::Bad) => {
            let message =
                "Date and Start time are no time, expected for example 31-05-2024 and 18:00:00";
            return Err((RejectReason::BadTime, message.to_owned()));
        }
    };
    let seconds = match span(row.text(Some(columns.duration))) {
        Some(Span::Seconds(seconds)) if seconds <= 172_800.0 => Some(seconds),
        Some(Span::Seconds(_) | Span::Pair(..)) | None => None,
    };
    let after =
        |seconds: f64| local.checked_add_signed(TimeDelta::milliseconds((seconds * 1e3) as i64));
    let kilometres = row.number(columns.kilometres, "Total distance (km)")?;
    let miles = row.number(columns.miles, "Total distance (mi)")?;
    let meters = kilometres.map(|length| length * 1_000.0);
    Ok(Workout {
        until: seconds.and_then(after).map(Moment::Clock),
        minutes: seconds.map(|seconds| seconds / 60.0),
        kilocalories: row.number(columns.calories, "Calories")?,
        mean_rate: row.number(columns.mean_rate, "Average heart rate (bpm)")?,
        meters: meters.or(miles.and_then(|length| Unit::Miles.convert(length, Unit::Metres))),
        ..Workout::new(
            workout_id(local),
            sport(row.text(Some(columns.sport))).unwrap_or(ActivityType::Other),
            Moment::Clock(local),
        )
    })
}
