//! Experiments in a store, and a database from before there were any.

use crate::conformance::a_person;
use crate::samples::{now, reading, user};
use crate::sqlite::wait;
use sqlx::ConnectOptions;
use std::collections::BTreeMap;
use vitalcast_domain::{
    Adherence, Condition, Experiment, ExperimentBaseline, ExperimentId, ExperimentPlan,
    PredictionMetric, StopRule,
};
use vitalcast_store::{
    AddedExperiment, Experiments, SqliteStore, Store, StoreError, StoredExperiment,
};

/// An experiment of 24 days.
fn experiment(of: &str, id: &str, start: &str) -> Experiment {
    Experiment {
        experiment_id: ExperimentId::new(id).unwrap(),
        user_id: user(of),
        plan: ExperimentPlan {
            question: "Does late food matter?".to_owned(),
            metric: PredictionMetric::RestingHeartRate,
            condition_a: "no food after 20:00".to_owned(),
            condition_b: "as usual".to_owned(),
            measure: Some("no_food_after=20:00".parse().unwrap()),
            smallest_effect: 2.0,
            power: 0.8,
            block_days: 2,
            washout_days: 1,
            start: start.parse().unwrap(),
            outcome_lag_days: 1,
            stop_rule: StopRule::None,
            seed: 7,
            first_of_pairs: vec![Condition::A; 6],
        },
        planned_at: now(),
        baseline: ExperimentBaseline {
            first_day: "2024-01-01".parse().unwrap(),
            last_day: "2024-04-30".parse().unwrap(),
            days: 110,
            mean: 60.1,
            standard_deviation: 2.3,
            autocorrelation: 0.4,
            pair_spread: 2.0,
        },
        adherence: BTreeMap::new(),
        stopped_at: None,
        stopped_after: None,
    }
}

async fn added<S: Experiments>(store: &S, experiment: &Experiment) -> AddedExperiment {
    store.add_experiment(experiment, false).await.unwrap()
}

pub(crate) async fn an_experiment_is_kept_changed_and_deleted<S: Store + Experiments>(store: &S) {
    a_person(store, "a").await;
    let before = store.generation(&user("a")).await.unwrap();
    let first = experiment("a", "rhr-1", "2024-05-10");
    assert_eq!(added(store, &first).await, AddedExperiment::Stored);
    let found = store.experiment(&user("a"), &first.experiment_id).await;
    let found = found.unwrap().unwrap();
    assert_eq!(found.experiment, first);
    let mut changed = found.clone();
    let said = Adherence {
        followed: true,
        note: Some("dinner at six".to_owned()),
        said_at: now(),
    };
    let day = "2024-05-10".parse().unwrap();
    changed.experiment.adherence.insert(day, said);
    assert!(store.change_experiment(&changed).await.unwrap());
    // The second of two writers who read the same is told, and loses nothing of the first.
    assert!(!store.change_experiment(&found).await.unwrap());
    let now = store.experiment(&user("a"), &first.experiment_id).await;
    let now: StoredExperiment = now.unwrap().unwrap();
    assert_eq!(now.experiment, changed.experiment);
    assert!(now.revision > found.revision);
    // No forecast depends on it.
    assert_eq!(store.generation(&user("a")).await.unwrap(), before);
    let id = &first.experiment_id;
    assert!(store.delete_experiment(&user("a"), id).await.unwrap());
    assert!(!store.delete_experiment(&user("a"), id).await.unwrap());
    assert!(!store.change_experiment(&now).await.unwrap());
    assert!(experiments_of(store, "a").await.is_empty());
}

async fn experiments_of<S: Experiments>(store: &S, of: &str) -> Vec<Experiment> {
    let list = store.experiments(&user(of)).await.unwrap();
    assert_eq!(list.unreadable, []);
    list.rows
}

pub(crate) async fn experiments_with_days_in_common_are_refused<S: Store + Experiments>(store: &S) {
    a_person(store, "a").await;
    a_person(store, "b").await;
    let first = experiment("a", "one", "2024-05-10");
    assert_eq!(added(store, &first).await, AddedExperiment::Stored);
    let overlaps = AddedExperiment::Overlaps(first.experiment_id.clone());
    for (id, start) in [
        ("two", "2024-06-02"),
        ("two", "2024-04-17"),
        ("one", "2024-05-01"),
    ] {
        let found = added(store, &experiment("a", id, start)).await;
        let expected = match id {
            "one" => AddedExperiment::IdTaken,
            _ => overlaps.clone(),
        };
        assert_eq!(found, expected, "{id} {start}");
    }
    // The days before and after are free, and other people have theirs.
    for (of, id, start) in [
        ("a", "early", "2024-04-16"),
        ("a", "late", "2024-06-03"),
        ("b", "one", "2024-05-10"),
    ] {
        let found = added(store, &experiment(of, id, start)).await;
        assert_eq!(found, AddedExperiment::Stored, "{id}");
    }
    let again = experiment("a", "told-so", "2024-05-10");
    let found = store.add_experiment(&again, true).await.unwrap();
    assert_eq!(found, AddedExperiment::Stored);
    let all = experiments_of(store, "a").await;
    let ids: Vec<&str> = all.iter().map(|one| one.experiment_id.as_str()).collect();
    assert_eq!(ids, ["early", "one", "told-so", "late"]);
    // One that was stopped leaves its days to others.
    let id = ExperimentId::new("late").unwrap();
    let mut late = store.experiment(&user("a"), &id).await.unwrap().unwrap();
    late.experiment.stopped_at = Some(now());
    late.experiment.stopped_after = Some("2024-06-05".parse().unwrap());
    assert!(store.change_experiment(&late).await.unwrap());
    let next = experiment("a", "next", "2024-06-06");
    assert_eq!(added(store, &next).await, AddedExperiment::Stored);
}

pub(crate) async fn experiments_belong_to_their_person<S: Store + Experiments>(store: &S) {
    let lost = experiment("nobody", "x", "2024-05-10");
    let refused = store.add_experiment(&lost, false).await;
    assert!(
        matches!(refused, Err(StoreError::NoSuchUser)),
        "{refused:?}"
    );
    for of in ["a", "b"] {
        a_person(store, of).await;
        added(store, &experiment(of, "x", "2024-05-10")).await;
    }
    let id = ExperimentId::new("x").unwrap();
    assert!(store.delete_experiment(&user("b"), &id).await.unwrap());
    assert!(store.experiment(&user("a"), &id).await.unwrap().is_some());
    added(store, &experiment("b", "x", "2024-05-10")).await;
    store.erase_user(&user("a")).await.unwrap();
    assert!(experiments_of(store, "a").await.is_empty());
    assert_eq!(experiments_of(store, "b").await.len(), 1);
}

#[test]
fn a_database_from_before_experiments_is_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("v.db");
    wait(async {
        let store = SqliteStore::open(&path).await.unwrap();
        store
            .write_records(&user("a"), &[reading("1", "2024-05-01", 60.0)], now())
            .await
            .unwrap();
        let history = store.history(&user("a"), None).await.unwrap();
        drop(store);
        // As release 0.1.0 left it: version 5 of the schema.
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path);
        let mut old = options.connect().await.unwrap();
        for statement in [
            "DROP TABLE experiments",
            "DELETE FROM _sqlx_migrations WHERE version > 5",
        ] {
            sqlx::query(statement).execute(&mut old).await.unwrap();
        }
        drop(old);
        let store = SqliteStore::open(&path).await.unwrap();
        assert_eq!(store.history(&user("a"), None).await.unwrap(), history);
        let one = experiment("a", "x", "2024-05-10");
        assert_eq!(added(&store, &one).await, AddedExperiment::Stored);
        drop(store);
        let store = SqliteStore::open(&path).await.unwrap();
        assert_eq!(experiments_of(&store, "a").await, [one]);
    });
}

#[test]
fn an_experiment_of_a_newer_release_costs_one_row() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("v.db");
    wait(async {
        let store = SqliteStore::open(&path).await.unwrap();
        a_person(&store, "a").await;
        let id = ExperimentId::new("x").unwrap();
        added(&store, &experiment("a", "x", "2024-05-10")).await;
        added(&store, &experiment("a", "y", "2024-07-10")).await;
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path);
        let mut beside = options.connect().await.unwrap();
        for (change, word) in [
            (
                "UPDATE experiments SET body = '{}' WHERE experiment_id = 'x'",
                "body",
            ),
            (
                "UPDATE experiments SET body_version = 2 WHERE experiment_id = 'x'",
                "newer",
            ),
        ] {
            sqlx::query(change).execute(&mut beside).await.unwrap();
            let list = store.experiments(&user("a")).await.unwrap();
            let [unreadable] = &list.unreadable[..] else {
                panic!("{list:?}")
            };
            assert_eq!(unreadable.id, id);
            assert!(unreadable.what.contains(word), "{unreadable:?}");
            // The others of the person are there.
            assert_eq!(list.rows, [experiment("a", "y", "2024-07-10")]);
            let error = store.experiment(&user("a"), &id).await.unwrap_err();
            assert!(error.to_string().contains(word), "{error}");
            assert!(!error.to_string().contains("food"), "{error}");
        }
        assert!(store.delete_experiment(&user("a"), &id).await.unwrap());
        assert_eq!(experiments_of(&store, "a").await.len(), 1);
    });
}
