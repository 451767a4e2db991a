//! Charts of what-ifs, counterfactuals and trajectories.

use crate::engine::history::chart_unit;
use chrono::NaiveDate;
use vitalcast_charts::{TrajectoryChart, TrajectoryDay, WhatIfBar, WhatIfChart};
use vitalcast_domain::{
    Better, Counterfactual, CounterfactualResponse, PredictionMetric, TrajectoryResponse,
    WhatIfResponse,
};

fn is_lower_better(metric: PredictionMetric) -> bool {
    match metric.better() {
        Better::Lower => true,
        Better::Higher => false,
    }
}

/// The scenarios of a what-if beside the day as it is.
pub fn what_if_chart(answer: &WhatIfResponse) -> WhatIfChart {
    let metric = answer.metric;
    WhatIfChart {
        title: format!("What if: {}", metric.title()),
        subtitle: format!("{} on {}", answer.user_id, answer.target_date),
        unit: chart_unit(metric),
        better_is_lower: is_lower_better(metric),
        baseline: WhatIfBar {
            label: "as it is".to_owned(),
            value: answer.baseline_prediction,
            lower: answer.baseline_lower,
            upper: answer.baseline_upper,
        },
        scenarios: answer
            .scenarios
            .iter()
            .map(|one| WhatIfBar {
                label: one.scenario_name.clone(),
                value: one.predicted_value,
                lower: one.confidence_interval_lower,
                upper: one.confidence_interval_upper,
            })
            .collect(),
        noise: Some(answer.usual_error),
    }
}

/// The answers of a counterfactual beside the day as it is; `None` without changes.
pub fn counterfactual_chart(answer: &CounterfactualResponse) -> Option<WhatIfChart> {
    let metric = answer.metric;
    if answer.counterfactual.changes.is_empty() {
        return None;
    }
    let bar = |of: &Counterfactual| {
        let changes = of
            .changes
            .iter()
            .map(|change| change.change_description.as_str());
        WhatIfBar {
            label: changes.collect::<Vec<_>>().join(", "),
            value: of.achieved_prediction,
            lower: of.confidence_interval_lower,
            upper: of.confidence_interval_upper,
        }
    };
    let base = answer.current_prediction;
    let answers = std::iter::once(&answer.counterfactual).chain(&answer.alternatives);
    Some(WhatIfChart {
        title: format!("What would change it: {}", metric.title()),
        subtitle: format!("{} on {}", answer.user_id, answer.target_date),
        unit: chart_unit(metric),
        better_is_lower: is_lower_better(metric),
        baseline: WhatIfBar {
            label: "as it is".to_owned(),
            value: base,
            lower: answer.current_lower,
            upper: answer.current_upper,
        },
        scenarios: answers.map(bar).collect(),
        noise: Some(answer.usual_error),
    })
}

/// One metric's trajectory after its past readings, with the same days without the changes. `None` when
/// the answer has no such metric.
pub fn trajectory_chart(
    answer: &TrajectoryResponse,
    metric: PredictionMetric,
    past: &[(NaiveDate, Option<f64>)],
) -> Option<TrajectoryChart> {
    let of = answer.trajectories.iter().find(|of| of.metric == metric)?;
    let unchanged = answer.baseline_trajectories.as_ref();
    let unchanged = unchanged
        .filter(|_| !answer.nutrition_changes.is_empty())
        .and_then(|all| all.iter().find(|of| of.metric == metric));
    let days = of.trajectory.iter().enumerate();
    Some(TrajectoryChart {
        title: metric.title().to_owned(),
        subtitle: format!(
            "{}, {} days from {}",
            answer.user_id, answer.duration_days, answer.start_date
        ),
        unit: chart_unit(metric),
        days: days
            .map(|(place, point)| TrajectoryDay {
                day: point.timestamp,
                value: point.predicted_value,
                lower: point.confidence_lower,
                upper: point.confidence_upper,
                baseline: unchanged.map(|of| of.trajectory[place].predicted_value),
            })
            .collect(),
        mean: of.own_mean,
        past: past
            .iter()
            .copied()
            .filter(|(day, _)| *day < answer.start_date)
            .collect(),
    })
}
