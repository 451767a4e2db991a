//! Explanations of every architecture on a real person's days, and of people with a known effect.

use crate::architectures::of_one_person;
use crate::real::{Data, RHR, day, now, person, training};
use vitalcast::{
    EngineError, ErrorKind, ExplainRequest, ExplainResponse, ExplanationComputation,
    ExplanationGrouping, GlobalImportanceRequest, ImpactDirection, ImportanceMethod,
    ModelArchitecture, PredictRequest, TrainModelRequest, TreeBackground,
};

/// A day with readings before it.
const TARGET: &str = "2024-01-02";

fn request(architecture: ModelArchitecture) -> ExplainRequest {
    ExplainRequest {
        architecture: Some(architecture),
        top_k: 51,
        evaluations: 256,
        ..ExplainRequest::new(person(), RHR, day(TARGET))
    }
}

fn train(data: &Data, architecture: ModelArchitecture) -> vitalcast::TrainModelResponse {
    data.train(&TrainModelRequest {
        sequence_length: 14.max(architecture.least_days_read()),
        ..training(architecture)
    })
}

#[track_caller]
fn adds_up(answer: &ExplainResponse) {
    let listed: f64 = answer
        .feature_importances
        .iter()
        .map(|one| one.contribution)
        .sum();
    let sum = answer.baseline_value + listed + answer.other_contributions;
    let off = (sum - answer.predicted_value).abs();
    assert!(off < 1e-5, "{}: {off}", answer.architecture);
}

#[test]
fn every_architecture_adds_up_to_the_forecast_that_is_served() {
    let data = Data::new();
    for architecture in of_one_person() {
        train(&data, architecture);
        let request = request(architecture);
        let answer = data.engine.explain(&request, now()).unwrap();
        let query = PredictRequest {
            architecture: Some(architecture),
            ..PredictRequest::new(person(), RHR, day(TARGET))
        };
        let served = data.engine.predict(&query, now()).unwrap().prediction;
        assert_eq!(
            answer.predicted_value.to_bits(),
            served.predicted_value.to_bits(),
            "{architecture}"
        );
        assert_eq!(answer.as_of, served.as_of);
        assert_eq!(answer.model_id, served.model_id);
        adds_up(&answer);
        assert!(!answer.feature_importances.is_empty(), "{architecture}");
        for (place, one) in answer.feature_importances.iter().enumerate() {
            assert_eq!(one.rank, place + 1);
            assert_eq!(one.shap_value, Some(one.contribution));
            let category = one.feature_category.as_str();
            assert!(one.feature_name.starts_with(category), "{one:?}");
        }
        assert_eq!(answer.exact, !architecture.is_network(), "{architecture}");
        assert!(answer.association.contains("does not show a cause"));
        assert!(!answer.summary.contains("because"), "{}", answer.summary);
        assert_eq!(answer.learned_share.is_some(), architecture.is_network());
        let averages = architecture == ModelArchitecture::Average;
        assert_eq!(answer.members.len(), if averages { 3 } else { 0 });
        // The same bytes again, not only from the cache.
        let again = data.engine.explain(
            &ExplainRequest {
                top_k: 50,
                ..request.clone()
            },
            now(),
        );
        let again = again.unwrap();
        let bytes = |answer: &ExplainResponse| {
            let listed = &answer.feature_importances;
            serde_json::to_string(&listed[..listed.len().min(50)]).unwrap()
        };
        assert_eq!(bytes(&answer), bytes(&again), "{architecture}");
        let json = serde_json::to_string(&answer).unwrap();
        assert!(!json.contains("NaN"));
        // Other methods.
        for method in [ImportanceMethod::Lime, ImportanceMethod::Permutation] {
            let answer = data
                .engine
                .explain(
                    &ExplainRequest {
                        method,
                        ..request.clone()
                    },
                    now(),
                )
                .unwrap();
            assert_eq!(answer.predicted_value, served.predicted_value);
            assert!(
                answer
                    .feature_importances
                    .iter()
                    .all(|one| { one.shap_value.is_none() && one.importance_score.is_finite() })
            );
        }
    }
}

#[test]
fn a_day_and_a_feature_on_some_days_add_up_too() {
    let data = Data::new();
    for architecture in [ModelArchitecture::Linear, ModelArchitecture::Theta] {
        train(&data, architecture);
        let by = |grouping| {
            let request = ExplainRequest {
                grouping,
                ..request(architecture)
            };
            data.engine.explain(&request, now()).unwrap()
        };
        let days = by(ExplanationGrouping::Day);
        let sum: f64 = days.by_day.iter().map(|day| day.contribution).sum();
        let lookback = if architecture == ModelArchitecture::Theta {
            14.max(architecture.least_days_read())
        } else {
            14
        };
        assert_eq!(days.by_day.len(), lookback);
        assert_eq!(days.by_day[lookback - 1].day_date, day("2024-01-01"));
        let both = by(ExplanationGrouping::Both);
        let of_both: f64 = both
            .by_feature_and_days
            .iter()
            .map(|one| one.contribution)
            .sum();
        // The game of windows has one base, whatever its players.
        assert!(
            (sum - of_both).abs() < 1e-5,
            "{architecture}: {sum} {of_both}"
        );
    }
    let pooled = ExplainRequest {
        grouping: ExplanationGrouping::Day,
        ..request(ModelArchitecture::Pooled)
    };
    let error = data.engine.explain(&pooled, now()).unwrap_err();
    assert_eq!(error.code(), "NOT_BY_DAY");
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
}

#[test]
fn what_a_network_never_saw_has_nothing() {
    let data = Data::new();
    train(&data, ModelArchitecture::Lstm);
    let answer = data
        .engine
        .explain(&request(ModelArchitecture::Lstm), now())
        .unwrap();
    // This person tracks no cycle.
    let cycle = answer
        .feature_importances
        .iter()
        .find(|one| one.feature_name == "temporal_menstrual_cycle_day");
    let cycle = cycle.unwrap();
    assert_eq!(cycle.contribution.to_bits(), 0.0_f64.to_bits());
    assert_eq!(cycle.standard_error, Some(0.0));
    assert_eq!(cycle.feature_value, None);
    assert_eq!(cycle.impact_direction, ImpactDirection::Neutral);
}

#[test]
fn attention_is_given_out_where_there_is_any() {
    let data = Data::new();
    train(&data, ModelArchitecture::LstmAttention);
    train(&data, ModelArchitecture::Lstm);
    let of = |architecture| {
        let request = ExplainRequest {
            method: ImportanceMethod::Attention,
            ..request(architecture)
        };
        data.engine.explain(&request, now())
    };
    let answer = of(ModelArchitecture::LstmAttention).unwrap();
    let weights = answer.attention.unwrap();
    assert_eq!(weights.days.len(), 14);
    let sum: f64 = weights.days.iter().map(|day| day.attention_score).sum();
    assert!((sum - 1.0).abs() < 1e-5, "{sum}");
    assert_eq!(weights.days[13].day_date, day("2024-01-01"));
    assert_eq!(weights.most_important_days.len(), 3);
    assert!(answer.feature_importances.is_empty());
    let error = of(ModelArchitecture::Lstm).unwrap_err();
    assert_eq!(error.code(), "NO_ATTENTION");
    assert!(error.to_string().contains("lstm_attention"), "{error}");
}

#[test]
fn boosted_trees_say_against_what_they_are_explained() {
    let data = Data::new();
    train(&data, ModelArchitecture::Xgboost);
    let of = |tree_background| {
        let request = ExplainRequest {
            tree_background,
            ..request(ModelArchitecture::Xgboost)
        };
        data.engine.explain(&request, now()).unwrap()
    };
    let path = of(TreeBackground::PathDependent);
    assert_eq!(path.computation, ExplanationComputation::TreePathDependent);
    let against = of(TreeBackground::Interventional);
    assert_eq!(
        against.computation,
        ExplanationComputation::TreeInterventional
    );
    adds_up(&path);
    adds_up(&against);
    assert_ne!(path.feature_importances, against.feature_importances);
}

#[test]
fn what_cannot_be_explained_says_why() {
    let data = Data::new();
    let explain = |request: &ExplainRequest| data.engine.explain(request, now()).unwrap_err();
    let too_many = ExplainRequest {
        top_k: 52,
        ..request(ModelArchitecture::Naive)
    };
    assert!(matches!(explain(&too_many), EngineError::Request(_)));
    let error = explain(&request(ModelArchitecture::Ets));
    assert_eq!(error.code(), "NO_MODEL");
    let nobody = ExplainRequest {
        user_id: "nobody".parse().unwrap(),
        ..request(ModelArchitecture::Naive)
    };
    assert_eq!(explain(&nobody).code(), "UNKNOWN_USER");
    train(&data, ModelArchitecture::Naive);
    let long_ago = ExplainRequest {
        target_date: day("2001-01-01"),
        ..request(ModelArchitecture::Naive)
    };
    assert_eq!(explain(&long_ago).code(), "NOT_ENOUGH_DATA");
    let unknown = GlobalImportanceRequest::new("no-such-model".parse().unwrap());
    let error = data.engine.global_importance(&unknown, now()).unwrap_err();
    assert_eq!(error.code(), "UNKNOWN_MODEL");
}

#[test]
fn a_model_is_explained_over_its_test_days() {
    let data = Data::new();
    for architecture in [
        ModelArchitecture::Linear,
        ModelArchitecture::Xgboost,
        ModelArchitecture::Average,
    ] {
        let model = train(&data, architecture).model_id;
        for method in [ImportanceMethod::Shap, ImportanceMethod::Permutation] {
            let request = GlobalImportanceRequest {
                method,
                evaluations: 128,
                ..GlobalImportanceRequest::new(model.clone())
            };
            let answer = data.engine.global_importance(&request, now()).unwrap();
            assert!(answer.days >= 5 && answer.on_test_days, "{answer:?}");
            assert_eq!(answer.people, 1);
            let shares = answer.nutrition_importance
                + answer.activity_importance
                + answer.health_importance
                + answer.temporal_importance
                + answer.interaction_importance;
            let is_some = answer
                .feature_importances
                .iter()
                .any(|one| one.mean_importance > 0.0);
            let expected = if is_some { 1.0 } else { 0.0 };
            assert!((shares - expected).abs() < 1e-9, "{architecture} {shares}");
            let means: Vec<f64> = answer
                .feature_importances
                .iter()
                .map(|one| one.mean_importance)
                .collect();
            assert!(means.is_sorted_by(|a, b| a >= b), "{means:?}");
            let again = data.engine.global_importance(&request, now()).unwrap();
            assert_eq!(answer, again);
        }
    }
    let attention = GlobalImportanceRequest {
        method: ImportanceMethod::Attention,
        ..GlobalImportanceRequest::new(train(&data, ModelArchitecture::Naive).model_id)
    };
    let error = data
        .engine
        .global_importance(&attention, now())
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
}

#[test]
fn the_model_of_many_people_is_explained_over_people() {
    let data = Data::new();
    let query = PredictRequest::new(person(), RHR, day(TARGET));
    let served = data.engine.predict(&query, now()).unwrap().prediction;
    let request = GlobalImportanceRequest::new(served.model_id);
    let answer = data.engine.global_importance(&request, now()).unwrap();
    assert!(answer.people >= 1 && !answer.on_test_days, "{answer:?}");
    assert!(answer.feature_importances[0].mean_importance > 0.0);
}
