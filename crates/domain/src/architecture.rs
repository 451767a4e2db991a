//! Model architectures and their families.

use crate::metric::word_enum;
use crate::request::MAX_HORIZON_DAYS;
use serde::{Deserialize, Serialize};

word_enum! {
    /// Model architecture.
    ModelArchitecture, "architecture" {
        /// Stacked LSTM.
        Lstm = "lstm",
        /// Stacked LSTM with attention over the input days.
        LstmAttention = "lstm_attention",
        /// Stacked LSTM with multi-task learning: it also forecasts the other metrics.
        MultiTask = "multi_task",
        /// Gradient-boosted trees on the metric's own last days and weeks.
        Xgboost = "xgboost",
        /// Linear layer on the window's mean.
        Linear = "linear",
        /// The last value seen.
        Naive = "naive",
        /// The value of the same weekday before.
        SeasonalNaive = "seasonal_naive",
        /// Mean of the last seven days.
        MovingAverage = "moving_average",
        /// Simple exponential smoothing.
        ExponentialSmoothing = "exponential_smoothing",
        /// Exponential smoothing with trend and week.
        Ets = "ets",
        /// Smoothing with half a trend, after the week.
        Theta = "theta",
        /// Ridge regression on the metric's own last days and weeks.
        Ridge = "ridge",
        /// Mean of `ets`, `theta` and the last seven days' mean.
        Average = "average",
        /// One linear model of many people's days.
        Pooled = "pooled",
    }
}

impl ModelArchitecture {
    /// The model family of the architecture.
    pub fn family(self) -> ModelFamily {
        match self {
            Self::Lstm | Self::LstmAttention | Self::MultiTask => ModelFamily::Lstm,
            Self::Linear => ModelFamily::Linear,
            Self::Xgboost => ModelFamily::Trees,
            Self::Ridge => ModelFamily::Ridge,
            Self::Naive
            | Self::SeasonalNaive
            | Self::MovingAverage
            | Self::ExponentialSmoothing
            | Self::Ets
            | Self::Theta
            | Self::Average => ModelFamily::Series,
            Self::Pooled => ModelFamily::Pooled,
        }
    }

    /// Whether it is an LSTM network, which has a state, layers and directions.
    pub fn is_lstm(self) -> bool {
        self.family() == ModelFamily::Lstm
    }

    /// Whether it is trained in epochs and steps.
    pub fn is_network(self) -> bool {
        match self.family() {
            ModelFamily::Lstm | ModelFamily::Linear => true,
            ModelFamily::Trees | ModelFamily::Ridge | ModelFamily::Series | ModelFamily::Pooled => {
                false
            }
        }
    }

    /// Minimum number of input days for a forecast.
    pub fn least_days_read(self) -> usize {
        match self {
            // Their level is the mean of four weeks.
            Self::Xgboost | Self::Ridge => 28,
            // A weekly season takes two whole weeks to show, also on the last day that is forecast.
            Self::Ets | Self::Theta | Self::Average => 14 + MAX_HORIZON_DAYS - 1,
            Self::Lstm
            | Self::LstmAttention
            | Self::MultiTask
            | Self::Linear
            | Self::Naive
            | Self::SeasonalNaive
            | Self::MovingAverage
            | Self::ExponentialSmoothing
            | Self::Pooled => 1,
        }
    }
}

/// A family of models. It determines the settings of a model, the number of input days and the training
/// cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelFamily {
    /// LSTM layers with a read-out and a head.
    Lstm,
    /// One linear layer.
    Linear,
    /// Boosted trees on lags.
    Trees,
    /// Ridge regression on lags.
    Ridge,
    /// A few parameters of one series, or none.
    Series,
    /// One model of many people's days.
    Pooled,
}
