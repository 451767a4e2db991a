//! What a pooled model reads of a person, and in which scale.

use serde::{Deserialize, Serialize};

/// A change of scale, so that equal steps mean about as much at any level.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Transform {
    /// The value itself.
    Identity,
    /// The natural logarithm of the value plus a constant.
    Log {
        /// The constant, at least 0.
        plus: f64,
    },
}

impl Transform {
    /// The natural logarithm.
    pub const LN: Self = Self::Log { plus: 0.0 };

    /// The value in this scale; `None` where there is no such number.
    pub fn apply(self, value: f64) -> Option<f64> {
        let transformed = match self {
            Self::Identity => value,
            Self::Log { plus } => (value + plus).ln(),
        };
        transformed.is_finite().then_some(transformed)
    }

    /// Back from this scale.
    pub fn invert(self, value: f64) -> f64 {
        match self {
            Self::Identity => value,
            Self::Log { plus } => value.exp() - plus,
        }
    }
}

/// Another daily series of the person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Covariate {
    /// Its name, by which people's series are matched.
    pub name: String,
    /// Its scale.
    pub transform: Transform,
    /// Precision of the prior of its coefficients, which are expected to be 0.
    pub penalty: f64,
}

/// What a pooled model of one series reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Design {
    /// Scale of the series itself.
    pub transform: Transform,
    /// Precision of the prior of the coefficients of the person's own history.
    pub own_penalty: f64,
    /// The other series.
    pub covariates: Vec<Covariate>,
    /// Days ahead, 1 or more.
    pub horizon: usize,
    /// A part of the recipe that is left out, to see what it is worth; `None` for a model that is served.
    /// It is not stored with a model.
    #[serde(skip)]
    pub without: Option<Part>,
}

/// A part of the recipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Deviations of other series.
    OtherSeries,
    /// The weekday, and the person's own mean deviation on it.
    Weekday,
    /// Days since the last reading.
    Gap,
    /// The pull towards the mean of people.
    PopulationMean,
    /// Deviations are measured from the last reading where a series wanders. Without it, always from the
    /// level.
    LastReading,
    /// The person's own day-to-day spread. Without it, all people of a source have the same.
    OwnSpread,
    /// The robust loss. Without it, squared errors.
    RobustLoss,
    /// The prior of the coefficients. Without it, one a thousand times as weak.
    Shrinkage,
    /// Whole numbers where all readings are.
    WholeNumbers,
}

impl Part {
    /// All parts.
    pub const ALL: [Self; 9] = [
        Self::OtherSeries,
        Self::Weekday,
        Self::Gap,
        Self::PopulationMean,
        Self::LastReading,
        Self::OwnSpread,
        Self::RobustLoss,
        Self::Shrinkage,
        Self::WholeNumbers,
    ];
}

impl Design {
    pub(crate) fn lacks(&self, part: Part) -> bool {
        self.without == Some(part)
    }

    /// Whether every penalty is finite and above 0.
    pub(crate) fn has_penalties(&self) -> bool {
        let of_others = self.covariates.iter().map(|covariate| covariate.penalty);
        std::iter::once(self.own_penalty)
            .chain(of_others)
            .all(|penalty| penalty.is_finite() && penalty > 0.0)
    }
}
