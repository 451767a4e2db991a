//! Rows of the tables, collected until all of an export is read.

use super::cells::{COLUMNS, Cells, Time, exercise};
use super::{Kind, READER, SOURCE, names};
use crate::amounts::HeartRates;
use crate::batch::Importer;
use crate::dates::{minutes_of, no_time, utc};
use crate::error::ImportError;
use crate::format::Columns;
use crate::loose;
use crate::objects::each_object;
use crate::readings::{Night, Place, Reading, shortened};
use crate::report::{RejectReason, SkipReason};
use crate::sleep::{Interval, Stage, nights};
use crate::table::{Fault, Table};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use vitalcast_domain::MetricType as M;
use vitalcast_domain::{
    Activity, Meal, MealType, MetricType, Moment, Provenance, ReadingKind, Record, Unit, UserId,
};

/// Steps of all devices together.
const ALL_DEVICES: f64 = -2.0;
/// Fewest heart rates of a night of which the lowest is believed.
const FEWEST_RATES: usize = 3;
/// Weights that are believed, kg.
const WEIGHTS: std::ops::RangeInclusive<f64> = 20.0..=400.0;
/// Hours from an evening to the next day, to which its night belongs.
const EVENING_HOURS: i64 = 6;

/// A sleep session.
#[derive(Debug)]
struct Session<'f> {
    place: Place<'f>,
    start: Time,
    end: Time,
    score: Option<f64>,
    efficiency: Option<f64>,
    updated_at: Option<DateTime<Utc>>,
}

/// A window of heart-rate variability.
#[derive(Deserialize)]
struct Window {
    #[serde(default, deserialize_with = "loose::number")]
    start_time: Option<f64>,
    #[serde(default, deserialize_with = "loose::number")]
    sdnn: Option<f64>,
    #[serde(default, deserialize_with = "loose::number")]
    rmssd: Option<f64>,
}

/// What the files of an export say.
#[derive(Default)]
pub(super) struct Export<'f> {
    sessions: BTreeMap<String, Session<'f>>,
    stages: BTreeMap<String, Vec<Interval>>,
    first_stage: Option<Place<'f>>,
    /// Steps by day, and whether they are those of all devices.
    steps: BTreeMap<NaiveDate, (bool, f64, Place<'f>)>,
    energy: BTreeMap<NaiveDate, (Option<f64>, Option<f64>, Place<'f>)>,
    rates: Vec<(Time, f64, Place<'f>)>,
    windows: Vec<(DateTime<Utc>, MetricType, f64, Place<'f>)>,
    weight: Option<(DateTime<Utc>, f64)>,
    readings: Vec<(Place<'f>, Reading)>,
    records: Vec<(Place<'f>, Record)>,
    /// Single foods, which count on days without nutrients of meals.
    foods: Vec<(Place<'f>, Meal)>,
    meal_days: BTreeSet<NaiveDate>,
}

impl<'f> Export<'f> {
    pub(super) fn read(
        &mut self,
        importer: &mut Importer<'_>,
        file: &'f Path,
        kind: Kind,
    ) -> Result<(), ImportError> {
        if kind == Kind::Hrv {
            return self.read_windows(importer, file);
        }
        let mut table = Table::open(file, &READER)?;
        let columns = COLUMNS.map(|name| {
            let names = names(name);
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            (name, table.column(&names))
        });
        while let Some(row) = table.next(importer)? {
            let place = Place {
                file,
                line: row.line(),
            };
            let cells = Cells {
                row: &row,
                columns: &columns,
            };
            match self.add(kind, place, &cells) {
                Ok(None) => {}
                Ok(Some(reason)) => importer.skip(reason),
                Err(fault) => importer.reject(place.reject(fault))?,
            }
        }
        Ok(())
    }

    /// Adds a row, or says why it is left out.
    fn add(
        &mut self,
        kind: Kind,
        place: Place<'f>,
        cells: &Cells<'_, '_>,
    ) -> Result<Option<SkipReason>, Fault> {
        match kind {
            Kind::Sleep => self.add_sleep(place, cells),
            Kind::Stages => self.add_stage(place, cells),
            Kind::StepTrend => {
                if cells.number("source_type")? != Some(ALL_DEVICES) {
                    return Ok(Some(SkipReason::Repeated));
                }
                self.add_steps(place, cells, "count", true)
            }
            Kind::Pedometer => self.add_steps(place, cells, "step_count", false),
            Kind::Calories => {
                let energy = (
                    cells.number("rest_calorie")?,
                    cells.number("active_calorie")?,
                    place,
                );
                let known = self.energy.insert(cells.day()?, energy);
                Ok(known.map(|_| SkipReason::Repeated))
            }
            Kind::HeartRate => {
                let Some(rate) = cells.positive("heart_rate")? else {
                    return Ok(Some(SkipReason::Missing));
                };
                self.rates.push((cells.time("start_time")?, rate, place));
                Ok(None)
            }
            Kind::Weight => {
                let at = cells.time("start_time")?;
                let weight = cells.number("weight")?;
                if let Some(weight) = weight.filter(|weight| WEIGHTS.contains(weight))
                    && self.weight.is_none_or(|known| known.0 <= at.at)
                {
                    self.weight = Some((at.at, weight));
                }
                self.add_reading(
                    place,
                    cells,
                    "body_fat",
                    M::BodyFatPercentage,
                    Unit::Percent,
                )
            }
            Kind::Exercise => self.add_exercise(place, cells),
            Kind::Nutrition | Kind::Food => self.add_meal(kind, place, cells),
            Kind::Saturation => {
                self.add_reading(place, cells, "spo2", M::OxygenSaturation, Unit::Percent)
            }
            Kind::Breathing => {
                self.add_reading(place, cells, "average", M::RespiratoryRate, Unit::PerMinute)
            }
            Kind::Temperature => self.add_reading(
                place,
                cells,
                "temperature",
                M::SkinTemperature,
                Unit::Celsius,
            ),
            Kind::Hrv => Ok(None),
        }
    }

    fn add_sleep(
        &mut self,
        place: Place<'f>,
        cells: &Cells<'_, '_>,
    ) -> Result<Option<SkipReason>, Fault> {
        // A row without a duration is a goal, if the table has the column.
        let has_duration = cells.column("sleep_duration").is_some();
        if has_duration && cells.positive("sleep_duration")?.is_none() {
            return Ok(Some(SkipReason::Missing));
        }
        let (start, end) = (cells.time("start_time")?, cells.time("end_time")?);
        if end.at <= start.at || end.at - start.at > TimeDelta::days(1) {
            let message = "a sleep ends before it begins, or lasts more than a day".to_owned();
            return Err((RejectReason::Reversed, message));
        }
        let session = Session {
            place,
            start,
            end,
            score: cells.positive("sleep_score")?,
            efficiency: cells.positive("efficiency")?,
            updated_at: utc(cells.text("update_time")),
        };
        let known = self.sessions.insert(cells.id(start), session);
        Ok(known.map(|_| SkipReason::Repeated))
    }

    fn add_stage(
        &mut self,
        place: Place<'f>,
        cells: &Cells<'_, '_>,
    ) -> Result<Option<SkipReason>, Fault> {
        let (start, end) = (cells.time("start_time")?, cells.time("end_time")?);
        let code = cells.number("stage")?.map(|code| code as i64);
        let stage = match code {
            Some(40_001) => Stage::Awake,
            Some(40_002) => Stage::Light,
            Some(40_003) => Stage::Deep,
            Some(40_004) => Stage::Rem,
            Some(_) | None => return Ok(Some(SkipReason::Missing)),
        };
        self.first_stage.get_or_insert(place);
        let stages = self.stages.entry(cells.text("sleep_id").to_owned());
        stages.or_default().push(Interval {
            start: start.at,
            end: end.at,
            stage,
            offset_seconds: start.offset_seconds,
        });
        Ok(None)
    }

    fn add_steps(
        &mut self,
        place: Place<'f>,
        cells: &Cells<'_, '_>,
        name: &str,
        is_merged: bool,
    ) -> Result<Option<SkipReason>, Fault> {
        let day = cells.day()?;
        let Some(count) = cells.number(name)? else {
            return Ok(Some(SkipReason::Missing));
        };
        let known = self.steps.get(&day);
        if known.is_some_and(|known| (known.0, known.1) >= (is_merged, count)) {
            return Ok(Some(SkipReason::Repeated));
        }
        self.steps.insert(day, (is_merged, count, place));
        Ok(None)
    }

    fn add_reading(
        &mut self,
        place: Place<'f>,
        cells: &Cells<'_, '_>,
        name: &str,
        metric: MetricType,
        unit: Unit,
    ) -> Result<Option<SkipReason>, Fault> {
        let at = cells.time("start_time")?;
        let Some(value) = cells.positive(name)? else {
            return Ok(Some(SkipReason::Missing));
        };
        let word = metric.as_str().to_ascii_lowercase();
        let reading = Reading::at(metric, value, unit, at.moment())
            .id(format!("{word}-{}", cells.id(at)))
            .updated(utc(cells.text("update_time")));
        self.readings.push((place, reading));
        Ok(None)
    }

    fn add_exercise(
        &mut self,
        place: Place<'f>,
        cells: &Cells<'_, '_>,
    ) -> Result<Option<SkipReason>, Fault> {
        let start = cells.time("start_time")?;
        let duration = cells.positive("duration")?;
        let end = cells.time("end_time").ok().or_else(|| {
            let length = TimeDelta::try_milliseconds(duration? as i64)?;
            let at = start.at.checked_add_signed(length)?;
            Some(Time { at, ..start })
        });
        let told = cells.told(start, end.filter(|end| end.at > start.at));
        let activity = Activity {
            provenance: Provenance::told(SOURCE, cells.id(start), told),
            activity_type: exercise(cells.number("exercise_type")?),
            intensity: None,
            duration_minutes: duration.map(|duration| duration / 60_000.0),
            energy_kcal: cells.positive("calorie")?,
            average_heart_rate: cells.positive("mean_heart_rate")?,
            max_heart_rate: cells.positive("max_heart_rate")?,
            distance_m: cells.positive("distance")?,
            steps: None,
        };
        self.records.push((place, Record::Activity(activity)));
        Ok(None)
    }

    fn add_meal(
        &mut self,
        kind: Kind,
        place: Place<'f>,
        cells: &Cells<'_, '_>,
    ) -> Result<Option<SkipReason>, Fault> {
        let at = cells.time("start_time")?;
        let name = match cells.text("title") {
            "" => cells.text("name"),
            title => title,
        };
        let word = if kind == Kind::Food { "food" } else { "meal" };
        let meal = Meal {
            provenance: Provenance::told(
                SOURCE,
                shortened(&format!("{word}-{}", cells.id(at))),
                cells.told(at, None),
            ),
            name: Some(shortened(name)).filter(|name| !name.is_empty()),
            meal_type: match cells.number("meal_type")?.map(|code| code as i64) {
                Some(100_001) => Some(MealType::Breakfast),
                Some(100_002) => Some(MealType::Lunch),
                Some(100_003) => Some(MealType::Dinner),
                Some(100_004..=100_006) => Some(MealType::Snack),
                Some(_) | None => None,
            },
            energy_kcal: cells.number("calorie")?,
            protein_g: cells.number("protein")?,
            carbs_g: cells.number("carbohydrate")?,
            fat_g: cells.number("total_fat")?,
            fiber_g: cells.number("dietary_fiber")?,
            sugar_g: cells.number("sugar")?,
        };
        let nutrients = [meal.energy_kcal, meal.protein_g, meal.carbs_g, meal.fat_g];
        if nutrients
            .iter()
            .all(|value| value.is_none_or(|value| value <= 0.0))
        {
            return Ok(Some(SkipReason::NothingEaten));
        }
        if kind == Kind::Food {
            self.foods.push((place, meal));
        } else {
            self.meal_days.insert(meal.provenance.day);
            self.records.push((place, Record::Meal(meal)));
        }
        Ok(None)
    }

    fn read_windows(
        &mut self,
        importer: &mut Importer<'_>,
        file: &'f Path,
    ) -> Result<(), ImportError> {
        let known = |columns: &Columns<'_>| columns.has_all(&["sdnn", "rmssd"]);
        each_object(importer, file, &known, |importer, place, window: Window| {
            let at = window.start_time.map(|millis| millis as i64);
            let at = at.and_then(DateTime::from_timestamp_millis);
            // A year with which one can calculate.
            let at = at.filter(|at| importer.check_time(*at).is_ok());
            let Some(at) = at else {
                return importer.reject(place.reject(no_time()));
            };
            for (metric, value) in [
                (M::HeartRateVariabilitySdnn, window.sdnn),
                (M::HeartRateVariabilityRmssd, window.rmssd),
            ] {
                match value.filter(|value| *value > 0.0) {
                    Some(value) => self.windows.push((at, metric, value, place)),
                    None => importer.skip(SkipReason::Missing),
                }
            }
            Ok(())
        })
    }

    /// The latest weight.
    pub(super) fn weight(&self) -> Option<f64> {
        self.weight.map(|(_, weight)| weight)
    }

    pub(super) fn finish(
        mut self,
        importer: &mut Importer<'_>,
        user: &UserId,
    ) -> Result<(), ImportError> {
        // The last day of an export may not be over.
        let last = self.steps.keys().chain(self.energy.keys()).max().copied();
        let kind = |day: NaiveDate| {
            if Some(day) < last {
                ReadingKind::DayTotal
            } else {
                ReadingKind::RunningTotal
            }
        };
        for (day, (_, count, place)) in &self.steps {
            let reading = Reading::of_day(M::Steps, *count, Unit::Count, *day).kind(kind(*day));
            importer.reading(user, SOURCE, *place, reading)?;
        }
        for (day, (rest, active, place)) in &self.energy {
            let total = rest.map(|rest| rest + active.unwrap_or(0.0));
            for (metric, value) in [(M::TotalCalories, total), (M::ActiveCalories, *active)] {
                let Some(value) = value else {
                    importer.skip(SkipReason::Missing);
                    continue;
                };
                let reading =
                    Reading::of_day(metric, value, Unit::Kilocalories, *day).kind(kind(*day));
                importer.reading(user, SOURCE, *place, reading)?;
            }
        }
        let sessions = self.finish_sleep(importer, user)?;
        self.finish_rates(importer, user, &sessions)?;
        self.finish_windows(importer, user)?;
        for (place, reading) in self.readings {
            importer.reading(user, SOURCE, place, reading)?;
        }
        for (place, record) in self.records {
            importer.checked(user, place, record)?;
        }
        for (place, food) in self.foods {
            if self.meal_days.contains(&food.provenance.day) {
                importer.skip(SkipReason::Repeated);
            } else {
                importer.checked(user, place, Record::Meal(food))?;
            }
        }
        Ok(())
    }

    /// Passes nights on, those of two devices once; their times, for the heart rates in them.
    fn finish_sleep(
        &mut self,
        importer: &mut Importer<'_>,
        user: &UserId,
    ) -> Result<Vec<(Time, Time)>, ImportError> {
        let alone: Vec<Interval> = self
            .stages
            .iter()
            .filter(|(id, _)| !self.sessions.contains_key(*id))
            .flat_map(|(_, stages)| stages.iter().copied())
            .collect();
        let mut found: Vec<(bool, String, Session<'f>)> = Vec::new();
        for (id, session) in std::mem::take(&mut self.sessions) {
            found.push((self.stages.contains_key(&id), id, session));
        }
        // Those with stages come first, then the longer ones.
        found.sort_by_key(|(has_stages, _, session)| {
            (!has_stages, session.start.at - session.end.at)
        });
        let mut taken: BTreeMap<DateTime<Utc>, (Time, Time)> = BTreeMap::new();
        for (has_stages, id, session) in found {
            let (start, end) = (session.start, session.end);
            let around = start.at - TimeDelta::days(1)..end.at;
            let overlaps = |(_, (from, to)): (&DateTime<Utc>, &(Time, Time))| {
                let both = end.at.min(to.at) - start.at.max(from.at);
                both * 2 > (end.at - start.at).min(to.at - from.at)
            };
            if taken.range(around).any(overlaps) {
                importer.skip(SkipReason::Repeated);
                continue;
            }
            taken.insert(start.at, (start, end));
            let in_bed = minutes_of(end.at - start.at);
            let mut night = Night {
                in_bed: Some(in_bed),
                score: session.score,
                efficiency: session.efficiency,
                updated_at: session.updated_at,
                ..Night::new(id.clone(), start.moment(), Some(end.moment()))
            };
            if has_stages {
                let add = |sum: &mut Option<f64>, more: Option<f64>| {
                    if let Some(more) = more {
                        *sum = Some(sum.unwrap_or(0.0) + more);
                    }
                };
                for part in nights(self.stages.remove(&id).unwrap_or_default()) {
                    add(&mut night.asleep, part.asleep);
                    add(&mut night.deep, part.deep);
                    add(&mut night.rem, part.rem);
                    add(&mut night.awake, part.awake);
                }
            } else {
                night.asleep = Some(in_bed);
                importer.note(
                    "Samsung Health: of nights without stages, the time in bed counts as sleep"
                        .to_owned(),
                );
            }
            importer.night(user, SOURCE, session.place, &night)?;
        }
        // Stages of which the session is in no table.
        for night in nights(alone) {
            let (Moment::Instant { at, .. }, Some(Moment::Instant { at: end, .. })) =
                (night.at, night.until)
            else {
                continue;
            };
            let is_taken = taken.values().any(|(from, to)| from.at < end && at < to.at);
            match self.first_stage.filter(|_| !is_taken) {
                Some(place) => importer.night(user, SOURCE, place, &night)?,
                None => importer.skip(SkipReason::Repeated),
            }
        }
        Ok(taken.into_values().collect())
    }

    /// Means of days, and the lowest heart rate of each night as the resting one.
    fn finish_rates(
        &mut self,
        importer: &mut Importer<'_>,
        user: &UserId,
        sessions: &[(Time, Time)],
    ) -> Result<(), ImportError> {
        let profile = importer.profile_of(user);
        self.rates.sort_by_key(|(time, ..)| time.at);
        let Some((_, _, first)) = self.rates.first().copied() else {
            return Ok(());
        };
        let mut rates = HeartRates::default();
        for (time, rate, _) in &self.rates {
            rates.add(time.at, *rate);
        }
        for (day, (mean, _)) in rates.days(&profile) {
            let reading = Reading::of_day(M::AverageHeartRate, mean, Unit::PerMinute, day);
            importer.reading(user, SOURCE, first, reading)?;
        }
        let mut lowest: BTreeMap<NaiveDate, (f64, Place<'f>)> = BTreeMap::new();
        for (start, end) in sessions {
            let from = self.rates.partition_point(|(time, ..)| time.at < start.at);
            let to = self.rates.partition_point(|(time, ..)| time.at < end.at);
            let during = self.rates.get(from..to).unwrap_or_default();
            if during.len() < FEWEST_RATES {
                continue;
            }
            let local = end.moment().written_local_time();
            let day = local.map_or_else(|| profile.day_of(end.at), |local| local.date());
            for (_, rate, place) in during {
                let known = lowest.entry(day).or_insert((*rate, *place));
                if *rate < known.0 {
                    *known = (*rate, *place);
                }
            }
        }
        for (day, (rate, place)) in lowest {
            importer.note(
                "Samsung Health has no resting heart rate: it is the lowest heart rate of the night".to_owned(),
            );
            let reading = Reading::of_day(M::RestingHeartRate, rate, Unit::PerMinute, day);
            importer.reading(user, SOURCE, place, reading)?;
        }
        Ok(())
    }

    fn finish_windows(
        &mut self,
        importer: &mut Importer<'_>,
        user: &UserId,
    ) -> Result<(), ImportError> {
        let profile = importer.profile_of(user);
        let mut sums: BTreeMap<(NaiveDate, MetricType), (f64, u32, Place<'f>)> = BTreeMap::new();
        for (at, metric, value, place) in std::mem::take(&mut self.windows) {
            let day = profile.day_of(at + TimeDelta::hours(EVENING_HOURS));
            let sum = sums.entry((day, metric)).or_insert((0.0, 0, place));
            sum.0 += value;
            sum.1 += 1;
        }
        for ((day, metric), (sum, count, place)) in sums {
            let name = metric.as_str().to_ascii_lowercase();
            let mean = sum / f64::from(count);
            let reading = Reading::of_morning(metric, mean, Unit::Milliseconds, day);
            importer.reading(user, SOURCE, place, reading.id(format!("{name}-{day}")))?;
        }
        Ok(())
    }
}
