//! One analysis of correlations, for the criterion bench and for the peers' table.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use vitalcast_domain::CorrelationMethod;
use vitalcast_features::catalogue;
use vitalcast_insight::{Column, DriverSettings, Drivers, Factor, drivers};

/// Significance level.
pub const LEVEL: f64 = 0.05;
/// Days before the ones that count.
const HISTORY: usize = 4;

/// 64 features and a target, each partly its own day before.
#[derive(Debug)]
pub struct Analysis {
    /// The features.
    pub columns: Vec<Column>,
    /// The target.
    pub target: Vec<Option<f64>>,
}

impl Default for Analysis {
    fn default() -> Self {
        Self::new()
    }
}

impl Analysis {
    /// 180 days.
    pub fn new() -> Self {
        Self::of_days(180)
    }

    /// So many days, and the few before them that tests look back on.
    pub fn of_days(days: usize) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(5);
        let mut series = || {
            let mut value = 0.0;
            (0..days + HISTORY)
                .map(|_| {
                    value = 0.5 * value + random.random_range(-1.0..1.0);
                    Some(value)
                })
                .collect::<Vec<Option<f64>>>()
        };
        Self {
            columns: catalogue()
                .iter()
                .map(|feature| (Factor::Feature(feature), series()))
                .collect(),
            target: series(),
        }
    }

    /// Tests all features by some methods.
    pub fn run(&self, methods: &[CorrelationMethod]) -> Drivers {
        let settings = DriverSettings {
            methods: methods.to_vec(),
            lag_days: 1,
            history_days: HISTORY,
            least: 0.3,
            significance: LEVEL,
            first_weekday: 0,
        };
        drivers(&self.columns, &self.target, &settings)
    }
}
