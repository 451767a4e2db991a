//! Days in place of records: the same values, and no others.

use crate::people::{day, delayed, instant, person, reading};
use crate::properties::{DAYS, bits, first, someone};
use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use proptest::prelude::*;
use vitalcast_domain::{AsOf, MetricType};
use vitalcast_features::{
    DailyHistory, FeaturesError, KnownDays, LaterValue, PersonData, known_table,
};

const LOOKBACK: usize = 12;

fn at(place: u64) -> NaiveDate {
    first().checked_add_days(Days::new(place)).unwrap()
}

/// Every value with the evenings from which it holds, bit for bit.
fn all_bits(person: PersonData<'_>, from: NaiveDate, to: NaiveDate, as_of: AsOf) -> Vec<Vec<u64>> {
    let none = u64::MAX;
    let plain = |values: &[Option<f64>]| -> Vec<u64> {
        bits(values)
            .into_iter()
            .map(|value| value.unwrap_or(none))
            .collect()
    };
    let of_later = |later: &LaterValue| {
        let value = later.value.map_or(none, f64::to_bits);
        vec![later.day as u64, later.from as u64, value]
    };
    let days = KnownDays::new(person, from, to, as_of).unwrap();
    let mut all = Vec::new();
    for metric in MetricType::ALL {
        if let Some(values) = days.of(*metric) {
            all.push(vec![*metric as u64]);
            all.push(plain(&values.first));
            all.extend(values.later.iter().map(of_later));
        }
        all.push(vec![
            person
                .main_source(*metric)
                .map_or(0, |name| name.len() as u64),
        ]);
    }
    for metric in [
        MetricType::HeartRateVariabilityRmssd,
        MetricType::SleepDuration,
    ] {
        let table = known_table(person, metric, from, to, LOOKBACK, as_of).unwrap();
        let rows = 0..table.evenings().days();
        all.extend(rows.map(|row| plain(table.evenings().row(row).unwrap())));
        for later in table.later() {
            all.push(vec![later.row as u64, later.from as u64]);
            all.push(plain(&later.values));
        }
        all.push(plain(&table.own_history().first));
        all.extend(table.own_history().later.iter().map(of_later));
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn days_say_what_their_records_say_at_the_moment_and_on_every_evening_before(
        history in someone(), ends in (0..DAYS, 0..DAYS), hours in 0..DAYS * 24, begins in 0..24_u32,
    ) {
        let mut history = history;
        history.profile.day_begins_hour = begins;
        let begin = history.profile.start_of_day(first());
        let now = begin + TimeDelta::hours(hours as i64) + TimeDelta::minutes(17);
        let days = DailyHistory::new(&history, now).unwrap();
        prop_assert!(days.holds_at(now));
        let (records, days) = (PersonData::from(&history), PersonData::from(&days));
        let (from, to) = (at(ends.0.min(ends.1)), at(ends.0.max(ends.1)));
        prop_assert_eq!(all_bits(records, from, to, now), all_bits(days, from, to, now));
        prop_assert_eq!(records.span(), days.span());
        prop_assert_eq!(records.next_known(now), days.next_known(now));
        let evening = history.profile.evening_of(to);
        if evening <= now {
            prop_assert_eq!(all_bits(records, from, to, evening), all_bits(days, from, to, evening));
        }
        for as_of in [now, evening] {
            prop_assert_eq!(records.last_known_day(to, as_of), days.last_known_day(to, as_of));
        }
    }
}

fn of_two_days() -> (DailyHistory, DateTime<Utc>) {
    let of = |id, on| reading("UTC", id, on, MetricType::RestingHeartRate, 60.0);
    let records = vec![
        of("a", "2025-10-01"),
        delayed(of("b", "2025-10-02"), TimeDelta::hours(40)),
    ];
    let now = instant("2025-10-03T08:00:00Z");
    (
        DailyHistory::new(&person("UTC", records), now).unwrap(),
        now,
    )
}

#[test]
fn days_hold_until_the_next_record_becomes_known() {
    let (days, now) = of_two_days();
    let next = instant("2025-10-04T15:59:59Z");
    assert_eq!(PersonData::from(&days).next_known(now), Some(next));
    assert!(days.holds_at(now) && days.holds_at(next - TimeDelta::seconds(1)));
    assert!(!days.holds_at(next));
    // The first record was not known yet.
    assert!(!days.holds_at(instant("2025-10-01T12:00:00Z")));
}

#[test]
fn days_answer_for_no_moment_that_they_do_not_hold_for() {
    let (days, _) = of_two_days();
    let of = |to: &str, as_of: &str| {
        KnownDays::new(&days, day("2025-09-01"), day(to), instant(as_of)).map(|_| ())
    };
    of("2025-10-02", "2025-10-03T00:00:00Z").unwrap();
    // Later than what they were made of; in the middle of a day that is over; days after the evening.
    for (to, as_of) in [
        ("2025-10-02", "2025-10-05T00:00:00Z"),
        ("2025-09-30", "2025-10-01T12:00:00Z"),
        ("2025-10-01", "2025-10-01T00:00:00Z"),
    ] {
        let refused = of(to, as_of).unwrap_err();
        assert!(
            matches!(refused, FeaturesError::OtherMoment(_)),
            "{to} {as_of}"
        );
    }
}

#[test]
fn nobody_has_no_days() {
    let now = instant("2025-10-03T08:00:00Z");
    let days = DailyHistory::new(&person("UTC", Vec::new()), now).unwrap();
    assert_eq!(PersonData::from(&days).span(), None);
    assert!(days.holds_at(now));
    let known = KnownDays::new(&days, first(), at(3), now).unwrap();
    assert!(known.of(MetricType::Steps).is_none());
}

#[test]
fn records_of_longer_than_a_life_are_refused() {
    let of = |id, on| reading("UTC", id, on, MetricType::RestingHeartRate, 60.0);
    let far = person("UTC", vec![of("a", "1900-01-01"), of("b", "2025-10-01")]);
    let refused = DailyHistory::new(&far, instant("2025-10-03T08:00:00Z")).unwrap_err();
    assert!(matches!(refused, FeaturesError::TooManyDays { .. }));
}
