//! A correction of a pooled model: what it reads, what it changes, and that it knows no more than an evening.

use crate::people::{Kind, LATE, fit, learners, people, person};
use proptest::prelude::*;
use std::ops::RangeInclusive;
use std::sync::LazyLock;
use vitalcast_pooled::{CORRECTION, Corrected, Correction, Learner, Person, PooledModel};
use vitalcast_windows::{KnownSeries, LaterValue};

const DAYS: usize = 9;
/// The series and two covariates with a mask each, and seven weekdays.
const WIDTH: usize = 2 * 3 + 7;

static MODEL: LazyLock<PooledModel> = LazyLock::new(|| fit(&people(1..13, LATE), 3));

/// Adds a number that every value of the window changes.
#[derive(Debug)]
struct OfWindow;

impl Correction for OfWindow {
    fn days(&self) -> usize {
        DAYS
    }

    fn deviation(&self, window: &[f32], lead: usize, said: f64) -> Option<f64> {
        assert_eq!(window.len(), DAYS * WIDTH);
        let weighted = window.iter().enumerate();
        let sum: f64 = weighted
            .map(|(place, value)| f64::from(*value) * ((place * 37) % 101) as f64)
            .sum();
        Some(said + 1e-3 * sum + 0.1 * lead as f64)
    }
}

/// Adds the same everywhere.
#[derive(Debug)]
struct Constant(f64);

impl Correction for Constant {
    fn days(&self) -> usize {
        1
    }

    fn deviation(&self, _: &[f32], _: usize, said: f64) -> Option<f64> {
        Some(said + self.0)
    }
}

fn corrected(correction: &dyn Correction) -> Corrected<'_> {
    Corrected {
        model: &MODEL,
        correction: Some(correction),
    }
}

/// Values and bounds, as bits.
fn forecasts(
    model: Corrected<'_>,
    person: &Person,
    days: RangeInclusive<usize>,
    lead: usize,
) -> Vec<Option<Vec<u64>>> {
    let mut found = Vec::new();
    model.replay(person, days, lead, |_, forecast| {
        found.push(forecast.map(|forecast| {
            let bounds = forecast.distribution.intervals().iter();
            let bounds = bounds.flat_map(|bounds| [bounds.lower, bounds.upper]);
            let value = forecast.distribution.value();
            std::iter::once(value)
                .chain(bounds)
                .map(f64::to_bits)
                .collect()
        }));
    });
    found
}

#[test]
fn a_correction_by_nothing_changes_nothing_and_another_one_does() {
    let person = person(77, LATE);
    for lead in [1, 3] {
        let alone = forecasts((&*MODEL).into(), &person, 0..=60, lead);
        let of =
            |correction: &dyn Correction| forecasts(corrected(correction), &person, 0..=60, lead);
        assert_eq!(of(&Constant(0.0)), alone);
        assert_ne!(of(&OfWindow), alone);
    }
}

#[test]
fn intervals_follow_the_errors_of_the_corrected_forecasts() {
    let person = person(
        78,
        Kind {
            late: false,
            ..LATE
        },
    );
    let width = |correction: f64| {
        let mut width = 0.0;
        let constant = Constant(correction);
        corrected(&constant).replay(&person, 60..=60, 1, |_, forecast| {
            let bounds = forecast.unwrap().distribution.interval(0.8).unwrap();
            width = bounds.upper - bounds.lower;
        });
        width
    };
    assert!(
        width(4.0) > 1.5 * width(0.0),
        "{} {}",
        width(4.0),
        width(0.0)
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_corrected_replay_with_late_values_is_what_each_evening_knew(
        seed in 100_u64..100_000, lead in 1_usize..4,
    ) {
        let person = person(seed, LATE);
        let replayed = forecasts(corrected(&OfWindow), &person, 0..=person.days(), lead);
        for (day, replayed) in replayed.into_iter().enumerate() {
            let snapshot = person.as_known(day.saturating_sub(1), day);
            let alone = forecasts(corrected(&OfWindow), &snapshot, day..=day, lead);
            prop_assert_eq!(&alone[0], &replayed, "day {}", day);
        }
    }

    #[test]
    fn a_corrected_forecast_says_what_it_is_made_of(
        seed in 100_u64..100_000, day in 0_usize..61, lead in 1_usize..4,
    ) {
        let person = person(seed, LATE);
        let mut forecast = None;
        let model = corrected(&OfWindow);
        model.replay(&person, day..=day, lead, |_, found| forecast = found);
        let explained = model.explain(&person, day, lead);
        prop_assert_eq!(forecast.is_some(), explained.is_some());
        if let (Some(forecast), Some((base, parts))) = (forecast, explained) {
            let sum = base + parts.iter().map(|part| part.amount).sum::<f64>();
            prop_assert!((sum - forecast.distribution.value()).abs() < 1e-9);
            prop_assert!(parts.iter().any(|part| part.name == CORRECTION));
        }
    }
}

/// The windows and labels of a person.
fn examples(learner: &Learner<'_>) -> Vec<(usize, Vec<f32>, Vec<Option<f64>>)> {
    let mut found = Vec::new();
    MODEL.examples(learner, DAYS, |example| {
        assert_eq!(example.said.len(), 3);
        found.push((
            example.origin,
            example.window.to_vec(),
            example.happened.to_vec(),
        ));
    });
    found
}

#[test]
fn a_window_holds_the_days_before_its_origin_and_its_label_the_day_after() {
    // A Wednesday first; one day without a reading.
    let mut values: Vec<Option<f64>> = (0..30)
        .map(|day| Some(60.0 + f64::from((day * 7) % 11)))
        .collect();
    values[19] = None;
    let person = Person {
        first_weekday: 2,
        source: "watch".to_owned(),
        series: KnownSeries::from(values.clone()),
        covariates: vec![None, Some(KnownSeries::from(values.clone()))],
    };
    let learner = Learner {
        person: &person,
        targets: 0..30,
    };
    let (_, window, happened) = examples(&learner)
        .into_iter()
        .find(|(origin, ..)| *origin == 22)
        .unwrap();
    let day = |ago: usize| &window[(DAYS - ago) * WIDTH..][..WIDTH];
    // Of the series: a mask, and one spread between any two days.
    let reading = |ago: usize| values[22 - ago];
    for ago in 1..=DAYS {
        let known = f32::from(u8::from(reading(ago).is_some()));
        assert_eq!((day(ago)[1], day(ago)[5]), (known, known), "{ago}");
        // A series that the person does not have.
        assert_eq!(day(ago)[2..4], [0.0, 0.0]);
        let after = (2 + 22 - ago + 1) % 7;
        let weekdays: Vec<f32> = (0..7).map(|of| f32::from(u8::from(of == after))).collect();
        assert_eq!(day(ago)[6..], weekdays);
    }
    let spread = |one: usize, other: usize| {
        (reading(one).unwrap() - reading(other).unwrap()) / f64::from(day(one)[0] - day(other)[0])
    };
    let (usual, of_label) = (spread(1, 2), {
        let label = happened[0].unwrap() - f64::from(day(1)[0]);
        (values[22].unwrap() - reading(1).unwrap()) / label
    });
    assert!((spread(4, 9) - usual).abs() < 1e-3 && (of_label - usual).abs() < 1e-3);
    assert_eq!(happened.len(), 3);
}

#[test]
fn nothing_after_the_last_target_reaches_an_example() {
    let person = person(91, LATE);
    let end = 40;
    let before = examples(&Learner {
        person: &person,
        targets: 0..end,
    });
    assert!(before.len() > 20);
    // Labels are read as known on the evening of day `end`.
    let changed = |series: &KnownSeries| {
        let mut first = series.known(0..60, 0).into_owned();
        first[end..].fill(Some(1e5));
        let later = series.later().iter().filter(|later| later.from <= end);
        let more = (0..end).map(|day| LaterValue {
            day,
            from: end + 1,
            value: Some(-1e5),
        });
        let mut later: Vec<LaterValue> = later.copied().chain(more).collect();
        later.sort_by_key(|later| (later.day, later.from));
        KnownSeries::new(first, later).unwrap()
    };
    let wild = Person {
        series: changed(&person.series),
        covariates: person
            .covariates
            .iter()
            .map(|series| series.as_ref().map(changed))
            .collect(),
        ..person.clone()
    };
    let after = examples(&Learner {
        person: &wild,
        targets: 0..end,
    });
    assert_eq!(before, after);
}

#[test]
fn examples_are_of_the_targets_alone() {
    let everyone = people(1..3, LATE);
    let whole = learners(&everyone).remove(0);
    let later = Learner {
        targets: 30..60,
        ..whole.clone()
    };
    let all = examples(&whole);
    let of_later = examples(&later);
    let expected: Vec<_> = all
        .into_iter()
        .filter(|(origin, ..)| *origin >= 30)
        .collect();
    assert!(!of_later.is_empty());
    assert_eq!(of_later, expected);
}
