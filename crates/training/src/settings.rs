//! The settings of a training that can be searched: which a model uses, and how far apart their values lie.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use vitalcast_domain::{ModelArchitecture, ModelFamily, TrainModelRequest};

/// A setting of a training. Its name is that of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Setting {
    /// Days of history to learn from.
    LookbackDays,
    /// Days of input.
    SequenceLength,
    /// Maximum number of epochs; for boosted trees, two trees per epoch.
    Epochs,
    /// Batch size in windows.
    BatchSize,
    /// Learning rate of Adam.
    LearningRate,
    /// Hidden size of an LSTM.
    HiddenDim,
    /// Stacked LSTM layers.
    NumLayers,
    /// Dropout rate.
    Dropout,
    /// Splits from the root of a tree to a leaf.
    TreeDepth,
    /// What each tree counts.
    TreeShrinkage,
    /// Fewest days in a leaf.
    TreeLeafRows,
    /// Share of the days each tree is grown on.
    TreeRowShare,
}

/// The values that are tried: inside the bounds of a request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SearchRange {
    /// The smallest value.
    pub low: f64,
    /// The largest value.
    pub high: f64,
    /// Whether a factor counts, not a difference: 0.001 lies in the middle of 0.0001 and 0.01.
    pub by_factor: bool,
    /// Whether only whole numbers are tried.
    pub whole: bool,
}

impl SearchRange {
    const fn whole(low: f64, high: f64) -> Self {
        Self {
            low,
            high,
            by_factor: false,
            whole: true,
        }
    }

    const fn whole_by_factor(low: f64, high: f64) -> Self {
        Self {
            by_factor: true,
            ..Self::whole(low, high)
        }
    }

    const fn share(low: f64, high: f64) -> Self {
        Self {
            low,
            high,
            by_factor: false,
            whole: false,
        }
    }

    const fn by_factor(low: f64, high: f64) -> Self {
        Self {
            by_factor: true,
            ..Self::share(low, high)
        }
    }

    /// The value at a place, 0 for the smallest to 1 for the largest.
    pub fn value(self, place: f64) -> f64 {
        let place = place.clamp(0.0, 1.0);
        let value = if self.by_factor {
            (self.low.ln() + place * (self.high.ln() - self.low.ln())).exp()
        } else {
            self.low + place * (self.high - self.low)
        };
        let value = if self.whole {
            value.round()
        } else {
            // Four figures say enough, and read well on a command line.
            let digits = 10_f64.powi(3 - value.abs().max(1e-9).log10().floor() as i32);
            (value * digits).round() / digits
        };
        value.clamp(self.low, self.high)
    }

    /// The place of a value, 0 to 1.
    pub fn place(self, value: f64) -> f64 {
        let share = if self.by_factor {
            (value.ln() - self.low.ln()) / (self.high.ln() - self.low.ln())
        } else {
            (value - self.low) / (self.high - self.low)
        };
        share.clamp(0.0, 1.0)
    }
}

impl Setting {
    /// The settings that a model of an architecture uses; none for a model without any.
    pub fn of(architecture: ModelArchitecture) -> &'static [Self] {
        match architecture.family() {
            ModelFamily::Lstm => &[
                Self::LookbackDays,
                Self::SequenceLength,
                Self::Epochs,
                Self::BatchSize,
                Self::LearningRate,
                Self::HiddenDim,
                Self::NumLayers,
                Self::Dropout,
            ],
            ModelFamily::Linear => &[
                Self::LookbackDays,
                Self::SequenceLength,
                Self::Epochs,
                Self::BatchSize,
                Self::LearningRate,
            ],
            ModelFamily::Trees => &[
                Self::Epochs,
                Self::TreeDepth,
                Self::TreeShrinkage,
                Self::TreeLeafRows,
                Self::TreeRowShare,
            ],
            ModelFamily::Ridge | ModelFamily::Series | ModelFamily::Pooled => &[],
        }
    }

    /// The name in a request.
    pub fn name(self) -> &'static str {
        match self {
            Self::LookbackDays => "lookback_days",
            Self::SequenceLength => "sequence_length",
            Self::Epochs => "epochs",
            Self::BatchSize => "batch_size",
            Self::LearningRate => "learning_rate",
            Self::HiddenDim => "hidden_dim",
            Self::NumLayers => "num_layers",
            Self::Dropout => "dropout",
            Self::TreeDepth => "tree_depth",
            Self::TreeShrinkage => "tree_shrinkage",
            Self::TreeLeafRows => "tree_leaf_rows",
            Self::TreeRowShare => "tree_row_share",
        }
    }

    /// The values that are tried. A network's size ends below its bound: the largest would take a hundred
    /// times as long as the default, for one person's days.
    pub fn range(self) -> SearchRange {
        match self {
            Self::LookbackDays => SearchRange::whole(60.0, 365.0),
            Self::SequenceLength => SearchRange::whole(7.0, 42.0),
            Self::Epochs => SearchRange::whole_by_factor(10.0, 200.0),
            Self::BatchSize => SearchRange::whole_by_factor(8.0, 128.0),
            Self::LearningRate => SearchRange::by_factor(0.0001, 0.02),
            Self::HiddenDim => SearchRange::whole_by_factor(32.0, 256.0),
            Self::NumLayers => SearchRange::whole(1.0, 3.0),
            Self::Dropout => SearchRange::share(0.0, 0.5),
            Self::TreeDepth => SearchRange::whole(1.0, 6.0),
            Self::TreeShrinkage => SearchRange::by_factor(0.01, 0.3),
            Self::TreeLeafRows => SearchRange::whole_by_factor(2.0, 80.0),
            Self::TreeRowShare => SearchRange::share(0.4, 1.0),
        }
    }

    /// The value in a request.
    pub fn value_in(self, request: &TrainModelRequest) -> f64 {
        match self {
            Self::LookbackDays => request.lookback_days as f64,
            Self::SequenceLength => request.sequence_length as f64,
            Self::Epochs => request.epochs as f64,
            Self::BatchSize => request.batch_size as f64,
            Self::LearningRate => request.learning_rate,
            Self::HiddenDim => request.hidden_dim as f64,
            Self::NumLayers => request.num_layers as f64,
            Self::Dropout => request.dropout,
            Self::TreeDepth => request.tree_depth as f64,
            Self::TreeShrinkage => request.tree_shrinkage,
            Self::TreeLeafRows => request.tree_leaf_rows as f64,
            Self::TreeRowShare => request.tree_row_share,
        }
    }

    fn set(self, value: f64, request: &mut TrainModelRequest) {
        let whole = value.round().max(0.0) as usize;
        match self {
            Self::LookbackDays => request.lookback_days = whole,
            Self::SequenceLength => request.sequence_length = whole,
            Self::Epochs => request.epochs = whole,
            Self::BatchSize => request.batch_size = whole,
            Self::LearningRate => request.learning_rate = value,
            Self::HiddenDim => request.hidden_dim = whole,
            Self::NumLayers => request.num_layers = whole,
            Self::Dropout => request.dropout = value,
            Self::TreeDepth => request.tree_depth = whole,
            Self::TreeShrinkage => request.tree_shrinkage = value,
            Self::TreeLeafRows => request.tree_leaf_rows = whole,
            Self::TreeRowShare => request.tree_row_share = value,
        }
    }
}

/// Settings that differ from the defaults of a training, or repeat them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Settings(pub BTreeMap<Setting, f64>);

impl Settings {
    /// The defaults of an architecture.
    pub fn defaults(request: &TrainModelRequest) -> Self {
        let settings = Setting::of(request.architecture).iter();
        Self(
            settings
                .map(|setting| (*setting, setting.value_in(request)))
                .collect(),
        )
    }

    /// The request with these settings.
    #[must_use]
    pub fn applied_to(&self, mut request: TrainModelRequest) -> TrainModelRequest {
        for (setting, value) in &self.0 {
            setting.set(*value, &mut request);
        }
        request
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vitalcast_domain::PredictionMetric;

    fn request(architecture: ModelArchitecture) -> TrainModelRequest {
        TrainModelRequest {
            architecture,
            ..TrainModelRequest::new("u".parse().unwrap(), PredictionMetric::RestingHeartRate)
        }
    }

    #[test]
    fn every_value_that_is_tried_is_one_that_a_request_takes() {
        for &architecture in ModelArchitecture::ALL {
            for place in [0.0, 0.1, 0.37, 0.5, 0.93, 1.0] {
                let settings = Setting::of(architecture).iter();
                let settings = Settings(
                    settings
                        .map(|setting| (*setting, setting.range().value(place)))
                        .collect(),
                );
                let asked = settings.applied_to(request(architecture));
                assert_eq!(asked.validate(), Ok(()), "{architecture} at {place}");
                assert_eq!(Settings::defaults(&asked), settings);
            }
        }
    }

    #[test]
    fn places_and_values_belong_together() {
        for &setting in Setting::of(ModelArchitecture::Lstm) {
            let range = setting.range();
            assert_eq!(
                (range.value(0.0), range.value(1.0)),
                (range.low, range.high)
            );
            for place in [0.2, 0.6] {
                let value = range.value(place);
                // Rounded once, a value stays.
                assert_eq!(range.value(range.place(value)), value, "{setting:?}");
            }
        }
    }

    #[test]
    fn names_are_those_of_the_request() {
        let fields = serde_json::to_value(TrainModelRequest {
            tree_depth: 4,
            tree_shrinkage: 0.1,
            tree_leaf_rows: 6,
            tree_row_share: 0.5,
            ..request(ModelArchitecture::Xgboost)
        })
        .unwrap();
        for &architecture in ModelArchitecture::ALL {
            for setting in Setting::of(architecture) {
                assert!(fields.get(setting.name()).is_some(), "{}", setting.name());
                let word = serde_json::to_value(setting).unwrap();
                assert_eq!(word, setting.name());
            }
        }
    }
}
