//! What the correlation routes ask and answer. Additions to the contract are marked as such.

use crate::error::{DomainError, FieldError, InvalidRequest, shortened};
use crate::id::UserId;
use crate::metric::{FeatureCategory, MetricType, word_enum};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

word_enum! {
    /// What features are compared with.
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
    /// The reading that is meant.
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

    /// Whether it is measured while people sleep, so that a day's value is that of the night the day
    /// began with.
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

    /// The name in a sentence.
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

    /// The unit as people read it beside the number.
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

    /// Finds a target by its wire word or by a short name people type, in any case and with `-` or
    /// `_`.
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
    /// How two series are compared.
    CorrelationMethod, "correlation method" {
        /// Pearson's: how well a straight line fits.
        Pearson = "pearson",
        /// Spearman's: Pearson's of ranks.
        Spearman = "spearman",
        /// Kendall's tau-b: how many pairs of days agree.
        Kendall = "kendall",
        /// Granger's: what the last days of one add to the last days of the other.
        Granger = "granger",
    }
}

word_enum! {
    /// Which day of a feature stands beside which day of the target.
    Pairing, "pairing" {
        /// The feature of a day with the target of the day after.
        NextDay = "next_day",
        /// Both of the same day.
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
    /// What lags are counted in.
    LagResolution, "lag resolution" {
        /// Whole days: a feature of a day with the target of a later one.
        Day = "day",
        /// Hours before falling asleep, from the times of records.
        Hour = "hour",
    }
}

/// Which features go with a target.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CorrelationRequest {
    /// Whose.
    pub user_id: UserId,
    /// What features are compared with.
    pub target_metric: HealthMetricTarget,
    /// How.
    pub methods: Vec<CorrelationMethod>,
    /// Days of the target, 14 to 180.
    pub lookback_days: usize,
    /// Level at which something stands out, 0.001 to 0.1.
    pub significance_threshold: f64,
    /// Weaker correlations are not listed, 0 to 1.
    pub min_correlation: f64,
    /// Most correlations listed, 1 to 50 on the wire; more are allowed to other callers.
    pub top_k: usize,
    /// Which day stands beside which (addition to the contract).
    pub pairing: Pairing,
    /// Last day of the target; today when not given (addition to the contract).
    pub last_day: Option<NaiveDate>,
    /// List what does not stand out too, however weak (addition to the contract).
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
    /// [`InvalidRequest`] naming every field at fault.
    pub fn validate(&self) -> Result<(), InvalidRequest> {
        let mut faults = Vec::new();
        check(
            &mut faults,
            "lookback_days",
            self.lookback_days as f64,
            14.0,
            180.0,
        );
        check(
            &mut faults,
            "significance_threshold",
            self.significance_threshold,
            0.001,
            0.1,
        );
        check(
            &mut faults,
            "min_correlation",
            self.min_correlation,
            0.0,
            1.0,
        );
        check(&mut faults, "top_k", self.top_k as f64, 1.0, 1_000.0);
        finish(faults)
    }
}

/// How long after a feature a target answers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LagRequest {
    /// Whose.
    pub user_id: UserId,
    /// What the feature is compared with.
    pub target_metric: HealthMetricTarget,
    /// Name of the feature, with its category.
    pub feature_name: String,
    /// Longest lag, 6 to 168 hours.
    pub max_lag_hours: usize,
    /// Hours from one lag to the next, 1 to 24; of daily data every whole day is a lag.
    pub lag_step_hours: usize,
    /// Days of the target, 14 to 180.
    pub lookback_days: usize,
    /// How.
    pub method: CorrelationMethod,
    /// What lags are counted in (addition to the contract).
    pub resolution: LagResolution,
    /// Level at which a lag stands out, 0.001 to 0.1 (addition to the contract).
    pub significance_threshold: f64,
    /// Last day of the target; today when not given (addition to the contract).
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
    /// [`InvalidRequest`] naming every field at fault.
    pub fn validate(&self) -> Result<(), InvalidRequest> {
        let mut faults = Vec::new();
        check(
            &mut faults,
            "max_lag_hours",
            self.max_lag_hours as f64,
            6.0,
            168.0,
        );
        check(
            &mut faults,
            "lag_step_hours",
            self.lag_step_hours as f64,
            1.0,
            24.0,
        );
        check(
            &mut faults,
            "lookback_days",
            self.lookback_days as f64,
            14.0,
            180.0,
        );
        check(
            &mut faults,
            "significance_threshold",
            self.significance_threshold,
            0.001,
            0.1,
        );
        finish(faults)
    }
}

fn check(faults: &mut Vec<FieldError>, field: &'static str, value: f64, low: f64, high: f64) {
    if !(low..=high).contains(&value) {
        faults.push(FieldError {
            field,
            message: format!("must be between {low} and {high}, but is {value}"),
        });
    }
}

fn finish(faults: Vec<FieldError>) -> Result<(), InvalidRequest> {
    if faults.is_empty() {
        Ok(())
    } else {
        Err(InvalidRequest(faults))
    }
}

/// A feature beside a target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Correlation {
    /// Name of the feature, with its category.
    pub feature_name: String,
    /// Its category.
    pub feature_category: FeatureCategory,
    /// −1 to 1. Granger's is the partial correlation of the feature's last days.
    pub correlation: f64,
    /// Corrected for days that resemble their neighbours and for the number of tests.
    pub p_value: f64,
    /// Pairs of days.
    pub sample_size: usize,
    /// How they were compared.
    pub method: CorrelationMethod,
    /// Whether the corrected p value is below the threshold.
    pub is_significant: bool,
    /// `weak` below 0.3, `moderate` below 0.7, else `strong`.
    pub strength: String,
    /// `positive`, `negative`, or `none` below 0.1.
    pub direction: String,
    /// Share of the variance that a straight line explains; Pearson only.
    pub explained_variance: Option<f64>,
    /// As if days were independent and this the only test (addition to the contract).
    pub raw_p_value: f64,
    /// Corrected for days that resemble their neighbours only (addition to the contract).
    pub autocorrelation_p_value: f64,
    /// Independent pairs that these are worth (addition to the contract).
    pub effective_sample_size: f64,
    /// Lower end of the correlation's 95 % interval (addition to the contract).
    pub confidence_interval_lower: f64,
    /// Upper end (addition to the contract).
    pub confidence_interval_upper: f64,
    /// Pearson's or Spearman's correlation with weekday and the target's day before taken out of both;
    /// null where that leaves too little, and for the other methods (addition to the contract).
    pub partial_correlation: Option<f64>,
    /// Its p value (addition to the contract).
    pub partial_p_value: Option<f64>,
    /// Days from the feature to the target; of Granger's the number of lags with the smallest p
    /// value, which is multiplied by the number of lags tried (addition to the contract).
    pub lag_days: usize,
    /// The feature's 10th percentile, in its unit (addition to the contract).
    pub feature_low: Option<f64>,
    /// Its 90th percentile (addition to the contract).
    pub feature_high: Option<f64>,
    /// Least-squares change of the target from the one to the other, in the target's unit; null for
    /// Granger's, which compares no single day (addition to the contract).
    pub effect: Option<f64>,
    /// Lower end of its 95 % interval (addition to the contract).
    pub effect_lower: Option<f64>,
    /// Upper end (addition to the contract).
    pub effect_upper: Option<f64>,
    /// Granger's F tests, by number of lags; empty for other methods (addition to the contract).
    pub granger_tests: Vec<GrangerLag>,
}

/// Granger's F test at one number of lags.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct GrangerLag {
    /// Days of each series looked back on.
    pub lags: usize,
    /// F.
    pub f: f64,
    /// Its degrees of freedom above the line.
    pub df_numerator: usize,
    /// And below.
    pub df_denominator: usize,
    /// Its p value, by itself.
    pub p_value: f64,
}

/// Which features go with a target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CorrelationResponse {
    /// Whose.
    pub user_id: UserId,
    /// What features were compared with.
    pub target_metric: HealthMetricTarget,
    /// When.
    pub analyzed_at: DateTime<Utc>,
    /// Days of the target.
    pub lookback_days: usize,
    /// What stands out, strongest first, and then, if it was asked for, what does not.
    pub correlations: Vec<Correlation>,
    /// Features with enough days that vary and are not made of the target.
    pub total_features_analyzed: usize,
    /// How many correlations stand out, listed or not.
    pub significant_correlations: usize,
    /// The largest above 0 that stands out.
    pub strongest_positive: Option<Correlation>,
    /// The largest below 0 that stands out.
    pub strongest_negative: Option<Correlation>,
    /// Share of the days on which the target and a feature that somebody recorded were known, 0 to 1.
    pub data_quality_score: f64,
    /// Days without.
    pub missing_days: usize,
    /// What keeps this from saying more.
    pub warning: Option<String>,
    /// A stable word for the warning: `NO_DATA`, `NOT_ENOUGH_DATA`, `NO_METHODS`, `CONSTANT_TARGET`,
    /// `LOW_DATA_QUALITY` (addition to the contract).
    pub code: Option<String>,
    /// Which day stands beside which (addition to the contract).
    pub pairing: Pairing,
    /// First day of the target (addition to the contract).
    pub first_day: NaiveDate,
    /// Last day of the target (addition to the contract).
    pub last_day: NaiveDate,
    /// Tests that p values are corrected for (addition to the contract).
    pub tests: usize,
    /// Features that are others in another unit or from another zero, such as energy per kilogram of
    /// a weight that never changes: they say the same (addition to the contract).
    pub copies: Vec<FeatureCopy>,
    /// Smallest correlation that four of five such analyses would have told (addition to the
    /// contract).
    pub detectable_correlation: Option<f64>,
    /// What it comes to, in words (addition to the contract).
    pub summary: String,
}

/// A feature that is another one over again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FeatureCopy {
    /// Name of the feature.
    pub feature_name: String,
    /// Name of the other.
    pub copy_of: String,
}

/// One lag.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LagResult {
    /// Hours from the feature to the target; whole days where data are daily.
    pub lag_hours: u32,
    /// −1 to 1.
    pub correlation: f64,
    /// Corrected for days that resemble their neighbours and for the number of lags.
    pub p_value: f64,
    /// Whether that is below the threshold.
    pub is_significant: bool,
    /// As if days were independent and this the only lag (addition to the contract).
    pub raw_p_value: f64,
    /// Pairs of days (addition to the contract).
    pub sample_size: usize,
    /// Independent pairs that they are worth (addition to the contract).
    pub effective_sample_size: f64,
    /// Lower end of the correlation's 95 % interval (addition to the contract).
    pub confidence_interval_lower: f64,
    /// Upper end (addition to the contract).
    pub confidence_interval_upper: f64,
}

/// How long after a feature a target answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LagResponse {
    /// Whose.
    pub user_id: UserId,
    /// What the feature was compared with.
    pub target_metric: HealthMetricTarget,
    /// Name of the feature.
    pub feature_name: String,
    /// When.
    pub analyzed_at: DateTime<Utc>,
    /// Every lag with enough days.
    pub lag_results: Vec<LagResult>,
    /// The strongest lag that stands out; null when none does.
    pub optimal_lag_hours: Option<u32>,
    /// Its correlation.
    pub optimal_correlation: Option<f64>,
    /// Whether lag 0 stands out, with a correlation of 0.3 or more.
    pub immediate_effect: bool,
    /// Whether the strongest lag that stands out is a later one.
    pub delayed_effect: bool,
    /// How long lags in a row stand out in the same direction, around the strongest.
    pub effect_duration_hours: Option<u32>,
    /// What it comes to, in words.
    pub interpretation: String,
    /// What lags are counted in (addition to the contract).
    pub resolution: LagResolution,
    /// Smallest correlation at one lag that four of five such analyses would have told (addition to
    /// the contract).
    pub detectable_correlation: Option<f64>,
    /// First day of the target (addition to the contract).
    pub first_day: NaiveDate,
    /// Last day of the target (addition to the contract).
    pub last_day: NaiveDate,
    /// A stable word when there is nothing to tell: `NO_DATA`, `NOT_ENOUGH_DATA`, `UNKNOWN_FEATURE`,
    /// `FEATURE_IS_TARGET`, `CONSTANT_SERIES`, `NO_TIMES` (addition to the contract).
    pub code: Option<String>,
}

/// A feature and its correlation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FeatureCorrelation {
    /// Name of the feature.
    pub feature: String,
    /// Pearson's.
    pub correlation: f64,
}

/// The strongest correlations, in short.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CorrelationSummary {
    /// Whose.
    pub user_id: UserId,
    /// What features were compared with.
    pub target_metric: HealthMetricTarget,
    /// Days of the target.
    pub lookback_days: usize,
    /// The five largest above 0 that stand out.
    pub top_positive: Vec<FeatureCorrelation>,
    /// The five largest below 0 that stand out.
    pub top_negative: Vec<FeatureCorrelation>,
    /// How many stand out.
    pub total_significant: usize,
    /// Share of the days on which the target and a feature were known, 0 to 1.
    pub data_quality_score: f64,
    /// What it comes to, in words (addition to the contract).
    pub summary: String,
}
