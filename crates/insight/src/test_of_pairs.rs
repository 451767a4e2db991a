//! Tests of one feature and one target by one method.

use crate::basis::{Basis, is_left};
use crate::coefficient::{Coefficient, pearson, product_moment};
use crate::distribution;
use crate::effective::effective_sample_size;
use crate::error::InsightError;
use crate::estimate;
use crate::granger::{GrangerTest, augmented_granger, granger};
use crate::kendall::kendall;
use crate::pairing::Pairs;
use crate::rank::midranks;
use std::cell::OnceCell;
use vitalcast_domain::CorrelationMethod;

/// Days of yes and days of no that a tag needs beside the target: fewer tell nothing.
pub(crate) const LEAST_OF_EACH: usize = 3;
/// Minimum number of pairs.
pub(crate) const LEAST_PAIRS: usize = 7;
/// Minimum number of days for the Granger test (contract).
const LEAST_GRANGER_DAYS: usize = 15;
/// Maximum number of lags of the Granger test.
const MOST_GRANGER_LAGS: usize = 3;
/// Days of the week, less the one that the others are compared with.
const WEEKDAYS: usize = 6;

/// The result of a test of one feature by one method.
#[derive(Debug, Clone, PartialEq)]
pub struct TestedPair {
    /// −1 to 1. For Granger's test the partial correlation of the target and the feature's last
    /// days, beside one more day of both, signed as the strongest of them.
    pub correlation: f64,
    /// 95 % interval of it, for as many independent pairs as these are worth.
    pub interval: (f64, f64),
    /// p value without correction.
    pub raw_p_value: f64,
    /// For the pairs that these are worth; Granger's test allows for the target's own history by
    /// itself, and for drifting series by one more lag of both, and counts its lags instead.
    pub corrected_p_value: f64,
    /// Number of pairs.
    pub sample_size: usize,
    /// Effective sample size.
    pub effective_sample_size: f64,
    /// Pearson's or Spearman's correlation and its p value with weekday and the target's day before
    /// taken out of both.
    pub partial: Option<Coefficient>,
    /// Granger's test at each number of lags that there were days for.
    pub granger: Vec<GrangerTest>,
    /// Days between the feature and the target; of Granger's test the number of lags that speaks
    /// most.
    pub lag: usize,
}

impl TestedPair {
    /// The same, with a corrected p value that is not below another one's.
    fn not_below(self, other: &Self) -> Self {
        Self {
            corrected_p_value: self.corrected_p_value.max(other.corrected_p_value),
            ..self
        }
    }
}

/// The days of a feature and a target, and how to compare them.
pub(crate) struct Comparison<'a> {
    pub(crate) feature: &'a [Option<f64>],
    pub(crate) target: &'a [Option<f64>],
    /// First day of the target that counts; earlier ones are history only.
    pub(crate) first: usize,
    /// Days from the feature to the target.
    pub(crate) lag: usize,
    /// Day of the week of the first value, 0 to 6.
    pub(crate) first_weekday: usize,
    /// Whether the feature is a tag: 1 on days of yes, 0 on days of no.
    pub(crate) is_tag: bool,
}

/// The pairs of a comparison, with what several methods need of them, made when the first asks.
pub(crate) struct Prepared {
    pub(crate) pairs: Pairs,
    ranks: OnceCell<(Vec<f64>, Vec<f64>)>,
    past: OnceCell<Past>,
    past_of_ranks: OnceCell<Past>,
}

/// Weekday and the target's day before, of the pairs for which that day is known.
struct Past {
    /// Places of those pairs.
    kept: Vec<usize>,
    days: Vec<usize>,
    basis: Basis,
}

impl Past {
    /// For a method on ranks the day before goes by its rank too.
    fn new(pairs: &Pairs, target: &[Option<f64>], first_weekday: usize, by_rank: bool) -> Self {
        let kept: Vec<usize> = (0..pairs.len())
            .filter(|place| {
                let day = pairs.days[*place];
                day > 0 && target[day - 1].is_some()
            })
            .collect();
        let days: Vec<usize> = kept.iter().map(|place| pairs.days[*place]).collect();
        let mut basis = Basis::default();
        basis.add(&vec![1.0; kept.len()]);
        for weekday in 0..WEEKDAYS {
            let column: Vec<f64> = days
                .iter()
                .map(|day| f64::from(u8::from((day + first_weekday) % 7 == weekday)))
                .collect();
            basis.add(&column);
        }
        let before: Vec<f64> = days.iter().filter_map(|day| target[day - 1]).collect();
        basis.add(&if by_rank { midranks(&before) } else { before });
        Self { kept, days, basis }
    }

    /// Correlation of what this leaves of both sides (a partial correlation), with the p value of
    /// Student's t.
    fn partial(&self, x: &[f64], y: &[f64]) -> Option<Coefficient> {
        let of =
            |side: &[f64]| -> Vec<f64> { self.kept.iter().map(|place| side[*place]).collect() };
        let (x, y) = (of(x), of(y));
        let degrees = self.kept.len() as f64 - self.basis.rank() as f64 - 1.0;
        if degrees < 3.0 {
            return None;
        }
        let (x_left, y_left) = (self.basis.residual(&x), self.basis.residual(&y));
        if !is_left(&x_left, &x) || !is_left(&y_left, &y) {
            return None;
        }
        let value = product_moment(&x_left, &y_left)?;
        let worth = effective_sample_size(&x_left, &y_left, &self.days);
        let degrees = degrees - (self.kept.len() as f64 - worth);
        Some(Coefficient {
            value,
            p_value: distribution::of_correlation(value, degrees),
        })
    }
}

impl Comparison<'_> {
    pub(crate) fn prepare(&self) -> Prepared {
        Prepared {
            pairs: Pairs::new(self.feature, self.target, self.first, self.lag),
            ranks: OnceCell::new(),
            past: OnceCell::new(),
            past_of_ranks: OnceCell::new(),
        }
    }

    /// Runs a test by one method.
    ///
    /// A tag needs some days of yes and some of no. Where a feature is the same on most days, as a tag or late
    /// meals may be, one extreme day of the target decides by its size: then the corrected p value is not below
    /// that of the ranks.
    ///
    /// # Errors
    ///
    /// [`InsightError::TooFew`], [`InsightError::TooFewOfEach`], [`InsightError::Constant`],
    /// [`InsightError::NothingLeft`].
    pub(crate) fn test(
        &self,
        prepared: &Prepared,
        method: CorrelationMethod,
    ) -> Result<TestedPair, InsightError> {
        match method {
            CorrelationMethod::Granger => {
                let beside = Pairs::new(self.feature, self.target, self.first, 0).x;
                self.check_answers(&beside)?;
                let tested = self.test_granger()?;
                match self.ranks_beside(&beside) {
                    None => Ok(tested),
                    Some(ranks) => Ok(tested.not_below(&self.against(&ranks).test_granger()?)),
                }
            }
            CorrelationMethod::Spearman | CorrelationMethod::Kendall => {
                self.check_answers(&prepared.pairs.x)?;
                self.test_series(prepared, method)
            }
            CorrelationMethod::Pearson => {
                self.check_answers(&prepared.pairs.x)?;
                let tested = self.test_series(prepared, method)?;
                if !is_mostly_one_value(&prepared.pairs.x) {
                    return Ok(tested);
                }
                let of_ranks = self.test_series(prepared, CorrelationMethod::Spearman)?;
                Ok(tested.not_below(&of_ranks))
            }
        }
    }

    /// The target's ranks, where the feature is mostly one value.
    fn ranks_beside(&self, feature: &[f64]) -> Option<Vec<Option<f64>>> {
        if !is_mostly_one_value(feature) {
            return None;
        }
        let values: Vec<f64> = self.target.iter().flatten().copied().collect();
        let mut ranks = midranks(&values).into_iter();
        let days = self.target.iter();
        Some(days.map(|day| day.and_then(|_| ranks.next())).collect())
    }

    /// The same feature against another target.
    fn against<'b>(&'b self, target: &'b [Option<f64>]) -> Comparison<'b> {
        Comparison { target, ..*self }
    }

    /// Whether a tag has enough days of yes and of no; a feature needs none.
    pub(crate) fn has_answers(&self, prepared: &Prepared) -> bool {
        self.check_answers(&prepared.pairs.x).is_ok()
    }

    /// Checks that a tag has enough days of yes and of no.
    fn check_answers(&self, answers: &[f64]) -> Result<(), InsightError> {
        let yes = answers.iter().filter(|answer| **answer > 0.0).count();
        let no = answers.len() - yes;
        if self.is_tag && yes.min(no) < LEAST_OF_EACH {
            return Err(InsightError::TooFewOfEach {
                yes,
                no,
                least: LEAST_OF_EACH,
            });
        }
        Ok(())
    }

    fn test_series(
        &self,
        prepared: &Prepared,
        method: CorrelationMethod,
    ) -> Result<TestedPair, InsightError> {
        if method == CorrelationMethod::Granger {
            return self.test_granger();
        }
        let pairs = &prepared.pairs;
        if pairs.len() < LEAST_PAIRS {
            return Err(InsightError::TooFew {
                got: pairs.len(),
                least: LEAST_PAIRS,
            });
        }
        // Methods on ranks see the autocorrelation of ranks.
        let (x, y) = if method == CorrelationMethod::Pearson {
            (&pairs.x, &pairs.y)
        } else {
            let ranks = || (midranks(&pairs.x), midranks(&pairs.y));
            let (x, y) = prepared.ranks.get_or_init(ranks);
            (x, y)
        };
        let raw = match method {
            CorrelationMethod::Kendall => kendall(x, y)?,
            // Spearman's is Pearson's of ranks; the correlation beside Granger's test is Spearman's.
            CorrelationMethod::Pearson
            | CorrelationMethod::Spearman
            | CorrelationMethod::Granger => pearson(x, y)?,
        };
        let worth = effective_sample_size(x, y, &pairs.days);
        let corrected = if method == CorrelationMethod::Kendall {
            let z = distribution::z_of(raw.p_value.max(f64::MIN_POSITIVE));
            let shrunk = z * (worth / pairs.len() as f64).sqrt();
            distribution::of_t(shrunk, worth - 2.0)
        } else {
            distribution::of_correlation(raw.value, worth - 2.0)
        };
        let past = |by_rank| Past::new(pairs, self.target, self.first_weekday, by_rank);
        let partial = match method {
            CorrelationMethod::Pearson => prepared.past.get_or_init(|| past(false)).partial(x, y),
            CorrelationMethod::Spearman => {
                let past = prepared.past_of_ranks.get_or_init(|| past(true));
                past.partial(x, y)
            }
            // There is no partial tau of several covariates; Granger's test has its own.
            CorrelationMethod::Kendall | CorrelationMethod::Granger => None,
        };
        Ok(TestedPair {
            correlation: raw.value,
            interval: estimate::interval(method, raw.value, worth),
            raw_p_value: raw.p_value,
            // Fewer pairs never speak more clearly.
            corrected_p_value: corrected.clamp(raw.p_value.min(1.0), 1.0),
            sample_size: pairs.len(),
            effective_sample_size: worth,
            partial,
            granger: Vec::new(),
            lag: self.lag,
        })
    }

    /// Granger's test at 1 to 3 lags, as far as a fifth of the days allows. What counts is the test
    /// beside one more lag: the number of lags with the smallest p value is told, and its p value is
    /// multiplied by how many were tried.
    fn test_granger(&self) -> Result<TestedPair, InsightError> {
        let days = Pairs::new(self.feature, self.target, self.first, 0).len();
        if days < LEAST_GRANGER_DAYS {
            return Err(InsightError::TooFew {
                got: days,
                least: LEAST_GRANGER_DAYS,
            });
        }
        let mut failure = None;
        let tests: Vec<(GrangerTest, GrangerTest)> = (1..=MOST_GRANGER_LAGS.min(days / 5))
            .filter_map(|lags| {
                // The same days of the target, whatever comes before them.
                let from = |back: usize| {
                    let start = self.first.saturating_sub(back);
                    (&self.feature[start..], &self.target[start..])
                };
                let (x, y) = from(lags);
                let plain = granger(x, y, lags);
                let (x, y) = from(lags + 1);
                plain
                    .and_then(|plain| Ok((plain, augmented_granger(x, y, lags)?)))
                    .map_err(|error| failure = Some(error))
                    .ok()
            })
            .collect();
        let Some((plain, best)) = tests
            .iter()
            .min_by(|(_, left), (_, right)| left.p_value.total_cmp(&right.p_value))
        else {
            return Err(failure.unwrap_or(InsightError::TooFew {
                got: days,
                least: LEAST_GRANGER_DAYS,
            }));
        };
        let corrected = best.p_value * tests.len() as f64;
        Ok(TestedPair {
            correlation: best.partial,
            interval: estimate::granger_interval(best, tests.len()),
            raw_p_value: plain.p_value,
            corrected_p_value: corrected.clamp(plain.p_value.min(1.0), 1.0),
            sample_size: plain.df_denominator + 2 * plain.lags + 1,
            effective_sample_size: best.df_denominator as f64 + 2.0,
            partial: None,
            lag: best.lags,
            granger: tests.into_iter().map(|(plain, _)| plain).collect(),
        })
    }

    /// What the feature, already laid beside the target, adds to the target's day before: Granger's
    /// test of that one column, with the same allowance for series that drift.
    pub(crate) fn test_one_granger_lag(&self) -> Result<TestedPair, InsightError> {
        let beside = Pairs::new(self.feature, self.target, self.first, self.lag).x;
        self.check_answers(&beside)?;
        let tested = self.test_one_lag()?;
        match self.ranks_beside(&beside) {
            None => Ok(tested),
            Some(ranks) => Ok(tested.not_below(&self.against(&ranks).test_one_lag()?)),
        }
    }

    fn test_one_lag(&self) -> Result<TestedPair, InsightError> {
        // The test looks back one day from each target, so the feature is laid a day earlier.
        let from = |back: usize| {
            let start = self.first.saturating_sub(back);
            let mut feature: Vec<Option<f64>> = self.feature[start..].to_vec();
            feature.rotate_left(1);
            if let Some(last) = feature.last_mut() {
                *last = None;
            }
            (feature, &self.target[start..])
        };
        let (feature, target) = from(1);
        let plain = granger(&feature, target, 1)?;
        let (feature, target) = from(2);
        let test = augmented_granger(&feature, target, 1)?;
        let worth = test.df_denominator as f64 + 2.0;
        Ok(TestedPair {
            correlation: test.partial,
            interval: estimate::interval(CorrelationMethod::Granger, test.partial, worth),
            raw_p_value: plain.p_value,
            corrected_p_value: test.p_value.max(plain.p_value),
            sample_size: plain.df_denominator + 3,
            effective_sample_size: worth,
            partial: None,
            granger: vec![plain],
            lag: self.lag,
        })
    }
}

/// Whether a feature has one value on at least three of four days.
fn is_mostly_one_value(values: &[f64]) -> bool {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let most = sorted
        .chunk_by(|left, right| left == right)
        .map(<[f64]>::len);
    most.max().is_some_and(|most| 4 * most >= 3 * values.len())
}
