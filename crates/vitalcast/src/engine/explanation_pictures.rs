//! Charts of explanations.

use super::history::chart_unit;
use vitalcast_charts::{
    AttentionChart, AttentionDay, DependenceChart, ImportanceChart, ImportanceRow, Unit,
    WaterfallChart, WaterfallPart,
};
use vitalcast_domain::{
    ExplainResponse, FeatureDependence, FeatureImportance, GlobalImportanceResponse,
    ImportanceMethod, PredictionMetric,
};

/// Parts of a picture.
const DRAWN: usize = 12;
/// Standard errors to either side of a contribution that are drawn.
const ERRORS: f64 = 2.0;

/// Amounts need a decimal more than values.
fn amounts(metric: PredictionMetric) -> Unit {
    let unit = chart_unit(metric);
    let decimals = unit.decimals.max(1);
    unit.with_decimals(decimals)
}

/// The value of a feature for people.
fn note(one: &FeatureImportance) -> String {
    one.feature_value.map_or_else(String::new, |value| {
        let decimals = if value.fract() == 0.0 || value.abs() >= 100.0 {
            0
        } else if value.abs() >= 1.0 {
            1
        } else {
            2
        };
        let text = format!("{value:.decimals$} {}", one.feature_unit);
        text.trim_end().to_owned()
    })
}

/// How a forecast gets from its base to its value; `None` for a method whose parts do not add up, and where
/// no part is listed.
pub fn waterfall_chart(answer: &ExplainResponse) -> Option<WaterfallChart> {
    let listed: Vec<&FeatureImportance> = answer
        .feature_importances
        .iter()
        .filter(|one| one.contribution != 0.0)
        .take(DRAWN)
        .collect();
    if answer.method != ImportanceMethod::Shap || listed.is_empty() {
        return None;
    }
    let drawn: f64 = listed.iter().map(|one| one.contribution).sum();
    Some(WaterfallChart {
        title: format!("{} on {}", answer.metric.title(), answer.target_date),
        subtitle: format!(
            "{}; {} model, as known on {}",
            answer.user_id,
            answer.architecture,
            answer.as_of.format("%Y-%m-%d %H:%M UTC")
        ),
        unit: amounts(answer.metric),
        base: answer.baseline_value,
        base_label: "base".to_owned(),
        rest: answer.predicted_value - answer.baseline_value - drawn,
        parts: listed
            .into_iter()
            .map(|one| WaterfallPart {
                label: one.label.clone(),
                amount: one.contribution,
                note: note(one),
            })
            .collect(),
        value: answer.predicted_value,
        value_label: "forecast".to_owned(),
    })
}

/// Contributions with their standard errors, with signs; `None` where no part is listed.
pub fn importance_chart(answer: &ExplainResponse) -> Option<ImportanceChart> {
    let rows: Vec<ImportanceRow> = answer
        .feature_importances
        .iter()
        .filter(|one| one.importance_score != 0.0)
        .take(DRAWN)
        .map(|one| {
            let error = one.standard_error.filter(|error| *error > 0.0);
            ImportanceRow {
                label: one.label.clone(),
                value: one.contribution,
                lower: error.map(|error| one.contribution - ERRORS * error),
                upper: error.map(|error| one.contribution + ERRORS * error),
                note: note(one),
            }
        })
        .collect();
    let how = match answer.method {
        ImportanceMethod::Shap => "what each adds, with two standard errors",
        ImportanceMethod::Lime => "in a linear model around the forecast",
        ImportanceMethod::Permutation => "against the values of other days, one at a time",
        ImportanceMethod::Attention => "",
    };
    (!rows.is_empty()).then(|| ImportanceChart {
        title: format!("{} on {}", answer.metric.title(), answer.target_date),
        subtitle: format!("{}; {how}", answer.user_id),
        unit: Some(amounts(answer.metric)),
        rows,
    })
}

/// What each day adds, newest first; `None` unless days were asked for.
pub fn day_importance_chart(answer: &ExplainResponse) -> Option<ImportanceChart> {
    let rows: Vec<ImportanceRow> = answer
        .by_day
        .iter()
        .rev()
        .map(|day| {
            let error = day.standard_error.filter(|error| *error > 0.0);
            ImportanceRow {
                label: day.day_date.to_string(),
                value: day.contribution,
                lower: error.map(|error| day.contribution - ERRORS * error),
                upper: error.map(|error| day.contribution + ERRORS * error),
                note: String::new(),
            }
        })
        .collect();
    (!rows.is_empty()).then(|| ImportanceChart {
        title: format!("Days behind the forecast of {}", answer.target_date),
        subtitle: format!("{}; what all values of a day add", answer.user_id),
        unit: Some(amounts(answer.metric)),
        rows,
    })
}

/// The weights of days; `None` for a model without attention.
pub fn attention_chart(answer: &ExplainResponse) -> Option<AttentionChart> {
    let weights = answer.attention.as_ref()?;
    Some(AttentionChart {
        title: format!("Where the network looks for {}", answer.target_date),
        subtitle: format!("{}; attention weights by day", answer.user_id),
        days: weights
            .days
            .iter()
            .map(|day| AttentionDay {
                day: day.day_date,
                share: day.attention_score,
            })
            .collect(),
    })
}

/// The forecast with other values of the features that matter most: of networks.
pub fn dependence_charts(answer: &ExplainResponse) -> Vec<DependenceChart> {
    let of = |dependence: &FeatureDependence| {
        let listed = &answer.feature_importances;
        let one = listed
            .iter()
            .find(|one| one.feature_name == dependence.feature_name)?;
        // Equal values of the feature are one place of the line.
        let mut line: Vec<(f64, f64)> = Vec::new();
        for same in dependence
            .points
            .chunk_by(|left, right| left.feature_value == right.feature_value)
        {
            let sum: f64 = same.iter().map(|point| point.forecast).sum();
            line.push((same[0].feature_value, sum / same.len() as f64));
        }
        let points = dependence.points.iter();
        Some(DependenceChart {
            title: format!("{}: {}", answer.metric.title(), one.label),
            subtitle: format!(
                "line: the forecast of {} with this feature as on earlier days; points: the forecasts of \
                 those days",
                answer.target_date
            ),
            x_label: one.label.clone(),
            x_unit: one.feature_unit.clone(),
            unit: amounts(answer.metric),
            line,
            points: points
                .map(|point| (point.feature_value, point.forecast_of_day))
                .collect(),
            current: one
                .feature_value
                .map(|value| (value, answer.predicted_value)),
        })
    };
    answer.dependence.iter().filter_map(of).collect()
}

/// The importances of a model with their intervals; `None` where nothing matters.
pub fn global_importance_chart(answer: &GlobalImportanceResponse) -> Option<ImportanceChart> {
    let rows: Vec<ImportanceRow> = answer
        .feature_importances
        .iter()
        .filter(|one| one.mean_importance != 0.0)
        .take(DRAWN)
        .map(|one| ImportanceRow {
            label: one.label.clone(),
            value: one.mean_importance,
            lower: one.interval_lower,
            upper: one.interval_upper,
            note: String::new(),
        })
        .collect();
    let how = match answer.method {
        ImportanceMethod::Shap => "mean size of the Shapley values",
        ImportanceMethod::Lime => "mean size in linear models around the forecasts",
        ImportanceMethod::Permutation => "rise of the mean absolute error",
        ImportanceMethod::Attention => "",
    };
    let days = match answer.days {
        1 => "one day".to_owned(),
        days => format!("{days} days"),
    };
    (!rows.is_empty()).then(|| ImportanceChart {
        title: format!("What matters in the model of {}", answer.metric.title()),
        subtitle: format!("{}; {how}, {days}, 95 % intervals", answer.model_id),
        unit: Some(amounts(answer.metric)),
        rows,
    })
}
