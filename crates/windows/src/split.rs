//! Chronological splits: train, validation, calibration, test, in the order of their target days.
//!
//! What may overlap and what may not: the inputs of a later part may show days whose values were
//! targets of an earlier part, because by then those days were known. The days from a window's
//! origin to its target never meet the targets of another part; a window over a border, whose target
//! lies in one part and whose days before it in another, counts for neither. With a horizon of one
//! day there are no such windows.

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
    /// Splits windows that are in time order. Each part with a share above 0 holds at least one.
    ///
    /// # Errors
    ///
    /// [`WindowError::Fraction`] for shares that are no shares or leave nothing to train on,
    /// [`WindowError::NotInOrder`], [`WindowError::TooFewWindows`] with how many more are needed,
    /// [`WindowError::NothingBehindBorder`] when a part consists of windows over its border.
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
        if let Some(index) = windows.windows(2).position(|pair| {
            pair[1].target_row <= pair[0].target_row || pair[1].last_row <= pair[0].last_row
        }) {
            return Err(WindowError::NotInOrder { index: index + 1 });
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
        let mut border = train.last().map(|window| window.target_row);
        let mut behind_border = |part: &'static str, windows: &[Window]| {
            let kept = behind(windows, border);
            if let (Some(last), true) = (windows.last(), kept.is_empty()) {
                return Err(WindowError::NothingBehindBorder {
                    part,
                    windows: windows.len(),
                    horizon: last.target_row - last.last_row,
                });
            }
            border = kept.last().map(|window| window.target_row).or(border);
            Ok(kept.to_vec())
        };
        Ok(Self {
            train: train.to_vec(),
            validation: behind_border("validation", validation)?,
            calibration: behind_border("calibration", calibration)?,
            test: behind_border("test", test)?,
        })
    }
}

/// The windows that forecast no day up to `border`, the last target of the part before: those that
/// end on it or later. Windows of an earlier part need no such test, their targets come first.
fn behind(part: &[Window], border: Option<usize>) -> &[Window] {
    let first = border.map_or(0, |border| {
        part.partition_point(|window| window.last_row < border)
    });
    &part[first..]
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
    fn a_part_that_lies_on_its_border_altogether_is_refused() {
        let fractions = SplitFractions {
            validation: 0.2,
            calibration: 0.0,
            test: 0.05,
        };
        assert_eq!(
            ChronologicalSplit::new(&windows(60, 7), fractions),
            Err(WindowError::NothingBehindBorder {
                part: "test",
                windows: 3,
                horizon: 7
            })
        );
    }

    #[test]
    fn windows_out_of_order_are_refused() {
        let mut windows = windows(60, 1);
        windows.swap(10, 11);
        assert_eq!(
            ChronologicalSplit::new(&windows, FRACTIONS),
            Err(WindowError::NotInOrder { index: 11 })
        );
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
            count in 20_usize..200, horizon in 1_usize..=7,
            validation in 0.05_f64..0.3, calibration in 0.0_f64..0.3, test in 0.05_f64..0.3,
        ) {
            let fractions = SplitFractions { validation, calibration, test };
            let cut = windows(count, horizon);
            let split = match ChronologicalSplit::new(&cut, fractions) {
                Ok(split) => split,
                Err(WindowError::NothingBehindBorder { windows, .. }) if windows < horizon => {
                    return Ok(());
                }
                Err(error) => panic!("{error}"),
            };
            let parts = [&split.train, &split.validation, &split.calibration, &split.test];
            // Every target day lies in one part at most, and every part asked for has one.
            prop_assert!(!split.train.is_empty() && !split.validation.is_empty());
            prop_assert!(!split.test.is_empty());
            let full: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
            for pair in full.windows(2) {
                let last = pair[0].last().unwrap();
                let first = pair[1].first().unwrap();
                prop_assert!(last.target_row < first.target_row);
                // No day between origin and target of the later part is a target of the earlier.
                prop_assert!(first.last_row >= last.target_row);
            }
        }
    }
}
