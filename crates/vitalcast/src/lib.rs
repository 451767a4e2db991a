#![doc = include_str!("../README.md")]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod engine;
mod error;
mod forecaster;

pub use engine::{
    ActualVsPredicted, BacktestPeople, BatchForecast, CacheOptions, CacheStatistics, Clock,
    DataCoverage, DayCount, DayFeatures, DayFeaturesQuery, DayOfPerson, Engine, Erasure,
    ExperimentError, FeatureMatrix, FeatureQuery, FilesNotRead, FolderLock, ForecastReadiness,
    ForecastRecord, FormatSummary, HistoryDay, HistoryView, ImportSettings, ImportSummary,
    ImportUpload, JobEvent, JobOptions, JobRunner, JobWatch, KeyRandomness, MOST_PEOPLE_SHOWN,
    MetricDays, MetricOfDay, ModelPerformance, NewKey, NewUpload, PersonDays, PooledFit,
    PooledFits, SharedCache, SleepOfDay, SourceDays, TagOfDay, UploadError, UploadInfo, UploadPart,
    ValueOfSource, all_days, attention_chart, backtest, counterfactual_chart, day_importance_chart,
    dependence_charts, estimated_seconds, experiment_chart, experiment_report,
    global_importance_chart, heat_map, importance_chart, lag_chart, matter_chart, record_json,
    replay_chart, replay_skill_chart, significance_sentence, trajectory_chart, waterfall_chart,
    what_if_chart,
};
pub use error::{EngineError, ErrorKind, ModelFileError};
pub use forecaster::Forecaster;

pub use vitalcast_artifact::Manifest;
/// Charts: terminal, SVG, PNG and HTML.
pub use vitalcast_charts as charts;
/// Bounds of the settings of requests.
pub use vitalcast_domain::bounds;
pub use vitalcast_domain::{
    ASSOCIATION, Activity, ActivityLevel, ActivityType, Adherence, AsOf, AttentionOfDay,
    AttentionWeights, BatchPredictRequest, BatchPredictResponse, Coincident, Condition,
    Correlation, CorrelationMethod, CorrelationRequest, CorrelationResponse, CorrelationSummary,
    DEFAULT_SEED, DayImportance, DayRule, DependencePoint, DomainError, EXPLANATION_EVALUATIONS,
    EXPLANATION_SEED, Experiment, ExperimentAnalysis, ExperimentDay, ExperimentDifference,
    ExperimentId, ExperimentList, ExperimentPlan, ExperimentPreview, ExperimentRequest,
    ExperimentState, ExperimentSummary, ExperimentVerdict, ExperimentView, ExplainRequest,
    ExplainResponse, ExplanationComputation, ExplanationGrouping, FactorCategory, FeatureCategory,
    FeatureCopy, FeatureCorrelation, FeatureDaysImportance, FeatureDependence, FeatureImportance,
    FieldContent, FieldError, ForecastChoice, GlobalFeatureImportance, GlobalImportanceRequest,
    GlobalImportanceResponse, GradientCheck, GrangerLag, HealthMetric, HealthMetricTarget, History,
    ImpactDirection, ImpactMagnitude, ImportanceMethod, Intensity, IntervalMethod, InvalidRequest,
    JobError, JobId, JobInfo, JobKind, JobList, JobProgress, JobState, KeyId, KeyInfo, LagRequest,
    LagResolution, LagResponse, LagResult, ListModelsResponse, MAX_HORIZON_DAYS, Meal, MealType,
    Measure, MemberForecast, MetricType, ModelArchitecture, ModelFamily, ModelId, ModelInfo,
    Moment, NormalBand, NumberField, Pairing, PredictRequest, PredictResponse, PredictionMetric,
    PredictionResult, Profile, Provenance, RangeVerdict, ReadingKind, Record, RecordField,
    RecordKind, SHORTEST_NIGHT_HOURS, Scope, Span, StopRule, TAG_PREFIX, Tag, Told,
    TrainModelRequest, TrainModelResponse, TrainPooledRequest, TrainPooledResponse,
    TrainingMetrics, TreeBackground, Unit, UnreadableExperimentInfo, UnreadableJobInfo,
    UnreadableModelInfo, UserId, Zone, ZoneFrom,
};
pub use vitalcast_domain::{
    AppliedChange, Counterfactual, CounterfactualRequest, CounterfactualResponse,
    CounterfactualTarget, FeatureChange, MAX_CHANGES, MAX_SCENARIOS, MAX_TRAJECTORY_PATHS,
    MetricTrajectory, ScenarioResult, SkippedMetric, SuggestedChange, TRAJECTORY_DAYS,
    TRAJECTORY_PATHS, TrajectoryChange, TrajectoryPoint, TrajectoryRequest, TrajectoryResponse,
    WhatIfRequest, WhatIfResponse, WhatIfScenario,
};
pub use vitalcast_evaluation::level_in_words;
pub use vitalcast_features::{
    Feature, FeatureId, FeatureSource, FeatureTable, catalogue, feature_table, model_inputs,
};
pub use vitalcast_import::{ColumnMap, Format, ImportError, KnownAt, MapError};
pub use vitalcast_inference::{baseline_words, learned_nothing, skill_sentence, with_unit};
pub use vitalcast_models::ComputeDevice;
pub use vitalcast_store::{Deletion, RecordFilter, StoreError, UserSummary, WriteReport};
pub use vitalcast_training::{
    AgainstBaseline, Choice, EpochReport, Evaluation, Matter, ModelReport, OnUnseenDays, Proceed,
    ReplayAnswer, ReplayModel, ReplayRequest, ReplayRow, Search, Setting, Settings, TrainingError,
    Trial, TuningAnswer, TuningProgress, TuningRequest, fit_pooled,
};
