//! Which settings are tried next.
//!
//! Tree-structured Parzen estimators (Bergstra, Bardenet, Bengio and Kégl 2011): of the settings tried so
//! far, the best quarter and the others each give a density, setting by setting; of some settings drawn from
//! the first, the one is tried next that is most likely under the first against the second. Points are places
//! of values between 0 and 1.

use rand::{Rng, RngExt};

/// Trials that are drawn at random before there is anything to go by.
const AT_RANDOM: usize = 10;
/// Share of the trials that count as good.
const GOOD: f64 = 0.25;
/// Points that are drawn for each trial.
const CANDIDATES: usize = 24;
/// Smallest and largest standard deviation of a kernel.
const NARROWEST: f64 = 0.05;
const WIDEST: f64 = 0.5;

/// A tried point with its error.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tried {
    pub(super) point: Vec<f64>,
    pub(super) error: f64,
}

/// A point anywhere.
pub(super) fn anywhere(settings: usize, random: &mut impl Rng) -> Vec<f64> {
    (0..settings).map(|_| random.random::<f64>()).collect()
}

/// The next point to try.
pub(super) fn next(settings: usize, tried: &[Tried], random: &mut impl Rng) -> Vec<f64> {
    if tried.len() < AT_RANDOM {
        return anywhere(settings, random);
    }
    let mut order: Vec<&Tried> = tried.iter().collect();
    order.sort_by(|left, right| left.error.total_cmp(&right.error));
    let good = ((tried.len() as f64 * GOOD).ceil() as usize).clamp(2, tried.len() - 1);
    let density = |of: &[&Tried], setting: usize| {
        let mut centres: Vec<f64> = of.iter().map(|tried| tried.point[setting]).collect();
        centres.sort_by(f64::total_cmp);
        Density::of(centres)
    };
    let densities: Vec<(Density, Density)> = (0..settings)
        .map(|setting| {
            (
                density(&order[..good], setting),
                density(&order[good..], setting),
            )
        })
        .collect();
    let mut best: Option<(f64, Vec<f64>)> = None;
    for _ in 0..CANDIDATES {
        let point: Vec<f64> = densities
            .iter()
            .map(|(good, _)| good.draw(random))
            .collect();
        let gain: f64 = densities
            .iter()
            .zip(&point)
            .map(|((good, other), place)| good.at(*place).ln() - other.at(*place).ln())
            .sum();
        if best.as_ref().is_none_or(|(most, _)| gain > *most) {
            best = Some((gain, point));
        }
    }
    best.map_or_else(|| anywhere(settings, random), |(_, point)| point)
}

/// A mixture of normal kernels inside 0 to 1, and of the uniform density with the weight of one kernel.
struct Density {
    /// In order, each with its standard deviation.
    kernels: Vec<(f64, f64)>,
}

impl Density {
    /// Each kernel is as wide as the distance to the farther of its neighbours.
    fn of(centres: Vec<f64>) -> Self {
        let wide = |place: usize| {
            let before = place.checked_sub(1).map_or(0.0, |before| centres[before]);
            let after = centres.get(place + 1).copied().unwrap_or(1.0);
            (centres[place] - before)
                .max(after - centres[place])
                .clamp(NARROWEST, WIDEST)
        };
        Self {
            kernels: (0..centres.len())
                .map(|place| (centres[place], wide(place)))
                .collect(),
        }
    }

    fn at(&self, place: f64) -> f64 {
        let of_kernel = |(centre, wide): &(f64, f64)| {
            let inside = normal_below((1.0 - centre) / wide) - normal_below(-centre / wide);
            let z = (place - centre) / wide;
            (-0.5 * z * z).exp() / (wide * std::f64::consts::TAU.sqrt() * inside)
        };
        let sum: f64 = self.kernels.iter().map(of_kernel).sum();
        (1.0 + sum) / (self.kernels.len() + 1) as f64
    }

    fn draw(&self, random: &mut impl Rng) -> f64 {
        let place = random.random_range(0..=self.kernels.len());
        let Some((centre, wide)) = self.kernels.get(place) else {
            return random.random();
        };
        // Box and Muller 1958; what falls outside is drawn again, and most does not.
        loop {
            let radius = (-2.0 * (1.0 - random.random::<f64>()).ln()).sqrt();
            let value =
                centre + wide * radius * (std::f64::consts::TAU * random.random::<f64>()).cos();
            if (0.0..=1.0).contains(&value) {
                return value;
            }
        }
    }
}

/// Probability below `z` of a standard normal value: Zelen and Severo 1964, off by less than 1e-7.
fn normal_below(z: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * z.abs());
    let terms = [
        1.330_274_429,
        -1.821_255_978,
        1.781_477_937,
        -0.356_563_782,
        0.319_381_530,
    ];
    let sum = terms.iter().fold(0.0, |sum, term| (sum + term) * t);
    let above = sum * (-0.5 * z * z).exp() / std::f64::consts::TAU.sqrt();
    if z >= 0.0 { 1.0 - above } else { above }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn a_density_holds_one_and_draws_stay_inside() {
        let mut random = ChaCha8Rng::seed_from_u64(3);
        let density = Density::of(vec![0.0, 0.2, 0.21, 1.0]);
        let steps = 20_000;
        let sum: f64 = (0..steps)
            .map(|step| density.at((f64::from(step) + 0.5) / f64::from(steps)))
            .sum();
        assert!((sum / f64::from(steps) - 1.0).abs() < 1e-4, "{sum}");
        for _ in 0..1_000 {
            let drawn = density.draw(&mut random);
            assert!((0.0..=1.0).contains(&drawn));
        }
    }

    #[test]
    fn it_comes_closer_to_a_minimum_than_chance() {
        let minimum = [0.2, 0.7, 0.5, 0.9];
        let error = |point: &[f64]| -> f64 {
            let squares = point
                .iter()
                .zip(minimum)
                .map(|(at, best)| (at - best).powi(2));
            squares.sum()
        };
        let best = |by_density: bool, seed: u64| {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let mut tried: Vec<Tried> = Vec::new();
            for _ in 0..60 {
                let point = if by_density {
                    next(4, &tried, &mut random)
                } else {
                    anywhere(4, &mut random)
                };
                tried.push(Tried {
                    error: error(&point),
                    point,
                });
            }
            tried
                .iter()
                .map(|tried| tried.error)
                .fold(f64::INFINITY, f64::min)
        };
        let wins = (0..20)
            .filter(|seed| best(true, *seed) < best(false, *seed))
            .count();
        assert!(wins >= 16, "better in {wins} of 20 searches");
    }
}
