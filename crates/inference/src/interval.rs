//! Intervals of forecasts, and the lead for their calibration.

use crate::error::InferenceError;
use chrono::NaiveDate;
use vitalcast_artifact::{Calibration, LeadCalibration, ResidualQuantile};
use vitalcast_domain::{IntervalMethod, MAX_HORIZON_DAYS, PredictionMetric};
use vitalcast_evaluation::{Bounds, Distribution};

/// The half width in mean absolute errors that the reference service called 95 %.
pub const REFERENCE_FACTOR: f64 = 1.96;

/// An interval around a forecast.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Lower end, in the metric's unit.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
    /// Nominal coverage, which is not always the requested one.
    pub level: f64,
    /// Number of residuals.
    pub residual_count: usize,
}

/// Days from the last reading of the metric to the target day: the interval widens with horizon
/// and with gaps. At least 1; beyond the longest calibrated lead the longest is used.
pub fn lead_of(target: NaiveDate, last_observed: Option<NaiveDate>) -> usize {
    let days = last_observed.map_or(i64::MAX, |last| (target - last).num_days());
    usize::try_from(days.clamp(1, MAX_HORIZON_DAYS as i64)).expect("between 1 and 7")
}

/// The interval around `value`, limited to the plausible range, with its level.
///
/// `residual_quantiles`: the errors made on days the weights were not fitted on, at this lead, see
/// [`LeadCalibration::interval`]. The level is lower than the one asked for where so few errors support
/// no more.
/// `reference_mae`: value ± 1.96 × MAE whatever the level or lead, as the reference service did; the
/// level is that of an interval of residual quantiles as wide.
///
/// `None` for a model without residuals.
pub fn interval(
    calibration: &Calibration,
    metric: PredictionMetric,
    method: IntervalMethod,
    value: f64,
    level: f64,
    lead: usize,
) -> Option<Interval> {
    /// A level is above 0; this is as good as nothing.
    const LEAST_LEVEL: f64 = 0.01;
    let nearest = nearest_lead(calibration, lead)?;
    let reach = match method {
        IntervalMethod::ResidualQuantiles => nearest.interval(level)?,
        IntervalMethod::ReferenceMae => {
            let half = REFERENCE_FACTOR * nearest_lead(calibration, 1)?.mae;
            ResidualQuantile {
                level: nearest.level_of(half)?.max(LEAST_LEVEL),
                lower: -half,
                upper: half,
            }
        }
    };
    let (lowest, highest) = metric.metric_type().plausible_range();
    Some(Interval {
        lower: (value + reach.lower).clamp(lowest, highest),
        upper: (value + reach.upper).clamp(lowest, highest),
        level: reach.level,
        residual_count: nearest.residual_count,
    })
}

/// The forecast with every interval that its residuals support, limited to the plausible range.
///
/// # Errors
///
/// [`InferenceError::Evaluation`] for a calibration whose bounds are not nested.
pub(crate) fn distribution(
    calibration: &Calibration,
    metric: PredictionMetric,
    value: f64,
    lead: usize,
) -> Result<Distribution, InferenceError> {
    let (lowest, highest) = metric.metric_type().plausible_range();
    let bounds = nearest_lead(calibration, lead).map(|nearest| {
        let supported = nearest.supported_level();
        let kept = nearest
            .quantiles
            .iter()
            .filter(|kept| kept.level <= supported);
        kept.map(|kept| Bounds {
            level: kept.level,
            lower: (value + kept.lower.min(0.0)).clamp(lowest, highest),
            upper: (value + kept.upper.max(0.0)).clamp(lowest, highest),
        })
        .collect()
    });
    Ok(Distribution::new(value, bounds.unwrap_or_default())?)
}

/// The calibration of this lead, or of the longest one there is below it.
fn nearest_lead(calibration: &Calibration, lead: usize) -> Option<&LeadCalibration> {
    calibration
        .leads
        .iter()
        .filter(|entry| entry.lead_days <= lead)
        .max_by_key(|entry| entry.lead_days)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calibration() -> Calibration {
        let quantile = |level, half: f64| ResidualQuantile {
            level,
            lower: -half,
            upper: half,
        };
        let lead = |lead_days, factor: f64| LeadCalibration {
            lead_days,
            residual_count: 20,
            mae: factor,
            quantiles: vec![quantile(0.8, 2.0 * factor), quantile(0.9, 4.0 * factor)],
        };
        Calibration {
            leads: vec![lead(1, 1.0), lead(2, 1.5)],
        }
    }

    fn ends(method: IntervalMethod, value: f64, level: f64, lead: usize) -> (f64, f64) {
        let rhr = PredictionMetric::RestingHeartRate;
        let interval = interval(&calibration(), rhr, method, value, level, lead).unwrap();
        (interval.lower, interval.upper)
    }

    #[test]
    fn the_level_is_the_one_that_holds() {
        let rhr = PredictionMetric::RestingHeartRate;
        let of = |method, level| {
            let interval = interval(&calibration(), rhr, method, 60.0, level, 1).unwrap();
            (interval.level, interval.residual_count)
        };
        let quantiles = IntervalMethod::ResidualQuantiles;
        assert_eq!(of(quantiles, 0.85), (0.85, 20));
        assert_eq!(of(quantiles, 0.99), (0.9, 20));
        assert_eq!(of(quantiles, 0.4), (0.8, 20));
        // 1.96 bpm is a little less than the half width of 2 bpm at 80 %.
        let (level, _) = of(IntervalMethod::ReferenceMae, 0.95);
        assert!((level - 0.8 * 1.96 / 2.0).abs() < 1e-12, "{level}");
    }

    #[test]
    fn levels_between_those_kept_have_the_bounds_of_the_higher() {
        let quantiles = IntervalMethod::ResidualQuantiles;
        assert_eq!(ends(quantiles, 60.0, 0.8, 1), (58.0, 62.0));
        assert_eq!(ends(quantiles, 60.0, 0.4, 1), (58.0, 62.0));
        assert_eq!(ends(quantiles, 60.0, 0.85, 1), (56.0, 64.0));
        assert_eq!(ends(quantiles, 60.0, 0.99, 1), (56.0, 64.0));
    }

    #[test]
    fn a_longer_lead_is_wider_and_beyond_the_last_the_last_counts() {
        let quantiles = IntervalMethod::ResidualQuantiles;
        assert_eq!(ends(quantiles, 60.0, 0.8, 2), (57.0, 63.0));
        assert_eq!(ends(quantiles, 60.0, 0.8, 7), (57.0, 63.0));
    }

    #[test]
    fn the_reference_method_ignores_level_and_lead() {
        let reference = IntervalMethod::ReferenceMae;
        assert_eq!(ends(reference, 60.0, 0.5, 7), (60.0 - 1.96, 60.0 + 1.96));
    }

    #[test]
    fn ends_stay_within_what_a_body_can_show() {
        assert_eq!(
            ends(IntervalMethod::ResidualQuantiles, 21.0, 0.8, 1).0,
            20.0
        );
    }

    #[test]
    fn the_lead_counts_from_the_last_reading() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        assert_eq!(lead_of(day("2024-01-02"), Some(day("2024-01-01"))), 1);
        assert_eq!(lead_of(day("2024-01-05"), Some(day("2024-01-01"))), 4);
        assert_eq!(lead_of(day("2024-03-05"), Some(day("2024-01-01"))), 7);
        assert_eq!(lead_of(day("2024-03-05"), None), 7);
    }
}
