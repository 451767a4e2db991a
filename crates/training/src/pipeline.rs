//! One training run: history → windows → split → fit → report → artifact.
//!
//! Every choice (weights, stop, learning rate, baseline) is made on days before the test part, and errors
//! are reported on that part only. The interval rests on the residuals of validation and test part
//! together; nothing is reported on how often it holds there. See
//! `docs/decisions/0005-split-and-intervals.md`.

use crate::error::TrainingError;
use crate::kinds::{FittedOn, Fitting, NetworkKind};
use crate::network::{EpochReport, FitError, FitOptions, FitOutcome, LabelledWindows, fit_network};
use crate::pooled::{self, ManyPeople, PooledTraining};
use crate::pooled_lstm;
use crate::report::{Baseline, Report, best_simple_baseline};
use chrono::{Days, NaiveDate};
use std::borrow::Cow;
use std::ops::ControlFlow;
use vitalcast_artifact::{Artifact, Deviation, Manifest, ReportedMetrics, WindowCounts};
use vitalcast_domain::{AsOf, History, ModelFamily, PredictionMetric, TrainModelRequest};
use vitalcast_evaluation::{ProductionReadiness, Replayed, mean};
use vitalcast_features::daily_values;
use vitalcast_inference::{DayLayout, FittedModel, network_windows};
use vitalcast_models::{
    ComputeDevice, LinearConfig, LstmConfig, Network, NetworkConfig, SeriesForecaster,
    SeriesMethod, SeriesModel,
};
use vitalcast_windows::{
    ChronologicalSplit, Horizon, Lookback, SplitFractions, StandardScaler, TargetScaler, Window,
    WindowEnd, cut_windows,
};

/// Days with a reading that a training needs at least (reference contract, B.3).
const MIN_TARGET_DAYS: usize = 30;
/// Windows that a training needs at least (reference contract: sequence length + 10 aligned days).
const MIN_WINDOWS: usize = 10;
/// Standard errors that are taken from what a network is believed.
const DOUBT: f64 = 3.0;
/// Observed days of the metric a window must show, as a share of its length: a window whose past
/// shows nothing of the metric teaches nothing.
const MIN_OBSERVED_SHARE: f64 = 0.2;

/// The result of a training run.
#[derive(Debug)]
pub struct Trained {
    /// The model, ready to forecast.
    pub model: FittedModel,
    /// The model as an artifact.
    pub artifact: Artifact,
    /// Losses and epochs, for the report; not part of the artifact's bytes beyond its metrics.
    pub epochs_trained: usize,
    /// Whether early stopping ended the training.
    pub early_stopped: bool,
}

/// Trains a model on the data known at `as_of`. Networks are fitted on `device`; forecasts always run
/// on the CPU. The model is compared with `served`, the model of many people that forecasts without it;
/// `None` stands for the one of this release.
///
/// `on_epoch` is called after each epoch and can cancel the training.
///
/// # Errors
///
/// [`TrainingError::NotEnoughDays`] and [`TrainingError::NotEnoughWindows`] with counts, shortfall
/// and date range; [`TrainingError::Setting`] for a device and a model that is no network of one person;
/// [`TrainingError::Cancelled`]; what the parts refuse.
pub fn train(
    history: &History,
    request: &TrainModelRequest,
    as_of: AsOf,
    device: ComputeDevice,
    served: Option<&ManyPeople<'_>>,
    on_epoch: &mut dyn FnMut(&EpochReport) -> ControlFlow<()>,
) -> Result<Trained, TrainingError> {
    let nobody = PooledTraining::new(request.metric, as_of);
    train_among(history, request, as_of, device, (served, &nobody), on_epoch)
}

/// [`train`] where there are other people, whose days a model may learn from that learns from many.
///
/// # Errors
///
/// Those of [`train`]; [`TrainingError::Pooled`] for too few people.
pub fn train_among(
    history: &History,
    request: &TrainModelRequest,
    as_of: AsOf,
    device: ComputeDevice,
    (served, others): (Option<&ManyPeople<'_>>, &PooledTraining),
    on_epoch: &mut dyn FnMut(&EpochReport) -> ControlFlow<()>,
) -> Result<Trained, TrainingError> {
    request.validate()?;
    let fitting = Fitting::of(request);
    if device != ComputeDevice::default() && !matches!(fitting, Fitting::Network(_)) {
        return Err(TrainingError::Setting(format!(
            "device {device} fits the networks of one person; {} is fitted on the CPU, without a device",
            request.architecture
        )));
    }
    if fitting == Fitting::OfManyPeople {
        return pooled::of_many_people(history, request, as_of, served);
    }
    if fitting == Fitting::LstmOfManyPeople {
        return pooled_lstm::of_person(history, request, as_of, others, served, on_epoch);
    }
    let data = prepare(history, request, as_of)?;
    let (metric, lookback) = (request.metric, request.sequence_length);
    let (model, fit) = match fitting {
        Fitting::Network(kind) => {
            let (model, fit) = fit(&data, request, kind, device, on_epoch)?;
            (model, Some(fit))
        }
        Fitting::Series { method, on } => {
            let series = method.fit(&days_to_fit(&data, on))?;
            (FittedModel::series(metric, lookback, series), None)
        }
        Fitting::Average { methods, on } => {
            let average = SeriesMethod::fit_average(&methods, &days_to_fit(&data, on))?;
            (FittedModel::average(metric, lookback, average), None)
        }
        Fitting::OfManyPeople | Fitting::LstmOfManyPeople => {
            return Err(TrainingError::NoPopulation(metric));
        }
    };
    let report = Report::of(&model, &data, history, as_of, served)?;
    let artifact = assemble_artifact(&model, &data, request, device, fit.as_ref(), &report)?;
    Ok(Trained {
        model,
        artifact,
        epochs_trained: epochs_trained(request, fit.as_ref()),
        early_stopped: fit.is_some_and(|fit| fit.outcome.early_stopped),
    })
}

fn epochs_trained(request: &TrainModelRequest, fit: Option<&NetworkFit>) -> usize {
    if let Some(fit) = fit {
        return fit.outcome.epochs_trained;
    }
    match request.architecture.family() {
        ModelFamily::Trees => request.epochs,
        ModelFamily::Lstm
        | ModelFamily::Linear
        | ModelFamily::Ridge
        | ModelFamily::Series
        | ModelFamily::Pooled => 0,
    }
}

/// The prepared data of a training: layout and split.
pub(crate) struct Prepared {
    pub(crate) layout: DayLayout,
    /// The metric's daily values as known at the end: what the windows are labelled with.
    pub(crate) targets: Vec<Option<f64>>,
    /// Daily values of the other metrics that a network of many outputs learns beside.
    beside: Vec<Vec<Option<f64>>>,
    pub(crate) split: ChronologicalSplit,
    pub(crate) first_day: NaiveDate,
    last_day: NaiveDate,
}

impl Prepared {
    fn label(&self, window: &Window) -> f64 {
        self.targets[window.target_row].expect("windows are cut only where the target is observed")
    }

    /// The windows to learn from: those of unusual days would be learned by heart. All of them when
    /// there are no others. Errors are reported on unusual days, too.
    fn usual(&self, windows: &[Window]) -> Vec<Window> {
        let usual: Vec<Window> = windows
            .iter()
            .filter(|window| !self.layout.is_unusual(window.target_row))
            .copied()
            .collect();
        if usual.is_empty() {
            windows.to_vec()
        } else {
            usual
        }
    }
}

/// The windows as read on the evening of their last day; with hidden days, on the evening of the last
/// day before those.
pub(crate) fn read(windows: &[Window], hidden_days: usize) -> Vec<WindowEnd> {
    windows
        .iter()
        .map(|window| WindowEnd::on_evening(window.last_row, hidden_days))
        .collect()
}

fn prepare(
    history: &History,
    request: &TrainModelRequest,
    as_of: AsOf,
) -> Result<Prepared, TrainingError> {
    let metric = request.metric;
    let (first_day, last_day) = training_span(history, request.lookback_days, as_of);
    let targets = daily_values(history, metric.metric_type(), first_day, last_day, as_of)?;
    let found = targets.iter().flatten().count();
    if found < MIN_TARGET_DAYS {
        return Err(TrainingError::NotEnoughDays {
            metric,
            found,
            needed: MIN_TARGET_DAYS,
            missing: MIN_TARGET_DAYS - found,
            first: first_day,
            last: last_day,
        });
    }
    let lookback = request.sequence_length;
    let layout = DayLayout::new(history, metric, first_day, last_day, lookback, as_of)?
        .with_whole_series(history, metric, as_of)?;
    let least = (request.sequence_length as f64 * MIN_OBSERVED_SHARE).ceil() as usize;
    let windows = cut_windows(
        &targets,
        layout.own_history(),
        Lookback::new(request.sequence_length)?,
        Horizon::new(1)?,
        least,
    )?;
    if windows.len() < MIN_WINDOWS {
        return Err(TrainingError::NotEnoughWindows {
            metric,
            sequence_length: request.sequence_length,
            found: windows.len(),
            needed: MIN_WINDOWS,
            missing: MIN_WINDOWS - windows.len(),
            first: first_day,
            last: last_day,
        });
    }
    let split = ChronologicalSplit::new(
        &windows,
        SplitFractions {
            validation: request.validation_split,
            calibration: 0.0,
            test: request.validation_split,
        },
    )?;
    let learns_others = matches!(
        Fitting::of(request),
        Fitting::Network(NetworkKind::Lstm {
            other_metrics: true,
            ..
        })
    );
    let beside = if learns_others {
        PredictionMetric::ALL
            .iter()
            .filter(|other| **other != metric)
            .map(|other| daily_values(history, other.metric_type(), first_day, last_day, as_of))
            .collect::<Result<Vec<_>, _>>()?
    } else {
        Vec::new()
    };
    Ok(Prepared {
        layout,
        targets,
        beside,
        split,
        first_day,
        last_day,
    })
}

/// The last `lookback_days` finished days with any record known at `as_of`; without any record, the
/// last days before `as_of`.
fn training_span(history: &History, lookback_days: usize, as_of: AsOf) -> (NaiveDate, NaiveDate) {
    let profile = &history.profile;
    let known = || {
        history
            .records
            .iter()
            .map(vitalcast_domain::Record::provenance)
            .filter(|provenance| {
                provenance.known_at <= as_of && profile.evening_of(provenance.day) <= as_of
            })
            .map(|provenance| provenance.day)
    };
    let last = known()
        .max()
        .unwrap_or(profile.day_of(as_of) - Days::new(1));
    let earliest = last - Days::new(lookback_days as u64 - 1);
    (
        known().min().map_or(earliest, |first| first.max(earliest)),
        last,
    )
}

/// The report of a network's fit.
struct NetworkFit {
    outcome: FitOutcome,
    deviation: Deviation,
}

fn fit(
    data: &Prepared,
    request: &TrainModelRequest,
    kind: NetworkKind,
    device: ComputeDevice,
    on_epoch: &mut dyn FnMut(&EpochReport) -> ControlFlow<()>,
) -> Result<(FittedModel, NetworkFit), TrainingError> {
    // Scalers see the days that training windows read and nothing after them.
    let last_training_row = data.split.train.last().map_or(0, |window| window.last_row);
    let features = StandardScaler::fit(data.layout.matrix(), 0..last_training_row + 1)?;
    let train = data.usual(&data.split.train);
    let lookback = Some(request.sequence_length);
    let base = best_simple_baseline(data, lookback).unwrap_or(SeriesModel::Naive);
    let baseline = Baseline {
        kind: &base,
        data,
        lookback,
    };
    let usual = |window: &Window| baseline.forecast(0, window.target_row, 1);
    let deviations: Vec<f64> = train
        .iter()
        .filter_map(|window| Some(data.label(window) - usual(window)?))
        .collect();
    let target = TargetScaler::fit_deviations(&deviations)?;
    let beside = beside(data)?;
    // The metric itself is the first output; forecasts are made of it alone.
    let outputs = 1 + beside.len();
    let labelled = |windows: &[Window]| -> Result<LabelledWindows, TrainingError> {
        let inputs = network_windows(
            &data.layout,
            &features,
            &read(windows, 0),
            request.sequence_length,
            0,
        )?;
        let labels = windows
            .iter()
            .flat_map(|window| {
                let own =
                    usual(window).map(|usual| target.transform(data.label(window) - usual) as f32);
                let others = beside.iter().map(|(values, scaler)| {
                    values[window.target_row].map(|value| scaler.transform(value) as f32)
                });
                std::iter::once(own).chain(others)
            })
            .collect();
        Ok(LabelledWindows::with_missing(inputs, outputs, labels)?)
    };
    let input_width = 2 * data.layout.matrix().columns().len();
    let config = match kind {
        NetworkKind::Lstm { read_out, head, .. } => NetworkConfig::Lstm(LstmConfig {
            dropout: request.dropout,
            bidirectional: request.bidirectional,
            outputs,
            read_out,
            head,
            ..LstmConfig::new(input_width, request.hidden_dim, request.num_layers)
        }),
        NetworkKind::Linear => NetworkConfig::Linear(LinearConfig {
            input_width,
            outputs,
        }),
    };
    let options = FitOptions {
        epochs: request.epochs,
        batch_size: request.batch_size,
        learning_rate: request.learning_rate,
        from_zero: true,
        seed: request.seed,
        device,
        ..FitOptions::default()
    };
    let train = labelled(&train)?;
    let validation = labelled(&data.usual(&data.split.validation))?;
    let fitted = match fit_network(&config, &train, &validation, &options, on_epoch) {
        Err(FitError::Cancelled(_)) => return Err(TrainingError::Cancelled),
        fitted => fitted?,
    };
    // Read back as it will be from the artifact, on the CPU, wherever it was fitted.
    let network = Network::from_safetensors(&config, &fitted.network.to_safetensors()?)?;
    let said = network.predict(validation.windows())?;
    let said = said.into_iter().step_by(outputs).map(f64::from);
    let (happened, said): (Vec<f64>, Vec<f64>) = validation
        .of_output(0)
        .zip(said)
        .filter_map(|(label, said)| Some((f64::from(label?), said)))
        .unzip();
    let (share, middle) = believed(&happened, &said);
    let network = network.with_output_scaled(0, share as f32, (-share * middle) as f32)?;
    let deviation = Deviation {
        base: base.name().to_owned(),
        share,
    };
    let model = FittedModel::network(
        request.metric,
        request.sequence_length,
        network,
        features,
        target,
        Some(base),
    );
    let outcome = fitted.outcome;
    Ok((model, NetworkFit { outcome, deviation }))
}

/// Which share of what a network says on validation days is believed, 0 to 1, and the mean of what it says
/// there, which is not: days in a row that are all above or below the base say nothing about others. The
/// share is the least-squares slope of what happened on what it said, both without their means, less three
/// standard errors: the epoch that did best on these days was chosen before. A network that has learned nothing that holds on these days is not believed at
/// all, and the forecast is its base.
pub(crate) fn believed(happened: &[f64], said: &[f64]) -> (f64, f64) {
    let (Some(middle), Some(usual)) = (mean(said.iter().copied()), mean(happened.iter().copied()))
    else {
        return (0.0, 0.0);
    };
    let both = || {
        happened
            .iter()
            .zip(said)
            .map(|(happened, said)| (happened - usual, said - middle))
    };
    let squares: f64 = both().map(|(_, said)| said * said).sum();
    let freedom = happened.len() as f64 - 2.0;
    if squares <= 0.0 || freedom <= 0.0 {
        return (0.0, middle);
    }
    let slope = both().map(|(happened, said)| happened * said).sum::<f64>() / squares;
    let rest: f64 = both()
        .map(|(happened, said)| (happened - slope * said).powi(2))
        .sum();
    let error = (rest / freedom / squares).sqrt();
    ((slope - DOUBT * error).clamp(0.0, 1.0), middle)
}

/// Daily values of another metric, and their scaler.
type Beside<'a> = (&'a [Option<f64>], TargetScaler);

/// The other metrics that have a value beside both a training and a validation window, with the scaler
/// of each.
fn beside(data: &Prepared) -> Result<Vec<Beside<'_>>, TrainingError> {
    let values = |of: &[Option<f64>], windows: &[Window]| -> Vec<f64> {
        windows
            .iter()
            .filter_map(|window| of[window.target_row])
            .collect()
    };
    data.beside
        .iter()
        .filter(|of| !values(of, &data.split.validation).is_empty())
        .map(|of| (of.as_slice(), values(of, &data.split.train)))
        .filter(|(_, training)| !training.is_empty())
        .map(|(of, training)| Ok((of, TargetScaler::fit(&training)?)))
        .collect()
}

/// The metric's own days that a model of them is fitted on, as known on the evening of the last.
fn days_to_fit(data: &Prepared, on: FittedOn) -> Cow<'_, [Option<f64>]> {
    let before = |part: &[Window]| {
        let first = part.first();
        let end = first.map_or(data.targets.len(), |window| window.target_row);
        data.layout.known(0..end, end.saturating_sub(1))
    };
    match on {
        FittedOn::NoDays => Cow::Borrowed(&[]),
        FittedOn::DaysBeforeTest => before(&data.split.test),
        FittedOn::TrainingDays => before(&data.split.validation),
    }
}

fn assemble_artifact(
    model: &FittedModel,
    data: &Prepared,
    request: &TrainModelRequest,
    device: ComputeDevice,
    fit: Option<&NetworkFit>,
    report: &Report,
) -> Result<Artifact, TrainingError> {
    let accuracy = &report.accuracy;
    let readiness = ProductionReadiness::assess(accuracy.r2, accuracy.mape);
    let config = match model.network_config() {
        Some(config) => serde_json::to_value(config).unwrap_or_default(),
        None => serde_json::Value::Null,
    };
    let manifest = Manifest {
        metric: request.metric,
        architecture: request.architecture,
        config,
        feature_names: if model.network_config().is_some() {
            vitalcast_features::model_inputs()
                .map(|input| input.name.to_owned())
                .collect()
        } else {
            // It reads the metric's own days and nothing else.
            Vec::new()
        },
        lookback_days: request.sequence_length,
        horizon_days: 1,
        history_days: request.lookback_days,
        first_day: data.first_day,
        last_day: data.last_day,
        windows: WindowCounts {
            train: data.split.train.len(),
            validation: data.split.validation.len(),
            calibration: data.split.calibration.len(),
            test: data.split.test.len(),
        },
        calibration: report.calibration.clone(),
        metrics: ReportedMetrics {
            train_loss: fit.map(|fit| fit.outcome.train_loss),
            val_loss: fit.map(|fit| fit.outcome.validation_loss),
            best_val_loss: fit.map(|fit| fit.outcome.best_validation_loss),
            mae: accuracy.mae,
            rmse: accuracy.rmse,
            r2_score: accuracy.r2,
            mape: accuracy.mape,
            mase: accuracy.mase,
            epochs_trained: epochs_trained(request, fit),
            early_stopped: fit.is_some_and(|fit| fit.outcome.early_stopped),
        },
        skill: report.skill,
        baseline_name: report
            .baseline
            .as_ref()
            .map(|(kind, _)| kind.name().to_owned()),
        baseline_mae: report.baseline.as_ref().map(|(_, mae)| *mae),
        gate: report.gate.clone(),
        deviation: fit.map(|fit| fit.deviation.clone()),
        is_production_ready: readiness.is_ready,
        quality_issues: readiness.reasons,
        request: settings(request, device),
        seed: request.seed,
        threads: 1,
        code_version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    Ok(Artifact::new(manifest, model.weights()?, &model.state())?)
}

/// The settings of the training without the person: an artifact contains no person id.
pub(crate) fn settings(request: &TrainModelRequest, device: ComputeDevice) -> serde_json::Value {
    let mut settings = serde_json::to_value(request).unwrap_or_default();
    if let Some(fields) = settings.as_object_mut() {
        fields.remove("user_id");
        fields.remove("force_retrain");
        if device != ComputeDevice::default() {
            fields.insert("device".to_owned(), device.name().into());
        }
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_held_on_validation_days_is_believed_less_its_uncertainty() {
        let said: Vec<f64> = (0..40).map(|day| f64::from(day % 5) - 2.0).collect();
        let happened: Vec<f64> = said
            .iter()
            .enumerate()
            .map(|(day, said)| 0.8 * said + if day % 2 == 0 { 0.1 } else { -0.1 })
            .collect();
        let (share, _) = believed(&happened, &said);
        assert!(share > 0.7 && share < 0.8, "{share}");
        let more: Vec<f64> = said.iter().map(|said| 3.0 * said).collect();
        assert_eq!(believed(&more, &said).0, 1.0);
    }

    #[test]
    fn what_did_not_hold_is_not_believed() {
        let said: Vec<f64> = (0..12).map(|day| f64::from(day % 5) - 2.0).collect();
        let opposite: Vec<f64> = said.iter().map(|said| -said).collect();
        assert_eq!(believed(&opposite, &said).0, 0.0);
        // As likely as not with so few days.
        let noise: Vec<f64> = (0..12).map(|day| f64::from((day * 7) % 5) - 2.0).collect();
        assert_eq!(believed(&noise, &said).0, 0.0);
        // The same difference every day, and nothing at all.
        assert_eq!(believed(&[1.5; 12], &[1.5; 12]).0, 0.0);
        assert_eq!(believed(&[0.3, -0.2, 0.1], &[0.0; 3]).0, 0.0);
        assert_eq!(believed(&[], &[]), (0.0, 0.0));
        assert_eq!(believed(&[1.0, 2.0], &[1.0, 2.0]).0, 0.0);
    }
}
