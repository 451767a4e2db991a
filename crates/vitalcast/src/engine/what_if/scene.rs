//! The day that is changed, with all that its changes are evaluated with.

use super::super::Engine;
use super::super::person_days::KeptDays;
use super::super::predict::{Served, is_gated};
use crate::error::EngineError;
use chrono::{DateTime, Days, NaiveDate, Utc};
use std::sync::Arc;
use vitalcast_domain::{
    FieldError, History, IntervalMethod, InvalidRequest, ModelArchitecture, PredictRequest,
    PredictionMetric, Profile, UserId,
};
use vitalcast_features::{DailyHistory, KnownDays, KnownTable, PersonData, known_table};
use vitalcast_inference::{
    Forecast, ForecastQuery, InferenceError, REFERENCE_FACTOR, expected, forecast,
};
use vitalcast_insight::scenario::{Change, DAYS_LOOKED_AT, Day, Lever, ShownBy};
use vitalcast_store::Store;

/// Days of what a person usually does.
pub(super) const HABIT_DAYS: u64 = 90;

/// What is asked of a day before it changes.
pub(super) struct Asked<'a> {
    pub(super) user: &'a UserId,
    pub(super) metric: PredictionMetric,
    pub(super) target: NaiveDate,
    pub(super) model_version: Option<String>,
    pub(super) architecture: Option<ModelArchitecture>,
    pub(super) level: f64,
}

/// The days of a person, kept in memory or made for one moment.
enum PersonDays {
    Kept(Arc<KeptDays>),
    Own(Box<DailyHistory>),
}

impl PersonDays {
    fn get(&self) -> &DailyHistory {
        match self {
            Self::Kept(kept) => &kept.days,
            Self::Own(own) => own,
        }
    }
}

/// A day before a target, its records, and the model that forecasts the target.
///
/// Everything is seen as the day ends: with what is known now, and with what changes known by then. A
/// forecast of the same records at that moment is therefore the same number.
pub(super) struct Scene {
    served: Served,
    days: PersonDays,
    /// All records, where a change of the day changes others too.
    whole: Option<Box<History>>,
    pub(super) day: Day,
    query: ForecastQuery,
    pub(super) is_day_over: bool,
    habits: Habits,
}

impl Scene {
    pub(super) fn new(
        engine: &Engine,
        asked: &Asked<'_>,
        now: DateTime<Utc>,
    ) -> Result<Self, EngineError> {
        let user = asked.user;
        let generation = engine
            .generation(user)?
            .ok_or_else(|| engine.unknown(user))?;
        let target = asked.target;
        let request = PredictRequest {
            model_version: asked.model_version.clone(),
            architecture: asked.architecture,
            interval_level: asked.level,
            ..PredictRequest::new(user.clone(), asked.metric, target)
        };
        let served = engine.served(&request, generation)?;
        let kept = engine
            .days_of(user, generation, NaiveDate::MIN, now)
            .map_err(of_the_calendar)?;
        let person = PersonData::from(&kept.days);
        let profile = person.profile().clone();
        let outside = |message: String| {
            EngineError::Request(InvalidRequest(vec![FieldError {
                field: "target_date",
                message,
            }]))
        };
        let today = profile.day_of(now);
        let day = target
            .checked_sub_days(Days::new(1))
            .filter(|day| day.checked_sub_days(Days::new(HABIT_DAYS + 60)).is_some())
            .ok_or_else(|| outside("must lie within the calendar".to_owned()))?;
        if day > today {
            let latest = today.succ_opt().unwrap_or(today);
            return Err(outside(format!(
                "must be at most {latest}: the day before it is the one that changes, and it must have \
                 begun"
            )));
        }
        let moment = profile.start_of_day(target);
        let last = person.last_known_day(day, moment);
        if last != Some(day) {
            return Err(EngineError::NothingOnDay { day, last });
        }
        let days = if kept.days.holds_at(moment) || moment <= now {
            PersonDays::Kept(kept)
        } else {
            // Something becomes known until the day ends.
            let history = engine.load(user)?;
            let made = DailyHistory::new(&history, moment).map_err(EngineError::Features)?;
            PersonDays::Own(Box::new(made))
        };
        let around = day - Days::new(DAYS_LOOKED_AT)..=target;
        let history = engine
            .wait(engine.store.history(user, Some(around)))?
            .ok_or_else(|| engine.unknown(user))?;
        let habits = Habits::new(days.get(), day, asked.metric, moment)?;
        let day = Day::new(&history, day, moment)
            .map_err(|error| EngineError::InvalidSetting(error.to_string()))?;
        let whole = if day.has_moved() {
            Some(Box::new(engine.load(user)?))
        } else {
            None
        };
        Ok(Self {
            whole,
            query: ForecastQuery {
                target_date: target,
                interval_method: IntervalMethod::ResidualQuantiles,
                interval_level: asked.level,
                now: moment,
                model_id: served.id()?,
                model_version: served.version(),
                is_gated: is_gated(&request),
            },
            served,
            days,
            day,
            is_day_over: moment <= now,
            habits,
        })
    }

    /// The architecture that forecasts.
    pub(super) fn architecture(&self) -> ModelArchitecture {
        self.served.manifest().architecture
    }

    /// The moment as of which everything is seen.
    pub(super) fn moment(&self) -> DateTime<Utc> {
        self.query.now
    }

    /// The forecast of the day as it is.
    pub(super) fn baseline(&self) -> Result<Forecast, EngineError> {
        self.forecast(self.days.get())
    }

    fn forecast(&self, days: &DailyHistory) -> Result<Forecast, EngineError> {
        let (model, manifest) = (self.served.model(), self.served.manifest());
        Ok(forecast(model, manifest, days, &self.query)?)
    }

    /// The mean absolute error of the model on days that it was not fitted to; where there are none, half of
    /// the 50 % interval.
    pub(super) fn usual_error(&self) -> Result<f64, EngineError> {
        let half = |query: ForecastQuery| {
            let (model, manifest) = (self.served.model(), self.served.manifest());
            let answer = forecast(model, manifest, self.days.get(), &query)?;
            let ends = answer.response.prediction;
            Ok((ends.confidence_interval_upper - ends.confidence_interval_lower) / 2.0)
        };
        let by_errors = half(ForecastQuery {
            interval_method: IntervalMethod::ReferenceMae,
            ..self.query.clone()
        });
        match by_errors {
            Ok(half) => Ok(half / REFERENCE_FACTOR),
            Err(InferenceError::UnusableModel(_)) => Ok(half(ForecastQuery {
                interval_level: 0.5,
                ..self.query.clone()
            })?),
            Err(error) => Err(error.into()),
        }
    }

    /// The days after some changes; the error says which change cannot be made.
    pub(super) fn days_after(&self, changes: &[Change]) -> Result<DailyHistory, ChangeError> {
        let changed = self.day.change(changes)?;
        if let Some(whole) = &self.whole {
            let made = DailyHistory::new(&changed.apply(whole), self.moment());
            return Ok(made.map_err(EngineError::Features)?);
        }
        let before = self.day.around();
        let after = changed.apply(before);
        let days = self.day.changing_days();
        let made = self
            .days
            .get()
            .with_changed_days(before, &after, days, self.moment());
        Ok(made.map_err(EngineError::Features)?)
    }

    /// The forecast after some changes.
    pub(super) fn after(&self, changes: &[Change]) -> Result<Forecast, ChangeError> {
        let days = self.days_after(changes)?;
        Ok(self.forecast(&days)?)
    }

    /// What a feature or metric type is on the day after some changes were made.
    pub(super) fn value_after(
        &self,
        lever: Lever,
        days: &DailyHistory,
    ) -> Result<Option<f64>, EngineError> {
        let day = self.day.date();
        Ok(Habits::of_days(days, day, day, self.metric(), self.moment())?.newest(lever))
    }

    /// The expected value after some changes.
    pub(super) fn value_of(&self, changes: &[Change]) -> Result<f64, ChangeError> {
        let days = self.days_after(changes)?;
        let (model, manifest) = (self.served.model(), self.served.manifest());
        let expected = expected(model, manifest, &days, &self.query);
        Ok(expected.map_err(EngineError::from)?.value())
    }

    /// What several levers are on the day after some changes were made.
    pub(super) fn values_after(
        &self,
        levers: impl Iterator<Item = Lever>,
        days: &DailyHistory,
    ) -> Result<Vec<Option<f64>>, EngineError> {
        let day = self.day.date();
        let after = Habits::of_days(days, day, day, self.metric(), self.moment())?;
        Ok(levers.map(|lever| after.newest(lever)).collect())
    }

    pub(super) fn profile(&self) -> &Profile {
        PersonData::from(self.days.get()).profile()
    }

    pub(super) fn metric(&self) -> PredictionMetric {
        self.served.model().metric
    }

    /// What the person did in the last days, the changed one included, oldest first.
    pub(super) fn habit(&self, lever: Lever) -> Vec<Option<f64>> {
        self.habits.values(lever)
    }
}

/// A change that cannot be made, or a fault behind it.
pub(super) enum ChangeError {
    Scenario(vitalcast_insight::scenario::ScenarioError),
    Engine(EngineError),
}

impl From<vitalcast_insight::scenario::ScenarioError> for ChangeError {
    fn from(error: vitalcast_insight::scenario::ScenarioError) -> Self {
        Self::Scenario(error)
    }
}

impl From<EngineError> for ChangeError {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}

impl ChangeError {
    /// As the error of a field of a request.
    pub(super) fn of_field(self, field: &'static str, place: &str) -> EngineError {
        match self {
            Self::Engine(error) => error,
            Self::Scenario(error) => EngineError::Request(InvalidRequest(vec![FieldError {
                field,
                message: format!("have a change that cannot be made, in {place}: {error}"),
            }])),
        }
    }
}

/// Data that no model can lay out are no fault of ours.
pub(super) fn of_the_calendar(error: EngineError) -> EngineError {
    if let EngineError::Inference(InferenceError::Features(error)) = error {
        return EngineError::Features(error);
    }
    error
}

/// What a person did on some days.
struct Habits {
    table: KnownTable,
    known: KnownDays,
}

impl Habits {
    fn new(
        days: &DailyHistory,
        last: NaiveDate,
        metric: PredictionMetric,
        as_of: DateTime<Utc>,
    ) -> Result<Self, EngineError> {
        Self::of_days(days, last - Days::new(HABIT_DAYS - 1), last, metric, as_of)
    }

    fn of_days(
        days: &DailyHistory,
        first: NaiveDate,
        last: NaiveDate,
        metric: PredictionMetric,
        as_of: DateTime<Utc>,
    ) -> Result<Self, EngineError> {
        let target = metric.metric_type();
        Ok(Self {
            table: known_table(days, target, first, last, HABIT_DAYS as usize, as_of)?,
            known: KnownDays::new(days, first, last, as_of)?,
        })
    }

    /// The values of a lever as they are known last, by day.
    fn values(&self, lever: Lever) -> Vec<Option<f64>> {
        let evenings = self.table.evenings();
        let rows = evenings.days();
        let feature = match lever.shown_by() {
            ShownBy::Feature(feature) => feature,
            ShownBy::Metric(metric) => {
                let Some(known) = self.known.of(metric) else {
                    return vec![None; rows];
                };
                let mut values = known.first;
                for later in &known.later {
                    values[later.day] = later.value;
                }
                return values;
            }
        };
        let mut values: Vec<Option<f64>> = (0..rows)
            .map(|row| evenings.value_at(row, feature))
            .collect();
        for later in self.table.later() {
            values[later.row] = later.values[feature as usize];
        }
        values
    }

    fn newest(&self, lever: Lever) -> Option<f64> {
        self.values(lever).pop().flatten()
    }
}
