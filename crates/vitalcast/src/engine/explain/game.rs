//! A forecast as a game: windows of days, or the terms of a sum.

use crate::error::EngineError;
use vitalcast_domain::ExplainedFeature;
use vitalcast_inference::{ForecastSum, WindowGame};
use vitalcast_insight::Mix;

/// What answers questions about mixes.
pub(super) enum ForecastGame<'a> {
    /// Against the windows of earlier days.
    Windows(&'a WindowGame<'a>),
    /// Against the base alone: an absent part adds nothing.
    Sum(&'a ForecastSum),
}

impl ForecastGame<'_> {
    pub(super) fn features(&self) -> Vec<ExplainedFeature> {
        match self {
            Self::Windows(game) => game
                .players()
                .iter()
                .filter_map(|player| player.feature.clone())
                .collect(),
            Self::Sum(sum) => sum.parts.iter().map(|(part, _)| part.clone()).collect(),
        }
    }

    pub(super) fn differs(&self) -> Vec<Vec<bool>> {
        match self {
            Self::Windows(game) => game.differs(),
            Self::Sum(sum) => vec![sum.parts.iter().map(|(_, amount)| *amount != 0.0).collect()],
        }
    }

    /// Earlier days of the person.
    pub(super) fn backgrounds(&self) -> usize {
        match self {
            Self::Windows(game) => game.backgrounds(),
            Self::Sum(_) => 0,
        }
    }

    pub(super) fn forecasts(&self, mixes: &[Mix]) -> Result<Vec<f64>, EngineError> {
        match self {
            Self::Windows(game) => {
                let mixes = mixes.iter().map(|mix| (&mix.present[..], mix.background));
                Ok(game.forecasts(mixes)?)
            }
            Self::Sum(sum) => Ok(mixes
                .iter()
                .map(|mix| {
                    let parts = sum.parts.iter().zip(&mix.present);
                    let present = parts.filter(|(_, present)| **present);
                    sum.base + present.map(|((_, amount), _)| amount).sum::<f64>()
                })
                .collect()),
        }
    }
}
