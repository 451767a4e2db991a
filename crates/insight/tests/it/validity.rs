//! Whether findings mean what they say: seeded series that have nothing to do with each other, and
//! series that do.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use vitalcast_domain::CorrelationMethod;
use vitalcast_features::catalogue;
use vitalcast_insight::{Column, DriverSettings, Drivers, daily_lags, drivers, lags};

const RUNS: u64 = 1_000;
const LEVEL: f64 = 0.05;
/// Days before the ones that count.
const HISTORY: usize = 3;

/// A standard normal value (Box and Muller).
fn normal(random: &mut ChaCha8Rng) -> f64 {
    let radius = (-2.0 * (1.0 - random.random::<f64>()).ln()).sqrt();
    radius * (std::f64::consts::TAU * random.random::<f64>()).cos()
}

/// A first-order process: each day so much of the day before, and chance. Mean 0, variance 1.
fn process(random: &mut ChaCha8Rng, days: usize, share: f64) -> Vec<Option<f64>> {
    let mut value = normal(random);
    (0..days)
        .map(|_| {
            let now = value;
            value = share * value + (1.0 - share * share).sqrt() * normal(random);
            Some(now)
        })
        .collect()
}

fn analysis(columns: &[Column], target: &[Option<f64>], methods: &[CorrelationMethod]) -> Drivers {
    let settings = DriverSettings {
        methods: methods.to_vec(),
        lag_days: 1,
        history_days: HISTORY,
        significance: LEVEL,
        first_weekday: 0,
    };
    drivers(columns, target, &settings)
}

fn finds_anything(drivers: &Drivers) -> bool {
    let mut tested = drivers.tested.iter();
    tested.any(|driver| driver.adjusted_p_value < LEVEL)
}

/// Share of analyses of unrelated series that report a finding.
fn false_alarms(seed: u64, days: usize, share: f64, methods: &[CorrelationMethod]) -> f64 {
    let alarms = (0..RUNS)
        .filter(|run| {
            let mut random = ChaCha8Rng::seed_from_u64(seed + run);
            let target = process(&mut random, days + HISTORY, share);
            let columns: Vec<Column> = catalogue()
                .iter()
                .take(40)
                .map(|feature| (feature, process(&mut random, days + HISTORY, share)))
                .collect();
            finds_anything(&analysis(&columns, &target, methods))
        })
        .count();
    alarms as f64 / RUNS as f64
}

#[track_caller]
fn check(seed: u64, days: usize, share: f64, methods: &[CorrelationMethod]) {
    let alarms = false_alarms(seed, days, share, methods);
    println!("{days} days, {share} of the day before: {alarms} of analyses find something");
    assert!(alarms <= LEVEL, "{alarms}");
}

const USUAL: [CorrelationMethod; 2] = [CorrelationMethod::Pearson, CorrelationMethod::Spearman];

#[test]
fn white_noise_goes_with_nothing() {
    check(10_000, 30, 0.0, &USUAL);
    check(20_000, 90, 0.0, CorrelationMethod::ALL);
}

#[test]
fn somewhat_sluggish_noise_goes_with_nothing() {
    check(30_000, 30, 0.5, &USUAL);
    check(40_000, 90, 0.5, CorrelationMethod::ALL);
}

#[test]
fn very_sluggish_noise_goes_with_nothing() {
    check(50_000, 30, 0.87, &USUAL);
    check(60_000, 90, 0.87, CorrelationMethod::ALL);
}

#[test]
fn without_the_correction_sluggish_noise_would_go_with_everything() {
    let alarms = (0..200)
        .filter(|run| {
            let mut random = ChaCha8Rng::seed_from_u64(70_000 + run);
            let target = process(&mut random, 93, 0.87);
            let columns: Vec<Column> = catalogue()
                .iter()
                .take(40)
                .map(|feature| (feature, process(&mut random, 93, 0.87)))
                .collect();
            let found = analysis(&columns, &target, &USUAL);
            let raw: Vec<f64> = found
                .tested
                .iter()
                .map(|test| test.tested.raw_p_value)
                .collect();
            let adjusted = vitalcast_insight::benjamini_hochberg(&raw).unwrap();
            adjusted.into_iter().any(|p| p < LEVEL)
        })
        .count();
    assert!(alarms > 190, "{alarms}");
}

/// A target that rises by so much on days after ones with the first feature, which is there on
/// about every third day.
fn person(seed: u64, days: usize, effect: f64, sluggish: f64) -> (Vec<Column>, Vec<Option<f64>>) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let late: Vec<f64> = (0..days)
        .map(|_| {
            if random.random::<f64>() < 0.35 {
                60.0
            } else {
                0.0
            }
        })
        .collect();
    let noise = process(&mut random, days, sluggish);
    let target = (0..days)
        .map(|day| {
            let raised = if day > 0 && late[day - 1] > 0.0 {
                effect
            } else {
                0.0
            };
            noise[day].map(|noise| 58.0 + 1.5 * noise + raised)
        })
        .collect();
    let mut columns: Vec<Column> = catalogue()
        .iter()
        .take(40)
        .map(|feature| (feature, process(&mut random, days, 0.3)))
        .collect();
    columns[16].1 = late.into_iter().map(Some).collect();
    (columns, target)
}

#[test]
fn a_true_effect_is_found_with_its_sign_size_and_lag() {
    let mut found = 0;
    let mut sizes = 0.0;
    for seed in 0..100 {
        let (columns, target) = person(seed, 93, 2.0, 0.4);
        let analysis = analysis(&columns, &target, &USUAL);
        let late: Vec<_> = analysis
            .tested
            .iter()
            .filter(|test| test.feature.name == "nutrition_late_night_carbs")
            .collect();
        let effect = late[0].effect.unwrap();
        sizes += effect.change;
        if late.iter().any(|test| test.adjusted_p_value < LEVEL) {
            found += 1;
            assert!(late[0].tested.correlation > 0.0);
            assert!(
                effect.lower < 2.0 + 1.5 && effect.upper > 2.0 - 1.5,
                "{effect:?}"
            );
        }
        let by_lag = lags(
            &daily_lags(&columns[16].1, 7),
            &target,
            HISTORY,
            CorrelationMethod::Pearson,
            LEVEL,
        );
        if let Some(optimal) = by_lag.optimal {
            assert_eq!(by_lag.tested[optimal].lag, 1, "seed {seed}");
        }
    }
    println!("found in {found} of 100, mean size {}", sizes / 100.0);
    assert!(found >= 90, "{found}");
    assert!((sizes / 100.0 - 2.0).abs() < 0.1, "{}", sizes / 100.0);
}

#[test]
fn without_the_effect_it_is_not_found() {
    let alarms = (0..200)
        .filter(|seed| {
            let (columns, target) = person(*seed, 93, 0.0, 0.4);
            finds_anything(&analysis(&columns, &target, &USUAL))
        })
        .count();
    assert!(alarms <= 10, "{alarms}");
}
