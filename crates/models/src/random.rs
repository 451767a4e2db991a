//! Everything random, drawn from a seed: initial weights and dropout masks.
//!
//! burn's own generator is one per process, so two trainings at once would share it. These draws
//! depend on the seed alone.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Draws initial weights.
pub(crate) struct WeightSource(ChaCha8Rng);

impl WeightSource {
    pub(crate) fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// Xavier (Glorot and Bengio 2010) uniform values: ±√(6 / (fan in + fan out)).
    pub(crate) fn xavier(&mut self, count: usize, fan_in: usize, fan_out: usize) -> Vec<f32> {
        let bound = (6.0 / (fan_in + fan_out) as f64).sqrt();
        (0..count)
            .map(|_| ((2.0 * unit(self.0.next_u32()) - 1.0) * bound) as f32)
            .collect()
    }
}

/// A number from 0 to below 1.
fn unit(bits: u32) -> f64 {
    f64::from(bits) / 4_294_967_296.0
}

/// Draws dropout masks; one per training, so that the same seed gives the same masks in order.
#[derive(Debug)]
pub(crate) struct DropoutMasks {
    random: ChaCha8Rng,
    probability: f64,
    bytes: Vec<u8>,
}

impl DropoutMasks {
    /// Masks that drop with this probability (0 to below 1).
    pub(crate) fn new(seed: u64, probability: f64) -> Self {
        Self {
            // Another stream than the one initial weights come from.
            random: ChaCha8Rng::seed_from_u64(seed ^ 0x9e37_79b9_7f4a_7c15),
            probability,
            bytes: Vec::new(),
        }
    }

    /// Drops values and scales the rest up, so that the expectation stays. The mask is kept: its factors,
    /// or nothing if nothing is ever dropped.
    pub(crate) fn apply(&mut self, values: &mut [f32], mask: &mut Vec<f32>) {
        mask.clear();
        if self.probability <= 0.0 {
            return;
        }
        let keep = (1.0 / (1.0 - self.probability)) as f32;
        // Two bytes decide on a value, which is fine enough for a probability and half the work.
        let threshold = (self.probability * 65_536.0).round() as u32;
        self.bytes.resize(2 * values.len(), 0);
        self.random.fill_bytes(&mut self.bytes);
        mask.extend(self.bytes.as_chunks::<2>().0.iter().map(|pair| {
            let draw = u32::from(u16::from_le_bytes(*pair));
            if draw < threshold { 0.0 } else { keep }
        }));
        masked(values, mask);
    }
}

/// Values, or gradients of values, times the factors of a mask.
pub(crate) fn masked(values: &mut [f32], mask: &[f32]) {
    for (value, factor) in values.iter_mut().zip(mask) {
        *value *= factor;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_depend_on_the_seed_alone_and_keep_to_their_bound() {
        let draw = |seed| WeightSource::new(seed).xavier(1_000, 10, 14);
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        assert!(draw(1).iter().all(|weight| weight.abs() <= 0.5));
    }

    #[test]
    fn masks_drop_the_asked_share_and_keep_the_expectation() {
        let mut source = DropoutMasks::new(3, 0.2);
        let mut kept = vec![1.0; 10_000];
        let mut mask = Vec::new();
        source.apply(&mut kept, &mut mask);
        assert_eq!(kept, mask);
        let dropped = kept.iter().filter(|value| **value == 0.0).count();
        assert!((1_850..2_150).contains(&dropped), "{dropped}");
        let mean = kept.iter().sum::<f32>() / 10_000.0;
        assert!((mean - 1.0).abs() < 0.03, "{mean}");
    }

    #[test]
    fn without_dropout_nothing_changes_and_nothing_is_drawn() {
        let mut source = DropoutMasks::new(3, 0.0);
        let (mut kept, mut mask) = (vec![2.0; 4], vec![0.0]);
        source.apply(&mut kept, &mut mask);
        assert_eq!(kept, [2.0; 4]);
        assert!(mask.is_empty());
    }
}
