//! Oura's exports: the account export as CSV files with semicolons (`sleepmodel.csv`, `dailyreadiness.csv`,
//! `dailysleep.csv`, `dailyactivity.csv`, `dailyspo2.csv`, `workout.csv`, `enhancedtag.csv`), the same records as
//! JSON, in one file or in one per kind, and the trends CSV, a row per day.
//!
//! What a row is follows from its fields. Durations are seconds. `bedtime_start` and `bedtime_end` have the
//! person's own offset, and `day` is the day of waking. `contributors` are scores from 0 to 100, also where
//! they are called `resting_heart_rate` or `hrv_balance`: they are not read. Heart rate and HRV are those of
//! the long sleep; the HRV is RMSSD. A sleep of type `deleted` was removed by the person, one of type `rest` is
//! none.

mod trends;

use crate::amounts::HeartRates;
use crate::batch::Importer;
use crate::dates::{self, local_day, minutes_between, utc};
use crate::error::ImportError;
use crate::fields::{Fields, amount};
use crate::format::{Columns, FormatReader, Gives, Reading as Files};
use crate::objects::each_text;
use crate::readings::{Night, Place, Reading};
use crate::report::{RejectReason, SkipReason};
use crate::sample::{Confidence, Content, file_name};
use crate::sports::{intensity, sport};
use crate::table::{Fault, Table};
use crate::tags::Noted;
use crate::workouts::Workout;
use chrono::{NaiveDate, NaiveTime};
use serde_json::Value;
use std::path::Path;
use vitalcast_domain::MetricType as M;
use vitalcast_domain::{ActivityType, MetricType, Moment, ReadingKind, Unit, UserId};

const SOURCE: &str = "oura";

/// Oura.
pub(crate) static READER: FormatReader = FormatReader {
    word: "oura",
    title: "Oura",
    export: "The zip file of the account's data export (Membership Hub, Export Data), JSON of the API, or the \
             trends CSV of Oura on the Web.",
    gives: &[
        Gives {
            what: "RESTING_HEART_RATE",
            from: "`sleepmodel.csv` or `sleep`: `lowest_heart_rate`; trends: `Lowest Resting Heart Rate`",
            unit: "bpm",
            note: "the lowest heart rate of the long sleep; the contributor of this name is a score",
        },
        Gives {
            what: "HEART_RATE_VARIABILITY_RMSSD, RESPIRATORY_RATE",
            from: "`average_hrv`, `average_breath`; trends: `Average HRV`, `Respiratory Rate`",
            unit: "ms, breaths/min",
            note: "of the long sleep",
        },
        Gives {
            what: "SLEEP_DURATION and its parts, SLEEP_EFFICIENCY, SLEEPING_HEART_RATE, BEDTIME, WAKE_TIME",
            from: "`…_sleep_duration`, `awake_time`, `time_in_bed`, `efficiency`, `average_heart_rate`",
            unit: "s, %, bpm",
            note: "naps are sessions of their own; the trends have no efficiency that is clearly one",
        },
        Gives {
            what: "RECOVERY_SCORE",
            from: "`dailyreadiness.csv` or `daily_readiness`: `score`; trends: `Readiness Score`",
            unit: "0 to 100",
            note: "Oura's readiness; known at noon",
        },
        Gives {
            what: "SLEEP_SCORE",
            from: "`dailysleep.csv` or `daily_sleep`: `score`; trends: `Sleep Score`",
            unit: "0 to 100",
            note: "",
        },
        Gives {
            what: "OXYGEN_SATURATION",
            from: "`dailyspo2.csv` or `daily_spo2`: `spo2_percentage.average`",
            unit: "%",
            note: "",
        },
        Gives {
            what: "STEPS, ACTIVE_CALORIES, TOTAL_CALORIES, EXERCISE_MINUTES, minutes of activity",
            from: "`dailyactivity.csv` or `daily_activity`; trends: `Steps`, `Activity Burn`, `Total Burn`",
            unit: "count, kcal, s",
            note: "exercise is medium and high activity; a day without steps and active energy was not worn",
        },
        Gives {
            what: "activity",
            from: "`workout.csv` or `workout`",
            unit: "kcal, m",
            note: "temperature deviations are not read",
        },
        Gives {
            what: "tag",
            from: "`enhancedtag.csv` or `enhanced_tag`: `custom_name`, else `tag_type_code`; `comment`",
            unit: "yes",
            note: "of the day on which it begins",
        },
        Gives {
            what: "AVERAGE_HEART_RATE, LOWEST_HEART_RATE",
            from: "`heartrate.csv` or `heartrate`: `timestamp`, `bpm`",
            unit: "bpm",
            note: "means of half hours; the lowest of a day is no resting heart rate",
        },
    ],
    recognises: |sample| {
        let is_known = match &sample.content {
            Content::Table(columns) => is_known(columns) || is_trends(columns),
            Content::Json(keys) => keys.pass(is_known),
            Content::Xml(_) | Content::Sqlite(_) | Content::Fit => false,
        };
        Confidence::certain_if(is_known)
    },
    read: Files::Each(read),
};

/// The fields of a heart rate.
const HEART_RATE: &[&str] = &["timestamp", "bpm", "source"];

/// The fields of a tag.
const TAG: &[&str] = &["tag_type_code", "start_day"];
/// What the codes of Oura's own tags begin with.
const TAG_CODES: [&str; 2] = ["tag_generic_", "tag_"];

/// Whether rows with these fields are of an account export.
fn is_known(columns: &Columns<'_>) -> bool {
    [
        &[
            "bedtime_start",
            "bedtime_end",
            "total_sleep_duration",
            "day",
        ][..],
        &["day", "score", "contributors"],
        &[
            "day",
            "equivalent_walking_distance",
            "active_calories",
            "steps",
        ],
        &["day", "spo2_percentage"],
        &["day", "activity", "start_datetime", "end_datetime"],
        HEART_RATE,
        TAG,
    ]
    .iter()
    .any(|names| columns.has_all(names))
}

fn is_trends(columns: &Columns<'_>) -> bool {
    let has_night = [
        "Total Sleep Time",
        "Total Sleep Duration",
        "Total Bedtime",
        "Time in Bed",
        "Lowest Resting Heart Rate",
        "Average HRV",
    ];
    let count = has_night.iter().filter(|name| columns.has(name)).count();
    columns.has("date")
        && (columns.has("Readiness Score") && count > 0
            || columns.has("Sleep Score") && count > 1 && !columns.has("Recovery Score"))
}

fn read(importer: &mut Importer<'_>, path: &Path) -> Result<(), ImportError> {
    let user = importer.owner(path)?;
    let mut rates = HeartRates::default();
    read_rows(importer, path, &user, &mut rates)?;
    let place = Place {
        file: path,
        line: 1,
    };
    rates.finish(importer, &user, SOURCE, place)
}

fn read_rows(
    importer: &mut Importer<'_>,
    path: &Path,
    user: &UserId,
    rates: &mut HeartRates,
) -> Result<(), ImportError> {
    if is_json(path)? {
        return each_text(
            importer,
            path,
            &is_known,
            |importer, place, row| match Fields::of(row) {
                Ok(fields) => record(importer, user, place, &fields, rates),
                Err(fault) => Ok(Err(fault)),
            },
        );
    }
    let mut table = Table::open(path, &READER)?;
    let names = table.names().to_vec();
    let words: Vec<&str> = names.iter().map(String::as_str).collect();
    let is_trends = is_trends(&Columns(&words));
    while let Some(row) = table.next(importer)? {
        let fields = Fields::of_row(&row, &names);
        let place = row.place();
        let outcome = if is_trends {
            trends::row(importer, user, place, &fields)?
        } else {
            record(importer, user, place, &fields, rates)?
        };
        if let Err(fault) = outcome {
            importer.reject(place.reject(fault))?;
        }
    }
    Ok(())
}

fn is_json(path: &Path) -> Result<bool, ImportError> {
    let mut text = crate::text::Text::open(path)?;
    Ok(crate::json::is_json(text.chunk()?))
}

type Outcome = Result<Result<(), Fault>, ImportError>;

/// A record of the account export.
fn record(
    importer: &mut Importer<'_>,
    user: &UserId,
    place: Place<'_>,
    fields: &Fields,
    rates: &mut HeartRates,
) -> Outcome {
    if fields.has("bedtime_start") && fields.has("bedtime_end") {
        period(importer, user, place, fields)
    } else if fields.has("start_datetime") && fields.has("activity") {
        workout(importer, user, place, fields)
    } else if fields.has("active_calories") && fields.has("steps") {
        activity(importer, user, place, fields)
    } else if fields.has("spo2_percentage") {
        oxygen(importer, user, place, fields)
    } else if fields.has("score") && fields.has("contributors") {
        score(importer, user, place, fields)
    } else if HEART_RATE.iter().all(|name| fields.has(name)) {
        Ok(heart_rate(importer, fields, rates))
    } else if TAG.iter().all(|name| fields.has(name)) {
        tag(importer, user, place, fields)
    } else {
        importer.skip(SkipReason::OtherFile);
        Ok(Ok(()))
    }
}

/// One of the heart rates of a day.
fn heart_rate(
    importer: &mut Importer<'_>,
    fields: &Fields,
    rates: &mut HeartRates,
) -> Result<(), Fault> {
    let at = utc(fields.text("timestamp")).ok_or_else(|| {
        let message = "timestamp is not a time, expected for example 2024-05-01T06:30:00+02:00";
        (RejectReason::BadTime, message.to_owned())
    })?;
    match fields.number("bpm")? {
        Some(rate) => rates.add(at, rate),
        None => importer.skip(SkipReason::Missing),
    }
    Ok(())
}

/// What the person noted.
fn tag(importer: &mut Importer<'_>, user: &UserId, place: Place<'_>, fields: &Fields) -> Outcome {
    let start = match fields.text("start_day") {
        "" => time(fields, "start_time").map(|time| time?.written_local_time()),
        _ => day(fields, "start_day").map(|day| Some(day.and_time(NaiveTime::MIN))),
    };
    let day = match start {
        Ok(Some(start)) => start.date(),
        Ok(None) => {
            let message = "start_day and start_time are empty".to_owned();
            return Ok(Err((RejectReason::Empty, message)));
        }
        Err(fault) => return Ok(Err(fault)),
    };
    let code = fields.text("tag_type_code");
    let custom = fields.text("custom_name");
    let own = TAG_CODES.iter().find_map(|start| code.strip_prefix(start));
    let own = own.unwrap_or(code).replace('_', " ");
    let name = if custom.is_empty() { &own } else { custom };
    if name.is_empty() {
        importer.skip(SkipReason::Missing);
        return Ok(Ok(()));
    }
    let id = match fields.text("id") {
        "" => fields.text("start_time"),
        id => id,
    };
    let noted = Noted {
        id: format!("tag-{id}"),
        at: Moment::Date(day),
        name,
        applies: true,
        note: fields.text("comment"),
    };
    importer.tag(user, SOURCE, place, &noted).map(Ok)
}

fn day(fields: &Fields, name: &str) -> Result<NaiveDate, Fault> {
    local_day(fields.text(name), name)
}

/// A time with the person's own offset.
fn time(fields: &Fields, name: &str) -> Result<Option<Moment>, Fault> {
    let text = fields.text(name);
    if text.is_empty() {
        return Ok(None);
    }
    dates::time(text, name).map(Some)
}

fn minutes(fields: &Fields, name: &str) -> Result<Option<f64>, Fault> {
    Ok(fields.number(name)?.map(|seconds| seconds / 60.0))
}

/// What a long sleep says about the heart.
struct Heart {
    at: Moment,
    day: NaiveDate,
    id: String,
    values: [(&'static str, MetricType, Option<f64>, Unit); 3],
}

impl Heart {
    fn new(
        night: &Night,
        day: NaiveDate,
        [lowest, variability, breaths]: [Option<f64>; 3],
    ) -> Self {
        Self {
            at: night.until.unwrap_or(night.at),
            day,
            id: night.id.clone(),
            values: [
                (
                    "resting-heart-rate",
                    M::RestingHeartRate,
                    lowest,
                    Unit::PerMinute,
                ),
                (
                    "hrv",
                    M::HeartRateVariabilityRmssd,
                    variability,
                    Unit::Milliseconds,
                ),
                (
                    "respiratory-rate",
                    M::RespiratoryRate,
                    breaths,
                    Unit::PerMinute,
                ),
            ],
        }
    }

    fn add(
        self,
        importer: &mut Importer<'_>,
        user: &UserId,
        place: Place<'_>,
    ) -> Result<(), ImportError> {
        for (name, metric, value, unit) in self.values {
            let Some(value) = value else { continue };
            if metric == M::RestingHeartRate {
                importer.note(
                    "Oura: the resting heart rate is the lowest heart rate of the night".to_owned(),
                );
            }
            let reading = if self.at.has_time() {
                let at = Reading::at(metric, value, unit, self.at).day(self.day);
                at.kind(ReadingKind::DayValue)
            } else {
                Reading::of_morning(metric, value, unit, self.day)
            };
            let reading = reading.id(format!("{name}-{}", self.id));
            importer.reading(user, SOURCE, place, reading)?;
        }
        Ok(())
    }
}

/// A sleep period.
fn period(
    importer: &mut Importer<'_>,
    user: &UserId,
    place: Place<'_>,
    fields: &Fields,
) -> Outcome {
    let kind = fields.text("type");
    if matches!(kind, "deleted" | "rest") {
        importer.skip(SkipReason::Missing);
        return Ok(Ok(()));
    }
    let read = (|| {
        let day = day(fields, "day")?;
        let (Some(start), Some(end)) =
            (time(fields, "bedtime_start")?, time(fields, "bedtime_end")?)
        else {
            return Err((
                RejectReason::Empty,
                "bedtime_start or bedtime_end is empty".to_owned(),
            ));
        };
        let night = Night {
            day: Some(day),
            asleep: minutes(fields, "total_sleep_duration")?,
            deep: minutes(fields, "deep_sleep_duration")?,
            rem: minutes(fields, "rem_sleep_duration")?,
            awake: minutes(fields, "awake_time")?,
            in_bed: minutes(fields, "time_in_bed")?,
            efficiency: fields.number("efficiency")?,
            heart_rate: fields.number("average_heart_rate")?,
            ..Night::new(start.id(), start, Some(end))
        };
        let values = [
            fields.number("lowest_heart_rate")?,
            fields.number("average_hrv")?,
            fields.number("average_breath")?,
        ];
        let heart = Heart::new(&night, day, values);
        Ok((night, heart))
    })();
    let (night, heart) = match read {
        Ok(read) => read,
        Err(fault) => return Ok(Err(fault)),
    };
    importer.night(user, SOURCE, place, &night)?;
    if matches!(kind, "long_sleep" | "") {
        heart.add(importer, user, place)?;
    }
    Ok(Ok(()))
}

/// The score of a day: readiness or sleep, as its contributors or the name of the file say.
fn score(importer: &mut Importer<'_>, user: &UserId, place: Place<'_>, fields: &Fields) -> Outcome {
    let contributors = fields.text("contributors");
    let has = |names: &[&str]| names.iter().any(|name| contributors.contains(name));
    let file = file_name(place.file).to_ascii_lowercase();
    let is_readiness = fields.has("temperature_deviation")
        || has(&[
            "previous_night",
            "recovery_index",
            "hrv_balance",
            "resting_heart_rate",
        ]);
    let is_sleep = has(&["total_sleep", "rem_sleep", "deep_sleep", "restfulness"]);
    let (name, metric) = if is_readiness || (!is_sleep && file.contains("readiness")) {
        ("readiness", M::RecoveryScore)
    } else if is_sleep || file.contains("sleep") {
        ("sleep-score", M::SleepScore)
    } else {
        importer.skip(SkipReason::OtherFile);
        return Ok(Ok(()));
    };
    of_morning(
        importer,
        user,
        place,
        name,
        metric,
        day(fields, "day"),
        fields.number("score"),
    )
}

/// A value of the night before a day.
fn of_morning(
    importer: &mut Importer<'_>,
    user: &UserId,
    place: Place<'_>,
    name: &str,
    metric: MetricType,
    day: Result<NaiveDate, Fault>,
    value: Result<Option<f64>, Fault>,
) -> Outcome {
    match day.and_then(|day| Ok((day, value?))) {
        Err(fault) => Ok(Err(fault)),
        Ok((_, None)) => {
            importer.skip(SkipReason::Missing);
            Ok(Ok(()))
        }
        Ok((day, Some(value))) => {
            let reading = Reading::of_morning(metric, value, metric.unit(), day);
            importer.reading(user, SOURCE, place, reading.id(format!("{name}-{day}")))?;
            Ok(Ok(()))
        }
    }
}

/// The blood oxygen of a night: an object with its average.
fn oxygen(
    importer: &mut Importer<'_>,
    user: &UserId,
    place: Place<'_>,
    fields: &Fields,
) -> Outcome {
    let text = fields.text("spo2_percentage");
    let value = match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(parts)) => amount(&parts, "average"),
        Ok(Value::Number(number)) => Ok(number.as_f64()),
        Ok(Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_)) => Ok(None),
        Err(_) if text.is_empty() => Ok(None),
        Err(_) => Err((
            RejectReason::BadNumber,
            "spo2_percentage has no average".to_owned(),
        )),
    };
    of_morning(
        importer,
        user,
        place,
        "oxygen",
        M::OxygenSaturation,
        day(fields, "day"),
        value,
    )
}

/// The movement of a day.
fn activity(
    importer: &mut Importer<'_>,
    user: &UserId,
    place: Place<'_>,
    fields: &Fields,
) -> Outcome {
    let read = (|| {
        let day = day(fields, "day")?;
        let (medium, high) = (
            minutes(fields, "medium_activity_time")?,
            minutes(fields, "high_activity_time")?,
        );
        let exercise = match (medium, high) {
            (Some(medium), Some(high)) => Some(medium + high),
            (_, _) => None,
        };
        let values = [
            (M::Steps, fields.number("steps")?, Unit::Count),
            (
                M::ActiveCalories,
                fields.number("active_calories")?,
                Unit::Kilocalories,
            ),
            (
                M::TotalCalories,
                fields.number("total_calories")?,
                Unit::Kilocalories,
            ),
            (M::ExerciseMinutes, exercise, Unit::Minutes),
            (
                M::LightActivityMinutes,
                minutes(fields, "low_activity_time")?,
                Unit::Minutes,
            ),
            (M::ModerateActivityMinutes, medium, Unit::Minutes),
            (M::VigorousActivityMinutes, high, Unit::Minutes),
            (
                M::SedentaryMinutes,
                minutes(fields, "sedentary_time")?,
                Unit::Minutes,
            ),
        ];
        Ok((day, values))
    })();
    match read {
        Err(fault) => Ok(Err(fault)),
        Ok((day, values)) => {
            movement(importer, user, place, day, &values)?;
            Ok(Ok(()))
        }
    }
}

/// Amounts of a day, the first two steps and active energy: without either the ring was not worn.
fn movement(
    importer: &mut Importer<'_>,
    user: &UserId,
    place: Place<'_>,
    day: NaiveDate,
    values: &[(MetricType, Option<f64>, Unit)],
) -> Result<(), ImportError> {
    let moved = values
        .iter()
        .take(2)
        .any(|value| value.1.is_some_and(|value| value > 0.0));
    if !moved {
        importer.skip(SkipReason::NotWorn);
        return Ok(());
    }
    for value in values {
        importer.day_total(user, SOURCE, place, day, *value)?;
    }
    Ok(())
}

fn workout(
    importer: &mut Importer<'_>,
    user: &UserId,
    place: Place<'_>,
    fields: &Fields,
) -> Outcome {
    let read = (|| {
        let start = time(fields, "start_datetime")?;
        let start =
            start.ok_or_else(|| (RejectReason::Empty, "start_datetime is empty".to_owned()))?;
        let sport = sport(fields.text("activity")).unwrap_or(ActivityType::Other);
        let id = match fields.text("id") {
            "" => start.id(),
            id => id.to_owned(),
        };
        let until = time(fields, "end_datetime")?;
        Ok(Workout {
            intensity: intensity(fields.text("intensity")),
            until,
            minutes: until.and_then(|until| minutes_between(start, until)),
            kilocalories: fields.number("calories")?,
            meters: fields.number("distance")?,
            ..Workout::new(format!("workout-{id}"), sport, start)
        })
    })();
    match read {
        Err(fault) => Ok(Err(fault)),
        Ok(workout) => importer.workout(user, SOURCE, place, workout).map(Ok),
    }
}
