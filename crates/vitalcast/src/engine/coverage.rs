//! What there is of a person's data, and what can be forecast with it.

use super::Engine;
use crate::error::EngineError;
use chrono::{DateTime, Days, NaiveDate, Utc};
use serde::Serialize;
use std::collections::BTreeSet;
use vitalcast_charts::{CoverageChart, CoverageRow};
use vitalcast_domain::{DayRule, History, MetricType, PredictionMetric, Record, UserId};
use vitalcast_features::{Coverage, coverage};
use vitalcast_inference::{LEAST_READINGS, RECENT_DAYS};

/// What there is of a person's data.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct DataCoverage {
    /// Id of the person.
    pub user_id: UserId,
    /// Cut-off time of the data.
    pub as_of: DateTime<Utc>,
    /// First local day with a record.
    pub first: Option<NaiveDate>,
    /// The metrics with any daily value.
    pub metrics: Vec<MetricDays>,
    /// Days with a meal.
    pub meals: Option<DayCount>,
    /// Days with a workout or walk.
    pub activities: Option<DayCount>,
    /// Days with a tag.
    pub tags: Option<DayCount>,
    /// What can be forecast.
    pub forecasts: Vec<ForecastReadiness>,
    /// What to know about it: sources that change, for example.
    pub notes: Vec<String>,
    /// The days themselves, for pictures.
    #[serde(skip)]
    days: Option<Coverage>,
}

/// The days with a daily value of a metric.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct MetricDays {
    /// The metric type.
    pub metric: MetricType,
    /// Number of days with a value.
    pub days: usize,
    /// The first of them.
    pub first: Option<NaiveDate>,
    /// The last of them.
    pub last: Option<NaiveDate>,
    /// Days with a value of each source, and on how many of them it counts.
    pub sources: Vec<SourceDays>,
}

/// The days with a value of one source.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct SourceDays {
    /// The source.
    pub source: String,
    /// Number of days with a value.
    pub days: usize,
    /// Number of days on which this value is the daily value.
    pub counts_on: usize,
    /// The first day.
    pub first: Option<NaiveDate>,
    /// The last day.
    pub last: Option<NaiveDate>,
}

/// A number of days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct DayCount {
    /// Their number.
    pub days: usize,
    /// The first of them.
    pub first: NaiveDate,
    /// The last of them.
    pub last: NaiveDate,
}

/// Whether a metric can be forecast from what is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ForecastReadiness {
    /// The metric.
    pub metric: PredictionMetric,
    /// Number of days with a value.
    pub days: usize,
    /// Number of days from which on there are forecasts.
    pub needed: usize,
    /// The last day with a value.
    pub last: Option<NaiveDate>,
    /// Whether there are enough days.
    pub is_ready: bool,
    /// Whether the last value is recent enough for a forecast of the next day.
    pub is_recent: bool,
}

impl Engine {
    /// What there is of a person's data, with everything known at `as_of` (default: now).
    ///
    /// # Errors
    ///
    /// [`EngineError::UnknownUser`], [`EngineError::Store`]; [`EngineError::Features`] for a history of
    /// too many days.
    pub fn coverage(
        &self,
        user: &UserId,
        as_of: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<DataCoverage, EngineError> {
        let as_of = as_of.map_or(now, |as_of| as_of.min(now));
        Ok(DataCoverage::of(&self.load(user)?, as_of)?)
    }

    /// A sentence for each preferred source of the profile that has no records to prefer.
    ///
    /// # Errors
    ///
    /// [`EngineError::UnknownUser`], [`EngineError::Store`].
    pub fn unused_preferences(&self, user: &UserId) -> Result<Vec<String>, EngineError> {
        Ok(unused_preferences(&self.load(user)?))
    }
}

/// Says which preferred sources have nothing, and which sources there are instead.
fn unused_preferences(history: &History) -> Vec<String> {
    let mut notes = Vec::new();
    for (&metric, order) in &history.profile.preferred_sources {
        let sources: BTreeSet<&str> = history
            .records
            .iter()
            .filter(|record| match record {
                Record::HealthMetric(reading) => reading.metric == metric,
                // Of workouts recorded twice, the order of the minutes of exercise decides.
                Record::Activity(_) => metric == MetricType::ExerciseMinutes,
                Record::Meal(_) | Record::Tag(_) => false,
            })
            .map(|record| record.provenance().source.as_str())
            .collect();
        let there: Vec<&str> = sources.iter().copied().collect();
        let instead = if there.is_empty() {
            "no source has any".to_owned()
        } else {
            format!("there are some of {}", there.join(", "))
        };
        for source in order {
            if !sources.contains(source.as_str()) {
                notes.push(format!(
                    "{source} is preferred for {metric}, but has no readings of it ({instead}); the \
                     preference counts once it has"
                ));
            }
        }
    }
    notes
}

/// The number of days that are there, and the places of the first and the last.
fn ends(days: impl Iterator<Item = bool>) -> (usize, Option<(usize, usize)>) {
    let places: Vec<usize> = days
        .enumerate()
        .filter_map(|(place, is_there)| is_there.then_some(place))
        .collect();
    let ends = places.first().copied().zip(places.last().copied());
    (places.len(), ends)
}

impl DataCoverage {
    fn of(
        history: &History,
        as_of: DateTime<Utc>,
    ) -> Result<Self, vitalcast_features::FeaturesError> {
        let found = coverage(history, as_of)?;
        let today = history.profile.day_of(as_of);
        let mut answer = Self {
            user_id: history.user.clone(),
            as_of,
            first: found.as_ref().map(|found| found.first_day),
            metrics: Vec::new(),
            meals: None,
            activities: None,
            tags: None,
            forecasts: Vec::new(),
            notes: Vec::new(),
            days: None,
        };
        if let Some(found) = found {
            answer.fill(&found);
            answer.days = Some(found);
        }
        answer.notes.extend(unused_preferences(history));
        answer.forecasts = PredictionMetric::ALL
            .iter()
            .map(|&metric| {
                let of_metric = |days: &&MetricDays| days.metric == metric.metric_type();
                let days = answer.metrics.iter().find(of_metric);
                let count = days.map_or(0, |days| days.days);
                ForecastReadiness {
                    metric,
                    days: count,
                    needed: LEAST_READINGS,
                    last: days.and_then(|days| days.last),
                    is_ready: count >= LEAST_READINGS,
                    is_recent: days
                        .and_then(|days| days.last)
                        .is_some_and(|last| last + Days::new(RECENT_DAYS as u64) > today),
                }
            })
            .collect();
        Ok(answer)
    }

    fn fill(&mut self, found: &Coverage) {
        let day = |place: usize| found.first_day + Days::new(place as u64);
        let count = |days: &[bool]| {
            let (count, ends) = ends(days.iter().copied());
            ends.map(|(first, last)| DayCount {
                days: count,
                first: day(first),
                last: day(last),
            })
        };
        self.meals = count(&found.meals);
        self.activities = count(&found.activities);
        self.tags = count(&found.tags);
        for metric in &found.metrics {
            let counted = metric.counted.iter().map(Option::is_some);
            let (days, at) = ends(counted);
            let sources = metric.sources.iter().enumerate().map(|(place, source)| {
                let (days, at) = ends(source.days.iter().copied());
                let counts = metric.counted.iter().filter(|at| **at == Some(place));
                SourceDays {
                    source: source.source.clone(),
                    days,
                    counts_on: counts.count(),
                    first: at.map(|(first, _)| day(first)),
                    last: at.map(|(_, last)| day(last)),
                }
            });
            self.metrics.push(MetricDays {
                metric: metric.metric,
                days,
                first: at.map(|(first, _)| day(first)),
                last: at.map(|(_, last)| day(last)),
                sources: sources.collect(),
            });
            if is_vendors_own(metric.metric) {
                self.notes.extend(changes(metric, day));
            }
        }
    }

    /// The calendar of what there is; `None` without any data.
    pub fn chart(&self) -> Option<CoverageChart> {
        let days = self.days.as_ref()?;
        let mut rows = Vec::new();
        for metric in &days.metrics {
            let several = metric.sources.len() > 1;
            if several {
                rows.push(CoverageRow {
                    label: metric.metric.to_string(),
                    days: metric.counted.iter().map(Option::is_some).collect(),
                    is_part: false,
                });
            }
            for source in &metric.sources {
                rows.push(CoverageRow {
                    label: if several {
                        source.source.clone()
                    } else {
                        metric.metric.to_string()
                    },
                    days: source.days.clone(),
                    is_part: several,
                });
            }
        }
        for (label, days) in [
            ("meals", &days.meals),
            ("workouts", &days.activities),
            ("tags", &days.tags),
        ] {
            if days.contains(&true) {
                rows.push(CoverageRow {
                    label: label.to_owned(),
                    days: days.clone(),
                    is_part: false,
                });
            }
        }
        (!rows.is_empty()).then(|| CoverageChart {
            title: format!("Data of {}", self.user_id),
            subtitle: "Days with a daily value, by metric and source".to_owned(),
            first_day: days.first_day,
            rows,
        })
    }
}

/// Whether each vendor means something of its own by a metric, so that values of two are not one series.
fn is_vendors_own(metric: MetricType) -> bool {
    match metric.day_rule() {
        DayRule::Latest => true,
        DayRule::ScoreOfNight => metric == MetricType::SleepScore,
        DayRule::Level | DayRule::Amount(_) | DayRule::Night | DayRule::PartOfNight => {
            metric == MetricType::StressLevel
        }
    }
}

/// Days on which the daily value of a metric begins to come from another vendor.
fn changes(
    metric: &vitalcast_features::MetricCoverage,
    day: impl Fn(usize) -> NaiveDate,
) -> Option<String> {
    let vendor = |place: usize| {
        let source = metric.sources[place].source.as_str();
        source.split('/').next().unwrap_or(source)
    };
    let mut parts: Vec<String> = Vec::new();
    let mut last: Option<&str> = None;
    for (place, source) in metric.counted.iter().enumerate() {
        let Some(source) = source else { continue };
        let vendor = vendor(*source);
        if last.replace(vendor) != Some(vendor) {
            parts.push(format!("{vendor} from {}", day(place)));
        }
    }
    (parts.len() > 1).then(|| {
        const SHOWN: usize = 4;
        let more = parts.len().saturating_sub(SHOWN);
        let mut text = parts[..parts.len().min(SHOWN)].join(", ");
        if more > 0 {
            text += &format!(" and {more} more changes");
        }
        format!(
            "{} is the score of another vendor over time, and each vendor means something else by it: \
             {text}",
            metric.metric
        )
    })
}
