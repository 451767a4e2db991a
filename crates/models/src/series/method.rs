//! Methods for a single series, and the fitted models.

use super::simple;
use super::{
    AverageModel, Calibrated, EtsModel, RidgeModel, SeriesForecaster, ThetaModel, TreesOnLags, last,
};
use crate::error::{ModelError, within};
use crate::trees::TreeOptions;
use serde::{Deserialize, Serialize};

/// Leads that ridge and trees are fitted for where nothing else is said: a week.
const HORIZON: usize = 7;
/// Longest horizon, and longest moving average.
const MAX_DAYS: usize = 366;

/// A method for a single series.
#[derive(Debug, Clone, PartialEq)]
pub enum SeriesMethod {
    /// See [`SeriesModel::Naive`].
    Naive,
    /// See [`SeriesModel::SeasonalNaive`].
    SeasonalNaive,
    /// See [`SeriesModel::MovingAverage`].
    MovingAverage {
        /// How many days, 1 to 366.
        days: usize,
    },
    /// See [`SeriesModel::ExponentialSmoothing`].
    ExponentialSmoothing {
        /// Weight of the newest value, above 0 to 1; fitted when it is not given.
        alpha: Option<f64>,
    },
    /// See [`EtsModel`].
    Ets,
    /// See [`ThetaModel`].
    Theta,
    /// See [`RidgeModel`].
    Ridge {
        /// Leads it is fitted for, 1 to 366.
        horizon: usize,
    },
    /// See [`TreesOnLags`].
    Trees {
        /// Leads they are fitted for, 1 to 366.
        horizon: usize,
        /// How they are grown.
        options: TreeOptions,
    },
}

impl SeriesMethod {
    /// Ridge regression on lags, for a week ahead.
    pub fn ridge() -> Self {
        Self::Ridge { horizon: HORIZON }
    }

    /// Boosted trees on lags, for a week ahead.
    pub fn trees() -> Self {
        Self::Trees {
            horizon: HORIZON,
            options: TreeOptions::default(),
        }
    }

    /// Fits to a history.
    ///
    /// # Errors
    ///
    /// [`ModelError::OutOfBounds`] naming a setting, [`ModelError::DayNotFinite`] naming a day,
    /// [`ModelError::TooShort`] for fewer observed days than the method needs.
    pub fn fit(&self, history: &[Option<f64>]) -> Result<SeriesModel, ModelError> {
        self.fit_pooled(&[history])
    }

    /// Fits one model to many people's histories, each relative to its own level: ridge and trees
    /// learn from all of them. The others know one series only.
    ///
    /// # Errors
    ///
    /// As [`SeriesMethod::fit`]; [`ModelError::OutOfBounds`] for a method of one series and another
    /// number of histories.
    pub fn fit_pooled(&self, histories: &[&[Option<f64>]]) -> Result<SeriesModel, ModelError> {
        self.check(histories)?;
        let history = histories.first().copied().unwrap_or_default();
        let few = |what| ModelError::TooShort {
            what,
            needed: 4,
            found: history.iter().flatten().count(),
        };
        Ok(match self {
            Self::Naive => SeriesModel::Naive,
            Self::SeasonalNaive => SeriesModel::SeasonalNaive,
            Self::MovingAverage { days } => SeriesModel::MovingAverage { days: *days },
            Self::ExponentialSmoothing { alpha: Some(alpha) } => {
                SeriesModel::ExponentialSmoothing { alpha: *alpha }
            }
            Self::ExponentialSmoothing { alpha: None } => {
                SeriesModel::fit_exponential_smoothing(history)
            }
            Self::Ets => SeriesModel::Ets(
                EtsModel::fit(history).ok_or_else(|| few("observed days for ETS"))?,
            ),
            Self::Theta => SeriesModel::Theta(
                ThetaModel::fit(history).ok_or_else(|| few("observed days for Theta"))?,
            ),
            Self::Ridge { horizon } => SeriesModel::Ridge(RidgeModel::fit(histories, *horizon)?),
            Self::Trees { horizon, options } => {
                SeriesModel::Trees(TreesOnLags::fit(histories, *horizon, options)?)
            }
        })
    }

    /// Fits to a history and notes the errors made on its last third, for intervals.
    ///
    /// # Errors
    ///
    /// As [`SeriesMethod::fit`], and as [`Calibrated::fit`].
    pub fn fit_calibrated(
        &self,
        history: &[Option<f64>],
        horizon: usize,
    ) -> Result<Calibrated<SeriesModel>, ModelError> {
        Calibrated::fit(history, horizon, |part| self.fit(part))
    }

    /// Fits several methods to one history, to be averaged.
    ///
    /// # Errors
    ///
    /// [`ModelError::Empty`] for no method; as [`SeriesMethod::fit`].
    pub fn fit_average(
        methods: &[Self],
        history: &[Option<f64>],
    ) -> Result<AverageModel, ModelError> {
        if methods.is_empty() {
            return Err(ModelError::Empty("method to average"));
        }
        let members = methods
            .iter()
            .map(|method| method.fit(history))
            .collect::<Result<_, _>>()?;
        Ok(AverageModel { members })
    }

    /// Whether it learns from many series at once.
    fn is_pooled(&self) -> bool {
        match self {
            Self::Ridge { .. } | Self::Trees { .. } => true,
            Self::Naive
            | Self::SeasonalNaive
            | Self::MovingAverage { .. }
            | Self::ExponentialSmoothing { .. }
            | Self::Ets
            | Self::Theta => false,
        }
    }

    fn check(&self, histories: &[&[Option<f64>]]) -> Result<(), ModelError> {
        let most = MAX_DAYS as f64;
        match self {
            Self::MovingAverage { days } => within("days", *days as f64, 1.0, most)?,
            Self::ExponentialSmoothing { alpha: Some(alpha) } => {
                within("alpha", *alpha, f64::MIN_POSITIVE, 1.0)?;
            }
            Self::Ridge { horizon } | Self::Trees { horizon, .. } => {
                within("horizon", *horizon as f64, 1.0, most)?;
            }
            Self::Naive
            | Self::SeasonalNaive
            | Self::ExponentialSmoothing { alpha: None }
            | Self::Ets
            | Self::Theta => {}
        }
        let limit = if self.is_pooled() {
            f64::from(u32::MAX)
        } else {
            1.0
        };
        within("histories", histories.len() as f64, 1.0, limit)?;
        for history in histories {
            let infinite = |value: &Option<f64>| value.is_some_and(|value| !value.is_finite());
            if let Some(day) = history.iter().position(infinite) {
                return Err(ModelError::DayNotFinite(day));
            }
        }
        Ok(())
    }
}

/// A model fitted to a series.
///
/// Artifacts hold the number of the variant and the fields in their order: new variants go to the end,
/// none is taken out, and a field is never added to one that is there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum SeriesModel {
    /// The last value seen.
    Naive,
    /// The latest value seen on the target's weekday; on any day while there is none.
    SeasonalNaive,
    /// Mean of the values seen in the last `days` days; the last value seen while there is none.
    MovingAverage {
        /// How many days.
        days: usize,
    },
    /// Simple exponential smoothing (Brown 1956), starting from the oldest value.
    ExponentialSmoothing {
        /// Weight of the newest value, above 0 to 1.
        alpha: f64,
    },
    /// Exponential smoothing with trend and season.
    Ets(EtsModel),
    /// Smoothing with half a trend.
    Theta(ThetaModel),
    /// Ridge regression on lags.
    Ridge(RidgeModel),
    /// Boosted trees on lags.
    Trees(TreesOnLags),
}

impl SeriesModel {
    /// Whether it has so many parameters that it errs less on the days it was fitted to than on
    /// others.
    pub fn is_fitted_closely(&self) -> bool {
        match self {
            Self::Ridge(_) | Self::Trees(_) => true,
            Self::Naive
            | Self::SeasonalNaive
            | Self::MovingAverage { .. }
            | Self::ExponentialSmoothing { .. }
            | Self::Ets(_)
            | Self::Theta(_) => false,
        }
    }
}

impl SeriesForecaster for SeriesModel {
    fn name(&self) -> &'static str {
        match self {
            Self::Naive => "naive",
            Self::SeasonalNaive => "seasonal_naive",
            Self::MovingAverage { .. } => "moving_average",
            Self::ExponentialSmoothing { .. } => "exponential_smoothing",
            Self::Ets(model) => model.name(),
            Self::Theta(model) => model.name(),
            Self::Ridge(model) => model.name(),
            Self::Trees(model) => model.name(),
        }
    }

    fn forecast(&self, history: &[Option<f64>], lead: usize) -> Option<f64> {
        match self {
            Self::Naive => last(history),
            Self::SeasonalNaive => simple::seasonal_naive(history, lead),
            Self::MovingAverage { days } => simple::moving_average(history, *days),
            Self::ExponentialSmoothing { alpha } => simple::smoothed(history, *alpha),
            Self::Ets(model) => model.forecast(history, lead),
            Self::Theta(model) => model.forecast(history, lead),
            Self::Ridge(model) => model.forecast(history, lead),
            Self::Trees(model) => model.forecast(history, lead),
        }
    }
}
