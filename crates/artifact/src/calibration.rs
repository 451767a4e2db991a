//! How wrong a model was on days it did not learn from, and the interval that follows from it.
//!
//! Split conformal prediction (Vovk et al. 2005; Lei et al. 2018): with `n` absolute residuals and
//! nominal coverage `level`, the half width is the k-th smallest of them, k = ⌈(n + 1) · level⌉.
//! When k is above n, no finite width has that coverage; the largest residual is taken, and
//! [`LeadCalibration::supported_level`] says up to which level the promise holds.
//!
//! The bounds are kept as pairs, so that a later way of calibrating may give intervals that do not
//! lie evenly around the forecast.

use crate::error::ArtifactError;
use serde::{Deserialize, Serialize};

/// Nominal coverages whose bounds are kept.
const LEVELS: [f64; 10] = [0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.975, 0.99];

/// Errors on days the model did not learn from, for each lead.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Calibration {
    /// One entry per lead, nearest first. Leads without residuals are absent.
    pub leads: Vec<LeadCalibration>,
}

impl Calibration {
    /// Puts leads together so that no interval is narrower than that of a shorter lead and the
    /// same level: what is further away cannot be known better, it only looks so in few residuals.
    ///
    /// # Errors
    ///
    /// [`ArtifactError::InvalidContents`] when the leads are not in order, hold different levels,
    /// or are not valid in themselves.
    pub fn widening(leads: Vec<LeadCalibration>) -> Result<Self, ArtifactError> {
        let mut calibration = Self { leads };
        calibration.validate()?;
        for index in 1..calibration.leads.len() {
            let (nearer, further) = calibration.leads.split_at_mut(index);
            let (nearer, further) = (&nearer[index - 1], &mut further[0]);
            let levels = |lead: &LeadCalibration| -> Vec<f64> {
                lead.quantiles
                    .iter()
                    .map(|quantile| quantile.level)
                    .collect()
            };
            if levels(nearer) != levels(further) {
                return Err(ArtifactError::InvalidContents {
                    section: "calibration",
                    what: format!(
                        "leads {} and {} hold different levels",
                        nearer.lead_days, further.lead_days
                    ),
                });
            }
            for (near, far) in nearer.quantiles.iter().zip(&mut further.quantiles) {
                far.lower = far.lower.min(near.lower);
                far.upper = far.upper.max(near.upper);
            }
        }
        Ok(calibration)
    }

    /// The entry for a forecast this many days past the last known day.
    pub fn lead(&self, lead_days: usize) -> Option<&LeadCalibration> {
        self.leads.iter().find(|lead| lead.lead_days == lead_days)
    }
}

/// Errors of forecasts made one number of days ahead.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LeadCalibration {
    /// Days from the last known day to the target: 1 to 7.
    pub lead_days: usize,
    /// Residuals these numbers come from.
    pub residual_count: usize,
    /// Mean absolute residual, in the metric's unit.
    pub mae: f64,
    /// Interval bounds by nominal coverage, lowest coverage first. An interval of higher coverage
    /// contains those of lower coverage.
    pub quantiles: Vec<ResidualQuantile>,
}

/// Bounds of an interval of one nominal coverage, relative to the forecast.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ResidualQuantile {
    /// Nominal coverage, above 0 and below 1.
    pub level: f64,
    /// Added to the forecast for the lower bound; usually negative. In the metric's unit.
    pub lower: f64,
    /// Added to the forecast for the upper bound. In the metric's unit.
    pub upper: f64,
}

impl LeadCalibration {
    /// Bounds from residuals (truth minus forecast, in any order) on days the model did not learn
    /// from, in the metric's unit.
    ///
    /// # Errors
    ///
    /// [`ArtifactError::InvalidContents`] without any residual or with one that is not finite.
    pub fn from_residuals(lead_days: usize, residuals: &[f64]) -> Result<Self, ArtifactError> {
        let invalid = |what| ArtifactError::InvalidContents {
            section: "calibration",
            what: format!("lead {lead_days}: {what}"),
        };
        if residuals.is_empty() {
            return Err(invalid("no residuals".to_owned()));
        }
        if let Some(index) = residuals.iter().position(|residual| !residual.is_finite()) {
            return Err(invalid(format!("residual {index} is not finite")));
        }
        let mut sizes: Vec<f64> = residuals.iter().map(|residual| residual.abs()).collect();
        let count = sizes.len();
        let mae = sizes.iter().map(|size| size / count as f64).sum();
        sizes.sort_unstable_by(f64::total_cmp);
        let quantiles = LEVELS
            .into_iter()
            .map(|level| {
                // The small term keeps a product such as 10 · 0.7 from being rounded up past 7.
                let rank = ((count + 1) as f64 * level - 1e-9).ceil() as usize;
                let half_width = sizes[rank.clamp(1, count) - 1];
                ResidualQuantile {
                    level,
                    lower: -half_width,
                    upper: half_width,
                }
            })
            .collect();
        Ok(Self {
            lead_days,
            residual_count: count,
            mae,
            quantiles,
        })
    }

    /// How far the interval of this nominal coverage reaches below and above the forecast; `None`
    /// when no bounds are kept or the level is not above 0 and below 1.
    ///
    /// Exact at the levels kept, linear between two of them; below the lowest the lowest, above the
    /// highest the highest.
    pub fn half_widths(&self, level: f64) -> Option<(f64, f64)> {
        // NaN fails both comparisons, so it is refused too.
        if !(level > 0.0 && level < 1.0) {
            return None;
        }
        let after = self
            .quantiles
            .partition_point(|quantile| quantile.level < level);
        let above = self.quantiles.get(after).or(self.quantiles.last())?;
        let below = after
            .checked_sub(1)
            .and_then(|index| self.quantiles.get(index))
            .unwrap_or(above);
        let span = above.level - below.level;
        let share = if span > 0.0 {
            (level - below.level) / span
        } else {
            1.0
        };
        let between = |from: f64, to: f64| from * (1.0 - share) + to * share;
        Some((
            -between(below.lower, above.lower),
            between(below.upper, above.upper),
        ))
    }

    /// The highest nominal coverage these residuals can promise: n / (n + 1).
    pub fn supported_level(&self) -> f64 {
        self.residual_count as f64 / (self.residual_count as f64 + 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one_to(count: usize) -> LeadCalibration {
        // Signs alternate and the order is not that of size.
        let residuals: Vec<f64> = (1..=count)
            .rev()
            .map(|size| {
                if size % 2 == 0 {
                    size as f64
                } else {
                    -(size as f64)
                }
            })
            .collect();
        LeadCalibration::from_residuals(1, &residuals).unwrap()
    }

    #[test]
    fn half_widths_are_order_statistics_with_the_finite_sample_correction() {
        let lead = one_to(99);
        for (level, half_width) in [
            (0.5, 50.0),
            (0.7, 70.0),
            (0.8, 80.0),
            (0.9, 90.0),
            (0.95, 95.0),
            (0.99, 99.0),
        ] {
            let (below, above) = lead.half_widths(level).unwrap();
            assert_eq!((below, above), (half_width, half_width), "{level}");
        }
        assert!((lead.mae - 50.0).abs() < 1e-12);
    }

    #[test]
    fn a_level_the_residuals_cannot_support_gets_the_largest_of_them() {
        let lead = one_to(12);
        assert_eq!(lead.half_widths(0.95), Some((12.0, 12.0)));
        assert!(lead.supported_level() < 0.95);
        assert!(one_to(19).supported_level() >= 0.95);
    }

    #[test]
    fn between_two_levels_the_bounds_lie_between_theirs() {
        let lead = one_to(99);
        let (below, above) = lead.half_widths(0.65).unwrap();
        assert!((below - 65.0).abs() < 1e-9 && (above - 65.0).abs() < 1e-9);
        assert_eq!(lead.half_widths(0.01), lead.half_widths(0.5));
        assert_eq!(lead.half_widths(0.999), lead.half_widths(0.99));
    }

    #[test]
    fn a_level_outside_0_and_1_has_no_interval() {
        let lead = one_to(9);
        for level in [0.0, 1.0, -0.1, 1.1, f64::NAN] {
            assert_eq!(lead.half_widths(level), None);
        }
    }

    #[test]
    fn without_bounds_there_is_no_interval() {
        let lead = LeadCalibration {
            quantiles: Vec::new(),
            ..one_to(3)
        };
        assert_eq!(lead.half_widths(0.9), None);
    }

    #[test]
    fn no_residuals_and_infinite_residuals_are_refused() {
        let text = |residuals: &[f64]| {
            LeadCalibration::from_residuals(3, residuals)
                .unwrap_err()
                .to_string()
        };
        assert_eq!(text(&[]), "invalid calibration: lead 3: no residuals");
        assert!(text(&[1.0, f64::NAN]).contains("residual 1 is not finite"));
    }

    #[test]
    fn a_longer_lead_is_never_narrower() {
        let lead = |days, scale: f64| {
            LeadCalibration::from_residuals(days, &[0.5 * scale, -scale, 2.0 * scale]).unwrap()
        };
        let calibration =
            Calibration::widening(vec![lead(1, 2.0), lead(2, 1.0), lead(3, 3.0)]).unwrap();
        let half_width = |days| calibration.lead(days).unwrap().half_widths(0.9).unwrap().1;
        assert_eq!(
            [half_width(1), half_width(2), half_width(3)],
            [4.0, 4.0, 6.0]
        );
        assert_eq!(calibration.lead(2).unwrap().mae, lead(2, 1.0).mae);
        assert!(calibration.lead(4).is_none());
    }

    #[test]
    fn leads_out_of_order_or_of_different_levels_do_not_go_together() {
        let lead = |days| LeadCalibration::from_residuals(days, &[1.0]).unwrap();
        assert!(Calibration::widening(vec![lead(2), lead(1)]).is_err());
        let mut other = lead(2);
        other.quantiles.pop();
        assert!(Calibration::widening(vec![lead(1), other]).is_err());
        assert_eq!(
            Calibration::widening(Vec::new()).unwrap(),
            Calibration::default()
        );
    }
}
