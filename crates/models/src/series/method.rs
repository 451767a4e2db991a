//! The kinds of model of one series: how each is fitted, and what the fit gives.
//!
//! A kind is one line in each enumeration and in each table below it; all else is said in its module.

use super::simple::{Naive, SeasonalNaive};
use super::{
    AverageModel, Calibrated, EtsModel, ExponentialSmoothing, MovingAverage, RidgeModel,
    SeriesForecaster, SeriesKind, ThetaModel, TreesOnLags,
};
use crate::error::{ModelError, within};
use crate::trees::TreeOptions;
use serde::{Deserialize, Serialize};

/// Leads that ridge and trees are fitted for where nothing else is said: a week.
const HORIZON: usize = 7;
/// Parameters of a model that errs on the days it was fitted to as on others: smoothing has one to four.
const FEW: usize = 10;
/// Longest horizon.
const MAX_DAYS: usize = 366;

/// A method for a single series.
#[derive(Debug, Clone, PartialEq)]
pub enum SeriesMethod {
    /// See [`SeriesModel::Naive`].
    Naive,
    /// See [`SeriesModel::SeasonalNaive`].
    SeasonalNaive,
    /// See [`MovingAverage`].
    MovingAverage {
        /// How many days, 1 to 366.
        days: usize,
    },
    /// See [`ExponentialSmoothing`].
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
    /// Mean of the last days.
    MovingAverage(MovingAverage),
    /// Simple exponential smoothing.
    ExponentialSmoothing(ExponentialSmoothing),
    /// Exponential smoothing with trend and season.
    Ets(EtsModel),
    /// Smoothing with half a trend.
    Theta(ThetaModel),
    /// Ridge regression on lags.
    Ridge(RidgeModel),
    /// Boosted trees on lags.
    Trees(TreesOnLags),
}

impl SeriesMethod {
    /// A method of every kind, with the settings that are used where nothing else is said.
    pub fn every() -> Vec<Self> {
        vec![
            Self::Naive,
            Self::SeasonalNaive,
            Self::MovingAverage {
                days: MovingAverage::WEEK.days,
            },
            Self::ExponentialSmoothing { alpha: None },
            Self::Ets,
            Self::Theta,
            Self::ridge(),
            Self::trees(),
        ]
    }

    /// How it is fitted.
    fn how(&self) -> Fit<'_> {
        use SeriesModel as Model;
        match self {
            Self::Naive => Fit::to_one(|_| Ok(Model::Naive)),
            Self::SeasonalNaive => Fit::to_one(|_| Ok(Model::SeasonalNaive)),
            Self::MovingAverage { days } => {
                Fit::to_one(|_| MovingAverage::of(*days).map(Model::MovingAverage))
            }
            Self::ExponentialSmoothing { alpha } => Fit::to_one(|history| {
                ExponentialSmoothing::fit(history, *alpha).map(Model::ExponentialSmoothing)
            }),
            Self::Ets => Fit::to_one(|history| EtsModel::fit(history).map(Model::Ets)),
            Self::Theta => Fit::to_one(|history| ThetaModel::fit(history).map(Model::Theta)),
            Self::Ridge { horizon } => Fit::to_many(|histories| {
                RidgeModel::fit(histories, leads(*horizon)?).map(Model::Ridge)
            }),
            Self::Trees { horizon, options } => Fit::to_many(|histories| {
                TreesOnLags::fit(histories, leads(*horizon)?, options).map(Model::Trees)
            }),
        }
    }
}

impl SeriesModel {
    /// What is behind it.
    pub(crate) fn kind(&self) -> &dyn SeriesKind {
        match self {
            Self::Naive => &Naive,
            Self::SeasonalNaive => &SeasonalNaive,
            Self::MovingAverage(model) => model,
            Self::ExponentialSmoothing(model) => model,
            Self::Ets(model) => model,
            Self::Theta(model) => model,
            Self::Ridge(model) => model,
            Self::Trees(model) => model,
        }
    }

    /// How many numbers were fitted; of trees, how many nodes.
    pub fn parameter_count(&self) -> usize {
        self.kind().parameter_count()
    }

    /// Whether it has so many parameters that it errs less on the days it was fitted to than on
    /// others.
    pub fn is_fitted_closely(&self) -> bool {
        self.kind().parameter_count() > FEW
    }

    /// The model as an ONNX file that forecasts one day ahead; `None` for a kind there is no such file
    /// of. Boosted trees read the last four weeks, see [`TreesOnLags::to_onnx`].
    pub fn to_onnx(&self) -> Option<Vec<u8>> {
        self.kind().graph()
    }
}

impl SeriesForecaster for SeriesModel {
    fn name(&self) -> &'static str {
        self.kind().name()
    }

    fn forecast(&self, history: &[Option<f64>], lead: usize) -> Option<f64> {
        self.kind().forecast(history, lead)
    }
}

type History = [Option<f64>];
type FitToOne<'a> = dyn Fn(&History) -> Result<SeriesModel, ModelError> + 'a;
type FitToMany<'a> = dyn Fn(&[&History]) -> Result<SeriesModel, ModelError> + 'a;

/// How a method is fitted.
enum Fit<'a> {
    /// To one series.
    ToOne(Box<FitToOne<'a>>),
    /// To many at once, each relative to its own level.
    ToMany(Box<FitToMany<'a>>),
}

impl<'a> Fit<'a> {
    fn to_one(fit: impl Fn(&History) -> Result<SeriesModel, ModelError> + 'a) -> Self {
        Self::ToOne(Box::new(fit))
    }

    fn to_many(fit: impl Fn(&[&History]) -> Result<SeriesModel, ModelError> + 'a) -> Self {
        Self::ToMany(Box::new(fit))
    }
}

/// Leads to fit, within their bounds.
fn leads(horizon: usize) -> Result<usize, ModelError> {
    within("horizon", horizon as f64, 1.0, MAX_DAYS as f64)?;
    Ok(horizon)
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
    /// learn from all of them. The others know one series only, see
    /// [`SeriesMethod::learns_from_many`].
    ///
    /// # Errors
    ///
    /// As [`SeriesMethod::fit`]; [`ModelError::OutOfBounds`] for a method of one series and another
    /// number of histories.
    pub fn fit_pooled(&self, histories: &[&[Option<f64>]]) -> Result<SeriesModel, ModelError> {
        let how = self.how();
        let most = match how {
            Fit::ToOne(_) => 1.0,
            Fit::ToMany(_) => f64::from(u32::MAX),
        };
        within("histories", histories.len() as f64, 1.0, most)?;
        for history in histories {
            let infinite = |value: &Option<f64>| value.is_some_and(|value| !value.is_finite());
            if let Some(day) = history.iter().position(infinite) {
                return Err(ModelError::DayNotFinite(day));
            }
        }
        match how {
            Fit::ToOne(fit) => fit(histories[0]),
            Fit::ToMany(fit) => fit(histories),
        }
    }

    /// Whether one model can be fitted to many series at once.
    pub fn learns_from_many(&self) -> bool {
        match self.how() {
            Fit::ToOne(_) => false,
            Fit::ToMany(_) => true,
        }
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_model_has_a_method_and_a_name_of_its_own() {
        let history: Vec<Option<f64>> =
            (0..60).map(|day| Some(60.0 + f64::from(day % 7))).collect();
        let models: Vec<SeriesModel> = SeriesMethod::every()
            .iter()
            .map(|method| method.fit(&history).unwrap())
            .collect();
        // What serde expects names all variants.
        let error = serde_json::from_str::<SeriesModel>(r#""none""#).unwrap_err();
        let expected = error.to_string();
        let (_, expected) = expected.split_once("expected one of ").unwrap();
        for (model, name) in models.iter().zip(expected.split(", ")) {
            let variant = serde_json::to_value(model).unwrap();
            let found = match variant.as_object() {
                Some(fields) => fields.keys().next().unwrap(),
                None => variant.as_str().unwrap(),
            };
            assert!(name.starts_with(&format!("`{found}`")), "{found} {name}");
        }
        assert_eq!(models.len(), expected.split(", ").count());
        let mut names: Vec<&str> = models.iter().map(SeriesForecaster::name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), models.len());
    }
}
