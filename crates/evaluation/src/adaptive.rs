//! Intervals scaled by a person's own spread, which adapt as readings arrive.
//!
//! A [`ScoreTable`] holds quantiles of scores, pooled over people whom the model was not fitted on. A
//! score is ρ / ŝ: the error of a forecast (observed − forecast) over the spread expected before that
//! reading. So people with quiet and with restless days share one table (normalised conformal
//! prediction: Papadopoulos, Gammerman and Vovk 2008; Lei et al. 2018).
//!
//! [`AdaptiveSpread`] follows one person. From the readings it learns
//!
//! - the spread ŝ = (15·c0·s + Σ w·|ρ|) / (15 + Σ w): the prior c0·s counts as much as 15 readings. Its
//!   own weights w are 1 for the newest reading and 0.9 times as much for each one before, so the
//!   readings never count for more than 10. |ρ| is capped at 5·c0·s: one odd day does not widen all
//!   that follow;
//! - one adjustment m of each level, from the fifth reading on: m ← 0.9·m + γ·(missed − α), with
//!   |m| ≤ 1, α = 1 − level, and γ = 0.3 up to a level of 0.85 and 0.2 above. This is adaptive conformal
//!   inference (Gibbs and Candès 2021) on the logarithm of the width, with a leak towards no adjustment.
//!
//! Bounds are f + q·ŝ·eᵐ for the two quantiles q of a level around a forecast f.
//!
//! Because of the prior and the leak, intervals follow a change of spread only in part as long as the
//! caller's scale s stays as it was: after normal noise doubled, intervals of 80, 90 and 95 % held 72,
//! 82 and 88 %. With a scale that follows the last weeks they follow it fully.

use crate::conformal::conformal_rank;
use crate::error::{EvaluationError, check_finite, check_level};
use serde::{Deserialize, Serialize};

/// Readings that the prior c0·s counts for.
const PRIOR_WEIGHT: f64 = 15.0;
/// What each new reading leaves of the weight of those before.
const DECAY: f64 = 0.9;
/// The largest |ρ| that counts, in c0·s.
const MOST_RESIDUAL: f64 = 5.0;
/// The first reading, counted from 1, after which widths are adjusted.
const FIRST_ADJUSTED: usize = 5;
/// What a reading leaves of an adjustment.
const LEAK: f64 = 0.9;
/// The largest adjustment, either way: e times as wide.
const MOST_ADJUSTMENT: f64 = 1.0;
/// Levels up to this one learn at the faster rate.
const FAST_UP_TO: f64 = 0.85;
const FAST_RATE: f64 = 0.3;
const SLOW_RATE: f64 = 0.2;

/// The two quantiles of scores between which a share `level` of them lies.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ScoreQuantiles {
    /// Nominal coverage.
    pub level: f64,
    /// Quantile below the forecast, in spreads; never above 0.
    pub lower: f64,
    /// Quantile above the forecast, in spreads; never below 0.
    pub upper: f64,
}

/// Quantiles of pooled scores, by ascending level; a higher level is never narrower.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<ScoreQuantiles>", into = "Vec<ScoreQuantiles>")]
pub struct ScoreTable(Vec<ScoreQuantiles>);

impl ScoreTable {
    /// The quantiles of `scores` at `levels`, with the finite-sample correction of [`conformal_rank`].
    ///
    /// Symmetric: one quantile of the absolute scores, on both sides. Otherwise two quantiles of the
    /// signed scores, each with half of 1 − level beyond it; an interval still contains its forecast.
    /// The score of a level that so many scores do not support is left out: no level is claimed beyond
    /// that.
    ///
    /// # Errors
    ///
    /// [`EvaluationError::NotFinite`] for a score, [`EvaluationError::Level`] for a level that is not
    /// above 0 and below 1.
    pub fn fit(scores: &[f64], levels: &[f64], symmetric: bool) -> Result<Self, EvaluationError> {
        check_finite("score", scores)?;
        let mut levels = levels.to_vec();
        for &level in &levels {
            check_level(level)?;
        }
        levels.sort_by(f64::total_cmp);
        levels.dedup();
        let mut ascending: Vec<f64> = scores
            .iter()
            .map(|score| if symmetric { score.abs() } else { *score })
            .collect();
        ascending.sort_unstable_by(f64::total_cmp);
        let count = ascending.len();
        let quantiles = levels.into_iter().filter_map(|level| {
            let (lower, upper) = if symmetric {
                let size = ascending[conformal_rank(count, level)? - 1];
                (-size, size)
            } else {
                // As many scores lie beyond one quantile as beyond the other.
                let rank = conformal_rank(count, f64::midpoint(1.0, level))?;
                (
                    ascending[count - rank].min(0.0),
                    ascending[rank - 1].max(0.0),
                )
            };
            Some(ScoreQuantiles {
                level,
                lower,
                upper,
            })
        });
        Ok(Self(quantiles.collect()))
    }

    /// The quantiles of each level that the scores support, by ascending level.
    pub fn quantiles(&self) -> &[ScoreQuantiles] {
        &self.0
    }
}

impl TryFrom<Vec<ScoreQuantiles>> for ScoreTable {
    type Error = EvaluationError;

    fn try_from(quantiles: Vec<ScoreQuantiles>) -> Result<Self, EvaluationError> {
        let (mut level, mut lower, mut upper) = (0.0, 0.0, 0.0);
        for next in &quantiles {
            check_level(next.level)?;
            check_finite("score quantile", &[next.lower, next.upper])?;
            if next.level <= level {
                return Err(EvaluationError::LevelOrder(next.level));
            }
            if next.lower > lower || next.upper < upper {
                return Err(EvaluationError::NotNested(next.level));
            }
            (level, lower, upper) = (next.level, next.lower, next.upper);
        }
        Ok(Self(quantiles))
    }
}

impl From<ScoreTable> for Vec<ScoreQuantiles> {
    fn from(table: ScoreTable) -> Self {
        table.0
    }
}

/// The spread and the adjustments of one person, learned from the readings so far.
///
/// ```
/// use vitalcast_evaluation::{AdaptiveSpread, ScoreTable};
///
/// let scores: Vec<f64> = (-50..=50).map(|score| f64::from(score) / 20.0).collect();
/// let table = ScoreTable::fit(&scores, &[0.8, 0.95], true)?;
/// let mut spread = AdaptiveSpread::new(1.0)?;
/// // A forecast of 60 on a day whose expected spread is 2.
/// let before = spread.bounds(60.0, 2.0, &table);
/// spread.observe(75.0, 60.0, 2.0, &table)?;
/// let after = spread.bounds(60.0, 2.0, &table);
/// assert!(after[0].2 > before[0].2, "a large error widens the intervals that follow");
/// # Ok::<(), vitalcast_evaluation::EvaluationError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct AdaptiveSpread {
    /// The usual |ρ| / s of other people.
    c0: f64,
    /// Σ w·|ρ|.
    weighted: f64,
    /// Σ w.
    weight: f64,
    readings: usize,
    /// The level and its m, once it was adjusted.
    adjustments: Vec<(f64, f64)>,
}

impl AdaptiveSpread {
    /// A person without readings. `c0` is the mean |ρ| / s of the people who give the scores.
    ///
    /// # Errors
    ///
    /// [`EvaluationError::NotPositive`] unless `c0` is finite and above 0.
    pub fn new(c0: f64) -> Result<Self, EvaluationError> {
        if !(c0.is_finite() && c0 > 0.0) {
            return Err(EvaluationError::NotPositive("mean absolute residual c0"));
        }
        Ok(Self {
            c0,
            weighted: 0.0,
            weight: 0.0,
            readings: 0,
            adjustments: Vec::new(),
        })
    }

    /// The expected |ρ| of a day, ŝ, in the unit of the forecasts. `s` is the caller's scale of that
    /// day, in the same unit.
    ///
    /// The score of a reading is its ρ over this number before the reading is observed.
    pub fn spread(&self, s: f64) -> f64 {
        (PRIOR_WEIGHT * self.c0 * s + self.weighted) / (PRIOR_WEIGHT + self.weight)
    }

    /// The level, the lower and the upper bound of each interval around a forecast, by ascending level.
    /// Each interval contains the forecast and all intervals of lower levels.
    ///
    /// Empty if `forecast` or `s` is not finite, or `s` is below 0.
    pub fn bounds(&self, forecast: f64, s: f64, table: &ScoreTable) -> Vec<(f64, f64, f64)> {
        if !(forecast.is_finite() && s.is_finite() && s >= 0.0) {
            return Vec::new();
        }
        let mut nested = Nested::around(forecast, self.spread(s));
        table
            .quantiles()
            .iter()
            .map(|quantiles| {
                let (lower, upper) = nested.next(quantiles, self.adjustment(quantiles.level));
                (quantiles.level, lower, upper)
            })
            .collect()
    }

    /// Learns from the reading of a day that was forecast. A reading on a bound is not missed; the
    /// bounds are those that [`Self::bounds`] gave for it.
    ///
    /// # Errors
    ///
    /// [`EvaluationError::NotFinite`] or [`EvaluationError::Negative`] for a number that is not finite or
    /// a scale below 0; then nothing is learned.
    pub fn observe(
        &mut self,
        observed: f64,
        forecast: f64,
        s: f64,
        table: &ScoreTable,
    ) -> Result<(), EvaluationError> {
        check_finite("number of a reading", &[observed, forecast, s])?;
        if s < 0.0 {
            return Err(EvaluationError::Negative("scale"));
        }
        self.readings += 1;
        if self.readings >= FIRST_ADJUSTED {
            self.keep_levels_of(table);
            let mut nested = Nested::around(forecast, self.spread(s));
            for ((level, adjustment), quantiles) in
                self.adjustments.iter_mut().zip(table.quantiles())
            {
                let (lower, upper) = nested.next(quantiles, *adjustment);
                let missed = f64::from(!(lower..=upper).contains(&observed));
                let rate = if *level <= FAST_UP_TO {
                    FAST_RATE
                } else {
                    SLOW_RATE
                };
                let next = LEAK * *adjustment + rate * (missed - (1.0 - *level));
                *adjustment = next.clamp(-MOST_ADJUSTMENT, MOST_ADJUSTMENT);
            }
        }
        let residual = (observed - forecast).abs().min(MOST_RESIDUAL * self.c0 * s);
        self.weighted = DECAY * self.weighted + residual;
        self.weight = DECAY * self.weight + 1.0;
        Ok(())
    }

    /// Keeps the adjustments of the levels of a table, and begins those of new ones.
    fn keep_levels_of(&mut self, table: &ScoreTable) {
        let levels = || table.quantiles().iter().map(|quantiles| quantiles.level);
        if !levels().eq(self.adjustments.iter().map(|(level, _)| *level)) {
            let adjustments = levels().map(|level| (level, self.adjustment(level)));
            self.adjustments = adjustments.collect();
        }
    }

    fn adjustment(&self, level: f64) -> f64 {
        self.adjustments
            .iter()
            .find(|(of, _)| *of == level)
            .map_or(0.0, |(_, adjustment)| *adjustment)
    }
}

/// The intervals around a forecast, level by level: each contains those before it.
struct Nested {
    forecast: f64,
    spread: f64,
    lower: f64,
    upper: f64,
}

impl Nested {
    fn around(forecast: f64, spread: f64) -> Self {
        Self {
            forecast,
            spread,
            lower: forecast,
            upper: forecast,
        }
    }

    /// The bounds of the next level, with its adjustment.
    fn next(&mut self, quantiles: &ScoreQuantiles, adjustment: f64) -> (f64, f64) {
        let unit = self.spread * adjustment.exp();
        self.lower = (self.forecast + quantiles.lower * unit).min(self.lower);
        self.upper = (self.forecast + quantiles.upper * unit).max(self.upper);
        (self.lower, self.upper)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix64;
    use proptest::prelude::*;

    const LEVELS: [f64; 3] = [0.8, 0.9, 0.95];

    fn table() -> ScoreTable {
        let scores: Vec<f64> = (1..=99).map(|score| f64::from(score) / 33.0).collect();
        ScoreTable::fit(&scores, &LEVELS, true).unwrap()
    }

    /// The usual size of a person's days, and a scale that is a little wrong for each person.
    struct Person {
        size: f64,
        scale: f64,
    }

    fn person(random: &mut SplitMix64) -> Person {
        let size = 3.0 * (0.4 * random.normal()).exp();
        Person {
            size,
            scale: size * (0.15 * random.normal()).exp(),
        }
    }

    /// A fitted table and its c0.
    fn calibrate(random: &mut SplitMix64, symmetric: bool) -> (ScoreTable, f64) {
        let c0 = (2.0 / std::f64::consts::PI).sqrt();
        let mut scores = Vec::new();
        for _ in 0..100 {
            let person = person(random);
            let mut spread = AdaptiveSpread::new(c0).unwrap();
            for _ in 0..60 {
                let residual = person.size * random.normal();
                scores.push(residual / spread.spread(person.scale));
                spread
                    .observe(residual, 0.0, person.scale, &ScoreTable::default())
                    .unwrap();
            }
        }
        (ScoreTable::fit(&scores, &LEVELS, symmetric).unwrap(), c0)
    }

    /// Share of days within each level, over people, of the days from `from` on. The scale grows
    /// with the noise over four weeks if it follows.
    fn coverages(table: &ScoreTable, c0: f64, doubles: bool, follows: bool) -> [f64; 3] {
        let mut random = SplitMix64::new(77);
        let mut inside = [0.0; 3];
        let mut count = 0.0;
        for _ in 0..200 {
            let person = person(&mut random);
            let mut spread = AdaptiveSpread::new(c0).unwrap();
            for day in 0..120_u32 {
                let grown = doubles && day >= 60;
                let noise = if grown { 2.0 } else { 1.0 };
                let share = if grown && follows {
                    f64::from(day - 60) / 28.0
                } else {
                    0.0
                };
                let scale = person.scale * (1.0 + share.min(1.0));
                let observed = 60.0 + noise * person.size * random.normal();
                if !doubles || day >= 90 {
                    count += 1.0;
                    for (place, (_, lower, upper)) in
                        spread.bounds(60.0, scale, table).into_iter().enumerate()
                    {
                        inside[place] += f64::from((lower..=upper).contains(&observed));
                    }
                }
                spread.observe(observed, 60.0, scale, table).unwrap();
            }
        }
        inside.map(|inside| inside / count)
    }

    #[track_caller]
    fn within(coverages: [f64; 3], points: f64) {
        for (coverage, level) in coverages.into_iter().zip(LEVELS) {
            assert!((coverage - level).abs() <= points / 100.0, "{coverages:?}");
        }
    }

    #[test]
    fn coverage_on_steady_noise_is_the_nominal_one() {
        for symmetric in [true, false] {
            let (table, c0) = calibrate(&mut SplitMix64::new(5), symmetric);
            within(coverages(&table, c0, false, true), 2.0);
        }
    }

    #[test]
    fn coverage_is_back_a_month_after_the_noise_doubled() {
        let (table, c0) = calibrate(&mut SplitMix64::new(5), true);
        within(coverages(&table, c0, true, true), 6.0);
    }

    #[test]
    fn a_scale_that_does_not_follow_leaves_intervals_a_little_narrow() {
        let (table, c0) = calibrate(&mut SplitMix64::new(5), true);
        let frozen = coverages(&table, c0, true, false);
        within(frozen, 9.0);
    }

    #[test]
    fn the_spread_is_the_prior_and_the_decaying_readings() {
        let mut spread = AdaptiveSpread::new(0.8).unwrap();
        assert!((spread.spread(2.0) - 1.6).abs() < 1e-12);
        spread.observe(63.0, 60.0, 2.0, &table()).unwrap();
        spread.observe(59.0, 60.0, 2.0, &table()).unwrap();
        // (15 · 1.6 + 0.9 · 3 + 1) / (15 + 1.9)
        assert!((spread.spread(2.0) - 27.7 / 16.9).abs() < 1e-12);
    }

    #[test]
    fn one_odd_day_counts_as_five_usual_ones() {
        let mut spread = AdaptiveSpread::new(0.8).unwrap();
        spread.observe(900.0, 60.0, 2.0, &table()).unwrap();
        assert!((spread.spread(2.0) - (15.0 * 1.6 + 8.0) / 16.0).abs() < 1e-12);
    }

    #[test]
    fn widths_are_adjusted_from_the_fifth_reading_on() {
        let mut spread = AdaptiveSpread::new(1.0).unwrap();
        for reading in 1..=7 {
            spread.observe(60.0, 60.0, 1.0, &table()).unwrap();
            let expected = match reading {
                5 => [-0.3 * 0.2, -0.2 * 0.1, -0.2 * 0.05],
                6 => [-0.06 * 1.9, -0.02 * 1.9, -0.01 * 1.9],
                7 => [-0.06 * 2.71, -0.02 * 2.71, -0.01 * 2.71],
                _ => [0.0; 3],
            };
            for (level, expected) in LEVELS.into_iter().zip(expected) {
                assert!((spread.adjustment(level) - expected).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn a_level_that_the_scores_do_not_support_is_left_out() {
        let scores = [1.0, -2.0, 3.0, -4.0, 5.0, -6.0, 7.0, -8.0, 9.0];
        let symmetric = ScoreTable::fit(&scores, &[0.95, 0.9, 0.5, 0.9], true).unwrap();
        assert_eq!(
            symmetric.quantiles(),
            [(0.5, 5.0), (0.9, 9.0)].map(|(level, size)| ScoreQuantiles {
                level,
                lower: -size,
                upper: size
            })
        );
        // One score of nine beyond each of two quantiles is a level of 80 %.
        let signed = ScoreTable::fit(&scores, &[0.8, 0.9], false).unwrap();
        assert_eq!(
            signed.quantiles(),
            [ScoreQuantiles {
                level: 0.8,
                lower: -8.0,
                upper: 9.0
            }]
        );
        assert_eq!(
            ScoreTable::fit(&[], &LEVELS, true).unwrap(),
            ScoreTable::default()
        );
    }

    #[test]
    fn scores_on_one_side_still_give_intervals_with_their_forecast() {
        let scores: Vec<f64> = (1..=99).map(f64::from).collect();
        let table = ScoreTable::fit(&scores, &[0.9], false).unwrap();
        let quantiles = table.quantiles()[0];
        assert_eq!((quantiles.lower, quantiles.upper), (0.0, 95.0));
    }

    #[test]
    fn wrong_numbers_are_refused() {
        assert_eq!(
            ScoreTable::fit(&[1.0, f64::NAN], &[0.5], true),
            Err(EvaluationError::NotFinite {
                what: "score",
                index: 1
            })
        );
        for level in [0.0, 1.0] {
            assert_eq!(
                ScoreTable::fit(&[1.0], &[level], true),
                Err(EvaluationError::Level(level))
            );
        }
        for c0 in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(AdaptiveSpread::new(c0).is_err());
        }
        let mut spread = AdaptiveSpread::new(1.0).unwrap();
        let fresh = spread.clone();
        assert!(spread.observe(f64::NAN, 1.0, 1.0, &table()).is_err());
        assert!(spread.observe(1.0, 1.0, -1.0, &table()).is_err());
        assert_eq!(spread, fresh);
        assert_eq!(spread.bounds(1.0, -1.0, &table()), []);
    }

    #[test]
    fn a_table_survives_serde_and_a_wrong_one_is_refused() {
        let text = serde_json::to_string(&table()).unwrap();
        assert_eq!(serde_json::from_str::<ScoreTable>(&text).unwrap(), table());
        for wrong in [
            r#"[{"level":1.0,"lower":-1.0,"upper":1.0}]"#,
            r#"[{"level":0.5,"lower":0.5,"upper":1.0}]"#,
            r#"[{"level":0.5,"lower":-1.0,"upper":1.0},{"level":0.5,"lower":-2.0,"upper":2.0}]"#,
            r#"[{"level":0.5,"lower":-1.0,"upper":1.0},{"level":0.9,"lower":-0.5,"upper":2.0}]"#,
        ] {
            assert!(
                serde_json::from_str::<ScoreTable>(wrong).is_err(),
                "{wrong}"
            );
        }
    }

    proptest! {
        #[test]
        fn intervals_are_nested_contain_the_forecast_and_are_repeatable(
            scores in prop::collection::vec(-5.0_f64..5.0, 40..80),
            readings in prop::collection::vec((40.0_f64..90.0, 0.0_f64..4.0), 1..60),
            symmetric: bool,
        ) {
            let table = ScoreTable::fit(&scores, &[0.95, 0.5, 0.8, 0.9], symmetric).unwrap();
            let mut spread = AdaptiveSpread::new(0.8).unwrap();
            for (observed, s) in readings {
                let bounds = spread.bounds(60.0, s, &table);
                prop_assert_eq!(&bounds, &spread.clone().bounds(60.0, s, &table));
                let mut inner = (60.0, 60.0);
                for (_, lower, upper) in &bounds {
                    prop_assert!(*lower <= inner.0 && *upper >= inner.1);
                    inner = (*lower, *upper);
                }
                let before = spread.clone();
                spread.observe(observed, 60.0, s, &table).unwrap();
                // What is learned is whether the bounds that were given held.
                for (level, lower, upper) in bounds {
                    let missed = f64::from(observed < lower || observed > upper);
                    let rate = if level < 0.85 { 0.3 } else { 0.2 };
                    let next = 0.9 * before.adjustment(level) + rate * (missed - (1.0 - level));
                    let next = if spread.readings < 5 { 0.0 } else { next.clamp(-1.0, 1.0) };
                    prop_assert_eq!(spread.adjustment(level).to_bits(), next.to_bits());
                }
                for (_, adjustment) in &spread.adjustments {
                    prop_assert!(adjustment.abs() <= 1.0);
                }
            }
        }
    }
}
