//! Effective sample size of autocorrelated pairs.

use crate::coefficient::{centred, dot};

/// Pairs that carry as much as `x.len()` of them do, when each series resembles its own past: at
/// most as many as there are.
///
/// The variance of the correlation of two unrelated series is n⁻¹ · (1 + 2 Σ ρx(k) ρy(k)), the sum
/// running over lags (M. S. Bartlett 1935, G. V. Bayley and J. M. Hammersley 1946). Two estimates
/// of the sum are made, and the larger one counts: that of observed autocorrelations up to a
/// quarter of the span, and that of two first-order processes, (1 + ab) / (1 − ab), which does not
/// depend on the noise of later lags. Where days are missing, each lag counts by the share of pairs
/// that have a partner so many days later. With n_eff − 2 degrees of freedom a t test then holds its
/// level in its far tail too, where a search through many features looks; see the tests.
///
/// `days` are the days of the pairs, ascending: over a gap nothing is compared.
pub fn effective_sample_size(x: &[f64], y: &[f64], days: &[usize]) -> f64 {
    let count = x.len() as f64;
    if x.len() < 3 {
        return count;
    }
    let partners = Partners::new(days);
    let (x, y) = (OnDays::new(x, days), OnDays::new(y, days));
    let first = (x.correlation(1, &partners) * y.correlation(1, &partners)).clamp(0.0, 0.999);
    let observed: f64 = (1..=partners.span / 4)
        .map(|lag| {
            partners.share(lag) * x.correlation(lag, &partners) * y.correlation(lag, &partners)
        })
        .sum();
    let inflation = (1.0 + 2.0 * observed).max(partners.of_first_order(first));
    count / inflation.max(1.0)
}

/// How many pairs of a series with gaps have another so many days later.
struct Partners {
    span: usize,
    count: usize,
    /// Whether a day of the span was observed; empty when all were.
    is_observed: Vec<bool>,
}

impl Partners {
    fn new(days: &[usize]) -> Self {
        let first = days.first().copied().unwrap_or(0);
        let span = days.last().map_or(0, |last| last - first + 1);
        let mut is_observed = Vec::new();
        if days.len() < span {
            is_observed = vec![false; span];
            for day in days {
                is_observed[day - first] = true;
            }
        }
        Self {
            span,
            count: days.len(),
            is_observed,
        }
    }

    /// Pairs with a partner `lag` days later.
    fn at(&self, lag: usize) -> usize {
        if self.is_observed.is_empty() {
            return self.span - lag;
        }
        self.is_observed[lag..]
            .iter()
            .zip(&self.is_observed)
            .filter(|(late, early)| **late && **early)
            .count()
    }

    /// The same as a share of all pairs.
    fn share(&self, lag: usize) -> f64 {
        self.at(lag) as f64 / self.count as f64
    }

    /// What first-order autocorrelation does to the variance, its product over both series given.
    fn of_first_order(&self, product: f64) -> f64 {
        /// Less than this changes nothing.
        const SMALL: f64 = 1e-6;
        if self.is_observed.is_empty() {
            return (1.0 + product) / (1.0 - product);
        }
        let mut power = 1.0;
        let mut sum = 0.0;
        for lag in 1..self.span {
            power *= product;
            if power < SMALL {
                break;
            }
            sum += power * self.share(lag);
        }
        1.0 + 2.0 * sum
    }
}

/// A centred series laid out by day, 0 where nothing was observed.
struct OnDays {
    values: Vec<f64>,
    variance: f64,
}

impl OnDays {
    fn new(values: &[f64], days: &[usize]) -> Self {
        let first = days.first().copied().unwrap_or(0);
        let span = days.last().map_or(0, |last| last - first + 1);
        let centred = centred(values);
        let mut laid_out = Self {
            values: vec![0.0; span],
            variance: dot(&centred, &centred) / values.len() as f64,
        };
        for (value, day) in centred.into_iter().zip(days) {
            laid_out.values[day - first] = value;
        }
        laid_out
    }

    /// Autocorrelation, shrunk towards 0 as the usual estimate is, by the share of days compared.
    fn correlation(&self, lag: usize, partners: &Partners) -> f64 {
        let span = self.values.len();
        if lag >= span || self.variance <= 0.0 {
            return 0.0;
        }
        let compared = partners.at(lag);
        if compared == 0 {
            return 0.0;
        }
        let product = dot(&self.values[lag..], &self.values[..span - lag]);
        let share = 1.0 - lag as f64 / span as f64;
        (product / compared as f64 / self.variance * share).clamp(-1.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wave(length: usize, period: f64) -> Vec<f64> {
        (0..length)
            .map(|day| (day as f64 * std::f64::consts::TAU / period).sin())
            .collect()
    }

    #[test]
    fn slow_series_are_worth_few_pairs() {
        let days: Vec<usize> = (0..120).collect();
        let slow = effective_sample_size(&wave(120, 60.0), &wave(120, 45.0), &days);
        assert!((1.0..20.0).contains(&slow), "{slow}");
    }

    #[test]
    fn series_that_jump_to_and_fro_are_worth_no_more_than_they_are() {
        let days: Vec<usize> = (0..50).collect();
        let jumping = |day: &usize| if day.is_multiple_of(2) { 1.0 } else { -1.0 };
        let x: Vec<f64> = days.iter().map(jumping).collect();
        let y: Vec<f64> = days.iter().map(|day| (day * 7 % 11) as f64).collect();
        let worth = effective_sample_size(&x, &y, &days);
        assert!(worth <= 50.0 && worth > 20.0, "{worth}");
    }

    #[test]
    fn nothing_is_compared_over_a_gap() {
        // Every other day: no two days in a row, so the first lag is not seen at all.
        let days: Vec<usize> = (0..40).map(|day| day * 2).collect();
        let partners = Partners::new(&days);
        let on_days = OnDays::new(&wave(40, 20.0), &days);
        assert_eq!(on_days.correlation(1, &partners), 0.0);
        assert!(on_days.correlation(2, &partners) > 0.8);
    }
}
