//! Arithmetic over the last days of one field. Each value is computed from its own days in a fixed
//! order, never carried over from a neighbour, so that a row does not depend on where a table
//! begins.
//!
//! Where the days hold one value, its mean is that value, and spread, slope and distance from the mean
//! are 0, to the last bit. So they are where days differ by the rounding of sums only.

use crate::daily::DailyTable;
use vitalcast_evaluation::{beyond_rounding, mean};

/// One field up to one day, as seen from an evening that is not before it.
#[derive(Clone, Copy)]
pub(crate) struct Series<'a> {
    pub(crate) table: &'a DailyTable,
    pub(crate) field: usize,
    pub(crate) day: usize,
    pub(crate) seen_from: usize,
}

impl Series<'_> {
    /// The value `back` days before the day.
    pub(crate) fn back(self, back: usize) -> Option<f64> {
        let day = self.day.checked_sub(back)?;
        self.table.value(self.field, day, self.seen_from)
    }

    /// The series up to the day before.
    pub(crate) fn day_before(self) -> Self {
        Self {
            day: self.day - 1,
            ..self
        }
    }

    /// The observed values of the last `days` days, oldest first, with their distance in days from
    /// the oldest.
    fn last(self, days: usize) -> impl Iterator<Item = (f64, f64)> {
        (0..days)
            .filter_map(move |step| self.back(days - 1 - step).map(|value| (step as f64, value)))
    }

    /// Mean of the observed days.
    pub(crate) fn mean(self, days: usize) -> Option<f64> {
        mean(self.last(days).map(|(_, value)| value))
    }

    /// Sum of the observed days.
    pub(crate) fn sum(self, days: usize) -> Option<f64> {
        self.last(days)
            .fold(None, |sum, (_, value)| Some(sum.unwrap_or(0.0) + value))
    }

    /// Population standard deviation of at least two observed days.
    pub(crate) fn deviation(self, days: usize) -> Option<f64> {
        let middle = self.mean(days)?;
        let squares = self.last(days).map(|(_, value)| (value - middle).powi(2));
        let spread = mean(squares)?.sqrt();
        (self.last(days).count() >= 2).then(|| beyond_rounding(spread, middle))
    }

    /// Least-squares slope per day over at least three observed days.
    pub(crate) fn slope(self, days: usize) -> Option<f64> {
        if self.last(days).count() < 3 {
            return None;
        }
        let day_mean = mean(self.last(days).map(|(day, _)| day))?;
        let value_mean = self.mean(days)?;
        let (product, square) =
            self.last(days)
                .fold((0.0, 0.0), |(product, square), (day, value)| {
                    let distance = day - day_mean;
                    (
                        product + distance * (value - value_mean),
                        square + distance * distance,
                    )
                });
        Some(beyond_rounding(product / square, value_mean))
    }

    /// Whether any of the last `days` days is observed.
    pub(crate) fn any(self, days: usize) -> bool {
        self.last(days).next().is_some()
    }
}
