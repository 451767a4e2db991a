//! One LSTM of many people's windows, fine-tuned on a person.
//!
//! It reads the last days one by one and learns how far the next ones are from the person's base, both in
//! units of the person's own day-to-day spread. Its last layer begins at zero: an unlearned network says "as
//! usual". The forecast is a mean of what it says and of what the coefficients of the model of many people
//! say. How long it learns, what it is worth in that mean, and how far a fine-tuning is believed, are found
//! on people that a network has not seen.

#[cfg(test)]
mod tests;
mod train;

pub(crate) use train::of_person;

use crate::error::TrainingError;
use crate::network::{
    EpochReport, FitError, FitOptions, KeptEpoch, LabelledWindows, Loss, continue_network,
    fit_network,
};
use crate::pipeline::believed;
use rayon::prelude::*;
use std::ops::ControlFlow;
use vitalcast_inference::NetworkCorrection;
use vitalcast_models::{LstmConfig, ModelError, Network, NetworkConfig, Windows};
use vitalcast_pooled::{Learner, PooledModel};

/// Days of a window.
pub(crate) const DAYS: usize = 21;
/// Hidden units of the LSTM.
const HIDDEN: usize = 32;
/// Dropout rate of the head.
const DROPOUT: f64 = 0.2;
/// Passes over the windows, at most.
const EPOCHS: usize = 40;
/// Epochs without a smaller loss on people left out, after which learning ends.
const PATIENCE: usize = 6;
/// Windows of a batch.
const BATCH: usize = 64;
/// Learning rate of Adam.
const LEARNING_RATE: f64 = 1e-3;
/// Where errors begin to be large, in the person's spread: as for the coefficients.
const DELTA: f64 = 0.5;
/// Parts into which people are divided; each is forecast by a network of the others.
const FOLDS: usize = 3;
/// Windows that a network learns from at most; of more, every n-th.
const MOST_WINDOWS: usize = 20_000;
/// Passes over the person's windows when a network is fine-tuned, and their learning rate.
const TUNED_EPOCHS: usize = 5;
const TUNED_RATE: f64 = 3e-4;
/// Windows of a person from which on a network is fine-tuned.
const LEAST_TUNED: usize = 20;
/// Share of a person's windows, the first ones, that a fine-tuning learns from when it is tried.
const TRIED_SHARE: f64 = 0.7;
/// People on whom fine-tuning is tried, at most.
const MOST_TRIED: usize = 200;

/// What was learned from many people.
pub(crate) struct PooledLstm<'a> {
    model: &'a PooledModel,
    network: Network,
    /// What the network is worth in the mean with the coefficients, 0 to 1.
    pub(crate) share: f64,
    /// How far on the way from the weights of all people to fine-tuned ones a person's are.
    fine_tuning: f64,
    seed: u64,
}

/// Hears of each epoch, and can stop.
pub(crate) type OnEpoch<'c> = &'c mut dyn FnMut(&EpochReport) -> ControlFlow<()>;

impl<'a> PooledLstm<'a> {
    /// Learns from people; `None` when they have too few windows.
    pub(crate) fn fit(
        model: &'a PooledModel,
        people: &[Learner<'_>],
        seed: u64,
        on_epoch: OnEpoch<'_>,
    ) -> Result<Option<Self>, TrainingError> {
        let total: usize = people.iter().map(|learner| learner.targets.len()).sum();
        let every = total.div_ceil(MOST_WINDOWS).max(1);
        // Per person, so that the order does not depend on the number of threads.
        let sheets: Vec<Sheet> = people
            .par_iter()
            .enumerate()
            .map(|(index, learner)| Sheet::of(model, learner, every, index))
            .filter(|sheet| sheet.count > 0)
            .collect();
        let outputs = model.design().horizon;
        let config = NetworkConfig::Lstm(LstmConfig {
            dropout: DROPOUT,
            outputs,
            ..LstmConfig::new(model.design().window_width(), HIDDEN, 1)
        });
        let (mut epochs, mut of_fold) = (Vec::new(), Vec::new());
        let mut unseen_last = None;
        let (mut left, mut changed) = (Vec::new(), Vec::new());
        for fold in 0..FOLDS {
            let part = |inside: bool| -> Vec<&Sheet> {
                let places = sheets.iter().enumerate();
                places
                    .filter(|(place, _)| (place % FOLDS == fold) == inside)
                    .map(|(_, sheet)| sheet)
                    .collect()
            };
            let people = part(true);
            let (Some(train), Some(unseen)) = (
                labelled(&part(false), outputs)?,
                labelled(&people, outputs)?,
            ) else {
                return Ok(None);
            };
            let options = FitOptions {
                patience: PATIENCE,
                ..options(seed.wrapping_add(fold as u64), EPOCHS)
            };
            let fitted = cancelled(fit_network(&config, &train, &unseen, &options, on_epoch))?;
            epochs.push(fitted.outcome.best_epoch);
            let seen = fitted.network.predict(unseen.windows())?;
            let labels = people.iter().flat_map(|sheet| sheet.labels.iter());
            let said = people.iter().flat_map(|sheet| sheet.said.iter());
            for ((label, said), seen) in labels.zip(said).zip(seen) {
                if let Some(label) = label {
                    left.push(f64::from(label - said));
                    changed.push(f64::from(seen - said));
                }
            }
            of_fold.push(fitted.network);
            unseen_last = Some(unseen);
        }
        let (share, _) = believed(&left, &changed);
        epochs.sort_unstable();
        let everybody: Vec<&Sheet> = sheets.iter().collect();
        let Some(windows) = labelled(&everybody, outputs)? else {
            return Ok(None);
        };
        let options = FitOptions {
            kept: KeptEpoch::Last,
            ..options(seed, epochs[FOLDS / 2])
        };
        // Nobody is left out, so its loss on some of the people is only reported.
        let reported = unseen_last.as_ref().unwrap_or(&windows);
        let fitted = fit_network(&config, &windows, reported, &options, on_epoch);
        let network = cancelled(fitted)?.network;
        let fine_tuning = fine_tuning(&sheets, &of_fold, share, outputs, seed)?;
        Ok(Some(Self {
            model,
            network,
            share,
            fine_tuning,
            seed,
        }))
    }

    /// The network, fine-tuned on a person's days.
    pub(crate) fn of_person(
        &self,
        learner: &Learner<'_>,
    ) -> Result<NetworkCorrection, TrainingError> {
        let mut network = self.network.clone();
        if self.fine_tuning > 0.0 {
            let outputs = self.model.design().horizon;
            let sheet = Sheet::of(self.model, learner, 1, 0);
            if let Some(tuned) = tuned(&network, &sheet, outputs, self.seed)? {
                network = between(&network, &tuned, self.fine_tuning)?;
            }
        }
        Ok(NetworkCorrection::new(
            self.model, network, DAYS, self.share,
        )?)
    }
}

/// The windows of one person with their labels.
#[derive(Clone)]
struct Sheet {
    count: usize,
    width: usize,
    values: Vec<f32>,
    /// What happened, `[windows × leads]`.
    labels: Vec<Option<f32>>,
    /// What the coefficients say of it.
    said: Vec<f32>,
}

impl Sheet {
    fn of(model: &PooledModel, learner: &Learner<'_>, every: usize, index: usize) -> Self {
        let mut sheet = Self {
            count: 0,
            width: model.design().window_width(),
            values: Vec::new(),
            labels: Vec::new(),
            said: Vec::new(),
        };
        model.examples(learner, DAYS, |example| {
            if (example.origin + index).is_multiple_of(every) {
                sheet.count += 1;
                sheet.values.extend_from_slice(example.window);
                let happened = example.happened.iter();
                sheet
                    .labels
                    .extend(happened.map(|value| value.map(|value| value as f32)));
                sheet
                    .said
                    .extend(example.said.iter().map(|value| *value as f32));
            }
        });
        sheet
    }

    /// The first windows, and the others.
    fn split(&self, first: usize) -> [Self; 2] {
        let (values, other_values) = self.values.split_at(first * DAYS * self.width);
        let outputs = self.labels.len() / self.count.max(1);
        let (labels, other_labels) = self.labels.split_at(first * outputs);
        let (said, other_said) = self.said.split_at(first * outputs);
        let part = |count, values: &[f32], labels: &[Option<f32>], said: &[f32]| Self {
            count,
            width: self.width,
            values: values.to_vec(),
            labels: labels.to_vec(),
            said: said.to_vec(),
        };
        [
            part(first, values, labels, said),
            part(self.count - first, other_values, other_labels, other_said),
        ]
    }
}

/// The windows of some people; `None` when a lead has no label, or there are fewer than two.
fn labelled(sheets: &[&Sheet], outputs: usize) -> Result<Option<LabelledWindows>, TrainingError> {
    let count = sheets.iter().map(|sheet| sheet.count).sum();
    let width = sheets.first().map_or(0, |sheet| sheet.width);
    if count < 2 {
        return Ok(None);
    }
    let mut values = Vec::with_capacity(count * DAYS * width);
    let mut labels = Vec::with_capacity(count * outputs);
    for sheet in sheets {
        values.extend_from_slice(&sheet.values);
        labels.extend_from_slice(&sheet.labels);
    }
    let windows = Windows::new(count, DAYS, width, values)?;
    match LabelledWindows::with_missing(windows, outputs, labels) {
        Ok(labelled) => Ok(Some(labelled)),
        Err(FitError::Unlabelled(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The settings of a fit.
fn options(seed: u64, epochs: usize) -> FitOptions {
    FitOptions {
        epochs,
        batch_size: BATCH,
        learning_rate: LEARNING_RATE,
        patience: epochs,
        // So that as many epochs of another fit mean the same.
        constant_learning_rate: true,
        from_zero: true,
        loss: Loss::PseudoHuber { delta: DELTA },
        seed,
        ..FitOptions::default()
    }
}

/// A network fine-tuned on a person; `None` for a person with too few windows.
fn tuned(
    network: &Network,
    sheet: &Sheet,
    outputs: usize,
    seed: u64,
) -> Result<Option<Network>, TrainingError> {
    if sheet.count < LEAST_TUNED {
        return Ok(None);
    }
    let Some(windows) = labelled(&[sheet], outputs)? else {
        return Ok(None);
    };
    let options = FitOptions {
        learning_rate: TUNED_RATE,
        kept: KeptEpoch::Last,
        ..options(seed, TUNED_EPOCHS)
    };
    let weights = network.to_safetensors()?;
    let mut go_on = |_: &EpochReport| ControlFlow::Continue(());
    let config = network.config();
    let fitted = continue_network(config, &weights, &windows, &windows, &options, &mut go_on)?;
    Ok(Some(fitted.network))
}

/// The weights on the way from one network to another: for fine-tuning, Wortsman et al. 2022.
fn between(from: &Network, to: &Network, share: f64) -> Result<Network, ModelError> {
    let weights = from.weights().iter().zip(to.weights());
    let weights = weights.map(|(from, to)| from + share as f32 * (to - from));
    from.with_weights(weights.collect())
}

/// How far a fine-tuning is believed: it is tried on the first windows of people, with networks that have
/// not seen them, and what it changes on their other windows is compared with what happened there.
fn fine_tuning(
    sheets: &[Sheet],
    of_fold: &[Network],
    share: f64,
    outputs: usize,
    seed: u64,
) -> Result<f64, TrainingError> {
    let (mut left, mut changed) = (Vec::new(), Vec::new());
    let with_enough = sheets
        .iter()
        .enumerate()
        .filter(|(_, sheet)| (sheet.count as f64 * TRIED_SHARE) as usize >= LEAST_TUNED);
    for (place, sheet) in with_enough.take(MOST_TRIED) {
        let unseen = &of_fold[place % FOLDS];
        let [first, others] = sheet.split((sheet.count as f64 * TRIED_SHARE) as usize);
        let Some(tuned) = tuned(unseen, &first, outputs, seed)? else {
            continue;
        };
        let windows = Windows::new(others.count, DAYS, others.width, others.values)?;
        let (before, after) = (unseen.predict(&windows)?, tuned.predict(&windows)?);
        let happened = others.labels.iter().zip(&others.said);
        for ((label, said), (before, after)) in happened.zip(before.iter().zip(&after)) {
            if let Some(label) = label {
                let mean = said + share as f32 * (before - said);
                left.push(f64::from(label - mean));
                changed.push(f64::from(after - before));
            }
        }
    }
    if share <= 0.0 {
        return Ok(0.0);
    }
    // In the mean, a change of the network counts for its share.
    let (of_change, _) = believed(&left, &changed);
    Ok((of_change / share).clamp(0.0, 1.0))
}

fn cancelled<T>(fitted: Result<T, FitError>) -> Result<T, TrainingError> {
    match fitted {
        Err(FitError::Cancelled(_)) => Err(TrainingError::Cancelled),
        fitted => Ok(fitted?),
    }
}
