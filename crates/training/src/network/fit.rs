//! The training loop.

use super::adam::{Adam, clip_by_norm};
use super::error::FitError;
use super::labels::LabelledWindows;
use super::plateau::ReduceLrOnPlateau;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use std::ops::ControlFlow;
use vitalcast_models::{ComputeDevice, Learner, Network, NetworkConfig};

/// What a fit minimises, of each error in standardised units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Loss {
    /// The square of the error.
    Squared,
    /// 2δ (√(r² + δ²) − δ): the square of small errors r, and 2δ |r| of large ones (pseudo-Huber;
    /// Charbonnier et al. 1997).
    PseudoHuber {
        /// δ, above 0: where errors begin to be large.
        delta: f64,
    },
}

/// The epoch whose weights a fit keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeptEpoch {
    /// The one with the smallest validation loss.
    Best,
    /// The last one.
    Last,
}

impl Loss {
    fn of(self, error: f64) -> f64 {
        match self {
            Self::Squared => error * error,
            Self::PseudoHuber { delta } => {
                2.0 * delta * ((error * error + delta * delta).sqrt() - delta)
            }
        }
    }

    /// With a weight, in single precision where that is all that the gradient needs.
    fn weighted(self, error: f32, weight: f32) -> f64 {
        match self {
            Self::Squared => f64::from(error * error * weight),
            Self::PseudoHuber { .. } => self.of(f64::from(error)) * f64::from(weight),
        }
    }

    fn slope(self, error: f32) -> f32 {
        match self {
            Self::Squared => 2.0 * error,
            Self::PseudoHuber { delta } => {
                let delta = delta as f32;
                2.0 * delta * error / (error * error + delta * delta).sqrt()
            }
        }
    }
}

/// Options for fitting a network.
#[derive(Debug, Clone, PartialEq)]
pub struct FitOptions {
    /// Maximum number of epochs, at least 1.
    pub epochs: usize,
    /// Batch size in windows, at least 2.
    pub batch_size: usize,
    /// Learning rate of Adam, above 0.
    pub learning_rate: f64,
    /// Patience of early stopping: epochs without a better validation loss.
    pub patience: usize,
    /// Maximum norm of all gradients together (gradient clipping); `None` without clipping.
    pub clip_norm: Option<f64>,
    /// Whether the windows are shuffled in each epoch.
    pub shuffle: bool,
    /// Whether the learning rate stays constant instead of falling on a plateau.
    pub constant_learning_rate: bool,
    /// Whether the last layer begins at zero: until the network learns, it says 0.
    pub from_zero: bool,
    /// The epoch whose weights are kept.
    pub kept: KeptEpoch,
    /// What is minimised.
    pub loss: Loss,
    /// Random seed of initial weights, shuffling and dropout.
    pub seed: u64,
    /// The device.
    pub device: ComputeDevice,
}

impl Default for FitOptions {
    fn default() -> Self {
        Self {
            epochs: 50,
            batch_size: 32,
            learning_rate: 0.001,
            patience: 10,
            clip_norm: Some(1.0),
            shuffle: true,
            constant_learning_rate: false,
            from_zero: false,
            kept: KeptEpoch::Best,
            loss: Loss::Squared,
            seed: 0,
            device: ComputeDevice::default(),
        }
    }
}

/// The report at the end of an epoch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EpochReport {
    /// Number of the epoch, counted from 1.
    pub epoch: usize,
    /// Maximum number of epochs.
    pub epochs: usize,
    /// Mean loss over the epoch's training batches, standardised.
    pub train_loss: f64,
    /// Mean loss on validation windows.
    pub validation_loss: f64,
    /// Lowest validation loss so far.
    pub best_validation_loss: f64,
    /// Learning rate of this epoch.
    pub learning_rate: f64,
}

/// The report of a fit.
#[derive(Debug, Clone, PartialEq)]
pub struct FitOutcome {
    /// Number of epochs.
    pub epochs_trained: usize,
    /// Whether early stopping ended the training.
    pub early_stopped: bool,
    /// Epoch of the final weights.
    pub best_epoch: usize,
    /// Training loss of the last epoch.
    pub train_loss: f64,
    /// Validation loss of the last epoch.
    pub validation_loss: f64,
    /// Validation loss of the final weights.
    pub best_validation_loss: f64,
}

/// A fitted network.
#[derive(Debug)]
pub struct FittedNetwork {
    /// The network with the weights of the best epoch.
    pub network: Network,
    /// The report of the fit.
    pub outcome: FitOutcome,
}

/// Fits a network.
///
/// The loss is the mean over outputs of each output's mean loss over the labels it has.
///
/// `on_epoch` hears of every epoch and may cancel. The training windows are read in batches of
/// `batch_size`; a last batch of one, which batch norm cannot take, joins the batch before it.
///
/// # Errors
///
/// [`FitError::TooFewWindows`], [`FitError::Option`], [`FitError::Diverged`] for a loss that is not
/// finite, [`FitError::Cancelled`], and what the network refuses.
pub fn fit_network(
    config: &NetworkConfig,
    train: &LabelledWindows,
    validation: &LabelledWindows,
    options: &FitOptions,
    on_epoch: &mut dyn FnMut(&EpochReport) -> ControlFlow<()>,
) -> Result<FittedNetwork, FitError> {
    let mut network = Network::new(config, options.seed)?;
    if options.from_zero {
        for output in 0..config.outputs() {
            network = network.with_output_scaled(output, 0.0, 0.0)?;
        }
    }
    run(&network, train, validation, options, on_epoch)
}

/// Continues fitting a network from weights in safetensors, like [`fit_network`] from initial weights.
///
/// # Errors
///
/// The errors of [`fit_network`], and an error for weights that do not match the configuration.
pub fn continue_network(
    config: &NetworkConfig,
    weights: &[u8],
    train: &LabelledWindows,
    validation: &LabelledWindows,
    options: &FitOptions,
    on_epoch: &mut dyn FnMut(&EpochReport) -> ControlFlow<()>,
) -> Result<FittedNetwork, FitError> {
    let network = Network::from_safetensors(config, weights)?;
    run(&network, train, validation, options, on_epoch)
}

fn run(
    network: &Network,
    train: &LabelledWindows,
    validation: &LabelledWindows,
    options: &FitOptions,
    on_epoch: &mut dyn FnMut(&EpochReport) -> ControlFlow<()>,
) -> Result<FittedNetwork, FitError> {
    let mut fitting = Fitting::new(network, options)?;
    network.check_width(&train.windows)?;
    network.check_width(&validation.windows)?;
    let expected = network.config().outputs();
    for data in [train, validation] {
        if data.outputs() != expected {
            return Err(FitError::Outputs {
                expected,
                found: data.outputs(),
            });
        }
    }
    if train.count() < 2 {
        return Err(FitError::TooFewWindows(train.count()));
    }
    let mut schedule = ReduceLrOnPlateau::new(options.learning_rate);
    let mut order: Vec<usize> = (0..train.count()).collect();
    let mut random = ChaCha8Rng::seed_from_u64(options.seed.wrapping_add(1));
    let mut best: Option<(f64, usize, Network)> = None;
    let mut last = None;
    for epoch in 1..=options.epochs {
        if options.shuffle {
            order.shuffle(&mut random);
        }
        let learning_rate = schedule.learning_rate();
        let train_loss = fitting.epoch(train, &order, options, learning_rate)?;
        let network = fitting.learner.network();
        let validation_loss = loss(&network, validation, options.loss)?;
        if !train_loss.is_finite() || !validation_loss.is_finite() {
            return Err(FitError::Diverged {
                epoch,
                learning_rate,
            });
        }
        if !options.constant_learning_rate {
            schedule.step(validation_loss);
        }
        if options.kept == KeptEpoch::Last
            || best
                .as_ref()
                .is_none_or(|(loss, ..)| validation_loss < *loss)
        {
            best = Some((validation_loss, epoch, network));
        }
        let (best_loss, best_epoch) = best
            .as_ref()
            .map_or((validation_loss, epoch), |(loss, epoch, _)| (*loss, *epoch));
        let report = EpochReport {
            epoch,
            epochs: options.epochs,
            train_loss,
            validation_loss,
            best_validation_loss: best_loss,
            learning_rate,
        };
        last = Some(report);
        if on_epoch(&report).is_break() {
            return Err(FitError::Cancelled(epoch));
        }
        if epoch - best_epoch >= options.patience {
            break;
        }
    }
    let (Some(last), Some((best_validation_loss, best_epoch, network))) = (last, best) else {
        unreachable!("at least one epoch was run");
    };
    Ok(FittedNetwork {
        network,
        outcome: FitOutcome {
            epochs_trained: last.epoch,
            early_stopped: last.epoch < options.epochs,
            best_epoch,
            train_loss: last.train_loss,
            validation_loss: last.validation_loss,
            best_validation_loss,
        },
    })
}

/// A network during training, with its optimizer.
struct Fitting {
    learner: Learner,
    optimizer: Adam,
    /// Of the loss by each output.
    gradient: Vec<f32>,
}

impl Fitting {
    fn new(network: &Network, options: &FitOptions) -> Result<Self, FitError> {
        check(options)?;
        Ok(Self {
            learner: Learner::new(network, options.seed, options.device)?,
            optimizer: Adam::new(network.weights().len()),
            gradient: Vec::new(),
        })
    }

    /// One pass over the windows in the given order; the mean loss of its batches.
    fn epoch(
        &mut self,
        data: &LabelledWindows,
        order: &[usize],
        options: &FitOptions,
        learning_rate: f64,
    ) -> Result<f64, FitError> {
        let mut sum = 0.0;
        for batch in batches(order, options.batch_size) {
            let loss = self.step(data, batch, options, learning_rate)?;
            sum += loss * batch.len() as f64;
        }
        Ok(sum / order.len() as f64)
    }

    /// One step of Adam on one batch; the loss before it.
    fn step(
        &mut self,
        data: &LabelledWindows,
        batch: &[usize],
        options: &FitOptions,
        learning_rate: f64,
    ) -> Result<f64, FitError> {
        let (labels, weights) = data.weighted(batch);
        let output = self.learner.forward(&data.windows, batch)?;
        let mut loss = 0.0;
        self.gradient.clear();
        for ((output, label), weight) in output.iter().zip(labels).zip(weights) {
            let error = output - label;
            loss += options.loss.weighted(error, weight);
            self.gradient.push(options.loss.slope(error) * weight);
        }
        self.learner.backward(&self.gradient);
        let optimizer = &mut self.optimizer;
        self.learner.update(|weights, gradients| {
            if let Some(limit) = options.clip_norm {
                clip_by_norm(gradients, limit);
            }
            optimizer.step(learning_rate, weights, gradients);
        });
        Ok(loss)
    }
}

fn check(options: &FitOptions) -> Result<(), FitError> {
    let refuse = |field, expected, found| {
        Err(FitError::Option {
            field,
            expected,
            found,
        })
    };
    if options.epochs == 0 {
        return refuse("epochs", "at least 1", 0.0);
    }
    if options.batch_size < 2 {
        return refuse("batch_size", "at least 2", options.batch_size as f64);
    }
    if !(options.learning_rate > 0.0 && options.learning_rate.is_finite()) {
        return refuse("learning_rate", "above 0 and finite", options.learning_rate);
    }
    if let Loss::PseudoHuber { delta } = options.loss
        && !(delta > 0.0 && delta.is_finite())
    {
        return refuse("delta", "above 0 and finite", delta);
    }
    match options.clip_norm {
        Some(limit) if limit.is_nan() || limit <= 0.0 => refuse("clip_norm", "above 0", limit),
        _ => Ok(()),
    }
}

/// Cuts an order into batches; a last one of a single window joins the one before.
fn batches(order: &[usize], size: usize) -> impl Iterator<Item = &[usize]> {
    let full = order.len() / size;
    let alone = order.len() % size == 1 && full > 0;
    let count = if alone {
        full
    } else {
        order.len().div_ceil(size)
    };
    (0..count).map(move |index| {
        let end = if index + 1 == count {
            order.len()
        } else {
            (index + 1) * size
        };
        &order[index * size..end]
    })
}

/// Mean loss with running statistics and without dropout: of each output over its labels, and of all
/// outputs.
fn loss(network: &Network, data: &LabelledWindows, loss: Loss) -> Result<f64, FitError> {
    let forecasts = network.predict(&data.windows)?;
    let everything: Vec<usize> = (0..data.count()).collect();
    let (labels, weights) = data.weighted(&everything);
    Ok(forecasts
        .iter()
        .zip(labels)
        .zip(weights)
        .map(|((forecast, label), weight)| loss.of(f64::from(forecast - label)) * f64::from(weight))
        .sum())
}

#[cfg(test)]
mod tests {
    use super::*;
    use vitalcast_models::{LstmConfig, Windows};

    fn lstm(dropout: f64) -> NetworkConfig {
        NetworkConfig::Lstm(LstmConfig {
            dropout,
            ..LstmConfig::new(3, 8, 2)
        })
    }

    /// Windows whose label is the mean of their first feature.
    fn data(count: usize) -> LabelledWindows {
        let (lookback, features) = (5, 3);
        let values: Vec<f32> = (0..count * lookback * features)
            .map(|index| ((index * 37) % 101) as f32 / 50.0 - 1.0)
            .collect();
        let labels = values
            .chunks(lookback * features)
            .map(|window| window.iter().step_by(features).sum::<f32>() / lookback as f32)
            .collect();
        let windows = Windows::new(count, lookback, features, values).unwrap();
        LabelledWindows::new(windows, labels).unwrap()
    }

    fn fit(count: usize, options: &FitOptions) -> Result<FittedNetwork, FitError> {
        let keep_on = &mut |_: &EpochReport| ControlFlow::Continue(());
        fit_network(&lstm(0.2), &data(count), &data(6), options, keep_on)
    }

    fn short(epochs: usize) -> FitOptions {
        FitOptions {
            epochs,
            learning_rate: 0.01,
            ..FitOptions::default()
        }
    }

    #[test]
    fn the_loss_falls_on_one_repeated_batch() {
        let network = Network::new(&lstm(0.0), 1).unwrap();
        let mut fitting = Fitting::new(&network, &short(1)).unwrap();
        let data = data(16);
        let order: Vec<usize> = (0..16).collect();
        let losses: Vec<f64> = (0..30)
            .map(|_| fitting.epoch(&data, &order, &short(1), 0.01).unwrap())
            .collect();
        assert!(losses[29] < 0.5 * losses[0], "{losses:?}");
    }

    #[test]
    fn the_slope_of_a_loss_is_its_slope() {
        for loss in [Loss::Squared, Loss::PseudoHuber { delta: 0.5 }] {
            for error in [-3.0_f32, -0.2, 0.0, 0.7, 40.0] {
                let at = |shift: f64| loss.of(f64::from(error) + shift);
                let expected = (at(1e-4) - at(-1e-4)) / 2e-4;
                let found = f64::from(loss.slope(error));
                assert!((found - expected).abs() < 1e-4, "{loss:?} {error}");
            }
        }
        // Small errors count as squares, large ones by their size.
        let robust = Loss::PseudoHuber { delta: 0.5 };
        assert!((robust.of(0.01) - 1e-4).abs() < 1e-7);
        assert!((robust.of(1_000.0) - (1_000.0 - 0.5)).abs() < 1e-3);
    }

    #[test]
    fn the_last_weights_are_kept_where_asked_for() {
        let options = FitOptions {
            kept: KeptEpoch::Last,
            ..short(12)
        };
        let fitted = fit(20, &options).unwrap();
        assert_eq!(fitted.outcome.best_epoch, 12);
        assert_eq!(
            fitted.outcome.best_validation_loss,
            fitted.outcome.validation_loss
        );
    }

    #[test]
    fn every_weight_moves_in_one_step() {
        let network = Network::new(&lstm(0.0), 1).unwrap();
        let before = network.to_safetensors().unwrap();
        let mut fitting = Fitting::new(&network, &short(1)).unwrap();
        let order: Vec<usize> = (0..16).collect();
        fitting.epoch(&data(16), &order, &short(1), 0.01).unwrap();
        let after = fitting.learner.network().to_safetensors().unwrap();
        let read = |bytes: &[u8]| -> Vec<(String, Vec<u8>)> {
            safetensors::SafeTensors::deserialize(bytes)
                .unwrap()
                .tensors()
                .into_iter()
                .map(|(name, view)| (name, view.data().to_vec()))
                .collect()
        };
        for ((name, before), (_, after)) in read(&before).into_iter().zip(read(&after)) {
            assert_ne!(before, after, "{name} did not move");
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_weights_and_another_seed_others() {
        let weights = |seed| {
            let options = FitOptions { seed, ..short(3) };
            fit(20, &options).unwrap().network.to_safetensors().unwrap()
        };
        assert!(weights(1) == weights(1));
        assert!(weights(1) != weights(2));
    }

    #[test]
    fn the_number_of_threads_changes_no_bit() {
        let weights = |threads| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            let fitted = pool.install(|| fit(70, &short(3)).unwrap());
            fitted.network.to_safetensors().unwrap()
        };
        let one = weights(1);
        assert!(one == weights(2));
        assert!(one == weights(3));
    }

    #[test]
    fn a_last_batch_of_one_joins_the_one_before() {
        let order: Vec<usize> = (0..33).collect();
        let sizes: Vec<usize> = batches(&order, 32).map(<[usize]>::len).collect();
        assert_eq!(sizes, [33]);
        let sizes: Vec<usize> = batches(&order[..32], 15).map(<[usize]>::len).collect();
        assert_eq!(sizes, [15, 15, 2]);
        assert!(fit(33, &short(1)).is_ok());
    }

    #[test]
    fn one_window_is_too_few() {
        assert!(matches!(fit(1, &short(1)), Err(FitError::TooFewWindows(1))));
    }

    #[test]
    fn the_weights_of_the_best_epoch_are_kept() {
        let mut losses = Vec::new();
        let fitted = fit_network(
            &lstm(0.0),
            &data(20),
            &data(6),
            &FitOptions {
                learning_rate: 0.3,
                ..short(25)
            },
            &mut |report| {
                losses.push(report.validation_loss);
                ControlFlow::Continue(())
            },
        )
        .unwrap();
        let lowest = losses.iter().copied().fold(f64::INFINITY, f64::min);
        assert_eq!(fitted.outcome.best_validation_loss, lowest);
        let again = loss(&fitted.network, &data(6), Loss::Squared).unwrap();
        assert!((again - lowest).abs() < 1e-6, "{again} {lowest}");
    }

    #[test]
    fn patience_stops_a_training_that_no_longer_gets_better() {
        let options = FitOptions {
            patience: 2,
            learning_rate: 1e-12,
            ..short(50)
        };
        let outcome = fit(20, &options).unwrap().outcome;
        assert!(outcome.early_stopped);
        assert!(outcome.epochs_trained < 50, "{outcome:?}");
    }

    #[test]
    fn a_caller_can_cancel() {
        let cancelled = fit_network(&lstm(0.2), &data(20), &data(6), &short(50), &mut |report| {
            if report.epoch == 2 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        assert!(matches!(cancelled, Err(FitError::Cancelled(2))));
    }

    #[test]
    fn options_out_of_bounds_are_refused_by_name() {
        for (options, field) in [
            (
                FitOptions {
                    epochs: 0,
                    ..short(1)
                },
                "epochs",
            ),
            (
                FitOptions {
                    batch_size: 1,
                    ..short(1)
                },
                "batch_size",
            ),
            (
                FitOptions {
                    learning_rate: f64::NAN,
                    ..short(1)
                },
                "learning_rate",
            ),
            (
                FitOptions {
                    clip_norm: Some(0.0),
                    ..short(1)
                },
                "clip_norm",
            ),
        ] {
            let error = fit(20, &options).unwrap_err();
            assert!(error.to_string().starts_with(field), "{error}");
        }
    }
}
