//! What the files of an import hold together. Files of an automation overlap: the same hours come again,
//! revised. A point is what it is by metric, time and source; of amounts the larger counts, of
//! others the later one.

use crate::amounts::{DayAmounts, HeartRates};
use crate::batch::{Importer, fault};
use crate::error::ImportError;
use crate::healthkit::{Amount, NUTRIENTS, Nutrient, Type, grams, percent, source};
use crate::readings::{Night, Place, Reading};
use crate::report::{RejectReason, SkipReason};
use crate::sleep::{Interval, nights};
use crate::table::Fault;
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use vitalcast_domain::{
    Meal, MetricType, Moment, Profile, Provenance, ReadingKind, Record, Told, Unit, UserId,
};

/// The vendor: the source of values that the app has made of those of several devices.
pub(super) const VENDOR: &str = "health-auto-export";
/// Most points that are kept.
const MOST_POINTS: usize = 10_000_000;
/// Most names of sources.
const MOST_SOURCES: usize = 1_000;

/// A value with its time and source.
#[derive(Debug, Clone, Copy)]
pub(super) struct Point {
    pub(super) at: When,
    pub(super) source: usize,
    pub(super) value: f64,
}

/// A time as it is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct When {
    pub(super) moment: Moment,
    pub(super) local: NaiveDateTime,
}

impl When {
    /// Seconds that order times and tell them apart.
    fn key(self) -> i64 {
        match self.moment {
            Moment::Instant { at, .. } => at.timestamp(),
            Moment::Clock(_) | Moment::Date(_) => self.local.and_utc().timestamp(),
        }
    }
}

/// Amounts by time and source.
#[derive(Debug, Default)]
struct Amounts {
    /// Whether values of several sources were put together by the app.
    joined: bool,
    /// Whether a time has seconds: then it is a sample of a device.
    sampled: bool,
    points: BTreeMap<(i64, usize), (NaiveDate, f64)>,
}

impl Amounts {
    /// Sums by source and day; `None` for what the app has put together.
    fn days(&self) -> BTreeMap<(Option<usize>, NaiveDate), f64> {
        let times: BTreeSet<i64> = self.points.keys().map(|(time, _)| *time).collect();
        let is_one = self.joined || (!self.sampled && times.len() == self.points.len());
        let mut days = BTreeMap::new();
        for ((_, source), (day, value)) in &self.points {
            let source = (!is_one).then_some(*source);
            *days.entry((source, *day)).or_default() += value;
        }
        days
    }
}

/// Nutrients of a meal, in kcal and g.
type Eaten = [Option<f64>; NUTRIENTS];

/// All points of an import.
#[derive(Debug, Default)]
pub(super) struct Collected {
    names: HashMap<String, usize>,
    /// Of each name: the source, whether the app has put several together, and the first name of it.
    sources: Vec<(String, bool, usize)>,
    /// Points of the metric that is being read.
    current: Vec<Point>,
    /// Amounts of parts of a day, and of whole days.
    amounts: BTreeMap<(Amount, bool), Amounts>,
    /// By metric, whether it is a value of the day, time and source.
    samples: BTreeMap<(MetricType, bool, i64, usize), Point>,
    means: BTreeMap<(MetricType, i64, usize), Point>,
    latest: BTreeMap<(MetricType, NaiveDate, usize), (i64, f64)>,
    rates: BTreeMap<usize, HeartRates>,
    foods: BTreeMap<(usize, i64), (Moment, Eaten)>,
    stages: BTreeMap<usize, Vec<Interval>>,
    nights: BTreeMap<(usize, String), Night>,
    pub(super) weight: Option<(i64, f64)>,
    pub(super) height: Option<(i64, f64)>,
    /// Workouts by source and id.
    pub(super) workouts: BTreeMap<(String, String), Record>,
    kept: usize,
    last: Option<DateTime<Utc>>,
}

impl Collected {
    pub(super) fn is_full(&self) -> bool {
        self.kept > MOST_POINTS
    }

    /// Number of a source by the names that are written, `|` between them.
    pub(super) fn named(&mut self, names: &str) -> usize {
        if let Some(known) = self.names.get(names) {
            return *known;
        }
        if self.names.len() >= MOST_SOURCES || names.len() > 400 {
            return self.named("");
        }
        let mut sources: BTreeSet<String> =
            names.split('|').map(|name| source(VENDOR, name)).collect();
        let is_joined = sources.len() > 1;
        let one = sources.pop_first().filter(|_| !is_joined);
        let source = one.unwrap_or_else(|| VENDOR.to_owned());
        let known = self.sources.iter().position(|known| known.0 == source);
        let first = known.unwrap_or(self.sources.len());
        self.sources.push((source, is_joined, first));
        self.names.insert(names.to_owned(), self.sources.len() - 1);
        self.sources.len() - 1
    }

    pub(super) fn source(&self, number: usize) -> &str {
        let source = self.sources.get(number);
        source.map_or(VENDOR, |(name, ..)| name.as_str())
    }

    /// The first name of the source of a name: the same device under two names is one source.
    fn first_of(&self, name: usize) -> usize {
        self.sources.get(name).map_or(name, |source| source.2)
    }

    /// Takes in a value of the metric that is being read; `false` if it says "not measured".
    pub(super) fn add(
        &mut self,
        of: Type,
        word: &str,
        mut point: Point,
        importer: &Importer<'_>,
    ) -> Result<bool, Fault> {
        importer.check_day(point.at.local.date())?;
        let unit = || {
            Unit::parse(word).map_err(|_| {
                let message = "an unknown unit".to_owned();
                (RejectReason::UnknownWord, message)
            })
        };
        let metric = match of {
            Type::Sample(metric)
            | Type::Night(metric)
            | Type::Mean(metric)
            | Type::Latest(metric) => metric,
            Type::Amount(Amount::Of(metric)) => metric,
            Type::Amount(Amount::Basal) => MetricType::ActiveCalories,
            Type::HeartRate => MetricType::AverageHeartRate,
            Type::Stand => MetricType::StandingHours,
            Type::Food(nutrient) => {
                point.value = nutrient_of(nutrient, point.value, word)?;
                self.keep(point);
                return Ok(true);
            }
            Type::Sleep | Type::OfThePerson | Type::Unused => return Ok(true),
        };
        // Hours in which the person stood are counted.
        let unit = if of == Type::Stand {
            Unit::Hours
        } else {
            unit()?
        };
        let (value, unit) = percent(point.value, unit);
        let Some(value) = metric
            .measured(value, unit)
            .map_err(|error| fault(&error))?
        else {
            return Ok(false);
        };
        point.value = value;
        if of == Type::HeartRate {
            // There are as many as of all others together, and of them only means are kept.
            let source = self.first_of(point.source);
            let rates = self.rates.entry(source).or_default();
            rates.add(point.at.local.and_utc(), value);
        } else {
            self.keep(point);
        }
        Ok(true)
    }

    fn keep(&mut self, point: Point) {
        let at = match point.at.moment {
            Moment::Instant { at, .. } => at,
            // Noon is on the same day in nearly all zones.
            Moment::Clock(_) | Moment::Date(_) => {
                let day = point.at.local.date().and_time(NaiveTime::MIN).and_utc();
                day + TimeDelta::hours(12)
            }
        };
        self.last = self.last.max(Some(at));
        self.kept += 1;
        self.current.push(point);
    }

    /// Ends a metric of a file.
    pub(super) fn end(&mut self, of: Type) {
        let points = std::mem::take(&mut self.current);
        // At midnight only: values of days.
        let daily = points
            .iter()
            .all(|point| point.at.local.time() == NaiveTime::MIN);
        let mut foods: BTreeMap<(usize, i64), (Moment, f64)> = BTreeMap::new();
        for point in points {
            let (key, local) = (point.at.key(), point.at.local);
            let source = self.first_of(point.source);
            match of {
                Type::Amount(amount) => self.amount(amount, daily, point),
                Type::Stand => {
                    self.amount(Amount::Of(MetricType::StandingHours), daily, point);
                }
                Type::Sample(metric) => {
                    self.samples.insert((metric, daily, key, source), point);
                }
                Type::Mean(metric) => {
                    self.means.insert((metric, key, source), point);
                }
                Type::Night(metric) => {
                    // An evening belongs to the night before the next morning.
                    let day = (local + TimeDelta::hours(6)).date();
                    self.latest
                        .insert((metric, day, source), (key, point.value));
                }
                Type::Latest(metric) => {
                    let place = (metric, local.date(), source);
                    let known = self.latest.entry(place).or_insert((key, point.value));
                    if key >= known.0 {
                        *known = (key, point.value);
                    }
                }
                Type::Food(_) => {
                    let moment = if daily {
                        Moment::Date(local.date())
                    } else {
                        point.at.moment
                    };
                    foods.entry((source, key)).or_insert((moment, 0.0)).1 += point.value;
                }
                Type::HeartRate | Type::Sleep | Type::OfThePerson | Type::Unused => {}
            }
        }
        if let Type::Food(nutrient) = of {
            for (place, (moment, value)) in foods {
                let eaten = self
                    .foods
                    .entry(place)
                    .or_insert((moment, [None; NUTRIENTS]));
                let known = &mut eaten.1[nutrient as usize];
                *known = Some(known.map_or(value, |known| known.max(value)));
            }
        }
    }

    fn amount(&mut self, amount: Amount, daily: bool, point: Point) {
        use chrono::Timelike;
        let is_joined = self
            .sources
            .get(point.source)
            .is_some_and(|source| source.1);
        let amounts = self.amounts.entry((amount, daily)).or_default();
        amounts.joined |= is_joined;
        amounts.sampled |= point.at.local.second() != 0;
        let value = (point.at.local.date(), point.value);
        let known = amounts
            .points
            .entry((point.at.key(), point.source))
            .or_insert(value);
        known.1 = known.1.max(point.value);
    }

    pub(super) fn stage(&mut self, source: usize, stage: Interval) {
        self.kept += 1;
        let source = self.first_of(source);
        self.stages.entry(source).or_default().push(stage);
    }

    /// A night that the app has added up; of two with the same beginning the longer one counts.
    pub(super) fn night(&mut self, source: usize, night: Night) {
        let place = (self.first_of(source), night.id.clone());
        let known = self.nights.get(&place).and_then(|known| known.asleep);
        if known.is_none_or(|known| night.asleep >= Some(known)) {
            self.nights.insert(place, night);
        }
    }

    /// Writes into the profile of a new person what is known about them.
    pub(super) fn describe(&self, profile: &mut Profile) {
        profile.weight_kg = self.weight.map(|(_, weight)| weight);
        profile.height_cm = self.height.map(|(_, height)| height);
    }

    /// Passes everything on.
    pub(super) fn finish(
        mut self,
        importer: &mut Importer<'_>,
        user: &UserId,
        place: Place<'_>,
    ) -> Result<(), ImportError> {
        for (source, stages) in std::mem::take(&mut self.stages) {
            for night in nights(stages) {
                self.night(source, night);
            }
        }
        for ((source, _), night) in &self.nights {
            importer.night(user, self.source(*source), place, night)?;
        }
        for workout in self.workouts.values() {
            importer.checked(user, place, workout.clone())?;
        }
        self.meals(importer, user, place)?;
        self.totals(importer, user, place)?;
        for ((metric, daily, _, source), point) in &self.samples {
            let unit = metric.unit();
            let reading = if *daily {
                let day = point.at.local.date();
                Reading::of_day(*metric, point.value, unit, day).kind(ReadingKind::DayValue)
            } else {
                Reading::at(*metric, point.value, unit, point.at.moment)
            };
            importer.reading(user, self.source(*source), place, reading)?;
        }
        let mut means: BTreeMap<(MetricType, NaiveDate, usize), (f64, u32)> = BTreeMap::new();
        for ((metric, _, source), point) in &self.means {
            let day = point.at.local.date();
            let mean = means.entry((*metric, day, *source)).or_default();
            *mean = (mean.0 + point.value, mean.1 + 1);
        }
        let means = means
            .into_iter()
            .map(|(key, (sum, count))| (key, sum / f64::from(count)));
        let latest = self.latest.iter().map(|(key, (_, value))| (*key, *value));
        for ((metric, day, source), value) in means.chain(latest) {
            let unit = metric.unit();
            let reading = if metric == MetricType::SkinTemperature {
                Reading::of_morning(metric, value, unit, day)
            } else {
                Reading::of_day(metric, rounded(value), unit, day)
            };
            importer.reading(user, self.source(source), place, reading)?;
        }
        // The times are local, as if the clock were that of UTC.
        let clock = Profile::default();
        for (source, rates) in &self.rates {
            rates.pass_on(importer, user, self.source(*source), place, &clock)?;
        }
        Ok(())
    }

    fn meals(
        &self,
        importer: &mut Importer<'_>,
        user: &UserId,
        place: Place<'_>,
    ) -> Result<(), ImportError> {
        for ((source, _), (moment, amounts)) in &self.foods {
            if amounts
                .iter()
                .all(|amount| amount.is_none_or(|amount| amount == 0.0))
            {
                importer.skip(SkipReason::NothingEaten);
                continue;
            }
            let of = |nutrient: Nutrient| amounts[nutrient as usize].map(rounded);
            let id = format!("meal-{}", moment.id());
            let meal = Meal {
                provenance: Provenance::told(self.source(*source), id, Told::at(*moment)),
                name: None,
                meal_type: None,
                energy_kcal: of(Nutrient::Energy),
                protein_g: of(Nutrient::Protein),
                carbs_g: of(Nutrient::Carbohydrate),
                fat_g: of(Nutrient::Fat),
                fiber_g: of(Nutrient::Fibre),
                sugar_g: of(Nutrient::Sugar),
            };
            importer.checked(user, place, Record::Meal(meal))?;
        }
        Ok(())
    }

    fn totals(
        &self,
        importer: &mut Importer<'_>,
        user: &UserId,
        place: Place<'_>,
    ) -> Result<(), ImportError> {
        let mut totals: BTreeMap<(Amount, String, NaiveDate), f64> = BTreeMap::new();
        for ((amount, _), amounts) in &self.amounts {
            for ((source, day), value) in amounts.days() {
                let source = source.map_or(VENDOR, |source| self.source(source));
                let total = totals
                    .entry((*amount, source.to_owned(), day))
                    .or_insert(value);
                *total = total.max(value);
            }
        }
        let mut days = DayAmounts::default();
        for ((amount, source, day), value) in &totals {
            match amount {
                Amount::Of(metric) => days.add(*metric, source, *day, rounded(*value)),
                Amount::Basal => {
                    let active = Amount::Of(MetricType::ActiveCalories);
                    if let Some(active) = totals.get(&(active, source.clone(), *day)) {
                        let total = rounded(active + value);
                        days.add(MetricType::TotalCalories, source, *day, total);
                    }
                }
            }
        }
        let now = importer.options.now;
        let seen = self.last.map_or(now, |last| last.min(now));
        days.finish(importer, user, place, seen)
    }
}

/// The amount of a nutrient, in kcal or g.
fn nutrient_of(nutrient: Nutrient, value: f64, word: &str) -> Result<f64, Fault> {
    let converted = if nutrient == Nutrient::Energy {
        let unit = Unit::parse(word).ok();
        unit.and_then(|unit| unit.convert(value, Unit::Kilocalories))
    } else {
        grams(value, word)
    };
    let Some(amount) = converted else {
        let message = "a unit that does not fit the nutrient".to_owned();
        return Err((RejectReason::WrongUnit, message));
    };
    if !(0.0..=20_000.0).contains(&amount) {
        let message = "no plausible amount of a nutrient".to_owned();
        return Err((RejectReason::OutOfRange, message));
    }
    Ok(amount)
}

/// A sum that does not depend on the order in which it was added up.
fn rounded(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}
