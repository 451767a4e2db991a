//! Correlations of features and tags with a target.

use crate::adjust::benjamini_hochberg;
use crate::estimate::{self, Effect};
use crate::factor::{Column, Factor};
use crate::test_of_pairs::{Comparison, LEAST_PAIRS, TestedPair};
use vitalcast_domain::{CorrelationMethod, FactorCategory, MetricType};
use vitalcast_features::{Feature, FeatureTable, catalogue};

/// Options for correlating features with a target.
#[derive(Debug, Clone, PartialEq)]
pub struct DriverSettings {
    /// Correlation methods.
    pub methods: Vec<CorrelationMethod>,
    /// Days from the feature to the target: 1 for the day after, 0 for the same day.
    pub lag_days: usize,
    /// Days before the first day of the target that counts.
    pub history_days: usize,
    /// Significance level.
    pub significance: f64,
    /// Smallest correlation to report.
    pub least: f64,
    /// Day of the week of the first value, 0 is Monday.
    pub first_weekday: usize,
}

/// A feature or a tag tested by a method.
#[derive(Debug, Clone, PartialEq)]
pub struct Driver {
    /// What was tested.
    pub factor: Factor,
    /// The correlation method.
    pub method: CorrelationMethod,
    /// The result of the test.
    pub tested: TestedPair,
    /// The corrected p value, adjusted for all tests of the analysis (Benjamini–Hochberg).
    pub adjusted_p_value: f64,
    /// Effect: the difference of the target between low and high values of the feature.
    pub effect: Option<Effect>,
}

/// The result of an analysis of all features.
#[derive(Debug, Clone, PartialEq)]
pub struct Drivers {
    /// All tests, in the order of the columns and of the methods.
    pub tested: Vec<Driver>,
    /// Number of features and tags that have enough days and vary.
    pub features: usize,
    /// Features that are an earlier one in another unit or with an offset, with the original: they are
    /// reported once.
    pub copies: Vec<(Factor, Factor)>,
    /// Number of days with the target and at least one feature.
    pub days: usize,
    /// Number of these days with a recorded feature, not only calendar features.
    pub recorded_days: usize,
    /// Number of tags that were not tested: each needs three days of yes and three of no beside the target.
    pub untested_tags: usize,
    /// Smallest correlation that such an analysis finds in four of five cases, if it is the only one.
    pub detectable: Option<f64>,
}

impl Drivers {
    /// Whether there were enough days for an analysis.
    pub fn has_enough_days(&self) -> bool {
        self.days >= LEAST_PAIRS
    }
}

/// The features of a table that may stand against a target: not those made of it, and on the same
/// day not those that it is made of either.
pub fn columns(table: &FeatureTable, target: MetricType, lag_days: usize) -> Vec<Column> {
    catalogue()
        .iter()
        .filter(|feature| may_stand_against(feature, target, lag_days))
        .map(|feature| (Factor::Feature(feature), by_own_day(table, feature)))
        .collect()
}

/// A feature's values, each on the day it tells of: what a row calls yesterday's stands a row earlier.
pub fn by_own_day(table: &FeatureTable, feature: &Feature) -> Vec<Option<f64>> {
    let ahead = usize::from(feature.is_of_the_day_before());
    let rows = ahead..table.days() + ahead;
    rows.map(|row| {
        (row < table.days())
            .then(|| table.value_at(row, feature.id))
            .flatten()
    })
    .collect()
}

/// Tests features and tags against a target, all with one value a day over the same days.
///
/// One that never varies, or is known beside fewer than 7 days of the target, is not counted.
/// One that cannot be tested by one method may be by another.
pub fn drivers(columns: &[Column], target: &[Option<f64>], settings: &DriverSettings) -> Drivers {
    let mut seen = vec![false; target.len()];
    let mut recorded = vec![false; target.len()];
    let mut tested = Vec::new();
    let mut counted: Vec<&Column> = Vec::new();
    let mut copies = Vec::new();
    let mut untested_tags = 0;
    for column in columns {
        let (factor, values) = column;
        let comparison = Comparison {
            feature: values,
            target,
            first: settings.history_days,
            lag: settings.lag_days,
            first_weekday: settings.first_weekday,
            is_tag: factor.is_tag(),
        };
        let prepared = comparison.prepare();
        let pairs = &prepared.pairs;
        for day in &pairs.days {
            seen[*day] = true;
            recorded[*day] |= factor.category() != FactorCategory::Temporal;
        }
        if pairs.len() < LEAST_PAIRS || !pairs.vary() || !comparison.has_answers(&prepared) {
            untested_tags += usize::from(factor.is_tag());
            continue;
        }
        if let Some((original, _)) = counted.iter().find(|(_, first)| is_copy(values, first)) {
            copies.push((factor.clone(), original.clone()));
        }
        counted.push(column);
        for method in &settings.methods {
            if let Ok(test) = comparison.test(&prepared, *method) {
                tested.push(Driver {
                    factor: factor.clone(),
                    method: *method,
                    // Granger's test looks at several days, not at these pairs.
                    effect: (*method != CorrelationMethod::Granger)
                        .then(|| estimate::effect(&pairs.x, &pairs.y, test.effective_sample_size))
                        .flatten(),
                    adjusted_p_value: test.corrected_p_value,
                    tested: test,
                });
            }
        }
    }
    let corrected: Vec<f64> = tested
        .iter()
        .map(|driver| driver.tested.corrected_p_value)
        .collect();
    let adjusted = benjamini_hochberg(&corrected).expect("p values are probabilities");
    for (driver, adjusted) in tested.iter_mut().zip(adjusted) {
        driver.adjusted_p_value = adjusted;
    }
    let detectable = estimate::median(
        tested
            .iter()
            .map(|driver| driver.tested.effective_sample_size),
    )
    .and_then(|pairs| {
        let level = settings.significance / tested.len() as f64;
        estimate::detectable(level, pairs, settings.least)
    });
    let count = |days: Vec<bool>| days.into_iter().filter(|day| *day).count();
    Drivers {
        tested,
        features: counted.len(),
        copies,
        days: count(seen),
        recorded_days: count(recorded),
        untested_tags,
        detectable,
    }
}

/// Whether one series is another times a number plus a number, on the same days.
fn is_copy(one: &[Option<f64>], other: &[Option<f64>]) -> bool {
    /// As a share of how far the series reaches: more than rounding, less than any recorder.
    const ROUNDING: f64 = 1e-9;
    let same_days = one
        .iter()
        .zip(other)
        .all(|(a, b)| a.is_some() == b.is_some());
    if !same_days {
        return false;
    }
    let both = || {
        one.iter()
            .zip(other)
            .filter_map(|(a, b)| Some(((*a)?, (*b)?)))
    };
    let by_value = |left: &(f64, f64), right: &(f64, f64)| left.1.total_cmp(&right.1);
    let (Some(low), Some(high)) = (both().min_by(by_value), both().max_by(by_value)) else {
        return false;
    };
    let slope = (high.0 - low.0) / (high.1 - low.1);
    if !slope.is_finite() || slope == 0.0 {
        return false;
    }
    let tolerance = ROUNDING * (high.0 - low.0).abs();
    both().all(|(a, b)| (a - (low.0 + slope * (b - low.1))).abs() <= tolerance)
}

/// Whether a feature can tell anything of a target that is not the target itself.
pub fn may_stand_against(feature: &Feature, target: MetricType, lag_days: usize) -> bool {
    !feature.is_made_of(target) && (lag_days > 0 || !feature.is_part_of(target))
}
