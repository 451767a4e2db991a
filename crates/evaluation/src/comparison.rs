//! Which of two models, a or b, forecasts the same days better.
//!
//! Days of one person are alike, so people are the sample, not days: intervals resample people with all
//! their days (cluster bootstrap; Field and Welsh 2007), and the test flips the signs of whole people.
//!
//! The two weigh people differently, on purpose. The MAE and the skill weigh days equally, as
//! [`Report`](crate::Report) does: they say how large the errors of the scored days are. The test weighs
//! people equally: a person with many days is no more evidence that other people gain.
//!
//! For the days of a single person there is the test of Diebold and Mariano.

use crate::accuracy::skill;
use crate::distribution::Bounds;
use crate::error::{EvaluationError, check_finite, check_pair};
use crate::mean::{ROUNDING, beyond_rounding, mean};
use crate::random::SplitMix64;
use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};
use std::collections::BTreeMap;

/// People from which there are intervals and tests. With five, no two-sided p is below 1 / 16.
const LEAST_PEOPLE: usize = 6;
/// People up to whom all flips of signs are tried: 2¹⁴.
const MOST_EXACT: usize = 14;
/// Flips that are drawn for more people.
const FLIPS: usize = 10_000;
/// Resamples of people. With one less than a round number, the bounds are order statistics.
const RESAMPLES: usize = 1_999;
/// Nominal coverage of the intervals.
const LEVEL: f64 = 0.95;
/// Days from which one person's days are tested.
const LEAST_DAYS: usize = 10;

/// The errors of both models on one day, in the unit of the forecasts. Only their size matters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairedDay {
    /// Whose day it is: any number, the same for all days of a person.
    pub person: usize,
    /// Error of model a.
    pub a: f64,
    /// Error of model b.
    pub b: f64,
}

/// Model a against model b on the same days, in the unit of the forecasts unless it says otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Number of days.
    pub count: usize,
    /// Number of people.
    pub people: usize,
    /// Mean absolute error of a over days.
    pub mae_a: f64,
    /// Mean absolute error of b over days.
    pub mae_b: f64,
    /// MAE of a − MAE of b: below 0, a is better.
    pub difference: f64,
    /// 95 % interval of the difference: percentiles over resampled people. `None` for fewer than 6
    /// people. For few people it is a little narrow.
    pub difference_interval: Option<Bounds>,
    /// 1 − MAE of a / MAE of b: above 0, a is better. `None` where [`skill`] is.
    pub skill: Option<f64>,
    /// 95 % interval of the skill, as that of the difference; `None` also if a resample has no skill.
    pub skill_interval: Option<Bounds>,
    /// Share of people whose own MAE is lower with a than with b. A tie is no win.
    pub people_won: f64,
    /// p value that a is no better than b (one-sided): of the people's mean differences of absolute
    /// errors with all signs flipped at random, the share with a sum as low. `None` for fewer than 6
    /// people; 1 for the same errors. Exact for up to 14 people, else from 10,000 flips.
    pub p_better: Option<f64>,
    /// p value that a and b are equally good (two-sided), from the same flips.
    pub p_different: Option<f64>,
}

/// Sums over a person's days.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    a: f64,
    b: f64,
    days: f64,
}

impl Sums {
    fn add(&mut self, other: Self) {
        self.a += other.a;
        self.b += other.b;
        self.days += other.days;
    }

    fn mae_a(self) -> f64 {
        self.a / self.days
    }

    fn mae_b(self) -> f64 {
        self.b / self.days
    }

    /// MAE of a − MAE of b, or 0 if it is only rounding.
    fn difference(self) -> f64 {
        let (a, b) = (self.mae_a(), self.mae_b());
        beyond_rounding(a - b, a.max(b))
    }
}

impl Comparison {
    /// Compares two models on days in any order. The same seed gives the same intervals and p values.
    ///
    /// # Errors
    ///
    /// [`EvaluationError::Empty`] without days, [`EvaluationError::NotFinite`] for an error that is not
    /// finite.
    pub fn of(days: &[PairedDay], seed: u64) -> Result<Self, EvaluationError> {
        if days.is_empty() {
            return Err(EvaluationError::Empty("paired days"));
        }
        let mut by_person: BTreeMap<usize, Sums> = BTreeMap::new();
        for day in days {
            check_finite("error of a pair", &[day.a, day.b])?;
            by_person.entry(day.person).or_default().add(Sums {
                a: day.a.abs(),
                b: day.b.abs(),
                days: 1.0,
            });
        }
        let people: Vec<Sums> = by_person.into_values().collect();
        let differences: Vec<f64> = people.iter().map(|sums| sums.difference()).collect();
        let all = sum(people.iter().copied());
        let mut random = SplitMix64::new(seed);
        let enough = people.len() >= LEAST_PEOPLE;
        let (difference_interval, skill_interval) = if enough {
            resample(&people, &mut random)?
        } else {
            (None, None)
        };
        let p = enough.then(|| flip_signs(&differences, &mut random));
        let won = differences.iter().filter(|difference| **difference < 0.0);
        Ok(Self {
            count: days.len(),
            people: people.len(),
            mae_a: all.mae_a(),
            mae_b: all.mae_b(),
            difference: all.difference(),
            difference_interval,
            skill: skill(all.mae_a(), all.mae_b())?,
            skill_interval,
            people_won: won.count() as f64 / people.len() as f64,
            p_better: p.map(|(better, _)| better),
            p_different: p.map(|(_, different)| different),
        })
    }
}

fn sum(people: impl Iterator<Item = Sums>) -> Sums {
    people.fold(Sums::default(), |mut all, person| {
        all.add(person);
        all
    })
}

/// Intervals of the difference and of the skill over resampled people.
fn resample(
    people: &[Sums],
    random: &mut SplitMix64,
) -> Result<(Option<Bounds>, Option<Bounds>), EvaluationError> {
    let (mut differences, mut skills) = (Vec::new(), Vec::new());
    for _ in 0..RESAMPLES {
        let drawn = sum((0..people.len()).map(|_| people[random.below(people.len())]));
        differences.push(drawn.difference());
        skills.extend(skill(drawn.mae_a(), drawn.mae_b())?);
    }
    Ok((percentiles(differences), percentiles(skills)))
}

/// The percentile interval of [`RESAMPLES`] values; `None` if some are missing.
fn percentiles(mut values: Vec<f64>) -> Option<Bounds> {
    if values.len() < RESAMPLES {
        return None;
    }
    values.sort_by(f64::total_cmp);
    let rank = ((RESAMPLES as f64 + 1.0) * (1.0 - LEVEL) / 2.0).round() as usize;
    Some(Bounds {
        level: LEVEL,
        lower: values[rank - 1],
        upper: values[RESAMPLES - rank],
    })
}

/// p values (one-sided for a sum as low, two-sided) of differences whose signs are random.
fn flip_signs(differences: &[f64], random: &mut SplitMix64) -> (f64, f64) {
    let found: f64 = differences.iter().sum();
    let size: f64 = differences.iter().map(|difference| difference.abs()).sum();
    // Sums that differ by rounding only are the same.
    let tolerance = ROUNDING * size;
    let (mut low, mut far) = (0_usize, 0_usize);
    let mut count = |sum: f64| {
        low += usize::from(sum <= found + tolerance);
        far += usize::from(sum.abs() >= found.abs() - tolerance);
    };
    let tried = if differences.len() <= MOST_EXACT {
        let all = 1_u64 << differences.len();
        for signs in 0..all {
            count(flipped(differences, |place| signs >> place & 1 == 1));
        }
        all as usize
    } else {
        // The signs as they were found are one of the flips, so no p is 0 (Phipson and Smyth 2010).
        count(found);
        for _ in 0..FLIPS {
            let mut bits = 0;
            let sum = flipped(differences, |place| {
                if place % 64 == 0 {
                    bits = random.bits();
                }
                bits >> (place % 64) & 1 == 1
            });
            count(sum);
        }
        FLIPS + 1
    };
    (low as f64 / tried as f64, far as f64 / tried as f64)
}

fn flipped(differences: &[f64], mut flips: impl FnMut(usize) -> bool) -> f64 {
    differences
        .iter()
        .enumerate()
        .map(|(place, difference)| {
            if flips(place) {
                -difference
            } else {
                *difference
            }
        })
        .sum()
}

/// The p value below which one forecast is said to be better than another, beyond chance.
pub const SIGNIFICANT: f64 = 0.05;

/// Result of the test of Diebold and Mariano.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DieboldMariano {
    /// The corrected statistic: below 0, a is better. 0 for the same errors.
    pub statistic: f64,
    /// p value that a is no better than b (one-sided); 1 for the same errors.
    pub p: f64,
}

/// Tests whether a forecasts one person's days better than b (Diebold and Mariano 1995), from the errors
/// of both on consecutive observed days. The loss is the absolute error.
///
/// Forecasts `horizon` days ahead have errors that go together over `horizon` − 1 days. The variance of
/// the mean difference counts so many lags, with the weights of Newey and West (1987), which never make
/// it negative. The statistic is corrected for few days and compared with Student's t of n − 1 degrees
/// (Harvey, Leybourne and Newbold 1997). A horizon of 0 counts as 1.
///
/// `None` for fewer than 10 days, for no more days than the horizon, and when one model is better by the
/// same amount on every day: then nothing is known of how the difference varies.
///
/// # Errors
///
/// [`EvaluationError`] for different lengths, or an error that is not finite.
pub fn diebold_mariano(
    errors_a: &[f64],
    errors_b: &[f64],
    horizon: usize,
) -> Result<Option<DieboldMariano>, EvaluationError> {
    if errors_a.is_empty() && errors_b.is_empty() {
        return Ok(None);
    }
    check_pair(errors_a, errors_b)?;
    let (days, horizon) = (errors_a.len(), horizon.max(1));
    if days < LEAST_DAYS || days <= horizon {
        return Ok(None);
    }
    let pairs = errors_a.iter().zip(errors_b);
    let differences: Vec<f64> = pairs
        .map(|(a, b)| beyond_rounding(a.abs() - b.abs(), a.abs().max(b.abs())))
        .collect();
    if differences.iter().all(|difference| *difference == 0.0) {
        return Ok(Some(DieboldMariano {
            statistic: 0.0,
            p: 1.0,
        }));
    }
    let middle = mean(differences.iter().copied()).expect("there are days");
    let centred: Vec<f64> = differences.iter().map(|value| value - middle).collect();
    let n = days as f64;
    let covariance = |lag: usize| {
        let products = centred
            .iter()
            .zip(&centred[lag..])
            .map(|(one, later)| one * later);
        products.sum::<f64>() / n
    };
    let lags: f64 = (1..horizon)
        .map(|lag| 2.0 * (1.0 - lag as f64 / horizon as f64) * covariance(lag))
        .sum();
    let own = covariance(0);
    let variance = own + lags;
    let size = differences
        .iter()
        .fold(0.0_f64, |most, value| most.max(value.abs()));
    // The weighted sum of lags may cancel to rounding, too.
    if own.sqrt() <= ROUNDING * size || variance <= ROUNDING * own {
        return Ok(None);
    }
    let h = horizon as f64;
    let correction = ((n + 1.0 - 2.0 * h + h * (h - 1.0) / n) / n).sqrt();
    let statistic = correction * middle / (variance / n).sqrt();
    let student = StudentsT::new(0.0, 1.0, n - 1.0).expect("there are at least ten days");
    Ok(Some(DieboldMariano {
        statistic,
        p: student.cdf(statistic),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pairs(people: &[(usize, f64, f64)]) -> Vec<PairedDay> {
        let day = |&(person, a, b)| PairedDay { person, a, b };
        people.iter().map(day).collect()
    }

    #[test]
    fn days_weigh_equally_in_the_mae_and_people_in_the_test() {
        // Person 0 has five days on which b is better by 1; on one day of each other, a is, by 0.5.
        let mut days = pairs(&[(0, 2.0, -1.0); 5]);
        for person in 1..6 {
            days.extend(pairs(&[(person, -0.5, 1.0)]));
        }
        let comparison = Comparison::of(&days, 1).unwrap();
        assert_eq!((comparison.count, comparison.people), (10, 6));
        assert_eq!((comparison.mae_a, comparison.mae_b), (1.25, 1.0));
        assert_eq!(
            (comparison.difference, comparison.skill),
            (0.25, Some(-0.25))
        );
        assert_eq!(comparison.people_won, 5.0 / 6.0);
        // The sum is 1 − 5 · 0.5 = −1.5. As low are, with person 0 at −1, all flips with at most two
        // others at +0.5, and with person 0 at +1 the one with all others at −0.5.
        assert_eq!(comparison.p_better, Some((1.0 + 5.0 + 10.0 + 1.0) / 64.0));
        assert_eq!(comparison.p_different, Some(2.0 * 17.0 / 64.0));
    }

    #[test]
    fn six_people_who_all_gain_are_one_of_64_flips() {
        let days: Vec<PairedDay> = (0..6)
            .map(|person| PairedDay {
                person,
                a: 1.0,
                b: 2.0 + person as f64,
            })
            .collect();
        let comparison = Comparison::of(&days, 1).unwrap();
        assert_eq!(comparison.p_better, Some(1.0 / 64.0));
        assert_eq!(comparison.p_different, Some(2.0 / 64.0));
        let interval = comparison.difference_interval.unwrap();
        assert!(interval.lower < comparison.difference && comparison.difference < interval.upper);
        assert!(interval.upper < 0.0);
        assert!(comparison.skill_interval.unwrap().lower > 0.0);
    }

    #[test]
    fn the_same_errors_have_a_p_of_1() {
        for people in [6, 20] {
            let days: Vec<PairedDay> = (0..3 * people)
                .map(|day| PairedDay {
                    person: day % people,
                    a: day as f64,
                    b: -(day as f64),
                })
                .collect();
            let comparison = Comparison::of(&days, 1).unwrap();
            assert_eq!(comparison.p_better, Some(1.0));
            assert_eq!(comparison.p_different, Some(1.0));
            assert_eq!(comparison.difference, 0.0);
            assert_eq!(comparison.people_won, 0.0);
        }
    }

    #[test]
    fn few_people_give_no_test_and_no_interval() {
        let days: Vec<PairedDay> = (0..5)
            .flat_map(|person| pairs(&[(person, 1.0, 2.0)]))
            .collect();
        let comparison = Comparison::of(&days, 1).unwrap();
        assert_eq!(comparison.skill, Some(0.5));
        assert_eq!(comparison.difference_interval, None);
        assert_eq!(comparison.skill_interval, None);
        assert_eq!((comparison.p_better, comparison.p_different), (None, None));
    }

    #[test]
    fn no_skill_against_a_model_without_errors() {
        let days: Vec<PairedDay> = (0..6)
            .flat_map(|person| pairs(&[(person, 1.0, 0.0)]))
            .collect();
        let comparison = Comparison::of(&days, 1).unwrap();
        assert_eq!((comparison.skill, comparison.skill_interval), (None, None));
        assert_eq!(comparison.p_better, Some(1.0));
    }

    #[test]
    fn wrong_pairs_are_refused() {
        assert_eq!(
            Comparison::of(&[], 1),
            Err(EvaluationError::Empty("paired days"))
        );
        assert!(Comparison::of(&pairs(&[(1, f64::NAN, 1.0)]), 1).is_err());
        assert!(diebold_mariano(&[1.0], &[1.0, 2.0], 1).is_err());
        assert!(diebold_mariano(&[f64::INFINITY], &[1.0], 1).is_err());
    }

    /// Share of simulated comparisons without a difference that hold, and that are significant at 5 %.
    fn without_difference(people: usize) -> (f64, f64) {
        let mut random = SplitMix64::new(11);
        let (mut holds, mut significant) = (0.0, 0.0);
        let runs = 150;
        for run in 0..runs {
            let days: Vec<PairedDay> = (0..people)
                .flat_map(|person| {
                    let gain = 0.3 * random.normal();
                    (0..5)
                        .map(|_| PairedDay {
                            person,
                            a: 10.0 + gain + random.normal(),
                            b: 10.0 + random.normal(),
                        })
                        .collect::<Vec<_>>()
                })
                .collect();
            let comparison = Comparison::of(&days, run).unwrap();
            let interval = comparison.difference_interval.unwrap();
            holds += f64::from((interval.lower..=interval.upper).contains(&0.0));
            significant += f64::from(comparison.p_better.unwrap() <= 0.05);
        }
        (holds / runs as f64, significant / runs as f64)
    }

    #[test]
    fn intervals_hold_and_tests_are_rarely_wrong_without_a_difference() {
        for people in [12, 16] {
            let (holds, significant) = without_difference(people);
            assert!(holds >= 0.88, "{holds}");
            assert!((0.01..=0.09).contains(&significant), "{significant}");
        }
    }

    #[test]
    fn one_day_ahead_the_test_is_the_paired_t_test() {
        let mut random = SplitMix64::new(3);
        let (a, b): (Vec<f64>, Vec<f64>) = (0..20)
            .map(|_| (random.normal(), 1.2 * random.normal()))
            .unzip();
        let differences: Vec<f64> = a.iter().zip(&b).map(|(a, b)| a.abs() - b.abs()).collect();
        let middle = differences.iter().sum::<f64>() / 20.0;
        let squares: f64 = differences
            .iter()
            .map(|value| (value - middle).powi(2))
            .sum();
        let t = middle / (squares / 19.0 / 20.0).sqrt();
        let found = diebold_mariano(&a, &b, 1).unwrap().unwrap();
        assert!((found.statistic - t).abs() < 1e-9);
        assert_eq!(diebold_mariano(&a, &b, 0), diebold_mariano(&a, &b, 1));
    }

    #[test]
    fn p_is_the_lower_tail_of_students_t() {
        // Differences x ± 1, as many above as below: t is 3·x with n = 10, and t(0.025, 9) = 2.262157.
        let b = [10.0; 10];
        let a: Vec<f64> = (0..10)
            .map(|day| 10.0 - 2.262_157_162_740_991_5 / 3.0 + if day % 2 == 0 { 1.0 } else { -1.0 })
            .collect();
        let found = diebold_mariano(&a, &b, 1).unwrap().unwrap();
        assert!((found.p - 0.025).abs() < 1e-6, "{found:?}");
    }

    #[test]
    fn two_days_ahead_one_lag_counts_half() {
        let b = [10.0; 12];
        let a: Vec<f64> = [
            1.0, 1.0, -1.0, -1.0, 1.0, 1.0, -1.0, -1.0, 1.0, 1.0, -1.0, -1.0,
        ]
        .map(|step| 9.5 + step)
        .to_vec();
        // γ0 = 1; γ1 = 1/12: six of the eleven products are 1. Correction: 12 + 1 − 4 + 2/12.
        let variance = 1.0 + 1.0 / 12.0;
        let correction = ((9.0 + 2.0 / 12.0) / 12.0_f64).sqrt();
        let expected = -0.5 * correction / (variance / 12.0_f64).sqrt();
        let found = diebold_mariano(&a, &b, 2).unwrap().unwrap();
        assert!(
            (found.statistic - expected).abs() < 1e-9,
            "{found:?} {expected}"
        );
    }

    #[test]
    fn edges_of_one_persons_days() {
        let ten = [1.0; 10];
        let same = DieboldMariano {
            statistic: 0.0,
            p: 1.0,
        };
        assert_eq!(diebold_mariano(&ten, &[-1.0; 10], 3).unwrap(), Some(same));
        // Better by the same amount on every day.
        assert_eq!(diebold_mariano(&ten, &[1.3; 10], 1).unwrap(), None);
        assert_eq!(diebold_mariano(&ten[1..], &[1.0; 9], 1).unwrap(), None);
        assert_eq!(diebold_mariano(&ten, &ten, 10).unwrap(), None);
        assert_eq!(diebold_mariano(&[], &[], 1).unwrap(), None);
    }

    #[test]
    fn the_test_of_one_persons_days_is_rarely_wrong_without_a_difference() {
        let mut random = SplitMix64::new(8);
        let mut significant = 0.0;
        for _ in 0..1_000 {
            let (a, b): (Vec<f64>, Vec<f64>) =
                (0..30).map(|_| (random.normal(), random.normal())).unzip();
            let found = diebold_mariano(&a, &b, 1).unwrap().unwrap();
            significant += f64::from(found.p <= 0.05) / 1_000.0;
        }
        assert!((0.03..=0.07).contains(&significant), "{significant}");
    }

    proptest! {
        // Each case resamples and flips twelve thousand times.
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn exchanging_the_models_exchanges_the_result(
            errors in prop::collection::vec((0_usize..16, -5.0_f64..5.0, -5.0_f64..5.0), 1..60),
            seed: u64,
        ) {
            let days = pairs(&errors);
            let exchanged: Vec<PairedDay> = days
                .iter()
                .map(|day| PairedDay { a: day.b, b: day.a, ..*day })
                .collect();
            let one = Comparison::of(&days, seed).unwrap();
            let other = Comparison::of(&exchanged, seed).unwrap();
            prop_assert_eq!(one.difference, -other.difference);
            prop_assert_eq!(&one, &Comparison::of(&days, seed).unwrap());
            if let (Some(here), Some(there)) = (one.difference_interval, other.difference_interval) {
                prop_assert!((here.lower + there.upper).abs() < 1e-9);
                prop_assert!(here.lower <= here.upper);
            }
            for p in [one.p_better, one.p_different].into_iter().flatten() {
                prop_assert!(p > 0.0 && p <= 1.0);
            }
            if let (Some(here), Some(there)) = (one.p_different, other.p_different) {
                prop_assert!((here - there).abs() < 1e-12);
            }
        }
    }
}
