//! Windows by calendar: a window ends on day d, its target is day d + horizon.
//!
//! A day without data inside a window stays there as a gap. Rows are never closed up, so "the day
//! after" is always the day after.

use crate::error::WindowError;
use crate::known::KnownSeries;
use std::ops::RangeInclusive;

/// Longest lookback anyone can ask for, days.
const MAX_LOOKBACK: usize = 3_660;
/// Longest horizon, days.
const MAX_HORIZON: usize = 7;

/// Days a model reads before it forecasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lookback(usize);

impl Lookback {
    /// A number of days, at least 1.
    ///
    /// # Errors
    ///
    /// [`WindowError::OutOfBounds`] for 0 and for more than ten years.
    pub fn new(days: usize) -> Result<Self, WindowError> {
        bounded("lookback", days, 1..=MAX_LOOKBACK).map(Self)
    }

    /// The number of days.
    pub fn days(self) -> usize {
        self.0
    }
}

/// Days from the last one read to the one forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Horizon(usize);

impl Horizon {
    /// A number of days, 1 to 7.
    ///
    /// # Errors
    ///
    /// [`WindowError::OutOfBounds`].
    pub fn new(days: usize) -> Result<Self, WindowError> {
        bounded("horizon", days, 1..=MAX_HORIZON).map(Self)
    }

    /// The number of days.
    pub fn days(self) -> usize {
        self.0
    }
}

fn bounded(
    what: &'static str,
    found: usize,
    range: RangeInclusive<usize>,
) -> Result<usize, WindowError> {
    if range.contains(&found) {
        return Ok(found);
    }
    Err(WindowError::OutOfBounds {
        what,
        low: *range.start(),
        high: *range.end(),
        found,
    })
}

/// One window: the rows `last_row + 1 - lookback ..= last_row` are read, `target_row` is forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Last row read.
    pub last_row: usize,
    /// Row forecast.
    pub target_row: usize,
}

/// Where a window ends, and what was known when it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowEnd {
    /// Last row read.
    pub last_row: usize,
    /// The row on whose evening the window is read: every row is read as known then.
    pub origin: usize,
}

impl WindowEnd {
    /// A window read on the evening of its last row; where its last days are not known yet, on the
    /// evening of the last one before them.
    pub fn on_evening(last_row: usize, hidden_days: usize) -> Self {
        Self {
            last_row,
            origin: last_row.saturating_sub(hidden_days),
        }
    }
}

impl From<&Window> for WindowEnd {
    fn from(window: &Window) -> Self {
        Self::on_evening(window.last_row, 0)
    }
}

/// Cuts every window whose target is observed and whose own days show at least `least_observed`
/// values of `history`, in time order.
///
/// `targets` and `history` have one value per row: what a day turned out to be, and what was known of
/// it on the evening on which a window is read.
///
/// # Errors
///
/// [`WindowError::Length`] when the two differ in length.
pub fn cut_windows(
    targets: &[Option<f64>],
    history: &KnownSeries,
    lookback: Lookback,
    horizon: Horizon,
    least_observed: usize,
) -> Result<Vec<Window>, WindowError> {
    if history.days() != targets.len() {
        return Err(WindowError::Length {
            what: "the history",
            found: history.days(),
            expected: targets.len(),
        });
    }
    let first_last_row = lookback.days() - 1;
    let end = targets.len().saturating_sub(horizon.days());
    Ok((first_last_row..end.max(first_last_row))
        .map(|last_row| Window {
            last_row,
            target_row: last_row + horizon.days(),
        })
        .filter(|window| targets[window.target_row].is_some())
        .filter(|window| {
            let first = window.last_row - first_last_row;
            let known = history.known(first..window.last_row + 1, window.last_row);
            known.iter().flatten().count() >= least_observed
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cut(targets: &[Option<f64>], lookback: usize, horizon: usize) -> Vec<Window> {
        let lookback = Lookback::new(lookback).unwrap();
        cut_windows(
            targets,
            &KnownSeries::from(targets.to_vec()),
            lookback,
            Horizon::new(horizon).unwrap(),
            0,
        )
        .unwrap()
    }

    #[test]
    fn ninety_complete_days_and_length_30_give_60_windows() {
        let windows = cut(&[Some(1.0); 90], 30, 1);
        assert_eq!(windows.len(), 60);
        assert_eq!(windows.last().unwrap().target_row, 89);
    }

    #[test]
    fn a_gap_never_makes_the_day_after_next_the_next_day() {
        let mut targets = vec![Some(1.0); 12];
        targets[8] = None;
        let windows = cut(&targets, 5, 1);
        assert!(
            windows
                .iter()
                .all(|window| window.target_row == window.last_row + 1)
        );
        assert!(windows.iter().all(|window| window.target_row != 8));
    }

    #[test]
    fn a_window_whose_past_shows_nothing_is_not_cut() {
        let mut history = vec![None; 20];
        history[10] = Some(1.0);
        let targets = vec![Some(1.0); 20];
        let lookback = Lookback::new(5).unwrap();
        let windows = {
            let history = KnownSeries::from(history);
            cut_windows(&targets, &history, lookback, Horizon::new(1).unwrap(), 1).unwrap()
        };
        let ends: Vec<usize> = windows.iter().map(|window| window.last_row).collect();
        assert_eq!(ends, [10, 11, 12, 13, 14]);
    }

    #[test]
    fn a_lookback_longer_than_the_data_gives_no_window() {
        assert!(cut(&[Some(1.0); 10], 10, 1).is_empty());
        assert!(cut(&[Some(1.0); 3], 10, 7).is_empty());
        assert!(cut(&[], 1, 1).is_empty());
    }

    #[test]
    fn settings_out_of_bounds_are_refused() {
        assert!(Lookback::new(0).is_err());
        assert!(Horizon::new(0).is_err());
        assert!(Horizon::new(8).is_err());
    }

    proptest! {
        #[test]
        fn windows_lie_within_the_rows_and_never_read_their_target(
            rows in 0_usize..120, lookback in 1_usize..40, horizon in 1_usize..=7,
        ) {
            let windows = cut(&vec![Some(1.0); rows], lookback, horizon);
            prop_assert_eq!(windows.len(), (rows + 1).saturating_sub(lookback + horizon));
            for window in windows {
                prop_assert!(window.target_row < rows);
                prop_assert!(window.last_row < window.target_row);
            }
        }
    }
}
