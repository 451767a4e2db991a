//! Requests and responses of the correlation routes. Additions to the contract are marked as such.

use crate::bounds;
use crate::error::{DomainError, FieldError, InvalidRequest, shortened};
use crate::id::UserId;
use crate::metric::{FeatureCategory, MetricType, word_enum};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

word_enum! {
    /// The metric to correlate features with.
    HealthMetricTarget, "target metric" {
        /// Resting heart rate, beats per minute.
        RestingHeartRate = "RESTING_HEART_RATE",
        /// HRV as SDNN, ms.
        HeartRateVariabilitySdnn = "HEART_RATE_VARIABILITY_SDNN",
        /// HRV as RMSSD, ms.
        HeartRateVariabilityRmssd = "HEART_RATE_VARIABILITY_RMSSD",
        /// Time asleep, hours.
        SleepDuration = "SLEEP_DURATION",
        /// Sleep score, 0 to 100.
        SleepScore = "SLEEP_SCORE",
        /// Recovery score, 0 to 100.
        RecoveryScore = "RECOVERY_SCORE",
        /// Maximal oxygen uptake, mL/kg/min.
        Vo2Max = "VO2_MAX",
        /// Breaths per minute.
        RespiratoryRate = "RESPIRATORY_RATE",
    }
}

impl HealthMetricTarget {
    /// The metric type of the readings.
    pub fn metric_type(self) -> MetricType {
        match self {
            Self::RestingHeartRate => MetricType::RestingHeartRate,
            Self::HeartRateVariabilitySdnn => MetricType::HeartRateVariabilitySdnn,
            Self::HeartRateVariabilityRmssd => MetricType::HeartRateVariabilityRmssd,
            Self::SleepDuration => MetricType::SleepDuration,
            Self::SleepScore => MetricType::SleepScore,
            Self::RecoveryScore => MetricType::RecoveryScore,
            Self::Vo2Max => MetricType::Vo2Max,
            Self::RespiratoryRate => MetricType::RespiratoryRate,
        }
    }

    /// Whether the metric is measured during sleep, so that the value of a day belongs to the night
    /// before that day.
    pub fn is_of_the_night(self) -> bool {
        matches!(
            self,
            Self::HeartRateVariabilitySdnn
                | Self::HeartRateVariabilityRmssd
                | Self::SleepDuration
                | Self::SleepScore
                | Self::RecoveryScore
                | Self::RespiratoryRate
        )
    }

    /// The name for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::RestingHeartRate => "Resting Heart Rate",
            Self::HeartRateVariabilitySdnn => "Heart Rate Variability (SDNN)",
            Self::HeartRateVariabilityRmssd => "Heart Rate Variability (RMSSD)",
            Self::SleepDuration => "Sleep Duration",
            Self::SleepScore => "Sleep Score",
            Self::RecoveryScore => "Recovery Score",
            Self::Vo2Max => "VO2 Max",
            Self::RespiratoryRate => "Respiratory Rate",
        }
    }

    /// The unit as it is shown after a number.
    pub fn unit_label(self) -> &'static str {
        match self {
            Self::RestingHeartRate => "bpm",
            Self::HeartRateVariabilitySdnn | Self::HeartRateVariabilityRmssd => "ms",
            Self::SleepDuration => "h",
            Self::SleepScore | Self::RecoveryScore => "points",
            Self::Vo2Max => "mL/kg/min",
            Self::RespiratoryRate => "breaths/min",
        }
    }

    /// Finds a target by its wire word or by a short name, in any case and with `-` or `_`.
    ///
    /// # Errors
    ///
    /// [`DomainError::UnknownWord`] with every accepted word.
    pub fn parse_loose(text: &str) -> Result<Self, DomainError> {
        let word = text.to_ascii_lowercase().replace('-', "_");
        let short = match word.as_str() {
            "rhr" => Some(Self::RestingHeartRate),
            "sdnn" => Some(Self::HeartRateVariabilitySdnn),
            "rmssd" | "hrv" => Some(Self::HeartRateVariabilityRmssd),
            "sleep" => Some(Self::SleepDuration),
            "recovery" => Some(Self::RecoveryScore),
            "vo2" => Some(Self::Vo2Max),
            "breathing" => Some(Self::RespiratoryRate),
            _ => word.to_ascii_uppercase().parse().ok(),
        };
        short.ok_or_else(|| DomainError::UnknownWord {
            what: "target metric",
            got: shortened(text),
            expected: "RESTING_HEART_RATE (rhr), HEART_RATE_VARIABILITY_SDNN (sdnn), \
                       HEART_RATE_VARIABILITY_RMSSD (rmssd, hrv), SLEEP_DURATION (sleep), \
                       SLEEP_SCORE, RECOVERY_SCORE (recovery), VO2_MAX (vo2), \
                       RESPIRATORY_RATE (breathing)"
                .to_owned(),
        })
    }
}

word_enum! {
    /// Correlation method.
    CorrelationMethod, "correlation method" {
        /// Pearson correlation: how well a straight line fits.
        Pearson = "pearson",
        /// Spearman correlation: the Pearson correlation of the ranks.
        Spearman = "spearman",
        /// Kendall's tau-b: the agreement of pairs of days.
        Kendall = "kendall",
        /// Granger causality test: how much the last days of one series add to the prediction from the
        /// last days of the other.
        Granger = "granger",
    }
}

word_enum! {
    /// Pairing of feature days with target days.
    Pairing, "pairing" {
        /// The feature of a day with the target of the next day.
        NextDay = "next_day",
        /// The feature and the target of the same day.
        SameDay = "same_day",
    }
}

impl Pairing {
    /// Days from the feature to the target.
    pub fn lag_days(self) -> usize {
        match self {
            Self::NextDay => 1,
            Self::SameDay => 0,
        }
    }
}

word_enum! {
    /// The kind of what stands against a metric: the categories of features, and tags.
    FactorCategory, "factor category" {
        /// Food and drink.
        Nutrition = "nutrition",
        /// Movement and load.
        Activity = "activity",
        /// Readings of the body.
        Health = "health",
        /// The calendar.
        Temporal = "temporal",
        /// Products and ratios over categories.
        Interaction = "interaction",
        /// What the person noted.
        Tag = "tag",
    }
}

impl From<FeatureCategory> for FactorCategory {
    fn from(category: FeatureCategory) -> Self {
        match category {
            FeatureCategory::Nutrition => Self::Nutrition,
            FeatureCategory::Activity => Self::Activity,
            FeatureCategory::Health => Self::Health,
            FeatureCategory::Temporal => Self::Temporal,
            FeatureCategory::Interaction => Self::Interaction,
        }
    }
}

/// What the name of a tag begins with where features and tags stand together: `tag:alcohol`.
pub const TAG_PREFIX: &str = "tag:";

/// The tag that a name stands for where features and tags stand together; `None` for a feature.
///
/// ```
/// use vitalcast_domain::tag_in;
///
/// assert_eq!(tag_in("Tag: alcohol"), Some("alcohol"));
/// assert_eq!(tag_in("nutrition_protein_daily"), None);
/// ```
pub fn tag_in(name: &str) -> Option<&str> {
    let (prefix, tag) = name.split_at_checked(TAG_PREFIX.len())?;
    prefix.eq_ignore_ascii_case(TAG_PREFIX).then(|| tag.trim())
}

word_enum! {
    /// Unit of the lags.
    LagResolution, "lag resolution" {
        /// Whole days: a feature of a day with the target of a later one.
        Day = "day",
        /// Hours before falling asleep, from the times of records.
        Hour = "hour",
    }
}

/// Correlations of all features with a metric.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CorrelationRequest {
    /// Id of the person.
    pub user_id: UserId,
    /// The metric to correlate features with.
    pub target_metric: HealthMetricTarget,
    /// Correlation method.
    pub methods: Vec<CorrelationMethod>,
    /// Number of days of the metric, 14 to 180.
    pub lookback_days: usize,
    /// Significance level, 0.001 to 0.1.
    pub significance_threshold: f64,
    /// Smallest absolute correlation to list, 0 to 1.
    pub min_correlation: f64,
    /// Maximum number of correlations to list: 1 to 50 in HTTP requests, more for other callers.
    pub top_k: usize,
    /// Pairing of feature days with target days (addition to the contract).
    pub pairing: Pairing,
    /// Last day of the metric; today when not given (addition to the contract).
    pub last_day: Option<NaiveDate>,
    /// Also list correlations that are not significant, however weak (addition to the contract).
    pub include_insignificant: bool,
}

impl CorrelationRequest {
    /// A request with the contract's defaults.
    pub fn new(user_id: UserId, target_metric: HealthMetricTarget) -> Self {
        Self {
            user_id,
            target_metric,
            methods: vec![CorrelationMethod::Pearson, CorrelationMethod::Spearman],
            lookback_days: 30,
            significance_threshold: 0.05,
            min_correlation: 0.3,
            top_k: 10,
            pairing: Pairing::NextDay,
            last_day: None,
            include_insignificant: false,
        }
    }

    /// Checks every bound.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`] with all invalid fields.
    pub fn validate(&self) -> Result<(), InvalidRequest> {
        let mut faults = Vec::new();
        bounds::CORRELATION_DAYS.check(&mut faults, "lookback_days", self.lookback_days);
        bounds::SIGNIFICANCE.check(
            &mut faults,
            "significance_threshold",
            self.significance_threshold,
        );
        bounds::MIN_CORRELATION.check(&mut faults, "min_correlation", self.min_correlation);
        bounds::TOP_K.check(&mut faults, "top_k", self.top_k);
        finish(faults)
    }
}

/// Correlations of a feature with a metric at several lags.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LagRequest {
    /// Id of the person.
    pub user_id: UserId,
    /// The metric to correlate the feature with.
    pub target_metric: HealthMetricTarget,
    /// Name of the feature, with its category; or `tag:` and the name of a tag.
    pub feature_name: String,
    /// Maximum lag, 6 to 168 hours.
    pub max_lag_hours: usize,
    /// Step between lags, 1 to 24 hours; with daily data, each whole day is a lag.
    pub lag_step_hours: usize,
    /// Number of days of the metric, 14 to 180.
    pub lookback_days: usize,
    /// Correlation method.
    pub method: CorrelationMethod,
    /// Unit of the lags (addition to the contract).
    pub resolution: LagResolution,
    /// Significance level, 0.001 to 0.1 (addition to the contract).
    pub significance_threshold: f64,
    /// Last day of the metric; today when not given (addition to the contract).
    pub last_day: Option<NaiveDate>,
}

impl LagRequest {
    /// A request with the contract's defaults.
    pub fn new(user_id: UserId, target_metric: HealthMetricTarget, feature_name: String) -> Self {
        Self {
            user_id,
            target_metric,
            feature_name,
            max_lag_hours: 72,
            lag_step_hours: 6,
            lookback_days: 30,
            method: CorrelationMethod::Pearson,
            resolution: LagResolution::Day,
            significance_threshold: 0.05,
            last_day: None,
        }
    }

    /// Checks every bound.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`] with all invalid fields.
    pub fn validate(&self) -> Result<(), InvalidRequest> {
        let mut faults = Vec::new();
        bounds::MAX_LAG_HOURS.check(&mut faults, "max_lag_hours", self.max_lag_hours);
        bounds::LAG_STEP_HOURS.check(&mut faults, "lag_step_hours", self.lag_step_hours);
        bounds::CORRELATION_DAYS.check(&mut faults, "lookback_days", self.lookback_days);
        bounds::SIGNIFICANCE.check(
            &mut faults,
            "significance_threshold",
            self.significance_threshold,
        );
        finish(faults)
    }
}

fn finish(faults: Vec<FieldError>) -> Result<(), InvalidRequest> {
    if faults.is_empty() {
        Ok(())
    } else {
        Err(InvalidRequest(faults))
    }
}

/// The correlation of a feature with a metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Correlation {
    /// Name of the feature, with its category; `tag:` and the name of a tag (addition to the contract).
    pub feature_name: String,
    /// Category of the feature; `tag` for what the person noted (addition to the contract).
    pub feature_category: FactorCategory,
    /// Correlation, −1 to 1. For Granger, the partial correlation of the last days of the feature.
    pub correlation: f64,
    /// p value, corrected for autocorrelation and for the number of tests.
    pub p_value: f64,
    /// Number of pairs of days.
    pub sample_size: usize,
    /// Correlation method.
    pub method: CorrelationMethod,
    /// Whether the corrected p value is below the threshold.
    pub is_significant: bool,
    /// `weak` below 0.3, `moderate` below 0.7, else `strong`.
    pub strength: String,
    /// `positive`, `negative`, or `none` below 0.1.
    pub direction: String,
    /// Share of the variance that a straight line explains; Pearson only.
    pub explained_variance: Option<f64>,
    /// p value without correction (addition to the contract).
    pub raw_p_value: f64,
    /// p value, corrected for autocorrelation only (addition to the contract).
    pub autocorrelation_p_value: f64,
    /// Effective sample size: the equivalent number of independent pairs (addition to the contract).
    pub effective_sample_size: f64,
    /// Lower end of the correlation's 95 % interval (addition to the contract).
    pub confidence_interval_lower: f64,
    /// Upper end of this interval (addition to the contract).
    pub confidence_interval_upper: f64,
    /// Partial Pearson or Spearman correlation, controlled for the weekday and for the target on the
    /// day before; null if too little data are left, and for the other methods (addition to the
    /// contract).
    pub partial_correlation: Option<f64>,
    /// p value of the partial correlation (addition to the contract).
    pub partial_p_value: Option<f64>,
    /// Days from the feature to the target. For Granger, the number of lags with the smallest p value;
    /// this p value is multiplied by the number of lags tried (addition to the contract).
    pub lag_days: usize,
    /// 10th percentile of the feature, in its unit (addition to the contract).
    pub feature_low: Option<f64>,
    /// 90th percentile of the feature (addition to the contract).
    pub feature_high: Option<f64>,
    /// Least-squares change of the target from the 10th to the 90th percentile of the feature, in the
    /// unit of the target; null for Granger, which does not compare single days (addition to the
    /// contract).
    pub effect: Option<f64>,
    /// Lower end of the 95 % interval of the effect (addition to the contract).
    pub effect_lower: Option<f64>,
    /// Upper end of this interval (addition to the contract).
    pub effect_upper: Option<f64>,
    /// Granger F tests by number of lags; empty for other methods (addition to the contract).
    pub granger_tests: Vec<GrangerLag>,
}

/// Granger F test with one number of lags.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct GrangerLag {
    /// Number of lags, in days.
    pub lags: usize,
    /// F statistic.
    pub f: f64,
    /// Degrees of freedom of the numerator.
    pub df_numerator: usize,
    /// Degrees of freedom of the denominator.
    pub df_denominator: usize,
    /// p value of this test alone.
    pub p_value: f64,
}

/// Correlations of all features with a metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CorrelationResponse {
    /// Id of the person.
    pub user_id: UserId,
    /// The metric that features were correlated with.
    pub target_metric: HealthMetricTarget,
    /// Time of the analysis.
    pub analyzed_at: DateTime<Utc>,
    /// Number of days of the metric.
    pub lookback_days: usize,
    /// Significant correlations, strongest first; then, on request, the others.
    pub correlations: Vec<Correlation>,
    /// Number of features and tags that have enough days, vary, and are not computed from the target.
    pub total_features_analyzed: usize,
    /// Number of significant correlations, listed or not.
    pub significant_correlations: usize,
    /// Strongest significant positive correlation.
    pub strongest_positive: Option<Correlation>,
    /// Strongest significant negative correlation.
    pub strongest_negative: Option<Correlation>,
    /// Share of the days on which the target and at least one recorded feature were known, 0 to 1.
    pub data_quality_score: f64,
    /// Number of days on which they were not known.
    pub missing_days: usize,
    /// Warning about limits of the analysis.
    pub warning: Option<String>,
    /// Stable code of the warning: `NO_DATA`, `NOT_ENOUGH_DATA`, `NO_METHODS`, `CONSTANT_TARGET`,
    /// `LOW_DATA_QUALITY` (addition to the contract).
    pub code: Option<String>,
    /// Pairing of feature days with target days (addition to the contract).
    pub pairing: Pairing,
    /// First day of the target (addition to the contract).
    pub first_day: NaiveDate,
    /// Last day of the target (addition to the contract).
    pub last_day: NaiveDate,
    /// Number of tests that p values are corrected for (addition to the contract).
    pub tests: usize,
    /// Number of tags that were not tested: each needs three days of yes and three of no on days with the
    /// target, and at most 200 are tested (addition to the contract).
    #[serde(default)]
    pub untested_tags: usize,
    /// Features that are another feature in another unit or with an offset, for example energy per
    /// kilogram with a constant weight: both have the same correlations (addition to the contract).
    pub copies: Vec<FeatureCopy>,
    /// Smallest correlation that such an analysis finds in four of five cases (power 80 %) (addition to
    /// the contract).
    pub detectable_correlation: Option<f64>,
    /// Summary in words (addition to the contract).
    pub summary: String,
}

/// A feature that is a copy of another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FeatureCopy {
    /// Name of the feature.
    pub feature_name: String,
    /// Name of the original feature.
    pub copy_of: String,
}

/// The correlation at one lag.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LagResult {
    /// Hours from the feature to the target; whole days for daily data.
    pub lag_hours: u32,
    /// Correlation, −1 to 1.
    pub correlation: f64,
    /// p value, corrected for autocorrelation and for the number of lags.
    pub p_value: f64,
    /// Whether the corrected p value is below the threshold.
    pub is_significant: bool,
    /// p value without correction (addition to the contract).
    pub raw_p_value: f64,
    /// Number of pairs of days (addition to the contract).
    pub sample_size: usize,
    /// Effective sample size: the equivalent number of independent pairs (addition to the contract).
    pub effective_sample_size: f64,
    /// Lower end of the correlation's 95 % interval (addition to the contract).
    pub confidence_interval_lower: f64,
    /// Upper end of this interval (addition to the contract).
    pub confidence_interval_upper: f64,
}

/// Correlations of a feature with a metric at several lags.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LagResponse {
    /// Id of the person.
    pub user_id: UserId,
    /// The metric that the feature was correlated with.
    pub target_metric: HealthMetricTarget,
    /// Name of the feature.
    pub feature_name: String,
    /// Time of the analysis.
    pub analyzed_at: DateTime<Utc>,
    /// All lags with enough days.
    pub lag_results: Vec<LagResult>,
    /// The strongest significant lag; null if no lag is significant.
    pub optimal_lag_hours: Option<u32>,
    /// Correlation at this lag.
    pub optimal_correlation: Option<f64>,
    /// Whether lag 0 is significant, with a correlation of 0.3 or more.
    pub immediate_effect: bool,
    /// Whether the strongest significant lag is above 0.
    pub delayed_effect: bool,
    /// Hours covered by consecutive significant lags with the same sign, around the strongest lag.
    pub effect_duration_hours: Option<u32>,
    /// Interpretation in words.
    pub interpretation: String,
    /// Unit of the lags (addition to the contract).
    pub resolution: LagResolution,
    /// Smallest correlation at one lag that such an analysis finds in four of five cases (power 80 %)
    /// (addition to the contract).
    pub detectable_correlation: Option<f64>,
    /// First day of the target (addition to the contract).
    pub first_day: NaiveDate,
    /// Last day of the target (addition to the contract).
    pub last_day: NaiveDate,
    /// Stable code when there is no result: `NO_DATA`, `NOT_ENOUGH_DATA`, `UNKNOWN_FEATURE`,
    /// `FEATURE_IS_TARGET`, `CONSTANT_SERIES`, `NO_TIMES` (addition to the contract).
    pub code: Option<String>,
}

/// A feature and its correlation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FeatureCorrelation {
    /// Name of the feature.
    pub feature: String,
    /// Pearson correlation.
    pub correlation: f64,
}

/// A short list of the strongest correlations.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CorrelationSummary {
    /// Id of the person.
    pub user_id: UserId,
    /// The metric that features were correlated with.
    pub target_metric: HealthMetricTarget,
    /// Number of days of the metric.
    pub lookback_days: usize,
    /// The five strongest significant positive correlations.
    pub top_positive: Vec<FeatureCorrelation>,
    /// The five strongest significant negative correlations.
    pub top_negative: Vec<FeatureCorrelation>,
    /// Number of significant correlations.
    pub total_significant: usize,
    /// Share of the days on which the target and a feature were known, 0 to 1.
    pub data_quality_score: f64,
    /// Summary in words (addition to the contract).
    pub summary: String,
}
