//! Networks of simulated people.

use super::*;
use vitalcast_pooled::{Corrected, Correction, Design, Person, Transform};
use vitalcast_windows::KnownSeries;

/// Days around a level of 60, of which the next follows from the last one and from noise.
fn people(count: u64, days: usize, next: fn(f64, f64) -> f64) -> Vec<Person> {
    (1..=count)
        .map(|seed| {
            let mut state = seed;
            let mut deviation = 0.0;
            let values = (0..days).map(|_| {
                // Numerical Recipes' linear congruential generator: any noise will do.
                state = (1_664_525 * state + 1_013_904_223) % (1 << 32);
                let noise = 2.0 * (state as f64 / f64::from(u32::MAX)) - 1.0;
                deviation = next(deviation, noise);
                Some(60.0 + seed as f64 + deviation)
            });
            Person {
                first_weekday: 0,
                source: "watch".to_owned(),
                series: KnownSeries::from(values.collect::<Vec<_>>()),
                covariates: Vec::new(),
            }
        })
        .collect()
}

fn learners(people: &[Person]) -> Vec<Learner<'_>> {
    let of = |person| Learner {
        person,
        targets: 0..Person::days(person),
    };
    people.iter().map(of).collect()
}

fn model(people: &[Person]) -> PooledModel {
    let design = Design {
        transform: Transform::Identity,
        own_penalty: 100.0,
        covariates: Vec::new(),
        horizon: 1,
        without: None,
    };
    PooledModel::fit(&design, &learners(people), false).unwrap()
}

fn fit<'a>(model: &'a PooledModel, people: &[Person], seed: u64) -> PooledLstm<'a> {
    let go_on = &mut |_: &EpochReport| ControlFlow::Continue(());
    let fitted = PooledLstm::fit(model, &learners(people), seed, go_on);
    fitted.unwrap().unwrap()
}

/// The mean absolute error one day ahead.
fn error(model: &PooledModel, correction: Option<&dyn Correction>, person: &Person) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    let days = 20..=person.days() - 1;
    Corrected { model, correction }.replay(person, days, 1, |day, forecast| {
        let forecast = forecast.unwrap().distribution.value();
        sum += (forecast - person.series.value(day, day).unwrap()).abs();
        count += 1.0;
    });
    sum / count
}

/// Far below the level after a day far from it, on either side: no line tells that.
fn turning(deviation: f64, noise: f64) -> f64 {
    1.5 - 2.0 * deviation.abs().min(1.5) + 0.5 * noise
}

#[test]
fn what_no_line_tells_is_learned_from_others_and_believed() {
    let everyone = people(16, 80, turning);
    let (unseen, seen) = everyone.split_at(2);
    let model = model(seen);
    let lstm = fit(&model, seen, 1);
    assert!(lstm.share > 0.5, "{}", lstm.share);
    for person in unseen {
        let nothing_of_it = Learner {
            person,
            targets: 0..0,
        };
        let network = lstm.of_person(&nothing_of_it).unwrap();
        let (alone, corrected) = (
            error(&model, None, person),
            error(&model, Some(&network), person),
        );
        assert!(corrected < 0.9 * alone, "{corrected} {alone}");
    }
}

#[test]
fn where_there_is_nothing_to_learn_nothing_is_believed() {
    let everyone = people(10, 60, |_, noise| noise);
    let model = model(&everyone);
    let lstm = fit(&model, &everyone, 1);
    assert_eq!(lstm.share, 0.0);
    let learners = learners(&everyone);
    let network = lstm.of_person(&learners[0]).unwrap();
    let person = &everyone[0];
    let of = |correction| error(&model, correction, person).to_bits();
    assert_eq!(of(None), of(Some(&network)));
}

#[test]
fn threads_change_no_bit_of_a_persons_network_and_the_seed_does() {
    let everyone = people(8, 40, turning);
    let model = model(&everyone);
    let weights = |threads: usize, seed: u64| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.unwrap().install(|| {
            let mut lstm = fit(&model, &everyone, seed);
            // So that the person's own days are learned from, too.
            lstm.fine_tuning = 0.5;
            let network = lstm.of_person(&learners(&everyone)[3]).unwrap();
            network.network().weights().to_vec()
        })
    };
    let one = weights(1, 1);
    assert!(one == weights(2, 1));
    assert!(one != weights(2, 2));
}

#[test]
fn a_fine_tuning_moves_the_weights_as_far_as_it_is_believed() {
    let everyone = people(8, 40, turning);
    let model = model(&everyone);
    let learners = learners(&everyone);
    let mut lstm = fit(&model, &everyone, 1);
    let mut weights = |fine_tuning: f64| {
        lstm.fine_tuning = fine_tuning;
        let network = lstm.of_person(&learners[3]).unwrap();
        network.network().weights()[..100].to_vec()
    };
    let (none, half, whole) = (weights(0.0), weights(0.5), weights(1.0));
    assert!(none != whole);
    for ((none, half), whole) in none.iter().zip(half).zip(whole) {
        assert!((half - (none + whole) / 2.0).abs() < 1e-6);
    }
}

#[test]
fn people_with_too_few_days_for_a_lead_give_no_network() {
    let everyone = people(6, 8, turning);
    let design = Design {
        horizon: 7,
        ..model(&everyone).design().clone()
    };
    let learners = learners(&everyone);
    let model = PooledModel::fit(&design, &learners, false).unwrap();
    let go_on = &mut |_: &EpochReport| ControlFlow::Continue(());
    assert!(
        PooledLstm::fit(&model, &learners, 1, go_on)
            .unwrap()
            .is_none()
    );
    let stop = &mut |_: &EpochReport| ControlFlow::Break(());
    let longer = people(6, 30, turning);
    let model = self::model(&longer);
    let stopped = PooledLstm::fit(&model, &self::learners(&longer), 1, stop);
    assert!(matches!(stopped, Err(TrainingError::Cancelled)));
}
