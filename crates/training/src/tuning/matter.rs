//! Which settings mattered.

use super::propose::Tried;
use crate::error::TrainingError;
use crate::settings::Setting;
use serde::Serialize;
use vitalcast_evaluation::mean;
use vitalcast_models::{BoostedTrees, Table, TreeOptions};

/// Trials without which nothing is said.
const LEAST_TRIALS: usize = 12;

/// How much a setting mattered.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Matter {
    /// The setting.
    pub setting: Setting,
    /// How far it moved the error of a trial from the mean of all, on average, in the metric's unit.
    pub effect: f64,
}

/// How much each setting mattered, most first: the mean absolute Shapley value of boosted trees that say
/// what error a trial has on the newest fold (Lundberg and others 2020). Nothing after a handful of trials.
pub(super) fn matter(
    settings: &[Setting],
    tried: &[Tried],
    seed: u64,
) -> Result<Vec<Matter>, TrainingError> {
    if tried.len() < LEAST_TRIALS {
        return Ok(Vec::new());
    }
    let values: Vec<f32> = tried
        .iter()
        .flat_map(|tried| tried.point.iter().map(|place| *place as f32))
        .collect();
    let errors: Vec<f64> = tried.iter().map(|tried| tried.error).collect();
    let table = Table::new(tried.len(), settings.len(), values)?;
    let options = TreeOptions {
        trees: 200,
        leaf_rows: 3,
        seed,
        ..TreeOptions::default()
    };
    let explainer = BoostedTrees::fit(&table, &errors, &options)?.explainer()?;
    let explained = explainer.explain_rows(&table);
    let mut found: Vec<Matter> = settings
        .iter()
        .enumerate()
        .map(|(place, setting)| Matter {
            setting: *setting,
            effect: mean(explained.iter().map(|row| row.contributions[place].abs())).unwrap_or(0.0),
        })
        .collect();
    found.sort_by(|left, right| right.effect.total_cmp(&left.effect));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tuning::propose::anywhere;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use vitalcast_domain::ModelArchitecture;

    #[test]
    fn the_setting_that_makes_the_error_comes_first() {
        let settings = Setting::of(ModelArchitecture::Xgboost);
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let tried: Vec<Tried> = (0..40)
            .map(|_| {
                let point = anywhere(settings.len(), &mut random);
                Tried {
                    error: 1.0 + (point[2] - 0.3).abs() + 0.05 * point[0],
                    point,
                }
            })
            .collect();
        let found = matter(settings, &tried, 1).unwrap();
        assert_eq!(found[0].setting, settings[2]);
        assert!(found[0].effect > 3.0 * found[1].effect, "{found:?}");
        assert_eq!(matter(settings, &tried[..5], 1).unwrap(), []);
    }
}
