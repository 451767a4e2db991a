//! A row of a replay is the forecast that is served on the evening of its origin.

use chrono::{DateTime, Days, NaiveDate, Utc};
use proptest::prelude::*;
use std::ops::ControlFlow;
use vitalcast_domain::{
    HealthMetric, History, MetricType, ModelArchitecture, ModelId, PredictionMetric, Profile,
    Provenance, Record, TrainModelRequest, UserId,
};
use vitalcast_inference::{
    FittedModel, Forecast, ForecastQuery, InferenceError, forecast, without_training,
};
use vitalcast_models::ComputeDevice;
use vitalcast_training::{
    NoRecord, ReplayAnswer, ReplayModel, ReplayRequest, ReplayRow, Trained, replay_people, train,
};

const RHR: PredictionMetric = PredictionMetric::RestingHeartRate;
const SDNN: PredictionMetric = PredictionMetric::HeartRateVariabilitySdnn;

/// What was recorded on a day.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Day {
    Nothing,
    Steps,
    Reading(f64),
}

pub(crate) fn first_day() -> NaiveDate {
    "2025-01-01".parse().unwrap()
}

fn now() -> DateTime<Utc> {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

pub(crate) fn history(metric: PredictionMetric, days: &[Day]) -> History {
    let profile = Profile::default();
    let zone = profile.zone;
    let mut history = History::new(UserId::new("someone").unwrap(), profile);
    let mut add = |metric: MetricType, place: usize, value: f64| {
        let day = first_day() + Days::new(place as u64);
        let id = format!("{metric}-{day}");
        let provenance = Provenance::of_day("watch", id, day, zone);
        let reading = HealthMetric::new(provenance, metric, value);
        history.records.push(Record::HealthMetric(reading));
    };
    for (place, day) in days.iter().enumerate() {
        match day {
            Day::Nothing => {}
            Day::Steps => add(MetricType::Steps, place, 5_000.0),
            Day::Reading(value) => add(metric.metric_type(), place, *value),
        }
    }
    history
}

fn replayed(history: &History, request: &ReplayRequest) -> ReplayAnswer {
    let go_on = &mut |_: &str| ControlFlow::Continue(());
    replay_people(&[history], &[], request, now(), &mut NoRecord, go_on).unwrap()
}

/// What is asked for on the evening of the origin of a row.
pub(crate) fn query(history: &History, target: NaiveDate, lead: usize) -> ForecastQuery {
    let evening = target - Days::new(lead as u64 - 1);
    let evening = history.profile.start_of_day(evening);
    let id = ModelId::new("someone").unwrap();
    ForecastQuery::new(target, evening, id, "v1.0.0".to_owned())
}

/// Both bounds of an interval that has the level that was asked for.
fn bounds(served: &Forecast, level: f64) -> Option<(f64, f64)> {
    let served = &served.response.prediction;
    let both = (
        served.confidence_interval_lower,
        served.confidence_interval_upper,
    );
    ((served.interval_level - level).abs() < 1e-9).then_some(both)
}

/// Checks each row of a model against what is served, and that there is a row wherever there is a forecast.
#[track_caller]
fn check(history: &History, request: &ReplayRequest, days: &[Day]) -> usize {
    let answer = replayed(history, request);
    let metric = request.metric;
    let release = without_training(metric).unwrap();
    let mut found = 0;
    for model in &request.models {
        for lead in request.horizon.clone() {
            let rows: Vec<&ReplayRow> = answer
                .rows
                .iter()
                .filter(|row| row.model == model.name() && row.horizon == lead)
                .collect();
            // With all but one of the readings scored, the first of them is the only one that is not.
            let readings = (0..days.len()).filter(|day| matches!(days[*day], Day::Reading(_)));
            let mut answered = 0;
            for place in readings.skip(1) {
                let target = first_day() + Days::new(place as u64);
                let row = rows.iter().find(|row| row.target_date == target);
                for (level, at) in request.levels.iter().zip(0..) {
                    let query = ForecastQuery {
                        interval_level: *level,
                        is_gated: *model == ReplayModel::Auto,
                        ..query(history, target, lead)
                    };
                    let served = forecast(&release.model, &release.manifest, history, &query);
                    let (Some(row), Ok(served)) = (row, &served) else {
                        let refused = served.as_ref().err();
                        assert!(
                            row.is_none() && refused.is_some(),
                            "{target}, {lead}: {refused:?}"
                        );
                        assert!(refused.is_some_and(InferenceError::is_too_little_data));
                        continue;
                    };
                    assert_eq!(row.origin, target - Days::new(lead as u64));
                    let value = served.response.prediction.predicted_value;
                    assert_eq!(value, row.forecast, "{model} {target}, {lead} ahead");
                    assert_eq!(
                        bounds(served, *level),
                        row.intervals[at],
                        "{model} {target}, {lead}"
                    );
                    answered += usize::from(at == 0);
                }
            }
            assert_eq!(answered, rows.len());
            found += answered;
        }
    }
    found
}

fn request(metric: PredictionMetric) -> ReplayRequest {
    let models = if metric == SDNN {
        vec![ReplayModel::Auto]
    } else {
        vec![ReplayModel::Auto, ReplayModel::Population]
    };
    ReplayRequest {
        models,
        // All but the first reading.
        test_fraction: 0.999,
        min_days: 2,
        ..ReplayRequest::new(metric)
    }
}

/// Days with readings, in runs of days with and without any record.
fn days() -> impl Strategy<Value = Vec<Day>> {
    let runs = prop::collection::vec((0..4_u8, 1..9_usize), 4..10);
    let noise = prop::collection::vec(0..19_u8, 90);
    (runs, noise, any::<bool>()).prop_map(|(runs, noise, is_whole)| {
        let kinds = runs
            .into_iter()
            .flat_map(|(kind, days)| std::iter::repeat_n(kind, days));
        let mut days: Vec<Day> = kinds
            .zip(noise)
            .map(|(kind, noise)| match kind {
                0 => Day::Nothing,
                1 => Day::Steps,
                _ if is_whole => Day::Reading(50.0 + f64::from(noise)),
                _ => Day::Reading(50.0 + f64::from(noise) / 2.0),
            })
            .collect();
        // Two readings at least, so that one is scored.
        days.extend([Day::Reading(55.0), Day::Reading(57.0)]);
        days
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn what_is_replayed_is_what_is_served_also_after_days_without_a_record(
        days in days(), lead in 1..8_usize, of_sdnn: bool,
    ) {
        let metric = if of_sdnn { SDNN } else { RHR };
        let request = ReplayRequest { horizon: lead..=lead, ..request(metric) };
        check(&history(metric, &days), &request, &days);
    }
}

/// Six weeks of readings, three days without any record, and a reading.
fn with_a_gap() -> Vec<Day> {
    let mut days: Vec<Day> = (0..42)
        .map(|day| Day::Reading(55.0 + f64::from(day * 7 % 11) / 2.0))
        .collect();
    days.extend([Day::Nothing; 3]);
    days.push(Day::Reading(57.5));
    days
}

#[test]
fn three_days_without_a_record_were_a_lead_of_four_where_a_replay_had_a_gap_of_three() {
    let days = with_a_gap();
    let history = history(RHR, &days);
    let target = first_day() + Days::new(45);
    let release = without_training(RHR).unwrap();
    let width = |now: DateTime<Utc>| {
        let query = ForecastQuery {
            now,
            interval_level: 0.9,
            ..query(&history, target, 1)
        };
        let served = forecast(&release.model, &release.manifest, &history, &query).unwrap();
        let (lower, upper) = bounds(&served, 0.9).unwrap();
        upper - lower
    };
    let replayed = replayed(&history, &request(RHR));
    let of_population = |row: &&ReplayRow| row.model == "population" && row.target_date == target;
    let row = replayed.rows.iter().find(of_population);
    let (lower, upper) = row.unwrap().intervals[1].unwrap();
    let evening = history.profile.start_of_day(target);
    assert_eq!(width(evening), upper - lower);
    // On the last evening with a record it is four days ahead: resting heart rate may have wandered on.
    let early = history.profile.start_of_day(target - Days::new(3));
    assert!(
        width(early) > 1.2 * width(evening),
        "{} {}",
        width(early),
        width(evening)
    );
}

#[test]
fn auto_answered_before_the_seventh_reading() {
    let days = with_a_gap();
    let history = history(RHR, &days);
    let answer = replayed(&history, &request(RHR));
    for model in ["auto", "population"] {
        let rows = answer.rows.iter().filter(|row| row.model == model);
        let first = rows.map(|row| row.target_date).min();
        assert_eq!(first, Some(first_day() + Days::new(7)), "{model}");
    }
}

#[test]
fn nothing_was_served_of_a_metric_that_no_model_of_many_people_knows() {
    let days = with_a_gap();
    let history = history(SDNN, &days);
    let found = check(
        &history,
        &ReplayRequest {
            horizon: 1..=7,
            ..request(SDNN)
        },
        &days,
    );
    assert!(found > 200, "{found}");
    let answer = replayed(&history, &request(SDNN));
    assert!(answer.choices[0].reason.contains("no model of many people"));
}

/// A person whose values follow the weekday, of a metric that no model of many people knows.
#[test]
fn a_person_of_the_week_got_smoothing() {
    let week = [42.0, 61.5, 45.0, 64.5, 47.0, 66.5, 40.5];
    let days: Vec<Day> = (0..70_usize)
        .map(|day| Day::Reading(week[day % 7]))
        .collect();
    let history = history(SDNN, &days);
    let release = without_training(SDNN).unwrap();
    let query = query(&history, first_day() + Days::new(70), 1);
    let served = forecast(&release.model, &release.manifest, &history, &query).unwrap();
    let prediction = served.response.prediction;
    assert_eq!(prediction.predicted_value, week[0]);
    let choice = prediction.choice.unwrap();
    assert_eq!(
        (choice.served.as_str(), choice.model_mae),
        ("seasonal_naive", None)
    );
    assert!(choice.p < Some(0.001), "{choice:?}");
}

/// People whose weekday says nearly all: "same as this weekday last time" is served of them, which errs as much a
/// week ahead as a day ahead.
#[test]
fn a_simple_forecast_had_the_widths_of_a_models_lead() {
    let week = [52.5, 61.5, 55.5, 64.5, 57.5, 66.5, 50.5];
    let noise = |person: usize, day: usize| ((day * (7 + person) + person) % 13) as f64 / 6.0 - 1.0;
    let (mut inside, mut count, mut widths) = ([0.0; 2], [0.0; 2], [0.0; 2]);
    for person in 0..4 {
        let days: Vec<Day> = (0..120_usize)
            .map(|day| Day::Reading(week[day % 7] + noise(person, day)))
            .collect();
        let history = history(RHR, &days);
        for (place, lead) in [1, 7].into_iter().enumerate() {
            let request = ReplayRequest {
                models: vec![ReplayModel::Auto],
                horizon: lead..=lead,
                ..ReplayRequest::new(RHR)
            };
            let answer = replayed(&history, &request);
            assert!(answer.choices[0].served["seasonal_naive"] > 40);
            for row in &answer.rows {
                let (lower, upper) = row.intervals[0].unwrap();
                inside[place] += f64::from((lower..=upper).contains(&row.observed));
                count[place] += 1.0;
                widths[place] += upper - lower;
            }
        }
    }
    for place in 0..2 {
        let held = inside[place] / count[place];
        assert!((0.72..0.9).contains(&held), "{held} {widths:?}");
    }
    let ratio = widths[1] / count[1] / (widths[0] / count[0]);
    assert!((0.8..1.25).contains(&ratio), "{ratio}");
}

/// A simple forecast that was trained, on what is known at `now`.
fn trained(history: &History, architecture: ModelArchitecture) -> Trained {
    let request = TrainModelRequest {
        architecture,
        ..TrainModelRequest::new(history.user.clone(), RHR)
    };
    let mut go_on = |_: &_| ControlFlow::Continue(());
    let device = ComputeDevice::default();
    train(history, &request, now(), device, None, &mut go_on).unwrap()
}

fn served(model: &FittedModel, of: &Trained, history: &History, target: NaiveDate) -> f64 {
    let query = query(history, target, 1);
    let served = forecast(model, of.artifact.manifest(), history, &query).unwrap();
    served.response.prediction.predicted_value
}

#[test]
fn a_trained_model_of_a_series_forgot_what_lies_before_its_window() {
    let mut days: Vec<Day> = (0..60)
        .map(|day| Day::Reading(60.0 + f64::from(day * 7 % 11) / 2.0))
        .collect();
    days.extend([Day::Nothing; 20]);
    days.push(Day::Reading(61.0));
    let history = history(RHR, &days);
    let target = first_day() + Days::new(80);
    for (architecture, model) in [
        (
            ModelArchitecture::Naive,
            ReplayModel::Of(ModelArchitecture::Naive),
        ),
        (
            ModelArchitecture::SeasonalNaive,
            ReplayModel::Of(ModelArchitecture::SeasonalNaive),
        ),
        (
            ModelArchitecture::MovingAverage,
            ReplayModel::Of(ModelArchitecture::MovingAverage),
        ),
    ] {
        let request = ReplayRequest {
            models: vec![model],
            ..ReplayRequest::new(RHR)
        };
        let answer = replayed(&history, &request);
        let trained = trained(&history, architecture);
        // The last one after twenty days without a record: longer ago than a window reads.
        assert!(answer.rows.iter().any(|row| row.target_date == target));
        for row in &answer.rows {
            let value = served(&trained.model, &trained, &history, row.target_date);
            assert_eq!(value, row.forecast, "{architecture} {}", row.target_date);
        }
    }
    // Smoothing and Theta are found anew in the whole history.
    let tail = {
        let mut tail = history.clone();
        let from = first_day() + Days::new(46);
        tail.records
            .retain(|record| record.provenance().day >= from);
        tail
    };
    for architecture in [
        ModelArchitecture::ExponentialSmoothing,
        ModelArchitecture::Theta,
    ] {
        let trained = trained(&history, architecture);
        let target = first_day() + Days::new(60);
        let of = |history| served(&trained.model, &trained, history, target);
        assert_ne!(of(&history), of(&tail), "{architecture}");
    }
}

#[test]
fn the_forecasts_of_a_baseline_were_not_rounded_where_those_of_the_model_were() {
    // Noise of whole numbers: a mean is best, and hardly ever whole.
    let noise = |day: usize| (day * day * 7_919 % 101 % 7) as f64;
    let days: Vec<Day> = (0..90).map(|day| Day::Reading(60.0 + noise(day))).collect();
    let trained = trained(&history(RHR, &days), ModelArchitecture::Pooled);
    let manifest = trained.artifact.manifest();
    assert_ne!(manifest.baseline_name.as_deref(), Some("naive"));
    assert_ne!(manifest.baseline_name.as_deref(), Some("seasonal_naive"));
    for mae in [manifest.metrics.mae, manifest.baseline_mae.unwrap()] {
        let sum = mae * manifest.windows.test as f64;
        assert!((sum - sum.round()).abs() < 1e-9, "{sum}");
    }
}
