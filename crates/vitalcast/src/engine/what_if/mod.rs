//! What-if: forecasts of a day after changes of the day before it.

mod counterfactual;
mod pictures;
mod scene;
mod trajectory;
mod words;

pub use pictures::{counterfactual_chart, trajectory_chart, what_if_chart};

use super::Engine;
use crate::error::EngineError;
use chrono::{DateTime, Utc};
use scene::{Asked, Scene};
use vitalcast_domain::{
    ASSOCIATION, AppliedChange, Record, ScenarioResult, WhatIfRequest, WhatIfResponse,
    WhatIfScenario,
};
use vitalcast_evaluation::beyond_rounding;
use vitalcast_inference::Forecast;
use vitalcast_insight::scenario::{Change, Lever};

/// Most changes that are named as what moves a forecast.
const DRIVERS: usize = 3;
/// Two values are the same when they differ by less than this share.
const SAME: f64 = 1e-6;

impl Engine {
    /// Forecasts a day again after changes of the day before it, made on its records: everything that is
    /// computed from them moves with them. The day is seen as it ends, with what is known now.
    ///
    /// The same changes, written as records and forecast with [`Engine::predict`] at that moment, give the
    /// same numbers.
    ///
    /// # Errors
    ///
    /// [`EngineError::Request`] for a change that cannot be made, [`EngineError::NothingOnDay`] when the day
    /// holds nothing, and the errors of [`Engine::predict`].
    pub fn what_if(
        &self,
        request: &WhatIfRequest,
        now: DateTime<Utc>,
    ) -> Result<WhatIfResponse, EngineError> {
        request.validate()?;
        let wanted = request
            .scenarios
            .iter()
            .map(changes_of)
            .collect::<Result<Vec<_>, EngineError>>()?;
        let asked = Asked {
            user: &request.user_id,
            metric: request.metric,
            target: request.target_date,
            model_version: request.model_version.clone(),
            architecture: request.architecture,
            level: request.interval_level,
        };
        let scene = Scene::new(self, &asked, now)?;
        let baseline = scene.baseline()?;
        let usual_error = scene.usual_error()?;
        let scenarios = request
            .scenarios
            .iter()
            .zip(&wanted)
            .map(|(scenario, changes)| evaluate(&scene, scenario, changes, &baseline, usual_error))
            .collect::<Result<Vec<_>, EngineError>>()?;
        Ok(answer(request, &scene, &baseline, usual_error, scenarios))
    }
}

/// The changes of a scenario, each with its name.
fn changes_of(scenario: &WhatIfScenario) -> Result<Vec<Change>, EngineError> {
    let mut changes = Vec::new();
    for change in &scenario.changes {
        let lever = Lever::named(&change.feature_name).map_err(|error| {
            scene::ChangeError::from(error).of_field("scenarios", &quoted(scenario))
        })?;
        changes.push(Change::Set(lever, change.new_value));
    }
    let added = scenario.added.iter().cloned();
    changes.extend(added.map(|record| Change::Add(Box::new(record))));
    Ok(changes)
}

fn quoted(scenario: &WhatIfScenario) -> String {
    let name: String = scenario.scenario_name.chars().take(80).collect();
    format!("{name:?}")
}

fn evaluate(
    scene: &Scene,
    scenario: &WhatIfScenario,
    changes: &[Change],
    baseline: &Forecast,
    usual_error: f64,
) -> Result<ScenarioResult, EngineError> {
    let place = || quoted(scenario);
    let refused = |error: scene::ChangeError| error.of_field("scenarios", &place());
    let days = scene.days_after(changes).map_err(refused)?;
    let forecast = scene.after(changes).map_err(refused)?;
    let base = baseline.response.prediction.predicted_value;
    let prediction = &forecast.response.prediction;
    let moved = |value: f64| beyond_rounding(value - base, base);
    let difference = moved(prediction.predicted_value);
    let mut applied = Vec::new();
    for (place, change) in changes.iter().enumerate() {
        let effect = if changes.len() == 1 {
            difference
        } else {
            match scene.value_of(std::slice::from_ref(change)) {
                Ok(alone) => moved(alone),
                // It needs the others: energy of a day without meals, for one.
                Err(scene::ChangeError::Scenario(_)) => 0.0,
                Err(scene::ChangeError::Engine(error)) => return Err(error),
            }
        };
        let mut one = applied_change(scene, change, effect);
        if let Change::Set(lever, value) = change {
            let said = scenario.changes.get(place).and_then(|of| of.current_value);
            one.notes
                .extend(words::of_current(*lever, said, one.current_value));
            one.notes.extend(words::of_habit(*lever, *value, &one));
            let reached = scene.value_after(*lever, &days)?;
            one.notes.extend(words::of_reached(*lever, *value, reached));
        }
        applied.push(one);
    }
    let mut drivers: Vec<&AppliedChange> = applied.iter().collect();
    drivers.sort_by(|left, right| right.effect.abs().total_cmp(&left.effect.abs()));
    let biggest_drivers = drivers.iter().take(DRIVERS);
    Ok(ScenarioResult {
        scenario_name: scenario.scenario_name.clone(),
        predicted_value: prediction.predicted_value,
        change_from_baseline: difference,
        percent_change: (base != 0.0).then(|| 100.0 * difference / base),
        confidence_score: prediction.confidence_score,
        biggest_drivers: biggest_drivers.map(|of| of.feature_name.clone()).collect(),
        confidence_interval_lower: prediction.confidence_interval_lower,
        confidence_interval_upper: prediction.confidence_interval_upper,
        is_within_noise: difference.abs() <= usual_error,
        changes: applied,
    })
}

/// What became of a change, without notes.
fn applied_change(scene: &Scene, change: &Change, effect: f64) -> AppliedChange {
    let (feature_name, unit) = match change {
        Change::Set(lever, _) => (lever.name(), lever.unit()),
        Change::Add(record) => match record.as_ref() {
            Record::Meal(_) => ("meal", ""),
            Record::Activity(_) => ("workout", ""),
            Record::HealthMetric(reading) => ("reading", reading.metric.unit().symbol()),
            Record::Tag(_) => ("tag", ""),
        },
    };
    let (mut current_value, mut new_value) = (None, None);
    let (mut usual_low, mut usual_high) = (None, None);
    if let Change::Set(lever, value) = change {
        current_value = scene.day.value(*lever);
        new_value = Some(*value);
        let habit = scene.habit(*lever);
        usual_low = habit.iter().flatten().copied().reduce(f64::min);
        usual_high = habit.iter().flatten().copied().reduce(f64::max);
    }
    AppliedChange {
        feature_name: feature_name.to_owned(),
        current_value,
        new_value,
        unit: unit.to_owned(),
        effect,
        moves_forecast: effect != 0.0,
        usual_low,
        usual_high,
        notes: Vec::new(),
    }
}

fn answer(
    request: &WhatIfRequest,
    scene: &Scene,
    baseline: &Forecast,
    usual_error: f64,
    scenarios: Vec<ScenarioResult>,
) -> WhatIfResponse {
    let prediction = &baseline.response.prediction;
    let sign = request.metric.better().sign();
    // Of equal ones the first.
    let by_value = |best: f64| {
        let mut found = &scenarios[0];
        for scenario in &scenarios {
            if best * scenario.predicted_value > best * found.predicted_value {
                found = scenario;
            }
        }
        found
    };
    let (best, worst) = (by_value(sign), by_value(-sign));
    let (best_scenario, best_value) = (best.scenario_name.clone(), best.predicted_value);
    let (worst_scenario, worst_value) = (worst.scenario_name.clone(), worst.predicted_value);
    let description = request
        .scenarios
        .iter()
        .find(|scenario| scenario.scenario_name == best_scenario)
        .map(words::description)
        .unwrap_or_default();
    let recommendation = words::recommendation(request.metric, best, prediction, &description);
    let summary = words::summary(request, prediction, best, worst, usual_error);
    let warnings = words::warnings(scene, &scenarios);
    WhatIfResponse {
        user_id: request.user_id.clone(),
        metric: request.metric,
        target_date: request.target_date,
        baseline_prediction: prediction.predicted_value,
        baseline_confidence: prediction.confidence_score,
        scenarios,
        best_scenario,
        best_value,
        worst_scenario,
        worst_value,
        summary,
        recommendation,
        baseline_lower: prediction.confidence_interval_lower,
        baseline_upper: prediction.confidence_interval_upper,
        interval_level: prediction.interval_level,
        usual_error,
        changed_day: scene.day.date(),
        is_day_over: scene.is_day_over,
        as_of: prediction.as_of,
        model_id: prediction.model_id.clone(),
        model_version: prediction.model_version.clone(),
        architecture: prediction.architecture,
        warnings,
        association: ASSOCIATION.to_owned(),
    }
}
