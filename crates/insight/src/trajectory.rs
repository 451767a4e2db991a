//! Trajectories: what is drawn for simulated days, and what many simulated paths say together.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// What is drawn for one simulated day. The same seed and path give the same draws, so that two simulations
/// that differ in one thing differ by that thing alone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Draw {
    /// Which of the past days it is like: a share of their list, from 0 up to 1.
    pub day: f64,
    /// Where its value lies in the distribution that is expected: a probability.
    pub probability: f64,
}

impl Draw {
    /// The place in a list of so many; `None` for an empty one.
    pub fn place(self, count: usize) -> Option<usize> {
        let place = (self.day * count as f64) as usize;
        (count > 0).then(|| place.min(count - 1))
    }
}

/// The draws of a path.
pub fn draws(seed: u64, path: u64, days: usize) -> Vec<Draw> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    // Paths do not share numbers, however long they are.
    random.set_stream(path);
    (0..days)
        .map(|_| Draw {
            day: random.random_range(0.0..1.0),
            probability: random.random_range(0.0..1.0),
        })
        .collect()
}

/// A simulated day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SimulatedDay {
    /// What the model expected, given the days before it on this path.
    pub expected: f64,
    /// What was drawn from its distribution.
    pub drawn: f64,
}

/// A day of all paths together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Band {
    /// Mean of what the model expected.
    pub expected: f64,
    /// Lower end of the interval of what was drawn.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
    /// Share of the paths within a margin of the expected value.
    pub within: f64,
}

/// The bands of some paths of equal length: their means, and the quantiles of what was drawn.
///
/// The bands never become narrower towards later days: what is not known of one day is not known of a later
/// one. Where chance made one narrower, it is as wide as the one before.
pub fn bands(paths: &[Vec<SimulatedDay>], level: f64, margin: f64) -> Vec<Band> {
    let days = paths.iter().map(Vec::len).min().unwrap_or(0);
    let mut bands: Vec<Band> = Vec::with_capacity(days);
    for day in 0..days {
        let expected = vitalcast_evaluation::mean(paths.iter().map(|path| path[day].expected));
        let expected = expected.unwrap_or(f64::NAN);
        let mut drawn: Vec<f64> = paths.iter().map(|path| path[day].drawn).collect();
        drawn.sort_by(f64::total_cmp);
        let near = drawn
            .iter()
            .filter(|value| (**value - expected).abs() <= margin);
        let within = near.count() as f64 / drawn.len() as f64;
        let tail = (1.0 - level) / 2.0;
        let mut lower = quantile(&drawn, tail).min(expected);
        let mut upper = quantile(&drawn, 1.0 - tail).max(expected);
        if let Some(before) = bands.last() {
            lower = lower.min(expected - (before.expected - before.lower));
            upper = upper.max(expected + (before.upper - before.expected));
        }
        bands.push(Band {
            expected,
            lower,
            upper,
            within,
        });
    }
    bands
}

/// A quantile of ascending values, between two of them in proportion.
pub fn quantile(ascending: &[f64], share: f64) -> f64 {
    let Some(last) = ascending.len().checked_sub(1) else {
        return f64::NAN;
    };
    let place = share.clamp(0.0, 1.0) * last as f64;
    let below = place.floor() as usize;
    let above = (below + 1).min(last);
    ascending[below] + (place - below as f64) * (ascending[above] - ascending[below])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same_and_paths_differ() {
        assert_eq!(draws(7, 3, 30), draws(7, 3, 30));
        assert_ne!(draws(7, 3, 30), draws(7, 4, 30));
        assert_ne!(draws(7, 3, 30), draws(8, 3, 30));
        // A longer path begins like a shorter one.
        assert_eq!(draws(7, 3, 30)[..7], draws(7, 3, 7)[..]);
        assert_eq!(draws(7, 3, 1)[0].place(0), None);
        assert!(draws(7, 3, 400).iter().all(|draw| draw.place(5) < Some(5)));
    }

    #[test]
    fn quantiles_lie_between_values() {
        let values = [1.0, 2.0, 4.0];
        assert_eq!(quantile(&values, 0.0), 1.0);
        assert_eq!(quantile(&values, 0.5), 2.0);
        assert_eq!(quantile(&values, 0.75), 3.0);
        assert_eq!(quantile(&values, 1.0), 4.0);
    }

    #[test]
    fn bands_of_a_random_walk_widen_with_the_root_of_time() {
        let paths: Vec<Vec<SimulatedDay>> = (0..2_000)
            .map(|path| {
                let mut value = 60.0;
                let draws = draws(1, path, 16);
                let step = |draw: Draw| {
                    let expected = value;
                    // Sum of two uniforms: sd 1/√6 each step.
                    value += draw.day + draw.probability - 1.0;
                    SimulatedDay {
                        expected,
                        drawn: value,
                    }
                };
                draws.into_iter().map(step).collect()
            })
            .collect();
        let bands = bands(&paths, 0.95, 1.0);
        let width = |day: usize| bands[day].upper - bands[day].lower;
        assert!(
            (width(15) / width(3) - 2.0).abs() < 0.25,
            "{}",
            width(15) / width(3)
        );
        assert!(
            bands
                .windows(2)
                .all(|two| two[1].within <= two[0].within + 0.02)
        );
        let sd = (4.0_f64 / 6.0).sqrt();
        assert!((width(3) - 2.0 * 1.96 * sd).abs() < 0.25, "{}", width(3));
    }
}
