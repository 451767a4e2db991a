//! Simple forecasts are served in place of the model where they had erred less, and only there.

use crate::people::{Kind, fit, forecasts, people, person};
use proptest::prelude::*;
use std::sync::LazyLock;
use vitalcast_evaluation::SIGNIFICANT;
use vitalcast_pooled::{GatedForecast, Person, PooledModel, Rival};
use vitalcast_windows::KnownSeries;

const LATE: Kind = Kind {
    days: 90,
    drift: 0.1,
    noise: 1.0,
    missing: 0.15,
    late: true,
    covariates: 2,
};

static MODEL: LazyLock<PooledModel> = LazyLock::new(|| fit(&people(1..13, LATE), 3));

/// The last reading.
struct Last;

impl Rival for Last {
    fn forecast(&self, history: &[Option<f64>], _: usize) -> Option<f64> {
        history.iter().rev().find_map(|value| *value)
    }
}

/// The mean of all readings.
struct Mean;

impl Rival for Mean {
    fn forecast(&self, history: &[Option<f64>], _: usize) -> Option<f64> {
        vitalcast_evaluation::mean(history.iter().flatten().copied())
    }
}

/// The reading of three days before.
struct ThreeBefore;

impl Rival for ThreeBefore {
    fn forecast(&self, history: &[Option<f64>], lead: usize) -> Option<f64> {
        let back = 3 - (lead - 1) % 3;
        *history.get(history.len().checked_sub(back)?)?
    }
}

const SIMPLE: [&dyn Rival; 2] = [&Last, &Mean];

fn gated(
    model: &PooledModel,
    person: &Person,
    rivals: &[&dyn Rival],
    days: std::ops::RangeInclusive<usize>,
    lead: usize,
) -> Vec<Option<GatedForecast>> {
    let mut found = Vec::new();
    model.replay_with_rivals(person, rivals, days, lead, |_, forecast| {
        found.push(forecast);
    });
    found
}

fn of(series: Vec<Option<f64>>) -> Person {
    Person {
        series: KnownSeries::from(series),
        covariates: vec![None, None],
        ..person(1, LATE)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn an_evening_is_the_same_in_a_replay_and_made_of_what_was_known_then(
        seed in 100_u64..100_000, day in 10_usize..90, lead in 1_usize..4,
    ) {
        let person = person(seed, LATE);
        let replayed = gated(&MODEL, &person, &SIMPLE, day..=day, lead);
        let known = person.as_known(day - 1, day);
        prop_assert_eq!(&replayed, &gated(&MODEL, &known, &SIMPLE, day..=day, lead));
        // And the same on the way to later days.
        let all = gated(&MODEL, &person, &SIMPLE, 0..=90, lead);
        prop_assert_eq!(&replayed[0], &all[day]);
    }

    #[test]
    fn the_models_own_forecast_is_that_without_rivals(seed in 100_u64..100_000, lead in 1_usize..4) {
        let person = person(seed, LATE);
        let alone = forecasts(&MODEL, &person, 0..=90, lead);
        for (gated, alone) in gated(&MODEL, &person, &SIMPLE, 0..=90, lead).iter().zip(alone) {
            let bits = gated.as_ref().map(|gated| {
                let of = &gated.of_model;
                let bounds = of.distribution.intervals().iter();
                let bounds = bounds.flat_map(|of| [of.lower.to_bits(), of.upper.to_bits()]);
                [
                    of.distribution.value().to_bits(),
                    of.spread.to_bits(),
                    of.readings as u64,
                ]
                .into_iter()
                .chain(bounds)
                .collect::<Vec<u64>>()
            });
            prop_assert_eq!(bits, alone);
        }
    }
}

#[test]
fn a_simple_forecast_that_knows_better_is_served_once_that_is_beyond_chance() {
    let days = 90;
    let wave = of((0..days)
        .map(|day| Some([50.0, 60.0, 70.0][day % 3]))
        .collect());
    for lead in 1..=3 {
        let all = gated(&MODEL, &wave, &[&Last, &ThreeBefore], 0..=days, lead);
        let served: Vec<bool> = all
            .iter()
            .map(|of| of.as_ref().is_some_and(|of| of.simple.is_some()))
            .collect();
        // Seven readings, and twenty to test.
        assert!(served[..27].iter().all(|served| !served), "{served:?}");
        assert!(served[27..].iter().all(|served| *served), "{served:?}");
        let last = all[days].as_ref().unwrap();
        let (place, forecast) = last.simple.as_ref().unwrap();
        assert_eq!(*place, 1);
        let expected = [50.0, 60.0, 70.0][(days + lead - 1) % 3];
        assert_eq!(forecast.distribution.value(), expected);
        assert_eq!(last.compared.days, 60);
        let best = last.compared.best.unwrap();
        assert!(best.mae == 0.0 && last.compared.mae.unwrap() > 2.0);
        // It has made no error for weeks: its intervals are narrower than those of the model.
        let width = |of: &vitalcast_evaluation::Distribution| {
            let bounds = of.interval(0.9).unwrap();
            bounds.upper - bounds.lower
        };
        assert!(width(&forecast.distribution) < width(&last.of_model.distribution));
    }
}

#[test]
fn chance_alone_seldom_brings_a_simple_forecast_in() {
    let kind = Kind {
        days: 120,
        late: false,
        ..LATE
    };
    let (mut simple, mut all) = (0, 0);
    for person in people(1_000..1_060, kind) {
        for of in gated(&MODEL, &person, &SIMPLE, 30..=120, 1)
            .into_iter()
            .flatten()
        {
            all += 1;
            simple += usize::from(of.simple.is_some());
        }
    }
    let share = f64::from(simple as u32) / f64::from(all);
    assert!(share < 0.03, "{simple} of {all} evenings");
}

#[test]
fn a_p_value_below_the_threshold_does_not_stand_beside_a_forecast_that_is_not_served() {
    let mut between = 0;
    for person in people(1_000..1_060, LATE) {
        // Days on which the best simple forecast is found on the compared readings themselves.
        let evenings = gated(&MODEL, &person, &SIMPLE, 20..=50, 1);
        for best in evenings
            .into_iter()
            .flatten()
            .filter_map(|of| of.compared.best)
        {
            if let Some(p) = best.p {
                assert_eq!(best.is_better, p < SIGNIFICANT, "{p}");
                between += usize::from((SIGNIFICANT..2.0 * SIGNIFICANT).contains(&p));
            }
        }
    }
    assert!(between > 0);
}

#[test]
fn intervals_of_a_served_simple_forecast_hold() {
    // Of people whose level wanders, to whom it does not wander at all.
    let wandering = Kind {
        days: 90,
        drift: 1.0,
        noise: 0.2,
        late: false,
        ..LATE
    };
    let model = fit(&people(1..61, wandering), 2);
    let steady = Kind {
        days: 150,
        drift: 0.0,
        noise: 1.0,
        missing: 0.1,
        late: false,
        covariates: 2,
    };
    for lead in [1, 2] {
        let (mut served, mut inside) = (0.0, [0.0; 3]);
        for person in people(2_000..2_060, steady) {
            model.replay_with_rivals(&person, &SIMPLE, 40..=150 - lead, lead, |day, of| {
                let observed = person.series.value(day + lead - 1, usize::MAX);
                let Some((observed, of)) = observed.zip(of) else {
                    return;
                };
                let Some((_, simple)) = of.simple else {
                    return;
                };
                served += 1.0;
                for (inside, level) in inside.iter_mut().zip([0.8, 0.9, 0.95]) {
                    let bounds = simple.distribution.interval(level).unwrap();
                    *inside +=
                        f64::from(u8::from((bounds.lower..=bounds.upper).contains(&observed)));
                }
            });
        }
        assert!(served > 2_000.0, "{served}");
        for (inside, level) in inside.into_iter().zip([0.8, 0.9, 0.95]) {
            // Errors of a wandering level grow with the lead, and the calibration is that of such people: two
            // days ahead the intervals are too wide rather than too narrow.
            let share = inside / served;
            assert!(share > level - 0.03, "{level}: {share}, lead {lead}");
            assert!(share < level + 0.08, "{level}: {share}, lead {lead}");
        }
    }
}

#[test]
fn what_is_better_by_the_same_amount_every_day_is_no_chance() {
    // The model rounds as the readings do, and errs by one step of a steady climb; the rival does not.
    struct Climb;
    impl Rival for Climb {
        fn forecast(&self, history: &[Option<f64>], lead: usize) -> Option<f64> {
            Some(40.0 + (history.len() + lead - 1) as f64 * 5.0)
        }
    }
    let climb = of((0..80)
        .map(|day| Some(40.0 + f64::from(day) * 5.0))
        .collect());
    let all = gated(&MODEL, &climb, &[&Climb], 80..=80, 1);
    let last = all[0].as_ref().unwrap();
    assert!(last.compared.mae.unwrap() > 0.5);
    assert_eq!(last.compared.best.map(|best| best.mae), Some(0.0));
    assert!(last.simple.is_some());
}

#[test]
fn a_simple_forecast_was_compared_before_it_was_rounded() {
    /// The truth of tomorrow and a little more, which rounding takes away.
    struct Nearly;
    impl Rival for Nearly {
        fn forecast(&self, history: &[Option<f64>], lead: usize) -> Option<f64> {
            Some(reading(history.len() + lead - 1) + 0.4)
        }
    }
    fn reading(day: usize) -> f64 {
        60.0 + ((day * 7_919) % 13) as f64
    }
    let mae = |is_whole: bool| {
        let mut days: Vec<Option<f64>> = (0..80).map(|day| Some(reading(day))).collect();
        if !is_whole {
            days[0] = Some(60.5);
        }
        let all = gated(&MODEL, &of(days), &[&Nearly], 80..=80, 1);
        all[0]
            .as_ref()
            .and_then(|last| last.compared.best)
            .map(|best| best.mae)
    };
    assert_eq!(mae(true), Some(0.0));
    assert!((mae(false).unwrap() - 0.4).abs() < 1e-9);
}

/// It was chosen on the readings before the compared ones, here on seven.
#[test]
fn the_best_of_seven_early_readings_was_called_the_best_of_sixty_later_ones() {
    // To and fro around a level for a fortnight, then far up and on in threes.
    let reading = |day: usize| {
        if day < 14 {
            60.0 + [-1.0, 1.0][day % 2]
        } else {
            80.0 + [-1.0, 0.0, 1.0][day % 3]
        }
    };
    let person = of((0..74).map(|day| Some(reading(day))).collect());
    let all = gated(&MODEL, &person, &[&Mean, &ThreeBefore], 74..=74, 1);
    let compared = all[0].as_ref().unwrap().compared;
    assert_eq!(compared.days, 60);
    let best = compared.best.unwrap();
    // That of three days before errs on the days after the step alone.
    assert_eq!(best.place, 1);
    assert!(best.mae < 1.1, "{best:?}");
}
