//! Totals of days as vendors give them, and amounts of days and heart rates from samples: by source and
//! local day. A person's samples of ten years
//! are millions, their days are few.

use crate::batch::Importer;
use crate::error::ImportError;
use crate::readings::{Place, Reading};
use chrono::{DateTime, NaiveDate, Utc};
use std::collections::BTreeMap;
use vitalcast_domain::{MetricType, Profile, ReadingKind, Unit, UserId};

/// What the total of a local day is: on a day that is not over it is the total so far.
pub(crate) fn kind_of_total(day: NaiveDate, today: NaiveDate) -> ReadingKind {
    if day < today {
        ReadingKind::DayTotal
    } else {
        ReadingKind::RunningTotal
    }
}

impl Importer<'_> {
    /// What a total of a local day is at the time of the import.
    pub(crate) fn kind_of_total(&self, user: &UserId, day: NaiveDate) -> ReadingKind {
        kind_of_total(day, self.profile_of(user).day_of(self.options.now))
    }

    /// Adds the total of a local day if there is one.
    pub(crate) fn day_total(
        &mut self,
        user: &UserId,
        source: &str,
        place: Place<'_>,
        day: NaiveDate,
        (metric, value, unit): (MetricType, Option<f64>, Unit),
    ) -> Result<(), ImportError> {
        let Some(value) = value else {
            return Ok(());
        };
        let kind = self.kind_of_total(user, day);
        let reading = Reading::of_day(metric, value, unit, day).kind(kind);
        self.reading(user, source, place, reading)
    }
}

/// Sums of samples by metric, source and local day.
#[derive(Debug, Default)]
pub(crate) struct DayAmounts {
    sums: BTreeMap<(String, NaiveDate, MetricType), f64>,
}

impl DayAmounts {
    /// Adds a sample, in the unit of its metric.
    pub(crate) fn add(&mut self, metric: MetricType, source: &str, day: NaiveDate, value: f64) {
        // Nearly all samples have a source and day that are known.
        let key = (source.to_owned(), day, metric);
        *self.sums.entry(key).or_default() += value;
    }

    /// Passes the totals on. Days that are not over at `seen` have totals so far.
    pub(crate) fn finish(
        self,
        importer: &mut Importer<'_>,
        user: &UserId,
        place: Place<'_>,
        seen: DateTime<Utc>,
    ) -> Result<(), ImportError> {
        let today = importer.profile_of(user).day_of(seen);
        for ((source, day, metric), sum) in self.sums {
            let kind = kind_of_total(day, today);
            let reading = Reading::of_day(metric, sum, metric.unit(), day).kind(kind);
            importer.reading(user, &source, place, reading)?;
        }
        Ok(())
    }
}

/// The local days of samples: the day of a quarter of an hour is looked up once, since samples mostly come
/// in order.
#[derive(Debug, Default)]
pub(crate) struct LocalDays {
    profile: Profile,
    /// A quarter of an hour since 1970, and its day; `None` if a day begins in it.
    last: Option<(i64, Option<NaiveDate>)>,
}

impl LocalDays {
    /// Days as a profile forms them.
    pub(crate) fn of(profile: Profile) -> Self {
        let last = None;
        Self { profile, last }
    }

    pub(crate) fn profile(&self) -> &Profile {
        &self.profile
    }

    /// The local day of an instant.
    pub(crate) fn day_of(&mut self, at: DateTime<Utc>) -> NaiveDate {
        let slot = at.timestamp().div_euclid(QUARTER);
        let day = match self.last {
            Some((last, day)) if last == slot => day,
            Some(_) | None => {
                let ends = [slot * QUARTER, slot * QUARTER + QUARTER - 1];
                let days = ends.map(|end| {
                    let end = DateTime::from_timestamp(end, 0)?;
                    Some(self.profile.day_of(end))
                });
                let day = days[0].filter(|day| days[1] == Some(*day));
                self.last = Some((slot, day));
                day
            }
        };
        day.unwrap_or_else(|| self.profile.day_of(at))
    }
}

/// Seconds of a quarter of an hour.
const QUARTER: i64 = 900;
/// Seconds of the shortest time over which a low heart rate counts.
const HALF_HOUR: i64 = 1_800;
/// Fewest samples in half an hour whose mean is believed.
const FEWEST: u32 = 3;

/// Heart rates of one source: mean of the day, and lowest mean of half an hour.
#[derive(Debug, Default)]
pub(crate) struct HeartRates {
    /// By half hour since 1970: sum and number.
    slots: BTreeMap<i64, (f64, u32)>,
    /// The half hour of the last samples, which are not among them yet: samples mostly come in order.
    last: i64,
    open: (f64, u32),
}

impl HeartRates {
    /// Adds a sample, beats per minute. What no heart does is left out.
    pub(crate) fn add(&mut self, at: DateTime<Utc>, rate: f64) {
        let (low, high) = MetricType::AverageHeartRate.plausible_range();
        if (low..=high).contains(&rate) {
            let slot = at.timestamp().div_euclid(HALF_HOUR);
            if slot != self.last {
                self.slots.extend(self.closed());
                (self.last, self.open) = (slot, (0.0, 0));
            }
            self.open.0 += rate;
            self.open.1 += 1;
        }
    }

    /// The last half hour with all of its samples.
    fn closed(&self) -> Option<(i64, (f64, u32))> {
        let (sum, count) = self.slots.get(&self.last).copied().unwrap_or_default();
        let whole = (sum + self.open.0, count + self.open.1);
        (self.open.1 > 0).then_some((self.last, whole))
    }

    /// Mean of each local day and its lowest mean of half an hour, in the order of days. The mean is that of
    /// half hours: workouts, which are sampled more often, do not count more.
    pub(crate) fn days(&self, profile: &Profile) -> BTreeMap<NaiveDate, (f64, Option<f64>)> {
        let mut days: BTreeMap<NaiveDate, (f64, u32, Option<f64>)> = BTreeMap::new();
        let closed = self.closed();
        let others = self.slots.iter().map(|(slot, sums)| (*slot, *sums));
        let others = others.filter(|(slot, _)| closed.is_none_or(|closed| closed.0 != *slot));
        for (slot, (sum, count)) in others.chain(closed) {
            let Some(at) = DateTime::from_timestamp(slot * HALF_HOUR, 0) else {
                continue;
            };
            let mean = sum / f64::from(count);
            let day = days.entry(profile.day_of(at)).or_default();
            day.0 += mean;
            day.1 += 1;
            if count >= FEWEST {
                day.2 = Some(day.2.map_or(mean, |lowest| lowest.min(mean)));
            }
        }
        let days = days.into_iter();
        days.map(|(day, (sum, slots, lowest))| (day, (sum / f64::from(slots), lowest)))
            .collect()
    }

    /// Passes them on.
    pub(crate) fn finish(
        self,
        importer: &mut Importer<'_>,
        user: &UserId,
        source: &str,
        place: Place<'_>,
    ) -> Result<(), ImportError> {
        let clock = importer.profile_of(user);
        self.pass_on(importer, user, source, place, &clock)
    }

    /// Passes them on, with the days of a clock.
    pub(crate) fn pass_on(
        &self,
        importer: &mut Importer<'_>,
        user: &UserId,
        source: &str,
        place: Place<'_>,
        clock: &Profile,
    ) -> Result<(), ImportError> {
        for (day, (mean, lowest)) in self.days(clock) {
            let values = [
                (MetricType::AverageHeartRate, Some(mean)),
                (MetricType::LowestHeartRate, lowest),
            ];
            for (metric, value) in values {
                if let Some(value) = value {
                    let reading = Reading::of_day(metric, value, Unit::PerMinute, day);
                    importer.reading(user, source, place, reading)?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    #[test]
    fn days_are_those_of_the_profile_in_any_zone() {
        // Newfoundland put its clocks back at one minute past midnight: to the day before.
        for (zone, start) in [
            ("America/St_Johns", "2010-11-07T01:00:00Z"),
            ("Europe/Berlin", "2024-03-30T21:00:00Z"),
            ("Asia/Kathmandu", "2024-03-30T17:00:00Z"),
        ] {
            let profile = Profile {
                zone: zone.parse().unwrap(),
                ..Profile::default()
            };
            let mut days = LocalDays::of(profile.clone());
            let start: DateTime<Utc> = start.parse().unwrap();
            for seconds in (0..4 * 3_600).step_by(7) {
                let at = start + TimeDelta::seconds(seconds);
                assert_eq!(days.day_of(at), profile.day_of(at), "{zone} {at}");
            }
        }
    }

    #[test]
    fn heart_rates_may_come_in_any_order() {
        let start: DateTime<Utc> = "2024-03-01T08:00:00Z".parse().unwrap();
        let samples: Vec<(i64, f64)> = (0..200)
            .map(|n| (n * 97 % 7_200, (50 + n % 40) as f64))
            .collect();
        let read = |samples: &[(i64, f64)]| {
            let mut rates = HeartRates::default();
            for (seconds, rate) in samples {
                rates.add(start + TimeDelta::seconds(*seconds), *rate);
            }
            rates.days(&Profile::default())
        };
        let mut sorted = samples.clone();
        sorted.sort_by_key(|(seconds, _)| *seconds);
        assert_eq!(read(&samples), read(&sorted));
        assert_eq!(read(&sorted).len(), 1);
    }
}
