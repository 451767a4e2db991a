//! Few people, few days, odd days.

use crate::people::{Kind, Random, design, fit, learners, people, person};
use vitalcast_pooled::{Learner, Person, PooledError, PooledForecast, PooledModel, Transform};
use vitalcast_windows::KnownSeries;

const PLAIN: Kind = Kind {
    days: 90,
    drift: 0.2,
    noise: 1.0,
    missing: 0.1,
    late: false,
    covariates: 0,
};

fn of_values(values: Vec<Option<f64>>) -> Person {
    Person {
        first_weekday: 0,
        source: "watch".to_owned(),
        series: KnownSeries::from(values),
        covariates: Vec::new(),
    }
}

fn last_forecast(model: &PooledModel, person: &Person) -> Option<PooledForecast> {
    let mut found = None;
    let day = person.days();
    model.replay(person, day..=day, 1, |_, forecast| found = forecast);
    found
}

fn width(forecast: &PooledForecast, level: f64) -> f64 {
    let bounds = forecast.distribution.interval(level).unwrap();
    bounds.upper - bounds.lower
}

#[test]
fn nobody_and_one_person_are_too_few() {
    for count in [0, 1, 4] {
        let few = people(1..count + 1, PLAIN);
        assert_eq!(
            PooledModel::fit(&design(0, 1), &learners(&few), false).unwrap_err(),
            PooledError::TooFewPeople {
                needed: 5,
                found: count as usize,
                days: 7
            }
        );
    }
    assert_eq!(fit(&people(1..6, PLAIN), 1).people(), 5);
}

#[test]
fn people_with_six_readings_do_not_count() {
    let mut everyone = people(1..6, PLAIN);
    everyone.push(of_values(vec![Some(60.0); 6]));
    assert_eq!(fit(&everyone, 1).people(), 5);
    everyone.push(of_values(vec![Some(60.0); 7]));
    assert_eq!(fit(&everyone, 1).people(), 6);
}

#[test]
fn horizons_outside_the_bounds_are_refused() {
    let everyone = people(1..6, PLAIN);
    for horizon in [0, 29, usize::MAX] {
        assert!(matches!(
            PooledModel::fit(&design(0, horizon), &learners(&everyone), false),
            Err(PooledError::OutOfBounds {
                field: "horizon",
                low: 1,
                high: 28
            })
        ));
    }
    for horizon in [1, 28] {
        assert_eq!(fit(&everyone, horizon).design().horizon, horizon);
    }
}

#[test]
fn covariates_that_are_not_those_of_the_design_are_refused() {
    let mut everyone = people(
        1..7,
        Kind {
            covariates: 2,
            ..PLAIN
        },
    );
    everyone[3].covariates.pop();
    assert_eq!(
        PooledModel::fit(&design(2, 1), &learners(&everyone), false).unwrap_err(),
        PooledError::Covariates {
            person: 3,
            expected: 2,
            found: 1
        }
    );
}

#[test]
fn series_and_targets_of_other_lengths_are_refused() {
    let mut everyone = people(
        1..7,
        Kind {
            covariates: 1,
            ..PLAIN
        },
    );
    let beyond: Vec<Learner<'_>> = everyone
        .iter()
        .map(|person| Learner {
            person,
            targets: 0..person.days() + 1,
        })
        .collect();
    assert_eq!(
        PooledModel::fit(&design(1, 1), &beyond, false).unwrap_err(),
        PooledError::Days {
            person: 0,
            days: 90
        }
    );
    everyone[2].covariates[0] = Some(KnownSeries::from(vec![Some(1.0); 89]));
    assert_eq!(
        PooledModel::fit(&design(1, 1), &learners(&everyone), false).unwrap_err(),
        PooledError::Days {
            person: 2,
            days: 90
        }
    );
}

#[test]
fn penalties_that_are_no_precision_are_refused() {
    let everyone = people(
        1..7,
        Kind {
            covariates: 1,
            ..PLAIN
        },
    );
    for penalty in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let mut own = design(1, 1);
        own.own_penalty = penalty;
        let mut other = design(1, 1);
        other.covariates[0].penalty = penalty;
        for design in [own, other] {
            assert_eq!(
                PooledModel::fit(&design, &learners(&everyone), false).unwrap_err(),
                PooledError::Penalty
            );
        }
    }
}

#[test]
fn series_that_never_change_are_forecast_exactly() {
    let constant: Vec<Person> = (0..8).map(|_| of_values(vec![Some(60.1); 40])).collect();
    let model = fit(&constant, 2);
    let forecast = last_forecast(&model, &constant[0]).unwrap();
    assert!((forecast.distribution.value() - 60.1).abs() < 1e-6);
    assert!(width(&forecast, 0.9) < 1e-3);
    assert_eq!(model.validate(), Ok(()));
}

#[test]
fn a_constant_person_among_others_gets_narrow_intervals() {
    let model = fit(&people(1..31, PLAIN), 1);
    let steady = last_forecast(&model, &of_values(vec![Some(60.0); 90])).unwrap();
    let usual = last_forecast(&model, &person(500, PLAIN)).unwrap();
    assert!((steady.distribution.value() - 60.0).abs() < 0.5);
    assert!(width(&steady, 0.9) < width(&usual, 0.9) / 2.0);
}

#[test]
fn sources_with_enough_people_have_their_own_and_others_share_one() {
    let mut everyone = people(1..16, PLAIN);
    for (number, person) in everyone.iter_mut().enumerate() {
        match number {
            0..6 => "ring".clone_into(&mut person.source),
            6..12 => person.source = "watch".to_owned(),
            _ => person.source = format!("rare {number}"),
        }
    }
    for one_for_all in [false, true] {
        let learners = learners(&everyone);
        let model = PooledModel::fit(&design(0, 2), &learners, one_for_all).unwrap();
        assert_eq!(model.sources().collect::<Vec<_>>(), ["ring", "watch"]);
        assert_eq!(model.validate(), Ok(()));
        let mut new = person(700, PLAIN);
        for source in ["ring", "never seen", "rare 13"] {
            source.clone_into(&mut new.source);
            let forecast = last_forecast(&model, &new).unwrap();
            assert!(width(&forecast, 0.8) > 0.0, "{source}");
        }
    }
}

#[test]
fn after_months_without_a_reading_there_is_a_forecast_and_it_is_less_sure() {
    let walk = Kind {
        drift: 0.6,
        noise: 0.3,
        days: 200,
        ..PLAIN
    };
    let mut everyone = people(1..41, walk);
    for (number, person) in everyone.iter_mut().enumerate() {
        let mut values = person.series.known(0..200, 0).into_owned();
        values[60 + number..70 + 2 * number].fill(None);
        person.series = KnownSeries::from(values);
    }
    let model = fit(&everyone, 1);
    let values = person(900, walk).series.known(0..100, 0).into_owned();
    let before = last_forecast(&model, &of_values(values.clone())).unwrap();
    let mut gone = values;
    gone.extend(vec![None; 100]);
    let after = last_forecast(&model, &of_values(gone)).unwrap();
    assert!(after.distribution.value().is_finite());
    assert_eq!(before.readings, after.readings);
    assert!(width(&after, 0.9) > 1.5 * width(&before, 0.9));
}

#[test]
fn three_readings_in_a_week_are_enough_and_one_is_not() {
    let model = fit(&people(1..21, PLAIN), 1);
    let week = |days: [bool; 7]| of_values(days.map(|is_known| is_known.then_some(58.5)).to_vec());
    let three = week([true, false, false, true, false, true, false]);
    let forecast = last_forecast(&model, &three).unwrap();
    assert_eq!(forecast.readings, 3);
    assert!((forecast.distribution.value() - 58.5).abs() < 2.0);
    let one = week([false, false, false, true, false, false, false]);
    assert_eq!(last_forecast(&model, &one), None);
    assert_eq!(last_forecast(&model, &of_values(Vec::new())), None);
}

#[test]
fn whole_numbers_give_whole_forecasts_and_bounds() {
    let mut everyone = people(1..21, PLAIN);
    for person in &mut everyone {
        let values = person.series.known(0..90, 0);
        let whole: Vec<_> = values.iter().map(|value| value.map(f64::round)).collect();
        person.series = KnownSeries::from(whole);
    }
    let model = fit(&everyone, 1);
    let forecast = last_forecast(&model, &everyone[0]).unwrap().distribution;
    assert_eq!(forecast.value().fract(), 0.0);
    assert_eq!(forecast.intervals().len(), 7);
    for bounds in forecast.intervals() {
        assert_eq!((bounds.lower.fract(), bounds.upper.fract()), (0.0, 0.0));
    }
    let broken = last_forecast(&model, &person(800, PLAIN)).unwrap();
    assert_ne!(broken.distribution.value().fract(), 0.0);
}

#[test]
fn after_a_jump_forecasts_reach_the_new_level_and_intervals_widen_and_come_back() {
    // The readings return to a level that itself moves a little, so the level is the base.
    let mut random = Random(3);
    let everyone = people(
        1..61,
        Kind {
            drift: 0.2,
            days: 150,
            ..PLAIN
        },
    );
    let model = fit(&everyone, 1);
    let values: Vec<Option<f64>> = (0..160)
        .map(|day| Some(60.0 + if day >= 80 { 12.0 } else { 0.0 } + 2.0 * random.normal()))
        .collect();
    let person = of_values(values);
    let (mut centre, mut widths) = (Vec::new(), Vec::new());
    model.replay(&person, 0..=160, 1, |_, forecast| {
        centre.push(
            forecast
                .as_ref()
                .map_or(f64::NAN, |of| of.distribution.value()),
        );
        widths.push(forecast.as_ref().map_or(f64::NAN, |of| width(of, 0.9)));
    });
    let near = (81..160)
        .find(|day| (centre[*day] - 72.0).abs() < 4.0)
        .unwrap()
        - 80;
    let usual = widths[60..80].iter().sum::<f64>() / 20.0;
    let widest = widths[81..100].iter().copied().fold(0.0, f64::max) / usual;
    let back = widths[150..160].iter().sum::<f64>() / 10.0 / usual;
    let shown = format!("near after {near} days, {widest:.2} times as wide, then {back:.2} times");
    assert!(near <= 7, "{shown}");
    assert!(widest > 1.3, "{shown}");
    assert!(back < 0.6 * widest, "{shown}");
}

#[test]
fn a_logarithm_keeps_forecasts_and_bounds_above_0_and_leaves_out_what_has_none() {
    let mut everyone = people(1..21, PLAIN);
    for (number, person) in everyone.iter_mut().enumerate() {
        let values = person.series.known(0..90, 0);
        let mut positive: Vec<Option<f64>> = values
            .iter()
            .map(|value| value.map(|value| (value / 15.0).exp()))
            .collect();
        positive[10 + number] = Some(0.0);
        person.series = KnownSeries::from(positive);
    }
    let mut design = design(0, 1);
    design.transform = Transform::LN;
    let model = PooledModel::fit(&design, &learners(&everyone), false).unwrap();
    let mut person = everyone[0].clone();
    let with = last_forecast(&model, &person).unwrap();
    assert!(
        with.distribution
            .intervals()
            .iter()
            .all(|bounds| bounds.lower > 0.0)
    );
    let mut values = person.series.known(0..90, 0).into_owned();
    values[10] = None;
    person.series = KnownSeries::from(values);
    assert_eq!(last_forecast(&model, &person).unwrap(), with);
}
