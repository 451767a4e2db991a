//! A network as the correction of a model of many people.

use crate::error::InferenceError;
use vitalcast_models::{Network, Windows};
use vitalcast_pooled::{Correction, PooledModel};

/// A network that says, of each lead, how far the day is from the base, in the person's day-to-day spread.
/// The coefficients of the model of many people say so, too; the deviation is a mean of both.
#[derive(Debug, Clone)]
pub struct NetworkCorrection {
    network: Network,
    days: usize,
    share: f64,
}

impl NetworkCorrection {
    /// Makes one of a network that reads windows of so many days of the model's, and counts for a share of
    /// the mean, 0 to 1.
    ///
    /// # Errors
    ///
    /// [`InferenceError::UnusableModel`] for a network of other inputs or outputs than the model's, for
    /// windows without a day, and for another share.
    pub fn new(
        model: &PooledModel,
        network: Network,
        days: usize,
        share: f64,
    ) -> Result<Self, InferenceError> {
        let design = model.design();
        let config = network.config();
        let fits = config.input_width() == design.window_width()
            && config.outputs() == design.horizon
            && days > 0
            && (0.0..=1.0).contains(&share);
        if fits {
            Ok(Self {
                network,
                days,
                share,
            })
        } else {
            Err(InferenceError::UnusableModel(
                "its network does not match what it reads".to_owned(),
            ))
        }
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.network
    }
}

impl Correction for NetworkCorrection {
    fn days(&self) -> usize {
        self.days
    }

    fn deviation(&self, window: &[f32], lead: usize, said: f64) -> Option<f64> {
        let width = self.network.config().input_width();
        let windows = Windows::new(1, self.days, width, window.to_vec()).ok()?;
        let outputs = self.network.predict(&windows).ok()?;
        let seen = f64::from(*outputs.get(lead.checked_sub(1)?)?);
        let deviation = said + self.share * (seen - said);
        deviation.is_finite().then_some(deviation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::FittedModel;
    use crate::population::population;
    use vitalcast_artifact::{Artifact, Deviation, Manifest};
    use vitalcast_domain::{ModelArchitecture, PredictionMetric};
    use vitalcast_models::{LstmConfig, NetworkConfig};

    fn model() -> &'static PooledModel {
        let release = population(PredictionMetric::SleepDuration).unwrap();
        release.unwrap().model.as_pooled().unwrap()
    }

    fn config(more_inputs: usize, outputs: usize) -> NetworkConfig {
        let width = model().design().window_width() + more_inputs;
        NetworkConfig::Lstm(LstmConfig {
            outputs,
            ..LstmConfig::new(width, 8, 1)
        })
    }

    fn network(more_inputs: usize, outputs: usize) -> Network {
        Network::new(&config(more_inputs, outputs), 1).unwrap()
    }

    #[test]
    fn a_network_of_other_inputs_or_outputs_is_refused() {
        let of =
            |network: Network, days: usize| NetworkCorrection::new(model(), network, days, 0.5);
        assert!(of(network(0, 7), 3).is_ok());
        for (network, days) in [(network(1, 7), 3), (network(0, 6), 3), (network(0, 7), 0)] {
            assert!(of(network, days).is_err());
        }
        for share in [-0.1, 1.1, f64::NAN] {
            let correction = NetworkCorrection::new(model(), network(0, 7), 3, share);
            assert!(correction.is_err(), "{share}");
        }
    }

    #[test]
    fn a_network_and_the_coefficients_make_a_mean() {
        let window = vec![0.5; 3 * model().design().window_width()];
        let network = network(0, 7);
        let windows = Windows::new(1, 3, model().design().window_width(), window.clone());
        let said = network.predict(&windows.unwrap()).unwrap();
        let correction = NetworkCorrection::new(model(), network, 3, 0.5).unwrap();
        for lead in 1..=7 {
            let expected = 0.25 + 0.5 * (f64::from(said[lead - 1]) - 0.25);
            assert_eq!(correction.deviation(&window, lead, 0.25), Some(expected));
        }
        assert_eq!(correction.deviation(&window, 8, 0.25), None);
        assert_eq!(correction.deviation(&window, 0, 0.25), None);
        assert_eq!(correction.deviation(&window[1..], 1, 0.25), None);
    }

    #[test]
    fn a_file_with_such_a_network_forecasts_as_before_and_without_one_is_refused() {
        let release = population(PredictionMetric::SleepDuration)
            .unwrap()
            .unwrap();
        let correction = NetworkCorrection::new(model(), network(0, 7), 21, 0.5).unwrap();
        let fitted = FittedModel::corrected(release.model.metric, model().clone(), correction);
        let manifest = |config: serde_json::Value| Manifest {
            architecture: ModelArchitecture::PooledLstm,
            lookback_days: fitted.lookback,
            deviation: Some(Deviation {
                base: "pooled".to_owned(),
                share: 0.5,
            }),
            config,
            ..release.manifest.clone()
        };
        let config = serde_json::to_value(fitted.network_config()).unwrap();
        let file = |config: serde_json::Value, weights: Option<Vec<u8>>| {
            let artifact = Artifact::new(manifest(config), weights, &fitted.state()).unwrap();
            let bytes = artifact.to_bytes().unwrap();
            FittedModel::from_artifact(&Artifact::from_bytes(&bytes).unwrap())
        };
        let weights = fitted.weights().unwrap();
        let read = file(config.clone(), weights.clone()).unwrap();
        assert!(read.as_pooled().is_none());
        let window = vec![0.5; 21 * model().design().window_width()];
        let says = |model: &FittedModel| {
            let correction = model.of_many_people().unwrap().correction.unwrap();
            correction.deviation(&window, 1, 0.0)
        };
        assert_eq!(says(&read), says(&fitted));
        assert!(file(config, None).is_err());
        assert!(file(release.manifest.config.clone(), weights).is_err());
    }
}
