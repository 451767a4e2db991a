//! Answers of explanations, made of numbers.

use crate::exchange::{PermutationImportance, bootstrap_interval, mean_and_spread};
use crate::explanation_words as words;
use vitalcast_domain::{
    ExplainedFeature, FeatureCategory, FeatureImportance, GlobalFeatureImportance, ImpactDirection,
    ImpactMagnitude, ImportanceMethod, PredictionMetric,
};

/// Days with a known value from which on a direction is that of the value.
const LEAST_DAYS: usize = 3;

/// What one part of a forecast adds.
#[derive(Debug, Clone, PartialEq)]
pub struct ExplainedPart {
    /// The part.
    pub feature: ExplainedFeature,
    /// Its contribution, in the unit of the metric.
    pub amount: f64,
    /// The size that it is ranked by; the size of the contribution where a method has no other.
    pub size: f64,
    /// Standard error of the contribution; `None` where it is not known.
    pub standard_error: Option<f64>,
}

impl ExplainedPart {
    /// A part that is ranked by its contribution.
    pub fn new(feature: ExplainedFeature, amount: f64, standard_error: Option<f64>) -> Self {
        Self {
            feature,
            amount,
            size: amount.abs(),
            standard_error,
        }
    }
}

/// What a forecast is explained by.
#[derive(Debug, Clone, PartialEq)]
pub struct ExplainedForecast<'a> {
    /// The metric that is forecast.
    pub metric: PredictionMetric,
    /// How importances were computed.
    pub method: ImportanceMethod,
    /// The forecast.
    pub value: f64,
    /// What the contributions are added to.
    pub base: f64,
    /// What that is, in words.
    pub base_meaning: &'a str,
    /// Mean of the person's last days, to compare the forecast with.
    pub average: Option<f64>,
    /// The person's spread from day to day.
    pub spread: Option<f64>,
    /// Weighted R² of a local linear model.
    pub local_fit: Option<f64>,
    /// That a network found nothing: what it forecasts as, in words.
    pub learned_nothing: Option<String>,
}

/// The contract's list of importances and what goes with it.
#[derive(Debug, Clone, PartialEq)]
pub struct Importances {
    /// Largest first, at most `top_k`.
    pub listed: Vec<FeatureImportance>,
    /// Sum of the contributions that are not listed.
    pub others: f64,
    /// Names of listed features by category: nutrition, activity, health.
    pub top: [Vec<String>; 3],
    /// The explanation in words.
    pub summary: String,
}

/// Ranks the parts of a forecast and puts them into words.
pub fn importances(
    of: &ExplainedForecast<'_>,
    mut parts: Vec<ExplainedPart>,
    top_k: usize,
) -> Importances {
    // Equal ones stay in their order.
    parts.sort_by(|left, right| right.size.total_cmp(&left.size));
    let summary = words::of_forecast(of, &parts);
    let is_shap = of.method == ImportanceMethod::Shap;
    let listed: Vec<FeatureImportance> = parts
        .iter()
        .take(top_k)
        .enumerate()
        .map(|(place, part)| FeatureImportance {
            feature_name: part.feature.name.clone(),
            feature_category: part.feature.category,
            importance_score: part.size,
            rank: place + 1,
            shap_value: is_shap.then_some(part.amount),
            base_value: is_shap.then_some(of.base),
            impact_direction: ImpactDirection::of(part.amount),
            impact_magnitude: ImpactMagnitude::of(part.size, of.spread),
            feature_value: part.feature.value,
            feature_unit: part.feature.unit.clone(),
            label: part.feature.label.clone(),
            contribution: part.amount,
            standard_error: part.standard_error,
        })
        .collect();
    let named = |category: FeatureCategory| {
        listed
            .iter()
            .filter(|one| one.feature_category == category && one.importance_score > 0.0)
            .map(|one| one.feature_name.clone())
            .collect()
    };
    let top = [
        FeatureCategory::Nutrition,
        FeatureCategory::Activity,
        FeatureCategory::Health,
    ]
    .map(named);
    Importances {
        others: sum(parts.iter().skip(top_k).map(|part| part.amount)),
        listed,
        top,
        summary,
    }
}

/// A feature over several days: its contribution to the forecast of each, and its value where that is known.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureOverDays {
    /// The feature; its value is not used.
    pub feature: ExplainedFeature,
    /// Contribution and value, day by day.
    pub days: Vec<(f64, Option<f64>)>,
    /// Mean, spread and interval where they are not those of the contributions' sizes: of permutation
    /// importance.
    pub rise: Option<PermutationImportance>,
}

/// Importances of a model over days.
#[derive(Debug, Clone, PartialEq)]
pub struct GlobalImportances {
    /// Largest first, at most `top_k`.
    pub listed: Vec<GlobalFeatureImportance>,
    /// Share of each category in the sum of all importances above 0, in the order of
    /// [`FeatureCategory::ALL`]; all 0 where nothing matters.
    pub shares: Vec<f64>,
    /// The importances in words.
    pub summary: String,
}

/// Ranks the features of a model over days, and puts them into words.
pub fn global_importances(
    metric: PredictionMetric,
    method: ImportanceMethod,
    features: &[FeatureOverDays],
    (top_k, seed): (usize, u64),
    learned_nothing: Option<&str>,
) -> GlobalImportances {
    let mut all: Vec<GlobalFeatureImportance> = features
        .iter()
        .map(|of| {
            let sizes: Vec<f64> = of.days.iter().map(|(amount, _)| amount.abs()).collect();
            let of_sizes = || {
                let (rise, spread) = mean_and_spread(&sizes);
                PermutationImportance {
                    rise,
                    spread,
                    interval: bootstrap_interval(&sizes, seed),
                }
            };
            let mean = of.rise.unwrap_or_else(of_sizes);
            GlobalFeatureImportance {
                feature_name: of.feature.name.clone(),
                feature_category: of.feature.category,
                mean_importance: mean.rise,
                std_importance: mean.spread,
                rank: 0,
                impact_direction: direction(&of.days),
                label: of.feature.label.clone(),
                interval_lower: mean.interval.map(|(lower, _)| lower),
                interval_upper: mean.interval.map(|(_, upper)| upper),
            }
        })
        .collect();
    all.sort_by(|left, right| right.mean_importance.total_cmp(&left.mean_importance));
    for (place, one) in all.iter_mut().enumerate() {
        one.rank = place + 1;
    }
    let positive = |one: &GlobalFeatureImportance| one.mean_importance.max(0.0);
    let total = sum(all.iter().map(positive));
    let shares = FeatureCategory::ALL
        .iter()
        .map(|category| {
            let of = all.iter().filter(|one| one.feature_category == *category);
            if total > 0.0 {
                sum(of.map(positive)) / total
            } else {
                0.0
            }
        })
        .collect();
    let days = features.first().map_or(0, |of| of.days.len());
    let summary = words::of_model(metric, method, &all, days, learned_nothing);
    all.truncate(top_k);
    GlobalImportances {
        listed: all,
        shares,
        summary,
    }
}

/// A sum that is 0, not −0, of nothing.
fn sum(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(0.0, |sum, value| sum + value)
}

/// Whether a higher value goes with a higher forecast; where the value is not known or never changes, the
/// sign of what the feature adds on average.
fn direction(days: &[(f64, Option<f64>)]) -> ImpactDirection {
    let known: Vec<(f64, f64)> = days
        .iter()
        .filter_map(|(amount, value)| Some((*amount, (*value)?)))
        .collect();
    let count = known.len().max(1) as f64;
    let of = |pick: fn(&(f64, f64)) -> f64| known.iter().map(pick).sum::<f64>() / count;
    let (amounts, values) = (of(|day| day.0), of(|day| day.1));
    let slope: f64 = known
        .iter()
        .map(|(amount, value)| (amount - amounts) * (value - values))
        .sum();
    let spread: f64 = known
        .iter()
        .map(|(_, value)| (value - values).powi(2))
        .sum();
    if known.len() >= LEAST_DAYS && spread > 0.0 && slope != 0.0 {
        ImpactDirection::of(slope)
    } else {
        ImpactDirection::of(days.iter().map(|(amount, _)| amount).sum())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn feature(name: &str, value: Option<f64>) -> ExplainedFeature {
        ExplainedFeature {
            name: format!("health_{name}"),
            label: name.to_owned(),
            category: FeatureCategory::Health,
            unit: "h".to_owned(),
            value,
        }
    }

    pub(crate) fn forecast() -> ExplainedForecast<'static> {
        ExplainedForecast {
            metric: PredictionMetric::RestingHeartRate,
            method: ImportanceMethod::Shap,
            value: 61.0,
            base: 59.5,
            base_meaning: "the mean of your days",
            average: Some(59.0),
            spread: Some(2.0),
            local_fit: None,
            learned_nothing: None,
        }
    }

    #[test]
    fn importances_are_ranked_by_size_and_the_rest_is_summed() {
        let parts = [("a", 0.3), ("b", -1.2), ("c", 0.6), ("d", 0.0)]
            .map(|(name, amount)| ExplainedPart::new(feature(name, None), amount, Some(0.0)));
        let found = importances(&forecast(), parts.to_vec(), 2);
        let names: Vec<&str> = found
            .listed
            .iter()
            .map(|one| one.feature_name.as_str())
            .collect();
        assert_eq!(names, ["health_b", "health_c"]);
        assert!((found.others - 0.3).abs() < 1e-12);
        let first = &found.listed[0];
        assert_eq!(first.impact_direction, ImpactDirection::Negative);
        assert_eq!(first.impact_magnitude, ImpactMagnitude::Strong);
        assert_eq!(first.shap_value, Some(-1.2));
        assert_eq!(found.listed[1].impact_magnitude, ImpactMagnitude::Moderate);
        assert_eq!(found.top[2], ["health_b", "health_c"]);
        assert!(found.top[0].is_empty());
    }

    #[test]
    fn shares_of_categories_add_up_and_a_direction_follows_the_value() {
        let rises = |sign: f64| -> Vec<(f64, Option<f64>)> {
            (0..6)
                .map(|day| (sign * f64::from(day - 3), Some(f64::from(day))))
                .collect()
        };
        let mut steps = feature("steps", None);
        steps.category = FeatureCategory::Activity;
        let features = [
            FeatureOverDays {
                feature: feature("sleep", None),
                days: rises(-2.0),
                rise: None,
            },
            FeatureOverDays {
                feature: steps,
                days: rises(1.0),
                rise: None,
            },
        ];
        let metric = PredictionMetric::RestingHeartRate;
        let found = global_importances(metric, ImportanceMethod::Shap, &features, (9, 1), None);
        assert!((found.shares.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!((found.shares[1] - 1.0 / 3.0).abs() < 1e-12, "{found:?}");
        assert_eq!(found.listed[0].feature_name, "health_sleep");
        assert_eq!(found.listed[0].impact_direction, ImpactDirection::Negative);
        assert_eq!(found.listed[1].impact_direction, ImpactDirection::Positive);
        let none = global_importances(metric, ImportanceMethod::Shap, &[], (9, 1), None);
        assert!(none.listed.is_empty());
        // Zero, and not minus zero.
        let shares = none.shares.iter().chain(&found.shares[3..]);
        assert!(shares.into_iter().all(|share| share.to_bits() == 0));
    }
}
