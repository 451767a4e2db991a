//! Shapley values of any forecast (Shapley 1953), by enumeration of all coalitions or by sampling of
//! permutations.
//!
//! A forecast is a game: each player is a part of what the model reads, and a coalition's value is the
//! forecast when its members keep their own values and all others have those of a background. A player's
//! Shapley value is what it adds on average over all orders in which players can join, and over the
//! backgrounds. All values add up to the forecast minus the base, which is the mean forecast of the
//! backgrounds.
//!
//! Orders are sampled (Castro, Gómez and Tejada 2009) together with their reverses, which takes out what is
//! linear in the position (antithetic sampling; Mitchell, Cooper, Frank and Holmes 2022). Each background is
//! used about equally often. A player with the same values as a background adds exactly 0 to it and costs
//! nothing, and where few players are left, all coalitions are computed.

use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Questions that are asked at once: bounds the memory of an explanation.
const BATCH: usize = 512;

/// A question to a model: what it says when some players keep their own values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mix {
    /// For each player, whether it keeps its own values.
    pub present: Vec<bool>,
    /// Whose values the others have.
    pub background: usize,
}

/// Effort and chance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effort {
    /// Most questions, besides one for the forecast and one for each background. At least one order and
    /// its reverse are computed in any case.
    pub evaluations: usize,
    /// Seed of every draw.
    pub seed: u64,
}

/// A player's share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ShapleyValue {
    /// Its Shapley value.
    pub amount: f64,
    /// Standard error from sampling, an upper estimate; 0 where nothing was sampled.
    pub standard_error: f64,
}

/// A forecast as the sum of a base and Shapley values.
#[derive(Debug, Clone, PartialEq)]
pub struct Shapley {
    /// Mean of what the model says of the backgrounds.
    pub base: f64,
    /// What it says of the forecast itself.
    pub value: f64,
    /// One for each player; with the base they add up to the value.
    pub values: Vec<ShapleyValue>,
    /// Whether all coalitions were computed.
    pub is_exact: bool,
    /// Questions asked.
    pub evaluations: usize,
}

/// Shapley values. `differs` says for each background which players have other values than it;
/// `ask` answers questions in their order. `None` without a background.
///
/// # Errors
///
/// Those of `ask`.
pub fn shapley<E>(
    differs: &[Vec<bool>],
    effort: Effort,
    mut ask: impl FnMut(&[Mix]) -> Result<Vec<f64>, E>,
) -> Result<Option<Shapley>, E> {
    let Some(players) = differs.first().map(Vec::len) else {
        return Ok(None);
    };
    let mut asked = 0;
    let mut ask = |mixes: &[Mix]| {
        asked += mixes.len();
        in_batches(mixes, &mut ask)
    };
    let mut ends = vec![Mix {
        present: vec![true; players],
        background: 0,
    }];
    ends.extend((0..differs.len()).map(|background| Mix {
        present: vec![false; players],
        background,
    }));
    let ends = ask(&ends)?;
    let (value, without) = (ends[0], &ends[1..]);
    let base = mean(without.iter().copied());
    let free: Vec<Vec<usize>> = differs
        .iter()
        .map(|differs| (0..players).filter(|player| differs[*player]).collect())
        .collect();
    let all: usize = free
        .iter()
        .map(|free| coalitions(free.len()))
        .fold(0, usize::saturating_add);
    let (estimates, is_exact) = if all <= effort.evaluations {
        (enumerated(players, &free, value, without, &mut ask)?, true)
    } else {
        (
            sampled(players, &free, value, without, effort, &mut ask)?,
            false,
        )
    };
    Ok(Some(Shapley {
        base,
        value,
        values: adding_up(estimates, value - base),
        is_exact,
        evaluations: asked,
    }))
}

/// Asks a part at a time.
pub(crate) fn in_batches<Q, E>(
    questions: &[Q],
    ask: &mut impl FnMut(&[Q]) -> Result<Vec<f64>, E>,
) -> Result<Vec<f64>, E> {
    let mut answers = Vec::with_capacity(questions.len());
    for batch in questions.chunks(BATCH) {
        answers.extend(ask(batch)?);
    }
    Ok(answers)
}

/// Coalitions of some players between nobody and all.
fn coalitions(players: usize) -> usize {
    let all = u32::try_from(players)
        .ok()
        .and_then(|players| 1_usize.checked_shl(players));
    all.map_or(usize::MAX, |all| all.saturating_sub(2))
}

/// A player's share before the values are made to add up.
struct Estimate {
    amount: f64,
    /// Variance from the sampling of orders.
    of_orders: f64,
    /// Variance from the choice of backgrounds, where not all of them were used.
    of_backgrounds: f64,
}

fn enumerated<E>(
    players: usize,
    free: &[Vec<usize>],
    value: f64,
    without: &[f64],
    ask: &mut impl FnMut(&[Mix]) -> Result<Vec<f64>, E>,
) -> Result<Vec<Estimate>, E> {
    let mut amounts = vec![0.0; players];
    for (background, free) in free.iter().enumerate() {
        let count = free.len();
        if count == 0 {
            continue;
        }
        let full = (1_usize << count) - 1;
        let mixes: Vec<Mix> = (1..full)
            .map(|coalition| {
                let mut present = vec![false; players];
                for (bit, player) in free.iter().enumerate() {
                    present[*player] = coalition >> bit & 1 == 1;
                }
                Mix {
                    present,
                    background,
                }
            })
            .collect();
        let mut of = vec![without[background]];
        of.extend(ask(&mixes)?);
        of.push(value);
        // s! (n − s − 1)! / n! for a coalition of s others.
        let mut weights = vec![1.0 / count as f64; count];
        for size in 1..count {
            weights[size] = weights[size - 1] * size as f64 / (count - size) as f64;
        }
        for (bit, player) in free.iter().enumerate() {
            for coalition in (0..=full).filter(|coalition| coalition >> bit & 1 == 0) {
                let weight = weights[coalition.count_ones() as usize];
                let adds = of[coalition | 1 << bit] - of[coalition];
                amounts[*player] += weight * adds / without.len() as f64;
            }
        }
    }
    Ok(amounts
        .into_iter()
        .map(|amount| Estimate {
            amount,
            of_orders: 0.0,
            of_backgrounds: 0.0,
        })
        .collect())
}

/// One order of players against a background.
struct Order {
    background: usize,
    players: Vec<usize>,
}

fn sampled<E>(
    players: usize,
    free: &[Vec<usize>],
    value: f64,
    without: &[f64],
    effort: Effort,
    ask: &mut impl FnMut(&[Mix]) -> Result<Vec<f64>, E>,
) -> Result<Vec<Estimate>, E> {
    let mut random = ChaCha8Rng::seed_from_u64(effort.seed);
    let mut turns: Vec<usize> = (0..free.len()).collect();
    turns.shuffle(&mut random);
    let mut orders: Vec<Order> = Vec::new();
    let mut cost = 0;
    for background in turns.iter().cycle() {
        let mut players = free[*background].clone();
        cost += 2 * players.len().saturating_sub(1);
        if cost > effort.evaluations && !orders.is_empty() {
            break;
        }
        players.shuffle(&mut random);
        orders.push(Order {
            background: *background,
            players,
        });
    }
    // Every order and its reverse, without the two ends, which are known.
    let mut mixes = Vec::new();
    for Order {
        background,
        players: order,
    } in &orders
    {
        for is_reverse in [false, true] {
            let mut present = vec![false; players];
            for place in 1..order.len() {
                let joins = place - 1;
                let joins = if is_reverse {
                    order.len() - 1 - joins
                } else {
                    joins
                };
                present[order[joins]] = true;
                mixes.push(Mix {
                    present: present.clone(),
                    background: *background,
                });
            }
        }
    }
    let answers = ask(&mixes)?;
    let mut answers = answers.into_iter();
    // For each background the mean over its pairs, and the variance of that mean.
    let mut pairs = vec![0_usize; free.len()];
    let mut sums = vec![vec![0.0; players]; free.len()];
    let mut squares = vec![vec![0.0; players]; free.len()];
    for Order {
        background,
        players: order,
    } in &orders
    {
        let mut adds = [vec![0.0; players], vec![0.0; players]];
        for (is_reverse, adds) in adds.iter_mut().enumerate() {
            let mut before = without[*background];
            for place in 0..order.len() {
                let joins = if is_reverse == 1 {
                    order.len() - 1 - place
                } else {
                    place
                };
                let after = if place + 1 == order.len() {
                    value
                } else {
                    answers.next().unwrap_or(value)
                };
                adds[order[joins]] = after - before;
                before = after;
            }
        }
        pairs[*background] += 1;
        let [forth, back] = &adds;
        for player in 0..players {
            sums[*background][player] += f64::midpoint(forth[player], back[player]);
            squares[*background][player] += (0.5 * (forth[player] - back[player])).powi(2);
        }
    }
    let used: Vec<usize> = (0..free.len()).filter(|of| pairs[*of] > 0).collect();
    let count = used.len() as f64;
    let unused = 1.0 - count / free.len() as f64;
    let of_player = |player: usize| {
        let means = || used.iter().map(|of| sums[*of][player] / pairs[*of] as f64);
        let amount = mean(means());
        let within: f64 = used
            .iter()
            .map(|of| squares[*of][player] / (pairs[*of] as f64).powi(2))
            .sum();
        let between = if unused > 0.0 && count > 1.0 {
            let spread: f64 = means().map(|mean| (mean - amount).powi(2)).sum();
            unused * spread / (count - 1.0) / count
        } else {
            0.0
        };
        Estimate {
            amount,
            of_orders: within / (count * count),
            of_backgrounds: between,
        }
    };
    Ok((0..players).map(of_player).collect())
}

/// Makes the values add up. What is missing, because not every background was used, goes to the players by
/// their share of that variance (least squares with the sum known), which then is smaller by as much. Who
/// never added anything keeps 0.
fn adding_up(estimates: Vec<Estimate>, total: f64) -> Vec<ShapleyValue> {
    let missing = total - estimates.iter().map(|of| of.amount).sum::<f64>();
    let variance: f64 = estimates.iter().map(|of| of.of_backgrounds).sum();
    let size: f64 = estimates.iter().map(|of| of.amount.abs()).sum();
    estimates
        .into_iter()
        .map(|of| {
            let (share, left) = if variance > 0.0 {
                let share = of.of_backgrounds / variance;
                (share, of.of_backgrounds * (1.0 - share))
            } else if size > 0.0 {
                (of.amount.abs() / size, 0.0)
            } else {
                (0.0, 0.0)
            };
            ShapleyValue {
                amount: of.amount + missing * share,
                standard_error: (of.of_orders + left).max(0.0).sqrt(),
            }
        })
        .collect()
}

pub(crate) fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0_usize), |(sum, count), value| {
        (sum + value, count + 1)
    });
    sum / count.max(1) as f64
}

/// A random subset of players: how many are in it is drawn first, so that small and large subsets are as
/// likely as others.
pub(crate) fn random_subset(random: &mut ChaCha8Rng, players: usize) -> Vec<bool> {
    let mut present = vec![true; players];
    let absent = random.random_range(0..=players);
    let mut order: Vec<usize> = (0..players).collect();
    order.shuffle(random);
    for player in &order[..absent] {
        present[*player] = false;
    }
    present
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    /// A game of numbers: own values, and those of backgrounds.
    struct Numbers<F> {
        own: Vec<f64>,
        backgrounds: Vec<Vec<f64>>,
        of: F,
    }

    impl<F: Fn(&[f64]) -> f64> Numbers<F> {
        fn differs(&self) -> Vec<Vec<bool>> {
            let differ = |other: &Vec<f64>| {
                let pairs = self.own.iter().zip(other);
                pairs.map(|(own, other)| own != other).collect()
            };
            self.backgrounds.iter().map(differ).collect()
        }

        fn explain(&self, evaluations: usize, seed: u64) -> Shapley {
            let effort = Effort { evaluations, seed };
            let answered = shapley(&self.differs(), effort, |mixes| {
                Ok::<_, Infallible>(mixes.iter().map(|mix| self.mixed(mix)).collect())
            });
            answered.unwrap().unwrap()
        }

        fn mixed(&self, mix: &Mix) -> f64 {
            let other = &self.backgrounds[mix.background];
            let values: Vec<f64> = (0..self.own.len())
                .map(|player| {
                    if mix.present[player] {
                        self.own[player]
                    } else {
                        other[player]
                    }
                })
                .collect();
            (self.of)(&values)
        }
    }

    fn drawn(players: usize, backgrounds: usize) -> (Vec<f64>, Vec<Vec<f64>>) {
        let mut random = ChaCha8Rng::seed_from_u64(7);
        let mut row = || {
            (0..players)
                .map(|_| random.random_range(-1.0..1.0))
                .collect()
        };
        (row(), (0..backgrounds).map(|_| row()).collect())
    }

    /// Products of neighbours, and something that bends.
    fn tangled(values: &[f64]) -> f64 {
        let products: f64 = values.windows(2).map(|pair| pair[0] * pair[1]).sum();
        products + values.iter().sum::<f64>().tanh()
    }

    #[track_caller]
    fn adds_up(found: &Shapley) {
        let sum: f64 = found.values.iter().map(|value| value.amount).sum();
        assert!((found.base + sum - found.value).abs() < 1e-9, "{found:?}");
    }

    #[test]
    fn the_glove_game_by_hand() {
        // Worth 1 with the left glove and one of two right ones: 2/3, 1/6, 1/6.
        let game = Numbers {
            own: vec![1.0; 3],
            backgrounds: vec![vec![0.0; 3]],
            of: |gloves: &[f64]| f64::from(u8::from(gloves[0] + gloves[1].max(gloves[2]) > 1.5)),
        };
        let found = game.explain(100, 1);
        assert!(found.is_exact);
        for (value, expected) in found.values.iter().zip([2.0 / 3.0, 1.0 / 6.0, 1.0 / 6.0]) {
            assert!((value.amount - expected).abs() < 1e-12, "{found:?}");
            assert_eq!(value.standard_error, 0.0);
        }
        adds_up(&found);
    }

    #[test]
    fn sampling_finds_what_enumeration_finds_within_its_error() {
        let (own, backgrounds) = drawn(9, 6);
        let game = Numbers {
            own,
            backgrounds,
            of: tangled,
        };
        let exact = game.explain(10_000, 1);
        assert!(exact.is_exact);
        adds_up(&exact);
        let mut far = 0;
        for seed in 0..20 {
            let found = game.explain(600, seed);
            assert!(!found.is_exact && found.evaluations <= 607);
            adds_up(&found);
            for (value, exact) in found.values.iter().zip(&exact.values) {
                let off = (value.amount - exact.amount).abs();
                assert!(off < 5.0 * value.standard_error + 1e-9, "{off} {value:?}");
                far += usize::from(off > 2.0 * value.standard_error);
            }
        }
        assert!(far <= 20, "{far} of 180 farther than two standard errors");
    }

    #[test]
    fn a_linear_game_needs_no_luck() {
        let (own, backgrounds) = drawn(12, 5);
        let weights: Vec<f64> = (0..12).map(|player| f64::from(player) - 5.0).collect();
        let of = |values: &[f64]| values.iter().zip(&weights).map(|(a, b)| a * b).sum::<f64>();
        let game = Numbers {
            own: own.clone(),
            backgrounds: backgrounds.clone(),
            of,
        };
        let found = game.explain(200, 3);
        for (player, value) in found.values.iter().enumerate() {
            let usual = mean(backgrounds.iter().map(|row| row[player]));
            let expected = weights[player] * (own[player] - usual);
            assert!((value.amount - expected).abs() < 1e-9, "{player} {value:?}");
            assert!(value.standard_error < 1e-9);
        }
    }

    #[test]
    fn who_is_ignored_gets_nothing_and_equal_players_get_the_same() {
        let (mut own, mut backgrounds) = drawn(8, 4);
        own[1] = own[0];
        for row in &mut backgrounds {
            row[1] = row[0];
            // Nothing to exchange.
            row[3] = own[3];
        }
        // Player 2 is ignored, 0 and 1 are exchangeable.
        let of =
            |v: &[f64]| (v[0] + v[1]).tanh() * v[4] + (v[0] * v[1]) + v[5] * v[6] + v[3] * v[7];
        let game = Numbers {
            own,
            backgrounds,
            of,
        };
        let exact = game.explain(5_000, 1);
        assert!(exact.is_exact);
        assert_eq!(exact.values[2].amount, 0.0);
        assert_eq!(exact.values[3].amount, 0.0);
        assert!((exact.values[0].amount - exact.values[1].amount).abs() < 1e-12);
        let sampled = game.explain(130, 1);
        assert!(!sampled.is_exact);
        assert_eq!(sampled.values[2].amount, 0.0);
        assert_eq!(sampled.values[3].amount, 0.0);
        adds_up(&sampled);
    }

    #[test]
    fn the_same_seed_gives_the_same_bits_and_another_one_others() {
        let (own, backgrounds) = drawn(20, 7);
        let game = Numbers {
            own,
            backgrounds,
            of: tangled,
        };
        assert_eq!(game.explain(500, 1), game.explain(500, 1));
        assert_ne!(game.explain(500, 1), game.explain(500, 2));
    }

    #[test]
    fn one_order_that_uses_one_of_many_backgrounds_adds_up_too() {
        let (own, backgrounds) = drawn(20, 30);
        let game = Numbers {
            own,
            backgrounds,
            of: tangled,
        };
        for evaluations in [1, 40, 100, 1_000] {
            adds_up(&game.explain(evaluations, 5));
        }
    }

    #[test]
    fn the_only_one_who_differs_is_known_exactly_whatever_was_sampled() {
        let (own, mut backgrounds) = drawn(20, 30);
        for row in &mut backgrounds {
            // Many could play; one is read.
            row[0] += 1.0;
        }
        let game = Numbers {
            own: own.clone(),
            backgrounds: backgrounds.clone(),
            of: |values: &[f64]| 2.0 * values[0],
        };
        let found = game.explain(200, 5);
        let usual = mean(backgrounds.iter().map(|row| row[0]));
        assert!((found.values[0].amount - 2.0 * (own[0] - usual)).abs() < 1e-9);
        assert!(found.values[0].standard_error < 1e-9, "{found:?}");
        assert!(found.values[1..].iter().all(|other| other.amount == 0.0));
    }

    #[test]
    fn nobody_and_no_background_have_no_game() {
        let effort = Effort {
            evaluations: 10,
            seed: 1,
        };
        let nothing = shapley(&[], effort, |mixes| {
            Ok::<_, Infallible>(vec![0.0; mixes.len()])
        });
        assert_eq!(nothing.unwrap(), None);
        let nobody = shapley(&[vec![]], effort, |mixes| {
            Ok::<_, Infallible>(vec![60.0; mixes.len()])
        });
        let nobody = nobody.unwrap().unwrap();
        assert_eq!((nobody.base, nobody.value), (60.0, 60.0));
        assert!(nobody.values.is_empty() && nobody.is_exact);
    }
}
