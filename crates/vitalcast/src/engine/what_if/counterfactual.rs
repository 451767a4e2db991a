//! Counterfactuals: few changes of a day after which the next is expected to be another.

use super::super::Engine;
use super::scene::{Asked, ChangeError, Scene};
use super::words;
use crate::error::EngineError;
use chrono::{DateTime, TimeDelta, Timelike, Utc};
use vitalcast_domain::{
    ASSOCIATION, Counterfactual, CounterfactualRequest, CounterfactualResponse,
    CounterfactualTarget, MetricType, ModelReads, PredictionMetric, Profile, SuggestedChange,
};
use vitalcast_evaluation::beyond_rounding;
use vitalcast_features::LATE_HOUR;
use vitalcast_inference::Forecast;
use vitalcast_insight::counterfactual::{Chosen, Found, Goal, Range, plausibility, search};
use vitalcast_insight::scenario::{Change, Lever, Today};

/// Days of the last 90 with a value, without which a lever has no range.
const LEAST_DAYS: usize = 7;
/// Quantiles of the person's own days that are tried.
const QUANTILES: [f64; 5] = [0.05, 0.25, 0.5, 0.75, 0.95];
const LEVEL: f64 = 0.95;

impl Engine {
    /// Searches few changes of a day that bring the forecast of the next to a target: what the person can
    /// still do, within what they did in the last 90 days. What is achieved is the forecast of the changed
    /// records, as [`Engine::what_if`] gives it.
    ///
    /// # Errors
    ///
    /// [`EngineError::Request`] for a feature that cannot be changed, and the errors of
    /// [`Engine::what_if`].
    pub fn counterfactual(
        &self,
        request: &CounterfactualRequest,
        now: DateTime<Utc>,
    ) -> Result<CounterfactualResponse, EngineError> {
        request.validate()?;
        let named = request.allowed_features.as_ref().map(|names| {
            let lever = |name: &String| {
                Lever::named(name).map_err(|error| {
                    ChangeError::from(error).of_field("allowed_features", "the list")
                })
            };
            names.iter().map(lever).collect::<Result<Vec<_>, _>>()
        });
        let named = named.transpose()?;
        let asked = Asked {
            user: &request.user_id,
            metric: request.metric,
            target: request.target_date,
            model_version: request.model_version.clone(),
            architecture: request.architecture,
            level: LEVEL,
        };
        let scene = Scene::new(self, &asked, now)?;
        let baseline = scene.baseline()?;
        let usual_error = scene.usual_error()?;
        let base = baseline.response.prediction.predicted_value;
        let goal = goal_of(request, base);
        let mut warnings = Vec::new();
        let levers = levers(&scene, named.as_deref(), now, &mut warnings);
        let is_met = request.metric.better().sign() * (base - goal.target) >= 0.0;
        let mut evaluations = 0;
        let found = if is_met {
            Vec::new()
        } else {
            let ranges: Vec<Range> = levers.iter().map(|(_, range)| range.clone()).collect();
            let mut evaluate = |chosen: &[Chosen]| {
                evaluations += 1;
                match scene.value_of(&changes_of(&levers, chosen)) {
                    Ok(value) => Ok(Some(value)),
                    Err(ChangeError::Scenario(_)) => Ok(None),
                    Err(ChangeError::Engine(error)) => Err(error),
                }
            };
            search(&ranges, goal, &mut evaluate)?
        };
        let answers = found
            .iter()
            .map(|found| answer(&scene, &levers, goal, &baseline, usual_error, found))
            .collect::<Result<Vec<_>, EngineError>>()?;
        let mut answers = answers.into_iter();
        let counterfactual = match answers.next() {
            Some(best) => best,
            None => {
                let summary = if is_met {
                    words::already_met(request.metric, goal)
                } else if levers.is_empty() && reads_any(&scene, named.as_deref()) {
                    words::no_lever(request.metric)
                } else {
                    words::nothing_moves(&scene)
                };
                as_it_is(&baseline, goal, is_met, summary)
            }
        };
        if !scene.is_day_over {
            warnings.push(format!(
                "{} is not over: only what can still be done is suggested",
                scene.day.date()
            ));
        }
        let prediction = &baseline.response.prediction;
        Ok(CounterfactualResponse {
            user_id: request.user_id.clone(),
            metric: request.metric,
            target_date: request.target_date,
            current_prediction: base,
            target_prediction: goal.target,
            counterfactual,
            alternatives: answers.collect(),
            current_lower: prediction.confidence_interval_lower,
            current_upper: prediction.confidence_interval_upper,
            usual_error,
            changed_day: scene.day.date(),
            is_day_over: scene.is_day_over,
            as_of: prediction.as_of,
            model_id: prediction.model_id.clone(),
            model_version: prediction.model_version.clone(),
            architecture: prediction.architecture,
            evaluations,
            warnings,
            association: ASSOCIATION.to_owned(),
        })
    }
}

/// What is to be reached: a value, or a noticeable improvement.
fn goal_of(request: &CounterfactualRequest, base: f64) -> Goal {
    let (low, high) = request.metric.metric_type().plausible_range();
    let improved = base + request.metric.better().sign() * request.metric.margin();
    let target = request.target_value.unwrap_or(improved).clamp(low, high);
    Goal {
        base,
        target,
        most_changes: request.max_changes,
        smallest: request.target_type == CounterfactualTarget::MinimizeChange,
    }
}

/// Whether the model reads what a lever sets. A change of anything else can move the forecast only by way of
/// something else: a meal on a day on which the watch lay in a drawer makes that a day with zero steps.
fn is_read(scene: &Scene, lever: Lever) -> bool {
    match scene.architecture().family().reads() {
        ModelReads::Features => true,
        ModelReads::DailySeries => match lever {
            Lever::Steps
            | Lever::EnergyBurned
            | Lever::Sleep
            | Lever::SleepQuality
            | Lever::RestingHeartRateBefore
            | Lever::HrvBefore
            | Lever::RecoveryBefore
            | Lever::Reading(_) => true,
            Lever::Energy
            | Lever::Protein
            | Lever::Carbs
            | Lever::Fat
            | Lever::Fiber
            | Lever::LastMeal
            | Lever::LateCarbs
            | Lever::LateEnergy
            | Lever::ActiveMinutes
            | Lever::Workouts
            | Lever::HardMinutes
            | Lever::CardioMinutes
            | Lever::StrengthMinutes
            | Lever::FlexibilityMinutes => false,
        },
        ModelReads::OwnDays => match scene.metric() {
            PredictionMetric::SleepDuration => {
                matches!(
                    lever,
                    Lever::Sleep | Lever::Reading(MetricType::SleepDuration)
                )
            }
            metric @ (PredictionMetric::RestingHeartRate
            | PredictionMetric::HeartRateVariabilitySdnn
            | PredictionMetric::HeartRateVariabilityRmssd
            | PredictionMetric::RecoveryScore) => lever == Lever::Reading(metric.metric_type()),
        },
    }
}

/// Whether the model reads anything that may change.
fn reads_any(scene: &Scene, named: Option<&[Lever]>) -> bool {
    let wanted = named.unwrap_or(&Lever::BEHAVIOUR);
    wanted.iter().any(|lever| is_read(scene, *lever))
}

/// Which levers can move, and within what.
fn levers(
    scene: &Scene,
    named: Option<&[Lever]>,
    now: DateTime<Utc>,
    warnings: &mut Vec<String>,
) -> Vec<(Lever, Range)> {
    let is_late = hour_of(scene.profile(), now) >= LATE_HOUR;
    let mut levers = Vec::new();
    let wanted = named.unwrap_or(&Lever::BEHAVIOUR);
    for (place, &lever) in wanted.iter().enumerate() {
        if wanted[..place].contains(&lever) {
            continue;
        }
        if !is_read(scene, lever) {
            if named.is_some() {
                warnings.push(words::of_unread(scene, &[lever.name()]));
            }
            continue;
        }
        let today = lever.today();
        if today == Today::Over && !scene.is_day_over {
            if named.is_some() {
                warnings.push(format!("{} cannot be changed any more today", lever.name()));
            }
            continue;
        }
        let only_more = !scene.is_day_over && (today == Today::OnlyMore || is_late);
        let current = scene.day.value(lever);
        let mut days: Vec<f64> = scene.habit(lever).into_iter().flatten().collect();
        days.sort_by(f64::total_cmp);
        if days.len() < LEAST_DAYS {
            if named.is_some() {
                warnings.push(format!(
                    "{} has a value on {} of the last 90 days: at least {LEAST_DAYS} are needed to know what \
                     is usual",
                    lever.name(),
                    days.len()
                ));
            }
            continue;
        }
        let at = |quantile: f64| {
            let value = days[((days.len() - 1) as f64 * quantile).round() as usize];
            if lever.is_whole() {
                value.round()
            } else {
                value
            }
        };
        let mut values: Vec<f64> = QUANTILES.map(at).to_vec();
        if only_more {
            values.retain(|value| *value > current.unwrap_or(0.0));
        }
        values.dedup();
        let step = step_of(lever);
        values.retain(|value| current.is_none_or(|current| (value - current).abs() >= step));
        let mean = days.iter().sum::<f64>() / days.len() as f64;
        let squares: f64 = days.iter().map(|value| (value - mean).powi(2)).sum();
        let spread = (squares / days.len() as f64).sqrt();
        if spread > 0.0 && !values.is_empty() {
            levers.push((
                lever,
                Range {
                    current,
                    values,
                    spread,
                    step,
                },
            ));
        }
    }
    levers
}

fn hour_of(profile: &Profile, now: DateTime<Utc>) -> f64 {
    let local = now + TimeDelta::seconds(i64::from(profile.offset_seconds(now)));
    f64::from(local.time().num_seconds_from_midnight()) / 3_600.0
}

/// The step of numbers that are suggested.
fn step_of(lever: Lever) -> f64 {
    if lever.is_whole() && lever.unit() == "workouts" {
        return 1.0;
    }
    match lever.unit() {
        "kcal" => 10.0,
        "h" => 0.25,
        "steps" => 100.0,
        _ => 1.0,
    }
}

fn changes_of(levers: &[(Lever, Range)], chosen: &[Chosen]) -> Vec<Change> {
    let change = |(place, value): &Chosen| Change::Set(levers[*place].0, *value);
    chosen.iter().map(change).collect()
}

fn answer(
    scene: &Scene,
    levers: &[(Lever, Range)],
    goal: Goal,
    baseline: &Forecast,
    usual_error: f64,
    found: &Found,
) -> Result<Counterfactual, EngineError> {
    let engine = |error: ChangeError| error.of_field("allowed_features", "the answer");
    let changes = changes_of(levers, &found.changes);
    let forecast = scene.after(&changes).map_err(engine)?;
    let days = scene.days_after(&changes).map_err(engine)?;
    let prediction = &forecast.response.prediction;
    let base = baseline.response.prediction.predicted_value;
    let moved = beyond_rounding(prediction.predicted_value - base, base);
    let columns: Vec<Vec<Option<f64>>> = levers
        .iter()
        .map(|(lever, _)| scene.habit(*lever))
        .collect();
    let rows = columns.first().map_or(0, Vec::len);
    // The last one is the day that changes.
    let others: Vec<Vec<Option<f64>>> = (0..rows.saturating_sub(1))
        .map(|row| columns.iter().map(|column| column[row]).collect())
        .collect();
    let own = scene.values_after(levers.iter().map(|(lever, _)| *lever), &days)?;
    let suggested: Vec<SuggestedChange> = found
        .changes
        .iter()
        .map(|&(place, value)| {
            let lever = levers[place].0;
            let current = scene.day.value(lever);
            SuggestedChange {
                feature_name: lever.name().to_owned(),
                current_value: current,
                suggested_value: value,
                change_amount: current.map(|current| value - current),
                change_description: words::suggestion(lever, current, value),
            }
        })
        .collect();
    let is_within_noise = moved.abs() <= usual_error;
    let plausibility_score = plausibility(&own, &others);
    let summary = words::counterfactual(
        scene.metric(),
        goal,
        &suggested,
        prediction,
        is_within_noise,
    );
    Ok(Counterfactual {
        current_prediction: base,
        target_prediction: goal.target,
        achieved_prediction: prediction.predicted_value,
        changes: suggested,
        plausibility_score,
        summary,
        is_reached: goal.is_reached(prediction.predicted_value),
        is_within_noise,
        confidence_interval_lower: prediction.confidence_interval_lower,
        confidence_interval_upper: prediction.confidence_interval_upper,
    })
}

/// The answer without changes.
fn as_it_is(baseline: &Forecast, goal: Goal, is_reached: bool, summary: String) -> Counterfactual {
    let prediction = &baseline.response.prediction;
    Counterfactual {
        current_prediction: prediction.predicted_value,
        target_prediction: goal.target,
        achieved_prediction: prediction.predicted_value,
        changes: Vec::new(),
        plausibility_score: 1.0,
        summary,
        is_reached,
        is_within_noise: true,
        confidence_interval_lower: prediction.confidence_interval_lower,
        confidence_interval_upper: prediction.confidence_interval_upper,
    }
}
