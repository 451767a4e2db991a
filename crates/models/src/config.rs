//! What a network is made of, checked before memory is taken.

use crate::error::ModelError;
use serde::{Deserialize, Serialize};

/// A stacked LSTM with a dense head.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LstmConfig {
    /// Features read per day, 1 to 4096.
    pub input_width: usize,
    /// Width of the state, 4 to 2048.
    pub hidden_width: usize,
    /// Stacked layers, 1 to 8.
    pub layers: usize,
    /// Dropout probability, 0 to below 1.
    pub dropout: f64,
    /// Read each window in both directions.
    pub bidirectional: bool,
    /// Values forecast, 1 to 64.
    pub outputs: usize,
}

/// A linear layer on the window's mean over days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinearConfig {
    /// Features read per day, 1 to 4096.
    pub input_width: usize,
    /// Values forecast, 1 to 64.
    pub outputs: usize,
}

/// Either network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum NetworkConfig {
    /// See [`LstmConfig`].
    Lstm(LstmConfig),
    /// See [`LinearConfig`].
    Linear(LinearConfig),
}

impl NetworkConfig {
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
        let (input_width, outputs) = match self {
            Self::Lstm(config) => (config.input_width, config.outputs),
            Self::Linear(config) => (config.input_width, config.outputs),
        };
        within("input_width", input_width as f64, 1.0, 4096.0)?;
        within("outputs", outputs as f64, 1.0, 64.0)?;
        if let Self::Lstm(config) = self {
            within("hidden_width", config.hidden_width as f64, 4.0, 2048.0)?;
            within("layers", config.layers as f64, 1.0, 8.0)?;
            within("dropout", config.dropout, 0.0, 0.95)?;
        }
        Ok(())
    }
}

fn within(field: &'static str, found: f64, low: f64, high: f64) -> Result<(), ModelError> {
    if (low..=high).contains(&found) {
        Ok(())
    } else {
        Err(ModelError::OutOfBounds {
            field,
            low,
            high,
            found,
        })
    }
}

impl LstmConfig {
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
        let config = LstmConfig {
            input_width: 51,
            hidden_width: 1_000_000,
            layers: 2,
            dropout: 0.2,
            bidirectional: false,
            outputs: 1,
        };
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
