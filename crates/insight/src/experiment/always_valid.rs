//! Intervals that hold at every look.
//!
//! A test that is right once is wrong when somebody looks every day and stops when they like what they
//! see. A bet is not: bet a share of what you have on the sign of the next pair, on both sides of an effect.
//! If that effect is the true one, the bets are fair, and what you have never grows, on average. It
//! reaches 40 times the stake with a probability of at most 1/40 at any time (J. Ville 1939).

/// Bets, as multiples of one over the spread of a pair difference. What is best depends on the true effect;
/// equal stakes on each lose little against the best (a mixture, H. Robbins 1970).
const BETS: [f64; 12] = [
    0.12, 0.17, 0.24, 0.33, 0.47, 0.65, 0.9, 1.25, 1.75, 2.4, 3.4, 4.8,
];
/// Halvings of the interval that holds an end.
const HALVINGS: usize = 48;

/// An interval that holds at every look.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AlwaysValidInterval {
    /// Lowest effect that is not refuted; `None` if there are too few pairs to refute any.
    pub lower: Option<f64>,
    /// Highest effect that is not refuted.
    pub upper: Option<f64>,
    /// Smallest level at which no effect at all would have been refuted at some look so far.
    pub p_value: f64,
}

impl AlwaysValidInterval {
    /// Whether no effect at all is refuted.
    pub fn excludes_zero(&self) -> bool {
        self.lower.is_some_and(|lower| lower > 0.0) || self.upper.is_some_and(|upper| upper < 0.0)
    }
}

/// Bets on the signs of pair differences.
///
/// With λ > 0 and pair differences dᵢ, the product of exp(λ(dᵢ − δ)) / cosh(λ(dᵢ − δ)) is a martingale
/// with mean 1 if δ is the effect, because then each dᵢ − δ has either sign with probability ½, whatever
/// its size: what V. H. de la Peña (1999, Annals of Probability 27, 537) bounds by exp(λd − λ²d²/2), left
/// exact. The lower end is the largest δ below which the mean of twelve such products, one for each bet,
/// has reached 2 / (1 − level) at some pair; the upper end the same with negative bets. Nothing is assumed
/// of the distribution of the days.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AlwaysValid {
    /// Spread of a pair difference, from the plan: the bets are made for it. They are fair with any.
    scale: f64,
    /// Logarithm of what has to be reached.
    goal: f64,
}

impl AlwaysValid {
    /// Bets for pair differences with so large a spread, fixed when the experiment is planned.
    pub fn new(spread: f64, level: f64) -> Self {
        let is_usable = spread.is_finite() && spread > 0.0;
        Self {
            scale: if is_usable { spread } else { 1.0 },
            goal: (2.0 / (1.0 - level)).ln(),
        }
    }

    /// The interval after these pairs, from all looks so far.
    pub fn interval(&self, differences: &[f64]) -> AlwaysValidInterval {
        let turned: Vec<f64> = differences.iter().map(|one| -one).collect();
        AlwaysValidInterval {
            lower: self.lower(differences),
            upper: self.lower(&turned).map(|end| -end),
            p_value: self.p_value(differences),
        }
    }

    /// The p value alone, which takes less time. It is at most 1 − level when the interval excludes 0.
    pub fn p_value(&self, differences: &[f64]) -> f64 {
        let turned: Vec<f64> = differences.iter().map(|one| -one).collect();
        let wealth = self.highest(differences).max(self.highest(&turned));
        (std::f64::consts::LN_2 - wealth).exp().min(1.0)
    }

    /// The first number of pairs after which an effect above 0 is clear.
    pub(super) fn first_above_zero(&self, differences: &[f64]) -> Option<usize> {
        let mut bets = [0.0; BETS.len()];
        differences.iter().enumerate().find_map(|(place, one)| {
            self.bet(&mut bets, *one);
            (mean_of_logarithms(&bets) >= self.goal).then_some(place + 1)
        })
    }

    /// The most that positive bets against no effect have been worth, as a logarithm.
    fn highest(&self, differences: &[f64]) -> f64 {
        let mut bets = [0.0; BETS.len()];
        differences.iter().fold(0.0, |highest: f64, one| {
            self.bet(&mut bets, *one);
            highest.max(mean_of_logarithms(&bets))
        })
    }

    fn bet(&self, bets: &mut [f64; BETS.len()], difference: f64) {
        for (wealth, bet) in bets.iter_mut().zip(BETS) {
            let twice = -2.0 * bet * difference / self.scale;
            // ln(2 / (1 + eˣ)) without overflow.
            *wealth += std::f64::consts::LN_2 - twice.max(0.0) - (-twice.abs()).exp().ln_1p();
        }
    }

    /// Whether positive bets on these differences less an effect have reached the goal at some pair.
    fn refutes(&self, differences: &[f64], effect: f64) -> bool {
        let moved: Vec<f64> = differences.iter().map(|one| one - effect).collect();
        self.highest(&moved) >= self.goal
    }

    fn lower(&self, differences: &[f64]) -> Option<f64> {
        // The most that can be won is twice the stake at each pair.
        if (differences.len() as f64) * std::f64::consts::LN_2 <= self.goal {
            return None;
        }
        let largest = differences.iter().copied().reduce(f64::max)?;
        let (mut low, mut high, mut step) = (largest, largest, self.scale);
        while !self.refutes(differences, low) {
            high = low;
            low -= step;
            step *= 2.0;
            if !low.is_finite() {
                return None;
            }
        }
        // What is won falls with the effect, so the refuted ones lie below one end.
        for _ in 0..HALVINGS {
            let middle = 0.5 * (low + high);
            if self.refutes(differences, middle) {
                low = middle;
            } else {
                high = middle;
            }
        }
        Some(low)
    }
}

/// Logarithm of the mean of numbers whose logarithms are given.
fn mean_of_logarithms(logarithms: &[f64; BETS.len()]) -> f64 {
    let largest = logarithms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = logarithms.iter().map(|one| (one - largest).exp()).sum();
    largest + (sum / BETS.len() as f64).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bet_by_hand() {
        let bets = AlwaysValid::new(1.0, 0.95);
        let mut wealth = [0.0; BETS.len()];
        bets.bet(&mut wealth, 1.0);
        // exp(0.9) / cosh(0.9)
        assert!((wealth[6].exp() - 0.9_f64.exp() / 0.9_f64.cosh()).abs() < 1e-12);
        // The two signs together pay back the stake.
        let mut other = [0.0; BETS.len()];
        bets.bet(&mut other, -1.0);
        for (one, two) in wealth.iter().zip(other) {
            assert!((one.exp() + two.exp() - 2.0).abs() < 1e-12);
        }
    }

    #[test]
    fn few_pairs_refute_nothing_and_many_narrow_the_interval() {
        let bets = AlwaysValid::new(1.0, 0.95);
        let alike: Vec<f64> = (0..40)
            .map(|pair| 2.0 + f64::from(pair % 3) * 0.1)
            .collect();
        let early = bets.interval(&alike[..5]);
        assert_eq!((early.lower, early.upper), (None, None));
        assert!(!early.excludes_zero());
        let mut width = f64::INFINITY;
        for pairs in [8, 12, 20, 40] {
            let now = bets.interval(&alike[..pairs]);
            let (lower, upper) = (now.lower.unwrap(), now.upper.unwrap());
            assert!(lower < 2.2 && upper > 2.0 && upper - lower < width);
            width = upper - lower;
        }
        assert!(width < 1.5, "{width}");
        assert!(bets.interval(&alike).excludes_zero());
    }

    #[test]
    fn an_end_is_where_bets_stop_to_refute() {
        let bets = AlwaysValid::new(1.5, 0.95);
        let differences: Vec<f64> = (0..15).map(|pair| f64::from(pair * 7 % 5) - 0.5).collect();
        let end = bets.interval(&differences).lower.unwrap();
        assert!(bets.refutes(&differences, end - 1e-6));
        assert!(!bets.refutes(&differences, end + 1e-6));
    }

    #[test]
    fn a_spread_that_is_none_still_gives_numbers() {
        for spread in [0.0, f64::NAN, f64::INFINITY] {
            let found = AlwaysValid::new(spread, 0.95).interval(&[1.0; 12]);
            assert!(found.p_value.is_finite() && found.lower.unwrap().is_finite());
        }
    }
}
