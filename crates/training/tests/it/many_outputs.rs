//! One network for several outputs, some of whose labels are missing.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::ops::ControlFlow;
use vitalcast_models::{Head, LstmConfig, NetworkConfig, Windows};
use vitalcast_training::{FitOptions, LabelledWindows, fit_network};

const LOOKBACK: usize = 6;
const OUTPUTS: usize = 3;

fn config() -> NetworkConfig {
    NetworkConfig::Lstm(LstmConfig {
        outputs: OUTPUTS,
        head: Head::PerOutput,
        ..LstmConfig::new(OUTPUTS, 16, 1)
    })
}

/// Windows whose output k is the mean of their feature k, and that of every window.
fn truth(count: usize, seed: u64) -> (Windows, Vec<f32>) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let values: Vec<f32> = (0..count * LOOKBACK * OUTPUTS)
        .map(|_| random.random_range(-1.5_f32..1.5))
        .collect();
    let labels = values
        .chunks(LOOKBACK * OUTPUTS)
        .flat_map(|window| {
            (0..OUTPUTS).map(|output| {
                window.iter().skip(output).step_by(OUTPUTS).sum::<f32>() / LOOKBACK as f32
            })
        })
        .collect();
    (
        Windows::new(count, LOOKBACK, OUTPUTS, values).unwrap(),
        labels,
    )
}

/// Mean absolute error of each output on windows never trained on, after training with every window
/// labelled but those of the first output for which `missing` holds.
fn errors(missing: impl Fn(usize) -> bool) -> [f32; OUTPUTS] {
    let labelled = |count, seed, missing: &dyn Fn(usize) -> bool| {
        let (windows, labels) = truth(count, seed);
        let labels = labels
            .into_iter()
            .enumerate()
            .map(|(place, label)| {
                let hidden = place % OUTPUTS == 0 && missing(place / OUTPUTS);
                (!hidden).then_some(label)
            })
            .collect();
        LabelledWindows::with_missing(windows, OUTPUTS, labels).unwrap()
    };
    let options = FitOptions {
        epochs: 60,
        learning_rate: 0.01,
        patience: 60,
        ..FitOptions::default()
    };
    let (train, validation) = (labelled(192, 1, &missing), labelled(48, 2, &missing));
    let mut go_on = |_: &_| ControlFlow::Continue(());
    let fitted = fit_network(&config(), &train, &validation, &options, &mut go_on).unwrap();
    let (windows, labels) = truth(200, 3);
    let forecasts = fitted.network.predict(&windows).unwrap();
    std::array::from_fn(|output| {
        let of = |values: &[f32]| -> Vec<f32> {
            values
                .iter()
                .skip(output)
                .step_by(OUTPUTS)
                .copied()
                .collect()
        };
        let (forecasts, labels) = (of(&forecasts), of(&labels));
        let sum: f32 = forecasts
            .iter()
            .zip(&labels)
            .map(|(forecast, label)| (forecast - label).abs())
            .sum();
        sum / labels.len() as f32
    })
}

#[test]
fn outputs_with_all_labels_do_not_suffer_where_another_misses_a_third() {
    let complete = errors(|_| false);
    let holed = errors(|window| window % 3 == 0);
    // A mean of six values between -1.5 and 1.5 is 0.28 from zero on average: all three are learned.
    for error in complete.iter().chain(&holed) {
        assert!(*error < 0.14, "{complete:?} {holed:?}");
    }
    for output in 1..OUTPUTS {
        assert!(
            holed[output] < 1.2 * complete[output],
            "{complete:?} {holed:?}"
        );
    }
}
