//! Forecasters of one daily series that read nothing but the series itself.
//!
//! A history holds one value per calendar day and ends on the last day known; a missing day is
//! `None` and is never filled in. A [`SeriesMethod`] is fitted to a history and gives a
//! [`SeriesModel`], which forecasts from any history.

mod average;
mod calibrated;
mod ets;
mod kind;
mod lags;
mod linear_algebra;
mod method;
mod nelder_mead;
mod parts;
#[cfg(test)]
mod reference;
mod ridge;
mod simple;
mod theta;
mod trees_on_lags;

pub use average::AverageModel;
pub use calibrated::{Calibrated, ForecastInterval};
pub use ets::EtsModel;
pub use method::{SeriesMethod, SeriesModel};
pub use parts::{MemberShare, SeriesPart, SeriesParts, TreeGame};
pub use ridge::RidgeModel;
pub use simple::{ExponentialSmoothing, MovingAverage};
pub use theta::ThetaModel;
pub use trees_on_lags::TreesOnLags;

pub use lags::LEVEL_DAYS;

pub(crate) use kind::SeriesKind;

use crate::error::ModelError;
use calibrated::{replay, sorted};
use kind::Sum;
use vitalcast_evaluation::half_width;

/// Days of the season: people live by the week.
pub(crate) const WEEK: usize = 7;

/// A forecaster that reads nothing but the series itself.
pub trait SeriesForecaster {
    /// Its stable name: that of its architecture on the wire.
    fn name(&self) -> &'static str;

    /// Forecasts the day `lead` (at least 1) days after the last day of `history`.
    ///
    /// `None` when the history holds nothing to go by.
    fn forecast(&self, history: &[Option<f64>], lead: usize) -> Option<f64>;

    /// The same with an interval of nominal coverage `level` (above 0, below 1) around it, as wide
    /// as the forecaster's own errors at this lead when it is replayed over the history, see
    /// [`vitalcast_evaluation::half_width`]; of a lower level where so few errors support no more.
    ///
    /// The errors are honest only of a model that has not been fitted to this very history:
    /// [`Calibrated`] sees to that. `None` when there is nothing to go by, or no
    /// day of the history could be replayed.
    fn forecast_interval(
        &self,
        history: &[Option<f64>],
        lead: usize,
        level: f64,
    ) -> Option<ForecastInterval> {
        let value = self.forecast(history, lead)?;
        let errors = sorted(replay(history, 0, lead, |known| self.forecast(known, lead)));
        let half = half_width(&errors, level)?;
        Some(ForecastInterval::around(value, half.size, half.level))
    }
}

/// Whether a history reaches over two whole weeks from its first value to its last: in less no season can
/// be told from chance.
fn shows_a_week_twice(history: &[Option<f64>]) -> bool {
    let first = history.iter().position(Option::is_some);
    let last = history.iter().rposition(Option::is_some);
    first
        .zip(last)
        .is_some_and(|(first, last)| last - first + 1 >= 2 * WEEK)
}

/// What was fitted, or how many days with a value it takes.
fn enough<M>(
    fitted: Option<M>,
    history: &[Option<f64>],
    what: &'static str,
) -> Result<M, ModelError> {
    fitted.ok_or_else(|| ModelError::TooShort {
        what,
        needed: 4,
        found: history.iter().flatten().count(),
    })
}

/// Mean of what is observed.
fn mean(values: &[Option<f64>]) -> Option<f64> {
    vitalcast_evaluation::mean(values.iter().flatten().copied())
}

/// A forecast that can be told; the last value observed in place of one that ran away.
fn finite(value: f64, history: &[Option<f64>]) -> Option<f64> {
    if value.is_finite() {
        Some(value)
    } else {
        last(history)
    }
}

/// The last value observed.
fn last(history: &[Option<f64>]) -> Option<f64> {
    history.iter().rev().find_map(|value| *value)
}
