//! Configurations of networks, checked before memory is allocated.

use crate::error::{ModelError, within};
use serde::{Deserialize, Serialize};

/// The read-out: the part of the output of the top layer that the head reads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadOut {
    /// The output of the last day, of both directions, as PyTorch's `output[:, -1, :]`. Read
    /// backward, the last day is the first one read: that direction has seen one day only.
    #[default]
    LastDay,
    /// The mean of all days, weighted by what a small network makes of each (Bahdanau et al. 2015
    /// without a query; Yang et al. 2016).
    Attention,
}

/// The head: the layers from the read-out to the outputs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Head {
    /// Two dense layers with batch norm, then one for all outputs.
    #[default]
    Joint,
    /// One shared dense layer, then two dense layers for each output (Caruana 1997).
    PerOutput,
}

/// A stacked LSTM with a dense head.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LstmConfig {
    /// Features read per day, 1 to 4096.
    pub input_width: usize,
    /// Hidden size, 4 to 2048.
    pub hidden_width: usize,
    /// Number of stacked layers, 1 to 8.
    pub layers: usize,
    /// Dropout rate, 0 to below 1.
    pub dropout: f64,
    /// Whether the LSTM is bidirectional.
    pub bidirectional: bool,
    /// Values forecast, 1 to 64: metrics, or days ahead, or both.
    pub outputs: usize,
    /// The read-out.
    #[serde(default)]
    pub read_out: ReadOut,
    /// What makes values of it.
    #[serde(default)]
    pub head: Head,
}

/// A linear layer on the window's mean over days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinearConfig {
    /// Features read per day, 1 to 4096.
    pub input_width: usize,
    /// Values forecast, 1 to 64.
    pub outputs: usize,
}

/// The configuration of a network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum NetworkConfig {
    /// See [`LstmConfig`].
    Lstm(LstmConfig),
    /// See [`LinearConfig`].
    Linear(LinearConfig),
}

impl NetworkConfig {
    /// Values forecast for each window.
    pub fn outputs(&self) -> usize {
        match self {
            Self::Lstm(config) => config.outputs,
            Self::Linear(config) => config.outputs,
        }
    }

    /// Features read per day.
    pub fn input_width(&self) -> usize {
        match self {
            Self::Lstm(config) => config.input_width,
            Self::Linear(config) => config.input_width,
        }
    }

    /// Checks every bound.
    ///
    /// # Errors
    ///
    /// [`ModelError::OutOfBounds`] naming the field.
    pub fn validate(&self) -> Result<(), ModelError> {
        within("input_width", self.input_width() as f64, 1.0, 4096.0)?;
        within("outputs", self.outputs() as f64, 1.0, 64.0)?;
        if let Self::Lstm(config) = self {
            within("hidden_width", config.hidden_width as f64, 4.0, 2048.0)?;
            within("layers", config.layers as f64, 1.0, 8.0)?;
            within("dropout", config.dropout, 0.0, 0.95)?;
        }
        Ok(())
    }
}

impl LstmConfig {
    /// A network of one output that reads windows forward and the last day out: `layers` of
    /// `hidden_width` units, no dropout. Other settings are fields.
    pub fn new(input_width: usize, hidden_width: usize, layers: usize) -> Self {
        Self {
            input_width,
            hidden_width,
            layers,
            dropout: 0.0,
            bidirectional: false,
            outputs: 1,
            read_out: ReadOut::default(),
            head: Head::default(),
        }
    }

    /// 1, or 2 when windows are read in both directions.
    pub(crate) fn directions(&self) -> usize {
        1 + usize::from(self.bidirectional)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absurd_settings_are_refused_by_name() {
        let config = LstmConfig::new(51, 1_000_000, 2);
        let error = NetworkConfig::Lstm(config.clone()).validate().unwrap_err();
        assert!(error.to_string().starts_with("hidden_width"), "{error}");
        let nan = LstmConfig {
            hidden_width: 8,
            dropout: f64::NAN,
            ..config
        };
        assert!(NetworkConfig::Lstm(nan).validate().is_err());
    }
}
