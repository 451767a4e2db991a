//! Accuracy measures: errors of forecasts against measured values.
//!
//! MAE, RMSE and R² as scikit-learn computes them; MAPE as the reference service,
//! mean |error / (actual + 1e-10)| in per cent; MASE against lag 1 (Hyndman and Koehler 2006), the
//! error without the first day over the mean absolute day-to-day change of the same days.

use crate::error::{EvaluationError, check_pair, check_series};
use crate::mean::{ROUNDING, mean};
use serde::{Deserialize, Serialize};

/// Added to actual values so that MAPE is finite at 0, as in the reference service.
const MAPE_EPSILON: f64 = 1e-10;
/// A mean absolute error up to this value counts as rounding error.
const NO_ERROR: f64 = 1e-9;

/// Accuracy of forecasts, in the unit of the series unless it says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Accuracy {
    /// Number of days.
    pub count: usize,
    /// Mean absolute error.
    pub mae: f64,
    /// Root mean squared error.
    pub rmse: f64,
    /// Coefficient of determination; `None` when the actual values never vary.
    pub r2: Option<f64>,
    /// Mean absolute percentage error, per cent; `None` when an actual value is 0.
    pub mape: Option<f64>,
    /// Mean absolute scaled error; 1 is as good as "same as the day before". `None` for fewer than
    /// two days and for actual values that never change.
    pub mase: Option<f64>,
}

impl Accuracy {
    /// Computes the accuracy of forecasts of consecutive observed days.
    ///
    /// # Errors
    ///
    /// [`EvaluationError`] for empty series, different lengths, or a value that is not finite.
    pub fn of(actual: &[f64], predicted: &[f64]) -> Result<Self, EvaluationError> {
        check_pair(actual, predicted)?;
        let count = actual.len() as f64;
        let errors: Vec<f64> = actual
            .iter()
            .zip(predicted)
            .map(|(actual, predicted)| actual - predicted)
            .collect();
        let squares: f64 = errors.iter().map(|error| error * error).sum();
        let percentages: f64 = actual
            .iter()
            .zip(&errors)
            .map(|(actual, error)| (error / (actual + MAPE_EPSILON)).abs())
            .sum();
        Ok(Self {
            count: actual.len(),
            mae: mean_of_absolutes(&errors),
            rmse: (squares / count).sqrt(),
            r2: determination(squares, variation(actual)),
            mape: (!actual.contains(&0.0)).then(|| 100.0 * percentages / count),
            mase: scaled_error(actual, &errors),
        })
    }
}

/// Sum of squared differences from the mean; 0 for values that vary by rounding only.
pub(crate) fn variation(values: &[f64]) -> f64 {
    let Some(middle) = mean(values.iter().copied()) else {
        return 0.0;
    };
    let variation: f64 = values.iter().map(|value| (value - middle).powi(2)).sum();
    if (variation / values.len() as f64).sqrt() > ROUNDING * middle.abs() {
        variation
    } else {
        0.0
    }
}

/// 1 − `squares` / `variation`: the coefficient of determination from the sum of squared errors.
/// `None` without variation.
pub(crate) fn determination(squares: f64, variation: f64) -> Option<f64> {
    (variation > 0.0)
        .then(|| 1.0 - squares / variation)
        .filter(|r2| r2.is_finite())
}

fn mean_of_absolutes(values: &[f64]) -> f64 {
    values.iter().map(|value| value.abs()).sum::<f64>() / values.len() as f64
}

fn scaled_error(actual: &[f64], errors: &[f64]) -> Option<f64> {
    let changes: Vec<f64> = actual.windows(2).map(|pair| pair[1] - pair[0]).collect();
    if changes.is_empty() {
        return None;
    }
    let change = mean_of_absolutes(&changes);
    let size = mean_of_absolutes(actual);
    (change > ROUNDING * size).then(|| mean_of_absolutes(&errors[1..]) / change)
}

/// Mean absolute error.
///
/// # Errors
///
/// [`EvaluationError`] for empty series, different lengths, or a value that is not finite.
pub fn mean_absolute_error(actual: &[f64], predicted: &[f64]) -> Result<f64, EvaluationError> {
    Ok(Accuracy::of(actual, predicted)?.mae)
}

/// 1 − MAE(model) / MAE(baseline): above 0 the model is better, below 0 the baseline is.
///
/// `None` if the baseline made no error, or only a rounding error, so that no model can be better.
/// Displays of the skill must say so.
///
/// # Errors
///
/// [`EvaluationError::NotFinite`].
pub fn skill(model_mae: f64, baseline_mae: f64) -> Result<Option<f64>, EvaluationError> {
    check_series("mean absolute error", &[model_mae, baseline_mae])?;
    Ok((baseline_mae > NO_ERROR).then(|| 1.0 - model_mae / baseline_mae))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hand_computed_values() {
        let accuracy = Accuracy::of(&[50.0, 52.0, 51.0], &[51.0, 52.0, 49.0]).unwrap();
        assert_eq!(accuracy.mae, 1.0);
        assert!((accuracy.rmse - (5.0_f64 / 3.0).sqrt()).abs() < 1e-12);
        assert!((accuracy.r2.unwrap() - (1.0 - 5.0 / 2.0)).abs() < 1e-12);
        // Errors of days 2 and 3: 0 and 2; changes: 2 and 1.
        assert!((accuracy.mase.unwrap() - 1.0 / 1.5).abs() < 1e-12);
    }

    #[test]
    fn what_cannot_be_computed_is_none() {
        let flat = Accuracy::of(&[5.0, 5.0], &[5.0, 6.0]).unwrap();
        assert_eq!((flat.r2, flat.mase), (None, None));
        assert_eq!(Accuracy::of(&[5.0], &[5.0]).unwrap().mase, None);
        assert_eq!(Accuracy::of(&[0.0, 1.0], &[1.0, 1.0]).unwrap().mape, None);
        assert_eq!(skill(1.0, 0.0).unwrap(), None);
        // The mean of a week of 60.1 forecasts the next day.
        assert_eq!(skill(1.0, 7e-15).unwrap(), None);
    }

    #[test]
    fn actual_values_that_vary_by_rounding_only_never_vary() {
        // 0.1 + 0.2 is not 0.3; days of 60.1 have a mean of 60.1.
        let rounding = Accuracy::of(&[0.1 + 0.2, 0.3, 0.3], &[0.5; 3]).unwrap();
        assert_eq!((rounding.r2, rounding.mase), (None, None));
        let constant = Accuracy::of(&[60.1; 7], &[61.0; 7]).unwrap();
        assert_eq!((constant.r2, constant.mase), (None, None));
    }

    #[test]
    fn bad_series_are_refused() {
        assert_eq!(
            Accuracy::of(&[], &[]),
            Err(EvaluationError::Empty("actual value"))
        );
        assert!(matches!(
            Accuracy::of(&[1.0], &[1.0, 2.0]),
            Err(EvaluationError::Lengths { .. })
        ));
        assert_eq!(
            Accuracy::of(&[1.0, 2.0], &[1.0, f64::NAN]),
            Err(EvaluationError::NotFinite {
                what: "predicted value",
                index: 1
            })
        );
    }

    #[test]
    fn skill_is_negative_when_the_baseline_is_better() {
        assert_eq!(skill(1.5, 1.0).unwrap(), Some(-0.5));
    }

    proptest! {
        #[test]
        fn rmse_is_never_below_mae(
            pairs in prop::collection::vec((-1e3_f64..1e3, -1e3_f64..1e3), 1..60),
        ) {
            let (actual, predicted): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
            let accuracy = Accuracy::of(&actual, &predicted).unwrap();
            prop_assert!(accuracy.rmse >= accuracy.mae * (1.0 - 1e-12));
        }
    }
}
