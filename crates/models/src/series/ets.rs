//! Exponential smoothing in state-space form with additive errors: ETS(A,·,·) of Hyndman, Koehler,
//! Ord and Snyder (2008), with no, an additive or a damped trend and with or without a weekly season.
//!
//! Given the smoothing parameters, the errors are linear in the initial state, which is therefore not
//! searched for but solved for, by least squares; the smoothing parameters are found by
//! [`nelder_mead`], the form by AICc. A missing day updates nothing: the state goes on by itself.

use super::linear_algebra::solve;
use super::{
    SeriesForecaster, SeriesKind, SeriesPart, Sum, TreeGame, WEEK, enough, finite, mean,
    nelder_mead, shows_a_week_twice,
};
use crate::error::ModelError;
use serde::{Deserialize, Serialize};

/// Columns of a run: what the data does to a state that begins at zero, and what each component of
/// the initial state does to it without data.
const COLUMNS: usize = 1 + 2 + WEEK;
const LEVEL: usize = 1;
const TREND: usize = 2;
const SEASON: usize = 3;

/// The damping factor is kept within these, as Hyndman and Khandakar (2008) advise.
const DAMPING: (f64, f64) = (0.8, 0.98);
/// What holds an initial state in place that the data says nothing about, relative to the number of
/// observations.
const PRIOR: f64 = 1e-8;
/// A model whose AICc is so much larger than the smallest has essentially no support (Burnham and Anderson
/// 2002). A level that wanders looks like a trend for weeks, and a trend that is fitted once runs away in
/// the weeks after: with the smallest AICc alone, the errors on LifeSnaps' resting heart rate were 9 % larger.
const NO_SUPPORT: f64 = 10.0;
/// Most steps of the search.
const STEPS: usize = 200;

/// An ETS model: its form and smoothing parameters. The states are found anew in whatever history it
/// forecasts from.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EtsModel {
    /// Weight of an error in the level, 0 to 1.
    pub alpha: f64,
    /// Weight of an error in the trend, 0 to alpha; none without a trend.
    pub beta: Option<f64>,
    /// Weight of an error in the season, 0 to 1 − alpha; none without a season. A history of less than
    /// two whole weeks is forecast without one.
    pub gamma: Option<f64>,
    /// What a trend keeps of itself from day to day: 1 undamped.
    pub damping: f64,
}

#[derive(Debug, Clone, Copy)]
enum Trend {
    None,
    Additive,
    Damped,
}

type Row = [f64; COLUMNS];

/// The end of a run over a history.
struct Run {
    /// Sum of squared errors one day ahead.
    squared_error: f64,
    level: f64,
    trend: f64,
    season: [f64; WEEK],
}

impl EtsModel {
    /// The form and parameters with the lowest AICc, of four values or more; a form with a trend only where
    /// all without one have essentially no support beside it.
    pub(super) fn fit(history: &[Option<f64>]) -> Result<Self, ModelError> {
        enough(
            Self::of_best_form(history),
            history,
            "observed days for ETS",
        )
    }

    fn of_best_form(history: &[Option<f64>]) -> Option<Self> {
        let count = history.iter().flatten().count();
        let mut level: Option<(f64, Self)> = None;
        let mut any: Option<(f64, Self)> = None;
        for trend in [Trend::None, Trend::Additive, Trend::Damped] {
            for seasonal in [false, true] {
                let parameters = parameter_count(trend, seasonal);
                let too_short = seasonal && !shows_a_week_twice(history);
                if count < parameters + 2 || too_short {
                    continue;
                }
                let model = Self::fit_form(history, trend, seasonal);
                let squared_error = model.run(history)?.squared_error;
                let score = corrected_aic(squared_error, count, parameters, history);
                let is_lowest = |best: &Option<(f64, Self)>| {
                    best.as_ref().is_none_or(|(lowest, _)| score < *lowest)
                };
                if is_lowest(&any) {
                    any = Some((score, model));
                }
                if matches!(trend, Trend::None) && is_lowest(&level) {
                    level = Some((score, model));
                }
            }
        }
        let (least, any) = any?;
        match level {
            Some((score, level)) if score <= least + NO_SUPPORT => Some(level),
            Some(_) | None => Some(any),
        }
    }

    /// Simple exponential smoothing, ETS(A,N,N), with the factor that forecasts the history best one
    /// day ahead.
    pub(super) fn fit_level(history: &[Option<f64>]) -> Self {
        Self::fit_form(history, Trend::None, false)
    }

    fn fit_form(history: &[Option<f64>], trend: Trend, seasonal: bool) -> Self {
        let start = [0.3, 0.1, 0.1, 0.9];
        let form = |point: &[f64]| {
            let mut rest = point[1..].iter().copied();
            let alpha = 1e-4 + (1.0 - 2e-4) * point[0];
            let beta = match trend {
                Trend::None => None,
                Trend::Additive | Trend::Damped => rest.next().map(|share| alpha * share),
            };
            let gamma = seasonal
                .then(|| rest.next().map(|share| (1.0 - alpha) * share))
                .flatten();
            let damping = match trend {
                Trend::Damped => DAMPING.0 + (DAMPING.1 - DAMPING.0) * rest.next().unwrap_or(1.0),
                Trend::None | Trend::Additive => 1.0,
            };
            Self {
                alpha,
                beta,
                gamma,
                damping,
            }
        };
        let searched = match trend {
            Trend::None => 1,
            Trend::Additive => 2,
            Trend::Damped => 3,
        } + usize::from(seasonal);
        let found = nelder_mead::minimise(&start[..searched], STEPS, |point| {
            form(point)
                .run(history)
                .map_or(f64::INFINITY, |run| run.squared_error)
        });
        form(&found)
    }

    /// Whether the component behind a column is part of the model.
    fn has(&self, column: usize) -> bool {
        match column {
            0 | LEVEL => true,
            TREND => self.beta.is_some(),
            _ => self.gamma.is_some(),
        }
    }

    /// Runs over a history from the initial state that forecasts it best. `None` when nothing is
    /// observed.
    fn run(&self, history: &[Option<f64>]) -> Option<Run> {
        let first = history.iter().position(Option::is_some)?;
        let prior = mean(&history[first..history.len().min(first + WEEK)])?;
        let mut level: Row = [0.0; COLUMNS];
        let mut trend: Row = [0.0; COLUMNS];
        let mut season = [[0.0; COLUMNS]; WEEK];
        level[LEVEL] = 1.0;
        if self.beta.is_some() {
            trend[TREND] = 1.0;
        }
        if self.gamma.is_some() {
            for (phase, season) in season.iter_mut().enumerate() {
                season[SEASON + phase] = 1.0;
            }
        }
        let (beta, gamma) = (self.beta.unwrap_or(0.0), self.gamma.unwrap_or(0.0));
        let mut errors: Vec<Row> = Vec::with_capacity(history.len());
        for (day, value) in history.iter().enumerate() {
            let season = &mut season[day % WEEK];
            let mut row: Row = [0.0; COLUMNS];
            for column in 0..COLUMNS {
                let slope = self.damping * trend[column];
                let expected = level[column] + slope + season[column];
                let error = match value {
                    Some(value) if column == 0 => value - expected,
                    Some(_) => -expected,
                    None => 0.0,
                };
                level[column] += slope + self.alpha * error;
                trend[column] = slope + beta * error;
                season[column] += gamma * error;
                row[column] = error;
            }
            if value.is_some() {
                errors.push(row);
            }
        }
        let initial = self.initial_state(&errors, prior);
        let at =
            |row: &Row| -> f64 { row[0] + (1..COLUMNS).map(|c| row[c] * initial[c]).sum::<f64>() };
        Some(Run {
            squared_error: errors.iter().map(|row| at(row).powi(2)).sum(),
            level: at(&level),
            trend: at(&trend),
            season: season.map(|row| at(&row)),
        })
    }

    /// The initial state with the smallest sum of squared errors; column 0 is not used.
    fn initial_state(&self, errors: &[Row], prior: f64) -> Row {
        let columns: Vec<usize> = (1..COLUMNS).filter(|&column| self.has(column)).collect();
        let weight = PRIOR * errors.len() as f64;
        let size = columns.len();
        let mut matrix = vec![0.0; size * size];
        let mut right = vec![0.0; size];
        for row in errors {
            for (i, &left) in columns.iter().enumerate() {
                right[i] -= row[left] * row[0];
                for (j, &other) in columns[..=i].iter().enumerate() {
                    matrix[i * size + j] += row[left] * row[other];
                }
            }
        }
        for (i, &column) in columns.iter().enumerate() {
            matrix[i * size + i] += weight;
            if column == LEVEL {
                right[i] += weight * prior;
            }
        }
        let mut state: Row = [0.0; COLUMNS];
        state[LEVEL] = prior;
        if let Some(solved) = solve(&matrix, &right) {
            for (column, value) in columns.into_iter().zip(solved) {
                state[column] = value;
            }
        }
        state
    }

    /// The level after the history, for [`super::ThetaModel`].
    pub(super) fn level(&self, history: &[Option<f64>]) -> Option<f64> {
        Some(self.run(history)?.level)
    }
}

impl SeriesForecaster for EtsModel {
    fn name(&self) -> &'static str {
        "ets"
    }

    fn forecast(&self, history: &[Option<f64>], lead: usize) -> Option<f64> {
        let [level, trend, season] = self.components(history, lead)?;
        finite(level + trend + season, history)
    }
}

impl EtsModel {
    /// Level, trend and season of a forecast, which add up to it.
    fn components(&self, history: &[Option<f64>], lead: usize) -> Option<[f64; 3]> {
        let lead = lead.max(1);
        let form = Self {
            gamma: self.gamma.filter(|_| shows_a_week_twice(history)),
            ..*self
        };
        let run = form.run(history)?;
        let slope: f64 = (1..=lead as i32).map(|day| self.damping.powi(day)).sum();
        let season = run.season[(history.len() + lead - 1) % WEEK];
        Some([run.level, slope * run.trend, season])
    }
}

impl SeriesKind for EtsModel {
    fn sum(
        &self,
        history: &[Option<f64>],
        lead: usize,
        _: TreeGame,
    ) -> Result<Option<Sum>, ModelError> {
        let components = self.components(history, lead);
        Ok(components.map(|[level, trend, season]| {
            Sum::of([
                (SeriesPart::Level, level),
                (SeriesPart::Trend, trend),
                (SeriesPart::Weekday, season),
            ])
        }))
    }

    fn parameter_count(&self) -> usize {
        let damping = (self.damping < 1.0).then_some(self.damping);
        let fitted = [Some(self.alpha), self.beta, self.gamma, damping];
        fitted.iter().flatten().count()
    }
}

/// Smoothing parameters, initial states and the variance of errors.
fn parameter_count(trend: Trend, seasonal: bool) -> usize {
    let of_trend = match trend {
        Trend::None => 0,
        Trend::Additive => 2,
        Trend::Damped => 3,
    };
    // A season of seven adds its parameter and six states: the seventh follows from the level.
    3 + of_trend + if seasonal { WEEK } else { 0 }
}

/// Akaike's criterion with the correction for small samples (Hurvich and Tsai 1989).
fn corrected_aic(
    squared_error: f64,
    count: usize,
    parameters: usize,
    history: &[Option<f64>],
) -> f64 {
    let (n, k) = (count as f64, parameters as f64);
    // A series without noise: what is smaller than its last digits is no better fit.
    let size: f64 = history.iter().flatten().map(|value| value * value).sum();
    let variance = squared_error.max(1e-14 * size).max(f64::MIN_POSITIVE) / n;
    n * variance.ln() + 2.0 * k + 2.0 * k * (k + 1.0) / (n - k - 1.0).max(0.5)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::reference::{Form, series};

    fn form(form: &Form) -> Trend {
        match (form.trend, form.damped) {
            (false, _) => Trend::None,
            (true, false) => Trend::Additive,
            (true, true) => Trend::Damped,
        }
    }

    #[test]
    fn with_the_parameters_of_statsmodels_the_errors_and_forecasts_are_its_own() {
        for series in series() {
            let history: Vec<Option<f64>> = series.values.iter().copied().map(Some).collect();
            for expected in &series.ets {
                let model = EtsModel {
                    alpha: expected.alpha,
                    beta: expected.beta,
                    gamma: expected.gamma,
                    damping: expected.damping,
                };
                let what = format!("{} {expected:?}", series.name);
                let found = model.run(&history).unwrap().squared_error;
                // Its initial state is searched for, ours is solved for: never worse, a little better.
                assert!(
                    found <= expected.squared_error * (1.0 + 1e-7),
                    "{what}: {found}"
                );
                assert!(found >= expected.squared_error * 0.98, "{what}: {found}");
                for (lead, forecast) in (1..).zip(&expected.forecast) {
                    let found = model.forecast(&history, lead).unwrap();
                    assert!(
                        (found - forecast).abs() < 0.05,
                        "{what} lead {lead}: {found}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_parameters_found_are_at_least_as_good_as_those_of_statsmodels() {
        for series in series() {
            let history: Vec<Option<f64>> = series.values.iter().copied().map(Some).collect();
            for expected in &series.ets {
                let model = EtsModel::fit_form(&history, form(expected), expected.seasonal);
                let found = model.run(&history).unwrap().squared_error;
                assert!(
                    found <= expected.squared_error * 1.001,
                    "{} {expected:?}: {found} {model:?}",
                    series.name
                );
            }
        }
    }

    #[test]
    fn the_form_follows_the_series() {
        for series in series() {
            let history: Vec<Option<f64>> = series.values.iter().copied().map(Some).collect();
            let model = EtsModel::fit(&history).unwrap();
            assert_eq!(model.gamma.is_some(), series.name == "weekly", "{model:?}");
            assert_eq!(model.beta.is_some(), series.name == "trending", "{model:?}");
        }
    }

    #[test]
    fn a_level_that_wandered_off_was_taken_for_a_trend() {
        // A level that is drawn back to 60, with noise: its forty days have a damped trend by AICc alone.
        let mut state: u64 = 35;
        let mut level = 60.0;
        let history: Vec<Option<f64>> = (0..40)
            .map(|_| {
                // Numerical Recipes' linear congruential generator: any noise will do.
                state = (1_664_525 * state + 1_013_904_223) % (1 << 32);
                let noise = 3.0 * (state as f64 / 2.0_f64.powi(32) - 0.5);
                level = 0.9 * level + 6.0 + noise;
                Some(level)
            })
            .collect();
        let score = |trend, seasonal| {
            let model = EtsModel::fit_form(&history, trend, seasonal);
            let squared_error = model.run(&history).unwrap().squared_error;
            corrected_aic(
                squared_error,
                40,
                parameter_count(trend, seasonal),
                &history,
            )
        };
        assert!(score(Trend::Damped, false) + 5.0 < score(Trend::None, false));
        let model = EtsModel::fit(&history).unwrap();
        assert_eq!(model.beta, None, "{model:?}");
        // A climb of every day is a trend.
        let climb: Vec<Option<f64>> = (0..30).map(|day| Some(60.0 + f64::from(day))).collect();
        let model = EtsModel::fit(&climb).unwrap();
        assert!(model.beta.is_some());
        assert!((model.forecast(&climb, 3).unwrap() - 92.0).abs() < 0.1);
    }

    #[test]
    fn a_season_survives_missing_days() {
        let week = [3.0, 0.0, -1.0, 2.0, -4.0, 1.0, -1.0];
        let value = |day: usize| 60.0 + week[day % WEEK];
        let history: Vec<Option<f64>> = (0..60)
            .map(|day| (day % 5 != 2 && day < 57).then(|| value(day)))
            .collect();
        let model = EtsModel::fit(&history).unwrap();
        for lead in 1..=10 {
            let found = model.forecast(&history, lead).unwrap();
            assert!(
                (found - value(59 + lead)).abs() < 1e-3,
                "{lead}: {found} {model:?}"
            );
        }
    }

    #[test]
    fn a_season_was_made_of_less_than_two_weeks() {
        let week = [3.0, 0.0, -1.0, 2.0, -4.0, 1.0, -1.0];
        let of = |days: usize| -> Vec<Option<f64>> {
            (0..days).map(|day| Some(60.0 + week[day % WEEK])).collect()
        };
        let level = |model: EtsModel| EtsModel {
            gamma: None,
            ..model
        };
        let model = EtsModel::fit(&of(60)).unwrap();
        assert!(model.gamma.is_some());
        for days in [7, 13] {
            let found = model.forecast(&of(days), 1);
            assert_eq!(found, level(model).forecast(&of(days), 1));
            assert_eq!(EtsModel::fit(&of(days)).unwrap().gamma, None);
        }
        // Two weeks that are mostly missing are none.
        let mut gappy = vec![None; 10];
        gappy.extend(of(10));
        let found = model.forecast(&gappy, 1);
        assert_eq!(found, level(model).forecast(&gappy, 1));
        assert!((model.forecast(&of(14), 1).unwrap() - 63.0).abs() < 1e-3);
    }

    #[test]
    fn a_few_values_give_a_level_and_none_nothing() {
        let model = EtsModel::fit(&[60.0, 62.0, 61.0, 61.0, 60.0].map(Some)).unwrap();
        let found = model.forecast(&[Some(58.0)], 3).unwrap();
        assert!((found - 58.0).abs() < 1e-6, "{found}");
        assert_eq!(model.forecast(&[None, None], 1), None);
        assert_eq!(model.forecast(&[], 1), None);
        assert!(EtsModel::fit(&[Some(60.0), None, Some(61.0)]).is_err());
        let constant = EtsModel::fit(&[Some(7.0); 40]).unwrap();
        assert!((constant.forecast(&[Some(7.0); 40], 7).unwrap() - 7.0).abs() < 1e-9);
    }
}
