//! Intervals for any forecaster: as wide as the errors it made on days it was not fitted to.

use super::SeriesForecaster;
use crate::error::ModelError;
use vitalcast_evaluation::half_width;

/// A forecast with an interval around it, in the unit of the series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ForecastInterval {
    /// The forecast.
    pub value: f64,
    /// Lower end.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
    /// Nominal coverage, above 0 and below 1: what was asked for, or the highest level that so many
    /// errors support.
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
    /// Absolute errors for lead 1, 2 and so on, ascending.
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
            .map(|lead| {
                sorted(replay(history, first, lead, |known| {
                    early.forecast(known, lead)
                }))
            })
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
    /// narrower than a shorter one, which few errors could make it by chance. The level is the lowest
    /// that one of these leads supports.
    fn forecast_interval(
        &self,
        history: &[Option<f64>],
        lead: usize,
        level: f64,
    ) -> Option<ForecastInterval> {
        let value = self.forecast(history, lead)?;
        let (half, level) = self.errors[..lead.clamp(1, self.errors.len())]
            .iter()
            .filter_map(|errors| half_width(errors, level))
            .map(|half| (half.size, half.level))
            .reduce(|wide, next| (wide.0.max(next.0), wide.1.min(next.1)))?;
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

pub(super) fn sorted(mut errors: Vec<f64>) -> Vec<f64> {
    errors.sort_unstable_by(f64::total_cmp);
    errors
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::{SeriesMethod, SeriesModel};

    #[test]
    fn a_handful_of_errors_was_said_to_hold_any_level() {
        // The last third of twelve days: four errors.
        let history: Vec<Option<f64>> = (0..12).map(|day| Some(f64::from(day * day % 7))).collect();
        let model = SeriesMethod::Naive.fit_calibrated(&history, 1).unwrap();
        let interval = |level| model.forecast_interval(&history, 1, level).unwrap();
        assert_eq!(interval(0.95), interval(0.8));
        assert_eq!(interval(0.95).level, 0.8);
        assert_eq!(interval(0.5).level, 0.5);
        // Replayed over the whole history there are eleven.
        let replayed = SeriesModel::Naive.forecast_interval(&history, 1, 0.95);
        assert_eq!(replayed.unwrap().level, 11.0 / 12.0);
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
