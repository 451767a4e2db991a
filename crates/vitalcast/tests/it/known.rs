//! What was known when: late values, corrections, faults of a sensor.

use crate::real::{Data, RHR, day, now, training};
use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use std::ops::ControlFlow;
use vitalcast::{
    DayFeaturesQuery, Engine, FeatureCategory, FeatureQuery, Forecaster, HealthMetric, History,
    Meal, ModelArchitecture, PredictResponse, PredictionMetric, Profile, Provenance, Record,
    ReplayModel, ReplayRequest, TrainModelRequest, UserId, backtest,
};
use vitalcast_inference::DayLayout;

const HRV: PredictionMetric = PredictionMetric::HeartRateVariabilityRmssd;

fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn someone() -> UserId {
    UserId::new("someone").unwrap()
}

/// One reading a day from a day on, in the UTC zone, each known at half past six in the morning.
fn mornings(metric: PredictionMetric, first: &str, values: &[f64]) -> History {
    let mut history = History::new(someone(), Profile::default());
    for (place, value) in values.iter().enumerate() {
        let day = day(first) + Days::new(place as u64);
        history.records.push(morning(metric, day, *value));
    }
    history
}

fn morning(metric: PredictionMetric, day: NaiveDate, value: f64) -> Record {
    let zone = Profile::default().zone;
    let at = zone.start_of_day(day) + TimeDelta::minutes(390);
    let provenance = Provenance::at("band", day.to_string(), at, zone);
    Record::HealthMetric(HealthMetric::new(provenance, metric.metric_type(), value))
}

/// Everything known only a while after its day.
fn synced_after(mut history: History, hours: i64) -> History {
    let zone = history.profile.zone;
    for record in &mut history.records {
        let provenance = record.provenance_mut();
        provenance.known_at = zone.evening_of(provenance.day) + TimeDelta::hours(hours);
    }
    history
}

fn fit(
    history: &History,
    metric: PredictionMetric,
    architecture: ModelArchitecture,
    now: DateTime<Utc>,
) -> Forecaster {
    let request = TrainModelRequest {
        architecture,
        ..TrainModelRequest::new(someone(), metric)
    };
    Forecaster::fit(history, &request, now).unwrap()
}

fn value(answer: &PredictResponse) -> f64 {
    answer.prediction.predicted_value
}

#[test]
fn a_phone_that_synced_at_breakfast_left_no_window_to_train_on() {
    let values: Vec<f64> = (0..90).map(|place| 58.0 + f64::from(place % 4)).collect();
    let mut history = mornings(RHR, "2026-08-01", &values);
    for record in &mut history.records {
        let provenance = record.provenance_mut();
        provenance.known_at = provenance.observed_at + TimeDelta::minutes(24 * 60 + 40);
    }
    let noon = instant("2026-10-30T12:00:00Z");
    let forecaster = fit(&history, RHR, ModelArchitecture::MovingAverage, noon);
    let manifest = forecaster.manifest();
    assert_eq!(manifest.first_day, day("2026-08-01"));
    assert_eq!(manifest.last_day, day("2026-10-29"));
    // 90 days of 90, of which each from the 31st on is forecast once.
    assert_eq!(manifest.windows.total(), 60);
    // At noon all days before are known; on the evening before, the last was not.
    let target = day("2026-10-30");
    let week = |days: &[f64]| days.iter().sum::<f64>() / days.len() as f64;
    let at_noon = forecaster.forecast(&history, target, noon).unwrap();
    assert!((value(&at_noon) - week(&values[83..])).abs() < 1e-9);
    assert_eq!(at_noon.prediction.as_of, noon);
    assert!(
        at_noon
            .interpretation
            .contains("what was known at 12:00 on 30 October"),
        "{}",
        at_noon.interpretation
    );
    let evening = instant("2026-10-30T00:00:00Z");
    let before = forecaster.forecast(&history, target, evening).unwrap();
    assert_eq!(before.prediction.last_observed_day, Some(day("2026-10-28")));
    assert!(!before.interpretation.contains("what was known at"));
    // A replay is made on the evening before, without the day that comes at breakfast.
    let request = ReplayRequest {
        models: vec![ReplayModel::Of(ModelArchitecture::Naive)],
        ..ReplayRequest::new(RHR)
    };
    let go_on = &mut |_: &str| ControlFlow::Continue(());
    let replay = backtest(&[history], &[], &request, noon, go_on).unwrap();
    assert_eq!(replay.rows.len(), 36);
    for row in &replay.rows {
        let place = (row.target_date - day("2026-08-01")).num_days() as usize;
        assert_eq!(row.forecast, values[place - 2], "{}", row.target_date);
    }
}

/// 44 nights between 43 and 47 ms, then one of 255.
fn glitch() -> History {
    let ordinary = [43.0, 45.0, 47.0, 44.0, 46.0];
    let mut values: Vec<f64> = (0..44).map(|place| ordinary[place % 5]).collect();
    values.push(255.0);
    mornings(HRV, "2026-09-01", &values)
}

#[test]
fn a_corrected_reading_never_reached_a_forecast() {
    let mut history = glitch();
    let trained = instant("2026-10-15T22:00:00Z");
    let forecaster = fit(&history, HRV, ModelArchitecture::MovingAverage, trained);
    for (day, value) in [("2026-10-15", 46.0), ("2026-10-16", 45.0)] {
        let mut record = morning(HRV, day.parse().unwrap(), value);
        record.provenance_mut().known_at = instant("2026-10-16T08:00:00Z");
        history.records.push(record);
    }
    let asked = instant("2026-10-16T22:00:00Z");
    let answer = forecaster
        .forecast(&history, day("2026-10-17"), asked)
        .unwrap();
    assert!(
        (value(&answer) - 316.0 / 7.0).abs() < 1e-9,
        "{}",
        value(&answer)
    );
    assert!(answer.prediction.unusual_days.is_empty());
    // Before the correction was known, nothing of it shows.
    let before = forecaster
        .forecast(&history, day("2026-10-16"), trained)
        .unwrap();
    assert_eq!(before.prediction.unusual_days, [day("2026-10-15")]);
}

#[test]
fn one_reading_of_a_faulty_sensor_dragged_the_forecast_along() {
    let history = glitch();
    let asked = instant("2026-10-15T22:00:00Z");
    for architecture in [
        ModelArchitecture::Naive,
        ModelArchitecture::MovingAverage,
        ModelArchitecture::ExponentialSmoothing,
        ModelArchitecture::Ets,
        ModelArchitecture::Theta,
        ModelArchitecture::Linear,
    ] {
        let forecaster = fit(&history, HRV, architecture, asked);
        let answer = forecaster
            .forecast(&history, day("2026-10-16"), asked)
            .unwrap();
        let prediction = &answer.prediction;
        assert!(
            (43.0..47.0).contains(&value(&answer)),
            "{architecture}: {}",
            value(&answer)
        );
        assert_eq!(prediction.unusual_days, [day("2026-10-15")]);
        assert_eq!(prediction.last_observed_day, Some(day("2026-10-15")));
        assert!(prediction.historical_average.unwrap() < 47.0);
        let baseline = prediction.baseline_value.unwrap();
        assert!(
            (43.0..48.0).contains(&baseline),
            "{architecture}: {baseline}"
        );
        assert_eq!(answer.recommendation, None);
        let sentence =
            "The reading of 15 October is unusual for you and was left out of the forecast.";
        assert!(
            answer.interpretation.contains(sentence),
            "{}",
            answer.interpretation
        );
        assert!(!answer.interpretation.contains("255"));
    }
}

#[test]
fn a_change_of_level_that_lasts_is_followed_within_three_days() {
    let ordinary = [43.0, 45.0, 47.0, 44.0, 46.0];
    let mut values: Vec<f64> = (0..44).map(|place| ordinary[place % 5]).collect();
    values.extend([70.0, 85.0, 78.0, 80.0]);
    let history = mornings(HRV, "2026-09-01", &values);
    let trained = instant("2026-10-15T00:00:00Z");
    let naive = fit(&history, HRV, ModelArchitecture::Naive, trained);
    let on = |evening: &str| {
        let target = evening.parse::<NaiveDate>().unwrap() + Days::new(1);
        let asked = Profile::default().zone.start_of_day(target);
        let answer = naive.forecast(&history, target, asked).unwrap();
        (value(&answer), answer.prediction.unusual_days.len())
    };
    assert_eq!(on("2026-10-14"), (44.0, 0));
    assert_eq!(on("2026-10-15").1, 1);
    assert_eq!(on("2026-10-16").1, 2);
    assert_eq!(on("2026-10-17"), (78.0, 0));
    assert_eq!(on("2026-10-18"), (80.0, 0));
}

#[test]
fn a_late_sync_gives_from_the_second_day_on_the_forecasts_of_noon_without_it() {
    let data = Data::new();
    let history = data.history();
    let zone = history.profile.zone;
    let (on_time, late) = (synced_after(history.clone(), 0), synced_after(history, 8));
    let (first, last) = on_time.span().unwrap();
    let mut compared = 0;
    for architecture in [
        ModelArchitecture::Naive,
        ModelArchitecture::SeasonalNaive,
        ModelArchitecture::MovingAverage,
    ] {
        let model = Forecaster::fit(&on_time, &training(architecture), now()).unwrap();
        for target in first.iter_days().skip(20).take_while(|day| *day <= last) {
            let noon = zone.start_of_day(target) + TimeDelta::hours(12);
            let forecast = |history| {
                let answer = model.forecast(history, target, noon).ok()?;
                Some((
                    value(&answer).to_bits(),
                    answer.prediction.historical_average,
                ))
            };
            let expected = forecast(&on_time);
            compared += usize::from(expected.is_some());
            assert_eq!(forecast(&late), expected, "{architecture} {target}");
        }
    }
    assert!(compared > 60, "{compared}");
    for target in [day("2023-12-01"), day("2023-12-20"), day("2024-01-05")] {
        let noon = zone.start_of_day(target) + TimeDelta::hours(12);
        let rows = |history| {
            let (from, to) = (target - Days::new(14), target - Days::new(1));
            let layout = DayLayout::new(history, RHR, from, to, 14, noon).unwrap();
            let window = layout.last_window();
            let rows = 0..layout.matrix().rows();
            rows.map(|row| {
                let (values, observed) = layout.matrix().row(row, window.origin);
                (values.to_vec(), observed.to_vec())
            })
            .collect::<Vec<_>>()
        };
        assert_eq!(rows(&on_time), rows(&late), "{target}");
    }
}

#[test]
fn a_day_is_shown_as_known_now_and_as_known_at_another_time_on_request() {
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::open(folder.path()).unwrap();
    let zone = Profile::default().zone;
    let reading = |value, known_at| {
        let mut record = morning(RHR, day("2026-06-08"), value);
        record.provenance_mut().told.known_at = Some(instant(known_at));
        record
    };
    let user = someone();
    engine.set_profile(&user, &Profile::default()).unwrap();
    let records = vec![
        reading(70.0, "2026-06-09T07:00:00Z"),
        reading(54.0, "2026-06-11T07:00:00Z"),
    ];
    let asked = instant("2026-06-12T12:00:00Z");
    engine.write_records(&user, records, asked).unwrap();
    let mean = |as_of: Option<&str>, as_known_each_evening| {
        let query = FeatureQuery {
            user: user.clone(),
            last_day: Some(day("2026-06-08")),
            days: 1,
            as_of: as_of.map(instant),
            as_known_each_evening,
            inputs_only: false,
        };
        let matrix = engine.features(&query, asked).unwrap();
        assert_eq!(matrix.as_of(), as_of.map_or(asked, instant));
        let mut features = matrix.last_row();
        features
            .find(|(feature, _)| feature.name == "health_rhr_7d_avg")
            .unwrap()
            .1
    };
    assert_eq!(mean(None, false), Some(54.0));
    assert_eq!(mean(Some("2026-06-10T00:00:00Z"), false), Some(70.0));
    assert_eq!(mean(None, true), None, "its evening knew nothing");
    let of_day = |as_of: Option<&str>| {
        let query = DayFeaturesQuery {
            user: user.clone(),
            day: day("2026-06-08"),
            categories: vec![FeatureCategory::Health],
            lookback_days: 30,
            as_of: as_of.map(instant),
            force_recompute: false,
        };
        let features = engine.day_features(&query, asked).unwrap();
        assert_eq!(features.as_of, as_of.map_or(asked, instant));
        features.health.unwrap()["rhr_7d_avg"].as_f64()
    };
    assert_eq!(of_day(None), Some(54.0));
    assert_eq!(of_day(Some("2026-06-10T00:00:00Z")), Some(70.0));
    // Today's food so far is shown, and is in no average until the day is over.
    let meal = |on: &str, energy| {
        let at = zone.start_of_day(day(on)) + TimeDelta::hours(8);
        Record::Meal(Meal {
            provenance: Provenance::at("diary", on, at, zone),
            name: None,
            meal_type: None,
            energy_kcal: Some(energy),
            protein_g: None,
            carbs_g: None,
            fat_g: None,
            fiber_g: None,
            sugar_g: None,
        })
    };
    let meals = vec![meal("2026-06-11", 2000.0), meal("2026-06-12", 400.0)];
    engine.write_records(&user, meals, asked).unwrap();
    let energy = |now: &str| {
        let query = FeatureQuery {
            user: user.clone(),
            last_day: Some(day("2026-06-12")),
            days: 1,
            as_of: None,
            as_known_each_evening: false,
            inputs_only: false,
        };
        let matrix = engine.features(&query, instant(now)).unwrap();
        let of = |name: &str| {
            let mut features = matrix.last_row();
            features
                .find(|(feature, _)| feature.name == name)
                .unwrap()
                .1
        };
        (
            of("nutrition_calories_daily"),
            of("nutrition_calories_7d_avg"),
        )
    };
    assert_eq!(energy("2026-06-12T12:00:00Z"), (Some(400.0), Some(2000.0)));
    assert_eq!(energy("2026-06-13T00:00:00Z"), (Some(400.0), Some(1200.0)));
}
