//! What a forecast is made of, at the moment of the forecast.
//!
//! The data are read by the functions that [`crate::forecast()`] reads them with, so the value that is
//! explained is the value that is served, bit for bit. A model that is a sum is taken apart exactly
//! ([`ForecastSum`]). A network is a game ([`WindowGame`]), which `vitalcast-insight` plays.

mod many_people;
pub(crate) mod names;
mod window_game;

pub use window_game::{WindowGame, WindowPlayer};

use crate::error::InferenceError;
use crate::forecast::{Asked, COMPARISON_DAYS, ForecastQuery, WindowRead, last};
use crate::layout::DayLayout;
use crate::model::{FittedModel, Kind, clamp};
use chrono::Days;
use vitalcast_domain::{
    AsOf, ExplainedFeature, ExplanationComputation, ExplanationGrouping, FeatureCategory,
    PredictionMetric,
};
use vitalcast_features::PersonData;
use vitalcast_models::{MemberShare, SeriesParts, TreeGame};
use vitalcast_windows::WindowEnd;

/// Earlier days that a network's forecast is compared with.
pub const BACKGROUND_DAYS: usize = 30;

/// A forecast that can be explained.
#[derive(Debug)]
pub struct Explaining {
    /// The forecast, that of [`crate::forecast()`] to the last bit.
    pub value: f64,
    /// Time up to which data are known.
    pub as_of: AsOf,
    /// The metric's last days before the target, the last one the day before it.
    pub days: Vec<Option<f64>>,
    /// Its terms, if the model is a sum.
    pub sum: Option<ForecastSum>,
}

/// A forecast as a sum.
#[derive(Debug, Clone, PartialEq)]
pub struct ForecastSum {
    /// What the parts are added to.
    pub base: f64,
    /// What that is, in words.
    pub base_meaning: String,
    /// With the base they add up to the forecast.
    pub parts: Vec<(ExplainedFeature, f64)>,
    /// How it was taken apart.
    pub computation: ExplanationComputation,
    /// Members of an average; empty for other models.
    pub members: Vec<MemberShare>,
}

/// Takes a forecast apart, as far as its model is a sum.
///
/// # Errors
///
/// Those of [`crate::forecast()`].
pub fn explaining<'a>(
    model: &FittedModel,
    person: impl Into<PersonData<'a>>,
    query: &ForecastQuery,
    trees: TreeGame,
) -> Result<Explaining, InferenceError> {
    let asked = Asked::new(person.into(), query)?;
    if let Some(pooled) = model.of_many_people() {
        return many_people::explaining(model.metric, pooled, &asked, trees);
    }
    if model.is_simple() {
        return many_people::explaining_simple(model.metric, &asked, trees);
    }
    let read = WindowRead::new(model, &asked)?;
    let failed = || InferenceError::NotFinite(query.target_date);
    let value = model
        .forecast_rows(&read.layout, &[read.window], read.hidden_days)?
        .pop()
        .flatten()
        .ok_or_else(failed)?;
    let history = read.own_values(model);
    let lead = read.hidden_days + 1;
    let parts = match model.kind() {
        Kind::Series(series) => Some(series.parts(&history, lead, trees)?.ok_or_else(failed)?),
        Kind::Average(average) => Some(average.parts(&history, lead, trees)?.ok_or_else(failed)?),
        Kind::Network { .. } | Kind::Pooled(..) | Kind::Simple => None,
    };
    let days = read
        .layout
        .known(read.days - COMPARISON_DAYS..read.days, read.window.origin);
    Ok(Explaining {
        value,
        as_of: asked.as_of,
        days: days.to_vec(),
        sum: parts.map(|parts| {
            let meaning = format!(
                "the mean of your readings of the {} days that the model reads",
                history.len()
            );
            sum_of(model.metric, parts, &history, value, meaning)
        }),
    })
}

/// The parts of a model of the metric's own days, named.
fn sum_of(
    metric: PredictionMetric,
    parts: SeriesParts,
    history: &[Option<f64>],
    value: f64,
    base_meaning: String,
) -> ForecastSum {
    let mut named: Vec<(ExplainedFeature, f64)> = parts
        .parts
        .iter()
        .map(|(part, amount)| (names::of_series_part(*part, metric, history), *amount))
        .collect();
    let plausible = clamp(metric, parts.value);
    if plausible != parts.value {
        named.push((limits(), plausible - parts.value));
    }
    // Whole numbers only; the rest is the last digits of sums.
    if (value - plausible).abs() > 1e-9 {
        named.push((whole_numbers(), value - plausible));
    }
    ForecastSum {
        base: parts.base,
        base_meaning,
        parts: named,
        computation: match parts.trees {
            None => ExplanationComputation::ExactSum,
            Some(TreeGame::PathDependent) => ExplanationComputation::TreePathDependent,
            Some(TreeGame::Interventional) => ExplanationComputation::TreeInterventional,
        },
        members: parts.members,
    }
}

/// What makes a forecast a whole number.
fn whole_numbers() -> ExplainedFeature {
    names::of_other(
        "health_whole_numbers",
        "rounding to whole numbers, as your readings are",
        FeatureCategory::Health,
    )
}

/// What keeps a forecast within what a body can show.
fn limits() -> ExplainedFeature {
    names::of_other(
        "health_limits",
        "the limits of what is plausible",
        FeatureCategory::Health,
    )
}

/// The game of a forecast of a model that reads windows, against the windows of the days before it.
///
/// # Errors
///
/// Those of [`crate::forecast()`]; [`InferenceError::NothingToCompare`] without an earlier window;
/// [`InferenceError::UnusableModel`] for a model of many people, which reads whole histories.
pub fn window_game<'m, 'a>(
    model: &'m FittedModel,
    person: impl Into<PersonData<'a>>,
    query: &ForecastQuery,
    grouping: ExplanationGrouping,
) -> Result<WindowGame<'m>, InferenceError> {
    let asked = Asked::new(person.into(), query)?;
    let read = WindowRead::new(model, &asked)?;
    let days = (model.lookback + BACKGROUND_DAYS) as u64;
    let earlier = DayLayout::new(
        asked.person,
        model.metric,
        query.target_date - Days::new(days),
        asked.last_day,
        model.lookback,
        asked.as_of,
    )?;
    let rows = earlier.matrix().rows();
    let windows: Vec<WindowEnd> = (1..=BACKGROUND_DAYS)
        .filter_map(|back| (rows - 1).checked_sub(back))
        .filter(|last_row| last_row + 1 >= model.lookback)
        .map(|last_row| WindowEnd::on_evening(last_row, read.hidden_days))
        .collect();
    WindowGame::new(
        model,
        &read,
        query.target_date,
        (&earlier, &windows),
        grouping,
    )
}

/// The spread of the last days: their standard deviation; `None` for fewer than two readings.
pub fn day_to_day_spread(days: &[Option<f64>]) -> Option<f64> {
    let readings: Vec<f64> = last(days, COMPARISON_DAYS)
        .iter()
        .flatten()
        .copied()
        .collect();
    let middle = vitalcast_evaluation::mean(readings.iter().copied())?;
    let variance =
        vitalcast_evaluation::mean(readings.iter().map(|value| (value - middle).powi(2)))?;
    (readings.len() > 1).then(|| vitalcast_evaluation::beyond_rounding(variance.sqrt(), middle))
}
