//! Integrated gradients (Sundararajan, Taly and Yan 2017) with several backgrounds (expected gradients;
//! Erion et al. 2021), as a check on Shapley values.
//!
//! The way from a background to the forecast is a straight line. Along it the change of what the model says
//! is the sum of the changes along each player's own values, which are measured by small steps to either
//! side. For a model that is linear in what it reads these are the Shapley values; the more it bends, the
//! more the two may differ.

use crate::shapley::in_batches;

/// A small step on the line from a background to the forecast.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Where the line begins.
    pub background: usize,
    /// The place on the line: 0 at the background, 1 at the forecast.
    pub at: f64,
    /// Who takes the step.
    pub player: usize,
    /// How much of the way from the background to the forecast, forward or backward.
    pub by: f64,
}

/// Size of a step: large against the rounding of single precision, small against the way.
const BY: f64 = 0.02;

/// Integrated gradients of each player, over all backgrounds. For `differs` see [`crate::shapley()`]; `ask`
/// answers steps in their order. There are `places` places on each line, so two times players × backgrounds
/// × places steps.
///
/// # Errors
///
/// Those of `ask`.
pub fn expected_gradients<E>(
    differs: &[Vec<bool>],
    places: usize,
    mut ask: impl FnMut(&[Step]) -> Result<Vec<f64>, E>,
) -> Result<Vec<f64>, E> {
    let players = differs.first().map_or(0, Vec::len);
    let backgrounds = differs.len();
    let count = backgrounds * places.max(1);
    let mut steps = Vec::new();
    for (background, differs) in differs.iter().enumerate() {
        for place in 0..places.max(1) {
            // Stratified over backgrounds, too: each has places of its own.
            let stratum = place * backgrounds + background;
            let at = (stratum as f64 + 0.5) / count as f64;
            for player in (0..players).filter(|player| differs[*player]) {
                for by in [BY, -BY] {
                    steps.push(Step {
                        background,
                        at,
                        player,
                        by,
                    });
                }
            }
        }
    }
    let said = in_batches(&steps, &mut ask)?;
    let mut amounts = vec![0.0; players];
    for (pair, said) in steps.chunks_exact(2).zip(said.chunks_exact(2)) {
        amounts[pair[0].player] += (said[0] - said[1]) / (2.0 * BY) / count as f64;
    }
    Ok(amounts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    #[test]
    fn of_a_product_both_get_half_and_who_is_ignored_nothing() {
        // From (0, 0, 0) to (2, 3, 5), of x·y.
        let own = [2.0, 3.0, 5.0];
        let found = expected_gradients(&[vec![true; 3]], 40, |steps| {
            let of = |step: &Step| {
                let place = |player: usize| {
                    let by = if step.player == player { step.by } else { 0.0 };
                    own[player] * (step.at + by)
                };
                place(0) * place(1)
            };
            Ok::<_, Infallible>(steps.iter().map(of).collect())
        })
        .unwrap();
        assert!((found[0] - 3.0).abs() < 1e-9, "{found:?}");
        assert!((found[1] - 3.0).abs() < 1e-9, "{found:?}");
        assert_eq!(found[2], 0.0);
    }

    #[test]
    fn places_lie_all_over_the_line() {
        let differs = vec![vec![true]; 3];
        let mut at = Vec::new();
        expected_gradients(&differs, 2, |steps| {
            at.extend(steps.iter().map(|step| (step.at * 12.0).round() as usize));
            Ok::<_, Infallible>(vec![0.0; steps.len()])
        })
        .unwrap();
        at.sort_unstable();
        at.dedup();
        assert_eq!(at, [1, 3, 5, 7, 9, 11]);
        let nothing = expected_gradients(&[], 2, |_| Ok::<_, Infallible>(Vec::new()));
        assert_eq!(nothing.unwrap(), Vec::<f64>::new());
    }
}
