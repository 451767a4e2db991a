//! How each architecture is trained: what the table of `vitalcast-domain` does not say.

use vitalcast_domain::{MAX_HORIZON_DAYS, ModelArchitecture, TrainModelRequest};
use vitalcast_models::{Head, ReadOut, SeriesMethod, TreeOptions};

/// Trees of `xgboost` for each of the epochs asked for: a hundred by default.
const TREES_PER_EPOCH: usize = 2;
/// Days of a moving average, alone or as a member of an average.
const MOVING_AVERAGE_DAYS: usize = 7;

/// The training method of a model.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Fitting {
    /// A network that reads all model inputs.
    Network(NetworkKind),
    /// A model of the metric's own days.
    Series { method: SeriesMethod, on: FittedOn },
    /// The mean of several of them.
    Average {
        methods: Vec<SeriesMethod>,
        on: FittedOn,
    },
    /// The model of many people that is served otherwise: nothing is fitted to the person.
    OfManyPeople,
    /// An LSTM of many people's windows that corrects such a model, fine-tuned on the person.
    LstmOfManyPeople,
}

/// The configuration of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NetworkKind {
    /// LSTM layers.
    Lstm {
        read_out: ReadOut,
        head: Head,
        /// Whether the other metrics are outputs, too.
        other_metrics: bool,
    },
    /// A linear layer.
    Linear,
}

/// The days a model of a series is fitted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FittedOn {
    /// None: it has no parameters.
    NoDays,
    /// All before the test part: it has so few parameters that its errors are hardly smaller on the
    /// days it was fitted on.
    DaysBeforeTest,
    /// Those of the training part only, so that its errors can be measured on the validation part.
    TrainingDays,
}

impl Fitting {
    /// The training method of the requested architecture and settings.
    pub(crate) fn of(request: &TrainModelRequest) -> Self {
        let horizon = MAX_HORIZON_DAYS;
        let lstm = |read_out, head, other_metrics| {
            Self::Network(NetworkKind::Lstm {
                read_out,
                head,
                other_metrics,
            })
        };
        let series = |method, on| Self::Series { method, on };
        let moving_average = SeriesMethod::MovingAverage {
            days: MOVING_AVERAGE_DAYS,
        };
        match request.architecture {
            ModelArchitecture::Lstm => lstm(ReadOut::LastDay, Head::Joint, false),
            ModelArchitecture::LstmAttention => lstm(ReadOut::Attention, Head::Joint, false),
            ModelArchitecture::MultiTask => lstm(ReadOut::LastDay, Head::PerOutput, true),
            ModelArchitecture::Linear => Self::Network(NetworkKind::Linear),
            ModelArchitecture::Naive => series(SeriesMethod::Naive, FittedOn::NoDays),
            ModelArchitecture::SeasonalNaive => {
                series(SeriesMethod::SeasonalNaive, FittedOn::NoDays)
            }
            ModelArchitecture::MovingAverage => series(moving_average, FittedOn::NoDays),
            ModelArchitecture::ExponentialSmoothing => series(
                SeriesMethod::ExponentialSmoothing { alpha: None },
                FittedOn::DaysBeforeTest,
            ),
            ModelArchitecture::Ets => series(SeriesMethod::Ets, FittedOn::DaysBeforeTest),
            ModelArchitecture::Theta => series(SeriesMethod::Theta, FittedOn::DaysBeforeTest),
            ModelArchitecture::Ridge => {
                series(SeriesMethod::Ridge { horizon }, FittedOn::TrainingDays)
            }
            ModelArchitecture::Xgboost => {
                let options = TreeOptions {
                    trees: TREES_PER_EPOCH * request.epochs,
                    depth: request.tree_depth,
                    learning_rate: request.tree_shrinkage as f32,
                    leaf_rows: request.tree_leaf_rows,
                    row_share: request.tree_row_share as f32,
                    seed: request.seed,
                    ..TreeOptions::default()
                };
                let method = SeriesMethod::Trees { horizon, options };
                series(method, FittedOn::TrainingDays)
            }
            ModelArchitecture::Pooled => Self::OfManyPeople,
            ModelArchitecture::PooledLstm => Self::LstmOfManyPeople,
            ModelArchitecture::Average => Self::Average {
                methods: vec![SeriesMethod::Ets, SeriesMethod::Theta, moving_average],
                on: FittedOn::DaysBeforeTest,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vitalcast_domain::PredictionMetric;

    fn fitting(architecture: ModelArchitecture) -> Fitting {
        let user = "u".parse().unwrap();
        Fitting::of(&TrainModelRequest {
            architecture,
            ..TrainModelRequest::new(user, PredictionMetric::RestingHeartRate)
        })
    }

    #[test]
    fn no_architecture_is_fitted_as_another() {
        let all: Vec<Fitting> = ModelArchitecture::ALL
            .iter()
            .map(|&architecture| fitting(architecture))
            .collect();
        for (index, fitting) in all.iter().enumerate() {
            assert!(!all[..index].contains(fitting), "{fitting:?} occurs twice");
        }
    }

    #[test]
    fn the_defaults_of_a_request_are_those_of_the_trees() {
        let Fitting::Series {
            method: SeriesMethod::Trees { options, .. },
            ..
        } = fitting(ModelArchitecture::Xgboost)
        else {
            panic!("xgboost is not fitted as trees");
        };
        let seed = options.seed;
        let default = TreeOptions {
            seed,
            ..TreeOptions::default()
        };
        assert_eq!(options, default);
    }

    #[test]
    fn what_reads_lags_has_the_days_of_its_level() {
        for architecture in [ModelArchitecture::Ridge, ModelArchitecture::Xgboost] {
            assert_eq!(architecture.least_days_read(), vitalcast_models::LEVEL_DAYS);
        }
    }

    #[test]
    fn what_is_called_a_network_is_fitted_as_one() {
        for &architecture in ModelArchitecture::ALL {
            let network = matches!(fitting(architecture), Fitting::Network(_));
            assert_eq!(network, architecture.is_network(), "{architecture}");
        }
    }
}
