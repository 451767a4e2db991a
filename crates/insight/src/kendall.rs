//! Kendall's rank correlation, tau-b.

use crate::coefficient::Coefficient;
use crate::distribution;
use crate::error::{InsightError, check_pairs};

/// Most pairs for which the p value is counted out rather than approximated.
const EXACT_PAIRS: usize = 33;

/// Kendall's tau-b of pairs (SciPy's `kendalltau`): exact p value without ties and up to 33 pairs,
/// or when all pairs but one agree; else the normal approximation with its correction for ties
/// (M. G. Kendall, *Rank Correlation Methods*).
///
/// # Errors
///
/// As [`pearson`](crate::pearson).
pub fn kendall(x: &[f64], y: &[f64]) -> Result<Coefficient, InsightError> {
    check_pairs(x, y, 2)?;
    let count = Counts::of(x, y);
    let free = |ties: &Ties| count.pairs - ties.pairs;
    if free(&count.x) == 0 || free(&count.y) == 0 {
        return Err(InsightError::Constant);
    }
    // All pairs are concordant, discordant, or tied in one or both.
    let agreement = count.pairs as f64 - count.x.pairs as f64 - count.y.pairs as f64
        + count.both as f64
        - 2.0 * count.discordant as f64;
    let value = agreement / (free(&count.x) as f64).sqrt() / (free(&count.y) as f64).sqrt();
    let rarer = count.discordant.min(count.pairs - count.discordant);
    let has_ties = count.x.pairs > 0 || count.y.pairs > 0;
    let p_value = if !has_ties && (x.len() <= EXACT_PAIRS || rarer <= 1) {
        exact_p_value(x.len(), rarer)
    } else {
        distribution::of_z(agreement / count.variance(x.len()).sqrt())
    };
    Ok(Coefficient {
        value: value.clamp(-1.0, 1.0),
        p_value,
    })
}

/// Ties of one side.
#[derive(Default)]
struct Ties {
    /// Tied pairs: Σ t(t − 1)/2.
    pairs: u64,
    /// Σ t(t − 1)(t − 2).
    triples: f64,
    /// Σ t(t − 1)(2t + 5).
    weight: f64,
}

impl Ties {
    fn add(&mut self, length: usize) {
        let t = length as f64;
        self.pairs += (length * length.saturating_sub(1) / 2) as u64;
        self.triples += t * (t - 1.0) * (t - 2.0);
        self.weight += t * (t - 1.0) * (2.0 * t + 5.0);
    }
}

/// How the pairs of pairs stand to one another.
struct Counts {
    pairs: u64,
    discordant: u64,
    both: u64,
    x: Ties,
    y: Ties,
}

impl Counts {
    fn of(x: &[f64], y: &[f64]) -> Self {
        // Adding 0 makes −0 and 0 one value, as they are in comparisons.
        let mut points: Vec<(f64, f64)> =
            x.iter().zip(y).map(|(x, y)| (x + 0.0, y + 0.0)).collect();
        points.sort_by(|left, right| left.0.total_cmp(&right.0).then(left.1.total_cmp(&right.1)));
        let mut counts = Self {
            pairs: (x.len() * (x.len() - 1) / 2) as u64,
            discordant: 0,
            both: 0,
            x: Ties::default(),
            y: Ties::default(),
        };
        for group in points.chunk_by(|left, right| left.0 == right.0) {
            counts.x.add(group.len());
            for same in group.chunk_by(|left, right| left.1 == right.1) {
                counts.both += (same.len() * (same.len() - 1) / 2) as u64;
            }
        }
        let mut y: Vec<f64> = points.into_iter().map(|(_, y)| y).collect();
        counts.discordant = sort_counting_inversions(&mut y);
        for group in y.chunk_by(|left, right| left == right) {
            counts.y.add(group.len());
        }
        counts
    }

    /// Variance of the agreement among unrelated pairs with these ties.
    fn variance(&self, count: usize) -> f64 {
        let n = count as f64;
        let m = n * (n - 1.0);
        let mut variance = (m * (2.0 * n + 5.0) - self.x.weight - self.y.weight) / 18.0
            + 2.0 * self.x.pairs as f64 * self.y.pairs as f64 / m;
        if count > 2 {
            variance += self.x.triples * self.y.triples / (9.0 * m * (n - 2.0));
        }
        variance
    }
}

/// Sorts, and counts the pairs that stood in the wrong order.
fn sort_counting_inversions(values: &mut [f64]) -> u64 {
    if values.len() < 2 {
        return 0;
    }
    let (left, right) = values.split_at_mut(values.len() / 2);
    let mut inversions = sort_counting_inversions(left) + sort_counting_inversions(right);
    let mut merged = Vec::with_capacity(left.len() + right.len());
    let (mut from_left, mut from_right) = (0, 0);
    while from_left < left.len() && from_right < right.len() {
        if left[from_left] <= right[from_right] {
            merged.push(left[from_left]);
            from_left += 1;
        } else {
            // It stood behind all that are left on the left.
            inversions += (left.len() - from_left) as u64;
            merged.push(right[from_right]);
            from_right += 1;
        }
    }
    merged.extend_from_slice(&left[from_left..]);
    merged.extend_from_slice(&right[from_right..]);
    values.copy_from_slice(&merged);
    inversions
}

/// Share of the orders of `count` values that have at most `inversions` inversions, or as few in
/// the opposite order.
fn exact_p_value(count: usize, inversions: u64) -> f64 {
    let inversions = usize::try_from(inversions).unwrap_or(usize::MAX);
    if count < 3 || 4 * inversions >= count * (count - 1) {
        return 1.0;
    }
    // Shares of the orders of 1, 2, … values by number of inversions: a further value stands
    // before 0, 1, … of those already there, each place as likely.
    let mut shares = vec![0.0; inversions + 1];
    shares[0] = 1.0;
    for values in 2..=count {
        let before = shares.clone();
        let mut window = 0.0;
        for (inversions, share) in shares.iter_mut().enumerate() {
            window += before[inversions];
            if inversions >= values {
                window -= before[inversions - values];
            }
            *share = window / values as f64;
        }
    }
    (2.0 * shares.iter().sum::<f64>()).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inversions_are_counted_and_values_sorted() {
        let mut values = [3.0, 1.0, 2.0, 2.0, 0.0];
        assert_eq!(sort_counting_inversions(&mut values), 7);
        assert_eq!(values, [0.0, 1.0, 2.0, 2.0, 3.0]);
    }

    #[test]
    fn the_exact_p_value_counts_orders() {
        // Of the 24 orders of four values, 1 has no inversion and 3 have one.
        assert!((exact_p_value(4, 1) - 2.0 * 4.0 / 24.0).abs() < 1e-15);
        assert_eq!(exact_p_value(4, 3), 1.0);
        // All in order: 2 of 20! orders.
        let factorial: f64 = (1..=20).map(f64::from).product();
        assert!((exact_p_value(20, 0) * factorial / 2.0 - 1.0).abs() < 1e-12);
    }

    #[test]
    fn everything_tied_on_one_side_is_refused() {
        assert_eq!(
            kendall(&[1.0; 4], &[1.0, 2.0, 3.0, 4.0]),
            Err(InsightError::Constant)
        );
    }
}
