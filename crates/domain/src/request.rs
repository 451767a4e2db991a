//! Requests of the contract with their defaults and bounds, checked on deserialisation.
//!
//! Unknown fields are ignored, as the reference service's clients expect.

use crate::answer::IntervalMethod;
use crate::architecture::{ModelArchitecture, ModelFamily};
use crate::bounds;
use crate::error::{FieldError, InvalidRequest};
use crate::id::UserId;
use crate::metric::PredictionMetric;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// Longest forecast horizon, days after the last day that is over or has data.
pub const MAX_HORIZON_DAYS: usize = 7;

/// Default random seed of a training.
pub const DEFAULT_SEED: u64 = 42;

/// Train a model for one person and metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawTrainModelRequest")]
pub struct TrainModelRequest {
    /// Id of the person.
    pub user_id: UserId,
    /// The metric to forecast.
    pub metric: PredictionMetric,
    /// Model architecture.
    pub architecture: ModelArchitecture,
    /// Days of history used for training, 30 to 365.
    pub lookback_days: usize,
    /// Days of input for one forecast, 7 to 60.
    pub sequence_length: usize,
    /// Maximum number of epochs, 10 to 200; for boosted trees, two trees per epoch. Networks and trees
    /// only: a setting that the model does not use is refused unless it has the default value.
    pub epochs: usize,
    /// Batch size in windows, 8 to 128; networks only.
    pub batch_size: usize,
    /// Learning rate of Adam, 0.0001 to 0.1; networks only.
    pub learning_rate: f64,
    /// Share of windows for validation (early stopping), 0.1 to 0.3; the test set has the same size.
    pub validation_split: f64,
    /// Hidden size, 32 to 512; LSTM networks only.
    pub hidden_dim: usize,
    /// Number of stacked LSTM layers, 1 to 4; LSTM networks only.
    pub num_layers: usize,
    /// Dropout rate, 0 to 0.5; LSTM networks only.
    pub dropout: f64,
    /// Train even if the same model of the same data exists already.
    pub force_retrain: bool,
    /// Use a bidirectional LSTM (addition to the contract); LSTM networks only.
    pub bidirectional: bool,
    /// Splits from the root of a tree to a leaf, 1 to 8 (addition to the contract); boosted trees only.
    #[serde(skip_serializing_if = "is_default::tree_depth")]
    pub tree_depth: usize,
    /// What each tree counts, 0.005 to 0.5 (addition to the contract); boosted trees only.
    #[serde(skip_serializing_if = "is_default::tree_shrinkage")]
    pub tree_shrinkage: f64,
    /// Fewest days in a leaf, 1 to 100 (addition to the contract); boosted trees only.
    #[serde(skip_serializing_if = "is_default::tree_leaf_rows")]
    pub tree_leaf_rows: usize,
    /// Share of the days each tree is grown on, 0.3 to 1 (addition to the contract); boosted trees only.
    #[serde(skip_serializing_if = "is_default::tree_row_share")]
    pub tree_row_share: f64,
    /// Random seed (addition to the contract).
    pub seed: u64,
}

const TREE_DEPTH: usize = 3;
const TREE_SHRINKAGE: f64 = 0.05;
const TREE_LEAF_ROWS: usize = 5;
const TREE_ROW_SHARE: f64 = 1.0;

/// Models of other kinds, and trees with default settings, are described as before there were these.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
mod is_default {
    pub(super) fn tree_depth(value: &usize) -> bool {
        *value == super::TREE_DEPTH
    }

    pub(super) fn tree_shrinkage(value: &f64) -> bool {
        *value == super::TREE_SHRINKAGE
    }

    pub(super) fn tree_leaf_rows(value: &usize) -> bool {
        *value == super::TREE_LEAF_ROWS
    }

    pub(super) fn tree_row_share(value: &f64) -> bool {
        *value == super::TREE_ROW_SHARE
    }
}

#[derive(Deserialize)]
struct RawTrainModelRequest {
    user_id: UserId,
    metric: PredictionMetric,
    architecture: Option<ModelArchitecture>,
    lookback_days: Option<usize>,
    sequence_length: Option<usize>,
    epochs: Option<usize>,
    batch_size: Option<usize>,
    learning_rate: Option<f64>,
    validation_split: Option<f64>,
    hidden_dim: Option<usize>,
    num_layers: Option<usize>,
    dropout: Option<f64>,
    #[serde(default)]
    force_retrain: bool,
    #[serde(default)]
    bidirectional: bool,
    tree_depth: Option<usize>,
    tree_shrinkage: Option<f64>,
    tree_leaf_rows: Option<usize>,
    tree_row_share: Option<f64>,
    seed: Option<u64>,
}

impl TryFrom<RawTrainModelRequest> for TrainModelRequest {
    type Error = InvalidRequest;

    fn try_from(raw: RawTrainModelRequest) -> Result<Self, InvalidRequest> {
        let default = Self::new(raw.user_id, raw.metric);
        let request = Self {
            architecture: raw.architecture.unwrap_or(default.architecture),
            lookback_days: raw.lookback_days.unwrap_or(default.lookback_days),
            sequence_length: raw.sequence_length.unwrap_or(default.sequence_length),
            epochs: raw.epochs.unwrap_or(default.epochs),
            batch_size: raw.batch_size.unwrap_or(default.batch_size),
            learning_rate: raw.learning_rate.unwrap_or(default.learning_rate),
            validation_split: raw.validation_split.unwrap_or(default.validation_split),
            hidden_dim: raw.hidden_dim.unwrap_or(default.hidden_dim),
            num_layers: raw.num_layers.unwrap_or(default.num_layers),
            dropout: raw.dropout.unwrap_or(default.dropout),
            force_retrain: raw.force_retrain,
            bidirectional: raw.bidirectional,
            tree_depth: raw.tree_depth.unwrap_or(default.tree_depth),
            tree_shrinkage: raw.tree_shrinkage.unwrap_or(default.tree_shrinkage),
            tree_leaf_rows: raw.tree_leaf_rows.unwrap_or(default.tree_leaf_rows),
            tree_row_share: raw.tree_row_share.unwrap_or(default.tree_row_share),
            seed: raw.seed.unwrap_or(default.seed),
            ..default
        };
        request.validate()?;
        Ok(request)
    }
}

impl TrainModelRequest {
    /// A request with the contract's defaults.
    pub fn new(user_id: UserId, metric: PredictionMetric) -> Self {
        Self {
            user_id,
            metric,
            architecture: ModelArchitecture::Lstm,
            lookback_days: 90,
            sequence_length: 30,
            epochs: 50,
            batch_size: 32,
            learning_rate: 0.001,
            validation_split: 0.2,
            hidden_dim: 128,
            num_layers: 2,
            dropout: 0.2,
            force_retrain: false,
            bidirectional: false,
            tree_depth: TREE_DEPTH,
            tree_shrinkage: TREE_SHRINKAGE,
            tree_leaf_rows: TREE_LEAF_ROWS,
            tree_row_share: TREE_ROW_SHARE,
            seed: DEFAULT_SEED,
        }
    }

    /// Checks every bound of the contract.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`] with all invalid fields.
    pub fn validate(&self) -> Result<(), InvalidRequest> {
        let mut faults = Vec::new();
        bounds::LOOKBACK_DAYS.check(&mut faults, "lookback_days", self.lookback_days);
        bounds::SEQUENCE_LENGTH.check(&mut faults, "sequence_length", self.sequence_length);
        bounds::EPOCHS.check(&mut faults, "epochs", self.epochs);
        bounds::BATCH_SIZE.check(&mut faults, "batch_size", self.batch_size);
        bounds::LEARNING_RATE.check(&mut faults, "learning_rate", self.learning_rate);
        bounds::VALIDATION_SPLIT.check(&mut faults, "validation_split", self.validation_split);
        bounds::HIDDEN_DIM.check(&mut faults, "hidden_dim", self.hidden_dim);
        bounds::NUM_LAYERS.check(&mut faults, "num_layers", self.num_layers);
        bounds::DROPOUT.check(&mut faults, "dropout", self.dropout);
        bounds::TREE_DEPTH.check(&mut faults, "tree_depth", self.tree_depth);
        bounds::TREE_SHRINKAGE.check(&mut faults, "tree_shrinkage", self.tree_shrinkage);
        bounds::TREE_LEAF_ROWS.check(&mut faults, "tree_leaf_rows", self.tree_leaf_rows);
        bounds::TREE_ROW_SHARE.check(&mut faults, "tree_row_share", self.tree_row_share);
        let least = self.architecture.least_days_read();
        let is_within = self.sequence_length as i64 >= bounds::SEQUENCE_LENGTH.low;
        if is_within && self.sequence_length < least {
            faults.push(FieldError {
                field: "sequence_length",
                message: format!(
                    "must be at least {least} for {}, but is {}",
                    self.architecture, self.sequence_length
                ),
            });
        }
        faults.extend(self.settings_of_no_use().map(|field| FieldError {
            field,
            message: format!("cannot be used by {}: leave it out", self.architecture),
        }));
        if faults.is_empty() {
            Ok(())
        } else {
            Err(InvalidRequest(faults))
        }
    }

    /// Settings that differ from their defaults but are not used by the architecture. Default values
    /// are accepted, because clients send complete requests.
    fn settings_of_no_use(&self) -> impl Iterator<Item = &'static str> {
        let default = Self::new(self.user_id.clone(), self.metric);
        let lstm = self.architecture.is_lstm();
        let network = self.architecture.is_network();
        let trees = self.architecture.family() == ModelFamily::Trees;
        let in_epochs = self.architecture.has_epochs();
        [
            ("epochs", in_epochs, self.epochs != default.epochs),
            ("batch_size", network, self.batch_size != default.batch_size),
            (
                "learning_rate",
                network,
                self.learning_rate != default.learning_rate,
            ),
            ("hidden_dim", lstm, self.hidden_dim != default.hidden_dim),
            ("num_layers", lstm, self.num_layers != default.num_layers),
            ("dropout", lstm, self.dropout != default.dropout),
            ("bidirectional", lstm, self.bidirectional),
            ("tree_depth", trees, self.tree_depth != default.tree_depth),
            (
                "tree_shrinkage",
                trees,
                self.tree_shrinkage != default.tree_shrinkage,
            ),
            (
                "tree_leaf_rows",
                trees,
                self.tree_leaf_rows != default.tree_leaf_rows,
            ),
            (
                "tree_row_share",
                trees,
                self.tree_row_share != default.tree_row_share,
            ),
        ]
        .into_iter()
        .filter_map(|(field, of_use, asked)| (asked && !of_use).then_some(field))
    }
}

/// Forecast one metric for one day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawPredictRequest")]
pub struct PredictRequest {
    /// Id of the person.
    pub user_id: UserId,
    /// The metric to forecast.
    pub metric: PredictionMetric,
    /// The local day to forecast; for a past day, only data known on the evening before are used.
    pub target_date: NaiveDate,
    /// Model version, for example `v1.0.2`; the active one when not given.
    pub model_version: Option<String>,
    /// Use only models of this architecture.
    pub architecture: Option<ModelArchitecture>,
    /// Compute the response anew, without the cache.
    pub force_recompute_features: bool,
    /// Method for the interval (addition to the contract).
    pub interval_method: IntervalMethod,
    /// Nominal coverage of the interval, above 0 and below 1 (addition to the contract).
    pub interval_level: f64,
}

#[derive(Deserialize)]
struct RawPredictRequest {
    user_id: UserId,
    metric: PredictionMetric,
    target_date: NaiveDate,
    model_version: Option<String>,
    architecture: Option<ModelArchitecture>,
    #[serde(default)]
    force_recompute_features: bool,
    interval_method: Option<IntervalMethod>,
    interval_level: Option<f64>,
}

impl TryFrom<RawPredictRequest> for PredictRequest {
    type Error = InvalidRequest;

    fn try_from(raw: RawPredictRequest) -> Result<Self, InvalidRequest> {
        let default = Self::new(raw.user_id, raw.metric, raw.target_date);
        let request = Self {
            model_version: raw.model_version,
            architecture: raw.architecture,
            force_recompute_features: raw.force_recompute_features,
            interval_method: raw.interval_method.unwrap_or(default.interval_method),
            interval_level: raw.interval_level.unwrap_or(default.interval_level),
            ..default
        };
        request.validate()?;
        Ok(request)
    }
}

impl PredictRequest {
    /// A request with defaults: the active model, a 95 % interval from residual quantiles.
    pub fn new(user_id: UserId, metric: PredictionMetric, target_date: NaiveDate) -> Self {
        Self {
            user_id,
            metric,
            target_date,
            model_version: None,
            architecture: None,
            force_recompute_features: false,
            interval_method: IntervalMethod::ResidualQuantiles,
            interval_level: 0.95,
        }
    }

    /// Checks the interval level.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`] for `interval_level`.
    pub fn validate(&self) -> Result<(), InvalidRequest> {
        if self.interval_level > 0.0 && self.interval_level < 1.0 {
            return Ok(());
        }
        Err(InvalidRequest(vec![FieldError {
            field: "interval_level",
            message: format!(
                "must be above 0 and below 1, but is {}",
                self.interval_level
            ),
        }]))
    }
}

/// Forecast several metrics for one day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawBatchPredictRequest")]
pub struct BatchPredictRequest {
    /// Id of the person.
    pub user_id: UserId,
    /// The metrics to forecast: at least one, without duplicates.
    pub metrics: Vec<PredictionMetric>,
    /// The local day to forecast.
    pub target_date: NaiveDate,
    /// Model version; the active one when not given.
    pub model_version: Option<String>,
    /// Compute the response anew, without the cache.
    pub force_recompute_features: bool,
}

#[derive(Deserialize)]
struct RawBatchPredictRequest {
    user_id: UserId,
    metrics: Vec<PredictionMetric>,
    target_date: NaiveDate,
    model_version: Option<String>,
    #[serde(default)]
    force_recompute_features: bool,
}

impl TryFrom<RawBatchPredictRequest> for BatchPredictRequest {
    type Error = InvalidRequest;

    fn try_from(raw: RawBatchPredictRequest) -> Result<Self, InvalidRequest> {
        let request = Self {
            user_id: raw.user_id,
            metrics: raw.metrics,
            target_date: raw.target_date,
            model_version: raw.model_version,
            force_recompute_features: raw.force_recompute_features,
        };
        request.validate()?;
        Ok(request)
    }
}

impl BatchPredictRequest {
    /// A request with the contract's defaults.
    pub fn new(user_id: UserId, metrics: Vec<PredictionMetric>, target_date: NaiveDate) -> Self {
        Self {
            user_id,
            metrics,
            target_date,
            model_version: None,
            force_recompute_features: false,
        }
    }

    /// Checks that the list of metrics is not empty and has no duplicates.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`] for `metrics`.
    pub fn validate(&self) -> Result<(), InvalidRequest> {
        let mut seen = self.metrics.clone();
        seen.sort_unstable();
        seen.dedup();
        let message = if self.metrics.is_empty() {
            "must name at least one metric"
        } else if seen.len() < self.metrics.len() {
            "must not name a metric twice"
        } else {
            return Ok(());
        };
        Err(InvalidRequest(vec![FieldError {
            field: "metrics",
            message: message.to_owned(),
        }]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn train(extra: &str) -> Result<TrainModelRequest, String> {
        let json = format!(r#"{{"user_id":"u","metric":"RESTING_HEART_RATE"{extra}}}"#);
        serde_json::from_str(&json).map_err(|error| error.to_string())
    }

    #[test]
    fn defaults_are_those_of_the_contract() {
        let request = train("").unwrap();
        assert_eq!(
            request,
            TrainModelRequest::new(request.user_id.clone(), request.metric)
        );
        assert_eq!(request.lookback_days, 90);
        assert_eq!(request.architecture, ModelArchitecture::Lstm);
    }

    #[test]
    fn every_bound_is_checked_on_deserialisation() {
        for (extra, field) in [
            (r#","lookback_days":29"#, "lookback_days"),
            (r#","lookback_days":366"#, "lookback_days"),
            (r#","sequence_length":61"#, "sequence_length"),
            (r#","epochs":9"#, "epochs"),
            (r#","batch_size":129"#, "batch_size"),
            (r#","learning_rate":0.2"#, "learning_rate"),
            (r#","validation_split":0.31"#, "validation_split"),
            (r#","hidden_dim":513"#, "hidden_dim"),
            (r#","num_layers":5"#, "num_layers"),
            (r#","dropout":0.6"#, "dropout"),
            (
                r#","architecture":"ridge","sequence_length":27"#,
                "sequence_length",
            ),
            // Their season was that of less than two weeks.
            (
                r#","architecture":"theta","sequence_length":19"#,
                "sequence_length",
            ),
            (
                r#","architecture":"ets","sequence_length":14"#,
                "sequence_length",
            ),
            (
                r#","architecture":"average","sequence_length":7"#,
                "sequence_length",
            ),
            (
                r#","architecture":"naive","bidirectional":true"#,
                "bidirectional",
            ),
            (r#","architecture":"theta","epochs":10"#, "epochs"),
            (r#","architecture":"ets","batch_size":16"#, "batch_size"),
            (
                r#","architecture":"ridge","learning_rate":0.01"#,
                "learning_rate",
            ),
            (r#","architecture":"linear","hidden_dim":64"#, "hidden_dim"),
            (r#","architecture":"linear","num_layers":1"#, "num_layers"),
            (r#","architecture":"linear","dropout":0.1"#, "dropout"),
        ] {
            let error = train(extra).unwrap_err();
            assert!(error.contains(field), "{error}");
        }
    }

    #[test]
    fn defaults_written_out_suit_every_architecture() {
        for &architecture in ModelArchitecture::ALL {
            let request = TrainModelRequest {
                architecture,
                ..train("").unwrap()
            };
            assert_eq!(request.validate(), Ok(()), "{architecture}");
            assert!(serde_json::to_string(&request).is_ok_and(|json| {
                serde_json::from_str::<TrainModelRequest>(&json).is_ok_and(|back| back == request)
            }));
        }
        assert!(train(r#","architecture":"linear","epochs":10,"learning_rate":0.01"#).is_ok());
        assert!(train(r#","architecture":"xgboost","epochs":10"#).is_ok());
    }

    #[test]
    fn all_faults_are_reported_at_once() {
        let error = train(r#","epochs":1,"dropout":9"#).unwrap_err();
        assert!(
            error.contains("epochs") && error.contains("dropout"),
            "{error}"
        );
    }

    #[test]
    fn unknown_fields_are_ignored() {
        assert!(train(r#","colour":"blue""#).is_ok());
    }

    #[test]
    fn a_batch_of_nothing_or_of_twins_is_refused() {
        for metrics in ["[]", r#"["SLEEP_DURATION","SLEEP_DURATION"]"#] {
            let json =
                format!(r#"{{"user_id":"u","metrics":{metrics},"target_date":"2026-01-01"}}"#);
            assert!(serde_json::from_str::<BatchPredictRequest>(&json).is_err());
        }
    }
}
