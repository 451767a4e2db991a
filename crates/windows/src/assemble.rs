//! Assembly of network inputs from a matrix and windows: scaled values, and a mask of observed values.

use crate::error::WindowError;
use crate::matrix::DayMatrix;
use crate::scaler::FittedScaler;
use crate::window::{Lookback, WindowEnd};

/// Lays out windows as `[windows, lookback, 2 × columns]`: first the scaled values of all columns,
/// 0 (the training mean) where missing, then 1 where observed and 0 where not. Only the second half
/// tells an average day from a missing one. Each row is read as known on the origin of its window.
///
/// The last `hidden_days` days of each window count as not observed in every column but those named
/// in `known_ahead`: what a forecast several days past the last known day sees.
///
/// # Errors
///
/// [`WindowError::Length`] when the scaler has another width, [`WindowError::OutsideRows`] for a
/// window that does not fit, [`WindowError::UnknownColumn`] for a column known ahead that the matrix
/// does not have.
pub fn assemble(
    matrix: &DayMatrix,
    scaler: &FittedScaler,
    ends: &[WindowEnd],
    lookback: Lookback,
    hidden_days: usize,
    known_ahead: &[String],
) -> Result<Vec<f32>, WindowError> {
    let width = matrix.columns().len();
    if scaler.width() != width {
        return Err(WindowError::Length {
            what: "the scaler",
            found: scaler.width(),
            expected: width,
        });
    }
    let days = lookback.days();
    if let Some(last_row) = ends
        .iter()
        .map(|end| end.last_row)
        .find(|&last_row| last_row >= matrix.rows() || last_row + 1 < days)
    {
        return Err(WindowError::OutsideRows {
            lookback: days,
            last_row,
            rows: matrix.rows(),
        });
    }
    if let Some(unknown) = known_ahead
        .iter()
        .find(|name| matrix.column(name).is_none())
    {
        return Err(WindowError::UnknownColumn(unknown.clone()));
    }
    let readable: Vec<bool> = (0..width)
        .map(|column| !scaler.never_observed(column))
        .collect();
    let ahead: Vec<bool> = matrix
        .columns()
        .iter()
        .map(|column| known_ahead.contains(column))
        .collect();
    let mut values = vec![0.0_f32; ends.len() * days * 2 * width];
    let mut rows = values.chunks_exact_mut(2 * width);
    for &WindowEnd { last_row, origin } in ends {
        for row in last_row + 1 - days..=last_row {
            let (scaled, mask) = rows
                .next()
                .expect("one chunk per window and day")
                .split_at_mut(width);
            let hidden = last_row - row < hidden_days;
            let (values, observed) = matrix.row(row, origin);
            for column in 0..width {
                if !readable[column] || (hidden && !ahead[column]) {
                    continue;
                }
                if observed[column] {
                    scaled[column] = scaler.transform(column, values[column]) as f32;
                    mask[column] = 1.0;
                }
            }
        }
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scaler::StandardScaler;
    use proptest::prelude::*;

    fn matrix(first: &[Option<f64>]) -> DayMatrix {
        let values = first
            .iter()
            .enumerate()
            .flat_map(|(row, value)| [*value, Some(row as f64)])
            .collect();
        DayMatrix::new(0, vec!["value".to_owned(), "weekday".to_owned()], values).unwrap()
    }

    fn laid_out(matrix: &DayMatrix, last_rows: &[usize], hidden: usize) -> Vec<f32> {
        let scaler = StandardScaler::fit(matrix, 0..4).unwrap();
        let known = ["weekday".to_owned()];
        let ends: Vec<WindowEnd> = last_rows
            .iter()
            .map(|&last_row| WindowEnd::on_evening(last_row, hidden))
            .collect();
        assemble(
            matrix,
            &scaler,
            &ends,
            Lookback::new(2).unwrap(),
            hidden,
            &known,
        )
        .unwrap()
    }

    #[test]
    fn a_missing_value_is_told_from_an_average_one_by_its_mask() {
        let matrix = matrix(&[Some(1.0), None, Some(3.0), Some(2.0)]);
        let values = laid_out(&matrix, &[1, 3], 0);
        // Window 1: rows 0 and 1; the second has no value. Window 2: rows 2 and 3, the last average.
        assert_eq!((values[4], values[6]), (0.0, 0.0));
        assert_eq!((values[12], values[14]), (0.0, 1.0));
    }

    #[test]
    fn hidden_days_keep_only_what_is_known_ahead() {
        let matrix = matrix(&[Some(1.0), Some(2.0), Some(3.0), Some(4.0)]);
        let values = laid_out(&matrix, &[3], 1);
        assert_eq!(values[2..4], [1.0, 1.0]);
        assert_eq!(values[4], 0.0);
        assert_eq!(values[6..8], [0.0, 1.0]);
    }

    #[test]
    fn more_hidden_days_than_days_hide_every_day() {
        let matrix = matrix(&[Some(1.0), Some(2.0), Some(3.0), Some(4.0)]);
        let values = laid_out(&matrix, &[3], usize::MAX);
        assert_eq!(
            (values[0], values[2], values[4], values[6]),
            (0.0, 0.0, 0.0, 0.0)
        );
        assert_eq!((values[3], values[7]), (1.0, 1.0));
    }

    #[test]
    fn a_column_training_never_saw_stays_masked() {
        let matrix = matrix(&[None, None, None, None, Some(5.0)]);
        let values = laid_out(&matrix, &[4], 0);
        assert_eq!((values[4], values[6]), (0.0, 0.0));
    }

    #[test]
    fn unknown_columns_are_refused() {
        let matrix = matrix(&[Some(1.0), Some(2.0), Some(3.0), Some(4.0)]);
        let scaler = StandardScaler::fit(&matrix, 0..4).unwrap();
        let lookback = Lookback::new(2).unwrap();
        let unknown = ["month".to_owned()];
        assert_eq!(
            assemble(
                &matrix,
                &scaler,
                &[WindowEnd::on_evening(3, 1)],
                lookback,
                1,
                &unknown
            ),
            Err(WindowError::UnknownColumn("month".to_owned()))
        );
    }

    #[test]
    fn a_value_beyond_f32_is_read_as_far_away() {
        let mut days = vec![Some(1.0), Some(2.0), Some(3.0), Some(4.0)];
        days.extend([Some(1e300), Some(f64::MAX)]);
        let values = laid_out(&matrix(&days), &[5], 0);
        assert_eq!((values[0], values[4]), (8.0, 8.0));
    }

    #[test]
    fn a_window_before_the_first_row_is_refused() {
        let matrix = matrix(&[Some(1.0), Some(2.0), Some(3.0), Some(4.0)]);
        let scaler = StandardScaler::fit(&matrix, 0..4).unwrap();
        let lookback = Lookback::new(3).unwrap();
        for last_row in [1, 4] {
            let end = WindowEnd::on_evening(last_row, 0);
            assert!(assemble(&matrix, &scaler, &[end], lookback, 0, &[]).is_err());
        }
    }

    proptest! {
        #[test]
        fn a_window_is_the_same_alone_and_among_others_and_blind_to_later_days(
            mut days in prop::collection::vec(prop::option::of(40.0_f64..90.0), 8..30),
            later in 40.0_f64..90.0,
        ) {
            let before = matrix(&days);
            let last = days.len() - 1;
            let alone = laid_out(&before, &[last - 1], 0);
            let among = laid_out(&before, &[last - 2, last - 1, last], 0);
            prop_assert_eq!(&alone[..], &among[alone.len()..2 * alone.len()]);
            days[last] = Some(later);
            prop_assert_eq!(alone, laid_out(&matrix(&days), &[last - 1], 0));
        }
    }
}
