//! Every method of one series behind the same trait: what holds of all of them.

use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use vitalcast_models::{ModelError, SeriesForecaster, SeriesMethod};

/// Every kind, quick to fit.
fn methods() -> Vec<SeriesMethod> {
    let mut methods = SeriesMethod::every();
    for method in &mut methods {
        if let SeriesMethod::Ridge { horizon } | SeriesMethod::Trees { horizon, .. } = method {
            *horizon = 2;
        }
        if let SeriesMethod::Trees { options, .. } = method {
            options.trees = 30;
        }
    }
    methods.push(SeriesMethod::ExponentialSmoothing { alpha: Some(0.3) });
    methods
}

/// A level, a weekly season, an error that lasts for days, and every `hole`-th day missing.
fn history(days: usize, seed: u64, hole: usize) -> Vec<Option<f64>> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let week = [2.0, -1.0, 0.5, -2.5, 0.0, 1.5, -0.5];
    let mut error = 0.0;
    (0..days)
        .map(|day| {
            error = 0.5 * error + random.random_range(-1.0..1.0);
            (day % hole != hole - 1).then_some(60.0 + week[day % 7] + error)
        })
        .collect()
}

fn mean_absolute_error(model: &dyn SeriesForecaster, history: &[Option<f64>], first: usize) -> f64 {
    let errors: Vec<f64> = (first..history.len())
        .filter_map(|day| Some((history[day]? - model.forecast(&history[..day], 1)?).abs()))
        .collect();
    errors.iter().sum::<f64>() / errors.len() as f64
}

/// Fits everything that learns to the first days of a history, and holds its errors on the others to a
/// share of those of the last value.
fn assert_errors_within(share: f64, history: &[Option<f64>], first: usize) {
    let error = |method: &SeriesMethod| {
        mean_absolute_error(&method.fit(&history[..first]).unwrap(), history, first)
    };
    let naive = error(&SeriesMethod::Naive);
    for method in [
        SeriesMethod::Ets,
        SeriesMethod::Theta,
        SeriesMethod::ridge(),
        SeriesMethod::trees(),
    ] {
        let found = error(&method);
        assert!(found < share * naive, "{method:?}: {found}, naive {naive}");
    }
}

#[test]
fn what_knows_the_week_beats_what_does_not() {
    assert_errors_within(0.6, &history(300, 5, 11), 220);
}

#[test]
fn in_a_walk_nothing_does_much_worse_than_the_last_value() {
    let mut random = ChaCha8Rng::seed_from_u64(12);
    let mut level = 60.0;
    let walk: Vec<Option<f64>> = (0..260)
        .map(|_| {
            level += random.random_range(-1.0..1.0);
            Some(level)
        })
        .collect();
    assert_errors_within(1.25, &walk, 180);
}

#[test]
fn intervals_hold_as_often_as_they_say_on_days_never_seen() {
    let history = history(1800, 8, 13);
    for method in methods() {
        let calibrated = method.fit_calibrated(&history[..900], 2).unwrap();
        for (lead, level) in [(1, 0.9), (2, 0.8)] {
            let inside: Vec<bool> = (900..history.len())
                .filter_map(|day| {
                    let known = &history[..=day - lead];
                    let interval = calibrated.forecast_interval(known, lead, level)?;
                    Some((interval.lower..=interval.upper).contains(&history[day]?))
                })
                .collect();
            let held = inside.iter().filter(|held| **held).count() as f64 / inside.len() as f64;
            assert!(
                (level - 0.06..level + 0.07).contains(&held),
                "{} lead {lead}: {held} of {}",
                calibrated.name(),
                inside.len()
            );
        }
    }
}

#[test]
fn an_average_forecasts_the_mean_of_its_members() {
    let history = history(120, 3, 9);
    let methods = [SeriesMethod::Naive, SeriesMethod::Theta, SeriesMethod::Ets];
    let average = SeriesMethod::fit_average(&methods, &history).unwrap();
    let single: f64 = methods
        .iter()
        .map(|method| method.fit(&history).unwrap().forecast(&history, 3).unwrap())
        .sum();
    let found = average.forecast(&history, 3).unwrap();
    assert!((found - single / 3.0).abs() < 1e-12);
    assert_eq!(average.forecast(&[None], 1), None);
    assert!(matches!(
        SeriesMethod::fit_average(&[], &history),
        Err(ModelError::Empty("method to average"))
    ));
}

#[test]
fn people_are_pooled_by_what_differs_from_their_own_level() {
    // Two people far apart; a third, of whom there are only nine days, lives by the same week.
    let shifted = |seed, by: f64| -> Vec<Option<f64>> {
        history(200, seed, 10)
            .into_iter()
            .map(|value| value.map(|value| value + by))
            .collect()
    };
    let (low, high, new) = (shifted(1, -15.0), shifted(2, 25.0), shifted(3, 5.0));
    for method in [SeriesMethod::ridge(), SeriesMethod::trees()] {
        let pooled = method.fit_pooled(&[&low, &high]).unwrap();
        let error = mean_absolute_error(&pooled, &new[..60], 9);
        let naive = mean_absolute_error(&SeriesMethod::Naive.fit(&new).unwrap(), &new[..60], 9);
        assert!(error < 0.75 * naive, "{method:?}: {error}, naive {naive}");
    }
    let error = SeriesMethod::Ets.fit_pooled(&[&low, &high]).unwrap_err();
    assert!(error.to_string().starts_with("histories"), "{error}");
}

#[test]
fn what_cannot_be_used_is_refused_by_name() {
    let refused = |method: SeriesMethod, history: &[Option<f64>]| {
        method.fit(history).unwrap_err().to_string()
    };
    assert_eq!(
        refused(SeriesMethod::Ets, &[Some(60.0), Some(f64::NAN)]),
        "the value of day 1 is not finite, expected None for a missing value"
    );
    assert_eq!(
        refused(SeriesMethod::Theta, &[Some(60.0), None]),
        "expected at least 4 observed days for Theta, found 1"
    );
    assert_eq!(
        refused(SeriesMethod::ridge(), &history(12, 1, 99)),
        "expected at least 10 examples for ridge regression on lags, found 5"
    );
    assert!(refused(SeriesMethod::Ridge { horizon: 0 }, &[]).starts_with("horizon"));
    assert!(refused(SeriesMethod::MovingAverage { days: 0 }, &[]).starts_with("days"));
    let none = SeriesMethod::ExponentialSmoothing { alpha: Some(0.0) };
    assert!(refused(none, &[]).starts_with("alpha"));
    let error = SeriesMethod::Naive
        .fit_calibrated(&[Some(1.0), None, None], 1)
        .unwrap_err();
    assert!(matches!(error, ModelError::TooShort { .. }), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_history_gets_a_finite_forecast_inside_its_interval_or_none(
        values in prop::collection::vec(prop::option::weighted(0.7, 30.0_f64..120.0), 0..90),
        lead in 1_usize..10,
    ) {
        for method in methods() {
            let Ok(model) = method.fit(&values) else { continue };
            let forecast = model.forecast(&values, lead);
            prop_assert_eq!(forecast.is_some(), values.iter().any(Option::is_some), "{}", model.name());
            prop_assert!(forecast.is_none_or(f64::is_finite));
            if let Some(interval) = model.forecast_interval(&values, lead, 0.9) {
                prop_assert_eq!(Some(interval.value), forecast);
                prop_assert!(interval.lower <= interval.value && interval.value <= interval.upper);
                let narrow = model.forecast_interval(&values, lead, 0.5).unwrap();
                prop_assert!(narrow.upper - narrow.lower <= interval.upper - interval.lower);
            }
            // Read back from bytes it is the same model.
            let json = serde_json::to_string(&model).unwrap();
            let again: vitalcast_models::SeriesModel = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(again.forecast(&values, lead), forecast);
        }
    }
}
