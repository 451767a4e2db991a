//! What-if on a real person's days: a change is a change of records.

use crate::real::{Data, RHR, now, person, training};
use chrono::{Days, NaiveDate};
use vitalcast::{
    CounterfactualRequest, CounterfactualTarget, Deletion, EngineError, ErrorKind, FeatureChange,
    FeatureId, Meal, ModelArchitecture, Moment, PredictRequest, PredictionMetric, Provenance,
    Record, RecordFilter, Told, TrajectoryChange, TrajectoryRequest, WhatIfRequest, WhatIfResponse,
    WhatIfScenario, feature_table,
};
use vitalcast_domain::Better;
use vitalcast_insight::scenario::{Change, Changed, Day, Lever};

const ARCHITECTURES: [Option<ModelArchitecture>; 3] = [
    None,
    Some(ModelArchitecture::Theta),
    Some(ModelArchitecture::Linear),
];

fn set(feature: &str, new_value: f64) -> FeatureChange {
    FeatureChange {
        feature_name: feature.to_owned(),
        current_value: None,
        new_value,
        change_description: String::new(),
    }
}

fn scenario(name: &str, changes: Vec<FeatureChange>) -> WhatIfScenario {
    WhatIfScenario {
        scenario_name: name.to_owned(),
        changes,
        added: Vec::new(),
    }
}

/// The last day with a reading, meals and steps: it is changed, and the day after it is forecast.
fn last_full_day(data: &Data) -> NaiveDate {
    let history = data.history();
    let (first, last) = history.span().unwrap();
    let table = feature_table(&history, first, last, now()).unwrap();
    let has = |row: usize, feature: FeatureId| table.value_at(row, feature).is_some();
    let row = (0..table.days())
        .rev()
        .find(|&row| {
            table.own_history(RHR)[row].is_some()
                && has(row, FeatureId::CarbsDaily)
                && has(row, FeatureId::StepsDaily)
                && has(row, FeatureId::SleepDurationLast)
        })
        .unwrap();
    first + Days::new(row as u64)
}

fn ask(day: NaiveDate, scenarios: Vec<WhatIfScenario>) -> WhatIfRequest {
    WhatIfRequest::new(person(), RHR, day + Days::new(1), scenarios)
}

fn a_meal(day: NaiveDate, hour: u32, carbs: f64) -> Record {
    let told = Told::at(Moment::Clock(day.and_hms_opt(hour, 0, 0).unwrap()));
    Record::Meal(Meal {
        provenance: Provenance::told("by hand", "extra", told),
        name: None,
        meal_type: None,
        energy_kcal: Some(4.0 * carbs),
        protein_g: None,
        carbs_g: Some(carbs),
        fat_g: None,
        fiber_g: None,
        sugar_g: None,
    })
}

/// Writes a change into the store.
fn write(data: &Data, changed: &Changed, at: chrono::DateTime<chrono::Utc>) {
    for key in &changed.left_out {
        let filter = RecordFilter {
            source: Some(key.source.clone()),
            source_id: Some(key.source_id.clone()),
            metric: key.metric,
            ..RecordFilter::all(key.kind, vitalcast::all_days())
        };
        let deleted = data
            .engine
            .delete_records(&person(), &filter, Deletion::Permanent)
            .unwrap();
        assert_eq!(deleted, 1, "{key:?}");
    }
    let report = data
        .engine
        .write_records(&person(), changed.added.clone(), at)
        .unwrap();
    assert_eq!(report.added as usize, changed.added.len());
}

#[test]
fn a_change_is_what_its_records_give_when_they_are_written() {
    let data = Data::new();
    for architecture in ARCHITECTURES.into_iter().flatten() {
        data.train(&vitalcast::TrainModelRequest {
            sequence_length: 21,
            ..training(architecture)
        });
    }
    let day = last_full_day(&data);
    let history = data.history();
    let moment = history.profile.evening_of(day);
    let before = Day::new(&history, day, moment).unwrap();
    let changes = vec![
        set("nutrition_carbs_daily", 310.0),
        set("nutrition_late_night_carbs", 80.0),
        set("activity_steps_daily", 14_321.0),
        set("activity_high_intensity_minutes", 45.0),
        set("health_sleep_duration_last", 5.25),
        set("health_rhr_yesterday", 64.0),
        set("RESTING_HEART_RATE", 57.0),
    ];
    let meal = a_meal(day, 13, 60.0);
    let mut all = scenario("all", changes.clone());
    all.added.push(meal.clone());
    let of_library: Vec<Change> = changes
        .iter()
        .map(|of| Change::Set(Lever::named(&of.feature_name).unwrap(), of.new_value))
        .chain([Change::Add(Box::new(meal))])
        .collect();
    let asked = |architecture| WhatIfRequest {
        architecture,
        ..ask(day, vec![all.clone()])
    };
    let predict = |architecture| {
        let request = PredictRequest {
            architecture,
            force_recompute_features: true,
            ..PredictRequest::new(person(), RHR, day + Days::new(1))
        };
        data.engine.predict(&request, moment).unwrap().prediction
    };
    let answers: Vec<WhatIfResponse> = ARCHITECTURES
        .iter()
        .map(|of| data.engine.what_if(&asked(*of), now()).unwrap())
        .collect();
    for (architecture, answer) in ARCHITECTURES.into_iter().zip(&answers) {
        let as_it_is = predict(architecture).predicted_value;
        assert_eq!(as_it_is.to_bits(), answer.baseline_prediction.to_bits());
    }
    write(&data, &before.change(&of_library).unwrap(), moment);
    for (architecture, answer) in ARCHITECTURES.into_iter().zip(&answers) {
        let written = predict(architecture);
        let scenario = &answer.scenarios[0];
        assert_eq!(
            written.predicted_value.to_bits(),
            scenario.predicted_value.to_bits(),
            "{architecture:?}: {} {}",
            written.predicted_value,
            scenario.predicted_value
        );
        let ends = [
            (
                written.confidence_interval_lower,
                scenario.confidence_interval_lower,
            ),
            (
                written.confidence_interval_upper,
                scenario.confidence_interval_upper,
            ),
        ];
        assert!(
            ends.iter()
                .all(|(one, other)| one.to_bits() == other.to_bits())
        );
        assert_ne!(scenario.change_from_baseline, 0.0, "{architecture:?}");
    }
}

#[test]
fn the_day_shows_every_value_that_was_set() {
    let data = Data::new();
    let day = last_full_day(&data);
    for (feature, value) in [
        ("nutrition_calories_daily", 2_345.0),
        ("nutrition_protein_daily", 123.0),
        ("nutrition_carbs_daily", 250.0),
        ("nutrition_fat_daily", 77.0),
        ("nutrition_fiber_daily", 31.0),
        ("nutrition_last_meal_time", 18.5),
        ("nutrition_late_night_carbs", 60.0),
        ("nutrition_late_night_carbs", 0.0),
        ("nutrition_late_night_calories", 500.0),
        ("activity_steps_daily", 12_000.0),
        ("activity_active_minutes_daily", 75.0),
        ("activity_calories_burned_daily", 640.0),
        ("activity_high_intensity_minutes", 40.0),
        ("activity_cardio_minutes_7d", 700.0),
        ("activity_strength_minutes_7d", 90.0),
        ("health_sleep_duration_last", 6.75),
        ("health_rhr_yesterday", 61.0),
        ("STEPS", 9_000.0),
        ("RESTING_HEART_RATE", 63.0),
    ] {
        let request = ask(day, vec![scenario("one", vec![set(feature, value)])]);
        let answer = data.engine.what_if(&request, now()).unwrap();
        let change = &answer.scenarios[0].changes[0];
        let shown = change
            .notes
            .iter()
            .find(|note| note.starts_with("with these"));
        assert_eq!(shown, None, "{feature}");
        assert_eq!(change.new_value, Some(value));
    }
}

#[test]
fn what_the_model_does_not_read_is_said_and_moves_nothing() {
    let data = Data::new();
    let day = last_full_day(&data);
    let eat = scenario("eat", vec![set("nutrition_protein_daily", 200.0)]);
    let answer = data.engine.what_if(&ask(day, vec![eat]), now()).unwrap();
    let scenario = &answer.scenarios[0];
    assert_eq!(answer.architecture, ModelArchitecture::Pooled);
    assert_eq!(
        scenario.predicted_value.to_bits(),
        answer.baseline_prediction.to_bits()
    );
    assert!(!scenario.changes[0].moves_forecast && scenario.is_within_noise);
    let said = answer.warnings.join(" ");
    assert!(
        said.contains("no meals") && said.contains("linear"),
        "{said}"
    );
    assert!(answer.association.contains("does not show a cause"));
}

#[test]
fn a_value_beyond_the_last_90_days_is_told_with_how_far() {
    let data = Data::new();
    let day = last_full_day(&data);
    let run = scenario("run", vec![set("activity_steps_daily", 150_000.0)]);
    let answer = data.engine.what_if(&ask(day, vec![run]), now()).unwrap();
    let change = &answer.scenarios[0].changes[0];
    let told = change.notes.join(" ");
    assert!(
        told.contains("% above your highest of the last 90 days"),
        "{told}"
    );
    assert!(change.usual_high < Some(150_000.0));
}

#[test]
fn what_cannot_be_changed_is_refused_with_a_reason() {
    let data = Data::new();
    let day = last_full_day(&data);
    let refused = |changes: Vec<FeatureChange>| {
        let request = ask(day, vec![scenario("x", changes)]);
        let error = data.engine.what_if(&request, now()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error}");
        error.to_string()
    };
    let twice = || set("nutrition_carbs_daily", 100.0);
    for (changes, reason) in [
        (vec![set("no_such", 2.0)], "no feature that can be set"),
        (
            vec![set("nutrition_protein_7d_avg", 90.0)],
            "nutrition_protein_daily",
        ),
        (vec![set("temporal_month", 3.0)], "calendar"),
        (
            vec![set("nutrition_protein_daily", 9_000.0)],
            "between 0 and 2000 g",
        ),
        (
            vec![set("activity_steps_daily", -1.0)],
            "between 0 and 200000",
        ),
        (vec![twice(), twice()], "set twice"),
        (
            vec![set("STEPS", 1.0), set("activity_steps_daily", 2.0)],
            "set twice",
        ),
        (
            vec![
                set("nutrition_calories_daily", 500.0),
                set("nutrition_fat_daily", 200.0),
            ],
            "contradict",
        ),
        (
            vec![
                set("nutrition_late_night_carbs", 90.0),
                set("nutrition_carbs_daily", 50.0),
            ],
            "contradict",
        ),
    ] {
        let told = refused(changes);
        assert!(told.contains(reason), "{told}");
        assert!(told.contains("\"x\""), "{told}");
    }
}

#[test]
fn a_day_without_records_and_a_day_that_has_not_begun_are_refused() {
    let data = Data::new();
    let last = data.history().span().unwrap().1;
    let eat = || vec![scenario("eat", vec![set("nutrition_protein_daily", 200.0)])];
    let of = |day| data.engine.what_if(&ask(day, eat()), now()).unwrap_err();
    let empty = of(last + Days::new(3));
    assert!(matches!(empty, EngineError::NothingOnDay { .. }), "{empty}");
    assert_eq!(empty.kind(), ErrorKind::NotEnoughData);
    assert!(empty.to_string().contains(&last.to_string()), "{empty}");
    let later = of(now().date_naive() + Days::new(1));
    assert!(later.to_string().contains("must have begun"), "{later}");
}

/// Of sleep, which is no whole number: the model of many people moves with steps and energy burned.
fn counterfactual(day: NaiveDate) -> CounterfactualRequest {
    CounterfactualRequest::new(
        person(),
        PredictionMetric::SleepDuration,
        day + Days::new(1),
    )
}

#[test]
fn what_a_counterfactual_achieves_is_what_the_same_what_if_gives() {
    let data = Data::new();
    let day = last_full_day(&data);
    let answer = data
        .engine
        .counterfactual(&counterfactual(day), now())
        .unwrap();
    let all = std::iter::once(&answer.counterfactual).chain(&answer.alternatives);
    let mut levers = Vec::new();
    for one in all {
        assert!((0.0..=1.0).contains(&one.plausibility_score));
        assert!(
            one.changes.len() <= 3 && !one.changes.is_empty(),
            "{}",
            one.summary
        );
        // Better by what is better for the metric, and inside what the person did.
        assert!(
            one.achieved_prediction > answer.current_prediction,
            "{one:?}"
        );
        assert_eq!(
            one.is_reached,
            one.achieved_prediction >= answer.target_prediction
        );
        let changes: Vec<FeatureChange> = one
            .changes
            .iter()
            .map(|of| set(&of.feature_name, of.suggested_value))
            .collect();
        let request = WhatIfRequest {
            metric: PredictionMetric::SleepDuration,
            ..ask(day, vec![scenario("answer", changes)])
        };
        let same = data.engine.what_if(&request, now()).unwrap();
        let evaluated = &same.scenarios[0];
        let (one, other) = (one.achieved_prediction, evaluated.predicted_value);
        assert_eq!(one.to_bits(), other.to_bits());
        for change in &evaluated.changes {
            assert!(change.usual_low <= change.new_value, "{change:?}");
            assert!(change.new_value <= change.usual_high, "{change:?}");
        }
        levers.extend(evaluated.changes.iter().map(|of| of.feature_name.clone()));
    }
    let count = levers.len();
    levers.sort_unstable();
    levers.dedup();
    assert_eq!(levers.len(), count, "{levers:?}");
}

#[test]
fn a_target_that_is_met_needs_no_change_and_one_out_of_reach_gives_the_nearest() {
    let data = Data::new();
    let day = last_full_day(&data);
    let of = |value: f64| {
        let request = CounterfactualRequest {
            target_type: CounterfactualTarget::TargetValue,
            target_value: Some(value),
            ..counterfactual(day)
        };
        data.engine.counterfactual(&request, now()).unwrap()
    };
    let met = of(3.0);
    assert!(met.counterfactual.changes.is_empty() && met.counterfactual.is_reached);
    assert!(met.counterfactual.summary.contains("already"));
    let far = of(23.5);
    assert!(!far.counterfactual.is_reached);
    assert!(
        far.counterfactual.summary.contains("nearest"),
        "{}",
        far.counterfactual.summary
    );
}

#[test]
fn a_model_that_reads_nothing_that_can_change_says_so() {
    let data = Data::new();
    data.train(&vitalcast::TrainModelRequest {
        sequence_length: 21,
        ..training(ModelArchitecture::Theta)
    });
    let request = CounterfactualRequest {
        metric: RHR,
        architecture: Some(ModelArchitecture::Theta),
        ..counterfactual(last_full_day(&data))
    };
    let answer = data.engine.counterfactual(&request, now()).unwrap();
    assert!(answer.counterfactual.changes.is_empty() && answer.alternatives.is_empty());
    assert!(
        answer
            .counterfactual
            .summary
            .contains("earlier days of the metric")
    );
}

#[test]
fn of_a_day_that_is_not_over_only_what_can_still_be_done_is_suggested() {
    let data = Data::new();
    let day = last_full_day(&data);
    let noon = data.history().profile.start_of_day(day) + chrono::TimeDelta::hours(14);
    let request = counterfactual(day);
    let answer = data.engine.counterfactual(&request, noon).unwrap();
    assert!(!answer.is_day_over);
    let all = std::iter::once(&answer.counterfactual).chain(&answer.alternatives);
    for change in all.flat_map(|of| &of.changes) {
        assert!(
            change.change_amount.is_none_or(|amount| amount > 0.0),
            "{change:?}"
        );
        assert_ne!(change.feature_name, "health_sleep_duration_last");
    }
}

fn trajectory(days: usize, changes: Vec<TrajectoryChange>) -> TrajectoryRequest {
    TrajectoryRequest {
        duration_days: days,
        paths: 20,
        ..TrajectoryRequest::new(person(), vec![RHR], changes)
    }
}

fn delta(feature: &str, delta: f64) -> TrajectoryChange {
    TrajectoryChange {
        feature_name: feature.to_owned(),
        delta,
        change_description: String::new(),
    }
}

#[test]
fn a_trajectory_widens_and_repeats_itself_and_without_changes_is_its_baseline() {
    let data = Data::new();
    let mut request = trajectory(7, Vec::new());
    request.start_date = Some(last_full_day(&data));
    let answer = data.engine.trajectory(&request, now()).unwrap();
    let one = &answer.trajectories[0];
    assert_eq!(one.trajectory.len(), 8);
    let widths: Vec<f64> = one
        .trajectory
        .iter()
        .map(|point| point.confidence_upper - point.confidence_lower)
        .collect();
    assert!(
        widths.is_sorted_by(|left, right| left <= right || left - right < 1e-9),
        "{widths:?}"
    );
    // The first day has a reading, so nothing about it is open.
    assert_eq!(widths[0], 0.0);
    assert!(widths[1] > 0.0);
    assert_eq!(answer.baseline_trajectories.as_ref().unwrap()[0], *one);
    assert_eq!(one.effect, None);
    let again = data.engine.trajectory(&request, now()).unwrap();
    assert_eq!(again, answer);
}

#[test]
fn a_change_every_day_is_made_within_its_limit_and_an_unknown_one_is_told() {
    let data = Data::new();
    let mut request = trajectory(
        7,
        vec![
            delta("nutrition_protein_daily", 900.0),
            delta("nutrition_mystery", 1.0),
            delta("activity_steps_daily", 6_000.0),
        ],
    );
    request.start_date = Some(last_full_day(&data));
    request
        .metrics_to_predict
        .push(PredictionMetric::RecoveryScore);
    let answer = data.engine.trajectory(&request, now()).unwrap();
    assert_eq!(answer.nutrition_changes[0].delta, 100.0);
    let told = answer.data_quality_warning.unwrap();
    assert!(
        told.contains("nutrition_mystery") && told.contains("nutrition_protein_daily"),
        "{told}"
    );
    // Steps are read by the model of many people.
    assert_ne!(answer.trajectories[0].effect, Some(0.0));
    // There are no recovery scores.
    assert_eq!(answer.trajectories.len(), 1);
    assert_eq!(
        answer.skipped_metrics[0].metric,
        PredictionMetric::RecoveryScore
    );
}

#[test]
fn the_best_scenario_is_the_lowest_heart_rate_and_the_longest_sleep() {
    let data = Data::new();
    let day = last_full_day(&data);
    for (metric, reading, low, high) in [
        (RHR, "RESTING_HEART_RATE", 52.0, 66.0),
        (PredictionMetric::SleepDuration, "SLEEP_DURATION", 4.0, 10.0),
    ] {
        let request = WhatIfRequest {
            metric,
            ..ask(
                day,
                vec![
                    scenario("low", vec![set(reading, low)]),
                    scenario("high", vec![set(reading, high)]),
                ],
            )
        };
        let answer = data.engine.what_if(&request, now()).unwrap();
        let values: Vec<f64> = answer
            .scenarios
            .iter()
            .map(|of| of.predicted_value)
            .collect();
        assert!(values[0] < values[1], "{metric}: {values:?}");
        let (best, worst) = match metric.better() {
            Better::Lower => ("low", "high"),
            Better::Higher => ("high", "low"),
        };
        assert_eq!(
            (
                answer.best_scenario.as_str(),
                answer.worst_scenario.as_str()
            ),
            (best, worst)
        );
        assert_eq!(answer.best_value, values[usize::from(best == "high")]);
    }
}
