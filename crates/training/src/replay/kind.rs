//! What can be replayed, and by which name.

use crate::kinds::is_rung;
use std::str::FromStr;
use vitalcast_domain::{DomainError, ModelArchitecture};
use vitalcast_models::SeriesModel;

/// A model of a replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReplayModel {
    /// The champion of each person, chosen on the days before the scored ones.
    Auto,
    /// The model of many people that is part of this release.
    Population,
    /// Mean of the last 30 days.
    Mean30,
    /// A model of its own for each person; `pooled`, `ridge` and `xgboost` learn from all people.
    Of(ModelArchitecture),
}

impl ReplayModel {
    /// The rungs of the ladder, simplest first: what `auto` chooses among.
    pub fn ladder() -> Vec<Self> {
        let mut rungs: Vec<Self> = ModelArchitecture::ALL
            .iter()
            .copied()
            .filter(|architecture| is_rung(*architecture))
            .map(Self::Of)
            .collect();
        let mut insert = |model, before| {
            let place = rungs.iter().position(|rung| *rung == Self::Of(before));
            rungs.insert(place.unwrap_or(rungs.len()), model);
        };
        insert(Self::Mean30, ModelArchitecture::ExponentialSmoothing);
        insert(Self::Population, ModelArchitecture::Pooled);
        rungs
    }

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
            Self::Auto => "The best rung of the ladder for each person, chosen on earlier days.",
            Self::Population => "The model of many people that is part of this release.",
            Self::Mean30 => "Mean of the last thirty days.",
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
        match self {
            Self::Mean30 => true,
            Self::Auto | Self::Population => false,
            Self::Of(architecture) => SeriesModel::from_name(architecture.as_str()).is_some(),
        }
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

    #[test]
    fn the_ladder_is_climbed_from_the_simplest_rung() {
        let names: Vec<&str> = ReplayModel::ladder()
            .iter()
            .map(|model| model.name())
            .collect();
        assert_eq!(
            names.join(" "),
            "naive seasonal_naive moving_average mean_30 exponential_smoothing ets theta ridge \
             population pooled"
        );
        let simple = ReplayModel::ladder()
            .into_iter()
            .filter(|model| model.is_simple());
        assert_eq!(simple.count(), 5);
    }
}
