//! Searches for settings, on real days.

use crate::real::{Data, now};
use vitalcast::{
    Engine, EngineError, ModelArchitecture, PredictionMetric, Proceed, Record, Search,
    TuningAnswer, TuningRequest,
};

fn request() -> TuningRequest {
    TuningRequest {
        trials: 12,
        min_days: 20,
        ..TuningRequest::new(
            PredictionMetric::RestingHeartRate,
            ModelArchitecture::Xgboost,
        )
    }
}

/// The answer, and the number of replays that were computed.
fn tuned(engine: &Engine, request: &TuningRequest) -> (TuningAnswer, usize) {
    let mut new = 0;
    let answer = engine.tune(&[], request, now(), &mut |progress| {
        new += usize::from(progress.new.is_some());
        Proceed::Continue
    });
    (answer.unwrap(), new)
}

fn json(answer: &TuningAnswer) -> String {
    serde_json::to_string(answer).unwrap()
}

#[test]
fn a_search_that_was_stopped_goes_on_and_ends_as_if_it_had_not_been() {
    let whole = Data::new();
    let (expected, replays) = tuned(&whole.engine, &request());
    assert_eq!(expected.tried, 12);
    assert_eq!(expected.replays, replays);
    let data = Data::new();
    let mut left = 7;
    let stopped = data.engine.tune(&[], &request(), now(), &mut |progress| {
        left -= usize::from(progress.new.is_some());
        if left == 0 {
            Proceed::Stop
        } else {
            Proceed::Continue
        }
    });
    assert!(
        matches!(stopped, Err(EngineError::Interrupted)),
        "{stopped:?}"
    );
    // A kill in the middle of a line.
    let folder = data.engine.folder().join("tuning");
    let file = std::fs::read_dir(&folder).unwrap().next().unwrap().unwrap();
    let mut text = std::fs::read_to_string(file.path()).unwrap();
    text.truncate(text.len() - 10);
    std::fs::write(file.path(), &text).unwrap();
    let (answer, new) = tuned(&data.engine, &request());
    assert_eq!(new, replays - 6);
    assert_eq!(json(&answer), json(&expected));
    // More trials begin with those that are there.
    let more = TuningRequest {
        trials: 18,
        ..request()
    };
    let (more, new) = tuned(&data.engine, &more);
    assert_eq!(more.tried, 18);
    assert!(new < more.replays - 12, "{new} of {}", more.replays);
}

#[test]
fn no_trial_sees_a_day_that_is_set_aside() {
    let data = Data::new();
    let (before, _) = tuned(&data.engine, &request());
    let history = data.history();
    let days = {
        let mut days: Vec<_> = history
            .records
            .iter()
            .filter(|record| {
                matches!(record, Record::HealthMetric(reading)
                    if reading.metric == before.request.metric.metric_type())
            })
            .map(|record| record.provenance().day)
            .collect();
        days.sort();
        days.dedup();
        days
    };
    let unseen = before.on_unseen_days.comparison.count;
    let first_unseen = days[days.len() - unseen];
    let mut changed = 0;
    let records: Vec<Record> = history
        .records
        .iter()
        .cloned()
        .map(|mut record| {
            if record.provenance().day >= first_unseen
                && let Record::HealthMetric(reading) = &mut record
            {
                reading.value *= 0.9;
                changed += 1;
            }
            record
        })
        .collect();
    assert!(changed > 0);
    let other = tempfile::tempdir().unwrap();
    let engine = Engine::open(other.path()).unwrap();
    engine.set_profile(&history.user, &history.profile).unwrap();
    engine.write_records(&history.user, records, now()).unwrap();
    let (after, _) = tuned(&engine, &request());
    assert_eq!(before.trials, after.trials);
    assert_eq!(before.best, after.best);
    assert_ne!(
        before.on_unseen_days.comparison.mae_b,
        after.on_unseen_days.comparison.mae_b
    );
}

#[test]
fn a_search_whose_time_is_used_up_answers_with_what_it_found() {
    let data = Data::new();
    let mut replays = 0;
    let answer = data
        .engine
        .tune(&[], &request(), now(), &mut |progress| {
            replays += usize::from(progress.new.is_some());
            if replays >= 8 {
                Proceed::Finish
            } else {
                Proceed::Continue
            }
        })
        .unwrap();
    assert!((1..12).contains(&answer.tried), "{}", answer.tried);
    assert!(answer.summary.contains("unseen days"), "{}", answer.summary);
}

#[test]
fn the_defaults_are_a_trial_and_random_search_is_another_search() {
    let data = Data::new();
    let (tpe, _) = tuned(&data.engine, &request());
    let random = TuningRequest {
        search: Search::Random,
        ..request()
    };
    let (random, _) = tuned(&data.engine, &random);
    for answer in [&tpe, &random] {
        let default = answer.trials.iter().find(|trial| trial.number == 0);
        assert_eq!(default.unwrap().folds, 3);
        assert_eq!(answer.trials.len(), 13);
        assert!(answer.trials[0].mae <= default.unwrap().mae);
        assert!(!answer.mattered.is_empty());
    }
    // The first trials are drawn at random in both; later ones are not.
    let settings = |answer: &TuningAnswer, number| {
        let trial = answer.trials.iter().find(|trial| trial.number == number);
        trial.unwrap().settings.clone()
    };
    assert_eq!(settings(&tpe, 1), settings(&random, 1));
    assert_ne!(settings(&tpe, 12), settings(&random, 12));
}

#[test]
fn what_cannot_be_searched_is_said() {
    let data = Data::new();
    let refused = |request: TuningRequest| {
        let answer = data
            .engine
            .tune(&[], &request, now(), &mut |_| Proceed::Continue);
        answer.unwrap_err().to_string()
    };
    let of = |architecture| TuningRequest {
        architecture,
        ..request()
    };
    let without = refused(of(ModelArchitecture::Ets));
    assert!(
        without.contains("ets has no settings to search"),
        "{without}"
    );
    assert!(without.contains("xgboost"), "{without}");
    let none = refused(TuningRequest {
        trials: 0,
        ..request()
    });
    assert!(none.contains("between 1 and 10000, but is 0"), "{none}");
    let all = refused(TuningRequest {
        test_fraction: 0.9,
        ..request()
    });
    assert!(all.contains("at most 0.5, but is 0.9"), "{all}");
    let short = refused(TuningRequest {
        min_days: 5_000,
        ..request()
    });
    assert!(short.contains("expected at least 5000 days"), "{short}");
}

#[test]
fn an_erasure_removes_the_recorded_searches() {
    let data = Data::new();
    tuned(&data.engine, &request());
    let folder = data.engine.folder().join("tuning");
    assert!(folder.exists());
    let user = data.history().user;
    let alone = data.engine.lock_folder().unwrap();
    data.engine.erase_user(&user, &alone).unwrap();
    assert!(!folder.exists());
}
