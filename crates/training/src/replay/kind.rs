//! What can be replayed, and by which name.

use std::str::FromStr;
use vitalcast_domain::{DomainError, ModelArchitecture};

/// A model of a replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReplayModel {
    /// What is served on each evening: the model of many people, or a simple forecast that had erred less.
    Auto,
    /// The model of many people that is part of this release.
    Population,
    /// Mean of the 30 days up to the last reading.
    Mean30,
    /// A model of its own for each person; `pooled`, `pooled_lstm`, `ridge` and `xgboost` learn from
    /// all people.
    Of(ModelArchitecture),
}

impl ReplayModel {
    /// The simple forecasts, simplest first: what every model is compared with, and what `auto` serves
    /// where it is better than the model of many people.
    pub const SIMPLE: [Self; 5] = [
        Self::Of(ModelArchitecture::Naive),
        Self::Of(ModelArchitecture::SeasonalNaive),
        Self::Of(ModelArchitecture::MovingAverage),
        Self::Mean30,
        Self::Of(ModelArchitecture::ExponentialSmoothing),
    ];

    /// Its name in tables and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Population => "population",
            Self::Mean30 => "mean_30",
            Self::Of(architecture) => architecture.as_str(),
        }
    }

    /// What it is, in a few words.
    pub fn description(self) -> &'static str {
        match self {
            Self::Auto => {
                "What predict serves: the model of many people, or a simple forecast that did better."
            }
            Self::Population => "The model of many people that is part of this release.",
            Self::Mean30 => "Mean of the thirty days up to the last reading.",
            Self::Of(architecture) => architecture.description(),
        }
    }

    /// All that can be replayed.
    pub fn all() -> impl Iterator<Item = Self> {
        let architectures = ModelArchitecture::ALL.iter().copied().map(Self::Of);
        [Self::Auto, Self::Population, Self::Mean30]
            .into_iter()
            .chain(architectures)
    }

    /// Whether it is as simple as a baseline.
    pub(super) fn is_simple(self) -> bool {
        Self::SIMPLE.contains(&self)
    }
}

impl std::fmt::Display for ReplayModel {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(self.name())
    }
}

impl FromStr for ReplayModel {
    type Err = DomainError;

    fn from_str(text: &str) -> Result<Self, DomainError> {
        Self::all()
            .find(|model| model.name() == text)
            .ok_or_else(|| {
                let names: Vec<&str> = Self::all().map(Self::name).collect();
                DomainError::UnknownWord {
                    what: "model",
                    got: text.chars().take(40).collect(),
                    expected: names.join(", "),
                }
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vitalcast_inference::SIMPLE_RUNGS;

    #[test]
    fn what_is_served_in_place_of_a_model_is_what_models_are_compared_with() {
        let names = |models: &[ReplayModel]| models.iter().map(|model| model.name()).collect();
        let simple: Vec<&str> = names(&ReplayModel::SIMPLE);
        let served: Vec<&str> = SIMPLE_RUNGS.iter().map(|rung| rung.name).collect();
        assert_eq!(simple, served);
    }
}
