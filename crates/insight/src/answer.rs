//! Responses from test results.

use crate::drivers::{Driver, Drivers};
use crate::factor::Factor;
use crate::lags::{Lags, TestedLag};
use crate::words;
use vitalcast_domain::{
    Correlation, CorrelationMethod, CorrelationRequest, CorrelationResponse, FactorCategory,
    FeatureCopy, GrangerLag, LagRequest, LagResolution, LagResponse, LagResult,
};

/// Data quality at or below which a response has a warning.
const GOOD_QUALITY: f64 = 0.7;

/// The period and the time of an analysis.
#[derive(Debug, Clone, Copy)]
pub struct Looked {
    /// First day of the target.
    pub first_day: chrono::NaiveDate,
    /// Last day of the target.
    pub last_day: chrono::NaiveDate,
    /// When.
    pub at: chrono::DateTime<chrono::Utc>,
}

/// The response to a request for correlations, from the test results.
///
/// A correlation is listed as significant if its corrected and adjusted p value is below the threshold
/// and its size reaches the requested minimum.
pub fn correlation_answer(
    request: &CorrelationRequest,
    looked: Looked,
    target: &[Option<f64>],
    drivers: &Drivers,
) -> CorrelationResponse {
    let all: Vec<Correlation> = drivers
        .tested
        .iter()
        .map(|driver| correlation(driver, request))
        .collect();
    let stands_out =
        |one: &&Correlation| one.is_significant && one.correlation.abs() >= request.min_correlation;
    let mut significant: Vec<&Correlation> = all.iter().filter(stands_out).collect();
    significant.sort_by(|left, right| stronger_first(left, right));
    let strongest = |sign: f64| {
        let mut found = significant.iter();
        found
            .find(|one| one.correlation * sign > 0.0)
            .map(|one| (*one).clone())
    };
    let mut listed: Vec<&Correlation> = if request.include_insignificant {
        all.iter().collect()
    } else {
        significant.clone()
    };
    // Significant correlations are never hidden behind stronger ones that are not significant.
    listed.sort_by(|left, right| {
        let order = stands_out(right).cmp(&stands_out(left));
        order.then_with(|| stronger_first(left, right))
    });
    let days = drivers.recorded_days.min(request.lookback_days);
    let quality = days as f64 / request.lookback_days as f64;
    let (code, warning) = warning(request, target, drivers, quality).unzip();
    let mut answer = CorrelationResponse {
        user_id: request.user_id.clone(),
        target_metric: request.target_metric,
        analyzed_at: looked.at,
        lookback_days: request.lookback_days,
        correlations: listed.into_iter().take(request.top_k).cloned().collect(),
        total_features_analyzed: drivers.features,
        significant_correlations: significant.len(),
        strongest_positive: strongest(1.0),
        strongest_negative: strongest(-1.0),
        data_quality_score: quality,
        missing_days: request.lookback_days - days,
        warning,
        code,
        pairing: request.pairing,
        first_day: looked.first_day,
        last_day: looked.last_day,
        tests: drivers.tested.len(),
        copies: drivers
            .copies
            .iter()
            .map(|(feature, original)| FeatureCopy {
                feature_name: feature.name(),
                copy_of: original.name(),
            })
            .collect(),
        untested_tags: drivers.untested_tags,
        detectable_correlation: drivers.detectable,
        summary: String::new(),
    };
    let below = all.iter().filter(|one| one.is_significant).count() - significant.len();
    answer.summary = words::of_correlations(&answer, &significant, below, request.min_correlation);
    answer
}

fn stronger_first(left: &Correlation, right: &Correlation) -> std::cmp::Ordering {
    right
        .correlation
        .abs()
        .total_cmp(&left.correlation.abs())
        .then_with(|| left.p_value.total_cmp(&right.p_value))
}

/// The warning of an analysis: a code and a sentence.
fn warning(
    request: &CorrelationRequest,
    target: &[Option<f64>],
    drivers: &Drivers,
    quality: f64,
) -> Option<(String, String)> {
    let known: Vec<f64> = target.iter().flatten().copied().collect();
    let (code, text) = if known.is_empty() {
        (
            "NO_DATA",
            "No data available for correlation analysis".to_owned(),
        )
    } else if !drivers.has_enough_days() {
        (
            "NOT_ENOUGH_DATA",
            format!(
                "Not enough days with both the metric and features: {} found, expected at least 7",
                drivers.days
            ),
        )
    } else if known.iter().all(|value| *value == known[0]) {
        (
            "CONSTANT_TARGET",
            "The metric had the same value on every day, so nothing can correlate with it"
                .to_owned(),
        )
    } else if request.methods.is_empty() {
        (
            "NO_METHODS",
            "No method was given, expected pearson, spearman, kendall or granger".to_owned(),
        )
    } else if drivers.tested.is_empty() {
        (
            "NOT_ENOUGH_DATA",
            "No feature can be tested: each is constant or known on too few days of the metric"
                .to_owned(),
        )
    } else if quality <= GOOD_QUALITY {
        (
            "LOW_DATA_QUALITY",
            "Data quality is low (< 70% complete)".to_owned(),
        )
    } else {
        return None;
    };
    Some((code.to_owned(), text))
}

fn correlation(driver: &Driver, request: &CorrelationRequest) -> Correlation {
    let tested = &driver.tested;
    let size = tested.correlation.abs();
    let is_pearson = driver.method == CorrelationMethod::Pearson;
    let effect = driver.effect;
    Correlation {
        feature_name: driver.factor.name(),
        feature_category: driver.factor.category(),
        correlation: tested.correlation,
        p_value: driver.adjusted_p_value,
        sample_size: tested.sample_size,
        method: driver.method,
        is_significant: driver.adjusted_p_value < request.significance_threshold,
        strength: strength(size).to_owned(),
        direction: direction(tested.correlation).to_owned(),
        explained_variance: is_pearson.then_some(size * size),
        raw_p_value: tested.raw_p_value,
        autocorrelation_p_value: tested.corrected_p_value,
        effective_sample_size: tested.effective_sample_size,
        confidence_interval_lower: tested.interval.0,
        confidence_interval_upper: tested.interval.1,
        partial_correlation: tested.partial.map(|partial| partial.value),
        partial_p_value: tested.partial.map(|partial| partial.p_value),
        lag_days: tested.lag,
        feature_low: effect.map(|effect| effect.feature_low),
        feature_high: effect.map(|effect| effect.feature_high),
        effect: effect.map(|effect| effect.change),
        effect_lower: effect.map(|effect| effect.lower),
        effect_upper: effect.map(|effect| effect.upper),
        granger_tests: tested
            .granger
            .iter()
            .map(|test| GrangerLag {
                lags: test.lags,
                f: test.f,
                df_numerator: test.df_numerator,
                df_denominator: test.df_denominator,
                p_value: test.p_value,
            })
            .collect(),
    }
}

/// Smallest correlation that counts as moderate, and as an immediate effect.
const MODERATE: f64 = 0.3;

/// The word of the contract for the strength of a correlation.
pub(crate) fn strength(size: f64) -> &'static str {
    if size < MODERATE {
        "weak"
    } else if size < 0.7 {
        "moderate"
    } else {
        "strong"
    }
}

/// The word of the contract for the sign of a correlation.
fn direction(correlation: f64) -> &'static str {
    if correlation.abs() < 0.1 {
        "none"
    } else if correlation > 0.0 {
        "positive"
    } else {
        "negative"
    }
}

/// Reason why a lag analysis is not possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoLags {
    /// There is no such feature and no such tag.
    UnknownFeature,
    /// The feature is computed from the target.
    FeatureIsTarget,
    /// Hours are counted from falling asleep, which is known by the length of the night that the
    /// target is, or is computed from.
    NightIsTarget,
    /// Records tell no time of day, or the feature is not an amount of something that happens.
    NoTimes,
}

/// The response to a request for lags, from the test results.
///
/// `unit_hours` is how many hours a lag of 1 stands for.
pub fn lag_answer(
    request: &LagRequest,
    looked: Looked,
    found: Result<(&Lags, &Factor, u32), NoLags>,
    target: &[Option<f64>],
) -> LagResponse {
    let mut answer = LagResponse {
        user_id: request.user_id.clone(),
        target_metric: request.target_metric,
        feature_name: request.feature_name.clone(),
        analyzed_at: looked.at,
        lag_results: Vec::new(),
        optimal_lag_hours: None,
        optimal_correlation: None,
        immediate_effect: false,
        delayed_effect: false,
        effect_duration_hours: None,
        interpretation: String::new(),
        resolution: request.resolution,
        first_day: looked.first_day,
        last_day: looked.last_day,
        detectable_correlation: None,
        code: None,
    };
    let (lags, factor, unit_hours) = match found {
        Ok(found) => found,
        Err(why) => {
            let (code, text) = words::of_no_lags(why, request);
            answer.code = Some(code.to_owned());
            answer.interpretation = text;
            return answer;
        }
    };
    if lags.tested.is_empty() {
        let is_known = target.iter().any(Option::is_some);
        let (code, text) = words::of_untested_lags(lags, is_known);
        answer.code = Some(code.to_owned());
        answer.interpretation = text;
        return answer;
    }
    let hours = |lag: &TestedLag| lag.lag * unit_hours;
    answer.lag_results = lags
        .tested
        .iter()
        .map(|lag| LagResult {
            lag_hours: hours(lag),
            correlation: lag.tested.correlation,
            p_value: lag.adjusted_p_value,
            is_significant: lag.adjusted_p_value < request.significance_threshold,
            raw_p_value: lag.tested.raw_p_value,
            sample_size: lag.tested.sample_size,
            effective_sample_size: lag.tested.effective_sample_size,
            confidence_interval_lower: lag.tested.interval.0,
            confidence_interval_upper: lag.tested.interval.1,
        })
        .collect();
    // As the person wrote it first, however it was asked for.
    answer.feature_name = factor.name();
    answer.detectable_correlation = lags.detectable;
    let optimal = lags.optimal.map(|place| &lags.tested[place]);
    answer.optimal_lag_hours = optimal.map(hours);
    answer.optimal_correlation = optimal.map(|lag| lag.tested.correlation);
    answer.immediate_effect = answer.lag_results.first().is_some_and(|first| {
        let is_seen = first.is_significant && first.correlation.abs() >= MODERATE;
        first.lag_hours == 0 && is_seen
    }) && !comes_after(factor, request);
    answer.delayed_effect = answer.optimal_lag_hours.is_some_and(|hours| hours > 0);
    let step = match request.resolution {
        LagResolution::Day => 24,
        LagResolution::Hour => u32::try_from(request.lag_step_hours).unwrap_or(24),
    };
    answer.effect_duration_hours = lags
        .lasting
        .map(|(first, last)| hours(&lags.tested[last]) - hours(&lags.tested[first]) + step);
    answer.interpretation =
        words::of_lags(&answer, lags, factor, step, comes_after(factor, request));
    answer
}

/// Whether at no lag the target comes first: a day begins with its night, and then people eat, move and
/// do what they note.
fn comes_after(factor: &Factor, request: &LagRequest) -> bool {
    let is_of_waking_hours = matches!(
        factor.category(),
        FactorCategory::Nutrition | FactorCategory::Activity | FactorCategory::Tag
    );
    request.resolution == LagResolution::Day
        && is_of_waking_hours
        && request.target_metric.is_of_the_night()
}
