//! The LSTM of many people's days: who teaches it, what it forecasts, and that a replay of it knows nothing
//! of what comes after.

use crate::real::RHR;
use chrono::{DateTime, Days, NaiveDate, Utc};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use vitalcast::{
    Engine, EngineError, ErrorKind, ExplainRequest, ExplanationGrouping, HealthMetric, History,
    MetricType, ModelArchitecture, PredictRequest, Profile, Provenance, Record, ReplayAnswer,
    ReplayModel, ReplayRequest, TrainModelRequest, TrainModelResponse, UserId, Zone, backtest,
};

const DAYS: u64 = 60;
const LSTM: ReplayModel = ReplayModel::Of(ModelArchitecture::PooledLstm);
const POOLED: ReplayModel = ReplayModel::Of(ModelArchitecture::Pooled);

fn first_day() -> NaiveDate {
    "2025-03-01".parse().unwrap()
}

fn now() -> DateTime<Utc> {
    "2025-04-30T12:00:00Z".parse().unwrap()
}

fn user(number: u64) -> UserId {
    UserId::new(format!("person-{number}")).unwrap()
}

/// A day far from the level is followed by one below it: no line tells that.
fn records(number: u64) -> Vec<Record> {
    let mut state = number;
    let mut deviation = 0.0_f64;
    (0..DAYS)
        .map(|back| {
            // Numerical Recipes' linear congruential generator: any noise will do.
            state = (1_664_525 * state + 1_013_904_223) % (1 << 32);
            let noise = 2.0 * (state as f64 / f64::from(u32::MAX)) - 1.0;
            deviation = 3.0 - 2.0 * deviation.abs().min(3.0) + noise;
            let day = first_day() + Days::new(back);
            Record::HealthMetric(HealthMetric::new(
                Provenance::of_day("watch", day.to_string(), day, Zone::UTC),
                MetricType::RestingHeartRate,
                55.0 + number as f64 + deviation,
            ))
        })
        .collect()
}

fn folder(people: std::ops::Range<u64>) -> (tempfile::TempDir, Engine) {
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::open(folder.path()).unwrap();
    for number in people {
        let records = records(number);
        engine.write_records(&user(number), records, now()).unwrap();
    }
    (folder, engine)
}

fn train(engine: &Engine, unasked: bool) -> Result<TrainModelResponse, EngineError> {
    let request = TrainModelRequest {
        architecture: ModelArchitecture::PooledLstm,
        ..TrainModelRequest::new(user(2), RHR)
    };
    let go_on = &mut |_: &vitalcast::EpochReport| ControlFlow::Continue(());
    engine.train_among(&request, unasked, now(), now(), go_on)
}

#[test]
fn a_network_of_many_people_is_trained_for_one_and_forecasts_as_it_was_scored() {
    let (_folder, engine) = folder(1..13);
    let answer = train(&engine, true).unwrap();
    assert_eq!(answer.architecture, ModelArchitecture::PooledLstm);
    assert!(answer.learned_share.unwrap() > 0.2, "{answer:?}");
    let mae = answer.training_metrics.mae.unwrap();
    assert!(
        mae < 0.9 * answer.population_mae.unwrap() && mae < 0.9 * answer.baseline_mae.unwrap(),
        "{answer:?}"
    );
    let manifest = engine.model_manifest(&answer.model_id).unwrap();
    let text = serde_json::to_string(&manifest).unwrap();
    assert!(!text.contains("person-"), "{text}");
    // The error that is reported is that of the forecasts that are served.
    let values: BTreeMap<NaiveDate, f64> = records(2)
        .into_iter()
        .filter_map(|record| match record {
            Record::HealthMetric(reading) => Some((reading.provenance.day, reading.value)),
            Record::Meal(_) | Record::Activity(_) | Record::Tag(_) => None,
        })
        .collect();
    let scored = values.iter().rev().take(manifest.windows.test);
    let errors: Vec<f64> = scored
        .map(|(day, value)| {
            let query = PredictRequest {
                architecture: Some(ModelArchitecture::PooledLstm),
                ..PredictRequest::new(user(2), RHR, *day)
            };
            let served = engine.predict(&query, now()).unwrap().prediction;
            assert_eq!(served.architecture, ModelArchitecture::PooledLstm);
            assert_eq!(served.choice.unwrap().served, "pooled_lstm");
            (served.predicted_value - value).abs()
        })
        .collect();
    let served = errors.iter().sum::<f64>() / errors.len() as f64;
    assert!((served - mae).abs() < 1e-9, "{served} {mae}");
    // Several days ahead, too.
    for ahead in 0..7 {
        let query = PredictRequest {
            architecture: Some(ModelArchitecture::PooledLstm),
            ..PredictRequest::new(user(2), RHR, first_day() + Days::new(DAYS + ahead))
        };
        assert!(engine.predict(&query, now()).is_ok(), "{ahead}");
    }
}

#[test]
fn what_the_network_adds_is_a_part_of_the_explanation() {
    let (_folder, engine) = folder(1..13);
    train(&engine, true).unwrap();
    let request = ExplainRequest {
        architecture: Some(ModelArchitecture::PooledLstm),
        top_k: 51,
        ..ExplainRequest::new(user(2), RHR, first_day() + Days::new(DAYS))
    };
    let answer = engine.explain(&request, now()).unwrap();
    let listed = answer.feature_importances.iter();
    let sum: f64 = listed.clone().map(|one| one.contribution).sum();
    let whole = answer.baseline_value + sum + answer.other_contributions;
    assert!((whole - answer.predicted_value).abs() < 1e-5);
    assert!(answer.exact);
    let network = listed
        .clone()
        .find(|one| one.feature_name == "health_network");
    assert!(network.unwrap().contribution != 0.0);
    let by_day = ExplainRequest {
        grouping: ExplanationGrouping::Day,
        ..request
    };
    assert_eq!(
        engine.explain(&by_day, now()).unwrap_err().code(),
        "NOT_BY_DAY"
    );
}

#[test]
fn only_who_may_teach_does_and_too_few_are_told() {
    let (_folder, engine) = folder(1..13);
    // Nobody was asked, and nobody else is there to learn from.
    let error = train(&engine, false).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotEnoughData, "{error}");
    assert!(error.to_string().contains("at least 5 people"), "{error}");
    let hash = |unasked: bool| {
        let model = train(&engine, unasked).unwrap().model_id;
        let manifest = engine.model_manifest(&model).unwrap();
        (model, manifest.windows.train)
    };
    let of_all = hash(true);
    // The same again is not trained again.
    assert_eq!(hash(true), of_all);
    let allow = |number: u64, allows: bool| {
        let profile = Profile {
            allows_pooling: Some(allows),
            ..Profile::default()
        };
        engine.set_profile(&user(number), &profile).unwrap();
    };
    allow(4, false);
    let without_one = hash(true);
    assert!(without_one.1 < of_all.1 && without_one.0 != of_all.0);
    for number in 5..12 {
        allow(number, true);
    }
    let agreed = hash(false);
    assert!(agreed.1 < without_one.1, "{agreed:?} {without_one:?}");
}

fn replayed(histories: &[History], models: &[ReplayModel]) -> ReplayAnswer {
    let request = ReplayRequest {
        models: models.to_vec(),
        test_fraction: 0.3,
        ..ReplayRequest::new(RHR)
    };
    let (scored, learned) = histories.split_at(4);
    let go_on = &mut |_: &str| ControlFlow::Continue(());
    backtest(scored, learned, &request, now(), go_on).unwrap()
}

#[test]
fn a_replay_learns_nothing_from_scored_days() {
    let (_folder, engine) = folder(1..13);
    let histories: Vec<History> = (1..13)
        .map(|number| engine.load(&user(number)).unwrap())
        .collect();
    let models = [LSTM, POOLED];
    let whole = replayed(&histories, &models);
    let error = |model: ReplayModel| {
        let reports = whole.reports.iter();
        let report = reports.clone().find(|report| report.model == model.name());
        report.unwrap().scores.mae
    };
    assert!(
        error(LSTM) < 0.95 * error(POOLED),
        "{} {}",
        error(LSTM),
        error(POOLED)
    );
    // What scored people measured on their last days is another number, and the days that became known late
    // are known later.
    let last = whole.rows.iter().map(|row| row.target_date).max().unwrap();
    let from = last - Days::new(8);
    let mut garbled = histories.clone();
    for history in &mut garbled[..4] {
        for record in &mut history.records {
            if record.provenance().day >= from
                && let Record::HealthMetric(reading) = record
            {
                reading.value *= 1.3;
            }
        }
    }
    let after = replayed(&garbled, &models);
    let mut compared = 0;
    for (before, after) in whole.rows.iter().zip(&after.rows) {
        let key = |row: &vitalcast::ReplayRow| (row.model, row.user_id.clone(), row.target_date);
        assert_eq!(key(before), key(after));
        if before.target_date <= from {
            assert_eq!(before.forecast, after.forecast, "{}", before.target_date);
            assert_eq!(before.intervals, after.intervals);
            compared += 1;
        }
    }
    assert!(compared > 40, "{compared}");
}
