//! The JSON files of an export.

use super::days::{Value, When};
use super::{Export, SOURCE, bad_time, instant, labelled_day, stamp, utc};
use crate::batch::Importer;
use crate::error::ImportError;
use crate::format::Columns;
use crate::healthkit::metres;
use crate::loose;
use crate::numbers::number;
use crate::objects::{each_object, each_text, parsed};
use crate::readings::{Night, Place};
use crate::report::SkipReason;
use crate::sports::sport;
use crate::table::Fault;
use crate::time::Stamp;
use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;
use vitalcast_domain::MetricType as M;
use vitalcast_domain::{Activity, ActivityType, MetricType, Moment, Provenance, Told, Unit};

/// Longest text that is read in the fast way, bytes.
const LONGEST_TEXT: usize = 32;

/// A time and a value.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Timed<T> {
    #[serde(default, deserialize_with = "time")]
    date_time: Option<Stamp>,
    value: Option<T>,
}

impl<T> Timed<T> {
    /// The instant; a time without a mark is in UTC.
    fn at(&self) -> Option<DateTime<Utc>> {
        self.date_time.and_then(instant)
    }
}

fn time<'de, D: serde::Deserializer<'de>>(field: D) -> Result<Option<Stamp>, D::Error> {
    loose::read(field, stamp)
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Number(#[serde(deserialize_with = "loose::number")] Option<f64>);

#[derive(Deserialize)]
struct Resting {
    #[serde(default, deserialize_with = "given")]
    date: Given,
    #[serde(default, deserialize_with = "loose::number")]
    value: Option<f64>,
}

/// A date that is there, is `null`, or is not there at all.
#[derive(Default)]
enum Given {
    #[default]
    Absent,
    Null,
    Date(String),
}

fn given<'de, D: serde::Deserializer<'de>>(field: D) -> Result<Given, D::Error> {
    Ok(loose::text(field)?.map_or(Given::Null, Given::Date))
}

#[derive(Deserialize)]
struct Beats {
    #[serde(default, deserialize_with = "loose::number")]
    bpm: Option<f64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InZones {
    values_in_zones: Option<BTreeMap<String, Number>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Vo2 {
    #[serde(
        default,
        rename = "filteredDemographicVO2Max",
        deserialize_with = "loose::number"
    )]
    filtered: Option<f64>,
    #[serde(
        default,
        rename = "demographicVO2Max",
        deserialize_with = "loose::number"
    )]
    plain: Option<f64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SleepLog {
    #[serde(default, deserialize_with = "loose::text")]
    log_id: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    date_of_sleep: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    start_time: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    end_time: Option<String>,
    /// Milliseconds.
    #[serde(default, deserialize_with = "loose::number")]
    duration: Option<f64>,
    #[serde(default, deserialize_with = "loose::number")]
    minutes_asleep: Option<f64>,
    #[serde(default, deserialize_with = "loose::number")]
    minutes_awake: Option<f64>,
    #[serde(default, deserialize_with = "loose::number")]
    time_in_bed: Option<f64>,
    #[serde(default, deserialize_with = "loose::number")]
    efficiency: Option<f64>,
    levels: Option<Levels>,
}

#[derive(Deserialize)]
struct Levels {
    summary: Option<BTreeMap<String, Level>>,
}

#[derive(Deserialize)]
struct Level {
    #[serde(default, deserialize_with = "loose::number")]
    minutes: Option<f64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Exercise {
    #[serde(default, deserialize_with = "loose::text")]
    log_id: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    activity_name: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    start_time: Option<String>,
    /// Milliseconds, as is the next.
    #[serde(default, deserialize_with = "loose::number")]
    duration: Option<f64>,
    #[serde(default, deserialize_with = "loose::number")]
    active_duration: Option<f64>,
    #[serde(default, deserialize_with = "loose::number")]
    calories: Option<f64>,
    #[serde(default, deserialize_with = "loose::number")]
    steps: Option<f64>,
    #[serde(default, deserialize_with = "loose::number")]
    average_heart_rate: Option<f64>,
    #[serde(default, deserialize_with = "loose::number")]
    distance: Option<f64>,
    #[serde(default, deserialize_with = "loose::text")]
    distance_unit: Option<String>,
}

/// Instant and value of a row by the minute.
fn minute(row: &[u8]) -> Result<(Option<DateTime<Utc>>, Option<f64>), Fault> {
    if let Some((time, value)) = two_texts(row) {
        let value = number(value.trim(), "value")?;
        return Ok((stamp(time.trim()).and_then(instant), value));
    }
    let row: Timed<Number> = parsed(row)?;
    Ok((row.at(), row.value.and_then(|value| value.0)))
}

/// The fast way for the millions of `{"dateTime" : "01/31/24 07:00:00", "value" : "12"}`: both texts.
fn two_texts(row: &[u8]) -> Option<(&str, &str)> {
    let rest = after(b"\"dateTime\"", row.strip_prefix(b"{")?)?;
    let (time, rest) = plain_text(after(b":", rest)?)?;
    let rest = after(b"\"value\"", after(b",", rest)?)?;
    let (value, rest) = plain_text(after(b":", rest)?)?;
    (after(b"}", rest)? == b"").then_some((time, value))
}

/// What comes after some bytes, before which only blanks are.
fn after<'r>(bytes: &[u8], row: &'r [u8]) -> Option<&'r [u8]> {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\n' | b'\r' | b'\t');
    let blanks = row.iter().take_while(|byte| is_blank(byte)).count();
    row[blanks..].strip_prefix(bytes)
}

/// A short text in quotes that has nothing but ASCII in it, and what comes after it.
fn plain_text(row: &[u8]) -> Option<(&str, &[u8])> {
    let row = after(b"\"", row)?;
    let is_plain = |byte: &u8| (b' '..=b'~').contains(byte) && !matches!(byte, b'"' | b'\\');
    let length = row
        .iter()
        .take(LONGEST_TEXT)
        .take_while(|byte| is_plain(byte));
    let (text, rest) = row.split_at(length.count());
    Some((std::str::from_utf8(text).ok()?, rest.strip_prefix(b"\"")?))
}

fn is_timed(columns: &Columns<'_>) -> bool {
    columns.has_all(&["dateTime", "value"])
}

pub(super) fn is_log(columns: &Columns<'_>) -> bool {
    columns.has("logId")
}

impl<'f> Export<'f> {
    /// The day of a row by day, or nothing if the row was rejected.
    fn day(
        &self,
        importer: &mut Importer<'_>,
        place: Place<'_>,
        time: Option<Stamp>,
    ) -> Result<Option<NaiveDate>, ImportError> {
        let day = time.map(|time| labelled_day(time, &self.profile));
        if day.is_none() {
            importer.reject(place.reject(bad_time("dateTime")))?;
        }
        Ok(day)
    }

    pub(super) fn read_resting(
        &mut self,
        importer: &mut Importer<'_>,
        file: &'f Path,
    ) -> Result<(), ImportError> {
        each_object(
            importer,
            file,
            &is_timed,
            |importer, place, row: Timed<Resting>| {
                let (date, value) = row
                    .value
                    .map_or((Given::Absent, None), |row| (row.date, row.value));
                let date = match date {
                    // Then there is no value.
                    Given::Null => {
                        importer.skip(SkipReason::Missing);
                        return Ok(());
                    }
                    Given::Date(date) => stamp(&date),
                    Given::Absent => row.date_time,
                };
                if value.is_none_or(|value| value <= 0.0) {
                    importer.skip(SkipReason::Missing);
                    return Ok(());
                }
                if let Some(day) = self.day(importer, place, date)? {
                    let how = (Unit::PerMinute, When::Evening);
                    self.value(importer, place, 1, day, M::RestingHeartRate, value, how);
                }
                Ok(())
            },
        )
    }

    pub(super) fn read_minutes(
        &mut self,
        importer: &mut Importer<'_>,
        file: &'f Path,
        metric: MetricType,
    ) -> Result<(), ImportError> {
        each_text(importer, file, &is_timed, |importer, place, row| {
            let (at, value) = match minute(row) {
                Ok(minute) => minute,
                Err(fault) => return Ok(Err(fault)),
            };
            let Some(at) = at else {
                return Ok(Err(bad_time("dateTime")));
            };
            let Some(value) = value.filter(|value| *value >= 0.0) else {
                importer.skip(SkipReason::Missing);
                return Ok(Ok(()));
            };
            if self.days.is_new(metric, at) {
                let day = self.local.day_of(at);
                self.days.amount(metric, SOURCE, place, (at, day), value);
            } else {
                importer.skip(SkipReason::Repeated);
            }
            Ok(Ok(()))
        })
    }

    pub(super) fn read_active_minutes(
        &mut self,
        importer: &mut Importer<'_>,
        file: &'f Path,
        metric: MetricType,
    ) -> Result<(), ImportError> {
        each_object(
            importer,
            file,
            &is_timed,
            |importer, place, row: Timed<Number>| {
                if let Some(day) = self.day(importer, place, row.date_time)? {
                    self.minutes(importer, place, day, metric, row.value);
                }
                Ok(())
            },
        )
    }

    pub(super) fn read_zones(
        &mut self,
        importer: &mut Importer<'_>,
        file: &'f Path,
    ) -> Result<(), ImportError> {
        each_object(
            importer,
            file,
            &is_timed,
            |importer, place, row: Timed<InZones>| {
                let Some(day) = self.day(importer, place, row.date_time)? else {
                    return Ok(());
                };
                let mut zones = row.value.and_then(|value| value.values_in_zones);
                for (name, metric) in [
                    ("BELOW_DEFAULT_ZONE_1", M::HeartRateBelowZone1Minutes),
                    ("IN_DEFAULT_ZONE_1", M::HeartRateZone1Minutes),
                    ("IN_DEFAULT_ZONE_2", M::HeartRateZone2Minutes),
                    ("IN_DEFAULT_ZONE_3", M::HeartRateZone3Minutes),
                ] {
                    let minutes = zones.as_mut().and_then(|zones| zones.remove(name));
                    self.minutes(importer, place, day, metric, minutes);
                }
                Ok(())
            },
        )
    }

    /// Minutes of a day, of which 0 is a number.
    fn minutes(
        &mut self,
        importer: &mut Importer<'_>,
        place: Place<'f>,
        day: NaiveDate,
        metric: MetricType,
        minutes: Option<Number>,
    ) {
        match minutes.and_then(|minutes| minutes.0) {
            Some(minutes) => {
                let value = Value::new(place, 1, minutes, Unit::Minutes, When::Evening);
                self.days.value(SOURCE, day, metric, value);
            }
            None => importer.skip(SkipReason::Missing),
        }
    }

    pub(super) fn read_heart_rate(
        &mut self,
        importer: &mut Importer<'_>,
        file: &'f Path,
    ) -> Result<(), ImportError> {
        each_object(
            importer,
            file,
            &is_timed,
            |importer, place, row: Timed<Beats>| {
                let at = row.at();
                let rate = row.value.and_then(|value| value.bpm);
                match (at, rate) {
                    (Some(at), Some(rate)) => self.heart_rate(SOURCE, place, at, rate),
                    (Some(_), None) => importer.skip(SkipReason::Missing),
                    (None, _) => importer.reject(place.reject(bad_time("dateTime")))?,
                }
                Ok(())
            },
        )
    }

    pub(super) fn read_vo2_max(
        &mut self,
        importer: &mut Importer<'_>,
        file: &'f Path,
    ) -> Result<(), ImportError> {
        each_object(
            importer,
            file,
            &is_timed,
            |importer, place, row: Timed<Vo2>| {
                if let Some(day) = self.day(importer, place, row.date_time)? {
                    let value = row.value.and_then(|value| value.filtered.or(value.plain));
                    let how = (Unit::MillilitresPerKilogramMinute, When::Evening);
                    self.value(importer, place, 1, day, M::Vo2Max, value, how);
                }
                Ok(())
            },
        )
    }

    pub(super) fn read_sleep(
        &mut self,
        importer: &mut Importer<'_>,
        file: &'f Path,
    ) -> Result<(), ImportError> {
        each_object(importer, file, &is_log, |importer, place, log: SleepLog| {
            match night(&log) {
                Ok(night) => self.nights.add_old(importer, place, night),
                Err(fault) => importer.reject(place.reject(fault))?,
            }
            Ok(())
        })
    }

    pub(super) fn read_exercise(
        &mut self,
        importer: &mut Importer<'_>,
        file: &'f Path,
    ) -> Result<(), ImportError> {
        each_object(importer, file, &is_log, |importer, place, log: Exercise| {
            match workout(&log) {
                Ok(workout) => {
                    let id = (true, workout.provenance.source_id.clone());
                    if self.workouts.insert(id, (place, workout)).is_some() {
                        importer.skip(SkipReason::Repeated);
                    }
                }
                Err(fault) => importer.reject(place.reject(fault))?,
            }
            Ok(())
        })
    }
}

/// A time on the person's clock; it has no zone, whatever its end looks like.
pub(super) fn clock(text: Option<&str>) -> Option<NaiveDateTime> {
    match stamp(text?)? {
        Stamp::Wall(wall) => Some(wall),
        Stamp::Instant(at, None) => Some(at.naive_utc()),
        Stamp::Instant(at, Some(offset)) => {
            Some(at.naive_utc() + TimeDelta::seconds(i64::from(offset)))
        }
        Stamp::Day(_) => None,
    }
}

fn night(log: &SleepLog) -> Result<Night, Fault> {
    let start = clock(log.start_time.as_deref()).ok_or_else(|| bad_time("startTime"))?;
    let duration = log.duration.filter(|duration| *duration > 0.0);
    let in_bed = duration.map(|duration| duration / 60_000.0);
    let end = clock(log.end_time.as_deref()).or_else(|| {
        let length = TimeDelta::try_milliseconds(duration? as i64)?;
        start.checked_add_signed(length)
    });
    let end = end.ok_or_else(|| bad_time("endTime"))?;
    let of_stage = |name: &str| {
        let levels = log.levels.as_ref()?.summary.as_ref()?;
        levels.get(name)?.minutes
    };
    let day = match log.date_of_sleep.as_deref().and_then(stamp) {
        Some(Stamp::Day(day)) => Some(day),
        Some(Stamp::Wall(wall)) => Some(wall.date()),
        Some(Stamp::Instant(..)) | None => None,
    };
    let id = log
        .log_id
        .clone()
        .unwrap_or_else(|| Moment::Clock(start).id());
    Ok(Night {
        day,
        asleep: log.minutes_asleep,
        awake: log.minutes_awake,
        deep: of_stage("deep"),
        rem: of_stage("rem"),
        in_bed: log.time_in_bed.filter(|minutes| *minutes > 0.0).or(in_bed),
        efficiency: log.efficiency,
        ..Night::new(id, Moment::Clock(start), Some(Moment::Clock(end)))
    })
}

fn workout(log: &Exercise) -> Result<Activity, Fault> {
    let start = log.start_time.as_deref().and_then(utc);
    let start = start.ok_or_else(|| bad_time("startTime"))?;
    let positive = |value: Option<f64>| value.filter(|value| *value > 0.0);
    let duration = positive(log.duration).or(positive(log.active_duration));
    let end = duration.and_then(|duration| {
        start.checked_add_signed(TimeDelta::try_milliseconds(duration as i64)?)
    });
    let unit = log.distance_unit.as_deref().unwrap_or("");
    let metres = metres(unit);
    let id = log.log_id.clone();
    let told = Told {
        until: end.map(Moment::instant),
        ..Told::at(Moment::instant(start))
    };
    let id = id.unwrap_or_else(|| Moment::instant(start).id());
    let name = log.activity_name.as_deref().unwrap_or("");
    Ok(Activity {
        provenance: Provenance::told(SOURCE, crate::readings::shortened(&id), told),
        activity_type: sport(name).unwrap_or(ActivityType::Other),
        intensity: None,
        duration_minutes: positive(log.active_duration)
            .or(duration)
            .map(|duration| duration / 60_000.0),
        energy_kcal: positive(log.calories),
        average_heart_rate: positive(log.average_heart_rate),
        max_heart_rate: None,
        distance_m: positive(log.distance)
            .zip(metres)
            .map(|(distance, metres)| distance * metres),
        steps: positive(log.steps),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn the_fast_way_gives_what_any_reader_of_json_gives(
            blanks in prop::collection::vec("[ \n\r\t\u{c}]{0,2}", 7),
            time in "([0-9]{2}/[0-9]{2}/[0-9]{2} 0[0-9]:[0-9]{2}:00|[ -~]{0,6}|\\\\u0030|\u{e9})",
            value in "(\"[0-9]{1,4}\"|\" 1[.,]5\"|[0-9]{1,3}|null|\"[ -~]{0,4}\"|\"n/a\")",
            end in "(\\}|\\}|\\}|\\} x|,)",
        ) {
            let [a, b, c, d, e, f, g] = blanks.as_slice() else { unreachable!() };
            let row = format!("{{{a}\"dateTime\"{b}:{c}\"{time}\"{d},{e}\"value\"{f}:{g}{value}{end}");
            if let Some((time, value)) = two_texts(row.as_bytes()) {
                let all: BTreeMap<String, String> = serde_json::from_str(&row).unwrap();
                prop_assert_eq!((all["dateTime"].as_str(), all["value"].as_str()), (time, value));
            }
        }
    }

    #[test]
    fn rows_as_fitbit_writes_them_are_read_in_the_fast_way() {
        let row = b"{\n  \"dateTime\" : \"03/01/24 00:00:00\",\n  \"value\" : \"12\"\n}";
        assert_eq!(two_texts(row), Some(("03/01/24 00:00:00", "12")));
        let compact = br#"{"dateTime":"2019-11-01 00:00:00","value":"0"}"#;
        assert_eq!(two_texts(compact), Some(("2019-11-01 00:00:00", "0")));
        for other in [
            &br#"{"dateTime":"x","value":12}"#[..],
            br#"{"value":"1","dateTime":"x"}"#,
        ] {
            assert_eq!(two_texts(other), None);
        }
    }
}
