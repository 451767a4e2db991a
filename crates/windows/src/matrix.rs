//! A dense calendar of daily values: row i is day `first_day + i`, a missing value is missing.

use crate::error::WindowError;
use std::ops::Range;

/// Daily values, one row per calendar day and one named column per series.
#[derive(Debug, Clone, PartialEq)]
pub struct DayMatrix {
    first_day: i32,
    columns: Vec<String>,
    values: Vec<f64>,
    observed: Vec<bool>,
}

impl DayMatrix {
    /// Takes row-major values; day numbers count days from any fixed day.
    ///
    /// # Errors
    ///
    /// [`WindowError::Shape`] when the values do not fill whole rows, [`WindowError::TwoColumns`],
    /// [`WindowError::NotFinite`] with row and column.
    pub fn new(
        first_day: i32,
        columns: Vec<String>,
        values: Vec<Option<f64>>,
    ) -> Result<Self, WindowError> {
        if columns.is_empty() || !values.len().is_multiple_of(columns.len()) {
            return Err(WindowError::Shape {
                values: values.len(),
                columns: columns.len(),
            });
        }
        let mut names: Vec<&String> = columns.iter().collect();
        names.sort();
        if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(WindowError::TwoColumns(pair[0].clone()));
        }
        if let Some(place) = values
            .iter()
            .position(|value| value.is_some_and(|value| !value.is_finite()))
        {
            return Err(WindowError::NotFinite {
                row: place / columns.len(),
                column: columns[place % columns.len()].clone(),
            });
        }
        Ok(Self {
            first_day,
            columns,
            observed: values.iter().map(Option::is_some).collect(),
            values: values.into_iter().map(Option::unwrap_or_default).collect(),
        })
    }

    /// Number of days.
    pub fn rows(&self) -> usize {
        self.values.len() / self.columns.len()
    }

    /// Day number of the first row.
    pub fn first_day(&self) -> i32 {
        self.first_day
    }

    /// Names of the columns, in order.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Place of a column.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column == name)
    }

    /// Some of the days, as a matrix of their own.
    ///
    /// # Errors
    ///
    /// [`WindowError::OutsideRows`] for rows the matrix does not have.
    pub fn slice(&self, rows: Range<usize>) -> Result<Self, WindowError> {
        if rows.start > rows.end || rows.end > self.rows() {
            return Err(WindowError::OutsideRows {
                lookback: rows.len(),
                last_row: rows.end.saturating_sub(1),
                rows: self.rows(),
            });
        }
        let width = self.columns.len();
        let places = rows.start * width..rows.end * width;
        Ok(Self {
            first_day: self.first_day + rows.start as i32,
            columns: self.columns.clone(),
            values: self.values[places.clone()].to_vec(),
            observed: self.observed[places].to_vec(),
        })
    }

    /// A value, if it was observed.
    ///
    /// # Panics
    ///
    /// When row or column are outside the matrix.
    pub fn value(&self, row: usize, column: usize) -> Option<f64> {
        assert!(
            column < self.columns.len(),
            "column {column} is outside the matrix"
        );
        let place = row * self.columns.len() + column;
        self.observed[place].then(|| self.values[place])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn missing_stays_missing() {
        let matrix = DayMatrix::new(7, names(&["a", "b"]), vec![Some(0.0), None]).unwrap();
        assert_eq!(matrix.value(0, 0), Some(0.0));
        assert_eq!(matrix.value(0, 1), None);
        assert_eq!((matrix.rows(), matrix.first_day()), (1, 7));
    }

    #[test]
    fn a_value_that_is_not_finite_is_named_by_row_and_column() {
        let values = vec![Some(1.0), None, Some(2.0), Some(f64::NAN)];
        assert_eq!(
            DayMatrix::new(0, names(&["a", "b"]), values),
            Err(WindowError::NotFinite {
                row: 1,
                column: "b".to_owned()
            })
        );
    }

    #[test]
    fn a_slice_keeps_its_days() {
        let values = vec![Some(1.0), None, Some(3.0)];
        let matrix = DayMatrix::new(7, names(&["a"]), values).unwrap();
        let slice = matrix.slice(1..3).unwrap();
        assert_eq!((slice.first_day(), slice.rows()), (8, 2));
        assert_eq!((slice.value(0, 0), slice.value(1, 0)), (None, Some(3.0)));
        assert_eq!(matrix.slice(3..3).unwrap().rows(), 0);
        assert!(matrix.slice(2..4).is_err());
    }

    #[test]
    fn ragged_rows_and_twin_columns_are_refused() {
        assert!(DayMatrix::new(0, names(&["a", "b"]), vec![None]).is_err());
        assert!(DayMatrix::new(0, names(&["a", "a"]), vec![None, None]).is_err());
        assert!(DayMatrix::new(0, Vec::new(), Vec::new()).is_err());
    }
}
