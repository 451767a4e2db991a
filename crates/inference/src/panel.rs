//! What the pooled model reads of a person: the metric's own days and the other daily series, each as
//! known on any evening.

use crate::error::InferenceError;
use crate::unusual::resolution;
use chrono::{Datelike, Days, NaiveDate};
use vitalcast_domain::{AsOf, MAX_HORIZON_DAYS, MetricType, PredictionMetric};
use vitalcast_features::{KnownDays, KnownValues, PersonData};
use vitalcast_pooled::{Covariate, Design, Person, Transform};
use vitalcast_windows::{KnownSeries, LaterValue, without_unusual};

/// Precision of the prior of coefficients: of the own history, of what is known to matter, and of the
/// rest.
const OWN: f64 = 100.0;
const CORE: f64 = 300.0;
const EXTRA: f64 = 600.0;

/// A series that the model may read.
#[derive(Debug, Clone, Copy)]
enum Read {
    One(MetricType),
    /// How far a series lies above the metric itself.
    AboveTarget(MetricType),
}

/// How a metric is forecast by a pooled model.
pub struct PooledRecipe {
    metric: PredictionMetric,
    reads: Vec<(Read, Covariate)>,
}

impl PooledRecipe {
    /// The recipe of a metric.
    pub fn of(metric: PredictionMetric) -> Self {
        use MetricType as M;
        let target = metric.metric_type();
        let mut reads = Vec::new();
        let mut read = |read: Read, transform, penalty| {
            let name = match read {
                Read::One(series) => series.as_str().to_owned(),
                Read::AboveTarget(other) => format!("{other} - {target}"),
            };
            reads.push((
                read,
                Covariate {
                    name,
                    transform,
                    penalty,
                },
            ));
        };
        let identity = Transform::Identity;
        let log = |plus| Transform::Log { plus };
        for (metric, transform) in [
            (M::RestingHeartRate, identity),
            (M::HeartRateVariabilitySdnn, Transform::LN),
            (M::HeartRateVariabilityRmssd, Transform::LN),
            (M::SleepDuration, identity),
            (M::RecoveryScore, identity),
            (M::Steps, log(500.0)),
            (M::TotalCalories, Transform::LN),
            (M::ActiveCalories, log(50.0)),
            (M::LightActivityMinutes, identity),
            (M::ModerateActivityMinutes, identity),
            (M::VigorousActivityMinutes, identity),
            (M::AverageHeartRate, identity),
            (M::SleepingHeartRate, identity),
            (M::LowestHeartRate, identity),
            (M::RespiratoryRate, identity),
            (M::SkinTemperature, identity),
            (M::StressLevel, identity),
            (M::EveningStressLevel, identity),
        ] {
            if metric != target {
                read(Read::One(metric), transform, CORE);
            }
        }
        if metric == PredictionMetric::RestingHeartRate {
            for other in [
                M::SleepingHeartRate,
                M::AverageHeartRate,
                M::LowestHeartRate,
            ] {
                read(Read::AboveTarget(other), identity, CORE);
            }
        }
        // Beyond these, more series help where the vendor computes the metric from many of them.
        if Self::reads_everything(metric) {
            for metric in [
                M::HeartRateBelowZone1Minutes,
                M::HeartRateZone1Minutes,
                M::HeartRateZone2Minutes,
                M::HeartRateZone3Minutes,
                M::SedentaryMinutes,
                M::SleepEfficiency,
                M::AwakeDuration,
                M::TimeInBed,
                M::DeepSleepDuration,
                M::RemSleepDuration,
                M::Bedtime,
                M::WakeTime,
                M::RecoverySleepPart,
                M::RecoveryExertionPart,
                M::RecoveryResponsivenessPart,
            ] {
                read(Read::One(metric), identity, EXTRA);
            }
        }
        Self { metric, reads }
    }

    fn reads_everything(metric: PredictionMetric) -> bool {
        match metric {
            PredictionMetric::RestingHeartRate | PredictionMetric::RecoveryScore => true,
            PredictionMetric::HeartRateVariabilitySdnn
            | PredictionMetric::HeartRateVariabilityRmssd
            | PredictionMetric::SleepDuration => false,
        }
    }

    /// Whether people of all sources share the coefficients. Time asleep means the same in all devices;
    /// vendors smooth resting heart rate and compute recovery each in their own way.
    pub fn is_one_for_all(&self) -> bool {
        match self.metric {
            PredictionMetric::SleepDuration => true,
            PredictionMetric::RestingHeartRate
            | PredictionMetric::RecoveryScore
            | PredictionMetric::HeartRateVariabilitySdnn
            | PredictionMetric::HeartRateVariabilityRmssd => false,
        }
    }

    /// What the model reads.
    pub fn design(&self) -> Design {
        Design {
            transform: match self.metric {
                PredictionMetric::HeartRateVariabilitySdnn
                | PredictionMetric::HeartRateVariabilityRmssd => Transform::LN,
                PredictionMetric::RestingHeartRate
                | PredictionMetric::SleepDuration
                | PredictionMetric::RecoveryScore => Transform::Identity,
            },
            own_penalty: OWN,
            covariates: self
                .reads
                .iter()
                .map(|(_, covariate)| covariate.clone())
                .collect(),
            horizon: MAX_HORIZON_DAYS,
            without: None,
        }
    }

    /// The days `first_day ..= last_day` of a person, each as known on any evening up to that of the day
    /// after the last, and never later than `as_of`.
    ///
    /// # Errors
    ///
    /// What `vitalcast_features::KnownDays` refuses.
    pub fn lay_out<'a>(
        &self,
        person: impl Into<PersonData<'a>>,
        first_day: NaiveDate,
        last_day: NaiveDate,
        as_of: AsOf,
    ) -> Result<PersonDays, InferenceError> {
        let person = person.into();
        let days = KnownDays::new(person, first_day, last_day, as_of)?;
        let known = |metric: MetricType| days.of(metric).map(known_series).transpose();
        let target = self.metric.metric_type();
        let count = usize::try_from((last_day - first_day).num_days() + 1).unwrap_or(0);
        let measured = known(target)?.unwrap_or_else(|| KnownSeries::from(vec![None; count]));
        let series = without_unusual(&measured, 0, resolution(self.metric));
        let covariates = self
            .reads
            .iter()
            .map(|(read, _)| match read {
                Read::One(other) => known(*other),
                Read::AboveTarget(other) => {
                    let other = known(*other)?;
                    Ok(other.map(|other| other.with(&series, |other, own| Some(other? - own?))))
                }
            })
            .collect::<Result<Vec<_>, InferenceError>>()?;
        Ok(PersonDays {
            first_day,
            person: Person {
                first_weekday: first_day.weekday().num_days_from_monday() as usize,
                source: person.main_source(target).unwrap_or_default().to_owned(),
                series,
                covariates,
            },
            measured,
        })
    }
}

/// The days of a person as a pooled model reads them.
#[derive(Debug, Clone)]
pub struct PersonDays {
    /// Day 0.
    pub first_day: NaiveDate,
    /// What the model reads. Unusual readings of the metric count as not observed.
    pub person: Person,
    /// The metric's days as they were measured.
    pub measured: KnownSeries,
}

impl PersonDays {
    /// The date of a day.
    pub fn date(&self, day: usize) -> NaiveDate {
        self.first_day + Days::new(day as u64)
    }
}

pub(crate) fn known_series(values: KnownValues) -> Result<KnownSeries, InferenceError> {
    let later = values.later.iter().map(|later| LaterValue {
        day: later.day,
        from: later.from,
        value: later.value,
    });
    Ok(KnownSeries::new(values.first, later.collect())?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use vitalcast_domain::{
        HealthMetric, History, Meal, Profile, Provenance, Record, UserId, Zone,
    };

    const UNWORN: u64 = 5;

    fn on(place: u64) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 3, 1).unwrap() + Days::new(place)
    }

    fn reading(source: &str, place: u64, metric: MetricType, value: f64) -> Record {
        let id = format!("{place}-{metric}");
        let provenance = Provenance::of_day(source, id, on(place), Zone::UTC);
        Record::HealthMetric(HealthMetric::new(provenance, metric, value))
    }

    /// Ten days of a watch, on one of which nobody wore it.
    fn history() -> History {
        let mut history = History::new(UserId::new("p").unwrap(), Profile::default());
        for place in 0..10 {
            let worn = if place == UNWORN { 0.0 } else { 1.0 };
            let value = 1.0 + place as f64;
            for (metric, value) in [
                (MetricType::Steps, 5_000.0 + 100.0 * value),
                (MetricType::RestingHeartRate, 55.0 + value),
                (MetricType::StressLevel, 30.0 + value),
                (MetricType::VigorousActivityMinutes, value),
            ] {
                let reading = reading("watch", place, metric, worn * value);
                history.records.push(reading);
            }
            let sitting = if place == UNWORN { 1_440.0 } else { 700.0 };
            let sitting = reading("watch", place, MetricType::SedentaryMinutes, sitting);
            history.records.push(sitting);
        }
        history
    }

    #[test]
    fn a_meal_or_the_glucose_of_an_unworn_day_changes_no_series_of_the_watch() {
        let recipe = PooledRecipe::of(PredictionMetric::RestingHeartRate);
        let as_of = Zone::UTC.start_of_day(on(30));
        let lay_out = |history: &History| recipe.lay_out(history, on(0), on(9), as_of).unwrap();
        let before = history();
        let mut after = before.clone();
        after.records.extend([
            Record::Meal(Meal {
                provenance: Provenance::of_day("diary", "lunch", on(UNWORN), Zone::UTC),
                name: None,
                meal_type: None,
                energy_kcal: Some(700.0),
                protein_g: None,
                carbs_g: Some(80.0),
                fat_g: None,
                fiber_g: None,
                sugar_g: None,
            }),
            reading("meter", UNWORN, MetricType::BloodGlucose, 104.0),
        ]);
        let (before, after) = (lay_out(&before), lay_out(&after));
        assert_eq!(before.person.series, after.person.series);
        assert_eq!(before.person.covariates, after.person.covariates);
        for series in before.person.covariates.iter().flatten() {
            let days = series.known(0..10, 10).into_owned();
            let without: Vec<usize> = (0..10).filter(|day| days[*day].is_none()).collect();
            assert_eq!(without, [UNWORN as usize]);
        }
    }
}
