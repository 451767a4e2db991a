//! Values of days and nights, and amounts that are added up by local day.

use super::SOURCE;
use crate::amounts::kind_of_total;
use crate::batch::Importer;
use crate::error::ImportError;
use crate::readings::{Place, Reading};
use crate::report::SkipReason;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use std::collections::{BTreeMap, BTreeSet};
use vitalcast_domain::MetricType as M;
use vitalcast_domain::{MetricType, Profile, Unit, UserId};

/// Sedentary minutes of a day on which the watch was not worn.
const NOT_WORN: f64 = 1_440.0;
/// Minutes of a day.
const MINUTES: i64 = 1_440;

/// When a value is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// In the morning: it is of the night.
    Morning,
    /// When the day is over.
    Evening,
}

/// A value of a day or night.
#[derive(Debug, Clone)]
pub(super) struct Value<'f> {
    place: Place<'f>,
    /// Where two files have a value of the same day, that of the higher rank counts.
    rank: u8,
    number: f64,
    unit: Unit,
    when: When,
    updated_at: Option<DateTime<Utc>>,
}

impl<'f> Value<'f> {
    pub(super) fn new(place: Place<'f>, rank: u8, number: f64, unit: Unit, when: When) -> Self {
        Self {
            place,
            rank,
            number,
            unit,
            when,
            updated_at: None,
        }
    }

    #[must_use]
    pub(super) fn updated(self, updated_at: Option<DateTime<Utc>>) -> Self {
        Self { updated_at, ..self }
    }
}

/// A sum of samples, with the place of the first of them.
#[derive(Debug)]
struct Sum<'f> {
    total: f64,
    place: Place<'f>,
}

/// A bit for each minute of a day.
type Minutes = [u64; MINUTES as usize / 64 + 1];

/// Values by key, of which the one that was used last is at hand: samples mostly come in order.
#[derive(Debug)]
struct Kept<K, V> {
    others: BTreeMap<K, V>,
    last: Option<(K, V)>,
}

impl<K, V> Default for Kept<K, V> {
    fn default() -> Self {
        Self {
            others: BTreeMap::new(),
            last: None,
        }
    }
}

impl<K: Ord, V> Kept<K, V> {
    /// The value of a key; a new one if there is none yet.
    fn of(&mut self, key: K, new: impl FnOnce() -> V) -> &mut V {
        if self.last.as_ref().is_some_and(|last| last.0 != key) {
            self.others.extend(self.last.take());
        }
        let others = &mut self.others;
        let last = self.last.get_or_insert_with(|| {
            let value = others.remove(&key).unwrap_or_else(new);
            (key, value)
        });
        &mut last.1
    }

    /// All values by their keys.
    fn all(mut self) -> BTreeMap<K, V> {
        self.others.extend(self.last);
        self.others
    }
}

/// What was collected by day.
#[derive(Debug, Default)]
pub(super) struct Days<'f> {
    values: BTreeMap<(&'static str, NaiveDate, MetricType), Value<'f>>,
    sums: Kept<(NaiveDate, MetricType, usize), Sum<'f>>,
    sources: Vec<String>,
    /// Minutes that were added up, by metric and day in UTC: files overlap.
    seen: Kept<(MetricType, i64), Minutes>,
    /// Time of the last sample, and the time that it cannot be after.
    last: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
    /// Days with a heart rate.
    worn: BTreeSet<NaiveDate>,
}

impl<'f> Days<'f> {
    pub(super) fn until(now: DateTime<Utc>) -> Self {
        Self {
            now,
            ..Self::default()
        }
    }

    pub(super) fn value(
        &mut self,
        source: &'static str,
        day: NaiveDate,
        metric: MetricType,
        value: Value<'f>,
    ) {
        let key = (source, day, metric);
        if self
            .values
            .get(&key)
            .is_none_or(|known| (known.rank, known.updated_at) <= (value.rank, value.updated_at))
        {
            self.values.insert(key, value);
        }
    }

    /// Adds a sample to the sum of its local day.
    pub(super) fn amount(
        &mut self,
        metric: MetricType,
        source: &str,
        place: Place<'f>,
        (at, day): (DateTime<Utc>, NaiveDate),
        value: f64,
    ) {
        let known = self.sources.iter().position(|known| known == source);
        let source = known.unwrap_or_else(|| {
            self.sources.push(source.to_owned());
            self.sources.len() - 1
        });
        let sum = self
            .sums
            .of((day, metric, source), || Sum { total: 0.0, place });
        sum.total += value;
        // A time in the future is damage, and no end of the export.
        if at <= self.now {
            self.last = self.last.max(Some(at));
        }
    }

    /// Whether a minute of the JSON files comes for the first time.
    pub(super) fn is_new(&mut self, metric: MetricType, at: DateTime<Utc>) -> bool {
        let minute = at.timestamp().div_euclid(60);
        let (day, minute) = (
            minute.div_euclid(MINUTES),
            minute.rem_euclid(MINUTES) as usize,
        );
        let minutes = self.seen.of((metric, day), Minutes::default);
        let bit = 1 << (minute % 64);
        let is_new = minutes[minute / 64] & bit == 0;
        minutes[minute / 64] |= bit;
        is_new
    }

    /// Notes that the heart was measured on a day.
    pub(super) fn worn(&mut self, day: NaiveDate) {
        self.worn.insert(day);
    }

    pub(super) fn finish(
        mut self,
        importer: &mut Importer<'_>,
        user: &UserId,
        profile: &Profile,
    ) -> Result<(), ImportError> {
        let sums = std::mem::take(&mut self.sums).all();
        for ((day, metric, _), sum) in &sums {
            if *metric == M::Steps && sum.total > 0.0 {
                self.worn.insert(*day);
            }
        }
        let unworn: BTreeSet<NaiveDate> = self
            .values
            .iter()
            .filter(|((_, day, metric), value)| {
                *metric == M::SedentaryMinutes
                    && value.number >= NOT_WORN
                    && !self.worn.contains(day)
            })
            .map(|((_, day, _), _)| *day)
            .collect();
        self.add_exercise();
        for ((source, day, metric), value) in &self.values {
            if is_movement(*metric) && unworn.contains(day) {
                importer.skip(SkipReason::NotWorn);
                continue;
            }
            let reading = match value.when {
                When::Morning => Reading::of_morning(*metric, value.number, value.unit, *day),
                When::Evening => Reading::of_day(*metric, value.number, value.unit, *day),
            };
            // One day has one value, whichever file it is in.
            let name = metric.as_str().to_ascii_lowercase();
            let reading = reading
                .id(format!("{name}-{day}"))
                .updated(value.updated_at);
            importer.reading(user, source, value.place, reading)?;
        }
        let tables: BTreeSet<(NaiveDate, MetricType)> = sums
            .keys()
            .filter(|(.., source)| self.sources[*source] != SOURCE)
            .map(|(day, metric, _)| (*day, *metric))
            .collect();
        let now = importer.options.now;
        let end = self
            .last
            .and_then(|last| last.checked_add_signed(TimeDelta::minutes(1)));
        let today = profile.day_of(end.map_or(now, |end| end.min(now)));
        for ((day, metric, source), Sum { total, place }) in &sums {
            let source = &self.sources[*source];
            if unworn.contains(day) {
                importer.skip(SkipReason::NotWorn);
            } else if *total == 0.0 {
                importer.skip(SkipReason::Missing);
            } else if source == SOURCE && tables.contains(&(*day, *metric)) {
                importer.skip(SkipReason::Repeated);
            } else {
                let kind = kind_of_total(*day, today);
                let reading = Reading::of_day(*metric, *total, metric.unit(), *day).kind(kind);
                importer.reading(user, source, *place, reading)?;
            }
        }
        Ok(())
    }

    /// Exercise minutes are moderate and vigorous ones together.
    fn add_exercise(&mut self) {
        let moderate: Vec<_> = self
            .values
            .iter()
            .filter(|((.., metric), _)| *metric == M::ModerateActivityMinutes)
            .map(|((source, day, _), value)| (*source, *day, value.clone()))
            .collect();
        for (source, day, moderate) in moderate {
            let vigorous = self.values.get(&(source, day, M::VigorousActivityMinutes));
            if let Some(vigorous) = vigorous {
                let number = moderate.number + vigorous.number;
                let value = Value { number, ..moderate };
                self.value(source, day, M::ExerciseMinutes, value);
            }
        }
    }
}

/// Whether a value says nothing on a day on which nobody wore the watch.
fn is_movement(metric: MetricType) -> bool {
    [
        M::Steps,
        M::TotalCalories,
        M::LightActivityMinutes,
        M::ModerateActivityMinutes,
        M::VigorousActivityMinutes,
        M::SedentaryMinutes,
        M::ExerciseMinutes,
        M::HeartRateBelowZone1Minutes,
        M::HeartRateZone1Minutes,
        M::HeartRateZone2Minutes,
        M::HeartRateZone3Minutes,
    ]
    .contains(&metric)
}
