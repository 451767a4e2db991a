//! Training and inference of the default network: 51 inputs, 30 days, two layers of 128.
//!
//! The same work as `benches/peers` gives to PyTorch, with the same names of rows.

#![allow(clippy::unwrap_used, missing_docs)]

use burn::tensor::Device;
use criterion::{Criterion, criterion_group, criterion_main};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::hint::black_box;
use std::ops::ControlFlow;
use vitalcast_models::{LstmConfig, Network, NetworkConfig, Windows};
use vitalcast_training::{FitOptions, LabelledWindows, fit_network};

/// As in the binaries.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const DAYS: usize = 30;
const INPUTS: usize = 51;

fn config() -> NetworkConfig {
    NetworkConfig::Lstm(LstmConfig {
        input_width: INPUTS,
        hidden_width: 128,
        layers: 2,
        dropout: 0.2,
        bidirectional: false,
        outputs: 1,
    })
}

fn windows(count: usize) -> Windows {
    let mut random = ChaCha8Rng::seed_from_u64(count as u64);
    let values = (0..count * DAYS * INPUTS)
        .map(|_| random.random_range(-1.5_f32..1.5))
        .collect();
    Windows::new(count, DAYS, INPUTS, values).unwrap()
}

fn labelled(count: usize) -> LabelledWindows {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let labels = (0..count)
        .map(|_| random.random_range(-1.5_f32..1.5))
        .collect();
    LabelledWindows::new(windows(count), labels).unwrap()
}

/// All epochs, whatever the validation loss does.
fn train(train: &LabelledWindows, validation: &LabelledWindows, epochs: usize) -> usize {
    let options = FitOptions {
        epochs,
        patience: usize::MAX,
        ..FitOptions::default()
    };
    let fitted = fit_network(&config(), train, validation, &options, &mut |_| {
        ControlFlow::Continue(())
    });
    fitted.unwrap().outcome.epochs_trained
}

fn benches(criterion: &mut Criterion) {
    // `cargo test` runs every bench once, unoptimised; an epoch will do there.
    let epochs = |epochs: usize| {
        if std::env::args().any(|word| word == "--bench") {
            epochs
        } else {
            1
        }
    };
    let mut group = criterion.benchmark_group("networks");
    group.sample_size(10);
    for (row, learn, check, passes) in [
        ("train_default", 48, 12, epochs(50)),
        ("train_365_days", 292, 73, epochs(50)),
    ] {
        let (learn, check) = (labelled(learn), labelled(check));
        group.bench_function(row, |bencher| {
            bencher.iter(|| black_box(train(&learn, &check, passes)));
        });
    }
    group.sample_size(50);
    let network = Network::new(&config(), 1, &Device::default()).unwrap();
    for (row, count) in [("infer_1", 1), ("infer_256", 256)] {
        let windows = windows(count);
        group.bench_function(row, |bencher| {
            bencher.iter(|| black_box(network.predict(&windows).unwrap()));
        });
    }
}

criterion_group!(group, benches);
criterion_main!(group);
