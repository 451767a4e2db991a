//! Google Fit: the folder "Fit" of Google Takeout.
//!
//! - `Daily activity metrics/Daily activity metrics.csv`: a row per local day, merged over sources. Columns
//!   exist only for what an account ever had. Energy includes that of rest.
//! - `Daily activity metrics/2024-05-01.csv`: quarter hours of the day in the name of the file. It is read
//!   only for days that the summary lacks.
//! - `All Data/*.json`: samples at nanoseconds since 1970 in UTC. Files with `merge` in their names repeat
//!   the `raw` ones: where both are, only the merged ones are read.
//! - `All Sessions/*.json`: sleep and workouts with UTC times.
//!
//! The lowest heart rate of a day is no resting heart rate, and "move minutes" are no exercise: both
//! columns are left out.

mod rows;

use crate::amounts::HeartRates;
use crate::batch::Importer;
use crate::dates::{minutes_of, no_time};
use crate::error::ImportError;
use crate::format::{Columns, FormatReader, Gives, Reading as Read};
use crate::objects::each_object;
use crate::readings::{Night, Place, Reading};
use crate::report::{RejectReason, SkipReason};
use crate::sample::{Confidence, file_name};
use crate::sleep::{Interval, Stage, nights};
use crate::sports::sport;
use crate::table::Table;
use crate::time::{Stamp, iso};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use rows::{Aggregate, Point, Session};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use vitalcast_domain::MetricType as M;
use vitalcast_domain::{
    Activity, ActivityType, MetricType, Moment, Profile, Provenance, ReadingKind, Record, Told,
    Unit, UserId,
};

const SOURCE: &str = "google-fit";
/// Weights that are believed, kg.
const WEIGHTS: std::ops::RangeInclusive<f64> = 20.0..=400.0;

/// The folder "Fit" of Google Takeout.
pub(crate) static READER: FormatReader = FormatReader {
    word: "google-fit",
    title: "Google Fit",
    export: "Google Takeout (<https://takeout.google.com>) with \"Fit\" selected: the zip file or its unpacked \
             folder.",
    gives: &[
        Gives {
            what: "STEPS, TOTAL_CALORIES, AVERAGE_HEART_RATE",
            from: "`Daily activity metrics.csv`, `2024-05-01.csv` of the same folder",
            unit: "count, kcal, beats per minute",
            note: "merged over devices by Google; English column names",
        },
        Gives {
            what: "AVERAGE_HEART_RATE, LOWEST_HEART_RATE",
            from: "`All Data/…heart_rate.bpm….json`",
            unit: "beats per minute",
            note: "means of half hours; the lowest is no resting heart rate",
        },
        Gives {
            what: "SLEEP_DURATION, DEEP_SLEEP_DURATION, REM_SLEEP_DURATION, AWAKE_DURATION, TIME_IN_BED, \
                   BEDTIME, WAKE_TIME",
            from: "`All Data/…sleep.segment….json`, `All Sessions/*_SLEEP.json`, `Sleep duration (ms)`",
            unit: "ns, ms",
            note: "coarse; the duration of a day only where nothing better is known",
        },
        Gives {
            what: "BODY_FAT_PERCENTAGE, weight of the profile",
            from: "`All Data/…body.fat.percentage….json`, `All Data/…weight….json`, `Average weight (kg)`",
            unit: "per cent, kg",
            note: "the latest weight, for a new person",
        },
        Gives {
            what: "activities",
            from: "`All Sessions/*.json`",
            unit: "UTC times",
            note: "walks that a phone noticed are among them",
        },
    ],
    recognises: |sample| {
        Confidence::certain_if(
            sample.is_table(is_summary)
                || (sample.is_table(is_quarters) && day_of_name(sample.path).is_some())
                || sample.is_json(|keys| {
                    keys.has_all(&["Data Source", "Data Points"])
                        || keys.has_all(&["dataTypeName", "fitValue"])
                        || keys.has_all(&["fitnessActivity", "startTime", "endTime"])
                }),
        )
    },
    read: Read::Together(read),
};

fn is_summary(columns: &Columns<'_>) -> bool {
    columns.has_all(&["Date", "Move Minutes count"])
        || (columns.has("Date") && columns.has("Step count") && columns.has("Calories (kcal)"))
}

fn is_quarters(columns: &Columns<'_>) -> bool {
    columns.has_all(&["Start time", "End time"])
        && ["Move Minutes count", "Step count", "Calories (kcal)"]
            .iter()
            .any(|name| columns.has(name))
}

fn is_point(columns: &Columns<'_>) -> bool {
    columns.has_all(&["dataTypeName", "fitValue"])
}

fn is_session(columns: &Columns<'_>) -> bool {
    columns.has("fitnessActivity")
}

/// The day that is the name of a file.
fn day_of_name(path: &Path) -> Option<NaiveDate> {
    file_name(path).get(..10)?.parse().ok()
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Summary,
    Quarters,
    Points,
    Session,
}

/// What was collected.
#[derive(Default)]
struct Export<'f> {
    values: BTreeMap<(NaiveDate, MetricType), (f64, Place<'f>)>,
    /// Minutes asleep of days, from the summary.
    asleep: BTreeMap<NaiveDate, (f64, Place<'f>)>,
    /// Days of the summary.
    summary: BTreeSet<NaiveDate>,
    heart_rates: HeartRates,
    stages: Vec<Interval>,
    /// Place of the first stage and of the first heart rate.
    first_stage: Option<Place<'f>>,
    first_rate: Option<Place<'f>>,
    sleeps: BTreeMap<DateTime<Utc>, (DateTime<Utc>, Place<'f>)>,
    workouts: BTreeMap<DateTime<Utc>, (Place<'f>, Activity)>,
    fats: BTreeMap<DateTime<Utc>, (f64, Place<'f>)>,
    weight: Option<(DateTime<Utc>, f64)>,
}

fn read(importer: &mut Importer<'_>, files: &[PathBuf]) -> Result<(), ImportError> {
    let Some(first) = files.first() else {
        return Ok(());
    };
    let mut kinds: Vec<(&Path, Kind)> = Vec::new();
    for file in files {
        importer.attempt(|_| {
            let kind = crate::sample::look(file, &|sample| {
                if sample.is_table(is_summary) {
                    Some(Kind::Summary)
                } else if sample.is_table(is_quarters) {
                    Some(Kind::Quarters)
                } else if sample.is_json(|keys| keys.has("fitnessActivity")) {
                    Some(Kind::Session)
                } else {
                    sample.is_json(|_| true).then_some(Kind::Points)
                }
            })?;
            if let Ok(kind) = kind {
                kinds.push((file.as_path(), kind));
            }
            Ok(())
        })?;
    }
    // Types of data of which there is a merged file.
    let merged: BTreeSet<&str> = kinds
        .iter()
        .filter(|(file, kind)| *kind == Kind::Points && is_merged(file))
        .filter_map(|(file, _)| type_of(file))
        .collect();
    let mut export = Export::default();
    for wanted in [Kind::Summary, Kind::Quarters, Kind::Points, Kind::Session] {
        for (file, _) in kinds.iter().filter(|(_, kind)| *kind == wanted) {
            let repeats =
                type_of(file).is_some_and(|name| merged.contains(name)) && !is_merged(file);
            if wanted == Kind::Points && repeats {
                importer.skip(SkipReason::Repeated);
                continue;
            }
            importer.attempt(|importer| match wanted {
                Kind::Summary => export.read_summary(importer, file),
                Kind::Quarters => export.read_quarters(importer, file),
                Kind::Points => export.read_points(importer, file),
                Kind::Session => export.read_session(importer, file),
            })?;
        }
    }
    let weight = export.weight.map(|(_, weight)| weight);
    let user = importer.owner_like(first, |profile| {
        profile.weight_kg = weight.filter(|weight| WEIGHTS.contains(weight));
    })?;
    export.finish(importer, &user)
}

/// Whether a file of samples unites those of others.
fn is_merged(file: &Path) -> bool {
    let name = file_name(file);
    name.starts_with("derived") && name.contains("merge")
}

/// The type of data in the name of a file of samples.
fn type_of(file: &Path) -> Option<&'static str> {
    let name = file_name(file);
    let types = [
        "heart_rate.bpm",
        "sleep.segment",
        "com.google.weight",
        "body.fat.percentage",
    ];
    types.into_iter().find(|wanted| name.contains(wanted))
}

impl<'f> Export<'f> {
    fn read_summary(
        &mut self,
        importer: &mut Importer<'_>,
        file: &'f Path,
    ) -> Result<(), ImportError> {
        let mut table = Table::open(file, &READER)?;
        let date = table.required(&["Date"])?;
        let columns = [
            ("Step count", M::Steps),
            ("Calories (kcal)", M::TotalCalories),
            ("Average heart rate (bpm)", M::AverageHeartRate),
        ]
        .map(|(name, metric)| (name, metric, table.column(&[name])));
        let sleep = table.column(&["Sleep duration (ms)"]);
        let weight = table.column(&["Average weight (kg)"]);
        while let Some(row) = table.next(importer)? {
            let place = Place {
                file,
                line: row.line(),
            };
            let Some(Stamp::Day(day)) = iso(row.text(Some(date))) else {
                importer.reject(place.reject(no_time()))?;
                continue;
            };
            self.summary.insert(day);
            for (name, metric, column) in columns {
                match row.number(column, name) {
                    Ok(Some(value)) => {
                        self.values.insert((day, metric), (value, place));
                    }
                    Ok(None) => importer.skip(SkipReason::Missing),
                    Err(fault) => importer.reject(place.reject(fault))?,
                }
            }
            match row.number(sleep, "Sleep duration (ms)") {
                Ok(Some(value)) if value > 0.0 => {
                    self.asleep.insert(day, (value / 60_000.0, place));
                }
                Ok(_) => {}
                Err(fault) => importer.reject(place.reject(fault))?,
            }
            if let Ok(Some(value)) = row.number(weight, "Average weight (kg)") {
                self.weigh(day.and_time(chrono::NaiveTime::MIN).and_utc(), value);
            }
        }
        Ok(())
    }

    fn weigh(&mut self, at: DateTime<Utc>, weight: f64) {
        if self.weight.is_none_or(|known| known.0 <= at) {
            self.weight = Some((at, weight));
        }
    }

    /// The quarter hours of a day become its totals.
    fn read_quarters(
        &mut self,
        importer: &mut Importer<'_>,
        file: &'f Path,
    ) -> Result<(), ImportError> {
        let Some(day) = day_of_name(file).filter(|day| !self.summary.contains(day)) else {
            importer.skip(SkipReason::Repeated);
            return Ok(());
        };
        let mut table = Table::open(file, &READER)?;
        let steps = table.column(&["Step count"]);
        let energy = table.column(&["Calories (kcal)"]);
        let rate = table.column(&["Average heart rate (bpm)"]);
        let mut sums = [
            (M::Steps, 0.0, 0_u32),
            (M::TotalCalories, 0.0, 0),
            (M::AverageHeartRate, 0.0, 0),
        ];
        while let Some(row) = table.next(importer)? {
            let names = ["Step count", "Calories (kcal)", "Average heart rate (bpm)"];
            for ((sum, column), name) in sums.iter_mut().zip([steps, energy, rate]).zip(names) {
                match row.number(column, name) {
                    Ok(Some(value)) => {
                        sum.1 += value;
                        sum.2 += 1;
                    }
                    Ok(None) => {}
                    Err(fault) => importer.reject(row.place().reject(fault))?,
                }
            }
        }
        let place = Place { file, line: 1 };
        for (metric, sum, count) in sums {
            if count == 0 {
                importer.skip(SkipReason::Missing);
                continue;
            }
            let value = if metric == M::AverageHeartRate {
                sum / f64::from(count)
            } else {
                sum
            };
            self.values.entry((day, metric)).or_insert((value, place));
        }
        Ok(())
    }

    fn read_points(
        &mut self,
        importer: &mut Importer<'_>,
        file: &'f Path,
    ) -> Result<(), ImportError> {
        let before = importer.report.rows_read;
        each_object(
            importer,
            file,
            &is_point,
            |importer, place, point: Point| {
                let name = point.data_type_name.as_deref().unwrap_or("");
                let name = name.strip_prefix("com.google.").unwrap_or(name);
                if ![
                    "heart_rate.bpm",
                    "sleep.segment",
                    "weight",
                    "body.fat.percentage",
                ]
                .contains(&name)
                {
                    importer.skip(SkipReason::OtherFile);
                    return Ok(());
                }
                let Some((start, end)) = point.times() else {
                    return importer.reject(place.reject(no_time()));
                };
                let Some(value) = point.value() else {
                    importer.skip(SkipReason::Missing);
                    return Ok(());
                };
                match name {
                    "heart_rate.bpm" => {
                        self.first_rate.get_or_insert(place);
                        self.heart_rates.add(end, value);
                    }
                    "weight" => self.weigh(end, value),
                    "body.fat.percentage" => {
                        self.fats.insert(end, (value, place));
                    }
                    _ => {
                        let stage = match value as i64 {
                            1 | 3 => Stage::Awake,
                            2 => Stage::Asleep,
                            4 => Stage::Light,
                            5 => Stage::Deep,
                            6 => Stage::Rem,
                            _ => {
                                importer.skip(SkipReason::Missing);
                                return Ok(());
                            }
                        };
                        self.first_stage.get_or_insert(place);
                        self.stages.push(Interval {
                            start,
                            end,
                            stage,
                            offset_seconds: None,
                        });
                    }
                }
                Ok(())
            },
        )?;
        if importer.report.rows_read == before {
            importer.skip(SkipReason::OtherFile);
        }
        Ok(())
    }

    fn read_session(
        &mut self,
        importer: &mut Importer<'_>,
        file: &'f Path,
    ) -> Result<(), ImportError> {
        each_object(
            importer,
            file,
            &is_session,
            |importer, place, session: Session| {
                let instant = |text: &Option<String>| match iso(text.as_deref()?)? {
                    Stamp::Instant(at, _) => Some(at),
                    Stamp::Wall(_) | Stamp::Day(_) => None,
                };
                let times = instant(&session.start_time).zip(instant(&session.end_time));
                let Some((start, end)) = times else {
                    return importer.reject(place.reject(no_time()));
                };
                if end <= start {
                    let message = "a session ends before it begins".to_owned();
                    return importer.reject(place.reject((RejectReason::Reversed, message)));
                }
                let name = session.fitness_activity.as_deref().unwrap_or("");
                if name.starts_with("sleep") {
                    self.sleeps.insert(start, (end, place));
                    return Ok(());
                }
                let sum = |wanted: &str| {
                    let of = |found: &&Aggregate| found.metric_name.as_deref() == Some(wanted);
                    let found = session.aggregate.iter().find(of)?;
                    found
                        .float_value
                        .or(found.int_value)
                        .filter(|value| *value > 0.0)
                };
                let told = Told {
                    until: Some(Moment::instant(end)),
                    ..Told::at(Moment::instant(start))
                };
                let activity = Activity {
                    provenance: Provenance::told(SOURCE, Moment::instant(start).id(), told),
                    activity_type: sport(name)
                        .or_else(|| base_sport(name))
                        .unwrap_or(ActivityType::Other),
                    intensity: None,
                    duration_minutes: Some(minutes_of(end - start)),
                    energy_kcal: sum("com.google.calories.expended"),
                    average_heart_rate: None,
                    max_heart_rate: None,
                    distance_m: sum("com.google.distance.delta"),
                    steps: sum("com.google.step_count.delta"),
                };
                if self.workouts.insert(start, (place, activity)).is_some() {
                    importer.skip(SkipReason::Repeated);
                }
                Ok(())
            },
        )
    }

    fn finish(mut self, importer: &mut Importer<'_>, user: &UserId) -> Result<(), ImportError> {
        let profile = importer.profile_of(user);
        if let Some(place) = self.first_rate {
            for (day, (mean, lowest)) in self.heart_rates.days(&profile) {
                self.values
                    .insert((day, M::AverageHeartRate), (mean, place));
                if let Some(lowest) = lowest {
                    self.values
                        .insert((day, M::LowestHeartRate), (lowest, place));
                }
            }
        }
        // The last day of an export may not be over.
        let is_amount = |metric: M| matches!(metric, M::Steps | M::TotalCalories);
        let amounts = self.values.keys().filter(|(_, metric)| is_amount(*metric));
        let last = amounts.map(|(day, _)| *day).max();
        for ((day, metric), (value, place)) in &self.values {
            let mut reading = Reading::of_day(*metric, *value, metric.unit(), *day);
            if is_amount(*metric) {
                reading = reading.kind(if Some(*day) < last {
                    ReadingKind::DayTotal
                } else {
                    ReadingKind::RunningTotal
                });
            }
            importer.reading(user, SOURCE, *place, reading)?;
        }
        for (at, (fat, place)) in &self.fats {
            let at = Moment::instant(*at);
            let reading = Reading::at(M::BodyFatPercentage, *fat, Unit::Percent, at);
            importer.reading(user, SOURCE, *place, reading)?;
        }
        self.finish_sleep(importer, user, &profile)?;
        for (place, workout) in self.workouts.into_values() {
            importer.checked(user, place, Record::Activity(workout))?;
        }
        Ok(())
    }

    /// Nights from stages, else sessions, else the durations of days.
    fn finish_sleep(
        &mut self,
        importer: &mut Importer<'_>,
        user: &UserId,
        profile: &Profile,
    ) -> Result<(), ImportError> {
        let mut found: Vec<(Night, Place<'f>)> = Vec::new();
        let mut spans: Vec<(DateTime<Utc>, DateTime<Utc>)> = Vec::new();
        if let Some(place) = self.first_stage {
            for stage in &self.stages {
                spans.push((stage.start, stage.end));
            }
            spans.sort_unstable();
            let nights = nights(std::mem::take(&mut self.stages));
            found.extend(nights.into_iter().map(|night| (night, place)));
        }
        for (start, (end, place)) in std::mem::take(&mut self.sleeps) {
            // A stage that begins during the session is of it.
            let begin = spans.partition_point(|span| span.0 < start);
            if spans.get(begin).is_some_and(|span| span.0 < end) {
                importer.skip(SkipReason::Repeated);
                continue;
            }
            let minutes = minutes_of(end - start);
            let (from, to) = (Moment::instant(start), Moment::instant(end));
            let night = Night {
                asleep: Some(minutes),
                in_bed: Some(minutes),
                ..Night::new(from.id(), from, Some(to))
            };
            found.push((night, place));
        }
        let mut nights_of: BTreeSet<NaiveDate> = BTreeSet::new();
        for (night, place) in found {
            if let Some(Moment::Instant { at, .. }) = night.until {
                nights_of.insert(profile.day_of(at));
            }
            importer.night(user, SOURCE, place, &night)?;
        }
        for (day, (minutes, place)) in std::mem::take(&mut self.asleep) {
            let nearby = [Some(day), day.checked_add_signed(TimeDelta::days(1))];
            if nearby
                .into_iter()
                .flatten()
                .any(|day| nights_of.contains(&day))
            {
                importer.skip(SkipReason::Repeated);
                continue;
            }
            let night = Night {
                asleep: Some(minutes),
                ..Night::new(day.to_string(), Moment::Date(day), None)
            };
            importer.night(user, SOURCE, place, &night)?;
        }
        Ok(())
    }
}

/// The sport of a name such as `running.treadmill` or `walking.fitness`.
fn base_sport(name: &str) -> Option<ActivityType> {
    sport(name.split_once('.')?.0)
}
