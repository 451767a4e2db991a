//! Intervals for any forecaster: as wide as the errors it made on days it was not fitted to.

use super::SeriesForecaster;
use crate::error::ModelError;

/// A forecast with an interval around it, in the unit of the series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ForecastInterval {
    /// The forecast.
    pub value: f64,
    /// Lower end.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
    /// Nominal coverage, above 0 and below 1.
    pub level: f64,
}

impl ForecastInterval {
    /// As far to either side.
    pub(super) fn around(value: f64, half: f64, level: f64) -> Self {
        Self {
            value,
            lower: value - half,
            upper: value + half,
            level,
        }
    }
}

/// A model with the errors its method made on the last third of a history when it was fitted to the
/// part before, lead by lead: what an interval can honestly be made of.
#[derive(Debug, Clone)]
pub struct Calibrated<M> {
    model: M,
    /// Absolute errors for lead 1, 2 and so on.
    errors: Vec<Vec<f64>>,
}

impl<M: SeriesForecaster> Calibrated<M> {
    /// Fits to the first two thirds of a history, notes the errors for leads 1 to `horizon` on the
    /// rest, and fits to the whole.
    ///
    /// # Errors
    ///
    /// [`ModelError::TooShort`] when nothing could be forecast in the last third; what `fit` says.
    pub fn fit(
        history: &[Option<f64>],
        horizon: usize,
        fit: impl Fn(&[Option<f64>]) -> Result<M, ModelError>,
    ) -> Result<Self, ModelError> {
        let first = history.len() * 2 / 3;
        let early = fit(&history[..first])?;
        let errors: Vec<Vec<f64>> = (1..=horizon.max(1))
            .map(|lead| replay(history, first, lead, |known| early.forecast(known, lead)))
            .collect();
        if errors[0].is_empty() {
            return Err(ModelError::TooShort {
                what: "days to measure errors on in the last third of the history",
                needed: 1,
                found: 0,
            });
        }
        Ok(Self {
            model: fit(history)?,
            errors,
        })
    }

    /// The model, fitted to the whole history.
    pub fn model(&self) -> &M {
        &self.model
    }
}

impl<M: SeriesForecaster> SeriesForecaster for Calibrated<M> {
    fn name(&self) -> &'static str {
        self.model.name()
    }

    fn forecast(&self, history: &[Option<f64>], lead: usize) -> Option<f64> {
        self.model.forecast(history, lead)
    }

    /// Beyond the longest lead that was calibrated, that one's width is used; a longer lead is never
    /// narrower than a shorter one, which few errors could make it by chance.
    fn forecast_interval(
        &self,
        history: &[Option<f64>],
        lead: usize,
        level: f64,
    ) -> Option<ForecastInterval> {
        let value = self.forecast(history, lead)?;
        let half = self.errors[..lead.clamp(1, self.errors.len())]
            .iter()
            .filter_map(|errors| half_width(&mut errors.clone(), level))
            .reduce(f64::max)?;
        Some(ForecastInterval::around(value, half, level))
    }
}

/// Absolute errors of a forecaster on the observed days from `first` on, each forecast from what lay
/// `lead` days before and earlier.
pub(super) fn replay(
    history: &[Option<f64>],
    first: usize,
    lead: usize,
    forecast: impl Fn(&[Option<f64>]) -> Option<f64>,
) -> Vec<f64> {
    (first.max(lead)..history.len())
        .filter_map(|day| {
            let actual = history[day]?;
            Some((actual - forecast(&history[..=day - lead])?).abs())
        })
        .filter(|error| error.is_finite())
        .collect()
}

/// The ⌈(n + 1) · level⌉-th smallest of n errors, the largest where that is more than n.
pub(super) fn half_width(errors: &mut [f64], level: f64) -> Option<f64> {
    if !(level > 0.0 && level < 1.0) {
        return None;
    }
    errors.sort_by(f64::total_cmp);
    let rank = ((errors.len() + 1) as f64 * level).ceil() as usize;
    errors.get(rank.min(errors.len()).checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_half_width_is_the_conformal_quantile() {
        let mut errors: Vec<f64> = (1..=19).rev().map(f64::from).collect();
        assert_eq!(half_width(&mut errors, 0.9), Some(18.0));
        assert_eq!(half_width(&mut errors, 0.99), Some(19.0));
        assert_eq!(half_width(&mut errors, 0.01), Some(1.0));
        assert_eq!(half_width(&mut [], 0.9), None);
        for level in [0.0, 1.0, f64::NAN] {
            assert_eq!(half_width(&mut errors, level), None);
        }
    }

    #[test]
    fn a_replay_sees_nothing_later_than_its_origin() {
        let history: Vec<Option<f64>> = (0..6)
            .map(|day| (day != 3).then_some(f64::from(day)))
            .collect();
        let lengths = std::cell::RefCell::new(Vec::new());
        let errors = replay(&history, 1, 2, |known| {
            lengths.borrow_mut().push(known.len());
            known.last().copied().flatten()
        });
        // Days 2, 4 and 5 are observed; day 5 is forecast from day 3, which is missing.
        assert_eq!(*lengths.borrow(), [1, 3, 4]);
        assert_eq!(errors, [2.0, 2.0]);
    }
}
