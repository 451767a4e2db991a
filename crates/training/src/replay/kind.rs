//! What can be replayed, and by which name.

use std::str::FromStr;
use vitalcast_domain::{DomainError, ModelArchitecture};

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
    pub const LADDER: [Self; 10] = [
        Self::Of(ModelArchitecture::Naive),
        Self::Of(ModelArchitecture::SeasonalNaive),
        Self::Of(ModelArchitecture::MovingAverage),
        Self::Mean30,
        Self::Of(ModelArchitecture::ExponentialSmoothing),
        Self::Of(ModelArchitecture::Ets),
        Self::Of(ModelArchitecture::Theta),
        Self::Of(ModelArchitecture::Ridge),
        Self::Population,
        Self::Of(ModelArchitecture::Pooled),
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

    /// All names.
    pub fn names() -> Vec<&'static str> {
        let own = [Self::Auto, Self::Population, Self::Mean30].map(Self::name);
        own.into_iter()
            .chain(ModelArchitecture::WORDS.iter().copied())
            .collect()
    }

    /// Whether it is as simple as a baseline.
    pub(super) fn is_simple(self) -> bool {
        match self {
            Self::Mean30 => true,
            Self::Auto | Self::Population => false,
            Self::Of(architecture) => match architecture {
                ModelArchitecture::Naive
                | ModelArchitecture::SeasonalNaive
                | ModelArchitecture::MovingAverage
                | ModelArchitecture::ExponentialSmoothing => true,
                ModelArchitecture::Lstm
                | ModelArchitecture::LstmAttention
                | ModelArchitecture::MultiTask
                | ModelArchitecture::Xgboost
                | ModelArchitecture::Linear
                | ModelArchitecture::Ets
                | ModelArchitecture::Theta
                | ModelArchitecture::Ridge
                | ModelArchitecture::Average
                | ModelArchitecture::Pooled => false,
            },
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
        let own = [Self::Auto, Self::Population, Self::Mean30];
        match own.into_iter().find(|model| model.name() == text) {
            Some(model) => Ok(model),
            None => text
                .parse()
                .map(Self::Of)
                .map_err(|_| DomainError::UnknownWord {
                    what: "model",
                    got: text.chars().take(40).collect(),
                    expected: Self::names().join(", "),
                }),
        }
    }
}
