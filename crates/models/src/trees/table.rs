//! The table that trees read.

use crate::error::ModelError;

/// Most values in a table: 2 GiB of f32.
const MAX_VALUES: usize = 1 << 29;

/// Rows of features, row by row; NaN is a missing value.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    rows: usize,
    columns: usize,
    values: Vec<f32>,
}

impl Table {
    /// Checks and keeps the values.
    ///
    /// # Errors
    ///
    /// [`ModelError::Empty`], [`ModelError::OutOfBounds`] for absurd sizes, [`ModelError::TableShape`],
    /// [`ModelError::CellInfinite`] naming row and column.
    pub fn new(rows: usize, columns: usize, values: Vec<f32>) -> Result<Self, ModelError> {
        for (what, size) in [("row", rows), ("column", columns)] {
            if size == 0 {
                return Err(ModelError::Empty(what));
            }
        }
        let expected = rows
            .checked_mul(columns)
            .filter(|size| *size <= MAX_VALUES)
            .ok_or(ModelError::OutOfBounds {
                field: "values of the table",
                low: 1.0,
                high: MAX_VALUES as f64,
                found: rows as f64 * columns as f64,
            })?;
        if values.len() != expected {
            return Err(ModelError::TableShape {
                found: values.len(),
                rows,
                columns,
            });
        }
        if let Some(place) = values.iter().position(|value| value.is_infinite()) {
            return Err(ModelError::CellInfinite {
                row: place / columns,
                column: place % columns,
            });
        }
        Ok(Self {
            rows,
            columns,
            values,
        })
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The values, row by row.
    pub(crate) fn values(&self) -> &[f32] {
        &self.values
    }

    /// One row.
    pub(crate) fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.columns..][..self.columns]
    }
}
