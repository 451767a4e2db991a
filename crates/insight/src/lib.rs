#![doc = include_str!("../README.md")]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod adjust;
mod answer;
mod basis;
mod coefficient;
pub mod counterfactual;
mod distribution;
mod drivers;
mod effective;
mod error;
mod estimate;
mod exchange;
pub mod experiment;
mod explanation;
mod explanation_words;
mod factor;
mod gradients;
mod granger;
mod kendall;
mod lags;
mod local_linear;
mod pairing;
mod rank;
pub mod scenario;
mod shapley;
mod test_of_pairs;
pub mod trajectory;
mod words;

pub use adjust::benjamini_hochberg;
pub use answer::{Looked, NoLags, correlation_answer, lag_answer};
pub use coefficient::{Coefficient, pearson, spearman};
pub use drivers::{
    Driver, DriverSettings, Drivers, by_own_day, columns, drivers, may_stand_against,
};
pub use effective::effective_sample_size;
pub use error::InsightError;
pub use estimate::Effect;
pub use exchange::{
    Exchange, Exchanged, PermutationImportance, bootstrap_interval, exchanged,
    permutation_importance,
};
pub use explanation::{
    ExplainedForecast, ExplainedPart, FeatureOverDays, GlobalImportances, Importances,
    global_importances, importances,
};
pub use factor::{Column, Factor, tag_columns};
pub use gradients::{Step, expected_gradients};
pub use granger::{GrangerTest, augmented_granger, granger};
pub use kendall::kendall;
pub use lags::{LaggedFeature, Lags, TestedLag, daily_lags, lags};
pub use local_linear::{LocalLinear, local_linear};
pub use rank::midranks;
pub use shapley::{Effort, Mix, Shapley, ShapleyValue, shapley};
pub use test_of_pairs::TestedPair;
