#![doc = include_str!("../README.md")]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod access;
mod answer;
mod architecture;
pub mod bounds;
mod correlation;
mod counterfactual;
mod day;
mod day_rule;
mod error;
mod experiment;
mod experiment_answer;
mod explanation;
mod id;
mod identity;
mod job;
mod metric;
mod moment;
mod profile;
mod provenance;
mod record;
mod record_field;
mod request;
mod trajectory;
mod unit;
mod what_if;

pub use access::{KeyInfo, Scope};
pub use answer::{
    BatchPredictResponse, ForecastChoice, IntervalMethod, ListModelsResponse, ModelInfo,
    NormalBand, PredictResponse, PredictionResult, RangeVerdict, TrainModelResponse,
    TrainPooledRequest, TrainPooledResponse, TrainingMetrics, UnreadableModelInfo,
};
pub use architecture::{ModelArchitecture, ModelFamily, ModelReads};
pub use correlation::{
    Correlation, CorrelationMethod, CorrelationRequest, CorrelationResponse, CorrelationSummary,
    FactorCategory, FeatureCopy, FeatureCorrelation, GrangerLag, HealthMetricTarget, LagRequest,
    LagResolution, LagResponse, LagResult, Pairing, TAG_PREFIX, tag_in,
};
pub use counterfactual::{
    Counterfactual, CounterfactualRequest, CounterfactualResponse, CounterfactualTarget,
    SuggestedChange,
};
pub use day::{AsOf, Zone};
pub use day_rule::{DayRule, NIGHT_GAP_MINUTES, ReadingKind, SHORTEST_NIGHT_HOURS};
pub use error::{DomainError, FieldError, InvalidRequest};
pub use experiment::{
    Adherence, Condition, Experiment, ExperimentBaseline, ExperimentPlan, ExperimentRequest,
    ExperimentState, Measure, StopRule,
};
pub use experiment_answer::{
    AlwaysValidAnswer, AsTreatedAnswer, ConditionMean, ExperimentAnalysis, ExperimentBelief,
    ExperimentDay, ExperimentDifference, ExperimentList, ExperimentPreview, ExperimentSummary,
    ExperimentVerdict, ExperimentView, FinalTest, NoResult, PowerOption, UnreadableExperimentInfo,
};
pub use explanation::{
    AttentionOfDay, AttentionWeights, DayImportance, DependencePoint, EXPLANATION_EVALUATIONS,
    EXPLANATION_SEED, ExplainRequest, ExplainResponse, ExplainedFeature, ExplanationComputation,
    ExplanationGrouping, FeatureDaysImportance, FeatureDependence, FeatureImportance,
    GlobalFeatureImportance, GlobalImportanceRequest, GlobalImportanceResponse, GradientCheck,
    ImpactDirection, ImpactMagnitude, ImportanceMethod, MemberForecast, TreeBackground,
};
pub use id::{ExperimentId, JobId, KeyId, ModelId, UserId};
pub use identity::{Coincident, Place, short_name};
pub use job::{JobError, JobInfo, JobKind, JobList, JobProgress, JobState, UnreadableJobInfo};
pub use metric::{Better, FeatureCategory, MetricType, PredictionMetric};
pub use moment::Moment;
pub use profile::{ActivityLevel, Profile, ZoneFrom};
pub use provenance::{Provenance, Span, Told};
pub use record::{
    Activity, ActivityType, HealthMetric, History, Intensity, Meal, MealType, Record, RecordKind,
    SUM_OF_DAY, Tag,
};
pub use record_field::{FieldContent, NumberField, RecordField};
pub use request::{
    BatchPredictRequest, DEFAULT_SEED, MAX_HORIZON_DAYS, PredictRequest, TrainModelRequest,
};
pub use trajectory::{
    MAX_TRAJECTORY_PATHS, MetricTrajectory, SkippedMetric, TRAJECTORY_DAYS, TRAJECTORY_PATHS,
    TrajectoryChange, TrajectoryPoint, TrajectoryRequest, TrajectoryResponse,
};
pub use unit::Unit;
pub use what_if::{
    AppliedChange, FeatureChange, MAX_CHANGES, MAX_SCENARIOS, ScenarioResult, WhatIfRequest,
    WhatIfResponse, WhatIfScenario,
};

/// What every explanation, what-if and counterfactual says: none of them tells a cause.
pub const ASSOCIATION: &str =
    "This shows what goes with what in your own data. It does not show a cause.";
