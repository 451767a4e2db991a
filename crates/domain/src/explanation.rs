//! Requests and answers of the routes that explain forecasts and models. Additions to the contract are
//! marked as such.

use crate::architecture::ModelArchitecture;
use crate::bounds::{Bounds, EVALUATIONS, EVALUATIONS_OF_DAY, TOP_FEATURES};
use crate::error::{FieldError, InvalidRequest};
use crate::id::{ModelId, UserId};
use crate::metric::{FeatureCategory, PredictionMetric, word_enum};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

/// Random seed of an explanation where none is given.
pub const EXPLANATION_SEED: u64 = 42;
/// Forecasts that an explanation may compute where nothing is said.
pub const EXPLANATION_EVALUATIONS: usize = 2_048;

word_enum! {
    /// How importances are computed.
    ImportanceMethod, "importance method" {
        /// Shapley values: what each feature adds to the forecast; they add up to it.
        Shap = "shap",
        /// A linear model around the forecast (LIME).
        Lime = "lime",
        /// What changes when a feature has the values of other days.
        Permutation = "permutation",
        /// The weights of days of a network with attention.
        Attention = "attention",
    }
}

word_enum! {
    /// What the parts of an explanation are.
    ExplanationGrouping, "grouping" {
        /// Features, each over all days that the model reads.
        Feature = "feature",
        /// Days, each with all features.
        Day = "day",
        /// Features on the last day, on days 2 to 7, and on earlier days.
        Both = "both",
    }
}

word_enum! {
    /// What boosted trees are explained against.
    TreeBackground, "tree background" {
        /// What is not known is as in the training days that came the same way.
        PathDependent = "path_dependent",
        /// What is not known is as on the days that the model reads.
        Interventional = "interventional",
    }
}

word_enum! {
    /// How the parts of a forecast were computed.
    ExplanationComputation, "computation" {
        /// The model is a sum, and its terms are the parts.
        ExactSum = "exact_sum",
        /// Shapley values of a linear model and the scale of the metric (Aumann and Shapley 1974).
        AumannShapley = "aumann_shapley",
        /// Exact Shapley values of trees, path-dependent.
        TreePathDependent = "tree_path_dependent",
        /// Exact Shapley values of trees, interventional.
        TreeInterventional = "tree_interventional",
        /// Shapley values by enumeration of all coalitions.
        ShapleyEnumeration = "shapley_enumeration",
        /// Shapley values by sampling of permutations and their reverses.
        ShapleySampling = "shapley_sampling",
        /// A weighted ridge regression on random coalitions.
        LocalLinear = "local_linear",
        /// Exchange of one feature at a time with that of other days.
        Exchange = "exchange",
        /// Weights that the network itself computes.
        AttentionWeights = "attention_weights",
    }
}

word_enum! {
    /// The sign of a contribution.
    ImpactDirection, "direction" {
        /// Above 0.
        Positive = "positive",
        /// Below 0.
        Negative = "negative",
        /// 0.
        Neutral = "neutral",
    }
}

impl ImpactDirection {
    /// The direction of an amount.
    pub fn of(amount: f64) -> Self {
        if amount > 0.0 {
            Self::Positive
        } else if amount < 0.0 {
            Self::Negative
        } else {
            Self::Neutral
        }
    }
}

word_enum! {
    /// The size of a contribution against the person's spread from day to day.
    ImpactMagnitude, "magnitude" {
        /// More than half of it.
        Strong = "strong",
        /// More than a fifth of it.
        Moderate = "moderate",
        /// Less.
        Weak = "weak",
    }
}

impl ImpactMagnitude {
    /// The size of an amount against a spread in the same unit.
    pub fn of(amount: f64, spread: Option<f64>) -> Self {
        /// Shares of the spread, as in the reference contract (C.5).
        const STRONG: f64 = 0.5;
        const MODERATE: f64 = 0.2;
        match spread.filter(|spread| *spread > 0.0) {
            Some(spread) if amount.abs() > STRONG * spread => Self::Strong,
            Some(spread) if amount.abs() > MODERATE * spread => Self::Moderate,
            Some(_) | None => Self::Weak,
        }
    }
}

/// What a part of a forecast is: a feature, or a piece of the metric's own history.
#[derive(Debug, Clone, PartialEq)]
pub struct ExplainedFeature {
    /// Stable name with its category.
    pub name: String,
    /// Name for people.
    pub label: String,
    /// Its category.
    pub category: FeatureCategory,
    /// Unit of its value; empty for a number without one.
    pub unit: String,
    /// Its value on the last day that the model reads.
    pub value: Option<f64>,
}

/// Explain one forecast.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExplainRequest {
    /// Id of the person.
    pub user_id: UserId,
    /// The metric that is forecast.
    pub metric: PredictionMetric,
    /// The local day that is forecast; for a past day, only data known on the evening before are used.
    pub target_date: NaiveDate,
    /// How importances are computed.
    pub method: ImportanceMethod,
    /// Maximum number of features to list, 1 to 51.
    pub top_k: usize,
    /// Model version, for example `v1.0.2`; the active one when not given (addition to the contract).
    pub model_version: Option<String>,
    /// Use only models of this architecture (addition to the contract).
    pub architecture: Option<ModelArchitecture>,
    /// Also explain by day, or by feature and days (addition to the contract).
    pub grouping: ExplanationGrouping,
    /// What boosted trees are explained against (addition to the contract).
    pub tree_background: TreeBackground,
    /// Forecasts that may be computed, 64 to 10000 (addition to the contract).
    pub evaluations: usize,
    /// Random seed (addition to the contract).
    pub seed: u64,
    /// Also compute integrated gradients, as a check on Shapley values of a network (addition to the
    /// contract).
    pub check: bool,
}

impl ExplainRequest {
    /// A request with the contract's defaults.
    pub fn new(user_id: UserId, metric: PredictionMetric, target_date: NaiveDate) -> Self {
        Self {
            user_id,
            metric,
            target_date,
            method: ImportanceMethod::Shap,
            top_k: 10,
            model_version: None,
            architecture: None,
            grouping: ExplanationGrouping::Feature,
            tree_background: TreeBackground::PathDependent,
            evaluations: EXPLANATION_EVALUATIONS,
            seed: EXPLANATION_SEED,
            check: false,
        }
    }

    /// Checks every bound.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`] with all invalid fields.
    pub fn validate(&self) -> Result<(), InvalidRequest> {
        checked(&[
            (TOP_FEATURES, "top_k", self.top_k),
            (EVALUATIONS, "evaluations", self.evaluations),
        ])
    }
}

/// Explain a model: which features matter on its recent days.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GlobalImportanceRequest {
    /// Id of the model.
    pub model_id: ModelId,
    /// How importances are computed.
    pub method: ImportanceMethod,
    /// Maximum number of features to list, 1 to 51.
    pub top_k: usize,
    /// Forecasts that may be computed for each day, 64 to 2048 (addition to the contract).
    pub evaluations: usize,
    /// Random seed (addition to the contract).
    pub seed: u64,
}

impl GlobalImportanceRequest {
    /// A request with the contract's defaults.
    pub fn new(model_id: ModelId) -> Self {
        Self {
            model_id,
            method: ImportanceMethod::Shap,
            top_k: 20,
            evaluations: 512,
            seed: EXPLANATION_SEED,
        }
    }

    /// Checks every bound, and that the method weighs features.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`] with all invalid fields.
    pub fn validate(&self) -> Result<(), InvalidRequest> {
        let bounds = checked(&[
            (TOP_FEATURES, "top_k", self.top_k),
            (EVALUATIONS_OF_DAY, "evaluations", self.evaluations),
        ]);
        let mut faults = bounds
            .err()
            .map_or_else(Vec::new, |InvalidRequest(faults)| faults);
        if self.method == ImportanceMethod::Attention {
            faults.push(FieldError {
                field: "method",
                message: "attention weighs days, not features: explain one forecast with method \
                          attention, or ask for the global importance by shap, lime or permutation"
                    .to_owned(),
            });
        }
        if faults.is_empty() {
            Ok(())
        } else {
            Err(InvalidRequest(faults))
        }
    }
}

fn checked(settings: &[(Bounds<i64>, &'static str, usize)]) -> Result<(), InvalidRequest> {
    let mut faults: Vec<FieldError> = Vec::new();
    for (bounds, field, value) in settings {
        bounds.check(&mut faults, field, *value);
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(InvalidRequest(faults))
    }
}

/// What a feature adds to a forecast.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FeatureImportance {
    /// Name of the feature, with its category.
    pub feature_name: String,
    /// Category of the feature.
    pub feature_category: FeatureCategory,
    /// Size of its contribution, in the unit of the metric.
    pub importance_score: f64,
    /// 1 for the largest.
    pub rank: usize,
    /// Its Shapley value, in the unit of the metric; null for other methods.
    pub shap_value: Option<f64>,
    /// What the Shapley values are added to; null for other methods.
    pub base_value: Option<f64>,
    /// Sign of the contribution.
    pub impact_direction: ImpactDirection,
    /// Size of the contribution against the person's spread from day to day.
    pub impact_magnitude: ImpactMagnitude,
    /// Value of the feature on the last day that the model reads, in its own unit; null when it is
    /// missing, or not one number.
    pub feature_value: Option<f64>,
    /// Unit of that value (addition to the contract).
    pub feature_unit: String,
    /// Name for people (addition to the contract).
    pub label: String,
    /// The contribution with its sign, in the unit of the metric (addition to the contract).
    pub contribution: f64,
    /// Standard error of the contribution; 0 for an exact one, null when it is not known (addition to the
    /// contract).
    pub standard_error: Option<f64>,
}

/// What a day adds to a forecast (addition to the contract).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DayImportance {
    /// Days before the day that is forecast.
    pub day_offset: usize,
    /// The day.
    pub day_date: NaiveDate,
    /// Contribution of all its values, in the unit of the metric.
    pub contribution: f64,
    /// Standard error of the contribution.
    pub standard_error: Option<f64>,
}

/// What a feature adds on some days (addition to the contract).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FeatureDaysImportance {
    /// Name of the feature, with its category.
    pub feature_name: String,
    /// `last day`, `days 2 to 7` or `earlier`.
    pub days: String,
    /// Contribution, in the unit of the metric.
    pub contribution: f64,
    /// Standard error of the contribution.
    pub standard_error: Option<f64>,
}

/// The share of a member in an average (addition to the contract).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct MemberForecast {
    /// Name of the model.
    pub name: String,
    /// Its weight; all add up to 1.
    pub share: f64,
    /// What it forecasts alone, in the unit of the metric.
    pub forecast: f64,
}

/// How much a day counts in a network with attention.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AttentionOfDay {
    /// Days before the day that is forecast.
    pub day_offset: usize,
    /// The day.
    pub day_date: NaiveDate,
    /// Its weight; all add up to 1.
    pub attention_score: f64,
    /// 1 for the day with the largest weight.
    pub importance_rank: usize,
}

/// The weights of days of a network with attention.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AttentionWeights {
    /// All days that the network reads, oldest first.
    pub days: Vec<AttentionOfDay>,
    /// The three with the largest weights, largest first.
    pub most_important_days: Vec<NaiveDate>,
}

/// A forecast with other values of one feature, those of earlier days (addition to the contract).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FeatureDependence {
    /// Name of the feature, with its category.
    pub feature_name: String,
    /// By the value of the feature, lowest first.
    pub points: Vec<DependencePoint>,
}

/// One earlier day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DependencePoint {
    /// The value of the feature on the last day before it.
    pub feature_value: f64,
    /// The explained forecast, if the feature alone had the values of that time.
    pub forecast: f64,
    /// The forecast of that day itself.
    pub forecast_of_day: f64,
}

/// Integrated gradients beside Shapley values (addition to the contract).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct GradientCheck {
    /// The largest difference of the two for a feature, in the unit of the metric.
    pub largest_gap: f64,
    /// The feature with this difference.
    pub feature_name: String,
    /// Integrated gradients of the listed features, in their order.
    pub integrated_gradients: Vec<f64>,
}

/// Why a forecast is what it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ExplainResponse {
    /// Id of the person.
    pub user_id: UserId,
    /// The metric that is forecast.
    pub metric: PredictionMetric,
    /// The day that is forecast.
    pub target_date: NaiveDate,
    /// How importances were computed.
    pub method: ImportanceMethod,
    /// The forecast.
    pub predicted_value: f64,
    /// What the contributions are added to; see `baseline_meaning`.
    pub baseline_value: f64,
    /// Contributions, largest first; at most `top_k`.
    pub feature_importances: Vec<FeatureImportance>,
    /// The explanation in words.
    pub summary: String,
    /// Listed features of nutrition, largest contribution first.
    pub top_nutrition_features: Vec<String>,
    /// Listed features of activity.
    pub top_activity_features: Vec<String>,
    /// Listed features of health.
    pub top_health_features: Vec<String>,
    /// What `baseline_value` is, in words (addition to the contract).
    pub baseline_meaning: String,
    /// Sum of the contributions that are not listed (addition to the contract).
    pub other_contributions: f64,
    /// How the parts were computed (addition to the contract).
    pub computation: ExplanationComputation,
    /// Whether the contributions are exact, so that repeating with another seed gives the same ones
    /// (addition to the contract).
    pub exact: bool,
    /// Forecasts that were computed for the explanation (addition to the contract).
    pub evaluations: usize,
    /// Earlier days of the person that the forecast is compared with (addition to the contract).
    pub background_days: usize,
    /// Id of the model (addition to the contract).
    pub model_id: ModelId,
    /// Its version (addition to the contract).
    pub model_version: String,
    /// Its architecture (addition to the contract).
    pub architecture: ModelArchitecture,
    /// Time up to which data are known (addition to the contract).
    pub as_of: DateTime<Utc>,
    /// Share of what a network learned that held on the validation days; null for other models (addition
    /// to the contract).
    pub learned_share: Option<f64>,
    /// What the parts are (addition to the contract).
    pub grouping: ExplanationGrouping,
    /// By day, oldest first; empty unless asked for (addition to the contract).
    pub by_day: Vec<DayImportance>,
    /// By feature and days, largest first; empty unless asked for (addition to the contract).
    pub by_feature_and_days: Vec<FeatureDaysImportance>,
    /// Members of an average; empty for other models (addition to the contract).
    pub members: Vec<MemberForecast>,
    /// Weights of days; null for a model without attention (addition to the contract).
    pub attention: Option<AttentionWeights>,
    /// Weighted R² of the local linear model; null for other methods (addition to the contract).
    pub local_fit: Option<f64>,
    /// The forecast with other values of the features that matter most; of networks only (addition to the
    /// contract).
    pub dependence: Vec<FeatureDependence>,
    /// Integrated gradients, if asked for (addition to the contract).
    pub check: Option<GradientCheck>,
    /// That this is no cause (addition to the contract).
    pub association: String,
}

/// What a feature adds to the forecasts of a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct GlobalFeatureImportance {
    /// Name of the feature, with its category.
    pub feature_name: String,
    /// Category of the feature.
    pub feature_category: FeatureCategory,
    /// Mean size over the days, in the unit of the metric; for `permutation`, the rise of the mean
    /// absolute error, which can be below 0.
    pub mean_importance: f64,
    /// Standard deviation over the days.
    pub std_importance: f64,
    /// 1 for the largest.
    pub rank: usize,
    /// Positive where a higher value of the feature goes with a higher forecast.
    pub impact_direction: ImpactDirection,
    /// Name for people (addition to the contract).
    pub label: String,
    /// Lower end of the 95 % interval of the mean, by bootstrap over days (addition to the contract).
    pub interval_lower: Option<f64>,
    /// Upper end (addition to the contract).
    pub interval_upper: Option<f64>,
}

/// Which features matter in a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct GlobalImportanceResponse {
    /// Id of the model.
    pub model_id: ModelId,
    /// The metric that it forecasts.
    pub metric: PredictionMetric,
    /// How importances were computed.
    pub method: ImportanceMethod,
    /// Importances, largest first; at most `top_k`.
    pub feature_importances: Vec<GlobalFeatureImportance>,
    /// The importances in words.
    pub summary: String,
    /// Share of nutrition in the sum of all importances, 0 to 1.
    pub nutrition_importance: f64,
    /// Share of activity.
    pub activity_importance: f64,
    /// Share of health.
    pub health_importance: f64,
    /// Share of the calendar (addition to the contract).
    pub temporal_importance: f64,
    /// Share of products and ratios over categories (addition to the contract).
    pub interaction_importance: f64,
    /// Days that were explained (addition to the contract).
    pub days: usize,
    /// People whose days these are (addition to the contract).
    pub people: usize,
    /// First of these days; null for several people (addition to the contract).
    pub first_day: Option<NaiveDate>,
    /// Last of these days (addition to the contract).
    pub last_day: Option<NaiveDate>,
    /// Whether all of these days are days on which nothing of the model was chosen (addition to the
    /// contract).
    pub on_test_days: bool,
    /// That this is no cause (addition to the contract).
    pub association: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn magnitudes_are_those_of_the_contract_in_the_persons_own_spread() {
        let of = |amount| ImpactMagnitude::of(amount, Some(2.0));
        assert_eq!(of(-1.01), ImpactMagnitude::Strong);
        assert_eq!(of(1.0), ImpactMagnitude::Moderate);
        assert_eq!(of(0.4), ImpactMagnitude::Weak);
        assert_eq!(ImpactMagnitude::of(5.0, None), ImpactMagnitude::Weak);
        assert_eq!(ImpactMagnitude::of(5.0, Some(0.0)), ImpactMagnitude::Weak);
    }

    #[test]
    fn a_request_outside_its_bounds_names_every_field() {
        let user = "u".parse().unwrap();
        let day = "2026-11-24".parse().unwrap();
        let request = ExplainRequest {
            top_k: 52,
            evaluations: 1,
            ..ExplainRequest::new(user, PredictionMetric::RestingHeartRate, day)
        };
        let faults = request.validate().unwrap_err().0;
        let fields: Vec<&str> = faults.iter().map(|fault| fault.field).collect();
        assert_eq!(fields, ["top_k", "evaluations"]);
        let model = GlobalImportanceRequest {
            top_k: 0,
            ..GlobalImportanceRequest::new("m".parse().unwrap())
        };
        assert!(model.validate().is_err());
    }
}
