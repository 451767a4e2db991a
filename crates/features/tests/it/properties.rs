//! What holds for every history.

use crate::people::{day, delayed, meal, much_later, person, reading, workout};
use chrono::{Days, NaiveDate, TimeDelta};
use proptest::prelude::*;
use std::collections::BTreeSet;
use vitalcast_domain::{
    ActivityType, AsOf, FeatureCategory, History, Intensity, MetricType, PredictionMetric, Record,
};
use vitalcast_features::{FeatureTable, catalogue, daily_values, feature_table};

/// Around the autumn change of clocks in Europe and the spring one in the south.
const FIRST: &str = "2025-09-20";
pub(crate) const DAYS: u64 = 50;

const ZONES: [&str; 5] = [
    "UTC",
    "Europe/London",
    "America/Sao_Paulo",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
];

pub(crate) fn first() -> NaiveDate {
    day(FIRST)
}

pub(crate) fn record(zone: &'static str) -> impl Strategy<Value = Record> {
    let metric = prop::sample::select(vec![
        (MetricType::RestingHeartRate, 40.0, 90.0),
        (MetricType::HeartRateVariabilityRmssd, 10.0, 120.0),
        (MetricType::SleepDuration, 0.0, 12.0),
        (MetricType::RecoveryScore, 0.0, 100.0),
        (MetricType::Steps, 0.0, 20_000.0),
        (MetricType::ActiveCalories, 0.0, 900.0),
        (MetricType::SleepScore, 0.0, 100.0),
    ]);
    let kind = prop::sample::select(vec![
        ActivityType::Running,
        ActivityType::WeightTraining,
        ActivityType::Yoga,
        ActivityType::Golf,
    ]);
    let intensity = prop::option::of(prop::sample::select(Intensity::ALL.to_vec()));
    let what = prop_oneof![
        (0.0..1_500.0, 0.0..200.0).prop_map(|(energy, carbs)| What::Meal(energy, carbs)),
        (kind, intensity, prop::option::of(0.0..180.0))
            .prop_map(|(kind, intensity, minutes)| What::Workout(kind, intensity, minutes)),
        (metric, 0.0..1.0).prop_map(|((metric, low, high), share): (_, f64)| {
            What::Reading(metric, low + share * (high - low))
        }),
    ];
    // Few ids, so that many records are corrections of one another; a delay in odd seconds, so
    // that no two versions are known at one moment.
    (what, 0..DAYS, 0_u32..86_400, 0_u8..40, 0_i64..400_000).prop_map(
        move |(what, place, second, id, delay)| {
            let on = first().checked_add_days(Days::new(place)).unwrap();
            let local = format!(
                "{on}T{:02}:{:02}:{:02}",
                second / 3_600,
                second / 60 % 60,
                second % 60
            );
            let id = id.to_string();
            let made = match what {
                What::Meal(energy, carbs) => meal(zone, &id, &local, energy, carbs),
                What::Workout(kind, intensity, minutes) => {
                    workout(zone, &id, &local, kind, intensity, minutes)
                }
                What::Reading(metric, value) => reading(zone, &id, &on.to_string(), metric, value),
            };
            delayed(made, TimeDelta::milliseconds(delay * 1_000 + delay % 997))
        },
    )
}

#[derive(Debug, Clone)]
enum What {
    Meal(f64, f64),
    Workout(ActivityType, Option<Intensity>, Option<f64>),
    Reading(MetricType, f64),
}

/// What would make two versions of a record known at one moment is left out: then the order of
/// writing decides, and there is none here.
fn without_ties(records: Vec<Record>) -> Vec<Record> {
    let mut seen = std::collections::HashSet::new();
    records
        .into_iter()
        .filter(|record| {
            let provenance = record.provenance();
            seen.insert((
                record.kind(),
                provenance.source_id.clone(),
                provenance.known_at,
            ))
        })
        .collect()
}

pub(crate) fn someone() -> impl Strategy<Value = History> {
    prop::sample::select(ZONES.to_vec()).prop_flat_map(|zone| {
        prop::collection::vec(record(zone), 0..120)
            .prop_map(move |records| person(zone, without_ties(records)))
    })
}

fn table(history: &History, from: u64, to: u64, as_of: AsOf) -> FeatureTable {
    let at = |place| first().checked_add_days(Days::new(place)).unwrap();
    feature_table(history, at(from), at(to), as_of).unwrap()
}

/// Every value, bit for bit.
pub(crate) fn bits(row: &[Option<f64>]) -> Vec<Option<u64>> {
    row.iter().map(|value| value.map(f64::to_bits)).collect()
}

fn all_bits(table: &FeatureTable) -> Vec<Vec<Option<u64>>> {
    let rows = (0..table.days()).map(|row| bits(table.row(row).unwrap()));
    let targets = PredictionMetric::ALL
        .iter()
        .map(|metric| bits(table.own_history(*metric)));
    rows.chain(targets).collect()
}

/// All records once more, as another device tells them.
fn told_twice(history: &History) -> History {
    let mut both = history.clone();
    both.records.extend(history.records.iter().map(|record| {
        let mut copy = record.clone();
        copy.provenance_mut().source += " (phone)";
        copy
    }));
    both
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_second_source_that_says_the_same_changes_no_value(history in someone()) {
        let both = told_twice(&history);
        let once = table(&history, 0, DAYS - 1, much_later());
        let twice = table(&both, 0, DAYS - 1, much_later());
        prop_assert_eq!(all_bits(&once), all_bits(&twice));
    }

    #[test]
    fn placing_records_in_another_zone_and_back_is_the_identity(
        history in someone(), zone in prop::sample::select(ZONES.to_vec()), begins in 0..24_u32,
    ) {
        let mut history = history;
        history.place();
        let mut moved = history.clone();
        moved.profile.zone = zone.parse().unwrap();
        moved.profile.day_begins_hour = begins;
        moved.place();
        moved.profile = history.profile.clone();
        moved.place();
        prop_assert_eq!(moved, history);
    }

    #[test]
    fn what_becomes_known_later_changes_no_earlier_row(
        history in someone(),
        later in prop::collection::vec(record("UTC"), 1..20),
        evening in 0..DAYS,
    ) {
        let before = table(&history, 0, evening, much_later());
        let on = first().checked_add_days(Days::new(evening)).unwrap();
        let known_from = history.profile.zone.evening_of(on) + TimeDelta::milliseconds(1);
        let mut grown = history.clone();
        for mut record in later {
            let provenance = record.provenance_mut();
            provenance.known_at = provenance.known_at.max(known_from);
            grown.records.push(record);
        }
        prop_assert_eq!(all_bits(&before), all_bits(&table(&grown, 0, evening, much_later())));
    }

    #[test]
    fn a_row_is_the_same_in_training_and_on_its_own_evening(
        history in someone(),
        place in 0..DAYS,
    ) {
        let whole = table(&history, 0, DAYS - 1, much_later());
        let on = first().checked_add_days(Days::new(place)).unwrap();
        let then = table(&history, place, place, history.profile.zone.evening_of(on));
        prop_assert_eq!(
            bits(whole.row(place as usize).unwrap()),
            bits(then.row(0).unwrap())
        );
    }

    #[test]
    fn a_row_does_not_depend_on_where_the_table_begins_and_ends(
        history in someone(),
        ends in (0..DAYS, 0..DAYS),
    ) {
        let (from, to) = (ends.0.min(ends.1), ends.0.max(ends.1));
        let whole = table(&history, 0, DAYS - 1, much_later());
        let part = table(&history, from, to, much_later());
        for row in from..=to {
            prop_assert_eq!(
                bits(whole.row(row as usize).unwrap()),
                bits(part.row((row - from) as usize).unwrap())
            );
        }
    }

    // 60.1 added up seven times and divided by seven is not 60.1, and what was left of the difference
    // was a feature that seemed to vary.
    #[test]
    fn what_is_the_same_every_day_has_no_spread_no_slope_and_no_deviation(
        value in 20.0_f64..200.0,
        energy in 500.0_f64..5_000.0,
        worn in prop::collection::vec(prop::bool::weighted(0.7), DAYS as usize),
    ) {
        let zone = "Europe/London";
        let records = (0..DAYS).zip(&worn).filter(|(_, worn)| **worn).flat_map(|(place, _)| {
            let on = first().checked_add_days(Days::new(place)).unwrap().to_string();
            let of = |metric| reading(zone, &format!("{metric}{on}"), &on, metric, value);
            vec![
                of(MetricType::RestingHeartRate),
                of(MetricType::HeartRateVariabilityRmssd),
                of(MetricType::SleepDuration),
                of(MetricType::RecoveryScore),
                of(MetricType::Steps),
                meal(zone, &format!("m{on}"), &format!("{on}T12:00:00"), energy, value),
            ]
        }).collect();
        let table = table(&person(zone, records), 30, DAYS - 1, much_later());
        for feature in catalogue() {
            if feature.category == FeatureCategory::Temporal {
                continue;
            }
            let seen: BTreeSet<u64> = (0..table.days())
                .filter_map(|row| table.value_at(row, feature.id))
                .map(f64::to_bits)
                .collect();
            prop_assert!(seen.len() <= 1, "{} {seen:?}", feature.name);
            let is_difference = ["_std", "_trend", "_deviation"]
                .iter()
                .any(|end| feature.name.ends_with(end));
            if is_difference {
                prop_assert!(seen.iter().all(|bits| *bits == 0), "{} {seen:?}", feature.name);
            }
        }
    }

    #[test]
    fn the_order_of_records_does_not_matter(
        (history, shuffled) in someone().prop_flat_map(|history| {
            let records = Just(history.records.clone()).prop_shuffle();
            (Just(history), records)
        }),
    ) {
        let mut other = history.clone();
        other.records = shuffled;
        prop_assert_eq!(
            all_bits(&table(&history, 0, DAYS - 1, much_later())),
            all_bits(&table(&other, 0, DAYS - 1, much_later()))
        );
    }

    #[test]
    fn every_value_is_finite_and_within_its_meaning(history in someone()) {
        let table = table(&history, 0, DAYS - 1, much_later());
        for row in 0..table.days() {
            for (feature, value) in catalogue().iter().zip(table.row(row).unwrap()) {
                let Some(value) = *value else {
                    prop_assert!(feature.nullable, "{} is never missing", feature.name);
                    continue;
                };
                prop_assert!(value.is_finite(), "{}: {value}", feature.name);
                let range = match feature.unit {
                    "share" | "0-1" => 0.0..=1.0,
                    "0/1" => 0.0..=1.0,
                    "0-6" => 0.0..=6.0,
                    "1-53" => 1.0..=53.0,
                    "1-12" => 1.0..=12.0,
                    "0-100" => 0.0..=100.0,
                    _ => f64::MIN..=f64::MAX,
                };
                prop_assert!(range.contains(&value), "{}: {value}", feature.name);
            }
        }
    }

    #[test]
    fn an_outcome_once_all_is_known_is_what_the_last_evening_sees(history in someone()) {
        let last = first().checked_add_days(Days::new(DAYS - 1)).unwrap();
        for metric in PredictionMetric::ALL {
            let values =
                daily_values(&history, metric.metric_type(), first(), last, much_later()).unwrap();
            prop_assert_eq!(values.len(), DAYS as usize);
            // Nothing is known later than five days after it happened.
            let evening = last.checked_add_days(Days::new(6)).unwrap();
            let seen = history.profile.zone.evening_of(evening);
            let again = daily_values(&history, metric.metric_type(), first(), last, seen).unwrap();
            prop_assert_eq!(bits(&values), bits(&again));
        }
    }
}
