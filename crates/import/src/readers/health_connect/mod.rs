//! Health Connect, the store of health data on Android: the database `health_connect_export.db` of its
//! export.
//!
//! Amounts and sessions have `start_time` and `end_time` in milliseconds since 1970, `start_zone_offset`
//! and `end_zone_offset` in seconds; measurements have `time` and `zone_offset`. These offsets are those
//! of the person's clock. Energy is in small calories, weights in grams; 5e-324 means "not given". Several
//! apps write the same steps: each is a source of its own, by the name of its package, and they are never
//! added up. There is no recovery score and no SDNN.

mod tables;

use crate::amounts::{HeartRates, kind_of_total};
use crate::batch::Importer;
use crate::dates::{minutes_of, no_time};
use crate::error::ImportError;
use crate::format::{FormatReader, Gives, Reading as Read};
use crate::readings::{Night, Place, Reading, shortened};
use crate::report::SkipReason;
use crate::sample::Confidence;
use crate::sleep::{Interval, Stage, nights};
use crate::sqlite::{Cells, Database};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use tables::{AMOUNTS, MEASUREMENTS, SMALL_CALORIES, exercise};
use vitalcast_domain::MetricType as M;
use vitalcast_domain::{
    Activity, Meal, MealType, MetricType, Moment, Profile, Provenance, Record, Told, Unit, UserId,
};

const SOURCE: &str = "health-connect";
/// Energy of a day that is believed to be all of it, kcal.
const WHOLE_DAY: std::ops::RangeInclusive<f64> = 800.0..=6_000.0;
/// A number below this was not given.
const NOT_GIVEN: f64 = 1e-9;
/// Weights that are believed, kg.
const WEIGHTS: std::ops::RangeInclusive<f64> = 20.0..=400.0;

/// An export of Health Connect.
pub(crate) static READER: FormatReader = FormatReader {
    word: "health-connect",
    title: "Health Connect",
    export: "Android settings, Health Connect, \"Backup and restore\" or \"Export data\": a zip file with \
             `health_connect_export.db`.",
    gives: &[
        Gives {
            what: "STEPS, ACTIVE_CALORIES",
            from: "`steps_record_table`, `active_calories_burned_record_table`",
            unit: "count, small calories",
            note: "added up by local day and app; each app is a source (`health-connect/<package>`)",
        },
        Gives {
            what: "TOTAL_CALORIES",
            from: "`total_calories_burned_record_table`",
            unit: "small calories",
            note: "only days of 800 to 6,000 kcal: others are parts of a day",
        },
        Gives {
            what: "RESTING_HEART_RATE, HEART_RATE_VARIABILITY_RMSSD, OXYGEN_SATURATION, RESPIRATORY_RATE, \
                   VO2_MAX, BODY_FAT_PERCENTAGE, BLOOD_PRESSURE_SYSTOLIC, BLOOD_PRESSURE_DIASTOLIC",
            from: "`resting_heart_rate_record_table`, `heart_rate_variability_rmssd_record_table` and the like",
            unit: "per minute, ms, per cent, mL/kg/min, mmHg",
            note: "samples; often empty",
        },
        Gives {
            what: "AVERAGE_HEART_RATE, LOWEST_HEART_RATE",
            from: "`heart_rate_record_series_table`",
            unit: "beats per minute",
            note: "means of half hours; the lowest is no resting heart rate",
        },
        Gives {
            what: "SLEEP_DURATION, DEEP_SLEEP_DURATION, REM_SLEEP_DURATION, AWAKE_DURATION, TIME_IN_BED, \
                   BEDTIME, WAKE_TIME",
            from: "`sleep_session_record_table`, `sleep_stages_table`",
            unit: "milliseconds since 1970",
            note: "a session without stages counts as sleep from its start to its end",
        },
        Gives {
            what: "activities",
            from: "`exercise_session_record_table`",
            unit: "–",
            note: "type and times",
        },
        Gives {
            what: "meals",
            from: "`nutrition_record_table`",
            unit: "small calories, g",
            note: "5e-324 means that a nutrient was not given",
        },
        Gives {
            what: "weight of the profile",
            from: "`weight_record_table`",
            unit: "g",
            note: "the latest one, for a new person",
        },
    ],
    recognises: |sample| {
        Confidence::certain_if(
            sample.has_sqlite_table("steps_record_table")
                || sample.has_sqlite_table("sleep_session_record_table"),
        )
    },
    read: Read::Each(read),
};

fn read(importer: &mut Importer<'_>, path: &Path) -> Result<(), ImportError> {
    let database = Database::open(path)?;
    let mut apps: HashMap<i64, String> = HashMap::new();
    let columns = ["row_id", "package_name", "app_name"];
    database.each(
        importer,
        "application_info_table",
        &columns,
        "row_id",
        |_, _, row| {
            if let (Some(id), Some(name)) = (row.whole(0), row.text(1).or_else(|| row.text(2))) {
                apps.insert(id, shortened(&format!("{SOURCE}/{name}")));
            }
            Ok(())
        },
    )?;
    let mut weight: Option<f64> = None;
    database.each(
        importer,
        "weight_record_table",
        &["weight"],
        "time",
        |importer, _, row| {
            let kilograms = row.number(0).map(|grams| grams / 1_000.0);
            match kilograms.filter(|kilograms| WEIGHTS.contains(kilograms)) {
                Some(kilograms) => weight = Some(kilograms),
                None => importer.skip(SkipReason::Missing),
            }
            Ok(())
        },
    )?;
    let user = importer.owner_like(path, |profile| profile.weight_kg = weight)?;
    let export = Export {
        profile: importer.profile_of(&user),
        database,
        apps,
        user,
    };
    for (table, column, metric, scale) in AMOUNTS {
        export.amounts(importer, (table, column), metric, scale)?;
    }
    for (table, column, metric, unit) in MEASUREMENTS {
        export.measurements(importer, (table, column), metric, unit)?;
    }
    export.heart_rates(importer, path)?;
    export.sleep(importer)?;
    export.exercises(importer)?;
    export.meals(importer)?;
    importer.progress(path, u64::MAX)
}

struct Export<'p> {
    profile: Profile,
    database: Database<'p>,
    apps: HashMap<i64, String>,
    user: UserId,
}

impl<'p> Export<'p> {
    /// The source of a row, by the number of its app; apps without a name are told apart by it.
    fn source(&self, app: Option<i64>) -> Cow<'_, str> {
        match app.map(|app| self.apps.get(&app).ok_or(app)) {
            Some(Ok(name)) => Cow::Borrowed(name),
            Some(Err(app)) => Cow::Owned(format!("{SOURCE}/app {app}")),
            None => Cow::Borrowed(SOURCE),
        }
    }

    fn amounts(
        &self,
        importer: &mut Importer<'_>,
        (table, column): (&str, &str),
        metric: MetricType,
        scale: f64,
    ) -> Result<(), ImportError> {
        let columns = [
            "start_time",
            "start_zone_offset",
            "local_date",
            "app_info_id",
            column,
            "end_time",
        ];
        let mut sums: BTreeMap<(NaiveDate, Option<i64>), (f64, Place<'p>)> = BTreeMap::new();
        let mut last: Option<DateTime<Utc>> = None;
        self.database.each(
            importer,
            table,
            &columns,
            "start_time",
            |importer, place, row| {
                let Some(at) = row.millis(0) else {
                    return importer.reject(place.reject(no_time()));
                };
                let Some(value) = row.number(4).filter(|value| *value >= 0.0) else {
                    importer.skip(SkipReason::Missing);
                    return Ok(());
                };
                // A time in the future is damage, and no end of the export.
                let end = row.millis(5).unwrap_or(at);
                last = last.max(Some(end).filter(|end| *end <= importer.options.now));
                let day = self.day(at, row.whole(1), row.whole(2));
                let sum = sums.entry((day, row.whole(3))).or_insert((0.0, place));
                sum.0 += value / scale;
                Ok(())
            },
        )?;
        let now = importer.options.now;
        let today = self.profile.day_of(last.map_or(now, |last| last.min(now)));
        for ((day, app), (sum, place)) in sums {
            let is_part = metric == M::TotalCalories && !WHOLE_DAY.contains(&sum);
            if is_part {
                importer.skip(SkipReason::Missing);
                importer.note(
                    "Health Connect: days with total calories outside of 800 to 6,000 kcal are parts of a \
                     day and left out"
                        .to_owned(),
                );
                continue;
            }
            let kind = kind_of_total(day, today);
            let reading = Reading::of_day(metric, sum, metric.unit(), day).kind(kind);
            importer.reading(&self.user, &self.source(app), place, reading)?;
        }
        Ok(())
    }

    /// The local day of a time: with its offset, else as it was said, else in the person's zone.
    fn day(&self, at: DateTime<Utc>, offset: Option<i64>, said: Option<i64>) -> NaiveDate {
        let local = offset_of(offset)
            .and_then(|offset| at.checked_add_signed(TimeDelta::seconds(i64::from(offset))));
        let said = || {
            let days = i32::try_from(said?).ok()?;
            NaiveDate::default().checked_add_signed(TimeDelta::try_days(i64::from(days))?)
        };
        local
            .map(|local| local.date_naive())
            .or_else(said)
            .unwrap_or_else(|| self.profile.day_of(at))
    }

    fn measurements(
        &self,
        importer: &mut Importer<'_>,
        (table, column): (&str, &str),
        metric: MetricType,
        unit: Unit,
    ) -> Result<(), ImportError> {
        let columns = [
            "time",
            "zone_offset",
            "app_info_id",
            "uuid",
            "last_modified_time",
            column,
        ];
        self.database
            .each(importer, table, &columns, "time", |importer, place, row| {
                let Some(at) = moment(row, 0, 1) else {
                    return importer.reject(place.reject(no_time()));
                };
                let Some(value) = row.number(5) else {
                    importer.skip(SkipReason::Missing);
                    return Ok(());
                };
                let mut reading = Reading::at(metric, value, unit, at).updated(row.millis(4));
                if let Some(id) = row.text(3) {
                    let name = metric.as_str().to_ascii_lowercase();
                    reading = reading.id(format!("{name}-{id}"));
                }
                importer.reading(&self.user, &self.source(row.whole(2)), place, reading)
            })
    }

    fn heart_rates(&self, importer: &mut Importer<'_>, path: &Path) -> Result<(), ImportError> {
        let mut apps: HashMap<i64, Option<i64>> = HashMap::new();
        let columns = ["row_id", "app_info_id"];
        let table = "heart_rate_record_table";
        self.database
            .each(importer, table, &columns, "row_id", |_, _, row| {
                if let Some(id) = row.whole(0) {
                    apps.insert(id, row.whole(1));
                }
                Ok(())
            })?;
        let mut rates: BTreeMap<Cow<'_, str>, HeartRates> = BTreeMap::new();
        let columns = ["parent_key", "beats_per_minute", "epoch_millis"];
        let table = "heart_rate_record_series_table";
        self.database
            .each(importer, table, &columns, "", |importer, place, row| {
                let Some(at) = row.millis(2) else {
                    return importer.reject(place.reject(no_time()));
                };
                let app = row.whole(0).and_then(|id| apps.get(&id).copied().flatten());
                match row.number(1) {
                    Some(rate) => rates.entry(self.source(app)).or_default().add(at, rate),
                    None => importer.skip(SkipReason::Missing),
                }
                Ok(())
            })?;
        for (source, rates) in rates {
            let place = Place {
                file: path,
                line: 1,
            };
            rates.finish(importer, &self.user, &source, place)?;
        }
        Ok(())
    }

    fn sleep(&self, importer: &mut Importer<'_>) -> Result<(), ImportError> {
        let mut stages: HashMap<i64, Vec<Interval>> = HashMap::new();
        let columns = [
            "parent_key",
            "stage_start_time",
            "stage_end_time",
            "stage_type",
        ];
        self.database.each(
            importer,
            "sleep_stages_table",
            &columns,
            "parent_key",
            |importer, place, row| {
                let (Some(parent), Some(start), Some(end)) =
                    (row.whole(0), row.millis(1), row.millis(2))
                else {
                    return importer.reject(place.reject(no_time()));
                };
                let stage = match row.whole(3) {
                    Some(1 | 3 | 7) => Stage::Awake,
                    Some(2) => Stage::Asleep,
                    Some(4) => Stage::Light,
                    Some(5) => Stage::Deep,
                    Some(6) => Stage::Rem,
                    Some(_) | None => {
                        importer.skip(SkipReason::Missing);
                        return Ok(());
                    }
                };
                stages.entry(parent).or_default().push(Interval {
                    start,
                    end,
                    stage,
                    offset_seconds: None,
                });
                Ok(())
            },
        )?;
        let columns = [
            "start_time",
            "start_zone_offset",
            "end_time",
            "end_zone_offset",
            "app_info_id",
            "uuid",
            "last_modified_time",
            "row_id",
        ];
        let table = "sleep_session_record_table";
        self.database.each(
            importer,
            table,
            &columns,
            "start_time",
            |importer, place, row| {
                let times = (
                    row.millis(0),
                    row.millis(2),
                    moment(row, 0, 1),
                    moment(row, 2, 3),
                );
                let (Some(start), Some(end), Some(from), Some(to)) = times else {
                    return importer.reject(place.reject(no_time()));
                };
                let minutes = minutes_of(end - start);
                let parts = row.whole(7).and_then(|id| stages.remove(&id));
                let id = row.text(5).unwrap_or_else(|| from.id());
                let mut night = Night {
                    in_bed: Some(minutes),
                    updated_at: row.millis(6),
                    ..Night::new(id, from, Some(to))
                };
                match parts {
                    None => night.asleep = Some(minutes),
                    Some(parts) => {
                        let add = |sum: &mut Option<f64>, more: Option<f64>| {
                            if let Some(more) = more {
                                *sum = Some(sum.unwrap_or(0.0) + more);
                            }
                        };
                        for part in nights(parts) {
                            add(&mut night.asleep, part.asleep);
                            add(&mut night.deep, part.deep);
                            add(&mut night.rem, part.rem);
                            add(&mut night.awake, part.awake);
                        }
                    }
                }
                if night.asleep.is_none() {
                    importer.skip(SkipReason::Missing);
                    return Ok(());
                }
                importer.night(&self.user, &self.source(row.whole(4)), place, &night)
            },
        )
    }

    fn exercises(&self, importer: &mut Importer<'_>) -> Result<(), ImportError> {
        let columns = [
            "start_time",
            "start_zone_offset",
            "end_time",
            "end_zone_offset",
            "app_info_id",
            "uuid",
            "last_modified_time",
            "exercise_type",
        ];
        let table = "exercise_session_record_table";
        self.database.each(
            importer,
            table,
            &columns,
            "start_time",
            |importer, place, row| {
                let Some(at) = moment(row, 0, 1) else {
                    return importer.reject(place.reject(no_time()));
                };
                let told = Told {
                    until: moment(row, 2, 3),
                    updated_at: row.millis(6),
                    ..Told::at(at)
                };
                let minutes = row.millis(2).zip(row.millis(0));
                let minutes = minutes.map(|(end, start)| minutes_of(end - start));
                let activity = Activity {
                    provenance: self.provenance(row, 4, 5, told),
                    activity_type: exercise(row.whole(7)),
                    intensity: None,
                    duration_minutes: minutes.filter(|minutes| *minutes >= 0.0),
                    energy_kcal: None,
                    average_heart_rate: None,
                    max_heart_rate: None,
                    distance_m: None,
                    steps: None,
                };
                importer.checked(&self.user, place, Record::Activity(activity))
            },
        )
    }

    fn meals(&self, importer: &mut Importer<'_>) -> Result<(), ImportError> {
        let columns = [
            "start_time",
            "start_zone_offset",
            "app_info_id",
            "uuid",
            "last_modified_time",
            "meal_type",
            "meal_name",
            "energy",
            "protein",
            "total_carbohydrate",
            "total_fat",
            "dietary_fiber",
            "sugar",
        ];
        let table = "nutrition_record_table";
        self.database.each(
            importer,
            table,
            &columns,
            "start_time",
            |importer, place, row| {
                let Some(at) = moment(row, 0, 1) else {
                    return importer.reject(place.reject(no_time()));
                };
                let told = Told {
                    updated_at: row.millis(4),
                    ..Told::at(at)
                };
                let given = |column| row.number(column).filter(|value| value.abs() > NOT_GIVEN);
                let meal = Meal {
                    provenance: self.provenance(row, 2, 3, told),
                    name: row.text(6).map(|name| shortened(&name)),
                    meal_type: match row.whole(5) {
                        Some(1) => Some(MealType::Breakfast),
                        Some(2) => Some(MealType::Lunch),
                        Some(3) => Some(MealType::Dinner),
                        Some(4) => Some(MealType::Snack),
                        Some(_) | None => None,
                    },
                    energy_kcal: given(7).map(|energy| energy / SMALL_CALORIES),
                    protein_g: given(8),
                    carbs_g: given(9),
                    fat_g: given(10),
                    fiber_g: given(11),
                    sugar_g: given(12),
                };
                if (7..13).all(|column| given(column).is_none()) {
                    importer.skip(SkipReason::NothingEaten);
                    return Ok(());
                }
                importer.checked(&self.user, place, Record::Meal(meal))
            },
        )
    }

    fn provenance(&self, row: &Cells<'_>, app: usize, id: usize, told: Told) -> Provenance {
        let id = row.text(id).unwrap_or_else(|| told.at.id());
        Provenance::told(self.source(row.whole(app)), shortened(&id), told)
    }
}

/// An offset that a clock can have, seconds.
fn offset_of(offset: Option<i64>) -> Option<i32> {
    let offset = i32::try_from(offset?).ok()?;
    (offset.abs() <= 18 * 3_600).then_some(offset)
}

fn moment(row: &Cells<'_>, time: usize, offset: usize) -> Option<Moment> {
    Some(Moment::Instant {
        at: row.millis(time)?,
        offset_seconds: offset_of(row.whole(offset)),
    })
}
