//! What-if and counterfactual of one person, from a data folder. Guards: a what-if of one scenario in under
//! 10 ms, a counterfactual of the default settings in under 500 ms.

use criterion::Criterion;
use std::ops::ControlFlow;
use std::path::Path;
use vitalcast::{
    CounterfactualRequest, Engine, FeatureChange, ImportSettings, PredictionMetric, UserId,
    WhatIfRequest, WhatIfScenario,
};

/// A person of T1D-UOM with meals, activity, nights and resting heart rate: 103 days.
const PERSON: &str = "2306";

pub(crate) fn benches(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::open(folder.path()).unwrap();
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/t1d-uom");
    let now = "2026-01-01T12:00:00Z".parse().unwrap();
    let mut go_on = |_, _| ControlFlow::Continue(());
    engine
        .import(&[fixture], &ImportSettings::default(), now, &mut go_on)
        .unwrap();
    let user: UserId = PERSON.parse().unwrap();
    let target = engine.next_day(&user, now).unwrap();
    let metric = PredictionMetric::SleepDuration;
    let change = FeatureChange {
        feature_name: "activity_steps_daily".to_owned(),
        current_value: None,
        new_value: 12_000.0,
        change_description: String::new(),
    };
    let scenario = WhatIfScenario {
        scenario_name: "a long walk".to_owned(),
        changes: vec![change],
        added: Vec::new(),
    };
    let what_if = WhatIfRequest::new(user.clone(), metric, target, vec![scenario]);
    let counterfactual = CounterfactualRequest::new(user, metric, target);
    let mut group = criterion.benchmark_group("what-if");
    group.bench_function("one scenario", |bencher| {
        bencher.iter(|| engine.what_if(&what_if, now).unwrap());
    });
    group.sample_size(20);
    group.bench_function("counterfactual", |bencher| {
        bencher.iter(|| engine.counterfactual(&counterfactual, now).unwrap());
    });
    group.finish();
}
