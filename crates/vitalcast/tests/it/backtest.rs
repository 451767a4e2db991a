//! Replays of real days.

use crate::real::{Data, now, training};
use std::ops::ControlFlow;
use vitalcast::{BacktestAnswer, BacktestRequest, ModelArchitecture, backtest};

fn replay(data: &Data, architecture: ModelArchitecture, refit_every: usize) -> BacktestAnswer {
    let request = BacktestRequest {
        training: training(architecture),
        days: 20,
        refit_every,
        interval_level: 0.9,
    };
    data.engine
        .backtest(&request, now(), &mut |_| ControlFlow::Continue(()))
        .unwrap()
}

#[test]
fn naive_has_no_skill_against_itself_and_its_rows_are_the_days_before() {
    let data = Data::new();
    let answer = replay(&data, ModelArchitecture::Naive, 0);
    assert_eq!(answer.skill_vs["naive"], 0.0);
    assert_eq!(answer.mae, answer.naive_mae);
    assert_eq!(answer.days, answer.rows.len());
    for row in &answer.rows {
        assert_eq!(Some(row.forecast), row.naive);
    }
    let mut compared = 0;
    for pair in answer.rows.windows(2) {
        if pair[1].date == pair[0].date.succ_opt().unwrap() {
            assert_eq!(pair[1].forecast, pair[0].actual);
            compared += 1;
        }
    }
    assert!(compared > answer.days / 2, "{compared} of {}", answer.days);
}

#[test]
fn every_figure_follows_from_the_rows() {
    let data = Data::new();
    let answer = replay(&data, ModelArchitecture::ExponentialSmoothing, 7);
    assert_eq!(answer.fits, 3);
    let count = answer.rows.len() as f64;
    let mae = answer
        .rows
        .iter()
        .map(|row| (row.forecast - row.actual).abs())
        .sum::<f64>()
        / count;
    assert!((answer.mae.unwrap() - mae).abs() < 1e-12);
    let naive: Vec<f64> = answer
        .rows
        .iter()
        .map(|row| (row.naive.unwrap() - row.actual).abs())
        .collect();
    let naive = naive.iter().sum::<f64>() / count;
    assert!((answer.naive_mae.unwrap() - naive).abs() < 1e-12);
    assert!((answer.skill_vs["naive"] - (1.0 - mae / naive)).abs() < 1e-12);
    let inside = answer
        .rows
        .iter()
        .filter(|row| (row.lower.unwrap()..=row.upper.unwrap()).contains(&row.actual))
        .count();
    assert!((answer.coverage.unwrap() - inside as f64 / count).abs() < 1e-12);
    assert!(
        data.engine.models(None, None).unwrap().is_empty(),
        "nothing is kept"
    );
}

#[test]
fn a_replay_does_not_know_what_comes_after() {
    let data = Data::new();
    let request = BacktestRequest {
        training: training(ModelArchitecture::Linear),
        days: 10,
        refit_every: 0,
        interval_level: 0.9,
    };
    let whole = backtest(&data.history(), &request, now()).unwrap();
    // Cut off the last three replayed days: those before must not change.
    let mut cut = data.history();
    let until = whole.last_day - chrono::Days::new(3);
    cut.records
        .retain(|record| record.provenance().day <= until);
    let shorter = BacktestRequest { days: 7, ..request };
    let shorter = backtest(&cut, &shorter, now()).unwrap();
    assert_eq!(shorter.first_day, whole.first_day);
    assert!(shorter.rows.len() >= 5, "{}", shorter.rows.len());
    assert_eq!(shorter.rows, whole.rows[..shorter.rows.len()]);
}
