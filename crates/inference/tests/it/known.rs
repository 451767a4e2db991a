//! What a window reads is the same in training and in serving, at any moment of the day.

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use proptest::prelude::*;
use vitalcast_domain::{
    HealthMetric, History, Meal, MetricType, PredictionMetric, Profile, Provenance, Record, UserId,
};
use vitalcast_inference::DayLayout;
use vitalcast_windows::WindowEnd;

const HRV: PredictionMetric = PredictionMetric::HeartRateVariabilityRmssd;
const DAYS: usize = 90;
const LOOKBACK: usize = 10;

/// Around the autumn change of clocks in Europe.
fn at(place: usize) -> NaiveDate {
    "2025-08-01".parse::<NaiveDate>().unwrap() + Days::new(place as u64)
}

fn record(zone: &'static str) -> impl Strategy<Value = Record> {
    let value = prop_oneof![8 => 40.0_f64..50.0, 1 => 60.0_f64..260.0];
    let what = (0..4_u8, value);
    // Few ids, so that some records correct others; a delay in odd numbers, so that no two versions
    // are known at one moment.
    let delay = prop_oneof![Just(0_i64), 0_i64..200_000, 0_i64..2_000_000];
    (what, 0..DAYS, 0..3_u8, delay, 0..997_i64).prop_map(
        move |((kind, value), place, id, delay, odd)| {
            let zone = zone.parse().unwrap();
            let id = format!("{place}-{id}");
            let mut record = if kind == 0 {
                Record::Meal(Meal {
                    provenance: Provenance::of_day("diary", id, at(place), zone),
                    name: None,
                    meal_type: None,
                    energy_kcal: Some(10.0 * value),
                    protein_g: None,
                    carbs_g: Some(value),
                    fat_g: None,
                    fiber_g: None,
                    sugar_g: None,
                })
            } else {
                Record::HealthMetric(HealthMetric {
                    provenance: Provenance::of_day("watch", id, at(place), zone),
                    metric: if kind == 1 {
                        MetricType::Steps
                    } else {
                        HRV.metric_type()
                    },
                    value,
                    kind: None,
                })
            };
            let provenance = record.provenance_mut();
            let by = TimeDelta::milliseconds(delay * 1_000 + odd) - TimeDelta::hours(16);
            provenance.known_at = (provenance.observed_at + by).max(zone.start_of_day(at(place)));
            record
        },
    )
}

fn someone() -> impl Strategy<Value = History> {
    prop::sample::select(vec!["UTC", "Europe/London", "Asia/Kathmandu"]).prop_flat_map(|zone| {
        prop::collection::vec(record(zone), 100..400).prop_map(move |mut records| {
            let mut seen = std::collections::HashSet::new();
            records.retain(|record| {
                let provenance = record.provenance();
                seen.insert((provenance.source_id.clone(), provenance.known_at))
            });
            let profile = Profile {
                zone: zone.parse().unwrap(),
                ..Profile::default()
            };
            let mut history = History::new(UserId::new("p").unwrap(), profile);
            history.records = records;
            history
        })
    })
}

fn layout(history: &History, first: usize, last: usize, as_of: DateTime<Utc>) -> DayLayout {
    DayLayout::new(history, HRV, at(first), at(last), LOOKBACK, as_of).unwrap()
}

/// All that models read in a window, bit for bit: the inputs of a network, then the metric's days.
fn read(layout: &DayLayout, window: WindowEnd) -> Vec<Option<u64>> {
    let rows = window.last_row + 1 - LOOKBACK..window.last_row + 1;
    let mut bits = Vec::new();
    for row in rows.clone() {
        let (values, observed) = layout.matrix().row(row, window.origin);
        let cells = values.iter().zip(observed);
        bits.extend(cells.map(|(value, observed)| observed.then(|| value.to_bits())));
    }
    let own = layout.known(rows, window.origin);
    bits.extend(own.iter().map(|value| value.map(f64::to_bits)));
    bits
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_training_window_is_what_a_forecast_on_that_evening_reads(
        history in someone(), last in 30_usize..DAYS - 1,
    ) {
        let training = layout(&history, 0, DAYS - 1, "2100-01-01T00:00:00Z".parse().unwrap());
        let evening = history.profile.zone.evening_of(at(last));
        let serving = layout(&history, last + 1 - LOOKBACK, last, evening);
        prop_assert_eq!(
            read(&training, WindowEnd::on_evening(last, 0)),
            read(&serving, serving.last_window())
        );
    }

    #[test]
    fn at_any_moment_of_the_day_a_long_table_and_a_short_one_read_the_same(
        history in someone(), last in 30_usize..DAYS - 1, seconds in 0_i64..86_400,
    ) {
        // During the last day read, which is not over, and during the day that is forecast.
        let zone = history.profile.zone;
        for start in [zone.start_of_day(at(last)), zone.evening_of(at(last))] {
            let now = start + TimeDelta::seconds(seconds);
            let long = layout(&history, 0, last, now);
            let short = layout(&history, last + 1 - LOOKBACK, last, now);
            prop_assert_eq!(read(&long, long.last_window()), read(&short, short.last_window()));
        }
    }

    #[test]
    fn what_becomes_known_later_changes_no_window_of_an_earlier_origin(
        history in someone(), later in prop::collection::vec(record("UTC"), 1..40),
        last in 30_usize..DAYS - 1,
    ) {
        let evening = history.profile.zone.evening_of(at(last));
        let mut grown = history.clone();
        for mut record in later {
            let provenance = record.provenance_mut();
            provenance.known_at = provenance.known_at.max(evening + TimeDelta::milliseconds(1));
            grown.records.push(record);
        }
        let far = "2100-01-01T00:00:00Z".parse().unwrap();
        let before = layout(&history, 0, last, far);
        let after = layout(&grown, 0, DAYS - 1, far);
        for hidden in [0, 1, 3] {
            let window = WindowEnd::on_evening(last, hidden);
            let known = |layout: &DayLayout| {
                let rows = last + 1 - LOOKBACK..last + 1 - hidden;
                let own = layout.known(rows.clone(), window.origin).into_owned();
                let rows: Vec<Vec<f64>> = rows
                    .map(|row| layout.matrix().row(row, window.origin).0.to_vec())
                    .collect();
                (own, rows)
            };
            prop_assert_eq!(known(&before), known(&after));
        }
    }
}
