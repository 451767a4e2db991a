//! Which features go with a target.

use crate::adjust::benjamini_hochberg;
use crate::estimate::{self, Effect};
use crate::test_of_pairs::{Comparison, LEAST_PAIRS, TestedPair};
use vitalcast_domain::{CorrelationMethod, MetricType};
use vitalcast_features::{Feature, FeatureTable, catalogue};

/// How features are compared with a target.
#[derive(Debug, Clone, PartialEq)]
pub struct DriverSettings {
    /// How to compare.
    pub methods: Vec<CorrelationMethod>,
    /// Days from the feature to the target: 1 for the day after, 0 for the same day.
    pub lag_days: usize,
    /// Days before the first day of the target that counts.
    pub history_days: usize,
    /// Level at which something stands out.
    pub significance: f64,
    /// Day of the week of the first value, 0 is Monday.
    pub first_weekday: usize,
}

/// A feature tested by a method.
#[derive(Debug, Clone, PartialEq)]
pub struct Driver {
    /// Which feature.
    pub feature: &'static Feature,
    /// By which method.
    pub method: CorrelationMethod,
    /// What came of it.
    pub tested: TestedPair,
    /// The corrected p value, adjusted for all tests of the analysis (Benjamini–Hochberg).
    pub adjusted_p_value: f64,
    /// How much the target differs between low and high values of the feature.
    pub effect: Option<Effect>,
}

/// What an analysis of all features came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Drivers {
    /// Every test, in the order of the catalogue and of the methods.
    pub tested: Vec<Driver>,
    /// Features with enough days that vary.
    pub features: usize,
    /// Days of the target beside which some feature was known.
    pub days: usize,
    /// Smallest correlation that 4 of 5 such analyses would have found, if it stood alone.
    pub detectable: Option<f64>,
}

impl Drivers {
    /// Whether enough days were there to look at anything.
    pub fn has_enough_days(&self) -> bool {
        self.days >= LEAST_PAIRS
    }
}

/// A feature's values, one a day.
pub type Column = (&'static Feature, Vec<Option<f64>>);

/// The features of a table that may stand against a target: not those made of it, and on the same
/// day not those that it is made of either.
pub fn columns(table: &FeatureTable, target: MetricType, lag_days: usize) -> Vec<Column> {
    catalogue()
        .iter()
        .filter(|feature| may_stand_against(feature, target, lag_days))
        .map(|feature| (feature, by_own_day(table, feature)))
        .collect()
}

/// A feature's values, each on the day it tells of: what a row calls yesterday's stands a row earlier.
pub fn by_own_day(table: &FeatureTable, feature: &Feature) -> Vec<Option<f64>> {
    let ahead = usize::from(feature.is_of_the_day_before());
    let rows = ahead..table.days() + ahead;
    rows.map(|row| {
        (row < table.days())
            .then(|| table.value_at(row, feature.name))
            .flatten()
    })
    .collect()
}

/// Tests features against a target, all with one value a day over the same days.
///
/// A feature that never varies, or is known beside fewer than 7 days of the target, is not counted.
/// One that cannot be tested by one method may be by another.
pub fn drivers(columns: &[Column], target: &[Option<f64>], settings: &DriverSettings) -> Drivers {
    let mut seen = vec![false; target.len()];
    let mut tested = Vec::new();
    let mut features = 0;
    for (feature, values) in columns {
        let comparison = Comparison {
            feature: values,
            target,
            first: settings.history_days,
            lag: settings.lag_days,
            first_weekday: settings.first_weekday,
        };
        let prepared = comparison.prepare();
        let pairs = &prepared.pairs;
        for day in &pairs.days {
            seen[*day] = true;
        }
        if pairs.len() < LEAST_PAIRS || !pairs.vary() {
            continue;
        }
        features += 1;
        for method in &settings.methods {
            if let Ok(test) = comparison.test(&prepared, *method) {
                tested.push(Driver {
                    feature,
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
    let detectable = median(
        tested
            .iter()
            .map(|driver| driver.tested.effective_sample_size),
    )
    .and_then(|pairs| estimate::detectable(settings.significance / tested.len() as f64, pairs));
    Drivers {
        tested,
        features,
        days: seen.into_iter().filter(|seen| *seen).count(),
        detectable,
    }
}

/// Whether a feature can tell anything of a target that is not the target itself.
pub fn may_stand_against(feature: &Feature, target: MetricType, lag_days: usize) -> bool {
    !feature.is_made_of(target) && (lag_days > 0 || !feature.is_part_of(target))
}

fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}
