//! What a what-if says in words.

use super::SAME;
use super::scene::Scene;
use vitalcast_domain::{
    AppliedChange, Better, MetricTrajectory, ModelArchitecture, ModelReads, PredictionMetric,
    PredictionResult, ScenarioResult, SkippedMetric, SuggestedChange, TrajectoryRequest,
    WhatIfRequest, WhatIfScenario,
};
use vitalcast_inference::with_unit;
use vitalcast_insight::counterfactual::Goal;
use vitalcast_insight::scenario::Lever;

/// A difference with its sign and unit.
pub(super) fn signed(metric: PredictionMetric, difference: f64) -> String {
    let size = match metric {
        PredictionMetric::SleepDuration => 2,
        PredictionMetric::RestingHeartRate
        | PredictionMetric::HeartRateVariabilitySdnn
        | PredictionMetric::HeartRateVariabilityRmssd
        | PredictionMetric::RecoveryScore => 1,
    };
    let rounded = format!("{difference:+.size$}");
    let is_nothing = rounded.trim_start_matches(['+', '-']).parse() == Ok(0.0);
    let number = if is_nothing {
        rounded.trim_start_matches(['+', '-']).to_owned()
    } else {
        rounded
    };
    format!("{number} {}", metric.unit_label())
}

/// That the day holds another value than the request says.
pub(super) fn of_current(lever: Lever, said: Option<f64>, held: Option<f64>) -> Option<String> {
    let said = said?;
    match held {
        Some(held) if (held - said).abs() <= 0.005 * held.abs().max(said.abs()).max(1.0) => None,
        Some(held) => Some(format!(
            "the day holds {}, not {} as the request says",
            lever.show(held),
            lever.show(said)
        )),
        None if said == 0.0 => None,
        None => Some(format!(
            "the day holds no value, not {} as the request says",
            lever.show(said)
        )),
    }
}

/// How far a value lies beyond those of the last 90 days.
pub(super) fn of_habit(lever: Lever, value: f64, change: &AppliedChange) -> Option<String> {
    let (low, high) = (change.usual_low?, change.usual_high?);
    let (edge, side, place) = if value > high {
        (high, "above", "highest")
    } else if value < low {
        (low, "below", "lowest")
    } else {
        return None;
    };
    let far = if lever == Lever::LastMeal || edge == 0.0 {
        let hours = (value - edge).abs();
        if lever == Lever::LastMeal {
            format!("{hours:.1} h")
        } else {
            lever.show(hours)
        }
    } else {
        format!("{:.0} %", 100.0 * ((value - edge) / edge).abs())
    };
    Some(format!(
        "{far} {side} your {place} of the last 90 days ({})",
        lever.show(edge)
    ))
}

/// That the records cannot show the value that was asked for.
pub(super) fn of_reached(lever: Lever, value: f64, reached: Option<f64>) -> Option<String> {
    match reached {
        Some(reached) if (reached - value).abs() <= SAME * value.abs().max(1.0) => None,
        // Minutes and seconds of a clock.
        Some(reached) if lever == Lever::LastMeal && (reached - value).abs() < 1e-3 => None,
        Some(reached) => Some(format!(
            "with these records the day shows {}",
            lever.show(reached)
        )),
        None if value == 0.0 => None,
        None => Some("with these records the day shows no value".to_owned()),
    }
}

/// A scenario in the client's words, else by its changes.
pub(super) fn description(scenario: &WhatIfScenario) -> String {
    let said = scenario
        .changes
        .iter()
        .filter(|change| !change.change_description.is_empty())
        .map(|change| change.change_description.clone());
    let said: Vec<String> = said.collect();
    if said.len() == scenario.changes.len() && scenario.added.is_empty() {
        return said.join(", ");
    }
    let set = scenario.changes.iter().filter_map(|change| {
        let lever = Lever::named(&change.feature_name).ok()?;
        Some(format!(
            "{} {}",
            lever.words(),
            lever.show(change.new_value)
        ))
    });
    let mut all: Vec<String> = set.collect();
    match scenario.added.len() {
        0 => {}
        1 => all.push("one more record".to_owned()),
        count => all.push(format!("{count} more records")),
    }
    all.join(", ")
}

pub(super) fn summary(
    request: &WhatIfRequest,
    baseline: &PredictionResult,
    best: &ScenarioResult,
    worst: &ScenarioResult,
    usual_error: f64,
) -> String {
    let metric = request.metric;
    let name = metric.title();
    let shown = |of: &ScenarioResult| {
        let value = with_unit(metric, of.predicted_value);
        if request.include_baseline {
            format!("{value} ({})", signed(metric, of.change_from_baseline))
        } else {
            value
        }
    };
    let mut text = format!("Expected {name} on {}", request.target_date);
    if request.include_baseline {
        let value = with_unit(metric, baseline.predicted_value);
        text.push_str(&format!(", with the day before as it is: {value}"));
    }
    text.push_str(". ");
    if request.scenarios.len() == 1 {
        text.push_str(&format!("With '{}': {}.", best.scenario_name, shown(best)));
    } else if best.predicted_value == worst.predicted_value {
        text.push_str(&format!(
            "All {} scenarios have the same expected value, {}.",
            request.scenarios.len(),
            shown(best)
        ));
    } else {
        let better = match metric.better() {
            Better::Lower => "lower",
            Better::Higher => "higher",
        };
        text.push_str(&format!(
            "Best of {} scenarios ({better} is better): '{}' with {}. Worst: '{}' with {}.",
            request.scenarios.len(),
            best.scenario_name,
            shown(best),
            worst.scenario_name,
            shown(worst)
        ));
    }
    let is_noise = best.is_within_noise && worst.is_within_noise;
    let differs = best.change_from_baseline != 0.0 || worst.change_from_baseline != 0.0;
    if is_noise && differs {
        text.push_str(&format!(
            " These differences are smaller than the usual error of this model, {}: they may be chance.",
            with_unit(metric, usual_error)
        ));
    }
    text
}

pub(super) fn recommendation(
    metric: PredictionMetric,
    best: &ScenarioResult,
    baseline: &PredictionResult,
    description: &str,
) -> String {
    let sign = metric.better().sign();
    let gain = sign * best.change_from_baseline;
    if gain <= 0.0 {
        return format!(
            "None of this goes with a better expected {} than the day as it is.",
            metric.title()
        );
    }
    if best.is_within_noise {
        return format!(
            "No scenario differs from the day as it is by more than the model usually errs: nothing follows \
             from this for {}.",
            baseline.target_date
        );
    }
    format!(
        "Of these, '{}' goes with the best expected {} ({}): {description}. To learn whether it works for \
         you, test it on yourself.",
        best.scenario_name,
        metric.title(),
        with_unit(metric, best.predicted_value)
    )
}

/// What to know about the whole answer.
pub(super) fn warnings(scene: &Scene, scenarios: &[ScenarioResult]) -> Vec<String> {
    let mut warnings = Vec::new();
    let day = scene.day.date();
    if !scene.is_day_over {
        warnings.push(format!(
            "{day} is not over: its totals are those that stand now, as if nothing else happened"
        ));
    }
    let changes = scenarios.iter().flat_map(|scenario| &scenario.changes);
    let mut unread: Vec<&str> = changes
        .filter(|change| !change.moves_forecast && change.current_value != change.new_value)
        .map(|change| change.feature_name.as_str())
        .collect();
    unread.sort_unstable();
    unread.dedup();
    if !unread.is_empty() {
        warnings.push(of_unread(scene, &unread));
    }
    warnings
}

/// What a model reads, in words.
fn reads(architecture: ModelArchitecture) -> &'static str {
    match architecture.family().reads() {
        ModelReads::DailySeries => {
            "reads daily readings and totals of watches and rings, but no meals and no workouts, and it \
             forecasts whole numbers where the readings are whole numbers"
        }
        ModelReads::OwnDays => "reads only the earlier days of the metric itself",
        ModelReads::Features => {
            "has learned nothing from it for you: it was never seen in training, or did not help there"
        }
    }
}

/// What a model does not read, and which models do.
pub(super) fn of_unread(scene: &Scene, unread: &[&str]) -> String {
    let architecture = scene.architecture();
    let reads = reads(architecture);
    let others = match architecture.family().reads() {
        ModelReads::Features => String::new(),
        ModelReads::DailySeries | ModelReads::OwnDays => {
            let all: Vec<&str> = ModelArchitecture::ALL
                .iter()
                .filter(|other| other.is_network())
                .map(|other| other.as_str())
                .collect();
            format!(
                ". Models of these architectures read all features: {}. Train one and name its architecture",
                all.join(", ")
            )
        }
    };
    format!(
        "the forecast does not move with {}: this model ({architecture}) {reads}{others}",
        unread.join(", ")
    )
}

/// A suggested change in words.
pub(super) fn suggestion(lever: Lever, current: Option<f64>, value: f64) -> String {
    // Steps are counted in steps.
    let name = match lever.words() {
        words if words == lever.unit() => String::new(),
        words => format!(" {words}"),
    };
    let Some(current) = current else {
        return format!("{}{name}", lever.show(value));
    };
    let (from, to) = (lever.show(current), lever.show(value));
    if lever == Lever::LastMeal {
        return format!("{} at {to} instead of {from}", lever.words());
    }
    let sign = if value >= current { "+" } else { "-" };
    let amount = lever.show((value - current).abs());
    format!("{sign}{amount}{name} ({from} to {to})")
}

pub(super) fn counterfactual(
    metric: PredictionMetric,
    goal: Goal,
    changes: &[SuggestedChange],
    prediction: &PredictionResult,
    is_within_noise: bool,
) -> String {
    let changes = changes
        .iter()
        .map(|change| change.change_description.as_str());
    let changes: Vec<&str> = changes.collect();
    let changes = changes.join(", ");
    let achieved = with_unit(metric, prediction.predicted_value);
    let (from, to) = (with_unit(metric, goal.base), with_unit(metric, goal.target));
    let mut text = if goal.is_reached(prediction.predicted_value) {
        format!(
            "An expected {} of {achieved} instead of {from} goes with: {changes}.",
            metric.title()
        )
    } else {
        format!(
            "{to} is not within what you did in the last 90 days. The nearest that was found, {achieved} \
             instead of {from}, goes with: {changes}."
        )
    };
    if is_within_noise {
        text.push_str(
            " The difference is smaller than the usual error of this model: it may be chance.",
        );
    }
    text
}

pub(super) fn already_met(metric: PredictionMetric, goal: Goal) -> String {
    format!(
        "The expected {} of {} is already as good as {} or better: nothing has to change.",
        metric.title(),
        with_unit(metric, goal.base),
        with_unit(metric, goal.target)
    )
}

pub(super) fn no_lever(metric: PredictionMetric) -> String {
    format!(
        "Nothing that can still be changed has been recorded on enough of the last 90 days to say what would \
         move the expected {}.",
        metric.title()
    )
}

/// No lever moves the forecast towards the target.
pub(super) fn nothing_moves(scene: &Scene) -> String {
    format!(
        "No change within what you did in the last 90 days brings the expected {} nearer to it: this model \
         ({}) {}.",
        scene.metric().title(),
        scene.architecture(),
        reads(scene.architecture())
    )
}

pub(super) fn lag(hours: u32) -> String {
    match hours {
        0 => "It goes with the same day's value most".to_owned(),
        24 => "It goes with the value one day later most".to_owned(),
        hours if hours % 24 == 0 => {
            format!("It goes with the value {} days later most", hours / 24)
        }
        hours => format!("It goes with the value {hours} hours later most"),
    }
}

pub(super) fn trajectory_summary(
    request: &TrajectoryRequest,
    trajectories: &[MetricTrajectory],
    skipped: &[SkippedMetric],
) -> String {
    let mut sentences = Vec::new();
    for of in trajectories {
        let metric = of.metric;
        let mut text = format!(
            "{} in {} days: {} expected",
            metric.title(),
            request.duration_days,
            with_unit(metric, of.projected_final_value)
        );
        if let Some(last) = of.trajectory.last() {
            text.push_str(&format!(
                " (95 % interval {} to {})",
                with_unit(metric, last.confidence_lower),
                with_unit(metric, last.confidence_upper)
            ));
        }
        if let Some(effect) = of.effect {
            text.push_str(&format!(
                ", {} against the same days without the changes",
                signed(metric, effect)
            ));
        }
        text.push('.');
        if of.is_no_better_than_mean
            && let Some(own) = of.own_mean
        {
            text.push_str(&format!(
                " By then the forecast is no better than your mean of {}.",
                with_unit(metric, own)
            ));
        }
        sentences.push(text);
    }
    for of in skipped {
        sentences.push(format!(
            "{} was left out: {}.",
            of.metric.title(),
            of.reason
        ));
    }
    sentences.join(" ")
}

pub(super) fn trajectory_recommendation(trajectories: &[MetricTrajectory]) -> String {
    let better = trajectories.iter().find(|of| {
        let gain = of.metric.better().sign() * of.effect.unwrap_or(0.0);
        gain >= of.metric.margin() && !of.is_no_better_than_mean
    });
    match better {
        Some(of) => format!(
            "These changes go with a better {}, by a difference that you would notice. To learn whether they \
             work for you, test them on yourself.",
            of.metric.title()
        ),
        None => "No change here goes with a difference that you would notice.".to_owned(),
    }
}
