//! The tables of an export: values by day, scores, and the files of `…_GoogleData`.

use super::daily::DailyTable;
use super::days::{Value, When};
use super::{Export, READER, SOURCE, bad_time, labelled_day, stamp, utc};
use crate::batch::Importer;
use crate::dates::minutes_of;
use crate::error::ImportError;
use crate::readings::{Night, Place, shortened};
use crate::report::{RejectReason, SkipReason};
use crate::sports::sport;
use crate::table::{Fault, Row, Table};
use crate::time::{Stamp, iso};
use chrono::{DateTime, NaiveTime, Utc};
use std::path::Path;
use vitalcast_domain::MetricType as M;
use vitalcast_domain::{Activity, ActivityType, MetricType, Moment, Provenance, Told, Unit};

/// An oxygen saturation that says that measuring failed.
const NO_SATURATION: f64 = 50.0;

/// Whether a row was copied from another app, whose own export has it.
fn is_copy(source: &str) -> bool {
    let letters = crate::words::letters(source);
    letters.contains("healthkit") || letters.contains("healthconnect")
}

/// Whether the time of a daily table is an instant and not the label of a day.
fn is_bridged(time: &str) -> bool {
    matches!(stamp(time), Some(Stamp::Instant(at, _)) if at.time() != NaiveTime::MIN)
}

/// The name of a source within an export: `fitbit/Charge 6`.
fn named(source: &str) -> String {
    if source.is_empty() {
        format!("{SOURCE}/unknown")
    } else {
        shortened(&format!("{SOURCE}/{source}"))
    }
}

impl<'f> Export<'f> {
    pub(super) fn read_daily(
        &mut self,
        importer: &mut Importer<'_>,
        file: &'f Path,
        daily: &'static DailyTable,
    ) -> Result<(), ImportError> {
        let mut table = Table::open(file, &READER)?;
        let day_column = table.required(&[daily.day])?;
        let data_source = table.column(&["data source"]);
        let columns = daily.values.iter();
        let columns: Vec<_> = columns.map(|column| table.column(&[column.name])).collect();
        while let Some(row) = table.next(importer)? {
            if is_copy(row.text(data_source)) {
                self.copies += 1;
                importer.skip(SkipReason::Repeated);
                continue;
            }
            let place = Place {
                file,
                line: row.line(),
            };
            let time = row.text(Some(day_column));
            let Some(day) = stamp(time).map(|stamp| labelled_day(stamp, &self.profile)) else {
                importer.reject(place.reject(bad_time(daily.day)))?;
                continue;
            };
            // What another app has measured at a time does not replace Fitbit's value of the day.
            let rank = 2 * daily.rank + u8::from(!is_bridged(time));
            for (column, cell) in daily.values.iter().zip(&columns) {
                let value = match row.number(*cell, column.name) {
                    Ok(value) => value.filter(|value| {
                        *value > 0.0
                            && !(column.metric == M::OxygenSaturation && *value == NO_SATURATION)
                    }),
                    Err(fault) => {
                        importer.reject(place.reject(fault))?;
                        continue;
                    }
                };
                match value {
                    Some(value) => {
                        let value = Value::new(place, rank, value, column.unit, column.when);
                        self.days.value(daily.source, day, column.metric, value);
                    }
                    None => importer.skip(SkipReason::Missing),
                }
            }
        }
        Ok(())
    }

    pub(super) fn read_stress(
        &mut self,
        importer: &mut Importer<'_>,
        file: &'f Path,
    ) -> Result<(), ImportError> {
        let mut table = Table::open(file, &READER)?;
        let date = table.required(&["DATE"])?;
        let score = table.required(&["STRESS_SCORE"])?;
        let (updated, failed) = (
            table.column(&["UPDATED_AT"]),
            table.column(&["CALCULATION_FAILED"]),
        );
        let parts = [
            ("SLEEP_POINTS", "MAX_SLEEP_POINTS", M::RecoverySleepPart),
            (
                "EXERTION_POINTS",
                "MAX_EXERTION_POINTS",
                M::RecoveryExertionPart,
            ),
            (
                "RESPONSIVENESS_POINTS",
                "MAX_RESPONSIVENESS_POINTS",
                M::RecoveryResponsivenessPart,
            ),
        ];
        let columns =
            parts.map(|(points, most, _)| (table.column(&[points]), table.column(&[most])));
        while let Some(row) = table.next(importer)? {
            let place = Place {
                file,
                line: row.line(),
            };
            let written = stamp(row.text(Some(date)));
            let Some(day) = written.map(|stamp| labelled_day(stamp, &self.profile)) else {
                importer.reject(place.reject(bad_time("DATE")))?;
                continue;
            };
            let value = match row.number(Some(score), "STRESS_SCORE") {
                Ok(value) => value.unwrap_or(0.0),
                Err(fault) => {
                    importer.reject(place.reject(fault))?;
                    continue;
                }
            };
            if value <= 0.0 || row.text(failed).eq_ignore_ascii_case("true") {
                importer.skip(SkipReason::Missing);
                continue;
            }
            let updated = utc(row.text(updated));
            let mut add = |metric, value, unit| {
                let value = Value::new(place, 1, value, unit, When::Morning).updated(updated);
                self.days.value(SOURCE, day, metric, value);
            };
            add(M::RecoveryScore, value, Unit::Score);
            for ((name, most_name, metric), (points, most)) in parts.into_iter().zip(columns) {
                let points = row.number(points, name);
                match points.and_then(|points| Ok(points.zip(row.number(most, most_name)?))) {
                    Ok(Some((points, most))) if points > 0.0 && most > 0.0 => {
                        add(metric, points / most, Unit::Fraction);
                    }
                    Ok(_) => importer.skip(SkipReason::Missing),
                    Err(fault) => importer.reject(place.reject(fault))?,
                }
            }
        }
        Ok(())
    }

    pub(super) fn read_sleep_score(
        &mut self,
        importer: &mut Importer<'_>,
        file: &'f Path,
    ) -> Result<(), ImportError> {
        let mut table = Table::open(file, &READER)?;
        let id = table.required(&["sleep_log_entry_id", "sleep_id"])?;
        let score = table.required(&["overall_score"])?;
        let time = table.column(&["timestamp", "score_time"]);
        while let Some(row) = table.next(importer)? {
            let place = Place {
                file,
                line: row.line(),
            };
            match row.number(Some(score), "overall_score") {
                Ok(Some(score)) if score > 0.0 => {
                    let day = match stamp(row.text(time)) {
                        Some(Stamp::Day(day)) => Some(day),
                        Some(Stamp::Wall(wall)) => Some(wall.date()),
                        // It is the local time of waking, whatever its end says.
                        Some(Stamp::Instant(at, _)) => Some(at.date_naive()),
                        None => None,
                    };
                    self.nights.score(place, row.text(Some(id)), score, day);
                }
                Ok(_) => importer.skip(SkipReason::Missing),
                Err(fault) => importer.reject(place.reject(fault))?,
            }
        }
        Ok(())
    }

    pub(super) fn read_user_sleeps(
        &mut self,
        importer: &mut Importer<'_>,
        file: &'f Path,
    ) -> Result<(), ImportError> {
        let mut table = Table::open(file, &READER)?;
        let id = table.required(&["sleep_id"])?;
        let (start, end) = (
            table.required(&["sleep_start"])?,
            table.required(&["sleep_end"])?,
        );
        let start_offset = table.column(&["start_utc_offset"]);
        let end_offset = table.column(&["end_utc_offset"]);
        let asleep = table.required(&["minutes_asleep"])?;
        let awake = table.column(&["minutes_awake"]);
        let in_bed = table.column(&["minutes_in_sleep_period"]);
        let source = table.column(&["data_source", "data source"]);
        let updated = table.column(&["sleep_last_updated"]);
        while let Some(row) = table.next(importer)? {
            if is_copy(row.text(source)) {
                self.copies += 1;
                importer.skip(SkipReason::Repeated);
                continue;
            }
            let place = Place {
                file,
                line: row.line(),
            };
            let night = (|| -> Result<Night, Fault> {
                let from =
                    moment(&row, start, start_offset).ok_or_else(|| bad_time("sleep_start"))?;
                let to = moment(&row, end, end_offset).ok_or_else(|| bad_time("sleep_end"))?;
                let night = Night::new(row.text(Some(id)), from, Some(to));
                let positive = |value: Option<f64>| value.filter(|value| *value > 0.0);
                Ok(Night {
                    asleep: row.number(Some(asleep), "minutes_asleep")?,
                    awake: row.number(awake, "minutes_awake")?,
                    in_bed: positive(row.number(in_bed, "minutes_in_sleep_period")?),
                    updated_at: utc(row.text(updated)),
                    ..night
                })
            })();
            match night {
                Ok(night) => self.nights.add_new(importer, place, night),
                Err(fault) => importer.reject(place.reject(fault))?,
            }
        }
        Ok(())
    }

    pub(super) fn read_user_sleep_stages(
        &mut self,
        importer: &mut Importer<'_>,
        file: &'f Path,
    ) -> Result<(), ImportError> {
        let mut table = Table::open(file, &READER)?;
        let log = table.required(&["sleep_id"])?;
        let id = table.column(&["sleep_stage_id"]);
        let stage = table.required(&["sleep_stage_type"])?;
        let start = table.required(&["sleep_stage_start"])?;
        let end = table.required(&["sleep_stage_end"])?;
        while let Some(row) = table.next(importer)? {
            let (from, to) = (utc(row.text(Some(start))), utc(row.text(Some(end))));
            let (Some(from), Some(to)) = (from, to) else {
                importer.reject(row.place().reject(bad_time("sleep_stage_start or its end")))?;
                continue;
            };
            let minutes = minutes_of(to - from);
            if !(0.0..=1_440.0).contains(&minutes) {
                let message = "a stage ends before it begins, or lasts more than a day".to_owned();
                let fault = (RejectReason::Reversed, message);
                importer.reject(row.place().reject(fault))?;
                continue;
            }
            let (deep, rem) = match row.text(Some(stage)).to_ascii_uppercase().as_str() {
                "DEEP" => (minutes, 0.0),
                "REM" => (0.0, minutes),
                "LIGHT" | "AWAKE" | "WAKE" => (0.0, 0.0),
                // Sleep without stages.
                _ => {
                    importer.skip(SkipReason::Missing);
                    continue;
                }
            };
            let id = match row.text(id) {
                "" => row.text(Some(start)),
                id => id,
            };
            if !self.nights.stage(row.text(Some(log)), id, deep, rem) {
                importer.skip(SkipReason::Repeated);
            }
        }
        Ok(())
    }

    pub(super) fn read_user_exercises(
        &mut self,
        importer: &mut Importer<'_>,
        file: &'f Path,
    ) -> Result<(), ImportError> {
        let mut table = Table::open(file, &READER)?;
        let start = table.required(&["exercise_start"])?;
        let end = table.required(&["exercise_end"])?;
        let name = table.required(&["activity_name"])?;
        let id = table.column(&["exercise_id"]);
        let offset = table.column(&["utc_offset"]);
        let source = table.column(&["data_source", "data source"]);
        let numbers = [
            "tracker_total_calories",
            "tracker_avg_heart_rate",
            "tracker_peak_heart_rate",
            "tracker_total_distance_mm",
            "tracker_total_steps",
        ];
        let columns = numbers.map(|name| table.column(&[name]));
        while let Some(row) = table.next(importer)? {
            if is_copy(row.text(source)) {
                self.copies += 1;
                importer.skip(SkipReason::Repeated);
                continue;
            }
            let place = Place {
                file,
                line: row.line(),
            };
            let workout = (|| -> Result<Activity, Fault> {
                let from = moment(&row, start, offset).ok_or_else(|| bad_time("exercise_start"))?;
                let to = moment(&row, end, offset);
                let mut values = [None; 5];
                for ((value, name), column) in values.iter_mut().zip(numbers).zip(columns) {
                    *value = row.number(column, name)?.filter(|value| *value > 0.0);
                }
                let [energy, average, most, millimetres, steps] = values;
                let told = Told {
                    until: to,
                    ..Told::at(from)
                };
                let id = match row.text(id) {
                    "" => from.id(),
                    id => id.to_owned(),
                };
                let length = utc(row.text(Some(end))).zip(utc(row.text(Some(start))));
                Ok(Activity {
                    provenance: Provenance::told(SOURCE, shortened(&id), told),
                    activity_type: sport(row.text(Some(name))).unwrap_or(ActivityType::Other),
                    intensity: None,
                    duration_minutes: length.map(|(to, from)| minutes_of(to - from)),
                    energy_kcal: energy,
                    average_heart_rate: average,
                    max_heart_rate: most,
                    distance_m: millimetres.map(|millimetres| millimetres / 1_000.0),
                    steps,
                })
            })();
            match workout {
                Ok(workout) => {
                    let id = (false, workout.provenance.source_id.clone());
                    if self.workouts.insert(id, (place, workout)).is_some() {
                        importer.skip(SkipReason::Repeated);
                    }
                }
                Err(fault) => importer.reject(place.reject(fault))?,
            }
        }
        Ok(())
    }

    /// Steps or energy of several devices and apps, at UTC instants.
    pub(super) fn read_amounts(
        &mut self,
        importer: &mut Importer<'_>,
        file: &'f Path,
        metric: MetricType,
    ) -> Result<(), ImportError> {
        let name = if metric == M::Steps {
            "steps"
        } else {
            "calories"
        };
        self.each_sample(
            importer,
            file,
            name,
            |export, place, (source, at), value| {
                let day = export.profile.day_of(at);
                export.days.amount(metric, source, place, (at, day), value);
            },
        )
    }

    pub(super) fn read_heart_rates(
        &mut self,
        importer: &mut Importer<'_>,
        file: &'f Path,
    ) -> Result<(), ImportError> {
        let name = "beats per minute";
        self.each_sample(
            importer,
            file,
            name,
            |export, place, (source, at), value| {
                export.heart_rate(source, place, at, value);
            },
        )
    }

    fn each_sample(
        &mut self,
        importer: &mut Importer<'_>,
        file: &'f Path,
        name: &'static str,
        mut add: impl FnMut(&mut Self, Place<'f>, (&str, DateTime<Utc>), f64),
    ) -> Result<(), ImportError> {
        let mut table = Table::open(file, &READER)?;
        let (time, value) = (table.required(&["timestamp"])?, table.required(&[name])?);
        let source = table.required(&["data source"])?;
        // Nearly all rows have the source of the row before.
        let (mut last, mut source_name, mut copied) = (String::new(), named(""), false);
        while let Some(row) = table.next(importer)? {
            if row.text(Some(source)) != last {
                row.text(Some(source)).clone_into(&mut last);
                (source_name, copied) = (named(&last), is_copy(&last));
            }
            if copied {
                self.copies += 1;
                importer.skip(SkipReason::Repeated);
                continue;
            }
            let place = Place {
                file,
                line: row.line(),
            };
            let Some(at) = utc(row.text(Some(time))) else {
                importer.reject(place.reject(bad_time("timestamp")))?;
                continue;
            };
            match row.number(Some(value), name) {
                Ok(Some(value)) if value >= 0.0 => add(self, place, (&source_name, at), value),
                Ok(_) => importer.skip(SkipReason::Missing),
                Err(fault) => importer.reject(place.reject(fault))?,
            }
        }
        Ok(())
    }
}

/// An instant, with the offset of the person's clock that stands in another column.
fn moment(row: &Row<'_>, time: usize, offset: Option<usize>) -> Option<Moment> {
    let at = utc(row.text(Some(time)))?;
    let offset_seconds = offset_seconds(row.text(offset));
    Some(Moment::Instant { at, offset_seconds })
}

/// Reads `+02:00` or `-0700`.
fn offset_seconds(text: &str) -> Option<i32> {
    if !text.starts_with(['+', '-', '−']) {
        return None;
    }
    match iso(&format!("2000-01-01T00:00:00{text}"))? {
        // An offset of 0 is one, where the column says nothing else.
        Stamp::Instant(_, offset) => Some(offset.unwrap_or(0)),
        Stamp::Wall(_) | Stamp::Day(_) => None,
    }
}
