//! Permutation importance (Breiman 2001; Fisher, Rudin and Dominici 2019): how much worse a model forecasts
//! days when one feature has the values of other days; and the same of one forecast.

use crate::shapley::{Mix, in_batches};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Draws of the bootstrap.
const DRAWS: usize = 1_000;

/// A question: the forecast of a day on which one player has the values of another day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exchange {
    /// The day that is forecast.
    pub day: usize,
    /// Who has the values of another day; `None` for nobody.
    pub player: Option<usize>,
    /// Whose values.
    pub from: usize,
}

/// How much worse a model is without a player.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PermutationImportance {
    /// Rise of the mean absolute error; below 0 where the model is better without.
    pub rise: f64,
    /// Standard deviation over the days.
    pub spread: f64,
    /// 95 % interval of the rise, by bootstrap over days; `None` for a single day.
    pub interval: Option<(f64, f64)>,
}

/// Permutation importance of each player on days whose values are known. The days' values of a player are
/// shuffled `repeats` times among the days; `ask` answers with forecasts. Empty without days.
///
/// # Errors
///
/// Those of `ask`.
pub fn permutation_importance<E>(
    observed: &[f64],
    players: usize,
    repeats: usize,
    seed: u64,
    mut ask: impl FnMut(&[Exchange]) -> Result<Vec<f64>, E>,
) -> Result<Vec<PermutationImportance>, E> {
    let days = observed.len();
    if days == 0 {
        return Ok(Vec::new());
    }
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let as_it_is: Vec<Exchange> = (0..days)
        .map(|day| Exchange {
            day,
            player: None,
            from: day,
        })
        .collect();
    let error = |day: usize, said: f64| (said - observed[day]).abs();
    let said = in_batches(&as_it_is, &mut ask)?;
    let before: Vec<f64> = (0..days).map(|day| error(day, said[day])).collect();
    let repeats = repeats.max(1);
    // The same shuffles for every player, so that differences between players are not those of luck.
    let shuffles: Vec<Vec<usize>> = (0..repeats)
        .map(|_| {
            let mut from: Vec<usize> = (0..days).collect();
            from.shuffle(&mut random);
            from
        })
        .collect();
    let draws: Vec<Vec<usize>> = (0..DRAWS)
        .map(|_| (0..days).map(|_| random.random_range(0..days)).collect())
        .collect();
    (0..players)
        .map(|player| {
            let questions: Vec<Exchange> = shuffles
                .iter()
                .flat_map(|from| {
                    (0..days).map(|day| Exchange {
                        day,
                        player: Some(player),
                        from: from[day],
                    })
                })
                .collect();
            let said = in_batches(&questions, &mut ask)?;
            let mut rises = vec![0.0; days];
            for (question, said) in questions.iter().zip(said) {
                let day = question.day;
                rises[day] += (error(day, said) - before[day]) / repeats as f64;
            }
            Ok(importance(&rises, &draws))
        })
        .collect()
}

fn importance(rises: &[f64], draws: &[Vec<usize>]) -> PermutationImportance {
    let (rise, spread) = mean_and_spread(rises);
    PermutationImportance {
        rise,
        spread,
        interval: interval_of_mean(rises, draws),
    }
}

/// Mean and standard deviation.
pub(crate) fn mean_and_spread(values: &[f64]) -> (f64, f64) {
    let count = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (mean, (squares / count).sqrt())
}

/// 95 % interval of the mean by bootstrap (percentiles).
fn interval_of_mean(values: &[f64], draws: &[Vec<usize>]) -> Option<(f64, f64)> {
    if values.len() < 2 {
        return None;
    }
    let mut means: Vec<f64> = draws
        .iter()
        .map(|days| days.iter().map(|day| values[*day]).sum::<f64>() / days.len() as f64)
        .collect();
    means.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| means[(share * (means.len() - 1) as f64).round() as usize];
    Some((at(0.025), at(0.975)))
}

/// 95 % interval of the mean of some days' values by bootstrap over days; `None` for fewer than two.
pub fn bootstrap_interval(values: &[f64], seed: u64) -> Option<(f64, f64)> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let days = values.len();
    if days < 2 {
        return None;
    }
    let draws: Vec<Vec<usize>> = (0..DRAWS)
        .map(|_| (0..days).map(|_| random.random_range(0..days)).collect())
        .collect();
    interval_of_mean(values, &draws)
}

/// What exchanging one player changes in a forecast.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Exchanged {
    /// Mean of the forecast minus the forecast with the player's values of a background.
    pub amount: f64,
    /// Mean size of that.
    pub size: f64,
    /// Standard error of the amount from the choice of backgrounds.
    pub standard_error: f64,
}

/// Of each player, what one forecast loses when the player alone has the values of each background. `None`
/// without a background.
///
/// # Errors
///
/// Those of `ask`.
pub fn exchanged<E>(
    differs: &[Vec<bool>],
    mut ask: impl FnMut(&[Mix]) -> Result<Vec<f64>, E>,
) -> Result<Option<(f64, Vec<Exchanged>)>, E> {
    let Some(players) = differs.first().map(Vec::len) else {
        return Ok(None);
    };
    let mut mixes = vec![Mix {
        present: vec![true; players],
        background: 0,
    }];
    for player in 0..players {
        for (background, differs) in differs.iter().enumerate() {
            if differs[player] {
                let mut present = vec![true; players];
                present[player] = false;
                mixes.push(Mix {
                    present,
                    background,
                });
            }
        }
    }
    let said = in_batches(&mixes, &mut ask)?;
    let value = said[0];
    let mut answers = said[1..].iter();
    let of_player = |player: usize| {
        let changes: Vec<f64> = differs
            .iter()
            .map(|differs| {
                let other = differs[player].then(|| answers.next()).flatten();
                other.map_or(0.0, |other| value - other)
            })
            .collect();
        let (amount, spread) = mean_and_spread(&changes);
        Exchanged {
            amount,
            size: changes.iter().map(|change| change.abs()).sum::<f64>() / changes.len() as f64,
            standard_error: spread / (changes.len() as f64).sqrt(),
        }
    };
    Ok(Some((value, (0..players).map(of_player).collect())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    /// Twenty days with two features, of which the model reads the first.
    fn days() -> (Vec<[f64; 2]>, Vec<f64>) {
        let features: Vec<[f64; 2]> = (0..20)
            .map(|day| [f64::from(day % 5), f64::from(day % 3)])
            .collect();
        let observed = features
            .iter()
            .enumerate()
            .map(|(day, [first, _])| 60.0 + first + if day % 2 == 0 { 0.1 } else { -0.1 })
            .collect();
        (features, observed)
    }

    #[test]
    fn a_feature_that_is_read_matters_and_one_that_is_not_does_not() {
        let (features, observed) = days();
        let ask = |asked: &[Exchange]| {
            let of = |exchange: &Exchange| {
                let from = |place| match exchange.player {
                    Some(player) if player == place => exchange.from,
                    _ => exchange.day,
                };
                60.0 + features[from(0)][0]
            };
            Ok::<_, Infallible>(asked.iter().map(of).collect())
        };
        let found = permutation_importance(&observed, 2, 10, 1, ask).unwrap();
        // The mean distance of two of 0, 1, 2, 3, 4 is 1.6, less the error that is there anyway.
        assert!((found[0].rise - 1.5).abs() < 0.25, "{found:?}");
        let (lower, upper) = found[0].interval.unwrap();
        assert!(lower > 0.5 && lower < found[0].rise && found[0].rise < upper);
        assert_eq!((found[1].rise, found[1].spread), (0.0, 0.0));
        assert_eq!(found[1].interval, Some((0.0, 0.0)));
        assert_eq!(
            found,
            permutation_importance(&observed, 2, 10, 1, ask).unwrap()
        );
        assert_ne!(
            found,
            permutation_importance(&observed, 2, 10, 2, ask).unwrap()
        );
        assert!(
            permutation_importance(&[], 2, 10, 1, ask)
                .unwrap()
                .is_empty()
        );
    }

    #[test]
    fn of_one_forecast_the_change_has_a_sign() {
        let own = [3.0, 1.0];
        let backgrounds = [[1.0, 1.0], [5.0, 1.0]];
        let differs = vec![vec![true, false]; 2];
        let ask = |mixes: &[Mix]| {
            let of = |mix: &Mix| {
                let value = |player: usize| {
                    if mix.present[player] {
                        own[player]
                    } else {
                        backgrounds[mix.background][player]
                    }
                };
                value(0) * 2.0 + value(1)
            };
            Ok::<_, Infallible>(mixes.iter().map(of).collect())
        };
        let (value, found) = exchanged(&differs, ask).unwrap().unwrap();
        assert_eq!(value, 7.0);
        // Once 4 more, once 4 less.
        assert_eq!((found[0].amount, found[0].size), (0.0, 4.0));
        assert_eq!((found[1].amount, found[1].size), (0.0, 0.0));
    }

    #[test]
    fn one_day_has_no_interval() {
        assert_eq!(bootstrap_interval(&[1.0], 1), None);
        let (lower, upper) = bootstrap_interval(&[1.0, 2.0, 3.0, 4.0], 1).unwrap();
        assert!(lower < 2.5 && upper > 2.5 && lower >= 1.0 && upper <= 4.0);
    }
}
