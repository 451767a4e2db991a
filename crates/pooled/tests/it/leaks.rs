//! Nothing that was not known the evening before reaches a forecast, and nothing after the last target a
//! fit.

use crate::people::{Kind, LATE, Random, design, fit, forecasts, people, person};
use proptest::prelude::*;
use std::sync::LazyLock;
use vitalcast_pooled::{Learner, Person, PooledModel};
use vitalcast_windows::{KnownSeries, LaterValue};

static MODEL: LazyLock<PooledModel> = LazyLock::new(|| fit(&people(1..13, LATE), 3));

/// What is known on evenings before `day` stays; all else becomes garbage, and more of it comes later.
fn garbage_from(series: &KnownSeries, day: usize, random: &mut Random) -> KnownSeries {
    let mut wild = || (random.uniform() < 0.8).then(|| 1e4 * random.normal());
    let first = series.known(0..series.days(), 0);
    let values: Vec<Option<f64>> = (0..series.days())
        .map(|at| if at < day { first[at] } else { wild() })
        .collect();
    let mut later: Vec<LaterValue> = Vec::new();
    for at in 0..day.min(series.days()) {
        let kept = series
            .later()
            .iter()
            .filter(|value| value.day == at && value.from < day);
        later.extend(kept.copied());
        later.push(LaterValue {
            day: at,
            from: day.max(at + 1),
            value: wild(),
        });
    }
    KnownSeries::new(values, later).unwrap()
}

fn garbage_person(person: &Person, day: usize, random: &mut Random) -> Person {
    Person {
        series: garbage_from(&person.series, day, random),
        covariates: person
            .covariates
            .iter()
            .map(|series| {
                series
                    .as_ref()
                    .map(|series| garbage_from(series, day, random))
            })
            .collect(),
        ..person.clone()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn garbage_on_and_after_a_day_changes_no_forecast_of_it_or_before(
        seed in 100_u64..100_000, day in 1_usize..60, lead in 1_usize..4,
    ) {
        let person = person(seed, LATE);
        let wild = garbage_person(&person, day, &mut Random(seed + 77));
        let before = forecasts(&MODEL, &person, 0..=day, lead);
        prop_assert_eq!(before, forecasts(&MODEL, &wild, 0..=day, lead));
        let explained = MODEL.explain(&person, day, lead);
        prop_assert_eq!(explained, MODEL.explain(&wild, day, lead));
    }

    #[test]
    fn a_replay_with_late_values_is_what_each_evening_knew(seed in 100_u64..100_000, lead in 1_usize..4) {
        let person = person(seed, LATE);
        let replayed = forecasts(&MODEL, &person, 0..=person.days(), lead);
        for (day, replayed) in replayed.into_iter().enumerate() {
            let snapshot = person.as_known(day.saturating_sub(1), day);
            let alone = forecasts(&MODEL, &snapshot, day..=day, lead);
            prop_assert_eq!(&alone[0], &replayed, "day {}", day);
        }
    }

    #[test]
    fn a_forecast_says_what_it_is_made_of(seed in 100_u64..100_000, day in 0_usize..61, lead in 1_usize..4) {
        let person = person(seed, LATE);
        let mut forecast = None;
        MODEL.replay(&person, day..=day, lead, |_, found| forecast = found);
        let explained = MODEL.explain(&person, day, lead);
        prop_assert_eq!(forecast.is_some(), explained.is_some());
        if let (Some(forecast), Some((base, parts))) = (forecast, explained) {
            let sum = base + parts.iter().map(|part| part.amount).sum::<f64>();
            prop_assert!((sum - forecast.distribution.value()).abs() < 1e-9);
            prop_assert!(parts.windows(2).all(|pair| pair[0].amount.abs() >= pair[1].amount.abs()));
        }
    }
}

#[test]
fn days_after_the_last_target_never_reach_a_fit() {
    let kept = people(1..11, LATE);
    let end = 45;
    let of = |people: &[Person]| {
        let learners: Vec<Learner<'_>> = people
            .iter()
            .enumerate()
            // Half of the people are scored from day 45 on.
            .map(|(place, person)| Learner {
                person,
                targets: 0..if place % 2 == 0 { end } else { person.days() },
            })
            .collect();
        PooledModel::fit(&design(2, 3), &learners, false).unwrap()
    };
    let mut random = Random(5);
    let changed: Vec<Person> = kept
        .iter()
        .enumerate()
        .map(|(place, person)| {
            if place % 2 == 0 {
                // Labels are read as known on the evening of day `end`.
                let day = |series: &KnownSeries, random: &mut Random| {
                    let mut wild = garbage_from(series, end + 1, random);
                    let mut first = wild.known(0..series.days(), 0).into_owned();
                    first[end] = Some(1e5);
                    wild = KnownSeries::new(first, wild.later().to_vec()).unwrap();
                    wild
                };
                Person {
                    series: day(&person.series, &mut random),
                    covariates: person
                        .covariates
                        .iter()
                        .map(|series| series.as_ref().map(|series| day(series, &mut random)))
                        .collect(),
                    ..person.clone()
                }
            } else {
                person.clone()
            }
        })
        .collect();
    assert_ne!(kept[0].series, changed[0].series);
    assert_eq!(of(&kept), of(&changed));
}

#[test]
fn days_before_the_first_target_are_read_but_not_forecast() {
    let everyone = people(1..9, LATE);
    let from = |start: usize| {
        let learners: Vec<Learner<'_>> = everyone
            .iter()
            .map(|person| Learner {
                person,
                targets: start..person.days(),
            })
            .collect();
        PooledModel::fit(&design(2, 1), &learners, false).unwrap()
    };
    assert!(from(40).rows() < from(0).rows() / 2);
    assert!(from(40).rows() > 0);
}

/// The mean absolute error, and that of the last value known.
fn error(model: &PooledModel, people: &[Person]) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for person in people {
        model.replay(person, 0..=person.days() - 1, 1, |day, forecast| {
            if let (Some(forecast), Some(value)) = (forecast, person.series.value(day, usize::MAX))
            {
                sum += (forecast.distribution.value() - value).abs();
                count += 1.0;
            }
        });
    }
    sum / count
}

/// A covariate of a day equal to the value of the day after it, known `delay` days after its own evening.
fn with_tomorrow(mut person: Person, delay: usize) -> Person {
    let days = person.series.days();
    let tomorrow: Vec<Option<f64>> = (0..days)
        .map(|day| {
            (day + 1 < days)
                .then(|| person.series.value(day + 1, usize::MAX))
                .flatten()
        })
        .collect();
    let series = if delay == 0 {
        KnownSeries::from(tomorrow)
    } else {
        let later = (0..days)
            .map(|day| LaterValue {
                day,
                from: day + delay,
                value: tomorrow[day],
            })
            .collect();
        KnownSeries::new(vec![None; days], later).unwrap()
    };
    person.covariates = vec![Some(series)];
    person
}

#[test]
fn a_covariate_that_is_tomorrows_value_helps_only_where_it_is_known_today() {
    let kind = Kind {
        covariates: 0,
        days: 120,
        missing: 0.05,
        ..Kind::default()
    };
    let plain = people(1..31, kind);
    let planted = |delay: usize| -> Vec<Person> {
        plain
            .iter()
            .map(|person| with_tomorrow(person.clone(), delay))
            .collect()
    };
    let (known, hidden) = (planted(0), planted(1));
    let without = error(&fit(&plain, 1), &plain);
    let told = error(&fit(&known, 1), &known);
    let late = error(&fit(&hidden, 1), &hidden);
    assert!(told < 0.8 * without, "{told} {without}");
    assert!(late > 0.97 * without, "{late} {without}");
}
