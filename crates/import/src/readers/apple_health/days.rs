//! What becomes one value a day: amounts, means, revised values, and the summaries of the rings.

use super::elements::attributes;
use super::sources::Sources;
use crate::amounts::{DayAmounts, HeartRates};
use crate::batch::{Importer, fault};
use crate::error::ImportError;
use crate::healthkit::Amount;
use crate::readings::{Place, Reading};
use crate::report::{RejectReason, SkipReason};
use crate::table::Fault;
use chrono::{DateTime, NaiveDate, Utc};
use quick_xml::events::BytesStart;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use vitalcast_domain::{MetricType, Unit, UserId};

/// Source of the summaries.
const SUMMARY: &str = "apple-health/summary";

/// A source, a local day and a metric.
type Key = (usize, NaiveDate, MetricType);
/// End and creation of a value.
type Times = [DateTime<Utc>; 2];

/// The values of days, by source.
#[derive(Debug, Default)]
pub(super) struct Days {
    /// By name as it is written: two watches of one person are not added up.
    amounts: HashMap<(usize, NaiveDate, Amount), f64>,
    means: BTreeMap<Key, (f64, u32)>,
    latest: BTreeMap<Key, (Times, f64)>,
    rates: BTreeMap<usize, HeartRates>,
    summaries: BTreeMap<NaiveDate, Vec<(MetricType, f64)>>,
}

impl Days {
    /// Number of values that are kept, without heart rates.
    pub(super) fn len(&self) -> usize {
        self.amounts.len() + self.means.len() + self.latest.len()
    }

    pub(super) fn amount(&mut self, name: usize, day: NaiveDate, amount: Amount, value: f64) {
        *self.amounts.entry((name, day, amount)).or_default() += value;
    }

    pub(super) fn mean(&mut self, source: usize, day: NaiveDate, metric: MetricType, value: f64) {
        let mean = self.means.entry((source, day, metric)).or_default();
        mean.0 += value;
        mean.1 += 1;
    }

    /// Of two values of a day, the one with the later times counts.
    pub(super) fn latest(
        &mut self,
        source: usize,
        day: NaiveDate,
        metric: MetricType,
        times: Times,
        value: f64,
    ) {
        let key = (source, day, metric);
        let known = self.latest.entry(key).or_insert((times, value));
        if times >= known.0 {
            *known = (times, value);
        }
    }

    pub(super) fn rate(&mut self, source: usize, at: DateTime<Utc>, rate: f64) {
        self.rates.entry(source).or_default().add(at, rate);
    }

    /// A day of the rings.
    pub(super) fn read_summary(
        &mut self,
        element: &BytesStart<'_>,
        importer: &mut Importer<'_>,
        sources: &mut Sources,
    ) -> Result<(), Fault> {
        let mut day = None;
        let mut values = [None; 3];
        let mut energy_unit = None;
        for attribute in attributes(element) {
            let number = || attribute.value.trim().parse::<f64>().ok();
            match attribute.key.0 {
                "dateComponents" => day = attribute.value.parse::<NaiveDate>().ok(),
                "activeEnergyBurned" => values[0] = number(),
                "appleExerciseTime" => values[1] = number(),
                "appleStandHours" => values[2] = number(),
                "activeEnergyBurnedUnit" => energy_unit = Some(attribute),
                _ => {}
            }
        }
        if values
            .iter()
            .all(|value| value.is_none_or(|value| value == 0.0))
        {
            importer.skip(SkipReason::NotWorn);
            return Ok(());
        }
        let Some(day) = day else {
            let message = "the summary has no date that can be read".to_owned();
            return Err((RejectReason::BadTime, message));
        };
        importer.check_day(day)?;
        let energy_unit = match energy_unit {
            Some(unit) => sources.unit(Some(&unit))?,
            None => Unit::Kilocalories,
        };
        let units = [
            (MetricType::ActiveCalories, energy_unit),
            (MetricType::ExerciseMinutes, Unit::Minutes),
            (MetricType::StandingHours, Unit::Hours),
        ];
        let mut found = Vec::new();
        for ((metric, unit), value) in units.into_iter().zip(values) {
            if let Some(value) = value
                && let Some(value) = metric
                    .measured(value, unit)
                    .map_err(|error| fault(&error))?
            {
                found.push((metric, value));
            }
        }
        self.summaries.insert(day, found);
        Ok(())
    }

    /// Passes them on.
    pub(super) fn finish(
        self,
        importer: &mut Importer<'_>,
        user: &UserId,
        sources: &Sources,
        place: Place<'_>,
        seen: DateTime<Utc>,
    ) -> Result<(), ImportError> {
        let name = |source: usize| sources.known.get(source).map_or("", String::as_str);
        let mut totals: BTreeMap<Key, f64> = BTreeMap::new();
        for ((written, day, amount), value) in &self.amounts {
            let source = sources.of_names.get(*written).copied().unwrap_or_default();
            let mut add = |metric, value: f64| {
                let total = totals.entry((source, *day, metric)).or_insert(value);
                *total = total.max(value);
            };
            match amount {
                Amount::Of(metric) => add(*metric, *value),
                Amount::Basal => {
                    let active = Amount::Of(MetricType::ActiveCalories);
                    if let Some(active) = self.amounts.get(&(*written, *day, active))
                        && *value > 0.0
                    {
                        add(MetricType::TotalCalories, value + active);
                    }
                }
            }
        }
        let mut amounts = DayAmounts::default();
        let mut sampled: BTreeSet<(NaiveDate, MetricType)> = BTreeSet::new();
        for ((source, day, metric), total) in totals {
            sampled.insert((day, metric));
            amounts.add(metric, name(source), day, rounded(total));
        }
        for (day, values) in self.summaries {
            for (metric, value) in values {
                if !sampled.contains(&(day, metric)) {
                    amounts.add(metric, SUMMARY, day, rounded(value));
                }
            }
        }
        amounts.finish(importer, user, place, seen)?;
        let means = self.means.into_iter();
        let means = means.map(|(key, (sum, count))| (key, rounded(sum / f64::from(count))));
        let latest = self
            .latest
            .into_iter()
            .map(|(key, (_, value))| (key, value));
        for ((source, day, metric), value) in means.chain(latest) {
            let reading = Reading::of_day(metric, value, metric.unit(), day);
            importer.reading(user, name(source), place, reading)?;
        }
        for (source, rates) in self.rates {
            rates.finish(importer, user, name(source), place)?;
        }
        Ok(())
    }
}

/// A sum that does not depend on the order in which it was added up.
fn rounded(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}
