//! One day of a person, as people look at it.

use super::Engine;
use crate::error::EngineError;
use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, Utc};
use serde::Serialize;
use vitalcast_domain::{MetricType, PredictionMetric, SHORTEST_NIGHT_HOURS, UserId};
use vitalcast_features::{DayValue, SleepView, SourceValue, TagView, daily_values, day_view};
use vitalcast_inference::is_last_unusual;
use vitalcast_store::Store;

/// Days with which an unusual value is compared.
const COMPARED_DAYS: u64 = 60;

/// What is known of one local day: every daily value, and the source that it comes from.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct DayOfPerson {
    /// Id of the person.
    pub user_id: UserId,
    /// The local day.
    pub day: NaiveDate,
    /// Time zone in which the day begins.
    pub zone: vitalcast_domain::Zone,
    /// Start of the day.
    pub begins_at: DateTime<Utc>,
    /// End of the day.
    pub ends_at: DateTime<Utc>,
    /// Cut-off time of the data: what became known later is not used.
    pub as_of: DateTime<Utc>,
    /// Whether the day had ended by then; the amounts of an unfinished day still grow.
    pub is_over: bool,
    /// Whether nothing was measured but zeros: the device was not worn.
    pub is_not_worn: bool,
    /// The metrics with any reading.
    pub values: Vec<MetricOfDay>,
    /// Nights and naps that end on the day.
    pub sleeps: Vec<SleepOfDay>,
    /// Number of meals.
    pub meals: usize,
    /// Number of workouts and walks.
    pub activities: usize,
    /// What was noted of the day.
    pub tags: Vec<TagOfDay>,
    /// Meals and activities left out because another source recorded them too.
    pub recorded_twice: usize,
}

/// A metric on a day.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct MetricOfDay {
    /// The metric type.
    pub metric_type: MetricType,
    /// The daily value; null if no reading counts.
    pub value: Option<f64>,
    /// Unit of the values.
    pub unit: &'static str,
    /// The source of the value.
    pub source: Option<String>,
    /// Whether the value is far outside the person's own range, so that forecasts leave it out (for metrics
    /// that can be forecast).
    pub is_unusual: bool,
    /// The rule by which readings become the daily value.
    pub rule: &'static str,
    /// Number of readings.
    pub readings: usize,
    /// The value of each source.
    pub by_source: Vec<ValueOfSource>,
}

/// A value of one source.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct ValueOfSource {
    /// The source.
    pub source: String,
    /// The value.
    pub value: f64,
}

/// Something that was noted of a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct TagOfDay {
    /// The label or the question.
    pub name: String,
    /// Whether it was so.
    pub applies: bool,
    /// What the person wrote beside it.
    pub note: Option<String>,
    /// The source.
    pub source: String,
}

/// A night or a nap.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct SleepOfDay {
    /// The source.
    pub source: String,
    /// Time of falling asleep.
    pub start: DateTime<Utc>,
    /// Time of waking.
    pub end: DateTime<Utc>,
    /// Time of falling asleep on the person's clock: that of the source if it says so, else by the profile.
    pub local_start: NaiveDateTime,
    /// Time of waking on the same clock.
    pub local_end: NaiveDateTime,
    /// Time asleep, hours.
    pub hours: f64,
    /// Whether it is a nap.
    pub is_nap: bool,
    /// Whether it is a night too short to count: less than [`SHORTEST_NIGHT_HOURS`].
    pub is_incomplete: bool,
}

impl From<SourceValue> for ValueOfSource {
    fn from(value: SourceValue) -> Self {
        Self {
            source: value.source,
            value: value.value,
        }
    }
}

impl From<DayValue> for MetricOfDay {
    fn from(found: DayValue) -> Self {
        let (source, value) = match found.counted {
            Some(counted) => (Some(counted.source), Some(counted.value)),
            None => (None, None),
        };
        Self {
            metric_type: found.metric,
            value,
            unit: found.metric.unit().symbol(),
            source,
            is_unusual: false,
            rule: found.metric.day_rule().words(),
            readings: found.readings,
            by_source: found.by_source.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<TagView> for TagOfDay {
    fn from(tag: TagView) -> Self {
        Self {
            name: tag.name,
            applies: tag.applies,
            note: tag.note,
            source: tag.source,
        }
    }
}

impl From<SleepView> for SleepOfDay {
    fn from(sleep: SleepView) -> Self {
        Self {
            source: sleep.source,
            start: sleep.start,
            end: sleep.end,
            local_start: sleep.local_start,
            local_end: sleep.local_end,
            hours: sleep.hours,
            is_nap: sleep.is_nap,
            is_incomplete: !sleep.is_nap && sleep.hours < SHORTEST_NIGHT_HOURS,
        }
    }
}

impl Engine {
    /// One day of a person with the data known at `as_of` (default: now).
    ///
    /// # Errors
    ///
    /// [`EngineError::UnknownUser`], [`EngineError::Store`]; [`EngineError::InvalidSetting`] for a day at
    /// the end of the calendar.
    pub fn day(
        &self,
        user: &UserId,
        day: NaiveDate,
        as_of: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<DayOfPerson, EngineError> {
        let as_of = as_of.map_or(now, |as_of| as_of.min(now));
        let before = day
            .checked_sub_days(Days::new(COMPARED_DAYS))
            .unwrap_or(day);
        // The evening of the day may be the first part of the next night.
        let after = day.succ_opt().unwrap_or(day);
        let history = self.wait(self.store.history(user, Some(before..=after)))?;
        let history = history.ok_or_else(|| self.unknown(user))?;
        let view = day_view(&history, day, as_of)?;
        let profile = &history.profile;
        let ends_at = profile.evening_of(day);
        let mut values: Vec<MetricOfDay> = view.values.into_iter().map(Into::into).collect();
        for &metric in PredictionMetric::ALL {
            let metric_type = metric.metric_type();
            let found = values
                .iter_mut()
                .find(|value| value.metric_type == metric_type);
            if let Some(found) = found {
                let days = daily_values(&history, metric_type, before, day, as_of)?;
                found.is_unusual = is_last_unusual(metric, &days);
            }
        }
        Ok(DayOfPerson {
            user_id: user.clone(),
            day,
            zone: profile.zone_on(day),
            begins_at: profile.start_of_day(day),
            ends_at,
            as_of,
            is_over: ends_at <= as_of,
            is_not_worn: view.is_not_worn,
            values,
            sleeps: view.sleeps.into_iter().map(Into::into).collect(),
            meals: view.meals,
            activities: view.activities,
            tags: view.tags.into_iter().map(Into::into).collect(),
            recorded_twice: view.recorded_twice,
        })
    }
}
