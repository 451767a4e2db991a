//! A dense calendar of daily values: row i is day `first_day + i`, a missing value is missing.
//!
//! A row can have later versions, for values that became known after its day. A window reads each row
//! as known on its origin, the row on whose evening the window is read.

use crate::error::WindowError;

/// A later version of a row: all its values as known from some later row on.
#[derive(Debug, Clone, PartialEq)]
pub struct LaterRow {
    /// The row.
    pub row: usize,
    /// The first row on whose evening this version is known.
    pub from: usize,
    /// A value for each column.
    pub values: Vec<Option<f64>>,
}

/// Daily values, one row per calendar day and one named column per series.
#[derive(Debug, Clone, PartialEq)]
pub struct DayMatrix {
    first_day: i32,
    columns: Vec<String>,
    values: Vec<f64>,
    observed: Vec<bool>,
    /// By row and then by the first row that sees them.
    later: Vec<Version>,
}

#[derive(Debug, Clone, PartialEq)]
struct Version {
    row: usize,
    from: usize,
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
            later: Vec::new(),
        })
    }

    /// Adds the later versions of rows, which come by row and then by the row that first sees them.
    ///
    /// # Errors
    ///
    /// [`WindowError::NotLater`] for a version that is out of order, of no row, or not later than its
    /// row; [`WindowError::Length`], [`WindowError::NotFinite`] for its values.
    pub fn with_later(mut self, later: Vec<LaterRow>) -> Result<Self, WindowError> {
        let mut before = None;
        for LaterRow { row, from, values } in later {
            if row >= self.rows() || from <= row || before >= Some((row, from)) {
                return Err(WindowError::NotLater { row, from });
            }
            before = Some((row, from));
            if values.len() != self.columns.len() {
                return Err(WindowError::Length {
                    what: "the later version of a row",
                    found: values.len(),
                    expected: self.columns.len(),
                });
            }
            if let Some(column) = values
                .iter()
                .position(|value| value.is_some_and(|value| !value.is_finite()))
            {
                return Err(WindowError::NotFinite {
                    row,
                    column: self.columns[column].clone(),
                });
            }
            self.later.push(Version {
                row,
                from,
                observed: values.iter().map(Option::is_some).collect(),
                values: values.into_iter().map(Option::unwrap_or_default).collect(),
            });
        }
        Ok(self)
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

    /// The values of a row as known on the evening of `origin`, 0 where missing, and which of them
    /// were observed. On an earlier evening than the row's own, the row is as known on its own.
    ///
    /// # Panics
    ///
    /// When the row is outside the matrix.
    pub fn row(&self, row: usize, origin: usize) -> (&[f64], &[bool]) {
        let next = self
            .later
            .partition_point(|version| (version.row, version.from) <= (row, origin));
        if let Some(version) = next.checked_sub(1).map(|place| &self.later[place])
            && version.row == row
        {
            return (&version.values, &version.observed);
        }
        let width = self.columns.len();
        let places = row * width..(row + 1) * width;
        (&self.values[places.clone()], &self.observed[places])
    }

    /// A value as known on the evening of `origin`, if it was observed.
    ///
    /// # Panics
    ///
    /// When row or column are outside the matrix.
    pub fn value(&self, row: usize, column: usize, origin: usize) -> Option<f64> {
        let (values, observed) = self.row(row, origin);
        observed[column].then(|| values[column])
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
        assert_eq!(matrix.value(0, 0, 0), Some(0.0));
        assert_eq!(matrix.value(0, 1, 0), None);
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
    fn a_row_is_read_as_known_on_the_origin() {
        let later = |row, from, value| LaterRow {
            row,
            from,
            values: vec![value],
        };
        let matrix = || DayMatrix::new(0, names(&["a"]), vec![None, Some(2.0), Some(3.0)]).unwrap();
        let versions = vec![
            later(0, 1, Some(1.0)),
            later(0, 3, Some(1.5)),
            later(1, 2, None),
        ];
        let known = matrix().with_later(versions).unwrap();
        let at = |row| [0, 1, 2, 3, 9].map(|origin| known.value(row, 0, origin));
        assert_eq!(at(0), [None, Some(1.0), Some(1.0), Some(1.5), Some(1.5)]);
        assert_eq!(at(1), [Some(2.0), Some(2.0), None, None, None]);
        assert_eq!(at(2), [Some(3.0); 5]);
        for wrong in [
            vec![later(3, 4, None)],
            vec![later(1, 1, None)],
            vec![later(1, 2, None), later(0, 1, None)],
            vec![later(1, 2, None), later(1, 2, None)],
        ] {
            assert!(matches!(
                matrix().with_later(wrong),
                Err(WindowError::NotLater { .. })
            ));
        }
        assert!(
            matrix()
                .with_later(vec![later(0, 1, Some(f64::NAN))])
                .is_err()
        );
    }

    #[test]
    fn ragged_rows_and_twin_columns_are_refused() {
        assert!(DayMatrix::new(0, names(&["a", "b"]), vec![None]).is_err());
        assert!(DayMatrix::new(0, names(&["a", "a"]), vec![None, None]).is_err());
        assert!(DayMatrix::new(0, Vec::new(), Vec::new()).is_err());
    }
}
