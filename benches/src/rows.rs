//! The rows of `cargo xtask bench-peers`: training and inference of the default network (51 inputs, 30
//! days, two layers of 128), of many people's small ones, of the models beside networks, and of readers.
//!
//! `peers/` does the same work under the same names of rows.

#![allow(clippy::unwrap_used)]

use crate::correlations::Analysis;
use crate::explanations::{self, Unknown};
use crate::exports::{self, Export, QUICK_SIZE, SIZE};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::hint::black_box;
use std::ops::ControlFlow;
use vitalcast_domain::CorrelationMethod;
use vitalcast_models::{
    BoostedTrees, LstmConfig, Network, NetworkConfig, SeriesForecaster, SeriesMethod, Table,
    TreeOptions, Windows,
};
use vitalcast_training::{FitError, FitJob, FitOptions, LabelledWindows, fit_many, fit_network};

pub(crate) const DAYS: usize = 30;
pub(crate) const INPUTS: usize = 51;
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
    /// A hundred people's networks of one layer of 32, 48 + 12 windows each, 10 epochs.
    Train100People,
    /// A hundred boosted trees of depth 4 on 365 rows of 20 columns, a tenth of the values missing.
    TreesFit,
    /// A hundred of depth 6 on 1,000,000 rows of 40 columns, 255 bins a column.
    TreesFitLarge,
    /// The small trees on 256 rows.
    TreesPredict,
    /// The best form of exponential smoothing for 120 days with a weekly season, and a week ahead.
    Ets,
    /// 64 features against a target of 180 days by Pearson, Spearman, Kendall and Granger.
    Correlations,
    /// Path-dependent Shapley values of one forecast of the small trees.
    ShapTrees,
    /// The same of 256 forecasts.
    ShapTrees256,
    /// Shapley values of 51 features of a window of the default network, 512 evaluations.
    ShapleyNetwork,
    /// Four counterfactuals of a forecast of the small trees, of at most three changes each.
    Counterfactual,
    /// A randomisation test of 20 pairs, 10,000 draws.
    Randomisation,
    /// 128 MiB of an Apple Health export.
    ImportApple,
    /// 128 MiB of steps of Google Takeout.
    ImportTakeout,
    /// 128 MiB of a database of Health Connect.
    ImportHealthConnect,
}

impl Row {
    /// Every row.
    pub const ALL: [Self; 18] = [
        Self::TrainDefault,
        Self::Train365Days,
        Self::Infer1,
        Self::Infer256,
        Self::Train100People,
        Self::TreesFit,
        Self::TreesFitLarge,
        Self::TreesPredict,
        Self::Ets,
        Self::Correlations,
        Self::ShapTrees,
        Self::ShapTrees256,
        Self::ShapleyNetwork,
        Self::Counterfactual,
        Self::Randomisation,
        Self::ImportApple,
        Self::ImportTakeout,
        Self::ImportHealthConnect,
    ];

    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::TrainDefault => "train_default",
            Self::Train365Days => "train_365_days",
            Self::Infer1 => "infer_1",
            Self::Infer256 => "infer_256",
            Self::Train100People => "train_100_people",
            Self::TreesFit => "trees_fit",
            Self::TreesFitLarge => "trees_fit_large",
            Self::TreesPredict => "trees_predict",
            Self::Ets => "ets",
            Self::Correlations => "correlations",
            Self::ShapTrees => "shap_trees",
            Self::ShapTrees256 => "shap_trees_256",
            Self::ShapleyNetwork => "shapley_network",
            Self::Counterfactual => "counterfactual",
            Self::Randomisation => "randomisation",
            Self::ImportApple => "import_apple",
            Self::ImportTakeout => "import_takeout",
            Self::ImportHealthConnect => "import_health_connect",
        }
    }

    /// Runs before the first that counts, and runs that count.
    pub fn runs(self) -> (usize, usize) {
        match self {
            Self::TrainDefault => (1, 3),
            Self::ImportApple | Self::ImportTakeout | Self::ImportHealthConnect => (0, 3),
            Self::Train365Days | Self::Train100People | Self::TreesFitLarge => (0, 1),
            Self::Infer1 => (50, 200),
            Self::Infer256
            | Self::TreesFit
            | Self::TreesPredict
            | Self::Ets
            | Self::Correlations
            | Self::ShapTrees
            | Self::ShapTrees256
            | Self::ShapleyNetwork
            | Self::Counterfactual
            | Self::Randomisation => (5, 30),
        }
    }

    /// The work, ready to be done again and again; `quick` trains for one epoch, or on few rows.
    pub fn work(self, quick: bool) -> Box<dyn Fn()> {
        let epochs = if quick { 1 } else { EPOCHS };
        match self {
            Self::TrainDefault => training(48, 12, epochs),
            Self::Train365Days => training(292, 73, epochs),
            Self::Infer1 => inference(1),
            Self::Infer256 => inference(256),
            Self::Train100People => {
                many_people(if quick { 2 } else { 100 }, if quick { 1 } else { 10 })
            }
            Self::TreesFit => trees_fit(SMALL),
            Self::TreesFitLarge => trees_fit(if quick { LARGE.with_rows(1_000) } else { LARGE }),
            Self::TreesPredict => trees_predict(),
            Self::Ets => ets(),
            Self::Correlations => correlations(),
            Self::ShapTrees => explanations::trees(Unknown::AsOnTheWay, 1),
            Self::ShapTrees256 => explanations::trees(Unknown::AsOnTheWay, 256),
            Self::ShapleyNetwork => explanations::network(if quick { 2 } else { 512 }),
            Self::Counterfactual => explanations::counterfactual(),
            Self::Randomisation => explanations::randomisation(),
            Self::ImportApple => importing(Export::Apple, quick),
            Self::ImportTakeout => importing(Export::Steps, quick),
            Self::ImportHealthConnect => importing(Export::HealthConnect, quick),
        }
    }
}

fn importing(export: Export, quick: bool) -> Box<dyn Fn()> {
    let folder = tempfile::tempdir().unwrap();
    let size = if quick { QUICK_SIZE } else { SIZE };
    let path = export.write(folder.path(), size).unwrap();
    Box::new(move || {
        // The folder lives as long as the work.
        black_box(exports::read(&path));
        black_box(folder.path());
    })
}

fn correlations() -> Box<dyn Fn()> {
    let analysis = Analysis::new();
    Box::new(move || {
        black_box(analysis.run(CorrelationMethod::ALL));
    })
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

fn many_people(people: usize, epochs: usize) -> Box<dyn Fn()> {
    let config = NetworkConfig::Lstm(LstmConfig {
        dropout: 0.2,
        ..LstmConfig::new(INPUTS, 32, 1)
    });
    Box::new(move || {
        let prepare = |number: usize| -> Result<FitJob, FitError> {
            Ok(FitJob {
                config: config.clone(),
                train: labelled(48),
                validation: labelled(12),
                options: FitOptions {
                    epochs,
                    patience: usize::MAX,
                    seed: number as u64,
                    ..FitOptions::default()
                },
            })
        };
        fit_many(people, prepare, |_, fitted| {
            black_box(fitted.unwrap());
            ControlFlow::Continue(())
        })
        .unwrap();
    })
}

/// Sizes of a table and of the trees that are grown on it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Forest {
    rows: usize,
    pub(crate) columns: usize,
    depth: usize,
    leaf_rows: usize,
}

pub(crate) const SMALL: Forest = Forest {
    rows: 365,
    columns: 20,
    depth: 4,
    leaf_rows: 1,
};
const LARGE: Forest = Forest {
    rows: 1_000_000,
    columns: 40,
    depth: 6,
    leaf_rows: 20,
};

impl Forest {
    pub(crate) fn with_rows(self, rows: usize) -> Self {
        Self { rows, ..self }
    }

    /// Random values, a tenth of them missing, row by row.
    fn drawn(self, random: &mut ChaCha8Rng) -> Vec<f32> {
        (0..self.rows * self.columns)
            .map(|_| {
                if random.random_bool(0.1) {
                    f32::NAN
                } else {
                    random.random_range(-1.0..1.0)
                }
            })
            .collect()
    }

    /// A table of which the first two columns count, a tenth of it missing, and its targets.
    pub(crate) fn table(self) -> (Table, Vec<f64>) {
        let mut random = ChaCha8Rng::seed_from_u64(9);
        let values = self.drawn(&mut random);
        let known = |value: f32| {
            if value.is_nan() {
                0.0
            } else {
                f64::from(value)
            }
        };
        let targets = values
            .chunks(self.columns)
            .map(|row| 60.0 + 3.0 * known(row[0]) * known(row[1]) + random.random_range(-0.5..0.5))
            .collect();
        (
            Table::new(self.rows, self.columns, values).unwrap(),
            targets,
        )
    }

    pub(crate) fn options(self) -> TreeOptions {
        TreeOptions {
            trees: 100,
            depth: self.depth,
            learning_rate: 0.1,
            leaf_rows: self.leaf_rows,
            ..TreeOptions::default()
        }
    }
}

fn trees_fit(forest: Forest) -> Box<dyn Fn()> {
    let (table, targets) = forest.table();
    Box::new(move || {
        black_box(BoostedTrees::fit(&table, &targets, &forest.options()).unwrap());
    })
}

fn trees_predict() -> Box<dyn Fn()> {
    let (learned, targets) = SMALL.table();
    let trees = BoostedTrees::fit(&learned, &targets, &SMALL.options()).unwrap();
    let (table, _) = SMALL.with_rows(256).table();
    Box::new(move || {
        black_box(trees.predict(&table).unwrap());
    })
}

fn ets() -> Box<dyn Fn()> {
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let week = [2.0, -1.0, 0.5, -2.5, 0.0, 1.5, -0.5];
    let history: Vec<Option<f64>> = (0..120)
        .map(|day| Some(60.0 + week[day % 7] + random.random_range(-1.0..1.0)))
        .collect();
    Box::new(move || {
        let model = SeriesMethod::Ets.fit(&history).unwrap();
        for lead in 1..=7 {
            black_box(model.forecast(&history, lead).unwrap());
        }
    })
}

fn inference(count: usize) -> Box<dyn Fn()> {
    let network = Network::new(&config(), 1).unwrap();
    let windows = windows(count);
    Box::new(move || {
        black_box(network.predict(&windows).unwrap());
    })
}

/// The default network as an ONNX file, without scaling.
pub fn default_onnx() -> Vec<u8> {
    let network = Network::new(&config(), 1).unwrap();
    network.to_onnx(None).unwrap()
}

pub(crate) fn config() -> NetworkConfig {
    NetworkConfig::Lstm(LstmConfig {
        dropout: 0.2,
        ..LstmConfig::new(INPUTS, 128, 2)
    })
}

fn windows(count: usize) -> Windows {
    Windows::new(count, DAYS, INPUTS, cells(count)).unwrap()
}

/// Random cells of so many windows.
pub(crate) fn cells(count: usize) -> Vec<f32> {
    let mut random = ChaCha8Rng::seed_from_u64(count as u64);
    (0..count * DAYS * INPUTS)
        .map(|_| random.random_range(-1.5_f32..1.5))
        .collect()
}

fn labelled(count: usize) -> LabelledWindows {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let labels = (0..count)
        .map(|_| random.random_range(-1.5_f32..1.5))
        .collect();
    LabelledWindows::new(windows(count), labels).unwrap()
}
