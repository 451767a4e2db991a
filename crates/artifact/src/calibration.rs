//! Calibration: the errors of a model on days that were not used for training, and the intervals from
//! them.
//!
//! Half widths are those of [`vitalcast_evaluation::half_width`]. Above the level that so many residuals
//! support the table holds the largest residual, and [`LeadCalibration::interval`] says which level that
//! is: it never answers with a level the residuals do not support, whatever the table holds.
//!
//! The bounds are kept as pairs, so that a later way of calibrating may give intervals that do not
//! lie evenly around the forecast.

use crate::error::ArtifactError;
use serde::{Deserialize, Serialize};
use vitalcast_evaluation::{half_width, highest_level};

/// Nominal coverages whose bounds are kept.
const LEVELS: [f64; 21] = [
    0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85,
    0.9, 0.95, 0.975, 0.99,
];

/// Errors on days that were not used for training, for each lead.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Calibration {
    /// One entry per lead, nearest first. Leads without residuals are absent.
    pub leads: Vec<LeadCalibration>,
}

impl Calibration {
    /// Combines leads so that no interval is narrower than the interval of a shorter lead with the same
    /// level: a narrower one would only be an effect of few residuals.
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
    /// Number of residuals.
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
            .filter_map(|level| {
                let size = half_width(&sizes, level)?.size;
                Some(ResidualQuantile {
                    level,
                    lower: -size,
                    upper: size,
                })
            })
            .collect();
        Ok(Self {
            lead_days,
            residual_count: count,
            mae,
            quantiles,
        })
    }

    /// Bounds of an interval of this nominal coverage, and the level they hold: the one asked for, or
    /// the nearest to it that is kept and that the residuals support. `None` when no bounds are kept or
    /// the level is not above 0 and below 1.
    ///
    /// Exact at the levels kept. Between two of them the bounds are those of the higher one: the interval
    /// may hold more than it says, never less.
    pub fn interval(&self, level: f64) -> Option<ResidualQuantile> {
        // NaN fails both comparisons, so it is refused too.
        if !(level > 0.0 && level < 1.0) {
            return None;
        }
        let (lowest, highest) = (self.quantiles.first()?, self.quantiles.last()?);
        let bounds = self
            .quantiles
            .iter()
            .find(|quantile| quantile.level >= level)
            .unwrap_or(highest);
        Some(ResidualQuantile {
            level: level.max(lowest.level).min(self.supported_level()),
            ..*bounds
        })
    }

    /// The nominal coverage of an interval that reaches as far to either side, whoever chose it: the
    /// highest level that it contains the interval of, at most what the residuals support; a share of the
    /// lowest where it contains none. `None` when no bounds are kept.
    pub fn level_of(&self, half_width: f64) -> Option<f64> {
        let reach = |quantile: &ResidualQuantile| quantile.upper.max(-quantile.lower);
        let lowest = self.quantiles.first()?;
        let within = self.quantiles.iter().rev();
        let level = within
            .filter(|quantile| reach(quantile) <= half_width)
            .map(|quantile| quantile.level)
            .next()
            .unwrap_or_else(|| lowest.level * half_width / reach(lowest));
        Some(level.min(self.supported_level()))
    }

    /// The highest nominal coverage of [`LeadCalibration::interval`]: what so many residuals support, as
    /// far as bounds are kept. 0 when none are.
    pub fn supported_level(&self) -> f64 {
        let kept = self.quantiles.last().map_or(0.0, |last| last.level);
        highest_level(self.residual_count).min(kept)
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

    /// The level of an interval, and its half widths.
    fn of(lead: &LeadCalibration, level: f64) -> (f64, f64) {
        let interval = lead.interval(level).unwrap();
        assert_eq!(interval.lower, -interval.upper);
        (interval.level, interval.upper)
    }

    #[test]
    fn half_widths_are_order_statistics_with_the_finite_sample_correction() {
        let lead = one_to(99);
        for (level, half_width) in [
            (0.1, 10.0),
            (0.5, 50.0),
            (0.7, 70.0),
            (0.8, 80.0),
            (0.9, 90.0),
            (0.95, 95.0),
            (0.99, 99.0),
        ] {
            assert_eq!(of(&lead, level), (level, half_width));
        }
        assert!((lead.mae - 50.0).abs() < 1e-12);
    }

    #[test]
    fn four_residuals_were_said_to_hold_95_per_cent() {
        let lead = one_to(4);
        for level in [0.8, 0.85, 0.95, 0.999] {
            assert_eq!(of(&lead, level), (0.8, 4.0));
        }
        assert_eq!(lead.supported_level(), 0.8);
        assert!(of(&lead, 0.3).1 < of(&lead, 0.5).1);
        // The level supported lies between two that are kept.
        assert_eq!(of(&one_to(12), 0.95), (12.0 / 13.0, 12.0));
        assert_eq!(of(&one_to(90), 0.999), (90.0 / 91.0, 90.0));
        assert_eq!(of(&one_to(19), 0.95), (0.95, 19.0));
    }

    #[test]
    fn a_table_that_holds_more_than_its_residuals_support_is_not_believed() {
        // As releases before wrote it, from 0.5 on.
        let mut lead = one_to(4);
        lead.quantiles.retain(|quantile| quantile.level >= 0.5);
        assert_eq!(of(&lead, 0.95), (0.8, 4.0));
        // Its narrowest interval holds more than was asked for.
        assert_eq!(of(&lead, 0.3), (0.5, 3.0));
    }

    #[test]
    fn between_two_levels_the_bounds_are_those_of_the_higher() {
        let lead = one_to(99);
        assert_eq!(of(&lead, 0.63), (0.63, 65.0));
        assert_eq!(of(&lead, 0.01), of(&lead, 0.05));
        assert_eq!(of(&lead, 0.999), of(&lead, 0.99));
    }

    #[test]
    fn a_level_outside_0_and_1_has_no_interval() {
        let lead = one_to(9);
        for level in [0.0, 1.0, -0.1, 1.1, f64::NAN] {
            assert_eq!(lead.interval(level), None);
        }
    }

    #[test]
    fn a_width_chosen_elsewhere_has_the_level_of_an_interval_as_wide() {
        let lead = one_to(99);
        for (half_width, level) in [(50.0, 0.5), (67.0, 0.65), (2.5, 0.025), (200.0, 0.99)] {
            let found = lead.level_of(half_width).unwrap();
            assert!((found - level).abs() < 1e-9, "{half_width}: {found}");
        }
        assert_eq!(one_to(4).level_of(100.0), Some(0.8));
    }

    #[test]
    fn without_bounds_there_is_no_interval() {
        let lead = LeadCalibration {
            quantiles: Vec::new(),
            ..one_to(3)
        };
        assert_eq!(lead.interval(0.9), None);
        assert_eq!(lead.level_of(1.0), None);
        assert_eq!(lead.supported_level(), 0.0);
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
        let half_width = |days| of(calibration.lead(days).unwrap(), 0.7).1;
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
