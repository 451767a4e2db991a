//! What networks read: windows of days and features, checked once.

use crate::error::ModelError;

/// Most values in one set of windows: 2 GiB of f32.
const MAX_VALUES: usize = 1 << 29;

/// Owned `[count, lookback, features]` values, row-major, all finite, nothing empty.
#[derive(Debug, Clone, PartialEq)]
pub struct Windows {
    count: usize,
    lookback: usize,
    features: usize,
    values: Vec<f32>,
}

impl Windows {
    /// Checks and keeps the values.
    ///
    /// # Errors
    ///
    /// [`ModelError::Empty`], [`ModelError::Shape`], [`ModelError::NotFinite`] naming window, day
    /// and feature, [`ModelError::OutOfBounds`] for absurd sizes.
    pub fn new(
        count: usize,
        lookback: usize,
        features: usize,
        values: Vec<f32>,
    ) -> Result<Self, ModelError> {
        for (what, size) in [("window", count), ("day", lookback), ("feature", features)] {
            if size == 0 {
                return Err(ModelError::Empty(what));
            }
        }
        let expected = count
            .checked_mul(lookback)
            .and_then(|rows| rows.checked_mul(features))
            .filter(|size| *size <= MAX_VALUES)
            .ok_or(ModelError::OutOfBounds {
                field: "values of all windows",
                low: 1.0,
                high: MAX_VALUES as f64,
                found: count as f64 * lookback as f64 * features as f64,
            })?;
        if values.len() != expected {
            return Err(ModelError::Shape {
                found: values.len(),
                count,
                lookback,
                features,
            });
        }
        if let Some(place) = values.iter().position(|value| !value.is_finite()) {
            return Err(ModelError::NotFinite {
                window: place / (lookback * features),
                day: place / features % lookback,
                feature: place % features,
            });
        }
        Ok(Self {
            count,
            lookback,
            features,
            values,
        })
    }

    /// Number of windows.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Days in a window.
    pub fn lookback(&self) -> usize {
        self.lookback
    }

    /// Features in a day.
    pub fn features(&self) -> usize {
        self.features
    }

    /// The values of some windows, in the order given.
    pub fn gather(&self, indices: &[usize]) -> Vec<f32> {
        let size = self.lookback * self.features;
        indices
            .iter()
            .flat_map(|&index| &self.values[index * size..(index + 1) * size])
            .copied()
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_is_not_finite_is_named() {
        let mut values = vec![0.0; 2 * 3 * 4];
        values[12 + 4 + 2] = f32::NAN;
        assert_eq!(
            Windows::new(2, 3, 4, values),
            Err(ModelError::NotFinite {
                window: 1,
                day: 1,
                feature: 2
            })
        );
    }

    #[test]
    fn nothing_wrong_sizes_and_absurd_sizes_are_refused() {
        assert!(matches!(
            Windows::new(0, 1, 1, vec![]),
            Err(ModelError::Empty("window"))
        ));
        assert!(matches!(
            Windows::new(1, 2, 3, vec![0.0; 5]),
            Err(ModelError::Shape { .. })
        ));
        assert!(matches!(
            Windows::new(usize::MAX, 2, 3, vec![]),
            Err(ModelError::OutOfBounds { .. })
        ));
    }
}
