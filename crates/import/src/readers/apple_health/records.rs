//! The records of an export, one after another.

use super::days::Days;
use super::elements::{Kind, attributes, text_of, time_of};
use super::kinds::stage;
use super::look::Look;
use super::meals::{Meals, Portion};
use super::sources::Sources;
use super::workouts::Workout;
use crate::amounts::LocalDays;
use crate::batch::{Importer, fault};
use crate::error::ImportError;
use crate::healthkit::{Amount, Nutrient, Type, grams, percent};
use crate::readings::{Place, Reading};
use crate::report::{RejectReason, SkipReason};
use crate::sleep::{Interval, Stage, nights};
use crate::table::Fault;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use quick_xml::events::BytesStart;
use quick_xml::events::attributes::Attribute;
use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use vitalcast_domain::{MealType, MetricType, Moment, Record, Unit, UserId, Zone};

/// Most stages, portions and values of days that are kept until the end of the file.
const MOST_KEPT: usize = 6_000_000;

/// An export that is being read.
pub(super) struct Export<'i, 's> {
    pub(super) importer: &'i mut Importer<'s>,
    path: &'i Path,
    user: UserId,
    days_of: LocalDays,
    /// Whether the person's zone is known. If not, written offsets count.
    zone_known: bool,
    used_offset: bool,
    /// Time of the export.
    seen: DateTime<Utc>,
    sources: Sources,
    record: Option<Open>,
    correlation: Option<Correlation>,
    workout: Option<Workout>,
    in_part: bool,
    days: Days,
    stages: BTreeMap<usize, Vec<Interval>>,
    meals: Meals,
    pressures: HashSet<(usize, MetricType, i64)>,
    kept: usize,
}

/// A record whose element is open.
struct Open {
    of: Type,
    value: Value,
    name: usize,
    start: DateTime<Utc>,
    end: DateTime<Utc>,
    created: DateTime<Utc>,
    written: Option<i32>,
    zone: Option<Zone>,
    food: Option<String>,
    meal: Option<MealType>,
    line: u64,
}

#[derive(Debug, Clone, Copy)]
enum Value {
    Number(f64, Unit),
    Stage(Stage),
    Stood(bool),
}

/// A correlation whose element is open: foods of a meal, or the two values of a blood pressure.
#[derive(Default)]
struct Correlation {
    food: Option<String>,
    meal: Option<MealType>,
    portions: Vec<Portion>,
}

impl<'i, 's> Export<'i, 's> {
    pub(super) fn new(
        importer: &'i mut Importer<'s>,
        path: &'i Path,
        user: UserId,
        look: &Look,
    ) -> Self {
        let profile = importer.profile_of(&user);
        let options = importer.options;
        // A zone that was only assumed, or made of the offset of the export, says less than the offset that
        // is written with a record.
        let is_assumed = profile.zone == options.assumed_zone.unwrap_or(Zone::UTC)
            && !look.agrees_with(profile.zone);
        let zone_known = look.has_zones()
            || options.zone.is_some()
            || !profile.moves.is_empty()
            || !(is_assumed || look.is_made_of_offset(profile.zone));
        Self {
            path,
            user,
            days_of: LocalDays::of(profile),
            zone_known,
            used_offset: false,
            seen: options.now,
            sources: Sources::default(),
            record: None,
            correlation: None,
            workout: None,
            in_part: false,
            days: Days::default(),
            stages: BTreeMap::new(),
            meals: Meals::default(),
            pressures: HashSet::new(),
            kept: 0,
            importer,
        }
    }

    /// Whether no more can be kept.
    pub(super) fn is_full(&self) -> bool {
        self.kept + self.days.len() > MOST_KEPT
    }

    /// An element begins; `is_whole` if it ends at once.
    pub(super) fn begin(
        &mut self,
        element: &BytesStart<'_>,
        depth: usize,
        is_whole: bool,
    ) -> Result<(), ImportError> {
        let kind = Kind::of(element.name().0);
        match kind {
            Kind::Record => {
                let line = self.count();
                self.record = None;
                match self.opened(element, line) {
                    Ok(Some(open)) if is_whole => return self.close(open),
                    Ok(open) => self.record = open,
                    Err(fault) => return self.reject(line, fault),
                }
            }
            Kind::MetadataEntry => self.metadata(element),
            Kind::Correlation if !is_whole => self.correlation = Some(Correlation::default()),
            Kind::Workout => {
                let line = self.count();
                self.workout = None;
                match Workout::of(element, line) {
                    Ok(workout) => self.workout = Some(workout),
                    Err(fault) => return self.reject(line, fault),
                }
                if is_whole {
                    return self.end(Kind::Workout);
                }
            }
            Kind::WorkoutActivity => self.in_part = !is_whole,
            Kind::WorkoutStatistics => {
                if let (Some(workout), false) = (&mut self.workout, self.in_part) {
                    workout.statistics(element);
                }
            }
            Kind::ActivitySummary => {
                let line = self.count();
                let outcome = self
                    .days
                    .read_summary(element, self.importer, &mut self.sources);
                if let Err(fault) = outcome {
                    return self.reject(line, fault);
                }
            }
            Kind::ExportDate => {
                let date = attributes(element).find(|attribute| attribute.key.0 == "value");
                if let Some((at, _)) = date.and_then(|date| time_of(&date.value)) {
                    self.seen = at.min(self.importer.options.now);
                }
            }
            Kind::Other if depth == 1 => {
                self.count();
                self.importer.skip(SkipReason::NotRead);
            }
            Kind::Correlation | Kind::About | Kind::Other => {}
        }
        Ok(())
    }

    /// An element ends.
    pub(super) fn end(&mut self, kind: Kind) -> Result<(), ImportError> {
        match kind {
            Kind::Record => match self.record.take() {
                Some(open) => self.close(open),
                None => Ok(()),
            },
            Kind::Correlation => {
                let correlation = self.correlation.take().unwrap_or_default();
                for mut portion in correlation.portions {
                    portion.name = portion.name.or_else(|| correlation.food.clone());
                    portion.meal = portion.meal.or(correlation.meal);
                    self.meals.add(portion);
                }
                Ok(())
            }
            Kind::Workout => {
                self.in_part = false;
                let Some(mut workout) = self.workout.take() else {
                    return Ok(());
                };
                let (line, zone, written) = (workout.line, workout.zone, workout.written);
                let name = std::mem::take(&mut workout.source);
                let name = self.sources.named(&name);
                let source = self.sources.of(name).to_owned();
                let activity = workout.activity(&source, |at| self.moment(at, zone, written));
                self.used_offset |= zone.is_none() && written.is_some();
                let (user, place) = (self.user.clone(), self.place(line));
                self.importer
                    .checked(&user, place, Record::Activity(activity))
            }
            Kind::WorkoutActivity => {
                self.in_part = false;
                Ok(())
            }
            Kind::WorkoutStatistics
            | Kind::MetadataEntry
            | Kind::ActivitySummary
            | Kind::ExportDate
            | Kind::About
            | Kind::Other => Ok(()),
        }
    }

    /// Passes on what was kept until the end.
    pub(super) fn finish(mut self) -> Result<(), ImportError> {
        self.end(Kind::Correlation)?;
        let place = Place {
            file: self.path,
            line: self.importer.report.rows_read,
        };
        for (name, stages) in std::mem::take(&mut self.stages) {
            let source = self.sources.of(name).to_owned();
            for night in nights(stages) {
                self.importer.night(&self.user, &source, place, &night)?;
            }
        }
        let names: Vec<String> = (0..self.sources.of_names.len())
            .map(|name| self.sources.of(name).to_owned())
            .collect();
        for (line, meal) in self.meals.finish(&names) {
            match meal {
                Some(meal) => {
                    let place = Place { line, ..place };
                    self.importer
                        .checked(&self.user, place, Record::Meal(meal))?;
                }
                None => self.importer.skip(SkipReason::NothingEaten),
            }
        }
        self.days
            .finish(self.importer, &self.user, &self.sources, place, self.seen)?;
        if !self.zone_known && self.used_offset {
            self.importer.note(
                "the export names no time zone: days are formed by the UTC offset written in it, which \
                 is that of the phone at the time of export (choose a zone with --zone)"
                    .to_owned(),
            );
        }
        Ok(())
    }

    /// A part of the file is damaged: what was open before it ends there.
    pub(super) fn damaged(&mut self, what: &str) -> Result<(), ImportError> {
        self.record = None;
        self.end(Kind::Workout)?;
        self.end(Kind::Correlation)?;
        let line = self.count();
        let fault = (RejectReason::WrongLength, format!("{what}: passed over"));
        self.reject(line, fault)
    }

    /// Counts an element; its number.
    fn count(&mut self) -> u64 {
        self.importer.report.rows_read += 1;
        self.importer.report.rows_read
    }

    fn place(&self, line: u64) -> Place<'i> {
        Place {
            file: self.path,
            line,
        }
    }

    fn reject(&mut self, line: u64, fault: Fault) -> Result<(), ImportError> {
        self.importer.reject(self.place(line).reject(fault))
    }

    /// A time on the person's clock.
    fn moment(&self, at: DateTime<Utc>, zone: Option<Zone>, written: Option<i32>) -> Moment {
        let written = written.filter(|_| !self.zone_known);
        Moment::Instant {
            at,
            offset_seconds: zone.map(|zone| zone.offset_seconds(at)).or(written),
        }
    }

    /// The time as seconds of which the profile gives the person's day.
    fn shifted(&self, at: DateTime<Utc>, written: Option<i32>) -> DateTime<Utc> {
        match written {
            Some(offset) if !self.zone_known => {
                let more = offset - self.days_of.profile().offset_seconds(at);
                at + TimeDelta::seconds(i64::from(more))
            }
            Some(_) | None => at,
        }
    }

    fn day_of(&mut self, at: DateTime<Utc>, written: Option<i32>) -> NaiveDate {
        let at = self.shifted(at, written);
        self.days_of.day_of(at)
    }

    /// A record from its attributes; `None` if it is of a type that is not used.
    fn opened(&mut self, element: &BytesStart<'_>, line: u64) -> Result<Option<Open>, Fault> {
        let mut of = None;
        let (mut unit, mut value, mut name) = (None, None, None);
        let (mut start, mut end, mut created) = (None, None, None);
        for attribute in attributes(element) {
            match attribute.key.0 {
                "type" => {
                    let found = Type::of(&attribute.value);
                    if found == Type::Unused {
                        self.importer.skip(SkipReason::NotRead);
                    }
                    if matches!(found, Type::Unused | Type::OfThePerson) {
                        return Ok(None);
                    }
                    of = Some(found);
                }
                "unit" => unit = Some(attribute),
                "value" => value = Some(attribute),
                "sourceName" => name = Some(attribute),
                "startDate" => start = Some(attribute),
                "endDate" => end = Some(attribute),
                "creationDate" => created = Some(attribute),
                _ => {}
            }
        }
        let Some(of) = of else {
            self.importer.skip(SkipReason::NotRead);
            return Ok(None);
        };
        let time = |attribute: &Option<Attribute<'_>>| {
            let text = attribute.as_ref()?;
            time_of(&text.value)
        };
        let Some((start, written)) = time(&start) else {
            let message = "the record has no start that can be read".to_owned();
            return Err((RejectReason::BadTime, message));
        };
        self.importer.check_time(start)?;
        // Amounts belong to their start; only some types need the other times.
        let ends = match of {
            Type::Sample(_) | Type::Night(_) | Type::Latest(_) | Type::Sleep => time(&end),
            Type::Mean(_)
            | Type::Amount(_)
            | Type::HeartRate
            | Type::Stand
            | Type::Food(_)
            | Type::OfThePerson
            | Type::Unused => None,
        };
        let created = if matches!(of, Type::Latest(_)) {
            time(&created)
        } else {
            None
        };
        let text = value.as_ref().map_or("", |value| &*value.value);
        let value = match of {
            Type::Sleep => Value::Stage(stage(text).ok_or_else(|| {
                let message = "an unknown stage of sleep".to_owned();
                (RejectReason::UnknownWord, message)
            })?),
            Type::Stand => Value::Stood(text.ends_with("Stood")),
            Type::Food(nutrient) => self.nutrient(nutrient, text, unit.as_ref())?,
            Type::Sample(_)
            | Type::Night(_)
            | Type::Mean(_)
            | Type::Latest(_)
            | Type::Amount(_)
            | Type::HeartRate
            | Type::OfThePerson
            | Type::Unused => Value::Number(number(text)?, self.sources.unit(unit.as_ref())?),
        };
        let name = match name {
            Some(name) => self.sources.named(&name.value),
            None => self.sources.named(""),
        };
        Ok(Some(Open {
            of,
            value,
            name,
            start,
            end: ends.map_or(start, |(end, _)| end),
            created: created.map_or(start, |(created, _)| created),
            written,
            zone: None,
            food: None,
            meal: None,
            line,
        }))
    }

    /// The amount of a nutrient, in kcal or g.
    fn nutrient(
        &mut self,
        nutrient: Nutrient,
        text: &str,
        unit: Option<&Attribute<'_>>,
    ) -> Result<Value, Fault> {
        let value = number(text)?;
        let wrong = || {
            let message = "a unit that does not fit the nutrient".to_owned();
            (RejectReason::WrongUnit, message)
        };
        let (value, unit) = if nutrient == Nutrient::Energy {
            let kcal = self.sources.unit(unit)?.convert(value, Unit::Kilocalories);
            (kcal.ok_or_else(wrong)?, Unit::Kilocalories)
        } else {
            let word = unit.map_or("", |unit| &*unit.value);
            (grams(value, word).ok_or_else(wrong)?, Unit::Grams)
        };
        if !(0.0..=20_000.0).contains(&value) {
            let message = "no plausible amount of a nutrient".to_owned();
            return Err((RejectReason::OutOfRange, message));
        }
        Ok(Value::Number(value, unit))
    }

    /// What a record, a correlation or a workout says beside its values.
    fn metadata(&mut self, element: &BytesStart<'_>) {
        let mut key = None;
        let mut value = None;
        for attribute in attributes(element) {
            match attribute.key.0 {
                "key" => key = Some(attribute),
                "value" => value = Some(attribute),
                _ => {}
            }
        }
        let (Some(key), Some(value)) = (key, value) else {
            return;
        };
        match &*key.value {
            "HKTimeZone" => {
                let zone = text_of(&value).parse().ok();
                match (&mut self.record, &mut self.workout) {
                    (Some(record), _) => record.zone = zone,
                    (None, Some(workout)) if !self.in_part => workout.zone = zone,
                    (None, Some(_) | None) => {}
                }
            }
            "HKFoodType" | "HKFoodMeal" => {
                let text = text_of(&value);
                let (food, meal) = match (&mut self.record, &mut self.correlation) {
                    (Some(record), _) => (&mut record.food, &mut record.meal),
                    (None, Some(correlation)) => (&mut correlation.food, &mut correlation.meal),
                    (None, None) => return,
                };
                if key.value == "HKFoodMeal" {
                    *meal = crate::words::meal(&text);
                } else if !text.trim().is_empty() {
                    *food = Some(crate::readings::shortened(text.trim()));
                }
            }
            _ => {}
        }
    }

    /// A record is complete.
    fn close(&mut self, open: Open) -> Result<(), ImportError> {
        let line = open.line;
        match self.taken(open) {
            Ok(Some((source, reading))) => {
                let source = self.sources.known[source].clone();
                let (user, place) = (self.user.clone(), self.place(line));
                self.importer.reading(&user, &source, place, reading)
            }
            Ok(None) => Ok(()),
            Err(fault) => self.reject(line, fault),
        }
    }

    /// Takes in a record: one that is a reading of its own is returned with its source.
    fn taken(&mut self, open: Open) -> Result<Option<(usize, Reading)>, Fault> {
        let source = self.sources.of_names[open.name];
        let Open {
            start,
            end,
            zone,
            written,
            ..
        } = open;
        self.used_offset |= zone.is_none() && written.is_some();
        let (value, unit) = match open.value {
            Value::Number(value, unit) => percent(value, unit),
            Value::Stage(stage) => {
                if end < start {
                    let message = "the stage of sleep ends before it begins".to_owned();
                    return Err((RejectReason::Reversed, message));
                }
                let offset = |at| match self.moment(at, zone, written) {
                    Moment::Instant { offset_seconds, .. } => offset_seconds,
                    Moment::Clock(_) | Moment::Date(_) => None,
                };
                let offsets = (offset(start), offset(end));
                let interval = |start, end, offset_seconds| Interval {
                    start,
                    end,
                    stage,
                    offset_seconds,
                };
                self.kept += 1;
                let stages = self.stages.entry(open.name).or_default();
                if offsets.0 == offsets.1 {
                    stages.push(interval(start, end, offsets.0));
                } else {
                    // The clock was changed in between: bedtime has the old one, waking the new one.
                    let middle = start + (end - start) / 2;
                    stages.push(interval(start, middle, offsets.0));
                    stages.push(interval(middle, end, offsets.1));
                }
                return Ok(None);
            }
            Value::Stood(stood) => (f64::from(u8::from(stood)), Unit::Hours),
        };
        let checked =
            |metric: MetricType| metric.measured(value, unit).map_err(|error| fault(&error));
        match open.of {
            Type::Sample(metric) => {
                let is_pressure = matches!(
                    metric,
                    MetricType::BloodPressureSystolic | MetricType::BloodPressureDiastolic
                );
                let key = (source, metric, start.timestamp_micros());
                if is_pressure && !self.pressures.insert(key) {
                    self.importer.skip(SkipReason::Repeated);
                    return Ok(None);
                }
                self.kept += usize::from(is_pressure);
                let at = self.moment(start, zone, written);
                let reading = Reading::at(metric, value, unit, at);
                let reading = if end > start {
                    reading.until(self.moment(end, zone, written))
                } else {
                    reading
                };
                return Ok(Some((source, reading)));
            }
            Type::Night(metric) => {
                let at = self.moment(end, zone, written);
                return Ok(Some((source, Reading::at(metric, value, unit, at))));
            }
            Type::Mean(metric) => match checked(metric)? {
                Some(value) => {
                    let day = self.day_of(start, written);
                    self.days.mean(source, day, metric, value);
                }
                None => self.importer.skip(SkipReason::Missing),
            },
            Type::Latest(metric) => match checked(metric)? {
                Some(value) => {
                    let day = self.day_of(start, written);
                    let times = [end, open.created];
                    self.days.latest(source, day, metric, times, value);
                }
                None => self.importer.skip(SkipReason::Missing),
            },
            Type::Amount(amount) => {
                let metric = match amount {
                    Amount::Of(metric) => metric,
                    Amount::Basal => MetricType::ActiveCalories,
                };
                match checked(metric)? {
                    Some(value) => {
                        let day = self.day_of(start, written);
                        self.days.amount(open.name, day, amount, value);
                    }
                    None => self.importer.skip(SkipReason::Missing),
                }
            }
            Type::Stand => {
                let day = self.day_of(start, written);
                let amount = Amount::Of(MetricType::StandingHours);
                self.days.amount(open.name, day, amount, value);
            }
            Type::HeartRate => match checked(MetricType::AverageHeartRate)? {
                Some(value) => self.days.rate(source, self.shifted(start, written), value),
                None => self.importer.skip(SkipReason::Missing),
            },
            Type::Food(nutrient) => {
                self.kept += 1;
                let portion = Portion {
                    nutrient,
                    amount: value,
                    source: open.name,
                    at: self.moment(start, zone, written),
                    micros: start.timestamp_micros(),
                    name: open.food,
                    meal: open.meal,
                    within: self.correlation.is_some(),
                    line: open.line,
                };
                match &mut self.correlation {
                    Some(correlation) => correlation.portions.push(portion),
                    None => self.meals.add(portion),
                }
            }
            Type::Sleep | Type::OfThePerson | Type::Unused => {}
        }
        Ok(None)
    }
}

fn number(text: &str) -> Result<f64, Fault> {
    let bad = || {
        let message = "the value is not a number".to_owned();
        (RejectReason::BadNumber, message)
    };
    text.trim().parse().map_err(|_| bad())
}
