//! People whose numbers are few, exact, or vary by rounding only.

use chrono::{DateTime, Days, NaiveDate, Utc};
use std::ops::ControlFlow;
use vitalcast::{
    CorrelationMethod, CorrelationRequest, Engine, Forecaster, HealthMetric, HealthMetricTarget,
    History, IntervalMethod, LagRequest, Meal, MetricType, ModelArchitecture, PredictResponse,
    PredictionMetric, Profile, Provenance, Record, ReplayModel, ReplayRequest, TrainModelRequest,
    UserId, backtest,
};

const RHR: PredictionMetric = PredictionMetric::RestingHeartRate;

/// Six weeks of noise around 60 bpm.
const NOISE: [f64; 42] = [
    57.6, 60.8, 62.0, 59.0, 57.3, 59.9, 61.0, 62.2, 57.6, 57.4, 61.4, 60.9, 63.1, 62.0, 59.8, 59.5,
    65.1, 59.4, 58.4, 57.7, 60.2, 60.3, 59.3, 59.9, 60.5, 61.4, 62.2, 60.4, 56.4, 61.4, 57.2, 59.7,
    57.1, 60.0, 58.4, 60.4, 66.6, 59.9, 61.7, 57.4, 59.4, 61.3,
];

fn now() -> DateTime<Utc> {
    "2026-11-28T08:00:00Z".parse().unwrap()
}

fn last_day() -> NaiveDate {
    "2026-11-27".parse().unwrap()
}

/// A person with readings up to the last day, `None` on days without one.
fn person(series: &[(MetricType, Vec<Option<f64>>)]) -> History {
    let profile = Profile::default();
    let zone = profile.zone;
    let mut history = History::new(UserId::new("someone").unwrap(), profile);
    for (metric, values) in series {
        for (back, value) in values.iter().rev().enumerate() {
            let Some(value) = *value else { continue };
            let day = last_day() - Days::new(back as u64);
            history.records.push(Record::HealthMetric(HealthMetric {
                provenance: Provenance::of_day("watch", format!("{metric}-{day}"), day, zone),
                metric: *metric,
                value,
                kind: None,
            }));
        }
    }
    history
}

fn known(values: impl IntoIterator<Item = f64>) -> Vec<Option<f64>> {
    values.into_iter().map(Some).collect()
}

fn request(metric: PredictionMetric, architecture: ModelArchitecture) -> TrainModelRequest {
    TrainModelRequest {
        architecture,
        ..TrainModelRequest::new(UserId::new("someone").unwrap(), metric)
    }
}

#[test]
fn an_interval_of_four_errors_was_called_one_of_95_per_cent() {
    let history = person(&[(MetricType::RestingHeartRate, known(NOISE))]);
    let training = request(RHR, ModelArchitecture::Ridge);
    let forecaster = Forecaster::fit(&history, &training, now()).unwrap();
    let lead = forecaster.manifest().calibration.lead(1).unwrap();
    assert_eq!(lead.residual_count, 4);
    let at = |level| -> PredictResponse {
        let method = IntervalMethod::ResidualQuantiles;
        let target = last_day() + Days::new(1);
        forecaster
            .forecast_with(&history, method, level, target, now())
            .unwrap()
    };
    let width = |level| {
        let prediction = at(level).prediction;
        prediction.confidence_interval_upper - prediction.confidence_interval_lower
    };
    let reason = "The coverage of the interval is 80 %, not the requested 95 %: the errors of the \
                  model are known for only 4 days, too few for more.";
    let ordinary = at(0.95);
    assert_eq!(ordinary.prediction.interval_level, 0.8);
    assert!(
        ordinary.interpretation.ends_with(reason),
        "{}",
        ordinary.interpretation
    );
    assert_eq!(at(0.999).prediction.interval_level, 0.8);
    assert_eq!(at(0.8).prediction.interval_level, 0.8);
    assert!(!at(0.8).interpretation.contains("requested"));
    assert!(width(0.3) < width(0.5) && width(0.5) < width(0.8));
    assert_eq!(width(0.8), width(0.95));
}

#[test]
fn a_normal_range_of_scores_reached_beyond_a_hundred() {
    let scores = (0..42).map(|day| [95.0, 20.0, 60.0, 90.0, 30.0][day % 5]);
    let history = person(&[(MetricType::RecoveryScore, known(scores))]);
    let training = request(
        PredictionMetric::RecoveryScore,
        ModelArchitecture::MovingAverage,
    );
    let forecaster = Forecaster::fit(&history, &training, now()).unwrap();
    let target = last_day() + Days::new(1);
    let answer = forecaster.forecast(&history, target, now()).unwrap();
    let range = answer.prediction.normal_range.unwrap();
    assert_eq!((range.low, range.high), (0.0, 100.0));
    let said = &answer.interpretation;
    assert!(said.contains("0.0 points to 100.0 points"), "{said}");
}

#[test]
fn a_replay_claims_no_level_that_its_errors_do_not_support() {
    let history = person(&[(MetricType::RestingHeartRate, known(NOISE))]);
    let request = ReplayRequest {
        models: vec![ReplayModel::Of(ModelArchitecture::Naive)],
        levels: vec![0.8, 0.999],
        ..ReplayRequest::new(RHR)
    };
    let go_on = &mut |_: &str| ControlFlow::Continue(());
    let answer = backtest(&[history], &[], &request, now(), go_on).unwrap();
    assert!(!answer.rows.is_empty());
    // A few dozen errors support 80 %, and nothing near 99.9 %.
    for row in &answer.rows {
        assert!(row.intervals[0].is_some());
        assert_eq!(row.intervals[1], None);
    }
}

/// Numbers between 0 and 1 that look random and are the same every time.
pub(crate) fn chance(index: usize) -> f64 {
    let mut state = (index as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    state = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((state ^ (state >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

#[test]
fn a_rate_that_never_varied_in_training_drove_sleep_to_nothing() {
    let days = 120;
    let sleep = (0..days).map(|day| 6.0 + 1.8 * chance(day));
    // Worn on three of four days; other values on the last three, which no training window reads.
    let rate: Vec<Option<f64>> = (0..days)
        .map(|day| {
            let value = if day + 3 < days { 60.1 } else { 66.0 };
            (day % 4 != 3 || day + 3 >= days).then_some(value)
        })
        .collect();
    let forecast = |rate: Vec<Option<f64>>, seed| {
        let history = person(&[
            (MetricType::SleepDuration, known(sleep.clone())),
            (MetricType::RestingHeartRate, rate),
        ]);
        let training = TrainModelRequest {
            seed,
            ..request(PredictionMetric::SleepDuration, ModelArchitecture::Linear)
        };
        let forecaster = Forecaster::fit(&history, &training, now()).unwrap();
        let target = last_day() + Days::new(1);
        let answer = forecaster.forecast(&history, target, now()).unwrap();
        answer.prediction.predicted_value
    };
    for seed in 1..=3 {
        let risen = forecast(rate.clone(), seed);
        assert!((5.8..8.0).contains(&risen), "{seed}: {risen}");
        // Nothing was learned of the rate, so it tells nothing.
        let as_ever = rate.iter().map(|value| value.map(|_| 60.1)).collect();
        let ordinary = forecast(as_ever, seed);
        assert!((risen - ordinary).abs() < 0.2, "{seed}: {risen} {ordinary}");
    }
}

/// An engine that knows a person.
fn engine(history: &History) -> (Engine, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::open(folder.path()).unwrap();
    let records = history.records.clone();
    engine.write_records(&history.user, records, now()).unwrap();
    (engine, folder)
}

#[test]
fn features_that_vary_by_rounding_only_were_tested() {
    let rate = (0..120).map(|day| (chance(day) < 0.8).then_some(60.1));
    let sleep = (0..120).map(|day| 6.0 + 1.8 * chance(day + 7));
    let history = person(&[
        (MetricType::RestingHeartRate, rate.collect()),
        (MetricType::SleepDuration, known(sleep)),
    ]);
    let (engine, _folder) = engine(&history);
    let request = CorrelationRequest {
        lookback_days: 90,
        top_k: 50,
        include_insignificant: true,
        ..CorrelationRequest::new(history.user.clone(), HealthMetricTarget::SleepDuration)
    };
    let answer = engine.correlate(&request, now()).unwrap();
    assert_eq!(answer.total_features_analyzed, 4, "{answer:?}");
    let names = answer.correlations.iter().map(|one| &one.feature_name);
    assert!(names.into_iter().all(|name| name.starts_with("temporal_")));
}

#[test]
fn an_exact_relation_was_nothing_that_stands_out() {
    let carbs = |day: usize| 100.0 + 20.0 * (11.0 * chance(day)).floor();
    let days = 100;
    let mut history = person(&[(
        MetricType::RestingHeartRate,
        known((0..days).map(|day| 50.0 + carbs(day + 1) / 20.0)),
    )]);
    let zone = history.profile.zone;
    for day in 0..days {
        let date = last_day() - Days::new((days - 1 - day) as u64);
        let noon = date.and_hms_opt(12, 0, 0).unwrap();
        history.records.push(Record::Meal(Meal {
            provenance: Provenance::at("diary", format!("{day}"), zone.instant_of(noon), zone),
            name: None,
            meal_type: None,
            energy_kcal: Some(2_000.0),
            protein_g: Some(100.0),
            carbs_g: Some(carbs(day + 2)),
            fat_g: Some(70.0),
            fiber_g: None,
            sugar_g: None,
        }));
    }
    let (engine, _folder) = engine(&history);
    let target = HealthMetricTarget::RestingHeartRate;
    for method in [
        CorrelationMethod::Granger,
        CorrelationMethod::Pearson,
        CorrelationMethod::Spearman,
        CorrelationMethod::Kendall,
    ] {
        let request = LagRequest {
            method,
            lookback_days: 90,
            ..LagRequest::new(
                history.user.clone(),
                target,
                "nutrition_carbs_daily".to_owned(),
            )
        };
        let lags = engine.lag_analysis(&request, now()).unwrap();
        assert_eq!(lags.optimal_lag_hours, Some(24), "{method}: {lags:?}");
        assert!(lags.optimal_correlation.unwrap() > 0.999, "{method}");
        let request = CorrelationRequest {
            methods: vec![method],
            lookback_days: 90,
            ..CorrelationRequest::new(history.user.clone(), target)
        };
        let found = engine.correlate(&request, now()).unwrap();
        let strongest = found.strongest_positive.unwrap();
        assert_eq!(strongest.feature_name, "nutrition_carbs_daily", "{method}");
        assert!(strongest.p_value < 1e-6, "{method}");
    }
}

#[test]
fn an_exact_week_was_forecast_from_less_than_two() {
    let week = [55.0, 58.0, 60.0, 57.0, 62.0, 64.0, 59.0];
    let history = person(&[(
        MetricType::RestingHeartRate,
        known((0..75).map(|day| week[day % 7])),
    )]);
    for architecture in [
        ModelArchitecture::Theta,
        ModelArchitecture::Ets,
        ModelArchitecture::SeasonalNaive,
    ] {
        let least = architecture.least_days_read().max(7);
        let training = |days| TrainModelRequest {
            sequence_length: days,
            ..request(RHR, architecture)
        };
        for days in [7, 10, 14, 19].into_iter().filter(|days| *days < least) {
            let error = Forecaster::fit(&history, &training(days), now()).unwrap_err();
            assert!(error.to_string().contains("sequence_length"), "{error}");
        }
        let forecaster = Forecaster::fit(&history, &training(least), now()).unwrap();
        // Up to a week after the last reading: days 75 to 81 of the series.
        for ahead in 1..=7 {
            let target = last_day() + Days::new(ahead);
            let now = now() + chrono::TimeDelta::days(ahead as i64 - 1);
            let answer = forecaster.forecast(&history, target, now).unwrap();
            let found = answer.prediction.predicted_value;
            let right = week[(74 + ahead as usize) % 7];
            assert!(
                (found - right).abs() < 0.2,
                "{architecture} {ahead}: {found}"
            );
            assert!(answer.interpretation.contains("made no error"));
        }
    }
}
