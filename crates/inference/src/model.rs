//! A fitted model, and the one way to run it.

use crate::error::InferenceError;
use crate::forecast::COMPARISON_DAYS;
use crate::layout::{DayLayout, known_covariates};
use crate::network_correction::NetworkCorrection;
use crate::panel::PooledRecipe;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use vitalcast_artifact::Artifact;
use vitalcast_domain::{ModelArchitecture, ModelFamily, PredictionMetric};
use vitalcast_models::{
    AverageModel, ColumnScaling, Network, NetworkConfig, Scaling, SeriesForecaster, SeriesModel,
    Windows,
};
use vitalcast_pooled::{Corrected, Correction, PooledModel};
use vitalcast_windows::{FARTHEST, FittedScaler, Lookback, TargetScaler, WindowEnd, assemble};

/// The contents of the `state` section of an artifact.
///
/// The section holds the number of the variant and the fields in their order: new variants go to the
/// end, none is taken out, and a field is never added to one that is there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum ModelState {
    /// A network reads scaled windows.
    Network {
        /// Fitted on the training days.
        features: FittedScaler,
        /// Fitted on the training targets.
        target: TargetScaler,
    },
    /// A model of the metric's own days.
    Series(SeriesModel),
    /// The mean of several models.
    Average(AverageModel),
    /// One model of many people's days; where a network corrects it, the weights are that network's.
    Pooled(Box<PooledModel>),
    /// A network reads scaled windows and says how far the next day is from a simple baseline.
    Deviation {
        /// Fitted on the training days.
        features: FittedScaler,
        /// What the network adds to: one of [`SeriesModel::simple`].
        base: SeriesModel,
        /// Fitted on how far the training targets were from the base.
        deviation: TargetScaler,
    },
}

impl ModelState {
    /// Whether this is what a model of that architecture keeps. The state names its variants by number
    /// only; the manifest names the architecture in words.
    fn is_of(&self, architecture: ModelArchitecture) -> bool {
        match self {
            Self::Network { .. } | Self::Deviation { .. } => architecture.is_network(),
            Self::Series(model) => model.name() == architecture.as_str(),
            Self::Average(model) => model.name() == architecture.as_str(),
            Self::Pooled(_) => architecture.family() == ModelFamily::Pooled,
        }
    }
}

/// A model that can forecast: the result of training and the input of serving.
#[derive(Debug)]
pub struct FittedModel {
    /// The metric that the model forecasts.
    pub metric: PredictionMetric,
    /// Number of input days.
    pub lookback: usize,
    kind: Kind,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Network {
        network: Network,
        features: FittedScaler,
        /// Of the metric's value, or of its distance from the base.
        target: TargetScaler,
        base: Option<SeriesModel>,
    },
    Series(SeriesModel),
    Average(AverageModel),
    Pooled(Box<PooledModel>, Option<NetworkCorrection>),
    /// The simple forecast that does best on the person's own past.
    Simple,
}

impl FittedModel {
    /// Makes a model from a network and its scalers. The network says how far the next day is from
    /// `base`, a simple baseline; without one, the value itself.
    pub fn network(
        metric: PredictionMetric,
        lookback: usize,
        network: Network,
        features: FittedScaler,
        target: TargetScaler,
        base: Option<SeriesModel>,
    ) -> Self {
        Self {
            metric,
            lookback,
            kind: Kind::Network {
                network,
                features,
                target,
                base,
            },
        }
    }

    /// A model of the metric's own days.
    pub fn series(metric: PredictionMetric, lookback: usize, series: SeriesModel) -> Self {
        Self {
            metric,
            lookback,
            kind: Kind::Series(series),
        }
    }

    /// The mean of several models of the metric's own days.
    pub fn average(metric: PredictionMetric, lookback: usize, average: AverageModel) -> Self {
        Self {
            metric,
            lookback,
            kind: Kind::Average(average),
        }
    }

    /// One model of many people's days.
    pub fn pooled(metric: PredictionMetric, model: PooledModel) -> Self {
        Self {
            metric,
            lookback: COMPARISON_DAYS,
            kind: Kind::Pooled(Box::new(model), None),
        }
    }

    /// One model of many people's days that a network corrects.
    pub fn corrected(
        metric: PredictionMetric,
        model: PooledModel,
        correction: NetworkCorrection,
    ) -> Self {
        Self {
            metric,
            lookback: correction.days(),
            kind: Kind::Pooled(Box::new(model), Some(correction)),
        }
    }

    /// The model of many people's days, if it is one and nothing corrects it.
    pub fn as_pooled(&self) -> Option<&PooledModel> {
        match &self.kind {
            Kind::Pooled(model, None) => Some(model),
            Kind::Pooled(_, Some(_))
            | Kind::Network { .. }
            | Kind::Series(_)
            | Kind::Average(_)
            | Kind::Simple => None,
        }
    }

    /// The simple forecast that does best on the person's own past, of a metric that no model of many people
    /// knows.
    pub fn simple(metric: PredictionMetric) -> Self {
        Self {
            metric,
            lookback: COMPARISON_DAYS,
            kind: Kind::Simple,
        }
    }

    /// Whether it is no model at all, but the simple forecast that does best on the person's own past.
    pub fn is_simple(&self) -> bool {
        match &self.kind {
            Kind::Simple => true,
            Kind::Network { .. } | Kind::Series(_) | Kind::Average(_) | Kind::Pooled(..) => false,
        }
    }

    /// Whether it reads the person's whole history; else the last `lookback` days.
    pub fn reads_whole_history(&self) -> bool {
        match &self.kind {
            Kind::Pooled(..) | Kind::Simple | Kind::Series(_) | Kind::Average(_) => true,
            Kind::Network { .. } => false,
        }
    }

    /// Whether a forecast of it can be explained by the days of a window.
    pub fn reads_windows(&self) -> bool {
        match &self.kind {
            Kind::Network { .. } | Kind::Series(_) | Kind::Average(_) => true,
            Kind::Pooled(..) | Kind::Simple => false,
        }
    }

    /// The model of many people's days, if it is one, with what corrects it.
    pub fn of_many_people(&self) -> Option<Corrected<'_>> {
        match &self.kind {
            Kind::Pooled(model, correction) => Some(Corrected {
                model,
                correction: correction.as_ref().map(|of| of as &dyn Correction),
            }),
            Kind::Network { .. } | Kind::Series(_) | Kind::Average(_) | Kind::Simple => None,
        }
    }

    /// Reads a model from an artifact and checks that its parts match.
    ///
    /// # Errors
    ///
    /// [`InferenceError::UnusableModel`] when they do not, [`InferenceError::Artifact`] and
    /// [`InferenceError::Model`] when a part cannot be read.
    pub fn from_artifact(artifact: &Artifact) -> Result<Self, InferenceError> {
        let manifest = artifact.manifest();
        let unusable = |what: &str| InferenceError::UnusableModel(what.to_owned());
        let state = artifact.decode_state::<ModelState>()?;
        let network = |features: FittedScaler, target: TargetScaler, base| {
            let expected: Vec<&str> = vitalcast_features::model_inputs()
                .map(|input| input.name)
                .collect();
            if manifest.feature_names != expected {
                return Err(unusable("its features differ from those of this release"));
            }
            features
                .validate()
                .and_then(|()| target.validate())
                .map_err(|error| InferenceError::UnusableModel(error.to_string()))?;
            let (config, weights) = network_of(artifact)?;
            let width = 2 * (manifest.feature_names.len() + 1);
            if config.input_width() != width || features.width() * 2 != width {
                return Err(unusable("its network does not match its features"));
            }
            Ok(Kind::Network {
                network: Network::from_safetensors(&config, weights)?,
                features,
                target,
                base,
            })
        };
        if !state.is_of(manifest.architecture) {
            return Err(InferenceError::UnusableModel(format!(
                "its architecture is {}, but it contains a model of another kind",
                manifest.architecture
            )));
        }
        let kind = match state {
            ModelState::Series(series) => Kind::Series(series),
            ModelState::Average(average) => Kind::Average(average),
            ModelState::Pooled(model) => {
                model
                    .validate()
                    .map_err(|error| InferenceError::UnusableModel(error.to_string()))?;
                if model.design() != &PooledRecipe::of(manifest.metric).design() {
                    return Err(unusable("it reads other series than this release"));
                }
                let mut correction = None;
                if manifest.architecture == ModelArchitecture::PooledLstm {
                    let (config, weights) = network_of(artifact)?;
                    let network = Network::from_safetensors(&config, weights)?;
                    let days = manifest.lookback_days;
                    let share = manifest.deviation.as_ref().map(|deviation| deviation.share);
                    let share =
                        share.ok_or_else(|| unusable("it does not say what a network is worth"))?;
                    correction = Some(NetworkCorrection::new(&model, network, days, share)?);
                }
                Kind::Pooled(model, correction)
            }
            ModelState::Network { features, target } => network(features, target, None)?,
            ModelState::Deviation {
                features,
                base,
                deviation,
            } => {
                if !SeriesModel::simple().contains(&base) {
                    return Err(unusable("its base is not a simple baseline"));
                }
                network(features, deviation, Some(base))?
            }
        };
        Ok(Self {
            metric: manifest.metric,
            lookback: manifest.lookback_days,
            kind,
        })
    }

    /// The state for the artifact.
    pub fn state(&self) -> ModelState {
        match &self.kind {
            Kind::Network {
                features,
                target,
                base,
                ..
            } => match base {
                None => ModelState::Network {
                    features: features.clone(),
                    target: *target,
                },
                Some(base) => ModelState::Deviation {
                    features: features.clone(),
                    base: base.clone(),
                    deviation: *target,
                },
            },
            Kind::Series(series) => ModelState::Series(series.clone()),
            Kind::Average(average) => ModelState::Average(average.clone()),
            Kind::Pooled(model, _) => ModelState::Pooled(model.clone()),
            // It has none of its own, and is in no file: this is what is served unless another does better.
            Kind::Simple => ModelState::Series(SeriesModel::exponential_smoothing()),
        }
    }

    /// The configuration of the network, if the model is a network or one corrects it.
    pub fn network_config(&self) -> Option<&NetworkConfig> {
        match &self.kind {
            Kind::Network { network, .. } => Some(network.config()),
            Kind::Pooled(_, correction) => correction.as_ref().map(|of| of.network().config()),
            Kind::Series(_) | Kind::Average(_) | Kind::Simple => None,
        }
    }

    /// Whether it is a network, whose forecast is no plain sum of what it reads.
    pub fn is_network(&self) -> bool {
        match &self.kind {
            Kind::Network { .. } => true,
            Kind::Series(_) | Kind::Average(_) | Kind::Pooled(..) | Kind::Simple => false,
        }
    }

    /// Whether it has so many parameters that it errs less on the days it was fitted to than on
    /// others.
    pub fn is_fitted_closely(&self) -> bool {
        match &self.kind {
            Kind::Network { .. } => true,
            Kind::Series(series) => series.is_fitted_closely(),
            Kind::Average(average) => average.members.iter().any(SeriesModel::is_fitted_closely),
            Kind::Pooled(..) | Kind::Simple => false,
        }
    }

    /// The weights as safetensors, if the model is a network or one corrects it.
    ///
    /// # Errors
    ///
    /// The errors of writing the network.
    pub fn weights(&self) -> Result<Option<Vec<u8>>, InferenceError> {
        match &self.kind {
            Kind::Network { network, .. } => Ok(Some(network.to_safetensors()?)),
            Kind::Pooled(_, Some(correction)) => Ok(Some(correction.network().to_safetensors()?)),
            Kind::Series(_) | Kind::Average(_) | Kind::Pooled(_, None) | Kind::Simple => Ok(None),
        }
    }

    /// The model as an ONNX file that reads what the person's days hold and gives the metric in its
    /// unit: a network reads `windows` `[batch, days, columns]`, the model inputs in their order and
    /// the metric's own days, NaN where a value is missing; boosted trees the metric's last 28 days,
    /// one day ahead. `None` for a model there is no such file of.
    ///
    /// # Errors
    ///
    /// The errors of writing the network.
    pub fn to_onnx(&self) -> Result<Option<Vec<u8>>, InferenceError> {
        match &self.kind {
            Kind::Network {
                network,
                features,
                target,
                base,
            } => {
                let inputs = (0..features.width())
                    .map(|column| ColumnScaling {
                        mean: features.mean(column),
                        scale: features.scale(column),
                        is_read: !features.never_observed(column),
                    })
                    .collect();
                // Outputs beyond the first are other metrics, in standard deviations.
                let as_it_is = ColumnScaling {
                    mean: 0.0,
                    scale: 1.0,
                    is_read: true,
                };
                let mut outputs = vec![as_it_is; network.config().outputs()];
                outputs[0].mean = target.mean();
                outputs[0].scale = target.scale();
                Ok(Some(network.to_onnx(Some(&Scaling {
                    inputs,
                    farthest: FARTHEST,
                    outputs,
                    base: base.clone(),
                }))?))
            }
            Kind::Series(series) => Ok(series.to_onnx()),
            Kind::Average(_) | Kind::Pooled(..) | Kind::Simple => Ok(None),
        }
    }

    /// Forecasts, in the metric's unit, the day after each window, from what was known on its origin,
    /// with the last `hidden_days` days of each window treated as not yet known.
    ///
    /// `None` where the model has nothing to go by: a window without any value of the metric.
    ///
    /// # Errors
    ///
    /// A row with fewer than the lookback's days before it, or a number that is not finite.
    pub fn forecast_rows(
        &self,
        layout: &DayLayout,
        windows: &[WindowEnd],
        hidden_days: usize,
    ) -> Result<Vec<Option<f64>>, InferenceError> {
        match &self.kind {
            Kind::Series(series) => Ok(self.replay_series(series, layout, windows, hidden_days)),
            Kind::Average(average) => Ok(self.replay_series(average, layout, windows, hidden_days)),
            Kind::Pooled(..) | Kind::Simple => Err(InferenceError::UnusableModel(
                "this model reads whole histories, not windows".to_owned(),
            )),
            Kind::Network {
                network,
                features,
                target,
                base,
            } => {
                if windows.is_empty() {
                    return Ok(Vec::new());
                }
                let inputs =
                    network_windows(layout, features, windows, self.lookback, hidden_days)?;
                let usual = match base {
                    Some(base) => self.replay_base(base, layout, windows, hidden_days),
                    None => vec![Some(0.0); windows.len()],
                };
                self.added(network, *target, &inputs, &usual, |window| {
                    layout.day(windows[window].last_row)
                })
            }
        }
    }

    /// What a network says of some windows, added to the base of each.
    pub(crate) fn added(
        &self,
        network: &Network,
        target: TargetScaler,
        inputs: &Windows,
        usual: &[Option<f64>],
        day_of: impl Fn(usize) -> NaiveDate,
    ) -> Result<Vec<Option<f64>>, InferenceError> {
        // The first output is the metric; others were there to learn from.
        let scaled = network.predict(inputs)?;
        let scaled = scaled.into_iter().step_by(network.config().outputs());
        scaled
            .zip(usual)
            .enumerate()
            .map(|(window, (scaled, usual))| {
                let value = target.inverse(f64::from(scaled));
                if !value.is_finite() {
                    return Err(InferenceError::NotFinite(day_of(window)));
                }
                Ok(usual.map(|usual| clamp(self.metric, usual + value)))
            })
            .collect()
    }

    /// A model of the metric's own days reads all of them.
    fn replay_series(
        &self,
        series: &dyn SeriesForecaster,
        layout: &DayLayout,
        windows: &[WindowEnd],
        hidden_days: usize,
    ) -> Vec<Option<f64>> {
        let of = |window: &WindowEnd| {
            let end = (window.last_row + 1).min(layout.matrix().rows());
            let known = end.checked_sub(hidden_days)?;
            self.of_history(
                series,
                &layout.known_before(known, window.origin),
                hidden_days,
            )
        };
        windows.iter().map(of).collect()
    }

    /// The base of a network reads the days that the network reads.
    fn replay_base(
        &self,
        series: &dyn SeriesForecaster,
        layout: &DayLayout,
        windows: &[WindowEnd],
        hidden_days: usize,
    ) -> Vec<Option<f64>> {
        let of = |window: &WindowEnd| {
            let end = (window.last_row + 1).min(layout.matrix().rows());
            let first = (window.last_row + 1).saturating_sub(self.lookback);
            let known = end.saturating_sub(hidden_days);
            if first > known {
                return None;
            }
            let history = layout.known(first..known, window.origin);
            self.of_history(series, &history, hidden_days)
        };
        windows.iter().map(of).collect()
    }

    /// What a model of the metric's own days says of them.
    pub(crate) fn of_history(
        &self,
        series: &dyn SeriesForecaster,
        history: &[Option<f64>],
        hidden_days: usize,
    ) -> Option<f64> {
        let value = series.forecast(history, hidden_days + 1)?;
        value.is_finite().then(|| clamp(self.metric, value))
    }

    /// What the model is made of.
    pub(crate) fn kind(&self) -> &Kind {
        &self.kind
    }

    /// Share of the inputs the model learned to read that are observed in a window, 0 to 1. Columns
    /// that training never saw do not count.
    pub fn observed_share(&self, layout: &DayLayout, window: WindowEnd) -> f64 {
        let matrix = layout.matrix();
        let first = (window.last_row + 1).saturating_sub(self.lookback);
        let columns: Vec<usize> = match &self.kind {
            Kind::Network { features, .. } => (0..features.width())
                .filter(|&column| !features.never_observed(column))
                .collect(),
            Kind::Series(_) | Kind::Average(_) | Kind::Pooled(..) | Kind::Simple => {
                vec![matrix.columns().len() - 1]
            }
        };
        let cells = columns.len() * (window.last_row + 1 - first);
        let observed: usize = (first..=window.last_row)
            .map(|row| {
                let (_, observed) = matrix.row(row, window.origin);
                columns.iter().filter(|&&column| observed[column]).count()
            })
            .sum();
        observed as f64 / cells.max(1) as f64
    }
}

/// The configuration and the weights of the network of an artifact.
fn network_of(artifact: &Artifact) -> Result<(NetworkConfig, &[u8]), InferenceError> {
    let config = serde_json::from_value(artifact.manifest().config.clone())
        .map_err(|error| InferenceError::UnusableModel(error.to_string()))?;
    let weights = artifact
        .weights()
        .ok_or_else(|| InferenceError::UnusableModel("a network without weights".to_owned()))?;
    Ok((config, weights))
}

/// The windows a network reads, scaled, with their observed-masks.
///
/// # Errors
///
/// A row with fewer than the lookback's days before it.
pub fn network_windows(
    layout: &DayLayout,
    features: &FittedScaler,
    windows: &[WindowEnd],
    lookback: usize,
    hidden_days: usize,
) -> Result<Windows, InferenceError> {
    let values = assemble(
        layout.matrix(),
        features,
        windows,
        Lookback::new(lookback)?,
        hidden_days,
        &known_covariates(),
    )?;
    let width = 2 * layout.matrix().columns().len();
    Ok(Windows::new(windows.len(), lookback, width, values)?)
}

/// Limits a forecast to the plausible range.
pub(crate) fn clamp(metric: PredictionMetric, value: f64) -> f64 {
    let (lowest, highest) = metric.metric_type().plausible_range();
    value.clamp(lowest, highest)
}
