//! Standard scaling of columns: (value − mean) / population standard deviation, as scikit-learn's
//! `StandardScaler`.
//!
//! Fitted on training rows and on nothing else; the fitted numbers travel in the model artifact, so
//! serving scales exactly as training did. Missing values are skipped while fitting and stay
//! missing.
//!
//! What training did not show cannot have been learned. A column that never varied, or by rounding only,
//! has an infinite scale: whatever it shows later is zero standard deviations from its mean. A column
//! that was never observed is remembered as such and stays masked. A value farther from the mean than
//! [`FARTHEST`] counts as that far, so that a linear model does not follow it out of all bounds.

use crate::error::WindowError;
use crate::matrix::DayMatrix;
use serde::{Deserialize, Serialize};
use std::ops::Range;
use vitalcast_evaluation::{beyond_rounding, mean};

/// Standard deviations from the training mean beyond which a value counts as that far away. One of 65
/// training days can be no farther, so that in an ordinary training this changes nothing.
pub const FARTHEST: f64 = 8.0;

/// Smallest spread that is more than rounding whatever the size of the values: differences of large
/// numbers leave a rest that is large beside themselves. No unit of ours is told in billionths.
const LEAST_SPREAD: f64 = 1e-9;

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct ColumnScale {
    mean: f64,
    scale: f64,
    observed: usize,
}

impl ColumnScale {
    fn fit(values: impl Iterator<Item = f64> + Clone) -> Self {
        let observed = values.clone().count();
        let Some(middle) = mean(values.clone()) else {
            return Self {
                mean: 0.0,
                scale: 1.0,
                observed,
            };
        };
        let variance = mean(values.map(|value| (value - middle).powi(2))).unwrap_or(0.0);
        let spread = beyond_rounding(variance.sqrt(), middle);
        Self {
            mean: middle,
            scale: if !spread.is_finite() {
                // No scale; `validate` refuses it.
                f64::NAN
            } else if spread > LEAST_SPREAD {
                spread
            } else {
                f64::INFINITY
            },
            observed,
        }
    }

    fn transform(self, value: f64) -> f64 {
        if self.scale.is_infinite() {
            return 0.0;
        }
        (value - self.mean) / self.scale
    }

    fn inverse(self, scaled: f64) -> f64 {
        if self.scale.is_infinite() {
            return self.mean;
        }
        scaled * self.scale + self.mean
    }

    fn validate(self, column: usize) -> Result<(), WindowError> {
        let what = if !self.mean.is_finite() {
            "the mean is not finite"
        } else if self.scale.is_nan() || self.scale <= 0.0 {
            "the scale is not a positive number"
        } else {
            return Ok(());
        };
        Err(WindowError::BadScaler { column, what })
    }
}

/// Not fitted yet: see [`StandardScaler::fit`].
#[derive(Debug, Clone, Copy, Default)]
pub struct StandardScaler;

impl StandardScaler {
    /// Fits every column on the given rows, as known on the evening of the last of them.
    ///
    /// # Errors
    ///
    /// [`WindowError::OutsideRows`] for no rows and for rows the matrix does not have,
    /// [`WindowError::BadScaler`] for values too large to have a finite variance.
    pub fn fit(matrix: &DayMatrix, rows: Range<usize>) -> Result<FittedScaler, WindowError> {
        if rows.end > matrix.rows() || rows.is_empty() {
            return Err(WindowError::OutsideRows {
                lookback: rows.len(),
                last_row: rows.end.saturating_sub(1),
                rows: matrix.rows(),
            });
        }
        let origin = rows.end - 1;
        let columns = (0..matrix.columns().len())
            .map(|column| {
                let values = rows.clone();
                ColumnScale::fit(values.filter_map(|row| matrix.value(row, column, origin)))
            })
            .collect();
        let fitted = FittedScaler { columns };
        fitted.validate()?;
        Ok(fitted)
    }
}

/// Means and scales of the columns of a matrix.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FittedScaler {
    columns: Vec<ColumnScale>,
}

impl FittedScaler {
    /// Number of columns.
    pub fn width(&self) -> usize {
        self.columns.len()
    }

    /// Mean of a column over the training rows.
    pub fn mean(&self, column: usize) -> f64 {
        self.columns[column].mean
    }

    /// Its population standard deviation; infinite when it never varied.
    pub fn scale(&self, column: usize) -> f64 {
        self.columns[column].scale
    }

    /// Whether training never saw a value of this column.
    pub fn never_observed(&self, column: usize) -> bool {
        self.columns[column].observed == 0
    }

    /// A value of a column in training standard deviations from the training mean, at most
    /// [`FARTHEST`] either way.
    pub fn transform(&self, column: usize, value: f64) -> f64 {
        self.columns[column]
            .transform(value)
            .clamp(-FARTHEST, FARTHEST)
    }

    /// The way back, from within these bounds.
    pub fn inverse(&self, column: usize, scaled: f64) -> f64 {
        self.columns[column].inverse(scaled)
    }

    /// Checks numbers that were read from elsewhere.
    ///
    /// # Errors
    ///
    /// [`WindowError::BadScaler`] with the column.
    pub fn validate(&self) -> Result<(), WindowError> {
        self.columns
            .iter()
            .enumerate()
            .try_for_each(|(column, scale)| scale.validate(column))
    }
}

/// Mean and scale of one series: the target.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TargetScaler(ColumnScale);

impl TargetScaler {
    /// Fits on training targets.
    ///
    /// # Errors
    ///
    /// [`WindowError::NothingToFit`] without any, [`WindowError::BadScaler`] for values that are
    /// not finite or too large to have a finite variance.
    pub fn fit(targets: &[f64]) -> Result<Self, WindowError> {
        if targets.is_empty() {
            return Err(WindowError::NothingToFit);
        }
        let mut scale = ColumnScale::fit(targets.iter().copied());
        if scale.scale.is_infinite() {
            // What a model says of it has to have a size.
            scale.scale = 1.0;
        }
        let fitted = Self(scale);
        fitted.validate()?;
        Ok(fitted)
    }

    /// Fits on deviations from a forecast: zero stays zero, and the scale is their root mean square, or
    /// 1 when there are none to speak of.
    ///
    /// # Errors
    ///
    /// As [`TargetScaler::fit`].
    pub fn fit_deviations(deviations: &[f64]) -> Result<Self, WindowError> {
        let squares = deviations.iter().map(|deviation| deviation * deviation);
        let spread = mean(squares).ok_or(WindowError::NothingToFit)?.sqrt();
        let fitted = Self(ColumnScale {
            mean: 0.0,
            scale: if spread > LEAST_SPREAD || !spread.is_finite() {
                spread
            } else {
                1.0
            },
            observed: deviations.len(),
        });
        fitted.validate()?;
        Ok(fitted)
    }

    /// Mean of the training targets.
    pub fn mean(&self) -> f64 {
        self.0.mean
    }

    /// Their population standard deviation (of deviations their root mean square), or 1 when they never
    /// vary.
    pub fn scale(&self) -> f64 {
        self.0.scale
    }

    /// A target in standard deviations from the mean.
    pub fn transform(&self, value: f64) -> f64 {
        self.0.transform(value)
    }

    /// The way back.
    pub fn inverse(&self, scaled: f64) -> f64 {
        self.0.inverse(scaled)
    }

    /// Checks numbers that were read from elsewhere.
    ///
    /// # Errors
    ///
    /// [`WindowError::BadScaler`].
    pub fn validate(&self) -> Result<(), WindowError> {
        if self.0.scale.is_infinite() {
            return Err(WindowError::BadScaler {
                column: 0,
                what: "the scale of a target is infinite",
            });
        }
        self.0.validate(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn matrix(values: Vec<Option<f64>>) -> DayMatrix {
        DayMatrix::new(0, vec!["a".to_owned()], values).unwrap()
    }

    #[test]
    fn only_training_rows_are_seen_and_missing_ones_are_skipped() {
        let matrix = matrix(vec![Some(1.0), None, Some(3.0), Some(1e9)]);
        let scaler = StandardScaler::fit(&matrix, 0..3).unwrap();
        assert_eq!(scaler.transform(0, 2.0), 0.0);
        assert_eq!(scaler.transform(0, 3.0), 1.0);
    }

    #[test]
    fn a_constant_column_stays_zero_whatever_it_shows_later() {
        let constant = matrix(vec![Some(0.1), Some(0.1), Some(0.1)]);
        let scaler = StandardScaler::fit(&constant, 0..3).unwrap();
        for value in [0.1, 1.1, -1e9] {
            assert_eq!(scaler.transform(0, value), 0.0);
        }
        assert_eq!(scaler.inverse(0, 0.0), 0.1);
        assert_eq!(TargetScaler::fit(&[0.1; 3]).unwrap().scale(), 1.0);
    }

    #[test]
    fn a_spread_of_rounding_was_a_scale() {
        // A day's rate less the mean of its month, both 60.1, and what sums of them differ by.
        let rounding = [
            vec![Some(7e-15), Some(0.0), Some(-7e-15)],
            vec![Some(60.1), Some(60.1 + 7e-15), Some(60.1 - 7e-15)],
            vec![Some(0.1 + 0.2), Some(0.3), Some(0.3)],
        ];
        for column in rounding {
            let scaler = StandardScaler::fit(&matrix(column), 0..3).unwrap();
            assert_eq!(scaler.transform(0, 66.0), 0.0);
        }
        let smallest = matrix(vec![Some(60.000_01), Some(60.0)]);
        let scaler = StandardScaler::fit(&smallest, 0..2).unwrap();
        assert!((scaler.transform(0, 60.000_01) - 1.0).abs() < 1e-6);
    }

    #[test]
    fn a_value_out_of_all_bounds_counts_as_far_as_any_could_be() {
        let scaler = StandardScaler::fit(&matrix(vec![Some(59.0), Some(61.0)]), 0..2).unwrap();
        assert_eq!(scaler.transform(0, 67.0), 7.0);
        assert_eq!(scaler.transform(0, 90.0), FARTHEST);
        assert_eq!(scaler.transform(0, -1e300), -FARTHEST);
    }

    #[test]
    fn a_column_training_never_saw_is_remembered() {
        let scaler = StandardScaler::fit(&matrix(vec![None, None, Some(5.0)]), 0..2).unwrap();
        assert!(scaler.never_observed(0));
    }

    #[test]
    fn values_without_a_finite_variance_are_refused() {
        let matrix = matrix(vec![Some(1e300), Some(-1e300)]);
        assert!(matches!(
            StandardScaler::fit(&matrix, 0..2),
            Err(WindowError::BadScaler { column: 0, .. })
        ));
        assert!(TargetScaler::fit(&[1e300, -1e300]).is_err());
        assert!(TargetScaler::fit(&[1.0, f64::NAN]).is_err());
        assert_eq!(TargetScaler::fit(&[]), Err(WindowError::NothingToFit));
    }

    #[test]
    fn a_scaler_with_a_zero_scale_is_refused() {
        let json = r#"{"columns":[{"mean":0.0,"scale":0.0,"observed":3}]}"#;
        let scaler: FittedScaler = serde_json::from_str(json).unwrap();
        assert!(scaler.validate().is_err());
    }

    proptest! {
        #[test]
        fn transform_and_inverse_cancel(
            targets in prop::collection::vec(-1e6_f64..1e6, 2..50), value in -1e6_f64..1e6,
        ) {
            let scaler = TargetScaler::fit(&targets).unwrap();
            let back = scaler.inverse(scaler.transform(value));
            prop_assert!((back - value).abs() <= 1e-9 * value.abs().max(scaler.scale()).max(1.0));
        }
    }
}
