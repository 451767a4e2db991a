#![doc = include_str!("../README.md")]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod error;
mod explain;
mod forecast;
mod gap_growth;
mod interval;
mod ladder;
mod layout;
mod many_people;
mod model;
mod network_correction;
mod panel;
mod population;
mod rungs;
mod unusual;
mod words;

pub use error::{InferenceError, UsualValues};
pub use explain::{
    BACKGROUND_DAYS, Explaining, ForecastSum, WindowGame, WindowPlayer, day_to_day_spread,
    explaining, window_game,
};
pub use forecast::{COMPARISON_DAYS, Forecast, ForecastQuery, expected, forecast};
pub use interval::{Interval, REFERENCE_FACTOR, interval, lead_of};
pub use ladder::{SimpleForecast, replay_simple};
pub use layout::{DayLayout, known_covariates};
pub use model::{FittedModel, ModelState, network_windows};
pub use network_correction::NetworkCorrection;
pub use panel::{PersonDays, PooledRecipe};
pub use population::{Population, population, without_training};
pub use rungs::{
    LEAST_READINGS, RECENT_DAYS, SIMPLE_RUNGS, SimpleRung, replay_of_many_people, replay_served,
};
pub use unusual::is_last_unusual;
pub use words::{
    baseline_words, interpretation, learned_nothing, recommendation, skill_sentence, with_unit,
};
