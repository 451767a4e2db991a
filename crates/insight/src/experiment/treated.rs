//! Days by what was really done.

use super::design::BlockDesign;

/// A comparison of days by what was really done.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AsTreated {
    /// Mean over pairs of the days with A less those with B.
    pub effect: f64,
    /// Interval of 95 % by Student's t over pairs; `None` with fewer than three.
    pub interval: Option<(f64, f64)>,
    /// Pairs with days of both.
    pub pairs: usize,
    /// Days done as A.
    pub a_days: usize,
    /// Days done as B.
    pub b_days: usize,
}

/// Compares the days of each pair by what was really done (`Some(true)`: condition B), washout days left
/// out; `None` if no pair has days of both.
///
/// Who keeps to a plan on which day is not random, so the interval has no randomisation behind it.
pub fn as_treated(
    values: &[Option<f64>],
    done_b: &[Option<bool>],
    design: &BlockDesign,
) -> Option<AsTreated> {
    let mut sums = vec![[(0.0, 0_usize); 2]; design.pairs];
    for (day, (value, done)) in values.iter().zip(done_b).enumerate() {
        if let (Some(value), Some(done)) = (value, done)
            && let Some(place) = design.place(day)
            && !place.is_washout
        {
            let cell = &mut sums[place.pair][usize::from(*done)];
            cell.0 += value;
            cell.1 += 1;
        }
    }
    let whole = sums.iter().filter(|[a, b]| a.1 > 0 && b.1 > 0);
    let differences: Vec<f64> = whole
        .clone()
        .map(|[a, b]| a.0 / a.1 as f64 - b.0 / b.1 as f64)
        .collect();
    let (effect, interval) = mean_with_interval(&differences)?;
    Some(AsTreated {
        effect,
        interval,
        pairs: differences.len(),
        a_days: whole.clone().map(|[a, _]| a.1).sum(),
        b_days: whole.map(|[_, b]| b.1).sum(),
    })
}

/// The mean of some numbers, and its interval of 95 % by Student's t if there are at least three; `None`
/// without any.
pub fn mean_with_interval(numbers: &[f64]) -> Option<(f64, Option<(f64, f64)>)> {
    let mean = vitalcast_evaluation::mean(numbers.iter().copied())?;
    let count = numbers.len();
    let interval = (count >= 3).then(|| {
        let degrees = count as f64 - 1.0;
        let squares: f64 = numbers.iter().map(|one| (one - mean).powi(2)).sum();
        let error = (squares / degrees / count as f64).sqrt();
        let reach = crate::distribution::t_of(1.0 - super::LEVEL, degrees) * error;
        (mean - reach, mean + reach)
    });
    Some((mean, interval))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_go_by_what_was_done_and_washout_days_do_not_count() {
        let design = BlockDesign {
            block_days: 2,
            washout_days: 1,
            pairs: 2,
        };
        let values: Vec<Option<f64>> = [9.0, 1.0, 9.0, 4.0, 9.0, 2.0, 9.0, 7.0].map(Some).into();
        let mut done: Vec<Option<bool>> = [false, false, true, true, false, false, true, true]
            .map(Some)
            .into();
        let all = as_treated(&values, &done, &design).unwrap();
        assert_eq!((all.effect, all.pairs, all.interval), (-4.0, 2, None));
        // The second pair was done the same way throughout, so only the first tells anything.
        done[5] = Some(true);
        let less = as_treated(&values, &done, &design).unwrap();
        assert_eq!((less.effect, less.pairs), (-3.0, 1));
        done[1] = None;
        assert_eq!(as_treated(&values, &done, &design), None);
    }
}
