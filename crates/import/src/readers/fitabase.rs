//! Fitabase: tables of studies with Fitbit trackers, many people in one file. The column `Id` is the
//! person, a number of ten digits.
//!
//! - `dailyActivity_merged.csv`: `ActivityDate` (month first), `TotalSteps`, `Calories` (kcal), minutes by
//!   level of activity. 1,440 sedentary minutes without a step: nobody wore the tracker. The last day of a
//!   person was cut short by the export, so its amounts are totals so far. Two exports may share a day; the
//!   row that covers more of it counts.
//! - `sleepDay_merged.csv`: `SleepDay` (the day of waking, with a midnight that says nothing), minutes
//!   asleep and in bed. Some rows come twice.
//! - `weightLogInfo_merged.csv`: `Date`, `WeightKg`, `Fat` (per cent, often empty).
//!
//! There is no zone, no resting heart rate, no heart-rate variability and no workout.

use crate::batch::{Importer, fault};
use crate::error::ImportError;
use crate::format::{Columns, FormatReader, Gives, Reading as Read};
use crate::readings::{Place, Reading};
use crate::report::{RejectReason, SkipReason};
use crate::sample::Confidence;
use crate::table::{Fault, Row, Table};
use crate::time::{DateOrder, Stamp, read as read_time};
use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use vitalcast_domain::MetricType as M;
use vitalcast_domain::{MetricType, Moment, Profile, ReadingKind, Unit, UserId, Zone};

/// The trackers are Fitbit's.
const SOURCE: &str = "fitbit";
/// Sedentary minutes of a day on which the tracker was not worn.
const NOT_WORN: f64 = 1_440.0;
/// Weights that are believed, kg.
const WEIGHTS: std::ops::RangeInclusive<f64> = 20.0..=400.0;

/// Tables of Fitabase.
pub(crate) static READER: FormatReader = FormatReader {
    word: "fitabase",
    title: "Fitabase",
    export: "An export of a Fitabase study, or a published one: `dailyActivity_merged.csv`, \
             `sleepDay_merged.csv`, `weightLogInfo_merged.csv`. Each `Id` is a person.",
    gives: &[
        Gives {
            what: "STEPS, TOTAL_CALORIES, LIGHT_ACTIVITY_MINUTES, MODERATE_ACTIVITY_MINUTES, \
                   VIGOROUS_ACTIVITY_MINUTES, SEDENTARY_MINUTES, EXERCISE_MINUTES",
            from: "`dailyActivity_merged.csv`",
            unit: "count, kcal, minutes",
            note: "the last day of a person is a total so far",
        },
        Gives {
            what: "SLEEP_DURATION, TIME_IN_BED",
            from: "`sleepDay_merged.csv`",
            unit: "minutes",
            note: "of the day of waking; the times of the night are not known",
        },
        Gives {
            what: "BODY_FAT_PERCENTAGE, weight of the profile",
            from: "`weightLogInfo_merged.csv`",
            unit: "per cent, kg",
            note: "the latest weight, for a new person",
        },
    ],
    recognises: |sample| Confidence::certain_if(sample.is_table(|names| Kind::of(names).is_some())),
    read: Read::Together(read),
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Activity,
    Sleep,
    Weight,
}

impl Kind {
    fn of(columns: &Columns<'_>) -> Option<Self> {
        if columns.has_all(&["Id", "ActivityDate", "TotalSteps"]) {
            Some(Self::Activity)
        } else if columns.has_all(&["Id", "SleepDay", "TotalMinutesAsleep"]) {
            Some(Self::Sleep)
        } else if columns.has_all(&["Id", "Date", "WeightKg"]) {
            Some(Self::Weight)
        } else {
            None
        }
    }
}

const STEPS: usize = 0;
const SEDENTARY: usize = 5;
/// Columns of a day's activity.
const ACTIVITY: [(&str, MetricType); 6] = [
    ("TotalSteps", M::Steps),
    ("Calories", M::TotalCalories),
    ("VeryActiveMinutes", M::VigorousActivityMinutes),
    ("FairlyActiveMinutes", M::ModerateActivityMinutes),
    ("LightlyActiveMinutes", M::LightActivityMinutes),
    ("SedentaryMinutes", M::SedentaryMinutes),
];

/// A day of activity: the place of its row, and the cells of [`ACTIVITY`].
struct Day<'f> {
    place: Place<'f>,
    cells: [Option<f64>; ACTIVITY.len()],
}

impl Day<'_> {
    /// Minutes of the day that the row covers.
    fn minutes(&self) -> f64 {
        self.cells[2..].iter().flatten().sum()
    }

    fn is_worn(&self) -> bool {
        self.cells[STEPS].is_some_and(|steps| steps > 0.0)
            || self.cells[SEDENTARY].is_none_or(|minutes| minutes < NOT_WORN)
    }
}

/// Minutes asleep and in bed.
type Sleep = (Option<f64>, Option<f64>);

/// A weight in kilograms and body fat in per cent.
type Weight<'f> = (Place<'f>, Option<f64>, Option<f64>);

/// What the tables say, by person and day.
#[derive(Default)]
struct Study<'f> {
    days: BTreeMap<(UserId, NaiveDate), Day<'f>>,
    sleeps: BTreeMap<(UserId, NaiveDate), (Place<'f>, Sleep)>,
    weights: BTreeMap<(UserId, NaiveDateTime), Weight<'f>>,
}

fn read(importer: &mut Importer<'_>, files: &[PathBuf]) -> Result<(), ImportError> {
    let mut study = Study::default();
    for file in files {
        importer.attempt(|importer| study.read(importer, file))?;
    }
    let zone = importer.options.zone.or(importer.options.assumed_zone);
    let mut people: BTreeMap<UserId, Option<f64>> = BTreeMap::new();
    for (user, _) in study.days.keys().chain(study.sleeps.keys()) {
        people.entry(user.clone()).or_default();
    }
    for ((user, _), (_, weight, _)) in &study.weights {
        let known = people.entry(user.clone()).or_default();
        *known = weight.filter(|weight| WEIGHTS.contains(weight)).or(*known);
    }
    for (user, weight_kg) in people {
        let profile = Profile {
            zone: zone.unwrap_or(Zone::UTC),
            weight_kg,
            ..Profile::default()
        };
        importer.person_with(&user, &profile)?;
    }
    study.finish(importer)
}

impl<'f> Study<'f> {
    fn read(&mut self, importer: &mut Importer<'_>, file: &'f Path) -> Result<(), ImportError> {
        let mut table = Table::open(file, &READER)?;
        let user = table.required(&["Id"])?;
        let date = table.required(&["ActivityDate", "SleepDay", "Date"])?;
        let activity = ACTIVITY.map(|(name, _)| table.column(&[name]));
        let asleep = table.column(&["TotalMinutesAsleep"]);
        let in_bed = table.column(&["TotalTimeInBed"]);
        let (weight, fat) = (table.column(&["WeightKg"]), table.column(&["Fat"]));
        while let Some(row) = table.next(importer)? {
            let place = Place {
                file,
                line: row.line(),
            };
            let read = (|| -> Result<Option<bool>, Fault> {
                let user = UserId::new(row.text(Some(user))).map_err(|error| fault(&error))?;
                if !importer.wants(&user) {
                    return Ok(None);
                }
                let at = time(&row, date)?;
                let key = (user.clone(), at.date());
                Ok(Some(if activity[STEPS].is_some() {
                    let mut cells = [None; ACTIVITY.len()];
                    for ((cell, column), (name, _)) in cells.iter_mut().zip(activity).zip(ACTIVITY)
                    {
                        *cell = row.number(column, name)?;
                    }
                    self.add_day(key, Day { place, cells })
                } else if asleep.is_some() {
                    let sleep = (
                        row.number(asleep, "TotalMinutesAsleep")?,
                        row.number(in_bed, "TotalTimeInBed")?,
                    );
                    self.sleeps.insert(key, (place, sleep)).is_none()
                } else {
                    let weight = row.number(weight, "WeightKg")?;
                    let fat = row.number(fat, "Fat")?;
                    self.weights
                        .insert((user, at), (place, weight, fat))
                        .is_none()
                }))
            })();
            match read {
                Ok(Some(true)) => {}
                Ok(Some(false)) => importer.skip(SkipReason::Repeated),
                Ok(None) => importer.skip(SkipReason::OtherUser),
                Err(fault) => importer.reject(place.reject(fault))?,
            }
        }
        Ok(())
    }

    /// Adds a day; whether it is new.
    fn add_day(&mut self, key: (UserId, NaiveDate), day: Day<'f>) -> bool {
        match self.days.get_mut(&key) {
            Some(known) => {
                if known.minutes() < day.minutes() {
                    *known = day;
                }
                false
            }
            None => {
                self.days.insert(key, day);
                true
            }
        }
    }

    fn finish(self, importer: &mut Importer<'_>) -> Result<(), ImportError> {
        let mut last: BTreeMap<UserId, NaiveDate> = BTreeMap::new();
        for (user, day) in self.days.keys() {
            last.insert(user.clone(), *day);
        }
        for ((user, date), day) in &self.days {
            if !day.is_worn() {
                importer.skip(SkipReason::NotWorn);
                continue;
            }
            let kind = if last.get(user) == Some(date) {
                ReadingKind::RunningTotal
            } else {
                ReadingKind::DayTotal
            };
            let [steps, _, vigorous, moderate, ..] = day.cells;
            let exercise = vigorous.zip(moderate).map(|(one, other)| one + other);
            let values = ACTIVITY
                .iter()
                .zip(day.cells)
                .map(|((_, metric), cell)| (*metric, cell));
            for (metric, value) in values.chain([(M::ExerciseMinutes, exercise)]) {
                let value = value.filter(|_| metric != M::Steps || steps != Some(0.0));
                let Some(value) = value else {
                    importer.skip(SkipReason::Missing);
                    continue;
                };
                let reading = Reading::of_day(metric, value, metric.unit(), *date).kind(kind);
                importer.reading(user, SOURCE, day.place, reading)?;
            }
        }
        for ((user, day), (place, (asleep, in_bed))) in &self.sleeps {
            for (metric, minutes) in [(M::SleepDuration, asleep), (M::TimeInBed, in_bed)] {
                let Some(minutes) = minutes else {
                    importer.skip(SkipReason::Missing);
                    continue;
                };
                let name = metric.as_str().to_ascii_lowercase();
                let reading = Reading::of_morning(metric, *minutes, Unit::Minutes, *day);
                importer.reading(user, SOURCE, *place, reading.id(format!("{name}-{day}")))?;
            }
        }
        for ((user, at), (place, _, fat)) in &self.weights {
            let Some(fat) = fat else {
                importer.skip(SkipReason::Missing);
                continue;
            };
            let at = Moment::Clock(*at);
            let reading = Reading::at(M::BodyFatPercentage, *fat, Unit::Percent, at);
            importer.reading(user, SOURCE, *place, reading)?;
        }
        Ok(())
    }
}

/// A time with the month first.
fn time(row: &Row<'_>, column: usize) -> Result<NaiveDateTime, Fault> {
    match read_time(row.text(Some(column)), DateOrder::MonthFirst) {
        Ok(Stamp::Wall(wall)) => Ok(wall),
        Ok(Stamp::Day(day)) => Ok(day.and_time(NaiveTime::MIN)),
        Ok(Stamp::Instant(..)) | Err(_) => Err((
            RejectReason::BadTime,
            "the date is not a day, expected for example 4/12/2016".to_owned(),
        )),
    }
}
