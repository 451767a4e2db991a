//! What every store must do, written over the trait. A new store adds itself to `stores!`.

use crate::experiments::{
    an_experiment_is_kept_changed_and_deleted, experiments_belong_to_their_person,
    experiments_with_days_in_common_are_refused,
};
use crate::forecasts::{
    asking_again_and_again_keeps_one_forecast_an_hour, deleting_readings_takes_outcomes_away,
    forecasts_wait_for_their_outcome, the_same_forecast_again_changes_nothing,
};
use crate::samples::{day, forecast, instant, meal, model, night, now, reading, user};
use chrono::TimeDelta;
use vitalcast_domain::{ModelArchitecture, ModelId, PredictionMetric, Profile, Record};
use vitalcast_store::{ModelList, NewModel, Store, StoreError, WriteReport};

const RHR: PredictionMetric = PredictionMetric::RestingHeartRate;

macro_rules! stores {
    ($($case:ident),+ $(,)?) => {
        mod in_a_file {
            $(#[test] fn $case() {
                let folder = tempfile::tempdir().unwrap();
                crate::sqlite::wait(async {
                    let path = folder.path().join("vitalcast.db");
                    super::$case(&vitalcast_store::SqliteStore::open(&path).await.unwrap()).await;
                });
            })+
        }
        mod in_memory {
            $(#[test] fn $case() {
                crate::sqlite::wait(async {
                    let store = vitalcast_store::SqliteStore::open_in_memory().await.unwrap();
                    super::$case(&store).await;
                });
            })+
        }
    };
}

stores! {
    a_stranger_is_nobody,
    a_profile_is_kept,
    records_come_back_as_they_went_in,
    the_same_again_changes_nothing,
    a_correction_is_a_version_of_its_own,
    a_correction_that_tells_when_it_was_known_is_believed_if_later,
    a_batch_with_an_impossible_record_is_kept_not_at_all,
    the_same_record_twice_in_a_batch_counts_once,
    the_versions_of_moved_records_come_together,
    a_summary_counts_current_versions_and_whole_nights,
    the_data_version_tells_of_every_change,
    a_large_batch_is_kept_whole,
    versions_of_models_are_given_once,
    the_active_model_is_the_newest_until_told_otherwise,
    a_deleted_model_hands_on_to_the_newest_left,
    models_of_many_people_are_nobodys_and_concern_everybody,
    models_are_those_of_their_person_and_metric,
    forecasts_wait_for_their_outcome,
    deleting_readings_takes_outcomes_away,
    asking_again_and_again_keeps_one_forecast_an_hour,
    the_same_forecast_again_changes_nothing,
    an_erased_person_leaves_nothing_and_others_alone,
    a_shared_file_outlives_one_of_its_people,
    models_and_forecasts_need_a_person,
    an_experiment_is_kept_changed_and_deleted,
    experiments_with_days_in_common_are_refused,
    experiments_belong_to_their_person,
}

async fn values<S: Store>(store: &S, of: &str) -> Vec<Record> {
    store
        .history(&user(of), None)
        .await
        .unwrap()
        .unwrap()
        .records
}

async fn a_stranger_is_nobody<S: Store>(store: &S) {
    assert_eq!(store.profile(&user("x")).await.unwrap(), None);
    assert_eq!(store.history(&user("x"), None).await.unwrap(), None);
    assert_eq!(store.generation(&user("x")).await.unwrap(), None);
    assert!(store.users().await.unwrap().is_empty());
    assert_eq!(
        store.models(None, None).await.unwrap(),
        ModelList::default()
    );
    assert!(
        store
            .forecasts(&user("x"), RHR, None)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(orphans(store, "x").await.is_empty());
    let model = ModelId::new("x").unwrap();
    assert!(matches!(
        store.activate(&model).await,
        Err(StoreError::NoSuchModel(_))
    ));
    assert!(matches!(
        store.delete_model(&model).await,
        Err(StoreError::NoSuchModel(_))
    ));
}

async fn a_profile_is_kept<S: Store>(store: &S) {
    let profile = Profile {
        zone: "Asia/Kathmandu".parse().unwrap(),
        weight_kg: Some(70.3),
        cycle_starts: vec![day("2024-05-02")],
        ..Profile::default()
    };
    store.set_profile(&user("a"), &profile).await.unwrap();
    assert_eq!(
        store.profile(&user("a")).await.unwrap(),
        Some(profile.clone())
    );
    let version = store.generation(&user("a")).await.unwrap();
    store.set_profile(&user("a"), &profile).await.unwrap();
    assert_eq!(store.generation(&user("a")).await.unwrap(), version);
    // Records do not touch it.
    store
        .write_records(&user("a"), &[reading("1", "2024-05-01", 60.0)], now())
        .await
        .unwrap();
    assert_eq!(store.profile(&user("a")).await.unwrap(), Some(profile));
}

async fn records_come_back_as_they_went_in<S: Store>(store: &S) {
    let records = [
        reading("1", "2024-05-01", 61.3),
        meal(
            "2",
            "2024-05-02T12:30:00.123456Z",
            "crème brûlée, \"double\"\n'; DROP TABLE users;",
        ),
    ];
    let report = store
        .write_records(&user("a"), &records, now())
        .await
        .unwrap();
    assert_eq!(
        report,
        WriteReport {
            added: 2,
            ..WriteReport::default()
        }
    );
    assert_eq!(values(store, "a").await, records);
}

async fn the_same_again_changes_nothing<S: Store>(store: &S) {
    let records = [
        reading("1", "2024-05-01", 61.0),
        meal("2", "2024-05-02T12:00:00Z", "rice"),
    ];
    store
        .write_records(&user("a"), &records, now())
        .await
        .unwrap();
    let version = store.generation(&user("a")).await.unwrap();
    // Also when it is told again later: it was known before.
    let again = records.clone().map(|mut record| {
        record.provenance_mut().known_at += TimeDelta::days(3);
        record
    });
    let report = store
        .write_records(&user("a"), &again, now())
        .await
        .unwrap();
    assert_eq!(
        report,
        WriteReport {
            unchanged: 2,
            ..WriteReport::default()
        }
    );
    assert_eq!(values(store, "a").await, records);
    assert_eq!(store.generation(&user("a")).await.unwrap(), version);
}

async fn a_correction_is_a_version_of_its_own<S: Store>(store: &S) {
    let first = reading("1", "2024-05-01", 61.0);
    let second = reading("1", "2024-05-01", 55.0);
    store
        .write_records(&user("a"), std::slice::from_ref(&first), now())
        .await
        .unwrap();
    let report = store
        .write_records(&user("a"), std::slice::from_ref(&second), now())
        .await
        .unwrap();
    assert_eq!(
        report,
        WriteReport {
            corrected: 1,
            ..WriteReport::default()
        }
    );
    let kept = values(store, "a").await;
    // The old one stays for replays of the time before; the new one is known from now on.
    assert_eq!(kept[0], first);
    assert_eq!(kept[1].provenance().known_at, now());
    let mut known_from_now = second.clone();
    known_from_now.provenance_mut().known_at = now();
    assert_eq!(kept[1..], [known_from_now]);
    // And back again is a third.
    store
        .write_records(&user("a"), &[first], now())
        .await
        .unwrap();
    let kept = values(store, "a").await;
    assert_eq!(kept.len(), 3);
    assert!(kept[2].provenance().known_at > kept[1].provenance().known_at);
}

async fn a_correction_that_tells_when_it_was_known_is_believed_if_later<S: Store>(store: &S) {
    store
        .write_records(&user("a"), &[reading("1", "2024-05-01", 61.0)], now())
        .await
        .unwrap();
    let mut corrected = reading("1", "2024-05-01", 55.0);
    let known_at = instant("2024-05-04T08:00:00Z");
    corrected.provenance_mut().told.known_at = Some(known_at);
    corrected.provenance_mut().known_at = known_at;
    store
        .write_records(&user("a"), std::slice::from_ref(&corrected), now())
        .await
        .unwrap();
    assert_eq!(values(store, "a").await[1], corrected);
}

async fn a_batch_with_an_impossible_record_is_kept_not_at_all<S: Store>(store: &S) {
    for impossible in [f64::NAN, f64::INFINITY, -1.0, 900.0] {
        let batch = [
            reading("1", "2024-05-01", 60.0),
            reading("2", "2024-05-02", impossible),
        ];
        match store.write_records(&user("a"), &batch, now()).await {
            Err(StoreError::InvalidRecord { index: 1, .. }) => {}
            other => panic!("{impossible}: {other:?}"),
        }
    }
    assert!(store.users().await.unwrap().is_empty());
}

async fn the_same_record_twice_in_a_batch_counts_once<S: Store>(store: &S) {
    let record = reading("1", "2024-05-01", 60.0);
    let batch = [
        record.clone(),
        record.clone(),
        reading("1", "2024-05-01", 58.0),
    ];
    let report = store
        .write_records(&user("a"), &batch, now())
        .await
        .unwrap();
    assert_eq!(
        report,
        WriteReport {
            added: 1,
            unchanged: 1,
            corrected: 1,
            ..WriteReport::default()
        }
    );
    assert_eq!(values(store, "a").await.len(), 2);
    // The same id of another metric is another record.
    let report = store
        .write_records(&user("a"), &[night("1", "2024-05-01", 7.0)], now())
        .await
        .unwrap();
    assert_eq!(report.added, 1);
}

async fn the_versions_of_moved_records_come_together<S: Store>(store: &S) {
    let old = meal("1", "2024-05-01T12:00:00Z", "rice");
    let moved = meal("1", "2024-05-09T12:00:00Z", "rice");
    let other = meal("2", "2024-05-20T12:00:00Z", "soup");
    for record in [old, moved, other] {
        store
            .write_records(&user("a"), &[record], now())
            .await
            .unwrap();
    }
    for (from, to, count) in [
        ("2024-05-01", "2024-05-01", 2),
        ("2024-05-09", "2024-05-10", 2),
        ("2024-05-10", "2024-05-30", 1),
        ("2024-05-01", "2024-05-30", 3),
        ("2024-06-01", "2024-06-02", 0),
    ] {
        let days = day(from)..=day(to);
        let found = store
            .history(&user("a"), Some(days))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(found.records.len(), count, "{from} to {to}");
    }
}

async fn a_summary_counts_current_versions_and_whole_nights<S: Store>(store: &S) {
    let records = [
        reading("1", "2024-05-01", 61.0),
        reading("2", "2024-05-03", 62.0),
        night("3", "2024-05-03", 7.5),
        night("4", "2024-05-04", 1.0),
        meal("5", "2024-05-02T12:00:00Z", "rice"),
    ];
    store
        .write_records(&user("b"), &records, now())
        .await
        .unwrap();
    store
        .set_profile(&user("a"), &Profile::default())
        .await
        .unwrap();
    let users = store.users().await.unwrap();
    assert_eq!(
        users
            .iter()
            .map(|one| one.user_id.as_str())
            .collect::<Vec<_>>(),
        ["a", "b"]
    );
    assert_eq!((users[0].first_day, users[0].days), (None, 0));
    let summary = &users[1];
    assert_eq!(summary.first_day, Some(day("2024-05-01")));
    assert_eq!(summary.last_day, Some(day("2024-05-04")));
    assert_eq!(
        (summary.days, summary.meals, summary.health_metrics),
        (4, 1, 4)
    );
    assert_eq!(summary.metric_days(RHR), 2);
    assert_eq!(summary.metric_days(PredictionMetric::SleepDuration), 1);
    // A meal that is moved counts on its new day, once.
    let moved = [meal("5", "2024-05-09T12:00:00Z", "rice")];
    store
        .write_records(&user("b"), &moved, now())
        .await
        .unwrap();
    let summary = store.users().await.unwrap().remove(1);
    assert_eq!(summary.last_day, Some(day("2024-05-09")));
    let last = async || store.last_day(&user("b")).await.unwrap();
    assert_eq!(last().await, summary.last_day);
    assert_eq!((summary.days, summary.meals), (4, 1));
    let one = store.user(&user("b")).await.unwrap();
    assert_eq!(one.as_ref(), Some(&summary));
    // Back again: where it was in between is no day with data.
    let back = [meal("5", "2024-05-02T12:00:00Z", "rice")];
    store.write_records(&user("b"), &back, now()).await.unwrap();
    assert_eq!(last().await, Some(day("2024-05-04")));
    assert_eq!(store.last_day(&user("a")).await.unwrap(), None);
}

async fn the_data_version_tells_of_every_change<S: Store>(store: &S) {
    let a = user("a");
    let mut seen = Vec::new();
    for value in [60.0, 61.0] {
        store
            .write_records(&a, &[reading("1", "2024-05-01", value)], now())
            .await
            .unwrap();
        seen.push(store.generation(&a).await.unwrap().unwrap());
    }
    let profile = Profile {
        weight_kg: Some(80.0),
        ..Profile::default()
    };
    store.set_profile(&a, &profile).await.unwrap();
    seen.push(store.generation(&a).await.unwrap().unwrap());
    // The same content, changed later in its source: of two readings of one time it counts now.
    let mut again = reading("1", "2024-05-01", 61.0);
    again.provenance_mut().told.updated_at = Some(now());
    let report = store.write_records(&a, &[again], now()).await.unwrap();
    assert_eq!(report.unchanged, 1);
    seen.push(store.generation(&a).await.unwrap().unwrap());
    let distinct: std::collections::HashSet<_> = seen.iter().collect();
    assert_eq!(distinct.len(), seen.len(), "{seen:?}");
    store
        .write_records(&user("b"), &[reading("1", "2024-05-01", 50.0)], now())
        .await
        .unwrap();
    assert_eq!(store.generation(&a).await.unwrap(), seen.last().copied());
}

async fn a_large_batch_is_kept_whole<S: Store>(store: &S) {
    let first = day("2000-01-01");
    let records: Vec<Record> = first
        .iter_days()
        .take(5_000)
        .map(|day| reading(&format!("r-{day}"), &day.to_string(), 60.0))
        .collect();
    let report = store
        .write_records(&user("a"), &records, now())
        .await
        .unwrap();
    assert_eq!(report.added, 5_000);
    assert_eq!(values(store, "a").await, records);
}

pub(crate) async fn a_person<S: Store>(store: &S, id: &str) {
    store
        .set_profile(&user(id), &Profile::default())
        .await
        .unwrap();
}

async fn versions_of_models_are_given_once<S: Store>(store: &S) {
    a_person(store, "a").await;
    for (id, version) in [("m1", 1), ("m2", 2), ("m3", 3)] {
        let kept = store.register_model(model(id, "a", RHR)).await.unwrap();
        assert_eq!((kept.version, kept.is_active), (version, true));
        assert_eq!(store.model(&kept.model_id).await.unwrap(), Some(kept));
    }
    store
        .delete_model(&ModelId::new("m3").unwrap())
        .await
        .unwrap();
    assert_eq!(
        store
            .register_model(model("m4", "a", RHR))
            .await
            .unwrap()
            .version,
        4
    );
    let taken = store.register_model(model("m4", "a", RHR)).await;
    assert!(
        matches!(taken, Err(StoreError::ModelExists(_))),
        "{taken:?}"
    );
    // Each metric counts for itself.
    let sleep = model("s1", "a", PredictionMetric::SleepDuration);
    assert_eq!(store.register_model(sleep).await.unwrap().version, 1);
}

async fn active<S: Store>(store: &S) -> Option<String> {
    let found = store
        .active_model(&user("a"), RHR, None, None)
        .await
        .unwrap();
    found.map(|model| model.model_id.as_str().to_owned())
}

async fn the_active_model_is_the_newest_until_told_otherwise<S: Store>(store: &S) {
    a_person(store, "a").await;
    assert_eq!(active(store).await, None);
    for id in ["m1", "m2"] {
        store.register_model(model(id, "a", RHR)).await.unwrap();
    }
    assert_eq!(active(store).await.as_deref(), Some("m2"));
    store.activate(&ModelId::new("m1").unwrap()).await.unwrap();
    assert_eq!(active(store).await.as_deref(), Some("m1"));
    let count = store
        .models(None, None)
        .await
        .unwrap()
        .models
        .iter()
        .filter(|m| m.is_active)
        .count();
    assert_eq!(count, 1);
    // Asked for by version or architecture, others are found too.
    let of_version = store
        .active_model(&user("a"), RHR, None, Some(2))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(of_version.model_id.as_str(), "m2");
    let linear = Some(ModelArchitecture::Linear);
    let linear = store
        .active_model(&user("a"), RHR, linear, None)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(linear.model_id.as_str(), "m1", "the active one first");
    let lstm = Some(ModelArchitecture::Lstm);
    assert_eq!(
        store
            .active_model(&user("a"), RHR, lstm, None)
            .await
            .unwrap(),
        None
    );
}

async fn a_deleted_model_hands_on_to_the_newest_left<S: Store>(store: &S) {
    a_person(store, "a").await;
    for id in ["m1", "m2", "m3"] {
        store.register_model(model(id, "a", RHR)).await.unwrap();
    }
    store
        .delete_model(&ModelId::new("m2").unwrap())
        .await
        .unwrap();
    assert_eq!(active(store).await.as_deref(), Some("m3"));
    store
        .delete_model(&ModelId::new("m3").unwrap())
        .await
        .unwrap();
    assert_eq!(active(store).await.as_deref(), Some("m1"));
    store
        .delete_model(&ModelId::new("m1").unwrap())
        .await
        .unwrap();
    assert_eq!(active(store).await, None);
}

async fn models_of_many_people_are_nobodys_and_concern_everybody<S: Store>(store: &S) {
    let of_nobody = |id: &str, activate| NewModel {
        user_id: None,
        activate,
        ..model(id, "a", RHR)
    };
    for name in ["a", "b"] {
        store
            .set_profile(&user(name), &Profile::default())
            .await
            .unwrap();
    }
    store.register_model(model("own", "a", RHR)).await.unwrap();
    let before = store.generation(&user("b")).await.unwrap();
    let first = store.register_model(of_nobody("p1", true)).await.unwrap();
    assert_eq!((first.version, &first.user_id), (1, &None));
    assert_ne!(store.generation(&user("b")).await.unwrap(), before);
    let second = store.register_model(of_nobody("p2", false)).await.unwrap();
    assert_eq!(second.version, 2);
    let ids = |list: ModelList| -> Vec<(String, bool)> {
        list.models
            .into_iter()
            .map(|model| (model.model_id.to_string(), model.is_active))
            .collect()
    };
    let listed = || async { ids(store.models_of_many_people(Some(RHR)).await.unwrap()) };
    let of = |list: &[(&str, bool)]| -> Vec<(String, bool)> {
        list.iter()
            .map(|(id, active)| ((*id).to_owned(), *active))
            .collect()
    };
    assert_eq!(listed().await, of(&[("p2", false), ("p1", true)]));
    store.activate(&second.model_id).await.unwrap();
    assert_eq!(listed().await, of(&[("p2", true), ("p1", false)]));
    // A person's own models are another matter.
    let own = store.models(Some(&user("a")), None).await.unwrap();
    assert_eq!(ids(own), of(&[("own", true)]));
    store.delete_model(&second.model_id).await.unwrap();
    assert_eq!(listed().await, of(&[("p1", true)]));
    store.erase_user(&user("a")).await.unwrap();
    assert_eq!(listed().await, of(&[("p1", true)]));
    let sleep = Some(PredictionMetric::SleepDuration);
    assert!(ids(store.models_of_many_people(sleep).await.unwrap()).is_empty());
}

async fn models_are_those_of_their_person_and_metric<S: Store>(store: &S) {
    a_person(store, "a").await;
    a_person(store, "b").await;
    let sleep = PredictionMetric::SleepDuration;
    for (id, of, metric) in [("m1", "a", RHR), ("m2", "b", RHR), ("m3", "a", sleep)] {
        store.register_model(model(id, of, metric)).await.unwrap();
    }
    let ids = |list: ModelList| -> Vec<String> {
        let mut ids: Vec<_> = list
            .models
            .iter()
            .map(|m| m.model_id.as_str().to_owned())
            .collect();
        ids.sort();
        ids
    };
    assert_eq!(
        ids(store.models(None, None).await.unwrap()),
        ["m1", "m2", "m3"]
    );
    assert_eq!(
        ids(store.models(Some(&user("a")), None).await.unwrap()),
        ["m1", "m3"]
    );
    assert_eq!(
        ids(store.models(Some(&user("a")), Some(sleep)).await.unwrap()),
        ["m3"]
    );
    assert_eq!(
        ids(store.models(None, Some(RHR)).await.unwrap()),
        ["m1", "m2"]
    );
}

async fn an_erased_person_leaves_nothing_and_others_alone<S: Store>(store: &S) {
    for of in ["a", "b"] {
        let records = [
            reading("1", "2024-05-01", 60.0),
            meal("2", "2024-05-01T12:00:00Z", of),
        ];
        store
            .write_records(&user(of), &records, now())
            .await
            .unwrap();
        let id = format!("m_{of}");
        store.register_model(model(&id, of, RHR)).await.unwrap();
        store
            .save_forecast(&forecast(of, &id, "2024-06-02"))
            .await
            .unwrap();
    }
    assert_eq!(orphans(store, "a").await, ["m_a.vcast"]);
    assert_eq!(store.history(&user("a"), None).await.unwrap(), None);
    assert!(
        store
            .models(Some(&user("a")), None)
            .await
            .unwrap()
            .models
            .is_empty()
    );
    assert!(
        store
            .forecasts(&user("a"), RHR, None)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(values(store, "b").await.len(), 2);
    assert_eq!(store.models(None, None).await.unwrap().models.len(), 1);
    assert_eq!(
        store.forecasts(&user("b"), RHR, None).await.unwrap().len(),
        1
    );
    // Whoever comes back is new.
    a_person(store, "a").await;
    assert_eq!(
        store
            .register_model(model("again", "a", RHR))
            .await
            .unwrap()
            .version,
        1
    );
}

/// Erases someone; the files that are nobody's after that.
async fn orphans<S: Store>(store: &S, name: &str) -> Vec<String> {
    let erased = store.erase_user(&user(name)).await.unwrap();
    // Until its files are gone too, it is known who is on the way out.
    assert_eq!(store.pending_erasures().await.unwrap(), [user(name)]);
    assert!(store.finish_erasure(&user(name)).await.unwrap());
    assert!(store.pending_erasures().await.unwrap().is_empty());
    erased.orphaned_files
}

async fn a_shared_file_outlives_one_of_its_people<S: Store>(store: &S) {
    for of in ["a", "b"] {
        a_person(store, of).await;
        let mut shared = model(&format!("m_{of}"), of, RHR);
        "shared.vcast".clone_into(&mut shared.file_name);
        store.register_model(shared).await.unwrap();
    }
    assert!(orphans(store, "a").await.is_empty());
    assert_eq!(orphans(store, "b").await, ["shared.vcast"]);
}

async fn models_and_forecasts_need_a_person<S: Store>(store: &S) {
    let refused = store.register_model(model("m", "nobody", RHR)).await;
    assert!(
        matches!(refused, Err(StoreError::NoSuchUser)),
        "{refused:?}"
    );
    let refused = store
        .save_forecast(&forecast("nobody", "m", "2024-06-02"))
        .await;
    assert!(
        matches!(refused, Err(StoreError::NoSuchUser)),
        "{refused:?}"
    );
}
