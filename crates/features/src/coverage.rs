//! What there is of each metric: the days with a daily value, and those on which each source has one.

use crate::daily::DayRecords;
use crate::error::FeaturesError;
use crate::knowledge::{Calendar, Visible, visible};
use crate::reading::{by_source, daily_value};
use crate::table::Span;
use crate::tag::current;
use chrono::NaiveDate;
use vitalcast_domain::{AsOf, History, MetricType, Record};

/// What there is of a person's data.
#[derive(Debug, Clone, PartialEq)]
pub struct Coverage {
    /// The first day with a record; the days of every list begin with it.
    pub first_day: NaiveDate,
    /// The metrics with any daily value, in the order of [`MetricType::ALL`].
    pub metrics: Vec<MetricCoverage>,
    /// Days with a meal.
    pub meals: Vec<bool>,
    /// Days with a workout or walk.
    pub activities: Vec<bool>,
    /// Days with a tag.
    pub tags: Vec<bool>,
}

/// What there is of a metric.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricCoverage {
    /// The metric type.
    pub metric: MetricType,
    /// Place in `sources` of the one that counts, by day; `None` without a value.
    pub counted: Vec<Option<usize>>,
    /// Sources with a value on any day, in the order of their names.
    pub sources: Vec<SourceCoverage>,
}

/// What a source has of a metric.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceCoverage {
    /// The source.
    pub source: String,
    /// Whether it has a value, by day.
    pub days: Vec<bool>,
}

/// The days with values from the first record to the last, or to the day of `as_of`, with everything known
/// then. `None` if there are no records.
///
/// # Errors
///
/// [`FeaturesError::TooManyDays`], [`FeaturesError::EndOfCalendar`].
pub fn coverage(history: &History, as_of: AsOf) -> Result<Option<Coverage>, FeaturesError> {
    let of_tags = || history.tags.iter().map(|tag| tag.provenance.day);
    let of_records = history.span();
    let ends = |of_records: Option<NaiveDate>| of_records.into_iter().chain(of_tags());
    let (Some(first_day), Some(last_day)) = (
        ends(of_records.map(|(first, _)| first)).min(),
        ends(of_records.map(|(_, last)| last)).max(),
    ) else {
        return Ok(None);
    };
    let reach = history.profile.day_of(as_of).min(last_day);
    if reach < first_day {
        return Ok(None);
    }
    let days = Span::new(first_day, reach)?.days;
    // Evenings up to that by which all has become known.
    let known = (history.profile.day_of(as_of) - first_day).num_days();
    let evenings = days.max(usize::try_from(known).unwrap_or(0)) + 1;
    let calendar = Calendar::new(history, first_day, evenings);
    let versions = visible(history, &calendar, as_of);
    let last: Vec<&Visible<'_>> = versions
        .iter()
        .filter(|version| version.until == evenings)
        .collect();
    let mut found = Coverage {
        first_day,
        metrics: Vec::new(),
        meals: vec![false; days],
        activities: vec![false; days],
        tags: vec![false; days],
    };
    for tag in current(&history.tags, as_of) {
        let place = usize::try_from((tag.provenance.day - first_day).num_days());
        if let Some(day) = place.ok().and_then(|place| found.tags.get_mut(place)) {
            *day = true;
        }
    }
    let mut metrics: Vec<MetricCoverage> = MetricType::ALL
        .iter()
        .map(|&metric| MetricCoverage {
            metric,
            counted: vec![None; days],
            sources: Vec::new(),
        })
        .collect();
    let (mut before, mut rest): (&[&Visible<'_>], &[&Visible<'_>]) = (&[], &last);
    for day in 0..days {
        let (of_day, later) = rest.split_at(rest.partition_point(|version| version.day <= day));
        let mut records = DayRecords::default();
        for version in before {
            records.add_before(version.record);
        }
        for version in of_day {
            records.add(version.record);
            match version.record {
                Record::Meal(_) => found.meals[day] = true,
                Record::Activity(_) => found.activities[day] = true,
                Record::HealthMetric(_) | Record::Tag(_) => {}
            }
        }
        for version in later.iter().take_while(|version| version.day == day + 1) {
            records.add_after(version.record);
        }
        let sleep = records.sleep();
        let not_worn = records.not_worn();
        for metric in &mut metrics {
            let readings = records.counted_readings(metric.metric, &sleep, &not_worn);
            for value in by_source(metric.metric, &readings, &sleep) {
                let place = metric.place_of(value.source, days);
                metric.sources[place].days[day] = true;
            }
            let counted = daily_value(metric.metric, &readings, &sleep, &history.profile);
            metric.counted[day] = counted.map(|value| metric.place_of(value.source, days));
        }
        (before, rest) = (of_day, later);
    }
    metrics.retain(|metric| !metric.sources.is_empty());
    for metric in &mut metrics {
        metric.sort();
    }
    found.metrics = metrics;
    Ok(Some(found))
}

impl MetricCoverage {
    fn place_of(&mut self, source: &str, days: usize) -> usize {
        let known = self.sources.iter().position(|known| known.source == source);
        known.unwrap_or_else(|| {
            self.sources.push(SourceCoverage {
                source: source.to_owned(),
                days: vec![false; days],
            });
            self.sources.len() - 1
        })
    }

    /// Puts the sources into the order of their names.
    fn sort(&mut self) {
        let mut order: Vec<usize> = (0..self.sources.len()).collect();
        order.sort_by(|left, right| self.sources[*left].source.cmp(&self.sources[*right].source));
        for counted in self.counted.iter_mut().flatten() {
            *counted = order.iter().position(|place| place == counted).unwrap_or(0);
        }
        self.sources
            .sort_by(|left, right| left.source.cmp(&right.source));
    }
}
