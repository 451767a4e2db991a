//! One day for people to look at: every daily value, the source that counts, and what others say.

use crate::daily::DayRecords;
use crate::error::FeaturesError;
use crate::knowledge::{Calendar, visible};
use crate::reading::{by_source, daily_value};
use crate::tag::current;
use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use vitalcast_domain::{AsOf, History, MetricType, Moment, Profile, Record};

/// What is known of one local day.
#[derive(Debug, Clone, PartialEq)]
pub struct DayView {
    /// The day.
    pub day: NaiveDate,
    /// The metrics with any reading, in the order of [`MetricType::ALL`].
    pub values: Vec<DayValue>,
    /// Nights and naps that end on the day, in time order.
    pub sleeps: Vec<SleepView>,
    /// Meals, each once.
    pub meals: usize,
    /// Workouts and walks, each once.
    pub activities: usize,
    /// What was noted of the day, in time order.
    pub tags: Vec<TagView>,
    /// Meals and activities left out because another source recorded them too.
    pub recorded_twice: usize,
    /// Whether no watch, ring or band was worn: of what one measures there are zeros and nothing else.
    pub is_not_worn: bool,
}

/// The readings of a metric on a day.
#[derive(Debug, Clone, PartialEq)]
pub struct DayValue {
    /// The metric type.
    pub metric: MetricType,
    /// The daily value and its source; `None` if no reading counts.
    pub counted: Option<SourceValue>,
    /// The value of each source, in the order of their names.
    pub by_source: Vec<SourceValue>,
    /// Number of readings.
    pub readings: usize,
}

/// A value of one source, in [`MetricType::unit`].
#[derive(Debug, Clone, PartialEq)]
pub struct SourceValue {
    /// The source.
    pub source: String,
    /// The value.
    pub value: f64,
}

/// Something that was noted of the day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagView {
    /// The source.
    pub source: String,
    /// The label or the question.
    pub name: String,
    /// Whether it was so.
    pub applies: bool,
    /// What the person wrote beside it.
    pub note: Option<String>,
}

/// A night or a nap.
#[derive(Debug, Clone, PartialEq)]
pub struct SleepView {
    /// The source.
    pub source: String,
    /// Start of the first session.
    pub start: DateTime<Utc>,
    /// End of the last session.
    pub end: DateTime<Utc>,
    /// The same on the person's clock: that of the source if it says so, else by the profile.
    pub local_start: NaiveDateTime,
    /// End of the last session on the same clock.
    pub local_end: NaiveDateTime,
    /// Time asleep, hours.
    pub hours: f64,
    /// Whether it is a nap: a longer sleep of the same source ends on this day.
    pub is_nap: bool,
}

/// One day with everything known at `as_of`.
///
/// # Errors
///
/// [`FeaturesError::EndOfCalendar`].
pub fn day_view(history: &History, day: NaiveDate, as_of: AsOf) -> Result<DayView, FeaturesError> {
    let begin = day
        .checked_sub_days(Days::new(1))
        .filter(|_| day.checked_add_days(Days::new(2)).is_some())
        .ok_or(FeaturesError::EndOfCalendar(day))?;
    let reach = history.profile.day_of(as_of).max(day);
    let days = usize::try_from((reach - begin).num_days().clamp(1, 20_000) + 1)
        .expect("at least two days");
    let calendar = Calendar::new(history, begin, days);
    let versions = visible(history, &calendar, as_of);
    let mut records = DayRecords::default();
    for version in versions.iter().filter(|version| version.until == days) {
        match version.day {
            0 => records.add_before(version.record),
            1 => records.add(version.record),
            2 => records.add_after(version.record),
            _ => {}
        }
    }
    let profile = &history.profile;
    let sleep = records.sleep();
    let not_worn = records.not_worn();
    let values = MetricType::ALL
        .iter()
        .map(|&metric| (metric, records.readings(metric, &sleep)))
        .filter(|(_, readings)| !readings.is_empty())
        .map(|(metric, readings)| DayValue {
            metric,
            counted: daily_value(
                metric,
                &records.counted_readings(metric, &sleep, &not_worn),
                &sleep,
                profile,
            )
            .map(|found| SourceValue {
                source: found.source.to_owned(),
                value: found.value,
            }),
            by_source: by_source(metric, &readings, &sleep)
                .into_iter()
                .map(|found| SourceValue {
                    source: found.source.to_owned(),
                    value: found.value,
                })
                .collect(),
            readings: readings.len(),
        })
        .collect();
    let mut sleeps: Vec<SleepView> = sleep
        .nights()
        .map(|night| SleepView {
            source: night.source.to_owned(),
            start: night.start,
            end: night.end,
            local_start: on_clock(profile, night.start, night.last.provenance.told.at),
            local_end: on_clock(
                profile,
                night.end,
                night
                    .last
                    .provenance
                    .told
                    .until
                    .unwrap_or(night.last.provenance.told.at),
            ),
            hours: night.hours,
            is_nap: !sleep.is_main(night),
        })
        .collect();
    sleeps.sort_by(|left, right| (left.start, &left.source).cmp(&(right.start, &right.source)));
    let events = records.events(profile);
    let is_meal = |record: &&&Record| matches!(record, Record::Meal(_));
    let meals = events.iter().filter(is_meal).count();
    Ok(DayView {
        day,
        values,
        sleeps,
        meals,
        activities: events.len() - meals,
        tags: current(&history.tags, as_of)
            .into_iter()
            .filter(|tag| tag.provenance.day == day)
            .map(|tag| TagView {
                source: tag.provenance.source.clone(),
                name: tag.name.clone(),
                applies: tag.applies,
                note: tag.note.clone(),
            })
            .collect(),
        recorded_twice: records.recorded_events() - events.len(),
        is_not_worn: records.is_no_device_worn(&not_worn),
    })
}

/// An instant on the person's clock: by the offset with which its source wrote a time of the same sleep, else
/// by the profile.
fn on_clock(profile: &Profile, at: DateTime<Utc>, written: Moment) -> NaiveDateTime {
    let offset = match written {
        Moment::Instant {
            offset_seconds: Some(offset),
            ..
        } => offset,
        Moment::Instant { .. } | Moment::Clock(_) | Moment::Date(_) => profile.offset_seconds(at),
    };
    at.naive_utc() + TimeDelta::seconds(i64::from(offset))
}
