//! What every store does with forecasts; run with the other cases of `conformance`.

use crate::conformance::a_person;
use crate::samples::{day, forecast, now, user};
use chrono::TimeDelta;
use vitalcast_domain::{PredictionMetric, RecordKind};
use vitalcast_store::{Deletion, RecordFilter, Store};

const RHR: PredictionMetric = PredictionMetric::RestingHeartRate;

pub(crate) async fn forecasts_wait_for_their_outcome<S: Store>(store: &S) {
    a_person(store, "a").await;
    for target in ["2024-06-03", "2024-06-02"] {
        store
            .save_forecast(&forecast("a", "m1", target))
            .await
            .unwrap();
    }
    let pending = store.forecasts(&user("a"), RHR, None).await.unwrap();
    let days: Vec<_> = pending
        .iter()
        .map(|forecast| forecast.target_date)
        .collect();
    assert_eq!(days, [day("2024-06-02"), day("2024-06-03")]);
    assert_eq!(
        (pending[0].value, pending[0].lower, pending[0].upper),
        (61.5, 58.0, 65.0)
    );
    store
        .fill_outcomes(&[(pending[0].id, Some(60.25), now())])
        .await
        .unwrap();
    let all = store.forecasts(&user("a"), RHR, None).await.unwrap();
    assert_eq!([all[0].actual, all[1].actual], [Some(60.25), None]);
    let days = day("2024-06-03")..=day("2024-06-09");
    let some = store.forecasts(&user("a"), RHR, Some(days)).await.unwrap();
    assert_eq!(some, all[1..]);
    let sleep = store
        .forecasts(&user("a"), PredictionMetric::SleepDuration, None)
        .await
        .unwrap();
    assert!(sleep.is_empty());
    // What it was is not known any more.
    store
        .fill_outcomes(&[(pending[0].id, None, now())])
        .await
        .unwrap();
    assert_eq!(
        store.forecasts(&user("a"), RHR, None).await.unwrap(),
        pending
    );
}

pub(crate) async fn deleting_readings_takes_outcomes_away<S: Store>(store: &S) {
    a_person(store, "a").await;
    for target in ["2024-06-02", "2024-06-03"] {
        let forecast = forecast("a", "m1", target);
        store.save_forecast(&forecast).await.unwrap();
    }
    let kept = store.forecasts(&user("a"), RHR, None).await.unwrap();
    let outcomes: Vec<_> = kept
        .iter()
        .map(|forecast| (forecast.id, Some(60.0), now()))
        .collect();
    store.fill_outcomes(&outcomes).await.unwrap();
    let delete = |kind| RecordFilter::all(kind, day("2024-06-03")..=day("2024-06-09"));
    let actual = async || -> Vec<Option<f64>> {
        let all = store.forecasts(&user("a"), RHR, None).await.unwrap();
        all.iter().map(|forecast| forecast.actual).collect()
    };
    let meals = delete(RecordKind::Meal);
    store
        .delete_records(&user("a"), &meals, Deletion::Permanent)
        .await
        .unwrap();
    assert_eq!(actual().await, [Some(60.0), Some(60.0)]);
    let readings = delete(RecordKind::HealthMetric);
    store
        .delete_records(&user("a"), &readings, Deletion::Permanent)
        .await
        .unwrap();
    assert_eq!(actual().await, [Some(60.0), None]);
}

pub(crate) async fn asking_again_and_again_keeps_one_forecast_an_hour<S: Store>(store: &S) {
    a_person(store, "a").await;
    for minutes in 0..150 {
        for level in [0.8, 0.95] {
            let asked = vitalcast_store::NewForecast {
                as_of: now() + TimeDelta::minutes(minutes),
                level,
                ..forecast("a", "m1", "2024-06-02")
            };
            store.save_forecasts(&[asked]).await.unwrap();
        }
    }
    let kept = store.forecasts(&user("a"), RHR, None).await.unwrap();
    assert!(kept.len() <= 3, "{}", kept.len());
    let last = kept.last().unwrap();
    assert_eq!(last.as_of, now() + TimeDelta::minutes(149));
    assert_eq!(last.level, 0.95);
}

pub(crate) async fn the_same_forecast_again_changes_nothing<S: Store>(store: &S) {
    a_person(store, "a").await;
    let first = forecast("a", "m1", "2024-06-02");
    store.save_forecast(&first).await.unwrap();
    let kept = store.forecasts(&user("a"), RHR, None).await.unwrap();
    store
        .fill_outcomes(&[(kept[0].id, Some(60.0), now())])
        .await
        .unwrap();
    store.save_forecast(&first).await.unwrap();
    let kept = store.forecasts(&user("a"), RHR, None).await.unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].actual, Some(60.0), "the outcome stays");
    let other_moment = vitalcast_store::NewForecast {
        as_of: now() - TimeDelta::days(1),
        ..first
    };
    store.save_forecast(&other_moment).await.unwrap();
    assert_eq!(
        store.forecasts(&user("a"), RHR, None).await.unwrap().len(),
        2
    );
}
