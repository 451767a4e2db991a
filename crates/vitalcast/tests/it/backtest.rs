//! Replays of real days.

use crate::real::{Data, now};
use chrono::{Days, NaiveDate};
use std::ops::ControlFlow;
use vitalcast::{
    BacktestPeople, Engine, ExplainRequest, HealthMetric, History, MetricType, ModelArchitecture,
    PredictRequest, PredictionMetric, Provenance, Record, ReplayAnswer, ReplayModel, ReplayRequest,
    UserId, Zone, backtest,
};

const RHR: PredictionMetric = PredictionMetric::RestingHeartRate;
const NAIVE: ReplayModel = ReplayModel::Of(ModelArchitecture::Naive);
const SMOOTHING: ReplayModel = ReplayModel::Of(ModelArchitecture::ExponentialSmoothing);

fn request(models: &[ReplayModel]) -> ReplayRequest {
    ReplayRequest {
        models: models.to_vec(),
        test_fraction: 0.3,
        min_days: 20,
        ..ReplayRequest::new(RHR)
    }
}

fn replayed(history: &History, request: &ReplayRequest) -> ReplayAnswer {
    let go_on = &mut |_: &str| ControlFlow::Continue(());
    backtest(std::slice::from_ref(history), &[], request, now(), go_on).unwrap()
}

#[test]
fn naive_is_the_reading_before() {
    let answer = replayed(&Data::new().history(), &request(&[NAIVE]));
    let mut compared = 0;
    for pair in answer.rows.windows(2) {
        if pair[1].target_date == pair[0].target_date.succ_opt().unwrap() {
            assert_eq!(pair[1].forecast, pair[0].observed);
            assert_eq!(pair[1].origin, pair[0].target_date);
            compared += 1;
        }
    }
    assert!(compared > answer.rows.len() / 2, "{compared}");
}

#[test]
fn every_figure_follows_from_the_rows_and_nothing_is_kept() {
    let data = Data::new();
    let people = BacktestPeople::default();
    let request = request(&[ReplayModel::Population, NAIVE, SMOOTHING]);
    let go_on = &mut |_: &str| ControlFlow::Continue(());
    let answer = data
        .engine
        .backtest(&people, &request, now(), go_on)
        .unwrap();
    assert_eq!(answer.reports.len(), 3);
    for report in &answer.reports {
        let rows: Vec<_> = answer
            .rows
            .iter()
            .filter(|row| row.model == report.model)
            .collect();
        let count = rows.len() as f64;
        let mae = rows
            .iter()
            .map(|row| (row.forecast - row.observed).abs())
            .sum::<f64>()
            / count;
        assert!((report.scores.mae - mae).abs() < 1e-12);
        assert_eq!(report.answered, 1.0);
        for (place, level) in answer.levels.iter().enumerate() {
            let inside = rows
                .iter()
                .filter(|row| {
                    let (lower, upper) = row.intervals[place].unwrap();
                    (lower..=upper).contains(&row.observed)
                })
                .count();
            let score = report
                .scores
                .levels
                .iter()
                .find(|score| score.nominal == *level)
                .unwrap();
            assert!((score.coverage - inside as f64 / count).abs() < 1e-12);
        }
    }
    assert!(data.engine.models(None, None).unwrap().is_empty());
}

#[test]
fn a_replay_does_not_know_what_comes_after() {
    let history = Data::new().history();
    let models = [ReplayModel::Auto, ReplayModel::Population, NAIVE, SMOOTHING];
    let whole = replayed(&history, &request(&models));
    let last = whole.rows.iter().map(|row| row.target_date).max().unwrap();
    // Everything that was measured on the last three days is another number: no earlier forecast moves,
    // and neither does the forecast of the first of these days.
    let from = last - Days::new(2);
    let mut garbled = history.clone();
    for record in &mut garbled.records {
        if record.provenance().day >= from
            && let vitalcast::Record::HealthMetric(reading) = record
        {
            reading.value *= 1.2;
        }
    }
    let after = replayed(&garbled, &request(&models));
    let mut compared = 0;
    for (before, after) in whole.rows.iter().zip(&after.rows) {
        assert_eq!(
            (before.model, before.target_date),
            (after.model, after.target_date)
        );
        if before.target_date <= from {
            assert_eq!(before.forecast, after.forecast, "{}", before.target_date);
            assert_eq!(before.intervals, after.intervals);
            compared += 1;
        }
    }
    assert!(compared > 20, "{compared}");
}

#[test]
fn a_served_forecast_without_training_is_the_replays_number() {
    let data = Data::new();
    let user = data.history().user;
    for metric in [RHR, PredictionMetric::SleepDuration] {
        let request = ReplayRequest {
            metric,
            horizon: 1..=3,
            ..request(&[ReplayModel::Population])
        };
        let people = BacktestPeople::default();
        let go_on = &mut |_: &str| ControlFlow::Continue(());
        let answer = data
            .engine
            .backtest(&people, &request, now(), go_on)
            .unwrap();
        let rows: Vec<_> = answer.rows.iter().filter(|row| row.horizon == 1).collect();
        assert!(rows.len() > 5);
        for row in rows.into_iter().rev().take(5) {
            let request = PredictRequest {
                interval_level: 0.9,
                ..PredictRequest::new(user.clone(), metric, row.target_date)
            };
            let served = data.engine.predict(&request, now()).unwrap().prediction;
            assert_eq!(
                served.predicted_value, row.forecast,
                "{metric} {}",
                row.target_date
            );
            let interval = (
                served.confidence_interval_lower,
                served.confidence_interval_upper,
            );
            assert_eq!(Some(interval), row.intervals[1]);
            assert_eq!(served.architecture, ModelArchitecture::Pooled);
        }
    }
}

#[test]
fn what_cannot_be_replayed_says_why() {
    let history = Data::new().history();
    let go_on = &mut |_: &str| ControlFlow::Continue(());
    let mut of = |request: &ReplayRequest| {
        backtest(std::slice::from_ref(&history), &[], request, now(), go_on)
            .unwrap_err()
            .to_string()
    };
    let usual = request(&[NAIVE]);
    let level = |level| ReplayRequest {
        levels: vec![level],
        ..usual.clone()
    };
    assert!(of(&level(1.0)).contains("above 0 % and below 100 %, but is 100 %"));
    assert!(of(&level(0.0)).contains("but is 0 %"));
    let horizon = |horizon| ReplayRequest {
        horizon,
        ..usual.clone()
    };
    assert!(of(&horizon(0..=1)).contains("between 1 and 7 days, but is 0 to 1"));
    assert!(of(&horizon(1..=8)).contains("1 to 8"));
    let many = ReplayRequest {
        min_days: 5_000,
        ..usual.clone()
    };
    assert!(of(&many).contains("at least 5000 days"), "{}", of(&many));
}

/// Replays two models over the people of the folder, and stops after so many steps.
fn with_file(
    data: &Data,
    file: &std::path::Path,
    steps: usize,
) -> Result<ReplayAnswer, vitalcast::EngineError> {
    let models = [
        ReplayModel::Auto,
        ReplayModel::Of(ModelArchitecture::Ets),
        ReplayModel::Of(ModelArchitecture::Linear),
    ];
    let mut left = steps;
    let check = &mut |_: &str| match left.checked_sub(1) {
        Some(next) => {
            left = next;
            ControlFlow::Continue(())
        }
        None => ControlFlow::Break(()),
    };
    let people = BacktestPeople::default();
    data.engine
        .backtest_with_file(&people, &request(&models), file, now(), check)
}

#[test]
fn a_backtest_that_was_cut_goes_on_and_says_the_same() {
    let data = Data::new();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("forecasts.csv.unfinished");
    let whole = with_file(&data, &folder.path().join("other"), usize::MAX).unwrap();
    let lines = || std::fs::read_to_string(&file).unwrap().lines().count();
    // The first line says what it is; then there is one for each simple forecast of the person.
    assert!(with_file(&data, &file, 3).is_err());
    let after_first = lines();
    assert!(after_first > 1, "{after_first}");
    // As a kill leaves it: in the middle of a line.
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, &text[..text.len() - 9]).unwrap();
    assert!(with_file(&data, &file, 9).is_err());
    assert!(lines() > after_first);
    let resumed = with_file(&data, &file, usize::MAX).unwrap();
    assert_eq!(
        serde_json::to_string(&resumed).unwrap(),
        serde_json::to_string(&whole).unwrap()
    );
    // What is finished is not computed again: a value that is changed in the file comes back.
    let complete = lines();
    let again = with_file(&data, &file, usize::MAX).unwrap();
    assert_eq!((lines(), &again), (complete, &whole));
    let text = std::fs::read_to_string(&file).unwrap();
    let marked: Vec<String> = text
        .lines()
        .map(
            |line| match serde_json::from_str::<serde_json::Value>(line) {
                Ok(mut part) if part["model"] == "ets" => {
                    for forecast in part["forecasts"].as_array_mut().unwrap() {
                        forecast[2] = 77.5.into();
                    }
                    part.to_string()
                }
                _ => line.to_owned(),
            },
        )
        .collect();
    std::fs::write(&file, marked.join("\n")).unwrap();
    let marked = with_file(&data, &file, usize::MAX).unwrap();
    let ets = marked.rows.iter().filter(|row| row.model == "ets");
    assert!(ets.map(|row| row.forecast).all(|forecast| forecast == 77.5));
}

#[test]
fn a_file_of_another_backtest_is_begun_anew() {
    let data = Data::new();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("unfinished");
    let people = BacktestPeople::default();
    let run = |seed: u64| {
        let request = ReplayRequest {
            seed,
            ..request(&[NAIVE])
        };
        let go_on = &mut |_: &str| ControlFlow::Continue(());
        data.engine
            .backtest_with_file(&people, &request, &file, now(), go_on)
            .unwrap();
        std::fs::read_to_string(&file).unwrap()
    };
    let first = run(1);
    let other = run(2);
    assert_ne!(first.lines().next(), other.lines().next());
    assert_eq!(first.lines().count(), other.lines().count());
    assert_eq!(run(1), first);
}

/// A person whose resting heart rate follows the weekday and nothing else.
fn weekly() -> (tempfile::TempDir, Engine, UserId) {
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::open(folder.path()).unwrap();
    let user = UserId::new("weekly").unwrap();
    let first: NaiveDate = "2025-03-03".parse().unwrap();
    let records = (0..100)
        .map(|back| {
            let day = first + Days::new(back);
            Record::HealthMetric(HealthMetric::new(
                Provenance::of_day("watch", day.to_string(), day, Zone::UTC),
                MetricType::RestingHeartRate,
                [52.5, 61.5, 55.5, 64.5, 57.5, 66.5, 50.5][back as usize % 7],
            ))
        })
        .collect();
    engine.write_records(&user, records, now()).unwrap();
    (folder, engine, user)
}

#[test]
fn a_simple_forecast_that_is_better_is_served_and_auto_replays_just_that() {
    let (_folder, engine, user) = weekly();
    let request = ReplayRequest {
        horizon: 1..=3,
        ..request(&[ReplayModel::Auto])
    };
    let go_on = &mut |_: &str| ControlFlow::Continue(());
    let people = BacktestPeople::default();
    let answer = engine.backtest(&people, &request, now(), go_on).unwrap();
    let choice = &answer.choices[0];
    assert_eq!(choice.model, "seasonal_naive", "{choice:?}");
    assert!(
        choice
            .reason
            .contains("seasonal_naive erred less than population")
    );
    let rows: Vec<_> = answer
        .rows
        .iter()
        .filter(|row| row.horizon == 1 && row.model == "auto")
        .collect();
    assert!(rows.len() > 5);
    let (mut simple, mut pooled) = (0, 0);
    for row in rows {
        let request = PredictRequest {
            interval_level: 0.9,
            ..PredictRequest::new(user.clone(), RHR, row.target_date)
        };
        let answer = engine.predict(&request, now()).unwrap();
        let served = answer.prediction;
        assert_eq!(served.predicted_value, row.forecast, "{}", row.target_date);
        let interval = (
            served.confidence_interval_lower,
            served.confidence_interval_upper,
        );
        assert_eq!(Some(interval), row.intervals[1]);
        let choice = served.choice.unwrap();
        if choice.served == "pooled" {
            pooled += 1;
            continue;
        }
        simple += 1;
        assert_eq!(choice.served, "seasonal_naive");
        assert_eq!(served.predicted_value, row.observed);
        // Against a simple forecast without an error there is no skill.
        assert_eq!(served.skill_vs_naive, None);
        assert_eq!(served.baseline_value, Some(served.predicted_value));
        assert!(choice.baseline_mae < choice.model_mae && choice.p < Some(0.05));
        assert!(
            choice
                .reason
                .starts_with("For you \"same as this weekday last time\"")
        );
        assert!(answer.interpretation.contains(&choice.reason));
        // What is explained is what is served.
        let explain = ExplainRequest::new(user.clone(), RHR, row.target_date);
        let explained = engine.explain(&explain, now()).unwrap();
        assert_eq!(explained.predicted_value, served.predicted_value);
        assert!(explained.baseline_meaning.contains("same as this weekday"));
        // Who asks for the model gets it.
        let request = PredictRequest {
            architecture: Some(ModelArchitecture::Pooled),
            ..request
        };
        let model = engine.predict(&request, now()).unwrap().prediction;
        assert_eq!(model.choice.unwrap().served, "pooled");
        assert_ne!(model.predicted_value, served.predicted_value);
    }
    assert!(simple > 3, "{simple} of {}", simple + pooled);
}
