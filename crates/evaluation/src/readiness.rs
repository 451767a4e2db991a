//! The reference service's thresholds, reported as facts beside skill and coverage.

use serde::{Deserialize, Serialize};

/// Lowest R² that passes.
const LEAST_R2: f64 = 0.5;
/// Highest MAPE that passes, per cent.
const MOST_MAPE: f64 = 15.0;

/// Whether a model meets the reference thresholds, with the reasons if not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductionReadiness {
    /// Not (R² < 0.5) and not (MAPE > 15 %) and not (R² < 0): exactly 0.5 and 15 pass.
    pub is_ready: bool,
    /// The missed thresholds, in words.
    pub reasons: Vec<String>,
}

impl ProductionReadiness {
    /// Compares with the thresholds. A measure that could not be computed is a reason, too.
    pub fn assess(r2: Option<f64>, mape: Option<f64>) -> Self {
        let mut reasons = Vec::new();
        match r2 {
            None => reasons.push("R² cannot be computed: the test days never vary".to_owned()),
            Some(r2) => {
                if r2 < LEAST_R2 {
                    reasons.push(format!("low R²: {r2:.2}, expected at least {LEAST_R2}"));
                }
                if r2 < 0.0 {
                    reasons.push("worse than forecasting the mean of the test days".to_owned());
                }
            }
        }
        match mape {
            None => reasons.push("MAPE cannot be computed: a test day's value is 0".to_owned()),
            Some(mape) if mape > MOST_MAPE => reasons.push(format!(
                "high MAPE: {mape:.1} %, expected at most {MOST_MAPE} %"
            )),
            Some(_) => {}
        }
        Self {
            is_ready: reasons.is_empty(),
            reasons,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_the_thresholds_pass() {
        assert!(ProductionReadiness::assess(Some(0.5), Some(15.0)).is_ready);
    }

    #[test]
    fn every_missed_threshold_is_a_reason() {
        let readiness = ProductionReadiness::assess(Some(-0.1), Some(15.1));
        assert!(!readiness.is_ready);
        assert_eq!(readiness.reasons.len(), 3);
        assert_eq!(ProductionReadiness::assess(None, None).reasons.len(), 2);
        assert_eq!(
            ProductionReadiness::assess(Some(0.49), Some(1.0))
                .reasons
                .len(),
            1
        );
    }
}
