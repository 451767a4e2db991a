//! Suunto's day data, JSON: lists of `{"timestamp": …, "entryData": {…}}`, in which the fields of an entry say
//! what it is.
//!
//! Times have offsets. Sleep has its parts in seconds; where all three stages are given, they are the time
//! asleep, since it is not certain that `Duration` leaves out waking. Steps are those since the entry before.
//! A saturation is a share. Not read are `AvgHRV`, of which nobody says whether it is RMSSD or SDNN,
//! `EnergyConsumption`, of which nobody says whether rest is in it, and `Balance`, which comes many times a day.
//! Workouts are FIT files.

use crate::amounts::DayAmounts;
use crate::batch::Importer;
use crate::dates;
use crate::error::ImportError;
use crate::format::{FormatReader, Gives, Reading as Files};
use crate::loose;
use crate::objects::each_object;
use crate::readings::{Night, Place, Reading};
use crate::report::{RejectReason, SkipReason};
use crate::sample::Confidence;
use crate::time::DateOrder;
use serde::Deserialize;
use std::path::Path;
use vitalcast_domain::{MetricType, Moment, Unit, UserId};

const SOURCE: &str = "suunto";
const SECONDS_PER_MINUTE: f64 = 60.0;
/// No heart beats as slowly in a minute: such a rate is that of a second.
const LEAST_PER_MINUTE: f64 = 10.0;

/// Suunto.
pub(crate) static READER: FormatReader = FormatReader {
    word: "suunto",
    title: "Suunto",
    export: "JSON of Suunto's day data (`{\"timestamp\": …, \"entryData\": …}`). Workouts are FIT files.",
    gives: &[
        Gives {
            what: "SLEEP_DURATION, DEEP_SLEEP_DURATION, REM_SLEEP_DURATION, BEDTIME, WAKE_TIME, SLEEP_SCORE, \
                   SLEEPING_HEART_RATE",
            from: "`BedtimeStart`, `BedtimeEnd`, `DeepSleepDuration`, `LightSleepDuration`, `REMSleepDuration`, \
                   `Duration`, `SleepQualityScore`, `HRAvg`",
            unit: "s, 0 to 100, beats per minute or second",
            note: "naps are sessions of their own; `AvgHRV` is not read",
        },
        Gives {
            what: "STEPS",
            from: "`StepCount`",
            unit: "count",
            note: "added up by local day",
        },
        Gives {
            what: "OXYGEN_SATURATION",
            from: "`SpO2`",
            unit: "share, 0 to 1",
            note: "samples",
        },
    ],
    recognises: |sample| {
        let is_ours = |keys: &crate::sample::Keys| keys.has_all(&["timestamp", "entryData"]);
        Confidence::certain_if(sample.is_json(is_ours))
    },
    read: Files::Each(read),
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    #[serde(default, deserialize_with = "loose::text")]
    timestamp: Option<String>,
    #[serde(default, deserialize_with = "loose::or_nothing")]
    entry_data: Entry,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Entry {
    #[serde(rename = "SleepId", deserialize_with = "loose::text")]
    sleep_id: Option<String>,
    #[serde(rename = "BedtimeStart", deserialize_with = "loose::text")]
    bedtime: Option<String>,
    #[serde(rename = "BedtimeEnd", deserialize_with = "loose::text")]
    waking: Option<String>,
    /// Seconds, as are the next.
    #[serde(rename = "Duration", deserialize_with = "loose::number")]
    duration: Option<f64>,
    #[serde(rename = "DeepSleepDuration", deserialize_with = "loose::number")]
    deep: Option<f64>,
    #[serde(rename = "LightSleepDuration", deserialize_with = "loose::number")]
    light: Option<f64>,
    #[serde(rename = "REMSleepDuration", deserialize_with = "loose::number")]
    rem: Option<f64>,
    #[serde(rename = "HRAvg", deserialize_with = "loose::number")]
    heart_rate: Option<f64>,
    #[serde(rename = "SleepQualityScore", deserialize_with = "loose::number")]
    score: Option<f64>,
    #[serde(rename = "StepCount", deserialize_with = "loose::number")]
    steps: Option<f64>,
    #[serde(rename = "SpO2", deserialize_with = "loose::number")]
    saturation: Option<f64>,
}

fn read(importer: &mut Importer<'_>, path: &Path) -> Result<(), ImportError> {
    let user = importer.owner(path)?;
    let mut steps = DayAmounts::default();
    let known = |columns: &crate::format::Columns<'_>| columns.has_all(&["timestamp", "entryData"]);
    each_object(importer, path, &known, |importer, place, item: Item| {
        take(importer, &user, place, &item, &mut steps)
    })?;
    let (place, now) = (
        Place {
            file: path,
            line: 0,
        },
        importer.options.now,
    );
    steps.finish(importer, &user, place, now)
}

/// Takes in an entry.
fn take(
    importer: &mut Importer<'_>,
    user: &UserId,
    place: Place<'_>,
    item: &Item,
    steps: &mut DayAmounts,
) -> Result<(), ImportError> {
    let entry = &item.entry_data;
    let time =
        |text: Option<&str>, name| dates::moment(text.unwrap_or(""), DateOrder::Unknown, name);
    if entry.bedtime.is_some() {
        let times = time(entry.bedtime.as_deref(), "BedtimeStart");
        let times =
            times.and_then(|bedtime| Ok((bedtime, time(entry.waking.as_deref(), "BedtimeEnd")?)));
        return match times {
            Ok((bedtime, waking)) => {
                importer.night(user, SOURCE, place, &night(entry, bedtime, waking))
            }
            Err(fault) => importer.reject(place.reject(fault)),
        };
    }
    if entry.steps.is_none() && entry.saturation.is_none() {
        importer.skip(SkipReason::NotRead);
        return Ok(());
    }
    let at = match time(item.timestamp.as_deref(), "timestamp") {
        Ok(at) => at,
        Err(fault) => return importer.reject(place.reject(fault)),
    };
    if let Some(count) = entry.steps {
        let profile = importer.profile_of(user);
        let (low, high) = MetricType::Steps.plausible_range();
        let day = match at {
            Moment::Instant { at, .. } => profile.day_of(at),
            Moment::Clock(local) => profile.day_of_local(local),
            Moment::Date(day) => day,
        };
        let day = at
            .written_local_time()
            .map_or(day, |local| profile.day_of_local(local));
        if let Err(fault) = importer.check_day(day) {
            return importer.reject(place.reject(fault));
        }
        if !(low..=high).contains(&count) {
            let message = "no plausible number of steps".to_owned();
            return importer.reject(place.reject((RejectReason::OutOfRange, message)));
        }
        steps.add(MetricType::Steps, SOURCE, day, count);
    }
    if let Some(share) = entry.saturation {
        let metric = MetricType::OxygenSaturation;
        let reading = Reading::at(metric, share * 100.0, Unit::Percent, at);
        importer.reading(user, SOURCE, place, reading)?;
    }
    Ok(())
}

fn night(entry: &Entry, bedtime: Moment, waking: Moment) -> Night {
    let minutes = |seconds: Option<f64>| seconds.map(|seconds| seconds / SECONDS_PER_MINUTE);
    let stages = match (entry.deep, entry.light, entry.rem) {
        (Some(deep), Some(light), Some(rem)) => Some(deep + light + rem),
        _ => None,
    };
    let id = entry.sleep_id.clone().unwrap_or_else(|| bedtime.id());
    let heart_rate = entry.heart_rate.map(|rate| {
        if rate < LEAST_PER_MINUTE {
            rate * SECONDS_PER_MINUTE
        } else {
            rate
        }
    });
    Night {
        asleep: minutes(stages.filter(|asleep| *asleep > 0.0).or(entry.duration)),
        deep: minutes(entry.deep),
        rem: minutes(entry.rem),
        score: entry.score,
        heart_rate: heart_rate.filter(|rate| *rate > 0.0),
        ..Night::new(id, bedtime, Some(waking))
    }
}
