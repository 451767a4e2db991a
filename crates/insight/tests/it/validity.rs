//! Whether findings mean what they say: seeded series that have nothing to do with each other, and
//! series that do.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use vitalcast_domain::CorrelationMethod;
use vitalcast_features::{FeatureId, catalogue};
use vitalcast_insight::{Column, DriverSettings, Drivers, Factor, daily_lags, drivers, lags};

const RUNS: u64 = 1_000;
const LEVEL: f64 = 0.05;
/// Days before the ones that count.
const HISTORY: usize = 4;

/// Searches through many features, which take long: all of them in `cargo xtask soak`, else a share.
fn searches() -> u64 {
    if std::env::var_os("VITALCAST_SOAK").is_some() {
        RUNS
    } else {
        RUNS / 2
    }
}

/// A feature of the catalogue, by its place.
fn factor(place: usize) -> Factor {
    Factor::Feature(&catalogue()[place])
}

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
        least: 0.0,
        first_weekday: 0,
    };
    drivers(columns, target, &settings)
}

fn finds_anything(drivers: &Drivers) -> bool {
    let mut tested = drivers.tested.iter();
    tested.any(|driver| driver.adjusted_p_value < LEVEL)
}

/// Share of analyses of unrelated series that report a finding; of the features so many days are
/// known.
fn false_alarms(
    seed: u64,
    days: usize,
    share: f64,
    known: f64,
    methods: &[CorrelationMethod],
) -> f64 {
    let searches = searches();
    let alarms = (0..searches)
        .filter(|run| {
            let mut random = ChaCha8Rng::seed_from_u64(seed + run);
            let target = process(&mut random, days + HISTORY, share);
            let columns: Vec<Column> = catalogue()
                .iter()
                .take(40)
                .map(|feature| {
                    let whole = process(&mut random, days + HISTORY, share);
                    (Factor::Feature(feature), patchy(&mut random, whole, known))
                })
                .collect();
            finds_anything(&analysis(&columns, &target, methods))
        })
        .count();
    alarms as f64 / searches as f64
}

/// So many of the days, at random.
fn patchy(random: &mut ChaCha8Rng, whole: Vec<Option<f64>>, known: f64) -> Vec<Option<f64>> {
    if known >= 1.0 {
        return whole;
    }
    let mut keep = |value: Option<f64>| value.filter(|_| random.random::<f64>() < known);
    whole.into_iter().map(&mut keep).collect()
}

#[track_caller]
fn check(seed: u64, days: usize, share: f64, methods: &[CorrelationMethod]) {
    check_known(seed, days, share, 1.0, methods);
}

#[track_caller]
fn check_known(seed: u64, days: usize, share: f64, known: f64, methods: &[CorrelationMethod]) {
    let alarms = false_alarms(seed, days, share, known, methods);
    println!(
        "{days} days, {known:.2} of them known, {share} of the day before: {alarms} of analyses find \
         something"
    );
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

/// Share of analyses of 30 unrelated tags, or of features that are mostly 0, that report a finding; each is
/// something on a few of 90 days, and on some days the target is far off.
fn false_alarms_of_few(few: usize, share: f64, outliers: usize, are_tags: bool) -> f64 {
    let searches = searches();
    let alarms = (0..searches)
        .filter(|run| {
            let mut random = ChaCha8Rng::seed_from_u64(70_000 + run);
            let days = 90 + HISTORY;
            let mut target = process(&mut random, days, share);
            for _ in 0..outliers {
                target[random.random_range(0..days)] = Some(10.0);
            }
            let rare = (0..30).map(|place| {
                let mut values = vec![Some(0.0); days];
                for _ in 0..few {
                    let amount = if are_tags { 1.0 } else { random.random() };
                    values[random.random_range(0..days)] = Some(amount);
                }
                let tag = Factor::Tag(place.to_string());
                (if are_tags { tag } else { factor(place) }, values)
            });
            let columns: Vec<Column> = rare.collect();
            finds_anything(&analysis(&columns, &target, CorrelationMethod::ALL))
        })
        .count();
    alarms as f64 / searches as f64
}

#[test]
fn tags_of_a_few_days_go_with_nothing() {
    for (share, few) in [(0.0, 4), (0.5, 4), (0.5, 12), (0.87, 6)] {
        let alarms = false_alarms_of_few(few, share, 0, true);
        println!("{few} of 90 days, {share} of the day before: {alarms} find something");
        assert!(alarms <= LEVEL, "{share} {few}: {alarms}");
    }
}

#[test]
fn two_days_far_off_made_what_is_rare_a_finding() {
    for (few, are_tags) in [(4, true), (12, true), (30, true), (4, false), (12, false)] {
        let alarms = false_alarms_of_few(few, 0.5, 2, are_tags);
        println!("{few} of 90 days, two far off: {alarms} find something");
        assert!(alarms <= LEVEL, "{few}: {alarms}");
    }
}

#[test]
fn one_day_of_yes_beside_the_target_was_a_finding() {
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let days = 80 + HISTORY;
    let mut target = process(&mut random, days, 0.0);
    let mut vaccine = vec![Some(0.0); days];
    for (day, after) in [(20, None), (40, None), (60, Some(25.0))] {
        vaccine[day] = Some(1.0);
        target[day + 1] = after;
    }
    let tag = (Factor::Tag("vaccine".to_owned()), vaccine);
    let found = analysis(std::slice::from_ref(&tag), &target, CorrelationMethod::ALL);
    assert_eq!((found.tested.len(), found.untested_tags), (0, 1));
    let series = daily_lags(&tag.1, 3);
    let by_lag = lags(
        &tag.0,
        &series,
        &target,
        HISTORY,
        CorrelationMethod::Pearson,
        LEVEL,
    );
    // On the same day there are three.
    let tested: Vec<u32> = by_lag.tested.iter().map(|lag| lag.lag).collect();
    assert_eq!(tested, [0, 2, 3]);
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
                .map(|feature| (Factor::Feature(feature), process(&mut random, 93, 0.87)))
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
        .map(|feature| (Factor::Feature(feature), process(&mut random, days, 0.3)))
        .collect();
    columns[16].1 = late.into_iter().map(Some).collect();
    (columns, target)
}

#[test]
fn a_true_effect_is_found_with_its_sign_size_and_lag() {
    let (mut found, mut right_lags) = (0, 0);
    let mut sizes = 0.0;
    for seed in 0..100 {
        let (columns, target) = person(seed, 93, 2.0, 0.4);
        let analysis = analysis(&columns, &target, &USUAL);
        let late: Vec<_> = analysis
            .tested
            .iter()
            .filter(|test| test.factor == Factor::Feature(FeatureId::LateNightCarbs.feature()))
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
            &columns[16].0,
            &daily_lags(&columns[16].1, 7),
            &target,
            HISTORY,
            CorrelationMethod::Pearson,
            LEVEL,
        );
        if let Some(optimal) = by_lag.optimal {
            assert_eq!(by_lag.tested[optimal].lag, 1, "seed {seed}");
            right_lags += 1;
        }
    }
    println!(
        "found in {found} of 100, its lag in {right_lags}, mean size {}",
        sizes / 100.0
    );
    assert!(found >= 90, "{found}");
    assert!(right_lags >= 90, "{right_lags}");
    assert!((sizes / 100.0 - 2.0).abs() < 0.1, "{}", sizes / 100.0);
}

/// The mean of so many values up to each.
fn rolling(values: &[Option<f64>], width: usize) -> Vec<Option<f64>> {
    (0..values.len())
        .map(|last| {
            let window = &values[last.saturating_sub(width - 1)..=last];
            Some(window.iter().flatten().sum::<f64>() / window.len() as f64)
        })
        .collect()
}

/// A state that changes over weeks, measured with noise, as resting heart rate is; and beside it what
/// features of days are like without having to do with it: amounts, weekly and monthly means, the
/// calendar.
fn slow_person(seed: u64, days: usize) -> (Vec<Column>, Vec<Option<f64>>) {
    /// Days before, for the means.
    const BEFORE: usize = 30;
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let state = process(&mut random, days, 0.95);
    let target = state
        .into_iter()
        .map(|value| value.map(|value| value + 0.5 * normal(&mut random)))
        .collect();
    let whole = BEFORE + days;
    let begin = random.random_range(0..365_usize);
    let columns = catalogue()
        .iter()
        .take(45)
        .enumerate()
        .map(|(place, feature)| {
            let calendar = |of_day: fn(usize) -> usize| -> Vec<Option<f64>> {
                let days = begin..begin + whole;
                days.map(|day| Some(of_day(day) as f64)).collect()
            };
            let values = match place {
                0..14 => process(&mut random, whole, 0.0),
                14..28 => process(&mut random, whole, 0.4),
                28..39 => rolling(&process(&mut random, whole, 0.2), 7),
                39 | 40 => rolling(&process(&mut random, whole, 0.5), 30),
                41 => calendar(|day| day % 7),
                42 => calendar(|day| usize::from(day % 7 >= 5)),
                43 => calendar(|day| day / 7 % 52),
                _ => calendar(|day| day / 30 % 12),
            };
            (Factor::Feature(feature), values[BEFORE..].to_vec())
        })
        .collect();
    (columns, target)
}

#[test]
fn slow_features_and_the_calendar_do_not_go_with_every_slow_target() {
    /// Enough to tell 5 % from the 20 % that a plain test of Granger finds here.
    const PEOPLE: u64 = 300;
    let granger = [CorrelationMethod::Granger];
    for (days, methods) in [
        (30, &granger[..]),
        (90, &granger),
        (90, CorrelationMethod::ALL),
        (180, &granger),
    ] {
        let alarms = (0..PEOPLE)
            .filter(|seed| {
                let (columns, target) = slow_person(130_000 + seed, days + HISTORY);
                finds_anything(&analysis(&columns, &target, methods))
            })
            .count();
        println!(
            "{days} days, {} methods: {alarms} of {PEOPLE} find something",
            methods.len()
        );
        assert!(alarms <= 15, "{alarms}");
    }
}

#[test]
fn a_feature_that_says_nearly_all_has_an_interval_near_one() {
    let mut random = ChaCha8Rng::seed_from_u64(9);
    let days = 90 + HISTORY;
    let feature = process(&mut random, days, 0.0);
    for digits in [10.0, 1e3, 1e6] {
        let target: Vec<Option<f64>> = (0..days)
            .map(|day| {
                let before = feature[day.checked_sub(1)?]?;
                Some((50.0 + 0.1 * before * digits).round() / digits)
            })
            .collect();
        let columns = [(factor(0), feature.clone())];
        let found = analysis(&columns, &target, &[CorrelationMethod::Granger]);
        let tested = &found.tested[0].tested;
        let (lower, upper) = tested.interval;
        assert!(
            0.2 < lower
                && lower <= tested.correlation
                && tested.correlation <= upper
                && upper <= 1.0,
            "{tested:?}"
        );
    }
}

#[test]
fn a_feature_in_another_unit_is_known_for_what_it_is() {
    let (mut columns, target) = person(5, 93, 2.0, 0.4);
    columns.truncate(20);
    let carbs = columns[16].1.clone();
    let per_kilogram = carbs.iter().map(|value| value.map(|value| value / 71.3));
    columns.push((factor(58), per_kilogram.collect()));
    let left = carbs.iter().map(|value| value.map(|value| 90.0 - value));
    columns.push((factor(59), left.collect()));
    let mut patchy = carbs.clone();
    patchy[40] = None;
    columns.push((factor(60), patchy));
    let beside = analysis(&columns, &target, &USUAL);
    let copies: Vec<_> = beside
        .copies
        .iter()
        .map(|(copy, original)| (copy.name(), original.name()))
        .collect();
    let original = factor(16).name();
    assert_eq!(
        copies,
        [
            (factor(58).name(), original.clone()),
            (factor(59).name(), original)
        ]
    );
    // One of fewer days is another series.
    assert_eq!(beside.features, 23);
}

#[test]
fn what_could_have_been_noticed_is_noticed_four_times_of_five() {
    // Of the smallest correlation that would be told, with and without a least one.
    for least in [0.0, 0.3] {
        let settings = DriverSettings {
            methods: vec![CorrelationMethod::Pearson],
            lag_days: 0,
            history_days: 0,
            significance: LEVEL,
            least,
            first_weekday: 0,
        };
        let pair = |seed: u64, size: f64| {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let x = process(&mut random, 180, 0.0);
            let y: Vec<Option<f64>> = x
                .iter()
                .map(|x| x.map(|x| size * x + (1.0 - size * size).sqrt() * normal(&mut random)))
                .collect();
            (x, y)
        };
        let (x, y) = pair(1, 0.0);
        let size = drivers(&[(factor(0), x)], &y, &settings)
            .detectable
            .unwrap();
        let told = (0..RUNS)
            .filter(|seed| {
                let (x, y) = pair(140_000 + seed, size);
                let found = drivers(&[(factor(0), x)], &y, &settings);
                let one = &found.tested[0];
                one.adjusted_p_value < LEVEL && one.tested.correlation >= least
            })
            .count();
        println!("{size} is told in {told} of {RUNS}");
        assert!((750..=850).contains(&told), "{told}");
    }
}

#[test]
fn lags_in_a_row_end_where_one_could_not_be_tested() {
    let mut random = ChaCha8Rng::seed_from_u64(11);
    let feature = process(&mut random, 120, 0.9);
    let target = feature.clone();
    let mut series = daily_lags(&feature, 2);
    series[1].values.fill(None);
    let found = lags(
        &factor(0),
        &series,
        &target,
        0,
        CorrelationMethod::Pearson,
        LEVEL,
    );
    let tested: Vec<u32> = found.tested.iter().map(|lag| lag.lag).collect();
    assert_eq!(tested, [0, 2]);
    assert_eq!((found.optimal, found.lasting), (Some(0), Some((0, 0))));
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

#[test]
fn granger_intervals_of_unrelated_noise_hold_zero() {
    let methods = [CorrelationMethod::Granger];
    for share in [0.0, 0.87] {
        let without = (0..RUNS)
            .filter(|seed| {
                let mut random = ChaCha8Rng::seed_from_u64(80_000 + seed);
                let target = process(&mut random, 93, share);
                let feature = process(&mut random, 93, share);
                let found = analysis(&[(factor(0), feature)], &target, &methods);
                let (lower, upper) = found.tested[0].tested.interval;
                lower > 0.0 || upper < 0.0
            })
            .count();
        println!("{share} of the day before: {without} of {RUNS} intervals leave 0 out");
        assert!(without <= 50, "{without}");
    }
}

#[test]
fn patchy_diaries_are_worth_what_their_pairs_are_and_still_raise_no_alarm() {
    // A third of the days, at random, of two unrelated sluggish series.
    let (mut alarms, mut worth) = (0, 0.0);
    for seed in 0..RUNS {
        let mut random = ChaCha8Rng::seed_from_u64(90_000 + seed);
        let target = process(&mut random, 93, 0.87);
        let whole = process(&mut random, 93, 0.87);
        let feature = patchy(&mut random, whole, 1.0 / 3.0);
        let found = analysis(
            &[(factor(0), feature)],
            &target,
            &[CorrelationMethod::Pearson],
        );
        let tested = &found.tested[0].tested;
        worth += tested.effective_sample_size / RUNS as f64;
        alarms += usize::from(tested.corrected_p_value < LEVEL);
    }
    println!("worth {worth:.1} on average, {alarms} alarms in {RUNS}");
    assert!(alarms <= 50, "{alarms}");
    // 1 / (1/30 + 2 · Σ 0.87²ᵏ / 90) is 12.9.
    assert!((9.0..17.0).contains(&worth), "{worth}");
}

#[test]
fn patchy_diaries_go_with_nothing() {
    for (seed, share) in [(100_000, 0.0), (110_000, 0.5), (120_000, 0.87)] {
        check_known(seed, 90, share, 1.0 / 3.0, &USUAL);
        check_known(seed, 90, share, 2.0 / 3.0, &USUAL);
    }
}

#[test]
fn a_partial_correlation_is_of_its_own_method_or_none() {
    let (columns, target) = person(3, 93, 2.0, 0.4);
    let found = analysis(&columns[..1], &target, CorrelationMethod::ALL);
    for driver in &found.tested {
        let is_linear = matches!(
            driver.method,
            CorrelationMethod::Pearson | CorrelationMethod::Spearman
        );
        assert_eq!(driver.tested.partial.is_some(), is_linear, "{driver:?}");
        assert_eq!(
            driver.effect.is_some(),
            driver.method != CorrelationMethod::Granger
        );
    }
}

#[test]
fn granger_counts_the_days_that_were_asked_for() {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let days = 30 + HISTORY;
    let target = process(&mut random, days, 0.3);
    let feature = process(&mut random, days, 0.3);
    let columns = [(factor(0), feature)];
    let found = analysis(&columns, &target, &[CorrelationMethod::Granger]);
    for test in &found.tested[0].tested.granger {
        assert_eq!(test.df_denominator, 30 - 2 * test.lags - 1, "{test:?}");
    }
}
