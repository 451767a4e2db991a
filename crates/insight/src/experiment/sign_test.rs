//! The randomisation test of an experiment in pairs, and the interval that follows from it.

use crate::error::InsightError;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Pairs below which no order of the blocks is rare enough: of 2⁵ orders the most unusual two are still
/// 6 %.
pub const LEAST_PAIRS: usize = 6;
/// Up to so many pairs all orders are looked at.
const ALL_ORDERS: usize = 14;
/// Orders drawn for more pairs.
const DRAWS: usize = 10_000;
/// Differences closer than this share of their size are equal.
const ROUNDING: f64 = 1e-12;

/// A randomisation test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SignFlipTest {
    /// Mean of the differences.
    pub effect: f64,
    /// Share of all orders of the blocks that would have shown a difference at least as large, either
    /// way, if the condition made none.
    pub p_value: f64,
    /// Differences that the test does not refute; `None` if there are too few pairs to refute any.
    pub interval: Option<(f64, f64)>,
    /// Orders looked at.
    pub orders: usize,
    /// Whether these are all there are.
    pub is_exact: bool,
}

/// Tests whether pair differences are those of two conditions that make no difference.
///
/// Under that hypothesis each difference could as well have had the other sign (R. A. Fisher 1935, The
/// Design of Experiments, section 21). With up to 14 pairs all 2ⁿ combinations of signs are looked at, else
/// 10,000 seeded ones and the observed one (B. Phipson and G. K. Smyth 2010, for its share).
///
/// The interval contains the constant effects that the same test, made one-sided at (1 − `level`) / 2 each
/// way, does not refute. Its ends are order statistics of the means of all subsets of the differences
/// (J. A. Hartigan 1969, Journal of the American Statistical Association 64, 1303), so nothing is searched
/// for.
///
/// # Errors
///
/// [`InsightError::TooFew`] for fewer than two pairs, [`InsightError::NotFinite`],
/// [`InsightError::Constant`] if all differences are 0.
pub fn sign_flip_test(
    differences: &[f64],
    level: f64,
    seed: u64,
) -> Result<SignFlipTest, InsightError> {
    let count = differences.len();
    if count < 2 {
        return Err(InsightError::TooFew {
            got: count,
            least: 2,
        });
    }
    if let Some(index) = differences.iter().position(|one| !one.is_finite()) {
        return Err(InsightError::NotFinite(index));
    }
    if differences.iter().all(|one| *one == 0.0) {
        return Err(InsightError::Constant);
    }
    let subsets = Subsets::of(differences, seed);
    let total: f64 = differences.iter().sum();
    let size: f64 = differences.iter().map(|one| one.abs()).sum();
    let reach = total.abs() - ROUNDING * size;
    // Turning the signs of a subset around takes twice its sum away.
    let as_far = subsets.sums.iter();
    let as_far = as_far
        .filter(|sum| (total - 2.0 * **sum).abs() >= reach)
        .count();
    let (as_far, orders) = if subsets.is_exact {
        (as_far, subsets.sums.len())
    } else {
        (as_far + 1, subsets.sums.len() + 1)
    };
    Ok(SignFlipTest {
        effect: total / count as f64,
        p_value: as_far as f64 / orders as f64,
        interval: subsets.interval(orders, level),
        orders,
        is_exact: subsets.is_exact,
    })
}

/// The level of the test with so many pairs: the largest share of orders not above `alpha`.
pub(super) fn attained_level(pairs: usize, alpha: f64) -> f64 {
    if pairs > ALL_ORDERS {
        return alpha;
    }
    let orders = (1_u64 << pairs) as f64;
    2.0 * rank(orders as usize, 1.0 - alpha) as f64 / orders
}

/// How many subset means lie beyond an end of the interval, its own included.
fn rank(orders: usize, level: f64) -> usize {
    // Not a hair below a whole number.
    ((1.0 - level) / 2.0 * orders as f64 + 1e-9).floor() as usize
}

/// Subsets of the differences: all of them, the empty one included, or seeded draws.
struct Subsets {
    sums: Vec<f64>,
    sizes: Vec<u32>,
    is_exact: bool,
}

impl Subsets {
    fn of(differences: &[f64], seed: u64) -> Self {
        if differences.len() <= ALL_ORDERS {
            let (mut sums, mut sizes) = (vec![0.0], vec![0]);
            for one in differences {
                for place in 0..sums.len() {
                    sums.push(sums[place] + one);
                    sizes.push(sizes[place] + 1);
                }
            }
            return Self {
                sums,
                sizes,
                is_exact: true,
            };
        }
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let (mut sums, mut sizes) = (Vec::with_capacity(DRAWS), Vec::with_capacity(DRAWS));
        while sums.len() < DRAWS {
            let (mut sum, mut size) = (0.0, 0);
            for some in differences.chunks(64) {
                let mut bits = random.next_u64();
                for one in some {
                    if bits & 1 == 1 {
                        sum += one;
                        size += 1;
                    }
                    bits >>= 1;
                }
            }
            sums.push(sum);
            sizes.push(size);
        }
        Self {
            sums,
            sizes,
            is_exact: false,
        }
    }

    fn interval(&self, orders: usize, level: f64) -> Option<(f64, f64)> {
        let rank = rank(orders, level);
        let pairs = self.sums.iter().zip(&self.sizes);
        let mut means: Vec<f64> = pairs
            .filter(|(_, size)| **size > 0)
            .map(|(sum, size)| sum / f64::from(*size))
            .collect();
        if rank == 0 || 2 * rank > means.len() {
            return None;
        }
        let last = means.len() - rank;
        let (_, upper, _) = means.select_nth_unstable_by(last, f64::total_cmp);
        let upper = *upper;
        let (_, lower, _) = means[..last].select_nth_unstable_by(rank - 1, f64::total_cmp);
        Some((*lower, upper))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_by_hand() {
        // All of one sign: only this order and its mirror image are as far out.
        let test = sign_flip_test(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 0.95, 0).unwrap();
        assert_eq!(test.p_value, 2.0 / 64.0);
        assert_eq!((test.effect, test.orders), (3.5, 64));
        assert!(test.is_exact);
        // The first order statistic of all subset means from either end: the extremes themselves.
        assert_eq!(test.interval, Some((1.0, 6.0)));
        // Sums of ±1 ±2 ±3: 6 4 2 0 0 −2 −4 −6; as far from 0 as 4 are four of eight.
        let test = sign_flip_test(&[-1.0, 2.0, 3.0], 0.95, 0).unwrap();
        assert_eq!((test.p_value, test.interval), (0.5, None));
    }

    #[test]
    fn an_interval_holds_what_its_test_does_not_refute() {
        let differences = [2.1, -0.4, 3.0, 1.2, 0.3, 2.2, 1.7, -0.9];
        let test = sign_flip_test(&differences, 0.95, 0).unwrap();
        let (lower, upper) = test.interval.unwrap();
        let p_at = |effect: f64| {
            let moved: Vec<f64> = differences.iter().map(|one| one - effect).collect();
            sign_flip_test(&moved, 0.95, 0).unwrap().p_value
        };
        assert!(p_at(lower - 1e-6) <= 0.05 && p_at(lower + 1e-6) > 0.05);
        assert!(p_at(upper + 1e-6) <= 0.05 && p_at(upper - 1e-6) > 0.05);
    }

    #[test]
    fn draws_come_close_to_all_orders() {
        let differences: Vec<f64> = (0..16)
            .map(|pair| f64::from(pair * 7 % 11) / 4.0 - 0.9)
            .collect();
        let drawn = sign_flip_test(&differences, 0.95, 3).unwrap();
        assert!(!drawn.is_exact && drawn.orders == 10_001);
        // Six standard errors of the share; all 65,536 orders give the reference.
        let total: f64 = differences.iter().sum();
        let as_far = (0..1_u32 << 16).filter(|signs| {
            let flipped: f64 = differences
                .iter()
                .enumerate()
                .map(|(pair, one)| if signs >> pair & 1 == 1 { -one } else { *one })
                .sum();
            flipped.abs() >= total.abs() - 1e-9
        });
        let exact = as_far.count() as f64 / f64::from(1_u32 << 16);
        let error = (exact * (1.0 - exact) / 10_000.0).sqrt();
        assert!((drawn.p_value - exact).abs() < 6.0 * error, "{exact}");
    }

    #[test]
    fn other_signs_turn_the_answer_round_bit_for_bit() {
        for pairs in [7, 20] {
            let differences: Vec<f64> = (0..pairs)
                .map(|pair| f64::from(pair * 5 % 13) / 3.0 - 1.1)
                .collect();
            let turned: Vec<f64> = differences.iter().map(|one| -one).collect();
            let (one, other) = (
                sign_flip_test(&differences, 0.95, 5).unwrap(),
                sign_flip_test(&turned, 0.95, 5).unwrap(),
            );
            assert_eq!(one.p_value, other.p_value);
            assert_eq!(one.effect, -other.effect);
            let (lower, upper) = one.interval.unwrap();
            assert_eq!(other.interval, Some((-upper, -lower)));
        }
    }

    #[test]
    fn levels_with_few_pairs() {
        assert_eq!(attained_level(5, 0.05), 0.0);
        assert_eq!(attained_level(6, 0.05), 2.0 / 64.0);
        assert_eq!(attained_level(8, 0.05), 12.0 / 256.0);
        assert_eq!(attained_level(40, 0.05), 0.05);
    }

    #[test]
    fn what_cannot_be_tested_is_an_error() {
        let check = |differences: &[f64]| sign_flip_test(differences, 0.95, 0).unwrap_err();
        assert_eq!(check(&[1.0]), InsightError::TooFew { got: 1, least: 2 });
        assert_eq!(check(&[0.0, 0.0]), InsightError::Constant);
        assert_eq!(check(&[1.0, f64::NAN]), InsightError::NotFinite(1));
    }
}
