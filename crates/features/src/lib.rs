#![doc = include_str!("../README.md")]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod before_sleep;
mod catalogue;
mod changed_days;
mod coverage;
mod daily;
mod daily_history;
mod day;
mod error;
mod event;
mod field;
mod formula;
mod knowledge;
mod known;
mod night;
mod reading;
mod row;
mod series;
mod table;
mod tag;
mod window;

pub use before_sleep::amounts_before_sleep;
pub use catalogue::{Feature, FeatureId, FeatureSource, LOOK_BACK_DAYS, catalogue, model_inputs};
pub use changed_days::DayCells;
pub use coverage::{Coverage, MetricCoverage, SourceCoverage, coverage};
pub use daily_history::{DailyHistory, PersonData};
pub use day::{DayValue, DayView, SleepView, SourceValue, TagView, day_view};
pub use error::{FeaturesError, UnknownFeature};
pub use field::{LATE_HOUR, SportClass, sport_class};
pub use known::{KnownTable, LaterRow, LaterValue, OwnHistory, known_table};
pub use series::{KnownDays, KnownValues};
pub use table::{FeatureTable, daily_values, feature_table, hindsight_table};
pub use tag::{TagDays, tag_days};
