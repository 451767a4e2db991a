//! Arithmetic over the last days of one field. Each value is computed from its own days in a fixed
//! order, never carried over from a neighbour, so that a row does not depend on where a table
//! begins.

use crate::daily::DailyTable;
use vitalcast_domain::mean;

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
        let mean = self.mean(days)?;
        let (sum, count) = self
            .last(days)
            .fold((0.0, 0_usize), |(sum, count), (_, value)| {
                (sum + (value - mean).powi(2), count + 1)
            });
        (count >= 2).then(|| (sum / count as f64).sqrt())
    }

    /// Least-squares slope per day over at least three observed days.
    pub(crate) fn slope(self, days: usize) -> Option<f64> {
        let (count, day_sum, value_sum) = self.last(days).fold(
            (0_usize, 0.0, 0.0),
            |(count, day_sum, value_sum), (day, value)| {
                (count + 1, day_sum + day, value_sum + value)
            },
        );
        if count < 3 {
            return None;
        }
        let (day_mean, value_mean) = (day_sum / count as f64, value_sum / count as f64);
        let (product, square) =
            self.last(days)
                .fold((0.0, 0.0), |(product, square), (day, value)| {
                    let distance = day - day_mean;
                    (
                        product + distance * (value - value_mean),
                        square + distance * distance,
                    )
                });
        Some(product / square)
    }

    /// Whether any of the last `days` days is observed.
    pub(crate) fn any(self, days: usize) -> bool {
        self.last(days).next().is_some()
    }
}
