//! Planning an experiment.

use super::{ExperimentError, refused, words};
use crate::engine::Engine;
use crate::error::EngineError;
use chrono::{DateTime, Days, NaiveDate, Utc};
use std::collections::BTreeMap;
use vitalcast_domain::bounds::EXPERIMENT_DAYS;
use vitalcast_domain::{
    Condition, Experiment, ExperimentBaseline, ExperimentId, ExperimentPlan, ExperimentPreview,
    ExperimentRequest, PowerOption, PredictionMetric, StopRule, UserId,
};
use vitalcast_features::daily_values;
use vitalcast_insight::InsightError;
use vitalcast_insight::experiment::{
    BlockDesign, LEAST_DAYS, MOST_PAIRS, PowerTable, daily_spread, pair_spread, pairs_within,
    random_order,
};
use vitalcast_store::{AddedExperiment, Experiments, Store};

/// Days before today from which a plan is made.
const PAST_DAYS: u64 = 120;
/// Lengths that are shown beside the plan.
const LENGTHS: [usize; 7] = [6, 8, 10, 14, 20, 30, 45];
/// Experiments of one metric that may begin on the same day.
const SAME_START: usize = 100;

impl Engine {
    /// Plans an experiment from the person's own days of the metric, and stores it unless `dry_run`. The
    /// order of the blocks is drawn here and never changes.
    ///
    /// # Errors
    ///
    /// [`EngineError::UnknownUser`], [`EngineError::Request`] for a value outside its bounds,
    /// [`ExperimentError::NotEnoughDays`] and [`ExperimentError::NoVariance`] for days that tell nothing,
    /// [`ExperimentError::TooSmallEffect`], [`ExperimentError::Overlap`], [`EngineError::Store`].
    pub fn plan_experiment(
        &self,
        user: &UserId,
        request: &ExperimentRequest,
        dry_run: bool,
        now: DateTime<Utc>,
    ) -> Result<ExperimentPreview, EngineError> {
        request.validate()?;
        let today = self.profile(user)?.day_of(now);
        let start = first_day(request, today)?;
        let days = self.past_days(user, request.metric, today, now)?;
        let blocks = |pairs| BlockDesign {
            block_days: request.block_days,
            washout_days: request.washout_days,
            pairs,
        };
        let baseline = days.baseline(request.metric, &blocks(1))?;
        let metric = request.metric;
        let effect = request.smallest_effect.unwrap_or_else(|| metric.margin());
        let seed = request
            .seed
            .unwrap_or_else(|| seed_of(user, request, start));
        let table = match request.stop_rule {
            StopRule::None | StopRule::Futility => PowerTable::at_the_end(baseline.pair_spread),
            StopRule::ClearEffect => PowerTable::at_every_look(baseline.pair_spread, seed),
        };
        let most = pairs_within(request.block_days, EXPERIMENT_DAYS, MOST_PAIRS);
        let needed = table
            .pairs_for(effect, request.power)
            .filter(|pairs| *pairs <= most);
        let pairs = request.pairs.or(needed).ok_or_else(|| {
            EngineError::from(ExperimentError::TooSmallEffect {
                days: blocks(most).days(),
            })
        })?;
        let first_of_pairs = random_order(pairs, seed)
            .into_iter()
            .map(|b_first| if b_first { Condition::B } else { Condition::A })
            .collect();
        let mut experiment = Experiment {
            experiment_id: id(metric, start, 1)?,
            user_id: user.clone(),
            plan: ExperimentPlan {
                question: request.question.trim().to_owned(),
                metric,
                condition_a: request.condition_a.trim().to_owned(),
                condition_b: request.condition_b.trim().to_owned(),
                measure: request.measure,
                smallest_effect: effect,
                power: request.power,
                block_days: request.block_days,
                washout_days: request.washout_days,
                start,
                outcome_lag_days: request.outcome_lag_days,
                stop_rule: request.stop_rule,
                seed,
                first_of_pairs,
            },
            planned_at: now,
            baseline,
            adherence: BTreeMap::new(),
            stopped_at: None,
            stopped_after: None,
        };
        if !dry_run {
            self.store_experiment(&mut experiment, request.allow_overlap)?;
        }
        let option = |pairs| PowerOption {
            pairs,
            days: blocks(pairs).days(),
            detectable_effect: table.detectable(pairs, request.power),
        };
        let mut preview = ExperimentPreview {
            is_stored: !dry_run,
            days: experiment.plan.days(),
            power: table.power(effect, pairs),
            detectable_effect: table.detectable(pairs, request.power),
            pairs_needed: needed,
            days_needed: needed.map(|pairs| blocks(pairs).days()),
            options: LENGTHS
                .into_iter()
                .filter(|pairs| *pairs <= most)
                .map(option)
                .collect(),
            summary: String::new(),
            experiment,
        };
        preview.summary = words::plan(&preview);
        Ok(preview)
    }

    /// Stores a new experiment under the first free id.
    fn store_experiment(
        &self,
        experiment: &mut Experiment,
        allow_overlap: bool,
    ) -> Result<(), EngineError> {
        for number in 1..=SAME_START {
            experiment.experiment_id = id(experiment.plan.metric, experiment.plan.start, number)?;
            let added = self.wait(self.store.add_experiment(experiment, allow_overlap))?;
            match added {
                AddedExperiment::Stored => return Ok(()),
                AddedExperiment::IdTaken => {}
                AddedExperiment::Overlaps(other) => {
                    return Err(ExperimentError::Overlap(other).into());
                }
            }
        }
        Err(ExperimentError::Overlap(experiment.experiment_id.clone()).into())
    }

    /// The days of a metric before today, as known now.
    fn past_days(
        &self,
        user: &UserId,
        metric: PredictionMetric,
        today: NaiveDate,
        now: DateTime<Utc>,
    ) -> Result<PastDays, EngineError> {
        let before = |days| today.checked_sub_days(Days::new(days)).unwrap_or(today);
        let (first, last) = (before(PAST_DAYS), before(1));
        // A night may begin on the evening before its day.
        let days = before(PAST_DAYS + 1)..=today;
        let history = self.wait(self.store.history(user, Some(days)))?;
        let history = history.ok_or_else(|| self.unknown(user))?;
        Ok(PastDays {
            values: daily_values(&history, metric.metric_type(), first, last, now)?,
            first,
            last,
        })
    }
}

/// The days before an experiment is planned.
struct PastDays {
    values: Vec<Option<f64>>,
    first: NaiveDate,
    last: NaiveDate,
}

impl PastDays {
    fn baseline(
        &self,
        metric: PredictionMetric,
        design: &BlockDesign,
    ) -> Result<ExperimentBaseline, ExperimentError> {
        let (first, last) = (self.first, self.last);
        let known = self.values.iter().flatten().count();
        // Days before the first value are not missing: there was nothing yet.
        let begin = self.values.iter().position(Option::is_some).unwrap_or(0);
        let days = &self.values[begin..];
        let spread = daily_spread(days).map_err(|error| {
            if error == InsightError::Constant {
                ExperimentError::NoVariance {
                    metric,
                    first,
                    last,
                }
            } else {
                ExperimentError::NotEnoughDays {
                    metric,
                    got: known,
                    needed: LEAST_DAYS,
                    first,
                    last,
                }
            }
        })?;
        Ok(ExperimentBaseline {
            first_day: first + Days::new(begin as u64),
            last_day: last,
            days: known,
            mean: spread.mean,
            standard_deviation: spread.standard_deviation,
            autocorrelation: spread.autocorrelation,
            pair_spread: pair_spread(&spread, days, design),
        })
    }
}

/// The first day: not before today, because what is seen before planning must not count.
fn first_day(request: &ExperimentRequest, today: NaiveDate) -> Result<NaiveDate, EngineError> {
    let after = |days| today.checked_add_days(Days::new(days));
    let (Some(tomorrow), Some(latest)) = (after(1), after(2 * EXPERIMENT_DAYS as u64)) else {
        return Err(refused("start", "is at the end of the calendar".to_owned()));
    };
    let latest = latest
        .checked_sub_days(Days::new(EXPERIMENT_DAYS as u64))
        .unwrap_or(today);
    let start = request.start.unwrap_or(tomorrow);
    if start < today || start > latest {
        return Err(refused(
            "start",
            format!("must be from today, {today}, to {latest}, but is {start}"),
        ));
    }
    Ok(start)
}

/// An id that a person can remember: metric and first day.
fn id(
    metric: PredictionMetric,
    start: NaiveDate,
    number: usize,
) -> Result<ExperimentId, EngineError> {
    let name = metric.short_name();
    let day = start.format("%Y%m%d");
    let id = match number {
        1 => format!("{name}-{day}"),
        _ => format!("{name}-{day}-{number}"),
    };
    Ok(ExperimentId::new(id)?)
}

/// A seed that differs between people and experiments, and is the same for the same ones. It has 32 bits,
/// so that every program reads it exactly.
fn seed_of(user: &UserId, request: &ExperimentRequest, start: NaiveDate) -> u64 {
    let text = format!(
        "{user}\n{}\n{start}\n{}\n{}",
        request.metric, request.condition_a, request.condition_b
    );
    let hash = blake3::hash(text.as_bytes());
    let bytes = hash.as_bytes();
    u64::from(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
}
