//! The result of an analysis in words. The sentences state correlations, never that one thing causes
//! the other.

use crate::answer::NoLags;
use crate::error::InsightError;
use crate::factor::Factor;
use crate::lags::{LEAST_PAIRS, Lags};
use std::fmt::Write;
use vitalcast_domain::{
    Correlation, CorrelationMethod, CorrelationResponse, LagRequest, LagResolution, LagResponse,
    Pairing, tag_in,
};
use vitalcast_features::{Feature, FeatureId};

/// The number of findings that get a sentence of their own.
const TOLD: usize = 3;

/// The name of a feature for people: `late night carbs (g)`. The suffix `_yesterday` is removed.
fn name_of(feature: &Feature) -> String {
    let name = feature.field.trim_end_matches("_yesterday");
    let name = name.replace('_', " ");
    match feature.unit {
        "0-1" | "0/1" | "0-6" | "1-12" | "1-53" | "1-4" | "share" | "count" => name,
        unit => format!("{name} ({unit})"),
    }
}

fn name_of_named(name: &str) -> String {
    let feature = name.parse::<FeatureId>();
    feature.map_or_else(|_| name.to_owned(), |id| name_of(id.feature()))
}

/// A tag as people read it.
fn quoted(tag: &str) -> String {
    format!("“{tag}”")
}

/// A number with digits that fit its size: three for a large one, two for a small one.
fn number(value: f64) -> String {
    let size = value.abs();
    let decimals = if size >= 1.0 {
        2 - size.log10().floor().min(2.0) as usize
    } else if size > 0.0 {
        (1.0 - size.log10().floor()).min(6.0) as usize
    } else {
        0
    };
    format!("{value:.decimals$}").replace('-', "−")
}

/// The summary of an analysis of all features. `significant` has the significant correlations,
/// strongest first; `weaker` is the number of tests that are significant but below the requested
/// minimum.
pub(crate) fn of_correlations<'a>(
    answer: &'a CorrelationResponse,
    significant: &[&'a Correlation],
    weaker: usize,
    least: f64,
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
    if significant.is_empty() && weaker > 0 {
        let are = if weaker == 1 { "test is" } else { "tests are" };
        write!(
            text,
            "No correlation reaches the minimum of {}: {weaker} {are} significant, but weaker.",
            number(least)
        )
        .expect("writing to a string cannot fail");
    } else if significant.is_empty() {
        write!(
            text,
            "No correlation is significant: none of {} features and tags correlates with {when} {target} \
             more than chance and autocorrelation explain (tests: {}).",
            answer.total_features_analyzed, answer.tests
        )
        .expect("writing to a string cannot fail");
    } else {
        let mut told: Vec<&Correlation> = Vec::new();
        // One series in two units is one finding.
        let original = |name: &'a str| {
            let copy = answer.copies.iter().find(|copy| copy.feature_name == name);
            copy.map_or(name, |copy| copy.copy_of.as_str())
        };
        for one in significant {
            let says = original(&one.feature_name);
            if told
                .iter()
                .all(|other| original(&other.feature_name) != says)
            {
                told.push(one);
            }
        }
        let count = told.len();
        for one in told.iter().take(TOLD) {
            write!(text, "{} ", finding(one, answer)).expect("writing to a string cannot fail");
        }
        if count > TOLD {
            let more = count - TOLD;
            let are = if more == 1 { "is" } else { "are" };
            write!(text, "{more} more {are} significant. ")
                .expect("writing to a string cannot fail");
        }
        text.push_str("A correlation does not show that one causes the other.");
    }
    match answer.detectable_correlation {
        Some(smallest) => write!(
            text,
            " With this many days and tests, a correlation of {} or more would have been found in \
             four of five cases.",
            number(smallest)
        ),
        None => write!(
            text,
            " Neighbouring days are so alike here that not even a strong correlation could have been \
             found."
        ),
    }
    .expect("writing to a string cannot fail");
    match answer.untested_tags {
        0 => {}
        1 => text.push_str(
            " One tag is not tested: a tag needs at least 3 days of yes and 3 of no on days with the \
             metric.",
        ),
        more => write!(
            text,
            " {more} tags are not tested: a tag needs at least 3 days of yes and 3 of no on days with the \
             metric."
        )
        .expect("writing to a string cannot fail"),
    }
    text
}

fn restore_acronyms(text: &str) -> String {
    text.replace("(sdnn)", "(SDNN)")
        .replace("(rmssd)", "(RMSSD)")
        .replace("vo2", "VO2")
}

/// The sentence of one correlation: direction, effect in the units of both, interval, days.
fn finding(one: &Correlation, answer: &CorrelationResponse) -> String {
    let target = restore_acronyms(&answer.target_metric.title().to_lowercase());
    let sign = one.correlation.signum();
    let more = if sign > 0.0 { "higher" } else { "lower" };
    let when = match (one.method, answer.pairing) {
        (CorrelationMethod::Granger, _) if one.lag_days > 1 => {
            format!("in the {} days after", one.lag_days)
        }
        (CorrelationMethod::Granger, _) | (_, Pairing::NextDay) => "the day after".to_owned(),
        (_, Pairing::SameDay) => "the same day".to_owned(),
    };
    let tag = tag_in(&one.feature_name);
    let mut text = match tag {
        Some(tag) => format!("With the tag {}, {target} is {more} {when}", quoted(tag)),
        None => format!(
            "With higher {}, {target} is {more} {when}",
            name_of_named(&one.feature_name)
        ),
    };
    if let (Some(effect), Some(low), Some(high), Some(lower), Some(upper)) = (
        one.effect,
        one.feature_low,
        one.feature_high,
        one.effect_lower,
        one.effect_upper,
    ) && effect * sign > 0.0
    {
        // Ranks may rise where the straight line falls; then there is no amount to tell.
        let (near, far) = if sign > 0.0 {
            (lower, upper)
        } else {
            (-upper, -lower)
        };
        let unit = answer.target_metric.unit_label();
        write!(
            text,
            ": by {} {unit} (95 % interval {} to {})",
            number(effect.abs()),
            number(near),
            number(far),
        )
        .expect("writing to a string cannot fail");
        if tag.is_none() {
            write!(text, " from {} to {}", number(low), number(high))
                .expect("writing to a string cannot fail");
        }
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

/// Why there are no lags: a code and a sentence.
pub(crate) fn of_no_lags(why: NoLags, request: &LagRequest) -> (&'static str, String) {
    let target = request.target_metric.title();
    match why {
        NoLags::UnknownFeature => (
            "UNKNOWN_FEATURE",
            "No data available for lag analysis: there is no feature and no tag with this name, \
             expected a name with its category, for example nutrition_late_night_carbs, or tag: with \
             the name of a tag"
                .to_owned(),
        ),
        NoLags::FeatureIsTarget => (
            "FEATURE_IS_TARGET",
            format!(
                "{} is computed from {target} itself, so it cannot explain it",
                request.feature_name
            ),
        ),
        NoLags::NightIsTarget => (
            "FEATURE_IS_TARGET",
            format!(
                "Hours are counted back from the time of falling asleep. This time comes from the \
                 length of the night, which is part of {target} itself: use resolution day"
            ),
        ),
        NoLags::NoTimes if tag_in(&request.feature_name).is_some() => (
            "NO_TIMES",
            "A tag is about a day and has no hours: use resolution day".to_owned(),
        ),
        NoLags::NoTimes => (
            "NO_TIMES",
            format!(
                "Hours need meals or workouts with their times, and nights with the time of \
                 waking. Not all of these are known for {}: use resolution day",
                request.feature_name
            ),
        ),
    }
}

/// Why no lag could be tested: a code and a sentence.
pub(crate) fn of_untested_lags(lags: &Lags, is_target_known: bool) -> (&'static str, String) {
    if !is_target_known {
        return ("NO_DATA", "No data available for lag analysis".to_owned());
    }
    let of_each = |(_, error): &(u32, InsightError)| match error {
        InsightError::TooFewOfEach { least, .. } => Some(*least),
        InsightError::Unpaired { .. }
        | InsightError::TooFew { .. }
        | InsightError::Constant
        | InsightError::NotFinite(_)
        | InsightError::NotAProbability(_)
        | InsightError::NothingOfItsOwn
        | InsightError::NothingLeft => None,
    };
    if let Some(least) = lags.left_out.iter().find_map(of_each) {
        return (
            "NOT_ENOUGH_DATA",
            format!(
                "No data available for lag analysis: a tag needs at least {least} days of yes and {least} of no \
                 on days with the metric"
            ),
        );
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
    let explained = lags.left_out.iter().any(|(_, error)| {
        matches!(
            error,
            InsightError::NothingLeft | InsightError::NothingOfItsOwn
        )
    });
    if explained {
        return (
            "NOTHING_LEFT",
            "No lag can be tested: the earlier days of the metric explain it completely".to_owned(),
        );
    }
    (
        "NOT_ENOUGH_DATA",
        format!(
            "No data available for lag analysis: fewer than {LEAST_PAIRS} days have both the feature \
             and the metric"
        ),
    )
}

/// The interpretation of a lag analysis. A lag covers `step` hours; with `target_first`, the target
/// comes before the feature at lag 0.
pub(crate) fn of_lags(
    answer: &LagResponse,
    lags: &Lags,
    factor: &Factor,
    step: u32,
    target_first: bool,
) -> String {
    let target = restore_acronyms(&answer.target_metric.title().to_lowercase());
    let name = match factor {
        Factor::Feature(feature) => name_of(feature),
        Factor::Tag(tag) => quoted(tag),
    };
    let mut text = match (answer.optimal_lag_hours, answer.optimal_correlation) {
        (Some(hours), Some(correlation)) => {
            let more = if correlation > 0.0 { "higher" } else { "lower" };
            let kind = match (answer.delayed_effect, target_first) {
                (true, _) => "a delayed effect if it is causal",
                (false, false) => "an immediate effect if it is causal",
                (false, true) => "not an effect, since the night comes before the day",
            };
            let said = match (answer.resolution, hours) {
                (LagResolution::Day, 0) => format!("{name}, {target} is {more} on the same day"),
                (LagResolution::Day, 24) => {
                    format!("{name}, {target} is {more} on the day after (24 hours)")
                }
                (LagResolution::Day, hours) => {
                    let days = hours / 24;
                    format!("{name}, {target} is {more} {days} days later ({hours} hours)")
                }
                (LagResolution::Hour, hours) => format!(
                    "{name} {hours} to {} hours before falling asleep, {target} is {more} after that \
                     night",
                    hours + step
                ),
            };
            let with = match factor {
                Factor::Feature(_) => "higher",
                Factor::Tag(_) => "the tag",
            };
            format!(
                "With {with} {said}: correlation {} ({}), {kind}. A correlation does not show that one \
                 causes the other.",
                number(correlation),
                crate::answer::strength(correlation.abs())
            )
        }
        _ => format!(
            "No lag is significant: {name} does not correlate with {target} more than chance and \
             autocorrelation explain (lags tested: {}).",
            answer.lag_results.len()
        ),
    };
    if let Some(smallest) = answer.detectable_correlation {
        write!(
            text,
            " With this many days and lags, a correlation of {} or more would have been found in four \
             of five cases.",
            number(smallest)
        )
        .expect("writing to a string cannot fail");
    }
    if answer.resolution == LagResolution::Day {
        text.push_str(" The data are daily, so lags are whole days.");
        if factor.is_part_of(answer.target_metric.metric_type()) {
            write!(
                text,
                " Lag 0 is left out: {target} is computed from {name} of the same day."
            )
            .expect("writing to a string cannot fail");
        }
    }
    let count = |is: fn(&InsightError) -> bool| {
        let left_out = lags.left_out.iter();
        left_out.filter(|(_, error)| is(error)).count()
    };
    let too_few = count(|error| {
        matches!(
            error,
            InsightError::TooFew { .. } | InsightError::TooFewOfEach { .. }
        )
    });
    let explained = count(|error| {
        matches!(
            error,
            InsightError::NothingLeft | InsightError::NothingOfItsOwn
        )
    });
    for (count, why) in [
        (too_few, "had too few days for a test"),
        (
            explained,
            "could not be separated from the earlier days of the metric",
        ),
        (
            lags.left_out.len() - too_few - explained,
            "had constant values",
        ),
    ] {
        if count > 0 {
            write!(text, " {count} of the lags {why}.").expect("writing to a string cannot fail");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_numbers_keep_two_digits_and_large_ones_three() {
        for (value, text) in [
            (0.0412, "0.041"),
            (0.5, "0.50"),
            (-2.5, "−2.50"),
            (35.27, "35.3"),
            (1_234.4, "1234"),
            (0.0, "0"),
        ] {
            assert_eq!(number(value), text);
        }
    }
}
