//! Experiments against SciPy, and whether they find what is there and nothing else.

use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use std::path::PathBuf;
use vitalcast_insight::experiment::{
    AlwaysValid, BlockDesign, LEVEL, PairDifference, PowerTable, daily_spread, pair_differences,
    pair_spread, random_order, sign_flip_test,
};

const RUNS: u64 = 1_000;
/// Two standard errors of a share of 5 % of 1,000.
const MOST_FALSE_ALARMS: f64 = 0.05 + 0.014;

fn reference() -> Value {
    let folder = std::env::var_os("VITALCAST_GOLDEN_DIR").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/golden"),
        PathBuf::from,
    );
    let text = std::fs::read_to_string(folder.join("experiments.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn golden_tests_and_intervals_of_experiments() {
    let reference = reference();
    let cases = reference["experiments"].as_array().unwrap();
    assert!(cases.len() >= 7);
    for case in cases {
        let list = case["differences"].as_array().unwrap();
        let differences: Vec<f64> = list.iter().map(|one| one.as_f64().unwrap()).collect();
        let ours = sign_flip_test(&differences, LEVEL, 0).unwrap();
        let p_value = case["p_value"].as_f64().unwrap();
        assert!((ours.p_value - p_value).abs() < 1e-12, "{case}");
        let theirs = (case["lower"].as_f64(), case["upper"].as_f64());
        match (ours.interval, theirs) {
            (None, (None, None)) => {}
            (Some((lower, upper)), (Some(their_lower), Some(their_upper))) => {
                assert!((lower - their_lower).abs() < 1e-9, "{lower} {case}");
                assert!((upper - their_upper).abs() < 1e-9, "{upper} {case}");
            }
            other => panic!("{other:?}"),
        }
    }
}

/// Days of a person: slow noise, a weekly rhythm, days without a value.
struct Person {
    spread: f64,
    autocorrelation: f64,
    weekly: f64,
    missing: f64,
}

const ORDINARY: Person = Person {
    spread: 2.0,
    autocorrelation: 0.5,
    weekly: 1.0,
    missing: 0.15,
};

/// A standard normal value (Box and Muller).
fn normal(random: &mut ChaCha8Rng) -> f64 {
    let radius = (-2.0 * (1.0 - random.random::<f64>()).ln()).sqrt();
    radius * (std::f64::consts::TAU * random.random::<f64>()).cos()
}

impl Person {
    fn days(&self, random: &mut ChaCha8Rng, days: usize) -> Vec<Option<f64>> {
        let rest = (1.0 - self.autocorrelation.powi(2)).sqrt();
        let mut noise = normal(random);
        (0..days)
            .map(|day| {
                let now = noise;
                noise = self.autocorrelation * noise + rest * normal(random);
                let week = if day % 7 < 5 { 0.0 } else { self.weekly };
                let value = 60.0 + week + self.spread * now;
                (random.random::<f64>() >= self.missing).then_some(value)
            })
            .collect()
    }
}

const DESIGN: BlockDesign = BlockDesign {
    block_days: 3,
    washout_days: 1,
    pairs: 10,
};

/// Adds an effect to the days of condition A; the day after a change still has half of the one before.
fn treated(days: &mut [Option<f64>], order: &[bool], design: &BlockDesign, effect: f64) {
    let mut before = false;
    for (day, value) in days.iter_mut().enumerate() {
        let place = design.place(day).unwrap();
        let is_a = place.is_second == order[place.pair];
        let share = match (is_a, place.is_washout) {
            (true, false) => 1.0,
            (false, false) => 0.0,
            (_, true) if is_a == before => f64::from(u8::from(is_a)),
            (_, true) => 0.5,
        };
        before = is_a;
        if let Some(value) = value {
            *value += share * effect;
        }
    }
}

/// An experiment of a person with 90 days of history: its planned spread, and its pair differences.
fn run(person: &Person, design: &BlockDesign, effect: f64, seed: u64) -> (f64, Vec<f64>) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let days = person.days(&mut random, 90 + design.days());
    let (past, days) = days.split_at(90);
    let spread = pair_spread(&daily_spread(past).unwrap(), past, design);
    let order = random_order(design.pairs, seed ^ 0x5eed);
    let mut days = days.to_vec();
    treated(&mut days, &order, design, effect);
    let found = pair_differences(&days, &order, design);
    (
        spread,
        found.iter().map(PairDifference::difference).collect(),
    )
}

/// Whether a difference was clear at any look, one after each pair.
fn is_ever_clear(spread: f64, differences: &[f64]) -> bool {
    AlwaysValid::new(spread, LEVEL).p_value(differences) <= 1.0 - LEVEL
}

fn share(found: impl Fn(u64) -> bool) -> f64 {
    (0..RUNS).filter(|seed| found(*seed)).count() as f64 / RUNS as f64
}

#[test]
fn without_an_effect_experiments_find_none() {
    let at_the_end = share(|seed| {
        let (_, differences) = run(&ORDINARY, &DESIGN, 0.0, seed);
        sign_flip_test(&differences, LEVEL, seed).unwrap().p_value <= 0.05
    });
    let with_looks = share(|seed| {
        let (spread, differences) = run(&ORDINARY, &DESIGN, 0.0, seed);
        is_ever_clear(spread, &differences)
    });
    println!("false alarms: {at_the_end} at the end, {with_looks} with a look after each pair");
    assert!(at_the_end <= MOST_FALSE_ALARMS);
    assert!(with_looks <= MOST_FALSE_ALARMS);
}

#[test]
fn a_test_at_every_look_would_find_something_too_often() {
    let alarms = share(|seed| {
        let (_, differences) = run(&ORDINARY, &DESIGN, 0.0, seed);
        (6..=differences.len()).any(|pairs| {
            let test = sign_flip_test(&differences[..pairs], LEVEL, seed);
            test.is_ok_and(|test| test.p_value <= 0.05)
        })
    });
    println!("false alarms of the fixed-length test at every look: {alarms}");
    assert!(alarms > MOST_FALSE_ALARMS);
}

#[test]
fn slow_noise_without_an_effect_is_no_finding_either() {
    let person = Person {
        autocorrelation: 0.9,
        ..ORDINARY
    };
    let design = BlockDesign {
        block_days: 2,
        washout_days: 0,
        pairs: 20,
    };
    let alarms = share(|seed| {
        let (spread, differences) = run(&person, &design, 0.0, seed);
        let test = sign_flip_test(&differences, LEVEL, seed).unwrap();
        test.p_value <= 0.05 || is_ever_clear(spread, &differences)
    });
    // Either of the two ways counts, so that twice the level is allowed.
    assert!(alarms <= 2.0 * MOST_FALSE_ALARMS, "{alarms}");
}

#[test]
fn an_effect_is_found_with_the_power_that_was_planned() {
    // Of the formula: the spread of the person is known.
    let person = Person {
        weekly: 0.0,
        missing: 0.0,
        ..ORDINARY
    };
    for (pairs, effect) in [(7, 3.0), (10, 2.2), (14, 2.0), (24, 1.5)] {
        let design = BlockDesign { pairs, ..DESIGN };
        let known = vitalcast_insight::experiment::DailySpread {
            days: 90,
            mean: 60.0,
            standard_deviation: person.spread,
            autocorrelation: person.autocorrelation,
            observed: 1.0,
        };
        let planned =
            PowerTable::at_the_end(pair_spread(&known, &[], &design)).power(effect, pairs);
        let found = share(|seed| {
            let (_, differences) = run(&person, &design, effect, seed);
            sign_flip_test(&differences, LEVEL, seed).unwrap().p_value <= 0.05
        });
        println!("{pairs} pairs, {effect} bpm: planned {planned:.3}, found {found}");
        assert!((planned - found).abs() < 0.05, "{pairs}: {planned} {found}");
    }
}

#[test]
fn people_who_plan_from_their_own_days_find_two_beats_as_planned() {
    let (mut found, mut planned, mut covered, mut effects) = (0, 0.0, 0, 0.0);
    let runs = 400;
    for seed in 0..runs {
        let mut random = ChaCha8Rng::seed_from_u64(9_000 + seed);
        let past = ORDINARY.days(&mut random, 90);
        let spread = pair_spread(&daily_spread(&past).unwrap(), &past, &DESIGN);
        let table = PowerTable::at_the_end(spread);
        let pairs = table.pairs_for(2.0, 0.8).unwrap();
        planned += table.power(2.0, pairs);
        let design = BlockDesign { pairs, ..DESIGN };
        let (_, differences) = run(&ORDINARY, &design, 2.0, 9_000 + seed);
        let test = sign_flip_test(&differences, LEVEL, seed).unwrap();
        let (lower, upper) = test.interval.unwrap();
        found += u32::from(test.p_value <= 0.05 && test.effect > 0.0);
        covered += u32::from(lower <= 2.0 && 2.0 <= upper);
        effects += test.effect;
    }
    let runs = runs as f64;
    let (found, planned) = (f64::from(found) / runs, planned / runs);
    let (covered, effect) = (f64::from(covered) / runs, effects / runs);
    println!("planned {planned:.3}, found {found:.3}, covered {covered:.3}, mean {effect:.3}");
    assert!((planned - 0.05..=planned + 0.15).contains(&found));
    assert!(covered >= 0.92);
    assert!((effect - 2.0).abs() < 0.1);
}

#[test]
fn looking_every_day_finds_an_effect_as_often_as_planned() {
    let person = Person {
        weekly: 0.0,
        missing: 0.0,
        ..ORDINARY
    };
    let design = BlockDesign {
        pairs: 20,
        ..DESIGN
    };
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let long = person.days(&mut random, 4_000);
    let spread = pair_spread(&daily_spread(&long).unwrap(), &[], &design);
    let table = PowerTable::at_every_look(spread, 3);
    let effect = table.detectable(20, 0.8).unwrap();
    let found = share(|seed| {
        let (_, differences) = run(&person, &design, effect, seed);
        is_ever_clear(spread, &differences)
    });
    println!("{effect:.2} bpm at every look of 20 pairs: planned 0.8, found {found}");
    assert!((found - 0.8).abs() < 0.06, "{found}");
}

#[test]
fn intervals_at_every_look_hold_the_effect() {
    let missed = share(|seed| {
        let (spread, differences) = run(&ORDINARY, &DESIGN, 1.0, seed);
        let found = AlwaysValid::new(spread, LEVEL).interval(&differences);
        found.lower.is_some_and(|lower| lower > 1.0) || found.upper.is_some_and(|upper| upper < 1.0)
    });
    println!("always-valid intervals that miss the effect at some look: {missed}");
    assert!(missed <= MOST_FALSE_ALARMS);
}

proptest! {
    #[test]
    fn other_labels_turn_the_sign_round(
        seed in 0_u64..1_000, pairs in 7_usize..18, effect in -3.0_f64..3.0,
    ) {
        let design = BlockDesign { pairs, ..DESIGN };
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut days = ORDINARY.days(&mut random, design.days());
        let order = random_order(pairs, seed);
        treated(&mut days, &order, &design, effect);
        let other: Vec<bool> = order.iter().map(|b_first| !b_first).collect();
        let of = |order: &[bool]| -> Vec<f64> {
            let found = pair_differences(&days, order, &design);
            found.iter().map(PairDifference::difference).collect()
        };
        let (one, two) = (of(&order), of(&other));
        prop_assume!(one.len() >= 7);
        let (first, second) = (
            sign_flip_test(&one, LEVEL, 1).unwrap(),
            sign_flip_test(&two, LEVEL, 1).unwrap(),
        );
        prop_assert_eq!(first.effect, -second.effect);
        prop_assert_eq!(first.p_value, second.p_value);
        let (lower, upper) = first.interval.unwrap();
        prop_assert_eq!(second.interval, Some((-upper, -lower)));
        let bets = AlwaysValid::new(2.0, LEVEL);
        let (first, second) = (bets.interval(&one), bets.interval(&two));
        prop_assert_eq!(first.lower, second.upper.map(|end| -end));
        prop_assert_eq!(first.p_value, second.p_value);
    }

    #[test]
    fn washout_days_do_not_matter(seed in 0_u64..1_000, value in 30.0_f64..200.0) {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut days = ORDINARY.days(&mut random, DESIGN.days());
        let order = random_order(DESIGN.pairs, seed);
        let before = pair_differences(&days, &order, &DESIGN);
        for (day, known) in days.iter_mut().enumerate() {
            if DESIGN.place(day).unwrap().is_washout {
                *known = (day % 2 == 0).then_some(value);
            }
        }
        // And what comes after the end.
        days.extend([Some(value); 9]);
        prop_assert_eq!(before, pair_differences(&days, &order, &DESIGN));
    }

    #[test]
    fn an_interval_at_every_look_only_narrows(
        differences in prop::collection::vec(-4.0_f64..6.0, 8..25),
    ) {
        let bets = AlwaysValid::new(2.0, LEVEL);
        let mut last = (f64::NEG_INFINITY, f64::INFINITY);
        for pairs in 1..=differences.len() {
            let now = bets.interval(&differences[..pairs]);
            let ends = (
                now.lower.unwrap_or(f64::NEG_INFINITY),
                now.upper.unwrap_or(f64::INFINITY),
            );
            prop_assert!(ends.0 >= last.0 - 1e-9 && ends.1 <= last.1 + 1e-9);
            last = ends;
        }
    }
}
