//! The kinds of model, in one table: what is said of each wherever it is named.
//!
//! How each is fitted stands in the table of `vitalcast-training`.

use crate::metric::word_enum;
use crate::request::MAX_HORIZON_DAYS;
use serde::{Deserialize, Serialize};

/// Declares the architectures: what each is, its name in the wire format, its family, and the fewest days
/// of input that it makes a forecast of.
macro_rules! architectures {
    ($(#[doc = $what:literal] $variant:ident = $word:literal: $family:ident, $days:expr;)+) => {
        word_enum! {
            /// Model architecture.
            ModelArchitecture, "architecture" {
                $(#[doc = $what] $variant = $word),+
            }
        }

        impl ModelArchitecture {
            /// All of them with what each is, as a list in Markdown.
            pub const LIST: &'static str =
                concat!("Model architecture:\n", $("\n- `", $word, "`:", $what),+);

            /// What it is, in a few words.
            pub fn description(self) -> &'static str {
                match self { $(Self::$variant => $what.trim_ascii()),+ }
            }

            /// The family of models that it belongs to.
            pub fn family(self) -> ModelFamily {
                match self { $(Self::$variant => ModelFamily::$family),+ }
            }

            /// The fewest days of input that it makes a forecast of.
            pub fn least_days_read(self) -> usize {
                match self { $(Self::$variant => $days),+ }
            }
        }
    };
}

/// A day with a value is enough.
const ONE_DAY: usize = 1;
/// Two whole weeks, in which a weekly season shows, also on the last day that is forecast.
const TWO_WEEKS: usize = 14 + MAX_HORIZON_DAYS - 1;
/// Days whose mean is the level.
const FOUR_WEEKS: usize = 28;

architectures! {
    /// Stacked LSTM.
    Lstm = "lstm": Lstm, ONE_DAY;
    /// Stacked LSTM with attention over the input days.
    LstmAttention = "lstm_attention": Lstm, ONE_DAY;
    /// Stacked LSTM with multi-task learning: it also forecasts the other metrics.
    MultiTask = "multi_task": Lstm, ONE_DAY;
    /// Gradient-boosted trees on the metric's own last days and weeks.
    Xgboost = "xgboost": Trees, FOUR_WEEKS;
    /// Linear layer on the window's mean.
    Linear = "linear": Linear, ONE_DAY;
    /// The last value seen.
    Naive = "naive": Series, ONE_DAY;
    /// The value of the same weekday before.
    SeasonalNaive = "seasonal_naive": Series, ONE_DAY;
    /// Mean of the seven days up to the last reading.
    MovingAverage = "moving_average": Series, ONE_DAY;
    /// Simple exponential smoothing.
    ExponentialSmoothing = "exponential_smoothing": Series, ONE_DAY;
    /// Exponential smoothing with trend and week.
    Ets = "ets": Series, TWO_WEEKS;
    /// Smoothing with half a trend, after the week.
    Theta = "theta": Series, TWO_WEEKS;
    /// Ridge regression on the metric's own last days and weeks.
    Ridge = "ridge": Ridge, FOUR_WEEKS;
    /// Mean of `ets`, `theta` and the mean of seven days.
    Average = "average": Series, TWO_WEEKS;
    /// One linear model of many people's days.
    Pooled = "pooled": Pooled, ONE_DAY;
    /// LSTM of many people's days, fine-tuned on the person's.
    PooledLstm = "pooled_lstm": Pooled, ONE_DAY;
}

impl ModelArchitecture {
    /// Whether it is an LSTM network, which has a state, layers and directions.
    pub fn is_lstm(self) -> bool {
        self.family() == ModelFamily::Lstm
    }

    /// Whether it is a network, which is trained in steps.
    pub fn is_network(self) -> bool {
        self.family().reads() == ModelReads::Features
    }

    /// Whether it is trained in epochs.
    pub fn has_epochs(self) -> bool {
        match self.family() {
            ModelFamily::Lstm | ModelFamily::Linear | ModelFamily::Trees => true,
            ModelFamily::Ridge | ModelFamily::Series | ModelFamily::Pooled => false,
        }
    }
}

/// A family of models. It determines the settings of a model, what it reads, and the training cost.
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
    /// A model of many people's days.
    Pooled,
}

impl ModelFamily {
    /// What a model of this family reads.
    pub fn reads(self) -> ModelReads {
        match self {
            Self::Lstm | Self::Linear => ModelReads::Features,
            Self::Trees | Self::Ridge | Self::Series => ModelReads::OwnDays,
            Self::Pooled => ModelReads::DailySeries,
        }
    }
}

/// What a model reads of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelReads {
    /// Windows of all features.
    Features,
    /// The earlier days of the metric itself.
    OwnDays,
    /// The metric and every other daily series.
    DailySeries,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_names_every_architecture_and_says_what_it_is() {
        let lines: Vec<&str> = ModelArchitecture::LIST.lines().skip(2).collect();
        assert_eq!(lines.len(), ModelArchitecture::ALL.len());
        for (line, architecture) in lines.iter().zip(ModelArchitecture::ALL) {
            let what = architecture.description();
            assert_eq!(*line, format!("- `{architecture}`: {what}"));
            assert!(what.ends_with('.') && !what.contains('\n'), "{what}");
        }
    }
}
