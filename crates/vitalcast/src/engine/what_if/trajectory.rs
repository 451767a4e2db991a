//! Trajectories: the days to come, simulated from the person's own past days.

use super::super::Engine;
use super::scene::{HABIT_DAYS, of_the_calendar};
use super::words;
use crate::engine::predict::Served;
use crate::error::{EngineError, ErrorKind};
use chrono::{DateTime, Datelike, Days, NaiveDate, Utc};
use rayon::prelude::*;
use vitalcast_domain::{
    ASSOCIATION, FieldError, History, IntervalMethod, InvalidRequest, LagRequest, MetricTrajectory,
    MetricType, PredictRequest, PredictionMetric, SkippedMetric, TrajectoryChange, TrajectoryPoint,
    TrajectoryRequest, TrajectoryResponse, UserId,
};
use vitalcast_evaluation::{Distribution, beyond_rounding, mean};
use vitalcast_features::{DailyHistory, DayCells, KnownDays, PersonData};
use vitalcast_inference::{ForecastQuery, expected};
use vitalcast_insight::scenario::{Change, DAYS_LOOKED_AT, Day, Lever, ScenarioError};
use vitalcast_insight::trajectory::{Band, SimulatedDay, bands, draws, quantile};
use vitalcast_store::{Generation, Store};

const LEVEL: f64 = 0.95;
/// Past days that simulated days are like, at least.
const LEAST_DAYS: usize = 7;

impl Engine {
    /// Simulates the days to come, with changes on every day and without. Each forecast is fed back as the
    /// metric's reading, drawn from the model's distribution; everything else of a day is that of a past day
    /// of the person, on weekdays of a weekday. The changes are made on the records of these days.
    ///
    /// # Errors
    ///
    /// [`EngineError::Request`], [`EngineError::UnknownUser`], [`EngineError::Store`]. A metric that cannot be
    /// forecast is left out with its reason.
    pub fn trajectory(
        &self,
        request: &TrajectoryRequest,
        now: DateTime<Utc>,
    ) -> Result<TrajectoryResponse, EngineError> {
        request.validate()?;
        let user = &request.user_id;
        let generation = self.generation(user)?.ok_or_else(|| self.unknown(user))?;
        let kept = self
            .days_of(user, generation, NaiveDate::MIN, now)
            .map_err(of_the_calendar)?;
        let start = Start::new(&kept.days, request, now)?;
        let (changes, mut warnings) = changes_of(request);
        let past = Past::new(self, user, &kept.days, &start, &changes, &mut warnings)?;
        let mut skipped = Vec::new();
        let (mut trajectories, mut baselines) = (Vec::new(), Vec::new());
        let shortage = past.shortage();
        for &metric in &request.metrics_to_predict {
            if let Some(reason) = &shortage {
                skipped.push(SkippedMetric {
                    metric,
                    reason: reason.clone(),
                    code: ErrorKind::NotEnoughData.code().to_owned(),
                });
                continue;
            }
            match self.of_metric(request, generation, metric, &start, &past, &changes, now) {
                Ok((changed, baseline)) => {
                    trajectories.push(changed);
                    baselines.push(baseline);
                }
                Err(error) if is_of_the_metric(&error) => skipped.push(SkippedMetric {
                    metric,
                    reason: error.to_string(),
                    code: error.code().to_owned(),
                }),
                Err(error) => return Err(error),
            }
        }
        let made: Vec<TrajectoryChange> = request
            .nutrition_changes
            .iter()
            .map(|change| TrajectoryChange {
                delta: within_limit(change),
                ..change.clone()
            })
            .collect();
        let summary = words::trajectory_summary(request, &trajectories, &skipped);
        let recommendation = words::trajectory_recommendation(&trajectories);
        Ok(TrajectoryResponse {
            user_id: user.clone(),
            start_date: start.day,
            end_date: start.day + Days::new(request.duration_days as u64),
            duration_days: request.duration_days,
            nutrition_changes: made,
            model_confidence: mean(trajectories.iter().map(|of| of.confidence)),
            trajectories,
            baseline_trajectories: request.include_no_change_baseline.then_some(baselines),
            data_quality_warning: (!warnings.is_empty()).then(|| warnings.join("; ")),
            summary,
            recommendation,
            skipped_metrics: skipped,
            interval_level: LEVEL,
            paths: request.paths,
            seed: request.seed,
            association: ASSOCIATION.to_owned(),
        })
    }

    /// The trajectories of a metric with the changes and without.
    #[expect(clippy::too_many_arguments, reason = "one place calls it")]
    fn of_metric(
        &self,
        request: &TrajectoryRequest,
        generation: Generation,
        metric: PredictionMetric,
        start: &Start,
        past: &Past,
        changes: &[(Lever, f64)],
        now: DateTime<Utc>,
    ) -> Result<(MetricTrajectory, MetricTrajectory), EngineError> {
        let user = &request.user_id;
        let predict = PredictRequest::new(user.clone(), metric, start.day);
        let served = self.served(&predict, generation)?;
        let simulation = Simulation {
            served: &served,
            metric,
            start,
            past,
            days: request.duration_days,
            seed: request.seed,
        };
        let lag = self.lag_of(user, metric, changes, start.day, now)?;
        let of = |with_changes: bool| {
            let paths = (0..request.paths as u64)
                .into_par_iter()
                .map(|path| simulation.path(path, with_changes))
                .collect::<Result<Vec<_>, EngineError>>()?;
            let bands = bands(&paths, LEVEL, metric.margin());
            Ok::<_, EngineError>(simulation.answer(&bands, served.id()?.to_string()))
        };
        let baseline = of(false)?;
        let mut changed = if changes.is_empty() {
            baseline.clone()
        } else {
            of(true)?
        };
        let last = |of: &MetricTrajectory| of.projected_final_value;
        changed.effect = (!changes.is_empty())
            .then(|| beyond_rounding(last(&changed) - last(&baseline), last(&baseline)));
        changed.lag_description = lag.map(words::lag);
        changed.optimal_lag_hours = lag;
        Ok((changed, baseline))
    }

    /// The significant lag of the first changed feature that has one.
    fn lag_of(
        &self,
        user: &UserId,
        metric: PredictionMetric,
        changes: &[(Lever, f64)],
        start: NaiveDate,
        now: DateTime<Utc>,
    ) -> Result<Option<u32>, EngineError> {
        let target = metric.metric_type().as_str().parse()?;
        for (lever, _) in changes {
            let request = LagRequest {
                max_lag_hours: 168,
                lookback_days: HABIT_DAYS as usize,
                last_day: start.pred_opt(),
                ..LagRequest::new(user.clone(), target, lever.name().to_owned())
            };
            let found = self.lag_analysis(&request, now)?.optimal_lag_hours;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }
}

/// Whether an error concerns one metric only.
fn is_of_the_metric(error: &EngineError) -> bool {
    if matches!(error, EngineError::UnknownUser { .. }) {
        return false;
    }
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotEnoughData | ErrorKind::Damaged => true,
        ErrorKind::InvalidRequest => error.code() == "TOO_FAR_AHEAD",
        ErrorKind::InvalidData
        | ErrorKind::Busy
        | ErrorKind::Unavailable
        | ErrorKind::Interrupted
        | ErrorKind::Internal => false,
    }
}

/// A change within the limit of its feature.
fn within_limit(change: &TrajectoryChange) -> f64 {
    let lever = Lever::named(&change.feature_name).ok();
    let limit = lever.and_then(Lever::largest_daily_change);
    limit.map_or(change.delta, |limit| change.delta.clamp(-limit, limit))
}

/// The changes that can be made, and what to say about the others.
fn changes_of(request: &TrajectoryRequest) -> (Vec<(Lever, f64)>, Vec<String>) {
    let (mut changes, mut warnings) = (Vec::new(), Vec::new());
    for change in &request.nutrition_changes {
        let delta = within_limit(change);
        let name: String = change.feature_name.chars().take(80).collect();
        if delta != change.delta {
            warnings.push(format!(
                "{name} changes by {delta} a day, the largest change that is simulated"
            ));
        }
        match Lever::named(&change.feature_name) {
            Ok(lever) if Lever::BEHAVIOUR.contains(&lever) || is_amount(lever) => {
                changes.push((lever, delta));
            }
            Ok(_) => warnings.push(format!(
                "{name} is nothing that a person does: it was not changed"
            )),
            Err(error @ ScenarioError::Follows { .. }) => {
                warnings.push(format!("{error}; it was not changed"));
            }
            Err(_) => warnings.push(format!(
                "{name} is no feature that can be changed: it was left out"
            )),
        }
    }
    (changes, warnings)
}

fn is_amount(lever: Lever) -> bool {
    matches!(lever, Lever::Reading(metric) if metric.is_amount())
}

/// The day on which the simulation begins.
struct Start {
    day: NaiveDate,
    /// The moment as of which the past is known.
    as_of: DateTime<Utc>,
    /// The days that are known, with the first one if it is over.
    days: DailyHistory,
    is_over: bool,
    /// What is known of the first day if it is not over.
    today: Option<DayCells>,
}

impl Start {
    fn new(
        kept: &DailyHistory,
        request: &TrajectoryRequest,
        now: DateTime<Utc>,
    ) -> Result<Self, EngineError> {
        let profile = PersonData::from(kept).profile();
        let today = profile.day_of(now);
        let day = request.start_date.unwrap_or(today);
        let refused = |message: String| {
            EngineError::Request(InvalidRequest(vec![FieldError {
                field: "start_date",
                message,
            }]))
        };
        if day > today {
            return Err(refused(format!("must be today, {today}, or earlier")));
        }
        let is_far = |days: u64| day.checked_sub_days(Days::new(days)).is_none();
        if is_far(2 * HABIT_DAYS) || day.checked_add_days(Days::new(60)).is_none() {
            return Err(refused("must lie within the calendar".to_owned()));
        }
        let is_over = day < today;
        let as_of = if is_over {
            profile.evening_of(day)
        } else {
            now
        };
        let last = if is_over { day } else { day - Days::new(1) };
        Ok(Self {
            day,
            as_of,
            days: kept.until(last, as_of).map_err(EngineError::Features)?,
            is_over,
            today: (!is_over).then(|| kept.cells_of_day(day)).flatten(),
        })
    }

    /// The reading of the first day, if there is one.
    fn reading(&self, metric: PredictionMetric) -> Option<f64> {
        let cells = if self.is_over {
            self.days.cells_of_day(self.day)
        } else {
            self.today.clone()
        };
        cells?.value(metric.metric_type())
    }
}

/// Past days that simulated ones are like: as they were, and as they would be with the changes.
struct Past {
    /// Those of Monday to Friday, then those of the weekend.
    days: [Vec<[DayCells; 2]>; 2],
}

impl Past {
    fn new(
        engine: &Engine,
        user: &UserId,
        kept: &DailyHistory,
        start: &Start,
        changes: &[(Lever, f64)],
        warnings: &mut Vec<String>,
    ) -> Result<Self, EngineError> {
        let first = start.day - Days::new(HABIT_DAYS);
        let dates: Vec<NaiveDate> = first.iter_days().take(HABIT_DAYS as usize).collect();
        let history = if changes.is_empty() {
            None
        } else {
            let range = first - Days::new(DAYS_LOOKED_AT)..=start.day;
            engine.wait(engine.store.history(user, Some(range)))?
        };
        let mut days = [Vec::new(), Vec::new()];
        let mut unchanged = 0;
        for date in dates {
            let Some(cells) = start.days.cells_of_day(date) else {
                continue;
            };
            let mut changed = cells.clone();
            if let Some(history) = &history {
                match changed_cells(kept, history, date, changes, start.as_of)? {
                    Some(cells) => changed = cells,
                    None => unchanged += 1,
                }
            }
            days[usize::from(is_weekend(date))].push([cells, changed]);
        }
        let count = days[0].len() + days[1].len();
        if unchanged > 0 {
            warnings.push(format!(
                "on {unchanged} of {count} past days the changes cannot be made: they stay as they were"
            ));
        }
        Ok(Self { days })
    }

    /// Why nothing can be simulated, if so.
    fn shortage(&self) -> Option<String> {
        let count = self.days[0].len() + self.days[1].len();
        (count < LEAST_DAYS).then(|| {
            format!(
                "{count} of the {HABIT_DAYS} days before have records: at least {LEAST_DAYS} are needed"
            )
        })
    }

    /// A past day of the same kind of weekday, where there is one.
    fn like(&self, date: NaiveDate, draw: vitalcast_insight::trajectory::Draw) -> &[DayCells; 2] {
        let kind = usize::from(is_weekend(date));
        let own = &self.days[kind];
        let days = if own.is_empty() {
            &self.days[1 - kind]
        } else {
            own
        };
        let place = draw.place(days.len()).unwrap_or(0);
        &days[place]
    }
}

fn is_weekend(date: NaiveDate) -> bool {
    date.weekday().number_from_monday() > 5
}

/// The values of a past day with the changes; `None` where they cannot be made.
fn changed_cells(
    kept: &DailyHistory,
    history: &History,
    date: NaiveDate,
    changes: &[(Lever, f64)],
    as_of: DateTime<Utc>,
) -> Result<Option<DayCells>, EngineError> {
    let near = date - Days::new(DAYS_LOOKED_AT)..=date + Days::new(1);
    let mut month = History::new(history.user.clone(), history.profile.clone());
    let of_month = history.records.iter();
    let of_month = of_month.filter(|record| near.contains(&record.provenance().day));
    month.records = of_month.cloned().collect();
    let Ok(day) = Day::new(&month, date, as_of) else {
        return Ok(None);
    };
    let wanted: Vec<Change> = changes
        .iter()
        .map(|&(lever, delta)| {
            let (low, high) = lever.range();
            let value = day.value(lever).unwrap_or(0.0) + delta;
            Change::Set(lever, value.clamp(low, high))
        })
        .collect();
    let Ok(changed) = day.change(&wanted) else {
        return Ok(None);
    };
    let after = changed.apply(day.around());
    let made = kept
        .with_changed_days(day.around(), &after, day.changing_days(), as_of)
        .map_err(EngineError::Features)?;
    Ok(made.cells_of_day(date))
}

/// The simulation of one metric.
struct Simulation<'a> {
    served: &'a Served,
    metric: PredictionMetric,
    start: &'a Start,
    past: &'a Past,
    days: usize,
    seed: u64,
}

impl Simulation<'_> {
    /// One path: the first day, then so many days.
    fn path(&self, path: u64, with_changes: bool) -> Result<Vec<SimulatedDay>, EngineError> {
        let start = self.start;
        let mut days = start.days.clone();
        let mut simulated = Vec::with_capacity(self.days + 1);
        let target = self.metric.metric_type();
        for (place, draw) in draws(self.seed, path, self.days + 1)
            .into_iter()
            .enumerate()
        {
            let date = start.day + Days::new(place as u64);
            let known = (place == 0).then(|| start.reading(self.metric)).flatten();
            let day = match known {
                Some(value) => SimulatedDay {
                    expected: value,
                    drawn: value,
                },
                None => {
                    let expected = self.expected(&days, date)?;
                    SimulatedDay {
                        expected: expected.value(),
                        drawn: drawn(self.metric, &expected, draw.probability),
                    }
                }
            };
            simulated.push(day);
            if place == 0 && start.is_over {
                continue;
            }
            let mut cells = self.past.like(date, draw)[usize::from(with_changes)].clone();
            if place == 0
                && let Some(today) = &start.today
            {
                // What was measured is what it is; what adds up until midnight is not known yet.
                for metric in MetricType::ALL.iter().filter(|metric| !metric.is_amount()) {
                    if let Some(value) = today.value(*metric) {
                        cells.set(*metric, Some(value));
                    }
                }
            }
            cells.set(target, Some(day.drawn));
            days.push_day(date, &cells);
        }
        Ok(simulated)
    }

    fn expected(&self, days: &DailyHistory, date: NaiveDate) -> Result<Distribution, EngineError> {
        let query = ForecastQuery {
            target_date: date,
            interval_method: IntervalMethod::ResidualQuantiles,
            interval_level: LEVEL,
            now: PersonData::from(days).profile().start_of_day(date),
            model_id: self.served.id()?,
            model_version: self.served.version(),
            is_gated: true,
        };
        Ok(expected(
            self.served.model(),
            self.served.manifest(),
            days,
            &query,
        )?)
    }

    fn answer(&self, bands: &[Band], model_id: String) -> MetricTrajectory {
        let points: Vec<TrajectoryPoint> = bands
            .iter()
            .enumerate()
            .map(|(day, band)| TrajectoryPoint {
                day,
                timestamp: self.start.day + Days::new(day as u64),
                predicted_value: band.expected,
                confidence_lower: band.lower,
                confidence_upper: band.upper,
            })
            .collect();
        let values = || bands.iter().map(|band| band.expected);
        let (first, last) = (bands[0], bands[bands.len() - 1]);
        let change = beyond_rounding(last.expected - first.expected, first.expected);
        let own = self.own_days();
        let tail = (1.0 - LEVEL) / 2.0;
        let spread = quantile(&own, 1.0 - tail) - quantile(&own, tail);
        MetricTrajectory {
            metric: self.metric,
            baseline_value: first.expected,
            projected_final_value: last.expected,
            change_from_baseline: change,
            percent_change: (first.expected != 0.0).then(|| 100.0 * change / first.expected),
            trajectory: points,
            min_value: values().fold(f64::INFINITY, f64::min),
            max_value: values().fold(f64::NEG_INFINITY, f64::max),
            average_value: mean(values()).unwrap_or(first.expected),
            optimal_lag_hours: None,
            lag_description: None,
            effect: None,
            own_mean: mean(own.iter().copied()),
            is_no_better_than_mean: last.upper - last.lower >= spread,
            confidence: last.within,
            model_id,
        }
    }

    /// The metric's last 90 days, ascending.
    fn own_days(&self) -> Vec<f64> {
        let last = self.start.day;
        let first = last - Days::new(HABIT_DAYS - 1);
        let as_of = PersonData::from(&self.start.days)
            .profile()
            .evening_of(last);
        let known = KnownDays::new(&self.start.days, first, last, as_of);
        let values = known
            .ok()
            .and_then(|known| known.of(self.metric.metric_type()));
        let mut values: Vec<f64> = values
            .map(|values| values.first.into_iter().flatten().collect())
            .unwrap_or_default();
        values.sort_by(f64::total_cmp);
        values
    }
}

/// A value of a distribution; beyond its widest interval the end of that.
fn drawn(metric: PredictionMetric, expected: &Distribution, probability: f64) -> f64 {
    let widest = expected.intervals().last();
    let edge = widest.map_or(expected.value(), |widest| {
        if probability < 0.5 {
            widest.lower
        } else {
            widest.upper
        }
    });
    let (low, high) = metric.metric_type().plausible_range();
    expected
        .quantile(probability)
        .unwrap_or(edge)
        .clamp(low, high)
}
