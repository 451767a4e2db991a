//! An experiment with its days: what was due, what was done, and the values that show it.

use super::analysis::analyse;
use crate::engine::Engine;
use crate::error::EngineError;
use chrono::{DateTime, Days, NaiveDate, Timelike, Utc};
use std::collections::{BTreeMap, BTreeSet};
use vitalcast_domain::{
    Condition, Experiment, ExperimentDay, ExperimentView, History, Measure, MetricType, Profile,
    Provenance, Record, RecordKind, UserId,
};
use vitalcast_features::daily_values;
use vitalcast_store::{RecordFilter, Store};

/// Records read at a time.
const PAGE: u32 = 5_000;
const MINUTES_OF_A_DAY: u32 = 24 * 60;

impl Engine {
    /// The days of an experiment with everything known now, and their analysis.
    pub(super) fn view(
        &self,
        experiment: Experiment,
        now: DateTime<Utc>,
    ) -> Result<ExperimentView, EngineError> {
        let user = &experiment.user_id;
        let plan = &experiment.plan;
        let last = plan.last_outcome_day().max(plan.last_day() + Days::new(1));
        // A night may begin on the evening before its day.
        let days = plan.start - Days::new(1)..=last + Days::new(1);
        let history = self.wait(self.store.history(user, Some(days)))?;
        let history = history.ok_or_else(|| self.unknown(user))?;
        let today = history.profile.day_of(now);
        let values = outcomes(&experiment, &history, today, now)?;
        let read = match plan.measure {
            Some(measure) => self.read_measure(&experiment, measure, &history, today, now)?,
            None => BTreeMap::new(),
        };
        let mut rows = Vec::with_capacity(plan.days());
        for number in 0..plan.days() {
            let day = plan.day(number);
            let Some((condition, is_washout)) = plan.due(number) else {
                continue;
            };
            if day > experiment.last_day() {
                break;
            }
            let word = experiment.adherence.get(&day);
            let read = read.get(&day).copied();
            let by_word = word.map(|word| {
                if word.followed {
                    condition
                } else {
                    condition.other()
                }
            });
            rows.push(ExperimentDay {
                day,
                pair: number / (2 * plan.block_days) + 1,
                condition,
                label: plan.label(condition).to_owned(),
                is_washout,
                outcome_day: plan.day(number + plan.outcome_lag_days),
                value: values.get(number).copied().flatten(),
                said: word.map(|word| word.followed),
                note: word.and_then(|word| word.note.clone()),
                read,
                done: by_word.or(read),
            });
        }
        let state = experiment.state(today);
        let due = rows
            .iter()
            .find(|row| row.day == today && super::is_due_on(&experiment, today));
        let due = due.cloned();
        let analysis = analyse(&experiment, &rows, today, now);
        Ok(ExperimentView {
            state,
            today: due,
            days: rows,
            analysis,
            experiment,
        })
    }

    /// Which condition the records show, by day; days that are not over or tell nothing are left out.
    fn read_measure(
        &self,
        experiment: &Experiment,
        measure: Measure,
        history: &History,
        today: NaiveDate,
        now: DateTime<Utc>,
    ) -> Result<BTreeMap<NaiveDate, Condition>, EngineError> {
        let plan = &experiment.plan;
        let Some(yesterday) = today.checked_sub_days(Days::new(1)) else {
            return Ok(BTreeMap::new());
        };
        let last = plan.last_day().min(yesterday);
        if last < plan.start {
            return Ok(BTreeMap::new());
        }
        let days = |metric: MetricType, later: u64| {
            let (first, last) = (plan.start + Days::new(later), last + Days::new(later));
            daily_values(history, metric, first, last, now)
        };
        let by_value = |values: Vec<Option<f64>>, is_a: &dyn Fn(f64) -> bool| {
            let known = values.into_iter().enumerate();
            known
                .filter_map(|(number, value)| Some((plan.day(number), condition(is_a(value?)))))
                .collect()
        };
        Ok(match measure {
            Measure::StepsAtLeast(steps) => by_value(days(MetricType::Steps, 0)?, &|value| {
                value >= f64::from(steps)
            }),
            // The night after a day ends on the next one, whose midnight bedtimes are counted from.
            Measure::BedtimeBefore(until) => {
                let until = f64::from(until) / 60.0;
                let until = if until >= 12.0 { until - 24.0 } else { until };
                by_value(days(MetricType::Bedtime, 1)?, &|value| value < until)
            }
            Measure::NoFoodAfter(from) => {
                let times = self.times(&experiment.user_id, RecordKind::Meal, plan.start, last)?;
                let from = since_the_day_began(u32::from(from), &history.profile);
                // A day without a single meal at a known time tells nothing: who writes none down still eats.
                times
                    .into_iter()
                    .filter(|(_, at)| !at.is_empty())
                    .map(|(day, at)| {
                        let is_late = at
                            .into_iter()
                            .any(|minutes| since_the_day_began(minutes, &history.profile) >= from);
                        (day, condition(!is_late))
                    })
                    .collect()
            }
            Measure::Workout | Measure::NoWorkout => {
                let active: BTreeSet<NaiveDate> = self
                    .times(&experiment.user_id, RecordKind::Activity, plan.start, last)?
                    .into_keys()
                    .collect();
                let wants = measure == Measure::Workout;
                plan.start
                    .iter_days()
                    .take_while(|day| *day <= last)
                    .map(|day| (day, condition(active.contains(&day) == wants)))
                    .collect()
            }
        })
    }

    /// The days with records of a kind, and the minutes after midnight of those with a known time.
    fn times(
        &self,
        user: &UserId,
        kind: RecordKind,
        first: NaiveDate,
        last: NaiveDate,
    ) -> Result<BTreeMap<NaiveDate, Vec<u32>>, EngineError> {
        let filter = RecordFilter::all(kind, first..=last);
        let mut times: BTreeMap<NaiveDate, Vec<u32>> = BTreeMap::new();
        let mut after = None;
        loop {
            let (records, next) = self.records(user, &filter, after.as_deref(), PAGE)?;
            for record in &records {
                let provenance = record.provenance();
                let of_day = times.entry(provenance.day).or_default();
                of_day.extend(minutes_of(record, provenance));
            }
            after = next;
            if after.is_none() {
                return Ok(times);
            }
        }
    }
}

fn condition(is_a: bool) -> Condition {
    if is_a { Condition::A } else { Condition::B }
}

fn minutes_of(record: &Record, provenance: &Provenance) -> Option<u32> {
    let is_known = match record {
        Record::Meal(meal) => meal.time_known(),
        Record::Activity(_) | Record::HealthMetric(_) | Record::Tag(_) => {
            provenance.told.at.has_time()
        }
    };
    is_known.then(|| provenance.local_time().num_seconds_from_midnight() / 60)
}

/// Minutes since the person's day began, for people whose day begins later than midnight.
fn since_the_day_began(minutes: u32, profile: &Profile) -> u32 {
    let begin = profile.day_begins_hour * 60;
    (minutes + MINUTES_OF_A_DAY - begin) % MINUTES_OF_A_DAY
}

/// The value that shows each day, of days that are over.
fn outcomes(
    experiment: &Experiment,
    history: &History,
    today: NaiveDate,
    now: DateTime<Utc>,
) -> Result<Vec<Option<f64>>, EngineError> {
    let plan = &experiment.plan;
    let first = plan.day(plan.outcome_lag_days);
    let last_due = experiment.last_day();
    let last = (last_due + Days::new(plan.outcome_lag_days as u64)).min(plan.last_outcome_day());
    let Some(yesterday) = today.checked_sub_days(Days::new(1)) else {
        return Ok(Vec::new());
    };
    let last = last.min(yesterday);
    if last < first {
        return Ok(Vec::new());
    }
    Ok(daily_values(
        history,
        plan.metric.metric_type(),
        first,
        last,
        now,
    )?)
}
