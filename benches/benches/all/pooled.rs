//! A pooled model of many people's days: fitting with its calibration, and a replay of one person. Guards
//! the fit of 1,000 people × 365 days, 20 covariates, 7 days ahead, in about 7 s on two cores. (10,000
//! people: `cargo run --release -p vitalcast-pooled --example many_people`.)

use criterion::Criterion;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::cell::LazyCell;
use std::hint::black_box;
use vitalcast_pooled::{Covariate, Design, Learner, Person, PooledModel, Transform};
use vitalcast_windows::KnownSeries;

const DAYS: usize = 365;
const COVARIATES: usize = 20;
const HORIZON: usize = 7;

/// A level that wanders; one day in eight is missing.
fn person(number: u64) -> Person {
    let mut random = ChaCha8Rng::seed_from_u64(number);
    let mut level: f64 = random.random_range(50.0..70.0);
    let mut series = Vec::with_capacity(DAYS);
    let mut others = vec![Vec::new(); COVARIATES];
    for _ in 0..DAYS {
        level += random.random_range(-0.6..0.6);
        let value = level + random.random_range(-3.0..3.0);
        series.push(random.random_bool(0.875).then_some(value));
        for other in &mut others {
            let reading = 0.3 * level + random.random_range(-9.0..9.0);
            other.push(random.random_bool(0.875).then_some(reading));
        }
    }
    Person {
        first_weekday: 0,
        source: "watch".to_owned(),
        series: KnownSeries::from(series),
        covariates: others
            .into_iter()
            .map(|other| Some(KnownSeries::from(other)))
            .collect(),
    }
}

fn fit(people: &[Person]) -> PooledModel {
    let learners: Vec<Learner<'_>> = people
        .iter()
        .map(|person| Learner {
            person,
            targets: 0..DAYS,
        })
        .collect();
    let design = Design {
        transform: Transform::Identity,
        own_penalty: 100.0,
        covariates: (0..COVARIATES)
            .map(|place| Covariate {
                name: format!("series {place}"),
                transform: Transform::Identity,
                penalty: 300.0,
            })
            .collect(),
        horizon: HORIZON,
        without: None,
    };
    PooledModel::fit(&design, &learners, false).unwrap()
}

pub(crate) fn benches(criterion: &mut Criterion) {
    let count = if crate::is_quick() { 6 } else { 1_000 };
    let people = LazyCell::new(|| (0..count).map(person).collect::<Vec<Person>>());
    let model = LazyCell::new(|| fit(&people[..people.len().min(100)]));
    let mut group = criterion.benchmark_group("pooled");
    group.sample_size(10);
    group.bench_function("fit, 1,000 people, 365 days", |bencher| {
        let people = &*people;
        bencher.iter(|| black_box(fit(black_box(people))));
    });
    group.bench_function("replay, one person, 365 days", |bencher| {
        let (model, one) = (&*model, &people[0]);
        bencher.iter(|| {
            let mut sum = 0.0;
            model.replay(black_box(one), 0..=DAYS, 1, |_, forecast| {
                sum += forecast.map_or(0.0, |forecast| forecast.distribution.value());
            });
            sum
        });
    });
    group.finish();
}
