//! What an analysis comes to, in words. They say that things go together, never that one causes
//! the other.

use crate::answer::NoLags;
use crate::error::InsightError;
use crate::lags::Lags;
use std::fmt::Write;
use vitalcast_domain::{
    Correlation, CorrelationResponse, LagRequest, LagResolution, LagResponse, Pairing,
};
use vitalcast_features::{Feature, feature_named};

/// Findings that are told one by one.
const TOLD: usize = 3;

/// A feature as people would call it: `late night carbs (g)`.
fn name_of(feature: &Feature) -> String {
    let name = feature.field.replace('_', " ");
    match feature.unit {
        "0-1" | "0/1" | "0-6" | "1-12" | "1-53" | "1-4" | "share" | "count" => name,
        unit => format!("{name} ({unit})"),
    }
}

fn name_of_named(name: &str) -> String {
    feature_named(name).map_or_else(|| name.to_owned(), name_of)
}

/// A number with as many digits as its size deserves.
fn number(value: f64) -> String {
    let text = match value.abs() {
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    };
    text.replace('-', "−")
}

/// What an analysis of all features comes to; `significant` are those that stand out, strongest
/// first.
pub(crate) fn of_correlations(
    answer: &CorrelationResponse,
    significant: &[&Correlation],
) -> String {
    let target = answer.target_metric.title().to_lowercase();
    let target = restore_acronyms(&target);
    if answer.tests == 0 {
        let reason = answer
            .warning
            .as_deref()
            .unwrap_or("Nothing could be tested");
        return format!("{reason}.");
    }
    let when = match answer.pairing {
        Pairing::NextDay => "the next day's",
        Pairing::SameDay => "the same day's",
    };
    let mut text = String::new();
    if significant.is_empty() {
        write!(
            text,
            "Nothing stands out: none of {} features goes with {when} {target} beyond what chance \
             and days that resemble their neighbours explain ({} tests).",
            answer.total_features_analyzed, answer.tests
        )
        .expect("writing to a string cannot fail");
    } else {
        let mut told: Vec<&Correlation> = Vec::new();
        for one in significant {
            if told
                .iter()
                .all(|other| other.feature_name != one.feature_name)
            {
                told.push(one);
            }
        }
        let count = told.len();
        for one in told.iter().take(TOLD) {
            write!(text, "{} ", finding(one, answer)).expect("writing to a string cannot fail");
        }
        if count > TOLD {
            write!(text, "{} more features stand out. ", count - TOLD)
                .expect("writing to a string cannot fail");
        }
        text.push_str("Going together is no proof that one causes the other.");
    }
    match answer.detectable_correlation {
        Some(smallest) => write!(
            text,
            " With this many days and tests, a single correlation of {} or more would have been \
             noticed four times out of five.",
            number(smallest)
        ),
        None => write!(
            text,
            " These days resemble their neighbours so much that they could not have shown even a \
             strong correlation."
        ),
    }
    .expect("writing to a string cannot fail");
    text
}

fn restore_acronyms(text: &str) -> String {
    text.replace("(sdnn)", "(SDNN)")
        .replace("(rmssd)", "(RMSSD)")
        .replace("vo2", "VO2")
}

/// One finding: direction, size in the units of both, interval, days.
fn finding(one: &Correlation, answer: &CorrelationResponse) -> String {
    let target = restore_acronyms(&answer.target_metric.title().to_lowercase());
    let more = if one.correlation > 0.0 {
        "higher"
    } else {
        "lower"
    };
    let when = match answer.pairing {
        Pairing::NextDay => "the day after",
        Pairing::SameDay => "the same day",
    };
    let mut text = format!(
        "With higher {}, {target} is {more} {when}",
        name_of_named(&one.feature_name)
    );
    if let (Some(effect), Some(low), Some(high), Some(lower), Some(upper)) = (
        one.effect,
        one.feature_low,
        one.feature_high,
        one.effect_lower,
        one.effect_upper,
    ) {
        let unit = answer.target_metric.unit_label();
        write!(
            text,
            ": by {} {unit} (95 % interval {} to {}) from {} to {}",
            number(effect),
            number(lower),
            number(upper),
            number(low),
            number(high)
        )
        .expect("writing to a string cannot fail");
    }
    write!(
        text,
        "; {} correlation {} over {} days.",
        one.method,
        number(one.correlation),
        one.sample_size
    )
    .expect("writing to a string cannot fail");
    text
}

/// Why there are no lags, as a word and a sentence.
pub(crate) fn of_no_lags(why: NoLags, request: &LagRequest) -> (&'static str, String) {
    let target = request.target_metric.title();
    match why {
        NoLags::UnknownFeature => (
            "UNKNOWN_FEATURE",
            "No data available for lag analysis: there is no feature of that name; names carry \
             their category, such as nutrition_late_night_carbs"
                .to_owned(),
        ),
        NoLags::FeatureIsTarget => (
            "FEATURE_IS_TARGET",
            format!(
                "{} is made of {target} itself, so it cannot explain it",
                request.feature_name
            ),
        ),
        NoLags::NoTimes => (
            "NO_TIMES",
            format!(
                "Hours need the times of meals or workouts and of waking, and an amount of one of \
                 them; {} is known by the day only: resolution day would be right",
                request.feature_name
            ),
        ),
    }
}

/// Why no lag could be tested, as a word and a sentence.
pub(crate) fn of_untested_lags(lags: &Lags, is_target_known: bool) -> (&'static str, String) {
    if !is_target_known {
        return ("NO_DATA", "No data available for lag analysis".to_owned());
    }
    let constant = lags
        .left_out
        .iter()
        .any(|(_, error)| *error == InsightError::Constant);
    if constant {
        return (
            "CONSTANT_SERIES",
            "No data available for lag analysis: the feature or the metric never varied".to_owned(),
        );
    }
    (
        "NOT_ENOUGH_DATA",
        "No data available for lag analysis: fewer than 7 days have both the feature and the metric"
            .to_owned(),
    )
}

/// What an analysis of lags comes to.
pub(crate) fn of_lags(answer: &LagResponse, lags: &Lags, feature: &Feature) -> String {
    let target = restore_acronyms(&answer.target_metric.title().to_lowercase());
    let name = name_of(feature);
    let mut text = match (answer.optimal_lag_hours, answer.optimal_correlation) {
        (Some(hours), Some(correlation)) => {
            let more = if correlation > 0.0 { "higher" } else { "lower" };
            let kind = if answer.delayed_effect {
                "delayed"
            } else {
                "immediate"
            };
            let when = match (answer.resolution, hours) {
                (LagResolution::Day, 0) => "on the same day".to_owned(),
                (LagResolution::Day, 24) => "on the day after (24 hours)".to_owned(),
                (LagResolution::Day, hours) => format!("{} days later ({hours} hours)", hours / 24),
                (LagResolution::Hour, hours) => {
                    format!("after the night that begins {hours} hours later")
                }
            };
            format!(
                "With higher {name}, {target} is {more} {when}: correlation {}, a {kind} effect if \
                 it is one, {}. Going together is no proof that one causes the other.",
                number(correlation),
                crate::answer::strength(correlation.abs())
            )
        }
        _ => format!(
            "Nothing stands out: {name} goes with {target} at none of {} lags beyond what chance \
             and days that resemble their neighbours explain.",
            answer.lag_results.len()
        ),
    };
    if answer.resolution == LagResolution::Day {
        text.push_str(" The data are daily, so lags are whole days.");
    }
    if !lags.left_out.is_empty() {
        write!(
            text,
            " {} of the lags had too few days to be tested.",
            lags.left_out.len()
        )
        .expect("writing to a string cannot fail");
    }
    text
}
