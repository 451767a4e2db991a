//! Charts of correlations.

use vitalcast_charts::{HeatCell, HeatMap, HeatRow, LagChart, LagPoint, LagUnit};
use vitalcast_domain::{
    Correlation, CorrelationMethod, CorrelationResponse, LagResolution, LagResponse, Pairing,
};

/// Maximum number of features in a heat map.
const ROWS: usize = 30;

/// A heat map of correlations: features in rows, in the order of `answer`, methods in columns. `None`
/// if `answer` lists no feature. The cells come from `whole`, the response that lists all correlations.
pub fn heat_map(answer: &CorrelationResponse, whole: &CorrelationResponse) -> Option<HeatMap> {
    let listed = &answer.correlations;
    let methods: Vec<CorrelationMethod> = CorrelationMethod::ALL
        .iter()
        .copied()
        .filter(|method| whole.correlations.iter().any(|one| one.method == *method))
        .collect();
    let mut names: Vec<&str> = Vec::new();
    for one in listed {
        if !names.contains(&one.feature_name.as_str()) {
            names.push(&one.feature_name);
        }
    }
    let cell = |name: &str, method: CorrelationMethod| {
        let of = |one: &&Correlation| one.feature_name == name && one.method == method;
        whole.correlations.iter().find(of).map(|one| HeatCell {
            value: one.correlation,
            stands_out: one.is_significant,
        })
    };
    let rows: Vec<HeatRow> = names
        .iter()
        .take(ROWS)
        .map(|name| HeatRow {
            label: (*name).to_owned(),
            cells: methods.iter().map(|method| cell(name, *method)).collect(),
        })
        .collect();
    let when = match answer.pairing {
        Pairing::NextDay => "features of a day and the value of the next day",
        Pairing::SameDay => "features and the value of the same day",
    };
    let cut = if names.len() > ROWS {
        format!(", the first {ROWS} of {} features", names.len())
    } else {
        String::new()
    };
    (!rows.is_empty()).then(|| HeatMap {
        title: format!("Correlations with {}", answer.target_metric.title()),
        subtitle: format!(
            "{}, {when}, {} to {}{cut}",
            answer.user_id, answer.first_day, answer.last_day
        ),
        columns: methods.iter().map(ToString::to_string).collect(),
        rows,
    })
}

/// A chart of lags; `None` if the response has no lags.
pub fn lag_chart(answer: &LagResponse) -> Option<LagChart> {
    let (unit, hours) = match answer.resolution {
        LagResolution::Day => (LagUnit::Days, 24),
        LagResolution::Hour => (LagUnit::Hours, 1),
    };
    let points: Vec<LagPoint> = answer
        .lag_results
        .iter()
        .map(|lag| LagPoint {
            lag: lag.lag_hours / hours,
            correlation: lag.correlation,
            lower: lag.confidence_interval_lower,
            upper: lag.confidence_interval_upper,
            stands_out: lag.is_significant,
        })
        .collect();
    let optimal = answer
        .lag_results
        .iter()
        .position(|lag| Some(lag.lag_hours) == answer.optimal_lag_hours);
    (!points.is_empty()).then(|| LagChart {
        title: format!(
            "{}: lags of {}",
            answer.target_metric.title(),
            answer.feature_name
        ),
        subtitle: format!(
            "{}, {} to {}, 95 % intervals",
            answer.user_id, answer.first_day, answer.last_day
        ),
        unit,
        points,
        optimal,
    })
}

/// The number of tests that are significant without correction, after correction for autocorrelation,
/// and after correction for the number of tests as well. Only for an answer that lists all
/// correlations.
pub fn significance_sentence(answer: &CorrelationResponse, threshold: f64) -> String {
    let count = |p_value: fn(&Correlation) -> f64| {
        let below = |one: &&Correlation| p_value(one) < threshold;
        answer.correlations.iter().filter(below).count()
    };
    format!(
        "p values below {threshold}: {} of {} without correction; {} after correction for \
         autocorrelation; {} after correction for autocorrelation and the number of tests.",
        count(|one| one.raw_p_value),
        answer.tests,
        count(|one| one.autocorrelation_p_value),
        count(|one| one.p_value)
    )
}
