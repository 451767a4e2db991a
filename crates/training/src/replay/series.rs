//! Models that give one value a day, as a replay asks for them.

use super::record::{Finished, ReplayRecord};
use super::{Cohort, ReplayModel, ReplayRequest};
use crate::cohort::CohortPerson;
use crate::error::TrainingError;
use crate::kinds::Fitting;
use crate::network::EpochReport;
use crate::pipeline::train;
use chrono::Days;
use std::ops::{ControlFlow, Range};
use std::sync::OnceLock;
use vitalcast_domain::{AsOf, ModelArchitecture, PredictionMetric, TrainModelRequest, UserId};
use vitalcast_evaluation::Replayed;
use vitalcast_inference::{DayLayout, FittedModel};
use vitalcast_models::{ComputeDevice, MovingAverage, SeriesForecaster, SeriesMethod, SeriesModel};
use vitalcast_windows::WindowEnd;

/// Days of the mean of a month.
const MONTH: usize = 30;
/// Days that a network reads before the first day that it forecasts.
const DAYS_BEFORE: u64 = 120;
/// Share of the windows of a training that its weights are fitted on.
const TRAINED_SHARE: f64 = 0.6;

/// A model of one series for each person, fitted when it is first asked.
pub(super) struct SeriesOfPeople<'a> {
    people: &'a [CohortPerson],
    until: Vec<usize>,
    fit: Fit,
    models: Vec<OnceLock<Boxed>>,
}

/// How the model of a person is fitted to days.
type Fit = Box<dyn Fn(&[Option<f64>]) -> Boxed + Send + Sync>;

impl Replayed for SeriesOfPeople<'_> {
    fn forecast(&self, person: usize, origin: usize, lead: usize) -> Option<f64> {
        let days = &self.people[person];
        let fitted =
            self.models[person].get_or_init(|| (self.fit)(&days.known(self.until[person])));
        fitted.as_ref()?.forecast(&days.known(origin), lead)
    }
}

/// Each person's model is fitted to the days before `until`, as known on the evening before.
pub(super) fn series<'a>(
    model: ReplayModel,
    cohort: &'a Cohort<'_>,
    until: &[usize],
    replay: &ReplayRequest,
) -> Result<Option<SeriesOfPeople<'a>>, TrainingError> {
    let people = cohort.people.as_slice();
    let architecture = match model {
        ReplayModel::Of(architecture) => architecture,
        ReplayModel::Mean30 => {
            let mean = || SeriesModel::MovingAverage(MovingAverage { days: MONTH });
            return Ok(Some(of_each(people, until, move |_| Some(boxed(mean())))));
        }
        ReplayModel::Auto | ReplayModel::Population => return Ok(None),
    };
    let user = cohort.people[0].user.clone();
    let request = settings_of(architecture, user, replay)?;
    Ok(match Fitting::of(&request) {
        Fitting::Network(_) | Fitting::OfManyPeople | Fitting::LstmOfManyPeople => None,
        Fitting::Series { method, .. } if method.learns_from_many() => {
            let histories: Vec<_> = people
                .iter()
                .zip(until)
                .map(|(person, until)| person.known(*until))
                .collect();
            let histories: Vec<&[Option<f64>]> = histories
                .iter()
                .map(AsRef::as_ref)
                .filter(|days| !days.is_empty())
                .collect();
            let shared = method.fit_pooled(&histories).ok();
            Some(of_each(people, until, move |_| shared.clone().map(boxed)))
        }
        Fitting::Series { method, .. } => Some(of_each(people, until, move |days| {
            method
                .fit(days)
                .ok()
                .map(boxed)
                .or_else(|| Some(fallback()))
        })),
        Fitting::Average { methods, .. } => Some(of_each(people, until, move |days| {
            let average = SeriesMethod::fit_average(&methods, days);
            average.ok().map(boxed).or_else(|| Some(fallback()))
        })),
    })
}

/// The settings with which a model is fitted. A simple baseline reads none.
pub(super) fn settings_of(
    architecture: ModelArchitecture,
    user: UserId,
    replay: &ReplayRequest,
) -> Result<TrainModelRequest, TrainingError> {
    let default = TrainModelRequest {
        architecture,
        seed: replay.seed,
        ..TrainModelRequest::new(user, replay.metric)
    };
    if ReplayModel::Of(architecture).is_simple() {
        return Ok(default);
    }
    let request = replay.settings.applied_to(default);
    request.validate()?;
    Ok(request)
}

fn boxed<F: SeriesForecaster + Send + Sync + 'static>(
    model: F,
) -> Box<dyn SeriesForecaster + Send + Sync> {
    Box::new(model)
}

type Boxed = Option<Box<dyn SeriesForecaster + Send + Sync>>;

/// With no days to fit to, the mean of the last week stands in.
fn fallback() -> Box<dyn SeriesForecaster + Send + Sync> {
    boxed(SeriesModel::moving_average())
}

fn of_each<'a>(
    people: &'a [CohortPerson],
    until: &[usize],
    fit: impl Fn(&[Option<f64>]) -> Boxed + Send + Sync + 'static,
) -> SeriesOfPeople<'a> {
    SeriesOfPeople {
        people,
        until: until.to_vec(),
        fit: Box::new(fit),
        models: people.iter().map(|_| OnceLock::new()).collect(),
    }
}

/// Trains the network of each scored person on the days before the scored ones, and forecasts. A person with
/// too little data has no forecast.
pub(super) fn networks(
    finished: &mut Finished<'_>,
    architecture: ModelArchitecture,
    cohort: &Cohort<'_>,
    leads: &[usize],
    replay: &ReplayRequest,
    record: &mut dyn ReplayRecord,
    check: &mut dyn FnMut() -> ControlFlow<()>,
) -> Result<(), TrainingError> {
    let longest = leads.iter().copied().max().unwrap_or(1);
    for index in finished.missing() {
        let (person, scored) = (&cohort.people[index], &cohort.scored[index]);
        let mut forecasts = Vec::new();
        let mut calibrated = 0..0;
        if let Some(history) = cohort.history_of(&person.user) {
            let first_origin = (scored.start + 1).saturating_sub(longest);
            let known = history.profile.start_of_day(person.days.date(first_origin));
            let request = settings_of(architecture, person.user.clone(), replay)?;
            let mut on_epoch = |_: &EpochReport| check();
            match train(
                history,
                &request,
                known,
                ComputeDevice::default(),
                None,
                &mut on_epoch,
            ) {
                Ok(trained) => {
                    let observed = person.observed_days();
                    let before = observed.partition_point(|day| *day < first_origin);
                    let fitted = (before as f64 * TRAINED_SHARE).ceil() as usize;
                    calibrated = observed[fitted.min(before - 1)]..first_origin;
                    let days = calibrated.start..scored.end;
                    forecasts = windows(
                        &trained.model,
                        cohort.metric,
                        history,
                        person,
                        days,
                        leads,
                        cohort.as_of,
                    )?;
                }
                Err(TrainingError::Cancelled) => return Err(TrainingError::Cancelled),
                Err(
                    TrainingError::NotEnoughDays { .. } | TrainingError::NotEnoughWindows { .. },
                ) => {}
                Err(error) => return Err(error),
            }
        }
        finished.add(index, calibrated, forecasts, record)?;
    }
    Ok(())
}

/// A network's forecasts of some target days.
fn windows(
    model: &FittedModel,
    metric: PredictionMetric,
    history: &vitalcast_domain::History,
    person: &CohortPerson,
    targets: Range<usize>,
    leads: &[usize],
    as_of: AsOf,
) -> Result<Vec<(usize, usize, f64)>, TrainingError> {
    let first_day = person.days.date(targets.start) - Days::new(DAYS_BEFORE);
    let last_day = person.days.date(targets.end - 1);
    let layout = DayLayout::new(history, metric, first_day, last_day, model.lookback, as_of)?;
    let mut found = Vec::new();
    for &lead in leads {
        let origins: Vec<usize> = targets
            .clone()
            .filter_map(|day| (day + 1).checked_sub(lead))
            .collect();
        let ends: Vec<WindowEnd> = origins
            .iter()
            .filter_map(|origin| layout.row(person.days.date(origin + lead - 1)))
            .map(|row| WindowEnd::on_evening(row - 1, lead - 1))
            .collect();
        let values = model.forecast_rows(&layout, &ends, lead - 1)?;
        for (origin, value) in origins.into_iter().zip(values) {
            found.extend(value.map(|value| (origin, lead, value)));
        }
    }
    Ok(found)
}
