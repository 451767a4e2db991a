//! A forecast as a distribution: a central value and nested intervals.
//!
//! The interval of a level is the central one: half of 1 − level lies below its lower bound, half above
//! its upper bound. So the bounds are quantiles, and with the central value as the median they are the
//! knots of a distribution function. Between two knots it is linear. Beyond the outermost knots nothing
//! is claimed: a quantile there is `None`, and a probability stays at that of the outermost knot. Only
//! [`Distribution::expected_outside`] goes on, because of days that are rarer than that it would say too many.

use crate::error::{EvaluationError, check_finite, check_level};
use crate::mean::mean;
use serde::{Deserialize, Serialize};

/// An interval and its nominal coverage.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bounds {
    /// Nominal coverage.
    pub level: f64,
    /// Lower bound, in the unit of the forecasts.
    pub lower: f64,
    /// Upper bound, in the unit of the forecasts.
    pub upper: f64,
}

/// A central value and the intervals around it, by ascending level.
///
/// ```
/// use vitalcast_evaluation::{Bounds, Distribution};
///
/// let forecast = Distribution::new(
///     60.0,
///     vec![
///         Bounds { level: 0.8, lower: 57.0, upper: 64.0 },
///         Bounds { level: 0.95, lower: 55.0, upper: 67.0 },
///     ],
/// )?;
/// assert_eq!(forecast.quantile(0.9), Some(64.0));
/// // Halfway from the median (level 0) to 80 %.
/// let half = forecast.interval(0.4).expect("80 % is kept");
/// assert_eq!((half.lower, half.upper), (58.5, 62.0));
/// assert_eq!(forecast.interval(0.99), None);
/// # Ok::<(), vitalcast_evaluation::EvaluationError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Distribution {
    value: f64,
    intervals: Vec<Bounds>,
}

/// What is read, before it is checked.
#[derive(Deserialize)]
struct Unchecked {
    value: f64,
    intervals: Vec<Bounds>,
}

impl TryFrom<Unchecked> for Distribution {
    type Error = EvaluationError;

    fn try_from(unchecked: Unchecked) -> Result<Self, EvaluationError> {
        Self::new(unchecked.value, unchecked.intervals)
    }
}

/// A point of the distribution function.
#[derive(Clone, Copy)]
struct Knot {
    probability: f64,
    value: f64,
}

impl Distribution {
    /// A distribution from its central value, the median, and its intervals by ascending level. Without
    /// intervals it is the point forecast alone.
    ///
    /// # Errors
    ///
    /// - [`EvaluationError::NotFinite`] for a value or a bound;
    /// - [`EvaluationError::Level`] for a level that is not above 0 and below 1;
    /// - [`EvaluationError::LevelOrder`] for a level that is not above the one before it;
    /// - [`EvaluationError::NotNested`] for an interval without the value or without the interval of the
    ///   level before it.
    pub fn new(value: f64, intervals: Vec<Bounds>) -> Result<Self, EvaluationError> {
        check_finite("central value", &[value])?;
        let mut inner = Bounds {
            level: 0.0,
            lower: value,
            upper: value,
        };
        for bounds in &intervals {
            check_level(bounds.level)?;
            check_finite("bound", &[bounds.lower, bounds.upper])?;
            if bounds.level <= inner.level {
                return Err(EvaluationError::LevelOrder(bounds.level));
            }
            if bounds.lower > inner.lower || bounds.upper < inner.upper {
                return Err(EvaluationError::NotNested(bounds.level));
            }
            inner = *bounds;
        }
        Ok(Self { value, intervals })
    }

    /// The central value: the point forecast, and the median.
    pub fn value(&self) -> f64 {
        self.value
    }

    /// The levels that are kept, ascending.
    pub fn levels(&self) -> impl ExactSizeIterator<Item = f64> + '_ {
        self.intervals.iter().map(|bounds| bounds.level)
    }

    /// The intervals that are kept, by ascending level.
    pub fn intervals(&self) -> &[Bounds] {
        &self.intervals
    }

    /// The interval of a level: exactly as kept, or else interpolated linearly in the level between its
    /// neighbours, where level 0 is the central value alone.
    ///
    /// `None` above the highest level that is kept, because nothing supports it, and for a level that is
    /// below 0 or not a number.
    pub fn interval(&self, level: f64) -> Option<Bounds> {
        // NaN passes here and fails every comparison below.
        if level < 0.0 {
            return None;
        }
        let mut inner = Bounds {
            level: 0.0,
            lower: self.value,
            upper: self.value,
        };
        if level == 0.0 {
            return Some(inner);
        }
        for outer in &self.intervals {
            if level == outer.level {
                return Some(*outer);
            }
            if level < outer.level {
                let share = (level - inner.level) / (outer.level - inner.level);
                return Some(Bounds {
                    level,
                    lower: between(inner.lower, outer.lower, share),
                    upper: between(inner.upper, outer.upper, share),
                });
            }
            inner = *outer;
        }
        None
    }

    /// The value below which the share `probability` lies, linear between the knots.
    ///
    /// `None` beyond the outermost knots: at 95 % as the highest level, below 0.025 and above 0.975.
    pub fn quantile(&self, probability: f64) -> Option<f64> {
        let knots = self.knots();
        // The knots are exact only up to rounding: (1 + 0.95) / 2 is not 0.975 to the last bit.
        if let Some(knot) = knots
            .iter()
            .find(|knot| (knot.probability - probability).abs() <= 1e-12)
        {
            return Some(knot.value);
        }
        knots.windows(2).find_map(|pair| {
            let [from, to] = [pair[0], pair[1]];
            (from.probability < probability && probability < to.probability).then(|| {
                let share = (probability - from.probability) / (to.probability - from.probability);
                between(from.value, to.value, share)
            })
        })
    }

    /// The probability of values up to `x`, 0 to 1: the distribution function, linear between the knots.
    ///
    /// Beyond the outermost knots it is the probability of the outermost knot. Where several knots have
    /// one value, so that this value has a probability of its own, half of that counts. Not a number for
    /// an `x` that is none.
    pub fn percentile_of(&self, x: f64) -> f64 {
        let (below, up_to) = self.probabilities(x);
        f64::midpoint(below, up_to)
    }

    /// The probability of values below `low` or above `high`, 0 to 1.
    ///
    /// Beyond the outermost knots each side counts as the probability of the outermost knot: with 95 % as
    /// the highest level, no probability of one side is below 2.5 %. `low` is expected to be at most
    /// `high`.
    pub fn probability_outside(&self, low: f64, high: f64) -> f64 {
        let (below, _) = self.probabilities(low);
        let (_, up_to) = self.probabilities(high);
        (below + (1.0 - up_to)).min(1.0)
    }

    /// The probability of values below `low` or above `high`, 0 to 1, also where it is less than that of an
    /// outermost knot.
    ///
    /// Beyond the outermost knot of a side, the probability falls exponentially, at the rate between the last
    /// two knots (a tail of a Laplace distribution); where these have one value, it stays. `low` is expected to
    /// be at most `high`.
    pub fn expected_outside(&self, low: f64, high: f64) -> f64 {
        let (below, _) = self.probabilities(low);
        let (_, up_to) = self.probabilities(high);
        let knots = self.knots();
        let above = match &knots[..] {
            [.., before, last] if high > last.value => {
                let [before, last] =
                    [before, last].map(|knot| (1.0 - knot.probability, knot.value));
                tail(before, last, high)
            }
            _ => 1.0 - up_to,
        };
        let below = match &knots[..] {
            [first, next, ..] if low < first.value => {
                let [next, first] = [next, first].map(|knot| (knot.probability, -knot.value));
                tail(next, first, -low)
            }
            _ => below,
        };
        (below + above).min(1.0)
    }

    /// Mean pinball loss over the knots (Koenker and Bassett 1978), in the unit of the forecasts: at a
    /// quantile q of probability p it is p·(y − q) for an observed y of at least q, else (1 − p)·(q − y).
    /// Lower is better. Half of the absolute error if there are no intervals.
    pub fn pinball(&self, observed: f64) -> f64 {
        let losses = self.knots().into_iter().map(|knot| knot.loss(observed));
        mean(losses).expect("the central value is a knot")
    }

    /// Continuous ranked probability score, in the unit of the forecasts; lower is better. The absolute
    /// error if there are no intervals.
    ///
    /// It is 2·∫ pinball loss dp over the probabilities p from 0 to 1 (Gneiting and Raftery 2007). Here
    /// the integral is approximated by trapezoids over the knots, the median among them. Beyond the
    /// outermost knots their values are held, as if no value lay beyond them; so forecasts with different
    /// levels can be compared. With few levels the score is approximate: compare forecasts of the same
    /// levels where small differences matter.
    pub fn crps(&self, observed: f64) -> f64 {
        let mut knots = self.knots();
        let (first, last) = (knots[0].value, knots[knots.len() - 1].value);
        knots.insert(
            0,
            Knot {
                probability: 0.0,
                value: first,
            },
        );
        knots.push(Knot {
            probability: 1.0,
            value: last,
        });
        knots
            .windows(2)
            .map(|pair| {
                let width = pair[1].probability - pair[0].probability;
                width * (pair[0].loss(observed) + pair[1].loss(observed))
            })
            .sum()
    }

    /// The points of the distribution function, by ascending probability.
    fn knots(&self) -> Vec<Knot> {
        let lower = self.intervals.iter().rev().map(|bounds| Knot {
            probability: (1.0 - bounds.level) / 2.0,
            value: bounds.lower,
        });
        let middle = Knot {
            probability: 0.5,
            value: self.value,
        };
        let upper = self.intervals.iter().map(|bounds| Knot {
            probability: f64::midpoint(1.0, bounds.level),
            value: bounds.upper,
        });
        lower.chain([middle]).chain(upper).collect()
    }

    /// The probabilities of values below `x`, and of values up to it.
    fn probabilities(&self, x: f64) -> (f64, f64) {
        if x.is_nan() {
            return (x, x);
        }
        let knots = self.knots();
        let (first, last) = (knots[0], knots[knots.len() - 1]);
        if x < first.value {
            return (first.probability, first.probability);
        }
        if x > last.value {
            return (last.probability, last.probability);
        }
        let from = knots.partition_point(|knot| knot.value < x);
        let to = knots.partition_point(|knot| knot.value <= x);
        if from < to {
            return (knots[from].probability, knots[to - 1].probability);
        }
        let [before, after] = [knots[from - 1], knots[from]];
        let share = (x - before.value) / (after.value - before.value);
        let probability = between(before.probability, after.probability, share);
        (probability, probability)
    }
}

impl Knot {
    fn loss(self, observed: f64) -> f64 {
        let over = observed - self.value;
        if over >= 0.0 {
            self.probability * over
        } else {
            (self.probability - 1.0) * over
        }
    }
}

/// The probability beyond `x` of a tail that goes on as it falls between two points, each a probability
/// beyond a value.
fn tail(before: (f64, f64), last: (f64, f64), x: f64) -> f64 {
    let width = last.1 - before.1;
    if width > 0.0 {
        last.0 * (last.0 / before.0).powf((x - last.1) / width)
    } else {
        last.0
    }
}

fn between(from: f64, to: f64, share: f64) -> f64 {
    from + share * (to - from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bounds((level, lower, upper): (f64, f64, f64)) -> Bounds {
        Bounds {
            level,
            lower,
            upper,
        }
    }

    fn forecast() -> Distribution {
        let intervals = [(0.5, 58.0, 63.0), (0.8, 57.0, 66.0), (0.95, 54.0, 70.0)];
        Distribution::new(60.0, intervals.map(bounds).to_vec()).unwrap()
    }

    /// Intervals of the standard normal at the levels 0.02, 0.04, … 0.98, by bisection of its
    /// distribution function.
    fn standard_normal() -> Distribution {
        let intervals = (1..50).map(|place| {
            let level = f64::from(place) / 50.0;
            let (mut low, mut high) = (0.0, 10.0);
            for _ in 0..60 {
                let middle = f64::midpoint(low, high);
                if two_sided(middle) < level {
                    low = middle;
                } else {
                    high = middle;
                }
            }
            bounds((level, -low, low))
        });
        Distribution::new(0.0, intervals.collect()).unwrap()
    }

    fn density(x: f64) -> f64 {
        (-x * x / 2.0).exp() / std::f64::consts::TAU.sqrt()
    }

    /// Probability of a standard normal value between −x and x, by Simpson's rule.
    fn two_sided(x: f64) -> f64 {
        let step = x / 200.0;
        let inner: f64 = (1..200)
            .map(|place| f64::from(2 + 2 * (place % 2)) * density(f64::from(place) * step))
            .sum();
        2.0 * step / 3.0 * (density(0.0) + inner + density(x))
    }

    #[test]
    fn kept_levels_are_exact_and_others_interpolated() {
        let forecast = forecast();
        for kept in forecast.intervals() {
            assert_eq!(forecast.interval(kept.level), Some(*kept));
        }
        assert_eq!(forecast.interval(0.0), Some(bounds((0.0, 60.0, 60.0))));
        assert_eq!(forecast.interval(0.25), Some(bounds((0.25, 59.0, 61.5))));
        let between = forecast.interval(0.65).unwrap();
        assert!((between.lower - 57.5).abs() < 1e-12 && (between.upper - 64.5).abs() < 1e-12);
    }

    #[test]
    fn nothing_is_claimed_above_the_highest_level() {
        for level in [0.951, 1.0, 2.0, -0.1, f64::NAN] {
            assert_eq!(forecast().interval(level), None);
        }
        for probability in [0.02, 0.98, 0.0, 1.0, f64::NAN] {
            assert_eq!(forecast().quantile(probability), None);
        }
        assert_eq!(
            forecast().percentile_of(0.0),
            forecast().percentile_of(53.9)
        );
        assert!((forecast().percentile_of(0.0) - 0.025).abs() < 1e-12);
        assert!((forecast().percentile_of(99.0) - 0.975).abs() < 1e-12);
    }

    #[test]
    fn quantiles_are_bounds() {
        let forecast = forecast();
        assert_eq!(forecast.quantile(0.5), Some(60.0));
        assert_eq!(forecast.quantile(0.025), Some(54.0));
        assert_eq!(forecast.quantile(0.975), Some(70.0));
        assert_eq!(forecast.quantile(0.1), Some(57.0));
        assert_eq!(forecast.quantile(0.375), Some(59.0));
    }

    #[test]
    fn the_probability_outside_a_range_is_that_of_both_sides() {
        let forecast = forecast();
        assert!((forecast.probability_outside(57.0, 66.0) - 0.2).abs() < 1e-12);
        assert!((forecast.probability_outside(58.0, 66.0) - 0.35).abs() < 1e-12);
        assert!((forecast.probability_outside(0.0, 99.0) - 0.05).abs() < 1e-12);
        assert_eq!(forecast.probability_outside(70.0, 50.0), 1.0);
    }

    /// A day that was said to have 2 % came once in a hundred and fifty.
    #[test]
    fn rarer_days_than_the_highest_level_shows_were_said_to_be_as_frequent() {
        let forecast = forecast();
        // Inside of the knots, both are the same.
        for (low, high) in [(57.0, 66.0), (58.0, 66.0), (54.0, 70.0)] {
            let [held, goes_on] = [
                forecast.probability_outside(low, high),
                forecast.expected_outside(low, high),
            ];
            assert!((held - goes_on).abs() < 1e-12, "{low} {high}");
        }
        // From 80 to 95 %, the probability of each side falls to a quarter, over 3 below and 4 above; as far
        // beyond the last knot it falls to a quarter again.
        assert!((forecast.expected_outside(51.0, 70.0) - 0.025 * 1.25).abs() < 1e-12);
        assert!((forecast.expected_outside(54.0, 74.0) - 0.025 * 1.25).abs() < 1e-12);
        assert!(forecast.expected_outside(0.0, 200.0) < 1e-9);
        let point = Distribution::new(60.0, Vec::new()).unwrap();
        assert_eq!(
            point.expected_outside(59.0, 61.0),
            point.probability_outside(59.0, 61.0)
        );
    }

    #[test]
    fn half_of_the_probability_of_a_single_value_counts() {
        let point = Distribution::new(60.0, vec![bounds((0.8, 60.0, 60.0))]).unwrap();
        assert_eq!(point.percentile_of(60.0), 0.5);
        assert!((point.percentile_of(59.9) - 0.1).abs() < 1e-12);
        assert!((point.probability_outside(60.0, 60.0) - 0.2).abs() < 1e-12);
    }

    #[test]
    fn hand_computed_scores() {
        let forecast = Distribution::new(10.0, vec![bounds((0.8, 8.0, 13.0))]).unwrap();
        // At 11: 0.1 · 3, 0.5 · 1 and 0.1 · 2.
        assert!((forecast.pinball(11.0) - 1.0 / 3.0).abs() < 1e-12);
        // Trapezoids of the widths 0.1, 0.4, 0.4 and 0.1; the losses at 0 and 1 are 0.
        let twice = 0.1 * 0.3 + 0.4 * 0.8 + 0.4 * 0.7 + 0.1 * 0.2;
        assert!((forecast.crps(11.0) - twice).abs() < 1e-12);
        let point = Distribution::new(10.0, Vec::new()).unwrap();
        assert_eq!((point.pinball(13.0), point.crps(13.0)), (1.5, 3.0));
    }

    #[test]
    fn the_crps_of_a_normal_distribution_is_its_closed_form() {
        let forecast = standard_normal();
        for observed in [0.0_f64, 0.5, 1.0, 2.0] {
            // Gneiting and Raftery 2007, equation 21.
            let closed = observed * two_sided(observed) + 2.0 * density(observed)
                - 1.0 / std::f64::consts::PI.sqrt();
            let found = forecast.crps(observed);
            assert!((found - closed).abs() < 0.01, "{found} {closed}");
            assert!((forecast.crps(-observed) - found).abs() < 1e-12);
        }
    }

    #[test]
    fn wrong_distributions_are_refused() {
        let new = |value, intervals: &[(f64, f64, f64)]| {
            Distribution::new(value, intervals.iter().copied().map(bounds).collect())
        };
        assert!(matches!(
            new(f64::NAN, &[]),
            Err(EvaluationError::NotFinite { .. })
        ));
        assert!(matches!(
            new(1.0, &[(0.5, 0.0, f64::INFINITY)]),
            Err(EvaluationError::NotFinite { .. })
        ));
        assert_eq!(
            new(1.0, &[(1.0, 0.0, 2.0)]),
            Err(EvaluationError::Level(1.0))
        );
        assert_eq!(
            new(1.0, &[(0.5, 0.0, 2.0), (0.5, 0.0, 2.0)]),
            Err(EvaluationError::LevelOrder(0.5))
        );
        for intervals in [
            &[(0.5, 1.5, 2.0)][..],
            &[(0.5, 0.0, 0.5)],
            &[(0.5, 0.0, 2.0), (0.9, 0.5, 3.0)],
            &[(0.5, 0.0, 2.0), (0.9, -1.0, 1.5)],
        ] {
            assert!(matches!(
                new(1.0, intervals),
                Err(EvaluationError::NotNested(_))
            ));
        }
    }

    #[test]
    fn a_distribution_survives_serde_and_a_wrong_one_is_refused() {
        let text = serde_json::to_string(&forecast()).unwrap();
        assert_eq!(
            serde_json::from_str::<Distribution>(&text).unwrap(),
            forecast()
        );
        let wrong = r#"{"value":1.0,"intervals":[{"level":0.5,"lower":2.0,"upper":3.0}]}"#;
        let error = serde_json::from_str::<Distribution>(wrong).unwrap_err();
        assert!(error.to_string().contains("level 0.5"), "{error}");
    }

    prop_compose! {
        fn any_distribution()(
            value in -100.0_f64..100.0,
            steps in prop::collection::vec((0.01_f64..1.0, 0.0_f64..5.0, 0.0_f64..5.0), 0..8),
        ) -> Distribution {
            let total: f64 = steps.iter().map(|step| step.0).sum::<f64>() + 0.2;
            let mut inner = bounds((0.0, value, value));
            let intervals = steps.into_iter().map(|(level, below, above)| {
                inner = bounds((
                    inner.level + level / total, inner.lower - below, inner.upper + above,
                ));
                inner
            });
            Distribution::new(value, intervals.collect()).unwrap()
        }
    }

    proptest! {
        #[test]
        fn intervals_are_nested_at_any_level(
            forecast in any_distribution(), one in 0.0_f64..1.0, other in 0.0_f64..1.0,
        ) {
            let (low, high) = (one.min(other), one.max(other));
            if let Some(outer) = forecast.interval(high) {
                let inner = forecast.interval(low).unwrap();
                prop_assert!(outer.lower <= inner.lower + 1e-9);
                prop_assert!(outer.upper >= inner.upper - 1e-9);
            }
        }

        #[test]
        fn quantiles_of_an_interval_are_its_bounds(
            forecast in any_distribution(), level in 0.0_f64..1.0,
        ) {
            if let Some(of) = forecast.interval(level) {
                let lower = forecast.quantile((1.0 - level) / 2.0).unwrap();
                let upper = forecast.quantile(f64::midpoint(1.0, level)).unwrap();
                prop_assert!((lower - of.lower).abs() < 1e-6 && (upper - of.upper).abs() < 1e-6);
            }
        }

        #[test]
        fn percentiles_never_fall_and_undo_quantiles(
            forecast in any_distribution(), one in -150.0_f64..150.0, other in -150.0_f64..150.0,
            probability in 0.0_f64..1.0,
        ) {
            let (low, high) = (one.min(other), one.max(other));
            prop_assert!(forecast.percentile_of(low) <= forecast.percentile_of(high));
            if let Some(value) = forecast.quantile(probability) {
                let (below, up_to) = forecast.probabilities(value);
                prop_assert!(below - 1e-6 <= probability && probability <= up_to + 1e-6);
            }
            let outside = forecast.probability_outside(low, high);
            prop_assert!((0.0..=1.0).contains(&outside));
            let expected = forecast.expected_outside(low, high);
            prop_assert!((0.0..=outside + 1e-12).contains(&expected), "{expected} {outside}");
            prop_assert!(forecast.expected_outside(low - 1.0, high + 1.0) <= expected + 1e-12);
        }

        #[test]
        fn scores_are_never_negative_and_nothing_beats_a_right_point(
            forecast in any_distribution(), observed in -150.0_f64..150.0,
        ) {
            prop_assert!(forecast.pinball(observed) >= 0.0);
            prop_assert!(forecast.crps(observed) >= 0.0);
            let point = Distribution::new(observed, Vec::new()).unwrap();
            prop_assert_eq!((point.pinball(observed), point.crps(observed)), (0.0, 0.0));
        }
    }
}
