//! Granger causality test: do the last days of a feature improve the prediction of a target beyond its
//! own last days?

use crate::basis::{Basis, is_left, rounding_of};
use crate::coefficient::{centred, dot, varies};
use crate::distribution;
use crate::error::InsightError;

/// Squares of rounding that have to be left to explain before an exact fit says anything.
const CLEARLY_LEFT: f64 = 1e6;

/// The F test with one number of lags.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GrangerTest {
    /// Number of lags, in days.
    pub lags: usize,
    /// F statistic of all lags of the feature together.
    pub f: f64,
    /// Degrees of freedom of what the feature explains: the number of lags.
    pub df_numerator: usize,
    /// Degrees of freedom of what stays unexplained: rows less the constant and both series' lags.
    pub df_denominator: usize,
    /// p value of the test.
    pub p_value: f64,
    /// Multiple partial correlation of target and lags, with the sign of the strongest lag.
    pub partial: f64,
}

/// F test that the last `lags` values of `x` explain `y` beyond the last `lags` values of `y` and a
/// constant: least squares with and without them (C. W. J. Granger 1969; `ssr_ftest` of
/// `grangercausalitytests` in statsmodels). A row counts when all it needs was observed; days are
/// never closed up over a gap.
///
/// A feature that explains the target to the last digit leaves rounding only, which counts as left
/// unexplained: F is huge then and the p value next to 0, where statsmodels raises an error.
///
/// # Errors
///
/// [`InsightError::Unpaired`]; [`InsightError::TooFew`] without a degree of freedom to spare;
/// [`InsightError::Constant`] when a lag of the feature never varies, [`InsightError::NothingOfItsOwn`]
/// when the target's own lags hold it; [`InsightError::NothingLeft`]; [`InsightError::NotFinite`].
pub fn granger(
    x: &[Option<f64>],
    y: &[Option<f64>],
    lags: usize,
) -> Result<GrangerTest, InsightError> {
    with_more_lags(x, y, lags, 0)
}

/// The same test beside one more lag of both series, which is not tested: its F holds for series that
/// drift as well, where the plain one finds slow features in every slow target (H. Y. Toda and
/// T. Yamamoto 1995; J. J. Dolado and H. Lütkepohl 1996).
///
/// # Errors
///
/// The errors of [`granger`].
pub fn augmented_granger(
    x: &[Option<f64>],
    y: &[Option<f64>],
    lags: usize,
) -> Result<GrangerTest, InsightError> {
    with_more_lags(x, y, lags, 1)
}

fn with_more_lags(
    x: &[Option<f64>],
    y: &[Option<f64>],
    lags: usize,
    more: usize,
) -> Result<GrangerTest, InsightError> {
    if x.len() != y.len() {
        return Err(InsightError::Unpaired {
            left: x.len(),
            right: y.len(),
        });
    }
    if lags == 0 {
        return Err(InsightError::TooFew { got: 0, least: 1 });
    }
    for series in [x, y] {
        if let Some(place) = series
            .iter()
            .position(|value| value.is_some_and(|value| !value.is_finite()))
        {
            return Err(InsightError::NotFinite(place));
        }
    }
    let mut target = Vec::with_capacity(y.len());
    let back = lags + more;
    let mut own = vec![Vec::with_capacity(y.len()); back];
    let mut others = vec![Vec::with_capacity(y.len()); back];
    for day in back..y.len() {
        let whole = |series: &[Option<f64>], range: std::ops::Range<usize>| {
            series[range].iter().all(Option::is_some)
        };
        if !whole(y, day - back..day + 1) || !whole(x, day - back..day) {
            continue;
        }
        let at = |series: &[Option<f64>], day: usize| series[day].unwrap_or(f64::NAN);
        target.push(at(y, day));
        for lag in 1..=back {
            own[lag - 1].push(at(y, day - lag));
            others[lag - 1].push(at(x, day - lag));
        }
    }
    let rows = target.len();
    let least = 2 * back + 2;
    if rows < least {
        return Err(InsightError::TooFew { got: rows, least });
    }
    let mut basis = Basis::default();
    basis.add(&vec![1.0; rows]);
    let (others, beside) = others.split_at(lags);
    for column in own.iter().chain(beside) {
        basis.add(column);
    }
    let restricted = basis.residual(&target);
    if !is_left(&restricted, &target) {
        return Err(InsightError::NothingLeft);
    }
    let strongest = strongest_of(&basis, &restricted, others);
    let before = basis.rank();
    for column in others {
        basis.add(column);
    }
    if basis.rank() != before + lags {
        let vary = |column: &Vec<f64>| varies(&centred(column), column);
        return Err(if others.iter().all(vary) {
            InsightError::NothingOfItsOwn
        } else {
            InsightError::Constant
        });
    }
    let whole = basis.residual(&target);
    let rounding = rounding_of(&target);
    let (left_before, left) = (dot(&restricted, &restricted), dot(&whole, &whole));
    if left <= rounding && left_before < CLEARLY_LEFT * rounding {
        return Err(InsightError::NothingLeft);
    }
    let left = left.max(rounding);
    let df_denominator = rows - basis.rank();
    let f = (left_before - left).max(0.0) / lags as f64 / (left / df_denominator as f64);
    Ok(GrangerTest {
        lags,
        f,
        df_numerator: lags,
        df_denominator,
        p_value: distribution::of_f(f, lags as f64, df_denominator as f64),
        partial: (1.0 - left / left_before).clamp(0.0, 1.0).sqrt() * strongest.signum(),
    })
}

/// The partial correlation, by size, of the lag that has the largest by itself.
fn strongest_of(basis: &Basis, target: &[f64], columns: &[Vec<f64>]) -> f64 {
    columns
        .iter()
        .map(|column| {
            let rest = basis.residual(column);
            dot(&rest, target) / dot(&rest, &rest).sqrt()
        })
        .filter(|partial| partial.is_finite())
        .fold(0.0_f64, |most, partial| {
            if partial.abs() > most.abs() {
                partial
            } else {
                most
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(values: impl IntoIterator<Item = f64>) -> Vec<Option<f64>> {
        values.into_iter().map(Some).collect()
    }

    #[test]
    fn a_gap_takes_out_every_row_that_reads_it() {
        let x = series((0..40).map(|day| f64::from(day * 7 % 11)));
        let mut y = series((0..40).map(|day| f64::from(day * 5 % 13)));
        assert_eq!(granger(&x, &y, 2).unwrap().df_denominator, 38 - 5);
        y[20] = None;
        // Days 20, 21 and 22 read it.
        assert_eq!(granger(&x, &y, 2).unwrap().df_denominator, 35 - 5);
    }

    #[test]
    fn one_more_lag_of_both_is_taken_out_first() {
        let x = series((0..40).map(|day| f64::from(day * 7 % 11)));
        let y = series((0..40).map(|day| f64::from(day * 5 % 13)));
        let test = augmented_granger(&x, &y, 2).unwrap();
        // 37 rows, a constant, three lags of each.
        assert_eq!((test.df_numerator, test.df_denominator), (2, 37 - 7));
        // numpy 2.5: `lstsq` of constant, three own lags and the feature's third, with and without
        // its first two.
        assert!((test.f - 0.113_801_148_592_242).abs() < 1e-9, "{}", test.f);
    }

    #[test]
    fn an_exact_relation_was_nothing_to_test() {
        let x = series((0..60).map(|day| f64::from(day * 7 % 11)));
        let mut y = vec![Some(50.0)];
        y.extend(x.iter().map(|value| value.map(|value| 50.0 - value / 20.0)));
        let test = granger(&x, &y[..60], 1).unwrap();
        assert!(test.f.is_finite() && test.p_value < 1e-100, "{test:?}");
        assert!((test.partial + 1.0).abs() < 1e-9, "{test:?}");
        let test = augmented_granger(&x, &y[..60], 1).unwrap();
        assert!(test.p_value < 1e-100, "{test:?}");
        // Two days back it is the target's day before in another unit.
        let later = [vec![None], x[..59].to_vec()].concat();
        assert_eq!(
            granger(&later, &y[..60], 1),
            Err(InsightError::NothingOfItsOwn)
        );
    }

    #[test]
    fn what_cannot_be_tested_says_why() {
        let rising = series((0..30).map(f64::from));
        let other = series((0..30).map(|day| f64::from(day * 7 % 11)));
        let constant = series([2.0; 30]);
        assert_eq!(granger(&constant, &other, 1), Err(InsightError::Constant));
        // Each day is the one before plus one.
        assert_eq!(granger(&other, &rising, 1), Err(InsightError::NothingLeft));
        assert_eq!(
            granger(&other[..5], &rising[..5], 2),
            Err(InsightError::TooFew { got: 3, least: 6 })
        );
    }
}
