//! Amounts in the hours before falling asleep: real hours, where records have their times.

use crate::catalogue::FeatureId;
use crate::error::FeaturesError;
use crate::field::late;
use crate::knowledge::{Calendar, visible};
use crate::reading::{Sleep, daily_value};
use chrono::{DateTime, Days, NaiveDate, TimeDelta, Timelike, Utc};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use vitalcast_domain::{AsOf, HealthMetric, History, MetricType, Record};

/// Local hours at which people wake; a reading of another time is stamped with something else.
const WAKING_HOURS: std::ops::Range<u32> = 3..15;
/// Longest look back from a night, days.
const LOOK_BACK: u64 = 9;

/// The amount of a record that a daily feature sums up, 0 if the record does not count; `None` for
/// other features.
fn amount(feature: FeatureId, record: &Record) -> Option<f64> {
    use FeatureId as F;
    let of = |amounts: &[(FeatureId, Option<f64>)]| {
        let found = amounts.iter().find(|(id, _)| *id == feature);
        found.and_then(|(_, amount)| *amount)
    };
    match record {
        Record::Meal(meal) if meal.time_known() => {
            let late = |amount: Option<f64>| amount.map(|amount| late(meal, amount));
            of(&[
                (F::CaloriesDaily, meal.energy_kcal),
                (F::LateNightCalories, late(meal.energy_kcal)),
                (F::ProteinDaily, meal.protein_g),
                (F::CarbsDaily, meal.carbs_g),
                (F::LateNightCarbs, late(meal.carbs_g)),
                (F::FatDaily, meal.fat_g),
                (F::FiberDaily, meal.fiber_g),
            ])
        }
        Record::Activity(activity) => of(&[
            (F::ActiveMinutesDaily, activity.duration_minutes),
            (F::CaloriesBurnedDaily, activity.energy_kcal),
        ]),
        Record::Meal(_) | Record::HealthMetric(_) | Record::Tag(_) => None,
    }
}

/// The amounts of a feature in windows of hours before the person fell asleep, for the night each
/// day of `first_day ..= last_day` began with: `[window][day]`.
///
/// A window `(near, far)` reaches from `far` to `near` hours before sleep. Sleep begins the time
/// asleep before waking, so that time awake in bed makes it seem later than it was. A day is missing
/// when its night is, and when the food, or the workouts, of one of the local days its window reaches
/// into were not recorded; a window of recorded days into which nothing fell is 0. `None` when no
/// night has a time of waking, or the feature is no amount of something with a time.
///
/// # Errors
///
/// [`FeaturesError::EndOfCalendar`].
pub fn amounts_before_sleep(
    history: &History,
    feature: FeatureId,
    windows: &[(f64, f64)],
    first_day: NaiveDate,
    last_day: NaiveDate,
    as_of: AsOf,
) -> Result<Option<Vec<Vec<Option<f64>>>>, FeaturesError> {
    let profile = &history.profile;
    let begin = first_day
        .checked_sub_days(Days::new(LOOK_BACK))
        .ok_or(FeaturesError::EndOfCalendar(first_day))?;
    let reach = profile.day_of(as_of).max(last_day);
    let days = usize::try_from((reach - begin).num_days().clamp(0, 20_000) + 1)
        .expect("not before the first day");
    let calendar = Calendar::new(history, begin, days);
    let mut amounts: Vec<(DateTime<Utc>, f64)> = Vec::new();
    let mut recorded: BTreeSet<NaiveDate> = BTreeSet::new();
    let mut sessions: BTreeMap<NaiveDate, Vec<&HealthMetric>> = BTreeMap::new();
    let current = visible(history, &calendar, as_of);
    for version in current.iter().filter(|version| version.until == days) {
        let provenance = version.record.provenance();
        if let Some(amount) = amount(feature, version.record) {
            amounts.push((provenance.observed_at, amount));
            recorded.insert(provenance.day);
        }
        if let Record::HealthMetric(reading) = version.record
            && reading.metric == MetricType::SleepDuration
            && !reading.metric.not_measured(reading.value)
        {
            sessions.entry(provenance.day).or_default().push(reading);
        }
    }
    let nights: HashMap<NaiveDate, DateTime<Utc>> = sessions
        .iter()
        .filter_map(|(day, of_day)| {
            let beside = [day.pred_opt(), day.succ_opt()];
            let beside = beside
                .into_iter()
                .flatten()
                .filter_map(|day| sessions.get(&day));
            let sleep = Sleep::new(of_day, beside.flatten().copied());
            let counted = daily_value(MetricType::SleepDuration, of_day, &sleep, profile)?;
            let night = sleep.main_night(counted.source)?;
            let woken = night.last.provenance.local_time();
            WAKING_HOURS
                .contains(&woken.hour())
                .then_some((*day, night.start))
        })
        .collect();
    if amounts.is_empty() || nights.is_empty() {
        return Ok(None);
    }
    amounts.sort_by_key(|(at, _)| *at);
    let hours = |hours: f64| TimeDelta::seconds((hours * 3_600.0).round() as i64);
    let of_window = |(near, far): &(f64, f64)| {
        let of_day = |day: NaiveDate| {
            let fell_asleep = *nights.get(&day)?;
            let (from, to) = (fell_asleep - hours(*far), fell_asleep - hours(*near));
            let inside = amounts.partition_point(|(at, _)| *at < from)
                ..amounts.partition_point(|(at, _)| *at < to);
            // The end itself is not inside.
            let last = profile.day_of(to - TimeDelta::seconds(1));
            let mut days = profile
                .day_of(from)
                .iter_days()
                .take_while(|day| *day <= last);
            days.all(|day| recorded.contains(&day))
                .then(|| amounts[inside].iter().map(|(_, amount)| amount).sum())
        };
        first_day
            .iter_days()
            .take_while(|day| *day <= last_day)
            .map(of_day)
            .collect()
    };
    Ok(Some(windows.iter().map(of_window).collect()))
}
