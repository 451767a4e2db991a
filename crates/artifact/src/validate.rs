//! Validation of manifests beyond their types.
//!
//! Applied on reading, because a correct hash says only that nothing changed since it was written,
//! and before writing: JSON has no NaN, and a NaN would turn into null, which means "not known".

use crate::calibration::{Calibration, LeadCalibration};
use crate::error::{ArtifactError, shortened};
use crate::manifest::Manifest;
use std::collections::BTreeSet;
use vitalcast_domain::MAX_HORIZON_DAYS;

/// Maximum number of input days of a model.
pub const MAX_LOOKBACK_DAYS: usize = 366;

/// Longest history: a hundred years.
const MAX_HISTORY_DAYS: usize = 36_525;

/// Maximum number of engineered features, and maximum length of a feature name in bytes.
const MAX_FEATURES: usize = 4096;
const MAX_FEATURE_NAME: usize = 128;

impl Manifest {
    /// Checks what the types cannot: finite numbers, ranges, unique names, nested intervals.
    ///
    /// # Errors
    ///
    /// [`ArtifactError::InvalidContents`] with the first field at fault.
    pub fn validate(&self) -> Result<(), ArtifactError> {
        self.first_fault().map_or(Ok(()), |what| {
            Err(ArtifactError::InvalidContents {
                section: "manifest",
                what,
            })
        })
    }

    fn first_fault(&self) -> Option<String> {
        outside("lookback_days", self.lookback_days, 1, MAX_LOOKBACK_DAYS)
            .or_else(|| outside("horizon_days", self.horizon_days, 1, MAX_HORIZON_DAYS))
            .or_else(|| outside("history_days", self.history_days, 1, MAX_HISTORY_DAYS))
            .or_else(|| outside("threads", self.threads, 1, usize::from(u16::MAX)))
            .or_else(|| self.name_fault())
            .or_else(|| self.span_fault())
            .or_else(|| self.measure_fault())
            .or_else(|| {
                self.calibration
                    .fault()
                    .map(|what| format!("calibration: {what}"))
            })
    }

    fn name_fault(&self) -> Option<String> {
        if self.code_version.is_empty() {
            return Some("code_version is empty".to_owned());
        }
        if self.feature_names.len() > MAX_FEATURES {
            return Some(format!(
                "{} feature names, at most {MAX_FEATURES} are allowed",
                self.feature_names.len()
            ));
        }
        let mut seen = BTreeSet::new();
        for (index, name) in self.feature_names.iter().enumerate() {
            if name.is_empty() || name.len() > MAX_FEATURE_NAME {
                return Some(format!(
                    "feature name {index} is {} bytes long, must be 1 to {MAX_FEATURE_NAME}",
                    name.len()
                ));
            }
            if !seen.insert(name.as_str()) {
                return Some(format!("feature name {} occurs twice", shortened(name)));
            }
        }
        None
    }

    fn span_fault(&self) -> Option<String> {
        (self.first_day > self.last_day).then(|| {
            format!(
                "the history ends on {} before it begins on {}",
                self.last_day, self.first_day
            )
        })
    }

    fn measure_fault(&self) -> Option<String> {
        let metrics = &self.metrics;
        let errors = [
            ("metrics.train_loss", metrics.train_loss),
            ("metrics.val_loss", metrics.val_loss),
            ("metrics.best_val_loss", metrics.best_val_loss),
            ("metrics.mae", Some(metrics.mae)),
            ("metrics.rmse", Some(metrics.rmse)),
            ("metrics.mape", metrics.mape),
            ("metrics.mase", metrics.mase),
            ("baseline_mae", self.baseline_mae),
        ];
        let scores = [
            ("metrics.r2_score", metrics.r2_score),
            ("skill", self.skill),
        ];
        errors
            .into_iter()
            .find_map(|(what, value)| not_an_error(what, value?))
            .or_else(|| {
                scores
                    .into_iter()
                    .find_map(|(what, value)| not_finite(what, value?))
            })
    }
}

impl Calibration {
    pub(crate) fn validate(&self) -> Result<(), ArtifactError> {
        self.fault().map_or(Ok(()), |what| {
            Err(ArtifactError::InvalidContents {
                section: "calibration",
                what,
            })
        })
    }

    fn fault(&self) -> Option<String> {
        let mut before = 0;
        for lead in &self.leads {
            let days = lead.lead_days;
            if days <= before {
                return Some(format!("leads are not in order: {days} after {before}"));
            }
            before = days;
            let fault = outside("lead_days", days, 1, MAX_HORIZON_DAYS)
                .or_else(|| (lead.residual_count == 0).then(|| "no residuals".to_owned()))
                .or_else(|| not_an_error("mae", lead.mae))
                .or_else(|| quantile_fault(lead));
            if let Some(fault) = fault {
                return Some(format!("lead {days}: {fault}"));
            }
        }
        None
    }
}

fn quantile_fault(lead: &LeadCalibration) -> Option<String> {
    for quantile in &lead.quantiles {
        let level = quantile.level;
        // NaN fails both comparisons, so it is caught too.
        if !(level > 0.0 && level < 1.0) {
            return Some(format!("level {level} is not above 0 and below 1"));
        }
        if let Some(fault) = not_finite("lower bound", quantile.lower)
            .or_else(|| not_finite("upper bound", quantile.upper))
        {
            return Some(fault);
        }
        if quantile.lower > quantile.upper {
            return Some(format!(
                "at level {level} the lower bound {} is above the upper bound {}",
                quantile.lower, quantile.upper
            ));
        }
    }
    lead.quantiles.windows(2).find_map(|pair| {
        let (inner, outer) = (pair[0], pair[1]);
        if outer.level <= inner.level {
            Some(format!(
                "levels are not in order: {} after {}",
                outer.level, inner.level
            ))
        } else if outer.lower > inner.lower || outer.upper < inner.upper {
            Some(format!(
                "the interval of level {} does not contain that of level {}",
                outer.level, inner.level
            ))
        } else {
            None
        }
    })
}

fn outside(what: &str, value: usize, low: usize, high: usize) -> Option<String> {
    (!(low..=high).contains(&value))
        .then(|| format!("{what} is {value}, must be between {low} and {high}"))
}

fn not_finite(what: &str, value: f64) -> Option<String> {
    (!value.is_finite()).then(|| format!("{what} is {value}, must be finite"))
}

fn not_an_error(what: &str, value: f64) -> Option<String> {
    not_finite(what, value)
        .or_else(|| (value < 0.0).then(|| format!("{what} is {value}, must not be negative")))
}
