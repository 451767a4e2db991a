//! What a training reports of its model: the residuals of a replay of its own days, by the functions that
//! every replay goes through.

use crate::error::TrainingError;
use crate::pipeline::{Prepared, read};
use crate::pooled::{self, ManyPeople};
use crate::replayed::Computed;
use chrono::{Days, NaiveDate};
use vitalcast_artifact::{Calibration, Gate, LeadCalibration};
use vitalcast_domain::{AsOf, History, MAX_HORIZON_DAYS};
use vitalcast_evaluation::{
    Accuracy, Replayed, ReplayedDay, SIGNIFICANT, diebold_mariano, mean, replay_days, skill,
};
use vitalcast_inference::FittedModel;
use vitalcast_models::{SeriesForecaster, SeriesModel};
use vitalcast_windows::Window;

/// The errors on the test days, and those of the best baseline.
pub(crate) struct Report {
    pub(crate) accuracy: Accuracy,
    pub(crate) baseline: Option<(SeriesModel, f64)>,
    pub(crate) skill: Option<f64>,
    pub(crate) gate: Option<Gate>,
    pub(crate) calibration: Calibration,
}

impl Report {
    /// Reports on a model and calibrates it.
    pub(crate) fn of(
        model: &FittedModel,
        data: &Prepared,
        history: &History,
        as_of: AsOf,
        served: Option<&ManyPeople<'_>>,
    ) -> Result<Self, TrainingError> {
        let test = &data.split.test;
        let days = of_model(model, data, test, 1)?;
        let errors: Vec<(NaiveDate, f64)> = days
            .iter()
            .map(|day| {
                (
                    data.first_day + Days::new(day.target as u64),
                    day.residual(),
                )
            })
            .collect();
        let (actual, predicted): (Vec<f64>, Vec<f64>) =
            days.iter().map(|day| (day.observed, day.forecast)).unzip();
        let accuracy = Accuracy::of(&actual, &predicted)?;
        let lookback = lookback_of(model);
        let baseline = best_simple_baseline(data, lookback);
        let mut gate = pooled::gate(history, model.metric, &errors, as_of, served)?;
        if let (Some(gate), Some(baseline)) = (&mut gate, &baseline) {
            let (p, is_passed) = against_baseline(baseline, data, lookback, &days)?;
            gate.baseline_p = p;
            gate.served &= is_passed;
        }
        let baseline = baseline.and_then(|kind| {
            let mae = baseline_mae(&kind, data, test, lookback)?;
            Some((kind, mae))
        });
        let skill = match &baseline {
            Some((_, mae)) => skill(accuracy.mae, *mae)?,
            None => None,
        };
        Ok(Self {
            accuracy,
            skill,
            gate,
            baseline,
            calibration: calibrate(model, data)?,
        })
    }
}

/// Whether a model errs less than a baseline on the days of a replay, beyond chance; the baseline itself
/// passes. The p value is that of the paired test.
fn against_baseline(
    kind: &SeriesModel,
    data: &Prepared,
    lookback: Option<usize>,
    days: &[ReplayedDay],
) -> Result<(Option<f64>, bool), TrainingError> {
    let baseline = Baseline {
        kind,
        data,
        lookback,
    };
    let pairs = days.iter().filter_map(|day| {
        let simple = baseline.forecast(0, day.origin, 1)?;
        Some((day.residual(), day.observed - simple))
    });
    let (own, simple): (Vec<f64>, Vec<f64>) = pairs.unzip();
    let p = diebold_mariano(&own, &simple, 1)?.map(|test| test.p);
    Ok((p, own == simple || p.is_some_and(|p| p < SIGNIFICANT)))
}

/// A simple baseline that reads as many days as the model.
pub(crate) struct Baseline<'a> {
    pub(crate) kind: &'a SeriesModel,
    pub(crate) data: &'a Prepared,
    /// All days, if there is no such number.
    pub(crate) lookback: Option<usize>,
}

/// How many days a model reads; `None` for all of them.
fn lookback_of(model: &FittedModel) -> Option<usize> {
    (!model.reads_whole_history()).then_some(model.lookback)
}

impl Replayed for Baseline<'_> {
    fn forecast(&self, _: usize, origin: usize, lead: usize) -> Option<f64> {
        let (layout, evening) = (&self.data.layout, origin.saturating_sub(1));
        let history = match self.lookback {
            Some(lookback) => layout.known(origin.saturating_sub(lookback)..origin, evening),
            None => layout.known_before(origin, evening),
        };
        self.kind.forecast(&history, lead)
    }
}

/// The simple baseline with the smallest error on the days before the test part.
pub(crate) fn best_simple_baseline(
    data: &Prepared,
    lookback: Option<usize>,
) -> Option<SeriesModel> {
    let earlier: Vec<Window> = data
        .split
        .train
        .iter()
        .chain(&data.split.validation)
        .copied()
        .collect();
    SeriesModel::simple()
        .into_iter()
        .filter_map(|kind| {
            let mae = baseline_mae(&kind, data, &earlier, lookback)?;
            Some((kind, mae))
        })
        .min_by(|(_, left), (_, right)| left.total_cmp(right))
        .map(|(kind, _)| kind)
}

fn baseline_mae(
    kind: &SeriesModel,
    data: &Prepared,
    windows: &[Window],
    lookback: Option<usize>,
) -> Option<f64> {
    let baseline = Baseline {
        kind,
        data,
        lookback,
    };
    mean(of_windows(&baseline, data, windows, 1).map(|day| day.residual().abs()))
}

/// Residuals on days the weights were not fitted on, one set for each lead: for lead k the last
/// k − 1 days of each window are hidden, which is what a forecast k days past the last known day
/// sees, on the evening of the day before those. These are the validation part and the test part: nothing was chosen on the latter, and what is
/// reported on it are errors, not coverage. A model without weights, or with one to four numbers for all
/// days, is hardly better on the training part than elsewhere, so that part counts as well.
fn calibrate(model: &FittedModel, data: &Prepared) -> Result<Calibration, TrainingError> {
    let learned = model.is_fitted_closely();
    let windows: Vec<Window> = if learned {
        &[]
    } else {
        data.split.train.as_slice()
    }
    .iter()
    .chain(&data.split.validation)
    .chain(&data.split.test)
    .copied()
    .collect();
    let mut leads = Vec::with_capacity(MAX_HORIZON_DAYS);
    for lead in 1..=MAX_HORIZON_DAYS.min(model.lookback - 1) {
        let days = of_model(model, data, &windows, lead)?;
        let residuals: Vec<f64> = days.into_iter().map(ReplayedDay::residual).collect();
        // A baseline may have nothing to go by at a long lead; a shorter one then stands for it.
        if !residuals.is_empty() {
            leads.push(LeadCalibration::from_residuals(lead, &residuals)?);
        }
    }
    Ok(Calibration::widening(leads)?)
}

/// What a model says of the days of some windows, `lead` days ahead.
fn of_model(
    model: &FittedModel,
    data: &Prepared,
    windows: &[Window],
    lead: usize,
) -> Result<Vec<ReplayedDay>, TrainingError> {
    let hidden_days = lead - 1;
    let forecasts = model.forecast_rows(&data.layout, &read(windows, hidden_days), hidden_days)?;
    let mut computed = Computed::default();
    for (window, forecast) in windows.iter().zip(forecasts) {
        if let Some(origin) = (window.target_row + 1).checked_sub(lead) {
            computed.insert(origin, lead, forecast);
        }
    }
    Ok(of_windows(&computed, data, windows, lead).collect())
}

/// The replay of the days of some windows.
fn of_windows<'a>(
    model: &'a dyn Replayed,
    data: &'a Prepared,
    windows: &'a [Window],
    lead: usize,
) -> impl Iterator<Item = ReplayedDay> + 'a {
    let targets = windows.iter().map(|window| window.target_row);
    replay_days(model, 0, &data.targets, targets, lead)
}
