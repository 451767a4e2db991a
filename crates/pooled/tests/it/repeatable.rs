//! The same people give the same model.

use crate::people::{Kind, design, fit, learners, people};
use vitalcast_pooled::{Person, PooledModel};
use vitalcast_windows::KnownSeries;

const KIND: Kind = Kind {
    days: 60,
    drift: 0.1,
    noise: 1.0,
    missing: 0.2,
    late: true,
    covariates: 3,
};

fn bytes(model: &PooledModel) -> Vec<u8> {
    serde_json::to_vec(model).unwrap()
}

#[test]
fn the_number_of_threads_changes_no_byte() {
    // More rows than one block of the sums has.
    let everyone = people(1..41, KIND);
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        bytes(&pool.install(|| fit(&everyone, 2)))
    };
    let one = on(1);
    assert_eq!(one, on(2));
    assert_eq!(one, on(8));
}

#[test]
fn a_model_written_and_read_is_the_same_and_valid() {
    let model = fit(&people(1..11, KIND), 2);
    let read: PooledModel = serde_json::from_slice(&bytes(&model)).unwrap();
    assert_eq!(read, model);
    assert_eq!(read.validate(), Ok(()));
}

#[test]
fn a_series_without_a_value_is_as_good_as_no_series() {
    let with = |absent: Option<KnownSeries>| {
        let mut everyone = people(1..11, KIND);
        for (number, person) in everyone.iter_mut().enumerate() {
            person.covariates[number % 3] = absent.clone();
        }
        fit(&everyone, 2)
    };
    let nothing = KnownSeries::from(vec![None; KIND.days]);
    assert_eq!(bytes(&with(None)), bytes(&with(Some(nothing))));
}

#[test]
fn the_order_of_covariates_changes_forecasts_only_by_rounding() {
    let everyone = people(1..21, KIND);
    let turned: Vec<Person> = everyone
        .iter()
        .map(|person| {
            let mut person = person.clone();
            person.covariates.rotate_left(1);
            person
        })
        .collect();
    let (one, other) = (fit(&everyone, 2), fit(&turned, 2));
    close(&one, &everyone, &other, &turned);
}

#[test]
fn the_order_of_people_changes_forecasts_only_by_rounding() {
    // Intervals differ a little more: people meet others in their fold.
    let everyone = people(1..21, KIND);
    let mut turned = everyone.clone();
    turned.reverse();
    let (one, other) = (fit(&everyone, 2), fit(&turned, 2));
    close(&one, &everyone, &other, &everyone);
    let mut widths = [0.0; 2];
    for (model, width) in [&one, &other].into_iter().zip(&mut widths) {
        for person in &everyone {
            model.replay(person, 30..=60, 1, |_, forecast| {
                let bounds = forecast.unwrap().distribution.interval(0.8).unwrap();
                *width += bounds.upper - bounds.lower;
            });
        }
    }
    assert!((widths[0] / widths[1] - 1.0).abs() < 0.05, "{widths:?}");
}

/// The longest lead of all models here.
const LEAD: usize = 1;

#[track_caller]
fn close(one: &PooledModel, people: &[Person], other: &PooledModel, same: &[Person]) {
    for (person, same) in people.iter().zip(same) {
        for (day, lead) in [(20, 1), (40, LEAD), (60, 1)] {
            let sum = |model: &PooledModel, person: &Person| {
                let (base, parts) = model.explain(person, day, lead).unwrap();
                base + parts.iter().map(|part| part.amount).sum::<f64>()
            };
            let (left, right) = (sum(one, person), sum(other, same));
            assert!((left - right).abs() < 1e-5, "{left} {right}");
        }
    }
}

#[test]
fn people_who_are_all_of_one_source_give_one_regression_whether_shared_or_not() {
    let everyone = people(1..11, KIND);
    let of = |one_for_all| {
        let learners = learners(&everyone);
        PooledModel::fit(&design(3, 1), &learners, one_for_all).unwrap()
    };
    let (own, shared) = (of(false), of(true));
    assert_eq!(own.sources().collect::<Vec<_>>(), ["watch"]);
    close(&own, &everyone, &shared, &everyone);
}
