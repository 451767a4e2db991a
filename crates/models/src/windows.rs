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

    /// Windows of several sources after one another, for one network.
    ///
    /// # Errors
    ///
    /// [`ModelError::Empty`] for no source, [`ModelError::OutOfBounds`] for more values than fit,
    /// [`ModelError::Unequal`] for another lookback or width than the first one's.
    pub fn concat(parts: &[&Self]) -> Result<Self, ModelError> {
        let first = parts.first().ok_or(ModelError::Empty("window"))?;
        let shape = (first.lookback, first.features);
        if let Some(part) = parts
            .iter()
            .position(|part| (part.lookback, part.features) != shape)
        {
            return Err(ModelError::Unequal {
                part,
                expected: shape,
                found: (parts[part].lookback, parts[part].features),
            });
        }
        let count = parts.iter().map(|part| part.count).sum::<usize>();
        let size: usize = parts.iter().map(|part| part.values.len()).sum();
        if size > MAX_VALUES {
            return Err(ModelError::OutOfBounds {
                field: "values of all windows",
                low: 1.0,
                high: MAX_VALUES as f64,
                found: size as f64,
            });
        }
        let mut values = Vec::with_capacity(size);
        for part in parts {
            values.extend_from_slice(&part.values);
        }
        Ok(Self {
            count,
            lookback: first.lookback,
            features: first.features,
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

    /// The same day by day, `[days, windows, features]`, in the place of what was there.
    pub(crate) fn gather_by_day(&self, indices: &[usize], to: &mut Vec<f32>) {
        to.clear();
        for day in 0..self.lookback {
            for index in indices {
                let first = (index * self.lookback + day) * self.features;
                to.extend_from_slice(&self.values[first..first + self.features]);
            }
        }
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
    fn windows_of_many_come_after_one_another() {
        let one = Windows::new(1, 2, 1, vec![1.0, 2.0]).unwrap();
        let two = Windows::new(2, 2, 1, vec![3.0, 4.0, 5.0, 6.0]).unwrap();
        let both = Windows::concat(&[&one, &two]).unwrap();
        assert_eq!(both.count(), 3);
        assert_eq!(both.gather(&[2, 0]), [5.0, 6.0, 1.0, 2.0]);
        let mut by_day = vec![0.0];
        both.gather_by_day(&[2, 0], &mut by_day);
        assert_eq!(by_day, [5.0, 1.0, 6.0, 2.0]);
        let longer = Windows::new(1, 3, 1, vec![0.0; 3]).unwrap();
        assert_eq!(
            Windows::concat(&[&one, &longer]).unwrap_err().to_string(),
            "windows of part 1 have 3 days and 1 features, expected 2 and 1 as in part 0"
        );
        assert_eq!(Windows::concat(&[]), Err(ModelError::Empty("window")));
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
