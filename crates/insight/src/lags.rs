//! Correlations of a feature with a target at several lags.

use crate::adjust::benjamini_hochberg;
use crate::error::InsightError;
use crate::estimate;
use crate::factor::Factor;
use crate::test_of_pairs::{Comparison, TestedPair};
use vitalcast_domain::CorrelationMethod;

/// Minimum number of pairs per lag (contract).
pub(crate) const LEAST_PAIRS: usize = 14;

/// The values of a feature at one lag, aligned with the target.
#[derive(Debug, Clone, PartialEq)]
pub struct LaggedFeature {
    /// The lag, in the unit of the caller.
    pub lag: u32,
    /// One value for each day of the target.
    pub values: Vec<Option<f64>>,
}

/// The test result of one lag.
#[derive(Debug, Clone, PartialEq)]
pub struct TestedLag {
    /// The lag.
    pub lag: u32,
    /// The result of the test.
    pub tested: TestedPair,
    /// The corrected p value, adjusted for the lags tried (Benjamini–Hochberg).
    pub adjusted_p_value: f64,
}

/// The result of a lag analysis.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lags {
    /// All lags with enough days, in ascending order.
    pub tested: Vec<TestedLag>,
    /// Index of the strongest significant lag in `tested`.
    pub optimal: Option<usize>,
    /// Index range of consecutive significant lags with the same sign around the optimal one.
    pub lasting: Option<(usize, usize)>,
    /// Lags that could not be tested, with the reasons.
    pub left_out: Vec<(u32, InsightError)>,
    /// Smallest correlation at one lag that such an analysis finds in four of five cases.
    pub detectable: Option<f64>,
}

/// A feature of consecutive days at lags of 0, 1, … days, for a target of the same days.
pub fn daily_lags(feature: &[Option<f64>], most_days: usize) -> Vec<LaggedFeature> {
    (0..=most_days.min(feature.len().saturating_sub(1)))
        .map(|lag| LaggedFeature {
            lag: u32::try_from(lag).unwrap_or(u32::MAX),
            values: (0..feature.len())
                .map(|day| day.checked_sub(lag).and_then(|day| feature[day]))
                .collect(),
        })
        .collect()
}

/// Tests a feature against a target at several lags.
///
/// `history_days` of the target come before the first that counts. With Granger's method a lag is
/// tested by what that one day of the feature adds to the target's day before. A tag needs three days of yes and
/// three of no at each lag.
pub fn lags(
    factor: &Factor,
    features: &[LaggedFeature],
    target: &[Option<f64>],
    history_days: usize,
    method: CorrelationMethod,
    significance: f64,
) -> Lags {
    let mut found = Lags::default();
    // The place of each tested lag among all, since a lag that could not be tested ends a row.
    let mut places = Vec::new();
    for (place, feature) in features.iter().enumerate() {
        match test(factor, feature, target, history_days, method) {
            Ok(tested) => {
                places.push(place);
                found.tested.push(TestedLag {
                    lag: feature.lag,
                    adjusted_p_value: tested.corrected_p_value,
                    tested,
                });
            }
            Err(error) => found.left_out.push((feature.lag, error)),
        }
    }
    let corrected: Vec<f64> = found
        .tested
        .iter()
        .map(|lag| lag.tested.corrected_p_value)
        .collect();
    let adjusted = benjamini_hochberg(&corrected).expect("p values are probabilities");
    for (lag, adjusted) in found.tested.iter_mut().zip(adjusted) {
        lag.adjusted_p_value = adjusted;
    }
    let stands_out =
        |lag: &TestedLag| lag.adjusted_p_value < significance && lag.tested.correlation != 0.0;
    found.optimal = (0..found.tested.len())
        .filter(|place| stands_out(&found.tested[*place]))
        .reduce(|best, place| {
            let size = |place: usize| found.tested[place].tested.correlation.abs();
            if size(place) > size(best) {
                place
            } else {
                best
            }
        });
    found.lasting = found.optimal.map(|optimal| {
        let sign = found.tested[optimal].tested.correlation.signum();
        let lasts = |place: &usize| {
            let lag = &found.tested[*place];
            let unbroken = places[*place].abs_diff(places[optimal]) == place.abs_diff(optimal);
            unbroken && stands_out(lag) && lag.tested.correlation.signum() == sign
        };
        let first = (0..=optimal).rev().take_while(lasts).last();
        let last = (optimal..found.tested.len()).take_while(lasts).last();
        (first.unwrap_or(optimal), last.unwrap_or(optimal))
    });
    let worth = found.tested.iter();
    let worth = estimate::median(worth.map(|lag| lag.tested.effective_sample_size));
    let level = significance / found.tested.len() as f64;
    found.detectable = worth.and_then(|pairs| estimate::detectable(level, pairs, 0.0));
    found
}

fn test(
    factor: &Factor,
    feature: &LaggedFeature,
    target: &[Option<f64>],
    history_days: usize,
    method: CorrelationMethod,
) -> Result<TestedPair, InsightError> {
    let comparison = Comparison {
        feature: &feature.values,
        target,
        first: history_days,
        lag: 0,
        first_weekday: 0,
        is_tag: factor.is_tag(),
    };
    let prepared = comparison.prepare();
    let count = prepared.pairs.len();
    if count < LEAST_PAIRS {
        return Err(InsightError::TooFew {
            got: count,
            least: LEAST_PAIRS,
        });
    }
    if method == CorrelationMethod::Granger {
        return comparison.test_one_granger_lag();
    }
    comparison.test(&prepared, method)
}
