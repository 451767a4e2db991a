//! How long an experiment has to be, from the person's own days.

use super::LEVEL;
use super::always_valid::AlwaysValid;
use super::design::BlockDesign;
use super::sign_test::{LEAST_PAIRS, attained_level};
use crate::distribution::{noncentral_below, noncentrality, t_of};
use crate::error::InsightError;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Days with a value that a plan needs.
pub const LEAST_DAYS: usize = 14;
/// Longest plan, in pairs.
pub const MOST_PAIRS: usize = 60;
/// A first-order autocorrelation that is not exceeded: beyond it the days hardly vary within blocks, and
/// the estimate is that of a trend.
const MOST_AUTOCORRELATION: f64 = 0.95;
/// Pairs of blocks without overlap that past days must have room for, to look at those themselves.
const LEAST_PAST_PAIRS: usize = 5;
/// Simulated experiments for intervals that hold at every look.
const SIMULATED: usize = 600;
/// Effects that are simulated, as multiples of the spread of a pair difference.
const RATIOS: [f64; 16] = [
    0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.75, 0.9, 1.1, 1.4, 1.8, 2.3, 3.0, 4.0, 6.0,
];

/// How the days of a person vary.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DailySpread {
    /// Days with a value.
    pub days: usize,
    /// Mean.
    pub mean: f64,
    /// Standard deviation.
    pub standard_deviation: f64,
    /// Correlation of a day with the next, from 0 to 0.95.
    pub autocorrelation: f64,
    /// Share of days with a value.
    pub observed: f64,
}

/// How the days of a person vary; missing days are `None`.
///
/// The autocorrelation of a short series is too low on average by about (1 + 3ρ) / n (M. G. Kendall
/// 1954), which is added. A negative one counts as 0: blocks would be compared too confidently.
///
/// # Errors
///
/// [`InsightError::TooFew`] for fewer than [`LEAST_DAYS`] days with a value, [`InsightError::NotFinite`],
/// [`InsightError::Constant`].
pub fn daily_spread(days: &[Option<f64>]) -> Result<DailySpread, InsightError> {
    let known: Vec<f64> = days.iter().copied().flatten().collect();
    if let Some(index) = known.iter().position(|one| !one.is_finite()) {
        return Err(InsightError::NotFinite(index));
    }
    if known.len() < LEAST_DAYS {
        return Err(InsightError::TooFew {
            got: known.len(),
            least: LEAST_DAYS,
        });
    }
    let mean = vitalcast_evaluation::mean(known.iter().copied()).expect("there are days");
    let squares: f64 = known.iter().map(|one| (one - mean).powi(2)).sum();
    let variance = squares / (known.len() - 1) as f64;
    let spread = vitalcast_evaluation::beyond_rounding(variance.sqrt(), mean);
    if spread == 0.0 {
        return Err(InsightError::Constant);
    }
    let (mut product, mut pairs) = (0.0, 0_usize);
    for two in days.windows(2) {
        if let [Some(one), Some(next)] = two {
            product += (one - mean) * (next - mean);
            pairs += 1;
        }
    }
    let autocorrelation = if pairs == 0 {
        0.0
    } else {
        let seen = product / pairs as f64 / variance;
        seen + (1.0 + 3.0 * seen) / pairs as f64
    };
    Ok(DailySpread {
        days: known.len(),
        mean,
        standard_deviation: spread,
        autocorrelation: autocorrelation.clamp(0.0, MOST_AUTOCORRELATION),
        observed: known.len() as f64 / days.len() as f64,
    })
}

/// Standard deviation of the difference of one pair of blocks that differ in nothing.
///
/// Of two estimates the larger one counts. The first is that of a first-order process: the variance of a
/// weighted sum of days is σ² Σ wₛ wₜ ρ^|s − t| (S. Senn 2002, Cross-over Trials in Clinical Research,
/// chapter 7, for autocorrelated periods; R. L. Kravitz and N. Duan 2014, Design and Implementation of
/// N-of-1 Trials, chapter 4), where days that are likely to be missing make each mean less sure. The
/// second lays the same pair of blocks on every past day: it sees a weekly rhythm and slow changes
/// too, and needs room for five pairs.
pub fn pair_spread(spread: &DailySpread, days: &[Option<f64>], design: &BlockDesign) -> f64 {
    let by_formula = by_formula(spread, design);
    by_past_days(days, design).map_or(by_formula, |seen| seen.max(by_formula))
}

fn by_formula(spread: &DailySpread, design: &BlockDesign) -> f64 {
    let (length, counted) = (design.block_days, design.counted_days().max(1));
    let power = |apart: usize| spread.autocorrelation.powi(apart as i32);
    let mut within = 0.0;
    let mut between = 0.0;
    for one in 0..counted {
        for other in 0..counted {
            if one != other {
                within += power(one.abs_diff(other));
            }
            between += power(length + other - one);
        }
    }
    let own = counted as f64 / spread.observed.max(0.1);
    let variance = 2.0 * (own + within - between) / (counted as f64).powi(2);
    spread.standard_deviation * variance.max(0.0).sqrt()
}

/// Root mean square of the differences that past days show between two blocks.
fn by_past_days(days: &[Option<f64>], design: &BlockDesign) -> Option<f64> {
    let length = 2 * design.block_days;
    let known = days.iter().flatten().count();
    if known < LEAST_PAST_PAIRS * length {
        return None;
    }
    // Sums and numbers of the days before each, so that long blocks take no longer.
    let first = days.iter().flatten().next().copied()?;
    let mut before = vec![(0.0, 0_usize)];
    for day in days {
        let (sum, count) = before[before.len() - 1];
        before.push(day.map_or((sum, count), |value| (sum + (value - first), count + 1)));
    }
    let mean = |from: usize, to: usize| {
        let count = before[to].1 - before[from].1;
        (count >= design.least_days()).then(|| (before[to].0 - before[from].0) / count as f64)
    };
    let differences: Vec<f64> = (0..=days.len().checked_sub(length)?)
        .filter_map(|start| {
            let middle = start + design.block_days;
            let one = mean(start + design.washout_days, middle)?;
            let other = mean(middle + design.washout_days, start + length)?;
            Some(one - other)
        })
        .collect();
    let squares = differences.iter().map(|one| one * one);
    (differences.len() >= length).then(|| {
        let mean: f64 = squares.sum::<f64>() / differences.len() as f64;
        mean.sqrt()
    })
}

/// How likely an effect is found with some number of pairs.
///
/// For an experiment to its planned end, that of a paired t test at the level that the randomisation test
/// can attain with so many pairs; the tests compare it with simulated randomisation tests. For one that
/// may stop when the effect is clear, that of 600 seeded simulated experiments.
#[derive(Debug, Clone)]
pub struct PowerTable {
    spread: f64,
    /// For each ratio the numbers of pairs after which simulated effects were clear, ascending; empty for
    /// an experiment to its end.
    clear_after: Vec<Vec<usize>>,
}

impl PowerTable {
    /// Of an experiment that is looked at once, at its end.
    pub fn at_the_end(spread: f64) -> Self {
        Self {
            spread,
            clear_after: Vec::new(),
        }
    }

    /// Of one that stops as soon as an effect is clear.
    pub fn at_every_look(spread: f64, seed: u64) -> Self {
        let bets = AlwaysValid::new(1.0, LEVEL);
        let clear_after = RATIOS
            .iter()
            .map(|ratio| {
                let mut random = ChaCha8Rng::seed_from_u64(seed);
                let mut found: Vec<usize> = (0..SIMULATED)
                    .filter_map(|_| {
                        let pairs: Vec<f64> = (0..MOST_PAIRS)
                            .map(|_| ratio + normal(&mut random))
                            .collect();
                        bets.first_above_zero(&pairs)
                    })
                    .collect();
                found.sort_unstable();
                found
            })
            .collect();
        Self {
            spread,
            clear_after,
        }
    }

    /// Probability that an effect is found.
    pub fn power(&self, effect: f64, pairs: usize) -> f64 {
        let ratio = effect.abs() / self.spread;
        if self.clear_after.is_empty() {
            return at_the_end(ratio, pairs);
        }
        self.looked(ratio, pairs)
    }

    /// Smallest effect that so many pairs find with a probability; `None` if they are too few to find any.
    pub fn detectable(&self, pairs: usize, power: f64) -> Option<f64> {
        let ratio = if self.clear_after.is_empty() {
            detectable_at_the_end(pairs, power)?
        } else {
            let mut before = (0.0, 0.0);
            let mut found = None;
            for ratio in RATIOS {
                let reached = self.looked(ratio, pairs);
                if reached >= power {
                    let share = (power - before.1) / (reached - before.1).max(1e-12);
                    found = Some(before.0 + share * (ratio - before.0));
                    break;
                }
                before = (ratio, reached);
            }
            found?
        };
        Some(ratio * self.spread)
    }

    /// Fewest pairs that find an effect with a probability, up to [`MOST_PAIRS`].
    pub fn pairs_for(&self, effect: f64, power: f64) -> Option<usize> {
        (LEAST_PAIRS..=MOST_PAIRS).find(|pairs| self.power(effect, *pairs) >= power)
    }

    /// Share of simulated experiments that were clear, between the ratios by a straight line.
    fn looked(&self, ratio: f64, pairs: usize) -> f64 {
        let share = |place: usize| {
            let found = &self.clear_after[place];
            found.partition_point(|after| *after <= pairs) as f64 / SIMULATED as f64
        };
        let above = RATIOS.partition_point(|one| *one < ratio);
        if above == RATIOS.len() {
            return share(RATIOS.len() - 1);
        }
        let (from, start) = match above.checked_sub(1) {
            Some(below) => (RATIOS[below], share(below)),
            None => (0.0, 0.0),
        };
        start + (share(above) - start) * (ratio - from) / (RATIOS[above] - from)
    }
}

/// Power of a two-sided paired t test for an effect of so many spreads.
fn at_the_end(ratio: f64, pairs: usize) -> f64 {
    let level = attained_level(pairs, 1.0 - LEVEL);
    if pairs < 2 || level <= 0.0 {
        return 0.0;
    }
    let degrees = pairs as f64 - 1.0;
    let limit = t_of(level, degrees).powi(2);
    let below = noncentral_below(limit, 1.0, degrees, pairs as f64 * ratio * ratio);
    (1.0 - below).clamp(0.0, 1.0)
}

fn detectable_at_the_end(pairs: usize, power: f64) -> Option<f64> {
    let level = attained_level(pairs, 1.0 - LEVEL);
    if pairs < 2 || level <= 0.0 {
        return None;
    }
    let degrees = pairs as f64 - 1.0;
    let limit = t_of(level, degrees).powi(2);
    let found = noncentrality(limit, 1.0, degrees, 1.0 - power);
    Some((found / pairs as f64).sqrt())
}

/// A standard normal value (G. E. P. Box and M. E. Muller 1958).
fn normal(random: &mut ChaCha8Rng) -> f64 {
    let radius = (-2.0 * (1.0 - random.random::<f64>()).ln()).sqrt();
    radius * (std::f64::consts::TAU * random.random::<f64>()).cos()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DESIGN: BlockDesign = BlockDesign {
        block_days: 3,
        washout_days: 1,
        pairs: 8,
    };

    fn spread(autocorrelation: f64, observed: f64) -> DailySpread {
        DailySpread {
            days: 60,
            mean: 60.0,
            standard_deviation: 2.0,
            autocorrelation,
            observed,
        }
    }

    #[test]
    fn spreads_of_pairs_by_hand() {
        // Independent days: 4 · (1/2 + 1/2).
        assert!((by_formula(&spread(0.0, 1.0), &DESIGN) - 2.0).abs() < 1e-12);
        // Days 1, 2 and 4, 5 with ρ = ½: 4 · 2 · (2 + 2·½ − (½³ + ½⁴ + ½² + ½³)) / 4.
        let expected: f64 = 2.0 * (3.0 - (0.125 + 0.0625 + 0.25 + 0.125));
        assert!((by_formula(&spread(0.5, 1.0), &DESIGN) - expected.sqrt()).abs() < 1e-12);
        // With every other day missing each mean is of one day.
        assert!((by_formula(&spread(0.0, 0.5), &DESIGN) - 8.0_f64.sqrt()).abs() < 1e-12);
    }

    #[test]
    fn past_days_show_what_the_formula_does_not() {
        // Weekdays and weekends: blocks of three days fall on either.
        let days: Vec<Option<f64>> = (0..84)
            .map(|day| Some(if day % 7 < 5 { 60.0 } else { 66.0 } + f64::from(day * 5 % 3)))
            .collect();
        let of_days = daily_spread(&days).unwrap();
        let seen = by_past_days(&days, &DESIGN).unwrap();
        assert!(seen > by_formula(&of_days, &DESIGN), "{seen}");
        assert_eq!(pair_spread(&of_days, &days, &DESIGN), seen);
        assert_eq!(by_past_days(&days[..20], &DESIGN), None);
    }

    #[test]
    fn days_that_cannot_be_planned_with_are_an_error() {
        let error = |days: &[Option<f64>]| daily_spread(days).unwrap_err();
        let few = InsightError::TooFew { got: 1, least: 14 };
        assert_eq!(error(&[Some(60.0), None]), few);
        assert_eq!(error(&[Some(60.1); 30]), InsightError::Constant);
        let mut days = vec![Some(60.0); 30];
        days[3] = Some(f64::INFINITY);
        assert_eq!(error(&days), InsightError::NotFinite(3));
    }

    #[test]
    fn power_and_detectable_effect_are_the_same_curve() {
        for table in [
            PowerTable::at_the_end(2.0),
            PowerTable::at_every_look(2.0, 1),
        ] {
            for pairs in [7, 10, 20, 50] {
                let effect = table.detectable(pairs, 0.8).unwrap();
                assert!((table.power(effect, pairs) - 0.8).abs() < 1e-6);
                let needed = table.pairs_for(effect * 1.000_1, 0.8).unwrap();
                assert!(needed <= pairs, "{needed} {pairs}");
            }
            assert_eq!(table.detectable(5, 0.8), None);
            assert_eq!(table.power(1e9, 5), 0.0);
            assert_eq!(table.pairs_for(0.001, 0.8), None);
        }
    }

    #[test]
    fn power_is_that_of_the_paired_t_test() {
        // statsmodels 0.14: TTestPower().power(0.5, nobs=34, alpha=0.05) and (1.0, 20, 0.05).
        assert!((at_the_end(0.5, 34) - 0.807_777_501).abs() < 1e-7);
        assert!((at_the_end(1.0, 20) - 0.988_591_295).abs() < 1e-7);
    }

    #[test]
    fn looking_at_every_pair_has_its_price() {
        let (once, always) = (
            PowerTable::at_the_end(1.0),
            PowerTable::at_every_look(1.0, 1),
        );
        for pairs in [10, 20, 40] {
            let (cheap, dear) = (once.detectable(pairs, 0.8), always.detectable(pairs, 0.8));
            let ratio = dear.unwrap() / cheap.unwrap();
            assert!((1.0..2.0).contains(&ratio), "{pairs} {ratio}");
        }
    }
}
