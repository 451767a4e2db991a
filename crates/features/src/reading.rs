//! The value of a metric on one day, from the readings of one source or of several.

use crate::night::{Night, nights};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use std::cmp::Ordering;
use vitalcast_domain::{
    DayRule, HealthMetric, MetricType, NIGHT_GAP_MINUTES, Profile, ReadingKind,
    SHORTEST_NIGHT_HOURS, Span,
};

/// The value of a metric on a day, and the source that it comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct DailyValue<'a> {
    pub(crate) value: f64,
    pub(crate) source: &'a str,
}

/// The sleep of a day: its nights and naps, and the main night of each source.
pub(crate) struct Sleep<'a> {
    /// The day; `None` if no session ended on it.
    day: Option<NaiveDate>,
    /// Those of the day, and those of the days beside it that its sessions may belong to.
    nights: Vec<Night<'a>>,
    /// When the first night of the day began.
    began: Option<DateTime<Utc>>,
}

impl<'a> Sleep<'a> {
    /// From the sessions of a day, of the evening before it, and of the night after it, which may have
    /// begun on the day.
    pub(crate) fn new(
        of_day: &[&'a HealthMetric],
        beside: impl Iterator<Item = &'a HealthMetric>,
    ) -> Self {
        let day = of_day.first().map(|session| session.provenance.day);
        let nights = match day {
            Some(_) => nights(of_day.iter().copied().chain(beside)),
            None => Vec::new(),
        };
        let mut sleep = Self {
            day,
            nights,
            began: None,
        };
        sleep.began = sleep.nights().map(|night| night.start).min();
        sleep
    }

    /// Whether a night ends on the day.
    fn is_of_the_day(&self, night: &Night<'_>) -> bool {
        Some(night.last.provenance.day) == self.day
    }

    /// The main night of a source: its longest sleep.
    pub(crate) fn main_night(&self, source: &str) -> Option<&Night<'a>> {
        let of_source = self.nights().filter(|night| night.source == source);
        of_source.max_by(|left, right| left.by_length(right))
    }

    /// All nights and naps of the day.
    pub(crate) fn nights(&self) -> impl Iterator<Item = &Night<'a>> {
        self.nights.iter().filter(|night| self.is_of_the_day(night))
    }

    /// Whether a night is the main one of its source.
    pub(crate) fn is_main(&self, night: &Night<'_>) -> bool {
        self.main_night(night.source)
            .is_some_and(|main| main.start == night.start)
    }

    /// Whether a reading of the day before belongs to the main night, which began on that evening.
    pub(crate) fn began_with(&self, reading: &HealthMetric) -> bool {
        // Nearly all of them were of the morning.
        let near = TimeDelta::minutes(NIGHT_GAP_MINUTES);
        let may_be = |began| began - reading.provenance.observed_at < near;
        self.began.is_some_and(may_be) && self.is_of_main_night(reading)
    }

    /// Whether a reading belongs to the main night and not to a nap, nor to the night of another day.
    /// Nothing belongs to a night that is incomplete.
    fn is_of_main_night(&self, reading: &HealthMetric) -> bool {
        let provenance = &reading.provenance;
        let is_of_the_day = self.day.is_none_or(|day| day == provenance.day);
        if reading.kind() == ReadingKind::DayValue || !provenance.told.at.has_time() {
            return is_of_the_day;
        }
        let of_source = |night: &&Night<'_>| night.source == provenance.source;
        let has_own = self.nights.iter().any(|night| of_source(&night));
        let distance = |night: &&Night<'_>| night.distance(provenance.observed_at);
        let nights = || {
            let nights = self.nights.iter();
            nights.filter(|night| !has_own || of_source(night))
        };
        let is_near = |night: &Night<'_>| distance(&night) < TimeDelta::minutes(NIGHT_GAP_MINUTES);
        let nearest = nights().min_by_key(distance);
        let is_of_another =
            nearest.is_some_and(|night| !self.is_of_the_day(night) && is_near(night));
        if is_of_another || (!is_of_the_day && !nearest.is_some_and(is_near)) {
            return false;
        }
        nights()
            .filter(|night| self.is_of_the_day(night))
            .min_by_key(distance)
            .is_none_or(|night| self.is_main(night) && night.hours >= SHORTEST_NIGHT_HOURS)
    }
}

/// What one source says about a metric on a day.
struct Candidate<'a> {
    source: &'a str,
    value: f64,
    /// How much of the day its readings cover, hours.
    coverage: f64,
}

/// Hours that a reading at a moment covers: more readings cover more, any span covers more than them.
const OF_A_MOMENT: f64 = 1e-6;
/// Hours that the value of a whole day covers.
const OF_THE_DAY: f64 = 24.0;

/// The value of a metric from its readings of one day, in the order of their times. One source counts:
/// the first preferred one that has a value, else the one that covers most of the day.
pub(crate) fn daily_value<'a>(
    metric: MetricType,
    readings: &[&'a HealthMetric],
    sleep: &Sleep<'_>,
    profile: &Profile,
) -> Option<DailyValue<'a>> {
    let first: &'a str = &readings.first()?.provenance.source;
    let is_one_source = readings
        .iter()
        .all(|reading| reading.provenance.source == first);
    if is_one_source {
        let found = of_source(metric, first, readings, sleep)?;
        return Some(DailyValue {
            value: found.value,
            source: first,
        });
    }
    let mut candidates = candidates(metric, readings, sleep);
    let preferred = profile.preferred_sources.get(&metric);
    let rank = |candidate: &Candidate<'_>| {
        preferred
            .and_then(|sources| sources.iter().position(|name| name == candidate.source))
            .unwrap_or(usize::MAX)
    };
    let amounts = metric.is_amount();
    candidates.sort_by(|left, right| {
        rank(left)
            .cmp(&rank(right))
            .then_with(|| right.coverage.total_cmp(&left.coverage))
            .then_with(|| {
                if amounts {
                    right.value.total_cmp(&left.value)
                } else {
                    Ordering::Equal
                }
            })
            .then_with(|| left.source.cmp(right.source))
    });
    candidates.first().map(|best| DailyValue {
        value: best.value,
        source: best.source,
    })
}

/// What each source says, in the order of their names.
fn candidates<'a>(
    metric: MetricType,
    readings: &[&'a HealthMetric],
    sleep: &Sleep<'_>,
) -> Vec<Candidate<'a>> {
    let mut sources: Vec<&'a str> = readings
        .iter()
        .map(|reading| reading.provenance.source.as_str())
        .collect();
    sources.sort_unstable();
    sources.dedup();
    sources
        .into_iter()
        .filter_map(|source| {
            let own: Vec<&HealthMetric> = readings
                .iter()
                .copied()
                .filter(|reading| reading.provenance.source == source)
                .collect();
            of_source(metric, source, &own, sleep)
        })
        .collect()
}

/// The values of all sources, for people who want to see them.
pub(crate) fn by_source<'a>(
    metric: MetricType,
    readings: &[&'a HealthMetric],
    sleep: &Sleep<'_>,
) -> Vec<DailyValue<'a>> {
    candidates(metric, readings, sleep)
        .into_iter()
        .map(|candidate| DailyValue {
            value: candidate.value,
            source: candidate.source,
        })
        .collect()
}

fn of_source<'a>(
    metric: MetricType,
    source: &'a str,
    readings: &[&HealthMetric],
    sleep: &Sleep<'_>,
) -> Option<Candidate<'a>> {
    let candidate = |value: f64, coverage: f64| {
        Some(Candidate {
            source,
            value,
            coverage,
        })
    };
    let moments = |readings: &[&HealthMetric]| readings.len() as f64 * OF_A_MOMENT;
    let of_kind = |wanted: ReadingKind| move |reading: &&&HealthMetric| reading.kind() == wanted;
    match metric.day_rule() {
        DayRule::Level => match latest(readings.iter().filter(of_kind(ReadingKind::DayValue))) {
            Some(of_the_day) => candidate(of_the_day, OF_THE_DAY),
            None => {
                let values = readings.iter().map(|reading| reading.value);
                candidate(stepwise_mean(values)?, moments(readings))
            }
        },
        DayRule::Latest => candidate(latest(readings.iter())?, moments(readings)),
        DayRule::Amount(_) => {
            if let Some(total) = latest(readings.iter().filter(of_kind(ReadingKind::DayTotal))) {
                return candidate(total, OF_THE_DAY);
            }
            let running = readings.iter().filter(of_kind(ReadingKind::RunningTotal));
            if let Some(total) = running.map(|reading| reading.value).reduce(f64::max) {
                return candidate(total, OF_THE_DAY);
            }
            let (sum, hours) = sum_of_samples(readings)?;
            candidate(sum, hours + moments(readings))
        }
        DayRule::Night => {
            let (hours, covered) = match sleep.main_night(source) {
                Some(night) => {
                    let span = Span {
                        start: night.start,
                        end: night.end,
                    };
                    (night.hours, span.hours())
                }
                // Only the date is known; a sleep with times belongs to the night of another day.
                None => {
                    let of_a_date = readings
                        .iter()
                        .filter(|reading| reading.session().is_none());
                    (latest(of_a_date)?, OF_A_MOMENT)
                }
            };
            if hours < SHORTEST_NIGHT_HOURS {
                return None;
            }
            candidate(hours, covered)
        }
        DayRule::PartOfNight => {
            let parts = of_main_night(readings, sleep);
            let sum = parts
                .iter()
                .map(|reading| reading.value)
                .reduce(|sum, value| sum + value);
            candidate(sum?, moments(&parts))
        }
        DayRule::ScoreOfNight => {
            let scores = of_main_night(readings, sleep);
            candidate(latest(scores.iter())?, moments(&scores))
        }
    }
}

fn of_main_night<'a>(readings: &[&'a HealthMetric], sleep: &Sleep<'_>) -> Vec<&'a HealthMetric> {
    let is_of_it = |reading: &&HealthMetric| sleep.is_of_main_night(reading);
    readings.iter().copied().filter(is_of_it).collect()
}

/// The value that the source gave last; of values for the same time, the one that it changed last.
fn latest<'r, 'a: 'r>(readings: impl Iterator<Item = &'r &'a HealthMetric>) -> Option<f64> {
    readings
        .max_by_key(|reading| {
            let provenance = &reading.provenance;
            let told = &provenance.told;
            (provenance.observed_at, told.updated_at, provenance.known_at)
        })
        .map(|reading| reading.value)
}

/// Step by step, so that the mean of equal readings is that reading to the last bit.
fn stepwise_mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut mean = None;
    for (count, value) in values.enumerate() {
        mean = Some(match mean {
            None => value,
            Some(mean) => mean + (value - mean) / (count + 1) as f64,
        });
    }
    mean
}

/// The sum of samples, and the hours that their spans cover. Of spans that overlap, the longer counts.
fn sum_of_samples(readings: &[&HealthMetric]) -> Option<(f64, f64)> {
    if readings.is_empty() {
        return None;
    }
    let mut sum = 0.0;
    let mut spans: Vec<(Span, f64)> = Vec::new();
    for reading in readings {
        match reading.provenance.span {
            Some(span) if span.end > span.start => spans.push((span, reading.value)),
            Some(_) | None => sum += reading.value,
        }
    }
    spans.sort_by(|(left, value), (right, other)| {
        let longer_first = (left.start, right.end).cmp(&(right.start, left.end));
        longer_first.then_with(|| other.total_cmp(value))
    });
    let mut kept: Vec<(Span, f64)> = Vec::with_capacity(spans.len());
    for (span, value) in spans {
        match kept.last_mut() {
            Some((before, held)) if span.start < before.end => {
                if span.end - span.start > before.end - before.start {
                    (*before, *held) = (span, value);
                }
            }
            _ => kept.push((span, value)),
        }
    }
    let hours = kept.iter().map(|(span, _)| span.hours()).sum();
    Some((kept.iter().fold(sum, |sum, (_, value)| sum + value), hours))
}
