//! Training and inference of the default network: 51 inputs, 30 days, two layers of 128.
//!
//! `peers/pytorch.py` does the same work under the same names of rows.

#![allow(clippy::unwrap_used)]

use burn::tensor::Device;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::hint::black_box;
use std::ops::ControlFlow;
use vitalcast_models::{LstmConfig, Network, NetworkConfig, Windows};
use vitalcast_training::{FitOptions, LabelledWindows, fit_network};

const DAYS: usize = 30;
const INPUTS: usize = 51;
const EPOCHS: usize = 50;

/// A piece of work with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Row {
    /// 48 + 12 windows, 50 epochs.
    TrainDefault,
    /// 292 + 73 windows, 50 epochs.
    Train365Days,
    /// One window through the network.
    Infer1,
    /// 256 windows.
    Infer256,
}

impl Row {
    /// Every row.
    pub const ALL: [Self; 4] = [
        Self::TrainDefault,
        Self::Train365Days,
        Self::Infer1,
        Self::Infer256,
    ];

    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::TrainDefault => "train_default",
            Self::Train365Days => "train_365_days",
            Self::Infer1 => "infer_1",
            Self::Infer256 => "infer_256",
        }
    }

    /// Runs before the first that counts, and runs that count.
    pub fn runs(self) -> (usize, usize) {
        match self {
            Self::TrainDefault => (1, 3),
            Self::Train365Days => (0, 1),
            Self::Infer1 => (50, 200),
            Self::Infer256 => (5, 30),
        }
    }

    /// The work, ready to be done again and again; `quick` trains for one epoch only.
    pub fn work(self, quick: bool) -> Box<dyn Fn()> {
        let epochs = if quick { 1 } else { EPOCHS };
        match self {
            Self::TrainDefault => training(48, 12, epochs),
            Self::Train365Days => training(292, 73, epochs),
            Self::Infer1 => inference(1),
            Self::Infer256 => inference(256),
        }
    }
}

fn training(learn: usize, check: usize, epochs: usize) -> Box<dyn Fn()> {
    let (learn, check) = (labelled(learn), labelled(check));
    let options = FitOptions {
        epochs,
        // All epochs, whatever the validation loss does.
        patience: usize::MAX,
        ..FitOptions::default()
    };
    Box::new(move || {
        let mut go_on = |_: &_| ControlFlow::Continue(());
        black_box(fit_network(&config(), &learn, &check, &options, &mut go_on).unwrap());
    })
}

fn inference(count: usize) -> Box<dyn Fn()> {
    let network = Network::new(&config(), 1, &Device::flex()).unwrap();
    let windows = windows(count);
    Box::new(move || {
        black_box(network.predict(&windows).unwrap());
    })
}

fn config() -> NetworkConfig {
    NetworkConfig::Lstm(LstmConfig {
        dropout: 0.2,
        ..LstmConfig::new(INPUTS, 128, 2)
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
