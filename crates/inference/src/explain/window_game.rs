//! A forecast of a model that reads windows, as a game: its own window against those of earlier days.
//!
//! A player is a set of cells of the window: a feature on all days, all features of a day, or a feature on
//! some days. In a mix, present players keep the window's own cells (the scaled value and its mask
//! together), and the others have the cells of the window of an earlier day, as it was known on its evening.
//! A network's base reads the metric's own days, so these take part there, too. Mixes are forecast by the
//! code that forecasts windows.

use super::names;
use crate::error::InferenceError;
use crate::forecast::{Asked, ForecastQuery, WindowRead};
use crate::layout::DayLayout;
use crate::model::{FittedModel, Kind, network_windows};
use chrono::NaiveDate;
use std::ops::RangeInclusive;
use vitalcast_domain::{ExplainedFeature, ExplanationGrouping};
use vitalcast_features::{PersonData, model_inputs};
use vitalcast_models::{SeriesForecaster, Windows};
use vitalcast_windows::WindowEnd;

/// One day of a window: its scaled values, and the metric's value where the base reads it.
#[derive(Debug, Clone)]
struct WindowCells {
    /// `[lookback × 2 columns]`; empty for a model of the metric's own days.
    scaled: Vec<f32>,
    /// The metric's days that are not hidden.
    own: Vec<Option<f64>>,
}

/// A player of the game.
#[derive(Debug, Clone, PartialEq)]
pub struct WindowPlayer {
    /// Its feature; `None` for all features.
    pub feature: Option<ExplainedFeature>,
    /// Days before the target day.
    pub days: RangeInclusive<usize>,
}

/// A game of one window against others.
#[derive(Debug)]
pub struct WindowGame<'a> {
    model: &'a FittedModel,
    target: NaiveDate,
    hidden_days: usize,
    /// Columns of the layout, the last of which is the metric's own history.
    columns: usize,
    own: WindowCells,
    /// The metric's days before the window that a model of a series reads, too: no player's.
    before: Vec<Option<f64>>,
    others: Vec<WindowCells>,
    players: Vec<WindowPlayer>,
    /// The player of each cell, `[lookback × columns]`.
    player_of: Vec<usize>,
}

/// Days of features on several days: the last day, the rest of its week, and before.
const BUCKETS: [RangeInclusive<usize>; 3] = [1..=1, 2..=7, 8..=usize::MAX];

impl<'a> WindowGame<'a> {
    /// The game of a window against some earlier ones; those in which nothing of the metric was known are
    /// left out.
    ///
    /// # Errors
    ///
    /// [`InferenceError::NothingToCompare`] without such windows; what [`network_windows`] refuses.
    pub(crate) fn new(
        model: &'a FittedModel,
        read: &WindowRead,
        target: NaiveDate,
        others: (&DayLayout, &[WindowEnd]),
        grouping: ExplanationGrouping,
    ) -> Result<Self, InferenceError> {
        let hidden = read.hidden_days;
        let own = cells(model, &read.layout, &[read.window], hidden)?
            .pop()
            .ok_or(InferenceError::NothingToCompare(target))?;
        let mut others = cells(model, others.0, others.1, hidden)?;
        others.retain(|other| other.own.iter().any(Option::is_some));
        if others.is_empty() {
            return Err(InferenceError::NothingToCompare(target));
        }
        Ok(Self::of_cells(model, read, target, own, others, grouping))
    }

    /// The game of a window against others, all of which count.
    fn of_cells(
        model: &'a FittedModel,
        read: &WindowRead,
        target: NaiveDate,
        own: WindowCells,
        others: Vec<WindowCells>,
        grouping: ExplanationGrouping,
    ) -> Self {
        let last = own.own.iter().rev().find_map(|value| *value);
        let mut game = Self {
            model,
            target,
            hidden_days: read.hidden_days,
            columns: read.layout.matrix().columns().len(),
            own,
            before: read.days_before(model),
            others,
            players: Vec::new(),
            player_of: Vec::new(),
        };
        game.set_players(grouping, &read.values_of_last_day(), last);
        game
    }

    /// The games of several days, each against the windows of all of them in their order, also its own:
    /// what is exchanged between days that are forecast. Features are the players. Days that cannot be
    /// forecast from the day before are left out.
    ///
    /// # Errors
    ///
    /// Those of [`crate::forecast()`] but for too little data.
    pub fn of_days<'p>(
        model: &'a FittedModel,
        person: impl Into<PersonData<'p>>,
        queries: &[ForecastQuery],
    ) -> Result<Vec<(NaiveDate, Self)>, InferenceError> {
        let person = person.into();
        let mut reads = Vec::new();
        for query in queries {
            match Asked::new(person, query).and_then(|asked| WindowRead::new(model, &asked)) {
                Ok(read) if read.hidden_days == 0 => {
                    let own = cells(model, &read.layout, &[read.window], 0)?.pop();
                    reads.extend(own.map(|own| (query.target_date, read, own)));
                }
                Ok(_) => {}
                Err(error) if error.is_too_little_data() => {}
                Err(error) => return Err(error),
            }
        }
        let all: Vec<WindowCells> = reads.iter().map(|(_, _, own)| own.clone()).collect();
        let grouping = ExplanationGrouping::Feature;
        Ok(reads
            .into_iter()
            .map(|(day, read, own)| {
                let game = Self::of_cells(model, &read, day, own, all.clone(), grouping);
                (day, game)
            })
            .collect())
    }

    fn set_players(
        &mut self,
        grouping: ExplanationGrouping,
        values: &[Option<f64>],
        last: Option<f64>,
    ) {
        let lookback = self.model.lookback;
        let metric = self.model.metric;
        let features = || -> Vec<ExplainedFeature> {
            let inputs = model_inputs()
                .zip(values)
                .map(|(feature, value)| names::of_feature(feature, *value));
            inputs
                .chain([names::of_own_history(metric, last)])
                .collect()
        };
        let offset_of = |day: usize| lookback - day;
        let buckets: Vec<RangeInclusive<usize>> = BUCKETS
            .iter()
            .filter(|days| *days.start() <= lookback)
            .map(|days| *days.start()..=(*days.end()).min(lookback))
            .collect();
        let player_at = |day: usize, column: usize| match grouping {
            ExplanationGrouping::Feature => column,
            ExplanationGrouping::Day => day,
            ExplanationGrouping::Both => {
                let days = buckets
                    .iter()
                    .position(|days| days.contains(&offset_of(day)));
                column * buckets.len() + days.unwrap_or(0)
            }
        };
        self.player_of = (0..lookback)
            .flat_map(|day| (0..self.columns).map(move |column| (day, column)))
            .map(|(day, column)| player_at(day, column))
            .collect();
        self.players = match grouping {
            ExplanationGrouping::Feature => features()
                .into_iter()
                .map(|feature| WindowPlayer {
                    feature: Some(feature),
                    days: 1..=lookback,
                })
                .collect(),
            ExplanationGrouping::Day => (0..lookback)
                .map(|day| WindowPlayer {
                    feature: None,
                    days: offset_of(day)..=offset_of(day),
                })
                .collect(),
            ExplanationGrouping::Both => features()
                .into_iter()
                .flat_map(|feature| {
                    buckets.iter().map(move |days| WindowPlayer {
                        feature: Some(feature.clone()),
                        days: days.clone(),
                    })
                })
                .collect(),
        };
    }

    /// The players.
    pub fn players(&self) -> &[WindowPlayer] {
        &self.players
    }

    /// Number of earlier windows.
    pub fn backgrounds(&self) -> usize {
        self.others.len()
    }

    /// For each earlier window, which players have other cells than it.
    pub fn differs(&self) -> Vec<Vec<bool>> {
        let of = |other: &WindowCells| {
            let mut differs = vec![false; self.players.len()];
            for (cell, player) in self.player_of.iter().enumerate() {
                let (day, column) = (cell / self.columns, cell % self.columns);
                let is_own = column + 1 == self.columns;
                let own_day = is_own && self.own.own.get(day) != other.own.get(day);
                let scaled = [column, self.columns + column].iter().any(|place| {
                    let place = day * 2 * self.columns + place;
                    self.own.scaled.get(place) != other.scaled.get(place)
                });
                differs[*player] |= own_day || scaled;
            }
            differs
        };
        self.others.iter().map(of).collect()
    }

    /// Forecasts of mixes, each with the players that keep their own cells and the earlier window that the
    /// others have theirs of.
    ///
    /// # Errors
    ///
    /// [`InferenceError::NotFinite`].
    pub fn forecasts<'m>(
        &self,
        mixes: impl ExactSizeIterator<Item = (&'m [bool], usize)>,
    ) -> Result<Vec<f64>, InferenceError> {
        let count = mixes.len();
        let size = self.own.scaled.len();
        let mut scaled = Vec::with_capacity(count * size);
        let mut usual = Vec::with_capacity(count);
        let mut history = Vec::with_capacity(self.own.own.len());
        for (present, background) in mixes {
            let other = &self.others[background];
            let start = scaled.len();
            scaled.extend_from_slice(&other.scaled);
            self.copy_own(present, &mut scaled[start..]);
            history.clear();
            let days = self.own.own.iter().zip(&other.own).enumerate();
            history.extend(days.map(|(day, (own, other))| {
                let player = self.player_of[(day + 1) * self.columns - 1];
                if present[player] { *own } else { *other }
            }));
            usual.push(self.usual(&history, other));
        }
        self.finish(scaled, &usual)
    }

    /// Copies the own cells of present players.
    fn copy_own(&self, present: &[bool], into: &mut [f32]) {
        if into.is_empty() {
            return;
        }
        for (cell, player) in self.player_of.iter().enumerate() {
            if present[*player] {
                let (day, column) = (cell / self.columns, cell % self.columns);
                for place in [column, self.columns + column] {
                    let place = day * 2 * self.columns + place;
                    into[place] = self.own.scaled[place];
                }
            }
        }
    }

    /// What a model of the metric's own days, or a network's base, says of a mixed history. Where days
    /// without a reading are all that a mix has, it is what the earlier window has.
    fn usual(&self, history: &[Option<f64>], other: &WindowCells) -> Option<f64> {
        let of = |series: &dyn SeriesForecaster| {
            let said = |own: &[Option<f64>]| {
                let history = [self.before.as_slice(), own].concat();
                self.model.of_history(series, &history, self.hidden_days)
            };
            said(history).or_else(|| said(&other.own))
        };
        match self.model.kind() {
            Kind::Network { base, .. } => match base {
                Some(base) => of(base),
                None => Some(0.0),
            },
            Kind::Series(series) => of(series),
            Kind::Average(average) => of(average),
            Kind::Pooled(..) | Kind::Simple => None,
        }
    }

    fn finish(&self, scaled: Vec<f32>, usual: &[Option<f64>]) -> Result<Vec<f64>, InferenceError> {
        let said = match self.model.kind() {
            Kind::Network {
                network, target, ..
            } => {
                let (lookback, width) = (self.model.lookback, 2 * self.columns);
                let inputs = Windows::new(usual.len(), lookback, width, scaled)?;
                self.model
                    .added(network, *target, &inputs, usual, |_| self.target)?
            }
            Kind::Series(_) | Kind::Average(_) | Kind::Pooled(..) | Kind::Simple => usual.to_vec(),
        };
        let failed = || InferenceError::NotFinite(self.target);
        said.into_iter()
            .map(|said| said.ok_or_else(failed))
            .collect()
    }

    /// What a network alone says, without its base, at places on the straight lines from earlier windows to
    /// the own one; each with the earlier window, the place (0 to 1), a player and how far it goes beyond.
    /// `None` for a model that is no network.
    ///
    /// # Errors
    ///
    /// [`InferenceError::NotFinite`].
    pub fn along(
        &self,
        steps: impl ExactSizeIterator<Item = (usize, f64, usize, f64)>,
    ) -> Result<Option<Vec<f64>>, InferenceError> {
        let Kind::Network {
            network, target, ..
        } = self.model.kind()
        else {
            return Ok(None);
        };
        let count = steps.len();
        if count == 0 {
            return Ok(Some(Vec::new()));
        }
        let mut scaled = Vec::with_capacity(count * self.own.scaled.len());
        for (background, at, player, by) in steps {
            let other = &self.others[background].scaled;
            let places = self.own.scaled.iter().zip(other).enumerate();
            scaled.extend(places.map(|(place, (own, other))| {
                let day = place / (2 * self.columns);
                let column = place % self.columns;
                let goes = self.player_of[day * self.columns + column] == player;
                let share = if goes { at + by } else { at };
                other + share as f32 * (own - other)
            }));
        }
        let (lookback, width) = (self.model.lookback, 2 * self.columns);
        let inputs = Windows::new(count, lookback, width, scaled)?;
        let said = network.predict(&inputs)?;
        let said = said.into_iter().step_by(network.config().outputs());
        Ok(Some(
            said.map(|said| target.inverse(f64::from(said))).collect(),
        ))
    }

    /// How far a network's base lies above its mean over the earlier windows.
    pub fn base_change(&self) -> f64 {
        let of = |cells: &WindowCells| self.usual(&cells.own, cells).unwrap_or(0.0);
        let others: f64 = self.others.iter().map(of).sum();
        of(&self.own) - others / self.others.len() as f64
    }

    /// What a feature was on the last day of each earlier window, where it was known and a network reads it.
    pub fn earlier_values(&self, feature: usize) -> Vec<Option<f64>> {
        let lookback = self.model.lookback;
        let of = |other: &WindowCells| {
            let Kind::Network { features, .. } = self.model.kind() else {
                return None;
            };
            let day = (lookback - 1 - self.hidden_days.min(lookback - 1)) * 2 * self.columns;
            let observed = other.scaled.get(day + self.columns + feature)?;
            let scaled = other.scaled.get(day + feature)?;
            let value = features.inverse(feature, f64::from(*scaled));
            (*observed > 0.0 && value.is_finite()).then_some(value)
        };
        self.others.iter().map(of).collect()
    }

    /// The player of the metric's own history, where players are features.
    pub fn own_history(&self) -> usize {
        self.columns - 1
    }

    /// The weights of days, oldest first; `None` for a model without attention.
    ///
    /// # Errors
    ///
    /// What the network refuses.
    pub fn attention(&self) -> Result<Option<Vec<f64>>, InferenceError> {
        let Kind::Network { network, .. } = self.model.kind() else {
            return Ok(None);
        };
        let (lookback, width) = (self.model.lookback, 2 * self.columns);
        let inputs = Windows::new(1, lookback, width, self.own.scaled.clone())?;
        let weights = network.explain(&inputs)?.attention;
        Ok(weights.map(|weights| weights.into_iter().map(f64::from).collect()))
    }
}

/// The cells of some windows.
fn cells(
    model: &FittedModel,
    layout: &DayLayout,
    windows: &[WindowEnd],
    hidden_days: usize,
) -> Result<Vec<WindowCells>, InferenceError> {
    if windows.is_empty() {
        return Ok(Vec::new());
    }
    let scaled = match model.kind() {
        Kind::Network { features, .. } => Some(network_windows(
            layout,
            features,
            windows,
            model.lookback,
            hidden_days,
        )?),
        Kind::Series(_) | Kind::Average(_) | Kind::Pooled(..) | Kind::Simple => None,
    };
    let of = |(place, window): (usize, &WindowEnd)| WindowCells {
        scaled: scaled
            .as_ref()
            .map(|scaled| scaled.gather(&[place]))
            .unwrap_or_default(),
        own: own_values(layout, *window, model.lookback, hidden_days),
    };
    Ok(windows.iter().enumerate().map(of).collect())
}

/// The metric's days of a window that are not hidden.
fn own_values(
    layout: &DayLayout,
    window: WindowEnd,
    lookback: usize,
    hidden_days: usize,
) -> Vec<Option<f64>> {
    let end = window.last_row + 1;
    let first = end.saturating_sub(lookback);
    let known = end.saturating_sub(hidden_days).max(first);
    layout.known(first..known, window.origin).into_owned()
}

impl WindowRead {
    /// The metric's days that the model reads and that are not hidden.
    pub(crate) fn own_values(&self, model: &FittedModel) -> Vec<Option<f64>> {
        let mut days = self.days_before(model);
        days.extend(own_values(
            &self.layout,
            self.window,
            model.lookback,
            self.hidden_days,
        ));
        days
    }

    /// Those of them before the window: none, but for a model of a series.
    fn days_before(&self, model: &FittedModel) -> Vec<Option<f64>> {
        let first = (self.window.last_row + 1).saturating_sub(model.lookback);
        if model.reads_whole_history() {
            self.layout
                .known_before(first, self.window.origin)
                .into_owned()
        } else {
            Vec::new()
        }
    }

    /// The model inputs on the last day that is not hidden.
    fn values_of_last_day(&self) -> Vec<Option<f64>> {
        let row = self.window.last_row.saturating_sub(self.hidden_days);
        let (values, observed) = self.layout.matrix().row(row, self.window.origin);
        values
            .iter()
            .zip(observed)
            .map(|(value, observed)| observed.then_some(*value))
            .collect()
    }
}
