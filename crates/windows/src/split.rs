//! Chronological splits: train, validation, calibration, test, in the order of their target days.
//!
//! What may overlap and what may not: the inputs of a later part may show days whose values were
//! targets of an earlier part, because by then those days were known. The days from a window's
//! origin to its target never reach into the next part's targets; a window that would is dropped
//! from both.

use crate::error::WindowError;
use crate::window::Window;

/// Shares of the windows, from the end: what is left trains.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SplitFractions {
    /// For early stopping.
    pub validation: f64,
    /// For intervals.
    pub calibration: f64,
    /// For the report.
    pub test: f64,
}

/// Least number of training windows: batch norm and scalers need two.
const LEAST_TRAINING: usize = 2;

/// Windows in four parts, in time order and disjoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChronologicalSplit {
    /// The weights are fitted on these.
    pub train: Vec<Window>,
    /// Early stopping watches these.
    pub validation: Vec<Window>,
    /// Intervals are calibrated on these; empty when no share was asked for.
    pub calibration: Vec<Window>,
    /// Only reported.
    pub test: Vec<Window>,
}

impl ChronologicalSplit {
    /// Splits windows that are in time order. Each part with a share above 0 gets at least one.
    ///
    /// # Errors
    ///
    /// [`WindowError::Fraction`] for shares that are no shares or leave nothing to train on,
    /// [`WindowError::TooFewWindows`] with how many more are needed.
    pub fn new(windows: &[Window], fractions: SplitFractions) -> Result<Self, WindowError> {
        let shares = [
            ("validation", fractions.validation),
            ("calibration", fractions.calibration),
            ("test", fractions.test),
        ];
        let mut sum = 0.0;
        for (what, share) in shares {
            sum += share;
            if !(0.0..1.0).contains(&share) || sum >= 1.0 {
                return Err(WindowError::Fraction { what });
            }
        }
        let count = windows.len();
        let sizes = shares.map(|(_, share)| {
            if share == 0.0 {
                0
            } else {
                ((count as f64 * share).round() as usize).max(1)
            }
        });
        let held_out: usize = sizes.iter().sum();
        if count < held_out + LEAST_TRAINING {
            return Err(WindowError::TooFewWindows {
                found: count,
                parts: 1 + sizes.iter().filter(|size| **size > 0).count(),
                least: LEAST_TRAINING,
                missing: held_out + LEAST_TRAINING - count,
            });
        }
        let [validation, calibration, _] = sizes;
        let (train, rest) = windows.split_at(count - held_out);
        let (validation, rest) = rest.split_at(validation);
        let (calibration, test) = rest.split_at(calibration);
        let parts = [train, validation, calibration, test];
        let [train, validation, calibration, test] = std::array::from_fn(|index| {
            let before = parts[..index].iter().rev().find_map(|part| part.last());
            let after = parts[index + 1..].iter().find_map(|part| part.first());
            purged(parts[index], before, after)
        });
        Ok(Self {
            train,
            validation,
            calibration,
            test,
        })
    }
}

/// Drops windows whose days from origin to target meet a target day of a neighbouring part.
fn purged(part: &[Window], before: Option<&Window>, after: Option<&Window>) -> Vec<Window> {
    part.iter()
        .filter(|window| {
            // The days being forecast: (last_row, target_row].
            let begins_after = before.is_none_or(|before| window.last_row >= before.target_row);
            let ends_before = after.is_none_or(|after| window.target_row < after.target_row);
            // With a horizon of one day a window forecasts one day, so it meets no other part.
            (begins_after || window.target_row - window.last_row == 1) && ends_before
        })
        .copied()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn windows(count: usize, horizon: usize) -> Vec<Window> {
        (0..count)
            .map(|index| Window {
                last_row: 29 + index,
                target_row: 29 + index + horizon,
            })
            .collect()
    }

    const FRACTIONS: SplitFractions = SplitFractions {
        validation: 0.2,
        calibration: 0.0,
        test: 0.2,
    };

    #[test]
    fn sixty_windows_split_into_36_12_and_12() {
        let split = ChronologicalSplit::new(&windows(60, 1), FRACTIONS).unwrap();
        assert_eq!(
            (
                split.train.len(),
                split.validation.len(),
                split.calibration.len(),
                split.test.len()
            ),
            (36, 12, 0, 12)
        );
    }

    #[test]
    fn with_a_longer_horizon_windows_over_the_border_count_for_neither_part() {
        let split = ChronologicalSplit::new(&windows(60, 3), FRACTIONS).unwrap();
        assert_eq!(split.train.len(), 36);
        // The first two validation windows would forecast days that are training targets too.
        assert_eq!(split.validation.len(), 10);
        assert_eq!(split.test.len(), 10);
    }

    #[test]
    fn too_few_windows_say_how_many_are_missing() {
        assert!(matches!(
            ChronologicalSplit::new(&windows(3, 1), FRACTIONS),
            Err(WindowError::TooFewWindows {
                found: 3,
                missing: 1,
                ..
            })
        ));
    }

    #[test]
    fn shares_that_leave_nothing_are_refused() {
        for (validation, test) in [(0.5, 0.5), (-0.1, 0.2), (f64::NAN, 0.2), (1.0, 0.0)] {
            let fractions = SplitFractions {
                validation,
                calibration: 0.0,
                test,
            };
            assert!(matches!(
                ChronologicalSplit::new(&windows(60, 1), fractions),
                Err(WindowError::Fraction { .. })
            ));
        }
    }

    proptest! {
        #[test]
        fn parts_are_disjoint_and_in_order_of_their_targets(
            count in 10_usize..200, horizon in 1_usize..=7,
            validation in 0.05_f64..0.3, calibration in 0.0_f64..0.3, test in 0.05_f64..0.3,
        ) {
            let fractions = SplitFractions { validation, calibration, test };
            let split = ChronologicalSplit::new(&windows(count, horizon), fractions).unwrap();
            let parts = [&split.train, &split.validation, &split.calibration, &split.test];
            let full: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
            for pair in full.windows(2) {
                let last = pair[0].last().unwrap();
                let first = pair[1].first().unwrap();
                prop_assert!(last.target_row < first.target_row);
                // No day between origin and target of the later part is a target of the earlier.
                prop_assert!(first.last_row >= last.target_row || horizon == 1);
            }
        }
    }
}
